"""Known answers for key files, entries and envelopes: `python -m tests.postern.sealed_vectors`.

Python and the browser open the same file. Seeds, salts, nonces and file keys are fixed; only the
encapsulations of HPKE, which no library lets one fix, differ each time it is written.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from postern.hpke import SecretKey, Suite
from postern.key_file import KeyFile, Member
from postern.key_file_form import written
from postern.organisation_keys import lock_keys, lock_recovery, new_keys, rotated
from postern.passphrase import derived
from postern.seal import Context, Resealing, seal

FILE = Path(__file__).parent.parent / "data" / "sealed-vectors.json"
ORGANISATION = "post-be"
PASSPHRASES = {
    "dispatch": "cobalt ferry lantern ösel marble twig",
    "night-desk": "seven quiet herons mend the ladder",
}
RECOVERY_PASSPHRASE = "granite otter willow number forty-one"
FIRST, SECOND = datetime(2026, 11, 26, 8, tzinfo=UTC), datetime(2027, 3, 1, 8, tzinfo=UTC)
CONTEXT = Context(
    owner=ORGANISATION,
    kind="address",
    epoch=7,
    token=bytes(range(16)),
    record="0193690e-0000-7000-8000-000000000001",
    part="value",
    resealing=Resealing("request-1", "police-nl", "approver"),
)
CONTENT = "Exämple 12, 1000 Brussels".encode()


def main() -> None:
    """Write the known answers."""
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def made() -> dict[str, Any]:
    """All of it, with the values on the way for whoever looks for a fault of their own."""
    with _fixed_randomness():
        recovery = SecretKey.new()
        keys = rotated(new_keys(ORGANISATION, recovery.public, FIRST), SECOND)
        members = [Member.new(name, said, ORGANISATION) for name, said in PASSPHRASES.items()]
        keeper = Member.new("recovery", RECOVERY_PASSPHRASE, ORGANISATION)
        key_file = lock_keys(keys, members)
        recovery_file = lock_recovery(ORGANISATION, recovery, [keeper])
        of_another = SecretKey.new(Suite.X25519)
        sealed = seal(CONTENT, CONTEXT, (*keys.entry.recipients, of_another.public), keys.identity)
    return {
        "about": "written by python -m tests.postern.sealed_vectors; bytes are hexadecimal here",
        "passphrases": PASSPHRASES,
        "recovery_passphrase": RECOVERY_PASSPHRASE,
        "key_file": json.loads(written(key_file)),
        "recovery_file": json.loads(written(recovery_file)),
        "member_seeds": _seeds(key_file),
        "identity_seed": keys.identity.seed.hex(),
        "sealing_seeds": [each.sealing.seed.hex() for each in keys.generations],
        "recovery_seed": recovery.seed.hex(),
        "entries": [each.on_wire() for each in keys.chain],
        "fingerprint": keys.entry.fingerprint,
        "x25519_seed": of_another.seed.hex(),
        "context": CONTEXT.encode().hex(),
        "content": CONTENT.hex(),
        "envelope": sealed.hex(),
    }


def _seeds(file: KeyFile) -> dict[str, str]:
    return {
        each.name: derived(PASSPHRASES[each.name], each.salt, each.cost).hex()
        for each in file.members
    }


@contextmanager
def _fixed_randomness() -> Iterator[None]:
    drawn = 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(b"known answers of postern %d" % drawn).digest(size)

    with patch("secrets.token_bytes", draw):
        yield


if __name__ == "__main__":
    main()
