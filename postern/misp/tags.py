"""Tags of MISP: what they say of how something may be used, written and read.

TLP is tagged as MISP's own taxonomy does, grades as its Admiralty scale, the rest as `postern:...`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from postern.stix.names import PHASES
from postern.vocabulary import (
    Handling,
    InformationGrade,
    PermittedAction,
    SourceGrade,
    Tlp,
)

SOURCE_TAG = 'postern:source="exchange"'

_COLOURS: Mapping[Tlp, str] = {
    Tlp.CLEAR: "#ffffff",
    Tlp.GREEN: "#339900",
    Tlp.AMBER: "#ffc000",
    Tlp.AMBER_STRICT: "#ffc000",
    Tlp.RED: "#cc0033",
}
_COLOUR = "#2b5f75"  # of all other tags
_RELIABILITY: Mapping[SourceGrade, str] = {
    SourceGrade.A: "a",
    SourceGrade.B: "b",
    SourceGrade.C: "c",
    SourceGrade.X: "f",  # it cannot be judged
}
_CREDIBILITY: Mapping[InformationGrade, str] = {
    InformationGrade.ONE: "1",
    InformationGrade.TWO: "2",
    InformationGrade.THREE: "3",
    InformationGrade.FOUR: "6",  # it cannot be judged
}
_SOURCE_GRADES = {word: grade for grade, word in _RELIABILITY.items()} | {
    "d": SourceGrade.X,
    "e": SourceGrade.X,
}
_INFORMATION_GRADES = {word: grade for grade, word in _CREDIBILITY.items()} | {
    "4": InformationGrade.FOUR,
    "5": InformationGrade.FOUR,
}
_TLP = re.compile(r"tlp:(white|clear|green|amber(?:\+strict)?|red)", re.ASCII | re.IGNORECASE)
_ORDER = tuple(Tlp)  # from free to strict
_TRIPLE = re.compile(r'([a-z0-9-]+):([a-z0-9-]+)="([^"]{1,64})"', re.ASCII | re.IGNORECASE)


def tag(name: str, colour: str = _COLOUR) -> dict[str, Any]:
    """A tag as it stands in an event."""
    return {"name": name, "colour": colour}


def tlp_tags(tlp: Tlp, *, is_changed: bool) -> list[dict[str, Any]]:
    """The marking; of something that was changed also every other one, as taken away.

    An instance adds the tags that it is sent to those that it has: without being told it would go
    on showing the marking from before the change beside the new one.
    """
    found = [_tlp_tag(tlp)]
    if is_changed:
        found += [{**_tlp_tag(each), "deleted": True} for each in Tlp if each is not tlp]
    return found


def use_tags(
    said: Mapping[str, Any], step: int | None, *, is_changed: bool
) -> list[dict[str, Any]]:
    """Grades, handling codes, permitted action and step, by the extension of an indicator.

    Of something that was changed also every other such tag, as taken away.
    """
    names = set(_use_names(said, step))
    found = [tag(each) for each in sorted(names)]
    if is_changed:
        found += [{**tag(each), "deleted": True} for each in _USE_NAMES if each not in names]
    return found


def _tlp_tag(tlp: Tlp) -> dict[str, Any]:
    return tag(f"tlp:{tlp.lower()}", _COLOURS[tlp])


def _use_names(said: Mapping[str, Any], step: int | None) -> Iterator[str]:
    source: str = said.get("source_grade", "")
    if source in _RELIABILITY:
        yield _reliability(_RELIABILITY[SourceGrade(source)])
    grade: str = said.get("information_grade", "")
    if grade in _CREDIBILITY:
        yield _credibility(_CREDIBILITY[InformationGrade(grade)])
    for code in said.get("handling", ()):
        yield _handling(code)
    if action := said.get("permitted_action"):
        yield _permitted(action)
    if step is not None:
        yield _step(PHASES[step - 1])


def _reliability(word: str) -> str:
    return f'admiralty-scale:source-reliability="{word}"'


def _credibility(word: str) -> str:
    return f'admiralty-scale:information-credibility="{word}"'


def _handling(word: str) -> str:
    return f'postern:handling="{word}"'


def _permitted(word: str) -> str:
    return f'postern:permitted-action="{word}"'


def _step(word: str) -> str:
    return f'postern:barrier-step="{word}"'


_USE_NAMES: tuple[str, ...] = (
    *map(_reliability, _RELIABILITY.values()),
    *map(_credibility, _CREDIBILITY.values()),
    *map(_handling, Handling),
    *map(_permitted, PermittedAction),
    *map(_step, PHASES),
)


def terms_of_tags(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The columns of a row that tags speak of, and the tags that were not understood.

    Of several markings the strictest holds.
    """
    row: dict[str, str] = {}
    unread: list[str] = []
    markings: list[Tlp] = []
    codes: set[Handling] = set()
    grades: dict[str, str] = {}
    for name in names:
        if found := _TLP.fullmatch(name.strip()):
            word = found[1].upper()
            markings.append(Tlp.CLEAR if word == "WHITE" else Tlp(word))
        elif not (
            (triple := _TRIPLE.fullmatch(name.strip())) and _read(triple, row, codes, grades)
        ):
            unread.append(name)
    if markings:
        row["tlp"] = max(markings, key=_ORDER.index)
    if codes:
        row["handling"] = " ".join(sorted(codes))
    if grades:
        row["grade"] = grades.get("source", SourceGrade.X) + grades.get(
            "information", InformationGrade.FOUR
        )
    return row, unread


def _read(
    triple: re.Match[str], row: dict[str, str], codes: set[Handling], grades: dict[str, str]
) -> bool:
    """Note what a tag of three parts says; false when it is none of those that are read."""
    namespace, predicate, word = triple[1].lower(), triple[2].lower(), triple[3]
    match namespace, predicate:
        case "admiralty-scale", "source-reliability" if word.lower() in _SOURCE_GRADES:
            grades["source"] = _SOURCE_GRADES[word.lower()]
        case "admiralty-scale", "information-credibility" if word in _INFORMATION_GRADES:
            grades["information"] = _INFORMATION_GRADES[word]
        case "postern", "handling" if word.upper() in set(Handling):
            codes.add(Handling(word.upper()))
        case "postern", "permitted-action" if word.lower() in set(PermittedAction):
            row["permitted_action"] = word.lower()
        case "postern", "barrier-step" if word.lower() in PHASES:
            row["barrier_step"] = str(PHASES.index(word.lower()) + 1)
        case _:
            return False
    return True
