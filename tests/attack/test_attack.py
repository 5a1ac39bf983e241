"""The short version of `make attack`: nothing may be won, and each attack must be able to win."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.every import ATTACKS
from tests.attack.ground import Ground, ground
from tests.attack.verdict import Attack, Row
from tests.conftest import settings_for

# On SQLite only: each guard has its own tests on both back ends; `make attack` runs on either.
_SHORT = [each for each in ATTACKS if not each.is_long]


@pytest.fixture(scope="module")
def attacked(
    sqlite_template: Path, secrets_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    directory = tmp_path_factory.mktemp("attacked")
    copy = directory / "postern.sqlite3"
    shutil.copyfile(sqlite_template, copy)
    settings = settings_for(f"sqlite:///{copy}", secrets_directory)
    with ground(settings, directory, is_short=True) as made:
        yield made


@pytest.mark.parametrize("attack", _SHORT, ids=lambda attack: attack.run.__name__)
def test_an_attack_wins_nothing_and_could_have_won(attacked: Ground, attack: Attack) -> None:
    row = Row(attack, attack.run(attacked))
    assert row.tried.won == []
    assert row.tried.tries > 0
    assert row.tried.control > 0, "the attack proves nothing: it wins nowhere"


def test_each_attack_has_its_own_name() -> None:
    assert len({each.name for each in ATTACKS}) == len(ATTACKS) > 10
