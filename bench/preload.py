"""Filling the tables to a size in bulk, so that rates are measured on tables that are full.

Rows are made by the database itself and look like the service's: 16 tokens an indicator, 14 of
their own and 2 from a pool that others share (a long tail, as house numbers and postcodes have),
with at most `common_after` postings of a token per owner. Tokens and elements are random bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from string import Template

from sqlalchemy import Connection, select, text

from app.clock import day, now
from app.indicators.models import Token
from bench.stage import Stage

FACETS = (1, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 12)
"""The facet of each of the 16 tokens of a party, as the first example of docs/matching.md has."""

POOLED = (4, 12)
"""Places in FACETS of the tokens that come from the pool."""

FACET_BITS = sum({1 << facet for facet in FACETS})
_SEALED = 556  # bytes of 16 sealed elements with their facets
_INDICATORS_PER_POOL_TOKEN = 20

Tokens = list[tuple[int, bytes]]
"""Facet and token of each posting of one indicator."""


@dataclass(frozen=True)
class _Dialect:
    """How an engine spells what the fill needs; `$i` is the number of the row."""

    numbers: str  # the rows first..last as a common table expression, if that is what it takes
    source: str
    bytes16: str
    bytes32: str
    uuid: str
    blob256: str
    sealed: str
    days_ago: str
    at: str
    expires: str
    draw: str  # a place in the pool, the first ones more often
    key: str  # 32 random bits


_SQLITE = _Dialect(
    numbers="WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)",
    source="n",
    bytes16="randomblob(16)",
    bytes32="randomblob(32)",
    uuid="lower(hex(randomblob(16)))",
    blob256="randomblob(256)",
    sealed=f"randomblob({_SEALED})",
    days_ago="abs(random() % 365)",
    at=":at",
    expires=":expires",
    draw="CAST(exp(ln(:pool + 1.0) * (abs(random()) / 9223372036854775808.0)) AS INTEGER) - 1",
    key="random() & 4294967295",
)
_POSTGRESQL = _Dialect(
    numbers="",
    source="generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n (i)",
    bytes16="uuid_send(gen_random_uuid())",
    bytes32="uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())",
    uuid="gen_random_uuid()",
    blob256="decode(repeat(md5(CAST(i AS text)), 16), 'hex')",
    sealed=f"substring(decode(repeat(md5(CAST(i AS text)), 35), 'hex') FOR {_SEALED})",
    days_ago="CAST(floor(random() * 365) AS integer)",
    at="CAST(:at AS timestamp) AT TIME ZONE 'UTC'",
    expires="CAST(:expires AS date)",
    draw="CAST(floor(exp(ln(:pool + 1.0) * random())) AS integer) - 1",
    key="CAST(floor(random() * 4294967296) AS bigint)",
)


def fill(on: Stage, present: int, size: int) -> None:
    """Bring the tables from `present` indicators to `size`."""
    if size <= present:
        return
    at = now()
    values = {
        "first": present + 1,
        "last": size,
        "today": day(at),
        "expires": (at + timedelta(days=300)).date().isoformat(),
        "at": at.replace(tzinfo=None).isoformat(" ", "microseconds"),
        "pool": max(1, (size - present) // _INDICATORS_PER_POOL_TOKEN),
        "cap": on.runtime.settings.matching.common_after,
        "bits": FACET_BITS,
        "owners": len(on.owners),
        "classes": len(on.classes[0]),
    }
    _run(on, _fill_statements(on), values)


def relabel(on: Stage, *, with_tokens: bool = True) -> None:
    """Give the indicators that are there to the owners of `on` instead, evenly as a fill does.

    Tokens stay what they are, so a lookup finds the same indicators, only of other owners; without
    theirs, for what counts and never looks up. Reports keep their organisation, which no lookup,
    count or policy reads.
    """
    values = {"owners": len(on.owners), "classes": len(on.classes[0])}
    _run(on, _relabel_statements(on, with_tokens=with_tokens), values)


def known(on: Stage, count: int) -> list[Tokens]:
    """The stored tokens of `count` indicators of the fill, spread over it."""
    with on.database.engine.connect() as connection:
        last = connection.execute(text("SELECT max(id) FROM indicator")).scalar_one()
        wanted = sorted({1 + number * (last - 1) // count for number in range(count)})
        rows = connection.execute(
            select(Token.indicator_id, Token.facet, Token.token).where(
                Token.indicator_id.in_(wanted)
            )
        )
        found: dict[int, Tokens] = {}
        for indicator_id, facet, token in rows:
            found.setdefault(indicator_id, []).append((facet, bytes(token)))
    return list(found.values())


def _hurry(connection: Connection, *, synchronous: bool) -> None:
    """SQLite takes this pragma outside of a transaction only."""
    connection.exec_driver_sql("COMMIT")
    if synchronous:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if synchronous else 'OFF'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run(on: Stage, statements: Iterator[str], values: Mapping[str, object]) -> None:
    with on.database.engine.connect() as connection:
        if on.database.is_sqlite:
            _hurry(connection, synchronous=False)
        for statement in statements:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
        connection.commit()
        if on.database.is_sqlite:
            _hurry(connection, synchronous=True)
    if not on.database.is_sqlite:
        with on.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


def _fill_statements(on: Stage) -> Iterator[str]:
    spelling = _SQLITE if on.database.is_sqlite else _POSTGRESQL
    if not on.database.is_sqlite:
        # The index is built after the rows, as for any first load.
        yield _DROP_INDEX
    yield from _owner_tables(on)
    for name in ("facet", "pool", "draw"):
        yield f"DROP TABLE IF EXISTS bench_{name}"
    yield "CREATE TEMP TABLE bench_facet (place int, facet int, pooled int)"
    for place, facet in enumerate(FACETS):
        yield f"INSERT INTO bench_facet VALUES ({place}, {facet}, {int(place in POOLED)})"  # noqa: S608 - numbers
    for template in _FILL:
        yield Template(template).substitute(vars(spelling))
    if not on.database.is_sqlite:
        yield _CREATE_INDEX
        for table in ("report", "indicator"):
            yield (
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608 - our own names
                f"(SELECT max(id) FROM {table}))"
            )


def _relabel_statements(on: Stage, *, with_tokens: bool) -> Iterator[str]:
    yield from _owner_tables(on)
    if not on.database.is_sqlite:
        yield "ANALYZE bench_class"
    yield _RELABEL_INDICATORS
    if with_tokens:
        yield from (_RELABEL_SQLITE,) if on.database.is_sqlite else _RELABEL_POSTGRESQL


def _owner_tables(on: Stage) -> Iterator[str]:
    for name in ("owner", "class"):
        yield f"DROP TABLE IF EXISTS bench_{name}"
    yield "CREATE TEMP TABLE bench_owner (place int PRIMARY KEY, organisation int, person int)"
    yield (
        "CREATE TEMP TABLE bench_class "
        "(owner int, place int, id int, organisation int, PRIMARY KEY (owner, place))"
    )
    for place, owner in enumerate(on.owners):
        organisation, person = owner.member
        yield f"INSERT INTO bench_owner VALUES ({place}, {organisation}, {person})"  # noqa: S608 - numbers
        classes = ", ".join(
            f"({place}, {number}, {class_id}, {organisation})"
            for number, class_id in enumerate(on.classes[place])
        )
        yield f"INSERT INTO bench_class VALUES {classes}"  # noqa: S608 - numbers


_FILL = (
    """
    CREATE TEMP TABLE bench_pool AS
    $numbers SELECT i - :first AS place, $bytes16 AS token FROM $source WHERE i - :first < :pool
    """,
    "CREATE UNIQUE INDEX bench_pool_place ON bench_pool (place)",
    """
    INSERT INTO report (id, public_id, organisation_id, person_id, client_key, content_hash,
      status, created_at, key)
    $numbers SELECT i, $uuid, o.organisation, o.person, 'fill-' || i, $bytes32, 'active', $at, $key
    FROM $source JOIN bench_owner o ON o.place = i % :owners
    """,
    """
    INSERT INTO indicator (id, public_id, report_id, organisation_id, share_class_id, seen_day,
      kind, role, subject_category, assertion, source_grade, information_grade, learned,
      legal_basis, tlp, handling, permitted_action, review_on, expires_on, quality, epoch,
      facets_stored, facets_common, tokens)
    $numbers SELECT i, $uuid, i, o.organisation, c.id, :today - $days_ago,
      'party', 'sender', 'unknown', 'assessment', 'X', '4', 'outside_of_item',
      'postal_law', 'AMBER', '[]', 'know', $expires, $expires, '[]', 1,
      :bits, 0, $blob256
    FROM $source JOIN bench_owner o ON o.place = i % :owners
      JOIN bench_class c ON c.owner = o.place AND c.place = (i / :owners) % :classes
    """,
    """
    INSERT INTO element_vault (indicator_id, kind, epoch, sealed)
    $numbers SELECT i, 'postal', 1, $sealed FROM $source
    """,
    """
    CREATE TEMP TABLE bench_draw AS
    SELECT i.id, i.share_class_id, i.organisation_id, i.seen_day, f.facet, $draw AS place
    FROM indicator i JOIN bench_facet f ON f.pooled = 1 WHERE i.id BETWEEN :first AND :last
    """,
    """
    INSERT INTO token (token, indicator_id, share_class_id, seen_day, facet)
    SELECT token, id, share_class_id, seen_day, facet FROM (
      SELECT $bytes16 AS token, i.id, i.share_class_id, i.seen_day, f.facet
      FROM indicator i JOIN bench_facet f ON f.pooled = 0
      WHERE i.id BETWEEN :first AND :last
      UNION ALL
      SELECT p.token, d.id, d.share_class_id, d.seen_day, d.facet FROM (
        SELECT id, share_class_id, seen_day, min(facet) AS facet, place,
          row_number() OVER (PARTITION BY place, organisation_id ORDER BY id) AS held
        FROM bench_draw GROUP BY id, share_class_id, seen_day, place, organisation_id
      ) d JOIN bench_pool p ON p.place = d.place WHERE d.held <= :cap
    ) AS drawn ORDER BY token
    """,
)

_DROP_INDEX = "DROP INDEX ix_token_token"
_CREATE_INDEX = (
    "CREATE INDEX ix_token_token ON token (token) "
    "INCLUDE (indicator_id, share_class_id, seen_day, facet)"
)

_RELABEL_INDICATORS = """
    UPDATE indicator SET organisation_id = c.organisation, share_class_id = c.id
    FROM bench_class c
    WHERE c.owner = indicator.id % :owners AND c.place = (indicator.id / :owners) % :classes
    """
_RELABEL_SQLITE = """
    UPDATE token SET share_class_id = c.id FROM bench_class c
    WHERE c.owner = token.indicator_id % :owners
      AND c.place = (token.indicator_id / :owners) % :classes
    """

# Written anew and not updated in place, which would leave as many dead rows as live ones.
_RELABEL_POSTGRESQL = (
    _DROP_INDEX,
    "DROP TABLE IF EXISTS bench_token",
    """
    CREATE TEMP TABLE bench_token AS
    SELECT t.token, t.indicator_id, c.id AS share_class_id, t.seen_day, t.facet
    FROM token t JOIN bench_class c
      ON c.owner = t.indicator_id % :owners AND c.place = (t.indicator_id / :owners) % :classes
    """,
    "TRUNCATE token",
    """
    INSERT INTO token (token, indicator_id, share_class_id, seen_day, facet)
    SELECT token, indicator_id, share_class_id, seen_day, facet FROM bench_token
    """,
    "DROP TABLE bench_token",
    _CREATE_INDEX,
)
