"""A manifest for the customs to screen: made-up parcels, a few of them in the way of smugglers.

Some senders are those that the post reported, as somebody else writes them; all other people and
firms are invented.
"""

import csv
import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from app.clock import now
from app.demo.premises import variants

PARCELS = 400  # ordinary ones
_COLUMNS = (
    *("item_id", "posted_on", "origin_country", "destination_country", "service"),
    *("declared_category", "payment", "contents", "pieces", "net_weight_g", "value", "currency"),
    *("postage", "sender_name", "sender_business", "sender_street", "sender_postcode"),
    *("sender_city", "sender_country", "addressee_name", "addressee_street"),
    *("addressee_postcode", "addressee_city", "addressee_country"),
)
_GOODS = (
    *("cotton t shirt", "running shoes", "phone case", "paperback book", "led lamp", "board game"),
    *("wool blanket", "guitar strings", "bicycle brake", "photo album"),
)
_FANNED_OUT = 6  # letters of one posting area
_GIFTS = 5  # to one addressee
_LISTED = 4  # parcels of reported senders

Parcel = Mapping[str, object]


def write(path: Path, rows: int) -> None:
    """A manifest of this week, in an order that betrays nothing; `rows` as for `submit`."""
    chance = random.Random(7)  # noqa: S311 - parcels to look at, not a secret
    parcels = [
        *_ordinary(chance),
        *_fanned_out(),
        *_gifts(),
        *_of_reported_senders(rows),
    ]
    chance.shuffle(parcels)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for number, parcel in enumerate(parcels, 1):
            writer.writerow({"item_id": f"DEMO-{number:04}", "currency": "EUR", **parcel})


def _ordinary(chance: random.Random) -> Iterator[Parcel]:
    for number in range(PARCELS):
        yield {
            "posted_on": _day(chance.randrange(7)),
            "origin_country": "DE",
            "service": "parcel",
            "declared_category": "sale_of_goods",
            "payment": chance.choice(("account", "account", "online")),
            "contents": chance.choice(_GOODS),
            "pieces": 1,
            "net_weight_g": chance.randrange(150, 4_000),
            "value": f"{chance.randrange(900, 9_000) / 100:.2f}",
            "postage": "6.90",
            "sender_name": f"Example Shop {number % 40}",
            "sender_business": f"Example Shop {number % 40}",
            **_place("sender", f"Gewerbering {number % 40 + 1}", "40210", "Duesseldorf", "DE"),
            **_to(f"Customer {number}", f"Voorbeeldlaan {number % 90 + 1}"),
        }


def _fanned_out() -> Iterator[Parcel]:
    """Letters as of documents, from one posting area, paid in cash, each to somebody else."""
    for number in range(_FANNED_OUT):
        yield {
            "posted_on": _day(number % 4),
            "origin_country": "DE",
            "service": "letter",
            "declared_category": "documents",
            "payment": "cash",
            "contents": "documents",
            "pieces": 1,
            "net_weight_g": 180 + 20 * number,
            "value": "0.00",
            "postage": "9.20",
            "sender_name": f"Sender {number}",
            **_place("sender", f"Musterweg {number + 3}", "47051", "Duisburg", "DE"),
            **_to(f"Reader {number}", f"Leesplein {number + 1}"),
        }


def _gifts() -> Iterator[Parcel]:
    """Gifts of several people to one."""
    for number in range(_GIFTS):
        yield {
            **_gift(number),
            "contents": "toys and sweets",
            "value": "30.00",
            "postage": "14.50",
            "origin_country": "ES",
            "sender_name": f"Friend {number}",
            **_place("sender", f"Calle Ejemplo {number + 1}", f"280{number + 10}", "Madrid", "ES"),
            **_to("Addressee of Gifts", "Verrassingsweg 1"),
        }


def _of_reported_senders(rows: int) -> Iterator[Parcel]:
    """Cheap gifts with dear postage of people whom the post reported, spelled another way."""
    for number, (party, _submitted) in enumerate(variants(rows)[:_LISTED]):
        country = party["cc"].upper()
        yield {
            **_gift(number),
            "contents": "gift",
            "value": "5.00",
            "postage": "38.00",
            "origin_country": country,
            "sender_name": party["name"],
            **_place("sender", party["line"], party["postcode"], party["city"], country),
            **_to(f"Recipient {number}", f"Dorpsstraat {number + 1}"),
        }


def _gift(number: int) -> Parcel:
    return {
        "posted_on": _day(number % 3),
        "service": "express",
        "declared_category": "gift",
        "payment": "cash",
        "pieces": 1,
        "net_weight_g": 450 + 30 * number,
    }


def _to(name: str, street: str) -> Parcel:
    return {
        "destination_country": "NL",
        "addressee_name": name,
        **_place("addressee", street, "3511 AB", "Utrecht", "NL"),
    }


def _place(whose: str, street: str, postcode: str, city: str, country: str) -> Parcel:
    return {
        f"{whose}_street": street,
        f"{whose}_postcode": postcode,
        f"{whose}_city": city,
        f"{whose}_country": country,
    }


def _day(ago: int) -> date:
    return now().date() - timedelta(days=ago)
