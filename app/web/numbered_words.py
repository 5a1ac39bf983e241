"""Refusals that name figures, and others of what pages and programs send alike, in every language.

The platform says them in English with the figure filled in, as programs get them; pages find the
sentence again and say it in their own language.
"""

from functools import cache

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.patterns import fault_words
from app.patterns.fault_words import Known

NUMBERED: tuple[LazyString, ...] = (
    _("Line %(number)s names no role of Postern."),
    _("A token lives 1 to %(days)s days."),
    _("A token has at most %(most)s networks."),
    _("Write networks as 192.0.2.0/24 or 2001:db8::/32, without bits of a host."),
    _("Write the SHA-256 of the certificate: 43 characters (x5t#S256) or 64 digits."),
    _("Only a certificate that is named can suffice."),
    _("The person's roles do not allow: %(scopes)s."),
    _("The former secret lives 0 to %(hours)s hours more."),
    _("Name a day to come, at most %(days)s days from today."),
    _("A delivery lives for 1 to %(days)s days on this platform."),
    _("The model in use has %(steps)s steps."),
    _("A workbook holds %(rows)s rows: narrow the question, or choose csv."),
    _("It holds more than %(most)s reports."),
    _("It holds more than %(most)s elements."),
)
"""`%(name)s` stands for what is filled in."""


def said(sentence: str) -> str | None:
    """The sentence in the language of the page; None when it is none of these."""
    return fault_words.said(sentence, _known())


@cache
def _known() -> Known:
    return fault_words.expressions(NUMBERED)
