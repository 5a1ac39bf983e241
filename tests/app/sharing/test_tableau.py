"""The rulings on very many pairs at once are those of the engine, pair by pair."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sharing.classes import ClassAttributes
from app.sharing.engine import NOTHING, OwnerPolicies, Ruling, Subject
from app.sharing.policy_text import PolicyRefusedError, read
from app.sharing.seats import Member, Seat
from app.sharing.tableau import Tableau
from postern.vocabulary import Kind, LegalBasis, Purpose, Role, Sector, Tlp
from tests.app.sharing import small_language
from tests.app.sharing.small_language import Clause, text_of
from tests.app.sharing.world import PLAIN, like
from tests.deeper import examples

POST = Member("post-be", Sector.POST, "BE")
OPEN = '@id("post-be/open") @label("All") permit (principal, action, resource);\n'


def asker(
    sector: Sector = Sector.POLICE,
    country: str = "DE",
    purpose: Purpose = Purpose.RISK_ANALYSIS,
    basis: LegalBasis = LegalBasis.PUBLIC_TASK,
) -> Seat:
    return Seat(Member(f"{sector}-{country}", sector, country), Role.ANALYST, purpose, basis)


def rulings(text: str, seats: list[Seat], subjects: list[Subject]) -> list[list[Ruling]]:
    answers = Tableau(POST, seats, subjects).answers(read(text))
    return [
        [answer.ruling(place) if answer else NOTHING for place in range(len(subjects))]
        for answer in answers
    ]


@st.composite
def seats(draw: st.DrawFn, owner: Member) -> list[Seat]:
    """Seats of others than the owner; those of one code are of one organisation."""
    found = draw(st.lists(small_language.members(), min_size=1, max_size=5))
    by_code = {member.code: member for member in found if member.code != owner.code}
    return [
        Seat(member, draw(st.sampled_from([Role.ANALYST, Role.APPROVER])), *why)
        for member in by_code.values()
        for why in draw(st.lists(small_language.reasons(), min_size=1, max_size=3))
    ]


def test_a_tableau_and_the_engine_never_disagree() -> None:
    seen: Counter[tuple[int, bool, bool, bool]] = Counter()

    @examples(400)
    @given(
        st.data(),
        small_language.policies(),
        small_language.members(),
        st.lists(st.tuples(small_language.attributes(), st.integers(0, 4)), min_size=1, max_size=4),
    )
    def compare(
        data: st.DataObject,
        clauses: tuple[Clause, ...],
        owner: Member,
        subjects: list[tuple[ClassAttributes, int]],
    ) -> None:
        asked = data.draw(seats(owner))
        policies = read(text_of(clauses))
        answers = Tableau(owner, asked, subjects).answers(policies)
        expected = OwnerPolicies(policies).rulings(owner, asked, subjects)
        for seat, answer, row in zip(asked, answers, expected, strict=True):
            found = [answer.ruling(place) if answer else NOTHING for place in range(len(subjects))]
            assert found == row, (seat, text_of(clauses))
            seen.update((r.level, r.tells_owner, r.may_screen, r.may_feed) for r in row)

    compare()
    assert {level for level, *_ in seen} == {0, 1, 2, 3}
    assert (0, True, False, False) in seen
    assert any(feeds and not tells for _, tells, _, feeds in seen)


def test_a_condition_may_ask_for_the_action() -> None:
    text = (
        '@id("post-be/some") @label("Some") permit (principal, action, resource)'
        ' when { [Action::"presence", Action::"metadata"].contains(action) };'
    )
    assert rulings(text, [asker()], [(PLAIN, 0)]) == [
        [Ruling(2, ("post-be/some",), tells_owner=True)]
    ]


def test_what_cannot_be_evaluated_denies_where_it_is_reached_and_nowhere_else() -> None:
    text = OPEN + (
        '@id("post-be/overflow") @label("Overflows") forbid (principal, action, resource)'
        ' when { resource.kind == Kind::"phone" && 9223372036854775807 + resource.ageBand > 0 };'
    )
    found = rulings(text, [asker()], [(PLAIN, 1), (like(kind=Kind.PHONE), 1)])
    assert [ruling.level for ruling in found[0]] == [3, 0]


def test_where_the_platforms_rules_leave_nothing_there_is_no_answer() -> None:
    allowed, barred = asker(), asker(purpose=Purpose.PARCEL_SCREENING)
    on_no_basis = asker(basis=LegalBasis.LEGITIMATE_INTEREST)
    tableau = Tableau(POST, [allowed, barred, on_no_basis], [(PLAIN, 0)])
    answers = tableau.answers(read(OPEN))
    assert [answer is not None for answer in answers] == [True, False, False]
    assert tableau.answers([])[0] is not None  # the owner's silence is an answer


def test_an_alert_that_is_all_that_may_be_told_keeps_a_seat_open() -> None:
    (answer,) = Tableau(
        Member("police-be", Sector.POLICE, "BE"), [asker()], [(like(tlp=Tlp.RED), 0)]
    ).answers(read(OPEN))
    assert answer is not None
    assert answer.ruling(0) == Ruling(0, ("post-be/open",), tells_owner=True)


def test_without_a_subject_nobody_gets_anything() -> None:
    assert rulings(OPEN, [asker()], []) == [[]]
    assert Tableau(POST, [], [(PLAIN, 0)]).answers(read(OPEN)) == []


def test_a_text_that_tells_too_much_apart_is_refused_by_the_worst_of_its_rules() -> None:
    seats = [asker(country=country) for country in ("BE", "NL", "DE", "LU")]
    subjects = [(PLAIN, band) for band in range(5)]
    text = OPEN + (
        '@id("post-be/x") @label("X") permit (principal, action, resource)'
        ' when { (principal.country == Country::"NL" && resource.ageBand == 1)'
        ' || (principal.country == Country::"DE" && resource.ageBand == 2) };'
        '@id("post-be/y") @label("Y") permit (principal, action, resource)'
        " when { resource.ageBand == 1 };"
    )
    tableau = Tableau(POST, seats, subjects)
    # The owner's country, two that are named, and any other, at five ages each; and five ages.
    assert any(tableau.answers(read(text), most=25))
    with pytest.raises(PolicyRefusedError) as refusal:
        tableau.answers(read(text), most=24)
    assert [fault.policy for fault in refusal.value.faults] == ["post-be/x"]
