"""Sealed parts of reports: checked at the door, handed back whole, gone with their indicator."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO, RawIOBase
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from flask import g
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from app import clock
from app.indicators import envelopes, service
from app.indicators.models import Envelope, Indicator
from app.indicators.sealed_fields import LARGEST_ATTACHMENT, LARGEST_TEXT
from app.indicators.service import Status
from postern.envelope import Context
from postern.organisation_keys import OrganisationKeys
from postern.pseudonym import token
from postern.seal import open_envelope
from postern.vocabulary import EVALUATION_KIND, Kind, Role, Scope, SealedPart
from tests.app.exchange import JAN, SOPHIE, Exchange, b64, place, report
from tests.app.people import bearer, make_person
from tests.app.sealing import NO_TOKEN, member_keys, publish, sealed

OCTETS = {"content_type": "application/octet-stream"}


@dataclass
class House:
    """post-be with published keys, its submitter's program, and the interface."""

    exchange: Exchange
    client: FlaskClient
    keys: OrganisationKeys
    headers: dict[str, str]

    def context(self, record: str, part: str, value: Any = SOPHIE) -> Context:
        """Where a part of a party belongs."""
        _, element = self.exchange.elements(value)[0]
        kind = EVALUATION_KIND[Kind.PARTY]
        return Context("post-be", "party", 1, token(kind, 1, element), record, part)

    def sealed(self, record: str, **parts: bytes) -> dict[str, str]:
        """The member `sealed` of an indicator of SOPHIE."""
        return {
            part: b64(sealed(self.keys, self.context(record, part), content))
            for part, content in parts.items()
        }

    def submit(self, *reports: Any) -> service.Submission:
        return self.exchange.submit("post-be", *reports)

    def report(self, key: str, **parts: bytes) -> dict[str, Any]:
        """A report of SOPHIE with sealed parts."""
        parts = parts or {"value": b"Sophie", "note": b"seen twice"}
        return report(key, self.exchange.indicator(SOPHIE, sealed=self.sealed(f"{key}/0", **parts)))

    def submitted(self, key: str = "k1") -> UUID:
        (result,) = self.submit(self.report(key)).results
        assert result.id is not None, result.errors
        return result.id

    def get(self, address: str, **kwargs: Any) -> Any:
        return self.client.get(f"/api/v1/reports/{address}", headers=self.headers, **kwargs)

    def attach(self, of: UUID, number: object, raw: bytes, **kwargs: Any) -> Any:
        return self.client.post(
            f"/api/v1/reports/{of}/attachments",
            query_string={"number": number},
            data=raw,
            headers=self.headers,
            **{**OCTETS, **kwargs},
        )

    def file(self, key: str = "k1", number: int = 1, content: bytes = b"image") -> bytes:
        context = Context("post-be", "report", 0, NO_TOKEN, key, f"attachment/{number}")
        return sealed(self.keys, context, content)

    def stored(self) -> int:
        with self.exchange.database.reading() as session:
            return session.scalars(select(func.count()).select_from(Envelope)).one()


@pytest.fixture
def house(exchange: Exchange, client: FlaskClient) -> House:
    person = make_person(exchange.app, "post-be", [Role.SUBMITTER])
    scopes = [Scope.REPORTS_WRITE, Scope.REPORTS_READ]
    headers = bearer(exchange.app, person, scopes)
    return House(exchange, client, publish(exchange, member_keys("post-be")), headers)


def test_sealed_parts_go_in_are_told_and_come_back_as_they_were(house: House) -> None:
    of_place = Context("post-be", "induction_point", 0, NO_TOKEN, "k1/1", "note")
    sent = report(
        "k1",
        house.exchange.indicator(SOPHIE, sealed=house.sealed("k1/0", value=b"Sophie", note=b"!")),
        place(sealed={"note": b64(sealed(house.keys, of_place, b"at night"))}),
        house.exchange.indicator(JAN),
    )
    (result,) = house.submit(sent).results
    assert (result.status, result.errors) == (Status.CREATED, ())
    assert result.id
    assert house.attach(result.id, 2, house.file(number=2)).status_code == 201
    own = house.get(f"{result.id}").get_json()
    assert [each["sealed"] for each in own["indicators"]] == [["value", "note"], ["note"], []]
    assert own["attachments"] == 1
    listed = house.get(f"{result.id}/envelopes").get_json()["envelopes"]
    assert [(each["part"], each["number"], each["indicator"]) for each in listed] == [
        ("value", 0, str(result.indicators[0])),
        ("note", 0, str(result.indicators[0])),
        ("note", 0, str(result.indicators[1])),
        ("attachment", 2, None),
    ]
    assert {each["record"] for each in listed} == {"k1/0", "k1/1", "k1"}
    opened = []
    for each in listed:
        answer = house.get(f"{result.id}/envelopes/{each['id']}")
        raw = answer.get_data()
        assert answer.content_type == "application/octet-stream"
        assert (len(raw), b64(hashlib.sha256(raw).digest())) == (each["size"], each["digest"])
        with house.exchange.database.reading() as session:
            found = envelopes.read(session, UUID(each["id"]))
        assert found is not None
        context = found[0].context("post-be")
        opened.append(open_envelope(raw, context, house.keys.opening_keys, house.keys.signers))
    assert opened == [b"Sophie", b"!", b"at night", b"image"]
    with house.exchange.database.reading() as session:
        first = session.scalars(select(Indicator.id).order_by(Indicator.id)).all()[0]
        parts = [
            [each.part for each in envelopes.of_indicator(session, first, wanted)]
            for wanted in (list(SealedPart), [SealedPart.NOTE], [SealedPart.ATTACHMENT])
        ]
    assert parts == [
        [SealedPart.VALUE, SealedPart.NOTE, SealedPart.ATTACHMENT],
        [SealedPart.NOTE],
        [SealedPart.ATTACHMENT],
    ]
    entry = house.exchange.entries("report.submit")[-1]
    assert entry.details["sealed"] == {"value": 1, "note": 2}
    assert len(house.exchange.entries("envelope.read")) == len(listed)
    assert house.exchange.entries("envelope.attach")[0].details["part"] == "attachment/2"


def test_every_envelope_fits_in_its_own_place_only(house: House) -> None:
    """Records, places in a report, parts and organisations: each at the place of every other."""
    places = list(product(("k1", "k2"), (0, 1), ("value", "note")))
    raws = {
        each: sealed(house.keys, house.context(f"{each[0]}/{each[1]}", each[2])) for each in places
    }
    foreign = [
        sealed(house.keys, replace(house.context("k1/0", "value"), owner="police-de")),
        sealed(house.keys, replace(house.context("k1/0", "value"), epoch=2)),
        sealed(house.keys, house.context("k1/0", "value", JAN)),
        sealed(house.keys, replace(house.context("k1/0", "value"), kind="phone")),
        sealed(member_keys("post-be"), house.context("k1/0", "value")),
    ]
    for (key, number, part), (made_for, raw) in product(
        places, [*raws.items(), *((None, raw) for raw in foreign)]
    ):
        if made_for == (key, number, part):
            continue
        indicators = [house.exchange.indicator(SOPHIE) for _ in range(number + 1)]
        indicators[number]["sealed"] = {part: b64(raw)}
        (result,) = house.submit(report(key, *indicators)).results
        assert result.status is Status.REJECTED
        (fault,) = result.errors
        assert fault.field == f"indicators.{number}.sealed.{part}"
        assert fault.reason
        assert fault.remedy
    assert house.stored() == 0
    both = [
        report(
            key,
            *(
                house.exchange.indicator(
                    SOPHIE,
                    sealed={part: b64(raws[key, number, part]) for part in ("value", "note")},
                )
                for number in (0, 1)
            ),
        )
        for key in ("k1", "k2")
    ]
    assert house.submit(*both).counts["created"] == 2
    assert house.stored() == len(places)


def test_a_wrong_envelope_holds_no_other_report_up_and_is_named_by_its_place(house: House) -> None:
    of_place = Context("post-be", "induction_point", 0, NO_TOKEN, "k4/0", "value")
    too_long = b64(bytes(LARGEST_TEXT + 1))
    cases = [
        report("k2", house.exchange.indicator(SOPHIE, sealed={"value": "AAAA", "note": "AAAA"})),
        report("k3", house.exchange.indicator(SOPHIE, sealed={"value": "no base64!"})),
        report("k4", place(sealed={"value": b64(sealed(house.keys, of_place))})),
        report("k5", house.exchange.indicator(SOPHIE, sealed={"note": too_long})),
        report("k6", house.exchange.indicator(SOPHIE, sealed={"text": "AAAA"})),
        report("k7", house.exchange.indicator(SOPHIE, sealed=["AAAA"])),
    ]
    told = house.submit(house.report("k1"), *cases, house.report("k8"))
    assert dict(told.counts) == {"created": 2, "existing": 0, "rejected": len(cases)}
    assert [[fault.field for fault in result.errors] for result in told.results[1:-1]] == [
        ["indicators.0.sealed.value", "indicators.0.sealed.note"],
        ["indicators.0.sealed.value"],
        ["indicators.0.sealed.value"],
        ["indicators.0.sealed.note"],
        ["indicators.0.sealed"],
        ["indicators.0.sealed"],
    ]
    assert all(fault.remedy for result in told.results for fault in result.errors)


def test_an_organisation_without_published_keys_submits_nothing_sealed(exchange: Exchange) -> None:
    keys = member_keys("post-be")
    house = House(exchange, exchange.app.test_client(), keys, {})
    (result,) = house.submit(house.report("k1")).results
    assert next(fault.remedy for fault in result.errors).startswith("Let an administrator publish")
    plain = report("k1", exchange.indicator(SOPHIE, sealed={}))
    assert house.submit(plain, report("k2", exchange.indicator(SOPHIE))).counts["created"] == 2


def test_a_retry_is_recognised_though_it_was_sealed_anew(house: House) -> None:
    made = house.submitted()
    before = house.stored()
    (again,) = house.submit(house.report("k1")).results
    assert (again.status, again.id) == (Status.EXISTING, made)
    assert house.stored() == before
    fewer = house.submit(house.report("k1", value=b"Sophie")).results[0]
    none = house.submit(report("k1", house.exchange.indicator(SOPHIE))).results[0]
    assert [fewer.status, none.status] == [Status.REJECTED] * 2


def test_files_are_attached_once_each_and_refused_where_they_do_not_fit(house: House) -> None:
    made, raw = house.submitted(), house.file()
    first = house.attach(made, 1, raw)
    assert (first.status_code, first.get_json()["number"]) == (201, 1)
    assert first.get_json()["size"] == len(raw)
    same = house.attach(made, 1, raw)
    assert (same.status_code, same.get_json()) == (200, first.get_json())
    assert house.attach(made, 1, house.file()).get_json()["code"] == "attachment-exists"
    assert house.attach(made, 10, house.file(number=10)).status_code == 201
    refused = {
        "of another number": house.attach(made, 2, house.file(number=3)),
        "of another report": house.attach(made, 2, house.file("k2", 2)),
        "no envelope": house.attach(made, 2, b"image"),
        "nothing": house.attach(made, 2, b""),
        "number 0": house.attach(made, 0, raw),
        "number 11": house.attach(made, 11, raw),
        "no number": house.attach(made, "", raw),
    }
    assert {name: each.status_code for name, each in refused.items()} == dict.fromkeys(refused, 422)
    assert refused["no envelope"].get_json()["errors"][0]["field"] == "body"
    as_json = house.attach(made, 2, raw, content_type="application/json")
    assert (as_json.status_code, house.stored()) == (415, 4)
    unknown = house.attach(UUID(int=1), 2, raw)
    assert unknown.status_code == 404


class _Slow(RawIOBase):
    """A body that notes at each piece whether a transaction is held open for it."""

    def __init__(self, raw: bytes) -> None:
        self._left = BytesIO(raw)
        self.held: list[bool] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self.held.append("transaction" in g)
        return self._left.readinto(buffer)


def test_a_slow_sender_holds_no_transaction_open(house: House) -> None:
    made, raw = house.submitted(), house.file()
    body = _Slow(raw)
    answer = house.attach(made, 1, raw, environ_overrides={"wsgi.input": body})
    assert answer.status_code == 201
    assert body.held
    assert not any(body.held)


def test_a_file_has_a_limit_of_its_own_beyond_that_of_other_requests(house: House) -> None:
    most = house.exchange.app.config["MAX_CONTENT_LENGTH"]
    large = house.file(content=bytes(10_000_000))
    assert most < len(large) < LARGEST_ATTACHMENT
    made = house.submitted()
    assert house.attach(made, 1, large).status_code == 201
    (listed,) = [
        each
        for each in house.get(f"{made}/envelopes").get_json()["envelopes"]
        if each["part"] == "attachment"
    ]
    assert house.get(f"{made}/envelopes/{listed['id']}").get_data() == large
    over = house.attach(made, 2, bytes(LARGEST_ATTACHMENT + 1))
    assert (over.status_code, over.get_json()["code"]) == (413, "too-large")
    assert "picture" in over.get_json()["remedy"]
    assert house.stored() == 3


def test_envelopes_end_with_their_indicator_and_files_with_the_last_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).date()
    sent = house.report("k1")
    later = house.exchange.indicator(SOPHIE, sealed=house.sealed("k1/1", note=b"later"))
    sent["indicators"][0]["expires_on"] = str(tomorrow)
    later["expires_on"] = str(tomorrow + timedelta(days=1))
    (result,) = house.submit({**sent, "indicators": [sent["indicators"][0], later]}).results
    assert result.id is not None, result.errors
    assert house.attach(result.id, 1, house.file()).status_code == 201
    assert house.stored() == 4
    listed = house.get(f"{result.id}/envelopes").get_json()["envelopes"]

    real = clock.now()
    _patch_now(monkeypatch, real + timedelta(days=1))
    # Its time is over at midnight, whenever the sweep comes.
    assert [
        each["part"] for each in house.get(f"{result.id}/envelopes").get_json()["envelopes"]
    ] == [
        "note",
        "attachment",
    ]
    assert house.get(f"{result.id}/envelopes/{listed[0]['id']}").status_code == 404
    _expire(house.exchange, tomorrow)
    assert house.stored() == 2
    _patch_now(monkeypatch, real + timedelta(days=2))
    assert house.get(f"{result.id}/envelopes").get_json()["envelopes"] == []
    assert house.attach(result.id, 2, house.file(number=2)).get_json()["code"] == "report-over"
    _expire(house.exchange, tomorrow + timedelta(days=1))
    assert house.stored() == 0
    assert house.get(f"{result.id}").get_json()["attachments"] == 0


def test_a_withdrawn_report_keeps_nothing_sealed_and_takes_no_file(house: House) -> None:
    made = house.submitted()
    house.attach(made, 1, house.file())
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        service.withdraw(session, house.exchange.caller("post-be"), made, "error")
    assert house.stored() == 0
    assert house.get(f"{made}/envelopes").get_json() == {"envelopes": []}
    again = house.attach(made, 1, house.file())
    assert (again.status_code, again.get_json()["code"]) == (409, "report-over")


def test_the_envelopes_of_others_are_not_there(house: House) -> None:
    made = house.submitted()
    (listed, _) = house.get(f"{made}/envelopes").get_json()["envelopes"]
    other = house.submitted("k2")
    stranger = bearer(house.exchange.app, house.exchange.people["police-de"], list(Scope))
    addresses = [f"{made}/envelopes", f"{made}/envelopes/{listed['id']}"]
    for address in addresses:
        answer = house.client.get(f"/api/v1/reports/{address}", headers=stranger)
        assert answer.status_code == 404
    # Not under another report of one's own either.
    assert house.get(f"{other}/envelopes/{listed['id']}").status_code == 404


def test_a_submission_without_envelopes_asks_for_no_keys_and_writes_none(house: House) -> None:
    with _statements(house) as plain:
        house.submit(report("k1", house.exchange.indicator(SOPHIE)))
    with _statements(house) as with_envelopes:
        house.submitted("k2")
    for word in ("organisation_key", "INTO envelope"):
        assert not [each for each in plain if word in each]
        assert len([each for each in with_envelopes if word in each]) == 1


@contextmanager
def _statements(house: House) -> Iterator[list[str]]:
    engine = house.exchange.database.engine
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _expire(exchange: Exchange, today: Any) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        service.expire(session, today)


def _patch_now(monkeypatch: pytest.MonkeyPatch, at: Any) -> None:
    for module in ("app.indicators.envelopes", "app.indicators.own", "app.indicators.service"):
        monkeypatch.setattr(f"{module}.now", lambda: at)
