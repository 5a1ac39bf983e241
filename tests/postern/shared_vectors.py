"""Known answers for keys that holders share: `python -m tests.postern.shared_vectors` writes them.

Python and the pages' modules read one file. Key, blinds and inputs are those of the RFC's batch
vector, so that the results are the RFC's own; all other randomness is fixed.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postern import group, threshold, voprf
from postern.base64url import to_base64url
from postern.client import Evaluation, Part
from postern.client_errors import EvaluationRefusedError
from postern.key_document import KeyEpoch
from postern.key_sharing import Holder, KeySharing
from postern.pseudonymise import _parts
from postern.shared_evaluation import combined
from postern.signed_evaluation import LABEL, Question
from postern.signing_identity import SigningIdentity
from postern.vocabulary import EvaluationKind, Purpose

DATA = Path(__file__).parent.parent / "data"
FILE = DATA / "shared-key-vectors.json"
KIND, EPOCH, NUMBERS = EvaluationKind.PHONE, 7, (1, 2, 3)
NAMES = ("platform", "alpha", "beta", "gamma")
BEGINS = datetime(2026, 11, 26, 8, tzinfo=UTC)
ASKED_AT = 1_795_680_000
REQUEST_ID = bytes(range(16))


def main() -> None:
    """Write the known answers."""
    FILE.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")


def drawn(what: str) -> bytes:
    """A scalar that is always the same for a name."""
    return group.reduce(hashlib.sha512(b"known answers of postern: " + what.encode()).digest())


class Ground:
    """The RFC's key in four hands, and one evaluation of its inputs by each of them."""

    def __init__(self) -> None:
        suites = json.loads((DATA / "rfc9497-vectors.json").read_text("utf-8"))["vectors"]
        suite = next(each for each in suites if each["mode"] == 1)
        vector = suite["vectors"][2]
        self.inputs, self.blinds, self.blinded, self.expected = (
            [bytes.fromhex(each) for each in vector[name].split(",")]
            for name in ("Input", "Blind", "BlindedElement", "EvaluationElement")
        )
        own, slope = drawn("platform"), drawn("slope")
        constant = group.scalar_sub(bytes.fromhex(suite["skSm"]), own)
        shares = {0: own}
        for number in NUMBERS:
            step = group.scalar_mul(number.to_bytes(32, "little"), slope)
            shares[number] = group.scalar_add(constant, step)
        self.shares = shares
        commitments = (group.base(constant), group.base(slope))
        holders = tuple(Holder(number, NAMES[number]) for number in NUMBERS)
        self.sharing = KeySharing(group.base(own), commitments, holders)
        public = bytes.fromhex(suite["pkSm"])
        ends = BEGINS + timedelta(days=365)
        self.epoch = KeyEpoch(KIND, EPOCH, "1", public, BEGINS, ends, self.sharing)

    def part(self, number: int, by: bytes | None = None) -> Part:
        """The part of a number, made with its own share or with another."""
        share = self.shares[number] if by is None else by
        r = drawn(f"proof {number} {share.hex()}")
        elements, proof = voprf.evaluate(share, group.base(share), self.blinded, r=r)
        weight = (1).to_bytes(32, "little")  # which clients do not believe: they compute their own
        return Part(f"{KIND.value}/{EPOCH}/{NAMES[number]}", weight, elements, proof)

    def answers(self) -> Iterator[tuple[str, list[Part]]]:
        """Answers by what is right or wrong with them."""
        every = [self.part(number) for number in (0, *NUMBERS)]
        own, alpha, beta, gamma = every
        yield "all", every
        for pair in itertools.combinations((alpha, beta, gamma), 2):
            yield " and ".join(each.key_id for each in pair), [own, *pair]
        yield "one holder", [own, beta]
        yield "no platform", [alpha, beta, gamma]
        other = self.part(2, drawn("another share"))
        yield "beta with another share", [own, alpha, other, gamma]
        yield "beta with another share, alpha away", [own, other, gamma]
        swapped = dataclasses.replace(gamma, elements=gamma.elements[::-1])
        yield "gamma swaps", [own, alpha, beta, swapped]
        yield "beta and gamma", [own, alpha, other, swapped]
        short = dataclasses.replace(alpha, elements=alpha.elements[:1])
        yield "alpha too short", [own, short, beta, gamma]
        unproved = dataclasses.replace(beta, proof=bytes(64))
        yield "beta without a proof", [own, alpha, unproved, gamma]
        identity = dataclasses.replace(beta, elements=[bytes(32), *beta.elements[1:]])
        yield "beta gives the identity", [own, alpha, identity, gamma]
        yield "platform with another share", [self.part(0, drawn("x")), alpha, beta]
        yield "a part of alpha as of beta", [own, dataclasses.replace(alpha, key_id=beta.key_id)]
        yield "beta twice", [own, alpha, beta, beta]
        yield "a stranger", [own, alpha, beta, dataclasses.replace(gamma, key_id="phone/7/delta")]
        yield "another epoch", [own, alpha, dataclasses.replace(beta, key_id="phone/6/beta")]
        yield "platform too short", [dataclasses.replace(own, elements=own.elements[:1]), alpha]


def made() -> dict[str, Any]:
    """All of it; bytes are hexadecimal, but base64url where it is so on the wire."""
    ground = Ground()
    identity = SigningIdentity(hashlib.sha256(b"known answers of postern: signer").digest())
    purpose = Purpose.CRIMINAL_INVESTIGATION
    first = ground.sharing.commitments[0]
    question = Question("police-be", KIND, EPOCH, first, purpose, ground.blinded)
    message = question.message(REQUEST_ID, ASKED_AT)
    subsets = [each for size in (2, 3) for each in itertools.combinations(NUMBERS, size)]
    return {
        "about": "written by python -m tests.postern.shared_vectors; bytes are hexadecimal",
        "kind": KIND.value,
        "epoch": EPOCH,
        "public_key": to_base64url(ground.epoch.public_key),
        "sharing": ground.sharing.on_wire(),
        "share_keys": [
            threshold.share_key(ground.sharing.commitments, number).hex() for number in NUMBERS
        ],
        "weights": [
            {str(number): each.hex() for number, each in threshold.weights(subset).items()}
            for subset in subsets
        ],
        "inputs": [each.hex() for each in ground.inputs],
        "blinds": [each.hex() for each in ground.blinds],
        "blinded": [each.hex() for each in ground.blinded],
        "question": {
            "organisation": question.organisation,
            "purpose": purpose.value,
            "request_id": REQUEST_ID.hex(),
            "asked_at": ASKED_AT,
            "identity_seed": identity.seed.hex(),
            "message": message.hex(),
            "signature": identity.sign(LABEL, message).hex(),
        },
        "answers": [
            {
                "name": name,
                "parts": [
                    {
                        "key_id": part.key_id,
                        "elements": [to_base64url(each) for each in part.elements],
                        "proof": to_base64url(part.proof),
                    }
                    for part in parts
                ],
                "outcome": outcome(ground, parts),
            }
            for name, parts in ground.answers()
        ],
    }


def outcome(ground: Ground, parts: list[Part]) -> dict[str, Any]:
    """What `postern` makes of an answer: elements or none, and who cheats; or that it is unfit."""
    answer = Evaluation(EPOCH, tuple(parts), 0, BEGINS)
    try:
        named = _parts(answer, ground.epoch, ground.sharing, len(ground.blinded))
    except EvaluationRefusedError:
        return {"unfit": True}
    found = combined(ground.sharing, ground.blinds, ground.blinded, named)
    return {
        "elements": None if found.elements is None else [each.hex() for each in found.elements],
        "cheating": [NAMES[number] for number in found.cheating],
    }


if __name__ == "__main__":
    main()
