"""Channels: by what an organisation is told beside its pages, who set it up, and how it fares.

The address may be that of a person, so it is sealed and shown masked; the secret of a webhook is
shown once. A channel that was removed loses both at once and stays as a row without them, for what
was sent by it.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.config import Settings
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.jobs import notifications
from app.jobs.addresses import mailbox_fault, masked, networks, webhook_fault
from app.jobs.models import Channel, Dispatch, Notification
from app.jobs.webhooks import end_of_former, new_secret
from app.runtime import runtime
from app.secret_files import Sealer
from postern.vocabulary import ChannelKind, DispatchState, Role

KEEPERS = (Role.ADMINISTRATOR, Role.COMPLIANCE)
"""Who sets channels up, and sees how they fare."""

TRIAL = "channel.trial"
"""Kind of the notification that a trial sends."""

LANGUAGES = ("en", "fr", "nl", "de")
MOST = 20  # live channels of one organisation
PAGE = 50  # dispatches

_BETWEEN_TRIALS = timedelta(minutes=1)
_ADDRESS, _SECRET = b"postern/channel/v1/address/", b"postern/channel/v1/secret/"
_BATCH = 1000


class TooManyChannelsError(ConflictError):
    code = "too-many-channels"
    title = f"The organisation has {MOST} channels already"
    remedy = "Remove one that is no longer needed."


class TrialPendingError(ConflictError):
    code = "trial-pending"
    title = "A trial message of this channel is under way, or was asked for a moment ago"
    remedy = "Look at what became of it, and ask again after a minute."


class ChannelWithoutSecretError(ConflictError):
    code = "channel-without-secret"
    title = "Messages of this channel are not signed, so it has no secret to replace"
    remedy = "Only webhooks have one."


class Sealing:
    """Seals and opens addresses and secrets under a key of its own; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(hmac.digest(key, b"postern/channel/v1", "sha256"))

    def seal_address(self, address: str, channel: UUID) -> bytes:
        return self._sealer.seal(address.encode(), _ADDRESS + channel.bytes)

    def seal_secret(self, secret: str, channel: UUID) -> bytes:
        return self._sealer.seal(secret.encode(), _SECRET + channel.bytes)

    def address(self, channel: Channel) -> str:
        """The address; ValueError when it was erased or belongs to another channel."""
        return self._sealer.open(
            channel.sealed_address, _ADDRESS + channel.public_id.bytes
        ).decode()

    def secrets(self, channel: Channel) -> tuple[str, str | None]:
        """A webhook's secret, and the former one as long as it signs too; ValueError as above."""
        until = channel.former_until
        is_former = until is not None and clock.now() < until
        former = self._secret(channel, channel.former_secret) if is_former else None
        return self._secret(channel, channel.sealed_secret), former

    def _secret(self, channel: Channel, sealed: bytes | None) -> str:
        return self._sealer.open(sealed or b"", _SECRET + channel.public_id.bytes).decode()


@dataclass(frozen=True)
class Shown:
    """A channel as its organisation sees it; `states` counts what was to be sent by it.

    `secret` is there once, in the answer to its making. `former_until`: the secret before it signs
    too until then.
    """

    id: UUID
    kind: ChannelKind
    roles: tuple[Role, ...]
    language: str
    address: str  # masked
    made_at: datetime
    states: Mapping[DispatchState, int]
    last_sent_at: datetime | None
    former_until: datetime | None
    secret: str | None = None


@dataclass(frozen=True)
class Sending:
    """The sending of one notification; `error` is the type of the last error, None for none."""

    id: UUID
    notification: UUID
    kind: str
    state: DispatchState
    tries: int
    made_at: datetime
    tried_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Sendings:
    """A page of what a channel was to send, the newest first; `next` begins the one after it."""

    channel: Shown
    dispatches: Sequence[Sending]
    next: UUID | None


def list_own(session: Session, caller: Caller) -> list[Shown]:
    """The live channels of the caller's organisation, oldest first; logged."""
    organisation_id, _ = caller.member
    rows = session.scalars(_live(organisation_id).order_by(Channel.id)).all()
    shown = _shown(session, rows)
    append(
        session,
        caller,
        "channel.list",
        object_type="channel",
        objects=[str(each.id) for each in shown],
    )
    return shown


def add(
    session: Session,
    caller: Caller,
    *,
    kind: ChannelKind,
    roles: Sequence[Role],
    language: str,
    address: str,
) -> Shown:
    """Set a channel up; a webhook's secret is in what is returned, this once.

    InvalidRequestError names each wrong field; TooManyChannelsError.
    """
    organisation_id, _ = caller.member
    address = address.strip()
    _check(runtime().settings, kind, roles, language, address)
    live = session.scalars(_live(organisation_id).with_for_update()).all()
    if len(live) >= MOST:
        raise TooManyChannelsError
    public_id = uuid4()
    secret = new_secret() if kind is ChannelKind.WEBHOOK else None
    sealing = runtime().part(Sealing)
    row = Channel(
        public_id=public_id,
        organisation_id=organisation_id,
        kind=kind,
        roles=[role.value for role in Role if role in roles],
        language=language,
        sealed_address=sealing.seal_address(address, public_id),
        sealed_secret=None if secret is None else sealing.seal_secret(secret, public_id),
        made_at=clock.now(),
        made_by=caller.person,
        stopped_at=None,
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "channel.add",
        object_type="channel",
        objects=[str(public_id)],
        details={"kind": kind.value, "roles": row.roles, "language": language},
    )
    return _as_shown(row, {}, None, secret)


def remove(session: Session, caller: Caller, channel: UUID) -> None:
    """Send nothing more by a channel, and erase its address; NotFoundError when it is not there."""
    row = _held(session, caller, channel)
    row.stopped_at = clock.now()
    row.sealed_address, row.sealed_secret = b"", None
    row.former_secret = row.former_until = None
    append(
        session,
        caller,
        "channel.remove",
        object_type="channel",
        objects=[str(channel)],
        details={"kind": row.kind.value},
    )


def rotate(session: Session, caller: Caller, channel: UUID, overlap_hours: int) -> Shown:
    """Give a webhook a new secret, which is in what is returned, this once.

    The one before it signs too for `overlap_hours`; one that was former already signs no more.
    NotFoundError; ChannelWithoutSecretError; InvalidRequestError for the hours.
    """
    row = _held(session, caller, channel)
    if row.kind is not ChannelKind.WEBHOOK:
        raise ChannelWithoutSecretError
    until, secret = end_of_former(overlap_hours), new_secret()
    row.former_secret, row.former_until = (row.sealed_secret if until else None), until
    row.sealed_secret = runtime().part(Sealing).seal_secret(secret, row.public_id)
    append(
        session,
        caller,
        "channel.rotate",
        object_type="channel",
        objects=[str(channel)],
        details={"kind": row.kind.value, "overlap_hours": overlap_hours},
    )
    (shown,) = _shown(session, [row])
    return replace(shown, secret=secret)


def forget_former(session: Session) -> int:
    """Erase secrets that sign no more; returns how many."""
    ended = session.scalars(
        update(Channel)
        .where(Channel.former_until <= clock.now())
        .values(former_secret=None, former_until=None)
        .returning(Channel.id)
    ).all()
    return len(ended)


def try_out(session: Session, caller: Caller, channel: UUID) -> None:
    """Have a trial message sent by the channel; NotFoundError; TrialPendingError.

    It takes the way of any other notification, and stands on the caller's page too.
    """
    organisation_id, _ = caller.member
    row = _held(session, caller, channel)
    recent = select(Dispatch.id).join(Notification, Notification.id == Dispatch.notification_id)
    is_pending = session.scalar(
        select(
            exists(
                recent.where(
                    Dispatch.channel_id == row.id,
                    Notification.kind == TRIAL,
                    (Dispatch.state == DispatchState.WAITING)
                    | (Dispatch.made_at > clock.now() - _BETWEEN_TRIALS),
                )
            )
        )
    )
    if is_pending:
        raise TrialPendingError
    role = next(role for role in KEEPERS if role in caller.roles)
    facts = {"channel": row.kind.value}
    told = notifications.written(session, organisation_id, role, TRIAL, facts, page_of(row))
    notifications.dispatch(session, told, row)
    append(
        session,
        caller,
        "channel.trial",
        object_type="channel",
        objects=[str(channel)],
        details={"kind": row.kind.value},
    )


def read(
    session: Session, caller: Caller, channel: UUID, *, before: UUID | None = None
) -> Sendings:
    """What the channel sent and was to send, a page of it; NotFoundError; logged."""
    row = _own(session, caller, channel)
    asked = (
        select(Dispatch, Notification)
        .join(Notification, Notification.id == Dispatch.notification_id)
        .where(Dispatch.channel_id == row.id)
        .order_by(Dispatch.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        last = select(Dispatch.id).where(
            Dispatch.public_id == before, Dispatch.channel_id == row.id
        )
        asked = asked.where(Dispatch.id < last.scalar_subquery())
    found = [
        Sending(
            id=sent.public_id,
            notification=notice.public_id,
            kind=notice.kind,
            state=sent.state,
            tries=sent.tries,
            made_at=sent.made_at,
            tried_at=sent.tried_at,
            error=sent.error,
        )
        for sent, notice in session.execute(asked)
    ]
    append(session, caller, "channel.read", object_type="channel", objects=[str(channel)])
    (shown,) = _shown(session, [row])
    following = found[PAGE - 1].id if len(found) > PAGE else None
    return Sendings(shown, found[:PAGE], following)


def page_of(channel: Channel) -> str:
    """The path of the page that shows how the channel fares."""
    return f"/channels/{channel.public_id}"


def expire(session: Session) -> int:
    """Remove the rows of channels that sent nothing of what is still kept; returns how many."""
    old = (
        select(Channel.id)
        .where(
            Channel.stopped_at < clock.now() - notifications.KEPT,
            ~exists().where(Dispatch.channel_id == Channel.id),
        )
        .limit(_BATCH)
        .scalar_subquery()
    )
    removed = session.execute(delete(Channel).where(Channel.id.in_(old)).returning(Channel.id))
    return len(removed.all())


def _check(
    settings: Settings, kind: ChannelKind, roles: Sequence[Role], language: str, address: str
) -> None:
    faults = []
    if not roles:
        faults.append({"field": "roles", "reason": "Choose at least one role."})
    if language not in LANGUAGES:
        faults.append({"field": "language", "reason": "Choose one of the platform's languages."})
    if kind is ChannelKind.MAIL:
        reason = mailbox_fault(address)
        if not settings.mail.host:
            reason = "This platform sends no mail: its administrator has set up no mail server."
    else:
        reason = webhook_fault(address, networks(settings.webhook.networks))
    if reason:
        faults.append({"field": "address", "reason": reason})
    if faults:
        raise InvalidRequestError(errors=faults)


def _live(organisation_id: int) -> Select[Channel]:
    return select(Channel).where(
        Channel.organisation_id == organisation_id, Channel.stopped_at.is_(None)
    )


def _own(session: Session, caller: Caller, channel: UUID) -> Channel:
    organisation_id, _ = caller.member
    row = session.scalar(_live(organisation_id).where(Channel.public_id == channel))
    if row is None:
        raise NotFoundError
    return row


def _held(session: Session, caller: Caller, channel: UUID) -> Channel:
    """The channel, locked to the end of the transaction."""
    organisation_id, _ = caller.member
    row = session.scalar(
        _live(organisation_id).where(Channel.public_id == channel).with_for_update()
    )
    if row is None:
        raise NotFoundError
    return row


def _shown(session: Session, rows: Sequence[Channel]) -> list[Shown]:
    ids = [row.id for row in rows]
    counted: dict[int, dict[DispatchState, int]] = {each: {} for each in ids}
    last: dict[int, datetime] = {}
    found = session.execute(
        select(
            Dispatch.channel_id.label("of"),
            Dispatch.state.label("stands"),
            func.count().label("many"),
            func.max(Dispatch.tried_at).label("last"),
        )
        .where(Dispatch.channel_id.in_(ids))
        .group_by(Dispatch.channel_id, Dispatch.state)
    )
    for row in found:
        counted[row.of][row.stands] = row.many
        if row.stands is DispatchState.SENT:
            last[row.of] = row.last
    return [_as_shown(row, counted[row.id], last.get(row.id), None) for row in rows]


def _as_shown(
    row: Channel,
    counted: Mapping[DispatchState, int],
    last: datetime | None,
    secret: str | None,
) -> Shown:
    return Shown(
        id=row.public_id,
        kind=row.kind,
        roles=tuple(role for role in Role if role.value in row.roles),
        language=row.language,
        address=masked(runtime().part(Sealing).address(row)),
        made_at=row.made_at,
        states={state: counted.get(state, 0) for state in DispatchState},
        last_sent_at=last,
        former_until=row.former_until,
        secret=secret,
    )
