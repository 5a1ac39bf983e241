"""Pushing checkpoints to witnesses: real ones that answer over HTTP, and bad ones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from requests import ConnectionError as NoConnectionError
from sqlalchemy import func, select

from app.access import CONSOLE
from app.audit.models import AuditCosignature, AuditWitness
from app.audit.pushing import Pushed, push
from app.audit.running import LogKeeper, sequencer
from app.audit.witnesses import register
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.rounds import answer as answer_of
from postern.witness.serving import WitnessServer
from postern.witness.state import Store
from tests.app.audit.logkeeping import Keeper
from tests.app.people import runtime_of


@contextmanager
def answering(keeper: Keeper, store: Store) -> Iterator[str]:
    """A witness that watches the log; yields its address."""
    store.watch(keeper.key.verifier.name, (keeper.key.verifier,))
    with WitnessServer(("127.0.0.1", 0), store, lambda _answer: None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "witness")
    made.create("police.example/witness")
    return made


def enlist(keeper: Keeper, store: Store, address: str) -> None:
    with keeper.database.transaction() as session:
        register(session, CONSOLE, str(store.key().verifier), "police-de", address)


def lines(keeper: Keeper) -> int:
    with keeper.database.reading() as session:
        return session.execute(select(func.count()).select_from(AuditCosignature)).scalar_one()


def test_a_witness_that_answers_cosigns_each_checkpoint(keeper: Keeper, store: Store) -> None:
    with answering(keeper, store) as address:
        enlist(keeper, store, address)
        assert push(keeper.database) == Pushed(cosigned=1, failed=0)
        keeper.grow(5)
        assert push(keeper.database) == Pushed(cosigned=1, failed=0)
    assert lines(keeper) == 2


def test_a_witness_that_has_seen_more_than_we_know_is_asked_again_from_there(
    keeper: Keeper, store: Store
) -> None:
    with answering(keeper, store) as address:
        enlist(keeper, store, address)
        push(keeper.database)
        keeper.grow()
        push(keeper.database)
        with keeper.database.transaction() as session:
            session.scalars(select(AuditWitness)).one().size = 10
        keeper.grow()
        assert push(keeper.database).cosigned == 1


def test_a_witness_with_another_history_refuses_and_keeps_evidence(
    keeper: Keeper, store: Store
) -> None:
    with answering(keeper, store) as address:
        enlist(keeper, store, address)
        forged = keeper.note(9, b"f" * 32).encode()
        assert answer_of(store, AddCheckpoint(0, (), forged).encode()).line
        assert push(keeper.database) == Pushed(cosigned=0, failed=1)
    assert lines(keeper) == 0
    assert len(store.evidence()) == 1


def test_one_that_is_away_does_not_keep_the_others_from_being_asked(
    keeper: Keeper, store: Store
) -> None:
    keeper.witness("customs-nl", address="http://127.0.0.1:1")
    with answering(keeper, store) as address:
        enlist(keeper, store, address)
        assert push(keeper.database) == Pushed(cosigned=1, failed=1)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b""),
        (200, b"x" * 20_000),
        (302, b""),
        (409, b"99\n"),
        (409, b"-1\n"),
        (409, b"0\n"),
        (500, b"\xff"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_left(
    keeper: Keeper, store: Store, status: int, answer: bytes
) -> None:
    enlist(keeper, store, "https://witness.example")
    asked: list[str] = []

    def post(address: str, _body: bytes) -> tuple[int, bytes]:
        asked.append(address)
        return status, answer

    assert push(keeper.database, post) == Pushed(cosigned=0, failed=1)
    assert set(asked) == {"https://witness.example/add-checkpoint"}
    assert len(asked) <= 2


def test_a_connection_that_fails_is_left(keeper: Keeper, store: Store) -> None:
    enlist(keeper, store, "https://witness.example/")

    def post(_address: str, _body: bytes) -> tuple[int, bytes]:
        raise NoConnectionError

    assert push(keeper.database, post) == Pushed(cosigned=0, failed=1)


def test_witnesses_without_an_address_are_not_asked(keeper: Keeper) -> None:
    keeper.witness("customs-nl")
    assert push(keeper.database) == Pushed(cosigned=0, failed=0)


def test_no_transaction_is_open_while_a_witness_answers(keeper: Keeper, store: Store) -> None:
    enlist(keeper, store, "https://witness.example")

    def post(_address: str, _body: bytes) -> tuple[int, bytes]:
        keeper.grow()  # on SQLite a writer would wait for ever
        return 500, b""

    assert push(keeper.database, post).failed == 1


class Rounds(threading.Event):
    """Ends after so many waits."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        return self.left < 0


def test_gathering_goes_on_after_a_round_that_failed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def fail(_database: object, *, turn: int) -> None:
        asked.append(turn)
        raise RuntimeError

    monkeypatch.setattr("app.audit.running.push", fail)
    with app.app_context():
        runtime = runtime_of(app)
        LogKeeper(runtime, sequencer(runtime)).gather(Rounds(3))
    assert asked == [1, 1, 1]  # a turn of the test settings


def test_gathering_thins_out_as_well(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    thinned: list[int] = []
    monkeypatch.setattr("app.audit.running.thin", lambda _session: thinned.append(1))
    with app.app_context():
        runtime = runtime_of(app)
        LogKeeper(runtime, sequencer(runtime)).gather(Rounds(2))
    assert len(thinned) == 2
