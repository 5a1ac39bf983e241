"""Latency of an audited read beside the same read with a plain audit INSERT.

Both take turns, neighbours in time, on the platform as it is. The whole request: token, guard, the
page of own lookups, the entry, the durable commit, the receipt. The transaction alone: one row read
by its key, the entry, the commit, the receipt. The peer runs the same code with one function
exchanged, so that it inserts a row into one table, and gives no receipt.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import text

from app.access import CONSOLE, Caller
from app.accounts import tokens
from app.audit import guard
from app.audit.receipts import receipt
from app.audit.service import append
from app.clock import milliseconds, now
from app.lookups import service as lookups
from app.lookups.scoring import Query
from bench.audit_plain import append_plainly
from bench.preload import FACETS
from bench.stage import database_of
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Kind, LegalBasis, Purpose, Scope

_WARM_UP = 50
_LOOKUPS = 20  # on the page that is read
_GIVEN: dict[str, Any] = {
    "purpose": Purpose.CRIMINAL_INVESTIGATION,
    "basis": LegalBasis.CRIMINAL_PROCEDURE,
    "case": "PV-2026-17",
    "object_type": "lookup",
    "objects": ["019a0000-0000-7000-8000-000000000001"],
    "details": {"query": {"party": 1}, "hits": 0, "policies": []},
}


@dataclass(frozen=True)
class Compared:
    """Seconds of each read with our log and of its neighbour with the plain insert."""

    ours: Sequence[float]
    plain: Sequence[float]

    def figures(self) -> dict[str, Any]:
        """Milliseconds, and the ratio of the medians."""
        return {
            "p50_ms": _ms(median(self.ours)),
            "p99_ms": _ms(quantiles(self.ours, n=100)[98]),
            "plain_p50_ms": _ms(median(self.plain)),
            "plain_p99_ms": _ms(quantiles(self.plain, n=100)[98]),
            "ratio_p50": round(median(self.ours) / median(self.plain), 3),
            "reads": len(self.ours),
        }


def whole_request(app: Flask, caller: Caller, login: str, seconds: float) -> Compared:
    """The page of own lookups by an API token, as a program of a member reads it."""
    _look_up(app, caller)
    with app.app_context(), database_of(app).transaction() as session:
        made = tokens.create_token(session, CONSOLE, login, scopes=[Scope.LOOKUPS_WRITE], days=2)
    headers = {"Authorization": f"Bearer {made.text}"}
    client = app.test_client()

    def read() -> None:
        answer = client.get("/api/v1/lookups", headers=headers)
        assert answer.status_code == 200, answer.text
        assert len(answer.get_json()["lookups"]) == _LOOKUPS

    def ours() -> float:
        return _timed(read)

    def plain() -> float:
        with _plainly():
            return _timed(read)

    return _compare(ours, plain, seconds)


def transaction_alone(app: Flask, caller: Caller, seconds: float) -> Compared:
    """One row read by its key and told of: nothing else, so the log weighs most."""
    database = database_of(app)
    query = text("SELECT name FROM organisation WHERE code = :code")

    def ours() -> float:
        start = perf_counter()
        with database.transaction() as session:
            session.execute(query, {"code": caller.organisation}).first()
            entry = append(session, caller, "lookup.list", **_GIVEN)
        receipt(entry.leaf, milliseconds(now()))
        return perf_counter() - start

    def plain() -> float:
        start = perf_counter()
        with database.transaction() as session:
            session.execute(query, {"code": caller.organisation}).first()
            append_plainly(session, caller, "lookup.list", **_GIVEN)
        return perf_counter() - start

    with app.app_context():
        return _compare(ours, plain, seconds)


def _compare(ours: Callable[[], float], plain: Callable[[], float], seconds: float) -> Compared:
    spent: dict[bool, list[float]] = {True: [], False: []}
    ends = perf_counter() + seconds
    turn = 0
    while perf_counter() < ends or turn < 4 * _WARM_UP:
        for is_ours in (True, False) if turn % 2 else (False, True):
            spent[is_ours].append(ours() if is_ours else plain())
        turn += 1
    return Compared(spent[True][_WARM_UP:], spent[False][_WARM_UP:])


def _timed(read: Callable[[], None]) -> float:
    start = perf_counter()
    read()
    return perf_counter() - start


@contextmanager
def _plainly() -> Iterator[None]:
    """The platform with a plain audit table: same guard, same transaction, no receipt."""
    with ExitStack() as patches:
        patches.enter_context(patch.object(lookups, "append", append_plainly))
        patches.enter_context(patch.object(guard, "appended", lambda _session: [True]))
        patches.enter_context(patch.object(guard, "_keep_receipt", lambda _session: None))
        yield


def _look_up(app: Flask, caller: Caller) -> None:
    """Lookups of strangers, so that there is a page to read."""
    with app.app_context():
        for number in range(_LOOKUPS):
            tokens_ = [(facet, bytes([number]) * TOKEN_SIZE) for facet in sorted(set(FACETS))[:1]]
            with database_of(app).transaction() as session:
                lookups.ask(
                    session,
                    caller,
                    purpose=Purpose.CRIMINAL_INVESTIGATION,
                    legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
                    case="PV-2026-17",
                    queries=[Query("q", Kind.PARTY, 1, tokens_)],
                )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
