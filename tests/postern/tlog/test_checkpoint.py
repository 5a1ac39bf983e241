import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import EMPTY_ROOT
from postern.tlog.notes import Note, NoteError, SigningKey
from tests.postern.tlog.vectors import LOG, NOON, WITNESSES, signed

ORIGIN = LOG.verifier.name
ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
TEXT = f"{ORIGIN}\n7\n{ROOT}\n"


@given(size=st.integers(0, 2**63 - 1), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(size, root):
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_a_checkpoint_is_three_lines():
    assert Checkpoint(ORIGIN, 7, EMPTY_ROOT).text == TEXT


def test_extension_lines_are_allowed_and_left_out():
    assert Checkpoint.parse(TEXT + "more\nand more\n") == Checkpoint(ORIGIN, 7, EMPTY_ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "more\n\nand more\n",
        TEXT + "more",
        f"\n7\n{ROOT}\n",
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n07\n{ROOT}\n",
        f"{ORIGIN}\n+7\n{ROOT}\n",
        f"{ORIGIN}\n-7\n{ROOT}\n",
        f"{ORIGIN}\n 7\n{ROOT}\n",
        f"{ORIGIN}\n7_0\n{ROOT}\n",
        f"{ORIGIN}\n\u0667\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n7\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n7\n{ROOT[:-2]}V=\n",
        f"{ORIGIN}\n7\n{ROOT[:40]}\n",
        f"{ORIGIN}\n7\n {ROOT}\n",
    ],
)
def test_another_text_is_no_checkpoint(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("", 7, EMPTY_ROOT), ("a\nb", 7, EMPTY_ROOT), (ORIGIN, -1, EMPTY_ROOT), (ORIGIN, 7, b"short")],
)
def test_a_checkpoint_that_could_not_be_written_is_not_made(origin, size, root):
    with pytest.raises(NoteError):
        Checkpoint(origin, size, root)


def test_a_checkpoint_signed_by_its_log_is_opened():
    checkpoint, note = open_checkpoint(signed(TEXT, witnesses=2), [LOG.verifier])
    assert checkpoint == Checkpoint(ORIGIN, 7, EMPTY_ROOT)
    assert [one.name for one in note.signatures] == [
        ORIGIN,
        "witness.example/1",
        "witness.example/2",
    ]


def test_a_checkpoint_is_opened_while_the_log_changes_its_key():
    new = SigningKey(ORIGIN, b"n" * 32)
    note = Note(TEXT, (LOG.sign(TEXT), new.sign(TEXT))).encode()
    for keys in ([LOG.verifier], [new.verifier], [LOG.verifier, new.verifier]):
        assert open_checkpoint(note, keys)[0].size == 7


@pytest.mark.parametrize(
    "note",
    [
        Note(TEXT, (WITNESSES[0].cosign(TEXT, NOON),)).encode(),
        Note(TEXT, (SigningKey(ORIGIN, b"n" * 32).sign(TEXT),)).encode(),
        Note("other.example\n" + TEXT, (LOG.sign("other.example\n" + TEXT),)).encode(),
        signed(TEXT.replace(ORIGIN, "other.example/audit")),
        signed(TEXT).replace(b"\n7\n", b"\n8\n"),
        signed("a receipt\n"),
    ],
    ids=["witness only", "another key", "no checkpoint", "origin", "altered", "no checkpoint"],
)
def test_a_checkpoint_that_its_log_did_not_sign_is_refused(note):
    with pytest.raises(NoteError):
        open_checkpoint(note, [LOG.verifier, WITNESSES[0].verifier])


def test_one_known_log_cannot_sign_for_another():
    other = SigningKey("other.example/audit", b"o" * 32)
    note = Note(TEXT, (other.sign(TEXT),)).encode()
    with pytest.raises(NoteError, match="no known key"):
        open_checkpoint(note, [LOG.verifier, other.verifier])
