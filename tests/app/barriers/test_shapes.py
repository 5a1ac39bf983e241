"""In which weeks reports of a shape are seen, and from when on: as asking week by week gives."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.barriers.methods.disclosure_control import first_day
from app.barriers.shapes import Face, Span, by_class, lasting, read, seen_in, spans

_faces = st.lists(
    st.builds(Face, st.integers(1, 3), st.integers(0, 4), st.integers(0, 12)),
    min_size=1,
    max_size=4,
)
_spans = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 20), st.integers(0, 10)).map(
        lambda each: Span(each[0], each[1], each[1] + each[2])
    ),
    max_size=5,
)


@given(_faces, _spans, st.integers(0, 25))
def test_a_report_is_seen_in_the_first_week_of_which_something_is(
    faces: Sequence[Face], visible: Sequence[Span], today: int
) -> None:
    found = seen_in(faces, by_class(visible), today)
    for week in range(-5, 35):
        asked = [
            week + face.shift
            for face in faces
            for span in visible
            if span.share_class == face.share_class
            and span.first <= week + face.shift <= span.last
            and week + face.ends > today
        ]
        told = [week + each.shift for each in found if each.first <= week <= each.last]
        assert told == ([min(asked)] if asked else [])


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 400))
def test_a_week_is_seen_if_all_its_days_are(youngest: int, length: int, elapsed: int) -> None:
    window = (1, youngest, youngest + length)
    found = list(spans([window], elapsed, 2, 40))
    today = first_day(0) + timedelta(days=elapsed)
    whole = [
        week
        for week in range(2, 41)
        if all(
            youngest <= (today - first_day(week)).days - day <= youngest + length
            for day in range(7)
        )
    ]
    assert [week for each in found for week in range(each.first, each.last + 1)] == whole


def test_windows_that_follow_one_another_are_one() -> None:
    found = list(spans([(1, 0, 29), (1, 30, 89), (2, 90, 200)], 100, 0, 12))
    assert found == [Span(1, 2, 12), Span(2, 0, 0)]


def test_what_is_too_old_or_ends_no_longer_lasts() -> None:
    faces = read("7:0:9,8:2:20")
    assert lasting(faces, 10, 10, 18) == [Face(7, 0, 9), Face(8, 2, 20)]
    assert lasting(faces, 10, 11, 18) == [Face(8, 2, 20)]
    assert lasting(faces, 10, 10, 19) == [Face(8, 2, 20)]
