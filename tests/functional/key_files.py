"""Key files in the pages: what a person does with the key panel."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.app.exchange import Exchange
from tests.app.sealing import publish
from tests.postern.premises import PASSPHRASE, locked

UNLOCKING = 60_000  # milliseconds that the passphrase's work may take on a busy machine


def settle(exchange: Exchange, code: str, directory: Path) -> Path:
    """Publish an organisation's keys; its key file, as a person has it."""
    publish(exchange, locked(code).keys)
    file = directory / f"{code}.json"
    file.write_text(locked(code).file)
    return file


def unlock(page: Page, file: Path, passphrase: str = PASSPHRASE, *, keep: bool = False) -> None:
    """Open a key file in the page's panel and wait until it is open."""
    expect(page.locator("[data-key-panel]")).to_be_visible()
    page.get_by_label("Key file", exact=True).set_input_files(file)
    expect(page.get_by_label("Member of the key file")).to_be_enabled()
    page.get_by_label("Passphrase", exact=True).fill(passphrase)
    if keep:
        page.get_by_label("Remember this key file here").check()
    page.get_by_role("button", name="Unlock").click()
    require_unlocked(page)


def require_unlocked(page: Page) -> None:
    panel = page.locator("[data-key-panel]")
    expect(panel.get_by_role("button", name="Lock", exact=True)).to_be_visible(timeout=UNLOCKING)


def pin(page: Page, code: str) -> None:
    """Compare the fingerprint of an organisation seen for the first time, and accept it."""
    asked = page.locator("[data-part=pin]")
    expect(asked).to_contain_text(locked(code).keys.entry.fingerprint)
    asked.get_by_role("button", name="I compared it by telephone").click()
