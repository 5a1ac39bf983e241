"""How two policy texts differ, line by line, for people who compare them."""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

_AROUND = 3  # unchanged lines told before and after each change


class LineKind(StrEnum):
    """What a line of a comparison is."""

    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"
    SKIPPED = "skipped"  # stands for unchanged lines that are left out; its text is empty


@dataclass(frozen=True)
class DiffLine:
    """One line of a comparison, without the sign before it."""

    kind: LineKind
    text: str


_KINDS = {"+": LineKind.ADDED, "-": LineKind.REMOVED, " ": LineKind.SAME}
_HEADINGS = 2  # lines with which a unified diff begins
_AT_THE_TOP = re.compile(r"@@ -[01](,\d+)? ")


def differences(before: str, after: str) -> list[DiffLine]:
    """The lines that differ with some around them; empty for texts of equal lines."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_AROUND)
    return [
        DiffLine(_KINDS[line[0]], line[1:]) if line[0] in _KINDS else DiffLine(LineKind.SKIPPED, "")
        for line in list(lines)[_HEADINGS:]
        if not _AT_THE_TOP.match(line)
    ]
