"""Taking the board away, for programs; the page of the board offers the same files."""

from typing import Any

from flask import Response
from flask_babel import force_locale
from flask_smorest import Blueprint
from marshmallow import fields

from app.audit.guard import audited, caller, transaction
from app.barriers.board_schemas import BoardArgumentsSchema
from app.barriers.exporting import ExportedBoard, Form, export
from app.barriers.modelling import READERS
from app.indicators.telling import Grounds
from postern.vocabulary import Scope

blueprint = Blueprint(
    "barrier_exports",
    __name__,
    url_prefix="/api/v1/barriers",
    description="The board of the barrier model as a file to print or to show.",
)

_LOCALES = {"en": "en_GB"}  # as pages speak it
_FILE = {
    "content": {
        kind: {"schema": {"type": "string"}}
        for kind in ("application/pdf", "image/svg+xml", "image/png")
    }
}


class BriefingArgumentsSchema(BoardArgumentsSchema):
    """Why, around which day countries are compared, and in which form."""

    form = fields.Enum(
        Form,
        by_value=True,
        data_key="format",
        load_default=Form.PDF,
        metadata={"description": "`pdf` is the briefing; `svg` and `png` are its picture alone."},
    )


@blueprint.get("/board/briefing")
@audited("barrier.export", roles=READERS, scope=Scope.BARRIERS_READ)
@blueprint.arguments(BriefingArgumentsSchema, location="query", unknown=None)
@blueprint.doc(responses={"200": {"description": "A file.", **_FILE}})
def take_briefing(asked: dict[str, Any]) -> Response:
    """Take the board away as a file

    The briefing (`pdf`) is the picture of the steps, and in words and tables what it rests on: the
    same figures as the board, with their intervals. `svg` and `png` are the picture alone. The log
    keeps the form, the language and the SHA-256 of the file; the same board is the same file.
    """
    language, form, changed = asked["language"], asked["form"], asked["changed"]
    case = asked["case"].strip()
    grounds = Grounds(asked["purpose"], asked["legal_basis"], case) if "purpose" in asked else None
    together = asked["together"].split(",") if asked["together"] else ()
    with force_locale(_LOCALES.get(language, language)):
        file = export(transaction(), caller(), grounds, form, changed=changed, together=together)
    return file_answer(file)


def file_answer(file: ExportedBoard) -> Response:
    """The file as it leaves, for programs and pages."""
    answer = Response(file.content, content_type=file.content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer
