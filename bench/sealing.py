"""Rows that `postern submit` prepares per second, with and without sealing.

    python -m bench.sealing [--rows 200] [--rounds 5]

The subject is the client's whole work for a row, on one core: reading the columns, normalising,
facets, blinding, checking the platform's proof, unblinding, the report as JSON; and sealing the
values, or the values and a note, to two X-Wing keys. What the platform itself computes is left out
of the time. A row has a sender with an address (16 facets), a telephone number and an item: three
indicators. Rounds alternate between the three ways; times are CPU times of the process, ratios are
medians of the ratios of neighbours. The last line is one JSON object.
"""

import argparse
import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from statistics import median
from time import process_time
from typing import cast

from bench.machine import machine
from postern import voprf
from postern.client import Evaluation, Part
from postern.hpke import SecretKey
from postern.key_document import KeyEpoch
from postern.key_ring import KeyRing
from postern.normalise import NORMALISER_VERSION
from postern.organisation_keys import new_keys
from postern.pseudonym import derive_epoch_key
from postern.pseudonymise import Pseudonymiser
from postern.report_form import report
from postern.rows import Reading, read_row
from postern.sealing import Sealer
from postern.signed_evaluation import Signed
from postern.terms import Terms
from postern.vocabulary import EvaluationKind, Learned, LegalBasis, Purpose

_SEED = bytes(range(32))
_ONE = (1).to_bytes(32, "little")
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
WAYS = ("plain", "values", "values_and_note")


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Preparing rows with and without sealing.")
    parser.add_argument("--rows", type=int, default=200, help="rows of a round")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    sizes: dict[str, int] = {}
    for number in range(asked.rounds):
        for way in WAYS:
            seconds, size = prepare(rows(asked.rows, number), way)
            times[way].append(seconds / asked.rows)
            sizes[way] = size // asked.rows
    figures = {
        way: {
            "rows_per_s": round(1 / median(each)),
            "ms_per_row": round(median(each) * 1000, 2),
            "ratio_to_plain": round(
                median(one / other for one, other in zip(each, times["plain"], strict=True)), 3
            ),
            "bytes_per_row": sizes[way],
        }
        for way, each in times.items()
    }
    for way, told in figures.items():
        print(
            f"{way:>16}: {told['rows_per_s']:5} rows/s, {told['ms_per_row']:6} ms a row, "
            f"{told['ratio_to_plain']} times plain, {told['bytes_per_row']:,} bytes sent a row"
        )
    print(
        json.dumps(
            {
                "benchmark": "sealing",
                "ways": figures,
                "rows": asked.rows,
                "rounds": asked.rounds,
                "machine": machine(),
            }
        )
    )


def prepare(cells: Sequence[dict[str, str]], way: str) -> tuple[float, int]:
    """CPU seconds of preparing these rows in one way, and the bytes that they are on the wire."""
    keys = new_keys("post-be", SecretKey.new().public, _BEGUN)
    sealer = None if way == "plain" else Sealer.of(keys)
    terms = Terms(learned=Learned.CARRIER_RECORD, legal_basis=LegalBasis.POSTAL_LAW)
    reading = Reading(date(2026, 11, 26), terms, country="NL", seals=way == "values_and_note")
    platform = _Platform()
    ring = cast("KeyRing", _Ring())
    made = Pseudonymiser(platform, ring, purpose=Purpose.PARCEL_SCREENING, case="bench")
    start = process_time()
    read = [read_row(row, reading) for row in cells]
    values = [sighting.value for row in read for sighting in row.sightings]
    pseudonyms = iter(made.pseudonymise(values))
    payloads = [
        report(f"{place:032x}", row, [next(pseudonyms) for _ in row.sightings], sealer)
        for place, row in enumerate(read)
    ]
    body = json.dumps({"reports": payloads}, separators=(",", ":")).encode()
    return process_time() - start - platform.seconds, len(body)


def rows(count: int, seed: int) -> list[dict[str, str]]:
    """Rows whose values all differ, so that each is evaluated."""
    draw = random.Random(seed)  # noqa: S311 - made-up rows, the same each time
    found = []
    for place in range(count):
        number = seed * count + place
        found.append(
            {
                "sender_name": f"{_word(draw)} van {_word(draw)}",
                "sender_street": f"{_word(draw)}straat {draw.randint(1, 400)}",
                "sender_postcode": f"{draw.randint(1000, 9999)} AB",
                "sender_city": _word(draw),
                "sender_country": "NL",
                "sender_phone": f"+3120{number:07}",
                "item_id": f"RB{number:09}GB",
                "note": f"Weighed twice; seen at counter {draw.randint(1, 90)}.",
            }
        )
    return found


def _word(draw: random.Random) -> str:
    syllables = ("ba", "ker", "lo", "min", "tar", "vel", "dor", "sin", "gra", "pol")
    return "".join(draw.choice(syllables) for _ in range(3)).capitalize()


class _Platform:
    """Evaluates with the key at hand, and counts the CPU time that this takes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> Evaluation:
        start = process_time()
        secret, public = derive_epoch_key(_SEED, kind, epoch)
        evaluated, proof = voprf.evaluate(secret, public, list(blinded))
        answer = Evaluation(epoch, (Part("k", _ONE, evaluated, proof),), 10**6, _BEGUN)
        self.seconds += process_time() - start
        return answer


class _Ring:
    """The keys of that platform, as a key ring gives them."""

    def epoch(self, kind: EvaluationKind, number: int | None = None) -> KeyEpoch:
        _, public = derive_epoch_key(_SEED, kind, 1)
        until = datetime(2030, 1, 1, tzinfo=UTC)
        return KeyEpoch(kind.value, 1, NORMALISER_VERSION, public, _BEGUN, until)


if __name__ == "__main__":
    main()
