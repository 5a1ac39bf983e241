from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from postern import voprf
from postern.client import Client, Evaluation
from postern.client_errors import (
    EpochClosedError,
    EvaluationRefusedError,
    QuotaSpentError,
    SharedKeyError,
)
from postern.facets import evaluation_input, facets
from postern.key_ring import KeyRing
from postern.normalise import Address, InductionPoint, Normalised, Party, Phone, Vendor, normalise
from postern.pseudonym import clear_token, derive_epoch_key, token
from postern.pseudonymise import Pseudonymiser
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Kind, Purpose
from tests.postern.loopback_platform import LoopbackPlatform

SEED = bytes(range(32))  # the loopback platform's
EVALUATE = "/api/v1/evaluate"
PARTY = normalise(Party("Jan de Vries", ("Keizersgracht 12",), "1015 CS", "Amsterdam", "nl"))

Make = Callable[..., Pseudonymiser]


@pytest.fixture
def make(client: Client, ring: KeyRing) -> Make:
    def made(**more: int) -> Pseudonymiser:
        return Pseudonymiser(client, ring, purpose=Purpose.RISK_ANALYSIS, case="C-1", **more)

    return made


def phones(count: int) -> list[Normalised]:
    return [normalise(Phone(f"+3247{number:07}")) for number in range(count)]


def evaluated_by_hand(value: Normalised, epoch: int = 1) -> list[tuple[int, bytes]]:
    """Facet numbers and elements as the key makes them of the inputs themselves, unblinded."""
    kind = EVALUATION_KIND[value.kind]
    secret, public = derive_epoch_key(SEED, kind, epoch)
    found = []
    for facet in facets(value):
        blind, blinded = voprf.blind(evaluation_input(facet, kind))
        (evaluated,), _ = voprf.evaluate(secret, public, [blinded])
        found.append((facet.number, voprf.unblind(blind, evaluated)))
    return found


def test_the_elements_are_what_the_key_makes_of_the_facets(make: Make) -> None:
    (found,) = make().pseudonymise([PARTY])
    assert found.kind is Kind.PARTY
    assert found.epoch == 1
    assert [(each.number, each.element) for each in found.facets] == evaluated_by_hand(PARTY)
    assert [each.token for each in found.facets] == [
        token("postal", 1, element) for _, element in evaluated_by_hand(PARTY)
    ]


def test_no_clear_text_is_sent(platform: LoopbackPlatform, make: Make) -> None:
    make().pseudonymise([PARTY])
    (body,) = platform.sent_to(EVALUATE)
    assert body.keys() == {"kind", "epoch", "elements", "purpose", "case"}
    assert body["purpose"] == "risk_analysis"
    assert body["case"] == "C-1"
    assert {len(each) for each in body["elements"]} == {43}
    assert len(body["elements"]) == len(facets(PARTY))


def test_a_place_is_not_evaluated(platform: LoopbackPlatform, make: Make) -> None:
    point = normalise(InductionPoint("Post", "BRU-1", "be"))
    (found,) = make().pseudonymise([point])
    assert found.epoch == 0
    (facet,) = found.facets
    assert facet.element is None
    assert facet.token == clear_token("induction_point", facets(point)[0].text)
    assert not platform.count(EVALUATE)


def test_a_value_that_holds_too_little_has_no_facets(make: Make) -> None:
    (found,) = make().pseudonymise([normalise(Party("Jan"))])
    assert found.facets == ()


def test_equal_inputs_are_evaluated_once_in_a_whole_run(
    platform: LoopbackPlatform, make: Make
) -> None:
    pseudonymiser = make()
    one, other, again = phones(2) + phones(1)
    first = pseudonymiser.pseudonymise([one, other, again])
    assert first[0] == first[2] != first[1]
    assert pseudonymiser.pseudonymise([other]) == [first[1]]
    assert platform.evaluated["phone"] == pseudonymiser.evaluations == 2


def test_an_address_shares_the_facets_of_who_lives_there(
    platform: LoopbackPlatform, make: Make
) -> None:
    address = normalise(Address(("Keizersgracht 12",), "1015 CS", "Amsterdam", "nl"))
    party, place = make().pseudonymise([PARTY, address])
    assert {each.token for each in place.facets} < {each.token for each in party.facets}
    assert platform.evaluated["postal"] == len(party.facets)


def test_more_inputs_than_one_request_takes_go_in_several(
    platform: LoopbackPlatform, make: Make
) -> None:
    values = phones(1001)
    found = make().pseudonymise(values)
    assert [len(body["elements"]) for body in platform.sent_to(EVALUATE)] == [1000, 1]
    assert len({each.facets[0].token for each in found}) == 1001
    assert evaluated_by_hand(values[1000])[0][1] == found[1000].facets[0].element


def test_workers_find_the_same_as_one_process(make: Make) -> None:
    values = phones(2100)
    with make(workers=2) as pseudonymiser:
        found = pseudonymiser.pseudonymise(values)
    for place in (0, 999, 1000, 2099):
        assert found[place].facets[0].element == evaluated_by_hand(values[place])[0][1]


def test_an_evaluation_with_another_key_is_refused(platform: LoopbackPlatform, make: Make) -> None:
    platform.forges_proofs = True
    with pytest.raises(EvaluationRefusedError, match="report it to the platform's operator"):
        make().pseudonymise([PARTY])


def test_workers_refuse_another_key_too(platform: LoopbackPlatform, make: Make) -> None:
    platform.forges_proofs = True
    with make(workers=2) as pseudonymiser, pytest.raises(EvaluationRefusedError):
        pseudonymiser.pseudonymise(phones(2100))


@pytest.mark.parametrize("epoch", [1, 2])
def test_an_answer_of_another_epoch_or_length_is_refused(
    client: Client, ring: KeyRing, epoch: int
) -> None:
    class Shortened:
        def evaluate(
            self,
            kind: EvaluationKind,
            asked: int,
            blinded: Sequence[bytes],
            *,
            purpose: Purpose,
            case: str,
        ) -> Evaluation:
            found = client.evaluate(kind, asked, blinded, purpose=purpose, case=case)
            if epoch == 1:
                del found.parts[0].elements[-1]
            return Evaluation(epoch, found.parts, found.left, found.resets_at)

    pseudonymiser = Pseudonymiser(Shortened(), ring, purpose=Purpose.RISK_ANALYSIS, case="C")
    with pytest.raises(EvaluationRefusedError):
        pseudonymiser.pseudonymise([PARTY])


def test_a_key_in_several_hands_is_not_taken_for_one(
    platform: LoopbackPlatform, make: Make
) -> None:
    platform.splits_keys = True
    with pytest.raises(SharedKeyError):
        make().pseudonymise([PARTY])


def test_a_closed_epoch_leads_to_the_new_keys(platform: LoopbackPlatform, make: Make) -> None:
    pseudonymiser = make()
    before = pseudonymiser.pseudonymise([PARTY])[0]
    platform.epochs[EvaluationKind.POSTAL] = 2
    platform.published[EvaluationKind.POSTAL] = 2
    more = normalise(Party("Piet Smit", ("Meir 5",), "2000", "Antwerpen", "be"))
    found = pseudonymiser.pseudonymise([PARTY, more])
    assert [each.epoch for each in found] == [2, 2]
    assert found[0].facets[0].element == evaluated_by_hand(PARTY, 2)[0][1]
    assert found[0].facets[0].token != before.facets[0].token


def test_an_epoch_that_the_platform_names_is_used_although_the_clock_is_behind(
    platform: LoopbackPlatform, make: Make
) -> None:
    platform.issued_at += timedelta(hours=1)  # now every epoch begins minutes from now
    platform.published[EvaluationKind.PHONE] = 2
    platform.epochs[EvaluationKind.PHONE] = 2
    platform.issued_at -= timedelta(seconds=90)  # epoch 1 has begun, epoch 2 has not
    (found,) = make().pseudonymise(phones(1))
    assert found.epoch == 2


def test_an_epoch_that_stays_closed_is_an_error(platform: LoopbackPlatform, make: Make) -> None:
    class Stubborn:
        def evaluate(self, *_: object, **__: object) -> Evaluation:
            raise EpochClosedError(1)

    pseudonymiser = make()
    pseudonymiser._platform = Stubborn()
    with pytest.raises(EpochClosedError):
        pseudonymiser.pseudonymise([PARTY])


def test_a_batch_begun_in_the_old_epoch_is_completed_in_the_new_one(
    platform: LoopbackPlatform, make: Make
) -> None:
    pseudonymiser = make()
    first = pseudonymiser.begin([PARTY])
    second = pseudonymiser.begin([PARTY])  # has no input of its own: it counts on the first
    platform.epochs[EvaluationKind.POSTAL] = 2
    platform.published[EvaluationKind.POSTAL] = 2
    pseudonymiser.complete(first)
    pseudonymiser.complete(second)
    assert first.pseudonym(0) == second.pseudonym(0)
    assert second.pseudonym(0).epoch == 2


def test_what_a_quota_allows_is_kept_when_the_rest_must_wait(
    platform: LoopbackPlatform, make: Make
) -> None:
    platform.quota = 150
    pseudonymiser = make()
    batch = pseudonymiser.begin(phones(200))
    with pytest.raises(QuotaSpentError):
        pseudonymiser.complete(batch)
    ready = [batch.is_complete(place) for place in range(200)]
    assert ready == [True] * 150 + [False] * 50
    platform.quota = 1000
    pseudonymiser.complete(batch)
    assert all(batch.is_complete(place) for place in range(200))
    assert platform.evaluated["phone"] == 200


def test_a_value_is_not_given_before_it_is_complete(make: Make) -> None:
    batch = make().begin([PARTY])
    with pytest.raises(LookupError):
        batch.pseudonym(0)


def test_rare_kinds_are_evaluated_before_the_many(platform: LoopbackPlatform, make: Make) -> None:
    make().pseudonymise([PARTY, normalise(Vendor("Market", "handle42")), *phones(1)])
    assert [body["kind"] for body in platform.sent_to(EVALUATE)] == ["phone", "vendor", "postal"]
