"""`postern exchange` from the command line, against another server than a Postern."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postern.base64url import to_base64url
from postern.stix.names import EXTENSIONS
from postern.taxii.connection import MEDIA_TYPE
from postern.tlog.notes import Note, SigningKey
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform, Reply
from tests.postern.taxii.loopback_taxii import (
    COLLECTION,
    STATUS,
    LoopbackTaxii,
    indicator,
)
from tests.postern.taxii.loopback_taxii import Reply as TaxiiReply

OBJECTS = f"/lab/collections/{COLLECTION}/objects/"
LAB = ("--server", "lab")


@pytest.fixture
def at_lab(desk: Desk, taxii: LoopbackTaxii, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose settings know the server as `lab`."""
    monkeypatch.setattr("postern.taxii.connection.PAUSES", ())
    password = desk.write("password", "p\n")
    password.chmod(0o600)
    add_server(desk, address=taxii.address, user="lab", password_file="password")
    return desk


def add_server(desk: Desk, name: str = "lab", **fields: str) -> None:
    with desk.config.open("a") as file:
        file.write(f"\n[servers.{name}]\n")
        file.writelines(f'{key} = "{text}"\n' for key, text in fields.items())


def pulled(desk: Desk, *more: object) -> dict[str, Any]:
    result = desk.run("exchange", "pull", *LAB, *more, "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["collections"]
    assert isinstance(found, dict)
    return found


def test_collections_are_listed_with_what_may_be_done(at_lab: Desk) -> None:
    result = at_lab.run("exchange", "collections", *LAB)
    shown = " ".join(result.stdout.split())
    assert "Lab: 1 collection." in shown
    assert f"Parcels │ {COLLECTION} │ yes │ yes" in shown
    (told,) = json.loads(at_lab.run("exchange", "collections", *LAB, "--json").stdout)
    assert (told["id"], told["can_write"]) == (COLLECTION, True)


def test_a_pull_says_what_came_and_where_it_is(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(indicator(1), indicator(2, revoked=True), {"id": "x"} | {"modified": ""})
    result = at_lab.run("exchange", "pull", *LAB)
    assert result.exit_code == 3, result.output
    shown = " ".join(result.stdout.split())
    assert "new 1 changed 0 withdrawn 1 expired 0 known already 0 not kept 1" in shown
    assert "Not kept: x: Its id is no STIX id of its type." in result.stderr
    assert f"Received objects are in {at_lab.home / 'config.received'}." in result.stdout


def test_objects_are_listed_and_printed(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(indicator(1, name="Evil\x1b[2J"), indicator(2), indicator(3, revoked=True))
    pulled(at_lab)
    shown = at_lab.run("exchange", "objects").stdout
    assert "2 objects." in shown
    assert "\x1b" not in shown
    lines = at_lab.run("exchange", "objects", "--json", "--type", "indicator").stdout.splitlines()
    assert sorted(json.loads(line)["name"] for line in lines) == ["Evil\x1b[2J", "Indicator 2"]
    withdrawn = at_lab.run("exchange", "objects", "--state", "withdrawn")
    assert "1 object." in withdrawn.stdout
    few = at_lab.run("exchange", "objects", "--most", "1")
    assert "raise --most" in few.stderr
    assert "1 object." in few.stdout
    none = at_lab.run("exchange", "objects", "--collection", "other")
    assert none.exit_code == 2
    assert "0 objects." in at_lab.run("exchange", "objects", "--type", "malware").stdout


def test_status_tells_how_far_each_collection_was_read(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(indicator(1), indicator(2, revoked=True))
    pulled(at_lab)
    shown = " ".join(at_lab.run("exchange", "status").stdout.split())
    assert f"Parcels at {taxii.address}: current 1 withdrawn 1 last added" in shown
    told = json.loads(at_lab.run("exchange", "status", "--json").stdout)
    assert (told["current"], told["under_way"]) == (1, False)
    assert Path(told["file"]).exists()


def receipt_of(key: SigningKey, leaf: int, at: int = 1_000) -> str:
    """What the log of another platform promises, signed."""
    told = base64.b64encode(leaf.to_bytes(32, "big")).decode()
    text = f"{key.verifier.name}\nentry {told}\ntime {at}\n"
    return to_base64url(Note(text, (key.sign(text),)).encode())


def test_with_a_key_each_page_needs_a_receipt_of_its_own(
    at_lab: Desk, taxii: LoopbackTaxii
) -> None:
    key, other = (SigningKey("lab.example/receipt", bytes([n]) * 32) for n in (1, 2))
    taxii.put(*(indicator(number) for number in range(5)))
    given = ("--limit", 2, "--receipt-key", key.verifier)
    reasons = {
        "": "came without one",
        "cmVjZWlwdA": "not signed by that key",
        receipt_of(other, 1): "not signed by that key",
        "A" * 5_000: "too long",
    }
    for told, reason in reasons.items():
        taxii.receipt = lambda told=told: told  # type: ignore[misc]
        refused = at_lab.run("exchange", "pull", *LAB, *given)
        assert refused.exit_code == 1
        assert reason in " ".join(refused.output.split())
    assert "0 objects." in at_lab.run("exchange", "objects").stdout
    taxii.receipt = lambda: receipt_of(key, 7)  # one and the same for every page
    refused = at_lab.run("exchange", "pull", *LAB, *given)
    assert "it was given for an earlier page" in " ".join(refused.output.split())
    assert "2 objects." in at_lab.run("exchange", "objects").stdout
    again = at_lab.run("exchange", "pull", *LAB, *given)  # nor does another pull take it
    assert "it was given for an earlier page" in " ".join(again.output.split())
    leaves = iter(range(100, 200))
    taxii.receipt = lambda: receipt_of(key, next(leaves), 2_000)
    assert pulled(at_lab, *given)["fresh"] == 3
    taxii.receipt = lambda: receipt_of(key, next(leaves), 1_000)  # of long before
    assert at_lab.run("exchange", "pull", *LAB, *given).exit_code == 1
    taxii.receipt = lambda: ""
    assert pulled(at_lab)["fresh"] == 0  # without a key nothing is demanded


def test_the_key_of_receipts_stands_in_the_settings(
    at_lab: Desk, desk: Desk, taxii: LoopbackTaxii
) -> None:
    key = SigningKey("lab.example/receipt", bytes(32))
    add_server(desk, "sure", address=taxii.address, receipt_key=str(key.verifier))
    taxii.put(indicator(1))
    refused = at_lab.run("exchange", "pull", "--server", "sure")
    assert (refused.exit_code, "came without one" in refused.output) == (1, True)
    taxii.receipt = lambda: receipt_of(key, 1)
    assert at_lab.run("exchange", "pull", "--server", "sure").exit_code == 0
    wrong = at_lab.run("exchange", "pull", *LAB, "--receipt-key", "nonsense")
    assert "--receipt-key is no key of receipts" in " ".join(wrong.output.split())
    add_server(desk, "torn", address=taxii.address, receipt_key="nonsense")
    wrong = at_lab.run("exchange", "pull", "--server", "torn")
    assert "servers.torn.receipt_key is no key" in " ".join(wrong.output.split())


@pytest.mark.parametrize("kind", ["same-page", "empty-pages", "circle"])
def test_a_server_that_never_comes_to_an_end_ends_the_pull(
    at_lab: Desk, taxii: LoopbackTaxii, kind: str
) -> None:
    said = {
        "same-page": lambda n: {"objects": [indicator(1)], "next": f"p{n}"},
        "empty-pages": lambda n: {"next": f"p{n}"},
        "circle": lambda n: {"objects": [indicator(n)], "next": f"p{n % 2}"},
    }[kind]
    taxii.replies[OBJECTS] = [
        TaxiiReply(200, {"more": True, **said(number)}) for number in range(300)
    ]
    ended = at_lab.run("exchange", "pull", *LAB)
    assert ended.exit_code == 1
    assert "announces more objects" in " ".join(ended.output.split())
    assert len(taxii.replies[OBJECTS]) > 150


def test_a_pull_that_failed_goes_on(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(*(indicator(number) for number in range(5)))
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        if len(calls) == 1:
            taxii.replies[OBJECTS] = [TaxiiReply(500)]

    taxii.before_page = fail
    failed = at_lab.run("exchange", "pull", *LAB, "--limit", "2")
    assert failed.exit_code == 1
    assert "failed with 500" in failed.output
    assert "the next pull goes on" in at_lab.run("exchange", "status").stdout
    again = pulled(at_lab, "--limit", "2")
    assert (again["resumed"], again["fresh"], again["known"]) == (True, 3, 0)


def test_a_pull_may_begin_later_and_compare(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(indicator(1), at="2026-10-01T00:00:00.000Z")
    taxii.put(indicator(2))
    since = pulled(at_lab, "parcels", "--since", "2026-11-01")
    assert (since["fresh"], since["lacked"]) == (1, None)
    whole = pulled(at_lab, COLLECTION, "--compare")
    assert (whole["fresh"], whole["lacked"]) == (1, 1)
    shown = " ".join(at_lab.run("exchange", "pull", *LAB, "--compare").stdout.split())
    assert "gone 0 lacked before 0" in shown


def test_a_request_is_asked_after(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    shown = at_lab.run("exchange", "status", STATUS, *LAB).stdout
    assert f"Request {STATUS}: complete; 0 taken, 0 refused." in shown
    told = json.loads(at_lab.run("exchange", "status", STATUS, *LAB, "--json").stdout)
    assert (told["complete"], told["failures"]) == (True, [])
    missing = at_lab.run("exchange", "status", "none", *LAB)
    assert missing.exit_code == 1


def test_a_server_without_anything_to_read_is_told_so(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.collections = []
    result = at_lab.run("exchange", "pull", *LAB)
    assert result.exit_code == 0
    assert "no collection that you may read" in result.stderr


def test_the_password_goes_to_the_server_and_the_token_does_not(
    at_lab: Desk, taxii: LoopbackTaxii
) -> None:
    pulled(at_lab)
    assert {each["Authorization"] for each in taxii.headers} == {"Basic bGFiOnA="}
    assert {each["Accept"] for each in taxii.headers} == {MEDIA_TYPE}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "address is missing"),
        ({"address": "http://lab.example/"}, "http://"),
        ({"address": "https://lab.example/", "user": "a"}, "password_file together"),
        ({"address": "https://lab.example/", "pasword_file": "a"}, "pasword_file is not a setting"),
        (
            {
                "address": "https://lab.example/",
                "user": "a",
                "password_file": "b",
                "token_file": "c",
            },
            "a token and a user",
        ),
        ({"address": "https://lab.example/", "key_file": "a"}, "certificate_file beside it"),
        ({"address": "https://lab.example/", "user": ""}, "is no text"),
        ({"address": "https://lab.example/", "user": "a", "password_file": "b"}, "cannot be read"),
        ({"address": "https://lab.example/", "token_file": "open"}, "chmod 600"),
        ({"address": "https://lab.example/", "user": "a", "password_file": "open"}, "chmod 600"),
        ({"address": "https://lab.example/", "user": "a", "password_file": "void"}, "no password"),
    ],
)
def test_a_wrong_section_is_told_with_its_key(
    desk: Desk, fields: dict[str, str], word: str
) -> None:
    desk.write("open", "p").chmod(0o644)
    desk.write("void", "\n").chmod(0o600)
    add_server(desk, **fields)
    result = desk.run("exchange", "collections", *LAB)
    assert result.exit_code == 1
    assert word in result.output


def test_an_unknown_server_is_told_with_those_that_there_are(at_lab: Desk) -> None:
    result = at_lab.run("exchange", "collections", "--server", "other")
    assert result.exit_code == 1
    assert "platform, lab" in result.output
    at_lab.config.write_text("servers = 3\n" + at_lab.config.read_text().partition("[servers")[0])
    result = at_lab.run("exchange", "collections", *LAB)
    assert result.exit_code == 1
    assert "no server 'lab'" in result.output


def test_a_certificate_and_a_token_are_read_from_files(desk: Desk, taxii: LoopbackTaxii) -> None:
    desk.write("tok", "abc\n").chmod(0o600)
    add_server(desk, address=taxii.address, token_file="tok")
    pulled(desk)
    assert {each["Authorization"] for each in taxii.headers} == {"Bearer abc"}


def test_nothing_is_searched_before_something_was_pulled(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    result = desk.run(
        *("exchange", "find", "--phone", "+32475123456", "--purpose", "risk_analysis"),
        *("--legal-basis", "postal_law", "--case", "C1"),
    )
    assert result.exit_code == 1
    assert "`postern exchange pull`" in result.output
    assert platform.count("/api/v1/evaluate") == 0


def test_objects_of_other_servers_are_not_matched_with_the_platforms_keys(
    at_lab: Desk, platform: LoopbackPlatform, taxii: LoopbackTaxii
) -> None:
    platform.me["scopes"] += ["exchange:read"]
    platform.replies["/api/v1/exchange/key"] = [
        Reply(200, {"organisation": "post-be", "key": "A" * 43})
    ]
    token = f"phone1.1.{'A' * 22}"
    postal = {"tokens": {"phone": [token, "x", 3], "none": [token], "email": 3}}
    taxii.put(indicator(1, extensions={EXTENSIONS["postal-indicator"]: postal}))
    pulled(at_lab)
    result = at_lab.run(
        *("exchange", "find", "--phone", "+32475123456", "--purpose", "risk_analysis"),
        *("--legal-basis", "postal_law", "--case", "C1"),
    )
    assert result.exit_code == 0, result.output
    assert "1 value compared with what was received: no matches." in result.stdout
    assert "Nothing in" in result.stderr


def test_that_something_was_seen_again_is_told_by_its_id_alone(
    at_lab: Desk, taxii: LoopbackTaxii
) -> None:
    taxii.put(indicator(1))
    pulled(at_lab)
    sighted = ("exchange", "sighted", indicator(1)["id"], *LAB)
    result = at_lab.run(*sighted, "--count", "3", "--since", "2026-01-02", "--until", "2026-01-04")
    assert result.exit_code == 0, result.output
    ((sent,),) = taxii.received
    assert sent["id"] in result.stdout
    assert {key: sent[key] for key in sent if key not in {"id", "created", "modified"}} == {
        "type": "sighting",
        "spec_version": "2.1",
        "first_seen": "2026-01-02T00:00:00.000Z",
        "last_seen": "2026-01-04T23:59:59.999Z",
        "count": 3,
        "sighting_of_ref": indicator(1)["id"],
    }
    today = at_lab.run(*sighted, "--collection", "parcels", "--json")
    assert json.loads(today.stdout)["complete"] is True


def test_what_is_not_here_or_not_yet_cannot_be_seen_again(
    at_lab: Desk, taxii: LoopbackTaxii
) -> None:
    taxii.put(indicator(1), indicator(2, revoked=True))
    pulled(at_lab)
    for name, more in (
        ("indicator--none", ()),
        (indicator(2)["id"], ()),
        (indicator(1)["id"], ("--since", "2999-01-01")),
        (indicator(1)["id"], ("--since", "2026-01-02", "--until", "2026-01-01")),
    ):
        assert at_lab.run("exchange", "sighted", name, *LAB, *more).exit_code == 2
    taxii.collections *= 2
    assert at_lab.run("exchange", "sighted", indicator(1)["id"], *LAB).exit_code == 2
    taxii.collections = []
    assert at_lab.run("exchange", "sighted", indicator(1)["id"], *LAB).exit_code == 1
    assert taxii.received == []


def test_a_sighting_that_is_refused_is_told_so(at_lab: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(indicator(1))
    pulled(at_lab)
    failures = [{"id": "x", "message": "Not for you."}]
    told = {"id": STATUS, "status": "complete", "failure_count": 1, "failures": failures}
    taxii.replies[OBJECTS] = [TaxiiReply(202, told)]
    result = at_lab.run("exchange", "sighted", indicator(1)["id"], *LAB)
    assert result.exit_code == 1
    assert "Not for you." in result.output
    taxii.replies[OBJECTS] = [TaxiiReply(202, {"id": STATUS, "status": "pending"})]
    result = at_lab.run("exchange", "sighted", indicator(1)["id"], *LAB)
    assert f"`postern exchange status {STATUS}`" in result.stdout


def bundle(*objects: dict[str, Any]) -> str:
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects})


PUSH = (
    *("--purpose", "risk_analysis", "--legal-basis", "postal_law", "--case", "C1"),
    *("--learned", "outside_of_item", "--workers", "1"),
)


def theirs(number: int, address: str, **more: Any) -> dict[str, Any]:
    return indicator(number, pattern=f"[email-addr:value = '{address}']", **more)


def test_a_push_is_rehearsed_without_leaving_anything(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    file = desk.write("theirs.json", bundle(theirs(1, "a@example.org")))
    result = desk.run("exchange", "push", file, *PUSH, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "nothing was sent" in result.stdout
    assert sorted(path.name for path in desk.home.glob("theirs*")) == ["theirs.json"]
    assert platform.stored == {}


def test_an_interrupted_push_of_a_bundle_that_grows_sends_nothing_twice(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    first = [theirs(number, f"a{number}@example.org") for number in range(3)]
    file = desk.write("theirs.json", bundle(*first))
    platform.quota = 2
    cut = desk.run("exchange", "push", file, *PUSH)
    assert cut.exit_code == 1
    assert len(platform.stored) == 2
    assert (desk.home / "theirs.json.rows.csv").exists()
    platform.quota = None
    desk.write("theirs.json", bundle(theirs(9, "new@example.org"), *first))
    result = desk.run("exchange", "push", file, *PUSH)
    assert result.exit_code == 0, result.output
    assert len(platform.stored) == 4
    assert not list(desk.home.glob("*.rows.csv*"))
    again = desk.run("exchange", "push", file, *PUSH)
    assert "4 rows went in earlier and are not sent again." in again.stderr
    assert len(platform.stored) == 4


def test_an_object_that_was_refused_is_tried_again(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.refuse_rows_with = "email"
    file = desk.write("theirs.json", bundle(theirs(1, "a@example.org")))
    assert desk.run("exchange", "push", file, *PUSH).exit_code == 3
    platform.refuse_rows_with = None
    assert desk.run("exchange", "push", file, *PUSH).exit_code == 0
    assert len(platform.stored) == 1


def test_a_file_that_is_no_stix_is_told_so(desk: Desk) -> None:
    result = desk.run("exchange", "push", desk.write("theirs.json", "<html>"), *PUSH)
    assert result.exit_code == 1
    assert "theirs.json cannot be read. " in result.output


def test_a_damaged_record_of_what_was_sent_ends_the_push(desk: Desk) -> None:
    desk.write(
        "config.pushed.jsonl", '{"row": "a 0", "ids": ["a"], "report": "b"}\n{"row": "a 0", "i\n'
    )
    file = desk.write("theirs.json", bundle(theirs(1, "a@example.org")))
    assert desk.run("exchange", "push", file, *PUSH).exit_code == 0
    desk.write("config.pushed.jsonl", "[]\n")
    result = desk.run("exchange", "push", file, *PUSH)
    assert result.exit_code == 1
    assert "is damaged" in result.output
