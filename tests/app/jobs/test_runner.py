"""The worker's process: what is due is done within seconds, and its queue holds JSON alone."""

import os
import signal
import threading
import time

import pytest
from flask import Flask
from huey.registry import Message

from app.config import Settings
from app.jobs.draining import drain
from app.jobs.outbox import handle, put
from app.jobs.runner import JsonSerializer, Worker
from app.jobs.service import Performed
from postern.vocabulary import DispatchState
from tests.app.jobs.receivers import Hook, hook_server
from tests.app.jobs.stage import make_post
from tests.app.people import runtime_of

_PATIENCE = 30  # seconds


def test_the_queue_holds_nothing_that_could_be_unpickled() -> None:
    serializer = JsonSerializer()
    stored = serializer.serialize(Message("1", "drain", args=(), kwargs={}))
    assert stored.startswith(b'{"id": "1", "name": "drain"')
    again = serializer.deserialize(stored)
    assert (again.id, again.name, list(again.args), again.kwargs) == ("1", "drain", [], {})


def test_the_worker_does_what_is_due_until_it_is_ended(settings: Settings) -> None:
    post = make_post(settings)
    hook = Hook()
    told: list[Performed] = []
    with hook_server(hook) as port:
        post.add(f"http://127.0.0.1:{port}/")
        post.tell()
        late = threading.Thread(target=_then_end, args=(post.tell, hook))
        late.start()
        Worker(post.app, threads=2, pause=60, tell=told.append).run()
        late.join()
    assert post.states() == [DispatchState.SENT] * 2
    assert {each.name for each in told} >= {"outbox.tidy", "channels.expire"}
    assert all(isinstance(each, Performed) and each.count is not None for each in told)
    post.exchange.database.dispose()


def _then_end(tell: "object", hook: Hook) -> None:
    """Once one arrived, notify again; once that arrived, end the worker as systemd does."""
    assert callable(tell)
    for number in (1, 2):
        latest = time.monotonic() + _PATIENCE
        while len(hook.taken) < number and time.monotonic() < latest:
            time.sleep(0.05)
        if number == 1:
            tell(number=2)
    time.sleep(0.3)  # the ending of the last try is noted
    os.kill(os.getpid(), signal.SIGTERM)


def test_what_is_under_way_is_ended_before_the_process_is(app: Flask) -> None:
    begun, ended = threading.Event(), []

    def slowly(_session: object, _payload: object) -> None:
        begun.set()
        time.sleep(0.5)
        ended.append(1)

    runtime = runtime_of(app)
    handle(runtime, "slow", slowly)
    with runtime.database.transaction() as session:
        put(session, "slow", {})
        put(session, "slow", {})

    def end() -> None:
        begun.wait(_PATIENCE)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end)
    ending.start()
    Worker(app, threads=1, pause=60, tell=lambda _performed: None).run()
    ending.join()
    assert ended == [1]
    with app.app_context():
        assert drain(runtime) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_refuses_to_start_without_the_password_of_its_mail_user(app: Flask) -> None:
    object.__setattr__(runtime_of(app).settings.mail, "user", "postern")
    ran = app.test_cli_runner().invoke(args=["jobs", "run", "--once"])
    assert ran.exit_code == 1
    assert "mail.key is missing" in ran.output
