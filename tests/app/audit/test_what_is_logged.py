"""Directive (EU) 2016/680, Art. 25: what the entry of an act of each operation must say.

Collection, alteration, consultation, combination, disclosure and erasure, and the acts that decide
who may do them.
"""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import app as platform
from app.access import CONSOLE
from app.accounts import service as accounts
from app.accounts import tokens
from app.audit.catalogue import CATALOGUE, OBJECT_TYPES, Operation
from app.compliance import subject_requests, subject_search
from app.indicators import envelopes, holds
from app.indicators import service as indicators
from app.indicators.amending import Correction, amend_indicator, amend_report
from app.lookups import service as lookups
from app.organisations import service as organisations
from postern.envelope import Context
from postern.vocabulary import (
    Assertion,
    HoldReason,
    LegalBasis,
    Purpose,
    RecallReason,
    Role,
    Scope,
    SubjectRight,
)
from tests.app.exchange import (
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    SOPHIE_TYPED,
    Exchange,
    make_exchange,
    report,
)
from tests.app.people import bearer, cross_site_headers, make_person, sign_in
from tests.app.sealing import NO_TOKEN, member_keys, publish, sealed

GROUNDS = {
    "purpose": Purpose.CRIMINAL_INVESTIGATION.value,
    "legal_basis": LegalBasis.CRIMINAL_PROCEDURE.value,
    "case": "PV-2024-17",
}
FAR = date.today() + timedelta(days=5000)  # noqa: DTZ011 - far enough in every zone


@dataclass
class House:
    """post-be reported `indicator` in `report`; its policy is open to police-de, who asks."""

    exchange: Exchange
    client: FlaskClient
    report: UUID
    indicator: str

    def get(self, address: str, **more: str) -> None:
        """As the analyst of police-de, with grounds."""
        headers = bearer(self.exchange.app, self.exchange.people["police-de"], list(Scope))
        self.client.get(address, query_string={**GROUNDS, **more}, headers=headers)

    def do(self, verb: Callable[[Session], object]) -> None:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            verb(session)


@pytest.fixture
def house(app: Flask, client: FlaskClient) -> House:
    exchange = make_exchange(app)
    (made,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert made.id is not None
    return House(exchange, client, made.id, str(made.indicators[0]))


def _withdraw(house: House) -> None:
    post = house.exchange.caller("post-be")
    house.do(lambda session: indicators.withdraw(session, post, house.report, "sent by mistake"))


def _attach(house: House) -> UUID:
    post = house.exchange.caller("post-be")
    held = publish(house.exchange, member_keys("post-be"))
    raw = sealed(held, Context("post-be", "report", 0, NO_TOKEN, "k1", "attachment/1"))
    made: list[UUID] = []
    house.do(
        lambda session: made.append(envelopes.attach(session, post, house.report, 1, raw)[0].id)
    )
    return made[0]


def _list_envelopes(house: House) -> None:
    post = house.exchange.caller("post-be")
    _attach(house)
    house.do(lambda session: envelopes.list_own(session, post, house.report))


def _read_envelope(house: House) -> None:
    post, made = house.exchange.caller("post-be"), _attach(house)
    house.do(lambda session: envelopes.read_own(session, post, house.report, made))


def _amend(house: House) -> None:
    post = house.exchange.caller("post-be")
    right = Correction({"assertion": Assertion.FACT}, RecallReason.WRONG_DATA)
    indicator = UUID(house.indicator)
    house.do(lambda session: amend_indicator(session, post, house.report, indicator, right))


def _amend_report(house: House) -> None:
    post = house.exchange.caller("post-be")
    right = Correction({"barrier_step": 5}, RecallReason.WRONG_DATA)
    house.do(lambda session: amend_report(session, post, house.report, right))


def _restrict(house: House) -> None:
    post = house.exchange.caller("post-be")
    until = date.today() + timedelta(days=1500)  # noqa: DTZ011 - far enough in every zone
    why = HoldReason.PROCEEDINGS
    house.do(
        lambda session: holds.place(
            session, post, house.report, reason=why, until=until, case="PV-2024-17"
        )
    )
    house.do(lambda session: indicators.expire(session, until))


def _erase_after_a_hold(house: House) -> None:
    _restrict(house)
    house.do(lambda session: indicators.expire(session, FAR))


def _search_for_a_subject(house: House) -> None:
    post = house.exchange.caller("post-be")

    def run(session: Session) -> None:
        asked = subject_requests.open_request(
            session, post, right=SubjectRight.ACCESS, case="A-1", note=""
        )
        subject_search.search(session, post, asked.id, [house.exchange.query(SOPHIE_TYPED)])

    house.do(run)


def _expire_lookup(house: House) -> None:
    house.exchange.ask("police-de", JAN)
    house.do(lambda session: lookups.expire(session, FAR))


def _sign_in_badly(house: House) -> None:
    person = make_person(house.exchange.app, "police-de")
    typed = {"login": person.login, "password": "a wrong one"}
    house.client.post("/sign-in", data=typed, headers=cross_site_headers(house.client))


def _sign_in(house: House) -> None:
    sign_in(house.client, house.exchange.people["police-de"])


def _grant(house: House) -> None:
    login = house.exchange.people["police-de"].login
    house.do(lambda session: accounts.set_roles(session, CONSOLE, login, withdraw=[Role.APPROVER]))


def _make_token(house: House) -> None:
    login = house.exchange.people["police-de"].login
    scopes = [Scope.AUDIT_READ]
    house.do(lambda session: tokens.create_token(session, CONSOLE, login, scopes=scopes, days=1))


def _join(house: House) -> None:
    house.do(lambda session: organisations.join(session, CONSOLE, "post-be", "benelux"))


@dataclass(frozen=True)
class Demand:
    """What to do, and which fields its entry must fill: of the record, and of the details."""

    act: str
    operation: Operation
    do: Callable[[House], object]
    record: frozenset[str]
    details: frozenset[str]
    audience: tuple[str, ...]

    def __str__(self) -> str:
        return self.act


WHO = frozenset({"actor", "means"})
WHAT = frozenset({"obj", "n"})
WHY = frozenset({"purpose", "basis"})
C, D, E, X = Operation.COLLECTION, Operation.CONSULTATION, Operation.ERASURE, Operation.DISCLOSURE
M, A, L = Operation.COMBINATION, Operation.ADMINISTRATION, Operation.ALTERATION
POLICE, POST = ("police-de",), ("post-be",)

DEMANDS = [
    Demand(
        "report.submit", C, lambda _: None, WHAT | {"basis"}, WHO | {"objects", "indicators"}, POST
    ),
    Demand(
        "lookup.ask",
        D,
        lambda h: h.exchange.ask("police-de", SOPHIE_TYPED),
        WHAT | WHY,
        WHO | {"case", "objects", "policies", "query", "hits"},
        POLICE,
    ),
    Demand(
        "lookup.ask",
        D,
        lambda h: h.exchange.ask("police-de", JAN),
        WHAT | WHY,
        WHO | {"case", "objects", "query"},
        POLICE,
    ),
    Demand(
        "indicator.match",
        M,
        lambda h: h.exchange.ask("police-de", SOPHIE_TYPED),
        WHAT | WHY,
        frozenset({"objects", "policy", "policies", "viewer", "level"}),
        POST,
    ),
    Demand(
        "indicator.list",
        D,
        lambda h: h.get("/api/v1/indicators"),
        WHAT | WHY,
        WHO | {"case", "objects", "policies"},
        POLICE,
    ),
    Demand(
        "indicator.count",
        D,
        lambda h: h.get("/api/v1/indicators/counts"),
        WHAT | WHY,
        WHO | {"case", "policies"},
        POLICE,
    ),
    Demand(
        "indicator.export",
        X,
        lambda h: h.get("/api/v1/indicators/export"),
        WHAT | WHY,
        WHO | {"case", "objects", "policies"},
        POLICE,
    ),
    Demand(
        "indicator.read",
        D,
        lambda h: h.get(f"/api/v1/indicators/{h.indicator}"),
        WHAT | WHY,
        WHO | {"case", "objects", "policies"},
        POLICE,
    ),
    Demand(
        "indicator.onward",
        D,
        lambda h: h.get(f"/api/v1/indicators/{h.indicator}/onward", to="customs-nl"),
        WHAT | WHY,
        WHO | {"case", "objects", "to"},
        POLICE,
    ),
    Demand(
        "indicator.shared",
        X,
        lambda h: h.get("/api/v1/indicators/export"),
        WHAT | WHY,
        frozenset({"objects", "policy", "policies", "viewer", "level"}),
        POST,
    ),
    Demand("envelope.attach", C, _attach, WHAT, WHO | {"objects", "part", "digest"}, POST),
    Demand("envelope.list", D, _list_envelopes, WHAT, WHO | {"objects"}, POST),
    Demand("envelope.read", D, _read_envelope, WHAT, WHO | {"objects", "part"}, POST),
    Demand("indicator.amend", L, _amend, WHAT, WHO | {"objects", "reason", "changes"}, POST),
    Demand(
        "report.amend",
        L,
        _amend_report,
        WHAT,
        WHO | {"objects", "indicators", "reason", "changes"},
        POST,
    ),
    Demand("indicator.restrict", L, _restrict, WHAT, WHO | {"objects"}, ("platform", "post-be")),
    Demand(
        "indicator.erase",
        E,
        _erase_after_a_hold,
        WHAT,
        WHO | {"objects"},
        ("platform", "post-be"),
    ),
    Demand(
        "subject.search",
        D,
        _search_for_a_subject,
        WHAT,
        WHO | {"objects", "holdings", "query"},
        POST,
    ),
    Demand("report.withdraw", E, _withdraw, WHAT, WHO | {"objects", "indicators", "reason"}, POST),
    Demand(
        "indicator.expire",
        E,
        lambda h: h.do(lambda s: indicators.expire(s, FAR)),
        WHAT,
        WHO | {"objects"},
        ("platform", "post-be"),
    ),
    Demand("lookup.expire", E, _expire_lookup, WHAT, WHO | {"objects"}, ("platform", "police-de")),
    Demand("session.start", A, _sign_in, WHAT, WHO, POLICE),
    Demand(
        "session.refuse",
        A,
        _sign_in_badly,
        frozenset(),
        WHO | {"refusal", "person"},
        ("platform", "police-de"),
    ),
    Demand("account.role", A, _grant, WHAT, WHO | {"objects", "roles"}, ("platform", "police-de")),
    Demand(
        "token.create",
        A,
        _make_token,
        WHAT,
        WHO | {"objects", "person", "scopes"},
        ("platform", "police-de"),
    ),
    Demand("policy.publish", A, lambda _: None, WHAT, WHO | {"objects"}, ("platform", "post-be")),
    Demand(
        "organisation.community",
        A,
        _join,
        WHAT,
        WHO | {"objects", "community"},
        ("platform", "post-be"),
    ),
    Demand("key.epoch", A, lambda _: None, WHAT, WHO | {"public_keys"}, ("platform",)),
]


@pytest.mark.parametrize("demand", DEMANDS, ids=str)
def test_an_entry_says_what_the_law_wants_of_its_operation(house: House, demand: Demand) -> None:
    demand.do(house)
    entry = house.exchange.entries(demand.act)[-1]
    record = json.loads(entry.record)
    assert CATALOGUE[demand.act].operation is demand.operation
    assert record["t"] > 0
    assert record["org"]
    assert record["out"] == ("denied" if demand.act == "session.refuse" else "ok")
    assert {name for name in demand.record if record[name]} == demand.record
    assert {name for name in demand.details if entry.details.get(name)} >= demand.details - {"hits"}
    assert entry.audience == sorted(demand.audience)


def test_every_operation_that_the_platform_has_is_in_the_table() -> None:
    done = {demand.operation for demand in DEMANDS}
    assert done == {known.operation for known in CATALOGUE.values()}
    assert set(Operation) == done


def test_a_lookup_names_to_its_asker_what_it_was_told_of(house: House) -> None:
    lookup = house.exchange.ask("police-de", SOPHIE_TYPED).lookup
    entry = house.exchange.entries("lookup.ask")[-1]
    assert entry.details["objects"] == [str(lookup), house.indicator]
    assert json.loads(entry.record)["n"] == 1  # queries


def test_a_lookup_that_was_told_of_a_presence_names_no_indicator(house: House) -> None:
    house.exchange.publish("post-be", PRESENCE_TO_POLICE)
    lookup = house.exchange.ask("police-de", SOPHIE_TYPED).lookup
    entry = house.exchange.entries("lookup.ask")[-1]
    assert entry.details["hits"] == 1
    assert entry.details["objects"] == [str(lookup)]
    assert house.indicator not in entry.record
    assert entry.details["policies"] == []


def test_a_refused_consultation_is_justified_like_another(house: House) -> None:
    unknown = uuid4()
    house.get(f"/api/v1/indicators/{unknown}")
    entry = house.exchange.entries("indicator.read")[-1]
    record = json.loads(entry.record)
    assert (record["out"], record["purpose"], record["basis"]) == (
        "error",
        GROUNDS["purpose"],
        GROUNDS["legal_basis"],
    )
    assert entry.details["case"] == GROUNDS["case"]
    assert entry.details["objects"] == [str(unknown)]
    assert entry.details["refusal"] == "not-found"


@pytest.mark.parametrize(
    "body",
    [
        {"purpose": "Sophie Van Damme", "legal_basis": ["x"], "case": {"name": "Sophie Van Damme"}},
        {"purpose": 7, "case": "Sophie Van Damme" * 20, "queries": [{"name": "Sophie Van Damme"}]},
        ["Sophie Van Damme"],
        "Sophie Van Damme",
    ],
    ids=["wrong types", "too long", "list", "text"],
)
def test_a_refused_request_brings_nothing_else_into_the_log(house: House, body: Any) -> None:
    headers = bearer(house.exchange.app, house.exchange.people["police-de"], list(Scope))
    assert house.client.post("/api/v1/lookups", json=body, headers=headers).status_code >= 400
    entry = house.exchange.entries("lookup.ask")[-1]
    assert "Sophie" not in entry.record + str(entry.details)
    assert entry.details.keys() == {"actor", "means", "refusal"}


def test_a_denied_caller_is_logged_with_the_grounds_of_the_request(house: House) -> None:
    submitter = make_person(house.exchange.app, "police-de", [Role.SUBMITTER])
    headers = sign_in(house.client, submitter)
    house.client.post("/api/v1/lookups", json={**GROUNDS, "queries": []}, headers=headers)
    entry = house.exchange.entries("lookup.ask")[-1]
    record = json.loads(entry.record)
    assert (record["out"], record["purpose"]) == ("denied", GROUNDS["purpose"])
    assert entry.details["case"] == GROUNDS["case"]


def test_the_list_of_object_types_is_that_of_the_code() -> None:
    assert sorted(set(_object_types())) == sorted(OBJECT_TYPES)


def _object_types() -> Iterator[str]:
    """Every `object_type` that the code gives to an entry."""
    for path in sorted(Path(platform.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "object_type":
                values = ast.walk(node.value)
                yield from (
                    each.value
                    for each in values
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )
