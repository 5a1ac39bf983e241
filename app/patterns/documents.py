"""A document of a shared pattern: read, tried on its own tests and on typed parcels, explained.

Nothing here touches a database. What a document may be is decided by `postern.patterns`; here are
the limits of what is shared: one rule, so large, so costly to try, with an end in sight.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from postern.patterns import PatternError, PatternFault, Rule, read_rules
from postern.patterns.examples import typed_parcels
from postern.patterns.explanation import explained_hit, explained_rule
from postern.patterns.plain import hits, told_hits
from postern.patterns.stix import StixPattern, stix_pattern

LARGEST_TEXT = 64 * 1024  # bytes of UTF-8
LONGEST_LIFE = timedelta(days=731)  # from the day on which it is proposed
MOST_PARCELS = 2_000  # of all tests of a document together

_KEPT = 128  # texts that are remembered: one is looked at in many requests

LANGUAGES = ("en", "fr", "nl", "de")


@dataclass(frozen=True, slots=True)
class TriedExample:
    """A test of the document: where it stands, whether it must hit, and whether it does."""

    line: int
    must_hit: bool
    hit: bool
    parcels: int

    @property
    def passed(self) -> bool:
        """Whether it came out as it must."""
        return self.hit is self.must_hit


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text is worth: its rule and what it means, or what is wrong with it.

    `faults` are also those of a rule that can be read and may not be shared as it is; `is_ready`:
    it may be proposed.
    """

    text: str
    sha256: str
    rule: Rule | None
    faults: tuple[PatternFault, ...]
    explanation: str
    examples: tuple[TriedExample, ...]
    stix: StixPattern | None

    @property
    def is_ready(self) -> bool:
        """Whether it has a rule, no fault, and every test comes out as it must."""
        is_read = self.rule is not None and not self.faults
        return is_read and all(each.passed for each in self.examples)


@dataclass(frozen=True, slots=True)
class TriedRow:
    """A typed parcel, numbered from 1: whether it hits, and why."""

    number: int
    hit: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one field of a typed parcel, numbered from 1."""

    number: int
    field: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of typed parcels; with faults there are no rows."""

    rows: tuple[TriedRow, ...]
    faults: tuple[RowFault, ...]


def check(text: str, today: date, language: str = "en") -> Checked:
    """Everything that can be told of a text. It never raises: what is wrong is told as faults."""
    return _checked(normal(text), today, language)


@lru_cache(maxsize=_KEPT)
def _checked(text: str, today: date, language: str) -> Checked:
    digest = sha256(text)
    if len(text.encode("utf-8", "replace")) > LARGEST_TEXT:
        fault = PatternFault(
            1, 1, f"It is longer than {LARGEST_TEXT} bytes.", "Share it as several patterns."
        )
        return Checked(text, digest, None, (fault,), "", (), None)
    try:
        rules = read_rules(text)
    except PatternError as error:
        return Checked(text, digest, None, error.faults, "", (), None)
    rule = rules[0]
    faults = tuple(_faults(text, rules, today))
    examples = () if any(each.reason == _TOO_MANY for each in faults) else _tried(rule)
    said = explained_rule(rule, language if language in LANGUAGES else "en")
    return Checked(text, digest, rule, faults, said, examples, stix_pattern(rule))


def try_rows(rule: Rule, rows: Sequence[Mapping[str, str]], language: str = "en") -> Tried:
    """Which of typed parcels hit, each as field -> text; a repeated one hits if one of them does.

    Fields are those of a rule's own tests, with `posted_on` and `times`.
    """
    parcels = [[(name, text) for name, text in row.items() if text.strip()] for row in rows]
    read, faults = typed_parcels(parcels)
    if faults:
        return Tried((), tuple(_row_fault(each, parcels) for each in faults))
    windows = told_hits(rule, [row for _, row in read])
    reasons: dict[int, str] = {}
    for place, window in windows.items():
        parcel, row = read[place]
        end, amounts = (window.end, window.amounts) if window else (None, ())
        reasons.setdefault(parcel, explained_hit(rule, row, end, amounts, language))
    return Tried(
        tuple(TriedRow(n + 1, n in reasons, reasons.get(n, "")) for n in range(len(rows))), ()
    )


def normal(text: str) -> str:
    """The text with line feeds at the ends of lines, as browsers do not send it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sha256(text: str) -> str:
    """Digest of a text's UTF-8 bytes in hexadecimal: what is compared on premises."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _faults(text: str, rules: Sequence[Rule], today: date) -> list[PatternFault]:
    found = []
    rule = rules[0]
    if len(rules) > 1:
        reason = "It holds several rules."
        found.append(PatternFault(1, 1, reason, "Share each as a pattern of its own."))
    if sum(len(example.rows) for example in rule.examples) > MOST_PARCELS:
        remedy = f"Use at most {MOST_PARCELS} in all."
        found.append(PatternFault(line_of(text, "tests"), 1, _TOO_MANY, remedy))
    found += [
        PatternFault(
            number, 1, "An e-mail address stands here.", "Write no person into what others read."
        )
        for number, each in enumerate(text.split("\n"), 1)
        if _MAIL.search(each)
    ]
    line = line_of(text, "expires")
    if rule.expires <= today:
        reason = "The day of expires has come or passed."
        found.append(PatternFault(line, 1, reason, "Write a day to come."))
    elif rule.expires > today + LONGEST_LIFE:
        reason = f"The day of expires lies more than {LONGEST_LIFE.days} days ahead."
        remedy = "Write an earlier day; a later version may have a later one."
        found.append(PatternFault(line, 1, reason, remedy))
    return found


_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_TOO_MANY = "The tests have too many parcels."


def line_of(text: str, key: str) -> int:
    """The line of a key of the document, from 1; 1 where it is not at the beginning of one."""
    lines = text.split("\n")
    return next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)


def _tried(rule: Rule) -> tuple[TriedExample, ...]:
    return tuple(
        TriedExample(each.line, each.must_hit, bool(hits(rule, each.rows)), len(each.rows))
        for each in rule.examples
    )


def _row_fault(fault: PatternFault, parcels: Sequence[Sequence[tuple[str, str]]]) -> RowFault:
    parcel = parcels[fault.line - 1]
    field = parcel[fault.column - 1][0] if fault.column <= len(parcel) else ""
    return RowFault(fault.line, field, fault.reason, fault.remedy)
