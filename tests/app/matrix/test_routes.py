"""Every route x verb x role x means x relation x state answers as the rules say."""

from collections.abc import Iterator

import pytest

from tests.app.matrix.asking import NAMED_IN_QUERY, SENT, Asker
from tests.app.matrix.cells import cells_of, naming_a_record, routes
from tests.app.matrix.expectations import EXPECTED, Named, expected, is_stopped_at_the_door
from tests.app.matrix.stage import Stage, undone

_WHERE = "tests/app/matrix/expectations.py"


@pytest.fixture(scope="module")
def asker(stage: Stage) -> Iterator[Asker]:
    with undone(stage):
        yield Asker(stage)


def test_every_route_has_an_expectation_and_every_expectation_a_route(stage: Stage) -> None:
    existing = routes(stage.app)
    for (endpoint, method), rule in existing.items():
        assert (endpoint, method) in EXPECTED, (
            f"{method} {rule.rule} ({endpoint}) is not in EXPECTED of {_WHERE}: say there who may, "
            "by which means, what record its path names and what is answered; if it takes a body, "
            "a form or arguments, put one that is accepted into SENT of tests/app/matrix/asking.py"
        )
        names = EXPECTED[endpoint, method].names
        is_named = bool(rule.arguments) or endpoint in NAMED_IN_QUERY
        assert is_named == (names is not Named.NOTHING), f"say in {_WHERE} what {rule.rule} names"
    assert EXPECTED.keys() == existing.keys()
    assert SENT.keys() <= {endpoint for endpoint, _ in EXPECTED}


@pytest.mark.parametrize(("endpoint", "method"), naming_a_record(is_named=True))
def test_every_cell_about_a_record_answers_as_the_rules_say(
    asker: Asker, endpoint: str, method: str
) -> None:
    assert wrong_cells(asker, endpoint, method) == []


# Roles and scopes are asked before the database is, so here one back end is enough.
@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("endpoint", "method"), naming_a_record(is_named=False))
def test_every_cell_about_no_record_answers_as_the_rules_say(
    asker: Asker, endpoint: str, method: str
) -> None:
    assert wrong_cells(asker, endpoint, method) == []


def wrong_cells(asker: Asker, endpoint: str, method: str) -> list[str]:
    """The first twenty cells of the route that are not answered as the rules say.

    Who is stopped by role or scope, before the record is looked for, is asked on SQLite only.
    """
    route, is_page = EXPECTED[endpoint, method], asker.is_page(endpoint, method)
    wrong = []
    for cell in cells_of(endpoint, method):
        if not asker.stage.database.is_sqlite and is_stopped_at_the_door(route, cell.caller):
            continue
        demanded = expected(route, cell.caller, cell.record, is_page=is_page)
        answered = asker.send(cell).status_code
        if answered != demanded:
            wrong.append(f"{cell}: {answered} in the place of {demanded}")
    return wrong[:20]
