"""A share class: all that a policy may know of an indicator, and the bands of its age.

Classes are never updated and have no age; a grant carries the window of ages it holds for.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    PartyRole,
    PermittedAction,
    SourceGrade,
    Substance,
    Tlp,
)

AGE_BANDS: tuple[tuple[int, int], ...] = ((0, 6), (7, 29), (30, 89), (90, 364), (365, 32767))
"""First and last day of each band, both included; a policy sees the place in this list."""

KEY_LENGTH = 16  # bytes


@dataclass(frozen=True)
class ClassAttributes:
    """What distinguishes one share class of an organisation from another."""

    kind: Kind
    role: PartyRole
    tlp: Tlp
    handling: frozenset[Handling]
    source_grade: SourceGrade
    information_grade: InformationGrade
    assertion: Assertion
    permitted_action: PermittedAction
    barrier_step: int = 0  # 1 to 7; 0 where the report names none
    substance: Substance = Substance.UNKNOWN

    def stored(self) -> dict[str, Any]:
        """As the column `share_class.attributes` holds it."""
        return {
            "kind": self.kind.value,
            "role": self.role.value,
            "tlp": self.tlp.value,
            "handling": sorted(code.value for code in self.handling),
            "source_grade": self.source_grade.value,
            "information_grade": self.information_grade.value,
            "assertion": self.assertion.value,
            "permitted_action": self.permitted_action.value,
            "barrier_step": self.barrier_step,
            "substance": self.substance.value,
        }

    def key(self, organisation_id: int) -> bytes:
        """The 16 bytes by which a class of that organisation is found again."""
        canonical = json.dumps([organisation_id, self.stored()], sort_keys=True).encode("ascii")
        return hashlib.sha256(canonical).digest()[:KEY_LENGTH]


def read(stored: dict[str, Any]) -> ClassAttributes:
    """The attributes of a stored class; ValueError when a word left the closed lists."""
    return ClassAttributes(
        kind=Kind(stored["kind"]),
        role=PartyRole(stored["role"]),
        tlp=Tlp(stored["tlp"]),
        handling=frozenset(Handling(code) for code in stored["handling"]),
        source_grade=SourceGrade(stored["source_grade"]),
        information_grade=InformationGrade(stored["information_grade"]),
        assertion=Assertion(stored["assertion"]),
        permitted_action=PermittedAction(stored["permitted_action"]),
        barrier_step=int(stored["barrier_step"]),
        substance=Substance(stored["substance"]),
    )


def age_band(days: int) -> int:
    """The band of an age in days; an indicator of tomorrow is as young as one of today."""
    return next(band for band, (_, last) in enumerate(AGE_BANDS) if days <= last)
