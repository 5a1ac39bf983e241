"""What must hold when all is done, held against what the receivers and writers noted."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.database import Database
from app.jobs.models import Channel, Dispatch, Notification, Outbox
from postern.audit.record import open_disclosures
from postern.vocabulary import DispatchState
from tests.functional.kill_worker.receiving import lines

WATCH = "watch.trial"
"""Kind of notification of which policy lets the even numbers be told."""

_MOST_TOLD = 5


@dataclass
class Verdict:
    """What was counted, and everything that is wrong."""

    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def demand(self, what: str, bad: object) -> None:
        """`bad` must be empty."""
        if bad:
            shown = list(bad)[:_MOST_TOLD] if isinstance(bad, (set, list, dict)) else bad
            self.wrong.append(f"{what}: {shown}")


@dataclass(frozen=True)
class _Sending:
    """A dispatch with all that was recorded of it."""

    id: str
    notification: str
    channel: str
    organisation: int
    kind: str
    number: int
    state: DispatchState
    tries: int


def judge(database: Database, notes: Path, active: int) -> Verdict:
    """Hold everything against everything; `active` is the organisation that may be told."""
    verdict = Verdict()
    with database.reading() as session:
        sendings = {each.id: each for each in _sendings(session)}
        removed = {str(row.public_id) for row in session.scalars(select(Channel)) if row.stopped_at}
        states = Counter(session.scalars(select(Outbox.state)))
        errands = {row.payload["dispatch"]: row.tries for row in session.scalars(select(Outbox))}
        begun, ended = _logged(session)
    arrived = Counter(str(line["dispatch"]) for line in lines(notes / "received"))
    written = {str(line["notification"]) for line in lines(notes / "written")}
    undone = {str(line["notification"]) for line in lines(notes / "undone")}

    def may_be_told(each: _Sending) -> bool:
        is_hidden = each.kind == WATCH and each.number % 2 == 1
        return each.organisation == active and each.channel not in removed and not is_hidden

    told = {each.notification for each in sendings.values()}
    verdict.demand("notifications were lost", written - told)
    verdict.demand("what was rolled back is there", undone & told)
    verdict.demand("jobs are not done", +Counter({s: n for s, n in states.items() if s != "done"}))
    allowed = {name for name, each in sendings.items() if may_be_told(each)}
    verdict.demand("did not arrive", allowed - arrived.keys())
    verdict.demand("arrived where it may not be told", arrived.keys() - allowed)
    for name, each in sendings.items():
        is_allowed = name in allowed
        expected = DispatchState.SENT if is_allowed else DispatchState.WITHHELD
        if each.state is not expected:
            verdict.wrong.append(f"{name} is {each.state} instead of {expected}")
        if arrived[name] > each.tries:
            verdict.wrong.append(f"{name} arrived {arrived[name]} times in {each.tries} tries")
        if begun[name] != each.tries or each.tries > errands.get(name, 0):
            verdict.wrong.append(f"{name}: {each.tries} tries, {begun[name]} of them in the log")
        endings = ended.get(name, Counter())
        if endings["sent" if is_allowed else "withheld"] != 1 or endings["given_up"]:
            verdict.wrong.append(f"{name}: the log tells these endings: {dict(endings)}")
    _count(verdict, sendings, arrived, allowed, ended)
    verdict.figures["notifications"] = len(told)
    verdict.figures["rolled_back"] = len(undone)
    verdict.wrong = verdict.wrong[:50]
    return verdict


def _count(
    verdict: Verdict,
    sendings: Mapping[str, _Sending],
    arrived: Counter[str],
    allowed: set[str],
    ended: Mapping[str, Counter[str]],
) -> None:
    endings = sum((each for each in ended.values()), Counter())
    verdict.figures["messages_to_send"] = len(allowed)
    verdict.figures["withheld"] = len(sendings) - len(allowed)
    verdict.figures["arrivals"] = arrived.total()
    verdict.figures["arrived_more_than_once"] = sum(1 for count in arrived.values() if count > 1)
    verdict.figures["tries"] = sum(each.tries for each in sendings.values())
    verdict.figures["tries_that_failed"] = endings["failed"]
    verdict.figures["tries_cut_off"] = (
        verdict.figures["tries"] - endings["failed"] - endings["sent"]
    )


def _sendings(session: Session) -> Iterator[_Sending]:
    rows = session.execute(
        select(Dispatch, Notification, Channel)
        .join(Notification, Notification.id == Dispatch.notification_id)
        .join(Channel, Channel.id == Dispatch.channel_id)
    )
    for sending, notice, channel in rows:
        yield _Sending(
            id=str(sending.public_id),
            notification=str(notice.public_id),
            channel=str(channel.public_id),
            organisation=notice.organisation_id,
            kind=notice.kind,
            number=int(notice.facts["number"]),
            state=sending.state,
            tries=sending.tries,
        )


def _logged(session: Session) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Tries that the log tells of, and endings, by dispatch."""
    by_parts = {
        (str(notice), str(channel)): str(sending)
        for sending, notice, channel in session.execute(
            select(Dispatch.public_id, Notification.public_id, Channel.public_id)
            .join(Notification, Notification.id == Dispatch.notification_id)
            .join(Channel, Channel.id == Dispatch.channel_id)
        )
    }
    begun: Counter[str] = Counter()
    ended: dict[str, Counter[str]] = {}
    rows = session.execute(
        select(AuditEntry.act, AuditDetail.disc)
        .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
        .where(AuditEntry.act.in_(["notification.try", "notification.sent"]))
        .where(AuditEntry.eid.in_(select(AuditAudience.eid).where(AuditAudience.org != "platform")))
    )
    for act, disclosed in rows:
        details: dict[str, Any] = open_disclosures(disclosed)
        name = by_parts[details["objects"][0], details["channel"]]
        if act == "notification.try":
            begun[name] += 1
        else:
            ended.setdefault(name, Counter())[details["ending"]] += 1
    return begun, ended
