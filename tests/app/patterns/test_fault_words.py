"""Every sentence of the pattern language and of what may be shared is known to the pages."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.patterns.fault_words import SENTENCES, fault_in_words, said
from postern.patterns import PatternError, read_rules

ROOT = Path(__file__).parents[3]
_TELLING = {
    "fault": 2,
    "_fault": 2,
    "PatternFault": 2,
    "Fault": 2,
    "Refusal": 2,
    "ConditionError": 2,
    "_refused": 2,
    "_at": 2,
}
"""Calls whose last two arguments are what is wrong and what to do."""

_NOT_ON_PAGES = {"files.py"}  # of folders on premises
_OF_FILTERS = {
    "It is not said which rules are filtered.",
    "List ids of rules, or write any.",
    "It is not the id of a rule.",
    "Write the UUID of the rule.",
}


def of_patterns() -> list[Path]:
    """The files that say what may be wrong with a pattern."""
    sources = [*(ROOT / "postern" / "patterns").glob("*.py")]
    sources += (ROOT / "postern" / "yaml_documents").glob("*.py")
    return sources + [ROOT / "app" / "patterns" / each for each in ("documents.py", "drafting.py")]


def written(sources: Iterable[Path]) -> Iterator[str]:
    """The sentences as they stand in the sources, `4` for what is filled in."""
    for path in sources:
        if path.name in _NOT_ON_PAGES:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                for part in node.args[-_TELLING.get(name, 0) :] if name in _TELLING else ():
                    yield from _texts(part)
            elif isinstance(node, ast.Assign):
                names = {ast.unparse(each) for each in node.targets}
                if names & {"reason", "remedy", "_TOO_MANY", "_IDENTITY"}:
                    yield from _texts(node.value)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(map(_filled, node.values))
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "pieces has no unit" if "_unit(" in ast.unparse(part) else "4"


SOURCES = sorted({text for text in written(of_patterns()) if " " in text} - _OF_FILTERS)


def test_the_sources_hold_sentences() -> None:
    assert len(SOURCES) > 90


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_sentence_of_the_sources_is_known(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        unknown = [text for text in SOURCES if said(text) is None and not is_filled(text)]
    assert unknown == []


def is_filled(text: str) -> bool:
    """Whether all of it is filled in, such as `4 4.`: its parts are sentences of their own."""
    return not any(part.isalpha() and part != "4" for part in text.replace(".", "").split())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fault_is_told_with_what_it_names(app: Flask) -> None:
    with pytest.raises(PatternError) as caught:
        read_rules("format: parcel-pattern/1\nlevel: hihg\nodd: 1\n")
    with app.test_request_context(headers={"Accept-Language": "en"}):
        told = {f"{each.reason} {each.remedy}" for each in map(fault_in_words, caught.value.faults)}
        assert told == {f"{each.reason} {each.remedy}" for each in caught.value.faults}


def test_no_sentence_stands_twice() -> None:
    english = [str(each._args[0]) for each in SENTENCES]
    assert len(english) == len(set(english))
