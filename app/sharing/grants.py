"""The decisions of all policies, laid out as rows to join: the only writer of `share_grant`.

What may run at the same time is settled by the rows of `organisation` (on PostgreSQL; SQLite has
one writer). Whoever changes what one owner shares, by a policy or a new class, holds that owner's
row alone; whoever adds or renews a reader holds all rows shared. So every filling sees each class,
profile and policy that another made, and no decision of an older policy lands after a newer one.
One transaction must not do the first and then the second: two of them could wait for each other.

A profile carries the facts under which its grants were decided. Once they are no longer true no
filling adds to them, and it is laid out anew at its next use.

A policy that is to take effect later is laid out with the one in force: each grant says from when
and until when it holds, so the change comes true at that second, with nothing running.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Row, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import clock
from app.organisations.models import Community, CommunityMember, Organisation
from app.replica import keep_to_primary
from app.sharing import eras
from app.sharing.classes import KEY_LENGTH, ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.engine import OwnerPolicies, Window, load
from app.sharing.models import GrantReason, Profile, ShareClass, ShareGrant
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE, PolicyRefusedError
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Purpose, Role, Sector

log = structlog.get_logger(__name__)

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Period:
    """The policies of one version, and the seconds since 1970 from and until which they hold."""

    policies: OwnerPolicies
    policy_version_id: int | None
    valid_from: int
    valid_until: int


@dataclass(frozen=True)
class Owner:
    """An organisation with the policies for what it submitted: in force first, then to come."""

    organisation_id: int
    member: Member
    periods: tuple[Period, ...]

    @property
    def policies(self) -> OwnerPolicies:
        """Those in force."""
        return self.periods[0].policies


@dataclass(frozen=True)
class Reader:
    """A profile and the seat it stands for, by the facts it was laid out with."""

    profile_id: int
    seat: Seat


@dataclass(frozen=True)
class StoredClass:
    id: int
    attributes: ClassAttributes


def hold_owner(session: Session, organisation_id: int) -> None:
    """Until the transaction ends, nobody else changes what this organisation shares."""
    # FOR NO KEY UPDATE: rows that merely refer to the organisation do not wait.
    session.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    ).scalar_one()


def hold_readers(session: Session) -> None:
    """Until the transaction ends, nobody changes what any organisation shares."""
    session.execute(
        select(Organisation.id).order_by(Organisation.id).with_for_update(read=True)
    ).all()


def hold_all(session: Session) -> None:
    """Until the transaction ends, nobody else lays out anything."""
    session.execute(
        select(Organisation.id).order_by(Organisation.id).with_for_update(key_share=True)
    ).all()


def lay_out(
    session: Session, owner: Owner, readers: Sequence[Reader], classes: Sequence[StoredClass]
) -> None:
    """Decide on these classes of `owner` for these readers and store what is granted."""
    keep_to_primary(session)
    chunk: list[_Grant] = []
    for grant in _grants(owner, readers, classes):
        chunk.append(grant)
        if len(chunk) == _ROWS_AT_ONCE:
            _store(session, chunk)
            chunk = []
    if chunk:
        _store(session, chunk)


def clear_owner(session: Session, organisation_id: int) -> None:
    """Withdraw every decision on what this organisation shares."""
    keep_to_primary(session)
    of_owner = select(ShareClass.id).where(ShareClass.organisation_id == organisation_id)
    session.execute(delete(ShareGrant).where(ShareGrant.share_class_id.in_(of_owner)))


def clear_readers(session: Session, profile_ids: Sequence[int]) -> None:
    """Withdraw every decision for these profiles."""
    keep_to_primary(session)
    session.execute(delete(ShareGrant).where(ShareGrant.profile_id.in_(profile_ids)))


def clear_past(session: Session, second: int) -> int:
    """Remove the decisions that held until `second` (since 1970) or earlier; how many."""
    gone = session.execute(delete(ShareGrant).where(ShareGrant.valid_until <= second))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def facts(session: Session, organisation_id: int) -> dict[str, Any]:
    """What the policies' answers for readers of this organisation rest on, as columns of profile.

    LookupError when there is no such organisation.
    """
    rows = session.execute(_MEMBERSHIPS.where(Organisation.id == organisation_id)).all()
    if not rows:
        raise LookupError("there is no such organisation")
    return {
        "facts": {
            "sector": rows[0].sector.value,
            "country": rows[0].country,
            "communities": sorted(row.community for row in rows if row.community is not None),
        },
        "facts_seq": rows[0].facts_seq,
        "rules": rules(),
    }


def members(session: Session) -> dict[int, Member]:
    """Every organisation as policies know it as a reader, by its id."""
    found: dict[int, list[Row[int, str, Sector, str, int, str]]] = {}
    for row in session.execute(_MEMBERSHIPS):
        found.setdefault(row.id, []).append(row)
    return {
        organisation_id: Member(
            rows[0].code,
            rows[0].sector,
            rows[0].country,
            tuple(sorted(row.community for row in rows if row.community is not None)),
        )
        for organisation_id, rows in found.items()
    }


def owners(
    session: Session, organisation_id: int | None = None, at: datetime | None = None
) -> list[Owner]:
    """The organisations that have share classes, or the named one, with their policies.

    Those in force at the moment `at`, or now, come first.
    """
    statement = select(
        Organisation.id, Organisation.code, Organisation.sector, Organisation.country
    ).order_by(Organisation.id)
    if organisation_id is None:
        statement = statement.where(Organisation.id.in_(select(ShareClass.organisation_id)))
    else:
        statement = statement.where(Organisation.id == organisation_id)
    rows = session.execute(statement).all()
    found = eras.of(session, [row.id for row in rows], at or clock.now())
    return [
        Owner(
            row.id,
            Member(row.code, row.sector, row.country),
            tuple(
                Period(
                    policies(row.code, era.text),
                    era.policy_version_id,
                    era.valid_from,
                    era.valid_until,
                )
                for era in found[row.id]
            ),
        )
        for row in rows
    ]


def owner(session: Session, organisation_id: int, at: datetime | None = None) -> Owner:
    """The named organisation with its policies, whether or not it has share classes."""
    (found,) = owners(session, organisation_id, at)
    return found


def policies(code: str, text: str) -> OwnerPolicies:
    """The policies of a stored text; one that the present schema refuses shares nothing."""
    try:
        return load(text)
    except PolicyRefusedError:
        log.error(  # noqa: TRY400 - a traceback would not say more, and is for defects
            "a stored policy is no longer valid and shares nothing", organisation=code
        )
        return load("")


def readers(
    session: Session, *, organisation_id: int | None = None, profile_id: int | None = None
) -> list[Reader]:
    """All profiles, or those named, whose facts are true, under the present platform rules.

    Others are left without a grant, which is a denial, until their next use lays them out: a
    question that began before its reader's facts changed must not see what was decided after.
    """
    statement = (
        select(
            Profile.id,
            Organisation.code,
            Profile.facts,
            Profile.role,
            Profile.purpose,
            Profile.legal_basis,
        )
        .join(Organisation, Organisation.id == Profile.organisation_id)
        .where(Profile.rules == rules(), Profile.facts_seq == Organisation.facts_seq)
    )
    if organisation_id is not None:
        statement = statement.where(Profile.organisation_id == organisation_id)
    if profile_id is not None:
        statement = statement.where(Profile.id == profile_id)
    return [
        Reader(row.id, seat(row.code, row.facts, row.role, row.purpose, row.legal_basis))
        for row in session.execute(statement)
    ]


def seat(
    code: str, found: dict[str, Any], role: Role, purpose: Purpose, legal_basis: LegalBasis
) -> Seat:
    """The seat of a profile whose facts are `found`."""
    member = Member(code, Sector(found["sector"]), found["country"], tuple(found["communities"]))
    return Seat(member, role, purpose, legal_basis)


def classes_of(session: Session, organisation_id: int) -> list[StoredClass]:
    """All share classes of an organisation."""
    return [
        StoredClass(row.id, read_class(row.attributes))
        for row in session.execute(
            select(ShareClass.id, ShareClass.attributes).where(
                ShareClass.organisation_id == organisation_id
            )
        )
    ]


def insert_new(session: Session, model: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows that nobody has inserted yet, waiting for those who are about to."""
    keep_to_primary(session)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(model).on_conflict_do_nothing(), rows)


@cache
def rules() -> str:
    """Names the platform's rules and schema: a release that changes them renews every grant."""
    return hashlib.sha256(PLATFORM_FILE.read_bytes() + SCHEMA_FILE.read_bytes()).hexdigest()[:16]


_MEMBERSHIPS = (
    select(
        Organisation.id,
        Organisation.code,
        Organisation.sector,
        Organisation.country,
        Organisation.facts_seq,
        Community.code.label("community"),
    )
    .outerjoin(CommunityMember, CommunityMember.organisation_id == Organisation.id)
    .outerjoin(Community, Community.id == CommunityMember.community_id)
)


@dataclass(frozen=True)
class _Grant:
    """A row of `share_grant` before its reason has a row of its own."""

    columns: dict[str, Any]
    policy_version_id: int | None
    reasons: tuple[str, ...]

    @property
    def key(self) -> bytes:
        """By which the row of the reason is found again."""
        told = json.dumps([self.policy_version_id, list(self.reasons)]).encode()
        return hashlib.sha256(told).digest()[:KEY_LENGTH]


def _grants(
    owner: Owner, readers: Sequence[Reader], classes: Sequence[StoredClass]
) -> Iterator[_Grant]:
    attributes = [each.attributes for each in classes]
    seats = [each.seat for each in readers]
    for period in owner.periods:
        windows = period.policies.windows(owner.member, seats, attributes)
        for reader, granted in zip(readers, windows, strict=True):
            # The platform's rules alone decide on what is one's own.
            is_own = reader.seat.member.code == owner.member.code
            version = None if is_own else period.policy_version_id
            for stored, of_class in zip(classes, granted, strict=True):
                for window in of_class:
                    columns = _columns(window, period)
                    columns |= {"profile_id": reader.profile_id, "share_class_id": stored.id}
                    yield _Grant(columns, version, window.ruling.reasons)


def _columns(window: Window, period: Period) -> dict[str, Any]:
    return {
        "age_min": window.age_min,
        "age_max": window.age_max,
        "valid_from": period.valid_from,
        "valid_until": period.valid_until,
        "level": window.ruling.level,
        "tells_owner": window.ruling.tells_owner,
        "may_screen": window.ruling.may_screen,
        "may_feed": window.ruling.may_feed,
    }


def _store(session: Session, grants: Sequence[_Grant]) -> None:
    reasons = {grant.key: grant for grant in grants}
    known = _reason_ids(session, list(reasons))
    missing = [key for key in reasons if key not in known]
    if missing:
        insert_new(
            session,
            GrantReason,
            [
                {
                    "policy_version_id": reasons[key].policy_version_id,
                    "reasons": list(reasons[key].reasons),
                    "key": key,
                }
                for key in sorted(missing)  # in one order, so that no two wait for each other
            ],
        )
        known |= _reason_ids(session, missing)
    session.execute(
        insert(ShareGrant),
        [grant.columns | {"grant_reason_id": known[grant.key]} for grant in grants],
    )


def _reason_ids(session: Session, keys: Sequence[bytes]) -> dict[bytes, int]:
    rows = session.execute(select(GrantReason.key, GrantReason.id).where(GrantReason.key.in_(keys)))
    return {bytes(key): reason_id for key, reason_id in rows}
