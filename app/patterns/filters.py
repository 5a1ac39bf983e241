"""The verbs of screening filters: make one, list, read, and fetch its content.

A filter is what an organisation takes home to test its own parcels with. It holds tags of what the
policies of others let it screen, for one purpose and on one legal basis, and of its own. It is good
for a week, nobody but its organisation gets it, and each making is noted in the ledger.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller, Means
from app.accounts.models import AccountStatus, PersonAccount, RoleGrant
from app.audit.service import append
from app.errors import ConflictError, NotFoundError, PosternError, UnavailableError
from app.indicators.telling import Grounds
from app.jobs.notifications import notify
from app.jobs.outbox import Payload, put
from app.organisations.service import directory
from app.patterns.filter_building import build, expected_size
from app.patterns.filter_models import FilterIssue, FilterPart, FilterSalt, FilterState
from app.pseudonyms import service as pseudonyms
from app.public_ids import new_public_id
from app.runtime import runtime
from app.secret_files import Sealer
from app.sharing.service import profile_id
from postern import token_filter
from postern.token_tags import RECORD_SIZE, SALT_SIZE
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose, Role

LIFETIME = timedelta(days=7)

MOST_STANDING = 30
"""Filters of one organisation that are not over."""

MOST_AT_ONCE = 200_000
"""Tokens up to which a filter is built in the request; a larger one is a job."""

BUILD = "filter.build"
"""Topic of the outbox: the building of one filter."""

_HOLDING = (FilterState.BUILDING, FilterState.READY, FilterState.CALLED_BACK)


class TooManyFiltersError(ConflictError):
    code = "too-many-filters"
    title = "Your organisation has as many filters as may stand at once"
    remedy = "Use the newest one, or wait until the oldest is over: a filter is good for a week."


class FilterTooLargeError(ConflictError):
    code = "filter-too-large"
    title = "More may be screened than a filter holds"
    remedy = "Tell the platform's administrator; until then look values up."


class FilterNotReadyError(ConflictError):
    code = "filter-not-ready"
    title = "The filter is being built"
    remedy = "Ask for it again in a moment."


class FilterGoneError(PosternError):
    """It is over, called back, or was not built."""

    status: ClassVar[int] = 410
    code: ClassVar[str] = "filter-gone"
    title: ClassVar[str] = "The filter is not given out any more"
    remedy: ClassVar[str] = "Make a new one, and take its changes since this one or all of it."


@dataclass(frozen=True, slots=True)
class Issue:
    """A filter as its organisation sees it; `header` is the signed document, once it is ready."""

    id: UUID
    seq: int
    state: FilterState
    purpose: Purpose
    legal_basis: LegalBasis
    epochs: Mapping[EvaluationKind, int]
    count: int | None
    parts: int
    made_at: datetime
    expires_at: datetime
    header: Mapping[str, object] | None

    @property
    def size(self) -> int | None:
        """Bytes of the content; None until it is built."""
        return None if self.count is None else self.count * RECORD_SIZE


@dataclass(frozen=True, slots=True)
class IssuePage:
    """Filters, newest first; `next` is the cursor of the following page, None on the last."""

    issues: list[Issue]
    next: UUID | None


def make(session: Session, caller: Caller, grounds: Grounds) -> Issue:
    """Make a filter of what may be screened now for a purpose; a large one is built by a job.

    TooManyFiltersError, FilterTooLargeError, UnavailableError when no key epoch is open.
    """
    organisation_id, person_id = caller.member
    at = clock.now().replace(microsecond=0)
    profile = profile_id(
        session, organisation_id, Role.ANALYST, grounds.purpose, grounds.legal_basis
    )
    epochs = _open_epochs(session, at)
    salt = _held_salt(session, organisation_id, epochs, at)
    _require_room(session, organisation_id)
    newest = select(func.max(FilterIssue.seq)).where(FilterIssue.organisation_id == organisation_id)
    issue = FilterIssue(
        public_id=new_public_id(clock.now()),
        organisation_id=organisation_id,
        seq=(session.scalar(newest) or 0) + 1,
        profile_id=profile,
        purpose=grounds.purpose,
        legal_basis=grounds.legal_basis,
        person_id=person_id,
        salt_id=salt.id,
        epochs=epochs,
        state=FilterState.BUILDING,
        made_at=at,
        expires_at=at + LIFETIME,
        parts=0,
        count=None,
        sha256=None,
    )
    session.add(issue)
    session.flush()
    expected = expected_size(session, issue)
    if expected > token_filter.MOST_RECORDS:
        raise FilterTooLargeError
    if expected <= MOST_AT_ONCE:
        build(session, caller, issue, _opened(salt))
    else:
        put(session, BUILD, {"filter": str(issue.public_id)}, key=str(issue.public_id))
    append(
        session,
        caller,
        "filter.make",
        purpose=grounds.purpose,
        basis=grounds.legal_basis,
        case=grounds.case,
        object_type="filter",
        objects=[str(issue.public_id)],
        count=issue.count or 0,
        details={"number": issue.seq, "state": issue.state.value},
    )
    return _shown(session, issue, with_header=True)


def build_later(session: Session, payload: Payload) -> None:
    """The job of a large filter: built by what its maker may do by then, or not."""
    issue = session.scalar(
        select(FilterIssue)
        .where(FilterIssue.public_id == UUID(payload["filter"]))
        .with_for_update()
    )
    if issue is None or issue.state is not FilterState.BUILDING:
        return  # over by now, or done before
    caller = _maker(session, issue)
    if _may_screen(session, issue):
        issue.made_at = clock.now().replace(microsecond=0)
        issue.expires_at = issue.made_at + LIFETIME
        profile_id(session, issue.organisation_id, Role.ANALYST, issue.purpose, issue.legal_basis)
        build(session, caller, issue, _opened(session.get_one(FilterSalt, issue.salt_id)))
    else:
        issue.state = FilterState.FAILED
    append(
        session,
        caller,
        "filter.build",
        audience=[caller.organisation],
        tell_actor=False,
        purpose=issue.purpose,
        basis=issue.legal_basis,
        object_type="filter",
        objects=[str(issue.public_id)],
        count=issue.count or 0,
        details={"number": issue.seq, "state": issue.state.value},
    )
    kind = "filter.ready" if issue.state is FilterState.READY else "filter.failed"
    facts = {"filter": str(issue.public_id)}
    notify(session, issue.organisation_id, Role.ANALYST, kind, facts, "/filters")


def list_issues(
    session: Session, caller: Caller, limit: int, cursor: UUID | None = None
) -> IssuePage:
    """The organisation's own filters, newest first, without their headers.

    A cursor that is none of its filters ends the list.
    """
    organisation_id, _ = caller.member
    wanted = select(FilterIssue).where(FilterIssue.organisation_id == organisation_id)
    if cursor is not None:
        last = select(FilterIssue.id).where(
            FilterIssue.public_id == cursor, FilterIssue.organisation_id == organisation_id
        )
        wanted = wanted.where(FilterIssue.id < last.scalar_subquery())
    rows = session.scalars(wanted.order_by(FilterIssue.id.desc()).limit(limit + 1)).all()
    found = [_shown(session, row, with_header=False) for row in rows[:limit]]
    append(session, caller, "filter.list", object_type="filter", count=len(found))
    return IssuePage(found, found[-1].id if len(rows) > limit else None)


def read_issue(session: Session, caller: Caller, public_id: UUID) -> Issue:
    """One of the organisation's own filters, with its signed header once it is ready.

    NotFoundError for any other.
    """
    issue = own_issue(session, caller, public_id)
    append(
        session,
        caller,
        "filter.read",
        object_type="filter",
        objects=[str(public_id)],
    )
    return _shown(session, issue, with_header=True)


def fetch(session: Session, caller: Caller, public_id: UUID, part: int) -> bytes:
    """One part of the content, counted from 1.

    NotFoundError for another's or a part that it does not have, FilterNotReadyError,
    FilterGoneError.
    """
    issue = own_issue(session, caller, public_id)
    require_given_out(issue)
    content = session.scalar(
        select(FilterPart.content).where(FilterPart.issue_id == issue.id, FilterPart.number == part)
    )
    if content is None:
        raise NotFoundError
    append(
        session,
        caller,
        "filter.fetch",
        purpose=issue.purpose,
        basis=issue.legal_basis,
        object_type="filter",
        objects=[str(public_id)],
        count=len(content) // RECORD_SIZE,
        details={"number": issue.seq, "part": part},
    )
    return bytes(content)


def own_issue(session: Session, caller: Caller, public_id: UUID) -> FilterIssue:
    """The organisation's own filter, which stands as it is until the commit; NotFoundError."""
    organisation_id, _ = caller.member
    issue = session.scalar(
        select(FilterIssue)
        .where(FilterIssue.public_id == public_id, FilterIssue.organisation_id == organisation_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if issue is None:
        raise NotFoundError
    return issue


def require_given_out(issue: FilterIssue) -> None:
    """FilterNotReadyError while it is built, FilterGoneError when it is over or called back."""
    if issue.state is FilterState.BUILDING and issue.expires_at > clock.now():
        raise FilterNotReadyError
    if issue.state is not FilterState.READY or issue.expires_at <= clock.now():
        raise FilterGoneError


def _open_epochs(session: Session, at: datetime) -> dict[str, int]:
    """The newest open epoch of each kind that has one."""
    found: dict[str, int] = {}
    for row in pseudonyms.epochs(session):
        if row.valid_from <= at < row.valid_to:
            found[row.kind.value] = row.epoch
    if not found:
        raise UnavailableError(
            "No key epoch is open.",
            remedy="The platform's administrator must run: flask --app wsgi keys open",
        )
    return found


def _held_salt(
    session: Session, organisation_id: int, epochs: Mapping[str, int], at: datetime
) -> FilterSalt:
    """The salt of the organisation for these epochs, made when it is new.

    It is held: one filter of an organisation is made after the other.
    """
    stamp = hashlib.sha256(json.dumps(epochs, sort_keys=True).encode()).digest()
    make_new = (
        postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    )
    sealed = _sealer().seal(os.urandom(SALT_SIZE), _context(organisation_id, stamp))
    row = {"organisation_id": organisation_id, "stamp": stamp, "sealed": sealed, "made_at": at}
    session.execute(make_new(FilterSalt).values(row).on_conflict_do_nothing())
    return session.scalars(
        select(FilterSalt)
        .where(FilterSalt.organisation_id == organisation_id, FilterSalt.stamp == stamp)
        .with_for_update()
    ).one()


def _opened(salt: FilterSalt) -> bytes:
    return _sealer().open(bytes(salt.sealed), _context(salt.organisation_id, bytes(salt.stamp)))


def _sealer() -> Sealer:
    """A key of its own, made of the vault's: what is sealed for one does not open for the other."""
    vault = runtime().secrets.vault
    return Sealer(hashlib.sha256(b"postern/filter-salt/v1" + vault).digest())


def _context(organisation_id: int, stamp: bytes) -> bytes:
    return organisation_id.to_bytes(8, "big") + stamp


def _require_room(session: Session, organisation_id: int) -> None:
    standing = session.execute(
        select(func.count()).where(
            FilterIssue.organisation_id == organisation_id,
            FilterIssue.state.in_(_HOLDING),
            FilterIssue.expires_at > clock.now(),
        )
    ).scalar_one()
    if standing >= MOST_STANDING:
        raise TooManyFiltersError


def _may_screen(session: Session, issue: FilterIssue) -> bool:
    """Whether its maker is still an analyst of an active organisation, and a filter holds it."""
    if expected_size(session, issue) > token_filter.MOST_RECORDS:
        return False
    is_analyst = session.scalar(
        select(PersonAccount.id)
        .join(RoleGrant, RoleGrant.person_id == PersonAccount.id)
        .where(
            PersonAccount.id == issue.person_id,
            PersonAccount.status == AccountStatus.ACTIVE,
            RoleGrant.role == Role.ANALYST,
        )
    )
    return is_analyst is not None and directory(session)[issue.organisation_id].is_active


def _maker(session: Session, issue: FilterIssue) -> Caller:
    """Whoever asked for it, for what the platform does on their account."""
    return Caller(
        person_id=issue.person_id,
        person=session.scalar(
            select(PersonAccount.public_id).where(PersonAccount.id == issue.person_id)
        ),
        organisation_id=issue.organisation_id,
        organisation=directory(session)[issue.organisation_id].code,
        roles=frozenset({Role.ANALYST}),
        scopes=frozenset(),
        means=Means.CONSOLE,
    )


def _shown(session: Session, issue: FilterIssue, *, with_header: bool) -> Issue:
    is_over = issue.expires_at <= clock.now() and issue.state in _HOLDING
    state = FilterState.EXPIRED if is_over else issue.state
    is_signed = with_header and state is FilterState.READY
    return Issue(
        id=issue.public_id,
        seq=issue.seq,
        state=state,
        purpose=issue.purpose,
        legal_basis=issue.legal_basis,
        epochs=_epochs(issue),
        count=issue.count,
        parts=issue.parts,
        made_at=issue.made_at,
        expires_at=issue.expires_at,
        header=_signed(session, issue) if is_signed else None,
    )


def _epochs(issue: FilterIssue) -> dict[EvaluationKind, int]:
    return {EvaluationKind(kind): epoch for kind, epoch in issue.epochs.items()}


def _signed(session: Session, issue: FilterIssue) -> Mapping[str, object]:
    """The header; the signature is the same each time (Ed25519, RFC 8032)."""
    if issue.count is None or issue.sha256 is None:
        raise LookupError("a filter is ready and has no content")
    header = token_filter.FilterHeader(
        platform=runtime().settings.platform.name,
        organisation=directory(session)[issue.organisation_id].code,
        issue=issue.public_id,
        seq=issue.seq,
        purpose=issue.purpose,
        legal_basis=issue.legal_basis,
        epochs=_epochs(issue),
        salt=_opened(session.get_one(FilterSalt, issue.salt_id)),
        count=issue.count,
        sha256=bytes(issue.sha256),
        created_at=issue.made_at,
        expires_at=issue.expires_at,
    )
    return token_filter.sign(header, pseudonyms.directory_key())
