"""Charts in a real browser, under the platform's own policy: what is drawn is what the table holds.

Figures are put into a page of the platform as its templates write them, one of each kind.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect

from postern.vocabulary import Role
from tests.app.disclosures.ring import open_ring
from tests.app.exchange import SOPHIE, Exchange
from tests.app.people import make_person
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import complaints, on_one_database, sign_in

__all__ = ["complaints"]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROW = 360  # CSS pixels
BUNDLES = Path(__file__).parents[2] / "app" / "web" / "static" / "modules"

PUT = """async ([kind, title, heads, rows, attributes]) => {
    const make = (name, text, more = {}) => {
        const node = document.createElement(name);
        for (const [key, value] of Object.entries(more)) node.setAttribute(key, value);
        node.append(text);
        return node;
    };
    const cell = (name, told) => {
        if (typeof told !== "object") return make(name, String(told));
        const { text, times = [], href, ...more } = told;
        const made = make(name, "", more);
        for (const at of times) made.append(make("time", `${at.slice(0, 10)} `, { datetime: at }));
        if (!times.length) made.append(href ? make("a", text, { href }) : text);
        return made;
    };
    const row = (name, cells) => {
        const made = document.createElement("tr");
        made.append(...cells.map((each) => cell(name, each)));
        return made;
    };
    const figure = make("figure", make("figcaption", title), { class: "chart", ...attributes });
    figure.dataset.chart = kind;
    const table = make("table", "", { class: "table table-sm" });
    table.createTHead().append(row("th", heads));
    table.createTBody().append(...rows.map((each) => row("td", each)));
    const scroll = make("div", table, { class: "table-responsive", role: "region", tabindex: "0" });
    scroll.setAttribute("aria-label", title);
    const folded = make("details", make("summary", "As a table"), { class: "chart-table" });
    folded.append(scroll);
    figure.append(folded);
    document.querySelector("main").append(figure);
    const { draw } = await import("/static/js/charts.js");
    figure.picture = await draw(figure);
    return figure.picture?.plan.items.map((item) => item.words) ?? null;
}"""


PIXELS = """(figure, name) => {
    const colour = getComputedStyle(figure).getPropertyValue(name).trim().slice(1);
    const wanted = colour.match(/../g).map((each) => parseInt(each, 16));
    const canvas = figure.querySelector(".chart-board canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
        const isClose = wanted.every((each, part) => Math.abs(data[at + part] - each) < 12);
        if (isClose && data[at + 3] > 200) found += 1;
    }
    return found;
}"""


def number(value: float, shown: str | None = None) -> dict[str, str]:
    return {"text": shown or f"{value:,}", "data-value": str(value)}


def at(*times: str) -> dict[str, Any]:
    return {"times": list(times)}


def land(code: str, name: str) -> dict[str, str]:
    return {"text": name, "data-country": code}


def thing(key: str, kind: str, text: str, **more: str) -> dict[str, str]:
    return {"text": text, "data-node": key, "data-kind": kind, **more}


BE, NL, LU, DE, FR, US, SX, CN = (
    land(*each)
    for each in (
        ("BE", "Belgium"),
        ("NL", "Netherlands"),
        ("LU", "Luxembourg"),
        ("DE", "Germany"),
        ("FR", "France"),
        ("US", "United States"),
        ("SX", "Sint Maarten"),
        ("CN", "China"),
    )
)
ROOT = thing("i1", "Address", "Rue de la Loi 16, Brussels", **{"data-centre": ""})
KINDS: dict[str, tuple[list[str], list[list[Any]]]] = {
    "bars": (
        ["Purpose", "Lookups"],
        [
            ["Criminal investigation", number(1204)],
            ["Security of the service", number(310)],
            ["Customs control", number(0)],
        ],
    ),
    "stacked": (
        ["Barrier step", "Found", "Not found", "Wrong"],
        [
            ["Induction at a counter", number(40), number(12), number(3)],
            ["Delivery", number(18), number(30), number(1)],
        ],
    ),
    "lines": (
        ["Day", "Entries", "Refusals"],
        [
            [at(f"2026-03-{day:02}"), number((day * 37) % 101), number(day % 7)]
            for day in range(28, 0, -1)
        ],
    ),
    "intervals": (
        ["Of what kind", "Low", "Share", "High"],
        [
            [
                "Address, seen by the organisation; source A",
                number(0.42),
                number(0.6),
                number(0.76),
            ],
            ["Handle, told by others; source C", number(0.02), number(0.11), number(0.44)],
        ],
    ),
    "timeline": (
        ["When", "Owner", "What"],
        [
            [
                at("2026-01-04T08:00:00+00:00"),
                "Post of Example",
                {"text": "Address, seen at induction", "href": "/log"},
            ],
            [at("2026-01-04T11:00:00+00:00"), "Post of Example", "Handle of a market"],
            [
                at("2026-02-11T10:00:00+00:00", "2026-03-20T10:00:00+00:00"),
                "Police of Example",
                "Watch",
            ],
            [at("2026-03-18T10:00:00+00:00"), "Customs of Example", "Outcome: found"],
        ],
    ),
    "graph": (
        ["Thing", "Relation", "Other thing"],
        [
            [ROOT, "same report", thing("i2", "Handle", "blue-lagoon @ market")],
            [ROOT, "same report", thing("i3", "Telephone", "+32 2 555 12 34", href="/log")],
            [ROOT, "same report", thing("i4", "Item", "RR123456785BE")],
            [
                thing("i3", "Telephone", "+32 2 555 12 34"),
                "same report",
                thing("i5", "Wallet", "bc1qexampleexampleexample"),
            ],
            [
                thing("i5", "Wallet", "bc1qexampleexampleexample"),
                "paid",
                thing("i6", "Handle", "red-lagoon @ market"),
            ],
        ],
    ),
    "corridors": (
        ["From", "To", "Indicators"],
        [
            [NL, US, number(120)],
            [NL, DE, number(64)],
            [BE, FR, number(31)],
            [LU, BE, number(4)],
            [BE, BE, number(9)],
            [NL, SX, number(2)],
            [CN, NL, number(40)],
        ],
    ),
    "sankey": (
        ["Induction", "Found", "Items"],
        [
            ["Counter", "Sorting centre", number(40)],
            ["Locker", "Sorting centre", number(25)],
            ["Counter", "Delivery", number(12)],
            ["Sorting centre", "Seized", number(50)],
        ],
    ),
}


@pytest.fixture
def board(page: Page, exchange: Exchange, complaints: list[str]) -> Iterator[Page]:
    """A page that has charts, as an administrator; it complains of nothing until the end."""
    keeper = make_person(exchange.app, "post-be", (Role.ADMINISTRATOR,))
    sign_in(page, keeper)
    page.goto("/log/growth")
    yield page
    assert complaints == []


def put(page: Page, kind: str) -> tuple[Locator, list[str]]:
    """A figure of a kind at the end of the page, and the words of what it draws."""
    heads, rows = KINDS[kind]
    shares = {"data-format": "percent"} if kind == "intervals" else {}
    told = page.evaluate(PUT, [kind, f"Of the kind {kind}", heads, rows, shares])
    assert told, kind
    return page.locator(f"figure[data-chart={kind}]").last, told


def coloured(figure: Locator, colour: str) -> int:
    """How many pixels of its picture have a colour of the style sheet."""
    found: int = figure.evaluate(PIXELS, colour)
    return found


DRAWN = {
    "bars": ["Criminal investigation: 1,204", "Security of the service: 310", "Customs control: 0"],
    "stacked": [
        *("Induction at a counter: 40 Found", "Induction at a counter: 12 Not found"),
        *("Induction at a counter: 3 Wrong", "Delivery: 18 Found"),
        *("Delivery: 30 Not found", "Delivery: 1 Wrong"),
    ],
    "intervals": [
        "Address, seen by the organisation; source A: 60%, within 42% to 76%",
        "Handle, told by others; source C: 11%, within 2% to 44%",
    ],
    "timeline": [
        "2026-01-04 · Post of Example · Address, seen at induction",
        "2026-01-04 · Post of Example · Handle of a market",
        "2026-02-11 2026-03-20 · Police of Example · Watch",
        "2026-03-18 · Customs of Example · Outcome: found",
    ],
    "corridors": [
        *("Netherlands → United States: 120", "Netherlands → Germany: 64", "Belgium → France: 31"),
        *("Luxembourg → Belgium: 4", "Belgium → Belgium: 9", "Netherlands → Sint Maarten: 2"),
        "China → Netherlands: 40",
    ],
    "sankey": [
        *("Counter → Sorting centre: 40", "Locker → Sorting centre: 25"),
        *("Counter → Delivery: 12", "Sorting centre → Seized: 50"),
    ],
}
FIRST_COLOUR = dict.fromkeys(KINDS, "--chart-1") | {"corridors": "--chart-2"}


@on_one_database
def test_every_kind_draws_its_table_in_both_themes_and_on_a_narrow_screen(board: Page) -> None:
    figures = {}
    for kind in KINDS:
        figures[kind], told = put(board, kind)
        assert told == DRAWN.get(kind, told)
    assert put_words(figures["lines"])[:3] == [
        *("2026-03-01: 37 Entries", "2026-03-01: 1 Refusals", "2026-03-02: 74 Entries"),
    ]
    assert put_words(figures["graph"])[2] == (
        "Telephone: +32 2 555 12 34 · same report: Rue de la Loi 16, Brussels · "
        "same report: bc1qexampleexampleexample"
    )
    light = {kind: coloured(figure, FIRST_COLOUR[kind]) for kind, figure in figures.items()}
    assert min(light.values()) > 50, light
    keep_picture(board, "charts")
    assert breaches(board) == []

    board.emulate_media(color_scheme="dark")
    board.set_viewport_size({"width": NARROW, "height": 800})
    for kind, figure in figures.items():
        expect(figure.locator(".chart-board canvas")).to_have_js_property(
            "clientWidth", NARROW - 24
        )
        assert coloured(figure, FIRST_COLOUR[kind]) > 20, kind
        figure.locator("summary").click()
        expect(figure.locator("table")).to_be_visible()
    assert board.evaluate("document.documentElement.scrollWidth") <= NARROW
    keep_picture(board, "charts-dark-narrow")
    assert breaches(board) == []


@on_one_database
def test_a_change_of_size_while_a_map_is_fetched_draws_it_once_it_is_there(board: Page) -> None:
    held: list[Route] = []
    board.route("**/countries.json", lambda route: held.append(route))  # noqa: PLW0108 - the library marks it
    heads, rows = KINDS["corridors"]
    with board.expect_request("**/countries.json"):
        board.evaluate(f"(given) => void ({PUT})(given)", ["corridors", "Slow", heads, rows, {}])
    for width in (900, 500):
        board.set_viewport_size({"width": width, "height": 800})
        board.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    figure = board.locator("figure[data-chart=corridors]").last
    expect(figure.locator(".chart-board canvas")).to_have_count(0)
    held[0].continue_()
    expect(figure.locator(".chart-board canvas")).to_be_visible()
    expect(figure.locator(".chart-summary")).not_to_be_empty()


@on_one_database
def test_a_chart_is_read_and_moved_by_the_keyboard_alone(board: Page) -> None:
    figure, told = put(board, "timeline")
    picture = figure.get_by_role("application", name="Of the kind timeline")
    expect(picture).to_have_accessible_description(
        re.compile(r"Events: 4. Lanes: 3. From 2026-01-04 to 2026-03-18.*Arrow keys")
    )
    picture.focus()
    for key, place in (
        ("ArrowRight", 0),
        ("ArrowDown", 1),
        ("End", 3),
        ("ArrowLeft", 2),
        ("Home", 0),
    ):
        board.keyboard.press(key)
        expect(figure.locator(".chart-tip")).to_contain_text(told[place])
        expect(figure.get_by_role("status")).to_have_text(f"{told[place]} ({place + 1} of 4)")
    board.keyboard.press("Escape")
    expect(figure.locator(".chart-tip")).to_be_hidden()

    chart, _ = put(board, "corridors")
    zoom = "(figure) => figure.picture.plan.option.geo.zoom"
    at_first = chart.evaluate(zoom)
    chart.get_by_role("button", name="Benelux").press("Enter")
    near = chart.evaluate(zoom)
    assert near > 10 * at_first
    chart.get_by_role("application").focus()
    for key, larger in (("-", False), ("+", True)):
        before = chart.evaluate(zoom)
        board.keyboard.press(key)
        assert (chart.evaluate(zoom) > before) is larger
    centre = "(figure) => figure.picture.plan.option.geo.center"
    east = chart.evaluate(centre)[0]
    board.keyboard.press("Shift+ArrowRight")
    assert chart.evaluate(centre)[0] > east
    board.keyboard.press("0")
    assert chart.evaluate(zoom) == 1

    picture.focus()
    board.keyboard.press("Home")
    board.keyboard.press("Enter")
    board.wait_for_url("**/log")


@on_one_database
def test_a_chart_is_kept_as_a_picture_and_as_a_drawing(board: Page) -> None:
    asked: list[str] = []
    figure, _ = put(board, "stacked")
    board.on("request", lambda request: asked.append(request.url))
    png = kept(board, figure, "PNG")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    wide, high = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    canvas = figure.locator(".chart-board canvas").bounding_box()
    assert canvas
    assert wide > 2 * canvas["width"]
    assert high > 2 * canvas["height"]
    drawing = kept(board, figure, "SVG")
    svg = ElementTree.fromstring(drawing)  # noqa: S314 - what our own page made
    written = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Of the kind stacked", "Found", "Not found", "Wrong", "Delivery", "49"} <= set(written)
    assert all(re.search(r"/static/modules/charts-[\w-]+\.js$", address) for address in asked)


@on_one_database
def test_what_cannot_be_drawn_says_so_and_shows_its_table(board: Page) -> None:
    heard: list[str] = []
    board.on("console", lambda message: heard.append(message.text))
    rows = [["Sophie", "many"]]
    assert board.evaluate(PUT, ["bars", "Wrong", ["Who", "How often"], rows, {}]) is None
    figure = board.locator("figure[data-chart=bars]").last
    expect(figure.get_by_role("status")).to_contain_text("could not be drawn")
    expect(figure.get_by_role("cell", name="Sophie")).to_be_visible()
    assert heard == ["A chart was not drawn: UnreadableTableError"]
    assert board.evaluate(PUT, ["bars", "Empty", ["Who", "How often"], [], {}]) is None
    expect(
        board.locator("figure[data-chart=bars]").last.locator(".chart-board canvas")
    ).to_have_count(0)


@on_one_database
def test_a_page_loads_only_the_charts_that_it_shows(page: Page, exchange: Exchange) -> None:
    keeper = make_person(exchange.app, "post-be", (Role.ADMINISTRATOR,))
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url.rpartition("/")[2]))
    sign_in(page, keeper)
    page.goto("/log")
    assert not [name for name in loaded if name.startswith("charts")]
    page.get_by_role("button", name="Français").click()
    page.goto("/log/growth")
    figure = page.locator("figure.chart")
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".chart-board canvas")).to_be_visible()
    charts = {name for name in loaded if name.startswith("charts")}
    assert any(name.startswith("charts-plotted") for name in charts)
    assert not [name for name in charts if re.match("charts-(graph|corridors|flows|saving)", name)]
    assert (
        sum(
            len(gzip.compress((BUNDLES / name).read_bytes()))
            for name in charts
            if (BUNDLES / name).exists()
        )
        < 200_000
    )
    page.emulate_media(media="print")
    expect(figure.locator("canvas")).to_be_hidden()
    expect(figure.get_by_role("table")).to_be_visible()
    page.emulate_media(media="screen")
    _, told = put(page, "bars")
    assert told[0] == "Criminal investigation: 1\N{NARROW NO-BREAK SPACE}204"


@on_one_database
def test_reliability_is_drawn_with_its_intervals(
    page: Page, platform: Platform, complaints: list[str]
) -> None:
    with open_ring(platform.app) as ring:
        for number in range(6):
            _, indicator = ring.submit(f"k{number}", SOPHIE)
            ring.take("police-de")
            ring.tell("police-de", indicator)
        sign_in(page, make_person(platform.app, "post-be", (Role.COMPLIANCE,)))
        page.goto("/outcomes/reliability")
        figure = page.locator("figure.chart")
        expect(figure.locator(".chart-board canvas")).to_be_visible()
        expect(figure.locator(".chart-summary")).to_contain_text("61% to 100%")
        figure.get_by_role("application").press("Home")
        expect(figure.locator(".chart-tip")).to_contain_text("100%, within 61% to 100%")
        expect(figure.get_by_role("table")).to_be_visible()
        keep_picture(page, "reliability")
        assert breaches(page) == []


def put_words(figure: Locator) -> list[str]:
    words: list[str] = figure.evaluate(
        "(each) => each.picture.plan.items.map((item) => item.words)"
    )
    return words


def breaches(page: Page) -> list[str]:
    """What axe finds wrong, as "rule: element"."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response
    return [
        f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]
    ]


def kept(page: Page, figure: Locator, form: str) -> bytes:
    with page.expect_download() as download:
        figure.get_by_role("button", name=form).click()
    assert download.value.suggested_filename == f"of-the-kind-stacked.{form.lower()}"
    return Path(download.value.path()).read_bytes()
