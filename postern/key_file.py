"""Key files: secrets that each of several members opens with a passphrase of their own.

The content is encrypted by AES-256-GCM under a file key, which is made anew whenever the file is
written. A member's passphrase gives, by Argon2id, the seed of an X-Wing key pair; the public half
stands in the file and the file key is wrapped to it by HPKE. So anyone who opens the file can wrap
a fresh file key for all members without their passphrases. An operational file is wrapped to the
organisation's recovery key as well. `postern.key_file_form` is how it stands
on disk.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from postern.hpke import DecryptionError, PublicKey, SecretKey, Suite, framed
from postern.key_file_errors import (
    KeyFileDamagedError,
    MemberExistsError,
    MemberUnknownError,
    RecoveryKeyMismatchError,
    WrongPassphraseError,
)
from postern.passphrase import SALT_SIZE, Cost, check_new, derived

MOST_MEMBERS = 32
FILE_KEY_SIZE = 32  # bytes
NONCE_SIZE = 12  # bytes
WRAPPED_SIZE = FILE_KEY_SIZE + Suite.MLKEM768_X25519.overhead
MEMBER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""A member's name in a key file, such as a role or a login."""

_WRAP = b"PN-key-file-wrap-v1"
_RECOVERY = b"PN-key-file-recovery-v1"
_CONTENT = b"PN-key-file-content-v1"


class Purpose(StrEnum):
    """What a key file holds: keys in daily use, the offline recovery key, a holder's shares."""

    OPERATIONAL = "operational"
    RECOVERY = "recovery"
    SHARE = "share"  # a holder's shares of a platform's keys


@dataclass(frozen=True, slots=True)
class Member:
    """Who can open a file: the public half of what follows from the member's passphrase."""

    name: str
    salt: bytes
    cost: Cost
    public: PublicKey

    @classmethod
    def new(cls, name: str, passphrase: str, organisation: str) -> "Member":
        """A member with a new passphrase. Raises MemberUnknownError, WeakPassphraseError."""
        if not MEMBER.fullmatch(name):
            raise MemberUnknownError(
                "A member's name has to be 1 to 64 of a-z, 0-9, dot, underscore and hyphen. "
                "Choose such a name, a role rather than a person's."
            )
        check_new(passphrase, organisation, name)
        salt, cost = secrets.token_bytes(SALT_SIZE), Cost()
        return cls(name, salt, cost, _secret(passphrase, salt, cost).public)

    def encode(self) -> bytes:
        """All of it, as wrapping and content authenticate it."""
        cost = (self.cost.memory, self.cost.passes, self.cost.lanes)
        numbers = (number.to_bytes(4, "big") for number in cost)
        return framed(self.name.encode(), self.salt, *numbers, self.public.raw)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A locked key file. `wrapped` has the file key for each member, in their order."""

    purpose: Purpose
    organisation: str
    members: tuple[Member, ...]
    wrapped: tuple[bytes, ...]
    recovery: PublicKey | None
    recovery_wrapped: bytes
    nonce: bytes
    sealed: bytes

    def unlock(self, name: str, passphrase: str) -> bytes:
        """The content, by a member's passphrase.

        Raises MemberUnknownError, WrongPassphraseError, KeyFileDamagedError.
        """
        for member, wrapped in zip(self.members, self.wrapped, strict=True):
            if member.name == name:
                key = _secret(passphrase, member.salt, member.cost)
                if key.public != member.public:
                    raise WrongPassphraseError(name)
                return self._content(key, wrapped, self._info(_WRAP, member.encode()))
        raise MemberUnknownError(
            f"The key file has no member {name}. Its members are: "
            f"{', '.join(member.name for member in self.members)}."
        )

    def unlock_by_recovery(self, key: SecretKey) -> bytes:
        """The content, by the recovery key.

        Raises RecoveryKeyMismatchError, KeyFileDamagedError.
        """
        if self.recovery != key.public:
            raise RecoveryKeyMismatchError
        return self._content(key, self.recovery_wrapped, self._info(_RECOVERY, key.public.raw))

    def _content(self, key: SecretKey, wrapped: bytes, info: bytes) -> bytes:
        try:
            file_key = key.decrypt(wrapped, info)
            return AESGCM(file_key).decrypt(self.nonce, self.sealed, self._head())
        except (DecryptionError, InvalidTag, ValueError):
            raise KeyFileDamagedError("its parts do not belong together") from None

    def _info(self, label: bytes, whom: bytes) -> bytes:
        return _wrap_info(label, self.purpose, self.organisation, whom)

    def _head(self) -> bytes:
        return _head(self.purpose, self.organisation, self.members, self.recovery)


def lock(
    content: bytes,
    purpose: Purpose,
    organisation: str,
    members: Sequence[Member],
    recovery: PublicKey | None = None,
) -> KeyFile:
    """A key file around `content` under a fresh file key. Raises MemberExistsError."""
    names = {member.name for member in members}
    if len(names) != len(members) or not 1 <= len(members) <= MOST_MEMBERS:
        raise MemberExistsError(MOST_MEMBERS)
    file_key, nonce = secrets.token_bytes(FILE_KEY_SIZE), secrets.token_bytes(NONCE_SIZE)

    def wrap(key: PublicKey, label: bytes, whom: bytes) -> bytes:
        return key.encrypt(file_key, _wrap_info(label, purpose, organisation, whom))

    return KeyFile(
        purpose=purpose,
        organisation=organisation,
        members=tuple(members),
        wrapped=tuple(wrap(member.public, _WRAP, member.encode()) for member in members),
        recovery=recovery,
        recovery_wrapped=wrap(recovery, _RECOVERY, recovery.raw) if recovery else b"",
        nonce=nonce,
        sealed=AESGCM(file_key).encrypt(
            nonce, content, _head(purpose, organisation, members, recovery)
        ),
    )


def relock(file: KeyFile, content: bytes, members: Sequence[Member]) -> KeyFile:
    """The same content for other members, under a fresh file key. Raises MemberExistsError.

    `file` must have been unlocked before: only then are its members and recovery key the true ones.
    """
    return lock(content, file.purpose, file.organisation, members, file.recovery)


def _secret(passphrase: str, salt: bytes, cost: Cost) -> SecretKey:
    return SecretKey(Suite.MLKEM768_X25519, derived(passphrase, salt, cost))


def _wrap_info(label: bytes, purpose: Purpose, organisation: str, whom: bytes) -> bytes:
    return framed(label, purpose.encode(), organisation.encode(), whom)


def _head(
    purpose: Purpose, organisation: str, members: Sequence[Member], recovery: PublicKey | None
) -> bytes:
    # A changed list of members must not be taken for the real one: the next file key goes to it.
    return framed(
        _CONTENT,
        purpose.encode(),
        organisation.encode(),
        recovery.raw if recovery else b"",
        *(member.encode() for member in members),
    )
