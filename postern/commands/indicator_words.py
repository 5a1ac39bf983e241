"""What a platform tells of an indicator, as words for a terminal."""

from collections.abc import Mapping
from typing import Any


def observed(indicator: Mapping[str, Any] | None) -> str:
    """The days on which it was seen."""
    days = [(indicator or {}).get(name) for name in ("observed_from", "observed_to")]
    return plain(" to ".join(dict.fromkeys(str(day) for day in days if day)))


def conditions(indicator: Mapping[str, Any] | None) -> str:
    """Its handling conditions and grades; empty when nothing of it is told."""
    if not indicator:
        return ""
    codes = indicator.get("handling")
    told = [
        f"TLP:{indicator.get('tlp')}",
        *(codes if isinstance(codes, list) else ()),
        f"may: {indicator.get('permitted_action')}",
        f"grade {indicator.get('source_grade')}{indicator.get('information_grade')}",
    ]
    return plain(", ".join(map(str, told)))


def plain(text: str) -> str:
    """The platform's words, unable to do anything to a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
