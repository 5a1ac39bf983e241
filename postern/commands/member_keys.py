"""`postern keys publish | pin | check`: the keys of members in the platform's directory.

The directory is the platform's word. What is pinned here was compared by telephone once, and from
then on may only grow; anything else is refused loudly and told to the platform, so that others
learn of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import click

from postern.client import Client
from postern.client_errors import ClientError
from postern.client_organisations import Listed, OrganisationDirectory
from postern.commands.entries import tell_chain
from postern.commands.own_keys import (
    Trust,
    chosen_keys,
    first_difference,
    open_keys,
)
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    notice,
    require_scopes,
    say,
)
from postern.key_publications import ACT, compare, read_publications
from postern.organisation_entry import EntryRefusedError, SignedEntry
from postern.organisation_pins import KeySwappedError, OrganisationPins
from postern.settings import organisations_of
from postern.vocabulary import Scope

_FILE = click.Path(path_type=Path, dir_okay=False)
_OWN = "Your own keys in the directory are compared too, once `postern keys publish` was run here."


class KeysNotPublishedError(ClientError):
    """A member has no keys in the directory, or there is no such member."""

    def __init__(self, organisation: str) -> None:
        super().__init__(
            f"{organisation} has published no keys. Ask it to run `postern keys publish`, or "
            "correct the code."
        )


class OtherOrganisationError(ClientError):
    """The key file is of another organisation than the API token."""

    def __init__(self, of_file: str, of_token: str) -> None:
        super().__init__(
            f"The key file is of {of_file}, and the API token of {of_token}. Name the key file of "
            f"{of_token}, or use a token of {of_file}."
        )


@click.command("publish")
@click.argument("key_file", type=_FILE, required=False)
@click.option("--member", metavar="NAME", help="Who opens KEY_FILE; else as in the settings.")
@click.option(
    "--passphrase-file",
    type=_FILE,
    metavar="FILE",
    help="File with the member's passphrase, readable by you only; else it is asked for.",
)
@click.pass_obj
def publish(
    chosen: Chosen, *, key_file: Path | None, member: str | None, passphrase_file: Path | None
) -> None:
    """Publish the public entries of KEY_FILE, so that others can seal to you.

    Only what `postern keys show --entry-file` writes is sent. The API token needs the scope
    keys:write, of an administrator. Every active member reads the publication in its log. Without
    KEY_FILE, that of the settings is used.
    """
    settings = chosen.settings()
    options = {"key_file": key_file, "member": member, "passphrase_file": passphrase_file}
    held = open_keys(chosen_keys(options, settings.keys))
    with connected(settings) as (client, _):
        me = client.me()
        require_scopes(me, Scope.KEYS_WRITE)
        if held.entry.organisation != me.organisation.code:
            raise OtherOrganisationError(held.entry.organisation, me.organisation.code)
        done = OrganisationDirectory(client.transport).publish(held.chain)
        # Seen again as others see it: what was swallowed or changed would be found by them only.
        Trust.of(client, settings).check_own(held, me.organisation.code)
    pins = OrganisationPins.load(organisations_of(settings))
    pins.pin(held.entry.organisation, held.chain, held.entry.fingerprint)
    pins.save(organisations_of(settings))
    tell_chain(held.chain)
    if done.added:
        say(f"Published {counted(done.added, 'entry', 'entries')}.")
    else:
        say("Everything was published already.")
    notice("Let others compare the fingerprint with you by telephone before they pin it.")


@click.command("pin")
@click.argument("organisation")
@click.option(
    "--fingerprint",
    metavar="TEXT",
    help="As ORGANISATION itself told it by telephone; spaces, hyphens and case do not matter.",
)
@click.pass_obj
def pin_keys(chosen: Chosen, *, organisation: str, fingerprint: str | None) -> None:
    """Pin the published keys of ORGANISATION, a member's code.

    Without --fingerprint they are shown and not pinned: telephone ORGANISATION at a number that you
    know, let it read its fingerprint out, and give that.
    """
    settings = chosen.settings()
    with connected(settings) as (client, _):
        directory = OrganisationDirectory(client.transport)
        offered = directory.everybody().get(organisation)
        if offered is None or not offered.entries:
            raise KeysNotPublishedError(organisation)
        pins = OrganisationPins.load(organisations_of(settings))
        if pins.chain(organisation):
            _accept(directory, pins, organisation, offered)
        chain = offered.chain()
        _tell_alarms(organisation, offered)
        if fingerprint is None:
            tell_chain(chain)
            notice(
                f"Nothing was pinned. Telephone {organisation} at a number that you know, compare "
                f"the fingerprint, and run `postern keys pin {organisation} --fingerprint TEXT`."
            )
            return
        entry = pins.pin(organisation, chain, fingerprint)
    pins.save(organisations_of(settings))
    say(f"Pinned {organisation}: entry {entry.number}, {entry.fingerprint}.")


@click.command("check")
@click.option(
    "--log",
    "with_log",
    is_flag=True,
    help="Compare the publications in your log too; needs the scope audit:read, of compliance.",
)
@click.pass_context
def check(context: click.Context, *, with_log: bool) -> None:
    """Compare the directory with all keys that are pinned.

    New keys that their owner signed are accepted. Others are refused and reported to the platform,
    and the exit status is 1. Run it every day.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    pin_file = organisations_of(settings)
    pins = OrganisationPins.load(pin_file)
    with connected(settings) as (client, _):
        if with_log:
            require_scopes(client.me(), Scope.AUDIT_READ)
        found = _compared(client, pins)
        contradictions = _compared_with_log(client) if with_log else []
    if found.grown:
        pins.save(pin_file)
    for line in found.said:
        say(line)
    for warning in (*found.swapped, *contradictions):
        notice(warning)
    if found.swapped or contradictions:
        context.exit(ExitCode.FAILED)


@dataclass(frozen=True, slots=True)
class _Found:
    said: list[str]
    swapped: list[str]
    grown: int


def _compared(client: Client, pins: OrganisationPins) -> _Found:
    """What the directory shows of everybody; growth is taken over into `pins`."""
    directory = OrganisationDirectory(client.transport)
    listed = directory.everybody()
    said, swapped, grown = [], [], 0
    for code in pins.organisations:
        before = pins.chain(code)
        offered = listed.get(code, Listed((), 0))
        try:
            _accept(directory, pins, code, offered)
        except KeySwappedError as error:
            swapped.append(str(error))
            said.append(f"{code}: SWAPPED, nothing was accepted")
            continue
        newest = pins.chain(code)[-1].entry
        more = len(pins.chain(code)) - len(before)
        grown += more
        told = f", {counted(more, 'new entry', 'new entries')} accepted" if more else ""
        said.append(f"{code}: entry {newest.number}, {newest.fingerprint}{told}")
        _tell_alarms(code, offered)
    others = {code: each for code, each in listed.items() if code not in pins.organisations}
    for code, each in sorted(others.items()):
        state = "not pinned" if each.entries else "no keys published"
        said.append(f"{code}: {state}")
        _tell_alarms(code, each)
    if client.me().organisation.code not in pins.organisations:
        notice(_OWN)
    return _Found(said, swapped, grown)


def _compared_with_log(client: Client) -> list[str]:
    """Where the log contradicts the directory, as warnings; says what it confirms."""
    listed = OrganisationDirectory(client.transport).everybody()
    chains = {}
    for code, each in listed.items():
        try:
            chains[code] = each.chain()
        except EntryRefusedError:
            chains[code] = ()  # told already where it is pinned, and contradicted by the log
    compared = compare(chains, read_publications(_exported(client)))
    say(
        f"log: {counted(compared.confirmed, 'entry', 'entries')} of the directory published as "
        "shown"
    )
    for code, number in compared.untold:
        notice(
            f"{code}: your log does not tell of entry {number}. It was published before your "
            "organisation joined, or kept from it; ask another member."
        )
    return [
        f"STOP. THE LOG CONTRADICTS THE DIRECTORY: {each}. Seal nothing to it. Run `postern audit "
        "verify`, telephone the member, and tell your compliance officer."
        for each in compared.contradictions
    ]


def _exported(client: Client) -> Iterator[bytes]:
    """Lines of the entries on publications that the own organisation may read."""
    cursor: str | None = None
    while True:
        asked = {"format": "jsonl", "act": ACT, **({"cursor": cursor} if cursor else {})}
        answer = client.transport.get_page(f"/api/v1/audit/export?{urlencode(asked)}")
        content: bytes = answer.content
        yield from content.splitlines()
        cursor = answer.following
        if cursor is None:
            return


def _accept(
    directory: OrganisationDirectory, pins: OrganisationPins, code: str, offered: Listed
) -> None:
    """Take over what a pinned member published; tells the platform before KeySwappedError."""
    pinned = pins.chain(code)
    chain: tuple[SignedEntry, ...] = ()
    try:
        chain = offered.chain()
        pins.accept(code, chain)
    except (EntryRefusedError, KeySwappedError) as error:
        number, ours, theirs = first_difference(pinned, chain)
        try:
            directory.tell_alarm(code, number, ours, theirs)
        except ClientError as unsaid:
            notice(f"The platform could not be told of the swapped keys of {code}: {unsaid}")
        if isinstance(error, EntryRefusedError):
            what = "an entry in the directory is damaged or is not signed by its own key"
            raise KeySwappedError(code, what) from error
        raise


def _tell_alarms(code: str, listed: Listed) -> None:
    if listed.alarms:
        alarms = counted(listed.alarms, "open alarm")
        notice(f"{code}: {alarms} about its keys. Look at the page of keys and telephone it.")
