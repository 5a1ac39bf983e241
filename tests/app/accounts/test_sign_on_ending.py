"""Signing out at the provider, by the person and told by it, against a certified provider."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import clock
from app.accounts import oidc, sign_on, sign_on_ending
from app.accounts.entry_models import SignOnLink
from app.accounts.factor_models import PendingSignIn
from app.accounts.models import WebSession
from app.accounts.oidc import Client, SignedOut, SignOnError, SignOnRefusal, verified_sign_out
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.conftest import log_of
from tests.app.accounts.sign_on_room import CALLBACK, Room, make_room, roles_in
from tests.app.jobs.receivers import Hook, hook_server
from tests.app.people import cross_site_headers, make_person, sign_in
from tests.functional.oidc.running import Provider, running

LEFT = "http://127.0.0.1:8080/sign-on/left"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
RSA = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
STRANGE = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
KEYS = KeySet.import_key_set({"keys": [RSA.as_dict(private=False)]})
CLIENT = Client("https://login.post.example", "postern", "the secret", "https://x.example")


@dataclass(frozen=True)
class Telling:
    """A provider that takes sign-outs, and what it told of them."""

    provider: Provider
    hook: Hook

    def told(self) -> bytes:
        """The body of its newest message."""
        (_, headers, body) = self.hook.taken[-1]
        assert headers["content-type"].startswith("application/x-www-form-urlencoded")
        return body


@pytest.fixture(scope="module")
def telling() -> Iterator[Telling]:
    hook = Hook(statuses=[200] * 50)
    with (
        hook_server(hook) as port,
        running(CALLBACK, LEFT, f"http://127.0.0.1:{port}/told") as provider,
    ):
        yield Telling(provider, hook)


@pytest.fixture
def room(app: Flask, database: Database, post: str, telling: Telling) -> Room:
    return make_room(app, database, post, telling.provider)


def deliver(room: Room, body: bytes | str) -> TestResponse:
    """What the provider sends, to the platform, without any cookie."""
    kind = "application/x-www-form-urlencoded"
    address = f"/sign-on/back-channel?provider={room.id}"
    return room.app.test_client().post(address, data=body, content_type=kind)


def sign_out(client: FlaskClient) -> TestResponse:
    """Sign out here, up to the page that says what is left."""
    answer = client.post("/sign-out", headers=cross_site_headers(client))
    assert answer.location == "/sign-on/leave"
    return client.get(answer.location)


def leaving_address(page: str, provider: Provider) -> str:
    found = re.search(rf'href="({provider.issuer}/session/end[^"]+)"', page)
    assert found, page
    return unescape(found.group(1))


def test_a_person_signs_out_here_and_then_at_the_provider(room: Room, telling: Telling) -> None:
    inside, elsewhere = room.enter(), room.enter("s-1")
    here = room.enter()
    page = sign_out(here)
    assert roles_in(here) is None
    address = leaving_address(page.text, telling.provider)
    asked = parse_qs(urlsplit(address).query)
    assert asked["client_id"] == ["postern"]
    assert asked["post_logout_redirect_uri"] == [LEFT]
    assert "id_token_hint" not in asked
    back = telling.provider.leave(address)
    assert back.startswith(f"{LEFT}?")
    came = here.get(back.removeprefix("http://127.0.0.1:8080"))
    assert came.location == "/sign-in?done=left"
    assert "signed out here and at the sign-in service" in here.get(came.location).text
    again = here.get(back.removeprefix("http://127.0.0.1:8080"))
    assert again.location == "/sign-in"
    # The provider tells of its own session; those that began from others go on.
    assert roles_in(inside) == roles_in(elsewhere) == {"analyst"}


def test_nobody_is_said_to_have_left_by_another_s_address(room: Room) -> None:
    here = room.enter()
    sign_out(here)
    for state in ("", "guessed", "%F0%9F%A6%8A"):
        other = room.enter()
        sign_out(other)
        assert other.get(f"/sign-on/left?state={state}").location == "/sign-in"
    assert room.app.test_client().get("/sign-on/leave").location == "/sign-in"
    with_password = room.app.test_client()
    sign_in(with_password, room.person)
    answer = with_password.post("/sign-out", headers=cross_site_headers(with_password))
    assert answer.location == "/sign-in"


def test_all_sessions_end_and_that_at_the_provider_is_told_of(room: Room) -> None:
    client = room.enter()
    address = "/account/sessions/end-all"
    answer = client.post(address, headers=cross_site_headers(client))
    assert answer.location == "/sign-on/leave"


def test_a_provider_without_a_place_for_it_or_down_is_said_plainly(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = room.enter()
    answer = client.post("/sign-out", headers=cross_site_headers(client))
    known = room.app.extensions["postern"].part(oidc.Providers).known
    metadata = dict(known[room.provider.issuer].metadata)
    del metadata["end_session_endpoint"]
    known[room.provider.issuer].metadata = metadata
    assert "takes no sign-out from here" in client.get(answer.location).text
    known.clear()
    monkeypatch.setattr(oidc, "_fetch", _down)
    assert "does not answer now" in client.get(answer.location).text


def _down(*_: object) -> None:
    raise SignOnError(SignOnRefusal.DOWN)


def test_what_the_provider_tells_ends_the_sessions_of_that_one_at_once_and_once(
    room: Room, telling: Telling, database: Database
) -> None:
    other = room.enter()
    here = room.enter()
    by_password = room.app.test_client()
    sign_in(by_password, room.person)
    address = leaving_address(sign_out(room.enter()).text, telling.provider)
    telling.hook.taken.clear()
    telling.provider.leave(address)
    body = telling.told()
    assert roles_in(here) == {"analyst"}
    # What the provider ended is the session that the last browser began: one that is gone here.
    assert deliver(room, body).status_code == 200
    assert roles_in(here) == roles_in(other) == {"analyst"}
    replayed = deliver(room, body)
    assert (replayed.status_code, replayed.get_json()["error"]) == (400, "invalid_request")
    assert replayed.headers["Cache-Control"] == "no-store"
    assert [each.outcome for each in log_of(database, "sign-on.told")] == ["ok", "denied"]
    assert log_of(database, "sign-on.told")[1].details["refusal"] == "sign-on-used"
    assert roles_in(by_password)


def test_a_session_ends_with_the_next_request_after_the_provider_told(
    room: Room, telling: Telling
) -> None:
    stays, here = room.enter(), room.enter()
    state = "s" * 43
    with room.app.app_context():
        found = oidc.leaving_address(_client(room), state)
    assert found
    telling.hook.taken.clear()
    telling.provider.leave(found)
    assert roles_in(here) == {"analyst"}
    assert deliver(room, telling.told()).status_code == 200
    assert roles_in(here) is None
    assert roles_in(stays) == {"analyst"}


def _client(room: Room) -> Client:
    with room.database.reading() as session:
        found = sign_on.entry(session, room.id)
    assert found
    return found.client


def test_by_the_subject_alone_all_of_the_provider_end_and_no_other(room: Room) -> None:
    inside, again = room.enter(), room.enter()
    by_password = room.app.test_client()
    sign_in(by_password, room.person)
    other = make_person(room.app, room.code, [Role.ANALYST])
    assert room.link(other, "s-2")[1].status_code == 303
    theirs = room.enter("s-2")
    with room.app.app_context(), room.database.transaction() as session:
        gone = sign_on_ending.end_told(session, UUID(room.id), SignedOut("s-1", "", "t-1"))
    assert gone == 2
    assert roles_in(inside) is roles_in(again) is None
    assert roles_in(by_password)
    assert roles_in(theirs) == {"analyst"}


def test_what_is_no_message_of_the_provider_changes_nothing(room: Room) -> None:
    inside = room.enter()
    for body in ("", "logout_token=", "logout_token=a.b.c", "logout_token=" + "x" * 70_000):
        assert deliver(room, body).status_code == 400
    assert deliver(room, f"logout_token={signed(told())}").status_code == 400
    unknown = room.app.test_client().post("/sign-on/back-channel?provider=x", data={})
    assert unknown.status_code == 400
    assert roles_in(inside) == {"analyst"}


def test_who_waits_for_a_second_factor_does_not_go_on_after_the_provider_ended(
    room: Room,
) -> None:
    room.enter()
    with room.app.app_context(), room.database.transaction() as session:
        row = session.scalars(select(WebSession).where(WebSession.provider_id.is_not(None))).first()
        assert row
        session.add(
            PendingSignIn(
                name_hash=bytes(32),
                person_id=row.person_id,
                proved_by=["single-sign-on"],
                roles_bound=["analyst"],
                provider_id=row.provider_id,
                provider_session=None,
                expires_at=clock.now(),
            )
        )
    with room.app.app_context(), room.database.transaction() as session:
        sign_on_ending.end_provider(session, room.code)
    with room.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PendingSignIn)) == 0


def test_the_console_shows_and_ends(room: Room) -> None:
    run = room.app.test_cli_runner().invoke
    inside = room.enter()
    (shown,) = json.loads(run(args=["sso", "show", "--json"]).output)
    assert shown["issuer"] == room.provider.issuer
    assert (shown["linked"], shown["sessions"], shown["state"]) == (1, 1, "live")
    assert room.provider.secret not in json.dumps(shown)
    (linked,) = json.loads(run(args=["sso", "show", "--organisation", room.code, "--json"]).output)
    assert (linked["login"], linked["sessions"]) == (room.person.login, 1)
    assert "Sessions ended: 1" in run(args=["sso", "end", room.code, "--sessions"]).output
    assert roles_in(inside) is None
    inside = room.enter()
    assert roles_in(inside) == {"analyst"}
    assert "Sessions ended: 1" in run(args=["sso", "end", "--login", room.person.login]).output
    assert roles_in(inside) is None
    assert roles_in(room.enter()) is None
    assert run(args=["sso", "end", "--login", room.person.login]).exit_code == 1
    assert room.link(room.person, "s-1")[1].status_code == 303
    assert run(args=["sso", "end", room.code]).exit_code == 0
    assert run(args=["sso", "end", room.code]).exit_code == 1
    assert run(args=["sso", "end"]).exit_code == 2
    assert run(args=["sso", "end", room.code, "--login", "x"]).exit_code == 2
    assert "No provider" in run(args=["sso", "show"]).output
    with room.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignOnLink)) == 0
    endings = [each.details.get("ending") for each in log_of(room.database, "sign-on.end")]
    assert endings == ["sessions", "provider"]
    assert room.code in log_of(room.database, "sign-on.end")[0].audience


def told(**changes: Any) -> dict[str, Any]:
    """The claims of a right logout token, with changes; None takes one away."""
    now = int(time.time())
    right: dict[str, Any] = {
        "iss": CLIENT.issuer,
        "aud": CLIENT.client_id,
        "sub": "s-1",
        "sid": "the session",
        "jti": "once",
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (right | changes).items() if value is not None}


def signed(claims: dict[str, Any], key: Any = RSA, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first", **header}, claims, key)


def test_a_right_logout_token_says_who_left() -> None:
    for kind in ({}, {"typ": "logout+jwt"}, {"typ": "JWT"}):
        found = verified_sign_out(signed(told(), **kind), KEYS, CLIENT)
        assert found == SignedOut("s-1", "the session", "once")
    assert verified_sign_out(signed(told(sub=None)), KEYS, CLIENT).subject == ""
    assert verified_sign_out(signed(told(sid=None)), KEYS, CLIENT).session == ""
    assert verified_sign_out(signed(told(aud=["x", "postern"])), KEYS, CLIENT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://evil.example"}, SignOnRefusal.ISSUER),
        ({"aud": "another"}, SignOnRefusal.AUDIENCE),
        ({"aud": None}, SignOnRefusal.AUDIENCE),
        ({"events": None}, SignOnRefusal.ANSWER),
        ({"events": {}}, SignOnRefusal.ANSWER),
        ({"events": {EVENT: None}}, SignOnRefusal.ANSWER),
        ({"events": EVENT}, SignOnRefusal.ANSWER),
        ({"nonce": "of a sign-in"}, SignOnRefusal.ANSWER),
        ({"jti": None}, SignOnRefusal.SUBJECT),
        ({"jti": 7}, SignOnRefusal.SUBJECT),
        ({"sub": None, "sid": None}, SignOnRefusal.SUBJECT),
        ({"sub": "", "sid": ["x"]}, SignOnRefusal.SUBJECT),
        ({"exp": None}, SignOnRefusal.TIME),
        ({"exp": 1}, SignOnRefusal.TIME),
        ({"iat": 1}, SignOnRefusal.TIME),
    ],
    ids=json.dumps,
)
def test_a_logout_token_that_is_not_exactly_right_is_refused(
    changes: dict[str, Any], expected: SignOnRefusal
) -> None:
    with pytest.raises(SignOnError) as error:
        verified_sign_out(signed(told(**changes)), KEYS, CLIENT)
    assert error.value.refusal is expected


def test_a_logout_token_of_a_wrong_key_or_kind_is_refused() -> None:
    for text in (
        signed(told(), STRANGE),
        signed(told(), typ="at+jwt"),
        "a.b.c",
    ):
        with pytest.raises(SignOnError):
            verified_sign_out(text, KEYS, CLIENT)
