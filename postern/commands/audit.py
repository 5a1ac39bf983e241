"""`postern audit`: is the platform's log whole, and the same that everybody sees?"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress as Bar
from rich.progress import TaskID

from postern.audit import proving
from postern.audit.findings import Verdict
from postern.audit.live import verify_live
from postern.audit.log_checks import Contradiction
from postern.audit.mirror import Mirror
from postern.audit.offline import verify_mirror, verify_package
from postern.audit.package import open_package
from postern.audit.platform import PlatformEntries, PlatformLog
from postern.audit.receipts import ReceiptFile
from postern.audit.receipts import opened as opened_receipts
from postern.audit.report import VERDICTS, Report, as_json, as_text, short
from postern.audit.sources import NotThereError
from postern.audit.trust import AuditError, Trust, given, only_log_keys
from postern.audit.verification import Verification
from postern.client import Client
from postern.client_errors import ClientError
from postern.commands.options import Decorated
from postern.commands.terminal import Chosen, counted, notice, progress, say, tell_trouble
from postern.settings import ClientSettings, mirror_of, read_token, receipts_of
from postern.tlog.notes import NoteError
from postern.tlog.policy import Policy
from postern.tlog.strict import MalformedError
from postern.transport import Transport
from postern.vocabulary import Role, Scope

TAMPERED = 1
CANNOT_TELL = 2
"""Exit codes of `verify` and what is like it; 0 is in order."""

_ENDS = {Verdict.IN_ORDER: 0, Verdict.NOT_IN_ORDER: TAMPERED, Verdict.CANNOT_TELL: CANNOT_TELL}


class _CannotTellError(click.ClickException):
    exit_code = CANNOT_TELL


class _AuditCommands(click.Group):
    """What could not be verified must not look like what was tampered with: it ends with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            raise _CannotTellError(str(error)) from error
        except BrokenPipeError:
            raise  # whoever read the output has seen enough; click ends in silence
        except OSError as error:
            raise _CannotTellError(
                f"A file could not be used{f' ({error.filename})' if error.filename else ''}: "
                f"{error.strerror or type(error).__name__}. Check its name, permissions and free "
                "space, then run the same command again."
            ) from error


@click.group(cls=_AuditCommands)
def audit() -> None:
    """Verify the audit log without trusting the platform.

    The log is public to its members as a tree of hashes. These commands keep a copy of it here,
    and compare what the platform shows with what it signed, with what others saw, and with before.
    """


def _path(name: str, help_: str, *, file: bool) -> Callable[[Decorated], Decorated]:
    kind = click.Path(path_type=Path, dir_okay=not file, file_okay=file)
    return click.option(name, type=kind, metavar="FILE" if file else "DIR", help=help_)


_directory = _path("--directory", "Of the copy of the log; else beside the settings.", file=False)
_state = _path("--state", "The state file; else state.json in the copy.", file=True)
_policy = _path("--policy", "Keys and quorum that you confirmed, as a C2SP tlog-policy.", file=True)
_log_keys = click.option(
    "--log-key", "log_keys", multiple=True, metavar="VKEY", help="A key of the log you confirmed."
)


@audit.command()
@_path("--package", "Verify this export package, without a network.", file=True)
@_path("--mirror", "Verify this copy of a log, without a network.", file=False)
@_directory
@_state
@_policy
@_log_keys
@click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Write a report: FILE.pdf, FILE.json or FILE.txt.",
)
@click.option("--by", metavar="TEXT", help="Who verifies, for the report: a function.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@click.option("--full/--no-full", default=True, help="All of the log, or only what is new.")
@click.pass_obj
def verify(chosen: Chosen, /, **options: Any) -> None:
    """Verify the log: live, or an export package, or a copy.

    Ends with 0 when all is in order, with 1 when something was tampered with, and with 2 when that
    cannot be told.
    """
    given_ = _Given.of(options)
    package, copy = options["package"], options["mirror"]
    if package and copy:
        raise click.UsageError("Give --package or --mirror, not both.")
    with _bars() as bars:
        if package:
            found = _verify_package(chosen, package, given_, bars)
        elif copy:
            found = _verify_copy(copy, given_, bars)
        else:
            found = _verify_live(chosen, given_, bars, full=options["full"])
    report = as_json(replace(found, by=options["by"]))
    for path in options["reports"]:
        _write_report(report, path)
    _tell(report, as_json=options["is_json"])


@audit.command()
@_directory
@_state
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def mirror(chosen: Chosen, /, **options: Any) -> None:
    """Bring the copy of the log up to date, and verify what is new.

    Give it every hour: what was seen once can never be changed unnoticed. A log that shrank or
    forked is refused, and both signed checkpoints are kept in evidence/. Ends like `verify`.
    """
    with _bars() as bars:
        found = _verify_live(chosen, _Given.of(options), bars, full=False)
    _tell(as_json(found), as_json=options["is_json"])


@audit.command()
@_directory
@_state
@_policy
@_log_keys
@click.option("--accept", is_flag=True, help="Confirm what the platform publishes, or --policy.")
@click.pass_obj
def keys(chosen: Chosen, /, **options: Any) -> None:
    """Show the keys of log and witnesses, and confirm them.

    Compare them with the operator or another member by telephone. With --log-key or --policy the
    keys that you got so are taken, and nothing is asked.
    """
    given_ = _Given.of(options)
    own = _own_mirror(chosen.settings(), given_)
    with _platform(chosen.settings()) as platform:
        published = platform.log.published_trust()
    confirmed = own.state.trust
    if confirmed is not None:
        _show(confirmed, "Confirmed")
        for difference in confirmed.differences(published):
            say(f"The platform publishes {difference}")
    if not options["accept"]:
        if confirmed is None:
            _show(published, "Published, confirmed by nobody")
        return
    taken = _taken(published, given_)
    own.save(replace(own.state, trust=replace(taken, confirmed=True)))
    say("Confirmed. Begin with: postern audit verify")


@audit.command()
@click.argument("place", type=click.IntRange(min=0))
@_directory
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write the proof; else PLACE.tlog-proof here.",
)
@click.pass_obj
def prove(chosen: Chosen, /, place: int, directory: Path | None, to: Path | None) -> None:
    """Write a proof that an entry stands in the log (C2SP tlog-proof).

    From the copy of the log if it reaches so far, else from the platform. Anybody can check it
    without the log.
    """
    settings = chosen.settings()
    proof = proving.prove(_own_mirror(settings, _Given(directory=directory)), place)
    if proof is None:
        with _platform(settings) as platform:
            entries = platform.entries()
            try:
                proof = entries.proof(place) if entries else None
            except NotThereError:
                proof = None
    if proof is None:
        raise AuditError(
            f"No entry at the place {place} can be proven: there is none yet, or it does not "
            "concern your organisation. Bring the copy up to date with `postern audit mirror`."
        )
    path = to or Path(f"{place}.tlog-proof")
    path.write_bytes(proof)
    say(f"Written: {path}")


@audit.command("check-proof")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_path("--entry", "The entry, as a line of an export.", file=True)
@_directory
@_policy
@_log_keys
@click.pass_obj
def check_proof(chosen: Chosen, /, file: Path, entry: Path | None, **options: Any) -> None:
    """Check a proof that an entry stands in the log. Needs no network.

    Ends with 1 when it proves nothing, with 2 when that cannot be told.
    """
    own = _mirror_if_any(chosen, _Given.of(options))
    trust = _trust(own, _Given.of(options))
    line = entry.read_bytes().splitlines()[0] if entry else None
    try:
        found = proving.check_proof(file.read_bytes(), trust, entry=line, mirror=own)
    except proving.NotProvenError as error:
        say(f"NOT PROVEN. {error}")
        click.get_current_context().exit(TAMPERED)
    size = found.opened.checkpoint.size
    say(f"Proven: the entry at the place {found.place} is one of {size:,} in {trust.origin}.")
    if not found.vouched:
        say("The log alone signed that: no quorum of witnesses vouches for this checkpoint.")


@audit.command()
@_directory
@click.pass_obj
def receipts(chosen: Chosen, /, directory: Path | None) -> None:
    """Tell how many receipts are kept, and whether the copy holds what they promise."""
    settings = chosen.settings()
    own, kept = _own_mirror(settings, _Given(directory=directory)), receipts_of(settings)
    trust = _trust(own, _Given())
    promised, unknown = opened_receipts(kept.texts(), trust.receipt_keys)
    wanted = frozenset(each.leaf_hash for each in promised)
    size = own.tree.size
    found = own.tree.leaf_hashes_among(wanted, until=size) if wanted else frozenset()
    say(f"{counted(len(promised), 'receipt')}, {len(found)} of them in the copy of the log.")
    if unknown:
        say(f"{counted(unknown, 'receipt')} signed by no key that was confirmed.")
    say("`postern audit verify` compares the others with the log as it is now.")


@audit.command()
@click.argument("note_file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_directory
@click.pass_obj
def gossip(chosen: Chosen, /, note_file: Path, directory: Path | None) -> None:
    """Compare another member's checkpoint with your own copy.

    If the two cannot be of one log, both signed notes are kept: together they prove that the
    platform showed different logs. Ends with 1 then, with 2 when it cannot be told.
    """
    settings = chosen.settings()
    own = _own_mirror(settings, _Given(directory=directory))
    trust = _trust(own, _Given())
    note = note_file.read_bytes()
    with _platform(settings) as platform:
        try:
            found = proving.compare(note, trust, own, platform.log)
        except NoteError as error:
            raise AuditError(str(error)) from None
    if found is None:
        say("The same log: that checkpoint and your copy agree.")
    elif isinstance(found, Contradiction):
        place = own.keep_evidence(found, int(time.time()))
        say(f"NOT THE SAME LOG: {found.reason}.")
        say(f"Both signed notes are in {place}. Show them to every member: they are the proof.")
        click.get_current_context().exit(TAMPERED)
    else:
        raise AuditError(f"It cannot be told: {found}.")


@audit.command()
@click.argument("to", type=click.Path(path_type=Path, dir_okay=False))
@_directory
@click.option("--by", metavar="TEXT", help="Who verified: a function, not a name.")
@click.pass_obj
def report(chosen: Chosen, /, to: Path, directory: Path | None, by: str | None) -> None:
    """Write the report of the last live verification to FILE.pdf, FILE.json or FILE.txt."""
    own = _own_mirror(chosen.settings(), _Given(directory=directory))
    last = own.report()
    if last is None:
        raise AuditError("Nothing was verified here yet. Begin with `postern audit verify`.")
    kept: dict[str, Any] = json.loads(last)
    _write_report(kept | ({"by": by} if by else {}), to)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line says of places and keys."""

    directory: Path | None = None
    state: Path | None = None
    policy: Path | None = None
    log_keys: Sequence[str] = ()

    @classmethod
    def of(cls, options: dict[str, Any]) -> "_Given":
        names = ("directory", "state", "policy", "log_keys")
        return cls(**{name: options[name] for name in names if options.get(name) is not None})

    def trust(self) -> Trust | None:
        """The keys that a person gives; None when none are given."""
        if self.policy is not None:
            try:
                return given(Policy.parse(self.policy.read_bytes()))
            except MalformedError as error:
                raise AuditError(str(error)) from None
        return only_log_keys(self.log_keys) if self.log_keys else None


@dataclass(frozen=True, slots=True)
class _Platform:
    """The platform of the settings: its log for every member, its entries for whom they concern."""

    transport: Transport
    log: PlatformLog

    def entries(self) -> PlatformEntries | None:
        """The own entries; None when the token may not read them."""
        me = Client(self.transport).me()
        has_scope = me.scopes is None or Scope.AUDIT_READ in me.scopes
        if not has_scope or Role.COMPLIANCE not in me.roles:
            notice(
                "The token may not read your organisation's entries (role compliance, scope "
                "audit:read): only the log itself is verified."
            )
            return None
        return PlatformEntries(self.transport, me.organisation.code)


@contextmanager
def _platform(settings: ClientSettings) -> Iterator[_Platform]:
    kept = receipts_of(settings)
    transport = Transport(
        settings.address,
        token=read_token(settings.token_file),
        ca_file=settings.ca_file,
        certificate=settings.certificate,
        keep_receipt=kept.keep,
    )
    try:
        yield _Platform(transport, PlatformLog(transport))
    finally:
        transport.close()
        tell_trouble(kept)


def _own_mirror(settings: ClientSettings, given_: _Given) -> Mirror:
    return Mirror(given_.directory or mirror_of(settings), given_.state)


def _mirror_if_any(chosen: Chosen, given_: _Given) -> Mirror | None:
    """The own copy, where there is one: a third party needs no settings."""
    if given_.directory or given_.state:
        directory = given_.directory or given_.state.parent  # type: ignore[union-attr]
        return Mirror(directory, given_.state)
    return _own_mirror(chosen.settings(), given_) if chosen.path.exists() else None


def _trust(own: Mirror | None, given_: _Given, otherwise: Trust | None = None) -> Trust:
    """The keys of the command line, else the confirmed ones, else those that came along."""
    found = given_.trust() or (own.state.trust if own else None) or otherwise
    if found is None:
        raise AuditError(
            "Nobody confirmed the keys of the log on this machine yet. Compare and confirm them "
            "with `postern audit keys --accept`."
        )
    return found


def _verify_live(chosen: Chosen, given_: _Given, bars: "_Bars", *, full: bool) -> Verification:
    settings = chosen.settings()
    own = _own_mirror(settings, given_)
    trust = _trust(own, given_)
    with _platform(settings) as platform:
        found = verify_live(
            platform.log,
            platform.entries(),
            own,
            trust,
            kept=receipts_of(settings),
            full=full,
            progress=bars,
            subject=f"the log of {settings.address}, as it is served now",
        )
    own.keep_report(json.dumps(as_json(found), indent=1) + "\n")
    return found


def _verify_package(chosen: Chosen, path: Path, given_: _Given, bars: "_Bars") -> Verification:
    own = _mirror_if_any(chosen, given_)
    with open_package(path) as package:
        trust = _trust(own, given_, package.trust())
        return verify_package(package, trust, own, progress=bars)


def _verify_copy(directory: Path, given_: _Given, bars: "_Bars") -> Verification:
    copy = Mirror(directory)
    memory = Mirror(directory, given_.state) if given_.state else None
    name = directory.name.removesuffix(".audit")
    kept = ReceiptFile(directory.with_name(f"{name}.receipts.jsonl"))
    trust = _trust(memory or copy, given_)
    return verify_mirror(copy, trust, memory=memory, kept=kept, progress=bars)


def _taken(published: Trust, given_: _Given) -> Trust:
    """What is confirmed: the policy given, else what is published, by the key given or asked."""
    if given_.policy is not None:
        trust = given_.trust()
        return replace(published, policy=trust.policy) if trust else published
    if given_.log_keys:
        if {str(key) for key in published.log_keys} != set(given_.log_keys):
            raise AuditError(
                "The platform publishes another key of its log than the one that you were told. Do "
                "not confirm it; ask the operator and another member."
            )
        return published
    _show(published, "Published by the platform")
    click.confirm("Are these the keys that you were told by another way?", abort=True)
    return published


def _show(trust: Trust, title: str) -> None:
    say(f"{title}: {trust.origin}")
    for key in trust.log_keys:
        say(f"  log      {key}")
    for key in trust.receipt_keys:
        say(f"  receipts {key}")
    for vkey, organisation in trust.organisations:
        say(f"  witness  {vkey} ({organisation})")
    if not trust.has_quorum:
        say("  No quorum of witnesses: the log is its own word.")


def _write_report(found: Report, path: Path) -> None:
    match path.suffix.lower():
        case ".pdf":
            from postern.audit.report_pdf import (  # noqa: PLC0415 - slow to load, rarely needed
                as_pdf,
            )

            path.write_bytes(as_pdf(found))
        case ".json":
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        case ".txt":
            path.write_text(as_text(found), encoding="utf-8")
        case _:
            raise click.UsageError("A report is written as .pdf, .json or .txt.")
    notice(f"Written: {path}")


def _tell(found: Report, *, as_json: bool) -> None:
    verdict = Verdict(found["verdict"])
    if as_json:
        say(json.dumps(found, indent=1))
    else:
        for line in short(found):
            say(line)
        for remark in found["remarks"]:
            say(f"Note: {remark}")
        for place in found["evidence"]:
            say(f"Evidence: {place}")
        say(VERDICTS[verdict])
    click.get_current_context().exit(_ENDS[verdict])


class _Bars:
    """Progress on the terminal, one bar for each stretch of work."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def begin(self, what: str, total: int | None) -> Callable[[int], None]:
        """A new bar; returns what moves it on."""
        task: TaskID = self._bar.add_task(what, total=total)
        return lambda count: self._bar.advance(task, count)


@contextmanager
def _bars() -> Iterator[_Bars]:
    with progress("{task.description}") as bar:
        yield _Bars(bar)
