"""Which tokens of a new indicator must be looked for among those that are watched for.

A match needs so many points that some facets cannot make one among themselves: whatever they say,
another facet must agree as well. So these need not be looked for, and nothing is missed. Which they
are depends on the facets that a watch has and on those of the indicator; watches come in few such
shapes, one for each form of a value.
"""

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.lookups.scoring import numbers
from postern.facet_kinds import NAME_FACETS, POSTAL_FACETS
from postern.matching import ADDRESS, NAMED


def shapes(session: Session) -> frozenset[int]:
    """The sets of facets that watches have, as bits; those of ended watches may be among them."""
    connection = session.connection()
    return frozenset(connection.execute(_SHAPES[connection.dialect.name]).scalars())


@lru_cache(maxsize=4096)
def probed(watched: frozenset[int], stored: int, common: int) -> frozenset[int]:
    """The facets of an indicator to look for, when watches have the shapes `watched`.

    `stored` and `common` are the indicator's columns: bits of what is stored completely, and of
    what is too common.
    """
    return frozenset().union(*(_needed(shape, stored, common) for shape in watched))


def bits(facets: Iterable[int]) -> int:
    """Facet numbers as bits."""
    return sum(1 << number for number in set(facets))


def _needed(shape: int, stored: int, common: int) -> frozenset[int]:
    """Facets of which one agrees in every match of such a watch with such an indicator."""
    query, candidate = numbers(shape), numbers(stored | common)
    compared = query & candidate - numbers(common)
    if not query <= POSTAL_FACETS.keys():
        return compared  # there any single one can be enough
    named = not NAME_FACETS.isdisjoint(query) and not NAME_FACETS.isdisjoint(candidate)
    weighting = NAMED if named else ADDRESS
    weights = {number: weighting.facets.get(number, (0, 0, 0)) for number in compared}
    gains = {number: max(one, two) - differs for number, (one, two, differs) in weights.items()}
    # As if nothing agreed, then those that add least for agreeing, while that makes no match.
    points = weighting.bias + sum(differs for _, _, differs in weights.values())
    needed = set(compared)
    for number in sorted(compared, key=lambda each: (gains[each], each)):
        points += gains[number]
        if points >= weighting.thresholds.likely:
            break
        needed.remove(number)
    return frozenset(needed)


# A walk from each shape to the next in the index: few steps, however many watches there are.
_WALK = text(
    """
    WITH RECURSIVE shape (facets) AS (
        SELECT min(facets) FROM watch
        UNION ALL
        SELECT (SELECT min(watch.facets) FROM watch WHERE watch.facets > shape.facets)
        FROM shape WHERE shape.facets IS NOT NULL
    )
    SELECT facets FROM shape WHERE facets IS NOT NULL
    """
)
_SHAPES = {
    "sqlite": _WALK,
    # The same walk, made by migration 0017: whoever submits may not read the watches of others.
    "postgresql": text("SELECT watch_shapes()"),
}
