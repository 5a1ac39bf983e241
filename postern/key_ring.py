"""The platform's keys as this client knows them: pinned on disk, fetched, compared, used.

The pin file holds the fingerprint that a person confirmed and the last key document that was
accepted. A new document is accepted when the pinned signer signed it and it changes nothing that
was pinned (`postern.pins`); anything else needs a person (`postern keys accept`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from postern import key_document
from postern.client import SignedKeys
from postern.client_errors import ClientError, NormaliserMismatchError
from postern.key_document import KeyDocument, KeyEpoch
from postern.key_errors import (
    FingerprintMismatchError,
    KeyChangedError,
    KeyDocumentError,
    NoKeyError,
    SignatureInvalidError,
)
from postern.normalise import NORMALISER_VERSION
from postern.pins import compare_with_pins
from postern.private_files import write_private
from postern.vocabulary import EvaluationKind

FRESH_FOR = timedelta(hours=1)  # after that a long run fetches the document again


class PinFileError(ClientError):
    """The pinned keys are missing or damaged."""


class KeysChangedError(ClientError):
    """The platform's keys are not what was pinned, or are badly signed."""

    def __init__(self, cause: KeyDocumentError) -> None:
        super().__init__(
            f"{cause} Nothing was sent. When the operator confirms a change by another channel, "
            "accept it with `postern keys accept --fingerprint FINGERPRINT`."
        )


@dataclass(frozen=True, slots=True)
class Pins:
    """What a person confirmed, and the document accepted last, in its wire form."""

    fingerprint: str
    pinned_at: datetime
    signed: dict[str, Any]


class FetchesKeys(Protocol):
    """Where key documents come from."""

    def keys(self) -> SignedKeys: ...


def _now() -> datetime:
    return datetime.now(UTC)


class KeyRing:
    """Gives the key epoch to evaluate with, from a document that agrees with the pins.

    Every method that may fetch raises ClientError; KeysChangedError when a person must decide,
    KeyDocumentError when the document is malformed or a clock is wrong.
    """

    def __init__(
        self, source: FetchesKeys, pin_file: Path, *, now: Callable[[], datetime] = _now
    ) -> None:
        self._source = source
        self._pin_file = pin_file
        self._now = now
        self._document: KeyDocument | None = None
        self._fetched_at: datetime | None = None

    def epoch(self, kind: EvaluationKind, number: int | None = None) -> KeyEpoch:
        """The epoch of a kind that is valid now, or the one of a number when one is named.

        The platform names a number when this machine's clock is a little off at the turn.
        """
        document = self.document()
        if number is None:
            found = document.at(kind, self._now())
        else:
            named = [e for e in document.epochs if e.kind == kind and e.epoch == number]
            if not named:
                raise NoKeyError(kind, self._now())
            found = named[0]
        if found.norm != NORMALISER_VERSION:
            raise NormaliserMismatchError(found.norm, NORMALISER_VERSION)
        return found

    def document(self) -> KeyDocument:
        """The platform's document, fetched when there is none that is fresh."""
        fresh = self._fetched_at and self._now() - self._fetched_at < FRESH_FOR
        return self._document if self._document and fresh else self.refresh()

    def refresh(self) -> KeyDocument:
        """Fetch the document, compare it with the pins, and remember it when it agrees."""
        pins = load_pins(self._pin_file)
        signed = self._source.keys().raw
        now = self._now()
        try:
            document = key_document.read(signed, pins.fingerprint, now)
            added = compare_with_pins(_pinned_document(pins, self._pin_file), document)
        except _CHANGES as error:
            raise KeysChangedError(error) from error
        if added or signed != pins.signed:
            save_pins(self._pin_file, Pins(pins.fingerprint, pins.pinned_at, signed))
        self._document, self._fetched_at = document, now
        return document


def pin(signed: Mapping[str, Any], fingerprint: str, pin_file: Path, now: datetime) -> KeyDocument:
    """Trust a document whose signer's fingerprint a person confirmed, from now on.

    Raises KeyDocumentError when the document does not hold, or is of another signer.
    """
    document = key_document.read(signed, fingerprint, now)
    save_pins(pin_file, Pins(key_document.signer(signed), now, dict(signed)))
    return document


def load_pins(pin_file: Path) -> Pins:
    """The pins in a file. Raises PinFileError."""
    try:
        content = json.loads(pin_file.read_text(encoding="utf-8"))
        pinned_at = datetime.fromisoformat(content["pinned_at"])
        return Pins(str(content["fingerprint"]), pinned_at, dict(content["signed"]))
    except FileNotFoundError:
        raise PinFileError(
            f"No keys are pinned: there is no {pin_file}. Run `postern init`, or "
            "`postern keys accept --fingerprint FINGERPRINT`."
        ) from None
    except (OSError, ValueError, TypeError, KeyError):
        raise _damaged(pin_file) from None


def save_pins(pin_file: Path, pins: Pins) -> None:
    """Write pins so that a crash leaves the old ones. Raises OSError."""
    content = {
        "fingerprint": pins.fingerprint,
        "pinned_at": pins.pinned_at.astimezone(UTC).isoformat(timespec="seconds"),
        "signed": pins.signed,
    }
    write_private(pin_file, json.dumps(content, indent=1) + "\n")


def _pinned_document(pins: Pins, pin_file: Path) -> KeyDocument:
    """The pinned document, checked again: a changed file must not become a changed key."""
    try:
        # It may have expired since; it is read as of its own time.
        issued = datetime.fromisoformat(str(pins.signed["document"]["issued_at"]))
        return key_document.read(pins.signed, pins.fingerprint, issued)
    except (KeyDocumentError, KeyError, TypeError, ValueError):
        raise _damaged(pin_file) from None


def _damaged(pin_file: Path) -> PinFileError:
    return PinFileError(
        f"The pinned keys in {pin_file} cannot be read. Compare the fingerprint by another channel "
        "and pin it again with `postern keys accept --fingerprint FINGERPRINT`."
    )


_CHANGES = (KeyChangedError, FingerprintMismatchError, SignatureInvalidError)
