"""The page of the members' keys in a real browser: empty, full, with alarms, and by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from app.access import CONSOLE
from app.organisations import contacts, key_alarms
from app.organisations.contacts import Contact
from app.organisations.service import create
from postern.vocabulary import Role, Sector
from tests.app.exchange import Exchange
from tests.app.people import make_person
from tests.app.sealing import member_keys, publish
from tests.functional.test_pages import require_accessible, require_fitting, sign_in

OTHER = "-".join(["ABCD"] * 8)

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def officer(exchange: Exchange, page: Page) -> Page:
    """Compliance officer and administrator of police-de."""
    sign_in(page, make_person(exchange.app, "police-de", [Role.COMPLIANCE, Role.ADMINISTRATOR]))
    return page


def fill(exchange: Exchange) -> None:
    """Keys, desks and alarms of three members, and thirty more that have none yet."""
    for code in ("post-be", "police-de"):
        publish(exchange, member_keys(code, rotations=2))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for number in range(30):
            create(
                session,
                CONSOLE,
                code=f"courier-{number}",
                name=f"Courier of the far provinces, branch {number}",
                sector=Sector.COURIER,
                country="BE",
            )
        desk = Contact("Parcel security", "security@post.example", "+32 2 000 00 00", "Mo-Fr 8-18")
        contacts.change(session, exchange.caller("post-be"), desk)
        for number in (1, 2):
            alarm, _ = key_alarms.report_swap(
                session,
                exchange.caller("police-de"),
                "post-be",
                number=number,
                pinned=OTHER,
                offered="" if number == 2 else OTHER.replace("A", "Z"),
            )
        key_alarms.close(session, exchange.caller("police-de"), alarm.id)


def require_readable(page: Page) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light" if width == 1280 else "dark")
        page.goto("/keys")
        require_accessible(page)
        require_fitting(page)


@on_one_database
def test_the_page_is_readable_by_all_empty_and_full(exchange: Exchange, officer: Page) -> None:
    require_readable(officer)
    expect(officer.get_by_text("postern keys new police-de")).to_be_visible()
    fill(exchange)
    require_readable(officer)
    expect(officer.get_by_role("row")).to_have_count(1 + 32)


@on_one_database
def test_an_alarm_is_closed_and_a_desk_entered_by_keyboard(
    exchange: Exchange, officer: Page
) -> None:
    fill(exchange)
    officer.goto("/keys")
    officer.get_by_role("button", name="Close the alarm about Organisation post-be").focus()
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("status")).to_contain_text("The alarm is closed.")
    expect(officer.get_by_role("button", name="Close the alarm")).to_have_count(0)
    officer.get_by_role("textbox", name="Desk").fill("Duty desk")
    officer.get_by_role("textbox", name="Telephone").fill("call me")
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("alert")).to_contain_text("Nothing was changed.")
    require_accessible(officer)
    officer.get_by_role("link", name="Correct them").click()
    officer.get_by_role("textbox", name="Telephone").fill("+49 30 000000")
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("status")).to_contain_text("The contact desk was entered")
    expect(officer.get_by_role("textbox", name="Telephone")).to_have_value("+49 30 000000")
