"""The change stream of a collection: what was created, changed or revoked after a cursor, in order.

A page is a page of the collection's log, served and logged as by TAXII: each object in its last
version, once. The cursor is a place in that log, so reading goes on where it stopped, however much
is added meanwhile; a page that brings nothing returns the cursor that it was asked with.
"""

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.exchange import serving
from app.exchange.taxii_schemas import version_written, written
from app.exchange.views import Filters, Row, Served

MOST = 1000
"""Changes of one page."""

BEGINNING = 0
"""The cursor before everything."""


def page(session: Session, caller: Caller, collection: UUID, after: int, limit: int) -> str:
    """A page as JSON: `changes`, `next` and `more`. NotFoundError for no collection of theirs.

    Revocations are always in it, also of a collection that leaves them out of its objects.
    """
    filters = Filters(added_after=after, revoked=True)
    served = serving.page(session, caller, collection, filters, limit)
    return _written(served, after)


def _written(served: Served, after: int) -> str:
    last = served.last_added
    following = json.dumps({"next": str(after if last is None else last), "more": served.more})
    return f'{{"changes":[{_joined(served.rows)}],{following[1:]}'


def _joined(rows: Sequence[Row]) -> str:
    """The changes; the stored texts of the objects are put in as they are."""
    return ",".join(f'{json.dumps(_told(row))[:-1]},"object":{row.text}}}' for row in rows)


def _told(row: Row) -> dict[str, str | None]:
    return {
        "change": _change(row),
        "id": row.id,
        "type": row.type,
        "added": written(row.added),
        "version": version_written(row.version),
        "owner": row.owner,
    }


def _change(row: Row) -> str:
    if row.is_revoked:
        return "revoked"
    return "created" if row.is_first else "changed"
