"""Asking: one indicator that one's own lookup found and that the policies let one ask for now."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from app.disclosures import messages, requests, rules
from app.disclosures.asymmetry import AUTHORITY_BASES, OPERATOR_PURPOSES, Asking, faults
from app.disclosures.messages import KeysNotPublishedError, Sent, TooManyMessagesError
from app.disclosures.models import DisclosureMessage, DisclosureRequest
from app.disclosures.requests import CaseRequestsSpentError, Question, RequestOpenError
from app.errors import InvalidRequestError, NotFoundError
from app.jobs.models import Notification
from app.organisations.models import OrganisationKey
from postern.envelope import Context
from postern.seal import seal
from postern.vocabulary import (
    Answer,
    DecisionReason,
    FourEyes,
    LegalBasis,
    MessageKind,
    Purpose,
    RequestedAction,
    RequestState,
    Role,
    SealedPart,
    Sector,
    Urgency,
)
from tests.app.disclosures.desk import CASE, NO_TOKEN, NOON, Desk, Found
from tests.app.exchange import CLOSED
from tests.app.people import runtime_of

TO_POLICE = 'when { principal.sector == Sector::"police" }'
METADATA_ONLY = f"""
@id("some/metadata") @label("Police see the metadata")
permit (principal, action in [Action::"presence", Action::"metadata"], resource) {TO_POLICE};
"""
PRESENCE_ONLY = f"""
@id("some/presence") @label("Police learn that something is known")
permit (principal, action in [Action::"presence"], resource) {TO_POLICE};
"""

RECORD = f"ask/{'r' * 22}"


def ask(desk: Desk, code: str, lookup: UUID, indicator: UUID, **changes: object) -> None:
    plain = Question(CASE, Urgency.NORMAL, [SealedPart.VALUE], RequestedAction.NONE, None)
    question = dataclasses.replace(plain, **changes)
    with desk.session() as session:
        requests.ask(
            session, desk.caller(code), lookup=lookup, indicator=indicator, question=question
        )


def stored(desk: Desk) -> int:
    return len(desk.exchange.rows(select(DisclosureRequest)))


def test_what_may_not_be_asked_for_is_answered_like_what_is_not_there(desk: Desk) -> None:
    found, other = desk.found(), desk.found()
    theirs = desk.found(asker="customs-nl")
    nothing = UUID("019caea7-6b40-7abc-8def-0123456789ab")
    mixed = [
        ("police-de", found.lookup, other.indicator),  # another lookup's hit
        ("police-de", theirs.lookup, theirs.indicator),  # another organisation's lookup
        ("customs-nl", found.lookup, found.indicator),
        ("police-de", nothing, found.indicator),
        ("police-de", found.lookup, nothing),
    ]
    told = []
    for code, lookup, indicator in mixed:
        with pytest.raises(NotFoundError) as refused:
            ask(desk, code, lookup, indicator)
        told.append(refused.value.as_problem("x"))
    for policy in (CLOSED, PRESENCE_ONLY, METADATA_ONLY):
        desk.exchange.publish("post-be", policy)
        with pytest.raises(NotFoundError) as refused:
            ask(desk, "police-de", found.lookup, found.indicator)
        told.append(refused.value.as_problem("x"))
    # For a threat to life metadata suffices, but not less, and it must be told why.
    with pytest.raises(InvalidRequestError) as wrong:
        ask(desk, "police-de", found.lookup, found.indicator, urgency=Urgency.LIFE)
    assert wrong.value.extensions["errors"][0]["field"] == "json.message"
    assert stored(desk) == 0
    found.ask(urgency=Urgency.LIFE)
    desk.exchange.publish("post-be", PRESENCE_ONLY)
    with pytest.raises(NotFoundError):
        other.ask(urgency=Urgency.LIFE)
    assert all(each == told[0] for each in told)
    assert stored(desk) == 1


def test_a_lookup_or_an_indicator_that_is_over_opens_nothing(desk: Desk) -> None:
    old = desk.found(expires_on="2029-02-01")
    gone = desk.found()
    gone.withdraw_report()
    with pytest.raises(NotFoundError):
        gone.ask()
    short = desk.found(expires_on="2026-03-20")
    desk.later(days=30)
    with pytest.raises(NotFoundError):
        short.ask()
    old.ask()  # its lookup is kept for a year
    old.withdraw()
    desk.later(days=340)
    with pytest.raises(NotFoundError):
        old.ask()


def test_the_owner_is_told_who_asks_and_why_and_neither_the_person_nor_the_case(
    desk: Desk,
) -> None:
    found = desk.found()
    shown = found.ask(SealedPart.NOTE, SealedPart.VALUE, action=RequestedAction.LOCATE)
    assert shown.state is RequestState.OPEN
    assert list(shown.asked) == ["value", "note"]
    assert shown.due_at == NOON + timedelta(days=7)
    received = found.read_received()
    assert received.requester.code == "police-de"
    assert received.purpose is Purpose.CRIMINAL_INVESTIGATION
    assert received.legal_basis is LegalBasis.CRIMINAL_PROCEDURE
    assert received.lookup is None
    assert shown.lookup == found.lookup
    assert {each.part for each in received.envelopes} == {SealedPart.VALUE, SealedPart.NOTE}
    own, others = desk.exchange.entries("disclosure.ask")
    if "actor" not in own.details:
        own, others = others, own
    asker = desk.caller("police-de")
    assert own.audience == ["police-de"]
    assert own.details["actor"] == str(asker.person)
    assert own.details["case"] == CASE
    assert own.details["objects"] == [str(found.request), str(found.indicator)]
    assert others.audience == ["post-be"]
    assert "actor" not in others.details
    assert CASE not in str(others.details)
    assert others.details["viewer"] == "police-de"
    notices = desk.exchange.rows(select(Notification))
    (told,) = [each for each in notices if each.kind.startswith("disclosure.")]
    assert (told.role, told.kind) == (Role.APPROVER, "disclosure.asked")
    assert told.facts == {"organisation": "police-de", "urgency": "normal", "kind": "phone"}
    assert told.address == f"/disclosures/{found.request}"
    (row,) = desk.exchange.rows(select(DisclosureRequest))
    assert CASE.encode() not in bytes(row.case_tag)


def test_the_same_indicator_is_asked_for_once_at_a_time(desk: Desk) -> None:
    found = desk.found()
    first = found.ask()
    with pytest.raises(RequestOpenError) as refused:
        found.ask()
    assert refused.value.extensions == {"request": str(first.id)}
    found.question()
    with pytest.raises(RequestOpenError):
        found.ask()
    found.decide(Answer.NOTHING, DecisionReason.TOO_BROAD)
    assert found.ask().id != first.id


def test_nothing_is_asked_in_bulk_in_one_case(desk: Desk) -> None:
    runtime = runtime_of(desk.app)
    few = dataclasses.replace(runtime.settings.disclosure, case_requests=2)
    runtime.settings = dataclasses.replace(runtime.settings, disclosure=few)
    many = [desk.found() for _ in range(4)]
    elsewhere = desk.found(owner="customs-nl")
    many[0].ask()
    desk.later(hours=20)
    many[1].ask(case=f"  {CASE.lower()} ")
    with pytest.raises(CaseRequestsSpentError) as refused:
        many[2].ask()
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == str(4 * 3600 + 1)
    elsewhere.ask()
    many[2].ask(case="PV-2024-18")
    desk.later(hours=4, seconds=1)
    many[3].ask()


def test_one_s_own_indicator_is_not_asked_for(desk: Desk) -> None:
    own = desk.found(owner="police-de")
    with pytest.raises(InvalidRequestError):
        own.ask(says=False)


def wrong_messages(desk: Desk, found: Found) -> Iterator[tuple[str, Sent]]:
    """Each with what is wrong with it."""
    police, post = (desk.premises[code] for code in ("police-de", "post-be"))
    keys = (*post.entry.recipients, *police.entry.recipients)
    context = Context("post-be", "message", 0, NO_TOKEN, RECORD, "ask")

    def sealed(where: Context = context, to: object = keys, by: object = police) -> bytes:
        return seal(b"why", where, to, by.identity)  # type: ignore[arg-type, attr-defined]

    good = sealed()
    yield "its record", Sent(good, "ask/short")
    yield "its record", Sent(sealed(), f"{found.indicator}/{'r' * 22}")
    yield "a word", Sent(b"nothing", RECORD)
    yield "cut", Sent(good[:-1], RECORD)
    yield "changed", Sent(good[:-70] + bytes([good[-70] ^ 1]) + good[-69:], RECORD)
    yield "another record", Sent(good, f"ask/{'s' * 22}")
    other = dataclasses.replace(context, part="answer")
    yield "another kind", Sent(sealed(other), RECORD)
    yield "another owner", Sent(sealed(dataclasses.replace(context, owner="police-de")), RECORD)
    yield "not to the owner", Sent(sealed(to=police.entry.recipients), RECORD)
    yield "not to itself", Sent(sealed(to=post.entry.recipients), RECORD)
    third = desk.premises["customs-nl"].entry.recipients
    yield "to a third", Sent(sealed(to=(*keys, *third)), RECORD)
    yield "by another", Sent(sealed(by=post), RECORD)


def test_a_message_that_is_not_what_it_should_be_is_refused_whole(desk: Desk) -> None:
    found = desk.found()
    for what, message in wrong_messages(desk, found):
        with pytest.raises(InvalidRequestError) as refused:
            ask(desk, "police-de", found.lookup, found.indicator, message=message)
        (error,) = refused.value.extensions["errors"]
        assert error["field"] in {"json.message", "json.record"}, what
    assert stored(desk) == 0
    shown = found.ask()
    (kept,) = desk.exchange.rows(select(DisclosureMessage))
    assert kept.kind is MessageKind.ASK
    assert [each.record for each in shown.messages] == [kept.record]


def test_a_request_has_so_many_messages_and_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_MESSAGES", 4)
    found = desk.found()
    found.ask()
    found.question()
    found.answer()
    found.question()
    with pytest.raises(TooManyMessagesError):
        found.answer()
    kinds = [each.kind for each in desk.exchange.rows(select(DisclosureMessage))]
    assert sorted(kinds) == ["answer", "ask", "question", "question"]
    assert found.read_asked().state is RequestState.QUESTIONED
    # Another request has messages of its own, and this one is decided without words.
    desk.found().ask()
    assert found.decide(Answer.NOTHING, DecisionReason.TOO_BROAD).state is RequestState.REFUSED


def test_nothing_is_asked_that_could_never_be_delivered(desk: Desk) -> None:
    found = desk.found()
    with desk.session() as session:
        police = desk.exchange.organisation_id("police-de")
        session.execute(delete(OrganisationKey).where(OrganisationKey.organisation_id == police))
    with pytest.raises(KeysNotPublishedError) as refused:
        found.ask(says=False)
    assert refused.value.extensions == {"organisation": "police-de"}


@pytest.mark.parametrize("owner", Sector)
@pytest.mark.parametrize("requester", Sector)
def test_the_sectors_differ_in_what_they_may_ask_of_whom(requester: Sector, owner: Sector) -> None:
    operators = {Sector.POST, Sector.COURIER}
    for purpose in Purpose:
        for basis in LegalBasis:
            for action in RequestedAction:
                found = list(faults(Asking(requester, owner, purpose, basis, action)))
                up = requester in operators and owner not in operators
                down = requester not in operators and owner in operators
                expected = []
                if up and purpose not in OPERATOR_PURPOSES:
                    expected.append("lookup")
                if down and basis not in AUTHORITY_BASES:
                    expected.append("lookup")
                handles = owner in operators | {Sector.CUSTOMS}
                examines = action is RequestedAction.EXAMINE and owner is not Sector.CUSTOMS
                if examines or (action is not RequestedAction.NONE and not handles):
                    expected.append("action")
                assert [field for field, _ in found] == expected


def test_an_operator_asks_an_authority_only_for_the_safety_of_its_service(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    grounds = {"owner": "police-de", "asker": "post-be", "legal_basis": LegalBasis.POSTAL_LAW}
    wide = desk.found(**grounds, purpose=Purpose.RISK_ANALYSIS)
    fit = desk.found(**grounds, purpose=Purpose.PARCEL_SCREENING)
    # The platform's own rules let an authority tell an operator no more than that it knows.
    for found in (wide, fit):
        with pytest.raises(NotFoundError):
            found.ask()
    # Behind them, should they ever be widened, stand the rules of this room.
    monkeypatch.setattr("app.disclosures.storage.is_visible", lambda *_: True)
    with pytest.raises(InvalidRequestError) as refused:
        wide.ask(action=RequestedAction.LOCATE)
    fields = [each["field"] for each in refused.value.extensions["errors"]]
    assert fields == ["json.lookup", "json.action"]
    fit.ask()
    with desk.session() as session:
        owner = desk.caller("police-de")
        rules.change(session, owner, four_eyes=FourEyes.NEVER, delivery_days=30)
    assert fit.decide().state is RequestState.PROPOSED
    (given,) = fit.judge().deliveries
    assert given.expires_at == desk.clock.at + timedelta(days=14)
