"""Building a filter: what its reader may screen now, as sorted tags under its own salt, in parts.

The ledger is written first, by one statement that also holds what it notes; then the tokens are
read, of those indicators alone. So whoever withdraws one of them waits for the commit and finds
the row, and no tag of what nobody can call back goes into a filter. One's own need neither.

Tags are spread evenly, so they are sorted in 256 buckets by their first byte: besides the content
itself, no more than one bucket is held.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, and_, func, insert, or_, select, text
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.indicators.ledger import PRESENCE, note_selected
from app.indicators.models import Given, Indicator
from app.organisations.service import directory
from app.patterns.filter_models import FilterIssue, FilterPart, FilterState
from app.sharing.reasons import decided
from app.sharing.visibility import screening_postings, visible_classed
from postern.pseudonym import TOKEN_SIZE
from postern.token_tags import RECORD_SIZE, TAG_SIZE, tag
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Kind, Level, Way

PART_RECORDS = 2**20 // RECORD_SIZE
"""Records of one part, which has at most one MiB."""

_ROWS_AT_ONCE = 10_000  # postings that are fetched together

_INDICATOR = cast("Table", Indicator.__table__)


def expected_size(session: Session, issue: FilterIssue) -> int:
    """How many tokens the filter may come to have; equal ones of several indicators count each."""
    allowed = _screenable(issue).with_only_columns(func.sum(func.length(Indicator.tokens)))
    return int(session.execute(allowed).scalar_one() or 0) // TOKEN_SIZE


def build(session: Session, caller: Caller, issue: FilterIssue, salt: bytes) -> None:
    """Make the parts of a filter of its moment `made_at`, and tell the owners; it is ready then.

    The caller holds the issue, and has renewed the grants of its profile.
    """
    screenable = _screenable(issue)
    note_selected(
        session,
        issue.organisation_id,
        screenable.with_only_columns(
            Indicator.public_id,
            Indicator.organisation_id,
            screenable.selected_columns.tells_owner,
        ),
        way=Way.FILTER,
        level=PRESENCE,
        at=issue.made_at,
    )
    digest = hashlib.sha256()
    count = parts = 0
    for content in _parts(_records(_tokens(session, issue), salt)):
        parts += 1
        count += len(content) // RECORD_SIZE
        digest.update(content)
        row = {"issue_id": issue.id, "number": parts, "content": content}
        session.execute(insert(FilterPart).values(row))
    issue.state = FilterState.READY
    issue.parts, issue.count, issue.sha256 = parts, count, digest.digest()
    session.flush()
    _tell_owners(session, caller, issue)


def kinds_of(epochs: Mapping[str, int]) -> ColumnElement[bool]:
    """The condition that an indicator's tokens are of one of the epochs, by evaluation kind."""
    return or_(
        *(
            and_(
                Indicator.kind.in_(_kinds(EvaluationKind(kind))),
                or_(Indicator.epoch == epoch, Indicator.also_epoch == epoch),
            )
            for kind, epoch in epochs.items()
        )
    )


def _kinds(evaluated: EvaluationKind) -> list[Kind]:
    return [kind for kind, each in EVALUATION_KIND.items() if each is evaluated]


def _screenable(issue: FilterIssue) -> Select[Any]:
    """Rows of `indicator` that the profile may screen, with the grant of each."""
    visible = visible_classed(_INDICATOR, issue.profile_id, issue.made_at, PRESENCE)
    return visible.where(visible.selected_columns.may_screen, kinds_of(issue.epochs))


def _noted(issue: FilterIssue) -> ColumnElement[bool]:
    """The condition that the ledger has noted an indicator for this filter."""
    return and_(
        Given.indicator == Indicator.public_id,
        Given.recipient_id == issue.organisation_id,
        Given.way == Way.FILTER,
        Given.last_at == issue.made_at,
    )


def _tokens(session: Session, issue: FilterIssue) -> Iterator[tuple[bytes, int]]:
    """Token and facet number of every posting, in no order, some more than once."""
    posted = screening_postings(issue.profile_id, issue.made_at).subquery()
    statement = (
        select(posted.c.token, posted.c.facet)
        .join(Indicator, Indicator.id == posted.c.indicator_id)
        .outerjoin(Given, _noted(issue))
        .where(
            kinds_of(issue.epochs),
            or_(Indicator.organisation_id == issue.organisation_id, Given.indicator.is_not(None)),
        )
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    with _without_nested_loops(session):
        for token, facet in session.execute(statement):
            yield bytes(token), facet


@contextmanager
def _without_nested_loops(session: Session) -> Iterator[None]:
    """Keep PostgreSQL from scanning all tokens once for each indicator.

    It cannot foresee how many rows a policy opens, and tokens have no index by indicator.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    if is_postgresql:
        session.execute(text("SET LOCAL enable_nestloop = on"))


def _records(tokens: Iterable[tuple[bytes, int]], salt: bytes) -> Iterator[bytes]:
    """Records in rising order, each tag once, with the least of its facets."""
    buckets = [bytearray() for _ in range(256)]
    for token, facet in tokens:
        record = tag(salt, token) + bytes((facet,))
        buckets[record[0]] += record
    for bucket in buckets:
        before = b""
        for record in sorted(_split(bucket)):
            if record[:TAG_SIZE] != before:
                yield record
            before = record[:TAG_SIZE]


def _split(bucket: bytearray) -> set[bytes]:
    return {
        bytes(bucket[start : start + RECORD_SIZE]) for start in range(0, len(bucket), RECORD_SIZE)
    }


def _parts(records: Iterable[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for record in records:
        part += record
        if len(part) == PART_RECORDS * RECORD_SIZE:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _tell_owners(session: Session, caller: Caller, issue: FilterIssue) -> None:
    """An entry for each other owner that is to be told, of how many of its indicators went in.

    Which they are stands in the ledger.
    """
    screenable = _screenable(issue)
    granted = screenable.selected_columns
    counted = session.execute(
        screenable.with_only_columns(
            Indicator.organisation_id.label("owner_id"),
            granted.grant_reason_id,
            func.count().label("number"),
        )
        .join(Given, _noted(issue))
        .where(Indicator.organisation_id != issue.organisation_id, granted.tells_owner.is_(True))
        .group_by(Indicator.organisation_id, granted.grant_reason_id)
    ).all()
    reasons = decided(session, (row.grant_reason_id for row in counted))
    numbers: dict[tuple[int, str], int] = {}
    policies: dict[tuple[int, str], set[str]] = {}
    for row in counted:
        reason = reasons[row.grant_reason_id]
        key = row.owner_id, reason.name
        numbers[key] = numbers.get(key, 0) + row.number
        policies.setdefault(key, set()).update(reason.policies)
    members = directory(session)
    for (owner_id, version), number in sorted(numbers.items()):
        append(
            session,
            caller,
            "filter.shared",
            audience=[members[owner_id].code],
            tell_actor=False,
            purpose=issue.purpose,
            basis=issue.legal_basis,
            object_type="indicator",
            count=number,
            details={
                "viewer": caller.organisation,
                "policy": version,
                "policies": sorted(policies[owner_id, version]),
                "level": Level.PRESENCE.value,
            },
        )
