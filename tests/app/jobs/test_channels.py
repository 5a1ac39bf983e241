"""Channels: set up by those who answer for them, masked, tried out, and gone when removed."""

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from app import clock
from app.config import Settings
from app.errors import InvalidRequestError
from app.jobs import channels, notifications
from app.jobs.channels import MOST, PAGE, Sealing, TooManyChannelsError
from app.jobs.models import Channel, Dispatch, JobState, Outbox
from postern.vocabulary import DispatchState, Role
from postern.webhook import WebhookError, verified
from tests.app.jobs.receivers import Hook, hook_server
from tests.app.jobs.stage import Post, bodies, make_post
from tests.app.people import make_person, runtime_of, sign_in

HOOK = "https://receiver.example/secret-path?token=1"
DESK = "desk@police.example"


@pytest.fixture
def post(settings: Settings) -> Any:
    made = make_post(settings)
    yield made
    made.exchange.database.dispose()


@pytest.fixture
def client(post: Post) -> FlaskClient:
    return post.app.test_client()


@pytest.fixture
def headers(post: Post, client: FlaskClient) -> dict[str, str]:
    """Of a signed-in administrator."""
    return sign_in(client, make_person(post.app, "police-de", [Role.ADMINISTRATOR]))


def form(**fields: Any) -> dict[str, Any]:
    return {"kind": "webhook", "roles": ["compliance"], "language": "en", "address": HOOK} | fields


def test_a_channel_is_stored_sealed_and_logged_without_its_address(post: Post) -> None:
    made = post.add(HOOK)
    (row,) = post.exchange.rows(select(Channel))
    stored = repr([value for key, value in vars(row).items() if key != "_sa_instance_state"])
    assert "receiver" not in stored
    assert made.secret is not None
    assert made.secret not in stored
    sealing = runtime_of(post.app).part(Sealing)
    assert (sealing.address(row), sealing.secrets(row)) == (HOOK, (made.secret, None))
    (entry,) = post.exchange.entries("channel.add")
    assert entry.details["objects"] == [str(made.id)]
    assert entry.details["roles"] == ["compliance"]
    assert "receiver" not in entry.record + repr(entry.details)


def test_a_secret_is_replaced_and_both_sign_until_the_former_ends(
    post: Post, client: FlaskClient, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Hook()
    with hook_server(hook) as port:
        made = post.add(f"http://127.0.0.1:{port}/in")
        path = f"/api/v1/channels/{made.id}/secret"
        answer = client.post(path, json={"overlap_hours": 2}, headers=headers)
        assert answer.status_code == 200, answer.text
        new = answer.get_json()["secret"]
        assert answer.get_json()["former_until"]
        post.tell()
        post.drain()
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=2))
        post.tell(number=1)
        post.drain()
    both, alone = hook.taken
    assert len(both[1]["webhook-signature"].split()) == 2
    assert len(alone[1]["webhook-signature"].split()) == 1
    for secrets in ([made.secret], [new], [made.secret, new]):
        _, told = verified(secrets, both[1], both[2], now=real())
        assert told["kind"] == "signal.raised"
    assert verified([new], alone[1], alone[2], now=real())
    with pytest.raises(WebhookError):
        verified([made.secret], alone[1], alone[2], now=real())
    with post.exchange.database.transaction() as session:
        assert channels.forget_former(session) == 1
    (row,) = post.exchange.rows(select(Channel))
    assert (row.former_secret, row.former_until) == (None, None)
    (entry,) = post.exchange.entries("channel.rotate")
    assert entry.details["overlap_hours"] == 2
    assert new not in entry.record + repr(entry.details)


def test_a_stolen_secret_ends_at_once_and_only_webhooks_have_one(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    made, desk = post.add(HOOK), post.add(DESK)
    path = f"/channels/{made.id}/secret"
    page = client.post(path, data={"overlap_hours": "0"}, headers=headers)
    (new,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)
    assert new not in client.get(f"/channels/{made.id}").text
    (row,) = post.exchange.rows(select(Channel).where(Channel.public_id == made.id))
    assert runtime_of(post.app).part(Sealing).secrets(row) == (new, None)
    for hours in ("-1", "169", "x", ""):
        answer = client.post(path, data={"overlap_hours": hours}, headers=headers)
        assert answer.status_code == 422
    assert (
        client.post(f"/api/v1{path}", json={"overlap_hours": 169}, headers=headers).status_code
        == 422
    )
    answer = client.post(
        f"/channels/{desk.id}/secret", data={"overlap_hours": "24"}, headers=headers
    )
    assert answer.status_code == 409
    assert "Replace the secret" not in client.get(f"/channels/{desk.id}").text
    client.delete(f"/api/v1/channels/{made.id}", headers=headers)
    assert client.post(f"/api/v1{path}", json={}, headers=headers).status_code == 404


def test_sealed_values_open_for_their_own_channel_only(post: Post) -> None:
    post.add(HOOK)
    post.add(HOOK)
    first, second = post.exchange.rows(select(Channel).order_by(Channel.id))
    first.sealed_address = second.sealed_address
    with pytest.raises(ValueError, match="do not open"):
        runtime_of(post.app).part(Sealing).address(first)


def test_a_channel_that_was_removed_keeps_no_address_and_is_not_there(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    made = post.add(HOOK)
    assert client.delete(f"/api/v1/channels/{made.id}", headers=headers).status_code == 204
    (row,) = post.exchange.rows(select(Channel))
    assert (row.sealed_address, row.sealed_secret) == (b"", None)
    assert row.stopped_at is not None
    listed = client.get("/api/v1/channels", headers=headers).json
    assert listed == {"channels": []}
    for path in ("dispatches", "trial"):
        method = client.get if path == "dispatches" else client.post
        answer = method(f"/api/v1/channels/{made.id}/{path}", headers=headers)
        assert answer.status_code == 404


def test_programs_read_what_is_shown_once_once(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.post("/api/v1/channels", json=form(), headers=headers)
    assert answer.status_code == 201
    made = answer.get_json()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/=]+", made["secret"])
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert made["address"] == "https://receiver.example/…"
    (listed,) = client.get("/api/v1/channels", headers=headers).get_json()["channels"]
    assert listed == {key: value for key, value in made.items() if key != "secret"}
    assert listed["states"] == {"waiting": 0, "sent": 0, "withheld": 0, "given_up": 0}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"roles": []}, "roles"),
        ({"language": "xx"}, "language"),
        ({"address": "https://10.0.0.1/"}, "address"),
        ({"kind": "mail", "address": HOOK}, "address"),
        ({"kind": "pigeon"}, "kind"),
    ],
)
def test_what_cannot_be_a_channel_is_refused_by_field_on_wire_and_page(
    client: FlaskClient, headers: dict[str, str], fields: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/v1/channels", json=form(**fields), headers=headers)
    assert answer.status_code == 422
    told = [each["field"].split(".") for each in answer.get_json()["errors"]]
    assert any(field in each for each in told)
    page = client.post("/channels", data=form(**fields), headers=headers)
    assert page.status_code == 422
    assert "Nothing was changed." in page.text
    assert "field-error" in page.text
    assert client.get("/api/v1/channels", headers=headers).get_json() == {"channels": []}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_platform_without_a_mail_server_takes_no_mail_channel(
    settings: Settings, database_url: str
) -> None:
    post = Post(make_post(settings).exchange)
    object.__setattr__(runtime_of(post.app).settings.mail, "host", "")
    with pytest.raises(InvalidRequestError) as refusal:
        post.add(DESK)
    (fault,) = refusal.value.extensions["errors"]
    assert fault["field"] == "address"
    assert "sends no mail" in fault["reason"]


def test_an_organisation_has_a_bounded_number(post: Post) -> None:
    first = post.add(HOOK)
    for _ in range(MOST - 1):
        post.add(HOOK)
    with pytest.raises(TooManyChannelsError):
        post.add(HOOK)
    post.add(HOOK, code="post-be")
    post.remove(first.id)
    post.add(HOOK)


def test_a_trial_takes_the_way_of_every_message(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    hook = Hook()
    with hook_server(hook) as port:
        made = post.add(f"http://127.0.0.1:{port}/")
        post.add(f"http://127.0.0.1:{port}/other", [Role.ADMINISTRATOR])
        path = f"/api/v1/channels/{made.id}"
        assert client.post(f"{path}/trial", headers=headers).status_code == 202
        assert client.post(f"{path}/trial", headers=headers).get_json()["code"] == "trial-pending"
        post.drain()
        again = client.post(f"/channels/{made.id}/trial", headers=headers)
        assert again.status_code == 409
        assert "was asked for a moment ago" in again.text
    assert [body["kind"] for body in bodies(hook)] == ["channel.trial"]
    answer = client.get(f"{path}/dispatches", headers=headers).get_json()
    (sending,) = answer["dispatches"]
    assert (sending["kind"], sending["state"], sending["tries"]) == ("channel.trial", "sent", 1)
    assert (sending["error"], answer["next"]) == (None, None)
    page = client.get("/notifications", headers=headers).text
    assert "Trial message of a channel (webhook)" in page
    with post.exchange.database.transaction() as session:
        long_ago = clock.now() - timedelta(minutes=2)
        session.execute(update(Dispatch).values(made_at=long_ago))
    assert client.post(f"{path}/trial", headers=headers).status_code == 202


def test_a_long_list_is_read_in_pages(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    made = post.add(HOOK)
    other = post.add(HOOK, [Role.ANALYST])
    for number in range(PAGE + 2):
        post.tell(number=number)
    first = client.get(f"/api/v1/channels/{made.id}/dispatches", headers=headers).get_json()
    assert len(first["dispatches"]) == PAGE
    path = f"/api/v1/channels/{made.id}/dispatches?before={first['next']}"
    second = client.get(path, headers=headers).get_json()
    assert len(second["dispatches"]) == 2
    assert second["next"] is None
    page = client.get(f"/channels/{made.id}", headers=headers).text
    assert "Older messages" in page
    later = client.get(f"/channels/{made.id}?before={first['next']}", headers=headers).text
    assert "Back to the newest" in later
    assert "Older messages" not in later
    path = f"/api/v1/channels/{other.id}/dispatches?before={first['next']}"
    assert client.get(path, headers=headers).get_json()["dispatches"] == []


def test_the_pages_show_set_up_and_remove(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    empty = client.get("/channels").text
    assert "No channel yet" in empty
    made = client.post("/channels", data=form(), headers=headers)
    assert made.status_code == 201
    assert "whsec_" in made.text
    (row,) = post.exchange.rows(select(Channel))
    page = client.get("/channels").text
    assert "whsec_" not in page
    assert "secret-path" not in made.text + page
    assert "https://receiver.example/…" in page
    one = client.get(f"/channels/{row.public_id}").text
    assert "Nothing was to be sent yet" in one
    removed = client.post(f"/channels/{row.public_id}/remove", headers=headers)
    assert (removed.status_code, removed.location) == (303, "/channels?done=removed")
    assert "its address erased" in client.get("/channels?done=removed").text


def test_the_page_of_jobs_shows_what_is_due_and_dead_and_names_nobody(
    post: Post, client: FlaskClient, headers: dict[str, str]
) -> None:
    assert "No job is dead" in client.get("/jobs").text
    post.add(HOOK)
    post.tell()
    post.tell(number=2)
    with post.exchange.database.transaction() as session:
        first = session.scalars(select(Outbox).order_by(Outbox.id).limit(1)).one()
        first.state, first.tries, first.error = JobState.DEAD, 12, "TimeoutError"
        first.ended_at = clock.now()
    page = client.get("/jobs").text
    assert "notification.dispatch" in page
    assert f"jobs retry {first.id}" in page
    assert "TimeoutError" in page
    assert "police-de" not in page.partition("<main")[2]
    (entry,) = post.exchange.entries("job.read")[1:]
    assert entry.audience == ["police-de"]


def test_a_dead_job_is_listed_and_begun_anew_at_the_console(post: Post) -> None:
    hook = Hook(statuses=[410])
    runner = post.app.test_cli_runner()
    assert "No job is dead" in runner.invoke(args=["jobs", "dead"]).output
    with hook_server(hook) as port:
        post.add(f"http://127.0.0.1:{port}/")
        post.tell()
        ran = runner.invoke(args=["jobs", "run", "--once"])
        assert "outbox: 1 tried" in ran.output
        (row,) = post.exchange.rows(select(Outbox))
        told = runner.invoke(args=["jobs", "dead"]).output
        assert "WebhookGoneError" in told
        assert runner.invoke(args=["jobs", "retry", str(row.id)]).exit_code == 0
        assert runner.invoke(args=["jobs", "retry", str(row.id)]).exit_code == 1
        runner.invoke(args=["jobs", "run", "--once"])
    assert post.states() == [DispatchState.SENT]
    assert len(hook.taken) == 2
    (entry,) = post.exchange.entries("job.retry")
    assert (entry.details["topic"], entry.audience) == ("notification.dispatch", ["platform"])


def test_a_removed_channel_goes_when_nothing_of_it_is_kept(post: Post) -> None:
    first, second = post.add(HOOK), post.add(HOOK)
    post.tell()
    for each in (first, second):
        post.remove(each.id)
    with post.exchange.database.transaction() as session:
        assert channels.expire(session) == 0
        long_ago = clock.now() - notifications.KEPT - timedelta(days=1)
        session.execute(update(Channel).values(stopped_at=long_ago))
        session.execute(
            delete(Dispatch).where(
                Dispatch.channel_id.in_(select(Channel.id).where(Channel.public_id == first.id))
            )
        )
        assert channels.expire(session) == 1
    (left,) = post.exchange.rows(select(Channel))
    assert left.public_id == second.id
