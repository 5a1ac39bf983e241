"""Taking the board away: the figures of the board, logged, and the same file for the same board."""

import hashlib
from datetime import timedelta
from random import Random

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.barriers import closing
from app.barriers.methods.disclosure_control import closed_week, first_day
from app.barriers.methods.noise import KEY_BITS
from app.barriers.model_upkeep import load_shipped
from app.clock import now
from postern.vocabulary import Role, Scope, Sector
from tests.app.barriers.stored_reports import Made, plain, store
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import bearer, make_organisation, make_person, sign_in

FEED = '@id("open/all") @label("Everybody counts") permit (principal, action, resource);'
BOARD = "/barriers/board"
API = "/api/v1/barriers/board/briefing"
RISK = {"purpose": "risk_analysis", "legal_basis": "police_law"}
TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
BEGINS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF-"}
OWN, OTHERS = 17, 44


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    """Own reports of police-de and those of two others, at one step, in the last four weeks."""
    made = make_exchange(app)
    for code, country in (("courier-nl", "NL"), ("courier-lu", "LU")):
        make_organisation(made.database, code, Sector.COURIER, country)
        made.people[code] = make_person(app, code, Role)
        made.publish(code, FEED)
    reports = [*_many("police-de", OWN), *_many("courier-nl", OTHERS // 2)]
    reports += _many("courier-lu", OTHERS // 2)
    owners = {
        code: (person.caller.member[0], person.person_id) for code, person in made.people.items()
    }
    with app.app_context(), made.database.transaction() as session:
        load_shipped(session)
        store(session, reports, now(), owners)
        closing.close(session, now())
    return made


def _many(owner: str, count: int) -> list[Made]:
    drawn = Random(owner)  # noqa: S311 - made-up reports
    last = first_day((closing.last_period(closed_week(now().date())) + 1) * 4) - timedelta(days=1)
    age = (now().date() - last).days
    return [plain(owner, age, key=drawn.getrandbits(KEY_BITS)) for _ in range(count)]


@pytest.fixture
def police(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    sign_in(client, exchange.people["police-de"])
    return client


def _ask(client: FlaskClient, form: str, language: str = "en", query: str = "") -> TestResponse:
    answer = client.get(f"{BOARD}.{form}{query}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer


def _text(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    found = []
    for page in document:
        text = page.get_textpage()
        found.append(text.get_text_range())
        text.close()
        page.close()
    document.close()
    return " ".join(" ".join(found).split())


def test_each_file_is_of_its_kind_named_by_the_day_and_logged_with_its_digest(
    police: FlaskClient, exchange: Exchange
) -> None:
    as_of = first_day(closed_week(now().date()) + 1)
    for form in ("svg", "png", "pdf"):
        answer = _ask(police, form)
        assert answer.get_data().startswith(BEGINS[form])
        assert answer.mimetype == TYPES[form]
        named = f'attachment; filename="board-police-de-{as_of.isoformat()}.{form}"'
        assert answer.headers["Content-Disposition"] == named
        assert answer.headers["Cache-Control"] == "no-store"
        taken = exchange.entries("barrier.export")[-1]
        assert taken.details["sha256"] == hashlib.sha256(answer.get_data()).hexdigest()
        assert taken.details["format"] == form
        assert taken.audience == ["police-de"]
        assert RISK["purpose"] in taken.record
    assert len(exchange.entries("barrier.board")) == len(exchange.entries("barrier.export")) == 3


def test_the_briefing_says_what_the_board_says(police: FlaskClient, exchange: Exchange) -> None:
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.BARRIERS_READ])
    board = exchange.app.test_client().get(
        "/api/v1/barriers/board", headers=headers, query_string=RISK
    )
    (step,) = (each for each in board.get_json()["counts"] if each["table"] == "step")
    others = step["others"][-1]
    content = _ask(police, "pdf").get_data()
    text = _text(content)
    assert f"3. Pack and conceal {OWN} {OWN} {others} {others}" in text
    assert f"4 weeks: own {OWN}, others {others}" in text
    assert "risk analysis" in text
    assert str(exchange.people["police-de"].caller.person) not in text
    assert content == _ask(police, "pdf").get_data()
    french = _ask(police, "pdf", "fr").get_data()
    assert "déduit de sources publiques, pas la liste officielle" in _text(french)
    assert b"/Lang (fr)" in french


def test_own_figures_need_no_purpose_and_tell_nothing_of_others(police: FlaskClient) -> None:
    text = _text(_ask(police, "pdf", query="?for=own").get_data())
    assert f"3. Pack and conceal {OWN} {OWN} not told not told" in text
    assert "one's own figures, without a purpose" in text


def test_an_operator_gets_no_file_for_another_purpose(
    exchange: Exchange, client: FlaskClient
) -> None:
    sign_in(client, exchange.people["courier-nl"])
    answer = client.get(f"{BOARD}.pdf?for=parcel_screening.postal_law")
    assert answer.status_code == 409
    assert b"%PDF" not in answer.get_data()


def test_programs_get_the_same_file_if_they_have_the_scope(
    police: FlaskClient, exchange: Exchange
) -> None:
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.BARRIERS_READ])
    program = exchange.app.test_client()
    for form, language in (("pdf", "fr"), ("svg", "en")):
        query = {**RISK, "language": language, "format": form}
        answer = program.get(API, headers=headers, query_string=query)
        assert answer.status_code == 200
        assert answer.get_data() == _ask(police, form, language).get_data()
    before = len(exchange.entries("barrier.board"))
    others = bearer(exchange.app, exchange.people["police-de"], [Scope.BARRIERS_WRITE])
    assert program.get(API, headers=others, query_string=RISK).status_code == 403
    assert len(exchange.entries("barrier.board")) == before
