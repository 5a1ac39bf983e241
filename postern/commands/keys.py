"""`postern keys`: the organisation's own keys, and the platform's keys that are pinned."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from postern import key_document, key_file_form
from postern.client import Client
from postern.client_errors import ClientError
from postern.commands.ceremony import ceremony, check_share
from postern.commands.entries import tell_chain, tell_entry
from postern.commands.member_keys import check, pin_keys, publish
from postern.commands.rotation_proof import verify_rotation
from postern.commands.terminal import Chosen, counted, listing, notice, say, written_moment
from postern.envelope import ORGANISATION
from postern.hpke import SecretKey
from postern.key_errors import FingerprintMismatchError, KeyDocumentError
from postern.key_file import KeyFile, Member, relock
from postern.key_file_errors import (
    KeyFileChangedError,
    KeyFileExistsError,
    MemberUnknownError,
)
from postern.key_ring import load_pins, pin
from postern.organisation_entry import EntryRefusedError, SignedEntry, read_chain
from postern.organisation_keys import (
    lock_keys,
    lock_recovery,
    new_keys,
    prove_opening,
    recover_keys,
    rotated,
    unlock_keys,
    unlock_recovery,
)
from postern.passphrase import read_passphrase_file
from postern.pins import compare_with_pins
from postern.private_files import write_private
from postern.settings import pin_file_of

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_KEY_FILE = click.argument("key_file", type=_FILE)
_RECOVERY_MEMBER = "recovery"
_LARGEST_CHAIN = 2_000_000  # bytes of a file with entries


@click.group()
def keys() -> None:
    """Your organisation's keys, and those of members and the platform that are pinned here."""


for _command in (publish, pin_keys, check, ceremony, check_share, verify_rotation):
    keys.add_command(_command)


def _member(command: Decorated) -> Decorated:
    """--member and --passphrase-file: who opens a key file."""
    for option in (
        click.option(
            "--passphrase-file",
            type=_FILE,
            metavar="FILE",
            help="File with the member's passphrase, readable by you only; else it is asked for.",
        ),
        click.option("--member", required=True, metavar="NAME", help="Who opens the key file."),
    ):
        command = option(command)
    return command


def _new_passphrase(command: Decorated) -> Decorated:
    return click.option(
        "--new-passphrase-file",
        type=_FILE,
        metavar="FILE",
        help="File with the new passphrase, readable by you only; else it is asked for twice.",
    )(command)


def _recovery_passphrase(command: Decorated) -> Decorated:
    return click.option(
        "--recovery-passphrase-file",
        type=_FILE,
        metavar="FILE",
        help="File with the passphrase of the recovery file; else it is asked for.",
    )(command)


@keys.command("new")
@click.argument("organisation")
@click.option("--key-file", required=True, type=_FILE, metavar="FILE", help="Key file to make.")
@click.option(
    "--recovery-file",
    required=True,
    type=_FILE,
    metavar="FILE",
    help="Recovery file to make; it belongs offline, in a safe.",
)
@_member
@_recovery_passphrase
def new(
    *,
    organisation: str,
    key_file: Path,
    recovery_file: Path,
    member: str,
    passphrase_file: Path | None,
    recovery_passphrase_file: Path | None,
) -> None:
    """Make the keys of ORGANISATION: a key file, and a recovery file for a safe.

    ORGANISATION is its code on the platform. Nothing is sent anywhere.
    """
    if not ORGANISATION.fullmatch(organisation):
        raise click.UsageError("ORGANISATION is a code of 2 to 40 of a-z, 0-9 and hyphen.")
    _must_not_exist(key_file)
    _must_not_exist(recovery_file)
    if key_file.absolute() == recovery_file.absolute():
        raise click.UsageError("--key-file and --recovery-file are one file. Name two.")
    recovery = SecretKey.new()
    made = new_keys(organisation, recovery.public, datetime.now(UTC))
    opener = Member.new(member, _chosen(passphrase_file, f"of {member}"), organisation)
    keeper = _keeper(organisation, recovery_passphrase_file)
    prove_opening(made, recovery)
    key_file_form.write(recovery_file, lock_recovery(organisation, recovery, (keeper,)))
    key_file_form.write(key_file, lock_keys(made, (opener,)))
    tell_entry(made.entry)
    say(f"Wrote {key_file} (member {member}) and {recovery_file}.")
    _tell_where_recovery_belongs(recovery_file)


@keys.command("show")
@click.argument("key_file", type=_FILE, required=False)
@click.option("--member", metavar="NAME", help="Who opens KEY_FILE.")
@click.option(
    "--passphrase-file",
    type=_FILE,
    metavar="FILE",
    help="File with the member's passphrase, readable by you only; else it is asked for.",
)
@click.option(
    "--entry-file",
    type=_FILE,
    metavar="FILE",
    help="Write the signed directory entries of KEY_FILE, which are public, for other members.",
)
@click.pass_obj
def show(
    chosen: Chosen,
    *,
    key_file: Path | None,
    member: str | None,
    passphrase_file: Path | None,
    entry_file: Path | None,
) -> None:
    """Show the platform's pinned keys, or what KEY_FILE publishes.

    KEY_FILE may also be the entries that another organisation gave you: compare the fingerprint
    that is shown by telephone.
    """
    if key_file is None:
        if member or passphrase_file or entry_file:
            raise click.UsageError("The options of this command are about a KEY_FILE. Name it.")
        _show_platform(chosen)
        return
    of_others = _entries_of_others(key_file)
    if of_others:
        tell_chain(of_others)
        return
    if member is None:
        raise click.UsageError("--member is missing. Say who opens the key file.")
    file = key_file_form.read(key_file)
    held = unlock_keys(file, member, _known(passphrase_file, f"of {member}"))
    tell_chain(held.chain)
    say(f"Members: {', '.join(each.name for each in file.members)}")
    if entry_file:
        chain = [each.on_wire() for each in held.chain]
        write_private(entry_file, json.dumps(chain, indent=1) + "\n")
        say(f"Wrote {entry_file}.")


@keys.command("accept")
@click.option(
    "--fingerprint",
    required=True,
    help="The fingerprint as the platform's operator confirmed it by another channel.",
)
@click.pass_obj
def accept(chosen: Chosen, fingerprint: str) -> None:
    """Pin the platform's present keys after a change that the operator confirmed."""
    settings = chosen.settings()
    client = Client.at(settings.address, ca_file=settings.ca_file, certificate=settings.certificate)
    try:
        signed = client.keys().raw
    finally:
        client.close()
    now = datetime.now(UTC)
    document = key_document.read(signed, fingerprint, now)
    try:
        pins = load_pins(settings.pin_file)
        before = key_document.read(
            pins.signed, None, datetime.fromisoformat(pins.signed["document"]["issued_at"])
        )
        if key_document.signer(signed) != key_document.signer(pins.signed):
            raise FingerprintMismatchError(pins.fingerprint, key_document.signer(signed))
        compare_with_pins(before, document)
    except (ClientError, KeyDocumentError, KeyError, ValueError) as error:
        notice(f"Accepted although it differs from what was pinned: {error}")
    pin(signed, fingerprint, settings.pin_file, now)
    say(f"Pinned {key_document.signer(signed)} with {len(document.epochs)} key epochs.")


@keys.command("rotate")
@_KEY_FILE
@_member
@click.option(
    "--new-recovery-file",
    type=_FILE,
    metavar="FILE",
    help="Make a new recovery key too, in this file; keep the old one for what was sealed to it.",
)
@_recovery_passphrase
def rotate(
    *,
    key_file: Path,
    member: str,
    passphrase_file: Path | None,
    new_recovery_file: Path | None,
    recovery_passphrase_file: Path | None,
) -> None:
    """Make a new sealing key and signing identity; what was sealed to the old key still opens."""
    if recovery_passphrase_file and not new_recovery_file:
        raise click.UsageError("--recovery-passphrase-file is for --new-recovery-file. Give both.")
    file = key_file_form.read(key_file)
    before = unlock_keys(file, member, _known(passphrase_file, f"of {member}"))
    recovery = None
    if new_recovery_file:
        _must_not_exist(new_recovery_file)
        recovery = SecretKey.new()
        keeper = _keeper(file.organisation, recovery_passphrase_file)
    after = rotated(before, datetime.now(UTC), recovery.public if recovery else None)
    opened, _ = prove_opening(after, recovery)
    _must_be_unchanged(key_file, file)
    if recovery and new_recovery_file:
        key_file_form.write(
            new_recovery_file, lock_recovery(file.organisation, recovery, (keeper,))
        )
    _replace(key_file, file, lock_keys(after, file.members))
    tell_entry(after.entry)
    say(f"Wrote {key_file}; envelopes of {counted(opened, 'generation')} open with it.")
    if new_recovery_file:
        _tell_where_recovery_belongs(new_recovery_file)
    notice(
        "Others seal to the new key once they have the new entry: publish it with `postern keys "
        "publish`."
    )


@keys.command("add-member")
@_KEY_FILE
@click.argument("name")
@_member
@_new_passphrase
def add_member(
    *,
    key_file: Path,
    name: str,
    member: str,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
) -> None:
    """Let NAME open the key file with a passphrase of their own."""
    file = key_file_form.read(key_file)
    content = file.unlock(member, _known(passphrase_file, f"of {member}"))
    added = Member.new(name, _chosen(new_passphrase_file, f"of {name}"), file.organisation)
    _replace(key_file, file, relock(file, content, (*file.members, added)))
    say(f"{name} can open {key_file} now. Whoever opens it can read everything sealed to you.")


@keys.command("remove-member")
@_KEY_FILE
@click.argument("name")
@_member
def remove_member(*, key_file: Path, name: str, member: str, passphrase_file: Path | None) -> None:
    """Write the key file anew, under a fresh key, so that NAME cannot open it."""
    file = key_file_form.read(key_file)
    _must_be_member(file, name)
    content = file.unlock(member, _known(passphrase_file, f"of {member}"))
    left = tuple(each for each in file.members if each.name != name)
    _replace(key_file, file, relock(file, content, left))
    say(f"{name} cannot open {key_file} any more.")
    notice(
        f"If {name} kept a copy of an earlier key file, that copy still opens with their "
        "passphrase, and with it everything that was sealed to the present keys or will be. So "
        "run `postern keys rotate` now: what is sealed to the new key is closed to them. Nothing "
        "can take back what they could read before. Delete old copies, backups too."
    )


@keys.command("change-passphrase")
@_KEY_FILE
@_member
@_new_passphrase
def change_passphrase(
    *,
    key_file: Path,
    member: str,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
) -> None:
    """Give a member another passphrase, in a key file or a recovery file."""
    file = key_file_form.read(key_file)
    content = file.unlock(member, _known(passphrase_file, f"of {member}"))
    fresh = Member.new(member, _chosen(new_passphrase_file, f"of {member}"), file.organisation)
    members = tuple(fresh if each.name == member else each for each in file.members)
    _replace(key_file, file, relock(file, content, members))
    say(f"Wrote {key_file}. Earlier copies of it still open with the earlier passphrase.")


@keys.command("recover")
@_KEY_FILE
@click.option(
    "--recovery-file", required=True, type=_FILE, metavar="FILE", help="Recovery file, from a safe."
)
@click.option("--new-key-file", required=True, type=_FILE, metavar="FILE", help="Key file to make.")
@click.option(
    "--member", required=True, metavar="NAME", help="The only member of the new key file."
)
@click.option(
    "--recovery-member",
    default=_RECOVERY_MEMBER,
    show_default=True,
    metavar="NAME",
    help="Who opens the recovery file.",
)
@_recovery_passphrase
@_new_passphrase
def recover(
    *,
    key_file: Path,
    recovery_file: Path,
    new_key_file: Path,
    member: str,
    recovery_member: str,
    recovery_passphrase_file: Path | None,
    new_passphrase_file: Path | None,
) -> None:
    """Open KEY_FILE with the recovery key and write its keys into a new key file.

    For the day on which every passphrase of KEY_FILE is lost.
    """
    _must_not_exist(new_key_file)
    locked, kept = key_file_form.read(key_file), key_file_form.read(recovery_file)
    passphrase = _known(recovery_passphrase_file, f"of {recovery_member} in the recovery file")
    recovery = unlock_recovery(kept, recovery_member, passphrase)
    held = recover_keys(locked, recovery)
    opened, by_recovery = prove_opening(held, recovery)
    opener = Member.new(member, _chosen(new_passphrase_file, f"of {member}"), locked.organisation)
    made = lock_keys(held, (opener,))
    key_file_form.write(new_key_file, made)
    tell_entry(held.entry)
    say(f"Wrote {new_key_file} (member {member}).")
    say(
        f"Proved: a trial envelope of each of {counted(opened, 'generation')} opens with the keys "
        f"in it, and {by_recovery} with the recovery key."
    )
    notice("Put the recovery file back into its safe. Add the other members anew.")


def _show_platform(chosen: Chosen) -> None:
    pins = load_pins(pin_file_of(chosen.path))
    document = key_document.read(
        pins.signed,
        pins.fingerprint,
        datetime.fromisoformat(pins.signed["document"]["issued_at"]),
    )
    told = {
        "platform": document.platform,
        "fingerprint": pins.fingerprint,
        "pinned": written_moment(pins.pinned_at),
        "key document of": written_moment(document.issued_at),
    }
    for line in listing(told):
        say(line)
    for each in document.epochs:
        say(
            f"  {each.kind:10} epoch {each.epoch:<5} "
            f"{each.valid_from:%Y-%m-%d} to {each.valid_to:%Y-%m-%d}"
        )


def _entries_of_others(path: Path) -> tuple[SignedEntry, ...] | None:
    """The entries in a file that is a list of them, checked; None for anything else."""
    with path.open("rb") as file:
        raw = file.read(_LARGEST_CHAIN + 1)
    if len(raw) > _LARGEST_CHAIN or not raw.lstrip().startswith(b"["):
        return None
    try:
        return read_chain(json.loads(raw))
    except (ValueError, RecursionError):
        raise EntryRefusedError("the file is not JSON in UTF-8") from None


def _tell_where_recovery_belongs(path: Path) -> None:
    notice(
        f"Move {path} to a medium that is kept offline in a safe, with its passphrase in another "
        "place, and delete it here. Without it, lost passphrases mean lost keys."
    )


def _keeper(organisation: str, passphrase_file: Path | None) -> Member:
    passphrase = _chosen(passphrase_file, "of the recovery file")
    return Member.new(_RECOVERY_MEMBER, passphrase, organisation)


def _known(file: Path | None, whose: str) -> str:
    if file:
        return read_passphrase_file(file)
    return str(click.prompt(f"Passphrase {whose}", hide_input=True, err=True))


def _chosen(file: Path | None, whose: str) -> str:
    if file:
        return read_passphrase_file(file)
    return str(
        click.prompt(f"New passphrase {whose}", hide_input=True, confirmation_prompt=True, err=True)
    )


def _must_not_exist(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise KeyFileExistsError(path)


def _must_be_member(file: KeyFile, name: str) -> None:
    if all(each.name != name for each in file.members):
        raise MemberUnknownError(
            f"The key file has no member {name}. `postern keys show` lists its members."
        )


def _replace(path: Path, before: KeyFile, after: KeyFile) -> None:
    _must_be_unchanged(path, before)
    key_file_form.write(path, after)


def _must_be_unchanged(path: Path, before: KeyFile) -> None:
    # A prompt may have stood for minutes; another member's change must not be undone in silence.
    if key_file_form.read(path) != before:
        raise KeyFileChangedError(path)
