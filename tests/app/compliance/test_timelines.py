"""Timelines: all that is known of a person, an object or a case, in order and day by day."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.audit import service
from app.audit.service import append
from postern.vocabulary import Role
from tests.app.bare import NOON, Clock
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, SOPHIE_TYPED, Exchange, report
from tests.app.people import Person, make_person, sign_in

PAGE = "/access-log/timeline"
ADDRESS = "/api/v1/audit/timeline"


@pytest.fixture
def officer(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    sign_in(client, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    return client


def acts(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 200
    return [entry["record"]["act"] for entry in answer.get_json()["entries"]]


def told(page: str) -> list[str]:
    found = re.findall(r"</time>\s*<span>(.*?)</span>\s*<span class=\"note\">", page, re.DOTALL)
    return [html.unescape(sentence) for sentence in found]


def page_of(client: FlaskClient, query: str = "", status: int = 200) -> str:
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_a_person_is_followed_from_the_account_on(exchange: Exchange, officer: FlaskClient) -> None:
    exchange.ask("police-de", JAN)
    exchange.ask("customs-nl", JAN)
    person = exchange.caller("police-de").person
    assert acts(officer, f"person={person}") == ["account.create", "lookup.ask"]
    other = exchange.caller("customs-nl").person
    assert acts(officer, f"person={other}") == []


def test_an_indicator_is_followed_at_its_owner_from_its_report_to_its_end(
    exchange: Exchange, client: FlaskClient
) -> None:
    (made,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    sign_in(client, make_person(exchange.app, "post-be", [Role.COMPLIANCE]))
    of_indicator = acts(client, f"object={made.indicators[0]}")
    assert of_indicator == ["report.submit", "indicator.match"]
    assert acts(client, f"object={made.id}") == ["report.submit"]


def test_the_asker_follows_an_indicator_that_it_was_told_of(
    exchange: Exchange, officer: FlaskClient
) -> None:
    (made,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    assert acts(officer, f"object={made.indicators[0]}") == ["lookup.ask"]


def test_a_case_is_followed_by_its_own_organisation_alone(
    exchange: Exchange, officer: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    exchange.ask("customs-nl", JAN)  # under the same reference
    assert acts(officer, "case=PV-2024-17") == ["lookup.ask"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "person=x",
        "person=&case=",
        "case=a&object=b",
        "object=two words",
        "colour=red",
        "case=%0a",
    ],
)
def test_a_timeline_is_of_exactly_one_thing(officer: FlaskClient, query: str) -> None:
    assert officer.get(f"{ADDRESS}?{query}").status_code == 422


def test_reading_a_timeline_is_logged_with_its_subject(
    exchange: Exchange, officer: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    acts(officer, "case=PV-2024-17")
    page_of(officer, "case=PV-2024-17")
    page_of(officer)
    page_of(officer, "person=nobody", status=422)
    found = exchange.entries("audit.timeline")
    subject = {"case": "PV-2024-17"}
    assert [entry.details.get("filters") for entry in found] == [subject, subject, None, None]
    assert [entry.details.get("refusal") for entry in found[2:]] == [None, "invalid-request"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COMPLIANCE])
def test_only_a_compliance_officer_reads_timelines(
    exchange: Exchange, client: FlaskClient, role: Role
) -> None:
    sign_in(client, make_person(exchange.app, "police-de", [role]))
    assert client.get(PAGE, headers={"Accept": "text/html"}).status_code == 403
    assert client.get(ADDRESS).status_code == 403


def test_the_page_names_a_person_of_ones_own_and_no_other(
    exchange: Exchange, officer: FlaskClient
) -> None:
    own, other = exchange.people["police-de"], exchange.people["customs-nl"]
    page = page_of(officer, f"person={own.caller.person}")
    assert own.name in page
    assert str(own.caller.person) in page
    assert _name_shown(officer, other) == str(other.caller.person)[:8]


def _name_shown(client: FlaskClient, person: Person) -> str:
    page = page_of(client, f"person={person.caller.person}")
    found = re.search(r'<p class="subject">\s*<a [^>]+>([^<]+)</a>', page)
    assert found
    return found[1]


def test_days_stand_apart_and_in_order(
    exchange: Exchange, officer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(service, "now", clock)
    for hours in (0, 1, 13, 40):
        clock.at = NOON + timedelta(hours=hours)
        with exchange.app.app_context(), exchange.database.transaction() as session:
            append(session, exchange.caller("police-de"), "lookup.ask", case="K", count=hours)
    page = page_of(officer, "case=K")
    days = re.findall(r'<h2 class="timeline-day"><time datetime="([^"]+)">', page)
    assert days == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert re.findall(r">(\d\d:\d\d:\d\d)</time>", page) == [
        "13:00:00",  # in the zone of the officer's organisation, one hour before UTC in March
        "14:00:00",
        "02:00:00",
        "05:00:00",
    ]
    assert [re.findall(r"looked up (\d+)", sentence)[0] for sentence in told(page)] == [
        "0",
        "1",
        "13",
        "40",
    ]


def test_a_long_timeline_is_walked_page_by_page(exchange: Exchange, officer: FlaskClient) -> None:
    for number in range(7):
        with exchange.app.app_context(), exchange.database.transaction() as session:
            append(session, exchange.caller("police-de"), "lookup.ask", case="K", count=number)
    query, counts, pages = "case=K&limit=3", [], 0
    while query:
        page = page_of(officer, query)
        counts += [re.findall(r"looked up (\d+)", sentence)[0] for sentence in told(page)]
        following = re.search(rf'href="{PAGE}\?([^"]+)">Later entries', page)
        query = html.unescape(following[1]) if following else ""
        pages += 1
        assert ("Back to the beginning" in page) == (pages > 1)
    assert counts == ["0", "1", "2", "3", "4", "5", "6"]
    assert pages == 3


def test_an_empty_timeline_and_a_missing_subject_say_what_to_do(officer: FlaskClient) -> None:
    assert "There is nothing here to show" in page_of(officer, f"object={uuid4()}")
    assert "Show the timeline" in page_of(officer)
    page = page_of(officer, "person=Jan", status=422)
    assert "No timeline was read." in page
    assert 'value="Jan"' in page


def test_an_entry_leads_to_its_timelines_in_one_step(
    exchange: Exchange, officer: FlaskClient
) -> None:
    lookup = exchange.ask("police-de", JAN).lookup
    page = officer.get("/access-log?act=lookup.ask").get_data(as_text=True)
    person = exchange.caller("police-de").person
    for address in (f"person={person}", "case=PV-2024-17", f"object={lookup}"):
        assert f'href="{PAGE}?{address}"' in page
