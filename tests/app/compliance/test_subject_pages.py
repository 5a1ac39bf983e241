"""The pages of subject requests and of legal holds: the same acts, for people."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.compliance import hold_pages, subject_pages
from app.compliance import subject_requests as subjects
from app.compliance.subject_search import search
from app.indicators import holds, service
from postern.vocabulary import HoldReason, Role, SubjectRight
from tests.app.compliance.office import CODE, Office
from tests.app.exchange import SOPHIE, report
from tests.app.people import make_person, sign_in

PAGE = {"Accept": "text/html"}


@pytest.fixture
def browser(office: Office, client: FlaskClient) -> FlaskClient:
    """A browser in which a compliance officer is signed in; forms carry their token by header."""
    client.environ_base |= {"HTTP_X_CSRFTOKEN": sign_in(client, office.officer)["X-CSRFToken"]}
    return client


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return re.sub(r"\s+", " ", html.unescape(answer.get_data(as_text=True)))


def test_a_request_is_opened_followed_and_closed_on_the_page(
    office: Office, browser: FlaskClient
) -> None:
    assert "No request waits for an answer" in text_of(browser.get("/subjects"))
    assert "No request was closed yet" in text_of(browser.get("/subjects?closed=1"))
    form = {"right": "access", "case": "A-17/26", "note": "by <letter>"}
    answer = browser.post("/subjects", data=form)
    assert answer.status_code == 303
    page = text_of(browser.get(answer.location))
    request_id = answer.location.split("/")[2].partition("?")[0]
    assert "Opened. Search for the person on your premises next." in page
    assert f'postern subject {request_id} --name "…" --address "…"' in page
    assert "30 days left" in page
    assert "by <letter>" in page
    assert "LED Art. 14, GDPR Art. 15" in page
    assert "LED Art. 15 and 16(4), GDPR Art. 23" in page
    assert "not searched for yet" in page
    assert "A-17/26" not in page

    office.exchange.submit(CODE, report("k1", office.exchange.indicator(SOPHIE)))
    (made,) = office.do(subjects.list_requests, office.officer, 10).requests
    office.do(search, office.officer, made.id, [office.exchange.query(SOPHIE)])
    assert "1 holding found, 0 recipients" in text_of(browser.get("/subjects"))
    assert "subject requests to answer</a></dt><dd>1</dd>" in text_of(browser.get("/"))

    closing = {"state": "answered", "note": "All of it was told."}
    answer = browser.post(f"/subjects/{request_id}/close", data=closing)
    page = text_of(browser.get(answer.location))
    assert "Closed. What you wrote is sealed; the log keeps how it ended." in page
    assert "All of it was told." in page
    assert "postern subject" not in page
    again = browser.post(f"/subjects/{request_id}/close", data=closing)
    assert "The subject request was closed already" in text_of(again, 409)
    assert "No request waits for an answer" in text_of(browser.get("/subjects"))
    assert "answered" in text_of(browser.get("/subjects?closed=1"))


def test_each_right_says_what_follows_from_it(office: Office, browser: FlaskClient) -> None:
    told = {
        SubjectRight.RECTIFICATION: "Amend the indicator",
        SubjectRight.ERASURE: "Withdraw the report.",
        SubjectRight.RESTRICTION: "Place a legal hold on the report and withdraw it",
    }
    for right, words in told.items():
        made: Any = office.do(subjects.open_request, office.officer, right=right, case="A", note="")
        page = text_of(browser.get(f"/subjects/{made.id}"))
        assert words in page
        assert sum(other in page for other in told.values()) == 1


def test_what_is_wrong_brings_the_forms_back_with_what_was_typed(
    office: Office, browser: FlaskClient
) -> None:
    form = {"right": "access", "case": "A-17/26", "note": "kept"}
    for field, typed, reason in (
        ("right", "all", "Choose what the person asks for."),
        ("case", " ", "Write the reference of your file, up to 128 characters."),
        ("note", "x" * 2001, "A note has up to 2000 characters of plain text."),
    ):
        page = text_of(browser.post("/subjects", data=form | {field: typed}), 422)
        assert "Nothing was changed." in page
        assert reason in page
        assert field == "case" or 'value="A-17/26"' in page
    made: Any = office.do(
        subjects.open_request, office.officer, right=SubjectRight.ACCESS, case="A", note=""
    )
    for form, reason in (
        ({"state": "open", "note": "kept"}, "Choose how it ends: answered or refused."),
        ({"state": "refused", "note": " "}, "Say in a note what the person was told."),
    ):
        page = text_of(browser.post(f"/subjects/{made.id}/close", data=form), 422)
        assert reason in page
    assert browser.get(f"/subjects/{uuid4()}", headers=PAGE).status_code == 404
    refusals = [entry.details["refusal"] for entry in office.exchange.entries("subject.open")[:3]]
    assert refusals == ["invalid-request"] * 3


def test_a_late_request_says_so(office: Office, browser: FlaskClient) -> None:
    made: Any = office.do(
        subjects.open_request, office.officer, right=SubjectRight.ACCESS, case="A", note=""
    )
    today = office.clock.at
    for days, words in ((25, "5 days left"), (30, "due today"), (31, "1 day late")):
        office.clock.at = today + timedelta(days=days)
        browser.environ_base["HTTP_X_CSRFTOKEN"] = sign_in(browser, office.officer)["X-CSRFToken"]
        assert words in text_of(browser.get(f"/subjects/{made.id}"))


def test_a_hold_is_placed_and_released_on_the_page(office: Office, browser: FlaskClient) -> None:
    assert "Nothing is held" in text_of(browser.get("/holds"))
    soon = (office.clock.at.date() + timedelta(days=1)).isoformat()
    (sent,) = office.exchange.submit(
        CODE, report("k1", office.exchange.indicator(SOPHIE, expires_on=soon))
    ).results
    form = {"report": str(sent.id), "reason": "court_order", "until": "2027-11-10", "case": "K 4"}
    answer = browser.post("/holds", data=form)
    assert answer.status_code == 303
    page = text_of(browser.get(answer.location))
    assert "Placed. You are told two weeks before its last day." in page
    assert str(sent.id) in page
    assert "order of a court" in page
    assert "K 4" not in page
    with office.transaction() as session:
        service.expire(session, office.clock.at.date() + timedelta(days=1))
    assert "1 indicator, restricted" in text_of(browser.get("/holds"))
    (hold,) = office.do(holds.list_holds, office.officer, 10).holds
    answer = browser.post(f"/holds/{hold.id}/release")
    page = text_of(browser.get(answer.location))
    assert "Released. What it alone has kept beyond its time is erased within minutes." in page
    assert "Release the hold" not in page
    again = browser.post(f"/holds/{hold.id}/release")
    assert "The hold has ended already" in text_of(again, 409)
    assert browser.post(f"/holds/{uuid4()}/release", headers=PAGE).status_code == 404


def test_a_hold_of_nothing_or_of_anothers_report_says_what_is_wrong(
    office: Office, browser: FlaskClient
) -> None:
    (theirs,) = office.exchange.submit(
        "post-be", report("k1", office.exchange.indicator(SOPHIE))
    ).results
    form = {"report": str(theirs.id), "reason": "complaint", "until": "2027-11-10", "case": "K 4"}
    unknown = "Your organisation has no report with this id."
    for change, reason in (
        ({}, unknown),
        ({"report": str(uuid4())}, unknown),
        ({"report": "k1"}, "Write the id of a report of your organisation."),
        ({"reason": "x"}, "Choose why it must be kept."),
        ({"until": "tomorrow"}, "Write the day as YYYY-MM-DD."),
        ({"until": "2036-11-10"}, "Choose a day from today to at most 5 years away."),
        ({"case": ""}, "Write the reference of your file, up to 128 characters."),
    ):
        page = text_of(browser.post("/holds", data=form | change), 422)
        assert reason in page
        assert 'value="complaint" selected' in page or "reason" in change


def test_long_lists_come_in_pages(
    office: Office, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_pages, "PAGE", 2)
    monkeypatch.setattr(hold_pages, "PAGE", 2)
    (sent,) = office.exchange.submit(CODE, report("k1", office.exchange.indicator(SOPHIE))).results
    until = office.clock.at.date() + timedelta(days=9)
    why = {"reason": HoldReason.OTHER, "until": until, "case": "K"}
    for _ in range(3):
        right = SubjectRight.ACCESS
        office.do(subjects.open_request, office.officer, right=right, case="A", note="")
        office.do(holds.place, office.officer, sent.id, **why)
    for address, older, count in (
        ("/subjects", "Older requests", r'href="/subjects/[0-9a-f-]{36}"'),
        ("/holds", "Older holds", r'action="/holds/[0-9a-f-]{36}/release"'),
    ):
        first = text_of(browser.get(address))
        assert older in first
        assert len(re.findall(count, first)) == 2
        link = re.search(rf'href="([^"]+)">{older}', first)
        assert link
        second = text_of(browser.get(link[1]))
        assert "Back to the newest" in second
        assert older not in second
        assert len(re.findall(count, second)) == 1
        assert len(re.findall(count, text_of(browser.get(f"{address}?cursor=x")))) == 2


def test_only_compliance_officers_open_these_pages(office: Office, client: FlaskClient) -> None:
    others = [role for role in Role if role is not Role.COMPLIANCE]
    sign_in(client, make_person(office.exchange.app, CODE, others))
    for address in ("/subjects", "/holds"):
        assert client.get(address, headers=PAGE).status_code == 403
