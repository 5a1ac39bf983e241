"""What the page of search says: the words of what was recognised, compared and found.

`search_words()` gives a page's scripts every word they say, in the language of the page; a script
holds none. Tests hold the lists to the code they speak of.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.errors import CrossSiteRequestError, PosternError, QuotaSpentError
from app.indicators.report_words import DOUBTS
from app.lookups.watches import TooManyWatchesError
from app.pseudonyms.service import EpochClosedError
from app.web.languages import translated, words
from postern.explanation import Agreement, ComparedPart
from postern.facet_kinds import FACETS
from postern.normalise.values import Flag
from postern.recognise import Certainty, Sign
from postern.vocabulary import (
    Assertion,
    Band,
    Concealment,
    FacetAnswer,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Sector,
    Service,
    Substance,
)

SIGNS: Mapping[Sign, LazyString] = {
    Sign.MAIL_FORM: _("it has the form of an e-mail address"),
    Sign.MARKET: _("a handle and a market stand on the two sides of an @"),
    Sign.AT_FIRST: _("it begins with an @"),
    Sign.ONE_WORD: _("it is one word"),
    Sign.WORDS: _("it is words without a number; a name is not looked up without an address"),
    Sign.CHECK_DIGIT: _("its check digits are right"),
    Sign.WRONG_CHECK_DIGIT: _("it has the form, but its check digits are wrong"),
    Sign.WALLET_FORM: _("it has the form of a wallet's address"),
    Sign.PREFIX: _("it begins as this kind does"),
    Sign.LETTERS_AND_DIGITS: _("it is one run of letters and digits, as carriers number items"),
    Sign.HEX_DIGITS: _("it has as many hexadecimal digits as a fingerprint"),
    Sign.INTERNATIONAL: _("it begins with + or 00 and has the digits of a telephone number"),
    Sign.NATIONAL: _("it begins with 0 and has the digits of a telephone number"),
    Sign.DIGITS: _("it is digits alone"),
    Sign.NAME_AND_ADDRESS: _("a name stands before an address"),
    Sign.STREET_AND_TOWN: _("it has a street, a house number and a postcode"),
    Sign.STREET: _("it has a house number with a street or a postcode"),
    Sign.PARTS: _("it has parts of an address"),
}

CERTAINTIES: Mapping[Certainty, LazyString] = {
    Certainty.CERTAIN: _("certain"),
    Certainty.LIKELY: _("likely"),
    Certainty.POSSIBLE: _("a guess: check it"),
}

PARTS: Mapping[ComparedPart, LazyString] = {
    ComparedPart.NAME: _("Name"),
    ComparedPart.STREET: _("Street"),
    ComparedPart.HOUSE_NUMBER: _("House number"),
    ComparedPart.POSTCODE: _("Postcode"),
    ComparedPart.CITY: _("City"),
    ComparedPart.HANDLE: _("Handle"),
    ComparedPart.MARKET: _("Market"),
    ComparedPart.VALUE: _("Value"),
}

AGREEMENTS: Mapping[Agreement, LazyString] = {
    Agreement.SAME: _("agrees"),
    Agreement.SPELLING: _("spelled differently"),
    Agreement.PARTLY: _("partly the same"),
    Agreement.DIFFERS: _("differs"),
    Agreement.UNKNOWN: _("cannot be told"),
}

FLAGS: Mapping[Flag, LazyString] = {
    **{flag: DOUBTS[flag] for flag in Flag},
    Flag.NO_CITY: _("no city was given"),
    Flag.UNKNOWN_COUNTRY: _("the country code is not one of ISO 3166-1"),
}
"""What is doubtful of a value, in the words of a report but for the two fields typed apart here."""

FACET_WORDS: Mapping[str, LazyString] = {
    "EK*P": _("a word of the name (by its sound) and the postcode"),
    "E4*S4": _("the beginning of a word of the name and of the street"),
    "P*H": _("the postcode and the house number"),
    "SK*H": _("the street (by its sound) and the house number"),
    "R3*P*HT": _("the beginning of the street, the postcode and the digits of the house number"),
    "S4*HS*CT": _(
        "the beginning of the street, the house number with suffix and the end of the city"
    ),
    "T3*P*HT": _("the end of the street, the postcode and the digits of the house number"),
    "NI*R3": _("the initials and the beginning of the street"),
    "TI*C3*H": _("the end of a word of the name, the other initial, the city and the house number"),
    "NK*P3": _("the whole name (by its sound) and the beginning of the postcode"),
    "NS*P*HT": _("the initials (by their sound), the postcode and the digits of the house number"),
    "NK*HT": _("the whole name (by its sound) and the digits of the house number"),
    "BT*P": _("the ends of both words of the name and the postcode"),
    "PHONE": _("the telephone number"),
    "PGP": _("the fingerprint of the key"),
    "EMAIL": _("the e-mail address"),
    "PAYMENT": _("the wallet or account"),
    "ITEM": _("the identifier of the item"),
    "ITEM*BATCH": _("the batch of the identifier (all but its last three digits)"),
    "VENDOR*MARKET": _("the handle on the same market"),
    "VENDOR": _("the handle"),
    "VENDOR*STRIPPED": _("the handle without its additions"),
    "VENDOR*SOUND": _("the sound of the handle"),
    "POINT": _("the induction point"),
}

REFUSALS: tuple[LazyString, ...] = (_("Write a day as YYYY-MM-DD."),)
"""What the page of past lookups refuses with, in `search_pages`."""

_SAID: Mapping[str, LazyString] = {
    "search.begins": _("The platform's keys are being checked."),
    "search.why": _("%(case)s · %(purpose)s, %(basis)s"),
    "search.why_needed": _("Say first why you ask."),
    "search.why_needed.remedy": _("Choose purpose and legal basis, and give the case."),
    "search.nothing_typed": _("Nothing was typed."),
    "search.nothing_typed.remedy": _("Type or paste what you look for."),
    "search.unknown": _("This was not recognised."),
    "search.unknown.remedy": _(
        "Choose what it is, or add to it: an address needs a house number with a street or a"
        " postcode."
    ),
    "search.too_little": _("It holds too little to be compared with others."),
    "search.too_little.remedy": _("Add a house number and a postcode or city."),
    "search.too_many": _("A list holds at most %(most)s lines; this one has %(lines)s."),
    "search.too_many.remedy": _("Cut it into several. Nothing was looked up."),
    "search.recognised": _("%(certainty)s: %(sign)s"),
    "search.chosen": _("chosen by you"),
    "search.understood": _("Compared as: %(form)s"),
    "search.blinding": _("Being turned into pseudonyms"),
    "search.asking": _("The platform is asked"),
    "search.list.one": _("%(num)s line can be looked up."),
    "search.list.other": _("%(num)s lines can be looked up."),
    "search.wrong.one": _("%(num)s cannot; it is marked."),
    "search.wrong.other": _("%(num)s cannot; they are marked."),
    "search.asked.one": _("%(num)s line was looked up."),
    "search.asked.other": _("%(num)s lines were looked up."),
    "search.with_hits.one": _("%(num)s has an answer."),
    "search.with_hits.other": _("%(num)s have an answer."),
    "search.waiting.one": _("%(num)s was not asked yet."),
    "search.waiting.other": _("%(num)s were not asked yet."),
    "search.nothing": _("nothing that you may see"),
    "search.not_asked": _("not asked yet"),
    "search.show": _("Show"),
    "search.show_line": _("Show the answer to line %(line)s"),
    "search.line": _("Line %(line)s"),
    "search.found.one": _("%(num)s organisation holds something of it"),
    "search.found.other": _("%(num)s organisations hold something of it"),
    "search.nobody": _("No answer that you may see"),
    "search.logged": _("Logged at %(at)s"),
    "search.own": _("your own organisation"),
    "search.count": _("%(level)s: %(count)s"),
    "search.precision": _(
        "At least %(share)s of the matches that were measured as %(band)s are right."
    ),
    "search.unmeasured": _("How often matches of this kind are right was not measured."),
    "search.points": _("Together with what a match of this kind weighs beforehand: %(bits)s bits."),
    "search.something": _("Something is known"),
    "search.agrees": _("%(part)s: %(agreement)s"),
    "search.span": _("%(first)s to %(last)s"),
    "search.not_told": _("not told"),
    "search.corridor": _("%(origin)s to %(destination)s"),
    "search.step": _("Step %(step)s of 7"),
    "search.grams": _("%(band)s g"),
    "search.value": _("declared %(band)s euro"),
    "search.marked": _("TLP:%(tlp)s"),
    "search.title": _("%(kind)s, %(role)s"),
    "search.ask_of": _("Ask %(owner)s for it"),
    "search.asked_for": _("what you searched"),
    "search.matches": _("matches"),
    "search.names": _("names"),
    "search.part_of": _("stands in"),
    "search.report": _("report %(id)s"),
    "search.report_kind": _("Reports"),
    "search.nothing_beside": _("Its report names nothing else that you may list."),
    "search.beside.one": _("Its report names %(num)s other; the drawing below shows it."),
    "search.beside.other": _("Its report names %(num)s others; the drawing below shows them."),
    "search.watch_set": _("The watch is set, until %(day)s."),
    "search.watch_wrong": _("The last day must lie ahead, and no later than %(day)s."),
    "search.watch_wrong.remedy": _("Choose another day."),
    "search.outcome_told": _("The owner is told."),
    "search.outcome_wrong": _("Say what came of it and what was done."),
    "search.outcome_wrong.remedy": _("Choose one of each of the first five lists."),
    "search.quantity_wrong": _(
        "A quantity is a number above 0 with at most 3 decimals, and has a unit."
    ),
    "search.quantity_wrong.remedy": _("Correct it, or leave it out."),
    "search.refills": _(
        "It begins again at %(at)s. What was answered until now is kept below, and nothing typed"
        " is lost."
    ),
    "refused.sign-in-needed": _("You are not signed in any more."),
    "refused.sign-in-needed.remedy": _(
        "Sign in again in another tab, and search again here: what you typed stays."
    ),
    "search.file_line": _("line"),
    "search.file_text": _("text"),
    "search.file_kind": _("kind"),
    "search.file_answer": _("answer"),
    "search.file_owners": _("organisations"),
    "search.file_reason": _("reason"),
    "search.file_remedy": _("what to do"),
    "search.file_answers": _("answers.csv"),
    "search.file_rejected": _("wrong-lines.csv"),
}
"""What the page says besides; `.one` and `.other` are forms of number."""

_LISTS: Mapping[str, type[StrEnum]] = {
    "kind": Kind,
    "role": PartyRole,
    "level": Level,
    "band": Band,
    "answer": FacetAnswer,
    "assertion": Assertion,
    "action": PermittedAction,
    "substance": Substance,
    "concealment": Concealment,
    "service": Service,
    "sector": Sector,
    "purpose": Purpose,
    "basis": LegalBasis,
}

_REFUSED: tuple[type[PosternError], ...] = (
    QuotaSpentError,
    EpochClosedError,
    CrossSiteRequestError,
    TooManyWatchesError,
)
"""Refusals that a person meets without having made a mistake."""


def search_words() -> dict[str, str]:
    """Keys to what the scripts of the page say, in the language of the page."""
    return dict(
        chain(
            *(_of_list(name, each) for name, each in _LISTS.items()),
            _of("sign", SIGNS),
            _of("certainty", CERTAINTIES),
            _of("part", PARTS),
            _of("agreement", AGREEMENTS),
            _of("flag", FLAGS),
            ((f"facet.{number}", str(FACET_WORDS[kind])) for number, kind in FACETS.items()),
            *(_of_error(error) for error in _REFUSED),
            ((key, str(sentence)) for key, sentence in _SAID.items()),
        )
    )


def _of_list(name: str, values: type[StrEnum]) -> Iterable[tuple[str, str]]:
    return ((f"{name}.{each.value}", words(each)) for each in values)


def _of(name: str, said: Mapping[Any, LazyString]) -> Iterable[tuple[str, str]]:
    return ((f"{name}.{each.value}", str(sentence)) for each, sentence in said.items())


def _of_error(error: type[PosternError]) -> Iterable[tuple[str, str]]:
    yield f"refused.{error.code}", translated(error.title)
    yield f"refused.{error.code}.remedy", translated(error.remedy)
