"""A log decided again, entry by entry, on a log that needs no database."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.audit import reading
from app.audit.reading import Filters, Page, ReadEntry
from app.clock import day
from app.sharing import grants, own_assets, replay, service, visibility
from app.sharing.asset_replay import ReplayedAssets
from app.sharing.engine import NOTHING, Ruling
from app.sharing.own_assets import OwnAsset
from app.sharing.policy_text import PolicyRefusedError
from app.sharing.readers import Access, Named
from app.sharing.replay import NOT_REPLAYED, Difference, ReplayedHit, ReplayedReader
from app.sharing.seats import Member
from app.sharing.visibility import OwnSubject
from postern.vocabulary import (
    Kind,
    LegalBasis,
    Level,
    PermittedAction,
    Purpose,
    Sector,
    Tlp,
    Told,
)
from tests.app.sharing.test_audience import CUSTOMS, POLICE, permit, version_of
from tests.app.sharing.test_composing import SESSION, WRITER, within
from tests.app.sharing.test_history import NOON
from tests.app.sharing.world import PLAIN, like

MEMBERS = {
    7: Member("police-nl", Sector.POLICE, "NL", ("a",)),
    8: Member("customs-be", Sector.CUSTOMS, "BE"),
    9: Member("police-de", Sector.POLICE, "DE"),
}
OWN = [UUID(int=number) for number in range(1, 4)]
GONE = UUID(int=99)
TODAY = day(NOON)


def entry(
    ago: timedelta,
    act: str = "indicator.match",
    *,
    level: Level | None = Level.PRESENCE,
    viewer: str = "police-de",
    purpose: Purpose = Purpose.RISK_ANALYSIS,
    basis: LegalBasis = LegalBasis.PUBLIC_TASK,
    objects: Sequence[UUID] = OWN[:1],
) -> ReadEntry:
    at = int((NOON - ago).timestamp() * 1000)
    fields = {"t": at, "act": act, "purpose": purpose.value, "basis": basis.value, "id": f"e{at}"}
    details: dict[str, Any] = {"viewer": viewer, "objects": [str(each) for each in objects]}
    if level:
        details["level"] = level.value
    return ReadEntry(b"", fields, details, (), b"", None, True)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the log of the reading was told."""
    found: list[Any] = []
    names = {key: SimpleNamespace(code=each.code, name=each.code.upper())
             for key, each in MEMBERS.items()}  # fmt: skip
    monkeypatch.setattr(replay, "append", lambda *given, **more: found.append((*given, more)))
    monkeypatch.setattr(replay, "directory", within(names))
    monkeypatch.setattr(grants, "members", within(MEMBERS))
    monkeypatch.setattr(
        service, "check", within(lambda text: version_of(*text.splitlines()).policies)
    )

    def own(
        session: object, organisation_id: int, ids: Sequence[UUID], at: datetime
    ) -> dict[UUID, OwnSubject]:
        assert (session, organisation_id, at) == (SESSION, 7, NOON)
        return {each: OwnSubject(1, 1, PLAIN, TODAY - 3, 0) for each in ids if each != GONE}

    monkeypatch.setattr(visibility, "own_subjects", own)
    return found


def log_of(monkeypatch: pytest.MonkeyPatch, entries: Iterable[ReadEntry], size: int = 2) -> None:
    """The log, newest first, in pages of that size."""
    newest_first = sorted(entries, key=lambda each: -int(each.fields["t"]))

    def page(
        session: object, organisation: str, filters: Filters, cursor: str | None, limit: int
    ) -> Page:
        assert (session, organisation, limit) == (SESSION, "police-nl", reading.LARGEST_PAGE)
        assert filters.since is not None
        assert cursor != ""
        since = filters.since.timestamp() * 1000
        fitting = [
            each
            for each in newest_first
            if each.fields["act"] == filters.act and each.fields["t"] >= since
        ]
        start = int(cursor or 0)
        some = tuple(fitting[start : start + size])
        return Page(some, str(start + size) if fitting[start + size :] else None)

    monkeypatch.setattr(reading, "entries", page)


PRESENCE = permit("presence", POLICE)


def test_every_hit_of_the_days_is_decided_again(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = [
        entry(HOUR, level=Level.METADATA, objects=OWN),
        entry(2 * HOUR, "indicator.alert", level=None, purpose=Purpose.CRIMINAL_INTELLIGENCE),
        entry(3 * HOUR, objects=[OWN[0], GONE]),
        entry(4 * HOUR, viewer="customs-be", purpose=Purpose.CUSTOMS_CONTROL),
        ReadEntry(
            b"",
            {"t": int((NOON - 5 * HOUR).timestamp() * 1000), "act": "indicator.match", "id": "x"},
            {},
            (),
            b"",
            None,
            True,
        ),
        entry(6 * HOUR),
        entry(31 * DAY),
    ]
    log_of(monkeypatch, log)
    found = replay.replay(SESSION, WRITER, PRESENCE, NOON)
    digest = hashlib.sha256(PRESENCE.encode()).hexdigest()
    assert (found.since, found.until, found.sha256) == (NOON - 30 * DAY, NOON, digest)
    assert (found.entries, found.hits, found.erased, found.is_cut) == (6, 8, 1, False)
    assert found.not_replayed == NOT_REPLAYED
    now = Access(Level.PRESENCE, False, False, Told.BOTH)
    none = Access(None, False, False, None)
    police = Named("police-de", "POLICE-DE")

    def replayed(ago: timedelta, indicator: UUID, then: Level | None, now: Access) -> ReplayedHit:
        return ReplayedHit(NOON - ago, indicator, LegalBasis.PUBLIC_TASK, then, now)

    assert found.readers == (
        ReplayedReader(
            Named("customs-be", "CUSTOMS-BE"),
            Purpose.CUSTOMS_CONTROL,
            **_counts(nothing=1),
            untold=0,
            gone=0,
            examples=(replayed(4 * HOUR, OWN[0], Level.PRESENCE, none),),
        ),
        ReplayedReader(
            police,
            Purpose.CRIMINAL_INTELLIGENCE,
            **_counts(higher=1),
            untold=0,
            gone=0,
            examples=(replayed(2 * HOUR, OWN[0], None, now),),
        ),
        ReplayedReader(
            police,
            Purpose.RISK_ANALYSIS,
            **_counts(lower=3, same=2),
            untold=0,
            gone=1,
            examples=tuple(replayed(HOUR, each, Level.METADATA, now) for each in OWN),
        ),
    )
    details = {"sha256": digest, "since": (NOON - 30 * DAY).isoformat(timespec="seconds")}
    ids = [each.fields["id"] for each in log[:6]]
    more = {"object_type": "audit-entry", "count": 6, "results": ids, "details": details}
    assert told == [(SESSION, WRITER, "policy.simulate", more)]


def test_the_rules_of_patterns_that_were_given_are_decided_again_too(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = like(kind=Kind.PATTERN, tlp=Tlp.GREEN, permitted_action=PermittedAction.WATCH)
    own = [OwnAsset(each, "A", watched, TODAY - 3) for each in OWN[:2]]
    monkeypatch.setattr(
        own_assets,
        "in_force",
        lambda *asked: own if asked == (SESSION, 7, NOON, Kind.PATTERN) else [],
    )
    law = {"purpose": Purpose.CUSTOMS_CONTROL, "basis": LegalBasis.CUSTOMS_LAW}
    log = [
        entry(HOUR, "pattern.shared", viewer="customs-be", objects=OWN[:2], **law),
        entry(2 * HOUR, "pattern.shared", viewer="customs-be", objects=[OWN[0], OWN[2]], **law),
        entry(3 * HOUR),
    ]
    log_of(monkeypatch, log)
    in_its_community = f'{CUSTOMS} && resource.owner in Community::"a"'
    screened = permit("presence metadata screen", CUSTOMS)
    found = replay.replay(SESSION, WRITER, screened, NOON)
    customs = Named("customs-be", "CUSTOMS-BE")
    assert found.patterns == (ReplayedAssets(customs, Purpose.CUSTOMS_CONTROL, 3, 0, 0, 1, ()),)
    assert (found.entries, found.hits, found.is_cut) == (3, 1, False)
    assert told[-1][-1]["results"] == [log[place].fields["id"] for place in (2, 0, 1)]
    never = permit("presence metadata screen", in_its_community)
    assert replay.replay(SESSION, WRITER, never, NOON).patterns[0].nothing == 3
    monkeypatch.setattr(replay, "MOST_ENTRIES", 2)
    assert not replay.replay(SESSION, WRITER, screened, NOON).is_cut
    monkeypatch.setattr(replay, "MOST_ENTRIES", 1)
    cut = replay.replay(SESSION, WRITER, screened, NOON)
    assert (cut.is_cut, cut.entries, cut.patterns[0].same) == (True, 2, 2)


def test_who_was_told_of_barriers_is_decided_again_beside_patterns(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = OwnAsset(OWN[0], "A", like(kind=Kind.BARRIER, tlp=Tlp.GREEN), TODAY - 3)
    monkeypatch.setattr(
        own_assets,
        "in_force",
        lambda *asked: [barrier] if asked == (SESSION, 7, NOON, Kind.BARRIER) else [],
    )
    law = {"purpose": Purpose.CUSTOMS_CONTROL, "basis": LegalBasis.CUSTOMS_LAW}
    log = [
        entry(HOUR, "barrier.shared", viewer="customs-be", objects=OWN[:2], **law),
        entry(2 * HOUR, "pattern.shared", viewer="customs-be", objects=OWN[:1], **law),
        entry(3 * HOUR, "barrier.shared", viewer="customs-be", objects=OWN[:1], **law),
    ]
    log_of(monkeypatch, log)
    found = replay.replay(SESSION, WRITER, permit("presence metadata feed", CUSTOMS), NOON)
    customs = Named("customs-be", "CUSTOMS-BE")
    assert found.barriers == (ReplayedAssets(customs, Purpose.CUSTOMS_CONTROL, 2, 0, 0, 1, ()),)
    assert found.patterns == (ReplayedAssets(customs, Purpose.CUSTOMS_CONTROL, 0, 0, 0, 1, ()),)
    assert told[-1][-1]["results"] == [log[place].fields["id"] for place in (1, 0, 2)]
    monkeypatch.setattr(replay, "MOST_ENTRIES", 1)
    cut = replay.replay(SESSION, WRITER, permit("presence metadata feed", CUSTOMS), NOON)
    assert (cut.is_cut, cut.entries, cut.barriers[0].same) == (True, 2, 1)


def _counts(**counted: int) -> dict[str, int]:
    return {**dict.fromkeys((each.value for each in Difference), 0), **counted}


def test_a_hit_is_decided_at_the_age_of_its_day(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = permit("presence", f"{POLICE} && resource.ageBand == 0")
    monkeypatch.setattr(
        visibility,
        "own_subjects",
        lambda *asked: {each: OwnSubject(1, 1, PLAIN, TODAY - 9, 1) for each in asked[2]},
    )
    log_of(monkeypatch, [entry(HOUR), entry(2 * DAY), entry(3 * DAY), entry(9 * DAY)])
    (found,) = replay.replay(SESSION, WRITER, fresh, NOON).readers
    # Seen nine days ago: on the third day back it was six days old.
    assert (found.nothing, found.same) == (2, 2)
    assert len(told) == 1


def test_the_owner_is_asked_about_without_its_communities(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_of(monkeypatch, [entry(HOUR)])
    assert MEMBERS[7].communities == ("a",)
    of_the_owner = permit("presence", f'{POLICE} && resource.owner in Community::"a"')
    (found,) = replay.replay(SESSION, WRITER, of_the_owner, NOON).readers
    assert (found.nothing, found.same) == (1, 0)
    assert told


def test_who_asked_for_what_the_platform_now_keeps_from_it_gets_nothing(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_of(monkeypatch, [entry(HOUR, purpose=Purpose.PARCEL_SCREENING)])
    (found,) = replay.replay(SESSION, WRITER, PRESENCE, NOON).readers
    assert (found.purpose, found.nothing, found.same) == (Purpose.PARCEL_SCREENING, 1, 0)
    assert told


@pytest.mark.parametrize(
    ("asked", "days"), [(30, 30), (0, 1), (-5, 1), (1, 1), (366, 366), (367, 366)]
)
def test_the_days_have_an_end(
    told: list[Any], monkeypatch: pytest.MonkeyPatch, asked: int, days: int
) -> None:
    log_of(monkeypatch, [])
    found = replay.replay(SESSION, WRITER, PRESENCE, NOON, asked)
    assert (found.since, found.readers, found.hits) == (NOON - days * DAY, (), 0)
    assert told[0][-1]["count"] == 0


def test_of_too_many_entries_the_newest_are_decided(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MOST_ENTRIES", 3)
    log_of(monkeypatch, [entry(number * HOUR) for number in range(1, 4)])
    whole = replay.replay(SESSION, WRITER, PRESENCE, NOON)
    assert (whole.entries, whole.is_cut) == (3, False)
    log_of(monkeypatch, [entry(number * HOUR, level=Level.METADATA) for number in range(1, 5)])
    cut = replay.replay(SESSION, WRITER, PRESENCE, NOON)
    assert (cut.entries, cut.is_cut, cut.hits) == (3, True, 3)
    assert [each.at for each in cut.readers[0].examples] == [
        NOON - number * HOUR for number in (1, 2, 3)
    ]
    assert len(told) == 2


def test_indicators_are_asked_about_in_lots(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lots: list[list[UUID]] = []

    def own(_session: object, _organisation_id: int, ids: list[UUID], _at: datetime) -> Any:
        lots.append(ids)
        return {each: OwnSubject(1, 1, PLAIN, TODAY, 0) for each in ids}

    monkeypatch.setattr(visibility, "own_subjects", own)
    monkeypatch.setattr(replay, "_IDS_AT_ONCE", 2)
    log_of(monkeypatch, [entry(HOUR, objects=[OWN[2], OWN[0]]), entry(2 * HOUR, objects=OWN)])
    (found,) = replay.replay(SESSION, WRITER, PRESENCE, NOON).readers
    assert lots == [OWN[:2], OWN[2:]]
    assert (found.same, found.gone) == (5, 0)
    assert told


def test_a_text_that_cannot_be_decided_on_is_refused(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_of(monkeypatch, [entry(HOUR), entry(HOUR, viewer="customs-be")])
    intricate = permit("presence", f"{CUSTOMS} && resource.ageBand == 0")
    monkeypatch.setattr(replay, "MOST_PAIRS", 1)
    with pytest.raises(PolicyRefusedError):
        replay.replay(SESSION, WRITER, intricate, NOON)
    assert told == []


@pytest.mark.parametrize(
    ("then", "ruling", "difference"),
    [
        (None, NOTHING, Difference.NOTHING),
        (None, Ruling(0, (), tells_owner=True), Difference.SAME),
        (None, Ruling(1, ()), Difference.HIGHER),
        (Level.PRESENCE, NOTHING, Difference.NOTHING),
        (Level.PRESENCE, Ruling(0, (), tells_owner=True), Difference.OWNER_ALONE),
        (Level.PRESENCE, Ruling(1, ()), Difference.SAME),
        (Level.PRESENCE, Ruling(2, ()), Difference.HIGHER),
        (Level.METADATA, Ruling(1, ()), Difference.LOWER),
        (Level.METADATA, Ruling(2, ()), Difference.SAME),
        (Level.REQUEST, Ruling(3, ()), Difference.SAME),
        (Level.REQUEST, Ruling(2, ()), Difference.LOWER),
    ],
)
def test_how_a_hit_differs(then: Level | None, ruling: Ruling, difference: Difference) -> None:
    assert replay._difference(then, ruling) is difference


def _hit(number: int) -> Any:
    at = datetime.fromtimestamp(number, UTC)
    return replay._Hit(
        at, "x", Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK, OWN[0], Level.PRESENCE
    )


def test_examples_are_of_hits_that_differ_or_that_the_owner_would_not_be_told_of() -> None:
    same, untold = Ruling(1, (), tells_owner=True), Ruling(1, ())
    hits = [
        (_hit(0), same),
        (_hit(1), untold),
        (_hit(2), None),
        (_hit(3), NOTHING),
        (_hit(4), Ruling(0, (), tells_owner=True)),
        (_hit(5), Ruling(2, ())),
    ]
    found = replay._reader(Named("x", "X"), Purpose.RISK_ANALYSIS, hits)
    assert (found.same, found.higher, found.nothing, found.owner_alone) == (2, 1, 1, 1)
    assert (found.lower, found.untold, found.gone) == (0, 2, 1)
    assert [each.at.timestamp() for each in found.examples] == [1, 3, 4]
    assert found.examples[0].now == Access.of(untold)


def test_clients_know_the_differences_by_these_words() -> None:
    words = ["same", "higher", "lower", "owner_alone", "nothing"]
    assert [each.value for each in Difference] == words


def test_what_it_says_of_itself_and_how_far_it_reads_are_promises() -> None:
    docs = Path(__file__).parents[3] / "docs" / "policies.md"
    assert f"Of more than {replay.MOST_ENTRIES:,} entries the newest are read." in docs.read_text()
    assert NOT_REPLAYED == (
        "Only hits that you were told of can be decided again. What a lookup matched and was hidden"
        " is recorded nowhere, on purpose, and hits of which only the reader was told are in the"
        " reader's log alone: so what the text would newly show is not among these figures."
        " Readers and indicators are taken as they are today, at the age of that day."
    )
