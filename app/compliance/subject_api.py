"""Subject requests for programs: opened, searched for with tokens, and closed."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.compliance import subject_requests, subject_search
from app.compliance.subject_schemas import (
    SubjectAnswerSchema,
    SubjectClosingSchema,
    SubjectOpeningSchema,
    SubjectRequestSchema,
    SubjectRequestsSchema,
    SubjectsArgumentsSchema,
    SubjectSearchSchema,
)
from app.lookups.scoring import Query
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "subjects",
    __name__,
    url_prefix="/api/v1",
    description="Requests of persons for access, rectification, erasure or restriction.",
)

_OFFICER = (Role.COMPLIANCE,)


@blueprint.get("/subject-requests")
@audited("subject.list", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(SubjectsArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, SubjectRequestsSchema)
def list_requests(asked: dict[str, Any]) -> subject_requests.Page:
    """List the subject requests of your organisation

    Newest first, in pages.
    """
    return subject_requests.list_requests(transaction(), caller(), **asked)


@blueprint.post("/subject-requests")
@audited("subject.open", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(SubjectOpeningSchema)
@blueprint.response(201, SubjectRequestSchema)
def open_request(asked: dict[str, Any]) -> subject_requests.Asked:
    """Open a subject request

    The month in which it is to be answered begins today. Who the person is stays on your premises.
    """
    return subject_requests.open_request(transaction(), caller(), **asked)


@blueprint.get("/subject-requests/<uuid:request_id>")
@audited("subject.read", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.response(200, SubjectRequestSchema)
def read_request(request_id: UUID) -> subject_requests.Asked:
    """Read a subject request of your organisation

    Another organisation's request is answered like one that does not exist.
    """
    return subject_requests.read_request(transaction(), caller(), request_id)


@blueprint.post("/subject-requests/<uuid:request_id>/search")
@audited("subject.search", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(SubjectSearchSchema)
@blueprint.response(200, SubjectAnswerSchema)
def search(asked: dict[str, Any], request_id: UUID) -> subject_search.Answer:
    """Search your organisation's own holdings for a person

    By tokens that were made on your premises. Tells each holding with who got something of it,
    what was called back, what keeps it and who asked for it. The log keeps the counts alone.
    """
    queries = [Query(**query) for query in asked["queries"]]
    return subject_search.search(transaction(), caller(), request_id, queries)


@blueprint.post("/subject-requests/<uuid:request_id>/closing")
@audited("subject.close", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(SubjectClosingSchema)
@blueprint.response(200, SubjectRequestSchema)
def close(asked: dict[str, Any], request_id: UUID) -> subject_requests.Asked:
    """Close a subject request

    As answered or as refused, with a note of what the person was told.
    """
    return subject_requests.close(transaction(), caller(), request_id, **asked)
