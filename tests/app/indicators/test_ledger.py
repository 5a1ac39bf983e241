"""Who got what: every way that gives something of another's indicator leaves a row."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators import service, shared
from app.indicators.ledger import (
    CLEAR,
    METADATA,
    REQUEST,
    Gift,
    keep_what_ended,
    note_given,
    recipients,
    recipients_of,
)
from app.indicators.models import Given
from app.indicators.telling import Grounds
from app.lookups import explaining
from app.lookups import service as lookups
from postern.vocabulary import LegalBasis, Purpose, Way
from tests.app.exchange import (
    ALERT_OWNER,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    REQUESTER_ONLY,
    SOPHIE,
    SOPHIE_TYPED,
    Exchange,
    report,
)

GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
FIELDS = {"barrier_step": 3, "shipment": {"substance": "mdma"}}


@pytest.fixture
def held(exchange: Exchange) -> tuple[UUID, UUID]:
    """A report of post-be and its one indicator, which police may have."""
    exchange.publish("post-be", OPEN_TO_POLICE)
    (made,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE), **FIELDS)).results
    assert made.id
    return made.id, made.indicators[0]


@contextmanager
def doing(exchange: Exchange) -> Iterator[Session]:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        yield session


def ways(exchange: Exchange) -> dict[tuple[UUID, Way], Given]:
    """What police-de got; everything else would be a mistake."""
    rows = exchange.rows(select(Given))
    assert {row.recipient_id for row in rows} <= {exchange.organisation_id("police-de")}
    return {(row.indicator, row.way): row for row in rows}


def test_each_way_leaves_its_row(exchange: Exchange, held: tuple[UUID, UUID]) -> None:
    _, indicator = held
    police = exchange.caller("police-de")
    lookup = exchange.ask("police-de", SOPHIE_TYPED, JAN).lookup
    assert ways(exchange).keys() == {(indicator, Way.LOOKUP)}
    with doing(exchange) as session:
        shared.list_shared(session, police, GROUNDS, wanted={}, limit=10)
        shared.export_shared(session, police, GROUNDS, wanted={}, limit=10)
        shared.count_shared(session, police, GROUNDS, wanted={})
    rows = ways(exchange)
    assert rows.keys() == {(indicator, way) for way in (Way.LOOKUP, Way.LIST, Way.EXPORT)}
    with doing(exchange) as session:
        shared.read_shared(session, police, GROUNDS, indicator)
        shared.may_pass_on(session, police, GROUNDS, indicator, "customs-nl")
        explaining.explain(session, police, lookup)
    again = ways(exchange)
    assert {key: row.times for key, row in again.items()} == {
        (indicator, Way.LOOKUP): 2,
        (indicator, Way.LIST): 3,
        (indicator, Way.EXPORT): 1,
    }
    for key, row in again.items():
        assert row.owner_id == exchange.organisation_id("post-be")
        assert row.level == REQUEST
        assert row.tells_owner
        assert row.first_at == rows[key].first_at <= row.last_at
        assert row.ended is None


def test_what_names_no_indicator_leaves_nothing(
    exchange: Exchange, held: tuple[UUID, UUID]
) -> None:
    for policy in (PRESENCE_TO_POLICE, ALERT_OWNER, ""):
        exchange.publish("post-be", policy)
        lookup = exchange.ask("police-de", SOPHIE_TYPED).lookup
        with doing(exchange) as session:
            police = exchange.caller("police-de")
            explaining.explain(session, police, lookup)
            shared.list_shared(session, police, GROUNDS, wanted={}, limit=10)
            shared.count_shared(session, police, GROUNDS, wanted={})
    exchange.ask("post-be", SOPHIE_TYPED)  # one's own
    assert ways(exchange) == {}


def test_of_whom_the_owner_may_not_be_told_is_never_named_by_being_explained(
    exchange: Exchange, held: tuple[UUID, UUID]
) -> None:
    _, indicator = held
    exchange.publish("post-be", OPEN_TO_POLICE + REQUESTER_ONLY)
    lookup = exchange.ask("police-de", SOPHIE_TYPED).lookup
    with doing(exchange) as session:
        shared.export_shared(session, exchange.caller("police-de"), GROUNDS, wanted={}, limit=9)
        explaining.explain(session, exchange.caller("police-de"), lookup)
        (recipient,) = recipients(session, indicator)
        assert (recipient.ways, recipient.is_named) == ([Way.EXPORT, Way.LOOKUP], False)
    exchange.publish("post-be", OPEN_TO_POLICE)
    with doing(exchange) as session:
        explaining.explain(session, exchange.caller("police-de"), lookup)
        assert not recipients(session, indicator)[0].is_named
        shared.list_shared(session, exchange.caller("police-de"), GROUNDS, wanted={}, limit=10)
        assert recipients(session, indicator)[0].is_named


def test_gifts_are_merged_and_one_s_own_are_left_out(exchange: Exchange) -> None:
    post, police = (exchange.organisation_id(code) for code in ("post-be", "police-de"))
    one, two = UUID(int=1), UUID(int=2)
    at = now()
    with doing(exchange) as session:
        note_given(session, police, Way.FEED, [], at)
        gifts = [
            Gift(two, post, REQUEST, tells_owner=False),
            Gift(one, post, METADATA, tells_owner=False),
            Gift(one, post, CLEAR),
            Gift(one, post, METADATA, tells_owner=False),
            Gift(UUID(int=3), police, CLEAR),
        ]
        note_given(session, police, Way.FEED, gifts, at)
        note_given(session, police, Way.FEED, [Gift(two, post, METADATA)], at)
        note_given(session, police, Way.FEED, [Gift(one, post, METADATA, tells_owner=False)], at)
        note_given(session, police, Way.FILTER, [Gift(two, post, METADATA)], at)
    told = {key: (row.level, row.tells_owner, row.times) for key, row in ways(exchange).items()}
    assert told == {
        (one, Way.FEED): (CLEAR, True, 2),
        (two, Way.FEED): (REQUEST, True, 2),
        (two, Way.FILTER): (METADATA, True, 1),
    }
    with doing(exchange) as session:
        found = recipients_of(session, [one, two, UUID(int=4)])
    assert found.keys() == {one, two}
    (of_two,) = found[two]
    assert (of_two.ways, of_two.level) == ([Way.FEED, Way.FILTER], REQUEST)
    assert of_two.organisation_id == police


def test_of_what_ended_stays_by_what_outcomes_are_counted(
    exchange: Exchange, held: tuple[UUID, UUID]
) -> None:
    report_id, indicator = held
    exchange.submit("post-be", report("k2", exchange.indicator(JAN)))
    exchange.ask("police-de", SOPHIE_TYPED)
    with doing(exchange) as session:
        keep_what_ended(session, [indicator, UUID(int=9)])
    assert ways(exchange)[indicator, Way.LOOKUP].ended == {
        "report": str(report_id),
        "kind": "party",
        "learned": "outside_of_item",
        "source_grade": "X",
        "barrier_step": 3,
    }


@pytest.mark.parametrize("door", ["list", "export", "read", "explain", "lookup"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_withdrawal_waits_for_whoever_is_being_given_something(
    exchange: Exchange, held: tuple[UUID, UUID], door: str
) -> None:
    """Without the hold it would read the ledger before the row is there, and miss a recipient."""
    report_id, indicator = held
    police, post = exchange.caller("police-de"), exchange.caller("post-be")
    asked = exchange.ask("police-de", SOPHIE_TYPED).lookup
    with exchange.database.transaction() as session:
        session.execute(delete(Given))

    def withdraw() -> list[int]:
        with doing(exchange) as session:
            service.withdraw(session, post, report_id, "error")
            return [each.organisation_id for each in recipients(session, indicator)]

    with ThreadPoolExecutor(1) as other:
        with doing(exchange) as session:
            if door == "list":
                shared.list_shared(session, police, GROUNDS, wanted={}, limit=10)
            elif door == "export":
                shared.export_shared(session, police, GROUNDS, wanted={}, limit=10)
            elif door == "read":
                shared.read_shared(session, police, GROUNDS, indicator)
            elif door == "explain":
                explaining.explain(session, police, asked)
            else:
                lookups.ask(
                    session,
                    police,
                    purpose=GROUNDS.purpose,
                    legal_basis=GROUNDS.legal_basis,
                    case=GROUNDS.case,
                    queries=[exchange.query(SOPHIE_TYPED)],
                )
            withdrawing = other.submit(withdraw)
            while not somebody_waits(exchange) and not withdrawing.done():
                sleep(0.01)
            assert not withdrawing.done()
        assert withdrawing.result(60) == [police.member[0]]


def somebody_waits(exchange: Exchange) -> bool:
    """Whether a transaction of this database waits for another's lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    with exchange.database.engine.connect() as connection:
        found = connection.execute(text(f"{waiting} AND wait_event_type = 'Lock'"))
        return found.first() is not None
