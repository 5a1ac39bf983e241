"""From a value as people write it to one canonical form, by rules that are data.

The rules (`tables/*.json`) and their version are shared with the JavaScript of the platform's
pages: the same value must give the same form on both sides, or nothing matches.
"""

from collections.abc import Callable
from typing import Any

from postern.normalise.contacts import normalise_email, normalise_pgp, normalise_phone
from postern.normalise.errors import NormalisationError
from postern.normalise.handles import normalise_induction_point, normalise_vendor
from postern.normalise.items import normalise_item
from postern.normalise.payments import normalise_payment
from postern.normalise.postal import normalise_address, normalise_party
from postern.normalise.values import (
    FLAG_WORDS,
    Address,
    Email,
    Flag,
    Form,
    HandleForm,
    InductionPoint,
    Item,
    Normalised,
    Party,
    Payment,
    Pgp,
    Phone,
    PostalForm,
    SchemeForm,
    TextForm,
    Value,
    Vendor,
)

NORMALISER_VERSION = "1"
"""Goes into every evaluated input: values under different versions never match."""

_NORMALISERS: dict[type[Any], Callable[[Any], Normalised]] = {
    Party: normalise_party,
    Address: normalise_address,
    InductionPoint: normalise_induction_point,
    Vendor: normalise_vendor,
    Pgp: normalise_pgp,
    Phone: normalise_phone,
    Email: normalise_email,
    Payment: normalise_payment,
    Item: normalise_item,
}


def normalise(value: Value) -> Normalised:
    """The canonical form of any value, with its kind and what is doubtful about it.

    Raises NormalisationError when nothing usable stands in a field.
    """
    return _NORMALISERS[type(value)](value)


__all__ = [
    "FLAG_WORDS",
    "NORMALISER_VERSION",
    "Address",
    "Email",
    "Flag",
    "Form",
    "HandleForm",
    "InductionPoint",
    "Item",
    "NormalisationError",
    "Normalised",
    "Party",
    "Payment",
    "Pgp",
    "Phone",
    "PostalForm",
    "SchemeForm",
    "TextForm",
    "Value",
    "Vendor",
    "normalise",
]
