"""The board in a real browser, over a year of thousands of made-up reports of seven members.

Into one year a move was planted, and a barrier that takes away half of one country's flow: both are
found, in words and as the counts are told to a police force that reported nothing itself. Into the
other nothing was planted, and nothing is claimed. Its seed was settled before anybody looked at
what is found of it; that of the first is known from the tests of the methods. How often these find,
and how often they cry wolf, is told by `make bench-barriers`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from app.barriers import closing
from app.barriers.model_storage import read_kept
from app.barriers.model_upkeep import load_shipped
from app.barriers.modelling import used
from app.clock import now
from app.demo import told_year
from app.demo.barrier_year import DISPLACED_AT, FALLING, OWNERS, RISING, Plan, year
from postern.vocabulary import Role, Sector
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import Person, make_organisation, make_person
from tests.conftest import new_database, settings_for
from tests.functional.conftest import Platform, served
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import NARROW, require_accessible, require_fitting

YEARS = {"planted": Plan(seed=1, displaced=0.6, barred=0.5), "quiet": Plan(seed=8)}
TOGETHER = ",".join(RISING)
POLICY = """
@id("year/figures") @label("Everybody counts our reports, and knows of our barriers")
permit (
  principal, action in [Action::"presence", Action::"metadata", Action::"feed"], resource
) when { context.purpose == Purpose::"risk_analysis" };
"""
_MINUS = "\N{MINUS SIGN}"
_PATIENCE = 20_000  # milliseconds that a page may take


@dataclass(frozen=True)
class World:
    """A platform on which a year was told; `reader` is an analyst of a force without reports."""

    platform: Platform
    reader: Person
    changed: str  # the day around which countries are compared
    label: str  # of the model, in French


@pytest.fixture(scope="module", params=["planted-sqlite", "planted-postgresql"])
def planted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The year with both plants, on each database in turn."""
    with world(request, request.param, tmp_path_factory.mktemp("planted")) as made:
        yield made


@pytest.fixture(scope="module")
def quiet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The year without any; what is found of it does not depend on the database."""
    with world(request, "quiet-sqlite", tmp_path_factory.mktemp("quiet")) as made:
        yield made


@contextmanager
def world(request: pytest.FixtureRequest, name: str, directory: Path) -> Iterator[World]:
    plan, _, backend = name.partition("-")
    secrets = request.getfixturevalue("secrets_directory")
    with (
        new_database(request, backend, directory) as url,
        served(settings_for(url, secrets)) as platform,
    ):
        yield told(platform, YEARS[plan])


def told(platform: Platform, plan: Plan) -> World:
    """The members of the year report it, with barriers; the last week is counted."""
    exchange = make_exchange(platform.app)
    owners = {code: member(exchange, code) for code in OWNERS}
    reader = member(exchange, "police-zz")
    members = {code: person.caller for code, person in owners.items()}
    for code in members:
        exchange.publish(code, POLICY)
    with platform.app.app_context(), exchange.database.transaction() as session:
        load_shipped(session)
        told_year.tell(session, year(plan).reports(), members)
        told_year.set_barriers(session, members)
        closing.close(session, now())
        _, version = used(session, reader.caller.member[0])
        label = read_kept(version).label("fr")
    changed = told_year.day_of_week(now(), DISPLACED_AT).isoformat()
    return World(platform, reader, changed, label)


def member(exchange: Exchange, code: str) -> Person:
    sector = Sector(code.partition("-")[0])
    make_organisation(exchange.database, code, sector, "BE")
    return make_person(exchange.app, code, [Role.ANALYST])


@contextmanager
def board(browser: Browser, made: World, **look: Any) -> Iterator[Page]:
    """The board of the reader in a fresh profile, which complains of nothing."""
    context = browser.new_context(
        base_url=made.platform.address, **{"locale": "en-GB", "accept_downloads": True, **look}
    )
    context.set_default_timeout(_PATIENCE)
    heard: list[str] = []
    context.on("weberror", lambda error: heard.append(str(error.error)))
    page = context.new_page()
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.goto("/sign-in")
    page.locator("input[name=login]").fill(made.reader.login)
    page.locator("input[name=password]").fill(made.reader.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.goto(f"/barriers/board?changed={made.changed}&together={TOGETHER}")
    yield page
    context.close()
    assert heard == []


def test_the_planted_move_and_the_planted_barrier_are_both_found_and_said(
    browser: Browser, planted: World
) -> None:
    with board(browser, planted) as page:
        movement = page.locator("[data-board=movement][data-side=others]")
        expect(movement).to_have_attribute("data-movement", "moved")
        expect(movement).to_contain_text("Moved: fewer from")
        expect(movement).to_contain_text("Netherlands")
        fell = page.locator(f"tr[data-place={FALLING}][data-changed]").first
        expect(fell).to_contain_text("fell")
        rose = page.locator(f"tr[data-place='{TOGETHER.replace(',', '+')}'][data-changed]").first
        expect(rose).to_contain_text("rose")
        for country in ("Belgium", "Germany", "France"):
            expect(rose).to_contain_text(country)
        effect = page.locator("[data-board=effects] li[data-effect=fewer]", has_text="Spain")
        expect(effect).to_have_count(1)
        expect(effect.locator(".board-said li, p").filter(has_text="fewer").first).to_be_visible()
        # Half was taken away: the interval that is told holds it.
        said = re.search(rf"{_MINUS}(\d+)\D+{_MINUS}(\d+)\D+{_MINUS}(\d+)", effect.inner_text())
        assert said is not None
        value, least, most = (int(each) for each in said.groups())
        assert min(least, most) <= 50 <= max(least, most)
        assert min(least, most) <= value <= max(least, most)
        expect(effect.locator("[data-board=what-else]")).to_contain_text("changed itself")
        expect(page.locator("[data-board=label]")).to_be_visible()
        # The barrier where the flow only went elsewhere: that it did stands beside.
        assert page.locator("[data-board=effects] li[data-effect]").count() == 2


def test_nothing_is_claimed_of_a_year_without_any(browser: Browser, quiet: World) -> None:
    with board(browser, quiet) as page:
        movement = page.locator("[data-board=movement][data-side=others]")
        expect(movement).to_have_attribute("data-movement", "nothing_seen")
        expect(movement).to_contain_text("Nothing seen")
        assert page.locator("tr[data-place][data-changed]").count() == 0
        verdicts = [
            each.get_attribute("data-effect")
            for each in page.locator("[data-board=effects] li[data-effect]").all()
        ]
        assert verdicts == ["not_shown"] * 2
        expect(page.locator("[data-board=findings]")).to_contain_text("not “no effect”")
        for claim in ("Moved:", "Fell:", "Rose:"):
            expect(page.locator("main")).not_to_contain_text(claim)


@pytest.mark.parametrize("planted", ["planted-sqlite"], indirect=True)
def test_one_goes_down_by_keyboard_and_takes_the_board_away(
    browser: Browser, planted: World
) -> None:
    with board(browser, planted) as page:
        drawn(page)
        require_accessible(page)
        keep_picture(page, "board")
        picture = page.locator("figure.board-picture svg")
        expect(picture).to_be_visible()
        link = picture.get_by_role("link").nth(4)
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/barriers/board/steps/5?*")
        expect(page.get_by_role("heading", level=1)).to_contain_text("5")
        expect(page.locator("[data-board=outcomes], [data-board=signals]").first).to_be_visible()
        drawn(page)
        require_accessible(page)
        keep_picture(page, "board-step")
        ways = page.get_by_role("navigation", name="Pages of the board")
        ways.get_by_role("link", name="Corridors and points").click()
        page.wait_for_url("**/barriers/board/corridors?*")
        drawn(page)
        require_accessible(page)
        keep_picture(page, "board-corridors")
        ways.get_by_role("link", name="Substances and concealments").click()
        page.wait_for_url("**/barriers/board/substances?*")
        drawn(page)
        ways.get_by_role("link", name="The board").click()
        page.wait_for_url("**/barriers/board?*")
        assert f"together={TOGETHER}" in page.url.replace("%2C", ",")
        expect(page.locator("[data-movement=moved]").first).to_be_visible()
        moved = page.locator("[data-movement=moved] li").first.inner_text()
        taken = {
            kind: download(page, kind, name)
            for kind, name in (("pdf", "Briefing as PDF"), ("png", "PNG"), ("svg", "SVG"))
        }
        assert " ".join(moved.split()) in text_of(taken["pdf"])
        assert taken["png"].startswith(b"\x89PNG\r\n")
        assert ElementTree.fromstring(taken["svg"]).tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.parametrize("planted", ["planted-sqlite"], indirect=True)
def test_on_a_narrow_screen_in_french_the_steps_stand_as_cards(
    browser: Browser, planted: World
) -> None:
    narrow = {"width": NARROW, "height": 800}
    with board(browser, planted, locale="fr-FR", viewport=narrow) as page:
        assert page.locator("html").get_attribute("lang") == "fr"
        expect(page.locator("[data-board=label]")).to_contain_text(planted.label)
        expect(page.locator("[data-movement=moved]").first).to_contain_text("Pays-Bas")
        expect(page.locator("li[data-step]")).to_have_count(7)
        expect(page.locator("li[data-step='4']")).to_be_visible()
        expect(page.locator("figure.board-picture")).to_be_hidden()
        require_fitting(page)
        keep_picture(page, "board-fr-narrow")
        page.locator("li[data-step='3'] a").first.click()
        require_fitting(page)


def drawn(page: Page) -> None:
    """Every chart that is in sight is drawn of its table."""
    figures = page.locator("figure.chart")
    expect(figures.first).to_be_attached()
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator("svg, canvas").first).to_be_visible()


def text_of(briefing: bytes) -> str:
    """All that the briefing says, as a reader selects it."""
    document = pypdfium2.PdfDocument(briefing)
    said = []
    for page in document:
        text = page.get_textpage()
        said += text.get_text_range().split()
        text.close()
        page.close()
    document.close()
    return " ".join(said)


def download(page: Page, kind: str, name: str) -> bytes:
    """The bytes of a file of the board."""
    with page.expect_download() as waiting:
        page.locator("[data-board=exports]").get_by_role("link", name=name).click()
    taken = waiting.value
    assert taken.suggested_filename.endswith(f".{kind}")
    return taken.path().read_bytes()
