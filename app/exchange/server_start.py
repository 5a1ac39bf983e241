"""What subscriptions to other servers keep for the life of the process, and do by themselves."""

from datetime import timedelta

from app.exchange import pulling, received, subscriptions
from app.exchange.subscriptions import ASK, ServerSealing
from app.jobs.outbox import handle
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_SOON = timedelta(minutes=1)
_DAILY = timedelta(days=1)
_BATCH = 1000


def begin(runtime: Runtime) -> None:
    """Called by the room's `start`."""
    runtime.add(ServerSealing(runtime.secrets.accounts))
    handle(runtime, ASK, pulling.ERRAND)
    duty(runtime, "servers.ask", _SOON, subscriptions.put_due)
    duty(
        runtime,
        "servers.erase",
        _DAILY,
        lambda session: in_batches(lambda: received.expire(session), _BATCH),
    )
    duty(runtime, "servers.forget", _DAILY, subscriptions.forget)
