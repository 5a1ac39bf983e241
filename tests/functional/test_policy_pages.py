"""The pages of the sharing policy in a real browser: two people, with and without script.

What the pages say is tested in tests/app/sharing; here is only what needs a browser.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.access import CONSOLE
from app.organisations import service as organisations
from app.sharing import drafts
from app.sharing.drafts import Draft
from app.sharing.rule_schemas import to_form
from app.sharing.templates import template
from postern.vocabulary import Role, Sector
from tests.app.exchange import JAN, POLICIES, SOPHIE, SOPHIE_TYPED, Exchange, place, report
from tests.app.people import Person, make_organisation, make_person
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

NOBODYS = "00000000-0000-4000-8000-000000000001"
MANY_ORGANISATIONS = 60
MANY_VERSIONS = 40


@dataclass
class Office:
    """post-be with a policy, a draft of each kind, and two people; police have found something."""

    exchange: Exchange
    writer: Person
    second: Person
    form: Draft
    hand: Draft
    proposed: Draft
    indicator: str

    def addresses(self) -> Iterator[str]:
        """Every page of the policy, as its owner sees it."""
        yield "/policy"
        yield "/policy/new"
        yield "/policy/stop"
        yield "/policy/versions/1"
        yield "/policy/compare"
        for draft in (self.form, self.hand, self.proposed):
            yield f"/policy/drafts/{draft.id}"
        yield f"/policy/drafts/{self.form.id}/changes"
        yield f"/policy/drafts/{self.hand.id}/changes"
        yield "/policy/audience"
        yield f"/policy/audience?indicator={self.indicator}"
        yield f"/policy/audience?indicator={NOBODYS}"
        yield "/policy/audience?indicator=something"
        yield "/"


@pytest.fixture
def office(exchange: Exchange) -> Office:
    writer = make_person(exchange.app, "post-be", [Role.POLICY_OWNER])
    second = make_person(exchange.app, "post-be", [Role.APPROVER])
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for code in exchange.people:
            organisations.join(session, CONSOLE, code, "postal-exchange")
    exchange.publish("post-be", (POLICIES / "post-be.cedar").read_text())
    exchange.submit(
        "post-be",
        report("2026-001", exchange.indicator(SOPHIE), place()),
        report("2026-002", exchange.indicator(JAN)),
    )
    exchange.ask("police-de", SOPHIE_TYPED, JAN)
    rules = [*template("police-ask").rules("BE"), *template("holding-back").rules("BE")]
    with exchange.app.app_context(), exchange.database.transaction() as session:

        def begin(title: str, **content: object) -> Draft:
            return drafts.create(session, writer.caller, title=title, **content)  # type: ignore[arg-type]

        form = begin("Police of any member may ask, with much held back", form=to_form(rules))
        hand = begin("By hand", text='@id("post-be/x") permit (principal, action, resource);')
        waiting = begin("Customs of Belgium", form=to_form(template("customs-control").rules("BE")))
        proposed = drafts.propose(session, writer.caller, waiting.id, waiting.revision)
    (indicator, *_) = exchange.entries("indicator.match")[0].details["objects"]
    return Office(exchange, writer, second, form, hand, proposed, indicator)


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


@on_one_database
@pytest.mark.usefixtures("complaints")
def test_a_form_with_faults_is_accessible_and_keeps_what_was_typed(
    page: Page, office: Office
) -> None:
    page.set_viewport_size({"width": NARROW, "height": 720})
    sign_in(page, office.writer)
    page.goto(f"/policy/drafts/{office.form.id}")
    page.locator(".rule-fold > summary").first.click()
    page.locator("#rules-0-label").fill("")
    page.locator("#rules-0-effect").select_option("forbid")
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(page.locator("#rules-0-label")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#rules-0-level")).to_be_visible()
    expect(page.locator("#rules-0-effect")).to_have_value("forbid")
    require_accessible(page)
    require_fitting(page)


@on_one_database
def test_everything_unfolded_is_accessible_in_the_dark_on_a_narrow_screen(
    browser: Browser, platform: Platform, office: Office
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        color_scheme="dark",
        reduced_motion="reduce",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    for person in (office.writer, office.second):
        context.clear_cookies()
        sign_in(page, person)
        for address in (
            "/policy",
            f"/policy/drafts/{office.form.id}",
            f"/policy/drafts/{office.proposed.id}",
            f"/policy/audience?indicator={office.indicator}",
        ):
            page.goto(address)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            require_accessible(page)
            require_fitting(page)
    context.close()


@on_one_database
@pytest.mark.parametrize("language", ["de"])
def test_the_longer_words_of_a_language_fit_on_the_pages_of_the_policy(
    browser: Browser, platform: Platform, office: Office, language: str
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", viewport={"width": NARROW, "height": 720}
    )
    page = context.new_page()
    sign_in(page, office.writer)
    page.locator(f"button[lang={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    for address in office.addresses():
        page.goto(address)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        require_fitting(page)
    context.close()


@on_one_database
def test_many_organisations_and_versions_stay_readable(page: Page, office: Office) -> None:
    for number in range(MANY_ORGANISATIONS):
        sector = Sector.POLICE if number % 2 else Sector.CUSTOMS
        make_organisation(office.exchange.database, f"member-{number:02}", sector, "NL")
    text = (POLICIES / "post-be.cedar").read_text()
    for number in range(MANY_VERSIONS):
        office.exchange.publish("post-be", f"{text}\n// {number}\n")
    page.set_viewport_size({"width": NARROW, "height": 720})
    sign_in(page, office.writer)
    page.goto("/policy")
    require_accessible(page)
    require_fitting(page)
    expect(page.get_by_role("link", name="Version 2", exact=True)).to_be_hidden()
    page.get_by_text("31 older versions").click()
    expect(page.get_by_role("link", name="Version 2", exact=True)).to_be_visible()
    page.goto(f"/policy/drafts/{office.form.id}/changes")
    require_accessible(page)
    require_fitting(page)
    expect(page.get_by_text("and 27 more").first).to_be_visible()
    page.goto("/policy/compare?from=1&to=41")
    require_accessible(page)
    require_fitting(page)


def test_two_people_take_a_policy_from_a_template_into_force(
    page: Page, browser: Browser, platform: Platform, office: Office
) -> None:
    sign_in(page, office.writer)
    page.goto("/policy/new")
    page.get_by_role("button", name="Use this template Operators warn one another").click()
    page.get_by_label("What the change is about").fill("Operators of the Benelux")
    page.get_by_text("More conditions").click()
    page.get_by_label("Countries that ask").fill("NL, BE")
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(page.locator("#cedar")).to_contain_text('[Country::"BE", Country::"NL"]')
    page.get_by_role("link", name="What changes").click()
    expect(
        page.get_by_role("region", name="The rules in words, against version 1")
    ).to_contain_text("+ new")
    page.get_by_text("The texts, line beside line").click()
    require_accessible(page)
    keep_picture(page, "policy-changes")
    expect(page.get_by_text("They no longer see anything of yours:")).to_be_visible()
    page.get_by_role("link", name="Back to the draft").click()
    page.get_by_role("button", name="Propose revision 2").click()
    expect(page.get_by_text("You had a part in this draft")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)

    other = second_browser(browser, platform)
    sign_in(other, office.second)
    other.get_by_role("link", name="changes of the sharing policy wait").click()
    other.get_by_role("link", name="Operators of the Benelux").click()
    require_accessible(other)
    other.get_by_role("button", name="Approve revision 3").click()
    expect(other.get_by_role("status")).to_contain_text("Approved.")
    expect(other.get_by_role("heading", name="In force: version 2")).to_be_visible()
    expect(other.get_by_text(office.writer.name).first).to_be_visible()
    other.get_by_role("link", name="Compare two versions").click()
    expect(other.get_by_label("Earlier version")).to_have_value("1")
    expect(other.get_by_role("region", name="The rules in words")).to_contain_text("gone")
    require_accessible(other)
    keep_picture(other, "policy-compare")
    other.locator("button[lang=nl]").click()
    other.set_viewport_size({"width": NARROW, "height": 800})
    other.emulate_media(color_scheme="dark")
    require_accessible(other)
    require_fitting(other)
    keep_picture(other, "policy-compare-nl-narrow-dark")
    other.context.close()


@on_one_database
def test_without_script_the_buttons_of_the_form_work_by_the_server(
    browser: Browser, platform: Platform, office: Office
) -> None:
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, office.writer)
    page.goto(f"/policy/drafts/{office.form.id}")
    said = page.locator(".rule-said")
    second = said.nth(1).inner_text()
    page.locator(".rule-fold > summary").nth(1).click()
    page.get_by_role("button", name="Move up 2").click()
    expect(said.first).to_have_text(second)
    page.locator(".rule-fold > summary").first.click()
    page.get_by_role("button", name="Remove the rule 1").click()
    expect(said).to_have_count(5)
    page.get_by_text("Add rules from a template").click()
    page.get_by_role("button", name="Add A feed for risk analysis").click()
    expect(said).to_have_count(6)
    context.close()


@on_one_database
@pytest.mark.usefixtures("complaints")
def test_with_script_the_cedar_follows_and_nothing_is_kept_before_it_is_saved(
    page: Page, office: Office
) -> None:
    sign_in(page, office.writer)
    page.goto(f"/policy/drafts/{office.form.id}")
    page.locator(".rule-fold > summary").first.click()
    page.locator("#rule-0").get_by_label("customs", exact=True).first.check()
    expect(page.locator("#cedar")).to_contain_text('[Sector::"customs", Sector::"police"]')
    expect(page.locator("#draft-state")).to_have_text("Not saved yet.")
    page.locator("#rule-0").get_by_role("button", name="Move down").click()
    expect(page.locator(".rule").nth(1)).to_have_id("rule-0")
    page.locator("#rule-0").get_by_role("button", name="Remove the rule").click()
    expect(page.locator(".rule")).to_have_count(5)
    expect(page.locator("#cedar")).not_to_contain_text("police-any-presence")
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(page.locator(".rule")).to_have_count(5)
    expect(page.locator("#cedar")).not_to_contain_text("police-any-presence")


@on_one_database
def test_a_proposal_is_approved_with_the_keyboard_alone(page: Page, office: Office) -> None:
    sign_in(page, office.second)
    page.goto(f"/policy/drafts/{office.proposed.id}")
    approve = page.get_by_role("button", name="Approve revision 2")
    for _ in range(30):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        ring = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
        assert outline != "none" or ring != "none"
        if approve.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/policy?done=approved")


@on_one_database
def test_a_version_prints_without_what_only_a_screen_needs(page: Page, office: Office) -> None:
    sign_in(page, office.writer)
    page.goto("/policy/versions/1")
    page.emulate_media(media="print")
    for hidden in (".hall-nav", ".languages", ".foot"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.get_by_role("button", name="Make a draft of it")).to_be_hidden()
    expect(page.locator(".rules-said")).to_be_visible()
    assert page.pdf().startswith(b"%PDF")


def second_browser(browser: Browser, platform: Platform) -> Page:
    context: BrowserContext = browser.new_context(base_url=platform.address, locale="en-GB")
    context.set_default_timeout(15_000)
    return context.new_page()
