from collections.abc import Iterator

import pytest
from flask import Flask

from tests.app.compliance.office import NOVEMBER, Office, make_office, standing_clock
from tests.app.exchange import Exchange, make_exchange


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


@pytest.fixture
def office(app: Flask) -> Iterator[Office]:
    """police-de on a morning of November; time stands until the test moves it."""
    with standing_clock(NOVEMBER) as clock:
        yield make_office(make_exchange(app), clock)
