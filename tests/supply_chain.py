"""What the service consists of (CycloneDX), and whether a scanner's findings were all looked at.

`python -m tests.supply_chain sbom [--to FILE]` lists every pinned package of requirements.txt with
its hashes, and every package of the pages' modules.

`python -m tests.supply_chain audit [--report FILE]` asks no network. Without a report it checks
that each package is pinned with hashes, that the list of components is whole, and that what was
accepted (deploy/accepted-findings.toml) is still pinned so and not past its day: it can say
nothing of vulnerabilities that became known since. With `--report`, the JSON of
`pip-audit -r requirements.txt -f json` made elsewhere, every finding in it must be accepted.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.check_pins import faults

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
MODULES = ROOT / "app" / "web" / "modules" / "package-lock.json"
ACCEPTED = ROOT / "deploy" / "accepted-findings.toml"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Accepted:
    """A finding that somebody looked at and accepted until a day."""

    id: str
    package: str
    version: str
    why: str
    until: date


def sbom() -> dict[str, Any]:
    """The components of the service and of its pages, as CycloneDX 1.6; the same for same pins."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "requirements", str(REQUIREMENTS)),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--short-PURLs"),
            *("--output-reproducible", "--no-validate", "--of", "JSON", "-o", "-"),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    document: dict[str, Any] = json.loads(ran.stdout)
    for component in document["components"]:
        component.pop("externalReferences", None)  # addresses of whichever index was configured
        component["hashes"] = [
            {"alg": "SHA-256", "content": each} for each in _hashes()[component["name"]]
        ]
    document["components"] += list(_module_components())
    return document


def pins() -> dict[str, str]:
    """The pinned packages of the service and their versions."""
    return dict(_PIN.findall(REQUIREMENTS.read_text()))


def read_accepted(text: str) -> list[Accepted]:
    """What the file says; TypeError when an entry is not whole."""
    return [Accepted(**each) for each in tomllib.loads(text).get("accepted", [])]


def findings_in(report: Mapping[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    """Package, version and all names of each finding in a report of pip-audit."""
    for package in report["dependencies"]:
        for found in package.get("vulns", ()):
            yield package["name"], package["version"], {found["id"], *found.get("aliases", ())}


def audit(
    accepted: Sequence[Accepted], today: date, report: Mapping[str, Any] | None = None
) -> list[str]:
    """What is wrong, one sentence each."""
    known, wrong = pins(), faults(REQUIREMENTS)
    listed = {(each["name"], each["version"]) for each in sbom()["components"]}
    wrong += [
        f"{name} {version} is not in the SBOM"
        for name, version in known.items()
        if (name, version) not in listed
    ]
    for each in accepted:
        if known.get(each.package) != each.version:
            wrong.append(f"{each.id}: {each.package} {each.version} is not pinned. Remove it.")
        if today > each.until:
            wrong.append(f"{each.id}: accepted until {each.until}. Look at it again.")
    taken = {(each.package, each.version, each.id) for each in accepted}
    for name, version, names in findings_in(report) if report else ():
        if not any((name, version, one) in taken for one in names):
            wrong.append(f"{name} {version}: {', '.join(sorted(names))} is not accepted.")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one of the two; 1 when something is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("sbom", "audit"))
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "sbom.json")
    parser.add_argument("--report", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.what == "sbom":
        chosen.to.parent.mkdir(parents=True, exist_ok=True)
        chosen.to.write_text(json.dumps(sbom(), indent=1) + "\n")
        sys.stdout.write(f"{chosen.to}\n")
        return 0
    report = json.loads(chosen.report.read_text()) if chosen.report else None
    wrong = audit(read_accepted(ACCEPTED.read_text()), datetime.now(UTC).date(), report)
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    told = "with a report" if report else "pins only: no list of vulnerabilities was asked"
    sys.stdout.write(f"{len(pins())} packages audited, {told}\n")
    return 1 if wrong else 0


def _hashes() -> dict[str, list[str]]:
    """The SHA-256 of every file of each pinned package."""
    parts = re.split(r"^(?=[A-Za-z0-9])", REQUIREMENTS.read_text(), flags=re.MULTILINE)
    found = {}
    for part in parts:
        if named := _PIN.match(part):
            found[named[1]] = re.findall(r"--hash=sha256:([0-9a-f]{64})", part)
    return found


def _module_components() -> Iterator[dict[str, Any]]:
    for place, package in json.loads(MODULES.read_text())["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if name:
            purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            yield {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": package["version"],
                "purl": purl,
                "scope": "excluded" if package.get("dev") else "required",
            }


if __name__ == "__main__":
    sys.exit(main())
