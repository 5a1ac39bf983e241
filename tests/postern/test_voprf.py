import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voprf import ristretto as oracle  # another implementation, over another library

from postern import group, sodium, voprf

SUITE = next(
    suite
    for suite in json.loads(
        (Path(__file__).parents[1] / "data" / "rfc9497-vectors.json").read_text()
    )["vectors"]
    if suite["mode"] == 1
)
VECTORS = SUITE["vectors"]
NO_ELEMENTS = {
    "identity": bytes(32),
    "negative": bytes.fromhex("01" + "00" * 31),
    "bit 255": group.GENERATOR[:31] + bytes((group.GENERATOR[31] | 0x80,)),
    "short": group.GENERATOR[:31],
}


def unhex(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


@dataclass(frozen=True)
class Exchange:
    """One honest run of the protocol."""

    secret_key: bytes
    public_key: bytes
    values: list[bytes]
    blinds: list[bytes]
    blinded: list[bytes]
    evaluated: list[bytes]
    proof: bytes

    def verify(self, **changes: object) -> None:
        fields = {
            "public": self.public_key,
            "inputs": self.blinded,
            "outputs": self.evaluated,
            "proof": self.proof,
        }
        voprf.verify(**(fields | changes))  # type: ignore[arg-type]


def run(size: int) -> Exchange:
    secret_key, public_key = voprf.derive_key_pair(secrets.token_bytes(32), b"test")
    values = [b"value %d" % each for each in range(size)]
    blinds, blinded = map(list, zip(*(voprf.blind(value) for value in values), strict=True))
    evaluated, proof = voprf.evaluate(secret_key, public_key, blinded)
    return Exchange(secret_key, public_key, values, blinds, blinded, evaluated, proof)


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    return run(4)


@pytest.fixture(params=["rbcl", "the default library"])
def either_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "rbcl":
        monkeypatch.setattr(group, "_sodium", sodium.load_rbcl())


@pytest.mark.usefixtures("either_library")
def test_the_key_pair_is_that_of_rfc_9497() -> None:
    seed, info = bytes.fromhex(SUITE["seed"]), bytes.fromhex(SUITE["keyInfo"])
    secret_key, public_key = voprf.derive_key_pair(seed, info)
    assert secret_key.hex() == SUITE["skSm"]
    assert public_key.hex() == SUITE["pkSm"]


@pytest.mark.usefixtures("either_library")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["Input"])
def test_every_step_is_that_of_rfc_9497(vector: dict[str, str | dict[str, str]]) -> None:
    secret_key, public_key = bytes.fromhex(SUITE["skSm"]), bytes.fromhex(SUITE["pkSm"])
    values, blinds, blinded, evaluated, outputs = (
        unhex(str(vector[name]))
        for name in ("Input", "Blind", "BlindedElement", "EvaluationElement", "Output")
    )
    given_proof = vector["Proof"]
    assert isinstance(given_proof, dict)
    proof, r = bytes.fromhex(given_proof["proof"]), bytes.fromhex(given_proof["r"])

    for value, blind, element in zip(values, blinds, blinded, strict=True):
        assert voprf.blind(value, r=blind) == (blind, element)
    assert voprf.evaluate(secret_key, public_key, blinded, r=r) == (evaluated, proof)
    finalised = voprf.finalize(
        values, blinds, blinded, evaluated, public_key=public_key, proof=proof
    )
    assert [each.output for each in finalised] == outputs


def test_the_vectors_have_a_batch_of_two() -> None:
    assert [vector["Batch"] for vector in VECTORS] == [1, 1, 2]


def test_the_element_is_the_key_times_the_hash_of_the_value_whatever_the_blind(
    exchange: Exchange,
) -> None:
    one = b"\x01" + bytes(31)
    for value, blind, evaluated in zip(
        exchange.values, exchange.blinds, exchange.evaluated, strict=True
    ):
        _, hashed = voprf.blind(value, r=one)
        assert voprf.unblind(blind, evaluated) == group.mul(exchange.secret_key, hashed)


def test_a_blind_is_fresh_each_time() -> None:
    assert len({voprf.blind(b"same") for _ in range(20)}) == 20


def test_a_proof_has_fresh_randomness_each_time(exchange: Exchange) -> None:
    proofs = {
        voprf.evaluate(exchange.secret_key, exchange.public_key, exchange.blinded)[1]
        for _ in range(5)
    }
    assert len(proofs) == 5


@pytest.mark.parametrize("size", [1, 2, voprf.MAX_BATCH])
def test_an_honest_batch_is_accepted(size: int) -> None:
    honest = run(size)
    finalised = voprf.finalize(
        honest.values,
        honest.blinds,
        honest.blinded,
        honest.evaluated,
        public_key=honest.public_key,
        proof=honest.proof,
    )
    assert len({each.element for each in finalised}) == size


@pytest.mark.parametrize("position", range(voprf.PROOF_SIZE))
def test_a_proof_with_any_byte_changed_is_refused(exchange: Exchange, position: int) -> None:
    tampered = bytearray(exchange.proof)
    tampered[position] ^= 1
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(proof=bytes(tampered))


def test_a_proof_of_another_length_is_refused(exchange: Exchange) -> None:
    for proof in (b"", exchange.proof[:-1], exchange.proof + b"\0", exchange.proof[:32]):
        with pytest.raises(voprf.ProofInvalidError):
            exchange.verify(proof=proof)


def test_a_proof_with_a_second_spelling_of_its_scalars_is_refused(exchange: Exchange) -> None:
    c, s = (int.from_bytes(part, "little") for part in (exchange.proof[:32], exchange.proof[32:]))
    for other in ((c + group.L, s), (c, s + group.L), (c, s + 2**255)):
        with pytest.raises(voprf.ProofInvalidError):
            exchange.verify(proof=b"".join(part.to_bytes(32, "little") for part in other))


def test_a_proof_of_zeros_is_refused(exchange: Exchange) -> None:
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(proof=bytes(voprf.PROOF_SIZE))


def test_a_proof_whose_commitment_is_the_identity_is_refused(exchange: Exchange) -> None:
    """c = 1, s = -k makes s * base + c * public the identity."""
    one = b"\x01" + bytes(31)
    minus_k = group.scalar_mul(exchange.secret_key, (group.L - 1).to_bytes(32, "little"))
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(proof=one + minus_k)


def test_another_public_key_is_refused(exchange: Exchange) -> None:
    _, other = voprf.derive_key_pair(bytes(32), b"other")
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(public=other)


def test_an_answer_with_another_key_is_refused(exchange: Exchange) -> None:
    """A platform that tags a client by its key proves it with the key it tags with."""
    other_secret, other_public = voprf.derive_key_pair(bytes(32), b"other")
    for claimed in (exchange.public_key, other_public):
        evaluated, proof = voprf.evaluate(other_secret, claimed, exchange.blinded)
        with pytest.raises(voprf.ProofInvalidError):
            exchange.verify(outputs=evaluated, proof=proof)


def test_one_element_by_another_key_spoils_the_batch(exchange: Exchange) -> None:
    other_secret, _ = voprf.derive_key_pair(bytes(32), b"other")
    for position, element in enumerate(exchange.blinded):
        outputs = list(exchange.evaluated)
        outputs[position] = group.mul(other_secret, element)
        proof = voprf.prove(exchange.secret_key, exchange.public_key, exchange.blinded, outputs)
        with pytest.raises(voprf.ProofInvalidError):
            exchange.verify(outputs=outputs, proof=proof)


def test_errors_that_cancel_in_a_plain_sum_are_refused(exchange: Exchange) -> None:
    """The weights depend on every element, so that two wrong ones cannot make up for each other."""
    first, second, *rest = exchange.evaluated
    shift = group.GENERATOR
    back = group.mul((group.L - 1).to_bytes(32, "little"), shift)
    outputs = [group.add(first, shift), group.add(second, back), *rest]
    proof = voprf.prove(exchange.secret_key, exchange.public_key, exchange.blinded, outputs)
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(outputs=outputs, proof=proof)


def test_swapped_elements_are_refused(exchange: Exchange) -> None:
    first, second, *rest = exchange.evaluated
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(outputs=[second, first, *rest])
    first, second, *rest = exchange.blinded
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(inputs=[second, first, *rest])


def test_the_proof_of_another_batch_is_refused(exchange: Exchange) -> None:
    other = [voprf.blind(b"other %d" % each)[1] for each in range(4)]
    _, proof = voprf.evaluate(exchange.secret_key, exchange.public_key, other)
    with pytest.raises(voprf.ProofInvalidError):
        exchange.verify(proof=proof)


@pytest.mark.parametrize("element", NO_ELEMENTS.values(), ids=NO_ELEMENTS)
def test_what_is_no_element_is_refused_by_both_sides(exchange: Exchange, element: bytes) -> None:
    inputs, outputs = [*exchange.blinded[:-1], element], [*exchange.evaluated[:-1], element]
    with pytest.raises(group.InvalidElementError) as caught:
        voprf.evaluate(exchange.secret_key, exchange.public_key, inputs)
    assert caught.value.position == 3
    for changes in ({"inputs": inputs}, {"outputs": outputs}, {"public": element}):
        with pytest.raises(group.InvalidElementError):
            exchange.verify(**changes)
    with pytest.raises(group.InvalidElementError):
        exchange.verify(base=element)
    with pytest.raises(group.InvalidElementError):
        voprf.unblind(exchange.blinds[0], element)


def test_finalize_returns_nothing_when_the_proof_is_bad(exchange: Exchange) -> None:
    with pytest.raises(voprf.ProofInvalidError):
        voprf.finalize(
            exchange.values,
            exchange.blinds,
            exchange.blinded,
            exchange.evaluated,
            public_key=exchange.public_key,
            proof=exchange.proof[32:] + exchange.proof[:32],
        )


@pytest.mark.parametrize("size", [0, voprf.MAX_BATCH + 1])
def test_a_batch_that_is_empty_or_too_long_is_refused(exchange: Exchange, size: int) -> None:
    elements = [bytes(32)] * size  # no elements: the size is checked before any work is done
    with pytest.raises(voprf.BatchSizeError):
        voprf.evaluate(exchange.secret_key, exchange.public_key, elements)
    with pytest.raises(voprf.BatchSizeError):
        voprf.prove(exchange.secret_key, exchange.public_key, elements, elements)
    with pytest.raises(voprf.BatchSizeError):
        exchange.verify(inputs=elements, outputs=elements)


def test_lists_of_different_lengths_are_refused(exchange: Exchange) -> None:
    with pytest.raises(voprf.BatchSizeError):
        exchange.verify(outputs=exchange.evaluated[:-1])
    with pytest.raises(voprf.BatchSizeError):
        voprf.finalize(
            exchange.values[:-1],
            exchange.blinds,
            exchange.blinded,
            exchange.evaluated,
            public_key=exchange.public_key,
            proof=exchange.proof,
        )


def test_a_rotation_is_proved_with_the_old_public_key_as_base() -> None:
    old_secret, old_public = voprf.derive_key_pair(bytes(32), b"old")
    new_secret, new_public = voprf.derive_key_pair(bytes(32), b"new")
    factor = group.scalar_mul(new_secret, group.invert(old_secret))
    rows = [group.mul(old_secret, group.base(group.random_scalar())) for _ in range(5)]
    moved = group.mul_each(factor, rows)
    proof = voprf.prove(factor, new_public, rows, moved, base=old_public)

    voprf.verify(new_public, rows, moved, proof, base=old_public)
    with pytest.raises(voprf.ProofInvalidError):
        voprf.verify(new_public, rows, moved, proof)
    with pytest.raises(voprf.ProofInvalidError):
        voprf.verify(new_public, rows, [moved[1], moved[0], *moved[2:]], proof, base=old_public)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(voprf.InvalidInputError, match="32 bytes"):
        voprf.derive_key_pair(bytes(size), b"")


def test_a_key_that_comes_out_as_zero_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([bytes(32), bytes(32), b"\x05" + bytes(31)])
    monkeypatch.setattr(group, "reduce", lambda _: next(drawn))
    assert voprf.derive_key_pair(bytes(32), b"")[0] == b"\x05" + bytes(31)


def test_a_hash_that_gives_no_key_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "reduce", lambda _: bytes(32))
    with pytest.raises(voprf.DeriveKeyPairError):
        voprf.derive_key_pair(bytes(32), b"")


def test_an_input_is_at_most_65535_bytes() -> None:
    voprf.blind(bytes(voprf.MAX_INPUT))
    voprf.output(bytes(voprf.MAX_INPUT), group.GENERATOR)
    too_long = bytes(voprf.MAX_INPUT + 1)
    for call in (
        lambda: voprf.blind(too_long),
        lambda: voprf.output(too_long, group.GENERATOR),
        lambda: voprf.derive_key_pair(bytes(32), too_long),
    ):
        with pytest.raises(voprf.InvalidInputError, match="65535"):
            call()


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_our_client_accepts_another_server(values: list[bytes]) -> None:
    server = oracle.Evaluator.from_seed(secrets.token_bytes(32), b"theirs")
    blinds, blinded = map(list, zip(*(voprf.blind(value) for value in values), strict=True))
    answer = server.evaluate_batch(
        [oracle.BlindedInput.deserialize(element) for element in blinded]
    ).serialize()
    proof, elements = answer[: voprf.PROOF_SIZE], answer[voprf.PROOF_SIZE :]
    evaluated = [elements[start : start + 32] for start in range(0, len(elements), 32)]
    finalised = voprf.finalize(
        values,
        blinds,
        blinded,
        evaluated,
        public_key=server.public_key.serialize(),
        proof=proof,
    )
    assert [each.output for each in finalised] == [
        server.evaluate_known_input(value) for value in values
    ]


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_another_client_accepts_our_server(values: list[bytes]) -> None:
    seed = secrets.token_bytes(32)
    secret_key, public_key = voprf.derive_key_pair(seed, b"ours")
    clients, blinded = zip(*(oracle.Client.blind(value) for value in values), strict=True)
    elements = [element.serialize() for element in blinded]
    evaluated, proof = voprf.evaluate(secret_key, public_key, elements)
    answer = oracle.VerifiableBatchOutput.deserialize(proof + b"".join(evaluated))
    outputs = oracle.Client.finalize_batch(
        clients, answer, oracle.PublicKey.deserialize(public_key)
    )
    server = oracle.Evaluator.from_seed(seed, b"ours")
    assert outputs == [server.evaluate_known_input(value) for value in values]
