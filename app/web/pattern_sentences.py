"""Patterns and screening filters in sentences: entries of the log and notifications."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext, words
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]

_STEPS: Mapping[str, LazyString] = {
    "create": _("%(who)s began a pattern"),
    "edit": _("%(who)s changed the draft of a pattern"),
    "propose": _("%(who)s proposed a version of a pattern"),
    "withdraw": _("%(who)s withdrew the proposal of a pattern"),
    "refuse": _("%(who)s refused the proposed version of a pattern"),
    "discard": _("%(who)s threw the draft of a pattern away"),
    "expire": _("The draft of a pattern was closed: nobody decided in time"),
}
_SOME_STEP = _("%(who)s worked on the draft of a pattern")


def _draft(told: Told) -> str:
    pattern = _STEPS.get(str(told.details.get("step", "")), _SOME_STEP)
    return str(pattern) % {"who": told.who}


def _list(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s pattern",
        "%(who)s listed %(num)s patterns",
        told.count,
        who=told.who,
    )


def _fetch(told: Told) -> str:
    return ngettext(
        "%(who)s fetched %(num)s subscribed pattern",
        "%(who)s fetched %(num)s subscribed patterns",
        told.count,
        who=told.who,
    )


def _erase(told: Told) -> str:
    return ngettext(
        "%(num)s pattern past its retention was erased",
        "%(num)s patterns past their retention were erased",
        told.count,
    )


def _shared(told: Told) -> str:
    code = str(told.details.get("viewer", ""))
    return ngettext(
        "%(viewer)s got the rule of %(num)s pattern of yours",
        "%(viewer)s got the rules of %(num)s patterns of yours",
        told.count,
        viewer=told.names.get(code, code) or gettext("Another organisation"),
    )


def _screen(told: Told) -> str:
    done = ngettext(
        "%(who)s had %(num)s blinded value of parcels evaluated to screen",
        "%(who)s had %(num)s blinded values of parcels evaluated to screen",
        told.count,
        who=told.who,
    )
    query = told.details.get("query")
    kind = str(query.get("kind", "")) if isinstance(query, Mapping) else ""
    return f"{done} ({words(kind, 'EvaluationKind')})" if kind else done


def _make(told: Told) -> str:
    if told.details.get("state") == "building":
        return gettext("%(who)s asked for a large screening filter", who=told.who)
    return ngettext(
        "%(who)s made a screening filter of %(num)s token",
        "%(who)s made a screening filter of %(num)s tokens",
        told.count,
        who=told.who,
    )


def _build(told: Told) -> str:
    if told.details.get("state") == "failed":
        return gettext("A screening filter was not built: who asked for it has no right any more")
    return ngettext(
        "A screening filter of %(num)s token was built",
        "A screening filter of %(num)s tokens was built",
        told.count,
    )


def _filters(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s screening filter",
        "%(who)s listed %(num)s screening filters",
        told.count,
        who=told.who,
    )


def _expire(told: Told) -> str:
    return ngettext(
        "The content of %(num)s screening filter that was over was erased",
        "The content of %(num)s screening filters that were over was erased",
        told.count,
    )


def _call_back(told: Told) -> str:
    return ngettext(
        "%(num)s screening filter was called back: an indicator in it was withdrawn",
        "%(num)s screening filters were called back: an indicator in them was withdrawn",
        told.count,
    )


def _into_filter(told: Told) -> str:
    code = str(told.details.get("viewer", ""))
    return ngettext(
        "%(num)s indicator of yours went into a screening filter of %(viewer)s",
        "%(num)s indicators of yours went into a screening filter of %(viewer)s",
        told.count,
        viewer=told.names.get(code, code) or gettext("another organisation"),
    )


def _allow(told: Told) -> str:
    kind, elements = told.details.get("kind"), told.details.get("elements")
    if not isinstance(kind, str) or not isinstance(elements, int):
        return gettext("%(who)s agreed evaluations for screening", who=told.who)
    return ngettext(
        "%(who)s agreed %(num)s evaluation a day for screening (%(kind)s), until %(day)s",
        "%(who)s agreed %(num)s evaluations a day for screening (%(kind)s), until %(day)s",
        elements,
        who=told.who,
        kind=words(kind, "EvaluationKind"),
        day=told.details.get("until", ""),
    )


def _end(told: Told) -> str:
    kind = words(str(told.details.get("kind", "")), "EvaluationKind")
    if told.details.get("cause") == "expired":
        return gettext("What was agreed for screening is over (%(kind)s)", kind=kind)
    return gettext("%(who)s ended what was agreed for screening", who=told.who)


PATTERN_SENTENCES: Sentences = {
    "evaluation.screen": _screen,
    "filter.build": _build,
    "filter.call-back": _call_back,
    "filter.changes": fixed(_("%(who)s fetched what changed since an older screening filter")),
    "filter.expire": _expire,
    "filter.fetch": fixed(_("%(who)s fetched a part of a screening filter")),
    "filter.list": _filters,
    "filter.make": _make,
    "filter.read": fixed(_("%(who)s read about a screening filter")),
    "filter.shared": _into_filter,
    "pattern.check": fixed(_("%(who)s checked the text of a pattern")),
    "pattern.count": fixed(_("%(who)s read the figures of a pattern")),
    "pattern.deprecate": fixed(_("%(who)s deprecated a pattern")),
    "pattern.draft": _draft,
    "pattern.erase": _erase,
    "pattern.fetch": _fetch,
    "pattern.list": _list,
    "pattern.outcome": fixed(_("%(who)s told what came of the hits of a pattern")),
    "pattern.publish": fixed(_("%(who)s published a version of a pattern")),
    "pattern.read": fixed(_("%(who)s read a pattern")),
    "pattern.run": fixed(_("%(who)s told how many parcels a pattern hit")),
    "pattern.shared": _shared,
    "pattern.subscribe": fixed(_("%(who)s subscribed to a pattern")),
    "pattern.unsubscribe": fixed(_("%(who)s ended a subscription to a pattern")),
    "screening.allow": _allow,
    "screening.end": _end,
    "screening.read": fixed(_("%(who)s read what is agreed for screening")),
}


def _proposed(_facts: Facts, _names: Names) -> str:
    return gettext("A version of a pattern waits for the decision of a second person.")


def _decided(facts: Facts, _names: Names) -> str:
    if facts.get("decision") == "refused":
        return gettext("The proposed version of a pattern was refused; the reason stands there.")
    if facts.get("decision") == "published":
        return gettext("The proposed version of a pattern was published.")
    return gettext("The proposed version of a pattern was decided on.")


def _published(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext(
        "%(organisation)s published a new version of a pattern that you subscribed to. Fetch it.",
        organisation=names.get(code, code) or gettext("An organisation"),
    )


def _deprecated(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext(
        "%(organisation)s deprecated a pattern that you subscribed to. The next fetch takes it"
        " away.",
        organisation=names.get(code, code) or gettext("An organisation"),
    )


def _unshared(_facts: Facts, _names: Names) -> str:
    return gettext(
        "You may no longer screen with a pattern that you subscribed to: it has ended, or is not"
        " shared with you any more. The next fetch takes it away."
    )


def _expiring(_facts: Facts, _names: Names) -> str:
    return gettext("A pattern of yours ends soon. Publish a version with a later day to keep it.")


def _ready(_facts: Facts, _names: Names) -> str:
    return gettext("A screening filter is ready to be fetched.")


def _failed(_facts: Facts, _names: Names) -> str:
    return gettext("A screening filter was not built: who asked for it has no right to it.")


def _called_back(_facts: Facts, _names: Names) -> str:
    return gettext(
        "A screening filter was called back: an indicator in it was withdrawn. Make a new one, and"
        " use the old one no longer."
    )


PATTERN_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "filter.called-back": _called_back,
    "filter.failed": _failed,
    "filter.ready": _ready,
    "pattern.decided": _decided,
    "pattern.deprecated": _deprecated,
    "pattern.expiring": _expiring,
    "pattern.proposed": _proposed,
    "pattern.published": _published,
    "pattern.unshared": _unshared,
}
