"""The checks of an organisation's own entries, taken one by one so that any number fits.

RECORD, INCLUSION, COMPLETE, TIME and ERASURE of docs/verify.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from postern.audit.findings import Check, Finding, cannot_tell, failed, not_asked, ok
from postern.audit.own_entries import ERASE, OwnEntry, fault_of, missing_fields, opened

BEFORE_SLACK = 120_000  # milliseconds that an act may lie before a cosignature it comes after
AFTER_SLACK = 5_000  # milliseconds by which clocks may differ
OVERDUE = 65_000  # milliseconds within which an entry has its place

_NAMED = 3  # examples in a sentence


@dataclass(frozen=True, slots=True)
class SeenAt:
    """A checkpoint that others cosigned: seconds of the first cosignature, and of the quorum's."""

    size: int
    first: int
    quorum: int | None


Proven = Callable[[OwnEntry, int], bool]
"""Whether the entry's leaf stands at a place of the signed log."""


@dataclass(frozen=True, slots=True)
class Period:
    """Entries that were read, and the milliseconds since 1970 of the first and the last."""

    entries: int = 0
    first: int | None = None
    last: int | None = None


class EntryExamination:
    """Takes entries in any order, then tells what it found.

    `size` is that of the signed log: entries beyond it wait for a later checkpoint. `now` is in
    milliseconds since 1970.
    """

    def __init__(
        self, size: int, is_proven: Proven, history: Sequence[SeenAt], *, now: int
    ) -> None:
        self._size = size
        self._is_proven = is_proven
        self._bounds = _Bounds(history)
        self._now = now
        self._lines = 0
        self._records: set[str] = set()
        self._places: dict[int, str] = {}
        self._wrong: list[tuple[str, str]] = []  # record or line, what is wrong
        self._misplaced: list[str] = []
        self._overdue: list[str] = []
        self._untimely: list[tuple[str, str]] = []
        self._bounded = 0
        self._waiting = 0
        self._blank: list[_Blank] = []
        self._erasures: list[_Erasure] = []
        self._period = Period()
        self.needs_whole = False
        """Whether something was erased among these: copies of older entries must be renewed."""

    def take(self, entry: OwnEntry) -> None:
        """One more entry."""
        self._lines += 1
        name = entry.record_id
        if name in self._records:
            self._misplaced.append(f"{name} twice")
            return
        self._records.add(name)
        self._count(entry)
        fault = fault_of(entry)
        if fault:
            self._wrong.append((name, fault))
        else:
            self._take_details(entry)
        self._take_place(entry)

    def take_malformed(self, why: str) -> None:
        """A line that is no entry."""
        self._lines += 1
        self._wrong.append((f"line {self._lines}", why))

    @property
    def period(self) -> Period:
        """How many entries there were, and from when to when."""
        return self._period

    def record(self) -> Finding:
        """RECORD: leaf, record and details fix one another."""
        counts = {"entries": self._period.entries, "altered": len(self._wrong)}
        if self._wrong:
            told = "; ".join(f"{name}: {why}" for name, why in self._wrong[:_NAMED])
            return failed(
                Check.RECORD,
                f"{_number(self._wrong, 'entry', 'entries')} not as logged ({told}).",
                **counts,
            )
        if not self._period.entries:
            return ok(Check.RECORD, "There is no entry of this organisation to look at.", **counts)
        return ok(Check.RECORD, "Every entry and every detail is as it was logged.", **counts)

    def inclusion(self) -> Finding:
        """INCLUSION: every entry stands at its place in the signed tree."""
        counts = {
            "entries": self._period.entries,
            "not there": len(self._misplaced),
            "waiting": self._waiting,
        }
        if self._misplaced:
            told = ", ".join(self._misplaced[:_NAMED])
            sentence = f"{_number(self._misplaced, 'entry', 'entries')} not where it should be"
            return failed(Check.INCLUSION, f"{sentence} in the signed log ({told}).", **counts)
        if self._overdue:
            return cannot_tell(
                Check.INCLUSION,
                f"{_number(self._overdue, 'entry', 'entries')} still without a place after more "
                f"than {OVERDUE // 1000} seconds ({', '.join(self._overdue[:_NAMED])}). Ask the "
                "operator whether the sequencer runs, and verify again.",
                **counts,
            )
        newer = f" {self._waiting} newer than the checkpoint." if self._waiting else ""
        return ok(
            Check.INCLUSION, f"Every entry stands in the signed log at its place.{newer}", **counts
        )

    def complete(self, tagged: frozenset[int] | None, *, first: int = 0) -> Finding:
        """COMPLETE: each leaf with this organisation's tag has its record.

        `tagged` are the places of such leaves from `first` on; None when leaves were not read.
        """
        if tagged is None:
            return not_asked(
                Check.COMPLETE,
                "Not looked at: whether entries were left out shows only in a copy of the whole "
                "log (`postern audit mirror`).",
            )
        hidden = sorted(place for place in tagged - self._places.keys() if place >= first)
        counts = {"concerning this organisation": len(tagged), "kept back": len(hidden)}
        if hidden:
            told = ", ".join(str(place) for place in hidden[:_NAMED])
            return failed(
                Check.COMPLETE,
                f"The log has {_number(hidden, 'entry', 'entries')} concerning this organisation "
                f"that it was not shown (at place {told}).",
                **counts,
            )
        return ok(
            Check.COMPLETE, "Every entry that concerns this organisation was shown to it.", **counts
        )

    def time(self) -> Finding:
        """TIME: what an entry says of its time fits when witnesses saw the log."""
        counts = {"bounded": self._bounded, "untimely": len(self._untimely)}
        if self._untimely:
            told = "; ".join(f"{name} {why}" for name, why in self._untimely[:_NAMED])
            sentence = f"The time of {_number(self._untimely, 'entry', 'entries')} cannot be right"
            return failed(Check.TIME, f"{sentence} ({told}).", **counts)
        if not self._bounded and self._period.entries > self._waiting:
            return cannot_tell(
                Check.TIME,
                "No witness's cosignature bounds the times of these entries: they are the log's "
                "own word.",
                **counts,
            )
        return ok(Check.TIME, "The times fit those at which witnesses saw the log.", **counts)

    def erasure(self) -> Finding:
        """ERASURE: each detail that is missing was erased by an entry that says so."""
        covered = [one for one in self._blank if self._is_covered(one)]
        bare = [one for one in self._blank if not self._is_covered(one)]
        counts = {"entries with erased details": len(covered), "unexplained": len(bare)}
        if bare:
            told = ", ".join(f"{one.record} ({', '.join(sorted(one.fields))})" for one in bare[:3])
            return failed(
                Check.ERASURE,
                f"Details of {_number(bare, 'entry', 'entries')} are missing, and no logged "
                f"erasure covers them: {told}.",
                **counts,
            )
        if covered:
            return ok(
                Check.ERASURE, "Every missing detail is covered by a logged erasure.", **counts
            )
        return ok(Check.ERASURE, "No detail is missing.", **counts)

    def _count(self, entry: OwnEntry) -> None:
        before = self._period
        self._period = Period(
            before.entries + 1,
            entry.at if before.first is None else min(before.first, entry.at),
            entry.at if before.last is None else max(before.last, entry.at),
        )

    def _take_details(self, entry: OwnEntry) -> None:
        fields = missing_fields(entry)
        if fields:
            self._blank.append(
                _Blank(entry.record_id, str(entry.fields["org"]), entry.at, entry.place, fields)
            )
        if entry.fields["act"] == ERASE and entry.fields.get("out", "ok") == "ok":
            self.needs_whole = True
            erased = opened(entry).get("erased")
            if isinstance(erased, dict):
                place = self._size if entry.place is None else entry.place  # it gets a later one
                self._erasures.append(_Erasure(str(entry.fields["org"]), place, erased))

    def _take_place(self, entry: OwnEntry) -> None:
        place = entry.place
        if place is None or place >= self._size:
            self._waiting += 1
            if place is None and entry.at + OVERDUE < self._now:
                self._overdue.append(entry.record_id)
            return
        if place in self._places or not self._is_proven(entry, place):
            self._misplaced.append(f"{entry.record_id} at {place}")
        self._places.setdefault(place, entry.record_id)
        earliest, latest = self._bounds.of(place)
        if latest is not None:
            self._bounded += 1
        if earliest is not None and entry.at < earliest:
            self._untimely.append((entry.record_id, "is dated before entries that precede it"))
        elif latest is not None and entry.at > latest:
            self._untimely.append((entry.record_id, "is dated after it was seen by others"))

    def _is_covered(self, blank: "_Blank") -> bool:
        left = set(blank.fields)
        for erasure in self._erasures:
            if blank.place is not None and erasure.place <= blank.place:
                continue
            if erasure.covers(blank):
                left -= erasure.fields
        return not left


@dataclass(frozen=True, slots=True)
class _Blank:
    record: str
    organisation: str
    at: int
    place: int | None
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Erasure:
    organisation: str
    place: int
    erased: dict[str, Any]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the details that went."""
        names = self.erased.get("fields")
        return frozenset(map(str, names)) if isinstance(names, list) else frozenset()

    def covers(self, blank: _Blank) -> bool:
        """Whether it concerns this entry: by its id, or by organisation and age."""
        records, before = self.erased.get("records"), self.erased.get("before")
        if isinstance(records, list) and blank.record in records:
            return True
        return type(before) is int and blank.at < before and blank.organisation == self.organisation


class _Bounds:
    """Between which times an entry of a place must have been made, by others' clocks."""

    def __init__(self, history: Iterable[SeenAt]) -> None:
        seen = sorted(history, key=lambda one: one.size)
        self._sizes = [one.size for one in seen]
        self._earliest: list[int] = []  # milliseconds; grows with the size
        for one in seen:
            at = one.first * 1000 - BEFORE_SLACK
            self._earliest.append(max(at, self._earliest[-1]) if self._earliest else at)
        quorums = [(one.size, one.quorum) for one in seen if one.quorum is not None]
        self._quorum_sizes = [size for size, _ in quorums]
        self._latest: list[int] = []
        latest: int | None = None
        for _, second in reversed(quorums):
            at = second * 1000 + AFTER_SLACK
            latest = at if latest is None else min(at, latest)
            self._latest.append(latest)
        self._latest.reverse()

    def of(self, place: int) -> tuple[int | None, int | None]:
        """Earliest and latest millisecond; None where nobody saw the log before or since."""
        before = bisect_right(self._sizes, place)
        after = bisect_left(self._quorum_sizes, place + 1)
        return (
            self._earliest[before - 1] if before else None,
            self._latest[after] if after < len(self._latest) else None,
        )


def _number(found: Sequence[object], one: str, several: str) -> str:
    return f"{len(found):,} {one if len(found) == 1 else several}"
