"""What charts are drawn with: outlines of countries, and colours that can be told from the page."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from babel.core import get_global

from postern.normalise.tables import __file__ as tables_file

WEB = Path(__file__).parents[3] / "app" / "web"
OUTLINES: dict[str, Any] = json.loads((WEB / "static" / "modules" / "countries.json").read_text())
CODES: dict[str, Any] = json.loads((WEB / "modules" / "charts" / "country_codes.json").read_text())
COUNTRIES: list[str] = json.loads(Path(tables_file).with_name("countries.json").read_text())["iso"]
LEAST = 3.0  # contrast of what is drawn, WCAG 2.2, 1.4.11


def test_every_code_of_an_outline_is_that_of_its_number() -> None:
    aliases = get_global("territory_aliases")
    assert len(CODES["codes"]) > 200
    for number, code in CODES["codes"].items():
        assert list(aliases[number]) == [code]


def test_every_country_has_a_place_on_the_map_and_most_an_outline() -> None:
    known = {code.upper() for code in COUNTRIES} - {"AQ"}
    assert known <= set(OUTLINES["centres"])
    for east, north in OUTLINES["centres"].values():
        assert -180 <= east <= 180
        assert -90 <= north <= 90
    outlined = {
        each["properties"].get("code") for each in OUTLINES["objects"]["countries"]["geometries"]
    }
    assert {"BE", "NL", "LU", "DE", "FR", "GB", "US", "CN"} <= outlined
    assert outlined - {None} <= known
    east, north = OUTLINES["centres"]["LU"]
    assert 5.7 < east < 6.6
    assert 49.4 < north < 50.2


def test_the_outlines_name_their_source_and_licence() -> None:
    assert "Natural Earth" in OUTLINES["about"]
    assert "public domain" in OUTLINES["about"]
    licences = (WEB / "static" / "modules" / "LICENSES.txt").read_text()
    for package in ("echarts 6.1.0 (Apache-2.0)", "zrender", "topojson-client", "world-atlas"):
        assert package in licences
    assert (
        "This product includes software developed at" in licences
    )  # its NOTICE, which Apache-2.0 asks for


@pytest.mark.parametrize("theme", ["postern.css", "dark.css"])
def test_what_is_drawn_stands_out_from_its_ground(theme: str) -> None:
    colours = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (WEB / "static" / "css" / theme).read_text())
    )
    series = [colours[f"chart-{place}"] for place in range(1, 7)]
    for colour, ground in product(
        [*series, colours["rule-strong"]], (colours["paper"], colours["sheet"])
    ):
        assert contrast(colour, ground) >= LEAST, (colour, ground)
    for land in (colours["chart-land"], colours["chart-visited"]):
        assert contrast(colours["chart-2"], land) >= LEAST
        assert contrast(colours["ink"], land) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, WCAG 2.2."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
