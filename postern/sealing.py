"""Sealing to one's own keys: values, notes and files, in envelopes that only their owner opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from postern.client_errors import ClientError
from postern.hpke import PublicKey
from postern.organisation_entry import SignedEntry
from postern.organisation_keys import OrganisationKeys
from postern.organisation_pins import KeySwappedError
from postern.seal import seal
from postern.sealed_content import (
    Attachment,
    Note,
    Value,
    context_of_attachment,
    context_of_note,
    context_of_value,
)
from postern.signing_identity import SigningIdentity
from postern.vocabulary import Kind


class OwnKeysError(ClientError):
    """The keys in the key file are not those under which others know the organisation."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals what an organisation submits to its own present keys; gives envelopes.

    Raises SealedContentError for what has no right form.
    """

    owner: str
    recipients: tuple[PublicKey, ...]
    identity: SigningIdentity

    @classmethod
    def of(cls, keys: OrganisationKeys) -> "Sealer":
        """What seals with the present keys of a key file; `check_own` tells whether it may."""
        return cls(keys.entry.organisation, keys.entry.recipients, keys.identity)

    def value(
        self, kind: Kind, epoch: int, token: bytes, record: str, fields: Mapping[str, str]
    ) -> bytes:
        """The envelope of an indicator's value; `token` is that of its first element."""
        context = context_of_value(self.owner, kind, epoch, token, record)
        return seal(Value(kind, fields).plaintext(), context, self.recipients, self.identity)

    def note(self, kind: Kind, epoch: int, token: bytes, record: str, text: str) -> bytes:
        """The envelope of what the submitter wrote of an indicator."""
        context = context_of_note(self.owner, kind, epoch, token, record)
        return seal(Note(text).plaintext(), context, self.recipients, self.identity)

    def attachment(self, client_key: str, number: int, file: Attachment) -> bytes:
        """The envelope of a report's file, which is the `number`-th from 1."""
        context = context_of_attachment(self.owner, client_key, number)
        return seal(file.plaintext(), context, self.recipients, self.identity)


def check_own(
    keys: OrganisationKeys, organisation: str, published: tuple[SignedEntry, ...], now: datetime
) -> None:
    """Return when the present keys of a key file are published and valid.

    Raises OwnKeysError, KeySwappedError when the directory shows other keys than one's own.
    """
    if keys.entry.organisation != organisation:
        raise OwnKeysError(
            f"The key file is of {keys.entry.organisation}, but the API token is of "
            f"{organisation}. Name the key file of {organisation}."
        )
    if not published:
        raise OwnKeysError(
            f"The keys of {organisation} are not published on the platform. Let an administrator "
            "run `postern keys publish`, then give the same command again."
        )
    for ours, theirs in zip(keys.chain, published, strict=False):
        if ours.entry != theirs.entry:
            raise KeySwappedError(
                organisation,
                f"entry {ours.entry.number} is {ours.entry.fingerprint} in your key file, but "
                f"{theirs.entry.fingerprint} in the platform's directory",
            )
    if len(published) > len(keys.chain):
        raise OwnKeysError(
            f"The key file holds {len(keys.chain)} of the {len(published)} entries of "
            f"{organisation}. Use the newest key file, to which `postern keys rotate` wrote."
        )
    if len(published) < len(keys.chain):
        raise OwnKeysError(
            f"The present keys of {organisation} are not published yet: the platform has "
            f"{len(published)} of {len(keys.chain)} entries. Let an administrator run `postern "
            "keys publish`, then give the same command again."
        )
    if keys.entry.valid_from > now:
        begins = f"{keys.entry.valid_from:%Y-%m-%d %H:%M:%S} UTC"
        raise OwnKeysError(
            f"The present keys of {organisation} are valid from {begins}. Wait until "
            "then, or set the clock of this machine right."
        )
