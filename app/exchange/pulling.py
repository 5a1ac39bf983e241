"""Asking servers and keeping what may be kept: page by page, each in a transaction of its own.

1. An asking is counted and logged before anything leaves the platform.
2. Each page is stored together with how far the server was read, so that whatever becomes of a
   worker, nothing is missed and nothing kept twice. Whoever finds that another advanced it stops.
3. What failed is tried again, ever more rarely, and given up after MOST_FAILURES in a row, which
   the organisation's administrators are told.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.entry import Outcome
from app.audit.service import append
from app.clock import now
from app.exchange import asking, received_patterns
from app.exchange.asking import (
    Answered,
    ServerBusyError,
    ServerError,
    ServerPagingError,
    ServerReceiptError,
)
from app.exchange.received_forms import IDENTITY, INDICATOR, Kept, kept_of
from app.exchange.received_patterns import PATTERN
from app.exchange.server_models import (
    ExchangeServer,
    NotKept,
    ReceivedObject,
    ServerState,
    ServerTry,
)
from app.exchange.subscriptions import Credential, ServerSealing, page_of, put_asking
from app.jobs.addresses import networks
from app.jobs.draining import Pace, pause_after
from app.jobs.notifications import notify
from app.jobs.outbox import Ending, Errand, Payload
from app.organisations.service import directory
from app.runtime import runtime
from postern.audit.receipt_memory import ReceiptMemory, RepeatedReceiptError
from postern.stix.names import moment, timestamp
from postern.tlog.notes import VerifierKey
from postern.vocabulary import Role

MOST_PAGES = 40  # of one asking; the rest is asked for at once after it
MOST_SECONDS = 60.0  # of one asking, which must end well before the lease of its job
MOST_KEPT = 200_000  # objects of one server
MOST_FAILURES = 12  # in a row, after which a server is given up
OVERLAP = timedelta(minutes=5)
"""How far behind the last date reading begins again, of servers that are no Postern: most take the
date before they commit, so that what another writer added comes late and under an earlier date."""

GIVEN_UP = "server.given-up"
"""Kind of the notification to administrators."""

_CHUNK = 500  # ids of one statement
_COUNTED_APART = frozenset({"kept", "revoked"})


class ServerFullError(ServerError):
    """As many objects of the server are kept as may be."""


@dataclass(frozen=True)
class _Job:
    """What asking needs while no transaction is open."""

    server: UUID
    round: int
    address: str
    credential: Credential | None
    is_postern: bool
    added_after: str | None
    next_page: str | None
    receipt_key: VerifierKey | None


@dataclass(frozen=True)
class _Place:
    """How far a server was read."""

    added_after: str | None
    next_page: str | None


def prepare(session: Session, payload: Payload, _number: int) -> Callable[[], None] | None:
    """Count and log the asking, and return what does it; None when it is not to be done any more.

    That is: the subscription was removed, a later asking began, or the member is suspended.
    """
    row = _locked(session, UUID(str(payload["server"])), int(payload["round"]))
    if row is None:
        return None
    member = directory(session)[row.organisation_id]
    if not member.is_active:
        return None
    at = now()
    tried = _try_of(session, row)
    if tried is None:
        session.add(_new_try(row, at))
    elif tried.ended_at is not None:
        return None
    sealing = runtime().part(ServerSealing)
    job = _Job(
        server=row.public_id,
        round=row.round,
        address=sealing.address(row),
        credential=sealing.credential(row),
        is_postern=row.is_postern,
        added_after=row.added_after,
        next_page=row.next_page,
        receipt_key=VerifierKey.parse(row.receipt_key) if row.receipt_key else None,
    )
    append(
        session,
        CONSOLE,
        "server.try",
        audience=[member.code],
        object_type="server",
        objects=[str(row.public_id)],
        details={"round": row.round},
    )
    return lambda: _ask(job)


def conclude(session: Session, payload: Payload, ending: Ending, error: str) -> None:
    """Note a failure of the platform itself; every other ending was noted with its cause."""
    if ending is not Ending.DEAD:
        return
    row = _locked(session, UUID(str(payload["server"])), int(payload["round"]))
    if row is not None:
        _fail(session, row, error, 0)


ERRAND = Errand(prepare, conclude)


def _ask(job: _Job) -> None:
    """Ask page after page until there is no more, or the asking has taken long enough."""
    database, allowed = runtime().database, networks(runtime().settings.webhook.networks)
    place, began = _begin(job), monotonic()
    for number in range(1, MOST_PAGES + 1):
        is_last = number == MOST_PAGES or monotonic() - began > MOST_SECONDS
        try:
            answered = asking.ask(
                job.address,
                job.credential,
                added_after=place.added_after,
                next_page=place.next_page,
                allowed=allowed,
                receipt_key=job.receipt_key,
            )
            following = _following(place, answered)
            with database.transaction() as session:
                goes_on = _store(session, job, answered, following, is_last=is_last)
        except asking.EXPECTED as error:
            with database.transaction() as session:
                _note_failure(session, job, error)
            return
        if not goes_on:
            return
        place = following


def _begin(job: _Job) -> _Place:
    """Where an asking begins: within a poll that was cut short, at its next page."""
    if job.next_page or job.is_postern or job.added_after is None:
        return _Place(job.added_after, job.next_page)
    last = moment(job.added_after)
    return _Place(None if last is None else timestamp(last - OVERLAP), None)


def _following(place: _Place, answered: Answered) -> _Place:
    """Where the page after this one begins; ServerPagingError when the server does not say."""
    if not answered.more:
        return _Place(answered.last_added or place.added_after, None)
    if answered.next:
        if answered.next == place.next_page and not answered.objects:
            raise ServerPagingError
        # By the specification `next` belongs to the filters that it was given for.
        return _Place(place.added_after, answered.next)
    if not answered.last_added or answered.last_added == place.added_after:
        raise ServerPagingError
    return _Place(answered.last_added, None)


def _store(
    session: Session, job: _Job, answered: Answered, following: _Place, *, is_last: bool
) -> bool:
    """Keep what may be kept of a page and advance; returns whether the next page is to be asked."""
    row = _locked(session, job.server, job.round)
    tried = None if row is None else _try_of(session, row)
    if row is None or tried is None:
        return False
    at = now()
    _take_receipt(row, answered)
    counted = _keep(session, row, answered.objects, at)
    tried.pages += 1
    tried.objects += len(answered.objects)
    tried.kept += counted["kept"]
    tried.revoked += counted["revoked"]
    tried.receipts += int(answered.has_receipt)
    tried.refused = dict(
        Counter(tried.refused)
        + Counter({reason: n for reason, n in counted.items() if reason not in _COUNTED_APART})
    )
    row.added_after, row.next_page = _remembered(row, answered, following)
    row.state, row.failures, row.error, row.answered_at = ServerState.ANSWERING, 0, None, at
    if is_last or not answered.more:
        tried.ended_at = at
    if is_last and answered.more and not tried.objects:
        raise ServerPagingError  # as many pages as one asking has, and nothing in any of them
    _log(session, row, "page", Outcome.OK, counted, len(answered.objects))
    if is_last and answered.more:
        put_asking(session, row)
    return answered.more and not is_last


def _take_receipt(row: ExchangeServer, answered: Answered) -> None:
    """Note the receipt that the confirmed key signed; ServerReceiptError for one of before."""
    if answered.receipt is None:
        return
    memory = ReceiptMemory.of(row.receipts_taken)
    try:
        memory.take(answered.receipt)
    except RepeatedReceiptError:
        raise ServerReceiptError from None
    row.receipts_taken = memory.as_json()


def _remembered(
    row: ExchangeServer, answered: Answered, following: _Place
) -> tuple[str | None, str | None]:
    """`added_after` and `next_page` of the row: a poll that is over begins at the latest date."""
    if following.next_page is not None:
        return row.added_after, following.next_page
    return _later(row.added_after, following.added_after), None


def _later(one: str | None, other: str | None) -> str | None:
    """The later of two dates as they were told; reading never goes back by a page that is empty."""
    first, second = moment(one or ""), moment(other or "")
    if first is None or second is None:
        return other if first is None else one
    return other if second > first else one


def _keep(
    session: Session, row: ExchangeServer, objects: Sequence[object], at: datetime
) -> Counter[str]:
    """Store new versions of what may be kept; counts "kept", "revoked" and each reason."""
    counted: Counter[str] = Counter()
    sent: dict[str, Kept] = {}
    for each in objects:
        found = kept_of(each)
        if isinstance(found, NotKept):
            counted[found.value] += 1
        elif found.stix_id not in sent or _is_newer(found.version, sent[found.stix_id].version):
            sent[found.stix_id] = found
    if any(found.type == INDICATOR and not found.is_revoked for found in sent.values()):
        row.is_postern = True  # no other form of an indicator is kept
    if not row.is_postern:
        named = [each for each, found in sent.items() if found.type == IDENTITY]
        counted[NotKept.SUPPORT.value] += len(named)
        for each in named:
            del sent[each]
    known = _known(session, row, list(sent))
    if sent and _count(session, row) + len(sent) - len(known) > MOST_KEPT:
        raise ServerFullError
    longest = at.date() + timedelta(days=row.kept_days)
    for found in sent.values():
        counted[_keep_one(session, row, found, known.get(found.stix_id), at, longest)] += 1
    session.flush()
    return counted


def _keep_one(  # noqa: PLR0917 - what is there, what came, and when
    session: Session,
    row: ExchangeServer,
    found: Kept,
    known: ReceivedObject | None,
    at: datetime,
    longest: date,
) -> str:
    if known is not None and not _is_newer(found.version, known.version):
        if found.type == IDENTITY:  # it goes before each page that names it
            known.expires_on = longest
        return NotKept.KNOWN.value
    if found.is_revoked and known is None:
        return NotKept.REVOKED.value
    expires_on = min(longest, found.ends_on or longest)
    if not found.is_revoked and expires_on <= at.date():
        if known is not None:
            session.delete(known)
        return NotKept.ENDED.value
    content = {} if found.is_revoked else dict(found.content)
    before = known.content if known is not None else {}
    if found.rule or PATTERN in before:
        pattern = received_patterns.follow(session, row, found, before)
        if pattern is None and not found.is_revoked:
            return NotKept.PATTERN.value
        content |= {PATTERN: pattern} if pattern else {}
    stored = known or ReceivedObject(server_id=row.id, stix_id=found.stix_id, type=found.type)
    stored.version, stored.is_revoked = found.version, found.is_revoked
    stored.received_at, stored.expires_on = at, longest if found.is_revoked else expires_on
    stored.content = content
    session.add(stored)
    return "revoked" if found.is_revoked else "kept"


def _known(
    session: Session, row: ExchangeServer, identifiers: Sequence[str]
) -> dict[str, ReceivedObject]:
    found: dict[str, ReceivedObject] = {}
    for chunk in _chunks(identifiers):
        rows = session.scalars(
            select(ReceivedObject).where(
                ReceivedObject.server_id == row.id, ReceivedObject.stix_id.in_(chunk)
            )
        )
        found |= {each.stix_id: each for each in rows}
    return found


def _chunks(identifiers: Sequence[str]) -> Iterable[Sequence[str]]:
    return (identifiers[i : i + _CHUNK] for i in range(0, len(identifiers), _CHUNK))


def _count(session: Session, row: ExchangeServer) -> int:
    asked = select(func.count()).where(ReceivedObject.server_id == row.id)
    return session.scalar(asked) or 0


def _is_newer(one: str, other: str) -> bool:
    first, second = moment(one), moment(other)
    return first is not None and (second is None or first > second)


def _note_failure(session: Session, job: _Job, error: Exception) -> None:
    row = _locked(session, job.server, job.round)
    if row is None:
        return
    if isinstance(error, ServerPagingError):
        row.next_page = None  # from the last date that is known to be read
    wait = error.wait if isinstance(error, ServerBusyError) else 0
    _fail(session, row, type(error).__name__, wait)


def _fail(session: Session, row: ExchangeServer, error: str, wait: int) -> None:
    """Note that an asking failed, and when to ask again; after so many, give the server up."""
    at = now()
    row.failures += 1
    row.error = error[:64]
    pause = pause_after(runtime().part(Pace), row.failures)
    row.due_at = at + max(pause, timedelta(seconds=wait))
    tried = _try_of(session, row)
    if tried is not None:
        tried.ended_at, tried.error = at, row.error
    if row.failures < MOST_FAILURES:
        row.state = ServerState.FAILING
    else:
        row.state = ServerState.GIVEN_UP
        address = page_of(row.public_id)
        notify(session, row.organisation_id, Role.ADMINISTRATOR, GIVEN_UP, {}, address)
    _log(session, row, row.state.value, Outcome.ERROR, Counter(), 0)


def _log(  # noqa: PLR0917 - the parts of one entry
    session: Session,
    row: ExchangeServer,
    ending: str,
    outcome: Outcome,
    counted: Counter[str],
    objects: int,
) -> None:
    append(
        session,
        CONSOLE,
        "server.asked",
        audience=[directory(session)[row.organisation_id].code],
        outcome=outcome,
        object_type="server",
        objects=[str(row.public_id)],
        count=objects,
        details={"ending": ending, "round": row.round, **counted},
    )


def _locked(session: Session, server: UUID, number: int) -> ExchangeServer | None:
    """The subscription, locked, while this asking is its latest; None otherwise."""
    return session.scalar(
        select(ExchangeServer)
        .where(
            ExchangeServer.public_id == server,
            ExchangeServer.round == number,
            ExchangeServer.stopped_at.is_(None),
        )
        .with_for_update()
    )


def _try_of(session: Session, row: ExchangeServer) -> ServerTry | None:
    return session.scalar(
        select(ServerTry).where(ServerTry.server_id == row.id, ServerTry.round == row.round)
    )


def _new_try(row: ExchangeServer, at: datetime) -> ServerTry:
    return ServerTry(
        server_id=row.id,
        round=row.round,
        began_at=at,
        ended_at=None,
        pages=0,
        objects=0,
        kept=0,
        revoked=0,
        refused={},
        receipts=0,
        error=None,
    )
