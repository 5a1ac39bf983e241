"""Channels and jobs in words: entries of the log, notifications, and why something was refused."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.web.languages import gettext, words
from app.web.told import Sentences, Told, fixed


def _try(told: Told) -> str:
    kind = _kind(told.details.get("channel_kind"))
    if not kind:
        return gettext("A notification was about to be sent by a channel")
    return gettext("A notification was about to be sent by a channel (%(kind)s)", kind=kind)


def _sent(told: Told) -> str:
    ending = str(told.details.get("ending", ""))
    done = str(_ENDINGS.get(ending, _SOME_ENDING))
    kind = _kind(told.details.get("channel_kind"))
    return f"{done} ({kind})" if kind else done


_SOME_ENDING = _("The sending of a notification by a channel ended")

_ENDINGS: Mapping[str, LazyString] = {
    "sent": _("A notification was sent by a channel"),
    "withheld": _("A notification was withheld from a channel: it may no longer be told there"),
    "failed": _("Sending a notification by a channel failed and is tried again"),
    "given_up": _("Sending a notification by a channel was given up"),
}


def _trial_notice(facts: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return gettext(
        "Trial message of a channel (%(kind)s). If you read this where it was sent to, it works.",
        kind=_kind(facts.get("channel")),
    )


def _given_up_notice(facts: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return gettext(
        "A channel (%(kind)s) fails: a message was given up after its last try. Nobody was told by"
        " it.",
        kind=_kind(facts.get("channel")),
    )


def _kind(kind: object) -> str:
    return words(str(kind), "ChannelKind") if kind else ""


JOB_SENTENCES: Sentences = {
    "channel.add": fixed(_("%(who)s set up a channel for notifications")),
    "channel.list": fixed(_("%(who)s listed the organisation's channels")),
    "channel.read": fixed(_("%(who)s read what a channel sent and was to send")),
    "channel.remove": fixed(_("%(who)s removed a channel")),
    "channel.rotate": fixed(_("%(who)s replaced the secret of a webhook")),
    "channel.trial": fixed(_("%(who)s asked for a trial message of a channel")),
    "job.read": fixed(_("%(who)s read how the work in the background stands")),
    "job.retry": fixed(_("%(who)s let a dead job begin anew")),
    "notification.sent": _sent,
    "notification.try": _try,
}

TELL_THEIR_OUTCOME = frozenset({"notification.sent"})
"""Acts whose sentence says itself how they ended."""

CHANNEL_NOTICES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    "channel.given-up": _given_up_notice,
    "channel.trial": _trial_notice,
}

CHANNEL_PROBLEMS: tuple[LazyString, ...] = (
    _("Choose at least one role."),
    _("Choose one of the platform's languages."),
    _("Choose from what the form offers."),
    _("This platform sends no mail: its administrator has set up no mail server."),
    _("Write one mail address, such as desk@police.example."),
    _("Write an address of one line, such as https://police.example/postern."),
    _("This address leads into a private network, which the platform does not enter."),
    _("Use https: only an address of the platform's own machine may be reached without."),
    _("The organisation has 20 channels already"),
    _("Remove one that is no longer needed."),
    _("A trial message of this channel is under way, or was asked for a moment ago"),
    _("Look at what became of it, and ask again after a minute."),
    _("Messages of this channel are not signed, so it has no secret to replace"),
    _("Only webhooks have one."),
    _("The secret cannot be replaced"),
    _("The former secret signs 0 to 168 hours more."),
)
"""What refusals say, in English where they are raised, and found here for the catalogues."""
