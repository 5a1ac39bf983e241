"""An organisation's own patterns in force, as policies know them: for simulation and replay.

Patterns belong to a floor above, whose models are not imported: here they are by the columns that
decide. Nothing of others is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, Integer, SmallInteger, String, Uuid, column, select, table
from sqlalchemy.orm import Session

from app.clock import day
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import ShareClass
from app.sharing.visibility import live

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


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """The version in force of a pattern; `seen_day` is that of its publication, since 1970."""

    id: UUID
    title: str
    attributes: ClassAttributes
    seen_day: int


def in_force(session: Session, organisation_id: int, at: datetime) -> Sequence[OwnPattern]:
    """The organisation's patterns whose version in force has not ended, newest pattern first.

    Deprecated ones too: they stay listed until their end.
    """
    rows = session.execute(
        select(_PATTERN.c.public_id, _VERSION.c.title, ShareClass.attributes, _VERSION.c.seen_day)
        .join_from(_PATTERN, _VERSION, _VERSION.c.id == _PATTERN.c.current_id)
        .join(ShareClass, ShareClass.id == _VERSION.c.share_class_id)
        .where(_PATTERN.c.organisation_id == organisation_id, live(_VERSION.c.expires_on, day(at)))
        .order_by(_PATTERN.c.public_id.desc())
    )
    return [OwnPattern(row[0], row[1], read_class(row[2]), row[3]) for row in rows]
