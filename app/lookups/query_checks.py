"""What makes the tokens of one value contradict themselves, whether looked up or watched for."""

from collections.abc import Iterator, Sequence
from functools import cache

from sqlalchemy.orm import Session

from app.indicators.kinds import FACETS_OF
from app.pseudonyms import service as pseudonyms
from postern.vocabulary import EVALUATION_KIND, Kind

Tokens = Sequence[tuple[int, bytes]]
"""Facet numbers, each with the 16 bytes of its token."""


def faults(kind: Kind, epoch: int, tokens: Tokens) -> Iterator[tuple[str, str]]:
    """What is wrong: the member, `tokens` or `epoch`, and the reason as a sentence."""
    if len({token for _, token in tokens}) != len(tokens):
        yield "tokens", "A token stands there twice."
    if not FACETS_OF[kind].issuperset(facet for facet, _ in tokens):
        yield "tokens", f"A {kind} has no facet of one of these numbers."
    if (kind in EVALUATION_KIND) != bool(epoch):
        yield "epoch", "Every kind but induction_point has the epoch of its tokens, from 1."


def require_open(session: Session, asked: Sequence[tuple[Kind, int]]) -> None:
    """EpochClosedError for the first (kind, epoch) that is not open; it could match nothing."""
    required = cache(lambda kind, epoch: pseudonyms.require_open(session, kind, epoch))
    for kind, epoch in asked:
        if epoch:
            required(EVALUATION_KIND[kind], epoch)
