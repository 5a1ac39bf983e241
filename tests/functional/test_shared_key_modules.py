"""The pages' modules check and add up parts of shared keys as `postern` does, on one file."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postern.base64url import to_base64url
from tests.postern.shared_vectors import FILE

REHEARSAL = Path(__file__).with_name("shared_key_rehearsal.mjs")
VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))

UNFIT: list[Callable[[Any], None]] = [
    lambda sharing: sharing.pop("holders"),
    lambda sharing: sharing.update(more=1),
    lambda sharing: sharing.update(platform_key=sharing["commitments"][0]),
    lambda sharing: sharing.update(platform_key=to_base64url(bytes(32))),
    lambda sharing: sharing["commitments"].reverse(),
    lambda sharing: sharing["commitments"].pop(),
    lambda sharing: sharing.update(commitments=sharing["commitments"][:1] * 4),
    lambda sharing: sharing["commitments"].append("AAAA"),
    lambda sharing: sharing["holders"][0].update(number=2),
    lambda sharing: sharing["holders"][0].update(number=0),
    lambda sharing: sharing["holders"][0].update(number=True),
    lambda sharing: sharing["holders"][0].update(name="beta"),
    lambda sharing: sharing["holders"][0].update(name="platform"),
    lambda sharing: sharing["holders"][0].update(name="Alpha"),
    lambda sharing: sharing["holders"][0].update(address="https://alpha.example"),
    lambda sharing: sharing.update(holders=[None, None]),
]
"""What makes a sharing one that no key document may hold."""


def test_the_modules_give_the_known_answers(modules_tree: Path) -> None:
    wrong = []
    for spoil in UNFIT:
        changed = copy.deepcopy(VECTORS["sharing"])
        spoil(changed)
        wrong.append(changed)
    asked = {"vectors": VECTORS, "sharings": [VECTORS["sharing"], *wrong]}
    node = shutil.which("node")
    assert node, "Node.js is missing: run tests/install-node"
    done = subprocess.run(
        [node, str(REHEARSAL), str(modules_tree)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["share_keys"] == VECTORS["share_keys"]
    assert found["weights"] == VECTORS["weights"]
    assert found["message"] == VECTORS["question"]["message"]
    signed, question = found["signed"], VECTORS["question"]
    assert signed == {
        "request_id": to_base64url(bytes.fromhex(question["request_id"])),
        "asked_at": question["asked_at"],
        "signature": to_base64url(bytes.fromhex(question["signature"])),
    }
    for answer, outcome in zip(VECTORS["answers"], found["outcomes"], strict=True):
        answered = {part["key_id"].rpartition("/")[2] for part in answer["parts"]}
        away = [each for each in ("alpha", "beta", "gamma") if each not in answered]
        assert outcome == expected(answer["outcome"], away), answer["name"]
    assert found["sharings"] == [True, *(False for _ in wrong)]


def expected(outcome: dict[str, Any], away: list[str]) -> dict[str, Any]:
    """How the modules tell what `postern` makes of an answer."""
    if "unfit" in outcome:
        return {"error": "EvaluationError"}
    if "platform" in outcome["cheating"]:
        return {"error": "ProofInvalidError"}
    if outcome["elements"] is not None:
        return outcome
    if outcome["cheating"]:
        return {
            "error": "CheatingHoldersError",
            "holders": ", ".join(outcome["cheating"]),
            "away": ", ".join(away),
        }
    return {"error": "EvaluationError"}
