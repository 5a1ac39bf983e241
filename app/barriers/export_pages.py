"""The files of the board for its page: pictures, and the briefing."""

from flask import Blueprint, Response

from app.audit.guard import audited, caller, transaction
from app.barriers.board_requests import asked
from app.barriers.export_api import file_answer
from app.barriers.exporting import Form, export
from app.barriers.modelling import READERS

blueprint = Blueprint("board_exports", __name__)

_ACT = "barrier.export"


@blueprint.get("/barriers/board.svg")
@audited(_ACT, roles=READERS)
def take_svg() -> Response:
    """Give the picture of the board as a drawing that stays sharp at any size."""
    return _taken(Form.SVG)


@blueprint.get("/barriers/board.png")
@audited(_ACT, roles=READERS)
def take_png() -> Response:
    """Give the picture of the board in pixels."""
    return _taken(Form.PNG)


@blueprint.get("/barriers/board.pdf")
@audited(_ACT, roles=READERS)
def take_pdf() -> Response:
    """Give the briefing: the picture, and what it rests on."""
    return _taken(Form.PDF)


def _taken(form: Form) -> Response:
    """The file for the purpose of the address, which is chosen as on the page of the board."""
    given = asked()
    file = export(
        transaction(),
        caller(),
        given.grounds,
        form,
        changed=given.changed,
        together=given.together,
    )
    return file_answer(file)
