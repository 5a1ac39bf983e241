"""Who got what: rows that say that an organisation got something of another's indicator.

Written in the transaction in which it is given, whatever the way, and read when it must be called
back. A row holds neither a value nor a person. Whoever gives something keeps the indicator from
being erased or changed until the commit (`hold`): then a recall, which waits for that, finds the
row, and nobody who got something is missed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, bindparam, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from app.database import Moment
from app.indicators.models import Given, Indicator, Report
from app.write_behind import send_later
from postern.vocabulary import Way

PRESENCE, METADATA, REQUEST, CLEAR = 1, 2, 3, 4
"""How much was given.

A presence that answers somebody names no indicator and leaves nothing to call back: no row. One
that goes into a screening filter stays with its recipient, and has one.
"""

_CHUNK = 5000  # ids of one statement


@dataclass(frozen=True, slots=True)
class Gift:
    """What one recipient got of one indicator.

    `tells_owner`: the owner's policy lets the owner be told of it. Without that the row stands all
    the same, for a recall, and is never shown to the owner.
    """

    indicator: UUID
    owner_id: int
    level: int
    tells_owner: bool = True


@dataclass(frozen=True, slots=True)
class Recipient:
    """An organisation that got something of an indicator, and by which ways.

    `is_named`: the owner may know that it did.
    """

    organisation_id: int
    ways: Sequence[Way]
    level: int
    first_at: datetime
    last_at: datetime
    is_named: bool


def note_given(
    session: Session, recipient_id: int, way: Way, gifts: Iterable[Gift], at: datetime
) -> None:
    """Note that `recipient_id` got these indicators of others now; one's own are left out."""
    merged: dict[UUID, Gift] = {}
    for gift in gifts:
        if gift.owner_id != recipient_id:
            merged[gift.indicator] = _merge(merged.get(gift.indicator), gift)
    if not merged:
        return
    # In one order, so that two transactions that give the same do not wait for each other.
    rows = sorted(merged.values(), key=lambda gift: gift.indicator.int)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        send_later(
            session,
            _NOTE_POSTGRESQL,
            {
                "indicators": [gift.indicator for gift in rows],
                "owners": [gift.owner_id for gift in rows],
                "levels": [gift.level for gift in rows],
                "tells": [gift.tells_owner for gift in rows],
                "recipient": recipient_id,
                "way": way.value,
                "at": at,
            },
        )
        return
    given = {"recipient_id": recipient_id, "way": way, "times": 1, "first_at": at, "last_at": at}
    connection.execute(
        _NOTE_SQLITE,
        [
            {
                **given,
                "indicator": gift.indicator,
                "owner_id": gift.owner_id,
                "level": gift.level,
                "tells_owner": gift.tells_owner,
            }
            for gift in rows
        ],
    )


def note_selected(
    session: Session,
    recipient_id: int,
    chosen: Select[UUID, int, bool],
    *,
    way: Way,
    level: int,
    at: datetime,
) -> None:
    """Note in one statement that `recipient_id` gets the indicators of others that are `chosen`.

    Its columns are public id, owner and whether the owner may be told; its rows are `Indicator`,
    which are held as `hold` does. Whoever reads them afterwards takes only those whose row was
    written `at` this moment: what came or went in between is not among them.
    """
    held = chosen.where(Indicator.organisation_id != recipient_id).order_by(Indicator.id)
    source = held.with_for_update(read=True, key_share=True, of=Indicator).add_columns(
        literal(recipient_id),
        literal(way.value),
        literal(level),
        literal(1),
        literal(at, Moment),
        literal(at, Moment),
    )
    names = ("indicator", "owner_id", "tells_owner")
    told = ("recipient_id", "way", "level", "times", "first_at", "last_at")
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    new = (postgresql_insert if is_postgresql else insert)(_GIVEN).from_select(
        [*names, *told], source
    )
    larger = func.greatest if is_postgresql else func.max
    session.execute(
        new.on_conflict_do_update(
            index_elements=["indicator", "recipient_id", "way"],
            set_={
                "level": larger(_GIVEN.c.level, new.excluded.level),
                "tells_owner": or_(_GIVEN.c.tells_owner, new.excluded.tells_owner),
                "times": _GIVEN.c.times + 1,
                "last_at": new.excluded.last_at,
            },
        )
    )


def hold(session: Session, indicator_ids: Sequence[int]) -> None:
    """Keep indicators (inner keys) from being erased or changed until the commit.

    What is read of them afterwards is what stands then. SQLite has one writer at a time: there
    every transaction is held like this.
    """
    if indicator_ids and session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(_HOLD, {"ids": sorted(indicator_ids)})


def recipients(session: Session, indicator: UUID) -> list[Recipient]:
    """Every organisation that got something of an indicator, by its inner key.

    Whether its owner may be told of each is `is_named`: what an owner is shown must be of those.
    """
    return list(recipients_of(session, [indicator]).get(indicator, ()))


def recipients_of(
    session: Session, indicators: Sequence[UUID]
) -> Mapping[UUID, Sequence[Recipient]]:
    """`recipients` of many; an indicator that nobody got is left out."""
    rows: dict[UUID, dict[int, list[Given]]] = {}
    for start in range(0, len(indicators), _CHUNK):
        found = session.scalars(
            select(Given)
            .where(Given.indicator.in_(indicators[start : start + _CHUNK]))
            .order_by(Given.indicator, Given.recipient_id, Given.way)
        )
        for row in found:
            rows.setdefault(row.indicator, {}).setdefault(row.recipient_id, []).append(row)
    return {
        indicator: [_recipient(organisation_id, ways) for organisation_id, ways in by_id.items()]
        for indicator, by_id in rows.items()
    }


def keep_what_ended(session: Session, indicators: Sequence[UUID]) -> None:
    """Write beside the rows of indicators that are about to end what outcomes are counted by.

    That is `report`, `kind`, `learned`, `source_grade` and `barrier_step`, as they leave the
    platform. Rows of what nobody got are not there, so of those nothing stays.
    """
    for start in range(0, len(indicators), _CHUNK):
        found = session.execute(
            select(
                Indicator.public_id,
                Indicator.kind,
                Indicator.learned,
                Indicator.source_grade,
                Report.barrier_step,
                Report.public_id.label("report"),
            )
            .join(Report, Report.id == Indicator.report_id)
            .where(
                Indicator.public_id.in_(indicators[start : start + _CHUNK]),
                select(Given.indicator).where(Given.indicator == Indicator.public_id).exists(),
            )
            .order_by(Indicator.public_id)
        ).all()
        kept = [
            {
                "of": row.public_id,
                "kept": {
                    "report": str(row.report),
                    "kind": row.kind.value,
                    "learned": row.learned.value,
                    "source_grade": row.source_grade.value,
                    "barrier_step": row.barrier_step,
                },
            }
            for row in found
        ]
        if kept:
            session.connection().execute(_KEEP, kept)


def _merge(held: Gift | None, gift: Gift) -> Gift:
    if held is None:
        return gift
    return Gift(
        gift.indicator,
        gift.owner_id,
        max(held.level, gift.level),
        held.tells_owner or gift.tells_owner,
    )


def _recipient(organisation_id: int, rows: Sequence[Given]) -> Recipient:
    return Recipient(
        organisation_id=organisation_id,
        ways=[row.way for row in rows],
        level=max(row.level for row in rows),
        first_at=min(row.first_at for row in rows),
        last_at=max(row.last_at for row in rows),
        is_named=any(row.tells_owner for row in rows),
    )


_GIVEN = cast("Table", Given.__table__)

# Arrays instead of as many VALUES: one statement for a file of thousands.
_NOTE_POSTGRESQL = """
    INSERT INTO given (
        indicator, recipient_id, way, owner_id, level, tells_owner, times, first_at, last_at
    )
    SELECT sent.indicator, %(recipient)s, %(way)s, sent.owner_id, sent.level, sent.tells_owner,
        1, %(at)s, %(at)s
    FROM unnest(
        %(indicators)b::uuid[], %(owners)b::integer[], %(levels)b::smallint[], %(tells)b::boolean[]
    ) AS sent (indicator, owner_id, level, tells_owner)
    ON CONFLICT (indicator, recipient_id, way) DO UPDATE SET
        level = greatest(given.level, excluded.level),
        tells_owner = given.tells_owner OR excluded.tells_owner,
        times = given.times + 1,
        last_at = excluded.last_at
    """

_NEW = insert(_GIVEN)
_NOTE_SQLITE = _NEW.on_conflict_do_update(
    index_elements=["indicator", "recipient_id", "way"],
    set_={
        "level": func.max(_GIVEN.c.level, _NEW.excluded.level),
        "tells_owner": func.max(_GIVEN.c.tells_owner, _NEW.excluded.tells_owner),
        "times": _GIVEN.c.times + 1,
        "last_at": _NEW.excluded.last_at,
    },
)

# In one order, so that two that hold, or erase, the same do not wait for each other.
_HOLD = "SELECT 1 FROM indicator WHERE id = ANY (%(ids)s::bigint[]) ORDER BY id FOR KEY SHARE"

_KEEP: Any = (
    update(_GIVEN).where(_GIVEN.c.indicator == bindparam("of")).values(ended=bindparam("kept"))
)
