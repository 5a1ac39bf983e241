"""The directory of the exchange: who takes part, with which keys, and how a desk is reached."""

from typing import Any

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.organisations import contacts, key_alarms, keys, service
from app.organisations.schemas import (
    ContactSchema,
    DirectorySchema,
    KeyAlarmReportSchema,
    KeyAlarmSchema,
    KeyDirectorySchema,
    KeysOfferedSchema,
    OwnContactSchema,
    OwnersKeysSchema,
    PublicationSchema,
)
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "organisations",
    __name__,
    url_prefix="/api/v1",
    description="The organisations that take part in the exchange.",
)


@blueprint.get("/organisations")
@audited("organisation.list", any_scope=True)
@blueprint.response(200, DirectorySchema)
def list_organisations() -> dict[str, Any]:
    """List the active organisations.

    Any signed-in person and any API token may read the directory: code, name, sector and country.
    """
    return {"organisations": service.list_active(transaction(), caller())}


@blueprint.get("/organisations/keys")
@audited("key.list", any_scope=True)
@blueprint.response(200, KeyDirectorySchema)
def list_keys() -> dict[str, Any]:
    """List the published keys of all members

    Public keys, each signed by its organisation and by the key before it. Compare them with those
    that you pinned; trust the first only after comparing its fingerprint by telephone.
    """
    return {"organisations": keys.list_keys(transaction(), caller())}


@blueprint.get("/organisations/<string:code>/keys")
@audited("key.list", any_scope=True)
@blueprint.response(200, OwnersKeysSchema)
def read_keys(code: str) -> keys.OrganisationKeys:
    """Read the published keys of one member"""
    return keys.read_keys(transaction(), caller(), code)


@blueprint.post("/organisations/own/keys")
@audited("key.publish", roles=[Role.ADMINISTRATOR], scope=Scope.KEYS_WRITE)
@blueprint.arguments(KeysOfferedSchema)
@blueprint.response(200, PublicationSchema)
def publish_keys(asked: dict[str, Any]) -> keys.Publication:
    """Publish your organisation's keys

    The whole chain of entries, or those that are new. What is published is never changed or taken
    back: entries that contradict it, and a chain that is shorter than it, are refused. Every
    active member reads each publication in its log.
    """
    return keys.publish(transaction(), caller(), asked["entries"])


@blueprint.post("/organisations/<string:code>/keys/alarm")
@audited("key.alarm", any_scope=True)
@blueprint.arguments(KeyAlarmReportSchema)
@blueprint.response(201, KeyAlarmSchema)
@blueprint.alt_response(200, schema=KeyAlarmSchema, description="The same alarm is open already.")
def report_swap(asked: dict[str, Any], code: str) -> tuple[key_alarms.Alarm, int]:
    """Report that other keys of a member were offered than pinned

    Compliance officers and administrators of both organisations are notified, and those of the
    platform's operator. `postern keys check` does it by itself.
    """
    alarm, is_new = key_alarms.report_swap(transaction(), caller(), code, **asked)
    return alarm, 201 if is_new else 200


@blueprint.get("/organisations/own/contact")
@audited("contact.read", any_scope=True)
@blueprint.response(200, OwnContactSchema)
def read_contact() -> contacts.OwnContact:
    """Read your organisation's contact desk"""
    return contacts.read_own(transaction(), caller())


@blueprint.put("/organisations/own/contact")
@audited("contact.change", roles=[Role.ADMINISTRATOR], scope=Scope.KEYS_WRITE)
@blueprint.arguments(ContactSchema)
@blueprint.response(200, OwnContactSchema)
def change_contact(asked: dict[str, Any]) -> contacts.OwnContact:
    """Enter your organisation's contact desk

    The desk through which other members talk to yours: a function and its mailbox. Do not enter
    the name, the mailbox or the number of a person; every member can read it.
    """
    return contacts.change(transaction(), caller(), contacts.Contact(**asked))
