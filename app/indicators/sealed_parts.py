"""Envelopes of a report at the door: where each must belong, and whether it does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.organisations.envelope_checks import Expected, Misfit, misfit
from postern.envelope import Context
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Kind, SealedPart

NO_TOKEN = bytes(TOKEN_SIZE)
"""The token of what is not matched: a report, an induction point."""

REPORT_KIND = "report"
"""The kind in the context of a file, which belongs to the whole report."""


@dataclass(frozen=True, slots=True)
class NewEnvelope:
    """An envelope that was checked and may be stored."""

    part: SealedPart
    kind: str
    epoch: int
    token: bytes
    record: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sealer:
    """The organisation that seals, by its code; `wanted` is None until it published keys."""

    owner: str
    wanted: Expected | None

    def misfit(self, raw: bytes, context: Context) -> Misfit | None:
        """Why an envelope is refused; None when nothing speaks against it."""
        return _NO_KEYS if self.wanted is None else misfit(raw, context, self.wanted)


def context_part(part: SealedPart, number: int) -> str:
    """The part as a context names it."""
    return f"{part.value}/{number}" if part is SealedPart.ATTACHMENT else part.value


def read_sealed(
    indicator: Mapping[str, Any], token: bytes, record: str, sealer: Sealer
) -> Iterator[NewEnvelope | tuple[str, Misfit]]:
    """What is sealed of an indicator, or the name of the part and why it is refused.

    `token` is that of the first element; `record` names the indicator within its organisation.
    """
    kind, epoch = indicator["kind"], indicator["epoch"]
    is_place = kind is Kind.INDUCTION_POINT
    for part in (SealedPart.VALUE, SealedPart.NOTE):
        raw = indicator["sealed"][part.value]
        if raw is None:
            continue
        if is_place and part is SealedPart.VALUE:
            yield part.value, _IN_CLEAR
            continue
        at = NO_TOKEN if is_place else token
        context = Context(sealer.owner, kind.value, epoch, at, record, part.value)
        fault = sealer.misfit(raw, context)
        if fault is None:
            yield NewEnvelope(part, kind.value, epoch, at, record, raw)
        else:
            yield part.value, fault


_IN_CLEAR = Misfit(
    "The place of an induction point is in clear, so there is nothing to seal.",
    "Leave the sealed value out; a note may be sealed.",
)
_NO_KEYS = Misfit(
    "Your organisation has not published its keys.",
    "Let an administrator publish them with `postern keys publish`, and send it again.",
)
