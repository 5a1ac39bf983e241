"""What commands share that read a file under a mapping: the option, and what was left out."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from postern.commands.terminal import counted
from postern.csv_file import CsvFile
from postern.imports import SHIPPED, MappedColumns, find_mapping
from postern.imports.model import CONSTANTS, DROP, MappedColumn, listed

_SHOWN = 20  # unknown words of one column
_OPTIONS: Mapping[str, str] = {
    "subject": "subject_category",
    "operator": "induction_operator",
    "country": "induction_country",
}
"""Options whose constant has another name; the others have the option's."""

_NOTE: Mapping[bool | None, str] = {
    True: "Sealed with the note",
    False: "Not sent, because nothing is sealed",
    None: "Part of the note, which goes sealed or not at all",
}

mapping_option = click.option(
    "--mapping",
    metavar="NAME|FILE",
    help=f"How records of another system are read: {', '.join(SHIPPED)}, or a file of your own.",
)


def mapped_columns(file: CsvFile, name: str, options: Mapping[str, Any]) -> MappedColumns:
    """The columns of a file under a mapping, whose constants give way to what the options say.

    Raises MappingError, UnknownMappingError.
    """
    said = frozenset(_OPTIONS.get(each, each) for each, value in options.items() if value)
    return MappedColumns(file.header, find_mapping(name), without=said & set(CONSTANTS))


def told_tally(columns: MappedColumns, *, is_sealed: bool | None) -> Iterator[str]:
    """Lines about what was left out: each unknown word and each column once, with counts.

    `is_sealed` says whether the note is sealed; None where nothing is sent.
    """
    tally = columns.tally
    why_of = {each.heading: each.line for each in columns.columns}
    for heading, count in tally.dropped.most_common():
        yield f"Dropped: {heading}, {counted(count, 'cell')}. {why_of[heading].why}"
    sealed = sum(tally.sealed.values())
    if sealed:
        names = ", ".join(tally.sealed)
        yield f"{_NOTE[is_sealed]}: {names} ({counted(sealed, 'cell')})."
    for heading, count in tally.several.most_common():
        yield (
            f"{heading}: {counted(count, 'cell')} with several words of the list; the first one "
            "that is known was taken."
        )
    for (name, why), count in tally.left_out.most_common():
        yield f"Left out of {name}: {counted(count, 'cell')}; {why}."
    yield from _told_words(columns)


def _told_words(columns: MappedColumns) -> Iterator[str]:
    tally = columns.tally
    by_heading: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for (heading, name, text), count in tally.unknown.most_common():
        by_heading.setdefault((heading, name), []).append((text, count))
    for place in {**by_heading, **tally.beyond}:
        heading, name = place
        words = by_heading.get(place, [])
        told = [f"{text!r} ({count:,})" for text, count in words[:_SHOWN]]
        rest = sum(count for _, count in words[_SHOWN:]) + tally.beyond.get(place, 0)
        if rest:
            told.append(f"{counted(rest, 'cell')} with other words")
        yield (
            f"Not known under {heading}: {', '.join(told)}. They were left out of {name}; to send "
            f"them, write under which word each belongs in a mapping of your own{_list_of(name)}."
        )


def _list_of(name: str) -> str:
    words = listed(name)
    return f": {', '.join(words)}" if words else ""


def tally_as_json(columns: MappedColumns) -> dict[str, Any]:
    """The same for programs, with what became of each column."""
    tally = columns.tally
    return {
        "title": columns.mapping.title,
        "sha256": columns.mapping.sha256,
        "columns": [
            {"heading": each.heading, **column_as_json(each.line, is_own=each.is_own)}
            for each in columns.columns
        ],
        "dropped": dict(tally.dropped),
        "sealed_with_note": dict(tally.sealed),
        "several_words": dict(tally.several),
        "left_out": [
            {"where": where, "why": why, "cells": cells}
            for (where, why), cells in tally.left_out.items()
        ],
        "unknown_words": [
            {"heading": heading, "field": name, "text": text, "cells": cells}
            for (heading, name, text), cells in tally.unknown.most_common()
        ],
        "unknown_words_beyond": [
            {"heading": heading, "field": name, "cells": cells}
            for (heading, name), cells in tally.beyond.items()
        ],
    }


def column_as_json(line: MappedColumn, *, is_own: bool) -> dict[str, Any]:
    """What a mapping says of a column."""
    return {
        "field": None if line.field == DROP else line.field,
        "item": line.item,
        "verified": None if is_own else line.verified.value,
        "why": line.why,
    }
