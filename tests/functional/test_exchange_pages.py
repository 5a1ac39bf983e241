"""The pages of collections and of subscriptions in a real browser, empty, full and wrong."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app import clock
from app.exchange import collections, subscriptions
from app.exchange.server_models import (
    ExchangeServer,
    ReceivedObject,
    ServerMeans,
    ServerState,
    ServerTry,
)
from app.jobs import draining
from app.runtime import runtime
from postern.vocabulary import Role
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, Exchange
from tests.app.exchange_room.peers import (
    Peer,
    clear,
    envelope,
    identity,
    indicator,
    peer_server,
)
from tests.app.exchange_room.reading import Room
from tests.app.people import make_person
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import require_accessible, require_fitting, sign_in

CODE = "police-de"
LONG = "The collection of the whole department for narcotics, its partners and everybody else there"
ADDED = "2026-11-21T08:00:00.123456Z"
LATER = "2026-11-25T08:00:00.000Z"

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def room(exchange: Exchange) -> Room:
    return Room(exchange)


@pytest.fixture
def keeper(exchange: Exchange, page: Page) -> Page:
    sign_in(page, make_person(exchange.app, CODE, list(Role)))
    return page


def require_readable(page: Page, *paths: str, kept: str = "") -> None:
    """At both widths, light and dark; keeps a picture of each under the name."""
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for number, path in enumerate(paths):
            page.goto(path)
            require_accessible(page)
            require_fitting(page)
            if kept:
                keep_picture(page, f"exchange-{kept}-{number}-{width}")


def fill(room: Room) -> str:
    """A collection with entries, revoked ones, and a poller; returns the path of its page."""
    exchange = room.exchange
    exchange.publish("post-be", OPEN_TO_POLICE)
    room.submit("post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN))
    opened = room.open(title=LONG[:80], description=LONG)
    room.page(opened)
    room.open(title="Second")
    ended = room.open(title="Third")
    caller = exchange.caller(CODE)
    room.within(lambda session: collections.close(session, caller, ended.id))
    return f"/exchange/{opened.id}"


def subscribe(room: Room, address: str, **fields: Any) -> str:
    """A subscription that was asked once; returns the path of its page."""
    given: dict[str, Any] = {
        "title": "Poste de France",
        "address": address,
        "means": ServerMeans.BEARER,
        "secret": "token",
    }
    caller = room.exchange.caller(CODE)
    made = room.within(lambda session: subscriptions.add(session, caller, **given | fields))
    with room.exchange.app.app_context():
        draining.drain(runtime())
    return f"/exchange/servers/{made.id}"


@on_one_database
def test_the_pages_are_readable_by_all_when_nothing_is_there(room: Room, keeper: Page) -> None:
    opened = room.open()
    own = room.own(CODE)
    paths = (f"/exchange/{opened.id}", f"/exchange/{own.id}")
    require_readable(
        keeper, "/exchange", "/exchange/own", "/exchange/servers", *paths, kept="empty"
    )
    expect(keeper.get_by_text("Nothing of yours is in force")).to_be_visible()


@on_one_database
def test_the_pages_of_collections_are_readable_by_all_when_much_is_there(
    room: Room, keeper: Page
) -> None:
    path = fill(room)
    require_readable(keeper, "/exchange", path, kept="full")
    keeper.locator("summary", has_text="OpenCTI").click()
    expect(keeper.get_by_text("TAXII Collection")).to_be_visible()
    require_accessible(keeper)
    keeper.goto("/exchange")
    keeper.get_by_role("button", name="Français").click()
    require_readable(keeper, "/exchange", path, kept="full-fr")


@on_one_database
def test_the_pages_of_subscriptions_are_readable_by_all_in_every_state(
    room: Room, keeper: Page
) -> None:
    taken = indicator()
    with peer_server(Peer()) as peer:
        peer.says(envelope([identity(), indicator(), taken, clear(), "odd"], ADDED))
        path = subscribe(room, peer.address)
        failing = subscribe(room, peer.address, title=LONG[:80], kept_days=30)
    with room.exchange.database.transaction() as session:
        session.execute(
            update(ReceivedObject)
            .where(ReceivedObject.stix_id == taken["id"])
            .values(is_revoked=True, content={})
        )
        last = session.scalars(select(ExchangeServer).order_by(ExchangeServer.id.desc())).first()
        assert last is not None
        last.state, last.error, last.failures = ServerState.GIVEN_UP, "ServerDeniedError", 12
        session.add(
            ServerTry(
                server_id=last.id,
                round=2,
                began_at=clock.now(),
                ended_at=clock.now(),
                pages=0,
                objects=0,
                kept=0,
                revoked=0,
                refused={},
                receipts=0,
                error="ServerDeniedError",
            )
        )
    paths = ("/exchange/servers", path, f"{path}/received", failing)
    require_readable(keeper, *paths, kept="servers")
    expect(keeper.get_by_role("alert")).to_contain_text("not asked any more")
    keeper.goto("/exchange")
    keeper.get_by_role("button", name="Français").click()
    require_readable(keeper, *paths, kept="servers-fr")


@on_one_database
def test_a_collection_is_opened_and_closed_by_keyboard(room: Room, keeper: Page) -> None:
    keeper.goto("/exchange")
    keeper.get_by_label("Name", exact=True).focus()
    keeper.keyboard.type("For our MISP")
    keeper.keyboard.press("Enter")
    expect(keeper.get_by_role("alert")).to_contain_text("Nothing was changed.")
    require_accessible(keeper)
    keeper.get_by_label("Purpose and legal basis").select_option(index=1)
    keeper.get_by_label("Case", exact=True).fill("PV-2026-1")
    keeper.get_by_label("Case", exact=True).press("Enter")
    expect(keeper.get_by_role("status").first).to_contain_text("is open and is being filled")
    expect(keeper.get_by_role("heading", level=1)).to_have_text("For our MISP")
    keeper.get_by_role("button", name="Close the collection").press("Enter")
    expect(keeper.get_by_role("status").first).to_contain_text("serves nothing more")
    expect(keeper.get_by_text("No collection is open")).to_be_visible()


@on_one_database
def test_settings_are_copied_with_one_press(room: Room, keeper: Page) -> None:
    opened = room.open()
    keeper.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keeper.goto(f"/exchange/{opened.id}")
    keeper.get_by_role("button", name="Copy Postern on your premises").press("Enter")
    expect(keeper.locator("[data-copied]")).to_have_text("Copied.")
    copied = keeper.evaluate("navigator.clipboard.readText()")
    assert copied == f"postern exchange pull {opened.id}"


@on_one_database
def test_a_subscription_is_set_up_and_removed_by_keyboard(room: Room, keeper: Page) -> None:
    keeper.goto("/exchange/servers")
    keeper.get_by_label("Name", exact=True).fill("Poste de France")
    keeper.get_by_label("Address of the collection").fill("https://10.0.0.1/collections/x/")
    keeper.get_by_label("Token or password").fill("token")
    keeper.get_by_label("Token or password").press("Enter")
    expect(keeper.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(keeper.get_by_text("leads into a private network")).to_be_visible()
    require_accessible(keeper)
    address = f"https://taxii.poste.example/api1/collections/{uuid4()}/"
    keeper.get_by_label("Address of the collection").fill(address)
    keeper.get_by_label("Token or password").fill("token")
    keeper.get_by_label("Token or password").press("Enter")
    expect(keeper.get_by_role("status")).to_contain_text("is being asked")
    keeper.get_by_role("button", name="Ask it now").press("Enter")
    expect(keeper.get_by_role("alert")).to_contain_text("is being asked")
    keeper.get_by_role("button", name="Remove the subscription").press("Enter")
    expect(keeper.get_by_role("status")).to_contain_text("are erased")
    expect(keeper.get_by_text("No subscription yet")).to_be_visible()
