"""What a version is at a moment, and what the log is told of who reads it, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app import clock
from app.access import CONSOLE, Caller
from app.organisations import service as organisations
from app.sharing import history, versions
from app.sharing.history import KeptVersion, VersionState
from app.sharing.models import Cause
from app.sharing.seats import Member
from app.sharing.versions import Version
from postern.vocabulary import Sector

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIRST = Version(
    id=11,
    seq=1,
    text="",
    sha256=b"",
    valid_from=NOON - SECOND,
    created_at=NOON - SECOND,
    cause=Cause.DRAFT,
    form=None,
    draft_id=5,
    author=None,
    approved_by=None,
    cancelled_at=None,
    policies=(),
    is_valid=True,
)
HELD = replace(FIRST, id=12, seq=2, valid_from=NOON, draft_id=None)
CANCELLED = replace(HELD, id=13, seq=3, cancelled_at=NOON - SECOND)
WAITING = replace(HELD, id=14, seq=4, valid_from=NOON + SECOND, draft_id=6)
LATER = replace(WAITING, id=15, seq=5, cancelled_at=NOON)
ALL = [LATER, WAITING, CANCELLED, HELD, FIRST]
DRAFTS = {5: UUID(int=5), 6: UUID(int=6)}


class Session:
    """Answers the one question that is asked: the public ids of drafts."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def execute(self, statement: Any) -> list[SimpleNamespace]:
        assert list(statement.selected_columns.keys()) == ["id", "public_id"]
        (ids,) = statement.compile().params.values()
        self.asked.append(list(ids))
        return [SimpleNamespace(id=each, public_id=DRAFTS[each]) for each in ids]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the log was told; the organisation `post-be` has the versions above; 2 holds."""
    found: list[Any] = []

    def append(session: object, caller: Caller, act: str, **details: Any) -> None:
        assert isinstance(session, Session)
        found.append((caller, act, details))

    def find(session: object, code: str) -> tuple[int, Member]:
        assert isinstance(session, Session)
        assert code == "post-be"
        return 7, Member(code, Sector.POST, "BE")

    def in_force(session: object, organisation_id: int, at: datetime) -> Version | None:
        assert isinstance(session, Session)
        return HELD if (organisation_id, at) == (7, NOON) else None

    def version(session: object, organisation_id: int, seq: int) -> Version:
        assert isinstance(session, Session)
        (found,) = [each for each in ALL if (organisation_id, each.seq) == (7, seq)]
        return found

    def every(session: object, organisation_id: int) -> list[Version]:
        assert isinstance(session, Session)
        return ALL if organisation_id == 7 else []

    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(history, "append", append)
    monkeypatch.setattr(organisations, "find", find)
    monkeypatch.setattr(versions, "in_force", in_force)
    monkeypatch.setattr(versions, "version", version)
    monkeypatch.setattr(versions, "history", every)
    return found


def test_each_version_is_told_with_its_state_and_its_draft(told: list[Any]) -> None:
    session: Any = Session()
    assert history.read_history_of(session, CONSOLE, "post-be") == [
        KeptVersion(LATER, VersionState.CANCELLED, UUID(int=6)),
        KeptVersion(WAITING, VersionState.SCHEDULED, UUID(int=6)),
        KeptVersion(CANCELLED, VersionState.CANCELLED, None),
        KeptVersion(HELD, VersionState.IN_FORCE, None),
        KeptVersion(FIRST, VersionState.PAST, UUID(int=5)),
    ]
    assert session.asked == [[6, 6, 5]]
    objects = [f"post-be/{seq}" for seq in (5, 4, 3, 2, 1)]
    details = {"audience": ["post-be"], "object_type": "policy", "objects": objects}
    assert told == [(CONSOLE, "policy.read", details)]


def test_one_version_is_told_like_any_other(told: list[Any]) -> None:
    session: Any = Session()
    found = history.read_version_of(session, CONSOLE, "post-be", 2)
    assert found == KeptVersion(HELD, VersionState.IN_FORCE, None)
    details = {"audience": ["post-be"], "object_type": "policy", "objects": ["post-be/2"]}
    assert told == [(CONSOLE, "policy.read", details)]


def test_ones_own_versions_are_those_of_the_organisation_that_one_acts_for(
    told: list[Any],
) -> None:
    session: Any = Session()
    writer = replace(CONSOLE, organisation="post-be", organisation_id=7)
    assert history.read_history(session, writer) == history.read_history_of(
        session, writer, "post-be"
    )
    assert history.read_version(session, writer, 2) == history.read_version_of(
        session, writer, "post-be", 2
    )
    assert [caller for caller, _, _ in told] == [writer] * 4


def test_where_nothing_holds_what_was_is_past(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "in_force", lambda *_: None)
    session: Any = Session()
    found = history.read_version_of(session, CONSOLE, "post-be", 2)
    assert found.state is VersionState.PAST
    assert len(told) == 1


def test_pages_and_clients_know_the_states_by_these_words() -> None:
    assert [state.value for state in VersionState] == ["in_force", "scheduled", "cancelled", "past"]
