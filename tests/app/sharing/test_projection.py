"""The engine asks Cedar as seldom as it can. Here it is held against two that do not.

For policies made at random: Cedar asked about one record and one action at a time, and a model that
does without Cedar altogether.
"""

from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.sharing import engine
from app.sharing.classes import ClassAttributes
from app.sharing.distinctions import Distinctions, Shape
from app.sharing.engine import OwnerPolicies
from app.sharing.policy_text import platform_policies, read
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.sharing import small_language
from tests.app.sharing.reference import (
    Expected,
    band_of,
    reference_onward,
    reference_ruling,
)
from tests.app.sharing.small_language import Asked, Clause, expected, text_of
from tests.deeper import examples

EDGES = (0, 6, 7, 29, 30, 89, 90, 364, 365, 32_767)
"""First and last day of every band of age."""

OWNERS = small_language.members()
SUBJECTS = st.tuples(small_language.attributes(), st.sampled_from(EDGES))


@st.composite
def readers(draw: st.DrawFn, owner: Member) -> list[Seat]:
    """A few seats; those of one code are of one organisation."""
    found = draw(st.lists(small_language.members(), min_size=2, max_size=4))
    by_code = {member.code: member for member in found} | {owner.code: owner}
    return [
        Seat(by_code[member.code], draw(st.sampled_from([Role.ANALYST, Role.APPROVER])), *why)
        for member in found
        for why in [draw(small_language.reasons())]
    ]


def test_the_engine_cedar_and_the_model_without_cedar_agree() -> None:
    seen: Counter[Expected] = Counter()

    @examples(200)
    @given(st.data(), small_language.policies(), OWNERS, st.lists(SUBJECTS, min_size=2, max_size=4))
    def compare(
        data: st.DataObject,
        clauses: tuple[Clause, ...],
        owner: Member,
        subjects: list[tuple[ClassAttributes, int]],
    ) -> None:
        seats = data.draw(readers(owner))
        text = text_of(clauses)
        rulings = OwnerPolicies(read(text)).rulings(
            owner, seats, [(attributes, band_of(age)) for attributes, age in subjects]
        )
        for seat, row in zip(seats, rulings, strict=True):
            for (attributes, age), ruling in zip(subjects, row, strict=True):
                asked = Asked(seat, owner, attributes, band_of(age))
                one_by_one = reference_ruling(seat, owner, text, attributes, age)
                assert _granted(ruling) == one_by_one == expected(clauses, asked), asked
                seen[one_by_one] += 1

    compare()
    assert {each.level for each in seen} == {0, 1, 2, 3}
    assert {(each.level > 0, each.tells_owner) for each in seen} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }
    assert {each.may_screen for each in seen} == {each.may_feed for each in seen} == {False, True}
    assert seen.total() > 1_000


def test_the_windows_of_age_hold_on_every_edge_of_a_band() -> None:
    windows_seen: Counter[int] = Counter()

    @examples(100)
    @given(
        st.data(),
        st.one_of(small_language.policies(), small_language.aged_policies()),
        OWNERS,
        small_language.attributes(),
    )
    def compare(
        data: st.DataObject,
        clauses: tuple[Clause, ...],
        owner: Member,
        attributes: ClassAttributes,
    ) -> None:
        seats = data.draw(readers(owner))
        policies = OwnerPolicies(read(text_of(clauses)))
        for seat, (windows,) in zip(
            seats, policies.windows(owner, seats, [attributes]), strict=True
        ):
            windows_seen[len(windows)] += 1
            for age in EDGES:
                covering = [each for each in windows if each.age_min <= age <= each.age_max]
                found = _granted(covering[0].ruling) if covering else Expected(0)
                asked = Asked(seat, owner, attributes, band_of(age))
                assert len(covering) <= 1
                assert found == expected(clauses, asked), age

    compare()
    assert windows_seen.keys() >= {0, 1, 2}


def test_seats_that_are_asked_about_once_get_the_same_from_cedar() -> None:
    together = 0

    @examples(100)
    @given(st.data(), small_language.policies(), OWNERS, SUBJECTS)
    def compare(
        data: st.DataObject,
        clauses: tuple[Clause, ...],
        owner: Member,
        subject: tuple[ClassAttributes, int],
    ) -> None:
        nonlocal together
        text = text_of(clauses)
        tells = Distinctions((*platform_policies(), *read(text)))
        # One sector and reason, so that only what a policy names can tell them apart.
        pattern = data.draw(small_language.members())
        why: tuple[Purpose, LegalBasis] = data.draw(small_language.reasons())
        groups: dict[Shape, list[Expected]] = defaultdict(list)
        for code in small_language.CODES:
            if code == owner.code:
                continue
            communities = data.draw(st.sets(st.sampled_from(small_language.COMMUNITIES)))
            member = replace(
                pattern,
                code=code,
                country=data.draw(st.sampled_from(small_language.COUNTRIES)),
                communities=tuple(sorted(communities)),
            )
            seat = Seat(member, data.draw(st.sampled_from([Role.ANALYST, Role.APPROVER])), *why)
            shape = tells.of_seat(owner, seat)
            groups[shape].append(reference_ruling(seat, owner, text, *subject))
        for alike in groups.values():
            assert len(set(alike)) == 1
            together += len(alike) - 1

    compare()
    assert together > 100


def test_passing_on_is_decided_as_cedar_decides_it() -> None:
    answers: Counter[bool] = Counter()

    @examples(100)
    @given(st.data(), small_language.policies(), OWNERS, SUBJECTS, small_language.members())
    def compare(
        data: st.DataObject,
        clauses: tuple[Clause, ...],
        owner: Member,
        subject: tuple[ClassAttributes, int],
        third: Member,
    ) -> None:
        attributes, age = subject
        for seat in data.draw(readers(owner)):
            known = {third.code: third, owner.code: owner, seat.member.code: seat.member}
            to = known[third.code]
            text = text_of(clauses)
            verdict = engine.load(text).may_pass_on(owner, seat, (attributes, band_of(age)), to)
            asked = Asked(seat, owner, attributes, band_of(age), to)
            one_by_one = reference_onward(seat, owner, text, attributes, age, to=to)
            assert verdict.allowed == one_by_one == small_language.may_pass_on(clauses, asked)
            answers[verdict.allowed] += 1

    compare()
    assert answers[True] > 10
    assert answers[False] > 50


def _granted(ruling: engine.Ruling) -> Expected:
    return Expected(ruling.level, ruling.tells_owner, ruling.may_screen, ruling.may_feed)
