"""Entries on amendments, legal holds and subject requests in words."""

from flask_babel import lazy_gettext as _

from app.web.languages import gettext, ngettext, words
from app.web.told import Sentences, Told, fixed


def _amendment(told: Told) -> str:
    changes = told.details.get("changes")
    if not isinstance(changes, dict):
        return gettext("%(who)s amended an indicator or a report", who=told.who)
    if not changes:
        return gettext("%(who)s amended nothing: everything stood so already", who=told.who)
    if told.record.get("obj") == "report":
        return ngettext(
            "%(who)s amended %(num)s field of a report",
            "%(who)s amended %(num)s fields of a report",
            len(changes),
            who=told.who,
        )
    return ngettext(
        "%(who)s amended %(num)s field of an indicator",
        "%(who)s amended %(num)s fields of an indicator",
        len(changes),
        who=told.who,
    )


def _withdrawal(told: Told) -> str:
    if told.details.get("restricted"):
        return ngettext(
            "%(who)s withdrew a report; a legal hold keeps %(num)s indicator of it",
            "%(who)s withdrew a report; a legal hold keeps %(num)s indicators of it",
            told.count,
            who=told.who,
        )
    return ngettext(
        "%(who)s withdrew a report; %(num)s indicator was erased",
        "%(who)s withdrew a report; %(num)s indicators were erased",
        told.count,
        who=told.who,
    )


def _restriction(told: Told) -> str:
    return ngettext(
        "%(num)s expired indicator was restricted: a legal hold keeps it",
        "%(num)s expired indicators were restricted: a legal hold keeps them",
        told.count,
    )


def _erasure(told: Told) -> str:
    return ngettext(
        "%(num)s indicator was erased: no legal hold keeps it any more",
        "%(num)s indicators were erased: no legal hold keeps them any more",
        told.count,
    )


def _placing(told: Told) -> str:
    reason, until = told.details.get("reason"), told.details.get("until")
    if not reason or not until:
        return gettext("%(who)s placed a legal hold on a report", who=told.who)
    return gettext(
        "%(who)s placed a legal hold on a report until %(day)s (%(reason)s)",
        who=told.who,
        day=until,
        reason=words(str(reason), "HoldReason"),
    )


def _opening(told: Told) -> str:
    right = told.details.get("right")
    if not right:
        return gettext("%(who)s opened a subject request", who=told.who)
    return gettext(
        "%(who)s opened a subject request (%(right)s)",
        who=told.who,
        right=words(str(right), "SubjectRight"),
    )


def _search(told: Told) -> str:
    return ngettext(
        "%(who)s searched the organisation's holdings for a subject request; %(num)s was found",
        "%(who)s searched the organisation's holdings for a subject request; %(num)s were found",
        told.count,
        who=told.who,
    )


def _closing(told: Told) -> str:
    state = told.details.get("state")
    if not state:
        return gettext("%(who)s closed a subject request", who=told.who)
    return gettext(
        "%(who)s closed a subject request (%(state)s)",
        who=told.who,
        state=words(str(state), "SubjectRequestState"),
    )


def _request_expiry(told: Told) -> str:
    return ngettext(
        "%(num)s closed subject request was erased at the end of its retention",
        "%(num)s closed subject requests were erased at the end of their retention",
        told.count,
    )


ENDING_SENTENCES: Sentences = {
    "hold.list": fixed(_("%(who)s listed the legal holds")),
    "hold.place": _placing,
    "hold.release": fixed(_("%(who)s released a legal hold")),
    "indicator.amend": _amendment,
    "indicator.erase": _erasure,
    "indicator.restrict": _restriction,
    "report.amend": _amendment,
    "report.withdraw": _withdrawal,
    "subject.close": _closing,
    "subject.expire": _request_expiry,
    "subject.list": fixed(_("%(who)s listed the subject requests")),
    "subject.open": _opening,
    "subject.read": fixed(_("%(who)s read a subject request")),
    "subject.search": _search,
}
