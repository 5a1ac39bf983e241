"""The briefing says the figures of the board, in words, in every language, and as text."""

from collections.abc import Iterator
from dataclasses import replace

import pypdfium2
import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from app.barriers import board_words
from app.barriers.board_view import BoardView, SideName
from app.barriers.briefing import MARKING, Taken, briefing
from app.barriers.model import Wording
from app.indicators.telling import Grounds
from postern.vocabulary import LegalBasis, Purpose
from tests.app.barriers.pictured import board_view, longer, shipped

GROUNDS = Grounds(Purpose.RISK_ANALYSIS, LegalBasis.POLICE_LAW, "")
TAKEN = Taken("The exchange", "Police of Example", GROUNDS)


@pytest.fixture(scope="module")
def pages() -> Flask:
    made = Flask("app")
    Babel(made, default_translation_directories="web/translations")
    return made


@pytest.fixture(params=["en", "fr", "nl", "de"])
def language(request: pytest.FixtureRequest, pages: Flask) -> Iterator[str]:
    with pages.test_request_context(), force_locale(request.param):
        yield request.param


@pytest.fixture
def english(pages: Flask) -> Iterator[None]:
    with pages.test_request_context(), force_locale("en"):
        yield


def _pages(content: bytes) -> list[str]:
    """The text of each page, as a reader selects it, with single spaces."""
    document = pypdfium2.PdfDocument(content)
    try:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(_plain(text.get_text_range()))
            text.close()
            page.close()
        return found
    finally:
        document.close()


def _plain(text: str) -> str:
    """Without the ends of lines, and with the spaces and hyphens of every font as plain ones."""
    return " ".join(text.replace("\ufffe", "-").split())


def _text(view: BoardView, taken: Taken = TAKEN) -> str:
    return " ".join(_pages(briefing(view, taken)))


def test_it_says_the_figures_of_the_board(language: str) -> None:
    view = board_view()
    text = _text(view)
    assert view.document.label(language) in text
    for step in view.steps:
        assert step.title.said(language)[0] in text
        counts = (step.reports.own_last, step.reports.own_year, step.reports.others_last)
        told = " ".join(board_words.count(each) for each in counts)
        assert _plain(told) in text
        line = step.line(SideName.OTHERS)
        if line is not None:
            assert _plain(board_words.risk(line)) in text
            assert _plain(board_words.bands(line)) in text
            assert _plain(board_words.trend(line.trend)) in text
        for share in board_words.shares(step):
            assert _plain(share) in text
        for signal in step.seen:
            assert signal.text is not None
            assert signal.text.said(language)[0].rstrip(".") in text
    said = [
        *board_words.moved(view.others),
        *board_words.gaps(view),
        *board_words.ranking(view, SideName.OTHERS),
        *board_words.trends(view, SideName.OTHERS),
        *board_words.effect(view.others.effects[0]),
        *board_words.what_else(view.others.effects[0]),
        board_words.registered(view.others.effects[0].barrier),
        *(board_words.corridor(each.origin, each.destination) for each in view.corridors),
    ]
    for each in said:
        assert _plain(each) in text, each


def test_each_page_says_who_may_have_it_and_as_of_when(language: str) -> None:
    pages = _pages(briefing(board_view(), TAKEN))
    assert len(pages) > 3
    day = board_words.day(board_view().as_of)
    for page in pages:
        assert page.count(MARKING) >= 2  # at the top, and in the foot
        assert "Police of Example" in page
        assert day in page


def test_no_character_is_lost(language: str) -> None:
    assert "[U+" not in _text(board_view())


@pytest.mark.usefixtures("english")
def test_the_first_page_is_the_picture_across_and_the_others_stand() -> None:
    document = pypdfium2.PdfDocument(briefing(board_view(), TAKEN))
    sizes = [document.get_page_size(number) for number in range(len(document))]
    assert document.get_metadata_dict()["Title"].startswith("Briefing: Drugs by post")
    document.close()
    assert [width > height for width, height in sizes] == [True] + [False] * (len(sizes) - 1)
    first, *_others = _pages(briefing(board_view(), TAKEN))
    assert "Gap: no barrier recorded" in first
    assert "Risk: rank 1 of 6" in first


@pytest.mark.usefixtures("english")
def test_it_is_the_same_file_for_the_same_board() -> None:
    assert briefing(board_view(), TAKEN) == briefing(board_view(), TAKEN)
    other = replace(TAKEN, organisation="Customs of Example")
    assert briefing(board_view(), TAKEN) != briefing(board_view(), other)


@pytest.mark.usefixtures("english")
def test_of_a_board_of_which_nothing_is_told_it_says_so() -> None:
    text = _text(board_view(told=False))
    assert "Too little is told to compare the risk of steps." in text
    assert "Of no corridor anything is told." in text
    assert "Fewer than five outcomes were told." in text
    assert "no barrier is recorded here by any partner that you may know of" in text


@pytest.mark.usefixtures("english")
def test_without_a_purpose_it_speaks_of_own_figures_alone() -> None:
    own = replace(board_view(told=False), asked_others=False)
    text = _text(own, replace(TAKEN, grounds=None))
    assert "one's own figures, without a purpose" in text
    assert "From our own reports" in text
    assert "From reports of others" not in text


@pytest.mark.usefixtures("english")
def test_texts_of_a_model_are_shown_and_never_obeyed() -> None:
    hostile = '</para><font size="99">x</font><img src="file:///etc/hostname"/>'
    model = replace(longer(shipped(), 12, hostile), title=Wording((("en", hostile),)))
    text = _text(board_view(model)).replace(" ", "")
    assert hostile.replace(" ", "") in text
