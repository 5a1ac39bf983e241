"""The page of the log's state and that of notifications in a real browser, empty and full."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from app.audit.models import AuditWitness
from app.clock import milliseconds
from app.compliance import log_state
from postern.tlog.notes import KIND_COSIGNATURE, SigningKey
from postern.vocabulary import Role
from tests.app.compliance.test_log_pages import Log
from tests.app.exchange import Exchange
from tests.app.people import make_person, runtime_of
from tests.functional.test_pages import require_accessible, require_fitting, sign_in

PAGES = ("/log", "/notifications")

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def officer(exchange: Exchange, page: Page) -> Page:
    roles = [Role.COMPLIANCE, Role.ADMINISTRATOR]
    sign_in(page, make_person(exchange.app, "police-de", roles))
    return page


def require_readable(page: Page) -> None:
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for path in PAGES:
            page.goto(path)
            require_accessible(page)
            require_fitting(page)


@on_one_database
def test_the_pages_are_readable_by_all_when_nothing_is_there(officer: Page) -> None:
    require_readable(officer)


@on_one_database
def test_the_pages_are_readable_by_all_when_everything_is_wrong(
    exchange: Exchange, officer: Page
) -> None:
    log = Log(exchange)
    for code in exchange.people:
        log.cosign(log.witness(code))
    with log.database.transaction() as session:
        long_ago = milliseconds(datetime.now(UTC) - timedelta(hours=30))
        session.execute(update(AuditWitness).values(seen=long_ago))
    log.accuse()
    with exchange.app.app_context(), log.database.transaction() as session:
        log_state.watch(session, runtime_of(exchange.app).settings.audit)
        assert log_state.tell(session) == 4
    require_readable(officer)
    officer.goto("/notifications")
    expect(officer.get_by_role("button", name="Mark as seen")).to_have_count(4)
    officer.get_by_role("button", name="Mark as seen").first.click()
    expect(officer.get_by_role("button", name="Mark as seen")).to_have_count(3)
    expect(officer.get_by_role("link", name="Notifications 3 not seen")).to_be_visible()


@on_one_database
def test_a_witness_is_registered_by_keyboard(exchange: Exchange, officer: Page) -> None:
    Log(exchange)
    key = str(SigningKey("police.example/w", b"k" * 32, KIND_COSIGNATURE).verifier)
    officer.goto("/log")
    officer.get_by_label("Public key of your witness").focus()
    officer.keyboard.type("no key")
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("alert")).to_contain_text("Write the key as NAME+ID+KEY")
    require_accessible(officer)
    officer.get_by_label("Public key of your witness").fill(key)
    officer.keyboard.press("Enter")
    expect(officer.get_by_text("The witness is registered")).to_be_visible()
    expect(officer.get_by_role("cell", name=key)).to_be_visible()
