"""What each page of the policy is given to show, and what its verbs do, without a database."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.audit.entry import Outcome
from app.errors import NotFoundError
from app.sharing import (
    composing,
    draft_pages,
    drafts,
    explanation,
    history,
    pages,
    side_by_side,
    versions,
)
from app.sharing.history import KeptVersion, VersionState
from app.sharing.models import DraftStatus
from app.sharing.policy_text import Policy
from app.sharing.text_diff import differences
from postern.vocabulary import Role
from tests.app.sharing.desk import Desk
from tests.app.sharing.test_composing import SESSION, WRITER
from tests.app.sharing.test_history import FIRST, HELD, NOON, WAITING

KEPT = [
    KeptVersion(WAITING, VersionState.SCHEDULED, None),
    KeptVersion(HELD, VersionState.IN_FORCE, None),
    KeptVersion(FIRST, VersionState.PAST, None),
]
READER = replace(WRITER, roles=frozenset({Role.COMPLIANCE}))
INDICATOR = UUID(int=3)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(monkeypatch, pages)
    monkeypatch.setattr(history, "read_history", lambda *asked: _only(asked, made))
    return made


def _only(asked: tuple[Any, ...], desk: Desk) -> list[KeptVersion]:
    return KEPT if asked == (SESSION, desk.caller) else []


def _draft(status: DraftStatus, *, is_mine: bool = False) -> Any:
    author = WRITER.person if is_mine else UUID(int=99)
    return SimpleNamespace(status=status, created_by=author, proposed_by=None, authors=())


def test_the_overview_shows_what_holds_what_waits_and_what_is_to_be_decided(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _draft(DraftStatus.PROPOSED, is_mine=True)
    theirs = _draft(DraftStatus.PROPOSED)
    other = _draft(DraftStatus.EDITING)
    monkeypatch.setattr(pages, "may_decide", lambda draft: draft is theirs)
    desk.answering(
        drafts,
        "list_drafts",
        lambda _caller, status=None: [mine, theirs] if status else [other, mine, theirs],
    )
    name, shown = desk.open(pages.overview, "/policy?done=stopped")
    assert name == "sharing/overview.html"
    assert shown == {
        "notice": "stopped",
        "held": KEPT[1],
        "scheduled": KEPT[0],
        "kept": KEPT,
        "to_decide": [theirs],
        "waiting": [mine],
        "others": [other],
        "may_write": True,
    }
    assert [given for _, given, _ in desk.done] == [
        (WRITER, DraftStatus.PROPOSED),
        (WRITER,),
    ]
    desk.caller = READER
    for notice in ("approved", "refused", "discarded", "cancelled"):
        _, shown = desk.open(pages.overview, f"/policy?done={notice}")
        assert (shown["notice"], shown["may_write"]) == (notice, False)
    for address in ("/policy", "/policy?done=anything"):
        assert desk.open(pages.overview, address)[1]["notice"] is None


@pytest.mark.parametrize(
    ("address", "old", "new"),
    [
        ("", 2, 4),
        ("?from=1&to=2", 1, 2),
        ("?from=1", 1, 4),
        ("?to=1", 2, 1),
        ("?from=x&to=-1", 2, 4),
        ("?from=%C2%B9&to=%D9%A1", 2, 4),  # digits of other scripts
        ("?from=0000000001", 1, 4),
        ("?from=00000000001", 2, 4),  # longer than any number of a version
        ("?from=9", None, 4),
        ("?to=9", 2, None),
    ],
)
def test_two_versions_stand_side_by_side(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, address: str, old: int | None, new: int | None
) -> None:
    kept = [
        replace(
            each,
            version=replace(
                each.version,
                text=f"version {each.version.seq}",
                policies=(Policy(f"a/{each.version.seq}", "A", 1, {"effect": "permit"}),),
            ),
        )
        for each in KEPT
    ]
    monkeypatch.setattr(
        history, "read_history", lambda *asked: kept if asked == (SESSION, WRITER) else []
    )
    by_seq = {each.version.seq: each.version for each in kept}
    before, after = (None if seq is None else by_seq[seq] for seq in (old, new))
    name, shown = desk.open(pages.compare, f"/policy/compare{address}")
    assert name == "sharing/compare.html"
    assert shown == {
        "kept": kept,
        "before": before,
        "after": after,
        "rows": side_by_side.rows(before.text, after.text) if before and after else [],
        "rules": side_by_side.rules(before.policies, after.policies) if before and after else [],
    }
    is_both = before is not None and after is not None
    assert (bool(shown["rows"]), bool(shown["rules"])) == (is_both, is_both)


def test_with_one_version_there_is_none_to_compare(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept, newest in ((KEPT[2:], FIRST), ([], None)):
        monkeypatch.setattr(history, "read_history", lambda *_, kept=kept: kept)
        _, shown = desk.open(pages.compare, "/policy/compare")
        assert (shown["before"], shown["after"], shown["rows"]) == (None, newest, [])


def test_a_version_is_shown_with_what_came_before(desk: Desk) -> None:
    kept = replace(KEPT[1], version=replace(HELD, text="one\ntwo"))
    desk.answering(history, "read_version", kept)
    before = replace(FIRST, text="one")
    desk.answering(versions, "version", before)
    name, shown = desk.open(pages.version, "/", 2)
    assert (name, shown) == (
        "sharing/version.html",
        {
            "kept": kept,
            "before": before,
            "lines": differences("one", "one\ntwo"),
            "may_write": True,
        },
    )
    assert [given for _, given, _ in desk.done] == [(WRITER, 2), (7, 1)]
    desk.caller = READER
    _, shown = desk.open(pages.version, "/", 1)
    assert (shown["before"], shown["may_write"]) == (None, False)
    assert shown["lines"] == differences("", "one\ntwo")
    assert desk.done[2:] == [("read_version", (READER, 1), {})]


@pytest.mark.parametrize(("sent", "title"), [({"title": "Back"}, "Back"), ({"x": ""}, None)])
def test_a_version_becomes_a_draft(desk: Desk, sent: dict[str, str], title: str | None) -> None:
    desk.answering(drafts, "from_version", SimpleNamespace(id="d"))
    answer = desk.open(pages.draft_version, "/", 2, **sent)
    assert desk.done == [("from_version", (WRITER, 2, title), {})]
    address = "sharing.drafts.show {'draft_id': 'd', 'done': 'begun'}"
    assert (answer.status_code, answer.location) == (303, address)


def test_a_version_that_waits_is_cancelled(desk: Desk) -> None:
    desk.answering(versions, "cancel", None)
    answer = desk.open(pages.cancel_version, "/", 4)
    assert desk.done == [("cancel", (WRITER, 7, 4), {})]
    assert (answer.status_code, answer.location) == (303, "sharing.overview {'done': 'cancelled'}")


def test_to_stop_is_asked_first_and_then_done(desk: Desk) -> None:
    desk.answering(versions, "stop", 5)
    assert desk.open(pages.ask_stop) == (
        "sharing/stop.html",
        {"held": KEPT[1], "scheduled": KEPT[0]},
    )
    assert desk.done == []
    answer = desk.open(pages.stop)
    assert desk.done == [("stop", (WRITER, 7), {})]
    assert (answer.status_code, answer.location) == (303, "sharing.overview {'done': 'stopped'}")


def test_the_beginnings_of_a_draft_are_offered(desk: Desk) -> None:
    offered = ["a template"]
    desk.answering(composing, "offered_templates", offered)
    shown = {"offered": offered, "held": KEPT[1]}
    assert desk.open(pages.begin) == ("sharing/new.html", shown)
    assert desk.done == [("offered_templates", (WRITER,), {})]


def test_who_sees_an_indicator_is_shown(desk: Desk) -> None:
    explained = object()
    desk.answering(explanation, "audience", explained)
    page, status = desk.open(pages.audience, f"/policy/audience?indicator=%20{INDICATOR}%20")
    shown = {"typed": str(INDICATOR), "explained": explained}
    assert (page, status) == (("sharing/audience.html", shown), 200)
    assert desk.done == [("audience", (WRITER, INDICATOR, NOON), {})]


@pytest.mark.parametrize("address", ["/policy/audience", "/policy/audience?indicator=+"])
def test_a_page_that_asks_for_an_indicator_is_logged_too(desk: Desk, address: str) -> None:
    page, status = desk.open(pages.audience, address)
    assert (page, status) == (("sharing/audience.html", {"typed": ""}), 200)
    logged = ((SESSION, WRITER, "policy.explain"), {"object_type": "indicator"})
    assert desk.done == [("log", *logged)]


@pytest.mark.parametrize(
    ("typed", "why", "code", "status"),
    [
        ("nonsense", "is_wrong", "invalid-request", 422),
        (str(INDICATOR), "is_unknown", "not-found", 404),
    ],
)
def test_what_is_no_indicator_of_ones_own_is_said_on_the_page(
    desk: Desk, typed: str, why: str, code: str, status: int
) -> None:
    desk.answering(explanation, "audience", NotFoundError)
    page, answered = desk.open(pages.audience, f"/policy/audience?indicator={typed}")
    assert (page, answered) == (("sharing/audience.html", {"typed": typed, why: True}), status)
    more = {
        "outcome": Outcome.ERROR,
        "object_type": "indicator",
        "details": {"refusal": code},
    }
    assert desk.done[-1] == ("log", (SESSION, WRITER, "policy.explain"), more)


def test_of_states_that_no_version_has_there_is_none() -> None:
    assert pages._of_state(KEPT, VersionState.CANCELLED) is None
    assert pages._of_state([], VersionState.PAST) is None


SEQ, DRAFT = "<int(max=2147483647):seq>", "/policy/drafts/<uuid:draft_id>"


def test_the_pages_have_the_addresses_that_they_had() -> None:
    app = Flask("pages", static_folder=None)
    app.register_blueprint(pages.blueprint)
    assert {(rule.endpoint, rule.rule) for rule in app.url_map.iter_rules()} == {
        ("sharing.overview", "/policy"),
        ("sharing.version", f"/policy/versions/{SEQ}"),
        ("sharing.draft_version", f"/policy/versions/{SEQ}/draft"),
        ("sharing.cancel_version", f"/policy/versions/{SEQ}/cancel"),
        ("sharing.ask_stop", "/policy/stop"),
        ("sharing.compare", "/policy/compare"),
        ("sharing.stop", "/policy/stop"),
        ("sharing.begin", "/policy/new"),
        ("sharing.audience", "/policy/audience"),
        ("sharing.drafts.create", "/policy/drafts"),
        ("sharing.drafts.compose", "/policy/compose"),
        ("sharing.drafts.show", DRAFT),
        ("sharing.drafts.save", DRAFT),
        *(
            (f"sharing.drafts.{verb}", f"{DRAFT}/{verb}")
            for verb in ("changes", "propose", "withdraw", "approve", "refuse", "discard")
        ),
    }


def test_the_pages_are_for_those_who_answer_for_the_policy() -> None:
    assert draft_pages.READERS == (Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE)
    assert draft_pages.WRITERS == (Role.POLICY_OWNER,)
    assert draft_pages.DECIDERS == (Role.POLICY_OWNER, Role.APPROVER)
    assert set(pages.AUDIENCE_READERS) == {Role.SUBMITTER, *draft_pages.READERS}
    assert draft_pages.REPLAYED_DAYS == 30
