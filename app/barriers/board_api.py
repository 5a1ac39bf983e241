"""Over HTTP: the board of the barrier model."""

from typing import Any

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.barriers import board, board_showing
from app.barriers.board_schemas import BoardArgumentsSchema, BoardSchema
from app.barriers.modelling import READERS
from app.barriers.showing import Told
from app.indicators.telling import Grounds
from postern.vocabulary import Scope

blueprint = Blueprint(
    "barrier_board",
    __name__,
    url_prefix="/api/v1/barriers",
    description="What was reported at each step, what came of it, and where nothing holds.",
)


@blueprint.get("/board")
@audited("barrier.board", roles=READERS, scope=Scope.BARRIERS_READ)
@blueprint.arguments(BoardArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, BoardSchema)
def read_board(asked: dict[str, Any]) -> Told:
    """Read the board of the barrier model

    Counts of reports by step, corridor, substance, concealment, induction point and signal, in
    fours of weeks, as they were when the last week was over: your own exactly, and with a purpose
    and a legal basis those that others let you count, protected so that neither a small number nor
    a competitor's can be computed. Risk, trend, displacement and what barriers did follow from
    what is told. There are no filters. Operators ask for risk_analysis on postal_law.
    """
    language, changed = asked.pop("language"), asked.pop("changed")
    case = asked.pop("case").strip()
    grounds = Grounds(asked["purpose"], asked["legal_basis"], case) if "purpose" in asked else None
    together = asked.pop("together")
    found = board.board(
        transaction(),
        caller(),
        grounds,
        changed=changed,
        together=together.split(",") if together else (),
    )
    return board_showing.board(found, language)
