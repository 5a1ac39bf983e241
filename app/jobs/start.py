"""What this room keeps for the life of the process: the duties, handlers and checks of rooms."""

from datetime import timedelta

from flask import Flask

from app.jobs import channels, draining, notifications
from app.jobs.channels import Sealing
from app.jobs.dispatching import ERRAND, Checks
from app.jobs.draining import Pace
from app.jobs.outbox import Handlers, handle
from app.jobs.service import Duties, duty
from app.runtime import Runtime

_EVERY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    """Make the lists, and put on them what is this room's; called by `create_app`."""
    runtime.add(Duties())
    runtime.add(Handlers())
    runtime.add(Checks())
    runtime.add(Pace())
    runtime.add(Sealing(runtime.secrets.accounts))
    handle(runtime, notifications.DISPATCH, ERRAND)
    duty(runtime, "notifications.expire", _EVERY, notifications.expire)
    duty(runtime, "channels.expire", _EVERY, channels.expire)
    duty(runtime, "channels.forget-former", timedelta(hours=1), channels.forget_former)
    duty(runtime, "outbox.tidy", timedelta(hours=1), draining.tidy)
