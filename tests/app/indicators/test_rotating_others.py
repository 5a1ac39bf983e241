"""What lives beside a rotation: filters, watches, holds, and keys that are shared with holders."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.config import Settings
from app.errors import ConflictError
from app.indicators import holds, service
from app.indicators.models import Indicator
from app.indicators.storage import split_tokens
from app.jobs.draining import drain
from app.lookups.models import WatchMatch
from app.patterns import filters
from app.pseudonyms import rotation as rotations
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.models import ElementVault, KeyEpoch
from app.pseudonyms.rotation_models import RotationState
from app.pseudonyms.service import signed_document
from app.pseudonyms.sharing import find, share_keys, sharing_of
from postern import group, key_document, normalise, pseudonym, rotation, threshold, token_tags
from postern.base64url import from_base64url
from postern.key_sharing import Ceremony, Holder
from postern.vocabulary import HoldReason
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, b64, make_exchange, report
from tests.app.indicators.rotation_house import POSTAL, Rotating, party, with_own_secrets
from tests.app.lookups.watching import WHY, watch
from tests.app.people import runtime_of

SCREENED = """
@id("all") @label("The police take what they want")
permit (principal, action, resource) when { principal.organisation == Organisation::"police-de" };
"""
DEALT = threshold.deal(2, (1, 2, 3))
CEREMONY = Ceremony(
    platform="Postern",
    epoch=1,
    holders=(Holder(1, "alpha"), Holder(2, "beta"), Holder(3, "gamma")),
    addresses=dict.fromkeys((1, 2, 3), "http://127.0.0.1:9"),
    commitments={POSTAL: DEALT.commitments},
)


class Shared(Rotating):
    """The same, with a key of which three holders have shares."""

    factor = group.random_scalar()

    def whole(self, platforms: bytes, epoch: int) -> bytes:
        shares = dict(DEALT.shares)
        if epoch > 1:
            shares = {n: group.scalar_mul(each, self.factor) for n, each in shares.items()}
        parts = [int.from_bytes(platforms, "little")]
        parts += [
            int.from_bytes(group.scalar_mul(weight, shares[number]), "little")
            for number, weight in threshold.weights((1, 3)).items()
        ]
        return (sum(parts) % group.L).to_bytes(group.SIZE, "little")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_own_secrets(settings, tmp_path)


@pytest.fixture
def house(app: Flask) -> Rotating:
    return Rotating(make_exchange(app))


@contextmanager
def doing(house: Rotating) -> Iterator[Session]:
    with house.exchange.app.app_context(), house.exchange.database.transaction() as session:
        yield session


def send_watchable(house: Rotating, key: str, value: normalise.Value, epoch: int) -> None:
    item = house.exchange.indicator(
        value,
        epoch=epoch,
        elements=[{"facet": f, "element": b64(each)} for f, each in house.elements(value, epoch)],
        permitted_action="watch",
    )
    (made,) = house.exchange.submit("post-be", report(key, item)).results
    assert made.status == "created", made.errors


def screened(house: Rotating) -> tuple[filters.Issue, bytes]:
    """A new filter of police-de and its content."""
    with doing(house) as session:
        issue = filters.make(session, house.exchange.caller("police-de"), WHY)
    with house.exchange.app.app_context():
        drain(runtime_of(house.exchange.app))
    return fetched(house, issue)


def fetched(house: Rotating, issue: filters.Issue) -> tuple[filters.Issue, bytes]:
    caller = house.exchange.caller("police-de")
    with doing(house) as session:
        read = filters.read_issue(session, caller, issue.id)
        parts = [
            filters.fetch(session, caller, issue.id, part) for part in range(1, read.parts + 1)
        ]
    return read, b"".join(parts)


def lists(house: Rotating, made: tuple[filters.Issue, bytes], value: normalise.Value) -> bool:
    """Whether a filter has every facet of a value, as who screens with its epoch asks it."""
    issue, content = made
    document: Any = issue.header["document"] if issue.header else {}
    salt = from_base64url(document["salt"])
    assert salt is not None
    records = {record[: token_tags.TAG_SIZE] for record in token_tags.records(content)}
    epoch = issue.epochs[POSTAL]
    return {
        token_tags.tag(salt, pseudonym.token(POSTAL, epoch, element))
        for _, element in house.elements(value, epoch)
    } <= records


def test_a_filter_finds_what_was_sent_before_during_and_after(house: Rotating) -> None:
    house.exchange.publish("post-be", SCREENED)
    send_watchable(house, "before", party(0), 1)
    send_watchable(house, "also", party(1), 1)
    first = screened(house)
    assert lists(house, first, party(0))
    house.begin()
    house.step()
    send_watchable(house, "during", party(2), 1)
    second = screened(house)
    assert second[0].epochs[POSTAL] == 1
    assert all(lists(house, second, party(number)) for number in range(3))
    house.turned()
    send_watchable(house, "late", party(3), 1)
    send_watchable(house, "new", party(4), 2)
    third = screened(house)
    assert third[0].epochs[POSTAL] == 2
    assert all(lists(house, third, party(number)) for number in range(5))
    assert lists(house, fetched(house, second[0]), party(0))  # made before, good as it was
    house.until(RotationState.DONE)
    last = screened(house)
    assert all(lists(house, last, party(number)) for number in range(5))
    assert not lists(house, last, party(5))


def test_watches_of_either_epoch_learn_of_values_sent_in_either(house: Rotating) -> None:
    house.exchange.publish("post-be", OPEN_TO_POLICE)

    def matches() -> int:
        with house.exchange.database.reading() as session:
            return session.scalar(select(func.count()).select_from(WatchMatch)) or 0

    watch(house.exchange, "police-de", SOPHIE)
    house.begin()
    house.step()
    house.submit("moving", SOPHIE, 1)
    assert matches() == 1
    house.turned()
    assert matches() == 1  # nothing is told twice because it moved
    watch(house.exchange, "police-de", house.query(SOPHIE, 2))
    house.submit("old", SOPHIE, 1)
    house.submit("new", SOPHIE, 2)
    assert matches() == 1 + 2 * 2
    with doing(house) as session:
        assert rotations.close_now(session, CONSOLE, POSTAL) == 1
    house.until(RotationState.DONE)
    house.submit("after", SOPHIE, 2)
    assert matches() == 1 + 2 * 2 + 1


def test_what_a_hold_keeps_stays_as_it_is_and_stops_nothing(house: Rotating) -> None:
    house.exchange.publish("post-be", OPEN_TO_POLICE)
    made = {key: house.submit(key, party(place)) for place, key in enumerate(("a", "b", "c"))}
    caller = house.exchange.caller("post-be")

    def keep(key: str) -> None:
        with doing(house) as session:
            until = clock.now().date() + timedelta(days=30)
            reason = HoldReason.PROCEEDINGS
            holds.place(session, caller, made[key].id, reason=reason, until=until, case="PV-1")
        with doing(house) as session:
            service.withdraw(session, caller, made[key].id, "error")
        del house.sent[key]

    keep("a")
    before = row_of(house, made["a"])
    house.begin()
    house.step()
    house.turned()
    keep("b")
    house.until(RotationState.DONE)
    after = row_of(house, made["a"])
    assert (after.epoch, after.also_epoch, after.tokens) == (1, None, before.tokens)
    turned = row_of(house, made["b"])
    assert (turned.epoch, turned.also_epoch) == (2, None)
    assert len(split_tokens(turned.tokens)) == len(house.elements(party(1), 2))
    assert len(house.exchange.rows(select(ElementVault))) == len(house.sent) == 1
    house.find(2)


def row_of(house: Rotating, made: Any) -> Indicator:
    (found,) = house.exchange.rows(
        select(Indicator).where(Indicator.public_id == made.indicators[0])
    )
    row: Indicator = found
    return row


@pytest.fixture
def shared(app: Flask) -> Shared:
    made = Shared(make_exchange(app))
    with doing(made) as session:
        session.execute(delete(KeyEpoch).where(KeyEpoch.kind == POSTAL))
        share_keys(session, CONSOLE, CEREMONY)
    made.exchange.publish("post-be", OPEN_TO_POLICE)
    for number in range(3):
        made.submit(f"k{number}", party(number))
    return made


def run(house: Rotating, *arguments: object) -> Result:
    return house.exchange.app.test_cli_runner().invoke(args=[str(each) for each in arguments])


def test_a_shared_key_moves_with_the_shares_of_its_holders(shared: Shared, tmp_path: Path) -> None:
    file, other = tmp_path / "factor", tmp_path / "other"
    for path in (file, other):
        assert run(shared, "keys", "draw-factor", "--to", path).exit_code == 0
        assert path.stat().st_mode & 0o777 == 0o600
    assert run(shared, "keys", "draw-factor", "--to", file).exit_code == 1
    shared.factor = file.read_bytes()
    begin = ("keys", "rotate", "--kind", "postal", "--overlap-days", "0")
    for refused in (begin, (*begin, "--factor-file", file)):
        with pytest.raises(ConflictError, match="move their shares first"):
            shared.begin(factor=None if refused is begin else shared.factor)
        assert run(shared, *refused).exit_code != 0
    assert run(shared, "keys", "move-sharing", "postal", "1", "--factor-file", file).exit_code == 0
    with pytest.raises(ConflictError, match="another factor"):
        shared.begin(factor=other.read_bytes())
    assert run(shared, "keys", "rotate", "--factor-file", file).exit_code != 0
    shared.find(1)
    shared.begin(factor=shared.factor)
    shared.step()
    shared.find(1)
    shared.turned()
    shared.submit("old", SOPHIE, 1)
    shared.submit("new", party(5), 2)
    shared.find(1)
    shared.find(2)
    shared.until(RotationState.DONE)
    shared.find(2)
    with shared.exchange.app.app_context(), shared.exchange.database.reading() as session:
        now = find(session, POSTAL, 2)
        assert now is not None
        sharing = sharing_of(now)
        raw = signed_document(session)
        proved = rotation.verify_file(rotations.proof_lines(session, POSTAL, 2))
    document = key_document.read(raw, key_document.signer(raw), clock.now())
    (epoch,) = (each for each in document.epochs if (each.kind, each.epoch) == (POSTAL, 2))
    assert epoch.sharing == sharing
    assert proved.rotation.new_key == epoch.public_key == sharing.public_key
    own = runtime_of(shared.exchange.app).part(SingleKeyEvaluator).public_key(POSTAL, 2)
    assert own == sharing.platform_key
    for number, share in DEALT.shares.items():
        moved = group.scalar_mul(share, shared.factor)
        threshold.check_share(moved, number, sharing.commitments)


def test_a_key_that_is_held_alone_takes_no_factor(house: Rotating) -> None:
    with pytest.raises(ConflictError, match="alone"):
        house.begin(factor=group.random_scalar())
