"""Making recalls: what an owner withdraws or corrects reaches everybody who got something of it.

In the transaction of the withdrawal or correction, one recall for each indicator that anybody got,
with one row for each recipient by whatever way; nobody can be left out later. Two corrections of
one indicator are two recalls, each to be answered. An owner learns of those recipients alone of
which its policy lets it be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.disclosures import deliveries
from app.disclosures.models import Acknowledgement, Recall
from app.indicators.hooks import Amended, Ending
from app.indicators.ledger import METADATA, PRESENCE, Recipient, keep_what_ended, recipients_of
from app.indicators.own import STORED
from app.indicators.reading import SHIPMENT_FIELDS
from app.jobs.notifications import notify
from app.organisations.service import Member, directory
from app.public_ids import new_public_ids
from app.runtime import runtime
from postern.vocabulary import AcknowledgementState, RecallKind, RecallReason, Role

SHOWN = frozenset({column.key for column in STORED} | {"barrier_step", *SHIPMENT_FIELDS})
"""What recipients see of an indicator from `metadata` on, by which they got it."""

_TOLD = "recall_notices"  # key of Session.info: who was told what in this transaction


@dataclass(frozen=True, slots=True)
class _Called:
    """Why indicators of one owner are called back, and what is right instead."""

    owner_id: int
    at: datetime
    kind: RecallKind
    reason: RecallReason
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Made:
    """A recall and everybody whom it reaches."""

    recall: Recall
    recipients: Sequence[Recipient]

    def reaches(self, organisation_id: int) -> bool:
        return any(each.organisation_id == organisation_id for each in self.recipients)


def on_ending(session: Session, caller: Caller, ending: Ending) -> None:
    """Call back indicators that end because their owner withdraws them.

    What outcomes are counted by is kept beside the ledger, whatever the reason of the end.
    """
    keep_what_ended(session, ending.indicators)
    if ending.recalled is None:
        return
    for indicator in sorted(ending.indicators):
        deliveries.erase_for(session, indicator, ending.at, caller)
    called = _Called(ending.organisation_id, ending.at, RecallKind.WITHDRAWAL, ending.recalled)
    _call(session, caller, called, ending.indicators)


def on_amended(session: Session, caller: Caller, amended: Amended) -> None:
    """Ask recipients to correct what they got; a change that nobody was shown asks for nothing.

    A delivery stays: what is sealed in it is not what a correction changes. A screening filter
    shows nothing that could be corrected.
    """
    changes = {name: word for name, word in amended.changes.items() if name in SHOWN}
    if not changes:
        return
    called = _Called(
        amended.organisation_id, amended.at, RecallKind.CORRECTION, amended.reason, changes
    )
    _call(session, caller, called, [amended.indicator])


def _call(session: Session, caller: Caller, called: _Called, indicators: Sequence[UUID]) -> None:
    least = METADATA if called.kind is RecallKind.CORRECTION else PRESENCE
    reached_by = {
        indicator: [each for each in recipients if each.level >= least]
        for indicator, recipients in recipients_of(session, indicators).items()
    }
    given = {indicator: recipients for indicator, recipients in reached_by.items() if recipients}
    if not given:
        return
    made = _stored(session, called, given)
    members = directory(session)
    reached = {each.organisation_id for one in made for each in one.recipients}
    for organisation_id in sorted(reached):
        recalls = [one.recall for one in made if one.reaches(organisation_id)]
        _tell_recipient(
            session, caller, called, members, organisation_id=organisation_id, recalls=recalls
        )
    _tell_owner(session, caller, called, members, made)


def _stored(
    session: Session, called: _Called, given: Mapping[UUID, Sequence[Recipient]]
) -> list[_Made]:
    due_at = called.at + timedelta(days=runtime().settings.disclosure.recall_days)
    ids = new_public_ids(len(given), called.at)
    made = [
        _Made(
            Recall(
                public_id=public_id,
                owner_id=called.owner_id,
                indicator=indicator,
                kind=called.kind,
                reason=called.reason,
                changes=dict(called.changes),
                made_at=called.at,
                due_at=due_at,
                completed_at=None,
            ),
            given[indicator],
        )
        for public_id, indicator in zip(ids, sorted(given), strict=True)
    ]
    session.add_all([one.recall for one in made])
    session.flush()
    session.add_all(
        Acknowledgement(
            recall_id=one.recall.id,
            organisation_id=recipient.organisation_id,
            ways=[way.value for way in recipient.ways],
            named=recipient.is_named,
            state=AcknowledgementState.OPEN,
            done=None,
            acknowledged_at=None,
            completed_at=None,
            completed_by=None,
            reminders=0,
            escalated_at=None,
        )
        for one in made
        for recipient in one.recipients
    )
    session.flush()
    return made


def _tell_recipient(
    session: Session,
    caller: Caller,
    called: _Called,
    members: Mapping[int, Member],
    *,
    organisation_id: int,
    recalls: Sequence[Recall],
) -> None:
    """Its entry of the log, and a notice for those who keep what was got and who answer for it."""
    owner = members[called.owner_id].code
    append(
        session,
        caller,
        "recall.receive",
        audience=[members[organisation_id].code],
        tell_actor=False,
        object_type="recall",
        objects=[str(recall.public_id) for recall in recalls],
        details={
            "owner": owner,
            "kind": called.kind.value,
            "reason": called.reason.value,
            "indicators": [str(recall.indicator) for recall in recalls],
        },
    )
    # A report that is corrected tells of each of its indicators; one notice suffices.
    told: set[tuple[int, RecallKind, RecallReason]] = session.info.setdefault(_TOLD, set())
    key = organisation_id, called.kind, called.reason
    if key in told:
        return
    told.add(key)
    facts = {"owner": owner, "recall": called.kind.value, "reason": called.reason.value}
    for role in (Role.ANALYST, Role.COMPLIANCE):
        notify(session, organisation_id, role, "recall.received", facts, "/recalls")


def _tell_owner(
    session: Session,
    caller: Caller,
    called: _Called,
    members: Mapping[int, Member],
    made: Sequence[_Made],
) -> None:
    """Its entry of the log, with the recipients of which it may be told."""
    named = [one for one in made if any(each.is_named for each in one.recipients)]
    if not named:
        return
    recipients = {
        members[each.organisation_id].code
        for one in named
        for each in one.recipients
        if each.is_named
    }
    append(
        session,
        caller,
        "recall.make",
        audience=[members[called.owner_id].code],
        object_type="recall",
        objects=[str(one.recall.public_id) for one in named],
        details={
            "kind": called.kind.value,
            "reason": called.reason.value,
            "indicators": [str(one.recall.indicator) for one in named],
            "recipients": sorted(recipients),
        },
    )
