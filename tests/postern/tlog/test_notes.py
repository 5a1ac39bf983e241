import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.tlog.notes import (
    KIND_COSIGNATURE,
    KIND_ED25519,
    Note,
    NoteError,
    Signature,
    SigningKey,
    VerifierKey,
    parse_signatures,
    verified,
)
from tests.postern.tlog.vectors import LOG, NOON, VECTORS, WITNESSES, flipped, signed

NOTES = VECTORS["signed_notes"]
COSIGNED = VECTORS["cosignature_v1"]
TEXT = "log.example/audit\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
WORDS = st.text(st.characters(codec="utf-8", min_codepoint=0x20), max_size=40)


@pytest.mark.parametrize("case", NOTES["cases"] + COSIGNED["cases"], ids=lambda case: case["desc"])
def test_notes_are_judged_like_the_reference_does(case):
    keys = [VerifierKey.parse(vkey) for vkey in case["vkeys"]]
    if case["wantErr"]:
        try:
            accepted = verified(Note.parse(case["note"]), keys)
        except NoteError:
            return
        assert accepted == []  # nobody known signed it
    else:
        note = Note.parse(case["note"])
        found = verified(note, keys)
        assert [one.key.name for one in found] == list(case["verified"])
        assert note.encode() == case["note"].encode()
        if isinstance(case["verified"], dict):
            assert {one.key.name: one.time for one in found} == case["verified"]


@pytest.mark.parametrize("vkey", NOTES["vkeys_good"])
def test_a_key_is_written_as_it_was_read(vkey):
    assert str(VerifierKey.parse(vkey)) == vkey


@pytest.mark.parametrize(
    "vkey", [*NOTES["vkeys_bad"], "", "+", "++", "name", "name+00000000+", "a+b+c+d"]
)
def test_a_key_that_does_not_fit_its_id_is_refused(vkey):
    with pytest.raises(NoteError):
        VerifierKey.parse(vkey)


def test_a_key_of_a_kind_that_is_not_known_here_is_refused():
    with pytest.raises(NoteError, match="0x06"):
        VerifierKey("log.example", 0x06, bytes(32))
    with pytest.raises(NoteError, match="32 bytes"):
        VerifierKey("log.example", KIND_ED25519, bytes(31))


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\x01b", "\udc80"]
)
def test_a_name_that_could_be_read_in_two_ways_is_refused(name):
    with pytest.raises(NoteError):
        VerifierKey(name, KIND_ED25519, bytes(32))
    with pytest.raises(NoteError):
        Signature(name, bytes(4), bytes(64))


@settings(deadline=None)
@given(lines=st.lists(WORDS, min_size=1, max_size=4), at=st.integers(0, 2**63 - 1))
def test_what_was_signed_is_verified_after_it_was_written_and_read(lines, at):
    text = "".join(f"{line}\n" for line in lines)
    witness = WITNESSES[0]
    note = Note(text, (LOG.sign(text), witness.cosign(text, at)))
    read = Note.parse(note.encode())
    assert read == note
    found = verified(read, [LOG.verifier, witness.verifier])
    assert [(one.key, one.time) for one in found] == [(LOG.verifier, None), (witness.verifier, at)]


@settings(deadline=None)
@given(bit=st.integers(0, 8 * 72 - 1), text_bit=st.integers(0, 8 * 60))
def test_a_flipped_bit_in_a_signature_or_the_text_is_refused(bit, text_bit):
    keys = [LOG.verifier, WITNESSES[0].verifier]
    by_log, by_witness = LOG.sign(TEXT), WITNESSES[0].cosign(TEXT, NOON)
    for signature in (by_log, by_witness):
        forged = Signature(signature.name, signature.key_id, flipped(signature.blob, bit))
        with pytest.raises(NoteError):
            verified(Note(TEXT, (forged,)), keys)
        changed = flipped(TEXT.encode(), text_bit)
        try:
            note = Note(changed.decode("utf-8"), (signature,))
        except (NoteError, UnicodeDecodeError):
            continue
        with pytest.raises(NoteError):
            verified(note, keys)


def test_a_signature_of_one_kind_is_not_one_of_another():
    seed = bytes(32)
    log = SigningKey("same.example", seed, KIND_ED25519)
    witness = SigningKey("same.example", seed, KIND_COSIGNATURE)
    assert log.verifier.key_id != witness.verifier.key_id
    assert verified(Note(TEXT, (witness.cosign(TEXT, NOON),)), [log.verifier]) == []
    disguised = Signature("same.example", witness.verifier.key_id, log.sign(TEXT).blob)
    with pytest.raises(NoteError):
        verified(Note(TEXT, (disguised,)), [witness.verifier])
    with pytest.raises(NoteError, match="not one that signs in this way"):
        witness.sign(TEXT)
    with pytest.raises(NoteError, match="not one that signs in this way"):
        log.cosign(TEXT, NOON)


def test_the_newest_of_several_cosignatures_counts():
    witness = WITNESSES[0]
    lines = tuple(witness.cosign(TEXT, at) for at in (NOON, NOON + 60, NOON - 60))
    (found,) = verified(Note(TEXT, lines), [witness.verifier])
    assert found.time == NOON + 60


def test_one_bad_signature_of_a_known_key_spoils_its_good_one():
    good = LOG.sign(TEXT)
    bad = Signature(good.name, good.key_id, flipped(good.blob, 3))
    with pytest.raises(NoteError):
        verified(Note(TEXT, (good, bad)), [LOG.verifier])


def test_signatures_of_unknown_keys_and_kinds_are_ignored():
    later_kind = Signature("log.example/audit", b"\x06\x06\x06\x06", bytes(2428))
    note = Note.parse(Note(TEXT, (later_kind, LOG.sign(TEXT))).encode())
    assert [one.key for one in verified(note, [LOG.verifier])] == [LOG.verifier]
    assert verified(note, [WITNESSES[0].verifier]) == []


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\x00b\n", "a\rb\n", "\udc80\n"])
def test_nothing_outside_the_format_is_signed(text):
    with pytest.raises(NoteError):
        LOG.sign(text)
    with pytest.raises(NoteError):
        WITNESSES[0].cosign(text, NOON)


@pytest.mark.parametrize("at", [-1, 2**63])
def test_a_time_that_no_cosignature_can_state_is_refused(at):
    with pytest.raises(NoteError, match="no time"):
        WITNESSES[0].cosign(TEXT, at)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"=\n", b"\n"),
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note[:-1],
        lambda note: note + b"\n",
        lambda note: b"\xff" + note,
        lambda note: note.replace("\u2014 ".encode(), b"- "),
        lambda note: note.replace("\u2014 ".encode(), "\u2014".encode()),
        lambda note: note[:-2] + b"\r\n",
        lambda note: note + "\u2014 log.example/audit AAAAAA==\n".encode(),
        lambda note: note + b"x" * 1_000_000,
    ],
)
def test_a_note_in_another_form_is_refused(change):
    note = signed(TEXT)
    assert Note.parse(note).encode() == note
    with pytest.raises(NoteError):
        Note.parse(change(note))


def test_a_note_longer_than_the_limit_is_refused_before_it_is_read():
    overhead = len(signed("\n")) - 1
    longest = signed("x" * (1_000_000 - overhead - 1) + "\n")
    assert len(longest) == 1_000_000
    assert Note.parse(longest).encode() == longest
    with pytest.raises(NoteError, match="longer than"):
        Note.parse(signed("x" * (1_000_000 - overhead) + "\n"))


def test_a_note_without_a_signature_is_not_written():
    with pytest.raises(NoteError, match="no signature"):
        Note(TEXT, ()).encode()
    with pytest.raises(NoteError, match="more than 100"):
        Note(TEXT, (LOG.sign(TEXT),) * 101)


def test_the_lines_that_a_witness_answers_are_read():
    lines = [one.cosign(TEXT, NOON) for one in WITNESSES]
    body = "".join(f"{one.line}\n" for one in lines)
    assert parse_signatures(body.encode()) == tuple(lines)
    for bad in ("", body[:-1], body + "\n", body + "more\n", body * 40):
        with pytest.raises(NoteError):
            parse_signatures(bad)


def test_a_signing_key_shows_its_seed_to_nobody():
    seed = bytes(range(32))
    shown = repr(SigningKey("log.example/audit", seed))
    assert str(LOG.verifier) in shown
    assert seed.hex() not in shown
    assert repr(seed) not in shown
