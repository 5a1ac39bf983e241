"""What an organisation installs: the built package alone, in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLATFORM_ONLY = {"flask", "sqlalchemy", "alembic", "cedarpy", "gunicorn", "psycopg", "werkzeug"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built from a copy of its sources: a build leaves files beside them."""
    directory = tmp_path_factory.mktemp("wheel")
    sources = directory / "sources"
    for name in ("postern", "app"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, sources / name, ignore=ignored)
    for file in ("pyproject.toml", "README.md"):
        shutil.copyfile(ROOT / file, sources / file)
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", directory, sources)
    (built,) = directory.glob("postern-*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of commands of a fresh environment that holds the package and what it needs."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=True)
    found = directory / ("Scripts" if os.name == "nt" else "bin")
    run(found / "python", "-m", "pip", "install", wheel)
    return found


def run(*command: object, **more: str) -> str:
    """Standard output of a command that must succeed, outside the sources."""
    result = subprocess.run(
        [str(each) for each in command],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(sys.prefix),
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_package_holds_postern_and_nothing_of_the_platform(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"postern"}
    for needed in (
        "postern/py.typed",
        "postern/column_names.json",
        "postern/shipment_words.json",
        "postern/normalise/tables/fold.json",
        "postern/weights/postal.json",
    ):
        assert needed in names


def test_the_environment_holds_no_part_of_the_platform(scripts: Path) -> None:
    listed = json.loads(run(scripts / "python", "-m", "pip", "list", "--format", "json"))
    installed = {each["name"].lower() for each in listed}
    assert "postern" in installed
    assert not installed & PLATFORM_ONLY
    imported = run(
        scripts / "python", "-c", "import importlib.util as u; print(u.find_spec('app'))"
    )
    assert imported.strip() == "None"


def test_the_command_explains_itself(scripts: Path) -> None:
    told = run(scripts / "postern", "--help")
    for command in ("init", "check", "keys", "submit", "lookup"):
        assert f"\n  {command}" in told
        assert "Usage: postern" in run(scripts / "postern", command, "--help")


def test_a_dry_run_works_without_a_platform(scripts: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        "Sender's name;Sender's address;Sender's postcode;Sender's city;Item number\n"
        "Jan de Vries;Keizersgracht 12;1015 CS;Amsterdam;RB123456785GB\n",
        encoding="utf-8",
    )
    told = run(
        *(scripts / "postern", "submit", file, "--dry-run", "--json"),
        *("--learned", "outside_of_item", "--legal-basis", "postal_law"),
        HOME=str(tmp_path),
    )
    found = json.loads(told)
    assert (found["rows"], found["usable"], found["rejected"]) == (1, 1, 0)
    assert found["evaluations_at_most"] == {"item": 2, "postal": 16}


def test_the_arithmetic_works_with_the_library_that_the_package_brings(scripts: Path) -> None:
    told = run(
        *(scripts / "python", "-W", "ignore", "-c"),
        "from postern import group, sodium, voprf\n"
        "sodium.load_rbcl()\n"
        "secret, public = voprf.derive_key_pair(bytes(32), b'test')\n"
        "r, blinded = voprf.blind(b'value')\n"
        "evaluated, proof = voprf.evaluate(secret, public, [blinded])\n"
        "voprf.verify(public, [blinded], evaluated, proof)\n"
        "print(len(voprf.unblind(r, evaluated[0])))\n",
    )
    assert told.strip() == "32"
