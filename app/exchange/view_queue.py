"""What is to be done about collections after a commit: the topics of the outbox, and asking."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from app.jobs.outbox import put

FOLLOW = "exchange.follow"
"""Indicators of one owner came or changed: every log that may hold them is brought up to date."""

COMPARE = "exchange.compare"
"""The log of a collection is compared with all that may be seen, part by part."""

HIDE = "exchange.hide"
"""What may not be seen any more goes from the log of a collection."""

END = "exchange.end"
"""What ended is told in the log of a collection."""

SIGHT = "exchange.sight"
"""Sightings came, changed or were taken back: the logs of senders and owners follow."""

SIGHTED = "exchange.sightings"
"""All sightings that a collection of one's own may hold are brought into its log, part by part."""

PATTERNS = "exchange.patterns"
"""The shipping patterns of a collection are compared, part by part; then what is hidden goes."""

CHUNK = 1_000
"""Indicators of one part, so that its transaction stays short."""


def ask_follow(session: Session, owner_id: int, indicator_ids: Sequence[int]) -> None:
    """Bring what the logs hold of these indicators (inner keys) up to date."""
    for start in range(0, len(indicator_ids), CHUNK):
        ids = list(indicator_ids[start : start + CHUNK])
        put(session, FOLLOW, {"owner": owner_id, "indicators": ids})


def ask_comparison(session: Session, collection: int, after: int = 0) -> None:
    """Compare the whole log of a collection, from an indicator on."""
    put(session, COMPARE, {"collection": collection, "after": after})


def ask_patterns(session: Session, collection: int, after: int = 0) -> None:
    """Compare the shipping patterns in the log of a collection, from one on."""
    put(session, PATTERNS, {"collection": collection, "after": after})


def ask_hiding(session: Session, collection: int) -> None:
    """Take from the log of a collection what may not be seen any more."""
    put(session, HIDE, {"collection": collection})


def ask_sightings(session: Session, sightings: Sequence[tuple[int, str, str]]) -> None:
    """Follow sightings: the key of who sent it, its STIX id there, the indicator's public id."""
    for start in range(0, len(sightings), CHUNK):
        put(session, SIGHT, {"sightings": [list(of) for of in sightings[start : start + CHUNK]]})


def ask_sightings_of(session: Session, collection: int, after: int = 0) -> None:
    """Bring all sightings into the log of a collection of one's own, from one on."""
    put(session, SIGHTED, {"collection": collection, "after": after})


def ask_ends(session: Session, collections: Iterable[int]) -> None:
    """Tell in each of these logs what ended."""
    for collection in sorted(set(collections)):
        put(session, END, {"collection": collection})
