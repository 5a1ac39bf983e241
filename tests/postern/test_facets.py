"""Facets: what they are made of, what does not change them, and what may never be one."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.matching_sets import OPEN_PART, read_addresses
from postern.facet_kinds import (
    FACET_WORDS,
    FACETS,
    MAX_POSTAL_FACETS,
    NAME_ATOMS,
    NAME_FACETS,
    NUMBERS,
    OTHER_FACETS,
    POSTAL_FACETS,
)
from postern.facets import evaluation_input, facets, postal_atoms
from postern.normalise import (
    NORMALISER_VERSION,
    Address,
    Email,
    InductionPoint,
    Item,
    NormalisationError,
    Party,
    Payment,
    Pgp,
    Phone,
    PostalForm,
    Value,
    Vendor,
    normalise,
)
from postern.vocabulary import EvaluationKind, Kind

LABEL = Party("Mme Sophie VAN DAMME", ("R. de la Loi, 16 bte 3",), "B-1040", "Brussel")
TYPED = Party("Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles")

# Bits of min-entropy of each atom alone in Berlin (specification of matching, 6.1, and
# docs/matching.md for the atoms that are ours): a facet needs ten.
ALLOWED = {
    "E4*S4",
    "EK*P",
    "NK*P3",
    "TI*C3*H",
    "P*H",
    "SK*H",
    "NI*R3",
    "S4*HS*CT",
    "NK*HT",
    "NS*P*HT",
    "BT*P",
    "R3*P*HT",
    "T3*P*HT",
}


def texts(value: Value) -> list[str]:
    return [facet.text for facet in facets(value)]


def test_the_vector_of_the_specification_in_the_kinds_that_we_kept_and_added() -> None:
    assert texts(LABEL) == texts(TYPED)
    assert texts(LABEL) == [
        "E4*S4=damm|l",
        "E4*S4=soph|l",
        "EK*P=sv|1040",
        "EK*P=tm|1040",
        "NK*P3=sv.tm|104",
        "TI*C3*H=hie.t|bru|16",
        "TI*C3*H=mme.s|bru|16",
        "P*H=1040|16",
        "SK*H=l|16",
        "NI*R3=ds|loi",
        "S4*HS*CT=l|16|les",
        "NK*HT=sv.tm|16",
        "NS*P*HT=st|1040|16",
        "BT*P=hie.mme|1040",
        "R3*P*HT=loi|1040|16",
        "T3*P*HT=loi|1040|16",
    ]


def test_an_address_has_exactly_the_facets_of_the_party_there_that_need_no_name() -> None:
    address = Address(TYPED.lines, TYPED.postcode, TYPED.city)
    of_the_party = [facet for facet in facets(TYPED) if facet.number not in NAME_FACETS]
    assert list(facets(address)) == of_the_party
    assert len(of_the_party) == 5


def test_numbers_are_unique_and_fit_a_column_of_thirty_two_bits() -> None:
    assert set(POSTAL_FACETS).isdisjoint(OTHER_FACETS)
    assert len(NUMBERS) == len(FACETS)
    assert all(0 < number < 32 for number in FACETS)
    assert set(FACET_WORDS) == set(FACETS.values())


def test_the_numbers_that_are_stored_have_not_moved() -> None:
    assert POSTAL_FACETS == {
        1: "EK*P",
        2: "E4*S4",
        3: "P*H",
        4: "SK*H",
        5: "S4*HS*CT",
        6: "NI*R3",
        7: "TI*C3*H",
        8: "NK*P3",
        9: "NS*P*HT",
        10: "R3*P*HT",
        11: "T3*P*HT",
        12: "NK*HT",
        13: "BT*P",
    }
    assert OTHER_FACETS == {
        20: "PHONE",
        21: "PGP",
        22: "EMAIL",
        23: "PAYMENT",
        24: "ITEM",
        25: "ITEM*BATCH",
        26: "VENDOR*MARKET",
        27: "VENDOR",
        28: "VENDOR*STRIPPED",
        29: "VENDOR*SOUND",
        30: "POINT",
    }


def test_only_kinds_that_pass_the_entropy_rule_are_made() -> None:
    assert set(POSTAL_FACETS.values()) == ALLOWED
    assert all("*" in kind for kind in POSTAL_FACETS.values())


def test_every_name_facet_has_a_name_atom_and_something_of_the_place() -> None:
    for number, kind in POSTAL_FACETS.items():
        atoms = set(kind.split("*"))
        assert bool(atoms & NAME_ATOMS) == (number in NAME_FACETS)
        assert atoms - NAME_ATOMS


def test_no_address_facet_of_berlin_is_as_common_as_its_worst_forbidden_part() -> None:
    # The committed Berlin part is a sample: too small to show ten bits, large enough to show that
    # each facet is far rarer than postcode, number or city with number alone, which are forbidden.
    entities = [
        entity for entity in read_addresses(OPEN_PART).entities if entity["src"] == "berlin"
    ]
    forms = [
        normalise(Address((f"{e['street']} {e['num']}{e['suf']}",), e["pc"])).form for e in entities
    ]
    atoms = [postal_atoms(form) for form in forms if isinstance(form, PostalForm)]
    forbidden = max(commonest(atoms, kind) for kind in ("P", "H"))
    for kind in ("P*H", "SK*H", "R3*P*HT", "T3*P*HT"):
        assert commonest(atoms, kind) * 4 <= forbidden


def commonest(atoms: Sequence[dict[str, tuple[str, ...]]], kind: str) -> int:
    held = Counter(tuple(each[atom] for atom in kind.split("*")) for each in atoms)
    assert math.log2(len(atoms)) > 8
    return held.most_common(1)[0][1]


NAMES = st.sampled_from(
    ["Sophie Van Damme", "Łukasz Ćwik", "José García", "Müller Hans", "M. Y. Haddad", "", "Çelik"]
)
LINES = st.lists(
    st.sampled_from(["Rue de la Loi 16", "Seestraße 5a", "Résidence Parc", "12/4 ul. Żwirki", ""]),
    max_size=3,
).map(tuple)
PARTIES = st.builds(
    Party,
    NAMES,
    LINES,
    st.sampled_from(["1040", "B-1040", "2353 GA", ""]),
    st.sampled_from(["Brussel", "Łódź", "Berlin", ""]),
)


@given(st.one_of(PARTIES, st.builds(Party, st.text(), st.lists(st.text(), max_size=4).map(tuple))))
def test_a_party_has_at_most_sixteen_facets_and_none_of_a_single_field(party: Party) -> None:
    try:
        made = facets(party)
    except NormalisationError:
        return
    assert len(made) <= MAX_POSTAL_FACETS
    assert len({facet.text for facet in made}) == len(made)
    for facet in made:
        assert POSTAL_FACETS[facet.number] == facet.kind
        parts = facet.text.removeprefix(f"{facet.kind}=").split("|")
        assert len(parts) == facet.kind.count("*") + 1 >= 2
        assert all(parts)


@given(PARTIES)
def test_accents_case_and_spacing_do_not_change_facets(party: Party) -> None:
    def shout(text: str) -> str:
        return f"  {text.upper().replace(' ', '  ')} "

    plain = str.maketrans("éèíüßŁłĆćŻżóźÇ", "eeiusLlCcZzozC")
    written = Party(
        shout(party.name.translate(plain)),
        tuple(shout(line.replace("ß", "ss").translate(plain)) for line in party.lines),
        shout(party.postcode),
        shout(party.city.translate(plain)),
    )
    try:
        expected = facets(party)
    except NormalisationError:
        with pytest.raises(NormalisationError):
            facets(written)
        return
    assert facets(written) == expected


def test_the_order_of_the_words_of_a_name_does_not_change_facets() -> None:
    for words in permutations(["Sophie", "Ahmed", "Peeters"]):
        party = Party(" ".join(words), ("Rue de la Loi 16",), "1040", "Brussel")
        assert facets(party) == facets(
            Party("Ahmed Peeters Sophie", party.lines, "1040", "Brussel")
        )


def test_a_second_street_gives_facets_of_its_own_within_the_limit() -> None:
    two = Party("Sophie Van Damme", ("Résidence Parc", "Rue de la Loi 16"), "1040", "Brussel")
    made = facets(two)
    assert len(made) == MAX_POSTAL_FACETS
    assert {facet.text for facet in made if facet.kind == "SK*H"} == {
        "SK*H=l|16",
        "SK*H=prk|16",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Phone("0475 12 34 56", "BE"), ["PHONE=+32475123456"]),
        (Email("Jan@Example.be"), ["EMAIL=jan@example.be"]),
        (Pgp("ab" * 20), ["PGP=" + "AB" * 20]),
        (Payment("eth", "0x" + "AB" * 20), ["PAYMENT=ethereum|0x" + "ab" * 20]),
        (Item("auto", "RB123456785GB"), ["ITEM=s10|RB123456785GB", "ITEM*BATCH=s10|RB12345GB"]),
        (Item("auto", "1Z5R89390357567127"), ["ITEM=ups|1Z5R89390357567127"]),
        (
            Vendor("Market A", "Dr_Gr33n"),
            [
                "VENDOR*MARKET=marketa|drgr33n",
                "VENDOR=drgr33n",
                "VENDOR*STRIPPED=green",
                "VENDOR*SOUND=krn",
            ],
        ),
        (Vendor("", "ab"), ["VENDOR=ab"]),
        (InductionPoint("Post A", "Box 12", "BE"), ["POINT=posta|box12|be"]),
    ],
)
def test_other_kinds_have_their_own_facets(value: Value, expected: list[str]) -> None:
    assert texts(value) == expected


def test_a_normalised_value_has_the_facets_of_the_value() -> None:
    assert facets(normalise(LABEL)) == facets(LABEL)
    assert normalise(LABEL).kind is Kind.PARTY


def test_the_evaluated_bytes_carry_kind_and_version_before_the_text() -> None:
    facet = facets(Phone("+32475123456"))[0]
    domain = f"phone/norm{NORMALISER_VERSION}".encode()
    made = evaluation_input(facet, EvaluationKind.PHONE)
    assert made == len(domain).to_bytes(2, "big") + domain + b"PHONE=+32475123456"
    assert evaluation_input(facet, EvaluationKind.EMAIL) != made
