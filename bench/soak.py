"""A working day of mixed requests in a few minutes, and what the processes hold meanwhile.

    python -m bench.soak [--minutes 20] [--requests 24000] [--indicators 50000] [--directory DIR]

The platform runs as in production (bench/load_stage.py): gunicorn with two workers, the log's
process and the worker, on PostgreSQL with its roles. Workers are not replaced after a number of
requests, as they otherwise are after 10,000, so that nothing hides what they keep.

24,000 requests are a day of twenty members, 1,200 each: eight people who ask a hundred times, in
pages and lookups, a program that submits every ten minutes for eight hours, and one that reads what
is new every four minutes day and night. Four clients share them evenly over the time; when the
machine is too slow for that, the run says how many were answered.

Told are, for each process, resident memory and open files at the start, each minute and at the end,
and connections to the database. A line through the second half says whether memory grows: it does
when the slope is above zero with 95 % confidence and comes to more than 1 % in that half. The last
line is one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from app.access import CONSOLE
from app.accounts import service as accounts
from bench.browser import addresses
from bench.load import queries
from bench.load_clients import Tokens, lookup_body, submit_body
from bench.load_fill import fill, points, shapes
from bench.load_growth import second_half, straight
from bench.load_stage import (
    HOST,
    Running,
    connections,
    descriptors,
    get,
    post,
    resident_mib,
    running,
)
from bench.machine import machine
from bench.taxii_wire import AnswerError, Line
from postern import group
from postern.base64url import to_base64url
from postern.vocabulary import Role

MOST_MIB = 250
CLIENTS = 4
GROWTH = 0.01  # of what a process holds, in the second half: less is not told from noise
_EVERY_SECONDS = 10.0
_PATIENCE = 120.0
_SUBMITTED = 20  # reports of one submit
_EVALUATED = 16
_CLERK = ("clerk@police-zz.example", "long enough for a soak")
_CLERK_ROLES = frozenset({Role.ANALYST, Role.SUBMITTER})
_LISTED = "purpose=criminal_investigation&legal_basis=criminal_procedure&case=PV-2026-17"

MIX = {
    "lookup": 35,
    "lookup of 20 values": 5,
    "page": 27,
    "indicators listed": 12,
    "indicators counted": 4,
    "own reports listed": 6,
    "export as CSV": 1,
    "evaluation": 4,
    "submit": 4,
    "key document": 1,
    "health": 1,
}
"""Parts of the requests."""


@dataclass
class Watched:
    """One process: at each moment its memory and its open files."""

    name: str
    process: int
    mib: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def figures(self, times: Sequence[float]) -> dict[str, Any]:
        """What it held, and how that grew in the second half, in MiB an hour."""
        half, values = second_half(times, self.mib)
        line = straight(half, values)
        gained = line.slope * (half[-1] - half[0])
        return {
            "start_mib": round(self.mib[0], 1),
            "end_mib": round(self.mib[-1], 1),
            "most_mib": round(max(self.mib), 1),
            "mib_per_hour": round(line.slope * 3600, 2),
            "mib_per_hour_bound": round(line.bound * 3600, 2),
            "grows": line.slope > line.bound and gained > GROWTH * values[0],
            "files": [min(self.files[len(self.files) // 2 :]), max(self.files)],
        }


@dataclass(frozen=True)
class Member:
    """What the clients ask with."""

    port: int
    reads: str
    writes: Sequence[str]
    queries: Sequence[Tokens]
    pages: Sequence[str]
    cookie: str


def main() -> None:
    """Run, print what was seen each minute and, as the last line, the JSON object."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--requests", type=int, default=24_000)
    parser.add_argument("--indicators", type=int, default=50_000)
    parser.add_argument("--directory", type=Path, help="where the database lies meanwhile")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the database is removed
    with running(options.directory) as on:
        most = on.on.runtime.settings.matching.common_after
        fill(on.address(), shapes(on.on), options.indicators, most)
        _make_clerk(on)
        on.start(2, "--max-requests", "0")
        with psycopg.connect(on.address(), autocommit=True) as driver:
            asked = queries(driver, on, 4_000, 1)
            answer = _soaked(on, driver, options, asked)
    print(json.dumps({"benchmark": "soak", **answer, "machine": machine()}))
    sys.exit(0 if answer["passed"] else 1)


def _soaked(
    on: Running,
    driver: "psycopg.Connection[Any]",
    options: argparse.Namespace,
    asked: Sequence[Tokens],
) -> dict[str, Any]:
    cookie = signed_in(on.port)
    pages = [
        each for each in addresses(on.on.app) if _status(on.port, get(each, None, cookie)) == 200
    ]
    member = Member(on.port, on.reads, on.writes, asked, pages, cookie)
    watched = [
        *(Watched(f"web {place}", each) for place, each in enumerate(on.workers(), 1)),
        *(Watched(str(work), process.pid) for work, process in on.others.items()),
    ]
    times: list[float] = []
    lines: list[dict[str, int]] = []
    seconds = options.minutes * 60
    context = multiprocessing.get_context("fork")
    told: Any = context.Queue()
    began = time.monotonic()
    clients = [
        context.Process(
            target=_client,
            args=(member, number, options.requests // CLIENTS, seconds, told),
            daemon=True,
        )
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    print(f"{'minute':>6} " + " ".join(f"{each.name:>16}" for each in watched), flush=True)
    while True:
        times.append(time.monotonic() - began)
        for each in watched:
            each.mib.append(resident_mib(each.process))
            each.files.append(descriptors(each.process))
        lines.append(connections(driver))
        is_over = times[-1] >= seconds
        if is_over or int(times[-1] // 60) != int((times[-2] if len(times) > 1 else -60) // 60):
            _tell(times[-1], watched, lines[-1])
        if is_over:
            break
        time.sleep(min(_EVERY_SECONDS, max(0.1, seconds - times[-1])))
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for _ in clients:
        answered, refused = told.get(timeout=2 * _PATIENCE)
        done += answered
        failed += refused
    return _answer(options, watched, times, lines, (done, failed))


def _answer(
    options: argparse.Namespace,
    watched: Sequence[Watched],
    times: Sequence[float],
    lines: Sequence[dict[str, int]],
    counted: tuple[Counter[str], Counter[str]],
) -> dict[str, Any]:
    done, failed = counted
    processes = {each.name: each.figures(times) for each in watched}
    later = lines[len(lines) // 2 :]
    roles = sorted({role for each in lines for role in each})
    passed = not failed and all(
        each["most_mib"] < MOST_MIB and not each["grows"] for each in processes.values()
    )
    print(f"{sum(done.values()):,} of {options.requests:,} requests answered, {dict(done)}")
    for failure, count in failed.most_common(5):
        print(f"  failed {count} times: {failure}")
    for name, told in processes.items():
        print(
            f"{name:>8}: {told['start_mib']} MiB at first, {told['end_mib']} at last, at most"
            f" {told['most_mib']} of {MOST_MIB}; second half {told['mib_per_hour']:+.2f} ±"
            f" {told['mib_per_hour_bound']:.2f} MiB an hour, files {told['files']}:"
            f" {'GROWS' if told['grows'] else 'flat'}"
        )
    print("PASS" if passed else "FAIL", flush=True)
    return {
        "minutes": options.minutes,
        "asked": options.requests,
        "answered": dict(done),
        "failed": dict(failed),
        "processes": processes,
        "connections": {
            role: [min(e.get(role, 0) for e in later), max(e.get(role, 0) for e in lines)]
            for role in roles
        },
        "passed": passed,
        "load_average": os.getloadavg(),
        "samples": {
            "seconds": [round(each) for each in times],
            **{each.name: [round(mib, 1) for mib in each.mib] for each in watched},
        },
    }


def _tell(at: float, watched: Sequence[Watched], lines: dict[str, int]) -> None:
    held = " ".join(f"{each.mib[-1]:8.1f} {each.files[-1]:3} fd" for each in watched)
    print(f"{at / 60:6.1f}   {held}   {lines} load {os.getloadavg()[0]:.1f}", flush=True)


def _make_clerk(on: Running) -> None:
    """Somebody of the police who signs in with a password: the pages are asked for by them."""
    login, password = _CLERK
    with on.on.app.app_context():
        secret = accounts.new_secret(login, password)
        with on.on.database.transaction() as session:
            accounts.create(
                session,
                CONSOLE,
                organisation=on.on.viewer.organisation,
                login=login,
                name="Clerk",
                roles=_CLERK_ROLES,
                secret=secret,
            )


def signed_in(port: int) -> str:
    """The cookie of a session that a person began by the form."""
    line = Line(port, _PATIENCE)
    shown = line.ask(get("/sign-in", None))
    found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', shown.body)
    if found is None:
        raise AnswerError(f"{shown.status}: no form to sign in")
    login, password = _CLERK
    body = urlencode(
        {"login": login, "password": password, "csrf_token": found[1].decode(), "next": "/"}
    )
    cookie = shown.headers["set-cookie"].partition(";")[0]
    request = (
        f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    answer = line.ask(request.encode())
    line.close()
    if answer.status != 303 or "set-cookie" not in answer.headers:
        raise AnswerError(f"{answer.status}: nobody was signed in")
    return answer.headers["set-cookie"].partition(";")[0]


def _status(port: int, request: bytes) -> int:
    line = Line(port, _PATIENCE)
    try:
        return line.ask(request).status
    finally:
        line.close()


def _client(member: Member, number: int, requests: int, seconds: float, told: Any) -> None:
    """Ask evenly over the time; runs in a process of its own."""
    chance = random.Random(number)  # noqa: S311 - variety, not secrecy
    line = Line(member.port, _PATIENCE)
    making = _makers(member, chance)
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    began = time.monotonic()
    for place in range(requests):
        due = began + place * seconds / requests
        if (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        if time.monotonic() - began > seconds:
            break
        (name,) = chance.choices([*MIX], weights=[*MIX.values()])
        try:
            answer = line.ask(making[name]())
        except AnswerError as error:
            failed[f"{name}: {error}"] += 1
            continue
        if answer.status == 200:
            done[name] += 1
        else:
            failed[f"{name}: {answer.status} {answer.body[:160]!r}"] += 1
    line.close()
    told.put((done, failed))


def _makers(member: Member, chance: random.Random) -> dict[str, Callable[[], bytes]]:
    drawn: Iterator[bytes] = points()

    def lookups(count: int) -> bytes:
        bodies = [json.loads(lookup_body(chance.choice(member.queries))) for _ in range(count)]
        for place, each in enumerate(bodies):
            bodies[0]["queries"][place:] = [{**each["queries"][0], "id": str(place)}]
        return post("/api/v1/lookups", member.reads, json.dumps(bodies[0]).encode())

    def evaluation() -> bytes:
        elements = [to_base64url(group.base(group.random_scalar())) for _ in range(_EVALUATED)]
        body = {
            "kind": "postal",
            "epoch": 1,
            "elements": elements,
            "purpose": "criminal_investigation",
            "case": "PV-2026-17",
        }
        return post("/api/v1/evaluate", chance.choice(member.writes), json.dumps(body).encode())

    def read(path: str) -> Callable[[], bytes]:
        return lambda: get(path, member.reads)

    return {
        "lookup": lambda: lookups(1),
        "lookup of 20 values": lambda: lookups(20),
        "page": lambda: get(chance.choice(member.pages), None, member.cookie),
        "indicators listed": read(f"/api/v1/indicators?{_LISTED}"),
        "indicators counted": read(f"/api/v1/indicators/counts?{_LISTED}"),
        "own reports listed": lambda: get("/api/v1/reports", chance.choice(member.writes)),
        "export as CSV": read(f"/api/v1/indicators/export?format=csv&limit=1000&{_LISTED}"),
        "evaluation": evaluation,
        "submit": lambda: post(
            "/api/v1/reports",
            chance.choice(member.writes),
            submit_body(drawn, chance, _SUBMITTED),
        ),
        "key document": lambda: get("/.well-known/postern-keys.json", None),
        "health": lambda: get("/health/ready", None),
    }


if __name__ == "__main__":
    main()
