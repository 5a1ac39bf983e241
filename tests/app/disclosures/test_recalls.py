"""Recalls: whoever got something is called upon, must answer, and cannot be forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.disclosures import recall_answers, recall_clock, recall_own
from app.disclosures.models import Recall
from app.disclosures.recall_answers import RecallAnsweredError
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import service
from app.indicators.models import Given
from app.organisations.models import OrganisationStatus
from postern.vocabulary import (
    AcknowledgementState,
    RecallKind,
    RecallReason,
    Rectification,
    Role,
    SourceGrade,
    Tlp,
    Way,
)
from tests.app.disclosures.ring import FED, NOON, UNTOLD, Ring, open_ring
from tests.app.exchange import JAN, SOPHIE, SOPHIE_TYPED

A_WEEK = timedelta(days=7)


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


def test_a_withdrawal_calls_upon_everybody_who_got_something(ring: Ring) -> None:
    report_id, sophie, jan = ring.submit("k1", SOPHIE, JAN)
    other = ring.submit("k2", SOPHIE)[0]
    ring.take("customs-nl")
    ring.exchange.ask("police-de", SOPHIE_TYPED)
    ring.take("police-de")
    ring.wait(days=1)
    ring.withdraw(report_id, RecallReason.COURT_ORDER)
    made = {row.indicator: (row, own) for row, own in ring.recalls()}
    assert made.keys() == {sophie, jan}
    for row, own in made.values():
        assert (row.kind, row.reason) == (RecallKind.WITHDRAWAL, RecallReason.COURT_ORDER)
        assert (row.made_at, row.due_at) == (ring.clock.at, ring.clock.at + A_WEEK)
        assert row.changes == {}
        assert row.completed_at is None
        codes = {ring.exchange.organisation_id(code) for code in ("customs-nl", "police-de")}
        assert {each.organisation_id for each in own} == codes
        assert all(each.state is AcknowledgementState.OPEN and each.named for each in own)
    (of_sophie,) = [each for each in ring.received("police-de") if each.indicator == sophie]
    assert of_sophie.ways == [Way.EXPORT, Way.LOOKUP]
    assert of_sophie.owner.code == "post-be"
    assert not of_sophie.is_overdue
    assert (of_sophie.changed, of_sophie.changes) == ([], None)
    assert ring.received("police-fr") == []
    facts = {"owner": "post-be", "recall": "withdrawal", "reason": "court_order"}
    assert ring.notices("customs-nl", "recall") == [
        ("recall.received", role, facts, "/recalls") for role in (Role.ANALYST, Role.COMPLIANCE)
    ]
    assert ring.notices("post-be", "recall") == ring.notices("police-fr", "recall") == []
    ring.withdraw(report_id)  # again: nothing is left to be called back
    assert len(ring.recalls()) == 2
    ring.withdraw(other)
    assert len(ring.recalls()) == 3


def test_what_nobody_got_or_what_was_only_over_calls_upon_nobody(ring: Ring) -> None:
    unseen, *_ = ring.submit("k1", SOPHIE)
    ring.withdraw(unseen)
    ring.submit("k2", JAN)
    ring.take("customs-nl")
    with ring.doing() as session:
        assert service.expire(session, (NOON + timedelta(days=4000)).date()) == 1
    assert ring.recalls() == []
    (row,) = ring.exchange.rows(select(Given))
    assert row.ended["kind"] == "party"


def test_the_log_tells_each_side_its_part(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.take("customs-nl")
    ring.take("police-fr")
    ring.withdraw(report_id)
    (made,) = ring.exchange.entries("recall.make")
    assert made.audience == ["post-be"]
    assert made.details["recipients"] == ["customs-nl", "police-fr"]
    told = {entry.audience[0]: entry for entry in ring.exchange.entries("recall.receive")}
    assert told.keys() == {"customs-nl", "police-fr"}
    for entry in told.values():
        assert entry.details["indicators"] == [str(sophie)]
        assert not {"actor", "recipients"} & entry.details.keys()
    ring.answer("police-fr", ring.received("police-fr")[0].id)
    (own,) = ring.exchange.entries("recall.answer")
    assert own.audience == ["police-fr"]
    assert own.details["actor"] == str(ring.caller("police-fr").person)
    (of_owner,) = ring.exchange.entries("recall.answered")
    assert of_owner.audience == ["post-be"]
    assert "actor" not in of_owner.details
    assert (of_owner.details["recipient"], of_owner.details["done"]) == ("police-fr", "erased")


def test_a_recall_is_complete_when_the_last_has_completed(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    for code in ("customs-nl", "police-de"):
        ring.take(code)
    ring.withdraw(report_id)
    recall = ring.received("customs-nl")[0].id
    ring.wait(hours=1)
    first = ring.answer("customs-nl", recall, None)
    assert (first.state, first.done) == (AcknowledgementState.ACKNOWLEDGED, None)
    assert first.acknowledged_at == ring.clock.at
    ring.wait(hours=1)
    done = ring.answer("customs-nl", recall, Rectification.NOT_KEPT)
    assert (done.state, done.done) == (AcknowledgementState.COMPLETED, Rectification.NOT_KEPT)
    assert (first.acknowledged_at, ring.clock.at) == (done.acknowledged_at, done.completed_at)
    (own,) = ring.own(is_open=True)
    assert (own.completed, own.completed_at) == (1, None)
    assert ring.notices("post-be", "recall") == []
    with ring.doing() as session:
        assert recall_own.open_count(session, ring.exchange.organisation_id("post-be")) == 1
        assert recall_answers.to_do_count(session, ring.exchange.organisation_id("police-de")) == 1
        assert recall_answers.to_do_count(session, ring.exchange.organisation_id("customs-nl")) == 0
    ring.answer("police-de", recall)
    assert ring.own(is_open=True) == []
    (own,) = ring.own(is_open=False)
    assert own.completed_at == ring.clock.at == ring.recalls()[0][0].completed_at
    assert [each.organisation.code for each in own.recipients] == ["customs-nl", "police-de"]
    facts = {"recall": "withdrawal", "reason": "wrong_data"}
    assert ring.notices("post-be", "recall") == [
        ("recall.completed", role, facts, f"/recalls/own/{recall}")
        for role in (Role.SUBMITTER, Role.COMPLIANCE)
    ]


def test_an_answer_stands(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.take("customs-nl")
    ring.amend(report_id, sophie, source_grade=SourceGrade.A)
    ring.withdraw(report_id)
    correction, withdrawal = (row.public_id for row, _ in ring.recalls())
    with pytest.raises(InvalidRequestError) as refused:
        ring.answer("customs-nl", withdrawal, Rectification.CORRECTED)
    assert refused.value.extensions["errors"][0]["field"] == "json.done"
    ring.answer("customs-nl", correction, Rectification.CORRECTED)
    same = ring.answer("customs-nl", withdrawal, Rectification.KEPT_BY_LAW)
    ring.wait(hours=1)
    assert ring.answer("customs-nl", withdrawal, Rectification.KEPT_BY_LAW) == same
    for done in (Rectification.ERASED, None):
        with pytest.raises(RecallAnsweredError):
            ring.answer("customs-nl", withdrawal, done)
    for code, recall in (
        ("police-de", withdrawal),
        ("post-be", withdrawal),
        ("customs-nl", uuid4()),
    ):
        with pytest.raises(NotFoundError):
            ring.answer(code, recall)
    for state, done in (
        (AcknowledgementState.OPEN, None),
        (AcknowledgementState.ACKNOWLEDGED, Rectification.ERASED),
        (AcknowledgementState.COMPLETED, None),
    ):
        with pytest.raises(InvalidRequestError), ring.doing() as session:
            recall_answers.answer(
                session, ring.caller("customs-nl"), withdrawal, state=state, done=done
            )


def test_each_correction_is_to_be_answered_and_tells_what_is_right(ring: Ring) -> None:
    report_id, sophie, jan = ring.submit("k1", SOPHIE, JAN)
    ring.take("police-de")
    ring.amend(report_id, sophie, source_grade=SourceGrade.B)
    ring.wait(hours=1)
    ring.amend(report_id, sophie, source_grade=SourceGrade.A, tlp=Tlp.GREEN)
    ring.amend(report_id, sophie, source_grade=SourceGrade.A)  # stands so already
    later, earlier = ring.received("police-de")
    assert {later.indicator, earlier.indicator} == {sophie}
    assert earlier.kind is RecallKind.CORRECTION
    assert earlier.reason is RecallReason.WRONG_IDENTITY
    assert earlier.changes == {"source_grade": "B"}
    assert later.changes == {"source_grade": "A", "tlp": "GREEN"}
    assert later.changed == ["source_grade", "tlp"]
    ring.answer("police-de", later.id, Rectification.CORRECTED)
    assert [each.id for each in ring.received("police-de", recall_answers.TO_DO)] == [earlier.id]
    before = len(ring.notices("police-de", "recall"))
    ring.amend_report(report_id, barrier_step=5)
    found = [each for each in ring.received("police-de") if "barrier_step" in each.changed]
    assert {each.indicator for each in found} == {sophie, jan}
    assert all(each.changes == {"barrier_step": 5} for each in found)
    assert len(ring.notices("police-de", "recall")) == before + 2  # one for each of two roles


def test_a_correction_that_takes_it_out_of_sight_does_not_tell_what_is_right(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.take("police-de")
    ring.exchange.publish("post-be", "")
    ring.amend(report_id, sophie, source_grade=SourceGrade.C)
    (hidden,) = ring.received("police-de")
    assert (hidden.changed, hidden.changes) == (["source_grade"], None)
    assert ring.own()[0].changes == {"source_grade": "C"}
    ring.exchange.publish("post-be", FED)
    assert ring.received("police-de")[0].changes == {"source_grade": "C"}


def test_what_the_owner_may_not_know_of_reaches_the_recipient_alone(ring: Ring) -> None:
    ring.exchange.publish("post-be", FED + UNTOLD)
    hidden, sophie = ring.submit("k1", SOPHIE)
    ring.take("police-de")
    both, _ = ring.submit("k2", JAN)
    for code in ("police-de", "customs-nl"):
        ring.exchange.ask(code, JAN)
    ring.withdraw(hidden)
    ring.withdraw(both)
    (first, _), (second, _) = ring.recalls()
    own = ring.own()
    assert [each.id for each in own] == [second.public_id]
    with pytest.raises(NotFoundError), ring.doing() as session:
        recall_own.read(session, ring.caller("post-be"), first.public_id)
    assert [each.organisation.code for each in own[0].recipients] == ["customs-nl"]
    assert sophie == first.indicator
    for entry in ring.exchange.entries("recall.make"):
        assert entry.details["recipients"] == ["customs-nl"]
    assert ring.exchange.entries("recall.make")[-1].details["objects"] == [str(second.public_id)]
    ring.answer("customs-nl", second.public_id)
    assert ring.own(is_open=True) == []
    assert ring.recalls()[1][0].completed_at is None
    assert len(ring.notices("post-be", "recall.completed")) == 2
    ring.wait(days=8)
    with ring.doing() as session:
        assert recall_clock.remind(session) == 2
    for recall in (first, second):
        ring.answer("police-de", recall.public_id)
    assert all(row.completed_at for row, _ in ring.recalls())
    assert len(ring.notices("post-be", "recall")) == 2
    assert [entry.audience for entry in ring.exchange.entries("recall.answered")] == [["post-be"]]
    assert not any("post-be" in each.audience for each in ring.exchange.entries("recall.escalate"))


def test_a_suspended_recipient_must_answer_all_the_same(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    ring.take("police-fr")
    ring.set_status("police-fr", OrganisationStatus.SUSPENDED)
    ring.withdraw(report_id)
    (own,) = ring.own(is_open=True)
    (recipient,) = own.recipients
    assert recipient.is_suspended
    assert recipient.state is AcknowledgementState.OPEN
    ring.set_status("police-fr", OrganisationStatus.ACTIVE)
    ring.answer("police-fr", own.id)
    assert ring.own(is_open=True) == []


def test_reminders_come_at_half_the_time_and_the_officers_are_told_when_it_is_over(
    ring: Ring,
) -> None:
    report_id, *_ = ring.submit("k1", SOPHIE, JAN)
    ring.take("police-de")
    ring.take("customs-nl")
    ring.withdraw(report_id)
    ring.answer("customs-nl", ring.received("customs-nl")[0].id)
    told = {"police-de": 2, "customs-nl": 1}

    def remind() -> int:
        with ring.doing() as session:
            return recall_clock.remind(session)

    ring.wait(days=3, hours=11)
    assert remind() == 0
    ring.wait(hours=1)
    assert remind() == 3
    assert remind() == 0
    for code, count in told.items():
        assert ring.notices(code, "recall.reminder") == [
            ("recall.reminder", role, {"count": count}, "/recalls")
            for role in (Role.ANALYST, Role.COMPLIANCE)
        ]
    ring.answer("customs-nl", ring.received("customs-nl", recall_answers.TO_DO)[0].id)
    ring.wait(days=3, hours=12)
    assert ring.received("police-de")[0].is_overdue
    assert ring.own(is_open=True)[0].is_overdue
    assert remind() == 2
    assert remind() == 0
    overdue = ("recall.overdue", Role.COMPLIANCE, {"count": 2}, "/recalls")
    assert ring.notices("police-de", "recall.overdue") == [overdue]
    assert ring.notices("customs-nl", "recall.overdue") == []
    unanswered = ("recall.unanswered", Role.COMPLIANCE, {"count": 2}, "/recalls?box=own")
    assert ring.notices("post-be", "recall.unanswered") == [unanswered]
    for each in ring.received("police-de"):
        assert not ring.answer("police-de", each.id).is_overdue
    acts = [entry.audience for entry in ring.exchange.entries("recall.escalate")]
    assert acts == [["platform", "police-de"], ["platform", "post-be"]]


def test_the_ledger_goes_a_year_after_the_end_and_the_last_answer(ring: Ring) -> None:
    answered, sophie = ring.submit("k1", SOPHIE)
    _, jan = ring.submit("k2", JAN)
    ring.take("police-de")
    ring.withdraw(answered)
    ring.wait(days=300)
    ring.answer("police-de", ring.received("police-de")[0].id)

    def expire() -> tuple[int, set[UUID], int]:
        with ring.doing() as session:
            erased = recall_clock.expire(session)
        left = {row.indicator for row in ring.exchange.rows(select(Given))}
        return erased, left, len(ring.exchange.rows(select(Recall)))

    ring.wait(days=364)
    assert expire() == (0, {sophie, jan}, 1)
    ring.wait(days=2)
    assert expire() == (2, {jan}, 0)
    (entry,) = ring.exchange.entries("ledger.expire")
    assert (entry.audience, entry.details["objects"]) == (["platform", "post-be"], [str(sophie)])
    with ring.doing() as session:
        service.expire(session, ring.clock.at.date() + timedelta(days=4000))
    ring.wait(days=366)
    assert expire() == (1, set(), 0)
    open_still, jan = ring.submit("k3", JAN)
    ring.exchange.publish("post-be", FED + UNTOLD)
    unnamed, _ = ring.submit("k4", SOPHIE)
    ring.take("police-de")
    ring.withdraw(open_still)
    ring.withdraw(unnamed)
    ring.wait(days=4000)
    erased, left, recalls = expire()
    assert (erased, len(left), recalls) == (0, 2, 2)
    for each in ring.received("police-de"):
        ring.answer("police-de", each.id)
    ring.wait(days=366)
    assert expire() == (4, set(), 0)
    # Neither was named to the owner: it is not told that there was anything.
    assert ring.exchange.entries("ledger.expire")[-1].audience == ["platform"]


def test_lists_are_paged(ring: Ring) -> None:
    reports = [ring.submit(f"k{n}", SOPHIE)[0] for n in range(3)]
    ring.take("police-de")
    for report_id in reports:
        ring.wait(hours=1)
        ring.withdraw(report_id)
    every = [each.id for each in ring.received("police-de")]
    assert [each.id for each in ring.own()] == every
    police, post = ring.caller("police-de"), ring.caller("post-be")
    states = list(AcknowledgementState)
    with ring.doing() as session:
        page = recall_answers.received(session, police, states, 2)
        assert [each.id for each in page.recalls] == every[:2]
        rest = recall_answers.received(session, police, states, 2, page.next)
        assert ([each.id for each in rest.recalls], rest.next) == (every[2:], None)
        oldest = recall_answers.received(session, police, states, 2, oldest_first=True)
        assert [each.id for each in oldest.recalls] == every[:0:-1]
        rest = recall_answers.received(session, police, states, 2, oldest.next, oldest_first=True)
        assert [each.id for each in rest.recalls] == every[:1]
        mine = recall_own.own(session, post, is_open=None, limit=2)
        assert [each.id for each in mine.recalls] == every[:2]
        rest_of_mine = recall_own.own(session, post, is_open=None, limit=2, cursor=mine.next)
        assert ([each.id for each in rest_of_mine.recalls], rest_of_mine.next) == (every[2:], None)
