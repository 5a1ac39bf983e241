"""The frozen cases of normaliser version 1: `python -m bench.matching_vectors` writes them.

Every port of the rules, JavaScript's above all, must give exactly these forms and facets. A change
of a rule that changes a case needs a new NORMALISER_VERSION, because stored tokens are of the old.
"""

import json
import sys
from dataclasses import asdict
from typing import Any

from bench.matching_sets import OPEN_PART, read_addresses
from postern.facets import facets
from postern.normalise import (
    NORMALISER_VERSION,
    Address,
    Email,
    InductionPoint,
    Item,
    Party,
    Payment,
    Pgp,
    Phone,
    Value,
    Vendor,
    normalise,
)

CASES = OPEN_PART.with_name(f"normaliser-{NORMALISER_VERSION}.json")

_EVERY = 9  # of the committed addresses: enough for each rule, small enough to read
_BY_HAND: tuple[Value, ...] = (
    Party("Mme Sophie VAN DAMME", ("R. de la Loi, 16 bte 3",), "B-1040", "Brussel"),
    Party("Sophie Vandamme", ("Wetstraat 16",), "1040", "Bruxelles", "BE"),
    Party(
        "M. Y. Haddad", ("c/o Peeters", "Résidence Parc", "88a boîte 7 Kerkstraat"), "9000", "Gand"
    ),
    Party("Hans-ePter Th0mas", ("Straße des 17. Juni 135",), "D-10623", "Berl1n", "DE"),
    Party("Łukasz Ćwik", ("ul. 3 Maja 5/12",), "00-950", "Łódź", "pl"),
    Party("Αθηνά Παπαδοπούλου", ("Οδός Ερμού 12",), "105 63", "Αθήνα", "EL"),
    Party("中山 Москва", ("Тверская улица 7",), "125009", "Москва", "RU"),
    Party("Acme Trading BV", ("Z.I. Nord", "4 r de la Paix"), "L-1234", "Lëtzebuerg", "LU"),
    Address(("Postfach 1234",), "8001", "Zürich", "CH"),
    Address(("Straße 614 5",), "13127", "Berlin", "DE"),
    Address(("12-14 b4, Gartenxtraße",), "", "B-9000 Gent"),
    InductionPoint("Post A", "Box-12", "BE"),
    Vendor("Archetyp Market", "Dr_Gr33nL4bs-NL"),
    Vendor("", "\u0410cm\u04352024"),
    Pgp("0x" + "0123 4567 89ab cdef " * 2 + "01234567"),
    Phone("+32 (0)475 12 34 56"),
    Phone("06 1 234 5678", "HU"),
    Phone("0475 12 34 56"),
    Email(" mailto:Jan.Peeters+x@Exämple.BE. "),
    Payment("BTC", "bitcoin:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4?amount=1"),
    Payment("auto", "be68 5390 0754 7034"),
    Item("auto", " r b 1 2 3 4 5 6 7 8 5 c f "),
    Item("auto", "1Z5R89390357567127"),
    Item("auto", "(00) 340434161094021501"),
)


def main() -> int:
    """Writes the cases."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases())
    CASES.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return 0


def cases() -> list[dict[str, Any]]:
    """Each: the kind, the value as given, the canonical form, the flags, the facets' texts."""
    rows = read_addresses(OPEN_PART).persons
    values = [row.value for row in (*rows.queries, *rows.records)][::_EVERY]
    return [_case(value) for value in (*_BY_HAND, *values)]


def _case(value: Value) -> dict[str, Any]:
    normalised = normalise(value)
    case = {
        "kind": normalised.kind.value,
        "value": asdict(value),
        "form": asdict(normalised.form),
        "flags": [flag.value for flag in normalised.flags],
        "facets": [facet.text for facet in facets(normalised)],
    }
    # As JSON reads it back: tuples are lists.
    read: dict[str, Any] = json.loads(json.dumps(case))
    return read


if __name__ == "__main__":
    sys.exit(main())
