"""The pages of subject requests and legal holds in a real browser, with and without script.

What the pages say is tested in tests/app/compliance; here is only what needs a browser.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.compliance import subject_requests as subjects
from app.indicators import holds, service
from postern.vocabulary import HoldReason, SubjectRequestState, SubjectRight
from tests.app.compliance.office import CODE, NOVEMBER, Office, make_office, standing_clock
from tests.app.exchange import SOPHIE, make_exchange, report
from tests.functional.conftest import Platform
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

LONG = "Rechtsschutzversicherungsangelegenheiten " * 12


@dataclass
class Desk:
    """Requests that are new, late and closed; holds that stand, keep something, and are over."""

    office: Office
    report: str
    requests: list[str]

    def addresses(self) -> Iterator[str]:
        yield "/holds"
        yield "/subjects"
        yield "/subjects?closed=1"
        yield from self.requests


@pytest.fixture
def desk(platform: Platform) -> Iterator[Desk]:
    with standing_clock(NOVEMBER) as clock:
        yield lay_out(make_office(make_exchange(platform.app), clock))


def lay_out(office: Office) -> Desk:
    soon = (NOVEMBER.date() + timedelta(days=1)).isoformat()
    (sent,) = office.exchange.submit(
        CODE, report("k1", office.exchange.indicator(SOPHIE, expires_on=soon))
    ).results
    until = NOVEMBER.date() + timedelta(days=300)
    placed: list[Any] = [
        office.do(
            holds.place, office.officer, sent.id, reason=reason, until=until, case="PV-2026-17"
        )
        for reason in (HoldReason.PROCEEDINGS, HoldReason.SUBJECT_REQUEST, HoldReason.COURT_ORDER)
    ]
    office.do(holds.release, office.officer, placed[2].id)
    made: list[Any] = [
        office.do(subjects.open_request, office.officer, right=right, case="A-17", note=LONG)
        for right in SubjectRight
    ]
    ending = {"state": SubjectRequestState.REFUSED, "note": LONG}
    office.do(subjects.close, office.officer, made[0].id, **ending)
    office.clock.at += timedelta(days=33)
    office.do(subjects.open_request, office.officer, right=SubjectRight.ACCESS, case="A", note="")
    with office.transaction() as session:
        service.expire(session, office.clock.at.date())
    return Desk(office, str(sent.id), [f"/subjects/{one.id}" for one in made])


@on_one_database
def test_every_page_of_requests_and_holds_is_accessible(page: Page, desk: Desk) -> None:
    sign_in(page, desk.office.officer)
    for address in desk.addresses():
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@on_one_database
def test_they_fit_on_a_narrow_screen_in_the_dark_in_every_language(
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
    for language in ("en", "fr", "nl", "de"):
        page.goto("/subjects")
        page.locator(f"button[lang={language}]").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        for address in desk.addresses():
            page.goto(address)
            require_fitting(page)
            if language == "de":
                require_accessible(page)
    context.close()


@on_one_database
def test_a_request_and_a_hold_are_made_without_any_script(
    browser: Browser, platform: Platform, desk: Desk
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, desk.office.officer)
    page.goto("/subjects")
    page.get_by_label("access", exact=True).check()
    page.get_by_label("Reference of your file").fill("A-18/26")
    page.get_by_role("button", name="Open the request").click()
    expect(page.get_by_role("status")).to_contain_text("Opened.")
    page.get_by_label("answered", exact=True).check()
    page.get_by_label("What the person was told").fill("All of it was told.")
    page.get_by_role("button", name="Close the request").click()
    expect(page.get_by_role("status")).to_contain_text("Closed.")

    page.goto("/holds")
    page.get_by_label("Id of the report").fill(desk.report)
    page.get_by_label("Why it must be kept").select_option("complaint")
    page.get_by_label("Last day").fill("2027-01-31")
    page.get_by_label("Reference of your file").fill("K 5")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_role("status")).to_contain_text("Placed.")
    page.get_by_role("button", name="Release the hold").first.click()
    expect(page.get_by_role("status")).to_contain_text("Released.")
    context.close()


@on_one_database
def test_a_request_is_closed_with_the_keyboard_alone(page: Page, desk: Desk) -> None:
    sign_in(page, desk.office.officer)
    page.goto(desk.requests[1])
    page.get_by_role("radio", name="refused").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Refused: it would obstruct an inquiry.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Closed.")
    expect(page.get_by_text("Refused: it would obstruct an inquiry.")).to_be_visible()
