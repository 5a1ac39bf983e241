"""Two server processes on one database: what one of them takes back, the other shows no more.

Every change goes through one worker or the console, and the very next request goes to the other;
nobody waits, again and again. The workers listen on loopback only and are stopped by their ids.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from app.access import CONSOLE
from app.accounts import service as accounts
from app.config import Settings
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import versions
from app.sharing.models import Cause
from postern.vocabulary import Role, Scope
from tests.app.exchange import (
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    Exchange,
    b64,
    make_exchange,
    report,
)
from tests.app.people import Person, bearer, make_person
from tests.functional.serving import PATIENCE, serving

ROUNDS = 10
TO_EXCHANGE = """
@id("exchange/all") @label("Members of the exchange see everything that may leave")
permit (principal in Community::"postal-exchange", action, resource);
"""
_TOKEN_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Worker:
    """One server process, and what one asker and some people send to it."""

    address: str
    asker: dict[str, str]
    queries: list[dict[str, Any]]
    people: dict[str, "Visitor"] = field(default_factory=dict)

    def level(self) -> str | None:
        """The level at which the police see the one indicator; None when they see nothing."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        hits = answer.json()["results"][0]["hits"]
        assert len(hits) <= 1
        return hits[0]["level"] if hits else None

    def ask(self) -> requests.Response:
        return requests.post(
            f"{self.address}/api/v1/lookups",
            json={
                "purpose": "criminal_investigation",
                "legal_basis": "police_law",
                "case": "PV-1",
                "queries": self.queries,
            },
            headers=self.asker,
            timeout=PATIENCE,
        )


@dataclass
class Visitor:
    """Somebody with a session at a worker."""

    address: str
    session: requests.Session
    headers: dict[str, str]

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.session.post(
            f"{self.address}/api/v1/policies/{path}",
            json=body,
            headers=self.headers,
            timeout=PATIENCE,
        )
        assert answer.ok, answer.text
        said: dict[str, Any] = answer.json()
        return said


@dataclass
class Pair:
    """Both workers, and the console, which is a third process on the same database."""

    exchange: Exchange
    author: Person
    approver: Person
    workers: tuple[Worker, Worker]

    def in_turn(self) -> Iterator[tuple[Worker, Worker]]:
        """(where something is changed, where it is asked), changing places every round."""
        for number in range(ROUNDS):
            yield self.workers[number % 2], self.workers[1 - number % 2]

    def schedule(self, text: str, valid_from: datetime) -> int:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            owner = self.exchange.organisation_id("post-be")
            return versions.put_in_force(
                session, CONSOLE, owner, text, Cause.CONSOLE, valid_from=valid_from
            )

    def set_status(self, code: str, status: OrganisationStatus) -> None:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            organisations.set_status(session, CONSOLE, code, status)

    def belong(self, *, is_member: bool) -> None:
        verb = organisations.join if is_member else organisations.leave
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            verb(session, CONSOLE, "police-de", "postal-exchange")


@pytest.fixture
def pair(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Pair]:
    exchange = make_exchange(app)
    exchange.submit("post-be", report("r1", exchange.indicator(SOPHIE)))
    author, approver = (make_person(app, "post-be", Role) for _ in range(2))
    asker = bearer(app, exchange.people["police-de"], [Scope.LOOKUPS_WRITE])
    query = exchange.query(SOPHIE)
    queries = [
        {
            "id": query.id,
            "kind": query.kind.value,
            "epoch": query.epoch,
            "tokens": [{"facet": facet, "token": b64(token)} for facet, token in query.tokens],
        }
    ]
    with ExitStack() as stack:
        addresses = [
            stack.enter_context(serving(settings, tmp_path / f"worker-{number}.toml"))
            for number in range(2)
        ]
        first, second = (Worker(address, asker, queries) for address in addresses)
        for worker in (first, second):
            assert worker.level() is None
        yield Pair(exchange, author, approver, (first, second))


def test_a_stop_at_one_worker_is_seen_by_the_next_question_at_the_other(pair: Pair) -> None:
    for changed, asked in pair.in_turn():
        pair.exchange.publish("post-be", OPEN_TO_POLICE)
        assert asked.level() == "request"
        _as(changed, pair.author).post("stop")
        assert asked.level() is None
        assert changed.level() is None


def test_what_two_people_approve_at_two_workers_holds_at_both_at_once(pair: Pair) -> None:
    for number, (changed, asked) in enumerate(pair.in_turn()):
        text, level = (
            (PRESENCE_TO_POLICE, "presence") if number % 2 else (OPEN_TO_POLICE, "request")
        )
        draft = _as(changed, pair.author).post("drafts", title="A change", text=text)
        assert draft["check"]["faults"] == []
        proposed = _as(asked, pair.author).post(
            f"drafts/{draft['id']}/propose", revision=draft["revision"]
        )
        before = changed.level()
        assert before == asked.level() != level
        _as(changed, pair.approver).post(
            f"drafts/{draft['id']}/approve", revision=proposed["revision"]
        )
        assert asked.level() == level
        assert changed.level() == level


def test_a_suspension_is_seen_by_the_next_question(pair: Pair) -> None:
    pair.exchange.publish("post-be", OPEN_TO_POLICE)
    for changed, asked in pair.in_turn():
        assert asked.level() == "request"
        pair.set_status("post-be", OrganisationStatus.SUSPENDED)
        assert asked.level() is None
        assert changed.level() is None
        pair.set_status("post-be", OrganisationStatus.ACTIVE)
        assert asked.level() == "request"
        pair.set_status("police-de", OrganisationStatus.SUSPENDED)
        assert asked.ask().status_code in {401, 403}
        assert changed.ask().status_code in {401, 403}
        pair.set_status("police-de", OrganisationStatus.ACTIVE)


def test_leaving_a_community_is_seen_by_the_next_question(pair: Pair) -> None:
    pair.belong(is_member=True)
    pair.exchange.publish("post-be", TO_EXCHANGE)
    for changed, asked in pair.in_turn():
        assert asked.level() == "request"
        pair.belong(is_member=False)
        assert asked.level() is None
        assert changed.level() is None
        pair.belong(is_member=True)


def test_a_session_that_ends_at_one_worker_opens_nothing_at_the_other(pair: Pair) -> None:
    for changed, asked in list(pair.in_turn())[:4]:  # a sign-in takes its time
        kept, lost = _begun(changed, pair.author), _begun(changed, pair.author)
        for worker in (asked, changed):
            assert _opens(worker, kept)
            assert _opens(worker, lost)
        (others,) = re.findall(r'name="session" value="([^"]+)"', _account(changed, kept).text)
        _send(changed, kept, "/account/sessions/end", session=others)
        assert not _opens(asked, lost)
        assert not _opens(changed, lost)
        assert _opens(asked, kept)
        _send(changed, kept, "/account/sessions/end-all")
        assert not _opens(asked, kept)
        assert not _opens(changed, kept)


def test_a_role_or_an_account_taken_back_is_seen_by_the_next_request(pair: Pair) -> None:
    visitor = _begun(pair.workers[0], pair.author)
    with pair.exchange.app.app_context():
        for _changed, asked in pair.in_turn():
            role = Role.COMPLIANCE
            assert _page(asked, visitor, "/signals").status_code == 200
            with pair.exchange.database.transaction() as session:
                accounts.set_roles(session, CONSOLE, pair.author.login, withdraw=[role])
            assert _page(asked, visitor, "/signals").status_code == 403
            with pair.exchange.database.transaction() as session:
                accounts.set_roles(session, CONSOLE, pair.author.login, grant=[role])
        with pair.exchange.database.transaction() as session:
            accounts.close(session, CONSOLE, pair.author.login)
    for worker in pair.workers:
        assert not _opens(worker, visitor)


def test_a_scheduled_version_takes_effect_at_its_second_on_both_and_not_when_cancelled(
    pair: Pair,
) -> None:
    for changed, asked in list(pair.in_turn())[:4]:
        pair.exchange.publish("post-be", OPEN_TO_POLICE)
        starts = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        pair.schedule("", starts)
        seen = _watched(starts, asked, changed)
        assert seen["before"] <= {"request"}
        assert seen["after"] == {None}

        pair.exchange.publish("post-be", OPEN_TO_POLICE)
        starts = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
        seq = pair.schedule("", starts)
        _as(changed, pair.author).post(f"versions/{seq}/cancel")
        seen = _watched(starts, asked, changed)
        assert seen["before"] | seen["after"] == {"request"}


def _watched(starts: datetime, *workers: Worker) -> dict[str, set[str | None]]:
    """What was answered to questions that ended before, and that began after, a moment."""
    seen: dict[str, set[str | None]] = {"before": set(), "after": set()}
    while True:
        for worker in workers:
            began = datetime.now(UTC)
            level = worker.level()
            ended = datetime.now(UTC)
            if ended < starts:
                seen["before"].add(level)
            elif began >= starts:
                seen["after"].add(level)
                if worker is workers[-1]:
                    return seen


def _as(worker: Worker, person: Person) -> Visitor:
    """The person's session at this worker, begun at the first visit."""
    if person.login not in worker.people:
        session = requests.Session()
        form = session.get(f"{worker.address}/sign-in", timeout=PATIENCE)
        answer = session.post(
            f"{worker.address}/sign-in",
            data={
                "login": person.login,
                "password": person.password,
                "next": "/account",
                "csrf_token": _token_in(form.text),
            },
            timeout=PATIENCE,
        )
        assert answer.url.endswith("/account"), answer.text
        headers = {"X-CSRFToken": _token_in(answer.text)}
        worker.people[person.login] = Visitor(worker.address, session, headers)
    return worker.people[person.login]


def _begun(worker: Worker, person: Person) -> requests.Session:
    """Another session of the person; its cookie is good at both workers, being of one host."""
    worker.people.pop(person.login, None)
    return _as(worker, person).session


def _page(worker: Worker, visitor: requests.Session, path: str) -> requests.Response:
    return visitor.get(f"{worker.address}{path}", allow_redirects=False, timeout=PATIENCE)


def _account(worker: Worker, visitor: requests.Session) -> requests.Response:
    return _page(worker, visitor, "/account")


def _opens(worker: Worker, visitor: requests.Session) -> bool:
    return _account(worker, visitor).status_code == 200


def _send(worker: Worker, visitor: requests.Session, path: str, **form: str) -> None:
    form["csrf_token"] = _token_in(_account(worker, visitor).text)
    answer = visitor.post(
        f"{worker.address}{path}", data=form, allow_redirects=False, timeout=PATIENCE
    )
    assert answer.status_code == 303, answer.text


def _token_in(page: str) -> str:
    found = _TOKEN_FIELD.search(page)
    assert found, page
    return found.group(1)
