"""The pages of search: what the box is given, and the person's own past lookups."""

import re
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from app.audit.models import AuditDetail
from app.lookups import past
from app.lookups.search_grounds import OFFERED
from postern.vocabulary import LegalBasis, Purpose, Role, Sector
from tests.app.exchange import (
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    Exchange,
    report,
)
from tests.app.people import make_person, sign_in

CASE = "PV-2024-17"  # of every lookup of the exchange


@pytest.fixture
def analyst(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    """The analyst of the police, signed in."""
    sign_in(client, exchange.people["police-de"])
    return client


def find(client: FlaskClient, exchange: Exchange, **fields: str) -> tuple[int, str]:
    headers = sign_in(client, exchange.people["police-de"])
    answer = client.post("/search/history", data=fields, headers=headers)
    return answer.status_code, answer.get_data(as_text=True)


def listed(page: str) -> list[UUID]:
    return [UUID(each) for each in re.findall(r'href="/search/history/([0-9a-f-]{36})"', page)]


def test_the_box_offers_the_purposes_of_the_sector_and_no_others(analyst: FlaskClient) -> None:
    page = analyst.get("/search").get_data(as_text=True)
    offered = re.findall(r'<option value="(\w+ \w+)"', page)
    police = OFFERED[Sector.POLICE]
    assert offered == [
        f"{purpose.value} {basis.value}" for purpose, bases in police.items() for basis in bases
    ]
    assert "customs_control" not in " ".join(offered)


def test_every_sector_is_offered_something() -> None:
    assert OFFERED.keys() == set(Sector)
    assert all(bases for offered in OFFERED.values() for bases in offered.values())


def test_no_field_of_the_box_has_a_name_by_which_a_browser_would_send_it(
    analyst: FlaskClient,
) -> None:
    page = analyst.get("/search").get_data(as_text=True)
    box = page[page.index('id="search"') : page.index('id="search-begin"')]
    assert set(re.findall(r'\bname="([^"]+)"', box)) == {"csrf_token", "shape"}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ANALYST}))
def test_nobody_but_an_analyst_searches(
    exchange: Exchange, client: FlaskClient, role: Role
) -> None:
    headers = sign_in(client, make_person(exchange.app, "police-de", [role]))
    assert client.get("/search").status_code == 403
    assert client.get("/search/history").status_code == 403
    assert client.post("/search/history", headers=headers).status_code == 403
    assert client.get(f"/search/history/{uuid4()}").status_code == 403


def test_past_lookups_tell_kind_case_and_hits_newest_first(
    exchange: Exchange, analyst: FlaskClient
) -> None:
    exchange.submit("post-be", report("1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    first = exchange.ask("police-de", JAN)
    second = exchange.ask("police-de", SOPHIE, JAN)
    page = analyst.get("/search/history").get_data(as_text=True)
    assert listed(page) == [second.lookup, first.lookup]
    assert "party (2)" in page
    assert CASE in page
    assert "1 hit" in page
    assert "no hit" in page
    assert listed(analyst.get("/search").get_data(as_text=True)) == listed(page)


def test_a_colleague_s_and_a_refused_lookup_are_not_in_it(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    colleague = make_person(exchange.app, "police-de", [Role.ANALYST])
    headers = sign_in(client, colleague)
    assert client.post("/api/v1/lookups", json={}, headers=headers).status_code == 422
    assert listed(client.get("/search/history").get_data(as_text=True)) == []


def test_a_case_and_days_narrow_it_and_stand_in_no_address(
    exchange: Exchange, client: FlaskClient
) -> None:
    found = exchange.ask("police-de", JAN)
    today = found.asked_at.astimezone(ZoneInfo("Europe/Berlin")).date().isoformat()
    for fields, expected in (
        ({"case": CASE}, [found.lookup]),
        ({"case": "PV-2024-18"}, []),
        ({"case": CASE, "first": today, "last": today}, [found.lookup]),
        ({"first": (found.asked_at + timedelta(days=2)).date().isoformat()}, []),
        ({"last": (found.asked_at - timedelta(days=2)).date().isoformat()}, []),
    ):
        status, page = find(client, exchange, **fields)
        assert status == 200
        assert listed(page) == expected, fields
    logged = [entry.details.get("case") for entry in exchange.entries("lookup.list")]
    assert logged == [CASE, "PV-2024-18", CASE, None, None]


def test_a_wrong_filter_comes_back_with_what_was_typed(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    for fields, words in (
        ({"first": "yesterday"}, "Write a day as YYYY-MM-DD."),
        ({"last": "0001-01-01"}, "Write a day as YYYY-MM-DD."),
        ({"case": "x" * 129}, "Write the reference of the case"),
    ):
        status, page = find(client, exchange, **fields)
        assert status == 422
        assert words in page
        assert next(iter(fields.values())) in page


def test_pages_follow_the_cursor_and_miss_nothing(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lookups.search_pages.PAGE", 2)
    asked = [exchange.ask("police-de", JAN).lookup for _ in range(3)]
    status, page = find(client, exchange, case=CASE)
    assert listed(page) == asked[:0:-1]
    cursor = re.search(r'name="cursor" value="([^"]+)"', page)
    assert cursor
    assert f'name="case" value="{CASE}"' in page
    status, later = find(client, exchange, case=CASE, cursor=cursor[1])
    assert (status, listed(later)) == (200, asked[:1])
    assert 'name="cursor"' not in later
    assert find(client, exchange, cursor="nothing")[0] == 422


def test_what_was_erased_of_an_entry_is_not_listed(exchange: Exchange) -> None:
    exchange.ask("police-de", JAN)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        caller = exchange.caller("police-de")
        before = past.own(session, caller, past.Wanted(), 10)
        assert len(before.lookups) == 1
        session.execute(delete(AuditDetail))
        assert past.own(session, caller, past.Wanted(), 10).lookups == []


def test_a_past_lookup_is_opened_again_as_far_as_it_is_still_there(
    exchange: Exchange, analyst: FlaskClient
) -> None:
    for code, text in (("post-be", OPEN_TO_POLICE), ("customs-nl", PRESENCE_TO_POLICE)):
        exchange.submit(code, report("1", exchange.indicator(SOPHIE)))
        exchange.publish(code, text)
    found = exchange.ask("police-de", SOPHIE)
    hits = found.results[0].hits
    shown = next(hit.indicator["id"] for hit in hits if hit.indicator)
    page = analyst.get(f"/search/history/{found.lookup}").get_data(as_text=True)
    assert f"/disclosures/new?indicator={shown}&amp;lookup={found.lookup}" in page
    assert f"/outcomes/new?indicator={shown}" in page
    assert "The sharing policy post-be/1 let you see it." in page
    assert "kept the rest to itself" in page
    nothing = exchange.ask("police-de", JAN)
    empty = analyst.get(f"/search/history/{nothing.lookup}").get_data(as_text=True)
    assert "Nothing is left of it" in empty


def test_another_organisation_s_lookup_is_not_there(
    exchange: Exchange, analyst: FlaskClient
) -> None:
    other = exchange.ask(
        "post-be", SOPHIE, purpose=Purpose.SERVICE_SECURITY, legal_basis=LegalBasis.POSTAL_LAW
    )
    assert analyst.get(f"/search/history/{other.lookup}").status_code == 404


def test_days_are_those_of_the_reader_s_clocks(
    exchange: Exchange, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime.fromisoformat("2024-07-01T22:30:00+00:00")  # the next day in Berlin
    monkeypatch.setattr("app.audit.service.now", lambda: late)
    found = exchange.ask("police-de", JAN)
    monkeypatch.undo()
    client.set_cookie("postern_zone", "Europe/Berlin")
    _, page = find(client, exchange, first="2024-07-02", last="2024-07-02")
    assert listed(page) == [found.lookup]
    _, page = find(client, exchange, first="2024-07-01", last="2024-07-01")
    assert listed(page) == []
