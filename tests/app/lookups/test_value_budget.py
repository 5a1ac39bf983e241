"""Budgets of different values: counted once a day, shared with colleagues, durable or no answer."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app import create_app
from app.clock import now
from app.config import Settings
from app.errors import QuotaSpentError
from app.lookups import service as lookups
from app.lookups import value_budget
from app.lookups.budget_models import ValueBudget, ValueSeen
from app.lookups.models import Lookup
from app.lookups.scoring import Query
from app.pseudonyms.models import Window
from app.pseudonyms.quota import WHOLE_ORGANISATION
from postern import normalise
from postern.vocabulary import Kind, LegalBasis, Purpose, Role, Scope
from tests.app.compliance.office import NOVEMBER, standing_clock
from tests.app.exchange import JAN, SOPHIE, SOPHIE_TYPED, Exchange, make_exchange
from tests.app.lookups.test_api import body_for
from tests.app.lookups.watching import watch
from tests.app.people import Person, bearer, make_person, runtime_of

DAY, MONTH = 4, 6
PHONES = [normalise.Phone(f"+32 475 12 34 {number}") for number in range(10, 30)]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    small = dataclasses.replace(settings.abuse, values_day=DAY, values_month=MONTH)
    half = dataclasses.replace(settings.quota, person_percent=75)
    made = create_app(dataclasses.replace(settings, abuse=small, quota=half))
    made.testing = False
    yield made
    made.extensions["postern"].database.dispose()


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def ask(exchange: Exchange, *values: normalise.Value | Query, who: Person | None = None) -> None:
    who = who or exchange.people["police-de"]
    queries = [
        each if isinstance(each, Query) else exchange.query(each, f"q{place}")
        for place, each in enumerate(values)
    ]
    with exchange.app.app_context(), exchange.database.transaction() as session:
        lookups.ask(
            session,
            who.caller,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2024-17",
            queries=queries,
        )


def used(exchange: Exchange, window: Window = Window.DAY) -> dict[int, int]:
    """What is counted of one window: person -> different values, 0 for the organisation."""
    with exchange.database.reading() as session:
        rows = session.execute(
            select(ValueBudget.person_id, func.sum(ValueBudget.used))
            .where(ValueBudget.window == window)
            .group_by(ValueBudget.person_id)
        )
        return {row[0]: int(row[1]) for row in rows}


def test_a_value_is_counted_once_a_day_and_colleagues_share_the_organisation_s(
    exchange: Exchange,
) -> None:
    first = exchange.people["police-de"]
    second = make_person(exchange.app, "police-de", [Role.ANALYST])
    ask(exchange, PHONES[0], PHONES[1])
    ask(exchange, PHONES[0], PHONES[1])
    ask(exchange, PHONES[1], PHONES[2], who=second)
    assert used(exchange) == {
        WHOLE_ORGANISATION: 3,
        first.caller.member[1]: 2,
        second.caller.member[1]: 2,
    }


def test_one_value_too_many_is_refused_and_nothing_of_it_is_kept(exchange: Exchange) -> None:
    ask(exchange, *PHONES[:3])
    before = used(exchange)
    with pytest.raises(QuotaSpentError) as refusal:
        ask(exchange, PHONES[0], PHONES[3])  # a person may ask for 75 per cent of four
    assert refusal.value.extensions["window"] == "day"
    assert int(refusal.value.headers["Retry-After"]) >= 1
    assert used(exchange) == before
    ask(exchange, *PHONES[:3])  # what was asked already costs nothing
    colleague = make_person(exchange.app, "police-de", [Role.ANALYST])
    ask(exchange, PHONES[3], who=colleague)
    with pytest.raises(QuotaSpentError):
        ask(exchange, PHONES[4], who=colleague)  # the organisation's four are used up
    ask(exchange, JAN)  # another kind has a budget of its own


def test_a_watch_is_a_question_too(exchange: Exchange) -> None:
    for value in PHONES[:3]:
        watch(exchange, "police-de", value)
    with pytest.raises(QuotaSpentError):
        watch(exchange, "police-de", PHONES[3])
    ask(exchange, PHONES[0])


def test_a_new_day_is_counted_anew_and_the_month_goes_on(app: Flask) -> None:
    with standing_clock(NOVEMBER) as clock:
        exchange = make_exchange(app)
        ask(exchange, *PHONES[:3])
        clock.at += timedelta(days=1)
        ask(exchange, PHONES[0])
        assert used(exchange, Window.MONTH)[WHOLE_ORGANISATION] == 4
        with pytest.raises(QuotaSpentError) as refusal:
            ask(exchange, PHONES[1])  # 75 per cent of six are four
        assert refusal.value.extensions["window"] == "month"
        clock.at += timedelta(days=30)
        ask(exchange, *PHONES[:3])


def test_values_packed_into_one_query_count_as_what_they_are(exchange: Exchange) -> None:
    packed = [pair for each in PHONES[:4] for pair in exchange.query(each).tokens]
    with pytest.raises(QuotaSpentError):
        ask(exchange, Query("q", Kind.PHONE, 1, packed))
    for honest in (SOPHIE, SOPHIE_TYPED, JAN):
        assert value_budget.counted(exchange.query(honest).tokens) == 1
    both = [*exchange.query(SOPHIE).tokens, *exchange.query(JAN).tokens]
    assert value_budget.counted(both) == 2


def test_two_streets_of_one_address_are_one_value(exchange: Exchange) -> None:
    brussels = normalise.Party(
        "Sophie Van Damme", ("16, rue de la Loi", "Wetstraat 16"), "1040", "Bruxelles", "BE"
    )
    assert value_budget.counted(exchange.query(brussels).tokens) == 1


def test_digests_serve_for_one_day_and_one_organisation_and_are_erased(app: Flask) -> None:
    with standing_clock(NOVEMBER) as clock:
        exchange = make_exchange(app)

        def digests() -> list[bytes]:
            return [bytes(row.digest) for row in exchange.rows(select(ValueSeen))]

        def forget() -> int:
            with exchange.app.app_context(), exchange.database.transaction() as session:
                return value_budget.forget(session)

        ask(exchange, JAN)
        ask(exchange, JAN, who=exchange.people["customs-nl"])
        assert len(set(digests())) == 2  # the same value, and no two organisations can join it
        clock.at += timedelta(days=1)
        ask(exchange, JAN)
        assert len(set(digests())) == 3
        assert forget() == 0
        clock.at += timedelta(days=1)
        assert forget() == 4  # an organisation and a person, twice
        clock.at += timedelta(days=2)
        assert forget() == 2
        assert digests() == []
        clock.at += timedelta(days=100)
        forget()
        assert exchange.rows(select(ValueBudget)) == []


def test_a_counter_that_cannot_be_written_gives_no_answer(
    exchange: Exchange, client: FlaskClient
) -> None:
    police = exchange.people["police-de"]
    headers = bearer(exchange.app, police, [Scope.LOOKUPS_WRITE])
    with exchange.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE value_budget RENAME COLUMN used TO gone"))
    answer = client.post(
        "/api/v1/lookups", json=body_for(exchange.query(PHONES[0])), headers=headers
    )
    assert answer.status_code >= 500
    assert "results" not in (answer.get_json() or {})
    assert exchange.rows(select(Lookup)) == []
    assert exchange.rows(select(ValueSeen)) == []
    assert [e for e in exchange.entries("lookup.ask") if "hits" in e.details] == []


def test_a_spent_budget_is_told_with_the_time_to_wait(
    exchange: Exchange, client: FlaskClient
) -> None:
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.LOOKUPS_WRITE])
    queries = [exchange.query(each, each.number) for each in PHONES[:4]]
    body = body_for(*queries)
    answer = client.post("/api/v1/lookups", json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "quota-spent")
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_organisation_can_be_given_its_own_budget(exchange: Exchange) -> None:
    command = ["budgets", "allow", "police-de", "phone", "--day", "20", "--month", "40"]
    ran = exchange.app.test_cli_runner().invoke(args=command)
    assert ran.exit_code == 0, ran.output
    ask(exchange, *PHONES[:15])
    with pytest.raises(QuotaSpentError):
        ask(exchange, PHONES[15])
    ran = exchange.app.test_cli_runner().invoke(args=[*command[:5], "50", *command[6:]])
    assert ran.exit_code == 2
    (entry,) = exchange.entries("organisation.allow")
    assert entry.details["allowance"] == {"values of phone": {"day": 20, "month": 40}}


def test_standings_tell_each_what_is_left(exchange: Exchange) -> None:
    ask(exchange, *PHONES[:3])
    settings = runtime_of(exchange.app).settings
    police = exchange.caller("police-de")
    with exchange.database.reading() as session:
        whole = value_budget.standings(session, settings, police.member[0])
        own = value_budget.own_standings(session, settings, police)
    phone = {
        (each.person_id, each.window): (each.used, each.limit, each.left)
        for each in whole
        if each.kind is Kind.PHONE
    }
    person = police.member[1]
    assert phone == {
        (WHOLE_ORGANISATION, Window.DAY): (3, 4, 1),
        (WHOLE_ORGANISATION, Window.MONTH): (3, 6, 3),
        (person, Window.DAY): (3, 3, 0),
        (person, Window.MONTH): (3, 4, 1),
    }
    assert [each.kind for each in own] == [kind for kind in Kind for _ in value_budget.WINDOWS]
    assert {each.person_id for each in own} == {person}
    assert now() < min(each.ends for each in own)
