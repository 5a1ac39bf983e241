"""Which entries of the log tell that something ended, and what a restore must know of each.

Ids and words of the platform's own, and of what recipients must be told again the rows themselves;
no details that concern persons but the pseudonyms of those whose access changed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.disclosures.models import Acknowledgement, Recall
from app.indicators.models import LegalHold, Report
from app.organisations.models import Organisation
from app.sharing.models import PolicyVersion

Details = Mapping[str, Any]

CREDENTIALS = frozenset(
    {"account.password", "account.link-used", "factor.remove", "factor.reset", "sign-on.unlink"}
)
"""Acts after which an earlier password or factor of a person must open nothing."""

_KEPT: Mapping[str, tuple[str, ...]] = {
    "account.role": ("objects", "roles", "withdrawn"),
    "account.status": ("objects", "status"),
    "audit.erase": ("erased",),
    "indicator.erase": ("objects",),
    "indicator.expire": ("objects",),
    "indicator.restrict": ("objects",),
    "indicator.withdraw": ("objects",),
    "organisation.community": ("objects", "community", "member"),
    "organisation.status": ("objects", "status"),
    "report.withdraw": ("objects", "indicators"),
    "subject.close": ("objects", "state"),
    "token.revoke": ("objects",),
    "token.rotate": ("objects",),
    "watch.stop": ("objects",),
    **dict.fromkeys(CREDENTIALS, ("objects", "person", "actor")),
}
"""Acts that a restore does again, and the details that say to what."""

TOLD = frozenset(
    {
        "account.decide",
        "break-glass.end",
        "break-glass.seal",
        "channel.remove",
        "disclosure.end",
        "disclosure.rules",
        "disclosure.withdraw",
        "exchange.close",
        "exchange.delete",
        "exchange.news-remove",
        "filter.call-back",
        "indicator.amend",
        "key.close",
        "key.publish",
        "key.rotate",
        "organisation.allow",
        "pattern.deprecate",
        "pattern.unsubscribe",
        "policy.cancel",
        "report.amend",
        "screening.end",
        "server.remove",
        "sign-on.decide",
        "sign-on.end",
    }
)
"""Acts that a restore cannot do again, and of which it tells, so that people do."""


def end_of(session: Session, record: Details, details: Details) -> dict[str, Any] | None:
    """What ended by the entry of `record`; None when nothing did."""
    act = record["act"]
    if record["out"] != "ok":
        return None
    told: dict[str, Any] = {"act": act, "org": record["org"], "t": record["t"]}
    if act in _KEPT:
        return told | {name: details[name] for name in _KEPT[act] if name in details}
    if act in TOLD:
        return told | {"objects": list(details.get("objects", ()))}
    if act in _ROWS:
        rows = _ROWS[act](session, [str(each) for each in details.get("objects", ())])
        return told | {"rows": [_plain(row) for row in rows]}
    return None


def _recalls(session: Session, objects: Sequence[str]) -> list[dict[str, Any]]:
    codes = _codes(session)
    found = []
    for recall in session.scalars(select(Recall).where(Recall.public_id.in_(_ids(objects)))):
        row = _columns(recall, "owner_id") | {"owner": codes[recall.owner_id]}
        row["recipients"] = [
            _plain(_columns(each, "recall_id", "organisation_id", "completed_by"))
            | {"recipient": codes[each.organisation_id]}
            for each in session.scalars(
                select(Acknowledgement).where(Acknowledgement.recall_id == recall.id)
            )
        ]
        found.append(row)
    return found


def _holds(session: Session, objects: Sequence[str]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(LegalHold, Report.public_id)
        .join(Report, Report.id == LegalHold.report_id)
        .where(LegalHold.public_id.in_(_ids(objects)))
    )
    return [
        _columns(hold, "organisation_id", "report_id") | {"report": report} for hold, report in rows
    ]


def _policies(session: Session, objects: Sequence[str]) -> list[dict[str, Any]]:
    """By `CODE/NUMBER`, as the log names a version."""
    found = []
    for each in objects:
        code, _, seq = each.rpartition("/")
        row = session.scalar(
            select(PolicyVersion)
            .join(Organisation, Organisation.id == PolicyVersion.organisation_id)
            .where(Organisation.code == code, PolicyVersion.seq == int(seq or 0))
        )
        if row is not None:
            told = {"text": row.text, "valid_from": row.valid_from, "form": row.form}
            found.append({"organisation": code, "seq": row.seq, **told})
    return found


_ROWS: Mapping[str, Callable[[Session, Sequence[str]], list[dict[str, Any]]]] = {
    "hold.place": _holds,
    "hold.release": _holds,
    "policy.publish": _policies,
    "recall.answer": _recalls,
    "recall.receive": _recalls,
}
"""Acts of which the rows themselves are kept, as they stand a moment later."""

REPLAYED = frozenset(_KEPT) | frozenset(_ROWS)
"""All acts that a restore does again."""


def _codes(session: Session) -> dict[int, str]:
    rows = session.execute(select(Organisation.id, Organisation.code))
    return {row.id: row.code for row in rows}


def _ids(objects: Sequence[str]) -> list[UUID]:
    return [UUID(each) for each in objects]


def _columns(row: Any, *without: str) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in type(row).__table__.columns
        if column.key not in {"id", *without}
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _word(value) for name, value in row.items()}


def _word(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
