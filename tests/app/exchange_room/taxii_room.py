"""The small exchange with collections, asked over TAXII: post-be adds, police-de reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.access import Caller
from app.exchange import collections
from app.exchange.models import CollectionKind
from app.exchange.negotiation import MEDIA_TYPE
from app.exchange.views import Collection
from app.indicators.telling import Grounds
from postern import normalise
from postern.stix.submitting import submission_object
from postern.vocabulary import LegalBasis, Purpose, Role, Scope
from tests.app.exchange import OPEN_TO_POLICE, Exchange, make_exchange
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer, make_person, runtime_of
from tests.conftest import new_database, settings_for

ROOT = "/taxii2/exchange/"
COLLECTIONS = f"{ROOT}collections/"
GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
BOTH = (Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE)
CREATED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

Object = dict[str, Any]


@dataclass
class Taxii:
    """An exchange; post-be has a collection of its own, police-de one of what others share."""

    exchange: Exchange
    client: FlaskClient
    own: UUID = field(init=False)
    shared: UUID = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def __post_init__(self) -> None:
        self.exchange.publish("post-be", OPEN_TO_POLICE)
        self.own = self.open("post-be", CollectionKind.OWN).id
        self.shared = self.open("police-de", CollectionKind.SHARED).id

    @cached_property
    def headers(self) -> dict[str, dict[str, str]]:
        """What a client of each member sends."""
        people = self.exchange.people.items()
        return {code: bearer(self.exchange.app, person, BOTH) for code, person in people}

    def headers_of(self, code: str, *scopes: Scope) -> dict[str, str]:
        """Those of a token with these scopes, of a person with every role."""
        return bearer(self.exchange.app, make_person(self.exchange.app, code, Role), scopes)

    def open(
        self, code: str, kind: CollectionKind, *, with_revoked: bool = True, days: int = 30
    ) -> Collection:
        with (
            self.exchange.app.app_context(),
            self.exchange.database.transaction() as session,
        ):
            return collections.open_collection(
                session,
                self.exchange.caller(code),
                kind=kind,
                title=f"{kind} of {code}",
                grounds=GROUNDS if kind is CollectionKind.SHARED else None,
                with_revoked=with_revoked,
                days=days,
            )

    def work(self) -> None:
        """Do what the worker does: collections follow what was added, granted or ended."""
        Room(self.exchange).work()

    def ask(
        self,
        path: str,
        code: str = "post-be",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        given = {"Accept": MEDIA_TYPE, **self.headers[code], **(headers or {})}
        return self.client.open(path, method=method, headers=given, **options)

    def seen(self) -> list[str]:
        """Ids of the indicators that police-de gets, in the order in which they came."""
        self.work()
        return ids(self.objects(self.shared, "police-de", limit=1000))

    def objects(self, collection: UUID, code: str = "post-be", **arguments: Any) -> TestResponse:
        """A page of a collection; an argument `id` is `match[id]`, and so on."""
        return self.ask(
            f"{COLLECTIONS}{collection}/objects/", code, query_string=filters(**arguments)
        )

    def add(self, *objects: Any, code: str = "post-be", to: UUID | None = None) -> TestResponse:
        return self.post(json.dumps({"objects": objects}), code=code, to=to)

    def post(
        self,
        body: str | bytes,
        *,
        code: str = "post-be",
        to: UUID | None = None,
        content_type: str = MEDIA_TYPE,
    ) -> TestResponse:
        return self.ask(
            f"{COLLECTIONS}{to or self.own}/objects/",
            code,
            method="POST",
            data=body,
            content_type=content_type,
        )

    def status(self, *objects: Any, code: str = "post-be") -> dict[str, Any]:
        """What became of objects that were added."""
        answer = self.add(*objects, code=code)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        found: dict[str, Any] = loaded(answer)
        return found

    def party(self, **fields: Any) -> Object:
        """A new object about somebody of whom there is no other."""
        number = next(self._numbers)
        letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")
        value = normalise.Party(f"Lode Pe{letters}", ("Kerkstraat 1",), "2000", "Gent", "BE")
        return self.object(value, **fields)

    def object(
        self,
        value: normalise.Value,
        *,
        name: UUID | None = None,
        modified: datetime = CREATED,
        **fields: Any,
    ) -> Object:
        """An object about a value; `fields` are of the indicator, `shipment` and so on apart."""
        shipment, step = fields.pop("shipment", {}), fields.pop("barrier_step", None)
        report = fields.pop("report", None)
        return submission_object(
            name or uuid4(),
            CREATED,
            self.exchange.indicator(value, **fields),
            shipment,
            step,
            "post-be",
            modified=modified,
            report=report,
        )


def filters(**arguments: Any) -> dict[str, str]:
    """Arguments as the address has them; `id`, `type`, `version`, `spec_version` are matches."""
    matched = {"id", "type", "version", "spec_version"}
    return {
        f"match[{name}]" if name in matched else name: str(value)
        for name, value in arguments.items()
        if value is not None
    }


def changed(obj: Object, minutes: int = 1, **properties: Any) -> Object:
    """The object in a later version."""
    later = datetime.fromisoformat(obj["modified"]) + timedelta(minutes=minutes)
    modified = later.strftime("%Y-%m-%dT%H:%M:%S.") + f"{later.microsecond // 1000:03d}Z"
    return {**obj, "modified": modified, **properties}


def loaded(answer: TestResponse) -> Any:
    return json.loads(answer.get_data())


def ids(answer: TestResponse, type_: str | None = "indicator") -> list[str]:
    """Ids of the objects of a page, by default of indicators."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: Sequence[Object] = loaded(answer).get("objects", [])
    return [each["id"] for each in found if type_ is None or each["id"].startswith(f"{type_}--")]


def caller_of(taxii: Taxii, code: str) -> Caller:
    return taxii.exchange.caller(code)


@contextmanager
def made_taxii(request: pytest.FixtureRequest, backend: str, directory: Path) -> Iterator[Taxii]:
    """The exchange on a database of its own."""
    with new_database(request, backend, directory) as url:
        settings = settings_for(url, request.getfixturevalue("secrets_directory"))
        app = create_app(settings)
        app.testing = False
        yield Taxii(make_exchange(app), app.test_client())
        runtime_of(app).database.dispose()
