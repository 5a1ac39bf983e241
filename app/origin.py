"""Where a request really comes from: address and certificate of the client, behind known proxies.

Every program below may lie in a header. So headers of proxies are believed only from the networks
of `network.proxies`, and then only what the last `network.hops` of them wrote; all of them are
taken off the request, so that nothing behind this point reads one by mistake.
"""

import base64
import binascii
import hashlib
import ipaddress
import ssl
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, request

from app.config import NetworkSettings, Settings
from app.errors import MisdirectedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Environ = MutableMapping[str, Any]

REQUEST_ID = "postern.request_id"
"""Where the environment of a request holds the id that a trusted proxy gave it."""

_CERTIFICATE = "postern.certificate"
_NAMED = "HTTP_X_REQUEST_ID"
_FORWARDED = "HTTP_X_FORWARDED_FOR"
_SPOOFABLE = (
    _FORWARDED,
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
_LONGEST = 65_536  # characters of a header with a certificate
_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
_COARSE = {4: 16, 6: 32}  # bits of an address that are kept of a token's last use
_ANY = "*"


@dataclass(frozen=True)
class Origin:
    """A client: its address, and the SHA-256 of its certificate (RFC 8705 `x5t#S256`).

    The address is None where a proxy did not say it: such a request comes from no network.
    """

    address: Address | None = None
    certificate: bytes | None = None

    def is_within(self, networks: Iterable[str]) -> bool:
        """Whether the address lies in one of the networks."""
        return self.address is not None and any(
            self.address in ipaddress.ip_network(each) for each in networks
        )

    @property
    def coarse(self) -> str:
        """The network of the address in a size that names no machine; empty without an address."""
        if self.address is None:
            return ""
        bits = _COARSE[self.address.version]
        return str(ipaddress.ip_network((self.address, bits), strict=False))


class Forwarding:
    """WSGI: puts what is believed of the client where the request has it, and removes the rest."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], told: NetworkSettings) -> None:
        self._inner = inner
        self._proxies = tuple(ipaddress.ip_network(each) for each in told.proxies.split())
        self._hops = told.hops
        name = told.certificate_header.upper().replace("-", "_")
        self._header = f"HTTP_{name}" if name else ""

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        peer = _address(environ.get("REMOTE_ADDR", ""))
        said = environ.get(_FORWARDED, "")
        named = environ.pop(_NAMED, "")
        offered = environ.pop(self._header, "") if self._header else ""
        for name in _SPOOFABLE:
            environ.pop(name, None)
        environ.pop(_CERTIFICATE, None)
        if peer is not None and any(peer in each for each in self._proxies):
            client = self._client(said)
            environ["REMOTE_ADDR"] = str(client) if client is not None else ""
            certificate = certificate_in(offered)
            if named:
                environ[REQUEST_ID] = named
        else:
            certificate = _of_connection(environ.get("gunicorn.socket"))
        if certificate is not None:
            environ[_CERTIFICATE] = certificate
        return self._inner(environ, start_response)

    def _client(self, said: str) -> Address | None:
        """Whom the outermost of our proxies spoke with; what stands before it is hearsay."""
        parts = [part.strip() for part in said.split(",")]
        return _address(parts[-self._hops]) if len(parts) >= self._hops else None


def install_origin(app: Flask, settings: Settings) -> None:
    """Let every request show its client's true origin, and refuse those for another host."""
    app.wsgi_app = Forwarding(app.wsgi_app, settings.network)  # type: ignore[method-assign]
    hosts = settings.network.hosts.split()
    allowed = {urlsplit(settings.platform.origin).netloc.lower(), *map(str.lower, hosts)}

    @app.before_request
    def check_host() -> None:
        if _ANY in allowed or request.path.startswith("/health/") or request.endpoint == "metrics":
            return
        if request.environ.get("HTTP_HOST", "").lower() not in allowed:
            raise MisdirectedError


def origin() -> Origin:
    """Where the request in progress comes from."""
    return Origin(_address(request.remote_addr or ""), request.environ.get(_CERTIFICATE))


def thumbprint(certificate: bytes) -> bytes:
    """The SHA-256 of a certificate in DER, which names it (RFC 8705, section 3.1)."""
    return hashlib.sha256(certificate).digest()


def certificate_in(header: str) -> bytes | None:
    """The thumbprint of the certificate that a proxy put into a header, None where there is none.

    Taken are `:BASE64:` (RFC 9440), bare base64 of DER, and PEM, also percent-encoded.
    """
    if not header or len(header) > _LONGEST:
        return None
    text = unquote(header).strip() if "%" in header else header.strip()
    if text.startswith(_PEM[0]) and text.endswith(_PEM[1]):
        text = text.removeprefix(_PEM[0]).removesuffix(_PEM[1])
    text = "".join(text.removeprefix(":").removesuffix(":").split())
    try:
        der = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return thumbprint(der) if der else None


def _of_connection(socket: object) -> bytes | None:
    """The thumbprint of the certificate with which the client opened the connection itself."""
    if not isinstance(socket, ssl.SSLSocket):
        return None
    der = socket.getpeercert(binary_form=True)
    return thumbprint(der) if der else None


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return inner or found
