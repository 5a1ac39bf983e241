"""The board of the barrier model over many indicators: counting once a week, and each answer.

    python -m bench.board [--indicators 1000000] [--answers 20]

Reports are made by the database itself and are as the service stores them: a report names a sender,
and three of four an addressee and an induction point; its classes tell its step and its substance,
so that there are thousands of them; most corridors are rare. Half of the reports are tagged.
Twenty owners have a policy each; the board is asked for by a police force and by an operator.

On PostgreSQL. An answer is all that a request takes, but for HTTP: who may count what, the counts,
protection, methods, the log, the commit, and the JSON. `again`: the same process told the profile
before, and nothing has changed since; `kept`: another process did; `anew`: something has changed,
such as a policy or a week that grew too old, or nobody asked for long. Beside them, in the same
run, is one table of the twelve as it would be counted without any of this: reports by step and four
of weeks, of what the predicate lets see, unprotected. The limit is 500 ms, for `again` and `kept`.

`whole` is the closing of a week that counts everything, `week` the next one, which counts what was
told in a week and what changed of one in a thousand of the reports.
The last line is one JSON object.
"""

import argparse
import gc
import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import product
from statistics import median
from time import perf_counter
from typing import Any, cast

from flask import Flask
from sqlalchemy import delete, func, select, text

from app.access import CONSOLE, Caller
from app.barriers import board as board_room
from app.barriers import board_showing, closing, told_counts
from app.barriers.board_schemas import BoardSchema
from app.barriers.methods.distributions import quantile
from app.barriers.model_upkeep import load_shipped
from app.barriers.stat_models import StatCell, StatClosing, StatIntake, StatShape, StatTold
from app.barriers.told_counts import Counting
from app.clock import day, now
from app.indicators.models import Indicator, Report
from app.indicators.telling import Grounds
from app.patterns.storage import reader as reader_of
from app.sharing import service as sharing
from app.sharing.classes import ClassAttributes
from app.sharing.visibility import visible_indicators
from bench.machine import machine
from bench.stage import database_of, member, new_secret, platform
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
)

LIMIT = 500.0  # milliseconds
_OWNERS = 20
_SECTORS = (Sector.POST, Sector.COURIER, Sector.POST, Sector.CUSTOMS, Sector.POLICE)
_INDICATORS_OF_TWO_REPORTS = 5
_NAMED = (
    (Kind.PARTY, PartyRole.SENDER),
    (Kind.PARTY, PartyRole.ADDRESSEE),
    (Kind.INDUCTION_POINT, PartyRole.INDUCTION_POINT),
)
_MARKED = (Tlp.GREEN, Tlp.AMBER)
_SUBSTANCES = (
    Substance.MDMA,
    Substance.KETAMINE,
    Substance.COCAINE,
    Substance.CANNABIS,
    Substance.AMPHETAMINE,
    Substance.NPS,
    Substance.MEDICINE,
    Substance.UNKNOWN,
)
_STEPS = 8  # 0: none
POLICY = """
@id("bench/points") @label("Points and senders of a year are for who analyses risks")
permit (principal, action, resource)
when { context.purpose == Purpose::"risk_analysis" && resource.ageBand <= 3 &&
  resource.role != PartyRole::"addressee" };
@id("bench/police") @label("Police list addressees of three months")
permit (principal in Sector::"police", action, resource)
when { resource.role == PartyRole::"addressee" && resource.ageBand <= 2 };
@id("bench/not-amber") @label("Operators do not get what is AMBER")
forbid (principal in Sector::"post", action == Action::"feed", resource)
when { resource.tlp == Tlp::"AMBER" };
"""


@dataclass(frozen=True)
class Reader:
    """Who asks for the board, and why."""

    name: str
    caller: Caller
    grounds: Grounds


def main() -> None:
    """Measure, print, and print the JSON object as the last line."""
    parser = argparse.ArgumentParser(description="The board over many indicators.")
    parser.add_argument("--indicators", type=int, default=1_000_000)
    parser.add_argument("--answers", type=int, default=20, help="of each kind and reader")
    options = parser.parse_args()
    with platform("postgresql") as app:
        readers = _furnish(app, options.indicators)
        # As each worker of the web server does when it has loaded the platform.
        gc.collect()
        gc.freeze()
        figures = _measure(app, readers, options.answers)
    for name, each in figures.items():
        print(f"{name}: {each}")
    print(json.dumps({"benchmark": "board", "limit_ms": LIMIT, **figures, "machine": machine()}))


def _measure(app: Flask, readers: list[Reader], answers: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"closing": _closings(app)}
    for reader in readers:
        few = max(3, answers // 5)
        naive = [_naive(app, reader) for _ in range(few)]
        anew = [_answer(app, reader, State.ANEW) for _ in range(few)]
        kept = [_answer(app, reader, State.KEPT) for _ in range(answers)]
        again = [_answer(app, reader, State.AGAIN) for _ in range(answers)]
        times = {
            "one_table_naively_ms": naive,
            "anew_ms": [each.milliseconds for each in anew],
            "kept_ms": [each.milliseconds for each in kept],
            "again_ms": [each.milliseconds for each in again],
        }
        figures[reader.name] = {
            **{name: _spread(each) for name, each in times.items()},
            "counting_ms": round(_counting(app, reader), 1),
            "kilobytes": round(kept[-1].size / 1000),
            "cells_of_others_told": kept[-1].cells,
            **ratios(times),
        }
    return figures


def ratios(times: dict[str, list[float]]) -> dict[str, Any]:
    """Of medians to the limit and to counting one table naively; whether each answer is in it."""
    naive = median(times["one_table_naively_ms"])
    return {
        "kept_of_limit": round(median(times["kept_ms"]) / LIMIT, 3),
        "anew_of_limit": round(median(times["anew_ms"]) / LIMIT, 3),
        "kept_of_naive": round(median(times["kept_ms"]) / naive, 3),
        "anew_of_naive": round(median(times["anew_ms"]) / naive, 3),
        "within_limit": max(*times["kept_ms"], *times["again_ms"]) < LIMIT,
    }


def _closings(app: Flask) -> dict[str, Any]:
    """Seconds of a closing that counts everything, and of the one of the next week."""
    before = now() - timedelta(weeks=1)
    start = perf_counter()
    with app.app_context(), database_of(app).transaction() as session:
        whole = closing.recount(session, before)
    took = perf_counter() - start
    with database_of(app).engine.begin() as connection:
        connection.execute(text(_CHANGED))
    start = perf_counter()
    counted, runs = 0, 0
    while True:
        with app.app_context(), database_of(app).transaction() as session:
            found = closing.close(session, now())
        if not found:
            break
        counted, runs = counted + found, runs + 1
    week = perf_counter() - start
    with database_of(app).reading() as session:
        sizes = {
            name: session.execute(select(func.count()).select_from(model)).scalar_one()
            for name, model in (("intakes", StatIntake), ("shapes", StatShape), ("cells", StatCell))
        }
        reports = session.scalars(select(StatClosing.reports)).one()
    return {
        "whole": {"seconds": round(took, 1), "reports": whole},
        "week": {"seconds": round(week, 1), "counted": counted, "runs": runs, "reports": reports},
        "week_of_whole": round(week / took, 3),
        **sizes,
    }


class State(StrEnum):
    """What was told before."""

    ANEW = "anew"
    KEPT = "kept"
    AGAIN = "again"


@dataclass(frozen=True)
class _Answer:
    milliseconds: float
    size: int
    cells: int


def _answer(app: Flask, reader: Reader, state: State) -> _Answer:
    if state is State.ANEW:
        _forget(app)
    if state is not State.AGAIN:
        told_counts.REMEMBERED.forget()
        board_room.REMEMBERED.forget()
        quantile.cache_clear()
    start = perf_counter()
    with app.app_context(), database_of(app).transaction() as session:
        found = board_room.board(session, reader.caller, reader.grounds)
        body = json.dumps(BoardSchema().dump(board_showing.board(found, "en")))
    return _Answer((perf_counter() - start) * 1000, len(body), len(found.told.others))


def _counting(app: Flask, reader: Reader) -> float:
    """Milliseconds of the counts alone, without methods and JSON, anew."""
    _forget(app)
    with app.app_context(), database_of(app).transaction() as session:
        asks = reader_of(session, reader.caller, reader.grounds)
        competes = reader.name == "operator"
        start = perf_counter()
        told_counts.told_counts(
            session, Counting(asks.organisation_id, asks.profile_id, asks.at, competes)
        )
        return (perf_counter() - start) * 1000


def _naive(app: Flask, reader: Reader) -> float:
    """Milliseconds of counting the visible reports by step and four of weeks, and nothing else."""
    with app.app_context(), database_of(app).transaction() as session:
        asks = reader_of(session, reader.caller, reader.grounds)
        start = perf_counter()
        profile = cast(int, asks.profile_id)  # it has grounds
        seen = visible_indicators(profile, asks.at, in_bulk=True).subquery()
        of_report = (
            select(Indicator.report_id, func.min(seen.c.seen_day).label("seen_day"))
            .join(seen, seen.c.indicator_id == Indicator.id)
            .group_by(Indicator.report_id)
            .subquery()
        )
        period = of_report.c.seen_day // 28
        session.execute(
            select(Report.barrier_step, period, func.count())
            .join(of_report, of_report.c.report_id == Report.id)
            .group_by(Report.barrier_step, period)
        ).all()
        return (perf_counter() - start) * 1000


def _forget(app: Flask) -> None:
    with database_of(app).transaction() as session:
        session.execute(delete(StatTold))


def _spread(times: list[float]) -> dict[str, float]:
    return {"median": round(median(times), 1), "most": round(max(times), 1)}


def _furnish(app: Flask, indicators: int) -> list[Reader]:
    start = perf_counter()
    secret = new_secret(app)
    owners = []
    with app.app_context(), database_of(app).transaction() as session:
        load_shipped(session)
    for number in range(_OWNERS):
        sector = _SECTORS[number % len(_SECTORS)]
        owners.append(member(app, f"owner-{number:02}", sector, "BE", secret))
        with app.app_context(), database_of(app).transaction() as session:
            sharing.publish(session, CONSOLE, owners[-1].organisation, POLICY)
            sharing.share_class_ids(session, owners[-1].member[0], _CLASSES)
    readers = [
        _reader(app, "police", Sector.POLICE, LegalBasis.POLICE_LAW, secret),
        _reader(app, "operator", Sector.POST, LegalBasis.POSTAL_LAW, secret),
    ]
    values = {
        "reports": indicators * 2 // _INDICATORS_OF_TWO_REPORTS,
        "owners": _OWNERS,
        "today": day(now()),
    }
    with database_of(app).engine.begin() as connection:
        for statement in _FILL:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
        count = connection.execute(text("SELECT count(*) FROM indicator")).scalar_one()
    with database_of(app).engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("VACUUM ANALYZE")
    print(f"{count:,} indicators made in {perf_counter() - start:.0f} s", flush=True)
    return readers


def _reader(app: Flask, name: str, sector: Sector, basis: LegalBasis, secret: str) -> Reader:
    caller = member(app, f"{name}-zz", sector, "NL", secret)
    grounds = Grounds(Purpose.RISK_ANALYSIS, basis, "")
    with app.app_context(), database_of(app).transaction() as session:
        reader_of(session, caller, grounds)  # decides every class for the new profile
    return Reader(name, caller, grounds)


_CLASSES = [
    ClassAttributes(
        kind=kind,
        role=role,
        tlp=tlp,
        handling=frozenset(),
        source_grade=SourceGrade.B,
        information_grade=InformationGrade.TWO,
        assertion=Assertion.ASSESSMENT,
        permitted_action=PermittedAction.WATCH,
        barrier_step=step,
        substance=substance,
    )
    for (kind, role), tlp, step, substance in product(_NAMED, _MARKED, range(_STEPS), _SUBSTANCES)
]

_LISTED = ", ".join(f"'{each.value}'" for each in _SUBSTANCES)
_ORIGINS = "'NL', 'BE', 'DE', 'FR', 'ES', 'PL', 'CZ', 'LU', 'AT', 'IT'"
_DESTINATIONS = (
    "'US', 'AU', 'GB', 'NZ', 'SE', 'NO', 'CH', 'IE', 'DK', 'FI', 'JP', 'CA', 'SG', 'KR', 'AE',"
    " 'IL', 'BR', 'MX', 'ZA', 'IS', 'EE', 'LV', 'LT', 'HU', 'RO', 'BG', 'GR', 'PT', 'MT', 'CY'"
)
_CONCEALMENTS = "'food', 'toy', 'decoy_goods', 'vacuum_sealed', 'book_or_documents', 'cosmetics'"
_SIGNALS = "'deviant-scan-image', 'invented-sender', 'many-like-items', 'cash-postage'"


def _drawn(listed: str, count: int, power: float = 2.0) -> str:
    """One of a list, the first ones more often."""
    return f"(ARRAY[{listed}])[1 + CAST(floor({count} * random() ^ {power}) AS integer)]"


_CHANGED = """
    INSERT INTO stat_change (organisation_id, day)
    SELECT organisation_id, CAST(created_at AT TIME ZONE 'UTC' AS date) - date '1970-01-01'
    FROM report WHERE id % 1000 = 7
"""

_FILL = (
    """
    CREATE TEMP TABLE bench_owner AS
    SELECT row_number() OVER (ORDER BY id) - 1 AS place, id, (
      SELECT p.id FROM person_account p WHERE p.organisation_id = o.id LIMIT 1
    ) AS person
    FROM organisation o WHERE o.code LIKE 'owner-%'
    """,
    """
    CREATE TEMP TABLE bench_class AS
    SELECT id, organisation_id, attributes ->> 'role' AS role, attributes ->> 'tlp' AS tlp,
      CAST(attributes ->> 'barrier_step' AS integer) AS step,
      attributes ->> 'substance' AS substance
    FROM share_class
    """,
    f"""
    INSERT INTO report (public_id, organisation_id, person_id, client_key, content_hash, status,
      created_at, barrier_step, origin_country, destination_country, substance, concealment, key)
    SELECT gen_random_uuid(), o.id, o.person, 'fill-' || i,
      uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'active',
      to_timestamp(0) + interval '1 day' * (:today - floor(random() * 364)),
      NULLIF(CAST(floor(random() * {_STEPS}) AS integer), 0), {_drawn(_ORIGINS, 10)},
      {_drawn(_DESTINATIONS, 30, 3.0)}, {_drawn(_LISTED, 8)}, {_drawn(_CONCEALMENTS, 6)},
      CAST(floor(random() * 4294967296) AS bigint)
    FROM generate_series(1, :reports) AS n (i)
    JOIN bench_owner o ON o.place = i % :owners
    """,  # noqa: S608 - lists of our own
    """
    INSERT INTO indicator (public_id, report_id, organisation_id, share_class_id, seen_day,
      kind, role, subject_category, assertion, source_grade, information_grade, learned,
      legal_basis, tlp, handling, permitted_action, review_on, expires_on, quality, epoch,
      facets_stored, facets_common, tokens, place)
    SELECT gen_random_uuid(), r.id, r.organisation_id, c.id,
      floor(extract(epoch FROM r.created_at) / 86400),
      CASE WHEN p.role = 'induction_point' THEN 'induction_point' ELSE 'party' END, p.role,
      'unknown', 'assessment', 'B', '2', 'outside_of_item', 'postal_law', r.tlp, '[]', 'watch',
      CAST(r.created_at AS date) + 420, CAST(r.created_at AS date) + 420, '[]', 1, 0, 0, '',
      CASE WHEN p.role = 'induction_point' THEN json_build_object('operator', 'bpost', 'code',
        CAST(floor(300 * random() ^ 3) AS text), 'country', coalesce(r.origin_country, 'BE')) END
    FROM (
      SELECT *, CASE WHEN random() < 0.7 THEN 'GREEN' ELSE 'AMBER' END AS tlp FROM report
    ) r
    JOIN (VALUES ('sender', 1.0), ('addressee', 0.75), ('induction_point', 0.75)) AS p (role, part)
      ON abs(hashtext(r.client_key || p.role)) % 1000 < 1000 * p.part
    JOIN bench_class c ON c.organisation_id = r.organisation_id AND c.role = p.role
      AND c.tlp = r.tlp AND c.step = coalesce(r.barrier_step, 0) AND c.substance = r.substance
    """,
    """
    INSERT INTO step_tag (organisation_id, report_id, version_id, step, suggested, rejected,
      made_at, made_by)
    SELECT organisation_id, id, (SELECT max(id) FROM barrier_model_version), barrier_step, '{}',
      '[]', created_at, gen_random_uuid()
    FROM report WHERE id % 2 = 0
    """,
    f"""
    INSERT INTO step_tag_signal (tag_id, signal)
    SELECT id, {_drawn(_SIGNALS, 4)} FROM step_tag
    """,  # noqa: S608 - a list of our own
)


if __name__ == "__main__":
    main()
