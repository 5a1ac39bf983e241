"""The file of a holder: its shares of every key of a ceremony, opened with its passphrase."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from postern.base64url import to_base64url
from postern.group import SIZE, InvalidScalarError
from postern.key_file import KeyFile, Member, Purpose, lock
from postern.key_file_errors import KeyContentError
from postern.key_sharing import Ceremony, Holder
from postern.strict_json import MalformedError, parse_object
from postern.threshold import ShareRefusedError, check_share
from postern.vocabulary import EvaluationKind

MEMBER = "holder"
"""The name under which the passphrase opens a share's file."""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class HolderShare:
    """The shares of one holder by kind, 32 bytes each; shows none in any text."""

    number: int
    name: str
    shares: Mapping[EvaluationKind, bytes]

    def __repr__(self) -> str:
        return f"HolderShare(number={self.number}, name={self.name!r})"


def lock_share(
    ceremony: Ceremony, holder: Holder, shares: Mapping[EvaluationKind, bytes], passphrase: str
) -> KeyFile:
    """A key file with the shares of one holder. Raises WeakPassphraseError."""
    content = {
        "version": _VERSION,
        "ceremony": ceremony.digest(),
        "number": holder.number,
        "shares": [
            {"kind": kind.value, "share": to_base64url(share)}
            for kind, share in sorted(shares.items())
        ],
    }
    member = Member.new(MEMBER, passphrase, holder.name)
    return lock(json.dumps(content).encode(), Purpose.SHARE, holder.name, (member,))


def read_share(file: KeyFile, passphrase: str, ceremony: Ceremony) -> HolderShare:
    """The shares in a file, each checked against the commitments of its ceremony (Feldman).

    Raises KeyFileError, KeyContentError, CeremonyFileError, threshold.ShareRefusedError.
    """
    if file.purpose is not Purpose.SHARE:
        raise KeyContentError(f"the file is the {file.purpose} one, and a holder's share is meant")
    holder = ceremony.holder(file.organisation)
    raw = file.unlock(MEMBER, passphrase)
    try:
        found = parse_object(raw)
        found.only("version", "ceremony", "number", "shares")
        if found.number("version") != _VERSION or found.text("ceremony") != ceremony.digest():
            raise MalformedError("they are of another ceremony")
        listed = found.objects("shares", len(EvaluationKind))
        for each in listed:
            each.only("kind", "share")
        shares = {EvaluationKind(e.text("kind")): e.octets("share", SIZE) for e in listed}
        if found.number("number") != holder.number or shares.keys() != ceremony.commitments.keys():
            raise MalformedError("they are not those of this holder in the ceremony")
    except ValueError as error:
        raise KeyContentError(str(error)) from None
    for kind, share in shares.items():
        try:
            check_share(share, holder.number, ceremony.commitments[kind])
        except InvalidScalarError:
            raise ShareRefusedError(holder.number) from None
    return HolderShare(holder.number, holder.name, shares)
