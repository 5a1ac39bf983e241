"""How a key file stands on disk: JSON of one layout, which the browser reads as well.

docs/keys.md describes it field by field.
"""

import json
from pathlib import Path
from typing import Any

from postern.base64url import to_base64url
from postern.envelope import ORGANISATION
from postern.hpke import PublicKey, Suite
from postern.key_file import (
    MEMBER,
    MOST_MEMBERS,
    NONCE_SIZE,
    WRAPPED_SIZE,
    KeyFile,
    Member,
    Purpose,
)
from postern.key_file_errors import KeyFileDamagedError
from postern.passphrase import SALT_SIZE, Cost
from postern.private_files import others_may_read, write_private
from postern.strict_json import MalformedError, Object, parse_object

FORMAT = "postern-key-file"
VERSION = 1

_LARGEST = 4_000_000  # bytes of a file


def read(path: Path) -> KeyFile:
    """The locked key file at a path. Raises KeyFileDamagedError, CostRefusedError."""
    try:
        if others_may_read(path):
            raise KeyFileDamagedError(f"others may read {path}; run `chmod 600` on it")
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise KeyFileDamagedError(f"{path}: {error.strerror}") from None
    if len(raw) > _LARGEST:
        raise KeyFileDamagedError("it is larger than any key file")
    return parse(raw)


def write(path: Path, file: KeyFile) -> None:
    """Write a key file, mode 0600, whole or not at all. Raises OSError."""
    write_private(path, written(file))


def parse(raw: bytes) -> KeyFile:
    """The key file in JSON. Raises KeyFileDamagedError, CostRefusedError."""
    try:
        return _parsed(parse_object(raw))
    except ValueError as error:
        raise KeyFileDamagedError(str(error)) from None


def written(file: KeyFile) -> str:
    """The file as it is written."""
    stanzas = zip(file.members, file.wrapped, strict=True)
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "purpose": file.purpose,
        "organisation": file.organisation,
        "members": [_member_on_file(member, wrapped) for member, wrapped in stanzas],
        "recovery": file.recovery
        and {
            "public_key": to_base64url(file.recovery.raw),
            "wrapped": to_base64url(file.recovery_wrapped),
        },
        "nonce": to_base64url(file.nonce),
        "sealed": to_base64url(file.sealed),
    }
    return json.dumps(content, indent=1) + "\n"


def _parsed(found: Object) -> KeyFile:
    found.only(
        "format", "version", "purpose", "organisation", "members", "recovery", "nonce", "sealed"
    )
    if found.text("format") != FORMAT or found.number("version") != VERSION:
        raise MalformedError("it is not a key file of a version known here")
    purpose = Purpose(found.text("purpose"))
    organisation = found.text("organisation")
    if not ORGANISATION.fullmatch(organisation):
        raise MalformedError("its organisation is not a code")
    stanzas = found.objects("members", MOST_MEMBERS)
    if len({each.text("name") for each in stanzas}) != len(stanzas):
        raise MalformedError("two of its members have one name")
    recovery = None if found.absent("recovery") else found.object("recovery")
    if recovery:
        recovery.only("public_key", "wrapped")
    return KeyFile(
        purpose=purpose,
        organisation=organisation,
        members=tuple(_member(each) for each in stanzas),
        wrapped=tuple(each.octets("wrapped", WRAPPED_SIZE) for each in stanzas),
        recovery=_public_key(recovery) if recovery else None,
        recovery_wrapped=recovery.octets("wrapped", WRAPPED_SIZE) if recovery else b"",
        nonce=found.octets("nonce", NONCE_SIZE),
        sealed=found.octets("sealed"),
    )


def _member(found: Object) -> Member:
    found.only("name", "salt", "memory", "passes", "lanes", "public_key", "wrapped")
    name = found.text("name")
    if not MEMBER.fullmatch(name):
        raise MalformedError("the name of a member is not of its form")
    cost = Cost(found.number("memory"), found.number("passes"), found.number("lanes"))
    return Member(name, found.octets("salt", SALT_SIZE), cost, _public_key(found))


def _public_key(found: Object) -> PublicKey:
    return PublicKey(Suite.MLKEM768_X25519, found.octets("public_key"))


def _member_on_file(member: Member, wrapped: bytes) -> dict[str, object]:
    return {
        "name": member.name,
        "salt": to_base64url(member.salt),
        "memory": member.cost.memory,
        "passes": member.cost.passes,
        "lanes": member.cost.lanes,
        "public_key": to_base64url(member.public.raw),
        "wrapped": to_base64url(wrapped),
    }
