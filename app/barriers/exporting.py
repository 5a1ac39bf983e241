"""Taking the board away: as a picture, or as a briefing on paper. It is logged with what was taken.

The board is read by the one verb, and the file holds what that told, so that a file says no more
than the page. It says as of when it counts and which organisation took it, but no person and no
moment: the same board for the same organisation is the same file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.audit.wording import wording
from app.barriers.board import board
from app.barriers.board_arranging import arranged
from app.barriers.board_view import BoardView
from app.barriers.briefing import MARKING, Taken, briefing
from app.barriers.picture import painting, svg
from app.barriers.picture.layout import laid_out
from app.barriers.wording import spoken_language
from app.indicators.telling import Grounds
from app.paper import shown
from app.runtime import runtime


class Form(StrEnum):
    """The form in which the board leaves."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


CONTENT_TYPES: Mapping[Form, str] = {
    Form.SVG: "image/svg+xml; charset=utf-8",
    Form.PNG: "image/png",
    Form.PDF: "application/pdf",
}


@dataclass(frozen=True)
class ExportedBoard:
    """The file."""

    name: str
    content: bytes
    content_type: str


def export(
    session: Session,
    caller: Caller,
    grounds: Grounds | None,
    form: Form,
    *,
    changed: date | None = None,
    together: Sequence[str] = (),
) -> ExportedBoard:
    """The board for this purpose as a file in the language of the request; logged twice.

    Once as a board that was read, by the verb that reads it, and once as a file that was taken
    away. Raises what `board` raises.
    """
    found = board(session, caller, grounds, changed=changed, together=together)
    view = arranged(found, asked_others=grounds is not None)
    names = wording().organisations(session)
    taken = Taken(
        runtime().settings.platform.name,
        names.get(caller.organisation, caller.organisation),
        grounds,
    )
    content = _content(view, taken, form)
    append(
        session,
        caller,
        "barrier.export",
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="barrier-model",
        objects=[str(view.model)],
        details={
            "as_of": view.as_of.isoformat(),
            "format": form.value,
            "language": spoken_language(),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    name = f"board-{caller.organisation}-{view.as_of.isoformat()}.{form.value}"
    return ExportedBoard(name, content, CONTENT_TYPES[form])


def _content(view: BoardView, taken: Taken, form: Form) -> bytes:
    if form is Form.PDF:
        return briefing(view, taken)
    language, mark = spoken_language(), f"{MARKING} · {taken.organisation}"
    if form is Form.SVG:
        return svg.standing_alone(laid_out(view, language, mark=mark))
    return painting.pixels(laid_out(view, language, show=shown, mark=mark))
