"""The same lookup with policy, with policy taken out, and with Cedar asked about every row.

All three are the service's verb with its record, its audit entries and its commit; only the two
functions that know policy are exchanged. `bare` has no profile to find and reads nothing but the
postings: neither a decision nor who is suspended. Its answers must be those of the reader who is
let see everything, and `naive` must answer each reader exactly as the policy of the platform does.
"""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median, quantiles
from time import perf_counter
from typing import Any, TypeAlias, cast
from unittest.mock import patch

from sqlalchemy import LargeBinary, Table, bindparam, event, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.clock import day, now
from app.indicators.models import Token
from app.lookups import service
from app.lookups.answers import Result
from app.lookups.scoring import Query
from app.sharing import grants, visibility
from app.sharing import service as sharing
from app.sharing.classes import age_band
from app.sharing.classes import read as read_class
from app.sharing.models import GrantReason, ShareClass
from app.sharing.seats import Seat
from app.sharing.visibility import REQUEST, Match
from bench.policy_naive import NaivePolicies, OwnedClass
from bench.policy_stage import PolicyStage, Reader, policy_text, profile_of
from bench.preload import FACETS, POOLED, Tokens, known
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Kind, Role

WARM_UP = 40
MOST = 4000  # queries of one measurement
KNOWN = 1500  # indicators that queries look for
LEAST_NAIVE = 48  # queries
STATEMENTS = 600  # queries whose statements are run by themselves

Matching: TypeAlias = Callable[[Session, int, Sequence[bytes], datetime], list[Match]]

_POOLED_FACETS = frozenset(FACETS[place] for place in POOLED)


@dataclass
class Turn:
    """Seconds of lookups made one way: the whole, and finding the profile and the matches."""

    whole: list[float] = field(default_factory=list)
    part: list[float] = field(default_factory=list)


@dataclass
class Measured:
    """Lookups and statements of the same queries, by turns; all in seconds."""

    policy: Turn = field(default_factory=Turn)
    bare: Turn = field(default_factory=Turn)
    naive: Turn = field(default_factory=Turn)
    beside_naive: Turn = field(default_factory=Turn)  # with policy, the same queries
    statement: list[float] = field(default_factory=list)
    bare_statement: list[float] = field(default_factory=list)
    hits: int = 0
    rows: int = 0
    part_hits: int = 0  # of the reader who sees a part
    part_queries: int = 0

    def figures(self) -> dict[str, Any]:
        """What the JSON line says of it; `added` is against bare, in per cent of bare."""
        statement, bare_statement = self.statement, self.bare_statement
        return {
            "p50_ms": _ms(median(self.policy.whole)),
            "p99_ms": _ms(_p99(self.policy.whole)),
            "bare_p50_ms": _ms(median(self.bare.whole)),
            "bare_p99_ms": _ms(_p99(self.bare.whole)),
            "added_p50_ms": _ms(median(_paired(self.policy.whole, self.bare.whole))),
            "added_p50_percent": _percent(
                median(_paired(self.policy.whole, self.bare.whole)), median(self.bare.whole)
            ),
            "added_p99_percent": _percent(
                _p99(self.policy.whole) - _p99(self.bare.whole), _p99(self.bare.whole)
            ),
            "profile_and_matches": {
                "p50_ms": _ms(median(self.policy.part)),
                "bare_p50_ms": _ms(median(self.bare.part)),
                "added_p50_ms": _ms(median(_paired(self.policy.part, self.bare.part))),
                "added_p50_percent_of_lookup": _percent(
                    median(_paired(self.policy.part, self.bare.part)), median(self.bare.whole)
                ),
            },
            "statement": {
                "p50_ms": _ms(median(statement)),
                "p99_ms": _ms(_p99(statement)),
                "bare_p50_ms": _ms(median(bare_statement)),
                "bare_p99_ms": _ms(_p99(bare_statement)),
                "added_p50_ms": _ms(median(_paired(statement, bare_statement))),
                "added_p50_percent_of_lookup": _percent(
                    median(_paired(statement, bare_statement)), median(self.bare.whole)
                ),
                "ratio_p50": round(median(statement) / median(bare_statement), 2),
            },
            "naive": {
                "p50_ms": _ms(median(self.naive.whole)),
                "p99_ms": _ms(_p99(self.naive.whole)),
                "ratio_p50": round(median(self.naive.whole) / median(self.beside_naive.whole), 1),
                "ratio_of_matches_p50": round(
                    median(self.naive.part) / median(self.beside_naive.part), 1
                ),
                "ratio_of_all_time": round(sum(self.naive.whole) / sum(self.beside_naive.whole), 1),
                "queries": len(self.naive.whole),
            },
            "queries": len(self.policy.whole),
            "hits_per_query": round(self.hits / len(self.policy.whole), 2),
            "hits_per_query_of_a_part": round(self.part_hits / self.part_queries, 2),
            "index_rows_per_query": round(self.rows / len(self.statement), 1),
        }


def measure(stage: PolicyStage, seconds: float) -> Measured:
    """The figures of one reader's lookups; about `seconds` of them, then of naive."""
    queries = _queries(known(stage.on, KNOWN))
    ways = _Ways(stage)
    found = Measured()
    _ask_in_turns(ways, queries, found, seconds)
    _ask_naively(ways, queries, found, seconds / 2)
    _run_statements(ways, queries[:STATEMENTS], found)
    return found


def _queries(stored: Sequence[Tokens]) -> list[Tokens]:
    """Half of them the tokens of an indicator, half strangers who share the pooled tokens."""
    draw = random.Random(7)  # noqa: S311 - variety, not secrecy
    queries: list[Tokens] = []
    for number, tokens in enumerate(stored):
        if number % 2:
            pooled = [(facet, token) for facet, token in tokens if facet in _POOLED_FACETS]
            own = [(facet, os.urandom(TOKEN_SIZE)) for facet in FACETS]
            queries.append((pooled + own)[: len(FACETS)])
        else:
            queries.append(tokens)
    draw.shuffle(queries)
    return queries


def _ask_in_turns(
    ways: "_Ways", queries: Sequence[Tokens], found: Measured, seconds: float
) -> None:
    began = perf_counter()
    for place in range(MOST):
        if place == WARM_UP:
            found.policy, found.bare, found.hits = Turn(), Turn(), 0
            began = perf_counter()
        if perf_counter() - began > seconds and place > 2 * WARM_UP:
            break
        query = queries[place % len(queries)]
        if place % 2:
            shown = ways.with_policy(ways.police, query, found.policy)
            bare = ways.bare(query, found.bare)
        else:
            bare = ways.bare(query, found.bare)
            shown = ways.with_policy(ways.police, query, found.policy)
        assert shown == bare, "the policies hide something from the police"
        found.hits += len(shown.hits)


def _ask_naively(ways: "_Ways", queries: Sequence[Tokens], found: Measured, seconds: float) -> None:
    began = perf_counter()
    for place, query in enumerate(queries):
        if perf_counter() - began > seconds and place >= LEAST_NAIVE:
            break
        shown = ways.with_policy(ways.police, query, found.beside_naive)
        assert ways.naive(ways.police, query, found.naive) == shown, "the naive way disagrees"
        if place % 2 == 0:
            part = ways.with_policy(ways.customs, query, Turn())
            assert ways.naive(ways.customs, query, Turn()) == part, "the naive way disagrees"
            found.part_hits += len(part.hits)
            found.part_queries += 1


def _run_statements(ways: "_Ways", queries: Sequence[Tokens], found: Measured) -> None:
    """The two statements of each query, by turns, over an open connection of the driver."""
    pairs = [ways.statements(query) for query in queries]
    with ways.database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if not ways.database.is_sqlite:
            driver.autocommit = True
        for place, (with_policy, bare) in enumerate((*pairs[:WARM_UP], *pairs)):
            if place == WARM_UP:
                found.statement, found.bare_statement, found.rows = [], [], 0
            if place % 2:
                matched = _timed(driver, with_policy, found.statement)
                postings = _timed(driver, bare, found.bare_statement)
            else:
                postings = _timed(driver, bare, found.bare_statement)
                matched = _timed(driver, with_policy, found.statement)
            assert matched == postings, "the policies hide something from the police"
            found.rows += postings


def _timed(driver: Any, statement: "_Statement", into: list[float]) -> int:
    """Run a statement, note its seconds; how many rows it found."""
    start = perf_counter()
    rows = driver.execute(statement.text, statement.parameters).fetchall()
    into.append(perf_counter() - start)
    return len(rows)


@dataclass(frozen=True)
class _Statement:
    """A statement as the platform gave it to the driver."""

    text: str
    parameters: Any


class _Ways:
    """The three ways to ask, on one stage."""

    def __init__(self, stage: PolicyStage) -> None:
        self._app = stage.app
        self.database = stage.on.database
        self.police, self.customs = stage.police, stage.customs
        with self._app.app_context(), self.database.transaction() as session:
            self._profiles = {
                each.caller.organisation: profile_of(session, each)
                for each in (stage.police, stage.customs)
            }
            # Any reason will do for hits that nobody decided on.
            self._reason = session.scalars(
                select(GrantReason.id)
                .where(GrantReason.policy_version_id.is_not(None))
                .order_by(GrantReason.id)
                .limit(1)
            ).one()
            members = grants.members(session)
            self._classes = {
                row.id: OwnedClass(members[row.organisation_id].code, read_class(row.attributes))
                for row in session.execute(
                    select(ShareClass.id, ShareClass.organisation_id, ShareClass.attributes)
                )
            }
        by_code = {member.code: member for member in members.values()}
        self._members = by_code
        self._naive = NaivePolicies(
            {
                caller.organisation: (by_code[caller.organisation], policy_text(number))
                for number, caller in enumerate(stage.owners)
            }
        )
        self._postings = _POSTINGS_SQLITE if self.database.is_sqlite else _POSTINGS_POSTGRESQL
        self._to_rule = self._postings.add_columns(_TOKEN.c.share_class_id, _TOKEN.c.seen_day)

    def with_policy(self, reader: Reader, query: Tokens, turn: Turn) -> Result:
        """As the service does it."""
        return self._ask(reader, query, turn, sharing.profile_id, visibility.matching_tokens)

    def bare(self, query: Tokens, turn: Turn) -> Result:
        """Without any policy: every posting is a hit of which both sides are told."""
        return self._ask(self.police, query, turn, self._profile_of(self.police), self._all)

    def naive(self, reader: Reader, query: Tokens, turn: Turn) -> Result:
        """With Cedar asked about every posting."""
        seat = Seat(
            self._members[reader.caller.organisation],
            Role.ANALYST,
            reader.purpose,
            reader.legal_basis,
        )

        def rule(
            session: Session, _profile: int, tokens: Sequence[bytes], at: datetime
        ) -> list[Match]:
            asking = self._naive.reader(seat)
            found = []
            rows = session.connection().execute(self._to_rule, {"tokens": tokens})
            for indicator_id, token, facet, class_id, seen_day in rows:
                band = age_band(day(at) - seen_day)
                level, is_told = asking.rule(self._classes[class_id], band)
                if level:
                    found.append(Match(indicator_id, token, facet, level, is_told, self._reason))
            return sorted(found, key=lambda match: (match.indicator_id, match.token))

        return self._ask(reader, query, turn, self._profile_of(reader), rule)

    def statements(self, query: Tokens) -> tuple[_Statement, _Statement]:
        """The statement of the matches with policy and without, as the driver gets them."""
        tokens = [token for _, token in query]
        profile = self._profiles[self.police.caller.organisation]
        caught: list[_Statement] = []

        def catch(_c: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
            caught.append(_Statement(text, parameters))

        event.listen(self.database.engine, "before_cursor_execute", catch)
        try:
            with Session(self.database.engine) as session:
                visibility.matching_tokens(session, profile, tokens, now())
                self._all(session, profile, tokens, now())
        finally:
            event.remove(self.database.engine, "before_cursor_execute", catch)
        with_policy, bare = (each for each in caught if "token" in each.text)
        return with_policy, bare

    def _all(
        self, session: Session, _profile: int, tokens: Sequence[bytes], _at: datetime
    ) -> list[Match]:
        rows = session.connection().execute(self._postings, {"tokens": tokens})
        found = [Match(*row, REQUEST, True, self._reason) for row in rows]
        return sorted(found, key=lambda match: (match.indicator_id, match.token))

    def _profile_of(self, reader: Reader) -> Callable[..., int]:
        known_id = self._profiles[reader.caller.organisation]
        return lambda *_: known_id

    def _ask(
        self,
        reader: Reader,
        query: Tokens,
        turn: Turn,
        profile_id: Callable[..., int],
        matching: Matching,
    ) -> Result:
        spent = 0.0

        def timed(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                nonlocal spent
                start = perf_counter()
                found = function(*arguments)
                spent += perf_counter() - start
                return found

            return run

        with (
            self._app.app_context(),
            patch.object(service, "profile_id", timed(profile_id)),
            patch.object(service, "matching_tokens", timed(matching)),
        ):
            start = perf_counter()
            with self.database.transaction() as session:
                answer = service.ask(
                    session,
                    reader.caller,
                    purpose=reader.purpose,
                    legal_basis=reader.legal_basis,
                    case="PV-2024-17",
                    queries=[Query("q", Kind.PARTY, 1, query)],
                )
            turn.whole.append(perf_counter() - start)
        turn.part.append(spent)
        return answer.results[0]


def _paired(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    return [mine - other for mine, other in zip(ours, others, strict=True)]


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[98]


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


_TOKEN = cast("Table", Token.__table__)
_POSTINGS = select(_TOKEN.c.indicator_id, _TOKEN.c.token, _TOKEN.c.facet)
_ASKED = (
    func.unnest(bindparam("tokens", type_=ARRAY(LargeBinary)))
    .table_valued("token")
    .render_derived(name="asked")
)
_POSTINGS_POSTGRESQL = _POSTINGS.select_from(_ASKED).join(_TOKEN, _TOKEN.c.token == _ASKED.c.token)
_POSTINGS_SQLITE = _POSTINGS.where(
    _TOKEN.c.token.in_(bindparam("tokens", type_=LargeBinary, expanding=True))
)
