"""What pages weigh, how soon they show something, and whether cryptography freezes them.

    python -m bench.pages [--runs 5] [--identifiers 1000] [--pages /,/access-log]

Each page that names no record is opened in a real Chromium whose processor is slowed down four
times (CDP Emulation.setCPUThrottlingRate), over loopback, as a signed-in person with every role,
`--runs` times in a profile with nothing cached. Weight is the bytes of all bodies that the
platform sent for one such load, compressed as they went; the time is the first contentful paint
(W3C Paint Timing), the median of the runs. Limits: 300 kB and 1 s.

Then a page pseudonymises identifiers in its worker, without the slowing: telephone numbers, and
parties with an address. Long tasks of the page's main thread are watched (W3C Long Tasks); none
may take over 100 ms. Long tasks of drawing one page are in the first table's last column.

Each limit is printed with PASS or FAIL. The last line is one JSON object.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from playwright.sync_api import Browser

from bench.browser import PASSWORD, Served, addresses, chromium, profile, served, sign_in
from bench.machine import machine
from bench.stage import member
from postern.vocabulary import Sector

SLOWED = 4  # times
WEIGHT_LIMIT = 300_000  # bytes
PAINT_LIMIT = 1000.0  # milliseconds
TASK_LIMIT = 100.0  # milliseconds
MEMBER = "post-be"

_WATCH_TASKS = """
window.longTasks = [];
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.longTasks.push(each.duration);
}).observe({ type: "longtask", buffered: true });
"""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_PSEUDONYMISE = """async (values) => {
    const { Premises } = await import("/static/modules/premises.js");
    const premises = new Premises();
    const { document } = await premises.ask("keys", { pinned: null });
    window.longTasks.length = 0;
    let told = 0;
    const begun = performance.now();
    const found = await premises.ask(
        "pseudonymise",
        { values, document, purpose: "criminal_investigation", caseReference: "BENCH-1" },
        () => { told += 1; },
    );
    const seconds = (performance.now() - begun) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 200));
    premises.close();
    const facets = found.reduce((sum, each) => sum + each.facets.length, 0);
    const longest = Math.max(0, ...window.longTasks);
    return { found: found.length, facets, told, seconds, longest };
}"""


@dataclass(frozen=True)
class Page:
    """One page: bytes of a first load, milliseconds to its first paint and of its longest task."""

    address: str
    bytes: int
    answers: int
    paint: float
    longest: float


@dataclass(frozen=True)
class Pseudonymised:
    """`facets` is what was evaluated; `told` how often progress was; milliseconds of a task."""

    what: str
    found: int
    facets: int
    told: int
    seconds: float
    longest: float

    @property
    def rate(self) -> float:
        """Identifiers per second."""
        return self.found / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Weight and speed of the pages.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--identifiers", type=int, default=1000)
    parser.add_argument("--pages", default="", help="addresses, separated by commas; else all")
    given = parser.parse_args()
    with ExitStack() as stack:
        here = stack.enter_context(served())
        member(here.app, MEMBER, Sector.POST, secret=_secret(here))
        browser = stack.enter_context(chromium())
        with profile(browser, here.address) as page:
            sign_in(page, MEMBER)
            cookies = page.context.cookies()
        asked = given.pages.split(",") if given.pages else addresses(here.app)
        pages = [_measured(browser, here, each, cookies, given.runs) for each in asked]
        _show(pages)
        done = [
            _pseudonymised(browser, here, cookies, what, values)
            for what, values in _identifiers(given.identifiers)
        ]
    _show_pseudonymised(done)
    told = {
        "pages": [asdict(each) for each in pages],
        "pseudonymised": [asdict(each) | {"rate": each.rate} for each in done],
        "slowed": SLOWED,
        "load": os.getloadavg()[0],
        "machine": machine("playwright"),
    }
    print(json.dumps(told))


def _secret(here: Served) -> str:
    from app.accounts import service  # noqa: PLC0415 - only once the platform's clock runs

    with here.app.app_context():
        return service.new_secret(f"analyst@{MEMBER}.example", PASSWORD)


def _measured(
    browser: Browser, here: Served, address: str, cookies: Sequence[Any], runs: int
) -> Page:
    paints, tasks = [], []
    for _ in range(runs):
        here.counted.forget()
        with profile(browser, here.address, None if address == "/sign-in" else cookies) as page:
            page.add_init_script(_WATCH_TASKS)
            slow = page.context.new_cdp_session(page)
            slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
            page.goto(address, wait_until="networkidle")
            page.wait_for_function(f"({_PAINT}) !== null")
            paints.append(float(page.evaluate(_PAINT)))
            tasks.append(float(page.evaluate("Math.max(0, ...window.longTasks)")))
            size, answers = here.counted.bodies, here.counted.answers
    return Page(address, size, answers, median(paints), median(tasks))


def _identifiers(count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Distinct ones, of persons that do not exist."""
    yield (
        "telephone numbers",
        [
            {"kind": "phone", "value": {"number": f"+32470{number:06}"}}
            for number in range(100_000, 100_000 + count)
        ],
    )
    yield (
        "parties with an address",
        [
            {
                "kind": "party",
                "value": {
                    "name": f"Addressee Number{number}",
                    "lines": [f"Teststraat {number % 400 + 1}"],
                    "postcode": f"{1000 + number}",
                    "city": "Brussel",
                    "country": "BE",
                },
            }
            for number in range(count)
        ],
    )


def _pseudonymised(
    browser: Browser, here: Served, cookies: Sequence[Any], what: str, values: list[dict[str, Any]]
) -> Pseudonymised:
    with profile(browser, here.address, cookies) as page:
        page.add_init_script(_WATCH_TASKS)
        page.goto("/go", wait_until="networkidle")
        answer = page.evaluate(_PSEUDONYMISE, values)
    return Pseudonymised(what, **answer)


def _show(pages: Sequence[Page]) -> None:
    print(f"{'page':34} {'kB':>8} {'answers':>8} {'paint ms':>9} {'task ms':>8}")
    for each in sorted(pages, key=lambda page: -page.paint):
        print(
            f"{each.address:34} {each.bytes / 1000:8.1f} {each.answers:8}"
            f" {each.paint:9.0f} {each.longest:8.0f}"
        )
    heaviest, slowest = max(each.bytes for each in pages), max(each.paint for each in pages)
    print(f"heaviest {heaviest / 1000:.1f} kB of 300: {_verdict(heaviest <= WEIGHT_LIMIT)}")
    print(f"slowest first paint {slowest:.0f} ms of 1000: {_verdict(slowest < PAINT_LIMIT)}")


def _show_pseudonymised(done: Sequence[Pseudonymised]) -> None:
    for each in done:
        print(
            f"{each.found} {each.what}: {each.facets} evaluations, {each.seconds:.1f} s,"
            f" {each.rate:.1f} a second, progress told {each.told} times"
        )
        is_smooth = _verdict(each.longest <= TASK_LIMIT)
        print(f"  longest task of the page {each.longest:.0f} ms: {is_smooth}")


def _verdict(passed: bool) -> str:
    return "PASS" if passed else "FAIL"


if __name__ == "__main__":
    main()
