"""Single sign-on against a certified provider: what it may open, and every way it may not."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.access import CONSOLE
from app.accounts import oidc, service, sign_on
from app.accounts.entry_models import ProviderState, SignOnLink, SignOnProvider
from app.accounts.factor_models import FactorKind, SecondFactor
from app.accounts.models import WebSession
from app.database import Database
from app.errors import InvalidRequestError
from postern.vocabulary import Role
from tests.app.accounts.conftest import MovingClock
from tests.app.accounts.sign_on_room import CALLBACK, Room, make_room, roles_in
from tests.app.people import (
    cross_site_headers,
    make_organisation,
    make_person,
    sign_in,
)
from tests.functional.oidc.running import Provider, running


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running(CALLBACK) as found:
        yield found


@pytest.fixture
def room(app: Flask, database: Database, post: str, provider: Provider) -> Room:
    return make_room(app, database, post, provider)


def test_a_linked_person_signs_in_with_roles_of_both_sides_only(room: Room) -> None:
    client = room.app.test_client()
    answer = client.get(room.answered(room.begun(client, "/search"), "s-1"))
    assert answer.headers["Location"] == "/search"
    assert roles_in(client) == {"analyst"}  # no submitter, who was never granted; no approver
    assert roles_in(room.enter(groups="desk,chiefs,unheard-of")) == {"analyst"}
    assert "single sign-on" in client.get("/account").text
    with room.app.app_context(), room.database.transaction() as session:
        service.set_roles(session, CONSOLE, room.person.login, withdraw=[Role.ANALYST])
    assert roles_in(client) == set()


def test_the_second_factor_of_the_provider_is_noted_when_it_says_so(room: Room) -> None:
    room.enter(amr="pwd")
    room.enter(amr="pwd,otp")
    with room.database.reading() as session:
        bound = WebSession.roles_bound.is_not(None)
        proofs = session.scalars(select(WebSession.proved_by).where(bound)).all()
    assert sorted(proofs, key=len) == [
        ["single-sign-on"],
        ["second-factor-elsewhere", "single-sign-on"],
    ]


def test_whom_the_provider_gives_no_role_gets_nothing(room: Room) -> None:
    for groups in ("", "unheard-of", "DESK", "analyst"):
        assert roles_in(room.enter(groups=groups)) is None
    assert room.refusals() == ["sign-on-unmapped"] * 4


def test_nobody_is_found_by_anything_but_their_link(room: Room) -> None:
    for who in ("s-2", "S-1", room.person.login, room.person.name, str(room.person.caller.person)):
        assert roles_in(room.enter(who=who, groups="desk,chiefs")) is None
    assert room.refusals() == ["sign-on-unlinked"] * 5


def test_a_closed_person_stays_out(room: Room) -> None:
    inside = room.enter()
    with room.app.app_context(), room.database.transaction() as session:
        service.close(session, CONSOLE, room.person.login)
    assert roles_in(inside) is None
    assert roles_in(room.enter()) is None


def test_what_another_browser_began_ends_nothing_here(room: Room) -> None:
    attacker, victim = room.app.test_client(), room.app.test_client()
    back = room.answered(room.begun(attacker), "s-1")
    assert victim.get(back).status_code == 422
    room.begun(victim)  # one of its own does not help
    assert victim.get(back).status_code == 422
    assert roles_in(victim) is None
    assert room.refusals() == ["sign-on-state"] * 2


def test_nobody_comes_back_twice(room: Room) -> None:
    client = room.app.test_client()
    back = room.answered(room.begun(client), "s-1")
    assert client.get(back).status_code == 303
    client.post("/sign-out", headers=cross_site_headers(client))
    assert client.get(back).status_code == 422
    fresh = parse_qs(urlsplit(room.begun(client)).query)["state"][0]
    replayed = re.sub(r"state=[^&]+", f"state={fresh}", back)
    assert client.get(replayed).status_code == 422
    assert room.refusals() == ["sign-on-state", "sign-on-code"]


def test_nobody_comes_back_after_ten_minutes(room: Room, moving_clock: MovingClock) -> None:
    client = room.app.test_client()
    back = room.answered(room.begun(client), "s-1")
    moving_clock.move(minutes=10)
    assert client.get(back).status_code == 422
    assert room.refusals() == ["sign-on-state"]


def test_providers_are_not_mixed_up(room: Room) -> None:
    for part, expected in (
        (r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example"),
        (r"&?iss=[^&]+", ""),
        (r"provider=[^&]+", "provider=00000000-0000-0000-0000-000000000000"),
        (r"provider=[^&]+", "provider="),
        (r"code=[^&]+", "error=access_denied"),
        (r"code=[^&]+", "code=guessed"),
    ):
        client = room.app.test_client()
        changed = re.sub(part, expected, room.answered(room.begun(client), "s-1"))
        assert client.get(changed).status_code == 422
        assert roles_in(client) is None
    assert room.refusals() == [
        *["sign-on-issuer"] * 2,
        *["sign-on-provider"] * 2,
        "sign-on-denied",
        "sign-on-code",
    ]


def test_the_account_of_a_victim_is_not_linked_to_an_attacker(room: Room) -> None:
    victim, attacker = (make_person(room.app, room.code, [Role.ANALYST]) for _ in range(2))
    theirs, own = room.app.test_client(), room.app.test_client()
    sign_in(theirs, victim)
    sign_in(own, attacker)
    back = room.answered(room.offered(own), "attacker")
    assert theirs.get(back).status_code == 422
    # Begun by the attacker in a browser in which the victim signs in afterwards.
    again = room.answered(room.offered(own), "attacker")
    own.post("/sign-out", headers=cross_site_headers(own))
    sign_in(own, victim)
    assert own.get(again).status_code == 422
    with room.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignOnLink)) == 1


def test_a_subject_is_one_person_and_a_person_one_subject(room: Room) -> None:
    other = make_person(room.app, room.code, [Role.ANALYST])
    assert room.link(other, "s-1")[1].status_code == 409
    assert room.link(room.person, "s-3")[1].status_code == 303
    assert roles_in(room.enter("s-3")) == {"analyst"}
    assert roles_in(room.enter("s-1")) is None
    client, _ = room.link(room.person, "s-1")
    client.post("/account/sign-on/remove", headers=cross_site_headers(client))
    assert roles_in(room.enter("s-1")) is None


def test_a_person_of_another_organisation_is_never_linked(room: Room) -> None:
    make_organisation(room.database, "police-de")
    stranger = make_person(room.app, "police-de", [Role.ANALYST])
    client = room.app.test_client()
    sign_in(client, stranger)
    assert client.post("/account/sign-on", headers=cross_site_headers(client)).status_code == 422
    claims = oidc.Claims("s-9", frozenset(), frozenset({"desk"}))
    with room.app.app_context(), room.database.transaction() as session:
        found = sign_on.entry(session, room.id)
        assert found
        with pytest.raises(oidc.SignOnError):
            sign_on.link(session, stranger.caller, found.id, claims)


def test_two_people_put_a_provider_in_force_and_the_former_ends(room: Room) -> None:
    inside = room.enter()
    another = room.propose(room.administrator)
    assert roles_in(inside) == {"analyst"}
    with pytest.raises(sign_on.SignOnOwnProposalError):
        room.confirm(room.administrator, another)
    with pytest.raises(sign_on.SignOnGoneError):
        room.confirm(room.officer, room.id)
    room.confirm(room.officer, another)
    assert roles_in(inside) is None
    client = room.app.test_client()
    assert client.get(f"/sign-on/start?provider={room.id}").status_code == 422
    room.id = another
    assert roles_in(room.enter()) is None  # links are made anew
    with room.database.reading() as session:
        states = session.scalars(select(SignOnProvider.state).order_by(SignOnProvider.id)).all()
    assert states == [ProviderState.ENDED, ProviderState.LIVE]


def test_the_pages_of_the_settings_work_and_never_show_the_secret(room: Room) -> None:
    client = room.app.test_client()
    sign_in(client, room.administrator)
    form = {
        "issuer": room.provider.issuer,
        "client_id": "another",
        "secret": "not to be shown",
        "role_claim": "groups",
        "roles": "desk = analyst, submitter\n\nchiefs = approver",
        "strong": "mfa otp",
    }
    headers = cross_site_headers(client)
    for changes in ({"roles": "desk = king"}, {"roles": ""}, {"issuer": "http://10.0.0.1"}):
        assert client.post("/sign-on", data=form | changes, headers=headers).status_code == 422
    assert client.post("/sign-on", data=form, headers=headers).status_code == 303
    page = client.get("/sign-on").text
    assert "another" in page
    assert "not to be shown" not in page
    assert "Confirm it" not in page
    officer = room.app.test_client()
    sign_in(officer, room.officer)
    page = officer.get("/sign-on").text
    which = re.search(r'name="provider" value="([^"]+)"', page)
    assert which
    decided = {"provider": which.group(1), "decision": "confirm"}
    headers = cross_site_headers(officer)
    assert officer.post("/sign-on/decide", data=decided, headers=headers).status_code == 303
    assert client.post("/sign-on/end", headers=cross_site_headers(client)).status_code == 303
    assert "No sign-in service" in client.get("/sign-on").text


def test_a_provider_has_so_many_lines_of_roles_and_no_more(room: Room) -> None:
    groups = [f"group-{number}" for number in range(sign_on.MOST_ROLES + 1)]
    with pytest.raises(InvalidRequestError) as refusal:
        room.propose(room.administrator, roles={each: [Role.ANALYST] for each in groups})
    assert [each["field"] for each in refusal.value.extensions["errors"]] == ["roles"]
    client = room.app.test_client()
    sign_in(client, room.administrator)
    headers = cross_site_headers(client)
    form = {
        "issuer": room.provider.issuer,
        "client_id": "another",
        "secret": "s",
        "role_claim": "groups",
    }
    lines = [f"{group} = analyst" for group in groups]
    many = client.post("/sign-on", data=form | {"roles": "\n".join(lines)}, headers=headers)
    assert many.status_code == 422
    assert proposed(room) == []
    # Empty lines between them are not counted, and nothing after them is lost.
    spaced = form | {"roles": "\n\n".join(lines[:-1])}
    most = client.post("/sign-on", data=spaced, headers=headers)
    assert most.status_code == 303
    (made,) = proposed(room)
    assert list(made) == groups[:-1]


def proposed(room: Room) -> list[dict[str, list[str]]]:
    """Of each provider that was proposed, which roles its groups give."""
    waits = SignOnProvider.state == ProviderState.PROPOSED
    with room.database.reading() as session:
        return list(session.scalars(select(SignOnProvider.roles).where(waits)))


def test_a_provider_that_is_down_is_told_plainly(room: Room) -> None:
    with running(CALLBACK) as other:
        former, room.provider = room.provider, other
        room.id = room.propose(room.administrator)
        room.confirm(room.officer, room.id)
        client = room.app.test_client()
        back = room.answered(room.begun(client), "s-1")
    answer = client.get(back)
    assert answer.status_code == 503
    assert "does not answer now" in answer.text
    room.app.extensions["postern"].part(oidc.Providers).known.clear()
    assert client.get(f"/sign-on/start?provider={room.id}").status_code == 503
    room.provider = former


def test_strange_addresses_are_answered_without_an_error(room: Room) -> None:
    client = room.app.test_client()
    for path in (
        "/sign-on/start",
        "/sign-on/start?provider=%00",
        f"/sign-on/start?provider={room.id}x",
        "/sign-on/callback",
        "/sign-on/callback?state=%F0%9F%A6%8A&code=x&provider=y",
    ):
        assert client.get(path).status_code == 422
    outside = client.get(f"/sign-on/start?provider={room.id}&next=https://evil.example")
    assert outside.status_code == 303
    asked = parse_qs(urlsplit(str(outside.headers["Location"])).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{CALLBACK}{room.id}"]


def test_who_has_a_second_factor_here_is_asked_for_it_unless_the_provider_did(room: Room) -> None:
    with room.database.transaction() as session:
        session.add(
            SecondFactor(
                public_id=uuid4(),
                person_id=room.person.person_id,
                kind=FactorKind.TOTP,
                sealed=b"of no secret",
                credential_index=None,
                counter=0,
                added_at=clock.now(),
            )
        )
    client = room.app.test_client()
    answer = client.get(room.answered(room.begun(client), "s-1", amr="pwd"))
    assert answer.status_code == 303
    assert "second" in str(answer.headers["Location"])
    assert roles_in(client) is None
    assert roles_in(room.enter(amr="pwd,otp")) == {"analyst"}
