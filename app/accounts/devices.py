"""On what a session was begun, as coarse as its person needs to know it again.

Of the User-Agent only a browser and a system stay, both from a closed list: no version, no model,
nothing by which a person could be told from others. Even that is sealed for its session.
"""

from collections.abc import Sequence

from app.runtime import runtime
from app.secret_files import Sealer

_CONTEXT = b"postern/web_session/device/v1/"

# The first that is found counts: each later one also stands in the agents of the earlier.
_BROWSERS: Sequence[tuple[str, str]] = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Sequence[tuple[str, str]] = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class Devices:
    """Seals and opens devices under the accounts key; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def seal(self, device: str, name_hash: bytes) -> bytes | None:
        """Sealed bytes that open only for the session with this hash; None for no device."""
        return self._sealer.seal(device.encode(), _CONTEXT + name_hash) if device else None

    def open(self, sealed: bytes | None, name_hash: bytes) -> str:
        """The device, "" for none; ValueError when the bytes belong to another session or key."""
        return "" if sealed is None else self._sealer.open(sealed, _CONTEXT + name_hash).decode()


def devices() -> Devices:
    """The sealer of the process."""
    return runtime().part(Devices)


def device_of(agent: str) -> str:
    """Browser and system of a User-Agent, such as "Firefox, Windows"; "" when it tells neither."""
    return ", ".join(filter(None, (_first(agent, _BROWSERS), _first(agent, _SYSTEMS))))


def _first(agent: str, known: Sequence[tuple[str, str]]) -> str:
    return next((name for mark, name in known if mark in agent), "")
