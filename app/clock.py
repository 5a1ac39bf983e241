"""The one clock of the platform, so that tests can move it."""

from datetime import UTC, datetime, timedelta

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment, as audit entries carry them."""
    return int(moment.timestamp() * 1000)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment, exactly."""
    return (moment - _EPOCH_DAY) // _MICROSECOND


def moment(at: int) -> datetime:
    """The aware moment, in UTC, of milliseconds since 1970."""
    return datetime.fromtimestamp(at / 1000, UTC)


def day(moment: datetime) -> int:
    """Days since 1970-01-01 UTC of an aware moment; fits 16 bits until 2059."""
    return (moment - _EPOCH_DAY).days
