"""The platform as its users meet it: a real server on a real socket, and a real browser.

Everything here is bounded in time: a server or page that does not answer fails its test.
"""

import dataclasses
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.config import Settings
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import runtime_of
from tests.functional.pictures import keep_pictures_in

MODULES = Path(__file__).parents[2] / "app" / "web" / "modules"
_PATIENCE = 15_000  # milliseconds that a page may take, or what appears on it
_STOP_WITHIN = 10.0  # seconds

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Platform:
    """A platform that listens: `address` is scheme, host and port; `app` is what answers."""

    address: str
    app: Flask


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing: the platform keeps its own log."""


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    """A served platform on each database in turn, empty but for its schema."""
    with served(settings) as made:
        yield made


@contextmanager
def served(settings: Settings) -> Iterator[Platform]:
    """A platform that listens until the end of the block."""
    server = make_server("127.0.0.1", 0, Flask("placeholder"), True, request_handler=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    here = dataclasses.replace(settings.platform, origin=address)
    app = create_app(dataclasses.replace(settings, platform=here))
    server.app = app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Platform(address, app)
    finally:
        server.shutdown()
        thread.join(_STOP_WITHIN)
        server.server_close()
        runtime_of(app).database.dispose()


@pytest.fixture
def exchange(platform: Platform) -> Exchange:
    """The three members of the small exchange, on the served platform."""
    return make_exchange(platform.app)


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One browser for all tests; each test has its own context, so no cookie outlives it."""
    if pictures := request.config.getoption("--pictures"):
        keep_pictures_in(pictures)
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=_browser_path(), args=list(_SWITCHES), timeout=60_000
        )
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, platform: Platform) -> Iterator[BrowserContext]:
    """A fresh browser profile in English at the platform's address."""
    made = browser.new_context(base_url=platform.address, locale="en-GB")
    made.set_default_timeout(_PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def modules_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages' modules in a folder of their own, with the packages that their lock file names."""
    home = tmp_path_factory.mktemp("modules")
    root, tree = MODULES.parents[2], home / "app" / "web" / "modules"
    shutil.copytree(MODULES, tree, ignore=shutil.ignore_patterns("node_modules"))
    tables = Path("postern", "normalise", "tables")
    shutil.copytree(root / tables, home / tables)
    for folder in (Path("postern"), Path("postern", "imports")):
        (home / folder).mkdir(exist_ok=True)
        for words in (root / folder).glob("*.json"):
            shutil.copy(words, home / folder)
    install = ("npm", "ci", "--ignore-scripts")
    subprocess.run(install, cwd=tree, check=True, capture_output=True, timeout=240)
    return tree


def _browser_path() -> str:
    for name in (os.environ.get("POSTERN_CHROMIUM"), *_BROWSERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    pytest.fail("No Chromium found. Run `make browser`, or name one in POSTERN_CHROMIUM.")
