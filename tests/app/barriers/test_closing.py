"""Counting what has changed gives what counting all gives; a closing is read once it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.barriers import closing, noting, recounting, tagging
from app.barriers.counting import number_of_day
from app.barriers.methods.disclosure_control import closed_week
from app.barriers.stat_models import StatCell, StatChange, StatClosing, StatIntake
from app.barriers.visible_counts import Counted, counted
from app.clock import now
from app.database import Database
from app.indicators import service as indicators
from app.indicators.amending import Correction, amend_report
from app.indicators.hooks import Amended, Ending
from app.indicators.models import Indicator, Report, ReportStatus
from postern.vocabulary import LegalBasis, Purpose, RecallReason, Substance
from tests.app.barriers.ground import make_ground, submitted
from tests.app.barriers.stored_reports import Made, plain
from tests.app.barriers.test_visible_counts import AT, made_world, some_reports, store_more
from tests.app.patterns.writing import act
from tests.app.sharing.world import World

_CHANGES = ("amended", "moved", "withdrawn", "restricted", "erased")
_WEEK = timedelta(weeks=1)


def test_counting_what_has_changed_is_counting_all(database: Database) -> None:
    """Whatever was changed, withdrawn, erased and told, or ended, in one or more weeks."""
    world = made_world(database)

    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(
        some_reports,
        some_reports,
        st.lists(st.tuples(st.integers(0, 99), st.sampled_from(_CHANGES)), min_size=2, max_size=6),
        st.integers(1, 3),
        st.sampled_from((1, 5, 1000)),
    )
    def same(
        before: Sequence[Made],
        after: Sequence[Made],
        changes: Sequence[tuple[int, str]],
        weeks: int,
        most: int,
    ) -> None:
        later = AT + weeks * _WEEK
        with database.transaction() as session:
            _forget(session, world)
        # The last day is counted again by itself: nothing but the notes tells of the days before.
        store_more(world, [plain("customs-nl", 3)], AT)
        ids = store_more(world, [replace(each, sent=20 + each.sent) for each in before], AT)
        with database.transaction() as session:
            closing.close(session, AT)
            for place, change in changes if ids else ():
                _change(session, ids[place % len(ids)], change, later)
        store_more(world, [each for each in after if each.sent < 7 * weeks], later)
        with database.transaction() as session:
            _sweep(session, later)
        while True:
            with database.transaction() as session:
                closing.close(session, later, most)
                if closing.newest_closing(session) == closed_week(later.date()):
                    break
        profiles = {
            organisation_id: world.profile(code, Purpose.RISK_ANALYSIS, LegalBasis.POSTAL_LAW)
            for code, organisation_id in world.ids.items()
        }
        with database.transaction() as session:
            assert recounting.compare(session, later).differences == ()
            step_by_step = _seen(session, profiles, later)
            closing.recount(session, later)
            assert _seen(session, profiles, later) == step_by_step

    same()


def test_a_closing_is_read_when_it_is_done(database: Database) -> None:
    world = made_world(database)
    store_more(world, [plain("post-be", 1), plain("post-be", 8), plain("courier-nl", 8)], AT)
    with database.transaction() as session:
        while closing.newest_closing(session) is None:
            assert not _own(session, world, AT).own
            assert closing.close(session, AT, most=1) in {0, 1, 2}
        first = _own(session, world, AT)
    later = AT + _WEEK
    store_more(world, [plain("post-be", 3), plain("post-be", 3)], later)
    with database.transaction() as session:
        closing.close(session, later, most=1)
        assert closing.newest_closing(session) == closed_week(AT.date())
        assert _own(session, world, AT) == first
        while closing.newest_closing(session) != closed_week(later.date()):
            closing.close(session, later, most=1)
        assert _own(session, world, later) != first
        assert closing.close(session, later) == 0


def test_a_closing_that_was_not_done_in_its_week_is_part_of_the_next_one(
    database: Database,
) -> None:
    world = made_world(database)
    reports = [plain("post-be", age) for age in (8, 15, 22, 29)]
    store_more(world, reports, AT)
    later = AT + _WEEK
    with database.transaction() as session:
        closing.close(session, AT, most=1)
        assert closing.newest_closing(session) is None
        closing.close(session, later)
        assert session.scalars(select(StatClosing.week)).all() == [closed_week(later.date())]
        assert session.scalar(select(func.sum(StatCell.count))) == len(reports)


def test_only_what_is_new_or_has_changed_is_counted(database: Database) -> None:
    world = made_world(database)
    (changed, *_) = store_more(
        world, [plain("post-be", 36), plain("post-be", 36), plain("courier-nl", 22)], AT
    )
    with database.transaction() as session:
        assert closing.close(session, AT) == 3
        _change(session, changed, "amended", AT)
        assert closing.close(session, AT + _WEEK) == 2 + _of_the_last_day(session)
        assert closing.close(session, AT + 2 * _WEEK) == _of_the_last_day(session) == 1


def test_a_difference_is_told_and_mended_by_the_next_closing(database: Database) -> None:
    world = made_world(database)
    store_more(world, [plain("post-be", 22), plain("post-be", 22), plain("courier-nl", 36)], AT)
    with database.transaction() as session:
        closing.close(session, AT)
        right = _own(session, world, AT)
        ours = select(StatIntake.id).where(StatIntake.organisation_id == world.ids["post-be"])
        session.execute(
            update(StatCell).where(StatCell.intake_id.in_(ours)).values(count=StatCell.count + 1)
        )
        wrong = _own(session, world, AT)
        found = recounting.compare(session, AT)
        assert found.compared == session.scalar(select(func.count()).select_from(StatIntake))
        (difference,) = found.differences
        assert (difference.stored, difference.counted) == (3, 2)
        assert _own(session, world, AT) == wrong != right  # until Monday
        assert recounting.compare(session, AT).compared == 0  # once for each closing
        closing.close(session, AT + _WEEK)
        assert _own(session, world, AT) == right
        assert recounting.compare(session, AT + _WEEK).differences == ()


def test_what_is_changed_after_the_closing_is_no_difference(database: Database) -> None:
    world = made_world(database)
    (changed, _) = store_more(world, [plain("post-be", 22), plain("courier-nl", 36)], AT)
    with database.transaction() as session:
        closing.close(session, AT)
        _change(session, changed, "amended", AT)
        found = recounting.compare(session, AT)
        intakes = session.scalars(select(func.count()).select_from(StatIntake)).one()
    assert (found.compared, found.differences) == (intakes - 1, ())


def _change(session: Session, report_id: int, change: str, at: datetime) -> None:
    """As the verbs do it: with the hooks that the verbs call, before or after."""
    indicators = session.execute(
        select(Indicator.public_id, Indicator.organisation_id)
        .where(Indicator.report_id == report_id)
        .order_by(Indicator.id)
    ).all()
    if not indicators:
        return
    owner = indicators[0].organisation_id
    ids = [each.public_id for each in indicators]
    of_report = update(Report).where(Report.id == report_id)
    if change in {"withdrawn", "restricted", "erased"}:
        noting.on_ending(session, CONSOLE, Ending(owner, at, ids, RecallReason.OTHER))
    match change:
        case "amended":
            session.execute(of_report.values(barrier_step=7, substance=None))
        case "moved":
            moved = update(Indicator).where(Indicator.public_id == ids[0])
            session.execute(moved.values(seen_day=Indicator.seen_day - 9, expires_on=at.date()))
        case "withdrawn":
            session.execute(of_report.values(status=ReportStatus.WITHDRAWN))
        case "restricted":
            restricted = update(Indicator).where(Indicator.report_id == report_id)
            session.execute(restricted.values(restricted_at=at))
        case "erased":
            session.execute(delete(Indicator).where(Indicator.public_id.in_(ids[:1])))
    if change in {"amended", "moved"}:
        amended = Amended(owner, at, ids[0], {}, RecallReason.OTHER)
        noting.on_amended(session, CONSOLE, amended)


def _sweep(session: Session, at: datetime) -> None:
    """Erase what is over: no note is made of it."""
    session.execute(delete(Indicator).where(Indicator.expires_on <= at.date()))


def _forget(session: Session, world: World) -> None:
    ours = list(world.reports.values())
    session.execute(delete(Report).where(Report.id.not_in(ours)))
    for model in (StatIntake, StatClosing, StatChange):
        session.execute(delete(model))


def _seen(session: Session, profiles: Mapping[int, int], at: datetime) -> list[Counted]:
    return [
        counted(session, organisation_id, profile, at + timedelta(days=days), by_owner=True)
        for organisation_id, profile in profiles.items()
        for days in (0, 5, 30)
    ]


def _own(session: Session, world: World, at: datetime) -> Counted:
    return counted(session, world.ids["post-be"], None, at, by_owner=False)


def _of_the_last_day(session: Session) -> int:
    """Reports of the last day on which any were told: it is counted each time."""
    newest: Any = select(func.max(StatIntake.day)).scalar_subquery()
    told = select(func.coalesce(func.sum(StatIntake.reports), 0)).where(StatIntake.day == newest)
    return session.scalars(told).one()


def test_every_verb_that_changes_a_report_notes_its_day(app: Flask) -> None:
    exchange = make_ground(app)
    ids = {key: submitted(exchange, "post-be", key) for key in ("amend", "tag", "withdraw", "none")}
    analyst = exchange.caller("post-be")
    assert not exchange.rows(select(StatChange))
    act(
        exchange,
        amend_report,
        analyst,
        ids["amend"],
        Correction({"substance": Substance.KETAMINE}, RecallReason.OTHER),
    )
    assert len(exchange.rows(select(StatChange))) == 1
    act(exchange, tagging.tag, analyst, tagging.Subject.REPORT, ids["tag"], None, [])
    assert len(exchange.rows(select(StatChange))) == 2
    act(exchange, indicators.withdraw, analyst, ids["withdraw"], "error")
    changes = exchange.rows(select(StatChange))
    assert len(changes) == 3
    assert {(each.organisation_id, each.day) for each in changes} == {
        (exchange.organisation_id("post-be"), number_of_day(now().date()))
    }
