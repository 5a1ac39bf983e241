"""Rules by form: what a policy owner ticks, and the Cedar text that it makes.

A form is an ordered list of rules. The text is the policy; the form only writes it. Each rule
becomes one to three policies, built as Cedar's JSON form; the text written from that is read back
by Cedar and must be the same, so that no name or sentence can say more than the form does.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import cedarpy

from app.sharing.classes import AGE_BANDS
from app.sharing.engine import CHAIN_ACTIONS
from postern.vocabulary import (
    Action,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)

AGE_LIMITS: tuple[int, ...] = tuple(first for first, _ in AGE_BANDS[1:])
"""Ages in days at which a rule may begin or end: where one band of age meets the next."""

ONWARD = "-onward"
UNTOLD = "-untold"
SUFFIXES = (ONWARD, UNTOLD)
"""Endings of the ids of what a rule makes beside the policy of its own name."""

_LINE_WIDTH = 100  # characters
_INDENT = 2

_KEPT_BACK = {
    Level.METADATA: (
        Action.METADATA,
        Action.REQUEST,
        Action.SCREEN,
        Action.FEED,
        Action.ONWARD,
    ),
    Level.REQUEST: (Action.REQUEST,),
}

Expression: TypeAlias = dict[str, Any]
"""A condition in Cedar's JSON form."""


class Effect(StrEnum):
    """Whether a rule lets something out or keeps it back; what is kept back stays back."""

    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a form. An empty list means any; several lists must all be met.

    `name` becomes the end of the policies' `@id`, `label` their `@label`. Ages are days, each one
    of `AGE_LIMITS`. A rule for which `contradictions` finds nothing makes a valid policy.
    """

    name: str
    label: str
    effect: Effect = Effect.PERMIT

    # Who asks.
    sectors: tuple[Sector, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2, upper case
    communities: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    everybody_else: bool = False  # the rule is about everybody but those named (forbid only)

    # Why they ask.
    purposes: tuple[Purpose, ...] = ()
    legal_bases: tuple[LegalBasis, ...] = ()

    # About which records.
    kinds: tuple[Kind, ...] = ()
    party_roles: tuple[PartyRole, ...] = ()
    tlp: tuple[Tlp, ...] = ()
    handling: tuple[Handling, ...] = ()  # only records that carry one of these codes
    handling_without: tuple[Handling, ...] = ()  # only records that carry none of these codes
    source_grades: tuple[SourceGrade, ...] = ()
    information_grades: tuple[InformationGrade, ...] = ()
    assertion: Assertion | None = None
    permitted_actions: tuple[PermittedAction, ...] = ()
    barrier_steps: tuple[int, ...] = ()  # 1 to 7; 0 where the report names none
    substances: tuple[Substance, ...] = ()
    newer_than: int | None = None  # younger than so many days
    older_than: int | None = None  # so many days old, or older

    # What is let out (permit) or kept back (forbid).
    level: Level | None = None  # permit: up to this level
    keeps: Level | None = None  # forbid: from this level on; presence keeps everything back
    screen: bool = False
    feed: bool = False
    onward_to: tuple[Sector, ...] = ()  # passing on to organisations of these sectors
    told: Told = Told.BOTH  # who is told of a hit (permit only)


def cedar(rules: Sequence[Rule], organisation_code: str) -> str:
    """The Cedar text of a form: formatted, in the order of the rules, the same each time.

    Empty for no rules. ValueError when Cedar would read the text otherwise than it was meant,
    which no rule can bring about; it stands guard against a defect here or in Cedar.
    """
    made = [policy for rule in rules for policy in _policies(rule, organisation_code)]
    if not made:
        return ""
    text = cedarpy.format_policies(
        "\n\n".join(_policy_text(policy) for policy in made),
        line_width=_LINE_WIDTH,
        indent_width=_INDENT,
    )
    if _read_back(text) != made:
        raise ValueError("Cedar reads the text of a form otherwise than it was meant.")
    return str(text)


def policy_ids(rule: Rule, organisation_code: str) -> tuple[str, ...]:
    """The `@id` of every policy that the rule makes."""
    return tuple(policy["annotations"]["id"] for policy in _policies(rule, organisation_code))


def place_of(policy_id: str, rules: Sequence[Rule], organisation_code: str) -> int | None:
    """Which rule, counted from 0, made the policy of that `@id`; None when none did."""
    return next(
        (
            place
            for place, rule in enumerate(rules)
            if policy_id in policy_ids(rule, organisation_code)
        ),
        None,
    )


def contradictions(rule: Rule) -> Iterator[tuple[str, str]]:
    """(field, sentence) of everything in the rule that does not go together."""
    is_permit = rule.effect is Effect.PERMIT
    yield from _permit_faults(rule) if is_permit else _forbid_faults(rule)
    goes_beyond = rule.screen or rule.feed or rule.onward_to
    if not goes_beyond and not rule.level and not rule.keeps and rule.told is Told.BOTH:
        yield (
            "level" if is_permit else "keeps",
            "Choose what the rule permits." if is_permit else "Choose what the rule keeps back.",
        )
    if set(rule.handling) & set(rule.handling_without):
        yield "handling_without", "A handling code cannot be both demanded and excluded."
    if rule.newer_than and rule.older_than and rule.older_than >= rule.newer_than:
        yield "older_than", "No record is as old as this and newer than the other age."


def _permit_faults(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.keeps:
        yield "keeps", "A rule that permits keeps nothing back: choose a level, or forbid."
    if rule.everybody_else:
        yield "everybody_else", "Permit only those whom you name; everybody else can be forbidden."
    if rule.told is Told.OWNER_ONLY and (rule.level or rule.screen or rule.feed or rule.onward_to):
        yield "told", "Where only you are told, the reader gets nothing: leave the rest out."


def _forbid_faults(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.level:
        yield "level", "A rule that forbids permits no level: choose what it keeps back."
    if rule.told is not Told.BOTH:
        yield "told", "Who is told can be chosen in a rule that permits only."
    if rule.everybody_else and not _who(rule):
        yield "everybody_else", "Name those whom the rule spares."


def _policies(rule: Rule, organisation_code: str) -> Iterator[dict[str, Any]]:
    """Cedar's JSON form of each policy that the rule makes."""
    policy_id = f"{organisation_code}/{rule.name}"
    actions = _actions(rule)
    if actions is None or actions:
        yield _policy(rule, rule.effect, policy_id, actions)
    covers_onward = actions is None or Action.ONWARD in actions
    if rule.onward_to and not covers_onward:
        to = _among({"Var": "context"}, "to", "Sector", _in_order(rule.onward_to), is_in=True)
        yield _policy(rule, rule.effect, policy_id + ONWARD, [Action.ONWARD], to)
    if rule.told is Told.REQUESTER_ONLY:
        yield _policy(rule, Effect.FORBID, policy_id + UNTOLD, [Action.TELL_OWNER])


def _actions(rule: Rule) -> list[Action] | None:
    """What the policy of the rule's own name is about; None for everything."""
    if rule.told is Told.OWNER_ONLY:
        return [Action.ALERT_OWNER]
    if rule.keeps is Level.PRESENCE:
        return None
    chosen = set(_KEPT_BACK[rule.keeps]) if rule.keeps else set()
    if rule.level:
        chosen |= set(CHAIN_ACTIONS[: CHAIN_ACTIONS.index(Action(rule.level.value)) + 1])
    if rule.screen:
        chosen.add(Action.SCREEN)
    if rule.feed:
        chosen.add(Action.FEED)
    return [action for action in Action if action in chosen]


def _policy(
    rule: Rule,
    effect: Effect,
    policy_id: str,
    actions: Sequence[Action] | None,
    *more: Expression,
) -> dict[str, Any]:
    who = _who(rule)
    when = [*([] if rule.everybody_else else who), *_why(rule), *_what(rule), *more]
    unless = who if rule.everybody_else else []
    return {
        "effect": effect.value,
        "principal": {"op": "All"},
        "action": _action_scope(actions),
        "resource": {"op": "All"},
        "conditions": [
            {"kind": kind, "body": _all_of(conditions)}
            for kind, conditions in (("when", when), ("unless", unless))
            if conditions
        ],
        "annotations": {"id": policy_id, "label": rule.label},
    }


def _action_scope(actions: Sequence[Action] | None) -> dict[str, Any]:
    if actions is None:
        return {"op": "All"}
    entities = [{"type": "Action", "id": action.value} for action in actions]
    return (
        {"op": "==", "entity": entities[0]}
        if len(entities) == 1
        else {"op": "in", "entities": entities}
    )


def _who(rule: Rule) -> list[Expression]:
    reader = {"Var": "principal"}
    return [
        *_one_of(reader, "sector", "Sector", _in_order(rule.sectors)),
        *_one_of(reader, "country", "Country", sorted(set(rule.countries))),
        *(
            [_among(reader, None, "Community", sorted(set(rule.communities)), is_in=True)]
            if rule.communities
            else []
        ),
        *_one_of(reader, "organisation", "Organisation", sorted(set(rule.organisations))),
        *_one_of(reader, "role", "Role", _in_order(rule.roles)),
    ]


def _why(rule: Rule) -> list[Expression]:
    question = {"Var": "context"}
    return [
        *_one_of(question, "purpose", "Purpose", _in_order(rule.purposes)),
        *_one_of(question, "legalBasis", "LegalBasis", _in_order(rule.legal_bases)),
    ]


def _what(rule: Rule) -> list[Expression]:
    record = {"Var": "resource"}
    assertions = [rule.assertion.value] if rule.assertion else []
    with_codes = _carries(_in_order(rule.handling))
    without_codes = _carries(_in_order(rule.handling_without))
    return [
        *_one_of(record, "kind", "Kind", _in_order(rule.kinds)),
        *_one_of(record, "role", "PartyRole", _in_order(rule.party_roles)),
        *_one_of(record, "tlp", "Tlp", _in_order(rule.tlp)),
        *with_codes,
        *({"!": {"arg": carries}} for carries in without_codes),
        *_one_of(record, "sourceGrade", "SourceGrade", _in_order(rule.source_grades)),
        *_one_of_numbers("informationGrade", [int(each) for each in rule.information_grades]),
        *_one_of(record, "assertion", "Assertion", assertions),
        *_one_of(record, "permittedAction", "PermittedAction", _in_order(rule.permitted_actions)),
        *_one_of_numbers("barrierStep", rule.barrier_steps),
        *_one_of(record, "substance", "Substance", _in_order(rule.substances)),
        *_ages(rule),
    ]


def _ages(rule: Rule) -> list[Expression]:
    band = _attribute({"Var": "resource"}, "ageBand")
    limits = []
    if rule.newer_than:
        limits.append(_compared(band, "<=", {"Value": AGE_LIMITS.index(rule.newer_than)}))
    if rule.older_than:
        limits.append(_compared(band, ">=", {"Value": AGE_LIMITS.index(rule.older_than) + 1}))
    return limits


def _carries(codes: Sequence[str]) -> list[Expression]:
    """That a record carries at least one of the handling codes."""
    if not codes:
        return []
    carried = _attribute({"Var": "resource"}, "handling")
    if len(codes) == 1:
        return [_compared(carried, "contains", _entity("Handling", codes[0]))]
    return [_compared(carried, "containsAny", _set(_entity("Handling", code) for code in codes))]


def _one_of(of: Expression, attribute: str, kind: str, names: Sequence[str]) -> list[Expression]:
    return [_among(of, attribute, kind, names)] if names else []


def _one_of_numbers(attribute: str, numbers: Iterable[int]) -> list[Expression]:
    asked = _attribute({"Var": "resource"}, attribute)
    allowed: list[Expression] = [{"Value": number} for number in sorted(set(numbers))]
    if not allowed:
        return []
    if len(allowed) == 1:
        return [_compared(asked, "==", allowed[0])]
    return [_compared(_set(allowed), "contains", asked)]


def _among(
    of: Expression,
    attribute: str | None,
    kind: str,
    names: Sequence[str],
    *,
    is_in: bool = False,
) -> Expression:
    """That something is one of the entities named, or (`is_in`) belongs to one of them."""
    asked = _attribute(of, attribute) if attribute else of
    entities = [_entity(kind, name) for name in names]
    if len(entities) == 1:
        return _compared(asked, "in" if is_in else "==", entities[0])
    if is_in:
        return _compared(asked, "in", _set(entities))
    return _compared(_set(entities), "contains", asked)


def _in_order(members: Iterable[StrEnum]) -> list[str]:
    """The values, each once, in the order of their list, so that ticking order plays no part."""
    chosen = set(members)
    lists = {type(member) for member in chosen}
    return [member.value for kind in lists for member in kind if member in chosen]


def _attribute(of: Expression, name: str) -> Expression:
    return {".": {"left": of, "attr": name}}


def _compared(left: Expression, operator: str, right: Expression) -> Expression:
    return {operator: {"left": left, "right": right}}


def _entity(kind: str, name: str) -> Expression:
    return {"Value": {"__entity": {"type": kind, "id": name}}}


def _set(members: Iterable[Expression]) -> Expression:
    return {"Set": list(members)}


def _all_of(conditions: Sequence[Expression]) -> Expression:
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = _compared(joined, "&&", condition)
    return joined


def _policy_text(policy: dict[str, Any]) -> str:
    """One policy as Cedar text. Cedar's own writer would put every operand in brackets."""
    clauses = [f"{each['kind']} {{ {_written(each['body'])} }}" for each in policy["conditions"]]
    heading = [f"@{name}({_quoted(told)})" for name, told in policy["annotations"].items()]
    scope = f"{policy['effect']} (principal, {_scope_text(policy['action'])}, resource)"
    return "\n".join([*heading, scope, *clauses]) + ";"


def _scope_text(scope: dict[str, Any]) -> str:
    if scope["op"] == "All":
        return "action"
    if scope["op"] == "==":
        return f"action == {_uid_text(scope['entity'])}"
    return f"action in [{', '.join(_uid_text(each) for each in scope['entities'])}]"


def _written(node: Expression) -> str:
    """A condition of the few forms that are made above; none of them needs brackets."""
    ((operator, inner),) = node.items()
    match operator:
        case "Value" | "Var" | "Set" | ".":
            return _operand_text(operator, inner)
        case "!":
            return f"!{_written(inner['arg'])}"
        case "contains" | "containsAny":
            return f"{_written(inner['left'])}.{operator}({_written(inner['right'])})"
        case _:
            return f"{_written(inner['left'])} {operator} {_written(inner['right'])}"


def _operand_text(form: str, inner: Any) -> str:
    match form:
        case "Value":
            return str(inner) if isinstance(inner, int) else _uid_text(inner["__entity"])
        case "Set":
            return f"[{', '.join(_written(each) for each in inner)}]"
        case ".":
            return f"{_written(inner['left'])}.{inner['attr']}"
        case _:
            return str(inner)


def _uid_text(uid: dict[str, str]) -> str:
    return f"{uid['type']}::{_quoted(uid['id'])}"


def _quoted(text: str) -> str:
    """A Cedar string: what could end it or cannot be seen is written as an escape."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in {'"', "\\"}:
        return "\\" + character
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


def _read_back(text: str) -> list[dict[str, Any]]:
    document = json.loads(cedarpy.policies_to_json_str(text))
    found = document["staticPolicies"]
    return [found[f"policy{place}"] for place in range(len(found))]
