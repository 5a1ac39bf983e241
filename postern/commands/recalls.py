"""`postern recalls`: what others call back or correct of what your organisation got."""

import json
from datetime import UTC, datetime

import click
from rich.table import Table

from postern.client_follow_up import FollowUps, Recall
from postern.commands.indicator_words import plain
from postern.commands.options import WordType
from postern.commands.terminal import (
    Chosen,
    counted,
    require_scopes,
    results,
    say,
    session,
    written_moment,
)
from postern.vocabulary import AcknowledgementState, Rectification, Scope

_DONE = AcknowledgementState.COMPLETED.value


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Those that are done too.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def recalls(context: click.Context, /, every: bool, as_json: bool) -> None:
    """List the recalls that your organisation is still to answer, the most urgent first."""
    if context.invoked_subcommand is not None:
        return
    chosen: Chosen = context.obj
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.RECALLS_WRITE)
        found = FollowUps(client.transport).recalls()
    to_do = sorted((each for each in found if each.state != _DONE), key=lambda each: each.due_at)
    shown = [*to_do, *(each for each in found if every and each.state == _DONE)]
    if as_json:
        say(json.dumps([dict(each.raw) for each in shown], indent=1))
        return
    if shown:
        results().print(_table(shown))
    say(f"{counted(len(to_do), 'recall')} to do.")


@recalls.command("acknowledge")
@click.argument("recall")
@click.pass_obj
def acknowledge(chosen: Chosen, /, recall: str) -> None:
    """Tell the owner that RECALL is read and being worked on."""
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.RECALLS_WRITE)
        FollowUps(client.transport).answer_recall(recall, AcknowledgementState.ACKNOWLEDGED)
    say("Acknowledged. Complete it with `postern recalls done` before its deadline.")


@recalls.command("done")
@click.argument("recall")
@click.option(
    "--as",
    "done",
    type=WordType(Rectification),
    required=True,
    help="What was done with what you got, in all your systems.",
)
@click.pass_obj
def done(chosen: Chosen, /, recall: str, done: Rectification) -> None:
    """Tell the owner what you did with what RECALL calls back or corrects."""
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.RECALLS_WRITE)
        FollowUps(client.transport).answer_recall(recall, AcknowledgementState.COMPLETED, done)
    say(f"Completed: {done}.")


def _table(shown: list[Recall]) -> Table:
    table = Table("Recall", "Owner", "Indicator", "Got by", "Asks for", "Reason", "State", "Due")
    now = datetime.now(UTC)
    for each in shown:
        is_late = each.state != _DONE and each.due_at < now
        table.add_row(
            plain(each.id),
            plain(f"{each.owner.name} ({each.owner.code})"),
            plain(each.indicator),
            plain(", ".join(each.ways)),
            plain(f"{each.kind} of {', '.join(each.changed)}" if each.changed else each.kind),
            plain(each.reason),
            plain(each.state),
            f"{'OVERDUE, ' if is_late else ''}{written_moment(each.due_at)}",
        )
    return table
