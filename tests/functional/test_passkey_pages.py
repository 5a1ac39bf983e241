"""A passkey in a real browser: added on the account page, then a way in without a password."""

import dataclasses

from playwright.sync_api import Browser, expect

from app.config import Settings
from tests.app.people import make_organisation, make_person, runtime_of
from tests.functional.conftest import served


def test_a_passkey_is_added_and_signs_in(browser: Browser, settings: Settings) -> None:
    with served(settings) as platform:
        # Browsers keep passkeys for a name, never for a bare address.
        address = platform.address.replace("127.0.0.1", "localhost")
        runtime = runtime_of(platform.app)
        here = dataclasses.replace(runtime.settings.platform, origin=address)
        runtime.settings = dataclasses.replace(runtime.settings, platform=here)
        make_organisation(runtime.database, "post-be")
        person = make_person(platform.app, "post-be")
        context = browser.new_context(base_url=address, locale="en-GB")
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        errors: list[str] = []
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        page.goto("/sign-in?next=/account/security")
        page.get_by_label("Sign-in name").fill(person.login)
        page.get_by_label("Password", exact=True).fill(person.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Name of the passkey").fill("This laptop")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_text("Your recovery codes")).to_be_visible()
        expect(page.get_by_text("This laptop").first).to_be_visible()
        context.clear_cookies()
        page.goto("/sign-in?next=/account/security")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", name="Second factors")).to_be_visible()
        expect(page.get_by_text("last used")).to_be_visible()
        context.clear_cookies()
        page.goto("/sign-in?next=/account")
        page.get_by_label("Sign-in name").fill(person.login)
        page.get_by_label("Password", exact=True).fill(person.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Account")).to_be_visible()
        assert errors == []
        context.close()
