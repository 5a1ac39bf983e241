"""Shared patterns for tests of pages: of others with figures, and one's own in each state."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app import clock
from app.access import CONSOLE
from app.organisations import service as organisations
from app.patterns import counting, drafting, library, storage, subscriptions
from app.patterns import grounds as offers
from app.patterns.beside import Beside
from app.patterns.counting import Examined
from postern.vocabulary import Role, Sector
from tests.app.exchange import Exchange
from tests.app.people import Person, make_person

HOME = "post-be"
ABROAD = "customs-nl"

SHARES_PATTERNS = """
@id("customs-nl/patterns") @label("Members of the exchange may screen with our patterns")
permit (
  principal,
  action in [Action::"presence", Action::"metadata", Action::"screen", Action::"feed"],
  resource
)
when { resource.kind == Kind::"pattern" };
"""
TELLS_OF_PATTERNS = """
@id("police-de/patterns") @label("Members of the exchange may know of our patterns")
permit (principal, action in [Action::"presence", Action::"metadata", Action::"feed"], resource)
when { resource.kind == Kind::"pattern" };
"""


@dataclass
class Shelf:
    """What lies on it: ids by what they are; `writer` and `decider` are of HOME."""

    exchange: Exchange
    writer: Person
    decider: Person
    others: UUID  # of ABROAD, with two versions, subscribed to, with figures
    known: UUID  # of police-de, whose rule is not shown
    own: UUID
    draft: UUID  # with a fault
    proposed: UUID
    deprecated: UUID


def make_shelf(exchange: Exchange) -> Shelf:
    """Patterns of three organisations as HOME sees them."""
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for code in exchange.people:
            organisations.join(session, CONSOLE, code, "postal-exchange")
    exchange.publish(ABROAD, SHARES_PATTERNS)
    exchange.publish("police-de", TELLS_OF_PATTERNS)
    first = starter("documents-fan-out")
    others = publish(exchange, ABROAD, first, first.replace("'count|gte': 5", "'count|gte': 4"))
    known = publish(exchange, "police-de", starter("harp-decoys"))
    own = publish(exchange, HOME, starter("vague-express"))
    old = publish(exchange, HOME, starter("carved-vases"))
    writer = make_person(exchange.app, HOME, [Role.ANALYST])
    decider = second_of(exchange, HOME)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        faulty = starter("tablet-dies").replace("net_weight_g", "netto_weight_g")
        draft = drafting.begin(session, writer.caller, faulty).listed.id
        begun = drafting.begin(session, writer.caller, starter("returns-to-a-stranger"))
        revision = begun.draft.revision if begun.draft else 0
        proposed = drafting.propose(session, writer.caller, begun.listed.id, revision).listed.id
        drafting.deprecate(session, decider.caller, old, "It hit nothing in a year.", own)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        subscriptions.subscribe(session, writer.caller, offers.default(Sector.POST), others)
        for subscription in storage.subscriptions(session, writer.caller.member[0]).values():
            subscription.note(1)  # it had the first version too
    _tell(exchange, others)
    return Shelf(exchange, writer, decider, others, known, own, draft, proposed, old)


def _tell(exchange: Exchange, pattern: UUID) -> None:
    """Counts of its owner and of HOME, over five months and both versions."""
    today = clock.now().date()
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for place, code in enumerate((ABROAD, HOME)):
            caller = exchange.people[code].caller
            for month in range(5):
                on = today - timedelta(days=30 * month)
                for version in (1, 2):
                    hits = 40 + 9 * month + 7 * version
                    counting.tell_run(session, caller, pattern, version, on, 900_000, hits)
            for version in (1, 2):
                found = Examined(40, 14 + 6 * version, 20 - 6 * version, 6)
                on = today - timedelta(days=place)
                counting.tell_outcomes(session, caller, pattern, version, on, found)


def starter(name: str, title: str | None = None) -> str:
    """A rule of the library with an id of its own, that ends in 200 days."""
    found = next(each for each in library.starters() if each.name == name)
    text = library.begun(found, "Customs of Example")
    expires = (clock.now() + timedelta(days=200)).date().isoformat()
    lines = [
        f"expires: {expires}" if line.startswith("expires:") else line for line in text.split("\n")
    ]
    if title is not None:
        lines = [f"title: {title}" if line.startswith("title:") else line for line in lines]
    return "\n".join(lines)


def publish(exchange: Exchange, code: str, *texts: str) -> UUID:
    """A pattern of the organisation, each text a version that a second person approved."""
    writer = exchange.people[code].caller
    decider = second_of(exchange, code).caller
    made: UUID | None = None
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for text in texts:
            pattern = (
                drafting.begin(session, writer, text)
                if made is None
                else drafting.save_draft(session, writer, made, text, Beside(), None)
            )
            made = pattern.listed.id
            revision = pattern.draft.revision if pattern.draft else 0
            proposed = drafting.propose(session, writer, made, revision)
            revision = proposed.draft.revision if proposed.draft else 0
            drafting.approve(session, decider, made, revision)
    assert made is not None
    return made


def second_of(exchange: Exchange, code: str) -> Person:
    """Another person of the organisation, who may decide."""
    return make_person(exchange.app, code, [Role.POLICY_OWNER, Role.APPROVER])
