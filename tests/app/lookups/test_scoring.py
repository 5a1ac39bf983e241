"""From matches to ranked hits: who is shown, in which order, and what stays hidden."""

import dataclasses
from collections.abc import Mapping
from itertools import combinations

from app.lookups.scoring import Query, Ranked, alerts, gather, numbers, rank
from app.lookups.storage import Candidate
from app.sharing.visibility import Match
from postern.facet_kinds import POSTAL_FACETS
from postern.matching import score
from postern.vocabulary import Band, Kind

TOKENS = {facet: bytes((facet,)) * 16 for facet in POSTAL_FACETS}
PARTY = Query("q", Kind.PARTY, 1, list(TOKENS.items()))
ALL = frozenset(POSTAL_FACETS)


def _weaker(band: Band) -> frozenset[int]:
    """Facets in which a party may agree to be of that band without agreeing in all."""
    best = score(Kind.PARTY, dict.fromkeys(ALL, 1), query=ALL, candidate=ALL).points
    for missing in (1, 2, 3, 4):
        for left_out in combinations(sorted(ALL), missing):
            agreeing = ALL - set(left_out)
            found = score(Kind.PARTY, dict.fromkeys(agreeing, 1), query=ALL, candidate=ALL)
            if found.band is band and found.points < best:
                return agreeing
    raise LookupError(band)


STRONG, LIKELY = _weaker(Band.STRONG), _weaker(Band.LIKELY)
FEW = frozenset({3, 4, 5, 10, 11})  # the same address, other people


def bits(facets: frozenset[int]) -> int:
    return sum(1 << facet for facet in facets)


def candidate(id_: int, owner: int = 1, common: frozenset[int] = frozenset()) -> Candidate:
    return Candidate(id_, owner, bits(ALL - common), bits(common))


def matches(id_: int, facets: frozenset[int], level: int = 3) -> list[Match]:
    return [
        Match(id_, TOKENS[facet], facet, level, tells_owner=True, grant_reason_id=1)
        for facet in sorted(facets)
    ]


def ranked(
    found: list[Match], candidates: Mapping[int, Candidate], most: int = 50, query: Query = PARTY
) -> Ranked:
    (gathered,) = gather([query], found)
    return rank(query, gathered, candidates, most)


def shown(result: Ranked) -> list[list[int]]:
    return [[hit.candidate.id for hit in group] for group in result.groups]


def test_an_indicator_that_agrees_in_all_is_strong() -> None:
    result = ranked(matches(1, ALL), {1: candidate(1)})
    ((hit,),) = result.groups
    assert hit.band is Band.STRONG
    assert set(hit.score.answers.values()) == {"agrees"}
    assert not result.more


def test_one_that_agrees_in_too_little_is_not_shown() -> None:
    assert shown(ranked(matches(1, frozenset({4})), {1: candidate(1)})) == []


def test_one_that_is_no_longer_live_is_not_shown() -> None:
    assert shown(ranked(matches(1, ALL), {})) == []


def test_a_common_facet_neither_helps_nor_harms() -> None:
    agreeing = ALL - {9}
    differs = ranked(matches(1, agreeing), {1: candidate(1)}).groups[0][0].score
    common = (
        ranked(matches(1, agreeing), {1: candidate(1, common=frozenset({9}))}).groups[0][0].score
    )
    assert differs.answers[9] == "differs"
    assert common.answers[9] == "common"
    assert common.weights[9] == 0
    assert common.points == differs.points - differs.weights[9]


def test_the_best_come_first_and_the_rest_is_announced() -> None:
    found = matches(1, LIKELY) + matches(2, ALL) + matches(3, STRONG)
    candidates = {id_: candidate(id_) for id_ in (1, 2, 3)}
    assert shown(ranked(found, candidates)) == [[2], [3], [1]]
    cut = ranked(found, candidates, most=2)
    assert shown(cut) == [[2], [3]]
    assert cut.more
    assert not ranked(found, candidates, most=3).more


def test_presence_of_one_organisation_is_one_line_with_its_best_band() -> None:
    found = matches(1, LIKELY, level=1) + matches(2, ALL, level=1) + matches(3, ALL, level=1)
    candidates = {1: candidate(1), 2: candidate(2), 3: candidate(3, owner=2)}
    result = ranked(found, candidates)
    assert shown(result) == [[2, 1], [3]]
    assert [hit.band for hit in result.groups[0]] == [Band.STRONG, Band.LIKELY]


def test_the_place_of_a_presence_does_not_tell_its_points() -> None:
    better = matches(1, STRONG, level=1) + matches(2, ALL, level=1)
    worse = matches(1, ALL, level=1) + matches(2, STRONG, level=1)
    candidates = {1: candidate(1, owner=8), 2: candidate(2, owner=9)}
    assert shown(ranked(better, candidates)) == shown(ranked(worse, candidates)) == [[1], [2]]


def test_presence_stands_behind_what_is_told_in_the_same_band() -> None:
    found = matches(1, ALL, level=1) + matches(2, STRONG, level=2)
    candidates = {1: candidate(1, owner=8), 2: candidate(2, owner=9)}
    assert shown(ranked(found, candidates)) == [[2], [1]]


def test_metadata_and_presence_of_one_organisation_stay_apart() -> None:
    found = matches(1, ALL, level=1) + matches(2, ALL, level=2) + matches(3, ALL, level=1)
    candidates = {id_: candidate(id_) for id_ in (1, 2, 3)}
    assert shown(ranked(found, candidates)) == [[2], [1, 3]]


def test_a_token_that_two_queries_ask_for_answers_both() -> None:
    address = Query("a", Kind.ADDRESS, 1, [(facet, TOKENS[facet]) for facet in sorted(FEW)])
    party, address_found = gather([PARTY, address], matches(1, ALL))
    assert set(party) == {1}
    assert address_found[1].agreeing == dict.fromkeys(sorted(FEW), 1)


def test_an_owner_is_alerted_once_of_each_indicator_that_answers_well_enough() -> None:
    again = dataclasses.replace(PARTY, id="again")
    weak, ended = matches(3, frozenset({4}), level=0), matches(4, ALL, level=0)
    told = matches(2, ALL, level=0) + matches(1, STRONG, level=0) + weak + ended
    found = gather([PARTY, again], told)
    held = alerts([PARTY, again], found, {id_: candidate(id_) for id_ in (1, 2, 3)})
    assert [(each.candidate.id, each.level, each.tells_owner) for each in held] == [
        (1, None, True),
        (2, None, True),
    ]


def test_bits_are_numbers() -> None:
    assert numbers(0) == frozenset()
    assert numbers(1 << 30 | 1 << 3) == frozenset({3, 30})
