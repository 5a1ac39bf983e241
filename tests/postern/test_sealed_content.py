"""What stands inside envelopes: one form for each content, read strictly."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.delivery_receipt import Receipt, signed, verify
from postern.envelope import LARGEST_CONTENT
from postern.facets import facets
from postern.rows import VALUE_FIELDS, Reading, sightings
from postern.sealed_content import (
    Attachment,
    AttachmentTooLargeError,
    Note,
    SealedContentError,
    Value,
    opened,
    tokens_again,
)
from postern.sealed_message import Asked, Message
from postern.signing_identity import SigningIdentity
from postern.strict_json import canonical
from postern.vocabulary import EVALUATION_KIND, Kind, TokenCheck
from tests.postern import content_vectors

DAY = date(2026, 11, 26)
KNOWN: dict[str, Any] = json.loads(content_vectors.FILE.read_text(encoding="utf-8"))


def test_the_known_answers_are_what_the_code_gives() -> None:
    assert content_vectors.made() == KNOWN


def test_the_known_answers_cover_every_kind_that_is_sealed() -> None:
    assert {each["kind"] for each in KNOWN["values"]} == {kind.value for kind in VALUE_FIELDS}
    assert set(VALUE_FIELDS) == set(EVALUATION_KIND)


@pytest.mark.parametrize("known", KNOWN["values"], ids=lambda each: str(each["kind"]))
def test_a_value_is_read_back_and_gives_its_facets_again(known: dict[str, Any]) -> None:
    value = opened("value", bytes.fromhex(known["plaintext"]))
    assert value == Value(Kind(known["kind"]), known["fields"])
    assert isinstance(value, Value)
    assert facets(tokens_again(value))[0].text == known["first_facet"]


def test_notes_and_files_are_read_back() -> None:
    for known in KNOWN["notes"]:
        assert opened("note", bytes.fromhex(known["plaintext"])) == Note(known["note"])
    for known in KNOWN["attachments"]:
        file = opened(known["context"]["part"], bytes.fromhex(known["plaintext"]))
        content = bytes.fromhex(known["content"])
        assert file == Attachment(known["name"], known["media_type"], content)


CELLS = st.dictionaries(
    st.sampled_from(
        (
            *("sender_name", "sender_street", "sender_house_number", "sender_box"),
            *("sender_postcode", "sender_city", "sender_country", "sender_phone"),
            *("addressee_business", "addressee_street", "addressee_city", "email", "phone"),
            *("vendor_handle", "vendor_market", "item_id", "pgp", "payment", "country", "street"),
        )
    ),
    st.sampled_from(
        (
            *("16 rue de la Loi, 1040 Bruxelles", "Meir 5", "12", "1000", "Bruxelles", "BE"),
            *("02 123 45 67", "+31 20 123 45 67", "someone@mail.example", "RB123456785GB"),
            *("A" * 40, "NL91ABNA0417164300", "Jan de Vries", "Dutch Magic", "nl"),
        )
    ),
)


@given(CELLS, st.sampled_from(("", "be", "NL")))
@settings(max_examples=300, deadline=None)
def test_what_is_sealed_of_any_row_gives_the_tokens_under_which_it_was_shared(
    row: dict[str, str], country: str
) -> None:
    try:
        found, _ = sightings(row, Reading(DAY, country=country))
    except ValueError:
        return
    for sighting in found:
        value = Value(sighting.value.kind, sighting.fields)
        again = opened("value", value.plaintext())
        assert isinstance(again, Value)
        assert facets(tokens_again(again)) == facets(sighting.value)


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"[]",
        b'{"kind":"phone","v":1}',
        canonical({"v": 2, "kind": "phone", "fields": {"phone": "1"}}),
        canonical({"v": 1, "kind": "phone", "fields": {"phone": 1}}),
        canonical({"v": 1, "kind": "phone", "fields": {}}),
        canonical({"v": 1, "kind": "phone", "fields": {"email": "a@b.example"}}),
        canonical({"v": 1, "kind": "induction_point", "fields": {"street": "x"}}),
        canonical({"v": 1, "kind": "fax", "fields": {"phone": "1"}}),
        canonical({"v": 1, "kind": "phone", "fields": {"phone": "1" * 1001}}),
        canonical({"v": 1, "kind": "phone", "fields": {"phone": "1"}, "more": 1}),
        b'{"v":1,"kind":"phone","fields":{"phone":"1"}}',  # not canonical
        canonical({"v": 1, "kind": "phone", "fields": {"phone": "1"}}) + b" ",
        b'{"fields":{"phone":"1"},"kind":"phone","kind":"phone","v":1}',
    ],
)
def test_a_value_of_another_form_is_refused(plaintext: bytes) -> None:
    with pytest.raises(SealedContentError) as caught:
        opened("value", plaintext)
    assert "fax" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "plaintext"),
    [
        ("note", canonical({"v": 1, "note": ""})),
        ("note", canonical({"v": 1, "note": "x" * 10_001})),
        ("note", canonical({"v": 1, "note": 1})),
        ("attachment/1", b""),
        ("attachment/1", (9).to_bytes(4, "big") + b"{}"),
        ("attachment/1", (2**31).to_bytes(4, "big") + b"{}"),
        ("attachment/0", Attachment("a", "image/png", b"").plaintext()),
        ("attachment", Attachment("a", "image/png", b"").plaintext()),
        ("trial", b"{}"),
    ],
)
def test_another_part_of_another_form_is_refused(part: str, plaintext: bytes) -> None:
    with pytest.raises(SealedContentError):
        opened(part, plaintext)


@given(st.binary(max_size=300), st.sampled_from(("value", "note", "attachment/1")))
@settings(max_examples=200, deadline=None)
def test_bytes_that_are_no_content_are_refused(plaintext: bytes, part: str) -> None:
    with pytest.raises(SealedContentError):
        opened(part, plaintext)


def test_a_file_of_ten_megabytes_fits_and_not_one_byte_more() -> None:
    head = len(Attachment("a.jpg", "image/jpeg", b"").plaintext())
    most = LARGEST_CONTENT - head
    assert len(Attachment("a.jpg", "image/jpeg", bytes(most)).plaintext()) == LARGEST_CONTENT
    with pytest.raises(AttachmentTooLargeError, match=r"a\.jpg is larger"):
        Attachment("a.jpg", "image/jpeg", bytes(most + 1))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("", "image/png"), ("a\x1b[2J", "image/png"), ("a" * 121, "image/png"), ("a", "image")],
)
def test_a_file_with_an_odd_name_or_type_is_not_sealed(name: str, media_type: str) -> None:
    with pytest.raises(SealedContentError):
        Attachment(name, media_type, b"")


def test_a_value_that_reads_as_two_or_as_another_kind_gives_no_tokens() -> None:
    for value in (
        Value(Kind.PHONE, {"phone": "12"}),
        Value(Kind.PARTY, {"street": "Meir 5", "postcode": "2000"}),
        Value(Kind.ADDRESS, {"city": "Antwerpen"}),
    ):
        with pytest.raises(SealedContentError) as caught:
            tokens_again(value)
        assert "Meir" not in str(caught.value)


def test_half_a_surrogate_pair_is_refused_and_not_a_crash() -> None:
    for content in (Value(Kind.EMAIL, {"email": "\ud800"}), Note("\ud800"), Message("\ud800")):
        with pytest.raises(SealedContentError, match="surrogate"):
            content.plaintext()


def test_a_message_needs_a_text_or_an_ask_and_bounds_both() -> None:
    about = Asked("C", "i", "normal", ("value",), "none")
    assert Message("", about).plaintext()
    for text, case in (("", None), ("x" * 10_001, None), ("x", ""), ("x", "c" * 129)):
        with pytest.raises(SealedContentError):
            Message(text, Asked(case, "i", "normal", (), "none") if case is not None else None)


def test_a_receipt_is_of_one_delivery_one_envelope_and_one_finding() -> None:
    identity, other = SigningIdentity.new(), SigningIdentity.new()
    receipt = Receipt("r", "d", bytes(32), TokenCheck.MATCHES)
    by, kid = signed(receipt, identity), identity.public.kid
    keys = (other.public, identity.public)
    assert verify(receipt, by, kid, keys)
    for changed in (
        Receipt("r2", "d", bytes(32), TokenCheck.MATCHES),
        Receipt("r", "d2", bytes(32), TokenCheck.MATCHES),
        Receipt("r", "d", b"\x01" + bytes(31), TokenCheck.MATCHES),
        Receipt("r", "d", bytes(32), TokenCheck.DIFFERS),
    ):
        assert not verify(changed, by, kid, keys)
    assert not verify(receipt, by, other.public.kid, keys)
    assert not verify(receipt, by, kid, (other.public,))
    assert not verify(receipt, by[:-1], kid, keys)
    with pytest.raises(ValueError, match="32 bytes"):
        Receipt("r", "d", b"", TokenCheck.MATCHES)
