"""`postern keys verify-rotation`: the true proof is taken, and each kind of false one refused."""

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postern import group, key_document, rotation, voprf
from postern.base64url import to_base64url
from postern.key_document import KeyDocument, KeyEpoch
from postern.key_ring import pin
from postern.normalise import NORMALISER_VERSION
from postern.rotation import Moved, Rotation
from postern.settings import pin_file_of
from tests.postern.conftest import Desk

OLD, NEW, OTHER = (group.random_scalar() for _ in range(3))
ABOUT = Rotation("postal", 1, 2, group.base(OLD), group.base(NEW))
D = rotation.factor(OLD, NEW)
ELEMENTS = [group.base(group.random_scalar()) for _ in range(4)]


@pytest.fixture
def pinned(bare_desk: Desk) -> Desk:
    """A desk at which both keys of a rotation are pinned, and one of another kind."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    keys = {("phone", 1): OTHER, ("postal", 1): OLD, ("postal", 2): NEW}
    document = KeyDocument(
        platform="Postern",
        issued_at=at,
        expires_at=at + timedelta(days=7),
        epochs=tuple(
            KeyEpoch(kind, epoch, NORMALISER_VERSION, group.base(key), at, at + timedelta(days=365))
            for (kind, epoch), key in keys.items()
        ),
    )
    raw = json.loads(json.dumps(key_document.sign(document, Ed25519PrivateKey.generate())))
    pin(raw, key_document.signer(raw), pin_file_of(bare_desk.config), datetime.now(UTC))
    return bare_desk


def chunks(about: Rotation = ABOUT, d: bytes = D) -> list[Moved]:
    return [
        rotation.move(about, d, number, few)
        for number, few in enumerate((ELEMENTS[:3], ELEMENTS[3:]), 1)
    ]


def lines(
    moved: list[Moved], about: Rotation = ABOUT, *, opened: tuple[int, ...] = (1,)
) -> list[str]:
    shown = ((each.statement, each if each.statement.number in opened else None) for each in moved)
    return list(rotation.written(about, shown))


def head(moved: list[Moved]) -> str:
    found = rotation.NO_HEAD
    for each in moved:
        found = rotation.next_head(found, each.statement)
    return found.hex()


@pytest.mark.parametrize("opened", [(), (1,), (1, 2)], ids=["none", "one", "all"])
def test_the_true_proof_is_taken(pinned: Desk, opened: tuple[int, ...]) -> None:
    moved = chunks()
    file = pinned.write("proof.jsonl", "\n".join(lines(moved, opened=opened)) + "\n")
    told = pinned.run("keys", "verify-rotation", file, "--head", head(moved).upper())
    assert told.exit_code == 0, told.output
    assert "The proof holds" in told.output
    assert head(moved) in told.output
    assert re.search(rf"checked row by row\W+{len(opened)}\b", told.output)


def swapped_row() -> list[str]:
    """One row put in another's place, with a proof that its sums moved by the factor."""
    honest = chunks()
    first = honest[0]
    new = (first.new[1], first.new[0], *first.new[2:])
    m, z, proof = voprf.prove_sums(D, ABOUT.new_key, first.old, new, base=ABOUT.old_key)
    told = dataclasses.replace(first.statement, new=rotation._digest(new), m=m, z=z, proof=proof)
    return lines([Moved(told, first.old, new), honest[1]])


def other_factor() -> list[str]:
    d = group.random_scalar()
    about = dataclasses.replace(ABOUT, new_key=group.mul(d, ABOUT.old_key))
    return lines(chunks(about, d))


def of_unpinned_keys() -> list[str]:
    d = group.random_scalar()
    about = dataclasses.replace(ABOUT, new_key=group.mul(d, ABOUT.old_key))
    return lines(chunks(about, d), about)


def of_an_epoch_that_is_not_pinned() -> list[str]:
    about = dataclasses.replace(ABOUT, new_epoch=3)
    return lines(chunks(about), about)


def of_another_kind() -> list[str]:
    about = dataclasses.replace(ABOUT, kind="phone")
    return lines(chunks(about), about)


def the_way_back() -> list[str]:
    about = dataclasses.replace(ABOUT, old_key=ABOUT.new_key, new_key=ABOUT.old_key)
    return lines(chunks(about, group.invert(D)), about)


def first_chunk_missing() -> list[str]:
    told = lines(chunks())
    return [told[0], *told[2:]]


def other_rows() -> list[str]:
    told = lines(chunks())
    chunk = json.loads(told[1])
    chunk["old_rows"][0] = to_base64url(group.base(group.random_scalar()))
    return [told[0], json.dumps(chunk), *told[2:]]


def other_sums() -> list[str]:
    told = lines(chunks())
    chunk = json.loads(told[2])
    chunk["z"] = to_base64url(group.base(group.random_scalar()))
    return [*told[:2], json.dumps(chunk)]


def fewer_values() -> list[str]:
    told = lines(chunks(), opened=(1,))
    chunk = json.loads(told[1])
    chunk["rows"] -= 1
    return [told[0], json.dumps(chunk), *told[2:]]


def nothing() -> list[str]:
    return []


@pytest.mark.parametrize(
    ("forged", "what"),
    [
        (swapped_row, "was not moved by the factor"),
        (other_factor, "does not hold for these keys"),
        (of_unpinned_keys, "postal/2 in it is not one that is pinned"),
        (of_an_epoch_that_is_not_pinned, "postal/3 in it is not one that is pinned"),
        (of_another_kind, "phone/1 in it is not one that is pinned"),
        (the_way_back, "postal/1 in it is not one that is pinned"),
        (first_chunk_missing, "one is missing"),
        (other_rows, "not those that were published"),
        (other_sums, "does not hold for these keys"),
        (fewer_values, "another number of rows"),
        (nothing, "no JSON object"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_false_proof_is_refused(pinned: Desk, forged: Callable[[], list[str]], what: str) -> None:
    file = pinned.write("proof.jsonl", "".join(f"{line}\n" for line in forged()))
    told = pinned.run("keys", "verify-rotation", file)
    assert told.exit_code != 0
    assert what in " ".join(told.output.split())
    assert "The proof holds" not in told.output


def test_a_proof_whose_end_is_missing_has_not_the_head_of_the_log(pinned: Desk) -> None:
    moved = chunks()
    file = pinned.write("proof.jsonl", "\n".join(lines(moved)[:-1]))
    assert pinned.run("keys", "verify-rotation", file).exit_code == 0
    told = pinned.run("keys", "verify-rotation", file, "--head", head(moved))
    assert told.exit_code != 0
    assert "chunks are missing or changed" in " ".join(told.output.split())
