"""The jobs of a compliance officer, as bench.jobs does them."""

from playwright.sync_api import expect

from bench.hand import Hand
from bench.jobs_desk import Job, begin, take_up
from bench.jobs_scenes import LAST_MONTH, drawn, found, withdrawn, witnessed
from bench.jobs_stage import POLICE


def _log(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Search the access log")
    hand.await_(page.get_by_role("heading", name="Access log").first)
    hand.click(page.locator(".filters-fold > summary"))
    hand.choose(page.locator("#filter-act"), "lookup.ask")
    hand.click(page.get_by_role("button", name="Search"))
    hand.await_(lambda: page.wait_for_url("**act=lookup.ask**"))
    hand.study(page.locator(".entry > summary"))


def _verify(hand: Hand) -> None:
    page = hand.page
    begin(hand, "See whether the log is whole")
    hand.await_(page.get_by_role("button", name="Verify the log"))
    hand.study(page.locator("section[aria-labelledby=lights] .lights"))
    hand.click(page.get_by_role("button", name="Verify the log"))
    hand.await_(page.locator("#verify-all"))
    expect(page.locator("#verify-all")).to_contain_text("The log is whole")
    hand.study(page.locator("#verify-findings"))


def _judge(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "to judge")
    hand.await_(page.get_by_role("heading", name="To be judged"))
    hand.click(page.locator(".sheet-call .events a").first)
    entry = page.locator(".sheets > li").first
    hand.await_(entry.get_by_role("button", name="Record"))
    hand.study(entry.locator("> p"))
    hand.click(entry.locator("details summary").first)
    hand.study(entry.locator("details .facts"))
    hand.click(entry.get_by_label("in order"))
    hand.click(entry.get_by_role("button", name="Record"))
    hand.await_(page.get_by_role("status").get_by_text("Recorded."))


def _recall(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "recall to answer")
    hand.await_(page.get_by_role("button", name="Complete it"))
    hand.study(page.locator(".sheets .facts"))
    hand.click(page.get_by_label("erased"))
    hand.click(page.get_by_role("button", name="Complete it"))
    hand.await_(page.get_by_role("status").get_by_text("Completed."))


def _subject(hand: Hand) -> None:
    """Both forms; the search between them is a command on premises, and is not counted."""
    page = hand.page
    begin(hand, "Answer a person's request about their data")
    hand.await_(page.get_by_role("button", name="Open the request"))
    hand.click(page.get_by_label("access", exact=True))
    hand.type(page.get_by_label("Reference of your file"), "A-18/26")
    hand.click(page.get_by_role("button", name="Open the request"))
    hand.await_(page.get_by_role("status").get_by_text("Opened."))
    hand.study(page.locator("section[aria-labelledby=answer] li"))
    hand.click(page.get_by_label("answered", exact=True))
    hand.type(page.get_by_label("What the person was told"), "All that we hold, and who got it.")
    hand.click(page.get_by_role("button", name="Close the request"))
    hand.await_(page.get_by_role("status").get_by_text("Closed."))


WHO = "compliance officer"
JOBS = (
    Job("log", WHO, "see who looked something up", "compliance", POLICE, _log, found),
    Job("verify", WHO, "verify the log in the browser", "compliance", POLICE, _verify, witnessed),
    Job("judge", WHO, "judge a drawn entry", "compliance", POLICE, _judge, drawn, LAST_MONTH),
    Job("recall", WHO, "answer a recall", "compliance", POLICE, _recall, withdrawn),
    Job("subject", WHO, "enter and close a person's request", "compliance", POLICE, _subject),
)
