"""What a collection holds and serves, from the first submission to the last revocation."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select

from app import clock
from app.access import CONSOLE
from app.disclosures.models import Acknowledgement
from app.errors import InvalidRequestError, NotFoundError
from app.exchange import asked, collections, serving, view_storage, view_writing
from app.exchange.collections import TooManyCollectionsError
from app.exchange.models import CollectionKind, ExchangeEnding, ExchangeEntry
from app.exchange.rendering import key_of
from app.exchange.views import Collection, Filters
from app.indicators import amending, holds, service
from app.indicators.amending import Correction
from app.indicators.models import Given, Indicator, Report
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.stix.tokens import exchange_token
from postern.vocabulary import (
    AcknowledgementState,
    HoldReason,
    Kind,
    Level,
    RecallReason,
    SourceGrade,
    Way,
)
from tests.app.exchange import (
    ALERT_OWNER,
    CLOSED,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    REQUESTER_ONLY,
    SOPHIE,
    place,
    report,
)
from tests.app.exchange_room.reading import Room

WITHOUT_SCREEN = """
@id("open/police") @label("Police see everything, and match nothing on their own premises")
permit (principal, action in [Action::"presence", Action::"metadata", Action::"request",
    Action::"feed", Action::"tell_owner"], resource)
when { principal.sector == Sector::"police" };
"""
LIST_ONLY = """
@id("list/police") @label("Police get what they find, and no list")
permit (principal, action in [Action::"presence", Action::"metadata"], resource)
when { principal.sector == Sector::"police" };
"""


@pytest.fixture
def shared(room: Room) -> Collection:
    """Everything that the post shares with the police."""
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    return room.open()


def withdraw(room: Room, indicator: Any, code: str = "post-be") -> None:
    caller = room.exchange.caller(code)
    found = (
        select(Report.public_id)
        .join(Indicator, Indicator.report_id == Report.id)
        .where(Indicator.public_id == indicator)
    )
    room.within(
        lambda session: service.withdraw(session, caller, session.scalars(found).one(), "error")
    )


def count(room: Room, model: Any) -> int:
    return room.within(lambda session: session.scalar(select(func.count()).select_from(model)) or 0)


def test_what_others_share_is_served_as_stix_after_what_it_refers_to(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    assert room.page(shared).rows == []
    room.submit("post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN, role="addressee"))
    room.submit("customs-nl", place())
    room.work()
    served = room.page(shared)
    objects = [json.loads(text) for text in served.texts]
    assert [each["type"] for each in objects if each["type"] == "indicator"] == ["indicator"] * 3
    assert {each["type"] for each in objects[:4]} <= {
        "identity",
        "extension-definition",
        "marking-definition",
    }
    seen: set[str] = set()
    for each in objects:
        named = [value for key, value in each.items() if key.endswith("_ref")]
        assert seen.issuperset([*named, *each.get("object_marking_refs", ())]) or (
            each["type"] == "relationship"
        )
        seen.add(each["id"])
    assert served.added == sorted(set(served.added))
    assert not served.more


def test_tokens_are_those_of_the_reader_and_no_match_token_leaves(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    exchange.publish("post-be", OPEN_TO_POLICE + OPEN_TO_POLICE.replace("police", "customs"))
    other = room.open("customs-nl")
    room.submit("post-be", exchange.indicator(SOPHIE, permitted_action="watch"))
    room.work()
    query = exchange.query(SOPHIE)
    texts = [room.page(each).texts[-1] for each in (shared, other)]
    with exchange.app.app_context():
        for code, text in zip(("police-de", "customs-nl"), texts, strict=True):
            expected = {exchange_token(key_of(code), Kind.PARTY, 1, t) for _, t in query.tokens}
            assert all(each in text for each in expected), code
    for _, token in query.tokens:
        assert all(token.hex() not in text for text in texts)
    assert len({json.loads(text)["pattern"] for text in texts}) == 2


def test_without_screening_a_reference_stands_in_place_of_tokens(room: Room) -> None:
    room.exchange.publish("post-be", WITHOUT_SCREEN)
    collection = room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE, permitted_action="watch"))
    room.work()
    (found,) = room.objects(collection)
    assert "'ref1." in found["pattern"]
    assert "postal1" not in json.dumps(found)
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    room.work()
    (again,) = room.objects(collection)
    assert again["id"] == found["id"]
    assert again["modified"] > found["modified"]
    assert "'postal1.1." in again["pattern"]


@pytest.mark.parametrize("policy", [CLOSED, PRESENCE_TO_POLICE, ALERT_OWNER, LIST_ONLY])
def test_what_may_not_be_had_in_bulk_is_in_no_log_and_in_no_page(room: Room, policy: str) -> None:
    room.exchange.publish("post-be", policy)
    collection = room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    assert room.page(collection).rows == []
    assert count(room, ExchangeEntry) == 0


def test_a_policy_hides_at_once_whatever_the_log_holds(room: Room, shared: Collection) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    room.exchange.publish("post-be", CLOSED)
    assert room.page(shared).rows == []  # not even who shared something
    assert count(room, ExchangeEntry) > 0
    room.work()
    left = room.within(lambda s: s.scalars(select(ExchangeEntry.owner_id)).all())
    assert not [owner for owner in left if owner is not None]
    assert count(room, ExchangeEnding) == 0
    assert room.page(shared).rows == []


def test_what_was_served_is_revoked_when_it_is_hidden_and_comes_back_as_another(
    room: Room, shared: Collection
) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    (found,) = room.objects(shared)
    room.exchange.publish("post-be", CLOSED)
    room.work()
    (ended,) = room.objects(shared)
    assert (ended["id"], ended["revoked"]) == (found["id"], True)
    assert ended["modified"] > found["modified"]
    assert ended["created"] == found["created"]
    assert "postal1" not in json.dumps(ended)
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    room.work()
    gone, back = room.objects(shared)
    assert gone == ended
    assert back["id"] != found["id"]
    assert "revoked" not in back


def test_what_is_released_later_comes_after_every_date_that_was_served(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    early = room.submit("customs-nl", place())
    room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    first = room.page(shared)
    assert early[0] not in [row.indicator for row in first.rows]
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    room.work()
    later = room.page(shared, after=first.last_added)
    assert early[0] in [row.indicator for row in later.rows]


def test_a_withdrawal_is_told_to_those_who_were_served_and_counts_as_received(
    room: Room, shared: Collection
) -> None:
    first, second = (
        room.submit("post-be", room.exchange.indicator(value))[0] for value in (SOPHIE, JAN)
    )
    room.work()
    page = room.page(shared, Filters(main_only=True), limit=1)
    assert page.rows[0].indicator == first
    assert page.more
    for each in (first, second):
        withdraw(room, each)
    assert [row.indicator for row in room.page(shared).rows if row.indicator] == []
    room.work()
    told = room.page(shared, after=page.last_added)
    assert [(row.indicator, row.is_revoked) for row in told.rows] == [(first, True)]
    (answered,) = room.exchange.rows(select(Acknowledgement))
    assert answered.state is AcknowledgementState.ACKNOWLEDGED
    assert len(room.exchange.entries("recall.answer")) == 1
    assert [entry.audience for entry in room.exchange.entries("recall.answered")] == [["post-be"]]
    room.page(shared)
    assert len(room.exchange.entries("recall.answer")) == 1


def test_nothing_of_what_ended_stays_in_a_log(room: Room, shared: Collection) -> None:
    (indicator,) = room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    room.page(shared)
    withdraw(room, indicator)
    texts = room.within(lambda s: s.scalars(select(ExchangeEntry.text)).all())
    assert not [text for text in texts if "postal1." in text]


def test_an_amendment_is_a_new_version(room: Room, shared: Collection) -> None:
    exchange = room.exchange
    (indicator,) = room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    (before,) = room.objects(shared)
    caller = exchange.caller("post-be")
    own = room.within(lambda s: service.list_own(s, caller, 10)).reports[0]
    fields = {"source_grade": SourceGrade.A}
    room.within(
        lambda s: amending.amend_indicator(
            s, caller, own.id, indicator, Correction(fields, RecallReason.WRONG_DATA)
        )
    )
    room.work()
    (after,) = room.objects(shared)
    assert after["id"] == before["id"]
    assert after["created"] == before["created"]
    assert after["modified"] > before["modified"]
    assert after["extensions"] != before["extensions"]
    rows = room.page(shared, Filters(ids=(before["id"],), versions=("all",))).rows
    assert [row.is_first for row in rows] == [True, False]
    first = room.page(shared, Filters(ids=(before["id"],), versions=("first",))).rows
    exact = room.page(shared, Filters(ids=(before["id"],), versions=(rows[0].version,))).rows
    assert first == exact == rows[:1]


def test_a_page_is_in_the_ledger_and_in_the_log_of_reader_and_owner(
    room: Room, shared: Collection
) -> None:
    (indicator,) = room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    room.page(shared, Filters(types=("indicator",)))
    (given,) = room.exchange.rows(select(Given))
    assert (given.indicator, given.way, given.times) == (indicator, Way.FEED, 1)
    (entry,) = room.exchange.entries("exchange.serve")
    assert entry.audience == ["police-de"]
    assert entry.details["case"] == "PV-2026-031"
    assert entry.details["objects"] == [str(shared.id), str(indicator)]
    assert json.loads(entry.record)["purpose"] == "criminal_investigation"
    (told,) = room.exchange.entries("indicator.shared")
    assert told.audience == ["post-be"]
    assert told.details["by"] == "exchange.serve"
    assert told.details["viewer"] == "police-de"
    assert "case" not in told.details


def test_an_owner_whose_policy_tells_the_reader_alone_is_not_told(room: Room) -> None:
    room.exchange.publish("post-be", OPEN_TO_POLICE + REQUESTER_ONLY)
    collection = room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    assert len(room.objects(collection)) == 1
    assert room.exchange.entries("indicator.shared") == []
    (given,) = room.exchange.rows(select(Given))
    assert not given.tells_owner


def test_an_empty_page_is_logged_too(room: Room, shared: Collection) -> None:
    room.page(shared)
    (entry,) = room.exchange.entries("exchange.serve")
    assert json.loads(entry.record)["n"] == 0
    assert count(room, Given) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_named_object_is_found_by_its_id_however_long_the_log_is(
    room: Room, shared: Collection
) -> None:
    room.submit("post-be", room.exchange.indicator(JAN))
    said: list[tuple[str, Any]] = []
    engine = room.exchange.database.engine
    event.listen(engine, "before_cursor_execute", lambda *told: said.append((told[2], told[3])))
    room.page(shared, Filters(ids=("indicator--0",)))
    (asked_for,) = [each for each in said if "standing" in each[0]]
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked_for[0]}", asked_for[1])
        steps = [row[3] for row in plan if "exchange_entry USING" in row[3]]
    assert len(steps) == 3
    assert all("(collection_id=? AND stix_id=?)" in step for step in steps), steps


def test_pages_follow_one_another_without_a_gap(room: Room, shared: Collection) -> None:
    for _ in range(7):
        room.submit("post-be", room.exchange.indicator(SOPHIE), room.exchange.indicator(JAN))
    room.work()
    whole = room.page(shared).rows
    assert not room.page(shared, limit=len(whole)).more
    read, after = [], None
    while True:
        page = room.page(shared, limit=3, after=after)
        read += page.rows
        if not page.more:
            break
        after = page.next
    assert read == whole
    assert room.page(shared, Filters(added_after=whole[4].added, before=whole[9].added)).rows == (
        [row for row in whole[5:9] if row in room.page(shared, Filters()).rows]
    )


def test_a_comparison_in_many_parts_finds_everything(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = room.exchange
    for _ in range(3):
        room.submit("post-be", exchange.indicator(SOPHIE), place(), exchange.indicator(JAN))
    monkeypatch.setattr(view_writing, "CHUNK", 2)
    stretch = view_storage._STRETCH.offset(2)
    monkeypatch.setattr(view_storage, "_STRETCH", stretch)
    exchange.publish("post-be", OPEN_TO_POLICE)
    collection = room.open()
    assert len(room.objects(collection)) == 9
    exchange.publish("post-be", CLOSED)
    room.work()
    assert [each.get("revoked") for each in room.objects(collection)] == [True] * 9


def test_the_last_date_of_a_batch_is_a_whole_millisecond_and_dates_rise(
    room: Room, shared: Collection
) -> None:
    ends = []
    for _ in range(3):
        room.submit("post-be", room.exchange.indicator(SOPHIE))
        room.work()
        ends.append(room.page(shared).last_added)
    assert ends == sorted(set(ends))
    assert all(each % 1000 == 0 for each in ends if each)


@pytest.mark.parametrize(
    ("last", "count", "at"), [(0, 5, 10_500), (9_998, 5, 10_500), (20_000, 3, 7)]
)
def test_dates_never_repeat_and_end_on_a_millisecond(last: int, count: int, at: int) -> None:
    dates = view_writing.next_dates(last, count, at)
    assert len(dates) == count
    assert dates[0] > last
    assert dates[-1] % 1000 == 0


def test_a_collection_without_revocations_leaves_them_out_unless_they_are_asked_for(
    room: Room,
) -> None:
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    collection = room.open(with_revoked=False)
    (indicator,) = room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    room.page(collection)
    withdraw(room, indicator)
    room.work()
    assert room.objects(collection) == []
    (ended,) = room.objects(collection, revoked=True)
    assert ended["revoked"]
    day = clock.day(clock.now())
    assert room.objects(collection, revoked=True, owner="post-be", day=day) == [ended]
    assert room.objects(collection, revoked=True, owner="customs-nl", day=day) == []


def test_an_induction_point_ends_with_its_location(room: Room, shared: Collection) -> None:
    (indicator,) = room.submit("post-be", place())
    room.work()
    kinds = {row.type for row in room.page(shared).rows if row.indicator == indicator}
    assert kinds == {"indicator", "location", "relationship"}
    withdraw(room, indicator)
    room.work()
    rows = [row for row in room.page(shared, Filters()).rows if row.indicator == indicator]
    assert [(row.type, row.is_revoked) for row in rows] == [
        ("indicator", True),
        ("location", True),
        ("relationship", True),
    ]


def test_ones_own_are_served_under_no_purpose_and_noted_in_no_ledger(room: Room) -> None:
    collection = room.own()
    (indicator,) = room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.submit("customs-nl", place())
    room.work()
    (found,) = room.objects(collection)
    assert [row.indicator for row in room.page(collection, Filters(main_only=True)).rows] == [
        indicator
    ]
    assert found["type"] == "indicator"
    assert count(room, Given) == 0
    assert room.exchange.entries("indicator.shared") == []
    withdraw(room, indicator)
    room.work()
    assert room.objects(collection)[0]["revoked"]


def test_ones_own_can_be_written_in_the_transaction_that_stores_them(room: Room) -> None:
    collection = room.own()
    exchange = room.exchange
    caller = exchange.caller("post-be")

    def submit_and_write(session: Any) -> None:
        made = service.submit(session, caller, [report("k1", exchange.indicator(SOPHIE))])
        view_writing.write_now(session, caller.member[0], made.results[0].indicators)

    room.within(submit_and_write)
    assert len(room.objects(collection)) == 1
    entries = count(room, ExchangeEntry)
    room.work()
    assert count(room, ExchangeEntry) == entries


def test_another_organisations_collection_is_as_one_that_is_not_there(
    room: Room, shared: Collection
) -> None:
    with pytest.raises(NotFoundError):
        room.page(shared, code="post-be")
    with pytest.raises(NotFoundError):
        room.within(lambda s: collections.close(s, room.exchange.caller("post-be"), shared.id))


def test_a_legal_hold_takes_what_ended_out_of_every_page(room: Room, shared: Collection) -> None:
    exchange = room.exchange
    room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    room.page(shared)
    caller = exchange.caller("post-be")
    held = room.within(lambda s: service.list_own(s, caller, 1)).reports[0].id
    room.within(
        lambda s: holds.place(
            s,
            caller,
            held,
            reason=next(iter(HoldReason)),
            until=clock.now().date() + timedelta(days=9),
            case="PV",
        )
    )
    room.within(lambda s: service.withdraw(s, caller, held, "error"))
    assert [row for row in room.page(shared).rows if row.indicator] == []
    room.work()
    assert [row.is_revoked for row in room.page(shared).rows if row.indicator] == [True]


def test_what_expired_is_not_served_and_then_revoked(
    room: Room, shared: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = (clock.now() + timedelta(days=20)).date().isoformat()
    room.submit("post-be", room.exchange.indicator(SOPHIE, expires_on=ends))
    room.work()
    assert len(room.objects(shared)) == 1
    later = clock.now() + timedelta(days=20)
    monkeypatch.setattr(clock, "now", lambda: later)
    for module in (asked, view_writing, collections, service):
        monkeypatch.setattr(module, "now", lambda: later)
    assert room.objects(shared) == []
    room.within(lambda s: service.expire(s, later.date()))
    room.work()
    assert room.objects(shared)[0]["revoked"]


def test_a_suspended_owner_is_hidden_at_once(room: Room, shared: Collection) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    assert len(room.objects(shared)) == 1
    room.within(
        lambda s: organisations.set_status(s, CONSOLE, "post-be", OrganisationStatus.SUSPENDED)
    )
    assert room.objects(shared) == []


def test_a_suspended_readers_collection_stands_still_and_goes_on_afterwards(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    room.page(shared)

    def become(status: OrganisationStatus) -> None:
        room.within(lambda s: organisations.set_status(s, CONSOLE, "police-de", status))
        room.work()

    become(OrganisationStatus.SUSPENDED)
    room.submit("post-be", exchange.indicator(JAN))
    room.work()
    assert room.objects(shared) == []
    become(OrganisationStatus.ACTIVE)
    assert [each.get("revoked") for each in room.objects(shared)] == [None, None]


def test_collections_are_listed_and_compared_at_the_console(room: Room, shared: Collection) -> None:
    runner = room.exchange.app.test_cli_runner()
    listed = json.loads(runner.invoke(args=["exchange", "list", "--json"]).output)
    assert [each["collection"] for each in listed] == [str(shared.id)]
    assert runner.invoke(args=["exchange", "compare", str(shared.id)]).exit_code == 0
    room.work()
    refused = runner.invoke(args=["exchange", "compare", str(uuid4())])
    assert refused.exit_code != 0
    assert "exchange list" in refused.output
    (entry,) = room.exchange.entries("exchange.compare")
    assert "police-de" in entry.audience


def test_what_is_wrong_with_a_collection_is_named_by_its_field(room: Room) -> None:
    given: tuple[tuple[dict[str, Any], str], ...] = (
        ({"title": " "}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"description": "x" * 501}, "description"),
        ({"days": 366}, "days"),
        ({"level": Level.PRESENCE}, "level"),
        ({"grounds": None}, "purpose"),
    )
    for fields, named in given:
        with pytest.raises(InvalidRequestError) as refusal:
            room.open(**fields)
        assert refusal.value.extensions["errors"][0]["field"] == f"json.{named}"
    assert room.exchange.entries("exchange.open") == []


def test_an_organisation_opens_no_more_collections_than_are_kept_up(room: Room) -> None:
    caller = room.exchange.caller("post-be")
    for _ in range(collections.MOST_OPEN):
        room.within(
            lambda s: collections.open_collection(
                s, caller, kind=CollectionKind.OWN, title="One of many"
            )
        )
    with pytest.raises(TooManyCollectionsError):
        room.own()


def test_the_least_level_of_a_collection_is_kept(room: Room) -> None:
    room.exchange.publish(
        "post-be",
        LIST_ONLY.replace('"metadata"]', '"metadata", Action::"feed"]').replace(
            "Action::Action", "Action"
        ),
    )
    low, high = room.open(), room.open(level=Level.REQUEST)
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    assert len(room.objects(low)) == 1
    assert room.page(high).rows == []


def test_a_manifest_tells_versions_without_texts_and_is_logged(
    room: Room, shared: Collection
) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    caller = room.exchange.caller("police-de")
    told = room.within(
        lambda s: serving.page(s, caller, shared.id, Filters(), 100, with_text=False)
    )
    served = room.page(shared, Filters())
    assert [(row.id, row.added, row.version) for row in told.rows] == [
        (row.id, row.added, row.version) for row in served.rows
    ]
    assert not any(told.texts)
    assert len(room.exchange.entries("exchange.manifest")) == 1
    versions = room.within(
        lambda s: serving.versions(s, caller, shared.id, served.rows[-1].id, Filters(), limit=9)
    )
    assert [row.version for row in versions.rows] == [served.rows[-1].version]
    with pytest.raises(NotFoundError):
        room.within(
            lambda s: serving.versions(s, caller, shared.id, "indicator--x", Filters(), limit=9)
        )


def test_a_closed_collection_serves_nothing_and_keeps_nothing(
    room: Room, shared: Collection
) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    caller = room.exchange.caller("police-de")
    for _ in range(2):
        closed = room.within(lambda s: collections.close(s, caller, shared.id))
        assert closed.ended_at is not None
        assert closed.case == ""
    with pytest.raises(NotFoundError):
        room.page(shared)
    assert count(room, ExchangeEntry) == 0
    room.submit("post-be", room.exchange.indicator(JAN))
    room.work()
    assert count(room, ExchangeEntry) == 0


def test_a_collection_ends_with_its_last_day(
    room: Room, shared: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    later = clock.now() + timedelta(days=365)
    for module in (asked, collections):
        monkeypatch.setattr(module, "now", lambda: later)
    with pytest.raises(NotFoundError):
        room.page(shared)
    assert room.within(collections.expire) == 1
    assert count(room, ExchangeEntry) == 0
    (entry,) = room.exchange.entries("exchange.expire")
    assert "police-de" in entry.audience


def test_ids_that_sqlite_gives_again_bring_nothing_back(room: Room, shared: Collection) -> None:
    exchange = room.exchange
    (first,) = room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    withdraw(room, first)
    exchange.publish("customs-nl", CLOSED)
    room.submit("customs-nl", place())
    assert [row.indicator for row in room.page(shared).rows if row.indicator] == []
