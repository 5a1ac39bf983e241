"""Bounds of API tokens: networks, certificates, rotation, warnings; forged headers open nothing."""

import base64
import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app import create_app
from app.__main__ import migrate
from app.access import CONSOLE
from app.accounts import token_bounds, tokens
from app.accounts.models import ApiToken
from app.accounts.token_bounds import Bounds, read_bounds
from app.accounts.tokens import TokenEndedError, UnknownTokenError
from app.config import NetworkSettings, Settings
from app.database import Database
from app.errors import InvalidRequestError
from app.jobs.models import Notification
from app.origin import certificate_in, thumbprint
from postern.base64url import to_base64url
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.accounts.test_tokens import ME, TOKENS
from tests.app.people import Person, bearer, make_person, runtime_of, sign_in

PROXY, MACHINE, STRANGER = "10.0.0.2", "192.0.2.17", "198.51.100.9"
DER = b"a certificate in DER, of which only the hash counts"
THUMBPRINT = to_base64url(thumbprint(DER))
HEADER = f":{base64.b64encode(DER).decode()}:"
BEHIND_A_PROXY = NetworkSettings(
    hosts="*", proxies=f"{PROXY}/32", hops=1, certificate_header="Client-Cert"
)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The platform behind a proxy that hands on certificates."""
    made = create_app(dataclasses.replace(settings, network=BEHIND_A_PROXY))
    made.testing = False
    yield made
    runtime_of(made).database.dispose()


@pytest.fixture
def analyst(app: Flask, post: str) -> Person:
    return make_person(app, post, [Role.ANALYST])


def token(app: Flask, person: Person, bounds: Bounds, days: int = 30) -> str:
    with app.app_context(), runtime_of(app).database.transaction() as session:
        return tokens.create_token(
            session, CONSOLE, person.login, scopes=[Scope.EVALUATE], days=days, bounds=bounds
        ).text


def status(client: FlaskClient, text: str, peer: str = MACHINE, **headers: str) -> int:
    """How a request with the token is answered to a peer; underscores are hyphens."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.get(
        ME,
        headers={"Authorization": f"Bearer {text}", **told},
        environ_overrides={"REMOTE_ADDR": peer},
    )
    return answer.status_code


def refusals(database: Database) -> list[str]:
    return [entry.details["refusal"] for entry in log_of(database, "token.refuse")]


def test_a_token_opens_nothing_from_outside_of_its_networks_whatever_the_headers_say(
    app: Flask, client: FlaskClient, database: Database, analyst: Person
) -> None:
    text = token(app, analyst, read_bounds(["192.0.2.0/24", "2001:db8::/32"]))
    assert status(client, text) == 200
    assert status(client, text, "2001:db8:1::1") == 200
    assert status(client, text, "::ffff:192.0.2.9") == 200
    assert status(client, text, STRANGER) == 401
    for forged in ("X_Forwarded_For", "X_Real_IP", "Forwarded"):
        assert status(client, text, STRANGER, **{forged: MACHINE}) == 401
    assert status(client, text, PROXY, X_Forwarded_For=MACHINE) == 200
    assert status(client, text, PROXY, X_Forwarded_For=f"{MACHINE}, {STRANGER}") == 401
    assert status(client, text, PROXY, X_Forwarded_For="unknown") == 401
    assert status(client, text, PROXY) == 401
    assert set(refusals(database)) == {"network"}


def test_only_what_our_own_proxies_wrote_of_a_chain_counts(
    settings: Settings, post: str, app: Flask, analyst: Person
) -> None:
    text = token(app, analyst, read_bounds(["192.0.2.0/24"]))
    twice = dataclasses.replace(BEHIND_A_PROXY, hops=2)
    other = create_app(dataclasses.replace(settings, network=twice))
    client = other.test_client()
    assert status(client, text, PROXY, X_Forwarded_For=f"{STRANGER}, {MACHINE}, 10.0.0.1") == 200
    assert status(client, text, PROXY, X_Forwarded_For=f"{MACHINE}, {STRANGER}, 10.0.0.1") == 401
    assert status(client, text, PROXY, X_Forwarded_For=MACHINE) == 401
    runtime_of(other).database.dispose()


def test_a_bound_token_needs_its_certificate_and_a_header_counts_from_a_proxy_only(
    app: Flask, client: FlaskClient, database: Database, analyst: Person
) -> None:
    text = token(app, analyst, read_bounds(certificate=THUMBPRINT))
    assert status(client, text, PROXY, X_Forwarded_For=MACHINE, Client_Cert=HEADER) == 200
    assert status(client, text, PROXY, X_Forwarded_For=MACHINE) == 401
    assert status(client, text, MACHINE, Client_Cert=HEADER) == 401
    other = f":{base64.b64encode(b'another').decode()}:"
    assert status(client, text, PROXY, X_Forwarded_For=MACHINE, Client_Cert=other) == 401
    assert refusals(database) == ["certificate"] * 3
    without = f"{text[:-43]}"
    assert status(client, without, PROXY, X_Forwarded_For=MACHINE, Client_Cert=HEADER) == 401
    assert refusals(database)[-1] == "secret"


def test_where_the_certificate_suffices_no_secret_is_needed_and_neither_is_enough_alone_elsewhere(
    app: Flask, client: FlaskClient, database: Database, analyst: Person
) -> None:
    bounds = read_bounds(certificate=THUMBPRINT, certificate_suffices=True)
    text = token(app, analyst, bounds)
    named = text[:-43]
    assert status(client, named, PROXY, X_Forwarded_For=MACHINE, Client_Cert=HEADER) == 200
    assert status(client, named, PROXY, X_Forwarded_For=MACHINE) == 401
    assert status(client, named, MACHINE, Client_Cert=HEADER) == 401
    assert status(client, text, MACHINE) == 401
    plain = bearer(app, analyst, [Scope.EVALUATE])["Authorization"].removeprefix("Bearer ")
    assert status(client, plain[:-43], PROXY, X_Forwarded_For=MACHINE, Client_Cert=HEADER) == 401
    assert refusals(database) == ["secret", "secret", "certificate", "secret"]


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        base64.b64encode(DER).decode(),
        quote(
            "-----BEGIN CERTIFICATE-----\n"
            f"{base64.encodebytes(DER).decode()}-----END CERTIFICATE-----\n"
        ),
        f"-----BEGIN CERTIFICATE----- {base64.b64encode(DER).decode()} -----END CERTIFICATE-----",
    ],
    ids=["rfc9440", "base64", "escaped pem", "pem on a line"],
)
def test_the_forms_in_which_proxies_hand_on_a_certificate(header: str) -> None:
    assert certificate_in(header) == thumbprint(DER)


@pytest.mark.parametrize(
    "header", ["", ":", "::", "not base64!", f"{HEADER}, {HEADER}", "A" * 70_000, "%ff%00", "é"]
)
def test_what_is_no_certificate_is_none(header: str) -> None:
    assert certificate_in(header) is None


def test_after_a_rotation_the_former_secret_lives_for_the_overlap_and_no_longer(
    app: Flask,
    client: FlaskClient,
    database: Database,
    analyst: Person,
    moving_clock: MovingClock,
) -> None:
    headers = sign_in(client, analyst)
    former = token(app, analyst, read_bounds(["192.0.2.0/24"]))
    program = app.test_client()
    (listed,) = client.get(TOKENS).get_json()["tokens"]
    address = f"{TOKENS}/{listed['id']}/rotate"
    answer = client.post(address, json={"overlap_hours": 2}, headers=headers)
    assert answer.status_code == 200
    made = answer.get_json()
    assert (made["networks"], made["expires_at"]) == (["192.0.2.0/24"], listed["expires_at"])
    assert made["token"] != former
    assert status(program, former) == status(program, made["token"]) == 200
    assert status(program, made["token"], STRANGER) == status(program, former, STRANGER) == 401
    moving_clock.move(hours=2)
    assert status(program, made["token"]) == 200
    assert status(program, former) == 401
    assert refusals(database) == ["network", "network", "rotated"]
    (entry,) = log_of(database, "token.rotate")
    assert entry.details["objects"] == [listed["id"]]
    assert made["token"][-43:] not in str(entry.details)


def test_a_second_rotation_ends_the_first_secret_at_once_and_none_leaves_one(
    app: Flask, client: FlaskClient, database: Database, analyst: Person
) -> None:
    first = token(app, analyst, Bounds())
    with app.app_context(), database.transaction() as session:
        ((row, _),) = tokens.list_tokens(session, CONSOLE)
        second = tokens.rotate_token(session, CONSOLE, row.id, overlap_hours=24).text
        third = tokens.rotate_token(session, CONSOLE, row.id, overlap_hours=24).text
    assert [status(client, each) for each in (first, second, third)] == [401, 200, 200]
    with app.app_context(), database.transaction() as session:
        last = tokens.rotate_token(session, CONSOLE, row.id, overlap_hours=0).text
    assert [status(client, each) for each in (second, third, last)] == [401, 401, 200]
    with app.app_context(), database.transaction() as session:
        tokens.revoke_token(session, CONSOLE, row.id)
        with pytest.raises(TokenEndedError):
            tokens.rotate_token(session, CONSOLE, row.id, overlap_hours=0)
        with pytest.raises(UnknownTokenError):
            tokens.rotate_token(session, CONSOLE, uuid4(), overlap_hours=0)
    assert status(client, last) == 401


def test_rotating_is_one_s_own_and_within_the_rules(
    app: Flask, client: FlaskClient, post: str, analyst: Person
) -> None:
    text = token(app, analyst, Bounds())
    headers = sign_in(client, analyst)
    (listed,) = client.get(TOKENS).get_json()["tokens"]
    address = f"{TOKENS}/{listed['id']}/rotate"
    beyond = client.post(address, json={"overlap_hours": 169}, headers=headers)
    assert beyond.status_code == 422
    by_token = {"Authorization": f"Bearer {text}"}
    assert (
        app.test_client().post(address, json={"overlap_hours": 0}, headers=by_token).status_code
        == 403
    )
    other = app.test_client()
    theirs = sign_in(other, make_person(app, post, [Role.ANALYST]))
    answers = [
        other.post(f"{TOKENS}/{each}/rotate", json={"overlap_hours": 0}, headers=theirs)
        for each in (listed["id"], uuid4())
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert status(client, text) == 200


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"networks": ["192.0.2.1/24"]}, "networks"),
        ({"networks": ["everywhere"]}, "networks"),
        ({"networks": ["10.0.0.0/8"] + [f"10.0.{n}.0/24" for n in range(25)]}, "json.networks"),
        ({"certificate": "abc"}, "certificate"),
        ({"certificate_suffices": True}, "certificate_suffices"),
    ],
    ids=["bits of a host", "no network", "too many", "no thumbprint", "nothing that suffices"],
)
def test_bounds_that_make_no_sense_are_refused(
    client: FlaskClient, analyst: Person, asked: dict[str, Any], field: str
) -> None:
    headers = sign_in(client, analyst)
    body = {"scopes": ["evaluate"], "days": 3, **asked}
    answer = client.post(TOKENS, json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.get_json()["errors"]] == [field]
    assert client.get(TOKENS).get_json()["tokens"] == []


def test_a_thumbprint_may_be_written_as_openssl_prints_it() -> None:
    digits = thumbprint(DER).hex()
    pairs = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    assert {read_bounds(certificate=each).certificate for each in (THUMBPRINT, digits, pairs)} == {
        thumbprint(DER)
    }
    with pytest.raises(InvalidRequestError):
        read_bounds(certificate="é" * 64)


def test_the_account_page_makes_a_bound_token_and_rotates_it(
    app: Flask, client: FlaskClient, analyst: Person
) -> None:
    headers = sign_in(client, analyst)
    form = {
        "scopes": "evaluate",
        "days": "5",
        "networks": "192.0.2.0/24 10.0.0.0/8",
        "certificate": THUMBPRINT,
    }
    page = client.post("/account/tokens", data=form, headers=headers)
    assert page.status_code == 200
    (listed,) = client.get(TOKENS).get_json()["tokens"]
    assert listed["networks"] == ["192.0.2.0/24", "10.0.0.0/8"]
    assert (listed["certificate"], listed["certificate_suffices"]) == (THUMBPRINT, False)
    page = client.post(f"/account/tokens/{listed['id']}/rotate", headers=headers)
    assert page.status_code == 200
    assert "192.0.2.0/24" in page.text
    wrong = client.post("/account/tokens", data={**form, "networks": "x"}, headers=headers)
    assert wrong.status_code == 422


def test_the_last_use_is_kept_by_day_and_coarse_network(
    app: Flask, client: FlaskClient, database: Database, analyst: Person
) -> None:
    text = token(app, analyst, Bounds())
    assert status(client, text) == 200
    assert status(client, text, "2001:db8:77::1") == 200
    with database.reading() as session:
        assert session.scalars(select(ApiToken.last_network)).one() == "2001:db8::/32"


def test_administrators_are_told_once_of_tokens_that_end_soon_and_unused_ones_are_marked(
    app: Flask, database: Database, analyst: Person, moving_clock: MovingClock
) -> None:
    token(app, analyst, Bounds(), days=10)
    token(app, analyst, Bounds(), days=300)
    with app.app_context():
        for expected in (1, 0):
            with database.transaction() as session:
                assert token_bounds.warn_of_ends(session) == expected
    with database.reading() as session:
        told = session.scalars(
            select(Notification).where(Notification.kind == "token.ending")
        ).one()
        assert told.role is Role.ADMINISTRATOR
    moving_clock.move(days=91)
    with app.app_context(), database.transaction() as session:
        found = tokens.list_tokens(session, CONSOLE)
        assert [each.is_unused for each, _ in found] == [True, False]
    listed = app.test_cli_runner().invoke(args=["tokens", "list", "--unused", "--json"])
    assert listed.output.count('"token"') == 1


def test_the_way_back_leaves_no_token_that_its_bounds_no_longer_hold(
    app: Flask, settings: Settings, database: Database, analyst: Person
) -> None:
    for bounds in (read_bounds(["192.0.2.0/24"]), read_bounds(certificate=THUMBPRINT), Bounds()):
        token(app, analyst, bounds)
    migrate(settings, "0013", down=True)
    with database.engine.connect() as connection:
        living = "SELECT count(*) FROM api_token WHERE revoked_at IS NULL"
        assert connection.execute(text(living)).scalar_one() == 1
    migrate(settings)
    with database.reading() as session:
        assert session.scalars(select(ApiToken.networks)).all() == [[], [], []]
        assert session.scalar(select(func.count(ApiToken.id))) == 3


def test_a_request_for_another_host_is_refused_and_health_is_not(settings: Settings) -> None:
    strict = dataclasses.replace(BEHIND_A_PROXY, hosts="backup.example:8443")
    app = create_app(dataclasses.replace(settings, network=strict))
    client = app.test_client()
    own = settings.platform.origin.removeprefix("http://")
    for host, expected in (
        (own, 200),
        (own.upper(), 200),
        ("backup.example:8443", 200),
        ("attacker.example", 421),
        (f"{own}.attacker.example", 421),
        ("", 421),
    ):
        answer = client.get("/sign-in", headers={"Host": host})
        assert answer.status_code == expected, host
        assert "attacker" not in answer.text
    forwarded = client.get(
        "/sign-in", headers={"Host": own, "X-Forwarded-Host": "attacker.example"}
    )
    assert "attacker" not in forwarded.text + str(forwarded.headers)
    assert client.get("/health/live", headers={"Host": "10.0.0.1"}).status_code == 200
    runtime_of(app).database.dispose()
