"""Clicks, keystrokes and seconds of each job in the pages, done as a person does it.

    python -m bench.jobs [--only search,report] [--rows]

Every job begins on the overview of a person who is signed in, holds one role and has never met
another member, on a platform of its own, and ends when its result is shown. `bench.hand` says how
seconds are counted. The browser is a real one; its time, and the platform's, is measured. With
`--rows` the rows of the table in docs/workspaces.md follow. To add a job, write it in the module of
whose job it is and name it in JOBS there; what must have happened before goes to
`bench.jobs_scenes`. The last line is one JSON object.
"""

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from playwright.sync_api import Browser, Page

from bench import jobs_compliance, jobs_operator, jobs_owner, jobs_police
from bench.browser import PASSWORD, chromium, profile, served
from bench.hand import Hand
from bench.jobs_clock import Clock, take_over
from bench.jobs_desk import Job, begin
from bench.jobs_stage import POLICE, POST, furnish, login
from bench.machine import machine


def main() -> None:
    parser = argparse.ArgumentParser(description="Clicks and seconds of each job.")
    parser.add_argument("--only", default="", help="names of jobs, separated by commas")
    parser.add_argument("--rows", action="store_true", help="the rows of the documentation's table")
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    if unknown := only - {job.name for job in JOBS}:
        parser.error(f"no such job: {', '.join(sorted(unknown))}")
    heads = (f"{head:>7}" for head in ("clicks", "keys", "do s", "read s", "wait s", "all s"))
    print(f"{'job':14}", *heads)
    with chromium() as browser:
        clock = take_over()
        told = [_done(browser, clock, job) for job in JOBS if not only or job.name in only]
    if given.rows:
        _show_rows(told)
    print(json.dumps({"jobs": told, "load": os.getloadavg()[0], "machine": machine("playwright")}))


def _done(browser: Browser, clock: Clock, job: Job) -> dict[str, Any]:
    with ExitStack() as stack:
        clock.back = job.ago
        here = stack.enter_context(served())
        stage = furnish(here, clock)
        if job.scene:
            job.scene(stage)
        clock.back *= 0
        page = stack.enter_context(profile(browser, here.address))
        hand = Hand(page)
        if job.do is not _sign_in:
            _enter(page, login(job.person, job.desk))
            hand.read()
            hand.words = 0  # the overview is known from the day before
        job.do(hand)
    told = {
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
    print(
        f"{job.name:14} {hand.clicks:7} {hand.keystrokes:7} {hand.doing:7.1f}"
        f" {hand.reading:7.1f} {hand.waiting:7.1f} {hand.seconds:7.1f}",
        flush=True,
    )
    return told


def _show_rows(told: Sequence[dict[str, Any]]) -> None:
    for each in told:
        known = each["doing"] + each["waiting"]
        print(
            f"| {each['what']} | {each['who']} | {each['clicks']} | {each['keystrokes']}"
            f" | {each['doing']:.0f} s | {each['reading']:.0f} s | {each['waiting']:.1f} s"
            f" | **{each['seconds']:.0f} s** | {known:.0f} s |"
        )


def _enter(page: Page, name: str) -> None:
    """Sign in before the job begins."""
    _go(page, "/sign-in")
    page.get_by_label("Sign-in name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.wait_for_load_state("networkidle")


def _sign_in(hand: Hand) -> None:
    hand.await_(lambda: _go(hand.page, "/sign-in"))
    hand.type(hand.page.get_by_label("Sign-in name"), login("analyst", POST))
    hand.type(hand.page.get_by_label("Password"), PASSWORD)
    hand.click(hand.page.get_by_role("button", name="Sign in"))
    hand.await_(lambda: hand.page.wait_for_url("**/"))


def _person(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Add a colleague or change what they may do")
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


def _go(page: Page, address: str) -> None:
    page.goto(address)


JOBS = (
    Job("sign-in", "everybody", "sign in", "analyst", POST, _sign_in),
    *jobs_operator.JOBS,
    *jobs_police.JOBS,
    *jobs_owner.JOBS,
    *jobs_compliance.JOBS,
    Job("person", "administrator", "let a colleague in", "administrator", POLICE, _person),
    Job("palette", "everybody", "go to a page by keyboard", "compliance", POST, _palette),
)

if __name__ == "__main__":
    main()
