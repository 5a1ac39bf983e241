"""A real browser before a served platform, for the benchmarks of pages and of jobs."""

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from bench.stage import platform
from postern.vocabulary import Role

PASSWORD = "long enough for a benchmark"  # noqa: S105 - of an account that lives as long as a run
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_SWITCHES = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_PATIENCE = 120_000  # milliseconds


@dataclass
class Counted:
    """Bytes of the bodies that the platform sent since `forget`, as they went over the socket."""

    bodies: int = 0
    answers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        with self.lock:
            self.bodies, self.answers = 0, 0

    def note(self, size: int) -> None:
        with self.lock:
            self.bodies += size
            self.answers += 1


@dataclass(frozen=True)
class Served:
    """A platform that listens at `address`, and what it sends."""

    app: Flask
    address: str
    counted: Counted


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing."""


@contextmanager
def served() -> Iterator[Served]:
    """An empty platform on SQLite, served by Flask's own server with a thread for each request."""
    with platform("sqlite") as app:
        counted = Counted()
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        address = f"http://127.0.0.1:{server.server_port}"
        runtime = app.extensions["postern"]
        here = dataclasses.replace(runtime.settings.platform, origin=address)
        generous = dataclasses.replace(runtime.settings.quota, hour=10**6, day=10**6, month=10**6)
        runtime.settings = dataclasses.replace(runtime.settings, platform=here, quota=generous)
        server.app = _counting(app.wsgi_app, counted)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Served(app, address, counted)
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that is installed; LookupError when there is none."""
    names = filter(None, (os.environ.get("POSTERN_CHROMIUM"), *_BROWSERS))
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise LookupError("No Chromium found. Run `make browser`, or name one in POSTERN_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def profile(browser: Browser, address: str, cookies: Any = None) -> Iterator[Page]:
    """A page of a profile with nothing cached, signed in by `cookies` of another."""
    context: BrowserContext = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(_PATIENCE)
    if cookies:
        context.add_cookies(cookies)
    try:
        yield context.new_page()
    finally:
        context.close()


def sign_in(page: Page, organisation: str) -> None:
    """As the one person of `bench.stage.member`, who holds every role."""
    page.goto("/sign-in")
    page.get_by_label("Sign-in name").fill(f"analyst@{organisation}.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def addresses(app: Flask) -> list[str]:
    """Every page that names no record, by the route table; what is not a page is left out."""
    held = frozenset(Role)
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        is_page = not rule.rule.startswith(("/api/", "/audit/", "/static/", "/health/", "/.well"))
        is_export = rule.rule.endswith(("/export", ".csv", ".pdf"))
        is_open = getattr(view, "audit_roles", held) <= held
        if "GET" in (rule.methods or ()) and not rule.arguments and is_page and is_open:
            found += [] if is_export else [rule.rule]
    return found


def _counting(answer: Callable[..., Iterable[bytes]], counted: Counted) -> Callable[..., Any]:
    def counting(environ: Any, start: Any) -> Iterator[bytes]:
        size = 0
        for part in answer(environ, start):
            size += len(part)
            yield part
        counted.note(size)

    return counting
