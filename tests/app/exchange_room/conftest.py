import pytest
from flask import Flask

from tests.app.exchange import Exchange, make_exchange
from tests.app.exchange_room.reading import Room


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


@pytest.fixture
def room(exchange: Exchange) -> Room:
    """post-be and customs-nl share with police-de, which reads by collections."""
    return Room(exchange)
