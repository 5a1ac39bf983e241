"""Two versions of a model beside each other: what came, what went, what is said otherwise.

What is the same thing in both is told by its key and column. Old reports keep the version that
they were tagged with; `gone` says which of their tags the new version does not know.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from app.barriers.model import Barrier, BarrierModel, Cell, CellKind, Signal, Step, Wording


class Part(StrEnum):
    """What a part of a model is: a step, or a cell of one of its columns."""

    STEP = "step"
    OPPORTUNITY = "opportunity"
    SIGNAL = "signal"
    FACILITATOR = "facilitator"
    PARTNER = "partner"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class Tag:
    """A step, or a signal or barrier of one, by its keys.

    Reports, indicators, patterns and outcomes are tagged by steps and signals; a barrier that an
    organisation registers is tagged by that of the model.
    """

    step: str
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A part of a model by its key, and the number of its step."""

    part: Part
    step: int
    key: str


@dataclass(frozen=True, slots=True)
class Reworded:
    """A part whose text differs, and in which languages."""

    named: Named
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A part that stands at another step now; `named` is where it stands now."""

    named: Named
    step_before: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a version changes. `changed` is everything but texts: sources, rules, who sets it.

    `objections`: why the later text is no later version of the earlier one. `heading`: what
    differs of the document itself, such as its status.
    """

    objections: tuple[str, ...]
    heading: tuple[str, ...]
    added: tuple[Named, ...]
    removed: tuple[Named, ...]
    moved: tuple[Moved, ...]
    reworded: tuple[Reworded, ...]
    changed: tuple[Named, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs but the version's number."""
        return not any(
            (self.heading, self.added, self.removed, self.moved, self.reworded, self.changed)
        )


def compared(before: BarrierModel, after: BarrierModel) -> Comparison:
    """What `after` changes of `before`, in the order of the documents."""
    old, new = _parts(before), _parts(after)
    both = [key for key in new if key in old]
    return Comparison(
        tuple(_objections(before, after)),
        tuple(name for name in _HEADING if getattr(before, name) != getattr(after, name)),
        tuple(named for key, (named, _) in new.items() if key not in old),
        tuple(named for key, (named, _) in old.items() if key not in new),
        tuple(
            Moved(new[key][0], old[key][0].step)
            for key in both
            if old[key][0].step != new[key][0].step
        ),
        tuple(_reworded({key: (old[key][1], new[key]) for key in both})),
        tuple(
            named
            for key, (named, part) in new.items()
            if key in old and _without_texts(part) != _without_texts(old[key][1])
        ),
    )


def gone(model: BarrierModel, tags: Collection[Tag]) -> tuple[Tag, ...]:
    """Those of the tags that a model does not know, in their order.

    What moved to another step is gone from the step that it was tagged at.
    """
    known = {Tag(step.key) for step in model.steps}
    for step in model.steps:
        known |= {Tag(step.key, cell.key) for cell in (*step.signals, *step.barriers)}
    return tuple(tag for tag in tags if tag not in known)


_HEADING = ("languages", "title", "status", "statement", "sources", "partners")

_Key = tuple[Part, str]
_Found = tuple[Named, Step | Cell]


def _parts(model: BarrierModel) -> Mapping[_Key, _Found]:
    """Every part by what identifies it; a partner's cell by its step too."""
    return dict(_keyed_parts(model))


def _keyed_parts(model: BarrierModel) -> Iterator[tuple[_Key, _Found]]:
    for step in model.steps:
        yield (Part.STEP, step.key), (Named(Part.STEP, step.number, step.key), step)
        for kind, cell in step.cells:
            part = Part(kind.value)
            of_step = f"{step.key}/" if kind is CellKind.PARTNER else ""
            yield (part, of_step + cell.key), (Named(part, step.number, cell.key), cell)


def _objections(before: BarrierModel, after: BarrierModel) -> Iterator[str]:
    if before.id != after.id:
        yield "It has another id: it is another model, not a version of this one."
    if after.version <= before.version:
        yield f"Its version is {after.version}, and must be larger than {before.version}."


def _reworded(both: Mapping[_Key, tuple[Step | Cell, _Found]]) -> Iterator[Reworded]:
    for earlier, (named, later) in both.values():
        old, new = _texts(earlier), _texts(later)
        languages = [
            language
            for language in dict.fromkeys(each for texts in (new, old) for each in texts)
            if old.get(language) != new.get(language)
        ]
        if languages:
            yield Reworded(named, tuple(languages))


def _texts(part: Step | Cell) -> Mapping[str, tuple[str, ...]]:
    """Every text of a part by language, in one order."""
    if isinstance(part, Step):
        wordings: list[Wording | None] = [part.title, part.summary]
    else:
        wordings = [part.text]
    if isinstance(part, Barrier):
        wordings += [part.legal_basis.text if part.legal_basis else None, part.evidence.text]
    found: dict[str, tuple[str, ...]] = {}
    for wording in wordings:
        for language, text in wording.texts if wording else ():
            found[language] = (*found.get(language, ()), text)
    return found


def _without_texts(part: Step | Cell) -> object:
    """What a part says beside its texts, and without the cells of a step."""
    if isinstance(part, Step):
        return part.basis, part.sources
    rest: object = None
    if isinstance(part, Signal):
        rest = part.suggest
    elif isinstance(part, Barrier):
        legal = part.legal_basis
        rest = (
            *(part.type, part.set_by, part.cost, part.cost_basis),
            legal.sources if legal else None,
            replace(part.evidence, text=None),
        )
    return part.basis, part.sources, rest
