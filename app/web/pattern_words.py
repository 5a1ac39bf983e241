"""Patterns and screening filters: the words of their lists, and what their acts are called."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.patterns.filter_models import FilterState
from app.patterns.models import VersionState
from app.patterns.reading import PatternState
from postern.patterns.model import Level, Status

PATTERN_WORDS: Mapping[str, Mapping[str, LazyString]] = {
    "PatternLevel": {
        Level.LOW.value: _("low"),
        Level.MEDIUM.value: _("medium"),
        Level.HIGH.value: _("high"),
        Level.CRITICAL.value: _("critical"),
    },
    "PatternStatus": {
        Status.EXPERIMENTAL.value: _("experimental"),
        Status.TEST.value: _("on trial"),
        Status.STABLE.value: _("stable"),
        Status.DEPRECATED.value: _("deprecated"),
    },
    "PatternState": {
        PatternState.DRAFT.value: _("never published"),
        PatternState.LIVE.value: _("in force"),
        PatternState.DEPRECATED.value: _("deprecated"),
        PatternState.EXPIRED.value: _("expired"),
    },
    "PatternVersionState": {
        VersionState.EDITING.value: _("being written"),
        VersionState.PROPOSED.value: _("waits for a second person"),
        VersionState.PUBLISHED.value: _("published"),
        VersionState.REFUSED.value: _("refused"),
        VersionState.DISCARDED.value: _("thrown away"),
    },
    "FilterState": {
        FilterState.BUILDING.value: _("being built"),
        FilterState.READY.value: _("ready"),
        FilterState.CALLED_BACK.value: _("called back"),
        FilterState.EXPIRED.value: _("over"),
        FilterState.FAILED.value: _("not built"),
    },
}
"""Name of the list, value, words."""

PATTERN_ACTS: Mapping[str, LazyString] = {
    "evaluation.screen": _("Evaluated in bulk to screen"),
    "filter.build": _("Screening filter built"),
    "filter.call-back": _("Screening filter called back"),
    "filter.changes": _("Changes of a screening filter fetched"),
    "filter.expire": _("Screening filters erased"),
    "filter.fetch": _("Screening filter fetched"),
    "filter.list": _("Screening filters listed"),
    "filter.make": _("Screening filter made"),
    "filter.read": _("Screening filter read about"),
    "filter.shared": _("Indicators went into a screening filter"),
    "pattern.check": _("Text of a pattern checked"),
    "pattern.count": _("Figures of a pattern read"),
    "pattern.deprecate": _("Pattern deprecated"),
    "pattern.draft": _("Draft of a pattern changed"),
    "pattern.erase": _("Patterns erased"),
    "pattern.fetch": _("Subscribed patterns fetched"),
    "pattern.list": _("Patterns listed"),
    "pattern.outcome": _("Outcomes of a pattern told"),
    "pattern.publish": _("Pattern published"),
    "pattern.read": _("Pattern read"),
    "pattern.run": _("Run of a pattern told"),
    "pattern.shared": _("Pattern given to another organisation"),
    "pattern.subscribe": _("Pattern subscribed to"),
    "pattern.unsubscribe": _("Subscription to a pattern ended"),
    "screening.allow": _("Evaluations for screening agreed"),
    "screening.end": _("Agreement on screening ended"),
    "screening.read": _("Agreement on screening read"),
}
"""Names of acts, for lists and filters."""

PATTERN_PROBLEMS: tuple[LazyString, ...] = (
    _("The document cannot be shared as it is"),
    _("Correct what errors lists, save the draft and propose it again."),
    _("Your organisation has too many patterns, open drafts or subscriptions"),
    _("Discard drafts, or end subscriptions, that are no longer needed."),
    _("Read the pattern again and decide on its newest revision, which the answer names."),
    _("Have an analyst or a submitter propose the draft first."),
    _("The pattern has no open draft"),
    _("Write the next version as a draft first."),
    _("The pattern was never published, so nobody uses it"),
    _("Publish it first, or discard its draft."),
    _("The pattern is deprecated and is not used any more"),
    _("Use the pattern that replaces it, or write a new one."),
    _("Your organisation subscribes to another pattern whose document has the same id"),
    _("End that subscription first, or ask the author to give the document an id of its own."),
    _("You wrote or proposed this version, so somebody else must approve it"),
    _("Ask a policy owner or approver of your organisation who had no part in it."),
    _("Say why in up to 500 characters."),
    _("Write up to 500 characters of plain text."),
    _("A document has up to 65536 bytes."),
    _("Name another published pattern of your organisation."),
    _("It has 2000 patterns."),
    _("It has 200 open drafts."),
    _("Your organisation has as many filters as may stand at once"),
    _("Use the newest one, or wait until the oldest is over: a filter is good for a week."),
    _("The filter is being built"),
    _("Ask for it again in a moment."),
    _("The filter is not given out any more"),
    _("Make a new one, and take its changes since this one or all of it."),
    _("No evaluations for screening are agreed with your organisation"),
    _("Ask the platform's administrator to agree them for this kind."),
)
"""What errors of the room say on pages; the sentences stand with the errors, in English."""
