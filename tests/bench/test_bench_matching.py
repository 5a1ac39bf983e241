"""The benchmark of matching: its data, its tokens and its made-up register, without its peers."""

import json
from pathlib import Path

import pytest

from bench.matching_register import POSTCODES, register
from bench.matching_sets import FOLDS, OPEN_PART, AddressFile, Labelled, Task, read_addresses
from bench.matching_tokens import (
    Measures,
    at_shipped_threshold,
    at_threshold_of,
    measures,
    token_pairs,
    tokens,
)
from postern.facet_kinds import POSTAL_FACETS
from postern.matching import ADDRESS, NAMED, Thresholds, Weighting
from postern.normalise import Address, Party


@pytest.fixture(scope="module")
def committed() -> AddressFile:
    return read_addresses(OPEN_PART)


def labelled(name: str, line: str, truth: str) -> Labelled:
    return Labelled(Party(name, (line,), "1040", "Brussel"), truth, line)


def test_the_committed_file_is_all_of_open_licence(committed: AddressFile) -> None:
    assert {entity["licence"] for entity in committed.entities} == {"open"}
    assert len(committed.persons.queries) == len(committed.addresses.queries) > 1000


def test_persons_match_by_entity_and_addresses_by_place(committed: AddressFile) -> None:
    assert committed.persons.true_pairs() < committed.addresses.true_pairs()
    assert all(isinstance(query.value, Address) for query in committed.addresses.queries)


def test_no_two_folds_share_a_street(committed: AddressFile) -> None:
    fold_of = {query.street: query.fold for query in committed.persons.queries}
    assert set(fold_of.values()) == set(range(FOLDS))
    assert all(
        record.fold == fold_of.get(record.street, record.fold)
        for record in committed.persons.records
    )


def test_the_shipped_weights_were_learned_from_the_committed_file(committed: AddressFile) -> None:
    weights = Path(__file__).parents[2] / "postern" / "weights" / "postal.json"
    assert (
        json.loads(weights.read_text(encoding="ascii"))["learned_on"]["sha256"] == committed.digest
    )


def test_the_committed_file_meets_the_bars(committed: AddressFile) -> None:
    persons = at_shipped_threshold(committed.persons, token_pairs(committed.persons))
    addresses = at_shipped_threshold(committed.addresses, token_pairs(committed.addresses))
    assert persons.precision >= 0.975
    assert persons.f1 >= 0.975
    assert addresses.precision >= 0.96
    assert addresses.f1 >= 0.95


def test_tokens_are_sixteen_bytes_and_as_many_as_the_facets() -> None:
    made = tokens(labelled("Sophie Van Damme", "Rue de la Loi 16", "a"))
    assert {len(token) for _, token in made.pairs} == {16}
    assert len(made.pairs) == 16
    assert made.numbers == frozenset(POSTAL_FACETS)
    assert tokens(labelled("", "", "a")).pairs == ()


def test_a_pair_counts_the_tokens_that_both_hold_and_a_list_meets_itself_once() -> None:
    people = [
        labelled("Sophie Van Damme", "Rue de la Loi 16", "a"),
        labelled("SOPHIE VANDAMME", "16, rue de la Loi", "a"),
        labelled("Jan Peeters", "Kerkstraat 5", "b"),
    ]
    (pair,) = token_pairs(Task("self", people, people))
    assert (pair.query, pair.record, pair.same) == (0, 1, True)
    assert sum(pair.agreeing.values()) == 16
    assert Task("self", people, people).true_pairs() == 1


def test_measures_count_pairs() -> None:
    assert measures(9, 10, 12) == Measures(0.9, 0.75)
    assert measures(0, 0, 0) == Measures(1.0, 1.0)
    assert Measures(0.0, 0.0).f1 == 0.0
    assert Measures(0.5, 1.0).as_json() == {"precision": 0.5, "recall": 1.0, "f1": 0.6667}


def test_only_the_queries_asked_for_are_measured(committed: AddressFile) -> None:
    task = committed.persons
    pairs = token_pairs(task)
    half = frozenset(range(0, len(task.queries), 2))
    rest = frozenset(range(len(task.queries))) - half
    both = [at_shipped_threshold(task, pairs, part) for part in (half, rest)]
    whole = at_shipped_threshold(task, pairs)
    assert min(part.recall for part in both) <= whole.recall <= max(part.recall for part in both)


def test_a_higher_threshold_finds_less_and_errs_less(committed: AddressFile) -> None:
    task = committed.addresses
    pairs = token_pairs(task)
    strict = Weighting(ADDRESS.bias, Thresholds(100, 100), ADDRESS.facets, ADDRESS.precision)
    usual, less = at_threshold_of(task, pairs, ADDRESS), at_threshold_of(task, pairs, strict)
    assert less.recall < usual.recall
    assert less.precision >= usual.precision
    assert NAMED.thresholds.likely < NAMED.thresholds.strong


def test_the_register_is_large_made_up_and_the_same_every_time(committed: AddressFile) -> None:
    few = committed.entities[:200]
    made = register(few)
    assert made == register(few)
    assert len({address.postcode for address in made}) == POSTCODES
    assert len(set(made)) > 0.95 * len(made) > 100_000
