"""Which version of a policy holds when: what is in force, and what is to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.sharing.models import PolicyCancellation, PolicyVersion

FOREVER = 2**62
"""The second until which the last version holds."""


@dataclass(frozen=True)
class Era:
    """A text and the seconds since 1970 from which (included) and until which it holds.

    What is in force holds from 0: nobody asks about the past.
    """

    policy_version_id: int | None  # None: no version was ever published
    text: str
    valid_from: int
    valid_until: int


def of(session: Session, organisation_ids: Sequence[int], at: datetime) -> dict[int, list[Era]]:
    """The era in force at the moment `at` and those to come, for each organisation, in order."""
    versions: dict[int, list[Row[int, int, str, datetime]]] = {
        each: [] for each in organisation_ids
    }
    for row in session.execute(
        select(
            PolicyVersion.organisation_id,
            PolicyVersion.id,
            PolicyVersion.text,
            PolicyVersion.valid_from,
        )
        .where(
            PolicyVersion.organisation_id.in_(organisation_ids),
            stands(PolicyVersion),
            or_(
                PolicyVersion.valid_from > at,
                PolicyVersion.seq == _newest_begun(PolicyVersion.organisation_id, at),
            ),
        )
        .order_by(PolicyVersion.seq)
    ):
        versions[row.organisation_id].append(row)
    return {each: _eras(rows, second(at)) for each, rows in versions.items()}


def stands(version: Any) -> ColumnElement[bool]:
    """The condition that a version was not cancelled."""
    condition: ColumnElement[bool] = version.id.not_in(select(PolicyCancellation.policy_version_id))
    return condition


def second(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware moment."""
    return int(moment.timestamp())


def _newest_begun(organisation_id: Any, at: datetime) -> ScalarSelect[int | None]:
    begun = aliased(PolicyVersion)
    return (
        select(func.max(begun.seq))
        .where(begun.organisation_id == organisation_id, begun.valid_from <= at, stands(begun))
        .scalar_subquery()
    )


def _eras(versions: Sequence[Row[int, int, str, datetime]], now: int) -> list[Era]:
    """At most one version is to come, so the order of versions is that of their times."""
    begun = [row for row in versions if second(row.valid_from) <= now]
    to_come = [row for row in versions if second(row.valid_from) > now]
    starts = [0, *(second(row.valid_from) for row in to_come)]
    ends = [*starts[1:], FOREVER]
    current = (begun[-1].id, begun[-1].text) if begun else (None, "")
    texts = [current, *((row.id, row.text) for row in to_come)]
    return [
        Era(version_id, text, start, end)
        for (version_id, text), start, end in zip(texts, starts, ends, strict=True)
    ]
