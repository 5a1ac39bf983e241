"""The part of `postern screen` that compares parties with a token filter."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from postern.client import Client, QueryResult
from postern.client_screening import READY, Screenings
from postern.commands.evaluating import RequestSigner, tell_cheat
from postern.commands.options import needed_case
from postern.commands.terminal import connected, counted, notice, require_scopes, say
from postern.duckdb_engine import Engine
from postern.filter_file import load_filter
from postern.key_ring import load_pins
from postern.manifest import Prepared, Progress
from postern.patterns.model import Filter, Rule
from postern.pseudonymise import Pseudonym
from postern.report_form import query
from postern.settings import ClientSettings, token_cache_of
from postern.token_cache import TokenCache
from postern.token_evaluation import BulkTokens, Spent
from postern.token_filter import FilterHeader, require_for
from postern.token_filter_errors import FilterCalledBackError
from postern.token_screening import EVERY_FACET, FIRST, Confirmed, TokenScreening, screen_tokens
from postern.vocabulary import Band, Scope

LISTED = "listed.json"
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Run:
    """What is screened, with what, and where."""

    prepared: Prepared
    rules: Sequence[Rule]
    filters: Sequence[Filter]
    engine: Engine
    work: Path
    progress: Progress


def token_options(command: Decorated) -> Decorated:
    """--tokens and what belongs to it."""
    for option in (
        click.option(
            "--workers",
            type=click.IntRange(1, 256),
            default=max(1, (os.cpu_count() or 1) - 1),
            show_default="all cores but one",
            metavar="NUMBER",
            help="Processes that blind and check.",
        ),
        click.option(
            "--every-facet",
            is_flag=True,
            help="Evaluate all facets of a party at once, not the telling ones first.",
        ),
        click.option(
            "--confirm/--no-confirm",
            default=True,
            show_default=True,
            help="Look up what is on the list; without it the list alone decides.",
        ),
        click.option(
            "--case",
            metavar="REFERENCE",
            help="Reference of the case file, for the audit log; no name belongs in it.",
        ),
        click.option(
            "--tokens",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            metavar="FILTER",
            help="A token filter that `postern filter fetch` loaded.",
        ),
    ):
        command = option(command)
    return command


def require_tokens(options: Mapping[str, Any]) -> None:
    """Return when --tokens is given, or nothing that needs it. Raises click.UsageError."""
    if options["tokens"] is None and (
        options["case"] or options["every_facet"] or not options["confirm"]
    ):
        raise click.UsageError("--case, --every-facet and --no-confirm belong to --tokens.")


def screen_against(
    settings: ClientSettings, path: Path, options: Mapping[str, Any], run: Run
) -> TokenScreening:
    """The manifest of a run with its tokens told, under the allowance agreed for screening."""
    token_filter = load_filter(path, load_pins(settings.pin_file).fingerprint, datetime.now(UTC))
    header = token_filter.header
    case = needed_case(options["case"], settings.defaults)
    scopes = (Scope.SCREENING_RUN, *((Scope.LOOKUPS_WRITE,) if options["confirm"] else ()))
    cache_file, key_file = token_cache_of(settings)
    today = datetime.now(UTC).date()
    with connected(settings) as (client, ring):
        me = client.me()
        require_scopes(me, *scopes)
        require_for(header, ring.refresh().platform, me.organisation.code)
        screenings = Screenings(client.transport)
        state = screenings.filter(str(header.issue)).state
        if state != READY:
            raise FilterCalledBackError(state)
        with (
            TokenCache(cache_file, key_file, header.epochs, today) as cache,
            BulkTokens(
                screenings,
                ring,
                cache,
                purpose=header.purpose,
                case=case,
                workers=options["workers"],
                signer=RequestSigner(settings.keys),
                on_cheat=tell_cheat,
            ) as tokens,
        ):
            found = screen_tokens(
                run.prepared,
                run.rules,
                run.filters,
                run.engine,
                token_filter=token_filter,
                source=tokens,
                work=run.work,
                confirm=_confirming(client, header, case) if options["confirm"] else None,
                progress=run.progress,
                first=EVERY_FACET if options["every_facet"] else FIRST,
            )
            _tell_spent(tokens.spent)
    return found


def listed_as_json(found: TokenScreening) -> str:
    """Where listed parties stand in the manifest, and what the lookups told; no person is named."""
    listed = [
        {
            "places": [{"line": line, "party": party} for line, party in each.lines],
            "token": each.word,
            "lookups": [
                {"lookup": one.lookup, "band": one.band, "hits": list(one.hits)}
                for one in each.confirmations
            ],
        }
        for each in found.listed
    ]
    return json.dumps({"confirmed": found.account.confirms, "listed": listed}, indent=1) + "\n"


def tell_tokens(found: TokenScreening, out: Path) -> None:
    """What became of the parties."""
    account = found.account
    say(
        f"Tokens: {counted(account.parcels, 'parcel')} that a pattern asks about, "
        f"{counted(account.parties, 'different party', 'different parties')}, "
        f"{account.suspected:,} like something on the list, {account.listed:,} "
        f"{'confirmed by lookups' if account.confirms else 'not confirmed'}: {out / LISTED}"
    )
    if account.unreadable:
        notice(f"{counted(account.unreadable, 'value')} of parties could not be compared.")


def _tell_spent(spent: Spent) -> None:
    notice(
        f"{counted(spent.evaluated, 'evaluation')} in {counted(spent.requests, 'request')}, "
        f"{spent.cached:,} known before; {spent.bytes_sent:,} bytes sent, "
        f"{spent.bytes_received:,} received."
    )


def _confirming(
    client: Client, header: FilterHeader, case: str
) -> Callable[[Sequence[Pseudonym]], list[Confirmed]]:
    """Looks pseudonyms up for the purpose for which the filter was made."""

    def confirm(pseudonyms: Sequence[Pseudonym]) -> list[Confirmed]:
        answer = client.look_up(
            [query(str(place), each) for place, each in enumerate(pseudonyms)],
            purpose=header.purpose,
            legal_basis=header.legal_basis,
            case=case,
        )
        by_id = {each.query: each for each in answer.results}
        return [
            _confirmed(by_id.get(str(place)), answer.lookup) for place in range(len(pseudonyms))
        ]

    return confirm


def _confirmed(result: QueryResult | None, lookup: str) -> Confirmed:
    hits = result.hits if result else ()
    bands = {hit.band for hit in hits}
    best = next((band for band in (Band.STRONG, Band.LIKELY) if band.value in bands), None)
    return Confirmed(best, lookup, tuple(hit.raw for hit in hits))
