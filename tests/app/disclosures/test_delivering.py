"""Delivering: fetched only while it stands, logged before it leaves, proved, and erased in time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access import Caller
from app.disclosures import deliveries
from app.disclosures.deliveries import DeliveryGoneError, Proof, ReceiptGivenError
from app.disclosures.models import Delivery, DisclosureMessage, DisclosureRequest
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import service as indicators
from app.jobs.models import Notification
from postern.delivery_receipt import Receipt, signed
from postern.signing_identity import SigningIdentity
from postern.vocabulary import (
    Answer,
    DecisionReason,
    RequestState,
    Role,
    SealedPart,
    TokenCheck,
)
from tests.app.disclosures.desk import VALUE, Desk, Found


def rows(desk: Desk, table: Any) -> list[Any]:
    return desk.exchange.rows(select(table).order_by(table.id))


def fetch(found: Found, who: Caller) -> bytes:
    delivery = found.read_asked().deliveries[0].id
    with found.desk.session() as session:
        return deliveries.fetch(session, who, found.id, delivery)


def receive(found: Found, delivery: UUID, proof: Proof) -> None:
    with found.desk.session() as session:
        deliveries.receive(session, found.desk.caller(found.asker), found.id, delivery, proof)


def test_a_fetch_stands_in_the_log_of_both_before_the_bytes_leave(desk: Desk) -> None:
    found = desk.found()
    found.release(SealedPart.VALUE)
    for code in ("post-be", "customs-nl"):
        with pytest.raises(NotFoundError):
            fetch(found, desk.caller(code))
    assert desk.exchange.entries("disclosure.fetch") == []
    assert found.opened() == VALUE
    entries = {each.audience[0]: each for each in desk.exchange.entries("disclosure.fetch")}
    assert set(entries) == {"police-de", "post-be"}
    asker = str(desk.caller("police-de").person)
    assert entries["police-de"].details["actor"] == asker
    assert "actor" not in entries["post-be"].details
    assert entries["post-be"].details["viewer"] == "police-de"
    for entry in entries.values():
        assert '"purpose":"criminal_investigation"' in entry.record
    assert found.read_asked().state is RequestState.RELEASED
    assert found.opened() == VALUE  # again, as long as it stands


def test_a_receipt_is_proved_by_the_requester_s_published_keys_and_given_once(desk: Desk) -> None:
    found = desk.found()
    found.release(SealedPart.VALUE, SealedPart.NOTE)
    value, note = found.read_asked().deliveries
    with pytest.raises(DeliveryGoneError):
        found.receive(value.id)  # what was never fetched was never opened
    found.opened(value.id)
    found.opened(note.id)
    stranger = SigningIdentity.new()
    receipt = Receipt(str(found.id), str(value.id), bytes(value.digest), TokenCheck.MATCHES)
    own = desk.premises["police-de"].identity
    for proof in (
        Proof(signed(receipt, stranger), stranger.public.kid, TokenCheck.MATCHES),
        Proof(signed(receipt, stranger), own.public.kid, TokenCheck.MATCHES),
        Proof(signed(receipt, own), own.public.kid, TokenCheck.DIFFERS),
        found.proof(note.id, TokenCheck.NOT_CHECKED)[1],
    ):
        with pytest.raises(InvalidRequestError):
            receive(found, value.id, proof)
    with pytest.raises(InvalidRequestError):
        found.receive(note.id, TokenCheck.MATCHES)  # a note gives no token
    assert found.receive(value.id).state is RequestState.RELEASED
    assert found.receive(value.id).state is RequestState.RELEASED
    with pytest.raises(ReceiptGivenError):
        found.receive(value.id, TokenCheck.DIFFERS)
    assert found.receive(note.id, TokenCheck.NOT_CHECKED).state is RequestState.RECEIVED
    kept = rows(desk, Delivery)[0]
    assert bytes(kept.receipt) == signed(receipt, own)
    assert bytes(kept.receipt_kid) == own.public.kid
    assert [each.check for each in found.read_received().deliveries] == [
        TokenCheck.MATCHES,
        TokenCheck.NOT_CHECKED,
    ]


def test_a_value_that_gives_another_token_is_told_to_those_who_can_act(desk: Desk) -> None:
    found = desk.found()
    found.release(SealedPart.VALUE)
    found.opened()
    found.receive(check=TokenCheck.DIFFERS)
    police, post = (desk.exchange.organisation_id(code) for code in ("police-de", "post-be"))
    told = [row for row in rows(desk, Notification) if row.kind == "disclosure.differs"]
    assert {(row.organisation_id, row.role) for row in told} == {
        (police, Role.COMPLIANCE),
        (post, Role.COMPLIANCE),
        (post, Role.SUBMITTER),
    }
    assert {row.facts["indicator"] for row in told} == {str(found.indicator)}
    assert "value" not in {key for row in told for key in row.facts}


def test_what_is_over_is_erased_and_cannot_be_fetched(desk: Desk) -> None:
    found = desk.found()
    given = found.release(SealedPart.VALUE).deliveries[0]
    assert given.expires_at == desk.clock.at + timedelta(days=30)
    desk.clock.at = given.expires_at
    assert not found.read_asked().deliveries[0].available
    with pytest.raises(DeliveryGoneError):
        found.fetch()  # before any duty ran
    desk.run_duties()
    assert found.read_asked().state is RequestState.EXPIRED
    assert [row.sealed for row in rows(desk, Delivery)] == [None]
    assert [row.sealed for row in rows(desk, DisclosureMessage)] == [None]
    assert found.read_asked().messages[0].sealed is None
    with pytest.raises(DeliveryGoneError):
        found.fetch()
    entries = desk.exchange.entries("disclosure.erase")
    assert [each.audience for each in entries] == [["platform", "police-de", "post-be"]]


def test_a_delivery_never_outlives_its_indicator(desk: Desk) -> None:
    found = desk.found(expires_on="2026-03-10")
    (given,) = found.release(SealedPart.VALUE).deliveries
    assert given.expires_at == datetime(2026, 3, 10, tzinfo=UTC)
    found.opened()
    desk.clock.at = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
    assert found.opened() == VALUE
    desk.clock.at = given.expires_at
    with desk.session() as session:
        assert indicators.expire(session, date(2026, 3, 10)) == 1
    assert found.read_asked().state is RequestState.EXPIRED
    assert [row.sealed for row in rows(desk, Delivery)] == [None]
    with pytest.raises(DeliveryGoneError):
        found.fetch()
    # What was fetched in time is proved later too.
    assert found.receive().state is RequestState.EXPIRED


def test_a_withdrawn_indicator_ends_what_waits_and_takes_back_what_was_given(desk: Desk) -> None:
    waiting, proposed, given = (desk.found() for _ in range(3))
    waiting.ask()
    proposed.ask()
    proposed.decide()
    given.release(SealedPart.VALUE)
    for found in (waiting, proposed, given):
        found.withdraw_report()
    assert waiting.read_asked().state is RequestState.ENDED
    assert proposed.read_received().state is RequestState.ENDED
    assert given.read_asked().state is RequestState.RECALLED
    assert {row.sealed for row in rows(desk, Delivery)} == {None}
    with pytest.raises(DeliveryGoneError):
        given.fetch()
    told = {row.kind for row in rows(desk, Notification)}
    assert "disclosure.ended" in told
    entries = desk.exchange.entries("disclosure.end")
    audiences = sorted(each.audience for each in entries)
    assert audiences == [["police-de"], ["police-de"], ["post-be"], ["post-be"]]


def test_a_recall_that_is_told_twice_erases_once(desk: Desk) -> None:
    found = desk.found()
    found.release(SealedPart.VALUE, SealedPart.NOTE)
    with desk.session() as session:
        assert deliveries.erase_for(session, found.indicator, desk.clock.at) == 2
    with desk.session() as session:
        assert deliveries.erase_for(session, found.indicator, desk.clock.at) == 0
    assert found.read_asked().state is RequestState.RECALLED


def test_records_and_messages_of_requests_are_erased_in_their_time(desk: Desk) -> None:
    found = desk.found(expires_on="2029-02-01")
    found.ask()
    found.decide(Answer.NOTHING, DecisionReason.TOO_BROAD)
    desk.later(days=29)
    desk.run_duties()
    assert found.read_asked().messages[0].sealed is not None
    desk.later(days=1)
    desk.run_duties()
    assert found.read_asked().messages[0].sealed is None
    desk.later(days=334)
    desk.run_duties()
    assert len(rows(desk, DisclosureRequest)) == 1
    desk.later(days=1)
    desk.run_duties()
    assert rows(desk, DisclosureRequest) == []
    assert rows(desk, DisclosureMessage) == []
    (entry,) = desk.exchange.entries("disclosure.forget")
    assert entry.details["objects"] == [str(found.id)]
    assert entry.audience == ["platform", "police-de", "post-be"]
