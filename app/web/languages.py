"""Which language a page speaks, and the words of every closed list in that language.

A value that travels or is stored never changes with the language; only its words do. Tests hold
the lists below to the vocabulary, and the catalogues in `translations/` to the lists.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import flask_babel
from flask import Flask, request
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from jinja2 import pass_context
from jinja2.runtime import Context

from app.access import Means
from app.accounts.authentication import Refusal, signed_in
from app.audit.catalogue import Operation
from app.audit.entry import Outcome
from app.compliance.models import Verdict, Wholeness
from app.compliance.signal_words import NAMES as SIGNAL_NAMES
from app.sharing.history import VersionState
from app.sharing.models import Cause, DraftStatus
from app.sharing.rules import Effect
from app.web import numbered_words
from app.web.disclosure_words import DISCLOSURE_WORDS
from app.web.exchange_words import EXCHANGE_WORDS
from app.web.pattern_words import PATTERN_WORDS
from app.web.proof_words import ENTRY_REFUSALS, PROOF_WORDS
from app.web.rotation_words import ROTATION_WORDS
from postern.vocabulary import (
    Action,
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
    Told,
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
    # Where the value is a constant of a template, Jinja would keep the words of whoever came first.
    app.jinja_env.filters["words"] = _each_time(words)
    app.jinja_env.filters["translated"] = _each_time(translated)


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


def locale_of(code: str) -> str:
    """The locale of a language's code. British dates: 24 hours, the day before the month."""
    return "en_GB" if code == "en" else code


def _each_time(said: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filtered(_context: Context, *told: Any, **names: Any) -> str:
        return said(*told, **names)

    return filtered


def _chosen_locale() -> str:
    return locale_of(chosen_language())


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
    if not sentence:
        return ""
    told = gettext(sentence)
    return numbered_words.said(sentence) or told if told == sentence else told


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
            Kind.PATTERN: _("shipping pattern"),
            Kind.BARRIER: _("barrier"),
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
    "Action": _by_value(
        {
            Action.PRESENCE: _("presence"),
            Action.METADATA: _("metadata"),
            Action.REQUEST: _("on request"),
            Action.SCREEN: _("filters to screen with"),
            Action.FEED: _("lists, counts and exports"),
            Action.TELL_OWNER: _("you are told of the hit too"),
            Action.ALERT_OWNER: _("you alone are told of the hit"),
            Action.ONWARD: _("passing on"),
        }
    ),
    "Told": _by_value(
        {
            Told.BOTH: _("both are told"),
            Told.OWNER_ONLY: _("only you are told"),
            Told.REQUESTER_ONLY: _("only the reader is told"),
        }
    ),
    "Effect": _by_value(
        {
            Effect.PERMIT: _("lets out"),
            Effect.FORBID: _("holds back"),
        }
    ),
    "DraftStatus": _by_value(
        {
            DraftStatus.EDITING: _("being written"),
            DraftStatus.PROPOSED: _("waits for a decision"),
            DraftStatus.APPROVED: _("approved"),
            DraftStatus.REFUSED: _("refused"),
            DraftStatus.DISCARDED: _("discarded"),
        }
    ),
    "VersionState": _by_value(
        {
            VersionState.IN_FORCE: _("in force"),
            VersionState.SCHEDULED: _("waits for its time"),
            VersionState.CANCELLED: _("cancelled before its time"),
            VersionState.PAST: _("past"),
        }
    ),
    "Cause": _by_value(
        {
            Cause.CONSOLE: _("first policy, from the platform's console"),
            Cause.DRAFT: _("approved draft"),
            Cause.STOP: _("all sharing stopped"),
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
            Scope.INDICATORS_READ: _("read what others share"),
            Scope.AUDIT_READ: _("read the access log"),
            Scope.AUDIT_WITNESS: _("witness the log"),
            Scope.KEYS_WRITE: _("publish the organisation's public keys"),
            Scope.DISCLOSURES_ASK: _("ask for disclosures and fetch them"),
            Scope.DISCLOSURES_DECIDE: _("decide disclosure requests"),
            Scope.WATCHES_WRITE: _("set and stop watches"),
            Scope.OUTCOMES_WRITE: _("tell and read outcomes"),
            Scope.PATTERNS_READ: _("read and fetch shared patterns"),
            Scope.PATTERNS_WRITE: _("write patterns, subscribe, and tell counts"),
            Scope.BARRIERS_READ: _("read barrier models and barriers"),
            Scope.BARRIERS_WRITE: _("tag with steps, and register barriers"),
            Scope.RECALLS_WRITE: _("answer recalls, read who got what"),
            Scope.SCREENING_RUN: _("make filters and evaluate in bulk to screen parcels"),
            Scope.SUBJECTS_WRITE: _("work on subject requests"),
            Scope.EXCHANGE_READ: _("fetch what others share by TAXII or MISP"),
            Scope.EXCHANGE_WRITE: _("add indicators by TAXII"),
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
    "Signal": _by_value(SIGNAL_NAMES),
    "Wholeness": _by_value(
        {
            Wholeness.WHOLE: _("whole"),
            Wholeness.NOT_WHOLE: _("NOT whole"),
            Wholeness.UNTOLD: _("it could not be told"),
        }
    ),
    "Verdict": _by_value(
        {
            Verdict.IN_ORDER: _("in order"),
            Verdict.MISTAKE: _("mistake"),
            Verdict.BREACH: _("breach"),
            Verdict.UNCLEAR: _("unclear"),
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
            Refusal.DISABLED: _("account disabled"),
            Refusal.SUSPENDED: _("organisation suspended"),
        }
        | dict(ENTRY_REFUSALS)
    ),
    "Means": _by_value(
        {
            Means.SESSION: _("web session"),
            Means.TOKEN: _("API token"),
            Means.CONSOLE: _("platform's console"),
            Means.BREAK_GLASS: _("emergency account"),
            Means.SIGNATURE: _("organisation's signature"),
        }
    ),
    "Proof": PROOF_WORDS,
    "RotationState": ROTATION_WORDS,
    **DISCLOSURE_WORDS,
    **EXCHANGE_WORDS,
    **PATTERN_WORDS,
}
"""Name of the list, value, words. Grades, TLP, handling codes and bands of numbers are codes."""

PROBLEMS: tuple[LazyString, ...] = (
    _("The database has another schema than this version of the platform needs"),
    _("Tell the platform's administrator; what to do stands in the log of the service."),
    _("The request names a host that this platform is not"),
    _("Use the address of the platform; its administrator may add others in network.hosts."),
    _("The token has ended or was revoked"),
    _("Make a new token instead."),
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
    _("The database was lost before it told whether the act was done"),
    _(
        "Look whether it was done before you repeat it; reports may be sent again with the same"
        " client key."
    ),
    _("The database does not answer."),
    _("All connections to the database are in use."),
    _("The machine has no room left."),
    _("Try again in a moment; nothing was changed."),
    _("The platform failed"),
    _("Tell the platform's administrator the reference in instance."),
    _("The platform does not speak this language."),
    _("Choose one of the languages at the top of the page."),
    _("Pages cannot look like this."),
    _("Choose one of what the page offers."),
    _("There is no such API token for you"),
    _("List your tokens and use the id of one of them."),
    _("The password does not meet the rule"),
    _("Choose at least 12 characters that are not your sign-in name."),
    _("A password has 12 to 1024 characters"),
    _("The password is the sign-in name"),
    _("The present password is wrong, or there were too many attempts."),
    _("Choose scopes from the list and write a number of days."),
    _("A token needs at least one scope."),
    _("This key is registered as a witness already"),
    _("Look at the list of witnesses; a key that was ended is never taken again."),
    _("Write the key as NAME+ID+KEY, as `postern witness init` prints it."),
    _("It is not the key of a witness. Make one with: postern witness init"),
    _("Give either records or a person."),
    _("Give at most 500 records."),
    _("A record has an id of 22 characters."),
    _("Write the pseudonym as the log does."),
    _("Name details such as actor or case."),
    _("Choose a rule and write a whole number."),
    _("Use 1 to 360 months, or 1 to 30 years."),
    _("Name law and article, in at most 200 characters."),
    _("It bears the name of the log. Give the witness a name of its own."),
    _("Somebody has changed the draft since you read it"),
    _("Read the draft again and decide on its newest revision, which the answer names."),
    _("The draft was approved, refused or discarded, and is kept as it was"),
    _("Make a new draft."),
    _("The draft waits for a second person, and its text stands still"),
    _("Withdraw the proposal first, then edit the draft and propose it again."),
    _("The draft was not proposed, or its proposal was withdrawn"),
    _("Have a policy owner propose the draft first."),
    _("The policy has changed since this text was compared with it"),
    _(
        "Open the draft again (withdraw it if it was proposed), compare it with the newest "
        "version, save it and propose it again."
    ),
    _("You wrote or proposed this draft, so somebody else must approve it"),
    _("Ask a policy owner or approver of your organisation who had no part in the draft."),
    _("A version of the policy is already waiting for its time"),
    _("Cancel that version first, or wait until it has taken effect."),
    _("This version does not wait for its time"),
    _("To go back to an earlier version, make a draft of it; to stop all sharing, use stop."),
    _("The policy text cannot take effect"),
    _("Correct the policies listed in errors; nothing has changed meanwhile."),
    _("Say why in up to 500 characters: the author reads it."),
    _("A reason has up to 500 characters of plain text."),
    _("A title has 1 to 200 characters of one line."),
    _("This moment has passed; leave it out to take effect with the approval."),
    _("This moment lies more than a year ahead; choose an earlier."),
    _("Write the moment as 2027-01-31T09:00, in UTC."),
    _("Choose what the rule permits."),
    _("Choose what the rule keeps back."),
    _("A handling code cannot be both demanded and excluded."),
    _("No record is as old as this and newer than the other age."),
    _("A rule that permits keeps nothing back: choose a level, or forbid."),
    _("Permit only those whom you name; everybody else can be forbidden."),
    _("Where only you are told, the reader gets nothing: leave the rest out."),
    _("A rule that forbids permits no level: choose what it keeps back."),
    _("Who is told can be chosen in a rule that permits only."),
    _("Name those whom the rule spares."),
    _("Another rule has this name."),
    _("Use an ISO 3166-1 code of two capital letters, such as NL."),
    _("Write the code: lower-case letters, digits and hyphens."),
    _("Write up to 40 lower-case letters, digits and hyphens, not ending in -onward or -untold."),
    _("Write one sentence."),
    _("Leave out control characters and broken ones."),
    _("Length must be between 1 and 200."),
    _(
        "Only hits that you were told of can be decided again. What a lookup matched and was hidden"
        " is recorded nowhere, on purpose, and hits of which only the reader was told are in the"
        " reader's log alone: so what the text would newly show is not among these figures."
        " Readers and indicators are taken as they are today, at the age of that day."
    ),
    _("no organisation of today is let in by it; it waits for one that joins"),
    _("Check sector, country and community if you meant a member of today."),
    _("it forbids nothing that another rule of this text permits"),
    _("Remove it, or check that it is about the same readers, purposes and records."),
    _(
        "it permits nothing that is not denied elsewhere: another rule of this text forbids"
        " it, or nothing permits the level before it"
    ),
)
"""What errors say on pages; the sentences stand with the errors, in English, and are found here."""
