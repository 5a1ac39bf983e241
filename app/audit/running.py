"""The process that keeps the log: checks what is stored, then sequences until it is told to end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.audit.alarms import raise_alarm
from app.audit.configuration import tell_settings
from app.audit.high_water import Head, HighWater, StoredMismatchError
from app.audit.keys import register, signing_keys
from app.audit.models import AlarmKind, KeyUse
from app.audit.pushing import push
from app.audit.receipts import receipt_key
from app.audit.sequencer import MOST, Sequencer
from app.audit.witnesses import thin
from app.runtime import Runtime

log = structlog.get_logger(__name__)

_PAUSE_AFTER_FAILURE = 2.0  # seconds
_JOINED_WITHIN = 30.0  # seconds: longer than a witness may take


def sequencer(runtime: Runtime) -> Sequencer:
    """The sequencer of the settings; StartRefusedError when the log's key is not to be read."""
    settings = runtime.settings
    return Sequencer(
        database=runtime.database,
        keys=signing_keys(Path(settings.secrets.directory), settings.audit.name),
        high_water=HighWater(Path(settings.audit.high_water)),
    )


@dataclass(frozen=True)
class LogKeeper:
    """One running sequencer, and what is done beside it every so often."""

    runtime: Runtime
    sequencer: Sequencer

    def begin(self) -> Head:
        """Check what is stored, tell of keys and settings; StoredMismatchError after an alarm."""
        with self._alarming():
            found = self.sequencer.check()
        with self.runtime.database.transaction() as session:
            register(session, [key.verifier for key in self.sequencer.keys], KeyUse.LOG)
            register(session, [receipt_key()], KeyUse.RECEIPT)
            tell_settings(session, self.runtime.settings)
        return found

    def run(self, ended: threading.Event, told: Callable[[Head], None] | None = None) -> None:
        """Step until `ended`; StoredMismatchError, after an alarm, when what is stored is wrong.

        Beside it, in a thread of its own, witnesses are asked to cosign.
        """
        gathering = threading.Thread(target=self.gather, args=(ended,), daemon=True)
        gathering.start()
        try:
            self._sequence(ended, told)
        finally:
            ended.set()
            gathering.join(_JOINED_WITHIN)

    def gather(self, ended: threading.Event) -> None:
        """Ask witnesses for cosignatures and thin out checkpoints until `ended`; never fails."""
        pause = self.runtime.settings.audit.cosign_seconds
        while not ended.wait(pause):
            try:
                push(self.runtime.database, turn=pause)
                with self.runtime.database.transaction() as session:
                    thin(session)
            except Exception:  # whatever it is, entries must go on getting their places
                log.exception("gathering cosignatures failed")

    def _sequence(self, ended: threading.Event, told: Callable[[Head], None] | None) -> None:
        pause = self.runtime.settings.audit.interval_ms / 1000
        while not ended.is_set():
            try:
                with self._alarming():
                    step = self.sequencer.step()
            except (SQLAlchemyError, OSError) as failure:
                # A server that restarts, a full disk: no signature left, so try again.
                cause = getattr(failure, "orig", None) or failure
                log.warning("sequencing failed", error=type(cause).__name__)
                ended.wait(_PAUSE_AFTER_FAILURE)
                continue
            if step.taken and told:
                told(step.head)
            if step.taken < MOST:
                ended.wait(pause)

    def _alarming(self) -> "_Alarming":
        return _Alarming(self.runtime)


@dataclass(frozen=True)
class _Alarming:
    """Raises an alarm for every StoredMismatchError that passes."""

    runtime: Runtime

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, StoredMismatchError):
            log.error("the stored log does not verify", reason=str(error))
            with self.runtime.database.transaction() as session:
                raise_alarm(session, AlarmKind.STORED_MISMATCH, str(error))
