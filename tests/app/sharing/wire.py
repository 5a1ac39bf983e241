"""What the room's schemas promise to whoever sends or reads: one line for each field.

`python -m tests.app.sharing.wire > tests/data/sharing-wire.txt` writes the promises anew, for the
reviewer of a change to read.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, fields, missing, validate

from app.sharing import draft_schemas, rule_schemas, schemas, simulation_schemas

MODULES = (rule_schemas, schemas, draft_schemas, simulation_schemas)


def described() -> str:
    """Each schema by name, with whatever makes a difference on the wire but the words."""
    return "\n".join(line for each in every_schema() for line in _of_schema(each))


def every_schema() -> Iterator[type[Schema]]:
    """The schemas of the room, in the order in which they stand."""
    for module in MODULES:
        for each in vars(module).values():
            is_schema = isinstance(each, type) and issubclass(each, Schema)
            if is_schema and each.__module__ == module.__name__:
                yield each


def _of_schema(schema: type[Schema]) -> Iterator[str]:
    made = schema()
    yield f"{schema.__name__}: unknown fields {made.unknown}"
    for name, field in made.fields.items():
        yield f"  {name}: {', '.join(_of_field(field))}"
    yield ""


def _of_field(field: fields.Field[Any]) -> Iterator[str]:
    yield type(field).__name__ + _made_of(field)
    for setting, usual in (
        ("attribute", None),
        ("data_key", None),
        ("required", False),
        ("allow_none", False),
        ("load_only", False),
        ("dump_only", False),
        ("strict", False),
        ("format", None),
        ("dump_default", missing),
        ("load_default", missing),
    ):
        found = getattr(field, setting, usual)
        if found is not usual and not (setting == "load_default" and found is None):
            yield f"{setting}={found!r}"
    if field.load_default is None:
        yield "null when left out"
    yield from _of_validators(field.validators)
    yield from (f"{key}={told!r}" for key, told in field.metadata.items() if key != "description")


def _made_of(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f" of {' '.join(_of_field(field.inner))}"
    if isinstance(field, fields.Nested):
        return f" {type(field.schema).__name__}"
    if isinstance(field, fields.Enum):
        words = "|".join(f"{each.value}" for each in field.enum)
        return f" {field.enum.__name__} {'by value' if field.by_value else 'by name'}: {words}"
    if isinstance(field, fields.Boolean) and field.truthy != fields.Boolean.truthy:
        return f" {field.truthy} or {field.falsy}"
    return ""


def _of_validators(validators: Iterable[object]) -> Iterator[str]:
    for each in validators:
        match each:
            case validate.Length() | validate.Range():
                yield f"{type(each).__name__.lower()} {each.min} to {each.max}"
            case validate.OneOf():
                yield f"one of {list(each.choices)}"
            case validate.Regexp():
                yield f"like {each.regex.pattern!s}: {each.error}"
            case _:
                yield getattr(each, "__name__", repr(each))


if __name__ == "__main__":
    sys.stdout.write(described())
