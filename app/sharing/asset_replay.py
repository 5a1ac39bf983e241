"""The last weeks' readers of one's own patterns' rules and barriers, decided again.

An organisation's own entries tell whom its rules were given, and who was told of its barriers. What
a wider text would have shown is recorded nowhere, as with hits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.audit.reading import ReadEntry
from app.clock import day
from app.sharing.asset_comparison import GIVEN, MOST_EXAMPLES, Giving
from app.sharing.changes import AssetExample
from app.sharing.classes import age_band
from app.sharing.engine import Subject
from app.sharing.own_assets import OwnAsset
from app.sharing.policy_text import Policy
from app.sharing.readers import Named
from app.sharing.seats import Member, Seat
from app.sharing.tableau import MOST_PAIRS, Answer, Tableau
from postern.vocabulary import Kind, LegalBasis, Purpose, Role

ACTS: Mapping[Kind, str] = {Kind.PATTERN: "pattern.shared", Kind.BARRIER: "barrier.shared"}
"""The act of the entry by which an owner learns who got the whole of an asset of each kind."""


@dataclass(frozen=True)
class ReplayedAssets:
    """The assets that one organisation got for one purpose, counted each time that it got one.

    `same` it would have got, of `known` only that it is there (of a pattern title and figures, but
    not its rule), of `nothing` nothing. `gone` are not decided again: they have ended. `examples`
    are some of those that it would not have got, the one given last first.
    """

    organisation: Named
    purpose: Purpose
    same: int
    known: int
    nothing: int
    gone: int
    examples: tuple[AssetExample, ...]


@dataclass(frozen=True)
class GivenAsset:
    """That an organisation got the rule of a pattern, or was told of a barrier."""

    at: datetime
    viewer: str
    purpose: Purpose
    legal_basis: LegalBasis
    asset: UUID


def given_assets(entries: Iterable[ReadEntry]) -> list[GivenAsset]:
    """What these entries of the act tell; nothing where the details were erased."""
    return [
        GivenAsset(
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
    given: Sequence[GivenAsset],
    assets: Iterable[OwnAsset],
    owner: Member,
    readers: Mapping[str, tuple[Named, Member]],
    policies: Sequence[Policy],
    *,
    kind: Kind,
) -> tuple[ReplayedAssets, ...]:
    """What each reader would have got, by organisation and purpose; `readers` by their codes.

    PolicyRefusedError when the policies are too intricate.
    """
    if not given:
        return ()
    own = {each.id: each for each in assets}
    subjects = {each: _subject(each, own[each.asset]) for each in given if each.asset in own}
    seats = list(dict.fromkeys((each.viewer, each.purpose, each.legal_basis) for each in given))
    asked = [Seat(readers[code][1], Role.ANALYST, purpose, basis) for code, purpose, basis in seats]
    distinct = list(dict.fromkeys(subjects.values()))
    answers = Tableau(owner, asked, distinct).answers(policies, MOST_PAIRS)
    of_seat = dict(zip(seats, answers, strict=True))
    place = {subject: 1 << number for number, subject in enumerate(distinct)}
    grouped: dict[tuple[str, Purpose], list[tuple[GivenAsset, int, Answer | None]]] = {}
    for each in given:
        answer = of_seat[each.viewer, each.purpose, each.legal_basis]
        bit = place[subjects[each]] if each in subjects else 0
        grouped.setdefault((each.viewer, each.purpose), []).append((each, bit, answer))
    return tuple(
        _of_reader(readers[code][0], purpose, found, own, GIVEN[kind])
        for (code, purpose), found in sorted(grouped.items())
    )


def _subject(given: GivenAsset, own: OwnAsset) -> Subject:
    """The class at the age of that day; of a version from before it is that of the one in force."""
    return own.attributes, age_band(max(0, day(given.at) - own.seen_day))


def _of_reader(
    organisation: Named,
    purpose: Purpose,
    found: Sequence[tuple[GivenAsset, int, Answer | None]],
    own: Mapping[UUID, OwnAsset],
    giving: Giving,
) -> ReplayedAssets:
    same = less = nothing = gone = 0
    lost: dict[UUID, AssetExample] = {}
    for given, bit, answer in found:
        if not bit:
            gone += 1
            continue
        if answer is not None and giving.whole(answer) & bit:
            same += 1
            continue
        if answer is not None and giving.known(answer) & bit:
            less += 1
        else:
            nothing += 1
        lost.setdefault(given.asset, AssetExample(given.asset, own[given.asset].title))
    examples = tuple(lost.values())[:MOST_EXAMPLES]
    return ReplayedAssets(organisation, purpose, same, less, nothing, gone, examples)
