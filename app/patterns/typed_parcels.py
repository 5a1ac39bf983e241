"""Parcels typed into a form, to try a rule on: read, shown again, begun from a rule's own tests.

The fields shown are those that the rule speaks of, those that hold something, and those that were
asked for. Nothing is kept, and persons are letters: no form of the platform takes a name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from postern.patterns.derived import with_derived
from postern.patterns.examples import POSTED_DAY
from postern.patterns.fields import FIELDS, FieldType
from postern.patterns.model import Operand, Row, Rule
from postern.patterns.words import Words, words

MOST_PARCELS = 20
LONGEST_VALUE = 200  # characters
POSTED_ON = "posted_on"
TIMES = "times"

_NAME = re.compile(r"parcel-([0-9]{1,2})-([a-z_]{1,40})", re.ASCII)
_EPOCH = date(1970, 1, 1)
_PERSONS = frozenset({FieldType.PERSON, FieldType.ACCOUNT})
_EACH = "each"

Parcel = dict[str, str]


@dataclass(frozen=True)
class ShownField:
    """A field of the form: how it is called, what it takes, and the words of a closed list."""

    name: str
    label: str
    type: str  # a FieldType, or `day` and `count`
    unit: str = ""
    words: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class TypedParcels:
    """What was typed; `also` are fields that were asked for beside those of the rule."""

    parcels: Sequence[Parcel] = ()
    also: Sequence[str] = ()


def read(form: MultiDict[str, str]) -> TypedParcels:
    """The parcels of a form; other names, and parcels beyond the most, are ignored."""
    found: dict[int, Parcel] = {}
    for key, text in form.items():
        named = _NAME.fullmatch(key)
        if named and named[2] in _KNOWN and int(named[1]) < MOST_PARCELS:
            parcel = found.setdefault(int(named[1]), {})
            if text.strip():
                parcel[named[2]] = text.strip()[:LONGEST_VALUE]
    also = [name for name in form.getlist("also") if name in _KNOWN]
    return TypedParcels([found[number] for number in sorted(found)], list(dict.fromkeys(also)))


def after_step(typed: TypedParcels, step: str, about: str, rule: Rule | None) -> TypedParcels:
    """The parcels after one was added or taken out, a field was asked for, or a test was chosen.

    A new parcel is like the last one. Any other step changes nothing.
    """
    parcels = list(typed.parcels)
    if step == "add" and len(parcels) < MOST_PARCELS:
        parcels.append(dict(parcels[-1]) if parcels else {})
    elif step == "take" and about.isdecimal() and int(about) < len(parcels):
        del parcels[int(about)]
    elif step == "field" and about in _KNOWN:
        return TypedParcels(parcels or [{}], list(dict.fromkeys([*typed.also, about])))
    elif step == "example" and rule is not None:
        chosen = [each for each in rule.examples if about == str(each.line)]
        if chosen:
            parcels = of_rows(chosen[0].rows, mentioned(rule))
    return TypedParcels(parcels, typed.also)


def shown_fields(typed: TypedParcels, rule: Rule | None, language: str) -> list[ShownField]:
    """The fields to show, in the order of the rule; how many alike and the day stand last."""
    filled = [name for parcel in typed.parcels for name in parcel]
    names = [*(mentioned(rule) if rule else ()), *filled, *typed.also]
    spoken = words(language)
    shown = [_shown(name, spoken) for name in dict.fromkeys(names) if name in FIELDS]
    day = ShownField(POSTED_ON, gettext("day of posting"), "day")
    return [*shown, day, ShownField(TIMES, gettext("how many alike"), "count")]


def offered_fields(shown: Iterable[ShownField], language: str) -> list[ShownField]:
    """The fields that can still be asked for, by their names in the language."""
    there = {each.name for each in shown}
    spoken = words(language)
    others = [_shown(name, spoken) for name in FIELDS if name not in there]
    return sorted(others, key=lambda each: each.label.casefold())


def mentioned(rule: Rule) -> list[str]:
    """The fields that a rule speaks of, each once, in its order."""
    return list(dict.fromkeys(_mentioned(rule)))


def of_rows(rows: Sequence[Row], named: Sequence[str]) -> list[Parcel]:
    """Parcels as they would be typed for these rows; alike ones that follow each other are one."""
    typed = [_typed(row, named) for row in rows]
    found: list[Parcel] = []
    for parcel, alike in groupby(typed):
        times = len(list(alike))
        found.append({**parcel, TIMES: str(times)} if times > 1 else dict(parcel))
    return found[:MOST_PARCELS]


def _mentioned(rule: Rule) -> Iterator[str]:
    for selection in rule.selections:
        for predicate in selection.predicates:
            yield predicate.field.name
    if rule.aggregate is not None:
        yield from (field.name for field in rule.aggregate.by)
        yield from (each.field.name for each in rule.aggregate.having if each.field)


def _shown(name: str, spoken: Words) -> ShownField:
    field = FIELDS[name]
    values: Sequence[tuple[str, str]] = [(word, spoken.values[word]) for word in field.words]
    if field.type is FieldType.FLAG:
        values = [(word, spoken.phrases[word]) for word in ("yes", "no")]
    kind = FieldType.PERSON if field.type in _PERSONS else field.type
    return ShownField(name, spoken.fields[name], kind.value, field.unit, values)


def _typed(row: Row, named: Sequence[str]) -> Parcel:
    """What follows from other fields is left out, unless only it says what it says."""
    given = {name: value for name, value in row.items() if name in FIELDS and value is not None}
    plain = {name: value for name, value in given.items() if not FIELDS[name].is_derived}
    following = with_derived({**plain, POSTED_DAY: row.get(POSTED_DAY)})
    kept = {
        name: value
        for name, value in given.items()
        if name in plain or following.get(name) != value or name in _NEVER_COMPUTED
    }
    ordered = [*(name for name in named if name in kept), *(n for n in kept if n not in named)]
    parcel = {name: _text(name, kept[name]) for name in ordered}
    day = row.get(POSTED_DAY)
    if day is not None:
        parcel[POSTED_ON] = (_EPOCH + timedelta(days=int(day))).isoformat()
    return parcel


def _text(name: str, value: Operand) -> str:
    field = FIELDS[name]
    if field.type is FieldType.FLAG:
        return "yes" if value else "no"
    if field.type is FieldType.NUMBER:
        return str(field.unscaled(int(value)))
    text = str(value).strip()
    return _EACH if field.type in _PERSONS and text.startswith(f"{_EACH} ") else text


_NEVER_COMPUTED = frozenset({"sender", "addressee"})
"""Derived when a manifest is read, and typed as they are in tests."""

_KNOWN: Mapping[str, None] = dict.fromkeys([*FIELDS, POSTED_ON, TIMES])
