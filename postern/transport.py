"""HTTP to the platform: where a token may go, how long to wait, how much to read, when to retry.

What an answer means is read in `postern.client`; here a status becomes one of the named errors.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.exceptions import ConnectionError as NoConnectionError
from requests.exceptions import RequestException, SSLError, Timeout
from urllib3.exceptions import NameResolutionError, NewConnectionError

from postern import __version__
from postern.client_errors import (
    AddressRefusedError,
    AnswerMalformedError,
    AnswerTooLargeError,
    BodyTooLargeError,
    ClientError,
    EpochClosedError,
    FileNotWrittenError,
    HoldersMissingError,
    NotAllowedError,
    NotThePlatformError,
    PlatformFailedError,
    PlatformUnreachableError,
    QuotaSpentError,
    RequestRefusedError,
    ScreeningNotAgreedError,
    TlsFailedError,
    TokenRefusedError,
)

RECEIPT_HEADER = "Postern-Receipt"
NEXT_HEADER = "Postern-Next"
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between attempts; one attempt more than pauses
LARGEST_ANSWER = 32 * 2**20  # bytes; a page of 100 queries with 50 hits each is far smaller

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 60.0  # between two pieces of an answer
_ANSWER_SECONDS = 300.0  # for a whole answer
_LONGEST_PAUSE = 60.0  # seconds that a platform may ask us to wait within one call
_PIECE = 65536  # bytes
_LONGEST_TEXT = 400  # characters of a platform's sentence that are shown
_MOST_PLACES = 5

_OK = range(200, 300)
_REDIRECTS = range(300, 400)
_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_NO_CONTENT, _TOO_LARGE, _TOO_MANY = 204, 413, 429
_SERVER_ERROR = 500
_PASSING = frozenset({502, 503, 504})  # a proxy or a restarting service: worth another attempt


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer: its JSON (None when it has none), and the platform's clock when it said it.

    `following` is the cursor of the next page, for answers that tell it in a header; `headers`
    are there with answers in bytes.
    """

    content: Any
    date: datetime | None
    following: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport:
    """Sends JSON to one platform and reads JSON back, with or without the token.

    `certificate` is the own TLS certificate and its key (None: in the same file), for platforms
    that bind a token to it. `keep_receipt` takes the receipt of each act
    (`postern.audit.receipts`); it must not raise.
    `pauses` are the seconds between attempts, PAUSES by default; `sleep` is replaced in tests.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        certificate: tuple[Path, Path | None] | None = None,
        keep_receipt: Callable[[str], None] | None = None,
        pauses: Sequence[float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = checked_address(address)
        self._token = token
        self._verify: str | bool = str(ca_file) if ca_file else True
        self._certificate = _as_files(certificate)
        self._keep_receipt = keep_receipt
        self._pauses = PAUSES if pauses is None else pauses
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": f"postern/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
        )

    def get(self, path: str, *, with_token: bool = True) -> Answer:
        """What a GET answers; tried again while the platform is away. Raises ClientError."""
        return self._persist("GET", path, None, with_token=with_token, repeatable=True)

    def post(self, path: str, payload: Mapping[str, Any], *, repeatable: bool) -> Answer:
        """What a POST answers. Raises ClientError.

        Only a `repeatable` request is sent again when it is unknown whether it arrived.
        """
        body = json.dumps(payload, separators=(",", ":")).encode()
        return self._persist("POST", path, body, with_token=True, repeatable=repeatable)

    def get_bytes(self, path: str) -> bytes:
        """The body of what a GET answers, which need not be JSON. Raises ClientError."""
        content: bytes = self.get_page(path).content
        return content

    def get_page(self, path: str) -> Answer:
        """The same, with the cursor of the page that follows. Raises ClientError."""
        return self._persist("GET", path, None, with_token=True, repeatable=True, kind=_Kind.RAW)

    def download(self, path: str, into: IO[bytes]) -> None:
        """Write the body of what a GET answers, of any length, to a file. Raises ClientError.

        It is asked for again only where it cannot have arrived: what leaves is logged each time.
        """
        self._persist(
            "GET", path, None, with_token=True, repeatable=False, kind=_Kind.FILE, into=into
        )

    def post_lines(self, path: str, lines: bytes) -> Answer:
        """What a POST of plain text answers, in JSON; sent again when it may not have arrived."""
        return self._persist(
            "POST", path, lines, with_token=True, repeatable=True, kind=_Kind.LINES
        )

    def post_octets(self, path: str, content: bytes) -> Answer:
        """What a POST of bytes answers, in JSON; sent again when it may not have arrived."""
        return self._persist(
            "POST", path, content, with_token=True, repeatable=True, kind=_Kind.OCTETS
        )

    def exchange_octets(self, path: str, content: bytes, *, repeatable: bool = True) -> Answer:
        """What a POST of bytes answers, in bytes; `repeatable`: sent again when it may have
        arrived."""
        return self._persist(
            "POST", path, content, with_token=True, repeatable=repeatable, kind=_Kind.EXCHANGE
        )

    def delete(self, path: str) -> None:
        """Have something removed; sent again when it may not have arrived. Raises ClientError."""
        self._persist("DELETE", path, None, with_token=True, repeatable=True, kind=_Kind.RAW)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _persist(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        with_token: bool,
        repeatable: bool,
        kind: "_Kind | None" = None,
        into: IO[bytes] | None = None,
    ) -> Answer:
        kind = kind or _Kind.JSON
        for pause in self._pauses:
            try:
                return self._once(method, path, body, with_token=with_token, kind=kind, into=into)
            except _PassingError as passing:
                if not (repeatable or passing.before_arrival):
                    raise passing.error from passing
                # Spread out, so that clients that a restart cut off do not come back as one.
                spread = pause * (0.75 + secrets.randbelow(501) / 1000)
                self._sleep(min(max(spread, passing.asked), _LONGEST_PAUSE))
        try:
            return self._once(method, path, body, with_token=with_token, kind=kind, into=into)
        except _PassingError as passing:
            raise passing.error from passing

    def _once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        with_token: bool,
        kind: "_Kind",
        into: IO[bytes] | None = None,
    ) -> Answer:
        auth = Bearer(self._token) if with_token and self._token else Anonymous()
        headers = {} if body is None else {"Content-Type": _SENT[kind]}
        if kind in _BYTES_BACK:
            headers["Accept"] = "*/*"
        try:
            with self._session.request(
                method,
                self.address + path,
                data=body,
                headers=headers,
                auth=auth,
                allow_redirects=False,  # a token never follows to another host
                stream=True,
                timeout=(_CONNECT_SECONDS, _SILENCE_SECONDS),
                verify=self._verify,
                cert=self._certificate,
            ) as response:
                if self._keep_receipt and RECEIPT_HEADER in response.headers:
                    self._keep_receipt(response.headers[RECEIPT_HEADER])
                if into is not None and response.status_code in _OK:
                    _pour(response, into)
                    return Answer(None, _date(response))
                return _answer(response, _read(response), kind)
        except SSLError as error:
            raise TlsFailedError(_words_of_tls(error)) from error
        except Timeout as error:
            before = isinstance(error, requests.ConnectTimeout)
            raise _PassingError(
                PlatformUnreachableError("it did not answer in time"), before_arrival=before
            ) from error
        except NoConnectionError as error:
            raise _unconnected(error) from error
        except RequestException as error:
            raise _PassingError(
                PlatformUnreachableError("the answer was cut off"), before_arrival=False
            ) from error
        except OSError as error:  # requests checks that the file of a CA exists, and only so
            raise TlsFailedError("the file named as ca_file cannot be read") from error


def checked_address(text: str) -> str:
    """The address without a final slash: https, or http on this machine itself.

    Raises AddressRefusedError for anything else, and for anything after the host.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefusedError(
            "The address of the platform cannot be read. Write it as https://HOST."
        ) from None
    if parts.scheme not in {"https", "http"} or not host:
        raise AddressRefusedError(
            "The address of the platform has no scheme or no host. Write it as https://HOST."
        )
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise AddressRefusedError(
            "The address of the platform has more than a scheme and a host. Write it as "
            "https://HOST."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise AddressRefusedError(
            "The address of the platform begins with http://, which shows the token to the "
            "network. Write it with https://; http:// is for this machine itself only."
        )
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}{f':{port}' if port else ''}"


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def moment_of(text: str) -> datetime | None:
    """The moment in a header such as Date; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return moment if moment.tzinfo else None


class Bearer(AuthBase):
    """Sends a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Anonymous(AuthBase):
    """Sends no credential, and keeps requests from putting in what a .netrc says."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Kind(Enum):
    """What is sent, and whether the answer must be JSON."""

    JSON = "json"
    LINES = "lines"  # plain text; answered in JSON
    OCTETS = "octets"  # bytes; answered in JSON
    RAW = "raw"  # nothing is sent; any answer
    EXCHANGE = "exchange"  # bytes; answered in bytes
    FILE = "file"  # nothing is sent; any answer, which goes to a file


_SENT = {
    _Kind.JSON: "application/json",
    _Kind.LINES: "text/plain; charset=utf-8",
    _Kind.OCTETS: "application/octet-stream",
    _Kind.EXCHANGE: "application/octet-stream",
}
_BYTES_BACK = frozenset({_Kind.RAW, _Kind.EXCHANGE, _Kind.FILE})


class _PassingError(Exception):
    """Worth another attempt; `error` is what to say when there is none left."""

    def __init__(self, error: ClientError, *, before_arrival: bool, asked: float = 0) -> None:
        super().__init__(str(error))
        self.error = error
        self.before_arrival = before_arrival  # the platform cannot have acted on the request
        self.asked = asked  # seconds that the platform asks to wait


def _as_files(certificate: tuple[Path, Path | None] | None) -> tuple[str, str] | str | None:
    """A certificate and its key as requests take them."""
    if certificate is None:
        return None
    file, key_file = certificate
    return str(file) if key_file is None else (str(file), str(key_file))


def _read(response: requests.Response) -> bytes:
    deadline = time.monotonic() + _ANSWER_SECONDS
    pieces, size = [], 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise AnswerTooLargeError(LARGEST_ANSWER)
        if time.monotonic() > deadline:
            raise PlatformUnreachableError("its answer takes too long")
        pieces.append(piece)
    return b"".join(pieces)


def _pour(response: requests.Response, into: IO[bytes]) -> None:
    for piece in response.iter_content(_PIECE):
        try:
            into.write(piece)
        except OSError as error:
            raise FileNotWrittenError(error.strerror or "its disk refuses it") from error


def _answer(response: requests.Response, body: bytes, kind: "_Kind") -> Answer:
    status = response.status_code
    if status in _OK and kind in _BYTES_BACK:
        following = response.headers.get(NEXT_HEADER)
        return Answer(body, _date(response), following, response.headers)
    if status == _NO_CONTENT:
        return Answer(None, _date(response))
    if status in _OK:
        try:
            return Answer(json.loads(body), _date(response))
        except (ValueError, RecursionError):
            if "json" not in response.headers.get("Content-Type", ""):
                raise NotThePlatformError("the answer is not JSON") from None
            raise AnswerMalformedError("its beginning") from None
    if status in _REDIRECTS:
        raise NotThePlatformError("it redirects elsewhere, and a token follows no redirect")
    raise _refusal(response, status, _problem(body))


def _refusal(  # noqa: C901, PLR0911 - one line for each status that has a meaning of its own
    response: requests.Response, status: int, problem: Mapping[str, Any] | None
) -> Exception:
    code = problem.get("code") if problem else None
    if code == "holders-missing" and problem:
        return HoldersMissingError(_plain(problem.get("detail", "holders are missing.")))
    if status in _PASSING:
        return _PassingError(
            PlatformFailedError(status, _reference(response)),
            before_arrival=code == "unavailable",  # the platform's own word: nothing was changed
            asked=_seconds(response),
        )
    if status >= _SERVER_ERROR:
        return PlatformFailedError(status, _reference(response))
    if problem is None and status in {_NOT_FOUND, 400, 405, 421}:
        return NotThePlatformError(f"it answers {status} without saying why")
    words = problem or {}
    if status == _UNAUTHORISED:
        return TokenRefusedError()
    if status == _FORBIDDEN and code == "screening-not-agreed":
        return ScreeningNotAgreedError()
    if status == _FORBIDDEN:
        return NotAllowedError(
            _plain(words.get("detail", "a role or scope is missing")).rstrip(".")
        )
    if status == _CONFLICT and code == "epoch-closed":
        current = words.get("epoch")
        return EpochClosedError(current if isinstance(current, int) else None)
    if status == _TOO_MANY:
        return QuotaSpentError(_resets_at(response, words))
    if status == _TOO_LARGE:
        return BodyTooLargeError()
    return RequestRefusedError(
        status,
        _plain(words.get("detail", "it gives no reason.")),
        _plain(words.get("remedy", "Update postern, or tell the platform's operator.")),
        _places(words.get("errors")),
    )


def _problem(body: bytes) -> Mapping[str, Any] | None:
    """The members of an RFC 9457 problem; None when the body is none."""
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return problem if isinstance(problem, dict) and "code" in problem else None


def _plain(text: object) -> str:
    """A sentence of the platform that can do nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:_LONGEST_TEXT])


def _places(errors: object) -> tuple[str, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(
        _plain(f"{each.get('field')}: {each.get('reason')}")
        for each in errors[:_MOST_PLACES]
        if isinstance(each, dict)
    )


def _reference(response: requests.Response) -> str:
    return _plain(response.headers.get("X-Request-Id", ""))


def _seconds(response: requests.Response) -> float:
    """Seconds in Retry-After, 0 without one; its form with a date is not in use here."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _resets_at(response: requests.Response, problem: Mapping[str, Any]) -> datetime | None:
    seconds = _seconds(response)
    if seconds:
        try:
            return datetime.now(UTC) + timedelta(seconds=seconds)
        except OverflowError:
            return None
    try:
        moment = datetime.fromisoformat(str(problem.get("resets_at")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _date(response: requests.Response) -> datetime | None:
    return moment_of(response.headers.get("Date", ""))


def _unconnected(error: NoConnectionError) -> ClientError | _PassingError:
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", reason)
    if isinstance(cause, NameResolutionError):
        return _PassingError(
            PlatformUnreachableError("its name is not known to the network"), before_arrival=True
        )
    before = isinstance(cause, NewConnectionError)
    what = "it refuses connections" if before else "the connection broke off"
    return _PassingError(PlatformUnreachableError(what), before_arrival=before)


def _words_of_tls(error: SSLError) -> str:
    text = str(error)
    for found, words in _TLS_WORDS.items():
        if found in text:
            return words
    return "the handshake failed"


_TLS_WORDS = {
    "Hostname mismatch": "it is for another name",
    "IP address mismatch": "it is for another name",
    "certificate has expired": "it has expired",
    "certificate is not yet valid": "it is not valid yet",
    "self-signed certificate": "it is signed by itself or by an authority that is not trusted",
    "self signed certificate": "it is signed by itself or by an authority that is not trusted",
    "unable to get local issuer": "it is signed by an authority that is not trusted",
    "WRONG_VERSION_NUMBER": "the address speaks http, not https",
}
