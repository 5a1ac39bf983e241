"""A key is rotated while members submit, look up, watch, amend and withdraw: nothing is lost."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import create_app
from app.access import CONSOLE
from app.config import Settings
from app.database_roles import Work, grant
from app.errors import ConflictError, UnavailableError
from app.indicators import rotating, service, storage
from app.indicators.models import Indicator, Token
from app.indicators.storage import split_tokens
from app.indicators.vault import Vault
from app.lookups.models import WatchMatch
from app.lookups.scoring import Query
from app.pseudonyms import rotation as rotations
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.key_files import KeyFiles
from app.pseudonyms.models import ElementVault, KeyEpoch
from app.pseudonyms.rotation_models import KeyRotation, KeyRotationChunk, RotationState
from app.pseudonyms.service import EpochClosedError
from postern import group, rotation
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, make_exchange, report
from tests.app.indicators.rotation_house import POSTAL, Rotating, party, with_own_secrets
from tests.app.lookups.watching import watch
from tests.app.people import runtime_of


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With secrets of its own, which a rotation changes."""
    return with_own_secrets(settings, tmp_path)


@pytest.fixture
def house(app: Flask) -> Rotating:
    made = Rotating(make_exchange(app))
    made.exchange.publish("post-be", OPEN_TO_POLICE)
    for number in range(3):
        made.submit(f"k{number}", party(number))
    return made


def count(house: Rotating, model: Any) -> int:
    with house.exchange.database.reading() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def test_everything_is_found_before_during_and_after(house: Rotating) -> None:
    before = count(house, Token)
    retried = house.exchange.rows(select(Indicator))
    house.begin()
    with pytest.raises(ConflictError):
        house.begin()
    house.find(1)
    number = 3

    def go_on() -> None:
        nonlocal number
        house.find(house.epoch)
        if house.state is RotationState.OVERLAPPING:
            house.find(1)
        if number < 7:
            epoch = house.epoch if number % 2 else 1
            if epoch == 1 and house.state not in {RotationState.MOVING, RotationState.OVERLAPPING}:
                epoch = house.epoch
            house.submit(f"k{number}", party(number), epoch)
            number += 1

    house.until(RotationState.OVERLAPPING, go_on)
    assert house.epoch == 2
    house.find(1)
    house.submit("old", JAN, 1)
    house.submit("new", JAN, 2)
    house.find(1)
    house.find(2)
    assert house.send("k0", party(0), 2).status == "existing"  # a retry, with the key of today
    assert house.send("k0", party(1), 2).status == "rejected"
    house.until(RotationState.DONE, go_on)
    house.find(2)
    with pytest.raises(EpochClosedError):
        house.exchange.ask("police-de", house.query(SOPHIE, 2, "q"), forged(house))
    (refused,) = house.exchange.submit(
        "post-be", report("late", house.exchange.indicator(SOPHIE))
    ).results
    assert refused.status == "rejected"
    rows = house.exchange.rows(select(Indicator))
    assert len(rows) == len(house.sent) > len(retried)
    assert {(row.epoch, row.also_epoch) for row in rows} == {(2, None)}
    assert count(house, Token) == sum(len(split_tokens(row.tokens)) for row in rows) > before
    vaulted(house, rows)


def forged(house: Rotating) -> Query:
    return dataclasses.replace(house.query(SOPHIE, 2, "r"), epoch=1)


def vaulted(house: Rotating, rows: list[Indicator]) -> None:
    """The vault holds of each row what the new key makes of its value."""
    vault = runtime_of(house.exchange.app).part(Vault)
    values = list(house.sent.values())
    expected = {b"".join(bytes((f,)) + e for f, e in house.elements(v, 2)) for v in values}
    public = {row.id: row.public_id for row in rows}
    held = house.exchange.rows(select(ElementVault))
    assert len(held) == len(rows)
    opened = {
        vault.open(public[each.indicator_id], POSTAL, each.epoch, bytes(each.sealed))
        for each in held
    }
    assert opened == expected


def test_a_rotation_is_proved_to_every_member_and_to_owners_row_by_row(house: Rotating) -> None:
    house.begin()
    house.until(RotationState.DONE)
    (found,) = house.exchange.rows(select(KeyRotation))
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        everybodys = rotations.read_proof(session, CONSOLE, POSTAL, 2)
        owners = rotations.read_proof(
            session,
            CONSOLE,
            POSTAL,
            2,
            owner=house.exchange.organisation_id("post-be"),
            organisation="post-be",
        )
        others = rotations.read_proof(
            session, CONSOLE, POSTAL, 2, owner=house.exchange.organisation_id("police-de")
        )
    assert others == everybodys
    seen, own = rotation.verify_file(everybodys), rotation.verify_file(owners)
    assert seen.head == own.head == bytes(found.head)
    assert (seen.opened, own.opened) == (0, own.chunks)
    elements = sum(len(house.elements(value, 2)) for value in house.sent.values())
    assert seen.elements == elements
    keys = {row.epoch: bytes(row.public_key) for row in epochs(house)}
    assert (seen.rotation.old_key, seen.rotation.new_key) == (keys[1], keys[2])
    (wiped,) = house.exchange.entries("key.wipe")
    assert wiped.details["proof"]["elements"] == elements
    # The new key in the document is the one that evaluates.
    evaluator = runtime_of(house.exchange.app).part(SingleKeyEvaluator)
    assert group.base(evaluator.secret_key(POSTAL, 2)) == keys[2]


def epochs(house: Rotating) -> list[KeyEpoch]:
    return house.exchange.rows(select(KeyEpoch).where(KeyEpoch.kind == POSTAL))


def test_the_old_key_and_the_seed_are_gone_and_a_new_process_evaluates(
    house: Rotating, settings: Settings
) -> None:
    folder = Path(settings.secrets.directory)
    seed = (folder / "evaluation.key").read_bytes()
    house.begin()
    old = runtime_of(house.exchange.app).part(KeyFiles).key(POSTAL, 1)
    assert old is not None
    assert (folder / "rotation_postal_2.key").exists()
    house.until(RotationState.DONE)
    contents = [path.read_bytes() for path in folder.iterdir()]
    assert seed not in contents
    assert old not in contents
    assert not list(folder.glob("rotation_*"))
    fresh = create_app(settings)
    keys = {
        row.kind: bytes(row.public_key)
        for row in house.exchange.rows(select(KeyEpoch).order_by(KeyEpoch.epoch))
    }
    evaluator = runtime_of(fresh).part(SingleKeyEvaluator)
    for kind, key in keys.items():
        assert evaluator.public_key(kind, 2 if kind is POSTAL else 1) == key
    runtime_of(fresh).database.dispose()


def test_a_step_that_breaks_off_loses_nothing(
    house: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.begin()
    house.step()
    for broken in ("insert_postings", "delete_postings"):
        kept = getattr(storage, broken)

        def fail(*_: Any) -> None:
            raise OSError("the machine stops")

        monkeypatch.setattr(storage, broken, fail)
        with pytest.raises(OSError, match="stops"):
            house.until(RotationState.DONE)
        house.find(house.epoch)
        monkeypatch.setattr(storage, broken, kept)
    house.until(RotationState.DONE)
    house.find(2)


def test_a_watch_of_the_old_epoch_goes_on_until_its_last_day(house: Rotating) -> None:
    made = watch(house.exchange, "police-de", SOPHIE)
    house.begin()
    house.turned()
    assert house.step() == 0  # the old epoch is needed as long as the watch waits
    for key, epoch in (("w1", 1), ("w2", 2)):
        house.submit(key, SOPHIE, epoch)
    assert count(house, WatchMatch) == 2
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        assert rotations.close_now(session, CONSOLE, POSTAL) == 1
    house.until(RotationState.DONE)
    (closed,) = house.exchange.entries("key.close")
    assert closed.details["waiting"] == 1
    assert made.id


def test_what_is_amended_or_withdrawn_meanwhile_keeps_no_posting_behind(house: Rotating) -> None:
    house.begin()
    house.turned()
    first, second = house.exchange.rows(select(Indicator).order_by(Indicator.id).limit(2))
    doubled = len(split_tokens(first.tokens))
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        own = service.list_own(session, house.exchange.caller("post-be"), 100).reports
        by_indicator = {
            each["id"]: each_report.id for each_report in own for each in each_report.indicators
        }
        service.withdraw(
            session,
            house.exchange.caller("post-be"),
            by_indicator[first.public_id],
            "error",
        )
    with house.exchange.database.reading() as session:
        left = session.execute(
            select(func.count()).where(Token.indicator_id == first.id)
        ).scalar_one()
        kept = session.execute(
            select(func.count()).where(Token.indicator_id == second.id)
        ).scalar_one()
    assert (left, kept) == (0, len(split_tokens(second.tokens)))
    assert doubled % 2 == 0
    del house.sent["k0"]
    house.until(RotationState.DONE)
    house.find(2)


def test_without_the_factor_nothing_is_written(house: Rotating, settings: Settings) -> None:
    house.begin()
    (Path(settings.secrets.directory) / "rotation_postal_2.key").unlink()
    with pytest.raises(UnavailableError):
        house.send("lost", JAN, 1)
    assert len(house.exchange.rows(select(Indicator))) == len(house.sent)


def test_only_the_role_of_the_vault_moves_rows(house: Rotating) -> None:
    database = house.exchange.database
    if database.is_sqlite:
        return
    roles = {"test_moves": Work.VAULT, "test_serves": Work.WEB}
    with database.engine.begin() as connection:
        for role in roles:
            connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
            connection.execute(text(f"CREATE ROLE {role}"))
    for role, work in roles.items():
        grant(database, role, work)
    house.begin()
    app = house.exchange.app
    with app.app_context(), database.transaction() as session:
        session.execute(text("SET LOCAL ROLE test_serves"))
        assert rotating.work(session) == 0
        assert len(list(rotations.proof_lines(session, POSTAL, 2))) == 1
        with pytest.raises(Exception, match="permission denied"), session.begin_nested():
            session.execute(text("SELECT sealed_rows FROM key_rotation_chunk"))
    with app.app_context(), database.transaction() as session:
        session.execute(text("SET LOCAL ROLE test_moves"))
        assert rotating.work(session) > 0
    house.find(2)
    with database.engine.begin() as connection:
        for role in roles:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


def test_rows_that_prove_it_to_owners_are_erased_in_time(
    house: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.begin()
    house.until(RotationState.OVERLAPPING)
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        assert rotations.erase_rows(session) == 0
        monkeypatch.setattr(rotations, "ROWS_KEPT", timedelta(0))
        assert rotations.erase_rows(session) == count_chunks(session) > 0


def count_chunks(session: Any) -> int:
    return int(session.scalar(select(func.count()).select_from(KeyRotationChunk)))
