"""A person's sign-in name and display name: sealed when stored, found by a keyed index.

The rule for sign-in names: surrounding blanks go, A-Z become a-z, and what is left is an ASCII
name, one @ and an ASCII domain. Two spellings of one name are therefore one account, and no
letter of another script can imitate one.
"""

import json
import re
from dataclasses import dataclass
from uuid import UUID

from flask import has_request_context
from flask_babel import gettext

from app.errors import InvalidRequestError
from app.runtime import runtime
from app.secret_files import Sealer

EMERGENCY_LOGIN = "break-glass@"
"""How the sign-in name of an organisation's emergency account begins; its code follows."""

EMERGENCY_NAME = "Emergency account"
_EMERGENCY_NAMES = {EMERGENCY_NAME, "Break-glass account"}  # the latter in rows of before
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9](?:[a-z0-9.-]{0,188}[a-z0-9])?")
_CONTEXT = b"postern/person_account/v1/"
_NAME_LENGTH = 200  # characters


@dataclass(frozen=True, repr=False)
class Profile:
    """Personal data, in clear only here; it has no repr so that it cannot reach a log line."""

    login: str
    name: str


class Profiles:
    """Seals and opens profiles under the accounts key; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def seal(self, profile: Profile, public_id: UUID) -> bytes:
        """Sealed bytes that open only for the account `public_id`."""
        plain = json.dumps({"login": profile.login, "name": profile.name}).encode()
        return self._sealer.seal(plain, _CONTEXT + public_id.bytes)

    def open(self, sealed: bytes, public_id: UUID) -> Profile:
        """The profile; ValueError when the bytes belong to another account or key.

        An emergency account is nobody's, so its name is said in the language of who reads it.
        """
        found = Profile(**json.loads(self._sealer.open(sealed, _CONTEXT + public_id.bytes)))
        if found.login.startswith(EMERGENCY_LOGIN) and found.name in _EMERGENCY_NAMES:
            name = gettext("Emergency account") if has_request_context() else EMERGENCY_NAME
            return Profile(found.login, name)
        return found

    def index(self, login: str) -> bytes:
        """32 bytes by which the account with this normalised sign-in name is found."""
        return self._sealer.index(b"login\n" + login.encode())


def profiles() -> Profiles:
    """The sealer of the process."""
    return runtime().part(Profiles)


def normalise_login(text: str) -> str:
    """The one form of a sign-in name; InvalidRequestError when it breaks the rule above."""
    login = fold_login(text)
    if not _LOGIN.fullmatch(login):
        raise _wrong("login", "A sign-in name looks like name@example.org, in ASCII letters.")
    return login


def fold_login(text: str) -> str:
    """Fold blanks and case without judging: for names that are only looked up."""
    return text.strip().lower()


def check_name(text: str) -> str:
    """The display name without surrounding blanks; InvalidRequestError when it breaks the rule."""
    name = text.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise _wrong("name", f"A name has 1 to {_NAME_LENGTH} printable characters.")
    return name


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        errors=[{"field": field, "reason": reason}], remedy="Correct it and try again."
    )
