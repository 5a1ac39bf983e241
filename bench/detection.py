"""What is found of campaigns whose kinds the rules do not know, at a fixed number of inspections.

    python -m bench.detection [--rows 1000000] [--times 1] [--seed 11]

The kinds are those of held_out_campaigns.py, written from published typologies without knowledge of
the rules. They are planted in a manifest whose ordinary parcels (bench/manifests.py) also have
their goods, origins and destinations, so that no word and no route is a sign by itself. The
manifest is screened with policies/patterns, and the highest hits are "inspected".

Beside it, at the same number of inspections: published red flags used one by one, each inspecting
flagged parcels at random (the expected number is computed); the number of flags that a parcel
shows, ranked; and inspection at random. Both manifest and campaigns are made up: the figures say
what the rules do with kinds that they were not written for, not what they are worth on real mail.
The last line is one JSON object.
"""

# ruff: noqa: S608, E501 - every name in a statement is ours; statements stand on one line

import argparse
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import sqrt
from pathlib import Path
from typing import Any

from bench.held_out_campaigns import KINDS, SEED, PlantedParcel, planted
from bench.machine import machine
from bench.manifests import COLUMNS, Planted, Surroundings, generate, postcode_of
from postern.duckdb_engine import Engine
from postern.manifest import prepare
from postern.manifest_mapping import ManifestMapping
from postern.patterns.files import rules_of
from postern.patterns.model import Rule
from postern.screening import screen

LIBRARY = Path(__file__).parents[1] / "policies" / "patterns"
_DAYS = 14
_NEAR = 0.9  # ordinary private parcels whose return address lies near the place of posting
_CODED = 0.8  # ordinary parcels with an HS code
_HS_CODES = ("610910", "392690", "490199", "950300", "630120", "330499", "210690", "870899")
FLAGS: Mapping[str, str] = {
    "postage in cash": "payment = 'cash'",
    "no telephone number of the sender": "sender_phone IS NULL",
    "no telephone number of the addressee": "addressee_phone IS NULL",
    "return area differs from the posting": "sender_area_differs",
    "private to private": "sender_business IS NULL AND addressee_business IS NULL",
    "express": "service = 'express'",
    "no HS code": "hs_code IS NULL",
    "postage above half the value": "postage_to_value > 50",
    "gift": "declared_category = 'gift'",
    "one word of contents": "contents_words = 1",
}
"""Red flags that a manifest shows, as the FBI Law Enforcement Bulletin of 1996, court practice and
customs' advice on declarations name them (sources in policies/patterns)."""


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Detection of held-out kinds of campaigns.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=1, help="campaigns of each kind")
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        figures = measured(Path(folder), asked.rows, asked.times, asked.seed)
    figures["machine"] = machine("duckdb", "ibis-framework")
    _tell(figures)
    print(json.dumps(figures))


def measured(folder: Path, rows: int, times: int, seed: int) -> dict[str, Any]:
    """The figures of one manifest."""
    engine = Engine(folder)
    campaigns = lent(list(planted(times, SEED + seed)), rows, seed)
    truth = generate(
        folder / "manifest.parquet",
        rows,
        seed,
        engine,
        campaigns=campaigns,
        around=surroundings(),
    )
    made = prepare(folder / "manifest.parquet", folder, ManifestMapping(), engine, lambda *_: None)
    rules = rules_of([LIBRARY])
    screen(made, rules, (), engine, work=folder, most=1, language="en", progress=lambda *_: None)
    engine.table("planted", ("item_id", "kind"), ((each.item_id, each.kind) for each in truth))
    engine.run(
        "CREATE VIEW judged AS SELECT manifest.*, planted.kind IS NOT NULL AS is_planted "
        "FROM manifest LEFT JOIN planted USING (item_id)"
    )
    budgets = [len(truth) * share // 2 for share in (1, 2, 4, 10)]
    ((hit,),) = engine.rows("SELECT count(*) FROM ranked")
    found = {
        "rows": rows,
        "planted": len(truth),
        "campaigns": len({each.campaign for each in truth}),
        "kinds": len(KINDS),
        "parcels_that_hit": hit,
        "by_rule": _by_rule(engine, rules, len(truth)),
        "budgets": [_at(engine, truth, budget, rows) for budget in budgets],
        "kinds_found": _kinds(engine, truth, budgets[1]),
    }
    engine.close()
    return found


def surroundings() -> Surroundings:
    """Ordinary parcels with the goods and routes of the kinds: about one in seven."""
    goods = sorted({text for kind in KINDS for text in kind.contents})
    origins = sorted({code for kind in KINDS for code in kind.origin})
    destinations = sorted({code for kind in KINDS for code in kind.destination})
    return Surroundings(
        tuple((text, 0.15) for text in goods),
        tuple((code, 0.5) for code in origins),
        tuple((code, 0.5) for code in destinations),
    )


def lent(
    parcels: Sequence[PlantedParcel], rows: int, seed: int
) -> list[tuple[dict[str, str], Planted]]:
    """Planted parcels as rows of a manifest: names, streets, counters and days are drawn here."""
    drawn = random.Random(f"{seed} lent")  # noqa: S311 - made-up parcels
    found: list[tuple[dict[str, str], Planted]] = []
    for campaign, grouped in groupby(parcels, key=lambda each: each.campaign):
        its = list(grouped)
        first = drawn.randint(0, _DAYS - 1 - max(each.day for each in its))
        lender = _Lender(campaign, rows, drawn)
        for parcel in its:
            item = f"H{len(found):08}X"
            row = lender.row(parcel, first) | {"item_id": item}
            found.append((row, Planted(item, campaign, parcel.kind)))
    return found


class _Lender:
    """Names of one campaign: who is number 0 in it is the same person in all its parcels."""

    def __init__(self, campaign: int, rows: int, drawn: random.Random) -> None:
        self._drawn = drawn
        self._base = 10 * rows + 1_000 * campaign
        self._counters: dict[int, int] = {}
        self._homes: dict[int, int] = {}
        self._points = max(rows // 400, 5)
        self._borrowed = drawn.randrange(400)

    def row(self, parcel: PlantedParcel, first: int) -> dict[str, str]:
        """The row of one parcel; `first` is the first day of its campaign."""
        fields, drawn = parcel.fields, self._drawn
        origin, destination = str(fields["origin_country"]), str(fields["destination_country"])
        point = self._counters.setdefault(parcel.counter, drawn.randrange(self._points))
        near = parcel.sender_lives_near
        if near is None:
            near = drawn.random() < _NEAR
        home = self._homes.setdefault(parcel.sender_address, drawn.randrange(10**6))
        row = dict.fromkeys(COLUMNS, "")
        row |= {name: str(fields[name]) for name in fields if name in row}
        row |= {
            "posted_on": f"2026-11-{1 + first + parcel.day:02}",
            "posted_time": f"{fields['posted_hour']:02}:00",
            "induction_point": f"{origin}-{point:04}",
            "induction_postcode": postcode_of(origin, point * 7),
            "value": str(fields["value_eur"]),
            "currency": "EUR",
            "postage": f"{3 + int(fields['net_weight_g']) * 0.006 + drawn.random() * 6:.2f}",
            "hs_code": drawn.choice(_HS_CODES) if drawn.random() < _CODED else "",
            "sender_postcode": postcode_of(origin, point * 7 if near else home),
            "addressee_name": f"Addressee {self._base + parcel.addressee_name}",
            "addressee_street": f"Road {self._base + parcel.addressee_address}",
            "addressee_postcode": postcode_of(destination, self._base + parcel.addressee_address),
        }
        if parcel.has_addressee_phone:
            row["addressee_phone"] = f"+31{self._base + parcel.addressee_name}"
        return row | self._sender(parcel)

    def _sender(self, parcel: PlantedParcel) -> dict[str, str]:
        name = self._base + parcel.sender_name
        street = f"Street {self._base + parcel.sender_address}"
        phone = {"sender_phone": f"+32{name}"} if parcel.has_sender_phone else {}
        if not parcel.sender_is_firm:
            return {"sender_name": f"Sender {name}", "sender_street": street} | phone
        if parcel.sender_lives_near is False:  # a firm that exists, and knows nothing of it
            firm = (self._borrowed + 7 * parcel.sender_name) % 400
            return {"sender_business": f"Mailer {firm}", "sender_street": f"Street {firm}"} | phone
        return {"sender_business": f"Shop {name}", "sender_street": street} | phone


def _by_rule(engine: Engine, rules: Sequence[Rule], planted_parcels: int) -> dict[str, Any]:
    counted = engine.rows(
        "SELECT rule, count(*), count(*) FILTER (is_planted) FROM hits JOIN judged USING (line) GROUP BY rule"
    )
    found = {place: (count, right) for place, count, right in counted}
    return {
        rule.title: _rates(*found.get(place, (0, 0)), planted_parcels)
        for place, rule in enumerate(rules)
    }


def _rates(count: int, right: int, planted_parcels: int) -> dict[str, Any]:
    low, high = _wilson(right, count)
    return {
        "hits": count,
        "right": right,
        "precision": round(right / count, 5) if count else None,
        "precision_95": [round(low, 5), round(high, 5)] if count else None,
        "recall": round(right / planted_parcels, 4),
    }


def _wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, right / count
    middle = share + z * z / (2 * count)
    spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def _at(engine: Engine, truth: Sequence[Planted], budget: int, rows: int) -> dict[str, Any]:
    """What is found with `budget` inspections, in each way."""
    ranked = "SELECT item_id FROM ranked JOIN manifest USING (line) ORDER BY score DESC, line LIMIT"
    shown = " + ".join(
        f"CAST(coalesce({condition}, false) AS INTEGER)" for condition in FLAGS.values()
    )
    counted = f"SELECT item_id FROM judged ORDER BY {shown} DESC, hash(line) LIMIT"
    return {
        "inspected": budget,
        "rules": _found(engine, truth, f"{ranked} {budget}", budget),
        "number of flags": _found(engine, truth, f"{counted} {budget}", budget),
        "one flag": {
            name: _expected(engine, condition, budget, len(truth))
            for name, condition in FLAGS.items()
        },
        "at random": {
            "precision": round(len(truth) / rows, 5),
            "recall": round(budget / rows, 5),
        },
    }


def _found(engine: Engine, truth: Sequence[Planted], sql: str, budget: int) -> dict[str, float]:
    items = {row[0] for row in engine.rows(sql)}
    right = [each for each in truth if each.item_id in items]
    campaigns = {each.campaign for each in truth}
    return {
        "precision": round(len(right) / budget, 4),
        "recall": round(len(right) / len(truth), 4),
        "campaigns_touched": round(len({each.campaign for each in right}) / len(campaigns), 4),
    }


def _expected(engine: Engine, condition: str, budget: int, all_planted: int) -> dict[str, float]:
    """What `budget` inspections find on average among the flagged, drawn at random."""
    ((flagged, right),) = engine.rows(
        f"SELECT count(*), count(*) FILTER (is_planted) FROM judged WHERE {condition}"
    )
    drawn = min(budget, flagged)
    found = right * drawn / flagged if flagged else 0.0
    return {"precision": round(found / budget, 5), "recall": round(found / all_planted, 5)}


def _kinds(engine: Engine, truth: Sequence[Planted], budget: int) -> dict[str, str]:
    """For each kind how many of its parcels are among the highest, and how many hit at all."""
    hit = {row[0] for row in engine.rows("SELECT item_id FROM ranked JOIN manifest USING (line)")}
    high = {
        row[0]
        for row in engine.rows(
            f"SELECT item_id FROM ranked JOIN manifest USING (line) ORDER BY score DESC, line LIMIT {budget}"
        )
    }
    found = {}
    for kind in KINDS:
        its = [each.item_id for each in truth if each.kind == kind.name]
        inspected = sum(each in high for each in its)
        found[kind.name] = f"{inspected} of {len(its)}; {sum(each in hit for each in its)} hit"
    return found


def _tell(figures: Mapping[str, Any]) -> None:
    print(
        f"{figures['rows']:,} parcels, {figures['planted']} planted in {figures['campaigns']} campaigns of "
        f"{figures['kinds']} kinds; {figures['parcels_that_hit']:,} hit"
    )
    for title, each in figures["by_rule"].items():
        if each["hits"]:
            print(
                f"{each['hits']:>8,} hits {each['right']:>4} right  precision {each['precision']:.4f} {title}"
            )
    for each in figures["budgets"]:
        print(f"{each['inspected']} inspected")
        for way in ("rules", "number of flags", "at random"):
            print(f"  {way:40} {each[way]}")
        for flag, one in each["one flag"].items():
            print(f"  {flag:40} {one}")
    for kind, told in figures["kinds_found"].items():
        print(f"  {kind:45} {told}")


if __name__ == "__main__":
    main()
