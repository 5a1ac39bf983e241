"""The made-up year of the barrier model, what is found in it, and what attacks on counts gain."""

import pytest

from app.barriers.methods.displacement import Movement, displacement
from app.barriers.methods.effect import Verdict, effect
from app.demo.barrier_year import (
    BARRED,
    BARRIER_AT,
    DISPLACED_AT,
    FALLING,
    PUBLISHED,
    RISING,
    MadeReport,
    Plan,
    year,
)
from app.small_counts import LEAST
from bench.barrier_attacks import (
    averaging,
    cells_of,
    in_worlds,
    membership,
    tables_of,
    watching,
)
from bench.barriers import (
    BARRIER,
    CLIMATES,
    MOVE,
    NEIGHBOURS,
    false_alarms,
    moves,
    published_fall,
    series_of,
)
from postern.vocabulary import OutcomeResult, Step

SEED = 1  # a year in which both are found: how often that is stands in docs/barrier-methods.md


@pytest.fixture(scope="module")
def reports() -> list[MadeReport]:
    return list(year(Plan(SEED, scale=0.05)).reports())


def test_the_same_plan_gives_the_same_year(reports: list[MadeReport]) -> None:
    assert list(year(Plan(SEED, scale=0.05)).reports()) == reports
    assert year(Plan(SEED)).counts != year(Plan(SEED + 1)).counts


def test_what_was_published_is_taken_and_says_where_it_stands() -> None:
    whole = [sum(year(Plan(seed, joining=False)).by_origin()["NL"]) for seed in range(8)]
    published = PUBLISHED["postal items with drugs, NL customs, 2024"].value
    assert sum(whole) / len(whole) == pytest.approx(published * 0.25, rel=0.15)
    assert all(each.source for each in PUBLISHED.values())
    fall = published_fall()
    assert fall["ratio_2024_to_2023"] == pytest.approx(13_700 / 16_500, abs=0.0001)
    assert fall["ratio_2023_to_2022"] < fall["ratio_2024_to_2023"]  # it fell more before HARP


def test_outcomes_follow_from_each_other(reports: list[MadeReport]) -> None:
    told = [outcome for report in reports for outcome in report.outcomes]
    assert 0.3 < len(told) / len(reports) < 0.5
    for outcome in told:
        if outcome.examined is Step.YES:
            assert outcome.held is Step.YES
        decided = outcome.result in {OutcomeResult.FOUND, OutcomeResult.NOT_FOUND}
        assert decided is (outcome.examined is Step.YES)


def test_a_move_takes_from_one_and_gives_to_the_others_what_it_took() -> None:
    plain = year(Plan(SEED, scale=1)).by_origin()
    moved = year(Plan(SEED, scale=1, displaced=0.5)).by_origin()
    gone = sum(plain[FALLING][DISPLACED_AT:]) - sum(moved[FALLING][DISPLACED_AT:])
    come = sum(sum(moved[each]) - sum(plain[each]) for each in RISING)
    assert gone == pytest.approx(sum(plain[FALLING][DISPLACED_AT:]) / 2, rel=0.1)
    # Who reports which origin differs, so that what is seen again is not what is gone.
    assert come == pytest.approx(gone, rel=0.3)


def test_a_barrier_takes_from_its_place_alone() -> None:
    plain, barred = year(Plan(SEED)).by_origin(), year(Plan(SEED, barred=0.5)).by_origin()
    after = sum(plain[BARRED][BARRIER_AT:])
    assert sum(barred[BARRED][BARRIER_AT:]) == pytest.approx(after / 2, rel=0.15)
    before = sum(plain[BARRED][:BARRIER_AT])
    assert sum(barred[BARRED][:BARRIER_AT]) == pytest.approx(before, rel=0.1)
    others = [sum(map(sum, (by[each] for each in by if each != BARRED))) for by in (plain, barred)]
    assert others[0] == pytest.approx(others[1], rel=0.05)


def test_a_planted_move_and_a_planted_barrier_are_both_found_also_in_counts_as_told() -> None:
    made = year(Plan(SEED, displaced=0.6, barred=0.5))
    exact, board, grain = series_of(made, MOVE)
    for found in moves(exact, board, grain).values():
        assert found is not None
        if found.movement is Movement.MOVED:
            assert FALLING in {each.compared.name for each in found.falls}
    pooled = displacement(exact, MOVE, together=NEIGHBOURS)
    assert pooled.movement is Movement.MOVED
    assert [each.compared.name for each in pooled.rises] == list(NEIGHBOURS)
    barrier_exact, _, _ = series_of(made, BARRIER)
    found_effect = effect(barrier_exact, BARRED, BARRIER)
    assert found_effect.verdict is Verdict.FEWER
    assert found_effect.place.ratio.low < 0.5 < found_effect.place.ratio.high


def test_in_the_same_year_without_them_nothing_is_found() -> None:
    made = year(Plan(SEED))
    exact, board, grain = series_of(made, MOVE)
    assert {each.movement for each in moves(exact, board, grain).values() if each} == {
        Movement.NOTHING_SEEN
    }
    barrier_exact, _, _ = series_of(made, BARRIER)
    assert effect(barrier_exact, BARRED, BARRIER).verdict is Verdict.NOT_SHOWN


def test_false_alarms_are_shares_of_ours_and_of_simpler_methods() -> None:
    found = false_alarms(CLIMATES["ordinary"], 1, SEED)
    assert {name for name in found if name.startswith("effect")} >= {
        "effect, ours",
        "effect, before and after alone",
    }
    assert all(0 <= share <= 1 for share in found.values())


def test_averaging_ever_other_sums_of_the_same_set_gains_less_than_half_of_its_error(
    reports: list[MadeReport],
) -> None:
    dimensions = ("origin", "destination", "step", "service", "category", "learned")
    found = averaging(reports, 30, dimensions)
    assert found.averaged > found.told / 2
    assert found.views == 4  # it did ask


def test_who_knows_all_other_records_is_little_better_than_guessing_from_one_count() -> None:
    assert 0.55 < membership(1, 2_000) < 0.65
    assert membership(55, 1_000) > 0.9  # and is right from 55: so many must not be offered


def test_differences_over_time_are_worse_than_guessing_the_mean(
    reports: list[MadeReport],
) -> None:
    found = watching(reports, "LU")
    assert found.weekly_error > found.guessing_error
    # Told at any moment, nearly each arrival would show: this is why weeks must be closed.
    assert found.arrivals_seen_live > 0.7
    assert found.arrivals_seen_closed < 0.4


def test_a_competitors_number_cannot_be_computed_and_could_without_complements(
    reports: list[MadeReport],
) -> None:
    found = in_worlds(reports)
    assert found.betraying > 50
    assert found.computable_naive > 20
    assert found.computable == 0
    assert found.told > found.cells / 3


def test_every_set_is_the_sum_of_its_parts_in_each_table(reports: list[MadeReport]) -> None:
    cells = cells_of(reports[:400], 2, ("origin", "step"))
    tables = tables_of(cells, ("origin", "step"))
    assert len(tables) > LEAST
    for table in tables:
        for owner, part in cells[table.total].items():
            parts = [cells[key][owner].count for key in table.parts if owner in cells[key]]
            assert sum(parts) == part.count
