"""What this room keeps for the life of the process, and what it does by itself."""

from datetime import timedelta

from flask import Flask

from app.exchange import (
    collections,
    misp_api,
    news_sending,
    pattern_entries,
    rotating,
    server_start,
    sighting_entries,
    taxii_api,
    view_writing,
)
from app.exchange.rendering import Keys
from app.exchange.views import ViewHooks
from app.indicators.hooks import Hooks
from app.jobs.outbox import handle
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_SOON = timedelta(minutes=1)
_HOURLY = timedelta(hours=1)


def start(app: Flask, runtime: Runtime) -> None:
    """Called by `create_app`."""
    runtime.add(Keys(runtime.secrets.exchange))
    runtime.add(ViewHooks())
    hooks = runtime.part(Hooks)
    hooks.stored.append(view_writing.on_stored)
    hooks.amended.append(view_writing.on_amended)
    hooks.ending.append(view_writing.on_ending)
    hooks.rotated.append(rotating.on_rotated)
    for topic, run in {
        **view_writing.HANDLERS,
        **pattern_entries.HANDLERS,
        **sighting_entries.HANDLERS,
    }.items():
        handle(runtime, topic, run)
    duty(runtime, "exchange.compare", _SOON, view_writing.compare_due)
    duty(
        runtime,
        "exchange.expire",
        _HOURLY,
        lambda session: in_batches(lambda: collections.expire(session), collections.BATCH),
    )
    server_start.begin(runtime)
    news_sending.begin(runtime)
    taxii_api.install(app, runtime)
    misp_api.install(app)
