"""Statements of watches: set one, read, end, and erase them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.access import Caller, Means
from app.accounts.models import AccountStatus, PersonAccount, RoleGrant
from app.lookups.models import Watch, WatchToken
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing.models import Profile, ShareClass
from postern.vocabulary import Kind, LegalBasis, Purpose, Role, Tlp, Told, WatchEnd

Tokens = Sequence[tuple[int, bytes]]
"""Facet numbers, each with the 16 bytes of its token."""


@dataclass(frozen=True, slots=True)
class KeptWatch:
    """A watch as it is stored; `watch_id` is its inner key, `person` who set it, a pseudonym."""

    watch_id: int
    id: UUID
    organisation_id: int
    organisation: str
    person_id: int
    person: UUID
    purpose: Purpose
    legal_basis: LegalBasis
    share_class_id: int
    tlp: Tlp
    kind: Kind
    epoch: int
    tells: Told
    deconflicts: bool
    made_at: datetime
    expires_on: date
    ended_at: datetime | None
    end: WatchEnd | None

    def is_live(self, today: date) -> bool:
        """Whether it still waits; it ends at the beginning of its last day."""
        return self.ended_at is None and self.expires_on > today

    @property
    def caller(self) -> Caller:
        """Who set it, for what the platform does on its account: its organisation's analyst."""
        return Caller(
            person_id=self.person_id,
            person=self.person,
            organisation_id=self.organisation_id,
            organisation=self.organisation,
            roles=frozenset({Role.ANALYST}),
            scopes=frozenset(),
            means=Means.CONSOLE,
        )


def insert_watch(session: Session, row: Mapping[str, Any], tokens: Tokens) -> int:
    """Keep a watch with its tokens; returns its inner key."""
    watch_id: int = session.execute(insert(Watch).values(row).returning(Watch.id)).scalar_one()
    session.execute(
        insert(WatchToken),
        [
            {"token": token, "watch_id": watch_id, "facet": facet}
            for facet, token in sorted(tokens, key=lambda each: each[1])
        ],
    )
    return watch_id


def live_count(session: Session, organisation_id: int, today: date) -> int:
    """How many watches of the organisation wait."""
    counted: int = session.execute(
        select(func.count()).where(Watch.organisation_id == organisation_id, _is_live(today))
    ).scalar_one()
    return counted


def common(
    session: Session, organisation_id: int, tokens: Collection[bytes], most: int
) -> set[bytes]:
    """Those of the tokens that `most` or more watches of the organisation have already."""
    return set(
        session.scalars(
            select(WatchToken.token)
            .join(Watch, Watch.id == WatchToken.watch_id)
            .where(WatchToken.token.in_(tokens), Watch.organisation_id == organisation_id)
            .group_by(WatchToken.token)
            .having(func.count() >= most)
        )
    )


def page(
    session: Session,
    organisation_id: int,
    today: date,
    *,
    is_live: bool | None,
    limit: int,
    cursor: UUID | None,
) -> tuple[list[KeptWatch], UUID | None]:
    """Up to `limit` watches of the organisation, newest first, and the next cursor.

    Those that wait, those that ended, or with None both. A cursor that is none of its watches
    ends the list.
    """
    wanted = _KEPT.where(Watch.organisation_id == organisation_id)
    if is_live is not None:
        wanted = wanted.where(_is_live(today) if is_live else ~_is_live(today))
    if cursor is not None:
        last = select(Watch.id).where(
            Watch.public_id == cursor, Watch.organisation_id == organisation_id
        )
        wanted = wanted.where(Watch.id < last.scalar_subquery())
    rows = session.execute(wanted.order_by(Watch.id.desc()).limit(limit + 1))
    found = [_kept(row) for row in rows]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def own(session: Session, organisation_id: int, public_id: UUID) -> KeptWatch | None:
    """A watch of the organisation; None for any other."""
    return _one(session, Watch.public_id == public_id, Watch.organisation_id == organisation_id)


def by_key(session: Session, watch_id: int) -> KeptWatch | None:
    """A watch by its inner key; None when its record is erased."""
    return _one(session, Watch.id == watch_id)


def tokens_of(session: Session, watch_id: int) -> list[tuple[int, bytes]]:
    """Facet and token of each that the watch is matched on; none once it has ended."""
    rows = session.execute(
        select(WatchToken.facet, WatchToken.token)
        .where(WatchToken.watch_id == watch_id)
        .order_by(WatchToken.token)
    )
    return [(facet, bytes(token)) for facet, token in rows]


def hold(session: Session, watch_id: int) -> None:
    """Until the commit nobody else ends the watch; submissions that match it do not wait."""
    session.execute(
        select(Watch.id).where(Watch.id == watch_id).with_for_update(key_share=True)
    ).scalar_one_or_none()


def end(session: Session, ids: Collection[int], at: datetime, why: WatchEnd) -> None:
    """End the watches and erase their tokens."""
    session.execute(update(Watch).where(Watch.id.in_(ids)).values(ended_at=at, end=why))
    session.execute(delete(WatchToken).where(WatchToken.watch_id.in_(ids)))


def over(session: Session, today: date, most: int) -> list[KeptWatch]:
    """Up to `most` watches whose last day has come and that were not ended, held."""
    return _held(session, and_(Watch.ended_at.is_(None), Watch.expires_on <= today), most)


def without_right(session: Session, today: date, most: int) -> list[KeptWatch]:
    """Up to `most` watches that wait although who set them is no analyst any more, held."""
    return _held(session, and_(_is_live(today), Watch.person_id.not_in(_ANALYSTS)), most)


def has_right(session: Session, person_id: int) -> bool:
    """Whether the person has an account and is an analyst."""
    found = session.scalar(_ANALYSTS.where(PersonAccount.id == person_id))
    return found is not None


def is_active(session: Session, organisation_id: int) -> bool:
    """Whether the organisation is not suspended."""
    status = session.scalar(select(Organisation.status).where(Organisation.id == organisation_id))
    return status is OrganisationStatus.ACTIVE


def erase_records(session: Session, last_day: date, most: int) -> dict[int, list[UUID]]:
    """Erase up to `most` records of ended watches whose last day was `last_day` or earlier."""
    due = list(
        session.scalars(
            select(Watch.id)
            .where(Watch.expires_on <= last_day, Watch.ended_at.is_not(None))
            .order_by(Watch.expires_on)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
    )
    erased: dict[int, list[UUID]] = {}
    if due:
        gone = delete(Watch).where(Watch.id.in_(due))
        for owner, public_id in session.execute(
            gone.returning(Watch.organisation_id, Watch.public_id)
        ):
            erased.setdefault(owner, []).append(public_id)
    return erased


def _is_live(today: date) -> ColumnElement[bool]:
    return and_(Watch.ended_at.is_(None), Watch.expires_on > today)


def _one(session: Session, *conditions: ColumnElement[bool]) -> KeptWatch | None:
    row = session.execute(_KEPT.where(*conditions)).one_or_none()
    return None if row is None else _kept(row)


def _held(session: Session, condition: ColumnElement[bool], most: int) -> list[KeptWatch]:
    ids = session.scalars(
        select(Watch.id)
        .where(condition)
        .order_by(Watch.id)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    return [
        _kept(row) for row in session.execute(_KEPT.where(Watch.id.in_(ids)).order_by(Watch.id))
    ]


def _kept(row: Row[Any]) -> KeptWatch:
    columns = row._asdict()
    attributes = columns.pop("attributes")
    return KeptWatch(tlp=Tlp(attributes["tlp"]), **columns)


_ANALYSTS = (
    select(PersonAccount.id)
    .join(RoleGrant, RoleGrant.person_id == PersonAccount.id)
    .where(PersonAccount.status == AccountStatus.ACTIVE, RoleGrant.role == Role.ANALYST)
)

_KEPT: Select[Any] = (
    select(
        Watch.id.label("watch_id"),
        Watch.public_id.label("id"),
        Watch.organisation_id,
        Organisation.code.label("organisation"),
        Watch.person_id,
        PersonAccount.public_id.label("person"),
        Profile.purpose,
        Profile.legal_basis,
        Watch.share_class_id,
        ShareClass.attributes,
        Watch.kind,
        Watch.epoch,
        Watch.tells,
        Watch.deconflicts,
        Watch.made_at,
        Watch.expires_on,
        Watch.ended_at,
        Watch.end,
    )
    .join(Organisation, Organisation.id == Watch.organisation_id)
    .join(PersonAccount, PersonAccount.id == Watch.person_id)
    .join(Profile, Profile.id == Watch.profile_id)
    .join(ShareClass, ShareClass.id == Watch.share_class_id)
)
