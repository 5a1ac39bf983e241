"""The client's part of the exchange: the key under which this organisation's tokens stand."""

from dataclasses import dataclass

from postern.transport import Transport
from postern.wire import Fields

EXCHANGE_KEY_SIZE = 32  # bytes

_PATH = "/api/v1/exchange/key"


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """The key of an organisation on one platform; with it alone nothing can be computed of a value.

    Who has it and evaluates a value (which costs quota and is logged) can tell which of the objects
    that the organisation received are about that value.
    """

    organisation: str
    key: bytes


def exchange_key(transport: Transport) -> ExchangeKey:
    """The exchange key of the token's organisation; each fetching is logged. Raises ClientError."""
    fields = Fields(transport.get(_PATH).content, "exchange key")
    return ExchangeKey(
        organisation=fields.text("organisation"),
        key=fields.content_bytes("key", EXCHANGE_KEY_SIZE),
    )
