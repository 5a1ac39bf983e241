"""Reading: an organisation sees what names it, whole and in order, and nothing else."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit import reading, service
from app.audit.catalogue import Operation
from app.audit.columns import packed
from app.audit.entry import Outcome
from app.audit.models import AuditDetail
from app.audit.reading import Filters
from app.audit.words import Meaning, Words
from app.database import Database
from app.errors import InvalidRequestError
from postern.audit.record import open_disclosures
from postern.vocabulary import LegalBasis, Purpose
from tests.app.bare import NOON, PERSON, Clock, give_tag_keys, member


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(service, "now", clock)
    return clock


@pytest.fixture
def log(database: Database, clock: Clock) -> Iterator[Session]:
    """Nine acts of three days, told by two organisations, to be read by `police-de`."""
    give_tag_keys(database, "police-de", "post-be", "platform")
    police, post = member("police-de"), member("post-be")
    with database.transaction() as session:
        tell = Teller(session, clock)
        tell(0, police, "lookup.ask", case="K-1", purpose=Purpose.RISK_ANALYSIS, objects=[LOOKUP])
        tell(0, police, "lookup.ask", case="K-2", purpose=Purpose.CRIMINAL_INVESTIGATION)
        tell(0, post, "report.submit")
        tell(1, post, "lookup.ask", case="K-1")
        refused = {"outcome": Outcome.DENIED, "details": {"refusal": "not-allowed"}}
        tell(1, police, "report.read", basis=LegalBasis.POLICE_LAW, **refused)
        tell(1, police, "indicator.match", audience=["post-be"], tell_actor=False)
        account = {"object_type": "account", "objects": [str(PERSON)]}
        tell(2, CONSOLE, "account.create", audience=["police-de"], **account)
        tell(2, police, "report.withdraw", audience=["post-be"])
        tell(2, police, "lookup.ask", case="K-1", purpose=Purpose.RISK_ANALYSIS)
    with database.reading() as session:
        yield session


class Teller:
    """Appends on a day of the test's period, one minute after the entry before."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock, self._told = session, clock, 0

    def __call__(self, day: int, caller: Caller, act: str, **told: object) -> None:
        self._told += 1
        self._clock.at = NOON + timedelta(days=day, minutes=self._told)
        service.append(self._session, caller, act, **told)  # type: ignore[arg-type]


LOOKUP = "018f0000-0000-7000-8000-00000000000a"
ASK = "lookup.ask"
ASKED, DENIED = frozenset({ASK}), frozenset({"denied"})
SECOND_DAY = NOON + timedelta(days=2)
POLICE_SEES = [ASK, "report.withdraw", "account.create", "report.read", ASK, ASK]


def test_an_organisation_sees_what_names_it_newest_first(log: Session) -> None:
    assert _acts(log, "police-de") == POLICE_SEES
    assert _acts(log, "post-be") == [
        "report.withdraw",
        "indicator.match",
        "lookup.ask",
        "report.submit",
    ]


@pytest.mark.parametrize("organisation", ["police-nl", "", "police-d_", "POLICE-DE", "%"])
def test_an_organisation_that_is_named_nowhere_sees_nothing(
    log: Session, organisation: str
) -> None:
    assert _acts(log, organisation) == []


def _word(**codes: set[str]) -> Filters:
    meaning = Meaning(**{name: frozenset(meant) for name, meant in codes.items()})
    return Filters(words=Words({"x": meaning}))


@pytest.mark.parametrize(
    ("filters", "acts"),
    [
        (Filters(act="report.withdraw"), ["report.withdraw"]),
        (Filters(act="indicator.match"), []),
        (Filters(operation=Operation.ERASURE), ["report.withdraw"]),
        (Filters(operation=Operation.CONSULTATION), [ASK, "report.read", ASK, ASK]),
        (Filters(act="lookup.ask", operation=Operation.ERASURE), []),
        (Filters(actor="console"), ["account.create"]),
        (Filters(actor=str(PERSON), act="report.read"), ["report.read"]),
        (Filters(actor="nobody"), []),
        (Filters(case="K-1"), ["lookup.ask", "lookup.ask"]),
        (Filters(case="k-1"), []),
        (Filters(purpose=Purpose.CRIMINAL_INVESTIGATION), ["lookup.ask"]),
        (Filters(outcome=Outcome.DENIED), ["report.read"]),
        (Filters(outcome=Outcome.ERROR), []),
        (Filters(case="K-1", purpose=Purpose.RISK_ANALYSIS, since=SECOND_DAY), [ASK]),
        (Filters(object=LOOKUP), [ASK]),
        (Filters(object=LOOKUP, act="report.read"), []),
        (Filters(object=LOOKUP[:-1] + "b"), []),
        (Filters(object="refusal/not-allowed"), ["report.read"]),
        (Filters(basis=LegalBasis.POLICE_LAW), ["report.read"]),
        (Filters(basis=LegalBasis.COURT_ORDER), []),
        (Filters(organisation="platform"), ["account.create"]),
        (Filters(organisation="post-be"), []),
        (Filters(person=str(PERSON), act="account.create"), ["account.create"]),
        (Filters(person=str(PERSON)), POLICE_SEES),
        (Filters(person=LOOKUP), [ASK]),
        (_word(acts={"report.read"}), ["report.read"]),
        (_word(purposes={"risk_analysis"}), [ASK, ASK]),
        (_word(bases={"police_law"}), ["report.read"]),
        (_word(outcomes={"denied"}), ["report.read"]),
        (_word(object_types={"account"}), ["account.create"]),
        (_word(organisations={"platform"}), ["account.create"]),
        (_word(refusals={"not-allowed"}), ["report.read"]),
        (_word(refusals={"not-found"}), []),
        (_word(acts={"report.read"}, outcomes={"error"}), ["report.read"]),
        (Filters(words=Words({"x": Meaning(acts=ASKED), "y": Meaning(outcomes=DENIED)})), []),
        (Filters(words=Words({"x": Meaning(acts=ASKED)}, unknown=("z",))), []),
    ],
    ids=lambda value: str(value) if isinstance(value, Filters) else "",
)  # fmt: skip
def test_filters_are_combined(log: Session, filters: Filters, acts: list[str]) -> None:
    assert _acts(log, "police-de", filters) == acts


def test_a_period_includes_its_beginning_and_not_its_end(log: Session) -> None:
    first = NOON + timedelta(minutes=1)
    assert len(_acts(log, "police-de", Filters(since=first))) == len(POLICE_SEES)
    later = Filters(since=first + timedelta(milliseconds=1))
    assert len(_acts(log, "police-de", later)) == len(POLICE_SEES) - 1
    assert _acts(log, "police-de", Filters(until=first)) == []
    assert _acts(log, "police-de", Filters(until=first + timedelta(milliseconds=1))) == [
        "lookup.ask"
    ]
    day = Filters(since=NOON + timedelta(days=1), until=NOON + timedelta(days=2))
    assert _acts(log, "police-de", day) == ["report.read"]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7])
def test_pages_oldest_first_hold_every_entry_exactly_once(log: Session, limit: int) -> None:
    found, cursor = [], None
    for _ in range(len(POLICE_SEES)):
        page = reading.entries(log, "police-de", Filters(), cursor, limit, oldest_first=True)
        found += [entry.fields["act"] for entry in page.entries]
        cursor = page.next
        if cursor is None:
            break
    assert found == POLICE_SEES[::-1]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7])
def test_pages_hold_every_entry_exactly_once(log: Session, limit: int) -> None:
    assert [act for page in _pages(log, limit) for act in page] == POLICE_SEES


def test_pages_are_whole_when_entries_share_their_moment(database: Database, clock: Clock) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        made = [service.append(session, member(), "report.list").record_id for _ in range(7)]
    with database.reading() as session:
        found, cursor = [], None
        for _ in range(4):
            page = reading.entries(session, "police-de", Filters(), cursor, limit=2)
            found += [entry.fields["id"] for entry in page.entries]
            cursor = page.next
    assert found == made[::-1]
    assert cursor is None


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "MTIz", "LTEuMg", "MS4tMQ", "4pi6LjE", "OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ", "MS4x="],
)
def test_a_cursor_that_no_page_gave_is_refused(log: Session, cursor: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        reading.entries(log, "police-de", Filters(), cursor)
    assert refusal.value.extensions["errors"][0]["field"] == "query.cursor"


def test_the_size_of_a_page_is_held_to_its_limits(log: Session) -> None:
    assert len(reading.entries(log, "police-de", Filters(), limit=0).entries) == 1
    assert len(reading.entries(log, "police-de", Filters(), limit=10**9).entries) == 6


def test_a_record_comes_back_as_it_was_hashed(database: Database, clock: Clock) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        made = service.append(session, member(), "report.read", case="Dossier é/1", objects=["o"])
    with database.reading() as session:
        (read,) = reading.entries(session, "police-de", Filters()).entries
    assert (read.record, read.leaf) == (made.record, made.leaf)
    assert read.fields == json.loads(made.record)
    assert read.details["case"] == "Dossier é/1"
    assert read.details["objects"] == ["o"]
    assert read.disclosures == made.disclosures
    assert read.operation is Operation.CONSULTATION
    assert read.is_intact


def test_an_entry_stays_readable_and_intact_when_a_detail_is_erased(
    database: Database, clock: Clock
) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        made = service.append(session, member(), "report.read", case="K-1")
        kept = [line for line in made.disclosures if "K-1" not in _opened(line)]
        session.execute(update(AuditDetail).values(disc="\n".join(kept), casref=None))
    with database.reading() as session:
        (read,) = reading.entries(session, "police-de", Filters()).entries
        assert "case" not in read.details
        assert "case" in read.fields["f"]
        assert read.is_intact
        session.execute(text("DELETE FROM audit_detail"))
        (read,) = reading.entries(session, "police-de", Filters()).entries
        assert (read.details, read.is_intact) == ({}, True)


@pytest.mark.parametrize("part", ["rec", "leaf", "disc"])
def test_a_part_that_does_not_fit_the_others_is_told(
    database: Database, clock: Clock, part: str
) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        _allow_change(session)
        service.append(session, member(), "report.read", case="K-1")
        other = service.append(session, member(), "report.read", case="K-2")
        table = "audit_detail" if part == "disc" else "audit_entry"
        openings = packed("\n".join(other.disclosures))
        value = {"rec": other.record, "leaf": other.leaf, "disc": openings}[part]
        session.execute(text(f"UPDATE {table} SET {part} = :value"), {"value": value})  # noqa: S608
        newer, older = reading.entries(session, "police-de", Filters()).entries
        assert newer.is_intact
        assert not older.is_intact
        session.rollback()


def test_operations_and_refusals_are_counted_from_a_moment_on(log: Session) -> None:
    counts = reading.operation_counts(log, "police-de", NOON)
    assert counts == {
        Operation.COLLECTION: 0,
        Operation.ALTERATION: 0,
        Operation.CONSULTATION: 4,
        Operation.COMBINATION: 0,
        Operation.DISCLOSURE: 0,
        Operation.ERASURE: 1,
        Operation.ADMINISTRATION: 1,
    }
    later = NOON + timedelta(days=2)
    assert reading.operation_counts(log, "police-de", later)[Operation.CONSULTATION] == 1
    assert reading.refusal_count(log, "police-de", NOON) == 1
    assert reading.refusal_count(log, "police-de", later) == 0
    assert reading.refusal_count(log, "post-be", NOON) == 0


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(since=NOON, until=NOON + timedelta(days=3)),
        Filters(outcome=Outcome.OK),
        Filters(basis=LegalBasis.POLICE_LAW),
        Filters(organisation="post-be"),
        Filters(words=Words({"x": Meaning(acts=frozenset({"report.list"}))})),
    ],
    ids=["all", "period", "outcome", "basis", "organisation", "word"],
)
def test_a_page_is_read_from_the_key_without_sorting(
    database: Database, clock: Clock, filters: Filters
) -> None:
    _fill(database, clock)
    oldest_first = filters == Filters()
    plan = _plan(database, filters, oldest_first=oldest_first)
    if database.is_sqlite:
        assert "SEARCH audit_audience USING PRIMARY KEY" in plan
        assert "TEMP B-TREE" not in plan
    else:
        direction = "" if oldest_first else " Backward"
        assert f"Scan{direction} using audit_audience_" in plan
        assert "Sort  (" not in plan  # a Merge Append of months names its key


def test_the_entries_of_a_case_are_found_by_its_index(database: Database, clock: Clock) -> None:
    _fill(database, clock)
    plan = _plan(database, Filters(case="K-7"))
    # Each month's partition has an index of its own.
    assert ("ix_audit_detail_casref" if database.is_sqlite else "_casref_idx") in plan


def test_the_entries_of_an_object_are_found_by_its_key(database: Database, clock: Clock) -> None:
    _fill(database, clock)
    plan = _plan(database, Filters(object="object-7"), oldest_first=True)
    if database.is_sqlite:
        assert "SEARCH audit_object USING PRIMARY KEY (about=?" in plan
    else:
        assert re.search(r"using audit_object_\w+_pkey", plan)


def test_the_entries_of_a_refusal_are_found_by_the_key_of_objects(
    database: Database, clock: Clock
) -> None:
    _fill(database, clock)
    meant = Meaning(refusals=frozenset({"not-found"}))
    plan = _plan(database, Filters(words=Words({"not-found": meant})))
    if database.is_sqlite:
        assert "SEARCH audit_object USING PRIMARY KEY (about=?" in plan
    else:
        assert re.search(r"(using|on) audit_object_\w+_pkey", plan)


def test_the_timeline_of_a_person_is_read_by_two_indexes(database: Database, clock: Clock) -> None:
    _fill(database, clock)
    plan = _plan(database, Filters(person=str(UUID(int=7))), oldest_first=True)
    if database.is_sqlite:
        assert "audit_detail USING INDEX ix_audit_detail_actor" in plan
        assert "audit_object USING PRIMARY KEY (about=?" in plan
    else:
        assert "_actor_idx" in plan
        assert re.search(r"on audit_object_\w+_pkey|using audit_object_\w+_pkey", plan)


def _fill(database: Database, clock: Clock) -> None:
    """Acts of two organisations by a hundred people, one in ten of them refused."""
    give_tag_keys(database, "police-de", "post-be")
    with database.transaction() as session:
        for number in range(1200):
            clock.at = NOON + timedelta(minutes=number)
            caller = member("police-de" if number % 2 else "post-be")
            is_refused = number % 10 == 1
            service.append(
                session,
                replace(caller, person=UUID(int=number % 100)),
                "report.list",
                case=f"K-{number}",
                objects=[f"object-{number}"],
                basis="" if is_refused else LegalBasis.POLICE_LAW,
                outcome=Outcome.DENIED if is_refused else Outcome.OK,
                details={"refusal": "not-found"} if is_refused else {},
            )
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def _plan(database: Database, filters: Filters, *, oldest_first: bool = False) -> str:
    """The database's plan for the statement that `entries` really sends."""
    sent: list[tuple[str, object]] = []

    def remember(
        _conn: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        sent.append((statement, parameters))

    with database.reading() as session:
        event.listen(database.engine, "before_cursor_execute", remember)
        reading.entries(session, "police-de", filters, limit=20, oldest_first=oldest_first)
        event.remove(database.engine, "before_cursor_execute", remember)
        statement, parameters = sent[-1]
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        cursor = session.connection().connection.cursor()
        cursor.execute(f"{explain} {statement}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _acts(session: Session, organisation: str, filters: Filters = Filters()) -> list[str]:  # noqa: B008 - frozen
    page = reading.entries(session, organisation, filters)
    return [entry.fields["act"] for entry in page.entries]


def _pages(session: Session, limit: int) -> Iterator[list[str]]:
    cursor = None
    for _ in range(len(POLICE_SEES)):
        page = reading.entries(session, "police-de", Filters(), cursor, limit)
        assert 0 < len(page.entries) <= limit
        yield [entry.fields["act"] for entry in page.entries]
        cursor = page.next
        if cursor is None:
            return


def _opened(line: str) -> str:
    return str(open_disclosures(line))


def _allow_change(session: Session) -> None:
    """What only the owner of the tables could do: take the triggers off."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER audit_entry_no_update"))
    else:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
