"""Barriers and models of the stage: one that holds, one in force, and one that waits."""

from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.barriers import closing, model_upkeep, modelling, registering
from app.barriers.model import Cost
from app.barriers.models import StoredModel
from app.barriers.registering import NewBarrier
from postern.vocabulary import LegalBasis
from tests.app.barriers.texts import TEXT, changed
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

_MODELS = UUID("019caea7-6b40-7abc-8def-0123456789ad")


def load_model(session: Session) -> UUID:
    """The small model as the platform's own, its id; the board of a week is counted too."""
    model_upkeep.load(session, TEXT, "shipped.yml")
    closing.close(session, NOON)
    (found,) = session.scalars(select(StoredModel.public_id))
    return found


def make_barriers(session: Session, caller: Caller, *, models: bool = True) -> Made:
    """A barrier that holds, a model in force, and one whose first version waits."""
    new = NewBarrier(
        step=1,
        key="ask-why",
        from_day=NOON.date(),
        to_day=None,
        expires_on=None,
        cost=Cost.LOW,
        legal_basis=LegalBasis.CUSTOMS_LAW,
    )
    barrier = registering.register(session, caller, new).found.barrier.public_id
    found: Made = {(Named.BARRIER, State.LIVE): barrier, (Named.OWN_BARRIER, State.LIVE): barrier}
    if models:
        for state in (State.LIVE, State.PROPOSED):
            made = modelling.begin(session, caller, model_text(caller.organisation, state))
            found[Named.MODEL, state] = made.found.model.public_id
        second = replace(caller, person=uuid4())
        modelling.approve(session, second, found[Named.MODEL, State.LIVE], 1)
    return found


def model_text(organisation: str, state: State, version: int = 1) -> str:
    """The organisation's model that is in force, or the one that waits."""
    identity = str(uuid5(_MODELS, f"{organisation}/{state}"))
    text = changed("11111111-2222-4333-8444-555555555555", identity)
    return changed("version: 1", f"version: {version}", text)
