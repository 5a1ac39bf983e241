"""Tables of the benchmark of TAXII, and the bars of the specification."""

from collections.abc import Mapping
from typing import Any

SUBJECT, PEER, BOUND = "postern-postgresql", "opentaxii-postgresql", "limit"
_LEAST = {
    "get, 1": 3.0,
    "get, 8": 3.0,
    "match[id], 1": 3.0,
    "match[id], 8": 3.0,
    "poll, nothing new, 1": 3.0,
    "poll, newest 100, 1": 3.0,
}
"""How many times the peer's median each may be faster at least."""

_MOST_GROWTH = 1.3
_LEAST_INGEST = 5.0
_LEAST_WHOLE = 20.0
_MOST_WHOLE_SECONDS = 10.0
_WHOLE_AT = "100000"

Found = Mapping[str, Any]


def compared(size: int, figures: Mapping[str, Found]) -> None:
    """Print one row for each kind and one column for each server."""
    print(f"\n{size:,} objects; p50 / p99 in ms, or objects a second")
    kinds = list(dict.fromkeys(kind for each in figures.values() for kind in each))
    print(f"{'':24}" + "".join(f"{name:>24}" for name in figures))
    for kind in kinds:
        cells = "".join(f"{_cell(each.get(kind)):>24}" for each in figures.values())
        print(f"{kind:24}{cells}", flush=True)


def bars(found: Mapping[str, Mapping[str, Found]], polled: Mapping[str, Found]) -> dict[str, Any]:
    """Print each bar with PASS or FAIL, and return what was measured against it."""
    told: dict[str, Any] = {}
    for size, figures in found.items():
        ours, peer = figures.get(SUBJECT), figures.get(PEER)
        if not ours or not peer:
            continue
        for kind, least in _LEAST.items():
            if kind in ours and kind in peer and ours[kind]["p50_ms"]:
                ratio = peer[kind]["p50_ms"] / ours[kind]["p50_ms"]
                _bar(told, f"{size}: {kind}", ratio, f">= {least}", ratio >= least)
        if "ingest" in ours and "ingest" in peer:
            ratio = ours["ingest"] / peer["ingest"]
            _bar(told, f"{size}: ingest", ratio, f">= {_LEAST_INGEST}", ratio >= _LEAST_INGEST)
        kind = "whole by taxii2-client"
        if size == _WHOLE_AT and kind in ours:
            seconds = ours[f"{kind}_s"]
            is_soon = seconds < _MOST_WHOLE_SECONDS
            _bar(told, f"{size}: {kind}, seconds", seconds, f"< {_MOST_WHOLE_SECONDS}", is_soon)
            if kind in peer:
                ratio = ours[kind] / peer[kind]
                _bar(told, f"{size}: {kind}", ratio, f">= {_LEAST_WHOLE}", ratio >= _LEAST_WHOLE)
    _growth(told, found)
    for name, each in polled.items():
        if name.startswith("postern"):
            _bar(told, f"{name}: objects lost by a poller", each["lost"], "0", each["lost"] == 0)
    return told


def bounds(found: Mapping[str, Mapping[str, Found]]) -> dict[str, Any]:
    """Print how near the bound each answer is, and how far the bound itself is from the peer.

    Of latencies: ours / bound, and peer / bound, which is the most that any server of this stack
    that logs before it answers could be faster than the peer. Of rates the other way round.
    """
    told: dict[str, Any] = {}
    for size, figures in found.items():
        ours, peer, bound = (figures.get(name) for name in (SUBJECT, PEER, BOUND))
        if not ours or not bound:
            continue
        for kind in (*_LEAST, "ingest", "whole by taxii2-client"):
            if kind not in ours or kind not in bound:
                continue
            ratios = {"ours_to_bound": _times(ours[kind], bound[kind])}
            if peer and kind in peer:
                ratios["peer_to_bound"] = _times(peer[kind], bound[kind])
            told[f"{size}: {kind}"] = ratios
            print(f"BOUND {size}: {kind}: {ratios}", flush=True)
    return told


def _times(one: Any, bound: Any) -> float:
    """How many times slower `one` is than the bound."""
    if isinstance(one, Mapping):
        return round(float(one["p50_ms"] / bound["p50_ms"]), 2)
    return round(float(bound / one), 2)


def _growth(told: dict[str, Any], found: Mapping[str, Mapping[str, Found]]) -> None:
    sizes = sorted(found, key=int)
    for name in ("postern-postgresql", "postern-sqlite"):
        small, large = found[sizes[0]].get(name), found[sizes[-1]].get(name)
        if len(sizes) < 2 or not small or not large:
            continue
        for kind in _LEAST:
            if kind in small and kind in large:
                ratio = large[kind]["p50_ms"] / small[kind]["p50_ms"]
                what = f"{name}: {kind}, growth from {sizes[0]} to {sizes[-1]}"
                _bar(told, what, ratio, f"<= {_MOST_GROWTH}", ratio <= _MOST_GROWTH)


def _bar(told: dict[str, Any], what: str, value: float, bar: str, passed: bool) -> None:
    told[what] = {"measured": round(value, 2), "bar": bar, "passed": passed}
    print(f"{'PASS' if passed else 'FAIL'}  {what}: {value:.2f} ({bar})", flush=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value[:22]
    if isinstance(value, Mapping):
        failures = f" ({value['failures']} failed)" if value["failures"] else ""
        return f"{value['p50_ms']} / {value['p99_ms']}{failures}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
