"""The rules are frozen: the same value gives the same facets in every port and every release."""

import json

from bench.matching_vectors import CASES, cases


def test_every_frozen_case_gives_the_same_form_flags_and_facets() -> None:
    frozen = json.loads(CASES.read_text(encoding="utf-8"))
    made = cases()
    assert len(made) == len(frozen) > 300
    for expected, found in zip(frozen, made, strict=True):
        assert found == expected, "a rule has changed: it needs a new NORMALISER_VERSION"
