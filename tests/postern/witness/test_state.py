"""What a witness keeps survives, stays private, and is refused when it was damaged."""

import json
import threading
from pathlib import Path

import pytest

from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import KIND_COSIGNATURE, VerifierKey
from postern.witness.errors import WitnessBusyError, WitnessStateError
from postern.witness.rules import Held, Watched, Wrong
from postern.witness.state import Store
from tests.postern.tlog.vectors import LOG, NOON
from tests.postern.witness.conftest import NAME, ORIGIN, SignedLog, watched


def held_by(log: SignedLog) -> Watched:
    checkpoint, _ = open_checkpoint(log.note(), [LOG.verifier])
    return Watched(ORIGIN, (LOG.verifier,), Held(checkpoint, log.note(), NOON))


def test_a_key_comes_back_as_it_was_made(store: Store) -> None:
    key = store.key().verifier
    assert (key.name, key.kind) == (NAME, KIND_COSIGNATURE)
    assert VerifierKey.parse(str(key)) == key
    assert Store(store.directory).key().verifier == key


def test_a_key_is_never_replaced(store: Store) -> None:
    with pytest.raises(WitnessStateError, match="already"):
        store.create("another.example/witness")


def test_a_name_that_cannot_sign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WitnessStateError, match="name of a witness"):
        Store(tmp_path / "new").create("two words")


def test_key_and_state_are_readable_by_their_owner_alone(store: Store, log: SignedLog) -> None:
    store.keep(held_by(log))
    files = [path for path in store.directory.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_key_that_others_may_read_is_refused(store: Store) -> None:
    (store.directory / "witness.key").chmod(0o644)
    with pytest.raises(WitnessStateError, match="chmod 600"):
        store.key()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE+KEY+a+00000000+BAAA",
        "PRIVATE+KEY+witness.example/one+00000000+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_a_damaged_key_is_refused(store: Store, text: str) -> None:
    (store.directory / "witness.key").write_text(text)
    with pytest.raises(WitnessStateError, match="does not hold"):
        store.key()


def test_without_a_key_there_is_no_witness(tmp_path: Path) -> None:
    with pytest.raises(WitnessStateError, match="postern witness init"):
        Store(tmp_path).key()


def test_what_is_held_comes_back(store: Store, log: SignedLog) -> None:
    store.keep(held_by(log))
    assert Store(store.directory).watched(ORIGIN) == held_by(log)
    assert Store(store.directory).all_watched() == [held_by(log)]
    assert store.watched("other.example/audit") is None


def test_to_watch_a_log_again_keeps_what_is_held_of_it(store: Store, log: SignedLog) -> None:
    store.keep(held_by(log))
    assert store.watch(ORIGIN, (LOG.verifier,)).size == 10


@pytest.mark.parametrize("change", ["", "{", '{"origin": "x"}', "size"])
def test_a_state_that_was_changed_is_refused(store: Store, log: SignedLog, change: str) -> None:
    store.keep(held_by(log))
    (path,) = (store.directory / "logs").iterdir()
    text = path.read_text()
    if change == "size":
        document = json.loads(text)
        document["held"]["note"] = document["held"]["note"].replace("\n10\n", "\n9\n")
        change = json.dumps(document)
    path.write_text(change)
    with pytest.raises(WitnessStateError):
        store.watched(ORIGIN)


def test_what_cannot_be_written_is_an_error_and_the_old_state_stays(
    store: Store, log: SignedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("postern.witness.state.write_private", full)
    with pytest.raises(WitnessStateError, match="nothing was cosigned"):
        store.keep(held_by(log))
    assert watched(store).size == 0


def test_two_never_decide_at_once(store: Store) -> None:
    entered = threading.Event()
    with store.turn():

        def enter() -> None:
            with Store(store.directory).turn():
                entered.set()

        other = threading.Thread(target=enter)
        other.start()
        with pytest.raises(WitnessBusyError), Store(store.directory).turn(patience=0.0):
            pass
        assert not entered.is_set()
    other.join(20)
    assert entered.is_set()


def test_evidence_is_kept_once(store: Store, log: SignedLog) -> None:
    path, is_new = store.keep_evidence(held_by(log), b"shown", Wrong.ROLLBACK, "It shrank.")
    assert is_new
    assert store.keep_evidence(held_by(log), b"shown", Wrong.ROLLBACK, "It shrank.") == (
        path,
        False,
    )
    (kept,) = store.evidence()
    assert (kept.held, kept.shown) == (log.note().decode(), "shown")
    assert path.stat().st_mode & 0o077 == 0
