"""An administrator in a real browser: a colleague is added, comes in, and is shut out again."""

import dataclasses
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from app.accounts import people
from app.administration.models import SizeNote
from app.clock import day
from app.config import Settings
from postern.vocabulary import Role
from tests.app.exchange import Exchange
from tests.app.people import Person, make_person
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

LOGIN, OWN_WORDS = "duty-analyst@police.example", "a sentence of my own, at last"

WORDS = {
    "en-GB": {
        "add": "Add the person",
        "analyst": "Analyst",
        "change": "Change the password",
        "chosen": "Choose a password of your own first.",
        "disable": "Disable the account",
        "disabled": "The account is disabled",
        "name": "Name",
        "new": "New password",
        "officer": "Compliance officer",
        "present": "Present password",
        "login": "Sign-in name",
        "see": "See what would change",
        "roles": "Change the roles",
        "waits": "is proposed",
    },
    "nl": {
        "add": "De persoon toevoegen",
        "analyst": "Analist",
        "change": "Wachtwoord wijzigen",
        "chosen": "Kies eerst een eigen wachtwoord.",
        "disable": "De account uitschakelen",
        "disabled": "De account is uitgeschakeld",
        "name": "Naam",
        "new": "Nieuw wachtwoord",
        "officer": "Compliancefunctionaris",
        "present": "Huidig wachtwoord",
        "login": "Aanmeldnaam",
        "see": "Bekijken wat er zou wijzigen",
        "roles": "De rollen wijzigen",
        "waits": "is voorgesteld",
    },
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The police run the platform, so that its administrator is told exact sizes."""
    audit = dataclasses.replace(settings.audit, operator="police-de")
    return dataclasses.replace(settings, audit=audit)


@pytest.fixture
def administrator(exchange: Exchange) -> Person:
    make_person(exchange.app, "police-de", [Role.COMPLIANCE])
    return make_person(exchange.app, "police-de", [Role.ADMINISTRATOR])


@on_one_database
@pytest.mark.parametrize("locale", WORDS)
def test_a_colleague_is_added_comes_in_and_is_shut_out(
    browser: Browser, platform: Platform, administrator: Person, locale: str
) -> None:
    said = WORDS[locale]
    desk, hers = (
        browser.new_context(base_url=platform.address, locale=locale).new_page() for _ in range(2)
    )
    enter(desk, administrator.login, administrator.password)
    desk.goto("/people/new")
    desk.get_by_label(said["name"], exact=True).fill("Analyst on duty")
    desk.get_by_label(said["login"]).fill(LOGIN)
    desk.get_by_role("checkbox", name=said["analyst"]).check()
    desk.get_by_role("button", name=said["add"]).click()
    password = desk.get_by_role("status").locator("code").inner_text()
    require_accessible(desk)
    person = desk.url
    enter(hers, LOGIN, password)
    expect(hers.get_by_text(said["chosen"])).to_be_visible()
    require_accessible(hers)
    hers.goto("/watches")
    hers.wait_for_url("**/account")
    hers.get_by_label(said["present"]).fill(password)
    hers.get_by_label(said["new"]).fill(OWN_WORDS)
    hers.get_by_role("button", name=said["change"]).press("Enter")
    hers.goto("/watches")
    assert hers.url.endswith("/watches")
    desk.goto("/people")
    desk.get_by_role("link", name="Analyst on duty").click()
    assert desk.url.startswith(person.removesuffix("/people"))
    desk.get_by_role("checkbox", name=said["officer"]).check()
    desk.get_by_role("button", name=said["see"]).click()
    require_accessible(desk)
    desk.get_by_role("button", name=said["roles"]).click()
    expect(desk.get_by_role("heading", name=said["waits"])).to_be_visible()
    desk.get_by_role("button", name=said["disable"]).click()
    expect(desk.get_by_role("status")).to_contain_text(said["disabled"])
    hers.goto("/watches")
    assert "/sign-in" in hers.url
    for each in (desk, hers):
        each.context.close()


@on_one_database
def test_what_waits_and_what_grew_is_readable_by_all(
    exchange: Exchange, page: Page, administrator: Person
) -> None:
    """Every page is looked at in test_every_page.py; here is what it finds there in no state."""
    colleague = make_person(exchange.app, "police-de", [Role.ANALYST])
    gone = make_person(exchange.app, "police-de", [Role.ANALYST])
    months = [datetime(2026, month, 20, tzinfo=UTC) for month in range(3, 9)]
    with exchange.app.app_context(), exchange.database.transaction() as session:
        held = frozenset({Role.ANALYST})
        wanted = held | {Role.COMPLIANCE}
        people.change_roles(session, administrator.caller, colleague.caller.person, wanted, held)
        people.close(session, administrator.caller, gone.caller.person)
        session.execute(
            insert(SizeNote),
            [
                {"day": day(at), "room": "audit", "rows": 900 * at.month, "bytes": 2**20}
                for at in months
            ],
        )
    sign_in(page, administrator)
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for name, path in (
            ("people", "/people"),
            ("person", f"/people/{colleague.caller.person}"),
            ("size", "/platform/size"),
        ):
            page.goto(path)
            if name == "size":
                page.locator("figure.chart").scroll_into_view_if_needed()
                expect(page.locator(".chart-board canvas").first).to_be_visible()
            require_accessible(page)
            require_fitting(page)
            keep_picture(page, f"administration-{name}-{scheme}")


def enter(page: Page, login: str, password: str) -> None:
    page.goto("/sign-in")
    page.locator('input[name="login"]').fill(login)
    page.locator('input[name="password"]').fill(password)
    page.locator('form[action="/sign-in"] button:not([type="button"])').last.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
