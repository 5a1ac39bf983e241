"""Keys that three holders share, each a process of its own: asked by the command and by the pages.

One holder cheats and is named, one is stopped; every two that are honest give the same pseudonym.
Then the key is rotated while all of them run.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select, text

from app.indicators.models import Indicator
from app.lookups.scoring import Query
from app.pseudonyms import holder_service
from postern import group, key_document, rotation
from postern.client import Client
from postern.client_errors import CheatingHoldersError, HoldersMissingError, SignatureNeededError
from postern.commands.evaluating import RequestSigner
from postern.key_ring import KeyRing, pin
from postern.normalise import Phone, normalise
from postern.pseudonymise import Pseudonym, Pseudonymiser
from postern.settings import OwnKeys
from postern.vocabulary import EvaluationKind, Purpose, Scope
from tests.app.exchange import OPEN_TO_POLICE, report
from tests.app.people import bearer
from tests.functional import key_files
from tests.functional.holder_processes import NAMES, PHONE, Ring, console, opened_ring
from tests.functional.leaving import watched
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import NARROW, require_accessible, require_fitting
from tests.postern.premises import PASSPHRASE, locked

SEEN, TYPED = Phone("+32 2 555 01 01"), "+32 2 555 01 01"
PATIENCE = 15_000  # milliseconds that a page may take
NOTICE = "First your organisation's signature"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Ring]:
    home = tmp_path_factory.mktemp("holders")
    with opened_ring(home, sqlite_template) as opened:
        opened.exchange.publish("post-be", OPEN_TO_POLICE)
        seen = opened.indicator(SEEN, opened.key())
        opened.exchange.submit("post-be", report("seen", seen))
        for code in ("police-de", "post-be"):
            key_files.settle(opened.exchange, code, home)
        yield opened


@pytest.fixture(scope="module")
def client(ring: Ring) -> Iterator[Client]:
    """A client of the platform for police-de, which pinned its keys."""
    person = ring.exchange.people["police-de"]
    scopes = [Scope.EVALUATE]
    token = bearer(ring.platform, person, scopes)["Authorization"].split()[1]
    with closing(Client.at(ring.address, token=token)) as made:
        raw = made.keys().raw
        pin(raw, key_document.signer(raw), ring.home / "pins.json", datetime.now(UTC))
        yield made


def pseudonymiser(ring: Ring, client: Client, *, signs: bool = True) -> Pseudonymiser:
    return Pseudonymiser(
        client,
        KeyRing(client, ring.home / "pins.json"),
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        case="PV-1",
        signer=RequestSigner(OwnKeys(), locked("police-de").keys) if signs else None,
    )


def phone(ring: Ring, made: Pseudonymiser, number: str) -> Pseudonym:
    """The pseudonym of a number in epoch 1, which the whole key would give as well."""
    (found,) = made.pseudonymise([normalise(Phone(number))])
    ((_, element),) = ring.elements(Phone(number), ring.key())
    assert found.facets[0].element == element
    return found


def test_holders_evaluate_together_and_a_cheat_is_named(ring: Ring, client: Client) -> None:
    with pseudonymiser(ring, client) as asking:
        before = phone(ring, asking, TYPED)
        assert asking.cheating == []

    with (
        pseudonymiser(ring, client, signs=False) as unsigned,
        pytest.raises(SignatureNeededError),
    ):
        phone(ring, unsigned, "+32 2 555 01 02")

    # Beta evaluates with a share of its own making, and proves that.
    honest = ring.put_share("beta", group.random_scalar())
    with pseudonymiser(ring, client) as asking:
        assert phone(ring, asking, TYPED) == before
        assert asking.cheating == ["beta"]

    # Gamma goes: of the two that are left one cheats, and nothing is used.
    ring.stop("gamma")
    with pseudonymiser(ring, client) as asking, pytest.raises(CheatingHoldersError) as cheated:
        phone(ring, asking, "+32 2 555 01 03")
    assert (cheated.value.names, cheated.value.away) == (("beta",), ("gamma",))
    assert "holder beta carries no valid proof" in str(cheated.value)
    assert "no answer came from gamma. 2 honest holders must take part and 1 did" in str(
        cheated.value
    )

    # Beta honest again: two of three are enough.
    ring.put_share("beta", honest)
    with pseudonymiser(ring, client) as asking:
        assert phone(ring, asking, TYPED) == before
        assert asking.cheating == []

    # One is not, and who is missed is told.
    ring.stop("beta")
    with pseudonymiser(ring, client) as asking, pytest.raises(HoldersMissingError) as missed:
        phone(ring, asking, "+32 2 555 01 04")
    assert "beta, gamma" in str(missed.value)
    for name in ("beta", "gamma"):
        ring.start(name)

    # Every holder wrote down for itself what it was asked.
    for app in ring.holders.values():
        with app.app_context(), app.extensions["postern"].database.reading() as session:
            assert len(holder_service.held(session)) == len(EvaluationKind)
            kept = session.execute(
                text("SELECT count(*) FROM audit_entry WHERE act = 'holder.evaluate'")
            ).scalar_one()
            assert kept >= 2


def opened_page(
    browser: Browser, ring: Ring, code: str, **more: Any
) -> tuple[BrowserContext, Page]:
    """A browser in which a person of an organisation is signed in."""
    context = browser.new_context(base_url=ring.address, **{"locale": "en-GB", **more})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    person = ring.exchange.people[code]
    page.goto("/sign-in")
    page.locator("[name=login]").fill(person.login)
    page.locator("[name=password]").fill(person.password)
    page.locator("main form button").click()
    page.wait_for_url("**/")
    return context, page


def look_up(page: Page, typed: str = TYPED) -> None:
    """Say why, when it was not said yet, and look a value up."""
    if page.locator("#search-why-form").is_visible():
        page.locator("#search-grounds").select_option("criminal_investigation criminal_procedure")
        page.locator("#search-case").fill("PV-2026-17")
        page.locator("#search-why-form button").click()
    page.locator("#search-text").fill(typed)
    page.locator("#search-text").press("Enter")


def require_found(page: Page) -> None:
    found = page.locator("#search-result-title")
    expect(found).to_have_text("1 organisation holds something of it", timeout=PATIENCE)
    expect(found).to_be_visible(timeout=PATIENCE)  # that of the search before is hidden meanwhile


def test_a_page_signs_checks_names_a_cheat_and_goes_on_with_one_down(
    browser: Browser, ring: Ring
) -> None:
    context, page = opened_page(browser, ring, "police-de")
    page.goto("/search")
    notice, named = page.locator("[data-holders]"), page.locator("[data-cheating]")
    refused = page.locator("#search-form [data-refused]")
    expect(notice).to_contain_text(NOTICE)
    expect(notice).to_contain_text("alpha, beta, gamma")
    expect(page.locator("#search-text")).to_be_hidden()
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "holders-needed")
    file = ring.home / "police-de.json"
    leaving = watched(context)
    key_files.unlock(page, file)
    expect(notice).to_contain_text("is signed with your organisation's key")
    look_up(page)
    require_found(page)
    expect(named).to_be_hidden()

    honest = ring.put_share("beta", group.random_scalar())
    try:
        look_up(page)
        expect(named).to_contain_text("the holder beta is wrong.", timeout=PATIENCE)
        require_found(page)
        require_accessible(page)
        keep_picture(page, "holders-cheating")
        ring.stop("gamma")
        look_up(page)
        too_few = "the holder beta is wrong, and these do not answer: gamma. Too few are left"
        expect(refused).to_contain_text(too_few, timeout=PATIENCE)
        require_accessible(page)
        keep_picture(page, "holders-too-few")
    finally:
        ring.put_share("beta", honest)
    look_up(page)
    require_found(page)
    expect(refused).to_be_hidden()
    ring.stop("beta")
    look_up(page)
    expect(refused).to_contain_text("these do not: beta, gamma", timeout=PATIENCE)
    ring.start("beta")
    look_up(page)
    require_found(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator("#search-text")).to_be_hidden()
    identity = locked("police-de").keys.identity
    leaving.require_nothing_of(TYPED, identity.seed.hex(), PASSPHRASE)
    context.close()


def test_a_page_says_early_in_other_languages_and_on_a_narrow_screen(
    browser: Browser, ring: Ring
) -> None:
    narrow = {"width": NARROW, "height": 720}
    context, page = opened_page(browser, ring, "police-de", locale="fr-BE", viewport=narrow)
    page.goto("/search")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("[data-holders] h2")).to_be_visible()
    expect(page.locator("#search-text")).to_be_hidden()
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "holders-needed-fr-narrow")
    context.close()


def test_a_report_is_typed_once_its_key_file_is_open_and_a_file_chosen(
    browser: Browser, ring: Ring
) -> None:
    context, page = opened_page(browser, ring, "post-be")
    page.goto("/reports/upload")
    expect(page.locator("[data-holders]")).to_contain_text(NOTICE)
    expect(page.locator("#file")).to_be_hidden()
    require_accessible(page)
    file = ring.home / "post-be.json"
    key_files.unlock(page, file)
    expect(page.locator("#file")).to_be_visible()

    page.goto("/reports/new")
    expect(page.locator("[data-holders]")).to_contain_text(NOTICE)
    expect(page.locator("#report")).to_be_hidden()
    require_accessible(page)
    keep_picture(page, "holders-needed-report")
    key_files.unlock(page, file)
    field = '[data-field="{}"]'
    page.evaluate(
        "for (const fold of document.querySelectorAll('#report details')) fold.open = true"
    )
    page.locator(field.format("sender_phone")).fill(TYPED)
    page.locator(field.format("case")).fill("PV-2")
    page.locator('[data-do="preview"]').click()
    page.locator('[data-do="release"]').click()
    expect(page.locator("#result")).to_be_visible()
    first, second = ring.exchange.rows(select(Indicator).order_by(Indicator.id))
    assert first.tokens == second.tokens
    context.close()


def test_a_key_is_rotated_while_all_of_them_run(ring: Ring, client: Client) -> None:
    platform, factor = ring.platform, ring.home / "factor"
    alpha, beta, gamma = (ring.holders[name] for name in NAMES)
    console(platform, "keys", "draw-factor", "--to", factor)
    moving = ("phone", "1", "--factor-file", factor)
    begin = ("keys", "rotate", "--kind", "phone", "--factor-file", factor)
    for name in NAMES:
        ring.restart(name)  # none may be missing for what went before
    with pseudonymiser(ring, client) as working:
        before = phone(ring, working, TYPED)
        found = found_by(ring, before)

        # Too few have moved: nothing begins, and who is missing is named.
        console(platform, "keys", "move-sharing", *moving)
        assert "phone/2" in console(alpha, "holder", "move", *moving)
        refused = platform.test_cli_runner().invoke(args=[str(each) for each in begin])
        assert refused.exit_code == 1
        assert "alpha holds its share; beta holds no share of it" in refused.output
        assert console(platform, "keys", "rotations").strip() == "No key was rotated."

        # Two of three are enough, and gamma is told of.
        console(beta, "holder", "move", *moving)
        said = console(platform, *begin, "--overlap-days", "14")
        assert "Holder gamma holds no share of it" in said
        assert "epoch 1 moves to 2" in said

        # Who began before goes on in epoch 1; who begins now is in epoch 2, and both find it.
        phone(ring, working, "+32 2 555 01 05")
        with pseudonymiser(ring, client) as after:
            moved = again(after)
            assert after.cheating == []
        (first,), (second,) = before.facets, moved.facets
        assert first.element is not None
        assert second.element == group.mul(factor.read_bytes(), first.element)
        assert (moved.epoch, found_by(ring, moved), found_by(ring, before)) == (2, found, found)

        # Gamma comes late, and then another may be down.
        console(gamma, "holder", "move", *moving)
        ring.stop("alpha")
        with pseudonymiser(ring, client) as after:
            assert again(after) == moved
        ring.start("alpha")

        # The old epoch closes: its shares go, and who works with it changes over by itself.
        assert "Closed." in console(platform, "keys", "close-epoch", "phone", "--yes")
        console(platform, "keys", "rotate", "--work")
        assert "done" in console(platform, "keys", "rotations")
        for app in (alpha, beta, gamma):
            assert "erased" in console(app, "holder", "forget", "phone", "1")
        (late,) = working.pseudonymise([normalise(Phone("+32 2 555 01 06"))])
        assert late.epoch == 2
        assert again(working) == moved
    assert found_by(ring, moved) == found
    proof = ring.home / "proof.jsonl"
    console(platform, "keys", "rotation-proof", "phone", "2", "--to", proof)
    proved = rotation.verify_file(proof.read_text("utf-8").splitlines())
    assert proved.rotation.new_key == client_key(client)


def again(made: Pseudonymiser) -> Pseudonym:
    (found,) = made.pseudonymise([normalise(Phone(TYPED))])
    return found


def found_by(ring: Ring, pseudonym: Pseudonym) -> int:
    """How many hits police-de has for a pseudonym."""
    tokens = [(facet.number, facet.token) for facet in pseudonym.facets]
    query = Query("q", pseudonym.kind, pseudonym.epoch, tokens)
    (result,) = ring.exchange.ask("police-de", query).results
    assert result.hits
    return len(result.hits)


def client_key(client: Client) -> bytes:
    """The public key of epoch 2 that the platform publishes."""
    raw = client.keys().raw
    document = key_document.read(raw, key_document.signer(raw), datetime.now(UTC))
    return document.at(PHONE, datetime.now(UTC)).public_key
