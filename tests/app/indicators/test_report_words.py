"""A page can say whatever its worker may find wrong with a row, a file or a form."""

import re
from pathlib import Path

from flask import Flask

from app.indicators.report_words import MAPPINGS, SHEET_ERRORS, report_words
from postern.columns import FIELDS, IGNORE
from postern.doubts import words_of
from postern.imports import SHIPPED
from postern.imports.model import DROP, MAPPED_FIELDS
from postern.normalise import Flag

MODULES = Path(__file__).parents[3] / "app" / "web" / "modules"
_SOURCES = ("terms.js", "rows.js", "csv_rows.js", "sheet.js", "mapped_columns.js")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*[.-])"(?:\s*\+\s*"((?:[^"\\]|\\.)*)")?')
_CALL = re.compile(r"\bfault\((.*?)\);", re.DOTALL)


def sentences_of_the_modules() -> set[str]:
    """Every text within a call of `fault` that is a sentence, and WHAT_TO_GIVE."""
    found = set()
    for name in _SOURCES:
        source = (MODULES / name).read_text("utf-8")
        for call in _CALL.findall(source):
            found |= {"".join(each) for each in _TEXT.findall(call)}
        found |= set(re.findall(r'\["([A-Z%(][^"]+\.)", ', source))
        for whole in re.findall(r"WHAT_TO_GIVE =\s*(.*?);", source, re.DOTALL):
            found.add("".join(re.findall(r'"([^"]*)"', whole)))
    return found


def test_every_sentence_of_a_fault_is_known(app: Flask) -> None:
    sentences = sentences_of_the_modules()
    assert len(sentences) > 35
    with app.test_request_context():
        assert sentences - report_words().keys() == set()


def test_every_field_and_every_doubt_has_words(app: Flask) -> None:
    with app.test_request_context():
        known = report_words()
    assert {f"field.{name}" for name in FIELDS - {IGNORE}} <= known.keys()
    assert {f"field.{name}" for name in set(MAPPED_FIELDS) - {DROP}} <= known.keys()
    assert known["field.sender_name"] == "sender: name"
    assert {f"doubt.{flag.value}" for flag in Flag} <= known.keys()
    amounts = {"weight_unreadable", "value_not_in_euro", "hs_unreadable", "weight_unit_unknown"}
    for flag in amounts:
        assert words_of(flag).split(";")[0].split(" (")[0] in known[f"doubt.{flag}"]


def test_every_refusal_of_a_file_has_words() -> None:
    source = (MODULES / "sheet_errors.js").read_text("utf-8")
    codes = set(re.findall(r'^  "?([a-z-]+)"?: "', source, re.MULTILINE))
    assert codes == SHEET_ERRORS.keys()


def test_every_import_mapping_is_offered_and_none_claims_to_be_compatible() -> None:
    assert MAPPINGS.keys() == SHIPPED.keys()
    assert all("compatible with no system" in str(note) for _, note in MAPPINGS.values())
