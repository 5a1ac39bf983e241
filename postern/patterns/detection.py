"""Selections and aggregates of a rule: each value gets the type of its field, or a fault."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from postern.normalise.tables import table
from postern.patterns.contents import folded_operand
from postern.patterns.fields import FIELDS, Field, FieldType, Measure, Modifier
from postern.patterns.model import Aggregate, Condition, Having, Operand, Predicate, Selection
from postern.yaml_documents.notes import Notes, one_of
from postern.yaml_documents.source import Entries, Items, Node, Scalar

COUNTRIES = frozenset(code.upper() for code in table("countries")["iso"])
MOST_SELECTIONS = 20
MOST_PREDICATES = 20
MOST_VALUES = 500
MOST_DAYS = 31
_MOST_FIELDS = 6  # of `by`
_MOST_HAVING = 8
_LONGEST_VALUE = 100
_LEAST_WORD = 2  # letters of a text that is searched in contents
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_CODE = re.compile(r"[A-Z0-9][A-Z0-9 ._/-]{0,39}", re.ASCII)
_HS = re.compile(r"[0-9]{2,12}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_DAYS = re.compile(r"([0-9]{1,3})d", re.ASCII)
_KEYWORDS = frozenset({"and", "or", "not", "condition"})
_TWO = 2
_SIX = 6  # digits of an HS subheading
_YES_NO = {"yes": True, "no": False}
_HAVING_ORDER = frozenset({Modifier.GT, Modifier.GTE, Modifier.LT, Modifier.LTE})


@dataclass(frozen=True, slots=True)
class Detection:
    """What `detection` says."""

    selections: tuple[Selection, ...]
    condition: Condition
    text: str


def read_selections(
    detection: Entries, notes: Notes, *, may_name_accounts: bool
) -> tuple[Selection, ...]:
    """The selections of a detection. `may_name_accounts`: it is a filter, which stays at home."""
    found = []
    for key, node in detection.pairs:
        if key.text == "condition":
            continue
        if not _NAME.fullmatch(key.text) or key.text in _KEYWORDS:
            notes.fault(
                key,
                f"{key.text!r} cannot name a selection.",
                "Use small letters, digits and _, beginning with a letter; not and, or, not.",
            )
            continue
        if not isinstance(node, Entries) or not 1 <= len(node.pairs) <= MOST_PREDICATES:
            notes.fault(
                node,
                f"The selection has not 1 to {MOST_PREDICATES} fields.",
                "Write field: value, or 'field|modifier': value.",
            )
            continue
        read = [_predicate(name, value, notes, may_name_accounts) for name, value in node.pairs]
        predicates = tuple(each for each in read if each is not None)
        if len(predicates) == len(node.pairs):
            found.append(Selection(key.text, predicates))
    if len(found) > MOST_SELECTIONS:
        notes.fault(
            detection, f"There are more than {MOST_SELECTIONS} selections.", "Divide the rule."
        )
    return tuple(found)


def read_aggregate(rule: Entries, notes: Notes) -> Aggregate | None:
    """The aggregate of a rule, or None when it has none."""
    if rule.get("aggregate") is None:
        return None
    node = notes.entries(rule, "aggregate")
    if node is None:
        return None
    notes.only(node, ("by", "within", "having"))
    by = _by(node, notes)
    days = _within(node, notes)
    having = notes.entries(node, "having")
    if having is None:
        return None
    read = [_having(key, value, notes) for key, value in having.pairs]
    lines = tuple(each for each in read if each is not None)
    if len(having.pairs) > _MOST_HAVING:
        notes.fault(having, f"having has more than {_MOST_HAVING} lines.", "Remove some.")
    if len(lines) == len(having.pairs) and not any(each.is_lower_bound for each in lines):
        notes.fault(
            having,
            "Nothing says how many parcels or how many different ones there are at least.",
            "Add 'count|gte', or a '...|distinct|gte'.",
        )
    return Aggregate(by, days, lines) if by and days else None


def field_of(key: Node, name: str, notes: Notes) -> Field | None:
    """The field of that name, else a fault that names the nearest."""
    field = FIELDS.get(name)
    if field is None:
        notes.fault(key, f"There is no field {name!r}.", one_of(name, FIELDS))
    return field


def operand_of(node: Node, field: Field, modifier: Modifier, notes: Notes) -> Operand | None:
    """One value of a field as it is kept."""
    if not isinstance(node, Scalar) or not 1 <= len(node.text) <= _LONGEST_VALUE:
        notes.fault(
            node,
            f"A value of {field.name} has not 1 to {_LONGEST_VALUE} characters.",
            "Correct it.",
        )
        return None
    text = node.text.strip()
    match field.type:
        case FieldType.NUMBER:
            return _number(node, text, field, notes)
        case FieldType.TEXT:
            return _words(node, text, notes)
        case FieldType.WORD | FieldType.COUNTRY | FieldType.FLAG:
            return _listed(node, text, field, notes)
        case _:
            return _code(node, text, field, modifier, notes)


def _listed(node: Scalar, text: str, field: Field, notes: Notes) -> Operand | None:
    """A word of a closed list: the field's own, yes and no, or the countries."""
    if field.type is FieldType.COUNTRY:
        known, remedy = text in COUNTRIES, "Write two capitals of ISO 3166-1, or XK."
    elif field.type is FieldType.FLAG:
        known, remedy = text in _YES_NO, "Write yes or no."
    else:
        known, remedy = text in field.words, one_of(text, field.words)
    if not known:
        notes.fault(node, f"{text!r} is not a word of {field.name}.", remedy)
        return None
    return _YES_NO[text] if field.type is FieldType.FLAG else text


def _predicate(key: Scalar, node: Node, notes: Notes, may_name_accounts: bool) -> Predicate | None:
    name, _, asked = key.text.partition("|")
    field = field_of(key, name, notes)
    if field is None or not _may_be_asked(key, field, asked, notes, may_name_accounts):
        return None
    modifier = Modifier(asked or Modifier.EQUALS)
    if modifier is Modifier.EXISTS:
        return _exists(node, field, notes)
    items = node.items if isinstance(node, Items) else (node,)
    if not 1 <= len(items) <= MOST_VALUES:
        notes.fault(node, f"The list has not 1 to {MOST_VALUES} values.", "Shorten or fill it.")
        return None
    read = [operand_of(item, field, modifier, notes) for item in items]
    operands = tuple(each for each in read if each is not None)
    if len(operands) < len(items):
        return None
    return _ordered(key, node, Predicate(field, modifier, operands), notes)


def _may_be_asked(
    key: Scalar, field: Field, asked: str, notes: Notes, may_name_accounts: bool
) -> bool:
    """Whether the field takes the modifier; persons and customers never take a value."""
    name = field.name
    if asked and asked not in set(Modifier) - {Modifier.EQUALS}:
        written = field.modifiers - {Modifier.EQUALS}
        notes.fault(key, f"There is no modifier {asked!r}.", one_of(asked, written))
        return False
    modifier = Modifier(asked or Modifier.EQUALS)
    if field.type is FieldType.ACCOUNT and modifier is Modifier.EQUALS and not may_name_accounts:
        notes.fault(
            key, f"A shared rule holds no value of {name}.", "Name customers in a filter instead."
        )
        return False
    if modifier in field.modifiers:
        return True
    what = f"takes no {modifier}" if asked else "takes no value of its own"
    if field.type is FieldType.PERSON:
        remedy = (
            f"A rule names no person: use '{name}|exists', group by it, or count how many "
            "differ; persons are matched by token."
        )
    else:
        allowed = sorted(each for each in field.modifiers if each is not Modifier.EQUALS)
        remedy = f"Use {' or '.join(f'{name}|{each}' for each in allowed)}."
    notes.fault(key, f"{name} {what}.", remedy)
    return False


def _exists(node: Node, field: Field, notes: Notes) -> Predicate | None:
    text = node.text if isinstance(node, Scalar) else ""
    if text in _YES_NO:
        return Predicate(field, Modifier.EXISTS, (_YES_NO[text],))
    notes.fault(node, "exists is not yes or no.", "Write yes or no.")
    return None


def _ordered(key: Scalar, node: Node, found: Predicate, notes: Notes) -> Predicate | None:
    if found.modifier is Modifier.BETWEEN:
        bounds = [each for each in found.operands if isinstance(each, int)]
        if len(bounds) != _TWO or bounds[0] > bounds[1]:
            notes.fault(node, "between has not two bounds, the lower first.", "Write [100, 500].")
            return None
    elif found.modifier in _HAVING_ORDER and len(found.operands) > 1:
        notes.fault(key, f"{found.modifier} takes one number.", "Write one number.")
        return None
    return found


def _number(node: Scalar, text: str, field: Field, notes: Notes) -> int | None:
    try:
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
    except (
        InvalidOperation
    ):  # pragma: no cover - the expression allows nothing that Decimal refuses
        number = None
    if number is None:
        notes.fault(
            node, f"{text!r} is not a number.", f"Write digits, without a unit; {_unit(field)}."
        )
        return None
    if (field.least is not None and number < field.least) or (
        field.most is not None and number > field.most
    ):
        notes.fault(
            node,
            f"{text} is no possible {field.name}.",
            f"Write a number from {field.least} to {field.most}; {_unit(field)}.",
        )
        return None
    kept = field.scaled(number)
    if kept is None:
        notes.fault(
            node,
            f"{text} has too many decimals.",
            f"{field.name} has {field.scale or 'no'} decimals.",
        )
    return kept


def _unit(field: Field) -> str:
    return f"{field.name} is in {field.unit}" if field.unit else f"{field.name} has no unit"


def _words(node: Scalar, text: str, notes: Notes) -> str | None:
    folded = folded_operand(text)
    if len(folded) < _LEAST_WORD:
        notes.fault(
            node,
            f"{text!r} leaves fewer than {_LEAST_WORD} letters after folding.",
            "Write a word of letters and digits.",
        )
        return None
    return folded


def _code(node: Scalar, text: str, field: Field, modifier: Modifier, notes: Notes) -> str | None:
    if field.name == "hs_code":
        digits = text.replace(".", "").replace(" ", "")
        if _HS.fullmatch(digits) and (modifier is Modifier.STARTSWITH or len(digits) >= _SIX):
            return digits
        notes.fault(
            node,
            f"{text!r} is not an HS code.",
            "Write 6 or more digits, or hs_code|startswith with 2 or more.",
        )
        return None
    code = text.upper()
    if _CODE.fullmatch(code):
        return code
    notes.fault(
        node, f"{text!r} is not a code.", "Write letters, digits, and . _ / - between them."
    )
    return None


def _by(node: Entries, notes: Notes) -> tuple[Field, ...]:
    listed = node.get("by")
    items: Sequence[Node] = listed.items if isinstance(listed, Items) else ()
    if not 1 <= len(items) <= _MOST_FIELDS:
        notes.fault(
            listed or node,
            f"by is not a list of 1 to {_MOST_FIELDS} fields.",
            "Write by: [origin_country, sender].",
        )
        return ()
    found = []
    for item in items:
        name = item.text if isinstance(item, Scalar) else ""
        field = field_of(item, name, notes)
        if field is None:
            continue
        if not field.is_groupable:
            notes.fault(
                item, f"Parcels cannot be grouped by {name}.", "Use a field of another type."
            )
        elif field in found:
            notes.fault(item, f"{name} stands in by twice.", "Remove one.")
        else:
            found.append(field)
    return tuple(found) if len(found) == len(items) else ()


def _within(node: Entries, notes: Notes) -> int:
    listed = node.get("within")
    text = listed.text if isinstance(listed, Scalar) else ""
    read = _DAYS.fullmatch(text)
    if read and 1 <= int(read[1]) <= MOST_DAYS:
        return int(read[1])
    notes.fault(
        listed or node,
        f"within is not 1d to {MOST_DAYS}d.",
        "Write a number of calendar days and d, such as 7d.",
    )
    return 0


def _having(key: Scalar, node: Node, notes: Notes) -> Having | None:
    parts = key.text.split("|")
    field: Field | None = None
    if parts[0] == Measure.COUNT:
        measure, asked = Measure.COUNT, parts[1:]
    else:
        field = field_of(key, parts[0], notes)
        if field is None:
            return None
        named = parts[1] if len(parts) > 1 else ""
        if named not in field.measures:
            notes.fault(
                key, f"{field.name} has no measure {named!r}.", one_of(named, field.measures)
            )
            return None
        measure, asked = Measure(named), parts[2:]
    if len(asked) != 1 or asked[0] not in _HAVING_ORDER:
        notes.fault(
            key,
            f"{key.text!r} does not say how it is compared.",
            "End with |gte, |gt, |lte or |lt.",
        )
        return None
    if field is not None and field.type is FieldType.NUMBER:
        text = node.text.strip() if isinstance(node, Scalar) else ""
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
        threshold = field.scaled(number) if number is not None else None
        if threshold is None:
            notes.fault(node, f"{text!r} is not a number of {field.name}.", f"{_unit(field)}.")
            return None
    else:
        whole = notes.number(node, key.text, least=1, most=1_000_000)
        if whole is None:
            return None
        threshold = whole
    return Having(measure, field, Modifier(asked[0]), threshold)
