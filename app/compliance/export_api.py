"""Taking the log away, for programs; the page of the access log offers the same files."""

from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields, post_load

from app.audit.guard import audited, caller, transaction
from app.audit.reading import Filters
from app.audit.schemas import Asked, FilterSchema, asked
from app.compliance.exporting import ExportedFile, Form, export
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "audit-export",
    __name__,
    url_prefix="/api/v1/audit",
    description="Your organisation's own entries as files, with what proves them.",
)

NEXT_HEADER = "Postern-Next"
COUNT_HEADER = "Postern-Count"

_FILE = {
    "content": {
        kind: {"schema": {"type": "string"}}
        for kind in ("application/jsonl", "text/csv", "application/pdf", "application/zip")
    }
}


@dataclass(frozen=True)
class ExportAsked:
    """Which entries are wanted as a file, and in which form."""

    asked: Asked
    form: Form

    @property
    def filters(self) -> Filters:
        """The filters, with what the words mean in the reader's language."""
        return self.asked.understood(transaction())


class ExportQuerySchema(FilterSchema):
    """Loads to `ExportAsked`."""

    form = fields.Enum(
        Form,
        by_value=True,
        data_key="format",
        load_default=Form.JSON_LINES,
        metadata={"description": "`zip` is the package for verification offline."},
    )

    @post_load
    def gather(self, given: dict[str, Any], **_: Any) -> ExportAsked:
        """Split what was asked into filters, cursor and form."""
        form = given.pop("form")
        return ExportAsked(asked(given), form)


@blueprint.get("/export")
@audited("audit.export", roles=[Role.COMPLIANCE], scope=Scope.AUDIT_READ)
@blueprint.arguments(ExportQuerySchema, location="query", unknown=None)
@blueprint.doc(responses={"200": {"description": "A file.", **_FILE}})
def take_away(asked: ExportAsked) -> Response:
    """Take entries away as a file

    The entries that fit the filters, oldest first, at most 5000 in a file, 500 in a PDF.
    `Postern-Count` says how many there are; `Postern-Next`, where there are more, is the cursor of
    the next file. A package (`zip`) holds the entries with the signed head of the log and a proof
    for each. The log keeps the filters, the count and the SHA-256 of the file.
    """
    return file_answer(
        export(transaction(), caller(), asked.filters, asked.form, asked.asked.cursor)
    )


def file_answer(file: ExportedFile) -> Response:
    """The file as it leaves, for programs and pages."""
    answer = Response(file.content, content_type=file.content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer.headers[COUNT_HEADER] = str(file.count)
    if file.next:
        answer.headers[NEXT_HEADER] = file.next
    return answer
