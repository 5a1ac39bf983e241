"""The verbs of reports: submit, list, read, withdraw, and let expire.

Every verb appends to the audit log in the same transaction: ids and counts, never a value.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app import row_security
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import now
from app.database import among
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import ending, envelopes, own, storage
from app.indicators.hooks import Ending, Hooks, Stored, StoredIndicator
from app.indicators.models import Indicator, ReportStatus, new_key
from app.indicators.own import Figures, OwnReport, Page
from app.indicators.reading import (
    SHIPMENT_FIELDS,
    Fault,
    NewIndicator,
    NewReport,
    Rules,
    client_key,
    read_report,
)
from app.indicators.sealed_parts import NewEnvelope
from app.indicators.storage import KnownReport, Posting
from app.indicators.vault import Vault
from app.organisations.service import directory
from app.pseudonyms import rotation
from app.pseudonyms.service import open_epoch
from app.public_ids import new_public_ids
from app.runtime import runtime
from app.sharing.classes import ClassAttributes
from app.sharing.service import share_class_ids
from postern.vocabulary import EVALUATION_KIND, RecallReason, Role

EXPIRY_BATCH = 4000  # what is told of each organisation costs the same for one and for many
"""Indicators that one call of `expire` erases, and whose ids one entry of the log names."""

_KEEPERS = frozenset({Role.SUBMITTER, Role.COMPLIANCE})
TOLD = ("barrier_step", *SHIPMENT_FIELDS)
_RECALLS = {
    "error": RecallReason.WRONG_DATA,
    "unlawful": RecallReason.UNLAWFUL,
    "obsolete": RecallReason.NO_LONGER_NEEDED,
}
"""What recipients are told where only the reason of the withdrawal was given."""


class Status(StrEnum):
    """What became of one report of a request."""

    CREATED = "created"
    EXISTING = "existing"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The answer for one report; `id` is None exactly when it was rejected."""

    client_key: str | None
    status: Status
    id: UUID | None = None
    indicators: Sequence[UUID] = ()
    errors: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """One result for each report of a request, in its order, and how many of each kind."""

    results: list[ReportResult]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The state of a report after it was withdrawn; both counts are of indicators.

    What a legal hold keeps is not erased but `restricted`, until the hold ends.
    """

    id: UUID
    status: ReportStatus
    erased: int
    restricted: int = 0


def submit(session: Session, caller: Caller, reports: Sequence[Any]) -> Submission:
    """Store reports with their indicators; each is accepted, recognised or rejected by itself.

    A report is recognised by its client key within the organisation: the same content again is
    `existing`, other content is rejected. Raises InvalidRequestError for more reports than
    limit.report_items, UnavailableError when no key epoch of a kind is open.
    """
    most = runtime().settings.limit.report_items
    if len(reports) > most:
        reason = f"It holds more than {most} reports."
        raise InvalidRequestError(errors=[{"field": "json.reports", "reason": reason}])
    organisation_id, _ = caller.member
    at = now()
    rotation.writing(session)
    rules = Rules(
        at.date(),
        runtime().settings.retention,
        cache(lambda kind: open_epoch(session, kind)),
        cache(lambda: envelopes.sealer(session, caller, at)),
        rotation.twins(session),
    )
    read = [read_report(raw, rules) for raw in reports]
    fresh: dict[str, NewReport] = {}
    for report in read:
        if isinstance(report, NewReport):
            fresh.setdefault(report.client_key, report)
    keys = list(fresh)
    known = storage.known_reports(session, organisation_id, keys) if keys else {}
    fresh = {key: report for key, report in fresh.items() if key not in known}
    created = _store(session, caller, at, fresh)
    lost = fresh.keys() - created.keys()
    if lost:
        # Another request took these keys since; what it stored is committed by now.
        known |= storage.known_reports(session, organisation_id, sorted(lost))
    results = _results(session, reports, read, created, known)
    counts = Counter(result.status.value for result in results)
    submission = Submission(results, {status.value: counts[status] for status in Status})
    _log_submission(session, caller, submission, [fresh[key] for key in created])
    return submission


def list_own(
    session: Session,
    caller: Caller,
    limit: int,
    cursor: UUID | None = None,
    narrowed: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """The organisation's own reports, newest first; `cursor` is the last id of the page before.

    `narrowed` are conditions on Report. A cursor that is not one of the organisation's reports is
    NotFoundError.
    """
    organisation_id, _ = caller.member
    page = own.page(
        session,
        organisation_id,
        limit,
        cursor,
        restricted=_sees_restricted(caller),
        narrowed=narrowed,
    )
    append(
        session,
        caller,
        "report.list",
        object_type="report",
        objects=[str(report.id) for report in page.reports],
    )
    return page


def read_own(session: Session, caller: Caller, public_id: UUID) -> OwnReport:
    """One of the organisation's own reports; NotFoundError for any other."""
    organisation_id, _ = caller.member
    report = own.one(session, organisation_id, public_id, restricted=_sees_restricted(caller))
    if report is None:
        raise NotFoundError
    append(session, caller, "report.read", object_type="report", objects=[str(public_id)])
    return report


def withdraw(
    session: Session,
    caller: Caller,
    public_id: UUID,
    reason: str,
    recall: RecallReason | None = None,
) -> Withdrawal:
    """Erase a report's indicators with their tokens and what it told of the shipment.

    Whoever got something of them is called upon to erase it, for the reason `recall`, by default
    the one that fits `reason`. What a legal hold keeps is restricted, and erased when the hold
    ends. The report's key stays taken, so that a retry cannot bring it back. Withdrawing it again
    changes nothing. NotFoundError for a report that is not the organisation's.
    """
    organisation_id, _ = caller.member
    report_id = own.row_id(session, organisation_id, public_id)
    if report_id is None:
        raise NotFoundError
    at = now()
    erased: Sequence[UUID] = ()
    restricted: Sequence[UUID] = ()
    if not ending.withdrawn_of(session, [report_id]):
        why = recall or _RECALLS.get(reason, RecallReason.OTHER)
        condition = Indicator.report_id == report_id
        tell_ending(session, caller, storage.owned(session, condition), at, why)
        if ending.held_reports(session, [report_id], at.date()):
            kept = ending.restrict(session, condition, at.date(), at)
            ending.mark_withdrawn(session, report_id)
            restricted = kept.get(organisation_id, ())
        else:
            gone = storage.erase(session, condition, ReportStatus.WITHDRAWN, at)
            ending.erase_attachments(session, [report_id])
            ending.empty_reports(session, [report_id], TOLD)
            erased = gone.get(organisation_id, ())
    append(
        session,
        caller,
        "report.withdraw",
        object_type="report",
        objects=[str(public_id)],
        count=len(erased) + len(restricted),
        details={
            "reason": reason,
            "indicators": [str(each) for each in (*erased, *restricted)],
            **({"restricted": len(restricted)} if restricted else {}),
        },
    )
    return Withdrawal(public_id, ReportStatus.WITHDRAWN, len(erased), len(restricted))


def expire(session: Session, today: date) -> int:
    """Erase up to EXPIRY_BATCH indicators whose last day is over, and as many whose hold ended.

    Those that a legal hold keeps are restricted instead. Returns how many were erased or
    restricted; each organisation's entries in the log name the ids. The sweep calls it until it
    returns less than a batch.
    """
    row_security.demand_all_rows(session)
    at = now()
    return _end_due(session, today, at) + _end_released(session, today, at)


def _end_due(session: Session, today: date, at: datetime) -> int:
    due = ending.due(session, today, EXPIRY_BATCH)
    if not due:
        return 0
    reports = set(due.values())
    held = ending.held_reports(session, reports, today)
    kept = [each for each, report_id in due.items() if report_id in held]
    over = [each for each, report_id in due.items() if report_id not in held]
    tell_ending(
        session, CONSOLE, storage.owned(session, among(session, Indicator.id, due)), at, None
    )
    restricted = ending.restrict(session, among(session, Indicator.id, kept), today, at)
    erased = storage.erase(session, among(session, Indicator.id, over), "expired", at)
    ending.erase_attachments(session, reports)
    _log_ended(session, "indicator.restrict", restricted)
    _log_ended(session, "indicator.expire", erased)
    return len(due)


def _end_released(session: Session, today: date, at: datetime) -> int:
    """Erase what was restricted by a hold that has ended: told as what it would have been then."""
    released = ending.released(session, today, EXPIRY_BATCH)
    if not released:
        return 0
    reports = set(released.values())
    withdrawn = ending.withdrawn_of(session, reports)
    for reason, ids in (
        ("expired", [each for each, report in released.items() if report not in withdrawn]),
        (
            ReportStatus.WITHDRAWN,
            [each for each, report in released.items() if report in withdrawn],
        ),
    ):
        erased = storage.erase(session, among(session, Indicator.id, ids), reason, at)
        _log_ended(session, "indicator.erase", erased)
    ending.erase_attachments(session, reports)
    ending.empty_reports(session, withdrawn, TOLD)
    return len(released)


def _log_ended(session: Session, act: str, owned: Mapping[int, Sequence[UUID]]) -> None:
    members = directory(session) if owned else {}
    for organisation_id, ids in owned.items():
        append(
            session,
            CONSOLE,
            act,
            audience=[members[organisation_id].code],
            object_type="indicator",
            objects=[str(each) for each in ids],
        )


def tell_ending(
    session: Session,
    caller: Caller,
    owned: Mapping[int, Sequence[UUID]],
    at: datetime,
    recalled: RecallReason | None,
) -> None:
    """Let the rooms above do what is theirs, before the indicators `owned` are erased."""
    for organisation_id, ids in owned.items():
        told = Ending(organisation_id, at, ids, recalled)
        for tell in runtime().part(Hooks).ending:
            tell(session, caller, told)


def _sees_restricted(caller: Caller) -> bool:
    """Whether the caller is told of what a legal hold keeps of their organisation's own."""
    return bool(_KEEPERS & caller.roles)


def figures(session: Session, organisation_id: int) -> Figures:
    """What a home page shows of an organisation's own reports and indicators."""
    return own.figures(session, organisation_id, now())


def _store(
    session: Session, caller: Caller, at: datetime, fresh: Mapping[str, NewReport]
) -> dict[str, tuple[UUID, list[UUID]]]:
    """Write reports with all that belongs to them; key -> (report, indicators) of those written."""
    if not fresh:
        return {}
    organisation_id, person_id = caller.member
    # Before any row is written: making a class lets others of the organisation wait.
    classes = share_class_ids(
        session,
        organisation_id,
        {new.share_class for report in fresh.values() for new in report.indicators},
    )
    report_ids = dict(zip(fresh, new_public_ids(len(fresh), at), strict=True))
    rows = [
        {
            "public_id": report_ids[key],
            "organisation_id": organisation_id,
            "person_id": person_id,
            "client_key": key,
            "content_hash": report.content_hash,
            "status": ReportStatus.ACTIVE,
            "created_at": at,
            "key": new_key(),
            **report.columns,
        }
        for key, report in fresh.items()
    ]
    inserted = storage.insert_reports(session, rows)
    written = [fresh[key] for key in fresh if key in inserted]
    owned = [(inserted[report.client_key], new) for report in written for new in report.indicators]
    ids = iter(_store_indicators(session, caller, at, owned, classes))
    return {
        report.client_key: (report_ids[report.client_key], [next(ids) for _ in report.indicators])
        for report in written
    }


def _store_indicators(
    session: Session,
    caller: Caller,
    at: datetime,
    owned: Sequence[tuple[int, NewIndicator]],
    classes: Mapping[ClassAttributes, int],
) -> list[UUID]:
    """Write indicators, each with the inner key of its report; their public ids, in order."""
    if not owned:
        return []
    organisation_id, _ = caller.member
    asked = list({token: None for _, new in owned for token in new.tokens})
    postings_of = storage.own_postings(session, organisation_id, asked)
    public_ids = new_public_ids(len(owned), at)
    ids = storage.reserve_indicator_ids(session, len(owned))
    rows, vault, postings, told = [], [], [], []
    sealed: list[tuple[int, int, NewEnvelope]] = []
    for (report_id, new), public_id, indicator_id in zip(owned, public_ids, ids, strict=True):
        capped = _within_cap(new, postings_of)
        class_id = classes[new.share_class]
        rows.append(
            {
                **new.columns,
                "id": indicator_id,
                "public_id": public_id,
                "report_id": report_id,
                "organisation_id": organisation_id,
                "share_class_id": class_id,
                "facets_stored": capped.stored,
                "facets_common": capped.common,
                "tokens": b"".join((*(token for token, _ in capped.postings), *capped.also)),
            }
        )
        day = new.columns["seen_day"]
        postings += [
            Posting(token, indicator_id, class_id, day, facet) for token, facet in capped.everywhere
        ]
        if new.elements:
            vault.append(_vault_row(new, public_id, indicator_id))
        sealed += [(report_id, indicator_id, each) for each in new.sealed]
        found_by = [(facet, token) for token, facet in capped.everywhere]
        told.append(
            StoredIndicator(
                id=indicator_id,
                public_id=public_id,
                kind=new.columns["kind"],
                share_class_id=class_id,
                seen_day=day,
                tokens=found_by,
                facets_stored=capped.stored,
                facets_common=capped.common,
            )
        )
    storage.insert_indicators(session, rows)
    storage.insert_vault(session, vault)
    storage.insert_postings(session, postings)
    envelopes.store(session, organisation_id, at, sealed)
    for tell in runtime().part(Hooks).stored:
        tell(session, caller, Stored(organisation_id, at, told))
    return public_ids


@dataclass(frozen=True, slots=True)
class _Capped:
    stored: int  # bit n: every token of facet n is stored
    common: int  # bit n: a token of facet n is too common
    postings: list[tuple[bytes, int]]  # token and facet
    also: list[bytes]  # the same tokens in the other epoch, while a key is rotated

    @property
    def everywhere(self) -> list[tuple[bytes, int]]:
        """Token and facet in both epochs."""
        facets = (facet for _, facet in self.postings)
        return [*self.postings, *zip(self.also, facets, strict=bool(self.also))]


def _within_cap(new: NewIndicator, postings_of: dict[bytes, int]) -> _Capped:
    """What of an indicator is stored, counting it in `postings_of`.

    The cap is per owner, so that it tells nobody how much others hold.
    """
    most = runtime().settings.matching.common_after
    seen = common = 0
    postings, also = [], []
    others = new.also_tokens or (None,) * len(new.tokens)
    for facet, token, other in zip(new.facets, new.tokens, others, strict=True):
        seen |= 1 << facet
        held = postings_of.get(token, 0)
        if held >= most:
            common |= 1 << facet
        else:
            postings_of[token] = held + 1
            postings.append((token, facet))
            if other is not None:
                also.append(other)
    return _Capped(seen & ~common, common, postings, also)


def _vault_row(new: NewIndicator, public_id: UUID, indicator_id: int) -> dict[str, Any]:
    kind, epoch = EVALUATION_KIND[new.columns["kind"]], new.sent_epoch
    return {
        "indicator_id": indicator_id,
        "kind": kind,
        "epoch": epoch,
        "sealed": runtime().part(Vault).seal(public_id, kind, epoch, new.elements),
    }


def _results(
    session: Session,
    reports: Sequence[Any],
    read: Sequence[NewReport | tuple[Fault, ...]],
    created: Mapping[str, tuple[UUID, list[UUID]]],
    known: Mapping[str, KnownReport],
) -> list[ReportResult]:
    present = [each.id for each in known.values()]
    indicators = storage.indicator_ids_of(session, present) if present else {}
    first_of: dict[str, NewReport] = {}
    results = []
    for raw, report in zip(reports, read, strict=True):
        if not isinstance(report, NewReport):
            results.append(ReportResult(client_key(raw), Status.REJECTED, errors=report))
            continue
        key = report.client_key
        if key in known:
            results.append(_recognised(report, known[key], indicators[known[key].id]))
        elif key not in first_of:
            first_of[key] = report
            results.append(ReportResult(key, Status.CREATED, *created[key]))
        elif first_of[key].content_hash == report.content_hash:
            results.append(ReportResult(key, Status.EXISTING, *created[key]))
        else:
            results.append(ReportResult(key, Status.REJECTED, errors=[_OTHER_CONTENT]))
    return results


def _recognised(report: NewReport, known: KnownReport, ids: Sequence[UUID]) -> ReportResult:
    key = report.client_key
    if known.status is ReportStatus.WITHDRAWN:
        return ReportResult(key, Status.REJECTED, errors=[_WITHDRAWN])
    if known.content_hash not in (report.content_hash, report.other_hash):
        return ReportResult(key, Status.REJECTED, errors=[_OTHER_CONTENT])
    return ReportResult(key, Status.EXISTING, known.public_id, ids)


def _log_submission(
    session: Session, caller: Caller, submission: Submission, stored: Sequence[NewReport]
) -> None:
    indicators = [new for report in stored for new in report.indicators]
    bases = Counter(new.columns["legal_basis"].value for new in indicators)
    kinds = Counter(new.columns["kind"].value for new in indicators)
    sealed = Counter(each.part.value for new in indicators for each in new.sealed)
    told = [
        [result.status.value, None if result.id is None else str(result.id)]
        for result in submission.results
    ]
    append(
        session,
        caller,
        "report.submit",
        basis=next(iter(bases)) if len(bases) == 1 else "",
        object_type="report",
        objects=[
            str(result.id) for result in submission.results if result.status is Status.CREATED
        ],
        results=told,
        details={
            "counts": dict(submission.counts),
            "kinds": dict(kinds),
            "bases": dict(bases),
            **({"sealed": dict(sealed)} if sealed else {}),
            "indicators": [
                str(each)
                for result in submission.results
                if result.status is Status.CREATED
                for each in result.indicators
            ],
        },
    )


_OTHER_CONTENT = Fault(
    "client_key",
    "Another report stands under this key.",
    "Use a new key for a new report; to correct one, withdraw it and send it under a new key.",
)
_WITHDRAWN = Fault(
    "client_key",
    "The report under this key was withdrawn.",
    "Leave it withdrawn, or send it under a new key if that was a mistake.",
)
