"""What the page /api/docs shows: the OpenAPI document in the order and words of a reader."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import PosternError

_STYLED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_METHODS = ("get", "post", "put", "patch", "delete")
_UNLIMITED = 2**31  # a bound beyond it says nothing to a reader

_FORMATS = {
    "uuid": "UUID",
    "date": "day, YYYY-MM-DD",
    "date-time": "moment, ISO 8601",
    "base64url": "bytes as base64url",
}


@dataclass(frozen=True)
class Piece:
    """A run of text; `style` is text, code, strong or shape (a link to the shape of that name)."""

    style: str
    text: str


Words = tuple[Piece, ...]


@dataclass(frozen=True)
class Field:
    name: str
    kind: Words
    is_required: bool
    description: Words


@dataclass(frozen=True)
class Answer:
    status: str
    kind: Words
    description: Words


@dataclass(frozen=True)
class Operation:
    """One method at one path; `anchor` is its place on the page."""

    anchor: str
    method: str
    path: str
    summary: str
    description: tuple[Words, ...]
    parameters: tuple[Field, ...]
    body: Words
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Section:
    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Shape:
    """An object of the interface and its fields."""

    name: str
    description: Words
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Reference:
    title: str
    version: str
    description: tuple[Words, ...]
    sections: tuple[Section, ...]
    shapes: tuple[Shape, ...]


def reference(document: dict[str, Any]) -> Reference:
    """The page's content, from an OpenAPI document of app/web/openapi.py."""
    operations = list(_operations(document))
    return Reference(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=_paragraphs(document["info"]["description"]),
        sections=tuple(
            Section(
                tag["name"],
                tag["description"],
                tuple(found for name, found in operations if name == tag["name"]),
            )
            for tag in document["tags"]
        ),
        shapes=tuple(
            Shape(name, pieces(schema.get("description", "")), tuple(_fields(schema)))
            for name, schema in sorted(document["components"]["schemas"].items())
        ),
    )


def error_kinds() -> list[type[PosternError]]:
    """Every kind of error that has a code of its own, by code; those of all rooms imported."""
    found: dict[str, type[PosternError]] = {}
    waiting = PosternError.__subclasses__()
    while waiting:
        kind = waiting.pop(0)
        waiting += kind.__subclasses__()
        if "code" in vars(kind) and kind.__module__.startswith("app."):
            found.setdefault(kind.code, kind)
    return [found[code] for code in sorted(found)]


def pieces(text: str) -> Words:
    """Text with `code` and **strong** marks, as pieces; no other mark has a meaning."""
    found, end = [], 0
    for match in _STYLED.finditer(text):
        found.append(Piece("text", text[end : match.start()]))
        code, strong = match.groups()
        found.append(Piece("code", code) if code else Piece("strong", strong))
        end = match.end()
    found.append(Piece("text", text[end:]))
    return tuple(piece for piece in found if piece.text)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method in filter(methods.__contains__, _METHODS):
            told = methods[method]
            parameters = [*shared, *told.get("parameters", [])]
            yield (
                told["tags"][0],
                Operation(
                    anchor=told["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=told["summary"].rstrip("."),
                    description=_paragraphs(told.get("description", "")),
                    parameters=tuple(_parameter(one) for one in parameters),
                    body=_content(told.get("requestBody", {})),
                    answers=tuple(_answers(document, told["responses"])),
                ),
            )


def _answers(document: dict[str, Any], responses: dict[str, Any]) -> Iterator[Answer]:
    for status, response in responses.items():
        named = response.get("$ref", "").rpartition("/")[2]
        told = document["components"]["responses"][named] if named else response
        yield Answer(status, _content(told), pieces(told["description"]))


def _parameter(parameter: dict[str, Any]) -> Field:
    return Field(
        parameter["name"],
        tuple(_kind(parameter["schema"])),
        parameter.get("required", False),
        pieces(parameter.get("description", "") or f"In the {parameter['in']}."),
    )


def _content(holder: dict[str, Any]) -> Words:
    for content in holder.get("content", {}).values():
        return tuple(_kind(content.get("schema", {})))
    return ()


def _fields(schema: dict[str, Any]) -> Iterator[Field]:
    required = schema.get("required", [])
    for name, told in schema.get("properties", {}).items():
        yield Field(name, tuple(_kind(told)), name in required, pieces(told.get("description", "")))


def _kind(schema: dict[str, Any]) -> Iterator[Piece]:
    """What a value may be, in words."""
    types = schema.get("type", [])
    named = [types] if isinstance(types, str) else list(types)
    if "$ref" in schema:
        yield Piece("shape", schema["$ref"].rpartition("/")[2])
    elif "anyOf" in schema:
        for number, one in enumerate(schema["anyOf"]):
            yield from [Piece("text", " or ")] if number else []
            yield from _kind(one)
        return
    elif "enum" in schema:
        yield Piece("text", "one of ")
        for number, value in enumerate(value for value in schema["enum"] if value is not None):
            yield from [Piece("text", ", ")] if number else []
            yield Piece("code", str(value))
    elif "array" in named:
        yield Piece("text", f"list{_bounds(schema, 'Items')} of ")
        yield from _kind(schema.get("items", {}))
    else:
        yield Piece("text", _scalar(schema, named))
    if "null" in named and len(named) > 1:
        yield Piece("text", " or null")


def _scalar(schema: dict[str, Any], named: list[str]) -> str:
    kind = next((name for name in named if name != "null"), "null" if named else "any value")
    if kind == "string":
        words = _FORMATS.get(schema.get("format", ""), "text")
        return words + _bounds(schema, "Length", "characters")
    if kind == "integer":
        low, high = schema.get("minimum"), schema.get("maximum")
        return "integer" + _between(low, high, "")
    return kind


def _bounds(schema: dict[str, Any], of: str, unit: str = "") -> str:
    return _between(schema.get(f"min{of}"), schema.get(f"max{of}"), unit)


def _between(low: int | None, high: int | None, unit: str) -> str:
    if high is not None and high >= _UNLIMITED:
        high = None
    if low is None and high is None:
        return ""
    if low == high:
        told = f"{low}"
    elif high is None:
        told = f"at least {low}"
    else:
        told = f"at most {high}" if low is None else f"{low} to {high}"
    return f" ({told} {unit})" if unit else f" ({told})"


def _paragraphs(text: str) -> tuple[Words, ...]:
    return tuple(pieces(" ".join(part.split())) for part in text.split("\n\n") if part.strip())
