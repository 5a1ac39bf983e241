"""Items, telephones, e-mail, fingerprints, payments, vendors and induction points."""

import pytest

from postern.normalise import (
    Email,
    Flag,
    HandleForm,
    InductionPoint,
    Item,
    NormalisationError,
    Payment,
    Pgp,
    Phone,
    SchemeForm,
    TextForm,
    Value,
    Vendor,
    normalise,
)
from postern.normalise.items import gs1_check_digit, s10_check_digit, ups_check_digit


def text(value: Value) -> str:
    form = normalise(value).form
    assert isinstance(form, TextForm)
    return form.text


def scheme(value: Value) -> tuple[str, str]:
    form = normalise(value).form
    assert isinstance(form, SchemeForm)
    return form.scheme, form.text


def handle(market: str, written: str) -> HandleForm:
    form = normalise(Vendor(market, written)).form
    assert isinstance(form, HandleForm)
    return form


@pytest.mark.parametrize(
    "identifier",
    ["RB123456785GB", "EE471108151FR", "EB000717618HK", "EB000717595HK", "RR473124829GB"],
)
def test_valid_s10_identifiers_have_no_flag(identifier: str) -> None:
    normalised = normalise(Item("auto", identifier))
    assert normalised.form == SchemeForm("s10", identifier)
    assert normalised.flags == ()


@pytest.mark.parametrize(
    ("serial", "digit"),
    [("00071758", 1), ("96633102", 0), ("76129403", 8), ("00000008", 0), ("00000000", 5)],
)
def test_the_s10_check_digit_folds_ten_to_nought_and_eleven_to_five(
    serial: str, digit: int
) -> None:
    assert s10_check_digit(serial) == digit


@pytest.mark.parametrize(
    ("identifier", "flag"),
    [
        ("RB123456786US", Flag.S10_CHECK_DIGIT),
        ("EB000717594HK", Flag.S10_CHECK_DIGIT),
        ("CP001020301BR", Flag.S10_CHECK_DIGIT),
        ("RB123456785XX", Flag.S10_COUNTRY),
        ("JB123456785GB", Flag.S10_SERVICE),
    ],
)
def test_a_doubtful_s10_identifier_is_flagged_and_kept(identifier: str, flag: Flag) -> None:
    normalised = normalise(Item("s10", identifier))
    assert normalised.form == SchemeForm("s10", identifier)
    assert normalised.flags == (flag,)


def test_spaces_and_lower_case_do_not_matter_to_an_s10_identifier() -> None:
    assert scheme(Item("auto", " r B 1 2 3 4 5 6 7 8 5 C f ")) == ("s10", "RB123456785CF")


@pytest.mark.parametrize(
    "number", ["1Z5R89390357567127", "1Z879E930346834440", "1Z410E7W0392751591"]
)
def test_valid_ups_numbers_are_recognised(number: str) -> None:
    normalised = normalise(Item("auto", number.lower()))
    assert normalised.form == SchemeForm("ups", number)
    assert normalised.flags == ()
    assert ups_check_digit(number[2:-1]) == int(number[-1])


def test_a_ups_number_with_a_wrong_digit_is_flagged() -> None:
    assert normalise(Item("ups", "1Z5R89390357567128")).flags == (Flag.UPS_CHECK_DIGIT,)


def test_an_sscc_is_recognised_with_and_without_its_application_identifier() -> None:
    body = "34043416109402150"
    code = f"{body}{gs1_check_digit(body)}"
    assert scheme(Item("auto", code)) == scheme(Item("auto", f"(00) {code}")) == ("sscc", code)


def test_an_sscc_with_a_wrong_digit_is_flagged_when_named_and_a_carrier_number_when_not() -> None:
    body = "34043416109402150"
    wrong = f"{body}{(gs1_check_digit(body) + 1) % 10}"
    assert normalise(Item("sscc", wrong)).flags == (Flag.SSCC_CHECK_DIGIT,)
    assert scheme(Item("auto", wrong)) == ("carrier", wrong)


def test_the_gs1_check_digit_is_that_of_a_known_code() -> None:
    assert gs1_check_digit("629104150021") == 3


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("s10", "RB12345678GB", "value"),
        ("ups", "1Z5R8939", "value"),
        ("sscc", "123", "value"),
        ("carrier", "12345", "value"),
        ("carrier", "A" * 41, "value"),
        ("auto", "--", "value"),
        ("pigeon", "RB123456785GB", "scheme"),
        ("auto", "A" * 201, "value"),
    ],
)
def test_what_cannot_be_an_identifier_is_refused(kind: str, value: str, field: str) -> None:
    with pytest.raises(NormalisationError) as refused:
        normalise(Item(kind, value))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+32 475 12 34 56", ""),
        ("0032475123456", "FR"),
        ("+32 (0)475 12.34.56", ""),
        ("+32 0475 12 34 56", ""),
        ("0475/12.34.56", "BE"),
        ("475 123456", "be"),
        ("32475123456", "BE"),
        ("+32 475 12 34 56 ext. 9", ""),
        ("\uff0b\uff13\uff12 475 123456", ""),
    ],
)
def test_one_telephone_has_one_form_however_it_is_written(number: str, country: str) -> None:
    assert text(Phone(number, country)) == "+32475123456"
    assert normalise(Phone(number, country)).flags == ()


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("06 698 1234", "IT", "+39066981234"),
        ("06 1 234 5678", "HU", "+3612345678"),
        ("621 123 456", "LU", "+352621123456"),
        ("8 912 345-67-89", "RU", "+79123456789"),
    ],
)
def test_national_prefixes_are_cut_where_a_country_has_them(
    number: str, country: str, expected: str
) -> None:
    assert text(Phone(number, country)) == expected


def test_a_national_number_without_a_country_is_kept_and_flagged() -> None:
    normalised = normalise(Phone("0475 12 34 56"))
    assert normalised.form == TextForm("0475123456")
    assert normalised.flags == (Flag.NO_COUNTRY,)


def test_a_number_of_a_length_that_its_country_does_not_have_is_flagged() -> None:
    assert normalise(Phone("+32 475 12")).flags == (Flag.PHONE_LENGTH,)
    assert normalise(Phone("0475 12", "BE")).flags == (Flag.PHONE_LENGTH,)


@pytest.mark.parametrize("number", ["", "12345", "1234567890123456", "no number"])
def test_too_few_or_too_many_digits_are_refused(number: str) -> None:
    with pytest.raises(NormalisationError, match="between 6 and 15 digits"):
        normalise(Phone(number, "BE"))


def test_an_email_is_folded_on_both_sides() -> None:
    assert text(Email(" mailto:Jan.Peeters@Example.BE. ")) == "jan.peeters@example.be"
    assert text(Email("josé@exämple.org")) == "jose@example.org"
    assert normalise(Email("jan+x@example.be")).flags == ()


def test_an_odd_email_is_flagged() -> None:
    assert normalise(Email("jan..p@example.be")).flags == (Flag.EMAIL_FORM,)
    assert normalise(Email("jan@localhost")).flags == (Flag.EMAIL_FORM,)


@pytest.mark.parametrize("address", ["", "jan", "@example.be", "jan@", "jan@ "])
def test_an_email_without_two_sides_is_refused(address: str) -> None:
    with pytest.raises(NormalisationError, match="each side"):
        normalise(Email(address))


@pytest.mark.parametrize("digits", [40, 64])
def test_a_fingerprint_is_read_with_spaces_colons_and_prefix(digits: int) -> None:
    plain = "0123456789ABCDEF" * 4
    spaced = "0x" + " ".join(plain[place : place + 4] for place in range(0, digits, 4)).lower()
    assert text(Pgp(spaced)) == plain[:digits]


@pytest.mark.parametrize("fingerprint", ["", "0123456789ABCDEF", "G" * 40, "A" * 41])
def test_a_key_id_or_anything_else_is_no_fingerprint(fingerprint: str) -> None:
    with pytest.raises(NormalisationError, match="40 or 64"):
        normalise(Pgp(fingerprint))


def test_case_is_kept_where_it_carries_meaning_and_folded_where_it_does_not() -> None:
    base58 = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
    assert scheme(Payment("BTC", base58)) == ("bitcoin", base58)
    bech32 = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"
    assert scheme(Payment("bitcoin", f"bitcoin:{bech32}?amount=1")) == ("bitcoin", bech32.lower())
    hexadecimal = "0xDE0B295669a9FD93d5F28D9Ec85E40f4cb697BAe"
    assert scheme(Payment("eth", hexadecimal)) == ("ethereum", hexadecimal.lower())
    assert scheme(Payment("iban", "be68 5390 0754 7034")) == ("iban", "BE68539007547034")


def test_a_payment_scheme_can_be_recognised() -> None:
    assert scheme(Payment("auto", "BE68 5390 0754 7034"))[0] == "iban"
    assert scheme(Payment("auto", "0x" + "ab" * 20))[0] == "ethereum"
    with pytest.raises(NormalisationError, match="scheme"):
        normalise(Payment("auto", "no wallet at all"))


def test_wrong_iban_digits_and_odd_forms_are_flagged() -> None:
    assert normalise(Payment("iban", "BE68539007547035")).flags == (Flag.IBAN_CHECK_DIGITS,)
    assert normalise(Payment("bitcoin", "1OIl0000000000000000000000000")).flags == (
        Flag.PAYMENT_FORM,
    )
    assert normalise(Payment("iban", "BE68539007547034")).flags == ()


@pytest.mark.parametrize("address", ["", "  ", "abc", "x" * 401])
def test_a_payment_address_that_is_too_short_or_too_long_is_refused(address: str) -> None:
    with pytest.raises(NormalisationError):
        normalise(Payment("bitcoin", address))


def test_a_handle_has_three_strengths() -> None:
    form = handle("Archetyp Market", "Dr_Gr33nL4bs-NL")
    assert form.market == "archetypmarket"
    assert form.folded == "drgr33nl4bsnl"
    assert form.stripped == handle("", "GreenLabs").stripped
    assert form.skeleton == handle("", "greenlabz").skeleton


def test_digits_at_the_end_and_words_of_place_do_not_make_another_vendor() -> None:
    assert handle("", "XtraLabs2024").stripped == handle("", "xtralabs_official").stripped


def test_look_alike_letters_of_other_scripts_are_read_as_they_look() -> None:
    assert handle("", "\u0430cm\u0435").folded == "acme"
    assert handle("", "\u0410CME").folded == "acme"


def test_a_handle_that_is_too_short_has_no_sound() -> None:
    normalised = normalise(Vendor("", "ab"))
    assert normalised.form == HandleForm("", "ab", "", "")
    assert normalised.flags == (Flag.NO_MARKET, Flag.SHORT_HANDLE)


def test_an_empty_handle_is_refused() -> None:
    with pytest.raises(NormalisationError, match="no letter"):
        normalise(Vendor("market", "---"))
    with pytest.raises(NormalisationError, match="longer"):
        normalise(Vendor("market" * 40, "name"))


def test_an_induction_point_is_operator_code_and_country() -> None:
    normalised = normalise(InductionPoint("Post A", "Box-12", "BE"))
    assert normalised.form == TextForm("posta|box12|be")
    assert normalised.flags == ()
    assert normalise(InductionPoint("Post A", "Box-12", "")).flags == (Flag.NO_COUNTRY,)


@pytest.mark.parametrize(("operator", "code"), [("", "1"), ("Post A", "-"), ("Post A", "1" * 201)])
def test_an_induction_point_without_operator_or_code_is_refused(operator: str, code: str) -> None:
    with pytest.raises(NormalisationError, match="counter, box or locker"):
        normalise(InductionPoint(operator, code, "BE"))
