"""Keys of members for tests, and envelopes sealed with them as programs on premises seal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.organisations import keys as published_keys
from postern.envelope import Context, Resealing
from postern.hpke import PublicKey, SecretKey
from postern.organisation_keys import OrganisationKeys, new_keys, rotated
from postern.pseudonym import TOKEN_SIZE
from postern.seal import seal
from postern.signing_identity import SigningIdentity
from tests.app.exchange import Exchange, b64

NO_TOKEN = bytes(TOKEN_SIZE)
LONG_AGO = timedelta(days=400)


def member_keys(
    code: str, *, rotations: int = 0, begins: datetime | None = None
) -> OrganisationKeys:
    """Fresh keys of an organisation, the first ones valid for 400 days or from `begins` on."""
    at = begins or datetime.now(UTC) - LONG_AGO
    keys = new_keys(code, SecretKey.new().public, at)
    for number in range(rotations):
        keys = rotated(keys, at + timedelta(days=number + 1))
    return keys


def publish(exchange: Exchange, keys: OrganisationKeys) -> OrganisationKeys:
    """Publish the keys as their organisation; gives them back."""
    caller = exchange.caller(keys.entry.organisation)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        published_keys.publish(session, caller, wire(keys))
    return keys


def wire(keys: OrganisationKeys) -> list[dict[str, object]]:
    """The chain as it is sent."""
    return [each.on_wire() for each in keys.chain]


def sealed(
    keys: OrganisationKeys,
    context: Context,
    content: bytes = b"clear",
    *,
    to: Sequence[PublicKey] | None = None,
    by: SigningIdentity | None = None,
) -> bytes:
    """An envelope by the keys' owner to its own present keys, unless told otherwise."""
    return seal(content, context, to or keys.entry.recipients, by or keys.identity)


def context_of(  # noqa: PLR0917 - the fields of a context in their order
    owner: str,
    kind: str,
    epoch: int,
    token: bytes,
    record: str,
    part: str,
    resealing: Resealing | None = None,
) -> Context:
    """The context in its order."""
    return Context(owner, kind, epoch, token, record, part, resealing)


def text(raw: bytes) -> str:
    """An envelope as it stands in JSON."""
    return b64(raw)
