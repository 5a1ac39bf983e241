"""`postern witness`: check that the platform's log only grows, and cosign it."""

import json
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from postern.client_errors import ClientError
from postern.commands.options import Decorated
from postern.commands.terminal import Chosen, listing, notice, say, written_moment
from postern.settings import read_token
from postern.tlog.notes import NoteError, VerifierKey
from postern.transport import Transport
from postern.witness.errors import LogContradictsItselfError, LogUnknownError, WitnessStateError
from postern.witness.platform import LogKeys, LogPlatform
from postern.witness.rounds import Answer, Round, pull
from postern.witness.rules import ACCEPTED, Watched
from postern.witness.serving import PATH, WitnessServer
from postern.witness.state import Store

CONTRADICTED = 3
"""Exit code: the log's key signed what cannot be true beside what was cosigned."""

_EVERY = 60  # seconds
_ALARM_SECONDS = 60.0  # that the alarm command may take
_PORT = 7380
_LARGEST_PORT = 65_535


def _directory_option(command: Decorated) -> Decorated:
    return click.option(
        "--directory",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Of the witness's key and state; else beside the settings file.",
    )(command)


def _alarm_option(command: Decorated) -> Decorated:
    return click.option(
        "--alarm-command",
        metavar="COMMAND",
        help="Run this with the file of the evidence as its last argument, once for each.",
    )(command)


@click.group()
def witness() -> None:
    """Watch the platform's log: check that it only grows, and cosign it.

    What a witness has cosigned can never be changed or taken away without its noticing. Run it on
    your own premises, on a machine whose clock is set by NTP.
    """


@witness.command()
@click.option("--name", required=True, help="Of the witness, such as police.example/witness.")
@click.option(
    "--log-key",
    "pinned",
    multiple=True,
    metavar="VKEY",
    help="The log's key as you got it by another channel; else you are asked.",
)
@click.option("--register", "register", is_flag=True, help="Register it at the platform as well.")
@_directory_option
@click.pass_obj
def init(
    chosen: Chosen, *, name: str, pinned: tuple[str, ...], register: bool, directory: Path | None
) -> None:
    """Make the witness's key and pin the key of the platform's log.

    Compare the log's key with the one that the platform's administrator, or another member, tells
    you by another channel. Your compliance officer registers the witness's public key.
    """
    store = _store(chosen, directory)
    with _platform(chosen) as platform:
        told = platform.keys()
        keys = _read_keys(pinned) if pinned else told.keys
        _demand_same(told, keys)
        if not pinned:
            notice(f"The log {told.origin} signs its checkpoints with\n")
            for key in keys:
                notice(f"    {key}")
            notice("")
            click.confirm("Is it the key that you were told by another channel?", abort=True)
        key = store.create(name).verifier
        store.watch(told.origin, keys)
        say(f"Watches {told.origin}. The public key of this witness is\n\n    {key}\n")
        if register:
            platform.register(key)
            say("It is registered. Begin with: postern witness run")
        else:
            say("Give it to your compliance officer to register, then: postern witness run")


@witness.command()
@click.argument("vkey")
@_directory_option
@click.pass_obj
def trust(chosen: Chosen, *, vkey: str, directory: Path | None) -> None:
    """Pin one more key of the log, after its operator replaced it and told you so."""
    store = _store(chosen, directory)
    (key,) = _read_keys([vkey])
    watched = store.watched(key.name)
    if watched is None:
        raise LogUnknownError(f"The log {key.name} is not watched here. Check the key.")
    if key not in watched.keys:
        store.watch(key.name, (*watched.keys, key))
    say(f"{key.name} may sign with {len({*watched.keys, key})} keys.")


@witness.command()
@_alarm_option
@_directory_option
@click.pass_context
def cosign(context: click.Context, *, alarm_command: str | None, directory: Path | None) -> None:
    """Check and cosign once: for a timer of your own.

    Ends with 3 when the log contradicts what was cosigned.
    """
    chosen: Chosen = context.obj
    store = _store(chosen, directory)
    watched = _only_watched(store)
    with _platform(chosen) as platform:
        try:
            _tell_round(pull(store, watched.origin, platform))
        except LogContradictsItselfError as alarm:
            _raise_alarm(store, alarm, alarm_command, platform)
            context.exit(CONTRADICTED)


@witness.command()
@click.option(
    "--every",
    type=click.IntRange(1, 3600),
    default=_EVERY,
    show_default=True,
    metavar="SECONDS",
    help="Between two rounds.",
)
@_alarm_option
@_directory_option
@click.pass_context
def run(
    context: click.Context, *, every: int, alarm_command: str | None, directory: Path | None
) -> None:
    """Check and cosign every minute, until it is told to end.

    A platform that cannot be reached is tried again. Ends with 3, at once, when the log contradicts
    what was cosigned.
    """
    chosen: Chosen = context.obj
    store = _store(chosen, directory)
    watched = _only_watched(store)
    ended = _told_to_end()
    notice(f"Watches {watched.origin} every {every} seconds.")
    with _platform(chosen) as platform:
        while not ended.is_set():
            try:
                _tell_round(pull(store, watched.origin, platform))
            except LogContradictsItselfError as alarm:
                _raise_alarm(store, alarm, alarm_command, platform)
                context.exit(CONTRADICTED)
            except WitnessStateError:
                raise  # nothing can be cosigned any more: whoever watches the process must know
            except ClientError as error:
                notice(f"{_now()} {error}")
            ended.wait(every)


@witness.command()
@click.option(
    "--listen",
    default=f"127.0.0.1:{_PORT}",
    show_default=True,
    metavar="HOST:PORT",
    help="Put a proxy with TLS in front of it when others are to reach it.",
)
@_alarm_option
@_directory_option
@click.pass_obj
def serve(
    chosen: Chosen, *, listen: str, alarm_command: str | None, directory: Path | None
) -> None:
    """Answer a log that asks for cosignatures by itself (C2SP tlog-witness).

    For a platform that pushes, and for other logs whose keys are pinned. It needs no token.
    """
    store = _store(chosen, directory)
    store.key()
    host, port = _address(listen)
    ended = _told_to_end()
    told = partial(_tell_answer, store, alarm_command)
    with WitnessServer((host, port), store, told) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        bound = server.server_address[1]
        notice(f"Answers at http://{host}:{bound}{PATH}")
        ended.wait()
        server.shutdown()
        thread.join()


@witness.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_directory_option
@click.pass_context
def status(context: click.Context, *, as_json: bool, directory: Path | None) -> None:
    """Show the witness's key, what it has cosigned, and the evidence that it keeps.

    Ends with 3 while there is evidence. No network is used.
    """
    chosen: Chosen = context.obj
    store = _store(chosen, directory)
    key, watched, evidence = store.key().verifier, store.all_watched(), store.evidence()
    if as_json:
        said = {
            "key": str(key),
            "logs": [
                {
                    "origin": each.origin,
                    "keys": [str(one) for one in each.keys],
                    "size": each.size,
                    "cosigned_at": each.held.at if each.held else None,
                }
                for each in watched
            ],
            "evidence": [
                {"file": str(each.path), "wrong": each.wrong.value, "found_at": each.found_at}
                for each in evidence
            ],
        }
        say(json.dumps(said, indent=1))
    else:
        for line in listing(_standing(key, watched, store.directory)):
            say(line)
        for each in evidence:
            say(f"ALARM     {written_moment(_moment(each.found_at))}  {each.reason}  {each.path}")
    if evidence:
        context.exit(CONTRADICTED)


def _standing(key: VerifierKey, watched: Sequence[Watched], directory: Path) -> dict[str, str]:
    told = {"witness": str(key), "directory": str(directory)}
    for each in watched:
        if each.held is None:
            told[each.origin] = "nothing cosigned yet"
        else:
            when = (
                f"last on {written_moment(_moment(each.held.at))}" if each.held.at else "not sent"
            )
            told[each.origin] = f"{each.size:,} entries cosigned, {when}"
    return told


def _demand_same(told: LogKeys, keys: Sequence[VerifierKey]) -> None:
    """What is pinned must be what the platform's log signs with, as far as it says so."""
    if not keys:
        raise LogUnknownError(
            "The platform's log has not been signed by any key yet. Wait until its administrator "
            "keeps the log, or pin its key with --log-key."
        )
    if any(key.name != told.origin for key in keys) or (told.keys and not {*keys} & {*told.keys}):
        raise LogUnknownError(
            f"The platform's log {told.origin} signs with another key than the one that you pin. "
            "Check the address of the platform and the key, with its operator on the telephone."
        )


def _store(chosen: Chosen, directory: Path | None) -> Store:
    return Store(directory or chosen.path.with_suffix(".witness"))


@contextmanager
def _platform(chosen: Chosen) -> Iterator[LogPlatform]:
    settings = chosen.settings()
    token = read_token(settings.token_file)
    platform = LogPlatform(
        Transport(
            settings.address,
            token=token,
            ca_file=settings.ca_file,
            certificate=settings.certificate,
        )
    )
    try:
        yield platform
    finally:
        platform.close()


def _only_watched(store: Store) -> Watched:
    store.key()
    watched = store.all_watched()
    if len(watched) != 1:
        raise LogUnknownError(
            f"{len(watched)} logs are watched in {store.directory}, and a platform has one. Begin "
            "with `postern witness init`, in a directory of its own."
        )
    return watched[0]


def _read_keys(texts: Sequence[str]) -> tuple[VerifierKey, ...]:
    try:
        return tuple(VerifierKey.parse(text.strip()) for text in texts)
    except NoteError as error:
        raise click.UsageError(f"This is no key of a log: {error.reason}.") from None


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > _LARGEST_PORT:
        raise click.UsageError("--listen is not HOST:PORT, such as 127.0.0.1:7380.")
    return host.strip("[]"), int(port)


def _told_to_end() -> threading.Event:
    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    return ended


def _tell_round(made: Round) -> None:
    if made.cosigned:
        say(f"{_now()} cosigned {made.checkpoint.size} entries")
    else:
        notice(f"{_now()} nothing new: {made.checkpoint.size} entries")


def _tell_answer(store: Store, alarm_command: str | None, made: Answer) -> None:
    if made.alarm:
        _raise_alarm(store, made.alarm, alarm_command, None)
    elif made.verdict.status == ACCEPTED and made.verdict.checkpoint:
        say(f"{_now()} cosigned {made.verdict.checkpoint.size} entries")
    else:
        notice(f"{_now()} refused with {made.verdict.status}: {made.verdict.reason}")


def _raise_alarm(
    store: Store,
    alarm: LogContradictsItselfError,
    command: str | None,
    platform: LogPlatform | None,
) -> None:
    """Say it loudly; the first time also to the alarm command and to the platform."""
    notice(click.style(f"{_now()} {alarm}", fg="red", bold=True))
    if not alarm.is_new:
        return
    if command:
        _attempt("The alarm command", lambda: _run(command, alarm))
    if platform:
        _attempt("Reporting to the platform", lambda: _report(store, alarm, platform))


def _run(command: str, alarm: LogContradictsItselfError) -> None:
    subprocess.run(  # noqa: S603 - the command is the administrator's own, and no shell reads it
        [*shlex.split(command), str(alarm.evidence)],
        input=str(alarm),
        text=True,
        timeout=_ALARM_SECONDS,
        check=True,
    )


def _report(store: Store, alarm: LogContradictsItselfError, platform: LogPlatform) -> None:
    (kept,) = [each for each in store.evidence() if each.path == alarm.evidence]
    raised = platform.accuse([kept.held.encode(), kept.shown.encode()])
    notice(f"{_now()} The platform raised the alarm {raised}; every organisation is notified.")


def _attempt(what: str, do: Callable[[], None]) -> None:
    """An alarm must not end because one way of telling it failed."""
    try:
        do()
    except (ClientError, OSError, ValueError, subprocess.SubprocessError) as error:
        notice(f"{_now()} {what} failed: {error}")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
