"""The pages of watches in a real browser, with and without script.

What the pages say is tested in tests/app/lookups; here is only what needs a browser.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.lookups import watch_ending
from app.organisations import contacts
from app.organisations.contacts import Contact
from tests.app.exchange import JAN, OPEN_TO_POLICE, PRESENCE_TO_POLICE, SOPHIE, Exchange
from tests.app.lookups.test_deconfliction import presence_to
from tests.app.lookups.watching import submit, watch, work
from tests.functional.conftest import Platform
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

DESK = Contact(
    "Duty desk of the unit for parcels and letters",
    "desk-of-the-unit-for-parcels@customs.example",
    "+31 20 000 00 00",
    "day and night",
)


@pytest.fixture
def addresses(exchange: Exchange) -> list[str]:
    """Every page of watches, with matches of both levels, an ended one, and another's desk."""
    return lay_out(exchange)


def lay_out(exchange: Exchange) -> list[str]:
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    exchange.publish("police-de", presence_to("customs"))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        contacts.change(session, exchange.caller("customs-nl"), DESK)
    found = watch(exchange, "police-de", SOPHIE, deconflicts=True)
    ended = watch(exchange, "police-de", SOPHIE)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        watch_ending.stop(session, exchange.caller("police-de"), ended.id)
    waiting = watch(exchange, "police-de", JAN)
    watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    for code in ("post-be", "customs-nl"):
        submit(exchange, code, "k1", exchange.indicator(SOPHIE, handling=["H2"]), barrier_step=4)
    work(exchange)
    one = [f"/watches/{each.id}" for each in (found, waiting, ended)]
    return ["/", "/watches", "/watches?state=ended", *one, "/notifications"]


@on_one_database
def test_every_page_of_watches_is_accessible_and_fits_when_narrow_and_dark(
    browser: Browser, platform: Platform, exchange: Exchange, addresses: list[str]
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        reduced_motion="reduce",
        color_scheme="dark",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    sign_in(page, exchange.people["police-de"])
    for address in addresses:
        page.goto(address)
        require_accessible(page)
        require_fitting(page)
    context.close()


@on_one_database
def test_empty_pages_are_accessible(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["police-de"])
    for address in ("/watches", "/watches?state=ended"):
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@pytest.fixture
def without_script(browser: Browser, platform: Platform) -> Iterator[Page]:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    yield context.new_page()
    context.close()


@on_one_database
def test_a_watch_is_opened_and_stopped_without_script(
    without_script: Page, exchange: Exchange
) -> None:
    page = without_script
    watch(exchange, "police-de", JAN)
    sign_in(page, exchange.people["police-de"])
    page.goto("/watches")
    page.get_by_role("link", name="party").click()
    expect(page.get_by_text("Nothing that you may see")).to_be_visible()
    page.get_by_role("button", name="Stop this watch").click()
    expect(page.get_by_role("status")).to_contain_text("Stopped.")
    expect(page.get_by_text("Your organisation watches for nothing")).to_be_visible()
