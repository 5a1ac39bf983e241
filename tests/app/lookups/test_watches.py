"""Watches: what is matched, who is told, and what they may see."""

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, event, insert, select

from app import clock, create_app
from app.access import CONSOLE
from app.accounts.models import RoleGrant
from app.config import Settings
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import service as indicators
from app.indicators.ledger import recipients
from app.lookups import watch_ending, watch_telling, watches
from app.lookups.models import Watch, WatchMatch, WatchToken
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.pseudonyms.service import EpochClosedError
from postern.facet_kinds import NUMBERS
from postern.normalise import Phone, Value, Vendor
from postern.pseudonym import clear_token
from postern.vocabulary import Kind, Role, Told, WatchEnd, Way
from tests.app.exchange import (
    ALERT_OWNER,
    CLOSED,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    REQUESTER_ONLY,
    SOPHIE,
    SOPHIE_TYPED,
    Exchange,
    b64,
    make_exchange,
    place,
    report,
)
from tests.app.lookups.watching import notices, read, submit, watch, work
from tests.app.people import make_person, runtime_of


def told(exchange: Exchange, code: str) -> list[str]:
    """Kinds of what an organisation was notified of."""
    return [kind for kind, _ in notices(exchange, code)]


def do(exchange: Exchange, verb: Callable[..., Any], *given: Any) -> Any:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return verb(session, *given)


def test_a_watch_tells_of_what_comes_later_and_what_it_is(exchange: Exchange) -> None:
    submit(exchange, "post-be", "before", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE_TYPED)
    sent = submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE), barrier_step=4)
    submit(exchange, "post-be", "k2", exchange.indicator(JAN))
    assert notices(exchange, "police-de") == []
    work(exchange)
    assert notices(exchange, "police-de") == [
        ("watch.matched", {"watch": str(made.id), "kind": "party"})
    ]
    indicator = str(sent.indicators[0])
    assert notices(exchange, "post-be") == [
        ("indicator.watched", {"indicator": indicator, "viewer": "police-de"})
    ]
    (asked,) = exchange.entries("watch.set")
    assert asked.details["case"] == "PV-2024-17"
    assert asked.details["query"] == {"party": 1}
    requesters, owners = exchange.entries("watch.match")
    assert (requesters.audience, owners.audience) == (["police-de"], ["post-be"])
    assert requesters.details == {
        "objects": [str(made.id), indicator],
        "level": "request",
        "policies": ["post-be/1"],
    }
    assert owners.details == {
        "objects": [indicator],
        "level": "request",
        "viewer": "police-de",
        "policy": "post-be/1",
        "policies": ["open/police"],
    }
    for entry in (requesters, owners):
        assert '"purpose":"criminal_investigation"' in entry.record
        assert '"basis":"criminal_procedure"' in entry.record

    reading = read(exchange, "police-de", made.id)
    (match,) = reading.matches
    assert (match.organisation.code, match.level, match.band) == ("post-be", "request", "strong")
    assert match.indicator is not None
    assert match.indicator["id"] == sent.indicators[0]
    assert match.report is not None
    assert (match.report.id, match.report.barrier_step) == (sent.id, 4)
    assert (match.is_new, reading.watch.has_news, reading.more) == (True, True, False)
    assert match.policy == "post-be/1"
    assert match.rules == ("Police of the exchange see everything that may leave",)
    assert match.rules[0] in match.words
    assert read(exchange, "police-de", made.id).watch.has_news is False
    (shared,) = exchange.entries("indicator.shared")  # once, however often it is read
    assert (shared.audience, shared.details["by"]) == (["post-be"], "watch.read")
    with exchange.database.reading() as session:
        (got,) = recipients(session, sent.indicators[0])
    assert (got.ways, got.level) == ([Way.WATCH], 3)
    first, second = exchange.entries("watch.read")
    assert first.details["objects"] == second.details["objects"] == [str(made.id), indicator]


def test_a_watch_matches_what_a_lookup_of_the_same_would_find(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    other = dataclasses.replace(SOPHIE, name="Pieter Claes")
    point = exchange.query(Phone("+32 2 555 12 34"))
    point = dataclasses.replace(
        point,
        kind=Kind.INDUCTION_POINT,
        epoch=0,
        tokens=[(30, clear_token("induction_point", "POINT=bpost|bru1|be"))],
    )
    asked: list[Value] = [SOPHIE_TYPED, JAN, other, Vendor("alpha", "sophie")]
    queries = [exchange.query(value, f"q{number}") for number, value in enumerate(asked)] + [
        dataclasses.replace(point, id="q4")
    ]
    made = [watch(exchange, "police-de", query).id for query in queries]
    values = (SOPHIE, other, Vendor("alpha", "Sophie"), Phone("+32 2 555 12 34"))
    given = [exchange.indicator(value) for value in values[:2]]
    given += [exchange.indicator(values[2], role="vendor"), exchange.indicator(values[3]), place()]
    submit(exchange, "post-be", "k1", *given)
    work(exchange)
    answer = exchange.ask("police-de", *queries)
    for watch_id, result in zip(made, answer.results, strict=True):
        matches = read(exchange, "police-de", watch_id).matches
        found = {(hit.indicator or {})["id"]: hit.band for hit in result.hits}
        assert {(each.indicator or {})["id"]: each.band for each in matches} == found
    assert [len(result.hits) for result in answer.results] == [1, 0, 1, 1, 1]
    rows = exchange.rows(select(WatchMatch).order_by(WatchMatch.watch_id))
    assert [row.points for row in rows] == [
        hit.points for result in answer.results for hit in result.hits
    ]


def test_the_number_behind_a_presence_is_hidden(exchange: Exchange) -> None:
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE)
    sent = []
    for number in range(3):
        sent.append(submit(exchange, "post-be", f"k{number}", exchange.indicator(SOPHIE)))
        work(exchange)
    assert told(exchange, "police-de") == ["watch.matched"]
    assert told(exchange, "post-be") == ["indicator.watched"] * 3  # its own, so it may count
    entries = [each for each in exchange.entries("watch.match") if each.audience == ["police-de"]]
    assert [each.details for each in entries] == [
        {"objects": [str(made.id)], "level": "presence", "policies": []}
    ]
    reading = read(exchange, "police-de", made.id)
    (match,) = reading.matches
    assert (match.organisation.code, match.level) == ("post-be", "presence")
    assert (match.indicator, match.report, match.policy, match.rules) == (None, None, None, ())
    submit(exchange, "post-be", "k4", exchange.indicator(SOPHIE))
    work(exchange)
    again = read(exchange, "police-de", made.id)
    assert again.matches == [dataclasses.replace(match, is_new=False)]
    assert again.watch.has_news is False
    with exchange.database.reading() as session:
        assert recipients(session, sent[0].indicators[0]) == []
    assert exchange.entries("indicator.shared") == []

    # What was a presence and is more by now is told to its owner when it leaves.
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert len(read(exchange, "police-de", made.id).matches) == 4
    assert len(exchange.entries("indicator.shared")[0].details["objects"]) == 4


POLICIES = {
    "open": OPEN_TO_POLICE,
    "requester": OPEN_TO_POLICE + REQUESTER_ONLY,
    "alert": ALERT_OWNER,
    "closed": CLOSED,
}


@pytest.mark.parametrize(
    ("tells", "requester", "owner", "alert"),
    [
        (Told.BOTH, {"open", "requester"}, {"open"}, {"alert"}),
        (Told.REQUESTER_ONLY, {"open", "requester"}, set(), set()),
        (Told.OWNER_ONLY, set(), set(), {"open", "alert"}),
    ],
)
def test_who_is_told_is_what_both_the_watch_and_the_policy_say(
    exchange: Exchange, tells: Told, requester: set[str], owner: set[str], alert: set[str]
) -> None:
    made = watch(exchange, "police-de", SOPHIE, tells=tells)
    sent = {}
    for name, text in POLICIES.items():
        exchange.publish("customs-nl", text)
        sent[name] = submit(exchange, "customs-nl", name, exchange.indicator(SOPHIE)).indicators[0]
        work(exchange)
    names = {str(indicator): name for name, indicator in sent.items()}
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    shown = {
        names[str((match.indicator or {})["id"])]
        for match in read(exchange, "police-de", made.id).matches
    }
    assert shown == requester
    assert told(exchange, "police-de") == ["watch.matched"] * len(requester)
    assert told(exchange, "customs-nl") == ["indicator.watched"] * len(owner | alert)

    def owners(act: str) -> set[str]:
        entries = [e for e in exchange.entries(act) if e.audience == ["customs-nl"]]
        return {names[each.details["objects"][0]] for each in entries}

    assert owners("watch.match") == owner
    assert owners("indicator.alert") == alert
    assert all(e.details["by"] == "watch.match" for e in exchange.entries("indicator.alert"))
    told_of_reading = exchange.entries("indicator.shared")
    assert bool(told_of_reading) == bool(shown)  # what leaves is told, whatever the watch says


def test_the_policy_is_asked_when_it_is_told_and_again_when_it_is_read(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", CLOSED)
    work(exchange)
    exchange.publish("post-be", OPEN_TO_POLICE)
    work(exchange)
    assert told(exchange, "police-de") == told(exchange, "post-be") == []
    assert read(exchange, "police-de", made.id).matches == []  # and stays untold

    submit(exchange, "post-be", "k2", exchange.indicator(SOPHIE))
    work(exchange)
    exchange.publish("post-be", CLOSED)
    page = do(exchange, watches.list_own, exchange.caller("police-de"))
    assert [each.has_news for each in page.watches] == [False]
    assert read(exchange, "police-de", made.id).matches == []
    exchange.publish("post-be", OPEN_TO_POLICE)
    page = do(exchange, watches.list_own, exchange.caller("police-de"))
    assert [each.has_news for each in page.watches] == [True]
    figures = do(exchange, watches.figures, exchange.organisation_id("police-de"))
    assert (figures.live, figures.with_news) == (1, 1)
    assert len(read(exchange, "police-de", made.id).matches) == 1


def test_a_suspended_organisation_is_told_nothing_and_nothing_of_it_is_told(
    exchange: Exchange,
) -> None:
    def set_status(code: str, status: OrganisationStatus) -> None:
        do(exchange, organisations.set_status, CONSOLE, code, status)

    exchange.publish("post-be", OPEN_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    set_status("police-de", OrganisationStatus.SUSPENDED)
    work(exchange)
    set_status("police-de", OrganisationStatus.ACTIVE)
    submit(exchange, "post-be", "k2", exchange.indicator(SOPHIE))
    set_status("post-be", OrganisationStatus.SUSPENDED)
    work(exchange)
    set_status("post-be", OrganisationStatus.ACTIVE)
    assert told(exchange, "police-de") == told(exchange, "post-be") == []
    assert exchange.entries("watch.match") == []
    (kept,) = exchange.rows(select(Watch))
    assert kept.ended_at is None  # it waits on
    submit(exchange, "post-be", "k3", exchange.indicator(SOPHIE))
    work(exchange)
    assert told(exchange, "police-de") == ["watch.matched"]
    set_status("post-be", OrganisationStatus.SUSPENDED)
    assert read(exchange, "police-de", made.id).matches == []


def test_a_match_is_told_once_however_often_its_job_runs(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    watch(exchange, "police-de", SOPHIE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    (row,) = exchange.rows(select(WatchMatch))
    ready = Barrier(3)

    def tell(_number: int) -> None:
        ready.wait()
        job = {"watch": row.watch_id, "indicator": row.indicator_id}
        do(exchange, watch_telling.tell, job)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(tell, range(3)))
    work(exchange)
    assert told(exchange, "police-de") == ["watch.matched"]
    assert told(exchange, "post-be") == ["indicator.watched"]
    assert len(exchange.entries("watch.match")) == 2


def test_an_indicator_that_is_gone_by_then_is_not_told_of(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE)
    sent = submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    do(exchange, indicators.withdraw, exchange.caller("post-be"), sent.id, "error")
    work(exchange)
    assert told(exchange, "police-de") == []
    assert exchange.rows(select(WatchMatch)) == []
    assert read(exchange, "police-de", made.id).matches == []


def test_ones_own_indicators_are_matched_too_and_only_oneself_is_told(exchange: Exchange) -> None:
    made = watch(exchange, "police-de", SOPHIE)
    sent = submit(exchange, "police-de", "k1", exchange.indicator(SOPHIE))
    work(exchange)
    assert told(exchange, "police-de") == ["watch.matched"]
    (match,) = read(exchange, "police-de", made.id).matches
    assert (match.organisation.code, match.level) == ("police-de", "request")
    assert exchange.entries("indicator.shared") == []
    with exchange.database.reading() as session:
        assert recipients(session, sent.indicators[0]) == []


def test_a_submission_runs_the_same_statements_whether_or_not_it_is_watched_for(
    exchange: Exchange,
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    watch(exchange, "police-de", SOPHIE)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(exchange.database.engine, "before_cursor_execute", note)
    ran = []
    for number, value in enumerate((JAN, SOPHIE, JAN, SOPHIE)):
        statements.clear()
        answer = exchange.submit("post-be", report(f"k{number}", exchange.indicator(value)))
        ran.append((dict(answer.counts), len(answer.results), list(statements)))
    assert ran[2] == ran[3]  # the first of each may have had to make a share class
    assert len(exchange.rows(select(WatchMatch))) == 2
    entries = exchange.entries("report.submit")
    assert len({tuple(sorted(each.details)) for each in entries}) == 1
    assert {tuple(each.audience) for each in entries} == {("post-be",)}


def test_a_stopped_watch_has_no_tokens_and_matches_nothing(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    made = watch(exchange, "police-de", SOPHIE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))  # to be told after the end
    with pytest.raises(NotFoundError):
        do(exchange, watch_ending.stop, exchange.caller("post-be"), made.id)
    do(exchange, watch_ending.stop, exchange.caller("police-de"), made.id)
    (kept,) = exchange.rows(select(Watch))
    assert (kept.end, exchange.rows(select(WatchToken))) == (WatchEnd.STOPPED, [])
    do(exchange, watch_ending.stop, exchange.caller("police-de"), made.id)
    (again,) = exchange.rows(select(Watch))
    assert again.ended_at == kept.ended_at
    submit(exchange, "post-be", "k2", exchange.indicator(SOPHIE))
    work(exchange)
    assert told(exchange, "police-de") == told(exchange, "post-be") == []
    assert len(exchange.rows(select(WatchMatch))) == 1
    reading = read(exchange, "police-de", made.id)
    assert (reading.watch.is_live, reading.matches) == (False, [])
    with pytest.raises(NotFoundError):
        read(exchange, "post-be", made.id)


def test_a_watch_ends_on_its_last_day_and_its_record_is_erased_later(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    today = clock.now().date()
    made = watch(exchange, "police-de", SOPHIE, expires_on=today + timedelta(days=2))
    kept = watch(exchange, "police-de", JAN)
    later = clock.now() + timedelta(days=2)
    for module in (indicators, watch_telling):
        monkeypatch.setattr(module, "now", lambda: later)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    assert exchange.rows(select(WatchMatch)) == []  # though nothing swept it yet
    assert do(exchange, watch_ending.expire, later.date() - timedelta(days=1)) == 0
    assert do(exchange, watch_ending.expire, later.date()) == 1
    ended, waiting = exchange.rows(select(Watch).order_by(Watch.id))
    assert (ended.end, waiting.end) == (WatchEnd.EXPIRED, None)
    ids = {token.watch_id for token in exchange.rows(select(WatchToken))}
    assert ids == {waiting.id}
    (entry,) = exchange.entries("watch.expire")
    assert entry.audience == ["platform", "police-de"]
    assert entry.details["objects"] == [str(made.id)]

    days = runtime_of(exchange.app).settings.retention.lookup_days
    last = ended.expires_on + timedelta(days=days)
    assert do(exchange, watch_ending.erase_records, last - timedelta(days=1)) == 0
    assert do(exchange, watch_ending.erase_records, last) == 1
    assert [row.public_id for row in exchange.rows(select(Watch))] == [kept.id]
    (erased,) = exchange.entries("watch.erase")
    assert erased.audience == ["platform", "police-de"]
    assert erased.details["objects"] == [str(made.id)]


@pytest.mark.parametrize("found_by", ["the job", "the sweep"])
def test_a_watch_ends_with_the_right_of_who_set_it(exchange: Exchange, found_by: str) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    watch(exchange, "police-de", SOPHIE)
    _, person_id = exchange.caller("police-de").member
    mine = RoleGrant.person_id == person_id, RoleGrant.role == Role.ANALYST
    do(exchange, lambda session: session.execute(delete(RoleGrant).where(*mine)))
    make_person(exchange.app, "police-de", [Role.ANALYST])  # a colleague's does not count
    if found_by == "the job":
        submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
        work(exchange)
    else:
        assert do(exchange, watch_ending.end_without_right, clock.now().date()) == 1
        assert do(exchange, watch_ending.end_without_right, clock.now().date()) == 0
    assert notices(exchange, "police-de") == [("watch.ended", {"count": 1})]
    assert told(exchange, "post-be") == []
    assert exchange.rows(select(WatchToken)) == []
    (entry,) = exchange.entries("watch.expire")
    assert entry.audience == ["platform", "police-de"]
    assert entry.details["reason"] == "no-analyst"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tokens": [(3, b"x" * 16), (4, b"x" * 16)]}, "json.tokens"),
        ({"tokens": [(20, b"x" * 16)]}, "json.tokens"),
        ({"epoch": 0}, "json.epoch"),
    ],
)
def test_a_watch_that_contradicts_itself_is_refused(
    exchange: Exchange, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        watch(exchange, "police-de", dataclasses.replace(exchange.query(SOPHIE), **change))
    assert [each["field"] for each in refused.value.extensions["errors"]] == [field]


def test_a_watch_that_could_match_nothing_or_for_ever_is_refused(exchange: Exchange) -> None:
    query = exchange.query(SOPHIE)
    with pytest.raises(EpochClosedError):
        watch(exchange, "police-de", dataclasses.replace(query, epoch=2))
    sound = [(NUMBERS["VENDOR*SOUND"], b"x" * 16)]
    vendor = dataclasses.replace(exchange.query(Vendor("alpha", "sophie")), tokens=sound)
    watch(exchange, "police-de", vendor)
    today, most = clock.now().date(), runtime_of(exchange.app).settings.disclosure.watch_days
    for last in (today, today + timedelta(days=most + 1)):
        with pytest.raises(InvalidRequestError) as refused:
            watch(exchange, "police-de", query, expires_on=last)
        assert [each["field"] for each in refused.value.extensions["errors"]] == ["json.expires_on"]
    watch(exchange, "police-de", query, expires_on=today + timedelta(days=most))


def test_no_organisation_watches_for_more_than_it_may(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "MOST_LIVE", 2)
    made = watch(exchange, "police-de", SOPHIE)
    watch(exchange, "police-de", JAN)
    watch(exchange, "customs-nl", JAN)
    with pytest.raises(watches.TooManyWatchesError):
        watch(exchange, "police-de", JAN)
    do(exchange, watch_ending.stop, exchange.caller("police-de"), made.id)
    watch(exchange, "police-de", JAN)


def test_the_same_is_watched_for_as_often_as_an_indicator_may_be_held(settings: Settings) -> None:
    few = dataclasses.replace(settings.matching, common_after=2)
    app = create_app(dataclasses.replace(settings, matching=few))
    exchange = make_exchange(app)
    exchange.publish("post-be", OPEN_TO_POLICE)
    query = exchange.query(SOPHIE)
    common = [query.tokens[0]] + [(facet, os.urandom(16)) for facet, _ in query.tokens[1:]]
    for _ in range(2):
        watch(exchange, "police-de", dataclasses.replace(query, tokens=common))
    made = watch(exchange, "police-de", query)  # without the facet that is common by now
    left_out = query.tokens[0][0]
    with exchange.database.reading() as session:
        stored = set(
            session.scalars(
                select(WatchToken.facet).where(
                    WatchToken.watch_id.in_(select(Watch.id).where(Watch.public_id == made.id))
                )
            )
        )
    assert stored == {facet for facet, _ in query.tokens} - {left_out}
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    work(exchange)
    assert len(read(exchange, "police-de", made.id).matches) == 1
    with pytest.raises(watches.TooManyWatchesError):
        watch(exchange, "police-de", dataclasses.replace(query, tokens=common))
    runtime_of(app).database.dispose()


def test_setting_and_submitting_at_once_fails_nobody_and_what_comes_after_is_matched(
    exchange: Exchange,
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    ready = Barrier(3)

    def set_some(code: str) -> list[Any]:
        ready.wait()
        return [watch(exchange, code, SOPHIE).id for _ in range(4)]

    def keep_submitting() -> None:
        ready.wait()
        for number in range(6):
            submit(exchange, "post-be", f"k{number}", exchange.indicator(SOPHIE))

    with ThreadPoolExecutor(3) as pool:
        setting = [pool.submit(set_some, code) for code in ("police-de", "customs-nl")]
        submitting = pool.submit(keep_submitting)
        made = [watch_id for each in setting for watch_id in each.result()]
        submitting.result()
    last = submit(exchange, "post-be", "last", exchange.indicator(SOPHIE)).indicators[0]
    work(exchange)
    rows = exchange.rows(select(WatchMatch))
    assert all(row.judged_at is not None for row in rows)
    for watch_id in made[:4]:
        shown = [
            (match.indicator or {})["id"] for match in read(exchange, "police-de", watch_id).matches
        ]
        assert last in shown
        # What a watch missed because it was being set, the lookup that goes with it finds.
        answer = exchange.ask("police-de", SOPHIE)
        assert len(answer.results[0].hits) == 7


def test_many_watches_that_share_little_with_a_value_are_no_matches(exchange: Exchange) -> None:
    """More watches than one statement takes: all have its house number, one is of the value."""
    query = exchange.query(SOPHIE)
    watch(exchange, "police-de", query)
    (row,) = exchange.rows(select(Watch))
    shared, others = NUMBERS["P*H"], [facet for facet, _ in query.tokens][:6]
    columns = [column.name for column in Watch.__table__.columns]
    copies = [
        {name: getattr(row, name) for name in columns}
        | {"id": row.id + number, "public_id": uuid4()}
        for number in range(1, 1201)
    ]
    tokens = [
        {"token": token, "watch_id": copy["id"], "facet": facet}
        for copy in copies
        for facet, token in (
            (shared, dict(query.tokens)[shared]),
            *((facet, os.urandom(16)) for facet in others if facet != shared),
        )
    ]
    with exchange.database.transaction() as session:
        session.execute(insert(Watch), copies)
        session.execute(insert(WatchToken), tokens)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    (match,) = exchange.rows(select(WatchMatch))
    assert match.watch_id == row.id


def test_the_log_holds_no_token(exchange: Exchange) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    query = exchange.query(SOPHIE)
    made = watch(exchange, "police-de", query)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    work(exchange)
    read(exchange, "police-de", made.id)
    said = "".join(
        entry.record + repr(entry.details)
        for act in ("watch.set", "watch.match", "watch.read", "indicator.shared")
        for entry in exchange.entries(act)
    ) + repr((notices(exchange, "police-de"), notices(exchange, "post-be")))
    assert not [facet for facet, token in query.tokens if b64(token) in said]
    assert not [facet for facet, token in query.tokens if token.hex() in said]
    assert "PV-2024-17" not in repr(exchange.entries("watch.match"))
