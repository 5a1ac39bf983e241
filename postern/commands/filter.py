"""`postern filter`: what your organisation may screen its parcels against, as a signed list."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from postern.client_screening import Screenings
from postern.commands.options import why, why_of
from postern.commands.terminal import (
    Chosen,
    connected,
    counted,
    listing,
    notice,
    require_scopes,
    say,
    session,
    written_moment,
)
from postern.facet_kinds import FACET_WORDS, FACETS
from postern.filter_fetching import Expected, fetch_filter
from postern.filter_file import load_filter
from postern.key_ring import load_pins
from postern.settings import filter_of
from postern.token_tags import TAG_SIZE, records
from postern.vocabulary import Scope

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(name="filter")
def filter_() -> None:
    """Fetch and look at token filters.

    A token filter lists, as keyed fingerprints, what the policies of others let your organisation
    screen parcels against. It ends after seven days.
    """


@filter_.command()
@why
@click.option(
    "--out", type=_FILE, metavar="FILE", help="Where it goes; else beside the settings file."
)
@click.option("--issue", metavar="ID", help="One that was made before, instead of a new one.")
@click.pass_obj
def fetch(chosen: Chosen, /, out: Path | None, issue: str | None, **options: Any) -> None:
    """Have a filter made for a purpose and a case, and load it.

    When FILE has an older one, only what changed is loaded. The platform logs the filter, and each
    owner learns which of its records are in it. What is called back since is gone from the next
    one: fetch daily.
    """
    settings = chosen.settings()
    path = out or filter_of(settings)
    why_asked = None if issue else why_of(options, settings.defaults)
    with connected(settings) as (client, ring):
        me = client.me()
        require_scopes(me, Scope.SCREENING_RUN)
        document = ring.refresh()
        screenings = Screenings(client.transport)
        made = (
            screenings.make_filter(why_asked.purpose, why_asked.legal_basis, why_asked.case)
            if why_asked
            else screenings.filter(issue or "")
        )
        fingerprint = load_pins(settings.pin_file).fingerprint
        expected = Expected(fingerprint, document.platform, me.organisation.code, datetime.now(UTC))
        found = fetch_filter(screenings, made, path, expected)
    whole = "the whole of it" if found.is_whole else "what changed"
    say(f"{counted(found.header.count, 'entry', 'entries')} in {path}, good until")
    say(f"{written_moment(found.header.expires_at)}. Loaded {found.loaded:,} bytes, {whole}.")
    if not found.header.count:
        notice(
            "Nothing may be screened against for this purpose: no owner's policy permits it, or "
            "what they reported may only be known (permitted action `know`). Ask them."
        )


@filter_.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def show(chosen: Chosen, /, file: Path | None, as_json: bool) -> None:
    """Check the filter in FILE, and show what it is and of which facets it has how many entries.

    Needs no network: the signature is checked against the pinned key.
    """
    settings = chosen.settings()
    path = file or filter_of(settings)
    now = datetime.now(UTC)
    found = load_filter(path, load_pins(settings.pin_file).fingerprint, now)
    header = found.header
    numbers = Counter(record[TAG_SIZE] for record in records(found.content))
    facets = {FACETS.get(number, str(number)): count for number, count in numbers.most_common()}
    if as_json:
        told = {
            "issue": str(header.issue),
            "number": header.seq,
            "platform": header.platform,
            "organisation": header.organisation,
            "purpose": header.purpose.value,
            "legal_basis": header.legal_basis.value,
            "epochs": {kind.value: epoch for kind, epoch in header.epochs.items()},
            "count": header.count,
            "facets": facets,
            "created_at": header.created_at.isoformat(),
            "expires_at": header.expires_at.isoformat(),
        }
        say(json.dumps(told, indent=1))
        return
    hours = int((header.expires_at - now).total_seconds() // 3600)
    pairs = {
        "Filter": f"{header.issue}, number {header.seq}",
        "For": f"{header.organisation}, of {header.platform}",
        "Purpose": f"{header.purpose.value}, {header.legal_basis.value}",
        "Made": written_moment(header.created_at),
        "Good until": f"{written_moment(header.expires_at)}, {counted(hours, 'hour')} more",
        "Entries": f"{header.count:,}",
    }
    for line in listing(pairs):
        say(line)
    for kind, count in facets.items():
        say(f"{count:>9,}  {FACET_WORDS.get(kind, kind)}")
    say("The signature and the content are those of the platform.")


@filter_.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def allowance(chosen: Chosen, /, as_json: bool) -> None:
    """Show how many evaluations a day were agreed with your organisation for screening."""
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.SCREENING_RUN)
        found = Screenings(client.transport).allowances()
    if as_json:
        told = [{**asdict(each), "ends_on": each.ends_on.isoformat()} for each in found]
        say(json.dumps(told, indent=1))
        return
    for each in found:
        say(
            f"{each.kind:<8} {each.elements_per_day:>12,} a day until {each.ends_on}, "
            f"{each.left:,} left today"
        )
    if not found:
        say("Nothing was agreed. Ask the platform's administrator.")
