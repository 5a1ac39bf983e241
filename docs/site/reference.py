"""What the site tells from the code: the commands of the platform, and its interface."""

import atexit
import tempfile
from pathlib import Path
from typing import Any

from app.__main__ import main as preparing
from app.web.openapi import document
from tests.written_docs import platform

__all__ = ["interface", "platform_commands", "preparing"]

_FOLDER = tempfile.TemporaryDirectory()
atexit.register(_FOLDER.cleanup)
_APP = platform(Path(_FOLDER.name))

platform_commands = _APP.cli

_METHODS = ("get", "post", "put", "patch", "delete")


def interface() -> str:
    """Every operation of the interface: what it demands, takes and answers, as Markdown."""
    told = document(_APP)
    parts = [
        "# The interface, field by field",
        "The same as every platform tells at `/api/docs` and, for programs, at "
        "`/api/openapi.json`. [How it is used](../api.md).",
    ]
    by_tag: dict[str, list[str]] = {}
    for path, methods in told["paths"].items():
        for method in filter(methods.__contains__, _METHODS):
            operation = methods[method]
            shared = methods.get("parameters", [])
            text = _operation(told, f"{method.upper()} {path}", operation, shared)
            by_tag.setdefault((operation.get("tags") or ["others"])[0], []).append(text)
    for tag, operations in sorted(by_tag.items()):
        parts += [f"## {tag[:1].upper()}{tag[1:]}", *operations]
    return "\n\n".join(parts)


def _operation(
    told: dict[str, Any], name: str, operation: dict[str, Any], shared: list[Any]
) -> str:
    parts = [f"### `{name}`", f"{operation['summary'].rstrip('.')}.", operation.get("description")]
    given = [_found(told, each) for each in [*shared, *operation.get("parameters", [])]]
    rows = [
        (f"`{each['name']}`", f"{each['in']}, {_kind(told, each.get('schema', {}))}", each)
        for each in given
    ]
    body = _found(told, operation.get("requestBody", {}))
    for media, content in body.get("content", {}).items():
        schema = _found(told, content.get("schema", {}))
        needed = schema.get("required", [])
        rows += [
            (
                f"`{field}`",
                f"{media}, {_kind(told, kind)}",
                {"required": field in needed, **_found(told, kind)},
            )
            for field, kind in schema.get("properties", {}).items()
        ]
    if rows:
        lines = [
            f"| {field} | {kind}{', needed' if each.get('required') is True else ''} "
            f"| {_line(each.get('description', ''))} |"
            for field, kind, each in rows
        ]
        parts.append("\n".join(["| takes | as | meaning |", "|---|---|---|", *lines]))
    answers = [
        f"| {status} | {_line(_found(told, answer).get('description', ''))} "
        f"| {', '.join(f'`{media}`' for media in _found(told, answer).get('content', {}))} |"
        for status, answer in operation["responses"].items()
    ]
    parts.append("\n".join(["| answers | what happened | as |", "|---|---|---|", *answers]))
    return "\n\n".join(part for part in parts if part)


def _found(told: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference of the document refers to."""
    while "$ref" in node:
        found: Any = told
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _kind(told: dict[str, Any], node: dict[str, Any]) -> str:
    schema = _found(told, node)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    kind = schema.get("type", "any")
    named = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if named == "array":
        return f"list of {_kind(told, schema.get('items', {}))}"
    return f"{named} ({schema['format']})" if "format" in schema else named


def _line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
