"""Held-out kinds on other routes, and by marks of handling; see held_out_campaigns.py."""

from bench.held_out_kind import Kind, Who

ELSEWHERE: tuple[Kind, ...] = (
    # Routes elsewhere: an operator screens transit mail too.
    Kind(
        name="nut samples little and often",
        source=(
            "NZ Customs, 17 Sep 2025: 25 packages over months, one declared roasted macadamia "
            "nut samples"
        ),
        parcels=(8, 25),
        origin=("US", "PK", "TH", "AU", "MX"),
        destination=("NZ",),
        contents=("roasted macadamia nut samples", "nut samples", "food samples"),
        weight_g=(900, 3_200),
        value_eur=(15, 60),
        service=("parcel", "express"),
        category=("commercial_sample",),
        payment=("card", "account"),
        days=14,
        addressee_address=Who.FEW,
    ),
    Kind(
        name="candles",
        source="NZ Customs, 7 June 2017: 4.8 kg in candles from Canada, declared home accessories",
        parcels=(1, 3),
        origin=("CA", "US"),
        destination=("NZ", "AU"),
        contents=("home accessories", "wax candles", "scented candles"),
        weight_g=(6_000, 9_000),
        value_eur=(40, 120),
        category=("gift",),
    ),
    Kind(
        name="appliances",
        source="NZ Customs, Contraband: helmet, mower, sausage warmer, wine racks",
        parcels=(1, 5),
        origin=("CN", "TH", "CA"),
        destination=("NZ", "AU"),
        contents=(
            "helmet",
            "lawn mower",
            "sausage warmer",
            "wine rack",
            "scooter",
            "picture frames",
        ),
        weight_g=(1_500, 14_000),
        value_eur=(30, 160),
        service=("parcel", "express", "freight"),
        category=("sale_of_goods", "gift"),
        addressee_name=Who.FEW,
        addressee_address=Who.FEW,
    ),
    Kind(
        name="fourteen consignments",
        source=(
            "Australian customs, one week of May: 32 kg in sugar, sanders, rods, oatmeal, "
            "pistons, tape dispensers"
        ),
        parcels=(12, 16),
        origin=("HK", "CN", "IN", "IE"),
        destination=("AU",),
        contents=(
            "sugar",
            "sanding machine",
            "steel rods",
            "oatmeal",
            "tea",
            "pistons",
            "tape dispenser",
            "coffee",
        ),
        weight_g=(2_500, 6_000),
        value_eur=(20, 120),
        service=("parcel", "express"),
    ),
    Kind(
        name="auto rims",
        source=(
            "Australian customs and federal police: four cartons from Canada, 4 kg in the lining"
        ),
        parcels=(4, 4),
        origin=("CA",),
        destination=("AU",),
        contents=("auto rims", "car wheel rims"),
        weight_g=(9_000, 14_000),
        value_eur=(120, 400),
        category=("sale_of_goods",),
        days=1,
        sender_name=Who.ONE,
        sender_address=Who.ONE,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
        counter=Who.ONE,
    ),
    Kind(
        name="tablets as documents",
        source=(
            "Chennai Air Customs, Sep 2021: registered items declared documents, about 500 to "
            "2,000 tablets, to the US"
        ),
        parcels=(2, 5),
        origin=("IN",),
        destination=("US",),
        contents=("documents", "papers"),
        weight_g=(450, 1_400),
        value_eur=(0, 10),
        service=("registered",),
        category=("documents",),
        payment=("cash",),
        days=3,
        sender_name=Who.ONE,
        sender_address=Who.ONE,
        counter=Who.ONE,
        sender_phone=0.8,
    ),
    Kind(
        name="health products for many buyers",
        source=(
            "Indian revenue intelligence, May 2018: 350,000 tablets as herbal or health "
            "products to US, UK, CA, AU"
        ),
        parcels=(40, 90),
        origin=("IN",),
        destination=("US", "GB", "CA", "AU"),
        contents=(
            "herbal products",
            "health products",
            "ayurvedic supplement",
            "health supplements",
        ),
        weight_g=(80, 400),
        value_eur=(8, 30),
        service=("registered", "letter"),
        category=("gift", "sale_of_goods"),
        payment=("cash", "account"),
        days=3,
        sender_name=Who.FEW,
        sender_address=Who.FEW,
        sender_phone=0.8,
        addressee_phone=0.2,
        counter=Who.ONE,
    ),
    Kind(
        name="farsan",
        source=(
            "Mumbai Customs, Dec 2021: 18,500 tablets among farsan packets by air courier to the US"
        ),
        parcels=(1, 3),
        origin=("IN",),
        destination=("US",),
        contents=("farsan", "indian snacks", "namkeen and sweets", "thread spools"),
        weight_g=(5_000, 14_000),
        value_eur=(25, 90),
        service=("express",),
        category=("gift", "commercial_sample"),
        payment=("account", "cash"),
        sender_phone=0.95,
    ),
    Kind(
        name="toys for one residence",
        source=(
            "US Customs, Chicago: two parcels of 38,350 pills declared plastics, decorations "
            "and toys from Mexico"
        ),
        parcels=(2, 3),
        origin=("MX",),
        destination=("US",),
        contents=("plastics, decorations, toys", "toys and decorations"),
        weight_g=(6_000, 12_000),
        value_eur=(30, 80),
        days=2,
        addressee_name=Who.ONE,
        addressee_address=Who.ONE,
    ),
    Kind(
        name="hot chocolate",
        source=(
            "US Customs, Dulles, Oct 2024: 28 pounds in ten packets of hot chocolate from Guatemala"
        ),
        parcels=(1, 2),
        origin=("GT",),
        destination=("US", "NL", "ES"),
        contents=("hot chocolate powder", "chocolate drink", "coffee and chocolate"),
        weight_g=(9_000, 16_000),
        value_eur=(40, 110),
        service=("express", "parcel"),
    ),
    Kind(
        name="massage balls",
        source=(
            "Chennai Air Customs, Sep 2021: yoga massage balls and a salad mixer from the US "
            "and Canada"
        ),
        parcels=(1, 3),
        origin=("US", "CA"),
        destination=("IN", "NL", "DE"),
        contents=("yoga massage balls", "salad mixer", "kitchen utensil"),
        weight_g=(500, 1_600),
        value_eur=(15, 50),
    ),
    # Marks of handling rather than of goods.
    Kind(
        name="express in cash without a telephone",
        source=(
            "FBI Law Enforcement Bulletin 1996; Oregon Court of Appeals 2015; affidavit of "
            "2017 on express labels"
        ),
        parcels=(3, 10),
        origin=("US", "NL", "ES"),
        destination=("US", "GB", "DE", "NL"),
        contents=("gift", "personal effects", "household goods", "present"),
        weight_g=(700, 6_500),
        value_eur=(20, 90),
        service=("express",),
        category=("gift", "other"),
        payment=("cash", "card"),
        sender_phone=0.0,
        addressee_phone=0.0,
    ),
    Kind(
        name="one door, many names",
        source=(
            "Irish Times 1.1448552: addresses without a link to the name, empty properties, "
            "shared mailboxes"
        ),
        parcels=(5, 14),
        origin=("NL", "ES", "US", "CA", "TH"),
        destination=("IE", "GB", "DE", "SE"),
        contents=("clothing", "vitamins", "books", "toys", "phone case", "gift"),
        weight_g=(150, 2_000),
        value_eur=(10, 60),
        service=("parcel", "registered", "letter"),
        days=10,
        sender_phone=0.3,
        addressee_address=Who.ONE,
        addressee_phone=0.1,
    ),
    Kind(
        name="lockers under one name",
        source=(
            "Benelux barrier model themes; Dutch minister's answers on parcel points and "
            "strawmen, 2022"
        ),
        parcels=(4, 10),
        origin=("NL", "BE", "DE", "ES"),
        destination=("DE", "SE", "DK", "PL", "FI"),
        contents=("car parts", "clothing", "coffee", "protein powder", "shoes"),
        weight_g=(300, 3_000),
        value_eur=(10, 80),
        delivery=("locker", "service_point"),
        days=7,
        sender_phone=0.4,
        addressee_name=Who.ONE,
        addressee_phone=0.9,
    ),
)
