"""Tampering that the checker must find: a checker that finds nothing of it would prove nothing.

Each control damages the database or what was noted, is looked for, and is put right again.
"""

import base64
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.faults.checker import Checker, Verdict
from tests.faults.ground import FLICKERING, Ground
from tests.faults.notes import ACKNOWLEDGED, Act

Control = Callable[[Ground, Any], Iterator[str]]


def _row(database: Any, sql: str) -> Any:
    return database.execute(sql).fetchone()


def token_gone(_ground: Ground, database: Any) -> Iterator[str]:
    row = _row(
        database,
        "DELETE FROM token WHERE (token, indicator_id) = (SELECT token, indicator_id"
        " FROM token LIMIT 1) RETURNING *",
    )
    yield "an indicator with other postings than it names"
    database.execute("INSERT INTO token VALUES (%s, %s, %s, %s, %s)", row)


def vault_gone(_ground: Ground, database: Any) -> Iterator[str]:
    database.execute("CREATE TABLE kept_elements AS SELECT * FROM element_vault LIMIT 1")
    database.execute(
        "DELETE FROM element_vault v USING kept_elements k WHERE v.indicator_id = k.indicator_id"
    )
    yield "an indicator of a blinded kind without its sealed elements"
    database.execute("INSERT INTO element_vault SELECT * FROM kept_elements")
    database.execute("DROP TABLE kept_elements")


def indicator_gone(ground: Ground, database: Any) -> Iterator[str]:
    """A report with one indicator fewer than was acknowledged."""
    database.execute("SET session_replication_role = replica")
    database.execute(
        "CREATE TABLE kept_indicator AS SELECT i.* FROM indicator i JOIN report r"
        " ON r.id = i.report_id WHERE r.status = 'active' LIMIT 1"
    )
    database.execute("DELETE FROM indicator i USING kept_indicator k WHERE i.id = k.id")
    yield "an acknowledged report is not there"
    database.execute("INSERT INTO indicator SELECT * FROM kept_indicator")
    database.execute("DROP TABLE kept_indicator")


def entry_dropped(_ground: Ground, database: Any) -> Iterator[str]:
    """An entry that an acknowledged act was promised, gone before it has a place."""
    yield from _moved(
        database, "audit_entry", "SELECT max(eid) FROM audit_entry", "a place without an entry"
    )


def place_dropped(_ground: Ground, database: Any) -> Iterator[str]:
    yield from _moved(
        database,
        "audit_seq",
        "SELECT eid FROM audit_seq ORDER BY idx LIMIT 1",
        "an entry without a place",
    )


def _moved(database: Any, table: str, which: str, found: str) -> Iterator[str]:
    database.execute("SET session_replication_role = replica")
    database.execute(f"CREATE TABLE kept_entry AS SELECT * FROM {table} WHERE eid = ({which})")  # noqa: S608
    database.execute(f"DELETE FROM {table} t USING kept_entry k WHERE t.eid = k.eid")  # noqa: S608
    yield found
    database.execute(f"INSERT INTO {table} SELECT * FROM kept_entry")  # noqa: S608
    database.execute("DROP TABLE kept_entry")


def ledger_alone(_ground: Ground, database: Any) -> Iterator[str]:
    """That somebody got something, which no entry tells."""
    database.execute(
        "CREATE TABLE kept_object AS SELECT o.* FROM audit_object o WHERE o.about ="
        " (SELECT uuid_send(indicator) FROM given LIMIT 1)"
    )
    database.execute("SET session_replication_role = replica")
    database.execute("DELETE FROM audit_object o USING kept_object k WHERE o.about = k.about")
    yield "a row of who got what that the log does not tell"
    database.execute("INSERT INTO audit_object SELECT * FROM kept_object")
    database.execute("DROP TABLE kept_object")


def notification_lost(_ground: Ground, database: Any) -> Iterator[str]:
    database.execute("CREATE TABLE kept_dispatch AS SELECT * FROM dispatch LIMIT 1")
    database.execute("DELETE FROM dispatch d USING kept_dispatch k WHERE d.id = k.id")
    yield "a notification without its dispatch"
    database.execute("INSERT INTO dispatch SELECT * FROM kept_dispatch")
    database.execute("DROP TABLE kept_dispatch")


def never_arrived(ground: Ground, _database: Any) -> Iterator[str]:
    name, count = ground.notes.arrivals.popitem()
    yield "a dispatch did not arrive"
    ground.notes.arrivals[name] = count


def other_tree(ground: Ground, _database: Any) -> Iterator[str]:
    """A checkpoint that a client saw is not one of the present tree."""
    size, root = next(iter(ground.notes.checkpoints.items()))
    ground.notes.checkpoints[size] = "A" * len(root)
    yield "the tree is not the one that was signed"
    ground.notes.checkpoints[size] = root


def un_revoked(ground: Ground, _database: Any) -> Iterator[str]:
    """A reader who is shown, after a revocation was acknowledged, what it took back."""
    found = next(a for a in ground.notes.acts if a.kind == "stop" and a.outcome == ACKNOWLEDGED)
    answer = {"lookup": "x", "results": [{"hits": [{"organisation": {"code": FLICKERING}}]}]}
    yield from _noted(
        ground,
        dataclasses.replace(
            found,
            kind="lookup",
            began=found.ended,
            ended=found.ended,
            receipt="",
            answer=answer,
        ),
        "a revoked reader was shown something",
    )


def promise_broken(ground: Ground, _database: Any) -> Iterator[str]:
    """A receipt for an entry that never came."""
    found = next(a for a in ground.notes.acts if a.kind == "submit" and a.receipt)
    text = base64.urlsafe_b64decode(found.receipt + "==").decode().split("\n")
    text[1] = "entry " + base64.b64encode(bytes(32)).decode()
    forged = base64.urlsafe_b64encode("\n".join(text).encode()).rstrip(b"=").decode()
    yield from _noted(
        ground,
        dataclasses.replace(found, kind="search", receipt=forged),
        "a promised entry is not in the log",
    )


def failed_answer(ground: Ground, _database: Any) -> Iterator[str]:
    yield from _noted(
        ground,
        dataclasses.replace(
            ground.notes.acts[0],
            kind="search",
            status=500,
            receipt="",
        ),
        "an answer of the server's own failure",
    )


def _noted(ground: Ground, act: Act, found: str) -> Iterator[str]:
    ground.notes.acts.append(act)
    yield found
    ground.notes.acts.remove(act)


CONTROLS: tuple[tuple[Control, ...], ...] = (
    (
        *(token_gone, vault_gone, ledger_alone, notification_lost),
        *(other_tree, un_revoked, promise_broken, failed_answer),
    ),
    (indicator_gone, never_arrived),
    (entry_dropped,),
    (place_dropped,),
)
"""Those of a row damage different things, and are looked for together."""


def missed(ground: Ground, checker: Checker) -> list[str]:
    """Names of controls that the checker did not find."""
    bad = []
    for group in CONTROLS:
        checker.settle(Verdict())  # before: a damaged log gives no places
        with ExitStack() as damaged:
            wanted = {}
            for each in group:
                database = damaged.enter_context(ground.postgresql.connect())
                wanted[each.__name__] = damaged.enter_context(
                    contextmanager(each)(ground, database)
                )
            wrong = checker.judge(is_settled=True).wrong
        bad += [
            name
            for name, what in wanted.items()
            if not any(found.startswith(what) for found in wrong)
        ]
    return bad
