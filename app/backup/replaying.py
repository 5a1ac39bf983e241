"""Ending again, in a restored database, what had ended after its backup.

Each handler may find that its row is not there, or ended already: then it does nothing. None of
them makes a recall or tells anybody anew; the recalls of that time come back as they were.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.accounts.entry_models import OneTimeLink, SignOnLink
from app.accounts.factor_models import PendingSignIn, RecoveryCode, SecondFactor
from app.accounts.models import (
    AccountStatus,
    ApiToken,
    Credential,
    PersonAccount,
    RoleGrant,
    RoleProposal,
    WebSession,
)
from app.audit import erasure, months
from app.audit.archive import archivist
from app.audit.erasure import Wanted
from app.backup.ends import CREDENTIALS, REPLAYED
from app.clock import now
from app.compliance.models import SubjectRequest
from app.disclosures import deliveries
from app.disclosures.models import Acknowledgement, Recall
from app.indicators import ending, service, storage
from app.indicators.models import Indicator, LegalHold, Report, ReportStatus
from app.lookups import watch_storage
from app.lookups.models import Watch
from app.organisations.models import (
    Community,
    CommunityMember,
    Organisation,
    OrganisationStatus,
)
from app.runtime import Runtime
from app.sharing import versions
from app.sharing.models import Cause
from postern.vocabulary import (
    AcknowledgementState,
    HoldReason,
    RecallKind,
    RecallReason,
    Rectification,
    SubjectRequestState,
    WatchEnd,
)

End = Mapping[str, Any]


@dataclass
class Replayed:
    """How many endings of each act were done again, and those that people must do again."""

    done: Counter[str] = field(default_factory=Counter)
    told: list[End] = field(default_factory=list)


def end_access(session: Session) -> int:
    """End every session, and whatever sign-in was half done; returns how many sessions."""
    ended = session.scalars(delete(WebSession).returning(WebSession.name_hash)).all()
    session.execute(delete(PendingSignIn))
    session.execute(delete(OneTimeLink))
    return len(ended)


def replay(runtime: Runtime, ends: Iterable[End], replayed: Replayed) -> None:
    """Do the endings again, in their order, a transaction each; call it in a context of the app."""
    for end in ends:
        if end["act"] in REPLAYED:
            with runtime.database.transaction() as session:
                _HANDLERS[end["act"]](session, end)
            replayed.done[end["act"]] += 1
        else:
            replayed.told.append(end)


def expire(runtime: Runtime) -> int:
    """Erase the indicators whose time was over meanwhile; the worker's duties do all else."""
    today, erased = now().date(), 0
    while True:
        with runtime.database.transaction() as session:
            batch = service.expire(session, today)
        if not batch:
            return erased
        erased += batch


def erase_details(runtime: Runtime, ends: Sequence[End]) -> None:
    """Erase again the details of the log that were erased: record by record, and by period."""
    keeper = archivist(runtime)
    for end in ends:
        told = end.get("erased", {})
        fields = frozenset(told.get("fields", ())) or None
        if told.get("records"):
            with runtime.database.transaction() as session:
                wanted = Wanted(records=frozenset(told["records"]), fields=fields)
                erasure.ask_again(session, end["org"], wanted)
        elif "before" in told:
            month = months.number_at(told["before"])
            while True:
                with runtime.database.transaction() as session:
                    if not erasure.erase_before(session, keeper, end["org"], month):
                        break
    while True:
        with runtime.database.transaction() as session:
            erasure.perform_waiting(session, keeper)
        with runtime.database.reading() as session:
            if not erasure.is_waiting(session):
                return


def _withdraw_report(session: Session, end: End) -> None:
    row = session.scalar(select(Report).where(Report.public_id.in_(_ids(end))).with_for_update())
    if row is None or row.status is ReportStatus.WITHDRAWN:
        return
    _end_indicators(session, Indicator.report_id == row.id, ReportStatus.WITHDRAWN, end)
    if ending.held_reports(session, [row.id], now().date()):
        ending.mark_withdrawn(session, row.id)
    else:
        ending.erase_attachments(session, [row.id])
        ending.empty_reports(session, [row.id], service.TOLD)


def _erase(reason: str) -> Callable[[Session, End], None]:
    def handle(session: Session, end: End) -> None:
        _end_indicators(session, Indicator.public_id.in_(_ids(end)), reason, end)

    return handle


def _erase_for_good(session: Session, end: End) -> None:
    """What a hold had kept and keeps no more, whatever the restored state says of the hold."""
    condition = Indicator.public_id.in_(_ids(end))
    reports = session.scalars(select(Indicator.report_id).where(condition).distinct()).all()
    at = _moment(end)
    service.tell_ending(session, CONSOLE, storage.owned(session, condition), at, None)
    storage.erase(session, condition, ReportStatus.WITHDRAWN, at)
    ending.erase_attachments(session, reports)


def _restrict(session: Session, end: End) -> None:
    at, condition = _moment(end), Indicator.public_id.in_(_ids(end))
    service.tell_ending(session, CONSOLE, storage.owned(session, condition), at, None)
    ending.restrict(session, condition, at.date(), at)


def _end_indicators(session: Session, condition: Any, reason: str, end: End) -> None:
    """Erase indicators, or restrict those whose report a hold keeps in the restored state."""
    at = _moment(end)
    reports = set(session.scalars(select(Indicator.report_id).where(condition).distinct()))
    if not reports:
        return
    held = ending.held_reports(session, reports, now().date())
    service.tell_ending(session, CONSOLE, storage.owned(session, condition), at, None)
    kept = condition & Indicator.report_id.in_(held)
    ending.restrict(session, kept, now().date(), at)
    storage.erase(session, condition & Indicator.report_id.not_in(held), reason, at)
    ending.erase_attachments(session, reports - held)


def _recall(session: Session, end: End) -> None:
    members = _members(session)
    for row in end["rows"]:
        owner = members.get(row["owner"])
        if owner is None:
            continue
        indicator = UUID(row["indicator"])
        recall = session.scalar(select(Recall).where(Recall.public_id == UUID(row["public_id"])))
        if recall is None:
            recall = Recall(
                public_id=UUID(row["public_id"]),
                owner_id=owner,
                indicator=indicator,
                kind=RecallKind(row["kind"]),
                reason=RecallReason(row["reason"]),
                changes=row["changes"],
                made_at=datetime.fromisoformat(row["made_at"]),
                due_at=datetime.fromisoformat(row["due_at"]),
            )
            session.add(recall)
        recall.completed_at = _at(row["completed_at"])
        session.flush()
        if recall.kind is RecallKind.WITHDRAWAL:
            deliveries.erase_for(session, indicator, recall.made_at, CONSOLE)
        for told in row["recipients"]:
            recipient = members.get(told["recipient"])
            if recipient is not None:
                _acknowledge(session, recall.id, recipient, told)


def _acknowledge(session: Session, recall_id: int, recipient: int, told: Mapping[str, Any]) -> None:
    found = session.get(Acknowledgement, (recall_id, recipient))
    if found is None:
        found = Acknowledgement(
            recall_id=recall_id,
            organisation_id=recipient,
            ways=told["ways"],
            named=told["named"],
            reminders=told["reminders"],
            completed_by=None,
        )
        session.add(found)
    found.state = AcknowledgementState(told["state"])
    found.done = Rectification(told["done"]) if told["done"] else None
    found.acknowledged_at = _at(told["acknowledged_at"])
    found.completed_at = _at(told["completed_at"])
    found.escalated_at = _at(told["escalated_at"])
    session.flush()


def _revoke_tokens(session: Session, end: End) -> None:
    """A token that got a new secret too: the new one is lost, and the old one must open nothing."""
    session.execute(
        update(ApiToken)
        .where(ApiToken.public_id.in_(_ids(end)), ApiToken.revoked_at.is_(None))
        .values(revoked_at=_moment(end))
    )


def _change_status(session: Session, end: End) -> None:
    person = _person(session, end)
    if person is None or end.get("status") not in {each.value for each in AccountStatus}:
        return
    person.status = AccountStatus(end["status"])
    if person.status is AccountStatus.CLOSED:
        _forget_credentials(session, person.id)
        session.execute(delete(RoleProposal).where(RoleProposal.person_id == person.id))
        session.execute(
            update(ApiToken)
            .where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
            .values(revoked_at=_moment(end))
        )


def _withdraw_roles(session: Session, end: End) -> None:
    """Roles that were withdrawn; those that were granted must be granted again."""
    person = _person(session, end)
    if person is None or "roles" not in end:
        return
    session.execute(
        delete(RoleGrant).where(
            RoleGrant.person_id == person.id, RoleGrant.role.not_in(list(end["roles"]))
        )
    )


def _change_credentials(session: Session, end: End) -> None:
    """What was replaced must open nothing; the person gets a one-time link to begin anew."""
    person = _person(session, end)
    if person is not None:
        _forget_credentials(session, person.id)


def _forget_credentials(session: Session, person_id: int) -> None:
    for kind in (Credential, SecondFactor, RecoveryCode, SignOnLink):
        session.execute(delete(kind).where(kind.person_id == person_id))


def _organisation_status(session: Session, end: End) -> None:
    session.execute(
        update(Organisation)
        .where(Organisation.code.in_(end.get("objects", ())))
        .values(status=OrganisationStatus(end["status"]))
    )


def _leave_community(session: Session, end: End) -> None:
    if end.get("member") is not False:
        return
    members = _members(session)
    group = session.scalar(select(Community.id).where(Community.code == end["community"]))
    left = [members[code] for code in end.get("objects", ()) if code in members]
    session.execute(
        delete(CommunityMember).where(
            CommunityMember.community_id == group, CommunityMember.organisation_id.in_(left)
        )
    )
    session.execute(
        update(Organisation)
        .where(Organisation.id.in_(left))
        .values(facts_seq=Organisation.facts_seq + 1)
    )


def _publish_policy(session: Session, end: End) -> None:
    members = _members(session)
    for row in end["rows"]:
        owner = members.get(row["organisation"])
        valid_from = datetime.fromisoformat(row["valid_from"])
        if owner is None or any(
            each.seq >= row["seq"] for each in versions.history(session, owner)
        ):
            continue
        if valid_from <= now():
            versions.put_in_force(
                session, CONSOLE, owner, row["text"], Cause.CONSOLE, form=row["form"]
            )


def _hold(session: Session, end: End) -> None:
    for row in end["rows"]:
        report = session.scalar(select(Report).where(Report.public_id == UUID(row["report"])))
        if report is None:
            continue
        hold = session.scalar(
            select(LegalHold).where(LegalHold.public_id == UUID(row["public_id"]))
        )
        if hold is None:
            hold = LegalHold(
                public_id=UUID(row["public_id"]),
                organisation_id=report.organisation_id,
                report_id=report.id,
                reason=HoldReason(row["reason"]),
                until=date.fromisoformat(row["until"]),
                made_at=datetime.fromisoformat(row["made_at"]),
                made_by=UUID(row["made_by"]),
                reminded_at=None,
            )
            session.add(hold)
        hold.released_at = _at(row["released_at"])
        hold.released_by = UUID(row["released_by"]) if row["released_by"] else None
        session.flush()


def _stop_watch(session: Session, end: End) -> None:
    ids = session.scalars(
        select(Watch.id).where(Watch.public_id.in_(_ids(end)), Watch.ended_at.is_(None))
    ).all()
    if ids:
        watch_storage.end(session, ids, _moment(end), WatchEnd.STOPPED)


def _close_subject_request(session: Session, end: End) -> None:
    session.execute(
        update(SubjectRequest)
        .where(
            SubjectRequest.public_id.in_(_ids(end)),
            SubjectRequest.state == SubjectRequestState.OPEN,
        )
        .values(state=SubjectRequestState(end["state"]), closed_at=_moment(end))
    )


def _later(_session: Session, _end: End) -> None:
    """Details of the log are erased together, by `erase_details`."""


_HANDLERS: Mapping[str, Callable[[Session, End], None]] = {
    "account.role": _withdraw_roles,
    "account.status": _change_status,
    "audit.erase": _later,
    "hold.place": _hold,
    "hold.release": _hold,
    "indicator.erase": _erase_for_good,
    "indicator.expire": _erase("expired"),
    "indicator.restrict": _restrict,
    "indicator.withdraw": _erase(ReportStatus.WITHDRAWN),
    "organisation.community": _leave_community,
    "organisation.status": _organisation_status,
    "policy.publish": _publish_policy,
    "recall.answer": _recall,
    "recall.receive": _recall,
    "report.withdraw": _withdraw_report,
    "subject.close": _close_subject_request,
    "token.revoke": _revoke_tokens,
    "token.rotate": _revoke_tokens,
    "watch.stop": _stop_watch,
    **dict.fromkeys(CREDENTIALS, _change_credentials),
}


def _ids(end: End) -> list[UUID]:
    found = []
    for each in end.get("objects", ()):
        try:
            found.append(UUID(str(each)))
        except ValueError:
            continue
    return found


def _person(session: Session, end: End) -> PersonAccount | None:
    """Whose account it is: whom the entry names, else who acted."""
    named: Collection[str] = [
        *([end["person"]] if "person" in end else ()),
        *end.get("objects", ()),
    ]
    for each in (*named, end.get("actor", "")):
        try:
            wanted = UUID(str(each))
        except ValueError:
            continue
        found = session.scalar(select(PersonAccount).where(PersonAccount.public_id == wanted))
        if found is not None:
            return found
    return None


def _members(session: Session) -> dict[str, int]:
    rows = session.execute(select(Organisation.id, Organisation.code))
    return {row.code: row.id for row in rows}


def _moment(end: End) -> datetime:
    return clock.moment(end["t"])


def _at(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
