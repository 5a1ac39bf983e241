"""`postern keys ceremony` and `check-share`: a platform's key in the hands of several holders.

The ceremony is held on a machine without a network, by people who watch each other. Nothing is sent
anywhere; what a holder gets is encrypted with that holder's own passphrase.
"""

from collections.abc import Mapping
from pathlib import Path

import click

from postern import key_file_form
from postern.client_errors import AddressRefusedError, ClientError
from postern.commands.terminal import notice, say
from postern.holder_share import lock_share, read_share
from postern.key_file_errors import KeyFileExistsError
from postern.key_sharing import Ceremony, Holder, check_holders, read_ceremony
from postern.passphrase import read_passphrase_file
from postern.private_files import write_private
from postern.threshold import ShareRefusedError, deal
from postern.transport import checked_address
from postern.vocabulary import EvaluationKind

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_CEREMONY, _TRANSCRIPT = "ceremony.json", "transcript.txt"


@click.command("ceremony")
@click.argument("platform")
@click.option(
    "--holder",
    "holders",
    multiple=True,
    required=True,
    metavar="NAME=ADDRESS",
    help="Who holds a share, and where its server answers; give it for each.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=2),
    default=2,
    show_default=True,
    help="How many holders must take part in each evaluation.",
)
@click.option(
    "--passphrase-file",
    "passphrases",
    multiple=True,
    metavar="NAME=FILE",
    help="File with the passphrase of a holder, readable by you only; else it is asked for twice.",
)
@click.option("--to", required=True, type=_FOLDER, metavar="FOLDER", help="New folder to make.")
def ceremony(
    *,
    platform: str,
    holders: tuple[str, ...],
    threshold: int,
    passphrases: tuple[str, ...],
    to: Path,
) -> None:
    """Deal the shares of the keys of PLATFORM (its name) to holders; offline.

    Writes a file for each holder, ceremony.json, which is public, and transcript.txt, to be printed
    and signed by who was present. The platform's own share is none of these: it has one already.
    """
    named = _pairs(holders, "--holder")
    files = _pairs(passphrases, "--passphrase-file")
    listed = tuple(Holder(number, name) for number, name in enumerate(named, start=1))
    try:
        check_holders(threshold, listed)
        addresses = {each.number: checked_address(named[each.name]) for each in listed}
    except (ValueError, AddressRefusedError) as error:
        raise click.UsageError(str(error)) from None
    if files.keys() - named.keys():
        raise click.UsageError("--passphrase-file names somebody who is no holder.")
    if to.exists():
        raise KeyFileExistsError(to)
    dealt = {kind: deal(threshold, range(1, len(listed) + 1)) for kind in EvaluationKind}
    public = Ceremony(
        platform=platform,
        epoch=1,
        holders=listed,
        addresses=addresses,
        commitments={kind: each.commitments for kind, each in dealt.items()},
    )
    locked = {}
    for each in listed:
        shares = {kind: made.shares[each.number] for kind, made in dealt.items()}
        passphrase = _passphrase(each.name, files)
        file = lock_share(public, each, shares, passphrase)
        read_share(file, passphrase, public)  # as the holder will: it opens, and it fits
        locked[each.name] = file
    to.mkdir(mode=0o700, parents=True)
    for name, file in locked.items():
        key_file_form.write(to / f"{name}.share.json", file)
    write_private(to / _CEREMONY, public.written())
    transcript = _transcript(public, threshold)
    write_private(to / _TRANSCRIPT, transcript)
    say(transcript.rstrip())
    notice(
        f"Wrote {to}. Print {_TRANSCRIPT} and have all who are present sign it; give each holder "
        f"its file and {_CEREMONY}; then destroy this folder's shares on this machine."
    )


@click.command("check-share")
@click.argument("share", type=_FILE)
@click.argument("ceremony", type=_FILE)
@click.option(
    "--passphrase-file",
    type=_FILE,
    metavar="FILE",
    help="File with the passphrase, readable by you only; else it is asked for.",
)
def check_share(*, share: Path, ceremony: Path, passphrase_file: Path | None) -> None:
    """Check a holder's SHARE against the commitments in the file CEREMONY (Feldman).

    A share that passes evaluates to what the published keys say, and the dealer cannot have given
    you another key than the others. Compare the digest with the printed transcript.
    """
    try:
        public = read_ceremony(ceremony.read_bytes())
    except OSError as error:
        raise click.UsageError(f"{ceremony} cannot be read: {error.strerror}.") from None
    if passphrase_file:
        passphrase = read_passphrase_file(passphrase_file)
    else:
        passphrase = str(click.prompt("Passphrase of the share", hide_input=True, err=True))
    try:
        opened = read_share(key_file_form.read(share), passphrase, public)
    except ShareRefusedError as error:
        raise _ShareError(str(error)) from None
    say(
        f"Holder {opened.name}, number {opened.number} of {len(public.holders)}: "
        f"{len(opened.shares)} shares fit their commitments."
    )
    say(f"Digest of the ceremony: {public.digest()}")


class _ShareError(ClientError):
    """A share that does not fit, told as other errors are."""


def _transcript(public: Ceremony, threshold: int) -> str:
    lines = [
        f"Ceremony of the evaluation keys of {public.platform}, epoch {public.epoch}",
        f"Any {threshold} of {len(public.holders)} holders evaluate, with the platform's own share",
        "",
        *(
            f"Holder {each.number}: {each.name} at {public.addresses[each.number]}"
            for each in public.holders
        ),
        "",
        "Commitments to the polynomials, in the order of powers:",
    ]
    for kind, commitments in sorted(public.commitments.items()):
        lines += [f"{kind.value:10} {each.hex()}" for each in commitments]
    lines += ["", f"SHA-256 of {_CEREMONY}: {public.digest()}", ""]
    lines += [
        "Held on (day, place): ______________________________________________",
        "Machine (no network, wiped afterwards): ____________________________",
        *(f"Signed for {each.name}: {'_' * 40}" for each in public.holders),
        f"Signed for the platform: {'_' * 40}",
    ]
    return "\n".join(lines) + "\n"


def _pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not value or name in found:
            raise click.UsageError(f"{option} is NAME=VALUE, each name once.")
        found[name] = value
    return found


def _passphrase(name: str, files: Mapping[str, str]) -> str:
    if name in files:
        return read_passphrase_file(Path(files[name]))
    return str(
        click.prompt(
            f"New passphrase of holder {name}", hide_input=True, confirmation_prompt=True, err=True
        )
    )
