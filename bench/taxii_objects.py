"""What is added by TAXII in the benchmark: indicators with real group elements, as a client does.

Each is a party of 16 elements with the extension that `postern exchange push` writes; peers are
given the same objects, which they take as STIX with an unknown extension.
"""

import json
import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

from app.clock import now
from bench.preload import FACETS
from postern import group
from postern.base64url import to_base64url
from postern.stix.checking import submission_object

BEGINNING = now() - timedelta(days=1)


def submissions(owner: str, count: int) -> list[str]:
    """So many new indicators of `owner`, as JSON."""
    draw = random.Random()  # noqa: S311 - variety, not secrecy
    seen = (now() - timedelta(days=draw.randrange(300))).date().isoformat()
    return [
        json.dumps(
            submission_object(
                uuid.uuid4(),
                BEGINNING,
                {
                    "kind": "party",
                    "role": draw.choice(("sender", "addressee")),
                    "epoch": 1,
                    "elements": [
                        {"facet": facet, "element": to_base64url(next(_points()))}
                        for facet in FACETS
                    ],
                    "learned": "outside_of_item",
                    "legal_basis": "postal_law",
                    "source_grade": draw.choice("BX"),
                    "information_grade": draw.choice("123"),
                    "observed_to": seen,
                },
                {},  # each of a shipment of its own
                4,
                owner,
            )
        )
        for _ in range(count)
    ]


@cache
def _points() -> Iterator[bytes]:
    """Real group elements, each once: a random multiple of the generator, then sums with it."""

    def following() -> Iterator[bytes]:
        element = group.base(group.random_scalar())
        while True:
            yield element
            element = group.add(element, group.GENERATOR)

    return following()
