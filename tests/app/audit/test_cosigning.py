"""What a witness is asked, and which of its lines are kept."""

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select

from app.access import CONSOLE
from app.audit import cosigning, sequencer
from app.audit.cosigning import CosignatureRefusedError, accept, pending
from app.audit.models import AuditCosignature, AuditWitness
from app.audit.tree import newest, reader
from app.audit.witnesses import end
from app.database import Database
from app.errors import NotFoundError
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import Note, SigningKey
from postern.tlog.tiles import root
from postern.tlog.tree import verify_consistency
from postern.tlog.witnessing import AddCheckpoint
from tests.app.audit.logkeeping import Keeper

HOUR = 3600


def asked(keeper: Keeper, old: int) -> AddCheckpoint:
    with keeper.database.reading() as session:
        return AddCheckpoint.parse(pending(session, old))


def kept(keeper: Keeper) -> list[tuple[int, int]]:
    """(size, time) of every line that is kept."""
    with keeper.database.reading() as session:
        rows = session.execute(
            select(AuditCosignature.size, AuditCosignature.t.label("at")).order_by(
                AuditCosignature.size
            )
        )
        return [(row.size, row.at) for row in rows]


def refused(keeper: Keeper, lines: bytes, size: int | None = None) -> str:
    with (
        keeper.database.transaction() as session,
        pytest.raises(CosignatureRefusedError) as error,
    ):
        accept(session, lines, size)
    return error.value.detail


@pytest.mark.parametrize("old", [0, 1, 10, 300])
def test_a_witness_gets_a_proof_from_where_it_is(keeper: Keeper, old: int) -> None:
    keeper.grow(290)
    with keeper.database.reading() as session:
        before = root(reader(session), old) if old else b""
    request = asked(keeper, old)
    checkpoint, _ = open_checkpoint(request.checkpoint, [keeper.key.verifier])
    assert (request.old, checkpoint.size) == (old, 300)
    if old:
        verify_consistency(old, before, checkpoint.size, checkpoint.root, request.proof)
    else:
        assert request.proof == ()


def test_a_witness_that_has_seen_more_gets_the_checkpoint_without_a_proof(keeper: Keeper) -> None:
    request = asked(keeper, 11)
    assert (request.old, request.proof) == (11, ())
    checkpoint, _ = open_checkpoint(request.checkpoint, [keeper.key.verifier])
    assert checkpoint.size == 10


def test_witnesses_that_come_at_different_moments_are_asked_for_the_same_checkpoint(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that grows all the time, and witnesses that come when they like, reach a quorum."""
    turn = 60
    begin = datetime(2030, 1, 1, tzinfo=UTC)  # of a turn

    def clock(seconds: float) -> None:
        moment = begin + timedelta(seconds=seconds)
        monkeypatch.setattr(sequencer, "now", lambda: moment)
        monkeypatch.setattr(cosigning, "now", lambda: moment)

    clock(-1)
    before = keeper.grow()
    sizes = []
    for second in (0, 7, 31, 59):
        clock(second)
        keeper.grow()
        with keeper.database.reading() as session:
            due = cosigning.due(session, turn)
            ahead = cosigning.due(session, turn, old=before + 1)
        assert due is not None
        assert ahead is not None
        sizes.append(due.size)
        assert ahead.size > before  # never less than a witness has cosigned
    assert sizes == [before] * 4
    clock(60)
    with keeper.database.reading() as session:
        following = cosigning.due(session, turn)
    assert following is not None
    assert following.size == before + 4


def test_before_the_first_checkpoint_nothing_is_pending(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotFoundError):
        pending(session, 0)


def test_what_is_pending_bears_no_cosignature(keeper: Keeper) -> None:
    keeper.witness("police-de")
    keeper.cosign("police-de")
    assert len(Note.parse(asked(keeper, 0).checkpoint).signatures) == 1


def test_a_cosignature_is_published_with_its_checkpoint(keeper: Keeper) -> None:
    key = keeper.witness("police-de")
    keeper.cosign("police-de")
    with keeper.database.reading() as session:
        found = newest(session)
        witness = session.scalars(select(AuditWitness)).one()
    assert found
    assert [each.name for each in Note.parse(found.note).signatures] == [
        keeper.key.verifier.name,
        key.verifier.name,
    ]
    assert witness.size == 10
    assert witness.seen


def test_a_published_cosignature_verifies_with_openssl(keeper: Keeper, tmp_path: Path) -> None:
    key = keeper.witness("police-de").verifier
    keeper.cosign("police-de", at=(at := int(time.time())))
    with keeper.database.reading() as session:
        found = newest(session)
    assert found
    line = Note.parse(found.note).signatures[1]
    text = found.note.split(b"\n\n")[0] + b"\n"
    (tmp_path / "message").write_bytes(b"cosignature/v1\ntime %d\n" % at + text)
    (tmp_path / "signature").write_bytes(line.blob[8:])
    public = Ed25519PublicKey.from_public_bytes(key.public)
    (tmp_path / "key.pem").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key.pem"]
    command += ["-in", "message", "-sigfile", "signature"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "Signature Verified Successfully\n")


def test_an_older_checkpoint_may_be_cosigned_after_the_log_grew(keeper: Keeper) -> None:
    keeper.witness("police-de")
    line = keeper.line("police-de")
    keeper.grow()
    with keeper.database.transaction() as session:
        accept(session, line, 10)
    assert [size for size, _ in kept(keeper)] == [10]
    assert "does not fit" in refused(keeper, line)


def test_a_line_that_is_sent_again_is_no_harm(keeper: Keeper) -> None:
    keeper.witness("police-de")
    now = int(time.time())
    keeper.cosign("police-de", at=now)
    keeper.cosign("police-de", at=now)
    keeper.cosign("police-de", at=now + 60)
    assert kept(keeper) == [(10, now)]


def test_a_line_that_is_much_later_shows_that_nothing_followed(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.witness("police-de")
    now = int(time.time())
    keeper.cosign("police-de", at=now)
    later = now + 6 * HOUR
    monkeypatch.setattr("app.audit.cosigning.milliseconds", lambda _moment: later * 1000)
    keeper.cosign("police-de", at=later)
    assert kept(keeper) == [(10, later)]


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_a_clock_that_is_wrong_is_refused(keeper: Keeper, off: int) -> None:
    keeper.witness("police-de")
    assert "time" in refused(keeper, keeper.line("police-de", at=time.time() + off))
    assert kept(keeper) == []


def test_lines_of_strangers_are_left_out_and_alone_refused(keeper: Keeper) -> None:
    keeper.witness("police-de")
    stranger = SigningKey("stranger.example/witness", b"s" * 32, 4)
    line = f"{stranger.cosign(keeper.text(), int(time.time())).line}\n".encode()
    refused(keeper, line)
    with keeper.database.transaction() as session:
        (key,) = accept(session, line + keeper.line("police-de"))
    assert key.name == "police-de.example/witness"
    assert len(kept(keeper)) == 1


def test_a_line_over_another_text_is_refused_whole(keeper: Keeper) -> None:
    for each in ("police-de", "post-be"):
        keeper.witness(each)
    forged = keeper.witnesses["post-be"].cosign("another\n1\nx\n", int(time.time()))
    refused(keeper, keeper.line("police-de") + f"{forged.line}\n".encode())
    assert kept(keeper) == []


def test_an_ended_witness_is_a_stranger(keeper: Keeper) -> None:
    key = keeper.witness("police-de").verifier
    line = keeper.line("police-de")
    with keeper.database.transaction() as session:
        end(session, CONSOLE, str(key))
    refused(keeper, line)


@pytest.mark.parametrize("lines", [b"", b"\n", b"no line", b"x" * 20_000, b"\xff\n"])
def test_what_is_no_line_is_refused(keeper: Keeper, lines: bytes) -> None:
    refused(keeper, lines)


def test_a_checkpoint_that_does_not_exist_cannot_be_cosigned(keeper: Keeper) -> None:
    keeper.witness("police-de")
    with keeper.database.transaction() as session, pytest.raises(NotFoundError):
        accept(session, keeper.line("police-de"), 9)


def test_the_size_of_a_witness_never_shrinks(keeper: Keeper) -> None:
    keeper.witness("police-de")
    first = keeper.line("police-de")
    size = keeper.grow()
    keeper.cosign("police-de")
    with keeper.database.transaction() as session:
        accept(session, first, 10)
    with keeper.database.reading() as session:
        assert session.scalar(select(func.max(AuditWitness.size))) == size
