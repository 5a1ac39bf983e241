"""Watches and deconfliction in words: entries of the log and notifications."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from app.web.languages import gettext, ngettext, words
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def _match(told: Told) -> str:
    watcher = str(told.details.get("viewer") or told.record["org"])
    done = ngettext(
        "A watch of %(watcher)s matched %(num)s indicator",
        "A watch of %(watcher)s matched %(num)s indicators",
        told.count,
        watcher=told.names.get(watcher, watcher),
    )
    level = told.details.get("level")
    if not isinstance(level, str):
        return done
    granted = gettext("level: %(level)s", level=words(level, "Level"))
    return f"{done} ({granted})"


def _list(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s watch of the organisation",
        "%(who)s listed %(num)s watches of the organisation",
        told.count,
        who=told.who,
    )


def _reading(told: Told) -> str:
    return ngettext(
        "%(who)s read a watch with %(num)s match",
        "%(who)s read a watch with %(num)s matches",
        told.count,
        who=told.who,
    )


def _expiry(told: Told) -> str:
    if told.details.get("reason") == "no-analyst":
        return ngettext(
            "%(num)s watch ended: who set it is no analyst any more",
            "%(num)s watches ended: who set them is no analyst any more",
            told.count,
        )
    return ngettext(
        "%(num)s watch ended on its last day; its tokens were erased",
        "%(num)s watches ended on their last day; their tokens were erased",
        told.count,
    )


def _erasure(told: Told) -> str:
    return ngettext(
        "%(num)s record of a watch was erased at the end of its retention",
        "%(num)s records of watches were erased at the end of their retention",
        told.count,
    )


def _met(told: Told) -> str:
    code = str(told.details.get("organisation", ""))
    if not code:
        return gettext("It was told that another organisation works on what is watched for")
    return gettext(
        "It was told that %(organisation)s works on what is watched for, too",
        organisation=told.names.get(code, code),
    )


WATCH_SENTENCES: Sentences = {
    "deconfliction.list": fixed(_("%(who)s read who else works on what is watched for")),
    "deconfliction.match": _met,
    "watch.erase": _erasure,
    "watch.expire": _expiry,
    "watch.list": _list,
    "watch.match": _match,
    "watch.read": _reading,
    "watch.set": fixed(_("%(who)s set a watch")),
    "watch.stop": fixed(_("%(who)s stopped a watch")),
}


def _matched(facts: Facts, _names: Names) -> str:
    kind = str(facts.get("kind", ""))
    if not kind:
        return gettext("A watch of your organisation found something.")
    return gettext(
        "A watch of your organisation found something (%(kind)s).", kind=words(kind, "Kind")
    )


def _watched(facts: Facts, names: Names) -> str:
    viewer = str(facts.get("viewer", ""))
    return gettext(
        "An indicator of yours is what %(viewer)s watches for.", viewer=names.get(viewer, viewer)
    )


def _ended(facts: Facts, _names: Names) -> str:
    return ngettext(
        "%(num)s watch ended, because who set it is no analyst any more. Set it anew if it is still"
        " needed.",
        "%(num)s watches ended, because who set them is no analyst any more. Set them anew if they"
        " are still needed.",
        int(facts.get("count", 0)),
    )


def _found(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext(
        "%(organisation)s works on something that you watch for. Talk to its desk before you act.",
        organisation=names.get(code, code),
    )


WATCH_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "deconfliction.found": _found,
    "indicator.watched": _watched,
    "watch.ended": _ended,
    "watch.matched": _matched,
}
