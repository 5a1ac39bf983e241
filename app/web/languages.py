"""Which language a page speaks, and the words of every closed list in that language.

A value that travels or is stored never changes with the language; only its words do. Tests hold
the lists below to the vocabulary, and the catalogues in `translations/` to the lists.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import flask_babel
from flask import Flask, request
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.access import Means
from app.accounts.authentication import Refusal, signed_in
from app.audit.catalogue import Operation
from app.audit.entry import Outcome
from postern.vocabulary import (
    Assertion,
    Band,
    Concealment,
    DeclaredCategory,
    EvaluationKind,
    FacetAnswer,
    Kind,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Scope,
    Sector,
    Service,
    SubjectCategory,
    Substance,
)

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "fr": "Français",
    "nl": "Nederlands",
    "de": "Deutsch",
}
"""Code (ISO 639-1) to the language's name in itself; the first is spoken when nothing else fits."""

COOKIE = "postern_language"
"""Remembers the choice of a browser in which nobody is signed in; it carries a code, no person."""


def install_languages(app: Flask) -> None:
    """Choose the language of each request and give the templates words and dates."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "web/translations"
    flask_babel.Babel(app, locale_selector=_chosen_locale)
    app.jinja_env.filters["words"] = words
    app.jinja_env.filters["translated"] = translated


def chosen_language() -> str:
    """The code of the language of the request in progress.

    What the person chose goes first, then the choice of this browser before anybody signed in,
    then what the browser asks for (Accept-Language).
    """
    person = signed_in()
    for chosen in (person.language if person else "", request.cookies.get(COOKIE, "")):
        if chosen in LANGUAGES:
            return chosen
    return request.accept_languages.best_match(LANGUAGES, default="en") or "en"


def _chosen_locale() -> str:
    # British dates: a clock of 24 hours, the day before the month.
    chosen = chosen_language()
    return "en_GB" if chosen == "en" else chosen


def language() -> str:
    """The code of the language in which this answer is being written."""
    locale = flask_babel.get_locale()
    return str(locale.language) if locale else "en"


def gettext(sentence: str, **names: object) -> str:
    """The sentence in the present language, with its names filled in."""
    return str(flask_babel.gettext(sentence, **names))


def ngettext(one: str, many: str, num: int, **names: object) -> str:
    """The sentence that the present language uses for `num`, which it may name as %(num)s."""
    return str(flask_babel.ngettext(one, many, num, **names))


def translated(sentence: str) -> str:
    """A sentence of the platform (an error's, an act's) in the present language."""
    return gettext(sentence) if sentence else ""


def words(value: StrEnum | str, kind: str | None = None) -> str:
    """The words of one value of a closed list; a code without words stands for itself.

    A plain string needs the name of its list, such as `Purpose`.
    """
    name = kind or type(value).__name__
    found = WORDS.get(name, {}).get(str(value))
    return str(value) if found is None else str(found)


def _by_value(told: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {str(member): sentence for member, sentence in told.items()}


WORDS: Mapping[str, Mapping[str, LazyString]] = {
    "Sector": _by_value(
        {
            Sector.POST: _("post"),
            Sector.COURIER: _("courier"),
            Sector.CUSTOMS: _("customs"),
            Sector.POLICE: _("police"),
            Sector.AUTHORITY: _("authority"),
        }
    ),
    "Role": _by_value(
        {
            Role.SUBMITTER: _("Submitter"),
            Role.ANALYST: _("Analyst"),
            Role.APPROVER: _("Approver"),
            Role.COMPLIANCE: _("Compliance officer"),
            Role.POLICY_OWNER: _("Policy owner"),
            Role.ADMINISTRATOR: _("Administrator"),
        }
    ),
    "Kind": _by_value(
        {
            Kind.PARTY: _("party"),
            Kind.ADDRESS: _("address"),
            Kind.INDUCTION_POINT: _("induction point"),
            Kind.VENDOR: _("vendor"),
            Kind.PGP: _("PGP key"),
            Kind.PHONE: _("phone number"),
            Kind.EMAIL: _("e-mail address"),
            Kind.PAYMENT: _("payment"),
            Kind.ITEM: _("item"),
        }
    ),
    "EvaluationKind": _by_value(
        {
            EvaluationKind.POSTAL: _("parties and addresses"),
            EvaluationKind.VENDOR: _("vendors"),
            EvaluationKind.PGP: _("PGP keys"),
            EvaluationKind.PHONE: _("phone numbers"),
            EvaluationKind.EMAIL: _("e-mail addresses"),
            EvaluationKind.PAYMENT: _("payments"),
            EvaluationKind.ITEM: _("items"),
        }
    ),
    "PartyRole": _by_value(
        {
            PartyRole.SENDER: _("sender"),
            PartyRole.ADDRESSEE: _("addressee"),
            PartyRole.INDUCTION_POINT: _("induction point"),
            PartyRole.VENDOR: _("vendor"),
            PartyRole.SHIPMENT: _("shipment"),
            PartyRole.UNKNOWN: _("unknown"),
        }
    ),
    "Purpose": _by_value(
        {
            Purpose.PARCEL_SCREENING: _("parcel screening"),
            Purpose.CUSTOMS_CONTROL: _("customs control"),
            Purpose.CRIMINAL_INVESTIGATION: _("criminal investigation"),
            Purpose.CRIMINAL_INTELLIGENCE: _("criminal intelligence"),
            Purpose.RISK_ANALYSIS: _("risk analysis"),
            Purpose.SERVICE_SECURITY: _("security of the service"),
        }
    ),
    "LegalBasis": _by_value(
        {
            LegalBasis.POLICE_LAW: _("police law"),
            LegalBasis.CRIMINAL_PROCEDURE: _("criminal procedure"),
            LegalBasis.CUSTOMS_LAW: _("customs law"),
            LegalBasis.POSTAL_LAW: _("postal law"),
            LegalBasis.COURT_ORDER: _("court order"),
            LegalBasis.LEGAL_OBLIGATION: _("legal obligation"),
            LegalBasis.PUBLIC_TASK: _("public task"),
            LegalBasis.LEGITIMATE_INTEREST: _("legitimate interest"),
        }
    ),
    "SubjectCategory": _by_value(
        {
            SubjectCategory.UNKNOWN: _("unknown"),
            SubjectCategory.UNWITTING: _("unwitting person"),
            SubjectCategory.SUSPECT: _("suspect"),
            SubjectCategory.CONVICTED: _("convicted person"),
            SubjectCategory.VICTIM: _("victim"),
            SubjectCategory.OTHER: _("other"),
        }
    ),
    "Assertion": _by_value(
        {Assertion.FACT: _("fact"), Assertion.ASSESSMENT: _("assessment")},
    ),
    "Learned": _by_value(
        {
            Learned.OUTSIDE_OF_ITEM: _("from the outside of the item"),
            Learned.CARRIER_RECORD: _("from the carrier's records"),
            Learned.XRAY: _("X-ray image"),
            Learned.DOG: _("detection dog"),
            Learned.LAWFUL_OPENING: _("lawful opening"),
            Learned.CUSTOMS_CONTROL: _("customs control"),
            Learned.COURT_ORDER: _("court order"),
            Learned.OPEN_SOURCE: _("open source"),
        }
    ),
    "PermittedAction": _by_value(
        {
            PermittedAction.KNOW: _("know"),
            PermittedAction.WATCH: _("watch"),
            PermittedAction.HOLD_FOR_CUSTOMS: _("hold for customs"),
            PermittedAction.OPEN_BY_AUTHORITY: _("open by the authority"),
            PermittedAction.CONTACT_SENDER: _("contact the sender"),
        }
    ),
    "Level": _by_value(
        {
            Level.PRESENCE: _("presence"),
            Level.METADATA: _("metadata"),
            Level.REQUEST: _("on request"),
        }
    ),
    "Service": _by_value(
        {
            Service.LETTER: _("letter"),
            Service.REGISTERED: _("registered item"),
            Service.PARCEL: _("parcel"),
            Service.EXPRESS: _("express"),
            Service.FREIGHT: _("freight"),
        }
    ),
    "DeclaredCategory": _by_value(
        {
            DeclaredCategory.GIFT: _("gift"),
            DeclaredCategory.DOCUMENTS: _("documents"),
            DeclaredCategory.COMMERCIAL_SAMPLE: _("commercial sample"),
            DeclaredCategory.RETURNED_GOODS: _("returned goods"),
            DeclaredCategory.SALE_OF_GOODS: _("sale of goods"),
            DeclaredCategory.OTHER: _("other"),
        }
    ),
    "Concealment": _by_value(
        {
            Concealment.NONE: _("none"),
            Concealment.DECOY_GOODS: _("decoy goods"),
            Concealment.FOOD: _("food"),
            Concealment.TOY: _("toy"),
            Concealment.ELECTRONICS: _("electronics"),
            Concealment.BOOK_OR_DOCUMENTS: _("book or documents"),
            Concealment.CLOTHING: _("clothing"),
            Concealment.COSMETICS: _("cosmetics"),
            Concealment.DOUBLE_WALL: _("double wall"),
            Concealment.VACUUM_SEALED: _("vacuum sealed"),
            Concealment.OTHER: _("other"),
        }
    ),
    "Substance": _by_value(
        {
            Substance.UNKNOWN: _("unknown"),
            Substance.MDMA: _("MDMA"),
            Substance.KETAMINE: _("ketamine"),
            Substance.AMPHETAMINE: _("amphetamine"),
            Substance.METHAMPHETAMINE: _("methamphetamine"),
            Substance.COCAINE: _("cocaine"),
            Substance.HEROIN: _("heroin"),
            Substance.CANNABIS: _("cannabis"),
            Substance.LSD: _("LSD"),
            Substance.NPS: _("new psychoactive substance"),
            Substance.NITAZENE: _("nitazene"),
            Substance.FENTANYL: _("fentanyl"),
            Substance.PRECURSOR: _("precursor"),
            Substance.MEDICINE: _("medicine"),
            Substance.OTHER: _("other"),
        }
    ),
    "FacetAnswer": _by_value(
        {
            FacetAnswer.AGREES: _("agrees"),
            FacetAnswer.DIFFERS: _("differs"),
            FacetAnswer.COMMON: _("too common to tell"),
            FacetAnswer.ABSENT: _("not given"),
        }
    ),
    "Band": _by_value({Band.STRONG: _("strong"), Band.LIKELY: _("likely")}),
    "Scope": _by_value(
        {
            Scope.EVALUATE: _("evaluate blinded identifiers"),
            Scope.REPORTS_WRITE: _("submit and withdraw reports"),
            Scope.REPORTS_READ: _("read own reports"),
            Scope.LOOKUPS_WRITE: _("look up identifiers"),
            Scope.AUDIT_READ: _("read the access log"),
        }
    ),
    "Operation": _by_value(
        {
            Operation.COLLECTION: _("collection"),
            Operation.ALTERATION: _("alteration"),
            Operation.CONSULTATION: _("consultation"),
            Operation.COMBINATION: _("combination"),
            Operation.DISCLOSURE: _("disclosure"),
            Operation.ERASURE: _("erasure"),
            Operation.ADMINISTRATION: _("administration"),
        }
    ),
    "Outcome": _by_value(
        {
            Outcome.OK: _("done"),
            Outcome.DENIED: _("denied"),
            Outcome.ERROR: _("failed"),
        }
    ),
    "Refusal": _by_value(
        {
            Refusal.MALFORMED: _("not a token"),
            Refusal.UNKNOWN: _("unknown"),
            Refusal.SECRET: _("wrong secret"),
            Refusal.PASSWORD: _("wrong password"),
            Refusal.LOCKED: _("locked after too many attempts"),
            Refusal.REVOKED: _("revoked"),
            Refusal.EXPIRED: _("expired"),
            Refusal.CLOSED: _("account closed"),
            Refusal.SUSPENDED: _("organisation suspended"),
        }
    ),
    "Means": _by_value(
        {
            Means.SESSION: _("web session"),
            Means.TOKEN: _("API token"),
            Means.CONSOLE: _("platform's console"),
        }
    ),
}
"""Name of the list, value, words. Grades, TLP, handling codes and bands of numbers are codes."""

PROBLEMS: tuple[LazyString, ...] = (
    _("The request cannot be served"),
    _("Correct the request and send it again."),
    _("Some fields of the request are not valid"),
    _("Correct the fields listed in errors and send the request again."),
    _("The request cannot be read"),
    _("Send a JSON object with the content type application/json."),
    _("The request carries no valid sign-in"),
    _("Sign in, or send a valid API token as Authorization: Bearer."),
    _("Your roles or your token's scopes do not allow this"),
    _("Ask your organisation's administrator for the role, or use a token with the scope."),
    _("There is nothing here for you"),
    _("Check the address; what you may not see is answered like what does not exist."),
    _("This address does not know that method"),
    _("Look the method up in the interface description at /api/docs."),
    _("The request contradicts what is stored"),
    _("Read the present state and decide again."),
    _("The request is larger than the platform accepts"),
    _("Split it into smaller requests."),
    _("The content type of the request is not supported"),
    _("Send application/json."),
    _("The quota is spent"),
    _("Wait for the time in Retry-After, or ask the platform's administrator for more."),
    _("The form was not sent from a page of this platform, or it is too old"),
    _("Open the page again and repeat the step."),
    _("The platform cannot answer now"),
    _("Try again in a moment; nothing was changed."),
    _("The platform failed"),
    _("Tell the platform's administrator the reference in instance."),
    _("The platform does not speak this language."),
    _("Choose one of the languages at the top of the page."),
    _("There is no such API token for you"),
    _("List your tokens and use the id of one of them."),
    _("The password does not meet the rule"),
    _("Choose at least 12 characters that are not your sign-in name."),
    _("A password has 12 to 1024 characters"),
    _("The password is the sign-in name"),
    _("The present password is wrong, or there were too many attempts."),
    _("Choose scopes from the list and write a number of days."),
    _("A token needs at least one scope."),
)
"""What errors say on pages; the sentences stand with the errors, in English, and are found here."""
