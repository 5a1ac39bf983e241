"""Disclosure from a browser to a browser: asked, decided, released and received in the pages.

Keys are opened in the page alone, and nothing that was typed or opened leaves it.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.disclosures import decisions, requests
from app.disclosures.decisions import Ruling
from app.disclosures.messages import Sent
from app.disclosures.models import Delivery, DisclosureRequest
from app.disclosures.releasing import HandedIn
from app.disclosures.requests import Question
from app.indicators import envelopes
from app.organisations.models import KeyAlarm, OrganisationKey
from postern import pseudonym
from postern.base64url import to_base64url
from postern.disclosing import Side
from postern.envelope import Resealing
from postern.seal import seal
from postern.sealed_content import Attachment, Value
from postern.sealed_message import Asked, Message
from postern.sealing import Sealer
from postern.vocabulary import (
    Answer,
    DecisionReason,
    Kind,
    MessageKind,
    RequestedAction,
    Role,
    SealedPart,
    Urgency,
)
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, Exchange, report
from tests.app.people import Person, make_person
from tests.functional.conftest import Platform
from tests.functional.key_files import UNLOCKING, pin, require_unlocked, settle, unlock
from tests.functional.leaving import watched
from tests.functional.pictures import keep_picture
from tests.functional.test_modules import on_one_database
from tests.functional.test_pages import NARROW, require_accessible, require_fitting, sign_in
from tests.postern.premises import PASSPHRASE, fresh_keys, locked

OWNER, ASKER = "post-be", "police-de"
FIELDS = {
    "name": "Sophie Van Damme",
    "street": "16, rue de la Loi",
    "postcode": "1040",
    "city": "Bruxelles",
    "country": "BE",
}
WHY, NOTE = "Where is she now?", "The parcel smells of vinegar"
CASE = "PV-2026-17"


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


PNG = b"".join(
    (
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 240, 120, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress((b"\0" + b"\xb0\x7a\x24" * 240) * 120)),
        _chunk(b"IEND", b""),
    )
)
"""A brown rectangle, as the photo of a label."""


@dataclass
class Scene:
    """A hit of police-de on what post-be sealed; both have their key files at hand."""

    exchange: Exchange
    files: dict[str, Path]
    indicator: str
    lookup: str

    @property
    def asking(self) -> str:
        return f"/disclosures/new?indicator={self.indicator}&lookup={self.lookup}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            yield session

    def request(self) -> str:
        """The address of the one request."""
        (found,) = self.exchange.rows(select(DisclosureRequest))
        return f"/disclosures/{found.public_id}"


@pytest.fixture
def scene(exchange: Exchange, tmp_path: Path) -> Scene:
    exchange.publish(OWNER, OPEN_TO_POLICE)
    files = {code: settle(exchange, code, tmp_path) for code in (OWNER, ASKER)}
    sealer = Sealer.of(locked(OWNER).keys)
    token = pseudonym.token("postal", 1, exchange.elements(SOPHIE)[0][1])
    where = (Kind.PARTY, 1, token, "row-1/0")
    indicator = exchange.indicator(SOPHIE) | {
        "sealed": {
            "value": to_base64url(sealer.value(*where, FIELDS)),
            "note": to_base64url(sealer.note(*where, NOTE)),
        }
    }
    (made,) = exchange.submit(OWNER, report("row-1", indicator)).results
    assert made.id is not None, made.errors
    photo = sealer.attachment("row-1", 1, Attachment("label.png", "image/png", PNG))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        envelopes.attach(session, exchange.caller(OWNER), made.id, 1, photo)
    found = exchange.ask(ASKER, SOPHIE)
    return Scene(exchange, files, str(made.indicators[0]), str(found.lookup))


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, platform: Platform) -> Iterator[Opens]:
    """A signed-in person in a browser profile of their own; no script of theirs complains."""
    heard: list[str] = []
    with ExitStack() as closing:

        def signed_in(person: Person, **options: object) -> Page:
            context = browser.new_context(
                base_url=platform.address,
                locale="en-GB",
                **options,  # type: ignore[arg-type]
            )
            closing.callback(context.close)
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.on("pageerror", lambda error: heard.append(str(error)))
            page.on(
                "console",
                lambda said: heard.append(said.text) if "Security Policy" in said.text else None,
            )
            sign_in(page, person)
            return page

        yield signed_in
    assert heard == []


def person(scene: Scene, code: str, *roles: Role) -> Person:
    return make_person(scene.exchange.app, code, roles)


def ask_in_page(page: Page, scene: Scene, *parts: str) -> None:
    page.goto(scene.asking)
    unlock(page, scene.files[ASKER])
    page.get_by_label("Case").fill(CASE)
    for part in parts:
        page.get_by_label(part).check()
    page.get_by_label("Why: for the owner's approver").fill(WHY)
    page.get_by_role("button", name="Seal and ask").click()
    pin(page, OWNER)
    page.wait_for_url("**/disclosures/*?done=asked")


def open_as_owner(page: Page, scene: Scene) -> None:
    page.goto(scene.request())
    unlock(page, scene.files[OWNER])
    pin(page, ASKER)
    expect(page.locator("[data-opening] .opened-part")).to_have_count(3)


def asked_by_command(scene: Scene, *parts: SealedPart, says: bool = True) -> UUID:
    """Ask as the command does on the requester's premises; the id of the request."""
    parts = parts or tuple(SealedPart)
    message = None
    if says:
        named = tuple(part.value for part in parts)
        about = Asked(CASE, scene.indicator, "urgent", named, "none")
        ours, theirs = locked(ASKER).keys, locked(OWNER).keys
        side = Side(ours, theirs.entry, theirs.signers)
        made = side.write(OWNER, MessageKind.ASK, Message(WHY, about), None)
        message = Sent(made.sealed, made.record)
    question = Question(CASE, Urgency.URGENT, parts, RequestedAction.NONE, message)
    with scene.session() as session:
        return requests.ask(
            session,
            scene.exchange.caller(ASKER),
            lookup=UUID(scene.lookup),
            indicator=UUID(scene.indicator),
            question=question,
        ).id


def released_by_command(scene: Scene, request: UUID, fields: dict[str, str]) -> None:
    """Release another value than the stored one, as an owner could who wants to plant it."""
    owner, requester = locked(OWNER).keys, locked(ASKER).keys
    caller = scene.exchange.caller(OWNER)
    with scene.session() as session:
        (stored,) = decisions.read_received(session, caller, request).envelopes
        context = stored.context(OWNER, Resealing(str(request), ASKER, OWNER))
        planted = Value(Kind.PARTY, fields).plaintext()
        sealed = seal(planted, context, requester.entry.recipients, owner.identity)
        ruling = Ruling(Answer.ALL, DecisionReason.NECESSARY, [HandedIn(stored.id, sealed)])
        decided = decisions.decide(session, caller, request, ruling).decision
    assert decided is not None
    second = make_person(scene.exchange.app, OWNER, [Role.APPROVER]).caller
    with scene.session() as session:
        decisions.judge(session, second, request, decided.id, agrees=True)


def open_by_id(page: Page, file: Path) -> None:
    """Open the key file in a page whose words are of any language."""
    expect(page.locator("[data-key-panel]")).to_be_visible()
    page.locator("#key-file").set_input_files(file)
    expect(page.locator("#key-member")).to_be_enabled()
    page.locator("#key-passphrase").fill(PASSPHRASE)
    page.locator("[data-part=open] button.btn-primary").click()


def require_readable(page: Page, name: str) -> None:
    """Accessible in the light and in the dark, and fitting a narrow screen."""
    for scheme, width in (("light", 1280), ("dark", NARROW)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        require_accessible(page)
        require_fitting(page)
        keep_picture(page, f"{name}-{scheme}-{width}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_a_value_goes_from_one_premises_to_the_other_through_two_pages(
    scene: Scene, opens: Opens
) -> None:
    analyst = opens(person(scene, ASKER, Role.ANALYST))
    approver = opens(person(scene, OWNER, Role.APPROVER))
    leaving = [watched(page.context) for page in (analyst, approver)]

    ask_in_page(analyst, scene, "The note", "The attachments")
    expect(analyst.get_by_role("status").first).to_contain_text("The owner's approvers were told")

    open_as_owner(approver, scene)
    expect(approver.get_by_text(WHY)).to_be_visible()
    expect(approver.get_by_text(f"case {CASE}")).to_be_visible()
    expect(approver.get_by_text("Sophie Van Damme")).to_be_visible()
    expect(approver.get_by_text(NOTE)).to_be_visible()
    approver.get_by_role("button", name="Show the picture").click()
    expect(approver.get_by_role("img", name="Attachment 1: label.png")).to_be_visible()
    approver.locator("[data-choices]").get_by_label("Note").uncheck()
    approver.get_by_label("Reason, which the requester is told").select_option("partly_necessary")
    approver.get_by_role("button", name="Release what is ticked").click()
    dialog = approver.get_by_role("dialog", name="Release this?")
    expect(dialog).to_contain_text(locked(ASKER).keys.entry.fingerprint)
    expect(dialog).to_contain_text("Value, Attachment 1")
    dialog.get_by_role("button", name="Seal and release it").click()
    approver.wait_for_url("**?done=proposed")

    second = opens(person(scene, OWNER, Role.APPROVER))
    open_as_owner(second, scene)
    expect(second.locator(".opened-part [data-released]").filter(visible=True)).to_have_count(2)
    second.get_by_role("button", name="Agree and release it").click()
    second.wait_for_url("**?done=confirmed")

    analyst.goto(scene.request())
    unlock(analyst, scene.files[ASKER])
    analyst.get_by_role("button", name="Open what was released").click()
    expect(analyst.get_by_text("Opened, and the receipt is given.")).to_be_visible(
        timeout=UNLOCKING
    )
    received = analyst.locator("[data-receiving] .opened-part")
    expect(received).to_have_count(2)
    expect(received.first).to_contain_text("Derived again, it is the value under whose token")
    expect(received.first).to_contain_text("Sophie Van Damme")
    with analyst.expect_download() as download:
        received.last.get_by_role("link", name="Save the file").click()
    assert download.value.suggested_filename == "label.png"
    assert Path(download.value.path()).read_bytes() == PNG
    checks = {each.part.value: each.check for each in scene.exchange.rows(select(Delivery))}
    assert checks == {"value": "matches", "attachment": "not_checked"}
    assert {each.received_at is not None for each in scene.exchange.rows(select(Delivery))} == {
        True
    }
    for each in leaving:
        each.require_nothing_of(
            *("Sophie", "Van Damme", "rue de la Loi", "Bruxelles", WHY, NOTE, "label.png"),
            *("cobalt ferry lantern", "marble twig"),
        )


@on_one_database
def test_the_key_file_is_remembered_by_choice_and_every_state_is_readable(
    scene: Scene, opens: Opens
) -> None:
    analyst = opens(person(scene, ASKER, Role.ANALYST))
    analyst.goto("/disclosures/new")
    expect(analyst.get_by_text("Nothing is chosen to ask about")).to_be_visible()
    analyst.goto(scene.asking)
    analyst.get_by_role("button", name="Seal and ask").click()
    expect(analyst.get_by_text("Give the reference of the case.")).to_be_visible()
    expect(analyst.get_by_label("Case")).to_be_focused()
    analyst.get_by_label("imminent threat to life").check()
    expect(analyst.get_by_text("the compliance officers of your own organisation")).to_be_visible()
    analyst.get_by_label("Case").fill(CASE)
    analyst.get_by_label("Why: for the owner's approver").fill(WHY)
    analyst.get_by_role("button", name="Seal and ask").click()
    expect(analyst.get_by_text("Confirm it, or choose another urgency.")).to_be_visible()
    require_readable(analyst, "ask-life")
    analyst.get_by_label("normal").check()

    analyst.get_by_label("Key file", exact=True).set_input_files(scene.files[OWNER])
    expect(analyst.get_by_label("Member of the key file")).to_be_enabled()
    analyst.get_by_label("Passphrase", exact=True).fill("not the passphrase")
    analyst.get_by_role("button", name="Unlock").click()
    wrong = analyst.locator("#key-wrong")
    expect(wrong).to_contain_text("This is not the passphrase", timeout=UNLOCKING)
    expect(analyst.get_by_label("Passphrase", exact=True)).to_be_focused()
    require_readable(analyst, "key-panel-wrong")
    unlock(analyst, scene.files[ASKER], keep=True)
    analyst.get_by_role("button", name="Seal and ask").click()
    require_readable(analyst, "key-panel-first-contact")
    pin(analyst, OWNER)
    analyst.wait_for_url("**/disclosures/*?done=asked")

    expect(analyst.get_by_text("police-de.json")).to_be_visible()
    analyst.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    analyst.keyboard.press("Enter")
    require_unlocked(analyst)
    expect(analyst.get_by_text(WHY)).to_be_visible()
    require_readable(analyst, "asked")
    analyst.get_by_role("button", name="Forget the key file of this browser").click()
    assert analyst.evaluate("localStorage.getItem('postern.key-file')") is None
    analyst.get_by_role("button", name="Lock", exact=True).click()
    expect(analyst.get_by_text(WHY)).to_have_count(0)


@on_one_database
def test_an_approver_decides_in_french_and_a_swapped_key_stops_it(
    scene: Scene, opens: Opens
) -> None:
    approver = opens(person(scene, OWNER, Role.APPROVER))
    approver.locator("button[lang=fr]").click()
    asked_by_command(scene)
    approver.goto(scene.request())
    expect(approver.locator("html")).to_have_attribute("lang", "fr")
    open_by_id(approver, scene.files[OWNER])
    approver.locator("[data-pin=yes]").click()
    expect(approver.locator("[data-opening] .opened-part")).to_have_count(3)
    expect(approver.get_by_text("Sophie Van Damme")).to_be_visible()
    require_readable(approver, "decide-fr")
    approver.locator("#ask-back").fill("Quelles semaines ?")
    approver.locator("[data-asking-back] button").click()
    approver.wait_for_url("**?done=questioned")

    swapped = fresh_keys(ASKER).chain[0]
    with scene.exchange.database.transaction() as session:
        session.execute(
            update(OrganisationKey)
            .where(OrganisationKey.organisation_id == scene.exchange.organisation_id(ASKER))
            .values(signed=swapped.on_wire(), digest=swapped.entry.digest())
        )
    open_by_id(approver, scene.files[OWNER])
    expect(approver.locator("[data-opening] [data-refused]")).to_be_visible(timeout=UNLOCKING)
    expect(approver.locator("[data-opening] .opened-part")).to_have_count(0)
    expect(approver.locator("[data-deciding]")).to_be_hidden()
    keep_picture(approver, "decide-swapped-fr")
    (alarm,) = scene.exchange.rows(select(KeyAlarm))
    assert (alarm.offered, alarm.number) == (swapped.entry.fingerprint, 1)


@on_one_database
def test_a_value_that_is_not_the_one_found_is_told_loudly(scene: Scene, opens: Opens) -> None:
    request = asked_by_command(scene, SealedPart.VALUE, says=False)
    released_by_command(scene, request, {**FIELDS, "name": "Piet Jansen"})
    analyst = opens(person(scene, ASKER, Role.ANALYST))
    analyst.goto(scene.request())
    unlock(analyst, scene.files[ASKER])
    analyst.get_by_label("Case").fill(CASE)
    exchanged = "**/deliveries/*"
    analyst.context.route(exchanged, lambda route: route.fulfill(body=b"other bytes"))
    analyst.get_by_role("button", name="Open what was released").click()
    pin(analyst, OWNER)
    refused = analyst.locator("[data-receiving] [data-refused]")
    expect(refused).to_contain_text("The platform gave other bytes than it announced.")
    analyst.context.unroute(exchanged)
    analyst.get_by_role("button", name="Open what was released").click()
    expect(analyst.get_by_text("Opened, and the receipt is given.")).to_be_visible(
        timeout=UNLOCKING
    )
    stop = analyst.get_by_text("STOP. This is not the value under whose token it was shared.")
    expect(stop).to_be_visible()
    expect(analyst.get_by_role("button", name="Copy it")).to_be_hidden()
    require_readable(analyst, "received-differs")
    (delivery,) = scene.exchange.rows(select(Delivery))
    assert delivery.check == "differs"
