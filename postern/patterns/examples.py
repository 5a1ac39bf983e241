"""A rule's own tests: parcels that must hit and parcels that must not; and parcels to try it on."""

from collections.abc import Iterator, Sequence
from datetime import date

from postern.patterns.contents import folded_contents
from postern.patterns.derived import with_derived
from postern.patterns.detection import field_of, operand_of
from postern.patterns.errors import PatternFault
from postern.patterns.fields import FieldType, Modifier
from postern.patterns.model import Example, Operand, Row
from postern.yaml_documents.notes import Notes
from postern.yaml_documents.source import Entries, Items, Node, Scalar

POSTED_DAY = "posted_day"
_EPOCH = date(1970, 1, 1)
_MOST_EXAMPLES = 40
_MOST_ROWS = 200
_MOST_TIMES = 100
_LABEL = 12  # characters of what stands for a person
_EACH = "each"


def read_examples(rule: Entries, notes: Notes) -> tuple[Example, ...]:
    """The examples under `tests`: at least one of `hit` and one of `miss`."""
    tests = notes.entries(rule, "tests")
    if tests is None:
        return ()
    notes.only(tests, ("hit", "miss"))
    found: list[Example] = []
    for name, must_hit in (("hit", True), ("miss", False)):
        listed = tests.get(name)
        if not isinstance(listed, Items) or not 1 <= len(listed.items) <= _MOST_EXAMPLES:
            notes.fault(
                listed or tests,
                f"{name} has not 1 to {_MOST_EXAMPLES} examples.",
                "Write a list of parcels, or of lists of parcels.",
            )
            continue
        for item in listed.items:
            rows = tuple(row for _place, row in _rows(item, notes))
            if len(rows) > _MOST_ROWS:
                notes.fault(item, f"It has more than {_MOST_ROWS} parcels.", "Use fewer.")
            found.append(Example(rows, must_hit, item.line))
    return tuple(found)


def typed_parcels(
    parcels: Sequence[Sequence[tuple[str, str]]],
) -> tuple[list[tuple[int, Row]], list[PatternFault]]:
    """Parcels that somebody typed, each as (name of the field, text): the rows, and what is wrong.

    Each row has the place of its parcel, from 0; one that is repeated makes several. They are read
    as those of a rule's own tests are. Of a fault, `line` is the parcel's number and `column` that
    of the field in it, both from 1.
    """
    notes = Notes()
    nodes = [
        Entries(
            tuple(
                (Scalar(name, line, column), Scalar(text, line, column))
                for column, (name, text) in enumerate(parcel, 1)
            ),
            line,
            1,
        )
        for line, parcel in enumerate(parcels, 1)
    ]
    rows = list(_rows(Items(tuple(nodes), 1, 1), notes))
    if len(rows) > _MOST_ROWS:
        notes.fault(nodes[-1], f"It has more than {_MOST_ROWS} parcels.", "Use fewer.")
    return rows, notes.faults


def _rows(item: Node, notes: Notes) -> Iterator[tuple[int, Row]]:
    parcels = item.items if isinstance(item, Items) else (item,)
    count = 0
    for place, parcel in enumerate(parcels):
        if not isinstance(parcel, Entries):
            notes.fault(parcel, "A parcel is not a map.", "Write {field: value, ...}.")
            continue
        times = parcel.get("times")
        repeated = 1 if times is None else notes.number(times, "times", least=1, most=_MOST_TIMES)
        for _ in range(repeated or 0):
            count += 1
            before = len(notes.faults)
            yield place, _row(parcel, count, notes)
            if len(notes.faults) > before:
                break  # each repetition would tell the same


def _row(parcel: Entries, number: int, notes: Notes) -> Row:
    row: dict[str, Operand | None] = {POSTED_DAY: _DEFAULT_DAY}
    for key, node in parcel.pairs:
        if key.text == "times":
            continue
        if key.text == "posted_on":
            row[POSTED_DAY] = _day(node, notes)
            continue
        field = field_of(key, key.text, notes)
        if field is None:
            continue
        if field.type in {FieldType.PERSON, FieldType.ACCOUNT}:
            row[key.text] = _label(node, number, notes)
        elif field.type is FieldType.TEXT:
            text = node.text if isinstance(node, Scalar) else ""
            row[key.text] = folded_contents(text)
        elif field.type is FieldType.CODE:
            row[key.text] = operand_of(node, field, Modifier.STARTSWITH, notes)
        else:
            row[key.text] = operand_of(node, field, Modifier.EQUALS, notes)
    return with_derived(row)


def _day(node: Node, notes: Notes) -> int | None:
    try:
        return day_number(date.fromisoformat(node.text if isinstance(node, Scalar) else ""))
    except ValueError:
        notes.fault(node, "posted_on is not a day.", "Write it as 2026-11-25.")
        return None


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def _label(node: Node, number: int, notes: Notes) -> str | None:
    """What stands for a person: a letter or a short mark, or a new one for each parcel."""
    text = node.text if isinstance(node, Scalar) else ""
    if text == _EACH:
        return f"each {number}"
    if 1 <= len(text) <= _LABEL and text.isascii() and text.isalnum() and text[0].isupper():
        return text
    notes.fault(
        node,
        "An example holds no data of persons.",
        "Write A, B, C for different persons, or each for another one in every parcel.",
    )
    return None


_DEFAULT_DAY = day_number(date(2026, 1, 1))
