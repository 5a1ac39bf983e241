"""That an organisation saw again what an indicator is about: taken of what it sees, told by policy.

A sighting is of the STIX id under which one of the organisation's own collections names the
indicator. Whether it sees that indicator is asked again, by the one predicate. Where the owner's
policy lets it be told, its log, its people and its own collections tell it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.exchange import sighting_entries, view_queue
from app.exchange.adding_models import NAME_LENGTH, ExchangeSighting
from app.exchange.models import CollectionKind, ExchangeCollection, ExchangeEntry
from app.exchange.sent import NAMES_AT_ONCE, Run, Seen, microseconds_of
from app.exchange.statuses import Outcome
from app.indicators import shared_rows
from app.indicators.hooks import Ending
from app.indicators.reading import FIRST_DAY
from app.indicators.shared_rows import Found, Reader
from app.indicators.telling import Grounds, Told, tell_owners
from app.jobs.models import Notification
from app.jobs.notifications import notify
from app.sharing.service import profile_id
from postern.vocabulary import LegalBasis, Purpose, Role

SWEPT = 1000  # sightings that one call of `sweep` erases

TOLD = "sighting.told"
"""The notification of an owner: at most one for each indicator and day."""

_NOT_HERE = (
    "sighting_of_ref: There is nothing of this id for you here. "
    "Send the sighting of an indicator that your organisation gets from one of its collections."
)
_OTHER = (
    "sighting_of_ref: What was sighted cannot change. "
    "Revoke the sighting and send the right one under a new id."
)
_OLDER = "A later version of it is here already; this one was not kept."
_NEVER_HERE = "It was never here, so there was nothing to withdraw."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the organisation's collections name an indicator."""

    indicator: UUID
    grounds: Grounds | None  # None: it is one's own


def store(run: Run, seen: Sequence[Seen]) -> dict[int, Outcome]:
    """Keep sightings of what the caller's organisation sees; the others are refused."""
    if not seen:
        return {}
    known = _known(run.session, run.organisation_id, seen)
    places = _places(run, {each.object.of for each in seen})
    outcomes: dict[int, Outcome] = {}
    followed: list[ExchangeSighting] = []
    for each in sorted(seen, key=lambda one: one.version):
        row = known.get(each.object.id)
        if row is not None and each.version <= row.version:
            outcomes[each.place] = _outcome(each, _OLDER if each.version < row.version else "")
        elif each.object.revoked:
            outcomes[each.place] = _take_back(run, each, known.pop(each.object.id, None))
            followed += [row] if row is not None else []
        else:
            kept = _keep(run, each, row, places.get(each.object.of, ()))
            if isinstance(kept, str):
                outcomes[each.place] = _outcome(each, kept, is_success=False)
            else:
                known[each.object.id] = kept
                followed.append(kept)
                outcomes[each.place] = _outcome(each)
    # The worker writes the logs: whoever locks a log has locked all indicators before.
    asked = {(row.organisation_id, row.stix_id, str(row.indicator)) for row in followed}
    view_queue.ask_sightings(run.session, sorted(asked))
    return outcomes


def forget(session: Session, _caller: Caller, ending: Ending) -> None:
    """With an indicator end its sightings: a hook."""
    for start in range(0, len(ending.indicators), NAMES_AT_ONCE):
        part = ending.indicators[start : start + NAMES_AT_ONCE]
        _erase(session, ExchangeSighting.indicator.in_(part))


def sweep(session: Session) -> int:
    """Erase sightings whose last day is over; how many. A duty calls it until nothing is left."""
    over = session.scalars(
        select(ExchangeSighting.id)
        .where(ExchangeSighting.expires_on <= clock.day(clock.now()))
        .limit(SWEPT)
    ).all()
    if over:
        _erase(session, ExchangeSighting.id.in_(over))
        append(session, CONSOLE, "exchange.sweep", object_type="indicator", count=len(over))
    return len(over)


def _erase(session: Session, condition: ColumnElement[bool]) -> None:
    sighting_entries.erase_sent(session, condition)
    session.execute(delete(ExchangeSighting).where(condition))


def _known(
    session: Session, organisation_id: int, seen: Sequence[Seen]
) -> dict[str, ExchangeSighting]:
    wanted = sorted({each.object.id for each in seen})
    found: dict[str, ExchangeSighting] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        rows = session.scalars(
            select(ExchangeSighting).where(
                ExchangeSighting.organisation_id == organisation_id,
                ExchangeSighting.stix_id.in_(wanted[start : start + NAMES_AT_ONCE]),
            )
        )
        found |= {row.stix_id: row for row in rows}
    return found


def _places(run: Run, stix_ids: set[str]) -> dict[str, list[_Place]]:
    wanted = sorted(each for each in stix_ids if len(each) <= NAME_LENGTH)
    found: dict[str, list[_Place]] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        rows = run.session.execute(
            select(
                ExchangeEntry.stix_id,
                ExchangeEntry.indicator,
                ExchangeCollection.kind,
                ExchangeCollection.purpose,
                ExchangeCollection.legal_basis,
            )
            .join(ExchangeCollection, ExchangeCollection.id == ExchangeEntry.collection_id)
            .where(
                ExchangeCollection.organisation_id == run.organisation_id,
                ExchangeCollection.ended_at.is_(None),
                ExchangeCollection.expires_on > run.at.date(),
                ExchangeEntry.stix_id.in_(wanted[start : start + NAMES_AT_ONCE]),
                ExchangeEntry.is_last,
                ExchangeEntry.is_main,
                ~ExchangeEntry.is_revoked,
                ExchangeEntry.indicator.is_not(None),
            )
            .order_by(ExchangeEntry.stix_id, ExchangeCollection.id)
        )
        for row in rows:
            grounds = None
            if row.kind is not CollectionKind.OWN:
                grounds = Grounds(row.purpose, row.legal_basis, "")
            found.setdefault(row.stix_id, []).append(_Place(row.indicator, grounds))
    return found


def _take_back(run: Run, seen: Seen, row: ExchangeSighting | None) -> Outcome:
    if row is None:
        return _outcome(seen, _NEVER_HERE)
    run.session.delete(row)
    run.session.flush()
    run.done["unsighted"] += 1
    return _outcome(seen)


def _keep(
    run: Run, seen: Seen, row: ExchangeSighting | None, places: Sequence[_Place]
) -> ExchangeSighting | str:
    """The row of the sighting; else why it is not taken."""
    visible = _visible(run, places)
    if visible is None:
        return _NOT_HERE
    found, grounds = visible
    if row is not None and row.indicator != found.public_id:
        return _OTHER
    if row is None:
        row = ExchangeSighting(
            organisation_id=run.organisation_id,
            stix_id=seen.object.id,
            created=microseconds_of(seen.object.created),
            indicator=found.public_id,
            created_at=run.at,
        )
        run.session.add(row)
    row.version = seen.version
    row.named = seen.object.of
    row.tells_owner = found.tells_owner
    row.times = seen.object.count
    row.first_seen = seen.object.first_seen
    row.last_seen = seen.object.last_seen
    row.expires_on = (found.shared.indicator["expires_on"] - FIRST_DAY).days
    run.session.flush()
    _tell(run, found, grounds)
    run.done["sighted"] += 1
    return row


def _visible(run: Run, places: Sequence[_Place]) -> tuple[Found, Grounds] | None:
    organisation_id, session = run.organisation_id, run.session
    for place in places:
        grounds = place.grounds or _OWN_GROUNDS
        profile = profile_id(
            session, organisation_id, Role.ANALYST, grounds.purpose, grounds.legal_basis
        )
        found = shared_rows.one(session, Reader(organisation_id, profile, run.at), place.indicator)
        is_own = found is not None and found.organisation_id == organisation_id
        if found is not None and (is_own or place.grounds is not None):
            return found, grounds
    return None


def _tell(run: Run, found: Found, grounds: Grounds) -> None:
    if found.tells_owner:
        told = Told(
            found.shared.organisation.code,
            str(found.public_id),
            found.shared.level,
            found.grant_reason_id,
        )
        tell_owners(run.session, run.caller, "exchange.sighted", grounds, told=[told])
        if found.organisation_id != run.organisation_id:
            _notify(run, found)


def _notify(run: Run, found: Found) -> None:
    """Tell the owner's people, if they were not told of this indicator today."""
    facts = {"organisation": run.caller.organisation, "indicator": str(found.public_id)}
    address = f"/reports/{found.shared.report.id}"
    today = run.session.scalars(
        select(Notification.facts).where(
            Notification.organisation_id == found.organisation_id,
            Notification.kind == TOLD,
            Notification.address == address,
            Notification.made_at >= run.at.replace(hour=0, minute=0, second=0, microsecond=0),
        )
    )
    if all(each["indicator"] != facts["indicator"] for each in today):
        for role in (Role.SUBMITTER, Role.ANALYST):
            notify(run.session, found.organisation_id, role, TOLD, facts, address)


def _outcome(seen: Seen, message: str = "", *, is_success: bool = True) -> Outcome:
    return Outcome(seen.object.id, seen.text, is_success, message)


_OWN_GROUNDS = Grounds(Purpose.SERVICE_SECURITY, LegalBasis.LEGAL_OBLIGATION, "")
"""Of what is one's own the predicate lets its owner see everything, whatever the grounds."""
