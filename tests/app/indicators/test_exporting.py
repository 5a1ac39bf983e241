"""What others share as one file: whole, in parts that are logged, in every form."""

import csv
import io
import json
import tracemalloc
import zipfile
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.access import CONSOLE
from app.accounts import tokens
from app.errors import SignInNeededError
from app.indicators import exporting, shared
from app.indicators.export import COLUMNS
from app.indicators.models import Given, Indicator
from app.indicators.shared_schemas import Form
from app.indicators.workbook import Workbook
from app.organisations.models import Organisation
from postern.vocabulary import Scope, Way
from tests.app.bare import NOON
from tests.app.exchange import CLOSED, JAN, OPEN_TO_POLICE, SOPHIE, Exchange, place, report
from tests.app.people import bearer

EXPORT = "/api/v1/indicators/export"
GROUNDS = {
    "purpose": "criminal_investigation",
    "legal_basis": "criminal_procedure",
    "case": "PV-2024-17",
}
FORMS = [form.value for form in Form]


@pytest.fixture
def sent(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of seven indicators of two owners that the police may take away, the newest first.

    A part holds three of them.
    """
    monkeypatch.setattr(shared, "MOST_EXPORTED", 3)
    for code in ("post-be", "customs-nl"):
        exchange.publish(code, OPEN_TO_POLICE)
    made = []
    for owner, number in (("post-be", 5), ("customs-nl", 2)):
        for _ in range(number):
            made += submit(exchange, owner)
    return sorted(made, reverse=True)


@pytest.fixture
def headers(exchange: Exchange) -> dict[str, str]:
    return bearer(exchange.app, exchange.people["police-de"], [Scope.INDICATORS_READ])


def submit(exchange: Exchange, code: str, *given: Any, **fields: Any) -> list[str]:
    indicators = given or (exchange.indicator(SOPHIE, handling=["H0", "H2"]),)
    (result,) = exchange.submit(code, report(uuid4().hex, *indicators, **fields)).results
    assert result.status == "created", result.errors
    return [str(each) for each in result.indicators]


def taken(client: FlaskClient, headers: dict[str, str], **arguments: Any) -> TestResponse:
    return client.get(EXPORT, query_string=GROUNDS | arguments, headers=headers, buffered=False)


def rows_of(form: str, content: bytes) -> list[dict[str, Any]]:
    """The records of a file, by the columns; of NDJSON only their ids."""
    if form == "ndjson":
        return [{"id": json.loads(line)["indicator"]["id"]} for line in content.splitlines()]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    heading, *rows = sheet.to_python()
    return [dict(zip(map(str, heading), row, strict=True)) for row in rows]


def ids_of(form: str, content: bytes) -> list[str]:
    return [row["id"] for row in rows_of(form, content)]


@pytest.mark.parametrize("form", FORMS)
def test_the_file_holds_everything_in_the_order_of_the_list(
    exchange: Exchange, client: FlaskClient, sent: list[str], headers: dict[str, str], form: str
) -> None:
    answer = taken(client, headers, format=form)
    content = answer.get_data()
    assert answer.status_code == 200
    assert ids_of(form, content) == sent
    assert answer.headers["Content-Disposition"] == f'attachment; filename="indicators.{form}"'
    entries = exchange.entries("indicator.export")
    assert [entry.details["objects"] for entry in entries] == [sent[:3], sent[3:6], sent[6:]]
    assert [entry.details["part"] for entry in entries] == [1, 2, 3]
    assert len({entry.details["file"] for entry in entries}) == 1
    assert {entry.details["case"] for entry in entries} == {"PV-2024-17"}
    told = exchange.entries("indicator.shared")
    assert sorted(each for entry in told for each in entry.details["objects"]) == sorted(sent)
    given = exchange.rows(select(Given))
    assert {(str(row.indicator), row.way) for row in given} == {(one, Way.EXPORT) for one in sent}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_in_parts_is_the_file_in_one(
    client: FlaskClient,
    sent: list[str],
    headers: dict[str, str],
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "now", lambda: NOON)
    in_parts = taken(client, headers, format=form).get_data()
    monkeypatch.setattr(shared, "MOST_EXPORTED", 2000)
    whole = taken(client, headers, format=form)
    if form == "xlsx":  # what leaves at once may be packed otherwise
        assert _sheet(whole.get_data()) == _sheet(in_parts)
    else:
        assert whole.get_data() == in_parts
    assert whole.content_length == len(whole.get_data())


@pytest.mark.parametrize("form", FORMS)
def test_what_is_broken_off_is_logged_as_far_as_it_left(
    exchange: Exchange, client: FlaskClient, sent: list[str], headers: dict[str, str], form: str
) -> None:
    answer = taken(client, headers, format=form)
    leaving = answer.iter_encoded()
    next(leaving)
    answer.close()
    (entry,) = exchange.entries("indicator.export")
    assert entry.details["objects"] == sent[:3]
    assert {str(row.indicator) for row in exchange.rows(select(Given))} == set(sent[:3])


def test_what_is_closed_off_on_the_way_is_not_in_what_follows(
    exchange: Exchange, client: FlaskClient, sent: list[str], headers: dict[str, str]
) -> None:
    answer = taken(client, headers, format="ndjson")
    leaving = answer.iter_encoded()
    content = next(leaving)
    exchange.publish("post-be", CLOSED)
    content += b"".join(leaving)
    customs = select(Indicator).where(
        Indicator.organisation_id == exchange.organisation_id("customs-nl")
    )
    left = {str(row.public_id) for row in exchange.rows(customs)} | set(sent[:3])
    assert set(ids_of("ndjson", content)) == left


def test_a_token_that_is_revoked_on_the_way_gets_no_more(
    exchange: Exchange, client: FlaskClient, sent: list[str]
) -> None:
    person = exchange.people["police-de"]
    with exchange.app.app_context(), exchange.database.transaction() as session:
        made = tokens.create_token(
            session, CONSOLE, person.login, scopes=[Scope.INDICATORS_READ], days=1
        )
    leaving = taken(client, {"Authorization": f"Bearer {made.text}"}).iter_encoded()
    next(leaving)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        tokens.revoke_token(session, CONSOLE, made.token.id)
    with pytest.raises(SignInNeededError):
        next(leaving)
    assert [entry.details.get("refusal") for entry in exchange.entries("indicator.export")] == [
        None,
        "sign-in-needed",
    ]
    assert {str(row.indicator) for row in exchange.rows(select(Given))} == set(sent[:3])


def test_a_file_can_go_on_after_a_place(
    client: FlaskClient, sent: list[str], headers: dict[str, str]
) -> None:
    content = taken(client, headers, format="ndjson", cursor=sent[1]).get_data()
    assert ids_of("ndjson", content) == sent[2:]


def test_nothing_shared_is_a_file_with_its_heading(
    client: FlaskClient, exchange: Exchange, headers: dict[str, str]
) -> None:
    content = taken(client, headers, format="xlsx").get_data()
    assert rows_of("xlsx", content) == []
    heading = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert heading == [list(COLUMNS)]


def test_more_than_a_workbook_holds_is_refused_before_anything_leaves(
    exchange: Exchange,
    client: FlaskClient,
    sent: list[str],
    headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", len(sent) - 1)
    answer = taken(client, headers, format="xlsx")
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == "query.format"
    assert "choose csv" in error["reason"]
    assert taken(client, headers, format="csv").status_code == 200
    monkeypatch.setattr(exporting, "MOST_ROWS", len(sent))
    assert taken(client, headers, format="xlsx").status_code == 200


def test_the_cells_of_a_sheet_are_those_of_the_table(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    submit(
        exchange,
        "post-be",
        exchange.indicator(JAN),
        place(),
        barrier_step=4,
        shipment={"hs_chapter": "39", "origin_country": "BE"},
    )
    exchange.publish("post-be", OPEN_TO_POLICE)
    table, sheet = (
        rows_of(form, taken(client, headers, format=form).get_data()) for form in ("csv", "xlsx")
    )
    assert {row["barrier_step"] for row in sheet} == {4}
    assert {row["hs_chapter"] for row in sheet} == {"39"}
    told = [{name: _as_text(cell) for name, cell in row.items()} for row in sheet]
    assert told == table


TEXTS = [
    "=1+1",
    "<a> & \"b\" 'c'",
    " spaced ",
    "_x0041_",
    "line\nbreak\ttab\rreturn",
    "\x00\x1f\ufffe",
    "café 郵便",
    "]]>",
]


def test_every_text_comes_back_from_a_sheet_and_is_no_formula() -> None:
    book = Workbook("texts", ["text", "number"], NOON)
    content = book.rows([text, 1] for text in TEXTS) + book.end()
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    root = ET.fromstring(sheet)  # noqa: S314 - what this test has written itself
    names = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert root.findall(".//s:f", names) == []
    read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in read[1:]] == [1.0] * len(TEXTS)
    whole = [text for text in TEXTS if "\x00" not in text and "\r" not in text]
    assert [row[0] for row in read[1:] if row[0] in whole] == whole


def test_an_owner_s_name_that_looks_like_a_formula_is_a_text_in_every_form(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    submit(exchange, "post-be")
    exchange.publish("post-be", OPEN_TO_POLICE)
    with exchange.database.transaction() as session:
        session.execute(
            update(Organisation)
            .where(Organisation.code == "post-be")
            .values(name='=HYPERLINK("https://evil.example")')
        )
    for form in ("csv", "xlsx"):
        (row,) = rows_of(form, taken(client, headers, format=form).get_data())
        assert row["organisation_name"] == '\'=HYPERLINK("https://evil.example")'


def test_memory_does_not_grow_with_the_book() -> None:
    book = Workbook("long", COLUMNS, NOON)
    page = [["text"] * len(COLUMNS)] * 200
    book.rows(page)
    tracemalloc.start()
    try:
        for _ in range(20):
            book.rows(page)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**22  # of ten megabytes that were written


def _sheet(content: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")


def _as_text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) else str(cell)
