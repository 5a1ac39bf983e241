"""Reading the scenarios of tests/scenarios: one file each, in words that a lawyer can check.

A scenario says who asks, for what, of which record, and what comes of it; the comment at its head
tells the story. What a file does not say holds as `World` makes it: a sender's name and address,
TLP:AMBER, without handling codes, graded X4, an assessment, to be known only, and of today. The
reader is an analyst. Whoever sees anything is told of the hit with the owner, unless `told` says
otherwise.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from app.sharing.classes import ClassAttributes, read
from app.sharing.rules import cedar
from app.sharing.seats import Member, Seat
from app.sharing.templates import templates
from postern.vocabulary import Action, LegalBasis, Purpose, Role, Sector, Told
from tests.app.sharing.world import PLAIN, POLICIES

DIRECTORY = Path(__file__).parent.parent.parent / "scenarios"
MEMBERS_FILE = DIRECTORY / "members.toml"

SEES = {"nothing": 0, "presence": 1, "metadata": 2, "request": 3}
TOLD = {"nobody": None, **{told.value: told for told in Told}}
BEYOND = (Action.SCREEN, Action.FEED, Action.ONWARD)
"""What `may` and `may_not` speak of; the levels are in `sees`, and who is told in `told`."""

_NEEDED = {"owner", "reader", "purpose", "legal_basis", "sees"}
_POSSIBLE = {"role", "record", "suspended", "template", "policy", "because", "told"} | {
    "may",
    "may_not",
    "onward_to",
}

_Word = TypeVar("_Word", bound=StrEnum)


class ScenarioError(ValueError):
    """A file that does not say what it must, or says a word that nothing knows."""


@dataclass(frozen=True)
class Scenario:
    """One question and its answer; `may` is what is said of `BEYOND`."""

    name: str
    owner: Member
    seat: Seat
    attributes: ClassAttributes
    age_days: int
    policy: str
    suspended: tuple[str, ...]
    level: int
    told: Told | None
    because: tuple[str, ...] | None
    may: Mapping[Action, bool]
    onward_to: Member | None


def members() -> dict[str, Member]:
    """The organisations of the scenarios, by code."""
    document = tomllib.loads(MEMBERS_FILE.read_text("utf-8"))
    return {
        code: Member(code, Sector(m["sector"]), m["country"], tuple(m["communities"]))
        for code, m in document.items()
    }


def files() -> list[Path]:
    """All scenarios, in order of their names."""
    return sorted(file for file in DIRECTORY.glob("*/*.toml"))


def scenario(file: Path) -> Scenario:
    """The scenario in a file; ScenarioError says which file and what in it is wrong."""
    try:
        entry = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{_named(file)} is not TOML: {error}") from None
    return _Reader(file, entry).scenario()


class _Reader:
    def __init__(self, file: Path, entry: dict[str, Any]) -> None:
        self._file = file
        self._entry = entry
        self._members = members()

    def scenario(self) -> Scenario:
        self._check_words(self._entry, _NEEDED | _POSSIBLE)
        for word in sorted(_NEEDED - self._entry.keys()):
            raise self._error(f"does not say {word}")
        owner = self._member("owner")
        attributes, age_days = self._record()
        level = SEES[self._one_of("sees", SEES)]
        told = TOLD[self._one_of("told", TOLD)] if "told" in self._entry else _usual(level)
        may = self._may()
        if (Action.ONWARD in may) is not ("onward_to" in self._entry):
            raise self._error("must say onward_to, and whether it may, both or neither")
        return Scenario(
            name=_named(self._file).removesuffix(".toml"),
            owner=owner,
            seat=Seat(
                self._member("reader"),
                self._word("role", Role) if "role" in self._entry else Role.ANALYST,
                self._word("purpose", Purpose),
                self._word("legal_basis", LegalBasis),
            ),
            attributes=attributes,
            age_days=age_days,
            policy=self._policy(owner),
            suspended=tuple(
                self._known("suspended", code, self._members) for code in self._list("suspended")
            ),
            level=level,
            told=told,
            because=tuple(self._list("because")) if "because" in self._entry else None,
            may=may,
            onward_to=self._member("onward_to") if "onward_to" in self._entry else None,
        )

    def _record(self) -> tuple[ClassAttributes, int]:
        record = self._entry.get("record", {})
        if not isinstance(record, dict):
            raise self._error("has a record that is not a table")
        self._check_words(record, {*PLAIN.stored(), "age_days"})
        age_days = record.get("age_days", 0)
        if not isinstance(age_days, int):
            raise self._error("says age_days without a number")
        described = {name: value for name, value in record.items() if name != "age_days"}
        try:
            return read({**PLAIN.stored(), **described}), age_days
        except (TypeError, ValueError) as error:
            raise self._error(f"describes a record that cannot be: {error}") from None

    def _policy(self, owner: Member) -> str:
        if "policy" in self._entry and "template" in self._entry:
            raise self._error("states both a policy and a template")
        if "policy" in self._entry:
            return str(self._entry["policy"])
        if "template" in self._entry:
            by_id = {each.id: each for each in templates(owner.sector)}
            template = by_id[self._one_of("template", by_id)]
            return cedar(template.rules(owner.country), owner.code)
        file = POLICIES / "demo" / f"{owner.code}.cedar"
        if not file.exists():
            raise self._error(f"states no policy, and {owner.code} has none in the demonstration")
        return file.read_text("utf-8")

    def _may(self) -> dict[Action, bool]:
        said = {
            name: [
                Action(self._known(name, word, [action.value for action in BEYOND]))
                for word in self._list(name)
            ]
            for name in ("may", "may_not")
        }
        for action in set(said["may"]) & set(said["may_not"]):
            raise self._error(f"says of {action} that it may and that it may not")
        return dict.fromkeys(said["may"], True) | dict.fromkeys(said["may_not"], False)

    def _member(self, word: str) -> Member:
        return self._members[self._one_of(word, self._members)]

    def _word(self, word: str, kind: type[_Word]) -> _Word:
        return kind(self._one_of(word, [each.value for each in kind]))

    def _one_of(self, word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
        return self._known(word, self._entry[word], known)

    def _list(self, word: str) -> list[Any]:
        found = self._entry.get(word, [])
        if not isinstance(found, list):
            raise self._error(f"says {word} without a list")
        return found

    def _known(self, word: str, value: Any, known: Sequence[str] | Mapping[str, Any]) -> str:
        if not isinstance(value, str) or value not in known:
            raise self._error(f'says {word} = "{value}"; possible are {", ".join(known)}')
        return value

    def _check_words(self, entry: dict[str, Any], known: set[str]) -> None:
        for word in sorted(entry.keys() - known):
            near = get_close_matches(word, known, 1)
            raise self._error(
                f'says "{word}", which means nothing'
                + (f": did you mean {near[0]}?" if near else "")
            )

    def _error(self, what: str) -> ScenarioError:
        return ScenarioError(f"{_named(self._file)} {what}")


def _usual(level: int) -> Told | None:
    return Told.BOTH if level else None


def _named(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"
