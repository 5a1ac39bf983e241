"""Emergency accounts and single sign-on in words: acts, sentences, notifications, refusals."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext
from app.web.told import Sentences, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def _opened(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return ngettext(
        "Alarm: the emergency account of %(name)s is in use, for %(num)s minute. Look at once.",
        "Alarm: the emergency account of %(name)s is in use, for %(num)s minutes. Look at once.",
        int(facts.get("minutes", 0)),
        name=names.get(code, code),
    )


def _looked(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext(
        "Who has read what was done with the emergency account of %(name)s: %(seen)s of 2.",
        name=names.get(code, code),
        seen=facts.get("people", 0),
    )


def _sealed(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext("The emergency account of %(name)s was sealed anew.", name=names.get(code, code))


def _sign_on(facts: Facts, _names: Names) -> str:
    return str(_SIGN_ON.get(str(facts.get("change", "")), _SIGN_ON["proposed"]))


_SIGN_ON: Mapping[str, LazyString] = {
    "proposed": _(
        "A sign-in service was proposed for your organisation and waits to be confirmed."
    ),
    "confirmed": _("A second person confirmed the sign-in service of your organisation."),
    "refused": _("A second person refused a sign-in service for your organisation."),
    "ended": _("The sign-in service of your organisation was ended."),
}


ENTRY_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "break-glass.looked": _looked,
    "break-glass.opened": _opened,
    "break-glass.sealed": _sealed,
    "sign-on.change": _sign_on,
}

ENTRY_ACTS: Mapping[str, LazyString] = {
    "break-glass.end": _("Emergency account ended"),
    "break-glass.look": _("Use of an emergency account looked at"),
    "break-glass.open": _("Emergency account used"),
    "break-glass.read": _("State of an emergency account read"),
    "break-glass.refuse": _("Secret of an emergency account refused"),
    "break-glass.seal": _("Emergency account sealed"),
    "sign-on.decide": _("Proposed sign-in service decided on"),
    "sign-on.end": _("Sign-in service ended"),
    "sign-on.link": _("Account linked for single sign-on"),
    "sign-on.propose": _("Sign-in service proposed"),
    "sign-on.read": _("Settings of single sign-on read"),
    "sign-on.told": _("Sign-out told by a sign-in service"),
    "sign-on.unlink": _("Link for single sign-on undone"),
}

ENTRY_SENTENCES: Sentences = {
    "break-glass.end": fixed(_("%(who)s ended an emergency account")),
    "break-glass.look": fixed(_("%(who)s said that they read what an emergency account did")),
    "break-glass.open": fixed(_("An emergency account was entered with its sealed secret")),
    "break-glass.read": fixed(_("%(who)s read how an emergency account stands")),
    "break-glass.refuse": fixed(_("A secret of an emergency account was refused")),
    "break-glass.seal": fixed(_("%(who)s sealed an emergency account with a new secret")),
    "factor.add": fixed(_("%(who)s added a second factor")),
    "factor.recovery": fixed(_("%(who)s got new recovery codes")),
    "factor.remove": fixed(_("%(who)s removed a second factor")),
    "factor.rename": fixed(_("%(who)s renamed a second factor")),
    "factor.reset": fixed(_("%(who)s took part in removing the second factors of a person")),
    "session.await": fixed(_("%(who)s gave a right password and was asked for a second factor")),
    "session.prove": fixed(_("%(who)s was asked to prove again that it is them")),
    "sign-on.decide": fixed(_("%(who)s decided on a proposed sign-in service")),
    "sign-on.end": fixed(_("%(who)s ended the sign-in service of the organisation")),
    "sign-on.link": fixed(_("%(who)s linked their account for single sign-on")),
    "sign-on.propose": fixed(_("%(who)s proposed a sign-in service for the organisation")),
    "sign-on.read": fixed(_("%(who)s read the settings of single sign-on")),
    "sign-on.told": fixed(_("A sign-in service said that somebody signed out there")),
    "sign-on.unlink": fixed(_("%(who)s undid the link for single sign-on")),
}

ENTRY_PROBLEMS: tuple[LazyString, ...] = (
    _("The account is for emergencies: it has no password, no token and no other role"),
    _("It is made, sealed and ended with: flask --app wsgi break-glass"),
    _("The emergency account is sealed: there is nothing to end or to look at"),
    _("It waits for an emergency; nothing needs to be done."),
    _("The emergency account is open"),
    _("Wait until it ends, or end it; then two people look at what was done."),
    _("The second person must be another one, and one of the two a compliance officer"),
    _("Ask a colleague to look at what was done."),
    _("You proposed this provider, so somebody else must decide"),
    _("Ask another administrator or a compliance officer of your organisation."),
    _("This account of the provider is linked to somebody else"),
    _("Sign out at the provider, sign in there as yourself and try again."),
    _("No provider waits for a decision"),
    _("Look at the page again: somebody decided already."),
    _("Write the issuer without ? and #, as the provider names itself."),
    _("Write the client id, in one line."),
    _("Write the client secret, in one line."),
    _("Name the claim in which the provider tells groups or roles."),
    _("Write 1 to 50 lines such as: customs-analysts = analyst, submitter"),
    _("Write words."),
    _("No provider of sign-in is in force for this organisation"),
    _("List them with: flask --app wsgi sso show"),
    _("This account is not linked with a provider of sign-in"),
    _("List the linked ones with: flask --app wsgi sso show --organisation CODE"),
)
