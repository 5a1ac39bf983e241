"""What a condition can tell apart, which is what Cedar is asked of it, and how answers are read."""

from datetime import timedelta

import pytest

from app.sharing.engine import Ruling, Subject
from app.sharing.policy_text import Fault, PolicyRefusedError, read
from app.sharing.seats import Member, Seat
from app.sharing.tableau import MOST_PAIRS, Answer, Tableau, _Asked, _Rule, _rules, places, union
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Purpose,
    Role,
    Sector,
    Tlp,
)
from tests.app.sharing.test_audience import OWNER, READERS
from tests.app.sharing.world import like

OPEN = '@id("post-be/open") @label("All") permit (principal, action, resource);\n'

SEATS = [
    Seat(member, role, purpose, basis)
    for member in READERS
    for role in (Role.ANALYST, Role.APPROVER)
    for purpose in (Purpose.RISK_ANALYSIS, Purpose.CUSTOMS_CONTROL)
    for basis in (LegalBasis.PUBLIC_TASK, LegalBasis.POLICE_LAW)
]
SUBJECTS: list[Subject] = [
    (
        like(
            kind=kind,
            tlp=tlp,
            handling=handling,
            barrier_step=step,
            information_grade=grade,
            assertion=assertion,
        ),
        band,
    )
    for kind in (Kind.PARTY, Kind.PHONE)
    for tlp in (Tlp.GREEN, Tlp.RED)
    for handling in (frozenset[Handling](), frozenset({Handling.H1}))
    for step in (0, 3)
    for grade in (InformationGrade.ONE, InformationGrade.TWO)
    for assertion in Assertion
    for band in range(3)
]


def _asked_about(rule: str) -> list[_Rule]:
    policies = read(f'@id("post-be/x") @label("X") {rule}')
    return _rules(policies, _Asked(OWNER, SEATS, SUBJECTS))


def _pairs(rule: str) -> list[int]:
    return [each.pairs for each in _asked_about(rule)]


@pytest.mark.parametrize(
    ("condition", "pairs"),
    [
        ("true", 1),
        ('principal.sector == Sector::"police"', 2),
        ('principal.sector == Sector::"authority" || principal.sector == Sector::"police"', 3),
        ('principal.country == Country::"NL"', 3),  # and that of the owner, and any other
        ('principal in Country::"NL"', 2),
        ("resource.owner in principal.country", 2),
        ('principal in Community::"joint-team"', 2),
        ('principal in Community::"elsewhere"', 1),
        ('principal in Organisation::"police-de"', 2),
        ('principal.role == Role::"analyst"', 2),
        ('context.purpose == Purpose::"risk_analysis"', 2),
        ('context.legalBasis == LegalBasis::"police_law"', 2),
        ("principal.organisation == resource.owner", 1),
        ('resource.kind == Kind::"phone"', 2),
        ('resource.kind == Kind::"pgp"', 1),
        ('resource.assertion == Assertion::"fact"', 2),
        ('resource.handling.contains(Handling::"H1")', 2),
        ("resource.handling.isEmpty()", 2),
        ("resource.ageBand > 1", 3),
        ("resource.barrierStep == 3", 2),
        ("resource.informationGrade == 1", 2),
        ('resource.tlp == Tlp::"RED" && resource.ageBand > 1', 2 + 3),  # each alone
        ('resource.tlp == Tlp::"RED" || resource.ageBand > 1', 2 * 3),
        ('principal.role == Role::"approver" || resource.kind == Kind::"phone"', 2 * 2),
    ],
)
def test_a_condition_is_put_to_cedar_for_what_it_can_tell_apart(condition: str, pairs: int) -> None:
    assert _pairs(f"permit (principal, action, resource) when {{ {condition} }};") == [pairs]


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        ("permit (principal, action, resource);", [0]),
        ('permit (principal in Sector::"police", action, resource);', [2]),
        ("permit (principal is Seat, action, resource is ShareClass);", [1]),
        ('permit (principal, action == Action::"onward", resource);', []),
        ('permit (principal, action in [Action::"onward", Action::"feed"], resource);', [0]),
        ("permit (principal, action, resource) unless"
         " { resource.ageBand > 1 || resource.barrierStep == 3 };", [3 + 2]),
        ("permit (principal, action, resource) unless"
         " { resource.ageBand > 1 && resource.barrierStep == 3 };", [3 * 2]),
        ("permit (principal, action, resource) when { resource.ageBand > 1 } unless"
         ' { resource.kind == Kind::"phone" };', [3 + 2]),
        # One that asks for the action is asked about each.
        ('permit (principal, action, resource) when { action == Action::"feed" };', [1] * 7),
        ('permit (principal, action in [Action::"feed", Action::"screen"], resource)'
         ' when { action == Action::"feed" || resource.ageBand > 1 };', [3] * 2),
    ],
)  # fmt: skip
def test_a_policy_is_put_to_cedar_part_by_part(rule: str, pairs: list[int]) -> None:
    assert _pairs(rule) == pairs


def test_seats_that_a_policy_cannot_tell_apart_have_one_effect() -> None:
    (rule,) = _asked_about(
        'forbid (principal in Sector::"police", action, resource)'
        ' when { principal.role == Role::"analyst" && resource.ageBand == 2 };'
    )
    assert len(rule.effects) == 4
    assert len(rule.of_seat) == len(SEATS)
    third = sum(1 << place for place in range(2, len(SUBJECTS), 3))
    for seat, place in zip(SEATS, rule.of_seat, strict=True):
        is_meant = seat.member.sector is Sector.POLICE and seat.role is Role.ANALYST
        assert rule.effects[place] == (third if is_meant else 0, 0)


def test_the_owners_own_sector_and_country_may_be_compared_with() -> None:
    post = Seat(
        Member("post-nl", Sector.POST, "NL"),
        Role.ANALYST,
        Purpose.RISK_ANALYSIS,
        LegalBasis.PUBLIC_TASK,
    )
    for attribute in ("sector", "country"):
        policies = read(
            '@id("post-be/x") @label("X") permit (principal, action, resource)'
            f" when {{ resource.owner in principal.{attribute} }};"
        )
        (rule,) = _rules(policies, _Asked(OWNER, [*SEATS, post], SUBJECTS))
        assert rule.pairs == 2


def test_what_the_first_of_two_conditions_cannot_evaluate_is_denied() -> None:
    text = OPEN + (
        '@id("post-be/overflow") @label("Overflows") forbid (principal, action, resource)'
        ' when { 9223372036854775807 + resource.ageBand > 0 && resource.kind == Kind::"phone" };'
    )
    seat = Seat(READERS[-1], Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
    subjects = [(like(), 1), (like(), 0), (like(kind=Kind.PHONE), 0)]
    (answer,) = Tableau(OWNER, [seat], subjects).answers(read(text))
    assert answer is not None
    assert [answer.ruling(place).level for place in range(3)] == [0, 3, 0]


def test_what_is_refused_as_too_intricate_is_told_with_its_line() -> None:
    text = OPEN + '@id("post-be/x") @label("X")\npermit (principal, action, resource) when {'
    text += ' principal.role == Role::"analyst" || resource.ageBand > 1 };'
    with pytest.raises(PolicyRefusedError) as refusal:
        Tableau(OWNER, SEATS, SUBJECTS).answers(read(text), most=5)
    assert refusal.value.faults == (
        Fault(
            "post-be/x",
            2,
            "it tells more readers and records apart than can be compared",
            "Make several policies of it, each with fewer alternatives.",
        ),
    )
    assert Tableau(OWNER, SEATS, SUBJECTS).answers(read(text), most=6)


def _answered(*rules: str) -> Answer:
    """What police of France get of a party and of a phone."""
    text = "\n".join(f'@id("a/{n}") @label("A") {rule}' for n, rule in enumerate(rules))
    seat = Seat(READERS[-1], Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
    subjects: list[Subject] = [(like(), 0), (like(kind=Kind.PHONE), 0)]
    (answer,) = Tableau(OWNER, [seat], subjects).answers(read(text))
    assert answer is not None
    return answer


EVERYTHING = "permit (principal, action, resource);"


def test_the_reasons_are_the_permits_of_the_level_that_is_reached() -> None:
    presence = 'permit (principal, action == Action::"presence", resource);'
    metadata = 'permit (principal, action == Action::"metadata", resource);'
    none = 'forbid (principal, action == Action::"metadata", resource);'
    assert _answered(presence, metadata, none).reasons == (("a/0", 0b11),)
    of_phones = ' when { resource.kind == Kind::"phone" };'
    assert _answered(presence, metadata[:-1] + of_phones).reasons == (("a/0", 0b01), ("a/1", 0b10))
    some = _answered(EVERYTHING, none[:-1] + of_phones)
    assert some.reasons == (("a/0", 0b11),)
    assert [some.ruling(place).level for place in range(2)] == [3, 1]


def test_the_owner_alone_is_told_where_the_reader_learns_nothing() -> None:
    untold = 'forbid (principal, action == Action::"tell_owner", resource);'
    answer = _answered(EVERYTHING, untold)
    assert (answer.presence, answer.tells, answer.alerts) == (0b11, 0, 0)


def test_what_a_rule_spares_is_spared() -> None:
    spared = EVERYTHING[:-1] + ' unless { resource.kind == Kind::"phone" || resource.ageBand > 3 };'
    answer = _answered(spared)
    assert [answer.ruling(place).level for place in range(2)] == [3, 0]


def test_a_draft_is_compared_within_seconds() -> None:
    assert MOST_PAIRS * timedelta(microseconds=30) <= timedelta(seconds=2)


def test_bits_are_places() -> None:
    assert list(places(0b101001)) == [0, 3, 5]
    assert list(places(0)) == []
    assert union([0b001, 0b100, 0b101]) == 0b101
    assert union([]) == 0


def test_an_answer_is_read_subject_by_subject() -> None:
    answer = Answer(
        presence=0b0111,
        metadata=0b0110,
        request=0b0100,
        screen=0b0010,
        feed=0b0100,
        tells=0b0011,
        alerts=0b1000,
        reasons=(("b", 0b0110), ("a", 0b1100), ("c", 0b0001)),
    )
    assert [answer.ruling(place) for place in range(5)] == [
        Ruling(1, ("c",), tells_owner=True),
        Ruling(2, ("b",), tells_owner=True, may_screen=True),
        Ruling(3, ("a", "b"), may_feed=True),
        Ruling(0, ("a",), tells_owner=True),
        Ruling(0, ()),
    ]
    assert answer.rules(0b0101) == ("a", "b", "c")
    assert not answer.is_nothing
    assert Answer(0, 0, 0, 0, 0, 0, 0, ()).is_nothing
    assert not Answer(0, 0, 0, 0, 0, 0, 1, ()).is_nothing
    assert not Answer(1, 0, 0, 0, 0, 0, 0, ()).is_nothing
