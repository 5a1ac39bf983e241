"""The board as a briefing to print: the picture, then what it rests on, in the reader's language.

It says the figures of the page in the words of the page (`board_words`). The same board for the
same organisation is the same file: nothing in it says when it was made, but as of when it counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from app.audit.wording import wording
from app.barriers import board_words as words
from app.barriers.board_view import BoardView, EffectView, Series, SideName, StepView
from app.barriers.picture.layout import laid_out
from app.barriers.picture.painting import on_page
from app.barriers.picture.picture_words import gettext, ngettext
from app.barriers.picture.shapes import Picture
from app.barriers.wording import spoken_language
from app.indicators.telling import Grounds
from app.paper import HEAD, LEAD, marked, paragraph, printed, section, shown, table
from postern.vocabulary import Tlp

MARKING = f"TLP:{Tlp.AMBER_STRICT.value}"
"""How what is taken away is marked: for the organisation that it was told to, and nobody else."""

_SPACE = 4  # points
_NOTHING = "\N{EN DASH}"  # small corridors added up have no risk of their own
_NUMBERS = 62.0  # points: width of a column of numbers
_ITEM = ParagraphStyle("item", parent=LEAD, leftIndent=10, bulletIndent=1, spaceAfter=1)
_LABEL = ParagraphStyle("label", parent=LEAD, spaceBefore=3, keepWithNext=1)
_FACT = ParagraphStyle("fact", parent=LEAD, spaceBefore=3)
_SIDES = (SideName.OTHERS, SideName.OWN)


@dataclass(frozen=True)
class Taken:
    """Who takes the board away, by the name of the organisation, and for what."""

    platform: str
    organisation: str
    grounds: Grounds | None


def briefing(view: BoardView, taken: Taken) -> bytes:
    """The PDF, A4: one page across with the picture, and upright ones in words."""
    language = spoken_language()
    title = gettext("Briefing: %(title)s", title=words.said_of(view.document.title))
    picture = laid_out(view, language, show=shown)
    foot = " · ".join((taken.platform, taken.organisation, words.day(view.as_of), MARKING))
    story = [*_cover(title, view, taken), *_short(view), *_steps(view), *_corridors(view)]
    for side in _sides(view):
        story += [*_moved(view, side), *_effects(view, side)]
    story += _method(view)
    return printed(shown(title), story, foot, mark=MARKING, opening=_Drawn(picture), is_fixed=True)


class _Drawn(Flowable):
    """The picture, as large as its page allows."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Take what there is."""
        self.width, self.height = width, height
        return width, height

    def draw(self) -> None:
        """Draw it in the middle, at the top."""
        canvas: Canvas = self.canv
        scale = min(self.width / self.picture.width, self.height / self.picture.height)
        canvas.saveState()
        canvas.translate(
            (self.width - self.picture.width * scale) / 2,
            self.height - self.picture.height * scale,
        )
        on_page(canvas, self.picture, scale)
        canvas.restoreState()


def _sides(view: BoardView) -> Sequence[SideName]:
    """The sides of which there is anything to say."""
    return _SIDES if view.asked_others else (SideName.OWN,)


def _cover(title: str, view: BoardView, taken: Taken) -> Iterator[Flowable]:
    yield Paragraph(marked(title), HEAD)
    yield Spacer(1, _SPACE)
    facts = [
        (gettext("As of"), words.day(view.as_of)),
        (
            gettext("Counted"),
            gettext(
                "%(first)s to %(last)s, in %(periods)s times of four weeks",
                first=words.day(view.periods[0]),
                last=words.day(view.last_day),
                periods=len(view.periods),
            ),
        ),
        (gettext("Taken by"), taken.organisation),
        (gettext("For"), _grounds(taken.grounds)),
        (
            gettext("Barrier model"),
            gettext(
                "%(title)s, version %(version)s: %(label)s",
                title=words.said_of(view.document.title),
                version=view.version,
                label=view.document.label(spoken_language()),
            ),
        ),
        (gettext("Marking"), MARKING),
    ]
    lines = [f"<b>{marked(label)}</b>&nbsp; {marked(value)}" for label, value in facts]
    yield Paragraph("<br/>".join(lines), LEAD)
    yield Spacer(1, _SPACE)
    yield paragraph(
        gettext(
            "Only people of the organisation that took it may read this briefing: what others let"
            " it count is for it alone."
        )
    )


def _grounds(grounds: Grounds | None) -> str:
    if grounds is None:
        return gettext("one's own figures, without a purpose")
    said = wording()
    purpose = said.words(grounds.purpose.value, "Purpose")
    return f"{purpose}; {said.words(grounds.legal_basis.value, 'LegalBasis')}"


def _short(view: BoardView) -> Iterator[Flowable]:
    yield section(gettext("In short"))
    for side in _sides(view):
        name = words.side_name(side)
        yield _label(gettext("From %(side)s", side=name))
        yield from _listed([*words.ranking(view, side), *words.trends(view, side)])
    yield _label(gettext("Gaps"))
    yield from _listed(words.gaps(view) or [gettext("At every step a barrier is recorded.")])
    yield table(
        (
            gettext("Reports"),
            gettext("Own, 4 weeks"),
            gettext("Own, all"),
            gettext("Others, 4 weeks"),
            gettext("Others, all told"),
        ),
        [
            *(
                (f"{each.number}. {words.said_of(each.title)}", *_four(each.reports))
                for each in view.steps
            ),
            (gettext("Without a step"), *_four(view.unplaced)),
            (gettext("All"), *_four(view.total)),
        ],
        (None, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS),
    )


def _four(found: Series) -> Sequence[str]:
    """The four counts of a row: own and others', of the last four weeks and of all."""
    figures = (found.own_last, found.own_year, found.others_last, found.others_year)
    return [words.count(each) for each in figures]


def _steps(view: BoardView) -> Iterator[Flowable]:
    for step in view.steps:
        title = words.said_of(step.title)
        heading = section(gettext("Step %(number)s: %(title)s", number=step.number, title=title))
        first, *others = _step(view, step)
        yield KeepTogether([heading, paragraph(words.said_of(step.summary)), first])
        yield from others


def _step(view: BoardView, step: StepView) -> Iterator[Flowable]:
    for side in _sides(view):
        yield _fact(gettext("Risk, %(side)s", side=words.side_name(side)), _risk(step, side))
    seen = [
        _whose(
            words.said_of(each.text) if each.text else each.key,
            words.count(each.series.own_year),
            words.count(each.series.others_year),
        )
        for each in step.seen
    ]
    yield _label(gettext("Signals seen"))
    yield from _listed(seen or [gettext("No report was tagged with any.")])
    yield _label(gettext("What came of our own reports"))
    yield from _listed(words.shares(step) or [gettext("Fewer than five outcomes were told.")])
    if step.is_gap:
        yield _fact(
            gettext("Gap"),
            gettext("no barrier is recorded here by any partner that you may know of"),
        )
    else:
        yield _label(gettext("Barriers in place"))
        yield from _listed(
            _whose(
                words.said_of(each.text),
                words.count(each.held.own),
                words.count(each.held.others),
            )
            for each in step.in_place
        )
    missing = [words.said_of(each.text) for each in step.barriers if not each.in_place]
    if missing:
        yield _label(gettext("Barriers of the model that nobody recorded, as far as you may know"))
        yield from _listed(missing)


def _whose(what: str, own: str, others: str) -> str:
    return gettext(
        "%(what)s (own %(own)s, others %(others)s)", what=what.rstrip("."), own=own, others=others
    )


def _listed(told: Iterable[str]) -> Iterator[Flowable]:
    return (Paragraph(marked(each), _ITEM, bulletText="•") for each in told)


def _label(text: str) -> Flowable:
    return Paragraph(f"<b>{marked(text)}</b>", _LABEL)


def _fact(label: str, told: str) -> Flowable:
    return Paragraph(f"<b>{marked(label)}:</b> {marked(told)}", _FACT)


def _risk(step: StepView, side: SideName) -> str:
    line = step.line(side)
    if line is None:
        return gettext("too little is told")
    return gettext(
        "%(risk)s, rank %(rank)s; %(bands)s; %(trend)s",
        risk=words.risk(line),
        rank=words.rank(line),
        bands=words.bands(line),
        trend=words.trend(line.trend),
    )


def _corridors(view: BoardView) -> Iterator[Flowable]:
    yield section(gettext("Corridors"))
    shown_ones = [each for each in view.corridors if not each.reports.is_empty]
    if not shown_ones:
        yield paragraph(gettext("Of no corridor anything is told."))
        return
    for side in _sides(view):
        name = gettext("From %(side)s", side=words.side_name(side))
        yield _fact(name, " ".join(words.corridor_ranking(view, side)))
    side = view.side
    heads = (
        gettext("Corridor"),
        gettext("Own, all"),
        gettext("Others, all told"),
        gettext("Risk (%(side)s)", side=words.side_name(side)),
        gettext("Rank"),
        gettext("Trend"),
    )
    rows = []
    for each in shown_ones:
        line = each.line(side)
        judged = (
            (words.risk(line), words.rank(line), words.trend(line.trend))
            if line
            else [_NOTHING if each.is_rest else words.count(None)] * 3
        )
        counts = (words.count(each.reports.own_year), words.count(each.reports.others_year))
        rows.append((words.corridor(each.origin, each.destination), *counts, *judged))
    yield table(heads, rows, (None, 34, 46, 82, 60, 122))


def _moved(view: BoardView, side: SideName) -> Iterator[Flowable]:
    found = view.of(side)
    name = words.side_name(side)
    yield section(gettext("What moved between countries: %(side)s", side=name))
    if found.displacement and found.changed and found.since and found.until:
        yield paragraph(
            gettext(
                "Compared: %(since)s to %(until)s, before and after %(changed)s.",
                since=words.day(found.since),
                until=words.day(found.until),
                changed=words.day(found.changed),
            )
        )
    yield from _listed(words.moved(found))
    if found.displacement is None:
        return
    yield table(
        (
            gettext("Country of origin"),
            gettext("Before"),
            gettext("After"),
            gettext("Expected after"),
            gettext("Difference"),
            gettext("Beyond chance"),
        ),
        [
            (
                words.compared_name(each.compared),
                words.number(each.compared.before),
                words.number(each.compared.after),
                words.number(each.compared.expected),
                words.change(each.compared.ratio),
                gettext("yes") if each.changed else gettext("no"),
            )
            for each in found.displacement.places
        ],
        (None, 52, 52, 62, 130, 62),
    )


def _effects(view: BoardView, side: SideName) -> Iterator[Flowable]:
    found = view.of(side).effects
    name = words.side_name(side)
    yield section(gettext("What barriers did: %(side)s", side=name))
    told = [each for each in found if each.found.effect]
    if not found:
        yield paragraph(
            gettext(
                "No barrier with a country or a point began in the time that is counted, so there"
                " is nothing to compare."
            )
        )
    for each in told:
        yield KeepTogether(list(_effect(each)))
    if len(found) > len(told):
        yield paragraph(
            ngettext(
                "Of %(num)s barrier too little is told to compare before and after.",
                "Of %(num)s barriers too little is told to compare before and after.",
                len(found) - len(told),
            )
        )


def _effect(each: EffectView) -> Iterator[Flowable]:
    yield _fact(
        gettext("Step %(number)s", number=each.barrier.step), words.registered(each.barrier)
    )
    yield from _listed(words.effect(each))
    rivals = words.what_else(each) or [
        gettext("Nothing else that the platform knows of, which is not all there is.")
    ]
    yield _label(gettext("What else changed"))
    yield from _listed(rivals)
    yield Spacer(1, _SPACE)


def _method(view: BoardView) -> Iterator[Flowable]:
    yield section(gettext("How to read it"))
    yield _fact(view.document.label(spoken_language()), words.said_of(view.document.statement))
    told = [
        gettext(
            "Reports are what somebody saw where somebody looked: they are no count of crimes. They"
            " were counted as they stood when %(day)s began.",
            day=words.day(view.as_of),
        ),
        gettext(
            "Our own counts are exact. Each count of others is within %(error)s of the true one in"
            " 95 of 100 cases; fewer than five are never told, and further counts are left out so"
            " that nothing can be computed from what is told. Not told is not none.",
            error=words.number(view.error),
        ),
        gettext(
            "Risk is the number of reports in four weeks times the severity of their substances,"
            " by weights that are judgements. Figures in brackets are intervals, which hold the"
            " true one in 95 of 100 cases; ranks in brackets are those that the intervals allow."
        ),
        gettext(
            "A fall, a rise or an effect is told only where it goes beyond what places differ by"
            " themselves. What is not shown is not absent, and what else changed lists only what"
            " the platform knows of."
        ),
    ]
    yield from _listed(told)
