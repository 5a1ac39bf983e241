"""The page of the access log: the same answers as the interface, for people."""

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.audit.entry import Outcome
from app.audit.service import append
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, SOPHIE_TYPED, Exchange, place, report
from tests.app.people import make_person, sign_in


@pytest.fixture
def officer(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    """A browser in which the compliance officer of police-de is signed in."""
    sign_in(client, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    return client


def page_of(client: FlaskClient, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/access-log{query}")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def sentences_of(page: str) -> list[str]:
    told = re.findall(r"</time>\s*<span>(.*?)</span>\s*<span class=\"note\">", page, re.DOTALL)
    return [html.unescape(sentence) for sentence in told]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COMPLIANCE])
def test_only_a_compliance_officer_reads_it(
    exchange: Exchange, client: FlaskClient, role: Role
) -> None:
    sign_in(client, make_person(exchange.app, "police-de", [role]))
    page = client.get("/access-log", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "signed in" not in page.get_data(as_text=True)


def test_a_stranger_is_led_to_the_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/access-log?act=lookup.ask", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert "next=/access-log?act%3Dlookup.ask" in answer.location


def test_an_entry_stands_in_words_and_opens_to_record_and_details(
    exchange: Exchange, officer: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    page = page_of(officer, "?act=lookup.ask")
    (told,) = sentences_of(page)
    assert told.startswith(f"Person {str(exchange.caller('police-de').person)[:8]} of ")
    assert "looked up 1 identifier (party 1); purpose: criminal investigation" in told
    assert "case PV-2024-17; 0 hits" in told
    (entry,) = exchange.entries("lookup.ask")
    assert entry.record in html.unescape(page)
    assert str(exchange.caller("police-de").person) in page
    assert "criminal procedure" in page
    assert "Record and details fit the leaf that fixes them." in page


def test_an_owner_reads_that_it_was_matched_but_not_by_whom_or_for_which_case(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    sign_in(client, make_person(exchange.app, "post-be", [Role.COMPLIANCE]))
    page = page_of(client)
    assert any("matched 1 of your indicators" in told for told in sentences_of(page))
    assert str(exchange.caller("police-de").person) not in page
    assert "PV-2024-17" not in page


def test_other_organisations_acts_are_not_there(exchange: Exchange, officer: FlaskClient) -> None:
    exchange.submit("post-be", report("k1", place()))
    exchange.ask("customs-nl", JAN, purpose=Purpose.CUSTOMS_CONTROL)
    assert "lookup.ask" not in page_of(officer).partition('class="entries"')[2]
    assert sentences_of(page_of(officer, "?act=report.submit")) == []
    assert "No entry fits these filters" in page_of(officer, "?act=report.submit")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("purpose=criminal_intelligence", 1),
        ("purpose=criminal_investigation", 1),
        ("case=PV-2024-17", 2),
        ("case=PV-2024-18", 0),
        ("operation=consultation&outcome=ok&purpose=criminal_intelligence", 1),
        ("operation=erasure", 0),
        ("act=lookup.ask&from=2001-01-01&to=2001-12-31", 0),
        ("act=lookup.ask&from=2001-01-01&to=", 2),
        ("act=+lookup.ask+", 2),
    ],
)
def test_the_filters_narrow_what_is_shown_and_stay_in_the_form(
    exchange: Exchange, officer: FlaskClient, query: str, found: int
) -> None:
    exchange.ask("police-de", JAN)
    exchange.ask(
        "police-de",
        JAN,
        purpose=Purpose.CRIMINAL_INTELLIGENCE,
        legal_basis=LegalBasis.POLICE_LAW,
    )
    page = page_of(officer, f"?{query}")
    assert len(sentences_of(page)) == found
    assert '<details class="sheet filters-fold no-print" open>' in page
    for name, value in re.findall(r"(case|from)=([^&]+)", query):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', page)
    for name, value in re.findall(r"(purpose|operation)=([^&]+)", query):
        chosen = re.search(rf'name="{name}".*?</select>', page, re.DOTALL)
        assert chosen
        assert f'<option value="{value}" selected>' in chosen[0]


def test_the_person_of_an_entry_leads_to_all_their_acts(
    exchange: Exchange, officer: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    person = str(exchange.caller("police-de").person)
    assert f'href="/access-log?actor={person}"' in page_of(officer, "?act=lookup.ask")
    assert len(sentences_of(page_of(officer, f"?actor={person}"))) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("purpose=fun", "purpose"),
        ("act=barrier.burn", "act"),
        ("operation=x", "operation"),
        ("outcome=x", "outcome"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        (f"actor={'a' * 65}", "actor"),
        (f"case={'a' * 129}", "case"),
    ],
)
def test_a_wrong_filter_is_named_at_its_field_and_shows_no_entry(
    exchange: Exchange, officer: FlaskClient, query: str, field: str
) -> None:
    page = page_of(officer, f"?{query}", status=422)
    assert f'id="error-{field}"' in page
    assert f'aria-describedby="error-{field}"' in page
    assert "The log was not searched" in page
    assert sentences_of(page) == []
    (logged,) = exchange.entries("audit.read")
    assert '"out":"error"' in logged.record
    assert logged.details["refusal"] == "invalid-request"


@pytest.mark.parametrize("query", ["cursor=!!", "limit=0", "colour=red", "_external=1"])
def test_an_address_that_no_page_gave_offers_a_new_start(officer: FlaskClient, query: str) -> None:
    page = page_of(officer, f"?{query}&act=lookup.ask", status=422)
    assert 'href="/access-log?act=lookup.ask">Begin again with the filters below.' in page
    assert sentences_of(page) == []


def test_a_long_log_is_walked_page_by_page_without_gap_or_repetition(
    exchange: Exchange, officer: FlaskClient
) -> None:
    for number in range(7):
        with exchange.app.app_context(), exchange.database.transaction() as session:
            append(session, exchange.caller("police-de"), "report.read", count=number)
    address, cases, pages = "?act=report.read&limit=3", [], 0
    while address:
        page = page_of(officer, address)
        cases += re.findall(r"&#34;n&#34;:(\d)", page)
        following = re.search(r'href="/access-log([^"]+)">Older entries', page)
        address = html.unescape(following[1]) if following else ""
        pages += 1
        assert ("Back to the newest" in page) == (pages > 1)
    assert cases == ["6", "5", "4", "3", "2", "1", "0"]
    assert pages == 3


def test_reading_it_is_logged_with_the_filters_used(
    exchange: Exchange, officer: FlaskClient
) -> None:
    page_of(officer, "?act=lookup.ask&case=PV-1")
    (entry,) = exchange.entries("audit.read")
    assert entry.details["filters"] == {"act": "lookup.ask", "case": "PV-1"}
    assert entry.audience == ["police-de"]


def test_what_a_case_reference_holds_stays_text(exchange: Exchange, officer: FlaskClient) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    with exchange.app.app_context(), exchange.database.transaction() as session:
        append(session, exchange.caller("police-de"), "lookup.ask", case=hostile, count=1)
    page = page_of(officer)
    assert "<img" not in page
    assert html.escape(hostile, quote=False).replace('"', "&#34;") in page


def test_a_refused_act_stands_out(exchange: Exchange, officer: FlaskClient) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        append(
            session,
            exchange.caller("police-de"),
            "lookup.ask",
            outcome=Outcome.DENIED,
            details={"refusal": "not-allowed"},
        )
    page = page_of(officer, "?act=lookup.ask")
    assert 'class="entry entry-refused"' in page
    assert sentences_of(page)[0].endswith("was denied: Lookup (not-allowed)")


def test_an_erased_detail_leaves_an_entry_that_still_reads(
    exchange: Exchange, officer: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    with exchange.database.transaction() as session:
        session.execute(text("DELETE FROM audit_detail"))
    page = page_of(officer, "?act=lookup.ask")
    assert sentences_of(page) == [
        "A person of Organisation police-de looked up 1 identifier; purpose: criminal investigation"
    ]


def test_dates_and_words_follow_the_language(exchange: Exchange, officer: FlaskClient) -> None:
    exchange.ask("police-de", JAN)
    answer = officer.get("/access-log?act=lookup.ask", headers={"Accept-Language": "fr"})
    page = answer.get_data(as_text=True)
    assert "Journal des accès" in page
    assert any("finalité\u00a0: enquête pénale" in told for told in sentences_of(page))
    assert re.search(r"<time [^>]+>\d{1,2} [a-zéû.]+ \d{4}, \d\d:\d\d:\d\d CES?T", page)


def test_what_is_found_is_counted_and_leads_on(exchange: Exchange, officer: FlaskClient) -> None:
    exchange.ask("police-de", JAN)
    page = page_of(officer, "?act=lookup.ask")
    assert "1 entry, counted" in page
    assert 'href="/access-log?act=lookup.ask&amp;purpose=criminal_investigation"' in page
    assert 'href="/access-log">any<' in page  # the act that is searched by, taken out
    assert 'href="/reviews?act=lookup.ask#order"' in page
    assert "reviews?act" not in page_of(officer, "?act=lookup.ask&case=PV-2024-17")
    form = officer.get("/reviews?act=lookup.ask").get_data(as_text=True)
    assert '<option value="lookup.ask" selected>' in form


def test_only_the_first_page_is_counted(exchange: Exchange, officer: FlaskClient) -> None:
    for _ in range(3):
        exchange.ask("police-de", JAN)
    page = page_of(officer, "?act=lookup.ask&limit=1")
    assert "3 entries, counted" in page
    (following,) = re.findall(r'href="/access-log(\?[^"]*cursor=[^"]+)"', page)
    assert "entries, counted" not in page_of(officer, html.unescape(following))
