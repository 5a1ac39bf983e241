"""Texts as people paste them, and what they are recognised as.

`python -m tests.postern.recognised_cases` writes tests/data/recognised-1.json, which holds Python
and the modules of the pages to the same answers.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from postern.normalise import Value
from postern.recognise import read_as, recognise
from postern.vocabulary import Kind

CASES = Path(__file__).parent.parent / "data" / "recognised-1.json"

_TEXTS = (
    # addresses, with and without a name
    "16 rue de la Loi, 1040 Bruxelles",
    "  16  rue de la Loi ,\t1040   Bruxelles  ",
    "16 rue de la Loi 1040 Bruxelles",
    "Rue de la Loi 16 bte 3, B-1040 Brussel, Belgium",
    "rue de la Loi, 16, 1040 Bruxelles",
    "Sophie Van Damme, 16 rue de la Loi, 1040 Bruxelles",
    "Sophie Van Damme\n16 rue de la Loi\n1040 Bruxelles\nBelgique",
    "Sophie Van Damme\r\n\r\n16 rue de la Loi\u2028B-1040 Bruxelles",
    "Mme Sophie VAN DAMME; R. de la Loi, 16 bte 3; B-1040; Brussel",
    "Jan de Vries | Keizersgracht 101 | 1015 AB Amsterdam | NL",
    "Keizersgracht 101 1015 AB Amsterdam",
    "Firm 2000 BV, Kerkstraat 5, 9000 Gent",
    "Kasteel Ter Hulpe, Kerkstraat 5, 9000 Gent",
    "Müller GmbH, Straße des 17. Juni 135, 10623 Berlin",
    "Anna Müller, Packstation 123, 10623 Berlin",
    "10 Downing Street, London SW1A 2AA",
    "350 Fifth Avenue, New York, NY 10118, USA",
    "Kerkstraat 5",
    "Kerkstraat 5, Gent",
    "Rue de la Loi, Bruxelles",
    "Sophie Van Damme, Bruxelles",
    "Иван Петров, улица Ленина 5, 101000 Москва",
    "5, 1040",
    # handles
    "CandyShop @ Dream",
    "Candy Shop @ Dream Market",
    "candyshop@dream",
    "candyshop@abcdefghij.onion",
    "@candyshop",
    "candyshop",
    "c4ndy_sh0p!",
    "Candy Shop",
    "Sophie Van Damme",
    "@",
    "a @ b @ c",
    # e-mail
    "a.person@mail.example",
    "mailto:a.person@mail.example",
    "A.Person+x@MAIL.example.",
    "a person@mail.example",
    # telephone
    "+32 475 12 34 56",
    "tel:+32475123456",
    "0032 475 12 34 56",
    "+32 (0)475 12.34.56",
    "0475 12 34 56",
    "0475/12.34.56 ext 12",
    "+999 12",
    "+32 47",
    "12345678",
    "(212) 555-0100",
    # wallets and accounts
    "BE68 5390 0754 7034",
    "BE68539007547034",
    "be68-5390-0754-7034",
    "BE68 5390 0754 7035",
    "ZZ68 5390 0754 7034",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ",
    "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=0.1",
    "dogecoin:DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "4" + "A1b2C3d4E5" * 9 + "F6g7",
    "https://market.example/item/5",
    # items
    "RB123456785GB",
    "RB 123 456 785 GB",
    "rb123456784gb",
    "1Z999AA10123456784",
    "1Z 999 AA1 01 2345 6785",
    "(00)340123450000000000",
    "340123450000000000",
    "JD014600006281230704",
    "3SABCD1234567",
    "123456789012345678901234",
    # fingerprints
    "ABCD EF01 2345 6789 ABCD  EF01 2345 6789 ABCD EF01",
    "abcdef0123456789abcdef0123456789abcdef01",
    "0xABCDEF0123456789ABCDEF0123456789ABCDEF01",
    "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01",
    "openpgp4fpr:ABCDEF0123456789ABCDEF0123456789ABCDEF01",
    "0123456789abcdef" * 4,
    "ABCDEF0123456789",
    # nothing
    "",
    " \n\t ",
    "???",
    "x",
    "\u200b\ufeff",
    "a" * 1001,
)

_WITH_COUNTRY = (
    ("0475 12 34 56", "BE"),
    ("0475 12 34 5", "BE"),
    ("06 12345678", "NL"),
    ("475123456", "BE"),
    ("16 rue de la Loi, 1040 Bruxelles", "BE"),
    ("16 rue de la Loi, 1040 Bruxelles, France", "BE"),
    ("16 rue de la Loi, 1040 Bruxelles", "DE"),
    ("Jan de Vries, Keizersgracht 101, 1015 AB Amsterdam", "BE"),
    ("Jan de Vries, Keizersgracht 101, Amsterdam", "BE"),
)

_AS = (
    ("party", "Sophie Van Damme", ""),
    ("party", "16 rue de la Loi, 1040 Bruxelles", ""),
    ("party", "Firm 2000 BV, Kerkstraat 5, 9000 Gent", "BE"),
    ("address", "Sophie Van Damme, 16 rue de la Loi, 1040 Bruxelles", "BE"),
    ("vendor", "Candy Shop @ Dream", ""),
    ("vendor", "@candy", ""),
    ("vendor", "candy", ""),
    ("induction_point", "bpost, BRU-1, BE", ""),
    ("induction_point", "bpost BRU 1", "BE"),
    ("induction_point", "bpost / BRU-1 / BE / more, of it", "NL"),
    ("induction_point", "bpost", "BE"),
    ("pgp", "OPENPGP4FPR:ABCD", ""),
    ("phone", "TEL:0475 12 34 56", "BE"),
    ("email", "a person@mail.example", ""),
    ("payment", "xmr:4abc", ""),
    ("payment", "what:4abc", ""),
    ("item", " RB 123 ", ""),
)


def cases() -> dict[str, list[dict[str, Any]]]:
    """What is recognised, and what a text becomes as a kind that a person names."""
    return {
        "recognised": [
            {"text": text, "country": country, "found": recognised(text, country)}
            for text, country in (*((text, "") for text in _TEXTS), *_WITH_COUNTRY)
        ],
        "as": [
            {
                "kind": kind,
                "text": text,
                "country": country,
                "value": written(read_as(Kind(kind), text, country)),
            }
            for kind, text, country in _AS
        ],
    }


def recognised(text: str, country: str) -> list[dict[str, Any]]:
    """As the pages' modules answer."""
    return [
        {
            "kind": each.kind.value,
            "value": written(each.value),
            "certainty": each.certainty.value,
            "why": each.why.value,
        }
        for each in recognise(text, country)
    ]


def written(value: Value) -> Mapping[str, Any]:
    """A value as JSON holds it."""
    return {
        name: list(each) if isinstance(each, tuple) else each
        for name, each in asdict(value).items()
    }


if __name__ == "__main__":
    CASES.write_text(json.dumps(cases(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
