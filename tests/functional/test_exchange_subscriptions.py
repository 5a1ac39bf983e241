"""One Postern polls another over a real socket: what is shared, changed, and taken back arrives."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock, create_app
from app.access import Caller
from app.exchange import received, subscriptions
from app.exchange.models import CollectionKind
from app.exchange.server_models import ExchangeServer, ServerMeans, ServerState, ServerTry
from app.indicators import service as indicators
from app.indicators.models import Indicator, Report
from app.jobs import draining
from app.runtime import runtime
from postern.tlog.notes import SigningKey
from postern.vocabulary import RecallReason, Role, Scope
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, Exchange
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer, make_organisation, make_person, runtime_of
from tests.conftest import settings_for
from tests.functional.conftest import Platform

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def other(sqlite_template: Path, secrets_directory: Path, tmp_path: Path) -> Iterator[Flask]:
    """A second platform, with one member."""
    copy = tmp_path / "other.sqlite3"
    shutil.copyfile(sqlite_template, copy)
    made = create_app(settings_for(f"sqlite:///{copy}", secrets_directory))
    make_organisation(runtime_of(made).database, "police-fr", country="FR")
    yield made
    runtime_of(made).database.dispose()


def ask(app: Flask) -> None:
    """The worker of the second platform, when the time of its subscription has come."""
    past = clock.now() - timedelta(minutes=5)
    with app.app_context():
        with runtime().database.transaction() as session:
            session.execute(update(ExchangeServer).values(due_at=past))
            session.execute(update(ServerTry).values(began_at=past))
        with runtime().database.transaction() as session:
            subscriptions.put_due(session)
        draining.drain(runtime())


def subscribe(
    platform: Platform, exchange: Exchange, other: Flask, receipt_key: str = ""
) -> tuple[Caller, UUID]:
    """The second platform reads a collection of the first: whose subscription, and its id."""
    opened = Room(exchange).open("police-de", kind=CollectionKind.SHARED)
    desk = make_person(exchange.app, "police-de", [Role.ANALYST])
    token = bearer(exchange.app, desk, [Scope.EXCHANGE_READ])["Authorization"].split()[1]
    keeper = make_person(other, "police-fr", Role).caller
    with other.app_context(), runtime().database.transaction() as session:
        made = subscriptions.add(
            session,
            keeper,
            title="The Belgian one",
            address=f"{platform.address}/taxii2/exchange/collections/{opened.id}/",
            means=ServerMeans.BASIC,
            user="any",
            secret=token,
            receipt_key=receipt_key,
        )
    with other.app_context():
        draining.drain(runtime())
    return keeper, made.id


@on_one_database
def test_a_platform_polls_another_and_learns_of_withdrawals(
    platform: Platform, exchange: Exchange, other: Flask
) -> None:
    room = Room(exchange)
    exchange.publish("post-be", OPEN_TO_POLICE)
    (gone,) = room.submit("post-be", exchange.indicator(SOPHIE))
    room.submit("post-be", exchange.indicator(JAN))
    keeper, server = subscribe(platform, exchange, other)
    with other.app_context(), runtime().database.transaction() as session:
        found = received.read(session, keeper, server)
        (tried,) = session.scalars(select(ServerTry))
    assert found.server.error is None
    assert found.server.state is ServerState.ANSWERING
    assert found.server.is_postern
    assert {each.owner for each in found.objects} == {"Organisation post-be"}
    assert {each.content["kind"] for each in found.objects} == {"party"}
    assert tried.kept == 3  # with who they come from
    assert set(tried.refused) == {"support"}
    assert len(exchange.entries("exchange.serve")) == 1

    post = exchange.caller("post-be")
    report = room.within(
        lambda session: session.scalar(
            select(Report.public_id)
            .join(Indicator, Indicator.report_id == Report.id)
            .where(Indicator.public_id == gone)
        )
    )
    assert report is not None
    room.within(
        lambda session: indicators.withdraw(session, post, report, RecallReason.SOURCE_WITHDREW)
    )
    room.work()
    ask(other)
    with other.app_context(), runtime().database.transaction() as session:
        found = received.read(session, keeper, server)
    assert sorted(each.is_revoked for each in found.objects) == [False, True]
    (emptied,) = (each for each in found.objects if each.is_revoked)
    assert emptied.content == {}


@on_one_database
def test_a_page_of_another_platform_is_kept_with_the_receipt_that_its_own_key_signed(
    platform: Platform, exchange: Exchange, other: Flask
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    room = Room(exchange)
    room.submit("post-be", exchange.indicator(SOPHIE))
    printed = exchange.app.test_cli_runner().invoke(args=["audit", "keys"]).output
    (key,) = (line.split()[1] for line in printed.splitlines() if line.startswith("receipt "))
    stranger = SigningKey(key.partition("+")[0], bytes(32))
    keeper, wrong = subscribe(platform, exchange, other, str(stranger.verifier))
    keeper_of_right, right = subscribe(platform, exchange, other, key)
    room.submit("post-be", exchange.indicator(JAN))
    room.work()
    ask(other)
    with other.app_context(), runtime().database.transaction() as session:
        refused = received.read(session, keeper, wrong)
        kept = received.read(session, keeper_of_right, right)
        counted = {
            name: list(session.execute(select(ServerTry.receipts, ServerTry.pages).where(where)))
            for name, where in (
                ("wrong", ServerTry.server_id == key_of(session, wrong)),
                ("right", ServerTry.server_id == key_of(session, right)),
            )
        }
    assert (refused.server.error, refused.objects) == ("ServerReceiptError", [])
    assert (kept.server.error, kept.server.state) == (None, ServerState.ANSWERING)
    assert {each.content["kind"] for each in kept.objects} == {"party"}
    assert len(kept.objects) == 2
    assert counted == {"wrong": [(0, 0), (0, 0)], "right": [(1, 1), (1, 1)]}


def key_of(session: Session, server: UUID) -> int:
    return session.scalars(
        select(ExchangeServer.id).where(ExchangeServer.public_id == server)
    ).one()
