"""What the last weeks would have been under another policy, as far as the log can tell.

An organisation's own entries tell which of its indicators others found, or found without being
told, whom the rules of its patterns were given, and who was told of its barriers. Each is decided
again under another text: for the same reader, purpose and legal basis, at the age of that day. What
was hidden then is not there to be decided again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit import reading
from app.audit.reading import LARGEST_PAGE, Filters, ReadEntry
from app.audit.service import append
from app.clock import day
from app.organisations.service import directory
from app.sharing import grants, own_assets, service, visibility
from app.sharing.asset_replay import ACTS, ReplayedAssets, given_assets, replayed
from app.sharing.classes import age_band
from app.sharing.engine import NOTHING, Ruling, Subject
from app.sharing.policy_text import Policy
from app.sharing.readers import Access, Named
from app.sharing.seats import Member, Seat
from app.sharing.tableau import MOST_PAIRS, Tableau
from app.sharing.visibility import OwnSubject
from postern.vocabulary import Kind, LegalBasis, Level, Purpose, Role

MOST_ENTRIES = 20_000
MOST_EXAMPLES = 3  # for one reader and purpose
LONGEST_DAYS = 366
_IDS_AT_ONCE = 1_000

NOT_REPLAYED = (
    "Only hits that you were told of can be decided again. What a lookup matched and was hidden"
    " is recorded nowhere, on purpose, and hits of which only the reader was told are in the"
    " reader's log alone: so what the text would newly show is not among these figures."
    " Readers and indicators are taken as they are today, at the age of that day."
)
"""What every replay has to say of itself."""


class Difference(StrEnum):
    """What the reader would have got, beside what it got."""

    SAME = "same"
    HIGHER = "higher"
    LOWER = "lower"
    OWNER_ALONE = "owner_alone"  # the reader nothing, but the owner would have been told
    NOTHING = "nothing"


@dataclass(frozen=True)
class ReplayedHit:
    """A hit that would have been another; `then` is None where the owner alone was told."""

    at: datetime
    indicator: UUID
    legal_basis: LegalBasis
    then: Level | None
    now: Access


@dataclass(frozen=True)
class ReplayedReader:
    """The hits of one organisation for one purpose, by what they would have been.

    `untold` are those that the reader would have got and the owner would not have been told of.
    `gone` are not decided again: their indicators have ended.
    """

    organisation: Named
    purpose: Purpose
    same: int
    higher: int
    lower: int
    owner_alone: int
    nothing: int
    untold: int
    gone: int
    examples: tuple[ReplayedHit, ...]  # newest first, of those that differ


@dataclass(frozen=True)
class Replay:
    """`hits` are of indicators, `entries` those of the log that were read.

    `erased` are entries whose details are no longer kept. `is_cut` when there were more than
    MOST_ENTRIES, of which the newest are here.
    """

    since: datetime
    until: datetime
    sha256: str
    entries: int
    hits: int
    erased: int
    is_cut: bool
    readers: tuple[ReplayedReader, ...]
    patterns: tuple[ReplayedAssets, ...]
    barriers: tuple[ReplayedAssets, ...]
    not_replayed: str = NOT_REPLAYED


def replay(session: Session, caller: Caller, text: str, at: datetime, days: int = 30) -> Replay:
    """What others would have got in the last `days` days, were the text in force all the time.

    PolicyRefusedError when it is not valid; `days` is held to 1..LONGEST_DAYS.
    """
    organisation_id, _ = caller.member
    policies = service.check(session, text)
    since = at - timedelta(days=min(max(days, 1), LONGEST_DAYS))
    found = list(islice(_entries(session, caller.organisation, since, _HITS), MOST_ENTRIES + 1))
    entries = found[:MOST_ENTRIES]
    told = [hit for entry in entries for hit in _hits(entry)]
    known = _subjects(session, organisation_id, {hit.indicator for hit in told}, at)
    members = grants.members(session)
    by_code = {member.code: member for member in members.values()}
    owner = by_code[caller.organisation]
    decided = _decide(owner, by_code, policies, told, known)
    names = {each.code: each.name for each in directory(session).values()}
    shared = {
        kind: list(islice(_entries(session, caller.organisation, since, [act]), MOST_ENTRIES + 1))
        for kind, act in ACTS.items()
    }
    again: dict[Kind, tuple[ReplayedAssets, ...]] = {}
    for kind, of_kind in shared.items():
        given = given_assets(of_kind[:MOST_ENTRIES])
        entries += of_kind[:MOST_ENTRIES]
        again[kind] = replayed(
            given,
            own_assets.in_force(session, organisation_id, at, kind) if given else (),
            owner,
            {code: (Named(code, names[code]), each) for code, each in by_code.items()},
            policies,
            kind=kind,
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    result = Replay(
        since=since,
        until=at,
        sha256=digest,
        entries=len(entries),
        hits=len(told),
        erased=sum("objects" not in entry.details for entry in entries),
        is_cut=max(len(found), *map(len, shared.values())) > MOST_ENTRIES,
        readers=tuple(
            _reader(Named(code, names[code]), purpose, hits)
            for (code, purpose), hits in sorted(decided.items())
        ),
        patterns=again[Kind.PATTERN],
        barriers=again[Kind.BARRIER],
    )
    append(
        session,
        caller,
        "policy.simulate",
        object_type="audit-entry",
        count=result.entries,
        results=[entry.fields["id"] for entry in entries],
        details={"sha256": digest, "since": since.isoformat(timespec="seconds")},
    )
    return result


@dataclass(frozen=True)
class _Hit:
    """One indicator of one entry."""

    at: datetime
    viewer: str
    purpose: Purpose
    legal_basis: LegalBasis
    indicator: UUID
    then: Level | None


_Decided = tuple[_Hit, Ruling | None]
"""None where the indicator has ended."""


_HITS = ("indicator.match", "indicator.alert")


def _entries(
    session: Session, organisation: str, since: datetime, acts: Sequence[str]
) -> Iterator[ReadEntry]:
    """Those of these acts, newest first."""
    streams = (_pages(session, organisation, Filters(act=act, since=since)) for act in acts)
    return merge(*streams, key=lambda entry: -int(entry.fields["t"]))


def _pages(session: Session, organisation: str, filters: Filters) -> Iterator[ReadEntry]:
    cursor: str | None = None
    while True:
        page = reading.entries(session, organisation, filters, cursor, LARGEST_PAGE)
        yield from page.entries
        cursor = page.next
        if cursor is None:
            return


def _hits(entry: ReadEntry) -> list[_Hit]:
    """One for each indicator; none where the details were erased."""
    fields, details = entry.fields, entry.details
    level = details.get("level")
    return [
        _Hit(
            at=datetime.fromtimestamp(fields["t"] / 1000, UTC),
            viewer=details["viewer"],
            purpose=Purpose(fields["purpose"]),
            legal_basis=LegalBasis(fields["basis"]),
            indicator=UUID(each),
            then=Level(level) if level else None,
        )
        for each in details.get("objects", ())
    ]


def _subjects(
    session: Session, organisation_id: int, ids: set[UUID], at: datetime
) -> dict[UUID, OwnSubject]:
    """Those of the indicators that are live."""
    wanted = sorted(ids)
    found: dict[UUID, OwnSubject] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[start : start + _IDS_AT_ONCE]
        found |= visibility.own_subjects(session, organisation_id, some, at)
    return found


def _decide(
    owner: Member,
    members: dict[str, Member],
    policies: Sequence[Policy],
    told: Sequence[_Hit],
    known: dict[UUID, OwnSubject],
) -> dict[tuple[str, Purpose], list[_Decided]]:
    """The hits of each reader and purpose with what the policies say of them."""
    seats = dict.fromkeys((hit.viewer, hit.purpose, hit.legal_basis) for hit in told)
    subjects: dict[Subject, int] = {}
    for hit in told:
        if hit.indicator in known:
            subjects.setdefault(_subject(hit, known[hit.indicator]), len(subjects))
    asked = [Seat(members[code], Role.ANALYST, purpose, basis) for code, purpose, basis in seats]
    answers = Tableau(owner, asked, list(subjects)).answers(policies, MOST_PAIRS)
    of_seat = dict(zip(seats, answers, strict=True))
    decided: dict[tuple[str, Purpose], list[_Decided]] = {}
    for hit in told:
        ruling = None
        if hit.indicator in known:
            answer = of_seat[hit.viewer, hit.purpose, hit.legal_basis]
            place = subjects[_subject(hit, known[hit.indicator])]
            ruling = answer.ruling(place) if answer else NOTHING
        decided.setdefault((hit.viewer, hit.purpose), []).append((hit, ruling))
    return decided


def _subject(hit: _Hit, own: OwnSubject) -> Subject:
    """The class at the age of that day."""
    return own.attributes, age_band(day(hit.at) - own.seen_day)


def _reader(organisation: Named, purpose: Purpose, hits: Sequence[_Decided]) -> ReplayedReader:
    counts = dict.fromkeys(Difference, 0)
    untold = 0
    examples: list[ReplayedHit] = []
    for hit, ruling in hits:
        if ruling is None:
            continue
        difference = _difference(hit.then, ruling)
        counts[difference] += 1
        is_untold = bool(ruling.level) and not ruling.tells_owner
        untold += is_untold
        if (is_untold or difference is not Difference.SAME) and len(examples) < MOST_EXAMPLES:
            now = Access.of(ruling)
            examples.append(ReplayedHit(hit.at, hit.indicator, hit.legal_basis, hit.then, now))
    return ReplayedReader(
        organisation=organisation,
        purpose=purpose,
        **{difference.value: count for difference, count in counts.items()},
        untold=untold,
        gone=sum(ruling is None for _, ruling in hits),
        examples=tuple(examples),
    )


def _difference(then: Level | None, ruling: Ruling) -> Difference:
    before, after = Access(then, False, False, None).rank, ruling.level
    if after > before:
        return Difference.HIGHER
    if after == before and (after or ruling.tells_owner):
        return Difference.SAME
    if after:
        return Difference.LOWER
    return Difference.OWNER_ALONE if ruling.tells_owner else Difference.NOTHING
