"""Every decision that is laid out, held against what the rest of the database says.

Organisations, communities, versions and classes are read; of the grants each is expected to say
what the reference says for its profile, class, age and time, and none may be missing.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Database
from app.organisations.models import Community, CommunityMember, Organisation
from app.sharing import grants
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import (
    PolicyCancellation,
    PolicyVersion,
    Profile,
    ShareClass,
    ShareGrant,
)
from app.sharing.seats import Member, Seat
from tests.app.sharing.reference import NOTHING, Expected, reference_ruling

EDGES = (0, 6, 7, 29, 30, 89, 90, 364, 365, 32_767)

Ruled = Callable[[Seat, Member, str, ClassAttributes, int], Expected]
"""What a reference says of (reader, owner, the owner's text, class, age in days)."""


@dataclass(frozen=True)
class Wrong:
    """A decision that is not what the reference says."""

    seat: Seat
    owner: str
    attributes: ClassAttributes
    age: int
    second: int
    laid_out: Expected
    expected: Expected


def wrong_grants(
    database: Database, at: datetime, ruled: Ruled = reference_ruling
) -> tuple[list[Wrong], int]:
    """The decisions that are wrong now or at a time to come, and how many were looked at.

    Profiles whose facts are no longer true are left out: they are laid out at their next use.
    """
    with database.reading() as session:
        members = _members(session)
        texts = {each: _texts(session, each, int(at.timestamp())) for each in members}
        readers = {
            row.id: Seat(members[row.organisation_id], row.role, row.purpose, row.legal_basis)
            for row in session.scalars(
                select(Profile)
                .join(Organisation, Organisation.id == Profile.organisation_id)
                .where(Profile.facts_seq == Organisation.facts_seq, Profile.rules == grants.rules())
            )
        }
        classes = session.scalars(select(ShareClass)).all()
        laid_out = defaultdict(list)
        for grant in session.scalars(select(ShareGrant)):
            laid_out[grant.profile_id, grant.share_class_id].append(grant)
        wrong, looked_at = [], 0
        for profile_id, seat in readers.items():
            for each in classes:
                owner, attributes = members[each.organisation_id], read_class(each.attributes)
                found = laid_out[profile_id, each.id]
                for second, text in texts[each.organisation_id]:
                    for age in EDGES:
                        looked_at += 1
                        said = _said(found, second, age)
                        expected = ruled(seat, owner, text, attributes, age)
                        if said != expected:
                            wrong.append(
                                Wrong(seat, owner.code, attributes, age, second, said, expected)
                            )
    return wrong, looked_at


def _said(found: list[ShareGrant], second: int, age: int) -> Expected:
    covering = [
        each
        for each in found
        if each.valid_from <= second < each.valid_until and each.age_min <= age <= each.age_max
    ]
    assert len(covering) <= 1, "two decisions for one question"
    if not covering:
        return NOTHING
    (one,) = covering
    return Expected(one.level, one.tells_owner, one.may_screen, one.may_feed)


def _members(session: Session) -> dict[int, Member]:
    communities = defaultdict(set)
    for organisation_id, code in session.execute(
        select(CommunityMember.organisation_id, Community.code).join(
            Community, Community.id == CommunityMember.community_id
        )
    ):
        communities[organisation_id].add(code)
    return {
        row.id: Member(row.code, row.sector, row.country, tuple(sorted(communities[row.id])))
        for row in session.scalars(select(Organisation))
    }


def _texts(session: Session, organisation_id: int, now: int) -> list[tuple[int, str]]:
    """(second, text in force then): now, and just before and at every change to come."""
    cancelled = set(session.scalars(select(PolicyCancellation.policy_version_id)))
    versions = [
        (int(row.valid_from.astimezone(UTC).timestamp()), row.seq, row.text)
        for row in session.scalars(
            select(PolicyVersion).where(PolicyVersion.organisation_id == organisation_id)
        )
        if row.id not in cancelled
    ]
    changes = [start for start, _, _ in versions if start > now]
    seconds = sorted({now, *changes, *(start - 1 for start in changes)})
    return [
        (
            second,
            max(((seq, text) for start, seq, text in versions if start <= second), default=(0, ""))[
                1
            ],
        )
        for second in seconds
    ]
