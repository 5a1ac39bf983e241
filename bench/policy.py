"""What sharing policies cost: a decision, a lookup under them, and trying a change of them.

    python -m bench.policy [--sizes 100000,1000000] [--organisations 10,100,1000]
        [--backends sqlite,postgresql] [--seconds 20]

Decisions: microseconds of Cedar's answers, and milliseconds until they are laid out as rows.

Lookups: the service's verb as it is, beside the same verb with policy taken out (no profile, no
decisions joined, nobody asked who is suspended) and beside the naive way, which asks Cedar about
every posting that matches. With and without alternate on the same queries and must give the same
hits, to a reader whom the policies of all owners let see everything; another reader, who sees a
part, must get from the naive way exactly what the platform gives. `added` is the median of the
differences of neighbours, in per cent of the median without policy; the limit is 15.

The tables are filled to each size with the first number of organisations; at the last size the
same indicators are then given to more organisations, each with a policy of five rules of its own,
so that only the number of policies changes.

Trying a change: the simulation of another policy of one owner, to whom all indicators belong,
beside so many organisations as there are; the limit is 5 s on PostgreSQL.

By default a quarter of an hour or more on 2 cores, most of it filling and deciding.
The last line is one JSON object.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from bench.machine import machine
from bench.policy_cost import decisions, laying_out, simulation
from bench.policy_lookup import measure
from bench.policy_stage import PolicyStage, policy_stage
from bench.preload import fill, relabel
from bench.stage import BACKENDS

LONGEST_SIMULATION = 5.0  # seconds
MOST_ADDED = 15.0  # per cent of a lookup without policy


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="What sharing policies cost.")
    parser.add_argument("--sizes", default="100000,1000000", help="indicators in the tables")
    parser.add_argument("--organisations", default="10,100,1000", help="each with a policy")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--seconds", type=float, default=20, help="measuring time of lookups")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    organisations = sorted(int(number) for number in options.organisations.split(","))
    decided = decisions()
    _tell_decisions(decided)
    found: dict[str, Any] = {}
    for backend in options.backends.split(","):
        with policy_stage(backend) as stage:
            found[backend] = _measure(stage, backend, sizes, organisations, options.seconds)
    print(json.dumps({"benchmark": "policy", "decisions": decided, **found, "machine": machine()}))


def _measure(
    stage: PolicyStage,
    backend: str,
    sizes: Sequence[int],
    organisations: Sequence[int],
    seconds: float,
) -> dict[str, Any]:
    lookups: dict[str, Any] = {}
    laid_out: dict[str, Any] = {}

    def look(size: int) -> None:
        name = f"{size:,} indicators, {len(stage.owners):,} organisations"
        figures = lookups[name] = measure(stage, seconds).figures()
        figures["within_limit"] = figures["added_p50_percent"] <= MOST_ADDED
        _tell_lookups(f"{backend}, {name}", figures)

    def grow(owners: int) -> None:
        start = perf_counter()
        stage.grow(owners)
        _say(f"{backend}: {owners:,} organisations with policies", start)
        figures = laid_out[f"{owners:,} organisations"] = laying_out(stage)
        print("  " + ", ".join(f"{each} {name}" for name, each in figures.items()), flush=True)

    grow(organisations[0])
    for present, size in zip((0, *sizes), sizes, strict=False):
        start = perf_counter()
        fill(stage.on, present, size)
        _say(f"{backend}: filled to {size:,}", start)
        look(size)
    if len(sizes) > 1:
        added = [each["profile_and_matches"]["added_p50_ms"] for each in lookups.values()]
        print(
            f"{backend}: from {sizes[0]:,} to {sizes[-1]:,} indicators, with the same policies, "
            f"finding the profile and joining decisions goes from {added[0]} to {added[-1]} ms",
            flush=True,
        )
    for owners in organisations[1:]:
        grow(owners)
        start = perf_counter()
        relabel(stage.on)
        _say(f"{backend}: gave the indicators to {owners:,} organisations", start)
        look(sizes[-1])
    start = perf_counter()
    relabel(replace(stage.on, owners=stage.owners[:1]), with_tokens=False)
    _say(f"{backend}: gave all indicators to one organisation", start)
    simulated = simulation(stage)
    simulated["within_limit"] = simulated["seconds_most"] < LONGEST_SIMULATION
    _tell_simulation(f"{backend}, {len(stage.owners):,} organisations", simulated)
    return {"lookups": lookups, "laying_out": laid_out, "simulation": simulated}


def _tell_decisions(figures: Mapping[str, Any]) -> None:
    print(
        f"deciding: {figures['us_per_ruling_cold']} us a (seat, class, band) when it is new, "
        f"{figures['us_per_ruling_remembered']} us when it is remembered, "
        f"{figures['us_per_ruling_1000_organisations_of_6_kinds']} us for each of 1,000 "
        "organisations of 6 kinds; reading and checking a text takes "
        f"{figures['ms_to_read_and_check_the_text']} ms"
    )
    for action, each in figures["us_per_question"].items():
        put = figures["questions_put"][action]
        print(f"  {each:7.2f} us a question  {action}: {put} put for {figures['rulings']} rulings")


def _tell_lookups(name: str, figures: Mapping[str, Any]) -> None:
    part, statement, naive = (
        figures[each] for each in ("profile_and_matches", "statement", "naive")
    )
    print(
        f"{name}: {figures['queries']} queries, {figures['hits_per_query']} hits and "
        f"{figures['index_rows_per_query']} postings a query\n"
        f"  lookup      p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms; without policy "
        f"{figures['bare_p50_ms']} and {figures['bare_p99_ms']} ms\n"
        f"  added       {figures['added_p50_ms']} ms, {figures['added_p50_percent']} % of a lookup "
        f"without policy (p99: {figures['added_p99_percent']} %): "
        f"{'PASS' if figures['within_limit'] else 'FAIL'}, at most {MOST_ADDED:.0f} %\n"
        f"  of that, profile and matches: {part['p50_ms']} ms, without policy "
        f"{part['bare_p50_ms']} ms, {part['added_p50_percent_of_lookup']} % of a lookup\n"
        f"  the statement alone: {statement['p50_ms']} ms, without policy "
        f"{statement['bare_p50_ms']} ms ({statement['ratio_p50']} times), "
        f"{statement['added_p50_percent_of_lookup']} % of a lookup\n"
        f"  naive       p50 {naive['p50_ms']} ms, p99 {naive['p99_ms']} ms: "
        f"{naive['ratio_p50']} times the lookup ({naive['ratio_of_all_time']} times over all "
        f"{naive['queries']} queries), {naive['ratio_of_matches_p50']} times its matches",
        flush=True,
    )


def _tell_simulation(name: str, figures: Mapping[str, Any]) -> None:
    print(
        f"{name}: trying another policy of one owner of {figures['indicators']:,} indicators takes "
        f"{figures['seconds']} s, at most {figures['seconds_most']} s "
        f"({figures['seconds_of_counting']} s to count them alone): "
        f"{'PASS' if figures['within_limit'] else 'FAIL'}, under {LONGEST_SIMULATION:.0f} s",
        flush=True,
    )


def _say(done: str, since: float) -> None:
    print(f"{done} in {perf_counter() - since:.0f} s", flush=True)


if __name__ == "__main__":
    main()
