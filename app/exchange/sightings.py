"""That an organisation saw again what an indicator is about: taken of what it sees, told by policy.

A sighting is of the STIX id under which one of the organisation's own collections names the
indicator. Whether it sees that indicator is asked again, by the one predicate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.exchange.adding_models import NAME_LENGTH, ExchangeSighting
from app.exchange.models import CollectionKind, ExchangeCollection, ExchangeEntry
from app.exchange.sent import NAMES_AT_ONCE, Run, Seen
from app.exchange.statuses import Outcome
from app.indicators import shared_rows
from app.indicators.hooks import Ending
from app.indicators.reading import FIRST_DAY
from app.indicators.shared_rows import Found, Reader
from app.indicators.telling import Grounds, Told, tell_owners
from app.sharing.service import profile_id
from postern.vocabulary import LegalBasis, Purpose, Role

SWEPT = 1000  # sightings that one call of `sweep` erases

_NOT_HERE = (
    "sighting_of_ref: There is nothing of this id for you here. "
    "Send the sighting of an indicator that your organisation gets from one of its collections."
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
    for each in sorted(seen, key=lambda one: one.version):
        row = known.get(each.object.id)
        if row is not None and each.version <= row.version:
            outcomes[each.place] = _outcome(each, _OLDER if each.version < row.version else "")
        elif each.object.revoked:
            outcomes[each.place] = _take_back(run, each, known.pop(each.object.id, None))
        else:
            kept = _keep(run, each, row, places.get(each.object.of, ()))
            if kept is None:
                outcomes[each.place] = _outcome(each, _NOT_HERE, is_success=False)
            else:
                known[each.object.id] = kept
                outcomes[each.place] = _outcome(each)
    return outcomes


def forget(session: Session, _caller: Caller, ending: Ending) -> None:
    """With an indicator end its sightings: a hook."""
    for start in range(0, len(ending.indicators), NAMES_AT_ONCE):
        part = ending.indicators[start : start + NAMES_AT_ONCE]
        session.execute(delete(ExchangeSighting).where(ExchangeSighting.indicator.in_(part)))


def sweep(session: Session) -> int:
    """Erase sightings whose last day is over; how many. A duty calls it until nothing is left."""
    over = session.scalars(
        select(ExchangeSighting.id)
        .where(ExchangeSighting.expires_on <= clock.day(clock.now()))
        .limit(SWEPT)
    ).all()
    if over:
        session.execute(delete(ExchangeSighting).where(ExchangeSighting.id.in_(over)))
        append(session, CONSOLE, "exchange.sweep", object_type="indicator", count=len(over))
    return len(over)


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
) -> ExchangeSighting | None:
    """The row of the sighting; None where its organisation does not see what was sighted."""
    visible = _visible(run, places)
    if visible is None:
        return None
    found, grounds = visible
    if row is None:
        row = ExchangeSighting(
            organisation_id=run.organisation_id, stix_id=seen.object.id, created_at=run.at
        )
        run.session.add(row)
    row.version = seen.version
    row.indicator = found.public_id
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


def _outcome(seen: Seen, message: str = "", *, is_success: bool = True) -> Outcome:
    return Outcome(seen.object.id, seen.text, is_success, message)


_OWN_GROUNDS = Grounds(Purpose.SERVICE_SECURITY, LegalBasis.LEGAL_OBLIGATION, "")
"""Of what is one's own the predicate lets its owner see everything, whatever the grounds."""
