"""Patterns that come from elsewhere: each is put before a second person, who decides.

What an exchange brings is a text, checked as every other is. Its author is who had it brought, so
they do not approve it; nothing of it is in force, or known to others, before somebody does.
"""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.errors import PosternError
from app.patterns import documents, drafting, storage
from app.patterns.beside import Beside, beside
from app.patterns.errors import PatternDeprecatedError, PatternProposedError
from app.patterns.models import PatternVersion, SharedPattern, VersionState
from app.patterns.reading import OwnPattern


def take(session: Session, caller: Caller, text: str, known: UUID | None = None) -> SharedPattern:
    """Propose a rule from elsewhere: as a new pattern, or as the next version of what it was.

    `known` is the pattern that an earlier version became. What is here already is not proposed
    again. Raises PatternRefusedError with its faults, InvalidRequestError for a text that cannot be
    kept, PatternDeprecatedError, TooManyPatternsError, and PatternProposedError where somebody
    else's draft of it is open; then nothing of it stays.
    """
    organisation_id, _ = caller.member
    text = documents.normal(text)
    digest = bytes.fromhex(documents.sha256(text))
    found = _own(session, organisation_id, text, digest, known)
    with session.begin_nested():
        if found is None:
            begun = drafting.begin(session, caller, text, Beside())
            _propose(session, caller, begun)
            return _pattern(session, organisation_id, begun.listed.id)
        opened = storage.open_versions(session, [found.id]).get(found.id)
        current = session.get(PatternVersion, found.current_id) if found.current_id else None
        if digest in {each.sha256 for each in (opened, current) if each is not None}:
            return found
        if found.deprecated_at is not None:
            raise PatternDeprecatedError
        revision = None
        if opened is not None:
            if storage.authors(session, opened.id) != {caller.person}:
                raise PatternProposedError(revision=opened.revision)
            if opened.state is VersionState.PROPOSED:
                drafting.withdraw(session, caller, found.public_id, opened.revision)
            revision = opened.revision
        told = opened or current
        saved = drafting.save_draft(
            session, caller, found.public_id, text, beside(told) if told else Beside(), revision
        )
        _propose(session, caller, saved)
    return found


def take_back(session: Session, caller: Caller, public_id: UUID) -> bool:
    """Discard a proposal of the caller's that nobody decided on; whether nothing is in force.

    What is in force stays: that it is used no longer is for a person to say.
    """
    organisation_id, _ = caller.member
    found = session.scalar(_of(organisation_id).where(SharedPattern.public_id == public_id))
    if found is None:
        return True
    is_over = found.current_id is None or found.deprecated_at is not None
    opened = storage.open_versions(session, [found.id]).get(found.id)
    if opened is not None and storage.authors(session, opened.id) == {caller.person}:
        if opened.state is VersionState.PROPOSED:
            drafting.withdraw(session, caller, public_id, opened.revision)
        drafting.discard(session, caller, public_id, opened.revision)
    return is_over


def reasons(error: PosternError) -> str:
    """What is wrong with a text that was not taken, in one line, without a word of the text."""
    faults = error.extensions.get("errors", ())
    told = [
        f"line {each['line']}: {each['reason']} {each['remedy']}"
        if "line" in each
        else f"{each['field'].removeprefix('json.')}: {each['reason']}"
        for each in faults
    ]
    return " ".join(told) or f"{error.title}. {error.remedy}"


def _own(
    session: Session, organisation_id: int, text: str, digest: bytes, known: UUID | None
) -> SharedPattern | None:
    """The organisation's pattern that the text is of: by its name, its rule, or its very words."""
    if known is not None:
        found = session.scalar(_of(organisation_id).where(SharedPattern.public_id == known))
        if found is not None:
            return found
    rule = documents.check(text, now().date()).rule
    if rule is not None:
        found = session.scalar(_of(organisation_id).where(SharedPattern.rule_id == UUID(rule.id)))
        if found is not None:
            return found
    return session.scalars(
        _of(organisation_id)
        .join(PatternVersion, PatternVersion.pattern_id == SharedPattern.id)
        .where(PatternVersion.sha256 == digest, PatternVersion.state.in_(storage.OPEN))
        .order_by(SharedPattern.id)
    ).first()


def _of(organisation_id: int) -> Select[SharedPattern]:
    return select(SharedPattern).where(SharedPattern.organisation_id == organisation_id)


def _propose(session: Session, caller: Caller, begun: OwnPattern) -> None:
    if begun.draft is None:
        raise LookupError("a draft was saved and is not there")
    drafting.propose(session, caller, begun.listed.id, begun.draft.revision)


def _pattern(session: Session, organisation_id: int, public_id: UUID) -> SharedPattern:
    return session.scalars(_of(organisation_id).where(SharedPattern.public_id == public_id)).one()
