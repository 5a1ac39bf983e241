"""Searching in a real browser: from what is typed to who holds it, why, and what to do then.

What the pages of past searches say is tested in tests/app/lookups.
"""

import csv
import json
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import select

from app.lookups.models import Lookup, Watch
from postern import normalise
from tests.app.exchange import (
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    Exchange,
    place,
    report,
)
from tests.functional.conftest import Platform
from tests.functional.leaving import watched
from tests.functional.pictures import keep_picture
from tests.functional.test_modules import ask, on_one_database
from tests.functional.test_pages import (
    NARROW,
    complaints,
    require_accessible,
    require_fitting,
    sign_in,
)
from tests.functional.varied_values import varied
from tests.postern.recognised_cases import CASES, recognised

__all__ = ("complaints",)

CASE = "PV-2026-17"
SEEN = "Mme Sophie VANDAMME, R. de la Loi 16 bte 3, B-1040 Brussel"
LIST = """Sophie Van Damme, 16 rue de la Loi, 1040 Bruxelles
=not anything at all, is it
+32 475 12 34 56
CandyShop @ Dream
RB123456784GB"""
CANDY = normalise.Vendor("Dream", "CandyShop")


@pytest.fixture
def held(exchange: Exchange) -> Exchange:
    """Two organisations hold what is searched; one shows all of it, the other that it is there."""
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.publish("customs-nl", PRESENCE_TO_POLICE)
    shipment = {"origin_country": "NL", "destination_country": "US", "substance": "mdma"}
    seen = {"observed_from": "2024-02-01", "observed_to": "2024-02-03"}
    exchange.submit(
        "post-be",
        report(
            "1",
            exchange.indicator(SOPHIE, **seen),
            exchange.indicator(CANDY, role="vendor"),
            place(),
            barrier_step=4,
            shipment=shipment,
        ),
        report("2", exchange.indicator(SOPHIE, role="addressee", observed_from="2024-01-12")),
        report("3", exchange.indicator(JAN)),
    )
    exchange.submit("customs-nl", report("1", exchange.indicator(SOPHIE)))
    return exchange


def open_search(page: Page, exchange: Exchange) -> None:
    """Sign in as police and say why."""
    sign_in(page, exchange.people["police-de"])
    page.goto("/search")
    page.locator("#search-grounds").select_option("criminal_investigation criminal_procedure")
    page.locator("#search-case").fill(CASE)
    page.locator("#search-why-form button").click()
    expect(page.locator("#search-why-words")).to_contain_text(CASE)


@pytest.mark.usefixtures("complaints")
def test_an_analyst_finds_who_holds_it_sees_why_and_goes_on_from_there(
    page: Page, context: BrowserContext, held: Exchange
) -> None:
    open_search(page, held)
    leaving = watched(context)
    page.locator("#search-text").fill(SEEN)
    expect(page.locator("#search-kind")).to_have_value("party")
    expect(page.locator("#search-field-city")).to_have_value("Brussel")
    expect(page.locator("#search-understood")).to_contain_text("damme sophie · loi · 16 · 1040")
    page.locator("#search-text").press("Enter")
    expect(page.locator("#search-result-title")).to_have_text(
        "2 organisations hold something of it"
    )
    expect(page.locator("#search-result-title")).to_be_focused()
    first = page.locator(".search-hit").first
    expect(first).to_contain_text("Step 4 of 7")
    expect(first).to_contain_text("Netherlands to United States")
    expect(first.locator(".agreement").nth(1)).to_have_text("Street: agrees")
    expect(page.locator(".search-owner").last).to_contain_text("tells you no more")
    first.get_by_role("button", name="What else its report names").click()
    expect(first.locator("[data-beside]")).to_contain_text("names 2 others")
    expect(page.locator("#search-graph tbody tr")).to_have_count(6)
    expect(page.locator("#search-timeline tbody tr")).to_have_count(2)
    link = first.get_by_role("link", name="Ask Organisation post-be for it")
    assert "lookup=" in (link.get_attribute("href") or "")
    page.get_by_role("button", name="Watch for it").click()
    page.get_by_role("button", name="Set the watch").click()
    expect(page.locator("#search-watch-form")).to_contain_text("The watch is set")
    first.get_by_role("button", name="Tell an outcome").click()
    first.get_by_role("button", name="Tell the owner").click()
    expect(first.get_by_role("alert")).to_contain_text("Say what came of it")
    first.get_by_label("What came of it?").select_option("not_found")
    for step in ("Was anybody asked", "Was an item located", "Was it held", "Was it examined"):
        first.get_by_label(step).select_option("no")
    first.get_by_role("button", name="Tell the owner").click()
    expect(first.locator("[data-form]")).to_contain_text("The owner is told.")
    require_accessible(page)
    keep_picture(page, "search-answer")
    leaving.require_nothing_of(SEEN, "VANDAMME", "de la Loi", "damme", "Brussel")
    assert [each.hits for each in held.rows(select(Lookup))] == [3]
    assert [each.kind for each in held.rows(select(Watch))] == ["party"]
    assert len(held.entries("outcome.tell")) == 1


@on_one_database
@pytest.mark.usefixtures("complaints")
def test_a_pasted_list_is_searched_line_by_line_in_french_in_the_dark_and_when_narrow(
    browser: Browser, platform: Platform, held: Exchange
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="fr-BE",
        color_scheme="dark",
        reduced_motion="reduce",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    sign_in_french(page, held)
    require_accessible(page)
    page.locator("#search-text").fill(LIST)
    page.locator("#search-form .btn-primary").click()
    expect(page.locator("#search-grounds")).to_be_focused()
    leaving = watched(context)
    page.locator("#search-grounds").select_option("criminal_investigation criminal_procedure")
    page.locator("#search-case").fill(CASE)
    page.locator("#search-why-form button").click()
    rows = page.locator("#search-answers tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator("#search-list .search-wrong")).to_have_count(1)
    expect(rows.nth(2)).to_contain_text("vendeur")
    page.locator("[data-sort=hits]").click()
    expect(rows.first).to_contain_text("Sophie Van Damme")
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "search-list-fr-dark-narrow")
    with page.expect_download() as saved:
        page.locator("#search-rejected").click()
    raw = saved.value.path().read_text("utf-8-sig")
    (wrong,) = list(csv.reader(raw.splitlines()))[1:]
    assert wrong[:2] == ["2", "'=not anything at all, is it"]
    rows.first.get_by_role("button").click()
    expect(page.locator(".search-hit")).to_have_count(3)
    require_accessible(page)
    require_fitting(page)
    leaving.require_nothing_of("Sophie Van Damme", "de la Loi", "CandyShop", "475 12 34 56")
    page.goto("/search/history")
    expect(page.locator(".events")).to_contain_text(CASE)
    require_accessible(page)
    require_fitting(page)
    context.close()


def sign_in_french(page: Page, exchange: Exchange) -> None:
    person = exchange.people["police-de"]
    page.goto("/sign-in")
    page.locator("[name=login]").fill(person.login)
    page.locator("[name=password]").fill(person.password)
    page.locator("main form button").click()
    page.wait_for_url("**/")
    page.goto("/search")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#search-text")).to_be_visible()


@on_one_database
def test_of_a_long_list_the_wrong_lines_stand_first_and_the_rest_comes_when_asked_for(
    page: Page, held: Exchange
) -> None:
    open_search(page, held)
    lines = [f"+32 475 12 {number:04}" for number in range(249)]
    page.locator("#search-text").fill("\n".join([*lines, "???"]))
    rows, more = page.locator("#search-list tbody tr"), page.locator("#search-list [data-all]")
    expect(rows).to_have_count(200)
    expect(rows.first).to_contain_text("???")
    more.click()
    expect(rows).to_have_count(250)
    expect(more).to_be_hidden()
    expect(page.locator("#search-list .search-rows")).to_be_focused()


@on_one_database
def test_what_is_refused_is_told_and_nothing_that_was_typed_is_lost(
    page: Page, context: BrowserContext, held: Exchange
) -> None:
    open_search(page, held)
    text, told = page.locator("#search-text"), page.locator("#search-form [data-refused]")
    text.press("Enter")
    expect(told).to_contain_text("Nothing was typed.")
    text.fill("Sophie Van Damme, Bruxelles")
    text.press("Enter")
    expect(told).to_contain_text("It holds too little to be compared")
    text.fill("CandyShop @ Dream")
    page.route("**/api/v1/evaluate", refused_for_quota)
    text.press("Enter")
    expect(told).to_contain_text("The quota is spent")
    expect(told).to_contain_text("It begins again at")
    expect(told).to_be_focused()
    page.unroute("**/api/v1/evaluate")
    page.route("**/api/v1/lookups", lambda route: route.abort())
    text.press("Enter")
    expect(told).to_contain_text("The platform did not answer.")
    expect(text).to_have_value("CandyShop @ Dream")
    require_accessible(page)
    page.unroute("**/api/v1/lookups")
    context.clear_cookies()
    text.press("Enter")
    expect(told).to_contain_text("You are not signed in any more.")
    sign_in(context.new_page(), held.people["police-de"])
    text.press("Enter")
    expect(page.locator("#search-result-title")).to_have_text(
        "1 organisation holds something of it"
    )
    page.evaluate(
        """() => {
            const kept = JSON.parse(localStorage.getItem("postern.keys"));
            localStorage.setItem("postern.keys", JSON.stringify({ ...kept, fingerprint: "other" }));
        }"""
    )
    page.reload()
    expect(page.locator("#search-begin [data-refused]")).to_contain_text("Type nothing here.")
    expect(text).to_be_hidden()


def refused_for_quota(route: Route) -> None:
    problem = {
        "type": "/errors/quota-spent",
        "title": "The quota is spent",
        "code": "quota-spent",
        "status": 429,
        "resets_at": "2024-03-01T13:00:00+00:00",
    }
    route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(problem))


@on_one_database
def test_the_page_recognises_texts_as_python_does(page: Page) -> None:
    page.goto("/sign-in")
    frozen = json.loads(CASES.read_text("utf-8"))
    cases: list[tuple[str, str, Any]] = [
        (case["text"], case["country"], case["found"]) for case in frozen["recognised"]
    ]
    for _, value, _ in varied(7, 400):
        parts = [
            part
            for each in value.values()
            for part in (each if isinstance(each, list) else [each])
            if part
        ]
        text = ", ".join(parts).encode("utf-8", "replace").decode()
        cases.append((text, "BE", recognised(text, "BE")))
    for country in ("", "BE", "DE", "NL"):
        few = [case for case in cases if case[1] == country]
        found = ask(page, "recognise", texts=[text for text, _, _ in few], country=country)
        for (text, _, expected), answer in zip(few, found, strict=True):
            assert answer == expected, text
    for case in frozen["as"]:
        named = {name: case[name] for name in ("kind", "text", "country")}
        assert ask(page, "readAs", **named) == case["value"], case
