"""The secret keys of epochs in files of their own, and the factor of a rotation while it runs.

Before the first rotation every key follows from one seed. A key that follows from a seed cannot be
forgotten alone, so a rotation writes down the key of each kind that it does not move, draws the
new one, and replaces the seed at the end; from then on each key is one file, which can be wiped.
"""

import os
import secrets
from pathlib import Path

from app.errors import StartRefusedError
from app.secret_files import read_one
from postern import group
from postern.private_files import sync_directory
from postern.vocabulary import EvaluationKind

_SEED = "evaluation.key"


class KeyFiles:
    """Secret scalars of 32 bytes, little-endian, in the directory of the platform's secrets."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def key(self, kind: EvaluationKind, epoch: int) -> bytes | None:
        """The secret key of an epoch that has a file; None when it follows from the seed.

        StartRefusedError when others may read the file, or it holds no key.
        """
        return self._read(self._key_path(kind, epoch))

    def keep_key(self, kind: EvaluationKind, epoch: int, key: bytes) -> None:
        """Write a key that must not be there yet; FileExistsError."""
        _write(self._key_path(kind, epoch), key)

    def factor(self, kind: EvaluationKind, epoch: int) -> bytes | None:
        """The factor by which elements move to this new epoch; None when there is none."""
        return self._read(self.factor_path(kind, epoch))

    def keep_factor(self, kind: EvaluationKind, epoch: int, factor: bytes) -> None:
        """Write the factor of a rotation that begins; FileExistsError."""
        _write(self.factor_path(kind, epoch), factor)

    def factor_path(self, kind: EvaluationKind, epoch: int) -> Path:
        """Where the factor of a rotation to this epoch lies while it runs."""
        return self._directory / f"rotation_{kind.value}_{epoch}.key"

    def wipe(self, kind: EvaluationKind, old_epoch: int, new_epoch: int) -> None:
        """Overwrite and delete the old key and the factor; OSError when that is not allowed.

        Repeating it is harmless. On disks that keep old blocks, only deleting the file is sure to
        happen: docs/key-rotation.md says what else an administrator does.
        """
        for path in (self.factor_path(kind, new_epoch), self._key_path(kind, old_epoch)):
            _wipe(path)

    def replace_seed(self, seed: bytes) -> None:
        """Put random bytes, from which no key in use follows, in the place of the seed."""
        path = self._directory / _SEED
        if not path.exists() or read_one(path) != seed:
            return
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        _write(fresh, secrets.token_bytes(len(seed)))
        _overwrite(path)
        fresh.replace(path)
        sync_directory(self._directory)

    def _read(self, path: Path) -> bytes | None:
        if not path.exists():
            return None
        content = read_one(path)
        try:
            group.check_scalar(content)
        except group.InvalidScalarError:
            raise StartRefusedError(f"{path} holds no key. Restore it from the backup.") from None
        return content

    def _key_path(self, kind: EvaluationKind, epoch: int) -> Path:
        return self._directory / f"evaluation_{kind.value}_{epoch}.key"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def _wipe(path: Path) -> None:
    if path.exists():
        _overwrite(path)
        path.unlink()
        sync_directory(path.parent)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
