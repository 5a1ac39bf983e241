"""The process of `flask --app wsgi jobs run`: huey's threads over the outbox and the duties.

The queue is in memory, and losing it loses nothing: it says only "look", never what to do. A second
after a commit at most, this process sees that a row is due and lets a thread drain the outbox; a
sweep each minute does the same, whatever the looking missed. What travels in the queue is JSON.
"""

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from flask import Flask
from huey import MemoryHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from app.jobs import draining, service
from app.jobs.service import Performed
from app.runtime import runtime

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0  # seconds
_LOOK_AFTER_HEALTH = 10.0  # seconds between two looks at whether a thread died
_PATIENCE = 30  # seconds for what is under way to end; longer than one conversation outside


class JsonSerializer(Serializer):  # type: ignore[misc]  # huey carries no types
    """Messages of the queue as JSON: nothing that is read from it is ever unpickled."""

    def _serialize(self, message: Message) -> bytes:
        return json.dumps(message._asdict()).encode()

    def _deserialize(self, stored: bytes) -> Message:
        return Message(**json.loads(stored))


@dataclass
class Worker:
    """One process that does what is due; `tell` says which duties were performed."""

    app: Flask
    threads: int
    pause: float  # seconds between two looks at the duties
    tell: Callable[[Performed], None]
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; what is under way is ended first."""
        queue = MemoryHuey("postern", results=False, serializer=JsonSerializer())
        drain = queue.task(name="drain")(self._drain)
        perform = queue.task(name="perform")(self._perform_duties)
        queue.periodic_task(crontab(), name="sweep")(self._drain)
        consumer = queue.create_consumer(
            workers=self.threads, max_delay=0.2, scheduler_interval=1, shutdown_timeout=_PATIENCE
        )
        consumer.start()
        for name in (signal.SIGTERM, signal.SIGINT):  # huey's own would not end what is under way
            signal.signal(name, lambda *_: self._ended.set())
        try:
            self._look(
                drain=lambda: queue.storage.queue_size() or drain(),
                perform=perform,
                look_after=consumer.check_worker_health,
            )
        finally:
            consumer.stop(graceful=True)

    def _look(
        self,
        drain: Callable[[], object],
        perform: Callable[[], object],
        look_after: Callable[[], object],
    ) -> None:
        """Let threads work whenever something is due."""
        duties_at = health_at = time.monotonic()
        while not self._ended.is_set():
            began = time.monotonic()
            if began >= duties_at:
                perform()
                duties_at = began + self.pause
            if self._has_due():
                drain()
            if began >= health_at + _LOOK_AFTER_HEALTH:
                look_after()
                health_at = began
            self._ended.wait(_LOOK_EVERY)

    def _has_due(self) -> bool:
        """False too when the database does not answer: the next look asks again."""
        try:
            with self.app.app_context(), runtime().database.reading() as session:
                return draining.has_due(session, runtime())
        except Exception as error:
            log.warning("outbox not read", exc_info=error)
            return False

    def _drain(self) -> None:
        with self.app.app_context():
            try:
                draining.drain(runtime(), self._ended.is_set)
            except Exception:  # the rows wait for their lease and are done then
                log.exception("outbox not drained")

    def _perform_duties(self) -> None:
        with self.app.app_context():
            try:
                for performed in service.run_due(runtime()):
                    self.tell(performed)
            except Exception:
                log.exception("duties not performed")
