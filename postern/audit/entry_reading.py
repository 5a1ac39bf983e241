"""Reading the own entries from the platform into the mirror, and past an examination.

An unfinished reading goes on where it ended. Entries that may still change (those without a place,
and the last minutes, in which one with an earlier time may yet commit) are read again next time.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from postern.audit.entry_checks import EntryExamination
from postern.audit.mirror import Mirror
from postern.audit.own_entries import EntryMalformedError, OwnEntry, parse_entry
from postern.audit.sources import EntrySource

_OVERLAP = 600_000  # milliseconds
_STALE = 3600  # seconds after which an unfinished reading is begun anew


def read(
    source: EntrySource,
    mirror: Mirror,
    examination: EntryExamination,
    *,
    full: bool,
    keep: bool,
    now: int,
    told: Callable[[int], None],
) -> None:
    """Let `examination` take the own entries: all if `full`, else those since the last reading.

    With `keep` the mirror holds them afterwards; without it nothing is written. `now` in seconds.
    """
    state = mirror.state
    since = None if full else state.entries_from
    place = _Place(since, state.entries_offset if since is not None else 0)
    cursor = None
    if keep:
        cursor = _resumed(mirror, examination, place, now=now, told=told)
        if cursor is None:
            mirror.begin_entries(place.length)
    for lines, following in source.pages(since, cursor):
        _take(examination, lines, place)
        told(len(lines))
        if keep:
            place.length = mirror.add_entries(lines)
            reading = {"since": since, "at": now, "cursor": following, "length": place.length}
            mirror.save(replace(mirror.state, reading=reading if following else {}))
    if keep:
        mirror.finish_entries()
        from_, offset = place.resume()
        mirror.save(replace(mirror.state, entries_from=from_, entries_offset=offset, reading={}))


class _Place:
    """Where in the file a next reading begins: the last boundary before what may still change."""

    def __init__(self, since: int | None, offset: int) -> None:
        self.since = since
        self.length = offset
        self._boundaries: list[tuple[int | None, int]] = [(since, offset)]
        self._last: int | None = None
        self._open: int | None = None  # the earliest entry without a place

    def page(self, entries: Iterable[OwnEntry]) -> None:
        """One more page, which begins at `length`."""
        for number, entry in enumerate(entries):
            if number == 0 and self._last is not None and entry.at > self._last:
                self._boundaries.append((entry.at, self.length))
            self._last = entry.at
            if entry.place is None and self._open is None:
                self._open = entry.at

    def resume(self) -> tuple[int | None, int]:
        """From which time, and at which length of the file, a next reading begins."""
        if self._last is None:
            return self._boundaries[0]
        limit = min(self._last, self._last if self._open is None else self._open) - _OVERLAP
        fit = [each for each in self._boundaries[1:] if each[0] is not None and each[0] <= limit]
        return fit[-1] if fit else self._boundaries[0]


def _take(examination: EntryExamination, lines: Iterable[bytes], place: _Place) -> None:
    entries: list[OwnEntry] = []
    for line in lines:
        try:
            entry = parse_entry(line)
        except EntryMalformedError as error:
            examination.take_malformed(str(error))
            continue
        examination.take(entry)
        entries.append(entry)
    place.page(entries)


def _resumed(
    mirror: Mirror,
    examination: EntryExamination,
    place: _Place,
    *,
    now: int,
    told: Callable[[int], None],
) -> str | None:
    """The cursor with which an unfinished reading goes on; its lines are taken. None: begin."""
    reading = mirror.state.reading
    if not reading or reading["since"] != place.since or now > reading["at"] + _STALE:
        return None
    if not mirror.cut_entries(reading["length"]):
        return None
    lines = list(mirror.new_entry_lines(place.length))
    _take(examination, lines, place)
    place.length = reading["length"]
    told(len(lines))
    return str(reading["cursor"])
