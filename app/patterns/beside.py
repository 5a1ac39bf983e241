"""What decides who may have a pattern and stands beside its document, not in it."""

from dataclasses import dataclass

from app.patterns.models import PatternVersion
from app.sharing.classes import ClassAttributes
from postern.patterns import Rule
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    PartyRole,
    PermittedAction,
    SourceGrade,
    Substance,
)


@dataclass(frozen=True, slots=True)
class Beside:
    """Handling codes, grades, and the substance it is about, as an indicator has them."""

    handling: frozenset[Handling] = frozenset()
    source_grade: SourceGrade = SourceGrade.X
    information_grade: InformationGrade = InformationGrade.FOUR
    assertion: Assertion = Assertion.ASSESSMENT
    substance: Substance = Substance.UNKNOWN

    def share_class(self, rule: Rule) -> ClassAttributes:
        """All that a policy may know of a version with this document."""
        return ClassAttributes(
            kind=Kind.PATTERN,
            role=PartyRole.SHIPMENT,
            tlp=rule.tlp,
            handling=self.handling,
            source_grade=self.source_grade,
            information_grade=self.information_grade,
            assertion=self.assertion,
            permitted_action=PermittedAction.WATCH,
            barrier_step=rule.barrier_step,
            substance=self.substance,
        )


def beside(version: PatternVersion) -> Beside:
    """What stands beside the version's document."""
    return Beside(
        handling=frozenset(Handling(code) for code in version.handling),
        source_grade=version.source_grade,
        information_grade=version.information_grade,
        assertion=version.assertion,
        substance=version.substance,
    )
