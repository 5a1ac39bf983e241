"""A loopback platform with two members and the verbs of disclosure, which can be told to cheat.

It keeps what it is given and gives it back; who may do what is tested with the real platform. What
it is told to cheat about is what premises must notice.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from postern.envelope import Envelope
from postern.pseudonym import token
from postern.vocabulary import EVALUATION_KIND, Kind
from tests.postern.loopback_platform import (
    ORGANISATION,
    LoopbackPlatform,
    Reply,
    now,
    problem,
    to_bytes,
    to_text,
)

POLICE = {"code": "police-de", "name": "Police of Example", "sector": "police", "country": "DE"}
POLICE_TOKEN = "pst_police"
MEMBERS = {ORGANISATION["code"]: ORGANISATION, POLICE["code"]: POLICE}
SCOPES = [
    *("evaluate", "reports:read", "reports:write", "lookups:write", "indicators:read"),
    *("disclosures:ask", "disclosures:decide", "watches:write", "outcomes:write"),
    *("recalls:write", "subjects:write"),
]


@dataclass
class Stored:
    """An envelope at the platform; `wire` is what it says of it."""

    wire: dict[str, Any]
    content: bytes


@dataclass
class Asked:
    """A disclosure request at the platform."""

    wire: dict[str, Any]
    report: str
    deliveries: dict[str, bytes] = field(default_factory=dict)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)


class LoopbackExchange(LoopbackPlatform):
    """The post and the police on one platform."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens[POLICE_TOKEN] = POLICE["code"]
        self.envelopes: dict[str, list[Stored]] = {}  # report id -> envelopes
        self.requests: dict[str, Asked] = {}
        self.shows: Callable[[dict[str, Any]], dict[str, Any]] = lambda wire: wire
        self.gives: Callable[[bytes], bytes] = lambda content: content
        self.needs_second = False
        self.told: list[tuple[str, str, Any]] = []  # method, path and body of the other verbs
        self.lists: dict[str, Any] = {}  # path -> what is answered

    def answer(self, method: str, address: str, body: Any) -> Reply:
        if self.bearer:
            self.me = {**self.me, "organisation": MEMBERS[self.bearer], "scopes": SCOPES}
        return super().answer(method, address, body)

    def answer_more(self, method: str, path: str, asked: Mapping[str, str], body: Any) -> Reply:
        place = path.split("/")[3:]
        if place[0] == "reports":
            return self._reports(place[1:], asked, body)
        if place == ["disclosures"]:
            return self._make(body)
        if place[0] == "disclosures":
            return self._disclosures(place[1], place[2:], body)
        if path in self.lists:
            self.told.append((method, path, body))
            return Reply(200, self.lists[path])
        return super().answer_more(method, path, asked, body)

    def indicator_of(self, report: str, place: int = 0) -> str:
        """A made-up id of a report's indicator, which tells which one it is."""
        return f"{report}-{place}"

    def _reports(self, place: list[str], asked: Mapping[str, str], body: Any) -> Reply:
        report = self.taken.get(place[0])
        if report is None:
            return problem(404, "not-found")
        match place[1:]:
            case []:
                return Reply(200, {"id": place[0], "client_key": report["client_key"]})
            case ["attachments"]:
                return self._attach(place[0], int(asked["number"]), body)
            case ["envelopes"]:
                return Reply(200, {"envelopes": [each.wire for each in self._held(place[0])]})
            case ["envelopes", identifier]:
                return Reply(200, self._content(place[0], identifier))
        return problem(404, "not-found")

    def _held(self, report: str) -> list[Stored]:
        if report not in self.envelopes:
            self.envelopes[report] = list(self._sealed_of(self.taken[report]))
        return self.envelopes[report]

    def _sealed_of(self, report: Mapping[str, Any]) -> Iterator[Stored]:
        for number, indicator in enumerate(report["indicators"]):
            epoch, tokens = indicator.get("epoch", 0), bytes(16)
            if epoch:
                element = to_bytes(indicator["elements"][0]["element"])
                tokens = token(EVALUATION_KIND[Kind(indicator["kind"])], epoch, element)
            record = f"{report['client_key']}/{number}"
            for part, sealed in indicator.get("sealed", {}).items():
                yield _stored(
                    to_bytes(sealed),
                    part=part,
                    number=0,
                    kind=indicator["kind"],
                    epoch=epoch,
                    token=to_text(tokens),
                    record=record,
                )

    def _attach(self, report: str, number: int, content: bytes) -> Reply:
        record = self.taken[report]["client_key"]
        stored = _stored(
            content,
            part="attachment",
            number=number,
            kind="report",
            epoch=0,
            token=to_text(bytes(16)),
            record=record,
        )
        self._held(report).append(stored)
        told = {"id": stored.wire["id"], "number": number, "size": len(content)}
        return Reply(201, told)

    def _content(self, report: str, identifier: str) -> bytes:
        (found,) = [each for each in self._held(report) if each.wire["id"] == identifier]
        return self.gives(found.content)

    def _disclosures(self, box: str, place: list[str], body: Any) -> Reply:
        if not place:
            return self._list_requests(box)
        asked = self.requests.get(place[0])
        side = "requester" if box == "asked" else "owner"
        if asked is None or asked.wire[side]["code"] != self.bearer:
            return problem(404, "not-found")
        match place[1:]:
            case ["envelopes", identifier]:
                return Reply(200, self._content(asked.report, identifier))
            case ["deliveries", identifier]:
                return Reply(200, self.gives(asked.deliveries[identifier]))
            case ["deliveries", identifier, "receipt"]:
                asked.receipts.append({"delivery": identifier, **body})
                _delivery(asked, identifier)["received_at"] = now().isoformat()
                asked.wire["state"] = "received"
            case [verb]:
                self._do(asked, verb, body)
        return Reply(200, self._shown(asked, whole=box == "received" and not place[1:]))

    def _do(self, asked: Asked, verb: str, body: Any) -> None:
        match verb:
            case "answer":
                self._say(asked, "answer", body, "open")
            case "withdrawal":
                asked.wire["state"] = "withdrawn"
            case "question":
                self._say(asked, "question", body, "questioned")
            case "decision":
                self._decide(asked, body)
            case "confirmation":
                asked.wire["decision"]["state"] = "effective" if body["agrees"] else "rejected"
                asked.wire["state"] = "released" if body["agrees"] else "open"

    def _list_requests(self, box: str) -> Reply:
        side = "requester" if box == "asked" else "owner"
        found = [each for each in self.requests.values() if each.wire[side]["code"] == self.bearer]
        rows = []
        for each in found:
            messages = [{**one, "sealed": None} for one in each.wire["messages"]]
            rows.append({**self._shown(each, whole=False), "messages": messages})
        return Reply(200, {"requests": rows, "next": None})

    def _make(self, body: Any) -> Reply:
        report, _, place = body["indicator"].rpartition("-")
        indicator = self.taken[report]["indicators"][int(place)]
        moment = now()
        wire = {
            "id": str(uuid4()),
            "state": "open",
            "requester": MEMBERS[self.bearer],
            "owner": ORGANISATION,
            **{name: indicator[name] for name in ("kind", "role")},
            **{name: body[name] for name in ("indicator", "lookup", "urgency", "asked", "action")},
            "purpose": "criminal_investigation",
            "legal_basis": "criminal_procedure",
            "made_at": moment.isoformat(),
            "due_at": (moment + timedelta(hours=8)).isoformat(),
            "lapses_at": (moment + timedelta(days=14)).isoformat(),
            "messages": [],
            "decision": None,
            "deliveries": [],
        }
        asked = Asked(wire, report)
        self.requests[wire["id"]] = asked
        self._say(asked, "ask", body, "open")
        return Reply(201, self._shown(asked, whole=False))

    def _shown(self, asked: Asked, *, whole: bool) -> dict[str, Any]:
        wire = dict(asked.wire)
        if whole:
            wire["envelopes"] = [
                each.wire for each in self._held(asked.report) if _is_of(each, wire["indicator"])
            ]
        return self.shows(wire)

    def _say(self, asked: Asked, kind: str, body: Any, state: str) -> None:
        message = {
            "id": str(uuid4()),
            "kind": kind,
            "organisation": self.bearer,
            "record": body["record"],
            "at": now().isoformat(),
            "sealed": body["message"],
        }
        asked.wire["messages"].append(message)
        asked.wire["state"] = state

    def _decide(self, asked: Asked, body: Any) -> None:
        asked.decisions.append(body)
        if body.get("message"):
            self._say(asked, "reason", body, "open")
        asked.wire["decision"] = {
            "id": str(uuid4()),
            "answer": body["answer"],
            "reason": body["reason"],
            "state": "proposed" if self.needs_second else "effective",
            "made_at": now().isoformat(),
        }
        asked.wire["state"] = "released" if body["parts"] else "refused"
        if body["parts"] and self.needs_second:
            asked.wire["state"] = "proposed"
        held = {each.wire["id"]: each.wire for each in self._held(asked.report)}
        for part in body["parts"]:
            content = to_bytes(part["sealed"])
            wire = {
                **held[part["envelope"]],
                "id": str(uuid4()),
                "size": len(content),
                "digest": to_text(hashlib.sha256(content).digest()),
                "available": not self.needs_second,
                "expires_at": (now() + timedelta(days=30)).isoformat(),
                "received_at": None,
                "check": None,
                "erased": False,
            }
            asked.wire["deliveries"].append(wire)
            asked.deliveries[wire["id"]] = content


def _stored(content: bytes, **place: Any) -> Stored:
    Envelope.parse(content)
    digest = to_text(hashlib.sha256(content).digest())
    told = {"id": str(uuid4()), "indicator": None, "size": len(content), "digest": digest}
    return Stored({**told, **place}, content)


def _is_of(stored: Stored, indicator: str) -> bool:
    is_file = stored.wire["part"] == "attachment"
    return is_file or str(stored.wire["record"]).endswith(f"/{indicator.rpartition('-')[2]}")


def _delivery(asked: Asked, identifier: str) -> dict[str, Any]:
    (found,) = [each for each in asked.wire["deliveries"] if each["id"] == identifier]
    wire: dict[str, Any] = found
    return wire
