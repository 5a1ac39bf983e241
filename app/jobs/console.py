"""`flask --app wsgi jobs ...`: do what is due, and see how duties and the outbox stand."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app

from app import row_security
from app.console import RoomCommands, as_json, plain, show
from app.errors import StartRefusedError
from app.jobs import draining, service, worker_metrics
from app.jobs.runner import Worker
from app.jobs.service import Performed
from app.runtime import runtime
from app.secret_files import read_mail_password

commands = RoomCommands("jobs", help="Periodic duties, and what is done after a commit.")


@commands.command()
@click.option("--once", is_flag=True, help="Do what is due, then end; 1 if a duty failed.")
@click.option(
    "--pause",
    type=click.IntRange(1, 3600),
    default=30,
    show_default=True,
    help="Seconds between two looks at the duties; the outbox is looked at each second.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="How many jobs are done side by side.",
)
@click.option(
    "--metrics",
    default=None,
    metavar="ADDRESS:PORT",
    help="Tell Prometheus there what duties and jobs did; beyond this machine with metrics.key.",
)
def run(once: bool, pause: int, threads: int, metrics: str | None) -> None:
    """Do what is due until SIGTERM or Ctrl-C; several may run side by side."""
    settings = runtime().settings
    runtime().database.work_unattended()
    try:
        with runtime().database.reading() as session:
            row_security.demand_all_rows(session)
    except StartRefusedError as refusal:
        raise click.ClickException(str(refusal)) from None
    if settings.mail.user:
        try:
            read_mail_password(Path(settings.secrets.directory))
        except StartRefusedError as refusal:
            raise click.ClickException(str(refusal)) from None
    if metrics is not None:
        try:
            worker_metrics.serve(runtime(), metrics)
        except StartRefusedError as refusal:
            raise click.ClickException(str(refusal)) from None
        except OSError as error:
            raise click.ClickException(
                f"It cannot listen at {metrics} ({error.strerror}). Choose another port."
            ) from None
    if once:
        sys.exit(1 if _round() else 0)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    Worker(app, threads, pause, _tell).run()


@commands.command("list")
@as_json
def list_(in_json: bool) -> None:
    """Show every duty and every topic of the outbox: what is due, since when, what failed."""
    with runtime().database.reading() as session:
        duties = [_duty(each) for each in service.standings(session, runtime())]
        topics = [_topic(each) for each in draining.standings(session, runtime())]
    if in_json:
        click.echo(json.dumps({"duties": plain(duties), "topics": plain(topics)}, indent=2))
        return
    show(duties, in_json=False, empty="No room has registered a duty.")
    click.echo()
    show(topics, in_json=False, empty="The outbox is empty, and nothing handles a topic.")


@commands.command("dead")
@as_json
def dead(in_json: bool) -> None:
    """List the jobs whose tries are used up, with the type of their last error."""
    with runtime().database.reading() as session:
        found = draining.dead(session)
    rows = [
        {
            "job": each.id,
            "topic": each.topic,
            "tries": each.tries,
            "made": each.made_at,
            "ended": each.ended_at,
            "error": each.error,
        }
        for each in found
    ]
    show(rows, in_json=in_json, empty="No job is dead.")


@commands.command()
@click.argument("job", type=click.IntRange(1, 2**63 - 1))
def retry(job: int) -> None:
    """Let the dead job with the number JOB begin anew, with all its tries."""
    with runtime().database.transaction() as session:
        draining.retry(session, job)
    click.echo(f"Job {job} is due now.")


def _duty(each: service.Standing) -> Mapping[str, Any]:
    return {
        "duty": each.name,
        "every_minutes": int(each.every.total_seconds() // 60),
        "due": each.due_at,
        "last_success": each.finished_at,
        "failures": each.failures,
    }


def _topic(each: draining.TopicStanding) -> Mapping[str, Any]:
    return {
        "topic": each.topic,
        "waiting": each.waiting,
        "due": each.due,
        "lag_seconds": int(each.lag.total_seconds()),
        "dead": each.dead,
    }


def _round() -> int:
    """Perform what is due and say so; returns how many duties failed."""
    failed = 0
    for performed in service.run_due(runtime()):
        _tell(performed)
        failed += performed.count is None
    tries = draining.drain(runtime())
    if tries:
        click.echo(f"outbox: {tries} tried")
    return failed


def _tell(performed: Performed) -> None:
    worker_metrics.count(performed)
    if performed.count is None:
        click.echo(f"{performed.name}: failed, see the log of the service", err=True)
    else:
        click.echo(f"{performed.name}: {performed.count} done")
