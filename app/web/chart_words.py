"""What charts say (static/js/charts.js) in the person's language: their page writes it for them."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


def chart_words() -> dict[str, str]:
    """The sentences of charts by the key that their script says them by, `%(name)s` unfilled."""
    return {key: str(sentence) for key, sentence in _WORDS.items()}


_WORDS: Mapping[str, LazyString] = {
    "chart.bars": _("Rows: %(rows)s. Most: %(most)s, %(value)s."),
    "chart.lines": _("From %(from)s to %(to)s. Highest: %(value)s, %(at)s."),
    "chart.interval": _("%(label)s: %(value)s, within %(low)s to %(high)s"),
    "chart.intervals": _("Rows: %(rows)s. Least certain: %(label)s, %(low)s to %(high)s."),
    "chart.timeline": _("Events: %(events)s. Lanes: %(series)s. From %(from)s to %(to)s."),
    "chart.graph": _("Things: %(nodes)s. Relations: %(relations)s."),
    "chart.left": _("Not drawn because there are too many: %(left)s. The table holds them all."),
    "chart.corridors": _("Ways: %(rows)s. Most: %(from)s to %(to)s, %(value)s."),
    "chart.nowhere": _("Without a place on the map: %(left)s."),
    "chart.flows": _("Flows: %(rows)s. Largest: %(from)s to %(to)s, %(value)s."),
    "chart.place": _("%(words)s (%(place)s of %(all)s)"),
}
