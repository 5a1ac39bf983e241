"""How a program is connected to a collection: what to enter where, ready to be copied.

No credential stands in it: a person makes a token on their account page and enters it themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.exchange.views import Collection

ROOT = "/taxii2/exchange"
TOKEN = "pst_…"  # noqa: S105 - where the token goes, not one


class Program(StrEnum):
    """What is connected; how to go about it in words stands in app/web/exchange_words.py."""

    POSTERN = "postern"
    OPENCTI = "opencti"
    MISP = "misp"
    TAXII2_CLIENT = "taxii2-client"
    CURL = "curl"


@dataclass(frozen=True)
class Way:
    """The settings of one program, line by line."""

    program: Program
    settings: str


def ways(origin: str, collection: Collection) -> Sequence[Way]:
    """How to connect each program; one's own submissions are sent, what others share is fetched."""
    address = f"{origin}{ROOT}/collections/{collection.id}/"
    own = (Way(Program.POSTERN, "postern exchange push FILE"),)
    shared = (
        Way(Program.POSTERN, f"postern exchange pull {collection.id}"),
        Way(Program.OPENCTI, _opencti(origin, collection)),
        Way(Program.MISP, _misp(origin, collection)),
    )
    return (
        *(own if collection.is_own else shared),
        Way(Program.TAXII2_CLIENT, _taxii2_client(address)),
        Way(Program.CURL, _curl(address)),
    )


def _opencti(origin: str, collection: Collection) -> str:
    return "\n".join(
        (
            f"TAXII server URL   {origin}{ROOT}",
            "TAXII version      TAXII 2.1",
            f"TAXII Collection   {collection.id}",
            "Authentication     Bearer token",
            f"Token              {TOKEN}",
        )
    )


def _misp(origin: str, collection: Collection) -> str:
    return "\n".join(
        (
            "Input Source       Network",
            f"URL                {origin}/misp/{collection.id}",
            "Source Format      MISP Feed",
            f"Headers            Authorization: Bearer {TOKEN}",
        )
    )


def _taxii2_client(address: str) -> str:
    return "\n".join(
        (
            "from taxii2client.v21 import Collection, as_pages",
            f'collection = Collection("{address}",',
            f'                        user="token", password="{TOKEN}")',
            "for page in as_pages(collection.get_objects, per_request=500):",
            '    print(len(page.get("objects", [])))',
        )
    )


def _curl(address: str) -> str:
    return "\n".join(
        (
            f'curl -H "Authorization: Bearer {TOKEN}" \\',
            '  -H "Accept: application/taxii+json;version=2.1" \\',
            f'  "{address}objects/?limit=500"',
        )
    )
