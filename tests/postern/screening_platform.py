"""A loopback platform that gives token filters, evaluates in bulk and shares patterns."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from postern import token_filter, voprf
from postern.evaluation_octets import LEFT_HEADER, Proved, batches, packed, split
from postern.facets import evaluation_input, facets
from postern.normalise import Normalised
from postern.pseudonym import derive_epoch_key, token
from postern.token_filter import FilterHeader
from postern.token_tags import changes, content_of, records, tag
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, LegalBasis, Purpose
from tests.postern.loopback_platform import (
    ORGANISATION,
    LoopbackPlatform,
    Reply,
    now,
    problem,
)

SEED = bytes(range(32))  # the loopback platform's
SALT = bytes(range(32, 64))
PART = 27  # bytes: three records, so that a small content has several parts


def tokens_of(value: Normalised, epoch: int = 1) -> list[tuple[bytes, int]]:
    """Token and facet of a value, as the key makes them of the inputs themselves."""
    kind = EVALUATION_KIND[value.kind]
    secret, public = derive_epoch_key(SEED, kind, epoch)
    found = []
    for facet in facets(value):
        blind, blinded = voprf.blind(evaluation_input(facet, kind))
        (evaluated,), _ = voprf.evaluate(secret, public, [blinded])
        found.append((token(kind, epoch, voprf.unblind(blind, evaluated)), facet.number))
    return found


def content_for(values: Iterable[Normalised]) -> bytes:
    """The content of a filter that lists these values."""
    pairs = [pair for value in values for pair in tokens_of(value)]
    return content_of((tag(SALT, each), facet) for each, facet in pairs)


@dataclass
class Made:
    """A filter that was asked for."""

    header: FilterHeader
    content: bytes


@dataclass
class ScreeningPlatform(LoopbackPlatform):
    """What it lists, what it was asked for, and how it misbehaves."""

    listed: list[Normalised] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    life: timedelta = timedelta(days=7)
    state: str = "ready"
    builds: int = 0  # answers "building" so often
    bulk_evaluated: int = 0
    agreed: int = 10**6
    changes_are_wrong: bool = False
    patterns: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.me["scopes"] = None

    def answer_more(self, method: str, path: str, asked: Mapping[str, str], body: Any) -> Reply:
        place = path.split("/")[3:]
        if place[0] == "filters":
            return self._filters(method, place[1:], asked, body)
        if method == "GET" and place == ["evaluate", "screening"]:
            agreed = {"kind": "postal", "elements_per_day": 10**6, "ends_on": "2027-01-31"}
            return Reply(200, {"kinds": [{**agreed, "left": self.agreed}]})
        if place[:2] == ["evaluate", "screening"]:
            return self._evaluate_in_bulk(EvaluationKind(place[2]), int(place[3]), body)
        if place == ["patterns", "subscribed"]:
            return Reply(200, {"documents": self.patterns, "withdrawn": self.withdrawn})
        if place[0] == "patterns" and place[-1] in {"runs", "outcomes"}:
            return Reply(204, b"")
        return super().answer_more(method, path, asked, body)

    def _filters(self, method: str, place: list[str], asked: Mapping[str, str], body: Any) -> Reply:
        if method == "POST":
            self.made.append(self._make(body))
            return Reply(202 if self.builds else 201, self._issue(self.made[-1]))
        made = next(each for each in self.made if str(each.header.issue) == place[0])
        if place[-1] == "content":
            start = (int(asked["part"]) - 1) * PART
            return Reply(200, made.content[start : start + PART])
        if place[-1] == "changes":
            return self._changes(made, int(asked["since"]))
        self.builds = max(0, self.builds - 1)
        return Reply(200, self._issue(made))

    def _make(self, body: Mapping[str, Any]) -> Made:
        content = content_for(self.listed)
        header = FilterHeader(
            platform="Loopback",
            organisation=ORGANISATION["code"],
            issue=UUID(int=len(self.made) + 1),
            seq=len(self.made) + 1,
            purpose=Purpose(body["purpose"]),
            legal_basis=LegalBasis(body["legal_basis"]),
            epochs={kind: self.epochs[kind] for kind in EvaluationKind},
            salt=SALT,
            count=len(content) // 9,
            sha256=hashlib.sha256(content).digest(),
            created_at=now() - timedelta(hours=1),
            expires_at=now() - timedelta(hours=1) + self.life,
        )
        return Made(header, content)

    def _issue(self, made: Made) -> dict[str, Any]:
        header = made.header
        return {
            "id": str(header.issue),
            "seq": header.seq,
            "state": "building" if self.builds else self.state,
            "parts": -(-len(made.content) // PART),
            "count": header.count,
            "made_at": header.created_at.isoformat(),
            "expires_at": header.expires_at.isoformat(),
            "header": None if self.builds else token_filter.sign(header, self.directory_key),
        }

    def _changes(self, made: Made, since: int) -> Reply:
        if not 1 <= since < made.header.seq:
            return problem(409, "filter-no-changes")
        older, newer = (set(records(each.content)) for each in (self.made[since - 1], made))
        added, revoked = newer - older, older - newer
        if self.changes_are_wrong:
            added = set()
        return Reply(200, changes(sorted(added), sorted(each[:8] for each in revoked)))

    def _evaluate_in_bulk(self, kind: EvaluationKind, epoch: int, body: bytes) -> Reply:
        elements = split(body)
        if epoch != self.epochs[kind]:
            return problem(409, "epoch-closed", epoch=self.epochs[kind])
        if len(elements) > self.agreed:
            return problem(429, "quota-spent", headers={"Retry-After": "3600"})
        self.agreed -= len(elements)
        self.bulk_evaluated += len(elements)
        secret, public = derive_epoch_key(bytes(32) if self.forges_proofs else SEED, kind, epoch)
        parts = [
            Proved(tuple(evaluated), proof)
            for evaluated, proof in (
                voprf.evaluate(secret, public, each) for each in batches(elements)
            )
        ]
        return Reply(200, packed(parts), {LEFT_HEADER: str(self.agreed)})
