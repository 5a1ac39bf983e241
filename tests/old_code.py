"""The release before on the schema of this code: real old code, from the history of the repository.

    python -m tests.old_code [--of COMMIT] [--seconds 3] [--backend postgresql]

The old code makes a database, members and tokens, and its web process does the main job, while and
after the code of this tree upgrades the schema beneath it; then the web process of this tree serves
beside it. The last line is one JSON object; the end is 1 when anything of it failed.
"""

import argparse
import inspect
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from app import schema_version
from tests.conftest import administer, postgresql_url, running_postgresql
from tests.functional.proxied import free_ports

ROOT = Path(__file__).parents[1]
_PATIENCE = 120  # seconds
_GROUNDS = {"purpose": "criminal_investigation", "legal_basis": "criminal_procedure"}
Wires = dict[str, Any]
"""What clients send: headers of `owner` and `reader`, an `indicator`, and the `query` for it."""


class HistoryMissingError(Exception):
    """The old code is not in this clone."""


def furnish(app: Any) -> Wires:
    """Members, a policy and tokens; run by the old code too, so it imports what it needs itself."""
    from postern.vocabulary import Scope  # noqa: PLC0415
    from tests.app.exchange import JAN, OPEN_TO_POLICE, b64, make_exchange  # noqa: PLC0415
    from tests.app.matrix.keys_stage import publish_keys  # noqa: PLC0415
    from tests.app.people import bearer  # noqa: PLC0415

    exchange = make_exchange(app)
    exchange.publish("post-be", OPEN_TO_POLICE)
    with app.app_context(), exchange.database.transaction() as session:
        for member in ("post-be", "police-de"):
            publish_keys(session, exchange.caller(member))
    query = exchange.query(JAN)
    return {
        "owner": bearer(app, exchange.people["post-be"], Scope),
        "reader": bearer(app, exchange.people["police-de"], Scope),
        "indicator": exchange.indicator(JAN),
        "query": {
            "id": "q",
            "kind": query.kind.value,
            "epoch": query.epoch,
            "tokens": [{"facet": facet, "token": b64(token)} for facet, token in query.tokens],
        },
    }


_FURNISH = f"""
import json
from typing import Any
from app import create_app
Wires = dict
{inspect.getsource(furnish)}
print(json.dumps(furnish(create_app())))
"""


@dataclass
class Job:
    """The main job on one web process: submit, look up, ask for disclosure, see it asked for."""

    address: str
    wires: Wires
    found: Counter[str] = field(default_factory=Counter)

    def do(self, key: str) -> None:
        """Once; `found` counts what came of each step."""
        me = self._ask("owner", "GET", "/api/v1/me")
        self.found[f"me {me.status_code}"] += 1
        told = {"reports": [{"client_key": key, "indicators": [self.wires["indicator"]]}]}
        made = self._ask("owner", "POST", "/api/v1/reports", told)
        result = made.json()["results"][0] if made.ok else {"status": made.text}
        self.found[f"submit {result['status']}"] += 1
        asked = self._ask(
            "reader",
            "POST",
            "/api/v1/lookups",
            {**_GROUNDS, "case": key, "queries": [self.wires["query"]]},
        )
        self.found[f"look up {asked.status_code}"] += 1
        if not asked.ok:
            return
        answer = asked.json()
        hits = {hit["indicator"]["id"] for hit in answer["results"][0]["hits"]}
        self.found["hit" if hits else "no hit"] += 1
        wanted = {"lookup": answer["lookup"], "indicator": max(hits), "asked": ["value"]}
        wanted |= {"case": key, "urgency": "normal"}
        request = self._ask("reader", "POST", "/api/v1/disclosures", wanted)
        is_asked = request.ok or request.json()["code"] == "disclosure-open"  # by a round before
        self.found["asked" if is_asked else request.text] += 1
        listed = self._ask("owner", "GET", "/api/v1/disclosures/received?state=open&limit=5")
        is_listed = listed.ok and listed.json()["requests"]
        self.found["listed" if is_listed else f"not listed {listed.text}"] += 1

    @property
    def is_done(self) -> bool:
        """Whether every step went well each time."""
        good = {"me 200", "submit created", "look up 200", "hit", "asked", "listed"}
        return set(self.found) == good

    @contextmanager
    def again_and_again(self) -> Iterator[None]:
        """Do it over and over until the block ends."""
        is_over = threading.Event()

        def run() -> None:
            number = 0
            while not is_over.wait(0.1):
                number += 1
                try:
                    self.do(f"PV-{self.address[-5:]}-{number}")
                except requests.RequestException as error:
                    self.found[str(error)] += 1

        doing = threading.Thread(target=run, daemon=True)
        doing.start()
        try:
            yield
        finally:
            is_over.set()
            doing.join(_PATIENCE)

    def _ask(self, who: str, method: str, path: str, told: Any = None) -> requests.Response:
        return requests.request(
            method,
            self.address + path,
            json=told,
            headers={"Accept": "application/json", **self.wires[who]},
            timeout=_PATIENCE,
        )


class Code:
    """A tree of the platform, with a settings file of its own for a common database."""

    def __init__(self, tree: Path, folder: Path, url: str, secrets: Path) -> None:
        (self.port,) = free_ports(1)
        self.tree, self.address = tree, f"http://127.0.0.1:{self.port}"
        self.settings, self.said = folder / f"settings-{self.port}.toml", folder / "said.log"
        told = tomllib.loads((tree / "config" / "test.toml").read_text())
        told["database"]["url"] = url
        told["secrets"]["directory"] = str(secrets)
        told["platform"]["origin"] = self.address
        told["audit"] |= {
            "high_water": str(folder / "high-water.json"),
            "archive": str(folder / "archive"),
        }
        self.settings.write_text(_as_toml(told))

    def run(self, *arguments: str) -> str:
        """What `python ARGUMENTS` prints, with this code."""
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=self.tree,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            sys.exit(f"{' '.join(arguments)[:80]} failed:\n{ended.stdout}{ended.stderr}")
        return ended.stdout.strip()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Its web process, once it is ready."""
        with self.said.open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"],
                cwd=self.tree,
                env=self._environment(),
                stdout=said,
                stderr=said,
            )
        try:
            until = time.monotonic() + _PATIENCE
            while not self._is_ready():
                if process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"{self.tree} does not serve: {self.said.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "POSTERN_CONFIG": str(self.settings),
            "PYTHONPATH": str(self.tree),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POSTERN_BIND": f"127.0.0.1:{self.port}",
            "POSTERN_WORKERS": "1",
        }

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.address}/health/ready", timeout=_PATIENCE).ok
        except (requests.ConnectionError, requests.Timeout):  # it has not begun to answer
            return False


def commit_before() -> str:
    """The newest commit of the release before: without the migration that follows its last one.

    HistoryMissingError in a clone that does not reach back so far.
    """
    releases = tomllib.loads((ROOT / "migrations" / "releases.toml").read_text())["releases"]
    last = max(each for each in releases.values() if each < schema_version.needed())
    (following,) = (ROOT / "migrations" / "versions").glob(f"{int(last) + 1:04}_*.py")
    name = str(following.relative_to(ROOT))
    try:
        made = _git("log", "--diff-filter=A", "--format=%H", "--", name).split()
        return _git("rev-parse", "--verify", f"{made[-1]}~1^{{commit}}")
    except (subprocess.CalledProcessError, IndexError):
        raise HistoryMissingError(
            f"The code of the release of revision {last} is not in this clone: it has no commit"
            f" before the one that added {name}. Fetch it: git fetch --unshallow"
        ) from None


def unpacked(commit: str, into: Path) -> Path:
    """The tree of a commit; what a web process of it needs, and its tests."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(into, filter="data")
    return into


def main() -> int:
    parser = argparse.ArgumentParser(description="The release before beside the new schema.")
    parser.add_argument("--of", help="the commit of the old code")
    parser.add_argument("--seconds", type=float, default=3, help="of work before and after")
    parser.add_argument("--backend", choices=("postgresql", "sqlite"), default="postgresql")
    options = parser.parse_args()
    commit = options.of or commit_before()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-old-")))
        url = f"sqlite:///{folder / 'old.sqlite3'}"
        if options.backend == "postgresql":
            server = stack.enter_context(running_postgresql())
            administer(server, "CREATE DATABASE old_code")
            url = postgresql_url(server, "old_code")
        secrets = folder / "secrets"
        old = Code(unpacked(commit, folder / "old"), folder, url, secrets)
        new = Code(ROOT, folder, url, secrets)
        old.run("-m", "app", "prepare")
        wires = json.loads(old.run("-c", _FURNISH).splitlines()[-1])
        by_old, by_new = Job(old.address, wires), Job(new.address, wires)
        stack.enter_context(old.serving())
        stack.enter_context(by_old.again_and_again())
        time.sleep(options.seconds)
        began = time.monotonic()
        new.run("-m", "app", "prepare")
        upgraded = time.monotonic() - began
        stack.enter_context(new.serving())
        stack.enter_context(by_new.again_and_again())
        time.sleep(options.seconds)
    told = {
        "old": commit[:12],
        "backend": options.backend,
        "schema": schema_version.needed(),
        "upgrade_seconds": round(upgraded, 1),
        "by_old": dict(by_old.found),
        "by_new": dict(by_new.found),
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    return int(not (by_old.is_done and by_new.is_done))


def _git(*arguments: str) -> str:
    asked = ["git", *arguments]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def _as_toml(told: dict[str, Any]) -> str:
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(each)}\n" for key, each in section.items())
        for name, section in told.items()
    )


if __name__ == "__main__":
    sys.exit(main())
