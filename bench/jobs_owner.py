"""The jobs of approvers and policy owners, as bench.jobs does them."""

from bench.hand import Hand
from bench.jobs_desk import Job, begin, compare, take_up, unlock
from bench.jobs_scenes import PROPOSAL, asked, held, policy_proposed, proposed
from bench.jobs_stage import POST


def _decide(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "waits for a decision")
    _open_request(hand)
    hand.choose(page.locator("#decide-reason"), "necessary")
    hand.click(page.get_by_role("button", name="Release what is ticked"))
    dialog = page.get_by_role("dialog", name="Release this?")
    hand.await_(dialog)
    hand.study(dialog.locator("dl"))
    hand.click(dialog.get_by_role("button", name="Seal and release it"))
    hand.await_(lambda: page.wait_for_url("**?done=proposed"))


def _agree(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "waits for a second person")
    _open_request(hand)
    hand.click(page.get_by_role("button", name="Agree and release it"))
    hand.await_(lambda: page.wait_for_url("**?done=confirmed"))


def _open_request(hand: Hand) -> None:
    """From the list to what is sealed, opened; the requester is met for the first time."""
    page = hand.page
    hand.await_(page.get_by_role("heading", name="Disclosures", exact=True))
    hand.click(page.get_by_role("link", name="asks about"))
    unlock(hand, POST)
    compare(hand)
    hand.await_(page.locator("[data-opening] .opened-part").first)
    hand.study(page.locator("[data-request] .facts"))
    hand.study(page.locator("[data-message]"))
    hand.study(page.locator("[data-opening] .opened-part"))


def _policy(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Begin a policy from a template")
    hand.await_(page.get_by_role("heading", level=1))
    hand.click(page.get_by_role("button", name="Use this template").first)
    hand.await_(page.get_by_label("What the change is about"))
    hand.type(page.get_by_label("What the change is about"), "Operators warn one another")
    hand.click(page.get_by_role("button", name="Save and check"))
    hand.await_(page.get_by_role("button", name="Propose revision"))
    hand.click(page.get_by_role("link", name="What changes"))
    hand.await_(page.get_by_role("link", name="Back to the draft"))
    hand.study(page.locator("section[aria-labelledby=changes]"))
    hand.click(page.get_by_role("link", name="Back to the draft"))
    hand.await_(page.get_by_role("button", name="Propose revision"))
    hand.click(page.get_by_role("button", name="Propose revision"))
    hand.await_(page.get_by_role("button", name="Withdraw"))


def _approve(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "change of the sharing policy waits")
    hand.await_(page.get_by_role("link", name=PROPOSAL))
    hand.click(page.get_by_role("link", name=PROPOSAL))
    hand.await_(page.get_by_role("button", name="Approve revision"))
    hand.study(page.locator(".rules-said"))
    hand.study(page.locator("section[aria-labelledby=changes]"))
    hand.click(page.get_by_role("button", name="Approve revision"))
    hand.await_(page.get_by_role("status").get_by_text("Approved."))


JOBS = (
    Job("decide", "approver", "decide a request: release", "approver", POST, _decide, asked),
    Job("agree", "second approver", "agree, so that it leaves", "second", POST, _agree, proposed),
    Job(
        "policy",
        "policy owner",
        "propose a policy, its effect seen",
        "policy-owner",
        POST,
        _policy,
        held,
    ),
    Job(
        "approve",
        "second policy owner or approver",
        "approve a policy",
        "approver",
        POST,
        _approve,
        policy_proposed,
    ),
)
