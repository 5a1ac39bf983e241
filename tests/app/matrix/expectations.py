"""Who may do what, with which record, and what is answered: written by hand from the rules.

EXPECTED is the specification. Each route and verb of the platform stands in it; one that does not
fails the suite. Nothing here asks the platform: `expected` is all that the matrix is held against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from postern.vocabulary import Role, Scope

EVERYBODY = frozenset(Role)
ANY_TOKEN = "any token"
NO_TOKEN = "no token"


class Named(StrEnum):
    """What the path of a route names."""

    NOTHING = "nothing"
    ERROR = "an error code"
    REPORT = "one's own report"
    ENVELOPE = "a sealed part of one's own report"
    MEMBER = "the code of a member"
    STEP = "a step of the barrier model in use"
    KEY_ALARM = "an alarm about keys that one's own organisation raised"
    OWN_INDICATOR = "one's own indicator"
    REPORTED = "an indicator in one's own report"
    HOLD = "one's own legal hold"
    SUBJECT = "one's own subject request"
    BREACH = "one's own breach"
    FACTOR = "one's own second factor"
    ASKED = "one's own disclosure request"
    RECEIVED = "a disclosure request to one's own organisation"
    ASKED_PART = "a sealed part that a request to one's own organisation asks for"
    DELIVERY = "a delivery of one's own disclosure request"
    RECEIVED_RECALL = "a recall that reached one's own organisation"
    OWN_RECALL = "one's own recall"
    INDICATOR = "an indicator that one may see"
    LOOKUP = "one's own lookup"
    WATCH = "one's own watch"
    FILTER = "one's own screening filter"
    EVALUATION = "an evaluation kind and an epoch"
    TOKEN = "one's own person's token"
    MEMBER_TOKEN = "a token of a person of one's own organisation"
    PERSON = "another person of one's own organisation"
    PATTERN = "a pattern that one may know of"
    PUBLISHED = "a published pattern of one's own, to which one subscribes"
    PATTERN_DRAFT = "an open draft of one's own pattern"
    BARRIER = "a barrier that one may know of"
    OWN_BARRIER = "one's own barrier"
    MODEL = "one's own barrier model"
    DRAFT = "one's own draft"
    VERSION = "one's own version"
    REVIEW = "one's own review"
    ROUND = "a round of one's own review"
    SIGNAL = "one's own signal"
    CHANNEL = "one's own channel"
    SERVER = "one's own subscription to another server"
    COLLECTION = "one's own open collection"
    KEPT_COLLECTION = "one's own collection, open or closed"
    OWN_COLLECTION = "one's own open collection, of what one submitted"
    OWN_OBJECT = "an object in it"
    OWN_EVENT = "an event of its feed"
    TEMPLATE = "an object template of MISP"
    SCHEMA = "a schema of STIX"
    TAXII_STATUS = "what became of what one added to it"
    NEWS = "an address that is told of one's own open collection"
    NOTIFICATION = "a notification for one's own role"
    CHECKPOINT = "a size of the log"
    TILE = "a tile of the log"
    PLACE = "the place of an entry that names one's organisation"


class Relation(StrEnum):
    """What the asking organisation, or its person, is to the record."""

    OWN = "own"
    # Of reports and indicators: what their owner's policy lets the asking organisation have.
    NOTHING = "of another that shares nothing"
    PRESENCE = "of another that shares presence"
    METADATA = "of another that shares metadata"
    REQUEST = "of another that may be requested"
    FEED = "of another that shares metadata in bulk"
    OWNER_ONLY = "of another that alone is told"
    REQUESTER_ONLY = "of another that is not told"
    OWNER_SUSPENDED = "of another that is suspended"
    READER_LEFT = "of another whose community the asking one left"
    READER_SUSPENDED = "asked by a suspended organisation"
    # Of what belongs to persons.
    MINE = "the asking person's"
    COLLEAGUE = "a colleague's"
    OTHER = "another organisation's"


class State(StrEnum):
    """What became of the record."""

    NEVER = "never existed"
    LIVE = "live"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired today"
    ERASED = "expired and erased"
    FUTURE = "seen in the future"
    REVOKED = "revoked"
    EDITING = "editing"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    DISCARDED = "discarded"
    IN_FORCE = "in force"
    PAST = "past"
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Means(StrEnum):
    """How a request says who asks."""

    NONE = "none"
    SESSION = "session"
    SIGNED_OUT = "a session that was signed out"
    STALE = "a session that ended of itself"
    TOKEN = "token"
    REVOKED_TOKEN = "a revoked token"
    EXPIRED_TOKEN = "an expired token"


@dataclass(frozen=True)
class Caller:
    """Who asks: `role` None is a person without one, `scope` is that of a token."""

    means: Means
    role: Role | None = None
    scope: Scope | None = None
    is_suspended: bool = False  # the organisation

    @property
    def is_signed_in(self) -> bool:
        """Whether the platform knows who it is."""
        return self.means in {Means.SESSION, Means.TOKEN} and not self.is_suspended

    @property
    def presents_token(self) -> bool:
        return self.means in {Means.TOKEN, Means.REVOKED_TOKEN, Means.EXPIRED_TOKEN}

    def __str__(self) -> str:
        if self.means is Means.NONE:
            return "a stranger"
        suspended = "a suspended organisation's " if self.is_suspended else ""
        scope = f" of {self.scope}" if self.scope else ""
        return f"{suspended}{self.role or 'person without a role'} by {self.means}{scope}"


@dataclass(frozen=True)
class Record:
    """What the path names; without a relation it is nothing of an organisation's."""

    relation: Relation | None = None
    state: State | None = None

    def __str__(self) -> str:
        return f"{self.relation or 'no record'}, {self.state or 'no state'}"


NO_RECORD = Record()


@dataclass(frozen=True)
class Route:
    """What a route demands and answers.

    `roles` None: open to everybody. `gives` is the status of an allowed request, by the state of
    the record where it names one; a state that is missing there is one that nobody has, and
    NOT_THERE is the answer to all that is not there for the caller. `mine` comes before `gives`
    for the policy owner who wrote the draft, `by_role` for persons for whom it matters.
    """

    roles: frozenset[Role] | None
    gives: int | Mapping[State, int]
    names: Named = Named.NOTHING
    token: Scope | str = NO_TOKEN
    gives_signed_in: int | None = None  # of an open route
    mine: Mapping[State, int] | None = None
    by_role: Mapping[Role | None, int] | None = None


NOT_THERE = 404


def expected(route: Route, caller: Caller, record: Record, *, is_page: bool) -> int:
    """The status that the rules demand."""
    if caller.presents_token and not caller.is_signed_in:
        return 401  # a token that opens nothing is refused everywhere, open routes too
    if route.roles is None:
        changed = route.gives_signed_in if caller.is_signed_in else None
        return changed or _status(route.gives, record)
    if not caller.is_signed_in:
        return 303 if is_page else 401  # a browser is shown to the sign-in page
    if not _is_allowed(route, caller):
        return 403
    if route.names is not Named.NOTHING and not is_there(route.names, record):
        return NOT_THERE
    return _given(route, caller, record)


def is_stopped_at_the_door(route: Route, caller: Caller) -> bool:
    """Whether role, scope or a lacking sign-in refuses the caller, whatever record is named."""
    if route.roles is None:
        return False
    return not caller.is_signed_in or not _is_allowed(route, caller)


def is_there(named: Named, record: Record) -> bool:
    """Whether the record is there for a caller of a live organisation who holds the role."""
    relations, states = _THERE[named]
    if record.state is State.NEVER or record.relation not in relations:
        return False
    return states is None or record.state in states


_THERE: dict[Named, tuple[set[Relation | None], set[State] | None]] = {
    Named.ERROR: ({None}, None),
    # What every member may read of the log itself; beyond its end there is nothing.
    Named.CHECKPOINT: ({None}, None),
    Named.TILE: ({None}, None),
    Named.EVALUATION: ({None}, None),
    # The directory is everybody's.
    Named.MEMBER: ({None}, None),
    Named.STEP: ({None}, None),
    Named.TEMPLATE: ({None}, None),
    Named.SCHEMA: ({None}, None),
    Named.PLACE: ({Relation.OWN}, None),
    # A report and a version are kept whatever became of them.
    Named.REPORT: ({Relation.OWN}, None),
    Named.VERSION: ({Relation.OWN}, None),
    # What is sealed ends with its indicator.
    Named.ENVELOPE: ({Relation.OWN}, {State.LIVE}),
    Named.KEY_ALARM: ({Relation.OWN}, None),
    # What was seen tomorrow is nobody's to see yet, but its owner may ask who will.
    Named.OWN_INDICATOR: ({Relation.OWN}, {State.LIVE, State.FUTURE}),
    Named.REPORTED: ({Relation.OWN}, {State.LIVE, State.FUTURE}),
    Named.HOLD: ({Relation.OWN}, None),
    Named.SUBJECT: ({Relation.OWN}, None),
    Named.BREACH: ({Relation.OWN}, None),
    Named.FACTOR: ({Relation.MINE}, {State.LIVE}),
    # A request and its deliveries are kept whatever became of them.
    Named.ASKED: ({Relation.OWN}, None),
    Named.RECEIVED: ({Relation.OWN}, None),
    Named.ASKED_PART: ({Relation.OWN}, None),
    Named.DELIVERY: ({Relation.OWN}, None),
    Named.RECEIVED_RECALL: ({Relation.OWN}, None),
    Named.OWN_RECALL: ({Relation.OWN}, None),
    Named.INDICATOR: (
        {
            Relation.OWN,
            Relation.METADATA,
            Relation.REQUEST,
            Relation.FEED,
            Relation.REQUESTER_ONLY,
        },
        {State.LIVE},
    ),
    # What is shared at metadata is known of where it may be listed, or screened with.
    Named.PATTERN: ({Relation.OWN, Relation.FEED}, {State.LIVE}),
    Named.PUBLISHED: ({Relation.OWN}, {State.LIVE}),
    Named.PATTERN_DRAFT: ({Relation.OWN}, None),
    # What is shared at metadata is known of where it may be listed.
    Named.BARRIER: ({Relation.OWN, Relation.FEED}, {State.LIVE}),
    Named.OWN_BARRIER: ({Relation.OWN}, {State.LIVE}),
    # Nobody else's: it was made for no community.
    Named.MODEL: ({Relation.OWN}, None),
    Named.LOOKUP: ({Relation.OWN}, {State.LIVE}),
    # One that has ended is still listed.
    Named.WATCH: ({Relation.OWN}, None),
    # Of one that is over, that it was there.
    Named.FILTER: ({Relation.OWN}, None),
    Named.TOKEN: ({Relation.MINE}, None),
    Named.MEMBER_TOKEN: ({Relation.MINE, Relation.COLLEAGUE}, None),
    # Of a closed account its people still know whose it was.
    Named.PERSON: ({Relation.OWN}, None),
    Named.NOTIFICATION: ({Relation.MINE}, None),
    Named.DRAFT: ({Relation.MINE, Relation.COLLEAGUE}, None),
    # What is done is kept: who found what, and when.
    Named.REVIEW: ({Relation.OWN}, None),
    Named.ROUND: ({Relation.OWN}, None),
    Named.SIGNAL: ({Relation.OWN}, None),
    # Of a channel that was removed only the log tells.
    Named.CHANNEL: ({Relation.OWN}, {State.LIVE}),
    Named.SERVER: ({Relation.OWN}, {State.LIVE}),
    # Of a closed collection its pages tell that it was there; it serves nothing.
    Named.COLLECTION: ({Relation.OWN}, {State.LIVE}),
    Named.KEPT_COLLECTION: ({Relation.OWN}, None),
    Named.OWN_COLLECTION: ({Relation.OWN}, {State.LIVE}),
    Named.OWN_OBJECT: ({Relation.OWN}, {State.LIVE}),
    Named.OWN_EVENT: ({Relation.OWN}, {State.LIVE}),
    Named.TAXII_STATUS: ({Relation.OWN}, {State.LIVE}),
    Named.NEWS: ({Relation.OWN}, {State.LIVE}),
}
"""For whom a record is there, and in which states; None: in all in which it ever was."""


def _is_allowed(route: Route, caller: Caller) -> bool:
    if route.roles is None:
        return True
    if route.roles != EVERYBODY and caller.role not in route.roles:
        return False
    return caller.means is Means.SESSION or route.token in (ANY_TOKEN, caller.scope)


def _given(route: Route, caller: Caller, record: Record) -> int:
    is_author = record.relation is Relation.MINE and caller.role is Role.POLICY_OWNER
    as_author = (route.mine or {}).get(record.state or State.NEVER) if is_author else None
    of_role = (route.by_role or {}).get(caller.role)
    return as_author or of_role or _status(route.gives, record)


def _status(gives: int | Mapping[State, int], record: Record) -> int:
    if isinstance(gives, int):
        return gives
    return gives[record.state or State.NEVER]


def open_to_all(gives: int = 200, *, signed_in: int | None = None) -> Route:
    return Route(None, gives, gives_signed_in=signed_in)


def everybody(
    gives: int = 200,
    *,
    token: Scope | str = NO_TOKEN,
    names: Named = Named.NOTHING,
    by_role: Mapping[Role | None, int] | None = None,
) -> Route:
    return Route(EVERYBODY, gives, names, token, by_role=by_role)


def only(
    *roles: Role,
    gives: int | Mapping[State, int] = 200,
    token: Scope | str = NO_TOKEN,
    names: Named = Named.NOTHING,
    mine: Mapping[State, int] | None = None,
) -> Route:
    return Route(frozenset(roles), gives, names, token, mine=mine)


READERS = (Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE)
WRITER = (Role.POLICY_OWNER,)
DECIDERS = (Role.POLICY_OWNER, Role.APPROVER)
OWN_READERS = (Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE)
AUDIENCE_READERS = (Role.SUBMITTER, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER)
KEEPERS = (Role.COMPLIANCE, Role.ADMINISTRATOR)
PATTERN_READERS = (*OWN_READERS, Role.POLICY_OWNER)
LOOKUP_READERS = (Role.ANALYST, Role.COMPLIANCE)

_CLOSED = dict.fromkeys((State.APPROVED, State.REFUSED, State.DISCARDED), 409)
_VERSIONS = (State.IN_FORCE, State.PAST, State.SCHEDULED, State.CANCELLED)


_ROTATED_API = {State.LIVE: 200, State.REVOKED: 409, State.EXPIRED: 409}
_ROTATED_PAGE = {State.LIVE: 200, State.REVOKED: 422, State.EXPIRED: 422}

# Their roles are not for what the token is asked for here.
_WITHOUT_TOKENS = dict.fromkeys((Role.POLICY_OWNER, Role.ADMINISTRATOR, None), 422)


def _of_draft(editing: int, proposed: int) -> dict[State, int]:
    return {State.EDITING: editing, State.PROPOSED: proposed, **_CLOSED}


def _of_version(scheduled: int, others: int) -> dict[State, int]:
    return dict.fromkeys(_VERSIONS, others) | {State.SCHEDULED: scheduled}


_OF_FILE = {
    **dict.fromkeys((State.LIVE, State.FUTURE), 201),
    **dict.fromkeys((State.WITHDRAWN, State.EXPIRED, State.ERASED), 409),
}
"""A report that is over takes no file."""


_OF_AMENDMENT = {
    **dict.fromkeys((State.LIVE, State.FUTURE), 200),
    **dict.fromkeys((State.WITHDRAWN, State.EXPIRED, State.ERASED), 409),
}
"""Of a report that is over nothing is left to amend."""

_OF_CORRECTION = _OF_AMENDMENT | dict.fromkeys((State.LIVE, State.FUTURE), 303)

_OF_HOLD = {
    **dict.fromkeys((State.LIVE, State.FUTURE, State.EXPIRED), 201),
    **dict.fromkeys((State.WITHDRAWN, State.ERASED), 409),
}
"""What is over can be held until the sweep comes."""


def _of_task(live: int) -> dict[State, int]:
    return {State.LIVE: live, State.CLOSED: 409}


def _kept_person(live: int) -> Route:
    return only(Role.ADMINISTRATOR, names=Named.PERSON, gives=_of_task(live))


def _reset_of_factors(role: Role) -> Route:
    return only(role, names=Named.PERSON, gives=_of_task(409))  # nobody has a factor


_GIVERS = (Role.SUBMITTER, Role.COMPLIANCE)
_TELLERS = (Role.ANALYST, Role.SUBMITTER)
_FOLLOWERS = (Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE)
_ASKER, _DECIDER = Role.ANALYST, Role.APPROVER
_ASKS, _DECIDES = Scope.DISCLOSURES_ASK, Scope.DISCLOSURES_DECIDE
_SCREENS = Scope.SCREENING_RUN
_OF_FILTER = {State.LIVE: 200, State.CLOSED: 410}
_RECALLS, _OUTCOMES = Scope.RECALLS_WRITE, Scope.OUTCOMES_WRITE

_SHARED = Scope.INDICATORS_READ
_OFFICER, _LOG, _SUBJECTS = Role.COMPLIANCE, Scope.AUDIT_READ, Scope.SUBJECTS_WRITE

_READS, _WRITES = Scope.PATTERNS_READ, Scope.PATTERNS_WRITE
_WRITERS = (Role.ANALYST, Role.SUBMITTER)
_FEED_READERS = (*KEEPERS, *_WRITERS)


_KNOWS, _REGISTERS = Scope.BARRIERS_READ, Scope.BARRIERS_WRITE
_MODELLERS = (Role.ANALYST, Role.POLICY_OWNER)


def _of_model(live: int, proposed: int) -> dict[State, int]:
    return {State.LIVE: live, State.PROPOSED: proposed}


def _known_model() -> Route:
    gives = _of_model(200, 200)
    return only(*PATTERN_READERS, token=_KNOWS, names=Named.MODEL, gives=gives)


def _decided_model(*roles: Role) -> Route:
    """By people alone, and never before it was proposed."""
    return only(*roles, names=Named.MODEL, gives=_of_model(409, 200))


def _model_page(*roles: Role, live: int, proposed: int) -> Route:
    return only(*roles, names=Named.MODEL, gives=_of_model(live, proposed))


def _changed_barrier() -> Route:
    return only(*_WRITERS, token=_REGISTERS, names=Named.OWN_BARRIER)


def _of_pattern_draft(editing: int, proposed: int) -> dict[State, int]:
    return {State.EDITING: editing, State.PROPOSED: proposed}


def _written_pattern(editing: int, proposed: int) -> Route:
    gives = _of_pattern_draft(editing, proposed)
    return only(*_WRITERS, token=_WRITES, names=Named.PATTERN_DRAFT, gives=gives)


def _decided_pattern() -> Route:
    """By people alone, and never before it was proposed."""
    return only(*DECIDERS, names=Named.PATTERN_DRAFT, gives=_of_pattern_draft(409, 200))


def _pattern_form(*roles: Role, gives: dict[State, int]) -> Route:
    """A form about an open draft, or its page."""
    return only(*roles, names=Named.PATTERN_DRAFT, gives=gives)


def _counted_pattern() -> Route:
    return only(*_WRITERS, token=_WRITES, names=Named.PUBLISHED, gives=204)


EXPECTED: dict[tuple[str, str], Route] = {
    # Open.
    ("accounts.show_sign_in", "GET"): open_to_all(signed_in=303),
    ("accounts.break_glass.show_entry", "GET"): open_to_all(),
    ("accounts.security.show_second", "GET"): open_to_all(303),  # without a right password before
    ("accounts.security.complete", "POST"): open_to_all(303),
    ("accounts.security.enter_by_passkey", "POST"): open_to_all(422),  # without one
    ("accounts.break_glass.break_it", "POST"): open_to_all(422),  # with no such secret
    ("accounts.sign_on.begin", "GET"): open_to_all(422),  # without a provider
    ("accounts.sign_on.come_back", "GET"): open_to_all(422),  # of nobody who was sent
    ("accounts.sign_on.leave", "GET"): open_to_all(303),  # without a sign-out before it
    ("accounts.sign_on.left", "GET"): open_to_all(303),
    ("accounts.sign_on.be_told", "POST"): open_to_all(400),  # by no provider
    ("accounts.link.show", "GET"): open_to_all(),
    ("accounts.link.choose", "POST"): open_to_all(422),  # without a link
    ("accounts.sign_in", "POST"): open_to_all(422),  # with no such name and password
    ("interface.docs", "GET"): open_to_all(),
    ("interface.explain_error", "GET"): Route(
        None, {State.LIVE: 200, State.NEVER: 404}, Named.ERROR
    ),
    ("misp.list_templates", "GET"): open_to_all(),
    ("misp.show_schema", "GET"): Route(None, {State.LIVE: 200, State.NEVER: 404}, Named.SCHEMA),
    ("misp.show_taxonomy", "GET"): open_to_all(),
    ("misp.show_template", "GET"): Route(None, {State.LIVE: 200, State.NEVER: 404}, Named.TEMPLATE),
    ("interface.openapi", "GET"): open_to_all(),
    ("live", "GET"): open_to_all(),
    ("metrics", "GET"): open_to_all(404),  # to whoever does not present the secret metrics.key
    ("pseudonyms.keys", "GET"): open_to_all(),
    ("ready", "GET"): open_to_all(),
    ("web.choose_language", "POST"): open_to_all(303),
    ("web.choose_appearance", "POST"): open_to_all(303),
    ("web.go", "GET"): open_to_all(303, signed_in=200),
    # One's own account.
    ("account.create_token", "POST"): everybody(201, by_role=_WITHOUT_TOKENS),
    ("account.list_tokens", "GET"): everybody(),
    ("account.read_me", "GET"): everybody(token=ANY_TOKEN),
    ("account.revoke_token", "DELETE"): everybody(204, names=Named.TOKEN),
    ("account.rotate_token", "POST"): everybody(_ROTATED_API, names=Named.TOKEN),
    ("accounts.account", "GET"): everybody(),
    ("accounts.change_password", "POST"): everybody(303),
    ("accounts.create_token", "POST"): everybody(by_role=_WITHOUT_TOKENS),
    ("accounts.end_all_sessions", "POST"): everybody(303),
    ("accounts.security.add_app", "POST"): everybody(422),  # with no draft
    ("accounts.security.add_passkey", "POST"): everybody(422),
    ("accounts.security.begin_app", "POST"): everybody(),
    ("accounts.security.prove", "POST"): everybody(422),
    ("accounts.security.remove", "POST"): everybody(303, names=Named.FACTOR),
    ("accounts.security.rename", "POST"): everybody(303, names=Named.FACTOR),
    ("accounts.security.renew_codes", "POST"): everybody(),
    ("accounts.security.show", "GET"): everybody(),
    ("accounts.security.show_proving", "GET"): everybody(),
    ("accounts.end_other_sessions", "POST"): everybody(303),
    ("accounts.end_session", "POST"): everybody(303),
    ("accounts.revoke_token", "POST"): everybody(303, names=Named.TOKEN),
    ("accounts.rotate_token", "POST"): everybody(_ROTATED_PAGE, names=Named.TOKEN),
    ("accounts.sign_on.offer_link", "POST"): everybody(422),  # without a provider
    ("accounts.sign_on.unlink", "POST"): everybody(303),
    ("accounts.sign_out", "POST"): everybody(303),
    ("organisations.list_organisations", "GET"): everybody(token=ANY_TOKEN),
    # Keys: everybody reads all of them, one's own are published by an administrator.
    ("organisations.list_keys", "GET"): everybody(token=ANY_TOKEN),
    ("organisations.read_keys", "GET"): everybody(token=ANY_TOKEN, names=Named.MEMBER),
    ("organisations.publish_keys", "POST"): only(Role.ADMINISTRATOR, token=Scope.KEYS_WRITE),
    ("organisations.report_swap", "POST"): everybody(201, token=ANY_TOKEN, names=Named.MEMBER),
    ("organisations.read_contact", "GET"): everybody(token=ANY_TOKEN),
    ("organisations.change_contact", "PUT"): only(Role.ADMINISTRATOR, token=Scope.KEYS_WRITE),
    ("organisation_pages.show", "GET"): everybody(),
    ("organisation_pages.change_contact", "POST"): only(Role.ADMINISTRATOR, gives=303),
    ("organisation_pages.close_alarm", "POST"): only(
        Role.COMPLIANCE, names=Named.KEY_ALARM, gives=303
    ),
    ("web.home", "GET"): everybody(),
    # The log.
    ("audit.read", "GET"): only(Role.COMPLIANCE, token=Scope.AUDIT_READ),
    ("audit-log.checkpoint", "GET"): everybody(token=ANY_TOKEN),
    ("audit-log.checkpoint_of_size", "GET"): everybody(token=ANY_TOKEN, names=Named.CHECKPOINT),
    ("audit-log.tile", "GET"): everybody(token=ANY_TOKEN, names=Named.TILE),
    ("audit-log.cosigned_checkpoint", "GET"): everybody(404, token=ANY_TOKEN),  # nobody cosigned
    ("audit-log.cosigned_checkpoints", "GET"): everybody(token=ANY_TOKEN),
    ("audit-log.keys", "GET"): everybody(token=ANY_TOKEN),
    ("audit-log.pending", "GET"): everybody(token=ANY_TOKEN),
    ("audit-log.cosign", "POST"): only(Role.COMPLIANCE, gives=422, token=Scope.AUDIT_WITNESS),
    ("audit-log.take_evidence", "POST"): only(
        Role.COMPLIANCE, gives=422, token=Scope.AUDIT_WITNESS
    ),
    ("witnesses.register", "POST"): only(Role.COMPLIANCE, gives=201, token=Scope.AUDIT_WITNESS),
    ("witnesses.end", "POST"): only(Role.COMPLIANCE, gives=404, token=Scope.AUDIT_WITNESS),
    ("compliance.log.end", "POST"): only(Role.COMPLIANCE, gives=404),
    ("compliance.log.register", "POST"): only(Role.COMPLIANCE, gives=303),
    ("compliance.log.tell_verified", "POST"): only(Role.COMPLIANCE, Role.ADMINISTRATOR, gives=204),
    ("compliance.log.show", "GET"): only(Role.COMPLIANCE, Role.ADMINISTRATOR),
    # What one's roles should know.
    ("web.notices.mark_seen", "POST"): everybody(
        303, names=Named.NOTIFICATION, by_role={None: NOT_THERE}
    ),
    ("web.notices.mark_all_seen", "POST"): everybody(
        303, names=Named.NOTIFICATION, by_role={None: NOT_THERE}
    ),
    ("web.notices.show", "GET"): everybody(),
    ("notifications.mark_seen", "POST"): everybody(
        204, names=Named.NOTIFICATION, token=ANY_TOKEN, by_role={None: NOT_THERE}
    ),
    ("notifications.read", "GET"): everybody(token=ANY_TOKEN),
    ("audit.prove", "GET"): only(_OFFICER, token=_LOG, names=Named.PLACE),
    ("audit.tag_keys", "GET"): only(_OFFICER, token=_LOG),
    ("audit.timeline", "GET"): only(_OFFICER, token=_LOG),
    ("audit-export.take_away", "GET"): only(_OFFICER, token=_LOG),
    ("compliance.access_log", "GET"): only(_OFFICER),
    ("compliance.take_month", "GET"): only(_OFFICER),
    ("compliance.take_away", "GET"): only(_OFFICER),
    ("compliance.timelines.show", "GET"): only(_OFFICER),
    # How long details are kept: read by programs too, decided by people alone.
    ("audit-retention.read_retention", "GET"): only(_OFFICER, token=_LOG),
    ("audit-retention.choose_retention", "PUT"): only(_OFFICER),
    ("audit-retention.list_erasures", "GET"): only(_OFFICER, token=_LOG),
    ("audit-retention.ask_erasure", "POST"): only(_OFFICER, gives=202),
    ("compliance.upkeep.show", "GET"): only(_OFFICER),
    ("compliance.upkeep.choose", "POST"): only(_OFFICER, gives=303),
    ("compliance.upkeep.ask", "POST"): only(_OFFICER, gives=303),
    ("compliance.upkeep.show_growth", "GET"): only(Role.ADMINISTRATOR),
    # What compliance officers judge: read by programs too, judged by people alone.
    ("reviews.list_reviews", "GET"): only(_OFFICER, token=_LOG),
    ("reviews.order_review", "POST"): only(_OFFICER, gives=201),
    ("reviews.read_review", "GET"): only(_OFFICER, token=_LOG, names=Named.REVIEW),
    ("reviews.end_review", "POST"): only(_OFFICER, names=Named.REVIEW, gives=_of_task(200)),
    ("reviews.read_round", "GET"): only(_OFFICER, token=_LOG, names=Named.ROUND),
    ("reviews.export_findings", "GET"): only(_OFFICER, token=_LOG, names=Named.ROUND),
    ("reviews.judge", "POST"): only(_OFFICER, names=Named.ROUND, gives=_of_task(200)),
    ("signals.list_signals", "GET"): only(_OFFICER, token=_LOG),
    ("signals.read_signal", "GET"): only(_OFFICER, token=_LOG, names=Named.SIGNAL),
    ("signals.assign_signal", "POST"): only(_OFFICER, names=Named.SIGNAL, gives=_of_task(200)),
    ("signals.close_signal", "POST"): only(_OFFICER, names=Named.SIGNAL, gives=_of_task(200)),
    ("compliance.reviews.show_all", "GET"): only(_OFFICER),
    ("compliance.reviews.order", "POST"): only(_OFFICER, gives=303),
    ("compliance.reviews.show", "GET"): only(_OFFICER, names=Named.REVIEW),
    ("compliance.reviews.end", "POST"): only(_OFFICER, names=Named.REVIEW, gives=_of_task(303)),
    ("compliance.reviews.show_round", "GET"): only(_OFFICER, names=Named.ROUND),
    ("compliance.reviews.export", "GET"): only(_OFFICER, names=Named.ROUND),
    ("compliance.reviews.judge", "POST"): only(_OFFICER, names=Named.ROUND, gives=_of_task(303)),
    ("compliance.signals.show_all", "GET"): only(_OFFICER),
    ("compliance.signals.show", "GET"): only(_OFFICER, names=Named.SIGNAL),
    ("compliance.signals.assign", "POST"): only(_OFFICER, names=Named.SIGNAL, gives=_of_task(303)),
    ("compliance.signals.close", "POST"): only(_OFFICER, names=Named.SIGNAL, gives=_of_task(303)),
    # By what an organisation is told beside its pages: people set it up, never programs.
    ("channels.add_channel", "POST"): only(*KEEPERS, gives=201),
    ("channels.list_channels", "GET"): only(*KEEPERS),
    ("channels.list_dispatches", "GET"): only(*KEEPERS, names=Named.CHANNEL),
    ("channels.remove_channel", "DELETE"): only(*KEEPERS, names=Named.CHANNEL, gives=204),
    ("channels.rotate_secret", "POST"): only(*KEEPERS, names=Named.CHANNEL),
    ("channels.try_channel", "POST"): only(*KEEPERS, names=Named.CHANNEL, gives=202),
    ("jobs.add_channel", "POST"): only(*KEEPERS, gives=201),
    ("jobs.rotate_secret", "POST"): only(*KEEPERS, names=Named.CHANNEL),
    ("jobs.remove_channel", "POST"): only(*KEEPERS, names=Named.CHANNEL, gives=303),
    ("jobs.show_channel", "GET"): only(*KEEPERS, names=Named.CHANNEL),
    ("jobs.show_channels", "GET"): only(*KEEPERS),
    ("jobs.show_jobs", "GET"): only(Role.ADMINISTRATOR),
    ("jobs.try_channel", "POST"): only(*KEEPERS, names=Named.CHANNEL, gives=303),
    ("jobs.retry_job", "POST"): only(Role.ADMINISTRATOR, gives=404),  # who runs no platform
    # One's own organisation's people: kept by administrators, watched over by compliance officers.
    ("accounts.sign_on.show", "GET"): only(*KEEPERS),
    ("accounts.sign_on.propose", "POST"): only(Role.ADMINISTRATOR, gives=303),
    ("accounts.sign_on.decide", "POST"): only(*KEEPERS, gives=409),  # without a proposal
    ("accounts.sign_on.end", "POST"): only(Role.ADMINISTRATOR, gives=404),
    ("accounts.break_glass.show", "GET"): only(*KEEPERS),
    ("accounts.break_glass.look", "POST"): only(*KEEPERS, gives=404),  # without such an account
    ("accounts.break_glass.end", "POST"): only(*KEEPERS, gives=404),
    ("accounts.people.show_all", "GET"): only(*KEEPERS),
    ("accounts.people.begin", "GET"): only(Role.ADMINISTRATOR),
    ("accounts.people.propose_factor_reset", "POST"): _reset_of_factors(Role.ADMINISTRATOR),
    ("accounts.people.decide_factor_reset", "POST"): _reset_of_factors(Role.COMPLIANCE),
    ("accounts.people.add", "POST"): only(Role.ADMINISTRATOR, gives=201),
    ("accounts.people.show", "GET"): only(*KEEPERS, names=Named.PERSON),
    ("accounts.people.change_roles", "POST"): _kept_person(303),
    ("accounts.people.decide", "POST"): only(
        Role.COMPLIANCE, names=Named.PERSON, gives=_of_task(303)
    ),
    ("accounts.people.disable", "POST"): _kept_person(303),
    ("accounts.people.enable", "POST"): _kept_person(303),
    ("accounts.people.close", "POST"): _kept_person(303),
    ("accounts.people.end_sessions", "POST"): _kept_person(303),
    ("accounts.people.reset_password", "POST"): _kept_person(200),
    ("accounts.people.make_link", "POST"): _kept_person(200),
    ("accounts.people.show_tokens", "GET"): only(*KEEPERS),
    ("accounts.people.revoke_token", "POST"): only(*KEEPERS, names=Named.MEMBER_TOKEN, gives=303),
    # The platform as its members' administrators may know it.
    ("organisation_pages.directory.show", "GET"): only(*KEEPERS),
    ("administration.show_quotas", "GET"): only(*KEEPERS),
    ("administration.show_own_quotas", "GET"): only(Role.ANALYST, Role.SUBMITTER),
    ("administration.show_epochs", "GET"): only(*KEEPERS),
    ("administration.show_size", "GET"): only(Role.ADMINISTRATOR),
    ("administration.show_health", "GET"): only(Role.ADMINISTRATOR),
    # One's own reports.
    ("pseudonyms.evaluate", "POST"): only(
        Role.SUBMITTER, Role.ANALYST, Role.COMPLIANCE, token=Scope.EVALUATE
    ),
    ("reports.list_own", "GET"): only(*OWN_READERS, token=Scope.REPORTS_READ),
    ("reports.read_own", "GET"): only(*OWN_READERS, token=Scope.REPORTS_READ, names=Named.REPORT),
    ("reports.submit", "POST"): only(Role.SUBMITTER, token=Scope.REPORTS_WRITE),
    ("reports.withdraw", "POST"): only(
        Role.SUBMITTER, token=Scope.REPORTS_WRITE, names=Named.REPORT
    ),
    ("envelopes.attach", "POST"): only(
        Role.SUBMITTER, token=Scope.REPORTS_WRITE, names=Named.REPORT, gives=_OF_FILE
    ),
    ("envelopes.list_envelopes", "GET"): only(
        *OWN_READERS, token=Scope.REPORTS_READ, names=Named.REPORT
    ),
    ("envelopes.read_envelope", "GET"): only(
        *OWN_READERS, token=Scope.REPORTS_READ, names=Named.ENVELOPE
    ),
    ("reports.amend", "PATCH"): only(
        Role.SUBMITTER, token=Scope.REPORTS_WRITE, names=Named.REPORT, gives=_OF_AMENDMENT
    ),
    ("reports.amend_indicator", "PATCH"): only(
        Role.SUBMITTER, token=Scope.REPORTS_WRITE, names=Named.REPORTED
    ),
    # The same on pages; the form of one report and that of a file read nothing.
    ("reporting.begin", "GET"): only(Role.SUBMITTER),
    ("reporting.upload", "GET"): only(Role.SUBMITTER),
    ("disclosure_pages.own_reports.show_all", "GET"): only(*OWN_READERS),
    ("disclosure_pages.own_reports.show", "GET"): only(*OWN_READERS, names=Named.REPORT),
    ("disclosure_pages.own_reports.withdraw", "POST"): only(
        Role.SUBMITTER, names=Named.REPORT, gives=303
    ),
    ("disclosure_pages.own_reports.amend", "POST"): only(
        Role.SUBMITTER, names=Named.REPORT, gives=_OF_CORRECTION
    ),
    ("disclosure_pages.own_reports.amend_indicator", "POST"): only(
        Role.SUBMITTER, names=Named.REPORTED, gives=303
    ),
    # What must be kept beyond its time, and what persons ask for.
    ("holds.place", "POST"): only(_OFFICER, token=_SUBJECTS, names=Named.REPORT, gives=_OF_HOLD),
    ("holds.list_holds", "GET"): only(_OFFICER, token=_SUBJECTS),
    ("holds.release", "DELETE"): only(
        _OFFICER, token=_SUBJECTS, names=Named.HOLD, gives=_of_task(200)
    ),
    ("compliance.breaches.show_all", "GET"): only(_OFFICER),
    ("compliance.breaches.open_breach", "POST"): only(_OFFICER, gives=303),
    ("compliance.breaches.show", "GET"): only(_OFFICER, names=Named.BREACH),
    ("compliance.breaches.add_note", "POST"): only(
        _OFFICER, names=Named.BREACH, gives=_of_task(303)
    ),
    ("compliance.privacy.show", "GET"): only(_OFFICER),
    ("compliance.holds.show_all", "GET"): only(_OFFICER),
    ("compliance.holds.place", "POST"): only(_OFFICER, gives=303),
    ("compliance.holds.release", "POST"): only(_OFFICER, names=Named.HOLD, gives=_of_task(303)),
    ("subjects.list_requests", "GET"): only(_OFFICER, token=_SUBJECTS),
    ("subjects.open_request", "POST"): only(_OFFICER, token=_SUBJECTS, gives=201),
    ("subjects.read_request", "GET"): only(_OFFICER, token=_SUBJECTS, names=Named.SUBJECT),
    ("subjects.search", "POST"): only(
        _OFFICER, token=_SUBJECTS, names=Named.SUBJECT, gives=_of_task(200)
    ),
    ("subjects.close", "POST"): only(
        _OFFICER, token=_SUBJECTS, names=Named.SUBJECT, gives=_of_task(200)
    ),
    ("compliance.subjects.show_all", "GET"): only(_OFFICER),
    ("compliance.subjects.open_request", "POST"): only(_OFFICER, gives=303),
    ("compliance.subjects.show", "GET"): only(_OFFICER, names=Named.SUBJECT),
    ("compliance.subjects.close", "POST"): only(_OFFICER, names=Named.SUBJECT, gives=_of_task(303)),
    # What is asked of an owner, and what it decides: only analysts ask, only approvers decide.
    ("disclosures.ask", "POST"): only(_ASKER, token=_ASKS, gives=404),  # of no lookup
    ("disclosures.list_asked", "GET"): only(_ASKER, _OFFICER, token=_ASKS),
    ("disclosures.read_asked", "GET"): only(_ASKER, _OFFICER, token=_ASKS, names=Named.ASKED),
    ("disclosures.answer", "POST"): only(_ASKER, token=_ASKS, names=Named.ASKED, gives=409),
    ("disclosures.withdraw", "POST"): only(
        _ASKER, token=_ASKS, names=Named.ASKED, gives=_of_task(200)
    ),
    ("disclosures.fetch", "GET"): only(
        _ASKER, token=_ASKS, names=Named.DELIVERY, gives={State.LIVE: 200, State.CLOSED: 410}
    ),
    ("disclosures.receive", "POST"): only(
        _ASKER, token=_ASKS, names=Named.DELIVERY, gives=422
    ),  # with a signature of nobody
    ("disclosures.list_received", "GET"): only(_DECIDER, _OFFICER, token=_DECIDES),
    ("disclosures.read_received", "GET"): only(
        _DECIDER, _OFFICER, token=_DECIDES, names=Named.RECEIVED
    ),
    ("disclosures.read_envelope", "GET"): only(
        _DECIDER, token=_DECIDES, names=Named.ASKED_PART, gives=_of_task(200)
    ),
    ("disclosures.question", "POST"): only(
        _DECIDER, token=_DECIDES, names=Named.RECEIVED, gives=_of_task(422)
    ),  # with a message that is none
    ("disclosures.decide", "POST"): only(
        _DECIDER, token=_DECIDES, names=Named.RECEIVED, gives=_of_task(200)
    ),
    ("disclosures.judge", "POST"): only(
        _DECIDER, token=_DECIDES, names=Named.RECEIVED, gives=404
    ),  # a decision that there is not
    ("disclosures.read_rules", "GET"): only(*READERS),
    ("disclosures.change_rules", "PUT"): only(*WRITER),
    ("disclosure_pages.asking.new", "GET"): only(_ASKER),
    ("disclosure_pages.show_all", "GET"): only(_ASKER, _DECIDER, _OFFICER),
    ("disclosure_pages.show", "GET"): Route(
        frozenset({_ASKER, _DECIDER, _OFFICER}),
        200,
        Named.ASKED,
        by_role={_DECIDER: NOT_THERE},  # who decides does not read what is asked of others
    ),
    ("disclosure_pages.withdraw", "POST"): only(_ASKER, names=Named.ASKED, gives=_of_task(303)),
    ("disclosure_pages.refuse", "POST"): only(_DECIDER, names=Named.RECEIVED, gives=_of_task(303)),
    ("disclosure_pages.judge", "POST"): only(_DECIDER, names=Named.RECEIVED, gives=404),
    ("disclosure_pages.show_rules", "GET"): only(*READERS),
    ("disclosure_pages.change_rules", "POST"): only(*WRITER, gives=303),
    # Who got what of one's own, what was called back, and what became of it.
    ("ledger.read", "GET"): only(*_GIVERS, token=_RECALLS),
    ("disclosure_pages.ledger.show", "GET"): only(*_GIVERS),
    ("disclosure_pages.ledger.export", "GET"): only(*_GIVERS),
    ("recalls.list_received", "GET"): only(*_FOLLOWERS, token=_RECALLS),
    ("recalls.answer", "POST"): only(
        *_FOLLOWERS, token=_RECALLS, names=Named.RECEIVED_RECALL, gives=_of_task(200)
    ),
    ("recalls.list_own", "GET"): only(*_GIVERS, token=_RECALLS),
    ("recalls.read_own", "GET"): only(*_GIVERS, token=_RECALLS, names=Named.OWN_RECALL),
    ("disclosure_pages.recalls.show_all", "GET"): only(*_FOLLOWERS),
    ("disclosure_pages.recalls.answer", "POST"): only(
        *_FOLLOWERS, names=Named.RECEIVED_RECALL, gives=_of_task(303)
    ),
    ("disclosure_pages.recalls.show_own", "GET"): only(*_GIVERS, names=Named.OWN_RECALL),
    ("outcomes.tell", "POST"): only(*_TELLERS, token=_OUTCOMES, gives=201),
    ("outcomes.list_own", "GET"): only(*_FOLLOWERS, token=_OUTCOMES),
    ("outcomes.list_told", "GET"): only(*_FOLLOWERS, token=_OUTCOMES),
    ("outcomes.list_reports", "GET"): only(*_FOLLOWERS, token=_OUTCOMES),
    ("outcomes.read_reliability", "GET"): only(*_FOLLOWERS, token=_OUTCOMES),
    ("disclosure_pages.outcomes.show_all", "GET"): only(*_FOLLOWERS),
    ("disclosure_pages.outcomes.show_told", "GET"): only(*_FOLLOWERS),
    ("disclosure_pages.outcomes.begin", "GET"): only(*_TELLERS),
    ("disclosure_pages.outcomes.tell", "POST"): only(*_TELLERS, gives=303),
    ("disclosure_pages.outcomes.show_reliability", "GET"): only(*_FOLLOWERS),
    ("indicators.audience", "GET"): only(*AUDIENCE_READERS, names=Named.OWN_INDICATOR),
    # What others share.
    ("indicators.count_shared", "GET"): only(Role.ANALYST, token=_SHARED),
    ("indicators.export_shared", "GET"): only(Role.ANALYST, token=_SHARED),
    ("indicators.list_beside", "GET"): only(Role.ANALYST, token=_SHARED, names=Named.INDICATOR),
    ("indicators.list_shared", "GET"): only(Role.ANALYST, token=_SHARED),
    ("indicators.may_pass_on", "GET"): only(Role.ANALYST, token=_SHARED, names=Named.INDICATOR),
    ("indicators.read_shared", "GET"): only(Role.ANALYST, token=_SHARED, names=Named.INDICATOR),
    ("shared_pages.count", "POST"): only(Role.ANALYST),
    ("shared_pages.show", "GET"): only(Role.ANALYST),
    ("shared_pages.take", "POST"): only(Role.ANALYST),
    # The exchange with other systems.
    ("exchange.show_key", "GET"): only(Role.ANALYST, token=Scope.EXCHANGE_READ),
    ("misp.show_event", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.OWN_EVENT
    ),
    ("misp.show_hashes", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.COLLECTION
    ),
    ("misp.show_manifest", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.COLLECTION
    ),
    ("taxii.discover", "GET"): only(*_WRITERS, token=ANY_TOKEN),
    ("taxii.show_root", "GET"): only(*_WRITERS, token=ANY_TOKEN),
    ("taxii.list_collections", "GET"): only(*_WRITERS, token=ANY_TOKEN),
    ("taxii.show_collection", "GET"): only(*_WRITERS, token=ANY_TOKEN, names=Named.COLLECTION),
    ("taxii.show_status", "GET"): only(*_WRITERS, token=ANY_TOKEN, names=Named.TAXII_STATUS),
    ("taxii.show_manifest", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.COLLECTION
    ),
    ("taxii.show_objects", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.COLLECTION
    ),
    ("taxii.show_object", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.OWN_OBJECT
    ),
    ("taxii.show_versions", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.OWN_OBJECT
    ),
    ("taxii.add_objects", "POST"): only(
        Role.SUBMITTER, token=Scope.EXCHANGE_WRITE, names=Named.OWN_COLLECTION, gives=202
    ),
    ("taxii.delete_object", "DELETE"): only(
        Role.SUBMITTER, token=Scope.EXCHANGE_WRITE, names=Named.OWN_OBJECT
    ),
    ("exchange_changes.read_changes", "GET"): only(
        Role.ANALYST, token=Scope.EXCHANGE_READ, names=Named.COLLECTION
    ),
    ("exchange_changes.list_news", "GET"): only(Role.ADMINISTRATOR, names=Named.COLLECTION),
    ("exchange_changes.add_news", "POST"): only(
        Role.ADMINISTRATOR, names=Named.COLLECTION, gives=201
    ),
    ("exchange_changes.remove_news", "DELETE"): only(
        Role.ADMINISTRATOR, names=Named.NEWS, gives=204
    ),
    ("exchange_changes.rotate_news_secret", "POST"): only(Role.ADMINISTRATOR, names=Named.NEWS),
    ("exchange_changes.tell_again", "POST"): only(Role.ADMINISTRATOR, names=Named.NEWS, gives=202),
    ("exchange_pages.show_all", "GET"): only(*_FEED_READERS),
    ("exchange_pages.open_one", "POST"): only(Role.ADMINISTRATOR, gives=303),
    ("exchange_pages.show", "GET"): only(*_FEED_READERS, names=Named.KEPT_COLLECTION),
    ("exchange_pages.close_one", "POST"): only(
        Role.ADMINISTRATOR, names=Named.KEPT_COLLECTION, gives=303
    ),
    ("exchange_pages.show_own", "GET"): only(Role.SUBMITTER, Role.COMPLIANCE),
    ("exchange_servers.show_servers", "GET"): only(*KEEPERS, Role.ANALYST),
    ("exchange_servers.add_server", "POST"): only(Role.ADMINISTRATOR, gives=303),
    ("exchange_servers.show_server", "GET"): only(*KEEPERS, Role.ANALYST, names=Named.SERVER),
    ("exchange_servers.ask_server", "POST"): only(
        Role.ADMINISTRATOR, names=Named.SERVER, gives=303
    ),
    ("exchange_servers.remove_server", "POST"): only(
        Role.ADMINISTRATOR, names=Named.SERVER, gives=303
    ),
    ("exchange_servers.show_received", "GET"): only(
        Role.COMPLIANCE, Role.ANALYST, names=Named.SERVER
    ),
    ("exchange_news.show", "GET"): only(Role.ADMINISTRATOR, names=Named.COLLECTION),
    ("exchange_news.add", "POST"): only(Role.ADMINISTRATOR, names=Named.COLLECTION, gives=201),
    ("exchange_news.rotate_secret", "POST"): only(Role.ADMINISTRATOR, names=Named.NEWS),
    ("exchange_news.again", "POST"): only(Role.ADMINISTRATOR, names=Named.NEWS, gives=303),
    ("exchange_news.remove", "POST"): only(Role.ADMINISTRATOR, names=Named.NEWS, gives=303),
    ("lookups.ask", "POST"): only(Role.ANALYST, token=Scope.LOOKUPS_WRITE),
    ("lookups.explain", "GET"): only(
        *LOOKUP_READERS, token=Scope.LOOKUPS_WRITE, names=Named.LOOKUP
    ),
    ("lookups.list_own", "GET"): only(*LOOKUP_READERS, token=Scope.LOOKUPS_WRITE),
    ("searching.show", "GET"): only(Role.ANALYST),
    ("searching.show_past", "GET"): only(Role.ANALYST),
    ("searching.find_past", "POST"): only(Role.ANALYST),
    ("searching.reopen", "GET"): only(Role.ANALYST, names=Named.LOOKUP),
    # What is waited for, and who else waits for the same.
    # Barriers: a model by two people, tags and barriers by one, known of as policies say.
    ("barriers.list_models", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("barriers.begin_model", "POST"): only(*_MODELLERS, gives=201),
    ("barriers.check_model", "POST"): only(*PATTERN_READERS, token=_KNOWS),
    ("barriers.read_used", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("barriers.choose_model", "PUT"): only(*DECIDERS),
    ("barriers.read_model", "GET"): _known_model(),
    ("barriers.read_text", "GET"): _known_model(),
    ("barriers.compare_versions", "GET"): _known_model(),
    ("barriers.propose_version", "POST"): only(
        *_MODELLERS, names=Named.MODEL, gives=_of_model(201, 409)
    ),
    ("barriers.approve_model", "POST"): _decided_model(*DECIDERS),
    ("barriers.refuse_model", "POST"): _decided_model(*DECIDERS),
    ("barriers.withdraw_model", "POST"): _decided_model(*_MODELLERS),
    ("barriers.suggest", "GET"): only(*_WRITERS, token=_KNOWS, names=Named.REPORT),
    ("barriers.read_tags", "GET"): only(*PATTERN_READERS, token=_KNOWS, names=Named.REPORT),
    ("barriers.tag", "POST"): only(*_WRITERS, token=_REGISTERS, names=Named.REPORT, gives=_OF_FILE),
    ("barriers.list_barriers", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("barriers.register_barrier", "POST"): only(*_WRITERS, token=_REGISTERS, gives=201),
    ("barrier_board.read_board", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("board_pages.show", "GET"): only(*PATTERN_READERS),
    ("board_pages.show_step", "GET"): only(*PATTERN_READERS, names=Named.STEP),
    ("board_pages.show_corridors", "GET"): only(*PATTERN_READERS),
    ("board_pages.show_substances", "GET"): only(*PATTERN_READERS),
    ("barrier_exports.take_briefing", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("board_exports.take_svg", "GET"): only(*PATTERN_READERS),
    ("board_exports.take_png", "GET"): only(*PATTERN_READERS),
    ("board_exports.take_pdf", "GET"): only(*PATTERN_READERS),
    ("barriers.read_gaps", "GET"): only(*PATTERN_READERS, token=_KNOWS),
    ("barriers.read_barrier", "GET"): only(*PATTERN_READERS, token=_KNOWS, names=Named.BARRIER),
    ("barriers.renew_barrier", "POST"): _changed_barrier(),
    ("barriers.end_barrier", "POST"): _changed_barrier(),
    ("barriers.explain_barrier", "GET"): only(*PATTERN_READERS, names=Named.OWN_BARRIER),
    ("barrier_audience.show", "GET"): only(*PATTERN_READERS, names=Named.OWN_BARRIER),
    # The same on pages.
    ("barrier_models.show_all", "GET"): only(*PATTERN_READERS),
    ("barrier_models.show", "GET"): _model_page(*PATTERN_READERS, live=200, proposed=200),
    ("barrier_models.compare", "GET"): _model_page(*PATTERN_READERS, live=200, proposed=200),
    ("barrier_models.download", "GET"): _model_page(*PATTERN_READERS, live=200, proposed=200),
    ("barrier_models.approve", "POST"): _model_page(*DECIDERS, live=409, proposed=303),
    ("barrier_models.refuse", "POST"): _model_page(*DECIDERS, live=409, proposed=303),
    ("barrier_models.withdraw", "POST"): _model_page(*_MODELLERS, live=409, proposed=303),
    ("barrier_models.choose", "POST"): _model_page(*DECIDERS, live=303, proposed=404),
    ("barrier_drafts.begin", "GET"): only(*_MODELLERS),
    ("barrier_drafts.keep", "POST"): only(*_MODELLERS, gives=303),
    ("barrier_drafts.begin_next", "GET"): _model_page(*_MODELLERS, live=200, proposed=200),
    ("barrier_drafts.keep_next", "POST"): _model_page(*_MODELLERS, live=303, proposed=409),
    ("barrier_pages.show_all", "GET"): only(*PATTERN_READERS),
    ("barrier_pages.show_gaps", "GET"): only(*PATTERN_READERS),
    ("barrier_pages.begin", "GET"): only(*_WRITERS),
    ("barrier_pages.register", "POST"): only(*_WRITERS, gives=303),
    ("barrier_pages.show", "GET"): only(*PATTERN_READERS, names=Named.BARRIER),
    ("barrier_pages.renew", "POST"): only(*_WRITERS, names=Named.OWN_BARRIER, gives=303),
    ("barrier_pages.end", "POST"): only(*_WRITERS, names=Named.OWN_BARRIER, gives=303),
    ("tag_pages.show", "GET"): only(*PATTERN_READERS, names=Named.REPORT),
    ("tag_pages.tag", "POST"): only(*_WRITERS, names=Named.REPORT, gives=_OF_CORRECTION),
    ("tag_pages.work", "GET"): only(*_WRITERS),
    # Shared patterns: written by one, published by a second, screened with by subscribers.
    ("patterns.list_patterns", "GET"): only(*PATTERN_READERS, token=_READS),
    ("patterns.begin", "POST"): only(*_WRITERS, token=_WRITES, gives=201),
    ("patterns.check", "POST"): only(*_WRITERS, token=_WRITES),
    ("patterns.fetch_subscribed", "GET"): only(*_WRITERS, token=_READS),
    ("patterns.read_pattern", "GET"): only(*PATTERN_READERS, token=_READS, names=Named.PATTERN),
    ("patterns.read_figures", "GET"): only(*PATTERN_READERS, token=_READS, names=Named.PATTERN),
    ("patterns.read_version", "GET"): only(*PATTERN_READERS, token=_READS, names=Named.PUBLISHED),
    ("patterns.save_draft", "PUT"): _written_pattern(200, 409),
    ("patterns.discard_draft", "DELETE"): _written_pattern(204, 409),
    ("patterns.propose", "POST"): _written_pattern(200, 409),
    ("patterns.withdraw", "POST"): _written_pattern(409, 200),
    ("patterns.approve", "POST"): _decided_pattern(),
    ("patterns.refuse", "POST"): _decided_pattern(),
    ("patterns.deprecate", "POST"): only(*DECIDERS, names=Named.PUBLISHED),
    ("patterns.subscribe", "PUT"): only(
        Role.ANALYST, token=_WRITES, names=Named.PUBLISHED, gives=204
    ),
    ("patterns.unsubscribe", "DELETE"): only(
        Role.ANALYST, token=_WRITES, names=Named.PUBLISHED, gives=204
    ),
    ("patterns.audience", "GET"): only(
        *PATTERN_READERS, names=Named.PATTERN_DRAFT, gives=_of_pattern_draft(200, 200)
    ),
    ("patterns.tell_run", "POST"): _counted_pattern(),
    ("patterns.tell_outcomes", "POST"): _counted_pattern(),
    # The same as pages: whoever may not write reads; the editor is its writers'.
    ("pattern_pages.show_all", "GET"): only(*PATTERN_READERS),
    ("pattern_pages.show", "GET"): only(*PATTERN_READERS, names=Named.PATTERN),
    ("pattern_pages.compare", "GET"): only(*PATTERN_READERS, names=Named.PATTERN),
    ("pattern_pages.audience", "GET"): only(
        *PATTERN_READERS, names=Named.PATTERN_DRAFT, gives=_of_pattern_draft(200, 200)
    ),
    ("pattern_pages.subscribe", "POST"): only(Role.ANALYST, names=Named.PUBLISHED, gives=303),
    ("pattern_pages.unsubscribe", "POST"): only(Role.ANALYST, names=Named.PUBLISHED, gives=303),
    ("pattern_pages.withdraw", "POST"): _pattern_form(*_WRITERS, gives=_of_pattern_draft(409, 303)),
    ("pattern_pages.approve", "POST"): _pattern_form(*DECIDERS, gives=_of_pattern_draft(409, 303)),
    ("pattern_pages.refuse", "POST"): _pattern_form(*DECIDERS, gives=_of_pattern_draft(409, 303)),
    ("pattern_pages.deprecate", "POST"): only(*DECIDERS, names=Named.PUBLISHED, gives=303),
    ("pattern_pages.editing.begin", "GET"): only(*_WRITERS),
    ("pattern_pages.editing.keep", "POST"): only(*_WRITERS, gives=303),
    ("pattern_pages.editing.compose", "POST"): only(*_WRITERS),
    ("pattern_pages.editing.show", "GET"): _pattern_form(
        *_WRITERS, gives=_of_pattern_draft(200, 303)
    ),
    ("pattern_pages.editing.save", "POST"): _pattern_form(
        *_WRITERS, gives=_of_pattern_draft(303, 409)
    ),
    ("pattern_pages.editing.propose", "POST"): _pattern_form(
        *_WRITERS, gives=_of_pattern_draft(303, 409)
    ),
    ("pattern_pages.editing.discard", "POST"): _pattern_form(
        *_WRITERS, gives=_of_pattern_draft(303, 409)
    ),
    ("pattern_pages.screening_filters.show_all", "GET"): only(*LOOKUP_READERS),
    # Screening filters, and bulk evaluation.
    ("filters.make", "POST"): only(Role.ANALYST, token=_SCREENS, gives=201),
    ("filters.list_filters", "GET"): only(*LOOKUP_READERS, token=_SCREENS),
    ("filters.read_filter", "GET"): only(*LOOKUP_READERS, token=_SCREENS, names=Named.FILTER),
    ("filters.fetch", "GET"): only(
        Role.ANALYST, token=_SCREENS, names=Named.FILTER, gives=_OF_FILTER
    ),
    ("filters.changes", "GET"): only(
        Role.ANALYST, token=_SCREENS, names=Named.FILTER, gives=_OF_FILTER
    ),
    ("screening.evaluate", "POST"): only(Role.ANALYST, token=_SCREENS, names=Named.EVALUATION),
    ("screening.read_agreed", "GET"): only(*LOOKUP_READERS, token=_SCREENS),
    ("watches.set_watch", "POST"): only(Role.ANALYST, token=Scope.WATCHES_WRITE, gives=201),
    ("watches.list_watches", "GET"): only(*LOOKUP_READERS, token=Scope.WATCHES_WRITE),
    ("watches.read_watch", "GET"): only(Role.ANALYST, token=Scope.WATCHES_WRITE, names=Named.WATCH),
    ("watches.stop_watch", "DELETE"): only(
        *LOOKUP_READERS, token=Scope.WATCHES_WRITE, names=Named.WATCH, gives=204
    ),
    ("deconflictions.list_deconflictions", "GET"): only(Role.ANALYST, token=Scope.WATCHES_WRITE),
    ("watching.show", "GET"): only(Role.ANALYST, names=Named.WATCH),
    ("watching.show_all", "GET"): only(*LOOKUP_READERS),
    ("watching.stop", "POST"): only(*LOOKUP_READERS, names=Named.WATCH, gives=303),
    # One's own policy, for programs and as pages.
    ("policies.approve_draft", "POST"): only(
        *DECIDERS, names=Named.DRAFT, gives=_of_draft(409, 200), mine={State.PROPOSED: 403}
    ),
    ("policies.cancel_version", "POST"): only(
        *WRITER, names=Named.VERSION, gives=_of_version(200, 409)
    ),
    ("policies.check", "POST"): only(*WRITER),
    ("policies.compose", "POST"): only(*WRITER),
    ("policies.create_draft", "POST"): only(*WRITER, gives=201),
    ("policies.discard_draft", "POST"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(200, 200)),
    ("policies.draft_from_version", "POST"): only(*WRITER, names=Named.VERSION, gives=201),
    ("policies.edit_draft", "PUT"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(200, 409)),
    ("policies.foresee_audience", "POST"): only(*AUDIENCE_READERS),
    ("policies.list_drafts", "GET"): only(*READERS),
    ("policies.list_templates", "GET"): only(*READERS),
    ("policies.list_versions", "GET"): only(*READERS),
    ("policies.propose_draft", "POST"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(200, 409)),
    ("policies.read_current", "GET"): only(*READERS),
    ("policies.read_draft", "GET"): only(*READERS, names=Named.DRAFT),
    ("policies.read_version", "GET"): only(*READERS, names=Named.VERSION),
    ("policies.refuse_draft", "POST"): only(
        *DECIDERS, names=Named.DRAFT, gives=_of_draft(409, 200)
    ),
    ("policies.replay_draft", "POST"): only(*READERS, names=Named.DRAFT),
    ("policies.simulate", "POST"): only(*READERS),
    ("policies.simulate_draft", "POST"): only(*READERS, names=Named.DRAFT),
    ("policies.stop", "POST"): only(*WRITER),
    ("policies.withdraw_draft", "POST"): only(
        *WRITER, names=Named.DRAFT, gives=_of_draft(409, 200)
    ),
    ("sharing.ask_stop", "GET"): only(*WRITER),
    ("sharing.audience", "GET"): only(*AUDIENCE_READERS, names=Named.OWN_INDICATOR),
    ("sharing.begin", "GET"): only(*WRITER),
    ("sharing.cancel_version", "POST"): only(
        *WRITER, names=Named.VERSION, gives=_of_version(303, 409)
    ),
    ("sharing.draft_version", "POST"): only(*WRITER, names=Named.VERSION, gives=303),
    ("sharing.drafts.approve", "POST"): only(
        *DECIDERS, names=Named.DRAFT, gives=_of_draft(409, 303), mine={State.PROPOSED: 403}
    ),
    ("sharing.drafts.changes", "GET"): only(*READERS, names=Named.DRAFT),
    ("sharing.drafts.compose", "POST"): only(*WRITER),
    ("sharing.drafts.create", "POST"): only(*WRITER, gives=303),
    ("sharing.drafts.discard", "POST"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(303, 303)),
    ("sharing.drafts.propose", "POST"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(303, 409)),
    ("sharing.drafts.refuse", "POST"): only(
        *DECIDERS, names=Named.DRAFT, gives=_of_draft(409, 303)
    ),
    ("sharing.drafts.save", "POST"): only(*WRITER, names=Named.DRAFT, gives=_of_draft(303, 409)),
    ("sharing.drafts.show", "GET"): only(*READERS, names=Named.DRAFT),
    ("sharing.drafts.withdraw", "POST"): only(
        *WRITER, names=Named.DRAFT, gives=_of_draft(409, 303)
    ),
    ("sharing.overview", "GET"): only(*READERS),
    ("sharing.stop", "POST"): only(*WRITER, gives=303),
    ("sharing.compare", "GET"): only(*READERS),
    ("sharing.version", "GET"): only(*READERS, names=Named.VERSION),
}
