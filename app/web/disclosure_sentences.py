"""Disclosure requests in words: entries of the log and notifications."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext, words
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def _name(of: Mapping[str, Any], key: str, names: Names) -> str:
    code = str(of.get(key, ""))
    return names.get(code, code)


def _list(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s disclosure request",
        "%(who)s listed %(num)s disclosure requests",
        told.count,
        who=told.who,
    )


def _ask(told: Told) -> str:
    done = gettext(
        "%(who)s asked %(owner)s for the clear text of an indicator",
        who=told.who,
        owner=_name(told.details, "owner", told.names) or gettext("another organisation"),
    )
    urgency = told.details.get("urgency")
    return f"{done} ({words(urgency, 'Urgency')})" if isinstance(urgency, str) else done


def _decision(told: Told) -> str:
    answer, reason = told.details.get("answer"), told.details.get("reason")
    if told.details.get("state") == "proposed":
        done = gettext("%(who)s proposed to a second person what to release", who=told.who)
    else:
        done = gettext("%(who)s decided on a disclosure request", who=told.who)
    if not isinstance(answer, str) or not isinstance(reason, str):
        return done
    return f"{done} ({words(answer, 'Answer')}: {words(reason, 'DecisionReason')})"


def _release(told: Told) -> str:
    done = gettext(
        "%(who)s released sealed parts of an indicator to %(requester)s",
        who=told.who,
        requester=_name(told.details, "requester", told.names) or gettext("another organisation"),
    )
    parts = told.details.get("parts")
    named = ", ".join(words(str(part), "SealedPart") for part in parts) if parts else ""
    done = f"{done} ({named})" if named else done
    if told.details.get("break_glass"):
        return gettext("%(done)s, as one person, since a life is at risk", done=done)
    return done


def _judgement(told: Told) -> str:
    if told.details.get("agrees") is False:
        return gettext("%(who)s did not agree, as the second person, to a release", who=told.who)
    return gettext("%(who)s agreed, as the second person, to a release", who=told.who)


def _receipt(told: Told) -> str:
    done = gettext("%(who)s proved that a delivery was opened", who=told.who)
    check = told.details.get("check")
    return f"{done} ({words(check, 'TokenCheck')})" if isinstance(check, str) else done


def _forget(told: Told) -> str:
    return ngettext(
        "%(num)s record of a disclosure request was erased at the end of its retention",
        "%(num)s records of disclosure requests were erased at the end of their retention",
        told.count,
    )


DISCLOSURE_SENTENCES: Sentences = {
    "disclosure.answer": fixed(_("%(who)s answered a question about a disclosure request")),
    "disclosure.ask": _ask,
    "disclosure.confirm": _judgement,
    "disclosure.decide": _decision,
    "disclosure.end": fixed(_("A disclosure request ended with its indicator")),
    "disclosure.erase": fixed(_("What was given and written on a disclosure request was erased")),
    "disclosure.fetch": fixed(_("%(who)s fetched a sealed delivery")),
    "disclosure.forget": _forget,
    "disclosure.lapse": fixed(_("A disclosure request lapsed: nobody decided in time")),
    "disclosure.list": _list,
    "disclosure.open": fixed(_("%(who)s fetched a sealed part, to decide on a disclosure request")),
    "disclosure.overdue": fixed(_("The clock of a disclosure request ran out before a decision")),
    "disclosure.prepare": fixed(_("%(who)s opened the form to ask an owner for the clear text")),
    "disclosure.question": fixed(_("%(who)s asked back about a disclosure request")),
    "disclosure.read": fixed(_("%(who)s read a disclosure request")),
    "disclosure.receipt": _receipt,
    "disclosure.release": _release,
    "disclosure.review": _judgement,
    "disclosure.rules": fixed(_("%(who)s changed the rules of deciding on disclosure")),
    "disclosure.rules-read": fixed(_("%(who)s read the rules of deciding on disclosure")),
    "disclosure.withdraw": fixed(_("%(who)s withdrew a disclosure request")),
}


def _with_names(sentence: LazyString) -> Callable[[Facts, Names], str]:
    """A sentence that names organisations, and nothing else."""
    return lambda facts, names: (
        str(sentence)
        % {
            "organisation": _name(facts, "organisation", names),
            "owner": _name(facts, "owner", names),
        }
    )


def _asked(facts: Facts, names: Names) -> str:
    return gettext(
        "%(organisation)s asks for the clear text of an indicator (%(kind)s); urgency:"
        " %(urgency)s.",
        organisation=_name(facts, "organisation", names),
        kind=words(str(facts.get("kind", "")), "Kind"),
        urgency=words(str(facts.get("urgency", "")), "Urgency"),
    )


def _due(facts: Facts, names: Names) -> str:
    return gettext(
        "The request of %(organisation)s waits for a decision, and %(percent)s%% of the time is"
        " over.",
        organisation=_name(facts, "organisation", names),
        percent=facts.get("percent", 0),
    )


def _released(facts: Facts, names: Names) -> str:
    return gettext(
        "%(organisation)s released what you asked for (%(answer)s). Fetch it on your premises.",
        organisation=_name(facts, "organisation", names),
        answer=words(str(facts.get("answer", "")), "Answer"),
    )


def _refused(facts: Facts, names: Names) -> str:
    return gettext(
        "%(organisation)s gives nothing on your request: %(reason)s.",
        organisation=_name(facts, "organisation", names),
        reason=words(str(facts.get("reason", "")), "DecisionReason"),
    )


def _review(facts: Facts, names: Names) -> str:
    organisation = _name(facts, "organisation", names)
    if facts.get("overdue"):
        return gettext(
            "A release by break-glass to %(organisation)s was not looked at by a second person in"
            " time.",
            organisation=organisation,
        )
    return gettext(
        "A release by break-glass to %(organisation)s waits for a second person to look at it.",
        organisation=organisation,
    )


def _differs(facts: Facts, names: Names) -> str:
    return gettext(
        "A value that %(owner)s disclosed to %(organisation)s does not give the token by which it"
        " was found (indicator %(indicator)s). Check the record, and withdraw it if it is wrong.",
        owner=_name(facts, "owner", names),
        organisation=_name(facts, "organisation", names),
        indicator=facts.get("indicator", ""),
    )


def _rules(facts: Facts, _names: Names) -> str:
    return ngettext(
        "The rules of disclosure were changed: %(rule)s; a delivery lives %(num)s day.",
        "The rules of disclosure were changed: %(rule)s; a delivery lives %(num)s days.",
        int(facts.get("days", 0)),
        rule=words(str(facts.get("four_eyes", "")), "FourEyes"),
    )


DISCLOSURE_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "disclosure.answered": _with_names(
        _("%(organisation)s answered your question; the clock goes on.")
    ),
    "disclosure.asked": _asked,
    "disclosure.differs": _differs,
    "disclosure.due": _due,
    "disclosure.ended": _with_names(
        _("A request of %(organisation)s to %(owner)s ended with its indicator.")
    ),
    "disclosure.glass": _with_names(
        _(
            "Break-glass: %(owner)s released to %(organisation)s by the decision of one person,"
            " since a life is at risk. A second person looks at it within a day."
        )
    ),
    "disclosure.lapsed": _with_names(
        _(
            "A request of %(organisation)s to %(owner)s lapsed without a decision; nothing was"
            " given."
        )
    ),
    "disclosure.late": _with_names(
        _("%(organisation)s did not decide on your request in time; its officers were told.")
    ),
    "disclosure.life": _with_names(
        _(
            "Imminent threat to life: %(organisation)s asks %(owner)s for the clear text of an"
            " indicator. It waits for a decision now."
        )
    ),
    "disclosure.overdue": _with_names(
        _("The time is over: the request of %(organisation)s was not decided.")
    ),
    "disclosure.proposed": _with_names(
        _("A release to %(organisation)s is proposed and waits for a second person.")
    ),
    "disclosure.questioned": _with_names(
        _("%(organisation)s asks back about your request; its clock waits for your answer.")
    ),
    "disclosure.refused": _refused,
    "disclosure.rejected": _with_names(
        _("A proposed release to %(organisation)s was not agreed to; the request is open again.")
    ),
    "disclosure.released": _released,
    "disclosure.review": _review,
    "disclosure.revoked": _with_names(
        _(
            "A second person of %(owner)s did not agree with the release by break-glass to"
            " %(organisation)s; what was not fetched is erased. Use nothing of it."
        )
    ),
    "disclosure.rules": _rules,
    "disclosure.withdrawn": _with_names(_("%(organisation)s withdrew its disclosure request.")),
}
"""Every kind of notification that the room of disclosures writes of requests."""
