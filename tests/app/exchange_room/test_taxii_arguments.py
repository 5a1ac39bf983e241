"""Arguments of TAXII requests, paging tokens and bodies: read in one way only, refused in words."""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.exchange import cursors, taxii_schemas
from app.exchange.taxii_bodies import MOST_OBJECTS, read_envelope
from app.exchange.taxii_errors import (
    InvalidFilterError,
    MalformedEnvelopeError,
    MalformedJsonError,
    TooManyObjectsError,
)
from app.exchange.taxii_schemas import Asked, microseconds, read, written
from postern.base64url import from_base64url, to_base64url
from tests.written_docs import platform

MOMENT = "2026-11-24T07:00:00"
_PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))  # on a busy machine
ID = "indicator--6a0e2d8c-6b1a-4c4e-9a55-6d1e5f2b0c01"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    made = platform(tmp_path_factory.mktemp("arguments"))
    yield made
    made.extensions["postern"].database.dispose()


def asked(*pairs: tuple[str, str]) -> Asked:
    return read(MultiDict(pairs), filters=taxii_schemas.OF_OBJECTS)


@pytest.mark.parametrize("fraction", ["", ".1", ".12", ".123", ".123456", ".123456789"])
def test_a_moment_has_any_number_of_digits(fraction: str) -> None:
    found = asked(("added_after", f"{MOMENT}{fraction}Z")).added_after
    assert found is not None
    assert written(found) == f"{MOMENT}.{fraction[1:7]:0<6}Z"


@_PATIENT
@given(st.datetimes().filter(lambda each: each.year >= 1000))
def test_a_moment_is_written_as_it_is_read(moment: object) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
    found = microseconds(text)
    assert found is not None
    assert written(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-11-24",
        "2026-11-24T07:00:00",
        "2026-11-24T07:00:00+01:00",
        "2026-02-30T07:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24T07:00:61Z",
        "0000-11-24T07:00:00Z",
        "99999-11-24T07:00:00Z",
        "2026-11-24T07:00:00.Z",
        "٢٠٢٦-11-24T07:00:00Z",
        "",
        "2026-11-24T07:00:00Z\n",
    ],
)
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidFilterError) as error:
        asked(("added_after", text))
    assert [each["field"] for each in error.value.extensions["errors"]] == ["added_after"]


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "ten", "", "1e3", "٣", " 5", "9" * 101])
def test_a_limit_is_a_whole_number_above_nothing(limit: str) -> None:
    with pytest.raises(InvalidFilterError):
        asked(("limit", limit))


def test_a_larger_limit_than_there_is_gives_the_largest() -> None:
    assert asked(("limit", "9" * 99)).limit == taxii_schemas.MOST
    assert asked(("limit", "007")).limit == 7
    assert asked().limit == taxii_schemas.DEFAULT_LIMIT


def test_filters_take_several_values_between_commas() -> None:
    other = ID.replace("01", "02")
    found = asked(("match[id]", f"{ID},{other}"), ("match[type]", "indicator, sighting"))
    assert found.ids == frozenset({ID, other})
    assert found.types == frozenset({"indicator", "sighting"})
    assert asked(("match[id]", "nothing"), ("match[type]", "No Type\0")).ids == frozenset()
    assert asked(("match[type]", "jan-de-vries,indicator")).types == frozenset({"indicator"})


def test_versions_are_first_last_all_or_moments() -> None:
    assert asked().versions == {"last"}
    assert asked(("match[version]", "first,last")).versions == {"first", "last"}
    assert asked(("match[version]", "all,last")).versions == {"all"}
    assert asked(("match[version]", f"{MOMENT}Z")).versions == {microseconds(f"{MOMENT}Z")}
    for wrong in ("newest", "last,,first", "", "Last"):
        with pytest.raises(InvalidFilterError):
            asked(("match[version]", wrong))


def test_other_versions_of_stix_are_there_in_none() -> None:
    assert asked(("match[spec_version]", "2.0,2.1")).is_spoken
    assert not asked(("match[spec_version]", "2.0")).is_spoken
    with pytest.raises(InvalidFilterError):
        asked(("match[spec_version]", "two"))


def test_a_filter_of_too_many_values_is_refused() -> None:
    with pytest.raises(InvalidFilterError):
        asked(("match[id]", ",".join([ID] * (taxii_schemas.MOST_NAMED + 1))))
    with pytest.raises(InvalidFilterError):
        asked(("match[id]", "x" * (taxii_schemas.LONGEST_VALUE + 1)))


def test_what_taxii_does_not_know_is_overlooked() -> None:
    assert asked(("match[colour]", "red"), ("page", "3"), ("x", "y")) == Asked()


@_PATIENT
@given(st.lists(st.tuples(st.sampled_from([*taxii_schemas.OF_OBJECTS, "other"]), st.text())))
def test_no_argument_is_too_strange_to_be_answered(pairs: list[tuple[str, str]]) -> None:
    with suppress(InvalidFilterError):
        asked(*pairs)


def test_a_token_is_good_for_its_question_only_and_more_than_once(app: Flask) -> None:
    with app.app_context():
        question = ("objects", "a-collection", "None", "any", "any", "last", "True")
        token = cursors.written(1_790_000_000_000_123, question)
        assert cursors.read(token, question) == 1_790_000_000_000_123
        assert cursors.read(token, question) == 1_790_000_000_000_123
        for place in range(len(question)):
            other = [*question]
            other[place] += "!"
            with pytest.raises(cursors.InvalidCursorError):
                cursors.read(token, other)
        with pytest.raises(cursors.InvalidCursorError):
            cursors.read(token, ("objectsa-collection", *question[2:]))


def test_a_token_that_was_changed_is_refused(app: Flask) -> None:
    with app.app_context():
        token = cursors.written(5, ("objects",))
        raw = from_base64url(token)
        assert raw is not None
        for place in range(len(raw)):
            changed = bytearray(raw)
            changed[place] ^= 1
            with pytest.raises(cursors.InvalidCursorError):
                cursors.read(to_base64url(bytes(changed)), ("objects",))


@_PATIENT
@given(token=st.text(max_size=60) | st.text("abcABC019-_", min_size=27, max_size=27))
def test_no_token_can_be_guessed(app: Flask, token: str) -> None:
    with app.app_context(), pytest.raises(cursors.InvalidCursorError):
        cursors.read(token, ("objects",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"objects": [{"a": NaN}]}',
        b'{"objects": [{"a": -Infinity}]}',
        b'{"objects": [{"a": 1e999}]}',
        b'{"objects": [{"a": ' + b"9" * 5000 + b"}]}",
        b'{"objects": [{"a": 1, "a": 2}]}',
        b"[" * 100_000,
        b'{"objects": [' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"]}",
        b"{'objects': []}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_of_one_meaning_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        read_envelope(body)


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        "objects",
        7,
        {},
        {"objects": []},
        {"objects": {"id": ID}},
        {"objects": [1]},
        {"objects": ["x"]},
        {"objects": [[{}]]},
        {"object": [{}]},
    ],
    ids=str,
)
def test_what_is_no_envelope_of_objects_is_refused(found: object) -> None:
    with pytest.raises(MalformedEnvelopeError):
        read_envelope(json.dumps(found).encode())


def test_an_envelope_of_too_many_objects_is_too_large() -> None:
    assert len(read_envelope(json.dumps({"objects": [{}] * 3, "more": True}).encode())) == 3
    with pytest.raises(TooManyObjectsError):
        read_envelope(json.dumps({"objects": [{}] * (MOST_OBJECTS + 1)}).encode())


@_PATIENT
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists) | st.binary())
def test_no_body_is_too_strange_to_be_answered(body: object) -> None:
    with suppress(MalformedEnvelopeError, MalformedJsonError):
        read_envelope(body if isinstance(body, bytes) else json.dumps(body).encode())
