"""Who am I, and which API tokens act for me."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.access import Means
from app.accounts import service, tokens
from app.accounts.authentication import signed_in
from app.accounts.schemas import (
    MadeTokenSchema,
    MeSchema,
    NewTokenSchema,
    RotationSchema,
    TokensSchema,
)
from app.accounts.token_bounds import read_bounds
from app.audit.guard import audited, caller, transaction

blueprint = Blueprint(
    "account",
    __name__,
    url_prefix="/api/v1",
    description="Your own account and the API tokens that act for you.",
)


@blueprint.get("/me")
@audited("interface.read", any_scope=True)
@blueprint.response(200, MeSchema)
def read_me() -> dict[str, Any]:
    """Read who you are

    Organisation, roles, and the scopes and end of the API token that asks. Any token may.
    """
    asking, proof = caller(), signed_in()
    by_token = proof is not None and asking.means is Means.TOKEN
    return {
        "person": asking.person,
        "organisation": service.read_membership(transaction(), asking),
        "roles": sorted(asking.roles),
        "scopes": None if asking.scopes is None else sorted(asking.scopes),
        "expires_at": proof.expires_at if proof is not None and by_token else None,
    }


@blueprint.get("/tokens")
@audited("token.list")
@blueprint.response(200, TokensSchema)
def list_tokens() -> dict[str, Any]:
    """List your API tokens

    Only from a web session: a token cannot see the others.
    """
    return {"tokens": tokens.list_own_tokens(transaction(), caller())}


@blueprint.post("/tokens")
@audited("token.create")
@blueprint.arguments(NewTokenSchema)
@blueprint.response(201, MadeTokenSchema)
def create_token(asked: dict[str, Any]) -> dict[str, Any]:
    """Make an API token

    Only from a web session: a token cannot make another. The text of the token is in this answer
    and never shown again.
    """
    bounds = read_bounds(
        asked["networks"],
        asked["certificate"],
        certificate_suffices=asked["certificate_suffices"],
    )
    made = tokens.create_own_token(
        transaction(), caller(), scopes=asked["scopes"], days=asked["days"], bounds=bounds
    )
    return _with_text(made)


@blueprint.post("/tokens/<uuid:token>/rotate")
@audited("token.rotate")
@blueprint.arguments(RotationSchema)
@blueprint.response(200, MadeTokenSchema)
def rotate_token(asked: dict[str, Any], token: UUID) -> dict[str, Any]:
    """Give one of your API tokens a new secret

    Scopes, bounds and end stay. The former secret opens the token for the overlap and dies then;
    one that was former before dies at once. Only from a web session.
    """
    made = tokens.rotate_own_token(
        transaction(), caller(), token, overlap_hours=asked["overlap_hours"]
    )
    return _with_text(made)


@blueprint.delete("/tokens/<uuid:token>")
@audited("token.revoke")
@blueprint.response(204)
def revoke_token(token: UUID) -> None:
    """Revoke one of your API tokens

    It is refused from the next request on. Only from a web session; safe to repeat.
    """
    tokens.revoke_own_token(transaction(), caller(), token)


def _with_text(made: tokens.NewToken) -> dict[str, Any]:
    names = MadeTokenSchema().fields
    return {
        "token": made.text,
        **{name: getattr(made.token, name) for name in names if name != "token"},
    }
