"""Options that several commands have, and the words they take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import click

from postern.settings import LONGEST_CASE, Defaults
from postern.terms import read_grade
from postern.vocabulary import InformationGrade, LegalBasis, Purpose, SourceGrade

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Word = TypeVar("Word", bound=StrEnum)


class WordType(click.ParamType[StrEnum]):
    """One word of a closed list, as the enumeration's member."""

    name = "word"

    def __init__(self, words: type[StrEnum]) -> None:
        self.words = words

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> StrEnum:
        by_text = {word.value.lower(): word for word in self.words}
        found = by_text.get(str(value).lower())
        if found is None:
            self.fail(f"it is not one of: {', '.join(self.words)}", param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(self.words)}]"


class GradeType(click.ParamType[tuple[SourceGrade, InformationGrade]]):
    """A source grade and an information grade, such as X4."""

    name = "grade"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[SourceGrade, InformationGrade]:
        if isinstance(value, tuple):
            return value
        try:
            return read_grade(str(value))
        except ValueError:
            self.fail("it is not a grade: write A, B, C or X and then 1, 2, 3 or 4", param, ctx)


def why(command: Decorated) -> Decorated:
    """--purpose, --legal-basis and --case: why the organisation does this."""
    for option in (
        click.option(
            "--case",
            metavar="REFERENCE",
            help="Reference of the case file, for the audit log; no name belongs in it.",
        ),
        click.option(
            "--legal-basis", type=WordType(LegalBasis), help="Under which kind of law this is done."
        ),
        click.option("--purpose", type=WordType(Purpose), help="Why this is done."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Why:
    """Why an organisation does something, as the options of `why` or the settings say."""

    purpose: Purpose
    legal_basis: LegalBasis
    case: str


def why_of(options: Mapping[str, Any], defaults: Defaults) -> Why:
    """What the options of `why` say, else the settings. Raises click.UsageError."""
    return Why(
        needed(options["purpose"], defaults.purpose, "--purpose"),
        needed(options["legal_basis"], defaults.legal_basis, "--legal-basis"),
        needed_case(options["case"], defaults),
    )


def needed(found: Word | None, fallback: Word | None, option: str) -> Word:
    """What an option says, else the settings. Raises click.UsageError with the remedy."""
    chosen = found or fallback
    if chosen is None:
        raise click.UsageError(
            f"{option} is missing. Give it, or set it under [defaults] in the settings file."
        )
    return chosen


def needed_case(found: str | None, defaults: Defaults) -> str:
    """The case reference of an option, else of the settings. Raises click.UsageError."""
    case = (found if found is not None else defaults.case or "").strip()
    if not 1 <= len(case) <= LONGEST_CASE:
        raise click.UsageError(
            f"--case is missing or longer than {LONGEST_CASE} characters. Give the reference of "
            "the case file."
        )
    return case
