"""A short run over every parser, always with the same cases; `make fuzz` runs the long one."""

from pathlib import Path

import pytest

from tests.fuzz.found import Found
from tests.fuzz.mutation import cases
from tests.fuzz.target import Target, outcome, place_of
from tests.fuzz.targets import TARGETS

CASES = 300  # of a target, fewer where they are dear
SEED = 20


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_a_parser_answers_what_is_wrong_with_its_own_errors(target: Target, tmp_path: Path) -> None:
    found, seeds = Found(target.name, "mutation", tmp_path), target.seeds()
    for case in cases(seeds, max(20, CASES // target.cost), SEED):
        error = outcome(target, case)
        found.cases += 1
        if error is not None:
            found.add(f"{place_of(error)}: {error}", case)
    assert found.kinds == {}
    assert found.cases >= 20
