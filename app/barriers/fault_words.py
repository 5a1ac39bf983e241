"""Faults of a barrier model in the reader's language.

What every document may have wrong is told as for patterns; here is what models add to it. A test
reads the sources and holds this list to them.
"""

from functools import cache

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.patterns import fault_words
from app.patterns.fault_words import FaultWords, Known
from postern.yaml_documents import Fault


def fault_in_words(fault: Fault) -> FaultWords:
    """What is wrong and what to do, in the language of the page."""
    return fault_words.fault_in_words(fault, _known())


SENTENCES: tuple[LazyString, ...] = (
    # Of the document.
    _("Write a model into it."),
    _("The model is not a map."),
    _("The model is longer than 512 KiB."),
    _("Shorten it."),
    _("It holds several documents."),
    _("Write one model into a file."),
    _("The model has more than %(most)s parts."),
    _("Write one of 36 characters, such as `uuidgen` makes; versions of a model share it."),
    _("languages is not a list of languages, each once."),
    _("Write it as [nl], or with more of: %(names)s."),
    _("date is not a day, a month or a year."),
    _("Write it as 2024-03-27, 2024-03 or 2024, or write %(word)s."),
    _("url is no address of the web."),
    _("Write it with https:// before it, or leave it out."),
    _("The model has not 1 to %(most)s steps."),
    _("List them under steps:, each beginning with - number:."),
    _("The steps are not numbered as they stand."),
    _("Number them 1, 2, 3 from the first to the last."),
    # Of its parts.
    _("%(name)s is none of the document's languages."),
    _("The languages are: %(names)s."),
    _("The key is not one of small letters and digits, of 1 to %(most)s characters."),
    _("Write words with - between them, beginning with a letter."),
    _("%(name)s has more than %(most)s entries."),
    _("%(name)s has an entry that is not a map."),
    _("Write key: value lines below it, each further in."),
    _("%(name)s is not a list of up to %(most)s entries."),
    _("Begin each with - key:."),
    _("%(name)s has %(text)s, which is not known."),
    _("%(name)s has %(text)s twice."),
    # Of steps and cells.
    _("The partner stands in this step twice."),
    _("Nobody is said to set the barrier."),
    _("Add set_by: with keys of the step's partners."),
    _("Another part of the model has the key %(key)s."),
    _("Give this one a key of its own, and keep it in later versions."),
    _("A judgement names sources."),
    _("Write basis: derived, or remove them."),
    _("No source is named."),
    _("Add sources: [...], or write basis: judgement."),
    _("Add sources: [...]."),
    _("A cost that is not known has no basis."),
    _("Remove it."),
    _("The legal basis is not told."),
    _("Write legal_basis: %(word)s, or text: and sources: below it."),
    # Of rules that suggest signals.
    _("The signal would be suggested for a report that tells nothing."),
    _("Ask for a value of at least one field."),
    _("Write field: value, or 'field|exists': yes."),
    _("Only exists can be asked, with yes or no."),
    _("Write '%(name)s|%(modifier)s'."),
    _("Write the two digits of a chapter of the Harmonised System."),
    # Of what is proposed.
    _("Your organisation has a model with this id."),
    _("Propose the text as its next version, or give it an id of its own."),
    _("The id is not that of the model."),
    _("Its version is %(version)s, and %(held)s is in force."),
    _("Write version: %(number)s"),
)
"""What the language of models says and that of patterns does not."""


@cache
def _known() -> Known:
    return fault_words.expressions((*SENTENCES, *fault_words.SENTENCES))
