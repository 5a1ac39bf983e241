"""How well matching by tokens works, beside its peers: `python -m bench.matching [--data FILE]`.

FILE is labelled addresses in the format of tests/data/addresses-open.json (the default). Prints
tables, then one JSON object as the last line. Tokens are really made, with HMAC-SHA256 in place of
the VOPRF (see bench.matching_tokens).
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.fit_matching import FEBRL_LIKELY_PRECISION, WEIGHTS, fit, learn
from bench.machine import machine
from bench.matching_attack import Attack, attack
from bench.matching_peers import DOCUMENTED_THRESHOLD, Peer, anonlink_rows, exact_normalised
from bench.matching_register import REGISTER_SIZE
from bench.matching_scale import ADDED, at_scale
from bench.matching_sets import (
    OPEN_PART,
    AddressFile,
    Task,
    febrl3,
    febrl4,
    read_addresses,
)
from bench.matching_tokens import (
    Measures,
    Pair,
    at_shipped_threshold,
    at_threshold_of,
    token_pairs,
)
from postern.vocabulary import Band

ATTACKED_AT = 100_000  # records in the database of the figure that is a bar


@dataclass(slots=True)
class Rows:
    """The three rows of one task."""

    task: Task
    tokens: Measures
    normalised: Measures
    anonlink: list[Peer]
    candidates_per_query: float
    learned_share: float = 0.0  # of the queries: their street is one the weights have seen
    unseen: Measures | None = None  # of the other queries
    bands: Mapping[Band, Measures] = field(default_factory=dict)  # of five fits, each on 4 folds
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the last line; `anonlink` is its best threshold, in hindsight."""
        return {
            "tokens": self.tokens.as_json(),
            "normalised": self.normalised.as_json(),
            "anonlink": self.anonlink[0].best.as_json(),
            "anonlink_documented_threshold": self.anonlink[0].documented.as_json(),
            "anonlink_threshold": round(self.anonlink[0].threshold, 2),
            "ratio": round(self.tokens.f1 / self.anonlink[0].best.f1, 4),
            "learned_share": round(self.learned_share, 3),
            **({"tokens_on_unseen_streets": self.unseen.as_json()} if self.unseen else {}),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every part and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=OPEN_PART, help="labelled addresses (JSON)")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    file = read_addresses(options.data)
    learned_from = _streets_learned_from()
    rows = [
        shipped_rows(file.persons, learned_from),
        shipped_rows(file.addresses, learned_from),
        febrl_rows(),
    ]
    for row in rows:
        console.print(_table(row))
    scale, candidates = at_scale(file.persons, file.entities)
    console.print(_scale_table(scale, candidates))
    attacks, entropies = attack(file.entities)
    console.print(_attack_table(attacks))
    console.print(f"Min-entropy in bits per facet in the made-up register: {entropies}")
    print(json.dumps(_summary(file, rows, scale, attacks, entropies)))
    return 0


def shipped_rows(task: Task, learned_from: frozenset[str]) -> Rows:
    """A task under the shipped weights and threshold, beside the peers on the same pairs."""
    started = time.perf_counter()
    pairs = token_pairs(task)
    tokens = at_shipped_threshold(task, pairs)
    rows = _with_peers(task, pairs, tokens, time.perf_counter() - started)
    unseen = [place for place, query in enumerate(task.queries) if query.street not in learned_from]
    rows.learned_share = 1 - len(unseen) / len(task.queries)
    if unseen and rows.learned_share:
        rows.unseen = at_shipped_threshold(task, pairs, frozenset(unseen))
    if not unseen:
        fitted = fit(task, named=task.name == "persons")
        rows.bands = {band: fitted.at_least(band) for band in Band}
    return rows


def _streets_learned_from() -> frozenset[str]:
    """The streets of the committed file, if the shipped weights were learned from it."""
    shipped = json.loads(WEIGHTS.read_text(encoding="ascii"))
    learned = read_addresses(OPEN_PART)
    if learned.digest != shipped["learned_on"]["sha256"]:
        return frozenset()
    return learned.persons.streets()


def febrl_rows() -> Rows:
    """Febrl 4 under weights learned in this run on Febrl 3, without its birth dates and numbers."""
    training = febrl3()
    weighting = learn(
        training,
        token_pairs(training),
        named=True,
        likely_precision=FEBRL_LIKELY_PRECISION,
        strong_precision=FEBRL_LIKELY_PRECISION,
    )
    started = time.perf_counter()
    task = febrl4()
    pairs = token_pairs(task)
    tokens = at_threshold_of(task, pairs, weighting)
    return _with_peers(task, pairs, tokens, time.perf_counter() - started)


def _with_peers(task: Task, pairs: Sequence[Pair], tokens: Measures, seconds: float) -> Rows:
    started = time.perf_counter()
    peers = anonlink_rows(task)
    return Rows(
        task=task,
        tokens=tokens,
        normalised=exact_normalised(task),
        anonlink=peers,
        candidates_per_query=len(pairs) / len(task.queries),
        seconds={
            "tokens": seconds,
            "anonlink, each schema": (time.perf_counter() - started) / len(peers),
        },
    )


def _table(rows: Rows) -> Table:
    task = rows.task
    table = Table(
        title=f"{task.name}: {len(task.queries)} x {len(task.records)} records, "
        f"{task.true_pairs()} true pairs, {rows.candidates_per_query:.2f} candidates per query"
    )
    for heading in ("method", "threshold", "precision", "recall", "F1"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    _add(table, "postern tokens", "likely", rows.tokens)
    if rows.unseen is not None:
        share = f"{1 - rows.learned_share:.0%}"
        _add(table, f"  on streets not learned from ({share})", "likely", rows.unseen)
    for band, measured in rows.bands.items():
        _add(table, "  learned without the fold measured (*)", band.value, measured)
    _add(table, "one normalised string", "equal", rows.normalised)
    for peer in rows.anonlink:
        _add(table, f"anonlink, {peer.schema}", f"best {peer.threshold:.2f}", peer.best)
        _add(table, "", f"documented {DOCUMENTED_THRESHOLD:.2f}", peer.documented)
    starred = "(*) recall over the pairs that share a token; " if rows.bands else ""
    table.caption = starred + ", ".join(
        f"{what} {spent:.1f} s" for what, spent in rows.seconds.items()
    )
    return table


def _add(table: Table, method: str, threshold: str, measured: Measures) -> None:
    table.add_row(
        method,
        threshold,
        f"{measured.precision:.4f}",
        f"{measured.recall:.4f}",
        f"{measured.f1:.4f}",
    )


def _scale_table(scale: Mapping[str, Measures], candidates: float) -> Table:
    table = Table(
        title=f"persons among {ADDED} invented ones of one city, "
        f"{candidates:.1f} candidates per query"
    )
    for heading in ("postings per token", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for name, measured in scale.items():
        table.add_row(
            name, f"{measured.precision:.4f}", f"{measured.recall:.4f}", f"{measured.f1:.4f}"
        )
    return table


def _attack_table(attacks: Sequence[Attack]) -> Table:
    table = Table(
        title="Attack with the whole database and a full register of "
        f"{REGISTER_SIZE} addresses, without the key"
    )
    for heading in ("records in the database", "first guess", "within 10", "within 100"):
        table.add_column(heading, justify="right")
    for found in attacks:
        table.add_row(
            str(found.database),
            *(f"{share:.2%}" for share in (found.top1, found.top10, found.top100)),
        )
    return table


def _summary(
    file: AddressFile,
    rows: Sequence[Rows],
    scale: Mapping[str, Measures],
    attacks: Sequence[Attack],
    entropies: dict[str, float],
) -> dict[str, Any]:
    at_bar = next(found for found in attacks if found.database == ATTACKED_AT)
    return {
        **{row.task.name: row.as_json() for row in rows},
        "attack": {
            "top10": round(at_bar.top10, 5),
            "top1": round(at_bar.top1, 5),
            "top100": round(at_bar.top100, 5),
            "database": at_bar.database,
            "register": "made up",
            "min_entropy_bits": entropies,
        },
        "scale": {
            "strangers": ADDED,
            **{name: measured.as_json() for name, measured in scale.items()},
        },
        "data_sha256": file.digest,
        "token_function": "HMAC-SHA256 in place of the VOPRF",
        "machine": machine("anonlink", "clkhash", "recordlinkage", "numpy", "scipy"),
    }


if __name__ == "__main__":
    sys.exit(main())
