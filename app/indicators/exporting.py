"""What others share as one file, whole, in parts that are each logged before they leave.

A part is a page of the list, read anew under the policies of its moment. What is withdrawn or
closed off while a file is under way is not in the parts that come after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask import Response
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.guard import caller, transaction
from app.audit.parts import Part, answer_in_parts
from app.clock import now
from app.errors import InvalidRequestError
from app.indicators import shared
from app.indicators.export import CONTENT_TYPES, Writing, writing, written
from app.indicators.shared_schemas import Form
from app.indicators.telling import Grounds
from app.indicators.workbook import MOST_ROWS

_NEXT = "Postern-Next"


@dataclass(frozen=True, slots=True)
class File:
    """What is to be taken away, why, as what, and after which place in the list."""

    grounds: Grounds
    wanted: Mapping[str, Any]
    form: Form
    cursor: UUID | None = None


def whole(file: File) -> Response:
    """The answer of all there is, from an audited view.

    InvalidRequestError for an owner that is no organisation, and for more than a workbook holds.
    """
    export = _Export(file)
    if file.form is Form.XLSX:
        _demand_a_book_holds_it(transaction(), caller(), file)
    first = export.part(transaction(), caller())
    answer = answer_in_parts(
        first, lambda: export.part(transaction(), caller()), CONTENT_TYPES[file.form]
    )
    return _named(answer, file.form)


def short(file: File, limit: int) -> Response:
    """The answer of `limit` indicators at most, with the cursor of the next such file."""
    page = shared.export_shared(
        transaction(), caller(), file.grounds, wanted=file.wanted, limit=limit, cursor=file.cursor
    )
    content = written(page.indicators, file.form, now())
    answer = Response(content, content_type=CONTENT_TYPES[file.form])
    if page.next is not None:
        answer.headers[_NEXT] = str(page.next)
    return _named(answer, file.form)


class _Export:
    """A file on its way: how far it is."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._writing: Writing = writing(file.form, now())
        self._cursor = file.cursor
        self._id = uuid4()
        self._number = 0

    def part(self, session: Session, caller: Caller) -> Part:
        """The next part, noted and logged in this transaction."""
        self._number += 1
        page = shared.export_shared(
            session,
            caller,
            self._file.grounds,
            wanted=self._file.wanted,
            limit=shared.MOST_EXPORTED,
            cursor=self._cursor,
            place={"file": str(self._id), "part": self._number},
        )
        self._cursor = page.next
        body = self._writing.rows(page.indicators)
        if page.next is None:
            body += self._writing.end()
        return Part(body, is_last=page.next is None)


def _demand_a_book_holds_it(session: Session, caller: Caller, file: File) -> None:
    if shared.is_more_than(session, caller, file.grounds, file.wanted, MOST_ROWS):
        reason = f"A workbook holds {MOST_ROWS:,} rows: narrow the question, or choose csv."
        raise InvalidRequestError(errors=[{"field": "query.format", "reason": reason}])


def _named(answer: Response, form: Form) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="indicators.{form.value}"'
    return answer
