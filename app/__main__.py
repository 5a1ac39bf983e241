"""What must be done before the service can start: `python -m app prepare`.

These commands need no running service and no secrets; all others are `flask --app wsgi ...`.
"""

import sqlite3
import sys
from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event

from app.backup.console import commands as _backup_commands
from app.config import Settings, load
from app.database import Database
from app.database_roles import Work, grant
from app.errors import StartRefusedError
from app.migrating import LockPatience, with_patience
from app.restarting import PID_FILE
from app.restarting import restart as replace_process
from app.secret_files import create

_ROOT = Path(__file__).parent.parent


@click.group()
def main() -> None:
    """Prepare the platform: secrets and database of the settings in $POSTERN_CONFIG."""


@main.command()
@click.pass_context
def prepare(context: click.Context) -> None:
    """Make missing secrets and bring the database to the newest schema; safe to repeat."""
    context.invoke(secrets)
    context.invoke(upgrade)


@main.command()
def secrets() -> None:
    """Make the secrets that are missing, readable by this user alone."""
    settings = load()
    made = create(Path(settings.secrets.directory))
    click.echo(f"Secrets made in {settings.secrets.directory}: {', '.join(made) or 'none missing'}")


@main.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the database up to REVISION (the newest by default)."""
    migrate(load(), revision)
    click.echo(f"Database at {revision}")


@main.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the database down to REVISION; `base` removes every table and what it holds."""
    migrate(load(), revision, down=True)
    click.echo(f"Database at {revision}")


@main.command()
@click.argument("role")
@click.option(
    "--for",
    "work",
    type=click.Choice([work.value for work in Work]),
    default=Work.WEB.value,
    show_default=True,
    help="The process that uses the role, or who audits.",
)
@click.option(
    "--evaluator-apart",
    is_flag=True,
    help="For web: a process of mode evaluator spends the budgets, and this role may not.",
)
def grants(role: str, work: str, evaluator_apart: bool) -> None:
    """On PostgreSQL, let ROLE do its work with no more rights than it needs.

    Run it as the owner of the tables after each upgrade, once for each role. `web` answers requests
    and `evaluator` blind evaluations, both bound to rows of the caller's organisation. `jobs` runs
    duties and messages, `log` gives places, signs and archives, `console` is for commands of the
    administrator, `vault` for rotating keys. `metrics` counts what is due and how it stands, and
    `audit` reads the tables of the log; neither may do anything else.
    """
    database = Database(load().database.url)
    grant(database, role, Work(work), evaluates=not evaluator_apart)
    click.echo(f"Rights of {role} set")


@main.command()
@click.option(
    "--pid-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=PID_FILE,
    required=True,
    help=f"Where gunicorn writes its process id; ${PID_FILE} by default.",
)
@click.option(
    "--within",
    type=click.IntRange(1),
    default=120,
    show_default=True,
    help="Seconds that the new process may take to get ready.",
)
def restart(pid_file: Path, within: int) -> None:
    """Replace the running web process by the version that is installed; no request is lost.

    As its user, on its machine: `systemctl reload postern-web` does it. When the new one cannot
    serve, the old one goes on and this ends with 1.
    """
    replace_process(pid_file, within, click.echo)


def migrate(
    settings: Settings,
    revision: str = "head",
    *,
    down: bool = False,
    patience: LockPatience | None = None,
) -> None:
    """Run Alembic on the database of the settings; LockNotHadError names who is in the way."""
    database = Database(settings.database.url)
    if database.is_sqlite:
        # A changed table is made anew and the old one dropped: what refers to it must neither
        # refuse that nor go with it. This takes effect between transactions only.
        event.listen(database.engine, "connect", _refer_freely)
    config = Config(toml_file=_ROOT / "pyproject.toml")
    config.set_main_option("script_location", str(_ROOT / "migrations"))
    try:
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection

            def run() -> None:
                (command.downgrade if down else command.upgrade)(config, revision)

            if database.is_sqlite:
                with connection.begin():
                    run()
                    _check_references(connection)
            else:
                with_patience(connection, patience or LockPatience(), run, _tell)
    finally:
        database.dispose()


def _refer_freely(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def _tell(said: str) -> None:
    click.echo(said, err=True)


def _check_references(connection: Connection) -> None:
    """Undo a migration after which a row refers to none."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise StartRefusedError(
            f"Rows of {tables} refer to rows that are gone. Nothing was changed; restore"
            " a backup of the database and upgrade that."
        )


for _each in _backup_commands:
    main.add_command(_each)


if __name__ == "__main__":
    try:
        main()
    except StartRefusedError as refusal:
        sys.exit(str(refusal))
