"""The rule of a signal's `suggest`: selections of coarse facts and a condition over them."""

import re

from app.barriers.facts import FACT_FIELDS
from app.barriers.suggesting import NamedSelection, SuggestionRule, Wanted, holds
from postern.patterns.condition import ConditionError, read_condition
from postern.patterns.model import Condition, parts_of
from postern.yaml_documents import Entries, Items, Node, Notes, Scalar, one_of

CONDITION = "condition"
EXISTS = "exists"
LONGEST_CONDITION = 300
MOST_SELECTIONS = 10
MOST_FIELDS = 8
MOST_VALUES = 260  # the countries
NAME = r"[a-z][a-z0-9_]{0,39}"
_NAME = re.compile(NAME, re.ASCII)
_KEYWORDS = frozenset({"and", "or", "not", CONDITION})
_YES_NO = {"yes": True, "no": False}


def read_rule(signal: Entries, notes: Notes) -> SuggestionRule | None:
    """The rule of a signal, None when it has none or it has faults."""
    if signal.get("suggest") is None:
        return None
    node = notes.entries(signal, "suggest")
    if node is None:
        return None
    before = len(notes.faults)
    selections = _selections(node, notes)
    condition, text = _condition(node, selections, notes)
    if condition is None or len(notes.faults) > before:
        return None
    rule = SuggestionRule(selections, condition, text)
    if holds(rule, {}):
        notes.fault(
            node.get(CONDITION) or node,
            "The signal would be suggested for a report that tells nothing.",
            "Ask for a value of at least one field.",
        )
        return None
    return rule


def _selections(node: Entries, notes: Notes) -> tuple[NamedSelection, ...]:
    found = []
    for key, value in node.pairs:
        if key.text == CONDITION:
            continue
        if not _NAME.fullmatch(key.text) or key.text in _KEYWORDS:
            notes.fault(
                key,
                f"{key.text!r} cannot name a selection.",
                "Use small letters, digits and _, beginning with a letter; not and, or, not.",
            )
        elif not isinstance(value, Entries) or not 1 <= len(value.pairs) <= MOST_FIELDS:
            notes.fault(
                value,
                f"The selection has not 1 to {MOST_FIELDS} fields.",
                "Write field: value, or 'field|exists': yes.",
            )
        else:
            read = [_wanted(name, asked, notes) for name, asked in value.pairs]
            found.append(NamedSelection(key.text, tuple(each for each in read if each)))
    if len(found) > MOST_SELECTIONS:
        notes.fault(node, f"There are more than {MOST_SELECTIONS} selections.", "Remove some.")
    return tuple(found)


def _wanted(key: Scalar, node: Node, notes: Notes) -> Wanted | None:
    name, bar, modifier = key.text.partition("|")
    field = FACT_FIELDS.get(name)
    if field is None:
        notes.fault(key, f"There is no field {name!r}.", one_of(name, FACT_FIELDS))
        return None
    if bar:
        text = node.text if isinstance(node, Scalar) else ""
        if modifier == EXISTS and text in _YES_NO:
            return Wanted(name, frozenset(), exists=_YES_NO[text])
        notes.fault(key, "Only exists can be asked, with yes or no.", f"Write '{name}|{EXISTS}'.")
        return None
    items = node.items if isinstance(node, Items) else (node,)
    if not 1 <= len(items) <= MOST_VALUES:
        notes.fault(node, f"The list has not 1 to {MOST_VALUES} values.", "Shorten or fill it.")
        return None
    values = set()
    for item in items:
        text = item.text if isinstance(item, Scalar) else ""
        if text not in field.words:
            notes.fault(
                item,
                f"{text!r} is not a word of {name}.",
                field.remedy or one_of(text, field.words),
            )
        values.add(text)
    return Wanted(name, frozenset(values))


def _condition(
    node: Entries, selections: tuple[NamedSelection, ...], notes: Notes
) -> tuple[Condition | None, str]:
    text = notes.text(node, CONDITION, most=LONGEST_CONDITION)
    if text is None:
        return None, ""
    place = node.get(CONDITION) or node
    try:
        condition = read_condition(text)
    except ConditionError as error:
        notes.fault(place, error.reason, error.remedy, offset=error.place)
        return None, ""
    written = {key.text for key, _ in node.pairs} - {CONDITION}
    used = parts_of(condition)
    for name in used:
        if name not in written:
            notes.fault(
                place,
                f"The condition names {name!r}, which is no selection.",
                f"The selections are: {', '.join(sorted(written)) or 'none'}.",
            )
    for each in selections:
        if each.name not in used:
            notes.fault(
                node.key(each.name) or node,
                f"The selection {each.name!r} is not in the condition.",
                "Use it there, or remove it.",
            )
    return condition, " ".join(text.split())
