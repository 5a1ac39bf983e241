"""Exchange tokens: of one reader alone, and equal where match tokens are."""

from uuid import UUID

import pytest

from postern.facet_kinds import FACETS, NAME_FACETS
from postern.stix.tokens import (
    EXACTNESS,
    EXCHANGE_TOKEN,
    REFERENCE,
    exchange_key,
    exchange_token,
    facet_name,
    facet_number,
    reference,
)
from postern.vocabulary import INDICATOR_KINDS, Kind

SECRET = bytes(32)
MATCH = bytes(range(16))


def test_two_readers_cannot_compare_what_they_got() -> None:
    one, other = exchange_key(SECRET, "police-nl"), exchange_key(SECRET, "customs-be")
    assert exchange_token(one, Kind.PHONE, 3, MATCH) != exchange_token(other, Kind.PHONE, 3, MATCH)
    assert one == exchange_key(SECRET, "police-nl")


def test_a_party_and_an_address_that_share_a_match_token_share_the_exchange_token() -> None:
    key = exchange_key(SECRET, "police-nl")
    party, address = (exchange_token(key, kind, 3, MATCH) for kind in (Kind.PARTY, Kind.ADDRESS))
    assert party == address == "postal1.3.uFgAO7C2htMk2b92opnSqg"


def test_no_token_equals_a_reference() -> None:
    key = exchange_key(SECRET, "police-nl")
    token = exchange_token(key, Kind.PHONE, 3, MATCH)
    assert token.rpartition(".")[2] != reference(key, UUID(bytes=MATCH)).rpartition(".")[2]


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_every_token_and_reference_has_its_form(kind: Kind) -> None:
    key = exchange_key(SECRET, "police-nl")
    assert EXCHANGE_TOKEN.fullmatch(exchange_token(key, kind, 0, MATCH))
    assert REFERENCE.fullmatch(reference(key, UUID(bytes=MATCH)))


def test_keys_and_tokens_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        exchange_key(b"short", "police-nl")
    with pytest.raises(ValueError, match="32 bytes"):
        exchange_token(b"short", Kind.PHONE, 3, MATCH)
    with pytest.raises(ValueError, match="16"):
        exchange_token(SECRET, Kind.PHONE, 3, b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        reference(b"short", UUID(bytes=MATCH))


def test_every_facet_has_one_name_and_one_rank() -> None:
    assert sorted(EXACTNESS) == sorted(FACETS)
    names = [facet_name(number) for number in FACETS]
    assert len(set(names)) == len(names)
    assert [facet_number(name) for name in names] == list(FACETS)
    assert all(name.replace("_", "").isalnum() and len(name) >= 3 for name in names)
    assert facet_number("P*H") is None


def test_what_holds_a_name_and_a_place_tells_more_than_the_place_alone() -> None:
    best_of_names = min(EXACTNESS.index(number) for number in NAME_FACETS)
    assert best_of_names == 0
