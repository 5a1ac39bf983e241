"""Every page there is, walked in a real browser: readable by all, quiet, and as wide as the screen.

The pages are found by walking (tests/app/walking.py), so that a new one joins by itself. Each is
seen light, wide and in English, and dark, narrow and in French, and with --pictures a picture of it
is kept. In Dutch and German it is only asked whether the longer words fit.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.app.exchange import Exchange
from tests.app.lively import HOME, make_lively
from tests.app.people import sign_in as signed_in_client
from tests.app.walking import pages_of
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

WIDE = 1280  # CSS pixels
_ID = 30  # characters: no word of a path is as long, every id is
_ELSEWHERE = {"/api/docs"}
"""As long as fifty others; test_pages.py looks at it once."""

_OF_THE_LOOK = frozenset(
    {"color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"}
)
"""Rules of axe that depend on theme and width; the others cannot differ in the second round."""


@pytest.fixture
def lively(exchange: Exchange) -> Exchange:
    make_lively(exchange)
    return exchange


@contextmanager
def watched(browser: Browser, platform: Platform, *, scheme: str, width: int) -> Iterator[Page]:
    """A page of a fresh profile; what the browser complained of fails at the end."""
    context = browser.new_context(
        base_url=platform.address,
        locale="en-GB",
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    heard: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    yield page
    context.close()
    assert heard == []


def addresses(exchange: Exchange) -> list[str]:
    client = exchange.app.test_client()
    signed_in_client(client, exchange.people[HOME])
    return [each for each in pages_of(exchange.app, client) if each not in _ELSEWHERE]


def name_of(address: str) -> str:
    """A picture's name: the words of the path, `one` in place of a record's id."""
    parts = [part if len(part) < _ID else "one" for part in urlsplit(address).path.split("/")]
    return "-".join(filter(None, parts)) or "overview"


def speak(page: Page, language: str) -> None:
    page.locator(f".languages button[value={language}]").click()
    page.wait_for_selector(f"html[lang={language}]")


@dataclass(frozen=True)
class Round:
    """How the pages look in one round, and which rules of axe are asked; None is all."""

    name: str
    scheme: str
    width: int
    language: str
    rules: Collection[str] | None


ROUNDS = (
    Round("light-en", "light", WIDE, "en", None),
    Round("dark-fr-narrow", "dark", NARROW, "fr", _OF_THE_LOOK),
)


@on_one_database
@pytest.mark.parametrize("look", ROUNDS, ids=lambda look: look.name)
def test_every_page_is_accessible_quiet_and_fits(
    browser: Browser, platform: Platform, lively: Exchange, look: Round
) -> None:
    walked = addresses(lively)
    with watched(browser, platform, scheme=look.scheme, width=look.width) as page:
        sign_in(page, lively.people[HOME])
        speak(page, look.language)
        for address in walked:
            page.goto(address)
            require_accessible(page, look.rules)
            require_fitting(page)
            keep_picture(page, f"{name_of(address)}-{look.name}")
    assert len(walked) > 40


@on_one_database
def test_the_longer_words_of_each_language_fit_on_every_page(
    browser: Browser, platform: Platform, lively: Exchange
) -> None:
    walked = addresses(lively)
    with watched(browser, platform, scheme="light", width=NARROW) as page:
        sign_in(page, lively.people[HOME])
        for language, chosen in (("nl", walked[::2]), ("de", walked[1::2])):
            speak(page, language)
            for address in chosen:
                page.goto(address)
                require_fitting(page)
