"""Why a sealed envelope does not open: one error for each cause. None repeats a content."""

from postern.client_errors import ClientError


class SealError(ClientError):
    """A content cannot be sealed, or an envelope cannot be opened; each subclass says why."""


class ContextInvalidError(SealError):
    """A field of a context is empty, too long or not of its form."""

    def __init__(self, field: str) -> None:
        super().__init__(f"The context has no right {field}. Correct it before anything is sealed.")


class ContentTooLargeError(SealError):
    """The content is larger than an envelope may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The content is larger than {limit:,} bytes. Reduce it, a picture by its resolution, "
            "or attach it in parts."
        )


class RecipientsInvalidError(SealError):
    """There is no recipient, one is named twice, or there are too many."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"An envelope is for 1 to {most} different keys. Name each recipient's key once."
        )


class EnvelopeMalformedError(SealError):
    """The bytes are not an envelope: cut off, lengthened, or of a version not known here."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The sealed envelope is damaged: {rule}. Fetch it again; if this stays, ask the "
            "organisation that sealed it."
        )


class SignerUnknownError(SealError):
    """The envelope names a signing key that is not one of those expected."""

    def __init__(self, kid: bytes) -> None:
        super().__init__(
            f"The envelope is signed by the key {kid.hex()}, which is none of its sealer's known "
            "keys. Get the sealer's present entry and compare its fingerprint by telephone."
        )


class EnvelopeSignatureError(SealError):
    """Something in the envelope was changed after it was signed."""

    def __init__(self) -> None:
        super().__init__(
            "The signature does not fit the envelope, so it was changed after it was sealed. Do "
            "not use it; tell your compliance officer and the organisation that sealed it."
        )


class ContextMismatchError(SealError):
    """The envelope is whole, but was sealed for another record or another use."""

    def __init__(self) -> None:
        super().__init__(
            "The envelope was sealed for another record or another use than the one where it is "
            "found. Do not use it; tell your compliance officer and the platform's operator."
        )


class NotARecipientError(SealError):
    """None of the keys at hand is one to which the envelope is sealed."""

    def __init__(self, kids: tuple[bytes, ...]) -> None:
        named = ", ".join(kid.hex() for kid in kids)
        super().__init__(
            f"The envelope is sealed to other keys than yours: {named}. Use the key file that "
            "holds one of them, or ask the sealer to seal it to your present keys."
        )


class RecipientSwappedError(SealError):
    """The part for one's own key does not hold the key of this content."""

    def __init__(self) -> None:
        super().__init__(
            "The envelope names your key, but what stands there is not the key of its content: the "
            "sealer's part for you was swapped. Ask the sealer to seal it again."
        )


class ContentDamagedError(SealError):
    """The content itself does not open, or is not padded as it must be."""

    def __init__(self) -> None:
        super().__init__(
            "The content of the envelope is damaged although its signature holds. Ask the sealer "
            "to seal it again with a present version of postern."
        )
