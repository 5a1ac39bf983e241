"""What is not there and what is not yours are one answer, byte for byte: status, headers, body.

Every request has the same id, so that nothing of a problem needs to be made equal.
Of a page two things are: the token of its forms, which is drawn anew for every page, and the
address that was asked, which the page repeats; both are of one length. So is the receipt of the
entry, which is random. A test client adds no Date.

The first who may use a route asks for every record that is hidden, in every state; everybody else,
and every faulty request, for so many that each relation and each state is met.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from app.audit.guard import RECEIPT_HEADER
from postern.vocabulary import Role
from tests.app.matrix.asking import NAMED_IN_QUERY, SAME_ID, Asker, Sending, lookup_of, query_of
from tests.app.matrix.cells import Cell, a_few, allowed, asked, hidden, naming_a_record, records
from tests.app.matrix.expectations import (
    EXPECTED,
    NOT_THERE,
    Caller,
    Means,
    Named,
    Record,
    Relation,
    State,
)
from tests.app.matrix.stage import NEWCOMER, OWNERS, Stage, undone

NEVER: dict[Named, Record] = {
    named: Record(records(named)[0].relation, State.NEVER)
    for named in Named
    if named is not Named.NOTHING
}
"""What never existed, of each kind."""

NAMING = naming_a_record(is_named=True)
GETS = [key for key in EXPECTED if key[1] == "GET"]
VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_FORM_TOKEN = re.compile(rb'(name="csrf_token" value=")[^"]*"')
_LOOKUP_ID = re.compile(rb'"lookup": ?"[^"]*"')


@dataclass(frozen=True)
class Answer:
    """All that leaves."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


FAULTS: dict[str, Callable[[Sending], Sending]] = {
    "nothing": lambda _: {},
    "fields that there are not": lambda sending: (
        {"data": {"no": "such"}} if "data" in sending else {"json": {"no": "such"}}
    ),
    "no JSON": lambda _: {"data": b"{", "content_type": "application/json"},
    "another type": lambda _: {"data": b"<a/>", "content_type": "text/xml"},
    "arguments that there are not": lambda sending: {**sending, "query_string": {"no": "such"}},
    "a revision that never was": lambda sending: {
        kind: {**fields, "revision": 1_000_000} if isinstance(fields, dict) else fields
        for kind, fields in sending.items()
    },
    "a condition": lambda sending: {**sending, "headers": {"If-Match": '"1"'}},
}
"""What may be wrong with a request, made of one that is right."""

REACHING = frozenset({"a revision that never was", "a condition"})
"""Those with which a request reaches the record; the others are refused before a database is."""

# What is answered before a database is asked is seen on one.
on_one_stage = pytest.mark.parametrize("stage", ["sqlite"], indirect=True)

CURSORS = (
    ("reports.list_own", "cursor", Named.REPORT),
    ("lookups.list_own", "cursor", Named.LOOKUP),
    ("watches.list_watches", "cursor", Named.WATCH),
    ("policies.list_drafts", "before", Named.DRAFT),
    ("signals.list_signals", "before", Named.SIGNAL),
    ("disclosures.list_asked", "cursor", Named.ASKED),
    ("disclosures.list_received", "cursor", Named.RECEIVED),
    ("holds.list_holds", "cursor", Named.HOLD),
    ("subjects.list_requests", "cursor", Named.SUBJECT),
    ("filters.list_filters", "cursor", Named.FILTER),
)

TOLD_OF = {
    Relation.OWN,
    Relation.PRESENCE,
    Relation.METADATA,
    Relation.REQUEST,
    Relation.FEED,
    Relation.REQUESTER_ONLY,
}
"""Of what is live of these, a lookup tells."""


@pytest.fixture(scope="module")
def asker(stage: Stage) -> Iterator[Asker]:
    with undone(stage):
        yield Asker(stage, SAME_ID)


@pytest.mark.parametrize(("endpoint", "method"), NAMING)
def test_what_is_not_yours_is_answered_like_what_is_not_there(
    asker: Asker, endpoint: str, method: str
) -> None:
    route = EXPECTED[endpoint, method]
    every = hidden(route.names)
    for place, caller in enumerate(allowed(route)):
        demanded = answer_of(asker, Cell(endpoint, method, caller, NEVER[route.names]))
        assert demanded.status == NOT_THERE
        for record in a_few(every) if place else every:
            assert answer_of(asker, Cell(endpoint, method, caller, record)) == demanded, record


@on_one_stage
@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - REACHING))
@pytest.mark.parametrize(("endpoint", "method"), NAMING)
def test_a_request_that_is_refused_by_its_form_does_not_tell_what_is_there(
    asker: Asker, endpoint: str, method: str, fault: str
) -> None:
    require_one_answer(asker, endpoint, method, fault)


@pytest.mark.parametrize("fault", sorted(REACHING))
@pytest.mark.parametrize(("endpoint", "method"), NAMING)
def test_a_wrong_request_that_reaches_the_record_does_not_tell_what_is_there(
    asker: Asker, endpoint: str, method: str, fault: str
) -> None:
    require_one_answer(asker, endpoint, method, fault)


def require_one_answer(asker: Asker, endpoint: str, method: str, fault: str) -> None:
    """The faulty request about hidden records is answered like that about nothing."""
    route = EXPECTED[endpoint, method]
    caller, wrong = allowed(route)[0], FAULTS[fault]
    demanded = answer_of(asker, Cell(endpoint, method, caller, NEVER[route.names]), wrong)
    assert demanded.status >= 400 or endpoint in NAMED_IN_QUERY  # an empty page
    for record in a_few(hidden(route.names)):
        assert answer_of(asker, Cell(endpoint, method, caller, record), wrong) == demanded, record


@on_one_stage
@pytest.mark.parametrize(("endpoint", "method"), NAMING)
def test_a_verb_that_the_address_does_not_know_tells_nothing_of_any_record(
    asker: Asker, endpoint: str, method: str
) -> None:
    route, path = EXPECTED[endpoint, method], asker.rule(endpoint, method).rule
    known = {verb for name, verb in EXPECTED if asker.rule(name, verb).rule == path}
    cells = [Cell(endpoint, method, allowed(route)[0], each) for each in a_few(asked(route.names))]
    for verb in sorted(VERBS - known):
        (answer,) = {answer_of(asker, cell, verb=verb) for cell in cells}
        assert answer.status == 405, verb


@on_one_stage
@pytest.mark.parametrize(("endpoint", "method"), GETS)
def test_a_head_is_a_get_without_its_body(asker: Asker, endpoint: str, method: str) -> None:
    route = EXPECTED[endpoint, method]
    callers = [Caller(Means.NONE), *(allowed(route)[:1] if route.roles else ())]
    for cell in [
        Cell(endpoint, method, who, what) for who in callers for what in a_few(asked(route.names))
    ]:
        got = answer_of(asker, cell)
        assert answer_of(asker, cell, verb="HEAD") == Answer(got.status, got.headers, b""), cell


def test_a_lookup_of_what_is_hidden_is_answered_like_one_that_finds_nothing(asker: Asker) -> None:
    cell = Cell("lookups.ask", "POST", Caller(Means.SESSION, Role.ANALYST), Record())
    nothing = query_of(asker.stage.unknown)
    demanded = looked_up(asker, cell, [nothing])
    assert demanded.status == 200
    sent = asker.stage.sent
    things = [
        (relation, state)
        for relation, state in sent
        if relation is not Relation.READER_SUSPENDED
        and (relation not in TOLD_OF or state is not State.LIVE)
    ]
    for key in things:
        assert looked_up(asker, cell, [query_of(sent[key].thing)]) == demanded, key
    together = [query_of(sent[key].thing, f"q{place:02}") for place, key in enumerate(things)]
    of_nothing = [{**nothing, "id": query["id"]} for query in together]
    assert looked_up(asker, cell, together) == looked_up(asker, cell, of_nothing)


@pytest.mark.parametrize("door", ["list_shared", "count_shared", "export_shared"])
def test_who_hides_everything_seems_to_have_nothing(asker: Asker, door: str) -> None:
    cell = Cell(f"indicators.{door}", "GET", Caller(Means.SESSION, Role.ANALYST), Record())
    empty = answer_of(asker, cell, filtered(owner=NEWCOMER))
    assert empty.status == 200
    listed = {Relation.FEED, Relation.REQUESTER_ONLY}
    for relation, code in OWNERS.items():
        same = answer_of(asker, cell, filtered(owner=code)) == empty
        assert same == (relation not in listed), relation


@pytest.mark.parametrize("door", ["list_shared", "export_shared"])
def test_a_hidden_record_cannot_be_felt_by_a_cursor(asker: Asker, door: str) -> None:
    cell = Cell(f"indicators.{door}", "GET", Caller(Means.SESSION, Role.ANALYST), Record())
    hiding = {*Relation} - {Relation.FEED, Relation.REQUESTER_ONLY, Relation.READER_SUSPENDED}
    for key, sent in asker.stage.sent.items():
        if key[0] not in hiding and key[1] is State.LIVE:
            continue
        beside = UUID(int=sent.indicator.int + 1)
        answers = [
            answer_of(asker, cell, filtered(cursor=each, limit=1))
            for each in (sent.indicator, beside)
        ]
        assert answers[0].status == 200
        assert answers[0] == answers[1], key


@pytest.mark.parametrize(("endpoint", "argument", "named"), CURSORS)
def test_a_cursor_of_anothers_is_one_of_nothing(
    asker: Asker, endpoint: str, argument: str, named: Named
) -> None:
    caller = allowed(EXPECTED[endpoint, "GET"])[0]
    cell = Cell(endpoint, "GET", caller, Record())
    person = asker.person(cell)

    def after(record: Record) -> Answer:
        assert record.relation
        assert record.state
        value = asker.stage.path_value(named, record.relation, record.state, person)
        return answer_of(asker, cell, lambda _: {"query_string": {argument: str(value)}})

    demanded = after(NEVER[named])
    assert demanded.status == 200
    for record in hidden(named):
        assert after(record) == demanded, record


def filtered(**arguments: object) -> Callable[[Sending], Sending]:
    """The request with more arguments."""
    given = {name: str(value) for name, value in arguments.items()}
    return lambda sending: {"query_string": {**sending["query_string"], **given}}


def looked_up(asker: Asker, cell: Cell, queries: list[dict[str, Any]]) -> Answer:
    """The answer to a lookup, whose own id is drawn anew."""
    answer = answer_of(asker, cell, lambda _: {"json": lookup_of(*queries)})
    return replace(answer, body=_LOOKUP_ID.sub(b'"lookup":""', answer.body))


def answer_of(
    asker: Asker,
    cell: Cell,
    change: Callable[[Sending], Sending] = lambda sending: sending,
    verb: str | None = None,
) -> Answer:
    """The answer to the cell's request, changed; see at the top what of a page is made equal."""
    sending, path = change(asker.sending(cell)), asker.path(cell)
    response = asker.send(cell, path=path, sending=sending, verb=verb)
    body = response.get_data()
    if response.mimetype == "text/html":
        body = _FORM_TOKEN.sub(rb"\1", body)
        in_query = cell.endpoint in NAMED_IN_QUERY
        body = body.replace((str(asker.value(cell)) if in_query else path).encode(), b"*")
    headers = [(name, _told(name, value)) for name, value in response.headers]
    return Answer(response.status_code, tuple(headers), body)


def _told(name: str, value: str) -> str:
    """The value of a header; of a receipt, which is of random bytes, the length; no second."""
    if name == "Date":
        return "the present"
    return f"{len(value)} characters" if name == RECEIPT_HEADER else value
