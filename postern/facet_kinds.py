"""The register of facets: their numbers, their kinds, and what each compares in plain words."""

from collections.abc import Mapping

MAX_POSTAL_FACETS = 16

POSTAL_FACETS: Mapping[int, str] = {
    2: "E4*S4",
    1: "EK*P",
    8: "NK*P3",
    7: "TI*C3*H",
    3: "P*H",
    4: "SK*H",
    6: "NI*R3",
    5: "S4*HS*CT",
    12: "NK*HT",
    9: "NS*P*HT",
    13: "BT*P",
    10: "R3*P*HT",
    11: "T3*P*HT",
}
"""Number -> kind of the facets of parties and addresses, in the order in which they are made.

A name of two words and a street give sixteen tokens; with a second street the last kinds fall away.
"""

OTHER_FACETS: Mapping[int, str] = {
    20: "PHONE",
    21: "PGP",
    22: "EMAIL",
    23: "PAYMENT",
    24: "ITEM",
    25: "ITEM*BATCH",  # S10 without the last three digits of its serial and the check digit
    26: "VENDOR*MARKET",
    27: "VENDOR",
    28: "VENDOR*STRIPPED",
    29: "VENDOR*SOUND",
    30: "POINT",
}

FACETS: Mapping[int, str] = {**POSTAL_FACETS, **OTHER_FACETS}
"""Every facet number ever used, with its kind. Numbers are stored: they are never reused."""

NUMBERS: Mapping[str, int] = {kind: number for number, kind in FACETS.items()}

NAME_ATOMS = frozenset({"EK", "E4", "NI", "NS", "NK", "TI", "BT"})

NAME_FACETS = frozenset(
    number for number, kind in POSTAL_FACETS.items() if not NAME_ATOMS.isdisjoint(kind.split("*"))
)
"""The facets that need a name; a party without one, and an address, have none of them."""

FACET_WORDS: Mapping[str, str] = {
    "EK*P": "a word of the name (by its sound) and the postcode",
    "E4*S4": "the beginning of a word of the name and of the street",
    "P*H": "the postcode and the house number",
    "SK*H": "the street (by its sound) and the house number",
    "R3*P*HT": "the beginning of the street, the postcode and the digits of the house number",
    "S4*HS*CT": "the beginning of the street, the house number with suffix and the end of the city",
    "T3*P*HT": "the end of the street, the postcode and the digits of the house number",
    "NI*R3": "the initials and the beginning of the street",
    "TI*C3*H": "the end of a word of the name, the other initial, the city and the house number",
    "NK*P3": "the whole name (by its sound) and the beginning of the postcode",
    "NS*P*HT": "the initials (by their sound), the postcode and the digits of the house number",
    "NK*HT": "the whole name (by its sound) and the digits of the house number",
    "BT*P": "the ends of both words of the name and the postcode",
    "PHONE": "the telephone number",
    "PGP": "the fingerprint of the key",
    "EMAIL": "the e-mail address",
    "PAYMENT": "the wallet or account",
    "ITEM": "the identifier of the item",
    "ITEM*BATCH": "the batch of the identifier (all but its last three digits)",
    "VENDOR*MARKET": "the handle on the same market",
    "VENDOR": "the handle",
    "VENDOR*STRIPPED": "the handle without its additions",
    "VENDOR*SOUND": "the sound of the handle",
    "POINT": "the induction point",
}
"""What each kind of facet compares."""
