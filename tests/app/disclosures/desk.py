"""Two members with keys of their own, a record that one found at the other, and what each does.

Contents are sealed and opened here as on premises; the platform gets envelopes only. The clock
stands where a test puts it.
"""

import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.database import Database
from app.disclosures import decisions, deliveries, requests
from app.disclosures.decisions import Ruling
from app.disclosures.deliveries import Proof
from app.disclosures.messages import Sent
from app.disclosures.releasing import HandedIn
from app.disclosures.requests import Question
from app.disclosures.shown import ShownRequest
from app.indicators import envelopes
from app.indicators import service as indicators
from app.jobs.service import Duties
from app.organisations import keys
from postern import normalise, pseudonym
from postern.base64url import to_base64url
from postern.delivery_receipt import Receipt, signed
from postern.envelope import Context, Resealing
from postern.hpke import SecretKey
from postern.organisation_entry import Entry, SignedEntry, sign
from postern.seal import open_envelope, seal
from postern.signing_identity import SigningIdentity
from postern.vocabulary import (
    EVALUATION_KIND,
    Answer,
    DecisionReason,
    LegalBasis,
    MessageKind,
    Purpose,
    RequestedAction,
    Role,
    SealedPart,
    TokenCheck,
    Urgency,
)
from tests.app.exchange import Exchange, make_exchange, report
from tests.app.people import Person, make_person, runtime_of
from tests.app.sharing.ground import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASE = "PV-2024-17"
VALUE, NOTE, FILE = b"Sophie Van Damme", b"seen twice", b"a photo of the label"
NO_TOKEN = bytes(16)

OPEN_TO_ALL = """
@id("open/all") @label("Every member sees everything")
permit (principal, action, resource);
"""

_numbers = count(1)


@dataclass
class Premises:
    """A member's keys, which never leave it."""

    code: str
    sealing: SecretKey = field(default_factory=SecretKey.new)
    recovery: SecretKey = field(default_factory=SecretKey.new)
    identity: SigningIdentity = field(default_factory=SigningIdentity.new)
    chain: list[SignedEntry] = field(default_factory=list)

    def next_entry(self, at: datetime) -> SignedEntry:
        """The first entry, or one with new keys after it."""
        before = self.chain[-1].entry if self.chain else None
        old = self.identity
        if before is not None:
            self.sealing, self.identity = SecretKey.new(), SigningIdentity.new()
        entry = Entry(
            organisation=self.code,
            number=len(self.chain) + 1,
            valid_from=at,
            sealing=self.sealing.public,
            recovery=self.recovery.public,
            signing=self.identity.public,
            previous=before.digest() if before else None,
        )
        self.chain.append(sign(entry, self.identity, old if before else None))
        return self.chain[-1]

    @property
    def entry(self) -> Entry:
        return self.chain[-1].entry


@dataclass
class Desk:
    """The small exchange with keys; every person there has every role."""

    exchange: Exchange
    clock: Clock
    premises: dict[str, Premises] = field(default_factory=dict)
    seconds: dict[str, Person] = field(default_factory=dict)  # another approver of each member

    @property
    def app(self) -> Flask:
        return self.exchange.app

    @property
    def database(self) -> Database:
        return runtime_of(self.app).database

    def caller(self, code: str) -> Caller:
        return self.exchange.caller(code)

    def second(self, code: str) -> Caller:
        return self.seconds[code].caller

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.app.app_context(), self.database.transaction() as session:
            yield session

    def publish_keys(self, code: str) -> None:
        """First keys, or new ones after those that there are."""
        home = self.premises.setdefault(code, Premises(code))
        signed_entry = home.next_entry(self.clock.at.replace(microsecond=0))
        with self.session() as session:
            keys.publish(session, self.caller(code), [signed_entry.on_wire()])

    def later(self, **by: float) -> None:
        self.clock.at += timedelta(**by)

    def found(
        self,
        owner: str = "post-be",
        asker: str = "police-de",
        *,
        parts: Sequence[str] = ("value", "note"),
        files: int = 0,
        value: normalise.Value | None = None,
        purpose: Purpose = Purpose.CRIMINAL_INVESTIGATION,
        legal_basis: LegalBasis = LegalBasis.CRIMINAL_PROCEDURE,
        **fields: Any,
    ) -> "Found":
        """A new record of the owner, with what is sealed of it, as the asker's lookup finds it."""
        number = next(_numbers)
        value = value or normalise.Phone(f"+3247{number:07}", "BE")
        key = f"row-{number}"
        raw = self.exchange.indicator(value, **fields)
        kind = normalise.normalise(value).kind
        token = pseudonym.token(EVALUATION_KIND[kind], 1, self.exchange.elements(value)[0][1])
        contents = {"value": VALUE, "note": NOTE}
        raw["sealed"] = {
            part: to_base64url(
                self.sealed(
                    owner, contents[part], Context(owner, kind.value, 1, token, f"{key}/0", part)
                )
            )
            for part in parts
        }
        submission = self.exchange.submit(owner, report(key, raw))
        result = submission.results[0]
        assert result.id is not None, result.errors
        for place in range(1, files + 1):
            context = Context(owner, "report", 0, NO_TOKEN, key, f"attachment/{place}")
            with self.session() as session:
                content = self.sealed(owner, FILE, context)
                envelopes.attach(session, self.caller(owner), result.id, place, content)
        answer = self.exchange.ask(asker, value, purpose=purpose, legal_basis=legal_basis)
        return Found(self, owner, asker, result.id, result.indicators[0], answer.lookup)

    def sealed(self, code: str, content: bytes, context: Context, *others: str) -> bytes:
        """What a member seals to itself, and to others."""
        home = self.premises[code]
        to = [key for each in (code, *others) for key in self.premises[each].entry.recipients]
        return seal(content, context, to, home.identity)

    def message(
        self, sender: str, owner: str, other: str, kind: MessageKind, about: UUID | None = None
    ) -> Sent:
        """A message about a request; of an ask there is no id yet."""
        record = f"{about or 'ask'}/{secrets.token_urlsafe(16)[:22]}"
        context = Context(owner, "message", 0, NO_TOKEN, record, kind.value)
        return Sent(self.sealed(sender, b"why", context, other), record)

    def run_duties(self) -> None:
        """Let the duties of the room run once, as a worker does."""
        with self.session() as session:
            for name in ("clock", "expire", "review", "erase", "forget"):
                _duty(self.app, f"disclosures.{name}")(session)


@dataclass
class Found:
    """A hit, and what both sides do about it; every verb answers as it is shown to who did it."""

    desk: Desk
    owner: str
    asker: str
    report: UUID
    indicator: UUID
    lookup: UUID
    request: UUID | None = None

    @property
    def id(self) -> UUID:
        assert self.request is not None
        return self.request

    def ask(
        self,
        *asked: SealedPart,
        urgency: Urgency = Urgency.NORMAL,
        action: RequestedAction = RequestedAction.NONE,
        case: str = CASE,
        says: bool = True,
        by: Caller | None = None,
    ) -> ShownRequest:
        message = None
        if says:
            message = self.desk.message(self.asker, self.owner, self.owner, MessageKind.ASK)
        question = Question(case, urgency, asked or (SealedPart.VALUE,), action, message)
        with self.desk.session() as session:
            shown = requests.ask(
                session,
                by or self.desk.caller(self.asker),
                lookup=self.lookup,
                indicator=self.indicator,
                question=question,
            )
        self.request = shown.id
        return shown

    def question(self) -> ShownRequest:
        message = self.desk.message(
            self.owner, self.owner, self.asker, MessageKind.QUESTION, self.id
        )
        with self.desk.session() as session:
            return decisions.question(session, self.desk.caller(self.owner), self.id, message)

    def answer(self) -> ShownRequest:
        message = self.desk.message(self.asker, self.owner, self.owner, MessageKind.ANSWER, self.id)
        with self.desk.session() as session:
            return requests.answer(session, self.desk.caller(self.asker), self.id, message)

    def withdraw(self) -> ShownRequest:
        with self.desk.session() as session:
            return requests.withdraw(session, self.desk.caller(self.asker), self.id)

    def reason(self) -> Sent:
        return self.desk.message(self.owner, self.owner, self.asker, MessageKind.REASON, self.id)

    def resealed(self, **changes: Any) -> list[HandedIn]:
        """Every part that is asked for, as an approver seals it again on premises.

        `changes` are of the re-sealing, or `to` for other recipients and `by` for another signer.
        """
        to = self.desk.premises[changes.pop("to", self.asker)].entry.recipients
        signer = self.desk.premises[changes.pop("by", self.owner)].identity
        home = self.desk.premises[self.owner]
        words = {"request": str(self.id), "requester": self.asker, "approver": self.owner}
        handed = []
        with self.desk.session() as session:
            caller = self.desk.caller(self.owner)
            shown = decisions.read_received(session, caller, self.id)
            for stored in shown.envelopes:
                raw = decisions.read_envelope(session, caller, self.id, stored.id)
                context = stored.context(self.owner)
                signers = [each.entry.signing for each in home.chain]
                content = open_envelope(raw, context, [home.sealing, home.recovery], signers)
                again = stored.context(self.owner, Resealing(**words | changes))
                handed.append(HandedIn(stored.id, seal(content, again, to, signer)))
        return handed

    def decide(
        self,
        answer: Answer = Answer.ALL,
        reason: DecisionReason = DecisionReason.NECESSARY,
        *,
        parts: Sequence[HandedIn] | None = None,
        message: Sent | None = None,
        by: Caller | None = None,
    ) -> ShownRequest:
        if parts is None:
            parts = self.resealed() if answer is not Answer.NOTHING else []
        ruling = Ruling(answer, reason, parts, message)
        with self.desk.session() as session:
            return decisions.decide(session, by or self.desk.caller(self.owner), self.id, ruling)

    def judge(
        self, decision: UUID | None = None, *, agrees: bool = True, by: Caller | None = None
    ) -> ShownRequest:
        chosen = decision or self.read_received().decision.id  # type: ignore[union-attr]
        with self.desk.session() as session:
            second = by or self.desk.second(self.owner)
            return decisions.judge(session, second, self.id, chosen, agrees=agrees)

    def release(self, *asked: SealedPart) -> ShownRequest:
        """Ask, decide and let the second person agree; as the asker reads it."""
        self.ask(*asked)
        shown = self.decide()
        if shown.deliveries and not shown.deliveries[0].available:
            self.judge()
        return self.read_asked()

    def read_asked(self) -> ShownRequest:
        with self.desk.session() as session:
            return requests.read_asked(session, self.desk.caller(self.asker), self.id)

    def read_received(self) -> ShownRequest:
        with self.desk.session() as session:
            return decisions.read_received(session, self.desk.caller(self.owner), self.id)

    def fetch(self, delivery: UUID | None = None) -> bytes:
        chosen = delivery or self.read_asked().deliveries[0].id
        with self.desk.session() as session:
            return deliveries.fetch(session, self.desk.caller(self.asker), self.id, chosen)

    def opened(self, delivery: UUID | None = None) -> bytes:
        """Fetch a delivery and open it on the asker's premises."""
        shown = self.read_asked()
        chosen = next(each for each in shown.deliveries if delivery in (None, each.id))
        home, owner = self.desk.premises[self.asker], self.desk.premises[self.owner]
        part = chosen.part.value
        if chosen.part is SealedPart.ATTACHMENT:
            part = f"{part}/{chosen.number}"
        context = Context(
            self.owner,
            chosen.kind,
            chosen.epoch,
            chosen.token,
            chosen.record,
            part,
            Resealing(str(self.id), self.asker, self.owner),
        )
        signers = [each.entry.signing for each in owner.chain]
        raw = self.fetch(chosen.id)
        return open_envelope(raw, context, [home.sealing, home.recovery], signers)

    def proof(
        self, delivery: UUID | None = None, check: TokenCheck = TokenCheck.MATCHES
    ) -> tuple[UUID, Proof]:
        shown = self.read_asked()
        chosen = next(each for each in shown.deliveries if delivery in (None, each.id))
        identity = self.desk.premises[self.asker].identity
        receipt = Receipt(str(self.id), str(chosen.id), bytes(chosen.digest), check)
        return chosen.id, Proof(signed(receipt, identity), identity.public.kid, check)

    def receive(
        self, delivery: UUID | None = None, check: TokenCheck = TokenCheck.MATCHES
    ) -> ShownRequest:
        chosen, proof = self.proof(delivery, check)
        with self.desk.session() as session:
            caller = self.desk.caller(self.asker)
            return deliveries.receive(session, caller, self.id, chosen, proof)

    def withdraw_report(self) -> None:
        with self.desk.session() as session:
            indicators.withdraw(session, self.desk.caller(self.owner), self.report, "wrong")


@contextmanager
def open_desk(app: Flask) -> Iterator[Desk]:
    """The exchange with keys and open policies, at noon; the clock of every room is the desk's."""
    standing = Clock(NOON)
    with pytest.MonkeyPatch.context() as patch:
        real = clock.now
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and getattr(module, "now", None) is real:
                patch.setattr(module, "now", standing)
        made = Desk(make_exchange(app), standing)
        for code in made.exchange.people:
            made.seconds[code] = make_person(app, code, Role)
            made.publish_keys(code)
            made.exchange.publish(code, OPEN_TO_ALL)
        yield made


def _duty(app: Flask, name: str) -> Callable[[Session], int]:
    return runtime_of(app).part(Duties).by_name[name].run
