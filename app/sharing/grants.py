"""The decisions of all policies, laid out as rows to join: the only writer of `share_grant`.

What may run at the same time is settled by the rows of `organisation` (on PostgreSQL; SQLite has
one writer). Whoever changes what one owner shares, by a policy or a new class, holds that owner's
row alone; whoever adds or renews a reader holds all rows shared. So every filling sees each class,
profile and policy that another made, and no decision of an older policy lands after a newer one.
One transaction must not do the first and then the second: two of them could wait for each other.

A profile carries the facts under which its grants were decided (`profile.facts`). All fillings for
it use those facts, and it is laid out anew at its next use once they are no longer true.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Row, Select, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.organisations.models import Community, CommunityMember, Organisation
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.engine import Member, OwnerPolicies, Seat, load
from app.sharing.models import PolicyVersion, Profile, ShareClass, ShareGrant
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE, PolicyRefusedError
from postern.vocabulary import LegalBasis, Purpose, Role, Sector

log = structlog.get_logger(__name__)

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Owner:
    """An organisation with the policies in force for what it submitted."""

    organisation_id: int
    member: Member
    policies: OwnerPolicies
    policy_version_id: int | None


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
    rows = _rows(owner, readers, classes)
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            session.execute(insert(ShareGrant), chunk)
            chunk = []
    if chunk:
        session.execute(insert(ShareGrant), chunk)


def clear_owner(session: Session, organisation_id: int) -> None:
    """Withdraw every decision on what this organisation shares."""
    of_owner = select(ShareClass.id).where(ShareClass.organisation_id == organisation_id)
    session.execute(delete(ShareGrant).where(ShareGrant.share_class_id.in_(of_owner)))


def clear_readers(session: Session, profile_ids: Sequence[int]) -> None:
    """Withdraw every decision for these profiles."""
    session.execute(delete(ShareGrant).where(ShareGrant.profile_id.in_(profile_ids)))


def facts(session: Session, organisation_id: int) -> dict[str, Any]:
    """What the policies' answers for readers of this organisation rest on.

    LookupError when there is no such organisation.
    """
    rows = session.execute(_MEMBERSHIPS.where(Organisation.id == organisation_id)).all()
    if not rows:
        raise LookupError("there is no such organisation")
    return {
        "sector": rows[0].sector.value,
        "country": rows[0].country,
        "communities": sorted(row.community for row in rows if row.community is not None),
        "rules": _rules(),
    }


def members(session: Session) -> dict[int, Member]:
    """Every organisation as policies know it as a reader, by its id."""
    found: dict[int, list[Row[int, str, Sector, str, str]]] = {}
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


def owners(session: Session, organisation_id: int | None = None) -> list[Owner]:
    """The organisations that have share classes, or the named one, with their policies."""
    statement = (
        select(
            Organisation.id,
            Organisation.code,
            Organisation.sector,
            Organisation.country,
            PolicyVersion.id.label("version_id"),
            PolicyVersion.text,
        )
        .outerjoin(
            PolicyVersion,
            PolicyVersion.id == newest_version(Organisation.id).scalar_subquery(),
        )
        .order_by(Organisation.id)
    )
    if organisation_id is None:
        statement = statement.where(Organisation.id.in_(select(ShareClass.organisation_id)))
    else:
        statement = statement.where(Organisation.id == organisation_id)
    return [
        Owner(
            row.id,
            Member(row.code, row.sector, row.country),
            _policies(row.code, row.text or ""),
            row.version_id,
        )
        for row in session.execute(statement)
    ]


def owner(session: Session, organisation_id: int) -> Owner:
    """The named organisation with its policies, whether or not it has share classes."""
    (found,) = owners(session, organisation_id)
    return found


def newest_version(organisation_id: Any) -> Select[int]:
    """The id of the policy version in force of an organisation; no row when it has none."""
    return (
        select(PolicyVersion.id)
        .where(PolicyVersion.organisation_id == organisation_id)
        .order_by(PolicyVersion.seq.desc())
        .limit(1)
        .correlate(Organisation)
    )


def readers(
    session: Session, *, organisation_id: int | None = None, profile_id: int | None = None
) -> list[Reader]:
    """All profiles, or those named, that were laid out under the present platform rules.

    Others are left without a grant, which is a denial, until their next use lays them out.
    """
    statement = select(
        Profile.id,
        Organisation.code,
        Profile.facts,
        Profile.role,
        Profile.purpose,
        Profile.legal_basis,
    ).join(Organisation, Organisation.id == Profile.organisation_id)
    if organisation_id is not None:
        statement = statement.where(Profile.organisation_id == organisation_id)
    if profile_id is not None:
        statement = statement.where(Profile.id == profile_id)
    return [
        Reader(
            row.id,
            seat(row.code, row.facts, row.role, row.purpose, row.legal_basis),
        )
        for row in session.execute(statement)
        if row.facts["rules"] == _rules()
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
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(model).on_conflict_do_nothing(), rows)


_MEMBERSHIPS = (
    select(
        Organisation.id,
        Organisation.code,
        Organisation.sector,
        Organisation.country,
        Community.code.label("community"),
    )
    .outerjoin(CommunityMember, CommunityMember.organisation_id == Organisation.id)
    .outerjoin(Community, Community.id == CommunityMember.community_id)
)


@cache
def _rules() -> str:
    """Names the platform's rules and schema: a release that changes them renews every grant."""
    return hashlib.sha256(PLATFORM_FILE.read_bytes() + SCHEMA_FILE.read_bytes()).hexdigest()[:16]


def _policies(code: str, text: str) -> OwnerPolicies:
    """A stored text that the present schema no longer accepts shares nothing."""
    try:
        return load(text)
    except PolicyRefusedError:
        log.error(  # noqa: TRY400 - a traceback would not say more, and is for defects
            "a stored policy is no longer valid and shares nothing", organisation=code
        )
        return load("")


def _rows(
    owner: Owner, readers: Sequence[Reader], classes: Sequence[StoredClass]
) -> Iterator[dict[str, Any]]:
    attributes = [each.attributes for each in classes]
    windows = owner.policies.windows(owner.member, [each.seat for each in readers], attributes)
    for reader, granted in zip(readers, windows, strict=True):
        is_own = reader.seat.member.code == owner.member.code
        for stored, of_class in zip(classes, granted, strict=True):
            for window in of_class:
                yield {
                    "profile_id": reader.profile_id,
                    "share_class_id": stored.id,
                    "age_min": window.age_min,
                    "age_max": window.age_max,
                    "level": window.ruling.level,
                    # The platform's rules alone decide on what is one's own.
                    "policy_version_id": None if is_own else owner.policy_version_id,
                    "reasons": list(window.ruling.reasons),
                }
