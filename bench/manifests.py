"""Manifests that resemble cross-border parcels, with campaigns planted in them as ground truth.

    python -m bench.manifests TARGET.parquet [--rows 1000000] [--seed 1]

No open data set of parcels with electronic advance data was found, so this is made up. What is
fitted to published figures: 45 % of parcels under 500 g and 86 % up to 2 kg (log-normal weight,
mu 6.359, sigma 1.15); 16 % under 10 euro and 40 % from 10 to 49 (log-normal value, mu 3.70, sigma
1.405); origins China 26 %, United States 16 %, Germany and Great Britain 15 % each. Sources: IPC
cross-border e-commerce shopper survey as told by thepaypers.com, and IPC 2019 as told by
cep-research.com. The European Commission's figures for low-value items (mean under 9 euro, 2024)
are far lower: `--value-mu` sets another mean. One parcel in 2,000 belongs to a campaign, 45 % come
from a few large mailers, and how people pay is assumed: those three have no source.

Everything follows from the seed by hashing, so that it does not depend on threads.
"""

# ruff: noqa: S608, E501 - statements of our own words and numbers, in lines as long as they are

import argparse
import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postern.duckdb_engine import Engine, literal

_HERE = Path(__file__).parent
_FIRST_DAY = "2026-11-01"
_DAYS = 14
_ONE_IN = 2_000  # parcels that belong to a campaign
_PART = 2_000_000  # parcels that are put in order at a time: wide rows, which take memory
_GOODS = (
    ("cotton t shirt", "610910", 5), ("phone case", "392690", 8), ("leather wallet", "420231", 3),
    ("running shoes", "640411", 5), ("paperback book", "490199", 5), ("usb cable", "854442", 6),
    ("toy car", "950300", 6), ("ladies dress", "620443", 6), ("led lamp", "940511", 4),
    ("cosmetic cream", "330499", 5), ("vitamin tablets", "210690", 3), ("green tea", "090210", 1),
    ("bicycle brake", "871494", 2), ("wrist watch", "910211", 2), ("silver ring", "711311", 2),
    ("kitchen knife", "821192", 2), ("fishing reel", "950730", 1), ("guitar strings", "920930", 1),
    ("pigment powder", "320417", 1), ("board game", "950490", 2), ("teddy bear", "950300", 2),
    ("wool blanket", "630120", 1), ("photo album", "482050", 1), ("spare parts", "870899", 2),
    ("gift", "", 2), ("documents", "", 4), ("samples", "", 1), ("honey", "040900", 1),
    ("déguisement d'enfant", "950590", 1), ("Büchersendung", "490199", 1),
)  # fmt: skip
_ORIGINS = (("CN", 26), ("US", 16), ("DE", 15), ("GB", 15), ("NL", 6), ("FR", 5), ("BE", 3),
            ("IT", 3), ("ES", 3), ("HK", 2), ("PE", 1), ("CO", 1), ("KE", 1), ("PL", 2), ("TR", 1))  # fmt: skip
_DESTINATIONS = (("DE", 18), ("FR", 15), ("NL", 12), ("BE", 8), ("GB", 10), ("US", 12), ("AT", 4),
                 ("ES", 6), ("IT", 6), ("IE", 3), ("AU", 3), ("SE", 3))  # fmt: skip
_POSTCODES = {"NL": "{:04d} AB", "GB": "SW{:d} 1AA", "US": "{:05d}", "CN": "{:06d}", "AT": "{:04d}",
              "BE": "{:04d}", "AU": "{:04d}", "CO": "{:06d}"}  # fmt: skip

COLUMNS = (
    *("item_id", "posted_on", "origin_country", "destination_country", "induction_point"),
    *("induction_postcode", "service", "declared_category", "payment", "contents", "hs_code"),
    *("pieces", "gross_weight_g", "net_weight_g", "value", "currency", "postage"),
    *("sender_name", "sender_business", "sender_street", "sender_postcode", "sender_phone"),
    *("addressee_name", "addressee_business", "addressee_street", "addressee_postcode"),
    *("addressee_phone", "delivery", "posted_time"),
)

Weighted = Sequence[tuple[str, float]]
"""Choices, and how often each comes in relation to the others."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ordinary goods, origins and destinations besides those of the surveys."""

    goods: Weighted = ()
    origins: Weighted = ()
    destinations: Weighted = ()


_SURVEYED = Surroundings()


@dataclass(frozen=True, slots=True)
class Planted:
    """A parcel of a campaign, by its item identifier."""

    item_id: str
    campaign: int
    kind: str


def main() -> None:
    """Write a manifest, and beside it the truth as CSV."""
    parser = argparse.ArgumentParser(description="A manifest with planted campaigns.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--value-mu", type=float, default=3.70)
    asked = parser.parse_args()
    work = asked.target.with_suffix(".work")
    work.mkdir()
    engine = Engine(work)
    planted = generate(asked.target, asked.rows, asked.seed, engine, value_mu=asked.value_mu)
    engine.close()
    for file in work.iterdir():
        file.unlink()
    work.rmdir()
    with asked.target.with_suffix(".truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows((each.item_id, each.campaign, each.kind) for each in planted)
    print(f"{asked.rows} rows, {len(planted)} of them planted")


def generate(
    target: Path,
    rows: int,
    seed: int,
    engine: Engine,
    *,
    campaigns: Sequence[tuple[Mapping[str, str], Planted]] | None = None,
    around: Surroundings = _SURVEYED,
    value_mu: float = 3.70,
) -> list[Planted]:
    """Write `rows` parcels to `target`, Parquet or CSV by its suffix; the planted ones.

    `campaigns` are rows to plant, else those of campaigns.json.
    """
    if campaigns is None:
        campaigns = list(_campaigns(rows // _ONE_IN, seed))
    file = target.with_suffix(".planted.csv")
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([[row[name] for name in COLUMNS] for row, _ in campaigns])
    named = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    planted = (
        f"SELECT * FROM read_csv({literal(file)}, auto_detect = false, header = false, "
        f"delim = ',', quote = '\"', escape = '\"', columns = {{{named}}})"
        if campaigns
        else f"SELECT {', '.join(f'NULL AS {name}' for name in COLUMNS)} WHERE false"
    )
    form = (
        "FORMAT parquet, COMPRESSION zstd" if target.suffix == ".parquet" else "FORMAT csv, HEADER"
    )
    listed = ", ".join(COLUMNS)
    count = rows - len(campaigns)
    parts = (
        [target]
        if rows <= _PART
        else [target.with_suffix(f".{n}.parquet") for n in range(-(-rows // _PART))]
    )
    for n, part in enumerate(parts):
        first, end = count * n // len(parts), count * (n + 1) // len(parts)
        mine = f"SELECT {listed} FROM ({planted}) WHERE hash(item_id) % {len(parts)} = {n}"
        ordinary = _ordinary(range(first, end), rows - len(campaigns), seed, value_mu, around)
        engine.run(
            f"COPY (SELECT {listed} FROM (SELECT {listed} FROM ({ordinary}) UNION ALL ({mine})) ORDER BY hash(item_id)) "
            f"TO {literal(part)} ({form if part == target else 'FORMAT parquet'})"
        )
    if len(parts) > 1:
        files = ", ".join(literal(part) for part in parts)
        engine.run(f"COPY (SELECT * FROM read_parquet([{files}])) TO {literal(target)} ({form})")
        for part in parts:
            part.unlink()
    file.unlink()
    return [planted for _, planted in campaigns]


def _ordinary(numbers: range, rows: int, seed: int, value_mu: float, around: Surroundings) -> str:
    """Parcels without a campaign, those of these numbers (i) of `rows`, as a query."""

    def share(salt: int, of: str = "i") -> str:
        # Hashes of neighbouring numbers are related; those of texts are not.
        return f"((hash({of} || ' {seed} {salt}') >> 11) / 9007199254740992.0)"

    def normal(salt: int) -> str:
        return (
            f"(sqrt(-2 * ln(greatest({share(salt)}, 1e-12))) * cos(2 * pi() * {share(salt + 1)}))"
        )

    def chosen(choices: Weighted, salt: int, of: str = "i") -> str:
        total = sum(weight for _, weight in choices)
        place, cases = 0.0, []
        for text, weight in choices:
            place += weight
            cases.append(f"WHEN {share(salt, of)} < {place / total} THEN {literal(text)}")
        return f"(CASE {' '.join(cases)} ELSE {literal(choices[-1][0])} END)"

    def postcode(country: str, number: str) -> str:
        cases = " ".join(
            f"WHEN '{code}' THEN {_postcode_sql(form, number)}" for code, form in _POSTCODES.items()
        )
        return f"(CASE {country} {cases} ELSE lpad(CAST({number} % 89999 + 10000 AS VARCHAR), 5, '0') END)"

    goods: list[tuple[str, float]] = [(f"{text}|{code}", weight) for text, code, weight in _GOODS]
    goods += [(f"{text}|", weight) for text, weight in around.goods]
    return f"""
SELECT 'R' || 'A' || digits || check_digit || origin AS item_id,
 CAST(DATE '{_FIRST_DAY}' + CAST(floor({share(1)} * {_DAYS}) AS INTEGER) AS VARCHAR) AS posted_on,
 origin AS origin_country, destination AS destination_country,
 origin || '-' || lpad(CAST(point AS VARCHAR), 4, '0') AS induction_point,
 {postcode("origin", "point * 7")} AS induction_postcode,
 CASE WHEN is_mailer THEN {chosen((("parcel", 6), ("letter", 3), ("express", 1)), 2)}
  ELSE {chosen((("parcel", 5), ("letter", 3), ("registered", 1), ("express", 1)), 3)} END AS service,
 CASE WHEN goods LIKE 'documents%' THEN 'documents' WHEN is_mailer THEN 'sale_of_goods'
  ELSE {chosen((("gift", 4), ("sale_of_goods", 4), ("other", 1), ("returned_goods", 1)), 4)} END AS declared_category,
 CASE WHEN is_mailer THEN 'account'
  ELSE {chosen((("online", 5), ("card", 3), ("cash", 1), ("stamps", 1)), 5)} END AS payment,
 split_part(goods, '|', 1) || CASE WHEN {share(6)} < 0.6 THEN ' ' || {chosen((("new", 3), ("black", 2), ("size m", 2), ("set of 2", 2), ("blue", 1)), 7)} ELSE '' END AS contents,
 CASE WHEN {share(8)} < 0.8 THEN split_part(goods, '|', 2) END AS hs_code,
 CAST(1 + CAST(floor({share(9)} * {share(9)} * 6) AS INTEGER) AS VARCHAR) AS pieces,
 CAST(CAST(grams * (1.05 + {share(10)} * 0.4) AS INTEGER) + 10 AS VARCHAR) AS gross_weight_g,
 CAST(grams AS VARCHAR) AS net_weight_g,
 CAST(round(exp({value_mu} + 1.405 * {normal(11)}), 2) AS VARCHAR) AS value, 'EUR' AS currency,
 CAST(round(3 + grams * 0.006 + {share(13)} * 6, 2) AS VARCHAR) AS postage,
 CASE WHEN is_mailer THEN NULL ELSE 'Sender ' || sender END AS sender_name,
 CASE WHEN is_mailer THEN 'Mailer ' || sender WHEN {share(14, "sender")} < 0.1 THEN 'Shop ' || sender END AS sender_business,
 'Street ' || CAST(sender % 9973 AS VARCHAR) AS sender_street,
 CASE WHEN is_mailer OR {share(15)} < 0.9 THEN {postcode("origin", "point * 7")} ELSE {postcode("origin", "sender")} END AS sender_postcode,
 CASE WHEN {share(16, "sender")} < 0.7 THEN '+32' || CAST(400000000 + sender AS VARCHAR) END AS sender_phone,
 'Addressee ' || addressee AS addressee_name,
 CASE WHEN {share(17, "addressee")} < 0.12 THEN 'Firm ' || addressee END AS addressee_business,
 'Road ' || CAST(addressee % 99991 AS VARCHAR) AS addressee_street,
 {postcode("destination", "addressee")} AS addressee_postcode,
 CASE WHEN {share(18, "addressee")} < 0.6 THEN '+31' || CAST(600000000 + addressee AS VARCHAR) END AS addressee_phone,
 {chosen((("address", 82), ("service_point", 8), ("locker", 7), ("po_box", 2), ("poste_restante", 1)), 19)} AS delivery,
 lpad(CAST(7 + CAST(floor({share(30)} * 14) AS INTEGER) AS VARCHAR), 2, '0') || ':00' AS posted_time
FROM (SELECT *, CASE rest WHEN 10 THEN 0 WHEN 11 THEN 5 ELSE rest END AS check_digit FROM (SELECT *,
 11 - ((CAST(digits[1] AS INTEGER) * 8 + CAST(digits[2] AS INTEGER) * 6 + CAST(digits[3] AS INTEGER) * 4
 + CAST(digits[4] AS INTEGER) * 2 + CAST(digits[5] AS INTEGER) * 3 + CAST(digits[6] AS INTEGER) * 5
 + CAST(digits[7] AS INTEGER) * 9 + CAST(digits[8] AS INTEGER) * 7) % 11) AS rest
 FROM (SELECT i, lpad(CAST(i AS VARCHAR), 8, '0') AS digits, {share(20)} < 0.45 AS is_mailer,
 {chosen((*_ORIGINS, *around.origins), 21)} AS origin, {chosen((*_DESTINATIONS, *around.destinations), 22)} AS destination,
 {chosen(goods, 23)} AS goods,
 greatest(5, CAST(exp(6.359 + 1.15 * {normal(24)}) AS INTEGER)) AS grams,
 CASE WHEN {share(20)} < 0.45 THEN CAST(floor(pow({share(26)}, 3) * 400) AS BIGINT)
  ELSE 1000 + CAST(floor({share(27)} * {max(rows // 2, 10)}) AS BIGINT) END AS sender,
 CAST(floor({share(28)} * {max(rows * 2 // 3, 10)}) AS BIGINT) AS addressee,
 CAST(floor({share(29)} * {max(rows // 400, 5)}) AS BIGINT) AS point FROM range({numbers.start}, {numbers.stop}) AS numbers(i))))
"""


def _postcode_sql(form: str, number: str) -> str:
    before, low, span, after = _digits_of(form)
    return f"'{before}' || CAST(({number}) % {span} + {low} AS VARCHAR) || '{after}'"


def postcode_of(country: str, number: int) -> str:
    """The postcode that ordinary parcels have for a number, such as seven times that of a point."""
    if country not in _POSTCODES:
        return f"{number % 89999 + 10000:05}"
    before, low, span, after = _digits_of(_POSTCODES[country])
    return f"{before}{number % span + low}{after}"


def _digits_of(form: str) -> tuple[str, int, int, str]:
    """Of a form such as {:04d} AB what stands before, the digits' least and span, and the rest.

    Digits never begin with a zero.
    """
    before, _, rest = form.partition("{")
    digits, _, after = rest.partition("}")
    width = int(digits[2]) if digits.startswith(":0") else 1
    return before, 10 ** (width - 1), 9 * 10 ** (width - 1), after


def _campaigns(most: int, seed: int) -> Iterator[tuple[dict[str, str], Planted]]:
    """Parcels of campaigns, `most` at most, and to which each belongs."""
    kinds: Sequence[Mapping[str, Any]] = json.loads((_HERE / "campaigns.json").read_text())["kinds"]
    source = random.Random(f"{seed} campaigns")  # noqa: S311 - made-up parcels
    number = made = 0
    while made < most:
        kind = kinds[number % len(kinds)]
        size = min(source.randint(*kind["parcels"]), most - made)
        for row in _campaign(kind, size, number, source):
            item = f"C{made:08}X"
            yield row | {"item_id": item}, Planted(item, number, kind["kind"])
            made += 1
        number += 1


def _campaign(
    kind: Mapping[str, Any], size: int, number: int, source: random.Random
) -> Iterator[dict[str, str]]:
    common = {name: source.choice(words) for name, words in kind["choose"].items()}
    days = source.randint(*kind["days"])
    first = source.randint(0, max(0, _DAYS - days))
    point = source.randint(5_000, 9_000)
    for place in range(size):
        row = dict.fromkeys(COLUMNS, "") | common | kind["fixed"]
        row |= {name: source.choice(words) for name, words in kind["vary"].items()}
        row |= {name: str(source.randint(*ends)) for name, ends in kind["between"].items()}
        at = point if kind["point"] == "one" else source.randint(0, 9_000)
        area = f"{at * 7 % 89_999 + 10_000}"
        home = f"{source.randint(10_000, 99_999)}" if kind.get("far") else area
        gross = int(row["net_weight_g"]) * source.randint(105, 140) // 100 + 10
        row |= {
            "posted_on": f"2026-11-{1 + first + source.randint(0, days - 1):02}",
            "induction_point": f"{row['origin_country']}-{at:04}",
            "induction_postcode": area,
            "sender_postcode": home,
            "currency": "EUR",
            "pieces": "1",
            "gross_weight_g": str(gross),
        }
        yield row | _parties(kind, number, place)


def _parties(kind: Mapping[str, Any], number: int, place: int) -> dict[str, str]:
    """Who sends and who receives: one, another each time, a firm, or many names at one house."""
    sender = f"{number}" if kind["sender"] == "one" else f"{number}-{place}"
    addressee = f"{number}" if kind["addressee"] == "one" else f"{number}-{place}"
    house = f"{number}" if kind["addressee"] in {"one", "house"} else addressee
    name = "sender_business" if kind["sender"] == "firm" else "sender_name"
    return {
        name: f"Posted by {sender}",
        "sender_street": f"Lane {sender}",
        "addressee_name": f"Received by {addressee}",
        "addressee_street": f"Court {house}",
        "addressee_postcode": f"{(number * 37) % 89_999 + 10_000}",
    }


if __name__ == "__main__":
    main()
