"""Folding, sound, and the property every normaliser shares: it is total and idempotent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.normalise import (
    FLAG_WORDS,
    Address,
    Email,
    Flag,
    InductionPoint,
    Item,
    NormalisationError,
    Normalised,
    Party,
    Payment,
    Pgp,
    Phone,
    SchemeForm,
    TextForm,
    Value,
    Vendor,
    normalise,
)
from postern.normalise.countries import country_code
from postern.normalise.folding import (
    digraphs,
    fold,
    heal_digits,
    one_edit_apart,
    skeleton,
)
from postern.normalise.tables import table
from postern.vocabulary import Kind

ANY_TEXT = st.text(max_size=60)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Straße", "strasse"),
        ("ŁÓDŹ", "lodz"),
        ("İstanbul", "istanbul"),
        ("Ærø", "aero"),
        ("\uff26\uff35\uff2c\uff2c\u3000\uff11\uff12", "full 12"),
        ("Москва", "moskva"),
        ("Αθήνα", "athina"),
        ("e\u0301te\u0301", "ete"),
        ("a\u200bb", "ab"),
        ("\tR.  de\nla   Loi ", "r. de la loi"),
        ("№ 7 €", "no 7"),
    ],
)
def test_scripts_case_marks_and_spaces_fold_by_table(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_script_without_a_table_still_equals_itself_and_nothing_else() -> None:
    assert fold("中山") == fold("中山")
    assert fold("中山") != fold("中心")
    assert not any(character.isdigit() for character in fold("中山路"))


@given(ANY_TEXT)
def test_folding_is_idempotent_and_leaves_only_ascii(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert set(once) <= set("abcdefghijklmnopqrstuvwxyz0123456789'-/,. ")


def test_the_fold_table_holds_no_ascii_and_gives_only_what_folding_keeps() -> None:
    letters = table("fold")["letters"]
    assert all(len(letter) == 1 and not letter.isascii() for letter in letters)
    assert all(fold(letter) == alphanumeric_or_kept(folded) for letter, folded in letters.items())


def alphanumeric_or_kept(folded: str) -> str:
    return " ".join(folded.split())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("schmidt", "shmit"),
        ("meier", "meyer"),
        ("wolfgang", "volfgang"),
        ("zielinski", "sielinski"),
        ("claessens", "klaesens"),
        ("philippe", "filip"),
    ],
)
def test_names_that_sound_the_same_have_one_skeleton(left: str, right: str) -> None:
    assert skeleton(left) == skeleton(right)


def test_names_that_sound_different_have_different_skeletons() -> None:
    assert skeleton("peeters") != skeleton("janssens")
    assert skeleton("") == ""


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=30))
def test_a_skeleton_is_never_empty_and_never_longer_than_the_word(word: str) -> None:
    assert 0 < len(skeleton(word)) <= len(word)


def test_umlauts_written_as_digraphs_equal_umlauts() -> None:
    assert digraphs(fold("Müller")) == digraphs(fold("Mueller"))
    assert digraphs("aee") == "a"


def test_a_digit_inside_a_word_is_read_as_a_letter_and_one_outside_is_not() -> None:
    assert heal_digits("th0mas k1aus 12b b12") == "thomas klaus 12b b12"


@pytest.mark.parametrize(
    ("left", "right", "close"),
    [
        ("strase", "strasse", True),
        ("strsase", "strasse", True),
        ("strxsse", "strasse", True),
        ("strasse", "strasse", True),
        ("", "a", True),
        ("", "ab", False),
        ("ba", "ab", True),
        ("abcd", "badc", False),
        ("strasse", "gasse", False),
    ],
)
def test_one_edit_is_an_insertion_deletion_substitution_or_swap(
    left: str, right: str, *, close: bool
) -> None:
    assert one_edit_apart(left, right) is close
    assert one_edit_apart(right, left) is close


@pytest.mark.parametrize(
    ("written", "code"),
    [("BE", "be"), ("België", "be"), ("Deutschland", "de"), ("UK", "gb"), ("EL", "gr"), ("", "")],
)
def test_countries_are_read_as_code_or_name(written: str, code: str) -> None:
    assert country_code(written) == (code, [])


def test_an_unknown_country_is_flagged_and_not_guessed() -> None:
    assert country_code("XX") == ("", [Flag.UNKNOWN_COUNTRY])


def test_every_flag_has_words() -> None:
    assert set(FLAG_WORDS) == set(Flag)


VALUES: st.SearchStrategy[Value] = st.one_of(
    st.builds(
        Party, ANY_TEXT, st.lists(ANY_TEXT, max_size=3).map(tuple), ANY_TEXT, ANY_TEXT, ANY_TEXT
    ),
    st.builds(Address, st.lists(ANY_TEXT, max_size=3).map(tuple), ANY_TEXT, ANY_TEXT, ANY_TEXT),
    st.builds(InductionPoint, ANY_TEXT, ANY_TEXT, ANY_TEXT),
    st.builds(Vendor, ANY_TEXT, ANY_TEXT),
    st.builds(Pgp, ANY_TEXT),
    st.builds(Phone, ANY_TEXT, ANY_TEXT),
    st.builds(Email, ANY_TEXT),
    st.builds(Payment, ANY_TEXT, ANY_TEXT),
    st.builds(Item, st.sampled_from(["s10", "ups", "sscc", "carrier", "auto"]), ANY_TEXT),
)


@given(VALUES)
def test_every_value_is_normalised_or_refused_with_a_remedy(value: Value) -> None:
    outcome = normalised_or_refused(value)
    if isinstance(outcome, NormalisationError):
        assert outcome.field
        assert outcome.reason.endswith(".")
        assert outcome.remedy.endswith(".")
    else:
        assert len(set(outcome.flags)) == len(outcome.flags)


def normalised_or_refused(value: Value) -> Normalised | NormalisationError:
    try:
        return normalise(value)
    except NormalisationError as refused:
        return refused


def written_again(normalised: Normalised) -> Value | None:
    """The canonical form as a value, for the kinds in which one string holds all of it."""
    form = normalised.form
    if isinstance(form, TextForm):
        if normalised.kind is Kind.INDUCTION_POINT:
            return InductionPoint(*form.text.split("|"))
        if normalised.kind is Kind.PHONE:
            return Phone(form.text)
        return Email(form.text) if normalised.kind is Kind.EMAIL else Pgp(form.text)
    if isinstance(form, SchemeForm):
        if normalised.kind is Kind.ITEM:
            return Item(form.scheme, form.text)
        return Payment(form.scheme, form.text)
    return None


PLAUSIBLE: st.SearchStrategy[Value] = st.one_of(
    st.builds(
        Phone,
        st.from_regex(r"(\+|00|0)?[0-9 /.()-]{6,14}", fullmatch=True),
        st.sampled_from(["", "BE", "nl", "DE", "LU", "fr", "IT", "hu"]),
    ),
    st.builds(Email, st.from_regex(r"[A-Za-z0-9._+é-]{1,12}@[A-Za-z0-9ü-]{1,9}\.[A-Za-z]{2,3}")),
    st.builds(Pgp, st.from_regex(r"(0x)?([0-9A-Fa-f]{4} ?){10}", fullmatch=True)),
    st.builds(
        Payment,
        st.sampled_from(["btc", "Ethereum", "IBAN", "monero", "other"]),
        st.from_regex(r"[0-9A-Za-z ]{8,40}", fullmatch=True),
    ),
    st.builds(
        Item,
        st.sampled_from(["auto", "carrier"]),
        st.from_regex(r"[0-9A-Za-z -]{8,24}", fullmatch=True),
    ),
    st.builds(InductionPoint, ANY_TEXT, ANY_TEXT, st.sampled_from(["", "BE", "nl"])),
)


@given(PLAUSIBLE)
def test_normalising_a_canonical_form_changes_nothing(value: Value) -> None:
    try:
        once = normalise(value)
    except NormalisationError:
        return
    again = written_again(once)
    assert again is not None
    assert normalise(again).form == once.form


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_folding_a_label_first_does_not_change_its_form(
    name: str, line: str, postcode: str, city: str
) -> None:
    try:
        plain = normalise(Party(name, (line,), postcode, city))
    except NormalisationError:
        return
    folded = Party(fold(name), (fold(line),), fold(postcode), fold(city))
    assert normalise(folded) == plain
