"""What this room keeps for the life of the process: the duties that the other rooms register."""

from datetime import timedelta

from flask import Flask

from app.jobs import notifications
from app.jobs.service import Duties, duty
from app.runtime import Runtime


def start(_app: Flask, runtime: Runtime) -> None:
    """Make the list of duties, and put on it that of notifications; called by `create_app`."""
    runtime.add(Duties())
    duty(runtime, "notifications.expire", timedelta(days=1), notifications.expire)
