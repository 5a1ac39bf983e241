"""The list of mutants that survive for a reason: tests/mutants-explained.toml."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str, str, str]  # file, function, change


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left to do: survivors without a reason, and reasons without a survivor."""

    unexplained: list[Key]
    obsolete: list[Key]


class ExplanationError(Exception):
    """An entry of the list is not whole."""


def explanations(text: str) -> dict[Key, str]:
    """Why each listed mutant survives; ExplanationError when an entry says too little."""
    found: dict[Key, str] = {}
    for entry in tomllib.loads(text).get("mutants", []):
        if set(entry) != {"file", "function", "changes", "why"} or not entry["why"].strip():
            raise ExplanationError(
                f"An entry needs file, function, changes and why, and nothing else: {entry}"
            )
        for change in entry["changes"]:
            key = (entry["file"], entry["function"], change)
            if key in found:
                raise ExplanationError(f"This mutant is explained twice, keep one entry: {key}")
            found[key] = entry["why"]
    return found


def judge(survivors: Iterable[Key], listed: Iterable[Key], files: Iterable[str]) -> Verdict:
    """Compare the survivors of `files` with the list; entries about other files are left alone."""
    survived, told, tried = list(dict.fromkeys(survivors)), set(listed), set(files)
    return Verdict(
        unexplained=[key for key in survived if key not in told],
        obsolete=sorted(key for key in told if key[0] in tried and key not in survived),
    )


def entry_for(key: Key) -> str:
    """An entry for the list, to which the reason is to be added."""
    file, function, change = (_quoted(part) for part in key)
    return (
        f"[[mutants]]\nfile = {file}\nfunction = {function}\nchanges = [\n    {change},\n]\n"
        'why = ""\n'
    )


def offered_in(output: str) -> set[Key]:
    """The mutants of which the output of a search offers entries."""
    offered = re.findall(r'^\[\[mutants\]\]\n.*?^why = ""$', output, re.MULTILINE | re.DOTALL)
    entries = [tomllib.loads(each)["mutants"][0] for each in offered]
    return {(entry["file"], entry["function"], entry["changes"][0]) for entry in entries}


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
