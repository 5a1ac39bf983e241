"""The pages of entering, abuse, keys and breaches, when everything has happened and lists are long.

In narrow French, as a stranger on a telephone sees them; one platform is staged for all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from app.compliance.models import Signal
from tests.app.exchange import make_exchange
from tests.app.people import Person
from tests.conftest import new_database, settings_for
from tests.functional.conftest import Platform, served
from tests.functional.pictures import keep_picture
from tests.functional.security_stage import (
    MANY_BREACHES,
    MANY_SESSIONS,
    SecurityStage,
    let_sign_on,
    make_stage,
)
from tests.functional.test_pages import NARROW, require_accessible, require_fitting

Staged = tuple[Platform, SecurityStage]
ISSUER = "https://login.post.example"
HASTE = 20_000  # milliseconds that a page may take


@pytest.fixture(scope="module")
def staged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Staged]:
    """How a page looks does not depend on the database: SQLite."""
    secrets = request.getfixturevalue("secrets_directory")
    with (
        new_database(request, "sqlite", tmp_path_factory.mktemp("security")) as url,
        served(settings_for(url, secrets)) as platform,
    ):
        stage = make_stage(make_exchange(platform.app))
        let_sign_on(stage.exchange, ISSUER, "postern", "a secret of the two")
        yield platform, stage


@contextmanager
def at(browser: Browser, platform: Platform, language: str = "fr") -> Iterator[Page]:
    """A narrow page of a fresh profile that asks for a language; its errors fail at the end."""
    context = browser.new_context(
        base_url=platform.address,
        locale=language,
        reduced_motion="reduce",
        viewport={"width": NARROW, "height": 800},
    )
    context.set_default_timeout(HASTE)
    page = context.new_page()
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    yield page
    context.close()
    assert heard == []


def enter(page: Page, person: Person) -> None:
    page.goto("/sign-in?next=/account")
    page.locator("#login").fill(person.login)
    page.locator("#password").fill(person.password)
    page.locator('form[action="/sign-in"] button').last.click()
    page.wait_for_url("**/account")


def press(page: Page, action: str) -> None:
    """Send the form of a page as it stands."""
    page.locator(f'form[action="{action}"] button').last.click()


def require_readable(page: Page, name: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, f"security-{name}-fr-narrow")


def test_the_pages_of_a_member_to_whom_all_has_happened(browser: Browser, staged: Staged) -> None:
    platform, stage = staged
    with at(browser, platform) as page:
        enter(page, stage.full)
        for name, address in (
            ("person", f"/people/{stage.lost.caller.person}"),
            ("tokens", "/tokens"),
            ("account", "/account"),
            ("factors", "/account/security"),
            ("prove", "/account/prove?next=/people"),
            ("proved", "/account/prove?done=proved"),
            ("glass", "/break-glass"),
            ("sign-on", "/sign-on"),
            ("quotas", "/quotas"),
            ("own-quotas", "/quotas/own"),
            ("signals", "/signals"),
            ("signal", f"/signals/{stage.signals[Signal.NEIGHBOURS]}"),
            ("breach", f"/breaches/{stage.breach}"),
            ("privacy", "/privacy"),
            ("keys", "/platform/epochs"),
        ):
            page.goto(address)
            expect(page.locator("#glass")).to_be_visible()
            require_readable(page, name)
        expect(page.get_by_text("court-be, dpa-nl")).to_be_visible()


def test_what_was_refused_is_said_in_the_reader_s_language(
    browser: Browser, staged: Staged
) -> None:
    platform, stage = staged
    with at(browser, platform) as page:
        enter(page, stage.full)
        page.goto("/sign-on")
        for field, typed in (("issuer", ISSUER), ("client_id", "c"), ("client_secret", "s")):
            page.locator(f"#{field}").fill(typed)
        page.locator("#roles").fill("desk = nobody")
        press(page, "/sign-on")
        expect(page.get_by_role("alert").last).to_contain_text("La ligne 1")
        require_readable(page, "sign-on-refused")
        page.goto("/account")
        page.get_by_role("checkbox").first.check()
        page.locator('form[action="/account/tokens"] summary').click()
        page.locator("#networks").fill("10.0.0.1/8")
        press(page, "/account/tokens")
        expect(page.get_by_role("alert").last).to_contain_text("sans bits d'hôte")
        expect(page.locator("#networks")).to_have_value("10.0.0.1/8")
        require_readable(page, "token-refused")
        page.goto("/account/security")
        press(page, "/account/security/app")
        page.locator("#app-code").fill("000000")
        press(page, "/account/security/app/confirm")
        expect(page.locator("#app-code")).to_have_attribute("aria-describedby", "refusal")
        require_readable(page, "app-refused")


def test_who_broke_the_glass_and_who_used_it_up_see_the_banner(
    browser: Browser, staged: Staged
) -> None:
    platform, stage = staged
    with at(browser, platform) as page:
        page.goto("/sign-in/break-glass")
        page.locator("#secret").fill("not the secret")
        press(page, "/sign-in/break-glass")
        require_readable(page, "glass-refused")
        page.locator("#secret").fill(stage.glass)
        press(page, "/sign-in/break-glass")
        page.wait_for_url("**/people")
        banner = page.locator("#glass")
        expect(banner).to_have_css("background-color", "rgb(156, 28, 44)")
        require_readable(page, "glass-session")
        banner.get_by_role("link").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/break-glass")
    with at(browser, platform) as page:
        enter(page, stage.used_up)
        for name, address in (("glass-used-up", "/break-glass"), ("tokens-none", "/tokens")):
            page.goto(address)
            expect(page.locator("#glass")).to_be_visible()
            require_readable(page, name)
    with at(browser, platform) as page:
        enter(page, stage.bare)
        page.goto("/break-glass")
        expect(page.locator("#glass")).to_have_count(0)
        require_readable(page, "glass-none")


def test_long_lists_are_whole_and_have_a_way_on(browser: Browser, staged: Staged) -> None:
    platform, stage = staged
    with at(browser, platform) as page:
        enter(page, stage.full)
        sessions = page.locator('section[aria-labelledby="sessions"] li')
        assert sessions.count() > MANY_SESSIONS
        page.goto("/tokens")
        page.locator("summary", has_text="terminés").click()
        expect(page.locator("table")).to_have_count(2)
        seen = 0
        page.goto("/breaches")
        require_readable(page, "breaches")
        while True:
            seen += page.locator("ul.sheets > li").count()
            older = page.locator("nav.pages .btn-primary")
            if not older.count():
                break
            with page.expect_navigation():
                older.click()
        assert seen == MANY_BREACHES + 2
        page.locator("nav.pages .btn-quiet").click()
        page.wait_for_url("**/breaches")
