"""The page of the members' keys: one's own, those of others, alarms about them and the desks."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import InvalidRequestError
from app.organisations import contacts, key_alarms, keys
from app.organisations.contacts import Contact
from app.organisations.directory_pages import blueprint as directory_blueprint
from app.organisations.key_alarms import Alarm
from app.organisations.keys import Published
from app.organisations.schemas import ContactSchema
from app.organisations.service import Member, directory
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("organisation_pages", __name__)
blueprint.register_blueprint(directory_blueprint)

_NOTICES = frozenset({"contact", "closed"})
_FIELDS = ("desk", "mail", "phone", "hours")
_FORM = ContactSchema()


@dataclass(frozen=True)
class MemberKeys:
    """One member as the page shows it; `published` from the newest entry to the first."""

    member: Member
    published: tuple[Published, ...]
    alarms: int
    desk: Contact | None

    @property
    def newest(self) -> Published | None:
        """The entry that covers all others."""
        return self.published[0] if self.published else None


@blueprint.get("/keys")
@audited("key.list")
def show() -> str:
    """Show the keys of all members, the alarms that concern one's own, and the contact desks."""
    return _page()


@blueprint.post("/keys/contact")
@audited("contact.change", roles=[Role.ADMINISTRATOR])
def change_contact() -> Response | tuple[str, int]:
    """Enter the desk through which other members reach one's own."""
    typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
    try:
        wanted = _FORM.load(typed)
    except ValidationError as error:
        append(
            transaction(),
            caller(),
            "contact.change",
            outcome=Outcome.ERROR,
            details={"refusal": InvalidRequestError.code},
        )
        return _page(typed, error.messages_dict), InvalidRequestError.status
    contacts.change(transaction(), caller(), Contact(**wanted))
    return redirect(url_for(".show", done="contact"), 303)


@blueprint.post("/keys/alarms/<uuid:alarm_id>/close")
@audited("key.close-alarm", roles=[Role.COMPLIANCE])
def close_alarm(alarm_id: UUID) -> Response:
    """Close an alarm that one's own organisation raised."""
    key_alarms.close(transaction(), caller(), alarm_id)
    return redirect(url_for(".show", done="closed"), 303)


def _page(
    typed: Mapping[str, str] | None = None, wrong: Mapping[str, list[str]] | None = None
) -> str:
    session = transaction()
    members = _members()
    alarms = key_alarms.list_alarms(session, caller())
    own = next(each for each in members if each.member.code == caller().organisation)
    done = request.args.get("done", "")
    return render_template(
        "organisations/keys.html",
        own=own,
        others=[each for each in members if each is not own],
        open_alarms=[each for each in alarms if each.closed_at is None],
        closed_alarms=[each for each in alarms if each.closed_at is not None],
        names={member.code: member.name for member in directory(session).values()},
        may_close=_may_close,
        is_administrator=Role.ADMINISTRATOR in caller().roles,
        typed=_typed(own.desk) if typed is None else typed,
        wrong=wrong or {},
        notice=done if done in _NOTICES else "",
        origin=runtime().settings.platform.origin,
    )


def _members() -> list[MemberKeys]:
    """Every member with keys, and every active one: alarms first, then keys, then by name."""
    session = transaction()
    by_code = {member.code: (key, member) for key, member in directory(session).items()}
    desks = contacts.contacts(session)
    found = []
    for each in keys.list_keys(session, caller()):
        organisation_id, member = by_code[each.organisation]
        newest_first = tuple(reversed(each.published))
        found.append(MemberKeys(member, newest_first, each.alarms, desks.get(organisation_id)))
    return sorted(
        found,
        key=lambda each: (
            not each.alarms,
            not each.published,
            each.member.name.casefold(),
            each.member.code,
        ),
    )


def _typed(desk: Contact | None) -> Mapping[str, str]:
    return {name: getattr(desk, name) if desk else "" for name in _FIELDS}


def _may_close(alarm: Alarm) -> bool:
    return alarm.may_close and Role.COMPLIANCE in caller().roles
