"""Entries on keys, contact desks and sealed parts in words."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext
from app.web.told import Sentences, Told, fixed


def _sealed_parts(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s sealed part of a report",
        "%(who)s listed %(num)s sealed parts of a report",
        told.count,
        who=told.who,
    )


def _keys_published(told: Told) -> str:
    number, fingerprint = told.details.get("number"), told.details.get("fingerprint")
    if number is None or fingerprint is None:
        return gettext("%(who)s published the organisation's keys", who=told.who)
    return gettext(
        "%(who)s published entry %(number)s of the organisation's keys, %(fingerprint)s",
        who=told.who,
        number=number,
        fingerprint=fingerprint,
    )


def _key_alarm(told: Told) -> str:
    return gettext(
        "%(who)s reported that other keys of %(about)s were offered than those pinned",
        who=told.who,
        about=_about(told),
    )


def _key_alarm_closed(told: Told) -> str:
    return gettext(
        "%(who)s closed an alarm about the keys of %(about)s", who=told.who, about=_about(told)
    )


def _about(told: Told) -> str:
    code = str(told.details.get("about", ""))
    return told.names.get(code, code) or gettext("a member")


KEY_SENTENCES: Sentences = {
    "contact.change": fixed(
        _("%(who)s entered the desk through which others reach the organisation")
    ),
    "contact.read": fixed(_("%(who)s read the organisation's contact desk")),
    "envelope.attach": fixed(_("%(who)s attached a sealed file to a report")),
    "envelope.list": _sealed_parts,
    "envelope.read": fixed(_("%(who)s fetched a sealed part of a report")),
    "holder.admit": fixed(_("%(who)s admitted an organisation's signing key at a key holder")),
    "holder.evaluate": fixed(_("A key holder evaluated with its share, as %(who)s had signed")),
    "holder.install": fixed(_("%(who)s installed shares of evaluation keys at a key holder")),
    "key.alarm": _key_alarm,
    "key.close-alarm": _key_alarm_closed,
    "key.list": fixed(_("%(who)s read the published keys of members")),
    "key.publish": _keys_published,
}

CONTACT_REFUSALS: tuple[LazyString, ...] = (
    _("Write what the desk is called, in 1 to 120 characters."),
    _("Write a mail address, or leave it out."),
    _("Write digits, spaces and + ( ) . / - only, or leave it out."),
    _("Write up to 120 characters."),
    _("Write a mailbox or a telephone number."),
)
"""What the form of the contact desk says when it refuses; a test holds them to the form."""
