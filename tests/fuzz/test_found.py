"""What once crashed is answered as its parser documents, for ever."""

from pathlib import Path

import pytest

from tests.fuzz.seeds import DATA
from tests.fuzz.target import Target, outcome
from tests.fuzz.targets import kept

KEPT = list(kept(DATA / "fuzz"))


@pytest.mark.parametrize(
    ("target", "path"), KEPT, ids=[f"{target.name}/{path.name}" for target, path in KEPT]
)
def test_what_once_crashed_is_answered_in_words(target: Target, path: Path) -> None:
    assert outcome(target, path.read_bytes()) is None


def test_every_folder_of_kept_cases_is_one_of_a_target() -> None:
    assert {path.parent for path in (DATA / "fuzz").glob("*/*")} == {
        path.parent for _, path in KEPT
    }
