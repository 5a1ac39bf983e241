"""What the directory looks like on the wire."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from app.fields import plain_text
from postern.organisation_entry import LONGEST_CHAIN
from postern.vocabulary import Sector

_FINGERPRINT = r"([A-Z2-7]{4}-){7}[A-Z2-7]{4}\Z"
_MAIL = r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,189}\Z"
_PHONE = r"\+?[0-9 ()./-]{3,39}\Z"


class MemberSchema(Schema):
    """An organisation of the exchange."""

    class Meta:
        unknown = RAISE

    code = fields.String(
        required=True, metadata={"description": "Stable code, used in policies and in the log."}
    )
    name = fields.String(required=True, metadata={"description": "Name for people."})
    sector = fields.Enum(
        Sector, by_value=True, required=True, metadata={"description": "What it is."}
    )
    country = fields.String(required=True, metadata={"description": "ISO 3166-1 alpha-2 code."})


class DirectorySchema(Schema):
    """The active organisations of the exchange."""

    class Meta:
        unknown = RAISE

    organisations = fields.List(
        fields.Nested(MemberSchema),
        required=True,
        metadata={"description": "In order of their codes; suspended ones are not shown."},
    )


class KeysOfferedSchema(Schema):
    """Entries of one's own organisation: the whole chain, or the new ones."""

    class Meta:
        unknown = RAISE

    entries = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(min=1, max=LONGEST_CHAIN),
        metadata={
            "description": "Signed directory entries in their order, as `postern keys show "
            "--entry-file` writes them; docs/keys.md has their form."
        },
    )


class PublicationSchema(Schema):
    organisation = fields.String()
    number = fields.Integer(metadata={"description": "Of the newest entry."})
    fingerprint = fields.String(
        metadata={"description": "Of the newest entry; it covers every one before it."}
    )
    added = fields.Integer(metadata={"description": "Entries that were new."})


class OrganisationKeysSchema(Schema):
    code = fields.String(attribute="organisation")
    entries = fields.List(
        fields.Dict(keys=fields.String()),
        metadata={
            "description": "Signed entries from the first on; none while nothing is published."
        },
    )
    alarms = fields.Integer(
        metadata={"description": "Open alarms of members that were offered other keys of it."}
    )


class KeyDirectorySchema(Schema):
    organisations = fields.List(
        fields.Nested(OrganisationKeysSchema),
        metadata={
            "description": "In order of their codes: active members, and suspended ones that "
            "published keys, for what they sealed still opens."
        },
    )


class PublishedSchema(Schema):
    number = fields.Integer()
    at = fields.AwareDateTime(format="iso", metadata={"description": "When it was published."})


class OwnersKeysSchema(Schema):
    organisation = fields.String()
    entries = fields.List(fields.Dict(keys=fields.String()))
    published = fields.List(fields.Nested(PublishedSchema))


class KeyAlarmReportSchema(Schema):
    """What a program of a member was offered instead of what it had pinned."""

    class Meta:
        unknown = RAISE

    number = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=1, max=LONGEST_CHAIN),
        metadata={"description": "Of the entry that differs."},
    )
    pinned = fields.String(
        required=True,
        validate=validate.Regexp(f"({_FINGERPRINT})|\\Z", error="Write a fingerprint, or nothing."),
        metadata={"description": "Fingerprint as pinned; empty where the chain was shorter."},
    )
    offered = fields.String(
        required=True,
        validate=validate.Regexp(f"({_FINGERPRINT})|\\Z", error="Write a fingerprint, or nothing."),
        metadata={"description": "Fingerprint as offered; empty where the entry is withheld."},
    )


class KeyAlarmSchema(Schema):
    id = fields.UUID()
    reporter = fields.String()
    about = fields.String()
    number = fields.Integer()
    pinned = fields.String()
    offered = fields.String()
    made_at = fields.AwareDateTime(format="iso")
    closed_at = fields.AwareDateTime(format="iso", allow_none=True)


class ContactSchema(Schema):
    """A desk: a function and its mailbox. Never the name, mailbox or number of a person."""

    class Meta:
        unknown = RAISE

    desk = fields.String(
        required=True,
        validate=[
            validate.Regexp(
                r"(?s:(?=.{1,120}\Z).*\S)",
                error="Write what the desk is called, in 1 to 120 characters.",
            ),
            plain_text,
        ],
        metadata={"description": "What it is called; a function, never a person."},
    )
    mail = fields.String(
        load_default="",
        validate=validate.Regexp(f"({_MAIL})|\\Z", error="Write a mail address, or leave it out."),
        metadata={"description": "Its function mailbox, never a person's.", "maxLength": 254},
    )
    phone = fields.String(
        load_default="",
        validate=validate.Regexp(
            f"({_PHONE})|\\Z", error="Write digits, spaces and + ( ) . / - only, or leave it out."
        ),
        metadata={"description": "Its number, on which fingerprints are compared too."},
    )
    hours = fields.String(
        load_default="",
        validate=[validate.Length(max=120, error="Write up to 120 characters."), plain_text],
        metadata={"description": "When somebody answers, such as Mo-Fr 8-18 CET."},
    )

    @validates_schema
    def _is_reached(self, loaded: dict[str, Any], **_kwargs: Any) -> None:
        if not loaded.get("mail") and not loaded.get("phone"):
            raise ValidationError("Write a mailbox or a telephone number.", "mail")


class OwnContactSchema(Schema):
    """One's own desk; empty while none was entered."""

    desk = fields.String()
    mail = fields.String()
    phone = fields.String()
    hours = fields.String()
    changed_at = fields.AwareDateTime(format="iso", allow_none=True)
