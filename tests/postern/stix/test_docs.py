"""docs/stix.md says what the code does."""

import json
import re
from pathlib import Path

from postern.facet_kinds import FACETS
from postern.stix.checking import SentIndicator, classify
from postern.stix.names import EXTENSIONS, PHASES
from postern.stix.observables import row_of
from postern.stix.tokens import facet_name
from postern.stix.words import confidence
from postern.vocabulary import InformationGrade, SourceGrade

PAGE = (Path(__file__).parents[3] / "docs" / "stix.md").read_text()


def test_extensions_phases_and_facets_are_listed() -> None:
    for name, id_ in EXTENSIONS.items():
        assert re.search(rf"^\| `{name}` \| .* \| `{id_}` \|$", PAGE, re.MULTILINE)
    for step, phase in enumerate(PHASES, start=1):
        assert f"| {step} | `{phase}` |" in PAGE
    for number in FACETS:
        assert f"`{facet_name(number)}`" in PAGE


def test_the_table_of_confidence_is_right() -> None:
    for grade in InformationGrade:
        sure = [confidence(source, grade) for source in (SourceGrade.A, SourceGrade.X)]
        cells = " | ".join("none" if each is None else str(each) for each in sure)
        assert f"| {grade} | {cells} |" in PAGE


def test_the_example_is_taken() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example
    found = classify(json.loads(example[1]))
    assert isinstance(found, SentIndicator), found
    assert found.has_value


def test_every_observable_of_the_table_becomes_the_column_that_it_names() -> None:
    rows = re.findall(r"^\| `([a-z-]+):([a-z]+)`.* \| `([a-z_]+)` \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for type_, path, column in rows:
        assert row_of(type_, {path: "x"}) == {column: "x"}
