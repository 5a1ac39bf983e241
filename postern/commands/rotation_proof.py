"""`postern keys verify-rotation`: whether a key rotation of the platform moved what it had to."""

from datetime import datetime
from pathlib import Path

import click

from postern import key_document
from postern.commands.terminal import Chosen, listing, say
from postern.key_ring import load_pins
from postern.rotation import Rotation, RotationProofError, verify_file
from postern.settings import pin_file_of


@click.command("verify-rotation")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--head", metavar="HEX", help="Head of the proof, as the platform's log tells it.")
@click.pass_obj
def verify_rotation(chosen: Chosen, file: Path, head: str | None) -> None:
    """Check the proof in FILE that the platform moved every stored value to its new key.

    Both keys must be pinned here. Chunks with the rows of your own organisation are checked row
    by row; of the others, that their sums moved by the same factor. Works offline.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        found = verify_file(line.rstrip("\n") for line in lines)
    _check_keys(chosen, found.rotation)
    if head is not None and head.strip().lower() != found.head.hex():
        raise RotationProofError("The head is not that of the log: chunks are missing or changed.")
    told = {
        "kind": found.rotation.kind,
        "epochs": f"{found.rotation.old_epoch} to {found.rotation.new_epoch}",
        "chunks": str(found.chunks),
        "checked row by row": str(found.opened),
        "values": str(found.elements),
        "head": found.head.hex(),
    }
    for line in listing(told):
        say(line)
    say("The proof holds: everything in it was moved by the factor between the two pinned keys.")


def _check_keys(chosen: Chosen, rotation: Rotation) -> None:
    pins = load_pins(pin_file_of(chosen.path))
    document = key_document.read(
        pins.signed, pins.fingerprint, datetime.fromisoformat(pins.signed["document"]["issued_at"])
    )
    pinned = {(each.kind, each.epoch): each.public_key for each in document.epochs}
    named = {rotation.old_epoch: rotation.old_key, rotation.new_epoch: rotation.new_key}
    for epoch, key in named.items():
        if pinned.get((rotation.kind, epoch)) != key:
            raise RotationProofError(
                f"The key of {rotation.kind}/{epoch} in it is not one that is pinned here."
            )
