"""Every page in a real browser: readable by all, by keyboard, on a narrow screen, under the policy.

What the pages say is tested in tests/app; here is only what needs a browser.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.access import CONSOLE
from app.organisations import service as organisations
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.exchange import JAN, POLICIES, SOPHIE, SOPHIE_TYPED, Exchange, place, report
from tests.app.people import Person, make_person
from tests.functional.conftest import Platform

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
SIGNED_IN = (
    "/",
    "/access-log",
    "/access-log?purpose=fun",
    "/log",
    "/notifications",
    "/account",
    "/nowhere",
    "/api/docs",
)
NARROW = 360  # CSS pixels

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""How a page looks does not depend on the database; the first test and the last two use both."""


@pytest.fixture
def busy(exchange: Exchange) -> Exchange:
    """The exchange with policies, reports, lookups and matches, so that no page is empty."""
    for code in exchange.people:
        with exchange.app.app_context(), exchange.database.transaction() as session:
            organisations.join(session, CONSOLE, code, "postal-exchange", "Postal exchange")
    for code in exchange.people:
        exchange.publish(code, (POLICIES / f"{code}.cedar").read_text())
    exchange.submit(
        "post-be",
        report("2026-001", exchange.indicator(SOPHIE), place()),
        report("2026-002", exchange.indicator(JAN)),
        report("2026-003"),
    )
    exchange.ask("police-de", SOPHIE_TYPED, JAN)
    exchange.ask(
        "post-be",
        SOPHIE,
        purpose=Purpose.SERVICE_SECURITY,
        legal_basis=LegalBasis.POSTAL_LAW,
    )
    return exchange


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complains of: breaches of the policy and errors of scripts."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "console",
        lambda message: (
            heard.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield heard
    assert heard == []


def sign_in(page: Page, person: Person) -> None:
    page.goto("/sign-in")
    page.get_by_label("Sign-in name").fill(person.login)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def require_accessible(page: Page) -> None:
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert found.response["passes"]


def require_fitting(page: Page) -> None:
    """No page scrolls sideways; wide tables scroll within themselves."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], page.url


@pytest.mark.usefixtures("complaints")
def test_every_page_is_accessible_and_keeps_the_policy(page: Page, busy: Exchange) -> None:
    page.goto("/sign-in")
    require_accessible(page)
    page.get_by_label("Sign-in name").fill("nobody@post-be.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("You are not signed in.")
    require_accessible(page)
    sign_in(page, busy.people["post-be"])
    for address in SIGNED_IN:
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@on_one_database
def test_every_page_is_accessible_in_the_dark_and_fits_a_narrow_screen(
    browser: Browser, platform: Platform, busy: Exchange
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        color_scheme="dark",
        reduced_motion="reduce",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    page.goto("/sign-in")
    require_accessible(page)
    require_fitting(page)
    sign_in(page, busy.people["post-be"])
    for address in SIGNED_IN:
        page.goto(address)
        require_accessible(page)
        require_fitting(page)
    context.close()


@on_one_database
def test_the_pages_of_an_empty_platform_are_accessible(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["post-be"])
    for address in ("/", "/access-log?act=report.submit", "/account"):
        page.goto(address)
        require_accessible(page)


@on_one_database
@pytest.mark.parametrize("language", ["fr", "nl", "de"])
def test_the_longer_words_of_a_language_fit_as_well(
    browser: Browser, platform: Platform, busy: Exchange, language: str
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    sign_in(page, busy.people["post-be"])
    page.locator(f"button[lang={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    for address in ("/", "/access-log", "/account", "/nowhere"):
        page.goto(address)
        require_fitting(page)
    context.close()


@on_one_database
def test_the_log_is_searched_with_the_keyboard_alone(page: Page, busy: Exchange) -> None:
    sign_in(page, busy.people["post-be"])
    page.goto("/access-log")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Timelines")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".filters-fold > summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Words", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Act", exact=True)).to_be_focused()
    page.keyboard.type("Lookup")
    search = page.get_by_role("button", name="Search")
    for _ in range(20):  # a date field takes several
        page.keyboard.press("Tab")
        if search.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/access-log?*act=lookup.ask**")
    expect(page.locator(".entries > li")).to_have_count(1)
    expect(page.locator(".entries")).to_contain_text("looked up 1 identifier")


@on_one_database
def test_what_has_the_focus_is_outlined(page: Page, busy: Exchange) -> None:
    sign_in(page, busy.people["post-be"])
    page.goto("/access-log")
    for _ in range(14):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        ring = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
        assert outline != "none" or ring != "none", page.evaluate(
            "document.activeElement.outerHTML"
        )


@on_one_database
def test_an_entry_opens_without_any_script(
    browser: Browser, platform: Platform, busy: Exchange
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, busy.people["post-be"])
    page.goto("/access-log?act=report.submit")
    record = page.locator(".entry pre").first
    expect(record).to_be_hidden()
    page.locator(".entry > summary").first.click()
    page.get_by_text("Record and leaf, as they were hashed").first.click()
    expect(record).to_be_visible()
    page.get_by_label("Outcome").select_option("error")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("No entry fits these filters")).to_be_visible()
    context.close()


@on_one_database
def test_the_log_prints_without_what_only_a_screen_needs(page: Page, busy: Exchange) -> None:
    sign_in(page, busy.people["post-be"])
    page.goto("/access-log")
    page.emulate_media(media="print")
    for hidden in (".filters-fold", ".hall-nav", ".languages", ".foot"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".entries > li").first).to_be_visible()
    expect(page.get_by_text("Organisation post-be").first).to_be_visible()
    assert page.pdf().startswith(b"%PDF")


def test_a_token_is_made_shown_once_and_revoked(page: Page, busy: Exchange) -> None:
    person = make_person(busy.app, "police-de", [Role.ANALYST])
    sign_in(page, person)
    page.goto("/account")
    page.get_by_label("look up identifiers").check()
    page.get_by_label("Days until it ends").fill("7")
    page.get_by_role("button", name="Make the token").click()
    token = page.get_by_role("status").locator("code").inner_text()
    assert token.startswith("pst_")
    require_accessible(page)
    page.goto("/account")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_role("status")).to_contain_text("The token was revoked")


def test_signing_out_ends_the_session_of_a_copied_cookie(
    page: Page, context: BrowserContext, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])
    copied = context.cookies()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in**")
    context.add_cookies(copied)
    page.goto("/account")
    expect(page.get_by_label("Sign-in name")).to_be_visible()
