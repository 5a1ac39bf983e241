"""Clients that ask the platform for all sorts of things through HTTP, and note what they are told.

A client never knows which fault is on. What may have happened it sends again with the same key.
"""

import random
import re
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests

from postern import normalise, voprf
from tests.app.exchange import OPEN_TO_POLICE, b64, report
from tests.app.people import Person
from tests.faults.ground import FLICKERING, OWNER, READER, Ground
from tests.faults.notes import ACKNOWLEDGED, UNKNOWN, Act

GROUNDS = {"purpose": "criminal_investigation", "legal_basis": "criminal_procedure", "case": "PV-1"}
HANG = 40.0  # seconds after which a request has hung
PAUSE = 0.05  # seconds, on average, between two requests of a client
_FORM_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_TAXII = {"Accept": "application/taxii+json;version=2.1"}
_BULK = 12  # reports

_FIRST = ("Anna", "Bram", "Chloe", "Dirk", "Elif", "Farid", "Greet", "Hanna", "Ilse", "Joris")
_LAST = ("Aerts", "Bosman", "Claes", "Dubois", "Evers", "Faber", "Goossens", "Hermans", "Jacobs")
_STREETS = ("Lindelaan", "Kerkstraat", "Rue Haute", "Dorpsstraat", "Molenweg", "Rue Neuve")


class Client:
    """One client: a thread that does what it likes until it is told to end."""

    def __init__(
        self, ground: Ground, seed: int, weights: dict[str, int], pause: float = PAUSE
    ) -> None:
        self.ground, self.pause = ground, pause
        self.draw = random.Random(seed)  # noqa: S311 - a trial that can be repeated
        self.http = requests.Session()
        self.values: deque[tuple[str, Any]] = deque(maxlen=200)
        self.withdrawable: deque[str] = deque(maxlen=50)
        self.hits: deque[tuple[str, str]] = deque(maxlen=50)
        self.again: deque[list[dict[str, Any]]] = deque()
        self.number = 0
        self.name = f"c{seed}"
        self.weights = weights
        self.first = deque(FIRST if weights is MIXED else ())

    def run(self, ended: threading.Event) -> None:
        doing = list(self.weights)
        while not ended.is_set():
            drawn = self.draw.choices(doing, list(self.weights.values()))[0]
            kind = self.first.popleft() if self.first else drawn
            act: Callable[[], None] = getattr(self, kind)
            act()
            ended.wait(self.draw.random() * 2 * self.pause)

    def ask(
        self, kind: str, code: str, method: str, path: str, *, headers: Any = None, **more: Any
    ) -> Act:
        """Send a request to one of the instances, and note what came of it."""
        address = self.draw.choice(self.ground.addresses)
        sent = more.get("json", more.get("data"))
        told = {"Accept": "application/json", **self.ground.tokens[code], **(headers or {})}
        return self._send(kind, code, method, address + path, sent, headers=told, **more)

    def _send(self, kind: str, code: str, method: str, url: str, sent: Any, **more: Any) -> Act:
        began = time.monotonic()
        try:
            answer = self.http.request(method, url, timeout=HANG, allow_redirects=False, **more)
        except requests.RequestException as error:
            # A connection of the pool that the server had closed: nothing of it was taken.
            act = Act(kind, code, began, time.monotonic(), None, "", "", sent, None, str(error))
        else:
            body: Any = None
            with suppress(ValueError):
                body = answer.json()
            problem = body.get("code", "") if isinstance(body, dict) else ""
            is_good = answer.status_code < 400
            act = Act(
                kind,
                code,
                began,
                time.monotonic(),
                answer.status_code,
                "" if is_good else str(problem),
                answer.headers.get("Postern-Receipt", ""),
                sent,
                body,
                "" if is_good and kind not in _TEXTS else answer.text[:200_000],
            )
        self.ground.notes.add(act)
        return act

    def value(self) -> normalise.Party:
        """A party that nobody else invents."""
        self.number += 1
        name = f"{self.draw.choice(_FIRST)} {self.draw.choice(_LAST)}{self._letters()}"
        street = f"{self.draw.choice(_STREETS)}{self._letters()} {self.draw.randrange(1, 300)}"
        place = f"{self.draw.randrange(1000, 9999)}"
        return normalise.Party(name, (street,), place, f"Stad{self._letters()}", "BE")

    def _letters(self) -> str:
        return "".join(self.draw.choice("abdefgiklmnoprstuvz") for _ in range(6))

    def a_report(self, size: int = 1) -> dict[str, Any]:
        indicators = []
        for _ in range(size):
            value = self.value()
            indicators.append(self.ground.exchange.indicator(value))
            self.values.append(("party", self.ground.exchange.query(value)))
        return report(f"{self.name}-{self.number}", *indicators)

    def submit(self) -> None:
        code = OWNER if self.draw.random() < 0.7 else FLICKERING
        self._submit(code, [self.a_report(self.draw.choice((1, 1, 2)))])

    def bulk(self) -> None:
        self._submit(OWNER, [self.a_report() for _ in range(_BULK)])

    def _submit(self, code: str, reports: list[dict[str, Any]]) -> None:
        kind = "submit" if len(reports) == 1 else "bulk"
        act = self.ask(kind, code, "POST", "/api/v1/reports", json={"reports": reports})
        if act.outcome == ACKNOWLEDGED:
            for each in act.answer["results"]:
                if code == OWNER and each["id"] is not None:
                    self.withdrawable.append(each["id"])
        elif act.outcome == UNKNOWN or act.status == 503:
            self.again.append([{"code": code, "reports": reports}])

    def repeat(self) -> bool:
        """Send something of unknown outcome again; False when nothing waits."""
        if not self.again:
            return False
        ((told,)) = (self.again.popleft(),)
        self._submit(told[0]["code"], told[0]["reports"])
        return True

    def repeating(self) -> None:
        if self.draw.random() < 0.5:
            self.repeat()

    def evaluate(self) -> None:
        blinded = [b64(voprf.blind(f"{self.name}{self.number}{n}".encode())[1]) for n in range(4)]
        self.number += 1
        asked = {"kind": "postal", "epoch": 1, "elements": blinded, "case": "PV-1"}
        asked["purpose"] = "criminal_investigation"
        self.ask("evaluate", READER, "POST", "/api/v1/evaluate", json=asked)

    def lookup(self) -> None:
        if not self.values:
            return
        _kind, query = self.draw.choice(self.values)
        tokens = [{"facet": facet, "token": b64(token)} for facet, token in query.tokens]
        wire = {"id": "q", "kind": query.kind.value, "epoch": query.epoch, "tokens": tokens}
        act = self.ask(
            "lookup", READER, "POST", "/api/v1/lookups", json={**GROUNDS, "queries": [wire]}
        )
        if act.outcome == ACKNOWLEDGED:
            for hit in act.answer["results"][0]["hits"]:
                shown = hit.get("indicator")
                if hit["level"] == "request" and shown:
                    self.hits.append((act.answer["lookup"], shown["id"]))

    def disclose(self) -> None:
        if not self.hits:
            self.lookup()
            return
        lookup, indicator = self.hits.popleft()
        asked = {"lookup": lookup, "indicator": indicator, "case": "PV-1", "urgency": "normal"}
        self.ask(
            "disclose", READER, "POST", "/api/v1/disclosures", json={**asked, "asked": ["value"]}
        )

    def decide(self) -> None:
        path = "/api/v1/disclosures/received"
        found = self.ask("list", OWNER, "GET", f"{path}?state=open&limit=5")
        if found.outcome != ACKNOWLEDGED or not found.answer["requests"]:
            return
        request = self.draw.choice(found.answer["requests"])["id"]
        ruling = {"answer": "nothing", "reason": "not_necessary"}
        self.ask("decide", OWNER, "POST", f"{path}/{request}/decision", json=ruling)

    def search(self) -> None:
        code = self.draw.choice((OWNER, READER))
        self.ask("search", code, "GET", "/api/v1/audit?limit=20")

    def recall(self) -> None:
        if not self.withdrawable:
            return
        found = self.withdrawable.popleft()
        path = f"/api/v1/reports/{found}/withdraw"
        self.ask("recall", OWNER, "POST", path, json={"reason": "error"})

    def answer(self) -> None:
        path = "/api/v1/recalls/received"
        found = self.ask("list", READER, "GET", f"{path}?state=open&limit=5")
        if found.outcome != ACKNOWLEDGED or not found.answer["recalls"]:
            return
        recall = self.draw.choice(found.answer["recalls"])["id"]
        done = {"state": "completed", "done": "erased"}
        self.ask("answer", READER, "POST", f"{path}/{recall}", json=done)

    def poll(self) -> None:
        path = f"/taxii2/exchange/collections/{self.ground.collection}/objects/?limit=50"
        self.ask("poll", READER, "GET", path, headers=_TAXII)

    def checkpoint(self) -> None:
        act = self.ask("checkpoint", READER, "GET", "/audit/log/checkpoint")
        if act.outcome == ACKNOWLEDGED and act.text:
            self.ground.notes.saw(act.text)


_CONTROLLED = frozenset({"submit", "lookup", "recall", "stop", "checkpoint"})
_TEXTS = frozenset({"checkpoint", "poll", "page"})

FIRST = ("bulk", "lookup", "disclose", "decide", "checkpoint", "recall")
"""What a client does first, so that the controls have something to damage."""

MIXED = {
    "submit": 5,
    "bulk": 1,
    "repeating": 3,
    "evaluate": 3,
    "lookup": 5,
    "disclose": 2,
    "decide": 2,
    "search": 1,
    "recall": 1,
    "answer": 1,
    "poll": 2,
    "checkpoint": 1,
}


class PolicyOwner(Client):
    """Two people who stop all sharing of one organisation and begin it again, over and over."""

    def __init__(self, ground: Ground, seed: int, pause: float) -> None:
        super().__init__(ground, seed, {"flicker": 1}, pause)
        self.visits: dict[str, tuple[requests.Session, str, dict[str, str]]] = {}
        self.is_open = True

    def flicker(self) -> None:
        author, approver = self.ground.author, self.ground.approver
        if self.is_open:
            act = self._post("stop", author, "stop")
            if act is not None and act.outcome == ACKNOWLEDGED:
                self.is_open = False
            time.sleep(self.draw.random())
            return
        made = self._post("draft", author, "drafts", title="A change", text=OPEN_TO_POLICE)
        if made is None or made.outcome != ACKNOWLEDGED:
            return
        draft, revision = made.answer["id"], made.answer["revision"]
        put = self._post("propose", author, f"drafts/{draft}/propose", revision=revision)
        if put is None or put.outcome != ACKNOWLEDGED:
            return
        self.is_open = True  # from the moment on at which it is sent
        revision = put.answer["revision"]
        self._post("approve", approver, f"drafts/{draft}/approve", revision=revision)
        time.sleep(self.draw.random())

    def _post(self, kind: str, person: Person, path: str, **body: Any) -> Act | None:
        visit = self._visit(person)
        if visit is None:
            return None
        session, address, headers = visit
        self.http = session
        act = self._send(
            kind,
            FLICKERING,
            "POST",
            f"{address}/api/v1/policies/{path}",
            body,
            json=body,
            headers={"Accept": "application/json", **headers},
        )
        if act.status in {400, 401, 403}:
            self.visits.pop(person.login, None)
        return act

    def _visit(self, person: Person) -> tuple[requests.Session, str, dict[str, str]] | None:
        """A session of the person, begun anew where there is none that holds."""
        known = self.visits.get(person.login)
        if known is not None:
            return known
        session, address = requests.Session(), self.draw.choice(self.ground.addresses)
        self.http = session
        form = self._page("GET", f"{address}/sign-in")
        if not (found := _FORM_TOKEN.search(form.text)):
            return None
        fields = {"login": person.login, "password": person.password, "next": "/account"}
        signed = self._page("POST", f"{address}/sign-in", data={**fields, "csrf_token": found[1]})
        if signed.status != 303:
            return None
        page = self._page("GET", f"{address}/account")
        if page.status != 200 or not (found := _FORM_TOKEN.search(page.text)):
            return None
        made = session, address, {"X-CSRFToken": found[1]}
        self.visits[person.login] = made
        return made

    def _page(self, method: str, url: str, **more: Any) -> Act:
        return self._send(
            "page", FLICKERING, method, url, None, headers={"Accept": "text/html"}, **more
        )


class Load:
    """All clients, in threads of this process."""

    def __init__(self, ground: Ground, seed: int, clients: int, pause: float = PAUSE) -> None:
        self.clients: list[Client] = [
            Client(ground, seed * 1000 + number, MIXED, pause) for number in range(clients)
        ]
        self.clients.append(PolicyOwner(ground, seed * 1000 + 999, pause))
        self._ground = ground
        self.failures: list[str] = []
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()

    def start(self) -> None:
        self._ended.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(each,), daemon=True) for each in self.clients
        ]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        self._ended.set()
        for each in self._threads:
            each.join(3 * HANG)
            if each.is_alive():
                raise TimeoutError("a client did not end")

    def await_each_kind(self) -> None:
        """Go on until everything that the controls damage is there."""
        until = time.monotonic() + 3 * HANG
        while time.monotonic() < until:
            acts = self._ground.notes.since(0)
            done = {act.kind for act in acts if act.outcome == ACKNOWLEDGED}
            if done >= _CONTROLLED and self._ground.notes.arrivals:
                return
            time.sleep(PAUSE)
        raise TimeoutError(f"never acknowledged: {', '.join(_CONTROLLED - done)}, or none arrived")

    def repeat_all(self) -> None:
        """Send everything of unknown outcome again until each has an answer."""
        for client in self.clients:
            for _ in range(10_000):
                if not client.repeat():
                    break

    def _run(self, client: Client) -> None:
        try:
            client.run(self._ended)
        except Exception as failure:  # told as a violation by the trial
            self.failures.append("".join(traceback.format_exception(failure)[-3:]))
