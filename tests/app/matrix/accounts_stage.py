"""People of the stage beside those who ask: one who has an account and one who had; and the
second factors of those who ask.
"""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.access import Caller
from app.accounts import factors, people
from app.accounts.factor_models import FactorKind, SecondFactor
from postern.vocabulary import Role
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, Relation, State
from tests.app.sharing.ground import NOON


def make_people(session: Session, caller: Caller) -> Made:
    """Both added by `caller`; a role is proposed for the one who is there."""
    made: Made = {}
    for state in (State.LIVE, State.CLOSED):
        made[Named.PERSON, state] = people.add(
            session,
            caller,
            login=f"{state.name.lower()}@{caller.organisation}.example",
            name="Analyst",
            roles=frozenset({Role.ANALYST, Role.COMPLIANCE}),
            secret="the hash of no password",
        )
    people.close(session, caller, made[Named.PERSON, State.CLOSED])
    return made


def make_factors(
    session: Session, people: Mapping[int, int | Relation]
) -> dict[int | Relation, UUID]:
    """An app for each of the people, who have signed in already: its public id, by their key."""
    made = {person: uuid4() for person in people}
    session.add_all(
        SecondFactor(
            public_id=name,
            person_id=person,
            kind=FactorKind.TOTP,
            sealed=factors._sealed(name, {"name": "App", "secret": "A" * 32}),
            counter=0,
            added_at=NOON,
        )
        for person, name in made.items()
    )
    return {people[person]: name for person, name in made.items()}
