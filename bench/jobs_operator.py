"""The jobs of an operator's analyst, as bench.jobs does them."""

from playwright.sync_api import expect

from bench.hand import Hand
from bench.jobs_desk import Job, begin
from bench.jobs_scenes import told
from bench.jobs_stage import POST

LABEL = "16, rue de la Loi\n1040 Bruxelles\nBelgique"
ROWS = 100  # of the list that is uploaded


def _report(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Report a suspicious shipment")
    hand.await_(page.locator('[data-field="sender_name"]'))
    hand.type(page.locator('[data-field="sender_name"]'), "Sophie Van Damme")
    hand.type(page.locator('[data-field="sender_street"]'), LABEL)
    hand.type(page.locator('[data-field="case"]'), "PV-1")
    hand.click(page.locator('[data-do="preview"]:visible'))
    hand.await_(page.locator('[data-do="release"]:visible'))
    hand.click(page.locator('[data-do="release"]:visible'))
    hand.await_(page.locator("#result").get_by_text("Released"))


def _upload(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Upload a list of shipments")
    hand.await_(page.locator("#file"))
    hand.give_file(page.locator("#file"), "shipments.csv", _list())
    hand.await_(page.locator("[data-columns] select").first)
    hand.type(page.locator('[data-field="case"]'), "PV-1")
    hand.click(page.locator('[data-do="read"]:visible'))
    hand.await_(page.locator("[data-figures] dd").first)
    hand.study(page.locator("[data-figures]"))
    hand.click(page.locator('[data-do="send"]:visible'))
    hand.await_(page.locator('[data-do="another"]:visible'))
    hand.study(page.locator("[data-counts]"))
    expect(page.locator("[data-counts] dd")).to_have_text([str(ROWS), str(ROWS), "0", "0", "0"])


def _reports(hand: Hand) -> None:
    page = hand.page
    begin(hand, "See my reports and what came of them")
    hand.await_(page.get_by_role("heading", name="Our reports"))
    hand.study(page.locator(".sheets .sheet").first)
    hand.click(page.get_by_role("link", name="Report of").first)
    outcomes = page.get_by_role("region", name="What came of it")
    hand.await_(outcomes.get_by_role("heading", name="By Member police-de"))
    hand.study(outcomes.locator("li"))


def _list() -> str:
    """A CSV of ROWS shipments, each with another sender's address."""
    heads = "Sender's name,Sender's address,Sender's country,Item number,Gross weight\n"
    return heads + "".join(
        f'Sophie Van Damme,"{number}, rue de la Loi; 1040 Bruxelles",BE,,350 g\n'
        for number in range(1, ROWS + 1)
    )


JOBS = (
    Job(
        "report",
        "operator analyst",
        "report one suspicious shipment",
        "submitter",
        POST,
        _report,
    ),
    Job(
        "upload",
        "operator analyst",
        f"upload a list of {ROWS} shipments",
        "submitter",
        POST,
        _upload,
    ),
    Job(
        "reports",
        "operator analyst",
        "see what came of a report",
        "submitter",
        POST,
        _reports,
        told,
    ),
)
