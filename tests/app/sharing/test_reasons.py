"""Why something was granted: the versions and policies that decided, kept as they were."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app.access import CONSOLE
from app.organisations import service as organisations
from app.sharing import reasons, service
from app.sharing.models import GrantReason, PolicyVersion
from app.sharing.policy_text import platform_policies
from app.sharing.reasons import Decided, KnownReasons, decided
from postern.vocabulary import Sector
from tests.app.people import runtime_of

TWO = (
    '@id("post-be/one") @label("The first") permit (principal, action, resource);'
    '@id("post-be/two") @label("The second") permit (principal, action, resource);'
)


@pytest.fixture
def made(app: Flask) -> dict[str, int]:
    """Ids of a reason of the platform, and of two of versions of post-be."""
    with runtime_of(app).database.transaction() as session:
        organisations.create(
            session, CONSOLE, code="post-be", name="P", sector=Sector.POST, country="BE"
        )
        for text in ("", TWO):
            service.publish(session, CONSOLE, "post-be", text)
        versions = session.scalars(select(PolicyVersion.id).order_by(PolicyVersion.seq)).all()
        rows = {
            "own": (None, ["platform/own"]),
            "first": (versions[0], ["post-be/old"]),
            "second": (versions[1], ["post-be/two", "post-be/one"]),
        }
        for name, (version, policies) in rows.items():
            session.add(
                GrantReason(policy_version_id=version, reasons=policies, key=name.encode() * 4)
            )
            session.flush()
        ids = session.scalars(select(GrantReason.id).order_by(GrantReason.id)).all()
    return dict(zip(rows, ids, strict=True))


def ask(app: Flask, *wanted: int) -> tuple[dict[int, Decided], int]:
    """What is told, and how many statements it took."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        statements.append(statement)

    database = runtime_of(app).database
    with app.app_context(), database.reading() as session:
        event.listen(database.engine, "before_cursor_execute", note)
        found = dict(decided(session, wanted))
        event.remove(database.engine, "before_cursor_execute", note)
    return found, len([each for each in statements if "grant_reason" in each])


def test_a_reason_names_owner_version_and_policies(app: Flask, made: dict[str, int]) -> None:
    found, _ = ask(app, *made.values())
    assert found == {
        made["own"]: Decided("", 0, ("platform/own",)),
        made["first"]: Decided("post-be", 1, ("post-be/old",)),
        made["second"]: Decided("post-be", 2, ("post-be/two", "post-be/one")),
    }
    assert [found[each].name for each in made.values()] == ["platform", "post-be/1", "post-be/2"]


def test_what_was_read_before_is_not_read_again(app: Flask, made: dict[str, int]) -> None:
    first, second = made["first"], made["second"]
    assert ask(app, first)[1] == 1
    assert ask(app, first) == ({first: Decided("post-be", 1, ("post-be/old",))}, 0)
    found, statements = ask(app, first, second)
    assert (set(found), statements) == ({first, second}, 1)
    assert ask(app) == ({}, 0)


def test_a_full_memory_begins_afresh_and_the_answer_is_whole(
    app: Flask, made: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "_KEPT", 1)
    own, first, second = made.values()
    ask(app, own, first)
    found, _ = ask(app, first, second)
    assert set(found) == {first, second}
    assert set(runtime_of(app).part(KnownReasons)) == {first, second}


def test_a_memory_that_is_just_full_is_kept(
    app: Flask, made: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "_KEPT", 1)
    own, first, _ = made.values()
    ask(app, own)
    ask(app, first)
    assert set(runtime_of(app).part(KnownReasons)) == {own, first}


def test_labels_are_those_of_the_version_that_decided(app: Flask, made: dict[str, int]) -> None:
    assert made
    own = next(each for each in platform_policies() if each.id == "platform/own")
    with runtime_of(app).database.reading() as session:
        told = [
            reasons.labels(session, reason)
            for reason in (
                Decided("post-be", 2, ("post-be/two", "post-be/one")),
                Decided("post-be", 1, ("post-be/two",)),
                Decided("customs-nl", 2, ("post-be/two",)),
                Decided("", 0, ("platform/own",)),
            )
        ]
    assert told == [["The second", "The first"], ["post-be/two"], ["post-be/two"], [own.label]]
