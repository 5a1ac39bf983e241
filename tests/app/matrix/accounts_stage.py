"""People of the stage beside those who ask: one who has an account and one who had."""

from sqlalchemy.orm import Session

from app.access import Caller
from app.accounts import people
from postern.vocabulary import Role
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State


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
