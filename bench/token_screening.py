"""What screening against a token filter costs: evaluations, bytes and seconds per million parcels.

    python -m bench.token_screening [--rows 1000000] [--here 2000] [--elsewhere 50000] [--every]

Manifests of two nights (bench.manifests) get made-up persons at the addresses of one made-up large
city (bench.matching_register), names recombined from tests/data/addresses-open.json, and are
screened on one core: `library`, with the shipped pattern that asks for tokens
(policies/patterns/listed-address-and-oddity.yml), and `every parcel`, with a rule that asks for
nothing but tokens; with three facets first, with two (library only), and with every facet at once.
`cold` is the first night with an empty cache, `warm` the second night after it, `again` the second
night once more. Counts are exact. In place of the VOPRF stands HMAC-SHA256, which changes no count;
what an evaluation costs is measured apart, with real proofs, at the premises and at the platform.
Seconds of a run are processor seconds of everything else: choosing parcels, normalising, the cache,
the tests against the filter.

The filter holds the tokens of `--here` persons of the same city and of `--elsewhere` persons of
another one with the same streets; 100 addressees of each night are listed besides, chosen among
those that the pattern asks about, and all of them must be found. That all parcels go to one city is
the worst case for the first facets: neighbours of listed persons are as many as can be. How often a
token that is not listed fits is measured with the same construction and shorter tags, since at 8
bytes it cannot be: the promise is n * 2**-bits. How many of the pairs that a lookup finds have one
of the first facets in common is measured on labelled addresses. The last line is one JSON object.
"""

# ruff: noqa: S608 - every name in a statement is ours

import argparse
import csv
import hashlib
import hmac
import json
import random
import tempfile
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any
from uuid import UUID

from bench.machine import machine
from bench.manifests import generate
from bench.matching_register import register
from bench.matching_sets import OPEN_PART, Task, read_addresses
from postern import voprf
from postern.duckdb_engine import Engine, literal
from postern.evaluation_octets import MOST
from postern.facet_kinds import NUMBERS
from postern.facets import evaluation_input, facets
from postern.group import SIZE
from postern.manifest import Prepared, prepare
from postern.manifest_mapping import ManifestMapping
from postern.matching import score
from postern.normalise import NormalisationError, Normalised, Party, normalise
from postern.patterns.files import rules_of
from postern.patterns.model import Rule
from postern.patterns.reading import read_rules
from postern.pseudonym import derive_epoch_key
from postern.token_cache import TokenCache
from postern.token_evaluation import Spent
from postern.token_filter import FilterHeader, TokenFilter
from postern.token_screening import EVERY_FACET, FIRST, TokenAccount, screen_tokens
from postern.token_tags import RECORD_SIZE, content_of, records, tag
from postern.vocabulary import EvaluationKind, Kind, LegalBasis, Purpose
from postern.voprf import MAX_BATCH, PROOF_SIZE

_LIBRARY = Path(__file__).parents[1] / "policies" / "patterns" / "listed-address-and-oddity.yml"
_SALT = bytes(range(32))
_KEY = b"bench: stands in for the VOPRF's"
_EPOCH = 1
_PLANTED = 100  # addressees of each night that are listed
_PEOPLE = 700_000  # persons that parcels are sent by and to
_HOWS = {
    "three first": FIRST,
    "two first": frozenset({NUMBERS["P*H"], NUMBERS["SK*H"]}),
    "every facet": EVERY_FACET,
}
_WARM, _COLD, _AGAIN = "warm", "cold", "again"
_EVERY = """\
format: parcel-pattern/1
id: 5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0bbb
title: Anybody who is listed
status: experimental
author: Post of Example
description: Parcels of which a party is on the screening list.
references: [made for a measurement]
barrier_step: 5
level: low
false_positives: [those of the list]
tlp: GREEN
expires: 2030-12-31
detection:
  to: {addressee_token: [exact, near]}
  of: {sender_token: [exact, near]}
  condition: to or of
tests:
  hit: [{addressee_token: exact}]
  miss: [{pieces: 1}]
"""


class Counting:
    """Tokens by HMAC through the real cache; counts what the VOPRF would be asked."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache
        self.spent = Spent()

    def tokens(
        self, kind: EvaluationKind, epoch: int, values: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """As `BulkTokens.tokens` does, without a platform."""
        wanted = list(dict.fromkeys(values))
        found = self._cache.known(epoch, wanted)
        self.spent.asked += len(wanted)
        self.spent.cached += len(found)
        fresh = {value: _token(value) for value in wanted if value not in found}
        if fresh:
            self._cache.keep(kind, epoch, fresh)
        for start in range(0, len(fresh), MOST):
            count = min(MOST, len(fresh) - start)
            self.spent.requests += 1
            self.spent.evaluated += count
            self.spent.bytes_sent += count * SIZE
            self.spent.bytes_received += count * SIZE + -(-count // MAX_BATCH) * PROOF_SIZE
        return found | fresh


@dataclass(slots=True)
class Night:
    """One manifest of the two, and the addressees of it that are listed."""

    path: Path
    lines: frozenset[int]
    values: list[Normalised]


@dataclass(slots=True)
class Measured:
    """One run."""

    rules: str
    facets: str
    state: str
    parcels: int
    account: TokenAccount
    spent: Spent
    seconds: float
    planted_found: int
    extra: dict[str, Any] = field(default_factory=dict)


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Cost of screening against a token filter.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--here", type=int, default=2_000, help="listed persons of the city")
    parser.add_argument("--elsewhere", type=int, default=50_000, help="and of another city")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", action="store_true", help="also a rule for every parcel")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as directory:
        folder = Path(directory)
        city = City(asked.seed)
        nights = [_night(folder, city, asked.rows, asked.seed + n) for n in range(2)]
        listed = [*city.persons(asked.here, "here"), *city.persons(asked.elsewhere, "elsewhere")]
        token_filter, built = _filter(listed, nights)
        cases = [("library", rules_of([_LIBRARY]))]
        if asked.every:
            cases.append(("every parcel", read_rules(_EVERY)))
        runs = [
            run for name, rules in cases for run in _runs(name, rules, nights, token_filter, folder)
        ]
    figures = {
        "rows": asked.rows,
        "filter": {
            "records": token_filter.header.count,
            "bytes": len(token_filter.content),
            "build_s": round(built, 2),
            **_filter_speed(token_filter),
        },
        "runs": [_as_json(run) for run in runs],
        "evaluation": _evaluation_cost(),
        "false_positives": _false_positives(asked.seed),
        "first_facets": _first_facets(),
        "machine": machine("duckdb"),
    }
    _print(figures)
    print(json.dumps(figures))


class City:
    """Addresses of a made-up city, and persons at them."""

    def __init__(self, seed: int) -> None:
        entities = json.loads(OPEN_PART.read_text(encoding="utf-8"))["entities"]
        names = [str(entity["person"]).split("|") for entity in entities]
        self._seed = seed
        self._first = sorted({words[0] for words in names})
        self._last = sorted({words[-1] for words in names})
        self._homes = register(entities)

    def persons(self, count: int, which: str) -> Iterator[Party]:
        """Persons at addresses of the city, or `elsewhere`, others for every `which`."""
        source = random.Random(f"{self._seed} {which}")  # noqa: S311 - made-up persons
        for _ in range(count):
            home = source.choice(self._homes)
            name = f"{source.choice(self._first)} {source.choice(self._last)}"
            postcode, city = home.postcode, home.city
            if which == "elsewhere":
                postcode, city = f"2{postcode[1:]}", "Hamburg"
            yield Party(name, home.lines, postcode, city, home.country)

    def write(self, count: int, path: Path) -> None:
        """Persons as a CSV file: number, name, street, postcode, city."""
        with path.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(
                (number, each.name, each.lines[0], each.postcode, each.city)
                for number, each in enumerate(self.persons(count, "population"))
            )


def _night(folder: Path, city: City, rows: int, seed: int) -> Night:
    """A manifest, with a hundred addressees spread over it who are listed."""
    made, path = folder / f"made-{seed}.parquet", folder / f"night-{seed}.parquet"
    people = folder / "people.csv"
    work = folder / f"work-{seed}"
    work.mkdir()
    if not people.exists():
        city.write(_PEOPLE, people)
    engine = Engine(work)
    generate(made, rows, seed, engine)
    engine.run(
        f"CREATE TABLE people AS SELECT * FROM read_csv({literal(people)}, header = false, "
        "columns = {'number': 'BIGINT', 'name': 'VARCHAR', 'street': 'VARCHAR', "
        "'postcode': 'VARCHAR', 'city': 'VARCHAR'})"
    )
    sides = ("sender", "addressee")
    replaced = ", ".join(
        f"CASE WHEN m.{side}_name IS NULL THEN m.{side}_{part} ELSE {side}.{part} END "
        f"AS {side}_{part}"
        for side in sides
        for part in ("name", "street", "postcode")
    )
    joined = " ".join(
        f"LEFT JOIN people AS {side} ON {side}.number = hash(m.{side}_name) % {_PEOPLE}"
        for side in sides
    )
    engine.run(
        f"COPY (SELECT m.* REPLACE ({replaced}), sender.city AS sender_city, addressee.city AS "
        f"addressee_city, 'DE' AS addressee_country FROM read_parquet({literal(made)}) AS m "
        f"{joined}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
    )
    found = engine.rows(
        "SELECT file_row_number + 1, addressee_name, addressee_street, addressee_postcode, "
        f"addressee_city FROM read_parquet({literal(path)}, file_row_number = true) "
        "WHERE addressee_city IS NOT NULL AND declared_category IN ('gift', 'documents') AND "
        "TRY_CAST(postage AS DOUBLE) > 2 * TRY_CAST(value AS DOUBLE) ORDER BY hash(item_id) "
        f"LIMIT {_PLANTED}"
    )
    engine.close()
    values = [
        normalise(Party(name, (street,), postcode, town, "de"))
        for _, name, street, postcode, town in found
    ]
    return Night(path, frozenset(int(row[0]) for row in found), values)


def _filter(listed: Sequence[Party], nights: Sequence[Night]) -> tuple[TokenFilter, float]:
    """The filter, and the processor seconds to make its content of tokens' inputs."""
    values = [*map(normalise, listed), *(value for night in nights for value in night.values)]
    begun = process_time()
    content = content_of(
        (tag(_SALT, _token(evaluation_input(facet, EvaluationKind.POSTAL))), facet.number)
        for value in values
        for facet in facets(value)
    )
    now = datetime.now(UTC).replace(microsecond=0)
    header = FilterHeader(
        platform="bench",
        organisation="bench",
        issue=UUID(int=1),
        seq=1,
        purpose=Purpose.PARCEL_SCREENING,
        legal_basis=LegalBasis.POSTAL_LAW,
        epochs=dict.fromkeys(EvaluationKind, _EPOCH),
        salt=_SALT,
        count=len(content) // RECORD_SIZE,
        sha256=hashlib.sha256(content).digest(),
        created_at=now,
        expires_at=now + timedelta(days=7),
    )
    return TokenFilter(header, content), process_time() - begun


def _runs(
    name: str,
    rules: Sequence[Rule],
    nights: Sequence[Night],
    token_filter: TokenFilter,
    folder: Path,
) -> Iterator[Measured]:
    for how, first in _HOWS.items():
        if name != "library" and how == "two first":
            continue
        place = folder / f"{name}-{how}".replace(" ", "-")
        place.mkdir()
        for state, night in ((_COLD, nights[0]), (_WARM, nights[1]), (_AGAIN, nights[1])):
            with TokenCache(
                place / "cache.sqlite",
                place / "cache.key",
                token_filter.header.epochs,
                datetime.now(UTC).date(),
            ) as cache:
                run = _run(rules, night, token_filter, Counting(cache), (place / state, first))
            run.rules, run.facets, run.state = name, how, state
            run.extra["cache_bytes"] = (place / "cache.sqlite").stat().st_size
            yield run


def _run(
    rules: Sequence[Rule],
    night: Night,
    token_filter: TokenFilter,
    source: Counting,
    where: tuple[Path, frozenset[int]],
) -> Measured:
    """One run in a directory of its own, with some facets first."""
    work, first = where
    work.mkdir()
    engine = Engine(work, threads=1)
    prepared: Prepared = prepare(
        night.path, work, ManifestMapping(), engine, lambda *_: None, keeps_cells=True
    )
    begun = process_time()
    found = screen_tokens(
        prepared,
        rules,
        (),
        engine,
        token_filter=token_filter,
        source=source,
        work=work,
        confirm=None,
        progress=lambda *_: None,
        first=first,
    )
    seconds = process_time() - begun
    engine.close()
    lines = {line for each in found.listed for line, party in each.lines if party == "addressee"}
    return Measured(
        "",
        "",
        "",
        prepared.account.screened,
        found.account,
        source.spent,
        seconds,
        len(lines & night.lines),
    )


def _token(value: bytes) -> bytes:
    return hmac.digest(_KEY, value, "sha256")[:16]


def _filter_speed(token_filter: TokenFilter) -> dict[str, float]:
    """Checking it as a whole, and testing a token that is not listed."""
    begun = process_time()
    TokenFilter(token_filter.header, token_filter.content)
    checked = process_time() - begun
    probes = [hashlib.sha256(b"%d" % n).digest()[:16] for n in range(100_000)]
    begun = process_time()
    fitting = sum(token_filter.lists(probe, 3) for probe in probes)
    tested = process_time() - begun
    return {
        "check_s": round(checked, 3),
        "test_us": round(tested / len(probes) * 1e6, 2),
        "probes_that_fit": fitting,
    }


def _evaluation_cost(count: int = 5_000) -> dict[str, float]:
    """Microseconds of processor time for each element, by side, with real blinds and proofs."""
    secret, public = derive_epoch_key(bytes(range(32)), EvaluationKind.POSTAL, _EPOCH)
    premises = platform = 0.0
    for start in range(0, count, MAX_BATCH):
        begun = process_time()
        pairs = [voprf.blind(b"facet %d" % n) for n in range(start, start + MAX_BATCH)]
        blinded = [element for _, element in pairs]
        premises += process_time() - begun
        begun = process_time()
        evaluated, proof = voprf.evaluate(secret, public, blinded)
        platform += process_time() - begun
        begun = process_time()
        voprf.verify(public, blinded, evaluated, proof)
        for (blind, _), element in zip(pairs, evaluated, strict=True):
            voprf.unblind(blind, element)
        premises += process_time() - begun
    return {
        "premises_us": round(premises / count * 1e6, 1),
        "platform_us": round(platform / count * 1e6, 1),
    }


def _false_positives(seed: int, listed: int = 100_000, probes: int = 2_000_000) -> list[Any]:
    """How often a token that is not listed fits one that is, by bits of the tag."""
    source = random.Random(seed)  # noqa: S311 - made-up tokens
    own = [source.randbytes(16) for _ in range(listed)]
    rows = []
    full = content_of((tag(_SALT, each), 3) for each in own)
    tags = [record[:8] for record in records(full)]
    found = dict.fromkeys((24, 32, 64), 0)
    shortened = {bits: sorted({each[: bits // 8] for each in tags}) for bits in found}
    for _ in range(probes):
        probe = tag(_SALT, source.randbytes(16))
        for bits, short in shortened.items():
            wanted = probe[: bits // 8]
            place = bisect_left(short, wanted)
            found[bits] += place < len(short) and short[place] == wanted
    for bits, fitting in found.items():
        rows.append(
            {
                "bits": bits,
                "listed": listed,
                "probes": probes,
                "fitting": fitting,
                "promised": round(listed * probes / 2**bits, 6),
            }
        )
    return rows


def _first_facets() -> dict[str, Any]:
    """Of the pairs that a lookup finds, the share with one of the first facets in common."""
    file = read_addresses(OPEN_PART)
    found = {}
    for task in (file.persons, file.addresses):
        pairs = list(_likely_pairs(task))
        found[task.name] = {"pairs": len(pairs)} | {
            how: round(sum(not first.isdisjoint(each) for each in pairs) / len(pairs), 4)
            for how, first in _HOWS.items()
        }
    return found


def _likely_pairs(task: Task) -> Iterator[frozenset[int]]:
    """The facets that agree, of each pair of the same thing that reaches a band."""
    held: dict[str, list[dict[int, set[str]]]] = defaultdict(list)
    for record in task.records:
        held[record.truth].append(_texts(record.value))
    for query in task.queries:
        own = _texts(query.value)
        for other in held[query.truth]:
            agreeing = {
                number: count
                for number in own.keys() & other.keys()
                if (count := len(own[number] & other[number]))
            }
            told = score(Kind.PARTY, agreeing, query=own.keys(), candidate=other.keys())
            if told.band is not None:
                yield frozenset(agreeing)


def _texts(value: Any) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    try:
        for facet in facets(value):
            found[facet.number].add(facet.text)
    except NormalisationError:
        return {}
    return found


def _as_json(run: Measured) -> dict[str, Any]:
    account = run.account
    return {
        "rules": run.rules,
        "facets": run.facets,
        "state": run.state,
        "parcels": run.parcels,
        "chosen": account.parcels,
        "parties": account.parties,
        "suspected": account.suspected,
        "planted_found": run.planted_found,
        **asdict(run.spent),
        "seconds": round(run.seconds, 1),
        **run.extra,
    }


def _print(figures: dict[str, Any]) -> None:
    print(f"{figures['rows']:,} parcels, {figures['filter']}")
    for run in figures["runs"]:
        print(
            f"{run['rules']:<13} {run['facets']:<13} {run['state']:<6}"
            f"{run['chosen']:>10,} chosen {run['parties']:>10,} parties "
            f"{run['evaluated']:>11,} evaluated {run['cached']:>11,} cached "
            f"{(run['bytes_sent'] + run['bytes_received']) / 1e6:>8.1f} MB "
            f"{run['seconds']:>7.1f} s {run['suspected']:>6,} like {run['planted_found']:>4} found"
        )
    print(f"an evaluation: {figures['evaluation']}")
    for row in figures["false_positives"]:
        print(f"false positives: {row}")
    print(f"first facets: {figures['first_facets']}")


if __name__ == "__main__":
    main()
