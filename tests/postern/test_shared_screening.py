"""What a client makes of a key with holders, for lookups and for screening, while some cheat."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from postern import group, threshold, voprf
from postern.client import Evaluation, Part
from postern.client_errors import (
    CheatingHoldersError,
    EvaluationRefusedError,
    QuotaSpentError,
    SignatureNeededError,
)
from postern.client_screening import BulkEvaluation
from postern.commands.evaluating import RequestSigner
from postern.evaluation_octets import Proved
from postern.key_document import KeyEpoch
from postern.key_ring import KeyRing
from postern.key_sharing import PLATFORM_PART, Holder, KeySharing
from postern.normalise import NORMALISER_VERSION, Phone, normalise
from postern.pseudonym import token
from postern.pseudonymise import Pseudonymiser
from postern.settings import OwnKeys
from postern.signed_evaluation import Question, Signed
from postern.token_cache import TokenCache
from postern.token_evaluation import BulkTokens
from postern.vocabulary import EvaluationKind, Purpose
from tests.postern.premises import locked

KIND, PURPOSE = EvaluationKind.PHONE, Purpose.PARCEL_SCREENING
NAMES = ("alpha", "beta", "gamma", "delta")
BEGUN, ENDED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


class Shared:
    """A platform and `holders` of a key of which two evaluate; some cheat, some give nothing."""

    def __init__(
        self, holders: int, cheating: Collection[str] = (), away: Collection[str] = ()
    ) -> None:
        numbers = range(1, holders + 1)
        self.cheating, self.away, self.left = set(cheating), set(away), 10**6
        self.own, dealt = group.random_scalar(), threshold.deal(2, numbers)
        named = tuple(Holder(number, NAMES[number - 1]) for number in numbers)
        self.shares = {each.name: dealt.shares[each.number] for each in named}
        self.sharing = KeySharing(group.base(self.own), dealt.commitments, named)
        self.sizes: list[int] = []

    def epoch(self, kind: EvaluationKind, number: int | None = None) -> KeyEpoch:
        key = self.sharing.public_key
        return KeyEpoch(kind, number or 1, NORMALISER_VERSION, key, BEGUN, ENDED, self.sharing)

    def parts(self, blinded: Sequence[bytes], signed: Signed | None) -> dict[str, Proved]:
        question = Question(
            "police-de", KIND, 1, self.sharing.commitments[0], PURPOSE, list(blinded)
        )
        assert signed is not None
        assert signed.is_by(locked("police-de").keys.identity.public, question)
        self.sizes.append(len(blinded))
        if len(blinded) > self.left:
            raise QuotaSpentError(None)
        self.left -= len(blinded)
        found = {PLATFORM_PART: self.own, **self.shares}
        made = {}
        for name, share in found.items():
            secret = group.random_scalar() if name in self.cheating else share
            if name not in self.away:
                elements, proof = voprf.evaluate(secret, group.base(secret), blinded)
                made[name] = Proved(tuple(elements), proof)
        return made


class Singly(Shared):
    """As lookups evaluate."""

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> Evaluation:
        parts = tuple(
            Part(f"{kind}/{epoch}/{name}", bytes(32), list(each.elements), each.proof)
            for name, each in self.parts(blinded, signed).items()
        )
        return Evaluation(epoch=epoch, parts=parts, left=self.left, resets_at=ENDED)


class InBulk(Shared):
    """As screening does."""

    renamed: Callable[[str], str] = staticmethod(lambda name: name)

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> BulkEvaluation:
        parts = self.parts(blinded, signed)
        names = tuple(self.renamed(name) for name in parts)
        return BulkEvaluation(tuple(parts.values()), self.left, names)


def signer() -> RequestSigner:
    return RequestSigner(OwnKeys(), locked("police-de").keys)


def pseudonymiser(platform: Singly) -> Pseudonymiser:
    ring = cast(KeyRing, SimpleNamespace(epoch=platform.epoch))
    return Pseudonymiser(platform, ring, purpose=PURPOSE, case="S-1", signer=signer())


def bulk(platform: InBulk, place: Path, **other: Any) -> BulkTokens:
    cache = TokenCache(place / "c.sqlite", place / "c.key", {KIND: 1}, date(2026, 11, 26))
    given = {"signer": signer(), **other}
    return BulkTokens(platform, platform, cache, purpose=PURPOSE, case="S-1", **given)


def by_hand(platform: Shared, value: bytes) -> bytes:
    blind, blinded = voprf.blind(value)
    parts = {n: [group.mul(platform.shares[NAMES[n - 1]], blinded)] for n in (1, 2)}
    (evaluated,) = threshold.combine([group.mul(platform.own, blinded)], parts)
    return token(KIND, 1, voprf.unblind(blind, evaluated))


@pytest.mark.parametrize(
    ("cheating", "away"),
    [
        pytest.param(("beta",), ("gamma",), id="one-each"),
        pytest.param(("alpha", "delta"), (), id="two-cheat"),
        pytest.param((), ("alpha", "beta"), id="two-away"),
    ],
)
def test_two_of_four_go_on_while_two_cheat_or_are_away(
    cheating: tuple[str, ...], away: tuple[str, ...], tmp_path: Path
) -> None:
    with pseudonymiser(Singly(4, cheating, away)) as asking:
        assert asking.pseudonymise([normalise(Phone("+32471234567"))])[0].facets
        assert tuple(asking.cheating) == cheating
    platform, told = InBulk(4, cheating, away), []
    with bulk(platform, tmp_path, on_cheat=told.append) as source:
        assert source.tokens(KIND, 1, [b"a"]) == {b"a": by_hand(platform, b"a")}
        source.tokens(KIND, 1, [b"b"])
    assert tuple(told) == cheating


@pytest.mark.parametrize("in_bulk", [False, True], ids=["singly", "in-bulk"])
@pytest.mark.parametrize(
    ("holders", "cheating", "away", "says"),
    [
        pytest.param(
            3,
            ("beta",),
            ("gamma",),
            "The part of holder beta carries no valid proof for its published key; no answer came"
            " from gamma. 2 honest holders must take part and 1 did, so nothing was used. Give the"
            " same command again once gamma can be reached, and report beta to",
            id="one-each",
        ),
        pytest.param(
            3,
            ("alpha", "beta"),
            (),
            "alpha, beta carries no valid proof for its published key. 2 honest holders must take"
            " part and 1 did, so nothing was used. Stop, and report it",
            id="two-cheat",
        ),
        pytest.param(
            4,
            ("alpha", "beta"),
            ("delta",),
            "no answer came from delta. 2 honest holders must take part and 1 did",
            id="of-four",
        ),
    ],
)
def test_with_one_honest_holder_left_it_says_who_cheats_and_who_is_awaited(  # noqa: PLR0917
    holders: int,
    cheating: tuple[str, ...],
    away: tuple[str, ...],
    says: str,
    in_bulk: bool,
    tmp_path: Path,
) -> None:
    asking = pseudonymiser(Singly(holders, cheating, away))
    source = bulk(InBulk(holders, cheating, away), tmp_path)
    values = [normalise(Phone("+32471234567"))]
    with asking, source, pytest.raises(CheatingHoldersError) as refused:
        _ = source.tokens(KIND, 1, [b"a"]) if in_bulk else asking.pseudonymise(values)
    assert (refused.value.names, refused.value.away) == (cheating, away)
    assert says in str(refused.value)


def test_screening_asks_holders_a_thousand_at_a_time_and_keeps_what_was_allowed(
    tmp_path: Path,
) -> None:
    platform = InBulk(3, away=("alpha",))
    platform.left = voprf.MAX_BATCH + 2
    values = [b"%d" % number for number in range(voprf.MAX_BATCH + 4)]
    with bulk(platform, tmp_path) as source:
        with pytest.raises(QuotaSpentError):
            source.tokens(KIND, 1, values)
        assert platform.sizes[0] == voprf.MAX_BATCH
        kept = source._cache.known(1, values)
        assert len(kept) == voprf.MAX_BATCH + 2
        assert kept[values[-3]] == by_hand(platform, values[-3])


def test_a_wrong_part_of_the_platform_or_of_nobody_is_refused(tmp_path: Path) -> None:
    with bulk(InBulk(3, cheating=(PLATFORM_PART,)), tmp_path) as source:
        with pytest.raises(EvaluationRefusedError):
            source.tokens(KIND, 1, [b"a"])
        assert source._cache.known(1, [b"a"]) == {}
    for renamed in (lambda name: name.replace("alpha", "omega"), lambda _: "alpha"):
        platform = InBulk(3)
        platform.renamed = renamed
        with bulk(platform, tmp_path) as source, pytest.raises(EvaluationRefusedError):
            source.tokens(KIND, 1, [b"a"])


def test_without_a_key_file_nothing_is_sent(tmp_path: Path) -> None:
    platform = InBulk(3)
    with bulk(platform, tmp_path, signer=None) as source, pytest.raises(SignatureNeededError):
        source.tokens(KIND, 1, [b"a"])
    assert platform.sizes == []
