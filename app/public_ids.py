"""Ids that leave the platform: UUIDs whose order is the order of creation."""

import os
from datetime import datetime
from uuid import UUID

from app.clock import milliseconds

_RANDOM_LENGTH = 10  # bytes; 74 of their bits are used


def new_public_ids(count: int, at: datetime) -> list[UUID]:
    """`count` UUIDs of version 7 (RFC 9562, section 5.7) for the moment `at`."""
    time = milliseconds(at) << 80
    drawn = os.urandom(_RANDOM_LENGTH * count)
    return [
        _version_7(time, drawn[start : start + _RANDOM_LENGTH])
        for start in range(0, len(drawn), _RANDOM_LENGTH)
    ]


def new_public_id(at: datetime) -> UUID:
    """One UUID of version 7 for the moment `at`."""
    return new_public_ids(1, at)[0]


def _version_7(time: int, drawn: bytes) -> UUID:
    random = int.from_bytes(drawn, "big")
    high, low = random >> 62 & 0xFFF, random & (1 << 62) - 1
    return UUID(int=time | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
