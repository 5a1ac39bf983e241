"""The interface under schemathesis: requests made from its own description, by everybody.

Each generated request goes out as each kind of person, with the id of a record that is there for
them or with the generated one. The answer may be no failure of the platform and must be of a
documented status, type and shape. Where the path names a record, the same request is also sent
with ids of other organisations and with one that never was: these answers must be equal.
"""

import json
import math
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.wsgi import WSGI_TRANSPORT
from werkzeug.test import TestResponse

from app.accounts.step_up import WEIGHTY
from app.audit.guard import RECEIPT_HEADER
from app.web.openapi import document
from postern.vocabulary import Role
from tests.app.matrix.asking import SAME_ID, Asker, home
from tests.app.matrix.cells import Cell, a_few, asked, hidden, naming_a_record
from tests.app.matrix.expectations import (
    EXPECTED,
    Caller,
    Means,
    Named,
    Record,
    State,
    is_there,
)
from tests.app.matrix.stage import NEVER, READER, Stage
from tests.fuzz.found import Found

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STRANGER = "a stranger"
NAMING = frozenset(naming_a_record(is_named=True))
_COMPARED = 3  # one operation of so many in the short version
_OWN_HEADERS = (
    "Accept-Encoding",
    "Authorization",
    "Cookie",
    "X-Request-Id",
    "X-Schemathesis-TestCaseId",
    "Host",
    "User-Agent",  # a session is bound to it
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Generated(NamedTuple):
    """One request of the description, and the route that it asks."""

    endpoint: str
    method: str
    case: Case

    @property
    def name(self) -> str:
        return f"{self.method} {self.case.path}"


class Door:
    """Asks one stage, which no request changes, and writes down what must not be."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.asker = Asker(stage)
        self.conduct = Found("interface", "schemathesis", folder)
        self.secrecy = Found("interface-others-ids", "schemathesis", folder)
        schema = schemathesis.openapi.from_dict(document(stage.app))
        self._routes = {
            f"{endpoint.replace('.', '_')}_{method.lower()}": (endpoint, method)
            for endpoint, method in EXPECTED
        }
        # A route that stands in no row of the matrix yet is missed by its own test.
        self.operations = [
            each
            for each in (made.ok() for made in schema.get_all_operations())
            if each.definition.raw["operationId"] in self._routes
        ]

    def round(
        self, number: int, chosen: int, people: int, *, until: float = math.inf, every: int = 1
    ) -> None:
        """`chosen` requests of each way for each operation, each as so many people.

        It ends early at the moment `until` of the monotonic clock; `every` leaves operations out.
        """
        chance = random.Random(number)  # noqa: S311 - to be repeated, not to be secret
        for operation in chance.sample(self.operations, len(self.operations) // every):
            if time.monotonic() > until:
                return
            for one in self._requests(operation, number, chosen):
                for who in self._people(one, people, chance):
                    self.ask(one, who, chance)
                self._compare(one, chance)

    def deal(self, number: int, part: int, parts: int) -> None:
        """One request of each way for each operation whose place is of this part, by a few people.

        A holder of the roles that may asks, and one of everybody else, who are dealt over the
        operations in turn, by `number`; of what is weighty, everybody. Every third is compared.
        """
        for place, operation in enumerate(self.operations[part::parts]):
            chance = random.Random(f"{number}/{place}")  # noqa: S311 - to be repeated
            for turn, one in enumerate(self._requests(operation, number, 1)):
                self.ask(one, self._holder(one, chance), chance)
                others = self._everybody(one)
                is_weighty = one.endpoint in WEIGHTY
                dealt = others if is_weighty else [others[(number + place + turn) % len(others)]]
                for who in dealt:
                    self.ask(one, who, chance)
                if place % _COMPARED == 0 or is_weighty:
                    self._compare(one, chance)

    def _requests(self, operation: Any, number: int, chosen: int) -> Iterator[Generated]:
        endpoint, method = self._routes[operation.definition.raw["operationId"]]
        for case in _generated(operation, number, chosen):
            yield Generated(endpoint, method, case)

    def _compare(self, one: Generated, chance: random.Random) -> None:
        if (one.endpoint, one.method) in NAMING:
            self.compare(one, chance)
        self.compare_bodies(one, chance)

    def ask(self, one: Generated, who: Caller | str, chance: random.Random) -> None:
        """Send it as somebody, and hold the answer against the description."""
        path = self._own_path(one, who, chance) if chance.random() < 0.7 else None
        self.conduct.cases += 1
        answer = self._send(one, who, path)
        try:
            one.case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            for each in failures.exceptions:
                kind = f"{one.name} {answer.status_code} {getattr(each, 'title', each)}"
                self.conduct.add(kind, self._told(one, who, path, f"{each}"))

    def compare(self, one: Generated, chance: random.Random) -> None:
        """The ids of others in the path, beside one that never was."""
        route = EXPECTED[one.endpoint, one.method]
        who = self._holder(one, chance)
        never = Record(hidden(route.names)[0].relation, State.NEVER)
        demanded = self._told_apart(one, who, self._path(one, who, never))
        others = [each for each in hidden(route.names) if each.state is not State.NEVER]
        for record in chance.sample(others, min(2, len(others))):
            path = self._path(one, who, record)
            self.secrecy.cases += 1
            answer = self._told_apart(one, who, path)
            if answer != demanded:
                told = self._told(one, who, path, f"{answer} instead of {demanded}")
                self.secrecy.add(f"{one.name} {record.relation} {record.state}", told)

    def compare_bodies(self, one: Generated, chance: random.Random) -> None:
        """The ids of others in body and arguments, beside one that never was."""
        written = json.dumps([one.case.query, _plain(one.case.body)], default=repr)
        if not _UUID.search(written):
            return
        who = self._holder(one, chance)
        is_naming = (one.endpoint, one.method) in NAMING
        path = self._own_path(one, who, chance) if is_naming else None
        demanded = self._told_apart(one, who, path, NEVER)
        for other in chance.sample(self._others(), 2):
            self.secrecy.cases += 1
            answer = self._told_apart(one, who, path, other)
            if answer != demanded:
                told = self._told(one, who, path, f"{other}: {answer} instead of {demanded}")
                self.secrecy.add(f"{one.name} body", told)

    def _others(self) -> list[UUID]:
        """Reports, indicators and lookups of others that the reader may know nothing of."""
        found = []
        for record in a_few(hidden(Named.REPORT)):
            sent = self.stage.sent.get((record.relation, record.state))  # type: ignore[arg-type]
            if sent is not None:
                found.append(sent.report)
        lookups = self.stage.lookups.items()
        return [*found, *(name for (code, _), name in lookups if code != READER)]

    def _people(self, one: Generated, number: int, chance: random.Random) -> Iterator[Caller | str]:
        """One who may, then others: each role, nobody's role, a stranger."""
        yield self._holder(one, chance)
        everybody = self._everybody(one)
        yield from chance.sample(everybody, min(number - 1, len(everybody)))

    def _everybody(self, one: Generated) -> list[Caller | str]:
        return [STRANGER, *(Caller(self._means(one), role) for role in (*Role, None))]

    def _holder(self, one: Generated, chance: random.Random) -> Caller:
        roles = EXPECTED[one.endpoint, one.method].roles
        return Caller(self._means(one), chance.choice(sorted(roles)) if roles else Role.ANALYST)

    def _means(self, one: Generated) -> Means:
        """A token of all scopes; a session where tokens are refused."""
        takes_token = {"bearer": []} in one.case.operation.definition.raw.get("security", ())
        return Means.TOKEN if takes_token else Means.SESSION

    def _own_path(self, one: Generated, who: Caller | str, chance: random.Random) -> str | None:
        """With the id of something that is there for the caller, if the path names any."""
        names = EXPECTED[one.endpoint, one.method].names
        there = [] if names is Named.NOTHING else [r for r in asked(names) if is_there(names, r)]
        return self._path(one, who, chance.choice(there)) if there else None

    def _path(self, one: Generated, who: Caller | str, record: Record) -> str:
        role = None if isinstance(who, str) else who.role
        return self.asker.path(Cell(one.endpoint, one.method, Caller(Means.SESSION, role), record))

    def _send(
        self, one: Generated, who: Caller | str, path: str | None, named: UUID | None = None
    ) -> TestResponse:
        sending = WSGI_TRANSPORT.serialize_case(one.case)
        headers = {k: v for k, v in sending["headers"].items() if k not in _OWN_HEADERS}
        headers |= self._proof(one, who)
        if named is not None:
            sending["query_string"] = _with(sending["query_string"], named)
            if "json" in sending:
                sending["json"] = _with(sending["json"], named)
        return self.stage.client.open(
            **{**sending, "headers": headers, "path": path or sending["path"]},
            environ_overrides=dict(SAME_ID),
        )

    def _proof(self, one: Generated, who: Caller | str) -> dict[str, str]:
        if isinstance(who, str):
            return {}
        code = self._home(one)
        return self.stage.headers[code, who.role, who.means, None]

    def _home(self, one: Generated) -> str:
        return home(Cell(one.endpoint, one.method, Caller(Means.SESSION, None), Record()))

    def _told_apart(
        self, one: Generated, who: Caller, path: str | None, named: UUID | None = None
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """All that leaves, but for what is random or repeats the request."""
        answer = self._send(one, who, path, named)
        body = answer.get_data()
        for repeated in filter(None, (path, str(named) if named else None)):
            body = body.replace(repeated.encode(), b"*").replace(quote(repeated).encode(), b"*")
        is_made = answer.status_code in range(200, 300) and one.method != "GET"
        if is_made:  # ids of what was made are drawn anew
            body = _UUID.sub("*", body.decode("utf-8", "replace")).encode()
        headers = tuple(
            (name, str(len(value)) if name == RECEIPT_HEADER else value)
            for name, value in answer.headers
            if name not in {"Date", "ETag", "Location", "Content-Length", "Set-Cookie"}
        )
        return answer.status_code, headers, body

    def _told(self, one: Generated, who: Caller | str, path: str | None, why: str) -> bytes:
        sending = WSGI_TRANSPORT.serialize_case(one.case)
        told = {
            "operation": one.name,
            "who": str(who),
            "path": path or sending["path"],
            "query": sending["query_string"],
            "body": sending.get("json", repr(sending.get("data"))),
            "why": why[:4000],
        }
        return json.dumps(told, indent=1, default=repr).encode()


def _generated(operation: Any, number: int, chosen: int) -> list[Case]:
    """Requests that keep to the description, and such as break it in something."""
    found: list[Case] = []
    for mode in GenerationMode:
        strategy = operation.as_strategy(generation_mode=mode)

        @seed(number)
        @settings(
            max_examples=chosen,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def collect(case: Case) -> None:
            found.append(case)

        try:
            collect()
        except Unsatisfiable:
            continue
    return found


def _plain(body: Any) -> Any:
    return body if isinstance(body, dict | list | str) else None


def _with(part: Any, named: UUID) -> Any:
    """With this id instead of each that stands in it."""
    if isinstance(part, dict):
        return {key: _with(inner, named) for key, inner in part.items()}
    if isinstance(part, list):
        return [_with(inner, named) for inner in part]
    return _UUID.sub(str(named), part) if isinstance(part, str) else part
