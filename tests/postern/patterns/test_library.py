"""The starter library: every rule is whole, sourced, well written, and does as it says."""

from pathlib import Path

import pytest

from bench.manifests import generate
from postern.duckdb_engine import Engine
from postern.manifest import prepare
from postern.manifest_mapping import ManifestMapping
from postern.patterns.compiling import compiled
from postern.patterns.explanation import explained_rule
from postern.patterns.files import rule_files, rules_of, text_of
from postern.patterns.formatting import formatted
from postern.patterns.levels import MILLION, alert_budgets
from postern.patterns.model import Rule
from postern.patterns.plain import failed_examples
from postern.patterns.words import LANGUAGES
from postern.screening import find

FOLDER = Path(__file__).parents[3] / "policies" / "patterns"
RULES = rules_of([FOLDER])
PARCELS, SEED = 50_000, 50  # ordinary ones, made up


def test_there_are_at_least_25_rules_of_different_names_and_ids() -> None:
    assert len(RULES) >= 25
    assert len({rule.title for rule in RULES}) == len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_rule_hits_and_misses_what_it_says(rule: Rule) -> None:
    assert list(failed_examples(rule)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_rule_names_a_public_source_and_what_it_takes_for_a_hit_wrongly(rule: Rule) -> None:
    assert all(any(mark in each for mark in (".", "NCJ")) for each in rule.references)
    assert rule.false_positives


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_rule_is_explained_in_every_language(rule: Rule) -> None:
    told = {explained_rule(rule, language) for language in LANGUAGES}
    assert len(told) == len(LANGUAGES)
    assert not any("{" in each for each in told)


def test_every_file_is_written_in_the_one_way() -> None:
    texts = {path.name: text_of(path) for path in rule_files([FOLDER])}
    assert [name for name, text in texts.items() if formatted(text) != text] == []


def test_no_rule_hits_more_ordinary_parcels_than_its_level_allows(tmp_path: Path) -> None:
    engine = Engine(tmp_path, threads=2)
    manifest = tmp_path / "m.parquet"
    generate(manifest, PARCELS, SEED, engine, campaigns=())
    made = prepare(manifest, tmp_path, ManifestMapping(), engine, lambda *_: None)
    find(engine, made.path, compiled(RULES, ()), lambda *_: None)
    hits = dict(engine.rows("SELECT rule, count(*) FROM hits GROUP BY rule"))
    engine.close()
    rates = {rule.title: hits.get(n, 0) * MILLION // PARCELS for n, rule in enumerate(RULES)}
    over = [rule for rule in RULES if rates[rule.title] > alert_budgets()[rule.level]]
    assert {rule.title: rates[rule.title] for rule in over} == {}
    assert sum(rates.values()) > MILLION // 1_000
