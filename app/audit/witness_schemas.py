"""Fields of the interface of witnesses."""

from marshmallow import RAISE, Schema, fields, validate

from app.audit.models import AlarmKind
from app.audit.watching import LONGEST_NOTE, MOST_NOTES
from app.audit.witnesses import LONGEST_KEY
from postern.tlog.strict import LARGEST_SIZE

_SIZE = validate.Range(0, LARGEST_SIZE, error="Write a number of entries.")


class WitnessSchema(Schema):
    organisation = fields.String(required=True)
    vkey = fields.String(
        required=True, metadata={"description": "Its public key (C2SP signed-note, kind 0x04)."}
    )


class KeysSchema(Schema):
    origin = fields.String(required=True, metadata={"description": "Name of the log."})
    log = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Keys of checkpoints, oldest first; retired ones too."},
    )
    receipt = fields.List(
        fields.String(), required=True, metadata={"description": "Keys of receipts."}
    )
    witnesses = fields.List(fields.Nested(WitnessSchema), required=True)
    operator = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Member that runs the platform; its witnesses do not count."},
    )
    quorum = fields.Integer(
        required=True,
        metadata={"description": "Organisations that must have cosigned; 0 while none can."},
    )
    policy = fields.String(
        required=True, metadata={"description": "The same as a trust policy (C2SP tlog-policy)."}
    )


class AfterQuerySchema(Schema):
    class Meta:
        unknown = RAISE

    after = fields.Integer(
        load_default=0,
        validate=_SIZE,
        metadata={"description": "Only checkpoints with more entries than these."},
    )


class CheckpointsSchema(Schema):
    checkpoints = fields.List(
        fields.String(), required=True, metadata={"description": "Signed notes, smallest first."}
    )
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "What to ask `after` for the page that follows; null after all."},
    )


class PendingQuerySchema(Schema):
    class Meta:
        unknown = RAISE

    old = fields.Integer(
        load_default=0,
        validate=_SIZE,
        metadata={"description": "The size that the witness has cosigned, 0 for none."},
    )


class CosignQuerySchema(Schema):
    class Meta:
        unknown = RAISE

    size = fields.Integer(
        validate=_SIZE,
        metadata={"description": "Of the checkpoint that was cosigned; the newest by default."},
    )


class AcceptedSchema(Schema):
    witnesses = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Keys of the witnesses whose lines were kept."},
    )


class EvidenceSchema(Schema):
    class Meta:
        unknown = RAISE

    notes = fields.List(
        fields.String(validate=validate.Length(1, LONGEST_NOTE)),
        required=True,
        validate=validate.Length(1, MOST_NOTES),
        metadata={"description": "Signed checkpoints of the log, each a whole note."},
    )


class AlarmSchema(Schema):
    alarm = fields.Enum(AlarmKind, by_value=True, required=True)


class NewWitnessSchema(Schema):
    class Meta:
        unknown = RAISE

    vkey = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_KEY),
        metadata={"description": "Its public key (C2SP signed-note, kind 0x04)."},
    )
