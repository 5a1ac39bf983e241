"""Outcomes: who was given something may tell what became of it, and its owner always learns it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.disclosures import outcome_reading, outcomes, reliability
from app.disclosures.models import Outcome
from app.disclosures.outcome_reading import Tally
from app.disclosures.outcomes import Told
from app.disclosures.reliability import Group
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import service
from app.indicators.ledger import METADATA, Gift, note_given
from postern.vocabulary import (
    Kind,
    Learned,
    OutcomeResult,
    Role,
    Sector,
    SourceGrade,
    Step,
    Substance,
    Unit,
    Way,
)
from tests.app.disclosures.ring import CASE, FED, NOON, UNTOLD, Ring, open_ring
from tests.app.exchange import JAN, SOPHIE

YES, NO, UNKNOWN = Step.YES, Step.NO, Step.UNKNOWN
FOUND, NOT_FOUND = OutcomeResult.FOUND, OutcomeResult.NOT_FOUND


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


def test_the_owner_learns_what_became_of_its_report(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.take("police-de")
    made = ring.tell(
        "police-de", sophie, substance=Substance.MDMA, quantity=Decimal("12.5"), unit=Unit.GRAM
    )
    assert (made.indicator, made.replaces) == (sophie, None)
    facts = {"organisation": "police-de", "result": "found", "substance": "mdma"}
    assert ring.notices("post-be", "outcome") == [
        ("outcome.told", Role.SUBMITTER, facts, f"/outcomes?report={report_id}")
    ]
    (own,) = ring.exchange.entries("outcome.tell")
    assert (own.audience, own.details["case"]) == (["police-de"], CASE)
    assert own.details["objects"] == [str(made.id), str(sophie)]
    (told,) = ring.exchange.entries("outcome.told")
    assert told.audience == ["post-be"]
    assert not {"actor", "case"} & told.details.keys()
    assert (told.details["teller"], told.details["result"]) == ("police-de", "found")
    with ring.doing() as session:
        (shown,) = outcome_reading.on_own(session, ring.caller("post-be"), limit=9).outcomes
        (same,) = outcome_reading.told(session, ring.caller("police-de"), 9).outcomes
    assert (shown.other.code, shown.report) == ("police-de", report_id)
    assert (same.other.code, same.report) == ("post-be", None)
    assert (shown.quantity, shown.unit, shown.substance) == (
        Decimal("12.500"),
        Unit.GRAM,
        Substance.MDMA,
    )


def test_only_who_was_given_it_or_owns_it_may_tell(ring: Ring) -> None:
    _, sophie = ring.submit("k1", SOPHIE)
    ring.take("police-de")
    for code, indicator in (("police-fr", sophie), ("police-de", uuid4())):
        with pytest.raises(NotFoundError):
            ring.tell(code, indicator)
        with ring.doing() as session:
            organisation_id = ring.exchange.organisation_id(code)
            assert not outcomes.may_tell(session, organisation_id, indicator)
    with pytest.raises(NotFoundError), ring.doing() as session:
        outcomes.tell(
            session,
            ring.caller("police-de"),
            indicator=sophie,
            case=CASE,
            told=Told(NO, NO, NO, NO, NOT_FOUND),
            request=uuid4(),
        )
    ring.tell("post-be", sophie, NOT_FOUND)
    assert len(ring.notices("post-be", "outcome")) == 1
    assert ring.exchange.entries("outcome.told") == []  # it is its own owner
    with ring.doing() as session:
        (own,) = outcome_reading.on_own(session, ring.caller("post-be"), limit=9).outcomes
        assert own.other.code == "post-be"
        assert outcome_reading.recent_count(session, ring.exchange.organisation_id("post-be")) == 0


def test_a_later_outcome_of_the_same_teller_takes_the_place_of_the_earlier(ring: Ring) -> None:
    report_id, sophie, jan = ring.submit("k1", SOPHIE, JAN)
    ring.wait(seconds=1)
    other, again = ring.submit("k2", SOPHIE)
    for code in ("police-de", "customs-nl"):
        ring.take(code)
    first = ring.tell("police-de", sophie, OutcomeResult.PENDING, NO)
    ring.tell("customs-nl", sophie, NOT_FOUND)
    ring.tell("police-de", jan, OutcomeResult.ERROR, UNKNOWN)
    ring.tell("police-de", again, NOT_FOUND, located=YES, held=NO)
    ring.wait(hours=2)
    last = ring.tell("police-de", sophie, substance=Substance.MDMA)
    assert last.replaces == first.id
    rows = {row.public_id: row for row in ring.exchange.rows(select(Outcome))}
    assert rows[first.id].replaced_at == ring.clock.at
    assert [row.replaced_at for row in rows.values()].count(None) == 4
    post = ring.caller("post-be")
    with ring.doing() as session:
        of_one = outcome_reading.on_own(session, post, indicator=sophie, limit=9).outcomes
        assert of_one[0].id == last.id
        assert len(of_one) == 3
        assert len(outcome_reading.on_own(session, post, report=report_id, limit=9).outcomes) == 4
        page = outcome_reading.on_own(session, post, report=report_id, limit=3)
        rest = outcome_reading.on_own(session, post, report=report_id, limit=3, cursor=page.next)
        assert (len(page.outcomes), len(rest.outcomes), rest.next) == (3, 1, None)
        strangers = outcome_reading.on_own(session, ring.caller("police-fr"), report=other, limit=9)
        assert strangers.outcomes == []
        assert outcome_reading.recent_count(session, ring.exchange.organisation_id("post-be")) == 5
        became = outcome_reading.became(session, post, 1)
        following = outcome_reading.became(session, post, 1, became.next)
    assert (became.reports, became.with_outcome) == (2, 2)
    assert became.tally == Tally(4, 3, 3, 2, 3, 1, 2, 1, 0)
    assert [row.report for row in became.rows] == [other]
    assert [row.report for row in following.rows] == [report_id]
    assert following.rows[0].latest.id == last.id
    assert following.rows[0].tally == Tally(3, 2, 2, 2, 2, 1, 1, 1, 0)
    assert following.rows[0].created_at == NOON
    assert following.next is None


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"located": NO}, ["located", "located"]),
        ({"located": UNKNOWN, "held": NO}, ["located"]),
        ({"located": NO, "examined": NO, "result": NOT_FOUND}, ["located"]),
        ({"examined": NO}, ["examined"]),
        ({"examined": UNKNOWN}, ["examined"]),
        ({"result": NOT_FOUND, "substance": Substance.MDMA}, ["substance"]),
        ({"quantity": Decimal(1), "unit": Unit.GRAM}, ["substance"]),
        ({"quantity": Decimal(1), "substance": Substance.MDMA}, ["unit"]),
        ({"unit": Unit.GRAM, "substance": Substance.MDMA}, ["quantity"]),
        *(
            ({"substance": Substance.LSD, "quantity": Decimal(n), "unit": Unit.PIECE}, ["quantity"])
            for n in ("0", "-1", "100000000000")
        ),
        ({}, []),
        ({"substance": Substance.LSD}, []),
        (
            {
                "substance": Substance.LSD,
                "quantity": Decimal("99999999999.999"),
                "unit": Unit.MILLILITRE,
            },
            [],
        ),
        ({"asked": NO, "held": NO, "result": OutcomeResult.ERROR}, []),
        (dict.fromkeys(("located", "held", "examined"), NO) | {"result": NOT_FOUND}, []),
    ],
)
def test_an_outcome_does_not_contradict_itself(more: dict[str, Any], fields: list[str]) -> None:
    steps = dict.fromkeys(("asked", "located", "held", "examined"), YES)
    told = Told(**{**steps, "result": FOUND, **more})
    found = list(outcomes.faults(told))
    assert [each["field"].removeprefix("json.") for each in found] == fields
    assert all(each["reason"].endswith(".") for each in found)


def test_what_contradicts_itself_is_refused(ring: Ring) -> None:
    _, sophie = ring.submit("k1", SOPHIE)
    with pytest.raises(InvalidRequestError):
        ring.tell("post-be", sophie, FOUND, NO)
    assert ring.exchange.rows(select(Outcome)) == []


def test_what_has_ended_can_still_be_told_of_by_who_was_given_it(ring: Ring) -> None:
    withdrawn, sophie = ring.submit("k1", SOPHIE)
    expired, jan = ring.submit("k2", JAN)
    unshared, alone = ring.submit("k3", SOPHIE)
    with ring.doing() as session:
        service.withdraw(session, ring.caller("post-be"), unshared, "error")
    ring.take("police-de")
    ring.withdraw(withdrawn)
    with ring.doing() as session:
        service.expire(session, (NOON + timedelta(days=4000)).date())
    for indicator in (sophie, jan):
        ring.tell("police-de", indicator, OutcomeResult.ERROR, NO)
        ring.tell("post-be", indicator, OutcomeResult.ERROR, NO)
    rows = ring.exchange.rows(select(Outcome))
    assert {row.report for row in rows} == {withdrawn, expired}
    for row in rows:
        assert (row.kind, row.learned) == (Kind.PARTY, Learned.OUTSIDE_OF_ITEM)
        assert (row.source_grade, row.barrier_step) == (SourceGrade.X, 3)
    with pytest.raises(NotFoundError):
        ring.tell("post-be", alone)
    ring.exchange.publish("post-be", FED + UNTOLD)
    hidden, sophie = ring.submit("k4", SOPHIE)
    ring.take("police-de")
    ring.withdraw(hidden)
    with pytest.raises(NotFoundError):  # else the owner would learn that somebody has it
        ring.tell("post-be", sophie, NOT_FOUND)
    ring.tell("police-de", sophie, NOT_FOUND)


def test_old_outcomes_are_erased(ring: Ring) -> None:
    _, sophie = ring.submit("k1", SOPHIE)
    made = ring.tell("post-be", sophie)

    def expire() -> int:
        with ring.doing() as session:
            return outcomes.expire(session)

    ring.wait(days=5 * 365)
    assert expire() == 0
    ring.wait(days=1)
    assert (expire(), expire()) == (1, 0)
    assert ring.exchange.rows(select(Outcome)) == []
    (entry,) = ring.exchange.entries("outcome.expire")
    assert (entry.audience, entry.details["objects"]) == (["platform", "post-be"], [str(made.id)])


def many(ring: Ring, teller: str, count: int, **more: Any) -> None:
    """Outcomes of as many indicators of post-be, all given to every police force and customs."""
    steps = dict.fromkeys(("asked", "located", "held", "examined"), YES)
    known = {
        "kind": Kind.PARTY,
        "learned": Learned.OUTSIDE_OF_ITEM,
        "source_grade": SourceGrade.B,
        "barrier_step": 4,
    }
    with ring.doing() as session:
        for _ in range(count):
            indicator = uuid4()
            owner_id = ring.exchange.organisation_id("post-be")
            for code in ("police-de", "police-fr"):
                recipient = ring.exchange.organisation_id(code)
                gift = Gift(indicator, owner_id, METADATA)
                note_given(session, recipient, Way.FEED, [gift], ring.clock.at)
            session.add(
                Outcome(
                    public_id=uuid4(),
                    indicator=indicator,
                    report=uuid4(),
                    owner_id=owner_id,
                    teller_id=ring.exchange.organisation_id(teller),
                    person=ring.caller(teller).person,
                    **{**steps, **known, "result": FOUND, "made_at": ring.clock.at, **more},
                )
            )


def test_reliability_is_told_by_what_one_may_know(ring: Ring) -> None:
    many(ring, "police-de", 12)
    many(ring, "police-de", 8, result=NOT_FOUND)
    many(ring, "police-fr", 6, source_grade=SourceGrade.A, barrier_step=None)
    many(ring, "police-fr", 3, source_grade=SourceGrade.C)
    many(ring, "police-de", 9, replaced_at=ring.clock.at)

    def read(code: str) -> reliability.Reliability:
        with ring.doing() as session:
            return reliability.read(session, ring.caller(code))

    own = read("post-be")
    group = Group(SourceGrade.B, Learned.OUTSIDE_OF_ITEM, Kind.PARTY, 4)
    best = Group(SourceGrade.A, Learned.OUTSIDE_OF_ITEM, Kind.PARTY, None)
    # The three of source C are told with the smallest of the others: no row has less than five.
    assert [(row.key, row.told, row.found) for row in own.own.rows] == [
        (group, 20, 12),
        (None, 9, 9),
    ]
    assert own.own.total
    assert (own.own.total.told, own.own.total.found) == (29, 21)
    assert own.own.rows[0].precision
    assert own.own.rows[0].precision.share == 0.6
    assert (list(own.told.rows), list(own.others)) == ([], [])
    german = read("police-de")
    assert german.own.rows == ()
    assert [(row.key, row.told) for row in german.told.rows] == [(group, 20)]
    # What it told itself is not in what others told.
    ((sector, others),) = [(each.sector, each.table) for each in german.others]
    assert sector is Sector.POST
    assert [(row.key, row.told) for row in others.rows] == [(None, 9)]
    french = read("police-fr")
    assert [(row.key, row.told) for row in french.others[0].table.rows] == [(group, 20)]
    nobody = read("customs-nl")  # it was given nothing
    assert (list(nobody.own.rows), list(nobody.told.rows), list(nobody.others)) == ([], [], [])
    many(ring, "police-fr", 2, source_grade=SourceGrade.A, barrier_step=None)
    assert [row.key for row in read("post-be").own.rows] == [group, None]
    many(ring, "police-fr", 2, source_grade=SourceGrade.C)
    assert [row.key for row in read("post-be").own.rows][:2] == [best, group]
