"""Evidence that proves itself, and silence: which alarms are raised, and which are not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access import CONSOLE
from app.audit.alarms import close_alarm, open_alarms
from app.audit.models import AlarmKind, AuditAudience
from app.audit.tree import newest
from app.audit.watching import EvidenceRefusedError, take_evidence, watch
from app.audit.witnesses import end
from app.errors import NotFoundError
from postern.tlog.notes import Note, SigningKey
from tests.app.audit.conftest import MEMBERS
from tests.app.audit.logkeeping import Keeper

SILENT = timedelta(hours=24)


def genuine(keeper: Keeper) -> str:
    with keeper.database.reading() as session:
        found = newest(session)
    assert found
    return found.note.decode()


def hand_in(keeper: Keeper, *notes: str) -> AlarmKind:
    with keeper.database.transaction() as session:
        return take_evidence(session, CONSOLE, notes)


def alarms(keeper: Keeper) -> list[AlarmKind]:
    with keeper.database.reading() as session:
        return [each.kind for each in open_alarms(session)]


def test_a_checkpoint_that_the_log_does_not_contain_is_a_split_view(keeper: Keeper) -> None:
    forged = keeper.note(7, b"f" * 32)
    keeper.grow(3)
    assert hand_in(keeper, forged, genuine(keeper)) is AlarmKind.SPLIT_VIEW
    with keeper.database.reading() as session:
        (alarm,) = open_alarms(session)
        assert json.loads(alarm.evidence) == {
            "handed_in": [forged, genuine(keeper)],
            "published": genuine(keeper),
        }


def test_one_forged_checkpoint_is_enough(keeper: Keeper) -> None:
    assert hand_in(keeper, keeper.note(10, b"f" * 32)) is AlarmKind.SPLIT_VIEW


def test_a_checkpoint_that_is_larger_than_the_log_is_a_rollback(keeper: Keeper) -> None:
    assert hand_in(keeper, keeper.note(11, b"f" * 32), genuine(keeper)) is AlarmKind.ROLLBACK
    assert alarms(keeper) == [AlarmKind.ROLLBACK]


def test_genuine_checkpoints_prove_nothing(keeper: Keeper) -> None:
    first = genuine(keeper)
    keeper.grow()
    with pytest.raises(EvidenceRefusedError):
        hand_in(keeper, first, genuine(keeper))
    assert alarms(keeper) == []


def test_what_the_log_did_not_sign_proves_nothing(keeper: Keeper) -> None:
    stranger = SigningKey(keeper.key.verifier.name, b"s" * 32)
    text = Note.parse(keeper.note(10, b"f" * 32)).text
    for note in (
        Note(text, (stranger.sign(text),)).encode().decode(),
        genuine(keeper).replace("\n10\n", "\n11\n"),
        "no note",
        "\ud800",
        "x" * 40_000,
    ):
        with pytest.raises(EvidenceRefusedError):
            hand_in(keeper, note)
    assert alarms(keeper) == []


def test_the_same_alarm_is_raised_once_until_it_is_closed(keeper: Keeper) -> None:
    for _ in range(2):
        hand_in(keeper, keeper.note(10, b"f" * 32))
    assert alarms(keeper) == [AlarmKind.SPLIT_VIEW]
    with keeper.database.transaction() as session:
        (alarm,) = open_alarms(session)
        close_alarm(session, CONSOLE, alarm.id)
        with pytest.raises(NotFoundError):
            close_alarm(session, CONSOLE, alarm.id)
    assert alarms(keeper) == []
    hand_in(keeper, keeper.note(10, b"f" * 32))
    assert alarms(keeper) == [AlarmKind.SPLIT_VIEW]


def test_every_organisation_reads_that_an_alarm_was_raised(keeper: Keeper) -> None:
    hand_in(keeper, keeper.note(10, b"f" * 32))
    with keeper.database.reading() as session:
        told = session.scalars(
            select(AuditAudience.org).where(AuditAudience.act == "audit.alarm")
        ).all()
    assert set(MEMBERS) < set(told)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    def go(by: timedelta) -> None:
        at = datetime.now(UTC) + by
        monkeypatch.setattr("app.clock.now", lambda: at)

    return go


def watched(keeper: Keeper, operator: str = "") -> int:
    with keeper.database.transaction() as session:
        return watch(session, SILENT, operator)


def test_a_log_without_witnesses_raises_no_alarm(
    keeper: Keeper, later: Callable[[timedelta], None]
) -> None:
    later(timedelta(days=3))
    assert watched(keeper) == 0


def test_silence_is_told_once_and_ends_by_itself(
    keeper: Keeper, later: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("police-de", "post-be"):
        keeper.witness(each)
    keeper.cosign("police-de", "post-be")
    later(timedelta(hours=23))
    assert watched(keeper) == 0
    later(timedelta(hours=25))
    assert watched(keeper) == 3
    assert watched(keeper) == 0
    assert alarms(keeper) == [
        AlarmKind.NO_QUORUM,
        AlarmKind.WITNESS_SILENT,
        AlarmKind.WITNESS_SILENT,
    ]
    monkeypatch.undo()
    keeper.grow()
    keeper.cosign("police-de", "post-be")
    assert watched(keeper) == 0
    assert alarms(keeper) == []


def test_one_silent_witness_of_three_leaves_the_quorum(
    keeper: Keeper, later: Callable[[timedelta], None]
) -> None:
    for each in MEMBERS:
        keeper.witness(each)
    later(timedelta(hours=20))
    keeper.cosign("police-de", "post-be")
    later(timedelta(hours=30))
    watched(keeper)
    assert AlarmKind.WITNESS_SILENT in alarms(keeper)


def test_the_operator_alone_raises_no_alarm_about_a_quorum(
    keeper: Keeper, later: Callable[[timedelta], None]
) -> None:
    keeper.witness("post-be")
    later(timedelta(hours=25))
    watched(keeper, operator="post-be")
    assert alarms(keeper) == [AlarmKind.WITNESS_SILENT]


def test_an_ended_witness_is_not_missed(keeper: Keeper, later: Callable[[timedelta], None]) -> None:
    key = keeper.witness("police-de").verifier
    later(timedelta(hours=25))
    watched(keeper)
    with keeper.database.transaction() as session:
        end(session, CONSOLE, str(key))
    watched(keeper)
    assert alarms(keeper) == []
