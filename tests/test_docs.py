"""The documentation is whole: what exists is documented, and what is documented exists."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from flask import Flask

from app.__main__ import main as preparing
from app.audit.api import written_page
from app.audit.catalogue import CATALOGUE
from app.audit.reading import Filters, entries
from app.audit.service import append
from app.config import Settings
from app.database import Database
from app.web.reference import error_kinds
from postern.cli import cli
from postern.vocabulary import Purpose
from tests.app.bare import give_tag_keys, member
from tests.written_docs import DOCS, PARTS, command_names, platform, replaced

ROOT = DOCS.parent
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])
WRITTEN = "\n".join(page.read_text() for page in PAGES)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    made = platform(tmp_path_factory.mktemp("docs"))
    yield made
    made.extensions["postern"].database.dispose()


@pytest.mark.parametrize(("file", "name"), PARTS, ids=str)
def test_what_is_written_from_the_code_says_what_the_code_says(
    app: Flask, file: str, name: str
) -> None:
    page = (DOCS / file).read_text()
    assert page == replaced(page, name, PARTS[file, name](app)), (
        f"docs/{file} is out of date: run python -m tests.written_docs"
    )


def test_every_act_of_the_log_is_documented() -> None:
    page = (DOCS / "audit-acts.md").read_text()
    for act, known in CATALOGUE.items():
        assert f"| `{act}` | {known.meaning} |" in page


def test_every_act_of_the_log_is_done_somewhere() -> None:
    rooms = [file for file in (ROOT / "app").rglob("*.py") if file.parent.name != "catalogue"]
    code = "\n".join(file.read_text() for file in rooms)
    assert [act for act in CATALOGUE if f'"{act}"' not in code] == []


def test_every_error_code_is_documented(app: Flask) -> None:
    page = (DOCS / "errors.md").read_text()
    for kind in error_kinds():
        assert f"| `{kind.code}` | {kind.status} |" in page


def test_every_route_for_programs_is_documented(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        if path.startswith(("/api/", "/.well-known/", "/errors/", "/health/")):
            assert path in WRITTEN, f"{path} is in no page of docs/"


def test_every_setting_is_documented_with_the_value_that_we_ship() -> None:
    page = (DOCS / "configuration.md").read_text()
    shipped = (ROOT / "config" / "production.toml").read_text()
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| .* \| `([^`]+)` \|$", page, re.MULTILINE))
    assert set(told) == set(settings())
    for key, value in told.items():
        section, _, name = key.partition(".")
        part = shipped.partition(f"[{section}]")[2].partition("\n[")[0]
        assert f"\n{name} = {value}\n" in f"{part}\n", key


def test_every_setting_is_used() -> None:
    code = "\n".join(
        file.read_text()
        for file in [*(ROOT / "app").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
        if file.name != "config.py"
    )
    for key in settings():
        assert re.search(rf"\b{key.partition('.')[2]}\b", code), f"{key} is read nowhere"


@pytest.mark.parametrize("called", ["flask --app wsgi", "python -m app", "postern"])
def test_every_command_is_documented_and_no_other(app: Flask, called: str) -> None:
    group = {"flask --app wsgi": app.cli, "python -m app": preparing, "postern": cli}[called]
    existing = {name for name, _ in command_names(group, called)}
    for name in existing:
        assert f"`{name}" in WRITTEN, f"{name} is in no page of docs/"
    if called == "postern":
        return
    sources = [*PAGES, *(ROOT / "config").glob("*"), *(ROOT / "app").rglob("*.py")]
    begun = re.compile(rf"{re.escape(called)} ([a-z][a-z-]*(?: [a-z][a-z-]*)?)")
    for source in sources:
        for words in begun.findall(source.read_text()):
            known = any(f"{called} {words}".startswith(name) for name in existing)
            is_group = any(name.startswith(f"{called} {words}") for name in existing)
            assert known or is_group, f"{source.name}: there is no command {called} {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if heading:
            assert heading in anchors(file), f"{page.name} links to {target}"


def test_every_page_is_listed_for_its_readers() -> None:
    listed = _LINK.findall((DOCS / "README.md").read_text())
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or page.name in listed, page.name


def test_an_entry_can_be_checked_as_the_documentation_says(
    database: Database, tmp_path: Path
) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        for case in ("K-1", 'K-2 "é", [x]'):
            append(session, member(), "lookup.ask", case=case, purpose=Purpose.RISK_ANALYSIS)
    with database.reading() as session:
        page = entries(session, "police-de", Filters(), limit=1)
    (tmp_path / "page.json").write_bytes(written_page(page))
    (script,) = re.findall(r"```sh\n(.*?)```", (DOCS / "audit.md").read_text(), re.DOTALL)
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    record, leaf, *fixed = ran.stdout.splitlines()
    assert record.removeprefix("record ") == leaf.removeprefix("leaf.c ")
    assert len(record) == len("record ") + 43
    assert len(fixed) == len(page.entries[0].disclosures) == 3
    assert any('"case","K-2 \\"é\\", [x]"' in line for line in fixed)

    changed = written_page(page).replace(b'"n":0', b'"n":1')
    (tmp_path / "page.json").write_bytes(changed)
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    record, leaf, *_ = ran.stdout.splitlines()
    assert record.removeprefix("record ") != leaf.removeprefix("leaf.c ")


def settings() -> list[str]:
    """Every setting as section.name."""
    return [
        f"{section.name}.{item.name}"
        for section in fields(Settings)
        for item in fields(section.type)  # type: ignore[arg-type]
    ]


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
