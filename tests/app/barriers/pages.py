"""A visitor of the room's pages, and an exchange on which they have something to show."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from io import BytesIO
from uuid import UUID

from flask import Flask

from app import clock
from app.access import CONSOLE
from app.organisations import service as organisations
from postern.vocabulary import Role
from tests.app.barriers.ground import make_ground, registered
from tests.app.exchange import Exchange
from tests.app.people import Person, make_person

HOME = "post-be"
ABROAD = "customs-nl"

SHARES_BARRIERS = """
@id("customs-nl/barriers") @label("Members of the exchange may know of our barriers")
permit (principal, action in [Action::"presence", Action::"metadata", Action::"feed"], resource)
when { resource.kind == Kind::"barrier" };
"""


@dataclass
class Hall:
    """The exchange with the small model; `analyst`, `officer` and `decider` are of HOME."""

    exchange: Exchange
    analyst: Person
    decider: Person
    officer: Person
    others: UUID  # a barrier of ABROAD, of which HOME may know
    hidden: UUID  # one of police-de, of which it may not


def make_hall(app: Flask) -> Hall:
    """Barriers of two other organisations as HOME sees them, and three people of HOME."""
    exchange = make_ground(app)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for code in exchange.people:
            organisations.join(session, CONSOLE, code, "postal-exchange", "Postal exchange")
    exchange.publish(ABROAD, SHARES_BARRIERS)
    first = clock.now().date() - timedelta(days=20)
    others = registered(exchange, ABROAD, from_day=first).found.barrier.public_id
    hidden = registered(exchange, "police-de").found.barrier.public_id
    return Hall(
        exchange,
        make_person(app, HOME, [Role.ANALYST, Role.SUBMITTER]),
        make_person(app, HOME, [Role.POLICY_OWNER, Role.APPROVER]),
        make_person(app, HOME, [Role.COMPLIANCE]),
        others,
        hidden,
    )


def file_of(text: bytes) -> tuple[BytesIO, str]:
    """A file as a form sends it."""
    return BytesIO(text), "model.yml"


def said(page: str) -> str:
    """The words of a page's content, without tags and the ids that each answer has anew."""
    main = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", page)
    main = main[main.index("<main") : main.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))
