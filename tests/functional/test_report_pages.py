"""The operator's desk in a real browser: a report typed and released, files uploaded and followed.

What the modules make of rows is tested in tests/app/web, what the pages say in tests/app; here are
whole jobs, from sign-in to result.
"""

import base64
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from sqlalchemy import select

from app.indicators.models import Indicator, Report
from app.indicators.reading import SHIPMENT_FIELDS
from postern.client_disclosures import sealed_at
from postern.seal import open_envelope
from postern.sealed_content import Attachment, Note, Value, opened
from postern.vocabulary import Kind, Tlp
from postern.wire import Fields
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, Exchange, place, report
from tests.functional import key_files
from tests.functional.conftest import Platform
from tests.functional.leaving import watched
from tests.functional.pictures import keep_picture
from tests.functional.test_client_against_platform import SUBMIT, settle
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)
from tests.postern.premises import locked

SHEETS = Path(__file__).parent.parent / "data" / "sheets"
DARK: dict[str, Any] = {
    "color_scheme": "dark",
    "viewport": {"width": NARROW, "height": 720},
    "reduced_motion": "reduce",
}

LABEL = "16, rue de la Loi\n1040 Bruxelles\nBelgique"
TYPED = ("Sophie Van Damme", "rue de la Loi", "02 555 12 34", "RB123456785GB")
ONE_ROW = (
    "Sender's name,Sender's address,Sender's country,Sender's phone,Item number,Gross weight,"
    "Total value,Substance,Barrier step,TLP,Grade,Expires in\n"
    'Sophie Van Damme,"16, rue de la Loi; 1040 Bruxelles; Belgique",BE,02 555 12 34,'
    "RB123456785GB,350,12.50,mdma,4,GREEN,B2,90\n"
)
WRONG_ROWS = (
    "Nom de l'expéditeur;Adresse de l'expéditeur;Téléphone de l'expéditeur;Grade;Klant\n"
    "Sophie Van Damme;Rue de la Loi 16, 1040 Bruxelles;02 555 12 34;X4;a\n"
    "Jan de Vries;Keizersgracht 101, 1015 AB Amsterdam;12;X4;b\n"
    "\n"
    "Erika Mustermann;Hauptstraße 5, 10115 Berlin;;E9;c\n"
    "Sophie Van Damme;Rue de la Loi 16, 1040 Bruxelles;;B2;d\n"
    ";;;;e\n"
    "Éloïse Noël;Rue Haute 3, 1000 Bruxelles;;;f\n"
)


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[data-field="{name}"]')


def said(page: Page, name: str) -> Locator:
    return page.locator(f'[data-said-of="{name}"]')


def do(page: Page, what: str) -> Locator:
    return page.locator(f'[data-do="{what}"]:visible')


def unfold(page: Page) -> None:
    page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")


@pytest.fixture
def in_french(browser: Browser, platform: Platform) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=platform.address, locale="fr-FR")
    context.set_default_timeout(15_000)
    yield context
    context.close()


def stored(exchange: Exchange) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every report as it is stored, without what differs from one to the next by chance."""
    told = ("barrier_step", *SHIPMENT_FIELDS)
    columns = [
        *("kind", "role", "subject_category", "assertion", "source_grade", "information_grade"),
        *("learned", "legal_basis", "tlp", "handling", "permitted_action", "observed_from"),
        *("observed_to", "review_on", "expires_on", "quality", "epoch", "place", "seen_day"),
        *("tokens", "facets_stored", "facets_common", "share_class_id"),
    ]
    indicators: dict[int, list[dict[str, Any]]] = {}
    for row in exchange.rows(select(Indicator).order_by(Indicator.id)):
        found = {name: getattr(row, name) for name in columns}
        indicators.setdefault(row.report_id, []).append(found)
    return [
        ({name: getattr(row, name) for name in told}, indicators[row.id])
        for row in exchange.rows(select(Report).order_by(Report.id))
    ]


def test_a_report_is_typed_previewed_and_released_as_the_command_would_send_it(
    page: Page, platform: Platform, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    sign_in(page, exchange.people["post-be"])
    leaving = watched(page.context)
    page.goto("/reports/new")
    field(page, "sender_name").fill("Sophie Van Damme")
    expect(said(page, "sender_name")).to_contain_text("too little")
    field(page, "sender_street").fill(LABEL)
    expect(page.locator('[data-address="sender_"]')).to_contain_text("1040")
    expect(said(page, "sender_name")).to_contain_text("understood as")
    unfold(page)
    field(page, "sender_country").select_option("BE")
    field(page, "sender_phone").fill("12")
    expect(said(page, "sender_phone")).to_contain_text("between 6 and 15 digits")
    field(page, "case").fill("PV-1")
    do(page, "preview").click()
    expect(field(page, "sender_phone")).to_be_focused()
    field(page, "sender_phone").fill("02 555 12 34")
    field(page, "item_id").fill("RB123456785GB")
    field(page, "gross_weight").fill("350")
    expect(said(page, "gross_weight")).to_contain_text("100-500")
    field(page, "total_value").fill("12.50")
    field(page, "substance").select_option("mdma")
    field(page, "barrier_step").select_option("4")
    field(page, "tlp").select_option("GREEN")
    field(page, "source").select_option("B")
    field(page, "information").select_option("2")
    field(page, "expires_in").fill("90")
    do(page, "preview").click()
    preview = page.locator("#preview")
    expect(preview.locator("[data-seen] li")).to_have_count(3)
    expect(preview.get_by_role("row", name="Organisation police-de").first).to_contain_text(
        "request"
    )
    expect(preview).not_to_contain_text("Organisation customs-nl")
    do(page, "release").click()
    result = page.locator("#result")
    expect(result).to_contain_text("Released")
    expect(result.locator("[data-receipt]")).not_to_be_empty()
    leaving.require_nothing_of(*TYPED)
    suggested = result.get_by_role("link", name="See which step and signals are suggested")
    number = result.locator("[data-report-id]").inner_text()
    expect(suggested).to_have_attribute("href", re.compile(f"/barriers/tags/{number}$"))
    result.locator("[data-report-link]").click()
    expect(page.get_by_role("heading", name="A report of ours")).to_be_visible()
    by_command = settle(platform, exchange, tmp_path, "post-be", SUBMIT)
    file = tmp_path / "one.csv"
    file.write_text(ONE_ROW, encoding="utf-8")
    done = by_command.run(
        *("submit", file, "--learned", "outside_of_item", "--legal-basis", "postal_law"),
        *("--purpose", "parcel_screening", "--case", "PV-1", "--workers", "1"),
        *("--weight-unit", "g", "--currency", "EUR", "--country", "BE"),
    )
    assert done.exit_code == 0, done.output
    by_page, by_file = stored(exchange)
    assert by_page == by_file
    assert [each["tlp"] for each in by_page[1]] == [Tlp.GREEN] * 3


@on_one_database
def test_nothing_typed_is_lost_when_the_platform_does_not_answer_and_a_retry_stores_it_once(
    page: Page, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])
    page.goto("/reports/new")
    field(page, "sender_street").fill(LABEL)
    field(page, "case").fill("PV-1")
    do(page, "preview").click()
    expect(page.locator("#preview")).to_contain_text("No other organisation")

    def lost(route: Route) -> None:
        route.fetch()
        route.abort()

    page.context.route("**/api/v1/reports", lost)
    do(page, "release").click()
    expect(page.locator("#preview [data-refused]")).to_contain_text("did not answer")
    page.context.unroute("**/api/v1/reports")
    expect(field(page, "sender_street")).to_have_value(LABEL)
    do(page, "release").click()
    expect(page.locator("#result")).to_contain_text("was in already")
    assert len(stored(exchange)) == 1
    do(page, "again").click()
    expect(field(page, "sender_street")).to_have_value("")
    expect(field(page, "case")).to_have_value("PV-1")
    do(page, "preview").click()
    expect(page.locator("main > [data-refused]")).to_contain_text("nothing to compare")


@on_one_database
def test_values_a_note_and_a_file_go_along_sealed_to_the_own_keys(
    page: Page, exchange: Exchange, tmp_path: Path
) -> None:
    key_file = key_files.settle(exchange, "post-be", tmp_path)
    sign_in(page, exchange.people["post-be"])
    leaving = watched(page.context)
    page.goto("/reports/new")
    field(page, "sender_name").fill("Sophie Van Damme")
    field(page, "sender_street").fill(LABEL)
    field(page, "case").fill("PV-1")
    page.locator("[data-sealed] > summary").click()
    key_files.unlock(page, key_file)
    field(page, "note").fill("Smelt of solvent")
    page.locator("[data-files]").set_input_files(
        {"name": "label.jpg", "mimeType": "image/jpeg", "buffer": b"a photo of the label"}
    )
    do(page, "preview").click()
    expect(page.locator("#preview")).to_contain_text("sealed to your own keys and go along")
    do(page, "release").click()
    expect(page.locator("[data-result]")).to_have_text("Released: the report is in.")
    leaving.require_nothing_of("Sophie Van Damme", "Smelt of solvent", "a photo of the label")
    address = f"/api/v1/reports/{page.locator('[data-report-id]').inner_text()}/envelopes"
    keys = locked("post-be").keys
    found = {}
    for each in page.request.get(address).json()["envelopes"]:
        place_of = sealed_at(Fields(each, "envelope"))
        raw = page.request.get(f"{address}/{place_of.id}").body()
        context = place_of.context("post-be")
        plain = open_envelope(raw, context, keys.opening_keys, keys.signers)
        found[place_of.part_name] = opened(place_of.part_name, plain)
    assert found == {
        "value": Value(Kind.PARTY, {"name": "Sophie Van Damme", "street": LABEL}),
        "note": Note("Smelt of solvent"),
        "attachment/1": Attachment("label.jpg", "image/jpeg", b"a photo of the label"),
    }


@on_one_database
def test_a_file_with_wrong_rows_is_uploaded_in_french_and_they_come_back(
    in_french: BrowserContext, exchange: Exchange, tmp_path: Path
) -> None:
    page = in_french.new_page()
    sign_in_anywhere(page, exchange)
    leaving = watched(in_french)
    page.goto("/reports/upload")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    file = tmp_path / "envois.csv"
    file.write_text(WRONG_ROWS, encoding="utf-8")
    page.locator("#file").set_input_files(file)
    selects = page.locator("[data-columns] select")
    expect(selects).to_have_count(5)
    expect(selects.nth(0)).to_have_value("sender_name")
    expect(selects.nth(4)).to_have_value("")
    field(page, "case").fill("PV-2")
    do(page, "read").click()
    figures = page.locator("[data-figures] dd")
    expect(figures).to_have_text(["6", "3", "3"])
    lines = page.locator("[data-wrong-rows] td:first-child")
    expect(lines).to_have_text(["3", "5", "7"])
    require_accessible(page)
    keep_picture(page, "upload-preview-fr")
    do(page, "send").click()
    expect(page.locator('[data-do="another"]')).to_be_visible()
    counts = page.locator("[data-counts] dd")
    expect(counts).to_have_text(["6", "3", "0", "3", "0"])
    with page.expect_download() as started:
        do(page, "errors").click()
    assert started.value.suggested_filename == "envois.rejected.csv"
    text = Path(started.value.path()).read_text("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text), delimiter=";")
    assert header[:2] == ["Nom de l'expéditeur", "Adresse de l'expéditeur"]
    assert header[-4:] == ["postern_line", "postern_field", "postern_reason", "postern_remedy"]
    assert [(row[0], row[5]) for row in rows] == [
        ("Jan de Vries", "3"),
        ("Erika Mustermann", "5"),
        ("", "7"),
    ]
    assert all(row[-2] and row[-1] for row in rows)
    assert len(stored(exchange)) == 3
    leaving.require_nothing_of("Jan de Vries", "Erika Mustermann", "Hauptstraße", "Keizersgracht")


def sign_in_anywhere(page: Page, exchange: Exchange) -> None:
    """Sign in whatever the language of the page is."""
    person = exchange.people["post-be"]
    page.goto("/sign-in")
    page.locator("input[name=login]").fill(person.login)
    page.locator("input[name=password]").fill(person.password)
    page.locator("main form button").click()
    page.wait_for_url("**/")


@on_one_database
def test_a_workbook_is_uploaded_paused_and_taken_up_again_after_an_error(
    page: Page, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])
    page.goto("/reports/upload")
    page.locator("#file").set_input_files(SHEETS / "shipments.xlsx")
    expect(page.locator("[data-file-state]")).to_contain_text("Excel, 4 rows")
    expect(page.locator("[data-warnings]")).to_contain_text("Only the first sheet, Envois")
    field(page, "case").fill("PV-3")
    do(page, "read").click()
    expect(page.locator("[data-doubts]")).to_contain_text("zeros at the front are lost")
    expect(page.locator("[data-wrong-rows]")).to_contain_text("never computed")
    spent = {"title": "The quota is spent", "resets_at": "2026-12-01T00:00:00+00:00"}
    page.context.route("**/api/v1/evaluate", lambda route: route.fulfill(status=429, json=spent))
    do(page, "send").click()
    expect(page.locator('[data-step="sending"] [data-refused]')).to_contain_text("2026")
    page.context.unroute("**/api/v1/evaluate")
    page.context.route("**/api/v1/reports", lambda route: route.abort())
    do(page, "continue").click()
    expect(page.locator('[data-step="sending"] [data-refused]')).to_contain_text("did not answer")
    page.context.unroute("**/api/v1/reports")
    do(page, "continue").click()
    counts = page.locator("[data-counts] dd")
    expect(counts).to_have_text(["4", "2", "0", "2", "0"])
    with page.expect_download() as started:
        do(page, "errors").click()
    assert started.value.suggested_filename == "shipments.rejected.xlsx"
    with zipfile.ZipFile(started.value.path()) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r"<row r=.(\d)", sheet) == ["1", "2", "3"]
    assert "Erika Mustermann" in sheet
    assert "2026-11-20" not in sheet
    (first, indicators), _ = stored(exchange)
    assert first["weight_band"] == "100-500"
    assert str(indicators[0]["observed_from"]) == "2026-11-20"
    # The file of wrong rows can be uploaded as it is.
    do(page, "another").click()
    page.locator("#file").set_input_files(
        {
            "name": "again.xlsx",
            "mimeType": "application/octet-stream",
            "buffer": Path(started.value.path()).read_bytes(),
        }
    )
    expect(page.locator("[data-file-state]")).to_contain_text("Excel, 2 rows")


OPENED = """async ([name, bytes]) => {
    const { Premises } = await import("/static/modules/premises.js");
    window.premises ??= new Premises();
    const reading = { today: "2026-11-26", units: { weight: "", currency: "" }, operator: "",
                      country: "BE", seals: false,
                      terms: { learned: "xray", legal_basis: "postal_law" } };
    try {
        const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
        const found = await premises.ask("sheetOpen", { name, bytes: content });
        const read = await premises.ask("sheetRead", { chosen: [], reading });
        return { ...found, read };
    } catch (error) {
        return { code: error.code };
    }
}"""


def book(sheet: str, strings: str = "", styles: str = "", dates: str = "") -> bytes:
    """A workbook of hand-written XML."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><workbookPr {dates}/><sheets>'
            '<sheet name="A &amp; B" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        zipped.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="rId1" Type="{office}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        zipped.writestr("xl/sharedStrings.xml", f"<sst {main}>{strings}</sst>")
        zipped.writestr("xl/styles.xml", f"<styleSheet {main}>{styles}</styleSheet>")
        zipped.writestr("xl/worksheets/sheet1.xml", f"<worksheet {main}>{sheet}</worksheet>")
    return made.getvalue()


HEADINGS = (
    '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="inlineStr"><is><t>PLZ</t></is></c>'
    '<c r="C2" t="inlineStr"><is><t>expires_on</t></is></c>'
    '<c r="D2" t="inlineStr"><is><t>item number</t></is></c></row>'
)
STRINGS = (
    "<si><r><t>Anschrift</t></r><rPh><t>x</t></rPh></si><si><t>Rue &amp; Loi_x000A_16</t></si>"
)
STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="00000"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>'
)
ROWS = (
    '<row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" s="1"><v>1067</v></c>'
    '<c r="C3" s="2"><v>46600</v></c></row>'
    '<row r="4"><c r="A4" t="str"><f>"Rue Haute "&amp;3</f><v>Rue Haute 3</v></c>'
    '<c r="B4"><v>1000</v></c><c r="C4" s="2"><f>1/0</f><v/></c>'
    '<c r="D4"><v>1.23456789012346E+17</v></c></row>'
    '<row r="7"><c r="A7" t="e"><v>#N/A</v></c><c r="B7" t="b"><v>1</v></c></row>'
)


@on_one_database
def test_files_as_they_come_are_read_and_what_cannot_be_is_refused(
    page: Page, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])

    def read(name: str, content: bytes) -> dict[str, Any]:
        found: dict[str, Any] = page.evaluate(
            OPENED, [name, base64.b64encode(content).decode("ascii")]
        )
        return found

    for name, form, rows, good in (
        ("semicolon.csv", "csv", 3, 2),
        ("tab-utf16.txt", "csv", 2, 2),
        ("windows-1252.csv", "csv", 1, 1),
        ("merged.xlsx", "xlsx", 2, 2),
        ("shipments.xlsx", "xlsx", 4, 2),
    ):
        found = read(name, (SHEETS / name).read_bytes())
        assert (found["form"], found["rows"]) == (form, rows), name
        assert (name, found["read"]["good"]) == (name, good)
    guessed = read("windows-1252.csv", (SHEETS / "windows-1252.csv").read_bytes())
    assert [each["code"] for each in guessed["warnings"]] == ["guessed"]
    assert guessed["read"]["preview"][0]["sightings"][0]["text"].startswith("eloise ")
    merged = read("merged.xlsx", (SHEETS / "merged.xlsx").read_bytes())
    assert [each["code"] for each in merged["warnings"]] == ["merged-header"]
    assert [each["heading"] for each in merged["columns"]] == [
        *("Absender", "", "", "PLZ des Absenders")
    ]

    made = read("made.xlsx", book(f"<sheetData>{HEADINGS}{ROWS}</sheetData>", STRINGS, STYLES))
    assert made["rows"] == 3
    first, second, third = made["read"]["preview"]
    assert first["sightings"][0]["text"].startswith("loi 16, 01067"), first
    assert [each["field"] for each in second["faults"]] == ["expires_on"]
    assert [each["field"] for each in third["faults"]] == ["street"]
    assert (first["line"], second["line"], third["line"]) == (3, 4, 7)
    assert made["read"]["doubts"] == [
        {"code": "zeros-lost", "field": "postcode", "num": 1},
        {"code": "digits-lost", "field": "item_id", "num": 1},
    ]
    assert made["warnings"] == [{"code": "formulas", "names": {"num": 2}}]

    bomb = book(f"<sheetData>{' ' * 110_000_000}</sheetData>")
    assert len(bomb) < 200_000
    for name, content, code in (
        ("bomb.xlsx", bomb, "bomb"),
        ("cut.xlsx", book("<sheetData>")[:-40], "damaged-workbook"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(100), "old-excel"),
        ("picture.csv", b"\x89PNG\r\n" + bytes(100), "not-a-table"),
        ("empty.csv", b"\n\n", "empty"),
        ("open.csv", b'a,b\n"never', "unclosed"),
        ("wide.csv", b"," * 200 + b"x\n", "too-many-columns"),
        ("long.csv", b"a\n" + b"x\n" * 20_001, "too-many-rows"),
    ):
        assert read(name, content) == {"code": code}, name


@on_one_database
def test_the_operators_pages_are_accessible_and_fit_in_both_themes(
    browser: Browser, platform: Platform, exchange: Exchange
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    (made,) = exchange.submit(
        "post-be",
        report("k1", exchange.indicator(SOPHIE), place()),
    ).results
    exchange.submit(
        "post-be", report("k2", exchange.indicator(JAN), shipment={"service": "letter"})
    )
    exchange.ask("police-de", SOPHIE)
    addresses = {"own-reports": "/reports?since=2026-01-01", "own-report": f"/reports/{made.id}"}
    for theme, more in (("light", {}), ("dark-narrow", DARK)):
        context = browser.new_context(base_url=platform.address, locale="en-GB", **more)
        page = context.new_page()
        sign_in(page, exchange.people["post-be"])
        for name, address in addresses.items():
            page.goto(address)
            unfold(page)
            require_accessible(page)
            require_fitting(page)
            keep_picture(page, f"{name}-{theme}")
        page.goto("/reports/new")
        expect(page.locator("#report")).to_be_visible()
        keep_picture(page, f"report-{theme}")
        field(page, "sender_name").fill("Sophie Van Damme")
        field(page, "sender_street").fill(LABEL)
        field(page, "case").fill("PV-1")
        if theme == "light":
            unfold(page)  # every field once; it takes long
        do(page, "preview").click()
        expect(page.locator("#preview")).to_contain_text("Organisation police-de")
        require_accessible(page)
        unfold(page)
        require_fitting(page)
        keep_picture(page, f"report-preview-{theme}")
        page.goto("/reports/upload")
        page.locator("#file").set_input_files(SHEETS / "shipments.xlsx")
        field(page, "case").fill("PV-1")
        do(page, "read").click()
        expect(page.locator("[data-wrong-rows]")).to_contain_text("never computed")
        require_accessible(page)
        unfold(page)
        require_fitting(page)
        keep_picture(page, f"upload-{theme}")
        context.close()


@on_one_database
def test_reports_are_followed_corrected_and_withdrawn_without_script(
    browser: Browser, platform: Platform, exchange: Exchange
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    context = browser.new_context(
        base_url=platform.address, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, exchange.people["post-be"])
    page.goto("/reports")
    expect(page.get_by_text("1 organisation got something of it")).to_be_visible()
    page.get_by_role("link", name="Report of").click()
    page.get_by_text("Correct it", exact=False).first.click()
    page.get_by_label("TLP", exact=True).select_option("GREEN")
    page.get_by_label("Why it is corrected").last.select_option("wrong_data")
    page.get_by_role("button", name="Correct it").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected.")
    page.get_by_label("Why", exact=True).select_option("error")
    page.get_by_role("button", name="Withdraw the report").click()
    expect(page.get_by_role("status")).to_contain_text("Withdrawn.")
    page.goto("/reports?shelf=withdrawn")
    expect(page.get_by_text("nothing of it is left")).to_be_visible()
    context.close()
