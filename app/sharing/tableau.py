"""The rulings for very many readers and records at once, equal to those of the engine.

The engine puts every policy to Cedar for every pair of a reader and a class. Here each condition of
each policy is put to Cedar alone, once for each pair that this condition can tell apart, which is a
handful; what it says of all classes is kept as the bits of one number. The policies are then put
together as Cedar does: a permit that applies allows unless a forbid applies, and what cannot be
evaluated denies. Tests hold the two to each other.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from itertools import product
from operator import or_
from typing import Any

import cedarpy

from app.sharing.classes import ClassAttributes
from app.sharing.engine import CHAIN_ACTIONS, Cedar, Ruling, Subject, policy_set
from app.sharing.policy_text import (
    Fault,
    Policy,
    PolicyRefusedError,
    nodes,
    platform_policies,
)
from app.sharing.seats import Member, Seat
from postern.vocabulary import Action

MOST_PAIRS = 50_000
"""Pairs of a seat and a subject that the conditions of a draft may tell apart, each some 30 us."""

_ASKED = (*CHAIN_ACTIONS, Action.SCREEN, Action.FEED, Action.TELL_OWNER, Action.ALERT_OWNER)


@dataclass(frozen=True)
class Answer:
    """What one seat gets; bit n of each number is for subject n.

    `reasons` are the ids of the permits that grant, each with the subjects that it grants.
    """

    presence: int
    metadata: int
    request: int
    screen: int
    feed: int
    tells: int  # the owner is told with the reader
    alerts: int  # the owner alone is told
    reasons: tuple[tuple[str, int], ...]

    def ruling(self, place: int) -> Ruling:
        """The ruling on one subject, as the engine has it."""

        def has(bits: int) -> bool:
            return bool(bits >> place & 1)

        return Ruling(
            level=has(self.presence) + has(self.metadata) + has(self.request),
            reasons=self.rules(1 << place),
            tells_owner=has(self.tells | self.alerts),
            may_screen=has(self.screen),
            may_feed=has(self.feed),
        )

    def rules(self, bits: int) -> tuple[str, ...]:
        """The ids of the permits that grant any of these subjects."""
        return tuple(sorted(name for name, granted in self.reasons if granted & bits))

    @property
    def is_nothing(self) -> bool:
        """Whether nobody is told of anything."""
        return not self.presence | self.alerts


class Tableau:
    """Seats and subjects, given at once, and what an owner's policies say of all pairs of them.

    The seats are those of others than the owner.
    """

    def __init__(self, owner: Member, seats: Sequence[Seat], subjects: Sequence[Subject]) -> None:
        self._asked = _Asked(owner, seats, subjects)
        self._platform = _rules(platform_policies(), self._asked)
        closed: dict[tuple[int, ...], bool] = {}
        self._is_closed = []
        for row in _by_seat(self._platform, seats):
            if row not in closed:
                closed[row] = self._leaves_nothing(row)
            self._is_closed.append(closed[row])

    def answers(self, policies: Iterable[Policy], most: int | None = None) -> list[Answer | None]:
        """The answer for each seat; None where the platform's rules leave nothing to decide.

        `policies` are the owner's. PolicyRefusedError when their conditions tell more than `most`
        pairs apart; what is stored was decided on already and is asked about without a limit.
        """
        rules = [*self._platform, *_rules(policies, self._asked, most)]
        known: dict[tuple[int, ...], Answer] = {}
        answers: list[Answer | None] = []
        for row, is_closed in zip(_by_seat(rules, self._asked.seats), self._is_closed, strict=True):
            if is_closed:
                answers.append(None)
                continue
            if row not in known:
                known[row] = _answer(rules, row, self._asked.every_subject)
            answers.append(known[row])
        return answers

    def _leaves_nothing(self, row: tuple[int, ...]) -> bool:
        """Whether the platform's rules forbid every answer and every alert."""
        every = self._asked.every_subject
        _, denied = _effects(self._platform, row)
        return not any(every & ~denied[each] for each in (Action.PRESENCE, Action.ALERT_OWNER))


class _Asked:
    """The seats and subjects, and for each of their attributes who has which value.

    Seats and subjects are bits of a number, in their order.
    """

    def __init__(self, owner: Member, seats: Sequence[Seat], subjects: Sequence[Subject]) -> None:
        self.owner = owner
        self.seats = seats
        self.subjects = subjects
        self.every_seat = (1 << len(seats)) - 1
        self.every_subject = (1 << len(subjects)) - 1
        self.of_seats = {
            "sector": _column(seat.member.sector for seat in seats),
            "country": _column(seat.member.country for seat in seats),
            "communities": _column(seat.member.communities for seat in seats),
            "code": _column(seat.member.code for seat in seats),
            "role": _column(seat.role for seat in seats),
            "purpose": _column(seat.purpose for seat in seats),
            "legal_basis": _column(seat.legal_basis for seat in seats),
        }
        self.of_subjects = {
            each.name: _column(getattr(attributes, each.name) for attributes, _ in subjects)
            for each in fields(ClassAttributes)
        }
        self.of_subjects["age_band"] = _column(band for _, band in subjects)


class _Rule:
    """A policy for some of its actions.

    `effects` are pairs: the subjects to which it applies, and those for which it cannot be
    evaluated; `of_seat` has the place of each seat's pair.
    """

    def __init__(self, policy: Policy, actions: Sequence[Action], parts: Sequence["_Part"]) -> None:
        self.policy = policy
        self.actions = actions
        self.effects: list[tuple[int, int]] = []
        self.of_seat: list[int] = []
        self._parts = parts

    @property
    def pairs(self) -> int:
        """How many pairs of a seat and a subject its conditions tell apart."""
        return sum(part.pairs for part in self._parts)

    def ask(self, asked: _Asked) -> None:
        """All conditions must hold; what comes after the first that does not is not looked at."""
        if not self._parts:
            self.effects = [(asked.every_subject, 0)]
            self.of_seat = [0] * len(asked.seats)
            return
        for part in self._parts:
            part.ask(self.actions[0], asked)
        places: dict[tuple[int, ...], int] = {}
        for keys in zip(*(part.of_seat for part in self._parts), strict=True):
            if keys not in places:
                places[keys] = len(self.effects)
                self.effects.append(self._effect(keys, asked.every_subject))
            self.of_seat.append(places[keys])

    def _effect(self, keys: tuple[int, ...], every_subject: int) -> tuple[int, int]:
        holds, fails = every_subject, 0
        for part, key in zip(self._parts, keys, strict=True):
            true, false = part.answers[key]
            fails |= holds & ~true & ~false
            holds &= true
        return holds, fails


class _Part:
    """One condition of a policy, or the scope of its principal, alone.

    `answers` are pairs: the subjects for which it is true, and false; `of_seat` has the place of
    each seat's pair.
    """

    def __init__(self, tree: dict[str, Any], asked: _Asked) -> None:
        found = list(nodes(tree))
        self._tree = tree
        self._owner = asked.owner
        self._attributes = {node["attr"] for node in found if isinstance(node.get("attr"), str)}
        self._named = {
            (node["type"], node["id"]) for node in found if node.keys() == {"type", "id"}
        }
        self.asks_action = any(node.get("Var") == "action" for node in found)
        self._seats = self._told_apart(asked.every_seat, asked.of_seats)
        self._subjects = self._told_apart(asked.every_subject, asked.of_subjects)
        self.of_seat: list[int] = []
        self.answers: list[tuple[int, int]] = []

    @property
    def pairs(self) -> int:
        """How many pairs of a seat and a subject it can tell apart."""
        return len(self._seats) * len(self._subjects)

    def ask(self, action: Action, asked: _Asked) -> None:
        """Put it to Cedar for each of these pairs."""
        seats = [asked.seats[_first(bits)] for bits in self._seats]
        subjects = [asked.subjects[_first(bits)] for bits in self._subjects]
        self.of_seat = [0] * len(asked.seats)
        for place, bits in enumerate(self._seats):
            for seat in places(bits):
                self.of_seat[seat] = place
        if not self.pairs:
            self.answers = [(0, 0)] * len(seats)
            return
        cedar = Cedar(_yes_and_no(self._tree), asked.owner, seats, subjects)
        verdicts = iter(cedar.verdicts(action, list(product(seats, subjects))))
        is_scope = not self._tree["conditions"]  # which can always be evaluated
        for _ in seats:
            true = false = 0
            for bits, verdict in zip(self._subjects, verdicts, strict=False):
                if verdict.allowed and verdict.reasons == (_YES,):
                    true |= bits
                elif is_scope or (verdict.allowed and verdict.reasons == (_NO,)):
                    false |= bits
            self.answers.append((true, false))

    def _told_apart(self, everything: int, columns: Mapping[str, Mapping[Any, int]]) -> list[int]:
        """The seats, or the subjects, in parts within which it sees no difference."""
        found = [everything] if everything else []
        for name, column in columns.items():
            alike: dict[Hashable, int] = {}
            for value, bits in column.items():
                seen = self._seen(name, value)
                alike[seen] = alike.get(seen, 0) | bits
            if len(alike) > 1:
                found = [half for each in found for bits in alike.values() if (half := each & bits)]
        return found

    def _seen(self, column: str, value: Any) -> Hashable:
        """As much of a value as it can see; what it does not name is all the same to it."""
        if column == "communities":
            return frozenset(each for each in value if ("Community", each) in self._named)
        if column == "code":
            return value if ("Organisation", value) in self._named else None
        if column in _WHOLE:
            return value if in_schema(column) in self._attributes else None
        kind = "Country" if column == "country" else type(value).__name__
        # The owner's own may be compared with: resource.owner in principal.country.
        is_related = column in self._attributes and value == getattr(self._owner, column, None)
        return value if is_related or (kind, str(value)) in self._named else None


_WHOLE = {"handling", "information_grade", "barrier_step", "age_band"}
"""Columns of numbers and sets: of them a condition may see more than the words that it names."""


def _rules(policies: Iterable[Policy], asked: _Asked, most: int | None = None) -> list[_Rule]:
    """Each policy for all its actions together, or for each where it tells them apart."""
    found = [rule for policy in policies for rule in _of_policy(policy, asked)]
    if most is not None and sum(rule.pairs for rule in found) > most:
        worst = max(found, key=lambda rule: rule.pairs).policy
        raise PolicyRefusedError(
            [
                Fault(
                    worst.id,
                    worst.line,
                    "it tells more readers and records apart than can be compared",
                    "Make several policies of it, each with fewer alternatives.",
                )
            ]
        )
    for rule in found:
        rule.ask(asked)
    return found


def _of_policy(policy: Policy, asked: _Asked) -> Iterator[_Rule]:
    actions = [action for action in _ASKED if action in policy.actions()]
    if any(part.asks_action for part in _parts_of(policy, asked)):
        for action in actions:
            yield _Rule(policy, [action], _parts_of(policy, asked))
    elif actions:
        yield _Rule(policy, actions, _parts_of(policy, asked))


def _parts_of(policy: Policy, asked: _Asked) -> list[_Part]:
    return [_Part(tree, asked) for tree in _parts(policy.tree)]


def _by_seat(rules: Sequence[_Rule], seats: Sequence[Seat]) -> Iterator[tuple[int, ...]]:
    """For each seat the places of its effects, one for each rule."""
    return zip(*(rule.of_seat for rule in rules), strict=True) if seats else iter(())


_Permits = dict[Action, list[tuple[str, int]]]


def _effects(rules: Sequence[_Rule], row: Sequence[int]) -> tuple[_Permits, dict[Action, int]]:
    """For each action the subjects that each permit names, and those that are denied."""
    permits: _Permits = {action: [] for action in _ASKED}
    denied = dict.fromkeys(_ASKED, 0)
    for rule, place in zip(rules, row, strict=True):
        applies, fails = rule.effects[place]
        for action in rule.actions:
            denied[action] |= fails
            if not rule.policy.permits:
                denied[action] |= applies
            elif applies:
                permits[action].append((rule.policy.id, applies))
    return permits, denied


def _answer(rules: Sequence[_Rule], row: Sequence[int], every_subject: int) -> Answer:
    permits, denied = _effects(rules, row)

    def allowed(action: Action, among: int) -> int:
        return among & union(bits for _, bits in permits[action]) & ~denied[action]

    presence = allowed(Action.PRESENCE, every_subject)
    metadata = allowed(Action.METADATA, presence)
    request = allowed(Action.REQUEST, metadata)
    alerts = allowed(Action.ALERT_OWNER, every_subject & ~presence)
    reasons: dict[str, int] = {}
    for action, bits in (
        (Action.PRESENCE, presence & ~metadata),
        (Action.METADATA, metadata & ~request),
        (Action.REQUEST, request),
        (Action.ALERT_OWNER, alerts),
    ):
        for name, applies in permits[action]:
            if applies & bits:
                reasons[name] = reasons.get(name, 0) | applies & bits
    return Answer(
        presence,
        metadata,
        request,
        screen=allowed(Action.SCREEN, presence),
        feed=allowed(Action.FEED, metadata),
        tells=allowed(Action.TELL_OWNER, presence),
        alerts=alerts,
        reasons=tuple(sorted(reasons.items())),
    )


def places(bits: int) -> Iterator[int]:
    """Which bits are set, lowest first."""
    return (place for place, bit in enumerate(bin(bits)[:1:-1]) if bit == "1")


def _first(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def union(found: Iterable[int]) -> int:
    """The bits of all numbers together."""
    return reduce(or_, found, 0)


def _column(values: Iterable[Hashable]) -> dict[Hashable, int]:
    """Value to the bits of those that have it."""
    found: dict[Hashable, int] = {}
    for place, value in enumerate(values):
        found[value] = found.get(value, 0) | 1 << place
    return found


_YES, _NO = "yes", "no"
_ANY = {"op": "All"}


def _parts(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Permits for every action that stand for the scope, and then for each condition."""
    if tree["principal"] != _ANY or tree["resource"] != _ANY:
        yield _permit([], tree["principal"], tree["resource"])
    for condition in tree["conditions"]:
        is_wanted = condition["kind"] == "when"
        for each in _conjuncts(condition["body"], is_wanted=is_wanted):
            yield _permit([each])


def _conjuncts(body: dict[str, Any], *, is_wanted: bool) -> Iterator[dict[str, Any]]:
    """Conditions that all hold just when `body` is true, or false where that is wanted.

    In the order of evaluation: what comes after the first that does not hold is not looked at.
    """
    waiting = [body]
    joins = "&&" if is_wanted else "||"
    while waiting:
        each = waiting.pop()
        if joins in each:
            waiting += [each[joins]["right"], each[joins]["left"]]
        else:
            yield {"kind": "when" if is_wanted else "unless", "body": each}


def _permit(
    conditions: list[dict[str, Any]],
    principal: dict[str, Any] | None = None,
    resource: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "effect": "permit",
        "principal": principal or _ANY,
        "action": _ANY,
        "resource": resource or _ANY,
        "conditions": conditions,
        "annotations": {},
    }


def _yes_and_no(tree: dict[str, Any]) -> cedarpy.PolicySet:
    """The part and its opposite: neither answers where it cannot be evaluated."""
    opposite = [
        {**each, "kind": "unless" if each["kind"] == "when" else "when"}
        for each in tree["conditions"]
    ]
    static = {_YES: tree}
    if opposite:
        static[_NO] = {**tree, "conditions": opposite}
    return policy_set(static)


def in_schema(field: str) -> str:
    """The schema's name of an attribute of a class."""
    first, *more = field.split("_")
    return first + "".join(word.capitalize() for word in more)
