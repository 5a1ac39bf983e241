"""Retention and erasure of details, for programs."""

import json
from datetime import UTC, datetime
from typing import Any

from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields, validate
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit import erasure, retention
from app.audit.erasure import MOST_RECORDS, Wanted
from app.audit.guard import audited, caller, transaction
from app.audit.models import AuditErasure, ErasureState, RetentionRule
from app.audit.retention import SOURCE_LENGTH, Retention
from app.audit.service import append
from app.clock import now
from app.fields import plain_text
from app.organisations.service import find
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "audit-retention",
    __name__,
    url_prefix="/api/v1/audit",
    description="How long details of your organisation's own entries are kept, and their erasure.",
)

_OFFICER = (Role.COMPLIANCE,)


class RetentionSchema(Schema):
    """How long details are kept."""

    class Meta:
        unknown = RAISE

    rule = fields.Enum(
        RetentionRule,
        by_value=True,
        required=True,
        metadata={"description": "Whole months after the act, or the end of a year."},
    )
    length = fields.Integer(
        required=True, strict=True, metadata={"description": "So many months, or years."}
    )
    legal_source = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=SOURCE_LENGTH), plain_text],
        metadata={"description": "The law that asks for it, with its article."},
    )


class HeldSchema(RetentionSchema):
    """What holds, and what it means today."""

    chosen = fields.Boolean(
        attribute="is_chosen",
        metadata={"description": "False while the default of the country holds."},
    )
    verified = fields.Boolean(
        attribute="is_verified",
        metadata={"description": "False when nobody read the provision behind a default."},
    )
    before = fields.Method(
        "_before",
        metadata={
            "type": "string",
            "format": "date-time",
            "description": "Details of acts before this moment are erased.",
        },
    )

    def _before(self, held: Retention) -> str:
        return held.before(now()).isoformat()


class WantedSchema(Schema):
    """What is to be erased: give either records or a person."""

    class Meta:
        unknown = RAISE

    records = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(max=MOST_RECORDS),
        metadata={"description": "Ids of records of your organisation's own entries."},
    )
    person = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "Pseudonym of a person: the details of all their acts."},
    )
    names = fields.List(
        fields.String(),
        data_key="fields",
        load_default=None,
        allow_none=True,
        metadata={"description": "Names of the details to erase; all of them when left out."},
    )


class ErasureSchema(Schema):
    """An erasure that was asked for."""

    of = fields.Method("_of", metadata={"type": "string", "description": "records or person"})
    asked = fields.Method("_asked", metadata={"type": "string", "format": "date-time"})
    state = fields.Enum(ErasureState, by_value=True, metadata={"description": "waiting, or done"})
    done = fields.Method(
        "_done", metadata={"type": ["string", "null"], "description": "When it was done."}
    )
    erased = fields.Integer(metadata={"description": "Entries that lost details so far."})

    def _of(self, asked: AuditErasure) -> str:
        return kind_of(asked)

    def _asked(self, asked: AuditErasure) -> str:
        return _moment(asked.asked_at)

    def _done(self, asked: AuditErasure) -> str | None:
        return _moment(asked.done_at) if asked.done_at else None


class ErasuresSchema(Schema):
    """The newest erasures, at most fifty."""

    erasures = fields.List(fields.Nested(ErasureSchema))


@blueprint.get("/retention")
@audited("retention.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.response(200, HeldSchema)
def read_retention() -> Retention:
    """Read how long details are kept

    Your organisation's own choice, or the default of its country.
    """
    append(transaction(), caller(), "retention.read", object_type="audit-retention")
    return in_force(transaction(), caller())


@blueprint.put("/retention")
@audited("audit.retention", roles=_OFFICER)
@blueprint.arguments(RetentionSchema)
@blueprint.response(200, HeldSchema)
def choose_retention(asked: dict[str, Any]) -> Retention:
    """Choose how long details are kept

    What may be kept no longer is erased within the hour, and cannot be brought back.
    """
    retention.choose(transaction(), caller(), **asked)
    return in_force(transaction(), caller())


@blueprint.get("/erasures")
@audited("retention.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.response(200, ErasuresSchema)
def list_erasures() -> dict[str, Any]:
    """List the erasures that your organisation asked for

    The newest first.
    """
    append(transaction(), caller(), "retention.read", object_type="audit-retention")
    return {"erasures": erasure.asked_by(transaction(), caller().organisation)}


@blueprint.post("/erasures")
@audited("audit.erasure", roles=_OFFICER)
@blueprint.arguments(WantedSchema)
@blueprint.response(202, ErasureSchema)
def ask_erasure(asked: dict[str, Any]) -> AuditErasure:
    """Ask for details to be erased

    Of records by their ids, or of all acts of a person. It is done within minutes and told by an
    entry of the act `audit.erase`; it cannot be undone.
    """
    names = asked["names"]
    wanted = Wanted(
        records=frozenset(asked["records"]),
        person=asked["person"],
        fields=None if names is None else frozenset(names),
    )
    return erasure.ask(transaction(), caller(), wanted)


def in_force(session: Session, caller: Caller) -> Retention:
    """What holds for the caller's organisation."""
    _id, member = find(session, caller.organisation)
    return retention.in_force(session, member.code, member.country)


def kind_of(asked: AuditErasure) -> str:
    """`person` or `records`."""
    document = json.loads(asked.wanted)
    return str(document.get("kind") or ("person" if document["person"] else "records"))


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
