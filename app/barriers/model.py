"""A barrier model as a value: the steps of a criminal process, and what is known of each.

A step has opportunities, signals, facilitators, partners and barriers: the anatomy of the models
of the Dutch CCV. Nothing in it can run, and nothing here reads a database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.barriers.suggesting import SuggestionRule
from app.barriers.words import words
from postern.vocabulary import Sector

FORMAT = "barrier-model/1"
MOST_STEPS = 12


class Status(StrEnum):
    """What a model claims to be; a page shows it wherever the model is shown."""

    DERIVED = "derived"  # concluded from public sources: not an official list
    OFFICIAL = "official"  # those who loaded it say that it is the official list
    OWN = "own"  # the working model of an organisation or community


class Reading(StrEnum):
    """How much of a source the makers have read."""

    PRIMARY = "primary"  # the text itself
    EXCERPT = "excerpt"  # a part of it, or another text that quotes it
    MEMORY = "memory"  # not verified


class Basis(StrEnum):
    """What a cell rests on."""

    STATED = "stated"  # a named source says it
    DERIVED = "derived"  # concluded from named sources, which do not say it so
    JUDGEMENT = "judgement"  # of the makers; no source is named


class BarrierType(StrEnum):
    """The kind of thing that a barrier is."""

    DUTY = "duty"  # somebody must do it by law
    CHECK = "check"  # people, items or declarations are looked at
    TECHNICAL = "technical"  # equipment or software
    INFORMATION = "information"  # somebody is told what somebody else knows
    DESIGN = "design"  # a product or process is made otherwise
    ENFORCEMENT = "enforcement"  # investigation and prosecution
    AGREEMENT = "agreement"  # partners bind themselves
    TRAINING = "training"  # people learn what to look for


class Cost(StrEnum):
    """What a barrier costs whoever sets it, coarsely."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    NOT_KNOWN = "not_known"


class CostBasis(StrEnum):
    """What the cost rests on."""

    ESTIMATE = "estimate"  # the makers' own: no figures were found
    STATED = "stated"  # a source of the cell says it


class Strength(StrEnum):
    """The strongest thing that speaks about a barrier's effect, weakest first."""

    NONE = "none"
    PRESS = "press"
    OFFICIAL = "official"  # an authority says so, without figures that can be checked
    STUDY = "study"
    MEASURED = "measured"  # before and after, or against a comparison


class Finding(StrEnum):
    """What the evidence says of a barrier."""

    SUPPORTS = "supports"
    UNCLEAR = "unclear"
    CONTRADICTS = "contradicts"


class CellKind(StrEnum):
    """The columns of a step."""

    OPPORTUNITY = "opportunity"
    SIGNAL = "signal"
    FACILITATOR = "facilitator"
    PARTNER = "partner"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in the languages of its document, in their order."""

    texts: tuple[tuple[str, str], ...]

    def said(self, language: str) -> tuple[str, str]:
        """The text in a language, else in the document's first; and which language that is."""
        found = dict(self.texts)
        spoken = language if language in found else self.texts[0][0]
        return found[spoken], spoken


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is known from. `date` is ISO 8601, maybe only a year; empty: not known."""

    key: str
    title: str
    publisher: str
    date: str
    url: str
    read: Reading


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody who sees signals or sets barriers; `sectors` are those of organisations here."""

    key: str
    title: Wording
    sectors: tuple[Sector, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One statement about a step. The key of a partner's cell is that of the partner."""

    key: str
    text: Wording
    basis: Basis
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signal(Cell):
    """Something that can be seen; `suggest` says for which reports it is suggested."""

    suggest: SuggestionRule | None


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """The law that a barrier rests on, as its sources tell it."""

    text: Wording
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a barrier's effect; without any, there is nothing but its strength."""

    strength: Strength
    finding: Finding | None
    text: Wording | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Barrier(Cell):
    """Something that makes the step harder. `set_by` are keys of partners of the step.

    `legal_basis` is None where it is not known.
    """

    type: BarrierType
    set_by: tuple[str, ...]
    cost: Cost
    cost_basis: CostBasis | None
    legal_basis: LegalBasis | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the process. What rests on what is told of the step itself and of each cell."""

    number: int
    key: str
    title: Wording
    summary: Wording
    basis: Basis
    sources: tuple[str, ...]
    opportunities: tuple[Cell, ...]
    signals: tuple[Signal, ...]
    facilitators: tuple[Cell, ...]
    partners: tuple[Cell, ...]
    barriers: tuple[Barrier, ...]

    @property
    def cells(self) -> Iterator[tuple[CellKind, Cell]]:
        """Every cell with its column, in the order of the document."""
        columns: Mapping[CellKind, Sequence[Cell]] = {
            CellKind.OPPORTUNITY: self.opportunities,
            CellKind.SIGNAL: self.signals,
            CellKind.FACILITATOR: self.facilitators,
            CellKind.PARTNER: self.partners,
            CellKind.BARRIER: self.barriers,
        }
        return ((kind, cell) for kind, cells in columns.items() for cell in cells)


@dataclass(frozen=True, slots=True)
class BarrierModel:
    """A version of a model. `statement` says in words what `status` says as a word."""

    id: str
    version: int
    languages: tuple[str, ...]
    title: Wording
    status: Status
    statement: Wording
    sources: tuple[Source, ...]
    partners: tuple[Partner, ...]
    steps: tuple[Step, ...]

    def label(self, language: str) -> str:
        """What the model claims to be, in words: to be shown wherever any of it is shown.

        Raises KeyError for a language that is not one of `LANGUAGES`.
        """
        return words(language).names["status"][self.status]

    def source(self, key: str) -> Source:
        """The source of that key. Raises StopIteration for one that the model has not."""
        return next(each for each in self.sources if each.key == key)

    def partner(self, key: str) -> Partner:
        """The partner of that key. Raises StopIteration for one that the model has not."""
        return next(each for each in self.partners if each.key == key)

    @property
    def signals(self) -> Iterator[tuple[Step, Signal]]:
        """Every signal with its step."""
        return ((step, signal) for step in self.steps for signal in step.signals)
