"""The matrix as docs/access-matrix.md shows it; `python -m tests.written_docs` writes it."""

from flask import Flask

from postern.vocabulary import Role
from tests.app.matrix.cells import (
    OF_MEMBERS,
    a_few,
    allowed,
    callers,
    cells_of,
    hidden,
    naming_a_record,
    records,
    routes,
)
from tests.app.matrix.expectations import (
    EVERYBODY,
    EXPECTED,
    NO_TOKEN,
    Named,
    Record,
    Relation,
    Route,
    State,
    is_stopped_at_the_door,
    is_there,
)
from tests.app.matrix.test_doors import KEYS
from tests.app.matrix.test_not_there import FAULTS

_ROLES = tuple(Role)


def size(_app: Flask) -> str:
    """How many questions are asked, and what they are made of."""
    named, others = (naming_a_record(is_named=each) for each in (True, False))
    of_records = sum(len(cells_of(*key)) for key in named)
    again = sum(
        not is_stopped_at_the_door(EXPECTED[key], cell.caller)
        for key in named
        for cell in cells_of(*key)
    )
    of_none = sum(len(cells_of(*key)) for key in others)
    compared = sum(
        len(found := hidden(EXPECTED[key].names))
        + (len(allowed(EXPECTED[key])) - 1 + len(FAULTS)) * len(a_few(found))
        for key in named
    )
    ways = {caller for key in EXPECTED for caller in callers(*key)}
    rows = [
        ("routes and verbs", len(EXPECTED)),
        ("of them naming a record", len(named)),
        (
            "ways to ask: role x means",
            len(ways),
        ),
        ("kinds of record", len(OF_MEMBERS)),
        ("relations x states of a shared indicator", len(records(Named.INDICATOR))),
        ("cells of routes that name a record, on SQLite", of_records),
        ("of them again on PostgreSQL: who is not stopped by role or scope", again),
        ("cells of routes that name none, on SQLite", of_none),
        ("**cells in all**", of_records + again + of_none),
        ("answers compared byte for byte with that for nothing", compared),
        ("records taken through every door, on each", len(KEYS)),
    ]
    return "\n".join(["| what | how many |", "|---|---|", *(f"| {a} | {b:,} |" for a, b in rows)])


def by_role(app: Flask) -> str:
    """Every route and verb, what it names, and who may."""
    head = ["route", "names", *(role.value for role in _ROLES), "API token", "cells"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    rules = routes(app)
    for key in sorted(EXPECTED, key=lambda each: (rules[each].rule, each[1])):
        route = EXPECTED[key]
        path = rules[key].rule.replace("int(max=2147483647):", "int:").replace("uuid:", "")
        cells = [f"`{key[1]} {path}`", _named(route), *_marks(route), _token(route)]
        lines.append(f"| {' | '.join(cells)} | {len(cells_of(*key))} |")
    return "\n".join(lines)


def there(_app: Flask) -> str:
    """For each kind of record: whose is there for the asker, in which states."""
    lines = ["| record | whose is there | in which states |", "|---|---|---|"]
    for named in Named:
        if named in OF_MEMBERS:
            found = [each for each in records(named) if is_there(named, each)]
            lines.append(f"| {named} | {_relations(found)} | {_states(found)} |")
    return "\n".join(lines)


def _relations(found: list[Record]) -> str:
    return "; ".join(each for each in Relation if any(one.relation is each for one in found))


def _states(found: list[Record]) -> str:
    return ", ".join(each for each in State if any(one.state is each for one in found))


def _named(route: Route) -> str:
    return "" if route.names is Named.NOTHING else route.names.value


def _marks(route: Route) -> list[str]:
    if route.roles is None:
        return ["open"] * len(_ROLES)
    is_for_all = route.roles == EVERYBODY
    return ["yes" if is_for_all or role in route.roles else "" for role in _ROLES]


def _token(route: Route) -> str:
    if route.roles is None:
        return "not needed"
    return "refused" if route.token == NO_TOKEN else f"`{route.token}`"
