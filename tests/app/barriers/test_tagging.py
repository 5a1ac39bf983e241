"""Tags: suggested with a reason, decided by a person, kept with the version they were made by."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.barriers import tagging
from app.barriers.models import StepTag, StepTagSignal
from app.barriers.refusals import ModelChangedError, TooManyTagsError
from app.barriers.tagging import Subject, Tag
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import holds
from app.indicators import service as indicators
from app.indicators.amending import ReportEndedError
from app.indicators.models import Report
from app.sharing.models import ShareClass
from postern.vocabulary import HoldReason
from tests.app.barriers.ground import load, make_ground, submitted, upkeep
from tests.app.barriers.texts import changed
from tests.app.exchange import Exchange
from tests.app.patterns.writing import act, published

GIFT = {"declared_category": "gift", "destination_country": "NO"}


@pytest.fixture
def ground(app: Flask) -> Exchange:
    return make_ground(app)


def tag(exchange: Exchange, report: UUID, step: int | None, *signals: str) -> list[Tag]:
    caller = exchange.caller("post-be")
    return act(exchange, tagging.tag, caller, Subject.REPORT, report, step, signals)


def step_of(exchange: Exchange) -> int | None:
    (report,) = exchange.rows(select(Report))
    found: int | None = report.barrier_step
    return found


def test_a_suggestion_says_why_and_is_nothing_until_somebody_takes_it(ground: Exchange) -> None:
    report = submitted(ground, "post-be", **GIFT)
    found = act(ground, tagging.suggest, ground.caller("post-be"), report)
    assert (found.steps, [each.signal for each in found.signals]) == ([1], ["norway-gifts"])
    assert found.signals[0].reason("en") == (
        "Suggested because: declared category: gift; country of destination: NO; "
        "how it was learned: from the outside of the item."
    )
    assert ground.rows(select(StepTag)) == []
    assert step_of(ground) is None
    plain = submitted(ground, "post-be", "k2", declared_category="documents")
    found = act(ground, tagging.suggest, ground.caller("post-be"), plain)
    assert (found.steps, found.signals) == ([], ())


def test_a_tag_keeps_what_was_taken_and_what_was_rejected_and_the_report_follows(
    ground: Exchange,
) -> None:
    report = submitted(ground, "post-be", **GIFT)
    (made,) = tag(ground, report, 2)
    assert (made.step, made.signals, made.rejected) == (2, [], ["norway-gifts"])
    assert step_of(ground) == 2
    (newest, older) = tag(ground, report, 1, "norway-gifts")
    assert (newest.step, newest.rejected, older.step) == (1, [], 2)
    (signal,) = newest.signals
    assert signal.suggestion is not None
    assert "gift" in signal.suggestion.reason("en")
    assert step_of(ground) == 1
    # The class by which policies decide has the step too.
    classes = ground.rows(select(ShareClass).order_by(ShareClass.id))
    assert [each.attributes["barrier_step"] for each in classes] == [0, 2, 1]
    tag(ground, report, None)
    assert step_of(ground) is None
    first, *_ = ground.entries("step.tag")
    assert first.details["rejected"] == ["norway-gifts"]
    assert first.audience == ["post-be"]


def test_a_signal_that_no_rule_suggested_is_the_persons_own(ground: Exchange) -> None:
    report = submitted(ground, "post-be", declared_category="documents")
    (made,) = tag(ground, report, 1, "norway-gifts", "norway-gifts")
    assert [(each.key, each.suggestion) for each in made.signals] == [("norway-gifts", None)]


def test_a_tag_stays_with_the_version_that_it_was_made_by(ground: Exchange) -> None:
    report = submitted(ground, "post-be", **GIFT)
    tag(ground, report, 1, "norway-gifts")
    later = changed("version: 1", "version: 2", changed("norway-gifts", "gifts-north"))
    load(ground, later)
    caller = ground.caller("post-be")
    (kept,) = act(ground, tagging.tags, caller, Subject.REPORT, report)
    assert (kept.version, [each.key for each in kept.signals]) == (1, ["norway-gifts"])
    with pytest.raises(ModelChangedError):
        act(ground, tagging.tag, caller, Subject.REPORT, report, 1, ["gifts-north"], 1)
    with pytest.raises(InvalidRequestError):
        tag(ground, report, 1, "norway-gifts")
    with pytest.raises(InvalidRequestError):
        tag(ground, report, 3)
    assert len(act(ground, tagging.tags, caller, Subject.REPORT, report)) == 1


def test_patterns_of_ones_own_are_tagged_and_nobody_elses(ground: Exchange) -> None:
    pattern = published(ground, "police-de")
    police, post = ground.caller("police-de"), ground.caller("post-be")
    (made,) = act(ground, tagging.tag, police, Subject.PATTERN, pattern, 2, ["norway-gifts"])
    assert made.step == 2
    for caller, subject in ((post, Subject.PATTERN), (police, Subject.OUTCOME)):
        with pytest.raises(NotFoundError):
            act(ground, tagging.tag, caller, subject, pattern, 2, [])
        with pytest.raises(NotFoundError):
            act(ground, tagging.tags, caller, subject, pattern)
    report = submitted(ground, "post-be")
    verbs: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = (
        (tagging.suggest, (report,)),
        (tagging.tags, (Subject.REPORT, report)),
        (tagging.tag, (Subject.REPORT, report, 1, [])),
        (tagging.suggest, (uuid4(),)),
    )
    for verb, given in verbs:
        with pytest.raises(NotFoundError):
            act(ground, verb, police, *given)


def test_a_tag_goes_with_its_report_unless_a_hold_keeps_it(ground: Exchange) -> None:
    kept, gone = submitted(ground, "post-be", "k1"), submitted(ground, "post-be", "k2")
    caller = ground.caller("post-be")
    for report in (kept, gone):
        tag(ground, report, 1, "norway-gifts")
    until = clock.now().date() + timedelta(days=3)
    why = HoldReason.PROCEEDINGS
    hold = act(ground, holds.place, caller, kept, reason=why, until=until, case="")
    for report in (kept, gone):
        act(ground, indicators.withdraw, caller, report, "other")
    (left,) = ground.rows(select(StepTag))
    assert len(ground.rows(select(StepTagSignal))) == 1
    assert act(ground, tagging.tags, caller, Subject.REPORT, gone) == []
    with pytest.raises(ReportEndedError):
        tag(ground, gone, 1)
    # When the hold has ended the indicators go, and then the tag.
    assert upkeep(ground, tagging.erase) == 0
    act(ground, holds.release, caller, hold.id)
    with ground.app.app_context(), ground.database.transaction() as session:
        indicators.expire(session, clock.now().date())
    assert upkeep(ground, tagging.erase) == 1
    assert ground.rows(select(StepTag.id).where(StepTag.id == left.id)) == []
    assert ground.rows(select(StepTagSignal)) == []


def test_a_tag_never_changes(ground: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    report = submitted(ground, "post-be")
    tag(ground, report, 1, "norway-gifts")
    for statement in (
        "UPDATE step_tag SET step = 2",
        "UPDATE step_tag_signal SET signal = 'other'",
    ):
        with (
            pytest.raises(DBAPIError, match="never changes"),
            ground.database.engine.begin() as connection,
        ):
            connection.execute(text(statement))
    monkeypatch.setattr(tagging, "MOST_TAGS", 1)
    with pytest.raises(TooManyTagsError):
        tag(ground, report, 2)
    assert step_of(ground) == 1
