"""Shared patterns in tests: a document, a draft of it, its publication by a second person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from app import clock
from app.access import Caller
from app.indicators.telling import Grounds
from app.patterns import drafting, reading
from app.patterns.beside import Beside
from app.patterns.reading import Pattern
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.exchange import Exchange
from tests.app.people import make_person

Made = TypeVar("Made")

SCREENING = Grounds(Purpose.PARCEL_SCREENING, LegalBasis.POSTAL_LAW, "")
CONTROL = Grounds(Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW, "")
ANALYSIS = Grounds(Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK, "")


def shares(owner: str, *actions: str, level: str = "metadata", kinds: str = "pattern") -> str:
    """A policy that lets everybody have patterns of the owner at the level, and the actions."""
    chain = {"presence": ["presence"], "metadata": ["presence", "metadata"]}[level]
    listed = ", ".join(f'Action::"{each}"' for each in (*chain, *actions))
    return (
        f'@id("{owner}/patterns") @label("Everybody gets the patterns of {owner}")'
        f" permit (principal, action in [{listed}], resource)"
        f' when {{ resource.kind == Kind::"{kinds}" }};'
    )


def document(
    rule_id: str = "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01",
    *,
    title: str = "Documents without an account",
    tlp: str = "GREEN",
    days: int = 365,
    weight: int = 200,
    **more: Any,
) -> str:
    """A document that may be shared; `weight` of its test that must hit, 100 to 500 hits."""
    expires = (clock.now() + timedelta(days=days)).date().isoformat()
    lines = [
        "format: parcel-pattern/1",
        f"id: {rule_id}",
        f"title: {title}",
        "status: experimental",
        "author: Post of Example",
        "description: Letters that no account pays for.",
        "references: [Where this is known from]",
        "barrier_step: 5",
        "level: high",
        "false_positives: [A club that posts its newsletter.]",
        f"tlp: {tlp}",
        f"expires: {expires}",
        "detection:",
        "  docs: {declared_category: documents, 'net_weight_g|between': [100, 500]}",
        "  condition: docs",
        "tests:",
        "  hit:",
        f"    - {{declared_category: documents, net_weight_g: {weight}}}",
        "  miss:",
        "    - {declared_category: gift, net_weight_g: 200}",
        *(f"{key}: {value}" for key, value in more.items()),
    ]
    return "\n".join(lines) + "\n"


def act(
    exchange: Exchange, verb: Callable[..., Made], caller: Caller, *given: Any, **more: Any
) -> Made:
    """A verb in a transaction of its own."""
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return verb(session, caller, *given, **more)


def second(exchange: Exchange, code: str) -> Caller:
    """Another person of the organisation, who may approve."""
    return make_person(exchange.app, code, [Role.POLICY_OWNER]).caller


def published(
    exchange: Exchange, code: str, text: str | None = None, beside: Beside | None = None
) -> UUID:
    """A new pattern with its first version in force."""
    one = exchange.caller(code)
    made = act(exchange, drafting.begin, one, text or document(), beside)
    return _through(exchange, code, made)


def next_version(exchange: Exchange, code: str, pattern: UUID, text: str) -> UUID:
    """The pattern with the text as its version in force."""
    one = exchange.caller(code)
    made = act(exchange, drafting.save_draft, one, pattern, text, Beside(), None)
    return _through(exchange, code, made)


def _through(exchange: Exchange, code: str, made: Pattern) -> UUID:
    one, pattern = exchange.caller(code), made.listed.id
    proposed = act(exchange, drafting.propose, one, pattern, revision_of(made))
    act(exchange, drafting.approve, second(exchange, code), pattern, revision_of(proposed))
    return pattern


def revision_of(pattern: Pattern) -> int:
    """The revision of its open version."""
    assert pattern.draft is not None
    return pattern.draft.revision


def seen(exchange: Exchange, code: str, grounds: Grounds | None, pattern: UUID) -> Pattern:
    """The pattern as the organisation reads it."""
    return act(exchange, reading.read, exchange.caller(code), grounds, pattern)
