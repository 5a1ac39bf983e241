"""Names and addresses: one form however a label writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.normalise import (
    Address,
    Flag,
    NormalisationError,
    Normalised,
    Party,
    PostalForm,
    normalise,
)
from postern.normalise.folding import fold
from postern.normalise.lines import AddressLine, read_line
from postern.normalise.postal import city, name_words, postcode


def form(value: Party | Address) -> PostalForm:
    found = normalise(value).form
    assert isinstance(found, PostalForm)
    return found


def line(text: str) -> AddressLine:
    found = read_line(fold(text))
    assert found is not None
    return found


def read(text: str) -> tuple[str, str, str, str]:
    found = line(text)
    return found.street, found.number, found.suffix, found.box


def test_the_two_writings_of_the_specification_have_one_form_but_for_the_box() -> None:
    label = form(Party("Mme Sophie VAN DAMME", ("R. de la Loi, 16 bte 3",), "B-1040", "Brussel"))
    typed = form(Party("Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles"))
    assert label.name_words == typed.name_words == ("damme", "sophie")
    assert label.streets == typed.streets == ("loi",)
    assert label.number == typed.number == "16"
    assert label.city == typed.city == "bruxelles"
    assert label.postcode == typed.postcode == "1040"
    assert (label.box, typed.box) == ("3", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oranjelaan 21", ("oranje", "21", "", "")),
        ("Oranjelaan 21bis", ("oranje", "21", "bis", "")),
        ("21 B, rue Neuve", ("neuve", "21", "b", "")),
        ("12 c, rue Neuve", ("neuve", "12", "c", "")),
        ("7b rue Neuve", ("neuve", "7", "b", "")),
        ("4 r de la Paix", ("paix", "4", "", "")),
        ("52 R VOLTAIRE", ("voltaire", "52", "", "")),
        ("12 rue d'Artagnan", ("artagnan", "12", "", "")),
        ("12 à la Croix", ("croix", "12", "", "")),
        ("4 J. Dupontstraat", ("jdupont", "4", "", "")),
        ("N° 12 rue Neuve", ("neuve", "12", "", "")),
        ("Kerkstraat 0012", ("kerk", "12", "", "")),
        ("Kerkstraat 12 bus B2", ("kerk", "12", "", "b2")),
        ("Kerkstraat 12 b4", ("kerk", "12", "", "4")),
        ("Kerkstraat 12/4", ("kerk", "12", "", "4")),
        ("Kerkstraat 12 4", ("kerk", "12", "", "4")),
        ("88a boîte 7 Kerkstraat", ("kerk", "88", "a", "7")),
        ("14 C APP. 12, AV. NEUVE", ("neuve", "14", "c", "12")),
        ("365/8 J. E. Purkyni", ("jpurkyni", "365", "", "8")),
        ("Gasse 5 Top 3", ("gasse", "5", "", "3")),
        ("rue du 8 mai 1945, 12", ("8mai1945", "12", "", "")),
        ("12 rue du 8 mai 1945", ("8mai1945", "12", "", "")),
        ("Straße des 17. Juni 135", ("17juni", "135", "", "")),
        ("1 Maja 12", ("1maja", "12", "", "")),
        ("17. listopadu 5", ("17listopadu", "5", "", "")),
        ("2e Jan Steenstraat 5", ("2jansteen", "5", "", "")),
        ("Straße 614 5", ("614", "5", "", "")),
        ("Hauptstr. 12 Hinterhof rechts", ("haupt", "12", "", "")),
        ("Kerkstraat", ("kerk", "", "", "")),
        ("12", ("", "12", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_a_line_gives_street_number_suffix_and_box(
    text: str, expected: tuple[str, str, str, str]
) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Seestraße 5", "Seestr. 5"),
        ("Seestraße 5", "SEE STRASSE 5"),
        ("Seestraße 5", "Seestrsase 5"),
        ("Gartenstraße 5", "Gartenxtraße 5"),
        ("Sint-Jansstraat 1", "St. Jansstraat 1"),
        ("Avenue du Docteur Roux 3", "av dr roux 3"),
        ("Boulevard Neuf 3", "Boulvard Neuf 3"),
        ("Muellerweg 2", "Müllerweg 2"),
        ("Lamb Place 3", "lamb p lace 3"),
    ],
)
def test_types_titles_and_umlauts_do_not_matter(left: str, right: str) -> None:
    assert read(left) == read(right)


# The hard classes of the ICS2 guidance on addresses (specification of the domain, 3.6).


def test_a_missing_street_is_flagged() -> None:
    assert Flag.NO_STREET in normalise(Party("Jan Peeters", ("12",), "1040", "Brussel")).flags


def test_several_house_numbers_give_the_first_and_a_flag() -> None:
    normalised = normalise(Address(("Kerkstraat 12-14",), "2000", "Antwerpen", "BE"))
    assert form(Address(("Kerkstraat 12-14",))).number == "12"
    assert normalised.flags == (Flag.SEVERAL_HOUSE_NUMBERS,)


def test_no_house_number_is_flagged() -> None:
    assert normalise(Address(("Kerkstraat",), "2000", "Antwerpen", "BE")).flags == (
        Flag.NO_HOUSE_NUMBER,
    )


def test_an_industrial_zone_is_a_street() -> None:
    found = form(Address(("Z.I. Nord", "Rue de l'Artisanat 5"), "5000", "Namur", "BE"))
    assert found.streets[0] == "artisanat"
    assert found.number == "5"
    assert len(found.streets) == 2


def test_a_person_in_care_of_whom_it_is_sent_is_no_street() -> None:
    found = form(Address(("c/o Familie Peeters", "Kerkstraat 5"), "2000", "", "NL"))
    assert found.streets == ("kerk",)


@pytest.mark.parametrize(
    "text",
    ["Postfach 12", "P.O. Box 12", "B.P. 12", "Postbus 12", "Packstation 12", "Poste restante"],
)
def test_a_post_office_box_a_locker_and_a_counter_are_flagged(text: str) -> None:
    assert Flag.POSTE_RESTANTE in normalise(Address((text,), "1000", "Brussel")).flags


def test_what_is_missing_or_odd_is_flagged() -> None:
    assert set(normalise(Address(("Kerkstraat 5",))).flags) == {Flag.NO_POSTCODE, Flag.NO_CITY}
    assert normalise(Address(("Kerkstraat 5",), "20000", "Gent", "BE")).flags == (
        Flag.POSTCODE_FORM,
    )
    assert Flag.NO_NAME in normalise(Party("", ("Kerkstraat 5",))).flags


def test_a_postcode_in_the_city_field_is_found() -> None:
    assert form(Address(("Kerkstraat 5",), "", "B-9000 Gent")).postcode == "9000"
    assert form(Address(("Kerkstraat 5",), "", "2353 GA Leiderdorp")).postcode == "2353ga"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("B-1040", "1040"),
        ("L 1234", "1234"),
        ("2353 GA", "2353ga"),
        ("NL-2353GA", "2353ga"),
        ("00-950", "00950"),
        ("E1 6AN", "e16an"),
        ("CH-8001", "8001"),
    ],
)
def test_postcodes_lose_spaces_and_country_prefix(written: str, code: str) -> None:
    assert postcode(written) == code


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Brussel", "BRUXELLES"),
        ("Liège", "Luik"),
        ("München", "Munich"),
        ("Köln", "Koeln"),
        ("Saint-Trond", "Sint-Truiden"),
        ("Brioude CEDEX 2", "Brioude"),
        ("Den Haag", "'s-Gravenhage"),
        ("Luxembourg", "Lëtzebuerg"),
    ],
)
def test_exonyms_saints_and_cedex_do_not_matter_to_a_city(left: str, right: str) -> None:
    assert city(left) == city(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Wetstraat 16", "Rue de la Loi 16"),
        ("Leuvensesteenweg 5", "5, chaussée de Louvain"),
        ("Leuvenssesteenweg 5", "Chaussée de Louvain 5"),
        ("Koningsstraat 5", "Rue Royale 5"),
    ],
)
def test_a_street_with_two_names_has_one_form(left: str, right: str) -> None:
    assert form(Address((left,), "1000")).streets == form(Address((right,), "1000")).streets


def test_the_table_of_two_languages_stays_in_its_countries() -> None:
    assert form(Address(("Wetstraat 16",), "1000", "", "NL")).streets == ("wet",)
    assert form(Address(("Wetstraat 16",), "10115")).streets == ("wet",)
    assert form(Address(("Wetstraat 16",), "1000", "", "BE")).streets == ("loi",)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Vandamme Sophie", "Sophie Van Damme"),
        ("De Smet Jan", "Desmet, Jan"),
        ("Th0mas Müller", "Mueller Thomas"),
        ("Dr. Anna Weber", "WEBER Anna"),
        ("O'Brien John", "John OBrien"),
        ("Hans-Peter Baumann", "Baumann Hans Peter"),
        ("Anne-Sophie Petit", "Anne Petit"),
        ("Acme Trading BV", "ACME TRADING"),
        ("M. Y. Haddad", "Haddad Y."),
    ],
)
def test_titles_particles_order_and_double_names_do_not_matter(left: str, right: str) -> None:
    assert name_words(left) == name_words(right)


def test_an_initial_that_could_be_a_title_is_kept_when_a_name_cannot_spare_it() -> None:
    assert name_words("M. Haddad") == ("haddad", "m")
    assert name_words("M. Pierre Haddad") == ("haddad", "pierre")


def test_a_name_of_two_words_keeps_both_even_when_they_are_a_double_name() -> None:
    assert name_words("Jean Pierre") == ("jean", "pierre")
    assert name_words("Anne-Sophie") == ("anne", "sophie")


def test_a_name_of_particles_only_is_kept() -> None:
    assert name_words("De La") == ("de", "la")


@pytest.mark.parametrize(
    "value",
    [
        Party("", ()),
        Party("123", ("!!",), "1000"),
        Address(()),
        Address(("",), "1000", "Brussel", "BE"),
        Party("x" * 201),
        Address(("x" * 201,)),
        Address(("Kerkstraat 5",), "1" * 201),
        Address(("Kerkstraat 5",), "1000", "x" * 201),
        Address(tuple(f"Kerkstraat {number}" for number in range(7))),
    ],
)
def test_nothing_usable_and_too_much_are_refused(value: Party | Address) -> None:
    with pytest.raises(NormalisationError):
        normalise(value)


WORDS = st.sampled_from(["Sophie", "Peeters", "Müller", "Łukasz", "Çelik", "Benali"])


@given(st.lists(WORDS, min_size=2, max_size=2, unique=True), st.sampled_from([" ", ", ", "  "]))
def test_order_case_and_spacing_of_a_name_do_not_matter(words: list[str], between: str) -> None:
    assert name_words(between.join(words)) == name_words(" ".join(reversed(words)).upper())


def test_a_form_holds_only_ascii_letters_and_digits() -> None:
    normalised: Normalised = normalise(
        Party("Łukasz Ćwik", ("ul. Żwirki i Wigury 3/5",), "00-950", "Łódź", "PL")
    )
    found = normalised.form
    assert isinstance(found, PostalForm)
    for text in (*found.name_words, *found.streets, found.number, found.box, found.city):
        assert text.isascii()
        assert text.isalnum()
