"""What is shipped to run the service: no root, nothing to write to, every package known."""

import configparser
import dataclasses
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import supply_chain
from tests.supply_chain import Accepted

DEPLOY = Path(__file__).parent.parent / "deploy"
SERVICES = (
    *("postern-web", "postern-evaluator", "postern-metrics"),
    *("postern-jobs", "postern-log", "postern-archive"),
    *("postern-backup", "postern-backup-prune", "postern-journal"),
)
LISTENING = {"postern-web", "postern-evaluator", "postern-metrics"}
WORST = 1.5  # of 10, by `systemd-analyze security`: below 2 is its best word, "OK"
DEMANDED = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "CapabilityBoundingSet": "",
    "RestrictNamespaces": "true",
    "UMask": "0077",
}


@cache
def components() -> dict[str, Any]:
    return supply_chain.sbom()


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / f"{name}.service")
    return parser["Service"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_without_root_and_may_write_nowhere_else(name: str) -> None:
    service = unit(name)
    assert service["User"].startswith("postern-")
    assert {key: service.get(key) for key in DEMANDED} == DEMANDED
    assert ("StateDirectory" in service) == (name not in LISTENING)
    assert "ReadWritePaths" not in service
    hidden = service["InaccessiblePaths"]
    assert ("/etc/postern/keeper" if name in LISTENING else "/etc/postern/web") in hidden


def test_systemd_itself_finds_the_units_little_exposed() -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "No systemd-analyze found. Run `make servers`."
    for name in SERVICES:
        ran = subprocess.run(
            [analyze, "security", "--offline=true", str(DEPLOY / f"{name}.service")],
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"exposure level for \S+: ([0-9.]+)", ran.stdout)
        assert found, ran.stderr
        assert float(found[1]) <= WORST, name


def test_the_container_runs_without_root_on_a_read_only_file_system() -> None:
    recipe = (DEPLOY / "Containerfile").read_text()
    last = recipe.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 65532:65532$", last, re.MULTILINE)
    assert "--require-hashes" in recipe
    assert not re.search(r"^COPY .*(secret|\.key|var/)", recipe, re.MULTILINE)
    for service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values():
        assert service["user"] == "65532:65532"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_recipe_copies_what_there_is_and_nothing_that_is_left_out() -> None:
    """Rules of a linter of recipes that matter here: exact names, no ADD, no shell as a command."""
    recipe = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    verbs = {line.split()[0] for line in recipe.splitlines() if line and line[0].isalpha()}
    assert verbs == {*("ARG", "FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "EXPOSE")} | {
        *("ENTRYPOINT", "CMD")
    }
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", recipe, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-[a-z]+", base)
    assert re.search(r'^CMD \["gunicorn", .*\]$', recipe, re.MULTILINE)
    left_out = (DEPLOY.parent / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.*)$", recipe, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (DEPLOY.parent / name).exists(), name
            assert name not in left_out
    assert {".git", ".venv", "var", "**/node_modules"} <= set(left_out)


def test_compose_names_every_process_with_a_bound_and_without_a_word_that_it_does_not_know() -> (
    None
):
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert composed.keys() == {"x-hardened", "services", "volumes"}
    known = {
        *("image", "user", "read_only", "cap_drop", "security_opt", "pids_limit", "mem_limit"),
        *("restart", "tmpfs", "ports", "volumes", "command", "stop_grace_period"),
    }
    for name, service in composed["services"].items():
        assert service.keys() <= known, name
        assert {"pids_limit", "mem_limit", "restart", "stop_grace_period"} <= service.keys()
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source.startswith("/etc/postern/") or source in composed["volumes"], volume
        assert all(each.startswith("127.0.0.1:") for each in service.get("ports", ()))


def test_the_proxy_believes_no_client_and_keeps_nothing_of_what_it_hands_on() -> None:
    """What needs no nginx; tests/functional/test_proxied.py runs it."""
    proxy = re.sub(r"#.*", "", (DEPLOY / "nginx.conf").read_text())
    set_to = dict(re.findall(r"proxy_set_header (\S+) (.+);", proxy))
    assert set_to["X-Forwarded-For"] == "$remote_addr"
    assert set_to["Client-Cert"] == "$ssl_client_escaped_cert"
    for line in (
        "proxy_http_version 1.1;",
        "proxy_buffering off;",
        "proxy_max_temp_file_size 0;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "client_max_body_size 8m;",
    ):
        assert line in proxy
    (written,) = re.findall(r"log_format postern ('.*?');", proxy, re.DOTALL)
    assert set_to["X-Request-Id"] == "$request_id"
    assert not re.search(r"request_uri|remote_addr|args|\$request\b|forwarded", written)


_HEAPS = """
import re, runpy, sys, threading
if sys.argv[1:]:
    runpy.run_path(sys.argv[1])

def work():
    return [bytearray(2_000) for _ in range(500)]

threads = [threading.Thread(target=work) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
maps = open("/proc/self/maps").read()
sizes = [int(end, 16) - int(begin, 16) for begin, end in re.findall(r"(\\w+)-(\\w+) ---p", maps)]
print(sum(60 << 20 < each < 64 << 20 for each in sizes))
"""


def test_a_web_process_has_one_heap_for_all_of_its_threads() -> None:
    """glibc reserves 64 MiB for each further one, and gives little of what it held back."""

    def heaps(*configuration: str) -> int:
        asked = [sys.executable, "-c", _HEAPS, *configuration]
        done = subprocess.run(asked, cwd=DEPLOY.parent, check=True, capture_output=True, text=True)
        return int(done.stdout)

    assert heaps() > 0  # so that what is looked for can be seen
    assert heaps("config/gunicorn.conf.py") == 0


def test_the_bill_of_materials_names_every_pinned_package_with_its_hashes() -> None:
    listed = {(each["name"], each["version"]): each for each in components()["components"]}
    for name, version in supply_chain.pins().items():
        assert listed[name, version]["hashes"], name
    lock = json.loads(supply_chain.MODULES.read_text())["packages"]
    assert {name.rpartition("node_modules/")[2] for name in lock if name} <= {
        name for name, _ in listed
    }
    assert "://" not in json.dumps(components()["components"])


def test_the_audit_passes_without_a_network_and_notices_what_was_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supply_chain, "sbom", components)
    today = datetime.now(UTC).date()
    accepted = supply_chain.read_accepted(supply_chain.ACCEPTED.read_text())
    assert supply_chain.audit(accepted, today) == []
    name, version = next(iter(supply_chain.pins().items()))
    report = {
        "dependencies": [
            {"name": name, "version": version, "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"]}]}
        ]
    }
    (wrong,) = supply_chain.audit(accepted, today, report)
    assert "CVE-1, PYSEC-1 is not accepted" in wrong
    looked = Accepted("CVE-1", name, version, "never called", today)
    assert supply_chain.audit([looked], today, report) == []
    (late,) = supply_chain.audit([looked], today + timedelta(days=1), report)
    assert "Look at it again" in late
    other = dataclasses.replace(looked, version="0.0.0")
    assert len(supply_chain.audit([other], today, report)) == 2
