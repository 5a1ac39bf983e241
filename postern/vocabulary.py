"""The closed lists of the domain, the same on premises and on the platform.

Values are what travels and what is stored; names are for code. Sources stand beside each list:
grades are Europol's 4x4 (Regulation (EU) 2016/794, Art. 29), handling codes SIENA's H0-H3,
TLP is version 2.0 of FIRST. The three axes are three fields and are never mixed.
"""

from enum import StrEnum


class Sector(StrEnum):
    """What an organisation is in the exchange."""

    POST = "post"
    COURIER = "courier"
    CUSTOMS = "customs"
    POLICE = "police"
    AUTHORITY = "authority"


class Role(StrEnum):
    """What a person may do for the organisation; a person may hold several."""

    SUBMITTER = "submitter"
    ANALYST = "analyst"
    APPROVER = "approver"
    COMPLIANCE = "compliance"
    POLICY_OWNER = "policy_owner"
    ADMINISTRATOR = "administrator"


class Kind(StrEnum):
    """What an indicator is an indicator of."""

    PARTY = "party"  # name and address
    ADDRESS = "address"
    INDUCTION_POINT = "induction_point"  # in clear: a place of the operator, not a person
    VENDOR = "vendor"  # market and handle
    PGP = "pgp"
    PHONE = "phone"
    EMAIL = "email"
    PAYMENT = "payment"
    ITEM = "item"
    PATTERN = "pattern"  # a shared shipping pattern: knowledge about parcels, no indicator
    BARRIER = "barrier"  # a measure that an organisation took: it is about nobody, no indicator


INDICATOR_KINDS: tuple[Kind, ...] = tuple(
    kind for kind in Kind if kind not in {Kind.PATTERN, Kind.BARRIER}
)
"""What a report or a lookup can be about: patterns and barriers are shared, but indicate nobody."""


class EvaluationKind(StrEnum):
    """Whose key evaluates: one key per evaluation kind and epoch.

    A party and an address share `POSTAL`, so that an address finds the parties living there.
    Induction points are not evaluated: they travel in clear.
    """

    POSTAL = "postal"
    VENDOR = "vendor"
    PGP = "pgp"
    PHONE = "phone"
    EMAIL = "email"
    PAYMENT = "payment"
    ITEM = "item"


EVALUATION_KIND: dict[Kind, EvaluationKind] = {
    Kind.PARTY: EvaluationKind.POSTAL,
    Kind.ADDRESS: EvaluationKind.POSTAL,
    Kind.VENDOR: EvaluationKind.VENDOR,
    Kind.PGP: EvaluationKind.PGP,
    Kind.PHONE: EvaluationKind.PHONE,
    Kind.EMAIL: EvaluationKind.EMAIL,
    Kind.PAYMENT: EvaluationKind.PAYMENT,
    Kind.ITEM: EvaluationKind.ITEM,
}
"""The evaluation kind of each kind that is evaluated.

`INDUCTION_POINT`, `PATTERN` and `BARRIER` are absent on purpose.
"""


class PartyRole(StrEnum):
    """The part that the thing indicated plays in the shipment (DESIGN.md: role)."""

    SENDER = "sender"
    ADDRESSEE = "addressee"
    INDUCTION_POINT = "induction_point"
    VENDOR = "vendor"
    SHIPMENT = "shipment"  # the item itself
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """Why an organisation processes or asks; a new purpose needs a new authorisation."""

    PARCEL_SCREENING = "parcel_screening"
    CUSTOMS_CONTROL = "customs_control"
    CRIMINAL_INVESTIGATION = "criminal_investigation"
    CRIMINAL_INTELLIGENCE = "criminal_intelligence"
    RISK_ANALYSIS = "risk_analysis"
    SERVICE_SECURITY = "service_security"


class LegalBasis(StrEnum):
    """Under which kind of law; the article itself belongs in the case file."""

    POLICE_LAW = "police_law"
    CRIMINAL_PROCEDURE = "criminal_procedure"
    CUSTOMS_LAW = "customs_law"
    POSTAL_LAW = "postal_law"
    COURT_ORDER = "court_order"
    LEGAL_OBLIGATION = "legal_obligation"  # GDPR Art. 6(1)(c)
    PUBLIC_TASK = "public_task"  # GDPR Art. 6(1)(e)
    LEGITIMATE_INTEREST = "legitimate_interest"  # GDPR Art. 6(1)(f)


class SubjectCategory(StrEnum):
    """LED Art. 6, with the uninvolved person whose name or address was borrowed."""

    UNKNOWN = "unknown"
    UNWITTING = "unwitting"
    SUSPECT = "suspect"
    CONVICTED = "convicted"
    VICTIM = "victim"
    OTHER = "other"


class Assertion(StrEnum):
    """LED Art. 7(1): facts are kept apart from assessments."""

    FACT = "fact"
    ASSESSMENT = "assessment"


class SourceGrade(StrEnum):
    """Reliability of the source, Europol 4x4."""

    A = "A"
    B = "B"
    C = "C"
    X = "X"


class InformationGrade(StrEnum):
    """Accuracy of the information, Europol 4x4; 4 when it was not assessed."""

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"


class Learned(StrEnum):
    """How the indicator was learned; postal secrecy allows some ways and not others."""

    OUTSIDE_OF_ITEM = "outside_of_item"
    CARRIER_RECORD = "carrier_record"
    XRAY = "xray"
    DOG = "dog"
    LAWFUL_OPENING = "lawful_opening"
    CUSTOMS_CONTROL = "customs_control"
    COURT_ORDER = "court_order"
    OPEN_SOURCE = "open_source"


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"


class Handling(StrEnum):
    """Handling codes as used in SIENA.

    H0: only to prevent and combat crime. H1: not in judicial proceedings without permission.
    H2: no further dissemination without permission. H3: other restrictions apply.
    """

    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"


HANDLING_AGAINST_TLP: dict[Tlp, frozenset[Handling]] = {
    Tlp.CLEAR: frozenset(Handling),
    Tlp.GREEN: frozenset({Handling.H2}),
    Tlp.AMBER: frozenset(),
    Tlp.AMBER_STRICT: frozenset(),
    Tlp.RED: frozenset(),
}
"""Handling codes that contradict a marking: what may go to everybody cannot be restricted."""


class PermittedAction(StrEnum):
    """How far a recipient may go, from knowing to contacting the sender."""

    KNOW = "know"
    WATCH = "watch"
    HOLD_FOR_CUSTOMS = "hold_for_customs"
    OPEN_BY_AUTHORITY = "open_by_authority"
    CONTACT_SENDER = "contact_sender"


class Level(StrEnum):
    """How much of an indicator a policy lets a viewer have; each includes those before it."""

    PRESENCE = "presence"
    METADATA = "metadata"
    REQUEST = "request"


class Action(StrEnum):
    """What a sharing policy decides on: the levels in their order, and what goes beyond them."""

    PRESENCE = "presence"
    METADATA = "metadata"
    REQUEST = "request"
    SCREEN = "screen"  # into filters that are matched against parcels on the reader's premises
    FEED = "feed"  # into lists, counts, exports and feeds
    TELL_OWNER = "tell_owner"  # the owner is told of a hit that the reader is told of
    ALERT_OWNER = "alert_owner"  # the owner is told of a hit that the reader is not told of
    ONWARD = "onward"  # the reader may pass it on to a third organisation


class Told(StrEnum):
    """Who is told of a hit."""

    BOTH = "both"
    OWNER_ONLY = "owner_only"
    REQUESTER_ONLY = "requester_only"


class Service(StrEnum):
    """The postal or courier product, coarsely."""

    LETTER = "letter"
    REGISTERED = "registered"
    PARCEL = "parcel"
    EXPRESS = "express"
    FREIGHT = "freight"


class WeightBand(StrEnum):
    """Gross weight in grams."""

    UP_TO_100 = "0-100"
    UP_TO_500 = "100-500"
    UP_TO_1000 = "500-1000"
    UP_TO_2000 = "1000-2000"
    UP_TO_5000 = "2000-5000"
    UP_TO_20000 = "5000-20000"
    OVER_20000 = "20000+"


class ValueBand(StrEnum):
    """Declared value in euro."""

    NONE = "0"
    UP_TO_22 = "0-22"
    UP_TO_150 = "22-150"
    UP_TO_1000 = "150-1000"
    OVER_1000 = "1000+"


class DeclaredCategory(StrEnum):
    """Category of item as declared on CN 22 and CN 23."""

    GIFT = "gift"
    DOCUMENTS = "documents"
    COMMERCIAL_SAMPLE = "commercial_sample"
    RETURNED_GOODS = "returned_goods"
    SALE_OF_GOODS = "sale_of_goods"
    OTHER = "other"


class Concealment(StrEnum):
    """Where in the item the substance was, or was thought to be, hidden."""

    NONE = "none"
    DECOY_GOODS = "decoy_goods"
    FOOD = "food"
    TOY = "toy"
    ELECTRONICS = "electronics"
    BOOK_OR_DOCUMENTS = "book_or_documents"
    CLOTHING = "clothing"
    COSMETICS = "cosmetics"
    DOUBLE_WALL = "double_wall"
    VACUUM_SEALED = "vacuum_sealed"
    OTHER = "other"


class Substance(StrEnum):
    """What was found or is suspected."""

    UNKNOWN = "unknown"
    MDMA = "mdma"
    KETAMINE = "ketamine"
    AMPHETAMINE = "amphetamine"
    METHAMPHETAMINE = "methamphetamine"
    COCAINE = "cocaine"
    HEROIN = "heroin"
    CANNABIS = "cannabis"
    LSD = "lsd"
    NPS = "nps"  # new psychoactive substance
    NITAZENE = "nitazene"
    FENTANYL = "fentanyl"
    PRECURSOR = "precursor"
    MEDICINE = "medicine"
    OTHER = "other"


class Scope(StrEnum):
    """What an API token may be used for; never more than its person's roles allow."""

    EVALUATE = "evaluate"
    REPORTS_WRITE = "reports:write"
    REPORTS_READ = "reports:read"
    LOOKUPS_WRITE = "lookups:write"
    INDICATORS_READ = "indicators:read"
    AUDIT_READ = "audit:read"
    AUDIT_WITNESS = "audit:witness"
    KEYS_WRITE = "keys:write"
    DISCLOSURES_ASK = "disclosures:ask"
    DISCLOSURES_DECIDE = "disclosures:decide"
    WATCHES_WRITE = "watches:write"
    OUTCOMES_WRITE = "outcomes:write"
    PATTERNS_READ = "patterns:read"
    PATTERNS_WRITE = "patterns:write"
    BARRIERS_READ = "barriers:read"
    BARRIERS_WRITE = "barriers:write"
    RECALLS_WRITE = "recalls:write"
    SCREENING_RUN = "screening:run"
    SUBJECTS_WRITE = "subjects:write"
    EXCHANGE_READ = "exchange:read"
    EXCHANGE_WRITE = "exchange:write"


class FacetAnswer(StrEnum):
    """What a lookup learned about one facet of a candidate."""

    AGREES = "agrees"
    DIFFERS = "differs"
    COMMON = "common"  # too many postings to tell: neutral
    ABSENT = "absent"  # one of the two sides does not have it: neutral


class Band(StrEnum):
    """How a score is shown to a person: a band with a measured precision."""

    STRONG = "strong"
    LIKELY = "likely"


class SealedPart(StrEnum):
    """What an envelope holds of a report, as it can be asked for and released."""

    VALUE = "value"  # of an indicator, in clear
    NOTE = "note"  # what the submitter wrote of it in free text
    ATTACHMENT = "attachment"  # a file of the report: the photo of a label, an X-ray image


class FourEyes(StrEnum):
    """When a release of an organisation needs a second person."""

    NEVER = "never"
    PERSONS = "persons"  # for kinds that can name a person
    ALWAYS = "always"


class Urgency(StrEnum):
    """How soon a disclosure request is to be decided; the clocks of Directive (EU) 2023/977."""

    NORMAL = "normal"
    URGENT = "urgent"
    LIFE = "life"  # imminent threat to life: break-glass


class RequestedAction(StrEnum):
    """What a requester asks to be done with the item, beside being told."""

    NONE = "none"
    LOCATE = "locate"
    HOLD_FOR_CUSTOMS = "hold_for_customs"
    EXAMINE = "examine"


class RequestState(StrEnum):
    """Where a disclosure request stands."""

    OPEN = "open"  # the owner is to decide
    QUESTIONED = "questioned"  # the owner asked back: the requester is to answer
    PROPOSED = "proposed"  # decided by one person, a second is needed
    RELEASED = "released"  # decided: all or part was delivered
    REFUSED = "refused"  # decided: nothing
    RECEIVED = "received"  # the requester proved that it opened the delivery
    WITHDRAWN = "withdrawn"  # by the requester
    LAPSED = "lapsed"  # not decided in time
    ENDED = "ended"  # the indicator ended before a decision
    RECALLED = "recalled"  # delivered, and called back since
    EXPIRED = "expired"  # delivered, and the delivery is erased since


class Answer(StrEnum):
    """What an owner decides on a disclosure request."""

    ALL = "all"
    PART = "part"
    NOTHING = "nothing"


class DecisionReason(StrEnum):
    """Why a disclosure request was decided as it was."""

    NECESSARY = "necessary"  # lawful, necessary and proportionate
    PARTLY_NECESSARY = "partly_necessary"
    LIFE_AT_RISK = "life_at_risk"
    NOT_NECESSARY = "not_necessary"
    TOO_BROAD = "too_broad"
    NO_LEGAL_BASIS = "no_legal_basis"
    OWN_PROCEEDINGS = "own_proceedings"  # it would harm own proceedings
    NOT_HELD = "not_held"  # not held any more, or it cannot be opened
    OTHER = "other"  # told in the sealed message


class DecisionState(StrEnum):
    """Whether a decision has an effect."""

    PROPOSED = "proposed"
    EFFECTIVE = "effective"
    REJECTED = "rejected"  # by the second person
    VOID = "void"  # the request ended before the second person judged


class MessageKind(StrEnum):
    """What a sealed message of a disclosure request is."""

    ASK = "ask"
    QUESTION = "question"
    ANSWER = "answer"
    REASON = "reason"


class TokenCheck(StrEnum):
    """What a requester found on deriving the token again from the disclosed value."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_CHECKED = "not_checked"  # no value was disclosed, or its key epoch is gone


class Way(StrEnum):
    """How an organisation got something of another's indicator."""

    LOOKUP = "lookup"
    LIST = "list"
    EXPORT = "export"
    WATCH = "watch"
    DISCLOSURE = "disclosure"
    FEED = "feed"
    FILTER = "filter"


class RecallKind(StrEnum):
    """What a recall asks of recipients: to erase what they got, or to correct it."""

    WITHDRAWAL = "withdrawal"
    CORRECTION = "correction"


class RecallReason(StrEnum):
    """Why something is called back or corrected."""

    WRONG_IDENTITY = "wrong_identity"
    WRONG_DATA = "wrong_data"
    UNLAWFUL = "unlawful"
    SOURCE_WITHDREW = "source_withdrew"
    SUBJECT_REQUEST = "subject_request"
    COURT_ORDER = "court_order"
    NO_LONGER_NEEDED = "no_longer_needed"
    OTHER = "other"


class AcknowledgementState(StrEnum):
    """How far a recipient is with a recall."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # read, and being worked on
    COMPLETED = "completed"


class Rectification(StrEnum):
    """What a recipient did with what it got."""

    ERASED = "erased"
    CORRECTED = "corrected"
    NOT_KEPT = "not_kept"
    KEPT_BY_LAW = "kept_by_law"  # restricted, where erasing it is against the law


class OutcomeResult(StrEnum):
    """What became of a report or a request."""

    PENDING = "pending"
    FOUND = "found"
    NOT_FOUND = "not_found"
    ERROR = "error"  # the indicator was wrong


class Step(StrEnum):
    """Whether one step of an outcome was done."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Unit(StrEnum):
    """Of the quantity of a substance that was found."""

    GRAM = "g"
    MILLILITRE = "ml"
    PIECE = "pieces"


class WatchEnd(StrEnum):
    """Why a watch ended."""

    EXPIRED = "expired"
    STOPPED = "stopped"


class HoldReason(StrEnum):
    """Why something must be kept although its time is over."""

    PROCEEDINGS = "proceedings"
    COURT_ORDER = "court_order"
    COMPLAINT = "complaint"
    SUBJECT_REQUEST = "subject_request"  # LED Art. 16(3)(b): kept as evidence, restricted
    OTHER = "other"


class SubjectRight(StrEnum):
    """What a person asks of an organisation: LED Art. 14 and 16, GDPR Art. 15 to 18."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"


class SubjectRequestState(StrEnum):
    """Where a subject request stands."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"


class ChannelKind(StrEnum):
    """How an organisation is told beside its pages."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DispatchState(StrEnum):
    """How the sending of one notification by one channel stands."""

    WAITING = "waiting"
    SENT = "sent"
    WITHHELD = "withheld"  # policy no longer lets it be told
    GIVEN_UP = "given_up"  # tried as often as it is tried; a person must look
