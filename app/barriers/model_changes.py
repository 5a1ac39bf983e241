"""What one version of a model changes of another, part by part, for people to read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.barriers.comparing import Comparison, Named, Part, compared
from app.barriers.model import Barrier, BarrierModel, Cell, Signal, Step, Wording
from app.barriers.suggesting import Wanted
from app.barriers.words import Words, words


class Became(StrEnum):
    """What became of a part; several may be true of one."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    REWORDED = "reworded"
    CHANGED = "changed"


class Aspect(StrEnum):
    """What may differ of a part, or of the document, beside its text."""

    LANGUAGES = "languages"
    TITLE = "title"
    STATUS = "status"
    STATEMENT = "statement"
    SOURCES = "sources"
    PARTNERS = "partners"
    BASIS = "basis"
    RULE = "rule"
    TYPE = "type"
    SET_BY = "set_by"
    COST = "cost"
    COST_BASIS = "cost_basis"
    LEGAL_SOURCES = "legal_sources"
    EVIDENCE = "evidence"
    EVIDENCE_SOURCES = "evidence_sources"


@dataclass(frozen=True, slots=True)
class Difference:
    """What an aspect was and is, in words; empty for nothing."""

    aspect: Aspect
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PartChange:
    """A part that differs; `step` is where it stands in the later version, or stood.

    `before` and `after` are its text, None where it was or is not there. `languages` are those in
    which it says something else.
    """

    became: Sequence[Became]
    part: Part
    step: int
    step_before: int | None
    before: Wording | None
    after: Wording | None
    languages: Sequence[str]
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Changes:
    """`is_later`: the second may follow the first. `document`: what differs of it as a whole."""

    is_later: bool
    document: Sequence[Difference]
    parts: Sequence[PartChange]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs but the version's number."""
        return not self.document and not self.parts


def changes(before: BarrierModel, after: BarrierModel, language: str) -> Changes:
    """What `after` changes of `before`, in the order of the steps.

    Raises KeyError for a language that is not one of `LANGUAGES`.
    """
    found = compared(before, after)
    return Changes(
        is_later=not found.objections,
        document=list(_of_document(found.heading, before, after, language)),
        parts=sorted(_parts(found, before, after, language), key=lambda each: each.step),
    )


def _parts(
    found: Comparison, before: BarrierModel, after: BarrierModel, language: str
) -> Iterator[PartChange]:
    old, new = _by_name(before), _by_name(after)
    moved = {each.named: each.step_before for each in found.moved}
    reworded = {each.named: each.languages for each in found.reworded}
    changed = set(found.changed)
    for named in found.removed:
        text = _text(old[named])
        yield PartChange([Became.REMOVED], named.part, named.step, None, text, None, (), ())
    for named in found.added:
        text = _text(new[named])
        yield PartChange([Became.ADDED], named.part, named.step, None, None, text, (), ())
    for named in dict.fromkeys((*moved, *reworded, *found.changed)):
        earlier = old[Named(named.part, moved.get(named, named.step), named.key)]
        kinds = ((Became.MOVED, moved), (Became.REWORDED, reworded), (Became.CHANGED, changed))
        differing = named in changed
        yield PartChange(
            became=[kind for kind, of_kind in kinds if named in of_kind],
            part=named.part,
            step=named.step,
            step_before=moved.get(named),
            before=_text(earlier),
            after=_text(new[named]),
            languages=reworded.get(named, ()),
            differences=list(_differences(earlier, new[named], before, after, language))
            if differing
            else (),
        )


def _by_name(model: BarrierModel) -> Mapping[Named, Step | Cell]:
    found: dict[Named, Step | Cell] = {}
    for step in model.steps:
        found[Named(Part.STEP, step.number, step.key)] = step
        for kind, cell in step.cells:
            found[Named(Part(kind.value), step.number, cell.key)] = cell
    return found


def _text(part: Step | Cell) -> Wording:
    return part.title if isinstance(part, Step) else part.text


def _of_document(
    heading: Iterable[str], before: BarrierModel, after: BarrierModel, language: str
) -> Iterator[Difference]:
    for name in heading:
        aspect = Aspect(name)
        if aspect in {Aspect.SOURCES, Aspect.PARTNERS}:
            yield _listed(aspect, before, after, language)
        else:
            say = _DOCUMENT[aspect]
            yield Difference(aspect, say(before, language), say(after, language))


_DOCUMENT: Mapping[Aspect, Callable[[BarrierModel, str], str]] = {
    Aspect.LANGUAGES: lambda model, _language: ", ".join(model.languages),
    Aspect.TITLE: lambda model, language: model.title.said(language)[0],
    Aspect.STATUS: lambda model, language: model.label(language),
    Aspect.STATEMENT: lambda model, language: model.statement.said(language)[0],
}


def _listed(aspect: Aspect, before: BarrierModel, after: BarrierModel, language: str) -> Difference:
    """Of sources and partners those alone that differ."""

    def named(model: BarrierModel) -> dict[str, tuple[object, str]]:
        if aspect is Aspect.SOURCES:
            return {each.key: (each, each.title) for each in model.sources}
        return {each.key: (each, each.title.said(language)[0]) for each in model.partners}

    old, new = named(before), named(after)
    gone = [title for key, (one, title) in old.items() if new.get(key, (None, ""))[0] != one]
    came = [title for key, (one, title) in new.items() if old.get(key, (None, ""))[0] != one]
    return Difference(aspect, "; ".join(gone), "; ".join(came))


def _differences(
    earlier: Step | Cell,
    later: Step | Cell,
    before: BarrierModel,
    after: BarrierModel,
    language: str,
) -> Iterator[Difference]:
    old, new = _aspects(earlier, before, language), _aspects(later, after, language)
    for aspect in Aspect:
        one, other = old.get(aspect, ""), new.get(aspect, "")
        if one != other:
            yield Difference(aspect, one, other)


def _aspects(part: Step | Cell, model: BarrierModel, language: str) -> Mapping[Aspect, str]:
    names = words(language).names
    found = {
        Aspect.BASIS: names["basis"][part.basis],
        Aspect.SOURCES: _titles(part.sources, model),
    }
    if isinstance(part, Signal) and part.suggest is not None:
        found[Aspect.RULE] = rule_text(part, language)
    if isinstance(part, Barrier):
        evidence = part.evidence
        finding = f", {names['finding'][evidence.finding]}" if evidence.finding else ""
        partners = {each.key: each.title.said(language)[0] for each in model.partners}
        found |= {
            Aspect.TYPE: names["barrier_type"][part.type],
            Aspect.SET_BY: ", ".join(partners[key] for key in part.set_by),
            Aspect.COST: names["cost"][part.cost],
            Aspect.COST_BASIS: names["cost_basis"][part.cost_basis] if part.cost_basis else "",
            Aspect.LEGAL_SOURCES: _titles(part.legal_basis.sources, model)
            if part.legal_basis
            else "",
            Aspect.EVIDENCE: f"{names['strength'][evidence.strength]}{finding}",
            Aspect.EVIDENCE_SOURCES: _titles(evidence.sources, model),
        }
    return found


def rule_text(signal: Signal, language: str) -> str:
    """The rule by which a signal is suggested: its condition and selections; empty for none."""
    rule = signal.suggest
    if rule is None:
        return ""
    spoken = words(language)
    told = []
    for selection in rule.selections:
        fields = spoken.phrases["next"].join(_wanted(each, spoken) for each in selection.wanted)
        told.append(f"{selection.name} ({fields})")
    return f"{rule.text}. {', '.join(told)}"


def _wanted(wanted: Wanted, spoken: Words) -> str:
    """A field and the values of which it must have one, in words."""
    field = spoken.fields[wanted.field]
    if not wanted.values:
        return spoken.say("told" if wanted.exists else "empty", field=field)
    values = ", ".join(sorted(spoken.value(wanted.field, each) for each in wanted.values))
    return spoken.say("has", field=field, values=values)


def _titles(keys: Iterable[str], model: BarrierModel) -> str:
    return "; ".join(model.source(key).title for key in keys)
