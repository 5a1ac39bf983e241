"""`postern subject`: what your organisation holds of a person who asks for their rights."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from postern.client import MOST_QUERIES
from postern.client_errors import ClientError
from postern.client_follow_up import FollowUps, SubjectAnswer
from postern.commands.evaluating import pseudonymiser
from postern.commands.indicator_words import plain
from postern.commands.options import WordType, needed
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    require_scopes,
    say,
    written_moment,
)
from postern.commands.values import asked_values, tell_faults, value_options
from postern.private_files import write_private
from postern.report_form import query
from postern.vocabulary import Purpose, Scope


class ReportExistsError(ClientError):
    """The file for the report is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists. Move it away, or name another file for the report.")


class TooManyValuesError(ClientError):
    """More values are given than one search takes."""

    def __init__(self) -> None:
        super().__init__(
            f"More than {MOST_QUERIES} values are given. Search for them in several calls."
        )


@click.command()
@click.argument("request_id", metavar="REQUEST")
@value_options
@click.option("--purpose", type=WordType(Purpose), help="Of the evaluation, for the audit log.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the answer for your file, mode 0600; as JSON when the name ends with .json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def subject(context: click.Context, /, request_id: str, **options: Any) -> None:
    """Find what your organisation itself holds under a person's values, for the open REQUEST.

    The values become pseudonyms here; the platform finds your own records by them, who got
    something of each, what was recalled and what a legal hold keeps. Check each finding before you
    answer: a match is a resemblance, not an identity.

    Ends with 3 when some values could not be used.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    report: Path | None = options["report"]
    if report and report.exists():
        raise ReportExistsError(report)
    asked, faults = asked_values(options, settings.defaults)
    tell_faults(faults)
    if len(asked) > MOST_QUERIES:
        raise TooManyValuesError
    purpose = needed(options["purpose"], settings.defaults.purpose, "--purpose")
    if asked:
        with connected(settings) as (client, ring):
            require_scopes(client.me(), Scope.EVALUATE, Scope.SUBJECTS_WRITE)
            ring.refresh()
            # No name belongs in the log: the request's id is its case.
            case = f"subject-request {request_id}"
            with pseudonymiser(client, ring, settings.keys, purpose=purpose, case=case) as made:
                pseudonyms = made.pseudonymise([each.value for each in asked])
            queries = [query(str(place), each) for place, each in enumerate(pseudonyms)]
            found = FollowUps(client.transport).search_subject(request_id, queries)
        labels = {str(place): each.label for place, each in enumerate(asked)}
        lines = _lines(found, labels)
        as_json = json.dumps({**found.raw, "values": labels}, indent=1)
        say(as_json if options["as_json"] else "\n".join(lines))
        if report:
            is_json = report.suffix.lower() == ".json"
            write_private(report, (as_json if is_json else "\n".join(lines)) + "\n")
            say(f"Wrote {report}.")
    if faults:
        context.exit(ExitCode.SOME_REJECTED)


def _lines(found: SubjectAnswer, labels: Mapping[str, str]) -> list[str]:
    """The answer in words, ready to be worked into a letter."""
    lines = [
        f"Request {plain(found.request)}, searched on {written_moment(found.searched_at)}.",
        f"Searched for: {', '.join(labels.values())}.",
        f"{counted(len(found.holdings), 'record')} of ours resemble what was searched for.",
    ]
    for number, holding in enumerate(found.holdings, start=1):
        lines += ["", *_holding(number, holding, labels)]
    if not found.holdings:
        lines += ["", "We hold nothing under these values on the platform."]
    lines += [
        "",
        "A match is a resemblance in form: check each record on your own premises before you",
        "answer. What may be told can be restricted (LED Art. 15; GDPR Art. 23).",
    ]
    return lines


def _holding(number: int, holding: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    value = labels.get(str(holding.get("query")), "value")
    lines = [
        f"{number}. {_word(holding, 'kind')} ({_word(holding, 'role')}), found by: {value}; "
        f"{_word(holding, 'band')} match",
        f"   indicator {_word(holding, 'indicator')} of report {_word(holding, 'report')}, "
        f"{_word(holding, 'status')}, kept until {_word(holding, 'expires_on')}",
    ]
    if holding.get("restricted"):
        lines.append("   restricted: a legal hold keeps it, nobody else is told of it")
    lines += [
        f"   legal hold: {_word(each, 'reason')}, until {_word(each, 'until')}"
        for each in _objects(holding, "holds")
    ]
    recipients = _objects(holding, "recipients")
    for each in recipients:
        organisation = each.get("organisation")
        name = organisation.get("name") if isinstance(organisation, dict) else organisation
        ways = ", ".join(map(str, each.get("ways") or ()))
        lines.append(
            f"   given to {plain(str(name))} by {plain(ways)}, first {_word(each, 'first_at')}, "
            f"last {_word(each, 'last_at')}"
        )
    if not recipients:
        lines.append("   given to nobody")
    lines += [
        f"   called back ({_word(each, 'kind')}, {_word(each, 'reason')}) on "
        f"{_word(each, 'made_at')}, {'done by all' if each.get('completed_at') else 'not yet done'}"
        for each in _objects(holding, "recalls")
    ]
    lines += [
        f"   disclosure request {_word(each, 'id')}: {_word(each, 'state')}"
        for each in _objects(holding, "requests")
    ]
    return lines


def _objects(holding: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = holding.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _word(found: Mapping[str, Any], name: str) -> str:
    return plain(str(found.get(name) or ""))
