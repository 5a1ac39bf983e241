"""The public keys of members: published by themselves, never changed, told to everybody.

The platform holds no secret key. Each entry is signed by its organisation and by the entry before,
so that whoever pinned one of them needs no word of the platform; and each publication stands in
the log before every active member, so that a platform that shows two members different keys
leaves a trace that it cannot take back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.organisations.models import KeyAlarm, Organisation, OrganisationKey, OrganisationStatus
from postern.base64url import to_base64url
from postern.organisation_entry import (
    Entry,
    EntryRefusedError,
    SignedEntry,
    check_chain,
    read,
)
from postern.signing_identity import VerifyingKey

SKEW = timedelta(days=1)
"""How far ahead the clock of a member may be; an entry that begins later is refused."""


class KeysContradictError(ConflictError):
    """An entry offered is another one than the one that stands published under its number."""

    code = "keys-contradict"
    title = "The keys contradict those that are published"
    remedy = (
        "If you made new keys although the old ones exist, go back to the old key file and rotate "
        "it. If you did not publish what stands there, telephone the members and the operator."
    )


class KeysOutdatedError(ConflictError):
    """More is published than the whole chain that was offered."""

    code = "keys-outdated"
    title = "A newer entry than the newest one sent is published already"
    remedy = (
        "Use the newest copy of your key file. If you know of no newer one, somebody published in "
        "your name: telephone the members and the operator at once."
    )


@dataclass(frozen=True, slots=True)
class Published:
    """One entry as it stands here; `entry` is None when what is stored cannot be read."""

    number: int
    signed: Mapping[str, Any]
    at: datetime
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """What one member published, from the first entry on, and the open alarms about it."""

    organisation: str
    published: tuple[Published, ...]
    alarms: int

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """The signed entries as they were published."""
        return [each.signed for each in self.published]


@dataclass(frozen=True, slots=True)
class Publication:
    """The state after keys were published; `added` counts entries that were new."""

    organisation: str
    number: int
    fingerprint: str
    added: int


def publish(session: Session, caller: Caller, offered: Sequence[Any]) -> Publication:
    """Publish entries of one's own organisation: the whole chain, or those that are new.

    Entries that stand here already are compared and left. Raises InvalidRequestError for entries
    that break a rule of their form or do not follow, KeysContradictError, KeysOutdatedError.
    """
    organisation_id, _ = caller.member
    # Of two publications at once, the second compares itself with the first.
    session.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    )
    stored = chain(session, organisation_id)
    whole = _continued(stored, [_read(raw, place) for place, raw in enumerate(offered)])
    _check_own(caller, whole)
    new = whole[len(stored) :]
    at = clock.now()
    for signed in new:
        _store(session, caller, signed, at)
        _tell(session, caller, signed.entry, _active(session))
    present_one = whole[-1].entry
    if not new:
        _tell(session, caller, present_one, (), repeated=True)
    return Publication(
        present_one.organisation, present_one.number, present_one.fingerprint, len(new)
    )


def list_keys(session: Session, caller: Caller) -> list[OrganisationKeys]:
    """What each active member published, and each suspended one that published anything.

    Active members without keys are there with no entry. In order of their codes.
    """
    rows = _published(session, None)
    alarms = _open_alarms(session)
    found = [
        OrganisationKeys(each.code, rows.get(each.id, ()), alarms.get(each.id, 0))
        for each in session.scalars(select(Organisation).order_by(Organisation.code))
        if each.id in rows or each.status is OrganisationStatus.ACTIVE
    ]
    append(session, caller, "key.list", object_type="organisation", count=len(found))
    return found


def read_keys(session: Session, caller: Caller, code: str) -> OrganisationKeys:
    """What one member published; a suspended one's keys are still read, for what it sealed opens.

    NotFoundError when there is no such member.
    """
    organisation_id = _member_id(session, code)
    if organisation_id is None:
        raise NotFoundError
    rows = _published(session, organisation_id)
    append(session, caller, "key.list", object_type="organisation", objects=[code])
    alarms = _open_alarms(session)
    return OrganisationKeys(code, rows.get(organisation_id, ()), alarms.get(organisation_id, 0))


def chain(session: Session, organisation_id: int) -> tuple[SignedEntry, ...]:
    """A member's published entries from the first to the newest; empty when there is none."""
    rows = session.scalars(
        select(OrganisationKey.signed)
        .where(OrganisationKey.organisation_id == organisation_id)
        .order_by(OrganisationKey.number)
    )
    return tuple(map(read, rows))


def present(session: Session, organisation_id: int, at: datetime) -> Entry | None:
    """The entry to which a member's content is sealed at a moment; None when there is none."""
    begun = [each.entry for each in chain(session, organisation_id) if each.entry.valid_from <= at]
    return begun[-1] if begun else None


def usable(session: Session, organisation_id: int, at: datetime) -> tuple[Entry, ...]:
    """The entries with which something may be sealed now: the present one and those after it.

    A sealer whose clock is ahead uses the newest entry a little early.
    """
    entries = [each.entry for each in chain(session, organisation_id)]
    begun = sum(each.valid_from <= at for each in entries)
    return tuple(entries[max(begun - 1, 0) :])


def published_times(session: Session, organisation_id: int) -> Sequence[datetime]:
    """When each entry of the organisation's chain was published, from the first on."""
    return session.scalars(
        select(OrganisationKey.published_at)
        .where(OrganisationKey.organisation_id == organisation_id)
        .order_by(OrganisationKey.number)
    ).all()


def signers(session: Session, organisation_id: int) -> tuple[VerifyingKey, ...]:
    """Every signing key that a member ever published, the newest last."""
    return tuple(each.entry.signing for each in chain(session, organisation_id))


def _read(raw: Any, place: int) -> SignedEntry:
    try:
        return read(raw)
    except EntryRefusedError:
        raise _wrong(
            f"json.entries.{place}",
            "It is not a directory entry whose own signature holds.",
        ) from None


def _continued(
    stored: tuple[SignedEntry, ...], offered: Sequence[SignedEntry]
) -> tuple[SignedEntry, ...]:
    """The chain as it will stand: what is offered, after what stands before it."""
    first = offered[0].entry.number
    if first > len(stored) + 1:
        raise _wrong("json.entries.0", f"Entry {len(stored) + 1} is missing: send the whole chain.")
    whole = (*stored[: first - 1], *offered)
    for ours, theirs in zip(stored, whole, strict=False):
        if ours.entry != theirs.entry:
            raise KeysContradictError(
                f"Entry {ours.entry.number} is published as {ours.entry.fingerprint} already, and "
                "another one was sent."
            )
    try:
        check_chain(whole)
    except EntryRefusedError:
        raise _wrong(
            "json.entries", "The entries do not follow from each other, or not from those here."
        ) from None
    if len(whole) < len(stored):
        raise KeysOutdatedError(
            f"Entry {len(stored)} is published already; the newest one sent is {len(whole)}."
        )
    return whole


def _check_own(caller: Caller, whole: Sequence[SignedEntry]) -> None:
    newest = whole[-1].entry
    if newest.organisation != caller.organisation:
        raise _wrong("json.entries", "They are entries of another organisation than yours.")
    if newest.valid_from > clock.now() + SKEW:
        raise _wrong(
            "json.entries", "The newest one begins more than a day from now: check your clock."
        )


def _store(session: Session, caller: Caller, signed: SignedEntry, at: datetime) -> None:
    organisation_id, _ = caller.member
    session.execute(
        insert(OrganisationKey).values(
            organisation_id=organisation_id,
            number=signed.entry.number,
            signed=signed.on_wire(),
            digest=signed.entry.digest(),
            published_at=at,
            published_by=caller.person,
        )
    )


def _tell(
    session: Session,
    caller: Caller,
    entry: Entry,
    audience: Sequence[str],
    *,
    repeated: bool = False,
) -> None:
    append(
        session,
        caller,
        "key.publish",
        audience=audience,
        object_type="organisation",
        objects=[entry.organisation],
        details={
            "number": entry.number,
            "fingerprint": entry.fingerprint,
            "digest": to_base64url(entry.digest()),
            **({"repeated": True} if repeated else {}),
        },
    )


def _active(session: Session) -> list[str]:
    return list(
        session.scalars(
            select(Organisation.code)
            .where(Organisation.status == OrganisationStatus.ACTIVE)
            .order_by(Organisation.code)
        )
    )


def _member_id(session: Session, code: str) -> int | None:
    return session.scalar(select(Organisation.id).where(Organisation.code == code))


def _published(session: Session, organisation_id: int | None) -> dict[int, tuple[Published, ...]]:
    rows = select(OrganisationKey).order_by(OrganisationKey.organisation_id, OrganisationKey.number)
    if organisation_id is not None:
        rows = rows.where(OrganisationKey.organisation_id == organisation_id)
    found: dict[int, tuple[Published, ...]] = {}
    for row in session.scalars(rows):
        each = Published(row.number, row.signed, row.published_at, _entry(row.signed))
        found[row.organisation_id] = (*found.get(row.organisation_id, ()), each)
    return found


def _entry(signed: Mapping[str, Any]) -> Entry | None:
    """The entry as its readers read it; what was changed in the database is shown as damaged."""
    try:
        return read(signed).entry
    except EntryRefusedError:
        return None


def _open_alarms(session: Session) -> Mapping[int, int]:
    rows = session.execute(
        select(KeyAlarm.about_id, func.count())
        .where(KeyAlarm.closed_at.is_(None))
        .group_by(KeyAlarm.about_id)
    )
    return dict(rows.all())


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        errors=[{"field": field, "reason": reason}],
        remedy="Send the entries that `postern keys show --entry-file` writes.",
    )
