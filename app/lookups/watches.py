"""The verbs of watches: set one, list one's own, and the figures of a home page.

A watch waits for a value that nobody holds yet, by its tokens. It tells only of what comes later:
whether something is there already is asked by a lookup, with all that a lookup logs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, InvalidRequestError
from app.indicators.telling import Grounds
from app.jobs import outbox
from app.lookups import value_budget, watch_reading, watch_storage
from app.lookups.deconfliction import LOOK
from app.lookups.query_checks import faults, require_open
from app.lookups.watch_probing import bits
from app.lookups.watch_reading import OwnWatch, as_own
from app.lookups.watch_storage import Tokens
from app.pseudonyms.rotation import writing
from app.public_ids import new_public_id
from app.runtime import runtime
from app.sharing import grants
from app.sharing.classes import ClassAttributes
from app.sharing.models import ShareClass
from app.sharing.service import profile_id, share_class_ids
from postern.matching import score
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    PartyRole,
    PermittedAction,
    Role,
    SourceGrade,
    Tlp,
    Told,
)

MOST_LIVE = 50_000
"""Watches of one organisation that may wait at the same time."""

MOST_LISTED = 100  # of one page


class TooManyWatchesError(ConflictError):
    code = "too-many-watches"
    title = "Your organisation watches for too much already"
    remedy = "Stop watches that are no longer needed, and set this one again."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A watch to be set: what is waited for, who is told, until when."""

    kind: Kind
    epoch: int
    tokens: Tokens
    tells: Told
    deconflicts: bool
    tlp: Tlp
    expires_on: date


@dataclass(frozen=True, slots=True)
class SetWatch:
    """The answer to a new watch; the same whatever is there already."""

    id: UUID
    made_at: datetime
    expires_on: date
    advice: str = (
        "A watch tells only of what comes later: look the value up too, for what is there already."
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Watches, newest first; `next` is the cursor of the following page, None on the last."""

    watches: Sequence[OwnWatch]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How many watches wait, and how many have news."""

    live: int
    with_news: int


def set_up(session: Session, caller: Caller, grounds: Grounds, wanted: Wanted) -> SetWatch:
    """Wait for a value from the end of this transaction on.

    Raises InvalidRequestError for tokens that contradict themselves or could match nothing, and
    for a last day that is not to come or beyond disclosure.watch_days; EpochClosedError (409) when
    they were made under a key epoch that is not open; QuotaSpentError as for a lookup;
    TooManyWatchesError.
    """
    organisation_id, person_id = caller.member
    at = now()
    _check(wanted, at.date())
    writing(session)
    require_open(session, [(wanted.kind, wanted.epoch)])
    value_budget.spend(session, caller, [(wanted.kind, wanted.tokens)])
    if watch_storage.live_count(session, organisation_id, at.date()) >= MOST_LIVE:
        raise TooManyWatchesError(f"{MOST_LIVE} watches of your organisation wait already.")
    tokens = _within_cap(session, organisation_id, wanted)
    profile, share_class = _profile_and_class(session, organisation_id, grounds, wanted)
    public_id = new_public_id(at)
    row = {
        "public_id": public_id,
        "organisation_id": organisation_id,
        "person_id": person_id,
        "profile_id": profile,
        "share_class_id": share_class,
        "kind": wanted.kind,
        "epoch": wanted.epoch,
        "facets": bits(facet for facet, _ in tokens),
        "tells": wanted.tells,
        "deconflicts": wanted.deconflicts,
        "made_at": at,
        "expires_on": wanted.expires_on,
    }
    watch_id = watch_storage.insert_watch(session, row, tokens)
    if wanted.deconflicts:
        outbox.put(session, LOOK, {"watch": watch_id}, key=str(watch_id))
    append(
        session,
        caller,
        "watch.set",
        purpose=grounds.purpose,
        basis=grounds.legal_basis,
        case=grounds.case,
        object_type="watch",
        objects=[str(public_id)],
        details={
            "query": {wanted.kind.value: 1},
            "tells": wanted.tells.value,
            "deconflicts": wanted.deconflicts,
            "tlp": wanted.tlp.value,
            "expires_on": wanted.expires_on.isoformat(),
        },
    )
    return SetWatch(public_id, at, wanted.expires_on)


def list_own(
    session: Session,
    caller: Caller,
    *,
    is_live: bool | None = None,
    limit: int = 50,
    cursor: UUID | None = None,
) -> Page:
    """The organisation's watches, newest first: those that wait, those that ended, or both."""
    organisation_id, _ = caller.member
    at = now()
    found, following = watch_storage.page(
        session, organisation_id, at.date(), is_live=is_live, limit=limit, cursor=cursor
    )
    news = watch_reading.with_news(session, organisation_id, at)
    append(
        session,
        caller,
        "watch.list",
        object_type="watch",
        count=len(found),
        # Not `objects`: a watch is not to be found by every page on which it was listed.
        details={"listed": [str(watch.id) for watch in found]},
    )
    return Page([as_own(session, each, at, each.watch_id in news) for each in found], following)


def figures(session: Session, organisation_id: int) -> Figures:
    """What a home page shows of an organisation's own watches."""
    at = now()
    return Figures(
        live=watch_storage.live_count(session, organisation_id, at.date()),
        with_news=len(watch_reading.with_news(session, organisation_id, at)),
    )


def _check(wanted: Wanted, today: date) -> None:
    errors = [
        {"field": f"json.{member}", "reason": reason}
        for member, reason in faults(wanted.kind, wanted.epoch, wanted.tokens)
    ]
    longest = runtime().settings.disclosure.watch_days
    if not today < wanted.expires_on <= today + timedelta(days=longest):
        reason = f"Name a day to come, at most {longest} days from today."
        errors.append({"field": "json.expires_on", "reason": reason})
    if not errors and not _can_match(wanted.kind, wanted.tokens):
        reason = "So few facets could match nothing: send all that the value has."
        errors.append({"field": "json.tokens", "reason": reason})
    if errors:
        raise InvalidRequestError(errors=errors)


def _can_match(kind: Kind, tokens: Tokens) -> bool:
    """Whether an indicator that agrees in everything would be told of."""
    agreeing = Counter(facet for facet, _ in tokens)
    facets = frozenset(agreeing)
    return score(kind, agreeing, query=facets, candidate=facets).band is not None


def _within_cap(session: Session, organisation_id: int, wanted: Wanted) -> Tokens:
    """The tokens that are kept: a facet in which many of one's own watches agree is left out.

    The cap is that of indicators, and like theirs per organisation, so that it tells nobody how
    much others watch for. A facet that is left out counts neither for nor against.
    """
    most = runtime().settings.matching.common_after
    common = watch_storage.common(
        session, organisation_id, {token for _, token in wanted.tokens}, most
    )
    left_out = {facet for facet, token in wanted.tokens if token in common}
    kept = [(facet, token) for facet, token in wanted.tokens if facet not in left_out]
    if not kept or not _can_match(wanted.kind, kept):
        raise TooManyWatchesError(f"Your organisation watches for this {most} times already.")
    return kept


def _profile_and_class(
    session: Session, organisation_id: int, grounds: Grounds, wanted: Wanted
) -> tuple[int, int]:
    """As whom the organisation watches, and as what others' watches of the same meet this one."""
    attributes = ClassAttributes(
        kind=wanted.kind,
        role=PartyRole.UNKNOWN,
        tlp=wanted.tlp,
        handling=frozenset(),
        source_grade=SourceGrade.X,
        information_grade=InformationGrade.FOUR,
        assertion=Assertion.ASSESSMENT,
        permitted_action=PermittedAction.KNOW,
    )
    known = select(ShareClass.id).where(ShareClass.key == attributes.key(organisation_id))
    if session.scalar(known) is None:
        # Making a class and renewing a profile lock organisations in ways that must not be mixed.
        grants.hold_all(session)
    profile = profile_id(
        session, organisation_id, Role.ANALYST, grounds.purpose, grounds.legal_basis
    )
    return profile, share_class_ids(session, organisation_id, [attributes])[attributes]
