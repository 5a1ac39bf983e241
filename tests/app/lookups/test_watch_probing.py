"""Looking for a part of the tokens misses no match."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.indicators.kinds import FACETS_OF
from app.lookups.models import Watch
from app.lookups.scoring import numbers
from app.lookups.watch_probing import bits, probed, shapes
from postern.facet_kinds import NAME_FACETS, POSTAL_FACETS
from postern.matching import score
from postern.normalise import Phone
from postern.vocabulary import Kind
from tests.app.exchange import JAN, SOPHIE, Exchange
from tests.app.lookups.watching import watch
from tests.deeper import examples

PARTY = frozenset(POSTAL_FACETS)
ADDRESS = PARTY - NAME_FACETS


def some_of(facets: Iterable[int]) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.sampled_from(sorted(facets)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Kind, frozenset[int], frozenset[int], frozenset[int]]:
    """A kind, the facets of a watch, those of an indicator, and those too common to be stored."""
    kind = draw(st.sampled_from([Kind.PARTY, Kind.PARTY, Kind.ADDRESS, Kind.VENDOR, Kind.ITEM]))
    every = FACETS_OF[kind]
    query = draw(st.one_of(st.just(every), some_of(every)))
    others = PARTY if kind in {Kind.PARTY, Kind.ADDRESS} else every
    held = draw(st.one_of(st.just(others), st.just(others & every), some_of(others)))
    common = draw(st.one_of(st.just(frozenset[int]()), some_of(others)))
    return kind, query, held, common & held


@examples(400)
@given(cases(), st.data())
def test_every_match_agrees_in_a_facet_that_is_looked_for(
    case: tuple[Kind, frozenset[int], frozenset[int], frozenset[int]], data: st.DataObject
) -> None:
    kind, query, held, common = case
    stored = held - common
    looked_for = probed(frozenset({bits(query), bits(ADDRESS)}), bits(stored), bits(common))
    assert looked_for <= stored
    # The worst case: everything agrees, often twice, but for what is looked for.
    left = sorted((query & stored) - probed(frozenset({bits(query)}), bits(stored), bits(common)))
    agreeing = {facet: data.draw(st.integers(1, 2)) for facet in left}
    found = score(kind, agreeing, query=query, candidate=held, common=common)
    assert found.band is None


def test_of_whole_values_less_than_half_is_looked_for() -> None:
    whole = probed(frozenset({bits(PARTY)}), bits(PARTY), 0)
    assert (whole, len(PARTY)) == (PARTY & {2, 6, 7, 9, 13}, 13)
    both = probed(frozenset({bits(PARTY), bits(ADDRESS)}), bits(PARTY), 0)
    assert len(both) < 9
    assert probed(frozenset(), bits(PARTY), 0) == frozenset()


def test_the_shapes_are_those_of_the_watches(exchange: Exchange) -> None:
    def found() -> frozenset[int]:
        with exchange.database.reading() as session:
            return shapes(session)

    assert found() == frozenset()
    for value in (SOPHIE, JAN, SOPHIE, Phone("+32 2 555 12 34")):
        watch(exchange, "police-de", value)
    kept = {row.facets for row in exchange.rows(select(Watch))}
    assert found() == kept
    assert {numbers(each) for each in kept} >= {frozenset({20})}
