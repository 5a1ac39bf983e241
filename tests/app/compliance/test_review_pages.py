"""The pages and the interface of reviews and signals: the same answers, for people and programs."""

import html
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.compliance import reviews
from app.compliance.reviews import Kinds
from postern.vocabulary import Role, Scope
from tests.app.compliance.office import DECEMBER, NOVEMBER, Office
from tests.app.people import Person, bearer, make_person, sign_in

PAGE = {"Accept": "text/html"}


@pytest.fixture
def browser(office: Office, client: FlaskClient) -> FlaskClient:
    """A browser in which a compliance officer is signed in; forms carry their token by header."""
    return signed_in(client, office.officer)


def signed_in(client: FlaskClient, person: Person) -> FlaskClient:
    client.environ_base |= {"HTTP_X_CSRFTOKEN": sign_in(client, person)["X-CSRFToken"]}
    return client


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return re.sub(r"\s+", " ", html.unescape(answer.get_data(as_text=True)))


def a_round(office: Office, who: Person | None = None, asked: int = 2) -> str:
    """The address of a round of two lookups."""
    office.do(
        reviews.order, office.officer, title="Unit 4", kinds=Kinds(act="lookup.ask"), sample=2
    )
    office.ask(asked, who)
    office.clock.at = DECEMBER
    office.sequence()
    office.draw()
    office.clock.at = NOVEMBER  # when those who are signed in still are
    (one,) = office.do(reviews.list_reviews, office.officer)[0].rounds
    return f"/reviews/rounds/{one.id}"


def a_signal(office: Office, who: Person) -> str:
    """The address of a signal about refused sign-ins of the person."""
    client = office.exchange.app.test_client()
    signed_in(client, who)
    for _ in range(5):
        assert client.get("/policy/stop").status_code == 403
    office.look()
    found = office.exchange.entries("signal.raise")[-1]
    return f"/signals/{found.details['objects'][0]}"


def test_a_review_is_ordered_on_the_page_and_says_when_it_is_drawn(browser: FlaskClient) -> None:
    empty = text_of(browser.get("/reviews"))
    assert "No review is running" in empty
    assert '<option value="consultation" selected>' in empty
    answer = browser.post(
        "/reviews", data={"title": "Unit <4>", "sample": "20", "operation": "consultation"}
    )
    assert answer.status_code == 303
    page = text_of(browser.get(answer.location))
    assert "Ordered. The first sample is drawn when the present month is over." in page
    assert "Unit <4>" in page
    assert "20 entries a month" in page
    assert date(2026, 12, 1).isoformat() in page
    listed = text_of(browser.get("/reviews"))
    assert "acts of the operation consultation" in listed


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"title": ""}, "A title has 1 to 200 characters of one line."),
        ({"sample": "201"}, "Draw 1 to 200 entries a month."),
        ({"sample": "many"}, "Draw 1 to 200 entries a month."),
        ({"act": "barrier.burn"}, "Choose an act of the list."),
        ({"operation": "x"}, "Choose an operation of the list."),
        ({"purpose": "x"}, "Choose a purpose of the list."),
        ({"outcome": "x"}, "Choose an outcome of the list."),
        (
            {"act": "lookup.ask", "operation": "erasure"},
            "No act is of this operation: leave one of the two out.",
        ),
    ],
)
def test_an_order_that_cannot_be_comes_back_with_the_reason_and_what_was_typed(
    office: Office, browser: FlaskClient, typed: dict[str, str], reason: str
) -> None:
    page = text_of(browser.post("/reviews", data={"title": "Kept", "sample": "7", **typed}), 422)
    assert reason in page
    assert "Nothing was changed." in page
    if "title" not in typed:
        assert 'value="Kept"' in page
    assert office.do(reviews.list_reviews, office.officer) == []
    assert office.exchange.entries("review.order")[-1].details["refusal"] == "invalid-request"


def test_a_drawn_entry_is_judged_on_the_page_until_the_round_is_closed(
    office: Office, browser: FlaskClient
) -> None:
    address = a_round(office)
    page = text_of(browser.get(address))
    assert page.count("looked up 1 identifier") == 2
    assert 'Unit 4, <time datetime="2026-11">November 2026</time>' in page
    judged = browser.post(f"{address}/judge", data={"place": "1", "verdict": "in-order"})
    assert judged.location == f"{address}?done=judged#entry-1"
    assert "Recorded." in text_of(browser.get(f"{address}?done=judged"))
    browser.post(
        f"{address}/judge", data={"place": "2", "verdict": "breach", "note": "No such <case>"}
    )
    closed = text_of(browser.get(f"{address}?done=judged"))
    assert "Every entry is judged, so the round is closed." in closed
    assert "No such <case>" in closed
    assert "/judge" not in closed
    late = browser.post(f"{address}/judge", data={"place": "1", "verdict": "in-order"})
    assert "Every entry of the round is judged" in text_of(late, 409)
    assert "closed" in text_of(browser.get("/reviews"))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"verdict": "breach", "note": " "}, "Say in a note what you found."),
        ({"verdict": "", "note": "What I found"}, "Choose what you found."),
        ({"verdict": "guilty", "note": "What I found"}, "Choose what you found."),
    ],
)
def test_a_judgement_that_cannot_be_keeps_what_was_typed(
    office: Office, browser: FlaskClient, typed: dict[str, str], reason: str
) -> None:
    address = a_round(office)
    page = text_of(browser.post(f"{address}/judge", data={"place": "1", **typed}), 422)
    assert reason in page
    assert typed["note"].strip() in page
    assert office.exchange.entries("review.judge")[-1].details["refusal"] == "invalid-request"


def test_one_s_own_act_has_no_form_and_is_refused(office: Office, client: FlaskClient) -> None:
    address = a_round(office, office.second)
    signed_in(client, office.second)
    page = text_of(client.get(address))
    assert page.count("You did this act yourself, so somebody else must judge it.") == 2
    assert 'name="verdict"' not in page
    answer = client.post(f"{address}/judge", data={"place": "1", "verdict": "in-order"})
    assert "You did this act yourself" in text_of(answer, 403)
    assert '"out":"denied"' in office.exchange.entries("review.judge")[-1].record


def test_a_place_that_is_not_in_the_sample_is_not_there(
    office: Office, browser: FlaskClient
) -> None:
    address = a_round(office)
    for place in ("3", "0", "x", "9" * 30):
        data = {"place": place, "verdict": "in-order"}
        assert browser.post(f"{address}/judge", data=data, headers=PAGE).status_code == 404


def test_a_review_is_ended_once(office: Office, browser: FlaskClient) -> None:
    a_round(office)
    review = office.do(reviews.list_reviews, office.officer)[0]
    address = f"/reviews/{review.id}"
    page = text_of(browser.get(address))
    assert re.search(r'<td class="number">2</td>', page)
    answer = browser.post(f"{address}/end")
    assert "Ended. No further sample is drawn" in text_of(browser.get(answer.location))
    assert "The review has ended already" in text_of(browser.post(f"{address}/end"), 409)
    assert "1 review that has ended" in text_of(browser.get("/reviews"))


def test_the_findings_leave_as_a_file(office: Office, browser: FlaskClient) -> None:
    address = a_round(office)
    answer = browser.get(f"{address}/findings.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="findings-')
    assert answer.get_data(as_text=True).startswith("place,record,time,act,")
    by_api = browser.get(f"/api/v1{address}/findings.csv")
    assert by_api.get_data() == answer.get_data()


def test_a_round_of_nothing_says_so(office: Office, browser: FlaskClient) -> None:
    assert "Nothing could be drawn" in text_of(browser.get(a_round(office, asked=0)))


def test_a_signal_says_its_reason_and_is_closed_on_its_page(
    office: Office, browser: FlaskClient
) -> None:
    assert "Nothing waits for you" in text_of(browser.get("/signals"))
    address = a_signal(office, office.analyst)
    listed = text_of(browser.get("/signals"))
    assert "Many refusals" in listed
    assert "5 acts were denied on one day: a role or scope was missing." in listed
    assert office.analyst.name in listed
    page = text_of(browser.get(address))
    assert page.count("was denied") == 5
    assert f"/access-log?actor={office.analyst_id}" in page
    refused = text_of(browser.post(f"{address}/close", data={"verdict": "mistake"}), 422)
    assert "Say in a note what you found." in refused
    answer = browser.post(
        f"{address}/close", data={"verdict": "mistake", "note": "The role was\nmissing."}
    )
    closed = text_of(browser.get(answer.location))
    assert "Closed. Your verdict stands in the log; the note is sealed." in closed
    assert "The role was missing." in closed
    again = browser.post(f"{address}/close", data={"verdict": "mistake", "note": "Again"})
    assert "The signal was closed already" in text_of(again, 409)
    assert "Nothing waits for you" in text_of(browser.get("/signals"))
    assert "Many refusals" in text_of(browser.get("/signals?closed=1"))


def test_whom_a_signal_is_about_reads_it_without_a_form(
    office: Office, client: FlaskClient
) -> None:
    address = a_signal(office, office.second)
    signed_in(client, office.second)
    page = text_of(client.get(address))
    assert "The signal is about your own acts, so somebody else must close it." in page
    assert 'name="note"' not in page
    assert "about yourself" in text_of(client.get("/signals"))
    answer = client.post(f"{address}/close", data={"verdict": "in-order", "note": "It was me"})
    assert "The signal is about your own acts" in text_of(answer, 403)


def test_signals_have_pages(
    office: Office, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.compliance.signals.PAGE", 1)
    a_signal(office, office.analyst)
    a_signal(office, office.second)
    first = browser.get("/signals").get_data(as_text=True)
    (address,) = re.findall(r'href="(/signals\?before=[^"]+)"', first)
    assert office.analyst.name in text_of(browser.get(html.unescape(address)))
    assert "Many refusals" in text_of(browser.get("/signals?before=nonsense"))


def test_the_home_page_tells_what_waits(office: Office, browser: FlaskClient) -> None:
    a_round(office)
    a_signal(office, office.analyst)
    page = text_of(browser.get("/"))
    assert re.search(r"entries to judge</a></dt><dd>2</dd>", page)
    assert re.search(r"open signals</a></dt><dd>1</dd>", page)


def test_programs_read_what_people_judge(office: Office, client: FlaskClient) -> None:
    address = a_round(office)
    signal = a_signal(office, office.analyst)
    token = bearer(office.exchange.app, office.officer, [Scope.AUDIT_READ])

    def get(path: str) -> dict[str, Any]:
        answer = client.get(f"/api/v1{path}", headers=token)
        assert answer.status_code == 200, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found

    (review,) = get("/reviews")["reviews"]
    assert review["filters"] == {"act": "lookup.ask"}
    assert get(f"/reviews/{review['id']}") == review
    (one,) = review["rounds"]
    assert (one["month"], one["population"], one["drawn"], one["waiting"]) == ("2026-11", 2, 2, 2)
    sample = get(address)
    assert [each["act"] for each in sample["findings"]] == ["lookup.ask", "lookup.ask"]
    (listed,) = get("/signals?open=true")["signals"]
    assert listed["facts"] == {"refused": 5, "what": "acts", "limit": 5}
    assert listed["reason"].startswith("5 acts were denied on one day")
    assert len(get(signal)["entries"]) == 5
    assert get("/signals?open=false") == {"signals": [], "next": None}
    for path in (f"/reviews/{review['id']}/end", f"{address}/judge", f"{signal}/close"):
        body = {"place": 1, "verdict": "in-order", "note": "x"}
        assert client.post(f"/api/v1{path}", json=body, headers=token).status_code == 403


def test_people_judge_by_the_interface_too(office: Office, browser: FlaskClient) -> None:
    ordered = browser.post(
        "/api/v1/reviews", json={"title": "Unit 5", "sample": 3, "operation": "consultation"}
    )
    assert ordered.status_code == 201
    assert ordered.get_json()["next_draw"] == "2026-12-01"
    address = a_round(office)
    judged = browser.post(f"/api/v1{address}/judge", json={"place": 2, "verdict": "in-order"})
    assert judged.get_json()["round"]["verdicts"]["in-order"] == 1
    signal = a_signal(office, office.analyst)
    closed = browser.post(
        f"/api/v1{signal}/close", json={"verdict": "unclear", "note": "Nobody knows"}
    )
    assert (closed.get_json()["verdict"], closed.get_json()["note"]) == ("unclear", "Nobody knows")
    ended = browser.post(f"/api/v1/reviews/{ordered.get_json()['id']}/end")
    assert ended.get_json()["ended_at"] is not None


@pytest.mark.parametrize("address", ["/reviews", "/signals"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COMPLIANCE])
def test_only_a_compliance_officer_finds_the_way(
    office: Office, client: FlaskClient, role: Role, address: str
) -> None:
    signed_in(client, make_person(office.exchange.app, "police-de", [role]))
    assert f'href="{address}"' not in client.get("/account").get_data(as_text=True)
    assert client.get(address, headers=PAGE).status_code == 403


def test_entries_of_a_round_speak_the_language_of_the_page(
    office: Office, browser: FlaskClient
) -> None:
    address = a_round(office)
    browser.post("/language", data={"language": "fr", "next": "/"})
    page = text_of(browser.get(address))
    assert '<html lang="fr"' in page
    assert "novembre 2026" in page
