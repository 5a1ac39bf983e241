"""The ledger, recalls and outcomes in words: entries of the log and notifications."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from app.web.languages import gettext, ngettext, words
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def _name(of: Mapping[str, Any], key: str, names: Names) -> str:
    code = str(of.get(key, ""))
    return names.get(code, code) or gettext("Another organisation")


def _why(of: Mapping[str, Any], kind: str = "kind") -> str:
    """' (withdrawal: wrong data)', as far as the words are left."""
    said = (
        words(str(of.get(kind, "")), "RecallKind"),
        words(str(of.get("reason", "")), "RecallReason"),
    )
    told = ": ".join(each for each in said if each)
    return f" ({told})" if told else ""


def _ledger(told: Told) -> str:
    return ngettext(
        "%(who)s read who got what of %(num)s own indicator",
        "%(who)s read who got what of %(num)s own indicators",
        told.count,
        who=told.who,
    )


def _ledger_export(told: Told) -> str:
    return ngettext(
        "%(who)s took away as a file who got what of %(num)s own indicator",
        "%(who)s took away as a file who got what of %(num)s own indicators",
        told.count,
        who=told.who,
    )


def _ledger_expiry(told: Told) -> str:
    return ngettext(
        "Who got what of %(num)s ended indicator was erased at the end of its retention",
        "Who got what of %(num)s ended indicators was erased at the end of its retention",
        told.count,
    )


def _make(told: Told) -> str:
    done = ngettext(
        "%(num)s indicator of which others got something was called back or corrected",
        "%(num)s indicators of which others got something were called back or corrected",
        told.count,
    )
    return done + _why(told.details)


def _receive(told: Told) -> str:
    done = ngettext(
        "%(owner)s called back or corrected %(num)s indicator of which you got something",
        "%(owner)s called back or corrected %(num)s indicators of which you got something",
        told.count,
        owner=_name(told.details, "owner", told.names),
    )
    return done + _why(told.details)


def _answer(told: Told) -> str:
    return gettext("%(who)s answered a recall", who=told.who) + _done(told.details)


def _answered(told: Told) -> str:
    recipient = _name(told.details, "recipient", told.names)
    return gettext("%(who)s answered your recall", who=recipient) + _done(told.details)


def _done(details: Mapping[str, Any]) -> str:
    """' (completed: erased)', as far as the words are left."""
    state = words(str(details.get("state", "")), "AcknowledgementState")
    done = words(str(details.get("done", "")), "Rectification")
    told = ": ".join(each for each in (state, done) if each)
    return f" ({told})" if told else ""


def _recalls(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s recall",
        "%(who)s listed %(num)s recalls",
        told.count,
        who=told.who,
    )


def _reminder(told: Told) -> str:
    return ngettext(
        "A reminder was sent of %(num)s recall that waits for an answer",
        "A reminder was sent of %(num)s recalls that wait for an answer",
        told.count,
    )


def _escalation(told: Told) -> str:
    return ngettext(
        "%(num)s answer to a recall is overdue; the compliance officers were told",
        "%(num)s answers to recalls are overdue; the compliance officers were told",
        told.count,
    )


def _tell(told: Told) -> str:
    return gettext("%(who)s told what became of an indicator", who=told.who) + _result(told.details)


def _told_owner(told: Told) -> str:
    teller = _name(told.details, "teller", told.names)
    done = gettext("%(who)s told what became of your indicator", who=teller)
    return done + _result(told.details)


def _result(details: Mapping[str, Any]) -> str:
    result = words(str(details.get("result", "")), "OutcomeResult")
    return f" ({result})" if result else ""


def _outcomes(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s outcome",
        "%(who)s listed %(num)s outcomes",
        told.count,
        who=told.who,
    )


def _outcome_expiry(told: Told) -> str:
    return ngettext(
        "%(num)s outcome was erased at the end of its retention",
        "%(num)s outcomes were erased at the end of their retention",
        told.count,
    )


RECALL_SENTENCES: Sentences = {
    "ledger.expire": _ledger_expiry,
    "ledger.export": _ledger_export,
    "ledger.read": _ledger,
    "outcome.count": fixed(_("%(who)s read how reliable indicators turned out")),
    "outcome.expire": _outcome_expiry,
    "outcome.list": _outcomes,
    "outcome.tell": _tell,
    "outcome.told": _told_owner,
    "recall.answer": _answer,
    "recall.answered": _answered,
    "recall.escalate": _escalation,
    "recall.list": _recalls,
    "recall.make": _make,
    "recall.read": fixed(_("%(who)s read a recall of the organisation")),
    "recall.receive": _receive,
    "recall.remind": _reminder,
}


def _received(facts: Facts, names: Names) -> str:
    owner = _name(facts, "owner", names)
    reason = words(str(facts.get("reason", "")), "RecallReason")
    if facts.get("recall") == "correction":
        return gettext(
            "%(owner)s corrected something that you got (%(reason)s). Correct it in all your"
            " systems and say so.",
            owner=owner,
            reason=reason,
        )
    return gettext(
        "%(owner)s calls back something that you got (%(reason)s). Erase it in all your systems"
        " and say so.",
        owner=owner,
        reason=reason,
    )


def _reminded(facts: Facts, _names: Names) -> str:
    return ngettext(
        "%(num)s recall waits for your answer; half of its time is over.",
        "%(num)s recalls wait for your answer; half of their time is over.",
        int(facts.get("count", 0)),
    )


def _overdue(facts: Facts, _names: Names) -> str:
    return ngettext(
        "Your organisation has not completed %(num)s recall in time.",
        "Your organisation has not completed %(num)s recalls in time.",
        int(facts.get("count", 0)),
    )


def _unanswered(facts: Facts, _names: Names) -> str:
    return ngettext(
        "%(num)s recipient has not completed a recall of yours in time.",
        "%(num)s recipients have not completed recalls of yours in time.",
        int(facts.get("count", 0)),
    )


def _completed(facts: Facts, _names: Names) -> str:
    return gettext(
        "Every recipient has completed a recall of yours%(why)s.", why=_why(facts, "recall")
    )


def _outcome(facts: Facts, names: Names) -> str:
    result = words(str(facts.get("result", "")), "OutcomeResult")
    substance = words(str(facts.get("substance", "")), "Substance")
    return gettext(
        "%(teller)s told what became of your report: %(result)s.",
        teller=_name(facts, "organisation", names),
        result=f"{result} ({substance})" if substance else result,
    )


RECALL_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "outcome.told": _outcome,
    "recall.completed": _completed,
    "recall.overdue": _overdue,
    "recall.received": _received,
    "recall.reminder": _reminded,
    "recall.unanswered": _unanswered,
}

REFUSALS = (
    _("Your organisation has completed this recall already"),
    _("Read it: it tells what was done and when. Tell its owner if that was wrong."),
    _("Choose what was done; what was withdrawn cannot be corrected."),
    _("An item that was examined was located: say yes."),
    _("An item that was held was located: say yes."),
    _("What was found was found by examining it: say yes."),
    _("Name a substance only where something was found."),
    _("Say of which substance the quantity is."),
    _("Say in which unit the quantity is."),
    _("Say how much of the unit it is, or leave the unit out."),
    _("Write a quantity above 0 and below 100,000,000,000."),
    _("Write a quantity as a number with at most 3 decimals."),
    _("Write the reference of the case, of 1 to 128 characters."),
    _("Choose one of the list."),
    _("Your organisation was not given this indicator, and it is none of its own."),
    _("No organisation has this code: see GET /api/v1/organisations."),
)
"""What the pages say to a form that is refused, for the catalogues."""
