"""What a witness keeps: its private key, the logs it watches, and evidence against them.

Everything lies in one directory that only its owner may read. What is held of a log is written
durably before a cosignature leaves; a witness that forgot would cosign a second history.
"""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postern.private_files import lock, others_may_read, write_private
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import KIND_COSIGNATURE, NoteError, SigningKey, VerifierKey
from postern.tlog.strict import from_base64, to_base64
from postern.witness.errors import WitnessBusyError, WitnessStateError
from postern.witness.rules import Held, Watched, Wrong

_KEY_FILE = "witness.key"
_LOGS = "logs"
_EVIDENCE = "evidence"
_LOCK = "lock"
_SEED_SIZE = 32  # bytes
_PREFIX = "PRIVATE+KEY"
_KEY_TEXT = re.compile(r"PRIVATE\+KEY\+(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>\S+)")
_MOST_EVIDENCE = 1000  # files; whoever sends bad requests must not fill the disk
_LOCK_PAUSE = 0.02  # seconds


@dataclass(frozen=True)
class Evidence:
    """Two signed checkpoints that cannot both be true, as they are kept."""

    path: Path
    wrong: Wrong
    found_at: int  # seconds since 1970
    reason: str
    held: str
    shown: str


class Store:
    """The directory of one witness. Every method raises WitnessStateError."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def create(self, name: str) -> SigningKey:
        """Make the directory and a new key; refuses to replace a key that is there."""
        path = self.directory / _KEY_FILE
        if path.exists():
            raise WitnessStateError(
                f"There is a witness's key in {self.directory} already. Go on with it, or name "
                "another directory with --directory."
            )
        seed = secrets.token_bytes(_SEED_SIZE)
        try:
            key = SigningKey(name, seed, KIND_COSIGNATURE)
        except NoteError as error:
            raise WitnessStateError(
                f"{name!r} cannot be the name of a witness: {error.reason}. Use your host and a "
                "word, such as police.example/witness."
            ) from None
        (self.directory / _LOGS).mkdir(mode=0o700, parents=True, exist_ok=True)
        encoded = to_base64(bytes((KIND_COSIGNATURE,)) + seed)
        write_private(path, f"{_PREFIX}+{name}+{key.verifier.key_id.hex()}+{encoded}\n")
        return key

    def key(self) -> SigningKey:
        """The witness's private key."""
        path = self.directory / _KEY_FILE
        try:
            if others_may_read(path):
                raise WitnessStateError(
                    f"Others may read the witness's key {path}. Run `chmod 600` on it; if others "
                    "were on this machine, end this witness and make a new one."
                )
            text = path.read_text("utf-8").strip()
        except OSError as error:
            raise WitnessStateError(
                f"There is no witness's key in {self.directory} ({error.strerror}). Make one with: "
                "postern witness init"
            ) from None
        return _private_key(text, path)

    def watch(self, origin: str, keys: tuple[VerifierKey, ...]) -> Watched:
        """Begin to watch a log under its pinned keys; what is held of it already stays."""
        known = self.watched(origin)
        watched = Watched(origin, keys, known.held if known else None)
        self.keep(watched)
        return watched

    def watched(self, origin: str) -> Watched | None:
        """A log as it is held, None for one that is not watched."""
        path = self._path(origin)
        try:
            return _read(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WitnessStateError(
                f"The state of the log in {path} cannot be read ({type(error).__name__}). Restore "
                "the newest backup of it; an older state only makes the witness check more."
            ) from None

    def all_watched(self) -> list[Watched]:
        """Every log that is watched, in order of their origins."""
        names = []
        for path in (self.directory / _LOGS).glob("*.json"):
            try:
                names.append(str(json.loads(path.read_text("utf-8"))["origin"]))
            except (OSError, ValueError, KeyError, TypeError):
                raise WitnessStateError(
                    f"The state of a log in {path} cannot be read. Restore the newest backup of it."
                ) from None
        return [found for name in sorted(names) if (found := self.watched(name))]

    def keep(self, watched: Watched) -> None:
        """Write what is held of a log, durably, whole or not at all."""
        held = watched.held
        document: dict[str, Any] = {
            "origin": watched.origin,
            "keys": [str(key) for key in watched.keys],
            "held": None if held is None else {"note": held.note.decode(), "at": held.at},
        }
        try:
            write_private(self._path(watched.origin), json.dumps(document, indent=1) + "\n")
        except OSError as error:
            raise WitnessStateError(
                f"The state of the witness cannot be written ({error.strerror}), so nothing was "
                "cosigned. Check permissions and free space."
            ) from None

    def keep_evidence(
        self, watched: Watched, shown: bytes, wrong: Wrong, reason: str
    ) -> tuple[Path, bool]:
        """Keep what is held and what was shown; the path, and whether this is new."""
        held = watched.held.note if watched.held else b""
        name = hashlib.sha256(held + shown).hexdigest()[:16]
        folder = self.directory / _EVIDENCE
        path = folder / f"{wrong.value}-{name}.json"
        if path.exists() or (folder.exists() and len(list(folder.iterdir())) >= _MOST_EVIDENCE):
            return path, False
        document = {
            "wrong": wrong.value,
            "found_at": int(time.time()),
            "reason": reason,
            "held": held.decode(),
            "shown": shown.decode(),
        }
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, json.dumps(document, indent=1) + "\n")
        return path, True

    def evidence(self) -> list[Evidence]:
        """All evidence that is kept, oldest first."""
        found = []
        for path in (self.directory / _EVIDENCE).glob("*.json"):
            document = json.loads(path.read_text("utf-8"))
            found.append(
                Evidence(
                    path,
                    Wrong(document["wrong"]),
                    document["found_at"],
                    document["reason"],
                    document["held"],
                    document["shown"],
                )
            )
        return sorted(found, key=lambda each: (each.found_at, each.path.name))

    @contextmanager
    def turn(self, patience: float = 30.0) -> Iterator[None]:
        """Only one process at a time reads, decides and keeps; WitnessBusyError after `patience`.

        The system drops the lock when its process ends, however that ends.
        """
        try:
            file = (self.directory / _LOCK).open("ab")
        except OSError as error:
            raise WitnessStateError(
                f"The directory {self.directory} of the witness cannot be used "
                f"({error.strerror}). Make a witness with: postern witness init"
            ) from None
        with file:
            deadline = time.monotonic() + patience
            while not lock(file):
                if time.monotonic() > deadline:
                    raise WitnessBusyError(self.directory)
                time.sleep(_LOCK_PAUSE)
            yield

    def _path(self, origin: str) -> Path:
        name = hashlib.sha256(origin.encode()).hexdigest()[:16]
        return self.directory / _LOGS / f"{name}.json"


def _private_key(text: str, path: Path) -> SigningKey:
    """The key of PRIVATE+KEY+NAME+ID+BASE64, the form of Go's package note."""
    found = _KEY_TEXT.fullmatch(text)
    raw = (from_base64(found["key"]) if found else None) or b""
    if found is None or len(raw) != 1 + _SEED_SIZE or raw[0] != KIND_COSIGNATURE:
        raise _no_key(path)
    try:
        key = SigningKey(found["name"], raw[1:], KIND_COSIGNATURE)
    except NoteError:
        raise _no_key(path) from None
    if key.verifier.key_id.hex() != found["id"]:
        raise _no_key(path)
    return key


def _no_key(path: Path) -> WitnessStateError:
    return WitnessStateError(
        f"{path} does not hold the private key of a witness. Restore it from its backup."
    )


def _read(document: dict[str, Any]) -> Watched:
    """What is held must still verify: a state that was changed is no state."""
    keys = tuple(VerifierKey.parse(each) for each in document["keys"])
    held = document["held"]
    if held is None:
        return Watched(document["origin"], keys, None)
    note = held["note"].encode()
    checkpoint, _ = open_checkpoint(note, keys)
    return Watched(document["origin"], keys, Held(checkpoint, note, int(held["at"])))
