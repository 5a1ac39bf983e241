"""Submitting a file: rows are read, pseudonymised and sent in batches, in order, with a journal.

The invariant: a row's fate is in the journal only when it is durable on both sides, and a row that
is sent again because its fate was lost is recognised by its client key. So a run that is cut off
anywhere, by kill -9 too, goes on without a row lost or doubled.
"""

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from postern.client import MOST_REPORTS, ReportResult
from postern.client_errors import (
    AnswerMalformedError,
    BodyTooLargeError,
    QuotaSpentError,
)
from postern.columns import ReadsCells
from postern.csv_file import CsvFile, CsvRow, read_rows
from postern.facets import facets
from postern.journal import Fate, Journal, RowFate
from postern.normalise import NORMALISER_VERSION, Normalised
from postern.pseudonymise import Batch, Pseudonymiser
from postern.rejected import RejectedRows
from postern.report_form import report
from postern.rows import Reading, ReadRow, read_row
from postern.sealing import Sealer
from postern.terms import Fault, FaultError, terms_on_wire
from postern.vocabulary import EVALUATION_KIND, Purpose

BATCH = 200  # rows whose fate is recorded together

_EPOCH_FAULT = re.compile(r"indicators\.[0-9]+\.epoch", re.ASCII)
_PLACE = re.compile(r"indicators\.([0-9]+)\.(.+)", re.ASCII)
_LARGEST_SEALED = 4 * 2**20  # characters of envelopes in one request
_UNKNOWN_WAIT = 60.0  # seconds, when the platform does not say when a quota begins again
_SPARE = 2.0  # seconds after that moment, for clocks that differ a little


class Submits(Protocol):
    """What takes reports: a client."""

    def submit(self, reports: Sequence[Mapping[str, Any]]) -> list[ReportResult]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how to read it."""

    file: CsvFile
    columns: ReadsCells
    reading: Reading

    def rows(self, *, after: int = 0) -> Iterator["Line"]:
        """Every row after a number, read; it can be sent, or has faults."""
        for row in read_rows(self.file, after=after):
            if row.fault:
                yield Line(row, None, (Fault("row", row.fault, "Correct the line."),))
                continue
            try:
                yield Line(row, read_row(self.columns.read(row.cells), self.reading), ())
            except FaultError as error:
                yield Line(row, None, error.faults)

    def terms_digest(self, *, address: str, purpose: Purpose) -> str:
        """A digest of all beside the file that decides what is sent, to notice other options."""
        reading = self.reading
        told: dict[str, Any] = {
            "address": address,
            "purpose": purpose,
            "norm": NORMALISER_VERSION,
            **self.columns.told(),
            "terms": terms_on_wire(reading.terms),
            "step": reading.terms.barrier_step,
            "units": [reading.units.weight, reading.units.currency],
            "network": [reading.operator, reading.country],
        }
        if reading.seals:  # only then, so that runs from before there were seals go on
            told["seals"] = True
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: what it says, or why it cannot be sent."""

    row: CsvRow
    read: ReadRow | None
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class Rehearsal:
    """What a dry run found. `indicators`: (kind, role) -> rows; `inputs`: kind -> evaluations."""

    rows: int = 0
    rejected: int = 0
    indicators: Counter[tuple[str, str]] = field(default_factory=Counter)
    facets: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # and facet -> count
    inputs: Counter[str] = field(default_factory=Counter)
    shipment: Counter[tuple[str, str]] = field(default_factory=Counter)  # (field, word) -> rows
    flags: Counter[str] = field(default_factory=Counter)
    first_faults: list[tuple[int, Fault]] = field(default_factory=list)  # (line, fault)


def rehearse(
    source: Source, *, most_faults: int, on_row: Callable[[int], None] = lambda _: None
) -> Rehearsal:
    """Read a whole file without sending anything. `on_row` is told the number of each row."""
    found = Rehearsal()
    for line in source.rows():
        found.rows += 1
        on_row(line.row.number)
        if line.read is None:
            found.rejected += 1
            room = most_faults - len(found.first_faults)
            found.first_faults += [(line.row.line, fault) for fault in line.faults[:room]]
            continue
        found.flags.update(_flags(line.read))
        found.shipment.update(line.read.shipment.items())
        for sighting in line.read.sightings:
            kind = sighting.value.kind
            of_value = facets(sighting.value)
            role = sighting.role.value
            found.indicators[kind.value, role] += 1
            found.facets.update((kind.value, role, each.kind) for each in of_value)
            if kind in EVALUATION_KIND:
                found.inputs[EVALUATION_KIND[kind].value] += len(of_value)
    return found


@dataclass(slots=True)
class _Group:
    """Rows on their way together. `starts[i]` is the place of row i's first value in the batch."""

    lines: list[Line]
    starts: list[int]
    batch: Batch

    def payload(self, place: int, client_key: str, sealer: Sealer | None) -> dict[str, Any]:
        read, start = self._read(place), self.starts[place]
        values = range(start, start + len(read.sightings))
        pseudonyms = [self.batch.pseudonym(value) for value in values]
        return report(client_key, read, pseudonyms, sealer)

    def ready(self) -> int:
        """How many rows, from the first, have all their values evaluated."""
        for place, line in enumerate(self.lines):
            values = range(len(line.read.sightings)) if line.read else ()
            if not all(self.batch.is_complete(self.starts[place] + each) for each in values):
                return place
        return len(self.lines)

    def drop(self, count: int) -> None:
        del self.lines[:count], self.starts[:count]

    def _read(self, place: int) -> ReadRow:
        found = self.lines[place].read
        if found is None:
            raise LookupError("a rejected row was about to be sent")
        return found


class Submission:
    """One run over a file, new or resumed. `run` does what is left of it.

    `sealer` seals values and notes to the own keys; without one they stay here. `wait` says whether
    to wait when a quota is spent; `on_rows` is told how many rows have a fate,
    `on_wait` until when the run waits. `flags` counts doubts about the rows of this run.
    """

    def __init__(
        self,
        source: Source,
        journal: Journal,
        rejected: RejectedRows,
        platform: Submits,
        pseudonymiser: Pseudonymiser,
        *,
        sealer: Sealer | None = None,
        wait: bool = False,
        on_rows: Callable[[int], None] = lambda _: None,
        on_wait: Callable[[datetime | None], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        self._journal = journal
        self._rejected = rejected
        self._platform = platform
        self._pseudonymiser = pseudonymiser
        self._sealer = sealer
        self._wait = wait
        self._on_rows = on_rows
        self._on_wait = on_wait
        self._sleep = sleep
        self.flags: Counter[str] = Counter()

    def run(self) -> None:
        """Send every row whose fate is not known. Raises ClientError, KeyDocumentError, OSError.

        After any of them the journal holds what was done, and a later run goes on from there.
        """
        lines = self._source.rows(after=self._journal.done)
        ahead: _Group | None = None
        while few := list(islice(lines, BATCH)):
            # The next rows are blinded while the platform evaluates those before them.
            group = self._begin(few)
            if ahead is not None:
                self._finish(ahead)
            ahead = group
        if ahead is not None:
            self._finish(ahead)

    def _begin(self, lines: list[Line]) -> _Group:
        values: list[Normalised] = []
        starts: list[int] = []
        for line in lines:
            starts.append(len(values))
            if line.read is not None:
                self.flags.update(_flags(line.read))
                values += [each.value for each in line.read.sightings]
        return _Group(lines, starts, self._pseudonymiser.begin(values))

    def _finish(self, group: _Group) -> None:
        while group.lines:
            try:
                self._pseudonymiser.complete(group.batch)
                self._send(group, len(group.lines))
            except QuotaSpentError as spent:
                ready = group.ready()
                if ready and not self._wait:
                    self._send(group, ready)  # what was evaluated has been paid for
                if not self._wait:
                    raise
                self._pause(spent.resets_at)

    def _send(self, group: _Group, count: int) -> None:
        """Send the first rows of a group, which are evaluated, and record what became of them."""
        results = self._results(group, count)
        stale = [place for place, result in results.items() if _is_of_stale_epoch(result)]
        if stale:
            results |= self._send_again(group, stale)
        fates, refused = [], []
        for place, line in enumerate(group.lines[:count]):
            fate, faults = self._fate(line, results.get(place))
            fates.append(fate)
            if fate.fate is Fate.REJECTED:
                refused.append((line.row, faults))
        size = self._rejected.write(refused)
        self._journal.record(fates, size)
        group.drop(count)
        self._on_rows(self._journal.done)

    def _results(self, group: _Group, count: int) -> dict[int, ReportResult]:
        """Place of a row in the group -> what the platform said of it; rows it did not get lack."""
        sent = [place for place in range(count) if group.lines[place].read is not None]
        results: dict[int, ReportResult] = {}
        for few in _requests(self._payloads(group, sent)):
            answers = self._submit([payload for _, payload in few])
            for (place, payload), answer in zip(few, answers, strict=True):
                if answer.client_key != payload["client_key"]:
                    raise AnswerMalformedError("reports.results")
                results[place] = answer
        return results

    def _payloads(
        self, group: _Group, places: Sequence[int]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for place in places:
            yield place, group.payload(place, self._key(group.lines[place]), self._sealer)

    def _submit(self, payloads: Sequence[Mapping[str, Any]]) -> list[ReportResult]:
        try:
            answers = self._platform.submit(payloads)
        except BodyTooLargeError:
            if len(payloads) == 1:
                raise
            middle = len(payloads) // 2
            return [*self._submit(payloads[:middle]), *self._submit(payloads[middle:])]
        if len(answers) != len(payloads):
            raise AnswerMalformedError("reports.results")
        return answers

    def _send_again(self, group: _Group, places: Sequence[int]) -> dict[int, ReportResult]:
        """An epoch turned between evaluation and submission: once more, with the new one."""
        self._pseudonymiser.renew()
        again = self._begin_again([group.lines[place] for place in places])
        self._pseudonymiser.complete(again.batch)
        results = self._results(again, len(places))
        return {places[place]: result for place, result in results.items()}

    def _begin_again(self, lines: list[Line]) -> _Group:
        counted = self.flags.copy()
        group = self._begin(lines)
        self.flags = counted
        return group

    def _fate(self, line: Line, result: ReportResult | None) -> tuple[RowFate, tuple[Fault, ...]]:
        number = line.row.number
        if result is None:
            return RowFate(number, Fate.REJECTED), line.faults
        match result.status:
            case "created":
                return RowFate(number, Fate.CREATED, result.report), ()
            case "existing":
                return RowFate(number, Fate.EXISTING, result.report), ()
            case "rejected":
                fields = {error.field for error in result.errors}
                if self._journal.is_resumed and fields == {"client_key"}:
                    # Only this run can have used its random key: the row went in before the run
                    # was cut off, and something since, such as a key epoch, made it read otherwise.
                    return RowFate(number, Fate.EXISTING), ()
                return RowFate(number, Fate.REJECTED), _faults(line, result)
        raise AnswerMalformedError("reports.results.status")

    def _key(self, line: Line) -> str:
        return self._journal.header.client_key(line.row.number)

    def _pause(self, until: datetime | None) -> None:
        self._on_wait(until)
        seconds = _UNKNOWN_WAIT
        if until is not None:
            seconds = max(0.0, (until - datetime.now(UTC)).total_seconds()) + _SPARE
        self._sleep(seconds)


def _requests(
    payloads: Iterator[tuple[int, dict[str, Any]]],
) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Payloads in requests of so many and so large that a platform takes them."""
    few: list[tuple[int, dict[str, Any]]] = []
    size = 0
    for place, payload in payloads:
        sealed = (each.get("sealed", {}) for each in payload["indicators"])
        own = sum(len(text) for parts in sealed for text in parts.values())
        if few and (len(few) == MOST_REPORTS or size + own > _LARGEST_SEALED):
            yield few
            few, size = [], 0
        few.append((place, payload))
        size += own
    if few:
        yield few


def _flags(read: ReadRow) -> Iterator[str]:
    yield from read.flags
    for sighting in read.sightings:
        yield from sighting.value.flags


def _is_of_stale_epoch(result: ReportResult) -> bool:
    return bool(result.errors) and all(_EPOCH_FAULT.fullmatch(e.field) for e in result.errors)


def _faults(line: Line, result: ReportResult) -> tuple[Fault, ...]:
    """What the platform found wrong, with the column instead of a place in the report."""
    sightings = line.read.sightings if line.read else ()
    faults = []
    for error in result.errors:
        name = error.field
        found = _PLACE.fullmatch(name)
        if found and int(found[1]) < len(sightings):
            name = f"{sightings[int(found[1])].source} ({found[2]})"
        faults.append(Fault(name, error.reason, error.remedy))
    return tuple(faults)
