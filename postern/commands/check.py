"""`postern check`: is everything in place, and if not, what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import click

from postern.client import Client, SignedKeys
from postern.client_errors import ClientError
from postern.commands.terminal import Chosen, ExitCode, connected, say, written_moment
from postern.key_errors import KeyDocumentError
from postern.key_ring import KeyRing

LARGEST_SKEW = timedelta(seconds=120)
_SOON = timedelta(days=14)


class Verdict(StrEnum):
    """How a part of the check came out."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the check, in words."""

    part: str
    verdict: Verdict
    words: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Check the connection: platform, clock, token and pinned keys.

    Ends with 1 when something must be mended, with 0 otherwise; warnings do not count.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    with connected(settings) as (client, ring):
        found = list(findings(client, ring))
    if as_json:
        say(json.dumps([asdict(each) for each in found], indent=1))
    else:
        for each in found:
            say(f"{_MARKS[each.verdict]} {each.part:9} {each.words}")
    if any(each.verdict is Verdict.BAD for each in found):
        context.exit(ExitCode.FAILED)


def findings(client: Client, ring: KeyRing) -> Iterator[Finding]:
    """What was found about platform, clock, keys and token, in this order."""
    try:
        signed = client.keys()
    except ClientError as error:
        yield Finding("platform", Verdict.BAD, str(error))
        return
    yield Finding("platform", Verdict.GOOD, "it answers")
    yield _clock(signed)
    yield _keys(ring)
    yield from _token(client)


def _clock(signed: SignedKeys) -> Finding:
    if signed.date is None:
        return Finding("clock", Verdict.WARNING, "the platform does not say what time it is")
    skew = datetime.now(UTC) - signed.date
    if abs(skew) <= LARGEST_SKEW:
        return Finding("clock", Verdict.GOOD, f"within {LARGEST_SKEW.seconds} seconds")
    side = "ahead of" if skew > timedelta(0) else "behind"
    return Finding(
        "clock",
        Verdict.WARNING,
        f"this machine is {_span(abs(skew))} {side} the platform; set its clock by NTP, or keys "
        "will seem expired or not yet valid",
    )


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


def _keys(ring: KeyRing) -> Finding:
    try:
        document = ring.refresh()
    except (ClientError, KeyDocumentError) as error:
        return Finding("keys", Verdict.BAD, str(error))
    return Finding(
        "keys",
        Verdict.GOOD,
        f"pinned; {len(document.epochs)} key epochs of {document.platform}",
    )


def _token(client: Client) -> Iterator[Finding]:
    try:
        me = client.me()
    except ClientError as error:
        yield Finding("token", Verdict.BAD, str(error))
        return
    scopes = "every scope" if me.scopes is None else ", ".join(me.scopes) or "no scope"
    yield Finding(
        "token",
        Verdict.GOOD,
        f"of {me.organisation.name} ({me.organisation.code}), {', '.join(me.roles) or 'no role'}; "
        f"{scopes}",
    )
    if me.expires_at is None:
        return
    soon = me.expires_at - datetime.now(UTC) < _SOON
    remedy = "; ask your administrator for a new one" if soon else ""
    yield Finding(
        "token",
        Verdict.WARNING if soon else Verdict.GOOD,
        f"valid until {written_moment(me.expires_at)}{remedy}",
    )


_MARKS = {Verdict.GOOD: "ok  ", Verdict.WARNING: "WARN", Verdict.BAD: "FAIL"}
