"""What the pages seal, Python opens, and the other way round: messages, contents, receipts, chains.

The contents are those of tests/data/sealed-content-vectors.json. The worker runs in a real browser.
"""

import dataclasses
import hashlib
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from playwright.sync_api import Page

from postern.base64url import from_base64url, to_base64url
from postern.client_disclosures import SealedAt
from postern.delivery_receipt import Receipt, verify
from postern.disclosing import Opened, Side, open_delivery
from postern.envelope import Context, Resealing
from postern.organisation_entry import SignedEntry
from postern.organisation_keys import OrganisationKeys, rotated
from postern.seal import seal
from postern.sealed_content import opened as read_content
from postern.sealed_message import Asked, Message, context_of, open_message
from postern.vocabulary import MessageKind, TokenCheck
from tests.app.sealing import member_keys as fresh_keys
from tests.functional.test_modules import DATA, ask, desk, on_one_database, refusal
from tests.postern.premises import MEMBER, PASSPHRASE, locked

__all__ = ["desk"]  # a fixture

CONTENTS: dict[str, Any] = json.loads((DATA / "sealed-content-vectors.json").read_text("utf-8"))
REQUEST, DELIVERY = "0193690e-0000-7000-8000-000000000001", "0193690e-0000-7000-8000-000000000002"
RECORD = f"{REQUEST}/AAAAAAAAAAAAAAAAAAAAAA"
REQUESTER = fresh_keys("police-de")

IN_BYTES = """async ([verb, args]) => {
    const bytes = { ...args, raw: Uint8Array.from(args.raw) };
    try {
        const found = await premises.ask(verb, bytes);
        const plain = (each) => each instanceof Uint8Array ? Array.from(each) : each;
        const content = found.receipt ? found.content : found;
        return { receipt: found.receipt, content: Object.fromEntries(
            Object.entries(content).map(([name, each]) => [name, plain(each)])) };
    } catch (error) {
        return { refused: error.code ?? error.name };
    }
}"""


def unlocked(page: Page) -> OrganisationKeys:
    """The keys of post-be, opened in the page and here."""
    file, passphrase = locked("post-be").file, PASSPHRASE
    ask(page, "unlock", written=file, member=MEMBER, passphrase=passphrase)
    return locked("post-be").keys


def recipients_of(keys: OrganisationKeys) -> list[dict[str, Any]]:
    return [
        {"suite": int(key.suite), "public_key": to_base64url(key.raw)}
        for key in keys.entry.recipients
    ]


def signers_of(keys: OrganisationKeys) -> list[str]:
    return [to_base64url(key.raw) for key in keys.signers]


def place_of(context: Context, raw: bytes, id_: str = DELIVERY) -> dict[str, Any]:
    """What the interface tells of an envelope."""
    part, _, number = context.part.partition("/")
    return {
        "id": id_,
        "part": part,
        "number": int(number or 0),
        "kind": context.kind,
        "epoch": context.epoch,
        "token": to_base64url(context.token),
        "record": context.record,
        "size": len(raw),
        "digest": to_base64url(hashlib.sha256(raw).digest()),
    }


def request_of(owner: str, requester: str, **more: Any) -> dict[str, Any]:
    return {
        "id": REQUEST,
        "owner": {"code": owner},
        "requester": {"code": requester},
        "indicator": "i",
        "urgency": "urgent",
        "asked": ["note", "value"],
        "action": "locate",
        "messages": [],
        **more,
    }


def plaintexts() -> list[tuple[Context, bytes]]:
    """Every content of the vectors, with the context in which it stands."""
    found = []
    for group in ("values", "notes", "attachments"):
        for case in CONTENTS[group]:
            where = case["context"]
            context = Context(
                *(where["owner"], where["kind"], where["epoch"], bytes.fromhex(where["token"])),
                *(where["record"], where["part"]),
            )
            found.append((context, bytes.fromhex(case["plaintext"])))
    return found


@on_one_database
def test_contents_open_in_the_page_and_what_it_seals_again_opens_at_the_requester(
    desk: Page,
) -> None:
    ours = unlocked(desk)
    request = request_of("post-be", "police-de")
    for place, (context, plaintext) in enumerate(plaintexts()):
        raw = seal(plaintext, context, ours.entry.recipients, ours.identity)
        told = place_of(context, raw, f"envelope-{place}")
        found = desk.evaluate(IN_BYTES, ["openOwn", {"place": told, "raw": list(raw)}])
        expected = dataclasses.asdict(read_content(context.part, plaintext))
        content = found["content"]
        for name, value in expected.items():
            shown = content["note" if name == "text" else name]
            assert shown == (list(value) if isinstance(value, bytes) else value), context.part
        (again,) = ask(
            desk,
            "sealAgain",
            envelopes=[told["id"]],
            request=request,
            recipients=recipients_of(REQUESTER),
        )
        sealed = from_base64url(again["sealed"])
        assert sealed is not None
        at = delivery_of(context, sealed)
        assert opened_at_requester(at, sealed, ours).plaintext == plaintext
    other = bytearray(raw)
    other[-1] ^= 1
    exchanged = desk.evaluate(IN_BYTES, ["openOwn", {"place": told, "raw": list(other)}])
    assert exchanged == {"refused": "EnvelopeExchangedError"}
    for part, malformed in MALFORMED:
        context = dataclasses.replace(plaintexts()[0][0], part=part)
        raw = seal(malformed, context, ours.entry.recipients, ours.identity)
        args = {"place": place_of(context, raw), "raw": list(raw)}
        answer = desk.evaluate(IN_BYTES, ["openOwn", args])
        assert answer == {"refused": part.partition("/")[0]}, malformed


MALFORMED = (
    ("value", b'{"fields":{"name":"A"},"kind":"party","v":2}'),
    ("value", b'{"fields":{"name":"A"},"kind":"party", "v":1}'),
    ("value", b'{"fields":{"name":"A","name":"B"},"kind":"party","v":1}'),
    ("value", b'{"fields":{"phone":"A"},"kind":"party","v":1}'),
    ("value", b'{"fields":{"name":""},"kind":"party","v":1}'),
    ("value", b'{"fields":{},"kind":"party","v":1}'),
    ("value", b'{"fields":null,"kind":"party","v":1}'),
    ("value", b'{"fields":{"name":"A"},"kind":"party","v":1.0}'),
    ("value", b'{"fields":{"name":"\\ud800"},"kind":"party","v":1}'),
    ("note", b'{"more":1,"note":"A","v":1}'),
    ("note", b'{"note":"","v":1}'),
    ("note", b"\xff"),
    ("attachment/1", b"\0\0\0\x09{}"),
    ("attachment/1", b'\0\0\0\x2f{"media_type":"image/jpeg","name":"a\\nb","v":1}'),
)


def delivery_of(context: Context, sealed: bytes) -> SealedAt:
    told = place_of(context, sealed)
    fields = {name: told[name] for name in ("id", "part", "number", "kind", "epoch", "record")}
    digest = hashlib.sha256(sealed).digest()
    return SealedAt(**fields, size=len(sealed), token=context.token, digest=digest)


def opened_at_requester(at: SealedAt, sealed: bytes, owner: OrganisationKeys) -> Opened:
    """A delivery as `postern receive` opens it."""
    delivery = SimpleNamespace(envelope=at)
    request = SimpleNamespace(id=REQUEST, owner=SimpleNamespace(code="post-be"))
    return open_delivery(delivery, sealed, request, REQUESTER, owner.signers)  # type: ignore[arg-type]


@on_one_database
def test_messages_and_receipts_are_those_of_python(desk: Page) -> None:
    ours, theirs = unlocked(desk), REQUESTER
    about = Asked("PV-1", "i", "urgent", ("value", "note"), "locate")
    text = "Where is she? \u2028 é 💶"
    written = ask(
        desk,
        "writeMessage",
        owner="police-de",
        kind="ask",
        text=text,
        about={**dataclasses.asdict(about), "asked": list(about.asked)},
        request=None,
        recipients=recipients_of(theirs),
    )
    assert written["record"].startswith("ask/")
    context = context_of("police-de", MessageKind.ASK, written["record"])
    sealed = from_base64url(written["message"])
    assert sealed is not None
    for keys in (ours, theirs):
        message = open_message(sealed, context, keys.opening_keys, ours.signers)
        assert message == Message(text, about)

    # What police-de wrote to post-be, and the page reads.
    side = Side(theirs, ours.entry, ours.signers)
    asked = side.write("post-be", MessageKind.ASK, Message("", about), None)
    answer = side.write("post-be", MessageKind.ANSWER, Message(text), REQUEST)
    shown = [
        told_of(MessageKind.ASK, "police-de", asked.record, asked.sealed),
        told_of(MessageKind.ANSWER, "police-de", answer.record, answer.sealed),
        {**told_of(MessageKind.ANSWER, "police-de", RECORD, b""), "sealed": None},
    ]
    request = request_of("post-be", "police-de", messages=shown)
    first, second, erased = ask(desk, "readMessages", request=request, signers=signers_of(theirs))
    assert (first["text"], first["about"]["case"], first["differs"]) == ("", "PV-1", [])
    assert (second["text"], second["about"], erased["text"]) == (text, None, None)
    changed = {**request, "urgency": "life", "asked": ["value"], "messages": shown[:1]}
    (read,) = ask(desk, "readMessages", request=changed, signers=signers_of(theirs))
    assert read["differs"] == ["urgency", "asked"]
    for wrong in (
        {**shown[1], "organisation": "post-be"},
        {**shown[1], "kind": "question"},
        {**shown[1], "record": asked.record},
        {**shown[0], "kind": "reason"},
    ):
        args = {"request": {**request, "messages": [wrong]}, "signers": signers_of(theirs)}
        assert refusal(desk, "readMessages", **args)["name"] == "MessageMisplacedError"
    moved = {**shown[1], "record": RECORD}
    args = {"request": {**request, "messages": [moved]}, "signers": signers_of(theirs)}
    assert refusal(desk, "readMessages", **args)["code"] == "context-mismatch"
    empty = {"owner": "police-de", "kind": "answer", "text": "", "about": None, "request": REQUEST}
    refused = refusal(desk, "writeMessage", **empty, recipients=recipients_of(theirs))
    assert (refused["name"], refused["code"]) == ("SealedContentError", "message")

    # post-be receives what police-de released to it.
    context = Context("police-de", "report", 0, bytes(16), "key", "note")
    resealed = dataclasses.replace(context, resealing=Resealing(REQUEST, "post-be", "police-de"))
    raw = seal(b'{"note":"seen","v":1}', resealed, ours.entry.recipients, theirs.identity)
    arguments = {
        "place": place_of(context, raw),
        "raw": list(raw),
        "request": request_of("police-de", "post-be"),
        "signers": signers_of(theirs),
        "document": None,
        "caseReference": "PV-1",
    }
    got = desk.evaluate(IN_BYTES, ["receive", arguments])
    assert got["content"] == {"note": "seen"}
    check = TokenCheck(got["receipt"]["check"])
    assert check is TokenCheck.NOT_CHECKED
    receipt = Receipt(REQUEST, DELIVERY, hashlib.sha256(raw).digest(), check)
    signature, kid = (from_base64url(got["receipt"][name]) for name in ("signature", "kid"))
    assert signature is not None
    assert kid is not None
    assert verify(receipt, signature, kid, ours.signers)
    elsewhere = {**arguments, "request": request_of("police-de", "post-be", id=DELIVERY)}
    assert desk.evaluate(IN_BYTES, ["receive", elsewhere]) == {"refused": "context-mismatch"}


def told_of(kind: MessageKind, sender: str, record: str, sealed: bytes) -> dict[str, Any]:
    return {
        "id": record,
        "kind": kind.value,
        "organisation": sender,
        "record": record,
        "sealed": to_base64url(sealed),
    }


@on_one_database
def test_a_chain_of_keys_may_grow_and_nothing_else(desk: Page) -> None:
    ours = unlocked(desk)
    first = fresh_keys("police-de")
    grown = rotated(first, first.entry.valid_from + timedelta(days=1))
    stranger = fresh_keys("police-de")
    one, two, other = (wire(keys.chain) for keys in (first, grown, stranger))

    def followed(entries: Any, pinned: Any) -> Any:
        answer = desk.evaluate(CHAIN, ["police-de", entries, pinned])
        return answer.get("found") or (answer["name"], answer.get("swapped"))

    found = followed(two, one)
    assert found["fingerprint"] == grown.entry.fingerprint
    assert found["recipients"] == recipients_of(grown)
    assert found["signers"] == signers_of(grown)
    assert followed(one, None)["fingerprint"] == first.entry.fingerprint
    name, swapped = followed(other, one)
    assert name == "KeySwappedError"
    assert swapped == {
        "number": 1,
        "pinned": first.entry.fingerprint,
        "offered": stranger.entry.fingerprint,
    }
    withheld = {"number": 2, "pinned": grown.entry.fingerprint, "offered": ""}
    assert followed(one, two) == ("KeySwappedError", withheld)
    assert followed([], None)[0] == "OrganisationUnknownError"
    assert followed([], one)[0] == "KeySwappedError"
    forged = [one[0], {**two[1], "previous_signature": two[1]["signature"]}]
    assert followed(forged, one)[0] == "KeySwappedError"
    assert followed(forged, None)[0] == "EntryRefusedError"
    assert followed([{**one[0], "signature": two[1]["signature"]}], None)[0] == "EntryRefusedError"
    assert followed(two[1:], None)[0] == "EntryRefusedError"
    assert followed(wire(ours.chain), None)[0] == "EntryRefusedError"

    def own(entries: Any) -> Any:
        return refusal(desk, "ownKeys", organisation="post-be", entries=entries)

    published = wire(ours.chain)
    found = ask(desk, "ownKeys", organisation="post-be", entries=published)
    assert found["fingerprint"] == ours.entry.fingerprint
    newer = rotated(ours, ours.entry.valid_from + timedelta(days=1))
    assert own([])["code"] == "unpublished"
    assert own(wire(newer.chain))["code"] == "older"
    assert own(wire(fresh_keys("post-be").chain))["name"] == "KeySwappedError"


CHAIN = """async ([organisation, entries, pinned]) => {
    try {
        return { found: await premises.ask("chain", { organisation, entries, pinned }) };
    } catch (error) {
        return { name: error.name, swapped: error.swapped };
    }
}"""


def wire(chain: tuple[SignedEntry, ...]) -> list[Any]:
    return [each.on_wire() for each in chain]
