"""The verbs of registered barriers: register, renew, end, list, read, and where there is none.

A barrier is one of the model in use that an organisation says it has set. Who else knows of it is
decided by its owner's policy, as of an indicator of the kind `barrier`; owners learn by an entry of
their own who was told, unless their policy forbids it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.barriers import barrier_storage as storage
from app.barriers import model_storage
from app.barriers.barrier_storage import BarrierFilters, FoundBarrier
from app.barriers.model import BarrierModel, Cost, Wording
from app.barriers.modelling import used
from app.barriers.models import RegisteredBarrier
from app.barriers.refusals import BarrierEndedError, ModelChangedError, TooManyBarriersError
from app.clock import day, now
from app.errors import InvalidRequestError, NotFoundError
from app.indicators.telling import Grounds, Told, tell_owners
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.patterns.storage import reader as reader_of
from app.public_ids import new_public_id
from app.sharing.classes import ClassAttributes
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided, labels
from app.sharing.service import share_class_ids
from postern.patterns.reading import LAST_STEP
from postern.vocabulary import (
    HANDLING_AGAINST_TLP,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Role,
    SourceGrade,
    Tlp,
)

REGISTRARS = (Role.ANALYST, Role.SUBMITTER)
MOST_BARRIERS = 500  # of one organisation
MOST_LISTED = 100  # of one page
LONGEST = timedelta(days=3 * 366)  # of a record from its registration or renewal on
USUAL = timedelta(days=366)  # of one that names no end: by then somebody says that it still holds
REMINDED = timedelta(days=30)  # before the end of the record of a barrier that holds
EARLIEST = date(2000, 1, 1)
BATCH = 200  # of one call


@dataclass(frozen=True, slots=True)
class Place:
    """Where a barrier stands: a country, or an induction point of it; without either everywhere."""

    country: str | None = None
    operator: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NewBarrier:
    """What is registered: a barrier of a step of the model, its place and days, and its class."""

    step: int
    key: str
    from_day: date
    to_day: date | None
    expires_on: date | None
    cost: Cost
    legal_basis: LegalBasis
    place: Place = Place()
    tlp: Tlp = Tlp.GREEN
    handling: frozenset[Handling] = frozenset()
    source_grade: SourceGrade = SourceGrade.A
    information_grade: InformationGrade = InformationGrade.ONE
    assertion: Assertion = Assertion.FACT

    @property
    def share_class(self) -> ClassAttributes:
        """All that a policy may know of it: who reads it learns of a measure, and of nobody."""
        return ClassAttributes(
            kind=Kind.BARRIER,
            role=PartyRole.SHIPMENT,
            tlp=self.tlp,
            handling=self.handling,
            source_grade=self.source_grade,
            information_grade=self.information_grade,
            assertion=self.assertion,
            permitted_action=PermittedAction.KNOW,
            barrier_step=self.step if self.step <= LAST_STEP else 0,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A barrier as its reader may have it, with its words; `policy` None for one's own."""

    found: FoundBarrier
    document: BarrierModel
    policy: str | None
    rules: Sequence[str]

    @property
    def text(self) -> Wording:
        """What the barrier is, as the model says it."""
        step = self.document.steps[self.found.barrier.step - 1]
        return next(e.text for e in step.barriers if e.key == self.found.barrier.barrier_key)


@dataclass(frozen=True, slots=True)
class Page:
    """Barriers, newest first; `next` is the cursor of the following page, None on the last."""

    barriers: Sequence[Shown]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Held:
    """How many registered ones of a barrier of the model hold: one's own, and of others."""

    own: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class StepGap:
    """A step of the model with its barriers that hold; one of which none does is a gap."""

    number: int
    key: str
    title: Wording
    held: Mapping[str, Held]

    @property
    def is_gap(self) -> bool:
        """Whether no barrier that one may know of holds at the step."""
        return not any(each.own or each.others for each in self.held.values())


@dataclass(frozen=True, slots=True)
class Gaps:
    """The steps of the model in use; `elsewhere` counts barriers that other models tell of."""

    model: UUID
    version: int
    document: BarrierModel
    on: date
    steps: Sequence[StepGap]
    elsewhere: int


def register(session: Session, caller: Caller, new: NewBarrier, seen: int | None = None) -> Shown:
    """Register a barrier of the model in use.

    `seen` is the version that the person read: ModelChangedError when another one is in use.
    Raises NoModelError, InvalidRequestError for what contradicts the model or itself, and
    TooManyBarriersError.
    """
    organisation_id, _ = caller.member
    model, version = used(session, organisation_id)
    if seen is not None and seen != version.seq:
        raise ModelChangedError(version=version.seq)
    at = now()
    ends = _ends(new.to_day, new.expires_on, at.date())
    _demand(_faults(new, model_storage.read_kept(version), ends, at.date()))
    if storage.count(session, organisation_id) >= MOST_BARRIERS:
        raise TooManyBarriersError(f"It has {MOST_BARRIERS}.")
    wanted = new.share_class
    row = RegisteredBarrier(
        public_id=new_public_id(at),
        organisation_id=organisation_id,
        version_id=version.id,
        step=new.step,
        barrier_key=new.key,
        country=new.place.country,
        point_operator=new.place.operator,
        point_code=new.place.code,
        from_day=new.from_day,
        to_day=new.to_day,
        cost=new.cost,
        legal_basis=new.legal_basis,
        tlp=new.tlp,
        handling=sorted(each.value for each in new.handling),
        source_grade=new.source_grade,
        information_grade=new.information_grade,
        assertion=new.assertion,
        share_class_id=share_class_ids(session, organisation_id, [wanted])[wanted],
        seen_day=day(at),
        expires_on=ends,
        registered_at=at,
        registered_by=caller.pseudonym,
        changed_at=at,
        changed_by=caller.pseudonym,
    )
    session.add(row)
    session.flush()
    details = {
        "model": str(model.public_id),
        "version": version.seq,
        "step": new.step,
        "barrier": new.key,
        "tlp": new.tlp.value,
        "from": new.from_day.isoformat(),
        "until": new.to_day.isoformat() if new.to_day else "",
        "expires_on": ends.isoformat(),
    }
    _log(session, caller, "barrier.register", row, details)
    return _own(session, caller, row.public_id)


def demand_own(session: Session, caller: Caller, public_id: UUID) -> None:
    """NotFoundError unless the barrier is one's own and its record goes on."""
    _held(session, caller, public_id)


def renew(session: Session, caller: Caller, public_id: UUID, expires_on: date | None) -> Shown:
    """Say that one's own barrier still holds: its record goes on, and counts as new from today.

    Raises NotFoundError, BarrierEndedError, and InvalidRequestError for an end that is too early
    or too late.
    """
    row = _held(session, caller, public_id)
    at = now()
    if row.to_day is not None and row.to_day < at.date():
        raise BarrierEndedError
    ends = _ends(row.to_day, expires_on, at.date())
    _demand(_faults_of_end(row.to_day, ends, at.date()))
    row.expires_on, row.seen_day, row.reminded_at = ends, day(at), None
    return _changed(session, caller, row, "renew", {"expires_on": ends.isoformat()})


def end(session: Session, caller: Caller, public_id: UUID, on: date) -> Shown:
    """Say on which day one's own barrier held last; its record stays until its own end.

    Raises NotFoundError, BarrierEndedError for one that has ended before today, and
    InvalidRequestError for a day before it began or beyond its record.
    """
    row = _held(session, caller, public_id)
    if row.to_day is not None and row.to_day < now().date():
        raise BarrierEndedError
    if not row.from_day <= on < row.expires_on:
        reason = "Give a day from the barrier's first one on, before the end of its record."
        _demand([("on", reason)])
    row.to_day = on
    return _changed(session, caller, row, "end", {"until": on.isoformat()})


def list_barriers(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    *,
    wanted: BarrierFilters | None = None,
    limit: int = 50,
    cursor: UUID | None = None,
) -> Page:
    """One's own barriers and those of others that one may know of for this purpose, newest first.

    Without grounds one's own only.
    """
    reader = reader_of(session, caller, grounds)
    found, following = storage.page(session, reader, wanted or BarrierFilters(), limit, cursor)
    log_read(session, caller, grounds, "barrier.list", found)
    return Page(_all_shown(session, found), following)


def read(session: Session, caller: Caller, grounds: Grounds | None, public_id: UUID) -> Shown:
    """One barrier, one's own or another's that one may know of; NotFoundError for any other."""
    reader = reader_of(session, caller, grounds)
    found = storage.one(session, reader, public_id)
    if found is None:
        raise NotFoundError
    log_read(session, caller, grounds, "barrier.read", [found])
    return _shown(session, found)


def gaps(
    session: Session, caller: Caller, grounds: Grounds | None, country: str | None = None
) -> Gaps:
    """At which steps of the model in use a barrier holds today, and at which none.

    Of all barriers that one may know of for this purpose, without grounds of one's own only; of
    a country those that hold in it. Raises NoModelError.
    """
    organisation_id, _ = caller.member
    model, version = used(session, organisation_id)
    document = model_storage.read_kept(version)
    reader = reader_of(session, caller, grounds)
    filters = BarrierFilters(country=country, holds_on=reader.today)
    found = storage.visible(session, reader, filters)
    steps = gaps_of(document, model.id, found)
    log_read(session, caller, grounds, "barrier.gaps", found)
    return Gaps(
        model=model.public_id,
        version=version.seq,
        document=document,
        on=reader.today,
        steps=steps,
        elsewhere=len(found) - sum(e.own + e.others for s in steps for e in s.held.values()),
    )


def gaps_of(document: BarrierModel, model_id: int, found: Iterable[FoundBarrier]) -> list[StepGap]:
    """The steps of a model with those of the barriers that are of it, by the barriers' keys.

    A key is the same barrier in every version of the model; what this version does not know any
    more counts at no step.
    """
    counted: dict[str, Held] = {}
    for each in found:
        if each.model_id != model_id:
            continue
        held = counted.get(each.barrier.barrier_key, Held())
        counted[each.barrier.barrier_key] = (
            replace(held, own=held.own + 1)
            if each.is_own
            else replace(held, others=held.others + 1)
        )
    return [
        StepGap(
            step.number,
            step.key,
            step.title,
            {each.key: counted.get(each.key, Held()) for each in step.barriers},
        )
        for step in document.steps
    ]


def remind(session: Session) -> int:
    """Tell owners once that the record of a barrier that holds ends soon; up to BATCH, how many."""
    at = now()
    rows = session.scalars(
        select(RegisteredBarrier)
        .where(
            RegisteredBarrier.reminded_at.is_(None),
            RegisteredBarrier.to_day.is_(None),
            RegisteredBarrier.expires_on > at.date(),
            RegisteredBarrier.expires_on <= at.date() + REMINDED,
        )
        .order_by(RegisteredBarrier.id)
        .limit(BATCH)
    ).all()
    for row in rows:
        row.reminded_at = at
        facts = {"barrier": str(row.public_id), "until": row.expires_on.isoformat()}
        address = f"/barriers/{row.public_id}"
        for role in REGISTRARS:
            notify(session, row.organisation_id, role, "barrier.expiring", facts, address)
    session.flush()
    return len(rows)


def erase(session: Session) -> int:
    """Erase up to BATCH barriers whose record has ended; how many."""
    rows = session.execute(
        select(RegisteredBarrier.id, RegisteredBarrier.public_id, RegisteredBarrier.organisation_id)
        .where(RegisteredBarrier.expires_on <= now().date())
        .order_by(RegisteredBarrier.expires_on, RegisteredBarrier.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    ids = [row.id for row in rows]
    session.execute(delete(RegisteredBarrier).where(RegisteredBarrier.id.in_(ids)))
    session.expire_all()
    members = directory(session)
    by_owner: dict[str, list[str]] = {}
    for row in rows:
        by_owner.setdefault(members[row.organisation_id].code, []).append(str(row.public_id))
    for code, objects in sorted(by_owner.items()):
        append(
            session,
            CONSOLE,
            "barrier.erase",
            audience=[code],
            object_type="barrier",
            objects=objects,
        )
    return len(rows)


_Fault = tuple[str, str]


def _ends(to_day: date | None, expires_on: date | None, today: date) -> date:
    """The end of a record: as asked for, else a while after the barrier's last day or today."""
    return expires_on or max(to_day or today, today) + USUAL


def _faults(new: NewBarrier, document: BarrierModel, ends: date, today: date) -> list[_Fault]:
    faults = _faults_of_end(new.to_day, ends, today)
    if new.step > len(document.steps):
        faults.append(("step", f"The model in use has {len(document.steps)} steps."))
    elif new.key not in {each.key for each in document.steps[new.step - 1].barriers}:
        faults.append(("barrier", "This step of the model in use has no such barrier."))
    if not EARLIEST <= new.from_day <= today + LONGEST:
        faults.append(("from", f"Give a day from {EARLIEST:%Y} on, within three years from now."))
    if new.to_day is not None and new.to_day < new.from_day:
        faults.append(("until", "It ends before it begins."))
    place = new.place
    if (place.operator is None) != (place.code is None):
        faults.append(("point", "Give operator and code, or neither."))
    if place.operator is not None and place.country is None:
        faults.append(("country", "Give the country of the induction point."))
    if HANDLING_AGAINST_TLP[new.tlp] & new.handling:
        faults.append(("handling", "It contradicts the marking; change one of the two."))
    return faults


def _faults_of_end(to_day: date | None, ends: date, today: date) -> list[_Fault]:
    latest = max(to_day or today, today) + LONGEST
    if ends <= today:
        return [("expires_on", "Give a day after today.")]
    if ends > latest:
        return [("expires_on", "Give a day within three years of the barrier's end or of today.")]
    return []


def _demand(faults: Sequence[_Fault]) -> None:
    if faults:
        raise InvalidRequestError(
            errors=[{"field": f"json.{field}", "reason": reason} for field, reason in faults]
        )


def _held(session: Session, caller: Caller, public_id: UUID) -> RegisteredBarrier:
    organisation_id, _ = caller.member
    row = storage.held(session, organisation_id, public_id)
    if row is None or row.expires_on <= now().date():
        raise NotFoundError
    return row


def _changed(
    session: Session,
    caller: Caller,
    row: RegisteredBarrier,
    step: str,
    details: Mapping[str, object],
) -> Shown:
    row.changed_at, row.changed_by = now(), caller.pseudonym
    session.flush()
    _log(session, caller, "barrier.change", row, {"step": step, **details})
    return _own(session, caller, row.public_id)


def _own(session: Session, caller: Caller, public_id: UUID) -> Shown:
    found = storage.one(session, reader_of(session, caller, None), public_id)
    if found is None:
        raise NotFoundError
    return _shown(session, found)


def _shown(session: Session, found: FoundBarrier) -> Shown:
    (shown,) = _all_shown(session, [found])
    return shown


def _all_shown(session: Session, found: Sequence[FoundBarrier]) -> list[Shown]:
    """Each with the policy that let it be known; a reason that several share is read once."""
    reasons = decided(session, _reason_ids(found))
    rules = {reason_id: labels(session, reason) for reason_id, reason in reasons.items()}
    return [
        Shown(
            found=each,
            document=model_storage.read_kept(each.version),
            policy=reasons[each.grant_reason_id].name if each.grant_reason_id is not None else None,
            rules=rules[each.grant_reason_id] if each.grant_reason_id is not None else (),
        )
        for each in found
    ]


def _reason_ids(found: Sequence[FoundBarrier]) -> list[int]:
    return [each.grant_reason_id for each in found if each.grant_reason_id is not None]


def _log(
    session: Session,
    caller: Caller,
    act: str,
    row: RegisteredBarrier,
    details: Mapping[str, object],
) -> None:
    append(
        session,
        caller,
        act,
        object_type="barrier",
        objects=[str(row.public_id)],
        details=details,
    )


def log_read(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    act: str,
    found: Sequence[FoundBarrier],
    *,
    more: Mapping[str, Any] | None = None,
) -> None:
    """The reader's entry, with `more` details, and that of each other owner if it is to be told."""
    reasons = decided(session, _reason_ids(found))
    objects = [str(each.barrier.public_id) for each in found]
    is_one = act == "barrier.read"
    append(
        session,
        caller,
        act,
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="barrier",
        objects=objects if is_one else (),
        count=len(found),
        details={
            # Not `objects`: a barrier is not to be found by every page on which it was listed.
            **({"listed": objects} if act == "barrier.list" else {}),
            "policies": sorted({each.name for each in reasons.values()}),
            **(more or {}),
        },
    )
    if grounds is None:
        return
    told = [
        Told(
            each.owner.code,
            str(each.barrier.public_id),
            CHAIN[each.level - 1],
            each.grant_reason_id,
        )
        for each in found
        if each.tells_owner and each.grant_reason_id is not None
    ]
    tell_owners(
        session, caller, "barrier.shared", grounds, told=told, by=act, object_type="barrier"
    )
