import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from app import create_app
from app.database_roles import Work
from tests.app.matrix.stage import Stage, staged
from tests.app.metrics import write_metrics_key
from tests.app.people import runtime_of
from tests.app.role_processes import process
from tests.app.sharing.ground import commit_without_waiting_for_the_disk
from tests.conftest import BACKENDS, new_database, settings_for


@pytest.fixture(scope="package", params=BACKENDS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One stage on each back end, for all files of this package."""
    directory = request.getfixturevalue("tmp_path_factory").mktemp("matrix")
    secrets = request.getfixturevalue("secrets_directory")
    with new_database(request, request.param, directory) as url:
        own = directory / "secrets"
        shutil.copytree(secrets, own)
        write_metrics_key(own)  # so that its route is there to be asked
        settings = settings_for(url, own)
        quiet = dataclasses.replace(settings.log, level="ERROR")  # of thousands of refusals
        app = create_app(dataclasses.replace(settings, log=quiet))
        database = runtime_of(app).database
        commit_without_waiting_for_the_disk(database)
        try:
            with _asked(app) as asked, staged(app, asked) as made:
                yield made
        finally:
            database.dispose()


@contextmanager
def _asked(app: Flask) -> Iterator[Flask]:
    """The web service: on PostgreSQL with no more rights than in operation."""
    runtime = runtime_of(app)
    if runtime.database.is_sqlite:
        yield app
        return
    with process(runtime.settings, runtime.database, Work.WEB) as asked:
        commit_without_waiting_for_the_disk(runtime_of(asked).database)
        yield asked
