"""Who takes part, how they are settled at the platform, and the tokens they work with."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from app.access import Caller, Means
from app.accounts.authentication import caller_of
from app.accounts.records import find_account
from app.organisations.models import Organisation
from postern.vocabulary import Role

ROOT = Path(__file__).parent.parent.parent
COMMUNITY = "postal-exchange"


@dataclass(frozen=True)
class Member:
    """An organisation of the demonstration and its people: each name is a role, or ends in one.

    A second approver is there because a release that can name a person needs two people.
    """

    code: str
    name: str
    sector: str
    country: str
    roles: tuple[str, ...]


MEMBERS = (
    Member(
        "post-be",
        "Example Post Belgium",
        "post",
        "BE",
        (
            *("submitter", "analyst", "approver", "second-approver"),
            *("compliance", "policy_owner", "administrator"),
        ),
    ),
    Member(
        "customs-nl",
        "Example Customs Netherlands",
        "customs",
        "NL",
        ("submitter", "analyst", "approver", "compliance", "policy_owner", "administrator"),
    ),
    Member(
        "police-de",
        "Example Police Germany",
        "police",
        "DE",
        ("analyst", "approver", "compliance", "policy_owner", "administrator"),
    ),
)


@dataclass(frozen=True)
class Desk:
    """Where the command is used: whose it is, whose token it uses, and the token's scopes."""

    organisation: str
    person: str
    scopes: tuple[str, ...]


DESKS: dict[str, Desk] = {
    "post-be": Desk(
        "post-be",
        "submitter",
        (
            *("evaluate", "reports:write", "reports:read", "outcomes:write", "recalls:write"),
            *("patterns:read", "patterns:write", "exchange:write"),
        ),
    ),
    "customs-nl": Desk(
        "customs-nl",
        "analyst",
        (
            *("evaluate", "lookups:write", "indicators:read", "screening:run"),
            *("patterns:read", "patterns:write", "exchange:read"),
        ),
    ),
    "post-be-approver": Desk("post-be", "approver", ("disclosures:decide",)),
    "post-be-second-approver": Desk("post-be", "second-approver", ("disclosures:decide",)),
    "police-de": Desk(
        "police-de",
        "analyst",
        (
            *("evaluate", "lookups:write", "indicators:read", "disclosures:ask"),
            *("watches:write", "outcomes:write", "recalls:write", "exchange:read"),
        ),
    ),
}
for _member in MEMBERS:
    _code = _member.code
    DESKS[f"{_code}-administrator"] = Desk(_code, "administrator", ("keys:write",))
    DESKS[f"{_code}-compliance"] = Desk(_code, "compliance", ("audit:read", "audit:witness"))


@dataclass(frozen=True)
class SignIn:
    organisation: str
    role: str
    login: str
    password: str


def settle(app: Flask, member: Member) -> Iterator[SignIn]:
    console(
        app,
        *("organisations", "create", member.code, "--name", member.name),
        *("--sector", member.sector, "--country", member.country),
    )
    console(app, "organisations", "join", member.code, COMMUNITY)
    console(
        app,
        *("keys", "allow", member.code, "postal"),
        *("--hour", "200000", "--day", "400000", "--month", "4000000"),
    )
    for person in member.roles:
        role = person.rpartition("-")[2]
        login = login_of(person, member.code)
        password = "-".join(secrets.token_hex(3) for _ in range(3))
        name = f"{person.replace('_', ' ').replace('-', ' ').capitalize()}, {member.name}"
        console(
            app,
            *("accounts", "create", member.code, login, "--name", name),
            *("--role", role, "--password-stdin"),
            stdin=password + "\n",
        )
        yield SignIn(member.name, role, login, password)


def publish(app: Flask) -> None:
    """Put the policies of the demonstration in force."""
    for member in MEMBERS:
        policy = ROOT / "policies" / "demo" / f"{member.code}.cedar"
        console(app, "policies", "publish", member.code, str(policy))


def tokens(app: Flask) -> dict[str, str]:
    """One API token for each desk."""
    made = {}
    for name, desk in DESKS.items():
        login = login_of(desk.person, desk.organisation)
        options = [part for scope in desk.scopes for part in ("--scope", scope)]
        result = console(app, "tokens", "create", login, *options, "--days", "30")
        made[name] = result.stdout.strip()
    return made


def console(app: Flask, *args: str, stdin: str | None = None) -> Result:
    """Run `flask ...` as the administrator would; ClickException when it fails."""
    result = app.test_cli_runner().invoke(args=list(args), input=stdin)
    if result.exit_code:
        raise click.ClickException(f"flask {' '.join(args[:3])}: {result.output}")
    return result


def login_of(person: str, code: str) -> str:
    """The sign-in name of a person of the organisation with this code."""
    return f"{person.replace('_', '-')}@{code}.example"


def person(session: Session, organisation: str, role: Role) -> Caller:
    """The person of a member who has this role."""
    row, _code = find_account(session, login_of(role.value, organisation))
    belongs_to = session.get_one(Organisation, row.organisation_id)
    return caller_of(row, belongs_to, [role], Means.SESSION)
