"""Where a channel may lead: a mail address, or a webhook outside of our own network.

A webhook's address is an organisation's choice, so the platform would reach for whatever it names
(server-side request forgery). It is therefore resolved first, every address that it resolves to
must be public or in a network that the administrator named, and the connection goes to the
address that was checked, not to the name once more.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.jobs.draining import HopelessError

LONGEST = 500  # characters

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# One plain mailbox: no display name, no quoted part, no header of another.
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_LAST_PORT = 65535

_EMBEDDING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv6 addresses that stand for an IPv4 one behind a translator (RFC 6052, RFC 8215)."""


class ForbiddenAddressError(HopelessError):
    """The webhook's name leads into a network that the administrator did not name."""


class InsecureAddressError(HopelessError):
    """Plain HTTP is for this machine alone."""


@dataclass(frozen=True)
class Place:
    """Where a webhook is reached: `address` is connected to, `host` must prove who it is."""

    host: str
    port: int
    target: str  # path and query
    is_tls: bool
    address: str


def networks(told: str) -> tuple[Network, ...]:
    """The networks of a setting, separated by space; ValueError."""
    return tuple(ipaddress.ip_network(each) for each in told.split())


def mailbox_fault(address: str) -> str:
    """Why this cannot be the address of a mail channel, "" when it can."""
    is_right = len(address) <= LONGEST and _MAILBOX.fullmatch(address)
    return "" if is_right else "Write one mail address, such as desk@police.example."


def webhook_fault(address: str, allowed: Sequence[Network]) -> str:
    """Why this cannot be the address of a webhook, "" when it can; nothing is resolved."""
    parts = _parts(address)
    if parts is None:
        return "Write an address of one line, such as https://police.example/postern."
    literal = _literal(parts.hostname or "")
    if literal is not None and not _is_open(literal, allowed):
        return "This address leads into a private network, which the platform does not enter."
    if parts.scheme == "http" and not (literal and literal.is_loopback):
        return "Use https: only an address of the platform's own machine may be reached without."
    return ""


def resolved(address: str, allowed: Sequence[Network]) -> Place:
    """Where the webhook is reached now.

    OSError when the name does not resolve; ForbiddenAddressError when any of its addresses is
    neither public nor allowed; InsecureAddressError for http to another machine.
    """
    parts = _parts(address)
    if parts is None:
        raise ForbiddenAddressError
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = parts.hostname or ""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses or not all(_is_open(each, allowed) for each in addresses):
        raise ForbiddenAddressError
    if not is_tls and not all(each.is_loopback for each in addresses):
        raise InsecureAddressError
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(host, port, target, is_tls, str(addresses[0]))


def masked(address: str) -> str:
    """Enough of an address to tell it from others: `d…@police.example`, `https://police.example/…`."""
    if "://" not in address:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}…@{domain}"
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…"


def _parts(address: str) -> SplitResult | None:
    """The parts of an address that may be one of a webhook."""
    if len(address) > LONGEST or not address.isascii() or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    is_right = (
        parts.scheme in {"https", "http"}
        and " " not in address
        and parts.username is None
        and parts.password is None
        and not parts.fragment
        and bool(_HOST.fullmatch(parts.hostname or ""))
        and (port is None or 0 < port <= _LAST_PORT)
    )
    return parts if is_right else None


def _literal(host: str) -> Address | None:
    if host == "localhost":
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_open(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether a webhook may lead there: a public address of one machine, or in `allowed`."""
    inner = _inner(address)
    if any(inner.version == network.version and inner in network for network in allowed):
        return True
    return inner.is_global and not inner.is_multicast


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
