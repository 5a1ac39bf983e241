"""News of a collection: an address learns that something changed, and fetches it by its cursor.

A message holds the id of the collection and two cursors, never content: what changed is read from
the change stream, under the policies of that moment, and logged as any reading. Of an address one
message is under way at a time; what changes meanwhile is told by the one after it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.exchange import collections
from app.exchange.models import ExchangeCollection
from app.exchange.news_models import ExchangeNews
from app.exchange.views import Collection
from app.jobs.addresses import masked, networks, webhook_fault
from app.jobs.outbox import put
from app.jobs.webhooks import end_of_former, new_secret
from app.runtime import runtime
from app.secret_files import Sealer

MOST = 5
"""Addresses of one collection."""

TOPIC = "exchange.news"
OBJECT = "exchange-news"

_GATHERED = timedelta(seconds=2)
"""How long changes are gathered before an address is told of them together."""

_BETWEEN = timedelta(minutes=1)
_ADDRESS, _SECRET = b"postern/news/v1/address/", b"postern/news/v1/secret/"


class NewsState(StrEnum):
    """How an address stands."""

    SENT = "sent"  # it knows of everything, or nothing was to be told yet
    WAITING = "waiting"  # a message is under way
    FAILING = "failing"  # its last try failed, and it is tried again
    GIVEN_UP = "given_up"  # until the next change
    GONE = "gone"  # the receiver wants no more


class TooManyNewsError(ConflictError):
    code = "exchange-news"
    title = f"The collection tells {MOST} addresses already"
    remedy = "Remove one that nobody listens at any more."


class NewsPendingError(ConflictError):
    code = "exchange-news-pending"
    title = "A message to this address is under way, or left a moment ago"
    remedy = "Look at what became of it, and ask again after a minute."


class Sealing:
    """Seals and opens addresses and secrets under a key of its own; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(hmac.digest(key, b"postern/news/v1", "sha256"))

    def seal_address(self, address: str, news: UUID) -> bytes:
        return self._sealer.seal(address.encode(), _ADDRESS + news.bytes)

    def seal_secret(self, secret: str, news: UUID) -> bytes:
        return self._sealer.seal(secret.encode(), _SECRET + news.bytes)

    def address(self, row: ExchangeNews) -> str:
        """The address; ValueError when it is that of another row."""
        return self._sealer.open(row.sealed_address, _ADDRESS + row.public_id.bytes).decode()

    def secrets(self, row: ExchangeNews) -> tuple[str, str | None]:
        """What its messages are signed with, and the former secret as long as it signs too.

        ValueError as above.
        """
        until, former = row.former_until, row.former_secret
        is_former = former is not None and until is not None and now() < until
        return (
            self._secret(row, row.sealed_secret),
            self._secret(row, former or b"") if is_former else None,
        )

    def _secret(self, row: ExchangeNews, sealed: bytes) -> str:
        return self._sealer.open(sealed, _SECRET + row.public_id.bytes).decode()


@dataclass(frozen=True, slots=True)
class News:
    """An address as its organisation sees it; `cursor` is how far it was told.

    `tries` and `error`, the type of the last one, are of the last message. `secret` is there once,
    in the answer to its making; the one before it signs too until `former_until`.
    """

    id: UUID
    address: str  # masked
    made_at: datetime
    state: NewsState
    cursor: str
    tries: int
    tried_at: datetime | None
    sent_at: datetime | None
    error: str | None
    former_until: datetime | None
    secret: str | None = None


def add(session: Session, caller: Caller, collection_id: UUID, address: str) -> News:
    """Have an address told of what changes from now on; its secret is in the answer, this once.

    NotFoundError for a collection that is not there; InvalidRequestError names the field;
    TooManyNewsError.
    """
    collection = collections.find(session, caller.member[0], collection_id)
    address = address.strip()
    reason = webhook_fault(address, networks(runtime().settings.webhook.networks))
    if reason:
        raise InvalidRequestError(errors=[{"field": "json.address", "reason": reason}])
    # The collection's row, which whoever adds entries locks: so none is missed between.
    newest = session.scalars(
        select(ExchangeCollection.last_added)
        .where(ExchangeCollection.id == collection.key)
        .with_for_update()
    ).one()
    if len(_rows(session, collection)) >= MOST:
        raise TooManyNewsError
    public_id, secret = uuid4(), new_secret()
    sealing = runtime().part(Sealing)
    row = ExchangeNews(
        public_id=public_id,
        collection_id=collection.key,
        sealed_address=sealing.seal_address(address, public_id),
        sealed_secret=sealing.seal_secret(secret, public_id),
        made_at=now(),
        made_by=caller.pseudonym,
        told=newest,
        newest=newest,
        asked=None,
        message=None,
        tries=0,
        tried_at=None,
        sent_at=None,
        error=None,
        is_given_up=False,
        is_gone=False,
    )
    session.add(row)
    session.flush()
    _log(session, caller, "exchange.news-add", collection, [row])
    return _shown(row, secret)


def list_news(session: Session, caller: Caller, collection_id: UUID) -> list[News]:
    """The addresses of one of the organisation's collections, oldest first; logged.

    NotFoundError for a collection that is not there.
    """
    collection = collections.find(session, caller.member[0], collection_id)
    rows = _rows(session, collection)
    _log(session, caller, "exchange.news-list", collection, rows)
    return [_shown(row) for row in rows]


def of_collection(session: Session, collection: Collection) -> list[News]:
    """The same, for within an act that is logged."""
    return [_shown(row) for row in _rows(session, collection)]


def remove(session: Session, caller: Caller, collection_id: UUID, news: UUID) -> None:
    """Tell the address nothing more and forget it; NotFoundError when it is not there."""
    collection, row = _held(session, caller, collection_id, news)
    session.delete(row)
    _log(session, caller, "exchange.news-remove", collection, [row])


def rotate(
    session: Session, caller: Caller, collection_id: UUID, news: UUID, overlap_hours: int
) -> News:
    """Give the address a new secret, which is in what is returned, this once.

    The one before it signs too for `overlap_hours`; one that was former already signs no more.
    NotFoundError when it is not there; InvalidRequestError for the hours.
    """
    collection, row = _held(session, caller, collection_id, news)
    until, secret = end_of_former(overlap_hours), new_secret()
    row.former_secret, row.former_until = (row.sealed_secret if until else None), until
    row.sealed_secret = runtime().part(Sealing).seal_secret(secret, row.public_id)
    _log(session, caller, "exchange.news-rotate", collection, [row], overlap_hours=overlap_hours)
    return _shown(row, secret)


def again(session: Session, caller: Caller, collection_id: UUID, news: UUID) -> None:
    """Tell the address now how far the collection is, whether it was given up or has nothing new.

    NotFoundError when it is not there; NewsPendingError.
    """
    collection, row = _held(session, caller, collection_id, news)
    if row.asked is not None or (row.tried_at and now() - row.tried_at < _BETWEEN):
        raise NewsPendingError
    row.is_gone = False
    ask(session, row, timedelta())
    _log(session, caller, "exchange.news-again", collection, [row])


def on_added(session: Session, collection_key: int, last_added: int) -> None:
    """Ask for its addresses to be told, in the transaction that adds entries to a collection."""
    rows = session.scalars(
        select(ExchangeNews)
        .where(ExchangeNews.collection_id == collection_key)
        .order_by(ExchangeNews.id)
        .with_for_update()
    ).all()
    for row in rows:
        row.newest = max(row.newest, last_added)
        if row.asked is None and not row.is_gone:
            ask(session, row, _GATHERED)
    session.flush()


def ask(session: Session, row: ExchangeNews, pause: timedelta) -> None:
    """Ask for one new message, up to the newest there is."""
    row.asked, row.message = row.newest, uuid4()
    row.tries, row.error, row.is_given_up = 0, None, False
    put(
        session,
        TOPIC,
        {"news": str(row.public_id), "message": str(row.message)},
        key=str(row.message),
        due_at=now() + pause,
    )


def forget_ended(session: Session) -> int:
    """Forget the addresses of collections that ended; returns how many."""
    ended = select(ExchangeCollection.id).where(~collections.is_open(now().date()))
    gone = session.execute(
        delete(ExchangeNews).where(ExchangeNews.collection_id.in_(ended)).returning(ExchangeNews.id)
    )
    return len(gone.all())


def forget_former(session: Session) -> int:
    """Erase secrets that sign no more; returns how many."""
    ended = session.scalars(
        update(ExchangeNews)
        .where(ExchangeNews.former_until <= now())
        .values(former_secret=None, former_until=None)
        .returning(ExchangeNews.id)
    ).all()
    return len(ended)


def _rows(session: Session, collection: Collection) -> Sequence[ExchangeNews]:
    return session.scalars(
        select(ExchangeNews)
        .where(ExchangeNews.collection_id == collection.key)
        .order_by(ExchangeNews.id)
    ).all()


def _held(
    session: Session, caller: Caller, collection_id: UUID, news: UUID
) -> tuple[Collection, ExchangeNews]:
    """The address and its collection; it is locked to the end of the transaction."""
    collection = collections.find(session, caller.member[0], collection_id)
    row = session.scalar(
        select(ExchangeNews)
        .where(ExchangeNews.collection_id == collection.key, ExchangeNews.public_id == news)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    return collection, row


def _log(
    session: Session,
    caller: Caller,
    act: str,
    collection: Collection,
    rows: Sequence[ExchangeNews],
    **details: object,
) -> None:
    append(
        session,
        caller,
        act,
        object_type=OBJECT,
        objects=[str(row.public_id) for row in rows],
        details={"collection": str(collection.id), **details},
    )


def _shown(row: ExchangeNews, secret: str | None = None) -> News:
    return News(
        id=row.public_id,
        address=masked(runtime().part(Sealing).address(row)),
        made_at=row.made_at,
        state=_state(row),
        cursor=str(row.told),
        tries=row.tries,
        tried_at=row.tried_at,
        sent_at=row.sent_at,
        error=row.error,
        former_until=row.former_until,
        secret=secret,
    )


def _state(row: ExchangeNews) -> NewsState:
    if row.is_gone:
        return NewsState.GONE
    if row.is_given_up:
        return NewsState.GIVEN_UP
    if row.asked is None:
        return NewsState.SENT
    return NewsState.FAILING if row.error else NewsState.WAITING
