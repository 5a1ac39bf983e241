from pathlib import Path

import jsonschema
import pytest
import yaml

from postern.imports import (
    SHIPPED,
    MappingError,
    UnknownMappingError,
    find_mapping,
    read_mapping,
    shipped_text,
)
from postern.imports.model import Verified
from postern.imports.schema import mapping_schema
from tests.postern.imports.mappings import SMALL


def faults_of(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        read_mapping(text)
    return [str(each) for each in caught.value.faults]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("import-mapping/1", "import-mapping/2", "line 1, column 9: The format is not"),
        ("title: Seizures of", "titel: Seizures of", "The key 'titel' is not known. Did you mean"),
        ("read: whole", "read: partly", "read is not a word of its list."),
        ("https://example.org/news", "news", "The url is not one."),
        ("learned: customs_control", "learned: gossip", "learned is not a word of its list."),
        ("learned: customs_control", "sender_name: X", "sender_name cannot be said for every row."),
        (
            "field: substance",
            "field: substanze",
            "The field 'substanze' is not known. Did you mean",
        ),
        ("headings: Drug", "headings: Day", "stands in the entry of line 16 too"),
        ("headings: Drug", 'headings: "- ?"', "A heading holds no word."),
        ("headings: Drug", "headings: []", "headings has not 1 to"),
        ("verified: press", "verified: annex_text", "Of that source only an excerpt was read."),
        ("    source: law\n", "", "It is said to be verified by no source."),
        ("source: news", "source: rumour", "The source 'rumour' is not listed."),
        ("month_first, iso", "month_first, day_first", "3/4/2026 would be two days."),
        ("month_first, iso", "monthfirst, iso", "A form of days is not known. Did you mean"),
        ("cocaine: [snow", "cocain3: [snow", "cocain3 is not a word of the list. Did you mean"),
        ("nothing: [to be analysed]", "heroin: [snow]", "The text stands for two words."),
        ("unit: lb", "unit: stone", "The unit is not known."),
        ("part: 1", "part: 0", "part is not a whole number"),
        (", why: Of a colleague.", "", "It is not said why it is dropped."),
        ("item: day\n", "item: day\n    unit: kg\n", "observed_from has no unit."),
        (
            "item: weight\n",
            "item: weight\n    words: {a: b}\n",
            "gross_weight has no list of words",
        ),
        ("item: weight\n", "item: weight\n    days: iso\n", "gross_weight is not a day."),
        ("item: weight\n", "item: weight\n    ignoring: a\n", "gross_weight has no list of words"),
    ],
)
def test_a_fault_is_told_with_its_place_and_a_remedy(before: str, after: str, told: str) -> None:
    assert SMALL.count(before) >= 1
    faults = faults_of(SMALL.replace(before, after, 1))
    assert any(told in fault for fault in faults), faults
    assert all(fault.startswith("line ") for fault in faults)


@pytest.mark.parametrize(
    "text", ["", "- a", "format: import-mapping/1\ncolumns: 3", "a: *b", "\x00", "format: [\n"]
)
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert faults_of(text)


def test_every_fault_is_told_at_once() -> None:
    text = SMALL.replace("unit: lb", "unit: stone").replace("source: news", "source: rumour")
    assert len(faults_of(text)) == 2


def test_a_name_is_a_shipped_mapping_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(SMALL, encoding="utf-8")
    assert find_mapping(str(path)).title == "Seizures of an example office"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MappingError, match="It is not UTF-8"):
        find_mapping(str(path))
    with pytest.raises(UnknownMappingError, match="Give one of cis, ionics, or the path"):
        find_mapping("customs")


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_valid_under_its_own_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(mapping_schema())
    jsonschema.validate(yaml.safe_load(shipped_text(name)), mapping_schema())


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(mapping_schema())
    for before, after in (
        ("field: substance", "field: substanze"),
        ("verified: press", "verified: maybe"),
        ("unit: lb", "unit: stone"),
        ("statement: Nobody else writes them so.\n", ""),
        ("read: whole", "read: partly"),
    ):
        assert list(validator.iter_errors(yaml.safe_load(SMALL.replace(before, after, 1)))), after
    validator.validate(yaml.safe_load(SMALL))


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_shipped_claims_to_be_compatible(name: str) -> None:
    mapping = find_mapping(name)
    assert "compatible with no system" in mapping.statement
    for column in mapping.columns:
        if column.verified is Verified.ANNEX_TEXT:
            assert mapping.sources[column.source].is_whole
        if column.verified is Verified.PRESS:
            assert column.source in mapping.sources
    if name == "ionics":
        assert {each.verified for each in mapping.columns} == {Verified.PRESS, Verified.ASSUMED}
