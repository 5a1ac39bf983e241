"""The state of the log for people who know nothing of trees: four questions, each with a light.

A light is told by a word and a sign, never by colour alone. The sentences stand on the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit import reading
from app.audit.models import AlarmKind
from app.clock import moment
from app.compliance.log_state import LogState
from app.compliance.models import Wholeness

VERIFIED_EVERY = timedelta(days=31)

_SLOW = timedelta(minutes=5)  # after which an entry should have had its place for long
_BREAKS = frozenset({AlarmKind.STORED_MISMATCH, AlarmKind.SPLIT_VIEW, AlarmKind.ROLLBACK})


class Light(StrEnum):
    """How something stands."""

    GOOD = "good"
    CARE = "care"
    ALARM = "alarm"


class Asked(StrEnum):
    """What each light answers."""

    SIGNED = "signed"  # does the platform sign what it keeps, without delay?
    SEEN = "seen"  # do others see the same log?
    QUIET = "quiet"  # has nobody raised an alarm that contradicts the log?
    VERIFIED = "verified"  # has the reader's organisation looked itself?


@dataclass(frozen=True)
class Verified:
    """The last verification that a browser of the organisation told of; `person` a pseudonym."""

    at: datetime
    person: str
    found: Wholeness
    size: int


@dataclass(frozen=True)
class Lights:
    """The answer to each question, and the worst of them."""

    each: dict[Asked, Light]

    @property
    def all(self) -> Light:
        """The light of the log as a whole."""
        worst = [light for light in reversed(Light) if light in self.each.values()]
        return worst[0]


def last_verified(session: Session, caller: Caller, log_name: str) -> Verified | None:
    """What a browser of the caller's organisation found last; the caller of this logs it."""
    asked = reading.Filters(act="log.verify", object=log_name)
    found = reading.entries(session, caller.organisation, asked, limit=1).entries
    return _verified(found)


def lights(state: LogState, verified: Verified | None) -> Lights:
    """The lights of a state of the log."""
    return Lights(
        {
            Asked.SIGNED: _signed(state),
            Asked.SEEN: _seen(state),
            Asked.QUIET: _quiet(state),
            Asked.VERIFIED: _looked(state, verified),
        }
    )


def _verified(found: Sequence[reading.ReadEntry]) -> Verified | None:
    for entry in found:
        told = entry.details.get("found")
        if told in set(Wholeness):
            return Verified(
                at=moment(entry.fields["t"]),
                person=str(entry.details.get("actor", "")),
                found=Wholeness(told),
                size=int(entry.details.get("size", 0)),
            )
    return None


def _signed(state: LogState) -> Light:
    if state.head is None or state.lag > _SLOW:
        return Light.CARE
    return Light.GOOD if state.head.signed_by else Light.ALARM


def _seen(state: LogState) -> Light:
    silent = any(alarm.kind not in _BREAKS for alarm in state.alarms)
    return Light.GOOD if state.needed and state.cosigned and not silent else Light.CARE


def _quiet(state: LogState) -> Light:
    return Light.ALARM if any(alarm.kind in _BREAKS for alarm in state.alarms) else Light.GOOD


def _looked(state: LogState, verified: Verified | None) -> Light:
    if verified is not None and verified.found is Wholeness.NOT_WHOLE:
        return Light.ALARM
    is_recent = verified is not None and state.read_at - verified.at < VERIFIED_EVERY
    return Light.GOOD if is_recent else Light.CARE
