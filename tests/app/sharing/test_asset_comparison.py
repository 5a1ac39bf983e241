"""What a text changes of patterns and barriers, counted on answers that need no policy."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.sharing.asset_comparison import GIVEN, AssetAtAge, Row, compare_assets
from app.sharing.changes import AssetComparison, AssetExample, AssetReader, Figure
from app.sharing.engine import Subject
from app.sharing.readers import Group
from postern.vocabulary import Kind, LegalBasis, Purpose
from tests.app.sharing.test_audience import NAMES, READERS, named
from tests.app.sharing.world import like

FIRST, SECOND, THIRD = [(like(kind=Kind.PATTERN), band) for band in range(3)]
# Of the first subject there are five patterns, of the others one each; newest first.
PATTERNS = [
    AssetAtAge(UUID(int=number), f"Pattern {number}", subject)
    for number, subject in enumerate((FIRST, FIRST, SECOND, FIRST, FIRST, THIRD, FIRST))
]
NOTHING = (0, 0, 0)
SCREENING, CONTROL = Purpose.PARCEL_SCREENING, Purpose.CUSTOMS_CONTROL


def answer(metadata: int, feed: int, screen: int) -> Any:
    return SimpleNamespace(metadata=metadata, feed=feed, screen=screen)


def row(
    code: str,
    before: tuple[int, int, int],
    after: tuple[int, int, int],
    purpose: Purpose = SCREENING,
    *bases: LegalBasis,
) -> Row:
    (member,) = [each for each in READERS if each.code == code]
    group = Group((NAMES[code],), (member,))
    return Row(group, purpose, bases, answer(*before), answer(*after))


def compared(*found: Row, kind: Kind = Kind.PATTERN) -> AssetComparison:
    def rows(subjects: Sequence[Subject]) -> Sequence[Row]:
        assert subjects == [FIRST, SECOND, THIRD]
        return found

    return compare_assets(kind, PATTERNS, rows)


def of(*numbers: int) -> tuple[AssetExample, ...]:
    return tuple(AssetExample(UUID(int=number), f"Pattern {number}") for number in numbers)


def test_a_pattern_is_known_where_it_is_fed_or_screened_with_and_its_rule_only_there() -> None:
    assert GIVEN[Kind.PATTERN].known(answer(0b0111, 0b1001, 0b1010)) == 0b0011
    assert GIVEN[Kind.PATTERN].whole(answer(0b0111, 0b1001, 0b1010)) == 0b0010


def test_a_barrier_is_known_as_a_whole_where_it_is_fed() -> None:
    giving = GIVEN[Kind.BARRIER]
    given = answer(0b0111, 0b1001, 0b1010)
    assert giving.known(given) == giving.whole(given) == 0b0001
    found = compared(row("police-de", (0b011, 0, 0b011), (0b011, 0b010, 0b111)), kind=Kind.BARRIER)
    assert (found.assets, found.concerned) == (7, 1)
    assert found.known == found.whole == Figure(0, 1, 1, 0)
    assert (found.readers[0].gained, found.readers[0].lost) == (of(2), ())
    assert set(GIVEN) == {Kind.PATTERN, Kind.BARRIER}


def test_without_a_pattern_nobody_is_asked_about() -> None:
    def rows(_subjects: Sequence[Subject]) -> Sequence[Row]:
        raise AssertionError

    assert compare_assets(Kind.PATTERN, [], rows) == AssetComparison()


def test_who_gains_and_who_loses_is_counted_and_named() -> None:
    loses_all_but_one = ((0b011, 0b001, 0b010), (0b100, 0b100, 0))
    found = compared(
        row("customs-nl", *loses_all_but_one, CONTROL),
        row("customs-be", *loses_all_but_one, CONTROL),
        row("customs-be", (0b111, 0b111, 0), (0b111, 0b111, 0)),
        row("police-de", (0b010, 0b010, 0), (0b010, 0, 0b010)),
    )
    assert found == AssetComparison(
        assets=7,
        concerned=7,
        known=Figure(7, 7, 0, 0),
        whole=Figure(1, 1, 0, 0),
        gaining=named("customs-be", "customs-nl", "police-de"),
        losing=named("customs-be", "customs-nl"),
        readers=(
            AssetReader(
                named("customs-be", "customs-nl"),
                CONTROL,
                (),
                Figure(6, 1, 1, 6),
                Figure(1, 0, 0, 1),
                of(5),
                of(0, 1, 2),
            ),
            AssetReader(
                named("police-de"), SCREENING, (), Figure(1, 1), Figure(0, 1, 1), of(2), ()
            ),
        ),
    )


def test_what_changes_for_nobody_concerns_nobody() -> None:
    same = (0b001, 0b001, 0b001)
    found = compared(row("police-de", same, same))
    assert found == AssetComparison(7, 0, Figure(5, 5), Figure(5, 5))
    found = compared(row("police-de", (0b100, 0b100, 0), (0b100, 0b100, 0b100)))
    assert (found.concerned, found.known, found.whole) == (1, Figure(1, 1), Figure(0, 1, 1))


def test_the_rule_alone_can_be_lost() -> None:
    found = compared(row("police-de", (0b100, 0b100, 0b100), (0b100, 0b100, 0)))
    assert (found.gaining, found.losing) == ((), named("police-de"))
    assert (found.readers[0].gained, found.readers[0].lost) == ((), of(5))
    found = compared(row("police-de", (0b100, 0b100, 0), NOTHING))
    assert (found.gaining, found.losing) == ((), named("police-de"))


def test_a_pattern_counts_once_when_several_get_it() -> None:
    found = compared(
        row("police-de", NOTHING, (0b011, 0b001, 0b010)),
        row("police-fr", NOTHING, (0b110, 0b110, 0b100)),
        row("police-be", (0b010, 0b010, 0b010), NOTHING),
    )
    assert (found.concerned, found.known, found.whole) == (
        7,
        Figure(1, 7, 6, 0),
        Figure(1, 2, 1, 0),
    )


def test_those_who_gain_come_first_then_the_codes_the_purposes_and_the_bases() -> None:
    gain, loss = (NOTHING, (0b100, 0b100, 0)), ((0b010, 0b010, 0), NOTHING)
    court, law = LegalBasis.COURT_ORDER, LegalBasis.CUSTOMS_LAW
    inorder = [
        row("police-be", *gain, Purpose.RISK_ANALYSIS),
        row("police-de", *gain),
        row("customs-be", *loss, SCREENING, law),
        row("customs-be", *loss, CONTROL, court),
        row("customs-be", *loss, CONTROL, law),
        row("customs-nl", *loss),
    ]
    told = [
        (each.organisations[0].code, each.purpose, each.bases)
        for each in compared(*reversed(inorder)).readers
    ]
    assert told == [
        (each.group.organisations[0].code, each.purpose, each.bases) for each in inorder
    ]


def test_other_answers_for_another_purpose_or_basis_are_told_apart() -> None:
    court = LegalBasis.COURT_ORDER
    rows = [
        row("police-de", NOTHING, (0b100, 0b100, 0)),
        row("police-fr", NOTHING, (0b100, 0b100, 0b100)),
        row("police-be", NOTHING, (0b100, 0b100, 0), CONTROL),
        row("customs-be", NOTHING, (0b100, 0b100, 0), SCREENING, court),
        row("customs-nl", NOTHING, (0b010, 0b010, 0)),
        row("courier-nl", (0b100, 0b100, 0b100), (0b100, 0b100, 0)),
        row("authority-be", (0b100, 0b100, 0b100), NOTHING),
    ]
    assert len(compared(*rows).readers) == len(rows)
