"""Set-based statements of reports, indicators, tokens and the vault: few for many rows.

The only writer of `token`. It reads of it an owner's own postings alone, which no policy hides
from the owner; whatever another organisation may see is asked of `app.sharing.visibility`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Template
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from app.database import among
from app.indicators.models import Indicator, Report, ReportStatus, Token, Tombstone
from app.indicators.reading import SHIPMENT_FIELDS
from app.pseudonyms.models import ElementVault
from app.sharing.models import ShareClass
from app.write_behind import driver
from postern.pseudonym import TOKEN_SIZE

_CHUNK = 10_000  # ids or tokens of one statement; SQLite takes 32,766 parameters


@dataclass(frozen=True, slots=True)
class KnownReport:
    """A report that stands under its client key already."""

    id: int
    public_id: UUID
    content_hash: bytes
    status: ReportStatus


class Posting(NamedTuple):
    """One row of `token`: by it a lookup finds the indicator. There are thousands in a request."""

    token: bytes
    indicator_id: int
    share_class_id: int
    seen_day: int
    facet: int


def known_reports(
    session: Session, organisation_id: int, client_keys: Sequence[str]
) -> dict[str, KnownReport]:
    """The organisation's reports under these keys."""
    found = session.execute(
        select(
            Report.client_key, Report.id, Report.public_id, Report.content_hash, Report.status
        ).where(
            Report.organisation_id == organisation_id,
            among(session, Report.client_key, client_keys),
        )
    )
    return {row[0]: KnownReport(*row[1:]) for row in found}


def indicator_ids_of(session: Session, report_ids: Sequence[int]) -> dict[int, list[UUID]]:
    """Public ids of the indicators of each report, in the order in which they were sent."""
    ids: dict[int, list[UUID]] = {report_id: [] for report_id in report_ids}
    found = session.execute(
        select(Indicator.report_id, Indicator.public_id)
        .where(Indicator.report_id.in_(report_ids))
        .order_by(Indicator.id)
    )
    for report_id, public_id in found:
        ids[report_id].append(public_id)
    return ids


def insert_reports(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert reports; client key -> id of those that went in.

    A key that another transaction has just taken is left out: that report is known by now.
    """
    if _is_sqlite(session):
        # The transaction is the only writer: no key can be taken since it was looked up.
        statement = insert(Report).returning(Report.client_key, Report.id)
        return dict(session.execute(statement, rows).all())
    columns = {name: [row[name] for row in rows] for name in _REPORT_ARRAYS}
    shared = {name: rows[0][name] for name in _REPORT_SHARED}
    return dict(session.connection().exec_driver_sql(_INSERT_REPORTS, columns | shared).all())


def reserve_indicator_ids(session: Session, count: int) -> list[int]:
    """Fresh ids in rising order, so that rows of other tables can be made without reading back."""
    if _is_sqlite(session):
        # The transaction is the only writer, and this is how SQLite itself numbers rows.
        last = session.execute(select(func.max(Indicator.id))).scalar_one() or 0
        return list(range(last + 1, last + 1 + count))
    return list(session.execute(_NEXT_IDS, {"count": count}).scalars())


def insert_indicators(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert indicators whose ids were reserved."""
    if _is_sqlite(session):
        session.execute(insert(Indicator), rows)
        return
    with driver(session.connection()).cursor().copy(_COPY_INDICATORS) as copy:
        for row in rows:
            copy.write_row(
                [
                    _json(row[name]) if name in _JSON_COLUMNS else row[name]
                    for name in _INDICATOR_COLUMNS
                ]
            )


def insert_vault(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed elements."""
    if not rows:
        return
    if _is_sqlite(session):
        session.execute(insert(ElementVault), rows)
        return
    with driver(session.connection()).cursor().copy(_COPY_VAULT) as copy:
        for row in rows:
            copy.write_row([row[name] for name in _VAULT_COLUMNS])


def insert_postings(session: Session, postings: Iterable[Posting]) -> None:
    """Insert tokens in the order of the index, which both engines write fastest."""
    rows = sorted(postings)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        if rows:
            connection.exec_driver_sql(_INSERT_TOKENS, rows)
        return
    # In the binary form of COPY: its rows are all of one length, and there are thousands.
    packed = [
        _COPY_TOKEN.pack(5, TOKEN_SIZE, token, 8, indicator, 4, share_class, 2, day, 2, facet)
        for token, indicator, share_class, day, facet in rows
    ]
    with driver(connection).cursor().copy(_COPY_TOKENS) as copy:
        copy.write(b"".join((_COPY_BEGIN, *packed, _COPY_END)))


def split_tokens(joined: bytes) -> list[bytes]:
    """The tokens that the row of an indicator keeps concatenated."""
    return [joined[start : start + TOKEN_SIZE] for start in range(0, len(joined), TOKEN_SIZE)]


def current_tokens(joined: bytes, also_epoch: int | None) -> list[bytes]:
    """The tokens of the indicator's own epoch: the first half while it has those of another too."""
    return split_tokens(joined if also_epoch is None else joined[: len(joined) // 2])


def own_postings(
    session: Session, organisation_id: int, tokens: Sequence[bytes]
) -> dict[bytes, int]:
    """How many postings the organisation itself has of each of these tokens; 0 is left out."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        found = connection.exec_driver_sql(
            _OWN_POSTINGS, {"tokens": sorted(tokens), "organisation_id": organisation_id}
        )
        return {bytes(token): count for token, count in found}
    counts: dict[bytes, int] = {}
    for start in range(0, len(tokens), _CHUNK):
        chunk = tokens[start : start + _CHUNK]
        statement = _OWN_POSTINGS_SQLITE.format(marks=",".join("?" * len(chunk)))
        counts.update(connection.exec_driver_sql(statement, (*chunk, organisation_id)).all())
    return counts


def indicators_posted(
    session: Session, organisation_id: int, tokens: Sequence[bytes]
) -> Iterator[tuple[bytes, int]]:
    """Token and row of each of the organisation's own indicators that has one of the tokens."""
    own = select(ShareClass.id).where(ShareClass.organisation_id == organisation_id)
    for start in range(0, len(tokens), _CHUNK):
        wanted = select(Token.token, Token.indicator_id).where(
            Token.token.in_(tokens[start : start + _CHUNK]), Token.share_class_id.in_(own)
        )
        for token, indicator_id in session.execute(wanted):
            yield bytes(token), indicator_id


def owned(session: Session, condition: Any) -> dict[int, list[UUID]]:
    """The public ids of the indicators of `condition`, held until the commit, by organisation."""
    found: dict[int, list[UUID]] = {}
    rows = session.execute(
        select(Indicator.organisation_id, Indicator.public_id)
        .where(condition)
        .order_by(Indicator.id)
        .with_for_update()
    )
    for organisation_id, public_id in rows:
        found.setdefault(organisation_id, []).append(public_id)
    return found


def move_postings(
    session: Session, tokens: bytes, indicator_id: int, share_class_id: int, seen_day: int
) -> None:
    """Put the postings of an indicator, whose row is locked, under another class and day.

    `tokens` are those of the indicator, concatenated.
    """
    split = split_tokens(tokens)
    if not split:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = [(share_class_id, seen_day, token, indicator_id) for token in split]
        connection.exec_driver_sql(_MOVE_TOKENS_SQLITE, rows)
        return
    connection.exec_driver_sql(
        _MOVE_TOKENS,
        {
            "tokens": split,
            "indicator_id": indicator_id,
            "share_class_id": share_class_id,
            "seen_day": seen_day,
        },
    )


def erase(session: Session, condition: Any, reason: str, at: datetime) -> dict[int, list[UUID]]:
    """Erase the indicators of `condition` with tokens, elements and hits; organisation -> ids.

    A tombstone stays of each. The caller bounds the number of rows by its condition.
    """
    found = session.execute(
        select(Indicator.id, Indicator.public_id, Indicator.organisation_id, Indicator.tokens)
        .where(condition)
        .order_by(Indicator.id)
        .with_for_update()
    ).all()
    if not found:
        return {}
    delete_postings(session, [(bytes(tokens), id_) for id_, _, _, tokens in found])
    session.execute(
        insert(Tombstone),
        [
            {"public_id": public_id, "organisation_id": owner, "ended_at": at, "reason": reason}
            for _, public_id, owner, _ in found
        ],
    )
    # Envelopes, vault and hits go with the indicator, by their foreign keys.
    session.execute(
        delete(Indicator).where(among(session, Indicator.id, [row.id for row in found]))
    )
    return by_owner(found)


def by_owner(found: Iterable[Any]) -> dict[int, list[UUID]]:
    """Public ids by their organisation, of rows that have both."""
    owned: dict[int, list[UUID]] = {}
    for row in found:
        owned.setdefault(row.organisation_id, []).append(row.public_id)
    return owned


def delete_postings(session: Session, owned: Sequence[tuple[bytes, int]]) -> None:
    """Delete postings by the concatenated tokens and the id of each of these indicators."""
    pairs = [(token, indicator_id) for blob, indicator_id in owned for token in split_tokens(blob)]
    if not pairs:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_DELETE_TOKENS_SQLITE, pairs)
        return
    tokens, ids = zip(*pairs, strict=True)
    connection.exec_driver_sql(_DELETE_TOKENS, {"tokens": list(tokens), "ids": list(ids)})


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


_NEXT_IDS = text(
    "SELECT nextval(pg_get_serial_sequence('indicator', 'id')) "
    "FROM generate_series(1, CAST(:count AS integer))"
)

_INSERT_TOKENS = (
    "INSERT INTO token (token, indicator_id, share_class_id, seen_day, facet) "
    "VALUES (?, ?, ?, ?, ?)"
)
_COPY_BEGIN, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_COPY_TOKEN = Struct(f">hi{TOKEN_SIZE}siqiiihih")  # how many fields, then length and content each
_COPY_TOKENS = (
    "COPY token (token, indicator_id, share_class_id, seen_day, facet) FROM STDIN (FORMAT binary)"
)

_LATER = frozenset({"amended_at", "restricted_at"})
_INDICATOR_COLUMNS = tuple(
    column.name for column in Indicator.__table__.columns if column.name not in _LATER
)
_COPY_INDICATORS = f"COPY indicator ({', '.join(_INDICATOR_COLUMNS)}) FROM STDIN"
_VAULT_COLUMNS = tuple(column.name for column in ElementVault.__table__.columns)
_COPY_VAULT = f"COPY element_vault ({', '.join(_VAULT_COLUMNS)}) FROM STDIN"


_JSON_COLUMNS = frozenset({"handling", "quality", "place"})

_REPORT_SHARED = ("organisation_id", "person_id", "status", "created_at")
_REPORT_ARRAYS = {
    "public_id": "uuid",
    "client_key": "varchar",
    "content_hash": "bytea",
    "barrier_step": "smallint",
    "key": "bigint",
    **dict.fromkeys(SHIPMENT_FIELDS, "varchar"),
}
_INSERT_REPORTS = Template(
    """
    INSERT INTO report ($columns, organisation_id, person_id, status, created_at)
    SELECT *, %(organisation_id)s, %(person_id)s, %(status)s, %(created_at)s
    FROM unnest($arrays) AS sent
    ON CONFLICT (organisation_id, client_key) DO NOTHING
    RETURNING client_key, id
    """
).substitute(
    columns=", ".join(_REPORT_ARRAYS),
    arrays=", ".join(f"%({name})s::{kind}[]" for name, kind in _REPORT_ARRAYS.items()),
)
"""Arrays instead of as many VALUES: a tenth of the time for 500 reports."""

# A join of thousands of tokens is planned as a scan of the whole table; LATERAL keeps it to one
# probe of the index for each. %b: in binary form, which is sent and read without quoting.
_OWN_POSTINGS = """
    SELECT asked.token, held.count
    FROM unnest(%(tokens)b::bytea[]) AS asked (token)
    CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM token t
        WHERE t.token = asked.token AND t.share_class_id = ANY (
            ARRAY(SELECT id FROM share_class WHERE organisation_id = %(organisation_id)s)
        )
    ) AS held
    WHERE held.count > 0
    """
_OWN_POSTINGS_SQLITE = """
    SELECT t.token, count(*)
    FROM token t
    JOIN share_class c ON c.id = t.share_class_id
    WHERE t.token IN ({marks}) AND c.organisation_id = ?
    GROUP BY t.token
    """

_MOVE_TOKENS_SQLITE = (
    "UPDATE token SET share_class_id = ?, seen_day = ? WHERE token = ? AND indicator_id = ?"
)
_MOVE_TOKENS = """
    UPDATE token SET share_class_id = %(share_class_id)s, seen_day = %(seen_day)s
    WHERE ctid = ANY (ARRAY(
        SELECT held.ctid
        FROM unnest(%(tokens)b::bytea[]) AS moved (token)
        CROSS JOIN LATERAL (
            SELECT t.ctid FROM token t
            WHERE t.token = moved.token AND t.indicator_id = %(indicator_id)s OFFSET 0
        ) AS held
    ))
    """

_DELETE_TOKENS_SQLITE = "DELETE FROM token WHERE token = ? AND indicator_id = ?"
# OFFSET 0 keeps the planner from turning the probes into a scan. A posting is moved and deleted
# only under the lock of its indicator, so where it stands does not change in between.
_DELETE_TOKENS = """
    DELETE FROM token WHERE ctid = ANY (ARRAY(
        SELECT held.ctid
        FROM unnest(%(tokens)b::bytea[], %(ids)b::bigint[]) AS gone (token, indicator_id)
        CROSS JOIN LATERAL (
            SELECT t.ctid FROM token t
            WHERE t.token = gone.token AND t.indicator_id = gone.indicator_id OFFSET 0
        ) AS held
    ))
    """
