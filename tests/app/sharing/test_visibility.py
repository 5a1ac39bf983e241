"""The one predicate: equal to Cedar asked row by row, closed by default, and alone."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import (
    Connection,
    Insert,
    Table,
    func,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql

from app.access import CONSOLE
from app.database import Database
from app.indicators.models import Indicator
from app.organisations import service as organisations
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing import reasons, visibility
from app.sharing.classes import ClassAttributes
from app.sharing.eras import second
from app.sharing.models import ShareGrant
from app.sharing.reasons import Decided
from app.sharing.rules import cedar
from app.sharing.seats import Member, Seat
from app.sharing.templates import template
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Tlp,
)
from tests.app.sharing.reference import Expected, reference_ruling
from tests.app.sharing.world import (
    EVERYTHING_TO_POLICE,
    POLICIES,
    TODAY,
    World,
    like,
    moment,
    token_of,
    trio,
)
from tests.app.statements import executed

APP = Path(__file__).parent.parent.parent.parent / "app"


def _demonstrated(code: str) -> str:
    return (POLICIES / "demo" / f"{code}.cedar").read_text("utf-8")


def _made(template_id: str, code: str, country: str) -> str:
    """The text that a template makes for an owner who names that country."""
    return cedar(template(template_id).rules(country), code)


_MEMBERS = (
    Member("post-be", Sector.POST, "BE", ("postal-exchange",)),
    Member("courier-nl", Sector.COURIER, "NL", ("other", "postal-exchange")),
    Member("customs-nl", Sector.CUSTOMS, "NL", ("postal-exchange",)),
    Member("police-be", Sector.POLICE, "BE", ()),
    Member("police-de", Sector.POLICE, "DE", ("postal-exchange",)),
    Member("authority-lu", Sector.AUTHORITY, "LU", ("other",)),
)
_POLICIES = {
    "post-be": _demonstrated("post-be")
    + _made("police-investigation", "post-be", "BE")
    + _made("customs-ask", "post-be", "NL")
    + _made("screening-filters", "post-be", "NL"),
    "courier-nl": _made("operators-warn", "courier-nl", "NL")
    + _made("holding-back", "courier-nl", "NL")
    + '@id("courier-nl/some") @label("Some") permit (principal, action, resource)'
    ' when { principal in Organisation::"police-be" || principal in Community::"other"'
    " || resource.ageBand == 1 || resource.ageBand == 3 };",
    "customs-nl": _demonstrated("customs-nl"),
    "police-de": _demonstrated("police-de")
    + _made("authorities-intelligence", "police-de", "DE")
    + _made("deconfliction", "police-de", "DE"),
    "authority-lu": '@id("lu/all") @label("All") permit (principal, action, resource);'
    '@id("lu/ask") @label("Ask") forbid (principal, action == Action::"request", resource)'
    ' unless { context.legalBasis == LegalBasis::"court_order" };',
}
_AGES = (0, 6, 7, 29, 30, 89, 90, 364, 365, 2_000)


@dataclass(frozen=True)
class Sample:
    """Records and readers drawn at random, and what the reference says of pairs of them."""

    records: tuple[tuple[str, ClassAttributes, int, bytes], ...]  # owner, class, age, token
    seats: tuple[Seat, ...]
    rulings: dict[tuple[int, int], Expected]  # of (seat, record)


@cache
def _sample() -> Sample:
    """The same for both databases."""
    chance = random.Random(20_26)  # noqa: S311 - a reproducible sample, not a secret
    records = tuple(
        (
            chance.choice(_MEMBERS).code,
            ClassAttributes(
                kind=chance.choice(list(Kind)),
                role=chance.choice(list(PartyRole)),
                tlp=chance.choice([*Tlp, Tlp.CLEAR, Tlp.GREEN]),
                handling=frozenset(chance.sample(list(Handling), chance.choice([0, 0, 0, 1, 2]))),
                source_grade=chance.choice(list(SourceGrade)),
                information_grade=chance.choice(list(InformationGrade)),
                assertion=chance.choice(list(Assertion)),
                permitted_action=chance.choice(list(PermittedAction)),
            ),
            chance.choice(_AGES),
            token_of(number),
        )
        for number in range(200)
    )
    every_seat = [
        Seat(member, role, purpose, basis)
        for member in _MEMBERS
        for role in (Role.ANALYST, Role.APPROVER)
        for purpose in Purpose
        for basis in LegalBasis
    ]
    seats = tuple(chance.sample(every_seat, 60))
    owners = {member.code: member for member in _MEMBERS}
    pairs = chance.sample([(s, r) for s in range(len(seats)) for r in range(len(records))], 4_000)
    rulings = {}
    for seat, record in pairs:
        code, attributes, age, _ = records[record]
        policy = _POLICIES.get(code, "")
        rulings[seat, record] = reference_ruling(seats[seat], owners[code], policy, attributes, age)
    return Sample(records, seats, rulings)


def test_sql_and_cedar_row_by_row_never_disagree(database: Database) -> None:
    sample = _sample()
    world = World(database)
    for member in _MEMBERS:
        world.organisation(member.code, member.sector, member.country, member.communities)

    def profile(seat: Seat) -> int:
        return world.profile(seat.member.code, seat.purpose, seat.legal_basis, seat.role)

    # Some classes come before the policies and some after, some profiles before the last classes.
    world.indicators(sample.records[:70])
    for seat in sample.seats[:20]:
        profile(seat)
    for code, policy in _POLICIES.items():
        world.publish(code, policy)
    for seat in sample.seats[20:40]:
        profile(seat)
    world.indicators(sample.records[70:])

    tokens = [token for _, _, _, token in sample.records]
    found = [_seen_in_sql(world, profile(seat), tokens) for seat in sample.seats]
    expected = {
        pair: (each.level, each.tells_owner, each.may_feed, each.may_screen)
        for pair, each in sample.rulings.items()
    }
    different = {
        (seat, record): each
        for (seat, record), each in expected.items()
        if found[seat].get(tokens[record], (0, False, False, False)) != each
    }
    assert different == {}
    assert len(expected) == 4_000
    # Nothing, and every level; told and not told; the owner alone; in bulk, to screen, and not.
    assert {each[0] for each in expected.values()} == {0, 1, 2, 3}
    assert {each[:3] for each in expected.values()} > {
        (0, True, False),
        (2, True, True),
        (2, True, False),
    }
    assert {each[::3] for each in expected.values()} > {(1, True), (1, False), (3, True)}


def test_without_a_policy_only_the_owner_sees(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be", token=token_of(1))
    assert world.level(world.profile("police-de"), token_of(1)) == 0
    assert world.level(world.profile("post-be"), token_of(1)) == 3


def test_what_one_reader_is_granted_serves_no_other(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    granted, other = world.profile("police-de"), world.profile("customs-nl")
    assert (world.level(granted, token_of(1)), world.level(other, token_of(1))) == (3, 0)
    assert (len(_listed(database, granted)), len(_listed(database, other))) == (1, 0)


def test_a_grant_holds_from_its_second_until_its_last(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    shown = world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    begins = second(moment(TODAY))
    with database.transaction() as session:
        session.execute(update(ShareGrant).values(valid_from=begins, valid_until=begins + 1))
    found = []
    for at in (begins - 1, begins, begins + 1):
        when = datetime.fromtimestamp(at, UTC)
        with database.reading() as session:
            matched = visibility.matching_tokens(session, profile, [token_of(1)], when)
            listed = session.scalars(visibility.visible_indicators(profile, when)).all()
        found.append(([each.indicator_id for each in matched], list(listed)))
    assert found == [([], []), ([shown], [shown]), ([], [])]


def test_a_profile_that_does_not_exist_sees_nothing(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    assert world.matches(world.profile("police-de") + 1, token_of(1)) == []


def test_what_is_hidden_changes_nothing_in_an_answer(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    profile = world.profile("police-de")
    for number in range(5):
        world.indicator("post-be", token=token_of(number))
    asked = [token_of(number) for number in range(8)]
    before = world.matches(profile, *asked)
    for number in range(8):
        world.indicator("post-be", like(tlp=Tlp.RED), token=token_of(number))
        world.indicator("customs-nl", token=token_of(number))
    assert world.matches(profile, *asked) == before
    assert len(before) == 5


def test_an_answer_has_one_row_for_each_posting_in_a_fixed_order(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    first = world.indicator("post-be", token=token_of(2))
    second = world.indicator("post-be", token=token_of(1))
    found = world.matches(world.profile("post-be"), token_of(1), token_of(2), token_of(1))
    assert [(match.indicator_id, match.token, match.level) for match in found] == [
        (first, token_of(2), 3),
        (second, token_of(1), 3),
    ]
    # By the platform's rules alone, whatever the owner has published.
    with database.reading() as session:
        why = reasons.read(session, {match.grant_reason_id for match in found})
    assert list(why.values()) == [Decided("", 0, ("platform/own",))]


def test_a_match_names_the_policy_version_that_decided(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", "")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    shown = world.indicator("post-be", token=token_of(1))
    (match,) = world.matches(world.profile("police-de"), token_of(1))
    assert (match.indicator_id, match.token, match.facet) == (shown, token_of(1), 1)
    assert (match.level, match.tells_owner) == (3, True)
    with database.reading() as session:
        why = reasons.read(session, [match.grant_reason_id])
        told = reasons.labels(session, why[match.grant_reason_id])
    assert why[match.grant_reason_id] == Decided("post-be", 2, ("post-be/all-to-police",))
    assert why[match.grant_reason_id].name == "post-be/2"
    assert told == ["Police see everything"]


def test_no_token_asks_for_nothing(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    assert world.matches(world.profile("post-be")) == []


def test_more_tokens_than_one_statement_takes_are_all_asked_for(database: Database) -> None:
    world = trio(database)
    ids = [world.indicator("post-be", token=token_of(number)) for number in (0, 499, 500, 1_200)]
    found = world.matches(world.profile("post-be"), *(token_of(n) for n in range(1_201)))
    assert [match.indicator_id for match in found] == ids


@pytest.mark.parametrize("code", ["police-de", "post-be"])
def test_suspension_of_reader_or_owner_is_immediate_and_so_is_its_end(
    database: Database, code: str
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    world.profile("customs-nl")  # a reader who stays active is of no use to another
    profile = world.profile("police-de")

    def seen() -> tuple[int, int]:
        with database.reading() as session:
            listed = session.execute(visibility.visible_indicators(profile, moment(TODAY))).all()
        return world.level(profile, token_of(1)), len(listed)

    assert seen() == (3, 1)
    _set_status(database, code, OrganisationStatus.SUSPENDED)
    assert seen() == (0, 0)
    _set_status(database, code, OrganisationStatus.ACTIVE)
    assert seen() == (3, 1)


def test_the_suspension_of_another_hides_nothing(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    world.indicator("customs-nl", token=token_of(2))
    profile = world.profile("police-de")
    _set_status(database, "customs-nl", OrganisationStatus.SUSPENDED)
    assert world.level(profile, token_of(1)) == 3
    assert len(_listed(database, profile)) == 1
    with database.reading() as session:
        assert len(visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))) == 1


def test_age_is_counted_on_the_day_of_the_question(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", _demonstrated("post-be"))
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("customs-nl", Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)
    assert world.level(profile, token_of(1), today=TODAY - 1) == 0  # not seen yet
    assert world.level(profile, token_of(1), today=TODAY + 89) == 2
    assert world.level(profile, token_of(1), today=TODAY + 90) == 1


def test_a_class_is_seen_at_the_level_of_an_indicator_of_it(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", _demonstrated("post-be"))
    world.indicator("post-be", token=token_of(1))
    world.indicator("post-be", like(tlp=Tlp.RED), token=token_of(2))
    customs = world.profile("customs-nl", Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)
    police = world.profile("police-de")
    with database.reading() as session:
        plain, red = session.scalars(select(Indicator.share_class_id).order_by(Indicator.id))

    def level(profile: int, share_class_id: int, today: int = TODAY) -> int:
        with database.reading() as session:
            return visibility.class_level(session, profile, share_class_id, TODAY, moment(today))

    for today in (TODAY - 1, TODAY, TODAY + 89, TODAY + 90):
        for profile in (customs, police):
            assert level(profile, plain, today) == world.level(profile, token_of(1), today=today)
    assert [level(customs, plain, TODAY + age) for age in (-1, 0, 89, 90)] == [0, 2, 2, 1]
    assert level(customs, red) == 0
    for code in ("customs-nl", "post-be"):
        _set_status(database, code, OrganisationStatus.SUSPENDED)
        assert level(customs, plain) == 0
        _set_status(database, code, OrganisationStatus.ACTIVE)
    assert level(customs, plain) == 2


def test_a_list_holds_live_indicators_at_the_asked_level(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", _demonstrated("post-be"))
    young = world.indicator("post-be")
    old = world.indicator("post-be", age=90)
    world.indicator("post-be", expires_in=0)
    last_day = world.indicator("post-be", expires_in=1)
    profile = world.profile("customs-nl", Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)
    assert _listed(database, profile) == {young: 2, last_day: 2}
    assert _listed(database, profile, visibility.PRESENCE) == {young: 2, last_day: 2, old: 1}
    assert _listed(database, profile, visibility.REQUEST) == {}
    own = world.profile("post-be")
    assert _listed(database, own) == {young: 3, old: 3, last_day: 3}
    assert _listed(database, own, visibility.REQUEST) == {young: 3, old: 3, last_day: 3}


def test_a_list_joins_to_its_rows_without_losing_the_predicate(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    shown = world.indicator("post-be")
    world.indicator("post-be", like(tlp=Tlp.RED))
    visible = visibility.visible_indicators(world.profile("police-de"), moment(TODAY)).subquery()
    with database.reading() as session:
        ids = session.scalars(
            select(Indicator.id).join(visible, visible.c.indicator_id == Indicator.id)
        ).all()
        count = session.scalar(select(func.count()).select_from(visible))
    assert (ids, count) == ([shown], 1)


def test_a_lookup_on_postgresql_reads_the_covering_index_alone(database: Database) -> None:
    if database.is_sqlite:
        with database.reading() as session:
            key = session.execute(text("SELECT sql FROM sqlite_master WHERE name = 'token'"))
            assert "WITHOUT ROWID" in key.scalar_one()
        return
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be")
    profile = world.profile("police-de")
    with many_postings(database) as connection:
        connection.execute(text("ANALYZE share_grant"))
        lines = matching_plan(connection, profile)
    assert "Index Only Scan using ix_token_token" in lines
    assert "Seq Scan on token" not in lines


@contextmanager
def many_postings(database: Database) -> Iterator[Connection]:
    """A connection to PostgreSQL, on which `token` has 50,000 rows more, and statistics."""
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO token SELECT decode(md5(n::text), 'hex'), 1, 1, 20000, 1 "
                "FROM generate_series(1, 50000) n"
            )
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE token"))
        yield connection


def matching_plan(connection: Connection, profile: int, how: str = "") -> str:
    """How PostgreSQL looks for sixteen tokens."""
    compiled = visibility._MATCHES_POSTGRESQL._statement.compile(dialect=postgresql.dialect())
    statement = re.sub(r"%\((\w+)\)s", r":\1", str(compiled))
    plan = connection.execute(
        text(f"EXPLAIN {how} {statement}".replace("::", "\\:\\:")),
        {
            "tokens": [token_of(n) for n in range(16)],
            "profile": profile,
            "today": TODAY,
            "second": second(moment(TODAY)),
            **{k: v for k, v in compiled.params.items() if v is not None},
        },
    )
    return "\n".join(plan.scalars())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lookup_asks_for_each_token_once_however_many_grants_there_are(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    with many_postings(database) as connection:
        grant = cast("Table", ShareGrant.__table__)
        connection.execute(copies_of(grant, profile, 400))
        lines = matching_plan(connection, profile, "ANALYZE")
    (loops,) = re.findall(r"using ix_token_token on token .*loops=(\d+)\)", lines)
    assert int(loops) == 16
    # With statistics that mislead it PostgreSQL would begin with the grants, were it free to: each
    # of the two steps is fenced.
    assert str(visibility._MATCHES_POSTGRESQL._statement).count("OFFSET 0") == 2


def copies_of(grant: Table, profile: int, count: int) -> Insert:
    """Grants of a profile so many times more, each of which began a second earlier."""
    series = func.generate_series(1, count).table_valued("n").render_derived(name="series")
    copied = {each.name: each for each in grant.c} | {"valid_from": grant.c.valid_from - series.c.n}
    both = grant.join(series, true())
    chosen = select(*copied.values()).select_from(both).where(grant.c.profile_id == profile)
    return insert(grant).from_select([*copied], chosen)


def test_a_lookup_is_one_statement(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = trio(database)
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("post-be")
    seen: list[str] = []

    with database.reading() as session, executed(database, monkeypatch, seen.append):
        found = visibility.matching_tokens(
            session, profile, [token_of(n) for n in range(16)], moment(TODAY)
        )
    assert len(found) == 1
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1


def test_no_other_module_reads_the_tokens() -> None:
    imported = re.compile(r"from app\.indicators\.models import (?:[^\n(]*|\([^)]*)\bToken\b")
    whole = re.compile(r"import app\.indicators\.models|from app\.indicators import .*\bmodels\b")
    in_sql = re.compile(
        r"\b(?:FROM|JOIN|INTO|UPDATE|USING|COPY)\s+token\b|tables\[.token.\]|table\(\s*.token."
    )
    touching = {
        str(file.relative_to(APP))
        for file in APP.rglob("*.py")
        for source in [file.read_text("utf-8")]
        if imported.search(source) or whole.search(source) or in_sql.search(source)
    }
    # The storage of indicators writes tokens, and reads an owner's own.
    assert touching <= {"sharing/visibility.py", "indicators/storage.py"}
    assert "sharing/visibility.py" in touching


def test_nobody_else_reads_or_writes_the_grants() -> None:
    named = re.compile(r"\bShareGrant\b|\bshare_grant\b")
    users = {
        str(file.relative_to(APP))
        for file in APP.rglob("*.py")
        if named.search(file.read_text("utf-8"))
    }
    users -= {
        "compliance/processing_tables.py",  # what each table is kept for, in words
        "row_security.py",  # that no policy of the database is on it, and why
    }
    assert {user.split("/")[0] for user in users} <= {"sharing"}


def _seen_in_sql(
    world: World, profile: int, tokens: list[bytes]
) -> dict[bytes, tuple[int, bool, bool, bool]]:
    """(level, whether the owner is told, whether it may be had in bulk, or screened) by token."""
    in_bulk = visibility.visible_indicators(profile, moment(TODAY), in_bulk=True)
    with world.database.reading() as session:
        fed = {row.indicator_id for row in session.execute(in_bulk)}
        postings = session.execute(visibility.screening_postings(profile, moment(TODAY))).all()
    screened = {row.indicator_id: row for row in postings}
    for row in postings:
        assert row.token in tokens
        assert row.level > 0
    return {
        match.token: (
            match.level,
            match.tells_owner,
            match.indicator_id in fed,
            match.indicator_id in screened,
        )
        for match in world.matches(profile, *tokens)
    }


def test_what_may_be_screened_ends_with_its_time_its_owner_and_its_reader(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    watched = like(permitted_action=PermittedAction.WATCH)
    shown = world.indicator("post-be", watched, token=token_of(1))
    own = world.indicator("police-de", token=token_of(2))
    world.indicator("customs-nl", watched, token=token_of(3))
    world.indicator("post-be", token=token_of(4))  # to be known only
    profile = world.profile("police-de")

    def screened(later: int = 0) -> dict[int, bytes]:
        with database.reading() as session:
            found = session.execute(
                visibility.screening_postings(profile, moment(TODAY + later))
            ).all()
        return {row.indicator_id: row.token for row in found}

    assert screened() == {shown: token_of(1), own: token_of(2)}
    assert screened(99) == screened()
    assert screened(100) == {}
    _set_status(database, "post-be", OrganisationStatus.SUSPENDED)
    assert screened() == {own: token_of(2)}
    _set_status(database, "police-de", OrganisationStatus.SUSPENDED)
    assert screened() == {}


def test_whatever_else_has_a_class_and_a_day_is_shown_with_what_was_decided(
    database: Database,
) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        EVERYTHING_TO_POLICE
        + '@id("post-be/quiet") @label("Of vendors nobody hears")'
        + ' forbid (principal, action in [Action::"tell_owner", Action::"feed"], resource)'
        + ' when { resource.kind == Kind::"vendor" };'
        + '@id("post-be/hint") @label("Customs learn that we know")'
        + ' permit (principal, action == Action::"presence", resource)'
        + ' when { principal.sector == Sector::"customs" };',
    )
    watched = world.indicator("post-be", like(permitted_action=PermittedAction.WATCH))
    quiet = world.indicator("post-be", like(kind=Kind.VENDOR))
    own = world.indicator("police-de")
    world.indicator("post-be", expires_in=0)
    world.indicator("customs-nl")
    police = world.profile("police-de")
    customs = world.profile("customs-nl", Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)

    def shown(profile: int, *least: int) -> dict[int, Any]:
        statement = visibility.visible_classed(Indicator.__table__, profile, moment(TODAY), *least)
        with database.reading() as session:
            return {row.id: row for row in session.execute(statement)}

    found = shown(police)
    assert {
        key: (row.granted_level, row.tells_owner, row.may_screen, row.may_feed)
        for key, row in found.items()
    } == {
        watched: (3, True, True, True),
        quiet: (3, False, False, False),
        own: (3, True, True, True),
    }
    with database.reading() as session:
        why = reasons.read(session, [row.grant_reason_id for row in found.values()])
        kept = session.execute(select(Indicator.__table__).order_by(Indicator.id)).all()
    assert why[found[quiet].grant_reason_id].policies == ("post-be/all-to-police",)
    assert why[found[own].grant_reason_id].policies == ("platform/own",)
    columns = Indicator.__table__.columns.keys()
    of_source = {key: tuple(getattr(row, name) for name in columns) for key, row in found.items()}
    assert of_source == {row.id: tuple(row) for row in kept if row.id in found}
    assert watched not in shown(customs)
    assert shown(customs, visibility.PRESENCE)[watched].granted_level == 1


def test_a_posting_to_screen_with_tells_all_that_a_filter_needs(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("customs-nl")  # so that ids of indicators and organisations are their own
    shown = world.indicator(
        "post-be", like(permitted_action=PermittedAction.WATCH), token=token_of(1)
    )
    profile = world.profile("police-de")
    with database.reading() as session:
        public_id = session.scalar(select(Indicator.public_id).where(Indicator.id == shown))
        (row,) = session.execute(visibility.screening_postings(profile, moment(TODAY)))
        why = reasons.read(session, [row.grant_reason_id])
    assert (row.token, row.facet, row.indicator_id, row.public_id) == (
        token_of(1),
        1,
        shown,
        public_id,
    )
    assert (row.organisation_id, row.tells_owner, row.level) == (world.ids["post-be"], True, 3)
    assert list(why.values()) == [Decided("post-be", 1, ("post-be/all-to-police",))]


def _listed(database: Database, profile: int, *least: int) -> dict[int, int]:
    with database.reading() as session:
        rows = session.execute(visibility.visible_indicators(profile, moment(TODAY), *least)).all()
    return {row.indicator_id: row.level for row in rows}


def _set_status(database: Database, code: str, status: OrganisationStatus) -> None:
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, code, status)


def test_what_an_owner_keeps_out_of_lists_is_not_had_in_bulk(database: Database) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        EVERYTHING_TO_POLICE + '@id("post-be/one-by-one") @label("Vendors one by one")'
        ' forbid (principal, action == Action::"feed", resource)'
        ' when { resource.kind == Kind::"vendor" };',
    )
    in_bulk = world.indicator("post-be")
    one_by_one = world.indicator("post-be", like(kind=Kind.VENDOR))
    profile = world.profile("police-de")
    with database.reading() as session:
        fed = session.execute(
            visibility.visible_indicators(profile, moment(TODAY), in_bulk=True)
        ).all()
    assert [row.indicator_id for row in fed] == [in_bulk]
    assert _listed(database, profile) == {in_bulk: 3, one_by_one: 3}


def test_what_is_had_in_bulk_is_what_lies_in_the_windows_of_its_class(database: Database) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        """
        @id("be/some") @label("Some") permit (principal, action, resource)
        when { principal.sector == Sector::"police" && [1, 3].contains(resource.ageBand) };
        @id("be/unlisted") @label("Not listed") forbid (principal, action == Action::"feed",
        resource) when { resource.role == PartyRole::"addressee" };
        @id("be/known") @label("Known only") forbid (principal, action == Action::"metadata",
        resource) when { resource.ageBand == 3 && resource.tlp == Tlp::"GREEN" };
        """,
    )
    profile = world.profile("police-de")
    for each in (like(), like(role=PartyRole.ADDRESSEE), like(tlp=Tlp.GREEN)):
        for age in (0, 6, 7, 29, 30, 89, 90, 364, 365):
            world.indicator("post-be", each, age=age)
    with database.transaction() as session:
        windows = visibility.bulk_windows(session, profile, moment(TODAY))
        listed = visibility.visible_indicators(profile, moment(TODAY), in_bulk=True).subquery()
        in_bulk = set(session.scalars(select(listed.c.indicator_id)))
        rows = session.execute(select(Indicator.id, Indicator.share_class_id, Indicator.seen_day))
        inside = {
            number
            for number, share_class, seen_day in rows
            for of_class, first, last in windows
            if share_class == of_class and first <= TODAY - seen_day <= last
        }
        session.execute(update(Organisation).values(status=OrganisationStatus.SUSPENDED))
        assert not visibility.bulk_windows(session, profile, moment(TODAY))
    assert len(in_bulk) == 6
    assert inside == in_bulk
    assert windows == sorted(windows)


def test_a_list_tells_whose_it_is_its_class_its_day_and_who_decided(database: Database) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        EVERYTHING_TO_POLICE + '@id("post-be/quiet") @label("Police alone know of vendors")'
        ' forbid (principal, action == Action::"tell_owner", resource)'
        ' when { resource.kind == Kind::"vendor" };',
    )
    told = world.indicator("post-be", age=5)
    untold = world.indicator("post-be", like(kind=Kind.VENDOR), age=9)
    profile = world.profile("police-de")
    visible = visibility.visible_indicators(profile, moment(TODAY)).subquery()
    with database.reading() as session:
        rows = {row.indicator_id: row for row in session.execute(select(visible))}
        classes = dict(session.execute(select(Indicator.id, Indicator.share_class_id)).all())
        why = reasons.read(session, {row.grant_reason_id for row in rows.values()})
    assert {
        key: (row.organisation_id, row.share_class_id, row.seen_day, row.tells_owner)
        for key, row in rows.items()
    } == {
        told: (world.ids["post-be"], classes[told], TODAY - 5, True),
        untold: (world.ids["post-be"], classes[untold], TODAY - 9, False),
    }
    assert set(why.values()) == {Decided("post-be", 1, ("post-be/all-to-police",))}
