"""Keys of organisations on their own premises, made once: a passphrase takes its time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from postern import key_file_form
from postern.hpke import SecretKey
from postern.key_file import KeyFile, Member
from postern.organisation_keys import OrganisationKeys, lock_keys, new_keys, unlock_keys
from postern.organisation_pins import OrganisationPins

PASSPHRASE = "cobalt ferry lantern marble twig oslo"
MEMBER = "dispatch"
OWNER, REQUESTER = "post-be", "police-de"


@dataclass(frozen=True)
class Locked:
    """The keys of an organisation, and the bytes of its key file."""

    keys: OrganisationKeys
    file: str

    def put(self, directory: Path) -> tuple[Path, Path]:
        """The key file and a passphrase file in a directory, mode 0600."""
        key_file, passphrase = directory / "keys.json", directory / "passphrase"
        for path, text in ((key_file, self.file), (passphrase, PASSPHRASE + "\n")):
            path.touch(mode=0o600)
            path.write_text(text)
        return key_file, passphrase


@cache
def locked(code: str) -> Locked:
    """An organisation with keys that are an hour old."""
    keys = fresh_keys(code)
    file = lock_keys(keys, [Member.new(MEMBER, PASSPHRASE, code)])
    return Locked(keys, key_file_form.written(file))


@cache
def unlocked(file: KeyFile, name: str, passphrase: str) -> OrganisationKeys:
    """What `unlock_keys` gives, remembered: each derivation takes a quarter of a second."""
    return unlock_keys(file, name, passphrase)


def fresh_keys(code: str) -> OrganisationKeys:
    """Keys that nobody else has."""
    begun = datetime.now(UTC) - timedelta(hours=1)
    return new_keys(code, SecretKey.new().public, begun)


def pin(keys: OrganisationKeys, pin_file: Path) -> None:
    """Pin an organisation as a person who compared the fingerprint would."""
    pins = OrganisationPins.load(pin_file)
    pins.pin(keys.entry.organisation, keys.chain, keys.entry.fingerprint)
    pins.save(pin_file)


def published(keys: OrganisationKeys) -> list[dict[str, object]]:
    """What the platform's directory shows of keys."""
    return [each.on_wire() for each in keys.chain]
