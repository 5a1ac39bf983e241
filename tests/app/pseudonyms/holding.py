"""Holders of a shared key in this process, each with its own database, answering over HTTP."""

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from flask import Flask
from werkzeug.serving import make_server

from app import create_app
from app.access import CONSOLE
from app.pseudonyms import holder_service
from app.secret_files import create as create_secrets
from postern import threshold
from postern.key_sharing import Ceremony, Holder
from postern.vocabulary import EvaluationKind, Sector
from tests.app.people import make_organisation, runtime_of
from tests.conftest import settings_for
from tests.postern.premises import locked

POSTAL = EvaluationKind.POSTAL
NAMES = ("alpha", "beta", "gamma")
AWAY = "http://127.0.0.1:9"  # where nothing listens
MEMBER = "police-de"


@dataclasses.dataclass(frozen=True)
class Circle:
    """Three holders of the key of postal values, of whom gamma does not answer."""

    ceremony: Ceremony
    dealt: threshold.Dealt
    holders: dict[str, Flask]


@contextmanager
def circle(home: Path, template: Path) -> Iterator[Circle]:
    """Alpha and beta listen, and have admitted one member."""
    dealt = threshold.deal(2, (1, 2, 3))
    commitments = {POSTAL: dealt.commitments}
    named = tuple(Holder(number, name) for number, name in enumerate(NAMES, start=1))
    addresses = {3: AWAY}
    with ExitStack() as stack:
        apps = {}
        for each in named[:2]:
            made = stack.enter_context(_holder(home / each.name, template))
            with made.app_context(), runtime_of(made).database.transaction() as session:
                holder_service.install(
                    session,
                    CONSOLE,
                    number=each.number,
                    epoch=1,
                    commitments=commitments,
                    shares={POSTAL: dealt.shares[each.number]},
                )
                holder_service.admit(session, CONSOLE, locked(MEMBER).keys.chain)
            addresses[each.number] = stack.enter_context(_served(made))
            apps[each.name] = made
        yield Circle(Ceremony("Postern", 1, named, addresses, commitments), dealt, apps)


@contextmanager
def _holder(home: Path, template: Path) -> Iterator[Flask]:
    home.mkdir()
    create_secrets(home / "secrets")
    shutil.copy(template, home / "holder.sqlite")
    settings = settings_for(f"sqlite:///{home / 'holder.sqlite'}", home / "secrets")
    platform = dataclasses.replace(settings.platform, mode="holder")
    made = create_app(dataclasses.replace(settings, platform=platform))
    made.testing = False
    make_organisation(runtime_of(made).database, MEMBER, Sector.POLICE, "DE")
    yield made
    runtime_of(made).database.dispose()


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
