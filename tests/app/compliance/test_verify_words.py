"""The pages can say whatever the modules may find of the log, in every language."""

import re
from pathlib import Path

from flask import Flask

from app.compliance.verify_words import entry_words, verify_words
from app.web.languages import LANGUAGES, locale_of

WEB = Path(__file__).parents[3] / "app" / "web"
COUNTED = (".one", ".other")

_CHECK = re.compile(r'check: "(\w+)"')
_CODE = re.compile(r'code(?::|,| =) (?:\w+ \? )?"([\w-]+)"')
_TOLD = re.compile(r'told\("\w+", "(\w+)"')


def source(name: str) -> str:
    return (WEB / "modules" / f"tlog_{name}.js").read_text("utf-8")


def test_each_check_of_the_modules_has_words(app: Flask) -> None:
    checks = set(_CHECK.findall(source("check") + source("findings")))
    assert checks == {"head", "signature", "growth", "witnesses", "entries", "receipts"}
    with app.test_request_context():
        said = verify_words()
    for check in checks:
        assert any(key.startswith(f"found.{check}") for key in said), check


def test_each_code_of_a_finding_has_words_and_no_other(app: Flask) -> None:
    written = set(re.findall(r'"([a-z-]+)"', source("check") + source("findings")))
    with app.test_request_context():
        keys = verify_words().keys()
    codes = {key.split(".")[2] for key in keys if key.startswith("found.") and key.count(".") > 1}
    assert codes <= written
    told = set(_CODE.findall(source("findings"))) | set(_TOLD.findall(source("findings")))
    assert told
    assert told <= codes


def test_what_is_counted_has_both_forms_in_every_language(app: Flask) -> None:
    spoken = {}
    for code in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": str(locale_of(code))}):
            spoken[code] = verify_words() | entry_words()
    english = spoken["en"]
    stems = {key.rsplit(".", 1)[0] for key in english if key.endswith(COUNTED)}
    for stem in stems - {"found.entries", "found.signature"}:
        assert {f"{stem}.one", f"{stem}.other"} <= english.keys(), stem
    for code in set(LANGUAGES) - {"en"}:
        same = {key for key, said in spoken[code].items() if said == english[key]}
        assert same == set(), code


def test_the_page_asks_for_no_words_that_are_not_there(app: Flask) -> None:
    with app.test_request_context():
        page, entry = verify_words(), entry_words()
    for name, words in (("verify", page), ("entry_proof", entry)):
        script = (WEB / "static" / "js" / f"{name}.js").read_text("utf-8")
        for key in re.findall(r'say\("([a-z.-]+)"', script):
            assert key in words or f"{key}.other" in words, key
