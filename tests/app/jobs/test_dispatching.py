"""Notifications leave by channels: to those for whom they are, as long as they may, and logged."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.config import Settings
from app.jobs.dispatching import allow
from app.jobs.draining import Pace
from app.jobs.models import JobState, Notification, Outbox
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.vocabulary import DispatchState, Role
from tests.app.jobs.receivers import Hook, Mailbox, hook_server, mail_server
from tests.app.jobs.stage import FACTS, Post, bodies, make_post
from tests.app.people import runtime_of

SENT, WITHHELD, GIVEN_UP, WAITING = (
    DispatchState.SENT,
    DispatchState.WITHHELD,
    DispatchState.GIVEN_UP,
    DispatchState.WAITING,
)
DESK = "desk@police.example"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def hook() -> Iterator[tuple[Hook, str]]:
    made = Hook()
    with hook_server(made) as port:
        yield made, f"http://127.0.0.1:{port}/postern"


@pytest.fixture
def post(settings: Settings, mailbox: Mailbox) -> Iterator[Post]:
    with mail_server(mailbox) as port:
        made = make_post(settings, port)
        yield made
        made.exchange.database.dispose()


def test_mail_says_it_in_its_language_and_names_no_value(post: Post, mailbox: Mailbox) -> None:
    post.add(DESK, language="fr")
    post.tell()
    assert post.drain() == 1
    (taken,) = mailbox.taken
    said = taken.get_content()
    assert "Un signal attend" in said
    assert "http://127.0.0.1:8080/signals" in said
    assert "http://127.0.0.1:8080/channels" in said
    assert taken["Subject"].startswith("Postern: Un signal attend")
    assert taken["Content-Language"] == "fr"
    (sending,) = post.dispatches()
    assert taken["Message-ID"] == f"<{sending.public_id}@127.0.0.1>"
    assert (sending.state, sending.tries, sending.error) == (SENT, 1, None)


def test_a_webhook_carries_codes(post: Post, hook: tuple[Hook, str]) -> None:
    receiver, address = hook
    post.add(address)
    post.tell()
    post.drain()
    (notice,) = post.notifications("signal.raised")
    assert bodies(receiver) == [
        {
            "id": str(notice.public_id),
            "kind": "signal.raised",
            "facts": {**FACTS, "number": 0},
            "address": "/signals",
            "made_at": notice.made_at.isoformat(),
        }
    ]
    ((_, headers, _),) = receiver.taken
    (sending,) = post.dispatches()
    assert headers["webhook-id"] == str(sending.public_id)


def test_only_channels_of_the_role_and_the_organisation_carry_it(
    post: Post, hook: tuple[Hook, str], mailbox: Mailbox
) -> None:
    receiver, address = hook
    post.add(address, [Role.ANALYST])
    post.add(address, code="post-be")
    post.add(DESK, [Role.COMPLIANCE, Role.ADMINISTRATOR])
    post.tell(Role.COMPLIANCE)
    post.drain()
    assert len(mailbox.taken) == 1
    assert receiver.taken == []


def test_the_same_for_two_roles_is_one_message_of_a_channel(post: Post, mailbox: Mailbox) -> None:
    post.add(DESK, [Role.COMPLIANCE, Role.ADMINISTRATOR])
    post.tell(Role.COMPLIANCE, Role.ADMINISTRATOR)
    post.tell(Role.COMPLIANCE, number=2)
    post.drain()
    assert len(post.notifications("signal.raised")) == 3
    assert len(mailbox.taken) == 2


def test_what_is_for_pages_alone_leaves_by_no_channel(post: Post) -> None:
    post.add(DESK)
    post.tell(on_pages_only=True)
    assert post.drain() == 0
    assert len(post.notifications("signal.raised")) == 1


def test_each_try_is_in_the_log_before_it_leaves_and_its_end_after(
    post: Post, hook: tuple[Hook, str]
) -> None:
    receiver, address = hook
    receiver.statuses = [500]
    made = post.add(address)
    post.tell()
    post.drain_all()
    tries, ends = (
        post.exchange.entries("notification.try"),
        post.exchange.entries("notification.sent"),
    )
    (notice,) = post.notifications("signal.raised")
    assert [entry.details["number"] for entry in tries] == [1, 2]
    assert [entry.details["ending"] for entry in ends] == ["failed", "sent"]
    for entry in (*tries, *ends):
        assert entry.audience == ["platform", "police-de"]
        assert entry.details["objects"] == [str(notice.public_id)]
        assert entry.details["channel"] == str(made.id)
        assert entry.details["channel_kind"] == "webhook"
        assert entry.details["kind"] == "signal.raised"
        assert "127.0.0.1" not in entry.record + repr(entry.details)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.taken}) == 1


def test_what_fails_to_its_end_is_given_up_and_the_administrator_told_on_pages_once(
    post: Post, hook: tuple[Hook, str]
) -> None:
    receiver, address = hook
    receiver.statuses = [500] * 10
    runtime_of(post.app).add(Pace(tries=2))
    made = post.add(address, [Role.COMPLIANCE, Role.ADMINISTRATOR])
    for number in (1, 2):
        post.tell(number=number)
    post.drain_all()
    assert post.states() == [GIVEN_UP] * 2
    assert {each.error for each in post.dispatches()} == {"WebhookRefusedError"}
    assert sorted(post.endings()) == ["failed", "failed", "given_up", "given_up"]
    (told,) = post.notifications("channel.given-up")
    assert (told.role, told.address) == (Role.ADMINISTRATOR, f"/channels/{made.id}")
    assert len(receiver.taken) == 4
    states = {row.state for row in post.exchange.rows(select(Outbox))}
    assert states == {JobState.DEAD}


def test_a_mailbox_that_is_refused_for_good_is_not_tried_again(
    post: Post, mailbox: Mailbox
) -> None:
    mailbox.answers = ["450 Later", "550 Nobody here"]
    post.add(DESK)
    post.tell()
    post.drain_all()
    assert post.endings() == ["failed", "given_up"]
    assert post.states() == [GIVEN_UP]
    assert mailbox.taken == []


def test_a_channel_that_fails_holds_the_rest_of_its_messages_back_and_no_other(
    post: Post, hook: tuple[Hook, str], mailbox: Mailbox
) -> None:
    receiver, address = hook
    receiver.statuses = [500]
    post.add(address)
    post.add(DESK)
    for number in range(3):
        post.tell(number=number)
    post.drain()
    assert len(receiver.taken) == 1
    assert len(mailbox.taken) == 3


def test_nothing_leaves_by_a_channel_that_was_removed_meanwhile(
    post: Post, hook: tuple[Hook, str]
) -> None:
    receiver, address = hook
    made = post.add(address)
    post.tell()
    post.remove(made.id)
    post.tell(number=2)
    assert post.drain() == 1
    assert post.states() == [WITHHELD]
    assert post.endings() == ["withheld"]
    assert receiver.taken == []


def test_nothing_leaves_for_an_organisation_that_was_suspended_meanwhile(
    post: Post, hook: tuple[Hook, str]
) -> None:
    receiver, address = hook
    post.add(address)
    post.tell()
    with post.app.app_context(), post.exchange.database.transaction() as session:
        organisations.set_status(session, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    post.drain()
    assert post.states() == [WITHHELD]
    assert receiver.taken == []


@pytest.mark.parametrize("kind", ["watch.never-registered", "deconfliction.never-registered"])
def test_what_tells_of_anothers_indicator_leaves_only_after_a_check(
    post: Post, hook: tuple[Hook, str], kind: str
) -> None:
    receiver, address = hook
    post.add(address)
    post.tell(kind=kind)
    post.drain()
    assert post.states() == [WITHHELD]
    asked: list[int] = []

    def check(_session: Session, notification: Notification) -> bool:
        asked.append(notification.facts["number"])
        return bool(notification.facts["number"] == 2)

    allow(runtime_of(post.app), kind, check)
    for number in (1, 2):
        post.tell(kind=kind, number=number)
    post.drain()
    assert post.states() == [WITHHELD, WITHHELD, SENT]
    assert asked == [1, 2]
    assert [body["facts"]["number"] for body in bodies(receiver)] == [2]
    with pytest.raises(LookupError):
        allow(runtime_of(post.app), kind, check)


def test_the_check_is_made_again_at_each_try(post: Post, hook: tuple[Hook, str]) -> None:
    receiver, address = hook
    receiver.statuses = [500]
    answers = [True, False]
    allow(runtime_of(post.app), "watch.test", lambda *_: answers.pop(0))
    post.add(address)
    post.tell(kind="watch.test")
    post.drain_all()
    assert post.states() == [WITHHELD]
    assert post.endings() == ["failed", "withheld"]
    assert len(receiver.taken) == 1


def test_what_was_sent_is_not_sent_again_and_what_is_gone_is_done(
    post: Post, mailbox: Mailbox
) -> None:
    post.add(DESK)
    post.tell()
    post.drain()
    with post.exchange.database.transaction() as session:
        (row,) = session.scalars(select(Outbox))
        row.state = JobState.WAITING
    post.drain()
    assert len(mailbox.taken) == 1
    post.tell(number=2)
    with post.exchange.database.transaction() as session:
        session.execute(delete(Notification).where(Notification.kind == "signal.raised"))
    assert post.drain() == 1
    assert len(mailbox.taken) == 1
    assert post.states() == []
