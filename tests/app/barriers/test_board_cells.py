"""Every cell is the sum that it says, and no sum of told cells betrays a competitor."""

from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.barriers.board_cells import (
    ELSEWHERE,
    MOST_CORRIDORS,
    Told,
    periods_of,
    summed,
    tables_of,
    told_cells,
)
from app.barriers.methods.disclosure_control import Part, computable
from app.barriers.visible_counts import CellName, Counted, Kind

PERIOD = 20

_owners = st.sampled_from(("a", "b", "c", "own"))
_reports = st.lists(
    st.tuples(
        _owners,
        st.integers(0, 3),
        st.sampled_from(("NL", "BE", "")),
        st.sampled_from(("US", "AU")),
        st.sampled_from(("mdma", "")),
        st.integers(0, 3),
    ),
    max_size=120,
)
_Report = tuple[str, int, str, str, str, int]


@settings(max_examples=40, deadline=None)
@given(_reports)
def test_cells_add_up(reports: Sequence[_Report]) -> None:
    cells = summed(_counted(reports))
    for side in (cells.own, {name: _whole(cell) for name, cell in cells.others.items()}):
        for period in periods_of(side):
            for table in tables_of(period):
                assert side[table.total].count == sum(side[part].count for part in table.parts)
                assert sum(side[p].keys for p in table.parts) % 2**32 == side[table.total].keys


@settings(max_examples=60, deadline=None)
@given(_reports, st.integers(0, 100), st.sampled_from(("a", "b")))
def test_no_sum_of_told_cells_tells_one_competitors_number(
    reports: Sequence[_Report], more: int, large: str
) -> None:
    dominated = [(large, 1, "NL", "US", "mdma", 0)] * more
    found = _counted([*reports, *dominated])
    told = told_cells(found, competes=True)
    assert not set(_betraying(found)) & set(_gained(found, told))


def test_an_authority_is_told_what_an_operator_is_not() -> None:
    found = _counted([("a", 1, "NL", "US", "mdma", week) for week in range(4)] * 20)
    assert not told_cells(found, competes=True).others
    assert CellName(Kind.TOTAL, PERIOD) in told_cells(found, competes=False).others


def test_each_origin_keeps_its_small_corridors_together() -> None:
    drawn = Random(1)  # noqa: S311 - made-up counts
    found = Counted()
    for number in range(MOST_CORRIDORS + 10):
        name = CellName(Kind.STEP_CORRIDOR, PERIOD, 1, ("NL", f"{number:02}"))
        found.add(name, "a", Part(100 - number, drawn.getrandbits(32)))
    corridors = {name.words: cell for name, cell in summed(found).others.items() if name.words}
    assert ("NL", "00") in corridors
    assert ("NL", "33") not in corridors
    rest = sum(100 - number for number in range(MOST_CORRIDORS, MOST_CORRIDORS + 10))
    assert corridors["NL", ELSEWHERE]["a"].count == rest


def _counted(reports: Sequence[_Report]) -> Counted:
    drawn = Random(len(reports))  # noqa: S311 - made-up keys
    found = Counted()
    for owner, step, origin, destination, substance, week in reports:
        part = Part(1, drawn.getrandbits(32))
        for name in (
            CellName(Kind.STEP_CORRIDOR, PERIOD, step, (origin, destination)),
            CellName(Kind.STEP_SUBSTANCE, PERIOD, step, (substance,)),
            CellName(Kind.STEP_CONCEALMENT, PERIOD, step, ("",)),
            CellName(Kind.CORRIDOR_SUBSTANCE, PERIOD, 0, (origin, destination, substance)),
            CellName(Kind.ORIGIN_WEEK, PERIOD * 4 + week, 0, (origin,)),
        ):
            found.add(name, owner, part)
    return found


def _betraying(found: Counted) -> Iterator[CellName]:
    """Cells of which knowing the count within its noise would tell one competitor's number."""
    for name, cell in summed(found).others.items():
        counts = sorted(part.count for part in cell.values())
        if counts[-1] > 10 and (len(counts) < 2 or sum(counts[:-1]) < 0.2 * counts[-1]):
            yield name


def _gained(found: Counted, told: Told) -> set[CellName]:
    """Cells that are told, or that told ones give by adding and subtracting."""
    cells = summed(found).others
    gained = set(told.others)
    for period in periods_of(cells):
        gained |= computable(list(tables_of(period)), set(period) - set(told.others))
    return gained


def _whole(cell: dict[str, Part]) -> Part:
    whole = Part(0, 0)
    for part in cell.values():
        whole = whole.plus(part)
    return whole
