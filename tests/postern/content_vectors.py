"""Known answers for sealed content: `python -m tests.postern.content_vectors` writes them.

Plaintexts are canonical, so that Python and the browser must give the same bytes; contexts and
receipts follow from what stands beside them.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from postern.delivery_receipt import Receipt, signed
from postern.envelope import Context, Resealing
from postern.facets import facets
from postern.sealed_content import (
    NO_TOKEN,
    Attachment,
    Note,
    Value,
    context_of_attachment,
    context_of_note,
    context_of_value,
    record_of,
    tokens_again,
)
from postern.sealed_message import Asked, Message, context_of
from postern.signing_identity import SigningIdentity
from postern.vocabulary import Kind, MessageKind, TokenCheck

FILE = Path(__file__).parent.parent / "data" / "sealed-content-vectors.json"
OWNER, REQUESTER = "post-be", "police-de"
CLIENT_KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
TOKEN = bytes(range(16))
REQUEST = "0193690e-0000-7000-8000-000000000001"
DELIVERY = "0193690e-0000-7000-8000-000000000002"
INDICATOR = "0193690e-0000-7000-8000-000000000003"
VALUES = (
    Value(
        Kind.PARTY,
        {
            "name": "Zoë d\u2019Exämple\tłódź",
            "street": "Rue de l'Église 12",
            "box": "3",
            "postcode": "1000",
            "city": "Bruxelles",
            "country": "BE",
        },
    ),
    Value(Kind.PARTY, {"business": 'Müller & "Söhne" \\ GmbH', "street": "Hauptstraße 1"}),
    Value(Kind.ADDRESS, {"street": "16 rue de la Loi, 1040 Bruxelles", "country": "BE"}),
    Value(Kind.PHONE, {"phone": "02 123 45 67", "country": "BE"}),
    Value(Kind.EMAIL, {"email": "someone@mail.example"}),
    Value(Kind.ITEM, {"item_id": "RB123456785GB"}),
    Value(Kind.VENDOR, {"vendor_handle": "DutchMagic", "vendor_market": "Bazaar"}),
    Value(Kind.PGP, {"pgp": "A" * 40}),
    Value(Kind.PAYMENT, {"payment": "NL91ABNA0417164300", "payment_scheme": "iban"}),
)
NOTES = (Note("X-ray shows 3 tablets.\nSender paid in cash 💶"), Note("\u2028\x7f\x01 odd"))
FILES = (
    Attachment("étiquette.jpg", "image/jpeg", bytes(range(256))),
    Attachment("empty.bin", "application/octet-stream", b""),
)
ASKED = Asked("PV-2026-17", INDICATOR, "urgent", ("value", "note"), "locate")
MESSAGES = (
    (MessageKind.ASK, Message("Needed to find the sender.", ASKED)),
    (MessageKind.ASK, Message("", ASKED)),
    (MessageKind.QUESTION, Message("Which weeks?\nAnd why?")),
    (MessageKind.ANSWER, Message("Wochen 40\u201342.")),
    (MessageKind.REASON, Message("Own proceedings end in May.")),
)
IDENTITY_SEED = hashlib.sha256(b"known answers of postern: receipts").digest()


def main() -> None:
    """Write the known answers."""
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def made() -> dict[str, Any]:
    """All of it; bytes are hexadecimal."""
    return {
        "about": "written by python -m tests.postern.content_vectors; bytes are hexadecimal here",
        "values": [_value(place, value) for place, value in enumerate(VALUES)],
        "notes": [_note(place, note) for place, note in enumerate(NOTES)],
        "attachments": [_attachment(number, file) for number, file in enumerate(FILES, start=1)],
        "messages": [_message(kind, message) for kind, message in MESSAGES],
        "disclosure": _disclosure(),
        "receipt": _receipt(),
    }


def _value(place: int, value: Value) -> dict[str, Any]:
    context = context_of_value(OWNER, value.kind, 7, TOKEN, record_of(CLIENT_KEY, place))
    return {
        "kind": value.kind.value,
        "fields": dict(value.fields),
        "plaintext": value.plaintext().hex(),
        "first_facet": facets(tokens_again(value))[0].text,
        "context": _context(context),
    }


def _note(place: int, note: Note) -> dict[str, Any]:
    record = record_of(CLIENT_KEY, place)
    context = context_of_note(OWNER, Kind.INDUCTION_POINT, 0, NO_TOKEN, record)
    return {
        "note": note.text,
        "plaintext": note.plaintext().hex(),
        "context": _context(context),
    }


def _attachment(number: int, file: Attachment) -> dict[str, Any]:
    return {
        "name": file.name,
        "media_type": file.media_type,
        "content": file.content.hex(),
        "plaintext": file.plaintext().hex(),
        "context": _context(context_of_attachment(OWNER, CLIENT_KEY, number)),
    }


def _message(kind: MessageKind, message: Message) -> dict[str, Any]:
    beginning = "ask" if kind is MessageKind.ASK else REQUEST
    about = message.about
    return {
        "kind": kind.value,
        "text": message.text,
        "case": about.case if about else None,
        "indicator": about.indicator if about else None,
        "urgency": about.urgency if about else None,
        "asked": list(about.asked) if about else None,
        "action": about.action if about else None,
        "plaintext": message.plaintext().hex(),
        "context": _context(context_of(OWNER, kind, f"{beginning}/{'a' * 22}")),
    }


def _disclosure() -> dict[str, Any]:
    context = Context(
        *(OWNER, "party", 7, TOKEN, record_of(CLIENT_KEY, 0), "value"),
        Resealing(REQUEST, REQUESTER, OWNER),
    )
    return {"request": REQUEST, "requester": REQUESTER, "context": _context(context)}


def _receipt() -> dict[str, Any]:
    identity = SigningIdentity(IDENTITY_SEED)
    digest = hashlib.sha256(b"an envelope").digest()
    receipt = Receipt(REQUEST, DELIVERY, digest, TokenCheck.MATCHES)
    return {
        "request": REQUEST,
        "delivery": DELIVERY,
        "digest": digest.hex(),
        "check": receipt.check.value,
        "message": receipt.encode().hex(),
        "identity_seed": IDENTITY_SEED.hex(),
        "kid": identity.public.kid.hex(),
        "signature": signed(receipt, identity).hex(),
    }


def _context(context: Context) -> dict[str, Any]:
    return {
        "owner": context.owner,
        "kind": context.kind,
        "epoch": context.epoch,
        "token": context.token.hex(),
        "record": context.record,
        "part": context.part,
        "encoded": context.encode().hex(),
        "digest": context.digest().hex(),
    }


if __name__ == "__main__":
    main()
