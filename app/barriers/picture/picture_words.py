"""The words of the picture, in the language of the request: short, as boxes are small."""

from collections.abc import Mapping

import flask_babel
from flask_babel import format_date, format_decimal
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.barriers.analysing import Line
from app.barriers.board_view import BoardView, SideName, StepView
from app.barriers.board_words import change
from app.barriers.methods.risk import Banded
from app.barriers.methods.trend import Direction, Trend

_DIRECTIONS: Mapping[Direction, LazyString] = {
    Direction.RISING: _("rising"),
    Direction.FALLING: _("falling"),
    Direction.NOT_SHOWN: _("no trend shown"),
    Direction.TOO_FEW: _("too few for a trend"),
}


def step_name(step: StepView, language: str) -> str:
    """Number and title of a step."""
    title = step.title.said(language)[0]
    return gettext("Step %(number)s: %(title)s", number=step.number, title=title)


def rank(line: Line, steps: int) -> str:
    """Where the risk of a step stands among those of which one is told."""
    return gettext("Risk: rank %(rank)s of %(steps)s", rank=line.rank.place, steps=steps)


def rank_reach(line: Line) -> str:
    """Where it may stand; nothing where its interval overlaps no other."""
    if line.rank.best == line.rank.worst:
        return ""
    return gettext("may be %(best)s to %(worst)s", best=line.rank.best, worst=line.rank.worst)


def no_risk() -> tuple[str, str]:
    """What stands where a risk would."""
    return gettext("Risk: not told"), gettext("too little is told of this step")


def band(found: Banded) -> str:
    """A band with those that it may be."""
    if found.lowest == found.highest:
        return str(found.band)
    return f"{found.band} ({found.lowest}\N{EN DASH}{found.highest})"


def trend(found: Trend) -> tuple[str, str]:
    """What a trend says, and how much in four weeks."""
    told = str(_DIRECTIONS[found.direction])
    ratio = found.ratio
    if found.direction not in {Direction.RISING, Direction.FALLING} or ratio is None:
        return told, ""
    return told, gettext("in 4 weeks: %(change)s", change=change(ratio))


def no_trend() -> str:
    """What stands where a trend would."""
    return gettext("Trend: not told")


def reports(step: StepView) -> str:
    """How many reports there were in the last four weeks."""
    own = format_decimal(step.reports.own_last)
    others = step.reports.others_last
    if others is None:
        return gettext("4 weeks: own %(own)s, others not told", own=own)
    return gettext(
        "4 weeks: own %(own)s, others %(others)s", own=own, others=format_decimal(others)
    )


def seen(step: StepView) -> str:
    """How many of the model's signals were seen."""
    count = len(step.seen)
    if not count:
        return gettext("No signal was seen")
    return ngettext("%(num)s signal was seen", "%(num)s signals were seen", count)


def in_place(step: StepView) -> tuple[str, str]:
    """How many barriers hold, and whose; or that none does."""
    own, others = whose(step)
    count = own + others
    if not count:
        return gettext("Gap: no barrier recorded"), gettext("as far as you may know")
    told = ngettext("%(num)s barrier in place", "%(num)s barriers in place", count)
    return told, gettext(
        "own %(own)s, others %(others)s", own=format_decimal(own), others=format_decimal(others)
    )


def whose(step: StepView) -> tuple[int, int]:
    """How many barriers hold: one's own, and of others."""
    held = [each.held for each in step.barriers]
    return sum(each.own for each in held), sum(each.others for each in held)


def as_of(view: BoardView) -> str:
    """When it was counted, and what the last figures are of."""
    return gettext(
        "As of %(day)s; reports of the four weeks until %(last)s",
        day=format_date(view.as_of, "long"),
        last=format_date(view.last_day, "long"),
    )


def side(view: BoardView) -> str:
    """Whose reports risk and trend are of."""
    if view.side is SideName.OTHERS:
        return gettext("Risk and trend: of what others let you count")
    return gettext("Risk and trend: of your own reports")


def spoken(step: StepView, view: BoardView, language: str) -> str:
    """All that the box of a step says, as one text."""
    line = step.line(view.side)
    told = [*no_risk(), no_trend()]
    if line is not None:
        told = [
            rank(line, ranked(view)),
            *filter(None, [rank_reach(line)]),
            f"{gettext('Likelihood')} {band(line.risk.likelihood)}",
            f"{gettext('Impact')} {band(line.risk.impact)}",
            *filter(None, trend(line.trend)),
        ]
    told += [reports(step), seen(step)]
    told += [each.text.said(language)[0] for each in step.seen if each.text is not None]
    return "; ".join([*told, *in_place(step)])


def ranked(view: BoardView) -> int:
    """Of how many steps a risk is told."""
    return sum(each.line(view.side) is not None for each in view.steps)


def gettext(sentence: str, **names: object) -> str:
    """The sentence in the language of the request."""
    return str(flask_babel.gettext(sentence, **names))


def ngettext(one: str, many: str, num: int, **names: object) -> str:
    """The sentence that this language uses for `num`."""
    return str(flask_babel.ngettext(one, many, num, **names))
