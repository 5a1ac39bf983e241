"""The pages of the ledger, recalls and outcomes in a real browser, with and without script.

What the pages say is tested in tests/app/disclosures; here is only what needs a browser.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from app.indicators.models import Report
from postern.vocabulary import OutcomeResult, Rectification, SourceGrade, Substance, Tlp, Unit
from tests.app.disclosures.ring import Ring, open_ring
from tests.app.exchange import JAN, SOPHIE, Exchange
from tests.functional.conftest import Platform
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)


@pytest.fixture
def ring(platform: Platform) -> Iterator[Ring]:
    with open_ring(platform.app) as made:
        lay_out(made)
        yield made


def lay_out(ring: Ring) -> None:
    """Gifts, corrections and withdrawals of post-be, and what became of its reports."""
    for number in range(6):
        report_id, sophie, jan = ring.submit(f"k{number}", SOPHIE, JAN)
        for code in ("police-de", "customs-nl"):
            ring.take(code)
        ring.tell(
            "police-de",
            sophie,
            substance=Substance.MDMA,
            quantity=Decimal(250 + number),
            unit=Unit.GRAM,
        )
        ring.tell("customs-nl", jan, OutcomeResult.NOT_FOUND)
        if number == 0:
            ring.amend(report_id, jan, source_grade=SourceGrade.B, tlp=Tlp.GREEN)
        if number < 2:
            ring.withdraw(report_id)
    ring.answer("police-de", ring.received("police-de")[0].id)
    ring.answer("customs-nl", ring.received("customs-nl")[0].id, Rectification.KEPT_BY_LAW)


def addresses(ring: Ring) -> Iterator[str]:
    """Every page, as somebody with all roles sees it."""
    yield from ("/ledger", "/ledger?indicator=x", "/recalls", "/recalls?box=done")
    yield from ("/recalls?box=own", "/recalls?box=own&show=closed", "/outcomes", "/outcomes/told")
    yield from ("/outcomes/new", "/outcomes/reliability")
    yield f"/outcomes?report={ring.exchange.rows(select(Report.public_id))[0]}"
    for recall in ring.own()[:1]:
        yield f"/recalls/own/{recall.id}"


@on_one_database
def test_every_page_is_accessible(page: Page, ring: Ring) -> None:
    sign_in(page, ring.exchange.people["post-be"])
    for address in addresses(ring):
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@on_one_database
def test_empty_pages_are_accessible(page: Page, exchange: Exchange) -> None:
    sign_in(page, exchange.people["post-be"])
    for address in (
        "/ledger",
        "/recalls",
        "/recalls?box=own",
        "/outcomes",
        "/outcomes/reliability",
    ):
        page.goto(address)
        require_accessible(page)
        require_fitting(page)


@on_one_database
@pytest.mark.parametrize("language", ["de"])
def test_the_longer_words_of_a_language_fit(
    browser: Browser, platform: Platform, ring: Ring, language: str
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", viewport={"width": NARROW, "height": 720}
    )
    page = context.new_page()
    sign_in(page, ring.exchange.people["post-be"])
    page.locator(f"button[lang={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    for address in addresses(ring):
        page.goto(address)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        require_fitting(page)
    context.close()


@on_one_database
def test_a_recall_is_completed_without_any_script(
    browser: Browser, platform: Platform, ring: Ring
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, ring.exchange.people["police-de"])
    page.goto("/recalls")
    before = page.locator("form[action*='/recalls/received/']").count()
    form = page.locator("form[action*='/recalls/received/']").first
    form.get_by_label("erased").check()
    form.get_by_role("button", name="Complete it").click()
    expect(page.get_by_role("status")).to_contain_text("Completed.")
    assert page.locator("form[action*='/recalls/received/']").count() == before - 1
    context.close()
