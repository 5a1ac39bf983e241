"""The benchmark of policies: what it compares is comparable, and its figures are what they say."""

from itertools import product

import pytest

from app.sharing.classes import AGE_BANDS
from app.sharing.engine import OwnerPolicies
from app.sharing.policy_text import read
from app.sharing.seats import Member, Seat
from bench.policy_lookup import Measured, Turn
from bench.policy_naive import NaivePolicies, OwnedClass
from bench.policy_stage import CLASSES, owner_code, policy_text
from postern.vocabulary import LegalBasis, Purpose, Role, Sector

OWNER = Member(owner_code(4), Sector.POST, "BE")
POLICE = Seat(
    Member("police-0", Sector.POLICE, "BE"),
    Role.ANALYST,
    Purpose.CRIMINAL_INVESTIGATION,
    LegalBasis.CRIMINAL_PROCEDURE,
)
CUSTOMS = Seat(
    Member("customs-0", Sector.CUSTOMS, "BE"),
    Role.ANALYST,
    Purpose.CUSTOMS_CONTROL,
    LegalBasis.CUSTOMS_LAW,
)
SUBJECTS = list(product(CLASSES, range(len(AGE_BANDS))))


def levels(seat: Seat, text: str) -> list[int]:
    ((*rulings,),) = OwnerPolicies(read(text)).rulings(OWNER, [seat], SUBJECTS)
    return [ruling.level for ruling in rulings]


def test_the_policies_hide_nothing_from_the_police_and_a_part_from_customs() -> None:
    text = policy_text(4)
    assert set(levels(POLICE, text)) == {3}
    assert set(levels(CUSTOMS, text)) == {0, 1, 2}


def test_the_changed_policy_changes_what_customs_see() -> None:
    before, after = (levels(CUSTOMS, policy_text(5, is_changed=each)) for each in (False, True))
    assert sum(before) > sum(after) > 0


def test_every_owner_has_a_policy_of_its_own() -> None:
    assert len({policy_text(number) for number in range(1000)}) == 1000


@pytest.mark.parametrize("seat", [POLICE, CUSTOMS], ids=["police", "customs"])
def test_the_naive_way_rules_as_the_engine_does(seat: Seat) -> None:
    text = policy_text(4)
    naive = NaivePolicies({OWNER.code: (OWNER, text)}).reader(seat)
    ruled = [naive.rule(OwnedClass(OWNER.code, each), band) for each, band in SUBJECTS]
    ((*rulings,),) = OwnerPolicies(read(text)).rulings(OWNER, [seat], SUBJECTS)
    assert ruled == [(ruling.level, ruling.tells_owner) for ruling in rulings]


def test_what_policy_adds_is_the_median_of_the_differences_of_neighbours() -> None:
    measured = Measured(
        policy=Turn([0.011, 0.022, 0.031], [0.002, 0.003, 0.002]),
        bare=Turn([0.010, 0.020, 0.030], [0.001, 0.001, 0.001]),
        naive=Turn([0.1, 0.1], [0.09, 0.09]),
        beside_naive=Turn([0.01, 0.01], [0.001, 0.001]),
        statement=[0.0004, 0.0004],
        bare_statement=[0.0002, 0.0002],
        hits=6,
        rows=20,
        part_hits=1,
        part_queries=2,
    )
    figures = measured.figures()
    assert figures["added_p50_ms"] == 1.0
    assert figures["added_p50_percent"] == 5.0
    assert figures["statement"]["ratio_p50"] == 2.0
    assert figures["naive"]["ratio_p50"] == 10.0
    assert figures["hits_per_query"] == 2.0
    assert figures["index_rows_per_query"] == 10.0
