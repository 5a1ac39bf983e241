"""An organisation's own patterns in force and barriers, as policies know them: its assets.

They belong to floors above, whose models are not imported: for simulation and replay they are here
by the columns that decide. Nothing of others is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    Select,
    SmallInteger,
    String,
    Uuid,
    column,
    func,
    literal,
    select,
    table,
)
from sqlalchemy.orm import Session

from app.clock import day
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import ShareClass
from app.sharing.visibility import live
from postern.vocabulary import Kind

_PATTERN = table(
    "pattern",
    column("public_id", Uuid),
    column("organisation_id", Integer),
    column("current_id", BigInteger),
)
_VERSION = table(
    "pattern_version",
    column("id", BigInteger),
    column("title", String),
    column("share_class_id", Integer),
    column("seen_day", SmallInteger),
    column("expires_on", Date),
)
_BARRIER = table(
    "barrier",
    column("public_id", Uuid),
    column("organisation_id", Integer),
    column("barrier_key", String),
    column("country", String),
    column("point_code", String),
    column("share_class_id", Integer),
    column("seen_day", SmallInteger),
    column("expires_on", Date),
)


@dataclass(frozen=True, slots=True)
class OwnAsset:
    """The version in force of a pattern, or a barrier.

    `seen_day` is that of its publication, or of its registration or renewal, since 1970. A barrier
    has no title: its key in its model stands for it, with its country and point.
    """

    id: UUID
    title: str
    attributes: ClassAttributes
    seen_day: int


def in_force(
    session: Session, organisation_id: int, at: datetime, kind: Kind
) -> Sequence[OwnAsset]:
    """The organisation's assets of a kind that have not ended, the newest first.

    Patterns whose version in force has not ended, deprecated ones too: they stay listed until then.
    Barriers whose record has not ended, also of those that hold no longer.
    """
    rows = session.execute(_OWN[kind](organisation_id, day(at)))
    return [OwnAsset(row[0], row[1], read_class(row[2]), row[3]) for row in rows]


def _patterns(organisation_id: int, today: int) -> Select[Any]:
    return (
        select(_PATTERN.c.public_id, _VERSION.c.title, ShareClass.attributes, _VERSION.c.seen_day)
        .join_from(_PATTERN, _VERSION, _VERSION.c.id == _PATTERN.c.current_id)
        .join(ShareClass, ShareClass.id == _VERSION.c.share_class_id)
        .where(_PATTERN.c.organisation_id == organisation_id, live(_VERSION.c.expires_on, today))
        .order_by(_PATTERN.c.public_id.desc())
    )


def _barriers(organisation_id: int, today: int) -> Select[Any]:
    places = (_BARRIER.c.country, _BARRIER.c.point_code)
    country, point = (func.coalesce(literal(" ") + each, "") for each in places)
    title = _BARRIER.c.barrier_key + country + point
    return (
        select(_BARRIER.c.public_id, title, ShareClass.attributes, _BARRIER.c.seen_day)
        .join_from(_BARRIER, ShareClass, ShareClass.id == _BARRIER.c.share_class_id)
        .where(_BARRIER.c.organisation_id == organisation_id, live(_BARRIER.c.expires_on, today))
        .order_by(_BARRIER.c.public_id.desc())
    )


_OWN: Mapping[Kind, Callable[[int, int], Select[Any]]] = {
    Kind.PATTERN: _patterns,
    Kind.BARRIER: _barriers,
}
