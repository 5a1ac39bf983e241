"""The seven steps that are shipped: whole, labelled, in four languages, with sources per cell."""

import json

import jsonschema
import pytest
import yaml

from app.barriers.documents import read_model
from app.barriers.model import BarrierModel, Basis, CellKind, Reading, Status, Strength
from app.barriers.schema import FILE, FOLDER, model_schema, written_schema
from app.barriers.suggesting import suggestions
from postern.patterns.words import LANGUAGES
from postern.vocabulary import Sector
from tests.app.barriers.texts import TEXT, changed

SHIPPED = FOLDER / "postal-seven-steps.yml"


@pytest.fixture(scope="module")
def shipped() -> BarrierModel:
    return read_model(SHIPPED.read_text("utf-8"), SHIPPED.name)


def test_it_has_seven_steps_with_every_column(shipped: BarrierModel) -> None:
    assert [step.number for step in shipped.steps] == [1, 2, 3, 4, 5, 6, 7]
    for step in shipped.steps:
        assert {kind for kind, _ in step.cells} == set(CellKind)


def test_it_says_in_every_language_that_it_is_not_the_official_list(
    shipped: BarrierModel,
) -> None:
    assert shipped.status is Status.DERIVED
    assert shipped.languages == LANGUAGES
    said = {
        "en": "not the official list",
        "fr": "pas la liste officielle",
        "nl": "niet de officiële lijst",
        "de": "nicht die amtliche Liste",
    }
    for language, words in said.items():
        assert words in shipped.statement.said(language)[0]
        assert words in shipped.label(language)


def test_a_copy_of_it_becomes_a_model_of_ones_own(shipped: BarrierModel) -> None:
    text = SHIPPED.read_text("utf-8").replace(shipped.id, "1f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0f09")
    own = read_model(text.replace("status: derived", "status: own"))
    assert (own.status, own.id) == (Status.OWN, "1f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0f09")
    assert own.steps == shipped.steps
    assert own.label("nl") == "een eigen model"


def test_every_source_is_used_and_says_how_much_of_it_was_read(shipped: BarrierModel) -> None:
    used = {key for step in shipped.steps for key in step.sources}
    for step in shipped.steps:
        used |= {key for _, cell in step.cells for key in cell.sources}
        for barrier in step.barriers:
            used |= set(barrier.evidence.sources)
            used |= set(barrier.legal_basis.sources if barrier.legal_basis else ())
    assert used == {source.key for source in shipped.sources}
    assert {source.read for source in shipped.sources} == {Reading.EXCERPT}
    assert {step.basis for step in shipped.steps} == {Basis.DERIVED}


def test_no_barrier_claims_to_be_measured_and_every_one_can_be_set(
    shipped: BarrierModel,
) -> None:
    barriers = [barrier for step in shipped.steps for barrier in step.barriers]
    assert {each.evidence.strength for each in barriers} <= set(Strength) - {Strength.MEASURED}
    assert all(each.set_by for each in barriers)
    able = {
        sector
        for each in barriers
        for key in each.set_by
        for sector in shipped.partner(key).sectors
    }
    assert able == set(Sector)


def test_no_text_is_left_in_another_language(shipped: BarrierModel) -> None:
    for step in shipped.steps:
        for _, cell in step.cells:
            texts = [text for _, text in cell.text.texts]
            assert len(set(texts)) == len(LANGUAGES), cell.key


@pytest.mark.parametrize(
    ("facts", "signal"),
    [
        ({"learned": "xray"}, "deviant-scan-image"),
        ({"learned": "dog"}, "dog-indication"),
        ({"learned": "lawful_opening"}, "opened-as-undeliverable"),
        ({"concealment": "toy"}, "drugs-in-decoy"),
        ({"concealment": "vacuum_sealed"}, "sealed-against-odour"),
        ({"kind": "vendor"}, "vendor-handle"),
        ({"kind": "pgp"}, "vendor-key"),
        ({"kind": "induction_point"}, "point-with-drugs"),
        ({"kind": "induction_point", "service": "letter"}, "many-letters-in-boxes"),
        ({"role": "sender", "subject_category": "unwitting"}, "borrowed-sender"),
        ({"role": "addressee", "subject_category": "unwitting"}, "uninvolved-addressee"),
        ({"weight_band": "2000-5000", "value_band": "0-22"}, "heavy-and-cheap"),
        ({"weight_band": "2000-5000", "value_band": "0"}, "heavy-and-cheap"),
        ({"declared_category": "documents", "weight_band": "500-1000"}, "documents-too-heavy"),
        ({"origin_country": "NL", "destination_country": "AU"}, "western-europe-overseas"),
        ({"substance": "precursor"}, "precursor-in-parcel"),
        ({"kind": "payment"}, "crypto-proceeds"),
    ],
)
def test_its_rules_suggest_what_they_are_meant_to(
    shipped: BarrierModel, facts: dict[str, str], signal: str
) -> None:
    found = suggestions(shipped, {name: frozenset({word}) for name, word in facts.items()})
    assert signal in {each.signal for each in found}


def test_nothing_is_suggested_for_an_ordinary_parcel(shipped: BarrierModel) -> None:
    ordinary = {
        "service": "parcel",
        "weight_band": "1000-2000",
        "value_band": "22-150",
        "declared_category": "gift",
        "origin_country": "BE",
        "destination_country": "FR",
        "concealment": "none",
        "kind": "address",
        "role": "sender",
        "learned": "carrier_record",
    }
    facts = {name: frozenset({word}) for name, word in ordinary.items()}
    assert suggestions(shipped, facts) == ()


def test_the_schema_beside_it_is_what_the_reader_reads() -> None:
    assert FILE.read_text("utf-8") == written_schema(), "run python -m app.barriers.schema"
    jsonschema.Draft202012Validator.check_schema(model_schema())


@pytest.mark.parametrize("text", [SHIPPED.read_text("utf-8"), TEXT], ids=["shipped", "own"])
def test_what_the_reader_takes_the_schema_takes(text: str) -> None:
    assert [each.message for each in _told_by_schema(text)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: own", "status: offical"),
        ("status: own", "status: own\ncode: x"),
        ("version: 1", "version: 0"),
        ("cost: low", "cost: much"),
        ("declared_category: gift", "declared_category: presents"),
        ("key: seller", "key: Seller"),
        ("'learned|exists': yes", "'learned|exists': maybe"),
        ("    basis: judgement\n    opp", "    opp"),
    ],
)
def test_what_the_reader_refuses_the_schema_warns_of(old: str, new: str) -> None:
    assert _told_by_schema(changed(old, new)) != []


def _told_by_schema(text: str) -> list[jsonschema.ValidationError]:
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return list(jsonschema.Draft202012Validator(model_schema()).iter_errors(document))
