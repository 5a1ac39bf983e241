"""What leaves of a hit, by its level; nothing here reads a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.indicators.shared_rows import Owner, ReportFacts, report_of
from app.lookups.scoring import Query, Ranked, Scored
from app.lookups.storage import Details
from postern.explanation import Agreement, ComparedPart, describe, explain, parts
from postern.vocabulary import Band, FacetAnswer, Level


@dataclass(frozen=True, slots=True)
class FacetWords:
    """What one facet said, its weight in tenths of a bit, and the same in words."""

    facet: int
    answer: FacetAnswer
    weight: int
    words: str


@dataclass(frozen=True, slots=True)
class PartAgreement:
    """How far one part of a value agrees, as far as the facets prove it."""

    part: ComparedPart
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit as it leaves; at `presence` the fields after `precision` are empty."""

    organisation: Owner
    level: Level
    band: Band
    precision: float | None
    points: int | None = None
    explanation: str | None = None
    parts: Sequence[PartAgreement] = ()
    facets: Sequence[FacetWords] = ()
    indicator: Mapping[str, Any] | None = None
    report: ReportFacts | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The hits of one query, best first; `more` when there are more than may be shown."""

    id: str
    hits: list[ShownHit]
    more: bool


def results(
    queries: Sequence[Query], ranked: Sequence[Ranked], details: Mapping[int, Details]
) -> list[Result]:
    """One result for each query, in order; `details` has every indicator that is shown."""
    return [
        Result(
            query.id,
            [_shown(query, group[0], details[group[0].candidate.id]) for group in each.groups],
            each.more,
        )
        for query, each in zip(queries, ranked, strict=True)
    ]


def _shown(query: Query, hit: Scored, details: Details) -> ShownHit:
    score = hit.score
    if hit.level is None:
        raise LookupError("the reader is not told of this hit")
    if hit.level is Level.PRESENCE:
        return ShownHit(details.owner, hit.level, hit.band, score.precision)
    columns = details.columns
    return ShownHit(
        organisation=details.owner,
        level=hit.level,
        band=hit.band,
        precision=score.precision,
        points=score.points,
        explanation=explain(score.answers, query.kind),
        parts=[PartAgreement(*each) for each in parts(score.answers, query.kind)],
        facets=[
            FacetWords(facet, answer, score.weights[facet], describe(facet, answer))
            for facet, answer in sorted(score.answers.items())
        ],
        indicator=columns,
        report=report_of(columns),
    )
