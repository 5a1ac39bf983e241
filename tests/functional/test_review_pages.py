"""The pages of reviews and signals in a real browser, with and without script.

What the pages say is tested in tests/app/compliance; here is only what needs a browser.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from app.compliance import reviews, rounds
from app.compliance.models import Verdict
from app.compliance.reviews import Kinds
from tests.app.compliance.office import DECEMBER, NOVEMBER, Office, make_office, standing_clock
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import sign_in as sign_in_by_form
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

LONG = "Lookups of the unit for parcels and letters, whether each case is in the register " * 2


@dataclass
class Desk:
    """What lies on the desk of an officer: a round to judge, a closed one, and two signals."""

    office: Office
    round: str
    closed: str
    review: str
    signals: list[str]

    def addresses(self) -> Iterator[str]:
        """Every page of reviews and signals, as an officer sees it."""
        yield "/"
        yield "/reviews"
        yield self.review
        yield self.round
        yield self.closed
        yield "/signals"
        yield "/signals?closed=1"
        yield "/signals?mine=1"
        yield from self.signals


@pytest.fixture
def desk(platform: Platform) -> Iterator[Desk]:
    with standing_clock(NOVEMBER) as clock:
        yield lay_out(make_office(make_exchange(platform.app), clock))


def lay_out(office: Office) -> Desk:
    """Everything, on the first of December; the officers' sessions begin then."""
    kinds = Kinds(act="lookup.ask")
    for title, sample in ((LONG[:160], 4), ("Closed", 1)):
        office.do(reviews.order, office.officer, title=title, kinds=kinds, sample=sample)
    office.ask(5)
    office.ask(1, office.second)
    office.clock.at = DECEMBER
    client = office.exchange.app.test_client()
    for person in (office.analyst, office.second):
        sign_in_by_form(client, person)
        for _ in range(6):
            assert client.get("/policy/stop").status_code == 403
    office.sequence()
    assert office.draw() == 2
    assert office.look() == 2
    listed = office.do(reviews.list_reviews, office.officer)
    by_sample = {review.sample: review for review in listed}
    closed, waiting = by_sample[1].rounds[0], by_sample[4].rounds[0]
    with office.transaction() as session:
        rounds.judge(
            session,
            office.officer.caller,
            closed.id,
            place=1,
            verdict=Verdict.MISTAKE,
            note="The case was written wrongly.\nThe unit corrected it.",
        )
    raised = office.exchange.entries("signal.raise")
    return Desk(
        office,
        round=f"/reviews/rounds/{waiting.id}",
        closed=f"/reviews/rounds/{closed.id}",
        review=f"/reviews/{by_sample[4].id}",
        signals=[f"/signals/{entry.details['objects'][0]}" for entry in raised],
    )


@on_one_database
def test_everything_unfolded_is_accessible_in_the_dark_on_a_narrow_screen(
    browser: Browser, platform: Platform, desk: Desk
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        color_scheme="dark",
        reduced_motion="reduce",  # a button that fades in has no contrast yet
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    sign_in(page, desk.office.officer)
    for address in desk.addresses():
        page.goto(address)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        require_accessible(page)
        require_fitting(page)
    context.close()


@on_one_database
def test_an_empty_desk_is_accessible(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["post-be"])
    for address in ("/reviews", "/signals", "/signals?closed=1"):
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@on_one_database
@pytest.mark.parametrize("language", ["de"])
def test_the_longer_words_of_a_language_fit_on_these_pages(
    browser: Browser, platform: Platform, desk: Desk, language: str
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", viewport={"width": NARROW, "height": 720}
    )
    page = context.new_page()
    sign_in(page, desk.office.officer)
    page.locator(f"button[lang={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    for address in desk.addresses():
        page.goto(address)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        require_fitting(page)
    context.close()


@on_one_database
def test_a_round_is_judged_without_any_script(
    browser: Browser, platform: Platform, desk: Desk
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, desk.office.officer)
    page.goto("/reviews")
    page.get_by_role("link", name=LONG[:40]).first.click()
    for number in range(4):
        sheet = page.locator(".sheets > li").nth(number)
        sheet.get_by_label("in order").check()
        sheet.get_by_role("button", name="Record").click()
        expect(page.get_by_role("status")).to_contain_text("Recorded.")
    expect(page.get_by_role("status")).to_contain_text("the round is closed")
    context.close()


@on_one_database
def test_a_signal_is_closed_with_the_keyboard_alone(page: Page, desk: Desk) -> None:
    sign_in(page, desk.office.officer)
    page.goto("/signals")
    page.get_by_role("link", name="Many refusals").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/signals/*")
    page.get_by_role("radio", name="in order").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("The role was given the same day.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Closed.")
    expect(page.get_by_text("The role was given the same day.")).to_be_visible()
    require_accessible(page)


@on_one_database
def test_an_officer_takes_a_signal_and_hands_it_over(page: Page, desk: Desk) -> None:
    sign_in(page, desk.office.officer)
    page.goto("/signals")
    page.get_by_role("link", name="Many refusals").first.click()
    page.get_by_role("button", name="I look into it").click()
    expect(page.get_by_role("status")).to_contain_text("Given to")
    require_accessible(page)
    keep_picture(page, "signal")
    page.goto("/signals")
    expect(page.get_by_role("link", name="Mine to close (1)")).to_be_visible()
    keep_picture(page, "signals")
    page.get_by_role("link", name="Mine to close (1)").click()
    page.get_by_role("link", name="Many refusals").click()
    page.get_by_label("Officer").select_option("")
    page.get_by_role("button", name="Hand it over").click()
    expect(page.get_by_role("status")).to_contain_text("any officer may take it")


@on_one_database
def test_a_round_prints_without_its_forms(page: Page, desk: Desk) -> None:
    sign_in(page, desk.office.officer)
    page.goto(desk.round)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Record").first).to_be_hidden()
    expect(page.locator(".sheets > li").first).to_be_visible()
