"""What policies can tell apart: all else is asked about once.

What no policy asks for cannot change an answer: of all readers and of all classes of records that
are alike to every policy, one stands for all. Tests hold this to Cedar asked about each.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from app.sharing.classes import ClassAttributes
from app.sharing.policy_text import NUMBERS, Policy, nodes
from app.sharing.seats import Member, Seat
from postern.vocabulary import InformationGrade

Shape: TypeAlias = tuple[Any, ...]
"""As much of a subject, or of a seat, as some policy asks for."""

_FIELDS = {
    "kind": "kind",
    "role": "role",
    "tlp": "tlp",
    "handling": "handling",
    "sourceGrade": "source_grade",
    "informationGrade": "information_grade",
    "assertion": "assertion",
    "permittedAction": "permitted_action",
    "barrierStep": "barrier_step",
    "substance": "substance",
}
"""The schema's name of each attribute of a share class, and ours."""

_AFTER = {"<=": (0,), ">": (0,), "<": (-1,), ">=": (-1,), "==": (-1, 0), "!=": (-1, 0)}
"""Seen from the number that is compared with: after which values the answer changes."""


class Distinctions:
    """Of the given policies; readers and subjects with equal shapes get equal answers."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._asked = frozenset[str]().union(*(policy.attributes() for policy in policies))
        self._named = frozenset[tuple[str, str]]().union(
            *(policy.entities() for policy in policies)
        )
        # Where a recipient is compared with the reader's country, each country counts.
        self._relates_countries = any({"country", "to"} <= each.attributes() for each in policies)
        self._cuts = _cuts(policies)

    def asks(self, attribute: str) -> bool:
        """Whether some policy asks for an attribute of that name."""
        return attribute in self._asked

    def of_subject(self, attributes: ClassAttributes, band: int) -> Shape:
        """What the policies can tell of a subject."""
        return (
            self._told_number("ageBand", band),
            *(
                self._told(name, getattr(attributes, field))
                for name, field in _FIELDS.items()
                if name in self._asked
            ),
        )

    def of_seat(self, owner: Member, seat: Seat) -> Shape:
        """What the policies can tell of a seat that asks for what `owner` submitted."""
        return (
            seat.member.code == owner.code,
            *self.of_member(owner, seat.member),
            self._told_word(seat.role),
            self._told_word(seat.purpose),
            self._told_word(seat.legal_basis),
        )

    def of_member(self, owner: Member, member: Member) -> Shape:
        """What the policies can tell of an organisation other than the owner.

        Two of one sector differ only where a policy names one of them, its country or one of its
        communities, asks whether the owner is in its country, or whether a recipient is.
        """
        return (
            member.sector,
            member.country if self._tells_country(owner, member) else None,
            frozenset(each for each in member.communities if ("Community", each) in self._named),
            member.code if ("Organisation", member.code) in self._named else None,
        )

    def _tells_country(self, owner: Member, member: Member) -> bool:
        return (
            ("Country", member.country) in self._named
            or self._relates_countries
            or ("country" in self._asked and member.country == owner.country)
        )

    def _told(self, name: str, value: Any) -> Any:
        """What the policies that ask for it can tell of an attribute of a record."""
        if isinstance(value, InformationGrade | int):
            return self._told_number(name, int(value))
        return value if isinstance(value, frozenset) else self._told_word(value)

    def _told_word(self, word: StrEnum) -> StrEnum | None:
        """A word of a closed list if some policy names it.

        Policies can only ask whether a word is one that they name: all others are one to them.
        """
        return word if (type(word).__name__, word.value) in self._named else None

    def _told_number(self, name: str, value: int) -> int:
        """Between which of the numbers that policies compare it with a value stands."""
        return bisect_left(self._cuts[name], value)


def _cuts(policies: Iterable[Policy]) -> dict[str, list[int]]:
    """For each number of a class, the values after which some policy's answer may change.

    Every value, where a policy does more with the number than compare it with another.
    """
    cuts: dict[str, set[int]] = {name: set() for name in NUMBERS}
    asked, compared = Counter[str](), Counter[str]()
    for node in (node for policy in policies for node in nodes(policy.tree)):
        if node.get("attr") in cuts:
            asked[node["attr"]] += 1
        for operator, after in _AFTER.items():
            found = _comparison(node.get(operator))
            if found and found[0] in cuts:
                name, number = found
                compared[name] += 1
                cuts[name].update(number + step for step in after)
    return {
        name: sorted(after) if asked[name] == compared[name] else list(range(*NUMBERS[name]))
        for name, after in cuts.items()
    }


def _comparison(sides: Any) -> tuple[str, int] | None:
    """The attribute and the number that are compared; None in any other form.

    Written the other way round (3 >= resource.ageBand) it is one of those.
    """
    match sides:
        case {
            "left": {".": {"left": {"Var": _}, "attr": str(name)}},
            "right": {"Value": int(number)},
        }:
            return name, number
    return None
