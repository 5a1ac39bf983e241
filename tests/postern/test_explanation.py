"""One sentence for a hit that a person understands and that claims no more than is proven."""

import pytest

from postern.explanation import Agreement, ComparedPart, describe, explain, parts
from postern.facet_kinds import FACETS
from postern.facets import facets
from postern.normalise import Address, Item, Party, Phone, Value, Vendor, normalise
from postern.vocabulary import FacetAnswer, Kind

SOPHIE = Party("Sophie Van Damme", ("Rue de la Loi 16",), "1040", "Bruxelles")
HAENDEL = Address(("Händelstraße 12b",), "10115", "Berlin")


def explained(query: Value, candidate: Value) -> str:
    return explain(answered(query, candidate), normalise(query).kind)


def compared(query: Value, candidate: Value) -> dict[ComparedPart, Agreement]:
    return dict(parts(answered(query, candidate), normalise(query).kind))


def answered(query: Value, candidate: Value) -> dict[int, FacetAnswer]:
    asked, held = facets(query), facets(candidate)
    texts, numbers = {facet.text for facet in held}, {facet.number for facet in held}
    answers = dict.fromkeys((facet.number for facet in asked), FacetAnswer.DIFFERS)
    for facet in asked:
        if facet.number not in numbers:
            answers[facet.number] = FacetAnswer.ABSENT
        elif facet.text in texts:
            answers[facet.number] = FacetAnswer.AGREES
    return answers


@pytest.mark.parametrize(
    ("candidate", "sentence"),
    [
        (SOPHIE, "Same name, street, house number, postcode and city."),
        (
            Party("Jan Peeters", ("16, rue de la Loi",), "1040", "Brussel"),
            "Same street, house number, postcode and city; name differs.",
        ),
        (
            Party("Sophie Vandame", ("Rue de la Liu 16",), "1040", "Bruxelles"),
            "Same name, street, house number, postcode and city.",
        ),
        (
            Party("Sophie Vadname", ("Rue de la Loi 16",), "1040", "Bruxelles"),
            "Same street, house number, postcode and city; one word of the name is the same.",
        ),
        (
            Party("Sophie Van Damme", ("Kerkstraat 61",), "1040", "Bruxelles"),
            "Same name and postcode; street differs; house number has the same digits.",
        ),
        (
            Party("Sophie Van Damme", ("Kerkstraat 5",), "1040", "Bruxelles"),
            "Same name and postcode; street differs; house number differs.",
        ),
        (
            Address(("Rue de la Loi 16",), "1040", "Bruxelles"),
            "Same street, house number, postcode and city; no name to compare.",
        ),
        (Address(("Kerkstraat 5",), "9000", "Gent"), "Nothing agrees."),
    ],
)
def test_a_person_is_compared_in_one_sentence(candidate: Value, sentence: str) -> None:
    assert explained(SOPHIE, candidate) == sentence


@pytest.mark.parametrize(
    ("candidate", "sentence"),
    [
        (
            Address(("Händelstr. 12",), "10115", "Berlin"),
            "Same street, house number and postcode.",
        ),
        (
            Address(("Hänqdelstraße 12b",), "10115", "Berlin"),
            "Same house number and postcode; street differs by spelling.",
        ),
        (
            Address(("Beethovenstraße 12b",), "10115", "Berlin"),
            "Same house number and postcode; street differs.",
        ),
        (
            Address(("Händelstraße 12b",), "10119", "Berlin"),
            "Same street, house number and city; postcode differs.",
        ),
        (
            Address(("Händelstraße 21b",), "10115", "Berlin"),
            "Same postcode; street differs by spelling; house number has the same digits.",
        ),
    ],
)
def test_an_address_is_compared_in_one_sentence(candidate: Value, sentence: str) -> None:
    assert explained(HAENDEL, candidate) == sentence


@pytest.mark.parametrize(
    ("query", "candidate", "sentence"),
    [
        (Phone("+32475123456"), Phone("0475123456", "BE"), "Same telephone number."),
        (
            Item("s10", "RB123456785GB"),
            Item("s10", "RB123450001GB"),
            "Another item of the same batch of identifiers.",
        ),
        (Item("s10", "RB123456785GB"), Item("s10", "RB123456785GB"), "Same item."),
        (Vendor("A", "DrGreen"), Vendor("a", "drgreen"), "Same handle on the same market."),
        (
            Vendor("A", "DrGreen"),
            Vendor("B", "drgreen"),
            "Same handle, market unknown or another.",
        ),
        (Vendor("", "GreenLabs"), Vendor("", "grienlapz"), "Handle sounds the same."),
        (Vendor("", "GreenLabs"), Vendor("", "bluehouse"), "Nothing agrees."),
    ],
)
def test_other_kinds_say_how_strong_the_likeness_is(
    query: Value, candidate: Value, sentence: str
) -> None:
    assert explained(query, candidate) == sentence


def test_what_is_too_common_to_tell_is_said() -> None:
    answers = {1: FacetAnswer.COMMON, 3: FacetAnswer.AGREES}
    assert explain(answers, Kind.PARTY) == (
        "Same house number and postcode; some of it is too common to tell."
    )


def test_a_difference_is_only_claimed_when_everything_else_in_the_facet_is_known() -> None:
    # Either the initials or the street may be the one that differs.
    assert explain({6: FacetAnswer.DIFFERS, 3: FacetAnswer.AGREES}, Kind.PARTY) == (
        "Same house number and postcode."
    )


def test_every_facet_can_be_described_with_every_answer() -> None:
    said = {describe(number, answer) for number in FACETS for answer in FacetAnswer}
    assert len(said) == len(FACETS) * len(FacetAnswer)
    assert describe(3, FacetAnswer.AGREES) == "the postcode and the house number: agrees"
    with pytest.raises(KeyError):
        describe(99, FacetAnswer.AGREES)


_SAME_WORDS = {
    ComparedPart.NAME: "name",
    ComparedPart.STREET: "street",
    ComparedPart.HOUSE_NUMBER: "house number",
    ComparedPart.POSTCODE: "postcode",
    ComparedPart.CITY: "city",
}
NEIGHBOURS = (
    SOPHIE,
    Party("Jan Peeters", ("16, rue de la Loi",), "1040", "Brussel"),
    Party("Sophie Vadname", ("Rue de la Loi 16b",), "1041", "Bruxelles"),
    Party("Sophie Van Damme", ("Kerkstraat 61",), "9000", "Gent"),
    Address(("Rue de la Liu 16",), "1040", "Bruselles"),
    HAENDEL,
)


@pytest.mark.parametrize("query", NEIGHBOURS)
@pytest.mark.parametrize("candidate", NEIGHBOURS)
def test_the_parts_say_what_the_sentence_says(query: Value, candidate: Value) -> None:
    sentence = explained(query, candidate)
    begins_same = sentence.startswith("Same ")
    listed = sentence.split(";")[0] if begins_same else ""
    for part, agreement in compared(query, candidate).items():
        words = _SAME_WORDS[part]
        suffix_differs = "suffix of the house number differs" in sentence
        is_same = agreement is Agreement.SAME or (
            part is ComparedPart.HOUSE_NUMBER and suffix_differs
        )
        assert (words in listed) == is_same, (part, sentence)
        assert (f"{words} differs by spelling" in sentence) == (agreement is Agreement.SPELLING)
        says_differs = f"{words} differs" in sentence.replace(f"{words} differs by spelling", "")
        says_differs = says_differs and not suffix_differs
        assert says_differs == (agreement is Agreement.DIFFERS), (part, sentence)


@pytest.mark.parametrize(
    ("query", "candidate", "expected"),
    [
        (
            Vendor("Dream", "Candy-Shop"),
            Vendor("dream", "candyshop"),
            {ComparedPart.HANDLE: Agreement.SAME, ComparedPart.MARKET: Agreement.SAME},
        ),
        (
            Vendor("Dream", "Candy-Shop"),
            Vendor("Other", "candyshop"),
            {ComparedPart.HANDLE: Agreement.SAME, ComparedPart.MARKET: Agreement.DIFFERS},
        ),
        (
            Vendor("", "Candy-Shop"),
            Vendor("Other", "candyshop"),
            {ComparedPart.HANDLE: Agreement.SAME, ComparedPart.MARKET: Agreement.UNKNOWN},
        ),
        (
            Vendor("Dream", "DutchKing"),
            Vendor("Dream", "DutchKing99"),
            {ComparedPart.HANDLE: Agreement.SPELLING, ComparedPart.MARKET: Agreement.UNKNOWN},
        ),
        (
            Item("s10", "RB123456785GB"),
            Item("s10", "RB123456777GB"),
            {ComparedPart.VALUE: Agreement.PARTLY},
        ),
        (
            Phone("+32 475 12 34 56"),
            Phone("0475 12 34 56", "BE"),
            {ComparedPart.VALUE: Agreement.SAME},
        ),
        (
            Phone("+32 475 12 34 56"),
            Phone("+32 475 12 34 57"),
            {ComparedPart.VALUE: Agreement.UNKNOWN},
        ),
    ],
)
def test_a_handle_an_item_and_a_number_have_their_own_parts(
    query: Value, candidate: Value, expected: dict[ComparedPart, Agreement]
) -> None:
    assert compared(query, candidate) == expected


def test_an_address_that_was_asked_for_has_no_name_to_compare() -> None:
    assert ComparedPart.NAME not in compared(HAENDEL, SOPHIE)
    assert compared(SOPHIE, HAENDEL)[ComparedPart.NAME] is Agreement.UNKNOWN
