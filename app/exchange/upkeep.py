"""What the administrator does about a collection by hand."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.service import append
from app.errors import NotFoundError
from app.exchange import collections, view_queue


class UnknownCollectionError(NotFoundError):
    title = "No open collection has this id"
    remedy = "List them with: flask --app wsgi exchange list"


def compare(session: Session, public_id: UUID) -> None:
    """Have a collection compared with all that may be seen; UnknownCollectionError for no such."""
    found = next((each for each in collections.open_ones(session) if each.id == public_id), None)
    if found is None:
        raise UnknownCollectionError
    view_queue.ask_comparison(session, found.key)
    append(
        session,
        CONSOLE,
        "exchange.compare",
        audience=[found.organisation],
        object_type="collection",
        objects=[str(public_id)],
    )
