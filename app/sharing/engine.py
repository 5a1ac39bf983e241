"""Cedar's answers: how far the policies of one owner let one seat go with its share classes.

Nothing here touches a database. Three rules make an answer safe: the schema is always passed, an
answer that carries an error is a denial (Cedar skips a forbid that errors), and the levels form a
chain in which the first denial ends it. What goes beyond a level is asked only of those who have
the level it stands on.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import cedarpy

from app.sharing.classes import AGE_BANDS, ClassAttributes
from app.sharing.distinctions import Distinctions, Shape
from app.sharing.policy_text import Policy, platform_policies, read, schema
from app.sharing.seats import Member, Seat
from postern.vocabulary import Action, LegalBasis, Level, Told

CHAIN = (Level.PRESENCE, Level.METADATA, Level.REQUEST)
"""Levels in the order in which they are granted; level n of a grant is `CHAIN[n - 1]`."""

CHAIN_ACTIONS = tuple(Action(level.value) for level in CHAIN)

_ANSWERS_KEPT = 20_000  # per policy text; beyond it the memory starts afresh
_TEXTS_KEPT = 2_048  # more than the owners of one exchange: laying out a reader asks all


@dataclass(frozen=True)
class Ruling:
    """What one seat gets of one class at one band of age.

    `level` is 0 (nothing) to 3 (request); `reasons` are the ids of the policies that granted it.
    Level 0 with `tells_owner`: the reader is not told of a hit, the owner is.
    """

    level: int
    reasons: tuple[str, ...]
    tells_owner: bool = False
    may_screen: bool = False
    may_feed: bool = False

    @property
    def told(self) -> Told | None:
        """Who is told of a hit; None when nobody is."""
        if self.level:
            return Told.BOTH if self.tells_owner else Told.REQUESTER_ONLY
        return Told.OWNER_ONLY if self.tells_owner else None


@dataclass(frozen=True)
class Verdict:
    """The answer for one action.

    `reasons` are the ids of the permits that allow it or of the forbids that deny it; a denial
    without any means that nothing permits it.
    """

    allowed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """The ages in days, both included, for which a ruling holds."""

    age_min: int
    age_max: int
    ruling: Ruling


NOTHING = Ruling(0, ())

Subject: TypeAlias = tuple[ClassAttributes, int]
"""A share class at an age band: what is asked about."""


class OwnerPolicies:
    """The policies of one owner above the platform's, parsed once.

    An owner's own people are decided by the platform's rules alone, so that no policy can hide an
    organisation's records from itself.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        everything = (*platform_policies(), *policies)
        self._set = policy_set({policy.id: policy.tree for policy in everything})
        self.labels = {policy.id: policy.label for policy in everything}
        self.actions = frozenset[Action]().union(
            *(policy.actions() for policy in everything if policy.permits)
        )
        self._tells = Distinctions(everything)
        self._asks_basis = any("legalBasis" in policy.attributes() for policy in policies)
        self._known: dict[tuple[Member, Shape, Shape], Ruling] = {}

    def distinct_bases(self) -> tuple[LegalBasis, ...]:
        """Legal bases enough to learn the most that a reader of any sector could be granted.

        Where the owner's own policies do not ask for it, a basis that the platform's rules hold
        against nobody stands for all.
        """
        return tuple(LegalBasis) if self._asks_basis else (LegalBasis.PUBLIC_TASK,)

    def windows(
        self, owner: Member, seats: Sequence[Seat], classes: Sequence[ClassAttributes]
    ) -> list[list[tuple[Window, ...]]]:
        """For each seat and each class the windows of age in which anybody is told anything.

        Seats outside, classes inside, both in the order given; windows youngest first.
        """
        bands = range(len(AGE_BANDS)) if self._tells.asks("ageBand") else range(1)
        subjects = [(attributes, band) for attributes in classes for band in bands]
        return [
            [
                _merged(rulings[start : start + len(bands)])
                for start in range(0, len(subjects), len(bands))
            ]
            for rulings in self.rulings(owner, seats, subjects)
        ]

    def rulings(
        self, owner: Member, seats: Sequence[Seat], subjects: Sequence[Subject]
    ) -> list[list[Ruling]]:
        """For each seat the ruling on each (class, age band) of `owner`."""
        shapes = [self._tells.of_subject(attributes, band) for attributes, band in subjects]
        by_shape = dict(zip(shapes, subjects, strict=True))
        readers = [self._tells.of_seat(owner, seat) for seat in seats]
        by_reader = dict(zip(readers, seats, strict=True))
        if len(self._known) + len(by_reader) * len(by_shape) > _ANSWERS_KEPT:
            self._known = {}
        known = self._known
        for own in (False, True):
            missing = [
                (reader, shape)
                for reader, seat in by_reader.items()
                if (seat.member.code == owner.code) is own
                for shape in by_shape
                if (owner, reader, shape) not in known
            ]
            if not missing:
                continue
            policies, actions = (_platform_set(), None) if own else (self._set, self.actions)
            asked = [(by_reader[reader], by_shape[shape]) for reader, shape in missing]
            answers = _decide(policies, owner, asked, actions)
            for (reader, shape), answer in zip(missing, answers, strict=True):
                known[owner, reader, shape] = answer
        return [[known[owner, reader, shape] for shape in shapes] for reader in readers]

    def explain(self, owner: Member, seat: Seat, subject: Subject) -> dict[Action, Verdict]:
        """The verdict on every action that was asked, in the order of asking, with its policies.

        An action whose gate was closed (metadata after a denied presence) is not asked and left
        out. Onward is about a third organisation: `may_pass_on`.
        """
        policies = _platform_set() if seat.member.code == owner.code else self._set
        cedar = Cedar(policies, owner, [seat], [subject])
        verdicts: dict[Action, Verdict] = {}
        for action in CHAIN_ACTIONS:
            verdicts[action] = cedar.verdict(action, seat, subject)
            if not verdicts[action].allowed:
                break
        is_told = verdicts[Action.PRESENCE].allowed
        is_shown = Action.METADATA in verdicts and verdicts[Action.METADATA].allowed
        beyond = [Action.SCREEN] * is_told + [Action.FEED] * is_shown
        for action in (*beyond, Action.TELL_OWNER if is_told else Action.ALERT_OWNER):
            verdicts[action] = cedar.verdict(action, seat, subject)
        return verdicts

    def may_pass_on(self, owner: Member, seat: Seat, subject: Subject, to: Member) -> Verdict:
        """Whether the seat may pass on what it sees of a class to the organisation `to`.

        Only what is seen at metadata or above can be passed on.
        """
        ((ruling,),) = self.rulings(owner, [seat], [subject])
        if ruling.level < rank(Level.METADATA):
            return Verdict(False, ())
        policies = _platform_set() if seat.member.code == owner.code else self._set
        return Cedar(policies, owner, [seat], [subject], to).verdict(Action.ONWARD, seat, subject)


def load(text: str) -> OwnerPolicies:
    """The policies of an owner's text, from memory when it was read before.

    PolicyRefusedError when the text is not valid; the empty text shares nothing.
    """
    return _load(text)


def rank(level: Level) -> int:
    """The number of a level in a grant, 1 to 3."""
    return CHAIN.index(level) + 1


def policy_set(trees: Mapping[str, dict[str, Any]]) -> cedarpy.PolicySet:
    """Policies in Cedar's JSON form, by the ids that reasons are to carry."""
    document = {"templates": {}, "templateLinks": [], "staticPolicies": trees}
    return cedarpy.PolicySet.from_json_str(json.dumps(document))


@lru_cache(maxsize=_TEXTS_KEPT)
def _load(text: str) -> OwnerPolicies:
    return OwnerPolicies(read(text))


@lru_cache(maxsize=1)
def _platform_set() -> cedarpy.PolicySet:
    return policy_set({policy.id: policy.tree for policy in platform_policies()})


def _merged(rulings: Sequence[Ruling]) -> tuple[Window, ...]:
    """Join neighbouring bands with the same ruling; one ruling stands for all ages."""
    oldest = AGE_BANDS[-1][1]
    if len(rulings) == 1:
        return (Window(0, oldest, rulings[0]),) if rulings[0].told else ()
    windows: list[Window] = []
    for (first, last), ruling in zip(AGE_BANDS, rulings, strict=True):
        if windows and windows[-1].ruling == ruling and windows[-1].age_max == first - 1:
            windows[-1] = Window(windows[-1].age_min, last, ruling)
        elif ruling.told:
            windows.append(Window(first, last, ruling))
    return tuple(windows)


def _decide(
    policies: cedarpy.PolicySet,
    owner: Member,
    questions: Sequence[tuple[Seat, Subject]],
    permitted: frozenset[Action] | None,
) -> list[Ruling]:
    """Climb the chain for all questions together; only those let through are asked the next.

    `permitted` are the actions that some policy permits; others need no asking (None: ask all).
    """
    cedar = Cedar(policies, owner, [seat for seat, _ in questions], [s for _, s in questions])

    def allowed(action: Action, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
        if not numbers or (permitted is not None and action not in permitted):
            return {}
        verdicts = cedar.verdicts(action, [questions[number] for number in numbers])
        return {
            number: verdict.reasons
            for number, verdict in zip(numbers, verdicts, strict=True)
            if verdict.allowed
        }

    everybody = range(len(questions))
    answers = [NOTHING] * len(questions)
    climbed: list[Sequence[int]] = []
    climbing: Sequence[int] = everybody
    for level, action in enumerate(CHAIN_ACTIONS, 1):
        found = allowed(action, climbing)
        for number, reasons in found.items():
            answers[number] = Ruling(level, reasons)
        climbing = list(found)
        climbed.append(climbing)
    told, shown, _ = climbed
    for number in allowed(Action.TELL_OWNER, told):
        answers[number] = replace(answers[number], tells_owner=True)
    for number in allowed(Action.SCREEN, told):
        answers[number] = replace(answers[number], may_screen=True)
    for number in allowed(Action.FEED, shown):
        answers[number] = replace(answers[number], may_feed=True)
    untold = sorted(set(everybody).difference(told))
    for number, reasons in allowed(Action.ALERT_OWNER, untold).items():
        answers[number] = Ruling(0, reasons, tells_owner=True)
    return answers


class Cedar:
    """The seats and subjects of some questions as Cedar's entities, ready to be asked about."""

    def __init__(
        self,
        policies: cedarpy.PolicySet,
        owner: Member,
        seats: Sequence[Seat],
        subjects: Sequence[Subject],
        to: Member | None = None,
    ) -> None:
        self._policies = policies
        self._seats = {seat: f'Seat::"{n}"' for n, seat in enumerate(dict.fromkeys(seats))}
        self._subjects = {
            subject: f'ShareClass::"{n}"' for n, subject in enumerate(dict.fromkeys(subjects))
        }
        self._entities = cedarpy.Entities.from_json_str(
            json.dumps(_entities(owner, list(self._seats), list(self._subjects), to)), schema()
        )
        self._contexts = {seat: _context(seat, to) for seat in self._seats}

    def verdict(self, action: Action, seat: Seat, subject: Subject) -> Verdict:
        """The answer to one question."""
        (found,) = self.verdicts(action, [(seat, subject)])
        return found

    def verdicts(self, action: Action, questions: Sequence[tuple[Seat, Subject]]) -> list[Verdict]:
        """The answers to the questions, in their order; an answer with an error is a denial."""
        requests = [
            {
                "principal": self._seats[seat],
                "action": f'Action::"{action.value}"',
                "resource": self._subjects[subject],
                "context": self._contexts[seat],
            }
            for seat, subject in questions
        ]
        results = cedarpy.is_authorized_batch(requests, self._policies, self._entities, schema())
        return [
            Verdict(
                result.allowed and not result.diagnostics.errors,
                tuple(sorted(result.diagnostics.reasons)),
            )
            for result in results
        ]


def _context(seat: Seat, to: Member | None) -> str:
    stated = {
        "purpose": {"__entity": _uid("Purpose", seat.purpose.value)},
        "legalBasis": {"__entity": _uid("LegalBasis", seat.legal_basis.value)},
    }
    if to is not None:
        stated["to"] = {"__entity": _uid("Organisation", to.code)}
    return json.dumps(stated)


def _entities(
    owner: Member, seats: Sequence[Seat], subjects: Sequence[Subject], to: Member | None
) -> list[dict[str, Any]]:
    # As a reader or recipient an organisation has its communities, as an owner it has none.
    by_code = {owner.code: _organisation(owner, ())}
    for member in (*(seat.member for seat in seats), *((to,) if to else ())):
        by_code[member.code] = _organisation(member, member.communities)
    organisations = list(by_code.values())
    readers = [
        {
            "uid": _uid("Seat", str(number)),
            "parents": [_uid("Organisation", seat.member.code)],
            "attrs": {
                "organisation": _uid("Organisation", seat.member.code),
                "sector": _uid("Sector", seat.member.sector.value),
                "country": _uid("Country", seat.member.country),
                "role": _uid("Role", seat.role.value),
            },
        }
        for number, seat in enumerate(seats)
    ]
    classes = [
        {
            "uid": _uid("ShareClass", str(number)),
            "parents": [],
            "attrs": {"owner": _uid("Organisation", owner.code), **_described(attributes, band)},
        }
        for number, (attributes, band) in enumerate(subjects)
    ]
    return [*organisations, *readers, *classes]


def _organisation(member: Member, communities: Iterable[str]) -> dict[str, Any]:
    parents = [_uid("Sector", member.sector.value), _uid("Country", member.country)]
    parents += [_uid("Community", code) for code in communities]
    return {"uid": _uid("Organisation", member.code), "parents": parents, "attrs": {}}


def _described(attributes: ClassAttributes, band: int) -> dict[str, Any]:
    """The attributes of a class as the schema calls them."""
    return {
        "kind": _uid("Kind", attributes.kind.value),
        "role": _uid("PartyRole", attributes.role.value),
        "tlp": _uid("Tlp", attributes.tlp.value),
        "handling": [_uid("Handling", code) for code in sorted(attributes.handling)],
        "sourceGrade": _uid("SourceGrade", attributes.source_grade.value),
        "informationGrade": int(attributes.information_grade.value),
        "assertion": _uid("Assertion", attributes.assertion.value),
        "permittedAction": _uid("PermittedAction", attributes.permitted_action.value),
        "barrierStep": attributes.barrier_step,
        "substance": _uid("Substance", attributes.substance.value),
        "ageBand": band,
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
