"""What the room asks of the platform when it starts, and what it refuses to start without."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.errors import StartRefusedError
from app.sharing import drafts, engine, grants, start, stored
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE, Fault, PolicyRefusedError
from app.sharing.reasons import KnownReasons
from app.sharing.stored import KnownValid

NOW = datetime(2027, 1, 31, 9, 30, tzinfo=UTC)
SESSION: Any = object()
APP: Any = Flask("platform")


class Platform:
    """A runtime that notes what is added to it."""

    def __init__(self) -> None:
        self.added: list[object] = []

    def add(self, part: object) -> None:
        self.added.append(part)


@pytest.fixture
def duties(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[timedelta, Callable[..., int]]]:
    """The duties of the room, as they are registered."""
    found: dict[str, tuple[timedelta, Callable[..., int]]] = {}
    platform: Any = Platform()

    def duty(runtime: object, name: str, every: timedelta, run: Callable[[Session], int]) -> None:
        assert runtime is platform
        found[name] = (every, run)

    monkeypatch.setattr(start, "duty", duty)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    start.start(APP, platform)
    assert [type(part) for part in platform.added] == [KnownReasons]
    return found


def test_what_has_ended_is_cleared_and_looked_for_in_time(
    duties: dict[str, tuple[timedelta, Callable[..., int]]],
) -> None:
    assert {name: every for name, (every, _) in duties.items()} == {
        "sharing.clear_past": timedelta(days=1),
        "sharing.discard_stale": timedelta(days=1),
        "sharing.check_stored": timedelta(minutes=10),
    }


def test_each_duty_does_what_its_name_says(
    duties: dict[str, tuple[timedelta, Callable[..., int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    until = int(NOW.timestamp())
    monkeypatch.setattr(grants, "clear_past", lambda *asked: 3 if asked == (SESSION, until) else 0)
    assert duties["sharing.clear_past"][1](SESSION) == 3

    batches = [drafts.STALE_BATCH, drafts.STALE_BATCH, 2]
    monkeypatch.setattr(
        drafts, "discard_stale", lambda session: batches.pop(0) if session is SESSION else 0
    )
    assert duties["sharing.discard_stale"][1](SESSION) == 2 * drafts.STALE_BATCH + 2

    known: list[KnownValid] = []

    def alarm(session: object, at: datetime, valid: KnownValid) -> int:
        assert (session, at) == (SESSION, NOW)
        known.append(valid)
        return 5

    monkeypatch.setattr(stored, "alarm", alarm)
    check = duties["sharing.check_stored"][1]
    assert [check(SESSION), check(SESSION)] == [5, 5]
    # What was found valid is not read again by the same process.
    assert isinstance(known[0], KnownValid)
    assert known[0] is known[1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("gone"), f"{SCHEMA_FILE} or {PLATFORM_FILE} cannot be read: gone. "),
        (ValueError("broken"), f"{SCHEMA_FILE} or {PLATFORM_FILE} cannot be read: broken. "),
        (
            PolicyRefusedError([Fault("a", 7, "odd", "-"), Fault("b", 9, "odder", "-")]),
            f"{PLATFORM_FILE}, line 7: odd. ",
        ),
    ],
)
def test_without_its_rules_the_platform_does_not_start(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def load(text: str) -> None:
        assert text == ""
        raise error

    monkeypatch.setattr(engine, "load", load)
    platform: Any = Platform()
    with pytest.raises(StartRefusedError) as refusal:
        start.start(APP, platform)
    assert str(refusal.value).startswith(words)
    assert "from the release" in str(refusal.value)
    assert platform.added == []
