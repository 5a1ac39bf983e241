"""The last weeks' readers of one's own patterns' rules, decided again under another text.

An organisation's own entries tell whom its rules were given. What a wider text would have shown is
recorded nowhere, as with hits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.audit.reading import ReadEntry
from app.clock import day
from app.sharing.changes import PatternExample
from app.sharing.classes import age_band
from app.sharing.engine import Subject
from app.sharing.own_patterns import OwnPattern
from app.sharing.pattern_comparison import MOST_EXAMPLES, known, screened
from app.sharing.policy_text import Policy
from app.sharing.readers import Named
from app.sharing.seats import Member, Seat
from app.sharing.tableau import MOST_PAIRS, Answer, Tableau
from postern.vocabulary import LegalBasis, Purpose, Role

ACT = "pattern.shared"


@dataclass(frozen=True)
class ReplayedPatterns:
    """The rules that one organisation got for one purpose, counted each time that it got one.

    `same` it would have got, of `known` only title and figures, of `nothing` nothing. `gone` are
    not decided again: their patterns are not in force any more. `examples` are some of the patterns
    whose rule it would not have got, the one given last first.
    """

    organisation: Named
    purpose: Purpose
    same: int
    known: int
    nothing: int
    gone: int
    examples: tuple[PatternExample, ...]


@dataclass(frozen=True)
class GivenRule:
    """That an organisation got the rule of a pattern."""

    at: datetime
    viewer: str
    purpose: Purpose
    legal_basis: LegalBasis
    pattern: UUID


def given_rules(entries: Iterable[ReadEntry]) -> list[GivenRule]:
    """What these entries of the act tell; nothing where the details were erased."""
    return [
        GivenRule(
            datetime.fromtimestamp(entry.fields["t"] / 1000, UTC),
            entry.details["viewer"],
            Purpose(entry.fields["purpose"]),
            LegalBasis(entry.fields["basis"]),
            UUID(each),
        )
        for entry in entries
        for each in entry.details.get("objects", ())
    ]


def replayed(
    given: Sequence[GivenRule],
    patterns: Iterable[OwnPattern],
    owner: Member,
    readers: Mapping[str, tuple[Named, Member]],
    policies: Sequence[Policy],
) -> tuple[ReplayedPatterns, ...]:
    """What each reader would have got, by organisation and purpose; `readers` by their codes.

    PolicyRefusedError when the policies are too intricate.
    """
    if not given:
        return ()
    own = {each.id: each for each in patterns}
    subjects = {each: _subject(each, own[each.pattern]) for each in given if each.pattern in own}
    seats = list(dict.fromkeys((each.viewer, each.purpose, each.legal_basis) for each in given))
    asked = [Seat(readers[code][1], Role.ANALYST, purpose, basis) for code, purpose, basis in seats]
    distinct = list(dict.fromkeys(subjects.values()))
    answers = Tableau(owner, asked, distinct).answers(policies, MOST_PAIRS)
    of_seat = dict(zip(seats, answers, strict=True))
    place = {subject: 1 << number for number, subject in enumerate(distinct)}
    grouped: dict[tuple[str, Purpose], list[tuple[GivenRule, int, Answer | None]]] = {}
    for each in given:
        answer = of_seat[each.viewer, each.purpose, each.legal_basis]
        bit = place[subjects[each]] if each in subjects else 0
        grouped.setdefault((each.viewer, each.purpose), []).append((each, bit, answer))
    return tuple(
        _of_reader(readers[code][0], purpose, found, own)
        for (code, purpose), found in sorted(grouped.items())
    )


def _subject(given: GivenRule, own: OwnPattern) -> Subject:
    """The class at the age of that day; of a version from before it is that of the one in force."""
    return own.attributes, age_band(max(0, day(given.at) - own.seen_day))


def _of_reader(
    organisation: Named,
    purpose: Purpose,
    found: Sequence[tuple[GivenRule, int, Answer | None]],
    own: Mapping[UUID, OwnPattern],
) -> ReplayedPatterns:
    same = less = nothing = gone = 0
    lost: dict[UUID, PatternExample] = {}
    for given, bit, answer in found:
        if not bit:
            gone += 1
            continue
        if answer is not None and screened(answer) & bit:
            same += 1
            continue
        if answer is not None and known(answer) & bit:
            less += 1
        else:
            nothing += 1
        lost.setdefault(given.pattern, PatternExample(given.pattern, own[given.pattern].title))
    examples = tuple(lost.values())[:MOST_EXAMPLES]
    return ReplayedPatterns(organisation, purpose, same, less, nothing, gone, examples)
