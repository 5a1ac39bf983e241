"""From YAML to an import mapping: a document is checked whole, every fault has its place."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from postern.columns import heading_key
from postern.imports.errors import MappingError, UnknownMappingError
from postern.imports.model import (
    AMOUNTS,
    CONSTANTS,
    DAYS,
    DROP,
    FORMAT,
    GRAMS,
    MAPPED_FIELDS,
    USUAL_DAYS,
    WEIGHTS,
    DayForm,
    ImportMapping,
    MappedColumn,
    Source,
    Verified,
    has_words,
    is_country,
    known_word,
    listed,
)
from postern.shipment import folded_word
from postern.yaml_documents import (
    Entries,
    Fault,
    Items,
    Limits,
    Node,
    Notes,
    Refusal,
    Scalar,
    SourceError,
    documents,
    one_of,
)
from postern.yaml_documents.headings import read_format

SHIPPED: Mapping[str, str] = {"cis": "seizures-cis.yml", "ionics": "incidents-ionics.yml"}
"""The mappings that come along: the name to give, and the file."""

MAPPING_KEYS = ("format", "title", "statement", "sources", "constants", "columns")
SOURCE_KEYS = ("title", "url", "read")
COLUMN_KEYS = (
    *("field", "headings", "item", "verified", "source", "part", "unit", "days", "words"),
    *("ignoring", "why"),
)
READ = ("whole", "excerpt")
NOTHING = "nothing"  # the word for what says nothing that is sent
MOST_COLUMNS = 300
MOST_HEADINGS = 60
MOST_WORDS = 200
MOST_PARTS = 9
LONGEST_TITLE = 120
LONGEST_TEXT = 2_000
LONGEST_ITEM = 400
LONGEST_HEADING = 120
SOURCE_KEY = r"[a-z][a-z0-9_]{0,39}"
URL = r"https?://[A-Za-z0-9.-]+(/[!-~]*)?"
CURRENCY = r"[A-Z]{3}"

_LARGEST = 262_144  # characters
_LONG = Refusal("The mapping is longer than 256 KiB.", "Shorten it.")
_LIMITS = Limits(
    file=_LARGEST,
    document=_LARGEST,
    documents=1,
    nodes=20_000,
    long_file=_LONG,
    long_document=_LONG,
    many_documents=Refusal("It holds several documents.", "Write one mapping into a file."),
    many_nodes=Refusal("The mapping has more than 20,000 parts.", "Shorten it."),
)


def find_mapping(name: str) -> ImportMapping:
    """The shipped mapping of that name, else the one in the file of that path.

    Raises MappingError with every fault, and UnknownMappingError when there is neither.
    """
    if name in SHIPPED:
        return read_mapping(shipped_text(name), SHIPPED[name])
    try:
        text = Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fault = Fault(1, 1, "It is not UTF-8.", "Save the file as UTF-8 text.")
        raise MappingError(name, [fault]) from None
    except OSError:
        raise UnknownMappingError(name, tuple(SHIPPED)) from None
    return read_mapping(text, name)


def shipped_text(name: str) -> str:
    """The YAML of a shipped mapping."""
    folder = resources.files("postern.imports")
    return folder.joinpath(SHIPPED[name]).read_text(encoding="utf-8")


def read_mapping(text: str, name: str = "The text") -> ImportMapping:
    """The mapping in a YAML text. `name` is what the error calls it. Raises MappingError."""
    try:
        nodes = documents(text, _LIMITS)
    except SourceError as error:
        raise MappingError(name, [error.fault]) from None
    notes = Notes()
    mapping = None
    if not nodes:
        notes.faults.append(Fault(1, 1, "It is empty.", "Write a mapping into it."))
    elif not isinstance(nodes[0], Entries):
        notes.fault(nodes[0], "The mapping is not a map.", f"Begin with format: {FORMAT}.")
    else:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        mapping = _mapping(nodes[0], notes, digest)
    if mapping is None or notes.faults:
        raise MappingError(name, sorted(notes.faults, key=lambda each: (each.line, each.column)))
    return mapping


def _mapping(node: Entries, notes: Notes, digest: str) -> ImportMapping | None:
    notes.only(node, MAPPING_KEYS)
    read_format(node, notes, FORMAT)
    title = notes.text(node, "title", most=LONGEST_TITLE)
    statement = notes.text(node, "statement", most=LONGEST_TEXT)
    sources = dict(_sources(node, notes))
    constants = dict(_constants(node, notes))
    columns = tuple(_columns(node, notes, sources))
    if title is None or statement is None:
        return None
    return ImportMapping(title, statement, sources, constants, columns, digest)


def _sources(parent: Entries, notes: Notes) -> Iterator[tuple[str, Source]]:
    for key, node in _pairs(parent, "sources", notes):
        if not re.fullmatch(SOURCE_KEY, key.text, re.ASCII):
            notes.fault(key, "The key of a source is not a short name.", "Write it as annex_2016.")
        if not isinstance(node, Entries):
            notes.fault(node, "A source is not a map.", "Write title, url and read.")
            continue
        notes.only(node, SOURCE_KEYS)
        title = notes.text(node, "title", most=LONGEST_TEXT)
        url = notes.text(node, "url", most=LONGEST_TEXT)
        read = notes.text(node, "read", most=LONGEST_TITLE)
        if url is not None and not re.fullmatch(URL, url, re.ASCII):
            notes.fault(node, "The url is not one.", "Write it with https:// and without spaces.")
        if read is not None and read not in READ:
            notes.fault(node, "read is not a word of its list.", one_of(read, READ))
        if title is not None and url is not None and read is not None:
            yield key.text, Source(title, url, read == READ[0])


def _constants(parent: Entries, notes: Notes) -> Iterator[tuple[str, str]]:
    for key, node in _pairs(parent, "constants", notes):
        if key.text not in CONSTANTS:
            notes.fault(
                key, f"{key.text} cannot be said for every row.", one_of(key.text, CONSTANTS)
            )
            continue
        text = notes.words_of(node, key.text, most=LONGEST_TITLE)
        if text is None:
            continue
        word = _constant(key.text, text)
        if word is None:
            notes.fault(node, f"{key.text} is not a word of its list.", _words_for(key.text, text))
        else:
            yield key.text, word


def _constant(name: str, text: str) -> str | None:
    if name == "currency":
        return text if re.fullmatch(CURRENCY, text, re.ASCII) else None
    return known_word(name, text) if has_words(name) else text


def _columns(
    parent: Entries, notes: Notes, sources: Mapping[str, Source]
) -> Iterator[MappedColumn]:
    node = parent.get("columns")
    if not isinstance(node, Items) or not 1 <= len(node.items) <= MOST_COLUMNS:
        notes.fault(
            node or parent,
            f"columns is not a list of 1 to {MOST_COLUMNS} lines.",
            "Write a line with field and headings for each column.",
        )
        return
    seen: dict[tuple[str, ...], int] = {}
    for item in node.items:
        if not isinstance(item, Entries):
            notes.fault(item, "A line is not a map.", "Write field, headings, item and verified.")
            continue
        column = _Column(item, notes, sources, seen).read()
        if column is not None:
            yield column


class _Column:
    """Reads one entry of a mapping; `seen`: the headings so far, and the line of their entry."""

    def __init__(
        self,
        node: Entries,
        notes: Notes,
        sources: Mapping[str, Source],
        seen: dict[tuple[str, ...], int],
    ) -> None:
        self._node = node
        self._notes = notes
        self._sources = sources
        self._seen = seen

    def read(self) -> MappedColumn | None:
        """The line; None when it was noted what is wrong with it."""
        node, notes = self._node, self._notes
        before = len(notes.faults)
        notes.only(node, COLUMN_KEYS)
        name = notes.text(node, "field", most=LONGEST_TITLE)
        if name is not None and name not in MAPPED_FIELDS:
            notes.fault(node, f"The field {name!r} is not known.", one_of(name, MAPPED_FIELDS))
            name = None
        headings = self._headings()
        item = notes.text(node, "item", most=LONGEST_ITEM)
        verified = notes.word(node, "verified", Verified)
        source = self._source(verified)
        why = self._why(name)
        if name is None or item is None or verified is None:
            return None
        column = MappedColumn(
            name,
            headings,
            item,
            verified,
            source,
            self._part(),
            self._unit(name),
            self._days(name),
            self._words(name),
            self._ignoring(name),
            why,
        )
        return column if len(notes.faults) == before else None

    def _headings(self) -> tuple[str, ...]:
        found = []
        for node in self._texts("headings", most=MOST_HEADINGS, is_needed=True):
            text = self._notes.words_of(node, "a heading", most=LONGEST_HEADING)
            if text is None:
                continue
            key = heading_key(text)
            if not key:
                self._notes.fault(node, "A heading holds no word.", "Write letters or digits.")
            elif self._seen.setdefault(key, self._node.line) != self._node.line:
                self._notes.fault(
                    node,
                    f"The heading {text!r} stands in the entry of line {self._seen[key]} too, "
                    "whatever the order of its words.",
                    "Leave it out of one of them.",
                )
            else:
                found.append(text)
        return tuple(found)

    def _source(self, verified: Verified | None) -> str:
        node = self._node.get("source")
        if node is None:
            if verified in {Verified.ANNEX_TEXT, Verified.PRESS}:
                self._notes.fault(
                    self._node, "It is said to be verified by no source.", "Name it by its key."
                )
            return ""
        text = self._notes.words_of(node, "source", most=LONGEST_TITLE)
        if text is None:
            return ""
        if text not in self._sources:
            self._notes.fault(node, f"The source {text!r} is not listed.", "List it under sources.")
        elif verified is Verified.ANNEX_TEXT and not self._sources[text].is_whole:
            self._notes.fault(
                node, "Of that source only an excerpt was read.", "Write verified: press."
            )
        return text

    def _why(self, name: str | None) -> str:
        node = self._node.get("why")
        if node is not None:
            return self._notes.words_of(node, "why", most=LONGEST_TEXT) or ""
        if name == DROP:
            self._notes.fault(self._node, "It is not said why it is dropped.", "Add why: ...")
        return ""

    def _part(self) -> int:
        node = self._node.get("part")
        if node is None:
            return 0
        return self._notes.number(node, "part", least=1, most=MOST_PARTS) or 0

    def _unit(self, name: str) -> str:
        node = self._node.get("unit")
        if node is None:
            return ""
        text = self._notes.words_of(node, "unit", most=LONGEST_TITLE) or ""
        is_known = text in GRAMS if name in WEIGHTS else bool(re.fullmatch(CURRENCY, text))
        if name not in AMOUNTS:
            self._notes.fault(node, f"{name} has no unit.", "Leave the unit out.")
        elif text and not is_known:
            remedy = f"Write {', '.join(GRAMS)}, or a currency in three capitals."
            self._notes.fault(node, "The unit is not known.", remedy)
        return text

    def _days(self, name: str) -> tuple[DayForm, ...]:
        node = self._node.get("days")
        if node is None:
            return USUAL_DAYS
        if name not in DAYS:
            self._notes.fault(node, f"{name} is not a day.", "Leave days out.")
        found = []
        for each in self._texts("days", most=len(DayForm)):
            text = each.text if isinstance(each, Scalar) else ""
            if text in set(DayForm):
                found.append(DayForm(text))
            else:
                self._notes.fault(
                    each, "A form of days is not known.", one_of(text, tuple(DayForm))
                )
        if {DayForm.DAY_FIRST, DayForm.MONTH_FIRST} <= set(found):
            self._notes.fault(
                node,
                "day_first and month_first stand together: 3/4/2026 would be two days.",
                "Keep the one in which the file is written.",
            )
        return tuple(found)

    def _words(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, node in _pairs(self._node, "words", self._notes):
            if not has_words(name):
                self._notes.fault(key, f"{name} has no list of words.", "Leave words out.")
                return {}
            word = "" if key.text == NOTHING else known_word(name, key.text)
            if word is None or (is_country(name) and key.text not in {word, NOTHING}):
                self._notes.fault(
                    key, f"{key.text} is not a word of the list.", _words_for(name, key.text)
                )
                continue
            items = node.items if isinstance(node, Items) else (node,)
            if len(items) > MOST_WORDS:
                self._notes.fault(node, f"There are more than {MOST_WORDS}.", "Shorten the list.")
            for item in items:
                text = folded_word(self._notes.words_of(item, "a word", most=LONGEST_TITLE) or "")
                if text and found.setdefault(text, word) != word:
                    self._notes.fault(
                        item, "The text stands for two words.", "Keep it under one of them."
                    )
        return found

    def _ignoring(self, name: str) -> frozenset[str]:
        node = self._node.get("ignoring")
        if node is not None and not has_words(name):
            self._notes.fault(node, f"{name} has no list of words.", "Leave ignoring out.")
        texts = (
            self._notes.words_of(each, "a word", most=LONGEST_TITLE) or ""
            for each in self._texts("ignoring", most=MOST_WORDS)
        )
        return frozenset(word for text in texts for word in folded_word(text).split("_") if word)

    def _texts(self, name: str, *, most: int, is_needed: bool = False) -> tuple[Node, ...]:
        node = self._node.get(name)
        if node is None:
            if is_needed:
                self._notes.fault(self._node, f"The key {name!r} is missing.", f"Add {name}: ...")
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        if not 1 <= len(items) <= most:
            self._notes.fault(node, f"{name} has not 1 to {most} entries.", "Shorten or fill it.")
        return items


def _pairs(parent: Entries, name: str, notes: Notes) -> tuple[tuple[Scalar, Node], ...]:
    """The pairs of the map under a key that may be missing."""
    node = parent.get(name)
    if node is None:
        return ()
    if not isinstance(node, Entries):
        notes.fault(node, f"{name} is not a map.", "Write names and what belongs to them.")
        return ()
    return node.pairs


def _words_for(name: str, text: str) -> str:
    if is_country(name):
        return "Write the two capitals of its ISO 3166 code."
    if name == "currency":
        return "Write three capitals of ISO 4217."
    return one_of(text, listed(name) or ())
