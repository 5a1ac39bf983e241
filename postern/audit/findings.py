"""What a verification looks at, and what it may find: one check, one status, one sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Check(StrEnum):
    """The checks, in the order in which a report tells of them."""

    SIGNATURE = "signature"
    QUORUM = "quorum"
    CONSIST = "consist"
    FSCK = "fsck"
    RECORD = "record"
    INCLUSION = "inclusion"
    COMPLETE = "complete"
    TIME = "time"
    ERASURE = "erasure"
    RECEIPT = "receipt"


class Status(StrEnum):
    """How a check came out. Only `ok` says that something is so."""

    OK = "ok"
    FAILED = "failed"
    CANNOT_TELL = "cannot-tell"
    NOT_ASKED = "not-asked"


class Verdict(StrEnum):
    """How a whole verification came out."""

    IN_ORDER = "in-order"
    NOT_IN_ORDER = "not-in-order"
    CANNOT_TELL = "cannot-tell"


QUESTIONS: Mapping[Check, str] = MappingProxyType(
    {
        Check.SIGNATURE: "Did the log itself sign what it shows, with the key that was confirmed?",
        Check.QUORUM: "Do enough other organisations vouch that they see the same log?",
        Check.CONSIST: "Is it still the log that was seen before, only longer?",
        Check.FSCK: "Do all entries together give exactly what was signed?",
        Check.RECORD: "Is each entry of this organisation, and each detail in it, unaltered?",
        Check.INCLUSION: "Does each of these entries stand in the signed log, at its place?",
        Check.COMPLETE: "Is no entry that concerns this organisation kept from it?",
        Check.TIME: "Does the time of each entry fit the times at which others saw the log?",
        Check.ERASURE: "Is each missing detail covered by a logged erasure?",
        Check.RECEIPT: "Is every act for which a receipt was kept in the log?",
    }
)


OF_ENTRIES = (Check.RECORD, Check.INCLUSION, Check.COMPLETE, Check.TIME, Check.ERASURE)
"""The checks that need the organisation's own entries."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: a sentence for people, and what was counted, by name."""

    check: Check
    status: Status
    sentence: str
    counts: Mapping[str, int] = field(default_factory=dict)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """One failed check decides; else one that cannot tell; what was not asked does not count."""
    statuses = {finding.status for finding in findings}
    if Status.FAILED in statuses:
        return Verdict.NOT_IN_ORDER
    if Status.CANNOT_TELL in statuses or Status.OK not in statuses:
        return Verdict.CANNOT_TELL
    return Verdict.IN_ORDER


def ok(check: Check, sentence: str, **counts: int) -> Finding:
    """A check that found everything as it should be."""
    return Finding(check, Status.OK, sentence, counts)


def failed(check: Check, sentence: str, **counts: int) -> Finding:
    """A check that found something that cannot be in an honest log."""
    return Finding(check, Status.FAILED, sentence, counts)


def cannot_tell(check: Check, sentence: str, **counts: int) -> Finding:
    """A check that lacks what it would need."""
    return Finding(check, Status.CANNOT_TELL, sentence, counts)


def not_asked(check: Check, sentence: str) -> Finding:
    """A check that this kind of verification does not make."""
    return Finding(check, Status.NOT_ASKED, sentence)


def reported(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of a report; a check that came to nothing was not asked."""
    found = {finding.check: finding for finding in findings}
    missing = "Not looked at, since the checkpoint itself was not to be had."
    return tuple(found.get(check) or not_asked(check, missing) for check in Check)
