"""A platform with channels that lead to real receivers, and the worker's round over it."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select, update

from app import clock, create_app
from app.config import MailSettings, Settings
from app.jobs import channels, draining
from app.jobs.channels import Shown
from app.jobs.models import Dispatch, Notification, Outbox
from app.jobs.notifications import notify
from postern.vocabulary import ChannelKind, DispatchState, Role
from tests.app.exchange import Exchange, make_exchange
from tests.app.jobs.receivers import Hook
from tests.app.people import runtime_of

FACTS = {"signal": "many-lookups"}


@dataclass
class Post:
    """The exchange, and the verbs of this room on it."""

    exchange: Exchange

    @property
    def app(self) -> Flask:
        return self.exchange.app

    def add(
        self,
        address: str,
        roles: Sequence[Role] = (Role.COMPLIANCE,),
        *,
        code: str = "police-de",
        language: str = "en",
    ) -> Shown:
        kind = ChannelKind.WEBHOOK if "://" in address else ChannelKind.MAIL
        with self.app.app_context(), self.exchange.database.transaction() as session:
            return channels.add(
                session,
                self.exchange.caller(code),
                kind=kind,
                roles=roles,
                language=language,
                address=address,
            )

    def remove(self, channel: UUID, code: str = "police-de") -> None:
        with self.app.app_context(), self.exchange.database.transaction() as session:
            channels.remove(session, self.exchange.caller(code), channel)

    def tell(
        self,
        *roles: Role,
        code: str = "police-de",
        kind: str = "signal.raised",
        number: int = 0,
        **more: Any,
    ) -> None:
        """Notify people of these roles, in one transaction."""
        facts = {**FACTS, "number": number}
        with self.exchange.database.transaction() as session:
            for role in roles or (Role.COMPLIANCE,):
                organisation = self.exchange.organisation_id(code)
                notify(session, organisation, role, kind, facts, "/signals", **more)

    def drain(self) -> int:
        """One round of the worker; returns how many tries it made."""
        with self.app.app_context():
            return draining.drain(runtime_of(self.app))

    def drain_all(self, rounds: int = 30) -> None:
        """Rounds until everything ended, with no pause between the tries."""
        for _ in range(rounds):
            with self.exchange.database.transaction() as session:
                now = clock.now()
                session.execute(update(Outbox).where(Outbox.lease.is_(None)).values(due_at=now))
            if not self.drain():
                return

    def states(self) -> list[DispatchState]:
        with self.exchange.database.reading() as session:
            return list(session.scalars(select(Dispatch.state).order_by(Dispatch.id)))

    def dispatches(self) -> list[Dispatch]:
        return self.exchange.rows(select(Dispatch).order_by(Dispatch.id))

    def notifications(self, kind: str) -> list[Notification]:
        return self.exchange.rows(select(Notification).where(Notification.kind == kind))

    def endings(self) -> list[str]:
        """What the log tells of each sending that ended, oldest first."""
        return [entry.details["ending"] for entry in self.exchange.entries("notification.sent")]


def make_post(settings: Settings, mail_port: int = 1, security: str = "none") -> Post:
    """A new platform on the database of the settings, with a mail server on that port."""
    mail = MailSettings("localhost", mail_port, security, "postern@platform.example", "")
    made = create_app(dataclasses.replace(settings, mail=mail))
    made.testing = False
    return Post(make_exchange(made))


def bodies(hook: Hook) -> list[dict[str, Any]]:
    """What the receiver of webhooks took, parsed."""
    return [json.loads(body) for _, _, body in hook.taken]
