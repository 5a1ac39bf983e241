"""Subscriptions: collections of other TAXII servers that the platform polls for an organisation.

Address and credential are sealed and shown masked or not at all. A subscription that was removed
loses both at once, with all that was received by it, and stays as a row without them for the log.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.exchange.received_forms import IDENTITY
from app.exchange.server_models import (
    ExchangeServer,
    ReceivedObject,
    ServerMeans,
    ServerState,
    ServerTry,
)
from app.jobs.addresses import masked, networks, webhook_fault
from app.jobs.outbox import put
from app.runtime import runtime
from app.secret_files import Sealer
from postern.tlog.notes import NoteError, VerifierKey
from postern.vocabulary import Role

KEEPERS = (Role.ADMINISTRATOR,)
"""Who subscribes to servers, and removes them."""

READERS = (Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST)
"""Who sees how subscriptions fare."""

RECEIVERS = (Role.COMPLIANCE, Role.ANALYST)
"""Who sees what was received."""

ASK = "exchange.ask-server"
"""Topic of the outbox: asking one server once."""

MOST = 20  # live subscriptions of one organisation
EVERY = (15, 60, 360, 1440)  # minutes between two askings, as the form offers them
KEPT = (30, 90, 180, 365)  # days that received objects are kept, as the form offers them
LONGEST_TITLE = 80  # characters
LONGEST_CREDENTIAL = 4000  # characters
LONGEST_KEY = 400  # characters of a key of receipts
TRIES = 20  # tries that are shown
KEPT_STOPPED = timedelta(days=180)  # that the row of a removed subscription stays

_ADDRESS, _CREDENTIAL = b"postern/server/v1/address/", b"postern/server/v1/credential/"
_BATCH = 1000
_NO_COLLECTION = (
    "Write the address of a collection, such as"
    " https://taxii.police.example/api1/collections/9b1f…/."
)


class TooManyServersError(ConflictError):
    code = "too-many-servers"
    title = f"The organisation has {MOST} subscriptions already"
    remedy = "Remove one that is no longer needed."


class ServerAskedError(ConflictError):
    code = "server-asked"
    title = "This server is being asked, or was asked a moment ago"
    remedy = "Look at what came of it, and ask again after a minute."


@dataclass(frozen=True)
class Credential:
    """What proves to a server for whom the platform asks; `user` is "" for a token."""

    user: str
    secret: str

    def __repr__(self) -> str:
        return "Credential(...)"


class ServerSealing:
    """Seals and opens addresses and credentials under a key of its own; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(hmac.digest(key, b"postern/server/v1", "sha256"))

    def seal_address(self, address: str, server: UUID) -> bytes:
        return self._sealer.seal(address.encode(), _ADDRESS + server.bytes)

    def seal_credential(self, credential: Credential, server: UUID) -> bytes:
        plain = json.dumps([credential.user, credential.secret]).encode()
        return self._sealer.seal(plain, _CREDENTIAL + server.bytes)

    def address(self, server: ExchangeServer) -> str:
        """The address; ValueError when it was erased or belongs to another subscription."""
        context = _ADDRESS + server.public_id.bytes
        return self._sealer.open(server.sealed_address, context).decode()

    def credential(self, server: ExchangeServer) -> Credential | None:
        """The credential, None for none; ValueError as above."""
        if server.sealed_credential is None:
            return None
        context = _CREDENTIAL + server.public_id.bytes
        user, secret = json.loads(self._sealer.open(server.sealed_credential, context))
        return Credential(user, secret)


@dataclass(frozen=True)
class ShownServer:
    """A subscription as its organisation sees it; `kept` counts what is kept of what it sent."""

    id: UUID
    title: str
    address: str  # masked
    means: ServerMeans
    every_minutes: int
    kept_days: int
    state: ServerState
    is_postern: bool
    failures: int
    error: str | None
    due_at: datetime
    answered_at: datetime | None
    made_at: datetime
    receipt_key: str  # "" where none was given
    kept: int
    revoked: int  # of those kept


@dataclass(frozen=True)
class ShownTry:
    """One asking of a server; `ended_at` is None while it is under way."""

    began_at: datetime
    ended_at: datetime | None
    pages: int
    objects: int
    kept: int
    revoked: int
    refused: Mapping[str, int]
    receipts: int
    error: str | None


@dataclass(frozen=True)
class ServerPage:
    """A subscription and its last tries, the newest first."""

    server: ShownServer
    tries: Sequence[ShownTry]


def list_own(session: Session, caller: Caller) -> list[ShownServer]:
    """The live subscriptions of the caller's organisation, oldest first; logged."""
    organisation_id, _ = caller.member
    rows = session.scalars(_live(organisation_id).order_by(ExchangeServer.id)).all()
    objects = [str(row.public_id) for row in rows]
    append(session, caller, "server.list", object_type="server", objects=objects)
    return _shown(session, rows)


def read(session: Session, caller: Caller, server: UUID) -> ServerPage:
    """One subscription and its last tries; NotFoundError; logged."""
    organisation_id, _ = caller.member
    row = _own(session, organisation_id, server)
    tries = session.scalars(
        select(ServerTry)
        .where(ServerTry.server_id == row.id)
        .order_by(ServerTry.id.desc())
        .limit(TRIES)
    )
    append(session, caller, "server.read", object_type="server", objects=[str(server)])
    (shown,) = _shown(session, [row])
    return ServerPage(shown, [_shown_try(each) for each in tries])


def add(
    session: Session,
    caller: Caller,
    *,
    title: str,
    address: str,
    means: ServerMeans,
    user: str = "",
    secret: str = "",
    every_minutes: int = EVERY[1],
    kept_days: int = KEPT[1],
    receipt_key: str = "",
) -> ShownServer:
    """Subscribe to a collection; it is asked for the first time at once.

    `receipt_key` is the key of receipts of a Postern, as its operator prints it: then a page is
    kept only with a receipt that this key signed.

    InvalidRequestError names each wrong field; TooManyServersError.
    """
    organisation_id, _ = caller.member
    title, address = " ".join(title.split()), address.strip()
    receipt_key = receipt_key.strip()
    _check(title, address, means, user, secret, every_minutes, kept_days, receipt_key)
    live = session.scalars(_live(organisation_id).with_for_update()).all()
    if len(live) >= MOST:
        raise TooManyServersError
    public_id, at = uuid4(), clock.now()
    sealing = runtime().part(ServerSealing)
    credential = None if means is ServerMeans.NONE else Credential(user, secret)
    row = ExchangeServer(
        public_id=public_id,
        organisation_id=organisation_id,
        title=title,
        sealed_address=sealing.seal_address(collection_address(address), public_id),
        sealed_credential=credential and sealing.seal_credential(credential, public_id),
        means=means,
        every_minutes=every_minutes,
        kept_days=kept_days,
        state=ServerState.NEW,
        is_postern=False,
        round=0,
        failures=0,
        due_at=at,
        answered_at=None,
        error=None,
        added_after=None,
        next_page=None,
        made_at=at,
        made_by=caller.person,
        stopped_at=None,
        receipt_key=receipt_key or None,
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "server.add",
        object_type="server",
        objects=[str(public_id)],
        details={
            "means": means.value,
            "every": every_minutes,
            "kept": kept_days,
            "receipts": bool(receipt_key),
        },
    )
    put_asking(session, row)
    (shown,) = _shown(session, [row])
    return shown


def remove(session: Session, caller: Caller, server: UUID) -> None:
    """End a subscription and erase address, credential and all that was received by it.

    NotFoundError when it is not there.
    """
    organisation_id, _ = caller.member
    row = _own(session, organisation_id, server, is_locked=True)
    row.stopped_at = clock.now()
    row.sealed_address, row.sealed_credential = b"", None
    row.title, row.added_after, row.next_page = "", None, None
    erased = session.execute(
        delete(ReceivedObject)
        .where(ReceivedObject.server_id == row.id)
        .returning(ReceivedObject.id)
    )
    append(
        session,
        caller,
        "server.remove",
        object_type="server",
        objects=[str(server)],
        details={"erased": len(erased.all())},
    )


def ask_now(session: Session, caller: Caller, server: UUID) -> None:
    """Have a server asked before its time, also one that was given up.

    NotFoundError; ServerAskedError while it is being asked.
    """
    organisation_id, _ = caller.member
    row = _own(session, organisation_id, server, is_locked=True)
    if _is_being_asked(session, row):
        raise ServerAskedError
    row.failures = 0
    if row.state is ServerState.GIVEN_UP:
        row.state = ServerState.FAILING
    append(session, caller, "server.ask", object_type="server", objects=[str(server)])
    put_asking(session, row)


def put_asking(session: Session, row: ExchangeServer) -> None:
    """Ask for one asking of a server after this commit, and set the time of the one after it."""
    row.round += 1
    row.due_at = clock.now() + timedelta(minutes=row.every_minutes)
    payload = {"server": str(row.public_id), "round": row.round}
    put(session, ASK, payload, key=f"{row.public_id}/{row.round}")


def put_due(session: Session) -> int:
    """Ask for the asking of every server whose time has come, at most a batch; a duty."""
    due = session.scalars(
        select(ExchangeServer)
        .where(
            ExchangeServer.stopped_at.is_(None),
            ExchangeServer.state != ServerState.GIVEN_UP,
            ExchangeServer.due_at <= clock.now(),
        )
        .order_by(ExchangeServer.due_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        put_asking(session, row)
    return len(due)


def forget(session: Session) -> int:
    """Remove tries, and rows of subscriptions that were removed, after half a year; how many."""
    before = clock.now() - KEPT_STOPPED
    gone = 0
    for model, moment in (
        (ServerTry, ServerTry.began_at),
        (ExchangeServer, ExchangeServer.stopped_at),
    ):
        old = select(model.id).where(moment < before).limit(_BATCH).scalar_subquery()
        removed = session.execute(delete(model).where(model.id.in_(old)).returning(model.id))
        gone += len(removed.all())
    return gone


def page_of(server: UUID) -> str:
    """The path of the page that shows how the subscription fares."""
    return f"/exchange/servers/{server}"


def collection_address(address: str) -> str:
    """The address of a collection with its final slash, also from that of its objects."""
    bare = address.rstrip("/")
    return bare.removesuffix("/objects").removesuffix("/manifest") + "/"


def own(session: Session, organisation_id: int, server: UUID) -> ExchangeServer:
    """A live subscription of the organisation; NotFoundError."""
    return _own(session, organisation_id, server)


def shown(session: Session, row: ExchangeServer) -> ShownServer:
    """The subscription as its organisation sees it."""
    (found,) = _shown(session, [row])
    return found


def _check(  # noqa: PLR0917 - the fields of the form
    title: str,
    address: str,
    means: ServerMeans,
    user: str,
    secret: str,
    every_minutes: int,
    kept_days: int,
    receipt_key: str,
) -> None:
    faults = []

    def fault(field: str, reason: str) -> None:
        faults.append({"field": field, "reason": reason})

    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        fault("title", "Write a name of 1 to 80 characters.")
    reason = _address_fault(address)
    if reason:
        fault("address", reason)
    if means is not ServerMeans.NONE and not _is_sendable(secret):
        fault("secret", "Write the token or password: 1 to 4,000 characters of ASCII, no space.")
    if means is ServerMeans.BASIC and (not _is_sendable(user) or ":" in user):
        fault("user", "Write the user name: ASCII, without space and colon.")
    if every_minutes not in EVERY:
        fault("every", "Choose from what the form offers.")
    if kept_days not in KEPT:
        fault("kept", "Choose from what the form offers.")
    if receipt_key and not _is_receipt_key(receipt_key):
        fault("receipt_key", "Write the line that the operator of the other platform gives: name+…")
    if faults:
        raise InvalidRequestError(errors=faults)


def _is_receipt_key(text: str) -> bool:
    try:
        return len(text) <= LONGEST_KEY and bool(VerifierKey.parse(text))
    except NoteError:
        return False


def _address_fault(address: str) -> str:
    settings = runtime().settings
    try:
        parts = urlsplit(address)
    except ValueError:
        return _NO_COLLECTION
    if "/collections/" not in parts.path or parts.query:
        return _NO_COLLECTION
    reason = webhook_fault(address, networks(settings.webhook.networks))
    if reason:
        return reason
    if f"{parts.scheme}://{parts.netloc}" == settings.platform.origin:
        return "This is the platform itself: what its members share is on its own pages."
    return ""


def _is_sendable(text: str) -> bool:
    is_of_length = 0 < len(text) <= LONGEST_CREDENTIAL
    return is_of_length and text.isascii() and text.isprintable() and " " not in text


def _is_being_asked(session: Session, row: ExchangeServer) -> bool:
    began = session.scalar(
        select(ServerTry.began_at).where(
            ServerTry.server_id == row.id, ServerTry.round == row.round
        )
    )
    # Without a row it was asked for, and no worker has begun.
    return began is None or began > clock.now() - timedelta(minutes=1)


def _live(organisation_id: int) -> Select[ExchangeServer]:
    return select(ExchangeServer).where(
        ExchangeServer.organisation_id == organisation_id, ExchangeServer.stopped_at.is_(None)
    )


def _own(
    session: Session, organisation_id: int, server: UUID, *, is_locked: bool = False
) -> ExchangeServer:
    asked = _live(organisation_id).where(ExchangeServer.public_id == server)
    row = session.scalar(asked.with_for_update() if is_locked else asked)
    if row is None:
        raise NotFoundError
    return row


def _shown(session: Session, rows: Sequence[ExchangeServer]) -> list[ShownServer]:
    sealing = runtime().part(ServerSealing)
    counts = {
        row.of: (row.kept, row.revoked)
        for row in session.execute(
            select(
                ReceivedObject.server_id.label("of"),
                func.count().label("kept"),
                func.count().filter(ReceivedObject.is_revoked).label("revoked"),
            )
            .where(
                ReceivedObject.server_id.in_([row.id for row in rows]),
                ReceivedObject.type != IDENTITY,
            )
            .group_by(ReceivedObject.server_id)
        )
    }
    return [
        ShownServer(
            id=row.public_id,
            title=row.title,
            address=masked(sealing.address(row)),
            means=row.means,
            every_minutes=row.every_minutes,
            kept_days=row.kept_days,
            state=row.state,
            is_postern=row.is_postern,
            failures=row.failures,
            error=row.error,
            due_at=row.due_at,
            answered_at=row.answered_at,
            made_at=row.made_at,
            receipt_key=row.receipt_key or "",
            kept=counts.get(row.id, (0, 0))[0],
            revoked=counts.get(row.id, (0, 0))[1],
        )
        for row in rows
    ]


def _shown_try(row: ServerTry) -> ShownTry:
    return ShownTry(
        began_at=row.began_at,
        ended_at=row.ended_at,
        pages=row.pages,
        objects=row.objects,
        kept=row.kept,
        revoked=row.revoked,
        refused=row.refused,
        receipts=row.receipts,
        error=row.error,
    )
