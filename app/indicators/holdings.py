"""What an organisation itself holds under given tokens, for who must account for it to a person.

No policy decides here: it is asked of one's own alone. What a legal hold keeps beyond its time has
no posting any more; it is found by the tokens of its own row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.indicators.models import Indicator, Report, ReportStatus
from app.indicators.storage import indicators_posted
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Kind, PartyRole

_CHUNK = 5000  # ids of one statement; SQLite takes 32,766 parameters


@dataclass(frozen=True, slots=True)
class Holding:
    """One of the organisation's own indicators; `tokens` are those of the asked ones that it has.

    Bit n of the columns of facets stands for facet n.
    """

    id: UUID
    report: UUID
    status: ReportStatus
    kind: Kind
    role: PartyRole
    expires_on: date
    restricted_at: datetime | None
    facets_stored: int
    facets_common: int
    tokens: frozenset[bytes]


def held(session: Session, organisation_id: int, tokens: Iterable[bytes]) -> list[Holding]:
    """Every indicator of the organisation that has one of the tokens, in the order of arrival."""
    asked = list(dict.fromkeys(tokens))
    matched: dict[int, set[bytes]] = {}
    for token, indicator_id in indicators_posted(session, organisation_id, asked):
        matched.setdefault(indicator_id, set()).add(token)
    for indicator_id, found in _restricted(session, organisation_id, frozenset(asked)):
        matched.setdefault(indicator_id, set()).update(found)
    ids = sorted(matched)
    return [
        Holding(tokens=frozenset(matched[row.row]), **_columns(row))
        for start in range(0, len(ids), _CHUNK)
        for row in session.execute(_rows(organisation_id, ids[start : start + _CHUNK]))
    ]


def _restricted(
    session: Session, organisation_id: int, asked: frozenset[bytes]
) -> Iterator[tuple[int, set[bytes]]]:
    kept = select(Indicator.id, Indicator.tokens).where(
        Indicator.organisation_id == organisation_id, Indicator.restricted_at.is_not(None)
    )
    for indicator_id, blob in session.execute(kept):
        tokens = bytes(blob)
        own = {tokens[start : start + TOKEN_SIZE] for start in range(0, len(tokens), TOKEN_SIZE)}
        if own & asked:
            yield indicator_id, own & asked


def _rows(organisation_id: int, ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Indicator.id.label("row"),
            Indicator.public_id.label("id"),
            Report.public_id.label("report"),
            Report.status,
            Indicator.kind,
            Indicator.role,
            Indicator.expires_on,
            Indicator.restricted_at,
            Indicator.facets_stored,
            Indicator.facets_common,
        )
        .join(Report, Report.id == Indicator.report_id)
        .where(Indicator.organisation_id == organisation_id, Indicator.id.in_(ids))
        .order_by(Indicator.id)
    )


def _columns(row: Row[Any]) -> dict[str, Any]:
    columns = row._asdict()
    del columns["row"]
    return columns
