"""A running gunicorn with two workers tells sums of both, that never go down."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.config import Settings
from tests.app.metrics import HEADERS, Samples, read, write_metrics_key
from tests.functional.proxied import free_ports
from tests.functional.serving import PATIENCE, ROOT, as_toml

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_STARTED = 90  # seconds
_LIVE = ("postern_requests_total", (("endpoint", "live"), ("method", "GET"), ("status", "2xx")))
_MEMORY = "postern_worker_memory_bytes"


@pytest.fixture
def address(settings: Settings, tmp_path: Path) -> Iterator[str]:
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
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "POSTERN_CONFIG": str(file),
            "POSTERN_BIND": f"127.0.0.1:{port}",
            "POSTERN_WORKERS": "2",
            "POSTERN_METRICS_DIRECTORY": str(shared),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield found
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


def scraped(address: str) -> Samples:
    answer = requests.get(f"{address}/metrics", headers=HEADERS, timeout=PATIENCE)
    assert answer.status_code == 200
    return read(answer.text)
