"""Kinds of campaign that detection is judged by; written without knowledge of the rules.

The author of this file had read the published typologies below and the field dictionary, not one
rule of `policies/patterns` and not the generator's own campaigns. Every kind names the public
report it comes from. Weights, numbers and routes are the report's where it gives them; the rest
(`assumed`) is ordinary for a parcel of that description. Kinds that no rule can know of (a decoy
nobody wrote a rule for) stay in: they are what recall is about. One thing was changed later, to
the disadvantage of the rules: where a report does not say whether the return address lies near the
place of posting, it does as often as for ordinary parcels.

A kind says who is who by number, never by name: number 0 is the same person, address or counter
through one campaign, and the manifest that it is planted in lends the names.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.held_out_elsewhere import ELSEWHERE
from bench.held_out_kind import BENELUX, OVERSEAS, Kind, Who

SEED = 20_260_911
"""A later seed than the one the rules were tried with."""


@dataclass(frozen=True, slots=True)
class PlantedParcel:
    """One parcel of a campaign: fields of the dictionary, and who is who by number within it."""

    campaign: int
    kind: str
    day: int
    fields: dict[str, str | int | float]
    sender_name: int
    sender_address: int
    sender_is_firm: bool
    sender_lives_near: bool | None
    has_sender_phone: bool
    addressee_name: int
    addressee_address: int
    has_addressee_phone: bool
    counter: int
    account: bool


def planted(times: int, seed: int = SEED) -> Iterator[PlantedParcel]:
    """The parcels of `times` campaigns of each kind."""
    drawn = random.Random(seed)  # noqa: S311  (drawn parcels, no secret)
    number = 0
    for _ in range(times):
        for kind in KINDS:
            yield from _campaign(kind, number, drawn)
            number += 1


def _campaign(kind: Kind, number: int, drawn: random.Random) -> Iterator[PlantedParcel]:
    origin = drawn.choice(kind.origin)
    for place in range(drawn.randint(*kind.parcels)):
        weight = drawn.randint(*kind.weight_g)
        value = drawn.randint(*kind.value_eur)
        fields: dict[str, str | int | float] = {
            "origin_country": origin,
            "destination_country": drawn.choice(kind.destination),
            "contents": drawn.choice(kind.contents),
            "gross_weight_g": weight,
            "net_weight_g": round(weight * drawn.uniform(*kind.net_share)),
            "value_eur": value,
            "service": drawn.choice(kind.service),
            "declared_category": drawn.choice(kind.category),
            "payment": "account" if kind.account else drawn.choice(kind.payment),
            "delivery": drawn.choice(kind.delivery),
            "posted_hour": drawn.randint(*kind.hours),
            "pieces": kind.pieces,
        }
        yield PlantedParcel(
            campaign=number,
            kind=kind.name,
            day=drawn.randrange(kind.days),
            fields=fields,
            sender_name=_number(kind.sender_name, place),
            sender_address=_number(kind.sender_address, place),
            sender_is_firm=kind.sender_is_firm,
            sender_lives_near=kind.sender_lives_near,
            has_sender_phone=drawn.random() < kind.sender_phone,
            addressee_name=_number(kind.addressee_name, place),
            addressee_address=_number(kind.addressee_address, place),
            has_addressee_phone=drawn.random() < kind.addressee_phone,
            counter=_number(kind.counter, place),
            account=kind.account,
        )


def _number(who: Who, place: int) -> int:
    match who:
        case Who.ONE:
            return 0
        case Who.FEW:
            return place % 3
        case Who.FRESH:
            return place


KINDS: tuple[Kind, ...] = (
    # What is posted in or near the Benelux.
    Kind(
        name="runner over the border",
        source=(
            "Benelux 17 Feb 2021; Knack on the Centrex Drugs; Italian antidrug directorate, "
            "Drug online"
        ),
        parcels=(12, 40),
        origin=("DE", "BE"),
        destination=("DE", "FR", "GB", "IT", "ES", "US", "AU"),
        contents=("clothing", "book", "toys", "cosmetics", "accessories", "present"),
        weight_g=(120, 900),
        value_eur=(10, 60),
        payment=("cash",),
        days=1,
        hours=(9, 12),
        sender_phone=0.1,
        addressee_phone=0.1,
        sender_lives_near=False,
        counter=Who.ONE,
    ),
    Kind(
        name="vendor with a label account",
        source="HARP, first year: own-account vendor; crimesite Dec 2024",
        parcels=(20, 60),
        origin=BENELUX,
        destination=(*OVERSEAS, "GB"),
        contents=("cat food", "board game", "mixed nuts", "teddy bear", "statue", "puzzle", "tea"),
        weight_g=(150, 1500),
        value_eur=(10, 45),
        days=14,
        sender_name=Who.ONE,
        sender_address=Who.ONE,
        sender_phone=0.9,
        counter=Who.FEW,
        account=True,
    ),
    Kind(
        name="borrowed firm as sender",
        source=(
            "North Rhine-Westphalia police, Olpe: undeliverable items return to uninvolved "
            "firms and persons"
        ),
        parcels=(6, 20),
        origin=("DE", "NL"),
        destination=("US", "GB", "AU", "CA", "NZ", "SE"),
        contents=("spare parts", "catalogue", "samples", "printed matter", "filter cartridge"),
        weight_g=(200, 2500),
        value_eur=(15, 90),
        category=("commercial_sample", "sale_of_goods", "documents"),
        payment=("cash", "card", "stamps"),
        sender_is_firm=True,
        sender_name=Who.FEW,
        sender_address=Who.FEW,
        sender_phone=0.2,
        addressee_phone=0.2,
        sender_lives_near=False,
        counter=Who.FEW,
    ),
    Kind(
        name="generators for Canada",
        source=(
            "Customs Dortmund, 2025: two diesel generators with 40 kg, dropped by a foreign "
            "van, firm denied it"
        ),
        parcels=(2, 3),
        origin=("DE",),
        destination=("CA",),
        contents=("diesel generator", "power generator"),
        weight_g=(45_000, 70_000),
        value_eur=(350, 900),
        service=("freight", "parcel"),
        category=("sale_of_goods",),
        payment=("cash", "card"),
        days=2,
        sender_is_firm=True,
        sender_name=Who.ONE,
        sender_address=Who.ONE,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
        sender_lives_near=False,
        counter=Who.ONE,
    ),
    Kind(
        name="birthday tins",
        source=(
            "Customs Cologne: 2,000 tablets in tins, declared toys and sweets, NL to South America"
        ),
        parcels=(1, 4),
        origin=("NL",),
        destination=("CL", "BR", "AR", "CO"),
        contents=("toys and sweets", "birthday present toys", "candy and toys"),
        weight_g=(900, 2500),
        value_eur=(20, 60),
        service=("express", "parcel"),
        category=("gift",),
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
    ),
    Kind(
        name="three letters to be sure of one",
        source=(
            "Manawatu Standard, 28 Dec 2020: blotters in a shoe, between CDs, in a washcloth; "
            "NL to NZ"
        ),
        parcels=(3, 4),
        origin=("NL",),
        destination=("NZ", "AU"),
        contents=("baby shoes", "two CDs", "washcloth", "music CD", "birthday card"),
        weight_g=(30, 260),
        value_eur=(5, 20),
        service=("letter", "registered"),
        category=("gift",),
        payment=("stamps", "cash", "online"),
        sender_phone=0.05,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
        addressee_phone=0.05,
    ),
    Kind(
        name="water fountain",
        source=(
            "NZ Herald on Customs' list of concealments: 3.7 kg MDMA as a ceramic water "
            "fountain; arts antiquity"
        ),
        parcels=(1, 3),
        origin=("NL", "DE", "BE", "FR"),
        destination=("NZ", "AU"),
        contents=("ceramic water fountain", "arts antiquity", "cremation vase", "coffee table"),
        weight_g=(6_000, 22_000),
        value_eur=(60, 250),
        category=("gift", "other", "sale_of_goods"),
        assumed="origin, value, payment",
    ),
    Kind(
        name="postcard under foil",
        source="Customs Potsdam: postcard from Spain with cocaine under foil",
        parcels=(1, 3),
        origin=("ES",),
        destination=("DE", "NL"),
        contents=("postcard", "greeting card"),
        weight_g=(10, 40),
        value_eur=(0, 5),
        service=("letter",),
        category=("documents", "gift"),
        payment=("stamps",),
        sender_phone=0.0,
        addressee_phone=0.0,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
    ),
    Kind(
        name="chocolate before Easter",
        source="Customs Speyer: 100 g in chocolate eggs, Switzerland to Germany",
        parcels=(1, 3),
        origin=("CH",),
        destination=("DE", "NL"),
        contents=("chocolate", "Easter chocolate", "Schokolade"),
        weight_g=(350, 1200),
        value_eur=(15, 40),
        category=("gift",),
    ),
    # What comes in.
    Kind(
        name="clothes in a suitcase from Brazil",
        source="Customs Frankfurt, Jan 2022: 1 kg in the wall of a suitcase, private to private",
        parcels=(1, 3),
        origin=("BR",),
        destination=("NL", "BE", "DE"),
        contents=("suitcase with clothes and shoes", "used clothes", "travel bag and clothing"),
        weight_g=(6_000, 12_000),
        value_eur=(40, 120),
        category=("gift", "other"),
    ),
    Kind(
        name="dried flowers",
        source=(
            "Customs Frankfurt, Jan 2022: 8 kg as dried flowers, Chinese firm to a man in "
            "Switzerland"
        ),
        parcels=(1, 4),
        origin=("CN",),
        destination=("CH", "DE", "NL"),
        contents=("dried flowers", "dry flower decoration"),
        weight_g=(6_000, 11_000),
        value_eur=(25, 90),
        category=("sale_of_goods",),
        payment=("account", "online"),
        sender_is_firm=True,
        sender_phone=0.9,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
    ),
    Kind(
        name="dog food from China",
        source="BBC investigation on nitazenes, as reported: shipped in dog food boxes",
        parcels=(3, 12),
        origin=("CN", "HK"),
        destination=("GB", "NL", "BE", "DE", "EE", "IE"),
        contents=("dog food", "pet food", "pet treats"),
        weight_g=(120, 1500),
        value_eur=(8, 30),
        service=("parcel", "express", "registered"),
        category=("sale_of_goods", "commercial_sample"),
        payment=("account", "online"),
        sender_is_firm=True,
        sender_name=Who.ONE,
        sender_address=Who.ONE,
        sender_phone=0.9,
    ),
    Kind(
        name="insects from Peru",
        source="Dutch customs, as reported: 300 g in over a hundred dead insects",
        parcels=(1, 2),
        origin=("PE",),
        destination=("NL",),
        contents=("dried insects for collection", "insect collection", "entomology specimens"),
        weight_g=(500, 1500),
        value_eur=(20, 80),
        service=("parcel", "registered"),
    ),
    Kind(
        name="snacks from Thailand",
        source="UK Home Office, Apr 2025: 15 t in a quarter, cages of parcels, snack wrappings",
        parcels=(20, 60),
        origin=("TH",),
        destination=("GB", "NL", "BE"),
        contents=("snack food", "snacks", "dried fruit", "instant noodles", "clothes and snacks"),
        weight_g=(3_000, 11_000),
        value_eur=(20, 80),
        service=("parcel", "express"),
        days=10,
        sender_name=Who.FEW,
        sender_address=Who.FEW,
        sender_phone=0.9,
        addressee_phone=0.6,
        counter=Who.FEW,
    ),
    Kind(
        name="gloves and instruments little and often",
        source=(
            "UK National Crime Agency, 2019: 13 packages, boxing gloves and instruments, PK "
            "to Luton and Birmingham"
        ),
        parcels=(10, 14),
        origin=("PK",),
        destination=("GB", "NL"),
        contents=(
            "boxing gloves",
            "motorcycle gloves",
            "surgical instruments",
            "equine dental tools",
        ),
        weight_g=(800, 4_500),
        value_eur=(30, 150),
        service=("express", "parcel"),
        category=("commercial_sample", "sale_of_goods", "gift"),
        payment=("account", "cash"),
        days=14,
        sender_is_firm=True,
        sender_phone=0.8,
        addressee_name=Who.FEW,
        addressee_address=Who.FEW,
        counter=Who.FEW,
        assumed="days (the report spreads it over months), value, payment",
    ),
    Kind(
        name="jacket for a baby",
        source="Pakistan Customs, 8 May 2021: garment parcel for Birmingham",
        parcels=(1, 3),
        origin=("PK",),
        destination=("GB", "DE"),
        contents=("garments", "baby jacket", "ladies garments"),
        weight_g=(900, 3_500),
        value_eur=(20, 70),
        category=("gift",),
        payment=("cash",),
    ),
    Kind(
        name="returned to a sender who was never told",
        source=(
            "UK Border Agency 2011: powder swapped and mailed back, returned to sender, paid "
            "residents of one town"
        ),
        parcels=(4, 10),
        origin=("PK",),
        destination=("GB", "NL"),
        contents=("baby powder", "talcum powder", "baby care"),
        weight_g=(400, 1_600),
        value_eur=(5, 25),
        category=("returned_goods",),
        payment=("cash", "stamps", "other"),
        sender_name=Who.FEW,
        sender_address=Who.FEW,
    ),
    Kind(
        name="carpets by air",
        source=(
            "UK National Crime Agency and Border Force, June 2014: 46 knotted carpets, "
            "Peshawar via Abu Dhabi"
        ),
        parcels=(1, 2),
        origin=("PK", "AE"),
        destination=("GB", "BE"),
        contents=("hand knotted carpets", "woollen carpets"),
        weight_g=(90_000, 400_000),
        value_eur=(2_500, 9_000),
        service=("freight",),
        category=("sale_of_goods",),
        payment=("account",),
        sender_is_firm=True,
        sender_phone=0.95,
        addressee_phone=0.9,
        pieces=46,
    ),
    *ELSEWHERE,
)
