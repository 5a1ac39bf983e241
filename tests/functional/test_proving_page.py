"""A script is told that its step needs a fresh proof: another tab gives it, and nothing is lost."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app import clock
from app.accounts.models import WebSession
from app.config import Settings
from app.disclosures.models import Decision
from postern.vocabulary import Role
from tests.functional.pictures import keep_picture
from tests.functional.test_disclosing_page import (
    OWNER,
    Opens,
    Scene,
    asked_by_command,
    open_as_owner,
    opens,
    person,
    scene,
)
from tests.functional.test_modules import on_one_database
from tests.functional.test_pages import NARROW, require_accessible, require_fitting

__all__ = ["opens", "scene"]
WORDS = "The court wants it, and nobody else could give it"
MINUTES = 10


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A platform that asks again after MINUTES."""
    asking = dataclasses.replace(settings.session, step_up_minutes=MINUTES)
    return dataclasses.replace(settings, session=asking)


@on_one_database
def test_the_proof_is_given_in_another_tab_and_the_step_goes_on(
    scene: Scene, opens: Opens, tmp_path: Path
) -> None:
    assert tmp_path
    asked_by_command(scene)
    approver = person(scene, OWNER, Role.APPROVER)
    page = opens(approver)
    open_as_owner(page, scene)
    page.get_by_label("Reason, which the requester is told").select_option("other")
    page.locator("[data-deciding] [data-field=text]").fill(WORDS)
    with scene.session() as session:
        long_ago = clock.now() - timedelta(minutes=MINUTES + 1)
        session.execute(update(WebSession).values(proved_at=long_ago))
    release(page)

    refused = page.locator("[data-deciding] [data-refused]")
    expect(refused).to_be_focused()
    expect(refused).to_contain_text("your last proof is some time ago")
    way = page.get_by_role("link", name="Prove in a new tab that it is you")
    expect(way).to_be_in_viewport()
    page.set_viewport_size({"width": NARROW, "height": 800})
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "proof-needed-narrow")
    page.set_viewport_size({"width": 1280, "height": 800})
    way.focus()
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    other = opened.value
    other.get_by_label("Password").fill("not the password")
    other.get_by_role("button", name="Go on").click()
    expect(other.get_by_role("alert").last).to_contain_text("Nothing was done.")
    other.get_by_label("Password").fill(approver.password)
    other.get_by_role("button", name="Go on").click()
    expect(other.get_by_role("status")).to_contain_text("Go back to the other tab")
    require_accessible(other)
    keep_picture(other, "proof-given")
    other.close()

    expect(page.get_by_text("repeat the step.").first).to_be_visible()
    expect(way).to_be_hidden()
    expect(page.locator("[data-deciding] [data-field=text]")).to_have_value(WORDS)
    release(page)
    page.wait_for_url("**?done=proposed")
    assert len(scene.exchange.rows(select(Decision))) == 1


def release(page: Page) -> None:
    page.get_by_role("button", name="Release what is ticked").click()
    dialog = page.get_by_role("dialog", name="Release this?")
    dialog.get_by_role("button", name="Seal and release it").click()
