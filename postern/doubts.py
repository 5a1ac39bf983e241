"""Flags in plain words: what is doubtful about a row that is sent all the same."""

from postern.normalise import FLAG_WORDS, Flag

_AMOUNTS = {
    "weight_without_unit": "no unit is known for the weight (--weight-unit); no band was sent",
    "weight_unit_unknown": "the unit of the weight is neither g nor kg; no band was sent",
    "weight_unreadable": "the weight is not a number; no band was sent",
    "value_without_currency": "no currency is known for the value (--currency); no band was sent",
    "value_not_in_euro": "the value is not in euro; no band was sent",
    "value_unreadable": "the value is not a number; no band was sent",
    "hs_unreadable": "the HS code is not one; no chapter was sent",
}
_TOO_LITTLE = "_holds_too_little"
_UNKNOWN = "_unknown"


def words_of(flag: str) -> str:
    """One plain clause for a flag of the normaliser or of a shipment field."""
    if flag in set(Flag):
        return FLAG_WORDS[Flag(flag)]
    if flag in _AMOUNTS:
        return _AMOUNTS[flag]
    if flag.endswith(_TOO_LITTLE):
        column = flag.removesuffix(_TOO_LITTLE)
        return f"{column} alone holds too little to be compared; it was not sent"
    return f"the word in {flag.removesuffix(_UNKNOWN)} is not known; it was not sent"
