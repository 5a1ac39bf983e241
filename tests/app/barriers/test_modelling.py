"""Models: the platform's own from a file, a member's by two people, chosen, kept as they were."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.access import CONSOLE
from app.barriers import model_upkeep, modelling
from app.barriers.models import ModelState, ModelVersion, StoredModel
from app.barriers.refusals import (
    ModelNotProposedError,
    ModelProposedError,
    ModelRefusedError,
    OwnModelError,
    TooManyModelsError,
)
from app.errors import InvalidRequestError, NotFoundError
from app.organisations import service as organisations
from postern.vocabulary import Role
from tests.app.barriers.ground import OWN_ID, in_force, load, make_ground, own_text, upkeep
from tests.app.barriers.texts import TEXT, changed
from tests.app.exchange import Exchange
from tests.app.patterns.writing import act
from tests.app.people import make_person


@pytest.fixture
def ground(app: Flask) -> Exchange:
    return make_ground(app)


def second(exchange: Exchange, code: str) -> Any:
    return make_person(exchange.app, code, [Role.POLICY_OWNER]).caller


def used(exchange: Exchange, code: str) -> str:
    found = act(exchange, modelling.current, exchange.caller(code))
    return found.document.title.said("nl")[0]


def test_a_newer_file_becomes_the_next_version_and_the_same_file_none(ground: Exchange) -> None:
    assert load(ground, TEXT) == 0
    later = changed("version: 1", "version: 4", changed("Inkopen", "Kopen"))
    assert load(ground, later) == 1
    caller = ground.caller("post-be")
    (listed,) = act(ground, modelling.list_models, caller)
    assert listed.version is not None
    assert (listed.version.seq, listed.version.number, listed.owner) == (2, 4, None)
    found = act(ground, modelling.compare, caller, listed.model.public_id, 1, 2)
    assert [(each.named.key, each.languages) for each in found.reworded] == [("buy", ("nl",))]
    with pytest.raises(ValueError, match="Give the file a higher version"):
        load(ground, changed("Kopen", "Halen", later))
    (entry, _) = ground.entries("model.load")
    assert entry.details["number"] == 1


def test_a_model_is_proposed_by_one_and_put_in_force_by_another(ground: Exchange) -> None:
    one, other = ground.caller("police-de"), second(ground, "police-de")
    made = act(ground, modelling.begin, one, own_text())
    model = made.found.model.public_id
    assert (made.document, [each.state for each in made.versions]) == (None, ["proposed"])
    # Nobody else knows of it, and nobody uses what is not in force.
    for code in ("post-be", "customs-nl"):
        with pytest.raises(NotFoundError):
            act(ground, modelling.read, ground.caller(code), model)
    with pytest.raises(NotFoundError):
        act(ground, modelling.choose, one, model)
    with pytest.raises(OwnModelError):
        act(ground, modelling.approve, one, model, 1)
    with pytest.raises(ModelNotProposedError):
        act(ground, modelling.approve, other, model, 2)
    with pytest.raises(ModelProposedError):
        act(ground, modelling.propose, one, model, own_text(2))
    act(ground, modelling.approve, other, model, 1)
    assert used(ground, "police-de") == "Ons eigen model"
    chosen = act(ground, modelling.choose, one, model)
    assert (chosen.model, chosen.version, len(chosen.history)) == (model, 1, 1)
    assert used(ground, "police-de") == "Het model van een lid"
    assert used(ground, "post-be") == "Ons eigen model"
    (entry,) = ground.entries("model.publish")
    assert entry.audience == ["police-de"]


def test_an_organisation_has_so_many_models_and_no_more(
    ground: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modelling, "MOST_MODELS", 2)
    caller, texts = ground.caller("police-de"), [another_text(number) for number in range(3)]
    for each in texts[:2]:
        act(ground, modelling.begin, caller, each)
    with pytest.raises(TooManyModelsError):
        act(ground, modelling.begin, caller, texts[2])
    own = StoredModel.organisation_id == caller.member[0]
    assert len(ground.rows(select(StoredModel).where(own))) == 2
    assert len(ground.entries("model.draft")) == 2
    act(ground, modelling.begin, ground.caller("post-be"), texts[2])


def another_text(number: int) -> str:
    """A model of a member, with an id of its own."""
    return changed(OWN_ID, f"{OWN_ID[:-1]}{number}", own_text())


def test_the_next_version_says_what_is_wrong_with_it(ground: Exchange) -> None:
    model = in_force(ground, "police-de")
    one = ground.caller("police-de")
    for wrong, reason in (
        (own_text(1, "Anders"), "Its version is 1, and 1 is in force."),
        (changed("version: 1", "version: 2"), "The id is not that of the model."),
        ("no model", "The model is not a map."),
    ):
        with pytest.raises(ModelRefusedError) as refused:
            act(ground, modelling.propose, one, model, wrong)
        assert reason in [each["reason"] for each in refused.value.extensions["errors"]]
    with pytest.raises(ModelRefusedError):
        act(ground, modelling.begin, one, own_text())
    with pytest.raises(NotFoundError):
        act(ground, modelling.propose, ground.caller("post-be"), model, own_text(2))


def test_a_refusal_says_why_and_the_next_version_may_come(ground: Exchange) -> None:
    model = in_force(ground, "police-de")
    one, other = ground.caller("police-de"), second(ground, "police-de")
    act(ground, modelling.propose, one, model, own_text(2))
    with pytest.raises(InvalidRequestError):
        act(ground, modelling.refuse, other, model, 2, " ")
    act(ground, modelling.refuse, other, model, 2, "Too short")
    act(ground, modelling.propose, one, model, own_text(2))
    act(ground, modelling.withdraw, one, model, 3)
    shown = act(ground, modelling.read, one, model)
    states = [(each.seq, each.state, each.note) for each in shown.versions]
    assert states == [
        (3, ModelState.WITHDRAWN, None),
        (2, ModelState.REFUSED, "Too short"),
        (1, ModelState.PUBLISHED, None),
    ]


def test_a_model_for_a_community_is_for_its_members(ground: Exchange) -> None:
    with ground.app.app_context(), ground.database.transaction() as session:
        for code in ("police-de", "post-be"):
            organisations.join(session, CONSOLE, code, "benelux", "Benelux")
    with pytest.raises(InvalidRequestError):
        act(ground, modelling.begin, ground.caller("customs-nl"), own_text(), "benelux")
    model = in_force(ground, "police-de", "benelux")
    shown = act(ground, modelling.read, ground.caller("post-be"), model)
    assert (shown.found.is_own, shown.found.community) == (False, "benelux")
    with pytest.raises(NotFoundError):
        act(ground, modelling.read, ground.caller("customs-nl"), model)
    with ground.app.app_context(), ground.database.transaction() as session:
        model_upkeep.choose_for_community(session, CONSOLE, "benelux", model)
        with pytest.raises(NotFoundError):
            model_upkeep.choose_for_community(session, CONSOLE, "nobody", model)
    assert used(ground, "post-be") == "Het model van een lid"
    assert used(ground, "customs-nl") == "Ons eigen model"
    # One's own choice comes before that of the community.
    (platforms, _) = act(ground, modelling.list_models, ground.caller("post-be"))
    act(ground, modelling.choose, ground.caller("post-be"), platforms.model.public_id)
    assert used(ground, "post-be") == "Ons eigen model"
    # What its owner left behind is nobody's but its own any more.
    with ground.app.app_context(), ground.database.transaction() as session:
        organisations.leave(session, CONSOLE, "police-de", "benelux")
    with pytest.raises(NotFoundError):
        act(ground, modelling.read, ground.caller("post-be"), model)
    assert used(ground, "police-de") == "Ons eigen model"


def test_what_was_in_force_or_chosen_never_changes(ground: Exchange) -> None:
    model = in_force(ground, "police-de")
    act(ground, modelling.choose, ground.caller("police-de"), model)
    act(ground, modelling.propose, ground.caller("police-de"), model, own_text(2))
    for statement in (
        "UPDATE barrier_model_version SET note = 'other' WHERE state = 'published'",
        "UPDATE barrier_model_version SET text = 'other' WHERE state = 'proposed'",
        "DELETE FROM barrier_model_version WHERE state = 'published'",
        "UPDATE model_choice SET chosen_by = NULL",
    ):
        with (
            pytest.raises(DBAPIError, match=r"never changes|stays"),
            ground.database.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def test_what_nobody_decides_on_lapses_and_is_erased_at_last(
    ground: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ground.caller("police-de")
    act(ground, modelling.begin, one, own_text())
    assert upkeep(ground, model_upkeep.lapse) == 0
    at = clock.now() + model_upkeep.DECISION_TIME + timedelta(minutes=1)
    monkeypatch.setattr(model_upkeep, "now", lambda: at)
    assert upkeep(ground, model_upkeep.lapse) == 1
    assert upkeep(ground, model_upkeep.erase) == 0
    later = at + model_upkeep.KEPT
    monkeypatch.setattr(model_upkeep, "now", lambda: later)
    assert upkeep(ground, model_upkeep.erase) == 1
    assert len(ground.rows(select(StoredModel))) == 1
    assert [each.state for each in ground.rows(select(ModelVersion))] == [ModelState.PUBLISHED]
    (entry,) = ground.entries("model.erase")
    assert entry.audience == ["platform", "police-de"]


def test_a_model_that_was_never_there_is_not_there(ground: Exchange) -> None:
    verbs: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = (
        (modelling.read, ()),
        (modelling.version_text, (1,)),
        (modelling.compare, (1, 1)),
        (modelling.approve, (1,)),
        (modelling.choose, ()),
    )
    for verb, given in verbs:
        with pytest.raises(NotFoundError):
            act(ground, verb, ground.caller("police-de"), uuid4(), *given)
