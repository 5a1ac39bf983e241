"""`postern watch` and `postern watches`: be told when somebody submits a value later."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.table import Table

from postern.client_follow_up import FollowUps, Watch, WatchTerms
from postern.commands.evaluating import pseudonymiser
from postern.commands.indicator_words import conditions, plain
from postern.commands.options import WordType, why, why_of
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    require_scopes,
    results,
    say,
    session,
    written_moment,
)
from postern.commands.values import asked_values, tell_faults, value_options
from postern.report_form import query
from postern.vocabulary import Scope, Tlp, Told


class DayType(click.ParamType[date]):
    """A day to come, as 2027-01-31."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            found = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail("it is not a day: write it as 2027-01-31", param, ctx)
        if found <= datetime.now(UTC).date():
            self.fail("the day is not to come", param, ctx)
        return found


@click.command()
@why
@value_options
@click.option("--until", type=DayType(), required=True, metavar="DATE", help="Its last day.")
@click.option(
    "--tell",
    "tells",
    type=WordType(Told),
    default=Told.BOTH.value,
    show_default=True,
    help="Who is told of a match, as far as the owner's policy lets them.",
)
@click.option("--tlp", type=WordType(Tlp), help="Of the watch itself; the default is AMBER.")
@click.option(
    "--deconflict",
    is_flag=True,
    help="Learn when another organisation watches for the same, and let it learn of you, if both "
    "policies allow it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the ids as JSON.")
@click.pass_context
def watch(context: click.Context, /, **options: Any) -> None:
    """Watch for values that nobody may hold yet, until a day, for a purpose and a case.

    A watch tells only of what is submitted after it was set: look the value up too. Each value is a
    watch of its own; the platform gets pseudonyms.

    Ends with 3 when some values could not be used.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    asked, faults = asked_values(options, settings.defaults)
    why_asked = why_of(options, settings.defaults)
    tell_faults(faults)
    terms = WatchTerms(
        purpose=why_asked.purpose,
        legal_basis=why_asked.legal_basis,
        case=why_asked.case,
        tells=options["tells"],
        deconflicts=options["deconflict"],
        tlp=options["tlp"] or settings.defaults.tlp or Tlp.AMBER,
        expires_on=options["until"],
    )
    made: list[dict[str, str]] = []
    if asked:
        with connected(settings) as (client, ring):
            require_scopes(client.me(), Scope.EVALUATE, Scope.WATCHES_WRITE)
            ring.refresh()
            follow_ups = FollowUps(client.transport)
            with pseudonymiser(
                client, ring, settings.keys, purpose=terms.purpose, case=terms.case
            ) as evaluating:
                pseudonyms = evaluating.pseudonymise([each.value for each in asked])
            for each, pseudonym in zip(asked, pseudonyms, strict=True):
                identifier = follow_ups.watch(query(each.label, pseudonym), terms)
                made.append({"value": each.label, "watch": identifier})
                if not options["as_json"]:
                    say(f"{each.label}: watch {plain(identifier)}, until {terms.expires_on}.")
    if options["as_json"]:
        say(json.dumps({"watches": made}, indent=1))
    if faults:
        context.exit(ExitCode.SOME_REJECTED)


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def watches(context: click.Context, /, as_json: bool) -> None:
    """List your organisation's watches."""
    if context.invoked_subcommand is not None:
        return
    chosen: Chosen = context.obj
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.WATCHES_WRITE)
        follow_ups = FollowUps(client.transport)
        found, others = follow_ups.watches(), follow_ups.deconflictions()
    if as_json:
        told = [each.raw for each in others]
        watching = [dict(each.raw) for each in found]
        say(json.dumps({"watches": watching, "deconflictions": told}, indent=1))
        return
    if found:
        results().print(_table(found))
    for each in others:
        name = f"{each.organisation.name} ({each.organisation.code})"
        say(plain(f"{name} watches for the same as {each.watch}. {_desk(each.contact)}"))
    live = sum(1 for each in found if each.end is None)
    say(f"{counted(live, 'watch', 'watches')} waiting.")


@watches.command("show")
@click.argument("watch_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def show(chosen: Chosen, /, watch_id: str, as_json: bool) -> None:
    """Show a watch with the matches that their owners' policies let you see now."""
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.WATCHES_WRITE)
        found = FollowUps(client.transport).one_watch(watch_id)
    if as_json:
        say(json.dumps(dict(found.raw), indent=1))
        return
    results().print(_table([found.watch]))
    if found.matches:
        table = Table("Organisation", "Level", "Strength", "Matched", "Conditions", "Indicator")
        for each in found.matches:
            table.add_row(
                plain(f"{each.organisation.name} ({each.organisation.code})"),
                plain(each.level),
                plain(each.band),
                written_moment(each.matched_at),
                conditions(each.indicator),
                plain(str((each.indicator or {}).get("id", ""))),
            )
        results().print(table)
    more = ", and more than are shown" if found.more else ""
    say(f"{counted(len(found.matches), 'match', 'matches')}{more}.")
    if found.matches:
        say("A match is a lead, not a finding: check it before anyone acts on it.")


@watches.command("stop")
@click.argument("watch_id", metavar="ID")
@click.pass_obj
def stop(chosen: Chosen, /, watch_id: str) -> None:
    """End a watch; what it waits for is erased from the platform at once."""
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.WATCHES_WRITE)
        FollowUps(client.transport).stop_watch(watch_id)
    say("The watch is stopped.")


def _table(found: Sequence[Watch]) -> Table:
    table = Table("Watch", "Kind", "Until", "State")
    for each in found:
        state = plain(each.end) if each.end else "waiting"
        if each.end is None and not each.is_current:
            state = "waits in vain: its key epoch is over, set it anew"
        news = ", has news" if each.has_news else ""
        table.add_row(plain(each.id), plain(each.kind), f"{each.expires_on}", f"{state}{news}")
    return table


def _desk(contact: Mapping[str, Any] | None) -> str:
    names = ("desk", "phone", "mail", "hours")
    told = [str(contact[name]) for name in names if contact.get(name)] if contact else []
    return f"Talk to: {', '.join(told)}." if told else "It has entered no desk to talk to."
