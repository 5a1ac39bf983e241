"""The known answers for shared keys are the RFC's own, and what `postern` gives today."""

import json
from typing import Any

import pytest

from postern import voprf
from tests.postern.shared_vectors import FILE, Ground, made

VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))


def test_the_file_is_what_its_program_writes() -> None:
    assert made() == VECTORS


@pytest.mark.parametrize("answer", VECTORS["answers"], ids=lambda answer: answer["name"])
def test_an_answer_gives_what_the_whole_key_gives_or_nothing(answer: dict[str, Any]) -> None:
    ground = Ground()
    pairs = zip(ground.blinds, ground.expected, strict=True)
    whole = [voprf.unblind(r, each).hex() for r, each in pairs]
    assert answer["outcome"].get("elements") in (None, whole)


def test_every_way_to_end_is_among_them() -> None:
    outcomes = [answer["outcome"] for answer in VECTORS["answers"]]
    assert sum("unfit" in each for each in outcomes) == 5
    ended = [each for each in outcomes if "unfit" not in each]
    assert any(each["elements"] and each["cheating"] for each in ended)
    assert any(each["elements"] is None and each["cheating"] for each in ended)
    assert any(each["elements"] is None and not each["cheating"] for each in ended)
    assert any("platform" in each["cheating"] for each in ended)
