"""What can be wrong with a key document or with what it says (see `postern.key_document`)."""

from datetime import UTC, datetime

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class KeyDocumentError(Exception):
    """A key document cannot be used; each subclass says why."""


class MalformedDocumentError(KeyDocumentError):
    """The document breaks a rule of its format."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The key document is malformed: {rule}. Fetch it again; if this stays, update Postern "
            "or tell the platform's administrator."
        )


class SignatureInvalidError(KeyDocumentError):
    """The document was changed after it was signed, or another key signed it."""

    def __init__(self) -> None:
        super().__init__(
            "The signature does not fit the key document. "
            "Do not use it; tell the platform's administrator and your compliance officer."
        )


class FingerprintMismatchError(KeyDocumentError):
    """The document is signed by another key than the one that was pinned."""

    def __init__(self, pinned: str, found: str) -> None:
        super().__init__(
            f"The key document is signed by {found}, but {pinned} is pinned. "
            "Ask the platform's administrator by telephone before you pin another key."
        )


class DocumentExpiredError(KeyDocumentError):
    """The document's time is over."""

    def __init__(self, expires_at: datetime, now: datetime) -> None:
        super().__init__(
            f"The key document expired at {written(expires_at)}; this clock says {written(now)}. "
            "Fetch a new one; if it is the newest, check the clock of this machine."
        )


class DocumentNotYetValidError(KeyDocumentError):
    """The document was issued in the future of this machine's clock."""

    def __init__(self, issued_at: datetime, now: datetime) -> None:
        super().__init__(
            f"The key document is of {written(issued_at)}; this clock says {written(now)}. "
            "Set the clock of this machine right and try again."
        )


class KeyChangedError(KeyDocumentError):
    """What was pinned for a kind and an epoch is not what the new document says."""

    def __init__(self, kind: str, epoch: int, change: str) -> None:
        super().__init__(
            f"The key of kind {kind}, epoch {epoch}: {change}. Do not evaluate with the new "
            "document; compare it with other members and tell your compliance officer."
        )
        self.kind = kind
        self.epoch = epoch


class NoKeyError(KeyDocumentError):
    """The document has no key for a kind at a moment."""

    def __init__(self, kind: str, moment: datetime) -> None:
        super().__init__(
            f"No key evaluates kind {kind} at {written(moment)}. "
            "Fetch the key document again or ask the platform's administrator for an epoch."
        )


def written(moment: datetime) -> str:
    """An aware moment as it stands on the wire: ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime(_MOMENT)
