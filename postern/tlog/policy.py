"""Trust policies: which logs are known, which witnesses, and how many of them must have cosigned.

Source: C2SP tlog-policy. A policy says nothing about time: how old a cosignature may be is for the
one who verifies to decide.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from postern.tlog.notes import (
    KIND_COSIGNATURE,
    KIND_ED25519,
    Note,
    NoteError,
    Verified,
    VerifierKey,
    verified,
)
from postern.tlog.strict import MalformedError, decimal_of

NO_QUORUM = "none"

_BLANK = re.compile(r"[ \t]+")
_WITH_URL = 1  # at most one address ends a line
_WORD = re.compile(r"[^\x00-\x20\x7f]+")
_BARRED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class LogLine:
    """A known log; its key's name is its origin."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True)
class WitnessLine:
    """A known witness, under the name that groups and the quorum use for it."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True)
class GroupLine:
    """A group: it cosigned when `threshold` of its members, witnesses or groups, did."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Known logs and witnesses, and whose cosignatures make a checkpoint valid.

    `quorum` names a witness or a group, or is "none". Raises MalformedError when the parts do not
    fit together: a name unknown, used twice or counted twice, a key twice or of the wrong kind.
    """

    logs: tuple[LogLine, ...]
    witnesses: tuple[WitnessLine, ...]
    groups: tuple[GroupLine, ...]
    quorum: str

    def __post_init__(self) -> None:
        _check_keys([log.key for log in self.logs], KIND_ED25519, "log")
        _check_keys([one.key for one in self.witnesses], KIND_COSIGNATURE, "witness")
        _check_words(self)
        _check_names(self)

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key of the policy: what to verify a note with."""
        return (*(log.key for log in self.logs), *(one.key for one in self.witnesses))

    def satisfied_by(self, note: Note | Sequence[Verified]) -> bool:
        """Whether a known log signed the checkpoint and the quorum cosigned it.

        A note is verified here, and the log's key must be named like the checkpoint's origin; it
        raises NoteError when a known key's signature is bad. What was verified before is only
        counted. A policy without logs leaves the log's signature to the caller.
        """
        if isinstance(note, Note):
            signed = verified(note, self.keys)
            origin = note.text.partition("\n")[0]
            signed = [
                one for one in signed if one.key.kind == KIND_COSIGNATURE or one.key.name == origin
            ]
        else:
            signed = list(note)
        keys = {one.key for one in signed}
        by_log = not self.logs or any(log.key in keys for log in self.logs)
        return by_log and self._has_quorum(keys)

    def encode(self) -> bytes:
        """The policy as a file; what it defines stands before what names it."""
        lines = [_joined("log", str(log.key), log.url) for log in self.logs]
        lines += [_joined("witness", one.name, str(one.key), one.url) for one in self.witnesses]
        lines += [
            _joined("group", group.name, str(group.threshold), *group.members)
            for group in self.groups
        ]
        lines.append(_joined("quorum", self.quorum))
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")

    @classmethod
    def parse(cls, policy: bytes | str) -> "Policy":
        """The policy of a file; raises MalformedError with the number of the line at fault."""
        return _parsed(policy)

    def _has_quorum(self, keys: set[VerifierKey]) -> bool:
        cosigned = {one.name for one in self.witnesses if one.key in keys}
        for group in self.groups:
            if len(cosigned.intersection(group.members)) >= group.threshold:
                cosigned.add(group.name)
        return self.quorum == NO_QUORUM or self.quorum in cosigned


def _parsed(policy: bytes | str) -> Policy:
    logs: list[LogLine] = []
    witnesses: list[WitnessLine] = []
    groups: list[GroupLine] = []
    quorum: str | None = None
    for number, words in _lines(policy):
        match words:
            case ["log", vkey, *url] if len(url) <= _WITH_URL:
                logs.append(LogLine(_key(vkey, number), *url))
            case ["witness", name, vkey, *url] if len(url) <= _WITH_URL:
                witnesses.append(WitnessLine(name, _key(vkey, number), *url))
            case ["group", name, threshold, first, *others]:
                members = (first, *others)
                _check_defined(members, witnesses, groups, number)
                groups.append(GroupLine(name, _threshold(threshold, members, number), members))
            case ["quorum", name] if quorum is None:
                if name != NO_QUORUM:
                    _check_defined((name,), witnesses, groups, number)
                quorum = name
            case _:
                raise _malformed(f"line {number} is none of log, witness, group and one quorum")
    if quorum is None:
        raise _malformed("it has no quorum line")
    return Policy(tuple(logs), tuple(witnesses), tuple(groups), quorum)


def _lines(policy: bytes | str) -> Iterator[tuple[int, list[str]]]:
    text = policy if isinstance(policy, str) else policy.decode("utf-8", "surrogateescape")
    if _BARRED.search(text):
        raise _malformed("it has a control character other than tab and newline")
    if text and not text.endswith("\n"):
        raise _malformed("its last line does not end")
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(" \t")
        if stripped and not stripped.startswith("#"):
            yield number, _BLANK.split(stripped)


def _key(vkey: str, number: int) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except NoteError as error:
        raise _malformed(f"in line {number}, {error.reason}") from None


def _threshold(word: str, members: tuple[str, ...], number: int) -> int:
    threshold = {"any": 1, "all": len(members)}.get(word, decimal_of(word))
    if threshold is None:
        raise _malformed(f"line {number} has neither any, all nor a number after the group's name")
    return threshold


def _check_defined(
    names: Iterable[str],
    witnesses: Iterable[WitnessLine],
    groups: Iterable[GroupLine],
    number: int,
) -> None:
    defined = {one.name for one in witnesses} | {group.name for group in groups}
    if not defined.issuperset(names):
        raise _malformed(f"line {number} names what no line above it defines")


def _check_keys(keys: Sequence[VerifierKey], kind: int, whose: str) -> None:
    if len({key.public for key in keys}) != len(keys):
        raise _malformed(f"the key of a {whose} stands in it twice")
    if any(key.kind != kind for key in keys):
        raise _malformed(f"the key of a {whose} is not of kind {kind:#04x}")


def _check_words(policy: Policy) -> None:
    words = [one.name for one in policy.witnesses] + [group.name for group in policy.groups]
    words += [log.url for log in policy.logs if log.url]
    words += [one.url for one in policy.witnesses if one.url]
    if any(not _WORD.fullmatch(word) for word in words):
        raise _malformed("a name or an address in it is empty or has a space in it")


def _check_names(policy: Policy) -> None:
    defined: set[str] = set()
    counted: set[str] = set()
    for name in (one.name for one in policy.witnesses):
        _define(name, defined)
    for group in policy.groups:
        if not defined.issuperset(group.members):
            raise _malformed("a group names what does not stand before it")
        if len(set(group.members)) != len(group.members) or counted.intersection(group.members):
            raise _malformed("a witness or group is counted twice")
        if not 1 <= group.threshold <= len(group.members):
            raise _malformed("a group asks for fewer than one or more than all of its members")
        counted.update(group.members)
        _define(group.name, defined)
    if policy.quorum != NO_QUORUM and policy.quorum not in defined:
        raise _malformed("its quorum is neither none nor a witness or group in it")


def _define(name: str, defined: set[str]) -> None:
    if name in defined or name == NO_QUORUM:
        raise _malformed("a name is defined twice, or is none")
    defined.add(name)


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


def _malformed(rule: str) -> MalformedError:
    return MalformedError("trust policy", rule, "Correct it, or ask its author for it again.")
