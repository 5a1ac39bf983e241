"""Forging: other keys of an organisation or of evaluation, webhooks, deliveries sent again."""

import base64
import copy
import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.jobs import webhooks
from postern import group, key_document, voprf
from postern.base64url import to_base64url
from postern.client_errors import ClientError
from postern.envelope import Context, Resealing
from postern.hpke import SecretKey
from postern.key_errors import KeyDocumentError
from postern.organisation_entry import EntryRefusedError, SignedEntry
from postern.organisation_keys import OrganisationKeys, new_keys, rotated
from postern.organisation_pins import OrganisationPins
from postern.seal import open_envelope, seal
from postern.seal_errors import SealError
from postern.vocabulary import EvaluationKind
from tests.attack.ground import Ground, Visit
from tests.attack.verdict import Tried, attack

_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
_TOLERANCE = 300  # seconds of a webhook's timestamp, as the standard has it


@attack(
    "swapped key of an organisation",
    stopped_by="pinned chain of directory entries, each signed by the one before",
)
def swapped_key(made: Ground) -> Tried:
    tried = Tried()
    recovery = SecretKey.new()
    first = new_keys("post-be", recovery.public, _BEFORE)
    keys = rotated(first, _BEFORE + timedelta(days=90))
    for _ in range(made.many(50, 3)):
        for name, chain in _other_chains(first, keys):
            pins = OrganisationPins()
            pins.pin("post-be", keys.chain, keys.entry.fingerprint)
            tried.attempt(name, wins=_is_taken(lambda: pins.accept("post-be", chain)))  # noqa: B023 - called at once
        fresh = OrganisationPins()  # of who compared no fingerprint at the first contact
        fake = new_keys("post-be", recovery.public, _BEFORE)
        tried.control += _is_taken(
            lambda: fresh.pin("post-be", fake.chain, fake.entry.fingerprint)  # noqa: B023
        )
    return tried


def _other_chains(
    first: OrganisationKeys, keys: OrganisationKeys
) -> Iterator[tuple[str, tuple[SignedEntry, ...]]]:
    fake = rotated(
        new_keys("post-be", SecretKey.new().public, _BEFORE), _BEFORE + timedelta(days=90)
    )
    fork = rotated(first, _BEFORE + timedelta(days=120))
    yield "another chain", fake.chain
    yield "another last entry", (*keys.chain[:1], fake.chain[1])
    yield "an entry added by another", (*keys.chain, fake.chain[1])
    yield "a second successor", fork.chain
    yield "an entry withheld", first.chain
    yield "none", ()
    yield "of another organisation", new_keys("post-nl", SecretKey.new().public, _BEFORE).chain


@attack(
    "malicious evaluation key or key document",
    stopped_by="proof against the public key of the pinned, signed key document",
)
def evaluation_key(made: Ground) -> Tried:
    """The platform answers with other keys, or offers a document that says they are its own."""
    tried = Tried()
    raw = Visit(made.address).ask("GET", "/.well-known/postern-keys.json").json()
    pinned, now = key_document.signer(raw), datetime.now(UTC)
    public = key_document.read(raw, pinned, now).at(EvaluationKind.PHONE, now).public_key
    for number in range(made.many(100, 5)):
        _, blinded = voprf.blind(f"value {number}".encode())
        secret = group.random_scalar()
        evil = group.base(secret)
        (answer,), proof = voprf.evaluate(secret, evil, [blinded])
        forged = {
            "another key with its own proof": (answer, proof),
            "another key, no proof": (answer, bytes(64)),
            "another key, a random proof": (
                answer,
                os.urandom(31) + b"\0" + os.urandom(31) + b"\0",
            ),
            "nothing evaluated": (blinded, proof),
            "the identity": (bytes(32), proof),
        }
        for name, (element, shown) in forged.items():
            wins = _holds(lambda: voprf.verify(public, [blinded], [element], shown))  # noqa: B023
            tried.attempt(name, wins=wins)
        for name, document in _other_documents(raw, evil):
            wins = _is_taken(lambda: key_document.read(document, pinned, now))  # noqa: B023
            tried.attempt(name, wins=wins)
        # Who pins nothing takes such a document, and its proofs hold.
        resigned = dict(_other_documents(raw, evil))["signed by another"]
        taken = key_document.read(resigned, None, now).at(EvaluationKind.PHONE, now)
        tried.control += _holds(lambda: voprf.verify(taken.public_key, [blinded], [answer], proof))  # noqa: B023
    return tried


def _other_documents(raw: Mapping[str, Any], key: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    changed = copy.deepcopy(dict(raw))
    for epoch in changed["document"]["epochs"]:
        epoch["public_key"] = to_base64url(key)
    yield "changed, the signature left", changed
    signer = Ed25519PrivateKey.generate()
    document = key_document._from_wire(changed["document"])
    yield "signed by another", key_document.sign(document, signer)
    yield (
        "signed by another who says to be the first",
        {**key_document.sign(document, signer), "key": raw["key"]},
    )
    yield "of a second document", {**dict(raw), "document": changed["document"]}


class Receiver:
    """Takes webhooks as docs/notifications.md tells receivers to: signature, age, each once."""

    def __init__(self, secret: str, *, is_careful: bool = True) -> None:
        self._secret, self._is_careful = secret, is_careful
        self._seen: set[str] = set()

    def takes(self, headers: Mapping[str, str], body: bytes, now: int) -> bool:
        if not self._is_careful:
            return True
        message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or abs(now - int(stamp)) > _TOLERANCE:
            return False
        expected = webhooks.signature(self._secret, message, int(stamp), body)
        offered = headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(each.encode(), expected.encode()) for each in offered):
            return False
        is_new = message not in self._seen
        self._seen.add(message)
        return is_new


@attack(
    "forged webhook", stopped_by="HMAC-SHA256 over id, time and body under the channel's secret"
)
def forged_webhook(made: Ground) -> Tried:
    tried = Tried()
    secret, now, body = webhooks.new_secret(), 1_800_000_000, b'{"kind":"recall"}'
    receiver, careless = Receiver(secret), Receiver(secret, is_careful=False)
    for number in range(made.many(500, 20)):
        message = f"m-{number}"
        true = webhooks.signature(secret, message, now, body)
        other = webhooks.signature(webhooks.new_secret(), message, now, body)
        empty = (
            "v1,"
            + base64.b64encode(
                hmac.digest(b"", f"{message}.{now}.".encode() + body, "sha256")
            ).decode()
        )
        headers = {"webhook-id": message, "webhook-timestamp": str(now), "webhook-signature": true}
        changes: dict[str, tuple[dict[str, str], bytes]] = {
            "no signature": ({"webhook-signature": ""}, body),
            "another secret": ({"webhook-signature": other}, body),
            "an empty secret": ({"webhook-signature": empty}, body),
            "many signatures": ({"webhook-signature": " ".join([other, empty, "v1,", "v1"])}, body),
            "another version": ({"webhook-signature": true.replace("v1,", "v0,")}, body),
            "another body": ({}, body + b" "),
            "another id": ({"webhook-id": message + "x"}, body),
            "another time": ({"webhook-timestamp": str(now + 1)}, body),
            "time without signature": ({"webhook-timestamp": ""}, body),
            "id and time parted anew": (
                {"webhook-id": f"{message}.{now}", "webhook-timestamp": "1"},
                body,
            ),
        }
        for name, (change, content) in changes.items():
            wins = receiver.takes({**headers, **change}, content, now)
            tried.attempt(name, wins=wins)
            tried.control += careless.takes({**headers, **change}, content, now)
        assert receiver.takes(headers, body, now), "a true webhook must arrive"
    return tried


@attack(
    "replayed delivery (webhook, sealed disclosure)",
    stopped_by="each webhook id once and for five minutes; an envelope opens in its own context",
)
def replayed(made: Ground) -> Tried:
    tried = Tried()
    secret, now, body = webhooks.new_secret(), 1_800_000_000, b"{}"
    receiver = Receiver(secret)
    headers = {"webhook-id": "m", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = webhooks.signature(secret, "m", now, body)
    tried.control += receiver.takes(headers, body, now)
    for later in (0, 1, 60, _TOLERANCE, _TOLERANCE + 1, 86_400):
        tried.attempt("the webhook again", wins=receiver.takes(headers, body, now + later))
    for later in (_TOLERANCE + 1, 86_400):
        wins = Receiver(secret).takes(headers, body, now + later)
        tried.attempt("to who has forgotten", wins=wins)
    owner, requester = (
        new_keys(code, SecretKey.new().public, _BEFORE) for code in ("post-be", "police-de")
    )
    whose = Resealing("request-1", "police-de", "approver-1")
    right = Context("post-be", "phone", 1, bytes(16), "record-1", "value", whose)
    raw = seal(b"+32470000000", right, requester.entry.recipients, owner.identity)

    def opens_in(envelope: bytes, context: Context) -> bool:
        return _is_taken(
            lambda: open_envelope(envelope, context, requester.opening_keys, owner.signers)
        )

    wrong = [
        replace(right, owner="post-nl"),
        replace(right, kind="email"),
        replace(right, epoch=2),
        replace(right, token=secrets.token_bytes(16)),
        replace(right, record="record-2"),
        replace(right, part="note"),
        replace(right, resealing=None),
        *(
            replace(right, resealing=replace(whose, **{name: "other-1"}))
            for name in ("request", "requester", "approver")
        ),
    ]
    for context in wrong:
        tried.attempt("the envelope elsewhere", wins=opens_in(raw, context))
    for place in range(0, len(raw), made.many(1, 97)):
        bent = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        tried.attempt("the envelope changed", wins=opens_in(bent, right))
    tried.control += opens_in(raw, right)
    return tried


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (voprf.ProofInvalidError, group.InvalidElementError, group.InvalidScalarError):
        return False
    return True


def _is_taken(act: Callable[[], object]) -> bool:
    try:
        act()
    except (ClientError, EntryRefusedError, KeyDocumentError, SealError, ValueError):
        return False
    return True
