"""The board: what was reported at which step, what came of it, and which barriers hold there.

All that is not one's own is told by `board_cells.told_cells` alone; what the methods say of others
is computed of that (`analysing`). One's own is exact. Everything is of the last closing
(`closing`), in fours of weeks that are over. There are no filters. Nobody gets a report, so no
owner of one is told; whose barriers are told of learns it, as when they are listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.barriers import barrier_storage, model_storage
from app.barriers.analysing import Analysis, Asked, Registered, analysed, point_name
from app.barriers.barrier_storage import FoundBarrier
from app.barriers.board_cells import Told
from app.barriers.closing import PERIODS, last_period, newest_closing
from app.barriers.methods.changes import Setting
from app.barriers.methods.disclosure_control import Figure, Grain, first_day
from app.barriers.methods.risk import Weights
from app.barriers.model import BarrierModel
from app.barriers.modelling import used
from app.barriers.models import ModelState, ModelVersion, RegisteredBarrier
from app.barriers.registering import StepGap, gaps_of, log_read
from app.barriers.remembered import Remembered
from app.barriers.risk_weights import read_weights
from app.barriers.told_counts import Counting, TellableCounts, competes, told_counts
from app.disclosures.models import Outcome
from app.errors import ConflictError
from app.indicators.telling import Grounds
from app.organisations.models import Organisation
from app.patterns.storage import Reader
from app.patterns.storage import reader as reader_of
from app.small_counts import Counts
from postern.vocabulary import LegalBasis, OutcomeResult, Purpose, Step

MOST_EFFECTS = 40
"""Barriers whose effect is told, those that began last."""

_WEIGHTS = Path(__file__).parent.parent.parent / "policies" / "barriers" / "risk-weights.yml"


class NotCountedError(ConflictError):
    code = "board-not-counted"
    title = "No week was counted yet"
    remedy = "Ask again when the duty barriers.count has run; it counts on Mondays."


class OneGroundError(ConflictError):
    code = "board-one-ground"
    title = "Operators are told the board for one purpose on one legal basis"
    remedy = "Ask for risk_analysis on postal_law, or without a purpose for your own figures."


@dataclass(frozen=True, slots=True)
class Board:
    """What one reader is told. `periods` are the numbers of fours of weeks, the oldest first.

    `as_of` is the day as of whose beginning reports were counted. `others_steady` are the periods
    in which the same classes of others may be counted: only those are compared.
    """

    as_of: date
    periods: Sequence[int]
    others_steady: Sequence[int]
    told: Told
    own: Analysis
    others: Analysis
    outcomes: Mapping[int, Counts]  # of one's own reports, by step; 0: of none
    model: UUID
    version: int
    document: BarrierModel
    gaps: Sequence[StepGap]
    barriers: Sequence[FoundBarrier]  # all that the reader may know of, oldest first
    on: date  # the day on which barriers of `gaps` hold


def board(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    *,
    changed: date | None = None,
    together: Sequence[str] = (),
    weights: Weights | None = None,
) -> Board:
    """The board of a reader for this purpose; without grounds of the own organisation alone.

    `changed` is the day before and after which countries are compared, by default the middle of the
    time; `together` names countries of origin that are looked at as one, and is to be chosen before
    one knows the counts (methods.displacement); `weights` are by default those that are shipped.
    Raises NotCountedError, NoModelError, and OneGroundError where an operator asks for another
    purpose than the one that it is told for.
    """
    reader = reader_of(session, caller, grounds)
    week = newest_closing(session)
    if week is None:
        raise NotCountedError
    model, version = used(session, reader.organisation_id)
    periods = range(last_period(week) + 1 - PERIODS, last_period(week) + 1)
    apart = _competes(session, reader, grounds)
    counts = told_counts(
        session,
        Counting(reader.organisation_id, reader.profile_id, reader.at, apart),
    )
    told = counts.told
    steady = [each for each in periods if each * Grain.FOUR_WEEKS >= counts.steady_since]
    found = barrier_storage.visible(session, reader)
    document = model_storage.read_kept(version)
    asked = Asked(
        periods,
        weights or shipped_weights(),
        changed,
        barriers=_registered(found, periods),
        versions=_versions(session, model.id),
        together=together,
        beside=[_setting(each.barrier).setting for each in found],
    )
    more = {"as_of": first_day(week + 1).isoformat(), "cells": len(told.others)}
    log_read(session, caller, grounds, "barrier.board", found, more=more)
    return Board(
        as_of=first_day(week + 1),
        periods=periods,
        others_steady=steady,
        told=told,
        own=_own(counts, asked),
        others=_others(counts, replace(asked, periods=steady)),
        outcomes=_outcomes(session, reader.organisation_id),
        model=model.public_id,
        version=version.seq,
        document=document,
        gaps=gaps_of(document, model.id, [each for each in found if holds(each, reader.today)]),
        barriers=found,
        on=reader.today,
    )


REMEMBERED: Remembered[tuple[bytes, bool, str], Analysis] = Remembered(128)
"""What the methods said last in this process: of which counts, whether of one's own, of what."""


def _own(counts: TellableCounts, asked: Asked) -> Analysis:
    own = counts.told.own

    def made() -> Analysis:
        return analysed(lambda name: Figure(own.get(name, 0), 0.0), own, asked)

    if counts.fingerprint is None:
        return made()
    return REMEMBERED.get((counts.fingerprint, True, repr(asked)), made)


def _others(counts: TellableCounts, asked: Asked) -> Analysis:
    others = counts.told.others

    def made() -> Analysis:
        return analysed(others.get, others, asked)

    if counts.fingerprint is None:
        return made()
    return REMEMBERED.get((counts.fingerprint, False, repr(asked)), made)


@lru_cache
def shipped_weights() -> Weights:
    """The weights of the risk analysis that are shipped."""
    return read_weights(_WEIGHTS.read_text("utf-8"))


def _competes(session: Session, reader: Reader, grounds: Grounds | None) -> bool:
    """Whether the reader must not learn the volumes of others, who compete with it.

    With one purpose and basis only: subtracting what it is told for one from what it is told for
    another would tell what the policy of a competitor opens to the one alone.
    """
    sector = session.scalars(
        select(Organisation.sector).where(Organisation.id == reader.organisation_id)
    ).one()
    apart = competes(sector)
    if apart and grounds is not None and (grounds.purpose, grounds.legal_basis) != _ONE_GROUND:
        raise OneGroundError
    return apart


def _registered(found: Sequence[FoundBarrier], periods: Sequence[int]) -> list[Registered]:
    """The barriers that began within the time and have a place, the last ones first."""
    first = first_day(periods[0] * Grain.FOUR_WEEKS)
    last = first_day((periods[-1] + 1) * Grain.FOUR_WEEKS)
    rows = [each.barrier for each in found]
    placed = [each for each in rows if each.country and first <= each.from_day < last]
    placed.sort(key=lambda each: (each.from_day, each.public_id), reverse=True)
    return [_setting(each) for each in placed[:MOST_EFFECTS]]


def _setting(row: RegisteredBarrier) -> Registered:
    country = row.country or ""
    point = (country, row.point_operator or "", row.point_code) if row.point_code else None
    place = row.country if point is None else point_name(point)
    setting = Setting(str(row.public_id), row.from_day, row.to_day, row.step, place)
    return Registered(setting, country, point)


def _versions(session: Session, model_id: int) -> dict[str, date]:
    """The versions of the model by their numbers, each with the day from which it was in force."""
    rows = session.execute(
        select(ModelVersion.seq, ModelVersion.decided_at).where(
            ModelVersion.model_id == model_id, ModelVersion.state == ModelState.PUBLISHED
        )
    )
    return {str(seq): decided_at.date() for seq, decided_at in rows if decided_at is not None}


def holds(found: FoundBarrier, on: date) -> bool:
    """Whether a barrier holds on that day."""
    ends = found.barrier.to_day
    return found.barrier.from_day <= on and (ends is None or ends >= on)


def _outcomes(session: Session, organisation_id: int) -> dict[int, Counts]:
    """What was told of one's own indicators, by the step of their report, exactly."""
    steps = (Outcome.asked, Outcome.located, Outcome.held, Outcome.examined)
    results = (OutcomeResult.FOUND, OutcomeResult.NOT_FOUND, OutcomeResult.ERROR)
    step = func.coalesce(Outcome.barrier_step, 0)
    rows = session.execute(
        select(
            step,
            func.count(),
            *(func.sum(case((each == Step.YES, 1), else_=0)) for each in steps),
            *(func.sum(case((Outcome.result == each, 1), else_=0)) for each in results),
        )
        .where(Outcome.owner_id == organisation_id, Outcome.replaced_at.is_(None))
        .group_by(step)
    )
    return {number: Counts(*(int(each) for each in numbers)) for number, *numbers in rows}


_ONE_GROUND = (Purpose.RISK_ANALYSIS, LegalBasis.POSTAL_LAW)
