import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access import CONSOLE
from app.accounts import people
from app.accounts.models import PersonAccount
from app.compliance import breaches
from app.organisations import service as organisations
from postern.vocabulary import LegalBasis, Purpose, Role, Scope
from tests.app.exchange import (
    JAN,
    OPEN_TO_POLICE,
    SOPHIE,
    SOPHIE_TYPED,
    Exchange,
    place,
    report,
)
from tests.app.people import bearer, make_organisation, make_person, runtime_of, sign_in

SECTIONS = {
    Role.SUBMITTER: "submitter",
    Role.ANALYST: "analyst",
    Role.APPROVER: "approver",
    Role.COMPLIANCE: "compliance",
    Role.POLICY_OWNER: "policy",
    Role.ADMINISTRATOR: "administrator",
}


def page_of(exchange: Exchange, code: str) -> str:
    client = exchange.app.test_client()
    sign_in(client, exchange.people[code])
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def section_of(page: str, name: str) -> str:
    found = re.search(rf'<section aria-labelledby="{name}">.*?</section>', page, re.DOTALL)
    assert found, name
    return found[0]


def figures_of(section: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", section))


def rows_of(section: str) -> dict[str, str]:
    """Label to number of a table with a heading in each row."""
    rows = re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', section, re.DOTALL)
    return {label: re.sub(r"<[^>]+>|\s", "", rest) for label, rest in rows}


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_its_own_section_and_no_other(
    app: Flask, client: FlaskClient, role: Role
) -> None:
    make_organisation(runtime_of(app).database, "post-be")
    sign_in(client, make_person(app, "post-be", [role]))
    shown = re.findall(r'<section aria-labelledby="(\w+)">', client.get("/").get_data(as_text=True))
    assert shown == [SECTIONS[role]]


def test_a_person_without_a_role_is_told_so(app: Flask, client: FlaskClient) -> None:
    make_organisation(runtime_of(app).database, "post-be")
    sign_in(client, make_person(app, "post-be"))
    assert "You hold no role yet" in client.get("/").get_data(as_text=True)


def test_a_stranger_is_led_to_the_sign_in(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")


def test_opening_it_is_logged_with_the_sections_shown(exchange: Exchange) -> None:
    page_of(exchange, "police-de")
    (entry,) = exchange.entries("overview.read")
    assert entry.details["sections"] == sorted(Role)
    assert entry.audience == ["police-de"]


def test_an_empty_platform_is_empty_states_and_no_invented_figure(exchange: Exchange) -> None:
    page = page_of(exchange, "post-be")
    for told in (
        "No reports yet",
        "postern submit",
        "No lookups yet",
        "has met your indicators",
        "No policy in force: you share nothing",
    ):
        assert told in page
    assert figures_of(section_of(page, "submitter")) == {}
    assert figures_of(section_of(page, "analyst")) == {}


def test_a_submitter_sees_the_organisation_s_own_true_figures(exchange: Exchange) -> None:
    exchange.submit(
        "post-be", report("k1", exchange.indicator(SOPHIE), place()), report("k2", place("LGG-1"))
    )
    exchange.submit("customs-nl", report("nl-1", place("AMS-1")))
    section = section_of(page_of(exchange, "post-be"), "submitter")
    assert figures_of(section) == {
        "reports in force": "2",
        "submitted in 30 days": "2",
        "live indicators": "3",
        "indicators that expire within 30 days": "0",
        "reports withdrawn": "0",
    }
    rows = rows_of(section)
    assert (rows["induction point"], rows["party"]) == ("2", "1")
    assert "k1" in section
    assert "nl-1" not in section


def test_an_analyst_sees_lookups_by_purpose_and_their_hits(exchange: Exchange) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    exchange.ask("police-de", JAN)
    exchange.ask(
        "police-de",
        JAN,
        purpose=Purpose.CRIMINAL_INTELLIGENCE,
        legal_basis=LegalBasis.POLICE_LAW,
    )
    section = section_of(page_of(exchange, "police-de"), "analyst")
    assert figures_of(section) == {
        "lookups in 30 days": "3",
        "lookups with a hit": "1",
        "hits": "1",
        "requests undecided": "0",
    }
    rows = rows_of(section)
    assert (rows["criminal investigation"], rows["criminal intelligence"]) == ("2", "1")


def test_an_approver_sees_who_matched_and_at_which_level_but_no_person(exchange: Exchange) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    section = section_of(page_of(exchange, "post-be"), "approver")
    assert list(figures_of(section).values()) == ["1"]
    assert "A lookup by Organisation police-de matched 1 of your indicators" in section
    assert "purpose: criminal investigation" in section
    assert str(exchange.caller("police-de").person)[:8] not in section
    assert "PV-2024-17" not in section


def test_a_compliance_officer_sees_operations_refusals_and_the_way_to_the_log(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.ask("police-de", JAN)
    analyst = make_person(exchange.app, "police-de", [Role.ANALYST])
    sign_in(client, analyst)
    assert client.get("/access-log").status_code == 403
    section = section_of(page_of(exchange, "police-de"), "compliance")
    assert figures_of(section)["acts denied"] == "1"
    assert rows_of(section)["consultation"] == "1"
    assert 'href="/access-log"' in section
    assert "was denied: Access log read" in section


def test_a_policy_owner_sees_who_may_see_how_much(exchange: Exchange) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)), report("k2", place()))
    exchange.publish("post-be", OPEN_TO_POLICE)
    section = section_of(page_of(exchange, "post-be"), "policy")
    assert figures_of(section) == {"version in force": "1", "policies in it": "1"}
    row = re.search(r"<td>criminal investigation</td>(.*?)</tr>", section, re.DOTALL)
    assert row
    assert re.findall(r">(\d+)<", row[1]) == ["0", "0", "2"]
    assert "See nothing of yours, for no purpose: Organisation customs-nl." in section


def test_an_administrator_sees_own_accounts_all_members_and_the_keys(exchange: Exchange) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        organisations.set_status(
            session, CONSOLE, "customs-nl", organisations.OrganisationStatus.SUSPENDED
        )
    section = section_of(page_of(exchange, "post-be"), "administrator")
    rows = rows_of(section)
    assert exchange.people["post-be"].name in rows
    assert exchange.people["police-de"].name not in rows
    assert rows["Organisation customs-nl"] == "customsNLsuspended"
    assert rows["parties and addresses"].startswith("1")


def test_a_platform_without_keys_warns_its_administrator(app: Flask, client: FlaskClient) -> None:
    make_organisation(runtime_of(app).database, "post-be")
    sign_in(client, make_person(app, "post-be", [Role.ADMINISTRATOR]))
    assert "No evaluation key epoch is open" in client.get("/").get_data(as_text=True)


def test_an_api_token_opens_no_page(exchange: Exchange, client: FlaskClient) -> None:
    headers = bearer(exchange.app, exchange.people["post-be"], [Scope.AUDIT_READ])
    assert client.get("/", headers=headers).status_code == 403
    assert client.get("/access-log", headers=headers).status_code == 403


def test_breaches_and_proposals_of_colleagues_are_tasks_of_an_officer(exchange: Exchange) -> None:
    app, officer = exchange.app, exchange.people["police-de"]
    keeper = make_person(app, "police-de", [Role.ADMINISTRATOR])
    colleague = make_person(app, "police-de", [Role.ANALYST])
    with app.app_context(), runtime_of(app).database.transaction() as session:
        person = session.get_one(PersonAccount, colleague.person_id).public_id
        held = frozenset([Role.ANALYST])
        people.change_roles(session, keeper.caller, person, held | {Role.COMPLIANCE}, held)
        breaches.open_breach(
            session,
            officer.caller,
            title="a lost laptop",
            aware_at=clock.now() - timedelta(hours=1),
        )
    page = page_of(exchange, "police-de")
    tasks = page[: page.index("<section aria-labelledby")]
    assert "open breach of data" in tasks
    assert "change of an account waits for your decision" in tasks
    assert "change of an account" not in page_of(exchange, "post-be")
