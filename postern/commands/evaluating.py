"""Pseudonymising in a command: with the organisation's signature where a key has holders."""

from collections.abc import Sequence
from datetime import UTC, datetime

from postern.client import Client
from postern.client_errors import SignatureNeededError, holders_named
from postern.commands.own_keys import open_keys
from postern.commands.terminal import notice
from postern.key_ring import KeyRing
from postern.organisation_keys import OrganisationKeys
from postern.pseudonymise import Pseudonymiser
from postern.settings import OwnKeys
from postern.signed_evaluation import Question, Signed, sign
from postern.vocabulary import EvaluationKind, Purpose


class RequestSigner:
    """Signs questions to holders; opens the key file when the first one is to be signed."""

    def __init__(self, chosen: OwnKeys, keys: OrganisationKeys | None = None) -> None:
        self._chosen = chosen
        self._keys = keys

    def sign(
        self,
        kind: EvaluationKind,
        epoch: int,
        commitment: bytes,
        purpose: Purpose,
        elements: Sequence[bytes],
    ) -> Signed:
        """Raises SignatureNeededError when the settings name no key file, KeyFileError."""
        if self._keys is None:
            if self._chosen.file is None or self._chosen.member is None:
                raise SignatureNeededError
            self._keys = open_keys(self._chosen)
        organisation = self._keys.entry.organisation
        question = Question(organisation, kind, epoch, commitment, purpose, elements)
        return sign(self._keys.identity, question, datetime.now(UTC))


def pseudonymiser(
    client: Client,
    ring: KeyRing,
    chosen: OwnKeys,
    *,
    purpose: Purpose,
    case: str,
    workers: int = 1,
    keys: OrganisationKeys | None = None,
) -> Pseudonymiser:
    """A pseudonymiser that signs by the chosen key file, and tells of holders who cheat."""
    return Pseudonymiser(
        client,
        ring,
        purpose=purpose,
        case=case,
        workers=workers,
        signer=RequestSigner(chosen, keys),
        on_cheat=tell_cheat,
    )


def tell_cheat(name: str) -> None:
    """Name a holder whose part carries no valid proof, where the result is right without it."""
    notice(
        f"{holders_named((name,))}. It was not used, and the result is right without it: report "
        "the holder to the platform's operator and your compliance officer."
    )
