"""An organisation's keys: made, rotated, recovered; their entries followed, a swap refused."""

import json
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postern import key_file_form, organisation_entry
from postern.base64url import to_base64url
from postern.hpke import SecretKey, Suite
from postern.key_file import Member, Purpose, lock
from postern.key_file_errors import (
    KeyContentError,
    KeyFileDamagedError,
    RecoveryKeyMismatchError,
    WrongPassphraseError,
)
from postern.organisation_entry import EntryRefusedError, SignedEntry, read, read_chain, sign
from postern.organisation_keys import (
    OrganisationKeys,
    lock_keys,
    lock_recovery,
    new_keys,
    prove_opening,
    recover_keys,
    rotated,
    unlock_keys,
    unlock_recovery,
)
from postern.organisation_pins import (
    FingerprintDiffersError,
    KeySwappedError,
    OrganisationPins,
    OrganisationUnknownError,
    PinnedOrganisationsError,
)
from postern.seal import Context, open_envelope, seal
from postern.seal_errors import NotARecipientError
from postern.signing_identity import SigningIdentity
from tests.postern import sealed_vectors

NOW = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)
RECOVERY = SecretKey.new()
FIRST = new_keys("post-be", RECOVERY.public, NOW)
SECOND = rotated(FIRST, NOW + timedelta(days=90))
THIRD = rotated(SECOND, NOW + timedelta(days=180))
PAST = new_keys("post-be", RECOVERY.public, datetime(2020, 1, 1, tzinfo=UTC))
PASSPHRASE = "cobalt ferry lantern marble twig"
DISPATCH = Member.new("dispatch", PASSPHRASE, "post-be")
CONTEXT = Context("post-be", "address", 1, bytes(16), "record-1", "value")


def test_what_was_sealed_before_a_rotation_opens_after_it() -> None:
    raw = seal(b"early", CONTEXT, FIRST.entry.recipients, FIRST.identity)
    assert open_envelope(raw, CONTEXT, THIRD.opening_keys, THIRD.signers) == b"early"


def test_what_is_sealed_after_a_rotation_is_closed_to_the_earlier_keys() -> None:
    raw = seal(b"late", CONTEXT, SECOND.entry.recipients, SECOND.identity)
    with pytest.raises(NotARecipientError):
        open_envelope(raw, CONTEXT, FIRST.opening_keys, SECOND.signers)


def test_everything_opens_with_the_recovery_key_too() -> None:
    for keys in (FIRST, SECOND, THIRD):
        raw = seal(b"any", CONTEXT, keys.entry.recipients, keys.identity)
        assert open_envelope(raw, CONTEXT, (RECOVERY,), keys.signers) == b"any"


def test_a_rotation_renews_sealing_key_and_identity_and_keeps_the_recovery_key() -> None:
    assert SECOND.entry.sealing != FIRST.entry.sealing
    assert SECOND.entry.signing != FIRST.entry.signing
    assert SECOND.entry.recovery == FIRST.entry.recovery
    kept = lock_keys(SECOND, (DISPATCH,)).unlock("dispatch", PASSPHRASE)
    assert to_base64url(SECOND.identity.seed).encode() in kept
    assert to_base64url(FIRST.identity.seed).encode() not in kept


def test_a_recovery_key_can_be_replaced_at_a_rotation() -> None:
    fresh = SecretKey.new()
    keys = rotated(FIRST, NOW, fresh.public)
    assert prove_opening(keys, fresh) == (2, 1)
    assert prove_opening(keys, RECOVERY) == (2, 1)
    file = lock_keys(keys, (DISPATCH,))
    assert recover_keys(file, fresh).entry == keys.entry
    with pytest.raises(RecoveryKeyMismatchError):
        recover_keys(file, RECOVERY)


def test_an_entry_begins_after_the_one_before_it_even_when_the_clock_does_not() -> None:
    keys = rotated(rotated(FIRST, NOW), NOW - timedelta(days=1))
    begun = [each.entry.valid_from for each in keys.chain]
    assert begun == [NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)]


def test_a_key_file_gives_back_the_keys() -> None:
    file = lock_keys(THIRD, (DISPATCH,))
    again = key_file_form.parse(key_file_form.written(file).encode())
    keys = unlock_keys(again, "dispatch", PASSPHRASE)
    assert keys.chain == THIRD.chain
    assert keys.identity.seed == THIRD.identity.seed
    assert [key.seed for key in keys.opening_keys] == [key.seed for key in THIRD.opening_keys]


def test_a_lost_passphrase_is_recovered_and_old_envelopes_open() -> None:
    early = seal(b"early", CONTEXT, FIRST.entry.recipients, FIRST.identity)
    lost = lock_keys(THIRD, (DISPATCH,))
    kept = lock_recovery("post-be", RECOVERY, (DISPATCH,))
    with pytest.raises(WrongPassphraseError):
        unlock_keys(lost, "dispatch", "not the passphrase")
    recovery = unlock_recovery(kept, "dispatch", PASSPHRASE)
    keys = recover_keys(lost, recovery)
    assert prove_opening(keys, recovery) == (3, 3)
    assert open_envelope(early, CONTEXT, keys.opening_keys, keys.signers) == b"early"
    assert keys.chain == THIRD.chain


def test_a_proof_fails_when_a_key_does_not_open_its_trial() -> None:
    wrong = replace(SECOND.generations[0], trial=SECOND.generations[1].trial)
    other = replace(SECOND.generations[0], expected=bytes(32))
    for each in (wrong, other):
        with pytest.raises(KeyContentError):
            prove_opening(replace(SECOND, generations=(each, SECOND.generations[1])))


def test_one_kind_of_file_is_not_taken_for_the_other() -> None:
    operational = lock_keys(FIRST, (DISPATCH,))
    recovery = lock_recovery("post-be", RECOVERY, (DISPATCH,))
    with pytest.raises(KeyContentError):
        unlock_recovery(operational, "dispatch", PASSPHRASE)
    with pytest.raises(KeyContentError):
        unlock_keys(recovery, "dispatch", PASSPHRASE)
    with pytest.raises(KeyContentError):
        recover_keys(recovery, RECOVERY)


def test_a_relabelled_file_does_not_open() -> None:
    file = replace(lock_keys(FIRST, (DISPATCH,)), organisation="post-nl")
    with pytest.raises(KeyFileDamagedError):
        unlock_keys(file, "dispatch", PASSPHRASE)


SWAPPED_INSIDE: dict[str, OrganisationKeys] = {
    "another identity": replace(SECOND, identity=SigningIdentity.new()),
    "another sealing key": replace(
        SECOND,
        generations=(
            replace(SECOND.generations[0], sealing=SecretKey.new()),
            SECOND.generations[1],
        ),
    ),
    "a generation missing": replace(SECOND, generations=SECOND.generations[1:]),
    "an entry of another chain": replace(
        SECOND,
        generations=(
            new_keys("post-be", RECOVERY.public, NOW).generations[0],
            SECOND.generations[1],
        ),
    ),
}


@pytest.mark.parametrize("keys", SWAPPED_INSIDE.values(), ids=SWAPPED_INSIDE)
def test_keys_that_their_entries_do_not_publish_are_refused(keys: OrganisationKeys) -> None:
    with pytest.raises(KeyContentError):
        unlock_keys(lock_keys(keys, (DISPATCH,)), "dispatch", PASSPHRASE)


def test_keys_in_the_file_of_another_organisation_or_recovery_key_are_refused() -> None:
    raw = lock_keys(FIRST, (DISPATCH,)).unlock("dispatch", PASSPHRASE)
    other = lock(raw, Purpose.OPERATIONAL, "post-nl", (DISPATCH,), RECOVERY.public)
    with pytest.raises(KeyContentError):
        unlock_keys(other, "dispatch", PASSPHRASE)
    for recovery in (None, SecretKey.new().public):
        other = lock(raw, Purpose.OPERATIONAL, "post-be", (DISPATCH,), recovery)
        with pytest.raises(RecoveryKeyMismatchError):
            unlock_keys(other, "dispatch", PASSPHRASE)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"version": 2, "recovery_seed": ""}', b'{"version": 1}']
)
def test_content_of_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyContentError):
        unlock_keys(
            lock(raw, Purpose.OPERATIONAL, "post-be", (DISPATCH,), RECOVERY.public),
            "dispatch",
            PASSPHRASE,
        )
    with pytest.raises(KeyContentError):
        unlock_recovery(lock(raw, Purpose.RECOVERY, "post-be", (DISPATCH,)), "dispatch", PASSPHRASE)


def test_one_key_cannot_be_sealing_and_recovery_key() -> None:
    with pytest.raises(EntryRefusedError, match="are one"):
        replace(FIRST.entry, recovery=FIRST.entry.sealing)


def test_no_secret_is_shown() -> None:
    secrets = [FIRST.identity.seed, RECOVERY.seed, *(key.seed for key in FIRST.opening_keys)]
    shown = repr(FIRST) + repr(RECOVERY) + repr(lock_keys(FIRST, (DISPATCH,)))
    for seed in secrets:
        assert seed.hex() not in shown
        assert repr(seed) not in shown


def test_the_chain_is_read_from_its_wire_form() -> None:
    wire = json.loads(json.dumps([each.on_wire() for each in THIRD.chain]))
    assert read_chain(wire) == THIRD.chain


def test_a_fingerprint_differs_for_every_entry_and_has_eight_groups() -> None:
    prints = {keys.entry.fingerprint for keys in (FIRST, SECOND, THIRD)}
    assert len(prints) == 3
    assert all([len(part) for part in text.split("-")] == [4] * 8 for text in prints)


Change = Callable[[dict[str, Any]], object]
CHANGED: dict[str, Change] = {
    "the organisation": lambda wire: wire["entry"].update(organisation="post-nl"),
    "the number": lambda wire: wire["entry"].update(number=3),
    "the beginning": lambda wire: wire["entry"].update(valid_from="2027-01-01T00:00:00Z"),
    "a moment not in UTC": lambda wire: wire["entry"].update(
        valid_from="2027-01-01T00:00:00+01:00"
    ),
    "no moment": lambda wire: wire["entry"].update(valid_from="soon"),
    "the sealing key": lambda wire: wire["entry"].update(sealing=wire["entry"]["recovery"]),
    "the name of a key": lambda wire: wire["entry"]["sealing"].update(kid="A" * 22),
    "the name of the signing key": lambda wire: wire["entry"]["signing"].update(kid="A" * 22),
    "the suite": lambda wire: wire["entry"]["sealing"].update(suite=32),
    "an unknown suite": lambda wire: wire["entry"]["sealing"].update(suite=1),
    "the entry before": lambda wire: wire["entry"].update(previous=None),
    "the version": lambda wire: wire["entry"].update(version=2),
    "a field too many": lambda wire: wire["entry"].update(note="x"),
    "the signature": lambda wire: wire.update(signature="A" * 86),
    "a signature cut off": lambda wire: wire.update(signature="AAAA"),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_changed_entry_is_refused(change: Change) -> None:
    wire = json.loads(json.dumps(SECOND.chain[1].on_wire()))
    change(wire)
    with pytest.raises(EntryRefusedError):
        read(wire)


def test_a_chain_that_does_not_follow_is_refused() -> None:
    others = rotated(new_keys("post-be", RECOVERY.public, NOW), NOW + timedelta(days=90))
    first, second, third = THIRD.chain
    unsigned = replace(second, previous_signature=None)
    cross_signed = replace(second, previous_signature=third.previous_signature)
    for chain in (
        (),
        (second,),
        (first, third),
        (second, first),
        (first, others.chain[1]),
        (first, unsigned),
        (first, cross_signed),
        (replace(first, previous_signature=bytes(64)),),
    ):
        with pytest.raises(EntryRefusedError):
            read_chain([each.on_wire() for each in chain])
    for wire in (None, {}, [1], "x"):
        with pytest.raises(EntryRefusedError):
            read_chain(wire)


def test_a_successor_that_contradicts_the_entry_before_it_is_refused() -> None:
    first, second, _ = THIRD.chain
    for change in (
        {"valid_from": NOW},
        {"organisation": "post-nl"},
        {"previous": bytes(32)},
        {"number": 3},
    ):
        entry = replace(second.entry, signing=THIRD.identity.public, **change)  # type: ignore[arg-type]
        with pytest.raises(EntryRefusedError):
            organisation_entry.check_chain((first, sign(entry, THIRD.identity, FIRST.identity)))


def swapped(keys: OrganisationKeys) -> tuple[SignedEntry, ...]:
    """What a platform would offer that wants to read what is sealed to an organisation."""
    fake = new_keys("post-be", RECOVERY.public, NOW)
    for each in keys.chain[1:]:
        fake = rotated(fake, each.entry.valid_from)
    return fake.chain


def pinned(keys: OrganisationKeys = SECOND) -> OrganisationPins:
    pins = OrganisationPins()
    pins.pin("post-be", keys.chain, keys.entry.fingerprint.lower().replace("-", " "))
    return pins


def test_a_rotation_is_followed_without_a_person() -> None:
    pins = pinned(FIRST)
    assert pins.accept("post-be", THIRD.chain) == THIRD.entry
    assert pins.signers("post-be") == THIRD.signers
    assert pins.entry("post-be", NOW) == FIRST.entry
    assert pins.entry("post-be", NOW + timedelta(days=200)) == THIRD.entry


def test_a_swapped_key_is_refused_loudly() -> None:
    pins = pinned()
    with pytest.raises(KeySwappedError, match=r"STOP. THE KEYS OF POST-BE WERE SWAPPED") as caught:
        pins.accept("post-be", swapped(SECOND))
    assert FIRST.entry.fingerprint in str(caught.value)
    assert pins.signers("post-be") == SECOND.signers


def test_a_person_cannot_pin_over_a_swapped_key_by_mistake() -> None:
    fake = swapped(SECOND)
    with pytest.raises(KeySwappedError):
        pinned().pin("post-be", fake, fake[-1].entry.fingerprint)


def test_a_new_entry_that_the_pinned_identity_did_not_sign_is_a_swap() -> None:
    forged = rotated(replace(SECOND, identity=SigningIdentity.new()), NOW + timedelta(days=180))
    with pytest.raises(KeySwappedError, match="does not follow"):
        pinned().accept("post-be", forged.chain)


def test_two_different_successors_are_never_both_accepted() -> None:
    fork = rotated(SECOND, NOW + timedelta(days=180))
    pins = pinned(THIRD)
    with pytest.raises(KeySwappedError):
        pins.accept("post-be", fork.chain)


def test_an_entry_that_is_withheld_is_told() -> None:
    with pytest.raises(KeySwappedError, match="withheld"):
        pinned().accept("post-be", FIRST.chain)
    with pytest.raises(KeySwappedError, match="withheld"):
        pinned().accept("post-be", ())


def test_the_first_contact_needs_the_right_fingerprint_and_name() -> None:
    pins = OrganisationPins()
    with pytest.raises(FingerprintDiffersError, match=SECOND.entry.fingerprint):
        pins.pin("post-be", SECOND.chain, FIRST.entry.fingerprint)
    with pytest.raises(EntryRefusedError):
        pins.pin("post-nl", SECOND.chain, SECOND.entry.fingerprint)
    for unknown in (
        lambda: pins.accept("post-be", SECOND.chain),
        lambda: pins.entry("post-be", NOW),
        lambda: pins.signers("post-be"),
        lambda: pinned().entry("post-be", NOW - timedelta(seconds=1)),
    ):
        with pytest.raises(OrganisationUnknownError):
            unknown()


def test_pins_are_kept_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    with pytest.raises(OrganisationUnknownError):
        OrganisationPins.load(path).signers("post-be")
    pinned().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = OrganisationPins.load(path)
    assert loaded.signers("post-be") == SECOND.signers
    with pytest.raises(KeySwappedError):
        loaded.accept("post-be", swapped(SECOND))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(version=2),
        lambda content: content.pop("version"),
        lambda content: content["organisations"].update({"post-nl": []}),
        lambda content: content.update(
            organisations={"post-nl": content["organisations"]["post-be"]}
        ),
        lambda content: content["organisations"]["post-be"][0].update(signature="A" * 86),
    ],
)
def test_damaged_pins_are_refused(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "pins.json"
    pinned().save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(PinnedOrganisationsError):
        OrganisationPins.load(path)


def test_pins_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    with pytest.raises(PinnedOrganisationsError):
        OrganisationPins.load(tmp_path)


def test_the_known_files_give_the_known_keys() -> None:
    known = json.loads(sealed_vectors.FILE.read_text(encoding="utf-8"))
    file = key_file_form.parse(json.dumps(known["key_file"]).encode())
    kept = key_file_form.parse(json.dumps(known["recovery_file"]).encode())
    recovery = unlock_recovery(kept, "recovery", known["recovery_passphrase"])
    assert recovery.seed.hex() == known["recovery_seed"]
    keys = recover_keys(file, recovery)
    assert prove_opening(keys, recovery) == (2, 2)
    assert keys.identity.seed.hex() == known["identity_seed"]
    assert keys.entry.fingerprint == known["fingerprint"]
    assert [each.sealing.seed.hex() for each in keys.generations] == known["sealing_seeds"]
    assert read_chain(known["entries"]) == keys.chain


def test_the_known_answers_follow_from_their_generator() -> None:
    known = json.loads(sealed_vectors.FILE.read_text(encoding="utf-8"))
    again = sealed_vectors.made()
    fixed = ("member_seeds", "identity_seed", "sealing_seeds", "entries", "fingerprint", "context")
    assert {name: again[name] for name in fixed} == {name: known[name] for name in fixed}


def test_an_entry_may_publish_a_key_of_the_second_suite() -> None:
    key, identity = SecretKey.new(Suite.X25519), SigningIdentity.new()
    entry = replace(FIRST.entry, sealing=key.public, signing=identity.public)
    wire = json.loads(json.dumps(sign(entry, identity, None).on_wire()))
    assert read(wire).entry.sealing == key.public


def test_the_example_in_the_documentation_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    key_file_form.write(tmp_path / "keys.json", lock_keys(PAST, (DISPATCH,)))
    said = tmp_path / "passphrase"
    said.touch(mode=0o600)
    said.write_text(PASSPHRASE + "\n")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - our own page, which must not rot
    assert names["content"] == b"Example 12, 1000 Brussels"
