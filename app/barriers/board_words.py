"""What the board says in sentences, in the language of the answer in progress.

The page and the briefing say the same words, so they are made here and once. Every figure that has
an interval is said with it, and nothing is said that the methods do not say: what is not shown is
never called "no effect".
"""

from collections.abc import Iterable, Sequence
from datetime import date

import flask_babel
from babel.lists import format_list
from flask_babel import format_date, format_decimal, format_percent, get_locale

from app.barriers.analysing import JOINED, Line
from app.barriers.board_view import (
    BoardView,
    EffectView,
    RegisteredView,
    SideName,
    SideView,
    StepView,
    Words,
)
from app.barriers.methods.changes import Change, Rival
from app.barriers.methods.comparison import Compared
from app.barriers.methods.displacement import Displacement, Movement, Place
from app.barriers.methods.effect import Effect, Verdict
from app.barriers.methods.outcomes import Share
from app.barriers.methods.series import Estimate
from app.barriers.methods.trend import Direction, Trend
from app.barriers.model import Wording
from app.barriers.visible_counts import ELSEWHERE
from app.barriers.wording import spoken_language
from app.barriers.words import words as model_words

_FINE = 10  # a figure below it is written with one digit behind the point
_MOST_EXACT = 10  # a change of more than so many times is written as that
_MINUS = "\N{MINUS SIGN}"


def ranking(view: BoardView, side: SideName) -> list[str]:
    """Which step has the largest risk, and which others may have."""
    lines = {each.number: line for each in view.steps if (line := each.line(side))}
    if not lines:
        return [_("Too little is told to compare the risk of steps.")]
    first = min(lines, key=lambda number: lines[number].rank.place)
    step = view.steps[first - 1]
    said = [
        _(
            "The largest risk is at step %(number)s, %(title)s: %(risk)s.",
            number=first,
            title=said_of(step.title),
            risk=interval(lines[first].risk.expected),
        )
    ]
    others = [str(each) for each, line in sorted(lines.items()) if line.rank.best == 1]
    others = [each for each in others if each != str(first)]
    if others:
        said.append(
            ngettext(
                "The intervals overlap: it may be step %(steps)s as well.",
                "The intervals overlap: it may be any of the steps %(steps)s as well.",
                len(others),
                steps=listed(others),
            )
        )
    untold = [str(each.number) for each in view.steps if each.number not in lines]
    if untold:
        said.append(
            ngettext(
                "Of step %(steps)s too little is told.",
                "Of the steps %(steps)s too little is told.",
                len(untold),
                steps=listed(untold),
            )
        )
    return said


def corridor_ranking(view: BoardView, side: SideName) -> list[str]:
    """Which corridor has the largest risk."""
    lines = [(each, line) for each in view.corridors if (line := each.line(side))]
    if not lines:
        return [_("Too little is told to compare the risk of corridors.")]
    first, found = min(lines, key=lambda pair: pair[1].rank.place)
    rivals = sum(line.rank.best == 1 for _corridor, line in lines) - 1
    said = [
        _(
            "The corridor with the largest risk is %(corridor)s: %(risk)s.",
            corridor=corridor(first.origin, first.destination),
            risk=interval(found.risk.expected),
        )
    ]
    if rivals:
        said.append(
            ngettext(
                "The intervals allow %(num)s other corridor to be as large.",
                "The intervals allow %(num)s other corridors to be as large.",
                rivals,
            )
        )
    return said


def trends(view: BoardView, side: SideName) -> list[str]:
    """Which steps rise or fall, and at which no trend is shown."""
    found = [(each, line.trend) for each in view.steps if (line := each.line(side))]
    said = [
        _(
            "Step %(number)s, %(title)s: %(trend)s.",
            number=step.number,
            title=said_of(step.title),
            trend=trend(each),
        )
        for step, each in found
        if each.direction in {Direction.RISING, Direction.FALLING}
    ]
    for direction, one, many in (
        (
            Direction.NOT_SHOWN,
            _("No trend is shown at step %(steps)s."),
            _("No trend is shown at the steps %(steps)s."),
        ),
        (
            Direction.TOO_FEW,
            _("There are too few reports to tell a trend at step %(steps)s."),
            _("There are too few reports to tell a trend at the steps %(steps)s."),
        ),
    ):
        steps = [str(each.number) for each, told in found if told.direction is direction]
        if steps:
            said.append((one if len(steps) == 1 else many) % {"steps": listed(steps)})
    return said


def moved(side: SideView) -> list[str]:
    """Whether something moved between countries, in sentences."""
    found = side.displacement
    if found is None:
        return [
            _(
                "Too little is told to compare countries: at least five with twenty reports each,"
                " before and after the day, are needed."
            )
        ]
    return [_movement(found), *_amounts(found), _caution(found.movement)]


def effect(view: EffectView) -> list[str]:
    """What happened where a barrier was set, in sentences; without what else changed."""
    found = view.found.effect
    if found is None:
        return [
            _(
                "Too little is told to compare before and after: twelve weeks before, eight after"
                " and four other places are needed, with twenty reports each."
            )
        ]
    said = [
        _VERDICTS[found.verdict](found),
        _(
            "Reports there: %(before)s before it began, %(after)s since; %(expected)s would have"
            " been expected if it had gone as elsewhere.",
            before=number(found.place.before),
            after=number(found.place.after),
            expected=number(found.place.expected),
        ),
    ]
    if found.earlier is not None:
        said.append(
            _(
                "The same comparison within the time before it began: %(change)s.",
                change=change(found.earlier.ratio),
            )
        )
    return said


def effect_in_short(view: EffectView) -> str:
    """The first of these sentences, with the barrier and its place."""
    barrier = view.barrier
    return _(
        "%(barrier)s (%(place)s): %(what)s",
        barrier=_undotted(barrier.text),
        place=place_of(barrier),
        what=effect(view)[0],
    )


def what_else(view: EffectView) -> list[str]:
    """What else changed near it in place and time, as far as the platform knows."""
    changes = view.found.changes
    said = [_change(view, each) for each in changes if each.rival is not Rival.OTHERS_MOVED]
    places = [
        f"{_place_name(each.whose)} {change(each.ratio)}"
        for each in changes
        if each.rival is Rival.OTHERS_MOVED and each.ratio
    ]
    if places:
        said.append(
            ngettext(
                "A place that it is compared with changed itself: %(places)s. If it went there, a"
                " fall looks larger than it is.",
                "Places that it is compared with changed themselves: %(places)s. If it went there,"
                " a fall looks larger than it is.",
                len(places),
                places=listed(places),
            )
        )
    return said


def gaps(view: BoardView) -> list[str]:
    """A sentence for each step at which nothing holds that one may know of."""
    return [
        _(
            "No barrier is recorded at step %(number)s, %(title)s, by any partner here that you may"
            " know of.",
            number=each.number,
            title=said_of(each.title),
        )
        for each in view.gaps
    ]


def shares(step: StepView) -> list[str]:
    """What came of one's own reports of a step, each with its denominator."""
    return [share(each) for each in step.shares if each.whole is not None]


def share(found: Share) -> str:
    """One share of outcomes with its denominator and its interval, such as located of asked."""
    label = share_name(found)
    if found.whole is None:
        return _("%(share)s: fewer than five", share=label)
    if found.count is None or found.interval is None:
        return _(
            "%(share)s: not told of %(whole)s, one of the two numbers is small",
            share=label,
            whole=count(found.whole),
        )
    return _(
        "%(share)s: %(count)s of %(whole)s, %(part)s (%(low)s to %(high)s)",
        share=label,
        count=count(found.count),
        whole=count(found.whole),
        part=percent(found.interval.share),
        low=percent(found.interval.low),
        high=percent(found.interval.high),
    )


def share_name(found: Share) -> str:
    """What a share is of what, such as "located of asked"."""
    return {
        "located": _("Located of asked"),
        "held": _("Held of located"),
        "examined": _("Examined of located"),
        "found": _("Found of examined"),
    }[found.step]


def risk(line: Line) -> str:
    """The figure of a risk with its interval."""
    return interval(line.risk.expected)


def bands(line: Line) -> str:
    """The bands of likelihood and impact, each with those that its interval allows."""
    likelihood, impact = line.risk.likelihood, line.risk.impact
    return _(
        "likelihood %(likelihood)s of 5 (%(rarest)s to %(oftenest)s), impact %(impact)s of 5"
        " (%(mildest)s to %(worst)s)",
        likelihood=likelihood.band,
        rarest=likelihood.lowest,
        oftenest=likelihood.highest,
        impact=impact.band,
        mildest=impact.lowest,
        worst=impact.highest,
    )


def rank(line: Line) -> str:
    """Where a risk stands, and where the intervals let it stand."""
    place, best, worst = line.rank.place, line.rank.best, line.rank.worst
    if best == worst:
        return count(place)
    return _(
        "%(place)s (%(best)s to %(worst)s)",
        place=count(place),
        best=count(best),
        worst=count(worst),
    )


def trend(found: Trend) -> str:
    """A trend in four weeks, with its interval."""
    if found.ratio is None:
        return _("too few reports to tell a trend")
    said = {
        Direction.RISING: _("rising: %(change)s in four weeks", change=change(found.ratio)),
        Direction.FALLING: _("falling: %(change)s in four weeks", change=change(found.ratio)),
    }
    return said.get(
        found.direction, _("no trend shown: %(change)s in four weeks", change=change(found.ratio))
    )


def side_name(side: SideName) -> str:
    """Whose reports a figure is of."""
    return {
        SideName.OTHERS: _("reports of others, as told"),
        SideName.OWN: _("our own reports"),
    }[side]


def registered(found: RegisteredView) -> str:
    """A registered barrier in one line: which, where, from when to when, whose."""
    days = (
        _("since %(day)s", day=day(found.from_day))
        if found.to_day is None
        else _("%(first)s to %(last)s", first=day(found.from_day), last=day(found.to_day))
    )
    owner = _("our own") if found.is_own else found.owner.name
    return f"{_undotted(found.text)} ({place_of(found)}; {days}; {owner})"


def place_of(found: RegisteredView) -> str:
    """Where a barrier was set: everywhere, in a country or at an induction point."""
    if found.point is not None:
        return point(found.point)
    return country(found.country) if found.country else _("everywhere")


def said_of(wording: Wording) -> str:
    """The text of the model in this language, or in its own first."""
    return wording.said(spoken_language())[0]


def count(figure: int | None) -> str:
    """A count; what is not told says so."""
    return _("not told") if figure is None else str(format_decimal(figure))


def number(figure: float) -> str:
    """A figure, with one digit behind the point where it is small."""
    digits = "#,##0.#" if abs(figure) < _FINE else "#,##0"
    return str(format_decimal(figure, digits)).replace("-", _MINUS)


def interval(found: Estimate) -> str:
    """A figure and what it lies within."""
    return _(
        "%(value)s (%(low)s to %(high)s)",
        value=number(found.value),
        low=number(found.low),
        high=number(found.high),
    )


def percent(part: float) -> str:
    """A share in whole per cent."""
    return str(format_percent(part))


def change(ratio: Estimate) -> str:
    """A ratio as a change in per cent, with its interval."""
    return _(
        "%(value)s (%(low)s to %(high)s)",
        value=_signed(ratio.value),
        low=_signed(ratio.low),
        high=_signed(ratio.high),
    )


def country(code: str) -> str:
    """The name of a country in this language."""
    if not code:
        return _("country not stated")
    locale = get_locale()
    return str(locale.territories.get(code, code)) if locale else code


def corridor(origin: str, destination: str) -> str:
    """A corridor by the names of its countries."""
    if destination == ELSEWHERE:
        return _("%(origin)s to all other countries", origin=country(origin))
    return _(
        "%(origin)s to %(destination)s", origin=country(origin), destination=country(destination)
    )


def point(found: Words) -> str:
    """An induction point: its country, operator and code."""
    where, operator, code = found
    return f"{country(where)}, {operator} {code}".strip()


def substance(code: str) -> str:
    """A substance in words."""
    return model_words(spoken_language()).value("substance", code) if code else _("not stated")


def concealment(code: str) -> str:
    """How something was concealed, in words."""
    return model_words(spoken_language()).value("concealment", code) if code else _("not stated")


def day(on: date) -> str:
    """A day as people of this language write it."""
    return str(format_date(on, "medium", rebase=False))


def listed(parts: Sequence[str]) -> str:
    """Several things as this language lists them."""
    return str(format_list(list(parts), locale=get_locale() or "en"))


def _(sentence: str, **names: object) -> str:
    return str(flask_babel.gettext(sentence, **names))


def ngettext(one: str, many: str, num: int, **names: object) -> str:
    """The sentence that this language uses for `num`."""
    return str(flask_babel.ngettext(one, many, num, **names))


def _movement(found: Displacement) -> str:
    falls, rises = _places(found.falls), _places(found.rises)
    if found.movement is Movement.MOVED:
        return _("Moved: fewer from %(falls)s, and more from %(rises)s.", falls=falls, rises=rises)
    if found.movement is Movement.FELL:
        return _("Fell: fewer from %(falls)s; no rise elsewhere stands out.", falls=falls)
    if found.movement is Movement.ROSE:
        return _("Rose: more from %(rises)s; no fall elsewhere stands out.", rises=rises)
    return _("Nothing seen: no country changed beyond what countries differ by themselves.")


def _places(found: Iterable[Place]) -> str:
    return listed(
        [f"{compared_name(each.compared)} {change(each.compared.ratio)}" for each in found]
    )


def _amounts(found: Displacement) -> list[str]:
    said = []
    if found.missing is not None:
        said.append(
            _(
                "Where it fell there are %(amount)s fewer reports than if it had gone as in the"
                " typical country.",
                amount=interval(found.missing),
            )
        )
    if found.regained is not None:
        said.append(
            _(
                "Where it rose there are %(amount)s more than if it had gone so.",
                amount=interval(found.regained),
            )
        )
    return said


def _caution(movement: Movement) -> str:
    if movement is Movement.NOTHING_SEEN:
        return _("That does not say that nothing moved: the intervals say how much may have.")
    if movement is Movement.MOVED:
        return _(
            "The figures are consistent with a move. That the same people moved is for"
            " investigation to show."
        )
    return _("What did not stand out may still have changed: see the intervals.")


def _fewer(found: Effect) -> str:
    return _(
        "Fewer reports where it was set than elsewhere: %(change)s.",
        change=change(found.place.ratio),
    )


def _more(found: Effect) -> str:
    return _(
        "More reports where it was set than elsewhere: %(change)s.",
        change=change(found.place.ratio),
    )


def _not_shown(found: Effect) -> str:
    return _(
        "No effect is shown: %(change)s. Not shown is not no effect: it may be anything within.",
        change=change(found.place.ratio),
    )


def _drifting(found: Effect) -> str:
    return _(
        "It was going that way before the barrier began, so nothing is said of its effect:"
        " %(change)s.",
        change=change(found.place.ratio),
    )


_VERDICTS = {
    Verdict.FEWER: _fewer,
    Verdict.MORE: _more,
    Verdict.NOT_SHOWN: _not_shown,
    Verdict.DRIFTING: _drifting,
}


def _change(view: EffectView, found: Change) -> str:
    """One rival. Members' names are of one's own side alone."""
    name, ratio = found.whose, change(found.ratio) if found.ratio else ""
    on = day(found.day) if found.day else ""
    if found.rival is Rival.OTHER_BARRIER:
        other = view.others[name]
        ended = other.to_day == found.day
        return (
            _("Another barrier ended on %(day)s: %(barrier)s.", day=on, barrier=registered(other))
            if ended
            else _(
                "Another barrier began on %(day)s: %(barrier)s.", day=on, barrier=registered(other)
            )
        )
    if found.rival is Rival.MODEL_CHANGED:
        return _(
            "Version %(version)s of the model came into force on %(day)s; steps and signals may"
            " mean something else since.",
            version=name,
            day=on,
        )
    return {
        Rival.MEMBER_BEGAN: _("%(name)s began to report.", name=name),
        Rival.MEMBER_STOPPED: _("%(name)s stopped reporting.", name=name),
        Rival.MEMBER_REPORTS_MORE: _(
            "%(name)s reports more everywhere: %(change)s.", name=name, change=ratio
        ),
        Rival.MEMBER_REPORTS_LESS: _(
            "%(name)s reports less everywhere: %(change)s.", name=name, change=ratio
        ),
    }[found.rival]


def compared_name(found: Compared) -> str:
    """A place that was compared: a country, or an induction point as it is written."""
    return _place_name(found.name)


def _place_name(name: str) -> str:
    if JOINED in name:
        return _("%(countries)s as one", countries=listed([country(e) for e in name.split(JOINED)]))
    code, space, rest = name.partition(" ")
    return f"{country(code)}, {rest}" if space else country(code)


def _undotted(wording: Wording) -> str:
    return said_of(wording).rstrip(". ")


def _signed(ratio: float) -> str:
    if ratio > _MOST_EXACT:
        return _("%(times)s times", times=number(ratio))
    part = percent(abs(ratio - 1))
    return f"{_MINUS if round(ratio, 2) < 1 else '+'}{part}"
