"""The benchmark of large tables: its rows are like the service's, its ratios what they say."""

from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app.access import CONSOLE
from app.clock import day, now
from app.indicators import service
from app.indicators.storage import split_tokens
from app.lookups import service as lookups
from app.lookups.scoring import Query
from app.pseudonyms.service import open_first_epochs
from app.sharing import service as sharing
from bench.load import Side, compared
from bench.load_clients import Asked
from bench.load_curves import draw
from bench.load_fill import DAYS, TABLES, fill, last_id, shapes
from bench.load_growth import quantile, second_half, straight
from bench.load_stage import HOST, _settings
from bench.preload import FACETS
from bench.soak import MIX, Watched
from bench.stage import POLICY, Stage, database_of, member
from postern.vocabulary import Kind, LegalBasis, Purpose, Sector

FILLED = 300


@pytest.fixture
def stage(app: Flask) -> Stage:
    with app.app_context(), database_of(app).transaction() as session:
        open_first_epochs(session, CONSOLE)
    owner = member(app, "post-00", Sector.POST)
    viewer = member(app, "police-zz", Sector.POLICE)
    with app.app_context(), database_of(app).transaction() as session:
        sharing.publish(session, CONSOLE, "post-00", POLICY)
    return Stage(app, [owner], viewer, [])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_filled_is_like_what_the_service_stored(stage: Stage) -> None:
    address = stage.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    of = shapes(stage)
    with psycopg.connect(address, autocommit=True) as driver:
        stored = last_id(driver)
        definitions = _indexes(driver)
        assert fill(address, of, stored + FILLED, most=3).indicators == FILLED
        assert _indexes(driver) == definitions
        for table in TABLES:
            _have_the_same_shape(driver, table, stored)
        assert _orphans(driver) == 0
        rows = driver.execute(
            "SELECT id, tokens, facets_stored, facets_common, seen_day, observed_to - date"
            " '1970-01-01', share_class_id FROM indicator WHERE id > %s",
            [stored],
        ).fetchall()
        postings = driver.execute(
            "SELECT indicator_id, token, share_class_id, seen_day FROM token"
            " WHERE indicator_id > %s",
            [stored],
        ).fetchall()
    whole = sum(1 << facet for facet in set(FACETS))
    for _, tokens, kept, common, seen, observed, _ in rows:
        assert 14 <= len(split_tokens(tokens)) <= len(FACETS)
        assert kept | common == whole
        assert not kept & common
        assert seen == observed
        assert 0 <= day(now()) - seen < DAYS
    assert sorted(postings) == sorted(
        (key, token, class_id, seen)
        for key, tokens, _, _, seen, _, class_id in rows
        for token in split_tokens(tokens)
    )
    held = [token for _, token, _, _ in postings]
    assert max(map(held.count, held)) <= 3
    _is_found_and_withdrawn(stage, rows)


def _is_found_and_withdrawn(stage: Stage, rows: list[Any]) -> None:
    """The service deals with a row of the fill as with its own."""
    key, tokens = next(row[:2] for row in rows if len(row[1]) == 16 * len(FACETS))
    asked = list(zip(FACETS, split_tokens(tokens), strict=True))
    with stage.app.app_context(), stage.database.transaction() as session:
        answer = lookups.ask(
            session,
            stage.viewer,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2026-17",
            queries=[Query("q", Kind.PARTY, 1, asked)],
        )
        assert answer.results[0].hits
        public_id = session.execute(
            text("SELECT public_id FROM report WHERE id = :id"), {"id": key}
        ).scalar_one()
    with stage.app.app_context(), stage.database.transaction() as session:
        assert service.withdraw(session, stage.owners[0], public_id, "error").erased == 1
        left = session.execute(
            text("SELECT count(*) FROM token WHERE indicator_id = :id"), {"id": key}
        )
        assert left.scalar_one() == 0


def _indexes(driver: "psycopg.Connection[Any]") -> list[Any]:
    return driver.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = ANY (%s) ORDER BY 1", [list(TABLES)]
    ).fetchall()


def _have_the_same_shape(driver: "psycopg.Connection[Any]", table: str, stored: int) -> None:
    """Each column is as long and as often empty in rows of the fill as in the service's."""
    key = "id" if table in ("report", "indicator") else "indicator_id"
    columns = [
        column.name
        for column in driver.execute(f"SELECT * FROM {table} LIMIT 0").description or ()  # noqa: S608 - ours
        if column.name not in ("client_key", "tokens")  # as long as their content
    ]
    seen = ", ".join(
        f"count({name}), min(pg_column_size({name})), max(pg_column_size({name}))"
        for name in columns
    )
    service_made, filled = (
        driver.execute(
            f"SELECT count(*), {seen} FROM {table} WHERE {key} {side} %s",  # noqa: S608 - ours
            [stored],
        ).fetchone()
        for side in ("<=", ">")
    )
    assert service_made is not None
    assert filled is not None
    for place, name in enumerate(columns):
        given = [each[1 + 3 * place] / each[0] for each in (service_made, filled)]
        assert given[0] == given[1], f"{table}.{name} is given in {given} of the rows"
        lengths = [each[2 + 3 * place : 4 + 3 * place] for each in (service_made, filled)]
        assert lengths[0] == lengths[1], f"{table}.{name}"


def _orphans(driver: "psycopg.Connection[Any]") -> int:
    row = driver.execute(
        "SELECT (SELECT count(*) FROM indicator i LEFT JOIN report r ON r.id = i.report_id"
        " AND r.organisation_id = i.organisation_id WHERE r.id IS NULL)"
        " + (SELECT count(*) FROM indicator i LEFT JOIN share_class c ON c.id = i.share_class_id"
        " AND c.organisation_id = i.organisation_id WHERE c.id IS NULL)"
        " + (SELECT count(*) FROM indicator i LEFT JOIN element_vault v ON v.indicator_id = i.id"
        " WHERE v.indicator_id IS NULL)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _side(latencies: list[float], web: float, database: float) -> Side:
    side = Side()
    side.add([Asked(latencies, len(latencies), [])], web, database)
    return side


def test_a_ratio_is_the_service_by_the_database_alone() -> None:
    whole = _side([0.010, 0.020, 0.010, 0.040], web=0.04, database=0.02)
    bare = _side([0.001, 0.002, 0.001, 0.004], web=0.0, database=0.004)
    told = compared(whole, bare, each=500)
    assert told["whole"]["per_s"] == 50.0
    assert told["bare"]["per_s"] == 500.0
    assert told["ratio_rate"] == 10.0
    assert told["ratio_p50"] == 10.0
    assert told["ratio_cpu"] == 15.0  # 15 ms of processor time against 1 ms
    assert told["indicators_per_s"] == 25_000
    assert told["indicators_per_s_by_cpu_of_two_cores"] == round(2 * 500 / 0.015)


def test_a_round_lasts_as_long_as_its_slowest_client() -> None:
    side = Side()
    side.add([Asked([0.5], 1, []), Asked([0.25, 0.25, 0.25, 0.25], 4, ["late"])], 0.0, 0.0)
    assert side.seconds == 1.0
    assert side.figures()["per_s"] == 5.0
    assert side.figures()["failures"] == 1


def test_a_line_is_found_with_its_bound() -> None:
    exact = straight([0, 1, 2, 3], [5, 7, 9, 11])
    assert (exact.slope, exact.at_zero, exact.bound) == (2.0, 5.0, 0.0)
    assert exact.at(10) == 25.0
    # By hand: slope 0.6, rest 0.2 * 2, spread 5, two degrees of freedom.
    rough = straight([0, 1, 2, 3], [1, 2, 2, 3])
    assert rough.slope == pytest.approx(0.6)
    assert rough.bound == pytest.approx(4.303 * (0.2 / 2 / 5) ** 0.5)
    assert straight([0, 1], [1, 2]).bound == float("inf")
    with pytest.raises(ValueError, match="apart"):
        straight([1, 1], [1, 2])


def test_the_second_half_is_of_the_time() -> None:
    assert second_half([0, 1, 2, 10, 20], [1, 2, 3, 4, 5]) == ([10, 20], [4, 5])
    assert quantile([1, 2, 3, 4, 5], 0.5) == 3
    assert quantile([1, 2, 3, 4, 5], 1.0) == 5


@pytest.mark.parametrize(
    ("kept", "grows"),
    [(0.0, False), (0.02, True), (0.0005, False)],
    ids=["flat", "leaking", "less than one in a hundred"],
)
def test_growth_is_told_from_noise(kept: float, grows: bool) -> None:
    times = [10.0 * each for each in range(121)]
    noise = (0.0, 0.3, -0.2, 0.1, -0.2)
    mib = [180.0 + kept * at + noise[place % 5] for place, at in enumerate(times)]
    watched = Watched("web 1", 1, mib, [20] * len(times))
    assert watched.figures(times)["grows"] is grows


def test_the_soak_asks_for_what_a_day_has() -> None:
    assert sum(MIX.values()) == 100


def test_the_settings_are_those_of_production(stage: Stage) -> None:
    told = _settings(stage.database.url, Path("/srv")).splitlines()
    production = Path("config/production.toml").read_text(encoding="utf-8").splitlines()
    changed = [was for was, is_now in zip(production, told, strict=True) if was != is_now]
    assert [each.partition(" ")[0] for each in changed] == [
        *("url", "directory", "high_water", "archive")
    ]
    assert f'origin = "https://{HOST}"' in told


def test_the_curves_rise_where_figures_do() -> None:
    sizes = {
        str(size): {"lookups": {"1": {side: {"p50_ms": ms} for side in ("whole", "bare")}}}
        for size, ms in ((1_000, 2.0), (1_000_000, 20.0))
    }
    root = ElementTree.fromstring(draw({"sizes": sizes}))  # noqa: S314 - our own
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    heights = [float(each.attrib["cy"]) for each in circles[:2]]
    assert all(first > second for first, second in pairwise(heights))
