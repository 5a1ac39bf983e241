"""People, quotas and the platform's state in words: entries of the log, notifications, refusals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.entry_words import ENTRY_NOTICES, ENTRY_SENTENCES
from app.web.languages import gettext, words
from app.web.told import Sentences, Told, fixed


def _roles(told: Told) -> str:
    done = gettext("%(who)s changed the roles of a person", who=told.who)
    clauses = _role_clauses(told.details)
    return f"{done} ({clauses})" if clauses else done


def _proposed(told: Told) -> str:
    done = gettext("%(who)s proposed a role for a person", who=told.who)
    return _with_roles(done, told)


def _decided(told: Told) -> str:
    pattern = _DECISIONS.get(str(told.details.get("step", "")), _SOME_DECISION)
    return _with_roles(str(pattern) % {"who": told.who}, told)


_SOME_DECISION = _("%(who)s decided on a proposed role")

_DECISIONS: Mapping[str, LazyString] = {
    "confirmed": _("%(who)s confirmed a proposed role"),
    "refused": _("%(who)s refused a proposed role"),
    "lapsed": _("A proposed role lapsed: nobody decided in time"),
}


def _status(told: Told) -> str:
    pattern = _STATES.get(str(told.details.get("status", "")), _SOME_STATE)
    return str(pattern) % {"who": told.who}


_SOME_STATE = _("%(who)s changed the state of an account")

_STATES: Mapping[str, LazyString] = {
    "active": _("%(who)s enabled an account again"),
    "closed": _("%(who)s closed an account"),
    "disabled": _("%(who)s disabled an account"),
    "unlocked": _("%(who)s unlocked an account"),
}


def _with_roles(done: str, told: Told) -> str:
    roles = _named(told.details.get("roles"))
    return f"{done} ({roles})" if roles else done


def _role_clauses(facts: Mapping[str, Any]) -> str:
    """'granted: Analyst; withdrawn: Submitter', as far as there is something of each."""
    told = {
        gettext("granted"): _named(facts.get("granted")),
        gettext("withdrawn"): _named(facts.get("withdrawn")),
        gettext("proposed"): _named(facts.get("proposed")),
    }
    return "; ".join(f"{what}: {roles}" for what, roles in told.items() if roles)


def _named(roles: object) -> str:
    if not isinstance(roles, Sequence) or isinstance(roles, str):
        return ""
    return ", ".join(words(str(role), "Role") for role in roles)


def _account_notice(facts: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    told = str(_CHANGES.get(str(facts.get("change", "")), _SOME_CHANGE))
    clauses = _role_clauses(facts)
    return f"{told} ({clauses})" if clauses else told


_SOME_CHANGE = _("An administrator changed an account of your organisation.")

_CHANGES: Mapping[str, LazyString] = {
    "closed": _("An administrator closed an account of your organisation."),
    "confirmed": _("A compliance officer confirmed a proposed role."),
    "created": _("An administrator gave a person of your organisation an account."),
    "disabled": _("An administrator disabled an account of your organisation."),
    "enabled": _("An administrator enabled an account of your organisation again."),
    "factor.add": _("A person of your organisation added a second factor to their sign-in."),
    "factor.remove": _("A person of your organisation removed a second factor of their sign-in."),
    "factor.reset-proposed": _(
        "An administrator proposed to remove the second factors of a person; an officer decides."
    ),
    "factor.reset-refused": _("The removal of second factors of a person was refused."),
    "factor.reset": _("Two people removed the second factors of a person of your organisation."),
    "link": _("An administrator made a one-time link for a person of your organisation."),
    "link-used": _("A person of your organisation chose a password by a one-time link."),
    "password": _("An administrator replaced the password of a person of your organisation."),
    "refused": _("A compliance officer refused a proposed role."),
    "roles": _("An administrator changed the roles of a person of your organisation."),
}

ACCOUNT_SENTENCES: Sentences = {
    **ENTRY_SENTENCES,
    "account.create": fixed(_("%(who)s gave a person an account")),
    "account.decide": _decided,
    "account.language": fixed(_("%(who)s chose a language for the pages")),
    "account.link": fixed(_("%(who)s made a one-time link for a person to choose a password")),
    "account.link-used": fixed(_("A person chose a password by a one-time link")),
    "account.list": fixed(_("%(who)s listed the accounts")),
    "account.password": fixed(_("%(who)s changed a password")),
    "account.propose": _proposed,
    "account.read": fixed(_("%(who)s read the account of a person")),
    "account.role": _roles,
    "account.status": _status,
    "platform.epochs": fixed(_("%(who)s read which evaluation keys are in use")),
    "platform.health": fixed(_("%(who)s read how the platform is")),
    "platform.restore": fixed(_("The platform was restored from a backup")),
    "platform.size": fixed(_("%(who)s read how large the platform is")),
    "quota.read": fixed(_("%(who)s read what is left of the organisation's quotas")),
}


def _token_ending(facts: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return gettext(
        "An API token ends on %(day)s; the program that uses it stops working then.",
        day=facts.get("until", ""),
    )


def _own_account(facts: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    told = str(_OWN_CHANGES.get(str(facts.get("change", "")), _SOME_OWN_CHANGE))
    return f"{told} {_BY_OTHERS}" if facts.get("by_others") else told


_SOME_OWN_CHANGE = _("Something about how you sign in was changed.")

_BY_OTHERS = _("Somebody else did it: if you know nothing of it, tell your compliance officer.")

_OWN_CHANGES: Mapping[str, LazyString] = {
    "factor.add": _("A second factor was added to your sign-in."),
    "factor.recovery": _("Your recovery codes were made anew."),
    "factor.remove": _("A second factor was removed from your sign-in."),
    "factor.reset": _("Your second factors were removed."),
    "factor.reset-proposed": _("It was proposed to remove your second factors."),
    "factor.reset-refused": _("The removal of your second factors was refused."),
    "link": _("A one-time link was made with which a password of yours can be chosen."),
    "link-used": _(
        "A password of yours was chosen by a one-time link, and your sessions have ended. If that"
        " was not you, tell your compliance officer at once."
    ),
    "password": _("Your password was changed."),
    "sign-on.ended": _("Your link with the sign-in service of your organisation ended."),
    "sign-on.link": _("Your account was linked with one at the sign-in service."),
    "sign-on.unlink": _("The link of your account with the sign-in service was undone."),
    "token.create": _("An API token of yours was made."),
    "token.revoke": _("An API token of yours was revoked."),
    "token.rotate": _("An API token of yours got a new secret."),
}

ACCOUNT_NOTICES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    **ENTRY_NOTICES,
    "account.change": _account_notice,
    "account.own": _own_account,
    "token.ending": _token_ending,
}

ACCOUNT_PROBLEMS: tuple[LazyString, ...] = (
    _("An account already has this sign-in name"),
    _("Choose another sign-in name; that of a closed account is not given again."),
    _("The account is closed"),
    _("Create a new account under another sign-in name."),
    _("A sign-in name looks like name@example.org, in ASCII letters."),
    _("A name has 1 to 200 printable characters."),
    _("Correct it and try again."),
    _("Nobody changes the roles, the state or the password of their own account here"),
    _("Ask another administrator of your organisation, or that of the platform."),
    _("Nobody else of your organisation holds a role that somebody must hold"),
    _("Give the role to another person first, then repeat the step."),
    _("Somebody has changed the roles of this person since you read them"),
    _("Look at the present roles and choose again."),
    _("The role is not proposed any more"),
    _("Somebody decided already, or it lapsed; an administrator may propose it again."),
    _("You proposed this role or would hold it, so somebody else must decide"),
    _("Ask another compliance officer of your organisation."),
    _("The new password is the present one"),
    _("You signed in with a password that is good for choosing another only"),
    _("Open your account page and choose a password of your own."),
    _("There is no dead job with this number"),
)
"""What refusals say, in English where they are raised, and found here for the catalogues."""
