"""The barriers of all owners through every door: each shows what the reference allows there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.organisations import service as organisations
from app.sharing.seats import Member, Seat
from postern.audit.record import open_disclosures
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Scope,
    SourceGrade,
    Tlp,
)
from tests.app.matrix.expectations import Means, Named, Relation, State
from tests.app.matrix.stage import GROUNDS, OWNERS, POLICIES, READER, Stage
from tests.app.sharing.reference import NOTHING, Expected, reference_ruling
from tests.app.sharing.world import like


@dataclass
class Barriers:
    """The owners' barriers, and whose the reference lets the reader know of."""

    stage: Stage
    ids: Mapping[Relation, UUID]
    rulings: Mapping[Relation, Expected]

    @property
    def known(self) -> set[Relation]:
        return {each for each, one in self.rulings.items() if one.level > 1 and one.may_feed}

    @property
    def by_id(self) -> dict[str, Relation]:
        return {str(public_id): relation for relation, public_id in self.ids.items()}

    def get(self, path: str, **more: Any) -> TestResponse:
        headers = self.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.BARRIERS_READ]
        given = {**GROUNDS, **{name: each for name, each in more.items() if each is not None}}
        address = f"/api/v1/barriers{path}"
        return self.stage.client.get(address, query_string=given, headers=headers)

    def log(self, code: str, act: str = "") -> list[dict[str, Any]]:
        """What the entries that an organisation may read say, of one act or of all of barriers."""
        mine = select(AuditAudience.eid).where(AuditAudience.org == code)
        wanted = (
            select(AuditDetail.disc)
            .join(AuditEntry, AuditEntry.eid == AuditDetail.eid)
            .where(
                AuditEntry.eid.in_(mine),
                AuditEntry.act == act if act else AuditEntry.act.startswith("barrier."),
            )
        )
        with self.stage.database.reading() as session:
            return [open_disclosures(each) for each in session.scalars(wanted)]


@pytest.fixture
def barriers(stage: Stage) -> Barriers:
    record = like(
        kind=Kind.BARRIER,
        role=PartyRole.SHIPMENT,
        tlp=Tlp.GREEN,
        source_grade=SourceGrade.A,
        information_grade=InformationGrade.ONE,
        assertion=Assertion.FACT,
        permitted_action=PermittedAction.KNOW,
        barrier_step=1,
    )
    purpose, basis = Purpose(GROUNDS["purpose"]), LegalBasis(GROUNDS["legal_basis"])
    reader = Seat(_member(stage, READER), Role.ANALYST, purpose, basis)
    rulings = {
        relation: NOTHING
        if relation is Relation.OWNER_SUSPENDED
        else reference_ruling(reader, _member(stage, OWNERS[relation]), text, record, 0)
        for relation, text in POLICIES.items()
    }
    ids = {
        relation: stage.tasks[code][Named.BARRIER, State.LIVE]
        for relation, code in {Relation.OWN: READER, **OWNERS}.items()
    }
    made = Barriers(stage, ids, rulings)
    assert made.known
    assert OWNERS.keys() - made.known
    return made


def test_barriers_are_listed_read_and_counted_as_the_reference_says(barriers: Barriers) -> None:
    known = {Relation.OWN} | barriers.known
    listed: list[str] = []
    cursor = None
    while True:  # all pages, one to a page
        page = barriers.get("", limit=1, cursor=cursor).get_json()
        listed += [each["id"] for each in page["barriers"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert listed == sorted(
        (each for each, relation in barriers.by_id.items() if relation in known), reverse=True
    )
    counted = barriers.get("/gaps").get_json()["steps"][0]["barriers"][0]
    assert (counted["own"], counted["others"]) == (1, len(barriers.known))
    told = json.dumps(barriers.log(READER))
    hidden = [str(it) for each, it in barriers.ids.items() if each not in known]
    assert [each for each in hidden if each in told] == []
    assert [each for each in listed if each not in told] == []
    # Asked for by their ids: a refusal names what was asked for.
    read = {
        relation
        for relation, public_id in barriers.ids.items()
        if barriers.get(f"/{public_id}").status_code == 200
    }
    assert read == known


def test_owners_of_barriers_are_told_what_the_reference_says(barriers: Barriers) -> None:
    barriers.get("")
    barriers.get("/gaps")
    for relation, code in OWNERS.items():
        named = {
            barriers.by_id[each]
            for details in barriers.log(code, "barrier.shared")
            if details["viewer"] == READER
            for each in details["objects"]
        }
        is_told = relation in barriers.known and barriers.rulings[relation].tells_owner
        assert named == ({relation} if is_told else set())


def _member(stage: Stage, code: str) -> Member:
    """An organisation as policies know it; the reader has left its community."""
    with stage.database.reading() as session:
        _, found = organisations.find(session, code)
    return Member(found.code, found.sector, found.country, ())
