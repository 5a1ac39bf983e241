"""Messages of a disclosure request: free text that only the two organisations read.

The first one, the ask, repeats what is asked and how soon, under the requester's signature: the
owner sees when the platform shows anything else than what was asked.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from postern.base64url import to_base64url
from postern.envelope import Context
from postern.hpke import PublicKey, SecretKey
from postern.seal import open_envelope, seal
from postern.sealed_content import NO_TOKEN, VERSION, SealedContentError
from postern.signing_identity import SigningIdentity, VerifyingKey
from postern.strict_json import MalformedError, canonical, parse_object
from postern.vocabulary import MessageKind

LONGEST_TEXT = 10_000  # characters
LONGEST_CASE = 128  # characters

_KIND = "message"
_RANDOM_SIZE = 16  # bytes == 22 characters of base64url


@dataclass(frozen=True, slots=True)
class Asked:
    """What an ask says beside its text. `asked` is in the order of the words of SealedPart."""

    case: str
    indicator: str
    urgency: str
    asked: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Message:
    """The text, and in an ask what is asked. Raises SealedContentError."""

    text: str
    about: Asked | None = None

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST_TEXT or not (self.text or self.about):
            raise SealedContentError(
                "message", f"it is empty or longer than {LONGEST_TEXT:,} characters"
            )
        if self.about and not 1 <= len(self.about.case) <= LONGEST_CASE:
            raise SealedContentError(
                "message", f"its case is empty or longer than {LONGEST_CASE} characters"
            )

    def plaintext(self) -> bytes:
        """The canonical JSON that is sealed."""
        content: dict[str, object] = {"v": VERSION, "text": self.text}
        if self.about:
            content |= {
                "case": self.about.case,
                "indicator": self.about.indicator,
                "urgency": self.about.urgency,
                "asked": list(self.about.asked),
                "action": self.about.action,
            }
        try:
            return canonical(content)
        except UnicodeEncodeError:
            raise SealedContentError("message", "it has half a surrogate pair") from None


def new_record(request: str | None) -> str:
    """A record for a message: of a request, or of the ask that makes one."""
    return f"{request or 'ask'}/{to_base64url(secrets.token_bytes(_RANDOM_SIZE))}"


def context_of(owner: str, kind: MessageKind, record: str) -> Context:
    """Where a message belongs: to requests to `owner`."""
    return Context(owner, _KIND, 0, NO_TOKEN, record, kind.value)


def seal_message(
    message: Message, context: Context, recipients: Sequence[PublicKey], sender: SigningIdentity
) -> bytes:
    """The envelope of a message; `recipients` are the keys of both organisations."""
    return seal(message.plaintext(), context, recipients, sender)


def open_message(
    raw: bytes,
    context: Context,
    keys: Sequence[SecretKey],
    senders: Sequence[VerifyingKey],
) -> Message:
    """The message in an envelope by one of the sender's keys.

    Raises SealError, and SealedContentError when it is not of its form.
    """
    plaintext = open_envelope(raw, context, keys, senders)
    try:
        message = _read(plaintext, is_ask=context.part == MessageKind.ASK.value)
    except ValueError as error:
        raise SealedContentError("message", str(error)) from None
    if message.plaintext() != plaintext:
        raise SealedContentError("message", "it is not in its one canonical form")
    return message


def _read(plaintext: bytes, *, is_ask: bool) -> Message:
    found = parse_object(plaintext)
    found.only("v", "text", *(_OF_ASKS if is_ask else ()))
    if found.number("v") != VERSION:
        raise MalformedError("it is of a version not known here; update postern")
    if not is_ask:
        return Message(found.text("text"))
    asked = found.content["asked"]
    if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
        raise MalformedError("what it asks for is no list of words")
    about = Asked(
        case=found.text("case"),
        indicator=found.text("indicator"),
        urgency=found.text("urgency"),
        asked=tuple(asked),
        action=found.text("action"),
    )
    return Message(found.text("text"), about)


_OF_ASKS = ("case", "indicator", "urgency", "asked", "action")
