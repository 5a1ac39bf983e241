"""What waits for a person: most urgent first, each thing once, nothing that is not there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.disclosures.figures import Asked, ToDecide, Waiting
from app.lookups import service as lookups
from app.lookups import watches
from app.sharing import service as sharing
from app.web.overview import AnalystSection, ApproverSection, Overview, PolicySection
from app.web.tasks import Task, tasks_of

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
NONE = Waiting(0, None)


def overview(**sections: Any) -> Overview:
    names = ("submitter", "analyst", "approver", "compliance", "policy", "administrator")
    return Overview(AT, {}, **(dict.fromkeys(names) | sections))


def approver(
    *, decide: Waiting = NONE, second: Waiting = NONE, proposals: int = 0
) -> ApproverSection:
    return ApproverSection(proposals, ToDecide(decide, second, NONE), 0, [])


def policy(*, proposals: int = 0, version: int = 1, is_valid: bool = True) -> PolicySection:
    current = sharing.CurrentPolicy("post-be", version, AT, "", (), is_valid)
    return PolicySection(proposals, current, [])


def words(app: Flask, told: Overview) -> list[str]:
    with app.test_request_context():
        return [f"{task.count} {task.words}" for task in tasks_of(told)]


def test_nothing_that_waits_is_no_task(app: Flask) -> None:
    assert words(app, overview(approver=approver())) == []
    assert words(app, overview()) == []


def test_what_is_due_first_comes_first_and_what_has_no_clock_last(app: Flask) -> None:
    soon, late = AT + timedelta(hours=1), AT - timedelta(hours=1)
    told = overview(
        approver=approver(decide=Waiting(2, soon), second=Waiting(1, late), proposals=1)
    )
    assert words(app, told) == [
        "1 release waits for a second person",
        "2 disclosure requests wait for a decision",
        "1 change of the sharing policy waits for your decision",
    ]


def test_a_pattern_that_waits_is_one_task_for_who_holds_both_roles(app: Flask) -> None:
    decider = ApproverSection(0, ToDecide(NONE, NONE, NONE), 0, [], patterns=2, models=1)
    owner = PolicySection(0, sharing.CurrentPolicy("post-be", 1, AT, "", (), True), [], 2, 1)
    told = overview(approver=decider, policy=owner)
    assert words(app, told) == [
        "2 versions of patterns wait for a second person",
        "1 version of a barrier model waits for your decision",
    ]


def test_a_clock_that_ran_out_is_late() -> None:
    tasks = [Task(1, "", "/", due) for due in (AT - timedelta(seconds=1), AT, None)]
    assert [task.is_late(AT) for task in tasks] == [True, False, False]


def test_who_decides_in_two_roles_sees_it_once(app: Flask) -> None:
    told = overview(approver=approver(proposals=3), policy=policy(proposals=3))
    assert words(app, told) == ["3 changes of the sharing policy wait for your decision"]


@pytest.mark.parametrize(("version", "is_valid", "count"), [(1, False, 1), (1, True, 0)])
def test_a_policy_that_is_no_longer_valid_is_a_task(
    app: Flask, version: int, is_valid: bool, count: int
) -> None:
    told = overview(policy=policy(version=version, is_valid=is_valid))
    assert len(words(app, told)) == count


def test_an_analyst_is_told_of_answers_and_finds(app: Flask) -> None:
    asked = Asked(undecided=Waiting(5, AT), questioned=Waiting(1, AT), released=Waiting(2, AT))
    section = AnalystSection(
        figures=lookups.Figures(lookups=0, with_hits=0, hits=0, by_purpose={}, latest=[]),
        asked=asked,
        watches=watches.Figures(live=4, with_news=1),
    )
    assert words(app, overview(analyst=section)) == [
        "1 request waits for your answer to a question",
        "2 requests were released: open them and confirm",
        "1 watch found something that nobody has looked at",
    ]
    with app.test_request_context():
        asked_again, released, _found = tasks_of(overview(analyst=section))
    assert (asked_again.address, released.address) == (
        "/disclosures?box=asked",
        "/disclosures?box=asked&show=given",  # where what was released stands
    )
