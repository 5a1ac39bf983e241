"""The results of a screening as one HTML page: no script, nothing loaded, to be read or printed."""

from collections.abc import Iterator, Sequence
from html import escape

from postern.patterns.model import Rule
from postern.patterns.words import Words, words
from postern.screening import Screening

_MOST_SHOWN = 1_000
_BAR = 220  # width of the longest bar
_ROW = 26
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff;
 --bar: #0b5cad; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa7b4; --line: #3b434c;
 --paper: #10151b; --bar: #6cb2ff; --shade: #171d25; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
 max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
 border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.account { width: auto; } .account th { font-weight: 400; padding-right: 2rem; }
.why p { margin: 0 0 .35rem; } .why b { font-weight: 600; }
.why span { color: var(--soft); display: block; }
svg { max-width: 100%; height: auto; } svg rect { fill: var(--bar); }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.item { white-space: nowrap; } .about { color: var(--soft); margin: 0; }
@media (max-width: 40rem) { .rules th, .rules td { padding-right: .4rem; white-space: normal; }
 .rules td:nth-child(4) { display: none; }
 .account th { padding-right: .5rem; white-space: normal; }
 .hits thead { position: absolute; clip-path: inset(50%); }
 .hits tr, .hits td { display: block; } .hits td { border: 0; padding: .1rem 0; text-align: left; }
 .hits tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
 .hits td::before { content: attr(data-name) ": "; color: var(--soft); } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff;
 --bar: #0b5cad; } body { font-size: .85rem; max-width: none; padding: 0; }
 tr, svg { break-inside: avoid; } h2 { break-after: avoid; } svg { print-color-adjust: exact; } }
"""


def report(screening: Screening, language: str, about: str = "") -> str:
    """The page, in a language of `postern.patterns.words`. Raises KeyError for another.

    `about` stands below its title: which manifest it is of, and when it was screened.
    """
    spoken = words(language)
    title = escape(spoken.phrases["report.title"])
    lead = escape(
        spoken.say(
            "report.lead",
            hits=_count(screening.parcels, spoken),
            screened=_count(screening.account.screened, spoken),
        )
    )
    body = "\n".join(
        [
            f"<h1>{title}</h1>",
            f'<p class="about">{escape(about)}</p>' if about else "",
            f"<p>{lead}</p>",
            *_account(screening, spoken),
            *_rules(screening, spoken),
            *_scores(screening, spoken),
            *_hits(screening, spoken),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def _account(screening: Screening, spoken: Words) -> Iterator[str]:
    account = screening.account
    yield f"<h2>{escape(spoken.phrases['report.lines'])}</h2>"
    yield '<table class="account"><tbody>'
    for name in ("header", "blank", "rejected", "screened", "flawed", "lines"):
        label = escape(spoken.phrases[f"report.line.{name}"])
        number = _count(int(getattr(account, name)), spoken)
        yield f'<tr><th scope="row">{label}</th><td class="number">{number}</td></tr>'
    yield "</tbody></table>"


def _rules(screening: Screening, spoken: Words) -> Iterator[str]:
    ordered = sorted(screening.rules, key=lambda rule: (-screening.by_rule[rule.id], rule.title))
    hitting = [rule for rule in ordered if screening.by_rule[rule.id]]
    yield f"<h2>{escape(spoken.phrases['report.rules'])}</h2>"
    if hitting:
        yield from _hitting(hitting, screening, spoken)
    if len(hitting) < len(ordered):
        titles = "; ".join(rule.title for rule in ordered[len(hitting) :])
        yield f"<p>{escape(spoken.say('report.rules.none', titles=titles))}</p>"


def _hitting(ordered: Sequence[Rule], screening: Screening, spoken: Words) -> Iterator[str]:
    most = max(screening.by_rule[rule.id] for rule in ordered)
    yield '<table class="rules"><thead><tr>'
    for name in ("pattern", "level"):
        yield f'<th scope="col">{escape(spoken.phrases[f"report.column.{name}"])}</th>'
    yield f'<th scope="col" class="number">{escape(spoken.phrases["report.column.hits"])}</th>'
    yield "<td></td></tr></thead><tbody>"
    for rule in ordered:
        hits = screening.by_rule[rule.id]
        yield (
            f"<tr><td>{escape(rule.title)}</td>"
            f"<td>{escape(spoken.phrases[f'level.{rule.level}'])}</td>"
            f'<td class="number">{_count(hits, spoken)}</td>'
            f"<td>{_bar(hits, most)}</td></tr>"
        )
    yield "</tbody></table>"


def _bar(amount: int, most: int) -> str:
    """A bar beside its number, which says the same: hidden from those who are read to."""
    width = 160 * amount // most if most else 0
    return (
        f'<svg width="160" height="12" viewBox="0 0 160 12" aria-hidden="true">'
        f'<rect width="{max(width, 1 if amount else 0)}" height="12"/></svg>'
    )


def _scores(screening: Screening, spoken: Words) -> Iterator[str]:
    label = escape(spoken.phrases["report.scores"])
    yield f"<h2>{label}</h2>"
    most = max(screening.by_score, default=0)
    height = _ROW * len(screening.by_score)
    yield (
        f'<svg role="img" aria-label="{label}: {escape(_spoken_scores(screening, spoken))}" '
        f'width="360" height="{height}" viewBox="0 0 360 {height}">'
    )
    for place, amount in enumerate(reversed(screening.by_score)):
        tenth = len(screening.by_score) - 1 - place
        top = place * _ROW
        width = _BAR * amount // most if most else 0
        yield (
            f'<text x="0" y="{top + 17}">{_range(tenth, spoken)}</text>'
            f'<rect x="80" y="{top + 5}" width="{max(width, 1 if amount else 0)}" height="16"/>'
            f'<text x="{90 + width}" y="{top + 17}">{_count(amount, spoken)}</text>'
        )
    yield "</svg>"


def _spoken_scores(screening: Screening, spoken: Words) -> str:
    return ", ".join(
        f"{_range(n, spoken)}: {_count(amount, spoken)}"
        for n, amount in enumerate(screening.by_score)
        if amount
    )


def _range(tenth: int, spoken: Words) -> str:
    return f"0.{tenth}-{(tenth + 1) / 10:.1f}".replace(".", spoken.phrases["decimal"])


def _hits(screening: Screening, spoken: Words) -> Iterator[str]:
    shown = screening.hits[:_MOST_SHOWN]
    if not shown:
        yield f"<p>{escape(spoken.phrases['report.none'])}</p>"
        return
    heading = spoken.say("report.hits", shown=_count(len(shown), spoken))
    yield f"<h2>{escape(heading)}</h2>"
    names = [escape(spoken.phrases[f"report.column.{name}"]) for name in _COLUMNS]
    yield '<table class="hits"><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in names)
    yield "</tr></thead><tbody>"
    for hit in shown:
        cells = (
            f"{hit.score:.2f}".replace(".", spoken.phrases["decimal"]),
            str(hit.line),
            escape(hit.item_id or ""),
            _why(hit.titles, hit.reasons),
        )
        kinds = ("number", "number", "item", "why")
        yield (
            "<tr>"
            + "".join(
                f'<td class="{kind}" data-name="{name}">{cell}</td>'
                for kind, name, cell in zip(kinds, names, cells, strict=True)
            )
            + "</tr>"
        )
    yield "</tbody></table>"
    more = screening.parcels - len(shown)
    if more:
        yield f"<p>{escape(spoken.say('report.more', more=_count(more, spoken)))}</p>"


def _why(titles: Sequence[str], reasons: Sequence[str]) -> str:
    return "".join(
        f"<p><b>{escape(title)}</b><span>{escape(reason)}</span></p>"
        for title, reason in zip(titles, reasons, strict=True)
    )


def _count(number: int, spoken: Words) -> str:
    """A number with its thousands set apart, as the language has it."""
    mark = {"en": ",", "fr": "\u202f", "nl": ".", "de": "."}[spoken.language]
    return f"{number:,}".replace(",", mark)


_COLUMNS = ("score", "line", "item", "why")
