"""Whom a verification trusts: the log's keys, the receipt keys, the witnesses and their quorum.

These are worth what the way is worth on which they came: compare them with the operator by
telephone, or with another member, before they are confirmed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from postern.client_errors import ClientError
from postern.tlog.notes import KIND_ED25519, NoteError, Verified, VerifierKey
from postern.tlog.policy import NO_QUORUM, LogLine, Policy
from postern.tlog.strict import MalformedError


class AuditError(ClientError):
    """A verification could not begin or go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys of one log. `origin` is its name; `organisations` names whose each witness is.

    `confirmed` says that a person compared these keys with what they were told by another way.
    """

    origin: str
    policy: Policy
    receipt_keys: tuple[VerifierKey, ...] = ()
    organisations: tuple[tuple[str, str], ...] = ()  # vkey of a witness, code of its organisation
    confirmed: bool = False

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of which one must have signed every checkpoint."""
        return tuple(line.key for line in self.policy.logs)

    @property
    def has_quorum(self) -> bool:
        """Whether anybody beside the log itself must vouch for a checkpoint."""
        return self.policy.quorum != NO_QUORUM

    def owner(self, key: VerifierKey) -> str:
        """The organisation of a witness, or the witness's own name where none is known."""
        return dict(self.organisations).get(str(key), key.name)

    def vouched_since(self, signed: Sequence[Verified]) -> int | None:
        """The second since 1970 from which the quorum stands, by its cosignatures; None without."""
        timed = sorted(
            (each for each in signed if each.time is not None), key=lambda each: each.time or 0
        )
        by_log = [each for each in signed if each.time is None]
        for number, last in enumerate(timed, start=1):
            if self.has_quorum and self.policy.satisfied_by([*by_log, *timed[:number]]):
                return last.time
        return None

    def vouched_until(self, signed: Sequence[Verified]) -> int | None:
        """The newest moment, in seconds, at which a whole quorum still vouched; None without."""
        timed = sorted(
            (each for each in signed if each.time is not None),
            key=lambda each: each.time or 0,
            reverse=True,
        )
        by_log = [each for each in signed if each.time is None]
        for number, last in enumerate(timed, start=1):
            if self.has_quorum and self.policy.satisfied_by([*by_log, *timed[:number]]):
                return last.time
        return None

    def differences(self, other: "Trust") -> list[str]:
        """What is published differently now, in words; empty when all is as it was confirmed."""
        told: list[str] = []
        for what, mine, theirs in (
            ("key of the log", self.log_keys, other.log_keys),
            ("key of receipts", self.receipt_keys, other.receipt_keys),
            ("witness", _witness_keys(self.policy), _witness_keys(other.policy)),
        ):
            told += [f"a new {what}: {key}" for key in theirs if key not in mine]
            told += [f"no longer a {what}: {key}" for key in mine if key not in theirs]
        if not told and self.policy != other.policy:
            told.append("another quorum of the same witnesses")
        if self.origin != other.origin:
            told.append(f"another name of the log: {other.origin}")
        return told

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept; the keys are named as the platform names them."""
        return {
            "origin": self.origin,
            "log": [str(key) for key in self.log_keys],
            "receipt": [str(key) for key in self.receipt_keys],
            "witnesses": [
                {"vkey": vkey, "organisation": code} for vkey, code in self.organisations
            ],
            "policy": self.policy.encode().decode("utf-8", "surrogateescape"),
            "confirmed": self.confirmed,
        }


def published(told: object, *, confirmed: bool = False) -> Trust:
    """What a platform, an export or an own file tells of the keys; raises AuditError."""
    try:
        return _read(told, confirmed=confirmed)
    except (KeyError, TypeError, NoteError, MalformedError):
        raise AuditError(
            "The keys of the log are not in a form that can be read. Update postern; if it is up "
            "to date, tell the platform's operator."
        ) from None


def given(policy: Policy, receipt_keys: Iterable[VerifierKey] = ()) -> Trust:
    """Trust in a policy that a person gives; AuditError unless all its log keys are of one name."""
    names = {line.key.name for line in policy.logs}
    if len(names) != 1:
        raise AuditError(
            "The policy must name the key of one log. Add its `log` line, and no other log's."
        )
    return Trust(names.pop(), policy, tuple(receipt_keys), confirmed=True)


def only_log_keys(vkeys: Sequence[str]) -> Trust:
    """Trust in log keys that a person gives, without witnesses; raises AuditError."""
    try:
        lines = tuple(LogLine(VerifierKey.parse(vkey)) for vkey in vkeys)
        return given(Policy(lines, (), (), NO_QUORUM))
    except (NoteError, MalformedError) as error:
        raise AuditError(str(error)) from None


def _read(told: object, *, confirmed: bool) -> Trust:
    if not isinstance(told, Mapping):
        raise TypeError("no object")
    log_keys = _keys(told["log"])
    if not log_keys or any(key.kind != KIND_ED25519 for key in log_keys):
        raise TypeError("no key of a log")
    policy = Policy.parse(str(told["policy"]))
    return Trust(
        origin=str(told["origin"]),
        policy=replace(policy, logs=tuple(LogLine(key) for key in log_keys)),
        receipt_keys=_keys(told["receipt"]),
        organisations=tuple(
            (str(each["vkey"]), str(each["organisation"])) for each in told["witnesses"]
        ),
        confirmed=bool(told.get("confirmed", False)) or confirmed,
    )


def _witness_keys(policy: Policy) -> tuple[VerifierKey, ...]:
    return tuple(line.key for line in policy.witnesses)


def _keys(vkeys: object) -> tuple[VerifierKey, ...]:
    if not isinstance(vkeys, Sequence) or isinstance(vkeys, str):
        raise TypeError("no list")
    return tuple(VerifierKey.parse(str(vkey)) for vkey in vkeys)
