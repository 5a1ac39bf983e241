"""The page of notifications: chosen by subject, a screenful at a time, marked all at once."""

from uuid import UUID, uuid4

import pytest
from flask import Flask

from app.access import Caller
from app.errors import NotFoundError
from app.jobs import notice_board, notifications
from app.jobs.notice_board import OF_SUBJECT, PER_PAGE, Box, NoticePage, Subject
from app.web import notices
from postern.vocabulary import Role
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import make_person


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


@pytest.fixture
def officer(exchange: Exchange) -> Caller:
    return make_person(exchange.app, "police-de", [Role.COMPLIANCE]).caller


def tell(exchange: Exchange, count: int = 1, kind: str = "log.alarm", first: int = 0) -> None:
    organisation = exchange.organisation_id("police-de")
    with exchange.database.transaction() as session:
        for number in range(first, first + count):
            facts = {"alarm": "rollback", "number": number}
            notifications.notify(session, organisation, Role.COMPLIANCE, kind, facts, "/log")


def page(
    exchange: Exchange,
    caller: Caller,
    box: Box = Box.WAITING,
    subject: Subject | None = None,
    before: UUID | None = None,
) -> NoticePage:
    with exchange.database.transaction() as session:
        return notice_board.page(session, caller, box, subject, before)


def mark(
    exchange: Exchange, caller: Caller, newest: UUID | None, subject: Subject | None = None
) -> int:
    assert newest is not None
    with exchange.database.transaction() as session:
        return notice_board.mark_all_seen(session, caller, subject, newest)


def numbers(found: NoticePage) -> list[int]:
    return [notice.facts["number"] for notice in found.notices]


def test_a_long_list_comes_a_screenful_at_a_time_and_whole(
    exchange: Exchange, officer: Caller
) -> None:
    tell(exchange, PER_PAGE + 3)
    first = page(exchange, officer)
    assert len(first.notices) == PER_PAGE
    rest = page(exchange, officer, before=first.following)
    assert numbers(first) + numbers(rest) == list(reversed(range(PER_PAGE + 3)))
    assert rest.following is None


def test_a_place_that_is_not_the_caller_s_begins_at_the_newest(
    exchange: Exchange, officer: Caller
) -> None:
    tell(exchange, 2)
    assert numbers(page(exchange, officer, before=uuid4())) == [1, 0]


def test_a_subject_shows_its_kinds_alone(exchange: Exchange, officer: Caller) -> None:
    tell(exchange, 1, "log.alarm", first=1)
    tell(exchange, 1, "review.drawn", first=2)
    assert numbers(page(exchange, officer, subject=Subject.LOG)) == [1]
    assert numbers(page(exchange, officer, subject=Subject.OVERSIGHT)) == [2]
    assert numbers(page(exchange, officer)) == [2, 1]


def test_every_kind_that_a_room_writes_belongs_to_one_subject() -> None:
    beginnings = [each for kinds in OF_SUBJECT.values() for each in kinds]
    assert len(beginnings) == len(set(beginnings))
    assert OF_SUBJECT.keys() == set(Subject)
    assert {kind.partition(".")[0] for kind in notices._SENTENCES} == set(beginnings)


def test_all_that_was_shown_is_marked_and_nothing_that_came_later(
    exchange: Exchange, officer: Caller
) -> None:
    tell(exchange, 3)
    shown = page(exchange, officer)
    tell(exchange, 1, first=9)
    assert mark(exchange, officer, shown.newest) == 3
    assert numbers(page(exchange, officer)) == [9]
    assert numbers(page(exchange, officer, Box.SEEN)) == [2, 1, 0]
    assert mark(exchange, officer, shown.newest) == 0


def test_only_the_chosen_subject_is_marked(exchange: Exchange, officer: Caller) -> None:
    tell(exchange, 1, "log.alarm", first=1)
    tell(exchange, 1, "review.drawn", first=2)
    newest = page(exchange, officer).newest
    assert mark(exchange, officer, newest, Subject.LOG) == 1
    assert numbers(page(exchange, officer)) == [2]


def test_marking_all_is_one_entry_that_names_each(exchange: Exchange, officer: Caller) -> None:
    tell(exchange, 2)
    mark(exchange, officer, page(exchange, officer).newest)
    (entry,) = exchange.entries("notification.seen")
    assert len(entry.details["objects"]) == 2
    assert entry.details["kinds"] == ["log.alarm"]


def test_nobody_marks_up_to_what_is_not_for_them(exchange: Exchange, officer: Caller) -> None:
    tell(exchange, 1)
    newest = page(exchange, officer).newest
    analyst = make_person(exchange.app, "police-de", [Role.ANALYST]).caller
    for stranger, named in ((analyst, newest), (officer, uuid4())):
        with pytest.raises(NotFoundError):
            mark(exchange, stranger, named)
    assert numbers(page(exchange, officer)) == [0]
