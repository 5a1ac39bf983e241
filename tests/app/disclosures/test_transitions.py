"""The table of what may be done when: whole, drawn in the documentation, and obeyed."""

import re
from itertools import product
from pathlib import Path

import pytest

from app.disclosures.transitions import (
    GIVEN,
    TRANSITIONS,
    WAITING,
    Act,
    RequestStateError,
    after,
    may,
    shown_to_requester,
)
from postern.vocabulary import RequestState

PAGE = Path(__file__).parents[3] / "docs" / "disclosures.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \|$", re.MULTILINE)
_STEP = re.compile(r"(\w+) → `(\w+)`")


def test_what_is_not_in_the_table_is_refused() -> None:
    for state, act in product(RequestState, Act):
        if (state, act) in TRANSITIONS:
            assert may(state, act)
            assert after(state, act) is TRANSITIONS[state, act]
        else:
            assert not may(state, act)
            with pytest.raises(RequestStateError):
                after(state, act)


def test_the_documentation_draws_the_table() -> None:
    text = PAGE.read_text().partition("## States")[2].partition("\n## ")[0]
    drawn = {
        (RequestState(state), Act(act)): RequestState(following)
        for state, steps in _ROW.findall(text)
        for act, following in _STEP.findall(steps)
    }
    assert drawn == dict(TRANSITIONS)


def test_an_envelope_can_leave_only_after_a_decision_to_give() -> None:
    giving = {Act.RELEASE, Act.CONFIRM}
    for (state, act), following in TRANSITIONS.items():
        if following in GIVEN and state not in GIVEN:
            assert act in giving
            assert state in WAITING
        if act is Act.FETCH:
            assert state in GIVEN
    # From an end there is no way back to giving.
    over = frozenset(RequestState) - WAITING - GIVEN
    assert all(TRANSITIONS[key] in over for key in TRANSITIONS if key[0] in over)


def test_a_proposal_looks_open_to_the_requester() -> None:
    hidden = {state for state in RequestState if shown_to_requester(state) is not state}
    assert hidden == {RequestState.PROPOSED}
    with pytest.raises(RequestStateError) as refused:
        after(RequestState.PROPOSED, Act.ANSWER)
    assert refused.value.extensions == {"state": "open"}
