"""What the pages of the exchange share: where a list goes on, and what was refused."""

from collections.abc import Mapping, Sequence

from flask import request

from app.errors import PosternError

_LONGEST_CURSOR = 18  # digits


def before_given() -> int | None:
    """Before which entry a page of a list begins, as its address says; None for the first page."""
    typed = request.args.get("before", "")
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_CURSOR
    return int(typed) if is_number else None


def reasons_of(problem: PosternError | None) -> dict[str, str]:
    """Why each field was refused, by its name in the form."""
    errors: Sequence[Mapping[str, str]] = problem.extensions.get("errors", ()) if problem else ()
    return {each["field"].removeprefix("json."): each["reason"] for each in errors}
