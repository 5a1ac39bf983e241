"""Who holds a shared evaluation key, as the key document and the dealer's public file say it.

`KeySharing` is part of an epoch in the key document. `Ceremony` is the public file that the dealer
writes: names and addresses of the holders, and the commitments to every key (`postern.threshold`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from postern import group, threshold
from postern.base64url import to_base64url
from postern.client_errors import ClientError
from postern.envelope import ORGANISATION
from postern.group import SIZE
from postern.strict_json import MalformedError, Object, parse_object
from postern.transport import checked_address
from postern.vocabulary import EvaluationKind

FORMAT = "postern-key-ceremony"
VERSION = 1
PLATFORM_PART = "platform"  # which no holder may be called
_LARGEST = 200_000  # bytes of a ceremony's file


class CeremonyFileError(ClientError):
    """The public file of a ceremony cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The file of the ceremony cannot be used: {reason}. Take the one that the dealer "
            "wrote, and compare its digest with the transcript."
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the share f(number); `name` is a code as an organisation has one."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class KeySharing:
    """How a key is shared: the platform's public key, the commitments, t of them, and the holders.

    Raises ValueError with the rule that it breaks.
    """

    platform_key: bytes
    commitments: tuple[bytes, ...]
    holders: tuple[Holder, ...]

    def __post_init__(self) -> None:
        check_holders(len(self.commitments), self.holders)
        for element in (self.platform_key, *self.commitments):
            group.check_element(element)

    @property
    def threshold(self) -> int:
        """How many holders must take part."""
        return len(self.commitments)

    @property
    def public_key(self) -> bytes:
        """The whole key's public half, 32 bytes: Y_P + f(0)*G."""
        return group.add(self.platform_key, self.commitments[0])

    def on_wire(self) -> dict[str, object]:
        """As it stands in a key document."""
        return {
            "platform_key": to_base64url(self.platform_key),
            "commitments": [to_base64url(each) for each in self.commitments],
            "holders": [{"number": each.number, "name": each.name} for each in self.holders],
        }


def read_sharing(raw: Object) -> KeySharing:
    """The sharing of a wire form. Raises ValueError."""
    raw.only("platform_key", "commitments", "holders")
    return KeySharing(
        raw.octets("platform_key", SIZE), _commitments(raw), tuple(map(_holder, _holders(raw)))
    )


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a dealer publishes: holders, their addresses by number, and commitments by kind.

    Every key is that of one `epoch`. Raises ValueError with the rule that it breaks.
    """

    platform: str
    epoch: int
    holders: tuple[Holder, ...]
    addresses: Mapping[int, str]
    commitments: Mapping[EvaluationKind, tuple[bytes, ...]]

    def __post_init__(self) -> None:
        if not self.commitments or not self.platform:
            raise MalformedError("it names no platform or no kind")
        for each in self.commitments.values():
            check_holders(len(each), self.holders)
            for element in each:
                group.check_element(element)
        if set(self.addresses) != {each.number for each in self.holders}:
            raise MalformedError("a holder has no address")

    def digest(self) -> str:
        """SHA-256 of the public file in hexadecimal digits, for the transcript."""
        return hashlib.sha256(self.written().encode()).hexdigest()

    def holder(self, name: str) -> Holder:
        """The holder of a name. Raises CeremonyFileError."""
        for each in self.holders:
            if each.name == name:
                return each
        raise CeremonyFileError(f"it names no holder {name}")

    def written(self) -> str:
        """The public file."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "platform": self.platform,
            "epoch": self.epoch,
            "holders": [
                {
                    "number": each.number,
                    "name": each.name,
                    "address": self.addresses[each.number],
                }
                for each in self.holders
            ],
            "keys": [
                {"kind": kind.value, "commitments": [to_base64url(each) for each in commitments]}
                for kind, commitments in sorted(self.commitments.items())
            ],
        }
        return json.dumps(content, indent=1) + "\n"


def read_ceremony(raw: bytes) -> Ceremony:
    """The public file of a ceremony. Raises CeremonyFileError."""
    if len(raw) > _LARGEST:
        raise CeremonyFileError("it is larger than any such file")
    try:
        return _ceremony(parse_object(raw))
    except (ValueError, ClientError) as error:
        raise CeremonyFileError(str(error).rstrip(".")) from None


def check_holders(least: int, holders: tuple[Holder, ...]) -> None:
    """Return when these may hold shares of which `least` evaluate. Raises ValueError."""
    threshold.check_bounds(least, [each.number for each in holders])
    names = [each.name for each in holders]
    if len(set(names)) != len(names) or PLATFORM_PART in names:
        raise MalformedError(f"two holders have one name, or one is called {PLATFORM_PART}")
    if not all(ORGANISATION.fullmatch(name) for name in names):
        raise MalformedError("the name of a holder is not 2 to 40 of a-z, 0-9 and hyphen")


def _ceremony(raw: Object) -> Ceremony:
    raw.only("format", "version", "platform", "epoch", "holders", "keys")
    if raw.text("format") != FORMAT or raw.number("version") != VERSION:
        raise MalformedError("it is not the file of a ceremony of a version known here")
    listed = raw.objects("holders", threshold.MOST_HOLDERS)
    keys = raw.objects("keys", len(EvaluationKind))
    for each in keys:
        each.only("kind", "commitments")
    for each in listed:
        each.only("number", "name", "address")
    kinds = [EvaluationKind(each.text("kind")) for each in keys]
    if len(set(kinds)) != len(kinds):
        raise MalformedError("a kind stands twice")
    return Ceremony(
        platform=raw.text("platform"),
        epoch=raw.number("epoch"),
        holders=tuple(map(_holder, listed)),
        addresses={each.number("number"): checked_address(each.text("address")) for each in listed},
        commitments={kind: _commitments(each) for kind, each in zip(kinds, keys, strict=True)},
    )


def _holders(raw: Object) -> list[Object]:
    listed = list(raw.objects("holders", threshold.MOST_HOLDERS))
    for each in listed:
        each.only("number", "name")
    return listed


def _holder(raw: Object) -> Holder:
    return Holder(raw.number("number"), raw.text("name"))


def _commitments(raw: Object) -> tuple[bytes, ...]:
    return tuple(raw.octets_list("commitments", SIZE, threshold.MOST_HOLDERS))
