"""What else changed is told: other barriers, members, versions, and places that moved."""

from datetime import date

from app.barriers.methods.changes import Rival, Setting, steady, what_else
from app.barriers.methods.comparison import compared
from app.barriers.methods.series import Window
from tests.app.barriers.methods.weeks import WEEKS, changed, independent

HALF = Window(0, WEEKS // 2, WEEKS)
DAYS = (date(2025, 1, 6), date(2025, 12, 7))
BARRIER = Setting("point-alert", date(2025, 6, 23), step=5, place="ES")


def test_a_barrier_near_in_place_and_time_is_a_rival_and_another_is_not() -> None:
    others = [
        BARRIER,
        Setting("same-place", date(2025, 5, 1), step=6, place="ES"),
        Setting("everywhere", date(2025, 7, 1)),
        Setting("ended", date(2020, 1, 1), date(2025, 8, 1), place="ES"),
        Setting("elsewhere", date(2025, 5, 1), step=5, place="NL"),
        Setting("long-before", date(2019, 5, 1), place="ES"),
        Setting("on-the-first-day", DAYS[0], place="ES"),
    ]
    found = what_else(BARRIER, DAYS, barriers=others)
    assert [(each.rival, each.whose, each.day) for each in found] == [
        (Rival.OTHER_BARRIER, "same-place", date(2025, 5, 1)),
        (Rival.OTHER_BARRIER, "everywhere", date(2025, 7, 1)),
        (Rival.OTHER_BARRIER, "ended", date(2025, 8, 1)),
    ]


def test_a_new_version_of_the_model_is_a_rival() -> None:
    versions = {"1": date(2024, 1, 1), "2": date(2025, 9, 1)}
    (found,) = what_else(BARRIER, DAYS, versions=versions)
    assert (found.rival, found.whose) == (Rival.MODEL_CHANGED, "2")


def test_members_that_begin_stop_or_report_more_are_named() -> None:
    counts = independent(41)
    members = {
        "post-a": counts["A"],
        "post-b": counts["B"],
        "courier-a": changed(counts["C"], 2.0, 24),
        "courier-b": changed(counts["D"], 0.5, 24),
        "begins": [0.0] * 30 + counts["E"][30:],
        "stops": [*counts["F"][:20], *[0.0] * 28],
    }
    found = {
        each.whose: each.rival for each in what_else(BARRIER, DAYS, members=members, window=HALF)
    }
    assert found == {
        "courier-a": Rival.MEMBER_REPORTS_MORE,
        "courier-b": Rival.MEMBER_REPORTS_LESS,
        "begins": Rival.MEMBER_BEGAN,
        "stops": Rival.MEMBER_STOPPED,
    }
    assert steady(members, HALF) == ["post-a", "post-b", "courier-a", "courier-b"]


def test_a_place_to_compare_with_that_moved_is_named_with_how_much() -> None:
    series = independent(42, usual=60)
    series["B"] = changed(series["B"], 1.6, 24)
    (found,) = [
        each
        for each in what_else(BARRIER, DAYS, others=compared(series, HALF))
        if each.whose == "B"
    ]
    assert found.rival is Rival.OTHERS_MOVED
    assert found.ratio is not None
    assert found.ratio.low > 1


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert what_else(BARRIER, DAYS) == []
