"""Writing patterns: drafts by one person, published by a second, deprecated when they are over.

A draft is edited, proposed, and then published, refused, withdrawn or discarded. Whoever wrote any
of its revisions or proposed it never approves it. Each change raises its revision, and each verb
names the revision that it saw, so nobody decides on what they did not read.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import day, now
from app.errors import InvalidRequestError, NotFoundError
from app.jobs.notifications import notify
from app.patterns import documents, reading, storage, telling
from app.patterns.beside import Beside, beside
from app.patterns.errors import (
    NoPatternDraftError,
    NotPublishedError,
    OwnPatternDraftError,
    PatternDeprecatedError,
    PatternDraftChangedError,
    PatternNotProposedError,
    PatternProposedError,
    PatternRefusedError,
    TooManyPatternsError,
)
from app.patterns.models import (
    PatternVersion,
    PatternVersionAuthor,
    SharedPattern,
    VersionState,
)
from app.patterns.reading import OwnPattern
from app.public_ids import new_public_id
from app.sharing import grants
from app.sharing.service import share_class_ids
from postern.patterns import Rule
from postern.vocabulary import HANDLING_AGAINST_TLP, Role

MOST_PATTERNS = 2_000  # of one organisation
MOST_DRAFTS = 200  # open ones of one organisation
LONGEST_NOTE = 500  # characters

WRITERS = (Role.ANALYST, Role.SUBMITTER)
DECIDERS = (Role.POLICY_OWNER, Role.APPROVER)


def begin(session: Session, caller: Caller, text: str, beside: Beside | None = None) -> OwnPattern:
    """Begin a pattern with its first version as a draft; a text with faults is kept too.

    InvalidRequestError for a text that cannot be kept, TooManyPatternsError.
    """
    organisation_id, _ = caller.member
    text = _clean_text(text)
    at = now()
    of_own = SharedPattern.organisation_id == organisation_id
    count = select(func.count()).select_from(SharedPattern).where(of_own)
    if session.execute(count).scalar_one() >= MOST_PATTERNS:
        raise TooManyPatternsError(f"It has {MOST_PATTERNS} patterns.")
    _demand_room_for_draft(session, organisation_id)
    pattern = SharedPattern(
        public_id=new_public_id(at), organisation_id=organisation_id, created_at=at
    )
    session.add(pattern)
    session.flush()
    version = _new_version(session, pattern, 1, at)
    _write(version, text, beside or Beside(), at)
    return _changed(session, caller, pattern, version, "create", is_author=True)


def save_draft(  # noqa: PLR0917 - a draft and what it is changed to, in the order of the forms
    session: Session,
    caller: Caller,
    public_id: UUID,
    text: str,
    beside: Beside,
    revision: int | None,
) -> OwnPattern:
    """Change the open draft, or, with `revision` None, open the next version with this text.

    Raises NotFoundError, PatternDeprecatedError, PatternProposedError, PatternDraftChangedError,
    NoPatternDraftError when there is no draft of that revision, and the errors of `begin`.
    """
    text = _clean_text(text)
    pattern = _held(session, caller, public_id)
    if pattern.deprecated_at is not None:
        raise PatternDeprecatedError
    version = storage.open_versions(session, [pattern.id]).get(pattern.id)
    step = "edit"
    if version is None:
        if revision is not None:
            raise NoPatternDraftError
        _demand_room_for_draft(session, pattern.organisation_id)
        version = _new_version(session, pattern, _newest_seq(session, pattern) + 1, now())
        step = "create"
    elif version.state is VersionState.PROPOSED:
        raise PatternProposedError(revision=version.revision)
    elif version.revision != revision:
        raise PatternDraftChangedError(revision=version.revision)
    _write(version, text, beside, now())
    return _changed(session, caller, pattern, version, step, is_author=True)


def propose(session: Session, caller: Caller, public_id: UUID, revision: int) -> OwnPattern:
    """Put the draft before a second person.

    Raises PatternRefusedError for a document with faults, and the errors of `save_draft`.
    """
    pattern, version = _opened(session, caller, public_id)
    if version.state is VersionState.PROPOSED:
        raise PatternProposedError(revision=version.revision)
    _demand_revision(version, revision)
    _ready(session, pattern, version)
    version.state = VersionState.PROPOSED
    version.proposed_at, version.proposed_by = now(), caller.pseudonym
    for role in DECIDERS:
        _tell(session, pattern, version, role, "pattern.proposed")
    return _changed(session, caller, pattern, version, "propose", is_author=True)


def withdraw(session: Session, caller: Caller, public_id: UUID, revision: int) -> OwnPattern:
    """Take a proposal back to be edited; the errors of `refuse` but for the note."""
    pattern, version = _proposed(session, caller, public_id, revision)
    version.state = VersionState.EDITING
    version.proposed_at = version.proposed_by = None
    return _changed(session, caller, pattern, version, "withdraw")


def approve(
    session: Session, caller: Caller, public_id: UUID, revision: int, note: str | None = None
) -> OwnPattern:
    """Publish the proposed version, from the end of this transaction on.

    Raises OwnPatternDraftError for everybody who had a part in it, PatternRefusedError when the
    document has a fault meanwhile (its end has come), and the errors of `refuse`.
    """
    pattern, version = _proposed(session, caller, public_id, None)
    if caller.pseudonym in {*storage.authors(session, version.id), version.proposed_by}:
        raise OwnPatternDraftError
    _demand_revision(version, revision)
    # Of two that publish documents with one id at the same time, the second must see the first.
    grants.hold_owner(session, pattern.organisation_id)
    rule = _ready(session, pattern, version)
    attributes = beside(version).share_class(rule)
    classes = share_class_ids(session, pattern.organisation_id, [attributes])
    _decide(version, caller, VersionState.PUBLISHED, _clean_note(note, "note"))
    version.share_class_id, version.seen_day = classes[attributes], day(now())
    pattern.rule_id, pattern.current_id = UUID(rule.id), version.id
    _mark(version)
    session.flush()
    append(
        session,
        caller,
        "pattern.publish",
        object_type="pattern",
        objects=[str(pattern.public_id)],
        details={
            "version": version.seq,
            "sha256": version.sha256.hex(),
            "tlp": rule.tlp.value,
            "expires_on": rule.expires.isoformat(),
        },
    )
    _tell_writers(session, pattern, version)
    telling.tell_subscribers(session, pattern, telling.PUBLISHED, version.seq)
    return _shown(session, caller, public_id)


def refuse(
    session: Session, caller: Caller, public_id: UUID, revision: int, note: str
) -> OwnPattern:
    """Refuse the proposed version for good; the next one may be written.

    Raises NotFoundError, NoPatternDraftError, PatternNotProposedError, PatternDraftChangedError,
    and InvalidRequestError without a note.
    """
    pattern, version = _proposed(session, caller, public_id, revision)
    told = _clean_note(note, "note")
    if told is None:
        raise _wrong("note", f"Say why in up to {LONGEST_NOTE} characters: the author reads it.")
    _decide(version, caller, VersionState.REFUSED, told)
    _tell_writers(session, pattern, version)
    return _changed(session, caller, pattern, version, "refuse")


def discard(session: Session, caller: Caller, public_id: UUID, revision: int) -> None:
    """Close the open version; a pattern that was never published goes with it.

    Raises NotFoundError, NoPatternDraftError, PatternProposedError and PatternDraftChangedError.
    """
    pattern, version = _opened(session, caller, public_id)
    if version.state is VersionState.PROPOSED:
        raise PatternProposedError(revision=version.revision)
    _demand_revision(version, revision)
    _decide(version, caller, VersionState.DISCARDED, None)
    _mark(version)
    session.flush()
    _log(session, caller, pattern, version, "discard")
    if pattern.current_id is None:
        session.execute(delete(SharedPattern).where(SharedPattern.id == pattern.id))
        session.expire_all()


def deprecate(
    session: Session,
    caller: Caller,
    public_id: UUID,
    reason: str,
    superseded_by: UUID | None = None,
) -> OwnPattern:
    """Say that the pattern is used no longer, why, and which of one's own replaces it.

    It stays listed until its end, and leaves what subscribers fetch at once. Raises NotFoundError,
    NotPublishedError, PatternDeprecatedError, and InvalidRequestError for a reason that is missing
    and for a replacement that is none of one's own published patterns.
    """
    pattern = _held(session, caller, public_id)
    if pattern.current_id is None:
        raise NotPublishedError
    if pattern.deprecated_at is not None:
        raise PatternDeprecatedError
    told = _clean_note(reason, "reason")
    if told is None:
        raise _wrong("reason", f"Say why in up to {LONGEST_NOTE} characters.")
    if superseded_by is not None:
        _demand_replacement(session, pattern, superseded_by)
    version = storage.open_versions(session, [pattern.id]).get(pattern.id)
    if version is not None:
        _decide(version, caller, VersionState.DISCARDED, None)
        _mark(version)
    pattern.deprecated_at, pattern.deprecated_by = now(), caller.pseudonym
    pattern.deprecation_reason, pattern.superseded_by = told, superseded_by
    session.flush()
    append(
        session,
        caller,
        "pattern.deprecate",
        object_type="pattern",
        objects=[str(public_id)],
        details={"superseded_by": str(superseded_by)} if superseded_by else {},
    )
    shown = _shown(session, caller, public_id)
    telling.tell_subscribers(session, pattern, telling.DEPRECATED, shown.listed.version)
    return shown


def _held(session: Session, caller: Caller, public_id: UUID) -> SharedPattern:
    """One's own pattern, which nobody else changes until the transaction ends."""
    organisation_id, _ = caller.member
    found = session.scalar(
        select(SharedPattern)
        .where(
            SharedPattern.public_id == public_id, SharedPattern.organisation_id == organisation_id
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFoundError
    return found


def _opened(
    session: Session, caller: Caller, public_id: UUID
) -> tuple[SharedPattern, PatternVersion]:
    pattern = _held(session, caller, public_id)
    version = storage.open_versions(session, [pattern.id]).get(pattern.id)
    if version is None:
        raise NoPatternDraftError
    return pattern, version


def _proposed(
    session: Session, caller: Caller, public_id: UUID, revision: int | None
) -> tuple[SharedPattern, PatternVersion]:
    pattern, version = _opened(session, caller, public_id)
    if version.state is not VersionState.PROPOSED:
        raise PatternNotProposedError(revision=version.revision)
    if revision is not None:
        _demand_revision(version, revision)
    return pattern, version


def _demand_revision(version: PatternVersion, revision: int) -> None:
    if version.revision != revision:
        raise PatternDraftChangedError(revision=version.revision)


def _demand_room_for_draft(session: Session, organisation_id: int) -> None:
    opened = (
        select(func.count())
        .select_from(PatternVersion)
        .where(
            PatternVersion.organisation_id == organisation_id,
            PatternVersion.state.in_(storage.OPEN),
        )
    )
    if session.execute(opened).scalar_one() >= MOST_DRAFTS:
        raise TooManyPatternsError(f"It has {MOST_DRAFTS} open drafts.")


def _demand_replacement(session: Session, pattern: SharedPattern, public_id: UUID) -> None:
    found = session.scalar(
        select(SharedPattern.id).where(
            SharedPattern.public_id == public_id,
            SharedPattern.organisation_id == pattern.organisation_id,
            SharedPattern.id != pattern.id,
            SharedPattern.current_id.is_not(None),
            SharedPattern.deprecated_at.is_(None),
        )
    )
    if found is None:
        raise _wrong("superseded_by", "Name another published pattern of your organisation.")


def _new_version(
    session: Session, pattern: SharedPattern, seq: int, at: datetime
) -> PatternVersion:
    version = PatternVersion(
        pattern_id=pattern.id,
        organisation_id=pattern.organisation_id,
        seq=seq,
        state=VersionState.EDITING,
        revision=0,
        created_at=at,
    )
    session.add(version)
    return version


def _newest_seq(session: Session, pattern: SharedPattern) -> int:
    newest = select(func.max(PatternVersion.seq)).where(PatternVersion.pattern_id == pattern.id)
    return session.scalar(newest) or 0


def _write(version: PatternVersion, text: str, beside: Beside, at: datetime) -> None:
    """Put a text into an open version, with what it says as far as it can be read."""
    checked = documents.check(text, at.date())
    rule = checked.rule
    version.text, version.sha256 = text, bytes.fromhex(checked.sha256)
    version.title = rule.title if rule else ""
    version.description = rule.description if rule else ""
    version.level = rule.level if rule else None
    version.barrier_step = rule.barrier_step if rule else None
    version.tlp = rule.tlp if rule else None
    version.expires_on = rule.expires if rule else None
    version.handling = sorted(code.value for code in beside.handling)
    version.source_grade = beside.source_grade
    version.information_grade = beside.information_grade
    version.assertion = beside.assertion
    version.substance = beside.substance


def _ready(session: Session, pattern: SharedPattern, version: PatternVersion) -> Rule:
    """The rule of a version that may be published today; PatternRefusedError with its faults."""
    checked = documents.check(version.text, now().date())
    faults = [_fault(each.line, each.column, each.reason, each.remedy) for each in checked.faults]
    faults += [
        _fault(
            each.line,
            1,
            "This test must hit and does not." if each.must_hit else "This test hits and must not.",
            "Correct the rule or the test.",
        )
        for each in checked.examples
        if not each.passed
    ]
    rule = checked.rule
    if rule is not None:
        faults += _sharing_faults(session, pattern, version, rule)
    if rule is None or faults:
        raise PatternRefusedError(errors=faults)
    return rule


def _sharing_faults(
    session: Session, pattern: SharedPattern, version: PatternVersion, rule: Rule
) -> list[dict[str, Any]]:
    found = []
    rule_id = UUID(rule.id)
    taken = select(SharedPattern.id).where(
        SharedPattern.organisation_id == pattern.organisation_id,
        SharedPattern.rule_id == rule_id,
        SharedPattern.id != pattern.id,
    )
    line = documents.line_of(version.text, "id")
    if pattern.rule_id not in {None, rule_id}:
        reason = "The id is not that of the versions before it."
        found.append(_fault(line, 1, reason, f"Write id: {pattern.rule_id}"))
    elif session.scalar(taken) is not None:
        reason = "Another pattern of your organisation has this id."
        found.append(_fault(line, 1, reason, "Give the document an id of its own."))
    held = session.get(PatternVersion, pattern.current_id) if pattern.current_id else None
    if held and (held.sha256, beside(held)) == (version.sha256, beside(version)):
        reason = "Nothing differs from the version in force."
        found.append(_fault(1, 1, reason, "Change something, or throw the draft away."))
    contradicting = HANDLING_AGAINST_TLP[rule.tlp] & beside(version).handling
    if contradicting:
        codes = ", ".join(sorted(contradicting))
        reason = f"TLP:{rule.tlp} contradicts the handling code {codes}."
        line = documents.line_of(version.text, "tlp")
        found.append(_fault(line, 1, reason, "Change one of the two."))
    return found


def _fault(line: int, column: int, reason: str, remedy: str) -> dict[str, Any]:
    return {"line": line, "column": column, "reason": reason, "remedy": remedy}


def _decide(version: PatternVersion, caller: Caller, state: VersionState, note: str | None) -> None:
    version.state, version.note = state, note
    version.decided_at, version.decided_by = now(), caller.pseudonym


def _tell_writers(session: Session, pattern: SharedPattern, version: PatternVersion) -> None:
    for role in WRITERS:
        _tell(session, pattern, version, role, "pattern.decided", {"decision": version.state.value})


def _tell(  # noqa: PLR0917 - the parts of one notice
    session: Session,
    pattern: SharedPattern,
    version: PatternVersion,
    role: Role,
    kind: str,
    more: Mapping[str, str] | None = None,
) -> None:
    facts = {"pattern": str(pattern.public_id), "version": version.seq, **(more or {})}
    address = f"/patterns/{pattern.public_id}"
    notify(session, pattern.organisation_id, role, kind, facts, address)


def _changed(
    session: Session,
    caller: Caller,
    pattern: SharedPattern,
    version: PatternVersion,
    step: str,
    *,
    is_author: bool = False,
) -> OwnPattern:
    """The pattern after a change of its open version, which is counted and told to the log."""
    _mark(version)
    session.flush()
    if is_author:
        key = {"version_id": version.id, "person": caller.pseudonym}
        if session.get(PatternVersionAuthor, key) is None:
            session.add(PatternVersionAuthor(**key))
            session.flush()
    _log(session, caller, pattern, version, step)
    return _shown(session, caller, pattern.public_id)


def _mark(version: PatternVersion) -> None:
    version.revision += 1
    version.updated_at = now()


def _log(
    session: Session, caller: Caller, pattern: SharedPattern, version: PatternVersion, step: str
) -> None:
    append(
        session,
        caller,
        "pattern.draft",
        object_type="pattern",
        objects=[str(pattern.public_id)],
        details={
            "step": step,
            "version": version.seq,
            "revision": version.revision,
            "sha256": version.sha256.hex(),
        },
    )


def _shown(session: Session, caller: Caller, public_id: UUID) -> OwnPattern:
    reader = storage.reader(session, caller, None)
    return reading.shown(session, reader, reading.known(session, reader, public_id))


def _clean_text(text: str) -> str:
    text = documents.normal(text)
    if len(text.encode("utf-8", "replace")) > documents.LARGEST_TEXT:
        raise _wrong("text", f"A document has up to {documents.LARGEST_TEXT} bytes.")
    if not _is_plain(text.replace("\n", "").replace("\t", "")):
        raise _wrong("text", "Leave out control characters and broken ones.")
    return text


def _clean_note(note: str | None, field: str) -> str | None:
    note = documents.normal(note or "").strip()
    if len(note) > LONGEST_NOTE or not _is_plain(note.replace("\n", "")):
        raise _wrong(field, f"Write up to {LONGEST_NOTE} characters of plain text.")
    return note or None


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(errors=[{"field": f"json.{field}", "reason": reason}])
