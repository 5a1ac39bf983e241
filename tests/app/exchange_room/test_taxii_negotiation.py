"""What of Accept and Content-Type is TAXII 2.1, in every spelling that HTTP allows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exchange.negotiation import MEDIA_TYPE, is_accepted, is_taxii


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/*",
        "application/taxii+json",
        MEDIA_TYPE,
        "application/taxii+json; version=2.1",
        "Application/TAXII+JSON;Version=2.1",
        'application/taxii+json;version="2.1"',
        "application/taxii+json;version=2.1;q=0.1",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
        "text/html, application/taxii+json;version=2.1;q=0.9, */*;q=0",
        "application/taxii+json;version=2.0;q=1, */*;q=0.1",
        "text/html;q=0.1,\tapplication/taxii+json",
    ],
)
def test_who_takes_taxii_is_served(accept: str | None) -> None:
    assert is_accepted(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "text/html",
        "application/stix+json;version=2.1",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=2.10",
        "application/taxii+json;version=2.1;q=0",
        "application/taxii+json;version=2.1;q=0, */*",
        "*/*;q=0",
        "application/taxii+json;version=2.1;q=two",
        "application/taxii+json;version",
        "taxii",
        ";;;",
        "application/taxii+json" + " " * 2000,
    ],
)
def test_who_does_not_take_taxii_is_told_so(accept: str) -> None:
    assert not is_accepted(accept)


@pytest.mark.parametrize(
    ("content_type", "is_one"),
    [
        (MEDIA_TYPE, True),
        ("application/taxii+json", True),
        ("application/taxii+json; version=2.1", True),
        ('APPLICATION/taxii+json; charset=utf-8; Version="2.1"', True),
        ("application/taxii+json;version=2.0", False),
        ("application/stix+json;version=2.1", False),
        ("application/json", False),
        ("application/taxii+json, text/html", False),
        ("", False),
        (None, False),
    ],
)
def test_a_body_is_taxii_by_its_content_type(content_type: str | None, is_one: bool) -> None:
    assert is_taxii(content_type) is is_one


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=200))
def test_no_header_is_too_strange_to_be_answered(header: str) -> None:
    assert is_accepted(header) in (True, False)
    assert is_taxii(header) in (True, False)
