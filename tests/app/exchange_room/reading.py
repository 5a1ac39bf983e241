"""Collections for tests: opened, written by the worker's own code, and read as a client reads."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.exchange import collections, serving
from app.exchange.models import CollectionKind
from app.exchange.views import Collection, Filters, Served
from app.indicators.telling import Grounds
from app.jobs import draining, service
from app.runtime import runtime
from postern.vocabulary import LegalBasis, Purpose
from tests.app.exchange import Exchange, report

CASE = "PV-2026-031"
GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, CASE)
ALL = Filters(versions=("all",))

Answer = TypeVar("Answer")


@dataclass
class Room:
    """An exchange whose collections are kept up by what the worker does."""

    exchange: Exchange

    def within(self, act: Callable[[Session], Answer]) -> Answer:
        """What an act in a transaction of its own returns."""
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            return act(session)

    def open(self, code: str = "police-de", **fields: Any) -> Collection:
        """A collection of what others share with an organisation, or with `kind` its own."""
        given: dict[str, Any] = {
            "kind": CollectionKind.SHARED,
            "title": f"For {code}",
            "grounds": GROUNDS,
        } | fields
        caller = self.exchange.caller(code)
        opened = self.within(lambda session: collections.open_collection(session, caller, **given))
        self.work()
        return opened

    def own(self, code: str = "post-be", **fields: Any) -> Collection:
        """A collection of an organisation's own."""
        return self.open(code, kind=CollectionKind.OWN, grounds=None, **fields)

    def submit(self, code: str, *given: Any, **fields: Any) -> list[UUID]:
        """Public ids of the indicators of a new report."""
        (result,) = self.exchange.submit(code, report(uuid4().hex, *given, **fields)).results
        assert result.status == "created", result.errors
        return list(result.indicators)

    def work(self) -> None:
        """Do what the outbox asks for, and the duty of comparing with what that asks for."""
        with self.exchange.app.app_context():
            here = runtime()
            draining.drain(here)
            duty = here.part(service.Duties).by_name["exchange.compare"]
            with here.database.transaction() as session:
                duty.run(session)
            draining.drain(here)
            with here.database.reading() as session:
                stuck = [job.error for job in draining.failing(session)]
            assert not stuck

    def page(
        self,
        collection: Collection,
        filters: Filters = ALL,
        limit: int = 100,
        *,
        after: int | None = None,
        code: str = "",
    ) -> Served:
        """What a client of the collection's organisation, or of another, is served."""
        caller = self.exchange.caller(code or collection.organisation)
        return self.within(
            lambda session: serving.page(
                session, caller, collection.id, filters, limit, after=after
            )
        )

    def objects(self, collection: Collection, **fields: Any) -> list[dict[str, Any]]:
        """The last versions of what is served of indicators, as JSON."""
        given: dict[str, Any] = {"main_only": True} | fields
        return [json.loads(text) for text in self.page(collection, Filters(**given)).texts]
