"""What is left of the evaluations, and which keys are in use."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.administration import quotas
from app.pseudonyms import quota
from app.pseudonyms.models import Window
from app.pseudonyms.rotation_models import KeyRotation, RotationState
from app.pseudonyms.service import directory_fingerprint
from postern.vocabulary import EvaluationKind, Role
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import make_person, runtime_of, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def spend(exchange: Exchange, code: str, elements: int) -> None:
    organisation_id, person_id = exchange.caller(code).member
    with exchange.database.transaction() as session:
        quota.spend(
            session,
            runtime_of(exchange.app).settings.quota,
            organisation_id=organisation_id,
            person_id=person_id,
            kind=EvaluationKind.PHONE,
            elements=elements,
        )


def page_of(exchange: Exchange, client: FlaskClient, path: str) -> str:
    sign_in(client, make_person(exchange.app, "post-be", [Role.ADMINISTRATOR]))
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_each_window_tells_what_is_used_and_left_and_when_it_is_full_again(
    exchange: Exchange,
) -> None:
    spend(exchange, "post-be", 30)
    spend(exchange, "police-de", 500)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        found = quotas.read_quotas(session, exchange.caller("post-be"))
    by_kind = {each.kind: each for each in found.kinds}
    assert list(by_kind) == list(EvaluationKind)
    phone = {each.window: each for each in by_kind[EvaluationKind.PHONE].windows}
    assert {window: (each.used, each.left) for window, each in phone.items()} == {
        Window.HOUR: (30, 19_970),
        Window.DAY: (30, 59_970),
        Window.MONTH: (30, 399_970),
    }
    assert phone[Window.HOUR].begins < phone[Window.HOUR].ends
    assert not by_kind[EvaluationKind.POSTAL].is_used
    person = exchange.caller("post-be").person
    assert {(who, each.used) for who, each in by_kind[EvaluationKind.PHONE].persons} == {
        (person, 30)
    }
    (entry,) = exchange.entries("quota.read")
    assert entry.audience == ["post-be"]


@on_one_database
def test_the_page_names_people_and_no_value(exchange: Exchange, client: FlaskClient) -> None:
    spend(exchange, "post-be", 19_000)
    page = page_of(exchange, client, "/quotas")
    assert exchange.people["post-be"].name in page
    assert re.search(r'badge-alarm">\s*1,000', page)
    assert "keys allow post-be KIND" in page


@on_one_database
def test_an_organisation_that_used_nothing_is_told_so(
    exchange: Exchange, client: FlaskClient
) -> None:
    spend(exchange, "police-de", 10)
    assert "Nobody has evaluated anything this month" in page_of(exchange, client, "/quotas")


@on_one_database
def test_keys_are_told_with_their_time_and_fingerprint(
    exchange: Exchange, client: FlaskClient
) -> None:
    page = page_of(exchange, client, "/platform/epochs")
    with exchange.app.app_context():
        assert directory_fingerprint() in page
    assert page.count(">open</span>") == len(EvaluationKind)
    assert len(set(re.findall(r"<code>((?:[A-Z2-7]{4}-){7}[A-Z2-7]{4})</code>", page))) == len(
        EvaluationKind
    )
    assert "Nothing is published yet" in page
    assert 'id="rotations"' not in page


def test_a_rotation_is_told_with_its_step_and_what_is_left(
    exchange: Exchange, client: FlaskClient
) -> None:
    with exchange.database.transaction() as session:
        session.add(
            KeyRotation(
                kind=EvaluationKind.POSTAL,
                new_epoch=2,
                old_epoch=1,
                old_key=bytes(32),
                new_key=bytes(32),
                state=RotationState.OVERLAPPING,
                overlap_days=14,
                began_at=clock.now(),
                after=0,
                chunks=0,
                elements=0,
                head=bytes(32),
            )
        )
    page = page_of(exchange, client, "/platform/epochs")
    assert 'id="rotations"' in page
    assert "both epochs are taken" in page
