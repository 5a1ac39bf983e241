"""Rules and filters from files and folders."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from postern.patterns.errors import PatternError, PatternFault
from postern.patterns.model import Filter, Rule
from postern.patterns.reading import read_filters, read_rules

SUFFIXES = frozenset({".yml", ".yaml"})
Made = TypeVar("Made", Rule, Filter)


def rule_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those with the suffix of YAML in the folders named, in order."""
    return list(dict.fromkeys(_files(paths)))


def rules_of(paths: Sequence[Path]) -> tuple[Rule, ...]:
    """All rules in files and folders, each id once. Raises PatternError, OSError."""
    return _read(paths, read_rules)


def filters_of(paths: Sequence[Path]) -> tuple[Filter, ...]:
    """All filters in files and folders, each id once. Raises PatternError, OSError."""
    return _read(paths, read_filters)


def text_of(path: Path) -> str:
    """The text of a file. Raises PatternError when it is not UTF-8, OSError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fault = PatternFault(1, 1, "It is not UTF-8.", "Save it as UTF-8 text.")
        raise PatternError(path.name, [fault]) from None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES)
        else:
            yield path


def _read(paths: Sequence[Path], read: Callable[[str, str], tuple[Made, ...]]) -> tuple[Made, ...]:
    found: dict[str, Made] = {}
    for path in rule_files(paths):
        for each in read(text_of(path), str(path)):
            if each.id in found:
                fault = PatternFault(
                    1, 1, f"The id {each.id} is in another file too.", "Name one of them only."
                )
                raise PatternError(str(path), [fault])
            found[each.id] = each
    return tuple(found.values())
