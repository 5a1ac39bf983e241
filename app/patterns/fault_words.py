"""Faults of a pattern in the reader's language.

The language's own sentences are English, as on premises; a page shows them from here. A test reads
the sources of the language and holds this list to them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


class _Fault(Protocol):
    @property
    def reason(self) -> str: ...

    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True)
class FaultWords:
    """A fault as sentences, in `language`: English where a sentence is not known here."""

    reason: str
    remedy: str
    language: str


Known = Sequence[tuple[re.Pattern[str], LazyString]]


def fault_in_words(fault: _Fault, known: Known | None = None) -> FaultWords:
    """What is wrong and what to do, in the language of the page; `known` else than of patterns."""
    reason, remedy = said(fault.reason, known), said(fault.remedy, known)
    locale = get_locale()
    spoken = str(locale.language) if locale else "en"
    if reason is None or remedy is None:
        return FaultWords(fault.reason, fault.remedy, "en")
    return FaultWords(reason, remedy, spoken)


def said(sentence: str, known: Known | None = None) -> str | None:
    """One sentence of the language in that of the page; None when it is not known."""
    for pattern, words in known or _known():
        found = pattern.fullmatch(sentence)
        if found is not None:
            return str(words) % found.groupdict()
    return None


SENTENCES: tuple[LazyString, ...] = (
    # Of a condition.
    _("The condition has more than %(most)s words."),
    _("Put alternatives into one selection as a list."),
    _("The condition goes on with %(word)s."),
    _("Join parts with and or or."),
    _("It is nested deeper than %(most)s."),
    _("Use fewer parentheses and nots."),
    _("The name of a selection is missing."),
    _("Name a selection here."),
    _("A character cannot stand in a condition."),
    _("Write names of selections with and, or, not and parentheses."),
    _("A parenthesis is not closed."),
    _("Add the missing )."),
    _("The condition names %(name)s, which is no selection."),
    _("Write a selection under detection first."),
    _("The selections are: %(names)s."),
    _("The selection %(name)s is not in the condition."),
    _("Use it there, or remove it."),
    # Of selections and aggregates.
    _("%(name)s cannot name a selection."),
    _("Use small letters, digits and _, beginning with a letter; not and, or, not."),
    _("The selection has not 1 to %(most)s fields."),
    _("Write field: value, or 'field|modifier': value."),
    _("There are more than %(most)s selections."),
    _("Divide the rule."),
    _("having has more than %(most)s lines."),
    _("Remove some."),
    _("Nothing says how many parcels or how many different ones there are at least."),
    _("Add 'count|gte', or a '...|distinct|gte'."),
    _("There is no field %(name)s."),
    _("A value of %(name)s has not 1 to %(most)s characters."),
    _("Correct it."),
    _("The list has not 1 to %(most)s values."),
    _("Shorten or fill it."),
    _("There is no modifier %(name)s."),
    _("A shared rule holds no value of %(name)s."),
    _("Name customers in a filter instead."),
    _("%(name)s takes no value of its own."),
    _("%(name)s takes no %(modifier)s."),
    _(
        "A rule names no person: use '%(name)s|exists', group by it, or count how many differ;"
        " persons are matched by token."
    ),
    _("exists is not yes or no."),
    _("Write yes or no."),
    _("%(text)s is not a code."),
    _("Write letters, digits, and . _ / - between them."),
    _("within is not 1d to %(most)sd."),
    _("Write a number of calendar days and d, such as 7d."),
    _("%(text)s is not a number."),
    _("Write digits, without a unit; %(name)s is in %(unit)s."),
    _("Write digits, without a unit; %(name)s has no unit."),
    _("%(text)s is no possible %(name)s."),
    _("Write a number from %(least)s to %(most)s; %(name)s is in %(unit)s."),
    _("Write a number from %(least)s to %(most)s; %(name)s has no unit."),
    _("%(text)s has too many decimals."),
    _("%(name)s has no decimals."),
    _("%(name)s has %(count)s decimals."),
    _("%(text)s leaves fewer than %(least)s letters after folding."),
    _("Write a word of letters and digits."),
    _("%(text)s is not an HS code."),
    _("Write 6 or more digits, or hs_code|startswith with 2 or more."),
    _("by is not a list of 1 to %(most)s fields."),
    _("Write by: [origin_country, sender]."),
    _("%(name)s does not say how it is compared."),
    _("End with |gte, |gt, |lte or |lt."),
    _("between has not two bounds, the lower first."),
    _("Write [100, 500]."),
    _("%(modifier)s takes one number."),
    _("Write one number."),
    _("Parcels cannot be grouped by %(name)s."),
    _("Use a field of another type."),
    _("%(name)s has no measure %(measure)s."),
    _("%(text)s is not a number of %(name)s."),
    _("%(name)s is in %(unit)s."),
    _("%(name)s has no unit."),
    _("%(name)s stands in by twice."),
    _("Remove one."),
    _("Write two capitals of ISO 3166-1, or XK."),
    # Of the tests that a rule brings.
    _("An example holds no data of persons."),
    _("Write A, B, C for different persons, or each for another one in every parcel."),
    _("It has more than %(most)s parcels."),
    _("Use fewer."),
    _("%(name)s has not 1 to %(most)s examples."),
    _("Write a list of parcels, or of lists of parcels."),
    _("A parcel is not a map."),
    _("Write {field: value, ...}."),
    _("posted_on is not a day."),
    _("Write it as 2026-11-25."),
    # Of the other keys.
    _("%(name)s is not a word of its list."),
    _("%(text)s is not a word of %(name)s."),
    _("%(name)s is not a whole number from %(least)s to %(most)s."),
    _("Write such a number, in digits."),
    _("%(name)s is not a map."),
    _("Write names and what belongs to them."),
    _("%(name)s has not 1 to %(most)s entries."),
    _("%(name)s is not a text."),
    _("Write it as one text, without brackets."),
    _("%(name)s has not 1 to %(most)s characters."),
    _("Shorten it, or fill it in."),
    _("The key %(name)s is missing."),
    _("Add %(name)s: ..."),
    _("The key %(name)s is not known."),
    _("Did you mean %(one)s or %(other)s?"),
    _("Did you mean %(one)s?"),
    _("Use one of: %(names)s."),
    _("expires is not a day."),
    _("Write it as 2027-11-30."),
    _("The format is not %(format)s."),
    _("Write format: %(format)s."),
    _("It is empty."),
    _("Write a rule into it."),
    _("A rule is not a map."),
    _("Begin with format: and go on with id:."),
    _("Another rule here has the same id."),
    _("Give this one an id of its own."),
    _("The id is not a UUID."),
    _("Write one of 36 characters, such as `uuidgen` makes; never that of another rule."),
    # Of the text as YAML.
    _("It is not YAML: %(problem)s."),
    _("Correct the indentation, the quotation marks or the brackets."),
    _("It holds a character that YAML does not allow."),
    _("Save the file as UTF-8 text."),
    _("The file is larger than 2 MiB."),
    _("Divide it into several files."),
    _("The rule has more than %(most)s parts."),
    _("Divide it."),
    _("Anchors and aliases are not allowed."),
    _("Write the part out."),
    _("Tags are not allowed."),
    _("Remove what begins with !."),
    _("Make it flatter."),
    _("A key is not a plain word."),
    _("Write a name before the colon."),
    _("The key %(name)s stands here twice."),
    _("Remove or rename one."),
    _("The rule is longer than 64 KiB."),
    _("Divide it, or shorten it."),
    _("There are more than %(most)s rules."),
    _("Divide the file."),
    # Of what may be shared (app/patterns/documents.py).
    _("It is longer than %(most)s bytes."),
    _("Share it as several patterns."),
    _("It holds several rules."),
    _("Share each as a pattern of its own."),
    _("The tests have too many parcels."),
    _("Use at most %(most)s in all."),
    _("The day of expires has come or passed."),
    _("Write a day to come."),
    _("The day of expires lies more than %(most)s days ahead."),
    _("Write an earlier day; a later version may have a later one."),
    _("An e-mail address stands here."),
    _("Write no person into what others read."),
    # Of what may be proposed (app/patterns/drafting.py).
    _("This test must hit and does not."),
    _("This test hits and must not."),
    _("Correct the rule or the test."),
    _("The id is not that of the versions before it."),
    _("Write id: %(id)s"),
    _("Nothing differs from the version in force."),
    _("Change something, or throw the draft away."),
    _("Another pattern of your organisation has this id."),
    _("Give the document an id of its own."),
    _("TLP:%(tlp)s contradicts the handling code %(codes)s."),
    _("Change one of the two."),
    # The last, for it fits much: which modifiers a field takes.
    _("Use %(choices)s."),
)
"""Every sentence of the language, `%(name)s` for what it fills in; the first that fits is said."""

_FILLED = re.compile(r"%\((\w+)\)s")


@cache
def _known() -> Known:
    return expressions(SENTENCES)


def expressions(sentences: Iterable[LazyString]) -> Known:
    """Sentences with what finds them in what a reader of documents says."""
    return tuple((re.compile(_expression(_english(each)), re.DOTALL), each) for each in sentences)


def _english(sentence: LazyString) -> str:
    """The sentence as it stands here, in no translation."""
    return str(sentence._args[0])  # a lazy string has no other way to its key


def _expression(sentence: str) -> str:
    return "".join(_parts(sentence))


def _parts(sentence: str) -> Iterator[str]:
    end = 0
    for found in _FILLED.finditer(sentence):
        yield re.escape(sentence[end : found.start()])
        yield f"(?P<{found[1]}>.+?)"
        end = found.end()
    yield re.escape(sentence[end:])
