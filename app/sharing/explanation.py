"""Why somebody sees something: for the owner in full, for the reader only what it may know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.organisations.service import directory
from app.sharing import grants, readers, versions, visibility
from app.sharing import reasons as grant_reasons
from app.sharing.classes import AGE_BANDS, ClassAttributes
from app.sharing.distinctions import Distinctions, Shape
from app.sharing.engine import Cedar, policy_set
from app.sharing.policy_text import Policy, platform_policies
from app.sharing.readers import Access, Bases, Group, Named, Rule
from app.sharing.seats import Member, Seat
from app.sharing.tableau import Answer, Tableau
from app.sharing.versions import Version
from postern.vocabulary import Action, LegalBasis, Level, Purpose


@dataclass(frozen=True)
class Period:
    """What is given from an age on, until the next period begins, and by which rules."""

    from_day: int  # days since it was seen
    access: Access
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Audience:
    """Organisations that get the same for some purposes; `periods` begin at the age of today.

    `onward` are those to which they may pass on today what they see; nobody does to itself.
    """

    organisations: tuple[Named, ...]
    purposes: tuple[Purpose, ...]
    bases: Bases
    periods: tuple[Period, ...]
    onward: tuple[Named, ...]

    @property
    def today(self) -> Access:
        """What they get at the age of today."""
        return self.periods[0].access


@dataclass(frozen=True)
class VersionAudience:
    """Who gets something under one version; version 0 when none was ever published."""

    version: int
    valid_from: datetime | None
    audiences: tuple[Audience, ...]


@dataclass(frozen=True)
class Explained:
    """Who gets something of a record now, and from the time of the version that waits on."""

    indicator: UUID | None
    attributes: ClassAttributes
    age_band: int
    in_force: VersionAudience
    scheduled: VersionAudience | None


@dataclass(frozen=True)
class ReaderReason:
    """All that a reader may know of why it was shown something.

    `version` and `labels` only from metadata on; `organisation` is empty for one's own records.
    """

    organisation: str
    level: Level
    version: str | None
    labels: tuple[str, ...]


def audience(session: Session, caller: Caller, public_id: UUID, at: datetime) -> Explained:
    """Who can see the caller's organisation's indicator, for which purposes, by which rules.

    NotFoundError for what is not its own or has ended.
    """
    organisation_id, _ = caller.member
    found = visibility.own_subjects(session, organisation_id, [public_id], at)
    if public_id not in found:
        raise NotFoundError
    own = found[public_id]
    explained = _explain(session, organisation_id, own.attributes, own.age_band, at)
    append(session, caller, "policy.explain", object_type="indicator", objects=[str(public_id)])
    return replace(explained, indicator=public_id)


def audience_of_class(
    session: Session, caller: Caller, attributes: ClassAttributes, age_band: int, at: datetime
) -> Explained:
    """Who would see a record of that class at that age, were it released now."""
    organisation_id, _ = caller.member
    explained = _explain(session, organisation_id, attributes, age_band, at)
    append(
        session,
        caller,
        "policy.explain",
        object_type="class",
        count=1,
        details={"class": attributes.stored(), "age_band": age_band},
    )
    return explained


def for_reader(session: Session, level: Level, reason_id: int) -> str:
    """Why a hit was shown at that level, in a sentence for its reader."""
    return reader_words(reason_for_reader(session, level, reason_id))


def reason_for_reader(session: Session, level: Level, reason_id: int) -> ReaderReason:
    """Why a hit was shown at that level, as far as its reader may know."""
    decided = grant_reasons.decided(session, [reason_id])[reason_id]
    names = {member.code: member.name for member in directory(session).values()}
    return told_to_reader(
        level,
        names.get(decided.owner, decided.owner),
        decided.name,
        grant_reasons.labels(session, decided),
    )


def told_to_reader(
    level: Level, organisation: str, version: str, labels: Sequence[str]
) -> ReaderReason:
    """What a reader may know: at presence only who answers; above it the rules that let it see.

    Rules that keep something back, and what others get, are never told. `organisation` is empty
    where the platform's rules decided, which is for one's own records alone.
    """
    if level is Level.PRESENCE:
        return ReaderReason(organisation, level, None, ())
    return ReaderReason(organisation, level, version, tuple(labels))


def reader_words(reason: ReaderReason) -> str:
    """The same as a sentence."""
    if not reason.organisation:
        return "The record is your own organisation's."
    answer = f"{reason.organisation} {_LETS[reason.level]}"
    if reason.version is None:
        return f"{answer}."
    rules = "; ".join(reason.labels)
    return f"{answer}, by version {reason.version} of its policy: {rules}."


_LETS = {
    Level.PRESENCE: "lets you know that it holds something that matches",
    Level.METADATA: "lets you see what it reported",
    Level.REQUEST: "lets you see what it reported, and ask for more",
}


def _explain(
    session: Session, organisation_id: int, attributes: ClassAttributes, age_band: int, at: datetime
) -> Explained:
    owner = grants.members(session)[organisation_id]
    record = _Record(owner, attributes, age_band, readers.others(session, organisation_id))
    waits = versions.scheduled(session, organisation_id, at)
    return Explained(
        indicator=None,
        attributes=attributes,
        age_band=age_band,
        in_force=record.under(versions.in_force(session, organisation_id, at)),
        scheduled=record.under(waits) if waits else None,
    )


_Alike: TypeAlias = tuple[Bases, tuple[Period, ...], tuple[Named, ...]]
"""What is told of a group and a purpose beside these two."""


@dataclass(frozen=True)
class _Record:
    """A record and those who could read it."""

    owner: Member
    attributes: ClassAttributes
    age_band: int
    readable: Sequence[tuple[Named, Member]]

    def under(self, version: Version | None) -> VersionAudience:
        """Who gets something of it under the version."""
        policies = version.policies if version else ()
        groups = readers.groups(
            Distinctions((*platform_policies(), *policies)), self.owner, self.readable
        )
        purposes: dict[tuple[Group, _Alike], list[Purpose]] = {}
        for group, purpose, alike in self._found(groups, policies):
            purposes.setdefault((group, alike), []).append(purpose)
        organisations: dict[tuple[tuple[Purpose, ...], _Alike], list[Named]] = {}
        for (group, alike), found in purposes.items():
            organisations.setdefault((tuple(found), alike), []).extend(group.organisations)
        audiences = [
            Audience(tuple(sorted(named)), found, bases, periods, onward)
            for (found, (bases, periods, onward)), named in organisations.items()
        ]
        audiences.sort(key=lambda each: (-each.today.rank, each.organisations, each.purposes))
        return VersionAudience(
            version.seq if version else 0,
            version.valid_from if version else None,
            tuple(audiences),
        )

    def _found(
        self, groups: Sequence[Group], policies: Sequence[Policy]
    ) -> Iterable[tuple[Group, Purpose, _Alike]]:
        seats = readers.seats(groups)
        bands = range(self.age_band, len(AGE_BANDS))
        subjects = [(self.attributes, band) for band in bands]
        tableau = Tableau(self.owner, seats, subjects)
        answers = dict(zip(seats, tableau.answers(policies), strict=True))
        onward = _Onward(self, self.readable, policies)
        onward.look_at(seat for seat, answer in answers.items() if answer and answer.metadata & 1)
        for group in groups:
            for purpose in Purpose:
                found = {
                    seat: answer
                    for seat in readers.seats([group], [purpose])
                    for answer in [answers[seat]]
                    if answer is not None
                }
                alike: dict[tuple[tuple[Period, ...], tuple[Named, ...]], list[LegalBasis]] = {}
                for seat, answer in found.items():
                    if not answer.is_nothing:
                        to = onward.of(seat) if answer.metadata & 1 else ()
                        key = self._periods(answer, policies), to
                        alike.setdefault(key, []).append(seat.legal_basis)
                usable = [seat.legal_basis for seat in found]
                for (periods, to), bases in alike.items():
                    yield group, purpose, (readers.told_bases(bases, usable), periods, to)

    def _periods(self, answer: Answer, policies: Sequence[Policy]) -> tuple[Period, ...]:
        periods: list[Period] = []
        for place, (first, _) in enumerate(AGE_BANDS[self.age_band :]):
            ruling = answer.ruling(place)
            rules = readers.rules(ruling.reasons, policies)
            period = Period(first, Access.of(ruling), rules)
            if not periods or (periods[-1].access, periods[-1].rules) != (period.access, rules):
                periods.append(period)
        return tuple(periods)


class _Onward:
    """To whom a reader may pass on what it sees of a record at the age of today."""

    def __init__(
        self, record: _Record, readable: Iterable[tuple[Named, Member]], policies: Iterable[Policy]
    ) -> None:
        own = [policy for policy in policies if Action.ONWARD in policy.actions()]
        self._record = record
        self._policies = [
            *(each for each in platform_policies() if Action.ONWARD in each.actions()),
            *own,
        ]
        self._told_apart = Distinctions((*platform_policies(), *own))
        self._groups = {
            self._shape(group.member): group
            for group in readers.groups(self._told_apart, record.owner, readable)
        }
        # The platform's rules permit it to owners alone.
        self._is_permitted = any(policy.permits for policy in own)
        self._known: dict[tuple[Shape, Purpose, LegalBasis], tuple[Named, ...]] = {}

    def look_at(self, seats: Iterable[Seat]) -> None:
        """Ask about these seats, which see metadata; alike ones once."""
        if not self._is_permitted:
            return
        asked = {self._key(seat): replace(seat, member=self._group(seat).member) for seat in seats}
        policies = policy_set({policy.id: policy.tree for policy in self._policies})
        subject = (self._record.attributes, self._record.age_band)
        found: dict[tuple[Shape, Purpose, LegalBasis], list[Named]] = {key: [] for key in asked}
        for to in self._groups.values():
            # Nobody passes on to itself: of several that are alike, one reads and another gets.
            some = [(key, seat) for key, seat in asked.items() if seat.member != to.members[-1]]
            if not some:
                continue
            cedar = Cedar(
                policies, self._record.owner, [seat for _, seat in some], [subject], to.members[-1]
            )
            verdicts = cedar.verdicts(Action.ONWARD, [(seat, subject) for _, seat in some])
            for (key, _), verdict in zip(some, verdicts, strict=True):
                found[key] += to.organisations if verdict.allowed else ()
        self._known = {key: tuple(sorted(named)) for key, named in found.items()}

    def of(self, seat: Seat) -> tuple[Named, ...]:
        """The organisations; of those alike, the reader itself is one."""
        return self._known.get(self._key(seat), ())

    def _key(self, seat: Seat) -> tuple[Shape, Purpose, LegalBasis]:
        return self._shape(seat.member), seat.purpose, seat.legal_basis

    def _group(self, seat: Seat) -> Group:
        return self._groups[self._shape(seat.member)]

    def _shape(self, member: Member) -> Shape:
        return self._told_apart.of_member(self._record.owner, member)
