"""The platform's secrets: files of one directory, readable by the service's user alone.

They are made by `python -m app secrets` and read once at start. A missing file, a wrong
length or a file that others may read refuses the start.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import StartRefusedError

_KEY_LENGTH = 32  # bytes
_METRICS_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{32,200}")
_NONCE_LENGTH = 12  # bytes, AES-GCM
_SEED = "evaluation"


class Sealer:
    """AES-256-GCM under one key, each value bound to a context that must be given to open it."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._index_key = hashlib.sha256(b"postern/index/v1" + key).digest()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """nonce (12 bytes) || ciphertext || tag (16 bytes)."""
        nonce = os.urandom(_NONCE_LENGTH)
        return nonce + self._aead.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes; ValueError when key, context or bytes do not belong together."""
        try:
            return self._aead.decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], context)
        except InvalidTag:
            raise ValueError("sealed bytes do not open in this context") from None

    def index(self, plain: bytes) -> bytes:
        """32 bytes by which equal values are found without opening any (HMAC-SHA256)."""
        return hmac.digest(self._index_key, plain, "sha256")


@dataclass(frozen=True)
class Secrets:
    """One field per file `NAME.key`, each of 32 random bytes."""

    cookies: bytes
    evaluation: bytes  # seed of the VOPRF keys (RFC 9497 DeriveKeyPair); b"" without evaluations
    directory: bytes  # Ed25519 seed that signs the key document
    accounts: bytes  # seals names and sign-ins
    vault: bytes  # seals unblinded elements
    audit_receipt: bytes  # Ed25519 seed that signs receipts of audit entries
    exchange: bytes  # from which the exchange key of each organisation follows; seals cases

    def __repr__(self) -> str:
        return "Secrets(...)"


LOG_KEY = "audit_log"
"""Ed25519 seed that signs checkpoints: only the sequencer reads it, the web service need not."""

MAIL_PASSWORD = "mail"  # noqa: S105 - the name of a file
"""Password of `mail.user`, one line that the administrator writes: what sends mail reads it."""

METRICS_KEY = "metrics"
"""What must be presented to read metrics, one line that the administrator writes, or no file."""

ARCHIVE_KEY = "audit_archive"
"""Seals the keys of archived details: only who archives and erases reads it, as with the above."""


def create(directory: Path) -> list[str]:
    """Make the files that are missing; returns their names. Existing files are never touched."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in (*(field.name for field in fields(Secrets)), LOG_KEY, ARCHIVE_KEY):
        path = directory / f"{name}.key"
        if not path.exists():
            create_one(path)
            made.append(path.name)
    return made


def create_one(path: Path) -> None:
    """Make one secret of 32 random bytes; FileExistsError when there is one already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_LENGTH))


def read(directory: Path, *, evaluates: bool = True) -> Secrets:
    """Read all files; StartRefusedError names the file and the remedy.

    A process that does not evaluate never opens the seed of the evaluation keys.
    """
    found = {
        field.name: read_one(directory / f"{field.name}.key")
        for field in fields(Secrets)
        if evaluates or field.name != _SEED
    }
    return Secrets(**{_SEED: b"", **found})


def read_mail_password(directory: Path) -> str:
    """The password of the mail server; StartRefusedError names the file and the remedy."""
    path = directory / f"{MAIL_PASSWORD}.key"
    password = _content(path, "Write the password of mail.user into it.").decode().strip()
    if not password:
        raise StartRefusedError(f"{path} is empty. Write the password of mail.user into it.")
    return password


def read_metrics_key(directory: Path) -> str | None:
    """What opens the metrics, None where there is no such file; StartRefusedError as above."""
    path = directory / f"{METRICS_KEY}.key"
    if not path.exists():
        return None
    remedy = f"Write 32 to 200 random letters and digits: openssl rand -hex 32 > {path}"
    key = _content(path, remedy).decode("ascii", errors="replace").strip()
    if not _METRICS_KEY.fullmatch(key):
        raise StartRefusedError(f"{path} does not hold one long random word. {remedy}")
    return key


def read_one(path: Path) -> bytes:
    """The bytes of one secret; StartRefusedError names the file and the remedy."""
    content = _content(path, "Run: python -m app secrets")
    if len(content) != _KEY_LENGTH:
        raise StartRefusedError(
            f"{path} has {len(content)} bytes instead of {_KEY_LENGTH}. Restore it from the backup."
        )
    return content


def _content(path: Path, remedy: str) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        raise StartRefusedError(f"The secret {path} is missing. {remedy}") from None
    except OSError as error:
        raise StartRefusedError(
            f"The secret {path} cannot be read ({type(error).__name__}). Make secrets.directory a "
            "directory of files that belong to the service's user."
        ) from None
    if mode & 0o077:
        raise StartRefusedError(f"Others may read {path} (mode {mode:o}). Run: chmod 600 {path}")
    return content
