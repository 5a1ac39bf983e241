"""Ways of asking at the doors: a member's pages and log, and the patterns of all owners."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.organisations import service as organisations
from app.patterns.models import PatternSubscription, SharedPattern
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Scope,
    Tlp,
)
from tests.app.matrix.expectations import Means, Named, Relation, State
from tests.app.matrix.stage import GROUNDS, MEMBERS, OWNERS, POLICIES, READER, Stage
from tests.app.people import bearer
from tests.app.sharing.ground import NOON
from tests.app.sharing.reference import NOTHING, Expected, reference_ruling
from tests.app.sharing.world import like

PURPOSE, BASIS = Purpose(GROUNDS["purpose"]), LegalBasis(GROUNDS["legal_basis"])


def member(stage: Stage, code: str) -> Member:
    """An organisation as policies know it; the reader has left its community."""
    with stage.database.reading() as session:
        _, found = organisations.find(session, code)
    return Member(found.code, found.sector, found.country, ())


def page_of(stage: Stage, code: str, role: Role | None, address: str) -> str:
    headers = stage.headers[code, role, Means.SESSION, None]
    answer = stage.client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def log_of(stage: Stage, code: str, act: str | None = None, **more: str) -> list[dict[str, Any]]:
    """Every entry that the organisation may read, or those of one act and of `more` filters."""
    headers = bearer(stage.app, stage.writers[code], [Scope.AUDIT_READ])
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {
            "limit": 200,
            **more,
            **({"act": act} if act else {}),
            **({"cursor": cursor} if cursor else {}),
        }
        page = stage.client.get("/api/v1/audit", query_string=given, headers=headers).get_json()
        found += page["entries"]
        cursor = page["next"]
        if cursor is None:
            return found


def patterns_of_owners(stage: Stage) -> dict[Relation, UUID]:
    """The pattern in force of the reader and of each owner."""
    return {
        relation: stage.tasks[code][Named.PUBLISHED, State.LIVE]
        for relation, code in {Relation.OWN: READER, **OWNERS}.items()
    }


def pattern_rulings(stage: Stage) -> Mapping[Relation, Expected]:
    """What the reference says of each other owner's pattern, which was published today."""
    reader = Seat(member(stage, READER), Role.ANALYST, PURPOSE, BASIS)
    record = like(
        kind=Kind.PATTERN,
        role=PartyRole.SHIPMENT,
        tlp=Tlp.GREEN,
        permitted_action=PermittedAction.WATCH,
        barrier_step=5,
    )
    return {
        relation: NOTHING
        if relation is Relation.OWNER_SUSPENDED
        else reference_ruling(reader, member(stage, MEMBERS[relation]), text, record, 0)
        for relation, text in POLICIES.items()
    }


@contextmanager
def subscribed_to_all(stage: Stage) -> Iterator[None]:
    """The reader subscribed to the patterns of all others, when it still might."""
    ids = patterns_of_owners(stage)
    with stage.transaction() as session:
        reader, _ = organisations.find(session, READER)
        others = session.scalars(
            select(SharedPattern.id).where(
                SharedPattern.organisation_id != reader, SharedPattern.public_id.in_(ids.values())
            )
        ).all()
        session.add_all(
            PatternSubscription(
                organisation_id=reader,
                pattern_id=each,
                purpose=PURPOSE,
                legal_basis=BASIS,
                since=NOON,
                given=[1],
            )
            for each in others
        )
    yield
    with stage.transaction() as session:
        session.execute(
            delete(PatternSubscription).where(
                PatternSubscription.organisation_id == reader,
                PatternSubscription.pattern_id.in_(others),
            )
        )
