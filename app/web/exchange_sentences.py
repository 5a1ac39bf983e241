"""The exchange with other systems in sentences: entries of the log and notifications."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, ngettext
from app.web.told import Sentences, Told, fixed

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def _list(told: Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s collection",
        "%(who)s listed %(num)s collections",
        told.count,
        who=told.who,
    )


def _serve(told: Told) -> str:
    return ngettext(
        "%(who)s was given %(num)s object of a collection",
        "%(who)s was given %(num)s objects of a collection",
        told.count,
        who=told.who,
    )


def _add(told: Told) -> str:
    return ngettext(
        "%(who)s sent %(num)s object by TAXII",
        "%(who)s sent %(num)s objects by TAXII",
        told.count,
        who=told.who,
    )


def _sighted(told: Told) -> str:
    return ngettext(
        "Another organisation saw again what %(num)s indicator is about",
        "Another organisation saw again what %(num)s indicators are about",
        told.count,
    )


def _sweep(told: Told) -> str:
    return ngettext(
        "%(num)s sighting or status of TAXII was erased at the end of its time",
        "%(num)s sightings or statuses of TAXII were erased at the end of their time",
        told.count,
    )


def _withdraw(told: Told) -> str:
    return ngettext(
        "%(who)s withdrew %(num)s indicator of a report",
        "%(who)s withdrew %(num)s indicators of a report",
        told.count,
        who=told.who,
    )


def _news_sent(told: Told) -> str:
    return str(_NEWS.get(str(told.details.get("ending", "")), _SOME_NEWS))


_SOME_NEWS = _("The sending of news of a collection ended")

_NEWS: Mapping[str, LazyString] = {
    "sent": _("An address was told that a collection changed"),
    "failed": _("Telling an address that a collection changed failed and is tried again"),
    "given_up": _("Telling an address that a collection changed was given up"),
    "withheld": _("An address was not told that a collection changed: it may not be any more"),
}


def _manifest(told: Told) -> str:
    return ngettext(
        "%(who)s was told of %(num)s object of a collection, without what it says",
        "%(who)s was told of %(num)s objects of a collection, without what they say",
        told.count,
        who=told.who,
    )


def _expire(told: Told) -> str:
    return ngettext(
        "%(num)s collection ended with its last day",
        "%(num)s collections ended with their last day",
        told.count,
    )


def _asked(told: Told) -> str:
    ending = str(told.details.get("ending", ""))
    if ending in _FAILURES:
        return str(_FAILURES[ending])
    return ngettext(
        "A server that the organisation polls sent %(num)s object",
        "A server that the organisation polls sent %(num)s objects",
        told.count,
    )


_FAILURES: Mapping[str, LazyString] = {
    "failing": _("A server that the organisation polls failed; it is asked again"),
    "given_up": _("A server that the organisation polls was given up after its last try"),
}


def _erase(told: Told) -> str:
    return ngettext(
        "%(num)s object received from another server was erased at the end of its time",
        "%(num)s objects received from other servers were erased at the end of their time",
        told.count,
    )


def _received(told: Told) -> str:
    return ngettext(
        "%(who)s read %(num)s object received from another server",
        "%(who)s read %(num)s objects received from another server",
        told.count,
        who=told.who,
    )


def _given_up_notice(_facts: Facts, _names: Names) -> str:
    return gettext(
        "A server that your organisation polls failed twelve times in a row and is not asked any"
        " more until somebody says so."
    )


def _news_given_up_notice(_facts: Facts, _names: Names) -> str:
    return gettext(
        "An address that is told when a collection changes fails: a message was given up after its"
        " last try."
    )


def _sighted_notice(facts: Facts, names: Names) -> str:
    code = str(facts.get("organisation", ""))
    return gettext(
        "%(organisation)s saw again what an indicator of your organisation is about.",
        organisation=names.get(code, code),
    )


EXCHANGE_SENTENCES: Sentences = {
    "exchange.add": _add,
    "exchange.close": fixed(_("%(who)s closed a collection")),
    "exchange.compare": fixed(_("%(who)s put a collection in line to be compared as a whole")),
    "exchange.delete": fixed(_("%(who)s deleted an object by TAXII")),
    "exchange.discover": fixed(_("%(who)s read where the platform's TAXII service is")),
    "exchange.expire": _expire,
    "exchange.fed": fixed(
        _("%(who)s read which organisations fetch the organisation's indicators by feed")
    ),
    "exchange.key": fixed(_("%(who)s read the organisation's exchange key")),
    "exchange.list": _list,
    "exchange.manifest": _manifest,
    "exchange.news-add": fixed(_("%(who)s had an address told when a collection changes")),
    "exchange.news-again": fixed(_("%(who)s had an address told of a collection anew")),
    "exchange.news-list": fixed(_("%(who)s listed the addresses that are told of a collection")),
    "exchange.news-rotate": fixed(
        _("%(who)s replaced the secret of an address that is told of a collection")
    ),
    "exchange.news-remove": fixed(_("%(who)s removed an address that was told of a collection")),
    "exchange.news-sent": _news_sent,
    "exchange.news-try": fixed(_("An address was about to be told that a collection changed")),
    "exchange.open": fixed(_("%(who)s opened a collection")),
    "exchange.read": fixed(_("%(who)s read about a collection")),
    "exchange.serve": _serve,
    "exchange.sighted": _sighted,
    "exchange.status": fixed(_("%(who)s read what became of objects that came by TAXII")),
    "exchange.sweep": _sweep,
    "exchange.versions": fixed(_("%(who)s read the versions of an object of a collection")),
    "indicator.withdraw": _withdraw,
    "server.add": fixed(_("%(who)s subscribed to a collection of another server")),
    "server.ask": fixed(_("%(who)s had a server asked before its time")),
    "server.asked": _asked,
    "server.erase": _erase,
    "server.list": fixed(_("%(who)s listed the subscriptions to other servers")),
    "server.read": fixed(_("%(who)s read how a subscription to another server fares")),
    "server.received": _received,
    "server.remove": fixed(_("%(who)s removed a subscription, with all that was received by it")),
    "server.try": fixed(_("A server that the organisation polls was about to be asked")),
}

TELL_THEIR_OUTCOME = frozenset({"exchange.news-sent", "server.asked"})
"""Acts whose sentence says itself how they ended."""

EXCHANGE_NOTICES: Mapping[str, Callable[[Facts, Names], str]] = {
    "exchange.news-given-up": _news_given_up_notice,
    "server.given-up": _given_up_notice,
    "sighting.told": _sighted_notice,
}
