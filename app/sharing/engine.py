"""Cedar's answers: how far the policies of one owner let one seat go with its share classes.

Nothing here touches a database. Three rules make an answer safe: the schema is always passed, an
answer that carries an error is a denial (Cedar skips a forbid that errors), and the levels form a
chain in which the first denial ends it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cedarpy

from app.sharing.classes import AGE_BANDS, ClassAttributes
from app.sharing.policy_text import Policy, platform_policies, read, schema
from postern.vocabulary import LegalBasis, Level, Purpose, Role, Sector

CHAIN = (Level.PRESENCE, Level.METADATA, Level.REQUEST)
"""Levels in the order in which they are granted; level n of a grant is `CHAIN[n - 1]`."""

_ANSWERS_KEPT = 100_000  # per policy text; beyond it the memory starts afresh
_TEXTS_KEPT = 256


@dataclass(frozen=True)
class Member:
    """An organisation as policies know it; an owner's communities play no part in a decision."""

    code: str
    sector: Sector
    country: str
    communities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seat:
    """A reader without the person, and why they read."""

    member: Member
    role: Role
    purpose: Purpose
    legal_basis: LegalBasis


@dataclass(frozen=True)
class Ruling:
    """Level 0 (nothing) to 3 (request), and the ids of the policies that granted it."""

    level: int
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

Shape: TypeAlias = tuple[Any, ...]
"""As much of a subject as some policy asks for."""

_FIELDS = {
    "kind": "kind",
    "role": "role",
    "tlp": "tlp",
    "handling": "handling",
    "sourceGrade": "source_grade",
    "informationGrade": "information_grade",
    "assertion": "assertion",
    "permittedAction": "permitted_action",
}
"""The schema's name of each attribute of a share class, and ours."""


class OwnerPolicies:
    """The policies of one owner above the platform's, parsed once.

    An owner's own people are decided by the platform's rules alone, so that no policy can hide an
    organisation's records from itself.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._set = _policy_set([*platform_policies(), *policies])
        self.labels = {policy.id: policy.label for policy in (*platform_policies(), *policies)}
        # What no policy asks for cannot change an answer: classes that differ only in that are
        # asked about once.
        self._asked = frozenset[str]().union(
            *(policy.attributes() for policy in (*platform_policies(), *policies))
        )
        self._asks_basis = any("legalBasis" in policy.attributes() for policy in policies)
        self._known: dict[tuple[Member, Seat, Shape], Ruling] = {}

    def distinct_bases(self) -> tuple[LegalBasis, ...]:
        """Legal bases enough to learn the most that a reader of any sector could be granted.

        Where the owner's own policies do not ask for it, a basis that the platform's rules forbid
        to nobody stands for all.
        """
        return tuple(LegalBasis) if self._asks_basis else (LegalBasis.PUBLIC_TASK,)

    def windows(
        self, owner: Member, seats: Sequence[Seat], classes: Sequence[ClassAttributes]
    ) -> list[list[tuple[Window, ...]]]:
        """For each seat and each class the windows of age with a level above nothing.

        Seats outside, classes inside, both in the order given; windows youngest first.
        """
        bands = range(len(AGE_BANDS)) if "ageBand" in self._asked else range(1)
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
        shapes = [self._shape(attributes, band) for attributes, band in subjects]
        by_shape = dict(zip(shapes, subjects, strict=True))
        if len(self._known) + len(seats) * len(by_shape) > _ANSWERS_KEPT:
            self._known = {}
        known = self._known
        by_member: dict[Member, list[tuple[Seat, Shape]]] = {}
        for seat in dict.fromkeys(seats):
            missing = [(seat, shape) for shape in by_shape if (owner, seat, shape) not in known]
            by_member.setdefault(seat.member, []).extend(missing)
        for member, questions in by_member.items():
            if not questions:
                continue
            policies = _platform_set() if member.code == owner.code else self._set
            asked = [(seat, by_shape[shape]) for seat, shape in questions]
            answers = _decide(policies, owner, member, asked)
            for (seat, shape), answer in zip(questions, answers, strict=True):
                known[owner, seat, shape] = answer
        return [[known[owner, seat, shape] for shape in shapes] for seat in seats]

    def _shape(self, attributes: ClassAttributes, band: int) -> Shape:
        """What the policies can tell of a subject."""
        asked = self._asked
        return (
            band if "ageBand" in asked else None,
            *(getattr(attributes, field) for name, field in _FIELDS.items() if name in asked),
        )


def load(text: str) -> OwnerPolicies:
    """The policies of an owner's text, from memory when it was read before.

    PolicyRefusedError when the text is not valid; the empty text shares nothing.
    """
    return _load(text)


def rank(level: Level) -> int:
    """The number of a level in a grant, 1 to 3."""
    return CHAIN.index(level) + 1


@lru_cache(maxsize=_TEXTS_KEPT)
def _load(text: str) -> OwnerPolicies:
    return OwnerPolicies(read(text))


@lru_cache(maxsize=1)
def _platform_set() -> cedarpy.PolicySet:
    return _policy_set(platform_policies())


def _policy_set(policies: Iterable[Policy]) -> cedarpy.PolicySet:
    """Loaded through JSON, so that reasons carry our ids and not positions."""
    document = {
        "templates": {},
        "templateLinks": [],
        "staticPolicies": {policy.id: policy.tree for policy in policies},
    }
    return cedarpy.PolicySet.from_json_str(json.dumps(document))


def _merged(rulings: Sequence[Ruling]) -> tuple[Window, ...]:
    """Join neighbouring bands with the same ruling; one ruling stands for all ages."""
    oldest = AGE_BANDS[-1][1]
    if len(rulings) == 1:
        return (Window(0, oldest, rulings[0]),) if rulings[0].level else ()
    windows: list[Window] = []
    for (first, last), ruling in zip(AGE_BANDS, rulings, strict=True):
        if windows and windows[-1].ruling == ruling and windows[-1].age_max == first - 1:
            windows[-1] = Window(windows[-1].age_min, last, ruling)
        elif ruling.level:
            windows.append(Window(first, last, ruling))
    return tuple(windows)


def _decide(
    policies: cedarpy.PolicySet,
    owner: Member,
    member: Member,
    questions: Sequence[tuple[Seat, Subject]],
) -> list[Ruling]:
    """Climb the chain for all questions together; only those let through are asked the next.

    All seats are those of `member`.
    """
    seats = {seat: f'Seat::"{n}"' for n, seat in enumerate(dict.fromkeys(s for s, _ in questions))}
    subjects = {
        subject: f'ShareClass::"{n}"'
        for n, subject in enumerate(dict.fromkeys(s for _, s in questions))
    }
    entities = cedarpy.Entities.from_json_str(
        json.dumps(_entities(owner, member, list(seats), list(subjects))), schema()
    )
    contexts = {seat: _context(seat) for seat in seats}
    answers = [NOTHING] * len(questions)
    climbing = list(range(len(questions)))
    for level in CHAIN:
        requests = [
            {
                "principal": seats[seat],
                "action": f'Action::"{level.value}"',
                "resource": subjects[subject],
                "context": contexts[seat],
            }
            for seat, subject in (questions[number] for number in climbing)
        ]
        results = cedarpy.is_authorized_batch(requests, policies, entities, schema())
        let_through = []
        for number, result in zip(climbing, results, strict=True):
            if result.allowed and not result.diagnostics.errors:
                answers[number] = Ruling(rank(level), tuple(sorted(result.diagnostics.reasons)))
                let_through.append(number)
        climbing = let_through
        if not climbing:
            break
    return answers


def _context(seat: Seat) -> str:
    return json.dumps(
        {
            "purpose": {"__entity": _uid("Purpose", seat.purpose.value)},
            "legalBasis": {"__entity": _uid("LegalBasis", seat.legal_basis.value)},
        }
    )


def _entities(
    owner: Member, member: Member, seats: Sequence[Seat], subjects: Sequence[Subject]
) -> list[dict[str, Any]]:
    organisations = [_organisation(member, member.communities)]
    if owner.code != member.code:
        organisations.append(_organisation(owner, ()))
    readers = [
        {
            "uid": _uid("Seat", str(number)),
            "parents": [_uid("Organisation", member.code)],
            "attrs": {
                "organisation": _uid("Organisation", member.code),
                "sector": _uid("Sector", member.sector.value),
                "country": _uid("Country", member.country),
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
        "ageBand": band,
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
