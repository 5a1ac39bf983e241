"""Cells are what counting record by record gives, each asked of Cedar by itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.barriers import closing
from app.barriers.board_cells import told_cells
from app.barriers.methods.disclosure_control import Part, closed_week, first_day, week_of
from app.barriers.told_counts import Counting, told_counts
from app.barriers.visible_counts import OWN, CellName, Counted, Kind, counted
from app.database import Database
from app.indicators.models import Report
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing.classes import ClassAttributes
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Concealment,
    LegalBasis,
    Purpose,
    Role,
    Sector,
    Substance,
)
from tests.app.barriers.stored_reports import CLASSES, Made, Named, plain, store
from tests.app.sharing.reference import reference_ruling
from tests.app.sharing.world import TODAY, World, moment

AT = moment(TODAY)
LAST = closed_week(AT.date())

_MEMBERS = {
    "post-be": Member("post-be", Sector.POST, "BE", ()),
    "courier-nl": Member("courier-nl", Sector.COURIER, "NL", ()),
    "customs-nl": Member("customs-nl", Sector.CUSTOMS, "NL", ()),
}
_POLICIES = {
    "post-be": """
@id("be/young") @label("Feed what is young") permit (principal, action, resource)
when { resource.ageBand <= 2 && resource.tlp != Tlp::"AMBER" };""",
    "courier-nl": """
@id("nl/old") @label("Feed what is not new") permit (principal, action, resource)
when { resource.ageBand >= 1 };
@id("nl/no-feed") @label("Addressees are not listed") forbid (principal, action == Action::"feed",
resource) when { resource.role == PartyRole::"addressee" };""",
    "customs-nl": """
@id("c/all") @label("Customs to operators") permit (principal, action, resource)
when { principal in Sector::"post" && context.purpose == Purpose::"risk_analysis" };""",
}
SEATS = tuple(
    Seat(member, Role.ANALYST, purpose, LegalBasis.POSTAL_LAW)
    for member in _MEMBERS.values()
    for purpose in (Purpose.RISK_ANALYSIS, Purpose.SERVICE_SECURITY)
)


_named = st.builds(
    Named,
    st.sampled_from(CLASSES),
    st.integers(0, 120),
    st.integers(-2, 25),
    st.sampled_from((None, None, ("BE", "bpost", "4020"), ("NL", "postnl", "7"))),
    st.sampled_from((False, False, False, True)),
)
_made = st.builds(
    Made,
    st.sampled_from(sorted(_MEMBERS)),
    st.sampled_from((None, 3, 5)),
    st.sampled_from((None, "NL", "BE")),
    st.sampled_from((None, "US")),
    st.sampled_from((None, Substance.MDMA)),
    st.sampled_from((None, Concealment.TOY)),
    st.integers(0, 2**32 - 1),
    st.sampled_from((0, 3, 20)),
    st.sampled_from((False, False, False, True)),
    st.lists(_named, min_size=1, max_size=3).map(tuple),
)
some_reports = st.lists(_made, min_size=3, max_size=15)


def test_cells_are_what_counting_record_by_record_gives(database: Database) -> None:
    world = made_world(database)

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(_made, min_size=5, max_size=25), st.integers(0, 6), st.sampled_from(SEATS))
    @example([plain("courier-nl", 8)], 0, SEATS[0])  # the week's last day is too young
    @example([plain("post-be", 87)], 2, SEATS[2])  # its first day is too old
    def same(reports: Sequence[Made], later: int, seat: Seat) -> None:
        _store(world, reports)
        with database.transaction() as session:
            closing.recount(session, AT)
        asked = AT + timedelta(days=later)
        profile = world.profile(seat.member.code, seat.purpose, seat.legal_basis)
        with database.reading() as session:
            mine = world.ids[seat.member.code]
            found = counted(session, mine, profile, asked, by_owner=True)
            together = counted(session, mine, profile, asked, by_owner=False)
        expected = _naive(world, reports, seat, asked.date())
        assert found == expected
        assert together.own == expected.own
        assert {name: _sum(cell) for name, cell in together.others.items()} == {
            name: _sum(cell) for name, cell in expected.others.items()
        }

    same()


def test_what_is_kept_is_what_would_be_counted_on_every_day(database: Database) -> None:
    """Records grow older and end; what was told last is told again only as long as it is right."""
    world = made_world(database)
    _store(
        world,
        [
            plain(owner, age, ends=age % 30)
            for owner in _MEMBERS
            for age in range(120)
            for _ in range(3)
        ],
    )
    with database.transaction() as session:
        closing.recount(session, AT)
    seen = set()
    for seat in SEATS[:2]:
        profile = world.profile(seat.member.code, seat.purpose, seat.legal_basis)
        for days in range(40):
            asked = Counting(world.ids[seat.member.code], profile, AT + timedelta(days=days), False)
            with database.transaction() as session:
                kept = told_counts(session, asked)
                cells = counted(session, asked.organisation_id, profile, asked.at, by_owner=False)
                assert kept.told == told_cells(cells, competes=False)
            seen.add(len(kept.told.others))
    assert len(seen) > 3


def test_who_is_suspended_is_not_counted_from_then_on(database: Database) -> None:
    world = made_world(database)
    _store(world, [plain("courier-nl", 20)])
    with database.transaction() as session:
        closing.recount(session, AT)
    profile = world.profile("post-be", Purpose.RISK_ANALYSIS, LegalBasis.POSTAL_LAW)
    with database.transaction() as session:
        assert counted(session, world.ids["post-be"], profile, AT, by_owner=False).others
        session.execute(
            update(Organisation)
            .where(Organisation.code == "courier-nl")
            .values(status=OrganisationStatus.SUSPENDED)
        )
        assert not counted(session, world.ids["post-be"], profile, AT, by_owner=False).others


def test_without_a_purpose_one_counts_ones_own_alone(database: Database) -> None:
    world = made_world(database)
    _store(world, [plain("courier-nl", 20), plain("post-be", 20)])
    with database.transaction() as session:
        closing.recount(session, AT)
        found = counted(session, world.ids["post-be"], None, AT, by_owner=False)
    assert found.own
    assert not found.others


def test_a_policy_of_a_month_is_no_rise(database: Database) -> None:
    """What is older is not counted, and the weeks before are not compared with those after."""
    world = made_world(database)
    _store(world, [plain("post-be", age) for age in range(5, 120)])
    profile = world.profile("courier-nl", Purpose.RISK_ANALYSIS, LegalBasis.POSTAL_LAW)
    with database.transaction() as session:
        closing.recount(session, AT)
        found = counted(session, world.ids["courier-nl"], profile, AT, by_owner=False)
        since = told_counts(
            session, Counting(world.ids["courier-nl"], profile, AT, False)
        ).steady_since
    weeks = {name.period for name in found.others if name.kind is Kind.ORIGIN_WEEK}
    assert (AT.date() - first_day(since)).days <= 89
    assert weeks == set(range(since, LAST + 1))


def test_nothing_changes_until_the_next_week_is_over(database: Database) -> None:
    world = made_world(database)
    _store(world, [plain("post-be", 20)])
    with database.transaction() as session:
        assert closing.close(session, AT) == 1
    _store(world, [plain("post-be", 20), plain("post-be", 20)])
    with database.transaction() as session:
        before = counted(session, world.ids["post-be"], None, AT, by_owner=False)
        assert closing.close(session, AT + timedelta(days=2)) == 0
        after = counted(session, world.ids["post-be"], None, AT, by_owner=False)
        assert before == after
        assert closing.close(session, AT + timedelta(days=3)) == 2


def made_world(database: Database) -> World:
    """The members with their policies."""
    world = World(database)
    for member in _MEMBERS.values():
        world.organisation(member.code, member.sector, member.country)
        world.publish(member.code, _POLICIES[member.code])
    return world


def _store(world: World, reports: Sequence[Made]) -> None:
    """These reports and no others."""
    with world.database.transaction() as session:
        ours = list(world.reports.values())
        session.execute(delete(Report).where(Report.id.not_in(ours)))
    store_more(world, reports, AT)


def store_more(world: World, reports: Sequence[Made], at: datetime) -> list[int]:
    """These reports too, as of a moment; their keys."""
    if not reports:
        return []
    with world.database.transaction() as session:
        ours = list(world.reports.values())
        people = session.execute(
            select(Report.organisation_id, Report.person_id).where(Report.id.in_(ours))
        )
        codes = {number: code for code, number in world.ids.items()}
        owners = {codes[owner]: (owner, person) for owner, person in people}
        return store(session, reports, at, owners)


def _naive(world: World, reports: Sequence[Made], seat: Seat, today: date) -> Counted:
    """Record by record: each week's first and last day is asked of Cedar."""
    found = Counted()
    for report in reports:
        if report.is_withdrawn or AT - timedelta(days=report.sent) >= _midnight(LAST + 1):
            continue
        seen = [each for each in report.indicators if _is_seen(report.owner, each, seat, today)]
        is_own = report.owner == seat.member.code
        owner = OWN if is_own else str(world.ids[report.owner])
        part = Part(1, report.key)
        for name in _cells(report, seen):
            found.add(name, owner, part)
    return found


def _cells(report: Made, seen: Sequence[Named]) -> list[CellName]:
    if not seen:
        return []
    week = min(map(_week, seen))
    step, four = report.step or 0, week // 4
    origin, destination = report.origin or "", report.destination or ""
    substance, concealment = report.substance or "", report.concealment or ""
    names = [
        CellName(Kind.STEP_CORRIDOR, four, step, (origin, destination)),
        CellName(Kind.STEP_SUBSTANCE, four, step, (substance,)),
        CellName(Kind.STEP_CONCEALMENT, four, step, (concealment,)),
        CellName(Kind.CORRIDOR_SUBSTANCE, four, 0, (origin, destination, substance)),
        CellName(Kind.ORIGIN_WEEK, week, 0, (origin,)),
    ]
    for place in {each.place for each in seen if each.place}:
        first = min(_week(each) for each in seen if each.place == place)
        names.append(CellName(Kind.POINT, first // 4, 0, place))
    return names


def _is_seen(owner: str, named: Named, seat: Seat, today: date) -> bool:
    week = _week(named)
    expires = AT.date() + timedelta(days=named.expires_in)
    ends = first_day(week_of(expires))
    if named.is_restricted or not 0 <= week <= LAST:
        return False
    if not (ends > first_day(LAST + 1) and ends > today):
        return False
    if owner == seat.member.code:
        return True
    return all(
        _may_count(owner, named.attributes, (today - first_day(week)).days - end, seat)
        for end in (0, 6)
    )


@cache
def _may_count(owner: str, attributes: ClassAttributes, age: int, seat: Seat) -> bool:
    ruling = reference_ruling(seat, _MEMBERS[owner], _POLICIES[owner], attributes, age)
    return ruling.level >= 2 and ruling.may_feed


def _week(named: Named) -> int:
    return week_of(AT.date() - timedelta(days=named.age))


def _midnight(week: int) -> datetime:
    return datetime.combine(first_day(week), datetime.min.time(), UTC)


def _sum(cell: Mapping[str, Part]) -> Part:
    whole = Part(0, 0)
    for part in cell.values():
        whole = whole.plus(part)
    return whole
