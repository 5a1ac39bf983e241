"""What a verification is, whatever was verified: its subject, its findings and its verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from postern.audit.entry_checks import Period
from postern.audit.findings import Finding, Verdict, verdict_of
from postern.audit.log_checks import Opened
from postern.audit.trust import Trust


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification, complete. `subject` says in words what was verified.

    `opened` is the checkpoint everything was compared with, None when there was none that the log
    signed. `remarks` are sentences for the one who verifies; `evidence` names what was kept.
    """

    subject: str
    at: datetime
    trust: Trust
    opened: Opened | None
    organisation: str | None
    period: Period
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    by: str | None = None

    @property
    def verdict(self) -> Verdict:
        """How it came out as a whole."""
        return verdict_of(self.findings)


class Progress(Protocol):
    """Hears how far a verification is."""

    def begin(self, what: str, total: int | None) -> Callable[[int], None]:
        """A new stretch of work; returns what is to be called with each further count."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, what: str, total: int | None) -> Callable[[int], None]:
        """Begin nothing."""
        del what, total
        return lambda _: None
