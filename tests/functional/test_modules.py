"""The pages' modules in a real browser: what they compute is what Python computes, byte for byte.

The worker runs under the platform's own content security policy.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route

from postern.base64url import from_base64url, to_base64url
from postern.facets import evaluation_input, facets
from postern.hpke import SecretKey, Suite
from postern.key_file_form import parse
from postern.normalise import Party
from postern.organisation_entry import read_chain
from postern.organisation_keys import OrganisationKeys, unlock_keys
from postern.pseudonym import derive_epoch_key, token
from postern.seal import Context, Resealing, open_envelope, seal
from postern.voprf import blind, evaluate, unblind
from tests.app.exchange import Exchange
from tests.app.people import runtime_of
from tests.functional.conftest import MODULES, Platform
from tests.functional.test_pages import sign_in
from tests.functional.varied_values import DATA, frozen_cases, varied

BUNDLES = MODULES.parent / "static" / "modules"
VARIED = 2000

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database decides."""

ASK = """async ([verb, args]) => {
    const { Premises } = await import("/static/modules/premises.js");
    window.premises ??= new Premises();
    window.progress = [];
    const revive = (value) => value instanceof Uint8Array ? Array.from(value) : value;
    try {
        const answer = await window.premises.ask(verb, args, (done, total) => {
            window.progress.push([done, total]);
        });
        return { result: revive(answer) };
    } catch (error) {
        return { error: { name: error.name, code: error.code, message: error.message,
                          field: error.field, reason: error.reason, remedy: error.remedy } };
    }
}"""
CHECK_ALL = """async (values) => {
    const { Premises } = await import("/static/modules/premises.js");
    window.premises ??= new Premises();
    return Promise.all(values.map(async ([kind, value]) => {
        try {
            const found = await window.premises.ask("check", { kind, value });
            return [found.form, found.flags, found.facets.map((facet) => facet.text)];
        } catch (error) {
            return ["error", error.field, error.reason, error.remedy];
        }
    }));
}"""


@pytest.fixture
def desk(page: Page) -> Page:
    """A page of the platform, from which its modules are asked."""
    page.goto("/sign-in")
    return page


def ask(page: Page, verb: str, **args: Any) -> Any:
    answer = page.evaluate(ASK, [verb, args])
    assert "error" not in answer, answer
    return answer["result"]


def refusal(page: Page, verb: str, **args: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(ASK, [verb, args])
    return answer["error"]


@on_one_database
def test_every_frozen_case_and_thousands_of_changed_values_become_the_same(desk: Page) -> None:
    frozen = [
        (
            case["kind"],
            case["value"],
            [
                case["form"] if isinstance(case["form"], dict) else {"text": case["form"]},
                case["flags"],
                case["facets"],
            ],
        )
        for case in frozen_cases()
    ]
    asked = [*frozen, *varied(1, VARIED)]
    found = desk.evaluate(CHECK_ALL, [[kind, value] for kind, value, _ in asked])
    assert len(found) > VARIED
    for (kind, value, expected), answer in zip(asked, found, strict=True):
        assert answer == expected, (kind, value)


VECTORS: dict[str, Any] = json.loads((DATA / "sealed-vectors.json").read_text("utf-8"))
WHERE = Context(
    *("post-be", "address", 1, bytes(range(16)), "record-1", "value"),
    Resealing("request-1", "police-nl", "approver"),
)
ON_PAGE = {
    "owner": "post-be",
    "kind": "address",
    "epoch": 1,
    "token": to_base64url(bytes(range(16))),
    "record": "record-1",
    "part": "value",
    "request": "request-1",
    "requester": "police-nl",
    "approver": "approver",
}


def member_keys() -> OrganisationKeys:
    file = parse(json.dumps(VECTORS["key_file"]).encode())
    return unlock_keys(file, "dispatch", VECTORS["passphrases"]["dispatch"])


@on_one_database
def test_a_key_file_opens_in_the_page_and_what_is_sealed_there_opens_here(desk: Page) -> None:
    ours, recovery = member_keys(), SecretKey(Suite.MLKEM768_X25519, bytes(range(32)))
    written = json.dumps(VECTORS["key_file"])
    members = ask(desk, "members", written=written)
    assert members == {"organisation": "post-be", "members": list(VECTORS["passphrases"])}
    wrong = refusal(desk, "unlock", written=written, member="dispatch", passphrase="no")
    assert wrong["code"] == "passphrase"
    assert (
        refusal(desk, "seal", content=[], context=ON_PAGE, recipients=[])["name"] == "LockedError"
    )
    passphrase = VECTORS["passphrases"]["dispatch"]
    opened = ask(desk, "unlock", written=written, member="dispatch", passphrase=passphrase)
    assert read_chain(opened["chain"]) == ours.chain
    assert len(desk.evaluate("window.progress")) > 3
    entry = opened["chain"][-1]["entry"]
    assert ask(desk, "fingerprint", entry=entry) == ours.entry.fingerprint == VECTORS["fingerprint"]
    recipients = [
        {"suite": int(key.suite), "public_key": to_base64url(key.raw)}
        for key in (ours.entry.sealing, recovery.public)
    ]
    sealed = desk.evaluate(
        """async ([context, recipients]) => {
            const content = new TextEncoder().encode("Exämple 12");
            return Array.from(await premises.ask("seal", { content, context, recipients }));
        }""",
        [ON_PAGE, recipients],
    )
    for key in (ours.opening_keys[0], recovery):
        content = open_envelope(bytes(sealed), WHERE, [key], [ours.identity.public])
        assert content.decode() == "Exämple 12"


@on_one_database
def test_what_is_sealed_here_opens_in_the_page_and_only_where_it_belongs(desk: Page) -> None:
    ours = member_keys()
    passphrase = VECTORS["passphrases"]["dispatch"]
    ask(
        desk,
        "unlock",
        written=json.dumps(VECTORS["key_file"]),
        member="dispatch",
        passphrase=passphrase,
    )
    content = bytes(range(256)) * 40
    envelope = seal(content, WHERE, [ours.entry.sealing], ours.identity)
    signer = to_base64url(ours.identity.public.raw)
    stranger = to_base64url(bytes(32))

    def opened(raw: bytes, context: dict[str, Any], signers: list[str]) -> Any:
        return desk.evaluate(
            """async ([raw, context, signers]) => {
                const envelope = Uint8Array.from(raw);
                try {
                    return Array.from(await premises.ask("open", { envelope, context, signers }));
                } catch (error) {
                    return error.code;
                }
            }""",
            [list(raw), context, signers],
        )

    assert bytes(opened(envelope, ON_PAGE, [signer])) == content
    assert opened(envelope, {**ON_PAGE, "record": "record-2"}, [signer]) == "context-mismatch"
    assert opened(envelope, ON_PAGE, [stranger]) == "signer-unknown"
    assert opened(envelope[:-1], ON_PAGE, [signer]) == "malformed"
    for place in (4, 7, 40, 60, 200, len(envelope) - 300, len(envelope) - 1):
        changed = bytearray(envelope)
        changed[place] ^= 1
        assert isinstance(opened(bytes(changed), ON_PAGE, [signer]), str), place
    elsewhere = seal(content, WHERE, [SecretKey.new().public], ours.identity)
    assert opened(elsewhere, ON_PAGE, [signer]) == "not-a-recipient"
    ask(desk, "lock")
    assert refusal(desk, "sign", label=[1], message=[2])["name"] == "LockedError"


PARTY = {
    "name": "Sophie Van Damme",
    "lines": ["Rue de la Loi 16"],
    "postcode": "1040",
    "city": "Bruxelles",
    "country": "BE",
}


def test_tokens_are_those_of_python_and_nothing_typed_leaves_the_page(
    page: Page, platform: Platform, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])
    sent: list[str] = []

    def keep(request: Request) -> None:
        sent.append(f"{request.method} {request.url} {request.post_data or ''} {request.headers}")

    page.context.on("request", keep)
    keys = ask(page, "keys", pinned=None)
    values = [
        {"kind": "party", "value": PARTY},
        {"kind": "phone", "value": {"number": "+3225551234"}},
    ]
    found = ask(
        page,
        "pseudonymise",
        values=[*values, values[0]],
        document=keys["document"],
        purpose="criminal_investigation",
        caseReference="K-1",
    )
    party = Party(**{**PARTY, "lines": tuple(PARTY["lines"])})  # type: ignore[arg-type]
    secret, public = derive_epoch_key(runtime_of(platform.app).secrets.evaluation, "postal", 1)
    expected = []
    for facet in facets(party):
        factor, blinded = blind(evaluation_input(facet, "postal"))  # type: ignore[arg-type]
        (evaluated,), _ = evaluate(secret, public, [blinded])
        expected.append((facet.number, token("postal", 1, unblind(factor, evaluated))))
    assert [
        (each["number"], from_base64url(each["token"])) for each in found[0]["facets"]
    ] == expected
    assert found[2] == found[0]
    assert [each["kind"] for each in found] == ["party", "phone", "party"]
    done, total = page.evaluate("window.progress").pop()
    assert done == total == 2 * (len(expected) + 1)
    evaluations = [each for each in sent if "/api/v1/evaluate" in each]
    assert len(evaluations) == 2
    everything = " ".join(sent).lower()
    for typed in ("sophie", "damme", "de la loi", "bruxelles", "5551234"):
        assert typed not in everything


@on_one_database
def test_an_answer_that_is_not_proved_is_used_for_nothing(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["post-be"])
    keys = ask(page, "keys", pinned=None)

    def tampered(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        elements = body["parts"][0]["elements"] if answer.ok else [0, 0]
        elements[0], elements[1] = elements[1], elements[0]
        route.fulfill(response=answer, json=body)

    page.context.route("**/api/v1/evaluate", tampered)
    refused = refusal(
        page,
        "pseudonymise",
        values=[{"kind": "party", "value": PARTY}],
        document=keys["document"],
        purpose="criminal_investigation",
        caseReference="K-1",
    )
    assert refused["name"] == "ProofInvalidError"


@on_one_database
def test_a_key_that_changed_since_it_was_pinned_stops_everything(
    page: Page, exchange: Exchange
) -> None:
    assert exchange.people
    page.goto("/sign-in")
    keys = ask(page, "keys", pinned=None)
    assert ask(page, "keys", pinned=keys["document"])["fingerprint"] == keys["fingerprint"]
    swapped = json.loads(json.dumps(keys["document"]))
    swapped["epochs"][0]["public_key"] = swapped["epochs"][1]["public_key"]
    assert refusal(page, "keys", pinned=swapped)["code"] == "changed"
    withheld = {**keys["document"], "epochs": [*keys["document"]["epochs"]]}
    withheld["epochs"].append({**withheld["epochs"][-1], "epoch": 99})
    assert refusal(page, "keys", pinned=withheld)["code"] == "changed"


def test_the_bundle_is_what_its_sources_and_pinned_packages_give(
    modules_tree: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    build = ("node", "build.mjs", str(out))
    subprocess.run(build, cwd=modules_tree, check=True, capture_output=True, timeout=240)
    for made in sorted(out.iterdir()):
        assert made.read_bytes() == (BUNDLES / made.name).read_bytes(), (
            f"run `make modules`: {made.name}"
        )
    assert {made.name for made in out.iterdir()} == {made.name for made in BUNDLES.iterdir()}
