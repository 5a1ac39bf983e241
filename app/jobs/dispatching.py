"""Sending notifications by channels: what is asked again before each try, and what the log tells.

A try is counted and logged before anything leaves; how it ended is logged in the transaction that
notes it. So a message that arrived has its entry whatever became of the worker, and of one that
arrived twice there are two tries in the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.entry import Outcome
from app.audit.service import append
from app.clock import now
from app.jobs import mail, webhooks
from app.jobs.addresses import networks
from app.jobs.channels import Sealing, page_of
from app.jobs.draining import Pace
from app.jobs.models import Channel, Dispatch, Notification
from app.jobs.notifications import DISPATCH, Notice, notify, of_channel
from app.jobs.outbox import Ending, Errand, Payload, hold_back
from app.jobs.telling import Recipient, Telling
from app.runtime import Runtime, runtime
from app.secret_files import read_mail_password
from postern.vocabulary import ChannelKind, DispatchState, Role

Check = Callable[[Session, Notification], bool]
"""Whether policy lets this notification be sent now; it may ask the database."""

_CHECKED = ("watch.", "deconfliction.", "pattern.")
"""Notifications that tell of what is another's: of such a kind, none leaves without a check."""


@dataclass
class Checks:
    """What the rooms ask before a notification of a kind leaves, in this process."""

    by_kind: dict[str, Check] = field(default_factory=dict)


def allow(runtime: Runtime, kind: str, check: Check) -> None:
    """Register what is asked before each sending of this kind, from a room's `start`.

    Where it says no, nothing leaves by any channel. LookupError when the kind has a check.
    """
    checks = runtime.part(Checks).by_kind
    if kind in checks:
        raise LookupError(f"there is a check for {kind} already")
    checks[kind] = check


@dataclass(frozen=True)
class _Case:
    """One sending and all that it is about, as it stands now."""

    sending: Dispatch
    notification: Notification
    channel: Channel
    recipient: Recipient


def prepare(session: Session, payload: Payload, number: int) -> Callable[[], None] | None:
    """Count and log the try, and return what sends the message; None when nothing is to be sent.

    That is: the notification is gone, was sent, or may not be told any more.
    """
    case = _case(session, payload)
    if case is None or case.sending.state is DispatchState.SENT:
        return None
    sending = case.sending
    if not _may_leave(session, case):
        sending.state, sending.error = DispatchState.WITHHELD, None
        _log_end(session, case, "withheld", Outcome.OK)
        return None
    send = _sender(session, case)
    sending.state = DispatchState.WAITING
    sending.tries += 1
    sending.tried_at = now()
    append(
        session,
        CONSOLE,
        "notification.try",
        audience=[case.recipient.code],
        object_type="notification",
        objects=[str(case.notification.public_id)],
        details={**_told(case), "number": number},
    )
    return send


def conclude(session: Session, payload: Payload, ending: Ending, error: str) -> None:
    """Note how the try ended, in its row and in the log."""
    case = _case(session, payload)
    if case is None:  # the notification went in the meantime, and its sendings with it
        return
    sending, outcome = case.sending, Outcome.OK if ending is Ending.DONE else Outcome.ERROR
    sending.error = error or None
    if ending is Ending.DONE:
        sending.state = DispatchState.SENT
    elif ending is Ending.AGAIN:
        pause = runtime().part(Pace).held_back
        hold_back(session, DISPATCH, of_channel(case.channel), now() + pause)
    else:
        sending.state = DispatchState.GIVEN_UP
        _tell_administrator(session, case)
    _log_end(session, case, _ENDINGS[ending], outcome)


ERRAND = Errand(prepare, conclude)

_ENDINGS = {Ending.DONE: "sent", Ending.AGAIN: "failed", Ending.DEAD: "given_up"}


def _case(session: Session, payload: Payload) -> _Case | None:
    found = session.execute(
        select(Dispatch, Notification, Channel)
        .join(Notification, Notification.id == Dispatch.notification_id)
        .join(Channel, Channel.id == Dispatch.channel_id)
        .where(Dispatch.public_id == UUID(str(payload["dispatch"])))
    ).first()
    if found is None:
        return None
    sending, notification, channel = found
    telling = runtime().part(Telling)
    recipient = telling.recipient(session, notification.organisation_id)
    return _Case(sending, notification, channel, recipient)


def _may_leave(session: Session, case: _Case) -> bool:
    """Whether everything that let it be asked for still holds."""
    kind = case.notification.kind
    check = runtime().part(Checks).by_kind.get(kind)
    if not case.recipient.is_active or case.channel.stopped_at is not None:
        return False
    if case.channel.organisation_id != case.notification.organisation_id:
        return False
    if check is None:
        return not kind.startswith(_CHECKED)
    return check(session, case.notification)


def _sender(session: Session, case: _Case) -> Callable[[], None]:
    """What sends the message; all that it needs is read now, for it runs without a transaction."""
    make = {ChannelKind.MAIL: _mail_sender, ChannelKind.WEBHOOK: _webhook_sender}
    return make[case.channel.kind](session, case)


def _mail_sender(session: Session, case: _Case) -> Callable[[], None]:
    settings = runtime().settings
    channel, language = case.channel, case.channel.language
    message = (
        runtime()
        .part(Telling)
        .message(session, _notice(case.notification), case.recipient, language)
    )
    origin = settings.platform.origin
    letter = mail.Letter(
        to=runtime().part(Sealing).address(channel),
        language=language,
        subject=message.subject,
        text=message.text,
        message=case.sending.public_id,
        host=urlsplit(origin).hostname or "localhost",
        sender_name=settings.platform.name,
        at=now(),
    )
    secrets = Path(settings.secrets.directory)

    def send() -> None:
        password = read_mail_password(secrets) if settings.mail.user else ""
        mail.send(settings.mail, password, letter)

    return send


def _webhook_sender(_session: Session, case: _Case) -> Callable[[], None]:
    sealing, notification = runtime().part(Sealing), case.notification
    address, (secret, former) = sealing.address(case.channel), sealing.secrets(case.channel)
    body = webhooks.body_of(
        {
            "id": str(notification.public_id),
            "kind": notification.kind,
            "facts": notification.facts,
            "address": notification.address,
            "made_at": notification.made_at.isoformat(),
        }
    )
    allowed = networks(runtime().settings.webhook.networks)
    message = case.sending.public_id
    return lambda: webhooks.post(
        address, secret, body, message=message, at=now(), allowed=allowed, former=former
    )


def _notice(row: Notification) -> Notice:
    return Notice(
        id=row.public_id,
        roles=() if row.role is None else (row.role,),
        kind=row.kind,
        facts=row.facts,
        address=row.address,
        made_at=row.made_at,
        seen_at=row.seen_at,
    )


def _told(case: _Case) -> Mapping[str, Any]:
    return {
        "channel": str(case.channel.public_id),
        "channel_kind": case.channel.kind.value,
        "kind": case.notification.kind,
    }


def _log_end(session: Session, case: _Case, ending: str, outcome: Outcome) -> None:
    append(
        session,
        CONSOLE,
        "notification.sent",
        audience=[case.recipient.code],
        outcome=outcome,
        object_type="notification",
        objects=[str(case.notification.public_id)],
        details={**_told(case), "ending": ending},
    )


def _tell_administrator(session: Session, case: _Case) -> None:
    """On pages, since the channel is what failed; once, until somebody saw it."""
    channel = case.channel
    address, organisation_id = page_of(channel), channel.organisation_id
    is_told = session.scalar(
        select(
            exists().where(
                Notification.organisation_id == organisation_id,
                Notification.kind == "channel.given-up",
                Notification.address == address,
                Notification.seen_at.is_(None),
            )
        )
    )
    if not is_told:
        facts = {"channel": channel.kind.value}
        notify(
            session,
            organisation_id,
            Role.ADMINISTRATOR,
            "channel.given-up",
            facts,
            address,
            on_pages_only=True,
        )
