"""`postern lookup`, from the command line to the platform."""

import json
from typing import Any

import pytest

from postern.facets import facets
from postern.normalise import Address, Party, normalise
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import ORGANISATION, LoopbackPlatform, Reply, problem, to_bytes

LOOKUPS = "/api/v1/lookups"
WHY = ("--purpose", "criminal_intelligence", "--case", "C-7", "--legal-basis", "police_law")
INDICATOR: dict[str, Any] = {
    "id": "018f0000-0000-7000-8000-000000000001",
    "observed_from": "2026-11-01",
    "observed_to": "2026-11-03",
    "tlp": "AMBER",
    "handling": ["H1"],
    "permitted_action": "watch",
    "source_grade": "B",
    "information_grade": "2",
}
METADATA: dict[str, Any] = {
    "organisation": ORGANISATION,
    "level": "metadata",
    "band": "strong",
    "precision": 0.9934,
    "points": 71,
    "explanation": "house number and street agree \x1b[2J",
    "facets": [{"facet": 4, "answer": "agrees", "weight": 4, "words": "street and number"}],
    "indicator": INDICATOR,
    "report": None,
}
PRESENCE: dict[str, Any] = {
    "organisation": {**ORGANISATION, "code": "police-nl", "name": "Police [red]of[/red] Example"},
    "level": "presence",
    "band": "likely",
    "precision": None,
    "points": None,
    "explanation": None,
    "facets": [],
    "indicator": None,
    "report": None,
}


def test_no_hits_are_told_as_such(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run("lookup", "--email", "someone@mail.example", *WHY)
    assert result.exit_code == 0, result.output
    assert "1 value looked up: no hits that you may see." in result.stdout
    assert "Logged as lookup" in result.stdout


def test_a_lookup_sends_tokens_with_purpose_basis_and_case(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    desk.run("lookup", "--email", "someone@mail.example", *WHY)
    (body,) = platform.sent_to(LOOKUPS)
    assert body["purpose"] == "criminal_intelligence"
    assert body["legal_basis"] == "police_law"
    assert body["case"] == "C-7"
    (query,) = body["queries"]
    assert query.keys() == {"id", "kind", "epoch", "tokens"}
    assert len(to_bytes(query["tokens"][0]["token"])) == 16
    assert "someone" not in json.dumps(platform.bodies)


def test_hits_are_shown_with_their_strength_reason_and_conditions(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.hits = [METADATA, PRESENCE]
    result = desk.run("lookup", "--email", "someone@mail.example", *WHY)
    shown = " ".join(result.stdout.split())
    assert "Post of Example (post-be)" in shown
    assert "strong (at least 99% right when measured)" in shown
    assert "house number and street agree" in shown
    assert "2026-11-01 to 2026-11-03" in shown
    assert "TLP:AMBER, H1, may: watch, grade B2" in shown
    assert INDICATOR["id"] in shown
    assert "Police [red]of[/red] Example" in shown
    assert "likely (precision not measured)" in shown
    assert "2 hits" in shown
    assert "a lead, not a finding" in shown
    assert "\x1b" not in result.stdout


def test_json_gives_the_hits_as_the_platform_does(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.hits = [METADATA]
    result = desk.run("lookup", "--email", "a@b.example", "--phone", "+3212345678", *WHY, "--json")
    answer = json.loads(result.stdout)
    assert [each["value"] for each in answer["results"]] == ["phone", "email"]
    assert answer["results"][0]["hits"] == [METADATA]
    assert len(answer["lookups"]) == 1
    assert answer["not_looked_up"] == []


def test_every_kind_of_value_can_be_asked_for(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run(
        *("lookup", *WHY, "--country", "be", "--address", "16 rue de la Loi, 1040 Bruxelles"),
        *("--street", "Meir 5", "--postcode", "2000", "--city", "Antwerpen"),
        *("--phone", "0475 12 34 56", "--email", "a@b.example", "--vendor", "Market", "Handle7"),
        *("--pgp", "A" * 40, "--payment", "NL91ABNA0417164300", "--item", "RB123456785GB"),
        *("--point", "Example Post", "BRU-1"),
    )
    assert result.exit_code == 0, result.output
    (body,) = platform.sent_to(LOOKUPS)
    assert [each["kind"] for each in body["queries"]] == [
        "address",
        "address",
        "phone",
        "email",
        "vendor",
        "pgp",
        "payment",
        "item",
        "induction_point",
    ]
    assert "epoch" not in body["queries"][-1]


@pytest.mark.parametrize(
    "where",
    [
        ("--street", "Meir 5", "--postcode", "2000", "--city", "Antwerpen"),
        ("--address", "Meir 5, 2000 Antwerpen"),
    ],
)
def test_a_name_with_an_address_is_a_party(
    desk: Desk, platform: LoopbackPlatform, where: tuple[str, ...]
) -> None:
    desk.run("lookup", "--name", "Jan Smit", *where, *WHY)
    (query,) = platform.sent_to(LOOKUPS)[0]["queries"]
    assert query["kind"] == "party"
    party = normalise(Party("Jan Smit", ("Meir 5",), "2000", "Antwerpen"))
    assert [each["facet"] for each in query["tokens"]] == [each.number for each in facets(party)]


def test_writings_of_one_address_give_the_same_tokens(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    for text in ("16 rue de la Loi, 1040 Bruxelles", "Rue de la loi 16; B-1040 Brussel, Belgium"):
        desk.run("lookup", "--address", text, *WHY)
    first, second = (body["queries"][0]["tokens"] for body in platform.sent_to(LOOKUPS))
    assert first == second
    address = normalise(Address(("Rue de la Loi 16",), "1040", "Bruxelles"))
    assert len(first) == len(facets(address))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (WHY, "There is no value"),
        (("--email", "a@b.example", *WHY[2:]), "--purpose is missing"),
        (("--email", "a@b.example", *WHY[:4]), "--legal-basis is missing"),
        (("--email", "a@b.example", *WHY[:2], *WHY[4:]), "--case is missing"),
        (("--email", "a@b.example", *WHY[:2], *WHY[4:], "--case", " "), "--case is missing"),
        (("--name", "Jan", *WHY), "--name needs one address"),
    ],
)
def test_without_a_value_and_a_reason_nothing_is_asked(
    desk: Desk, platform: LoopbackPlatform, arguments: tuple[str, ...], words: str
) -> None:
    platform.calls.clear()
    result = desk.run("lookup", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not platform.calls


def test_a_value_that_cannot_be_looked_up_does_not_hold_up_the_others(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    result = desk.run("lookup", "--phone", "12", "--email", "a@b.example", *WHY)
    assert result.exit_code == 3
    assert "phone, number: A telephone number has" in result.stderr
    assert "1 value looked up" in result.stdout


def test_a_value_alone_that_cannot_be_looked_up_is_not_asked_for(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.calls.clear()
    result = desk.run("lookup", "--street", "Meir", "--city", "Antwerpen", *WHY)
    assert result.exit_code == 3
    assert "too little" in result.stderr
    assert not platform.calls


def test_a_file_is_looked_up_row_by_row(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.hits = [METADATA]
    file = desk.write(
        "ask.csv",
        "sender_name,sender_street,sender_postcode,phone,Remarks\n"
        "Jan Smit,Meir 5,2000,,x\n,,,+3212345678,x\n,,,12,x\nJan,,,,x\na,b\n",
    )
    result = desk.run("lookup", "--file", file, *WHY, "--json")
    assert result.exit_code == 3
    answer = json.loads(result.stdout)
    assert [each["value"] for each in answer["results"]] == ["line 2, sender_name", "line 3, phone"]
    assert [each["value"] for each in answer["not_looked_up"]] == ["line 4", "line 5", "line 6"]
    assert "Remarks" in result.stderr
    assert "Smit" not in result.output


def test_more_values_than_one_lookup_takes_go_in_several(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    rows = "\n".join(f"+3247{number:07}" for number in range(101))
    file = desk.write("ask.csv", f"phone\n{rows}\n")
    result = desk.run("lookup", "--file", file, *WHY)
    assert result.exit_code == 0
    assert [len(body["queries"]) for body in platform.sent_to(LOOKUPS)] == [100, 1]
    assert "101 values looked up: no hits that you may see." in result.stdout


def test_more_hits_than_are_shown_are_told(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.hits = [METADATA]
    real = platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        reply = real(method, path, body)
        if path == LOOKUPS:
            reply.body["results"][0]["more"] = True
        return reply

    platform.answer = answer  # type: ignore[method-assign]
    result = desk.run("lookup", "--email", "a@b.example", *WHY)
    assert "there are more hits than are shown" in result.stdout


@pytest.mark.parametrize(
    ("path", "reply", "words"),
    [
        (LOOKUPS, problem(403, "not-allowed"), "does not allow"),
        (LOOKUPS, problem(422, "invalid-request"), "refused the request (422)"),
        (LOOKUPS, problem(429, "quota-spent"), "quota"),
        ("/api/v1/evaluate", problem(429, "quota-spent"), "quota"),
        ("/api/v1/me", problem(401, "sign-in-needed"), "expired or revoked"),
    ],
)
def test_a_refusal_is_told(
    desk: Desk, platform: LoopbackPlatform, path: str, reply: Reply, words: str
) -> None:
    platform.replies[path] = [reply]
    result = desk.run("lookup", "--email", "a@b.example", *WHY)
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_token_without_the_scope_is_told_before_anything_is_spent(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.me["scopes"] = ["evaluate", "reports:write"]
    result = desk.run("lookup", "--email", "a@b.example", *WHY)
    assert result.exit_code == 1
    assert "lookups:write" in result.stderr
    assert not platform.evaluated


def test_a_text_is_looked_up_as_what_it_is_recognised_as(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    texts = ("Sophie Van Damme, 16 rue de la Loi, 1040 Bruxelles", "RB123456785GB", "?", "a @ b")
    options = [each for text in texts for each in ("--text", text)]
    result = desk.run("lookup", *options, *WHY)
    assert result.exit_code == 3, result.output
    (body,) = platform.sent_to(LOOKUPS)
    assert [query["kind"] for query in body["queries"]] == ["party", "item", "vendor"]
    told = " ".join(result.stderr.split())
    assert "Read as party (likely): a name stands before an address." in told
    assert "text, text: It was not recognised." in told
    assert "Sophie" not in result.output
