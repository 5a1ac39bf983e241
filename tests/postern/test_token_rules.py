"""No parcel that could hit with tokens is left out before tokens are known."""

from itertools import product

import pytest

from postern.patterns.model import Filter, Rule
from postern.patterns.plain import hits
from postern.patterns.reading import read_filters
from postern.token_rules import widened
from tests.postern.patterns.examples import group_rule, row_rule, rule
from tests.postern.patterns.test_reading import FILTER

SELECTIONS = """\
who: {addressee_token: [exact, near]}
sure: {sender_token: exact, declared_category: gift}
known: {'sender_token|exists': yes}
gift: {declared_category: gift}"""
CONDITIONS = [
    "who and gift",
    "who or sure",
    "gift and not who",
    "not (who or known)",
    "not (gift and not sure)",
    "sure and not (known and not who)",
    "gift",
    "not gift and not known",
    "who",
]
PARCELS = [
    {"declared_category": category, "net_weight_g": 200} for category in ("gift", "documents", None)
]
WORDS = (None, "near", "exact")


def rule_of(condition: str) -> Rule:
    names = {"who", "sure", "known", "gift"} & set(
        condition.replace("(", " ").replace(")", " ").split()
    )
    lines = [each for each in SELECTIONS.splitlines() if each.split(":")[0] in names]
    return rule(row_rule("\n".join(lines), condition))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_parcel_that_some_tokens_make_hit_is_looked_at(condition: str) -> None:
    asked = rule_of(condition)
    wide = widened([asked], [])
    for parcel in PARCELS:
        may_hit = any(
            hits(asked, [{**parcel, "sender_token": one, "addressee_token": other}])
            for one, other in product(WORDS, WORDS)
        )
        is_chosen = wide.every or any(hits(each, [parcel]) for each in wide.rules)
        if "token" not in str(asked.selections):
            assert not is_chosen  # it asks for no token, so none is evaluated for it
        elif may_hit:
            assert is_chosen
    if condition == "who and gift":
        assert [bool(hits(each, [p])) for each in wide.rules for p in PARCELS] == [1, 0, 0]


def test_a_rule_about_the_list_alone_asks_for_every_parcel() -> None:
    assert widened([rule_of("who")], []).every
    assert widened([rule_of("who")], []).parties == ("addressee",)
    assert widened([rule_of("gift")], []) == widened([], [])


def test_a_group_is_looked_at_parcel_by_parcel() -> None:
    text = group_rule(
        "who: {sender_token: near, declared_category: gift}",
        "who",
        "by: [sender]\nwithin: 7d\nhaving: {'count|gte': 2}",
    )
    (wide,) = widened([rule(text)], []).rules
    assert hits(wide, [PARCELS[0]]) == {0}


def exclusion(condition: str) -> tuple[Filter, ...]:
    start, end = FILTER.index("detection:"), len(FILTER)
    detection = (
        "detection:\n  listed: {sender_token: exact}\n  gift: {declared_category: gift}\n"
        f"  condition: {condition}\n"
    )
    return read_filters(FILTER[:start] + detection + FILTER[end:])


def test_an_exclusion_by_tokens_excludes_nothing_before_they_are_known() -> None:
    plain = rule_of("gift")
    wide = widened([plain], exclusion("listed and gift"))
    assert wide.parties == ("sender",)
    assert wide.filters == ()
    assert [hits(each, [PARCELS[0]], wide.filters) for each in wide.rules] == [{0}]
    kept = widened([rule_of("who and gift")], exclusion("gift or listed")).filters
    assert [hits(plain, [PARCELS[0]], kept)] == [set()]
