"""Reading a policy text: one policy at a time, so that a fault names the policy and its line.

Cedar's own messages carry neither. A text that is read here is valid against the schema, and every
policy in it has an `@id` by which decisions name it and a `@label` that says it in words. Cedar's
parser runs out of stack on a text that is nested deeply, and takes the process with it: what is too
intricate is refused before Cedar reads it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cedarpy

from app.errors import PosternError
from postern.normalise.countries import country_code
from postern.vocabulary import (
    Action,
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
    Substance,
    Tlp,
)

DIRECTORY = Path(__file__).parent.parent.parent / "policies"
SCHEMA_FILE = DIRECTORY / "schema.cedarschema"
PLATFORM_FILE = DIRECTORY / "platform.cedar"

PLATFORM_PREFIX = "platform/"
LONGEST_TEXT = 131_072  # characters
MOST_POLICIES = 200  # in one text
LONGEST_POLICY = 16_384  # characters
DEEPEST_NESTING = 20  # brackets within brackets
MOST_OPERATORS = 200  # in one policy; Cedar and JSON nest a chain of them one within the other
MOST_FAULTS = 100  # told of one text

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
        Substance,
    )
}
"""The schema's enumerated entity types, by name."""

NUMBERS: dict[str, tuple[int, int]] = {
    "informationGrade": (1, 4),
    "barrierStep": (0, 7),
    "ageBand": (0, 4),
}
"""Lowest and highest value of each number that a policy can ask for."""

ACTIONS: dict[Action, str] = {
    Action.PRESENCE: "learn that something is known",
    Action.METADATA: "see it without the clear text",
    Action.REQUEST: "ask for the clear text",
    Action.SCREEN: "match it against parcels",
    Action.FEED: "have it in lists, counts, exports and feeds",
    Action.TELL_OWNER: "have the owner told of the hit too",
    Action.ALERT_OWNER: "have the owner alone told of the hit",
    Action.ONWARD: "pass it on to a third organisation",
}
"""What each action is for, as remedies say it."""

_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}

_ID = re.compile(r"[a-z0-9][a-z0-9._/-]{0,95}")
_ID_IN_TEXT = re.compile(r'@id\(\s*"([^"\\]{1,96})"\s*\)')
_FOR_POLICY = re.compile(r"^for policy `[^`]*`[:,] ")
_FOR_ACTION = re.compile(r" for Action::\"\w+\"")
_NO_ACTION = "unable to find an applicable action"
_ENUMERATED = re.compile(r'entity `(\w+)::"(.*)"` is of an enumerated')
_ATTRIBUTE = re.compile(r"attribute `(\w+)` (?:on entity type `(\w+)`|in (context))")
_ENTITY_TYPE = re.compile(r"unrecognized entity type `([^`]*)`")
_ACTION = re.compile(r'unrecognized action `Action::"(.*)"`')
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*(?:"|\\?\Z))
      | (?P<opening>[(\[{])
      | (?P<closing>[)\]}])
      | (?P<operator>&&|\|\||[-+*.!]|\b(?:if|in|has|like|is|when|unless)\b)
      | (?P<end>;)
      | (?P<word>\w+)
      | (?P<space>\s+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST_LABEL = 200

_VARIABLES = {
    "principal": r"entity Seat in \[Organisation\] \{(.*?)\}",
    "resource": r"entity ShareClass \{(.*?)\}",
    "context": r"action onward .*?context: \{(.*?)\}",
}
"""Where the schema describes what a policy can ask."""

_VARIABLE_OF = {"Seat": "principal", "ShareClass": "resource", "context": "context"}


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

    @property
    def permits(self) -> bool:
        """Whether it permits; else it forbids."""
        return bool(self.tree["effect"] == "permit")

    def actions(self) -> frozenset[Action]:
        """The actions that its scope names; all when it names none."""
        scope = self.tree["action"]
        if scope["op"] == "All":
            return frozenset(Action)
        named = scope["entities"] if "entities" in scope else [scope["entity"]]
        return frozenset(Action(each["id"]) for each in named)

    def attributes(self) -> frozenset[str]:
        """The names of all attributes that it asks for, of whatever entity."""
        return self._attributes

    def entities(self) -> frozenset[tuple[str, str]]:
        """(type, id) of every entity that it names."""
        return self._entities

    @cached_property
    def _attributes(self) -> frozenset[str]:
        return frozenset(
            node["attr"] for node in nodes(self.tree) if isinstance(node.get("attr"), str)
        )

    @cached_property
    def _entities(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (node["type"], node["id"])
            for node in nodes(self.tree)
            if node.keys() == {"type", "id"} and isinstance(node["type"], str)
        )


def read(text: str) -> list[Policy]:
    """The policies of an owner's text, in its order; PolicyRefusedError lists every fault.

    An empty text is valid: it shares nothing.
    """
    return _read(text, is_platform=False)


def still_valid(text: str) -> tuple[Policy, ...]:
    """The policies of a stored text; none when the present schema no longer accepts it."""
    try:
        return tuple(read(text))
    except PolicyRefusedError:
        return ()


@cache
def platform_policies() -> tuple[Policy, ...]:
    """The rules below every owner's; PolicyRefusedError when the file is damaged."""
    return tuple(_read(PLATFORM_FILE.read_text("utf-8"), is_platform=True))


@cache
def schema() -> cedarpy.Schema:
    """The parsed schema; ValueError when the file is damaged."""
    return cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))


@cache
def schema_attributes() -> dict[str, dict[str, str]]:
    """The type of each attribute of `principal`, `resource` and `context`, as the schema has it."""
    text = re.sub(r"//.*", "", SCHEMA_FILE.read_text("utf-8"))
    found = {}
    for variable, block in _VARIABLES.items():
        (inside,) = re.findall(block, text, re.DOTALL)
        found[variable] = dict(re.findall(r"(\w+): (\w+)", inside))
    return found


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of Cedar's JSON form, in no particular order."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _read(text: str, *, is_platform: bool) -> list[Policy]:
    if len(text) > LONGEST_TEXT:
        raise PolicyRefusedError(
            [Fault("text", 1, f"it is longer than {LONGEST_TEXT} characters", "Shorten it.")]
        )
    sources = list(_split(text))
    if len(sources) > MOST_POLICIES:
        line = sources[MOST_POLICIES].line
        raise PolicyRefusedError(
            [
                Fault(
                    "text",
                    line,
                    f"it has more than {MOST_POLICIES} policies",
                    "Join those that differ in one word: a list such as"
                    " [...].contains(principal.sector) says several at once.",
                )
            ]
        )
    policies: list[Policy] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    for place, source in enumerate(sources, 1):
        named = _ID_IN_TEXT.search(source.text)
        name = named.group(1) if named else f"policy {place}"
        found = _too_intricate(source) or _parse(source.text)
        if isinstance(found, tuple):
            faults.append(Fault(name, source.line, *found))
            continue
        policy = Policy(*_annotated(found), source.line, found)
        complaints = [
            *_naming_faults(policy, taken, is_platform),
            *_meaning_faults(policy, source.text),
        ]
        faults += [Fault(name, source.line, reason, remedy) for reason, remedy in complaints]
        policies.append(policy)
        taken.add(policy.id)
    if faults:
        raise PolicyRefusedError(faults[:MOST_FAULTS])
    return policies


@dataclass
class _Source:
    """The text of one policy, with what is counted before Cedar sees it."""

    line: int
    text: str
    nesting: int
    operators: int


def _split(text: str) -> Iterator[_Source]:
    """Each policy: up to a semicolon outside of strings and comments."""
    start: int | None = None
    line = lines_seen = depth = nesting = operators = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind in {"comment", "space"}:
            continue
        if start is None:
            line += text.count("\n", lines_seen, token.start())
            start = lines_seen = token.start()
            depth = nesting = operators = 0
        if kind == "opening":
            depth += 1
            nesting = max(nesting, depth)
        elif kind == "closing":
            depth -= 1
        elif kind == "operator":
            operators += 1
        elif kind == "end":
            yield _Source(line + 1, text[start : token.end()], nesting, operators)
            start = None
    if start is not None:
        yield _Source(line + 1, text[start:], nesting, operators)


def _too_intricate(source: _Source) -> tuple[str, str] | None:
    """(reason, remedy) for a policy that Cedar is not given to read."""
    if len(source.text) > LONGEST_POLICY:
        return f"it is longer than {LONGEST_POLICY} characters", "Make several policies of it."
    if source.nesting > DEEPEST_NESTING:
        return (
            f"its brackets are nested more than {DEEPEST_NESTING} deep",
            "Remove the brackets that change nothing, or make several policies of it.",
        )
    if source.operators > MOST_OPERATORS:
        return (
            f"it has more than {MOST_OPERATORS} operators",
            "Use a list such as [...].contains(principal.sector) in the place of a chain of ||,"
            " or make several policies of it.",
        )
    return None


def _parse(source: str) -> dict[str, Any] | tuple[str, str]:
    """Cedar's JSON form of one policy, or (reason, remedy)."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(source))
    except ValueError as error:
        return str(error), _syntax_remedy(source)
    if document["templates"]:
        return (
            "it has a slot such as ?principal, which nothing here would fill",
            _syntax_remedy(source),
        )
    tree: dict[str, Any] = document["staticPolicies"]["policy0"]
    return tree


def _syntax_remedy(source: str) -> str:
    if "/*" in source:
        return "Write comments as // to the end of the line; Cedar knows no /* */."
    if "?" in source:
        return "Name the principal or the resource in a condition instead of a slot."
    if not source.endswith(";"):
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
            f"it has no @label, or one of more than {_LONGEST_LABEL} characters",
            'Write @label("...") above it: one sentence that tells a reader whom it lets do what.',
        )


def _meaning_faults(policy: Policy, source: str) -> Iterator[tuple[str, str]]:
    errors = cedarpy.validate_policies(source, schema()).errors
    # Cedar repeats a fault for every action; one line is enough.
    reasons = dict.fromkeys(_FOR_ACTION.sub("", _FOR_POLICY.sub("", e.error)) for e in errors)
    for reason in reasons:
        if not (len(reasons) > 1 and reason.startswith(_NO_ACTION)):
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
    if not reasons:
        yield from dict.fromkeys(_comparison_faults(policy))


def _schema_remedy(reason: str) -> str:
    if found := _ENUMERATED.search(reason):
        words = [word.value for word in CLOSED_LISTS[found.group(1)]]
        return f"{_did_you_mean(found.group(2), words)}Use one of: {', '.join(words)}."
    if found := _ATTRIBUTE.search(reason):
        return _attribute_remedy(found.group(1), _VARIABLE_OF[found.group(2) or found.group(3)])
    if found := _ENTITY_TYPE.search(reason):
        kinds = [*CLOSED_LISTS, "Country", "Community", "Organisation", "Action"]
        return f"{_did_you_mean(found.group(1), kinds)}Use one of: {', '.join(kinds)}."
    if found := _ACTION.search(reason):
        listed = "; ".join(f'Action::"{action}" to {use}' for action, use in ACTIONS.items())
        return f"{_did_you_mean(found.group(1), list(ACTIONS))}Use {listed}."
    if reason.startswith(_NO_ACTION):
        return (
            "Say with principal who reads, and leave resource alone: it is always one of your"
            " indicators; its attributes belong in the condition."
        )
    return "Use the names of policies/schema.cedarschema, which docs/policies.md explains."


def _attribute_remedy(name: str, variable: str) -> str:
    known = schema_attributes()
    if name == "to" and variable == "context":
        return f'Write action == Action::"{Action.ONWARD}": only there is a third organisation.'
    for other, names in known.items():
        if name in names:
            return f"Write {other}.{name}."
    listed = ", ".join(f"{variable}.{each}" for each in known[variable])
    return f"{_did_you_mean(name, list(known[variable]))}docs/policies.md explains {listed}."


def _did_you_mean(written: str, words: list[str]) -> str:
    near = get_close_matches(written.casefold(), [word.casefold() for word in words], 1)
    return f"Did you mean {next(w for w in words if w.casefold() == near[0])}? " if near else ""


def _comparison_faults(policy: Policy) -> Iterator[tuple[str, str]]:
    """What Cedar lets pass, and what cannot be what its author means."""
    for node in nodes(policy.tree):
        for operator, sides in node.items():
            if operator in _COMPARISONS:
                yield from _compared(sides["left"], [sides["right"]])
                yield from _compared(sides["right"], [sides["left"]])
            elif operator == "contains" and isinstance(sides["left"].get("Set"), list):
                yield from _compared(sides["right"], sides["left"]["Set"])


def _compared(asked: dict[str, Any], constants: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    access = asked.get(".")
    if not isinstance(access, dict) or access["left"].get("Var") not in _VARIABLES:
        return
    variable, name = access["left"]["Var"], access["attr"]
    kind = schema_attributes()[variable][name]
    for constant in constants:
        match constant.get("Value"):
            case int(number) if name in NUMBERS:
                first, last = NUMBERS[name]
                if not first <= number <= last:
                    yield (
                        f"it compares {variable}.{name} with {number}",
                        f"{variable}.{name} is a number from {first} to {last};"
                        " docs/policies.md says what each stands for.",
                    )
            case {"__entity": {"type": other}} if other != kind:
                yield (
                    f"it compares {variable}.{name} with a {other}, which it never is",
                    f'Compare {variable}.{name} with {kind}::"...".',
                )
