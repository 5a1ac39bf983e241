"""The keys of other organisations as they were accepted here: pinned, followed, never swapped.

The first contact needs a fingerprint that a person compared by another channel. From then on an
organisation's chain of entries may grow, and nothing that was accepted may change or vanish.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from postern.client_errors import ClientError
from postern.organisation_entry import (
    Entry,
    EntryRefusedError,
    SignedEntry,
    check_chain,
    read_chain,
)
from postern.private_files import write_private
from postern.signing_identity import VerifyingKey
from postern.strict_json import parse_object

VERSION = 1


class OrganisationUnknownError(ClientError):
    """No keys of the organisation were accepted yet, or none is valid yet."""

    def __init__(self, organisation: str) -> None:
        super().__init__(
            f"No keys of {organisation} are pinned that are valid now. Get its directory entry, "
            "compare the fingerprint by telephone, and pin it."
        )


class KeySwappedError(ClientError):
    """The keys offered for an organisation are not those that were accepted before."""

    def __init__(self, organisation: str, what: str) -> None:
        super().__init__(
            f"STOP. THE KEYS OF {organisation.upper()} WERE SWAPPED: {what}. Nothing was sealed or "
            f"accepted. Telephone {organisation} at a number that you know, and tell your "
            "compliance officer and the platform's operator."
        )


class FingerprintDiffersError(ClientError):
    """The fingerprint that a person compared is not the one of the entry offered."""

    def __init__(self, organisation: str, found: str) -> None:
        super().__init__(
            f"The entry offered for {organisation} has the fingerprint {found}, which is not the "
            "one that you gave. Nothing was pinned; compare it once more by telephone."
        )


class PinnedOrganisationsError(ClientError):
    """The file with pinned organisations cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The pinned organisations in {path} cannot be used: {reason}. Use a copy from a "
            "backup, or pin each organisation again after comparing by telephone."
        )


class OrganisationPins:
    """The chains accepted so far, of each organisation; `save` makes a change last."""

    def __init__(self, chains: Mapping[str, tuple[SignedEntry, ...]] | None = None) -> None:
        self._chains = dict(chains or {})

    @classmethod
    def load(cls, path: Path) -> "OrganisationPins":
        """The pins in a file; none when there is no file. Raises PinnedOrganisationsError."""
        try:
            found = parse_object(path.read_bytes())
            found.only("version", "organisations")
            version = found.number("version")
            chains = {
                code: read_chain(raw) for code, raw in found.object("organisations").content.items()
            }
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise PinnedOrganisationsError(path, error.strerror or "it cannot be read") from None
        except (ValueError, EntryRefusedError):
            raise PinnedOrganisationsError(path, "it is damaged") from None
        if version != VERSION or any(
            chain[0].entry.organisation != code for code, chain in chains.items()
        ):
            raise PinnedOrganisationsError(path, "it is damaged or of a version not known here")
        return cls(chains)

    def save(self, path: Path) -> None:
        """Write the pins, mode 0600, whole or not at all. Raises OSError."""
        content = {
            "version": VERSION,
            "organisations": {
                code: [each.on_wire() for each in chain]
                for code, chain in sorted(self._chains.items())
            },
        }
        write_private(path, json.dumps(content, indent=1) + "\n")

    def pin(self, organisation: str, chain: Sequence[SignedEntry], fingerprint: str) -> Entry:
        """Trust an organisation whose present fingerprint a person compared; its present entry.

        Upper or lower case, hyphens and spaces make no difference. Raises EntryRefusedError,
        FingerprintDiffersError, KeySwappedError when other keys are pinned already.
        """
        _check_offered(organisation, chain)
        found = chain[-1].entry
        if _bare(fingerprint) != _bare(found.fingerprint):
            raise FingerprintDiffersError(organisation, found.fingerprint)
        if organisation in self._chains:
            return self.accept(organisation, chain)
        self._chains[organisation] = tuple(chain)
        return found

    def accept(self, organisation: str, chain: Sequence[SignedEntry]) -> Entry:
        """The present entry of a chain offered for a pinned organisation, which may have grown.

        Raises OrganisationUnknownError, EntryRefusedError, KeySwappedError.
        """
        pinned = self._chains.get(organisation)
        if pinned is None:
            raise OrganisationUnknownError(organisation)
        # Compared before it is checked: a swapped key is told as such, however it is signed.
        for ours, theirs in zip(pinned, chain, strict=False):
            if ours.entry != theirs.entry:
                raise KeySwappedError(
                    organisation,
                    f"entry {ours.entry.number} is {ours.entry.fingerprint} as pinned, but "
                    f"{theirs.entry.fingerprint} as offered now",
                )
        if len(chain) < len(pinned):
            raise KeySwappedError(
                organisation, f"entry {len(pinned)}, which is pinned, is withheld now"
            )
        try:
            _check_offered(organisation, chain)
        except EntryRefusedError as error:
            raise KeySwappedError(
                organisation, "a new entry does not follow from the pinned one"
            ) from error
        self._chains[organisation] = tuple(chain)
        return chain[-1].entry

    def chain(self, organisation: str) -> tuple[SignedEntry, ...]:
        """The entries pinned of an organisation; none when it is not pinned."""
        return self._chains.get(organisation, ())

    @property
    def organisations(self) -> tuple[str, ...]:
        """The codes of those that are pinned, in order."""
        return tuple(sorted(self._chains))

    def entry(self, organisation: str, now: datetime) -> Entry:
        """The entry to seal to at a moment. Raises OrganisationUnknownError."""
        valid = [
            each.entry
            for each in self._chains.get(organisation, ())
            if each.entry.valid_from <= now
        ]
        if not valid:
            raise OrganisationUnknownError(organisation)
        return valid[-1]

    def signers(self, organisation: str) -> tuple[VerifyingKey, ...]:
        """Every signing key, present and earlier, of an organisation: what it sealed earlier opens.

        Raises OrganisationUnknownError.
        """
        if organisation not in self._chains:
            raise OrganisationUnknownError(organisation)
        return tuple(each.entry.signing for each in self._chains[organisation])


def _check_offered(organisation: str, chain: Sequence[SignedEntry]) -> None:
    check_chain(chain)
    if chain[0].entry.organisation != organisation:
        raise EntryRefusedError(f"it is not of {organisation}")


def _bare(fingerprint: str) -> str:
    return "".join(digit for digit in fingerprint.upper() if digit.isalnum())
