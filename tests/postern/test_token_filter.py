import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from postern import key_document, token_filter
from postern.base64url import to_base64url
from postern.filter_file import FilterFileError, load_filter, save_filter
from postern.token_filter import FilterHeader, TokenFilter
from postern.token_filter_errors import (
    FilterExpiredError,
    FilterMalformedError,
    FilterNotOursError,
    FilterNotYetValidError,
    FilterSignerError,
)
from postern.token_tags import changed, changes, content_of, records, tag
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FINGERPRINT = key_document.fingerprint(KEY.public_key().public_bytes_raw())
MADE = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
NOW = MADE + timedelta(days=1)
SALT = bytes(32)
TOKENS = [(bytes((n,)) * 16, 1 + n % 13) for n in range(200)]
CONTENT = content_of((tag(SALT, token), facet) for token, facet in TOKENS)
HEADER = FilterHeader(
    platform="Postern of Example",
    organisation="post-be",
    issue=UUID(int=7),
    seq=3,
    purpose=Purpose.PARCEL_SCREENING,
    legal_basis=LegalBasis.POSTAL_LAW,
    epochs={EvaluationKind.POSTAL: 1, EvaluationKind.PHONE: 2},
    salt=SALT,
    count=len(TOKENS),
    sha256=hashlib.sha256(CONTENT).digest(),
    created_at=MADE,
    expires_at=MADE + timedelta(days=7),
)


def signed(**fields: Any) -> dict[str, Any]:
    """The wire form with some fields of its document replaced before it is signed."""
    wire = json.loads(json.dumps(token_filter.sign(HEADER, KEY)))
    document = {**wire["document"], **fields}
    signature = KEY.sign(b"PN-filter-v1\n" + rfc8785.dumps(document))
    return {"document": document, "key": wire["key"], "signature": to_base64url(signature)}


def test_a_header_survives_its_journey() -> None:
    wire = json.loads(json.dumps(token_filter.sign(HEADER, KEY)))
    assert wire == signed()
    assert token_filter.read(wire, FINGERPRINT.lower().replace("-", " "), NOW) == HEADER


@pytest.mark.parametrize(
    "spoil",
    [
        lambda wire: {**wire, "document": {**wire["document"], "count": 1}},
        lambda wire: {**wire, "signature": to_base64url(KEY.sign(b"PN-keys-v1\n"))},
        lambda wire: token_filter.sign(HEADER, Ed25519PrivateKey.generate()),
    ],
)
def test_what_the_pinned_key_did_not_sign_is_refused(
    spoil: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    with pytest.raises(FilterSignerError, match="pinned key"):
        token_filter.read(spoil(signed()), FINGERPRINT, NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "postern-filter/2"),
        ("organisation", ""),
        ("issue", "{00000000-0000-0000-0000-000000000007}"),
        ("seq", 0),
        ("seq", True),
        ("purpose", "curiosity"),
        ("epochs", {"postal": 0}),
        ("epochs", {"hair": 1}),
        ("salt", to_base64url(bytes(31))),
        ("count", 20_000_001),
        ("created_at", "2026-11-20T06:00:00+00:00"),
        ("expires_at", "2026-11-27T06:00:01Z"),
        ("expires_at", "2026-11-20T06:00:00Z"),
        ("more", 1),
    ],
)
def test_a_signed_header_still_has_to_keep_the_rules(field: str, value: object) -> None:
    with pytest.raises(FilterMalformedError, match="malformed"):
        token_filter.read(signed(**{field: value}), FINGERPRINT, NOW)


@pytest.mark.parametrize("raw", [None, [], {"document": {}}, {**signed(), "key": 1}])
def test_what_is_no_wire_form_is_refused(raw: object) -> None:
    with pytest.raises(FilterMalformedError):
        token_filter.read(raw, FINGERPRINT, NOW)


def test_a_filter_ends_and_begins_on_time() -> None:
    wire = signed()
    with pytest.raises(FilterExpiredError):
        token_filter.read(wire, FINGERPRINT, HEADER.expires_at)
    with pytest.raises(FilterNotYetValidError):
        token_filter.read(wire, FINGERPRINT, MADE - timedelta(minutes=6))
    assert token_filter.read(wire, FINGERPRINT, HEADER.expires_at - timedelta(seconds=1)) == HEADER


def test_a_filter_of_others_is_not_used() -> None:
    token_filter.require_for(HEADER, "Postern of Example", "post-be")
    for platform, organisation in (("Another", "post-be"), ("Postern of Example", "post-nl")):
        with pytest.raises(FilterNotOursError):
            token_filter.require_for(HEADER, platform, organisation)


def test_a_content_lists_its_tokens_and_no_others() -> None:
    found = TokenFilter(HEADER, CONTENT)
    assert all(found.lists(token, facet) for token, facet in TOKENS)
    assert not any(found.lists(token, facet + 1) for token, facet in TOKENS)
    assert not any(found.lists(bytes((n, 1)) * 8, 1) for n in range(2, 200))
    assert found.facets == set(range(1, 14))


def test_under_another_salt_no_tag_is_the_same() -> None:
    other = content_of((tag(b"\x01" * 32, token), facet) for token, facet in TOKENS)
    assert not {each[:8] for each in records(other)} & {each[:8] for each in records(CONTENT)}


@pytest.mark.parametrize(
    "content",
    [
        CONTENT[:-9],
        CONTENT[9:18] + CONTENT[:9] + CONTENT[18:],
        CONTENT[:9] * 2 + CONTENT[18:],
        CONTENT[:8] + b"\x63" + CONTENT[9:],
    ],
)
def test_another_content_is_refused(content: bytes) -> None:
    with pytest.raises(FilterMalformedError):
        TokenFilter(HEADER, content)
    digest = hashlib.sha256(content).digest()
    if len(content) == len(CONTENT) and content[8] != 0x63:
        with pytest.raises(FilterMalformedError, match="order"):
            TokenFilter(replace(HEADER, sha256=digest), content)


LISTS = st.dictionaries(st.binary(min_size=8, max_size=8), st.integers(1, 30), max_size=30)


@given(LISTS, LISTS)
def test_changes_make_the_newer_content_of_the_older(
    before: dict[bytes, int], after: dict[bytes, int]
) -> None:
    kept = dict(list(before.items())[::2])
    older, newer = content_of(before.items()), content_of({**kept, **after}.items())
    one, other = set(records(older)), set(records(newer))
    told = changes(sorted(other - one), sorted(each[:8] for each in one - other))
    assert changed(older, told) == newer


@pytest.mark.parametrize("told", [b"", b"\x00\x00\x00\x01", b"\x00\x00\x00\x00abc"])
def test_changes_that_are_cut_off_are_refused(told: bytes) -> None:
    with pytest.raises(FilterMalformedError, match="changes"):
        changed(CONTENT, told)


def test_of_equal_tags_the_least_facet_stays() -> None:
    assert content_of([(b"a" * 8, 5), (b"b" * 8, 1), (b"a" * 8, 3)]) == b"aaaaaaaa\x03bbbbbbbb\x01"


def test_a_file_is_private_and_checked_each_time(tmp_path: Path) -> None:
    path = tmp_path / "x.filter"
    save_filter(path, signed(), CONTENT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_filter(path, FINGERPRINT, NOW).lists(*TOKENS[3])
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    with pytest.raises(FilterMalformedError):
        load_filter(path, FINGERPRINT, NOW)
    path.write_bytes(b"{}")
    with pytest.raises(FilterMalformedError):
        load_filter(path, FINGERPRINT, NOW)
    with pytest.raises(FilterFileError, match="filter fetch"):
        load_filter(tmp_path / "none", FINGERPRINT, NOW)


def test_a_tag_is_the_beginning_of_an_hmac() -> None:
    # HMAC of RFC 2104 by hand, with a key of 32 zeros that fills its block with zeros.
    block = bytes(64)
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block) + b"t" * 16).digest()
    outer = hashlib.sha256(bytes(each ^ 0x5C for each in block) + inner).digest()
    assert tag(bytes(32), b"t" * 16) == outer[:8]
    with pytest.raises(ValueError, match="32 bytes"):
        tag(bytes(32), b"short")
