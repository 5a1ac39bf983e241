"""What a text changes for everybody, on a stock of records that needs no database."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.sharing import comparison
from app.sharing.asset_comparison import AssetAtAge
from app.sharing.changes import (
    AssetComparison,
    Change,
    Compared,
    Comparison,
    Example,
    Figure,
    Figures,
    ReaderChange,
)
from app.sharing.classes import ClassAttributes
from app.sharing.comparison import Stocked, World, compare
from app.sharing.policy_text import Policy, PolicyRefusedError
from app.sharing.readers import Rule
from app.sharing.seats import Member
from app.sharing.visibility import ClassCount
from postern.vocabulary import (
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Sector,
    Tlp,
    Told,
)
from tests.app.sharing.test_audience import (
    CUSTOMS,
    GREEN,
    OF_POLICE,
    OWNER,
    POLICE,
    READABLE,
    RULES,
    access,
    named,
    onward,
    permit,
    version_of,
)
from tests.app.sharing.world import PLAIN, like

PHONE = like(kind=Kind.PHONE, tlp=Tlp.GREEN)
AGAINST = Compared(3, None, is_scheduled=False)
INVESTIGATING = f'{POLICE} && context.purpose == Purpose::"criminal_investigation"'
NONE = access(None, None)
NO_ASSETS: dict[Kind, list[AssetAtAge]] = {Kind.PATTERN: [], Kind.BARRIER: []}


def stocked(attributes: ClassAttributes, band: int, class_id: int, count: int) -> Stocked:
    if not count:
        return Stocked((attributes, band))
    counted = ClassCount(7, class_id, attributes.stored(), band, count)
    return Stocked((attributes, band), counted)


STOCK = (
    stocked(GREEN, 0, 1, 5),
    stocked(GREEN, 1, 1, 2),
    stocked(PLAIN, 0, 2, 3),
    stocked(PHONE, 0, 3, 0),
)


def example(class_id: int, band: int) -> Example:
    """Stands for the indicators of a class and band."""
    return Example(UUID(int=class_id), Kind.PARTY, PartyRole.SENDER, Tlp.GREEN, band)


def examples(counted: Iterable[ClassCount]) -> tuple[Example, ...]:
    return tuple(example(each.share_class_id, each.age_band) for each in counted)


def policies(rules: Sequence[str]) -> tuple[Policy, ...]:
    return version_of(*rules).policies


def compared(before: Sequence[str], after: Sequence[str], owner: Member = OWNER) -> Comparison:
    world = World(owner, READABLE, STOCK, examples, NO_ASSETS)
    found = compare(world, policies(before), policies(after), AGAINST)
    assert found.against is AGAINST
    assert found.indicators == 10
    return found


def of(**figures: tuple[int, int, int, int]) -> Figures:
    return replace(Figures(), **{name: Figure(*each) for name, each in figures.items()})


def rules(prefix: str, *places: int) -> tuple[Rule, ...]:
    return tuple(replace(RULES[place], id=f"{prefix}/{place}") for place in places)


def test_more_of_some_and_less_of_others_is_told_in_parts() -> None:
    found = compared(
        [permit("presence", CUSTOMS)],
        [
            permit("presence metadata", f"{CUSTOMS} && resource.ageBand == 0"),
            permit("presence", f'{INVESTIGATING} && resource.kind == Kind::"phone"'),
        ],
    )
    figures = of(presence=(10, 8, 0, 2), metadata=(0, 8, 8, 0), told_both=(10, 8, 0, 2))
    everywhere = named("customs-be", "customs-nl")
    assert found == Comparison(
        against=AGAINST,
        indicators=10,
        concerned=10,
        shared=figures,
        gaining=everywhere,
        losing=everywhere,
        new_readers=(),
        lost_readers=(),
        readers=(
            ReaderChange(
                everywhere,
                Purpose.CUSTOMS_CONTROL,
                (),
                is_new=False,
                figures=figures,
                changes=(
                    Change(
                        access(Level.PRESENCE),
                        access(Level.METADATA),
                        8,
                        (example(1, 0), example(2, 0)),
                        rules("a", 0),
                        rules("a", 0),
                    ),
                    Change(access(Level.PRESENCE), NONE, 2, (example(1, 1),), rules("a", 0), ()),
                ),
            ),
            # They would see nothing of today: of that kind there is no record.
            ReaderChange(
                named("police-be", "police-de", "police-fr"),
                Purpose.CRIMINAL_INVESTIGATION,
                (),
                is_new=False,
                figures=Figures(),
                changes=(Change(NONE, access(Level.PRESENCE), 0, (), (), rules("a", 1)),),
            ),
        ),
        passing_on_differs=False,
    )


def test_who_comes_and_who_goes_is_named_and_new_readers_are_told_first() -> None:
    found = compared(
        [
            permit("presence metadata", 'principal.country == Country::"NL" && ' + CUSTOMS),
            permit("presence", INVESTIGATING),
            permit("presence", 'principal.sector == Sector::"authority"'),
        ],
        [
            permit("presence", 'principal.country == Country::"BE" && ' + CUSTOMS),
            permit("presence metadata", INVESTIGATING),
            permit("presence", 'principal.sector == Sector::"authority"'),
        ],
    )
    assert found.new_readers == named("customs-be")
    assert found.lost_readers == named("customs-nl")
    assert found.gaining == named("customs-be", "police-be", "police-de", "police-fr")
    assert found.losing == named("customs-nl")
    told = [
        (each.organisations[0].code, each.purpose, each.is_new, bool(each.changes))
        for each in found.readers
    ]
    assert told[:4] == [
        ("customs-be", Purpose.CUSTOMS_CONTROL, True, True),
        ("police-be", Purpose.CRIMINAL_INVESTIGATION, False, True),
        ("customs-nl", Purpose.CUSTOMS_CONTROL, False, True),
        ("authority-be", told[3][1], False, False),
    ]
    assert {(code, is_changed) for code, _, _, is_changed in told[4:]} == {("authority-be", False)}
    places = [list(Purpose).index(purpose) for _, purpose, _, _ in told[3:]]
    assert places == sorted(places)
    assert found.readers[2].changes[0].rules_before == rules("a", 0)
    assert found.readers[2].changes[0].rules_after == ()
    assert found.concerned == 10
    assert found.shared == of(
        presence=(10, 10, 0, 0), metadata=(10, 10, 0, 0), told_both=(10, 10, 0, 0)
    )


def test_bases_with_other_answers_are_told_apart() -> None:
    on_order = f'{INVESTIGATING} && context.legalBasis == LegalBasis::"court_order"'
    found = compared([permit("presence", INVESTIGATING)], [permit("presence metadata", on_order)])
    gaining, losing = found.readers
    assert gaining.bases == (LegalBasis.COURT_ORDER,)
    assert LegalBasis.POLICE_LAW in losing.bases
    assert LegalBasis.COURT_ORDER not in losing.bases
    assert gaining.figures == of(
        presence=(10, 10, 0, 0), metadata=(0, 10, 10, 0), told_both=(10, 10, 0, 0)
    )
    assert losing.figures == of(presence=(10, 0, 0, 10), told_both=(10, 0, 0, 10))
    assert found.shared == gaining.figures
    same = compared([permit("presence", INVESTIGATING)], [permit("presence", INVESTIGATING)])
    assert [each.bases for each in same.readers] == [()]
    assert same.is_nothing
    assert same.concerned == 0


@pytest.mark.parametrize(
    ("more", "figures"),
    [
        (permit("screen", INVESTIGATING), {"screen": (0, 10, 10, 0)}),
        (permit("feed", INVESTIGATING), {"feed": (0, 10, 10, 0)}),
        (permit("request", INVESTIGATING), {"request": (0, 10, 10, 0)}),
        (
            'forbid (principal, action == Action::"tell_owner", resource);',
            {"told_both": (10, 0, 0, 10), "told_requester_only": (0, 10, 10, 0)},
        ),
    ],
)
def test_each_thing_that_is_given_is_counted(
    more: str, figures: dict[str, tuple[int, int, int, int]]
) -> None:
    seen = permit("presence metadata", INVESTIGATING)
    both = {"told_both": (10, 10, 0, 0), **figures}
    # What is to be watched is matched against parcels; else nothing may be screened.
    stock = [
        Stocked(
            (replace(each.subject[0], permitted_action=PermittedAction.WATCH), each.subject[1]),
            each.counted,
        )
        for each in STOCK
    ]
    found = compare(
        World(OWNER, READABLE, stock, examples, NO_ASSETS),
        policies([seen]),
        policies([seen, more]),
        AGAINST,
    )
    assert found.shared == of(presence=(10, 10, 0, 0), metadata=(10, 10, 0, 0), **both)
    (told,) = found.readers
    assert told.figures == found.shared
    assert found.gaining == (() if "forbid" in more else told.organisations)
    assert found.losing == ()
    assert found.concerned == 10


def test_an_alert_of_the_owner_alone_is_counted_and_is_no_sight() -> None:
    authority = Member("customs-lu", Sector.CUSTOMS, "LU")
    found = compared([], [permit("alert_owner", CUSTOMS)], authority)
    assert found.shared == of(told_owner_only=(0, 10, 10, 0))
    assert (found.new_readers, found.gaining, found.concerned) == ((), (), 10)
    assert found.readers[0].changes[0].after == access(None, Told.OWNER_ONLY)
    # Where the reader learns of it, the owner is not told alone.
    young = permit("presence", f"{CUSTOMS} && resource.ageBand == 0")
    found = compared([], [permit("alert_owner", CUSTOMS), young], authority)
    assert found.shared.told_owner_only == Figure(0, 2, 2, 0)


@pytest.mark.parametrize("kind", [Kind.PATTERN, Kind.BARRIER])
def test_patterns_and_barriers_are_compared_by_the_same_two_texts(kind: Kind) -> None:
    asset = AssetAtAge(UUID(int=1), "A", (like(kind=kind, tlp=Tlp.GREEN), 0))
    text = [permit("presence metadata feed", f'{CUSTOMS} && resource.kind == Kind::"{kind}"')]
    world = World(OWNER, READABLE, STOCK, examples, {**NO_ASSETS, kind: [asset]})
    found = compare(world, [], policies(text), AGAINST)
    of_kind = {Kind.PATTERN: found.patterns, Kind.BARRIER: found.barriers}
    assert of_kind.pop(kind).known == Figure(0, 1, 1, 0)
    assert list(of_kind.values()) == [AssetComparison()]
    gaining = (*found.patterns.gaining, *found.barriers.gaining)
    assert gaining == named("customs-be", "customs-nl")
    assert (found.indicators, found.concerned, found.changes_indicators) == (10, 0, False)
    back = compare(world, policies(text), [], AGAINST)
    assert {back.patterns.known, back.barriers.known} == {Figure(1, 0, 0, 1), Figure()}
    without = compared([], text)
    assert without.patterns == without.barriers == AssetComparison()


def test_one_of_several_answers_counts_an_indicator_once() -> None:
    found = compared(
        [],
        [
            permit("presence", f"{CUSTOMS} && resource.ageBand == 0"),
            permit("presence", f'{INVESTIGATING} && resource.tlp == Tlp::"GREEN"'),
        ],
    )
    assert found.shared == of(presence=(0, 10, 10, 0), told_both=(0, 10, 10, 0))
    assert [each.figures.presence.after for each in found.readers] == [8, 7]
    assert [each.organisations[0].code for each in found.readers] == ["customs-be", "police-be"]


def test_only_rules_about_passing_on_differ_in_passing_on() -> None:
    seen = permit("presence", INVESTIGATING)
    assert not compared([seen], [seen]).passing_on_differs
    assert compared([seen], [seen, onward("true")]).passing_on_differs
    assert not compared([onward("true"), seen], [seen, onward("true")]).passing_on_differs
    assert compared([onward("true")], [onward('context.to in Sector::"post"')]).passing_on_differs
    assert not compared([], [seen]).passing_on_differs


def test_a_text_that_cannot_be_compared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_PAIRS", 3)
    rule = permit("presence", f"{INVESTIGATING} && resource.ageBand == 0")
    with pytest.raises(PolicyRefusedError):
        compared([], [rule])
    # What is stored was decided on already.
    compared([rule], [])


def test_parts_are_those_of_which_each_number_has_all_or_none() -> None:
    assert comparison._alike(0b1111, [0b0011, 0b0101]) == [0b0001, 0b0010, 0b0100, 0b1000]
    assert comparison._alike(0b0110, [0b0110, 0b1000]) == [0b0110]
    assert comparison._alike(0, [0b1]) == []


def _change(**more: Any) -> ReaderChange:
    usual: dict[str, Any] = {
        "organisations": named("police-be"),
        "purpose": Purpose.RISK_ANALYSIS,
        "bases": (),
        "is_new": False,
        "figures": Figures(),
        "changes": (),
    }
    return ReaderChange(**{**usual, **more})


def test_readers_are_told_in_order_of_what_matters() -> None:
    change = (Change(NONE, NONE, 1, (), (), ()),)
    gain = of(presence=(0, 1, 1, 0))
    inorder = [
        _change(is_new=True, figures=gain, changes=change),
        _change(figures=of(presence=(0, 2, 2, 0), metadata=(0, 1, 1, 0)), changes=change),
        _change(figures=of(request=(0, 2, 2, 0)), changes=change),
        _change(figures=of(metadata=(0, 1, 1, 0)), changes=change),
        _change(figures=of(screen=(0, 9, 9, 0)), changes=change),
        _change(figures=of(presence=(1, 0, 0, 1)), changes=change),
        _change(organisations=named("customs-be"), purpose=OF_POLICE[0]),
        _change(organisations=named("customs-be")),
        _change(bases=(LegalBasis.COURT_ORDER,), organisations=named("customs-nl")),
        _change(),
        _change(bases=(LegalBasis.COURT_ORDER,)),
    ]
    last_first = [*inorder]
    last_first.reverse()
    assert sorted(last_first, key=comparison._order) == inorder


def test_of_a_change_in_several_parts_the_largest_is_told_first_and_then_the_lower() -> None:
    before = [
        permit("presence metadata", f"{CUSTOMS} && resource.ageBand == 0"),
        permit("presence", f"{CUSTOMS} && resource.ageBand == 1"),
    ]
    stock = (stocked(GREEN, 0, 1, 2), stocked(GREEN, 1, 1, 2), stocked(GREEN, 2, 1, 4))
    world = World(OWNER, READABLE, stock, examples, NO_ASSETS)
    after = [permit("presence", f"{CUSTOMS} && resource.ageBand == 2")]
    found = compare(world, policies(before), policies(after), AGAINST)
    told = [(each.count, each.before.level, each.after.level) for each in found.readers[0].changes]
    assert told == [
        (4, None, Level.PRESENCE),
        (2, Level.PRESENCE, None),
        (2, Level.METADATA, None),
    ]
