"""Timestamps of STIX and TAXII: text that is kept as it stands, and a form that sorts."""

import re
from datetime import UTC, datetime, timedelta

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,30}))?(?:[Zz]|\+00:00)", re.ASCII
)
_DIGITS = 9  # nanoseconds: finer ones are cut


def sortable(text: object) -> str | None:
    """A timestamp as text that sorts by time, in UTC with nine digits; None when it is none.

    The same moment in another spelling, with more zeros or none, gives the same text.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, time, fraction = found.groups()
    try:
        # A leap second is a moment of its own that datetime does not know.
        datetime.fromisoformat(f"{day}T{time.replace(':60', ':59')}")
    except ValueError:
        return None
    return f"{day}T{time}.{(fraction or '')[:_DIGITS].ljust(_DIGITS, '0')}Z"


def later(one: str | None, other: str | None) -> str | None:
    """The later of two timestamps as they stand; one that is none counts for nothing."""
    of_one, of_other = sortable(one), sortable(other)
    if of_one is None or (of_other is not None and of_other > of_one):
        return other if of_other is not None else None
    return one


def earlier_by(text: str, seconds: int) -> str:
    """A timestamp so many seconds before another one, in microseconds."""
    form = sortable(text)
    if form is None:
        raise ValueError("it is not a timestamp")
    moment = datetime.fromisoformat(form[:26]).replace(tzinfo=UTC)
    return written(moment - timedelta(seconds=seconds))


def written(moment: datetime) -> str:
    """A moment as TAXII writes it, in microseconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
