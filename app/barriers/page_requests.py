"""What the room's pages have in common: what a form sends, and how a refusal is logged."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import request

from app.audit.entry import Outcome
from app.audit.guard import caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, PosternError
from postern.vocabulary import Role

REFUSED = (ConflictError, InvalidRequestError, NotAllowedError)
"""What brings a page back with its reason."""

_LONGEST_NUMBER = 9  # digits


def attempt(act: str, object_type: str, objects: Iterable[UUID], verb: Callable[[], None]) -> Any:
    """None when the verb was done, else why it was refused: undone, and logged as such."""
    try:
        with transaction().begin_nested():
            verb()
    except REFUSED as error:
        log_refusal(act, object_type, objects, error)
        return error
    return None


def log_refusal(act: str, object_type: str, objects: Iterable[UUID], error: PosternError) -> None:
    """The entry of what was asked for and refused."""
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
        object_type=object_type,
        objects=[str(each) for each in objects],
        details={"refusal": error.code},
    )


def reasons(problem: PosternError | None) -> Mapping[str, str]:
    """What is wrong with each field that the refusal names."""
    errors = problem.extensions.get("errors", ()) if problem else ()
    return {
        each["field"].removeprefix("json.").partition(".")[0]: each["reason"]
        for each in errors
        if "field" in each
    }


def may(roles: Iterable[Role]) -> bool:
    """Whether the caller has one of the roles."""
    return bool(caller().roles & frozenset(roles))


def number(name: str) -> int | None:
    """A whole number of the form or the address; None for anything else."""
    typed = request.values.get(name, "").strip()
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_NUMBER
    return int(typed) if is_number else None


def identity(name: str) -> UUID | None:
    """An id of the form or the address; None for anything else."""
    try:
        return UUID(request.values.get(name, ""))
    except ValueError:
        return None


def notice(known: Iterable[str]) -> str | None:
    """What the address says was done just now, if it is one of those."""
    done = request.args.get("done", "")
    return done if done in known else None
