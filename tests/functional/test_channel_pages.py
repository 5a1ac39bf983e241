"""The pages of channels and of work in the background in a real browser, empty, full and wrong."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app import clock
from app.jobs.channels import PAGE
from app.jobs.models import Dispatch, JobState, Outbox
from postern.vocabulary import DispatchState, Role
from tests.app.exchange import Exchange
from tests.app.jobs.stage import Post
from tests.app.people import make_person
from tests.functional.test_pages import require_accessible, require_fitting, sign_in

LONG = "https://notifications.receiver.of-the-whole-department.police.example:8443/in"

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def keeper(exchange: Exchange, page: Page) -> Page:
    roles = [Role.COMPLIANCE, Role.ADMINISTRATOR]
    sign_in(page, make_person(exchange.app, "police-de", roles))
    return page


def require_readable(page: Page, *paths: str) -> None:
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for path in paths:
            page.goto(path)
            require_accessible(page)
            require_fitting(page)


def fill(post: Post) -> str:
    """Two channels, one with messages in every state; returns the path of its page."""
    made = post.add(LONG, list(Role))
    post.add("https://93.184.216.34/", [Role.ANALYST])
    for number in range(PAGE + 1):
        post.tell(number=number)
    with post.exchange.database.transaction() as session:
        first = list(session.scalars(select(Dispatch).order_by(Dispatch.id.desc()).limit(4)))
        for sending, state in zip(first, DispatchState, strict=True):
            sending.state, sending.tries, sending.tried_at = state, 3, clock.now()
            sending.error = "WebhookRefusedError" if state is not DispatchState.SENT else None
        row = session.scalars(select(Outbox.id).limit(1)).one()
        session.execute(
            update(Outbox)
            .where(Outbox.id == row)
            .values(state=JobState.DEAD, tries=12, error="TimeoutError", ended_at=clock.now())
        )
    return f"/channels/{made.id}"


@on_one_database
def test_the_pages_are_readable_by_all_when_nothing_is_there(
    exchange: Exchange, keeper: Page
) -> None:
    made = Post(exchange).add(LONG)
    Post(exchange).remove(made.id)
    require_readable(keeper, "/channels", "/jobs")
    expect(keeper.get_by_text("No job is dead")).to_be_visible()


@on_one_database
def test_the_pages_are_readable_by_all_when_much_is_there(exchange: Exchange, keeper: Page) -> None:
    path = fill(Post(exchange))
    require_readable(keeper, "/channels", path, "/jobs")
    keeper.goto(path)
    keeper.get_by_role("link", name="Older messages").click()
    expect(keeper.get_by_role("link", name="Back to the newest")).to_be_visible()


@on_one_database
def test_a_channel_is_set_up_tried_out_and_removed_by_keyboard(
    exchange: Exchange, keeper: Page
) -> None:
    keeper.goto("/channels")
    keeper.get_by_label("Address").focus()
    keeper.keyboard.type("https://10.0.0.1/")
    keeper.keyboard.press("Enter")
    expect(keeper.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(keeper.get_by_text("leads into a private network")).to_be_visible()
    require_accessible(keeper)
    keeper.get_by_label("Address").fill(LONG)
    keeper.get_by_role("checkbox", name="Compliance officer").focus()
    keeper.keyboard.press("Space")
    keeper.get_by_label("Address").press("Enter")
    expect(keeper.get_by_role("status")).to_contain_text("whsec_")
    require_accessible(keeper)
    keeper.get_by_role("table").get_by_role("link").click()
    keeper.get_by_role("button", name="Send a trial message").press("Enter")
    expect(keeper.get_by_role("status")).to_contain_text("on its way")
    expect(keeper.get_by_role("table").get_by_text("waits")).to_be_visible()
    keeper.get_by_role("button", name="Send a trial message").press("Enter")
    expect(keeper.get_by_role("alert")).to_contain_text("under way")
    keeper.get_by_role("button", name="Remove the channel").press("Enter")
    expect(keeper.get_by_role("status")).to_contain_text("its address erased")
    expect(keeper.get_by_text("No channel yet")).to_be_visible()
