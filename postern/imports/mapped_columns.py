"""Which column of a file is which line of a mapping, and one row made into Postern's own fields.

A heading is recognised by its words, as in any file; a column that the mapping does not speak of
is read under Postern's own names, and told when it has none of them. Rows go on without the words
that are not known: they are counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from postern.columns import (
    IGNORE,
    PARTY_FIELDS,
    UNITS,
    HeadingKey,
    heading_key,
    recognised,
)
from postern.imports.cells import amount_of, day_of, unit_of, word_of
from postern.imports.finds import (
    FIND_FIELDS,
    FOUND_QUANTITY,
    FOUND_UNIT,
    OUTCOME,
    Find,
    find_of,
)
from postern.imports.model import (
    AMOUNTS,
    DAY_EXAMPLES,
    DAYS,
    DROP,
    INVOLVEMENTS,
    OWN_PARTIES,
    SCOPE,
    STRICT,
    WEIGHT_UNIT,
    WEIGHTS,
    ImportMapping,
    MappedColumn,
    Verified,
    has_words,
)
from postern.imports.tally import LONGEST_SHOWN, Tally
from postern.terms import Fault, FaultError
from postern.vocabulary import OutcomeResult

NOTE = "note"
_NOTES = frozenset({NOTE, FOUND_QUANTITY, FOUND_UNIT})  # how much was found stands in the note too
_REMEMBERED = 5_000  # different cells of one column whose word is kept

_Word = tuple[str | None, tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class Placed:
    """One column of the file: its heading, its place, what the mapping says, the heading's unit.

    `is_own` means that the mapping does not speak of it, and Postern's own name was recognised.
    """

    heading: str
    place: int
    line: MappedColumn
    unit: str
    is_own: bool = False
    known: dict[str, _Word] = field(default_factory=dict, compare=False, repr=False)


class MappedColumns:
    """How to read the cells of one file under a mapping; `tally` counts what is left out.

    `without` names constants of the mapping that do not hold, because somebody says otherwise.
    """

    def __init__(
        self,
        header: Sequence[str],
        mapping: ImportMapping,
        *,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.header = tuple(text.strip() for text in header)
        self.mapping = mapping
        self.tally = Tally()
        self.columns, self.unused = _placed(self.header, mapping)
        self._constants = {
            name: word for name, word in mapping.constants.items() if name not in without
        }
        self._fields = _by_field(self.columns)
        self._notes = [each for each in self.columns if each.line.field in _NOTES]
        self._dropped = [each for each in self.columns if each.line.field == DROP]

    @property
    def fields(self) -> frozenset[str]:
        """Every field that a row may have."""
        found = {*self._fields, *self._constants} - {
            SCOPE,
            WEIGHT_UNIT,
            *INVOLVEMENTS,
            *FIND_FIELDS,
        }
        found |= {NOTE} if self._notes else set()
        for party in OWN_PARTIES:
            for part in PARTY_FIELDS:
                if f"{party}_{part}" in found:
                    found.remove(f"{party}_{part}")
                    found |= {
                        f"{each}{_field_of(party, part)}" for each in ("", "sender_", "addressee_")
                    }
        return frozenset(found)

    @property
    def units(self) -> Mapping[str, str]:
        """Empty: what has a unit carries it beside the number."""
        return {}

    def headings_of(self, name: str) -> tuple[str, ...]:
        """The headings whose cells may become a field."""
        fields = _NOTES if name == NOTE else {name}
        return tuple(each.heading for each in self.columns if each.line.field in fields)

    def told(self) -> Mapping[str, Any]:
        """The mapping's digest, the places of its fields, and the constants that hold."""
        return {
            "mapping": self.mapping.sha256,
            "places": [[each.line.field, each.place] for each in self.columns],
            "constants": self._constants,
        }

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        """The fields of one row that hold something.

        Raises FaultError when a day is in none of its forms, or the row is not about post.
        """
        row = self._row(cells)
        return {name: text for name, text in row.items() if name not in FIND_FIELDS}

    def find(self, cells: Sequence[str]) -> Find | None:
        """What a row says came of its item. Raises FaultError as `read` does."""
        return find_of(self._row(cells))

    def _row(self, cells: Sequence[str]) -> dict[str, str]:
        faults: list[Fault] = []
        row: dict[str, str] = {}
        unit = self._first(WEIGHT_UNIT, cells)
        for name, parts in self._fields.items():
            if name in {WEIGHT_UNIT, NOTE}:
                continue
            found = [text for part in parts if (text := self._cell(part, cells, unit, faults))]
            if found:
                row[name] = " ".join(found)
        note = "\n".join(self._noted(cells))
        if note:
            row[NOTE] = note
        for each in self._dropped:
            if cells[each.place].strip():
                self.tally.dropped[each.heading] += 1
        if "outside" in row.pop(SCOPE, "").split():
            faults.append(_OUTSIDE)
        if faults:
            raise FaultError(tuple(faults))
        return self._constants | self._with_parties(row)

    def _first(self, name: str, cells: Sequence[str]) -> str:
        parts = self._fields.get(name, ())
        return next((text for part in parts if (text := self._cell(part, cells, "", []))), "")

    def _cell(
        self, alternatives: Sequence[Placed], cells: Sequence[str], unit: str, faults: list[Fault]
    ) -> str:
        """The first of some columns that holds something that can be read."""
        for column in alternatives:
            text = cells[column.place].strip()
            found = text and self._read(column, text, unit, faults)
            if found:
                return found
        return ""

    def _read(self, column: Placed, text: str, unit: str, faults: list[Fault]) -> str:
        name = column.line.field
        if has_words(name):
            return self._word(column, text)
        if name in DAYS:
            day = day_of(column.line, text)
            if day is None:
                faults.append(_fault_of_day(column))
            return day or ""
        if name in AMOUNTS:
            of_column = unit if name in WEIGHTS else ""
            return amount_of(column.line, text, column.unit or of_column)
        if name.endswith("email") and "@" not in text:
            self.tally.left_out[column.heading, "it is not an e-mail address"] += 1
            return ""
        return text

    def _word(self, column: Placed, text: str) -> str:
        known = column.known.get(text)
        if known is None:
            known = word_of(column.line, text)
            if len(column.known) < _REMEMBERED and len(text) <= LONGEST_SHOWN:
                column.known[text] = known
        word, unknown, says_more = known
        if word is None and column.line.field in STRICT:
            return text
        for each in unknown:
            self.tally.unknown_word(column.heading, column.line.field, each)
        if says_more:
            self.tally.several[column.heading] += 1
        if word is None and column.line.field == OUTCOME:
            return OutcomeResult.PENDING  # never what a constant says of the other rows
        return word or ""

    def _noted(self, cells: Sequence[str]) -> Iterator[str]:
        for column in self._notes:
            if text := cells[column.place].strip():
                self.tally.sealed[column.heading] += 1
                yield f"{column.heading}: {text}"

    def _with_parties(self, row: dict[str, str]) -> dict[str, str]:
        """The row with the persons and businesses of the mapping in the roles that they have.

        Two parties are never mixed: one that finds its role taken is of unknown role, and one that
        finds that taken too is left out, and counted.
        """
        for party in OWN_PARTIES:
            role = row.pop(f"{party}_involvement", "")
            parts = {
                _field_of(party, part): row.pop(f"{party}_{part}")
                for part in PARTY_FIELDS
                if f"{party}_{part}" in row
            }
            if not parts:
                continue
            wished = f"{role}_" if role in {"sender", "addressee"} else ""
            free = next((each for each in (wished, "") if not _is_taken(row, each)), None)
            if free is None:
                self.tally.left_out[party, "two others stand in the row before it"] += 1
            else:
                row |= {f"{free}{part}": text for part, text in parts.items()}
        return row


def _field_of(party: str, part: str) -> str:
    """What a part of a party is called once its role is known."""
    return "business" if (party, part) == ("business", "name") else part


def _is_taken(row: Mapping[str, str], prefix: str) -> bool:
    return any(f"{prefix}{part}" in row for part in PARTY_FIELDS)


def _placed(
    header: Sequence[str], mapping: ImportMapping
) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    """The columns that are read, in the order of the mapping, and the headings that are not."""
    known: dict[HeadingKey, tuple[int, int]] = {}
    for number, line in enumerate(mapping.columns):
        for rank, heading in enumerate(line.headings):
            known.setdefault(heading_key(heading), (number, rank))
    found: list[tuple[tuple[int, int], Placed]] = []
    unused = []
    last = len(mapping.columns)
    for place, heading in enumerate(header):
        at, unit = _line_of(heading, known, mapping)
        if at is not None:
            found.append((at, Placed(heading, place, mapping.columns[at[0]], unit)))
            continue
        name, unit = recognised(heading) if heading else ("", "")
        if not name:
            unused.append(heading or f"(column {place + 1}, without a heading)")
        elif name != IGNORE:
            line = MappedColumn(name, (heading,), "", Verified.ASSUMED)
            found.append(((last, place), Placed(heading, place, line, unit, is_own=True)))
    found.sort(key=lambda each: each[0])
    return tuple(each for _, each in found), tuple(unused)


def _line_of(
    heading: str, known: Mapping[HeadingKey, tuple[int, int]], mapping: ImportMapping
) -> tuple[tuple[int, int] | None, str]:
    """The line and the place in it of a heading, and the unit that the heading names."""
    key = heading_key(heading)
    if key in known:
        return known[key], ""
    units = {word: unit for word in key if (unit := unit_of(word) or UNITS.get(word))}
    at = known.get(tuple(word for word in key if word not in units))
    if not units or at is None or mapping.columns[at[0]].field not in AMOUNTS:
        return None, ""
    return at, next(iter(units.values()))


def _by_field(columns: Sequence[Placed]) -> dict[str, tuple[tuple[Placed, ...], ...]]:
    """Field -> its parts in order -> the columns of a part, the first of which counts."""
    found: dict[str, dict[int, list[Placed]]] = {}
    for each in columns:
        if each.line.field != DROP:
            found.setdefault(each.line.field, {}).setdefault(each.line.part, []).append(each)
    return {
        name: tuple(tuple(parts[part]) for part in sorted(parts)) for name, parts in found.items()
    }


def _fault_of_day(column: Placed) -> Fault:
    return Fault(
        column.line.field,
        f"What stands under {column.heading} is not a day.",
        f"Write it as {', '.join(DAY_EXAMPLES[form] for form in column.line.days)}.",
    )


_OUTSIDE = Fault(
    SCOPE,
    "The row is about another way of transport than post and courier, or about no shipment.",
    "Leave it out; or let the mapping say that its word is within the scope.",
)
