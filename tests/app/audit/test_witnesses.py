"""Who is a witness, how it stands, and when enough of them have cosigned."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError

from app.access import CONSOLE
from app.audit import witnesses
from app.audit.models import AuditAudience, AuditCheckpoint, AuditWitness
from app.audit.tree import newest
from app.audit.witnesses import WitnessExistsError, WitnessState
from app.clock import milliseconds
from app.database import Database
from app.errors import InvalidRequestError, NotFoundError
from postern.tlog.notes import KIND_COSIGNATURE, KIND_ED25519, Note, SigningKey
from postern.tlog.policy import Policy
from tests.app.audit.logkeeping import Keeper

SILENT = timedelta(hours=24)


def needed(keeper: Keeper, operator: str = "") -> int:
    with keeper.database.reading() as session:
        return witnesses.quorum(session, operator)


def cosigned(keeper: Keeper, operator: str = "") -> int | None:
    with keeper.database.reading() as session:
        found = witnesses.newest_cosigned(session, operator)
        return found.size if found else None


def states(keeper: Keeper) -> dict[str, WitnessState]:
    with keeper.database.reading() as session:
        return {each.organisation: each.state for each in witnesses.standings(session, SILENT)}


@pytest.mark.parametrize(
    ("organisations", "quorum"),
    [
        ([], 0),
        (["police-de"], 1),
        (["police-de", "post-be"], 2),
        (["police-de", "post-be", "customs-nl"], 2),
    ],
)
def test_a_quorum_is_a_majority_of_the_organisations_with_a_witness(
    keeper: Keeper, organisations: list[str], quorum: int
) -> None:
    for each in organisations:
        keeper.witness(each)
    assert needed(keeper) == quorum


def test_the_operator_counts_for_nothing(keeper: Keeper) -> None:
    keeper.witness("post-be")
    assert needed(keeper, operator="post-be") == 0
    keeper.cosign("post-be")
    assert cosigned(keeper, operator="post-be") is None
    keeper.witness("police-de")
    assert needed(keeper, operator="post-be") == 1
    assert cosigned(keeper, operator="post-be") is None
    keeper.cosign("police-de")
    assert cosigned(keeper, operator="post-be") == 10


def test_two_witnesses_of_one_organisation_count_once(keeper: Keeper) -> None:
    keeper.witness("police-de")
    second = SigningKey("police-de.example/second", b"2" * 32, KIND_COSIGNATURE)
    with keeper.database.transaction() as session:
        witnesses.register(session, CONSOLE, str(second.verifier), "police-de")
    assert needed(keeper) == 1
    keeper.witness("post-be")
    assert needed(keeper) == 2
    keeper.cosign("police-de")
    keeper.witnesses["police-de"] = second
    keeper.cosign("police-de")
    assert cosigned(keeper) is None
    keeper.cosign("post-be")
    assert cosigned(keeper) == 10


def test_the_newest_checkpoint_with_a_quorum_is_told(keeper: Keeper) -> None:
    for each in ("police-de", "post-be", "customs-nl"):
        keeper.witness(each)
    size = keeper.grow()
    keeper.cosign("police-de", "post-be")
    assert cosigned(keeper) == size
    keeper.grow()
    keeper.cosign("customs-nl")
    assert cosigned(keeper) == size


def test_the_policy_says_the_same_as_the_quorum(keeper: Keeper) -> None:
    for each in ("police-de", "post-be", "customs-nl"):
        keeper.witness(each)
    with keeper.database.reading() as session:
        written = witnesses.policy(session, "customs-nl").encode()
    policy = Policy.parse(written)
    assert [each.key for each in policy.logs] == [keeper.key.verifier]
    assert len(policy.witnesses) == 3

    def satisfied(*organisations: str) -> bool:
        keeper.grow()
        keeper.cosign(*organisations)
        with keeper.database.reading() as session:
            found = newest(session)
        assert found
        return policy.satisfied_by(Note.parse(found.note))

    assert not satisfied("police-de", "customs-nl")
    assert satisfied("police-de", "post-be")


def test_without_a_counting_witness_the_policy_demands_none(keeper: Keeper) -> None:
    keeper.witness("post-be")
    with keeper.database.reading() as session:
        assert witnesses.policy(session, "post-be").quorum == "none"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a key",
        str(SigningKey("police.example/witness", b"k" * 32, KIND_ED25519).verifier),
        str(SigningKey("test.postern.example/audit", b"k" * 32, KIND_COSIGNATURE).verifier),
        str(SigningKey("p" * 250, b"k" * 32, KIND_COSIGNATURE).verifier),
    ],
    ids=["empty", "no key", "a log's", "the log's name", "too long"],
)
def test_what_is_no_key_of_a_witness_is_refused(keeper: Keeper, vkey: str) -> None:
    with keeper.database.transaction() as session, pytest.raises(InvalidRequestError) as refused:
        witnesses.register(session, CONSOLE, vkey, "police-de")
    assert refused.value.extensions["errors"][0]["field"] == "vkey"


@pytest.mark.parametrize("address", ["witness.example", "ftp://a", "https://a/?x", "https://u@a"])
def test_an_address_that_is_none_is_refused(keeper: Keeper, address: str) -> None:
    key = SigningKey("police.example/witness", b"k" * 32, KIND_COSIGNATURE).verifier
    with keeper.database.transaction() as session, pytest.raises(InvalidRequestError):
        witnesses.register(session, CONSOLE, str(key), "police-de", address)


def test_a_key_is_registered_once_even_under_another_name(keeper: Keeper) -> None:
    keeper.witness("police-de")
    seed = ("police-de" * 32).encode()[:32]
    renamed = SigningKey("other.example/witness", seed, KIND_COSIGNATURE).verifier
    with keeper.database.transaction() as session, pytest.raises(WitnessExistsError):
        witnesses.register(session, CONSOLE, str(renamed), "post-be")


def test_an_ended_witness_counts_no_more_and_its_key_is_not_taken_again(keeper: Keeper) -> None:
    key = keeper.witness("police-de").verifier
    keeper.cosign("police-de")
    with keeper.database.transaction() as session:
        witnesses.end(session, CONSOLE, str(key), "police-de")
        witnesses.end(session, CONSOLE, str(key), "police-de")
    assert (needed(keeper), cosigned(keeper)) == (0, None)
    assert states(keeper) == {"police-de": WitnessState.ENDED}
    with keeper.database.transaction() as session, pytest.raises(WitnessExistsError):
        witnesses.register(session, CONSOLE, str(key), "police-de")


def test_nobody_ends_the_witness_of_another(keeper: Keeper) -> None:
    key = keeper.witness("police-de").verifier
    with keeper.database.transaction() as session, pytest.raises(NotFoundError):
        witnesses.end(session, CONSOLE, str(key), "post-be")
    assert needed(keeper) == 1


@pytest.mark.parametrize(
    ("seen", "since", "state"),
    [
        (timedelta(minutes=1), timedelta(days=9), WitnessState.OK),
        (timedelta(minutes=16), timedelta(days=9), WitnessState.LATE),
        (timedelta(hours=25), timedelta(days=9), WitnessState.SILENT),
        (None, timedelta(hours=1), WitnessState.NEVER),
        (None, timedelta(hours=25), WitnessState.SILENT),
    ],
)
def test_a_witness_stands_by_its_last_cosignature(
    keeper: Keeper, seen: timedelta | None, since: timedelta, state: WitnessState
) -> None:
    keeper.witness("police-de")
    now = datetime.now(UTC)
    with keeper.database.transaction() as session:
        session.execute(
            update(AuditWitness).values(
                since=milliseconds(now - since),
                seen=None if seen is None else milliseconds(now - seen),
            )
        )
    assert states(keeper) == {"police-de": state}


def checkpoints(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(select(AuditCheckpoint.size).order_by(AuditCheckpoint.size)))


@pytest.fixture
def a_fortnight_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    later = datetime.now(UTC) + timedelta(days=14)
    return lambda: monkeypatch.setattr("app.clock.now", lambda: later)


def test_old_checkpoints_that_nobody_cosigned_go_and_the_others_stay(
    keeper: Keeper, a_fortnight_later: Callable[[], None]
) -> None:
    keeper.witness("police-de")
    sizes = [10, *(keeper.grow() for _ in range(2))]
    keeper.cosign("police-de")
    sizes += [keeper.grow() for _ in range(3)]
    with keeper.database.transaction() as session:
        assert witnesses.thin(session) == 0
    a_fortnight_later()
    with keeper.database.transaction() as session:
        assert witnesses.thin(session) == 4
    assert checkpoints(keeper.database) == [sizes[2], sizes[-1]]


@pytest.mark.parametrize("which", ["cosigned", "newest"])
def test_the_database_keeps_what_must_last(keeper: Keeper, which: str) -> None:
    keeper.witness("police-de")
    keeper.cosign("police-de")
    last = keeper.grow()
    size = 10 if which == "cosigned" else last
    with pytest.raises(DBAPIError, match="lasts"), keeper.database.transaction() as session:
        session.execute(delete(AuditCheckpoint).where(AuditCheckpoint.size == size))
    with pytest.raises(DBAPIError, match="lasts"), keeper.database.transaction() as session:
        session.execute(update(AuditCheckpoint).values(t=0))
    assert checkpoints(keeper.database) == [10, last]


def test_every_change_of_a_witness_stands_in_the_log(keeper: Keeper) -> None:
    key = keeper.witness("police-de").verifier
    with keeper.database.transaction() as session:
        witnesses.end(session, CONSOLE, str(key))
    with keeper.database.reading() as session:
        told = select(func.count()).where(
            AuditAudience.act == "audit.witness", AuditAudience.org == "police-de"
        )
        assert session.scalar(told) == 2
