"""The pages of shared patterns in a real browser: written, tried, decided on, subscribed to.

What they say is tested in tests/app/patterns, and test_every_page.py asks of each page whether
everybody can read it; here is only what needs a browser and does not stand on a page at first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.app.exchange import Exchange
from tests.app.patterns.shelf import Shelf, make_shelf
from tests.app.people import Person
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)


@pytest.fixture
def shelf(exchange: Exchange) -> Shelf:
    return make_shelf(exchange)


@contextmanager
def signed_in(browser: Browser, platform: Platform, person: Person, **look: Any) -> Iterator[Page]:
    """A page of a fresh profile at which the person is signed in."""
    context = browser.new_context(base_url=platform.address, locale="en-GB", **look)
    context.set_default_timeout(15_000)
    page = context.new_page()
    sign_in(page, person)
    yield page
    context.close()


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser complains of on any page of the profile."""
    heard: list[str] = []
    context.on("weberror", lambda error: heard.append(str(error.error)))
    context.on(
        "console", lambda message: heard.append(message.text) if message.type == "error" else None
    )
    yield heard
    assert heard == []


@on_one_database
@pytest.mark.usefixtures("complaints")
def test_a_pattern_is_written_tried_proposed_decided_on_and_subscribed_to(
    browser: Browser, platform: Platform, page: Page, shelf: Shelf
) -> None:
    sign_in(page, shelf.writer)
    page.goto("/patterns/new")
    page.get_by_text("Begin with a rule of the starter library").click()
    page.get_by_role("link", name="Documents fanned out from one posting area").click()
    correct_as_one_types(page)
    try_on_parcels(page)
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("status").first).to_have_text("Kept as a draft of your organisation.")
    page.get_by_role("button", name="Propose revision 1").click()
    expect(page.get_by_role("status").first).to_contain_text("Proposed.")
    expect(page.get_by_text("You had a part in it, so you cannot decide on it.")).to_be_visible()
    address = page.url
    with signed_in(browser, platform, shelf.decider) as second:
        second.goto(address)
        require_accessible(second)
        second.get_by_role("button", name="Publish version 1").click()
        expect(second.get_by_role("status").first).to_contain_text("Published.")
    page.goto(f"/patterns/{shelf.others}")
    page.get_by_role("button", name="End the subscription").click()
    expect(page.get_by_role("status").first).to_contain_text("The subscription has ended.")
    page.goto(f"/patterns/{shelf.others}")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("postern patterns fetch")).to_be_visible()
    for figure in page.locator("section > figure.chart").all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator("svg, canvas").first).to_be_visible()
    keep_picture(page, "pattern-figures")


_PATIENCE = 20_000  # milliseconds that an answer to what was typed may take on a busy machine


def correct_as_one_types(page: Page) -> None:
    """Make a fault, be led to it, and take it back: the page follows the text."""
    text = page.get_by_label("The text (YAML)")
    expect(page.locator("#faults-title")).to_have_text("No fault")
    whole = text.input_value()
    text.fill(whole.replace("net_weight_g|between", "net_weight|between"))
    expect(page.locator("#faults-title")).to_have_text("1 fault", timeout=_PATIENCE)
    expect(page.locator("#faults")).to_contain_text("There is no field 'net_weight'")
    expect(page.locator("#pattern-state")).to_contain_text("Not saved yet.")
    wrong = page.locator(".pattern-wrong")
    expect(wrong).to_have_count(1)
    page.locator("#faults").get_by_role("button").click()
    expect(text).to_be_focused()
    line = page.evaluate(
        "text.value.slice(0, document.getElementById('text').selectionStart).split('\\n').length"
    )
    expect(wrong).to_have_text(str(line))
    keep_picture(page, "pattern-editor-fault")
    text.fill(whole)
    expect(page.locator("#says")).to_contain_text("A parcel counts if", timeout=_PATIENCE)
    expect(page.locator("#tests li")).to_have_count(3)


def try_on_parcels(page: Page) -> None:
    """Parcels of a test of the rule hit, fewer do not, and a wrong one is marked."""
    page.get_by_role("button", name="must hit", exact=False).first.click()
    page.get_by_role("button", name="Try the rule on them").click()
    expect(page.locator("#try")).to_contain_text("1 of 1 parcel hits.")
    expect(page.locator("#try")).to_contain_text("in the 7 days to")
    page.locator("#parcel-0-times").fill("4")
    page.get_by_role("button", name="Try the rule on them").click()
    expect(page.locator("#try")).to_contain_text("0 of 1 parcel hits.")
    page.locator("#parcel-0-net_weight_g").fill("a lot")
    page.get_by_role("button", name="Try the rule on them").click()
    expect(page.locator("#parcel-0-net_weight_g")).to_have_attribute("aria-invalid", "true")
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "pattern-editor-tried")


@on_one_database
def test_the_editor_works_without_a_script(
    browser: Browser, platform: Platform, shelf: Shelf
) -> None:
    small = {"width": NARROW, "height": 720}
    with signed_in(
        browser, platform, shelf.writer, java_script_enabled=False, viewport=small
    ) as page:
        page.goto("/patterns/new?from=tablet-dies")
        text = page.get_by_label("The text (YAML)")
        whole = text.input_value()
        text.fill(whole.replace("level: high", "level: hihg"))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator("#faults")).to_contain_text("Did you mean high?")
        page.get_by_label("The text (YAML)").fill(whole)
        page.get_by_role("button", name="Put it in order").click()
        page.get_by_role("button", name="Add a parcel").click()
        page.locator("#parcel-0-contents").fill("Steel punch die set")
        page.get_by_label("Another field").select_option("value_eur")
        page.get_by_role("button", name="Show it").click()
        page.locator("#parcel-0-value_eur").fill("12.50")
        page.get_by_role("button", name="Add a parcel like the last").click()
        expect(page.locator("#parcel-1-value_eur")).to_have_value("12.50")
        page.get_by_role("button", name="Take it out Parcel 2").click()
        page.get_by_role("button", name="Try the rule on them").click()
        expect(page.locator("#try")).to_contain_text("0 of 1 parcel hits.")
        page.get_by_role("button", name="Keep as a draft").click()
        expect(page.get_by_role("status").first).to_have_text(
            "Kept as a draft of your organisation."
        )
