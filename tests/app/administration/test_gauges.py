"""The gauges say what the checks judge, for a role that sees nothing else, and never wait."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import requests
import yaml
from flask import Flask
from prometheus_client import generate_latest
from sqlalchemy import text, update

from app import clock, request_metrics
from app.administration import backlog, backups, exporter, gauges, health
from app.administration.health import Light, Part
from app.config import Settings
from app.database import Database
from app.database_roles import Work
from app.errors import StartRefusedError
from app.indicators.models import Indicator
from app.jobs import worker_metrics
from app.jobs.models import DutyRun
from app.metrics_server import make_server, read_address
from postern.vocabulary import EvaluationKind
from tests.app.exchange import SOPHIE, make_exchange, report
from tests.app.metrics import HEADERS, KEY, Samples, names, read
from tests.app.people import runtime_of
from tests.app.role_processes import process

ROOT = Path(__file__).parents[3]
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def status(app: Flask, tmp_path: Path) -> Path:
    """The file in which backups tell of themselves."""
    file = tmp_path / "backup.json"
    settings = runtime_of(app).settings
    object.__setattr__(settings.backup, "status", str(file))
    return file


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_in(expression: str) -> set[str]:
    """The names of the metrics that an expression of PromQL asks for."""
    found: set[str] = set()

    def look(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name)
            return
        for part in ("expr", "lhs", "rhs", "vector_selector"):
            look(getattr(node, part)) if hasattr(node, part) else None
        for each in getattr(node, "args", None) or ():
            look(each)

    look(promql_parser.parse(expression))
    assert found, expression
    return found


def shown(app: Flask) -> str:
    reading = exporter.Exporter(app)
    reading.look()
    return exporter.exposition(reading).decode()


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"postern_{name}", tuple(sorted(labels.items()))]


def test_gauges_say_what_is_overdue_and_the_checks_judge_the_same(
    app: Flask, settings: Settings, database: Database, status: Path
) -> None:
    exchange = make_exchange(app)
    exchange.submit("post-be", report("r1", exchange.indicator(SOPHIE)))
    at = clock.now()
    with database.transaction() as session:
        over = (at - timedelta(days=4)).date()
        session.execute(update(Indicator).values(expires_on=over))
        late = DutyRun(name="log.watch", due_at=at - timedelta(hours=2), failures=3)
        session.merge(late)
    told = {"at": (at - timedelta(hours=30)).isoformat(), "verified_at": None, "bytes": 77}
    status.write_text(json.dumps(told))
    samples = read(shown(app))
    assert value(samples, "erasure_backlog", kind="indicators") == 1
    assert value(samples, "erasure_lag_seconds", kind="indicators") > 3 * 86_400
    assert value(samples, "duty_overdue_seconds", duty="log.watch") >= 7200
    assert value(samples, "duty_failures", duty="log.watch") == 3
    assert value(samples, "backup_age_seconds") >= 30 * 3600
    assert value(samples, "backup_bytes") == 77
    assert value(samples, "key_epoch_open", kind="postal") == 1
    assert value(samples, "schema_matches") == value(samples, "database_answers") == 1
    assert value(samples, "log_unplaced_entries") > 0
    assert not any(value(samples, "facts_missing", group=each) for each in gauges.GROUPS)
    with app.app_context(), database.reading() as session:
        found = {each.part: each for each in health.check(session, runtime_of(app)).checks}
    assert found[Part.RETENTION].finding == "retention.still"
    assert found[Part.BACKUP].finding == "backup.late"
    if database.is_sqlite:
        return
    # The same, for a role that may read when things end and nothing of what they are.
    with process(settings, database, Work.METRICS) as made:
        bound = read(shown(made))
        assert not any(value(bound, "facts_missing", group=each) for each in gauges.GROUPS)
        assert value(bound, "erasure_backlog", kind="indicators") == 1
        for table, column in (("indicator", "tokens"), ("web_session", "name_hash")):
            with (
                pytest.raises(Exception, match="permission denied"),
                runtime_of(made).database.reading() as session,
            ):
                session.execute(text(f"SELECT {column} FROM {table}"))  # noqa: S608 - names above


@on_one_database
def test_labels_are_of_closed_sets(app: Flask) -> None:
    make_exchange(app)
    closed = {
        "group": set(gauges.GROUPS),
        "state": {"in-time", "late", "silent"},
        "disk": {"archive", "database"},
    }
    with app.app_context(), runtime_of(app).database.reading() as session:
        kinds = set(backlog.read(session))
    kinds |= {kind.value for kind in EvaluationKind}
    for _, labels in read(shown(app)):
        for label, found in labels:
            if label in {"duty", "topic"}:
                assert re.fullmatch(r"[a-z]+([.-][a-z_-]+)*", found), found
            else:
                assert found in closed.get(label, kinds), (label, found)


@on_one_database
def test_a_backup_is_judged_by_its_age_and_whether_one_was_tried(app: Flask, status: Path) -> None:
    at = clock.now()
    for hours, tried, finding, light in (
        (1, 1, "backup.tried", Light.GREEN),
        (1, None, "backup.untried", Light.AMBER),
        (1, 40, "backup.untried", Light.AMBER),
        (27, 1, "backup.late", Light.AMBER),
        (51, 1, "backup.old", Light.RED),
    ):
        verified = None if tried is None else (at - timedelta(days=tried)).isoformat()
        made = (at - timedelta(hours=hours)).isoformat()
        status.write_text(json.dumps({"at": made, "verified_at": verified, "bytes": 1}))
        check = health._backup(runtime_of(app))
        assert (check.finding, check.light) == (finding, light)


@on_one_database
def test_a_status_that_cannot_be_read_is_no_backup(app: Flask, status: Path) -> None:
    for content in (b"", b"[]", b"{", b"\xff", b'{"at": 5}', b'{"at": "soon", "bytes": 1}'):
        status.write_bytes(content)
        assert backups.newest(runtime_of(app)) is None
        assert health._backup(runtime_of(app)).finding == "backup.none"
    object.__setattr__(runtime_of(app).settings.backup, "status", "")
    assert health._backup(runtime_of(app)).finding == "backup.untold"
    assert "postern_backup" not in shown(app)


@pytest.fixture
def address() -> Iterator[str]:
    """A server of metrics with a key, on loopback."""
    server = make_server(lambda: b"a 1\n", "127.0.0.1", 0, KEY)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    serving.join()
    server.server_close()


def test_the_server_tells_who_holds_the_key(address: str) -> None:
    for path, headers, status in (
        ("/metrics", HEADERS, 200),
        ("/metrics", {}, 404),
        ("/metrics", {"Authorization": f"Bearer {KEY[:-1]}"}, 404),
        ("/", HEADERS, 404),
    ):
        assert requests.get(address + path, headers=headers, timeout=10).status_code == status


def test_it_listens_beyond_this_machine_with_a_key_only() -> None:
    assert read_address("127.0.0.1:9464", has_key=False) == ("127.0.0.1", 9464)
    assert read_address("0.0.0.0:9464", has_key=True) == ("0.0.0.0", 9464)  # noqa: S104
    for listen in ("0.0.0.0:9464", "9464", "127.0.0.1:", "127.0.0.1:70000", "host:9464"):
        with pytest.raises(StartRefusedError):
            read_address(listen, has_key=False)


@on_one_database
def test_a_database_that_does_not_answer_leaves_what_was_read_and_says_so(app: Flask) -> None:
    reading = exporter.Exporter(app)
    reading.look()
    database = runtime_of(app).database
    file = Path(database.url.database or "")
    database.dispose()
    file.rename(file.with_name("gone"))
    file.mkdir()
    reading.look()
    samples = read(exporter.exposition(reading).decode())
    assert value(samples, "database_answers") == 0
    assert value(samples, "schema_matches") == 1
    assert value(samples, "facts_age_seconds") >= 0


@on_one_database
def test_every_alert_asks_for_what_there_is_and_has_its_section(app: Flask, status: Path) -> None:
    at = clock.now().isoformat()
    status.write_text(json.dumps({"at": at, "verified_at": at, "bytes": 1}))
    make_exchange(app)
    known = names(shown(app)) | {"up"}
    for registry in (request_metrics.REGISTRY, worker_metrics.REGISTRY):
        known |= names(generate_latest(registry).decode())
    # What only a log that was signed and witnessed, or PostgreSQL with a standby, has.
    source = Path(gauges.__file__).read_text()
    known |= {f"postern_{name}" for name in re.findall(r'\bgauge\(\s*"([a-z_]+)"', source)}
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", runbook, re.MULTILINE | re.DOTALL))
    for rule in rules():
        name = rule["alert"]
        assert metrics_in(rule["expr"]) <= known, name
        assert rule["labels"]["severity"] in {"page", "ticket"}
        promql_parser.parse_duration(rule["for"])
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        for part in ("Means", "Users notice", "Look", "Mend", "Call"):
            assert f"- **{part}**" in sections[name], (name, part)
    assert list(sections) == [rule["alert"] for rule in rules()]


def test_every_metric_is_documented() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text()
    source = Path(gauges.__file__).read_text()
    told = {
        f"postern_{each}"
        for each in re.findall(r'^\s+"([a-z]+(?:_[a-z]+)+)",', source, re.MULTILINE)
    }
    told |= set(re.findall(r'"(postern_[a-z_]+)"', Path(request_metrics.__file__).read_text()))
    told |= set(re.findall(r'"(postern_[a-z_]+)"', Path(worker_metrics.__file__).read_text()))
    assert [name for name in told if name not in page] == []
