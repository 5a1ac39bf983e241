"""Addresses with two ids: what one of them may not name, the other makes no difference to.

The defect of others: the parent is judged and the child is not, or a child is looked for under any
parent (docs/fuzzing.md, class 1). Every pair of an own and a foreign id is made from the route
table, with the caller's own body, and must be answered like two ids that never were.
"""

import itertools

from tests.app.matrix.asking import SAME_ID, Asker
from tests.app.matrix.cells import Cell, allowed, asked, hidden, naming_a_record
from tests.app.matrix.expectations import EXPECTED, NOT_THERE, is_there
from tests.app.matrix.stage import Stage, undone
from tests.app.matrix.test_not_there import NEVER, Answer, answer_of


class Mixing(Asker):
    """Asks with ids of several records in one address."""

    given: dict[str, object]

    def path(self, cell: Cell) -> str:
        """With the ids that were given."""
        names = self.rule(cell.endpoint, cell.method).arguments
        values = {name: self.given[name] for name in names}
        return self._adapter.build(cell.endpoint, values, method=cell.method)

    def ids(self, cell: Cell) -> dict[str, object]:
        """Those of the cell's record, by the names in the address."""
        names, found = self.rule(cell.endpoint, cell.method).arguments, self.value(cell)
        return {name: found[name] if isinstance(found, dict) else found for name in names}


def test_an_own_id_beside_a_foreign_one_is_answered_like_nothing(stage: Stage) -> None:
    asker, wrong, asked_for = Mixing(stage, SAME_ID), [], 0
    with undone(stage):
        for endpoint, method in naming_a_record(is_named=True):
            if len(asker.rule(endpoint, method).arguments) == 1:
                continue
            route = EXPECTED[endpoint, method]
            cells = {
                record: Cell(endpoint, method, allowed(route)[0], record)
                for record in [*asked(route.names), NEVER[route.names]]
            }
            never = cells[NEVER[route.names]]
            demanded = answer(asker, never, asker.ids(never))
            assert demanded.status == NOT_THERE
            own = next(asker.ids(cells[each]) for each in cells if is_there(route.names, each))
            others = [asker.ids(cells[each]) for each in hidden(route.names)]
            for mixed in pairs(own, others):
                asked_for += 1
                if answer(asker, never, mixed) != demanded:
                    wrong.append((endpoint, method, mixed))
    assert wrong == []
    assert asked_for > 50


def pairs(own: dict[str, object], others: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every choice of some ids of one's own and the rest of another, each once."""
    found = []
    for other in others:
        for each in itertools.product(*((own[name], other[name]) for name in own)):
            mixed = dict(zip(own, each, strict=True))
            if mixed not in (own, other) and mixed not in found:
                found.append(mixed)
    return found


def answer(asker: Mixing, cell: Cell, ids: dict[str, object]) -> Answer:
    asker.given = ids
    return answer_of(asker, cell)
