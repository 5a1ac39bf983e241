"""Reading a policy text: one policy at a time, so that a fault names the policy and its line.

Cedar's own messages carry neither. A text that is read here is valid against the schema, and every
policy in it has an `@id` by which decisions name it and a `@label` that says it in words.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import cedarpy

from app.errors import PosternError
from postern.normalise.countries import country_code
from postern.vocabulary import (
    Assertion,
    Handling,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Tlp,
)

DIRECTORY = Path(__file__).parent.parent.parent / "policies"
SCHEMA_FILE = DIRECTORY / "schema.cedarschema"
PLATFORM_FILE = DIRECTORY / "platform.cedar"

PLATFORM_PREFIX = "platform/"
LONGEST_TEXT = 131_072  # characters

CLOSED_LISTS: dict[str, type[StrEnum]] = {
    kind.__name__: kind
    for kind in (
        Sector,
        Role,
        Kind,
        PartyRole,
        Purpose,
        LegalBasis,
        Tlp,
        Handling,
        SourceGrade,
        Assertion,
        PermittedAction,
    )
}
"""The schema's enumerated entity types, by name."""

_ID = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")
_ID_IN_TEXT = re.compile(r'@id\(\s*"([^"\\]{1,64})"\s*\)')
_FOR_POLICY = re.compile(r"^for policy `[^`]*`[:,] ")
_FOR_ACTION = re.compile(r" for Action::\"\w+\"")
_ENUMERATED = re.compile(r'entity `(\w+)::"')
_LONGEST_LABEL = 200


@dataclass(frozen=True)
class Fault:
    """What is wrong with one policy: its `@id` (or its place), its first line, what to do."""

    policy: str
    line: int
    reason: str
    remedy: str


class PolicyRefusedError(PosternError):
    """A policy text that cannot take effect; `errors` lists every fault."""

    status = 422
    code = "policy-refused"
    title = "The policy text cannot take effect"
    remedy = "Correct the policies listed in errors; nothing has changed meanwhile."

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(errors=[asdict(fault) for fault in self.faults])


@dataclass(frozen=True)
class Policy:
    """One valid policy; `tree` is Cedar's JSON form of it."""

    id: str
    label: str
    line: int
    tree: dict[str, Any]

    def attributes(self) -> frozenset[str]:
        """The names of all attributes that it asks for, of whatever entity."""
        return frozenset(
            node["attr"] for node in _nodes(self.tree) if isinstance(node.get("attr"), str)
        )

    def entities(self) -> frozenset[tuple[str, str]]:
        """(type, id) of every entity that it names."""
        return frozenset(
            (node["type"], node["id"])
            for node in _nodes(self.tree)
            if node.keys() == {"type", "id"} and isinstance(node["type"], str)
        )


def read(text: str) -> list[Policy]:
    """The policies of an owner's text, in its order; PolicyRefusedError lists every fault.

    An empty text is valid: it shares nothing.
    """
    return _read(text, is_platform=False)


@cache
def platform_policies() -> tuple[Policy, ...]:
    """The rules below every owner's; PolicyRefusedError when the file is damaged."""
    return tuple(_read(PLATFORM_FILE.read_text("utf-8"), is_platform=True))


@cache
def schema() -> cedarpy.Schema:
    """The parsed schema; ValueError when the file is damaged."""
    return cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))


def _read(text: str, *, is_platform: bool) -> list[Policy]:
    if len(text) > LONGEST_TEXT:
        raise PolicyRefusedError(
            [Fault("text", 1, f"it is longer than {LONGEST_TEXT} characters", "Shorten it.")]
        )
    policies: list[Policy] = []
    faults: list[Fault] = []
    for place, (line, source) in enumerate(_split(text), 1):
        named = _ID_IN_TEXT.search(source)
        name = named.group(1) if named else f"policy {place}"
        found = _parse(source)
        if isinstance(found, str):
            faults.append(Fault(name, line, found, _syntax_remedy(source)))
            continue
        policy = Policy(*_annotated(found), line, found)
        taken = {other.id for other in policies}
        complaints = [*_naming_faults(policy, taken, is_platform), *_meaning_faults(policy, source)]
        faults += [Fault(name, line, reason, remedy) for reason, remedy in complaints]
        policies.append(policy)
    if faults:
        raise PolicyRefusedError(faults)
    return policies


def _split(text: str) -> Iterator[tuple[int, str]]:
    """(line, source) of each policy: up to a semicolon outside of strings and comments."""
    start: int | None = None
    is_string = is_comment = is_escaped = False
    for place, character in enumerate(text):
        if is_comment:
            is_comment = character != "\n"
        elif is_string:
            is_string = is_escaped or character != '"'
            is_escaped = character == "\\" and not is_escaped
        elif text.startswith("//", place):
            is_comment = True
        elif not character.isspace():
            start = place if start is None else start
            is_string = character == '"'
            if character == ";":
                yield text.count("\n", 0, start) + 1, text[start : place + 1]
                start = None
    if start is not None:
        yield text.count("\n", 0, start) + 1, text[start:]


def _parse(source: str) -> dict[str, Any] | str:
    """Cedar's JSON form of one policy, or what is wrong."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(source))
    except ValueError as error:
        return str(error)
    if document["templates"]:
        return "it has a slot such as ?principal, which nothing here would fill"
    tree: dict[str, Any] = document["staticPolicies"]["policy0"]
    return tree


def _syntax_remedy(source: str) -> str:
    if "/*" in source:
        return "Write comments as // to the end of the line; Cedar knows no /* */."
    if "?" in source:
        return "Name the principal or the resource in a condition instead of a slot."
    if not source.rstrip().endswith(";"):
        return "End the policy with a semicolon, and close every quotation mark and bracket."
    return "Correct the syntax; docs/policies.md shows every form with an example."


def _annotated(tree: dict[str, Any]) -> tuple[str, str]:
    annotations = tree.get("annotations", {})
    return annotations.get("id") or "", annotations.get("label") or ""


def _naming_faults(policy: Policy, taken: set[str], is_platform: bool) -> Iterator[tuple[str, str]]:
    if not _ID.fullmatch(policy.id):
        yield (
            "it has no usable @id",
            'Write @id("your-code/short-name") above it: lower case, digits and . _ / -',
        )
    elif policy.id in taken:
        yield "another policy of this text has the same @id", "Give each policy its own @id."
    elif policy.id.startswith(PLATFORM_PREFIX) != is_platform:
        yield (
            f"an @id that begins with {PLATFORM_PREFIX} belongs to the platform's rules",
            "Begin the @id with your organisation's code.",
        )
    if not 0 < len(policy.label) <= _LONGEST_LABEL:
        yield (
            "it has no @label",
            'Write @label("...") above it: one sentence that tells a reader whom it lets do what.',
        )


def _meaning_faults(policy: Policy, source: str) -> Iterator[tuple[str, str]]:
    errors = cedarpy.validate_policies(source, schema()).errors
    # Cedar repeats a fault for every action; one line is enough.
    for reason in dict.fromkeys(_FOR_ACTION.sub("", _FOR_POLICY.sub("", e.error)) for e in errors):
        yield reason, _schema_remedy(reason)
    for kind, name in sorted(policy.entities()):
        if kind in {"Seat", "ShareClass"}:
            yield (
                f"it names one {kind} by its id",
                "Say by attributes what it is about, such as resource.kind or principal.role.",
            )
        elif kind == "Country" and (country_code(name) != (name.lower(), []) or name.islower()):
            yield (
                f'Country::"{name}" is not a country',
                'Use ISO 3166-1 codes of two capital letters, such as Country::"NL".',
            )


def _schema_remedy(reason: str) -> str:
    enumerated = _ENUMERATED.search(reason)
    if enumerated and enumerated.group(1) in CLOSED_LISTS:
        words = ", ".join(word.value for word in CLOSED_LISTS[enumerated.group(1)])
        return f"Use one of: {words}."
    if " action" in reason:
        return 'Use Action::"presence", Action::"metadata" or Action::"request".'
    return "Use the names of policies/schema.cedarschema, which docs/policies.md explains."


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for inner in tree.values():
            yield from _nodes(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _nodes(inner)
