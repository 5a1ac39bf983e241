"""The outbox is drained: at least once, never by two at once, and what cannot be done is dead."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.jobs import draining, outbox
from app.jobs.draining import (
    HopelessError,
    Pace,
    UnknownJobError,
    drain,
    has_due,
    pause_after,
    retry,
    run_one,
    standings,
    tidy,
)
from app.jobs.models import JobState, Outbox
from app.jobs.outbox import Ending, Errand, Handlers, handle, hold_back, put
from app.logs import configure_logs
from app.runtime import Runtime
from app.secret_files import read as read_secrets
from tests.app.bare import Clock

CLEAR = "Musterstrasse 12"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (draining, outbox):
        monkeypatch.setattr(module, "now", clock)
    return clock


@pytest.fixture
def runtime(settings: Settings, database: Database, clock: Clock) -> Runtime:
    configure_logs(settings.log)
    made = Runtime(settings, database, read_secrets(Path(settings.secrets.directory)))
    made.add(Handlers())
    made.add(Pace())
    return made


def ask(database: Database, topic: str = "sweep", number: int = 1, **more: Any) -> None:
    with database.transaction() as session:
        put(session, topic, {"number": number}, **more)


def rows(database: Database) -> list[Outbox]:
    with database.reading() as session:
        found = list(session.scalars(select(Outbox).order_by(Outbox.id)))
        session.expunge_all()
        return found


def found(session: Session, payload: Mapping[str, Any]) -> None:
    """A handler whose effect is in the database."""
    number = payload["number"]
    session.execute(
        text("INSERT INTO community (code, name) VALUES (:code, 'A')"), {"code": f"c{number}"}
    )


def communities(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT code FROM community ORDER BY code")))


def test_what_is_asked_for_is_done_once_it_is_due_and_committed(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    ask(database)
    ask(database, number=2, due_at=clock.at + timedelta(hours=1))
    with suppress(ZeroDivisionError), database.transaction() as session:
        put(session, "sweep", {"number": 3})
        raise ZeroDivisionError
    assert drain(runtime) == 1
    assert communities(database) == ["c1"]
    clock.at += timedelta(hours=1)
    with database.reading() as session:
        assert has_due(session, runtime)
    assert drain(runtime) == 1
    assert communities(database) == ["c1", "c2"]
    assert [row.state for row in rows(database)] == [JobState.DONE] * 2


def test_what_is_asked_for_under_one_key_is_done_once(runtime: Runtime, database: Database) -> None:
    handle(runtime, "sweep", found)
    for _ in range(2):
        ask(database, key="a")
        drain(runtime)
    assert [row.state for row in rows(database)] == [JobState.DONE]


def test_a_failed_try_is_undone_and_repeated_ever_later_until_the_row_is_dead(
    runtime: Runtime, database: Database, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(session: Session, payload: Mapping[str, Any]) -> None:
        found(session, payload)
        raise RuntimeError(CLEAR)

    handle(runtime, "sweep", fail)
    pace = runtime.part(Pace)
    ask(database)
    for number in range(1, pace.tries + 1):
        assert drain(runtime) == 1
        (row,) = rows(database)
        assert (row.tries, row.error, row.lease) == (number, "RuntimeError", None)
        if number < pace.tries:
            whole = min(pace.longest_pause, pace.first_pause * 2 ** (number - 1))
            assert whole / 2 <= row.due_at - clock.at <= whole * 1.5
            clock.at = row.due_at
    assert row.state is JobState.DEAD
    assert communities(database) == []
    clock.at += timedelta(days=7)
    assert drain(runtime) == 0
    assert CLEAR not in capsys.readouterr().err + repr(vars(row))


def test_the_pauses_are_not_all_the_same() -> None:
    assert len({pause_after(Pace(), 3) for _ in range(50)}) > 1


def test_what_is_hopeless_is_dead_at_once_and_stops_no_other(
    runtime: Runtime, database: Database
) -> None:
    def refuse(_session: Session, _payload: Mapping[str, Any]) -> None:
        raise HopelessError

    handle(runtime, "hopeless", refuse)
    handle(runtime, "sweep", found)
    ask(database, "hopeless")
    ask(database)
    assert drain(runtime) == 2
    assert [row.state for row in rows(database)] == [JobState.DEAD, JobState.DONE]


def test_a_row_of_a_worker_that_is_gone_is_done_after_its_lease(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    ask(database)
    with database.transaction() as session:
        assert draining._take(session, runtime) is not None  # and the worker is killed
    assert drain(runtime) == 0
    clock.at += Pace().lease + timedelta(seconds=1)
    assert drain(runtime) == 1
    (row,) = rows(database)
    assert (row.state, row.tries) == (JobState.DONE, 2)


def test_a_row_that_kills_every_worker_is_dead_after_its_last_try(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    ended: list[tuple[Ending, str]] = []
    errand = Errand(
        lambda *_: lambda: None,
        lambda _session, _payload, ending, error: ended.append((ending, error)),
    )
    handle(runtime, "sweep", errand)
    ask(database)
    for _ in range(Pace().tries):
        with database.transaction() as session:
            taken = draining._take(session, runtime)
            assert taken is not None
            assert taken.do is not None
        clock.at += Pace().lease + timedelta(seconds=1)
    assert drain(runtime) == 1
    (row,) = rows(database)
    assert (row.state, row.tries, row.error) == (JobState.DEAD, Pace().tries, "WorkerLost")
    assert ended == [(Ending.DEAD, "WorkerLost")]


def test_who_was_thought_dead_marks_nothing_and_its_work_is_undone(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    ask(database)
    with database.transaction() as session:
        late = draining._take(session, runtime)
    assert late is not None
    assert late.do is not None
    clock.at += Pace().lease + timedelta(seconds=1)
    with database.transaction() as session:
        assert draining._take(session, runtime) is not None
    with pytest.raises(draining.LeaseLostError):
        late.do()
    draining._note_failure(runtime, late, RuntimeError())
    (row,) = rows(database)
    assert (row.state, row.tries, row.error) == (JobState.WAITING, 2, None)
    assert communities(database) == []


def test_two_workers_do_every_row_once(runtime: Runtime, database: Database) -> None:
    handle(runtime, "sweep", found)
    for number in range(30):
        ask(database, number=number)
    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(lambda _: drain(runtime), range(2)))
    assert sum(tried) == 30
    assert len(communities(database)) == 30
    assert {row.tries for row in rows(database)} == {1}


# On SQLite there is one writer: another cannot even look before the first has ended.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_row_under_way_is_not_taken_even_when_its_lease_is_over(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    is_in, may_end = threading.Event(), threading.Event()

    def slowly(session: Session, payload: Mapping[str, Any]) -> None:
        is_in.set()
        may_end.wait(30)
        found(session, payload)

    handle(runtime, "sweep", slowly)
    ask(database)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: drain(runtime))
        assert is_in.wait(30)
        clock.at += Pace().lease + timedelta(seconds=1)
        assert run_one(runtime) is False
        may_end.set()
        assert first.result() == 1
    assert communities(database) == ["c1"]


def test_an_errand_prepares_and_concludes_in_transactions_and_acts_in_none(
    runtime: Runtime, database: Database
) -> None:
    said: list[object] = []

    def prepare(session: Session, payload: Mapping[str, Any], number: int) -> Any:
        found(session, {"number": number})
        return lambda: said.append(communities(database))

    def conclude(session: Session, payload: Mapping[str, Any], ending: Ending, error: str) -> None:
        found(session, {"number": 100})
        said.append((ending, error))

    handle(runtime, "send", Errand(prepare, conclude))
    ask(database, "send")
    assert drain(runtime) == 1
    assert said == [["c1"], (Ending.DONE, "")]
    assert communities(database) == ["c1", "c100"]


def test_an_errand_that_fails_keeps_its_try_and_tells_its_end(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    ended: list[tuple[Ending, str]] = []

    def prepare(session: Session, payload: Mapping[str, Any], number: int) -> Any:
        found(session, {"number": number})
        return lambda: 1 // 0

    def conclude(_session: Session, _payload: Any, ending: Ending, error: str) -> None:
        ended.append((ending, error))

    handle(runtime, "send", Errand(prepare, conclude))
    runtime.add(Pace(tries=2))
    ask(database, "send")
    drain(runtime)
    clock.at += timedelta(hours=1)
    drain(runtime)
    assert ended == [(Ending.AGAIN, "ZeroDivisionError"), (Ending.DEAD, "ZeroDivisionError")]
    assert communities(database) == ["c1", "c2"]


def test_an_errand_whose_preparation_fails_counts_the_try_and_nothing_else(
    runtime: Runtime, database: Database
) -> None:
    def prepare(session: Session, payload: Mapping[str, Any], number: int) -> Any:
        found(session, payload)
        raise RuntimeError(CLEAR)

    handle(runtime, "send", Errand(prepare, lambda *_: None))
    ask(database, "send")
    assert drain(runtime) == 1
    (row,) = rows(database)
    assert (row.state, row.tries, row.error) == (JobState.WAITING, 1, "RuntimeError")
    assert communities(database) == []


def test_an_errand_with_nothing_left_to_do_is_done(runtime: Runtime, database: Database) -> None:
    handle(runtime, "send", Errand(lambda *_: None, lambda *_: None))
    ask(database, "send")
    assert drain(runtime) == 1
    assert [row.state for row in rows(database)] == [JobState.DONE]


def test_a_row_that_cannot_even_be_given_up_is_dead_all_the_same(
    runtime: Runtime, database: Database
) -> None:
    def conclude(session: Session, payload: Any, ending: Ending, error: str) -> None:
        found(session, payload)
        raise RuntimeError

    def act() -> None:
        raise HopelessError

    handle(runtime, "send", Errand(lambda *_: act, conclude))
    ask(database, "send")
    assert drain(runtime) == 1
    assert [row.state for row in rows(database)] == [JobState.DEAD]
    assert communities(database) == []


def test_what_a_newer_version_asks_for_waits_for_it_and_is_seen(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    ask(database, "of-tomorrow")
    clock.at += timedelta(minutes=10)
    assert drain(runtime) == 0
    with database.reading() as session:
        assert not has_due(session, runtime)
        strange, known = standings(session, runtime)
    assert (strange.topic, strange.waiting, strange.due) == ("of-tomorrow", 1, 1)
    assert (strange.lag, strange.is_handled) == (timedelta(minutes=10), False)
    assert (known.topic, known.waiting, known.lag) == ("sweep", 0, timedelta())


def test_the_lag_is_the_age_of_the_oldest_that_is_due(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    ask(database, due_at=clock.at + timedelta(minutes=5))
    ask(database, number=2, due_at=clock.at + timedelta(hours=5))
    clock.at += timedelta(minutes=7)
    with database.reading() as session:
        (standing,) = standings(session, runtime)
    assert (standing.waiting, standing.due, standing.dead) == (2, 1, 0)
    assert standing.lag == timedelta(minutes=2)


def test_what_waits_for_a_way_that_failed_is_held_back(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    handle(runtime, "sweep", found)
    for number, key in enumerate(("a%/1", "a%/2", "ab/1")):
        ask(database, number=number, key=key)
    until = clock.at + timedelta(minutes=1)
    with database.transaction() as session:
        hold_back(session, "sweep", "a%/", until)
    assert [row.due_at == until for row in rows(database)] == [True, True, False]
    assert drain(runtime) == 1


def test_a_dead_row_begins_anew_and_one_that_is_not_dead_does_not(
    runtime: Runtime, database: Database
) -> None:
    handle(runtime, "sweep", found)
    with database.transaction() as session:
        put(session, "sweep", {"number": 1})
        session.execute(update(Outbox).values(state=JobState.DEAD, tries=12, error="OSError"))
    (row,) = rows(database)
    with database.transaction() as session:
        retry(session, row.id)
    assert drain(runtime) == 1
    assert [(each.state, each.tries) for each in rows(database)] == [(JobState.DONE, 1)]
    for job in (row.id, row.id + 1):
        with pytest.raises(UnknownJobError), database.transaction() as session:
            retry(session, job)


def test_rows_that_ended_are_removed_in_their_time(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    def put_ended(number: int, state: JobState, ended: datetime) -> None:
        ask(database, number=number, key=str(number))
        with database.transaction() as session:
            session.execute(
                update(Outbox).where(Outbox.key == str(number)).values(state=state, ended_at=ended)
            )

    week, half_a_year = draining.KEPT_DONE, draining.KEPT_DEAD
    moment = timedelta(seconds=1)
    put_ended(1, JobState.DONE, clock.at - week - moment)
    put_ended(2, JobState.DONE, clock.at - week)
    put_ended(3, JobState.DEAD, clock.at - half_a_year - moment)
    put_ended(4, JobState.DEAD, clock.at - half_a_year)
    ask(database, number=5, key="5")
    with database.transaction() as session:
        assert tidy(session) == 2
    assert [row.key for row in rows(database)] == ["2", "4", "5"]


def test_a_topic_is_handled_by_one(runtime: Runtime) -> None:
    handle(runtime, "sweep", found)
    with pytest.raises(LookupError, match="sweep"):
        handle(runtime, "sweep", found)
