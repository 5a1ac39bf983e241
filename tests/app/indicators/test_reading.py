"""Reading one report: what contradicts itself is refused, each fault at its place."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load
from app.indicators.reading import NewReport, Rules, client_key, read_report
from app.indicators.sealed_parts import Sealer
from postern.normalise import Value
from postern.pseudonym import clear_token
from postern.vocabulary import EvaluationKind
from tests.app.exchange import (
    JAN,
    SOPHIE,
    b64,
    distinct_elements,
    indicator_of,
    place,
    report,
)

TODAY = date(2024, 3, 15)
SEED = b"\x07" * 32
RETENTION = load(Path(__file__).parents[3] / "config" / "test.toml").retention


def open_epoch(_kind: EvaluationKind) -> int:
    return 1


RULES = Rules(TODAY, RETENTION, open_epoch, lambda: Sealer("post-be", None))


def indicator(value: Value, **fields: Any) -> dict[str, Any]:
    return indicator_of(value, SEED, **fields)


def days(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


def accepted(*indicators: Any, **fields: Any) -> NewReport:
    read = read_report(report("k1", *indicators, **fields), RULES)
    assert isinstance(read, NewReport), read
    return read


def rejected(*indicators: Any, **fields: Any) -> list[tuple[str, str]]:
    """Field and reason of each fault of a report, which must be refused as a whole."""
    faults = read_report(report("wrong", *indicators, **fields), RULES)
    assert isinstance(faults, tuple)
    assert all(fault.remedy for fault in faults)
    return [(fault.field, fault.reason) for fault in faults]


def fields_rejected(**fields: Any) -> list[str]:
    """The fields at fault of an otherwise right indicator."""
    return [field for field, _ in rejected({**indicator(SOPHIE), **fields})]


def test_a_role_must_fit_its_kind() -> None:
    assert fields_rejected(role="shipment") == ["indicators.0.role"]
    ((field, _),) = rejected(place(role="sender"))
    assert field == "indicators.0.role"


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"tlp": "CLEAR", "handling": ["H0"]}, "handling"),
        ({"tlp": "GREEN", "handling": ["H1", "H2"]}, "handling"),
        ({"handling": ["H1", "H1"]}, "handling"),
        ({"observed_from": days(-1), "observed_to": days(-2)}, "observed_to"),
        ({"observed_to": days(2)}, "observed_to"),
        ({"observed_from": "1969-12-31"}, "observed_from"),
        ({"expires_on": days(0)}, "expires_on"),
        ({"expires_on": days(1096)}, "expires_on"),
        ({"review_on": days(-1)}, "review_on"),
        ({"review_on": days(366)}, "review_on"),
        ({"expires_on": days(10), "review_on": days(11)}, "review_on"),
        ({"epoch": 2}, "epoch"),
        ({"epoch": 0}, "epoch"),
        ({"epoch": "1"}, "epoch"),
        ({"place": place()["place"]}, "elements"),
        ({"elements": []}, "elements"),
        ({"learned": None}, "learned"),
        ({"kind": "person"}, "kind"),
        ({"quality": ["sophie_van_damme"]}, "quality.0"),
        ({"observed_to": "yesterday"}, "observed_to"),
    ],
)
def test_what_contradicts_itself_is_refused(fields: dict[str, Any], at_fault: str) -> None:
    assert fields_rejected(**fields) == [f"indicators.0.{at_fault}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"tlp": "GREEN", "handling": ["H1"]},
        {"observed_from": days(-1), "observed_to": days(1)},
        {"expires_on": days(1095), "review_on": days(1095)},
        {"expires_on": days(1), "review_on": days(0)},
    ],
)
def test_what_lies_just_within_the_rules_goes_in(fields: dict[str, Any]) -> None:
    assert accepted(indicator(SOPHIE, **fields))


def test_one_seen_tomorrow_counts_its_age_from_today() -> None:
    (read,) = accepted(indicator(JAN, observed_to=days(1))).indicators
    assert read.columns["seen_day"] == (TODAY - date(1970, 1, 1)).days


def test_review_is_by_default_halfway_to_the_expiry() -> None:
    (read,) = accepted(indicator(JAN, expires_on=days(11))).indicators
    assert read.columns["review_on"] == TODAY + timedelta(days=5)


def test_elements_are_checked_before_anything_is_stored() -> None:
    valid, other = distinct_elements(2)
    not_canonical = bytes(31) + b"\x80"
    identity = bytes(32)
    not_a_point = b"\x01" + bytes(31)
    faults = rejected(
        {
            **indicator(SOPHIE),
            "elements": [
                {"facet": 1, "element": b64(valid)},
                {"facet": 2, "element": b64(not_canonical)},
                {"facet": 3, "element": b64(identity)},
                {"facet": 3, "element": b64(not_a_point)},
                {"facet": 20, "element": b64(other)},
            ],
        },
    )
    assert [field for field, _ in faults] == [
        "indicators.0.elements.1.element",
        "indicators.0.elements.2.element",
        "indicators.0.elements.3.element",
        "indicators.0.elements.4.facet",
    ]


@pytest.mark.parametrize(
    "element",
    [
        {"facet": 1, "element": "AAAA"},
        {"facet": 1, "element": "A" * 42 + "B"},  # not the canonical form of its bytes
        {"facet": 1, "element": "A" * 43 + "="},
        {"facet": 1, "element": 7},
        {"facet": True, "element": "A" * 43},
        {"facet": 99, "element": "A" * 43},
        {"facet": 1},
        {"facet": 1, "element": "A" * 43, "text": "Rue de la Loi"},
        "Rue de la Loi",
    ],
)
def test_what_is_not_an_element_is_refused_by_its_place(element: Any) -> None:
    assert fields_rejected(elements=[element]) == ["indicators.0.elements.0"]


def test_an_element_may_stand_there_once() -> None:
    (element,) = distinct_elements(1)
    twice = [{"facet": 1, "element": b64(element)}, {"facet": 2, "element": b64(element)}]
    assert fields_rejected(elements=twice) == ["indicators.0.elements"]


def test_an_address_has_no_facets_of_a_name() -> None:
    assert "indicators.0.elements.0.facet" in fields_rejected(kind="address")


def test_a_place_is_sent_in_clear_and_nothing_else_is() -> None:
    (element,) = distinct_elements(1)
    with_elements = place(elements=[{"facet": 30, "element": b64(element)}])
    for wrong in (place(place=None), place(epoch=1), with_elements):
        assert [field for field, _ in rejected(wrong)] == ["indicators.0.place"]
    long = place(code="x" * 41)
    assert [field for field, _ in rejected(long)] == ["indicators.0.place.code"]
    (read,) = accepted(place(code="BRU 1/a")).indicators
    assert read.tokens == (clear_token("induction_point", "POINT=bpost|bru1a|be"),)
    assert (read.facets, read.elements) == ((30,), b"")


def test_a_place_is_not_a_person() -> None:
    ((field, _),) = rejected(place(subject_category="suspect"))
    assert field == "indicators.0.subject_category"


def test_a_refusal_quotes_neither_values_nor_unknown_names() -> None:
    secret = "Rue de la Loi"
    wrong = {**indicator(SOPHIE), secret: 1, "tlp": secret, "expires_on": secret}
    faults = read_report({**report("k1", wrong), secret: secret}, RULES)
    assert isinstance(faults, tuple)
    assert len(faults) == 4
    assert secret not in repr(faults)


@pytest.mark.parametrize("raw", [None, 7, [], "text"])
def test_what_is_not_an_object_is_refused(raw: Any) -> None:
    (fault,) = read_report(raw, RULES)
    assert fault.field == ""
    assert client_key(raw) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["client_key", "shipment", "indicators", "barrier_step"]),
)
def test_whatever_stands_in_a_field_is_read_or_refused(value: Any, field: str) -> None:
    read = read_report({**report("k1", indicator(JAN)), field: value}, RULES)
    assert isinstance(read, NewReport) or read
