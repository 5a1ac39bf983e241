"""What a filter has more and less than an older one of the same salt, so that it need not be sent.

Both contents are read part by part and compared in 256 buckets by the first byte of the tags.
"""

from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError
from app.patterns.filter_models import FilterIssue, FilterPart, FilterState
from app.patterns.filters import own_issue, require_given_out
from postern import token_tags
from postern.token_tags import RECORD_SIZE, TAG_SIZE, records

LARGEST = 4 * 2**20
"""Bytes of changes; beyond it the whole content is as well fetched."""


class NoChangesError(ConflictError):
    code = "filter-no-changes"
    title = "There are no changes from that filter to this one"
    remedy = "Fetch the whole content."


def changes(session: Session, caller: Caller, public_id: UUID, since: int) -> bytes:
    """Records that came since the filter with the number `since`, and tags that went.

    As `postern.token_tags.changes` writes them. NotFoundError for another's, FilterNotReadyError,
    FilterGoneError; NoChangesError when `since` is none of the organisation's filters that still
    stands, or of another purpose, legal basis or epoch, or when the changes are too many.
    """
    issue = own_issue(session, caller, public_id)
    require_given_out(issue)
    older = _base(session, issue, since)
    added, revoked = _compared(session, older, issue)
    append(
        session,
        caller,
        "filter.changes",
        purpose=issue.purpose,
        basis=issue.legal_basis,
        object_type="filter",
        objects=[str(public_id)],
        count=len(added),
        details={"number": issue.seq, "since": since, "revoked": len(revoked)},
    )
    return token_tags.changes(added, revoked)


def _base(session: Session, issue: FilterIssue, since: int) -> FilterIssue:
    older = session.scalar(
        select(FilterIssue)
        .where(
            FilterIssue.organisation_id == issue.organisation_id,
            FilterIssue.seq == since,
            FilterIssue.seq < issue.seq,
            FilterIssue.salt_id == issue.salt_id,
            FilterIssue.purpose == issue.purpose,
            FilterIssue.legal_basis == issue.legal_basis,
            FilterIssue.state.in_((FilterState.READY, FilterState.CALLED_BACK)),
            FilterIssue.expires_at > clock.now(),
        )
        .with_for_update(read=True)
    )
    if older is None:
        raise NoChangesError
    return older


def _compared(
    session: Session, older: FilterIssue, newer: FilterIssue
) -> tuple[list[bytes], list[bytes]]:
    added: list[bytes] = []
    revoked: list[bytes] = []
    pairs = zip(_buckets(session, older), _buckets(session, newer), strict=True)
    for before, after in pairs:
        added += sorted(after - before)
        revoked += sorted(record[:TAG_SIZE] for record in before - after)
        if len(added) * RECORD_SIZE + len(revoked) * TAG_SIZE > LARGEST:
            raise NoChangesError("The changes from that filter to this one are too many.")
    return added, revoked


def _buckets(session: Session, issue: FilterIssue) -> Iterator[set[bytes]]:
    """The records of a filter by their first byte, from 0 to 255."""
    parts = (_part(session, issue, number) for number in range(1, issue.parts + 1))
    grouped = groupby(chain.from_iterable(records(part) for part in parts), key=itemgetter(0))
    found = next(grouped, None)
    for first in range(256):
        if found is not None and found[0] == first:
            yield set(found[1])
            found = next(grouped, None)
        else:
            yield set()


def _part(session: Session, issue: FilterIssue, number: int) -> bytes:
    content: bytes = session.execute(
        select(FilterPart.content).where(
            FilterPart.issue_id == issue.id, FilterPart.number == number
        )
    ).scalar_one()
    return bytes(content)
