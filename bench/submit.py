"""Indicators submitted per second, beside a bare load of the same rows.

    python -m bench.submit [--sizes 100000,1000000] [--backends sqlite,postgresql] [--seconds 20]
                           [--sealed]

The subject is the whole service path: validation of the items, share classes, the cap of common
tokens, tokens derived from real group elements, sealed elements, the audit entry and the commit,
for requests of 500 reports with one party of 16 elements each. JSON is parsed beforehand. Bare is
the least that stores the same indicators and tokens in the same tables: `executemany` on SQLite,
COPY on PostgreSQL, and the commit. With --sealed each indicator bears a sealed value and a sealed
note, which were sealed beforehand; bare is the same as without.

Tables are filled in bulk to each size first (bench/preload.py); then requests and bare loads
alternate, so that other load on the machine falls on both, until --seconds are spent. The rate is
thus that of tables that already hold so many indicators. What the whole path costs beyond bare is
printed step by step. By default about 6 minutes on 2 cores, most of it filling. The last line is
one JSON object.
"""

import argparse
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.clock import day, now
from app.indicators import envelopes, service, storage
from app.organisations import keys
from app.public_ids import new_public_ids
from bench.machine import machine
from bench.preload import FACET_BITS, FACETS, fill
from bench.stage import BACKENDS, Stage, stage
from bench.watch import Steps, Watch
from postern import group, pseudonym
from postern.base64url import from_base64url, to_base64url
from postern.envelope import Context
from postern.hpke import SecretKey
from postern.organisation_keys import OrganisationKeys, new_keys
from postern.pseudonym import TOKEN_SIZE
from postern.seal import seal
from postern.vocabulary import EvaluationKind

REQUEST = 500  # reports of one request
WARM_UP = 2  # requests before the clock counts
MOST = 60  # requests of one measurement

_STEPS: Steps = {
    "read items, check elements, derive tokens": (service, "read_report"),
    "known reports": (storage, "known_reports"),
    "share classes": (service, "share_class_ids"),
    "insert reports": (storage, "insert_reports"),
    "count own postings for the cap": (storage, "own_postings"),
    "reserve ids": (storage, "reserve_indicator_ids"),
    "seal elements": (service, "_vault_row"),
    "insert indicators": (storage, "insert_indicators"),
    "insert sealed elements": (storage, "insert_vault"),
    "insert tokens": (storage, "insert_postings"),
    "insert envelopes": (envelopes, "store"),
    "audit entry": (service, "append"),
}
"""Steps of the service path, by the function that takes them."""


@dataclass(frozen=True)
class Measured:
    """One size on one engine: seconds of each request and each bare load of 500 indicators."""

    ours: list[float]
    bare: list[float]
    steps: Mapping[str, float]  # seconds per request

    def figures(self) -> dict[str, object]:
        """What the JSON line says of it."""
        ratios = [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]
        return {
            "indicators_per_s": round(REQUEST * len(self.ours) / sum(self.ours)),
            "bare_indicators_per_s": round(REQUEST * len(self.bare) / sum(self.bare)),
            "ratio_to_bare": round(sum(self.ours) / sum(self.bare), 2),
            "ratio_to_bare_median": round(median(ratios), 2),
            "requests": len(self.ours),
            "ms_per_request": {name: round(each * 1000, 1) for name, each in self.steps.items()},
        }


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Submitting, beside a bare load.")
    parser.add_argument("--sizes", default="100000,1000000", help="indicators in the tables")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--sealed", action="store_true", help="with a sealed value and note each")
    parser.add_argument("--seconds", type=float, default=20, help="measuring time per size")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    found: dict[str, object] = {}
    for backend in options.backends.split(","):
        found[backend] = by_size = {}
        with stage(backend) as on:
            sealers = _publish(on) if options.sealed else []
            present = 0
            for size in sizes:
                start = perf_counter()
                fill(on, present, size)
                print(
                    f"{backend}: filled to {size:,} in {perf_counter() - start:.0f} s", flush=True
                )
                measured = measure(on, options.seconds, sealers)
                _tell(backend, size, measured)
                by_size[str(size)] = measured.figures()
                present = _last_id(on)
    told = {"benchmark": "submit", "sealed": options.sealed}
    print(json.dumps({**told, **found, "machine": machine()}))


def measure(on: Stage, seconds: float, sealers: Sequence[OrganisationKeys]) -> Measured:
    """Submissions and bare loads in turns, for so many seconds."""
    points = _points()
    watch = Watch(_STEPS)
    ours: list[float] = []
    bare: list[float] = []
    spent = 0.0
    while len(ours) < MOST + WARM_UP and (spent < seconds or len(ours) < WARM_UP + 3):
        owner = len(ours) % len(on.owners)
        request = _request(points)
        if sealers:
            _seal(request, sealers[owner])
        order = (False, True) if len(ours) % 2 else (True, False)
        for is_ours in order:
            if is_ours:
                ours.append(_submit(on, owner, request, watch))
            else:
                bare.append(_load(on, owner))
        spent += ours[-1] + bare[-1]
        if len(ours) == WARM_UP:
            watch.take()
            spent = 0.0
    counted = len(ours) - WARM_UP
    steps = {name: seconds / counted for name, seconds in watch.take().items()}
    steps["commit and the rest"] = sum(ours[WARM_UP:]) / counted - sum(steps.values())
    return Measured(ours[WARM_UP:], bare[WARM_UP:], steps)


def _submit(on: Stage, owner: int, request: list[dict[str, Any]], watch: Watch) -> float:
    with on.app.app_context(), watch.watching():
        start = perf_counter()
        with on.database.transaction() as session:
            answer = service.submit(session, on.owners[owner], request)
        spent = perf_counter() - start
    assert answer.counts["created"] == REQUEST, answer.counts
    return spent


def _points() -> Iterator[bytes]:
    """Real group elements, each once: a random multiple of the generator, then sums with it."""
    element = group.base(group.random_scalar())
    while True:
        yield element
        element = group.add(element, group.GENERATOR)


def _request(points: Iterator[bytes]) -> list[dict[str, Any]]:
    draw = random.Random()  # noqa: S311 - variety, not secrecy
    seen = (now() - timedelta(days=draw.randrange(300))).date().isoformat()
    return [
        {
            "client_key": f"{draw.getrandbits(64):016x}",
            "barrier_step": 4,
            "shipment": {"origin_country": "BE", "weight_band": "100-500"},
            "indicators": [
                {
                    "kind": "party",
                    "role": draw.choice(("sender", "addressee")),
                    "epoch": 1,
                    "elements": [
                        {"facet": facet, "element": to_base64url(next(points))} for facet in FACETS
                    ],
                    "learned": "outside_of_item",
                    "legal_basis": "postal_law",
                    "source_grade": draw.choice("BX"),
                    "information_grade": draw.choice("1234"),
                    "observed_to": seen,
                }
            ],
        }
        for _ in range(REQUEST)
    ]


def _publish(on: Stage) -> list[OrganisationKeys]:
    """Keys of the owners, published."""
    made = []
    for owner in on.owners:
        begins = now() - timedelta(days=1)
        held = new_keys(owner.organisation, SecretKey.new().public, begins)
        with on.app.app_context(), on.database.transaction() as session:
            keys.publish(session, owner, [each.on_wire() for each in held.chain])
        made.append(held)
    return made


def _seal(request: list[dict[str, Any]], held: OrganisationKeys) -> None:
    """Give the indicator of each report a value and a note that only its owner opens."""
    owner, to = held.entry.organisation, held.entry.recipients
    for report in request:
        (indicator,) = report["indicators"]
        element = from_base64url(indicator["elements"][0]["element"]) or b""
        token = pseudonym.token(EvaluationKind.POSTAL, 1, element)
        indicator["sealed"] = {}
        for part in ("value", "note"):
            where = Context(owner, "party", 1, token, f"{report['client_key']}/0", part)
            envelope = seal(bytes(200), where, to, held.identity)
            indicator["sealed"][part] = to_base64url(envelope)


def _load(on: Stage, owner: int) -> float:
    """Seconds of a bare load of 500 indicators with 8,000 tokens, the commit included."""
    with on.database.engine.connect() as connection:
        first = _last_id(on) + 1
        if not on.database.is_sqlite:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence('indicator', 'id'), :last)"),
                {"last": first + REQUEST},
            )
        indicators, tokens = _rows(on, owner, first)
        connection.rollback()
        driver: Any = connection.connection.driver_connection
        start = perf_counter()
        if on.database.is_sqlite:
            driver.execute("BEGIN IMMEDIATE")
            driver.executemany(_INSERT_INDICATOR, indicators)
            driver.executemany(_INSERT_TOKEN, tokens)
            driver.execute("COMMIT")
        else:
            with driver.cursor().copy(f"COPY indicator ({_COLUMNS}) FROM STDIN") as copy:
                for row in indicators:
                    copy.write_row(row)
            with driver.cursor().copy(_COPY_TOKEN) as copy:
                copy.set_types(("bytea", "int8", "int4", "int2", "int2"))
                for row in tokens:
                    copy.write_row(row)
            driver.commit()
        return perf_counter() - start


def _rows(on: Stage, owner: int, first: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of `indicator` and, in the order of the index, of `token`."""
    at = now()
    classes = on.classes[owner]
    is_sqlite = on.database.is_sqlite
    expires = (at.date() + timedelta(days=365)).isoformat()
    indicators = []
    tokens = []
    for place, public_id in enumerate(new_public_ids(REQUEST, at)):
        class_id = classes[place % len(classes)]
        indicators.append(
            (
                *(first + place, public_id.hex if is_sqlite else public_id, 1),
                *(on.owners[owner].member[0], class_id, day(at) - 5),
                *("party", "sender", "unknown", "assessment", "X", "4"),
                *("outside_of_item", "postal_law", "AMBER", "[]", "know"),
                *(expires, expires, "[]", 1, FACET_BITS, 0, os.urandom(256)),
            )
        )
        tokens += [
            (os.urandom(TOKEN_SIZE), first + place, class_id, day(at) - 5, facet)
            for facet in FACETS
        ]
    return indicators, sorted(tokens)


def _last_id(on: Stage) -> int:
    with on.database.reading() as session:
        return int(session.execute(text("SELECT max(id) FROM indicator")).scalar_one())


def _tell(backend: str, size: int, measured: Measured) -> None:
    figures = measured.figures()
    print(
        f"{backend}, {size:,} indicators: {figures['indicators_per_s']:,} indicators/s, bare "
        f"{figures['bare_indicators_per_s']:,}; {figures['ratio_to_bare']} times the time of bare"
    )
    whole = sum(measured.steps.values())
    for name, seconds in sorted(measured.steps.items(), key=lambda each: -each[1]):
        print(f"  {seconds * 1000:7.1f} ms {seconds / whole:4.0%}  {name}", flush=True)


_COLUMNS = (
    "id, public_id, report_id, organisation_id, share_class_id, seen_day, kind, role, "
    "subject_category, assertion, source_grade, information_grade, learned, legal_basis, tlp, "
    "handling, permitted_action, review_on, expires_on, quality, epoch, facets_stored, "
    "facets_common, tokens"
)
_MARKS = ", ".join("?" * len(_COLUMNS.split(",")))
_INSERT_INDICATOR = f"INSERT INTO indicator ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - our own
_TOKEN_COLUMNS = "token, indicator_id, share_class_id, seen_day, facet"  # noqa: S105 - columns
_INSERT_TOKEN = f"INSERT INTO token ({_TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - our own
_COPY_TOKEN = f"COPY token ({_TOKEN_COLUMNS}) FROM STDIN (FORMAT binary)"

if __name__ == "__main__":
    main()
