"""Every question of the matrix, made from the route table: route x verb x caller x record."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from postern.vocabulary import Role, Scope
from tests.app.matrix.expectations import (
    ANY_TOKEN,
    EXPECTED,
    NO_RECORD,
    NO_TOKEN,
    Caller,
    Means,
    Named,
    Record,
    Relation,
    Route,
    State,
    is_stopped_at_the_door,
    is_there,
)

PERSONS: tuple[Role | None, ...] = (*Role, None)

_TURNS = {key: turn for turn, key in enumerate(EXPECTED)}
_VOID = (Means.SIGNED_OUT, Means.STALE, Means.REVOKED_TOKEN, Means.EXPIRED_TOKEN)

_OF_INDICATOR = (
    State.LIVE,
    State.WITHDRAWN,
    State.EXPIRED,
    State.ERASED,
    State.FUTURE,
    State.NEVER,
)
_BY_POLICY = (
    Relation.OWN,
    Relation.NOTHING,
    Relation.PRESENCE,
    Relation.METADATA,
    Relation.REQUEST,
    Relation.FEED,
    Relation.OWNER_ONLY,
    Relation.REQUESTER_ONLY,
    Relation.OWNER_SUSPENDED,
    Relation.READER_LEFT,
    Relation.READER_SUSPENDED,
)
_BY_PERSON = (Relation.MINE, Relation.COLLEAGUE, Relation.OTHER, Relation.OWNER_SUSPENDED)
_OF_DRAFT = (
    State.EDITING,
    State.PROPOSED,
    State.APPROVED,
    State.REFUSED,
    State.DISCARDED,
    State.NEVER,
)
_BY_ORGANISATION = (Relation.OWN, Relation.OTHER, Relation.OWNER_SUSPENDED)
_OF_TASK = (State.LIVE, State.CLOSED, State.NEVER)
_OF_VERSION = (State.IN_FORCE, State.PAST, State.SCHEDULED, State.CANCELLED, State.NEVER)

_RECORDS: dict[Named, tuple[tuple[Relation | None, ...], tuple[State, ...]]] = {
    Named.NOTHING: ((), ()),
    Named.ERROR: ((None,), (State.LIVE, State.NEVER)),
    Named.TEMPLATE: ((None,), (State.LIVE, State.NEVER)),
    Named.SCHEMA: ((None,), (State.LIVE, State.NEVER)),
    Named.CHECKPOINT: ((None,), (State.LIVE, State.NEVER)),
    Named.TILE: ((None,), (State.LIVE, State.NEVER)),
    Named.EVALUATION: ((None,), (State.LIVE, State.NEVER)),
    Named.PLACE: (_BY_ORGANISATION, (State.LIVE, State.NEVER)),
    Named.REPORT: (_BY_POLICY, _OF_INDICATOR),
    Named.ENVELOPE: (
        _BY_ORGANISATION,
        (State.LIVE, State.WITHDRAWN, State.EXPIRED, State.NEVER),
    ),
    Named.MEMBER: ((None,), (State.LIVE, State.NEVER)),
    Named.STEP: ((None,), (State.LIVE, State.NEVER)),
    Named.KEY_ALARM: (_BY_ORGANISATION, (State.LIVE, State.CLOSED, State.NEVER)),
    Named.OWN_INDICATOR: (_BY_POLICY, _OF_INDICATOR),
    Named.REPORTED: (_BY_POLICY, _OF_INDICATOR),
    Named.HOLD: (_BY_ORGANISATION, _OF_TASK),
    Named.SUBJECT: (_BY_ORGANISATION, _OF_TASK),
    Named.BREACH: (_BY_ORGANISATION, _OF_TASK),
    Named.FACTOR: (
        (Relation.MINE, Relation.COLLEAGUE, Relation.OTHER),
        (State.LIVE, State.NEVER),
    ),
    Named.ASKED: (_BY_ORGANISATION, _OF_TASK),
    Named.RECEIVED: (_BY_ORGANISATION, _OF_TASK),
    Named.ASKED_PART: (_BY_ORGANISATION, _OF_TASK),
    Named.DELIVERY: (_BY_ORGANISATION, _OF_TASK),
    Named.RECEIVED_RECALL: (_BY_ORGANISATION, _OF_TASK),
    Named.OWN_RECALL: (_BY_ORGANISATION, _OF_TASK),
    Named.INDICATOR: (_BY_POLICY, _OF_INDICATOR),
    Named.LOOKUP: (
        (Relation.OWN, Relation.OTHER, Relation.OWNER_SUSPENDED),
        (State.LIVE, State.ERASED, State.NEVER),
    ),
    Named.WATCH: (_BY_ORGANISATION, _OF_TASK),
    Named.PATTERN: (
        (Relation.OWN, Relation.FEED, Relation.METADATA, Relation.OWNER_SUSPENDED),
        (State.LIVE, State.NEVER),
    ),
    Named.PUBLISHED: ((Relation.OWN, Relation.FEED), (State.LIVE, State.NEVER)),
    Named.PATTERN_DRAFT: (
        (Relation.OWN, Relation.OTHER),
        (State.EDITING, State.PROPOSED, State.NEVER),
    ),
    Named.BARRIER: (
        (Relation.OWN, Relation.FEED, Relation.METADATA, Relation.OWNER_SUSPENDED),
        (State.LIVE, State.NEVER),
    ),
    Named.OWN_BARRIER: ((Relation.OWN, Relation.FEED), (State.LIVE, State.NEVER)),
    Named.MODEL: ((Relation.OWN, Relation.OTHER), (State.LIVE, State.PROPOSED, State.NEVER)),
    Named.FILTER: (_BY_ORGANISATION, _OF_TASK),
    Named.TOKEN: (_BY_PERSON, (State.LIVE, State.REVOKED, State.EXPIRED, State.NEVER)),
    Named.MEMBER_TOKEN: (_BY_PERSON, (State.LIVE, State.REVOKED, State.EXPIRED, State.NEVER)),
    Named.PERSON: (_BY_ORGANISATION, _OF_TASK),
    Named.NOTIFICATION: (
        (Relation.MINE, Relation.COLLEAGUE, Relation.OTHER),
        (State.LIVE, State.NEVER),
    ),
    Named.DRAFT: (_BY_PERSON, _OF_DRAFT),
    Named.VERSION: ((Relation.OWN, Relation.OTHER), _OF_VERSION),
    Named.REVIEW: (_BY_ORGANISATION, _OF_TASK),
    Named.ROUND: (_BY_ORGANISATION, _OF_TASK),
    Named.SIGNAL: (_BY_ORGANISATION, _OF_TASK),
    Named.CHANNEL: (_BY_ORGANISATION, (State.LIVE, State.REVOKED, State.NEVER)),
    Named.SERVER: (_BY_ORGANISATION, (State.LIVE, State.REVOKED, State.NEVER)),
    Named.COLLECTION: (_BY_ORGANISATION, _OF_TASK),
    Named.KEPT_COLLECTION: (_BY_ORGANISATION, _OF_TASK),
    Named.OWN_COLLECTION: (_BY_ORGANISATION, _OF_TASK),
    Named.OWN_OBJECT: (_BY_ORGANISATION, (State.LIVE, State.NEVER)),
    Named.OWN_EVENT: (_BY_ORGANISATION, (State.LIVE, State.NEVER)),
    Named.TAXII_STATUS: (_BY_ORGANISATION, (State.LIVE, State.NEVER)),
    Named.NEWS: (_BY_ORGANISATION, (State.LIVE, State.REVOKED, State.NEVER)),
}


OF_MEMBERS = frozenset(Named) - {
    Named.NOTHING,
    Named.ERROR,
    Named.TEMPLATE,
    Named.SCHEMA,
    Named.CHECKPOINT,
    Named.TILE,
    Named.EVALUATION,
    Named.MEMBER,
    Named.STEP,
}
"""What belongs to an organisation or to one of its people."""


@dataclass(frozen=True)
class Cell:
    """One request and who makes it about what."""

    endpoint: str
    method: str
    caller: Caller
    record: Record

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint} by {self.caller}, {self.record}"


def routes(app: Flask) -> dict[tuple[str, str], Rule]:
    """Every route and verb of the platform, but for the files of its pages.

    A HEAD is a GET without the body: test_not_there.py holds it to that.
    """
    return {
        (rule.endpoint, method): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if rule.endpoint != "static"
    }


def naming_a_record(*, is_named: bool) -> list[tuple[str, str]]:
    """The routes and verbs that name a record, or those that name none."""
    return [key for key, route in EXPECTED.items() if (route.names in OF_MEMBERS) == is_named]


def cells_of(endpoint: str, method: str) -> list[Cell]:
    """Everybody by every means with one record, and every record with each role.

    Who is stopped by role, scope or a lacking sign-in is asked about so many records that each
    relation and each state is met.
    """
    route = EXPECTED[endpoint, method]
    every = records(route.names)
    few = a_few(every)
    asked = [(caller, every[0]) for caller in callers(endpoint, method)]
    asked += [
        (caller, record)
        for record in every
        for caller in _with_each_record(route, record)
        if record in few or not is_stopped_at_the_door(route, caller)
    ]
    return [Cell(endpoint, method, *each) for each in dict.fromkeys(asked)]


def records(names: Named) -> list[Record]:
    """Everything that such a path may name, what is there first."""
    relations, states = _RECORDS[names]
    found = [Record(relation, state) for relation in relations for state in states]
    return found or [NO_RECORD]


def allowed(route: Route) -> list[Caller]:
    """Everybody who may use the route, by session and by token."""
    assert route.roles
    roles = [role for role in Role if role in route.roles]
    callers = [Caller(Means.SESSION, role) for role in roles]
    if route.token not in (NO_TOKEN, ANY_TOKEN):
        callers += [Caller(Means.TOKEN, role, Scope(route.token)) for role in roles]
    return callers


def asked(named: Named) -> list[Record]:
    """The records that an organisation which is not suspended may ask for."""
    return [each for each in records(named) if each.relation is not Relation.READER_SUSPENDED]


def hidden(named: Named) -> list[Record]:
    """Those of them that are not there for it."""
    found = [each for each in asked(named) if not is_there(named, each)]
    assert len(found) > 1
    return found


def a_few(of: list[Record]) -> list[Record]:
    """So many of them that each relation and each state among them is met once at least."""
    found: list[Record] = []
    for record in of:
        is_new_relation = all(record.relation is not each.relation for each in found)
        if is_new_relation or all(record.state is not each.state for each in found):
            found.append(record)
    return found


def callers(endpoint: str, method: str) -> Iterator[Caller]:
    """Each person by session and token, and by each void means one of them.

    Void tokens, and those of a suspended organisation, have all scopes. A token for something else
    is asked of with each scope by somebody whose role may use the route, and with one scope by each
    other role: role and scope are decided apart. Which one it is, and whose void means are tried,
    is another at each route.
    """
    route, turn = EXPECTED[endpoint, method], _TURNS[endpoint, method]
    yield Caller(Means.NONE)
    yield from (Caller(each, PERSONS[turn % len(PERSONS)]) for each in _VOID)
    for role in PERSONS:
        yield Caller(Means.SESSION, role)
        yield from (Caller(Means.TOKEN, role, scope) for scope in _scopes(route, role, turn))
        for means in (Means.SESSION, Means.TOKEN):
            yield Caller(means, role, is_suspended=True)


def _scopes(route: Route, role: Role | None, turn: int) -> Iterator[Scope]:
    if role is next(each for each in PERSONS if each in (route.roles or PERSONS)):
        yield from Scope
        return
    wrong = [scope for scope in Scope if scope != route.token]
    yield from (scope for scope in Scope if scope == route.token)
    yield wrong[(PERSONS.index(role) + turn) % len(wrong)]


def _with_each_record(route: Route, record: Record) -> Iterable[Caller]:
    is_suspended = record.relation is Relation.READER_SUSPENDED
    yield Caller(Means.NONE)
    for role in PERSONS:
        yield Caller(Means.SESSION, role, is_suspended=is_suspended)
        if is_suspended:
            yield Caller(Means.TOKEN, role, is_suspended=True)
        elif route.token not in (NO_TOKEN, ANY_TOKEN):
            yield Caller(Means.TOKEN, role, Scope(route.token))
