"""In which situations each policy applies, as Cedar says of each policy alone.

A situation is a reader, a purpose, a legal basis and a class, and for passing on a recipient. Each
policy is put to Cedar once for each combination of values that it can tell apart; the situations
in which it applies are kept as the bits of one number. Where there are too many situations to look
at all, a sample of them is drawn.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import combinations, product
from math import prod
from operator import or_
from random import Random
from typing import Any, TypeAlias

import cedarpy

from app.sharing.policy_text import CLOSED_LISTS, NUMBERS, Policy, nodes, schema, schema_attributes
from app.sharing.seats import Member
from postern.vocabulary import Action, Kind, LegalBasis, PermittedAction, Role, Sector, Tlp

MOST_SITUATIONS = 262_144  # looked at one and all; of more a sample is drawn
MOST_QUESTIONS = 8_000  # put to Cedar for one text, some 100 microseconds each
SAMPLED = (2_000, 1_000, 500, 200, 100, 50, 20, 5, 0)  # situations: as many as questions allow
MOST_READERS = 2_000  # told apart by sector, country, communities and name

_FREE = 0.6  # how often a sampled situation is as free as can be in what a rule does not ask for
_NAMED = 0.7  # how often it is then what a rule names
_GUIDED = 0.75  # how often a sampled situation is drawn for a rule to apply
_SEED = 20  # a text is answered the same way each time
_ELSEWHERE = "ZZ"  # no country: ISO 3166-1 leaves this code to its users

_READER = "principal"
_ROLE = "principal.role"
_PURPOSE = "context.purpose"
_BASIS = "context.legalBasis"
_TLP = "resource.tlp"
_TO = "context.to"
_KIND = "resource.kind"

_FREEST: Mapping[str, Any] = {
    _ROLE: Role.ANALYST.value,
    _BASIS: LegalBasis.PUBLIC_TASK.value,
    _TLP: Tlp.CLEAR.value,
    "resource.handling": frozenset[str](),
    "resource.permittedAction": PermittedAction.WATCH.value,
    # Neither a pattern nor a barrier, of which an operator may learn more: a text that does not
    # ask means indicators.
    _KIND: Kind.PARTY.value,
}
"""What the platform's rules hold against nobody: enough where a text does not ask."""

_HANDLING_FREEST_FIRST = ("H0", "H2", "H1", "H3")
_SIDES = {"==", "!=", "<", "<=", ">", ">=", "in", "contains", "containsAll", "containsAny"}
_OWN = {("principal", "organisation"), ("resource", "owner")}
_ARITHMETIC = {"+", "-", "*", "neg"}

_RECIPIENT = Member("someone/else", Sector.CUSTOMS, _ELSEWHERE)
"""To whom the platform's rules let everything be passed on."""

Value: TypeAlias = Any
"""A member, a word, a number or a set of words, by dimension."""

Key: TypeAlias = tuple[int, ...]
"""Which group of values of each of its dimensions a rule is asked about."""


class PolicyAlone:
    """One policy: what it can tell apart, and in which situations it applies."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.actions = sorted(policy.actions())
        asked = set(_asked([policy.tree[part] for part in ("principal", "conditions")]))
        if policy.tree["principal"]["op"] != "All":
            asked.add(("principal", None))
        self.dimensions = sorted({name for each in asked for name in _dimensions(*each)})
        # Only a question about passing on has a recipient; "context has to" tells them apart.
        self.asks_action = ("action", None) in asked or (
            _TO in self.dimensions and self.actions != [Action.ONWARD]
        )
        named = policy.entities()
        self._words = {
            kind: frozenset(name for each, name in named if each == kind) for kind, _ in named
        }
        self._numbers = sorted(set(_numbers(policy.tree)))
        self.is_relational = any(_relates(node) for node in nodes(policy.tree))
        self._is_arithmetic = any(_ARITHMETIC & node.keys() for node in nodes(policy.tree))
        self.groups: list[list[list[int]]] = []  # by dimension: places of values told apart
        self.likely: list[list[int]] = []  # of those groups, the ones that it names most closely
        self.is_known_wholly = False
        self.applying: dict[Action, set[Key]] = {action: set() for action in self.actions}
        self.failing: dict[Action, set[Key]] = {action: set() for action in self.actions}
        self.applies: dict[Action, int] = {}  # the bits of situations, and of those
        self.fails: dict[Action, int] = {}  # in which Cedar cannot evaluate it

    @property
    def questions(self) -> int:
        """How many answers of Cedar make it known wholly."""
        return prod(map(len, self.groups)) * len(self.asked_actions)

    @property
    def asked_actions(self) -> Sequence[Action]:
        """The actions to ask it about; one stands for all that it does not tell apart."""
        return self.actions if self.asks_action else self.actions[:1]

    @property
    def ever_applies(self) -> bool:
        """Whether there was a combination in which it applies."""
        return any(self.applying.values())

    def every_key(self) -> list[Key]:
        """All combinations that it can tell apart."""
        return list(product(*(range(len(groups)) for groups in self.groups)))

    def keys_at(self, points: Iterable[Mapping[str, int]]) -> list[Key]:
        """The combinations that occur in a sample."""
        numbers = [
            (name, {place: number for number, group in enumerate(groups) for place in group})
            for name, groups in zip(self.dimensions, self.groups, strict=True)
        ]
        return sorted({tuple(of[point[name]] for name, of in numbers) for point in points})

    def words(self, kind: str) -> frozenset[str]:
        """The names of that type which it mentions."""
        return self._words.get(kind, frozenset())

    def permit(self) -> dict[str, Any]:
        """It alone, as a permit: allowed means that it applies."""
        return {**self.policy.tree, "effect": "permit"}

    def signature(self, dimension: str, value: Value) -> Hashable:
        """Two values of one signature are the same to this policy."""
        if isinstance(value, Member):
            if self.is_relational:
                return value.code
            return (
                value.sector if value.sector.value in self.words("Sector") else None,
                value.country if value.country in self.words("Country") else None,
                self.words("Community").intersection(value.communities),
                value.code if value.code in self.words("Organisation") else None,
            )
        if isinstance(value, frozenset):
            named = self.words("Handling")
            return value & named, bool(value - named)
        if isinstance(value, int):
            if self.is_relational or self._is_arithmetic:
                return value
            return tuple((value > each) - (value < each) for each in self._numbers)
        variable, name = dimension.split(".")
        return value if value in self.words(schema_attributes()[variable][name]) else None

    def group(self, values: Mapping[str, Sequence[Value]]) -> None:
        """Sort the values of its dimensions by what it can tell apart."""
        for dimension in self.dimensions:
            groups: dict[Hashable, list[int]] = {}
            for place, value in enumerate(values[dimension]):
                groups.setdefault(self.signature(dimension, value), []).append(place)
            self.groups.append(list(groups.values()))
            named = [_mentions(signature) for signature in groups]
            most = max(named)
            self.likely.append([n for n, count in enumerate(named) if count == most])


class Situations:
    """The situations looked at: all combinations of `values`, or the `points` of a sample.

    Bit n of a number stands for situation n; `everything` has all bits, `with_present` those of
    readers like whom there is a member today, `by_analysts` those of the role that lookups have.
    """

    def __init__(
        self,
        values: Mapping[str, list[Value]],
        present: Iterable[int],
        *,
        is_whole: bool,
        points: Sequence[Mapping[str, int]] | None = None,
    ) -> None:
        self.values = values
        self.is_whole = is_whole
        size = prod(map(len, values.values())) if points is None else len(points)
        self.everything = (1 << size) - 1
        self._masks = self._all_combinations(size) if points is None else self._sampled(points)
        self.tells_markings_apart = len(values[_TLP]) > 1
        self.tells_patterns_apart = len(values.get(_KIND, ())) > 1
        self.by_analysts = self._masks[_ROLE][0] if _ROLE in values else self.everything
        self.with_present = reduce(or_, (self._masks[_READER][place] for place in present), 0)

    def having(self, rule: PolicyAlone, keys: Iterable[Key]) -> int:
        """The bits of all situations that have one of the keys."""
        by_group = [
            [reduce(or_, (self._masks[name][place] for place in group)) for group in groups]
            for name, groups in zip(rule.dimensions, rule.groups, strict=True)
        ]
        found = 0
        for key in keys:
            bits = self.everything
            for masks, number in zip(by_group, key, strict=True):
                bits &= masks[number]
            found |= bits
        return found

    def _all_combinations(self, size: int) -> dict[str, list[int]]:
        """For each value the bits of the situations that have it.

        The first dimension changes from each situation to the next.
        """
        masks = {}
        stride = 1
        for name, values in self.values.items():
            period = stride * len(values)
            every_period = ((1 << size) - 1) // ((1 << period) - 1)
            run = (1 << stride) - 1
            masks[name] = [(run << place * stride) * every_period for place in range(len(values))]
            stride = period
        return masks

    def _sampled(self, points: Sequence[Mapping[str, int]]) -> dict[str, list[int]]:
        masks = {name: [0] * len(values) for name, values in self.values.items()}
        for number, point in enumerate(points):
            for name, place in point.items():
                masks[name][place] |= 1 << number
        return masks


def look_at(
    text: Sequence[PolicyAlone],
    platform: Sequence[PolicyAlone],
    owner: Member,
    others: Sequence[Member],
) -> Situations:
    """Ask Cedar in which situations each policy applies, and note it with the policy.

    Returns the situations that the policies can tell apart, or a sample of them.
    """
    rules = [*text, *platform]
    readers, present, is_whole = _readers(text, owner, others)
    asked = {name for rule in text for name in rule.dimensions}
    values: dict[str, list[Value]] = {_READER: readers}
    for name in sorted({_PURPOSE}.union(*(rule.dimensions for rule in rules)) - {_READER}):
        if name == _TO:
            values[name] = [*readers, owner] if name in asked else [_RECIPIENT]
        elif name == _PURPOSE or name in asked:
            values[name] = _told_apart(name, text, rules)
        else:
            values[name] = [_FREEST[name]]
    for rule in rules:
        rule.group(values)
    points = None
    most = MOST_QUESTIONS
    if (
        prod(map(len, values.values())) > MOST_SITUATIONS
        or sum(rule.questions for rule in rules) > MOST_QUESTIONS
    ):
        most = MOST_QUESTIONS // (2 * len(rules))
    small = [rule for rule in rules if rule.questions <= most]
    _ask(values, owner, [(rule, rule.every_key()) for rule in small])
    for rule in small:
        rule.is_known_wholly = is_whole or not {_READER, _TO}.intersection(rule.dimensions)
    if most < MOST_QUESTIONS:
        points = _sample(values, text)
        large = [rule for rule in rules if rule.questions > most]
        _ask(values, owner, [(rule, rule.keys_at(points)) for rule in large])
    situations = Situations(values, present, is_whole=is_whole and points is None, points=points)
    for rule in rules:
        for action in rule.actions:
            rule.applies[action] = situations.having(rule, rule.applying[action])
            rule.fails[action] = situations.having(rule, rule.failing[action])
    return situations


def _readers(
    text: Sequence[PolicyAlone], owner: Member, others: Sequence[Member]
) -> tuple[list[Member], set[int], bool]:
    """Every kind of reader that the text can tell apart, which of them exist, whether that is all.

    Those who fit no name of the text come first. Who may join counts too: a country without
    members today is no mistake.
    """
    codes = set[str]().union(*(rule.words("Organisation") for rule in text))
    countries = set[str]().union(*(rule.words("Country") for rule in text))
    if any(rule.is_relational for rule in text):
        countries.add(owner.country)  # "resource.owner in principal.country"
    communities = set[str]().union(*(rule.words("Community") for rule in text))

    def kind(member: Member) -> Member:
        return Member(
            member.code if member.code in codes else "",
            member.sector,
            member.country if member.country in countries else _ELSEWHERE,
            tuple(sorted(communities.intersection(member.communities))),
        )

    present = {kind(member) for member in others}
    joined = {member.communities for member in present} | {tuple(sorted(communities))}
    among_countries = len(Sector) * (len(countries) + 1)
    is_whole = among_countries << len(communities) <= MOST_READERS
    for names in (communities, *(rule.words("Community") for rule in text)):
        if among_countries << len(names) <= MOST_READERS:
            sizes = range(len(names) + 1)
            joined |= {each for size in sizes for each in combinations(sorted(names), size)}
    kinds = [
        Member("", sector, country, memberships)
        for memberships in sorted(joined)
        for country in (_ELSEWHERE, *sorted(countries))
        for sector in Sector
    ]
    kinds += sorted((member for member in present if member.code), key=lambda member: member.code)
    if len(kinds) > MOST_READERS:
        rest = Random(_SEED).sample(kinds[1:], MOST_READERS - 1)  # noqa: S311  # as in _sample
        kinds = [kinds[0], *rest]
        is_whole = False
    readers = [
        replace(member, code=member.code or f"someone/{place}")
        for place, member in enumerate(kinds)
    ]
    return readers, {place for place, each in enumerate(kinds) if each in present}, is_whole


def _told_apart(
    name: str, text: Sequence[PolicyAlone], rules: Sequence[PolicyAlone]
) -> list[Value]:
    """A value for each that some rule names, and one that stands for the rest; the freest first."""
    variable, attribute = name.split(".")
    if attribute in NUMBERS:
        first, last = NUMBERS[attribute]
        of_signature = {
            tuple(rule.signature(name, number) for rule in text): number
            for number in range(last, first - 1, -1)
        }
        return sorted(of_signature.values())
    if attribute == "handling":
        named = set[str]().union(*(rule.words("Handling") for rule in text))
        rest = [code for code in _HANDLING_FREEST_FIRST if code not in named][:1]
        codes = [*sorted(named), *rest]
        sizes = range(len(codes) + 1)
        return [frozenset(each) for size in sizes for each in combinations(codes, size)]
    kind = schema_attributes()[variable][attribute]
    words = [word.value for word in CLOSED_LISTS[kind]]
    named = set[str]().union(*(rule.words(kind) for rule in rules))
    freest = _FREEST.get(name)
    rest = [freest] if freest and freest not in named else [w for w in words if w not in named][:1]
    told_apart = [*rest, *(word for word in words if word in named)]
    return sorted(told_apart, key=lambda word: word != freest)


def _sample(
    values: Mapping[str, Sequence[Value]], text: Sequence[PolicyAlone]
) -> list[dict[str, int]]:
    """Situations of which most are such that a policy of the text applies, as far as is known.

    What that policy is silent about is as free as can be, or drawn for the other policies.
    """
    draw = Random(_SEED)  # noqa: S311  # no secret: one text is to be answered the same each time
    applying = [sorted(set[Key]().union(*rule.applying.values())) for rule in text]
    points = []
    for number in range(next(n for n in SAMPLED if _questions(text, n) <= MOST_QUESTIONS)):
        point = {
            name: 0 if draw.random() < _FREE else draw.randrange(len(each))
            for name, each in values.items()
        }
        if draw.random() < _GUIDED:
            rule, known = text[number % len(text)], applying[number % len(text)]
            key = draw.choice(known) if known else _guess(draw, rule)
            for name, groups, group in zip(rule.dimensions, rule.groups, key, strict=True):
                point[name] = draw.choice(groups[group])
        points.append(point)
    return points


def _guess(draw: Random, rule: PolicyAlone) -> Key:
    """A combination in which the policy may apply: most conditions ask for what they name."""
    return tuple(
        draw.choice(likely) if draw.random() < _NAMED else draw.randrange(len(groups))
        for likely, groups in zip(rule.likely, rule.groups, strict=True)
    )


def _questions(text: Sequence[PolicyAlone], points: int) -> int:
    """What a sample of so many points asks at most; a sample of none asks nothing."""
    return sum(min(rule.questions, points * len(rule.asked_actions)) for rule in text)


def _ask(
    values: Mapping[str, Sequence[Value]],
    owner: Member,
    asked: Iterable[tuple[PolicyAlone, Sequence[Key]]],
) -> None:
    """Put each policy to Cedar alone, as a permit, and note for which keys it applies."""
    entities = _Entities(owner)
    questions = [
        (rule, action, keys, [entities.request(action, _first_of(values, rule, k)) for k in keys])
        for rule, keys in asked
        for action in rule.asked_actions
    ]
    known = cedarpy.Entities.from_json_str(json.dumps(entities.rows), schema())
    for rule, action, keys, requests in questions:
        alone = {"templates": {}, "templateLinks": [], "staticPolicies": {"alone": rule.permit()}}
        policies = cedarpy.PolicySet.from_json_str(json.dumps(alone))
        results = cedarpy.is_authorized_batch(requests, policies, known, schema())
        for key, result in zip(keys, results, strict=True):
            for each in [action] if rule.asks_action else rule.actions:
                if result.diagnostics.errors:
                    rule.failing[each].add(key)
                elif result.allowed:
                    rule.applying[each].add(key)


def _first_of(
    values: Mapping[str, Sequence[Value]], rule: PolicyAlone, key: Key
) -> dict[str, Value]:
    """A situation that has the key; what the policy does not ask for is as free as can be."""
    situation = {name: each[0] for name, each in values.items()}
    for name, groups, number in zip(rule.dimensions, rule.groups, key, strict=True):
        situation[name] = values[name][groups[number][0]]
    return situation


class _Entities:
    """Cedar's entities for the situations asked about, each once."""

    def __init__(self, owner: Member) -> None:
        self.rows: list[dict[str, Any]] = []
        self._owner = owner
        self._organisations: set[str] = set()
        self._contexts: dict[tuple[str, str, str | None], str] = {}
        self._named: dict[tuple[str, Hashable], str] = {}
        self._organisation(replace(owner, communities=()))  # they play no part in what it owns

    def request(self, action: Action, situation: Mapping[str, Value]) -> dict[str, str]:
        """The question in Cedar's form, its entities noted."""
        return {
            "principal": self._seat(situation[_READER], situation.get(_ROLE, _FREEST[_ROLE])),
            "action": f'Action::"{action.value}"',
            "resource": self._share_class(situation),
            "context": self._context(
                situation[_PURPOSE],
                situation.get(_BASIS, _FREEST[_BASIS]),
                situation.get(_TO, _RECIPIENT) if action is Action.ONWARD else None,
            ),
        }

    def _context(self, purpose: str, legal_basis: str, to: Member | None) -> str:
        key = (purpose, legal_basis, None if to is None else to.code)
        if key not in self._contexts:
            context = {
                "purpose": _uid("Purpose", purpose),
                "legalBasis": _uid("LegalBasis", legal_basis),
            }
            if to is not None:
                context["to"] = self._organisation(to)
            stated = {name: {"__entity": uid} for name, uid in context.items()}
            self._contexts[key] = json.dumps(stated)
        return self._contexts[key]

    def _organisation(self, member: Member) -> dict[str, str]:
        uid = _uid("Organisation", member.code)
        if member.code not in self._organisations:
            self._organisations.add(member.code)
            parents = [_uid("Sector", member.sector.value), _uid("Country", member.country)]
            parents += [_uid("Community", code) for code in member.communities]
            self.rows.append({"uid": uid, "parents": parents, "attrs": {}})
        return uid

    def _seat(self, member: Member, role: str) -> str:
        organisation = self._organisation(member)

        def described() -> dict[str, Any]:
            return {
                "organisation": organisation,
                "sector": _uid("Sector", member.sector.value),
                "country": _uid("Country", member.country),
                "role": _uid("Role", role),
            }

        return self._noted("Seat", (member.code, role), described, [organisation])

    def _share_class(self, situation: Mapping[str, Value]) -> str:
        values = tuple(
            situation.get(f"resource.{name}", _FREEST.get(f"resource.{name}"))
            for name in schema_attributes()["resource"]
        )
        return self._noted("ShareClass", values, lambda: self._described(values), [])

    def _described(self, values: Iterable[Value]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        kinds = schema_attributes()["resource"]
        for (name, kind), value in zip(kinds.items(), values, strict=True):
            if name == "owner":
                attributes[name] = _uid(kind, self._owner.code)
            elif name == "handling":
                attributes[name] = [_uid("Handling", code) for code in sorted(value)]
            elif name in NUMBERS:
                attributes[name] = NUMBERS[name][0] if value is None else value
            else:
                attributes[name] = _uid(kind, value or next(iter(CLOSED_LISTS[kind])).value)
        return attributes

    def _noted(
        self,
        kind: str,
        key: Hashable,
        described: Callable[[], dict[str, Any]],
        parents: list[dict[str, str]],
    ) -> str:
        if (kind, key) not in self._named:
            name = str(len(self._named))
            self._named[kind, key] = f'{kind}::"{name}"'
            self.rows.append({"uid": _uid(kind, name), "parents": parents, "attrs": described()})
        return self._named[kind, key]


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _asked(tree: Any) -> Iterator[tuple[str, str | None]]:
    """(variable, attribute) of all that is asked for; None where a variable stands alone."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            for operator, inside in node.items():
                variable = _variable(inside) if operator in {".", "has"} else None
                if operator == "Var":
                    yield inside, None
                elif variable is not None:
                    yield variable, inside["attr"]
                else:
                    waiting.append(inside)


def _variable(access: Mapping[str, Any]) -> str | None:
    """The variable of which an attribute is asked; None as well for a record's attribute `.`."""
    found: str | None = access.get("left", {}).get("Var")
    return found


def _dimensions(variable: str, attribute: str | None) -> tuple[str, ...]:
    """What a question about it depends on; the owner, and the action, are no dimension."""
    if variable == "principal":
        return {"role": (_ROLE,), None: (_READER, _ROLE)}.get(attribute, (_READER,))
    if variable == "context" and attribute is None:
        return (_PURPOSE, _BASIS, _TO)
    if attribute in {None, "owner"}:
        return ()
    return (f"{variable}.{attribute}",)


def _mentions(signature: Hashable) -> int:
    """How many names of the policy are in a signature."""
    parts = signature if isinstance(signature, tuple) else (signature,)
    return sum(not isinstance(part, int) and bool(part) for part in parts)


def _numbers(tree: Any) -> Iterator[int]:
    for node in nodes(tree):
        value = node.get("Value")
        if isinstance(value, int) and not isinstance(value, bool):
            yield value


def _relates(node: Mapping[str, Any]) -> bool:
    """Whether it compares two things of which none is a constant.

    Readers are never of the owner's organisation, so that comparing the two is constant.
    """
    return any(
        not any(map(_is_constant, sides))
        and (operator not in {"==", "!="} or set(_asked(sides)) != _OWN)
        for operator in _SIDES & node.keys()
        for sides in [list(node[operator].values())]
    )


def _is_constant(side: Any) -> bool:
    return not any(True for _ in _asked(side))
