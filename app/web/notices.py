"""Notifications in words: a sentence for each kind, and where it leads."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.jobs.notifications import Notice
from app.web.account_words import ACCOUNT_NOTICES
from app.web.barrier_sentences import BARRIER_NOTICES
from app.web.channel_words import CHANNEL_NOTICES
from app.web.disclosure_sentences import DISCLOSURE_NOTICES
from app.web.exchange_sentences import EXCHANGE_NOTICES
from app.web.languages import gettext, ngettext, words
from app.web.pattern_sentences import PATTERN_NOTICES
from app.web.recall_words import RECALL_NOTICES
from app.web.watch_words import WATCH_NOTICES

Facts = Mapping[str, Any]
Names = Mapping[str, str]


def notice_words(notice: Notice, names: Names) -> str:
    """What the notification says; a kind without a sentence stands for itself."""
    tell = _SENTENCES.get(notice.kind)
    return tell(notice.facts, names) if tell else notice.kind


def alarm_title(kind: str) -> str:
    """What an alarm about the log means, in one sentence."""
    return str(_ALARM_TITLES.get(kind, kind))


def alarm_remedy(kind: str) -> str:
    """What to do about it, in one or two sentences."""
    return str(_ALARM_REMEDIES.get(kind, ""))


def _alarm(facts: Facts, names: Names) -> str:
    title = alarm_title(str(facts.get("alarm", "")))
    code = facts.get("organisation")
    return f"{names.get(code, code)}: {title}" if code else title


def _review(facts: Facts, _names: Names) -> str:
    return ngettext(
        "%(num)s entry of %(month)s was drawn for a review and waits to be judged.",
        "%(num)s entries of %(month)s were drawn for a review and wait to be judged.",
        int(facts.get("count", 0)),
        month=facts.get("month", ""),
    )


def _signal(facts: Facts, _names: Names) -> str:
    signal = words(str(facts.get("signal", "")), "Signal")
    return gettext("A signal waits for a person to look at it: %(signal)s.", signal=signal)


def _key_alarm(facts: Facts, names: Names) -> str:
    reporter, about = str(facts.get("reporter", "")), str(facts.get("about", ""))
    return gettext(
        "%(reporter)s was offered other keys of %(about)s than those it had pinned. Seal nothing to"
        " %(about)s before you telephoned.",
        reporter=names.get(reporter, reporter),
        about=names.get(about, about),
    )


def _hold(facts: Facts, _names: Names) -> str:
    return gettext(
        "A legal hold ends on %(day)s; what it alone keeps is erased then.",
        day=facts.get("until", ""),
    )


def _subject(facts: Facts, _names: Names) -> str:
    days = int(facts.get("days", 0))
    right = words(str(facts.get("right", "")), "SubjectRight")
    if not days:
        return gettext(
            "A subject request (%(right)s) is to be answered today, or was before.", right=right
        )
    return ngettext(
        "A subject request (%(right)s) is to be answered within %(num)s day.",
        "A subject request (%(right)s) is to be answered within %(num)s days.",
        days,
        right=right,
    )


def _breach_opened(facts: Facts, _names: Names) -> str:
    return ngettext(
        "A breach of personal data was recorded: %(num)s hour is left to tell the authority.",
        "A breach of personal data was recorded: %(num)s hours are left to tell the authority.",
        int(facts.get("hours", 0)),
    )


def _breach_due(facts: Facts, _names: Names) -> str:
    hours = int(facts.get("hours", 0))
    if not hours:
        return gettext("The 72 hours of a breach are over and the authority was not told.")
    return ngettext(
        "%(num)s hour is left to tell the authority of a breach.",
        "%(num)s hours are left to tell the authority of a breach.",
        hours,
    )


_SENTENCES: Mapping[str, Callable[[Facts, Names], str]] = {
    **ACCOUNT_NOTICES,
    **BARRIER_NOTICES,
    **CHANNEL_NOTICES,
    **DISCLOSURE_NOTICES,
    **EXCHANGE_NOTICES,
    **PATTERN_NOTICES,
    **RECALL_NOTICES,
    **WATCH_NOTICES,
    "key.alarm": _key_alarm,
    "hold.ending": _hold,
    "log.alarm": _alarm,
    "review.drawn": _review,
    "signal.raised": _signal,
    "subject.due": _subject,
    "breach.opened": _breach_opened,
    "breach.due": _breach_due,
}
"""Every kind that a room writes; a test holds the two together."""

_ALARM_TITLES: Mapping[str, LazyString] = {
    "stored-mismatch": _("What is stored of the log does not verify; nothing is signed any more."),
    "split-view": _("The key of the log signed two logs that contradict each other."),
    "rollback": _("The log has become smaller than what its key had signed."),
    "witness-silent": _("A witness of the log has fallen silent."),
    "no-quorum": _("Too few organisations cosign the log."),
}

_ALARM_REMEDIES: Mapping[str, LazyString] = {
    "stored-mismatch": _(
        "The administrator compares the database with the newest backup and with members' mirrors"
        " before anything is signed again."
    ),
    "split-view": _(
        "Keep the notes below. Compare your own checkpoints with other members by another channel,"
        " verify your mirror with postern audit verify, and inform your supervisory authority."
    ),
    "rollback": _(
        "Keep the notes below. The administrator restores the newest state; missing entries come"
        " from members' mirrors. Until then rely on nothing that the log does not show."
    ),
    "witness-silent": _(
        "Its compliance officer looks at the machine that runs postern witness: process, clock,"
        " network and API token. The alarm closes by itself when it cosigns again."
    ),
    "no-quorum": _(
        "Let more organisations run a witness, or end those that are gone. The alarm closes by"
        " itself when a checkpoint is cosigned by enough of them."
    ),
}
