"""What a client adds by TAXII becomes ordinary reports: the same checks, log, policies and recall.

A shipping pattern becomes a proposal, on which a person decides (`adding_patterns`).

An object is judged by itself. What is right goes in, in one transaction with its status; what is
refused is named there with the reason. A later version amends, a revoked one withdraws.
"""

import hashlib
from collections.abc import Sequence
from string import Template
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import PosternError
from app.exchange import (
    adding_patterns,
    amending_by_taxii,
    collections,
    sightings,
    statuses,
    view_writing,
)
from app.exchange.adding_models import ExchangeName, NameState
from app.exchange.sent import (
    NAMES_AT_ONCE,
    Known,
    Ruled,
    Run,
    Seen,
    Sent,
    known_names,
    microseconds_of,
    read,
    told,
)
from app.exchange.statuses import Outcome, Status
from app.indicators import service as indicators
from app.indicators.models import Report
from app.indicators.reading import Fault
from app.indicators.schemas import MOST_INDICATORS
from app.runtime import runtime
from app.write_behind import send_later
from postern.base64url import to_base64url

_OLDER = "A later version of it is here already; this one was not kept."
_BESIDE = "A later version of it stands in the same envelope; this one was not kept."
_NEVER_HERE = "It was never here, so there was nothing to withdraw."


class ReadOnlyCollectionError(PosternError):
    status = 403
    code = "collection-read-only"
    title = "Nothing can be added to this collection, nor deleted from it"
    remedy = "Use the collection of your organisation's own objects: the one with can_write."


def add(session: Session, caller: Caller, collection: UUID, objects: Sequence[Any]) -> Status:
    """Take the objects of an envelope; the status says what became of each.

    NotFoundError for a collection that is not the caller's, ReadOnlyCollectionError for one
    without can_write.
    """
    if not collections.find(session, caller.member[0], collection).can_write:
        raise ReadOnlyCollectionError
    at = now()
    outcomes: dict[int, Outcome] = {}
    sent: list[Sent] = []
    seen: list[Seen] = []
    ruled: list[Ruled] = []
    for place, each in enumerate(objects):
        found = read(place, each, at)
        if isinstance(found, Outcome):
            outcomes[place] = found
        elif isinstance(found, Sent):
            sent.append(found)
        elif isinstance(found, Ruled):
            ruled.append(found)
        else:
            seen.append(found)
    run = Run(session, caller, at)
    # Before the logs of collections are locked: whoever writes those has held patterns before.
    of_patterns, sent = adding_patterns.follow(run, ruled, sent)
    outcomes |= of_patterns
    outcomes |= _indicators(run, sent)
    outcomes |= sightings.store(run, seen)
    became = [outcomes[place] for place in range(len(objects))]
    status = statuses.keep(session, caller, collection, at, became)
    append(
        session,
        caller,
        "exchange.add",
        object_type="collection",
        objects=[str(collection)],
        count=len(objects),
        details={
            "status": str(status.id),
            "refused": sum(not each.is_success for each in became),
            **run.done,
        },
    )
    return status


def _indicators(run: Run, sent: Sequence[Sent]) -> dict[int, Outcome]:
    newest, outcomes = _newest(sent)
    known = known_names(run.session, run.organisation_id, newest)
    created: list[Sent] = []
    later: list[tuple[Sent, Known]] = []
    for id_, each in newest.items():
        settled = _settled(each, known[id_].name) if id_ in known else _unfit(each)
        if settled is not None:
            outcomes[each.place] = settled
        elif id_ in known:
            later.append((each, known[id_]))
        else:
            created.append(each)
    outcomes |= _create(run, created)
    outcomes |= amending_by_taxii.follow(run, later)
    return outcomes


def _newest(sent: Sequence[Sent]) -> tuple[dict[str, Sent], dict[int, Outcome]]:
    """The newest version of each object of the envelope, and what is said of the others."""
    newest: dict[str, Sent] = {}
    outcomes: dict[int, Outcome] = {}
    for each in sorted(sent, key=lambda one: one.version):
        older = newest.get(each.object.id)
        if older is not None and older.version == each.version:
            is_same = older.content == each.content
            outcomes[each.place] = (
                each.outcome() if is_same else each.outcome(_OTHER_CONTENT, is_success=False)
            )
            continue
        if older is not None:
            outcomes[older.place] = older.outcome(_BESIDE)
        newest[each.object.id] = each
    return newest, outcomes


def _unfit(sent: Sent) -> Outcome | None:
    """What is to be said of an object that is new here and cannot be submitted."""
    if sent.object.revoked:
        return sent.outcome(_NEVER_HERE)
    if not sent.object.has_value:
        return sent.outcome(_NO_VALUE, is_success=False)
    return None


def _settled(sent: Sent, name: ExchangeName) -> Outcome | None:
    """What is to be said of a version of a known object where nothing is to be done."""
    if sent.version < name.version:
        return sent.outcome(_OLDER)
    if sent.version == name.version:
        is_same = sent.content == bytes(name.content_hash)
        return sent.outcome() if is_same else sent.outcome(_OTHER_CONTENT, is_success=False)
    if name.state is NameState.REVOKED:
        return sent.outcome() if sent.object.revoked else sent.outcome(_GONE, is_success=False)
    is_told = sent.object.has_value  # a later version may leave out of what it is
    if is_told and sent.subject != bytes(name.subject_hash):
        return sent.outcome(_OTHER_SUBJECT, is_success=False)
    return None


def _create(run: Run, sent: Sequence[Sent]) -> dict[int, Outcome]:
    """Submit new indicators, in reports of one consignment each; a wrong one holds none up."""
    outcomes: dict[int, Outcome] = {}
    names: list[dict[str, Any]] = []
    waiting = _grouped(sent)
    while waiting:
        again: list[list[Sent]] = []
        for start in range(0, len(waiting), runtime().settings.limit.report_items):
            part = waiting[start : start + runtime().settings.limit.report_items]
            reports = [_report(group) for group in part]
            results = indicators.submit(run.session, run.caller, reports).results
            for group, result in zip(part, results, strict=True):
                if result.id is None:
                    wrong = _culprits(group, result.errors)
                    outcomes |= wrong
                    right = [each for each in group if each.place not in wrong]
                    again += [right] if right else []
                    continue
                for each, indicator in zip(group, result.indicators, strict=False):
                    names.append(_name(run, each, result.id, indicator))
                outcomes |= {each.place: each.outcome() for each in group}
                run.done["added"] += len(group)
        waiting = again
    _keep_names(run.session, names)
    view_writing.write_now(run.session, run.organisation_id, [each["indicator"] for each in names])
    return outcomes


def _grouped(sent: Sequence[Sent]) -> list[list[Sent]]:
    """Those that name the same consignment together; without one each stands for itself.

    A report says that its indicators belong to one shipment, so nothing else may bring them there.
    """
    groups: list[list[Sent]] = []
    of_consignment: dict[str, list[Sent]] = {}
    for each in sent:
        key = each.object.group
        if not each.object.shipment and "report=" not in key:
            groups.append([each])
            continue
        group = of_consignment.get(key)
        if group is None or len(group) >= MOST_INDICATORS:
            group = of_consignment[key] = []
            groups.append(group)
        group.append(each)
    return groups


def _report(group: Sequence[Sent]) -> dict[str, Any]:
    ids = "\n".join(sorted(each.object.id for each in group))
    first = group[0].object
    found: dict[str, Any] = {
        "client_key": f"stix.{to_base64url(hashlib.sha256(ids.encode()).digest())}",
        "indicators": [each.object.indicator for each in group],
    }
    if first.barrier_step is not None:
        found["barrier_step"] = first.barrier_step
    if first.shipment:
        found["shipment"] = first.shipment
    return found


def _culprits(group: Sequence[Sent], faults: Sequence[Fault]) -> dict[int, Outcome]:
    """Those of a refused report that are wrong themselves; all of them where no one is."""
    of_place: dict[int, list[Fault]] = {}
    for fault in faults:
        words = fault.field.split(".")
        if words[0] == "indicators" and len(words) > 1 and words[1].isdecimal():
            place = ".".join(words[2:]) or "indicator"
            of_place.setdefault(int(words[1]), []).append(Fault(place, fault.reason, fault.remedy))
    if not of_place:
        of_place = {place: list(faults) for place in range(len(group))}
    return {
        group[place].place: group[place].outcome(told(found), is_success=False)
        for place, found in of_place.items()
    }


def _name(run: Run, sent: Sent, report: UUID, indicator: UUID) -> dict[str, Any]:
    return {
        "organisation_id": run.organisation_id,
        "stix_id": sent.object.id,
        "created": microseconds_of(sent.object.created),
        "version": sent.version,
        "report": report,
        "indicator": indicator,
        "subject_hash": sent.subject,
        "content_hash": sent.content,
        "state": NameState.LIVE,
        "created_at": run.at,
    }


def _keep_names(session: Session, names: Sequence[dict[str, Any]]) -> None:
    """Keep what clients call their indicators. What another request has just added stands."""
    if not names:
        return
    if session.get_bind().dialect.name == "postgresql":
        columns = {name: [each[name] for each in names] for name in _NAME_ARRAYS}
        shared = {name: names[0][name] for name in ("organisation_id", "state", "created_at")}
        send_later(session, _KEEP_NAMES, columns | shared)
        return
    wanted = sorted({each["report"] for each in names})
    keys: dict[UUID, int] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        part = wanted[start : start + NAMES_AT_ONCE]
        rows = session.execute(
            select(Report.public_id, Report.id).where(Report.public_id.in_(part))
        )
        keys |= {row.public_id: row.id for row in rows}
    stored = [{**each, "report_id": keys[each["report"]]} for each in names]
    for row in stored:
        del row["report"]
    session.execute(sqlite_insert(ExchangeName).on_conflict_do_nothing(), stored)


_NAME_ARRAYS = {
    "stix_id": "varchar",
    "created": "bigint",
    "version": "bigint",
    "report": "uuid",
    "indicator": "uuid",
    "subject_hash": "bytea",
    "content_hash": "bytea",
}
_KEEP_NAMES = Template(
    """
    INSERT INTO exchange_name (
        organisation_id, stix_id, created, version, report_id, indicator, subject_hash,
        content_hash, state, created_at
    )
    SELECT %(organisation_id)s, sent.stix_id, sent.created, sent.version, report.id,
        sent.indicator, sent.subject_hash, sent.content_hash, %(state)s, %(created_at)s
    FROM unnest($arrays) AS sent ($columns)
    JOIN report ON report.public_id = sent.report
    ON CONFLICT DO NOTHING
    """
).substitute(
    columns=", ".join(_NAME_ARRAYS),
    arrays=", ".join(f"%({name})s::{kind}[]" for name, kind in _NAME_ARRAYS.items()),
)


_OTHER_CONTENT = (
    "version: Other content is here already under this version. "
    "Give what changed a later `modified`."
)
_NO_VALUE = (
    "extensions.postal-indicator.elements: It is new here and has none. "
    "Send the evaluated elements, or the place of an induction point."
)
_GONE = "revoked: It was withdrawn, and what was withdrawn does not return. Send it under a new id."
_OTHER_SUBJECT = (
    "indicator: What it is of (kind, role, elements, place, how it was learned, legal basis) "
    "cannot change. Revoke it and send the right one under a new id."
)
