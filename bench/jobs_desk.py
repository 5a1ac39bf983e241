"""What whoever does a job has before them: the overview with its buttons, and the key file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import expect

from bench.hand import Hand
from bench.jobs_scenes import PASSPHRASE, key_file
from bench.jobs_stage import Stage


@dataclass(frozen=True)
class Job:
    """`who` does `what`: the person `name` of a `desk`; `do` is how.

    `scene` lays out what must have happened before, `ago` before the job begins.
    """

    name: str
    who: str
    what: str
    person: str
    desk: str
    do: Callable[[Hand], None]
    scene: Callable[[Stage], object] | None = None
    ago: timedelta = timedelta()


def begin(hand: Hand, words: str) -> None:
    """Press a job under "What you can do"."""
    hand.click(hand.page.locator(".jobs").get_by_role("link", name=words))


def take_up(hand: Hand, words: str) -> None:
    """Press what stands under "Waiting for you"."""
    hand.click(hand.page.locator(".tasks").get_by_role("link", name=words))


def unlock(hand: Hand, code: str) -> None:
    """Choose the key file, type the passphrase, and wait until it is open."""
    panel = hand.page.locator("[data-key-panel]")
    hand.await_(panel)
    hand.give_file(panel.locator("#key-file"), f"{code}.json", key_file(code)[1])
    hand.await_(lambda: expect(panel.locator("#key-member")).to_be_enabled())
    hand.type(panel.locator("#key-passphrase"), PASSPHRASE)
    hand.click(panel.get_by_role("button", name="Unlock"))
    hand.await_(panel.get_by_role("button", name="Lock", exact=True))


def compare(hand: Hand) -> None:
    """Accept the fingerprint of a member seen for the first time; the telephone is not counted."""
    asked = hand.page.locator("[data-part=pin]")
    hand.await_(asked)
    hand.study(asked.locator("p"))
    hand.click(asked.get_by_role("button", name="I compared it by telephone"))
