"""What a held-out kind of campaign says; the kinds are in held_out_campaigns.py."""

from dataclasses import dataclass
from enum import StrEnum

BENELUX = ("NL", "BE", "LU", "DE")
OVERSEAS = ("US", "AU", "NZ", "CA")


class Who(StrEnum):
    """How persons, addresses or counters of one campaign are shared by its parcels."""

    ONE = "one"
    FEW = "few"  # three of them, in turn
    FRESH = "fresh"  # another for each parcel


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of smuggling by post, as a public report tells it."""

    name: str
    source: str
    parcels: tuple[int, int]
    origin: tuple[str, ...]
    destination: tuple[str, ...]
    contents: tuple[str, ...]
    weight_g: tuple[int, int]
    value_eur: tuple[int, int]
    service: tuple[str, ...] = ("parcel",)
    category: tuple[str, ...] = ("gift", "sale_of_goods")
    payment: tuple[str, ...] = ("online", "card", "cash")
    delivery: tuple[str, ...] = ("address",)
    days: int = 7
    hours: tuple[int, int] = (8, 20)
    sender_name: Who = Who.FRESH
    sender_address: Who = Who.FRESH
    sender_is_firm: bool = False
    sender_phone: float = 0.5  # share of parcels that give one
    sender_lives_near: bool | None = None  # whether near the counter; None: as ordinary parcels
    addressee_name: Who = Who.FRESH
    addressee_address: Who = Who.FRESH
    addressee_phone: float = 0.5
    counter: Who = Who.FRESH
    account: bool = False  # one label account pays for all
    pieces: int = 1
    net_share: tuple[float, float] = (0.75, 0.97)
    assumed: str = "value, payment, hours"
