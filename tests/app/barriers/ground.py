"""An exchange with a barrier model in force, and its verbs in transactions of their own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask

from app import clock
from app.barriers import model_upkeep, modelling, registering
from app.barriers.model import Cost
from app.barriers.registering import NewBarrier, Shown
from postern.vocabulary import LegalBasis, Role
from tests.app.barriers.texts import TEXT, changed
from tests.app.exchange import SOPHIE, Exchange, make_exchange, report
from tests.app.patterns.writing import act
from tests.app.people import make_person

OWN_ID = "22222222-2222-4333-8444-555555555555"


def make_ground(app: Flask) -> Exchange:
    """The exchange with the small model as the platform's own."""
    exchange = make_exchange(app)
    load(exchange, TEXT)
    return exchange


def load(exchange: Exchange, text: str) -> int:
    """Put a text in force as the platform's own."""
    return upkeep(exchange, lambda session: model_upkeep.load(session, text, "shipped.yml"))


def upkeep(exchange: Exchange, duty: Callable[..., int]) -> int:
    """A duty in a transaction of its own."""
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return duty(session)


def own_text(version: int = 1, title: str = "Het model van een lid") -> str:
    """A model with another id, as a member would make it."""
    text = changed("11111111-2222-4333-8444-555555555555", OWN_ID)
    return changed("Ons eigen model", title, changed("version: 1", f"version: {version}", text))


def in_force(exchange: Exchange, code: str, community: str | None = None) -> UUID:
    """A model of the organisation, proposed by one person and put in force by another."""
    made = act(exchange, modelling.begin, exchange.caller(code), own_text(), community)
    other = make_person(exchange.app, code, [Role.APPROVER]).caller
    act(exchange, modelling.approve, other, made.found.model.public_id, 1)
    return made.found.model.public_id


def registered(exchange: Exchange, code: str, **more: Any) -> Shown:
    """A barrier of the small model that holds since ten days."""
    given: dict[str, Any] = {
        "step": 1,
        "key": "ask-why",
        "from_day": clock.now().date() - timedelta(days=10),
        "to_day": None,
        "expires_on": None,
        "cost": Cost.LOW,
        "legal_basis": LegalBasis.PUBLIC_TASK,
    }
    new = NewBarrier(**{**given, **more})
    return act(exchange, registering.register, exchange.caller(code), new)


def submitted(exchange: Exchange, code: str, key: str = "k1", **shipment: Any) -> UUID:
    """A report of the organisation."""
    sent = exchange.submit(code, report(key, exchange.indicator(SOPHIE), shipment=shipment))
    (stored,) = sent.results
    assert stored.id is not None, stored
    return stored.id
