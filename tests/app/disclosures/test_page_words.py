"""A page of a disclosure can say whatever the modules that open and seal may refuse."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app.web.premises_words import premises_words
from tests.app.disclosures.test_pages import FAST

WEB = Path(__file__).parents[3] / "app" / "web"
MODULES = (
    "organisation_entry",
    "sealed_content",
    "sealed_message",
    "disclosing",
    "keyfile",
    "seal",
)
_NAME = re.compile(r'this\.name = "(\w+)"')
_WITH_CODE = re.compile(r'new (KeyFileError|OwnKeysError|SealError)\(\s*"([a-z-]+)"')
_SAID = re.compile(r'say\("([\w.-]+)"')
_OF_PARTS = {"SealError"}  # whose other causes are told by its one sentence


def source(name: str) -> str:
    return (WEB / "modules" / f"{name}.js").read_text("utf-8")


@FAST
@pytest.mark.parametrize("name", MODULES)
def test_each_error_of_a_module_has_words_and_a_remedy(app: Flask, name: str) -> None:
    with app.test_request_context():
        known = premises_words().keys()
    for error in _NAME.findall(source(name)):
        keys = {key for key in known if key.startswith(f"error.{error}")}
        assert keys, error
        assert {f"{key}.remedy" for key in keys if not key.endswith(".remedy")} <= keys, error
    for error, code in _WITH_CODE.findall(source(name)):
        is_said = f"error.{error}.{code}" in known or error in _OF_PARTS
        assert is_said, (error, code)


@pytest.mark.parametrize(
    ("script", "template"),
    [
        ("asking", "disclosures/new.html"),
        ("deciding", "disclosures/request_words.html"),
        ("receiving", "disclosures/request_words.html"),
        ("request_desk", "disclosures/request_words.html"),
        ("opened_parts", "disclosures/request_words.html"),
        ("key_panel", "key_panel.html"),
    ],
)
def test_each_word_of_a_script_stands_in_its_page(script: str, template: str) -> None:
    said = set(_SAID.findall((WEB / "static" / "js" / f"{script}.js").read_text("utf-8")))
    page = (WEB / "templates" / template).read_text("utf-8")
    assert said
    for key in said:
        assert f'"{key}"' in page or f'"{key}.one"' in page, key
