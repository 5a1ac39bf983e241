"""What a text is recognised as; the same answers hold the modules of the pages."""

import json

import pytest

from postern.facets import facets
from postern.normalise import normalise
from postern.recognise import LONGEST, SIGN_WORDS, Certainty, Sign, read_as, recognise
from postern.vocabulary import INDICATOR_KINDS, Kind
from tests.functional.varied_values import varied
from tests.postern.recognised_cases import CASES, cases


def test_every_frozen_text_is_recognised_as_before() -> None:
    frozen = json.loads(CASES.read_text("utf-8"))
    assert len(frozen["recognised"]) > 90
    assert cases() == frozen


def test_every_kind_but_an_induction_point_is_recognised_somewhere() -> None:
    frozen = json.loads(CASES.read_text("utf-8"))["recognised"]
    first = {case["found"][0]["kind"] for case in frozen if case["found"]}
    assert first == {kind.value for kind in INDICATOR_KINDS} - {Kind.INDUCTION_POINT}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_recognised_can_be_looked_up_and_is_ordered(seed: int) -> None:
    ranks = {each: place for place, each in enumerate(Certainty)}
    for _, value, _ in varied(seed, 300):
        text = "\n".join(
            "\n".join(each) if isinstance(each, list) else each for each in value.values()
        )
        found = recognise(text)
        assert all(facets(normalise(each.value)) for each in found)
        assert len({each.kind for each in found}) == len(found)
        order = [ranks[each.certainty] for each in found]
        assert order == sorted(order)


def test_a_text_that_is_too_long_for_a_value_is_not_searched() -> None:
    assert recognise("a" * (LONGEST + 1)) == []


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_a_person_may_name_any_kind_of_any_text(kind: Kind) -> None:
    for text in ("", " ", "Sophie Van Damme, 16 rue de la Loi, 1040 Bruxelles", "@", "0x", ",,,"):
        assert read_as(kind, text, "BE") is not None


def test_every_sign_has_its_words() -> None:
    assert SIGN_WORDS.keys() == set(Sign)
