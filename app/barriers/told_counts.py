"""The counts that a profile is told, kept as long as nothing that decides them changes.

What decides them: the closing, whose reports are counted, what the profile may list in bulk (by
whole weeks), and the rules for competitors. Their fingerprint is computed anew each time, so that a
policy, a suspension or a week that grows too old acts at once; the counts only where it differs.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.barriers.board_cells import MOST_CORRIDORS, Told, told_cells
from app.barriers.methods.disclosure_control import Figure, week_of
from app.barriers.remembered import Remembered
from app.barriers.shapes import Span
from app.barriers.stat_models import StatClosing, StatTold
from app.barriers.visible_counts import (
    CellName,
    Kind,
    classes_of_others,
    counted,
    visible_spans,
)
from app.organisations.models import Organisation
from app.sharing.grants import insert_new
from app.sharing.models import Profile
from postern.vocabulary import Sector

BATCH = 20  # profiles of one call
_COMPETING = frozenset({Sector.POST, Sector.COURIER})
_ASKED_LATELY = timedelta(days=30)
_NOTED = timedelta(days=1)  # after which it is noted anew that a profile asked
_LAYOUT = 2  # raised when the cells or the rules of telling them change


@dataclass(frozen=True, slots=True)
class Counting:
    """For whom is counted: the organisation, its profile (None: its own alone), the moment.

    `asked_at` is when the profile asked last; None: now.
    """

    organisation_id: int
    profile_id: int | None
    at: datetime
    competes: bool
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TellableCounts:
    """What is told, and the first week since which all of it could be seen alike."""

    told: Told
    steady_since: int
    fingerprint: bytes | None  # of all that decides them; None: they were not kept


REMEMBERED: Remembered[bytes, TellableCounts] = Remembered(32)
"""The counts that this process read last, by their fingerprints. Each may take some megabytes."""


def told_counts(session: Session, reader: Counting) -> TellableCounts:
    """What the reader is told now of the last closing."""
    if reader.profile_id is None:
        return _counted(session, reader, (), None)
    closing = session.execute(
        select(StatClosing.week, StatClosing.mark)
        .where(StatClosing.done_at.is_not(None))
        .order_by(StatClosing.week.desc())
        .limit(1)
    ).one()
    today = reader.at.date()
    spans = visible_spans(session, reader.profile_id, reader.at, closing.week)
    decided = [
        *(_LAYOUT, closing.week, closing.mark),
        week_of(today),  # on Mondays records end
        *(reader.organisation_id, reader.competes, spans),
    ]
    fingerprint = hashlib.sha256(json.dumps(decided).encode()).digest()
    mine = StatTold.profile_id == reader.profile_id
    kept = session.execute(
        select(StatTold.fingerprint, StatTold.asked_at).where(mine)
    ).one_or_none()
    asked_at = reader.asked_at or reader.at
    if kept is not None and kept.fingerprint == fingerprint:
        if asked_at - kept.asked_at > _NOTED:
            session.execute(update(StatTold).where(mine).values(asked_at=asked_at))
        return REMEMBERED.get(fingerprint, lambda: _kept(session, reader, fingerprint))
    found = _counted(session, reader, spans, fingerprint)
    row = {"fingerprint": fingerprint, "content": _written(found), "asked_at": asked_at}
    session.execute(delete(StatTold).where(mine))
    insert_new(session, StatTold, [{"profile_id": reader.profile_id, **row}])
    return found


def renew(session: Session, at: datetime) -> int:
    """Count anew what has changed for whoever asked in the last weeks, so that nobody waits.

    Up to BATCH profiles of a call; returns how many were counted. What nobody asks for is erased.
    """
    session.execute(delete(StatTold).where(StatTold.asked_at < at - _ASKED_LATELY))
    rows = session.execute(
        select(StatTold.profile_id, StatTold.fingerprint, StatTold.asked_at, Organisation.id)
        .add_columns(Organisation.sector)
        .join(Profile, Profile.id == StatTold.profile_id)
        .join(Organisation, Organisation.id == Profile.organisation_id)
        .order_by(StatTold.asked_at.desc())
    ).all()
    counted_anew = 0
    for profile_id, fingerprint, asked_at, organisation_id, sector in rows:
        asked = Counting(organisation_id, profile_id, at, competes(sector), asked_at)
        told_counts(session, asked)
        mine = StatTold.profile_id == profile_id
        kept = session.scalars(select(StatTold.fingerprint).where(mine)).one()
        counted_anew += kept != fingerprint
        if counted_anew == BATCH:
            break
    return counted_anew


def competes(sector: Sector) -> bool:
    """Whether members of the sector must not learn each other's volumes."""
    return sector in _COMPETING


def _kept(session: Session, reader: Counting, fingerprint: bytes) -> TellableCounts:
    content = session.scalars(
        select(StatTold.content).where(StatTold.profile_id == reader.profile_id)
    ).one()
    return _read(content, fingerprint)


def _counted(
    session: Session, reader: Counting, spans: Sequence[Span], fingerprint: bytes | None
) -> TellableCounts:
    cells = counted(
        session,
        reader.organisation_id,
        reader.profile_id,
        reader.at,
        by_owner=reader.competes,
        most_corridors=MOST_CORRIDORS,
    )
    since = _steady_since(session, reader, spans) if spans else 0
    return TellableCounts(told_cells(cells, competes=reader.competes), since, fingerprint)


def _steady_since(session: Session, reader: Counting, spans: Sequence[Span]) -> int:
    """The first week since which the same classes of others may be counted in every week.

    Before it, a policy that shows what is younger than so many days would look like a rise.
    """
    of_others = classes_of_others(session, reader.organisation_id)
    counted_now = [each for each in spans if each.share_class in of_others]
    newest = max((last for _, _, last in counted_now), default=0)
    return max((first if last == newest else last + 1 for _, first, last in counted_now), default=0)


def _written(found: TellableCounts) -> dict[str, Any]:
    told = found.told
    return {
        "own": _rows(told.own),
        "others": _rows({name: figure.count for name, figure in told.others.items()}),
        "sees_others": told.sees_others,
        "steady_since": found.steady_since,
    }


def _rows(counts: Mapping[CellName, int]) -> list[list[Any]]:
    return [[*name[:3], list(name.words), count] for name, count in counts.items()]


def _read(content: Mapping[str, Any], fingerprint: bytes) -> TellableCounts:
    figures = {count: Figure(count) for *_, count in content["others"]}
    others = {name: figures[count] for name, count in _cells(content["others"])}
    told = Told(dict(_cells(content["own"])), others, content["sees_others"])
    return TellableCounts(told, content["steady_since"], fingerprint)


def _cells(rows: Sequence[Sequence[Any]]) -> Iterable[tuple[CellName, int]]:
    for kind, period, step, words, count in rows:
        yield CellName(_KINDS[kind], period, step, tuple(words)), count


_KINDS = {each.value: each for each in Kind}
