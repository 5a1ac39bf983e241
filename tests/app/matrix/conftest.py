import dataclasses
from collections.abc import Iterator

import pytest

from app import create_app
from tests.app.matrix.stage import Stage, staged
from tests.app.people import runtime_of
from tests.app.sharing.ground import commit_without_waiting_for_the_disk
from tests.conftest import BACKENDS, new_database, settings_for


@pytest.fixture(scope="package", params=BACKENDS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One stage on each back end, for all files of this package."""
    directory = request.getfixturevalue("tmp_path_factory").mktemp("matrix")
    secrets = request.getfixturevalue("secrets_directory")
    with new_database(request, request.param, directory) as url:
        settings = settings_for(url, secrets)
        quiet = dataclasses.replace(settings.log, level="ERROR")  # of thousands of refusals
        app = create_app(dataclasses.replace(settings, log=quiet))
        commit_without_waiting_for_the_disk(runtime_of(app).database)
        try:
            with staged(app) as made:
                yield made
        finally:
            runtime_of(app).database.dispose()
