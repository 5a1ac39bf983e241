"""What the pages of a draft are given to show, and what their verbs do, without a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.audit.entry import Outcome
from app.errors import InvalidRequestError, NotAllowedError
from app.organisations import service as organisations
from app.sharing import (
    composing,
    draft_pages,
    drafts,
    replay,
    service,
    side_by_side,
    simulation,
    typed_rules,
    versions,
)
from app.sharing.draft_content import LONGEST_REASON, LONGEST_TITLE
from app.sharing.drafts import Draft, DraftChangedError
from app.sharing.models import DraftStatus
from app.sharing.policy_text import LONGEST_TEXT, Fault, Policy, PolicyRefusedError
from app.sharing.rule_schemas import from_form, to_form
from app.sharing.rules import cedar
from app.sharing.service import Examined
from app.sharing.text_diff import differences
from postern.vocabulary import Role
from tests.app.sharing.desk import Desk
from tests.app.sharing.test_composing import SESSION, WRITER, within
from tests.app.sharing.test_history import HELD, NOON

DRAFT_ID = UUID(int=50)
RULE = {"name": "a", "label": "A", "level": "presence"}
FORM = to_form(from_form([RULE]))
EXAMINED = Examined((), (), ())
OTHERS = UUID(int=99)
APPROVER = replace(WRITER, roles=frozenset({Role.APPROVER}))
READER = replace(WRITER, roles=frozenset({Role.COMPLIANCE}))


class Session:
    """Notes whether what a verb did was undone."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    @contextmanager
    def begin_nested(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.outcomes.append("undone")
            raise
        self.outcomes.append("kept")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(monkeypatch, draft_pages)
    made.answering(versions, "newest_seq", 3)
    made.answering(versions, "in_force", replace(HELD, text="held"))
    made.answering(service, "examine", EXAMINED)
    made.answering(drafts, "read", draft())
    made.answering(composing, "offered_templates", [SimpleNamespace(id="one", rules=[])])
    return made


def draft(**more: Any) -> Draft:
    usual: dict[str, Any] = {
        "id": DRAFT_ID,
        "title": "A change",
        "text": cedar(from_form([RULE]), "police-nl"),
        "form": FORM,
        "base_seq": 3,
        "status": DraftStatus.EDITING,
        "created_by": WRITER.person,
        "proposed_by": None,
        "authors": (WRITER.person,),
    }
    names = Draft.__dataclass_fields__
    return Draft(**{**dict.fromkeys(names), **usual, **more})


def shown(desk: Desk, view: Any = draft_pages.show, address: str = "/", **sent: str) -> Any:
    """What the page of the draft is given, which must be the draft's."""
    (name, given), status = desk.open(view, address, DRAFT_ID, **sent)
    assert name == "sharing/draft.html"
    assert status == 200
    assert ("read", (desk.caller, DRAFT_ID), {}) in desk.done
    assert ("newest_seq", (7,), {}) in desk.done
    return given


def test_a_draft_that_is_written_shows_its_form_and_what_is_wrong(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        organisations,
        "directory",
        within(
            {
                7: SimpleNamespace(name="Own"),
                8: SimpleNamespace(name="Zoll"),
                9: SimpleNamespace(name="Douane"),
            }
        ),
    )
    monkeypatch.setattr(organisations, "communities", within({7: ["b", "a"], 8: ["b", "c"]}))
    given = shown(desk, address="/?done=saved")
    assert ("examine", (7, draft().text), {}) in desk.done
    assert ("offered_templates", (WRITER,), {}) in desk.done
    offered = given.pop("offered")
    assert [each.id for each in offered] == ["one"]
    assert [each.name for each in given.pop("members")] == ["Douane", "Zoll"]
    typed = given.pop("shown")
    assert (typed.title, typed.rules, typed.text) == ("A change", FORM, draft().text)
    assert given == {
        "draft": draft(),
        "problem": None,
        "notice": "saved",
        "newest": 3,
        "is_outdated": False,
        "had_part": True,
        "may_write": True,
        "may_decide": False,
        "longest_reason": LONGEST_REASON,
        "decision_days": drafts.DECISION_TIME.days,
        "is_written": True,
        "text": draft().text,
        "rules": [typed_rules.whole(FORM[0])],
        "faults_of": {},
        "examined": EXAMINED,
        "is_mine_to_overwrite": False,
        "choices": draft_pages._CHOICES,
        "open_of": [draft_pages._open_fields(FORM[0])],
        "communities": ["a", "b", "c"],
        "longest_title": LONGEST_TITLE,
        "longest_text": LONGEST_TEXT,
    }
    for notice in ("proposed", "withdrawn", "begun"):
        assert shown(desk, address=f"/?done={notice}")["notice"] == notice
    assert shown(desk, address="/?done=approved")["notice"] is None
    warning = Fault("police-nl/a", 1, "odd", "Correct it.")
    desk.answering(service, "examine", replace(EXAMINED, warnings=(warning,)))
    (found,) = shown(desk)["faults_of"][0]
    assert (found.reason, found.is_warning) == ("odd", True)
    desk.answering(service, "examine", EXAMINED)
    desk.answering(drafts, "read", draft(form=None, text="by hand"))
    by_hand = shown(desk)
    assert (by_hand["rules"], by_hand["text"], by_hand["open_of"]) == ([], "by hand", [])
    desk.answering(drafts, "read", draft(form=[{"name": "a"}]))
    broken = shown(desk)
    assert (broken["text"], broken["examined"]) == ("", None)


def test_a_proposal_shows_what_it_changes(desk: Desk) -> None:
    simulated = SimpleNamespace(faults=("a fault",))
    desk.answering(simulation, "simulate", simulated)
    desk.answering(replay, "replay", "the last days")
    proposed = draft(
        status=DraftStatus.PROPOSED, created_by=OTHERS, authors=(), base_seq=2, text="one"
    )
    desk.answering(drafts, "read", proposed)
    desk.caller = APPROVER
    assert shown(desk) == {
        "draft": proposed,
        "problem": None,
        "notice": None,
        "newest": 3,
        "is_outdated": True,
        "had_part": False,
        "may_write": False,
        "may_decide": True,
        "longest_reason": LONGEST_REASON,
        "decision_days": drafts.DECISION_TIME.days,
        "is_written": False,
        "examined": EXAMINED,
        "held": replace(HELD, text="held"),
        "lines": differences("held", "one"),
        "simulated": simulated,
        "faults_found": ("a fault",),
        "replayed": "the last days",
        "replayed_days": 30,
    }
    asked = {name: given for name, given, _ in desk.done}
    assert asked["simulate"] == (APPROVER, "one", NOON)
    assert asked["replay"] == (APPROVER, "one", NOON, 30)
    assert asked["examine"] == (7, "one")
    assert asked["in_force"] == (7, NOON)


def test_of_a_proposal_that_can_no_longer_take_effect_the_faults_are_shown(desk: Desk) -> None:
    refusal = PolicyRefusedError([Fault("a", 1, "odd", "Correct it.")])

    def refuse(*_: Any) -> None:
        raise refusal

    desk.answering(simulation, "simulate", refuse)
    desk.answering(drafts, "read", draft(status=DraftStatus.PROPOSED))
    given = shown(desk)
    assert (given["simulated"], given["faults_found"]) == (None, refusal.faults)
    assert "replayed" not in given
    more = {"outcome": Outcome.ERROR, "details": {"refusal": "policy-refused"}}
    name, asked, told = desk.done[-1]
    assert (name, asked, told) == ("log", (SESSION, WRITER, "policy.simulate"), more)
    desk.done.clear()
    name, content = desk.open(draft_pages.changes, "/", DRAFT_ID)
    assert desk.done[0] == ("read", (WRITER, DRAFT_ID), {})
    assert name == "sharing/changes.html"
    held = replace(HELD, text="held")
    assert content == {
        "draft": draft(status=DraftStatus.PROPOSED),
        "held": held,
        "rows": side_by_side.rows("held", draft().text),
        "rules": side_by_side.rules(held.policies, EXAMINED.policies),
        "simulated": None,
        "faults_found": refusal.faults,
    }


def test_a_draft_stands_beside_what_holds_or_beside_nothing(desk: Desk) -> None:
    rule = Policy("a/b", "One", 1, {"effect": "permit"})
    desk.answering(versions, "in_force", replace(HELD, text="held", policies=(rule,)))
    desk.answering(simulation, "simulate", SimpleNamespace(faults=()))
    desk.answering(replay, "replay", None)
    _, content = desk.open(draft_pages.changes, "/", DRAFT_ID)
    assert ("in_force", (7, NOON), {}) in desk.done
    assert ("examine", (7, draft().text), {}) in desk.done
    assert content["rules"] == side_by_side.rules([rule], [])
    desk.answering(versions, "in_force", None)
    _, content = desk.open(draft_pages.changes, "/", DRAFT_ID)
    assert content["rows"] == side_by_side.rows("", draft().text)
    assert (content["held"], content["rules"]) == (None, [])


def test_who_only_reads_sees_the_text_and_how_it_differs(desk: Desk) -> None:
    desk.caller = READER
    desk.answering(versions, "in_force", None)
    given = shown(desk)
    assert (given["is_written"], given["held"], given["may_decide"]) == (False, None, False)
    assert given["lines"] == differences("", draft().text)
    assert "simulated" not in given


@pytest.mark.parametrize(
    ("roles", "people", "may"),
    [
        ({Role.APPROVER}, {}, True),
        ({Role.POLICY_OWNER}, {}, True),
        ({Role.COMPLIANCE}, {}, False),
        ({Role.APPROVER}, {"created_by": WRITER.person}, False),
        ({Role.APPROVER}, {"proposed_by": WRITER.person}, False),
        ({Role.APPROVER}, {"authors": (OTHERS, WRITER.person)}, False),
    ],
)
def test_who_had_no_part_in_a_draft_may_decide_on_it(
    desk: Desk, roles: set[Role], people: dict[str, Any], *, may: bool
) -> None:
    desk.caller = replace(WRITER, roles=frozenset(roles))
    found = draft(**{"created_by": OTHERS, "authors": (), **people})
    assert draft_pages.may_decide(found) is may
    assert draft_pages.had_part(found) is bool(people)


@pytest.mark.parametrize(
    ("source", "verb", "asked"),
    [
        ("text", "create", {"title": "T", "text": ""}),
        ("empty", "create", {"title": "T", "form": []}),
        ("template:one", "create", {"title": "T", "form": []}),
    ],
)
def test_a_draft_is_begun(desk: Desk, source: str, verb: str, asked: dict[str, Any]) -> None:
    desk.answering(drafts, "create", SimpleNamespace(id="d"))
    answer = desk.open(draft_pages.create, "/", **{"from": source, "title": "T"})
    assert desk.done[-1] == (verb, (WRITER,), asked)
    is_template = ("offered_templates", (WRITER,), {}) in desk.done
    assert is_template is source.startswith("template")
    address = "sharing.drafts.show {'draft_id': 'd', 'done': 'begun', '_anchor': None}"
    assert (answer.status_code, answer.location) == (303, address)


def test_a_draft_is_begun_from_what_is_in_force(desk: Desk) -> None:
    desk.answering(drafts, "from_version", SimpleNamespace(id="d"))
    desk.open(draft_pages.create, "/", **{"from": "current"})
    assert desk.done == [
        ("in_force", (7, NOON), {}),
        ("from_version", (WRITER, 2, ""), {}),
    ]
    desk.answering(versions, "in_force", None)
    with pytest.raises(InvalidRequestError):
        desk.open(draft_pages.create, "/", **{"from": "current"})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "Choose one of the beginnings that the page offers."),
        ("anything", "Choose one of the beginnings that the page offers."),
        ("template:none", "Choose one of the templates that the page offers."),
    ],
)
def test_what_is_not_offered_begins_nothing(desk: Desk, source: str, words: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        desk.open(draft_pages.create, "/", **{"from": source, "title": "T"})
    assert refusal.value.extensions["errors"] == [{"field": "from", "reason": words}]
    with pytest.raises(InvalidRequestError):
        desk.open(draft_pages.create, "/", title="T")


SENT = {f"rules-7-{name}": str(value) for name, value in {**RULE, "effect": "permit"}.items()}


def _saved(desk: Desk, monkeypatch: pytest.MonkeyPatch, **sent: str) -> tuple[Any, Any]:
    """What was edited, and the answer."""
    session = Session()
    monkeypatch.setattr(draft_pages, "transaction", lambda: session)
    edited: list[Any] = []

    def edit(*given: Any, **more: Any) -> Draft:
        assert given[0] is session
        edited.append((given[1:], more))
        return draft()

    monkeypatch.setattr(drafts, "edit", edit)
    monkeypatch.setattr(
        composing,
        "offered_templates",
        lambda *_: [SimpleNamespace(id="one", rules=from_form([RULE]))],
    )
    answer = desk.open(draft_pages.save, "/", DRAFT_ID, **sent)
    assert session.outcomes == ["kept"]
    ((given, more),) = edited
    assert given == (WRITER, DRAFT_ID, 4)
    return more, answer


def _address(notice: str, anchor: str | None = None) -> str:
    return f"sharing.drafts.show { ({'draft_id': DRAFT_ID, 'done': notice, '_anchor': anchor}) }"


def test_a_text_by_hand_is_saved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    more, answer = _saved(desk, monkeypatch, title="T", text="one", revision="4")
    assert more == {"title": "T", "text": "one", "form": None}
    assert (answer.status_code, answer.location) == (303, _address("saved"))


def test_a_form_is_saved_and_a_rule_added(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    more, answer = _saved(desk, monkeypatch, revision="4", **SENT)
    (rule,) = more.pop("form")
    assert rule["name"] == "a"
    assert more == {"title": "", "text": None}
    assert answer.location == _address("saved")
    more, answer = _saved(desk, monkeypatch, title="T", revision="4", do="add:one", **SENT)
    assert [rule["name"] for rule in more["form"]] == ["a", "a-2"]
    assert answer.location == _address("saved", "rule-1")
    more, answer = _saved(desk, monkeypatch, title="T", revision="4", do="down:7", **SENT)
    assert answer.location == _address("saved", "rule-0")


def test_a_form_is_given_up_for_its_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    more, _ = _saved(desk, monkeypatch, title="T", revision="4", do="by_hand", **SENT)
    assert more == {"title": "T", "text": cedar(from_form([RULE]), "police-nl"), "form": None}


@pytest.mark.parametrize(
    ("view", "verb", "asked", "notice"),
    [
        (draft_pages.propose, "propose", (DRAFT_ID, 4, datetime(2027, 2, 1, 9, tzinfo=UTC)),
         "proposed"),
        (draft_pages.withdraw, "withdraw", (DRAFT_ID,), "withdrawn"),
        (draft_pages.approve, "approve", (DRAFT_ID, 4, "Fine."), "approved"),
        (draft_pages.refuse, "refuse", (DRAFT_ID, 4, "Fine."), "refused"),
        (draft_pages.discard, "discard", (DRAFT_ID,), "discarded"),
    ],
)  # fmt: skip
def test_each_verb_is_done_and_leads_on(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    *,
    view: Any,
    verb: str,
    asked: tuple[Any, ...],
    notice: str,
) -> None:
    session = Session()
    done: list[Any] = []
    monkeypatch.setattr(draft_pages, "transaction", lambda: session)
    monkeypatch.setattr(drafts, verb, lambda *given: done.append(given))
    sent = {"revision": "4", "reason": "Fine.", "activate_at": "2027-02-01T09:00"}
    answer = desk.open(view, "/", DRAFT_ID, **sent)
    assert done == [(session, WRITER, *asked)]
    assert session.outcomes == ["kept"]
    stays = notice in {"proposed", "withdrawn"}
    address = _address(notice) if stays else f"sharing.overview {{'done': '{notice}'}}"
    assert (answer.status_code, answer.location) == (303, address)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotAllowedError(), Outcome.DENIED),
        (DraftChangedError("5 is newer"), Outcome.ERROR),
        (PolicyRefusedError([]), Outcome.ERROR),
        (InvalidRequestError(errors=[]), Outcome.ERROR),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_undoes_the_verb_is_logged_and_brings_the_page_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: Outcome
) -> None:
    session = Session()
    monkeypatch.setattr(draft_pages, "transaction", lambda: session)
    pages: list[Any] = []

    def page(*given: Any, **more: Any) -> str:
        pages.append((given, more))
        return "page"

    monkeypatch.setattr(draft_pages, "_page", page)

    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(drafts, "edit", refuse)
    assert desk.open(draft_pages.save, "/", DRAFT_ID, title="T", text="one") == "page"
    assert session.outcomes == ["undone"]
    ((given, more),) = pages
    typed = more.pop("typed")
    assert (typed.title, typed.rules, typed.text) == ("T", None, "one")
    assert (given, more) == ((DRAFT_ID,), {"problem": error})
    told = {
        "outcome": outcome,
        "object_type": "policy-draft",
        "objects": [str(DRAFT_ID)],
        "details": {"refusal": error.code},  # type: ignore[attr-defined]
    }
    assert desk.done == [("log", (session, WRITER, "policy.draft"), told)]


def test_a_form_that_is_refused_keeps_what_was_typed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_pages, "transaction", Session)
    pages: list[Any] = []

    def page(*_: Any, typed: Any, problem: Exception) -> str:
        pages.append((typed.title, [rule["name"] for rule in typed.rules], typed.text, problem))
        return "page"

    def refuse(*_: Any, **__: Any) -> None:
        raise NotAllowedError

    monkeypatch.setattr(draft_pages, "_page", page)
    monkeypatch.setattr(drafts, "edit", refuse)
    assert desk.open(draft_pages.save, "/", DRAFT_ID, title="T", **SENT) == "page"
    assert [each[:3] for each in pages] == [("T", ["a"], "")]


@pytest.mark.parametrize("verb", ["propose", "withdraw", "approve", "refuse", "discard"])
def test_a_verb_that_is_refused_brings_its_draft_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(draft_pages, "transaction", Session)
    monkeypatch.setattr(draft_pages, "_page", lambda *given, **_: given)

    def refuse(*_: Any) -> None:
        raise NotAllowedError

    monkeypatch.setattr(drafts, verb, refuse)
    assert desk.open(getattr(draft_pages, verb), "/", DRAFT_ID, revision="4") == (DRAFT_ID,)


def test_the_page_after_a_refusal_keeps_what_was_typed_and_has_the_status(desk: Desk) -> None:
    problem = DraftChangedError("5 is newer")
    typed = draft_pages._Typed("T", None, "typed")
    organisations_ = {8: SimpleNamespace(name="Zoll")}
    desk._patch.setattr(organisations, "directory", within(organisations_))
    desk._patch.setattr(organisations, "communities", within({}))
    page: Any = draft_pages._page(DRAFT_ID, typed=typed, problem=problem)
    (_, given), status = page
    assert status == problem.status
    assert (given["problem"], given["shown"], given["notice"]) == (problem, typed, None)
    assert given["is_mine_to_overwrite"] is True
    wrong = InvalidRequestError(errors=[{"field": "title", "reason": "Write a few words."}])
    page = draft_pages._page(DRAFT_ID, typed=typed, problem=wrong)
    (told,) = page[0][1]["faults_of"][-1]
    assert (told.field, told.reason) == ("title", "Write a few words.")
    # It was not examined: what is shown below is what is kept.
    assert (given["text"], given["examined"]) == (draft().text, None)


def test_the_text_of_a_form_is_composed_for_the_page(desk: Desk) -> None:
    fault = Fault("a", 1, "odd", "Correct it.")
    made = SimpleNamespace(text="one", examined=Examined((), (fault, fault), (fault,)))
    desk.answering(composing, "compose", made)
    found = desk.open(draft_pages.compose, "/", **SENT)
    assert found == {"text": "one", "faults": 2, "warnings": 1}
    (_, (caller, rules), _) = desk.done[-1]
    assert (caller, [rule["name"] for rule in rules]) == (WRITER, ["a"])
