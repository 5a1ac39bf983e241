"""Signals are suggested by rules over coarse facts, each with its reason in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.barriers.facts import FACT_FIELDS, Facts
from app.barriers.model import BarrierModel
from app.barriers.suggesting import (
    Because,
    SuggestedStep,
    Suggestion,
    reasons,
    suggested_steps,
    suggestions,
)
from postern.patterns.words import LANGUAGES
from tests.app.barriers.texts import changed, faults, model

GIFT_TO_NORWAY: Facts = {
    "declared_category": frozenset({"gift"}),
    "destination_country": frozenset({"NO"}),
}


def with_rule(selections: str, condition: str) -> str:
    """The model whose one signal has another rule."""
    old = """gift: {declared_category: gift}
          north: {destination_country: [NO, SE]}
          seen: {'learned|exists': yes}
          condition: gift and (north or seen)"""
    return changed(old, f"{selections}\n          condition: {condition}")


def suggested(read: BarrierModel, **facts: set[str]) -> tuple[Suggestion, ...]:
    return suggestions(read, {name: frozenset(words) for name, words in facts.items()})


def test_a_signal_is_suggested_for_what_its_rule_asks_for_and_nothing_else() -> None:
    read = model()
    assert [(each.step, each.signal) for each in suggestions(read, GIFT_TO_NORWAY)] == [
        (1, "norway-gifts")
    ]
    assert suggested(read, declared_category={"gift"}, learned={"dog"})
    for facts in (
        {},
        {"declared_category": {"gift"}},
        {"destination_country": {"NO"}},
        {"declared_category": {"gift"}, "destination_country": {"US"}},
        {"declared_category": {"gift"}, "learned": set()},
    ):
        assert suggested(read, **facts) == ()


def test_the_reason_names_the_facts_that_counted_and_no_other() -> None:
    facts = {**GIFT_TO_NORWAY, "substance": frozenset({"mdma"})}
    (found,) = suggestions(model(), facts)
    assert found.because == (
        Because("declared_category", ("gift",)),
        Because("destination_country", ("NO",)),
    )
    assert found.reason("en") == (
        "Suggested because: declared category: gift; country of destination: NO."
    )
    assert found.reason("nl") == (
        "Voorgesteld omdat: aangegeven categorie: geschenk; land van bestemming: NO."
    )


def test_what_is_not_there_can_be_a_reason() -> None:
    text = with_rule(
        "gift: {declared_category: gift, 'hs_chapter|exists': no}\n"
        "          letter: {service: [letter, registered]}",
        "gift and not letter",
    )
    (found,) = suggested(model(text), declared_category={"gift"}, service={"parcel"})
    assert found.because == (
        Because("declared_category", ("gift",)),
        Because("hs_chapter", ()),
        Because("service", ("parcel",)),
    )
    assert found.reason("de") == (
        "Vorgeschlagen, weil: angemeldete Kategorie: Geschenk; "
        "Kapitel der angemeldeten Waren (HS): nicht angegeben; Dienst: Paket."
    )
    read = model(text)
    assert suggested(read, declared_category={"gift"}, service={"letter"}) == ()
    assert suggested(read, declared_category={"gift"}, hs_chapter={"95"}) == ()


def test_of_a_selection_that_must_not_hold_only_what_failed_is_a_reason() -> None:
    text = with_rule(
        "seen: {'learned|exists': yes}\n          letter: {service: letter, kind: item}",
        "seen and not letter",
    )
    (found,) = suggested(model(text), learned={"dog"}, service={"letter"}, kind={"vendor"})
    assert found.because == (Because("learned", ("dog",)), Because("kind", ("vendor",)))


def test_of_several_values_those_asked_for_are_the_reason() -> None:
    text = with_rule("seen: {learned: [xray, dog]}", "seen")
    (found,) = suggested(model(text), learned={"open_source", "dog", "xray"})
    assert found.because == (Because("learned", ("dog", "xray")),)


def test_a_rule_that_does_not_hold_has_no_reasons() -> None:
    ((_, signal),) = model().signals
    assert signal.suggest is not None
    assert reasons(signal.suggest, {"declared_category": frozenset({"gift"})}) == ()


def test_the_step_with_the_most_signals_comes_first_of_equal_ones_the_earliest() -> None:
    found = [Suggestion(step, f"s-{n}", ()) for n, step in enumerate((6, 3, 3, 5, 5, 2))]
    assert suggested_steps(found) == (
        SuggestedStep(3, 2),
        SuggestedStep(5, 2),
        SuggestedStep(2, 1),
        SuggestedStep(6, 1),
    )
    assert suggested_steps([]) == ()


@pytest.mark.parametrize(
    ("selections", "condition", "told"),
    [
        ("n: {service: lettr}", "n", "Did you mean letter"),
        ("n: {sender_name: Jan}", "n", "There is no field 'sender_name'"),
        ("n: {destination_country: Norway}", "n", "two capitals"),
        ("n: {hs_chapter: '00'}", "n", "two digits of a chapter"),
        ("n: {'service|contains': let}", "n", "Only exists can be asked"),
        ("n: {'service|exists': maybe}", "n", "Only exists can be asked"),
        ("n: {service: []}", "n", "not 1 to 260 values"),
        ("n: {}", "n", "not 1 to 8 fields"),
        ("n: letter", "n", "not 1 to 8 fields"),
        ("and: {service: letter}", "n", "cannot name a selection"),
        ("n: {service: letter}", "n and", "name of a selection is missing"),
        ("n: {service: letter}", "n; import os", "cannot stand in a condition"),
        ("n: {service: letter}", "m", "'m', which is no selection"),
        ("n: {service: letter}\n          m: {kind: item}", "n", "'m' is not in the condition"),
        ("n: {service: letter}", "not n", "a report that tells nothing"),
        ("n: {'service|exists': no}", "n", "a report that tells nothing"),
        (
            "\n          ".join(f"n{n}: {{service: letter}}" for n in range(11)),
            " or ".join(f"n{n}" for n in range(11)),
            "more than 10 selections",
        ),
    ],
    ids=lambda each: each[:30],
)
def test_a_rule_takes_only_what_its_fields_allow(
    selections: str, condition: str, told: str
) -> None:
    found = faults(with_rule(selections, condition))
    assert any(told in each[2] for each in found), found


_FACTS = st.dictionaries(
    st.sampled_from(sorted(FACT_FIELDS)), st.just(None), max_size=len(FACT_FIELDS)
).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            name: st.frozensets(st.sampled_from(sorted(FACT_FIELDS[name].words)), max_size=3)
            for name in names
        }
    )
)


@given(facts=_FACTS, language=st.sampled_from(LANGUAGES))
def test_every_suggestion_has_a_reason_that_the_report_bears_out(
    facts: Facts, language: str
) -> None:
    text = with_rule(
        "gift: {declared_category: [gift, other]}\n"
        "          heavy: {weight_band: ['1000-2000', '2000-5000']}\n"
        "          seen: {'learned|exists': yes}",
        "gift and not heavy or seen",
    )
    for found in suggestions(model(text), facts):
        assert found.because
        for each in found.because:
            assert set(each.values) <= facts.get(each.field, frozenset())
        assert "{" not in found.reason(language)
