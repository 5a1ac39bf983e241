"""The exchange in which bench.jobs works: a post that shares, and police who look for it."""

from typing import Any

from app.access import CONSOLE, Caller
from app.indicators import service as indicators
from app.sharing import service as sharing
from bench.browser import PASSWORD, Served
from bench.stage import database_of, member
from postern import group, normalise, pseudonym, voprf
from postern.base64url import to_base64url
from postern.facets import evaluation_input, facets
from postern.vocabulary import EVALUATION_KIND, Sector

POST, POLICE = "post-be", "police-de"
HELD = normalise.Party("Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles", "BE")
_ONE = (1).to_bytes(32, "little")

_POLICY = """
@id("bench/police") @label("Police see what we reported, and may ask for it")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""


def furnish(here: Served) -> None:
    """Both members, each with one person who holds every role, a policy and one report."""
    from app.accounts import service as accounts  # noqa: PLC0415 - needs the application below

    with here.app.app_context():
        secret = accounts.new_secret("analyst@post.example", PASSWORD)
    post = member(here.app, POST, Sector.POST, "BE", secret=secret)
    member(here.app, POLICE, Sector.POLICE, "DE", secret=secret)
    with here.app.app_context(), database_of(here.app).transaction() as session:
        sharing.publish(session, CONSOLE, POST, _POLICY)
    _submit(here, post)


def _submit(here: Served, post: Caller) -> None:
    raw: dict[str, Any] = {
        "kind": "party",
        "role": "sender",
        "epoch": 1,
        "elements": _elements(here.app.extensions["postern"].secrets.evaluation),
        "learned": "outside_of_item",
        "legal_basis": "postal_law",
    }
    with here.app.app_context(), database_of(here.app).transaction() as session:
        indicators.submit(session, post, [{"client_key": "1", "indicators": [raw]}])


def _elements(seed: bytes) -> list[dict[str, Any]]:
    """Of HELD, with the platform's own key and without the detour of blinding."""
    normalised = normalise.normalise(HELD)
    kind = EVALUATION_KIND[normalised.kind]
    secret, _ = pseudonym.derive_epoch_key(seed, kind, 1)
    return [
        {
            "facet": facet.number,
            "element": to_base64url(
                group.mul(secret, voprf.blind(evaluation_input(facet, kind), r=_ONE)[1])
            ),
        }
        for facet in facets(normalised)
    ]
