"""What is said about an indicator beside its value: how it was learned, under which law, how far it
may go, when it ends. Options say it for a whole file; columns say it for one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from postern.bands import day
from postern.vocabulary import (
    HANDLING_AGAINST_TLP,
    Assertion,
    Handling,
    InformationGrade,
    Learned,
    LegalBasis,
    PermittedAction,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

Word = TypeVar("Word", bound=StrEnum)

LAST_STEP = 7  # of the barrier model
_SEPARATORS = str.maketrans(";|/ ", ",,,,")
_GRADE_LENGTH = 2  # X4


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be used: one sentence of what is wrong, one of what to do, no value."""

    field: str
    reason: str
    remedy: str


class FaultError(ValueError):
    """A row has faults; all that were found are told at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.reason}" for each in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an indicator. None stands for "not said": then the platform's default holds,
    except for `learned` and `legal_basis`, without which nothing may be sent.
    """

    learned: Learned | None = None
    legal_basis: LegalBasis | None = None
    subject_category: SubjectCategory | None = None
    assertion: Assertion | None = None
    source_grade: SourceGrade | None = None
    information_grade: InformationGrade | None = None
    tlp: Tlp | None = None
    handling: tuple[Handling, ...] = ()
    permitted_action: PermittedAction | None = None
    expires_on: date | None = None
    observed_from: date | None = None
    observed_to: date | None = None
    barrier_step: int | None = None


def terms_of_row(row: Mapping[str, str], common: Terms, today: date) -> Terms:
    """The common terms, with what the columns of a row say instead.

    `today` is the day from which `expires_in` counts, and after which nothing was observed.
    Raises FaultError when a column holds another word than its list has, or a needed one is empty.
    """
    reading = _Reading(row)
    source, information = reading.grade()
    terms = replace(
        common,
        learned=reading.word("learned", Learned) or common.learned,
        legal_basis=reading.word("legal_basis", LegalBasis) or common.legal_basis,
        subject_category=reading.word("subject_category", SubjectCategory)
        or common.subject_category,
        assertion=reading.word("assertion", Assertion) or common.assertion,
        source_grade=source or common.source_grade,
        information_grade=information or common.information_grade,
        tlp=reading.word("tlp", Tlp) or common.tlp,
        handling=reading.handling() or common.handling,
        permitted_action=reading.word("permitted_action", PermittedAction)
        or common.permitted_action,
        expires_on=reading.expiry(today) or common.expires_on,
        observed_from=reading.past("observed_from", today) or common.observed_from,
        observed_to=reading.past("observed_to", today) or common.observed_to,
        barrier_step=reading.step() or common.barrier_step,
    )
    for field, found in (("learned", terms.learned), ("legal_basis", terms.legal_basis)):
        if found is None and field not in row:
            option = f"--{field.replace('_', '-')}"
            reading.fault(
                field, "It is not said.", f"Give {option}, or fill in the column {field}."
            )
    contradicting = set(terms.handling) & HANDLING_AGAINST_TLP[terms.tlp or Tlp.AMBER]
    if contradicting:
        reading.fault(
            "handling",
            f"{', '.join(sorted(contradicting))} restricts what TLP:{terms.tlp} sets free.",
            "Raise the TLP marking or leave the code out.",
        )
    if terms.observed_from and terms.observed_to and terms.observed_from > terms.observed_to:
        reading.fault("observed_to", "It is before observed_from.", "Correct one of the two days.")
    if reading.faults:
        raise FaultError(tuple(reading.faults))
    return terms


def terms_on_wire(terms: Terms) -> dict[str, Any]:
    """The fields of an indicator for terms; what is not said is left to the platform's default."""
    fields: dict[str, Any] = {
        "learned": terms.learned,
        "legal_basis": terms.legal_basis,
        "subject_category": terms.subject_category,
        "assertion": terms.assertion,
        "source_grade": terms.source_grade,
        "information_grade": terms.information_grade,
        "tlp": terms.tlp,
        "handling": list(terms.handling) or None,
        "permitted_action": terms.permitted_action,
        "expires_on": terms.expires_on.isoformat() if terms.expires_on else None,
        "observed_from": terms.observed_from.isoformat() if terms.observed_from else None,
        "observed_to": terms.observed_to.isoformat() if terms.observed_to else None,
    }
    return {field: found for field, found in fields.items() if found is not None}


def read_grade(text: str) -> tuple[SourceGrade, InformationGrade]:
    """The two grades of a text such as X4. Raises ValueError."""
    plain = text.strip().upper()
    if len(plain) != _GRADE_LENGTH:
        raise ValueError("a grade has a letter and a digit")
    return SourceGrade(plain[0]), InformationGrade(plain[1])


class _Reading:
    """Reads closed-list columns of one row and collects what is wrong with them."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self._row = row
        self.faults: list[Fault] = []

    def fault(self, field: str, reason: str, remedy: str) -> None:
        self.faults.append(Fault(field, reason, remedy))

    def word(self, field: str, words: type[Word]) -> Word | None:
        text = self._row.get(field)
        if text is None:
            return None
        by_fold = {word.value.lower(): word for word in words}
        found = by_fold.get(text.lower()) or by_fold.get(text.lower().replace(" ", "_"))
        if found is None:
            self.fault(field, "The word is not in the list.", f"Use one of: {', '.join(words)}.")
        return found

    def handling(self) -> tuple[Handling, ...]:
        text = self._row.get("handling", "").upper().translate(_SEPARATORS)
        codes = {code for code in text.split(",") if code}
        if not codes <= set(Handling):
            self.fault("handling", "A code is not in the list.", f"Use {', '.join(Handling)}.")
            return ()
        return tuple(sorted(Handling(code) for code in codes))

    def grade(self) -> tuple[SourceGrade | None, InformationGrade | None]:
        text = self._row.get("grade")
        if text is None:
            return None, None
        try:
            return read_grade(text)
        except ValueError:
            self.fault(
                "grade",
                "It is not a source grade and an information grade.",
                "Write A, B, C or X and then 1, 2, 3 or 4, such as X4.",
            )
            return None, None

    def expiry(self, today: date) -> date | None:
        days, on = self._row.get("expires_in"), self._row.get("expires_on")
        if days is not None:
            if days.isascii() and days.isdigit() and 1 <= int(days) <= _MOST_DAYS:
                return today + timedelta(days=int(days))
            self.fault(
                "expires_in",
                "It is not a number of days.",
                f"Write a whole number from 1 to {_MOST_DAYS}.",
            )
            return None
        found = self._day("expires_on", on)
        if found and found <= today:
            self.fault("expires_on", "The day is past.", "Give a day to come, or leave it empty.")
            return None
        return found

    def past(self, field: str, today: date) -> date | None:
        found = self._day(field, self._row.get(field))
        if found and found > today + _TOMORROW:
            self.fault(field, "The day is yet to come.", "Give the day on which it was seen.")
            return None
        return found

    def step(self) -> int | None:
        text = self._row.get("barrier_step")
        if text is None:
            return None
        if len(text) == 1 and text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_STEP:
            return int(text)
        self.fault("barrier_step", "It is not a step.", f"Write a number from 1 to {LAST_STEP}.")
        return None

    def _day(self, field: str, text: str | None) -> date | None:
        if text is None:
            return None
        found = day(text)
        if found is None:
            self.fault(
                field, "It is not a day.", "Write it as 2026-11-25 or 25/11/2026, the day first."
            )
        return found


_TOMORROW = timedelta(days=1)  # where the row was written it may be a day later than in UTC
_MOST_DAYS = 3650  # the platform sets its own limit, which is lower
