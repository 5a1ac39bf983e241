"""What an organisation reads of shared patterns: lists, one with its versions, a version's text.

Everybody of an organisation reads its own patterns whole. Of another's the metadata is read where
its policy feeds it or lets it be screened with, and the rule itself only where it may be screened
with. Other owners learn by an entry of their own who got a rule, unless their policy forbids it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.indicators.shared_rows import Owner
from app.indicators.telling import Grounds, Told, tell_owners
from app.patterns import documents, storage
from app.patterns.beside import Beside, beside
from app.patterns.documents import Checked
from app.patterns.models import PatternVersion, VersionState
from app.patterns.storage import Filters, Found, day_of
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided, labels
from postern.patterns import Rule
from postern.patterns.model import Level, Status
from postern.patterns.stix import StixPattern
from postern.vocabulary import Role, Substance, Tlp

MOST_LISTED = 100  # of one page

READERS = (Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER)
"""Who reads, also with a token: everybody but who keeps an organisation's accounts."""


class PatternState(StrEnum):
    """Where a pattern stands."""

    DRAFT = "draft"  # one's own, never published
    LIVE = "live"
    DEPRECATED = "deprecated"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the patterns is wanted; None is no matter, and of states all but the expired.

    Every word of `words` has to stand in the title or in the description.
    """

    own: bool | None = None
    subscribed: bool | None = None
    state: PatternState | None = None
    level: Level | None = None
    barrier_step: int | None = None
    owner: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A pattern as lists show it; of a draft with faults the title may be empty."""

    id: UUID
    organisation: Owner
    is_own: bool
    title: str
    description: str
    level: Level | None
    barrier_step: int | None
    substance: Substance
    tlp: Tlp | None
    version: int
    published_on: date | None
    expires_on: date | None
    state: PatternState
    may_screen: bool
    is_subscribed: bool
    has_draft: bool  # an open version; False of another's, as is the next
    awaits_decision: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Patterns, newest first; `next` is the cursor of the following page, None on the last."""

    patterns: Sequence[Listed]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version without its text; of another's no person and no note is told.

    `may_read_text`: `version_text` gives it.
    """

    seq: int
    state: VersionState
    title: str
    level: Level | None
    barrier_step: int | None
    sha256: str | None
    published_on: date | None
    expires_on: date | None
    may_read_text: bool
    author: UUID | None
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class DraftVersion:
    """The open version of one's own pattern; `authors` may not approve it."""

    seq: int
    revision: int
    state: VersionState
    text: str
    beside: Beside
    checked: Checked
    authors: frozenset[UUID]
    proposed_by: UUID | None
    proposed_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That it is not used any more, and what is used instead."""

    at: datetime
    reason: str
    superseded_by: UUID | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as its reader may have it.

    What follows `listed` up to `rule` says what the rule is: empty without the right to screen.
    `policy` names the version of the owner's policy that allows it and `rules` the labels of its
    rules; None for one's own. `subscribers` is counted for the owner alone.
    """

    listed: Listed
    text: str | None
    sha256: str | None
    explanation: str | None
    status: Status | None
    author: str | None
    references: Sequence[str]
    false_positives: Sequence[str]
    stix: StixPattern | None
    rule: Rule | None
    beside: Beside | None
    versions: Sequence[VersionRow]
    draft: DraftVersion | None
    deprecation: Deprecation | None
    policy: str | None
    rules: Sequence[str]
    subscribers: int | None


OwnPattern = Pattern
"""As its own organisation reads it: nothing is left out."""


def list_patterns(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    *,
    wanted: Wanted | None = None,
    limit: int = 50,
    cursor: UUID | None = None,
) -> Page:
    """One's own patterns and those of others that one may know of for this purpose, newest first.

    Without grounds one's own only.
    """
    wanted = wanted or Wanted()
    reader = storage.reader(session, caller, grounds)
    found, following = storage.page(session, reader, _filters(wanted), limit, cursor)
    opened = storage.open_versions(session, (each.pattern.id for each in found if each.is_own))
    subscribed = storage.subscriptions(session, reader.organisation_id)
    reasons = decided(session, _reasons(found))
    append(
        session,
        caller,
        "pattern.list",
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="pattern",
        count=len(found),
        details={
            # Not `objects`: a pattern is not to be found by every page on which it was listed.
            "listed": [str(each.pattern.public_id) for each in found],
            "policies": sorted({each.name for each in reasons.values()}),
        },
    )
    rows = [
        _listed(each, opened.get(each.pattern.id), reader.today, each.pattern.id in subscribed)
        for each in found
    ]
    return Page(rows, following)


def read(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    public_id: UUID,
    language: str = "en",
) -> Pattern:
    """One pattern, one's own or another's that one may know of; NotFoundError for any other."""
    reader = storage.reader(session, caller, grounds)
    found = known(session, reader, public_id)
    log_read(session, caller, grounds, found)
    if found.may_screen and not found.is_own:
        note_given(session, reader.organisation_id, found)
    return shown(session, reader, found, language)


def version_text(
    session: Session, caller: Caller, grounds: Grounds | None, public_id: UUID, seq: int
) -> str:
    """The text of a version; NotFoundError where there is none, or it may not be screened with."""
    reader = storage.reader(session, caller, grounds)
    found = known(session, reader, public_id)
    texts = {
        version.seq: version.text
        for version, may_screen in storage.versions(session, reader, found)
        if may_screen
    }
    if seq not in texts:
        raise NotFoundError
    log_read(session, caller, grounds, found, version=seq)
    return texts[seq]


def known(session: Session, reader: storage.Reader, public_id: UUID) -> Found:
    """The pattern if the reader may know of it, else NotFoundError."""
    found = storage.one(session, reader, public_id)
    if found is None:
        raise NotFoundError
    return found


def shown(session: Session, reader: storage.Reader, found: Found, language: str = "en") -> Pattern:
    """The pattern as the reader may have it; for verbs that have logged the reading."""
    version, pattern = found.version, found.pattern
    opened = storage.open_versions(session, [pattern.id]) if found.is_own else {}
    draft = opened.get(pattern.id)
    subscribed = storage.subscriptions(session, reader.organisation_id)
    checked = documents.check(version.text, reader.today, language) if found.may_screen else None
    rule = checked.rule if checked else None
    reason_id = found.grant_reason_id
    reason = None
    if reason_id is not None and not found.is_own:
        reason = decided(session, [reason_id])[reason_id]
    return Pattern(
        listed=_listed(found, draft, reader.today, pattern.id in subscribed),
        text=version.text if checked else None,
        sha256=version.sha256.hex() if checked else None,
        explanation=checked.explanation if checked else None,
        status=rule.status if rule else None,
        author=rule.author if rule else None,
        references=rule.references if rule else (),
        false_positives=rule.false_positives if rule else (),
        stix=checked.stix if checked else None,
        rule=rule,
        beside=beside(version) if checked else None,
        versions=[
            _version_row(each, is_own=found.is_own, may_read_text=may_screen)
            for each, may_screen in storage.versions(session, reader, found)
        ],
        draft=_draft(session, draft, reader.today, language) if draft else None,
        deprecation=_deprecation(session, reader, found),
        policy=reason.name if reason else None,
        rules=labels(session, reason) if reason else (),
        subscribers=storage.subscribers(session, pattern.id) if found.is_own else None,
    )


def log_read(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    found: Found,
    act: str = "pattern.read",
    *,
    gives_rule: bool = True,
    **details: object,
) -> None:
    """The reader's entry, and the owner's where another's rule leaves and it is to be told."""
    reasons = decided(session, _reasons([found]))
    append(
        session,
        caller,
        act,
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="pattern",
        objects=[str(found.pattern.public_id)],
        details={
            "may_screen": found.may_screen,
            "version": found.version.seq,
            "policies": sorted({each.name for each in reasons.values()}),
            **details,
        },
    )
    if grounds is not None and gives_rule:
        tell_given(session, caller, grounds, [found], by=act)


def tell_given(
    session: Session, caller: Caller, grounds: Grounds, found: Sequence[Found], by: str
) -> None:
    """An entry for each other owner whose rules left, where its policy has it told."""
    told = [
        Told(
            each.owner.code,
            str(each.pattern.public_id),
            CHAIN[each.level - 1],
            each.grant_reason_id,
        )
        for each in found
        if each.tells_owner and each.may_screen and each.grant_reason_id is not None
    ]
    tell_owners(session, caller, "pattern.shared", grounds, told=told, by=by, object_type="pattern")


def note_given(session: Session, organisation_id: int, found: Found) -> None:
    """Note with the organisation's subscription, if it has one, that it got this version."""
    subscription = storage.subscriptions(session, organisation_id).get(found.pattern.id)
    if subscription is not None:
        subscription.note(found.version.seq)


def _filters(wanted: Wanted) -> Filters:
    filters = Filters(
        own=wanted.own,
        subscribed=wanted.subscribed,
        level=wanted.level,
        barrier_step=wanted.barrier_step,
        owner=wanted.owner,
        words=wanted.words,
    )
    match wanted.state:
        case PatternState.DRAFT:
            return replace(filters, is_draft=True)
        case PatternState.DEPRECATED:
            return replace(filters, is_deprecated=True)
        case PatternState.LIVE:
            return replace(filters, is_draft=False, is_deprecated=False, is_expired=False)
        case PatternState.EXPIRED:
            return replace(filters, is_draft=False, is_deprecated=False, is_expired=True)
    return replace(filters, is_expired=False)


def _state(found: Found, today: date) -> PatternState:
    if found.pattern.current_id is None:
        return PatternState.DRAFT
    if found.pattern.deprecated_at is not None:
        return PatternState.DEPRECATED
    ends = found.version.expires_on
    return PatternState.LIVE if ends is None or ends > today else PatternState.EXPIRED


def _listed(found: Found, draft: PatternVersion | None, today: date, is_subscribed: bool) -> Listed:
    version = found.version
    return Listed(
        id=found.pattern.public_id,
        organisation=found.owner,
        is_own=found.is_own,
        title=version.title,
        description=version.description,
        level=version.level,
        barrier_step=version.barrier_step,
        substance=version.substance,
        tlp=version.tlp,
        version=version.seq,
        published_on=day_of(version.seen_day),
        expires_on=version.expires_on,
        state=_state(found, today),
        may_screen=found.may_screen,
        is_subscribed=is_subscribed,
        has_draft=draft is not None,
        awaits_decision=draft is not None and draft.state is VersionState.PROPOSED,
    )


def _version_row(version: PatternVersion, *, is_own: bool, may_read_text: bool) -> VersionRow:
    return VersionRow(
        seq=version.seq,
        state=version.state,
        title=version.title,
        level=version.level,
        barrier_step=version.barrier_step,
        sha256=version.sha256.hex() if may_read_text else None,
        published_on=day_of(version.seen_day),
        expires_on=version.expires_on,
        may_read_text=may_read_text,
        author=version.proposed_by if is_own else None,
        decided_by=version.decided_by if is_own else None,
        decided_at=version.decided_at if is_own else None,
        note=version.note if is_own else None,
    )


def _draft(session: Session, draft: PatternVersion, today: date, language: str) -> DraftVersion:
    return DraftVersion(
        seq=draft.seq,
        revision=draft.revision,
        state=draft.state,
        text=draft.text,
        beside=beside(draft),
        checked=documents.check(draft.text, today, language),
        authors=storage.authors(session, draft.id),
        proposed_by=draft.proposed_by,
        proposed_at=draft.proposed_at,
        updated_at=draft.updated_at,
    )


def _deprecation(session: Session, reader: storage.Reader, found: Found) -> Deprecation | None:
    """What replaces it is named only where the reader may know of that too."""
    pattern = found.pattern
    if pattern.deprecated_at is None:
        return None
    replacing = pattern.superseded_by
    if replacing is not None and storage.one(session, reader, replacing) is None:
        replacing = None
    return Deprecation(pattern.deprecated_at, pattern.deprecation_reason or "", replacing)


def _reasons(found: Sequence[Found]) -> list[int]:
    return [
        each.grant_reason_id
        for each in found
        if each.grant_reason_id is not None and not each.is_own
    ]
