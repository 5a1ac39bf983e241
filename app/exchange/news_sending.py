"""Sending news: what is asked again before each try, and what the log tells.

As with notifications a try is counted and logged before anything leaves, and how it ended is logged
in the transaction that notes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.entry import Outcome
from app.audit.service import append
from app.clock import now
from app.exchange import collections
from app.exchange.news import (
    OBJECT,
    TOPIC,
    Sealing,
    ask,
    forget_ended,
    forget_former,
    on_added,
)
from app.exchange.news_models import ExchangeNews
from app.exchange.views import Collection, ViewHooks
from app.jobs import webhooks
from app.jobs.addresses import networks
from app.jobs.notifications import notify
from app.jobs.outbox import Ending, Errand, Payload, handle
from app.jobs.service import duty
from app.jobs.telling import Recipient, Telling
from app.runtime import Runtime, runtime
from postern.vocabulary import Role

GIVEN_UP = "exchange.news-given-up"
"""Kind of the notification that an address was tried for the last time."""

_TYPE = "exchange.news"
_GONE = webhooks.WebhookGoneError.__name__


@dataclass(frozen=True, slots=True)
class _Case:
    """One message and all that it is about, as it stands now; an ended collection is None."""

    row: ExchangeNews
    collection: Collection | None
    recipient: Recipient | None


def prepare(session: Session, payload: Payload, number: int) -> Callable[[], None] | None:
    """Count and log the try, and return what sends the message; None when nothing is to be sent.

    That is: the address was removed, its collection ended, or its organisation is suspended.
    """
    case = _case(session, payload)
    if case is None:
        return None
    row = case.row
    if case.collection is None or case.recipient is None or not case.recipient.is_active:
        row.asked = None
        _log(session, case, "exchange.news-sent", Outcome.OK, ending="withheld")
        return None
    if number == 1:
        row.asked = row.newest  # with what changed while it waited; later tries say the same
    send = _sender(row, case.collection)
    row.tries = number
    row.tried_at = now()
    _log(session, case, "exchange.news-try", Outcome.OK, number=number)
    return send


def conclude(session: Session, payload: Payload, ending: Ending, error: str) -> None:
    """Note how the try ended, in its row and in the log; what changed meanwhile is asked for."""
    case = _case(session, payload)
    if case is None:
        return
    row = case.row
    row.error = error or None
    if ending is Ending.DONE:
        row.told, row.sent_at = row.asked or row.told, now()
    elif ending is Ending.DEAD:
        row.is_gone = error == _GONE
        row.is_given_up = not row.is_gone
        _tell_administrators(session, case)
    if ending is not Ending.AGAIN:
        row.asked = None
    outcome = Outcome.OK if ending is Ending.DONE else Outcome.ERROR
    _log(session, case, "exchange.news-sent", outcome, ending=_ENDINGS[ending])
    if ending is Ending.DONE and row.newest > row.told:
        ask(session, row, timedelta())


ERRAND = Errand(prepare, conclude)

_ENDINGS = {Ending.DONE: "sent", Ending.AGAIN: "failed", Ending.DEAD: "given_up"}


def _case(session: Session, payload: Payload) -> _Case | None:
    """The message that the payload names, None when it is over; the row is locked."""
    row = session.scalar(
        select(ExchangeNews)
        .where(
            ExchangeNews.public_id == UUID(str(payload["news"])),
            ExchangeNews.message == UUID(str(payload["message"])),
            ExchangeNews.asked.is_not(None),
        )
        .with_for_update()
    )
    if row is None:
        return None
    collection = collections.by_key(session, row.collection_id)
    if collection is None:
        return _Case(row, None, None)
    telling = runtime().part(Telling)
    return _Case(row, collection, telling.recipient(session, collection.organisation_id))


def _sender(row: ExchangeNews, collection: Collection) -> Callable[[], None]:
    """What sends the message; all that it needs is read now, for it runs without a transaction."""
    sealing, at = runtime().part(Sealing), now()
    address, (secret, former), message = sealing.address(row), sealing.secrets(row), row.message
    body = webhooks.body_of(
        {
            "type": _TYPE,
            "data": {
                "collection": str(collection.id),
                "after": str(row.told),
                "cursor": str(row.asked),
            },
        }
    )
    allowed = networks(runtime().settings.webhook.networks)
    if message is None:
        raise LookupError("a message under way has an id")
    return lambda: webhooks.post(
        address, secret, body, message=message, at=at, allowed=allowed, former=former
    )


def _log(session: Session, case: _Case, act: str, outcome: Outcome, **details: object) -> None:
    """Told to the collection's organisation; of an ended collection to nobody but the platform."""
    recipient, collection = case.recipient, case.collection
    append(
        session,
        CONSOLE,
        act,
        audience=[] if recipient is None else [recipient.code],
        outcome=outcome,
        object_type=OBJECT,
        objects=[str(case.row.public_id)],
        details={**details, **({"collection": str(collection.id)} if collection else {})},
    )


def _tell_administrators(session: Session, case: _Case) -> None:
    if case.collection is None:
        return
    facts = {"collection": str(case.collection.id)}
    address = f"/exchange/{case.collection.id}/news"
    owner = case.collection.organisation_id
    notify(session, owner, Role.ADMINISTRATOR, GIVEN_UP, facts, address)


def begin(runtime: Runtime) -> None:
    """Tell addresses from now on; called by the room's `start`."""
    runtime.add(Sealing(runtime.secrets.exchange))
    runtime.part(ViewHooks).added.append(on_added)
    handle(runtime, TOPIC, ERRAND)
    duty(runtime, TOPIC, timedelta(hours=1), forget_ended)
    duty(runtime, "exchange.news-former", timedelta(hours=1), forget_former)
