"""Deciding: nothing leaves without an approver of the owner, or two where two are needed."""

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from app.access import CONSOLE
from app.disclosures import decisions, rules
from app.disclosures.decisions import DecisionJudgedError, Ruling, SamePersonError
from app.disclosures.messages import KeysNotPublishedError, Sent
from app.disclosures.models import Decision, Delivery
from app.disclosures.releasing import HandedIn, KeysChangedError, NotSharedNowError
from app.disclosures.rules import needs_second
from app.disclosures.telling import SuspendedError
from app.disclosures.transitions import RequestStateError
from app.errors import InvalidRequestError, NotFoundError
from app.indicators.models import Given
from app.jobs.models import Notification
from app.organisations import service as organisations
from app.organisations.models import OrganisationKey, OrganisationStatus
from app.organisations.service import Member
from postern import normalise
from postern.envelope import Resealing
from postern.seal import seal
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    FourEyes,
    Kind,
    RequestState,
    Role,
    SealedPart,
    Sector,
    Urgency,
    Way,
)
from tests.app.disclosures.desk import FILE, NOTE, OPEN_TO_ALL, VALUE, Desk, Found
from tests.app.exchange import CLOSED

ALL, PART, NOTHING = Answer.ALL, Answer.PART, Answer.NOTHING
VENDOR = normalise.Vendor("Market", "handle-of-one")


def deliveries(desk: Desk) -> list[Any]:
    return desk.exchange.rows(select(Delivery))


def notices(desk: Desk, kind: str) -> set[tuple[int, Role]]:
    rows = desk.exchange.rows(select(Notification).where(Notification.kind == kind))
    return {(row.organisation_id, row.role) for row in rows}


def set_rules(desk: Desk, four_eyes: FourEyes, days: int = 30) -> None:
    with desk.session() as session:
        rules.change(session, desk.caller("post-be"), four_eyes=four_eyes, delivery_days=days)


def test_what_is_released_by_two_opens_for_the_requester_alone(desk: Desk) -> None:
    found = desk.found(files=1)
    found.ask(*SealedPart)
    proposed = found.decide()
    assert proposed.state is RequestState.PROPOSED
    assert [each.available for each in proposed.deliveries] == [False] * 3
    # The requester learns nothing of what is proposed: no state, no decision, no reason, no part.
    seen = found.read_asked()
    assert (seen.state, seen.decision, seen.deliveries) == (RequestState.OPEN, None, [])
    with pytest.raises(NotFoundError):
        found.fetch(proposed.deliveries[0].id)
    assert desk.exchange.rows(select(Given).where(Given.way == Way.DISCLOSURE)) == []
    assert all(each.audience == ["post-be"] for each in desk.exchange.entries("disclosure.decide"))

    assert found.judge().state is RequestState.RELEASED
    shown = found.read_asked()
    assert shown.decision
    assert (shown.decision.person, shown.decision.second) == (None, None)
    opened = {each.part: found.opened(each.id) for each in shown.deliveries}
    assert opened == {
        SealedPart.VALUE: VALUE,
        SealedPart.NOTE: NOTE,
        SealedPart.ATTACHMENT: FILE,
    }
    (given,) = desk.exchange.rows(select(Given).where(Given.way == Way.DISCLOSURE))
    assert (given.indicator, given.level) == (found.indicator, 4)
    released = desk.exchange.entries("disclosure.release")
    assert sorted(each.audience for each in released) == [["police-de"], ["post-be"]]
    by_owner = {each.audience[0]: each.details for each in released}
    assert by_owner["post-be"]["actor"] == str(desk.second("post-be").person)
    assert "actor" not in by_owner["police-de"]
    assert by_owner["police-de"]["parts"] == ["value", "note", "attachment"]
    assert notices(desk, "disclosure.released") == {
        (desk.exchange.organisation_id("police-de"), Role.ANALYST)
    }


def wrong_parts(desk: Desk, found: Found) -> Iterator[tuple[str, str, list[HandedIn]]]:
    """What is wrong, where it is told, and what is handed in."""
    good = found.resealed()
    with desk.session() as session:
        caller = desk.caller("post-be")
        (held,) = decisions.read_received(session, caller, found.id).envelopes
        original = decisions.read_envelope(session, caller, found.id, held.id)
    plain = held.context("post-be")
    yield "none", "json.parts", []
    yield "the owner's own", "json.parts.0.sealed", [HandedIn(held.id, original)]
    unbound = seal(
        VALUE, plain, desk.premises["police-de"].entry.recipients, desk.premises["post-be"].identity
    )
    yield "not for this request", "json.parts.0.sealed", [HandedIn(held.id, unbound)]
    for change in (
        {"request": str(found.indicator)},
        {"requester": "customs-nl"},
        {"approver": "police-de"},
        {"to": "customs-nl"},
        {"to": "post-be"},
        {"by": "police-de"},
    ):
        yield str(change), "json.parts.0.sealed", found.resealed(**change)
    elsewhere = dataclasses.replace(plain, record="other/0")
    moved = dataclasses.replace(
        elsewhere, resealing=Resealing(str(found.id), "police-de", "post-be")
    )
    to, by = desk.premises["police-de"].entry.recipients, desk.premises["post-be"].identity
    yield "another record", "json.parts.0.sealed", [HandedIn(held.id, seal(VALUE, moved, to, by))]
    yield "damaged", "json.parts.0.sealed", [HandedIn(held.id, good[0].sealed[:-1])]
    yield "not held", "json.parts.0.envelope", [HandedIn(found.indicator, good[0].sealed)]
    yield "twice", "json.parts", good * 2


def test_a_part_that_is_not_sealed_for_this_requester_and_request_is_refused(desk: Desk) -> None:
    found = desk.found()
    found.ask(SealedPart.VALUE)
    for what, where, parts in wrong_parts(desk, found):
        with pytest.raises(InvalidRequestError) as refused:
            found.decide(parts=parts)
        fields = [each["field"] for each in refused.value.extensions["errors"]]
        assert fields == [where], what
    assert deliveries(desk) == []
    assert desk.exchange.rows(select(Decision)) == []
    assert found.read_received().state is RequestState.OPEN


def test_the_answer_its_reason_and_its_parts_fit_each_other(desk: Desk) -> None:
    found = desk.found(value=VENDOR, role="vendor")
    found.ask(SealedPart.VALUE, SealedPart.NOTE)
    both = found.resealed()
    for answer, reason, parts in (
        (ALL, DecisionReason.NECESSARY, both[:1]),  # a part is missing
        (ALL, DecisionReason.TOO_BROAD, both),
        (NOTHING, DecisionReason.NECESSARY, []),
        (NOTHING, DecisionReason.TOO_BROAD, both),
        (PART, DecisionReason.LIFE_AT_RISK, both),  # of which the requester did not tell
        (PART, DecisionReason.OTHER, both),  # without a message that tells it
    ):
        with pytest.raises(InvalidRequestError):
            found.decide(answer, reason, parts=parts)
    unasked = desk.found(value=VENDOR, role="vendor")
    unasked.ask(SealedPart.VALUE)
    (handed,) = unasked.resealed()
    with pytest.raises(InvalidRequestError):
        unasked.decide(PART, parts=[HandedIn(both[1].envelope, handed.sealed)])
    shown = found.decide(PART, DecisionReason.OTHER, parts=both[:1], message=found.reason())
    assert shown.state is RequestState.RELEASED  # a vendor names no person: one suffices
    (given,) = found.read_asked().deliveries
    assert given.part is SealedPart.VALUE
    assert [each.kind.value for each in found.read_asked().messages] == ["ask", "reason"]


@pytest.mark.parametrize("four_eyes", FourEyes)
def test_the_rules_say_when_a_second_person_is_needed(four_eyes: FourEyes) -> None:
    persons = {Kind.PARTY, Kind.ADDRESS, Kind.PHONE, Kind.EMAIL, Kind.PAYMENT}
    held = rules.Rules(four_eyes, 30, None)

    def member(sector: Sector) -> Member:
        return Member("code-x", "Name", sector, "BE", OrganisationStatus.ACTIVE)

    class Asked:
        kind: Kind

    for kind in Kind:
        for part in SealedPart:
            for asks in Sector:
                for owns in Sector:
                    request = Asked()
                    request.kind = kind
                    found = needs_second(
                        held,
                        request,  # type: ignore[arg-type]
                        [part],
                        requester=member(asks),
                        owner=member(owns),
                    )
                    operators = {Sector.POST, Sector.COURIER}
                    names = kind in persons or part is not SealedPart.VALUE
                    assert found == (
                        four_eyes is FourEyes.ALWAYS
                        or (asks in operators and owns not in operators)
                        or (four_eyes is FourEyes.PERSONS and names)
                    )


def test_the_second_person_is_another_and_may_say_no(desk: Desk) -> None:
    found = desk.found()
    found.ask(SealedPart.VALUE, SealedPart.NOTE)
    first = found.decide(ALL, DecisionReason.OTHER, message=found.reason())
    assert first.decision
    with pytest.raises(SamePersonError):
        found.judge(by=desk.caller("post-be"))
    with pytest.raises(RequestStateError):
        found.decide(NOTHING, DecisionReason.TOO_BROAD)
    rejected = found.judge(agrees=False)
    assert rejected.state is RequestState.OPEN
    assert rejected.decision
    assert rejected.decision.state is DecisionState.REJECTED
    assert all(each.erased for each in rejected.deliveries)
    assert {row.sealed for row in deliveries(desk)} == {None}
    # What was written with the proposal is none of the requester's business either.
    assert [each.kind.value for each in found.read_asked().messages] == ["ask"]
    with pytest.raises(DecisionJudgedError):
        found.judge(first.decision.id)
    with pytest.raises(NotFoundError):
        found.judge(found.indicator)
    again = found.decide(by=desk.second("post-be"))
    assert again.decision
    with pytest.raises(SamePersonError):
        found.judge()
    assert found.judge(by=desk.caller("post-be")).state is RequestState.RELEASED
    with pytest.raises(DecisionJudgedError):
        found.judge(again.decision.id)
    shown = found.read_asked()
    assert len(shown.deliveries) == 2
    assert found.opened() == VALUE


def test_the_policy_is_asked_again_at_the_moment_of_release(desk: Desk) -> None:
    found, other = desk.found(), desk.found()
    found.ask()
    other.ask()
    found.decide()
    parts = other.resealed()
    desk.exchange.publish("post-be", CLOSED)
    with pytest.raises(NotSharedNowError):
        found.judge()
    with pytest.raises(NotSharedNowError):
        other.decide(parts=parts)
    assert found.read_received().state is RequestState.PROPOSED
    assert other.decide(NOTHING, DecisionReason.NO_LEGAL_BASIS).state is RequestState.REFUSED
    desk.exchange.publish("post-be", OPEN_TO_ALL)
    assert found.judge().state is RequestState.RELEASED


def test_nothing_goes_out_while_an_organisation_is_suspended(desk: Desk) -> None:
    found, life = desk.found(), desk.found()
    found.release(SealedPart.VALUE)
    life.ask(urgency=Urgency.LIFE)
    parts = life.resealed()
    for status in (OrganisationStatus.SUSPENDED, OrganisationStatus.ACTIVE):
        with desk.session() as session:
            organisations.set_status(session, CONSOLE, "police-de", status)
        if status is OrganisationStatus.SUSPENDED:
            with pytest.raises(SuspendedError):
                life.decide(ALL, DecisionReason.LIFE_AT_RISK, parts=parts)
            with pytest.raises(SuspendedError):
                found.fetch()
    assert life.decide(ALL, DecisionReason.LIFE_AT_RISK, parts=parts).deliveries[0].available
    assert found.opened() == VALUE


def test_what_was_proposed_with_keys_that_were_changed_since_does_not_go_out(desk: Desk) -> None:
    found = desk.found()
    found.ask()
    found.decide()
    desk.later(minutes=1)
    desk.publish_keys("police-de")
    desk.later(minutes=1)
    with pytest.raises(KeysChangedError):
        found.judge()
    found.judge(agrees=False)
    found.decide()
    found.judge()
    assert found.opened() == VALUE


def test_a_threat_to_life_lets_one_person_release_and_tells_everybody_at_once(desk: Desk) -> None:
    found = desk.found()
    found.ask(urgency=Urgency.LIFE)
    police, post = (desk.exchange.organisation_id(code) for code in ("police-de", "post-be"))
    told = {(post, Role.APPROVER), (post, Role.COMPLIANCE), (police, Role.COMPLIANCE)}
    assert notices(desk, "disclosure.life") == told
    desk.exchange.publish("post-be", CLOSED)  # no policy stands against a life
    shown = found.decide(ALL, DecisionReason.LIFE_AT_RISK)
    assert shown.state is RequestState.RELEASED
    assert shown.decision
    assert shown.decision.review_due_at == desk.clock.at.replace(day=3)
    assert notices(desk, "disclosure.glass") == told
    assert len(shown.envelopes) == 1  # for the second person, who is to judge it
    assert found.opened() == VALUE
    with pytest.raises(SamePersonError):
        found.judge(by=desk.caller("post-be"))
    desk.later(hours=11)
    desk.run_duties()
    assert notices(desk, "disclosure.review") == set()
    for hours in (1, 12, 1):
        desk.later(hours=hours)
        desk.run_duties()
    rows = desk.exchange.rows(select(Notification).where(Notification.kind == "disclosure.review"))
    assert sorted(row.facts["overdue"] for row in rows) == [False, False, True, True]
    after = found.judge(agrees=True)
    assert after.decision
    assert (after.state, after.decision.state) == (
        RequestState.RELEASED,
        DecisionState.EFFECTIVE,
    )
    assert after.envelopes == []
    with pytest.raises(DecisionJudgedError):
        found.judge(agrees=False)


def test_a_second_person_who_does_not_agree_with_a_break_glass_takes_it_back(desk: Desk) -> None:
    found = desk.found()
    found.ask(urgency=Urgency.LIFE)
    found.decide(ALL, DecisionReason.LIFE_AT_RISK)
    assert found.judge(agrees=False).state is RequestState.RECALLED
    shown = found.read_asked()
    assert shown.decision
    assert shown.decision.state is DecisionState.REJECTED
    assert [each.erased for each in shown.deliveries] == [True]
    assert {row.sealed for row in deliveries(desk)} == {None}
    other = desk.found()
    other.ask(urgency=Urgency.LIFE)
    # Without the reason that a life is at risk the rules hold as ever.
    assert other.decide().state is RequestState.PROPOSED


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    found = desk.found(value=VENDOR, role="vendor")
    found.ask()
    parts = found.resealed()
    begin = threading.Barrier(2)
    outcomes: list[str] = []

    def decide(ruling: Ruling, who: Any) -> None:
        begin.wait()
        try:
            with desk.session() as session:
                decisions.decide(session, who, found.id, ruling)
            outcomes.append("won")
        except RequestStateError as error:
            outcomes.append(error.code)

    rulings = (
        (Ruling(ALL, DecisionReason.NECESSARY, parts), desk.caller("post-be")),
        (Ruling(NOTHING, DecisionReason.TOO_BROAD), desk.second("post-be")),
    )
    threads = [threading.Thread(target=decide, args=each) for each in rulings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["disclosure-state", "won"]
    (decision,) = desk.exchange.rows(select(Decision))
    state = found.read_received().state
    assert state is (RequestState.REFUSED if decision.answer is NOTHING else RequestState.RELEASED)


def test_an_approver_fetches_what_is_asked_for_while_it_waits_and_nothing_else(desk: Desk) -> None:
    found, other = desk.found(), desk.found()
    found.ask(SealedPart.VALUE)
    other.ask(SealedPart.NOTE)
    (own,) = found.read_received().envelopes
    (others,) = other.read_received().envelopes

    def read(code: str, envelope: UUID) -> bytes:
        with desk.session() as session:
            return decisions.read_envelope(session, desk.caller(code), found.id, envelope)

    assert len(read("post-be", own.id)) == own.size
    for code, envelope in (("post-be", others.id), ("police-de", own.id), ("customs-nl", own.id)):
        with pytest.raises(NotFoundError):
            read(code, envelope)
    (entry,) = desk.exchange.entries("disclosure.open")
    assert entry.audience == ["post-be"]
    found.decide(NOTHING, DecisionReason.NOT_NECESSARY)
    with pytest.raises(RequestStateError):
        read("post-be", own.id)
    assert found.read_received().envelopes == []


def test_who_has_no_keys_can_give_nothing_but_a_refusal(desk: Desk) -> None:
    found = desk.found()
    found.ask()
    parts = found.resealed()
    with desk.session() as session:
        post = desk.exchange.organisation_id("post-be")
        session.execute(delete(OrganisationKey).where(OrganisationKey.organisation_id == post))
    with pytest.raises(KeysNotPublishedError):
        found.decide(parts=parts)
    with pytest.raises(KeysNotPublishedError):
        found.decide(NOTHING, DecisionReason.NOT_HELD, message=Sent(b"x", f"{found.id}/{'r' * 22}"))
    assert found.decide(NOTHING, DecisionReason.NOT_HELD).state is RequestState.REFUSED
