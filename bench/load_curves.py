"""The growth curves of `make bench-load`, as one SVG: latency of lookups and size by indicators."""

import json
import sys
from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 360, 70, 50, 40
_COLOURS = {"whole": "#0b5394", "bare": "#999999"}
_DASHES = {"1": "", "8": "6 3"}


def draw(answer: Mapping[str, Any]) -> str:
    """p50 of lookups, whole and bare, by size on two logarithmic axes; `answer` is the JSON."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for size, told in sorted(answer["sizes"].items(), key=lambda each: int(each[0])):
        for clients, found in told["lookups"].items():
            for side in ("whole", "bare"):
                point = (float(size), float(found[side]["p50_ms"]))
                curves.setdefault(f"{side} {clients}", []).append(point)
    everything = [point for curve in curves.values() for point in curve]
    xs, ys = _reach([x for x, _ in everything]), _reach([y for _, y in everything])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20">p50 of a lookup of 16 tokens, in ms, by indicators in the '
        "tables</text>",
    ]
    for power in range(xs[0], xs[1] + 1):
        x = _x(10.0**power, xs)
        lines.append(f'<path d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#dddddd"/>')
        lines.append(f'<text x="{x}" y="{_HEIGHT - 30}" text-anchor="middle">{10**power:,}</text>')
    for power in range(ys[0], ys[1] + 1):
        y = _y(10.0**power, ys)
        lines.append(f'<path d="M{_LEFT} {y}H{_WIDTH - 150}" stroke="#dddddd"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{10.0**power:g}</text>')
    for name, curve in curves.items():
        side, clients = name.split()
        style = f'stroke="{_COLOURS[side]}" stroke-dasharray="{_DASHES.get(clients, "2 2")}"'
        path = "L".join(f"{_x(x, xs)} {_y(y, ys)}" for x, y in curve)
        lines.append(f'<path d="M{path}" fill="none" stroke-width="2" {style}/>')
        lines += [
            f'<circle cx="{_x(x, xs)}" cy="{_y(y, ys)}" r="3" fill="{_COLOURS[side]}"/>'
            for x, y in curve
        ]
        last_x, last_y = curve[-1]
        word = "service" if side == "whole" else "bare SQL"
        lines.append(
            f'<text x="{_x(last_x, xs) + 8}" y="{_y(last_y, ys) + 4}">{word}, {clients} '
            f"client{'' if clients == '1' else 's'}</text>"
        )
    return "\n".join([*lines, "</svg>", ""])


def _reach(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten around the values, one apart at least."""
    first = int(log10(min(values)) // 1)
    last = int(-(-log10(max(values)) // 1))
    return first, max(last, first + 1)


def _x(value: float, reach: tuple[int, int]) -> float:
    share = (log10(value) - reach[0]) / (reach[1] - reach[0])
    return round(_LEFT + share * (_WIDTH - 150 - _LEFT), 1)


def _y(value: float, reach: tuple[int, int]) -> float:
    share = (log10(value) - reach[0]) / (reach[1] - reach[0])
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP), 1)


if __name__ == "__main__":
    sys.stdout.write(draw(json.loads(sys.stdin.read().splitlines()[-1])))
