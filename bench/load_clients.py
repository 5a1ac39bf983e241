"""Client processes: each keeps one connection, asks one thing after another and times each answer.

The same processes ask the platform over HTTP and the database without it, in turns, so that what
else the machine does falls on both alike.
"""

import json
import multiprocessing
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import psycopg

from app.clock import day, now
from bench.load_fill import Pool, Rows, Shape, copy, points, report
from bench.load_stage import post
from bench.taxii_wire import AnswerError, Line
from postern.base64url import to_base64url

PATIENCE = 120.0  # seconds that any part of an answer may take
SUBMITTED = 500  # reports of one request
_DRAWN_DAYS = 300
_MORE = 1.3  # a round may be faster than the one before

Tokens = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Place:
    """Where a client asks: the service, with a token each, and the database."""

    port: int
    database: str
    profile: int
    authorization: str


@dataclass(frozen=True)
class Asked:
    """One client's part of a round: seconds of each answer, what came back, and what failed."""

    latencies: list[float]
    found: int
    failures: list[str]


@dataclass(frozen=True)
class Look:
    """Ask for these queries, from where the client stopped last."""

    queries: Sequence[Tokens]


@dataclass(frozen=True)
class Load:
    """Submit new reports as one owner; without the service their rows, of these shapes."""

    shapes: Sequence[Shape]
    pool: Pool


class Clients:
    """So many processes, ready to ask."""

    def __init__(self, places: Sequence[Place], works: Sequence[Look | Load]) -> None:
        context = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        self._processes = []
        for number, (place, work) in enumerate(zip(places, works, strict=True)):
            ours, theirs = context.Pipe()
            given = (place, work, number, theirs)
            process = context.Process(target=_serve, args=given, daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def ask(self, seconds: float, *, is_bare: bool) -> list[Asked]:
        """Let all of them ask for so long, the service or the database alone."""
        for pipe in self._pipes:
            pipe.send((seconds, is_bare))
        for pipe in self._pipes:
            pipe.recv()  # it has made what it will send
        for pipe in self._pipes:
            pipe.send("begin")
        return [pipe.recv() for pipe in self._pipes]

    def end(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            with suppress(BrokenPipeError):  # it failed and is gone
                pipe.send(None)
        for process in self._processes:
            process.join()


BARE_LOOKUP = """
    SELECT t.indicator_id, t.token, t.facet, g.level, g.grant_reason_id
    FROM unnest($1::bytea[]) AS asked (token)
    JOIN token t ON t.token = asked.token
    JOIN share_grant g ON g.profile_id = $2 AND g.share_class_id = t.share_class_id
      AND $3 - t.seen_day BETWEEN g.age_min AND g.age_max
    """


# Rows of the fill have one number as report and as indicator.
_RESERVE = """
    WITH free AS (
        SELECT greatest(
            nextval(pg_get_serial_sequence('report', 'id')),
            nextval(pg_get_serial_sequence('indicator', 'id'))
        ) AS first
    )
    SELECT first, setval(pg_get_serial_sequence('report', 'id'), first + %(count)s),
      setval(pg_get_serial_sequence('indicator', 'id'), first + %(count)s)
    FROM free
    """


def lookup_body(tokens: Tokens) -> bytes:
    """A lookup of one party, as a client sends it."""
    query = {
        "id": "q",
        "kind": "party",
        "epoch": 1,
        "tokens": [{"facet": facet, "token": to_base64url(token)} for facet, token in tokens],
    }
    return json.dumps(
        {
            "purpose": "criminal_investigation",
            "legal_basis": "criminal_procedure",
            "case": "PV-2026-17",
            "queries": [query],
        }
    ).encode()


def submit_body(drawn: Iterator[bytes], chance: random.Random, count: int = SUBMITTED) -> bytes:
    """So many new reports of one party each, as a client sends them."""
    seen = (now() - timedelta(days=chance.randrange(_DRAWN_DAYS))).date().isoformat()
    return json.dumps(
        {
            "reports": [
                report(
                    f"{chance.getrandbits(64):016x}",
                    drawn,
                    (
                        chance.choice(("sender", "addressee")),
                        chance.choice(("GREEN", "AMBER")),
                        chance.choice("BX"),
                        chance.choice("1234"),
                    ),
                    seen,
                )
                for _ in range(count)
            ]
        }
    ).encode()


def _serve(place: Place, work: Look | Load, number: int, pipe: Connection) -> None:
    """Do as told until the end; runs in a process of its own."""
    asking = _Looking(place, work) if isinstance(work, Look) else _Loading(place, work, number)
    while (order := pipe.recv()) is not None:
        seconds, is_bare = order
        ask = asking.bare(seconds) if is_bare else asking.whole(seconds)
        pipe.send("ready")
        pipe.recv()
        pipe.send(_timed(ask, seconds))
    asking.end()


def _timed(ask: Callable[[], int], seconds: float) -> Asked:
    latencies, failures, found = [], [], 0
    ends = perf_counter() + seconds
    while (start := perf_counter()) < ends:
        try:
            found += ask()
        except StopIteration:
            break
        except AnswerError as error:
            failures.append(str(error))
            continue
        latencies.append(perf_counter() - start)
    return Asked(latencies, found, failures)


class _Looking:
    def __init__(self, place: Place, work: Look) -> None:
        self._line = Line(place.port, PATIENCE)
        self._database = psycopg.connect(place.database, autocommit=True)
        self._cursor = psycopg.RawCursor(self._database)
        self._profile = place.profile
        self._tokens = _round(
            [[token for _, token in each] for each in work.queries], from_middle=True
        )
        self._requests = _round(
            [
                post("/api/v1/lookups", place.authorization, lookup_body(each))
                for each in work.queries
            ]
        )

    def whole(self, _seconds: float) -> Callable[[], int]:
        def ask() -> int:
            answer = self._line.ask(next(self._requests))
            if answer.status != 200:
                raise AnswerError(f"{answer.status}: {answer.body[:200]!r}")
            return answer.body.count(b'"level"')

        return ask

    def bare(self, _seconds: float) -> Callable[[], int]:
        today = day(now())

        def ask() -> int:
            given = [next(self._tokens), self._profile, today]
            return len(self._cursor.execute(BARE_LOOKUP, given, binary=True).fetchall())

        return ask

    def end(self) -> None:
        self._line.close()
        self._database.close()


class _Loading:
    """Each client is another owner. What is sent is made before the clock runs."""

    def __init__(self, place: Place, work: Load, number: int) -> None:
        self._place = place
        self._line = Line(place.port, PATIENCE)
        self._database = psycopg.connect(place.database)
        self._points = points()
        self._chance = random.Random()  # noqa: S311 - variety, not secrecy
        self._rows = Rows(work.shapes, work.pool, number)
        self._fastest = {True: 0.5, False: 0.5}  # seconds of one request, at first a guess

    def whole(self, seconds: float) -> Callable[[], int]:
        made = iter(
            [
                post(
                    "/api/v1/reports",
                    self._place.authorization,
                    submit_body(self._points, self._chance),
                )
                for _ in range(self._most(seconds, is_bare=False))
            ]
        )

        def ask() -> None:
            answer = self._line.ask(next(made))
            if answer.status != 200 or answer.body.count(b'"created"') <= SUBMITTED:
                raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")

        return lambda: self._taking(ask, is_bare=False)

    def bare(self, seconds: float) -> Callable[[], int]:
        count = SUBMITTED * self._most(seconds, is_bare=True)
        self._database.execute("SELECT pg_advisory_xact_lock(1)")
        row = self._database.execute(_RESERVE, {"count": count}).fetchone()
        self._database.commit()
        keys = range(row[0], row[0] + count) if row else range(0)
        made = iter(
            [
                self._rows.batch(keys[start : start + SUBMITTED], start)
                for start in range(0, len(keys), SUBMITTED)
            ]
        )

        def load() -> None:
            copy(self._database, next(made))
            self._database.commit()

        return lambda: self._taking(load, is_bare=True)

    def _most(self, seconds: float, *, is_bare: bool) -> int:
        """Requests that the next round can need, by the fastest one so far."""
        return int(seconds / self._fastest[is_bare] * _MORE) + 1

    def _taking(self, act: Callable[[], None], *, is_bare: bool) -> int:
        start = perf_counter()
        act()
        self._fastest[is_bare] = min(self._fastest[is_bare], perf_counter() - start)
        return SUBMITTED

    def end(self) -> None:
        self._line.close()
        self._database.close()


def _round(things: Sequence[Any], *, from_middle: bool = False) -> Iterator[Any]:
    """All of them, again and again."""
    at = len(things) // 2 if from_middle else 0
    while True:
        yield things[at % len(things)]
        at += 1
