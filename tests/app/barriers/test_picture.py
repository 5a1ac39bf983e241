"""The picture of the board: nothing overflows, nothing is markup, and forms tell what matters."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from PIL import Image, ImageColor

from app.barriers.board_view import BoardView
from app.barriers.methods.series import Estimate
from app.barriers.model import Wording
from app.barriers.picture import inline, painting, svg
from app.barriers.picture.layout import laid_out
from app.barriers.picture.lettering import fitted, width
from app.barriers.picture.shapes import Anchor, Group, Line, Picture, Polygon, Text, Tone, flat
from app.barriers.picture.svg import PRINT
from app.paper import shown
from tests.app.barriers.pictured import NOT_TOLD, board_view, longer, shipped

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "desc", "g", "a", "polygon", "polyline", "text"}
ALLOWED = {
    *("class", "fill", "stroke", "stroke-width", "stroke-dasharray", "points", "x", "y", "href"),
    *("font-size", "font-weight", "text-anchor", "font-family", "viewBox", "width", "height"),
    *("id", "role", "lang", "aria-labelledby", "aria-label", "aria-hidden"),
    "{http://www.w3.org/XML/1998/namespace}lang",
}
HOSTILE = (
    "</text></svg><script>alert(1)</script>\"'><a href='javascript:x' onload=\x07 \ud800 &amp;"
)
LONG = "Paketzustellungsunternehmenskontrolle ab"  # 40 characters, most of them one word


@pytest.fixture(params=["en", "fr", "nl", "de"])
def language(request: pytest.FixtureRequest, pages: Flask) -> Iterator[str]:
    with pages.test_request_context(), force_locale(request.param):
        yield request.param


@pytest.fixture
def english(pages: Flask) -> Iterator[None]:
    with pages.test_request_context(), force_locale("en"):
        yield


@pytest.fixture(scope="module")
def pages() -> Flask:
    made = Flask("app")
    Babel(made, default_translation_directories="web/translations")
    return made


@cache
def pictures(language: str) -> Sequence[Picture]:
    """The boards as they are laid out in the language of the request."""
    return [laid_out(each, language) for each in boards()]


@cache
def boards() -> Sequence[BoardView]:
    return (
        board_view(),
        board_view(told=False),
        *(board_view(longer(shipped(), steps, LONG)) for steps in (3, 5, 8, 12)),
        board_view(longer(shipped(), 12, "W" * 160)),
        _enormous(board_view()),
    )


def _enormous(view: BoardView) -> BoardView:
    """Seven digits everywhere."""
    steps = [
        replace(
            step,
            reports=replace(step.reports, own=(9_999_999,) * 13, others=(8_888_888,) * 13),
            others=replace(
                step.others,
                trend=replace(step.others.trend, ratio=Estimate(11.5, 9.99, 123456.7)),
            )
            if step.others
            else None,
        )
        for step in view.steps
    ]
    return replace(view, steps=steps)


def _span(text: Text) -> tuple[float, float]:
    wide = width(text.text, text.size, bold=text.bold)
    left = {Anchor.START: 0.0, Anchor.MIDDLE: wide / 2, Anchor.END: wide}[text.anchor]
    return text.x - left, text.x - left + wide


def _texts(picture: Picture) -> list[Text]:
    return [each for each in flat(picture.shapes) if isinstance(each, Text)]


def _said(picture: Picture) -> str:
    return " ".join(each.text for each in _texts(picture))


def test_no_text_is_wider_than_its_room_or_leaves_the_picture(language: str) -> None:
    for picture in pictures(language):
        for text in _texts(picture):
            left, right = _span(text)
            assert right - left <= text.room + 0.01, text
            assert left >= 0, text
            assert right <= picture.width, text
            assert 0 < text.y <= picture.height, text


def test_no_text_stands_on_another(language: str) -> None:
    for picture in pictures(language):
        boxes = [
            (each, *_span(each), each.y - 0.76 * each.size, each.y + 0.24 * each.size)
            for each in _texts(picture)
        ]
        for one, other in combinations(boxes, 2):
            beside = one[2] <= other[1] or other[2] <= one[1]
            apart = one[4] <= other[3] or other[4] <= one[3]
            assert beside or apart, (one, other)


def test_of_the_shipped_model_nothing_but_signals_is_shortened(language: str) -> None:
    for view in (board_view(), board_view(told=False), _enormous(board_view())):
        short = [each for each in _texts(laid_out(view, language)) if each.text.endswith("…")]
        assert all(each.size == 15 and not each.bold for each in short), short


def test_a_title_of_forty_characters_is_told_whole(language: str) -> None:
    (group, *_others) = _groups(laid_out(board_view(longer(shipped(), 12, LONG)), language))
    heads = [
        each.text for each in group.shapes if isinstance(each, Text) and each.tone is Tone.HEAD_INK
    ]
    assert "".join(heads[1:]).replace("-", "").replace(" ", "") == LONG.replace(" ", "")


def test_a_text_is_made_smaller_before_anything_is_left_out() -> None:
    assert fitted("Pack and conceal", 300, (20, 10), 1).size == 20
    assert fitted("Pack and conceal", 100, (20, 10), 1).size == 10
    short = fitted("Pack and conceal", 60, (20, 10), 1)
    assert short.lines[0].endswith("…")
    assert not short.is_whole
    assert width(short.lines[0], 10) <= 60


def _groups(picture: Picture) -> list[Group]:
    return [each for each in picture.shapes if isinstance(each, Group)]


@pytest.mark.usefixtures("english")
def test_each_step_says_its_risk_reports_signals_and_barriers() -> None:
    view = board_view()
    for step, group in zip(view.steps, _groups(laid_out(view, "en")), strict=True):
        said = " ".join(each.text for each in flat(group.shapes) if isinstance(each, Text))
        assert f" {step.reports.own_last}" in said
        if step.number == NOT_TOLD:
            assert "Risk: not told" in said
            assert "others not told" in said
        else:
            assert step.others is not None
            assert f"rank {step.others.rank.place} of 6" in said
            assert f"others {step.reports.others_last:,}" in said
        held = sum(each.held.own + each.held.others for each in step.barriers)
        assert (f"{held} barriers in place" in said) != step.is_gap
        assert ("Gap: no barrier recorded" in said) == step.is_gap
        for each in step.seen[:2]:
            assert each.text is not None
            assert each.text.said("en")[0] in group.description


@pytest.mark.usefixtures("english")
def test_a_gap_is_an_open_gate_with_dashed_posts_and_a_barrier_a_shut_one() -> None:
    view = board_view()
    for step, group in zip(view.steps, _groups(laid_out(view, "en")), strict=True):
        dashed = [
            each
            for each in group.shapes
            if isinstance(each, Line) and each.dash and each.tone is Tone.ALARM
        ]
        bars = [each for each in group.shapes if isinstance(each, Line) and each.width == 4]
        assert bool(dashed) == step.is_gap
        assert (len(bars) > 4) != step.is_gap


@pytest.mark.usefixtures("english")
def test_the_label_of_the_model_and_the_day_are_always_there() -> None:
    for picture in pictures("en"):
        said = _said(picture)
        assert "derived from public sources, not the official list" in said
        assert "November 23, 2026" in said


@pytest.mark.usefixtures("english")
def test_of_a_board_of_which_nothing_is_told_no_figure_is_made_up() -> None:
    said = _said(laid_out(board_view(told=False), "en"))
    assert said.count("Risk: not told") == said.count("Trend: not told") == 7
    assert said.count("others not told") == 7
    assert "rank" not in said


@pytest.mark.usefixtures("english")
def test_nothing_of_a_model_becomes_markup() -> None:
    """An organisation's own model is text of others."""
    model = longer(shipped(), 4, HOSTILE)
    model = replace(model, title=Wording((("en", HOSTILE),)))
    view = board_view(model)
    for written in (
        inline(view, "en", lambda number: f'/step?n={number}&"x').encode(),
        svg.standing_alone(laid_out(view, "en", mark=HOSTILE)),
    ):
        root = ElementTree.fromstring(written)  # noqa: S314 - our own
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in DRAWN
            assert set(element.keys()) <= ALLOWED, element.attrib
        assert "<script>alert(1)</script>" in "".join(root.itertext())


@pytest.mark.usefixtures("english")
def test_on_a_page_each_step_is_a_link_that_says_all_of_it() -> None:
    view = board_view()
    root = ElementTree.fromstring(inline(view, "en", lambda number: f"/steps/{number}"))  # noqa: S314 - our own
    links = root.findall(f"{SVG}a")
    assert [each.get("href") for each in links] == [f"/steps/{each.number}" for each in view.steps]
    assert links[1].get("aria-label", "").startswith("Step 2: Offer and order.")
    assert "Gap: no barrier recorded" in links[1].get("aria-label", "")
    assert "#" not in "".join(each.get("class", "") for each in root.iter())
    assert not any(each.get("fill") or each.get("style") for each in root.iter())


@pytest.mark.usefixtures("english")
def test_the_same_board_is_the_same_file() -> None:
    first, again = laid_out(board_view(), "en"), laid_out(board_view(), "en")
    assert svg.standing_alone(first) == svg.standing_alone(again)
    assert painting.pixels(first) == painting.pixels(again)


@pytest.mark.usefixtures("english")
def test_pixels_show_what_is_drawn() -> None:
    picture = laid_out(board_view(), "en", show=shown)
    image = Image.open(io.BytesIO(painting.pixels(picture)))
    assert image.size == (picture.width * painting.SCALE, picture.height * painting.SCALE)
    head = next(
        each
        for each in flat(picture.shapes)
        if isinstance(each, Polygon) and each.fill is Tone.HEAD
    )
    x, y = head.points[0]
    assert image.getpixel((int(x + 4) * 2, int(y + 4) * 2)) == ImageColor.getrgb(PRINT[Tone.HEAD])
    assert image.getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("tone", "below", "least"),
    [
        (Tone.INK, Tone.SHEET, 7),
        (Tone.SOFT, Tone.SHEET, 7),
        (Tone.ALARM, Tone.SHEET, 7),
        (Tone.HEAD_INK, Tone.HEAD, 7),
        (Tone.INK, Tone.BAR, 3),  # the bars of a gate on the arrow
        (Tone.INK, Tone.TRACK, 7),
        (Tone.BAR, Tone.SHEET, 3),
        (Tone.BAR, Tone.TRACK, 2.5),
    ],
)
def test_tones_differ_on_paper_without_colour(tone: Tone, below: Tone, least: float) -> None:
    light, dark = sorted((_luminance(PRINT[tone]), _luminance(PRINT[below])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def _luminance(colour: str) -> float:
    """Relative, as WCAG defines it: what is left of a colour in black and white."""
    parts = [each / 255 for each in ImageColor.getrgb(colour)[:3]]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
