"""What the project is compared with: one exact normalised string, and anonlink with clkhash.

anonlink gets every chance: three schemas (the pattern of clkhash's own Febrl tutorial, with the
name as one feature so that swapped names do not hurt it; one without a number and with more bits
for the line; one with more bits for the number, fed with our normalised fields), each at its best
threshold on the test data itself, which no real user could know.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anonlink
import numpy as np
from clkhash import clk
from clkhash.schema import from_json_dict

from bench.matching_sets import Labelled, Task
from bench.matching_tokens import Measures, measures
from postern.normalise import NormalisationError, Party, PostalForm, normalise

_DIGITS = re.compile(r"[0-9]+")

DOCUMENTED_THRESHOLD = 0.8  # of anonlink's own Febrl tutorials
_FLOOR = 0.65  # pairs below it are never the best threshold; keeps 25 million pairs in memory
_SWEEP = np.arange(_FLOOR, 1.0, 0.01)
_SECRET = "bench"  # noqa: S105 - both sides of a benchmark hold it


@dataclass(frozen=True, slots=True)
class Peer:
    """anonlink under one schema."""

    schema: str
    threshold: float
    best: Measures
    documented: Measures


def exact_normalised(task: Task) -> Measures:
    """Equality of one string of all normalised fields."""
    keys = [_exact_key(record) for record in task.records]
    held = Counter(keys)
    right = Counter(zip(keys, (record.truth for record in task.records), strict=True))
    found = found_right = 0
    for query in task.queries:
        key = _exact_key(query)
        found += held[key]
        found_right += right[key, query.truth]
    return measures(found_right, found, task.true_pairs())


def anonlink_rows(task: Task) -> list[Peer]:
    """anonlink under each schema, the best first."""
    logging.getLogger("clkhash").setLevel(logging.WARNING)
    rows = [
        _peer(task, schema, fields, bits=bits)
        for schema, fields, bits in (
            ("raw, tutorial", _raw, (400, 100, 100, 100, 100, 100)),
            ("raw, line 300", _raw, (300, 0, 300, 150, 150, 150)),
            ("normalised, number 300", _cleaned, (300, 300, 200, 100, 100, 150)),
        )
    ]
    return sorted(rows, key=lambda row: row.best.f1, reverse=True)


def _exact_key(labelled: Labelled) -> str:
    form = _form(labelled)
    if form is None:
        return f"unreadable {labelled.value}"
    return "|".join(
        [
            *form.name_words,
            *form.streets,
            form.number + form.suffix,
            form.postcode,
            form.city,
        ]
    )


def _form(labelled: Labelled) -> PostalForm | None:
    try:
        form = normalise(labelled.value).form
    except NormalisationError:
        return None
    assert isinstance(form, PostalForm)
    return form


def _raw(labelled: Labelled) -> tuple[str, ...]:
    value = labelled.value
    name = value.name if isinstance(value, Party) else ""
    lines = [*value.lines, ""]
    number = _DIGITS.search(lines[0])
    fields = (
        name,
        number.group(0) if number else "",
        lines[0],
        lines[1],
        value.city,
        value.postcode,
    )
    return tuple(field.lower() for field in fields)


def _cleaned(labelled: Labelled) -> tuple[str, ...]:
    form = _form(labelled)
    if form is None:
        return _raw(labelled)
    streets = [*form.streets, "", ""]
    return (
        " ".join(form.name_words),
        form.number + form.suffix,
        streets[0],
        streets[1],
        form.city,
        form.postcode,
    )


def _peer(
    task: Task,
    schema: str,
    fields: Callable[[Labelled], tuple[str, ...]],
    *,
    bits: tuple[int, ...],
) -> Peer:
    encoded = [
        clk.generate_clks(
            [fields(labelled) for labelled in side],
            _schema(bits),
            _SECRET,
            validate=False,
            max_workers=2,
        )
        for side in (task.queries, task.records)
    ]
    similarity, _, (left, right) = anonlink.candidate_generation.find_candidate_pairs(
        encoded, anonlink.similarities.dice_coefficient, _FLOOR
    )
    scores, left, right = np.asarray(similarity), np.asarray(left), np.asarray(right)
    if task.deduplication:
        once = left < right
        scores, left, right = scores[once], left[once], right[once]
    same = _truths(task.queries)[left] == _truths(task.records)[right]
    true_pairs = task.true_pairs()

    def at(threshold: float) -> Measures:
        found = scores >= threshold
        return measures(int(same[found].sum()), int(found.sum()), true_pairs)

    best = max(_SWEEP, key=lambda threshold: at(threshold).f1)
    return Peer(schema, float(best), at(best), at(DOCUMENTED_THRESHOLD))


def _truths(side: Sequence[Labelled]) -> np.ndarray[Any, Any]:
    return np.asarray([labelled.truth for labelled in side])


def _schema(bits: tuple[int, ...]) -> Any:
    """A linkage schema of version 3: bigrams, and unigrams with their places for the postcode."""
    features = [
        {
            "identifier": name,
            "format": {"type": "string", "encoding": "utf-8", "case": "mixed"},
            "hashing": {
                "comparison": {"type": "ngram", "n": length, "positional": positional},
                "strategy": {"bitsPerFeature": share},
                "hash": {"type": "doubleHash"},
            },
        }
        if share
        else {"identifier": name, "ignored": True}
        for (name, length, positional), share in zip(_FEATURES, bits, strict=True)
    ]
    return from_json_dict(
        {
            "version": 3,
            "clkConfig": {
                "l": 1024,
                "kdf": {
                    "type": "HKDF",
                    "hash": "SHA256",
                    "info": "YmVuY2g=",
                    "salt": "YmVuY2g=",
                    "keySize": 64,
                },
            },
            "features": features,
        }
    )


_FEATURES = (
    ("name", 2, False),
    ("number", 1, True),
    ("line", 2, False),
    ("second line", 2, False),
    ("city", 2, False),
    ("postcode", 1, True),
)
