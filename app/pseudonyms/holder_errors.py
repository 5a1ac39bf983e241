"""What a platform and a holder of key shares refuse to each other, and to who asks."""

from typing import ClassVar

from app.errors import ConflictError, NotFoundError, PosternError


class HoldersMissingError(PosternError):
    """Fewer holders answered than must take part; nothing was counted against the quota."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "holders-missing"
    title: ClassVar[str] = "Too few holders of the key answer"
    remedy: ClassVar[str] = "Ask again later; if it goes on, tell the platform's operator."


class SignatureNeededError(PosternError):
    status: ClassVar[int] = 422
    code: ClassVar[str] = "signature-needed"
    title: ClassVar[str] = "The holders of this key ask for your organisation's signature"
    remedy: ClassVar[str] = (
        "Open your organisation's key file on the page, or name it in the settings of postern."
    )


class SignatureRefusedError(PosternError):
    """`reason` is the holder's own code, such as signer-unknown or signature-stale."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "signature-refused"
    title: ClassVar[str] = "The holders of this key refuse the organisation's signature"
    remedy: ClassVar[str] = (
        "Check the clock of your machine; if your organisation has new keys, have the holders "
        "admit them."
    )


class EpochExistsError(ConflictError):
    code = "epoch-exists"
    title = "This kind has a key of that epoch already"
    remedy = "Share keys on a platform that has none yet: tokens of a single key would not match."


class SignerUnknownError(PosternError):
    """Not admitted, and signed by another key, are one answer."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "signer-unknown"
    title: ClassVar[str] = "No organisation that is admitted here signed this"
    remedy: ClassVar[str] = "Have the holder's administrator admit your organisation's keys."


class StaleSignatureError(ConflictError):
    code = "signature-stale"
    title = "The signature is too old, or of the future"
    remedy = "Set the clock of the machine that signed it, and sign anew."


class UsedSignatureError(ConflictError):
    code = "signature-used"
    title = "The signature was used already"
    remedy = "Sign anew; if you did, somebody replays what your organisation signs."


class ShareMissingError(NotFoundError):
    code = "share-missing"
    title = "No share of that key is held here"
    remedy = "Install it with: flask --app wsgi holder install"


class SharesNotMovedError(ConflictError):
    """Too few holders made their share of the epoch to which a key is rotated."""

    code = "shares-not-moved"
    title = "Too few holders moved their shares"
    remedy = "Have each run `holder move` with the file of the factor; then give the command again."


class ShareHeldError(ConflictError):
    code = "share-held"
    title = "A share of that key is held here already"
    remedy = "List the shares with: flask --app wsgi holder list"


class ShareInUseError(ConflictError):
    code = "share-in-use"
    title = "No share of a later epoch is held, so this one is needed"
    remedy = "Make the next one with `holder move`, and wait until the platform closed this epoch."


class ChainRefusedError(ConflictError):
    code = "chain-refused"
    title = "The entries do not follow from those that were admitted"
    remedy = "Get them from the organisation itself, and compare the fingerprint by telephone."
