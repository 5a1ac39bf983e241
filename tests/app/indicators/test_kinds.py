"""The closed rules of kinds are whole, and docs/reports.md says the same."""

import json
import re
from pathlib import Path

import pytest
from marshmallow import Schema

from app.indicators.kinds import FACETS_OF, ROLES_OF
from app.indicators.reading import NewReport, read_report
from app.indicators.schemas import IndicatorSchema, ReportSchema, ShipmentSchema
from app.indicators.shared_schemas import FiltersSchema
from app.lookups.schemas import QuerySchema
from app.lookups.watch_schemas import SetWatchSchema
from postern import facets, normalise
from postern.facet_kinds import FACETS
from postern.vocabulary import INDICATOR_KINDS, Kind
from tests.app.exchange import JAN, SOPHIE
from tests.app.indicators.test_reading import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text()

VALUES = [
    SOPHIE,
    JAN,
    normalise.Address(SOPHIE.lines, SOPHIE.postcode, SOPHIE.city, SOPHIE.country),
    normalise.Vendor("Dark Market", "MidnightLotus99"),
    normalise.Pgp("0" * 39 + "1"),
    normalise.Phone("+32 2 555 12 34"),
    normalise.Email("someone@mailbox.example"),
    normalise.Payment("auto", "BE71 0961 2345 6769"),
    normalise.Item("auto", "RR473124829BE"),
    normalise.InductionPoint("Example Post", "BRU-17", "BE"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_facet_that_a_value_has_is_allowed_for_its_kind(value: normalise.Value) -> None:
    normalised = normalise.normalise(value)
    made = {facet.number for facet in facets.facets(normalised)}
    assert made
    assert made <= FACETS_OF[normalised.kind]


def test_every_facet_belongs_to_a_kind_and_every_kind_has_roles() -> None:
    assert set().union(*FACETS_OF.values()) == set(FACETS)
    assert set(FACETS_OF) == set(ROLES_OF) == set(INDICATOR_KINDS)
    assert all(ROLES_OF.values())


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_the_page_lists_the_roles_and_facets_of_a_kind(kind: Kind) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    roles, numbers = row
    assert set(re.findall(r"`(\w+)`", roles)) == ROLES_OF[kind]
    assert {int(number) for number in numbers.split(", ")} == FACETS_OF[kind]


@pytest.mark.parametrize("schema", [IndicatorSchema, QuerySchema, SetWatchSchema, FiltersSchema])
def test_a_pattern_is_refused_like_a_kind_that_there_is_not(schema: type[Schema]) -> None:
    told = [schema().validate({"kind": kind})["kind"] for kind in ("pattern", "no such")]
    assert told[0] == told[1]
    assert "pattern" not in str(told[0])
    assert "kind" not in schema().validate({"kind": "item"})


@pytest.mark.parametrize("schema", [ReportSchema, ShipmentSchema, IndicatorSchema])
def test_the_page_names_every_field(schema: type[Schema]) -> None:
    named = set(re.findall(r"[`\"](\w+)[`\"]", PAGE))
    assert set(schema().fields) <= named


def test_the_example_of_the_page_is_a_valid_report() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (sent,) = json.loads(example)["reports"]
    read = read_report(sent, RULES)
    assert isinstance(read, NewReport), read
    assert len(read.indicators) == 2
