"""What a new indicator does to the watches: it is matched in the transaction of its submission.

Every submission runs the same statements, whatever is watched for: the answer, its time and what
the submitter may read are the same whether or not somebody waits for what it sent. Who is told is
decided afterwards, by `app.lookups.watch_telling`.

A watch that was committed before this looks is matched. One that is being set at the same time may
be missed; by then the lookup that goes with every new watch finds the indicator.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import BindParameter, Executable, Table, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from app.access import Caller
from app.database import Moment
from app.indicators.hooks import Stored, StoredIndicator
from app.lookups import watch_probing
from app.lookups.models import Watch, WatchToken
from app.lookups.scoring import numbers
from app.lookups.watch_probing import probed
from postern.matching import score
from postern.vocabulary import Band, Kind

MATCHED = "watch.match"
"""Topic of the outbox: one row for each match, with the inner keys `watch` and `indicator`."""

_CHUNK = 500  # values of one statement
_NOTHING = (0,)  # an id that no row has
_NO_TOKEN = (b"",)


@dataclass(slots=True)
class _Watch:
    """A live watch that shares a token with what was stored."""

    kind: Kind
    facets: dict[bytes, int] = field(default_factory=dict)  # token -> facet


@dataclass(frozen=True, slots=True)
class _Match:
    watch_id: int
    indicator: StoredIndicator
    points: int
    band: Band


def match(session: Session, _caller: Caller, stored: Stored) -> None:
    """Keep which live watches the stored indicators answer, and ask for them to be told."""
    if not stored.indicators:
        return
    waiting = _waiting(session, stored.indicators)
    touched = sorted({watch for watches in waiting.values() for watch in watches})
    watches = _watches(session, touched, stored.at.date())
    pairs = [
        (indicator, watch_id)
        for indicator in stored.indicators
        for watch_id in _of(indicator, waiting)
        if watch_id in watches
    ]
    found = [
        made
        for indicator, watch_id in pairs
        if (made := _scored(indicator, watch_id, watches[watch_id]))
    ]
    _keep(session, found, stored.at)


def _waiting(
    session: Session, indicators: Sequence[StoredIndicator]
) -> Mapping[bytes, Sequence[int]]:
    """For each token that is looked for, the watches that have it."""
    shapes = watch_probing.shapes(session)
    looked_for: set[bytes] = set()
    for each in indicators:
        facets = probed(shapes, each.facets_stored, each.facets_common)
        looked_for.update(token for facet, token in each.tokens if facet in facets)
    tokens = sorted(looked_for)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = [
            row
            for chunk in _chunks(tokens or _NO_TOKEN)
            for row in connection.exec_driver_sql(
                _WAITING_SQLITE.format(marks=",".join("?" * len(chunk))), tuple(chunk)
            )
        ]
    else:
        rows = list(connection.exec_driver_sql(_WAITING, {"tokens": tokens}))
    found: dict[bytes, list[int]] = {}
    for token, watch_id in rows:
        found.setdefault(bytes(token), []).append(watch_id)
    return found


def _watches(session: Session, ids: Sequence[int], today: date) -> dict[int, _Watch]:
    """Those of the watches that are live, by id, with all their tokens."""
    found: dict[int, _Watch] = {}
    for chunk in _chunks(ids or _NOTHING):
        connection = session.connection()
        asked = _WATCHES[connection.dialect.name]
        rows = connection.execute(asked, {"ids": list(chunk), "today": today})
        for watch_id, kind, facet, token in rows:
            found.setdefault(watch_id, _Watch(kind)).facets[bytes(token)] = facet
    return found


def _of(indicator: StoredIndicator, waiting: Mapping[bytes, Sequence[int]]) -> list[int]:
    return sorted({watch for _, token in indicator.tokens for watch in waiting.get(token, ())})


def _scored(indicator: StoredIndicator, watch_id: int, watch: _Watch) -> _Match | None:
    """The match as a lookup of the watch's tokens would score it; None below `likely`."""
    common = numbers(indicator.facets_common)
    found = score(
        watch.kind,
        Counter(facet for facet, token in indicator.tokens if token in watch.facets),
        query=frozenset(watch.facets.values()),
        candidate=numbers(indicator.facets_stored) | common,
        common=common,
    )
    return _Match(watch_id, indicator, found.points, found.band) if found.band else None


def _keep(session: Session, found: Sequence[_Match], at: datetime) -> None:
    """Insert the matches, and a row of the outbox for each: two statements, even for none.

    Its key has the public id of the indicator: on SQLite an inner key may be given again.
    """
    connection = session.connection()
    rows = [
        {
            "watch": each.watch_id,
            "indicator": each.indicator.id,
            "key": f"{each.watch_id}/{each.indicator.public_id}",
            "points": each.points,
            "band": each.band.value,
        }
        for each in found
    ]
    for statement in _KEEP[connection.dialect.name]:
        connection.execute(statement, {"found": json.dumps(rows), "at": at})


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


# The statements of the hot path are made once and bypass the ORM.
_watch, _token = (cast("Table", model.__table__) for model in (Watch, WatchToken))
_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True)

# %b: in binary form. The array is sorted, and the index is walked from each to the next.
# It and the next are asked through keyholes of migration 0017: a submitter may not read watches.
_WAITING = "SELECT token, watch_id FROM watches_waiting(%(tokens)b::bytea[])"
_WAITING_SQLITE = "SELECT token, watch_id FROM watch_token WHERE token IN ({marks})"

_WATCHES_SQLITE = (
    select(_watch.c.id, _watch.c.kind, _token.c.facet, _token.c.token)
    .join_from(_watch, _token, _token.c.watch_id == _watch.c.id)
    .where(
        _watch.c.id.in_(_IDS), _watch.c.ended_at.is_(None), _watch.c.expires_on > bindparam("today")
    )
)


_WATCHES: Mapping[str, Executable] = {
    "sqlite": _WATCHES_SQLITE,
    "postgresql": text(
        "SELECT id, kind, facet, token FROM watches_live(CAST(:ids AS bigint[]), :today)"
    ).columns(
        id=_watch.c.id.type,
        kind=_watch.c.kind.type,
        facet=_token.c.facet.type,
        token=_token.c.token.type,
    ),
}


def _keeping(found: str, payload: str) -> tuple[TextClause, ...]:
    """The two statements of `_keep`; `found` are the rows of the JSON text `:found`."""
    at = bindparam("at", type_=Moment())
    return (
        text(
            "INSERT INTO watch_match (watch_id, indicator_id, points, band, matched_at,"  # noqa: S608 - our own
            " tells_requester, tells_owner)"
            f" SELECT watch, indicator, points, band, :at, false, false FROM {found}"
        ).bindparams(at),
        text(
            "INSERT INTO outbox (topic, key, payload, state, tries, made_at, due_at)"  # noqa: S608 - our own
            f" SELECT '{MATCHED}', key, {payload}, 'waiting', 0, :at, :at"
            f" FROM {found}"
        ).bindparams(at),
    )


_KEEP = {
    "postgresql": _keeping(
        "json_to_recordset(CAST(:found AS json)) AS found"
        " (watch bigint, indicator bigint, key varchar, points integer, band varchar)",
        "json_build_object('watch', watch, 'indicator', indicator)",
    ),
    "sqlite": _keeping(
        "(SELECT value ->> 'watch' AS watch, value ->> 'indicator' AS indicator,"
        " value ->> 'key' AS key,"
        " value ->> 'points' AS points, value ->> 'band' AS band FROM json_each(:found))",
        "json_object('watch', watch, 'indicator', indicator)",
    ),
}
