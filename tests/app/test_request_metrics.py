"""What the web processes count: for who holds the key, with labels of closed sets, once each."""

import dataclasses
import json
import os
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
import structlog
from flask import Flask
from prometheus_client.mmap_dict import MmapedDict
from sqlalchemy import select, update

from app import create_app, request_metrics
from app.config import Settings
from app.database import Database
from app.errors import StartRefusedError
from app.jobs import draining
from app.jobs.draining import HopelessError
from app.jobs.models import Outbox
from app.jobs.outbox import Handlers, parted, put
from app.origin import REQUEST_ID
from app.replica import Outcome
from app.request_records import METHODS, NOWHERE, OTHER
from app.secret_files import read_metrics_key
from app.web.reference import error_kinds
from postern.vocabulary import Role, Scope
from tests.app.metrics import HEADERS, Samples, read, write_metrics_key
from tests.app.people import bearer, make_organisation, make_person, runtime_of, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CASE, NOISE = "PV-2024-17-secret", "no-such-path"
CONFIGURATION = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"


@pytest.fixture
def measured(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """The platform with a key for metrics."""
    own = tmp_path / "secrets"
    shutil.copytree(settings.secrets.directory, own)
    write_metrics_key(own)
    told = dataclasses.replace(settings.secrets, directory=str(own))
    made = create_app(dataclasses.replace(settings, secrets=told))
    made.testing = False
    yield made
    runtime_of(made).database.dispose()


def told(app: Flask) -> Samples:
    answer = app.test_client().get("/metrics", headers=HEADERS, buffered=True)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return read(answer.get_data(as_text=True))


def count(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0)


def test_requests_are_counted_by_route_method_and_class_of_status(
    measured: Flask, database: Database
) -> None:
    make_organisation(database, "post-be")
    person = make_person(measured, "post-be", Role)
    before = told(measured)
    program = measured.test_client()
    token = bearer(measured, person, [Scope.EVALUATE])
    assert program.get("/api/v1/me", headers=token, buffered=True).status_code == 200
    assert program.get(f"/{NOISE}?case={CASE}", headers=token, buffered=True).status_code == 404
    assert program.open("/sign-in", method="BREW", headers=token, buffered=True).status_code == 405
    after = told(measured)
    for name, labels in (
        (
            "postern_requests_total",
            {"endpoint": "account.read_me", "method": "GET", "status": "2xx"},
        ),
        ("postern_requests_total", {"endpoint": NOWHERE, "method": "GET", "status": "4xx"}),
        ("postern_requests_total", {"endpoint": NOWHERE, "method": OTHER, "status": "4xx"}),
        ("postern_request_seconds_count", {"endpoint": "account.read_me"}),
        ("postern_request_seconds_bucket", {"endpoint": "account.read_me", "le": "+Inf"}),
        ("postern_errors_total", {"code": "not-found"}),
    ):
        assert count(after, name, **labels) == count(before, name, **labels) + 1, name
    assert count(after, "postern_worker_memory_bytes") > 1_000_000
    # What other applications of this process left is in both; the one that asks is as well.
    for name in ("postern_requests_under_way", "postern_database_connections_used"):
        assert count(after, name) == count(before, name), name


def test_what_is_under_way_and_in_use_is_counted_while_it_is(
    measured: Flask, database: Database
) -> None:
    def counted() -> list[float]:
        samples = told(measured)
        names = ("postern_requests_under_way", "postern_database_connections_used")
        return [count(samples, name) for name in names]

    before = counted()
    begun = measured.test_client().get("/health/live")
    with runtime_of(measured).database.reading() as session:
        session.execute(select(1))
        assert counted() == [before[0] + 1, before[1] + 1]
    begun.close()
    assert counted() == before


@on_one_database
def test_labels_are_of_closed_sets_and_name_nobody(measured: Flask, database: Database) -> None:
    make_organisation(database, "post-be")
    person = make_person(measured, "post-be", Role)
    client = measured.test_client()
    headers = sign_in(client, person)
    token = bearer(measured, person, Scope)
    for path in (f"/reports/{uuid4()}", f"/api/v1/lookups?case={CASE}", f"/{NOISE}", "/static/x"):
        client.get(path, headers=headers, buffered=True)
        measured.test_client().post(path, json={"case": CASE}, headers=token, buffered=True)
    closed = {
        "endpoint": {*measured.view_functions, NOWHERE},
        "method": {*METHODS, OTHER},
        "status": {"1xx", "2xx", "3xx", "4xx", "5xx"},
        "code": {kind.code for kind in error_kinds()},
        "le": {*map(str, map(float, request_metrics.BUCKETS)), "+Inf"},
        "outcome": {each.value for each in Outcome},
    }
    text = (
        measured.test_client()
        .get("/metrics", headers=HEADERS, buffered=True)
        .get_data(as_text=True)
    )
    for name, labels in read(text):
        for label, value in labels:
            assert value in closed[label], f"{name}: {label} {value}"
    for secret in ("post-be", person.login, person.name, CASE, NOISE, "pst_"):
        assert secret not in text


@on_one_database
def test_the_route_is_there_only_for_who_holds_the_key(app: Flask, measured: Flask) -> None:
    for made in (app, measured):
        client = made.test_client()
        for offered in ({}, {"Accept": "text/html"}):
            gone, nowhere = (client.get(path, headers=offered) for path in ("/metrics", "/nowhere"))
            assert (gone.status_code, gone.mimetype) == (404, nowhere.mimetype)
            assert len(gone.data) == len(nowhere.data)
        wrong = {"Authorization": HEADERS["Authorization"][:-1] + "x"}
        assert client.get("/metrics", headers=wrong).status_code == 401  # as anywhere
        assert client.get("/nowhere", headers=wrong).status_code == 401
    assert app.test_client().get("/metrics", headers=HEADERS, buffered=True).status_code == 401
    elsewhere = measured.test_client().get("/metrics", headers={**HEADERS, "Host": "10.0.0.1"})
    assert elsewhere.status_code == 200


def test_a_key_that_is_short_or_that_others_may_read_refuses_the_start(tmp_path: Path) -> None:
    assert read_metrics_key(tmp_path) is None
    write_metrics_key(tmp_path)
    assert read_metrics_key(tmp_path) == HEADERS["Authorization"].removeprefix("Bearer ")
    file = tmp_path / "metrics.key"
    file.chmod(0o644)
    with pytest.raises(StartRefusedError, match="Others may read"):
        read_metrics_key(tmp_path)
    file.chmod(0o600)
    for content in ("short", "two words of some length together", ""):
        file.write_text(content)
        with pytest.raises(StartRefusedError, match="openssl rand"):
            read_metrics_key(tmp_path)


def test_what_a_worker_counted_outlives_it_and_its_files_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers end one after another; the sum stays, and the gauges go."""
    hooks = runpy.run_path(str(CONFIGURATION))
    monkeypatch.setenv("POSTERN_METRICS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    alone = SimpleNamespace(master_pid=0, reexec_pid=0)
    hooks["on_starting"](alone)
    (directory,) = tmp_path.iterdir()
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    key = json.dumps(["postern_errors", "postern_errors_total", {"code": "not-found"}, "help"])
    for pid, counted in ((11, 2.0), (12, 5.0)):
        for kind in ("counter", "gauge_livesum"):
            kept = MmapedDict(str(directory / f"{kind}_{pid}.db"))
            kept.write_value(key, counted, 0.0)
            kept.close()
        assert count(read(request_metrics.exposition().decode()), "postern_errors_total",
                     code="not-found") >= counted  # fmt: skip
        hooks["child_exit"](None, SimpleNamespace(pid=pid))
    assert sorted(each.name for each in directory.iterdir()) == ["counter_0.db", "lock"]
    samples = read(request_metrics.exposition().decode())
    assert count(samples, "postern_errors_total", code="not-found") == 7
    replacing = SimpleNamespace(master_pid=1, reexec_pid=0)
    hooks["on_starting"](replacing)  # a master that goes on with the figures of the one before
    for leaving in (replacing, SimpleNamespace(master_pid=0, reexec_pid=2)):
        hooks["on_exit"](leaving)
    assert list(tmp_path.iterdir()) == [directory]
    hooks["on_exit"](alone)
    assert list(tmp_path.iterdir()) == []


@on_one_database
def test_one_line_tells_of_each_request_and_jobs_carry_its_id(
    measured: Flask, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime, given = runtime_of(measured), uuid4().hex
    done: list[object] = []

    def fail(_session: object, payload: object) -> None:
        done.append(payload)
        raise HopelessError

    runtime.part(Handlers).by_topic["test.failing"] = fail

    @measured.after_request
    def ask(response: object) -> object:
        with runtime.database.transaction() as session:
            put(session, "test.failing", {"id": 7})
        return response

    client = measured.test_client()
    answer = client.get(
        f"/{NOISE}?case={CASE}", environ_overrides={REQUEST_ID: given}, buffered=True
    )
    assert answer.headers["X-Request-Id"] == given
    assert structlog.contextvars.get_contextvars() == {}
    with runtime.database.transaction() as session:
        (row,) = session.scalars(select(Outbox).where(Outbox.topic == "test.failing"))
        assert parted(row.payload) == ({"id": 7}, given)
        session.execute(update(Outbox).where(Outbox.topic != "test.failing").values(state="done"))
    with measured.app_context():
        assert draining.drain(runtime) == 1
    assert done == [{"id": 7}]
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [each for each in said if each["event"] == "request"]
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "endpoint": NOWHERE,
        "method": "GET",
        "status": 404,
        "bytes": len(answer.data),
        "request_id": given,
        "level": "info",
    }
    assert {each["request_id"] for each in said if each["event"].startswith("job")} == {given}
    assert not any(CASE in str(each) or NOISE in str(each) for each in said)
