"""Free text of a command: given as an option, in a file, or on standard input."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from postern.client_errors import ClientError
from postern.sealed_message import LONGEST_TEXT

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_LARGEST = 4 * LONGEST_TEXT + 4  # bytes of UTF-8


class TextFileError(ClientError):
    """The file with a text cannot be used."""


def text_options(command: Decorated) -> Decorated:
    """--text and --text-file: what is told to the other organisation, sealed."""
    for option in (
        click.option(
            "--text-file",
            type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
            metavar="FILE",
            help="File with the text; - reads it from standard input.",
        ),
        click.option(
            "--text",
            metavar="TEXT",
            help="What to tell them, sealed. A shell keeps its history: --text-file does not.",
        ),
    ):
        command = option(command)
    return command


def text_of(options: dict[str, Any]) -> str:
    """The text of `text_options`, "" when there is none. Raises UsageError, TextFileError."""
    text, file = options["text"], options["text_file"]
    if text is not None and file is not None:
        raise click.UsageError("--text and --text-file are both given. Give one.")
    if file is None:
        return str(text or "").strip()
    try:
        raw = sys.stdin.buffer.read(_LARGEST) if str(file) == "-" else _read(file)
        found = raw.decode("utf-8-sig").strip()
    except OSError as error:
        raise TextFileError(
            f"The text file {file} cannot be read: {error.strerror}. Correct its name."
        ) from None
    except UnicodeDecodeError:
        raise TextFileError(f"The text file {file} is not UTF-8. Save it as UTF-8.") from None
    if len(found) > LONGEST_TEXT:
        raise TextFileError(
            f"The text in {file} is longer than {LONGEST_TEXT:,} characters. Shorten it."
        )
    return found


def needed_text(options: dict[str, Any]) -> str:
    """The text, which must be there. Raises UsageError, TextFileError."""
    found = text_of(options)
    if not found:
        raise click.UsageError("--text is missing. Write what to tell them, or name --text-file.")
    return found


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LARGEST)
