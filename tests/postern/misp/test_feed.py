"""The files of a feed, read by PyMISP as an instance would write them itself."""

import hashlib
import json
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymisp import MISPEvent

from postern.misp.feed import (
    MICROSECONDS,
    EventName,
    event,
    hash_lines,
    manifest_entry,
    second,
)
from postern.misp.objects import object_of
from postern.vocabulary import INDICATOR_KINDS
from tests.postern.misp.shared import CLEAR_VALUES, COLLECTION, content, ended, record, shown

NAME = EventName(COLLECTION, "post-be", "Post of Belgium", 20_777)


@pytest.fixture(scope="module")
def text() -> str:
    objects = [object_of(shown(kind), COLLECTION) for kind in INDICATOR_KINDS]
    objects.append(object_of(shown(second=1_500, is_changed=True), COLLECTION))
    objects.append(object_of(ended(record()), COLLECTION))
    return event(NAME, objects)


def test_pymisp_reads_an_event_and_writes_the_same(text: str) -> None:
    read = MISPEvent()
    read.load(text)
    assert len(read.objects) == len(INDICATOR_KINDS) + 2
    again = read.to_feed(with_meta=True)["Event"]
    mine = json.loads(text)["Event"]
    assert again["uuid"] == mine["uuid"]
    assert again["timestamp"] == mine["timestamp"] == "2000"
    assert again["Orgc"] == mine["Orgc"]
    for one, other in zip(again["Object"], mine["Object"], strict=True):
        assert one["deleted"] == other["deleted"]
        assert one["timestamp"] == other["timestamp"]
        for key in ("uuid", "value", "type", "category", "to_ids", "deleted", "comment"):
            assert [each[key] for each in one["Attribute"]] == [
                each[key] for each in other["Attribute"]
            ]


def test_the_manifest_says_what_pymisp_says(text: str) -> None:
    read = MISPEvent()
    read.load(text)
    theirs = read.manifest[str(NAME.uuid)]
    mine = manifest_entry(NAME, 2_000)
    assert mine["Orgc"] == theirs["Orgc"]
    assert (mine["info"], mine["date"]) == (theirs["info"], theirs["date"])
    assert int(mine["timestamp"]) == theirs["timestamp"]
    assert [each["name"] for each in mine["Tag"]] == [each["name"] for each in theirs["Tag"]]


def test_hashes_are_of_what_matches_and_of_nothing_withdrawn() -> None:
    found = record()
    lines = list(hash_lines(NAME.uuid, [content(found), ended(record()).content]))
    assert len(lines) == 5
    token = found.tokens[0][1] if found.tokens else ""
    digest = hashlib.md5(token.encode(), usedforsecurity=False).hexdigest()
    assert f"{digest},{NAME.uuid}\n" in lines


def test_an_event_is_named_by_its_collection_owner_and_day_alone() -> None:
    assert NAME.date == date(2026, 11, 20)
    assert NAME.uuid == EventName(COLLECTION, "post-be", "Renamed", 20_777).uuid
    others = {
        EventName(uuid4(), "post-be", "", 20_777).uuid,
        EventName(COLLECTION, "post-nl", "", 20_777).uuid,
        EventName(COLLECTION, "post-be", "", 20_778).uuid,
        NAME.uuid,
    }
    assert len(others) == 4


def test_nothing_in_clear_is_in_an_event(text: str) -> None:
    assert not any(each in text for each in CLEAR_VALUES)


def test_a_second_that_is_not_over_bears_the_one_before() -> None:
    settled = 100 * MICROSECONDS + 500_000
    assert second(99 * MICROSECONDS + 999_999, settled) == 99
    assert second(100 * MICROSECONDS + 1, settled) == 99
    assert second(100 * MICROSECONDS + 1, settled + MICROSECONDS) == 100


@given(
    changes=st.lists(st.integers(0, 5 * MICROSECONDS), min_size=1, max_size=20, unique=True),
    polls=st.lists(st.integers(0, 5 * MICROSECONDS), min_size=1, max_size=20),
)
def test_an_instance_that_polls_at_any_moment_ends_with_the_last_change(
    changes: list[int], polls: list[int]
) -> None:
    """An instance takes a version only when its timestamp is later than that of its copy."""
    copy, copied = -2, -1
    for at in [*sorted(polls), 10 * MICROSECONDS]:
        there = [each for each in changes if each < at]
        if there and (now := second(max(there), at)) > copy:
            copy, copied = now, max(there)
    assert copied == max(changes)
