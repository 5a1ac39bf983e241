"""The jobs of an analyst of police or customs, as bench.jobs does them."""

from collections.abc import Callable

from bench.hand import Hand
from bench.jobs_desk import Job, begin, compare, take_up, unlock
from bench.jobs_scenes import WHY, found, held, released, sealed
from bench.jobs_stage import CASE, POLICE, Stage

SEEN = "Mme Sophie VANDAMME, R. de la Loi 16 bte 3, B-1040 Brussel"
LINES = 20  # of the list that is pasted


def _search(hand: Hand) -> None:
    page = hand.page
    _say_why(hand)
    hand.type(page.locator("#search-text"), SEEN)
    hand.press("Enter")
    _read_hit(hand)


def _say_why(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Search an address, name, handle or number")
    hand.await_(page.locator("#search-grounds"))
    hand.choose(page.locator("#search-grounds"), "criminal_investigation criminal_procedure")
    hand.type(page.locator("#search-case"), CASE)
    hand.click(page.locator("#search-why-form button.btn-primary"))
    hand.await_(page.locator("#search-text"))


def _search_list(hand: Hand) -> None:
    page = hand.page
    _say_why(hand)
    others = [f"Sophie Van Damme, {2 * line} Hoogstraat, 1000 Brussel" for line in range(1, LINES)]
    hand.paste(page.locator("#search-text"), "\n".join([*others, SEEN]))
    hand.await_(page.locator("#search-list tbody tr").nth(LINES - 1))
    hand.click(page.locator("#search-go"))
    rows = page.locator("#search-answers tbody tr")
    hand.await_(rows.nth(LINES - 1))
    hand.study(rows)
    hand.click(rows.nth(LINES - 1).get_by_role("button"))
    _read_hit(hand)


def _read_hit(hand: Hand) -> None:
    hand.await_(hand.page.locator(".search-hit").first)
    hand.study(hand.page.locator(".search-hit"))


def _watch(hand: Hand) -> None:
    _search(hand)
    hand.click(hand.page.get_by_role("button", name="Watch for it"))
    hand.await_(hand.page.get_by_role("button", name="Set the watch"))
    hand.click(hand.page.get_by_role("button", name="Set the watch"))
    hand.await_(hand.page.get_by_text("The watch is set"))


def _ask(hand: Hand) -> None:
    page = hand.page
    _search(hand)
    hand.click(page.locator(".search-hit").first.get_by_role("link", name="for it"))
    hand.await_(page.get_by_role("heading", name="What you ask about"))
    hand.study(page.locator("section[aria-labelledby=about] .facts"))
    unlock(hand, POLICE)
    case = page.get_by_label("Case")
    if case.input_value() != CASE:
        hand.type(case, CASE)
    hand.type(page.get_by_label("Why: for the owner's approver"), WHY)
    hand.click(page.get_by_role("button", name="Seal and ask"))
    compare(hand)
    hand.await_(lambda: page.wait_for_url("**/disclosures/*?done=asked"))


def _receive(hand: Hand) -> None:
    page = hand.page
    take_up(hand, "released: open it and confirm")
    hand.await_(page.get_by_role("link", name="To Member post-be about"))
    hand.click(page.get_by_role("link", name="To Member post-be about"))
    unlock(hand, POLICE)
    compare(hand)
    hand.await_(page.get_by_role("button", name="Open what was released"))
    hand.click(page.get_by_role("button", name="Open what was released"))
    hand.await_(page.get_by_text("Opened, and the receipt is given."))
    hand.study(page.locator("[data-receiving] .opened-part"))


def _outcome(hand: Hand) -> None:
    page = hand.page
    begin(hand, "Open an earlier search")
    hand.await_(page.get_by_role("heading", name="Your past searches"))
    hand.click(page.locator(".events a").first)
    hand.await_(page.get_by_role("link", name="Tell an outcome"))
    hand.click(page.get_by_role("link", name="Tell an outcome"))
    hand.await_(page.get_by_role("button", name="Tell the owner"))
    hand.type(page.get_by_label("Case"), CASE)
    for step in ("asked", "located", "held", "examined"):
        hand.click(page.locator(f"#outcome-{step}-yes"))
    hand.click(page.locator("#outcome-result-found"))
    hand.choose(page.locator("#outcome-substance"), "mdma")
    hand.click(page.get_by_role("button", name="Tell the owner"))
    hand.await_(page.get_by_role("status").get_by_text("Told."))


def _by_analyst(
    name: str, what: str, do: Callable[[Hand], None], scene: Callable[[Stage], object]
) -> Job:
    return Job(name, "police analyst", what, "analyst", POLICE, do, scene)


JOBS = (
    _by_analyst("search", "find who holds an address", _search, held),
    _by_analyst("list", f"look up a pasted list of {LINES}", _search_list, held),
    _by_analyst("watch", "find, and wait for more of it", _watch, held),
    _by_analyst("ask", "find, and ask its owner for the clear text", _ask, sealed),
    _by_analyst("receive", "open what was released, and confirm it", _receive, released),
    _by_analyst("outcome", "tell what came of it", _outcome, found),
)
