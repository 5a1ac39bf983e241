from collections.abc import Iterator

import pytest
from flask import Flask

from tests.app.disclosures.desk import Desk, open_desk


@pytest.fixture
def desk(app: Flask) -> Iterator[Desk]:
    with open_desk(app) as made:
        yield made
