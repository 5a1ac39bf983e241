"""Templates: forms of rules that most organisations begin with.

The rules stand in policies/templates/, one file a template; what people read of a template stands
here, where the translators find it. A template is a beginning: whoever uses it gets its rules as a
form of their own, and a later release changes nothing in it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from app.errors import InvalidRequestError, NotFoundError
from app.sharing.policy_text import DIRECTORY
from app.sharing.rule_schemas import from_form
from app.sharing.rules import Rule
from postern.vocabulary import Sector

OWN_COUNTRY = "own"
"""Stands in a template for the country of the organisation that uses it."""

_SOME_COUNTRY = "BE"  # a stand-in with which a file is checked


class Audience(StrEnum):
    """For whose policy a template is meant."""

    OPERATORS = "operators"
    AUTHORITIES = "authorities"
    ALL = "all"

    def includes(self, sector: Sector) -> bool:
        """Whether it is meant for organisations of that sector."""
        is_operator = sector in {Sector.POST, Sector.COURIER}
        return self is Audience.ALL or is_operator == (self is Audience.OPERATORS)


@dataclass(frozen=True)
class Ask:
    """A parameter that the short form of a template shows: a rule by its name, and a field."""

    rule: str
    field: str


@dataclass(frozen=True)
class Template:
    """A preset; `title` and `summary` are English, and are known to the translations."""

    id: str
    title: str
    summary: str
    audience: Audience
    asks: tuple[Ask, ...]
    form: tuple[Mapping[str, Any], ...]  # as stored, where a country may be `own`

    def rules(self, country: str) -> list[Rule]:
        """The rules for an organisation of that country (ISO 3166-1 alpha-2, upper case).

        InvalidRequestError when it is not a country.
        """
        return from_form([_settled(rule, country) for rule in self.form])


def templates(sector: Sector | None = None) -> list[Template]:
    """The templates for an organisation of that sector, or all; in the order to show them in.

    ValueError names the file of a template that is damaged.
    """
    return [each for each in _all() if sector is None or each.audience.includes(sector)]


def template(template_id: str) -> Template:
    """The template of that id; NotFoundError when there is none."""
    for each in _all():
        if each.id == template_id:
            return each
    raise NotFoundError


def N_(sentence: str) -> str:  # noqa: N802 - the name by which Babel finds a sentence
    """Marks a sentence for the translators; a page translates it where it shows it."""
    return sentence


_WORDS: dict[str, tuple[str, str]] = {
    "nothing": (
        N_("Share nothing"),
        N_(
            "Nobody else learns anything of your records; your own people still see them. This is "
            "also how to stop all sharing."
        ),
    ),
    "customs-control": (
        N_("Customs of your country, to control parcels"),
        N_(
            "Customs of your country see what kind of record you have, how it is graded and the "
            "coarse facts of the shipment, for customs control, while it is younger than a year. "
            "This alone does not let them ask you for more."
        ),
    ),
    "customs-ask": (
        N_("Customs of your country may ask for what they may hold"),
        N_(
            "Where a record younger than a year allows customs to hold or open the item, customs "
            "of your country see it in outline and may ask you for the clear text. You decide on "
            "each request."
        ),
    ),
    "police-ask": (
        N_("Police of any member may ask"),
        N_(
            "Police of every member learn that you know something, for intelligence or an "
            "investigation. To investigate they may ask you for more. Asking is the highest level "
            "and includes the two below it: whoever may ask also sees the kind, the grades and "
            "the coarse facts of the record. You decide on each request."
        ),
    ),
    "police-investigation": (
        N_("Police of your country, under criminal procedure"),
        N_(
            "Police of your country who investigate under criminal procedure or a court order see "
            "your records and may ask you for more; you decide on each request. Information that "
            "was not assessed is answered with no more than that you know something."
        ),
    ),
    "operators-warn": (
        N_("Operators warn one another"),
        N_(
            "Other post and courier operators learn that you know a place, a vendor or an item "
            "marked CLEAR or GREEN, to secure their service. Never a person, never more than that, "
            "and never how many."
        ),
    ),
    "authorities-intelligence": (
        N_("Authorities share for intelligence"),
        N_(
            "Police and customs of every member see your records for criminal intelligence, and "
            "may ask you for more about facts from a reliable source."
        ),
    ),
    "screening-filters": (
        N_("Filters to screen parcels with"),
        N_(
            "Customs of your country get fresh records in the filters that they match against "
            "parcels on their own premises, and post and courier operators get those marked CLEAR "
            "or GREEN. A match tells them that you know something. Records to be known only are "
            "left out, and nothing goes from an authority into the filter of an operator, "
            "whatever this says."
        ),
    ),
    "shipping-patterns": (
        N_("Shipping patterns to screen with"),
        N_(
            "Members of every sector may list the shipping patterns that you publish, and screen "
            "their parcels with them. A pattern is a rule about parcels and names nobody, so an "
            "authority may share it with operators too. Nothing of your indicators is shared by "
            "this."
        ),
    ),
    "barriers": (
        N_("Barriers that you have set"),
        N_(
            "Members of every sector may list the barriers that you register, so that together "
            "you see what holds and where nothing does. A barrier is a measure and names nobody, "
            "so an authority may share it with operators too. Nothing of your indicators is "
            "shared by this."
        ),
    ),
    "risk-analysis-feed": (
        N_("A feed for risk analysis"),
        N_(
            "Police, customs and other authorities may list, count and export your records of "
            "places, vendors and items, for risk analysis. Records of persons, addresses and "
            "their accounts are not in it, nor those that carry H1, H2 or H3."
        ),
    ),
    "deconfliction": (
        N_("Deconfliction: only you are told"),
        N_(
            "When another authority looks up something that you know, you are told that it asked, "
            "and it is answered as if there were nothing; you decide whether to speak to it. Where "
            "another rule lets it see the record, that rule holds instead."
        ),
    ),
    "silent-investigation": (
        N_("Silent investigation: only the reader is told"),
        N_(
            "Police of your country who investigate under criminal procedure or a court order see "
            "your records, and you are not told of their hits. They cannot ask you for the clear "
            "text by this rule, since a request would tell you. The audit log keeps each hit."
        ),
    ),
    "holding-back": (
        N_("Hold back, whatever else is permitted"),
        N_(
            "Keeps back addressees that are only assessed, what is older than a year, and "
            "everything from readers who are not analysts; what carries H2 is answered with no "
            "more than that you know something. Add it to other templates: what forbids wins."
        ),
    ),
}
"""Title and summary of each template, in the order to show them in."""


@cache
def _all() -> tuple[Template, ...]:
    return tuple(_read(template_id) for template_id in _WORDS)


def _read(template_id: str) -> Template:
    file = DIRECTORY / "templates" / f"{template_id}.toml"
    document = tomllib.loads(file.read_text("utf-8"))
    title, summary = _WORDS[template_id]
    found = Template(
        id=template_id,
        title=title,
        summary=summary,
        audience=Audience(document["audience"]),
        asks=tuple(Ask(*ask.split(".")) for ask in document["asks"]),
        form=tuple(document["rules"]),
    )
    try:
        found.rules(_SOME_COUNTRY)
    except InvalidRequestError as error:
        raise ValueError(f"{file.name} is damaged: {error.extensions['errors']}") from None
    return found


def _settled(rule: Mapping[str, Any], country: str) -> dict[str, Any]:
    named = rule.get("countries", [])
    return {**rule, "countries": [country if code == OWN_COUNTRY else code for code in named]}
