"""What the pages are made of: pinned files of others, and nothing from another host."""

import hashlib
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "app" / "web"
BOOTSTRAP = WEB / "static" / "vendor" / "bootstrap"
_OUR_MODULE = re.compile(
    r"""<script type="module" src="\{\{ url_for\('static', filename='js/\w+\.js'\) \}\}">"""
    r"""</script>"""
)
"""A script of our own, by its address; it may only make a page nicer that works without it."""

TEMPLATES = sorted((WEB / "templates").rglob("*.html"))


def test_bootstrap_is_the_release_that_its_readme_names() -> None:
    rows = re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (BOOTSTRAP / "README.md").read_text())
    assert {name for name, _ in rows} == {p.name for p in BOOTSTRAP.iterdir()} - {"README.md"}
    for name, digest in rows:
        assert hashlib.sha256((BOOTSTRAP / name).read_bytes()).hexdigest() == digest


def test_our_style_sheet_takes_nothing_but_our_own_files() -> None:
    sheet = WEB / "static" / "css" / "postern.css"
    addresses = re.findall(r"url\(\"?([^)\"]+)", sheet.read_text())
    assert addresses
    assert all((sheet.parent / address).exists() for address in addresses)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_style_no_script_and_no_other_host(template: Path) -> None:
    text = _OUR_MODULE.sub("", template.read_text())
    assert not re.search(r"\sstyle=|<style|<script|\son[a-z]+=|javascript:", text)
    assert not re.search(r"(?:href|src|action)=\"(?:https?:)?//", text)
    assert "| safe" not in re.sub(r"\"<code>[A-Za-z_ -]+</code>\" \| safe", "", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    forms = re.findall(r"<form.*?</form>", template.read_text(), flags=re.DOTALL)
    for form in forms:
        assert ('method="get"' in form) or 'name="csrf_token"' in form
