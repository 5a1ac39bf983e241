"""Commands of the platform's administrator: `flask --app wsgi accounts|tokens ...`."""

import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click

from app.access import CONSOLE
from app.accounts import factor_resets, service
from app.accounts import passwords as rule
from app.accounts import tokens as api_tokens
from app.accounts.records import Account, in_order
from app.accounts.token_bounds import read_bounds
from app.accounts.tokens import Token
from app.console import RoomCommands, as_json, show
from app.runtime import runtime
from postern.vocabulary import Role, Scope

commands = RoomCommands("accounts", help="People, their roles and passwords.")
tokens = RoomCommands("tokens", help="API tokens of all people.")

_ROLES = click.Choice([role.value for role in Role])
_SCOPES = click.Choice([scope.value for scope in Scope])


@commands.command()
@click.argument("organisation")
@click.argument("login")
@click.option("--name", required=True, help="Name of the person, or of the post they hold.")
@click.option("--role", "roles", multiple=True, required=True, type=_ROLES, help="May be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(
    organisation: str, login: str, name: str, roles: Sequence[str], *, password_stdin: bool
) -> None:
    """Give the person LOGIN of ORGANISATION an account.

    Without --password-stdin a password is made and printed once.
    """
    password, secret = _new_password(login, from_stdin=password_stdin)
    with runtime().database.transaction() as session:
        made = service.create(
            session,
            CONSOLE,
            organisation=organisation,
            login=login,
            name=name,
            roles=[Role(role) for role in roles],
            secret=secret,
        )
    click.echo(f"Account {made.login} of {organisation} created: {', '.join(made.roles)}")
    _tell_password(password, from_stdin=password_stdin)


@commands.command(name="list")
@click.option("--organisation", help="Only those of the organisation with this code.")
@as_json
def list_command(organisation: str | None, in_json: bool) -> None:
    """List the accounts with their names; this is written to the log."""
    with runtime().database.transaction() as session:
        found = service.list_accounts(session, CONSOLE, organisation)
    show([_account_row(account) for account in found], in_json=in_json, empty="No account yet.")


@commands.command()
@click.argument("login")
@click.option("--grant", multiple=True, type=_ROLES, help="Grant this role; may be repeated.")
@click.option("--withdraw", multiple=True, type=_ROLES, help="Withdraw it; may be repeated.")
def roles(login: str, grant: Sequence[str], withdraw: Sequence[str]) -> None:
    """Grant roles to LOGIN and withdraw them; at once, for living tokens too."""
    if not grant and not withdraw:
        raise click.UsageError("Say --grant ROLE or --withdraw ROLE.")
    with runtime().database.transaction() as session:
        held = service.set_roles(
            session,
            CONSOLE,
            login,
            grant=[Role(role) for role in grant],
            withdraw=[Role(role) for role in withdraw],
        )
    click.echo(f"Roles now: {', '.join(in_order(held)) or 'none'}")


@commands.command()
@click.argument("login")
def close(login: str) -> None:
    """Close the account of LOGIN for good: sessions end, tokens are revoked."""
    with runtime().database.transaction() as session:
        service.close(session, CONSOLE, login)
    click.echo("The account is closed.")


@commands.command()
@click.argument("login")
def unlock(login: str) -> None:
    """Let LOGIN try again at once after too many wrong passwords."""
    with runtime().database.transaction() as session:
        service.unlock(session, CONSOLE, login)
    click.echo("The account is unlocked.")


@commands.command("reset-factors")
@click.argument("login")
def reset_factors(login: str) -> None:
    """Remove the second factors of LOGIN, whose organisation has nobody to agree; sessions end."""
    with runtime().database.transaction() as session:
        gone = factor_resets.force(session, CONSOLE, login)
    click.echo(f"Second factors removed: {gone}. The password alone signs the person in now.")


@commands.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def password(login: str, *, password_stdin: bool) -> None:
    """Replace the password of LOGIN; their sessions end.

    Without --password-stdin a password is made and printed once.
    """
    text, secret = _new_password(login, from_stdin=password_stdin)
    with runtime().database.transaction() as session:
        service.reset_password(session, CONSOLE, login, secret)
    click.echo("The password is replaced.")
    _tell_password(text, from_stdin=password_stdin)


@tokens.command(name="create")
@click.argument("login")
@click.option("--scope", "scopes", multiple=True, required=True, type=_SCOPES, help="Repeatable.")
@click.option("--days", type=int, default=90, show_default=True, help="For how long.")
@click.option("--network", "networks", multiple=True, help="From which alone, CIDR; repeatable.")
@click.option("--certificate", default="", help="SHA-256 of the TLS client certificate it needs.")
@click.option("--certificate-suffices", is_flag=True, help="The certificate opens it by itself.")
def create_token(
    login: str,
    scopes: Sequence[str],
    days: int,
    networks: Sequence[str],
    certificate: str,
    *,
    certificate_suffices: bool,
) -> None:
    """Make an API token for LOGIN and print it, and nothing else, on standard output."""
    bounds = read_bounds(networks, certificate, certificate_suffices=certificate_suffices)
    with runtime().database.transaction() as session:
        made = api_tokens.create_token(
            session,
            CONSOLE,
            login,
            scopes=[Scope(scope) for scope in scopes],
            days=days,
            bounds=bounds,
        )
    click.echo(made.text)
    click.echo(
        f"Token {made.token.id} ends on {made.token.expires_at:%Y-%m-%d}. "
        "It is shown only now: keep it like a password.",
        err=True,
    )


@tokens.command()
@click.argument("token", type=click.UUID)
@click.option("--overlap-hours", type=int, default=24, show_default=True, help="Of both secrets.")
def rotate(token: UUID, overlap_hours: int) -> None:
    """Give the API token with the id TOKEN a new secret and print it, and nothing else."""
    with runtime().database.transaction() as session:
        made = api_tokens.rotate_token(session, CONSOLE, token, overlap_hours=overlap_hours)
    click.echo(made.text)


@tokens.command(name="list")
@click.option("--unused", is_flag=True, help="Only living ones that nobody used for long.")
@as_json
def list_tokens(in_json: bool, *, unused: bool) -> None:
    """List the API tokens of all people; this is written to the log."""
    with runtime().database.transaction() as session:
        found = api_tokens.list_tokens(session, CONSOLE)
    rows = [_token_row(token, account) for token, account in found if token.is_unused or not unused]
    show(rows, in_json=in_json, empty="No API token yet.")


@tokens.command()
@click.argument("token", type=click.UUID)
def revoke(token: UUID) -> None:
    """Revoke the API token with the id TOKEN; it is refused from the next request on."""
    with runtime().database.transaction() as session:
        api_tokens.revoke_token(session, CONSOLE, token)
    click.echo("The token is revoked.")


def _new_password(login: str, *, from_stdin: bool) -> tuple[str, str]:
    """The password and its hash, made before any transaction begins."""
    text = sys.stdin.readline().rstrip("\r\n") if from_stdin else rule.generate()
    return text, service.new_secret(login, text)


def _tell_password(text: str, *, from_stdin: bool) -> None:
    if not from_stdin:
        click.echo(f"Password, shown only now: {text}")


def _account_row(account: Account) -> dict[str, Any]:
    return {
        "organisation": account.organisation,
        "login": account.login,
        "name": account.name,
        "roles": account.roles,
        "status": account.status.value,
        "locked_until": account.locked_until,
        "person": account.public_id,
    }


def _token_row(token: Token, account: Account) -> dict[str, Any]:
    return {
        "token": token.id,
        "organisation": account.organisation,
        "login": account.login,
        "scopes": token.scopes,
        "state": token.state,
        "expires_at": token.expires_at,
        "last_used_on": token.last_used_on,
        "last_network": token.last_network,
        "networks": token.networks,
        "certificate": token.certificate,
    }
