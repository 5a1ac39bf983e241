"""Passwords: the rule, the hash (Argon2id, RFC 9106) and a comparison that takes its time.

A comparison costs tens of milliseconds and 64 MiB, so it never happens inside a transaction.
"""

import base64
import secrets

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from app.errors import InvalidRequestError
from app.runtime import runtime

SHORTEST = 12  # characters
_LONGEST = 1024  # characters; a bound on work, not on strength
_GENERATED_LENGTH = 18  # bytes, 24 characters


class PasswordRefusedError(InvalidRequestError):
    code = "password-refused"
    title = "The password does not meet the rule"
    remedy = f"Choose at least {SHORTEST} characters that are not your sign-in name."


class Passwords:
    """Hashes and compares; one for the process. The default is RFC 9106's second choice."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._nobody = _hash_of_no_password(parameters)

    def hash(self, password: str) -> str:
        """Argon2id in PHC form."""
        return self._hasher.hash(password)

    def is_right(self, secret_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; without a hash, False after the same work."""
        try:
            self._hasher.verify(secret_hash or self._nobody, password[: _LONGEST + 1])
        except (VerificationError, ValueError):
            # A wrong password and a damaged hash are the same answer.
            return False
        return secret_hash is not None

    def is_outdated(self, secret_hash: str) -> bool:
        """Whether the hash was made with other parameters than those in use now."""
        return self._hasher.check_needs_rehash(secret_hash)


def passwords() -> Passwords:
    """The hasher of the process."""
    return runtime().part(Passwords)


def generate() -> str:
    """A random password of 144 bits."""
    return secrets.token_urlsafe(_GENERATED_LENGTH)


def check(password: str, login: str, former: str | None = None) -> None:
    """Hold a new password to the rule; PasswordRefusedError when it breaks it."""
    if not SHORTEST <= len(password) <= _LONGEST:
        raise PasswordRefusedError(f"A password has {SHORTEST} to {_LONGEST} characters")
    if password.strip().lower() in {login, login.partition("@")[0]}:
        raise PasswordRefusedError("The password is the sign-in name")
    if password == former:
        raise PasswordRefusedError("The new password is the present one")


def _hash_of_no_password(parameters: Parameters) -> str:
    """A well-formed hash that costs the same to compare with, and to which nothing belongs."""
    salt, digest = (
        secrets.token_bytes(parameters.salt_len),
        secrets.token_bytes(parameters.hash_len),
    )
    cost = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    return f"$argon2id$v={parameters.version}${cost}${_b64(salt)}${_b64(digest)}"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")
