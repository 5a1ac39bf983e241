"""What is asked about once: exactly what no policy can tell apart, and never more."""

from collections.abc import Iterator
from dataclasses import replace
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest

from app.sharing.classes import ClassAttributes
from app.sharing.distinctions import Distinctions
from app.sharing.engine import OwnerPolicies
from app.sharing.policy_text import NUMBERS, read
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
)
from tests.app.sharing.world import PLAIN, like

OWNER = Member("post-be", Sector.POST, "BE")
POLICE = Member("police-de", Sector.POLICE, "DE", ("exchange",))
SEAT = Seat(POLICE, Role.ANALYST, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.POLICE_LAW)
OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


def of(condition: str) -> str:
    return (
        '@id("post-be/a") @label("A") permit (principal, action == Action::"presence", resource)'
        f" when {{ {condition} }};"
    )


def tells(condition: str) -> Distinctions:
    return Distinctions(read(of(condition)))


def valued(name: str, value: int) -> tuple[ClassAttributes, int]:
    """A record whose number of that name is `value`."""
    match name:
        case "ageBand":
            return PLAIN, value
        case "barrierStep":
            return like(barrier_step=value), 0
        case _:
            return like(information_grade=InformationGrade(str(value))), 0


def comparisons() -> Iterator[tuple[str, str, int]]:
    for name, (first, last) in NUMBERS.items():
        for operator in OPERATORS:
            for number in range(first, last + 1):
                yield name, operator, number


@pytest.mark.parametrize(("name", "operator", "number"), list(comparisons()))
def test_numbers_are_told_apart_exactly_where_an_answer_changes(
    name: str, operator: str, number: int
) -> None:
    condition = f"resource.{name} {operator} {number}"
    first, last = NUMBERS[name]
    subjects = [valued(name, value) for value in range(first, last + 1)]
    is_true = [OPERATORS[operator](value, number) for value in range(first, last + 1)]
    policies = OwnerPolicies(read(of(condition)))
    (rulings,) = policies.rulings(OWNER, [SEAT], subjects)
    assert [bool(ruling.level) for ruling in rulings] == is_true
    shapes = [tells(condition).of_subject(*subject) for subject in subjects]
    for one in range(len(shapes) - 1):
        assert (shapes[one] == shapes[one + 1]) == (is_true[one] == is_true[one + 1])


@pytest.mark.parametrize(
    "condition",
    [
        "[1, 3].contains(resource.informationGrade)",
        "3 >= resource.informationGrade",
        "resource.informationGrade * 2 == 4",
        "resource.informationGrade <= 2 && resource.informationGrade + 1 > 2",
        "resource.informationGrade <= resource.barrierStep",
    ],
)
def test_every_number_counts_where_more_is_done_with_it(condition: str) -> None:
    subjects = [valued("informationGrade", grade) for grade in (1, 2, 3, 4)]
    assert len({tells(condition).of_subject(*subject) for subject in subjects}) == 4
    policies = OwnerPolicies(read(of(condition)))
    (together,) = policies.rulings(OWNER, [SEAT], subjects)
    alone = [
        OwnerPolicies(read(of(condition))).rulings(OWNER, [SEAT], [subject])[0][0]
        for subject in subjects
    ]
    assert together == alone


def test_words_that_no_policy_names_are_one() -> None:
    naming = tells('[Kind::"party", Kind::"phone"].contains(resource.kind)')
    shapes = {kind: naming.of_subject(like(kind=kind), 0) for kind in Kind}
    assert len(set(shapes.values())) == 3
    assert shapes[Kind.EMAIL] == shapes[Kind.ITEM]
    assert shapes[Kind.PARTY] != shapes[Kind.PHONE] != shapes[Kind.EMAIL]


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ('resource.kind == Kind::"phone"', like(kind=Kind.PHONE)),
        ('resource.role == PartyRole::"vendor"', like(role=PartyRole.VENDOR)),
        ('resource.tlp == Tlp::"GREEN"', like(tlp=Tlp.GREEN)),
        ('resource.handling.contains(Handling::"H0")', like(handling=frozenset({Handling.H0}))),
        ('resource.sourceGrade == SourceGrade::"A"', like(source_grade=SourceGrade.A)),
        ("resource.informationGrade <= 3", like(information_grade=InformationGrade.THREE)),
        ('resource.assertion == Assertion::"fact"', like(assertion=Assertion.FACT)),
        (
            'resource.permittedAction == PermittedAction::"watch"',
            like(permitted_action=PermittedAction.WATCH),
        ),
        ("resource.barrierStep == 3", like(barrier_step=3)),
        ('resource.substance == Substance::"mdma"', like(substance=Substance.MDMA)),
    ],
)
def test_every_attribute_that_a_policy_asks_for_is_told_apart(
    condition: str, other: ClassAttributes
) -> None:
    naming = tells(condition)
    assert naming.of_subject(other, 0) != naming.of_subject(PLAIN, 0)
    assert naming.of_subject(PLAIN, 0) == naming.of_subject(PLAIN, 4)


def test_two_comparisons_of_a_number_cut_it_twice() -> None:
    naming = tells("resource.ageBand <= 1 || resource.ageBand >= 4")
    shapes = [naming.of_subject(PLAIN, band) for band in range(5)]
    assert shapes[0] == shapes[1] != shapes[2] == shapes[3] != shapes[4]


def test_what_is_not_asked_for_is_not_told_apart() -> None:
    naming = tells('resource.kind == Kind::"party"')
    plain = naming.of_subject(PLAIN, 0)
    other = like(
        role=PartyRole.ADDRESSEE,
        handling=frozenset({Handling.H1}),
        information_grade=InformationGrade.ONE,
        barrier_step=3,
    )
    assert naming.of_subject(other, 4) == plain


def test_handling_codes_count_as_a_set_where_they_are_asked_for() -> None:
    naming = tells('resource.handling.contains(Handling::"H2")')
    codes: list[set[Handling]] = [set(), {Handling.H2}, {Handling.H1}, {Handling.H1, Handling.H2}]
    assert len({naming.of_subject(like(handling=frozenset(each)), 0) for each in codes}) == 4


@pytest.mark.parametrize(
    ("condition", "change", "is_told_apart"),
    [
        ('principal in Community::"exchange"', {"communities": ()}, True),
        ('principal in Community::"exchange"', {"communities": ("exchange", "other")}, False),
        ('principal in Country::"DE"', {"country": "FR"}, True),
        ('principal in Country::"NL"', {"country": "FR"}, False),
        ('principal.country == Country::"FR"', {"country": "FR"}, True),
        ("resource.owner in principal.country", {"country": "BE"}, True),
        ("resource.owner in principal.country", {"country": "FR"}, False),
        ('principal in Organisation::"police-de"', {"code": "police-fr"}, True),
        ('principal in Organisation::"police-fr"', {"code": "police-fr"}, True),
        ('principal in Organisation::"police-nl"', {"code": "police-fr"}, False),
        ('principal.sector == Sector::"police"', {"sector": Sector.CUSTOMS}, True),
        ("true", {"sector": Sector.CUSTOMS}, True),
        ("true", {"code": "police-fr", "country": "FR", "communities": ()}, False),
    ],
)
def test_readers_are_told_apart_by_what_policies_name(
    condition: str, change: dict[str, Any], is_told_apart: bool
) -> None:
    naming = tells(condition)
    one, other = (naming.of_member(OWNER, member) for member in (POLICE, replace(POLICE, **change)))
    assert (one != other) == is_told_apart


def test_a_recipient_compared_with_the_country_of_the_reader_makes_each_country_count() -> None:
    text = (
        '@id("post-be/a") @label("A") permit (principal, action == Action::"onward", resource)'
        " when { context.to in principal.country };"
    )
    naming = Distinctions(read(text))
    french = replace(POLICE, country="FR")
    assert naming.of_member(OWNER, POLICE) != naming.of_member(OWNER, french)


@pytest.mark.parametrize(
    ("condition", "change", "is_told_apart"),
    [
        ('principal.role == Role::"analyst"', {"role": Role.APPROVER}, True),
        ('principal.role == Role::"approver"', {"role": Role.APPROVER}, True),
        ('principal.role == Role::"compliance"', {"role": Role.APPROVER}, False),
        ('resource.role == PartyRole::"sender"', {"role": Role.APPROVER}, False),
        (
            'context.purpose == Purpose::"risk_analysis"',
            {"purpose": Purpose.RISK_ANALYSIS},
            True,
        ),
        (
            'context.purpose == Purpose::"customs_control"',
            {"purpose": Purpose.RISK_ANALYSIS},
            False,
        ),
        (
            'context.legalBasis == LegalBasis::"police_law"',
            {"legal_basis": LegalBasis.COURT_ORDER},
            True,
        ),
        (
            'context.legalBasis == LegalBasis::"postal_law"',
            {"legal_basis": LegalBasis.COURT_ORDER},
            False,
        ),
    ],
)
def test_seats_are_told_apart_by_role_and_reason(
    condition: str, change: dict[str, Any], is_told_apart: bool
) -> None:
    naming = tells(condition)
    other = replace(SEAT, **change)
    assert (naming.of_seat(OWNER, SEAT) != naming.of_seat(OWNER, other)) == is_told_apart


def test_a_seat_in_the_country_of_the_owner_is_told_apart_where_that_is_asked() -> None:
    naming = tells("resource.owner in principal.country")
    belgian = replace(SEAT, member=replace(POLICE, country="BE"))
    assert naming.of_seat(OWNER, SEAT) != naming.of_seat(OWNER, belgian)


def test_an_owner_among_its_readers_is_always_told_apart() -> None:
    naming = tells("true")
    own = replace(SEAT, member=replace(POLICE, code=OWNER.code))
    assert naming.of_seat(OWNER, SEAT) != naming.of_seat(OWNER, own)


def test_it_says_what_is_asked_for() -> None:
    naming = tells("resource.ageBand <= 2")
    assert naming.asks("ageBand")
    assert not naming.asks("barrierStep")
