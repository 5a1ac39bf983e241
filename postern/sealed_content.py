"""What stands inside an envelope: the value of an indicator, a note, a file, a message.

Plaintexts are canonical JSON, so that one content has one form; a file stands behind its JSON head.
A value keeps the columns from which it was read, by their names, so that whoever gets it can
normalise it and derive its tokens again. What others sealed is read strictly, and nothing of it is
trusted because it was sealed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from postern.client_errors import ClientError
from postern.envelope import LARGEST_CONTENT, LENGTH_SIZE, Context
from postern.normalise import Normalised
from postern.pseudonym import TOKEN_SIZE
from postern.rows import LONGEST_FIELD, LONGEST_NOTE, VALUE_FIELDS, Reading, sightings
from postern.strict_json import MalformedError, Object, canonical, parse_object
from postern.terms import FaultError
from postern.vocabulary import Kind, SealedPart

VERSION = 1
LONGEST_NAME = 120  # characters of a file's name
MOST_ATTACHMENTS = 10  # of one report
NO_TOKEN = bytes(TOKEN_SIZE)
"""The token of what is not matched: a report, a message, an induction point."""

REPORT_KIND = "report"

_LONGEST_HEAD = 4096  # bytes of the JSON before a file
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_PART = re.compile(r"attachment/([1-9][0-9]{0,5})")


class SealedContentError(ClientError):
    """What was sealed, or is to be sealed, does not have the form of its part."""

    def __init__(self, part: str, rule: str) -> None:
        super().__init__(
            f"The sealed {part} cannot be used: {rule}. Correct it before it is sealed; if it was "
            "sealed by another organisation, ask it to seal the content again."
        )


class AttachmentTooLargeError(ClientError):
    """A file does not fit into an envelope."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is larger than {LARGEST_CONTENT:,} bytes. Reduce it, a picture by its "
            "resolution, or attach it in parts."
        )


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an indicator: its columns by name, as `postern.rows` reads them."""

    kind: Kind
    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        known = VALUE_FIELDS.get(self.kind, frozenset())
        if not self.fields or not self.fields.keys() <= known:
            raise SealedContentError("value", "it has a field that its kind does not have")
        if any(not text or len(text) > LONGEST_FIELD for text in self.fields.values()):
            raise SealedContentError(
                "value", f"a field is empty or longer than {LONGEST_FIELD} characters"
            )

    def plaintext(self) -> bytes:
        """The canonical JSON that is sealed."""
        return _json({"v": VERSION, "kind": self.kind.value, "fields": dict(self.fields)}, "value")


@dataclass(frozen=True, slots=True)
class Note:
    """What the submitter wrote of an indicator in free text."""

    text: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= LONGEST_NOTE:
            raise SealedContentError("note", f"it is empty or longer than {LONGEST_NOTE:,} letters")

    def plaintext(self) -> bytes:
        """The canonical JSON that is sealed."""
        return _json({"v": VERSION, "note": self.text}, "note")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a report. Its name is as another organisation wrote it: never a path to write to.

    Raises AttachmentTooLargeError, SealedContentError.
    """

    name: str
    media_type: str
    content: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= LONGEST_NAME or not self.name.isprintable():
            raise SealedContentError(
                "attachment", f"its name is not 1 to {LONGEST_NAME} printable characters"
            )
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise SealedContentError("attachment", "its media type is not of the form image/jpeg")
        if len(self._head()) + len(self.content) > LARGEST_CONTENT:
            raise AttachmentTooLargeError(self.name)

    def plaintext(self) -> bytes:
        """The head's length in 4 bytes, the head in canonical JSON, the file."""
        return self._head() + self.content

    def _head(self) -> bytes:
        head = _json({"v": VERSION, "name": self.name, "media_type": self.media_type}, "attachment")
        return len(head).to_bytes(LENGTH_SIZE, "big") + head


Content = Value | Note | Attachment


def context_of_value(owner: str, kind: Kind, epoch: int, token: bytes, record: str) -> Context:
    """Where the value of an indicator belongs; `record` is that of `record_of`."""
    return Context(owner, kind.value, epoch, token, record, SealedPart.VALUE.value)


def context_of_note(owner: str, kind: Kind, epoch: int, token: bytes, record: str) -> Context:
    """Where the note of an indicator belongs."""
    return Context(owner, kind.value, epoch, token, record, SealedPart.NOTE.value)


def context_of_attachment(owner: str, client_key: str, number: int) -> Context:
    """Where a report's file belongs; files are numbered from 1."""
    return Context(
        owner, REPORT_KIND, 0, NO_TOKEN, client_key, f"{SealedPart.ATTACHMENT.value}/{number}"
    )


def record_of(client_key: str, place: int) -> str:
    """The record of an indicator: its report's key and its place in the report, from 0."""
    return f"{client_key}/{place}"


def opened(part: str, plaintext: bytes) -> Content:
    """What an opened envelope of a context's part holds. Raises SealedContentError."""
    try:
        found = _opened(part, plaintext)
    except ValueError as error:
        rule = str(error) if isinstance(error, MalformedError) else "it is not of its form"
        raise SealedContentError(part.partition("/")[0], rule) from None
    if found.plaintext() != plaintext:
        raise SealedContentError(part.partition("/")[0], "it is not in its one canonical form")
    return found


def tokens_again(value: Value) -> Normalised:
    """The canonical form of a value, from which its tokens follow.

    Raises SealedContentError when its columns do not read as one value of its kind.
    """
    try:
        found, _ = sightings(value.fields, Reading(date.min))
    except FaultError as error:
        raise SealedContentError("value", f"{error.faults[0].reason.rstrip('.')}") from None
    of_kind = [each.value for each in found if each.value.kind is value.kind]
    if len(found) != 1 or len(of_kind) != 1:
        raise SealedContentError("value", "it does not read as one value of its kind")
    return of_kind[0]


def _opened(part: str, plaintext: bytes) -> Content:
    if part == SealedPart.VALUE.value:
        return _value(parse_object(plaintext))
    if part == SealedPart.NOTE.value:
        return _note(parse_object(plaintext))
    if _PART.fullmatch(part):
        return _attachment(plaintext)
    raise MalformedError("its part is not known here")


def _value(found: Object) -> Value:
    _check_version(found, "kind", "fields")
    fields = found.object("fields")
    return Value(Kind(found.text("kind")), {name: fields.text(name) for name in fields.content})


def _note(found: Object) -> Note:
    _check_version(found, "note")
    return Note(found.text("note"))


def _attachment(plaintext: bytes) -> Attachment:
    length = int.from_bytes(plaintext[:LENGTH_SIZE], "big")
    end = LENGTH_SIZE + length
    if len(plaintext) < end or length > _LONGEST_HEAD:
        raise MalformedError("its head is cut off")
    head = parse_object(plaintext[LENGTH_SIZE:end])
    _check_version(head, "name", "media_type")
    return Attachment(head.text("name"), head.text("media_type"), plaintext[end:])


def _check_version(found: Object, *names: str) -> None:
    found.only("v", *names)
    if found.number("v") != VERSION:
        raise MalformedError("it is of a version not known here; update postern")


def _json(content: Mapping[str, object], part: str) -> bytes:
    try:
        return canonical(content)
    except UnicodeEncodeError:
        raise SealedContentError(part, "it has half a surrogate pair") from None
