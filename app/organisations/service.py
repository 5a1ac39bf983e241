"""The verbs of membership: create, list, suspend, and the communities that policies may name.

This room lies below the accounts: it knows nothing of people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import PLATFORM, Caller
from app.audit.service import append, create_tag_key
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.organisations.models import Community, CommunityMember, Organisation, OrganisationStatus
from postern.normalise.countries import country_code
from postern.vocabulary import Sector

_CODE = re.compile(r"[a-z0-9-]{2,40}")
_RESERVED = frozenset({"own", "keys"})
_NAME_LENGTH = 200  # characters


class OrganisationExistsError(ConflictError):
    code = "organisation-exists"
    title = "An organisation already has this code"
    remedy = "Choose another code; codes are never given twice."


class UnknownOrganisationError(NotFoundError):
    code = "organisation-unknown"
    title = "No organisation has this code"
    remedy = "List the codes with: flask --app wsgi organisations list"


class UnknownCommunityError(NotFoundError):
    code = "community-unknown"
    title = "No community has this code, or the organisation is not in it"
    remedy = "List the communities with: flask --app wsgi organisations communities"


@dataclass(frozen=True)
class Member:
    """An organisation as the directory shows it; `country` is ISO 3166-1 alpha-2."""

    code: str
    name: str
    sector: Sector
    country: str
    status: OrganisationStatus

    @property
    def is_active(self) -> bool:
        """Whether its people may sign in and it may see anything."""
        return self.status is OrganisationStatus.ACTIVE


@dataclass(frozen=True)
class CommunityMembers:
    """A community and the codes of the organisations in it, in order."""

    code: str
    name: str
    members: tuple[str, ...]


def directory(session: Session) -> Mapping[int, Member]:
    """Every organisation, suspended ones too, by its id; other rooms' only way to their names."""
    return {row.id: _member(row) for row in session.scalars(select(Organisation))}


def find(session: Session, code: str) -> tuple[int, Member]:
    """The id and the member with this code; UnknownOrganisationError when there is none."""
    row = _row(session, code)
    return row.id, _member(row)


def list_active(session: Session, caller: Caller) -> list[Member]:
    """The active members in order of their codes."""
    return [member for member in list_all(session, caller) if member.is_active]


def list_all(session: Session, caller: Caller) -> list[Member]:
    """All members in order of their codes, suspended ones too; for the console."""
    members = sorted(directory(session).values(), key=lambda member: member.code)
    append(session, caller, "organisation.list", object_type="organisation", count=len(members))
    return members


def create(
    session: Session, caller: Caller, *, code: str, name: str, sector: Sector, country: str
) -> int:
    """Let an organisation join; returns its id.

    Raises InvalidRequestError for a code, name or country that breaks the rules, and
    OrganisationExistsError for a code that is taken.
    """
    name, country = name.strip(), country.strip().upper()
    _check(code, name, country)
    if session.scalar(select(Organisation.id).where(Organisation.code == code)) is not None:
        raise OrganisationExistsError
    row = Organisation(
        code=code,
        name=name,
        sector=sector,
        country=country,
        status=OrganisationStatus.ACTIVE,
        created_at=clock.now(),
        facts_seq=1,
    )
    session.add(row)
    session.flush()
    create_tag_key(session, code)
    append(
        session,
        caller,
        "organisation.create",
        audience=[code],
        object_type="organisation",
        objects=[code],
        details={"name": name, "sector": sector.value, "country": country},
    )
    return row.id


def set_status(session: Session, caller: Caller, code: str, status: OrganisationStatus) -> None:
    """Suspend an organisation or make it active again; takes effect with the next request."""
    _row(session, code).status = status
    append(
        session,
        caller,
        "organisation.status",
        audience=[code],
        object_type="organisation",
        objects=[code],
        details={"status": status.value},
    )


def communities(session: Session) -> Mapping[int, frozenset[str]]:
    """The codes of the communities of each organisation that is in any, by organisation id."""
    found: dict[int, set[str]] = {}
    pairs = select(CommunityMember.organisation_id, Community.code).join(
        Community, Community.id == CommunityMember.community_id
    )
    for organisation_id, code in session.execute(pairs):
        found.setdefault(organisation_id, set()).add(code)
    return {organisation_id: frozenset(codes) for organisation_id, codes in found.items()}


def list_communities(session: Session, caller: Caller) -> list[CommunityMembers]:
    """The communities in order of their codes; for the console."""
    pairs = session.execute(
        select(CommunityMember.community_id, Organisation.code)
        .join(Organisation, Organisation.id == CommunityMember.organisation_id)
        .order_by(Organisation.code)
    ).all()
    rows = session.scalars(select(Community).order_by(Community.code)).all()
    append(session, caller, "organisation.list", object_type="community", count=len(rows))
    return [
        CommunityMembers(row.code, row.name, tuple(code for key, code in pairs if key == row.id))
        for row in rows
    ]


def join(session: Session, caller: Caller, code: str, community: str, name: str = "") -> None:
    """Put an organisation in a community, which is made when it is new; safe to repeat.

    `name` is that of a new community (its code when empty). Raises UnknownOrganisationError, and
    InvalidRequestError for a code of a community that breaks the rules.
    """
    organisation = _held(session, code)
    _check_code(community)
    group = session.scalar(select(Community).where(Community.code == community))
    if group is None:
        group = Community(code=community, name=name.strip()[:_NAME_LENGTH] or community)
        session.add(group)
        session.flush()
    key = {"community_id": group.id, "organisation_id": organisation.id}
    if session.get(CommunityMember, key) is None:
        session.add(CommunityMember(**key))
        _count_change(organisation)
    _tell_membership(session, caller, code, community, is_member=True)


def leave(session: Session, caller: Caller, code: str, community: str) -> None:
    """Take an organisation out of a community; the last to leave does not dissolve it.

    Raises UnknownOrganisationError, and UnknownCommunityError when it is not in it.
    """
    organisation = _held(session, code)
    group = session.scalar(select(Community).where(Community.code == community))
    if group is None:
        raise UnknownCommunityError
    key = {"community_id": group.id, "organisation_id": organisation.id}
    if session.get(CommunityMember, key) is None:
        raise UnknownCommunityError
    session.execute(delete(CommunityMember).filter_by(**key))
    _count_change(organisation)
    _tell_membership(session, caller, code, community, is_member=False)


def _count_change(organisation: Organisation) -> None:
    """Counted by the database: of two changes at once neither may hide the other."""
    organisation.facts_seq = Organisation.facts_seq + 1


def _tell_membership(
    session: Session, caller: Caller, code: str, community: str, *, is_member: bool
) -> None:
    append(
        session,
        caller,
        "organisation.community",
        audience=[code],
        object_type="organisation",
        objects=[code],
        details={"community": community, "member": is_member},
    )


def _held(session: Session, code: str) -> Organisation:
    """The row, so that of two changes of its communities at once one waits for the other."""
    row = session.scalar(
        select(Organisation).where(Organisation.code == code).with_for_update(key_share=True)
    )
    if row is None:
        raise UnknownOrganisationError
    return row


def _row(session: Session, code: str) -> Organisation:
    row = session.scalar(select(Organisation).where(Organisation.code == code))
    if row is None:
        raise UnknownOrganisationError
    return row


def _member(row: Organisation) -> Member:
    return Member(row.code, row.name, row.sector, row.country, row.status)


def _check(code: str, name: str, country: str) -> None:
    _check_code(code)
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise _wrong("name", f"A name has 1 to {_NAME_LENGTH} printable characters.")
    if not country or country_code(country) != (country.lower(), []):
        raise _wrong("country", "A country is an ISO 3166-1 alpha-2 code such as BE.")


def _check_code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise _wrong("code", "A code has 2 to 40 of the characters a-z, 0-9 and -.")
    if code == PLATFORM:
        raise _wrong("code", f"The code {PLATFORM} is the platform's own.")
    if code in _RESERVED:
        raise _wrong("code", f"The code {code} has another meaning in the interface.")


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        errors=[{"field": field, "reason": reason}], remedy="Correct it and try again."
    )
