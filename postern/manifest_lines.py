"""The lines of a CSV manifest, numbered and sifted before any engine sees them.

One line with an odd number of quotation marks makes a CSV reader swallow what follows, without an
error; a sender could write such a mark into the description of contents. So lines that cannot be
whole are taken out here, told with their number, and the rest is written anew with the number of
each line before it.
"""

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from postern.manifest_errors import ManifestError

DELIMITERS = ",;\t|"
LONGEST_LINE = 100_000  # bytes
_BATCH = 2**20  # bytes
_LONGEST_HEADER = 65_536
_MARK = b"\xef\xbb\xbf"
_NOT_CLOSED = "quotation_mark_not_closed"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Sifted:
    """What became of the lines of a file. Every line is in exactly one of the numbers.

    `lines` counts the header too; `kept` lines were written; `rejected` are number and reason.
    """

    header: tuple[str, ...]
    delimiter: str
    encoding: str
    is_guessed: bool  # the encoding is windows-1252 because the beginning is not UTF-8
    lines: int
    kept: int
    blank: int
    rejected: tuple[tuple[int, str], ...]


def sift(source: Path, target: Path, encoding: str | None, progress: Progress) -> Sifted:
    """Write the whole lines of `source` to `target`, each after its number and the delimiter.

    `encoding` None is found out: UTF-16 by its mark, else UTF-8, else windows-1252. `progress` is
    called with bytes. Raises ManifestError, OSError.
    """
    with source.open("rb") as file:
        encoding, is_guessed = (encoding, False) if encoding else _encoding(file)
        reader = _as_utf8(file, encoding)
        first = reader.readline(_LONGEST_HEADER).removeprefix(_MARK)
        header, delimiter = _header(source, first)
        lines, kept, blank = 1, 0, 0
        rejected: list[tuple[int, str]] = []
        mark = delimiter.encode()
        with target.open("wb") as out:
            for batch in iter(lambda: reader.readlines(_BATCH), []):
                joined = b"".join(batch)
                progress(len(joined))
                begin = lines + 1
                lines += len(batch)
                if plain := _plain_lines(joined, batch):
                    whole = list(enumerate(plain, begin))
                    if b'"' in joined:
                        odd = {n: _NOT_CLOSED for n, line in whole if line.count(b'"') & 1}
                        rejected += odd.items()
                        whole = [each for each in whole if each[0] not in odd] if odd else whole
                    out.write(b"".join(map((b"%d" + mark + b"%b").__mod__, whole)))
                    kept += len(whole)
                    continue
                is_decodable = _is_utf8(joined)
                for number, line in enumerate(batch, begin):
                    content = line.rstrip(b"\r\n")
                    fault = _fault(content, is_decodable=is_decodable)
                    if fault:
                        rejected.append((number, fault))
                    elif not content.strip():
                        blank += 1
                    else:
                        kept += 1
                        out.write(b"%d%b%b\n" % (number, mark, content))
    return Sifted(header, delimiter, encoding, is_guessed, lines, kept, blank, tuple(rejected))


def _plain_lines(joined: bytes, batch: list[bytes]) -> list[bytes] | None:
    """The lines of a batch, each with its end; None when one needs a look, but for its quotes."""
    lines = batch
    if b"\x00" in joined or not _is_utf8(joined):
        return None
    if b"\r" in joined:
        if joined.count(b"\r") != joined.count(b"\r\n"):
            return None
        lines = joined.replace(b"\r\n", b"\n").splitlines(keepends=True)
    if any(map(bytes.isspace, lines)) or max(map(len, lines)) > LONGEST_LINE:
        return None
    if not joined.endswith(b"\n"):
        lines = [*lines[:-1], lines[-1] + b"\n"]
    return lines


def _fault(content: bytes, *, is_decodable: bool) -> str:
    """Why a line cannot be read, or "" when it can."""
    if len(content) > LONGEST_LINE:
        return "line_too_long"
    if content.count(b'"') % 2:
        return _NOT_CLOSED
    if b"\r" in content or b"\x00" in content:
        return "control_character"
    return "" if is_decodable or _is_utf8(content) else "not_in_the_encoding"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encoding(file: BinaryIO) -> tuple[str, bool]:
    start = file.read(_BATCH)
    file.seek(0)
    if start[:2] in _UTF16:
        return "utf-16", False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "windows-1252", True
    return "utf-8", False


def _as_utf8(file: BinaryIO, encoding: str) -> IO[bytes]:
    if encoding == "utf-8":
        return file
    return io.BufferedReader(_Recoded(file, encoding), buffer_size=_BATCH)


class _Recoded(io.RawIOBase):
    """A file of another encoding as UTF-8; what cannot be decoded stays recognisably wrong."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        errors = "strict" if encoding == "utf-16" else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=errors)
        self._file = file
        self._pending = b""
        self._is_done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._pending and not self._is_done:
            piece = self._file.read(_BATCH)
            self._is_done = not piece
            try:
                text = self._decoder.decode(piece, final=self._is_done)
            except UnicodeError as error:  # also of a beginning without its mark
                raise ManifestError(
                    "The manifest is damaged: it is not whole UTF-16. Save it as CSV in UTF-8."
                ) from error
            self._pending = text.encode("utf-8", errors="surrogatepass")
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size


def _header(source: Path, first: bytes) -> tuple[tuple[str, ...], str]:
    try:
        text = first.decode().strip("\r\n")
    except UnicodeDecodeError:
        text = ""
    outside = "".join(text.split('"')[::2])
    delimiter = max(DELIMITERS, key=outside.count)
    cells = tuple(_cells(text, delimiter))
    if not any(cell.strip() for cell in cells) or text.count('"') % 2:
        raise ManifestError(
            f"The first line of {source} does not hold the headings of columns. Put them there, in "
            "UTF-8, or name the encoding in a mapping file."
        )
    return cells, delimiter


def _cells(text: str, delimiter: str) -> Iterator[str]:
    inside, cell = False, ""
    for character in text:
        if character == '"':
            inside = not inside
        elif character == delimiter and not inside:
            yield cell
            cell = ""
        else:
            cell += character
    yield cell
