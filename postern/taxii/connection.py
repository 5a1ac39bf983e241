"""HTTP to a TAXII server: where a credential may go, how much is read, when to try again.

A credential goes to the origin of the configured address and nowhere else: not to another host that
an answer names, not over a redirect.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.exceptions import RequestException, SSLError, Timeout

from postern import __version__
from postern.taxii.errors import (
    AccessRefusedError,
    BodyRefusedError,
    CredentialRefusedError,
    NotTaxiiError,
    NotThereError,
    ServerAddressError,
    ServerAnswerError,
    ServerAnswerTooLargeError,
    ServerBusyError,
    ServerFailedError,
    ServerRefusedError,
    ServerTlsError,
    ServerUnreachableError,
    TaxiiError,
    plain,
)
from postern.transport import RECEIPT_HEADER, Anonymous, Bearer, is_loopback, moment_of

MEDIA_TYPE = "application/taxii+json;version=2.1"
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between attempts; one attempt more than pauses
LARGEST_PAGE = 128 * 2**20  # bytes of one answer

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 60.0  # between two pieces of an answer
_ANSWER_SECONDS = 600.0  # for a whole answer
_LONGEST_PAUSE = 60.0  # seconds that a server may ask us to wait within one call
_PIECE = 65536  # bytes

_OK = range(200, 300)
_REDIRECTS = range(300, 400)
_SERVER_ERROR = 500
_PASSING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Access:
    """How a server knows us: a token, a user with a password, a client certificate, or none.

    `ca_file` is the authority of the server's certificate, when it is not a public one.
    """

    token: str | None = None
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer: its JSON object, and the headers that TAXII defines."""

    content: dict[str, Any]
    headers: Mapping[str, str]
    date: datetime | None  # the server's clock when it answered


class Connection:
    """Requests to one server. Every method raises TaxiiError.

    `keep_receipt` takes the receipts of a Postern's acts (`postern.audit.receipts`); it must not
    raise. `pauses` are the seconds between attempts; `sleep` is replaced in tests.
    """

    def __init__(
        self,
        address: str,
        access: Access,
        *,
        keep_receipt: Callable[[str], None] | None = None,
        pauses: Sequence[float] | None = None,
        largest: int = LARGEST_PAGE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = checked_address(address)
        self._origin = _origin(self.address)
        self._auth = _auth(access)
        self._verify: str | bool = str(access.ca_file) if access.ca_file else True
        self._certificate = _certificate(access)
        self._keep_receipt = keep_receipt
        self._pauses = PAUSES if pauses is None else pauses
        self._largest = largest
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": f"postern/{__version__}",
                "Accept": MEDIA_TYPE,
                "Accept-Encoding": "identity",  # what is read is what was sent: no bombs
            }
        )

    def resolved(self, reference: str) -> str:
        """The absolute address that a server's text names; it must be of the same origin."""
        try:
            found = urljoin(self.address, reference)
            is_own = _origin(found) == self._origin
        except ValueError:
            raise ServerAnswerError("an address in it") from None
        if not is_own:
            raise ServerAddressError(
                "The TAXII server names an API root on another host, to which the credential is "
                "not sent. Add that root as a server of its own to the settings."
            )
        return found if found.endswith("/") else f"{found}/"

    def get(self, address: str, asked: Mapping[str, str] | None = None, *, what: str) -> Answer:
        """What a GET answers. `what` names the thing in the message when it is not there."""
        return self._persist("GET", address, asked, None, what)

    def post(self, address: str, body: bytes, *, what: str) -> Answer:
        """What a POST answers; sent again when it may not have arrived.

        An object with an id and version that the server knows is a success (5.4), so that it may.
        """
        return self._persist("POST", address, None, body, what)

    def delete(self, address: str, asked: Mapping[str, str] | None = None, *, what: str) -> None:
        """Have something removed."""
        self._persist("DELETE", address, asked, None, what)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _persist(
        self,
        method: str,
        address: str,
        asked: Mapping[str, str] | None,
        body: bytes | None,
        what: str,
    ) -> Answer:
        for pause in self._pauses:
            try:
                return self._once(method, address, asked, body, what)
            except _PassingError as passing:
                spread = pause * (0.75 + secrets.randbelow(501) / 1000)
                self._sleep(min(max(spread, passing.asked), _LONGEST_PAUSE))
        try:
            return self._once(method, address, asked, body, what)
        except _PassingError as passing:
            raise passing.error from passing

    def _once(
        self,
        method: str,
        address: str,
        asked: Mapping[str, str] | None,
        body: bytes | None,
        what: str,
    ) -> Answer:
        headers = {} if body is None else {"Content-Type": MEDIA_TYPE}
        try:
            with self._session.request(
                method,
                address,
                params=asked,
                data=body,
                headers=headers,
                auth=self._auth,
                allow_redirects=False,
                stream=True,
                timeout=(_CONNECT_SECONDS, _SILENCE_SECONDS),
                verify=self._verify,
                cert=self._certificate,
            ) as response:
                if self._keep_receipt and RECEIPT_HEADER in response.headers:
                    self._keep_receipt(response.headers[RECEIPT_HEADER])
                return _answer(response, self._read(response), what)
        except SSLError as error:
            raise ServerTlsError("a certificate was refused") from error
        except Timeout as error:
            raise _PassingError(ServerUnreachableError("it did not answer in time")) from error
        except requests.ConnectionError as error:
            words = "it refuses connections, or the connection broke off"
            raise _PassingError(ServerUnreachableError(words)) from error
        except RequestException as error:
            raise _PassingError(ServerUnreachableError("the answer was cut off")) from error
        except OSError as error:  # requests checks that the files exist, and only so
            raise ServerTlsError("a file of certificates cannot be read") from error

    def _read(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + _ANSWER_SECONDS
        pieces, size = [], 0
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > self._largest:
                raise ServerAnswerTooLargeError(self._largest)
            if time.monotonic() > deadline:
                raise ServerUnreachableError("its answer takes too long")
            pieces.append(piece)
        return b"".join(pieces)


def checked_address(text: str) -> str:
    """The address with a final slash: https, or http on this machine itself.

    Raises ServerAddressError for anything else, and for an address with a password in it.
    """
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ServerAddressError(
            "The address of the TAXII server cannot be read. Write it as https://HOST/taxii2/."
        ) from None
    if parts.scheme not in {"https", "http"} or not host:
        raise ServerAddressError(
            "The address of the TAXII server has no scheme or no host. Write it as "
            "https://HOST/taxii2/."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ServerAddressError(
            "The address of the TAXII server has a password, a query or a fragment in it. Put the "
            "password into a file and name that in the settings."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ServerAddressError(
            "The address of the TAXII server begins with http://, which shows the credential to "
            "the network. Write it with https://; http:// is for this machine itself only."
        )
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    return f"{parts.scheme}://{parts.netloc}{path}"


class _PassingError(Exception):
    """Worth another attempt; `error` is what to say when there is none left."""

    def __init__(self, error: TaxiiError, *, asked: float = 0) -> None:
        super().__init__(str(error))
        self.error = error
        self.asked = asked  # seconds that the server asks to wait


def _auth(access: Access) -> AuthBase:
    if access.token is not None:
        return Bearer(access.token)
    if access.user is not None and access.password is not None:
        return HTTPBasicAuth(access.user.encode(), access.password.encode())
    return Anonymous()


def _certificate(access: Access) -> str | tuple[str, str] | None:
    if access.certificate_file is None:
        return None
    if access.key_file is None:
        return str(access.certificate_file)
    return str(access.certificate_file), str(access.key_file)


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or usual


def _answer(response: requests.Response, body: bytes, what: str) -> Answer:
    status = response.status_code
    if status in _OK:
        return Answer(_content(response, body), response.headers, _date(response))
    if status in _REDIRECTS:
        raise NotTaxiiError("it redirects elsewhere, and a credential follows no redirect")
    raise _refusal(response, status, _words(body), what)


def _refusal(  # noqa: PLR0911 - one line for each status that has a meaning of its own
    response: requests.Response, status: int, words: str, what: str
) -> Exception:
    if status in _PASSING:
        return _PassingError(ServerBusyError(status), asked=_seconds(response))
    if status >= _SERVER_ERROR:
        return ServerFailedError(status)
    match status:
        case 401:
            return CredentialRefusedError()
        case 403:
            return AccessRefusedError(words.rstrip("."))
        case 404:
            return NotThereError(what)
        case 406:
            return NotTaxiiError("it does not speak version 2.1")
        case 413:
            return BodyRefusedError()
    return ServerRefusedError(status, words.rstrip("."))


def _content(response: requests.Response, body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        content = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        if "json" not in response.headers.get("Content-Type", ""):
            raise NotTaxiiError("the answer is not JSON") from None
        raise ServerAnswerError("its beginning") from None
    if not isinstance(content, dict):
        raise ServerAnswerError("its beginning")
    return content


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _words(body: bytes) -> str:
    """The title and description of a TAXII error (3.6.1), in one line; "" when it is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    parts = [plain(content[name]) for name in ("title", "description") if content.get(name)]
    return ": ".join(part.rstrip(".") for part in parts)


def _seconds(response: requests.Response) -> float:
    """Seconds from now in Retry-After, which may hold a number or a date; 0 without one."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = moment_of(text)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0


def _date(response: requests.Response) -> datetime | None:
    return moment_of(response.headers.get("Date", ""))
