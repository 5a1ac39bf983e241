"""The secret keys of an organisation: made, rotated, written into key files and read from them.

A generation is a sealing key with the directory entry that publishes it. Earlier generations stay,
so that what was sealed to them opens; of the signing identity only the present one stays, for an
earlier one would let a thief speak for the organisation. The recovery key is never in this file.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postern.base64url import to_base64url
from postern.hpke import SEED_SIZE, PublicKey, SecretKey, Suite
from postern.key_file import KeyFile, Member, Purpose, lock
from postern.key_file_errors import KeyContentError, RecoveryKeyMismatchError
from postern.organisation_entry import (
    LONGEST_CHAIN,
    Entry,
    EntryRefusedError,
    SignedEntry,
    check_chain,
    read,
    sign,
)
from postern.seal import Context, open_envelope, seal
from postern.seal_errors import SealError
from postern.signing_identity import SigningIdentity, VerifyingKey
from postern.strict_json import MalformedError, Object, parse_object

VERSION = 1
_TRIAL_SIZE = 32  # bytes of the random content of a trial envelope
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Generation:
    """A sealing key, its directory entry, and a trial: an envelope that was sealed to it at once.

    `trial` proves later that what was sealed to this generation opens; `expected` is its content.
    """

    sealing: SecretKey
    signed: SignedEntry
    trial: bytes
    expected: bytes


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """All that an operational key file holds; generations from the first to the present one."""

    identity: SigningIdentity
    generations: tuple[Generation, ...]

    @property
    def entry(self) -> Entry:
        """The present directory entry."""
        return self.generations[-1].signed.entry

    @property
    def chain(self) -> tuple[SignedEntry, ...]:
        """Every directory entry from the first: what is given to other organisations."""
        return tuple(each.signed for each in self.generations)

    @property
    def opening_keys(self) -> tuple[SecretKey, ...]:
        """The sealing keys of all generations, the present one first."""
        return tuple(each.sealing for each in reversed(self.generations))

    @property
    def signers(self) -> tuple[VerifyingKey, ...]:
        """The public halves of all identities, by which own envelopes are verified."""
        return tuple(each.signed.entry.signing for each in self.generations)


def new_keys(organisation: str, recovery: PublicKey, now: datetime) -> OrganisationKeys:
    """The first keys of an organisation, beside a recovery key. Raises EntryRefusedError."""
    return _grown(organisation, (), None, recovery, now)


def rotated(
    keys: OrganisationKeys, now: datetime, recovery: PublicKey | None = None
) -> OrganisationKeys:
    """The keys with a new sealing key and identity, and a new recovery key when one is given.

    The present identity signs the new entry and is then forgotten; older sealing keys stay.
    Raises EntryRefusedError when there are 200 generations.
    """
    entry = keys.entry
    return _grown(
        entry.organisation, keys.generations, keys.identity, recovery or entry.recovery, now
    )


def prove_opening(keys: OrganisationKeys, recovery: SecretKey | None = None) -> tuple[int, int]:
    """How many trial envelopes opened: by the sealing keys (all), and by the recovery key.

    The recovery key opens those of the generations that name it. Raises KeyContentError when one
    that must open does not.
    """
    by_recovery = 0
    for each in keys.generations:
        _check_trial(keys, each, each.sealing)
        if recovery and each.signed.entry.recovery == recovery.public:
            _check_trial(keys, each, recovery)
            by_recovery += 1
    return len(keys.generations), by_recovery


def lock_keys(keys: OrganisationKeys, members: Sequence[Member]) -> KeyFile:
    """An operational key file for members, and for the recovery key. Raises MemberExistsError."""
    content = {
        "version": VERSION,
        "identity_seed": to_base64url(keys.identity.seed),
        "generations": [
            {
                "sealing_seed": to_base64url(each.sealing.seed),
                "signed": each.signed.on_wire(),
                "trial": to_base64url(each.trial),
                "expected": to_base64url(each.expected),
            }
            for each in keys.generations
        ],
    }
    raw = json.dumps(content, separators=(",", ":")).encode()
    entry = keys.entry
    return lock(raw, Purpose.OPERATIONAL, entry.organisation, members, entry.recovery)


def unlock_keys(file: KeyFile, name: str, passphrase: str) -> OrganisationKeys:
    """The keys in an operational file, by a member's passphrase.

    Raises KeyFileError, KeyContentError.
    """
    _check_purpose(file, Purpose.OPERATIONAL)
    return _keys(file, file.unlock(name, passphrase))


def recover_keys(file: KeyFile, recovery: SecretKey) -> OrganisationKeys:
    """The keys in an operational file, by the recovery key. Raises KeyFileError."""
    _check_purpose(file, Purpose.OPERATIONAL)
    return _keys(file, file.unlock_by_recovery(recovery))


def lock_recovery(organisation: str, key: SecretKey, members: Sequence[Member]) -> KeyFile:
    """The recovery key in a file of its own, for keeping offline. Raises MemberExistsError."""
    content = {"version": VERSION, "recovery_seed": to_base64url(key.seed)}
    return lock(json.dumps(content).encode(), Purpose.RECOVERY, organisation, members)


def unlock_recovery(file: KeyFile, name: str, passphrase: str) -> SecretKey:
    """The recovery key in its file. Raises KeyFileError."""
    _check_purpose(file, Purpose.RECOVERY)
    try:
        found = _content(file.unlock(name, passphrase), "recovery_seed")
        return SecretKey(Suite.MLKEM768_X25519, found.octets("recovery_seed", SEED_SIZE))
    except MalformedError as error:
        raise KeyContentError(str(error)) from None


def _grown(
    organisation: str,
    generations: tuple[Generation, ...],
    previous: SigningIdentity | None,
    recovery: PublicKey,
    now: datetime,
) -> OrganisationKeys:
    before = generations[-1].signed.entry if generations else None
    begins = now.replace(microsecond=0)
    if before:
        begins = max(begins, before.valid_from + _SECOND)
    sealing, identity = SecretKey.new(), SigningIdentity.new()
    entry = Entry(
        organisation=organisation,
        number=len(generations) + 1,
        valid_from=begins,
        sealing=sealing.public,
        recovery=recovery,
        signing=identity.public,
        previous=before.digest() if before else None,
    )
    expected = secrets.token_bytes(_TRIAL_SIZE)
    trial = seal(expected, _trial_context(entry), entry.recipients, identity)
    new = Generation(sealing, sign(entry, identity, previous), trial, expected)
    return OrganisationKeys(identity, (*generations, new))


def _check_trial(keys: OrganisationKeys, each: Generation, key: SecretKey) -> None:
    context = _trial_context(each.signed.entry)
    try:
        content = open_envelope(each.trial, context, (key,), keys.signers)
    except SealError as error:
        raise KeyContentError(f"the trial of {context.record} does not open: {error}") from None
    if content != each.expected:
        raise KeyContentError(f"the trial of {context.record} opens to something else")


def _trial_context(entry: Entry) -> Context:
    record = f"generation-{entry.number}"
    return Context(entry.organisation, "trial", 0, b"", record, "trial")


def _keys(file: KeyFile, raw: bytes) -> OrganisationKeys:
    try:
        found = _content(raw, "identity_seed", "generations")
        identity = SigningIdentity(found.octets("identity_seed", SEED_SIZE))
        keys = OrganisationKeys(
            identity, tuple(map(_generation, found.objects("generations", LONGEST_CHAIN)))
        )
        check_chain(keys.chain)
    except (ValueError, EntryRefusedError) as error:
        raise KeyContentError(str(error)) from None
    if keys.entry.organisation != file.organisation or keys.entry.signing != identity.public:
        raise KeyContentError("they are not those that its present entry publishes")
    if keys.entry.recovery != file.recovery:
        raise RecoveryKeyMismatchError
    return keys


def _generation(found: Object) -> Generation:
    found.only("sealing_seed", "signed", "trial", "expected")
    sealing = SecretKey(Suite.MLKEM768_X25519, found.octets("sealing_seed", SEED_SIZE))
    signed = read(found.object("signed").content)
    if signed.entry.sealing != sealing.public:
        raise MalformedError("a sealing key is not the one that its entry publishes")
    return Generation(sealing, signed, found.octets("trial"), found.octets("expected", _TRIAL_SIZE))


def _content(raw: bytes, *names: str) -> Object:
    found = parse_object(raw)
    found.only("version", *names)
    if found.number("version") != VERSION:
        raise MalformedError("they are of a version not known here")
    return found


def _check_purpose(file: KeyFile, purpose: Purpose) -> None:
    if file.purpose is not purpose:
        raise KeyContentError(f"the file is the {file.purpose} one, and the {purpose} one is meant")
