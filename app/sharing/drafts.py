"""Drafts: a policy text on its way to be in force, written by some and approved by another.

A draft is edited, proposed, and then approved, refused, withdrawn or discarded. Whoever had a part
in it, as a writer of any of its revisions or as a proposer, never approves it. Each change raises
its revision, and each verb names the revision that it saw, so nobody decides on what they did not
read. Closed drafts are kept as they were decided on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.errors import ConflictError, NotAllowedError, NotFoundError
from app.organisations.service import directory
from app.public_ids import new_public_id
from app.sharing import composing, grants, service, versions
from app.sharing.draft_content import (
    clean_reason,
    clean_time,
    clean_title,
    content,
    wrong,
)
from app.sharing.models import Cause, DraftStatus, PolicyDraft, PolicyDraftAuthor, PolicyVersion
from app.sharing.policy_text import PolicyRefusedError
from app.sharing.service import Examined

DECISION_TIME = timedelta(days=30)  # a proposal nobody decides on is discarded after it
PAGE = 50  # drafts of one list
STALE_BATCH = 100

_OPEN = (DraftStatus.EDITING, DraftStatus.PROPOSED)


class UnknownDraftError(NotFoundError):
    code = "draft-unknown"
    title = "There is no such draft for you"
    remedy = "List the drafts of your organisation at /api/v1/policies/drafts."


class DraftChangedError(ConflictError):
    """`revision` of the answer is the newest one."""

    code = "draft-changed"
    title = "Somebody has changed the draft since you read it"
    remedy = "Read the draft again and decide on its newest revision, which the answer names."


class DraftClosedError(ConflictError):
    """`draft_status` of the answer tells how it ended."""

    code = "draft-closed"
    title = "The draft was approved, refused or discarded, and is kept as it was"
    remedy = "Make a new draft."


class DraftProposedError(ConflictError):
    code = "draft-proposed"
    title = "The draft waits for a second person, and its text stands still"
    remedy = "Withdraw the proposal first, then edit the draft and propose it again."


class DraftNotProposedError(ConflictError):
    code = "draft-not-proposed"
    title = "The draft was not proposed, or its proposal was withdrawn"
    remedy = "Have a policy owner propose the draft first."


class OutdatedDraftError(ConflictError):
    """`newest_version` of the answer is the number of the version that came in between."""

    code = "draft-outdated"
    title = "The policy has changed since this text was compared with it"
    remedy = (
        "Open the draft again (withdraw it if it was proposed), compare it with the newest "
        "version, save it and propose it again."
    )


class OwnDraftError(NotAllowedError):
    code = "draft-own"
    title = "You wrote or proposed this draft, so somebody else must approve it"
    remedy = "Ask a policy owner or approver of your organisation who had no part in the draft."


@dataclass(frozen=True)
class Draft:
    """A draft as its organisation reads it; persons are the pseudonyms of the audit log.

    `authors` had a part in it and may not approve it. `version` and `valid_from` tell of the
    version it became, None before.
    """

    id: UUID
    title: str
    text: str
    form: list[dict[str, Any]] | None  # the rules the text is made of; None: written by hand
    base_seq: int
    status: DraftStatus
    revision: int
    activate_at: datetime | None
    created_at: datetime
    created_by: UUID
    updated_at: datetime
    proposed_at: datetime | None
    proposed_by: UUID | None
    decided_at: datetime | None
    decided_by: UUID | None  # None of a discarded draft: nobody decided in time
    reason: str | None
    authors: frozenset[UUID]
    version: int | None
    valid_from: datetime | None

    @property
    def sha256(self) -> str:
        """Digest of the text, as the log names it."""
        return _sha256(self.text)

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed or decided on."""
        return self.status in _OPEN

    @property
    def time_had_passed(self) -> bool:
        """Whether its time had passed when it was approved, so that it took effect at once."""
        return (
            self.activate_at is not None
            and self.valid_from is not None
            and self.valid_from > self.activate_at
        )


def create(
    session: Session,
    caller: Caller,
    *,
    title: str,
    text: str | None = None,
    form: Sequence[Mapping[str, Any]] | None = None,
) -> Draft:
    """Begin a draft with a Cedar text or a form of rules, of which the text is made.

    A text with faults is kept too, so that nothing is lost. InvalidRequestError for a title or
    text that cannot be kept, and for a form with faults.
    """
    text, form = content(caller.organisation, text, form)
    return _begin(session, caller, title, text, form)


def from_version(session: Session, caller: Caller, seq: int, title: str | None = None) -> Draft:
    """Begin a draft with the text of a version, to go back to it; UnknownVersionError."""
    organisation_id, _ = caller.member
    found = versions.version(session, organisation_id, seq)
    title = title or f"Back to version {seq}"
    return _begin(session, caller, title, found.text, found.form)


def edit(
    session: Session,
    caller: Caller,
    draft_id: UUID,
    revision: int,
    *,
    title: str,
    text: str | None = None,
    form: Sequence[Mapping[str, Any]] | None = None,
) -> Draft:
    """Save a new revision; from then on it counts as compared with the newest version.

    Errors as of `create`, and UnknownDraftError, DraftClosedError, DraftProposedError,
    DraftChangedError.
    """
    text, form = content(caller.organisation, text, form)
    row = _held(session, caller, draft_id)
    _demand_editing(row)
    _demand_revision(row, revision)
    row.title, row.text, row.form = clean_title(title), text, form
    row.base_seq = versions.newest_seq(session, row.organisation_id)
    _add_author(session, row, caller)
    return _changed(session, caller, row, "edit")


def list_drafts(
    session: Session,
    caller: Caller,
    status: DraftStatus | None = None,
    before: UUID | None = None,
) -> list[Draft]:
    """Up to PAGE drafts of the caller's organisation, newest first, closed ones too.

    `before` is the id of the last draft of the page before.
    """
    organisation_id, _ = caller.member
    wanted = select(PolicyDraft).where(PolicyDraft.organisation_id == organisation_id)
    if status is not None:
        wanted = wanted.where(PolicyDraft.status == status)
    if before is not None:
        place = select(PolicyDraft.id).where(
            PolicyDraft.public_id == before, PolicyDraft.organisation_id == organisation_id
        )
        wanted = wanted.where(PolicyDraft.id < place.scalar_subquery())
    found = _drafts(session, wanted.order_by(PolicyDraft.id.desc()).limit(PAGE))
    append(session, caller, "policy.read", object_type="policy-draft", count=len(found))
    return found


def read(session: Session, caller: Caller, draft_id: UUID) -> Draft:
    """One draft; UnknownDraftError for another organisation's as for none."""
    found = _draft(session, caller, draft_id)
    append(
        session,
        caller,
        "policy.read",
        object_type="policy-draft",
        objects=[str(draft_id)],
        details={"revision": found.revision},
    )
    return found


def check_text(session: Session, caller: Caller, draft_id: UUID) -> Examined:
    """The faults and warnings of a draft as of now; UnknownDraftError."""
    return composing.check(session, caller, _draft(session, caller, draft_id).text)


def propose(
    session: Session,
    caller: Caller,
    draft_id: UUID,
    revision: int,
    activate_at: datetime | None = None,
) -> Draft:
    """Put the draft before a second person, to take effect with the approval or at a time.

    Raises PolicyRefusedError for a text with faults, InvalidRequestError for a time that has
    passed or lies more than a year ahead, OutdatedDraftError, and the errors of `edit`.
    """
    row = _held(session, caller, draft_id)
    _demand_editing(row)
    _demand_revision(row, revision)
    _demand_newest(session, row)
    _demand_faultless(session, row)
    row.activate_at = clean_time(activate_at)
    row.status = DraftStatus.PROPOSED
    row.proposed_at = clock.now()
    row.proposed_by = caller.pseudonym
    _add_author(session, row, caller)  # stays barred if another proposes it next time
    return _changed(session, caller, row, "propose")


def withdraw(session: Session, caller: Caller, draft_id: UUID) -> Draft:
    """Take a proposal back to be edited; UnknownDraftError, DraftClosedError and
    DraftNotProposedError."""
    row = _held(session, caller, draft_id)
    _demand_proposed(row)
    row.status = DraftStatus.EDITING
    row.activate_at = row.proposed_at = row.proposed_by = None
    return _changed(session, caller, row, "withdraw")


def approve(
    session: Session,
    caller: Caller,
    draft_id: UUID,
    revision: int,
    reason: str | None = None,
) -> Draft:
    """Make the proposal a version of the policy, in force at once or at its time.

    Where that time has passed meanwhile it takes effect at once. Raises OwnDraftError for
    everybody who had a part in the draft, DraftChangedError, OutdatedDraftError,
    ScheduledPolicyError, PolicyRefusedError, and the errors of `withdraw`.
    """
    row = _held(session, caller, draft_id)
    _demand_proposed(row)
    person = caller.pseudonym
    if person in {row.created_by, row.proposed_by, *_authors(session, [row.id])[row.id]}:
        raise OwnDraftError
    _demand_revision(row, revision)
    # Of two drafts that are approved at the same time, the second must see the first's version.
    grants.hold_owner(session, row.organisation_id)
    _demand_newest(session, row)
    _demand_faultless(session, row)
    versions.put_in_force(
        session,
        caller,
        row.organisation_id,
        row.text,
        Cause.DRAFT,
        valid_from=row.activate_at,
        form=row.form,
        draft_id=row.id,
        author=row.proposed_by,
        approved_by=person,
    )
    _close(row, DraftStatus.APPROVED, person, clean_reason(reason))
    return _changed(session, caller, row, "approve")


def refuse(session: Session, caller: Caller, draft_id: UUID, revision: int, reason: str) -> Draft:
    """Refuse a proposal for good; InvalidRequestError without a reason, DraftChangedError, and
    the errors of `withdraw`."""
    row = _held(session, caller, draft_id)
    _demand_proposed(row)
    _demand_revision(row, revision)
    told = clean_reason(reason)
    if told is None:
        raise wrong("reason", "Say why in up to 500 characters: the author reads it.")
    _close(row, DraftStatus.REFUSED, caller.pseudonym, told)
    return _changed(session, caller, row, "refuse")


def discard(session: Session, caller: Caller, draft_id: UUID) -> Draft:
    """Close a draft that is no longer wanted; UnknownDraftError and DraftClosedError."""
    row = _held(session, caller, draft_id)
    _demand_open(row)
    _close(row, DraftStatus.DISCARDED, caller.pseudonym, None)
    return _changed(session, caller, row, "discard")


def discard_stale(session: Session) -> int:
    """Discard up to STALE_BATCH proposals that nobody decided on in DECISION_TIME; how many."""
    stale = session.scalars(
        select(PolicyDraft)
        .where(
            PolicyDraft.status == DraftStatus.PROPOSED,
            PolicyDraft.proposed_at <= clock.now() - DECISION_TIME,
        )
        .order_by(PolicyDraft.id)
        .limit(STALE_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    members = directory(session) if stale else {}
    for row in stale:
        _close(row, DraftStatus.DISCARDED, None, None)
        _change(row)
        _tell(session, CONSOLE, row, "expire", members[row.organisation_id].code)
    return len(stale)


def _begin(
    session: Session,
    caller: Caller,
    title: str,
    text: str,
    form: list[dict[str, Any]] | None,
) -> Draft:
    organisation_id, _ = caller.member
    now = clock.now()
    row = PolicyDraft(
        public_id=new_public_id(now),
        organisation_id=organisation_id,
        title=clean_title(title),
        text=text,
        form=form,
        base_seq=versions.newest_seq(session, organisation_id),
        status=DraftStatus.EDITING,
        revision=0,
        created_at=now,
        created_by=caller.pseudonym,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    _add_author(session, row, caller)
    return _changed(session, caller, row, "create")


def _held(session: Session, caller: Caller, draft_id: UUID) -> PolicyDraft:
    """The row, which nobody else changes until the transaction ends."""
    row = session.scalar(
        _own(caller, draft_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise UnknownDraftError
    return row


def _own(caller: Caller, draft_id: UUID) -> Select[PolicyDraft]:
    organisation_id, _ = caller.member
    return select(PolicyDraft).where(
        PolicyDraft.public_id == draft_id, PolicyDraft.organisation_id == organisation_id
    )


def _demand_open(row: PolicyDraft) -> None:
    if row.status not in _OPEN:
        raise DraftClosedError(draft_status=row.status.value, revision=row.revision)


def _demand_editing(row: PolicyDraft) -> None:
    _demand_open(row)
    if row.status is not DraftStatus.EDITING:
        raise DraftProposedError(revision=row.revision)


def _demand_proposed(row: PolicyDraft) -> None:
    _demand_open(row)
    if row.status is not DraftStatus.PROPOSED:
        raise DraftNotProposedError(revision=row.revision)


def _demand_revision(row: PolicyDraft, revision: int) -> None:
    if row.revision != revision:
        raise DraftChangedError(revision=row.revision)


def _demand_newest(session: Session, row: PolicyDraft) -> None:
    newest = versions.newest_seq(session, row.organisation_id)
    if row.base_seq != newest:
        raise OutdatedDraftError(revision=row.revision, newest_version=newest)


def _demand_faultless(session: Session, row: PolicyDraft) -> None:
    faults = service.examine(session, row.organisation_id, row.text).faults
    if faults:
        raise PolicyRefusedError(faults)


def _add_author(session: Session, row: PolicyDraft, caller: Caller) -> None:
    key = {"draft_id": row.id, "person": caller.pseudonym}
    if session.get(PolicyDraftAuthor, key) is None:
        session.add(PolicyDraftAuthor(**key))


def _close(row: PolicyDraft, status: DraftStatus, person: UUID | None, reason: str | None) -> None:
    row.status = status
    row.decided_at = clock.now()
    row.decided_by = person
    row.reason = reason


def _changed(session: Session, caller: Caller, row: PolicyDraft, step: str) -> Draft:
    """The draft after a change, which is counted and told to the log."""
    _change(row)
    _tell(session, caller, row, step, caller.organisation)
    return _draft(session, caller, row.public_id)


def _change(row: PolicyDraft) -> None:
    row.revision += 1
    row.updated_at = clock.now()


def _tell(session: Session, caller: Caller, row: PolicyDraft, step: str, code: str) -> None:
    append(
        session,
        caller,
        "policy.draft",
        audience=[code],
        object_type="policy-draft",
        objects=[str(row.public_id)],
        details={"step": step, "revision": row.revision, "sha256": _sha256(row.text)},
    )


def _draft(session: Session, caller: Caller, draft_id: UUID) -> Draft:
    found = _drafts(session, _own(caller, draft_id))
    if not found:
        raise UnknownDraftError
    return found[0]


def _drafts(session: Session, wanted: Select[PolicyDraft]) -> list[Draft]:
    rows = session.scalars(wanted).all()
    ids = [row.id for row in rows]
    authors = _authors(session, ids)
    made = {
        found.draft_id: found
        for found in session.execute(
            select(PolicyVersion.draft_id, PolicyVersion.seq, PolicyVersion.valid_from).where(
                PolicyVersion.draft_id.in_(ids)
            )
        )
    }
    return [
        Draft(
            id=row.public_id,
            title=row.title,
            text=row.text,
            form=row.form,
            base_seq=row.base_seq,
            status=row.status,
            revision=row.revision,
            activate_at=row.activate_at,
            created_at=row.created_at,
            created_by=row.created_by,
            updated_at=row.updated_at,
            proposed_at=row.proposed_at,
            proposed_by=row.proposed_by,
            decided_at=row.decided_at,
            decided_by=row.decided_by,
            reason=row.reason,
            authors=frozenset(authors[row.id]),
            version=made[row.id].seq if row.id in made else None,
            valid_from=made[row.id].valid_from if row.id in made else None,
        )
        for row in rows
    ]


def _authors(session: Session, ids: Sequence[int]) -> dict[int, set[UUID]]:
    found: dict[int, set[UUID]] = {each: set() for each in ids}
    rows = select(PolicyDraftAuthor.draft_id, PolicyDraftAuthor.person).where(
        PolicyDraftAuthor.draft_id.in_(ids)
    )
    for draft_id, person in session.execute(rows):
        found[draft_id].add(person)
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
