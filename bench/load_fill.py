"""Filling PostgreSQL by COPY with rows like those that the service makes, as many as are asked for.

The service itself stores one report of each owner and share class first. Every row of the fill is a
copy of one of these, in the binary form in which the database gave it; only what is each row's own
is new: keys, ids, day, tokens and sealed bytes (random, of the same length). 14 of the 16 tokens of
an indicator are its own, 2 come from a pool that others share, with a long tail, and no owner has
more than `common_after` postings of one, as the service sees to.

Indexes are dropped for the load and made again from their own definitions; foreign keys are not
asked for each row.
"""

import multiprocessing
import os
import random
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from math import exp, log
from typing import Any

import psycopg
from psycopg import sql

from app.access import Caller
from app.clock import day, now
from app.indicators import service
from app.public_ids import new_public_ids
from bench.preload import FACETS, POOLED
from bench.stage import Stage
from postern import group
from postern.base64url import to_base64url
from postern.pseudonym import TOKEN_SIZE

TABLES = ("report", "indicator", "element_vault", "token")
DAYS = 365  # ages of the indicators, evenly spread
BATCH = 10_000  # indicators of one transaction
_INDICATORS_PER_POOL_TOKEN = 20
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_POSTGRESQL_EPOCH = 10_957  # 2000-01-01 in days since 1970
_KEY_BITS = 32

# What is each row's own, in the order of the table's columns.
_OWN = {
    "report": ("id", "public_id", "client_key", "content_hash", "key"),
    "indicator": (
        *("id", "public_id", "report_id", "seen_day", "observed_to"),
        *("facets_stored", "facets_common", "tokens"),
    ),
    "element_vault": ("indicator_id", "sealed"),
}
_TOKEN_ROW = struct.Struct(f">hi{TOKEN_SIZE}siqiiihih")


@dataclass(frozen=True)
class Shape:
    """One report with one indicator as the service stored it, cut where a row has something own."""

    owner: int  # place among the owners
    share_class_id: int
    cut: Mapping[str, Sequence[bytes]]  # table -> what stands before, between and after
    sealed: int  # bytes


@dataclass(frozen=True)
class Pool:
    """Tokens that many share; `seed` tells one fill's from another's."""

    seed: int
    size: int
    most: int  # postings of one token by one owner

    def token(self, place: int) -> bytes:
        return sha256(b"%d/%d" % (self.seed, place)).digest()[:TOKEN_SIZE]

    def draw(self, chance: random.Random) -> int:
        """A place, the first ones more often."""
        return int(exp(log(self.size + 1) * chance.random())) - 1


@dataclass(frozen=True)
class Filled:
    """What a fill did."""

    indicators: int
    seconds: float
    index_seconds: float  # of them, for making indexes
    vacuum_seconds: float


def shapes(on: Stage) -> list[Shape]:
    """Let each owner submit a report of every coarse kind, and learn how its rows look."""
    found = []
    drawn = points()
    today = now().date().isoformat()
    with on.database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        columns = {table: _columns(driver, table) for table in _OWN}
        for place, owner in enumerate(on.owners):
            made = _submitted(on, owner, [*_reports(drawn, today)])
            found += [_shape(driver, columns, place, report) for report in made]
            driver.commit()
    return found


class Rows:
    """Makes the rows of batches: for each table the bytes of one COPY in binary form."""

    def __init__(self, of: Sequence[Shape], pool: Pool, seed: int) -> None:
        self._of = of
        self._pool = pool
        self._chance = random.Random(seed)  # noqa: S311 - variety, not secrecy
        self._held: Counter[tuple[int, int]] = Counter()  # owner and place in the pool
        self._today = day(now())

    def batch(self, ids: Sequence[int], turn: int) -> dict[str, bytes]:
        """COPY of one indicator for each of the ids, which is its report's too.

        They take their shapes from place `turn` on.
        """
        told: dict[str, list[bytes]] = {table: [_HEAD] for table in TABLES}
        public_ids = iter(new_public_ids(2 * len(ids), now()))
        for place, key in enumerate(ids):
            shape = self._of[(turn + place) % len(self._of)]
            self._add(told, shape, key, next(public_ids).bytes, next(public_ids).bytes)
        return {table: b"".join((*parts, _END)) for table, parts in told.items()}

    def _add(
        self, told: dict[str, list[bytes]], shape: Shape, key: int, report: bytes, own: bytes
    ) -> None:
        drawn = os.urandom(TOKEN_SIZE * len(FACETS) + 32)
        seen = self._today - self._chance.randrange(DAYS)
        tokens: list[bytes] = []
        stored = common = 0
        taken = set()
        for place, facet in enumerate(FACETS):
            token = drawn[place * TOKEN_SIZE : (place + 1) * TOKEN_SIZE]
            stored |= 1 << facet
            if place in POOLED:
                drawn_place = self._pool.draw(self._chance)
                if drawn_place not in taken:  # an indicator has each token once
                    taken.add(drawn_place)
                    if self._held[shape.owner, drawn_place] >= self._pool.most:
                        common |= 1 << facet
                        continue
                    self._held[shape.owner, drawn_place] += 1
                    token = self._pool.token(drawn_place)
            tokens.append(token)
            told["token"].append(
                _TOKEN_ROW.pack(
                    *(5, TOKEN_SIZE, token, 8, key, 4, shape.share_class_id),
                    *(2, seen, 2, facet),
                )
            )
        number = key.to_bytes(8, "big")
        told["report"].append(
            _row(
                shape.cut["report"],
                (
                    number,
                    report,
                    b"fill-%d" % key,
                    drawn[-32:],
                    self._chance.getrandbits(_KEY_BITS).to_bytes(8, "big"),
                ),
            )
        )
        told["indicator"].append(
            _row(
                shape.cut["indicator"],
                (
                    number,
                    own,
                    number,
                    seen.to_bytes(2, "big"),
                    (seen - _POSTGRESQL_EPOCH).to_bytes(4, "big"),
                    (stored & ~common).to_bytes(8, "big"),
                    common.to_bytes(8, "big"),
                    b"".join(tokens),
                ),
            )
        )
        told["element_vault"].append(
            _row(shape.cut["element_vault"], (number, os.urandom(shape.sealed)))
        )


def copy(driver: "psycopg.Connection[Any]", rows: Mapping[str, bytes]) -> None:
    """Send a batch in the transaction in progress."""
    for table in TABLES:
        with driver.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as sent:
            sent.write(rows[table])


def fill(address: str, of: Sequence[Shape], size: int, most: int, processes: int = 2) -> Filled:
    """Bring the tables to `size` indicators as the owner of the tables, a superuser.

    `address` is libpq's; `most` is `matching.common_after`. Owners are parted among the processes,
    so that each counts what its own hold.
    """
    began = time.monotonic()
    with psycopg.connect(address, autocommit=True) as driver:
        present = last_id(driver)
        if size <= present:
            return Filled(0, 0.0, 0.0, 0.0)
        dropped = _drop_indexes(driver)
        pool = Pool(size, max(1, (size - present) // _INDICATORS_PER_POOL_TOKEN), most)
        owners = len({each.owner for each in of})
        processes = min(processes, owners)
        context = multiprocessing.get_context("fork")
        working = [
            context.Process(
                target=_load,
                args=(
                    address,
                    [each for each in of if each.owner % processes == number],
                    pool,
                    range(present + 1 + number, size + 1, processes),
                ),
            )
            for number in range(processes)
        ]
        for process in working:
            process.start()
        for process in working:
            process.join()
        if any(process.exitcode for process in working):
            raise RuntimeError("a process of the fill failed; its error stands above")
        indexing = time.monotonic()
        for definition in dropped:
            driver.execute(definition)
        vacuuming = time.monotonic()
        for table in ("report", "indicator"):
            driver.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT max(id) FROM {}))"
                ).format(sql.Literal(table), sql.Identifier(table))
            )
        driver.execute("VACUUM (ANALYZE)")
        driver.execute("CHECKPOINT")
    ended = time.monotonic()
    return Filled(size - present, ended - began, vacuuming - indexing, ended - vacuuming)


def last_id(driver: "psycopg.Connection[Any]") -> int:
    """The newest row of `indicator` or `report`; 0 when there is none."""
    row = driver.execute(
        "SELECT greatest((SELECT max(id) FROM indicator), (SELECT max(id) FROM report), 0)"
    ).fetchone()
    return int(row[0]) if row else 0


def sizes(driver: "psycopg.Connection[Any]") -> dict[str, int]:
    """Bytes of each table with its indexes, and of the whole database."""
    found = {}
    for table in TABLES:
        row = driver.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
        found[table] = int(row[0]) if row else 0
    row = driver.execute("SELECT pg_database_size(current_database())").fetchone()
    return {**found, "database": int(row[0]) if row else 0}


def _load(address: str, of: Sequence[Shape], pool: Pool, ids: range) -> None:
    """One process of a fill."""
    rows = Rows(of, pool, ids.start)
    with psycopg.connect(address) as driver:
        driver.execute("SET session_replication_role = replica")  # foreign keys are not asked
        driver.execute("SET synchronous_commit = off")
        driver.commit()
        for start in range(0, len(ids), BATCH):
            copy(driver, rows.batch(ids[start : start + BATCH], start))
            driver.commit()


def _drop_indexes(driver: "psycopg.Connection[Any]") -> list[str]:
    """Drop what is no constraint, and return how each was made."""
    found = driver.execute(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = ANY (%s::regclass[])"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)"
        " ORDER BY 1",
        [list(TABLES)],
    ).fetchall()
    for name, _ in found:
        driver.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [definition for _, definition in found]


def _row(cut: Sequence[bytes], own: Sequence[bytes]) -> bytes:
    parts = [cut[0]]
    for content, after in zip(own, cut[1:], strict=True):
        parts += (len(content).to_bytes(4, "big"), content, after)
    return b"".join(parts)


def _columns(driver: "psycopg.Connection[Any]", table: str) -> list[str]:
    named = sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table))
    return [column.name for column in driver.execute(named).description or ()]


def _shape(
    driver: "psycopg.Connection[Any]",
    columns: Mapping[str, Sequence[str]],
    owner: int,
    report: str,
) -> Shape:
    cut, read = {}, {}
    for table, condition in (
        ("report", "public_id = {}"),
        ("indicator", "report_id = (SELECT id FROM report WHERE public_id = {})"),
        (
            "element_vault",
            "indicator_id = (SELECT i.id FROM indicator i JOIN report r ON r.id = i.report_id"
            " WHERE r.public_id = {})",
        ),
    ):
        wanted = sql.SQL(f"COPY (SELECT * FROM {{}} WHERE {condition}) TO STDOUT (FORMAT binary)")  # noqa: S608 - ours
        with driver.cursor().copy(wanted.format(sql.Identifier(table), report)) as given:
            fields = _fields(b"".join(given))
        read[table] = dict(zip(columns[table], fields, strict=True))
        cut[table] = _cut(columns[table], fields, _OWN[table])
    return Shape(
        owner,
        int.from_bytes(read["indicator"]["share_class_id"] or b"", "big"),
        cut,
        len(read["element_vault"]["sealed"] or b""),
    )


def _fields(copied: bytes) -> list[bytes | None]:
    """The fields of the first row of a COPY in binary form."""
    at = len(_HEAD)
    (count,) = struct.unpack_from(">h", copied, at)
    if count < 0:
        raise LookupError("the service did not store what it was sent")
    at += 2
    found: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from(">i", copied, at)
        at += 4
        found.append(None if length < 0 else copied[at : at + length])
        at += max(0, length)
    return found


def _cut(names: Sequence[str], fields: Sequence[bytes | None], own: Sequence[str]) -> list[bytes]:
    """The row without its own fields: what is before, between and after them."""
    if [name for name in names if name in own] != list(own):
        raise LookupError(f"the columns {', '.join(own)} do not stand in this order")
    parts = [[struct.pack(">h", len(names))]]
    for name, content in zip(names, fields, strict=True):
        if name in own:
            parts.append([])
        elif content is None:
            parts[-1].append(_NULL)
        else:
            parts[-1] += (len(content).to_bytes(4, "big"), content)
    return [b"".join(each) for each in parts]


def _submitted(on: Stage, owner: Caller, reports: list[dict[str, Any]]) -> list[str]:
    with on.app.app_context(), on.database.transaction() as session:
        answer = service.submit(session, owner, reports)
    if answer.counts["created"] != len(reports):
        raise LookupError(f"the service refused the first rows: {answer.results[0].errors}")
    return [str(each.id) for each in answer.results]


def _reports(points: Iterator[bytes], today: str) -> Iterator[dict[str, Any]]:
    """One report for each class: part played, marking and both grades."""
    for number, (role, tlp, source, information) in enumerate(
        product(("sender", "addressee"), ("GREEN", "AMBER"), "BX", "1234")
    ):
        yield report(f"shape-{number}", points, (role, tlp, source, information), today)


def report(
    key: str, points: Iterator[bytes], words: tuple[str, str, str, str], day_seen: str
) -> dict[str, Any]:
    """A report on the wire: one party of 16 facets, all from an item's outside."""
    role, tlp, source, information = words
    return {
        "client_key": key,
        "barrier_step": 4,
        "shipment": {"origin_country": "BE", "weight_band": "100-500"},
        "indicators": [
            {
                "kind": "party",
                "role": role,
                "epoch": 1,
                "elements": [
                    {"facet": facet, "element": to_base64url(next(points))} for facet in FACETS
                ],
                "learned": "outside_of_item",
                "legal_basis": "postal_law",
                "tlp": tlp,
                "source_grade": source,
                "information_grade": information,
                "observed_to": day_seen,
            }
        ],
    }


def points() -> Iterator[bytes]:
    """Real group elements, each once."""
    element = group.base(group.random_scalar())
    while True:
        yield element
        element = group.add(element, group.GENERATOR)
