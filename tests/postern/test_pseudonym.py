from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern import group, pseudonym, voprf
from postern.vocabulary import EvaluationKind, Kind

# Computed with sha512sum from the bytes that docs/pseudonyms.md describes.
KNOWN_TOKENS = [
    ("postal", 1, "eb4610f9db35f1366315d78a6a5d3394"),
    ("phone", 2**32 - 1, "69cafc8d09e2b654a9ad2acb39f55d64"),
]
KNOWN_CLEAR_TOKEN = ("induction_point", "zaventem é", "9c5566cb498e3fddc695a708d41c1702")


@pytest.mark.parametrize(("kind", "epoch", "expected"), KNOWN_TOKENS)
def test_a_token_is_the_hash_that_the_documentation_describes(
    kind: str, epoch: int, expected: str
) -> None:
    assert pseudonym.token(kind, epoch, group.GENERATOR).hex() == expected


def test_a_clear_token_is_the_hash_that_the_documentation_describes() -> None:
    kind, text, expected = KNOWN_CLEAR_TOKEN
    assert pseudonym.clear_token(kind, text).hex() == expected


def test_the_documentation_gives_these_very_tokens() -> None:
    text = (Path(__file__).parents[2] / "docs" / "pseudonyms.md").read_text()
    for token in (*(each[2] for each in KNOWN_TOKENS), KNOWN_CLEAR_TOKEN[2]):
        assert f"`{token}`" in text


def test_the_vocabulary_names_a_kind_as_well_as_its_string_does() -> None:
    assert pseudonym.token(EvaluationKind.POSTAL, 1, group.GENERATOR).hex() == KNOWN_TOKENS[0][2]
    clear = pseudonym.clear_token(Kind.INDUCTION_POINT, KNOWN_CLEAR_TOKEN[1])
    assert clear.hex() == KNOWN_CLEAR_TOKEN[2]
    for kind in EvaluationKind:
        assert len(pseudonym.token(kind, 1, group.GENERATOR)) == pseudonym.TOKEN_SIZE


def test_kind_epoch_and_element_each_change_the_token() -> None:
    other = group.base(b"\x02" + bytes(31))
    tokens = {
        pseudonym.token("postal", 1, group.GENERATOR),
        pseudonym.token("phone", 1, group.GENERATOR),
        pseudonym.token("postal", 2, group.GENERATOR),
        pseudonym.token("postal", 1, other),
    }
    assert len(tokens) == 4


@pytest.mark.parametrize(
    "element",
    [
        bytes(32),
        group.GENERATOR[:31] + bytes((group.GENERATOR[31] | 0x80,)),
        group.GENERATOR[:31],
        b"\x01" + bytes(31),
    ],
    ids=["identity", "bit 255", "short", "negative"],
)
def test_an_element_has_no_second_spelling_and_so_no_second_token(element: bytes) -> None:
    with pytest.raises(group.InvalidElementError):
        pseudonym.token("postal", 1, element)


@pytest.mark.parametrize("epoch", [-1, 0, 2**32])
def test_an_epoch_out_of_range_is_refused(epoch: int) -> None:
    with pytest.raises(pseudonym.TokenInputError, match="epoch"):
        pseudonym.token("postal", epoch, group.GENERATOR)
    with pytest.raises(pseudonym.TokenInputError, match="epoch"):
        pseudonym.derive_epoch_key(bytes(32), "postal", epoch)


@pytest.mark.parametrize("kind", ["", "Postal", "po|stal", "postal/norm1", "é", "a\n", "a" * 33])
def test_a_kind_that_is_no_short_name_is_refused(kind: str) -> None:
    for call in (
        lambda: pseudonym.token(kind, 1, group.GENERATOR),
        lambda: pseudonym.clear_token(kind, "place"),
        lambda: pseudonym.derive_epoch_key(bytes(32), kind, 1),
    ):
        with pytest.raises(pseudonym.TokenInputError, match="name"):
            call()


@pytest.mark.parametrize("text", ["", "é" * 32768, "\ud800"])
def test_a_text_that_cannot_be_written_is_refused(text: str) -> None:
    with pytest.raises(pseudonym.TokenInputError):
        pseudonym.clear_token("induction_point", text)


def test_the_longest_text_is_accepted() -> None:
    token = pseudonym.clear_token("induction_point", "a" * 65535)
    assert len(token) == pseudonym.TOKEN_SIZE


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_clear_tokens_are_equal_when_the_texts_are(left: str, right: str) -> None:
    try:
        tokens = [pseudonym.clear_token("induction_point", each) for each in (left, right)]
    except pseudonym.TokenInputError:
        return
    assert (tokens[0] == tokens[1]) == (left == right)


def test_a_clear_token_never_equals_an_evaluated_one_of_the_same_bytes() -> None:
    """A text can have the bytes of an element; epoch 0 keeps the two apart."""
    text = next(each for each in map("{:032d}".format, range(1000)) if is_element(each.encode()))
    clear = pseudonym.clear_token("postal", text)
    assert clear != pseudonym.token("postal", 1, text.encode())


def is_element(candidate: bytes) -> bool:
    try:
        group.check_element(candidate)
    except group.InvalidElementError:
        return False
    return True


def test_each_kind_and_epoch_has_its_own_key() -> None:
    seed = b"\x05" * 32
    pairs = {
        pseudonym.derive_epoch_key(seed, kind, epoch)
        for kind in EvaluationKind
        for epoch in (1, 2, 11)
    }
    assert len(pairs) == 3 * len(EvaluationKind)


def test_an_epoch_key_is_derived_from_the_documented_label() -> None:
    seed = b"\x05" * 32
    expected = voprf.derive_key_pair(seed, b"PN|postal|12")
    assert pseudonym.derive_epoch_key(seed, "postal", 12) == expected
