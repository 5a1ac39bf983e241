"""From YAML to rules and filters: every document is checked whole, every fault has its place."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from postern.patterns.condition import ConditionError, read_condition
from postern.patterns.detection import Detection, read_aggregate, read_selections
from postern.patterns.errors import PatternError, PatternFault
from postern.patterns.examples import read_examples
from postern.patterns.model import (
    FILTER_FORMAT,
    PATTERN_FORMAT,
    Filter,
    Level,
    Rule,
    Status,
    parts_of,
)
from postern.patterns.source import LIMITS
from postern.vocabulary import Tlp
from postern.yaml_documents.headings import read_format, read_identity
from postern.yaml_documents.notes import Notes
from postern.yaml_documents.source import Entries, Items, Node, Scalar, SourceError, documents

RULE_KEYS = (
    *("format", "id", "title", "status", "author", "description", "references", "barrier_step"),
    *("level", "false_positives", "tlp", "expires", "detection", "aggregate", "tests"),
)
FILTER_KEYS = ("format", "id", "title", "description", "rules", "detection")
LAST_STEP = 7
LONGEST_TITLE = 120
LONGEST_TEXT = 2_000
_LONGEST_AUTHOR = 80
_IDENTITY = "Write one of 36 characters, such as `uuidgen` makes; never that of another rule."
_LONGEST_CONDITION = 500
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
Made = TypeVar("Made", Rule, Filter)


def read_rules(text: str, name: str = "The file") -> tuple[Rule, ...]:
    """The rules in a YAML text, of one or more documents, with different ids.

    `name` is what errors call the text. Raises PatternError with every fault that was found.
    """
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return tuple(replace(each, sha256=digest) for each in _read(text, name, _rule))


def read_filters(text: str, name: str = "The file") -> tuple[Filter, ...]:
    """The filters in a YAML text. Raises PatternError."""
    return _read(text, name, _filter)


def _read(text: str, name: str, read: Callable[[Entries, Notes], Made | None]) -> tuple[Made, ...]:
    try:
        nodes = documents(text, LIMITS)
    except SourceError as error:
        raise PatternError(name, [error.fault]) from None
    notes = Notes()
    if not nodes:
        notes.faults.append(PatternFault(1, 1, "It is empty.", "Write a rule into it."))
    found: list[Made] = []
    for node in nodes:
        if not isinstance(node, Entries):
            notes.fault(node, "A rule is not a map.", "Begin with format: and go on with id:.")
            continue
        made = read(node, notes)
        if made is not None and any(made.id == other.id for other in found):
            notes.fault(
                node, "Another rule here has the same id.", "Give this one an id of its own."
            )
        if made is not None:
            found.append(made)
    if notes.faults:
        raise PatternError(name, sorted(notes.faults, key=lambda each: (each.line, each.column)))
    return tuple(found)


def _rule(node: Entries, notes: Notes) -> Rule | None:
    before = len(notes.faults)
    notes.only(node, RULE_KEYS)
    read_format(node, notes, PATTERN_FORMAT)
    identity = read_identity(node, notes, _IDENTITY)
    title = notes.text(node, "title", most=LONGEST_TITLE)
    status = notes.word(node, "status", Status)
    author = notes.text(node, "author", most=_LONGEST_AUTHOR)
    description = notes.text(node, "description", most=LONGEST_TEXT)
    references = notes.texts(node, "references", most=LONGEST_TEXT)
    barrier_step = _step(node, notes)
    level = notes.word(node, "level", Level)
    false_positives = notes.texts(node, "false_positives", most=LONGEST_TEXT)
    tlp = notes.word(node, "tlp", Tlp)
    expires = _day(node, notes)
    detection = _detection(node, notes, may_name_accounts=False)
    aggregate = read_aggregate(node, notes)
    examples = read_examples(node, notes)
    if (
        len(notes.faults) > before
        or identity is None
        or title is None
        or status is None
        or author is None
        or description is None
        or barrier_step is None
        or level is None
        or tlp is None
        or expires is None
        or detection is None
    ):
        return None
    return Rule(
        identity,
        title,
        status,
        author,
        description,
        references,
        barrier_step,
        level,
        false_positives,
        tlp,
        expires,
        detection.selections,
        detection.condition,
        detection.text,
        aggregate,
        examples,
    )


def _filter(node: Entries, notes: Notes) -> Filter | None:
    before = len(notes.faults)
    notes.only(node, FILTER_KEYS)
    read_format(node, notes, FILTER_FORMAT)
    identity = read_identity(node, notes, _IDENTITY)
    title = notes.text(node, "title", most=LONGEST_TITLE)
    description = notes.text(node, "description", most=LONGEST_TEXT)
    rules = _filtered(node, notes)
    detection = _detection(node, notes, may_name_accounts=True)
    if (
        len(notes.faults) > before
        or identity is None
        or title is None
        or description is None
        or detection is None
    ):
        return None
    return Filter(
        identity,
        title,
        description,
        rules,
        detection.selections,
        detection.condition,
        detection.text,
    )


def _step(node: Entries, notes: Notes) -> int | None:
    found = node.get("barrier_step")
    if found is None:
        _missing(node, notes, "barrier_step")
        return None
    return notes.number(found, "barrier_step", least=1, most=LAST_STEP)


def _missing(node: Entries, notes: Notes, name: str) -> None:
    notes.fault(node, f"The key {name!r} is missing.", f"Add {name}: ...")


def _day(node: Entries, notes: Notes) -> date | None:
    found = node.get("expires")
    if found is None:
        _missing(node, notes, "expires")
        return None
    text = found.text if isinstance(found, Scalar) else ""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # such as 2026-02-30: told below
    notes.fault(found, "expires is not a day.", "Write it as 2027-11-30.")
    return None


def _filtered(node: Entries, notes: Notes) -> tuple[str, ...]:
    found = node.get("rules")
    if isinstance(found, Scalar) and found.text == "any":
        return ()
    ids = []
    items: Sequence[Node] = found.items if isinstance(found, Items) else ()
    for item in items:
        try:
            ids.append(str(UUID(item.text if isinstance(item, Scalar) else "")))
        except ValueError:
            notes.fault(item, "It is not the id of a rule.", "Write the UUID of the rule.")
    if not items:
        notes.fault(
            found or node,
            "It is not said which rules are filtered.",
            "List ids of rules, or write any.",
        )
    return tuple(ids)


def _detection(node: Entries, notes: Notes, *, may_name_accounts: bool) -> Detection | None:
    detection = notes.entries(node, "detection")
    if detection is None:
        return None
    selections = read_selections(detection, notes, may_name_accounts=may_name_accounts)
    text = notes.text(detection, "condition", most=_LONGEST_CONDITION)
    if text is None:
        return None
    place = detection.get("condition") or detection
    try:
        condition = read_condition(text)
    except ConditionError as error:
        notes.fault(place, error.reason, error.remedy, offset=error.place)
        return None
    used = parts_of(condition)
    known = {selection.name for selection in selections}
    for name in used:
        if name not in known and name not in _names(detection):
            notes.fault(
                place, f"The condition names {name!r}, which is no selection.", _selections(known)
            )
    for selection in selections:
        if selection.name not in used:
            key = detection.key(selection.name) or detection
            notes.fault(
                key,
                f"The selection {selection.name!r} is not in the condition.",
                "Use it there, or remove it.",
            )
    return Detection(selections, condition, " ".join(text.split()))


def _names(detection: Entries) -> set[str]:
    """Selections as written, also those that had faults of their own."""
    return {key.text for key, _ in detection.pairs} - {"condition"}


def _selections(known: set[str]) -> str:
    if not known:
        return "Write a selection under detection first."
    return f"The selections are: {', '.join(sorted(known))}."
