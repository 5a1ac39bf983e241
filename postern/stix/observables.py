"""What an observable of others is to us: the columns of a row, by its type and its properties.

Types that STIX does not have are those of OpenCTI, and `x-postal-address` for what neither has.
"""

import re
from collections.abc import Mapping

Row = dict[str, str]
"""Columns as `postern.rows.read_row` takes them, of a party of no known role."""

POSTAL = ("name", "street", "street_2", "house_number", "box", "postcode", "city", "country")

_VALUES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "email-addr": (("value",), "email"),
    "phone-number": (("value",), "phone"),
    "x-phone-number": (("value",), "phone"),
    "tracking-number": (("value",), "item_id"),
    "cryptocurrency-wallet": (("value", "address"), "payment"),
    "x-cryptocurrency-wallet": (("value", "address"), "payment"),
    "bank-account": (("iban",), "payment"),
    "x-pgp-key": (("fingerprint", "value"), "pgp"),
}
"""Type -> properties that may hold the value, and the column that it becomes."""

_ADDRESS_TYPES = frozenset({"x-postal-address", "postal-address"})
_ACCOUNT_NAMES = ("account_login", "display_name", "user_id")
_DARK = "darknet"
_MARKET = "market"
_GENERIC = frozenset({"darknet", "market", "darknet-market", "dark-market", "darkmarket"})

PSEUDONYM = re.compile(r"[a-z_]+[0-9]+(?:\.[0-9a-z]+)?\.[A-Za-z0-9_-]{20,}", re.ASCII)
"""Tokens and references of ours, and what others write in the same way."""

IS_PSEUDONYM = "It holds a pseudonym, which nobody can submit."
NOT_A_MARKET = "It is an account elsewhere than on a darknet market."
NO_VALUE = "It names no value that can be compared."
OTHER_TYPE = "Things of this type are no indicators of drugs by post."
BY_HAND = "If it matters, submit what it says by hand: postern submit."


def row_of(type_: str, said: Mapping[str, str]) -> Row | str:
    """The columns for a thing with these properties, or why there are none."""
    if type_ in _VALUES:
        names, column = _VALUES[type_]
        text = next((said[name] for name in names if said.get(name)), None)
        return {column: text} if text else NO_VALUE
    if type_ in _ADDRESS_TYPES:
        found = {name: said[name] for name in POSTAL if said.get(name)}
        return found if "street" in found else NO_VALUE
    if type_ == "user-account":
        return _account(said)
    return OTHER_TYPE


def _account(said: Mapping[str, str]) -> Row | str:
    """The handle of a vendor, if the account is one on a market."""
    name = next((said[each] for each in _ACCOUNT_NAMES if said.get(each)), None)
    if name is None:
        return NO_VALUE
    if PSEUDONYM.fullmatch(name):
        return IS_PSEUDONYM
    market = said.get("account_type", "").lower()
    if _DARK not in market and _MARKET not in market:
        return NOT_A_MARKET
    row = {"vendor_handle": name}
    if market not in _GENERIC:
        row["vendor_market"] = market
    return row
