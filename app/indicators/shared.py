"""The verbs on what other organisations share: list, count, export, read one, pass one on.

Lists, counts and exports are in bulk, which an owner permits apart (`feed`); reading one is for
whoever has its id, from a lookup for instance. Every other owner whose records left learns it by an
entry of its own, unless its policy tells the reader alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import shared_rows
from app.indicators.ledger import Gift, note_given
from app.indicators.shared_rows import Filters, Found, Reader, SharedCount, SharedIndicator
from app.indicators.telling import Grounds, Told, tell_owners
from app.organisations import service as organisations
from app.sharing import onward
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided
from app.sharing.service import profile_id
from postern.vocabulary import Role, Way

MOST_LISTED = 200  # of one page
MOST_BESIDE = 100  # of one report
MOST_EXPORTED = 2000  # of one part of a file, and of the ids that one entry of the log names

_NOTHING: Mapping[str, Any] = {}

_ACT_OF = {Way.LIST: "indicator.list", Way.EXPORT: "indicator.export"}


@dataclass(frozen=True, slots=True)
class Page:
    """Indicators of others, newest first; `next` is the cursor of the following page, if any."""

    indicators: list[SharedIndicator]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the list holds, counted; `indicators` is the sum."""

    indicators: int
    counts: list[SharedCount]


@dataclass(frozen=True, slots=True)
class Onward:
    """Whether an indicator may be passed on to the organisation `to`, and what allows it."""

    indicator: UUID
    to: str
    allowed: bool
    policy: str | None
    rules: Sequence[str]


def list_shared(
    session: Session,
    caller: Caller,
    grounds: Grounds,
    *,
    wanted: Mapping[str, Any],
    limit: int,
    cursor: UUID | None = None,
) -> Page:
    """What others let this reader have in bulk, newest first; one's own is not in it.

    `wanted` are filters by name (`Filters`, the owner by its code). InvalidRequestError for an
    owner that is no organisation.
    """
    return _page(session, caller, Way.LIST, grounds, wanted=wanted, limit=limit, cursor=cursor)


def export_shared(
    session: Session,
    caller: Caller,
    grounds: Grounds,
    *,
    wanted: Mapping[str, Any],
    limit: int,
    cursor: UUID | None = None,
    place: Mapping[str, Any] | None = None,
) -> Page:
    """The same as `list_shared`, to be taken away as a file, and logged as that.

    `place` tells the log which part of which file it is.
    """
    return _page(
        session,
        caller,
        Way.EXPORT,
        grounds,
        wanted=wanted,
        limit=limit,
        cursor=cursor,
        details=place or {},
    )


def count_shared(
    session: Session, caller: Caller, grounds: Grounds, *, wanted: Mapping[str, Any]
) -> Counts:
    """How many indicators `list_shared` would list, by owner, kind and barrier step."""
    found, reason_ids = _counted_by_class(session, caller, grounds, wanted)
    total = sum(each.indicators for each in found)
    reasons = decided(session, reason_ids)
    append(
        session,
        caller,
        "indicator.count",
        purpose=grounds.purpose,
        basis=grounds.legal_basis,
        case=grounds.case,
        object_type="indicator",
        count=total,
        results=[_counted(each) for each in found],
        details={
            "filters": _told_filters(wanted),
            "policies": sorted({each.name for each in reasons.values()}),
        },
    )
    return Counts(total, found)


def is_more_than(
    session: Session, caller: Caller, grounds: Grounds, wanted: Mapping[str, Any], most: int
) -> bool:
    """Whether the list holds more than so many; for whoever is about to read it, and logs that."""
    found, _ = _counted_by_class(session, caller, grounds, wanted)
    return sum(each.indicators for each in found) > most


def read_shared(
    session: Session, caller: Caller, grounds: Grounds, public_id: UUID
) -> SharedIndicator:
    """One indicator that is visible at `metadata` or above, one's own too.

    NotFoundError for any other: not there, not yours and not visible are one answer.
    """
    found = _visible(session, caller, grounds, public_id)
    _note(session, caller, Way.LIST, [found])
    _log(session, caller, "indicator.read", grounds, [found])
    return found.shared


def beside(
    session: Session, caller: Caller, grounds: Grounds, public_id: UUID
) -> list[SharedIndicator]:
    """What else the report of an indicator names, as far as it may be listed.

    Whoever sees one indicator does not hold the identifiers of the others: they are for those to
    whom their owner permits them in bulk. NotFoundError as by `read_shared`.
    """
    anchor = _visible(session, caller, grounds, public_id)
    report = anchor.shared.report.id
    reader = _reader(session, caller, grounds)
    found = [
        each
        for each in shared_rows.of_report(session, reader, report, MOST_BESIDE + 1)
        if each.public_id != public_id
    ][:MOST_BESIDE]
    _note(session, caller, Way.LIST, [anchor, *found])
    _log(session, caller, "indicator.list", grounds, found, filters={"report": str(report)})
    return [each.shared for each in found]


def may_pass_on(
    session: Session, caller: Caller, grounds: Grounds, public_id: UUID, to: str
) -> Onward:
    """Whether this reader may pass the indicator on to the organisation with the code `to`.

    NotFoundError when it is not visible to the reader at `metadata`; InvalidRequestError when
    there is no such organisation, or it is the reader's own.
    """
    to_id = _organisation(session, "to", to)
    if to == caller.organisation:
        reason = "This is your own organisation: name the one that would receive it."
        raise InvalidRequestError(errors=[_error("to", reason)])
    found = _visible(session, caller, grounds, public_id)
    verdict = onward.verdict(
        session,
        onward.Question(
            owner_id=found.organisation_id,
            share_class_id=found.share_class_id,
            seen_day=found.seen_day,
            reader_id=caller.member[0],
            role=Role.ANALYST,
            purpose=grounds.purpose,
            legal_basis=grounds.legal_basis,
            to_id=to_id,
        ),
        now(),
    )
    # Not a field of it left, but that it stands: whoever asks has it, maybe from a third.
    _note(session, caller, Way.LIST, [found])
    append(
        session,
        caller,
        "indicator.onward",
        purpose=grounds.purpose,
        basis=grounds.legal_basis,
        case=grounds.case,
        object_type="indicator",
        objects=[str(public_id)],
        results=[[str(public_id), to, verdict.allowed]],
        details={
            "to": to,
            "allowed": verdict.allowed,
            "policies": [verdict.policy] if verdict.policy else [],
        },
    )
    return Onward(public_id, to, verdict.allowed, verdict.policy, verdict.rules)


def _page(
    session: Session,
    caller: Caller,
    way: Way,
    grounds: Grounds,
    *,
    wanted: Mapping[str, Any],
    limit: int,
    cursor: UUID | None,
    details: Mapping[str, Any] = _NOTHING,
) -> Page:
    reader = _reader(session, caller, grounds)
    filters = _filters(session, wanted)
    found, following = shared_rows.page(session, reader, filters, limit, cursor)
    _note(session, caller, way, found)
    _log(session, caller, _ACT_OF[way], grounds, found, filters=_told_filters(wanted), **details)
    return Page([each.shared for each in found], following)


def _counted_by_class(
    session: Session, caller: Caller, grounds: Grounds, wanted: Mapping[str, Any]
) -> tuple[list[SharedCount], set[int]]:
    reader = _reader(session, caller, grounds)
    return shared_rows.counts(session, reader, _filters(session, wanted))


def _reader(session: Session, caller: Caller, grounds: Grounds) -> Reader:
    organisation_id, _ = caller.member
    profile = profile_id(
        session, organisation_id, Role.ANALYST, grounds.purpose, grounds.legal_basis
    )
    return Reader(organisation_id, profile, now())


def _visible(session: Session, caller: Caller, grounds: Grounds, public_id: UUID) -> Found:
    found = shared_rows.one(session, _reader(session, caller, grounds), public_id)
    if found is None:
        raise NotFoundError
    return found


def _filters(session: Session, wanted: Mapping[str, Any]) -> Filters:
    named = {name: value for name, value in wanted.items() if name != "owner"}
    code = wanted.get("owner")
    return Filters(**named, owner=None if code is None else _organisation(session, "owner", code))


def _organisation(session: Session, field: str, code: str) -> int:
    try:
        return organisations.find(session, code)[0]
    except organisations.UnknownOrganisationError:
        reason = "No organisation has this code: see GET /api/v1/organisations."
        raise InvalidRequestError(errors=[_error(field, reason)]) from None


def _error(field: str, reason: str) -> dict[str, str]:
    return {"field": f"query.{field}", "reason": reason}


def _told_filters(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The filters in use, as the log can hold them."""
    return {
        name: value if isinstance(value, int) else str(value)
        for name, value in wanted.items()
        if value is not None
    }


def _counted(count: SharedCount) -> list[Any]:
    return [count.organisation, count.kind.value, count.barrier_step, count.indicators]


def _note(session: Session, caller: Caller, way: Way, found: Sequence[Found]) -> None:
    """Note in the ledger who got what."""
    gifts = [
        Gift(
            each.public_id,
            each.organisation_id,
            CHAIN.index(each.shared.level) + 1,
            each.tells_owner,
        )
        for each in found
    ]
    note_given(session, caller.member[0], way, gifts, now())


def _log(
    session: Session,
    caller: Caller,
    act: str,
    grounds: Grounds,
    found: Sequence[Found],
    **details: Any,
) -> None:
    """The reader's entry, and one for each other owner that is to be told."""
    reasons = decided(session, (each.grant_reason_id for each in found))
    append(
        session,
        caller,
        act,
        purpose=grounds.purpose,
        basis=grounds.legal_basis,
        case=grounds.case,
        object_type="indicator",
        objects=[str(each.public_id) for each in found],
        results=[[str(each.public_id), each.shared.level.value] for each in found],
        details={
            "policies": sorted({reasons[each.grant_reason_id].name for each in found}),
            **details,
        },
    )
    told = [
        Told(
            each.shared.organisation.code,
            str(each.public_id),
            each.shared.level,
            each.grant_reason_id,
        )
        for each in found
        if each.tells_owner
    ]
    tell_owners(session, caller, "indicator.shared", grounds, told=told, by=act)
