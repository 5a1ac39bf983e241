"""A short run of the fuzzed interface, always with the same requests; `make fuzz` is the long one.

Each operation and each page is asked on one back end, the odd ones on SQLite and the others on
PostgreSQL: what is answered differently there is for the other tests of the matrix.
"""

from pathlib import Path

from tests.app.matrix.stage import Stage, undone
from tests.conftest import BACKENDS
from tests.fuzz.door import Door
from tests.fuzz.pages import Pages

SEED = 20


def test_generated_requests_are_answered_as_the_interface_is_described(
    stage: Stage, tmp_path: Path
) -> None:
    with undone(stage):
        door = Door(stage, tmp_path)
        door.deal(SEED, _part(stage), len(BACKENDS))
    assert told(door.conduct.kinds) == {}
    assert told(door.secrecy.kinds) == {}
    assert door.conduct.cases > len(door.operations)
    assert door.secrecy.cases > 20


def test_no_form_fails_whatever_is_written_into_it(stage: Stage, tmp_path: Path) -> None:
    with undone(stage):
        pages = Pages(stage, tmp_path)
        pages.deal(SEED, _part(stage), len(BACKENDS))
    assert told(pages.conduct.kinds) == {}
    assert pages.conduct.cases > 60


def told(kinds: dict[str, Path]) -> dict[str, str]:
    return {kind: path.read_text(encoding="utf-8") for kind, path in kinds.items()}


def _part(stage: Stage) -> int:
    return BACKENDS.index(stage.database.engine.dialect.name)
