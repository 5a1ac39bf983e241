"""What the rooms' commands share: tables for people, JSON for programs, errors in two sentences."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from app.errors import PosternError

_NOT_PERMITTED = "42501"  # SQLSTATE: no right, or a policy of row-level security


class RoomCommands(AppGroup):
    """The commands of one room; an error a person can cause ends them with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click.ClickException tells what happened and what to do."""
        try:
            return super().invoke(ctx)
        except PosternError as error:
            reasons = [item["reason"] for item in error.extensions.get("errors", [])]
            told = " ".join(_sentence(part) for part in (error.detail, *reasons))
            raise click.ClickException(f"{told} {error.told_remedy}") from None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _NOT_PERMITTED:
                raise click.ClickException(
                    "The database role of database.url may not do that. Use the settings that name"
                    " the console's role, see docs/database-roles.md."
                ) from None
            # Its message may hold values; the type says enough to a person.
            raise click.ClickException(
                f"The database refused ({type(error.orig).__name__}). "
                "Check database.url and run: python -m app upgrade"
            ) from None


def as_json(command: Any) -> Any:
    """Give a command the option `--json`."""
    return click.option("--json", "in_json", is_flag=True, help="Print JSON.")(command)


def show(rows: Sequence[Mapping[str, Any]], *, in_json: bool, empty: str) -> None:
    """Print rows, which all have the same keys, as JSON or as a table; `empty` when none."""
    if in_json:
        click.echo(json.dumps(plain(rows), indent=2))
    elif not rows:
        click.echo(empty)
    else:
        _print_table(rows)


def plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows as JSON takes them."""
    return [{key: _plain(value) for key, value in row.items()} for row in rows]


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    heads = [key.upper().replace("_", " ") for key in rows[0]]
    lines = [heads, *([_words(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _words(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None or value == "" else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (int, str)) else str(value)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
