"""Directory entries of an organisation on a terminal."""

from collections.abc import Sequence

from postern.commands.terminal import listing, say, written_moment
from postern.organisation_entry import Entry, SignedEntry


def tell_entry(entry: Entry) -> None:
    """An entry with its fingerprint and the names of its keys."""
    told = {
        "organisation": entry.organisation,
        "entry": f"{entry.number}, from {written_moment(entry.valid_from)}",
        "fingerprint": entry.fingerprint,
        "sealing key": entry.sealing.kid.hex(),
        "recovery key": entry.recovery.kid.hex(),
        "signing key": entry.signing.kid.hex(),
    }
    for line in listing(told):
        say(line)


def tell_chain(chain: Sequence[SignedEntry]) -> None:
    """The newest entry, and a line for each of the chain."""
    tell_entry(chain[-1].entry)
    for each in chain:
        say(
            f"  entry {each.entry.number:<4} from {each.entry.valid_from:%Y-%m-%d}  "
            f"{each.entry.fingerprint}  sealing key {each.entry.sealing.kid.hex()}"
        )
