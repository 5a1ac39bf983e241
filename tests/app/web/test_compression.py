"""Files and pages are compressed, but no page that could hold what somebody else chose."""

import gzip
import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.app.people import cross_site_headers

STATIC = Path(__file__).parents[3] / "app" / "web" / "static"
SHEET = "/static/css/postern.css"
GZIP = {"Accept-Encoding": "gzip, br"}


def test_a_browser_that_takes_gzip_gets_the_same_file_smaller(client: FlaskClient) -> None:
    answer = client.get(SHEET, headers=GZIP, buffered=True)
    written = (STATIC / "css" / "postern.css").read_bytes()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == written
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(written) / 3
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_the_file_as_it_is(client: FlaskClient, accepted: str) -> None:
    answer = client.get(SHEET, headers={"Accept-Encoding": accepted}, buffered=True)
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (STATIC / "css" / "postern.css").read_bytes()
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_what_a_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get(SHEET, headers=GZIP, buffered=True)
    again = client.get(
        SHEET, headers={**GZIP, "If-None-Match": first.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


def test_a_file_that_changed_is_compressed_anew(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    app.static_folder = str(tmp_path)
    file = tmp_path / "a.css"
    for second, letter in ((1, b"a"), (2, b"b")):
        file.write_bytes(letter * 20_000 + os.urandom(2000).hex().encode())
        os.utime(file, (second, second))
        answer = client.get("/static/a.css", headers=GZIP, buffered=True)
        assert gzip.decompress(answer.data) == file.read_bytes()


def test_what_is_small_or_compressed_already_stays_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/static/img/gate.svg", headers=GZIP, buffered=True)
    assert "Content-Encoding" not in answer.headers


def test_a_file_outside_of_the_folder_is_not_there(client: FlaskClient) -> None:
    for address in ("/static/nothing.css", "/static/../languages.py", "/static/%2e%2e/start.py"):
        assert client.get(address, headers=GZIP, buffered=True).status_code == 404


def test_a_page_that_was_asked_without_a_query_is_compressed(client: FlaskClient) -> None:
    answer = client.get("/sign-in", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"csrf_token" in gzip.decompress(answer.data)
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_no_page_that_could_repeat_what_somebody_chose_is_compressed(client: FlaskClient) -> None:
    html = {**GZIP, "Accept": "text/html"}
    form = {"login": "chosen", "password": "x"}
    for answer in (
        client.get("/sign-in?next=/chosen", headers=html),
        client.get("/chosen", headers=html),
        client.post("/sign-in", data=form, headers={**html, **cross_site_headers(client)}),
    ):
        assert "chosen" in answer.get_data(as_text=True)
        assert "Content-Encoding" not in answer.headers


def test_the_description_of_the_interface_is_compressed(client: FlaskClient) -> None:
    answer = client.get("/api/openapi.json", headers=GZIP, buffered=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == client.get("/api/openapi.json").data
