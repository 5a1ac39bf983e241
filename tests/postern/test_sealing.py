"""Sealing to one's own keys: for whom it opens, where, and when it is not done."""

from datetime import timedelta

import pytest

from postern.hpke import SecretKey
from postern.organisation_keys import new_keys
from postern.seal import open_envelope
from postern.seal_errors import ContextMismatchError, NotARecipientError
from postern.sealed_content import (
    Attachment,
    Note,
    Value,
    context_of_attachment,
    context_of_note,
    context_of_value,
    opened,
    record_of,
)
from postern.sealing import OwnKeysError, Sealer, check_own
from postern.vocabulary import Kind
from tests.postern import premises

RECOVERY = SecretKey.new()
BEGUN = premises.fresh_keys("post-be").entry.valid_from
KEYS = new_keys("post-be", RECOVERY.public, BEGUN)
SEALER = Sealer.of(KEYS)
TOKEN = bytes(range(16))
RECORD = record_of("key-1", 0)
FIELDS = {"phone": "+3221234567"}


def test_a_value_a_note_and_a_file_open_for_the_own_keys_and_the_recovery_key() -> None:
    value = context_of_value("post-be", Kind.PHONE, 3, TOKEN, RECORD)
    note = context_of_note("post-be", Kind.PHONE, 3, TOKEN, RECORD)
    file = context_of_attachment("post-be", "key-1", 2)
    picture = Attachment("label.jpg", "image/jpeg", b"\xff\xd8")
    for sealed, context, content in (
        (SEALER.value(Kind.PHONE, 3, TOKEN, RECORD, FIELDS), value, Value(Kind.PHONE, FIELDS)),
        (SEALER.note(Kind.PHONE, 3, TOKEN, RECORD, "seen twice"), note, Note("seen twice")),
        (SEALER.attachment("key-1", 2, picture), file, picture),
    ):
        for key in (*KEYS.opening_keys, RECOVERY):
            plaintext = open_envelope(sealed, context, (key,), KEYS.signers)
            assert opened(context.part, plaintext) == content
        with pytest.raises(NotARecipientError):
            open_envelope(sealed, context, (SecretKey.new(),), KEYS.signers)


def test_a_value_opens_for_its_own_record_token_and_part_only() -> None:
    sealed = SEALER.value(Kind.PHONE, 3, TOKEN, RECORD, FIELDS)
    for elsewhere in (
        context_of_value("post-nl", Kind.PHONE, 3, TOKEN, RECORD),
        context_of_value("post-be", Kind.EMAIL, 3, TOKEN, RECORD),
        context_of_value("post-be", Kind.PHONE, 4, TOKEN, RECORD),
        context_of_value("post-be", Kind.PHONE, 3, bytes(16), RECORD),
        context_of_value("post-be", Kind.PHONE, 3, TOKEN, record_of("key-1", 1)),
        context_of_value("post-be", Kind.PHONE, 3, TOKEN, record_of("key-2", 0)),
        context_of_note("post-be", Kind.PHONE, 3, TOKEN, RECORD),
    ):
        with pytest.raises(ContextMismatchError):
            open_envelope(sealed, elsewhere, KEYS.opening_keys, KEYS.signers)


def test_envelopes_tell_the_length_of_a_value_to_256_bytes_only() -> None:
    short, longer = ({"email": "a" * length + "@mail.example"} for length in (1, 150))
    sizes = {len(SEALER.value(Kind.EMAIL, 1, TOKEN, RECORD, fields)) for fields in (short, longer)}
    assert len(sizes) == 1


def test_keys_that_are_not_valid_yet_do_not_seal() -> None:
    check_own(KEYS, "post-be", KEYS.chain, BEGUN)
    with pytest.raises(OwnKeysError, match=r"valid from .* Wait until then"):
        check_own(KEYS, "post-be", KEYS.chain, BEGUN - timedelta(seconds=1))
