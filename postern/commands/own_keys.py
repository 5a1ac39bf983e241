"""Opening the organisation's key file in a command, and trusting the keys of others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from postern import key_file_form
from postern.client import Client
from postern.client_errors import ClientError
from postern.client_organisations import OrganisationDirectory
from postern.commands.terminal import notice
from postern.disclosing import Side
from postern.organisation_entry import Entry, SignedEntry
from postern.organisation_keys import OrganisationKeys, unlock_keys
from postern.organisation_pins import KeySwappedError, OrganisationPins, OrganisationUnknownError
from postern.passphrase import read_passphrase_file
from postern.sealing import check_own
from postern.settings import ClientSettings, OwnKeys, organisations_of
from postern.signing_identity import VerifyingKey

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)


def own_keys(command: Decorated) -> Decorated:
    """--key-file, --member and --passphrase-file: the organisation's keys, and who opens them."""
    for option in (
        click.option(
            "--passphrase-file",
            type=_FILE,
            metavar="FILE",
            help="File with the member's passphrase, readable by you only; else it is asked for.",
        ),
        click.option("--member", metavar="NAME", help="Who opens the key file."),
        click.option(
            "--key-file", type=_FILE, metavar="FILE", help="Your organisation's key file."
        ),
    ):
        command = option(command)
    return command


def chosen_keys(options: dict[str, Any], known: OwnKeys) -> OwnKeys:
    """What the options say, else the settings; its passphrase file is for its file and member."""
    file: Path | None = options["key_file"] or known.file
    member: str | None = options["member"] or known.member
    is_known = (file, member) == (known.file, known.member)
    passphrase_file: Path | None = options["passphrase_file"]
    return OwnKeys(file, member, passphrase_file or (known.passphrase_file if is_known else None))


def open_keys(chosen: OwnKeys) -> OrganisationKeys:
    """The keys in the chosen file; asks for the passphrase. Raises KeyFileError, UsageError."""
    if chosen.file is None:
        raise click.UsageError(
            "--key-file is missing. Name your organisation's key file, or set file under [keys] "
            "in the settings file."
        )
    if chosen.member is None:
        raise click.UsageError(
            "--member is missing. Say who opens the key file, or set member under [keys] in the "
            "settings file."
        )
    file = key_file_form.read(chosen.file)
    if chosen.passphrase_file:
        passphrase = read_passphrase_file(chosen.passphrase_file)
    else:
        asked = f"Passphrase of {chosen.member}"
        passphrase = str(click.prompt(asked, hide_input=True, err=True))
    return unlock_keys(file, chosen.member, passphrase)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose keys are trusted: one's own by the key file, those of others by what is pinned.

    What the directory shows of a pinned organisation may have grown, and is then remembered. Every
    method raises KeySwappedError, after it has told the platform so, and OrganisationUnknownError.
    """

    directory: OrganisationDirectory
    pins: OrganisationPins
    pin_file: Path

    @classmethod
    def of(cls, client: Client, settings: ClientSettings) -> "Trust":
        """The pins beside the settings. Raises PinnedOrganisationsError."""
        pin_file = organisations_of(settings)
        return cls(
            OrganisationDirectory(client.transport), OrganisationPins.load(pin_file), pin_file
        )

    def known(self, organisation: str) -> tuple[Entry, tuple[VerifyingKey, ...]]:
        """The entry to which something for another organisation is sealed now, and every key by
        which it may have signed what is opened here.
        """
        self._follow(organisation)
        return self.pins.entry(organisation, _now()), self.pins.signers(organisation)

    def check_own(self, keys: OrganisationKeys, organisation: str) -> tuple[SignedEntry, ...]:
        """The own entries in the directory, when they are those of the key file.

        Raises OwnKeysError.
        """
        published = self.directory.chain(organisation)
        try:
            check_own(keys, organisation, published, _now())
        except KeySwappedError:
            self._tell(organisation, keys.chain, published)
            raise
        return published

    def _follow(self, organisation: str) -> None:
        pinned = self.pins.chain(organisation)
        if not pinned:
            raise OrganisationUnknownError(organisation)
        offered = self.directory.chain(organisation)
        try:
            self.pins.accept(organisation, offered)
        except KeySwappedError:
            self._tell(organisation, pinned, offered)
            raise
        if len(offered) > len(pinned):
            self.pins.save(self.pin_file)
            entry = offered[-1].entry
            notice(
                f"{organisation} has new keys, signed by those that are pinned: entry "
                f"{entry.number}, {entry.fingerprint}."
            )

    def _tell(
        self,
        organisation: str,
        pinned: tuple[SignedEntry, ...],
        offered: tuple[SignedEntry, ...],
    ) -> None:
        number, ours, theirs = first_difference(pinned, offered)
        try:
            self.directory.tell_alarm(organisation, number, ours, theirs)
        except ClientError as error:
            notice(f"The platform could not be told of the swapped keys: {error}")


def side_of(
    client: Client,
    settings: ClientSettings,
    keys: OrganisationKeys,
    other: str,
    *,
    present: bool = True,
) -> Side:
    """Both organisations of a request, the other one as it is pinned here.

    `present`: something is to be sealed, so that one's own keys must be published. Raises
    OwnKeysError, KeySwappedError, OrganisationUnknownError.
    """
    trust = Trust.of(client, settings)
    if present:
        trust.check_own(keys, keys.entry.organisation)
    return Side(keys, *trust.known(other))


def first_difference(
    pinned: tuple[SignedEntry, ...], offered: tuple[SignedEntry, ...]
) -> tuple[int, str, str]:
    """The number of the first entry that is not the same, and its fingerprint on either side."""
    for number in range(1, max(len(pinned), len(offered)) + 1):
        ours = pinned[number - 1].entry.fingerprint if number <= len(pinned) else ""
        theirs = offered[number - 1].entry.fingerprint if number <= len(offered) else ""
        if ours != theirs:
            return number, ours, theirs
    return len(pinned), "", ""


def _now() -> datetime:
    return datetime.now(UTC)
