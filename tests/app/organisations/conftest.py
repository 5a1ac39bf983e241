import pytest
from flask import Flask

from tests.app.exchange import Exchange, make_exchange


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)
