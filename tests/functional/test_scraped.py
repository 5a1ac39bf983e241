"""Metrics of running processes: of two workers as one sum, and as a real Prometheus reads them."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from app.config import Settings
from tests.app.metrics import HEADERS, KEY, Samples, read, write_metrics_key
from tests.functional.proxied import free_ports
from tests.functional.serving import PATIENCE, ROOT, as_toml

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_STARTED = 90  # seconds
ALERTS = "deploy/alerts.yaml"
MONITORING = ROOT / "docs" / "monitoring.md"
_LIVE = ("postern_requests_total", (("endpoint", "live"), ("method", "GET"), ("status", "2xx")))
_MEMORY = "postern_worker_memory_bytes"


@dataclass(frozen=True)
class Service:
    """A web service that runs."""

    address: str
    process: "subprocess.Popen[bytes]"


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Service]:
    own = tmp_path / "secrets"
    shutil.copytree(settings.secrets.directory, own)
    write_metrics_key(own)
    (port,) = free_ports(1)
    file = tmp_path / "settings.toml"
    found = f"http://127.0.0.1:{port}"
    secrets = dataclasses.replace(settings.secrets, directory=str(own))
    file.write_text(as_toml(dataclasses.replace(settings, secrets=secrets), found))
    shared = tmp_path / "shared"
    shared.mkdir()
    with running(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"],
        POSTERN_CONFIG=str(file),
        POSTERN_BIND=f"127.0.0.1:{port}",
        POSTERN_WORKERS="2",
        POSTERN_METRICS_DIRECTORY=str(shared),
    ) as process:
        yield Service(found, process)


@pytest.fixture
def address(service: Service) -> str:
    return service.address


@contextmanager
def running(command: list[str], **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends with the block, if it has not ended before."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def test_two_workers_tell_one_sum_that_never_goes_down(address: str) -> None:
    patient = requests.adapters.Retry(connect=60, backoff_factor=0.1, backoff_max=1)
    with requests.Session() as starting:
        starting.mount("http://", requests.adapters.HTTPAdapter(max_retries=patient))
        assert starting.get(f"{address}/health/live", timeout=_STARTED).ok
    assert requests.get(f"{address}/metrics", timeout=PATIENCE).status_code == 404
    seen: Counter[str] = Counter()
    before: Samples = {}
    asked, workers = 1, 0
    while workers < 2 or asked < 20:
        assert requests.get(f"{address}/health/live", timeout=PATIENCE).ok
        asked += 1
        samples = scraped(address)
        for each, value in before.items():
            if each[0].endswith(("_total", "_count", "_bucket", "_sum")):
                assert samples[each] >= value, each
        assert samples[_LIVE] == asked
        pids = {dict(labels)["pid"] for name, labels in samples if name == _MEMORY}
        seen.update(pids)
        before, workers = samples, len(pids)
        assert asked < 500, "only one worker answers"
    ended = int(seen.most_common(1)[0][0])
    os.kill(ended, signal.SIGTERM)
    while str(ended) in {dict(labels)["pid"] for name, labels in before if name == _MEMORY}:
        before = scraped(address)
    assert before[_LIVE] == asked


def test_a_prometheus_set_up_as_the_page_says_reads_both_and_its_alerts(
    service: Service, settings: Settings, tmp_path: Path
) -> None:
    gauges, own = free_ports(2)
    of_gauges = tmp_path / "gauges.toml"  # with secrets of its own, as the page says: without a key
    of_gauges.write_text(as_toml(settings, service.address))
    (told,) = re.findall(r"(?s)```yaml\n(.+?)```", MONITORING.read_text("utf-8"))
    scraping = yaml.safe_load(told)
    web, database = scraping["scrape_configs"]
    key = tmp_path / "prometheus.key"
    key.write_text(KEY)
    web["authorization"]["credentials_file"] = str(key)
    web["static_configs"][0]["targets"] = [service.address.removeprefix("http://")]
    database["static_configs"][0]["targets"] = [f"127.0.0.1:{gauges}"]
    scraping["rule_files"] = [str(ROOT / "deploy" / "alerts.yaml")]
    scraping["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(scraping))
    subprocess.run(["promtool", "check", "config", str(file)], check=True, capture_output=True)

    def asked(path: str, **arguments: str) -> Any:
        answer = requests.get(f"http://127.0.0.1:{own}/api/v1/{path}", arguments, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def is_up() -> bool:
        found = asked("query", query="up")["result"]
        return [each["value"][1] for each in found] == ["1", "1"]

    def states() -> dict[str, str]:
        groups = asked("rules")["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    with (
        running(
            [*flask, "metrics", "run", "--listen", f"127.0.0.1:{gauges}"],
            POSTERN_CONFIG=str(of_gauges),
        ),
        running(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={tmp_path / 'series'}",
                f"--web.listen-address=127.0.0.1:{own}",
            ]
        ),
    ):
        until(lambda: is_answering(f"http://127.0.0.1:{own}/-/ready"))
        until(is_up)
        until(lambda: all(rule["health"] == "ok" for rule in rules_of(asked("rules"))))
        assert len(states()) == len(rules_of(yaml.safe_load((ROOT / ALERTS).read_text())))
        until(lambda: states()["PosternWebDown"] == "inactive")
        assert asked("query", query="postern_schema_matches")["result"][0]["value"][1] == "1"
        service.process.send_signal(signal.SIGTERM)
        until(lambda: states()["PosternWebDown"] == "pending")  # it fires after two minutes
        assert states()["PosternMetricsDown"] == "inactive"


def rules_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in told["groups"] for rule in group["rules"]]


def is_answering(address: str) -> bool:
    try:
        return requests.get(address, timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _STARTED
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def scraped(address: str) -> Samples:
    answer = requests.get(f"{address}/metrics", headers=HEADERS, timeout=PATIENCE)
    assert answer.status_code == 200
    return read(answer.text)
