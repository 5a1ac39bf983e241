"""`postern outcomes`: what became of reports, told and read."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from rich.table import Table

from postern.client_follow_up import FollowUps, Outcome
from postern.commands.indicator_words import plain
from postern.commands.options import WordType, needed_case
from postern.commands.outcome_import import import_
from postern.commands.terminal import (
    Chosen,
    counted,
    require_scopes,
    results,
    say,
    session,
    written_moment,
)
from postern.vocabulary import OutcomeResult, Scope, Step, Substance, Unit

_STEPS = ("asked", "located", "held", "examined")


class QuantityType(click.ParamType[str]):
    """A quantity above zero with up to three decimals, as text: no rounding on its way."""

    name = "quantity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            found = Decimal(str(value).strip())
        except InvalidOperation:
            self.fail("it is not a number: write it like 120 or 0.5", param, ctx)
        exponent = found.as_tuple().exponent
        if not found.is_finite() or found <= 0 or (isinstance(exponent, int) and exponent < -3):  # noqa: PLR2004 - three decimals, as the platform keeps them
            self.fail("it is not above zero with at most three decimals", param, ctx)
        return f"{found:f}"


@click.group(invoke_without_command=True)
@click.option(
    "--told", is_flag=True, help="What your organisation told, instead of what it learned."
)
@click.option("--indicator", metavar="ID", help="Only of this indicator of yours.")
@click.option(
    "--most",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    help="About so many, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def outcomes(
    context: click.Context, /, told: bool, indicator: str | None, most: int, as_json: bool
) -> None:
    """List what others told of your reports: located, held, examined, found or not."""
    if context.invoked_subcommand is not None:
        return
    if told and indicator:
        raise click.UsageError("--indicator is for what you learned. Leave out --told.")
    chosen: Chosen = context.obj
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.OUTCOMES_WRITE)
        follow_ups = FollowUps(client.transport)
        found = follow_ups.outcomes_told(most) if told else follow_ups.outcomes(most, indicator)
    if as_json:
        say(json.dumps([dict(each.raw) for each in found], indent=1))
        return
    if found:
        results().print(_table(found))
    say(f"{counted(len(found), 'outcome')}.")


@outcomes.command("tell")
@click.argument("indicator")
@click.option("--asked", type=WordType(Step), help="Whether anybody was asked to act.")
@click.option("--located", type=WordType(Step), help="Whether the item was located.")
@click.option("--held", type=WordType(Step), help="Whether it was held.")
@click.option("--examined", type=WordType(Step), help="Whether it was examined.")
@click.option("--result", type=WordType(OutcomeResult), required=True, help="What came of it.")
@click.option("--substance", type=WordType(Substance), help="What was found.")
@click.option("--quantity", type=QuantityType(), metavar="NUMBER", help="How much of it.")
@click.option("--unit", type=WordType(Unit), help="Of the quantity.")
@click.option("--request", metavar="ID", help="The disclosure request that led to it.")
@click.option("--case", metavar="REFERENCE", help="Reference of the case file, for the audit log.")
@click.pass_obj
def tell(chosen: Chosen, /, indicator: str, **options: Any) -> None:
    """Tell the owner of INDICATOR what became of it. A later telling takes this one's place.

    Tell it too when nothing was found: without that, nobody knows how often a report is right.
    """
    settings = chosen.settings()
    if (options["quantity"] is None) != (options["unit"] is None):
        raise click.UsageError("--quantity and --unit go together. Give both or neither.")
    told = {
        "indicator": indicator,
        "case": needed_case(options["case"], settings.defaults),
        "result": options["result"].value,
        **{step: (options[step] or Step.UNKNOWN).value for step in _STEPS},
        **{
            name: str(options[name])
            for name in ("request", "substance", "quantity", "unit")
            if options[name] is not None
        },
    }
    with session(settings) as client:
        require_scopes(client.me(), Scope.OUTCOMES_WRITE)
        FollowUps(client.transport).tell_outcome(told)
    say("Told to the owner.")


outcomes.add_command(import_)


def _table(found: list[Outcome]) -> Table:
    table = Table(
        "When",
        "Organisation",
        "Indicator",
        *(step.capitalize() for step in _STEPS),
        "Result",
        "Found",
    )
    for each in found:
        table.add_row(
            written_moment(each.made_at),
            plain(_organisation(each)),
            plain(each.indicator),
            *(plain(str(each.raw.get(step) or "")) for step in _STEPS),
            plain(each.result + (" (told otherwise since)" if each.raw.get("replaced_at") else "")),
            plain(_substance(each)),
        )
    return table


def _organisation(outcome: Outcome) -> str:
    known = outcome.raw.get("organisation")
    return str(known.get("code", "")) if isinstance(known, dict) else ""


def _substance(outcome: Outcome) -> str:
    told = (outcome.raw.get(name) for name in ("substance", "quantity", "unit"))
    return " ".join(str(each) for each in told if each is not None)
