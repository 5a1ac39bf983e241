"""The independent checker: raw SQL, HTTP as any member, and the log by `tree.py`.

It uses nothing of the platform's services and models: what it demands is written here once more.
"""

import base64
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import requests

from tests.faults import tree
from tests.faults.ground import FLICKERING, OWNER, READER, Ground
from tests.faults.load import HANG
from tests.faults.notes import ACKNOWLEDGED, REFUSED, UNKNOWN, WRONG, Act

_PATIENCE = 240.0  # seconds for queue and outbox to become empty
_MOST_TOLD = 4
_ACTS = {
    "submit": "report.submit",
    "bulk": "report.submit",
    "lookup": "lookup.ask",
    "evaluate": "evaluation.evaluate",
    "disclose": "disclosure.ask",
    "decide": "disclosure.decide",
    "recall": "report.withdraw",
    "answer": "recall.answer",
    "search": "audit.read",
    "poll": "exchange.serve",
    "stop": "policy.publish",
    "draft": "policy.draft",
}
"""The log's name of what a client did."""

_FOLLOWS = {"poll": "recall.answer"}
"""What an act may lead to, whose entry is then the last one, of which the receipt is: a member that
fetches what was recalled has thereby received the recall."""

_WHOLE = {
    "an active report without indicators": """
        SELECT r.public_id::text FROM report r WHERE r.status = 'active'
        AND NOT EXISTS (SELECT 1 FROM indicator i WHERE i.report_id = r.id)""",
    "a withdrawn report with live indicators": """
        SELECT r.public_id::text FROM report r JOIN indicator i ON i.report_id = r.id
        WHERE r.status = 'withdrawn' AND i.restricted_at IS NULL""",
    "an indicator with other postings than it names": """
        SELECT i.public_id::text FROM indicator i
        LEFT JOIN (SELECT indicator_id, count(*) AS held FROM token GROUP BY 1) t
        ON t.indicator_id = i.id
        WHERE i.restricted_at IS NULL AND coalesce(t.held, 0) <> length(i.tokens) / 16""",
    "an indicator of a blinded kind without facets": """
        SELECT public_id::text FROM indicator
        WHERE epoch > 0 AND facets_stored | facets_common = 0""",
    "an indicator of a blinded kind without its sealed elements": """
        SELECT i.public_id::text FROM indicator i WHERE i.epoch > 0 AND NOT EXISTS
        (SELECT 1 FROM element_vault v WHERE v.indicator_id = i.id)""",
    "a posting of no indicator": """
        SELECT t.indicator_id::text FROM token t LEFT JOIN indicator i ON i.id = t.indicator_id
        WHERE i.id IS NULL""",
    "a posting of another share class than its indicator's": """
        SELECT i.public_id::text FROM token t JOIN indicator i ON i.id = t.indicator_id
        WHERE t.share_class_id <> i.share_class_id""",
    "an entry without a place": """
        SELECT e.eid::text FROM audit_entry e LEFT JOIN audit_seq s ON s.eid = e.eid
        WHERE s.eid IS NULL""",
    "a place without an entry": """
        SELECT s.idx::text FROM audit_seq s LEFT JOIN audit_entry e ON e.eid = s.eid
        WHERE e.eid IS NULL""",
    "an entry without details": """
        SELECT e.eid::text FROM audit_entry e LEFT JOIN audit_detail d ON d.eid = e.eid
        WHERE d.eid IS NULL""",
    "an entry that nobody may read": """
        SELECT e.eid::text FROM audit_entry e LEFT JOIN audit_audience a ON a.eid = e.eid
        WHERE a.eid IS NULL""",
    "places that are not 0 to n-1": """
        SELECT max(idx)::text FROM audit_seq HAVING max(idx) + 1 <> count(*)""",
    "a report that the log does not tell": """
        SELECT r.public_id::text FROM report r WHERE NOT EXISTS (SELECT 1 FROM audit_object o
        JOIN audit_entry e ON e.eid = o.eid WHERE o.about = uuid_send(r.public_id)
        AND e.act = 'report.submit')""",
    "a lookup that the log does not tell": """
        SELECT l.public_id::text FROM lookup l WHERE NOT EXISTS (SELECT 1 FROM audit_object o
        JOIN audit_entry e ON e.eid = o.eid WHERE o.about = uuid_send(l.public_id)
        AND e.act = 'lookup.ask')""",
    "a disclosure request that the log does not tell": """
        SELECT d.public_id::text FROM disclosure_request d WHERE NOT EXISTS
        (SELECT 1 FROM audit_object o JOIN audit_entry e ON e.eid = o.eid
        WHERE o.about = uuid_send(d.public_id) AND e.act = 'disclosure.ask')""",
    "a row of who got what that the log does not tell": """
        SELECT g.indicator::text FROM given g WHERE NOT EXISTS (SELECT 1 FROM audit_object o
        WHERE o.about = uuid_send(g.indicator))""",
    "a submission in the log of which nothing is there": """
        SELECT e.eid::text FROM audit_entry e JOIN audit_audience a ON a.eid = e.eid
        AND a.org = e.org WHERE e.act = 'report.submit' AND a.out = 'ok' AND EXISTS
        (SELECT 1 FROM audit_object o WHERE o.eid = e.eid) AND NOT EXISTS
        (SELECT 1 FROM audit_object o JOIN report r ON uuid_send(r.public_id) = o.about
        WHERE o.eid = e.eid)""",
    "a lookup in the log that is not there": """
        SELECT e.eid::text FROM audit_entry e JOIN audit_audience a ON a.eid = e.eid
        AND a.org = e.org WHERE e.act = 'lookup.ask' AND a.out = 'ok' AND NOT EXISTS
        (SELECT 1 FROM audit_object o JOIN lookup l ON uuid_send(l.public_id) = o.about
        WHERE o.eid = e.eid)""",
    "what was got of a withdrawn indicator, and not recalled": """
        SELECT g.indicator::text FROM given g JOIN tombstone t ON t.public_id = g.indicator
        WHERE t.reason = 'withdrawn' AND g.recipient_id <> t.organisation_id AND NOT EXISTS
        (SELECT 1 FROM recall r JOIN acknowledgement a ON a.recall_id = r.id
        WHERE r.indicator = g.indicator AND a.organisation_id = g.recipient_id)""",
    "a recall of which its recipient was not notified": """
        SELECT r.public_id::text FROM recall r JOIN acknowledgement a ON a.recall_id = r.id
        WHERE NOT EXISTS (SELECT 1 FROM notification n WHERE n.organisation_id = a.organisation_id
        AND n.kind LIKE 'recall%%' AND n.made_at >= r.made_at - interval '4 hours')""",
    "a notification without its dispatch": """
        SELECT n.public_id::text FROM notification n JOIN channel c
        ON c.organisation_id = n.organisation_id AND c.stopped_at IS NULL
        AND c.roles::jsonb ? n.role WHERE NOT EXISTS
        (SELECT 1 FROM dispatch d JOIN notification o ON o.id = d.notification_id
        WHERE d.channel_id = c.id AND o.organisation_id = n.organisation_id AND o.kind = n.kind
        AND o.facts::text = n.facts::text AND o.address = n.address)""",
    "a job given up": "SELECT topic || ' ' || coalesce(error, '') FROM outbox WHERE state = 'dead'",
}
"""What must select no row, once everything that waits is done."""

_WAITING = {
    "entries wait for a place": "SELECT count(*) FROM audit_queue",
    "jobs wait": "SELECT count(*) FROM outbox WHERE state = 'waiting'"
    " AND due_at <= now() + interval '1 minute'",
}


_SERVED = """
    SELECT DISTINCT e.stix_id FROM exchange_entry e JOIN organisation o ON o.id = e.owner_id
    WHERE o.code = %s AND e.indicator IS NOT NULL"""
"""Names in TAXII of what an organisation shares."""


@dataclass
class Verdict:
    """Everything that is wrong, and what was looked at."""

    wrong: list[str] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)

    def demand(self, what: str, bad: Iterable[Any]) -> None:
        """There must be nothing `bad`."""
        found = list(bad)
        if found:
            shown = ", ".join(map(str, found[:_MOST_TOLD]))
            self.wrong.append(f"{what} ({len(found)}): {shown}")


@dataclass
class Log:
    """The log as a member fetched and checked it."""

    size: int
    places: Mapping[bytes, int]  # by leaf hash
    leaves: list[bytes]


class Checker:
    """Looks at a platform that serves, while no client asks it for anything."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._leaves: list[bytes] = []

    def judge(self, *, is_settled: bool = False) -> Verdict:
        """Wait until what waits is done, unless it is; then hold everything against everything."""
        told = Verdict()
        if not is_settled:
            self.settle(told)
        acts = self._ground.notes.since(0)
        with self._ground.postgresql.connect() as database:
            log = self._read_log(told)
            self._whole(told, database)
            self._submissions(told, database, acts)
            self._others(told, database, acts)
            self._sendings(told, database)
            served = {str(row[0]) for row in database.execute(_SERVED, (FLICKERING,))}
        if log is not None:
            self._promises(told, log, acts)
        judge_answers(told, acts)
        judge_revocations(told, acts, served)
        told.demand("checkpoints contradict each other", self._ground.notes.contradictions)
        return told

    def settle(self, verdict: Verdict) -> None:
        """Wait until what waits is done."""
        until = time.monotonic() + _PATIENCE
        waiting: dict[str, int] = {}
        while time.monotonic() < until:
            try:
                with self._ground.postgresql.connect() as database:
                    waiting = {name: _number(database, sql) for name, sql in _WAITING.items()}
                if not any(waiting.values()):
                    return
            except psycopg.OperationalError:
                waiting = {"the database does not answer": 1}
            time.sleep(0.2)
        verdict.demand("not done in time", [f"{n} {name}" for name, n in waiting.items() if n])

    def _get(self, path: str) -> requests.Response:
        answer = requests.get(
            self._ground.addresses[0] + path, headers=self._ground.tokens[READER], timeout=HANG
        )
        answer.raise_for_status()
        return answer

    def _read_log(self, verdict: Verdict) -> Log | None:
        """Every leaf over HTTP; the tree they make must be the signed one, at every size seen."""
        try:
            keys = self._get("/audit/log/keys").json()["log"]
            head = tree.signed_head(self._get("/audit/log/checkpoint").text, keys)
            if head is None:
                verdict.demand("the checkpoint is not signed", ["the newest"])
                return None
            size, root = head
            leaves = [
                leaf
                for name in tree.bundles(size)
                for leaf in tree.leaves_of(self._get(f"/audit/log/tile/{name}").content)
            ]
        except requests.RequestException as error:
            verdict.demand("the log cannot be read", [error])
            return None
        hashes = [tree.leaf_hash(leaf) for leaf in leaves]
        seen = {**self._ground.notes.checkpoints, size: root}
        found = tree.roots(hashes, seen)
        verdict.demand(
            "the tree is not the one that was signed",
            [n for n, told in seen.items() if base64.b64encode(found.get(n, b"")).decode() != told],
        )
        verdict.looked_at["entries"] = size
        verdict.looked_at["checkpoints seen"] = len(seen)
        before = self._leaves
        verdict.demand(
            "the log changed", ["its beginning"] if leaves[: len(before)] != before else []
        )
        self._leaves = leaves
        return Log(size, {each: place for place, each in enumerate(hashes)}, leaves)

    def _whole(self, verdict: Verdict, database: Any) -> None:
        for what, sql in _WHOLE.items():
            verdict.demand(what, [row[0] for row in database.execute(sql.replace("%%", "%"))])
            verdict.looked_at["demands"] += 1
        # Each leaf in the database is one that members were shown: none was dropped or exchanged.
        places = _number(database, "SELECT count(*) FROM audit_seq")
        verdict.demand(
            "members see another number of entries", [] if places >= len(self._leaves) else [places]
        )

    def _submissions(self, verdict: Verdict, database: Any, acts: list[Act]) -> None:
        rows = database.execute(
            "SELECT o.code, r.client_key, r.public_id::text, r.status,"
            " array(SELECT i.public_id::text FROM indicator i WHERE i.report_id = r.id)"
            " FROM report r JOIN organisation o ON o.id = r.organisation_id"
        ).fetchall()
        stored = {(code, key): (name, status, set(own)) for code, key, name, status, own in rows}
        gone = {row[0] for row in database.execute("SELECT public_id::text FROM tombstone")}
        sent: dict[tuple[str, str], int] = {}
        told: dict[tuple[str, str], set[str]] = defaultdict(set)
        outcomes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for act in acts:
            if act.kind not in {"submit", "bulk"}:
                continue
            for place, each in enumerate(act.sent["reports"]):
                key = act.organisation, each["client_key"]
                sent[key] = len(each["indicators"])
                if act.outcome != ACKNOWLEDGED:
                    outcomes[key].append("unavailable" if act.outcome == REFUSED else UNKNOWN)
                    continue
                result = act.answer["results"][place]
                outcomes[key].append(result["status"])
                if result["status"] == "rejected":
                    verdict.demand("a sound report was rejected", [result["errors"]])
                    continue
                told[key].add(result["id"])
                name, status, own = stored.get(key, ("", "", set()))
                is_there = name == result["id"] and all(
                    each in own or (status == "withdrawn" and each in gone)
                    for each in result["indicators"]
                )
                if not is_there:
                    verdict.demand("an acknowledged report is not there", [key])
                if len(result["indicators"]) != sent[key] and result["status"] == "created":
                    verdict.demand("fewer indicators were acknowledged than sent", [key])
        verdict.demand("a report has two ids", [key for key, ids in told.items() if len(ids) > 1])
        verdict.demand(
            "a report is half there",
            [
                key
                for key, (_, status, own) in stored.items()
                if key in sent and status == "active" and len(own) != sent[key]
            ],
        )
        verdict.demand(
            "a report is there twice or was created twice",
            [key for key, was in outcomes.items() if was.count("created") > 1],
        )
        verdict.demand("a report that nobody sent", set(stored) - set(sent))
        refused = {key for key, was in outcomes.items() if set(was) == {"unavailable"}}
        verdict.demand("what was refused is there", refused & set(stored))
        verdict.demand(
            "what was refused was there when it was sent again",
            [key for key, was in outcomes.items() if _was_there_though_refused(was)],
        )
        verdict.looked_at["reports"] = len(sent)

    def _others(self, verdict: Verdict, database: Any, acts: list[Act]) -> None:
        """What was acknowledged of other verbs stands in its table as it was told."""
        for kind, sql in {
            "lookup": "SELECT public_id::text, queries::text FROM lookup",
            "disclose": "SELECT public_id::text, indicator::text FROM disclosure_request",
            "decide": "SELECT r.public_id::text, d.answer FROM decision d"
            " JOIN disclosure_request r ON r.id = d.request_id",
            "recall": "SELECT public_id::text, status FROM report",
            "answer": "SELECT r.public_id::text, a.state FROM recall r"
            " JOIN acknowledgement a ON a.recall_id = r.id",
        }.items():
            stored = dict(database.execute(sql).fetchall())
            known: Callable[[Act], str] = {
                "lookup": lambda act: "1",
                "disclose": lambda act: act.sent["indicator"],
                "decide": lambda act: act.sent["answer"],
                "recall": lambda act: "withdrawn",
                "answer": lambda act: "completed",
            }[kind]
            done = [a for a in acts if a.kind == kind and a.outcome == ACKNOWLEDGED]
            verdict.demand(
                f"an acknowledged {kind} is not there",
                [name for act in done if stored.get(name := _named(act)) != known(act)],
            )
            verdict.looked_at[kind] = len(done)

    def _promises(self, verdict: Verdict, log: Log, acts: list[Act]) -> None:
        """The entry of every receipt stands in the tree, and tells the act that was answered."""
        records = self._records(verdict)
        lost, wrong, unopened = [], [], 0
        for act in acts:
            if act.outcome != ACKNOWLEDGED:
                continue
            if not act.receipt:
                if act.kind in _ACTS:
                    lost.append(f"{act.kind} without a receipt")
                continue
            text = base64.urlsafe_b64decode(act.receipt + "==").decode().split("\n")
            place = log.places.get(base64.b64decode(text[1].removeprefix("entry ")))
            if place is None:
                lost.append(f"{act.kind} of {act.organisation}")
                continue
            fixed = json.loads(log.leaves[place])["c"]
            record = records.get(fixed)
            if record is None:
                unopened += 1
                continue
            told = json.loads(record)
            known = {_ACTS.get(act.kind, told["act"]), _FOLLOWS.get(act.kind)}
            if act.kind in _ACTS and (told["act"] not in known or told["org"] != act.organisation):
                wrong.append(f"{act.kind} is told as {told['act']}")
            if told["out"] != "ok":
                wrong.append(f"{act.kind} is told as {told['out']}")
        verdict.demand("a promised entry is not in the log", lost)
        verdict.demand("an entry tells another act", wrong)
        verdict.demand("a record cannot be read by its own organisation", ["records"] * unopened)
        verdict.looked_at["receipts"] = sum(bool(act.receipt) for act in acts)

    def _records(self, verdict: Verdict) -> dict[str, bytes]:
        """Records by the digest in their leaf, as their own organisations read them."""
        found: dict[str, bytes] = {}
        for code in (OWNER, FLICKERING, READER):
            cursor = None
            while True:
                asked = {"limit": "200", **({"cursor": cursor} if cursor else {})}
                try:
                    answer = requests.get(
                        self._ground.addresses[-1] + "/api/v1/audit",
                        params=asked,
                        headers=self._ground.tokens[code],
                        timeout=HANG,
                    )
                    answer.raise_for_status()
                except requests.RequestException as error:
                    verdict.demand("the log cannot be searched", [error])
                    return found
                page = answer.json()
                for entry in page["entries"]:
                    record = _canonical(entry["record"])
                    digest = hashlib.sha256(record).digest()
                    found[base64.urlsafe_b64encode(digest).rstrip(b"=").decode()] = record
                    if not entry["intact"]:
                        verdict.demand("an entry is not intact", [entry["place"]])
                cursor = page["next"]
                if cursor is None:
                    break
        return found

    def _sendings(self, verdict: Verdict, database: Any) -> None:
        # A job that a process with a clock ahead put off waits until that moment.
        rows = database.execute(
            "SELECT public_id::text, state FROM dispatch d WHERE NOT EXISTS (SELECT 1 FROM outbox o"
            " WHERE o.state = 'waiting' AND o.payload->>'dispatch' = d.public_id::text)"
        ).fetchall()
        verdict.looked_at["jobs put off by a clock"] = _number(
            database, "SELECT count(*) FROM outbox WHERE state = 'waiting'"
        )
        arrived = self._ground.notes.arrivals
        verdict.demand(
            "a dispatch was not sent", [(n, s) for n, s in rows if s not in {"sent", "withheld"}]
        )
        verdict.demand(
            "a dispatch did not arrive", [n for n, s in rows if s == "sent" and not arrived[n]]
        )
        verdict.looked_at["dispatches"] = len(rows)


def _was_there_though_refused(outcomes: list[str]) -> bool:
    """Said to have changed nothing, and then found to be there with no other try between."""
    if "existing" not in outcomes:
        return False
    before = outcomes[: outcomes.index("existing")]
    return bool(before) and set(before) == {"unavailable"}


def judge_answers(verdict: Verdict, acts: list[Act]) -> None:
    """No answer that no fault excuses, and none that came too late."""
    verdict.demand(
        "an answer of the server's own failure",
        [f"{act.status} {act.kind} {act.text[:300]}" for act in acts if act.outcome == WRONG],
    )
    verdict.demand(
        "a request hung",
        [
            f"{act.kind} {act.ended - act.began:.0f} s"
            for act in acts
            if act.ended - act.began >= HANG
        ],
    )
    excused = {"unavailable", "outcome-unknown"}
    verdict.demand(
        "a 503 without its reason",
        [
            act.text[:200]
            for act in acts
            if act.status == 503 and act.code not in excused and act.kind not in {"page", "poll"}
        ],
    )


def judge_revocations(verdict: Verdict, acts: list[Act], served: set[str]) -> None:
    """What began after a revocation was acknowledged, and ended before sharing was asked for again,
    shows nothing of who revoked."""
    closed: list[tuple[float, float]] = []
    since: float | None = None
    for act in acts:
        if act.kind == "stop" and act.outcome == ACKNOWLEDGED and since is None:
            since = act.ended
        elif act.kind == "approve" and since is not None:
            closed.append((since, act.began))
            since = None
    if since is not None:
        closed.append((since, float("inf")))
    shown = []
    for act in acts:
        if act.kind not in {"lookup", "poll"} or act.outcome != ACKNOWLEDGED:
            continue
        if not any(start <= act.began and act.ended <= end for start, end in closed):
            continue
        verdict.looked_at["answers while revoked"] += 1
        if act.kind == "lookup":
            hits = act.answer["results"][0]["hits"]
            shown += [
                f"lookup {act.answer['lookup']}"
                for hit in hits
                if hit["organisation"]["code"] == FLICKERING
            ]
        else:
            shown += [
                f"poll {each['id']}"
                for each in act.answer.get("objects", [])
                if each["id"] in served and not each.get("revoked", False)
            ]
    verdict.demand("a revoked reader was shown something", shown)


def _named(act: Act) -> str:
    """The id by which an answer names what was made or changed."""
    found: str = act.answer["lookup" if act.kind == "lookup" else "id"]
    return found


def _number(database: Any, sql: str) -> int:
    return int(database.execute(sql.replace("%%", "%")).fetchone()[0])


def _canonical(record: Any) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
