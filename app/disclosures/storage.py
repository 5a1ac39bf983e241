"""Statements of disclosure requests: what a lookup found, requests with a lock, what is held."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from app.clock import day
from app.disclosures.models import Decision, Delivery, DisclosureMessage, DisclosureRequest
from app.disclosures.transitions import WAITING
from app.indicators.models import Indicator, Report
from app.indicators.shared_rows import DETAILS
from app.lookups.models import Hit, Lookup
from app.organisations.models import Organisation
from app.sharing import service as sharing
from app.sharing.models import Profile
from app.sharing.visibility import live, visible_indicators
from postern.vocabulary import (
    Kind,
    LegalBasis,
    PartyRole,
    Purpose,
    RequestState,
    Urgency,
)

_ASKING_LOCK = 0x64697363  # the class of this room's advisory locks, "disc"


@dataclass(frozen=True, slots=True)
class FoundHit:
    """An indicator that one's own lookup found, and under which profile it was asked."""

    indicator_id: int
    owner_id: int
    kind: Kind
    role: PartyRole
    profile_id: int
    purpose: Purpose
    legal_basis: LegalBasis


def hold_asking(session: Session, organisation_id: int) -> None:
    """Until the transaction ends, nobody else of the organisation asks."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ASKING_LOCK, organisation_id)))


def hit(
    session: Session, organisation_id: int, lookup: UUID, indicator: UUID, today: date
) -> FoundHit | None:
    """What the organisation's own lookup found, if its record and the indicator are there.

    The indicator cannot be erased until the commit.
    """
    row = session.execute(
        select(
            Indicator.id.label("indicator_id"),
            Indicator.organisation_id.label("owner_id"),
            Indicator.kind.label("kind"),
            Indicator.role.label("role"),
            Profile.id.label("profile_id"),
            Profile.purpose.label("purpose"),
            Profile.legal_basis.label("legal_basis"),
        )
        .select_from(Lookup)
        .join(Hit, Hit.lookup_id == Lookup.id)
        .join(Indicator, Indicator.id == Hit.indicator_id)
        .join(Profile, Profile.id == Lookup.profile_id)
        .where(
            Lookup.public_id == lookup,
            Lookup.organisation_id == organisation_id,
            Lookup.expires_on > today,
            Indicator.public_id == indicator,
            Indicator.restricted_at.is_(None),
        )
        .limit(1)
        .with_for_update(read=True, key_share=True, of=Indicator)
    ).first()
    return None if row is None else FoundHit(**row._asdict())


def is_visible(
    session: Session, profile_id: int, indicator_id: int, at: datetime, least: int
) -> bool:
    """Whether the policies let the profile have the indicator at this level or above now.

    Its grants are renewed first where the facts of its organisation have changed.
    """
    profile = session.get_one(Profile, profile_id)
    current = sharing.profile_id(
        session, profile.organisation_id, profile.role, profile.purpose, profile.legal_basis
    )
    visible = visible_indicators(current, at, least).subquery()
    found = select(visible.c.indicator_id).where(visible.c.indicator_id == indicator_id)
    return session.execute(found).first() is not None


def is_live(session: Session, indicator_id: int | None, at: datetime) -> bool:
    """Whether the indicator is there, its time is not over and it is not restricted."""
    if indicator_id is None:
        return False
    found = select(Indicator.id).where(
        Indicator.id == indicator_id,
        Indicator.restricted_at.is_(None),
        live(Indicator.expires_on, day(at)),
    )
    return session.execute(found).first() is not None


def last_day(session: Session, indicator_id: int) -> date:
    """The day at whose beginning the indicator ends."""
    found = select(Indicator.expires_on).where(Indicator.id == indicator_id)
    return session.execute(found).scalar_one()


def open_request(session: Session, requester_id: int, indicator: UUID) -> UUID | None:
    """The requester's own request on the indicator that is not decided yet."""
    return session.scalar(
        select(DisclosureRequest.public_id)
        .where(
            DisclosureRequest.requester_id == requester_id,
            DisclosureRequest.indicator == indicator,
            DisclosureRequest.state.in_(WAITING),
        )
        .limit(1)
    )


def asked_since(
    session: Session, requester_id: int, owner_id: int, case_tag: bytes, since: datetime
) -> list[datetime]:
    """When the requester asked this owner in this case since a moment, oldest first."""
    return list(
        session.scalars(
            select(DisclosureRequest.made_at)
            .where(
                DisclosureRequest.requester_id == requester_id,
                DisclosureRequest.made_at > since,
                DisclosureRequest.owner_id == owner_id,
                DisclosureRequest.case_tag == case_tag,
            )
            .order_by(DisclosureRequest.made_at)
        )
    )


def locked(
    session: Session, public_id: UUID, side: ColumnElement[bool]
) -> DisclosureRequest | None:
    """The request if `side` holds of it, as it stands now; locked until the commit."""
    return session.scalar(
        select(DisclosureRequest)
        .where(DisclosureRequest.public_id == public_id, side)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def found(session: Session, public_id: UUID, side: ColumnElement[bool]) -> DisclosureRequest | None:
    """The same without the lock, to be read."""
    return session.scalar(
        select(DisclosureRequest).where(DisclosureRequest.public_id == public_id, side)
    )


def asked_by(organisation_id: int) -> ColumnElement[bool]:
    """The condition that the organisation is the requester."""
    return DisclosureRequest.requester_id == organisation_id


def received_by(organisation_id: int) -> ColumnElement[bool]:
    """The condition that the organisation is the owner."""
    return DisclosureRequest.owner_id == organisation_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests of one side are listed, None for all; `other` is the other side's code.

    `due_first`: what is due first stands first, what stands still last; else the newest first.
    """

    states: Collection[RequestState] | None = None
    urgency: Urgency | None = None
    other: str | None = None
    due_first: bool = False


def page(
    session: Session,
    side: ColumnElement[bool],
    wanted: Wanted,
    limit: int,
    cursor: UUID | None,
) -> tuple[list[DisclosureRequest], UUID | None]:
    """Up to `limit` requests of one side in their order, and the next cursor."""
    asked = select(DisclosureRequest).where(side)
    if wanted.states is not None:
        asked = asked.where(DisclosureRequest.state.in_(wanted.states))
    if wanted.urgency is not None:
        asked = asked.where(DisclosureRequest.urgency == wanted.urgency)
    if wanted.other is not None:
        named = select(Organisation.id).where(Organisation.code == wanted.other).scalar_subquery()
        both = (DisclosureRequest.owner_id, DisclosureRequest.requester_id)
        asked = asked.where(or_(*(each == named for each in both)))
    if cursor is not None:
        last = found(session, cursor, side)
        if last is None:
            return [], None
        asked = asked.where(_after(last, wanted))
    order = (
        (_stands_still(), DisclosureRequest.due_at, DisclosureRequest.id)
        if wanted.due_first
        else (DisclosureRequest.id.desc(),)
    )
    rows = list(session.scalars(asked.order_by(*order).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].public_id if len(rows) > limit else None


def _after(last: DisclosureRequest, wanted: Wanted) -> ColumnElement[bool]:
    """The condition that a request stands after the last one of the page before."""
    if not wanted.due_first:
        return DisclosureRequest.id < last.id
    still = int(last.state is RequestState.QUESTIONED and last.urgency is not Urgency.LIFE)
    return tuple_(_stands_still(), DisclosureRequest.due_at, DisclosureRequest.id) > tuple_(
        literal(still), literal(last.due_at, DisclosureRequest.due_at.type), literal(last.id)
    )


def _stands_still() -> ColumnElement[int]:
    """1 where the clock stands still, as `clocks.stands_still` has it; else 0."""
    is_still = and_(
        DisclosureRequest.state == RequestState.QUESTIONED,
        DisclosureRequest.urgency != Urgency.LIFE,
    )
    return case((is_still, 1), else_=0)


def waiting_of(
    session: Session, side: ColumnElement[bool], states: Collection[RequestState]
) -> tuple[int, datetime | None]:
    """How many requests of one side stand in these states, and the earliest that is due."""
    counted = select(func.count(), func.min(DisclosureRequest.due_at)).where(
        side, DisclosureRequest.state.in_(states)
    )
    count, due_at = session.execute(counted).one()
    return count, due_at


def messages_of(
    session: Session, request_ids: Sequence[int], *, with_bytes: bool
) -> list[DisclosureMessage]:
    """The messages of these requests in their order."""
    wanted = (
        select(DisclosureMessage)
        .where(DisclosureMessage.request_id.in_(request_ids))
        .order_by(DisclosureMessage.id)
    )
    return list(
        session.scalars(wanted if with_bytes else wanted.options(defer(DisclosureMessage.sealed)))
    )


def decisions_of(session: Session, request_ids: Sequence[int]) -> list[Decision]:
    """Every decision on these requests, oldest first."""
    return list(
        session.scalars(
            select(Decision).where(Decision.request_id.in_(request_ids)).order_by(Decision.id)
        )
    )


def deliveries_of(session: Session, request_ids: Sequence[int]) -> list[Delivery]:
    """Every delivery of these requests, without the sealed bytes, in the order of their parts."""
    return list(
        session.scalars(
            select(Delivery)
            .where(Delivery.request_id.in_(request_ids))
            .order_by(Delivery.id)
            .options(defer(Delivery.sealed))
        )
    )


def coarse(session: Session, indicator_id: int | None) -> Mapping[str, Any] | None:
    """What is stored of an indicator and its report beside the sealed parts; for its owner."""
    if indicator_id is None:
        return None
    row = session.execute(
        select(*DETAILS)
        .select_from(Indicator)
        .join(Report, Report.id == Indicator.report_id)
        .join(Organisation, Organisation.id == Indicator.organisation_id)
        .where(Indicator.id == indicator_id)
    ).first()
    return None if row is None else row._asdict()
