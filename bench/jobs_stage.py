"""The exchange in which bench.jobs works: a post that shares, and police who look for it.

Each member has one person for each role, and a second approver. What else a job needs is laid out
by `bench.jobs_scenes`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller, Means
from app.organisations import service as organisations
from app.runtime import Runtime
from app.sharing import service as sharing
from bench.browser import PASSWORD, Served
from bench.jobs_clock import Clock
from bench.stage import database_of
from postern.vocabulary import Role, Sector

POST, POLICE = "post-be", "police-de"
CASE = "PV-2026-17"

_POLICY = """
@id("bench/police") @label("Police see what we reported, and may ask for it")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""
_SECOND = "second"


@dataclass(frozen=True)
class Stage:
    """The platform, its clock, and who acts: by the first part of a sign-in name and a member."""

    app: Flask
    clock: Clock
    people: Mapping[tuple[str, str], Caller]

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["postern"]
        return found

    @property
    def submitter(self) -> Caller:
        return self.people[Role.SUBMITTER.value, POST]

    @property
    def analyst(self) -> Caller:
        return self.people[Role.ANALYST.value, POLICE]

    @property
    def approvers(self) -> tuple[Caller, Caller]:
        """Those of the post: a release of what names a person takes both."""
        return self.people[Role.APPROVER.value, POST], self.people[_SECOND, POST]

    @contextmanager
    def doing(self) -> Iterator[Session]:
        """One act, in a transaction of its own."""
        with self.app.app_context(), self.runtime.database.transaction() as session:
            yield session


def login(name: str, organisation: str) -> str:
    """The sign-in name of a person, whose first part says what they do."""
    return f"{name}@{organisation}.example"


def furnish(here: Served, clock: Clock) -> Stage:
    """Both members with their people, and the policy of the post."""
    from app.accounts import service as accounts  # noqa: PLC0415 - needs the application below

    with here.app.app_context():
        secret = accounts.new_secret(login("analyst", POST), PASSWORD)
    people: dict[tuple[str, str], Caller] = {}
    for code, sector, country in ((POST, Sector.POST, "BE"), (POLICE, Sector.POLICE, "DE")):
        with here.app.app_context(), database_of(here.app).transaction() as session:
            number = organisations.create(
                session, CONSOLE, code=code, name=f"Member {code}", sector=sector, country=country
            )
            for name, role in _people():
                made = accounts.create(
                    session,
                    CONSOLE,
                    organisation=code,
                    login=login(name, code),
                    name=name.capitalize(),
                    roles=frozenset({role}),
                    secret=secret,
                )
                people[name, code] = Caller(
                    person_id=made.person_id,
                    person=made.public_id,
                    organisation_id=number,
                    organisation=code,
                    roles=frozenset({role}),
                    scopes=None,
                    means=Means.SESSION,
                )
    with here.app.app_context(), database_of(here.app).transaction() as session:
        sharing.publish(session, CONSOLE, POST, _POLICY)
    return Stage(here.app, clock, people)


def _people() -> Iterator[tuple[str, Role]]:
    for role in Role:
        yield role.value.replace("_", "-"), role
    yield _SECOND, Role.APPROVER
