"""Subscriptions of the stage to other servers: one that is live and one that was removed."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.exchange import subscriptions
from app.exchange.server_models import ExchangeServer, ServerMeans, ServerTry
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State


def make_servers(session: Session, caller: Caller) -> Made:
    """One of each, set up by `caller`; the live one was asked an hour ago."""
    made: Made = {}
    for state in (State.LIVE, State.REVOKED):
        made[Named.SERVER, state] = subscriptions.add(
            session,
            caller,
            title="Another",
            address="https://taxii.example/api1/collections/1/",
            means=ServerMeans.NONE,
        ).id
    subscriptions.remove(session, caller, made[Named.SERVER, State.REVOKED])
    row = session.scalars(
        select(ExchangeServer).where(ExchangeServer.public_id == made[Named.SERVER, State.LIVE])
    ).one()
    at = clock.now() - timedelta(hours=1)
    session.add(
        ServerTry(
            server_id=row.id,
            round=row.round,
            began_at=at,
            ended_at=at,
            pages=1,
            objects=0,
            kept=0,
            revoked=0,
            refused={},
            receipts=0,
            error=None,
        )
    )
    return made
