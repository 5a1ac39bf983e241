"""Proofs of a key rotation: every row by one factor, and what a member sees of it."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern import group, rotation, voprf
from postern.base64url import to_base64url
from postern.pseudonym import token
from postern.rotation import Moved, Rotation, RotationProofError

OLD, NEW = group.random_scalar(), group.random_scalar()
D = rotation.factor(OLD, NEW)
ABOUT = Rotation("postal", 1, 2, group.base(OLD), group.base(NEW))


def rows(count: int, key: bytes = OLD) -> list[bytes]:
    """What the key makes of as many values."""
    return [group.mul(key, voprf.blind(b"%d" % n, r=_ONE)[1]) for n in range(count)]


_ONE = (1).to_bytes(32, "little")


@pytest.fixture(scope="module")
def moved() -> list[Moved]:
    return [rotation.move(ABOUT, D, number, rows(count)) for number, count in ((1, 3), (2, 1))]


def lines(moved: list[Moved], *opened: int) -> list[str]:
    chunks = ((each.statement, each if each.statement.number in opened else None) for each in moved)
    return list(rotation.written(ABOUT, chunks))


def changed(line: str, **fields: Any) -> str:
    return json.dumps({**json.loads(line), **fields})


def test_moved_rows_are_what_the_new_key_makes_of_the_values(moved: list[Moved]) -> None:
    assert list(moved[0].new[:-1]) == rows(3, NEW)
    tokens = [token("postal", 2, each) for each in moved[0].new[:-1]]
    assert tokens == [token("postal", 2, each) for each in rows(3, NEW)]


def test_the_proof_is_one_of_the_rfc_over_the_rows(moved: list[Moved]) -> None:
    for each in moved:
        voprf.verify(ABOUT.new_key, each.old, each.new, each.statement.proof, base=ABOUT.old_key)


def test_a_file_is_verified_with_rows_and_without(moved: list[Moved]) -> None:
    closed, opened = (rotation.verify_file(lines(moved, *which)) for which in ((), (1, 2)))
    assert (closed.chunks, closed.elements, closed.opened) == (2, 4, 0)
    assert opened == dataclasses.replace(closed, opened=2)
    head = rotation.next_head(rotation.NO_HEAD, moved[0].statement)
    assert closed.head == rotation.next_head(head, moved[1].statement)


def test_a_chunk_of_one_row_cannot_be_guessed_from_its_statement() -> None:
    (value,) = rows(1)
    one, other = (rotation.move(ABOUT, D, 1, [value]).statement for _ in range(2))
    assert one.rows == other.rows == 1
    for name in ("old", "new", "m", "z"):
        assert getattr(one, name) != getattr(other, name)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_swapped_row_is_found(place: int) -> None:
    honest = rotation.move(ABOUT, D, 1, rows(3))
    forged = list(honest.new)
    forged[place] = group.base(group.random_scalar())
    m, z, proof = voprf.prove_sums(D, ABOUT.new_key, honest.old, forged, base=ABOUT.old_key)
    digest = rotation._digest(forged)
    told = dataclasses.replace(honest.statement, new=digest, m=m, z=z, proof=proof)
    rotation.check(ABOUT, told)  # the sums alone do not show it
    with pytest.raises(RotationProofError, match="was not moved by the factor"):
        rotation.check_rows(ABOUT, Moved(told, honest.old, tuple(forged)))


def test_another_factor_is_found_without_the_rows() -> None:
    other = rotation.move(
        dataclasses.replace(ABOUT, new_key=group.base(OLD)), group.random_scalar(), 1, rows(2)
    )
    with pytest.raises(RotationProofError, match="chunk 1 does not hold"):
        rotation.check(ABOUT, other.statement)


def test_rows_that_are_not_those_that_were_published_are_refused(moved: list[Moved]) -> None:
    one = moved[0]
    with pytest.raises(RotationProofError, match="not those that were published"):
        rotation.check_rows(ABOUT, Moved(one.statement, one.old[::-1], one.new[::-1]))
    with pytest.raises(RotationProofError, match="another number of rows"):
        rotation.check_rows(ABOUT, Moved(one.statement, one.old[1:], one.new[1:]))


@pytest.mark.parametrize(
    ("place", "fields", "what"),
    [
        (0, {"format": "other"}, "names no rotation"),
        (0, {"new_epoch": 1}, "names no rotation"),
        (0, {"old_key": "AA"}, "Line 1: old_key"),
        (0, {"old_key": to_base64url(bytes(31) + b"\xff")}, "does not hold"),
        (1, {"chunk": 2}, "one is missing"),
        (1, {"rows": 0}, "Line 2 is no chunk"),
        (1, {"rows": True}, "Line 2 is no chunk"),
        (1, {"m": to_base64url(group.GENERATOR)}, "does not hold"),
        (1, {"proof": "AA"}, "Line 2: proof"),
        (1, {"old_rows": [], "new_rows": []}, "another number of rows"),
        (1, {"old_rows": 3}, "has no list old_rows"),
        (1, {"old_rows": [3], "new_rows": []}, "Line 2: old_rows"),
    ],
    ids=[f"fault-{number}" for number in range(12)],
)
def test_a_damaged_file_is_refused(
    moved: list[Moved], place: int, fields: dict[str, Any], what: str
) -> None:
    written = lines(moved)
    written[place] = changed(written[place], **fields)
    with pytest.raises(RotationProofError, match=what):
        rotation.verify_file(written)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "[" * 100_000, "9" * 200_001],
    ids=["empty", "list", "open", "deep", "long"],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(RotationProofError):
        rotation.verify_file([text])


_WRITTEN = lines([rotation.move(ABOUT, D, number, rows(1)) for number in (1, 2)])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.integers(0, 2))
def test_any_text_in_a_line_is_refused_and_breaks_nothing(text: str, place: int) -> None:
    written = list(_WRITTEN)
    written[place] = text
    with pytest.raises(RotationProofError):
        rotation.verify_file(written)


def test_a_chunk_has_its_bounds() -> None:
    for count in (0, rotation.MOST_ROWS + 1):
        with pytest.raises(voprf.BatchSizeError):
            rotation.move(ABOUT, D, 1, [group.GENERATOR] * count)
