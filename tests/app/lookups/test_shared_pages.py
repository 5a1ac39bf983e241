"""The page of what others share: counted for a purpose, and taken away without a script."""

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.indicators import exporting, shared
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, Exchange, make_exchange, place, report
from tests.app.people import sign_in

WHY = {"grounds": "criminal_investigation criminal_procedure", "case": "PV-2026-9"}


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    made = make_exchange(app)
    made.publish("post-be", OPEN_TO_POLICE)
    for number in range(3):
        made.submit("post-be", report(f"key-{number}", made.indicator(SOPHIE), place()))
    return made


def send(
    exchange: Exchange, client: FlaskClient, path: str, code: str = "police-de", **fields: str
) -> TestResponse:
    headers = sign_in(client, exchange.people[code])
    return client.post(path, data=WHY | fields, headers=headers, buffered=False)


def test_what_is_shared_is_counted_and_the_choice_stays(
    exchange: Exchange, client: FlaskClient
) -> None:
    sign_in(client, exchange.people["police-de"])
    assert "Why, and what of it" in client.get("/shared").text
    page = send(exchange, client, "/shared", kind="party").text
    assert "3 records are shared with you" in page
    assert 'value="PV-2026-9"' in page
    assert '<option value="party" selected>' in page
    (entry,) = exchange.entries("indicator.count")
    assert (entry.details["case"], entry.details["filters"]) == ("PV-2026-9", {"kind": "party"})
    other = send(exchange, client, "/shared", "customs-nl").text
    assert "Nothing that others share" in other


def test_a_file_leaves_in_parts_from_the_page_too(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MOST_EXPORTED", 2)
    answer = send(exchange, client, "/shared/file", format="csv", owner="post-be")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="indicators.csv"'
    assert len(rows) == 6
    entries = exchange.entries("indicator.export")
    assert [len(entry.details["objects"]) for entry in entries] == [2, 2, 2]
    assert {entry.details["means"] for entry in entries} == {"session"}


def test_what_is_wrong_is_marked_and_nothing_leaves(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field, wrong, words in (
        ("grounds", "", "Choose a purpose with its legal basis."),
        ("grounds", "curiosity police_law", "Choose a purpose with its legal basis."),
        ("case", " ", "Write the reference of the case file"),
        ("owner", "post-xx", "Choose from what the form offers."),
        ("kind", "pattern", "Choose from what the form offers."),
        ("barrier_step", "8", "Choose from what the form offers."),
        ("seen_since", "yesterday", "Write a day"),
    ):
        for path in ("/shared", "/shared/file"):
            answer = send(exchange, client, path, **{"format": "csv", field: wrong})
            assert (answer.status_code, words in answer.text) == (422, True), (path, field)
    answer = send(exchange, client, "/shared/file", format="pdf")
    assert answer.status_code == 422
    monkeypatch.setattr(exporting, "MOST_ROWS", 5)
    answer = send(exchange, client, "/shared/file", format="xlsx")
    assert "There is more than a workbook holds" in answer.text
    logged = exchange.entries("indicator.export") + exchange.entries("indicator.count")
    assert {entry.details.get("refusal") for entry in logged} == {"invalid-request"}
    assert exchange.entries("indicator.shared") == []
