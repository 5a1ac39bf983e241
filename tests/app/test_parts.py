"""An answer in parts: each is logged and durable before it leaves, and none is made too early."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response, g, has_request_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit.guard import audited, caller, public, transaction
from app.audit.parts import Part, PartedResponse, answer_in_parts
from app.audit.service import append
from app.config import Settings
from app.database import Database
from app.errors import NotAllowedError, SignInNeededError, UnauditedResponseError
from postern.vocabulary import Role, Scope
from tests.app.bare import bare_app, count_entries, give_tag_keys, member
from tests.app.test_guard import entries

ACT = "indicator.export"


class Story:
    """A body of five parts, each of which is logged but for the part `untold`."""

    def __init__(self, untold: int = 0) -> None:
        self.made = 0
        self._untold = untold

    def part(self) -> Part:
        self.made += 1
        if self.made != self._untold:
            append(transaction(), caller(), ACT, details={"part": self.made})
        return Part(b"part %d;" % self.made, is_last=self.made == 5)


@pytest.fixture
def bare(settings: Settings, database: Database) -> Iterator[Flask]:
    give_tag_keys(database, "police-de")
    app = bare_app(settings, database)
    app.extensions["caller"] = member(roles=[Role.ANALYST])

    @app.before_request
    def prove() -> None:
        g.renew_caller = lambda: app.extensions["caller"]

    @app.get("/api/told")
    @audited(ACT, roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
    def told() -> Response:
        story = app.extensions["story"] = Story()
        return answer_in_parts(story.part(), story.part, "text/plain")

    @app.get("/api/half-told")
    @audited(ACT)
    def half_told() -> Response:
        story = Story(untold=3)
        return answer_in_parts(story.part(), story.part, "text/plain")

    @app.get("/api/unguarded")
    @public
    def unguarded() -> Response:
        return PartedResponse(
            Part(b"what nobody logged", is_last=False), Story().part, "text/plain"
        )

    yield app
    app.extensions["postern"].database.dispose()


@pytest.fixture
def client(bare: Flask) -> FlaskClient:
    return bare.test_client()


def parts(answer: TestResponse) -> Iterator[bytes]:
    """The parts one by one, as they leave."""
    yield from answer.iter_encoded()


def test_each_part_is_logged_before_it_leaves_and_none_is_made_before_its_turn(
    bare: Flask, client: FlaskClient, database: Database
) -> None:
    answer = client.get("/api/told", buffered=False)
    seen = [
        (part, count_entries(database), bare.extensions["story"].made) for part in parts(answer)
    ]
    assert seen == [(b"part %d;" % number, number, number) for number in range(1, 6)]
    assert entries(database) == [(ACT, "ok", None)] * 5
    assert "Postern-Receipt" in answer.headers
    assert answer.content_length is None


def test_of_what_was_broken_off_only_what_left_is_logged(
    client: FlaskClient, database: Database
) -> None:
    answer = client.get("/api/told", buffered=False)
    leaving = parts(answer)
    assert [next(leaving), next(leaving)] == [b"part 1;", b"part 2;"]
    answer.close()
    assert count_entries(database) == 2


def test_the_length_and_type_are_told_to_who_asks_for_the_head_only(
    client: FlaskClient, database: Database
) -> None:
    answer = client.head("/api/told")
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert count_entries(database) == 1


def test_a_part_that_is_not_logged_does_not_leave(client: FlaskClient, database: Database) -> None:
    left: list[bytes] = []
    with pytest.raises(UnauditedResponseError):
        left += parts(client.get("/api/half-told", buffered=False))
    assert entries(database) == [(ACT, "ok", None)] * 2 + [(ACT, "error", "unexpected-error")]


def test_an_answer_in_parts_without_a_guard_gives_nothing(client: FlaskClient) -> None:
    with pytest.raises(UnauditedResponseError):
        client.get("/api/unguarded", buffered=True)


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        (None, SignInNeededError),
        (member(roles=[Role.SUBMITTER]), NotAllowedError),
        (member(roles=[Role.ANALYST], scopes=[Scope.AUDIT_READ]), NotAllowedError),
    ],
)
def test_who_may_no_longer_read_gets_no_further_part(
    bare: Flask, client: FlaskClient, database: Database, now: object, refused: type[Exception]
) -> None:
    leaving = parts(client.get("/api/told", buffered=False))
    assert next(leaving) == b"part 1;"
    bare.extensions["caller"] = now
    with pytest.raises(refused):
        next(leaving)
    outcome = "denied" if refused is NotAllowedError else "error"
    assert [told[:2] for told in entries(database)] == [(ACT, "ok"), (ACT, outcome)]


def test_an_answer_that_nobody_reads_leaves_no_request_behind(client: FlaskClient) -> None:
    answers = [client.get("/api/told", buffered=False) for _ in range(2)]
    assert [next(parts(answer)) for answer in answers] == [b"part 1;"] * 2
    del answers
    assert not has_request_context()
