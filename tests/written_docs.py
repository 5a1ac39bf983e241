"""The parts of docs/ that are written from the code: `python -m tests.written_docs` writes them.

Each stands between two marks in its file, whatever is around it is written by hand. test_docs.py
fails when a part is not what the code says now.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from flask import Flask

from app import create_app
from app.__main__ import main as preparing
from app.audit.catalogue import CATALOGUE, Operation
from app.secret_files import create as create_secrets
from app.web.openapi import document
from app.web.reference import error_kinds
from postern.cli import cli
from postern.imports import find_mapping
from postern.imports.model import DROP
from tests.app.matrix import written as matrix
from tests.app.metrics import write_metrics_key
from tests.conftest import settings_for

DOCS = Path(__file__).parent.parent / "docs"
_OPENING = "<!-- from the code, by `python -m tests.written_docs`: {name} -->"
_CLOSING = "<!-- up to here from the code -->"
_METHODS = ("get", "post", "put", "patch", "delete")


def main() -> None:
    """Write every part into its file."""
    with tempfile.TemporaryDirectory() as directory:
        app = platform(Path(directory))
        for (file, name), write in PARTS.items():
            path = DOCS / file
            path.write_text(replaced(path.read_text(), name, write(app)))
            sys.stdout.write(f"docs/{file}: {name}\n")


def platform(directory: Path) -> Flask:
    """An application whose views and commands can be looked at; it has no database yet."""
    create_secrets(directory / "secrets")
    write_metrics_key(directory / "secrets")
    return create_app(
        settings_for(f"sqlite:///{directory / 'none.sqlite3'}", directory / "secrets")
    )


def replaced(page: str, name: str, part: str) -> str:
    """The page with the part of that name; LookupError when it has no place for it."""
    opening = _OPENING.format(name=name)
    before, found, rest = page.partition(opening)
    _, closed, after = rest.partition(_CLOSING)
    if not found or not closed:
        raise LookupError(f"no place for the part {name}: {opening}")
    return f"{before}{opening}\n\n{part.strip()}\n\n{_CLOSING}{after}"


def acts(_app: Flask) -> str:
    """Every act of the log, by operation."""
    parts = []
    for operation in Operation:
        told = [
            f"| `{name}` | {known.meaning} |"
            for name, known in sorted(CATALOGUE.items())
            if known.operation is operation
        ]
        if told:
            head = [f"## {operation.value.capitalize()}", "", "| act | meaning |", "|---|---|"]
            parts.append("\n".join([*head, *told]))
    return "\n\n".join(parts)


def errors(_app: Flask) -> str:
    """Every kind of error that has a code."""
    rows = [
        f"| `{kind.code}` | {kind.status} | {kind.title}. | {kind.remedy} |"
        for kind in error_kinds()
    ]
    return "\n".join(["| code | status | what happened | what to do |", "|---|---|---|---|", *rows])


def routes(app: Flask) -> str:
    """Every operation of the interface, and what it demands."""
    rows = []
    for path, methods in document(app)["paths"].items():
        for method in filter(methods.__contains__, _METHODS):
            told = methods[method]
            rows.append(
                f"| `{method.upper()} {path}` | {told['summary'].rstrip('.')} | "
                f"{_roles(told)} | {_token(told)} |"
            )
    head = ["| operation | what it does | roles | API token |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def commands(app: Flask) -> str:
    """Every command, of the platform and on premises."""
    groups = [
        ("On the platform, by its administrator", "flask --app wsgi", app.cli),
        ("On the platform, before it starts", "python -m app", preparing),
        ("On an organisation's own premises", "postern", cli),
    ]
    parts = []
    for title, called, group in groups:
        rows = [f"| `{usage}` | {told} |" for usage, told in _usages(group, called)]
        head = [f"## {title}", "", "| command | what it does |", "|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def mapped_by(name: str) -> Callable[[Flask], str]:
    """Every entry of a shipped import mapping, with what is known about it and from where."""

    def written(_app: Flask) -> str:
        mapping = find_mapping(name)
        rows = []
        for each in mapping.columns:
            field = "dropped" if each.field == DROP else f"`{each.field}`"
            source = f" ({each.source})" if each.source else ""
            rows.append(
                f"| {each.item} | {field} | {each.headings[0]} | `{each.verified}`{source} | "
                f"{each.why} |"
            )
        sources = [
            f"- {key}: {source.title}. <{source.url}> "
            f"({'read whole' if source.is_whole else 'an excerpt was read'})"
            for key, source in mapping.sources.items()
        ]
        head = ["| item | becomes | heading, for one | known from | why |", "|---|---|---|---|---|"]
        return "\n".join([*sources, "", *head, *rows])

    return written


PARTS: dict[tuple[str, str], Callable[[Flask], str]] = {
    ("audit-acts.md", "acts"): acts,
    ("errors.md", "errors"): errors,
    ("api.md", "operations"): routes,
    ("commands.md", "commands"): commands,
    ("importing-seizures.md", "cis"): mapped_by("cis"),
    ("importing-seizures.md", "ionics"): mapped_by("ionics"),
    ("access-matrix.md", "size"): matrix.size,
    ("access-matrix.md", "there"): matrix.there,
    ("access-matrix.md", "by role"): matrix.by_role,
}


def command_names(group: click.Command, called: str) -> Iterator[tuple[str, click.Command]]:
    """The full name of every command below `group`, in order."""
    if not isinstance(group, click.Group):
        yield called, group
        return
    for name in sorted(group.commands):
        yield from command_names(group.commands[name], f"{called} {name}")


def _usages(group: click.Command, called: str) -> Iterator[tuple[str, str]]:
    for name, command in command_names(group, called):
        if command.hidden:
            continue
        arguments = [one for one in command.params if isinstance(one, click.Argument)]
        pieces = [_shown(one) for one in arguments]
        sentence = re.split(r"\n\s*\n", command.help or "")[0]
        yield " ".join([name, *pieces]), " ".join(sentence.split())


def _shown(argument: click.Argument) -> str:
    name = (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _roles(operation: dict[str, object]) -> str:
    if not operation["security"]:
        return "no sign-in"
    named = operation["x-postern-roles"]
    assert isinstance(named, list)
    return ", ".join(named) or "all"


def _token(operation: dict[str, object]) -> str:
    security, scope = operation["security"], operation.get("x-postern-scope")
    assert isinstance(security, list)
    if not security:
        return "not needed"
    if {"bearer": []} not in security:
        return "refused"
    return f"`{scope}`" if scope else "any"


if __name__ == "__main__":
    main()
