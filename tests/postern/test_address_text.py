import pytest

from postern.address_text import read_address
from postern.normalise import Address, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "16 rue de la Loi, 1040 Bruxelles",
            Address(("16 rue de la Loi",), "1040", "Bruxelles", ""),
        ),
        (
            "16 rue de la Loi 1040 Bruxelles",
            Address(("16 rue de la Loi",), "1040", "Bruxelles", ""),
        ),
        (
            "Keizersgracht 12-2, 1015 CS Amsterdam, Nederland",
            Address(("Keizersgracht 12-2",), "1015 CS", "Amsterdam", "Nederland"),
        ),
        (
            "Rue Neuve 5 bte 3, B-1000 Bruxelles",
            Address(("Rue Neuve 5 bte 3",), "B-1000", "Bruxelles", ""),
        ),
        (
            "Unter den Linden 5\n10117 Berlin\nGermany",
            Address(("Unter den Linden 5",), "10117", "Berlin", "Germany"),
        ),
        (
            "10 Downing Street, London SW1A 2AA",
            Address(("10 Downing Street",), "SW1A 2AA", "London", ""),
        ),
        (
            "10 Downing Street, London, SW1A 2AA, UK",
            Address(("10 Downing Street",), "SW1A 2AA", "London", "UK"),
        ),
        (
            "350 Fifth Avenue, New York, NY 10118, USA",
            Address(("350 Fifth Avenue",), "10118", "New York", "USA"),
        ),
        ("Rue Haute 12, 1000, Bruxelles", Address(("Rue Haute 12",), "1000", "Bruxelles", "")),
        ("Storgatan 1, 111 22 Stockholm", Address(("Storgatan 1",), "111 22", "Stockholm", "")),
        (
            "c/o Example, Meir 5, 2000 Antwerpen",
            Address(("c/o Example", "Meir 5"), "2000", "Antwerpen", ""),
        ),
        ("Meir 5, Antwerpen", Address(("Meir 5",), "", "Antwerpen", "")),
        ("Meir 5", Address(("Meir 5",), "", "", "")),
    ],
)
def test_an_address_in_one_text_is_taken_apart(text: str, expected: Address) -> None:
    assert read_address(text) == expected


def test_a_country_beside_the_text_holds_when_the_text_names_none() -> None:
    assert read_address("Meir 5, 2000 Antwerpen", "be").country == "be"
    assert read_address("Meir 5, 2000 Antwerpen, België", "nl").country == "België"


@pytest.mark.parametrize(
    "text",
    [
        "16 rue de la Loi, 1040 Bruxelles, Belgique",
        "16 rue de la Loi, B-1040 Brussel, be",
        "Rue de la Loi 16 1040 BRUXELLES",
        "rue de la loi 16; 1040 Bruxelles",
    ],
)
def test_writings_of_one_address_have_one_form(text: str) -> None:
    expected = normalise(Address(("Rue de la Loi 16",), "1040", "Bruxelles", "be"))
    assert normalise(read_address(text, "be")).form == expected.form
