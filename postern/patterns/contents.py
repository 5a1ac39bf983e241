"""What a description of contents becomes before it is compared."""

import re

from postern.normalise.folding import fold

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)


def folded_contents(text: str) -> str | None:
    """The words of `text`, folded, with one space before, between and after; None without words.

    The spaces let a rule ask for whole words with a plain search: the same on every engine.
    """
    words = " ".join(_WORD.findall(fold(text)))
    return f" {words} " if words else None


def folded_operand(text: str) -> str:
    """A rule's own text as it is searched in contents; may be empty."""
    return " ".join(_WORD.findall(fold(text)))
