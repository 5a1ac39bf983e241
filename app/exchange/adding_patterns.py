"""Shipping patterns that a client adds by TAXII: each becomes a proposal of who sends it.

No program publishes: a second person of the organisation decides. What is sent again, or later,
goes the way of indicators: by its STIX id and `modified`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import PosternError
from app.exchange.adding_models import ExchangeName, NameState
from app.exchange.sent import NAMES_AT_ONCE, Ruled, Run, Sent, microseconds_of
from app.exchange.statuses import Outcome
from app.patterns import importing

_OLDER = "A later version of it is here already; this one was not kept."
_PROPOSED = "It is proposed: a person of your organisation decides whether it comes into force."
_IN_FORCE = "revoked: It is in force here. That it is used no longer is for a person to say."
_OTHER_CONTENT = (
    "version: Other content is here already under this version. "
    "Give what changed a later `modified`."
)
_GONE = "revoked: It was taken back, and does not return under this id. Send it under a new one."


def follow(
    run: Run, ruled: Sequence[Ruled], sent: Sequence[Sent]
) -> tuple[dict[int, Outcome], list[Sent]]:
    """What became of the patterns, and the indicators that are none: left for others to take.

    A revoked indicator says nothing of what it was; its id tells.
    """
    revoked = [each for each in sent if each.object.revoked]
    asked = {each.object.id for each in ruled} | {each.object.id for each in revoked}
    if not asked:
        return {}, list(sent)
    known = _names(run.session, run.organisation_id, asked)
    outcomes: dict[int, Outcome] = {}
    for each in sorted(ruled, key=lambda one: one.version):
        outcomes[each.place] = _take(run, each, known)
    for ended in revoked:
        if ended.object.id in known:
            outcomes[ended.place] = _take_back(run, ended, known[ended.object.id])
    return outcomes, [other for other in sent if other.place not in outcomes]


def _take(run: Run, ruled: Ruled, known: dict[str, ExchangeName]) -> Outcome:
    name = known.get(ruled.object.id)
    if name is not None:
        if ruled.version < name.version:
            return ruled.outcome(_OLDER)
        is_same = ruled.content == bytes(name.content_hash)
        if ruled.version == name.version:
            return ruled.outcome() if is_same else ruled.outcome(_OTHER_CONTENT, is_success=False)
        if name.state is NameState.REVOKED:
            return ruled.outcome(_GONE, is_success=False)
    try:
        pattern = importing.take(
            run.session, run.caller, ruled.object.text, name.indicator if name else None
        )
    except PosternError as error:
        return ruled.outcome(importing.reasons(error), is_success=False)
    if name is None:
        name = ExchangeName(
            organisation_id=run.organisation_id,
            stix_id=ruled.object.id,
            created=microseconds_of(ruled.object.created),
            pattern_id=pattern.id,
            indicator=pattern.public_id,
            subject_hash=ruled.content,
            state=NameState.LIVE,
            created_at=run.at,
        )
        run.session.add(name)
        known[ruled.object.id] = name
    name.version, name.content_hash = ruled.version, ruled.content
    run.session.flush()
    run.done["proposed"] += 1
    return ruled.outcome(_PROPOSED)


def _take_back(run: Run, sent: Sent, name: ExchangeName) -> Outcome:
    if sent.version < name.version:
        return sent.outcome(_OLDER)
    if name.state is NameState.REVOKED:
        return sent.outcome()
    name.state, name.version = NameState.REVOKED, sent.version
    run.session.flush()
    is_over = importing.take_back(run.session, run.caller, name.indicator)
    if not is_over:
        name.state = NameState.LIVE
        run.session.flush()
        return sent.outcome(_IN_FORCE, is_success=False)
    run.done["proposals_taken_back"] += 1
    return sent.outcome()


def _names(session: Session, organisation_id: int, ids: Iterable[str]) -> dict[str, ExchangeName]:
    wanted = sorted(ids)
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        rows = session.scalars(
            select(ExchangeName).where(
                ExchangeName.organisation_id == organisation_id,
                ExchangeName.pattern_id.is_not(None),
                ExchangeName.stix_id.in_(wanted[start : start + NAMES_AT_ONCE]),
            )
        )
        found |= {row.stix_id: row for row in rows}
    return found
