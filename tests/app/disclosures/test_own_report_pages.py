"""One's own reports as pages: where each stands, who got it, what came of it, corrections."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.disclosures import own_report_pages, own_reports
from app.disclosures.own_reports import Filters, Shelf, Standing
from app.indicators import holds
from app.indicators.models import Indicator, Report
from postern.vocabulary import HoldReason, Kind, RecallReason, Role, SourceGrade, Tlp
from tests.app.disclosures.ring import CASE, FED, UNTOLD, Ring, open_ring
from tests.app.disclosures.test_follow_up_pages import Browser
from tests.app.exchange import JAN, SOPHIE


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


def listed(ring: Ring, *roles: Role, **wanted: object) -> list[own_reports.FollowedReport]:
    with ring.doing() as session:
        filters = Filters(**wanted)  # type: ignore[arg-type]
        return own_reports.follow(session, ring.caller("post-be", *roles), filters, 50).rows


def amendment(ring: Ring, indicator: object, **changed: str) -> dict[str, str]:
    """The form of an indicator as the page fills it in, with what is changed."""
    (row,) = ring.exchange.rows(select(Indicator).where(Indicator.public_id == indicator))
    fields = {name: getattr(row, name).value for name in own_report_pages._OF_INDICATOR}
    days = {name: getattr(row, name) for name in own_report_pages._DAYS}
    typed = {name: day.isoformat() if day else "" for name, day in days.items()}
    return {**fields, **typed, "why": "wrong_data", **changed}


def test_a_report_stands_on_the_shelf_that_fits_it(ring: Ring) -> None:
    live, _ = ring.submit("k1", SOPHIE)
    soon, of_soon = ring.submit("k2", JAN)
    gone, _ = ring.submit("k3", SOPHIE)
    ring.amend(soon, of_soon, expires_on=ring.clock.at.date() + timedelta(days=20))
    ring.withdraw(gone)
    with ring.doing() as session:
        until = ring.clock.at.date() + timedelta(days=90)
        order = {"reason": HoldReason.COURT_ORDER, "until": until, "case": CASE}
        holds.place(session, ring.caller("post-be"), live, **order)  # type: ignore[arg-type]
    found = {row.report.id: row for row in listed(ring)}
    assert {key: row.standing for key, row in found.items()} == {
        live: Standing.LIVE,
        soon: Standing.SOON,
        gone: Standing.WITHDRAWN,
    }
    assert found[live].is_held
    assert not found[soon].is_held
    assert found[soon].is_amended

    def ids(**wanted: object) -> set[object]:
        return {row.report.id for row in listed(ring, **wanted)}

    assert ids(shelf=Shelf.LIVE) == {live, soon}
    assert ids(shelf=Shelf.SOON) == {soon}
    assert ids(shelf=Shelf.WITHDRAWN) == {gone}
    assert ids(shelf=Shelf.HELD) == {live}
    assert ids(shelf=Shelf.ENDED) == set()
    assert ids(kind=Kind.PARTY) == {live, soon}  # of what was withdrawn nothing is left
    assert ids(kind=Kind.PHONE) == set()
    ring.wait(days=21)
    assert ids(shelf=Shelf.ENDED) == {soon}
    assert ids(since=ring.clock.at) == set()
    assert ids(until=ring.clock.at) == {live, soon, gone}


def test_readers_are_counted_as_far_as_the_owner_may_know(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    ring.take("customs-nl")
    ring.exchange.publish("post-be", FED + UNTOLD)
    ring.take("police-de")
    (row,) = listed(ring)
    assert (row.report.id, row.readers) == (report_id, 1)
    (row,) = listed(ring, Role.ANALYST)
    assert row.readers == 0


def test_what_came_of_a_report_is_shown_to_those_who_are_told(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    other, _ = ring.submit("k2", JAN)
    ring.take("police-de")
    ring.tell("police-de", sophie)
    assert [row.report.id for row in listed(ring, has_outcome=True)] == [report_id]
    assert [row.report.id for row in listed(ring, has_outcome=False)] == [other]
    _, row = listed(ring)
    assert row.outcomes is not None
    assert row.outcomes.latest.other.code == "police-de"
    assert [each.outcomes for each in listed(ring, Role.APPROVER)] == [None, None]
    page = Browser(ring, "post-be", Role.SUBMITTER).page(f"/reports/{report_id}")
    assert "By Organisation police-de" in page
    assert "Organisation police-de</th><td>export</td>" in page
    approver = Browser(ring, "post-be", Role.APPROVER).page(f"/reports/{report_id}")
    assert "What came of it" not in approver
    assert "Who got it" not in approver
    assert "Withdraw the report" not in approver


def test_the_list_is_filtered_paged_and_says_what_is_wrong_with_a_filter(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_report_pages, "PAGE", 2)
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    assert "Your organisation reported nothing yet" in browser.page("/reports")
    for key in ("k1", "k2", "k3"):
        ring.submit(key, SOPHIE)
        ring.wait(seconds=1)
    page = browser.page("/reports?shelf=live")
    assert page.count('class="sheet-head"') == 2
    before = page.split("before=")[1].split('"')[0]
    assert "shelf=live" in page.split("before=")[0].rsplit("href=", 1)[1]
    later = browser.page(f"/reports?before={before}")
    assert later.count('class="sheet-head"') == 1
    assert "Back to the newest" in later
    assert "No report fits" in browser.page("/reports?kind=phone")
    assert "Nothing was searched" in browser.page("/reports?since=yesterday", 422)
    assert "Nothing was searched" in browser.page("/reports?shelf=top", 422)
    assert browser.page("/reports?since=2026-03-02&until=2026-03-02").count("Report of") == 2
    assert "No report fits" in browser.page("/reports?since=2026-03-03")


def test_an_indicator_is_corrected_and_only_what_differs_is_told(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    address = f"/reports/{report_id}/indicators/{sophie}/amend"
    same = browser.send(address, **amendment(ring, sophie))
    assert same.endswith("done=same")
    done = browser.send(address, **amendment(ring, sophie, tlp="GREEN", source_grade="B"))
    assert done.endswith("done=amended")
    (row,) = ring.exchange.rows(select(Indicator))
    assert (row.tlp, row.source_grade) == (Tlp.GREEN, SourceGrade.B)
    *_, entry = ring.exchange.entries("indicator.amend")
    assert entry.details["changes"].keys() == {"tlp", "source_grade"}
    assert entry.details["reason"] == RecallReason.WRONG_DATA


def test_a_refused_correction_brings_the_form_back_with_what_was_typed(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    address = f"/reports/{report_id}/indicators/{sophie}/amend"
    for changed, reason in (
        ({"expires_on": "2020-01-01", "review_on": "2026-04-01"}, "It is not within 1 to"),
        ({"expires_on": "soon"}, "Write the day as YYYY-MM-DD."),
        ({"tlp": "PURPLE"}, "Choose one of the list."),
        ({"why": ""}, "Choose one of the list."),
        ({"handling": "H9"}, "Choose one of the list."),
    ):
        page = browser.send(address, 422, **amendment(ring, sophie, assertion="fact", **changed))
        assert "Nothing was changed." in page
        assert reason in page, changed
        assert '<option value="fact" selected>' in page
    assert [each.details.get("refusal") for each in ring.exchange.entries("indicator.amend")] == [
        "invalid-request"
    ] * 5
    nowhere = f"/reports/{report_id}/indicators/{report_id}/amend"
    browser.send(nowhere, 404, **amendment(ring, sophie))


def test_what_a_report_tells_is_corrected(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    address = f"/reports/{report_id}/amend"
    fields = {"barrier_step": "4", "origin_country": "be", "substance": "", "why": "wrong_data"}
    assert browser.send(address, **fields).endswith("done=amended")
    (row,) = ring.exchange.rows(select(Report))
    assert (row.barrier_step, row.origin_country, row.substance) == (4, "BE", None)
    for wrong in ({"origin_country": "B1"}, {"barrier_step": "9"}, {"substance": "tea"}):
        assert "Nothing was changed." in browser.send(address, 422, **{**fields, **wrong})


def test_a_report_is_withdrawn_for_a_reason(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    address = f"/reports/{report_id}/withdraw"
    assert "Choose one of the list." in browser.send(address, 422, reason="boredom")
    assert browser.send(address, reason="error", recall="wrong_identity").endswith("done=withdrawn")
    page = browser.page(f"/reports/{report_id}?done=withdrawn")
    assert "Withdrawn. Whoever got something" in page
    assert "It was withdrawn" in page
    assert "Withdraw the report" not in page
    after = browser.send(f"/reports/{report_id}/amend", 409, why="other")
    assert "Nothing was changed." in after


def test_another_organisations_report_is_like_none(ring: Ring) -> None:
    report_id, _ = ring.submit("k1", SOPHIE)
    stranger = Browser(ring, "customs-nl", Role.SUBMITTER, Role.COMPLIANCE)
    stranger.page(f"/reports/{report_id}", 404)
    stranger.send(f"/reports/{report_id}/withdraw", 404, reason="error")
