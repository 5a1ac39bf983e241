"""A one-time link in a real browser: the secret leaves the address and never reaches a server."""

from playwright.sync_api import Browser, expect

from app.config import Settings
from postern.vocabulary import Role
from tests.app.people import make_organisation, make_person, runtime_of
from tests.functional.conftest import served

NEW = "a sentence that nobody else has seen"


def test_a_link_fills_the_form_and_a_password_is_chosen(
    browser: Browser, settings: Settings
) -> None:
    with served(settings) as platform:
        runtime = runtime_of(platform.app)
        make_organisation(runtime.database, "post-be")
        administrator = make_person(platform.app, "post-be", [Role.ADMINISTRATOR])
        person = make_person(platform.app, "post-be", [Role.ANALYST])
        context = browser.new_context(base_url=platform.address, locale="en-GB")
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"/sign-in?next=/people/{person.caller.person}")
        page.get_by_label("Sign-in name").fill(administrator.login)
        page.get_by_label("Password", exact=True).fill(administrator.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Make a one-time link").click()
        shown = page.locator("code", has_text="/sign-in/link#")
        expect(shown).to_be_visible()
        secret = shown.inner_text().partition("#")[2]
        context.clear_cookies()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/sign-in/link#{secret}")
        expect(page.get_by_label("One-time link")).to_have_value(secret)
        page.wait_for_url("**/sign-in/link")
        page.get_by_label("New password").fill(NEW)
        page.get_by_role("button", name="Choose this password").click()
        expect(page.get_by_text("Your password is chosen.")).to_be_visible()
        assert not [address for address in asked if secret in address.partition("#")[0]]
        page.get_by_label("Sign-in name").fill(person.login)
        page.get_by_label("Password", exact=True).fill(NEW)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.goto("/notifications")
        expect(page.get_by_text("chosen by a one-time link").first).to_be_visible()
        assert errors == []
        context.close()
