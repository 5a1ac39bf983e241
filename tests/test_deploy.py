"""What is shipped to run the service: no root, nothing to write to, every package known."""

import configparser
import dataclasses
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import supply_chain
from tests.supply_chain import Accepted

DEPLOY = Path(__file__).parent.parent / "deploy"
SERVICES = ("postern-web", "postern-jobs", "postern-log", "postern-archive")
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
    assert ("StateDirectory" in service) == (name != "postern-web")
    assert "ReadWritePaths" not in service
    hidden = service["InaccessiblePaths"]
    assert ("/etc/postern/keeper" if name == "postern-web" else "/etc/postern/web") in hidden


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_itself_finds_the_units_little_exposed() -> None:
    for name in SERVICES:
        ran = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", str(DEPLOY / f"{name}.service")],
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
