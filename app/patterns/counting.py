"""Counts that organisations tell back: parcels and hits of a run, and what examining showed.

A count is for one version and one day, and stands once for each organisation: told again, the
newest stands. Nothing of a parcel is told.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import InvalidRequestError, NotFoundError
from app.patterns.models import (
    PatternOutcome,
    PatternRun,
    PatternSubscription,
    PatternVersion,
    SharedPattern,
    VersionState,
)

OLDEST = timedelta(days=366)  # a day that counts may be told of
MOST_PARCELS = 10**10  # of one day
MOST_EXAMINED = 10**7


@dataclass(frozen=True, slots=True)
class Examined:
    """What examining parcels that hit showed; `wrong`: the rule should not have hit."""

    examined: int
    found: int
    not_found: int
    wrong: int


def tell_run(  # noqa: PLR0917 - the parts of one count
    session: Session,
    caller: Caller,
    public_id: UUID,
    version: int,
    on: date,
    parcels: int,
    hits: int,
) -> None:
    """Tell how many parcels were screened with a version on a day, and how many hit.

    NotFoundError for a version that the organisation was not given; InvalidRequestError for counts
    that contradict each other and for a day to come or more than OLDEST ago.
    """
    wrong = _day_faults(on)
    if not 0 <= hits <= parcels <= MOST_PARCELS:
        wrong.append(_fault("hits", "There are from 0 up to as many hits as parcels."))
    version_id = _given(session, caller, public_id, version)
    _demand(wrong)
    _keep(session, caller, PatternRun, version_id, on, {"parcels": parcels, "hits": hits})
    _log(session, caller, "pattern.run", public_id, version, on)


def tell_outcomes(  # noqa: PLR0917 - as above
    session: Session, caller: Caller, public_id: UUID, version: int, on: date, counts: Examined
) -> None:
    """Tell what examining parcels that hit on a day showed; errors as of `tell_run`."""
    wrong = _day_faults(on)
    parts = (counts.found, counts.not_found, counts.wrong)
    if min(parts) < 0 or sum(parts) != counts.examined or counts.examined > MOST_EXAMINED:
        reason = "Examined is the sum of found, not_found and wrong: count what is judged."
        wrong.append(_fault("examined", reason))
    version_id = _given(session, caller, public_id, version)
    _demand(wrong)
    values = {
        "examined": counts.examined,
        "found": counts.found,
        "not_found": counts.not_found,
        "wrong": counts.wrong,
    }
    _keep(session, caller, PatternOutcome, version_id, on, values)
    _log(session, caller, "pattern.outcome", public_id, version, on)


def _given(session: Session, caller: Caller, public_id: UUID, seq: int) -> int:
    """The inner key of a published version of one's own, or of one that one was given.

    Who was given it may tell of it when it is over, or withdrawn: that it was there is known.
    """
    organisation_id, _ = caller.member
    found = session.execute(
        select(PatternVersion.id, PatternVersion.organisation_id, PatternSubscription.given)
        .join(SharedPattern, SharedPattern.id == PatternVersion.pattern_id)
        .outerjoin(
            PatternSubscription,
            (PatternSubscription.pattern_id == SharedPattern.id)
            & (PatternSubscription.organisation_id == organisation_id),
        )
        .where(
            SharedPattern.public_id == public_id,
            PatternVersion.seq == seq,
            PatternVersion.state == VersionState.PUBLISHED,
        )
    ).one_or_none()
    if found is None or (
        found.organisation_id != organisation_id and seq not in (found.given or ())
    ):
        raise NotFoundError
    return int(found.id)


def _keep(  # noqa: PLR0917 - a row by its key
    session: Session,
    caller: Caller,
    table: type[PatternRun] | type[PatternOutcome],
    version_id: int,
    on: date,
    counts: dict[str, int],
) -> None:
    organisation_id, _ = caller.member
    values: dict[str, Any] = {**counts, "told_at": now()}
    key = {"organisation_id": organisation_id, "version_id": version_id, "day": on}
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    session.execute(
        make(table)
        .values({**key, **values})
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )


def _log(  # noqa: PLR0917 - the parts of one entry
    session: Session, caller: Caller, act: str, public_id: UUID, version: int, on: date
) -> None:
    append(
        session,
        caller,
        act,
        object_type="pattern",
        objects=[str(public_id)],
        details={"version": version, "day": on.isoformat()},
    )


def _day_faults(on: date) -> list[dict[str, str]]:
    today = now().date()
    if today - OLDEST <= on <= today:
        return []
    return [_fault("day", f"Name a day of the last {OLDEST.days}, none to come.")]


def _fault(field: str, reason: str) -> dict[str, str]:
    return {"field": f"json.{field}", "reason": reason}


def _demand(wrong: list[dict[str, str]]) -> None:
    if wrong:
        raise InvalidRequestError(errors=wrong)
