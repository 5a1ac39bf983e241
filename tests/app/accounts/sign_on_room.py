"""What the tests of single sign-on share: an organisation whose provider is in force."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts import sign_on
from app.accounts.entry_models import SignOnProvider
from app.accounts.sign_on import Wanted
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.conftest import log_of
from tests.app.people import Person, cross_site_headers, make_person, sign_in
from tests.functional.oidc.running import Provider

CALLBACK = "http://127.0.0.1:8080/sign-on/callback?provider="
ROLES = {
    "desk": [Role.ANALYST, Role.SUBMITTER],
    "chiefs": [Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST],
}


@dataclass
class Room:
    """An organisation whose provider is in force, and a person of it who is linked as `s-1`."""

    app: Flask
    database: Database
    code: str
    provider: Provider
    administrator: Person
    officer: Person
    person: Person
    id: str = ""

    def propose(self, by: Person, **changes: object) -> str:
        """The id of the provider that was proposed."""
        right = {
            "issuer": self.provider.issuer,
            "client_id": self.provider.client_id,
            "secret": self.provider.secret,
            "role_claim": "groups",
            "roles": ROLES,
            "strong": ["otp"],
        }
        with self.app.app_context(), self.database.transaction() as session:
            sign_on.propose(session, by.caller, Wanted(**(right | changes)))  # type: ignore[arg-type]
        with self.database.reading() as session:
            newest = select(SignOnProvider.public_id).order_by(SignOnProvider.id.desc()).limit(1)
            return str(session.scalar(newest))

    def confirm(self, by: Person, which: str) -> None:
        with self.app.app_context(), self.database.transaction() as session:
            sign_on.decide(session, by.caller, which, agrees=True)

    def link(self, person: Person, who: str) -> tuple[FlaskClient, TestResponse]:
        client = self.app.test_client()
        sign_in(client, person)
        return client, client.get(self.answered(self.offered(client), who))

    def offered(self, client: FlaskClient) -> str:
        """The address to which a signed-in browser is led to link its account."""
        page = client.post("/account/sign-on", headers=cross_site_headers(client)).text
        found = re.search(r'href="(http://127\.0\.0\.1:\d+/auth[^"]+)"', page)
        assert found, page
        return unescape(found.group(1))

    def begun(self, client: FlaskClient, wanted: str = "/account") -> str:
        """The address of the provider to which the browser is sent."""
        asked = urlencode({"provider": self.id, "next": wanted})
        answer = client.get(f"/sign-on/start?{asked}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def answered(self, address: str, who: str, groups: str = "desk", amr: str = "") -> str:
        """The path at which the browser comes back."""
        back = self.provider.answer(address, who, groups, amr)
        assert back.startswith(CALLBACK)
        return back.removeprefix("http://127.0.0.1:8080")

    def enter(self, who: str = "s-1", groups: str = "desk", amr: str = "") -> FlaskClient:
        """A browser in which `who` of the provider has tried to sign in."""
        client = self.app.test_client()
        client.get(self.answered(self.begun(client), who, groups, amr))
        return client

    def refusals(self) -> list[str]:
        return [each.details["refusal"] for each in log_of(self.database, "session.refuse")]


def make_room(app: Flask, database: Database, post: str, provider: Provider) -> Room:
    """One whose provider is proposed, confirmed, and linked by its person."""
    administrator, officer = (
        make_person(app, post, [role]) for role in (Role.ADMINISTRATOR, Role.COMPLIANCE)
    )
    person = make_person(app, post, [Role.ANALYST, Role.APPROVER])
    made = Room(app, database, post, provider, administrator, officer, person)
    made.id = made.propose(administrator)
    made.confirm(officer, made.id)
    _, linked = made.link(person, "s-1")
    assert linked.headers["Location"] == "/account?done=linked"
    return made


def roles_in(client: FlaskClient) -> set[str] | None:
    """The roles that the browser's session may use, None when it is not signed in."""
    answer = client.get("/api/v1/me")
    return set(answer.json["roles"]) if answer.status_code == 200 and answer.json else None
