"""Barrier models, tags and registered barriers in sentences: entries of the log and notices."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]

_STEPS: Mapping[str, LazyString] = {
    "propose": _("%(who)s proposed a version of a barrier model"),
    "withdraw": _("%(who)s withdrew the proposed version of a barrier model"),
    "refuse": _("%(who)s refused the proposed version of a barrier model"),
    "lapse": _("The proposed version of a barrier model was closed: nobody decided in time"),
}
_SOME_STEP = _("%(who)s worked on a barrier model")


def _draft(told: Told) -> str:
    pattern = _STEPS.get(str(told.details.get("step", "")), _SOME_STEP)
    return str(pattern) % {"who": told.who}


def _models(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s barrier model",
        "%(who)s listed %(num)s barrier models",
        told.count,
        who=told.who,
    )


def _choice(told: Told) -> str:
    community = told.details.get("community")
    if isinstance(community, str):
        return gettext(
            "%(who)s chose the barrier model for the members of %(community)s",
            who=told.who,
            community=community,
        )
    return gettext("%(who)s chose the barrier model to use", who=told.who)


def _list(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s barrier",
        "%(who)s listed %(num)s barriers",
        told.count,
        who=told.who,
    )


def _change(told: Told) -> str:
    if told.details.get("step") == "end":
        return gettext("%(who)s told until when a barrier held", who=told.who)
    return gettext("%(who)s said that a barrier still holds", who=told.who)


def _erase(told: Told) -> str:
    return ngettext(
        "%(num)s barrier whose record had ended was erased",
        "%(num)s barriers whose records had ended were erased",
        told.count,
    )


def _shared(told: Told) -> str:
    code = str(told.details.get("viewer", ""))
    return ngettext(
        "%(viewer)s was told of %(num)s barrier of yours",
        "%(viewer)s was told of %(num)s barriers of yours",
        told.count,
        viewer=told.names.get(code, code) or gettext("Another organisation"),
    )


BARRIER_SENTENCES: Sentences = {
    "barrier.board": fixed(_("%(who)s read the board of the barrier model")),
    "barrier.change": _change,
    "barrier.erase": _erase,
    "barrier.export": fixed(_("%(who)s took the board of the barrier model away as a file")),
    "barrier.gaps": fixed(_("%(who)s read at which steps barriers hold")),
    "barrier.list": _list,
    "barrier.read": fixed(_("%(who)s read a barrier")),
    "barrier.recount": fixed(
        _("Counts of the board were found to differ from your reports, and are counted anew")
    ),
    "barrier.register": fixed(_("%(who)s registered a barrier")),
    "barrier.shared": _shared,
    "model.check": fixed(_("%(who)s checked the text of a barrier model")),
    "model.choose": _choice,
    "model.compare": fixed(_("%(who)s compared two versions of a barrier model")),
    "model.draft": _draft,
    "model.erase": fixed(_("A version of a barrier model that was never in force was erased")),
    "model.list": _models,
    "model.load": fixed(_("The barrier model that is shipped was put in force")),
    "model.publish": fixed(_("%(who)s put a version of a barrier model in force")),
    "model.read": fixed(_("%(who)s read a barrier model")),
    "step.read": fixed(_("%(who)s read with which steps something was tagged")),
    "step.suggest": fixed(_("%(who)s had step and signals suggested for a report")),
    "step.tag": fixed(_("%(who)s tagged something with a step and signals")),
}


def _proposed(_facts: Facts, _names: Names) -> str:
    return gettext("A version of a barrier model waits for the decision of a second person.")


def _decided(facts: Facts, _names: Names) -> str:
    if facts.get("decision") == "refused":
        return gettext(
            "The proposed version of a barrier model was refused; the reason stands there."
        )
    return gettext("The proposed version of a barrier model is in force.")


def _expiring(_facts: Facts, _names: Names) -> str:
    return gettext(
        "The record of a barrier of yours ends soon. Renew it if the barrier still holds."
    )


BARRIER_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "barrier.expiring": _expiring,
    "model.decided": _decided,
    "model.proposed": _proposed,
}
