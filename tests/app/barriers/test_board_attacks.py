"""A competitor subtracts what the service tells it: over tables, purposes, moments and policies.

The attacker here is stronger than a real one: of every cell that is told it knows the true number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from flask import Flask

from app.barriers import closing
from app.barriers.board import Board, OneGroundError, board
from app.barriers.board_cells import periods_of, summed, tables_of
from app.barriers.methods.disclosure_control import DOMINANCE, WEIGHTY, Part, computable
from app.barriers.methods.noise import KEY_BITS
from app.barriers.visible_counts import CellName, counted
from app.clock import now
from app.indicators.telling import Grounds
from app.patterns.storage import reader
from postern.vocabulary import LegalBasis, Purpose, Substance
from tests.app.barriers.stored_reports import CLASSES, Made, forget, plain
from tests.app.barriers.test_board import FEED, RISK, age_of_period, competitors, put
from tests.app.exchange import CLOSED, Exchange

POLICE = replace(RISK, legal_basis=LegalBasis.POLICE_LAW)
_CLEAR = 3  # the step of which reports are CLEAR here
_WEIGHTS = (("courier-nl", 60), ("courier-de", 9), ("courier-lu", 5))
_CLEAR_ALONE = """
@id("open/clear") @label("CLEAR alone") permit (principal, action, resource)
when { resource.tlp == Tlp::"CLEAR" };
"""


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return competitors(app)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_competitors_number_follows_from_all_tables_together(
    exchange: Exchange, seed: int
) -> None:
    _close(exchange, _drawn(seed))
    found = _board(exchange, RISK)
    cells = _true_cells(exchange)
    betrayed = {name for name, cell in cells.items() if _is_one_competitors(cell)}
    assert betrayed
    assert found.told.others
    assert not betrayed & found.told.others.keys()
    hidden = cells.keys() - found.told.others.keys()
    for period in periods_of(cells):
        tables = list(tables_of(period))
        # That the tables are those of the cells: what is told adds up to what is told.
        for table in tables:
            parts = sum(_count(cells[name]) for name in table.parts)
            assert parts == _count(cells[table.total])
        assert not computable(tables, hidden) & betrayed


def test_no_other_purpose_or_basis_tells_an_operator_something_to_subtract(
    exchange: Exchange,
) -> None:
    _close(exchange, _drawn(3))
    for purpose in Purpose:
        for basis in LegalBasis:
            if (purpose, basis) != (RISK.purpose, RISK.legal_basis):
                with pytest.raises(OneGroundError):
                    _board(exchange, Grounds(purpose, basis, "case 1"))


def test_what_comes_and_goes_within_a_week_changes_nothing(exchange: Exchange) -> None:
    kept = _close(exchange, _drawn(4))
    before = {code: _board(exchange, each, code).told for code, each in _READERS}
    put(exchange, _drawn(5))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        forget(session, kept[::3])
        closing.close(session, now())
    assert {code: _board(exchange, each, code).told for code, each in _READERS} == before


def test_a_policy_that_is_narrowed_and_opened_again_tells_nothing_new(exchange: Exchange) -> None:
    """It acts at once, and what it still opens is told as before: of step 3, which is CLEAR."""
    _close(exchange, _drawn(6))
    whole = _board(exchange, POLICE, "police-de").told
    for code in ("courier-nl", "courier-de", "courier-lu"):
        exchange.publish(code, _CLEAR_ALONE)
    narrow = _board(exchange, POLICE, "police-de").told
    steps = {name.step for name in narrow.others if name.kind in {"step", "step_substance"}}
    assert steps == {_CLEAR}
    same = {name for name in narrow.others if name.step == _CLEAR}
    # The same reports have the same noise: nothing is gained by having both.
    assert {name: whole.others[name] for name in same} == {
        name: narrow.others[name] for name in same
    }
    for code in ("courier-nl", "courier-de", "courier-lu"):
        exchange.publish(code, CLOSED)
    assert not _board(exchange, POLICE, "police-de").told.others
    for code in ("courier-nl", "courier-de", "courier-lu"):
        exchange.publish(code, FEED)
    assert _board(exchange, POLICE, "police-de").told == whole


_READERS = (("post-be", RISK), ("police-de", POLICE))


def _drawn(seed: int) -> list[Made]:
    """Reports of competitors of whom one has most, at some steps nearly all."""
    drawn = Random(seed)  # noqa: S311 - made-up reports
    made = []
    for code, weight in _WEIGHTS:
        for _ in range(weight * 4):
            step = drawn.choice((1, 3, 3, 5) if code == "courier-nl" else (3, 3, 4, 4))
            each = plain(code, age_of_period(), step=step, key=drawn.getrandbits(KEY_BITS))
            made.append(
                replace(
                    each,
                    origin=drawn.choice(("NL", "NL", "BE", "DE")),
                    destination=drawn.choice(("US", "AU")),
                    substance=drawn.choice((Substance.MDMA, Substance.KETAMINE)),
                    indicators=tuple(
                        replace(named, attributes=CLASSES[0 if step == _CLEAR else 1])
                        for named in each.indicators
                    ),
                )
            )
    return made


def _true_cells(exchange: Exchange) -> Mapping[CellName, Mapping[str, Part]]:
    caller = exchange.caller("post-be")
    with exchange.app.app_context(), exchange.database.transaction() as session:
        asks = reader(session, caller, RISK)
        found = counted(session, asks.organisation_id, asks.profile_id, asks.at, by_owner=True)
    return summed(found).others


def _is_one_competitors(cell: Mapping[str, Part]) -> bool:
    counts = sorted(part.count for part in cell.values())
    return counts[-1] > WEIGHTY and sum(counts[:-1]) < DOMINANCE * counts[-1]


def _count(cell: Mapping[str, Part]) -> int:
    return sum(part.count for part in cell.values())


def _close(exchange: Exchange, reports: Sequence[Made]) -> list[int]:
    ids = put(exchange, reports)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        closing.close(session, now())
    return ids


def _board(exchange: Exchange, grounds: Grounds, code: str = "post-be") -> Board:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return board(session, exchange.caller(code), grounds)
