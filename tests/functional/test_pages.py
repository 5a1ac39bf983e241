"""Every page in a real browser: readable by all, by keyboard, on a narrow screen, under the policy.

What the pages say is tested in tests/app; here is only what needs a browser.
"""

import re
from collections.abc import Collection, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.jobs.notifications import notify
from postern.vocabulary import Role
from tests.app.exchange import Exchange
from tests.app.lively import make_busy
from tests.app.people import Person, make_person
from tests.functional.conftest import Platform

_LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WCAG = {"runOnly": {"type": "tag", "values": _LEVELS}}
SIGNED_IN = ("/", "/access-log?purpose=fun", "/nowhere")
"""What test_every_page.py does not walk: faults, and what is not there."""

NARROW = 360  # CSS pixels

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""How a page looks does not depend on the database; the first test and the last two use both."""


@pytest.fixture
def busy(exchange: Exchange) -> Exchange:
    """The exchange with policies, reports, lookups and matches, so that no page is empty."""
    make_busy(exchange)
    return exchange


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complains of: breaches of the policy and errors of scripts."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(error.stack or str(error)))
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


def require_accessible(page: Page, rules: Collection[str] | None = None) -> None:
    """No violation of WCAG 2.2 AA that axe can find; `rules` names those to ask, None all."""
    page.wait_for_load_state("load")
    page.evaluate(
        "Promise.all(document.getAnimations().map((each) => each.finished)).then(() => {})"
    )
    asked = WCAG if rules is None else {"runOnly": {"type": "rule", "values": sorted(rules)}}
    found = Axe().run(page, options={**asked, "resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    assert found.response["passes"]


_STICKING_OUT = """[...document.querySelectorAll("main *")]
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth)
    .slice(0, 8)
    .map((each) => `${each.tagName}.${each.className}`)"""


def require_fitting(page: Page) -> None:
    """No page scrolls sideways; wide tables scroll within themselves."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], (page.url, page.evaluate(_STICKING_OUT))


@on_one_database
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


_EVERY_FOURTH = """() => {
    const all = [...document.querySelectorAll("article")];
    all.filter((_, at) => at % 4).forEach((each) => each.remove());
    return document.querySelectorAll("article").length;
}"""


@on_one_database
def test_the_longest_page_is_accessible(page: Page, exchange: Exchange) -> None:
    assert exchange.people
    page.goto("/api/docs")
    require_fitting(page)
    # One template writes hundreds of alike articles; axe takes a minute for all of them.
    left = page.evaluate(_EVERY_FOURTH)
    assert left > 50
    require_accessible(page)


@on_one_database
def test_the_pages_of_an_empty_platform_are_accessible(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["post-be"])
    for address in ("/", "/access-log?act=report.submit", "/account"):
        page.goto(address)
        require_accessible(page)


@on_one_database
@pytest.mark.usefixtures("complaints")
def test_the_palette_finds_a_job_by_keyboard_alone(page: Page, busy: Exchange) -> None:
    sign_in(page, busy.people["post-be"])
    page.keyboard.press("Control+k")
    words = page.get_by_role("dialog").get_by_role("combobox")
    expect(words).to_be_focused()
    words.press_sequentially("unusu")
    (found,) = page.get_by_role("dialog").get_by_role("option").all()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("1 way")
    expect(words).to_have_attribute("aria-activedescendant", found.get_attribute("id") or "no id")
    require_accessible(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/signals")
    page.keyboard.press("/")
    words.fill("zzzz")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing here is called like this.")
    words.fill("")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("[aria-selected=true]")).to_have_text(
        re.compile("^Report a suspicious shipment")
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@on_one_database
def test_single_keys_wait_while_one_types_and_can_be_switched_off(
    page: Page, busy: Exchange
) -> None:
    sign_in(page, busy.people["post-be"])
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Read my notifications")
    require_accessible(page)
    page.keyboard.press("n")  # not while something is open
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.wait_for_url("**/access-log")
    page.goto("/account")
    page.get_by_label("Present password").press_sequentially("hnl?/")
    expect(page.get_by_label("Present password")).to_have_value("hnl?/")
    page.get_by_label("Single keys").select_option("off")
    page.get_by_role("button", name="Keep this").click()
    expect(page.locator("html")).to_have_attribute("data-keys", "off")
    page.get_by_role("heading", name="Account").click()
    for key in ("?", "/", "l"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()


@on_one_database
def test_the_theme_changes_at_once_stays_and_leaves_paper_white(page: Page, busy: Exchange) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    sign_in(page, busy.people["post-be"])
    page.goto("/account")
    page.get_by_label("Present password").fill("not lost")
    light = page.evaluate(colour)
    with page.expect_response("**/appearance"):
        page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(colour)
    assert dark != light
    expect(page.get_by_label("Present password")).to_have_value("not lost")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-current", "true")
    page.goto("/notifications")
    assert page.evaluate(colour) == dark
    require_accessible(page)
    page.emulate_media(media="print")
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme="dark")
    with page.expect_response("**/appearance"):
        page.get_by_role("button", name="Light").click()
    assert page.evaluate(colour) == light


@on_one_database
def test_without_a_script_one_goes_where_one_wants_and_changes_how_pages_look(
    browser: Browser, platform: Platform, busy: Exchange
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, busy.people["post-be"])
    page.get_by_role("link", name="Go to").click()
    page.get_by_role("link", name="See and change who may see what").click()
    page.wait_for_url("**/policy")
    page.locator("summary", has_text="Oversight").click()
    page.get_by_role("link", name="Signals").click()
    page.wait_for_url("**/signals")
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/signals")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/account")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Keep this").click()
    expect(page.locator("main time").first).to_contain_text("JST")
    page.goto("/policy/audience")
    page.locator(".help > summary").first.click()
    expect(page.locator(".help-body").first).to_be_visible()
    with busy.database.transaction() as session:
        told = {"alarm": "rollback"}
        organisation = busy.organisation_id("post-be")
        notify(session, organisation, Role.COMPLIANCE, "log.alarm", told, "/log")
    page.goto("/notifications")
    page.get_by_role("button", name="Mark all of these as seen").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
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
    expect(page.locator("#filter-act")).to_be_focused()
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
    page.locator("#filter-outcome").select_option("error")
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
