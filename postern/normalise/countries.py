"""Country codes."""

from postern.normalise.folding import alphanumeric
from postern.normalise.tables import table
from postern.normalise.values import Flag

_COUNTRIES = table("countries")
ISO = frozenset(_COUNTRIES["iso"])
"""Every code of ISO 3166-1 alpha-2, in lower case."""


def country_code(text: str) -> tuple[str, list[Flag]]:
    """The ISO 3166-1 alpha-2 code in lower case, or "" when it is empty or unknown (flagged)."""
    plain = alphanumeric(text)
    code: str = _COUNTRIES["alias"].get(plain, plain)
    if not code:
        return "", []
    if code not in ISO:
        return "", [Flag.UNKNOWN_COUNTRY]
    return code, []
