"""The reason of a signal in words, with the figures: what was seen, and what is usual."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import format_decimal, gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.compliance.models import Signal

Facts = Mapping[str, Any]

NAMES: Mapping[Signal, LazyString] = {
    Signal.BULK: _("Far more lookups than usual"),
    Signal.PROBING: _("Lookups that look like trying things out"),
    Signal.NO_CASE_ACTIVITY: _("Cases that appear once and never again"),
    Signal.UNUSUAL_HOURS: _("Lookups at unusual hours"),
    Signal.OWN_INTEREST: _("The same record again and again"),
    Signal.QUOTA: _("A quota nearly used up"),
    Signal.NOT_FOLLOWED_UP: _("Hits that nobody followed up"),
    Signal.REFUSALS: _("Many refusals"),
    Signal.SCREENING: _("Bulk evaluations that no screening explains"),
    Signal.UNUSED: _("Evaluations that nothing was done with"),
    Signal.WALKING: _("Many purposes or cases in turn"),
    Signal.NEIGHBOURS: _("Neighbouring values tried in turn"),
    Signal.STEADY: _("Just under a limit, again and again"),
}
"""What each signal is called."""


def reason(signal: Signal, facts: Facts) -> str:
    """One or two sentences in the present language: what was seen and what is usual."""
    return " ".join(str(sentence) for sentence in _REASONS[signal](facts))


def _bulk(facts: Facts) -> list[str]:
    told = [
        gettext(
            "%(identifiers)s identifiers in %(lookups)s lookups on one day.",
            identifiers=_number(facts["identifiers"]),
            lookups=_number(facts["lookups"]),
        )
    ]
    if facts["usual"] is None:
        told.append(gettext("There are too few days of others to compare with."))
    else:
        told.append(
            gettext(
                "On half of the days others looked up at most %(usual)s.",
                usual=_number(facts["usual"]),
            )
        )
    if facts["usual_own"] is not None:
        told.append(
            gettext(
                "On half of this person's own days it was at most %(usual)s.",
                usual=_number(facts["usual_own"]),
            )
        )
    told.append(gettext("Told from more than %(limit)s on.", limit=_number(facts["limit"])))
    return told


def _probing(facts: Facts) -> list[str]:
    told = [
        gettext(
            "%(lookups)s lookups of %(identifiers)s identifiers in a row within %(minutes)s"
            " minutes, with %(hits)s hits.",
            lookups=_number(facts["lookups"]),
            identifiers=_number(facts["identifiers"]),
            minutes=_number(facts["minutes"]),
            hits=_number(facts["hits"]),
        )
    ]
    if facts["pattern"] == "regular":
        told.append(
            gettext("They are small and evenly spaced, as if a program tried one after another.")
        )
        if facts["usual_days"]:
            told.append(
                gettext(
                    "The same was seen on %(days)s of this person's earlier days.",
                    days=_number(facts["usual_days"]),
                )
            )
    else:
        told.append(
            gettext(
                "By the usual rate of your organisation about %(expected)s hits were to be"
                " expected.",
                expected=_number(facts["expected"]),
            )
        )
    return told


def _no_case_activity(facts: Facts) -> list[str]:
    told = [
        gettext(
            "%(lone)s of %(cases)s case references of this person stand in a single lookup: nobody"
            " used them again, and nothing followed.",
            lone=_number(facts["lone"]),
            cases=_number(facts["cases"]),
        )
    ]
    if facts["others_percent"] is not None:
        told.append(
            gettext("Of the cases of others it is %(percent)s %%.", percent=facts["others_percent"])
        )
    return told


def _unusual_hours(facts: Facts) -> list[str]:
    told = [
        gettext(
            "%(lookups)s lookups between %(begin)s and %(end)s UTC.",
            lookups=_number(facts["lookups"]),
            begin=facts["from"],
            end=facts["to"],
        )
    ]
    if facts["weekend"]:
        told.append(gettext("It was a weekend."))
    told.append(
        gettext(
            "This person did %(acts)s acts on %(days)s earlier days, and on %(here)s of these days"
            " anything near such hours.",
            acts=_number(facts["usual_acts"]),
            days=_number(facts["usual_days"]),
            here=_number(facts["usual_here"]),
        )
    )
    if facts["minutes_after_sign_in"] is not None:
        told.append(
            gettext(
                "The first came %(minutes)s minutes after a sign-in.",
                minutes=_number(facts["minutes_after_sign_in"]),
            )
        )
    return told


def _own_interest(facts: Facts) -> list[str]:
    return [
        gettext(
            "The same record was shown to this person in %(lookups)s lookups under %(cases)s"
            " different cases on %(days)s days.",
            lookups=_number(facts["lookups"]),
            cases=_number(facts["cases"]),
            days=_number(facts["days"]),
        ),
        gettext(
            "Others were shown it %(others)s times, though %(percent)s %% of all that is shown goes"
            " to them.",
            others=_number(facts["others"]),
            percent=100 - facts["share_percent"],
        ),
    ]


def _quota(facts: Facts) -> list[str]:
    spans = {
        "hour": _("Of an hour's evaluations"),
        "day": _("Of a day's evaluations"),
        "month": _("Of a month's evaluations"),
        "screening": _("Of the evaluations for screening that are agreed for a day"),
        "values-day": _("Of the different values that may be looked up in a day"),
        "values-month": _("Of the different values that may be looked up in a month"),
    }
    return [
        gettext(
            "%(span)s %(used)s of %(limit)s are used (%(percent)s %%).",
            span=spans[facts["window"]],
            used=_number(facts["used"]),
            limit=_number(facts["limit"]),
            percent=facts["percent"],
        )
    ]


def _not_followed_up(facts: Facts) -> list[str]:
    told = [
        gettext(
            "After %(open)s of %(hits)s lookups with a hit nothing happened here within 30 days,"
            " neither for the case nor with what was found.",
            open=_number(facts["open"]),
            hits=_number(facts["hits"]),
        )
    ]
    if facts["others_percent"] is not None:
        told.append(gettext("With others it is %(percent)s %%.", percent=facts["others_percent"]))
    return told


def _refusals(facts: Facts) -> list[str]:
    kinds = {
        "acts": _("%(refused)s acts were denied on one day: a role or scope was missing."),
        "sign-ins": _("%(refused)s sign-ins to this account were refused on one day."),
        "tokens": _("%(refused)s presented API tokens were refused on one day."),
    }
    return [
        str(kinds[facts["what"]]) % {"refused": _number(facts["refused"])},
        gettext("Told from %(limit)s on.", limit=_number(facts["limit"])),
    ]


def _screening(facts: Facts) -> list[str]:
    if facts["what"] == "no-list":
        return [
            gettext(
                "%(evaluations)s values were evaluated in bulk on one day, though in the seven days"
                " before nobody here fetched a screening filter for that purpose: there was nothing"
                " to compare them with.",
                evaluations=_number(facts["evaluations"]),
            ),
            gettext("Told from %(limit)s on.", limit=_number(facts["limit"])),
        ]
    return [
        gettext(
            "%(evaluations)s values were evaluated in bulk on %(days)s days under %(cases)s case"
            " references, and nothing came of it within 14 days: no lookup under these cases, and"
            " nobody here told the counts of a run.",
            evaluations=_number(facts["evaluations"]),
            days=_number(facts["days"]),
            cases=_number(facts["cases"]),
        )
    ]


def _unused(facts: Facts) -> list[str]:
    return [
        gettext(
            "%(evaluations)s identifiers were evaluated on one day, and by the end of the next day"
            " only %(used)s values were looked up, watched for, submitted or searched: a value"
            " needs at most sixteen evaluations.",
            evaluations=_number(facts["evaluations"]),
            used=_number(facts["used"]),
        ),
        gettext("Told from %(limit)s on.", limit=_number(facts["limit"])),
    ]


def _walking(facts: Facts) -> list[str]:
    if facts["what"] == "purposes":
        told = [
            gettext(
                "%(lookups)s lookups on one day under %(count)s different purposes, as if it was"
                " tried which of them shows something.",
                lookups=_number(facts["lookups"]),
                count=_number(facts["count"]),
            )
        ]
    else:
        told = [
            gettext(
                "%(count)s cases on one day that stand in a single lookup each, of %(lookups)s"
                " lookups.",
                lookups=_number(facts["lookups"]),
                count=_number(facts["count"]),
            )
        ]
        if facts["usual"] is not None:
            told.append(
                gettext(
                    "On half of this person's own days there were at most %(usual)s.",
                    usual=_number(facts["usual"]),
                )
            )
    told.append(gettext("Told from %(limit)s on.", limit=_number(facts["limit"])))
    return told


def _neighbours(facts: Facts) -> list[str]:
    kinds = {
        "pairs": _(
            "%(count)s times on one day two places were asked for whose house numbers have the same"
            " digits in another order, as when the numbers of a street are gone through."
        ),
        "places": _("One name was asked for at %(count)s different places on one day."),
        "names": _("%(count)s different names were asked for at one place on one day."),
    }
    told = [str(kinds[facts["what"]]) % {"count": _number(facts["count"])}]
    if facts["colleagues"] > 1:
        told.append(
            gettext(
                "%(colleagues)s people asked for parts of it; nobody alone asked for as many.",
                colleagues=_number(facts["colleagues"]),
            )
        )
    told.append(
        gettext(
            "They asked for %(values)s names or addresses that day.",
            values=_number(facts["values"]),
        )
    )
    told.append(gettext("Told from %(limit)s on.", limit=_number(facts["limit"])))
    return told


def _steady(facts: Facts) -> list[str]:
    kinds = {
        "hours": _(
            "In %(count)s hours of one day more than %(percent)s %% of the evaluations of an hour"
            " were used, and never too many."
        ),
        "days": _(
            "On %(count)s of 14 days more than %(percent)s %% of the different values of a day were"
            " looked up, and never too many."
        ),
    }
    return [
        str(kinds[facts["what"]])
        % {"count": _number(facts["count"]), "percent": _number(facts["percent"])},
        gettext(
            "%(used)s in all; the limit of one is %(limit)s.",
            used=_number(facts["used"]),
            limit=_number(facts["limit"]),
        ),
    ]


_REASONS: Mapping[Signal, Callable[[Facts], list[str]]] = {
    Signal.BULK: _bulk,
    Signal.PROBING: _probing,
    Signal.NO_CASE_ACTIVITY: _no_case_activity,
    Signal.UNUSUAL_HOURS: _unusual_hours,
    Signal.OWN_INTEREST: _own_interest,
    Signal.QUOTA: _quota,
    Signal.NOT_FOLLOWED_UP: _not_followed_up,
    Signal.REFUSALS: _refusals,
    Signal.SCREENING: _screening,
    Signal.UNUSED: _unused,
    Signal.WALKING: _walking,
    Signal.NEIGHBOURS: _neighbours,
    Signal.STEADY: _steady,
}


def _number(value: int) -> str:
    return str(format_decimal(value))
