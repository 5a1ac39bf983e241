"""Asking the holders of a shared key: all at once, with the organisation's own signature.

The platform passes the parts on as they are: clients check each proof themselves, so that a holder
that cheats is named to those whom it cheats. A holder that does not answer is left alone for a
while, and only missed when too few others do.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import requests
import structlog
from urllib3.exceptions import HTTPError

from app.config import HolderSettings
from app.errors import PosternError, QuotaSpentError
from app.pseudonyms.holder_errors import (
    HoldersMissingError,
    ShareMissingError,
    SignatureRefusedError,
)
from postern.group import SIZE
from postern.strict_json import MalformedError, parse_object
from postern.threshold import MOST_HOLDERS
from postern.voprf import PROOF_SIZE

log = structlog.get_logger(__name__)

PATH = "/api/v1/holder/evaluate"
_GRACE_SECONDS = 1.0  # for those still out when enough have answered, of whom one may cheat
_REST_SECONDS = 30.0  # for one that did not answer
_LARGEST_ANSWER = 200_000  # bytes; 1000 elements in JSON are 46,000
_LONGEST_WAIT = 9  # digits of seconds
_OK = range(200, 300)
_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True)
class HeldPart:
    """What a holder answered, unverified."""

    number: int
    name: str
    elements: list[bytes]
    proof: bytes


class RefusalError(Exception):
    """A holder answered that it will not; `code` is its word for why."""

    def __init__(self, name: str, code: str, retry_after: str) -> None:
        super().__init__(code)
        self.name = name
        self.code = code
        self.retry_after = retry_after


class AwayError(Exception):
    """A holder did not answer, or not in its form."""


class Holders:
    """The ways to all holders, for the life of a process."""

    def __init__(self, settings: HolderSettings) -> None:
        self._seconds = settings.seconds
        self._verify: str | bool = settings.ca_file or True
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._sessions = threading.local()
        self._resting: dict[str, float] = {}  # address -> until then

    def ask(
        self, holders: Sequence[Mapping[str, Any]], least: int, body: Mapping[str, Any]
    ) -> list[HeldPart]:
        """The parts of those that answered, at least `least`, in the order of their numbers.

        HoldersMissingError, and SignatureRefusedError or QuotaSpentError when so many refuse that
        too few are left.
        """
        fresh = [each for each in holders if not self._rests(each["address"])]
        tired = [each for each in holders if each not in fresh]
        found: dict[int, HeldPart] = {}
        refusals: list[RefusalError] = []
        for few in (fresh, tired):
            if few and len(found) < least:
                self._ask_some(few, least, body, found, refusals)
        if len(found) >= least:
            return [found[number] for number in sorted(found)]
        if refusals:
            raise _told(refusals[0])
        missing = [each["name"] for each in holders if each["number"] not in found]
        raise HoldersMissingError(
            f"{least} of {len(holders)} holders must take part; no answer from "
            f"{', '.join(missing)}.",
            holders=missing,
        )

    def _ask_some(
        self,
        holders: Sequence[Mapping[str, Any]],
        least: int,
        body: Mapping[str, Any],
        found: dict[int, HeldPart],
        refusals: list[RefusalError],
    ) -> None:
        pool = self._workers()
        asked: dict[Future[HeldPart], Mapping[str, Any]] = {
            pool.submit(self._ask_one, each, body): each for each in holders
        }
        left, enough = set(asked), False
        while left:
            done, left = wait(left, _GRACE_SECONDS if enough else None, FIRST_COMPLETED)
            if not done:
                break  # the others may come too late; they are not waited for
            for each in done:
                holder = asked[each]
                try:
                    found[holder["number"]] = each.result()
                except RefusalError as refusal:
                    refusals.append(refusal)
                except AwayError:
                    continue
            enough = len(found) >= least

    def _ask_one(self, holder: Mapping[str, Any], body: Mapping[str, Any]) -> HeldPart:
        """Its part; it rests when it does not answer, whoever still waits for it."""
        try:
            part = self._answered(holder, body)
        except AwayError as error:
            self._resting[holder["address"]] = time.monotonic() + _REST_SECONDS
            log.warning("holder away", holder=holder["name"], why=str(error))
            raise
        self._resting.pop(holder["address"], None)
        return part

    def _answered(self, holder: Mapping[str, Any], body: Mapping[str, Any]) -> HeldPart:
        try:
            with self._session().post(
                holder["address"] + PATH,
                json=body,
                timeout=self._seconds,
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            ) as answer:
                content = answer.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
                after = answer.headers.get("Retry-After", "")
                return part_of(holder, answer.status_code, after, content, body)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise AwayError(type(error).__name__) from None

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            session = requests.Session()
            session.trust_env = False
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
            self._sessions.session = session
        found: requests.Session = self._sessions.session
        return found

    def _workers(self) -> ThreadPoolExecutor:
        with self._lock:  # made when it is first needed: threads do not survive a fork
            if self._pool is None:
                self._pool = ThreadPoolExecutor(2 * MOST_HOLDERS, "holders")
            return self._pool

    def _rests(self, address: str) -> bool:
        return self._resting.get(address, 0) > time.monotonic()


def part_of(
    holder: Mapping[str, Any], status: int, after: str, content: bytes, body: Mapping[str, Any]
) -> HeldPart:
    """The part in a holder's answer to `body`; `after` is its Retry-After.

    RefusalError when it says that it will not, AwayError for anything else.
    """
    if len(content) > _LARGEST_ANSWER or not (status in _OK or status in _CLIENT_ERRORS):
        raise AwayError(f"it answered {status}")
    most = len(body["elements"])
    try:
        told = parse_object(content)
        if status in _CLIENT_ERRORS:
            raise RefusalError(holder["name"], told.text("code")[:40], after)
        elements, proof = told.octets_list("elements", SIZE, most), told.octets("proof", PROOF_SIZE)
    except MalformedError:
        raise AwayError(f"its answer {status} is in no form") from None
    if len(elements) != most:
        raise AwayError("it answered another number of elements")
    return HeldPart(holder["number"], holder["name"], elements, proof)


def _told(refusal: RefusalError) -> PosternError:
    if refusal.code == QuotaSpentError.code:
        is_number = refusal.retry_after.isascii() and refusal.retry_after.isdigit()
        after = refusal.retry_after[:_LONGEST_WAIT] if is_number else "3600"
        return QuotaSpentError(
            f"The evaluations that holder {refusal.name} allows are spent.",
            headers={"Retry-After": after},
        )
    if refusal.code == ShareMissingError.code:
        return HoldersMissingError(
            f"Holder {refusal.name} has no share of the key of this epoch.", holders=[refusal.name]
        )
    return SignatureRefusedError(
        f"Holder {refusal.name} refuses: {refusal.code}.", reason=refusal.code
    )
