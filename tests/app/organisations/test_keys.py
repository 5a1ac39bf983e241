"""Public keys of members: published for good, told to everybody, contradicted by nobody."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.access import CONSOLE
from app.errors import InvalidRequestError
from app.jobs.models import Notification
from app.organisations import contacts, keys, service
from app.organisations.models import OrganisationKey, OrganisationStatus
from postern.base64url import to_base64url
from postern.organisation_keys import OrganisationKeys, rotated
from postern.vocabulary import Role, Scope, Sector
from tests.app.exchange import Exchange
from tests.app.people import bearer, make_person
from tests.app.sealing import member_keys, publish, wire

OWN = "/api/v1/organisations/own/keys"
ALL = "/api/v1/organisations/keys"
OTHER_FINGERPRINT = "-".join(["ABCD"] * 8)


@pytest.fixture
def publisher(exchange: Exchange) -> dict[str, str]:
    """The headers of an administrator's program of post-be."""
    person = make_person(exchange.app, "post-be", [Role.ADMINISTRATOR])
    return bearer(exchange.app, person, [Scope.KEYS_WRITE])


def stored(exchange: Exchange) -> int:
    with exchange.database.reading() as session:
        return session.scalars(select(func.count()).select_from(OrganisationKey)).one()


def offer(client: FlaskClient, headers: dict[str, str], entries: list[Any]) -> tuple[int, Any]:
    answer = client.post(OWN, json={"entries": entries}, headers=headers)
    return answer.status_code, answer.get_json()


def test_keys_are_published_grow_and_are_told_to_every_active_member(
    exchange: Exchange, client: FlaskClient, publisher: dict[str, str]
) -> None:
    first = member_keys("post-be")
    status, answer = offer(client, publisher, wire(first))
    assert (status, answer) == (
        200,
        {
            "organisation": "post-be",
            "number": 1,
            "fingerprint": first.entry.fingerprint,
            "added": 1,
        },
    )
    second = rotated(first, datetime.now(UTC) - timedelta(days=2))
    third = rotated(second, datetime.now(UTC) - timedelta(days=1))
    assert offer(client, publisher, wire(third)[1:])[1]["added"] == 2
    # Again, in whole and in part: nothing is added, and nothing is wrong with it.
    for again in (wire(third), wire(third)[2:]):
        status, answer = offer(client, publisher, again)
        assert (status, answer["added"], answer["number"]) == (200, 0, 3)
    assert stored(exchange) == 3
    told = exchange.entries("key.publish")
    assert [entry.audience for entry in told[:3]] == [["customs-nl", "police-de", "post-be"]] * 3
    assert [entry.audience for entry in told[3:]] == [["post-be"]] * 2
    for entry, generation in zip(told, third.generations, strict=False):
        published = generation.signed.entry
        assert entry.details["number"] == published.number
        assert entry.details["fingerprint"] == published.fingerprint
        assert entry.details["digest"] == to_base64url(published.digest())

    reader = bearer(
        exchange.app, make_person(exchange.app, "police-de", [Role.ANALYST]), [Scope.EVALUATE]
    )
    listed = client.get(ALL, headers=reader).get_json()["organisations"]
    assert [(each["code"], len(each["entries"]), each["alarms"]) for each in listed] == [
        ("customs-nl", 0, 0),
        ("police-de", 0, 0),
        ("post-be", 3, 0),
    ]
    one = client.get("/api/v1/organisations/post-be/keys", headers=reader).get_json()
    assert one["entries"] == wire(third) == listed[2]["entries"]
    assert [each["number"] for each in one["published"]] == [1, 2, 3]
    assert client.get("/api/v1/organisations/no-one/keys", headers=reader).status_code == 404
    assert len(exchange.entries("key.list")) == 3


def test_what_stands_published_is_never_contradicted(
    exchange: Exchange, client: FlaskClient, publisher: dict[str, str]
) -> None:
    held = publish(exchange, member_keys("post-be", rotations=1))
    another = rotated(_cut(held, 1), datetime.now(UTC) - timedelta(days=3))
    cases: list[tuple[list[Any], int, str]] = [
        (wire(member_keys("post-be")), 409, "keys-contradict"),
        (wire(another), 409, "keys-contradict"),
        (wire(another)[1:], 409, "keys-contradict"),
        (wire(_cut(held, 1)), 409, "keys-outdated"),
    ]
    for entries, status, code in cases:
        answered, problem = offer(client, publisher, entries)
        assert (answered, problem["code"]) == (status, code)
        assert problem["remedy"]
    assert stored(exchange) == 2
    refused = [json.loads(entry.record)["out"] for entry in exchange.entries("key.publish")[2:]]
    assert refused == ["error"] * len(cases)


def test_only_well_formed_entries_of_ones_own_are_taken(
    exchange: Exchange, client: FlaskClient, publisher: dict[str, str]
) -> None:
    ours, theirs = member_keys("post-be", rotations=1), member_keys("police-de")
    (entry, *_) = wire(ours)
    changed = {**entry, "entry": {**entry["entry"], "valid_from": "2020-01-01T00:00:00Z"}}  # type: ignore[dict-item]
    ahead = member_keys("post-be", begins=datetime.now(UTC) + timedelta(days=2))
    stranger = {**wire(ours)[1], "previous_signature": entry["signature"]}
    cases: list[tuple[list[Any], str]] = [
        ([{}], "json.entries.0"),
        ([entry, "entry"], "json.entries.1"),
        ([changed], "json.entries.0"),
        (wire(ours)[1:], "json.entries.0"),
        ([entry, stranger], "json.entries"),
        ([entry, entry], "json.entries"),
        (wire(theirs), "json.entries"),
        (wire(ahead), "json.entries"),
        ([], "json.entries"),
    ]
    for entries, field in cases:
        status, problem = offer(client, publisher, entries)
        assert status == 422
        assert next(each["field"] for each in problem["errors"]) == field
    assert stored(exchange) == 0


def test_a_suspended_member_keeps_its_keys_in_the_directory(
    exchange: Exchange, client: FlaskClient
) -> None:
    held = publish(exchange, member_keys("post-be"))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for code in ("post-be", "customs-nl"):
            service.set_status(session, CONSOLE, code, OrganisationStatus.SUSPENDED)
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.EVALUATE])
    listed = client.get(ALL, headers=headers).get_json()["organisations"]
    assert [each["code"] for each in listed] == ["police-de", "post-be"]
    assert listed[1]["entries"] == wire(held)


def test_the_present_entry_is_the_newest_that_has_begun(exchange: Exchange) -> None:
    at = datetime.now(UTC)
    keys_ = member_keys("post-be", rotations=1)
    held = publish(exchange, rotated(keys_, at + timedelta(hours=1)))
    first, second, third = (each.signed.entry for each in held.generations)
    organisation_id = exchange.organisation_id("post-be")
    with exchange.database.reading() as session:
        assert keys.chain(session, organisation_id) == held.chain
        assert keys.present(session, organisation_id, first.valid_from - timedelta(1)) is None
        assert keys.present(session, organisation_id, at) == second
        assert keys.present(session, organisation_id, at + timedelta(hours=2)) == third
        assert keys.usable(session, organisation_id, at) == (second, third)
        assert keys.usable(session, organisation_id, at + timedelta(hours=2)) == (third,)
        assert keys.signers(session, organisation_id) == held.signers
        nobody = exchange.organisation_id("police-de")
        assert keys.present(session, nobody, at) is None
        assert (keys.chain(session, nobody), keys.usable(session, nobody, at)) == ((), ())


def test_a_swapped_key_is_told_to_both_sides_and_to_the_operator(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _operate(exchange, "customs-nl", monkeypatch)
    held = publish(exchange, member_keys("post-be"))
    headers = bearer(
        exchange.app, make_person(exchange.app, "police-de", [Role.ANALYST]), [Scope.EVALUATE]
    )
    said = {"number": 1, "pinned": held.entry.fingerprint, "offered": OTHER_FINGERPRINT}
    address = "/api/v1/organisations/post-be/keys/alarm"
    made = client.post(address, json=said, headers=headers)
    assert made.status_code == 201
    assert made.get_json() | {"id": "", "made_at": ""} == {
        **said,
        "id": "",
        "reporter": "police-de",
        "about": "post-be",
        "made_at": "",
        "closed_at": None,
    }
    again = client.post(address, json=said, headers=headers)
    assert (again.status_code, again.get_json()["id"]) == (200, made.get_json()["id"])
    withheld = client.post(address, json={**said, "offered": ""}, headers=headers)
    assert withheld.status_code == 201
    notices = _notices(exchange)
    assert notices == {
        (code, role): 2
        for code in ("police-de", "post-be", "customs-nl")
        for role in ("compliance", "administrator")
    }
    entry = exchange.entries("key.alarm")[0]
    assert entry.audience == ["customs-nl", "police-de", "post-be"]
    assert entry.details["offered"] == OTHER_FINGERPRINT
    listed = client.get(ALL, headers=headers).get_json()["organisations"]
    assert {each["code"]: each["alarms"] for each in listed}["post-be"] == 2
    for wrong in (
        {**said, "number": 0},
        {**said, "pinned": "abcd"},
        {**said, "offered": OTHER_FINGERPRINT + "\n"},
    ):
        assert client.post(address, json=wrong, headers=headers).status_code == 422
    nobody = client.post("/api/v1/organisations/no-one/keys/alarm", json=said, headers=headers)
    assert nobody.status_code == 404


def test_a_reporter_with_too_many_open_alarms_looks_at_them_first(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.organisations.key_alarms.MOST_OPEN", 2)
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.EVALUATE])
    statuses = [
        client.post(
            "/api/v1/organisations/post-be/keys/alarm",
            json={"number": number, "pinned": "", "offered": OTHER_FINGERPRINT},
            headers=headers,
        ).status_code
        for number in (1, 2, 3)
    ]
    assert statuses == [201, 201, 409]


def test_a_contact_desk_is_entered_replaced_and_read(
    exchange: Exchange, client: FlaskClient, publisher: dict[str, str]
) -> None:
    address = "/api/v1/organisations/own/contact"
    reader = bearer(exchange.app, exchange.people["post-be"], [Scope.EVALUATE])
    nothing = {"desk": "", "mail": "", "phone": "", "hours": "", "changed_at": None}
    assert client.get(address, headers=reader).get_json() == nothing
    desk = {"desk": "Parcel security", "mail": "security@post.example", "hours": "Mo-Fr 8-18"}
    assert client.put(address, json=desk, headers=publisher).status_code == 200
    changed = client.put(address, json={**desk, "phone": "+32 2 000 00 00"}, headers=publisher)
    assert changed.status_code == 200
    read = client.get(address, headers=reader).get_json()
    assert read.pop("changed_at")
    assert read == {**desk, "phone": "+32 2 000 00 00"}
    with exchange.database.reading() as session:
        expected = contacts.Contact(**read)
        assert contacts.contact(session, exchange.organisation_id("post-be")) == expected
        assert contacts.contact(session, exchange.organisation_id("police-de")) is None
        assert contacts.contacts(session) == {exchange.organisation_id("post-be"): expected}
    for wrong in (
        {"desk": "Security"},
        {"desk": " ", "phone": "112"},
        {"desk": " " * 120 + "Security", "phone": "112"},
        {"mail": "security@post.example"},
        {"desk": "Security", "mail": "no mailbox"},
        {"desk": "Security", "phone": "call me"},
        {"desk": "Secur\nity", "phone": "112"},
        {"desk": "Security", "phone": "112", "person": "somebody"},
    ):
        assert client.put(address, json=wrong, headers=publisher).status_code == 422
    # What a desk says is in no entry of the log, which nobody can correct.
    logged = [entry.details for entry in exchange.entries("contact.change")]
    assert "security@post.example" not in json.dumps(logged)


def test_codes_with_a_meaning_in_the_interface_are_nobodys(exchange: Exchange) -> None:
    for code in ("own", "keys"):
        with exchange.database.transaction() as session, pytest.raises(InvalidRequestError):
            service.create(
                session, CONSOLE, code=code, name="A member", sector=Sector.POST, country="BE"
            )


def _cut(held: OrganisationKeys, generations: int) -> OrganisationKeys:
    """The keys as they were before; only its public side is used, or rotated from anew."""
    return replace(held, generations=held.generations[:generations])


def _operate(exchange: Exchange, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an organisation run the platform."""
    runtime = exchange.app.extensions["postern"]
    audit = replace(runtime.settings.audit, operator=code)
    monkeypatch.setattr(runtime, "settings", replace(runtime.settings, audit=audit))


def _notices(exchange: Exchange) -> dict[tuple[str, str], int]:
    codes = {exchange.organisation_id(code): code for code in exchange.people}
    found: dict[tuple[str, str], int] = {}
    for row in exchange.rows(select(Notification).where(Notification.kind == "key.alarm")):
        key = (codes[row.organisation_id], row.role.value)
        found[key] = found.get(key, 0) + 1
    return found
