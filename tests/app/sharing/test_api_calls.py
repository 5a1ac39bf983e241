"""What each verb of the interface asks of the room and answers, without a database."""

import inspect
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.sharing import (
    api,
    composing,
    drafts,
    explanation,
    history,
    replay,
    service,
    simulation,
    versions,
)
from app.sharing.models import DraftStatus
from app.sharing.rule_schemas import from_form, to_form
from app.sharing.service import Examined
from postern.vocabulary import Handling, Role
from tests.app.sharing.desk import Desk
from tests.app.sharing.test_composing import WRITER
from tests.app.sharing.test_draft_page_contents import DRAFT_ID, FORM, RULE, draft
from tests.app.sharing.test_history import NOON
from tests.app.sharing.world import PLAIN, like

EXAMINED = Examined((), (), ())
ANSWER = object()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(monkeypatch, api)
    made.answering(service, "examine", EXAMINED)
    return made


def call(view: Any, *given: Any) -> Any:
    return inspect.unwrap(view)(*given)


@pytest.mark.parametrize(
    ("view", "given", "verb", "asked"),
    [
        (api.read_current, (), (service, "current"), (WRITER, "police-nl")),
        (api.read_version, (2,), (history, "read_version"), (WRITER, 2)),
        (api.compose, ({"rules": from_form([RULE])},), (composing, "compose"), (WRITER, FORM)),
        (api.check, ({"text": "one"},), (composing, "check"), (WRITER, "one")),
        (api.simulate, ({"text": "one"},), (simulation, "simulate"), (WRITER, "one", NOON)),
        (api.propose_draft, ({"revision": 4, "activate_at": NOON}, DRAFT_ID),
         (drafts, "propose"), (WRITER, DRAFT_ID, 4, NOON)),
        (api.withdraw_draft, (DRAFT_ID,), (drafts, "withdraw"), (WRITER, DRAFT_ID)),
        (api.approve_draft, ({"revision": 4, "reason": "Fine."}, DRAFT_ID),
         (drafts, "approve"), (WRITER, DRAFT_ID, 4, "Fine.")),
        (api.refuse_draft, ({"revision": 4, "reason": "No."}, DRAFT_ID),
         (drafts, "refuse"), (WRITER, DRAFT_ID, 4, "No.")),
        (api.discard_draft, (DRAFT_ID,), (drafts, "discard"), (WRITER, DRAFT_ID)),
    ],
)  # fmt: skip
def test_a_verb_asks_the_room_and_answers_with_what_it_says(
    desk: Desk,
    *,
    view: Any,
    given: tuple[Any, ...],
    verb: tuple[Any, str],
    asked: tuple[Any, ...],
) -> None:
    desk.answering(*verb, ANSWER)
    assert call(view, *given) is ANSWER
    assert desk.done == [(verb[1], asked, {})]


@pytest.mark.parametrize(
    ("view", "verb", "name", "asked"),
    [
        (api.list_versions, (history, "read_history"), "versions", (WRITER,)),
        (api.list_templates, (composing, "offered_templates"), "templates", (WRITER,)),
        (api.stop, (versions, "stop"), "version", (WRITER, 7)),
    ],
)
def test_a_list_is_answered_under_its_name(
    desk: Desk, *, view: Any, verb: tuple[Any, str], name: str, asked: tuple[Any, ...]
) -> None:
    desk.answering(*verb, ANSWER)
    assert call(view) == {name: ANSWER}
    assert desk.done == [(verb[1], asked, {})]


def test_a_cancelled_version_is_answered_as_it_is_then(desk: Desk) -> None:
    desk.answering(versions, "cancel", None)
    desk.answering(history, "read_version", ANSWER)
    assert call(api.cancel_version, 4) is ANSWER
    assert desk.done == [("cancel", (WRITER, 7, 4), {}), ("read_version", (WRITER, 4), {})]


def test_a_draft_is_simulated_and_replayed_by_its_text(desk: Desk) -> None:
    desk.answering(drafts, "read", draft(text="one"))
    desk.answering(simulation, "simulate", ANSWER)
    desk.answering(replay, "replay", ANSWER)
    assert call(api.simulate_draft, DRAFT_ID) is ANSWER
    assert call(api.replay_draft, {"days": 9}, DRAFT_ID) is ANSWER
    assert desk.done == [
        ("read", (WRITER, DRAFT_ID), {}),
        ("simulate", (WRITER, "one", NOON), {}),
        ("read", (WRITER, DRAFT_ID), {}),
        ("replay", (WRITER, "one", NOON, 9), {}),
    ]


def test_an_audience_is_foreseen_of_a_class_at_an_age(desk: Desk) -> None:
    desk.answering(explanation, "audience_of_class", ANSWER)
    record = like(handling=frozenset({Handling.H2}))
    asked = {**vars_of(record), "handling": [Handling.H2], "age_band": 3}
    assert call(api.foresee_audience, asked) is ANSWER
    assert desk.done == [("audience_of_class", (WRITER, record, 3, NOON), {})]


def vars_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in PLAIN.__dataclass_fields__}


@pytest.mark.parametrize(("many", "is_more"), [(0, False), (2, False), (3, True)])
def test_drafts_are_listed_in_pages(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, many: int, is_more: bool
) -> None:
    monkeypatch.setattr(drafts, "PAGE", 3)
    found = [SimpleNamespace(id=number) for number in range(many)]
    desk.answering(drafts, "list_drafts", found)
    asked = {"status": DraftStatus.EDITING, "before": UUID(int=9)}
    told = {"drafts": found, "next": many - 1 if is_more else None}
    assert call(api.list_drafts, asked) == told
    assert desk.done == [("list_drafts", (WRITER, DraftStatus.EDITING, UUID(int=9)), {})]


CONTENT: dict[str, Any] = {"title": "T", "text": "one", "rules": None}
MADE: dict[str, Any] = {"title": "T", "text": "one", "form": None}


@pytest.mark.parametrize(
    ("view", "given", "verb", "asked", "more"),
    [
        (api.create_draft, (CONTENT,), "create", (WRITER,), MADE),
        (api.create_draft, ({**CONTENT, "text": None, "rules": from_form([RULE])},),
         "create", (WRITER,), {"title": "T", "text": None, "form": to_form(from_form([RULE]))}),
        (api.edit_draft, ({**CONTENT, "revision": 4}, DRAFT_ID), "edit",
         (WRITER, DRAFT_ID, 4), MADE),
        (api.read_draft, (DRAFT_ID,), "read", (WRITER, DRAFT_ID), {}),
        (api.draft_from_version, ({"title": "T"}, 2), "from_version", (WRITER, 2, "T"), {}),
    ],
)  # fmt: skip
def test_a_draft_is_answered_with_what_is_wrong_with_it(
    desk: Desk,
    *,
    view: Any,
    given: tuple[Any, ...],
    verb: str,
    asked: tuple[Any, ...],
    more: dict[str, Any],
) -> None:
    found = draft(text="one")
    desk.answering(drafts, verb, found)
    told = call(view, *given)
    assert told == {
        **vars(found),
        "sha256": found.sha256,
        "time_had_passed": found.time_had_passed,
        "check": EXAMINED,
    }
    assert desk.done == [(verb, asked, more), ("examine", (7, "one"), {})]


def test_the_addresses_and_who_may_use_them_are_as_promised() -> None:
    assert (api.blueprint.name, api.blueprint.url_prefix) == ("policies", "/api/v1/policies")
    assert api.blueprint.import_name == "app.sharing.api"
    assert api._READERS == [Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE]
    assert api._WRITERS == [Role.POLICY_OWNER]
    assert api._DECIDERS == [Role.POLICY_OWNER, Role.APPROVER]
    assert api._SEQ == "<int(max=2147483647):version>"
