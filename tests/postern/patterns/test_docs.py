"""docs/patterns.md and docs/screening.md say what is so."""

import re
from pathlib import Path

from postern.manifest_mapping import MANIFEST_FIELDS, load_mapping
from postern.patterns.fields import FIELDS, Measure, Modifier
from postern.patterns.levels import alert_budgets, level_weights
from postern.patterns.plain import failed_examples
from postern.patterns.reading import read_filters, read_rules

DOCS = Path(__file__).parents[3] / "docs"
PATTERNS = (DOCS / "patterns.md").read_text()
SCREENING = (DOCS / "screening.md").read_text()


def test_the_rule_and_the_filter_that_are_shown_can_be_used() -> None:
    rule, kept_out = re.findall(r"```yaml\n(.*?)```", PATTERNS, re.DOTALL)
    (read,) = read_rules(rule)
    assert list(failed_examples(read)) == []
    assert read_filters(kept_out)[0].rules == ()


def test_every_field_modifier_and_measure_is_told() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PATTERNS))
    assert set(FIELDS) <= told
    assert set(Modifier) - {Modifier.EQUALS} <= told
    assert set(Measure) <= told


def test_every_word_of_a_closed_list_is_told() -> None:
    for field in FIELDS.values():
        assert all(word in PATTERNS for word in field.words), field.name


def test_the_mapping_that_is_shown_can_be_used(tmp_path: Path) -> None:
    (mapping,) = re.findall(r"```toml\n(.*?)```", SCREENING, re.DOTALL)
    (tmp_path / "mapping.toml").write_text(mapping)
    assert load_mapping(tmp_path / "mapping.toml").words == {"service": {"X1": "express"}}


def test_every_column_of_a_manifest_is_told() -> None:
    for name in MANIFEST_FIELDS:
        part = name.removeprefix("sender_").removeprefix("addressee_")
        assert f"`{part}`" in SCREENING, name


def test_the_weights_are_told() -> None:
    for level, weight in level_weights().items():
        assert f"{level} {weight}" in SCREENING.replace("\n", " ")


def test_the_hits_that_each_level_allows_are_told() -> None:
    for level, most in alert_budgets().items():
        assert f"| `{level}` | {most:,} |" in PATTERNS
