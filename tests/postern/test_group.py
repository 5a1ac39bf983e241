import ctypes
import json
import secrets
from collections.abc import Callable, Iterator
from hashlib import sha512
from itertools import pairwise
from pathlib import Path

import pytest

from postern import group, sodium

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "rfc9496-vectors.json").read_text())
MULTIPLES = [bytes.fromhex(each) for each in VECTORS["multiples"]]
INVALID = [bytes.fromhex(each) for family in VECTORS["invalid"].values() for each in family]
IDENTITY = MULTIPLES[0]
WITH_BIT_255 = MULTIPLES[5][:31] + bytes((MULTIPLES[5][31] | 0x80,))
NO_ELEMENTS = [*INVALID, IDENTITY, WITH_BIT_255, b"", MULTIPLES[1][:31], MULTIPLES[1] + b"\0"]
NO_SCALARS = [
    bytes(32),
    group.L.to_bytes(32, "little"),
    (group.L + 1).to_bytes(32, "little"),
    b"\xff" * 32,
    b"\x01" * 31,
    b"\x01" * 33,
    b"",
]


def loaded() -> list[ctypes.CDLL]:
    """The library inside rbcl and, where there is one, the system's."""
    try:
        return [sodium.load_rbcl(), sodium.load_system()]
    except sodium.SodiumUnavailableError:
        return [sodium.load_rbcl()]


LIBRARIES = loaded()


@pytest.fixture(autouse=True, params=LIBRARIES, ids=sodium.version)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ctypes.CDLL:
    """Runs every test of this file with each library."""
    chosen: ctypes.CDLL = request.param
    monkeypatch.setattr(group, "_sodium", chosen)
    return chosen


def number(value: int) -> bytes:
    return value.to_bytes(32, "little")


def value_of(scalar: bytes) -> int:
    return int.from_bytes(scalar, "little")


def test_the_module_uses_the_library_that_the_test_chose(library: ctypes.CDLL) -> None:
    assert group.library() is library


def test_multiples_of_the_generator_are_those_of_rfc_9496() -> None:
    for factor, multiple in enumerate(MULTIPLES[1:], start=1):
        assert group.base(number(factor)) == multiple
        assert group.mul(number(factor), group.GENERATOR) == multiple


def test_adding_the_generator_walks_through_its_multiples() -> None:
    for before, after in pairwise(MULTIPLES[1:]):
        assert group.add(before, group.GENERATOR) == after


def test_elements_from_uniform_bytes_are_those_of_rfc_9496() -> None:
    for vector in VECTORS["from_hash"]:
        element = group.from_hash(bytes.fromhex(vector["uniform"]))
        assert element.hex() == vector["element"]


def test_elements_of_rfc_9496_are_accepted() -> None:
    for element in MULTIPLES[1:]:
        group.check_element(element)


@pytest.mark.parametrize("element", NO_ELEMENTS, ids=lambda element: element.hex()[:12] or "empty")
def test_what_is_no_element_is_refused_everywhere(element: bytes) -> None:
    two, good = number(2), MULTIPLES[3]
    for call in (
        lambda: group.check_element(element),
        lambda: group.mul(two, element),
        lambda: group.mul_each(two, [good, element]),
        lambda: group.weighted_sum([two, two], [good, element]),
        lambda: group.weighted_sum([two, two], [element, good]),
        lambda: group.add(good, element),
        lambda: group.add(element, good),
    ):
        with pytest.raises(group.InvalidElementError):
            call()


def test_the_position_of_a_bad_element_is_told() -> None:
    with pytest.raises(group.InvalidElementError) as caught:
        group.mul_each(number(2), [*MULTIPLES[1:4], INVALID[0]])
    assert caught.value.position == 3
    assert "Element 3 " in str(caught.value)
    with pytest.raises(group.InvalidElementError) as caught:
        group.weighted_sum([number(2)] * 3, [*MULTIPLES[1:3], IDENTITY])
    assert caught.value.position == 2


def test_an_error_does_not_show_the_element() -> None:
    with pytest.raises(group.InvalidElementError) as caught:
        group.mul(number(2), WITH_BIT_255)
    assert WITH_BIT_255.hex() not in str(caught.value)


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda element: element.hex()[:32]])
def test_only_bytes_reach_the_library(kind: Callable[[bytes], object]) -> None:
    element = kind(MULTIPLES[1])
    with pytest.raises(group.InvalidElementError):
        group.mul(number(2), element)  # type: ignore[arg-type]
    with pytest.raises(group.InvalidScalarError):
        group.base(element)  # type: ignore[arg-type]
    with pytest.raises(group.WideInputError):
        group.reduce(kind(bytes(64)))  # type: ignore[arg-type]


@pytest.mark.parametrize("scalar", NO_SCALARS, ids=lambda scalar: scalar.hex()[:12] or "empty")
def test_what_is_no_scalar_is_refused_everywhere(scalar: bytes) -> None:
    two, good = number(2), MULTIPLES[3]
    for call in (
        lambda: group.check_scalar(scalar),
        lambda: group.base(scalar),
        lambda: group.mul(scalar, good),
        lambda: group.mul_each(scalar, []),
        lambda: group.weighted_sum([scalar], [good]),
        lambda: group.invert(scalar),
        lambda: group.scalar_add(scalar, two),
        lambda: group.scalar_add(two, scalar),
        lambda: group.scalar_sub(scalar, two),
        lambda: group.scalar_sub(two, scalar),
        lambda: group.scalar_mul(scalar, two),
        lambda: group.scalar_mul(two, scalar),
    ):
        with pytest.raises(group.InvalidScalarError):
            call()


def test_the_largest_scalar_is_accepted_and_is_minus_one() -> None:
    minus_one = number(group.L - 1)
    group.check_scalar(minus_one)
    with pytest.raises(group.InvalidElementError):  # G - G is the identity
        group.add(group.base(minus_one), group.GENERATOR)


def test_a_sum_that_is_the_identity_is_refused() -> None:
    with pytest.raises(group.InvalidElementError):
        group.weighted_sum([number(3), number(group.L - 1)], [MULTIPLES[2], MULTIPLES[6]])


def test_a_weighted_sum_is_the_sum_of_the_products() -> None:
    scalars = [group.random_scalar() for _ in range(4)]
    elements = [group.base(group.random_scalar()) for _ in range(4)]
    products = [group.mul(s, e) for s, e in zip(scalars, elements, strict=True)]
    expected = group.add(group.add(products[0], products[1]), group.add(products[2], products[3]))
    assert group.weighted_sum(scalars, elements) == expected
    assert group.weighted_sum(scalars[:1], elements[:1]) == products[0]


def test_a_weighted_sum_may_pass_through_the_identity() -> None:
    scalars = [number(1), number(group.L - 1), number(2)]
    assert group.weighted_sum(scalars, [MULTIPLES[4], MULTIPLES[4], MULTIPLES[3]]) == MULTIPLES[6]


def test_a_weighted_sum_needs_as_many_scalars_as_elements_and_at_least_one() -> None:
    with pytest.raises(ValueError, match="one pair or more"):
        group.weighted_sum([], [])
    with pytest.raises(ValueError, match="shorter"):
        group.weighted_sum([number(2), number(2)], [MULTIPLES[1]])


def test_each_product_of_a_batch_is_the_product_alone() -> None:
    scalar = group.random_scalar()
    elements = [group.base(group.random_scalar()) for _ in range(5)]
    assert group.mul_each(scalar, elements) == [group.mul(scalar, each) for each in elements]


def test_scalar_arithmetic_agrees_with_python_numbers() -> None:
    for _ in range(50):
        left, right = group.random_scalar(), group.random_scalar()
        a, b = value_of(left), value_of(right)
        assert value_of(group.scalar_add(left, right)) == (a + b) % group.L
        assert value_of(group.scalar_sub(left, right)) == (a - b) % group.L
        assert value_of(group.scalar_mul(left, right)) == a * b % group.L
        assert value_of(group.invert(left)) == pow(a, -1, group.L)


def test_reduction_agrees_with_python_numbers() -> None:
    for uniform in (bytes(64), b"\xff" * 64, *(secrets.token_bytes(64) for _ in range(50))):
        assert value_of(group.reduce(uniform)) == int.from_bytes(uniform, "little") % group.L


@pytest.mark.parametrize("size", [0, 63, 65])
def test_uniform_input_of_another_length_is_refused(size: int) -> None:
    for make in (group.from_hash, group.reduce):
        with pytest.raises(group.WideInputError):
            make(bytes(size))


def test_random_scalars_are_scalars_and_differ() -> None:
    scalars = {group.random_scalar() for _ in range(50)}
    assert len(scalars) == 50
    for scalar in scalars:
        group.check_scalar(scalar)


def decodable(candidates: Iterator[bytes]) -> list[bool]:
    answers = []
    for candidate in candidates:
        try:
            group.check_element(candidate)
        except group.InvalidElementError:
            answers.append(False)
        else:
            answers.append(True)
    return answers


def test_every_library_accepts_the_same_encodings(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = decodable(sha512(b"%d" % seed).digest()[:32] for seed in range(2000))
    assert 100 < sum(ours) < 300  # one encoding in sixteen is of an element
    for library in LIBRARIES:
        monkeypatch.setattr(group, "_sodium", library)
        assert decodable(sha512(b"%d" % seed).digest()[:32] for seed in range(2000)) == ours


def test_every_library_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scalars = [group.random_scalar() for _ in range(20)]
    uniform = [secrets.token_bytes(64) for _ in range(20)]

    def results() -> list[bytes]:
        elements = [group.from_hash(each) for each in uniform]
        inverses = [group.invert(scalar) for scalar in scalars]
        products = group.mul_each(scalars[0], elements)
        return [*elements, *inverses, *products, group.weighted_sum(scalars, elements)]

    ours = results()
    for library in LIBRARIES:
        monkeypatch.setattr(group, "_sodium", library)
        assert results() == ours
