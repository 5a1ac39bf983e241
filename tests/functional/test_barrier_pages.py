"""Models, registered barriers and tags in a real browser, by two people, by keyboard, scriptless.

What the pages say is tested in tests/app/barriers, and test_every_page.py asks of each whether
everybody can read it; here is only what needs a browser. The model is the one that is shipped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.barriers import model_upkeep, modelling
from tests.app.barriers.ground import own_text, submitted, upkeep
from tests.app.barriers.pages import HOME, Hall, make_hall
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
def hall(platform: Platform) -> Hall:
    return make_hall(platform.app)


@contextmanager
def signed_in(browser: Browser, platform: Platform, person: Person, **look: Any) -> Iterator[Page]:
    """A page of a fresh profile at which the person is signed in; no error is left unheard."""
    context = browser.new_context(base_url=platform.address, locale="en-GB", **look)
    context.set_default_timeout(15_000)
    page = context.new_page()
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    sign_in(page, person)
    yield page
    context.close()
    assert heard == []


def said(page: Page) -> Any:
    """What the page tells of what was done."""
    return expect(page.get_by_role("status").first)


@on_one_database
def test_a_model_is_proposed_compared_put_in_force_and_registered_by_two_people(
    browser: Browser, platform: Platform, hall: Hall
) -> None:
    with (
        signed_in(browser, platform, hall.analyst) as page,
        signed_in(browser, platform, hall.decider) as second,
    ):
        page.goto("/barriers/models/new")
        text = page.get_by_label("The text (YAML)")
        text.fill(own_text().replace("cost: low", "cost: cheap"))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("line 42, column 15")
        require_accessible(page)
        text.fill(own_text())
        page.get_by_role("button", name="Propose it").click()
        said(page).to_contain_text("Proposed.")
        expect(page.get_by_text("You proposed it, so you cannot decide on it.")).to_be_visible()
        address = page.url.partition("?")[0]
        second.goto(address)
        second.get_by_role("button", name="Put version 1 in force").click()
        said(second).to_contain_text("In force.")
        second.get_by_role("button", name="Use this model from now on").click()
        said(second).to_contain_text("Chosen.")

        later = own_text(2).replace("cost: low", "cost: high").encode()
        page.goto(address)
        page.get_by_role("link", name="Propose the next version").click()
        page.get_by_label("Or a file").set_input_files(
            {"name": "model.yml", "mimeType": "application/yaml", "buffer": later}
        )
        page.get_by_role("button", name="Propose it").click()
        second.goto(address)
        expect(second.locator(".model-differences")).to_contain_text("low → high")
        require_accessible(second)
        keep_picture(second, "barrier-model-proposal")

        page.get_by_role("link", name="Register it: De winkel vraagt waarom.").click()
        expect(page.get_by_label("Which barrier of the model")).to_have_value("ask-why")
        page.get_by_label("On which kind of law it rests").select_option("public_task")
        page.get_by_label("Code of the induction point").fill("BRU-1")
        page.get_by_role("button", name="Register it").click()
        code = page.get_by_label("Operator of an induction point")
        expect(page.get_by_text("Give operator and code, or neither.")).to_be_visible()
        require_accessible(page)
        code.fill("Post of Example")
        page.get_by_label("Country", exact=True).select_option("BE")
        page.get_by_role("button", name="Register it").click()
        said(page).to_contain_text("Registered.")
        page.get_by_role("button", name="It still holds: renew it").click()
        said(page).to_contain_text("Renewed.")
        page.get_by_role("button", name="It holds no longer: end it").click()
        said(page).to_contain_text("Ended.")


@on_one_database
def test_reports_are_tagged_one_after_the_other_by_keyboard_alone(
    browser: Browser, platform: Platform, hall: Hall
) -> None:
    upkeep(hall.exchange, model_upkeep.load_shipped)
    upkeep(hall.exchange, lambda session: _use_the_shipped_one(session, hall))
    for number in range(3):
        submitted(hall.exchange, HOME, f"k{number}", origin_country="NL", concealment="toy")
    with signed_in(browser, platform, hall.analyst) as page:
        page.goto("/barriers/tagging")
        expect(page.get_by_text("3 reports wait")).to_be_visible()
        expect(page.get_by_text("Keys: a digit chooses the step")).to_be_visible()
        suggested = page.locator("input[data-suggested]")
        expect(suggested.first).not_to_be_checked()
        page.keyboard.press("3")
        expect(page.locator("#step-3")).to_be_checked()
        expect(page.locator("#step-3")).to_be_focused()
        page.keyboard.press("x")
        expect(suggested.first).to_be_checked()
        require_accessible(page)
        page.keyboard.press("Enter")
        said(page).to_contain_text("Tagged.")
        expect(page.get_by_text("2 reports wait")).to_be_visible()
        page.keyboard.press("j")
        page.wait_for_url("**/barriers/tagging?before=*")
        page.keyboard.press("0")
        page.keyboard.press("Enter")
        expect(page.get_by_text("You have seen all that wait")).to_be_visible()
        page.get_by_role("link", name="Begin with the newest again").click()
        expect(page.get_by_text("1 report waits")).to_be_visible()
        keep_picture(page, "barrier-tagging")
        page.goto("/barriers/models")
        page.get_by_role("link", name="Drugs by post and courier in seven steps").first.click()
        require_accessible(page)
        require_fitting(page)


@on_one_database
def test_without_a_script_on_a_narrow_screen_a_report_is_tagged_too(
    browser: Browser, platform: Platform, hall: Hall
) -> None:
    report = submitted(hall.exchange, HOME, declared_category="gift", destination_country="NO")
    small = {"width": NARROW, "height": 720}
    with signed_in(
        browser, platform, hall.analyst, java_script_enabled=False, viewport=small
    ) as page:
        page.goto(f"/reports/{report}")
        page.get_by_role("link", name="See what is suggested, and tag it").click()
        expect(page.get_by_text("Suggested because: declared category: gift")).to_be_visible()
        page.get_by_label("Inkopen", exact=False).first.check()
        page.get_by_label("Geschenken naar Noorwegen.").check()
        page.get_by_role("button", name="Tag it").click()
        said(page).to_contain_text("Tagged.")
        page.get_by_role("link", name="The report", exact=True).click()
        expect(page.get_by_text("Step 1: Inkopen")).to_be_visible()
        page.goto("/barriers/tagging")
        expect(page.get_by_text("No report waits")).to_be_visible()


def _use_the_shipped_one(session: Any, hall: Hall) -> int:
    found = modelling.list_models(session, hall.decider.caller)
    (shipped,) = [each for each in found if each.version and each.version.steps > 2]
    modelling.choose(session, hall.decider.caller, shipped.model.public_id)
    return 1
