"""What a comparison comes to, in words and in yes or no, without a database."""

from dataclasses import replace

import pytest

from app.sharing.changes import (
    AssetComparison,
    AssetReader,
    Change,
    Compared,
    Comparison,
    Figure,
    Figures,
    ReaderChange,
)
from app.sharing.readers import Access, Named
from postern.vocabulary import Level, Purpose, Told

NOTHING = Access(None, may_screen=False, may_feed=False, told=None)
PRESENCE = Access(Level.PRESENCE, may_screen=False, may_feed=False, told=Told.BOTH)
POLICE = Named("police-de", "Police")
CHANGED = ReaderChange(
    (POLICE,),
    Purpose.CRIMINAL_INVESTIGATION,
    (),
    is_new=True,
    figures=Figures(),
    changes=(Change(NOTHING, PRESENCE, 1, (), (), ()),),
)
COMPARISON = Comparison(
    against=Compared(3, None, is_scheduled=False),
    indicators=40,
    concerned=7,
    shared=Figures(),
    gaining=(POLICE, POLICE, POLICE),
    losing=(POLICE, POLICE),
    new_readers=(POLICE,),
    lost_readers=(),
    readers=(replace(CHANGED, changes=()), CHANGED),
    passing_on_differs=False,
)


def test_what_changes_is_said_in_figures() -> None:
    assert COMPARISON.words == (
        "Compared with version 3, in force. Of 40 live indicators 7 are concerned; organisations "
        "that gain: 3, that lose: 2, that see something for the first time: 1."
    )


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (Compared(0, None, is_scheduled=False), "Compared with no policy at all."),
        (Compared(0, None, is_scheduled=True), "Compared with no policy at all."),
        (Compared(1, None, is_scheduled=False), "Compared with version 1, in force."),
        (
            Compared(2, None, is_scheduled=True),
            "Compared with version 2, which is to take effect.",
        ),
    ],
)
def test_it_is_said_what_is_compared_with(against: Compared, words: str) -> None:
    told = replace(COMPARISON, against=against, readers=()).words
    assert told == f"{words} Nobody gains or loses anything."


def test_a_change_without_an_indicator_is_said_to_be_one() -> None:
    told = replace(COMPARISON, concerned=0)
    assert told.words == (
        "Compared with version 3, in force. No live indicator is concerned: what changes is for "
        "kinds of records of which you have none today."
    )
    assert not told.is_nothing


def test_patterns_are_said_by_themselves_after_indicators() -> None:
    changed = AssetReader(
        (POLICE,), Purpose.PARCEL_SCREENING, (), Figure(), Figure(), gained=(), lost=()
    )
    patterns = AssetComparison(
        assets=9, concerned=4, gaining=(POLICE,), losing=(POLICE, POLICE), readers=(changed,)
    )
    words = "Of 9 patterns 4 are concerned; organisations that gain: 1, that lose: 2."
    both = replace(COMPARISON, patterns=patterns)
    assert both.words == f"{COMPARISON.words} {words}"
    alone = replace(both, readers=(), concerned=0)
    assert alone.words == f"Compared with version 3, in force. {words}"
    assert [(each.is_nothing, each.changes_indicators) for each in (both, alone, COMPARISON)] == [
        (False, True),
        (False, False),
        (False, True),
    ]
    assert COMPARISON.patterns == AssetComparison(0, 0, Figure(), Figure(), (), (), ())


def test_barriers_are_said_by_themselves_after_patterns() -> None:
    changed = AssetReader((POLICE,), Purpose.RISK_ANALYSIS, (), Figure(), Figure(), (), ())
    few = AssetComparison(assets=3, concerned=1, gaining=(POLICE,), readers=(changed,))
    both = replace(COMPARISON, readers=(), concerned=0, patterns=few, barriers=few)
    words = "1 are concerned; organisations that gain: 1, that lose: 0."
    assert both.words == (
        f"Compared with version 3, in force. Of 3 patterns {words} Of 3 barriers {words}"
    )
    alone = replace(both, patterns=AssetComparison())
    assert alone.words == f"Compared with version 3, in force. Of 3 barriers {words}"
    assert (alone.is_nothing, alone.changes_indicators) == (False, False)
    assert COMPARISON.barriers == AssetComparison()


def test_other_rules_about_passing_on_are_said_last() -> None:
    nothing = replace(COMPARISON, readers=(replace(CHANGED, changes=()),), passing_on_differs=True)
    assert nothing.is_nothing
    assert nothing.words == (
        "Compared with version 3, in force. Nobody gains or loses anything. Rules about passing on "
        "differ; what they come to is not counted here."
    )


@pytest.mark.parametrize("name", ["presence", "metadata", "request", "screen", "feed"])
def test_more_or_less_of_any_kind_is_a_gain_or_a_loss(name: str) -> None:
    gained = replace(Figures(), **{name: Figure(gained=1)})
    lost = replace(Figures(), **{name: Figure(lost=1)})
    assert (gained.gains, gained.loses) == (True, False)
    assert (lost.gains, lost.loses) == (False, True)


@pytest.mark.parametrize("name", ["told_both", "told_owner_only", "told_requester_only"])
def test_who_is_told_is_neither_a_gain_nor_a_loss(name: str) -> None:
    figures = replace(Figures(), **{name: Figure(before=1, after=2, gained=1, lost=1)})
    assert (figures.gains, figures.loses) == (False, False)


def test_what_is_not_said_of_an_indicator_is_nothing() -> None:
    assert Figure() == Figure(0, 0, 0, 0)
    figures = vars(Figures())
    assert set(figures.values()) == {Figure(0, 0, 0, 0)}
    assert len(figures) == 8
