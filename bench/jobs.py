"""Clicks, keystrokes and seconds of each job in the pages, done as a person does it.

    python -m bench.jobs [--only search,report]

Every job begins on the overview of a person who is signed in, and ends when its result is shown.
`bench.hand` says how seconds are counted. The browser is a real one; its time, and the platform's,
is measured. To add a job, write a function below and name it in JOBS. The last line is one JSON
object.
"""

import argparse
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from bench.browser import PASSWORD, Served, chromium, profile, served, sign_in
from bench.hand import Hand
from bench.jobs_stage import POLICE, POST, furnish
from bench.machine import machine

LABEL = "16, rue de la Loi\n1040 Bruxelles\nBelgique"
SEEN = "Mme Sophie VANDAMME, R. de la Loi 16 bte 3, B-1040 Brussel"


@dataclass(frozen=True)
class Job:
    """`who` does `what`, at the desk of a member; `do` is how."""

    name: str
    who: str
    what: str
    desk: str
    do: Callable[[Hand], None]


def main() -> None:
    parser = argparse.ArgumentParser(description="Clicks and seconds of each job.")
    parser.add_argument("--only", default="", help="names of jobs, separated by commas")
    only = set(filter(None, parser.parse_args().only.split(",")))
    with ExitStack() as stack:
        here = stack.enter_context(served())
        furnish(here)
        browser = stack.enter_context(chromium())
        told = [_done(browser, here, job) for job in JOBS if not only or job.name in only]
    heads = (f"{head:>7}" for head in ("clicks", "keys", "do s", "read s", "wait s", "all s"))
    print(f"{'job':14}", *heads)
    for each in told:
        print(
            f"{each['job']:14} {each['clicks']:7} {each['keystrokes']:7} {each['doing']:7.1f}"
            f" {each['reading']:7.1f} {each['waiting']:7.1f} {each['seconds']:7.1f}"
        )
    print(json.dumps({"jobs": told, "load": os.getloadavg()[0], "machine": machine("playwright")}))


def _done(browser: Browser, here: Served, job: Job) -> dict[str, Any]:
    with profile(browser, here.address) as page:
        hand = Hand(page)
        if job.do is not _sign_in:
            sign_in(page, job.desk)
            page.wait_for_load_state("networkidle")
            hand.read()
            hand.words = 0  # the overview is known from the day before
        job.do(hand)
    return {
        "job": job.name,
        "who": job.who,
        "what": job.what,
        "clicks": hand.clicks,
        "keystrokes": hand.keystrokes,
        "doing": round(hand.doing, 1),
        "reading": round(hand.reading, 1),
        "waiting": round(hand.waiting, 1),
        "seconds": round(hand.seconds, 1),
    }


def _sign_in(hand: Hand) -> None:
    hand.await_(lambda: _go(hand.page, "/sign-in"))
    hand.type(hand.page.get_by_label("Sign-in name"), f"analyst@{POST}.example")
    hand.type(hand.page.get_by_label("Password"), PASSWORD)
    hand.click(hand.page.get_by_role("button", name="Sign in"))
    hand.await_(lambda: hand.page.wait_for_url("**/"))


def _report(hand: Hand) -> None:
    page = hand.page
    hand.click(_job(page, "Report a suspicious shipment"))
    hand.await_(page.locator('[data-field="sender_name"]'))
    hand.type(page.locator('[data-field="sender_name"]'), "Sophie Van Damme")
    hand.type(page.locator('[data-field="sender_street"]'), LABEL)
    hand.type(page.locator('[data-field="case"]'), "PV-1")
    hand.click(page.locator('[data-do="preview"]:visible'))
    hand.await_(page.locator('[data-do="release"]:visible'))
    hand.click(page.locator('[data-do="release"]:visible'))
    hand.await_(page.locator("#result").get_by_text("Released"))


def _search(hand: Hand) -> None:
    page = hand.page
    hand.click(_job(page, "Search an address, name, handle or number"))
    hand.await_(page.locator("#search-grounds"))
    hand.choose(page.locator("#search-grounds"), "criminal_investigation criminal_procedure")
    hand.type(page.locator("#search-case"), "PV-2026-17")
    hand.click(page.locator("#search-why-form button"))
    hand.await_(page.locator("#search-text"))
    hand.type(page.locator("#search-text"), SEEN)
    hand.press("Enter")
    hand.await_(page.locator(".search-hit").first)


def _watch(hand: Hand) -> None:
    _search(hand)
    hand.click(hand.page.get_by_role("button", name="Watch for it"))
    hand.await_(hand.page.get_by_role("button", name="Set the watch"))
    hand.click(hand.page.get_by_role("button", name="Set the watch"))
    hand.await_(hand.page.get_by_text("The watch is set"))


def _log(hand: Hand) -> None:
    page = hand.page
    hand.click(_job(page, "Search the access log"))
    hand.await_(page.get_by_role("heading", name="Access log").first)
    hand.click(page.locator(".filters-fold > summary"))
    hand.choose(page.locator("#filter-act"), "lookup.ask")
    hand.click(page.get_by_role("button", name="Search"))
    hand.await_(lambda: page.wait_for_url("**act=lookup.ask**"))


def _policy(hand: Hand) -> None:
    page = hand.page
    hand.click(_job(page, "Begin a policy from a template"))
    hand.await_(page.get_by_role("heading", level=1))
    hand.click(page.get_by_role("button", name="Use this template").first)
    hand.await_(page.get_by_label("What the change is about"))
    hand.type(page.get_by_label("What the change is about"), "Operators warn one another")
    hand.click(page.get_by_role("button", name="Save and check"))
    hand.await_(page.get_by_role("button", name="Propose revision"))
    hand.click(page.get_by_role("link", name="What changes"))
    hand.await_(page.get_by_role("link", name="Back to the draft"))
    hand.click(page.get_by_role("link", name="Back to the draft"))
    hand.await_(page.get_by_role("button", name="Propose revision"))
    hand.click(page.get_by_role("button", name="Propose revision"))
    hand.await_(page.get_by_role("button", name="Withdraw"))


def _person(hand: Hand) -> None:
    page = hand.page
    hand.click(_job(page, "Add a colleague or change what they may do"))
    hand.await_(page.get_by_role("heading", level=1))
    hand.click(page.locator('main a[href="/people/new"]').first)
    hand.await_(page.get_by_label("Name", exact=True))
    hand.type(page.get_by_label("Name", exact=True), "Analyst on duty")
    hand.type(page.get_by_label("Sign-in name"), "duty@police.example")
    hand.click(page.get_by_role("checkbox", name="Analyst"))
    hand.click(page.get_by_role("button", name="Add the person"))
    hand.await_(page.get_by_role("status").locator("code"))


def _palette(hand: Hand) -> None:
    hand.press("Control+k", keys=2)
    hand.write("unusual")
    hand.press("Enter")
    hand.await_(lambda: hand.page.wait_for_url("**/signals"))


def _job(page: Page, words: str) -> Any:
    """The button of the overview."""
    return page.locator(".jobs").get_by_role("link", name=words)


def _go(page: Page, address: str) -> None:
    page.goto(address)


JOBS = (
    Job("sign-in", "everybody", "sign in", POST, _sign_in),
    Job("report", "operator analyst", "report one suspicious shipment", POST, _report),
    Job("search", "police analyst", "find who holds an address", POLICE, _search),
    Job("watch", "police analyst", "find, and wait for more of it", POLICE, _watch),
    Job("log", "compliance officer", "see who looked something up", POLICE, _log),
    Job("policy", "policy owner", "propose a policy, its effect seen", POST, _policy),
    Job("person", "administrator", "let a colleague in", POLICE, _person),
    Job("palette", "everybody", "go to a page by keyboard", POST, _palette),
)

if __name__ == "__main__":
    main()
