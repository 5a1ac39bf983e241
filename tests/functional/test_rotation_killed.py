"""A process that rotates a key is killed inside each kind of step: the next one loses nothing."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.config import Settings
from app.indicators.models import Indicator, Token
from app.indicators.storage import split_tokens
from app.pseudonyms import rotation as rotations
from app.pseudonyms.rotation_models import KeyRotation, RotationState
from postern import rotation
from postern.vocabulary import EvaluationKind
from tests.app.exchange import OPEN_TO_POLICE, make_exchange
from tests.app.indicators.rotation_house import Rotating, party, with_own_secrets
from tests.functional.serving import as_toml
from tests.functional.stepped_process import NOTHING, stepped

KILLED_AT = ("begun", "moving", "overlapping", "gathering", "clearing", "done")
"""States, each about to be committed for the first time, in which the process is killed."""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_own_secrets(settings, tmp_path)


def test_a_rotation_that_is_killed_at_every_step_goes_on_and_loses_nothing(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    house = Rotating(make_exchange(app))
    house.exchange.publish("post-be", OPEN_TO_POLICE)
    for number in range(5):
        house.submit(f"k{number}", party(number))
    house.exchange.database.dispose()
    file = tmp_path / "settings.toml"
    file.write_text(as_toml(settings, "http://127.0.0.1"), encoding="utf-8")
    killed: list[str] = []
    with stepped("rotate", file) as process:
        pid = process.worker()
        while True:
            process.say(b"g")
            state = process.line()
            if state == NOTHING:
                break
            if state in KILLED_AT and state not in killed:
                process.kill(pid)
                killed.append(state)
                house.find(house.epoch)
                house.exchange.database.dispose()
                pid = process.worker()
            else:
                process.say(b"g")
    assert tuple(killed) == KILLED_AT
    house.find(2)
    (found,) = house.exchange.rows(select(KeyRotation))
    assert found.state is RotationState.DONE
    rows = house.exchange.rows(select(Indicator))
    assert {(row.epoch, row.also_epoch) for row in rows} == {(2, None)}
    postings = house.exchange.rows(select(Token))
    assert len(postings) == sum(len(split_tokens(row.tokens)) for row in rows)
    with app.app_context(), house.exchange.database.reading() as session:
        proof = list(rotations.proof_lines(session, EvaluationKind.POSTAL, 2))
    seen = rotation.verify_file(proof)
    assert seen.head == bytes(found.head)
    assert seen.elements == sum(len(house.elements(each, 2)) for each in house.sent.values())
    assert not list(Path(settings.secrets.directory).glob("rotation_*"))
