"""What counters and digests show: raised once, with figures and entries, and judged by a person."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.compliance import signals
from app.compliance.models import Anomaly, Signal
from app.config import Settings
from app.lookups import service as lookups
from app.pseudonyms import quota
from app.runtime import runtime
from postern import normalise
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from tests.app.compliance.office import NOVEMBER, Office, make_office, standing_clock
from tests.app.exchange import make_exchange

STREET: list[normalise.Value] = [
    normalise.Address((f"Keizersgracht {number}",), "1015 AB", "Amsterdam", "NL")
    for number in range(1, 44)
]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    small = dataclasses.replace(settings.abuse, values_day=50, values_month=500, steady_hours=3)
    quotas = dataclasses.replace(settings.quota, hour=100, day=5000, month=50_000)
    made = create_app(dataclasses.replace(settings, abuse=small, quota=quotas))
    made.testing = False
    yield made
    made.extensions["postern"].database.dispose()


@pytest.fixture
def office(app: Flask) -> Iterator[Office]:
    with standing_clock(NOVEMBER) as clock:
        yield make_office(make_exchange(app), clock)


def ask(office: Office, values: list[normalise.Value]) -> None:
    """A lookup of many values by the analyst."""
    office.do(
        lookups.ask,
        office.analyst,
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
        case="PV-2024-17",
        queries=[office.exchange.query(each, f"q{place}") for place, each in enumerate(values)],
    )


def evaluate(office: Office, elements: int) -> None:
    organisation_id, person_id = office.analyst.caller.member
    with office.transaction() as session:
        quota.spend(
            session,
            runtime().settings.quota,
            organisation_id=organisation_id,
            person_id=person_id,
            kind=EvaluationKind.POSTAL,
            elements=elements,
        )


def told(office: Office) -> dict[tuple[Signal, Any], Anomaly]:
    rows = office.exchange.rows(select(Anomaly).order_by(Anomaly.id))
    return {(row.signal, row.facts.get("what", row.facts.get("window"))): row for row in rows}


def test_a_street_that_is_gone_through_becomes_a_task_with_its_reason(office: Office) -> None:
    ask(office, STREET)
    assert office.look() > 0
    found = told(office)
    street = found[Signal.NEIGHBOURS, "pairs"]
    assert street.person == office.analyst_id
    assert street.facts["count"] >= 3
    assert street.facts["values"] == len(STREET)
    assert street.entries
    budget = found[Signal.QUOTA, "values-day"]
    assert (budget.facts["used"], budget.facts["limit"]) == (len(STREET), 50)
    assert office.look() == 0
    office.clock.at += timedelta(days=3)
    assert office.look() == 0
    (task, *_) = office.do(signals.list_signals, office.officer)
    assert office.do(signals.read, office.officer, task.id).entries


def test_just_under_the_limit_hour_after_hour_is_seen(office: Office) -> None:
    for _ in range(3):
        evaluate(office, 75)
        office.clock.at += timedelta(hours=1)
    office.look()
    steady = told(office)[Signal.STEADY, "hours"]
    assert steady.facts["count"] == 3
    assert steady.facts["used"] == 225


def test_just_under_the_limit_day_after_day_is_seen(office: Office) -> None:
    for _ in range(5):
        ask(office, STREET[:38])
        office.clock.at += timedelta(days=1)
    office.look()
    assert told(office)[Signal.STEADY, "days"].facts["count"] == 5


def test_an_ordinary_day_raises_nothing(office: Office) -> None:
    evaluate(office, 60)
    ask(office, [STREET[0], STREET[11], normalise.Phone("+32 475 12 34 56")])
    assert office.look() == 0
