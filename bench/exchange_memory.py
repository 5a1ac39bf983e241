"""Memory of the platform's web processes while a very large collection leaves, whole.

A collection of `--objects` indicators is read over TAXII in pages, and the same indicators as CSV
and as JSON Lines, from gunicorn with two workers, with policy, ledger and log. The rows are made by
the database: a sample goes the service's own way, and the rest are copies of it under ids of their
own. The last line is JSON: MiB of all workers together before, at the middle, at the end and at
most, with the objects that came.
"""

import argparse
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import requests
from sqlalchemy import Table, text

from app.accounts import tokens
from app.exchange import view_writing
from app.exchange.models import ExchangeEntry
from app.indicators.models import Indicator, Report
from bench.preload import fill
from bench.taxii_postern import Postern, postern
from bench.taxii_whole import PAGE
from bench.taxii_wire import OBJECT, Line, pages
from postern.vocabulary import Scope

_SAMPLE = 1_000
_EVERY_SECONDS = 0.2
_PATIENCE = 1800.0  # seconds that any part of an answer may take
_START_PATIENCE = 1800.0  # at idle priority beside other work
_CHUNK = 1 << 16
_EXPORT = (
    "/api/v1/indicators/export?purpose=criminal_investigation&legal_basis=criminal_procedure"
    "&case=PV-1&format="
)


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--backend", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--forms", default="taxii,csv,ndjson")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="postern-memory-") as directory,
        postern(f"postern-{asked.backend}", Path(directory) / "said") as on,
    ):
        began = perf_counter()
        _stock(on, asked.objects)
        print(f"{asked.objects:,} objects made in {perf_counter() - began:.0f} s", flush=True)
        on.start(with_worker=False, patience=_START_PATIENCE)
        found = {form: _measured(on, form, asked.objects) for form in asked.forms.split(",")}
    print(json.dumps({"objects": asked.objects, "backend": asked.backend, **found}))


def _stock(on: Postern, size: int) -> None:
    """Let the reader be shared `size` indicators, and have all of them in its collection."""
    sample = min(_SAMPLE, size)
    fill(on.on, 0, sample)
    shared = on.keys[0]
    with on.on.app.app_context(), on.on.database.transaction() as session:
        view_writing.fill(session, shared)
    if size == sample:
        return
    is_sqlite = on.on.database.is_sqlite
    uuid = "lower(hex(randomblob(16)))" if is_sqlite else "gen_random_uuid()"
    dashed = _DASHED if is_sqlite else "gen_random_uuid()"
    values = {"sample": sample, "size": size, "collection": shared}
    with on.on.database.engine.begin() as connection:
        for statement in _copies(uuid, dashed, is_sqlite=is_sqlite):
            used = {name: each for name, each in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    if not is_sqlite:
        with on.on.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")


def _copies(uuid: str, dashed: str, *, is_sqlite: bool) -> Iterator[str]:
    """Copies of the sample's reports, indicators and entries: copy n of row i is i + n * sample."""
    numbers = (
        "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
        "WHERE n < (:size - 1) / :sample) SELECT n FROM c) AS copy"
        if is_sqlite
        else "generate_series(1, (:size - 1) / :sample) AS copy (n)"
    )
    key = "i.id + copy.n * :sample"
    named = "coalesce(i.client_key, 'row') || '-' || copy.n"
    yield _copied(Report, {"id": key, "public_id": uuid, "client_key": named}, numbers, key)
    yield _copied(
        Indicator,
        {"id": key, "public_id": uuid, "report_id": "i.report_id + copy.n * :sample"},
        numbers,
        key,
    )
    fresh = f"'indicator--' || {dashed}"
    columns = _columns(ExchangeEntry)
    own = {
        "added": "(SELECT last_added FROM exchange_collection WHERE id = :collection)"
        " + row_number() OVER (ORDER BY other.id)",
        "stix_id": "other.stix_id",
        "indicator_id": "other.id",
        "indicator": "other.public_id",
        "text": "replace(e.text, e.stix_id, other.stix_id)",
    }
    listed = ", ".join(own.get(name, f"e.{name}") for name in columns)
    yield (
        f"INSERT INTO exchange_entry ({', '.join(columns)}) SELECT {listed} "  # noqa: S608 - ours
        f"FROM (SELECT id, public_id, (id - 1) % :sample + 1 AS of_sample, {fresh} AS stix_id "
        "FROM indicator WHERE id > :sample) AS other "
        "JOIN exchange_entry e ON e.indicator_id = other.of_sample "
        "AND e.collection_id = :collection AND e.is_main"
    )
    yield (
        "UPDATE exchange_collection SET last_added = (SELECT max(added) FROM exchange_entry "
        "WHERE collection_id = :collection) WHERE id = :collection"
    )


def _copied(model: type[Any], own: dict[str, str], numbers: str, key: str) -> str:
    table, columns = model.__tablename__, _columns(model)
    listed = ", ".join(own.get(name, f"i.{name}") for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {listed} "  # noqa: S608 - ours
        f"FROM {table} i CROSS JOIN {numbers} WHERE i.id <= :sample AND {key} <= :size"
    )


def _columns(model: type[Any]) -> list[str]:
    table = cast("Table", model.__table__)
    return [
        f'"{column.name}"' if column.name == "text" else column.name for column in table.columns
    ]


@dataclass
class _Watched:
    """Resident MiB of the workers, told at moments and at most."""

    on: Postern
    at: dict[str, int] = field(default_factory=dict)
    most: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def note(self, moment: str) -> None:
        self.at[f"{moment}_mib"] = self._resident()

    def passed(self, before: int, now: int, size: int) -> None:
        """Note the first part and the middle, and tell each tenth that was passed."""
        if not before and now:
            self.note("first_page")
        if before * 2 < size <= now * 2:
            self.note("middle")
        if before * 10 // size != now * 10 // size:
            print(f"{now:,} objects came: {self._resident()} MiB", flush=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at it again and again until the block ends."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self._resident()

    def _resident(self) -> int:
        found = 0
        for process in self.on.workers():
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found += sum(int(each.split()[1]) for each in lines if each.startswith("VmRSS"))
        self.most = max(self.most, found // 1024)
        return found // 1024


def _measured(on: Postern, form: str, size: int) -> dict[str, Any]:
    read: Callable[[Postern, _Watched, int], int] = (
        _taxii if form == "taxii" else lambda *given: _file(form, *given)
    )
    watched = _Watched(on)
    watched.note("before")
    began = perf_counter()
    with watched.watching():
        count = read(on, watched, size)
    watched.note("end")
    spent = perf_counter() - began
    found = {
        **watched.at,
        "most_mib": watched.most,
        "came": count,
        "seconds": round(spent, 1),
        "per_second": round(count / spent),
    }
    print(form, json.dumps(found), flush=True)
    return found


def _taxii(on: Postern, watched: _Watched, size: int) -> int:
    """Every page of the collection; objects that came, those that others refer to among them."""
    line, count = Line(on.reading.port, _PATIENCE), 0
    for answer in pages(line, on.reading, PAGE):
        new = answer.body.count(OBJECT)
        watched.passed(count, count + new, size)
        count += new
    line.close()
    return count


def _file(form: str, on: Postern, watched: _Watched, size: int) -> int:
    """The same indicators as one file, read as it comes; the rows without a head."""
    with on.on.app.app_context(), on.on.database.transaction() as session:
        made = tokens.create_own_token(
            session, on.on.viewer, scopes=(Scope.INDICATORS_READ,), days=30
        )
    count = 0
    with requests.get(
        f"http://127.0.0.1:{on.reading.port}{_EXPORT}{form}",
        headers={"Authorization": f"Bearer {made.text}"},
        stream=True,
        timeout=_PATIENCE,
    ) as answer:
        answer.raise_for_status()
        for part in answer.iter_content(_CHUNK):
            new = part.count(b"\n")
            watched.passed(count, count + new, size)
            count += new
    return count - (form == "csv")


_DASHED = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || "
    "substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || "
    "hex(randomblob(6)))"
)

if __name__ == "__main__":
    main()
