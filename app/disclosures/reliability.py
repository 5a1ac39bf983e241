"""How reliable indicators turn out, by source grade, how they were learned, kind and barrier step.

Counted from outcomes that stand; small counts are hidden (`app.small_counts`). An organisation
reads three kinds of tables: of its own indicators, of what it told itself, and by the sector of
their owners what others told of indicators that it was given. No owner is named in the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.disclosures.models import Outcome
from app.indicators.ledger import METADATA
from app.indicators.models import Given
from app.organisations.service import directory
from app.small_counts import Counts, Table, told
from postern.vocabulary import Kind, Learned, OutcomeResult, Sector, SourceGrade, Step


@dataclass(frozen=True, slots=True)
class Group:
    """Of what kind the indicators of a row are; `barrier_step` is None where reports name none."""

    source_grade: SourceGrade
    learned: Learned
    kind: Kind
    barrier_step: int | None


@dataclass(frozen=True, slots=True)
class OfSector:
    """What others told of indicators of owners of one sector, as far as they were given to one."""

    sector: Sector
    table: Table[Group]


@dataclass(frozen=True, slots=True)
class Reliability:
    """The tables: of one's own indicators, of what was told by oneself, and by sector of others."""

    own: Table[Group]
    told: Table[Group]
    others: Sequence[OfSector]


def read(session: Session, caller: Caller) -> Reliability:
    """The tables of the caller's organisation; a sector with too few outcomes is left out."""
    organisation_id, _ = caller.member
    found = Reliability(
        own=told(_counted(session, Outcome.owner_id == organisation_id)),
        told=told(_counted(session, Outcome.teller_id == organisation_id)),
        others=_by_sector(session, organisation_id),
    )
    rows = len(found.own.rows) + len(found.told.rows)
    rows += sum(len(each.table.rows) for each in found.others)
    append(session, caller, "outcome.count", object_type="outcome", count=rows)
    return found


def _by_sector(session: Session, organisation_id: int) -> list[OfSector]:
    was_given = (
        select(Given.indicator)
        .where(
            Given.indicator == Outcome.indicator,
            Given.recipient_id == organisation_id,
            Given.level >= METADATA,
        )
        .exists()
    )
    tables = []
    for sector, owners in _owners(session, organisation_id).items():
        counted = _counted(
            session,
            Outcome.owner_id.in_(owners),
            # One's own would let one compute what the few others told.
            Outcome.teller_id != organisation_id,
            was_given,
        )
        table = told(counted)
        if table.rows:
            tables.append(OfSector(sector, table))
    return tables


def _owners(session: Session, organisation_id: int) -> Mapping[Sector, list[int]]:
    """Every other organisation, by its sector."""
    found: dict[Sector, list[int]] = {sector: [] for sector in Sector}
    for owner_id, member in directory(session).items():
        if owner_id != organisation_id:
            found[member.sector].append(owner_id)
    return found


def _counted(session: Session, *conditions: ColumnElement[bool]) -> dict[Group, Counts]:
    rows = session.execute(
        select(
            Outcome.source_grade,
            Outcome.learned,
            Outcome.kind,
            Outcome.barrier_step,
            func.count(),
            *(func.count().filter(column == Step.YES) for column in _STEPS),
            *(func.count().filter(Outcome.result == result) for result in _RESULTS),
        )
        .where(Outcome.replaced_at.is_(None), *conditions)
        .group_by(Outcome.source_grade, Outcome.learned, Outcome.kind, Outcome.barrier_step)
    ).all()
    found = {Group(*row[:4]): Counts(*row[4:]) for row in rows}
    return {group: found[group] for group in sorted(found, key=_order)}


def _order(group: Group) -> tuple[int, int, int, int]:
    return (
        list(SourceGrade).index(group.source_grade),
        list(Learned).index(group.learned),
        list(Kind).index(group.kind),
        group.barrier_step or 0,
    )


_STEPS = (Outcome.asked, Outcome.located, Outcome.held, Outcome.examined)
_RESULTS = (OutcomeResult.FOUND, OutcomeResult.NOT_FOUND, OutcomeResult.ERROR)
