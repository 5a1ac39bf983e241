"""The platform under attack: a server process with records of each kind, and who attacks it."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from flask import Flask

from app import create_app
from app.config import Settings
from postern.vocabulary import Role, Scope, Sector
from tests.app.exchange import Exchange, b64, make_exchange
from tests.app.lively import make_lively
from tests.app.people import Person, bearer, make_organisation, make_person, runtime_of
from tests.functional.serving import serving

GROUNDS = {
    "purpose": "criminal_investigation",
    "legal_basis": "criminal_procedure",
    "case": "PV-2026-17",
}
OWNER, READER, OUTSIDER = "post-be", "police-de", "post-fr"
"""Whose records are attacked; who may see some by policy; who is in no community."""

PATIENCE = 120  # seconds
NEVER = UUID("019caea7-6b40-7abc-8def-0123456789ab")
_FORM_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visit(requests.Session):
    """Somebody in a browser at the platform; redirects are not followed."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        more.setdefault("timeout", PATIENCE)
        return self.request(method, self.address + path, allow_redirects=False, **more)

    def form_token(self, path: str = "/account") -> str:
        """The token against cross-site requests of a page."""
        found = _FORM_TOKEN.search(self.ask("GET", path, headers={"Accept": "text/html"}).text)
        assert found, f"{path} has no form"
        return found[1]

    def sign_in(self, person: Person) -> None:
        fields = {"login": person.login, "password": person.password, "next": "/account"}
        token = self.form_token("/sign-in")
        answer = self.ask("POST", "/sign-in", data={**fields, "csrf_token": token})
        assert answer.status_code == 303, answer.text


@dataclass
class Ground:
    """What is attacked; `is_short` in the suite, where each attack tries less."""

    settings: Settings
    exchange: Exchange
    address: str
    outsider: Person
    is_short: bool
    _tokens: dict[tuple[str, frozenset[Scope]], dict[str, str]] = field(default_factory=dict)

    @property
    def app(self) -> Flask:
        return self.exchange.app

    def many(self, whole: int, short: int) -> int:
        return short if self.is_short else whole

    def person(self, code: str) -> Person:
        return self.outsider if code == OUTSIDER else self.exchange.people[code]

    def visit(self, who: Person | str | None = None) -> Visit:
        """A browser; signed in as a person, or as that of an organisation."""
        made = Visit(self.address)
        if who is not None:
            made.sign_in(self.person(who) if isinstance(who, str) else who)
        return made

    def token(self, code: str, scopes: Iterable[Scope] = Scope) -> dict[str, str]:
        """Headers of a program that acts for the person of an organisation."""
        key = code, frozenset(scopes)
        if key not in self._tokens:
            self._tokens[key] = bearer(self.app, self.person(code), key[1])
        return self._tokens[key]

    def call(self, code: str, method: str, path: str, **more: Any) -> requests.Response:
        """A program of an organisation calls the platform."""
        headers = {"Accept": "application/json", **self.token(code), **more.pop("headers", {})}
        return Visit(self.address).ask(method, path, headers=headers, **more)

    def lookup(self, code: str, *values: Any) -> requests.Response:
        """A lookup of clear values, pseudonymised as the platform would."""
        queries = []
        for place, value in enumerate(values):
            query = self.exchange.query(value, f"q{place}")
            tokens = [{"facet": facet, "token": b64(token)} for facet, token in query.tokens]
            wire = {"id": query.id, "kind": query.kind.value, "epoch": query.epoch}
            queries.append({**wire, "tokens": tokens})
        return self.call(code, "POST", "/api/v1/lookups", json={**GROUNDS, "queries": queries})


@contextmanager
def ground(settings: Settings, directory: Path, *, is_short: bool) -> Iterator[Ground]:
    """A platform with its records, served by a process of its own until the end of the block."""
    quiet = dataclasses.replace(settings.log, level="ERROR")  # of thousands of refusals
    settings = dataclasses.replace(settings, log=quiet)
    app = create_app(settings)
    try:
        exchange = make_exchange(app)
        make_lively(exchange)
        make_organisation(runtime_of(app).database, OUTSIDER, Sector.POST, "FR")
        outsider = make_person(app, OUTSIDER, Role)
        with serving(settings, directory / "attacked.toml", directory / "log") as address:
            yield Ground(settings, exchange, address, outsider, is_short)
    finally:
        runtime_of(app).database.dispose()


def ids_in(texts: Sequence[str]) -> list[str]:
    """Every id that stands in some texts, once, in their order."""
    found = re.findall(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "\n".join(texts)
    )
    return list(dict.fromkeys(found))
