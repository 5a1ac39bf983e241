"""The pages on which shipments are reported: closed lists, defaults, nothing that could be sent."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.indicators.report_pages import USUAL, countries
from postern.vocabulary import Handling, Learned, Role, Sector, Substance, Tlp
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import make_person, sign_in

PAGES = ("/reports/new", "/reports/upload")


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def signed_in(exchange: Exchange, code: str, *roles: Role) -> FlaskClient:
    client = exchange.app.test_client()
    person = make_person(exchange.app, code, roles) if roles else exchange.people[code]
    sign_in(client, person)
    return client


@pytest.mark.parametrize("address", PAGES)
def test_nothing_that_is_typed_has_a_name_by_which_a_browser_could_send_it(
    exchange: Exchange, address: str
) -> None:
    page = signed_in(exchange, "post-be").get(address).get_data(as_text=True)
    main = page[page.index("<main") : page.index("</main")]
    assert main.count("data-field=") > 10
    assert not re.search(r"<(?:input|select|textarea|button)[^>]*\sname=", main)
    assert "postern submit" in main
    assert "<noscript>" in main


def test_the_form_offers_every_word_and_chooses_what_is_usual(exchange: Exchange) -> None:
    page = signed_in(exchange, "post-be").get("/reports/new").get_data(as_text=True)
    for word in (*Learned, *Tlp, *Substance):
        assert f'<option value="{word.value}"' in page
    for code in Handling:
        assert f'data-code="{code.value}"' in page
    assert '<option value="postal_law" selected>' in page
    assert '<option value="parcel_screening" selected>' in page
    assert '<option value="BE" selected>' in page  # of the induction point
    customs = signed_in(exchange, "customs-nl").get("/reports/new").get_data(as_text=True)
    assert '<option value="customs_law" selected>' in customs
    assert set(Sector) == USUAL.keys()


def test_countries_are_named_in_the_language_of_the_page(exchange: Exchange) -> None:
    with exchange.app.test_request_context(headers={"Accept-Language": "nl"}):
        found = {country.code: country.name for country in countries()}
    assert found["DE"] == "Duitsland"
    assert len(found) > 240


@pytest.mark.parametrize("address", PAGES)
def test_only_submitters_report_and_opening_the_page_is_logged(
    exchange: Exchange, address: str
) -> None:
    assert signed_in(exchange, "post-be", Role.ANALYST).get(address).status_code == 403
    assert signed_in(exchange, "post-be", Role.SUBMITTER).get(address).status_code == 200
    (entry,) = [each for each in exchange.entries("report.list") if "box" in each.details]
    assert entry.details["box"] == address.rpartition("/")[2]


def test_a_submitter_who_reads_no_policy_is_led_to_the_audience_instead(
    exchange: Exchange,
) -> None:
    page = signed_in(exchange, "post-be", Role.SUBMITTER).get("/reports/new").text
    assert 'href="/policy"' not in page[page.index("<main") :]
    assert 'href="/policy/audience"' in page


def test_the_upload_tells_what_is_left_of_each_quota(exchange: Exchange) -> None:
    page = signed_in(exchange, "post-be", Role.SUBMITTER).get("/reports/upload").text
    left = [int(each) for each in re.findall(r'data-left="(\d+)"', page)]
    assert len(left) == 7
    assert min(left) > 0
