from datetime import date
from typing import Any

import pytest

from postern.terms import FaultError, Terms, read_grade, terms_of_row, terms_on_wire
from postern.vocabulary import (
    Handling,
    InformationGrade,
    Learned,
    LegalBasis,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

TODAY = date(2026, 11, 25)
COMMON = Terms(learned=Learned.XRAY, legal_basis=LegalBasis.POSTAL_LAW)


def test_what_the_options_say_holds_for_a_row_that_says_nothing() -> None:
    assert terms_of_row({}, COMMON, TODAY) == COMMON


def test_the_columns_of_a_row_go_before_the_options() -> None:
    row = {
        "learned": "Customs control",
        "legal_basis": "CUSTOMS_LAW",
        "subject_category": "unwitting",
        "assertion": "fact",
        "grade": "b2",
        "tlp": "amber+strict",
        "handling": "H1, h0",
        "permitted_action": "watch",
        "expires_in": "90",
        "observed_from": "01/11/2026",
        "observed_to": "2026-11-03",
        "barrier_step": "5",
    }
    terms = terms_of_row(row, COMMON, TODAY)
    assert terms.subject_category is SubjectCategory.UNWITTING
    assert terms.source_grade is SourceGrade.B
    assert terms.information_grade is InformationGrade.TWO
    assert terms.barrier_step == 5
    assert terms_on_wire(terms) == {
        "learned": "customs_control",
        "legal_basis": "customs_law",
        "subject_category": "unwitting",
        "assertion": "fact",
        "source_grade": "B",
        "information_grade": "2",
        "tlp": "AMBER+STRICT",
        "handling": ["H0", "H1"],
        "permitted_action": "watch",
        "expires_on": "2027-02-23",
        "observed_from": "2026-11-01",
        "observed_to": "2026-11-03",
    }


def test_it_may_be_a_day_later_where_the_row_was_written() -> None:
    terms = terms_of_row({"observed_from": "2026-11-26"}, COMMON, TODAY)
    assert terms.observed_from == date(2026, 11, 26)


def test_what_is_not_said_is_left_to_the_platform() -> None:
    assert terms_on_wire(COMMON) == {"learned": "xray", "legal_basis": "postal_law"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"learned": "guessed"}, "learned"),
        ({"tlp": "PURPLE"}, "tlp"),
        ({"handling": "H0 H9"}, "handling"),
        ({"grade": "4X"}, "grade"),
        ({"grade": "X"}, "grade"),
        ({"expires_in": "0"}, "expires_in"),
        ({"expires_in": "soon"}, "expires_in"),
        ({"expires_in": "99999"}, "expires_in"),
        ({"expires_on": "2026-11-25"}, "expires_on"),
        ({"expires_on": "never"}, "expires_on"),
        ({"observed_from": "2026-11-27"}, "observed_from"),
        ({"observed_from": "11/25/2026"}, "observed_from"),
        ({"observed_from": "2026-11-02", "observed_to": "2026-11-01"}, "observed_to"),
        ({"barrier_step": "8"}, "barrier_step"),
        ({"barrier_step": "²"}, "barrier_step"),
        ({"tlp": "CLEAR", "handling": "H0"}, "handling"),
        ({"tlp": "GREEN", "handling": "H2"}, "handling"),
    ],
)
def test_a_wrong_word_is_a_fault_of_its_column_and_is_not_repeated(
    row: dict[str, str], field: str
) -> None:
    with pytest.raises(FaultError) as caught:
        terms_of_row(row, COMMON, TODAY)
    (fault,) = caught.value.faults
    assert fault.field == field
    assert fault.remedy
    assert "guessed" not in fault.reason + fault.remedy


def test_a_marking_that_allows_the_code_is_no_fault() -> None:
    row = {"tlp": "GREEN", "handling": "H0"}
    assert terms_of_row(row, COMMON, TODAY).handling == (Handling.H0,)
    assert terms_of_row({"handling": "H2"}, COMMON, TODAY).tlp is None
    assert terms_of_row(row, COMMON, TODAY).tlp is Tlp.GREEN


@pytest.mark.parametrize("missing", ["learned", "legal_basis"])
def test_without_how_and_why_nothing_may_be_sent(missing: str) -> None:
    said: dict[str, Any] = {"learned": Learned.DOG, "legal_basis": LegalBasis.POSTAL_LAW}
    del said[missing]
    with pytest.raises(FaultError) as caught:
        terms_of_row({}, Terms(**said), TODAY)
    (fault,) = caught.value.faults
    assert fault.field == missing
    assert f"--{missing.replace('_', '-')}" in fault.remedy


def test_all_faults_of_a_row_are_told_at_once() -> None:
    with pytest.raises(FaultError) as caught:
        terms_of_row({"tlp": "PURPLE", "grade": "?", "barrier_step": "0"}, COMMON, TODAY)
    assert {fault.field for fault in caught.value.faults} == {"tlp", "grade", "barrier_step"}


@pytest.mark.parametrize("text", ["", "X", "4X", "X5", "XX4"])
def test_what_is_no_grade_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_grade(text)
