"""What attacks gain from the counts that a board tells of what is not the viewer's own.

Each attack is stronger than what the platform allows: it may ask for every set of up to `depth`
filters, or knows every other record. What it gains is compared with what it had without noise
(everything) and with guessing. The world is a made-up year (app/demo/barrier_year.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from math import sqrt
from random import Random
from statistics import mean

from app.barriers.methods.disclosure_control import (
    Cell,
    Figure,
    Part,
    Table,
    figure,
    told,
    whole_of,
)
from app.barriers.methods.noise import KEY_BITS, VARIANCE, WIDEST, most_entropy, noise
from app.demo.barrier_year import MadeReport
from app.small_counts import LEAST

DIMENSIONS: Mapping[str, Callable[[MadeReport], str]] = {
    "origin": lambda each: each.origin,
    "destination": lambda each: each.destination,
    "step": lambda each: str(each.step),
    "service": lambda each: each.service,
    "weight": lambda each: each.weight,
    "value": lambda each: each.value,
    "category": lambda each: each.category,
    "concealment": lambda each: each.concealment,
    "substance": lambda each: each.substance,
    "learned": lambda each: each.learned,
}

Filters = tuple[tuple[str, str], ...]
"""Dimension and value of each filter, in the order of DIMENSIONS."""


@dataclass(frozen=True, slots=True)
class Averaging:
    """Errors (root of the mean square) of what an attacker believes of counts of two filters."""

    told: float
    averaged: float
    views: float  # how many further sums of the same set it averaged, in the mean


def averaging(
    reports: Sequence[MadeReport],
    most: int = 60,
    dimensions: Sequence[str] = tuple(DIMENSIONS),
) -> Averaging:
    """The same set asked for again and again as sums over ever other parts (Asghar, Kaafar 2020).

    Three filters at once are taken as allowed: a set of two can be split by all other dimensions.
    """
    cells = cells_of(reports, 3, dimensions)
    direct, better, views = [], [], []
    splits = _splits(cells, 3)
    targets = [key for key in cells if len(key) == 2 and figure(cells[key]) is not None]
    for key in Random(0).sample(targets, min(most, len(targets))):  # noqa: S311 - a fixed choice
        truth = whole_of([cells[key]]).count
        estimates = list(_sums(cells, key, splits[key]))
        weights = [1 / variance for _, variance in estimates]
        guess = sum(e / v for e, v in estimates) / sum(weights)
        direct.append(estimates[0][0] - truth)
        better.append(guess - truth)
        views.append(len(estimates) - 1)
    return Averaging(_rms(direct), _rms(better), mean(views))


def membership(views: int, trials: int = 4_000) -> float:
    """How often one who knows all other records of `views` sets is right on whether one is in them.

    0.5 is guessing. Each set has its own noise; the attacker weighs them as well as can be.
    """
    probabilities = most_entropy(WIDEST, VARIANCE)
    chance = dict(zip(range(-WIDEST, WIDEST + 1), probabilities, strict=True))
    drawn = Random(views)  # noqa: S311 - a simulation
    right = 0.0
    for _ in range(trials):
        inside = drawn.random() < 0.5
        odds = 1.0
        for _ in range(views):
            seen = inside + noise(drawn.getrandbits(KEY_BITS))
            odds *= (chance.get(seen - 1, 0.0) or 1e-12) / (chance.get(seen, 0.0) or 1e-12)
        right += 0.5 if odds == 1 else (odds > 1) == inside
    return right / trials


@dataclass(frozen=True, slots=True)
class Watching:
    """What is learned of a small corridor by looking again each week, or at any moment."""

    weekly_error: float  # of the differences of two running totals, each week
    guessing_error: float  # of always saying the mean
    arrivals_seen_live: float  # share of single arrivals that change a count that is told live
    arrivals_seen_closed: float  # the same of running totals at the end of each week


def watching(reports: Sequence[MadeReport], origin: str) -> Watching:
    """Differences over time: running totals are what the platform does *not* offer, for this."""
    ours = sorted((each for each in reports if each.origin == origin), key=lambda each: each.day)
    first = ours[0].day
    weeks: dict[int, list[MadeReport]] = defaultdict(list)
    for each in ours:
        weeks[(each.day - first).days // 7].append(each)
    count, keys, errors, truth = 0, 0, [], []
    previous: int | None = None
    alone = 0
    for week in range(max(weeks) + 1):
        new = weeks.get(week, [])
        count, keys = count + len(new), keys + sum(each.key for each in new)
        shown = count + noise(keys)
        if previous is not None:
            errors.append(shown - previous - len(new))
            truth.append(len(new))
            alone += len(new) == 1 and shown != previous
        previous = shown
    usual = mean(truth)
    total, seen = 0, 0
    for place, each in enumerate(ours):
        before = place + noise(total)
        total += each.key
        seen += place + 1 + noise(total) != before
    return Watching(
        _rms(errors), _rms([each - usual for each in truth]), seen / len(ours), alone / len(ours)
    )


@dataclass(frozen=True, slots=True)
class Subtracting:
    """What an operator can compute of a competitor's number by adding and subtracting."""

    cells: int
    told: int
    betraying: int  # cells that would tell one competitor's number
    computable_naive: int  # of them, if only those cells themselves were left out
    computable: int  # of them, with what is left out for their sake


def subtracting(reports: Sequence[MadeReport], dimensions: Sequence[str]) -> Subtracting:
    """Every linear combination of told cells, over all sets of these dimensions at once."""
    cells = cells_of(reports, len(dimensions), dimensions)
    tables = tables_of(cells, dimensions)
    shown = told(cells, tables, competes=True)
    alone = told(cells, (), competes=True)
    betraying = [key for key in cells if _tells_one(cells[key])]
    atoms = {key: place for place, key in enumerate(k for k in cells if len(k) == len(dimensions))}
    return Subtracting(
        len(cells),
        sum(each is not None for each in shown.values()),
        len(betraying),
        _computable(betraying, alone, atoms),
        _computable(betraying, shown, atoms),
    )


def in_worlds(reports: Sequence[MadeReport]) -> Subtracting:
    """The same in worlds in which one competitor dominates here and there: all of them together."""
    few = [
        each
        for each in reports
        if each.origin in {"NL", "BE", "DE", "LU"}
        and each.destination in {"US", "AU", "GB"}
        and each.step in {3, 4, 5}
    ]
    every = [
        subtracting(one_dominates(few, share, of), ("origin", "destination", "step"))
        for share in (0.15, 0.35, 0.55, 0.75)
        for of in (("origin", "destination"), ("origin", "step"), ("origin", "destination", "step"))
    ]
    return Subtracting(*(sum(getattr(each, f.name) for each in every) for f in fields(Subtracting)))


def one_dominates(
    reports: Sequence[MadeReport], share: float, of: Sequence[str] = ("origin", "destination")
) -> list[MadeReport]:
    """The same reports, where one competitor made 95 % of those of a share of the corridors.

    `of` may name other dimensions than those of corridors.
    """
    drawn = Random(f"{share} {of} dominates")  # noqa: S311 - made-up owners
    set_of = {each: tuple(DIMENSIONS[name](each) for name in of) for each in reports}
    corridors = sorted(set(set_of.values()))
    large = set(drawn.sample(corridors, round(share * len(corridors))))
    return [
        replace(
            each,
            owner="large"
            if set_of[each] in large and drawn.random() < 0.95
            else drawn.choice(("small-a", "small-b", "small-c")),
        )
        for each in reports
    ]


def cells_of(
    reports: Sequence[MadeReport], depth: int, dimensions: Sequence[str] = tuple(DIMENSIONS)
) -> dict[Filters, Cell]:
    """Every set of reports that up to `depth` filters select, by owner."""
    sums: dict[Filters, dict[str, list[int]]] = {}
    names = [set_ for size in range(depth + 1) for set_ in combinations(dimensions, size)]
    for report in reports:
        values = {name: (name, str(DIMENSIONS[name](report))) for name in dimensions}
        for chosen in names:
            key = tuple(values[name] for name in chosen)
            part = sums.setdefault(key, {}).setdefault(report.owner, [0, 0])
            part[0] += 1
            part[1] += report.key
    return {
        key: {owner: Part(n, keys % 2**KEY_BITS) for owner, (n, keys) in parts.items()}
        for key, parts in sums.items()
    }


def tables_of(cells: Mapping[Filters, Cell], dimensions: Sequence[str]) -> list[Table[Filters]]:
    """Each set as the sum of the sets with one filter more, for each dimension."""
    parts: dict[tuple[Filters, str], list[Filters]] = defaultdict(list)
    for key in cells:
        for left_out in key:
            parts[tuple(each for each in key if each != left_out), left_out[0]].append(key)
    return [Table(total, sorted(found)) for (total, _), found in parts.items()]


def _splits(cells: Mapping[Filters, Cell], depth: int) -> dict[Filters, dict[str, list[Filters]]]:
    """Of each set the sets with one filter more, by the dimension of that filter."""
    found: dict[Filters, dict[str, list[Filters]]] = defaultdict(lambda: defaultdict(list))
    for key in cells:
        if len(key) == depth:
            for left_out in key:
                whole = tuple(each for each in key if each != left_out)
                found[whole][left_out[0]].append(key)
    return found


def _sums(
    cells: Mapping[Filters, Cell], key: Filters, splits: Mapping[str, Sequence[Filters]]
) -> Iterator[tuple[float, float]]:
    """Estimates of one set with their variances: itself, and as the sum of each of its splits."""
    direct = figure(cells[key])
    assert direct is not None
    yield direct.count, VARIANCE
    for parts in splits.values():
        figures = [figure(cells[part]) for part in parts]
        shown = [each.count for each in figures if each is not None]
        missing = len(figures) - len(shown)
        # A cell that is not told is taken as 2, give or take what 0 to 4 and noise allow.
        yield sum(shown) + 2 * missing, VARIANCE * len(shown) + missing * LEAST**2 / 3


def _tells_one(cell: Cell) -> bool:
    counts = sorted(part.count for part in cell.values())
    return counts[-1] > 2 * LEAST and sum(counts[:-1]) < 0.2 * counts[-1]


def _computable(
    targets: Sequence[Filters],
    shown: Mapping[Filters, Figure | None],
    atoms: Mapping[Filters, int],
) -> int:
    """How many targets are sums and differences of told cells: Gauss's elimination mod a prime."""
    basis: dict[int, dict[int, int]] = {}
    for key, each in shown.items():
        if each is not None:
            _reduce(_vector(key, atoms), basis, keep=True)
    return sum(not _reduce(_vector(key, atoms), basis, keep=False) for key in targets)


def _vector(key: Filters, atoms: Mapping[Filters, int]) -> dict[int, int]:
    return {place: 1 for atom, place in atoms.items() if set(key) <= set(atom)}


def _reduce(vector: dict[int, int], basis: dict[int, dict[int, int]], *, keep: bool) -> bool:
    """Whether something of the vector is left that the basis does not have."""
    while vector:
        lead = min(vector)
        if lead not in basis:
            if keep:
                inverse = pow(vector[lead], -1, _PRIME)
                basis[lead] = {place: n * inverse % _PRIME for place, n in vector.items()}
            return True
        factor = vector[lead]
        for place, n in basis[lead].items():
            rest = (vector.get(place, 0) - factor * n) % _PRIME
            if rest:
                vector[place] = rest
            else:
                vector.pop(place, None)
    return False


def _rms(errors: Sequence[float]) -> float:
    return sqrt(mean(each * each for each in errors))


_PRIME = 2**61 - 1
