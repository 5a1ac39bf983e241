"""Bounds on what others send: as much is taken as docs/bounds.md says, and nothing more.

A case takes a number and says whether so much is read. The page names a test for every bound;
`python -m tests.taken_out` takes bounds out in a copy and sees that their tests fail.
"""

import base64
import hashlib
import hmac
import importlib
import json
import re
import runpy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import Message as Headers
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.http.parser import RequestParser
from werkzeug.datastructures import MultiDict

from app.accounts import basic, passkeys, token_bounds
from app.audit import cosigning
from app.barriers import modelling
from app.compliance import sealing
from app.errors import InvalidRequestError
from app.exchange import asking, negotiation
from app.indicators.schemas import IndicatorSchema, ReportSchema, ReportsSchema
from app.indicators.sealed_fields import AttachmentArgumentsSchema, SealedSchema
from app.jobs import addresses
from app.lookups.schemas import AskSchema
from app.origin import certificate_in
from app.patterns import documents as patterns
from app.pseudonyms import holders, moved_shares
from app.pseudonyms.schemas import EvaluateSchema
from postern import (
    evaluation_octets,
    key_file_form,
    passphrase,
    rotation,
    settings,
    threshold,
    webhook,
)
from postern.client_errors import ClientError
from postern.group import base, random_scalar
from postern.key_sharing import CeremonyFileError, read_ceremony
from postern.organisation_entry import EntryRefusedError, read_chain
from postern.patterns import condition
from postern.recognise import recognise
from postern.sealed_content import SealedContentError
from postern.sealed_message import Message
from postern.stix import parsing
from postern.taxii import objects
from postern.tlog import notes
from postern.vocabulary import EvaluationKind, Role, Scope
from tests.app.exchange import b64
from tests.app.people import bearer, make_organisation, make_person, runtime_of
from tests.app.pseudonyms.test_holders import CEREMONY

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "bounds.md"
ROW = re.compile(r"^\| (.+?) \| ([0-9,]+) \| `([\w./]+):(\w+)` \| `([^`]+)` \|$", re.MULTILINE)


def raises(error: type[Exception] | tuple[type[Exception], ...], told: str = "") -> Any:
    """A decorator: what the function takes is what it does not refuse in these words."""

    def made(read: Callable[[int], object]) -> Callable[[int], bool]:
        def takes(number: int) -> bool:
            try:
                read(number)
            except error as refusal:
                return told not in str(refusal)
            return True

        return takes

    return made


def padded(text: str, size: int) -> bytes:
    return text.encode().ljust(size)


@raises(ValueError)
def elements_in_bulk(number: int) -> object:
    return evaluation_octets.split(bytes(32 * number))


@raises(threshold.ThresholdError)
def holders_of_a_key(number: int) -> object:
    return threshold.check_bounds(2, range(1, number + 1))


def nested_stix(number: int) -> bool:
    content: object = 1
    for _ in range(number):
        content = [content]
    return not parsing.depth_exceeds(content)


@raises(parsing.StixMalformedError)
def digits_in_stix(number: int) -> object:
    return parsing.parse_json("1" * number)


@raises(objects.RefusedObjectError)
def bytes_of_an_object(number: int) -> object:
    return objects._line({"a": "x" * (number - len('{"a":""}\n'))}, "")


@raises(objects.RefusedObjectError, "deeper")
def nested_object(number: int) -> object:
    content: object = 1
    for _ in range(number - 1):
        content = [content]
    name = "identity--0b7c4a1e-8d0c-4d6b-9a45-6f3e0d7a9c11"
    return objects.arrived(
        {"type": "identity", "id": name, "x": content}, "2026-01-01T00:00:00Z", lambda _: ()
    )


@raises(notes.NoteError, "longer than")
def bytes_of_a_note(number: int) -> object:
    return notes.parse_signatures(b"x" * number)


@raises(notes.NoteError, "more than")
def signatures_of_a_note(number: int) -> object:
    return notes.parse_signatures("\n" * number)


@raises(CeremonyFileError)
def bytes_of_a_ceremony(number: int) -> object:
    return read_ceremony(padded(CEREMONY.written(), number))


def bytes_of_a_key_file(number: int, folder: Path) -> bool:
    path = folder / "key.json"
    path.touch(0o600)
    path.write_bytes(bytes(number))
    try:
        key_file_form.read(path)
    except ClientError as refusal:
        return "larger than any key file" not in str(refusal)
    return True


@raises(EntryRefusedError, "no list of them")
def entries_of_a_chain(number: int) -> object:
    return read_chain([{}] * number)


@raises(webhook.WebhookError)
def bytes_of_a_webhook(number: int) -> object:
    body, key, now = padded("{}", number), bytes(32), datetime.now(UTC)
    stamp = str(int(now.timestamp()))
    digest = hmac.digest(key, f"m.{stamp}.".encode() + body, hashlib.sha256)
    told = {
        "webhook-id": "m",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    secret = f"whsec_{base64.b64encode(key).decode()}"
    return webhook.verified([secret], told, body, now=now)


@raises(rotation.RotationProofError)
def characters_of_a_proof_line(number: int) -> object:
    return rotation._read_line(padded("{}", number).decode(), 1)


def characters_of_a_token(number: int, folder: Path) -> bool:
    path = folder / "token"
    path.touch(0o600)
    path.write_text("x" * number)
    try:
        return len(settings.read_token(path)) == number
    except ClientError:
        return False


@raises(ClientError, "more than")
def characters_of_a_passphrase(number: int) -> object:
    return passphrase.check_new("cobalt ferry lantern marble twig".ljust(number, "q"))


@raises(condition.ConditionError)
def words_of_a_condition(number: int) -> object:
    begun = ["a"] if number % 2 else ["not", "a"]
    return condition.read_condition(" ".join(begun + ["or", "a"] * ((number - 1) // 2)))


@raises(condition.ConditionError)
def nested_condition(number: int) -> object:
    return condition.read_condition("(" * (number - 1) + "a" + ")" * (number - 1))


@raises(SealedContentError)
def characters_of_a_message(number: int) -> object:
    return Message("x" * number)


def elements_of_a_request(number: int) -> bool:
    return "elements" not in EvaluateSchema().validate({"elements": [b64(bytes(32))] * number})


def reports_of_a_request(number: int) -> bool:
    return "Length must be" not in str(ReportsSchema().validate({"reports": [{}] * number}))


def indicators_of_a_report(number: int) -> bool:
    place = {"operator": "bpost", "code": "BRU-1", "country": "BE"}
    one = {
        "kind": "induction_point",
        "role": "induction_point",
        "place": place,
        "learned": "carrier_record",
        "legal_basis": "postal_law",
    }
    return ReportSchema().validate({"client_key": "k", "indicators": [one] * number}) == {}


def facets_of_an_indicator(number: int) -> bool:
    told = IndicatorSchema().validate({"elements": [{"facet": 1, "element": "x"}] * number})
    return "It is not a list of" not in str(told["elements"])


def queries_of_a_lookup(number: int) -> bool:
    token = {"facet": 20, "token": b64(bytes(16))}
    one = {"id": "q", "kind": "phone", "epoch": 1, "tokens": [token]}
    return "queries" not in AskSchema().validate({"queries": [one] * number})


def bytes_of_a_sealed_text(number: int) -> bool:
    return SealedSchema().validate({"value": b64(bytes(number))}) == {}


def files_of_a_report(number: int) -> bool:
    return "number" not in AttachmentArgumentsSchema().validate({"number": number})


def characters_of_basic(number: int) -> bool:
    size = 3 * -(-number // 4)
    return bool(basic.password(base64.b64encode(padded(":p", size)).decode()))


def characters_of_a_passkey(number: int) -> bool:
    return passkeys._document(padded("{}", number).decode()) is not None


def networks_of_a_token(number: int) -> bool:
    bounds = token_bounds.read_bounds([f"10.0.{place}.0/24" for place in range(number)])
    return token_bounds.faults_of(bounds) == []


def characters_of_a_certificate(number: int) -> bool:
    return certificate_in(CERTIFICATE.ljust(number)) is not None


def _certificate() -> str:
    key, name = (
        Ed25519PrivateKey.generate(),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, None)
    )
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


CERTIFICATE = _certificate()


def characters_of_an_address(number: int) -> bool:
    return addresses.webhook_fault("https://a.example/".ljust(number, "x"), ()) == ""


@raises(asking.ServerError)
def characters_of_next(number: int) -> object:
    content = {"objects": [], "more": True, "next": "x" * number}
    return asking._page(json.dumps(content).encode(), Headers())


@raises(asking.ServerError)
def nested_page(number: int) -> object:
    inner: object = 1
    for _ in range(number - 1):
        inner = [inner]
    return asking._page(json.dumps({"objects": inner}).encode(), Headers())


def characters_of_a_header(number: int) -> bool:
    return negotiation.is_accepted("application/taxii+json;version=2.1,a/".ljust(number, "a"))


@raises(cosigning.CosignatureRefusedError, "longer than")
def bytes_of_signature_lines(number: int) -> object:
    return cosigning._parsed(b"x" * number)


@raises(InvalidRequestError)
def characters_of_a_title(number: int) -> object:
    return sealing.clean_title("x" * number)


@raises(InvalidRequestError)
def characters_of_an_officers_note(number: int) -> object:
    return sealing.clean_note("x" * number)


@raises(holders.AwayError)
def bytes_of_a_holders_answer(number: int) -> object:
    told = {"elements": [b64(base(random_scalar()))], "proof": b64(bytes(64))}
    content = padded(json.dumps(told), number)
    holder = {"number": 1, "name": "alpha"}
    return holders.part_of(holder, 200, "", content, {"elements": ["x"]})


@raises(ValueError)
def shares_of_a_holder(number: int) -> object:
    one = {"kind": "phone", "epoch": 1}
    key = moved_shares.HeldKey(EvaluationKind.POSTAL, 1, ())
    return moved_shares.told(json.dumps({"shares": [one] * number}).encode(), key)


def bytes_of_a_pattern(number: int) -> bool:
    faults = patterns.check("#" * number, date(2026, 11, 27)).faults
    return not any("longer than" in each.reason for each in faults)


def characters_of_a_value(number: int) -> bool:
    return recognise("16 rue de la Loi, 1040 Bruxelles, Belgium".ljust(number, ",")) != []


@raises(Exception, "InvalidRequestError")
def bytes_of_a_model(number: int) -> object:
    try:
        return modelling._read("#" * number)
    except InvalidRequestError as refusal:
        raise ValueError("InvalidRequestError") from refusal


CASES: dict[str, Callable[..., bool]] = {
    "app.accounts.basic:_LONGEST": characters_of_basic,
    "app.accounts.passkeys:LONGEST_ANSWER": characters_of_a_passkey,
    "app.accounts.token_bounds:MOST_NETWORKS": networks_of_a_token,
    "app.audit.cosigning:LARGEST_ANSWER": bytes_of_signature_lines,
    "app.barriers.modelling:MOST_BYTES": bytes_of_a_model,
    "app.compliance.sealing:LONGEST_NOTE": characters_of_an_officers_note,
    "app.compliance.sealing:LONGEST_TITLE": characters_of_a_title,
    "app.exchange.asking:LONGEST_NEXT": characters_of_next,
    "app.exchange.asking:_DEEPEST": nested_page,
    "app.exchange.negotiation:_LONGEST": characters_of_a_header,
    "app.indicators.schemas:MOST_FACETS": facets_of_an_indicator,
    "app.indicators.schemas:MOST_INDICATORS": indicators_of_a_report,
    "app.indicators.schemas:MOST_REPORTS": reports_of_a_request,
    "app.indicators.sealed_fields:LARGEST_TEXT": bytes_of_a_sealed_text,
    "app.indicators.sealed_fields:MOST_ATTACHMENTS": files_of_a_report,
    "app.jobs.addresses:LONGEST": characters_of_an_address,
    "app.lookups.schemas:MOST_QUERIES": queries_of_a_lookup,
    "app.origin:_LONGEST": characters_of_a_certificate,
    "app.patterns.documents:LARGEST_TEXT": bytes_of_a_pattern,
    "app.pseudonyms.holders:_LARGEST_ANSWER": bytes_of_a_holders_answer,
    "app.pseudonyms.moved_shares:_MOST_SHARES": shares_of_a_holder,
    "app.pseudonyms.schemas:LARGEST_BATCH": elements_of_a_request,
    "postern.evaluation_octets:MOST": elements_in_bulk,
    "postern.key_file_form:_LARGEST": bytes_of_a_key_file,
    "postern.key_sharing:_LARGEST": bytes_of_a_ceremony,
    "postern.organisation_entry:LONGEST_CHAIN": entries_of_a_chain,
    "postern.passphrase:LONGEST": characters_of_a_passphrase,
    "postern.patterns.condition:MOST_WORDS": words_of_a_condition,
    "postern.patterns.condition:_DEEPEST": nested_condition,
    "postern.recognise:LONGEST": characters_of_a_value,
    "postern.rotation:LARGEST_LINE": characters_of_a_proof_line,
    "postern.sealed_message:LONGEST_TEXT": characters_of_a_message,
    "postern.settings:_LONGEST_TOKEN": characters_of_a_token,
    "postern.stix.parsing:DEEPEST": nested_stix,
    "postern.stix.parsing:LONGEST_NUMBER": digits_in_stix,
    "postern.taxii.objects:DEEPEST": nested_object,
    "postern.taxii.objects:LARGEST_OBJECT": bytes_of_an_object,
    "postern.threshold:MOST_HOLDERS": holders_of_a_key,
    "postern.tlog.notes:_LONGEST_NOTE": bytes_of_a_note,
    "postern.tlog.notes:_MOST_SIGNATURES": signatures_of_a_note,
    "postern.webhook:LONGEST": bytes_of_a_webhook,
}
"""Which bound each case tries, by module and name."""

_WITH_FILES = {"postern.key_file_form:_LARGEST", "postern.settings:_LONGEST_TOKEN"}


def bound(name: str) -> int:
    module, constant = name.split(":")
    found: int = getattr(importlib.import_module(module), constant)
    return found


@pytest.mark.parametrize("name", CASES)
def test_as_much_is_taken_as_the_bound_says_and_no_more(name: str, tmp_path: Path) -> None:
    takes, most = CASES[name], bound(name)
    more = (tmp_path,) if name in _WITH_FILES else ()
    assert takes(most, *more)
    assert not takes(most + 1, *more)


@pytest.mark.parametrize(
    ("count", "size", "status"),
    [
        pytest.param(1_000, 1, 400, id="as-many-parts"),
        pytest.param(1_001, 1, 413, id="too-many-parts"),
        pytest.param(1, 499_000, 400, id="as-large-a-field"),
        pytest.param(1, 500_001, 413, id="too-large-a-field"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_has_so_many_parts_and_so_large_fields(
    client: FlaskClient, count: int, size: int, status: int
) -> None:
    form = MultiDict([(f"f{place}", "x" * size) for place in range(count)])
    answer = client.post("/sign-in", data=form, content_type="multipart/form-data")
    assert answer.status_code == status


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_body_has_so_many_bytes(app: Flask, client: FlaskClient) -> None:
    make_organisation(runtime_of(app).database, "police-de")
    person = make_person(app, "police-de", [Role.ANALYST])
    headers = bearer(app, person, [Scope.LOOKUPS_WRITE]) | {"Content-Type": "application/json"}
    most: int = app.config["MAX_CONTENT_LENGTH"]
    for size, status in ((most, 422), (most + 1, 413)):
        answer = client.post("/api/v1/lookups", data=padded("{}", size), headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "begun", "fits", "refused"),
    [
        pytest.param(
            "limit_request_line", b"GET /", b" HTTP/1.1\r\n\r\n", LimitRequestLine, id="line"
        ),
        pytest.param(
            "limit_request_field_size",
            b"GET / HTTP/1.1\r\nA: ",
            b"\r\n\r\n",
            LimitRequestHeaders,
            id="header",
        ),
        pytest.param(
            "limit_request_fields",
            b"GET / HTTP/1.1\r\n",
            b"\r\n",
            LimitRequestHeaders,
            id="headers",
        ),
    ],
)
def test_gunicorn_reads_so_much_of_a_head_and_no_more(
    name: str, begun: bytes, fits: bytes, refused: type[Exception]
) -> None:
    config = Config()
    values = of_file("config/gunicorn.conf.py")
    for each in ("limit_request_line", "limit_request_fields", "limit_request_field_size"):
        config.set(each, values[each])
    most = next(  # from the page, so that a file without the bound is noticed
        int(number.replace(",", ""))
        for _, number, _, constant, _ in ROW.findall(PAGE.read_text("utf-8"))
        if constant == name
    )

    def head(number: int) -> bytes:
        if name == "limit_request_fields":
            return begun + b"A: b\r\n" * number + fits
        line_end = 2 if name == "limit_request_field_size" else 0  # which is counted there
        first, last = begun.rpartition(b"\r\n")[2], fits.partition(b"\r\n")[0]
        return begun + b"a" * (number - len(first) - len(last) - line_end) + fits

    def read(raw: bytes) -> None:
        next(RequestParser(config, iter([raw]), ("127.0.0.1", 1)))

    read(head(most))
    with pytest.raises(refused):
        read(head(most + 1))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_tells_the_bounds_of_the_code_and_tests_that_exist(app: Flask) -> None:
    rows = ROW.findall(PAGE.read_text("utf-8"))
    named = {f"{where}:{constant}" for _, _, where, constant, _ in rows}
    assert len(named) == len(rows) >= len(CASES)
    assert set(CASES) <= named
    for what, value, where, constant, test in rows:
        file, _, function = test.partition("::")
        assert re.search(rf"def {function.partition('[')[0]}\(", (ROOT / file).read_text()), what
        assert told(app, where, constant) == int(value.replace(",", "")), what


def told(app: Flask, where: str, constant: str) -> int:
    if where == "app.config":
        of_app: int = app.config[constant]
        return of_app
    if where.endswith(".py"):
        found: int = of_file(where)[constant]
        return found
    return bound(f"{where}:{constant}")


def of_file(path: str) -> dict[str, Any]:
    """What a file of settings in Python sets."""
    return runpy.run_path(str(ROOT / path))
