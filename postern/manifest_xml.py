"""A manifest in XML becomes a table: one row for each element of the name that the mapping gives.

No schema of a postal message is built in: those of ITMATT and CUSITM are not public. Headings are
the paths below the parcel's element, of local names: `sender/name`, `sender/@country`. Of a path
that occurs several times in one parcel, as contents do, the texts are joined.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.parsers import expat

from postern.manifest_errors import ManifestError

_BATCH = 2**20  # bytes
_DEEPEST = 40
_MOST_COLUMNS = 500
_LONGEST_PARCEL = 1_000_000  # characters
_LONGEST_TAG = 4 * _BATCH
_BETWEEN = " / "  # texts of one path


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    pass


def xml_as_csv(source: Path, target: Path, element: str) -> None:
    """Write the parcels of `source` to `target`, under the headings that occur in it.

    Raises ManifestError when it is no whole XML file, declares a document type, or has no element
    of that name, and OSError.
    """
    headings: dict[str, None] = {}
    count = 0
    for parcel in _parcels(source, element):
        count += 1
        headings |= dict.fromkeys(parcel)
        if len(headings) > _MOST_COLUMNS:
            raise ManifestError(
                f"{source} has more than {_MOST_COLUMNS} different fields in <{element}>. Name an "
                'element further inside with item = "..." in the mapping file.'
            )
    if not count:
        raise ManifestError(
            f"{source} has no element <{element}>. Name the element that holds one parcel with "
            'item = "..." in the mapping file.'
        )
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(headings)
        for parcel in _parcels(source, element):
            writer.writerow([_BETWEEN.join(parcel.get(name, ())) for name in headings])


def _parcels(source: Path, element: str) -> Iterator[dict[str, list[str]]]:
    reader = _Reader(element)
    try:
        with source.open("rb") as file:
            yield from _read(file, reader)
    except expat.ExpatError as error:
        raise ManifestError(
            f"{source} is not whole XML: {error}. Write it anew, or export CSV."
        ) from None
    except _Refused as error:
        raise ManifestError(f"{source} {error}. Write it anew, or export CSV.") from None


def _read(file: IO[bytes], reader: "_Reader") -> Iterator[dict[str, list[str]]]:
    while batch := file.read(_BATCH):
        reader.feed(batch, last=False)
        yield from reader.taken()
    reader.feed(b"", last=True)
    yield from reader.taken()


class _Reader:
    """Events of a parser that expands nothing: a document type, and so every entity, is refused."""

    def __init__(self, element: str) -> None:
        self._element = element
        self._names: list[str] = []
        self._texts: list[list[str]] = []
        self._begin = 0  # depth of the parcel's element; 0 outside of one
        self._parcel: dict[str, list[str]] = {}
        self._held = 0  # characters of the parcel
        self._fed = 0  # bytes
        self._ready: list[dict[str, list[str]]] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.ordered_attributes = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, batch: bytes, *, last: bool) -> None:
        """Parse more of the file."""
        self._parser.Parse(batch, last)
        self._fed += len(batch)
        if not last and self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise _Refused(f"has a tag of more than {_LONGEST_TAG // 2**20} MB")

    def taken(self) -> Sequence[dict[str, list[str]]]:
        """The parcels that have become whole since it was asked last."""
        ready, self._ready = self._ready, []
        return ready

    @staticmethod
    def _doctype(*_: object) -> None:
        raise _Refused("declares a document type")

    def _start(self, name: str, attributes: list[str]) -> None:
        name = _local(name)
        self._names.append(name)
        self._texts.append([])
        if len(self._names) > _DEEPEST:
            raise _Refused(f"has elements more than {_DEEPEST} deep")
        if name == self._element and not self._begin:
            self._begin, self._parcel, self._held = len(self._names), {}, 0
        if self._begin:
            self._hold(1)
            for place in range(0, len(attributes), 2):
                self._hold(len(attributes[place + 1]))
                self._keep(attributes[place + 1], f"@{_local(attributes[place])}")

    def _end(self, _name: str) -> None:
        if self._begin:
            self._keep("".join(self._texts[-1]))
        if self._begin == len(self._names):
            self._begin = 0
            self._ready.append(self._parcel)
        self._names.pop()
        self._texts.pop()

    def _text(self, text: str) -> None:
        if self._begin:
            self._hold(len(text))
            self._texts[-1].append(text)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > _LONGEST_PARCEL:
            raise _Refused(
                f"has an element <{self._element}> of more than {_LONGEST_PARCEL:,} characters"
            )

    def _keep(self, text: str, *more: str) -> None:
        """A text under its path; one line, since a manifest has a parcel a line."""
        plain = " ".join(text.split())
        if plain:
            path = "/".join((*self._names[self._begin :], *more))
            self._parcel.setdefault(path or self._element, []).append(plain)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
