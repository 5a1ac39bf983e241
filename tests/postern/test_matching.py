"""Scores: which table applies, what is neutral, and how a person can retrace the sum."""

from collections import Counter
from collections.abc import Iterable

import pytest

from postern.facet_kinds import FACETS, NAME_FACETS, NUMBERS, POSTAL_FACETS
from postern.facets import facets
from postern.matching import (
    ADDRESS,
    BAND_PRECISION,
    NAMED,
    WEIGHTS_VERSION,
    Score,
    Thresholds,
    Weighting,
    score,
    weigh,
)
from postern.normalise import (
    Address,
    Email,
    InductionPoint,
    Item,
    Party,
    Payment,
    Pgp,
    Phone,
    Value,
    Vendor,
    normalise,
)
from postern.vocabulary import Band, FacetAnswer, Kind

ALL = frozenset(POSTAL_FACETS)
PLACE = ALL - NAME_FACETS
SOPHIE = Party("Sophie Van Damme", ("Rue de la Loi 16",), "1040", "Bruxelles")


def compare(query: Value, candidate: Value, thresholds: Thresholds | None = None) -> Score:
    asked, held = facets(query), facets(candidate)
    texts = {facet.text for facet in held}
    return score(
        normalise(query).kind,
        Counter(facet.number for facet in asked if facet.text in texts),
        query=frozenset(facet.number for facet in asked),
        candidate=frozenset(facet.number for facet in held),
        thresholds=thresholds,
    )


def all_agree(numbers: Iterable[int]) -> dict[int, int]:
    return dict.fromkeys(numbers, 1)


@pytest.mark.parametrize(
    ("candidate", "band"),
    [
        (SOPHIE, Band.STRONG),
        (Party("VANDAMME, Sophie", ("16, r. de la Loi bte 3",), "B-1040", "Brussel"), Band.STRONG),
        (Party("S. Van Damme", ("Rue de la Loi 16",), "1040", "Bruxelles"), Band.STRONG),
        (Party("Sophia Vandame", ("Rue de la Loi 16",), "1041", "Bruxelles"), Band.LIKELY),
        (Party("Jan Peeters", ("Rue de la Loi 16",), "1040", "Bruxelles"), None),
        (Party("Sophie Van Damme", ("Kerkstraat 5",), "9000", "Gent"), None),
    ],
)
def test_a_person_is_found_through_variants_and_not_by_address_or_name_alone(
    candidate: Party, band: Band | None
) -> None:
    assert compare(SOPHIE, candidate).band == band


def test_an_address_finds_the_party_that_lives_there_and_not_its_neighbour() -> None:
    address = Address(("16, rue de la Loi",), "1040", "Brussel")
    neighbour = Party("Sophie Van Damme", ("Rue de la Loi 18",), "1040", "Bruxelles")
    assert compare(address, SOPHIE).band is Band.STRONG
    assert compare(SOPHIE, address).band is Band.STRONG
    assert compare(address, neighbour).band is None


def test_names_on_both_sides_choose_the_named_table_and_a_missing_name_the_other() -> None:
    agreeing = all_agree(PLACE)
    named = score(Kind.PARTY, agreeing, query=ALL, candidate=ALL)
    assert named == weigh(NAMED, agreeing, query=ALL, candidate=ALL)
    for query, candidate in ((ALL, PLACE), (PLACE, ALL), (PLACE, PLACE)):
        nameless = score(Kind.PARTY, agreeing, query=query, candidate=candidate)
        assert nameless == weigh(ADDRESS, agreeing, query=query, candidate=candidate)
    assert named.points < nameless.points


def test_points_are_the_bias_and_the_sum_of_the_weights_shown() -> None:
    found = compare(SOPHIE, Party("Sophie Van Dam", ("Rue de la Loi 16",), "1040", "Bruxelles"))
    assert found.points == NAMED.bias + sum(found.weights.values())
    assert set(found.answers) == set(found.weights) == ALL


def test_one_token_two_tokens_and_none_weigh_differently() -> None:
    weighting = Weighting(5, Thresholds(0, 100), {1: (10, 30, -7)}, {Band.LIKELY: 0.9})
    sides = frozenset({1})
    assert [
        weigh(weighting, {1: count}, query=sides, candidate=sides).points for count in (0, 1, 2, 3)
    ] == [-2, 15, 35, 35]
    assert weigh(weighting, {}, query=sides, candidate=sides).points == -2


def test_a_facet_that_a_side_lacks_is_neutral() -> None:
    weighting = Weighting(0, Thresholds(0, 9), {1: (5, 5, -5), 2: (5, 5, -5)}, {Band.LIKELY: 1.0})
    found = weigh(weighting, {1: 1}, query=frozenset({1, 2}), candidate=frozenset({1}))
    assert found.points == 5
    assert found.answers == {1: FacetAnswer.AGREES, 2: FacetAnswer.ABSENT}
    assert weigh(weighting, {1: 1}, query=frozenset({1}), candidate=frozenset({1, 2})).answers == {
        1: FacetAnswer.AGREES
    }


def test_a_common_facet_is_neutral_whether_it_agrees_or_not() -> None:
    common = frozenset({3})
    for agreeing in (all_agree(ALL), all_agree(ALL - common)):
        found = score(Kind.PARTY, agreeing, query=ALL, candidate=ALL, common=common)
        assert found.answers[3] is FacetAnswer.COMMON
        assert found.weights[3] == 0
    lone = frozenset({NUMBERS["PHONE"]})
    only = score(Kind.PHONE, all_agree(lone), query=lone, candidate=lone, common=lone)
    assert only.band is None
    assert only.answers == {NUMBERS["PHONE"]: FacetAnswer.COMMON}


def test_nothing_is_likely_when_no_facet_agrees_however_large_the_bias() -> None:
    for query, candidate in ((ALL, frozenset({40})), (PLACE, frozenset({40}))):
        found = score(Kind.ADDRESS, {}, query=query, candidate=candidate)
        assert found.points >= ADDRESS.thresholds.likely
        assert found.band is None
        assert found.precision is None


def test_thresholds_can_be_raised_for_a_larger_database() -> None:
    points = compare(SOPHIE, SOPHIE).points
    assert compare(SOPHIE, SOPHIE, Thresholds(points, points + 1)).band is Band.LIKELY
    assert compare(SOPHIE, SOPHIE, Thresholds(points + 1, points + 1)).band is None
    phone = Phone("+32475123456")
    assert compare(phone, phone, Thresholds(1000, 1000)).band is None


def test_a_band_is_shown_with_what_its_precision_is_at_least() -> None:
    found = compare(SOPHIE, SOPHIE)
    assert found.precision == BAND_PRECISION["named"][Band.STRONG]
    for precisions in BAND_PRECISION.values():
        assert 0.5 < precisions[Band.LIKELY] <= precisions[Band.STRONG] <= 1.0


@pytest.mark.parametrize("weighting", [NAMED, ADDRESS])
def test_agreement_never_counts_against_and_difference_never_for_a_match(
    weighting: Weighting,
) -> None:
    assert weighting.thresholds.likely < weighting.thresholds.strong
    for one, two, differs in weighting.facets.values():
        assert differs <= 0 <= one <= two


def test_the_address_table_weighs_no_name() -> None:
    assert set(ADDRESS.facets) == PLACE
    assert set(NAMED.facets) == ALL
    assert WEIGHTS_VERSION == "1"


@pytest.mark.parametrize(
    ("query", "candidate", "band"),
    [
        (Phone("0475 12 34 56", "BE"), Phone("+32475123456"), Band.STRONG),
        (Phone("0475 12 34 56", "BE"), Phone("+32475123457"), None),
        (Email("Jan@example.be"), Email("jan@EXAMPLE.be"), Band.STRONG),
        (Pgp("AB" * 20), Pgp("ab" * 20), Band.STRONG),
        (Payment("iban", "BE68539007547034"), Payment("auto", "be68 5390 0754 7034"), Band.STRONG),
        (Item("s10", "RB123456785GB"), Item("auto", "rb 123456785 gb"), Band.STRONG),
        (Item("s10", "RB123456785GB"), Item("s10", "RB123450001GB"), Band.LIKELY),
        (Item("s10", "RB123456785GB"), Item("s10", "RB129950001GB"), None),
        (
            InductionPoint("Post A", "Box 12", "BE"),
            InductionPoint("POST A", "box-12", "be"),
            Band.STRONG,
        ),
        (Vendor("Market A", "DrGreen"), Vendor("market-a", "drgreen"), Band.STRONG),
        (Vendor("Market A", "DrGreen"), Vendor("Market B", "Dr_Green"), Band.STRONG),
        (Vendor("Market A", "DrGreen"), Vendor("Market B", "Gr33n2024"), Band.LIKELY),
        (Vendor("", "GreenLabs"), Vendor("", "grienlapz"), Band.LIKELY),
        (Vendor("", "GreenLabs"), Vendor("", "bluehouse"), None),
    ],
)
def test_other_kinds_are_strong_when_equal_and_likely_when_only_alike(
    query: Value, candidate: Value, band: Band | None
) -> None:
    assert compare(query, candidate).band == band


def test_only_the_best_facet_of_another_kind_counts() -> None:
    found = compare(Vendor("Market A", "DrGreen"), Vendor("market-a", "drgreen"))
    assert [weight for weight in found.weights.values() if weight] == [found.points]
    assert found.answers[NUMBERS["VENDOR*SOUND"]] is FacetAnswer.AGREES
    assert found.precision is None


def test_a_facet_that_only_one_vendor_has_is_absent() -> None:
    found = compare(Vendor("Market A", "DrGreen"), Vendor("", "drgreen"))
    assert found.answers[NUMBERS["VENDOR*MARKET"]] is FacetAnswer.ABSENT
    assert found.band is Band.STRONG


def test_every_facet_of_another_kind_has_points() -> None:
    for number, kind in FACETS.items():
        if number not in POSTAL_FACETS:
            lone = frozenset({number})
            found = score(Kind.VENDOR, {number: 1}, query=lone, candidate=lone)
            assert found.band is not None, kind
