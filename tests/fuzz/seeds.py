"""Sound examples of what each parser reads: test data, policies, and what our writers make."""

import base64
import functools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postern import group, key_document, rotation, voprf
from postern.audit.record import canonical, commitment, disclosure, disclosure_digest, leaf_of
from postern.base64url import to_base64url
from postern.key_document import KeyDocument, KeyEpoch

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"

_DIRECTORY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_ISSUED = datetime(2026, 11, 1, 12, tzinfo=UTC)
_UUID = "0193690e-0000-4000-8000-00000000000"


@functools.cache
def _json(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _written(*objects: object) -> list[bytes]:
    return [json.dumps(each, ensure_ascii=False).encode() for each in objects]


def _files(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for each in patterns for path in sorted(ROOT.glob(each))]


def csv_reports() -> list[bytes]:
    """Files of reports in each encoding and delimiter."""
    whole = (
        "kind,role,name,street,house_number,postcode,city,country,phone,email,item_id,pgp,"
        "vendor_handle,vendor_market,payment,observed_from,net_weight_g,value,currency,hs_code,note\n"
        'x,sender,"Van Damme, Sophie",Rue de la Loi,16,1040,Bruxelles,BE,+32 2 555 01 02,'
        "a.b@example.org,RR123456785BE,,snow,market,bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq,"
        '2026-11-20,250,"12,50",EUR,300490,"seen ""twice"""\n'
        "x,addressee,Jan de Vries,Keizersgracht 101,,1015 AB,Amsterdam,NL,,,,,,,,2026-11-21,,,,,\n"
    )
    few = "name;city;phone\nJosé;Gent;09 555 01 02\n;Luik;\n"
    sheets = _files("tests/data/sheets/*.csv", "tests/data/sheets/*.txt")
    return [whole.encode(), whole.encode("utf-16"), few.encode("windows-1252"), *sheets]


def manifests() -> list[bytes]:
    """Manifests with and without what is wrong in a line."""
    text = (
        "item_id,account,posted_on,origin_country,declared_category,net_weight_g,contents,value,"
        "currency,hs_code,sender_name,addressee_name,addressee_postcode,service\n"
        "A,K-1,2026-11-01,NL,documents,200,papers,10,EUR,4901,Jansen,Pieters,1015 AB,express\n"
        'B,,01/11/2026,NLD,gift,3x0,"toys, ""wood""",1.000,USD,9503,Jansen,Roux,75001,letter\n'
        "\nC,,2026-11-03,NL,gift,300,<b>tea</b>,,,,Jansen,Meyer\n"
    )
    return [text.encode(), text.replace(",", ";").encode("utf-16"), text.encode("windows-1252")]


def manifests_xml() -> list[bytes]:
    """A message of parcels."""
    text = (
        '<?xml version="1.0"?><m:message xmlns:m="urn:example"><m:header a="1"/>'
        '<m:mailItem id="A"><m:posted_on>2026-11-01</m:posted_on><m:sender><m:name>J &amp; Co'
        "</m:name></m:sender></m:mailItem><mailItem><posted_on>2026-11-02</posted_on></mailItem>"
        "</m:message>"
    )
    bomb = '<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a><mailItem>&d;</mailItem></a>'
    return [text.encode(), bomb.encode()]


def column_files() -> list[bytes]:
    """Which heading is which field."""
    return [b'[columns]\n"Client no." = "account"\n"Naam" = "name"\n', b'"Naam" = "name"\n']


def manifest_mappings() -> list[bytes]:
    """How an operator's manifest is read."""
    return [
        b'decimal = ","\nencoding = "windows-1252"\nweight_unit = "kg"\ncurrency = "EUR"\n'
        b'item = "mailItem"\n[columns]\n"Client no." = "account"\n'
        b'[words.service]\n"X1" = "express"\n'
        b'[rates]\nUSD = "0.92"\n'
    ]


def key_files() -> list[bytes]:
    """The key files of the known answers."""
    known = _json("sealed-vectors.json")
    return _written(known["key_file"], known["recovery_file"])


def key_entries() -> list[bytes]:
    """A chain of signed entries of one organisation."""
    known = _json("sealed-vectors.json")["entries"]
    return _written(known, known[:1])


def ceremonies() -> list[bytes]:
    """The public file of a dealer, for two holders of three."""
    elements = [to_base64url(group.base((n + 1).to_bytes(32, "little"))) for n in range(2)]
    holders = [
        {"number": n, "name": f"holder-{n}", "address": f"https://holder-{n}.example"}
        for n in (1, 2, 3)
    ]
    whole: dict[str, Any] = {
        "format": "postern-key-ceremony",
        "version": 1,
        "platform": "Postern",
        "epoch": 1,
        "holders": holders,
        "keys": [{"kind": kind, "commitments": elements} for kind in ("phone", "postal")],
    }
    return _written(whole, {**whole, "keys": whole["keys"][:1]})


def signed_anyway(document: object) -> dict[str, object]:
    """The wire form of a document that a platform signs although it breaks a rule."""
    message = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "document": document,
        "key": to_base64url(_DIRECTORY_KEY.public_key().public_bytes_raw()),
        "signature": to_base64url(_DIRECTORY_KEY.sign(b"PN-keys-v1\n" + message.encode())),
    }


@functools.cache
def _key_document() -> dict[str, Any]:
    year = timedelta(days=365)
    epochs = tuple(
        KeyEpoch(kind, number, "norm1", group.base(number.to_bytes(32, "little")), _ISSUED, end)
        for kind, number, end in (("phone", 1, _ISSUED + year), ("postal", 2, _ISSUED + 2 * year))
    )
    document = KeyDocument("Postern", _ISSUED, _ISSUED + timedelta(days=60), epochs)
    wire: dict[str, Any] = key_document.sign(document, _DIRECTORY_KEY)
    return wire


def key_documents() -> list[bytes]:
    """A document that is signed anew after it was changed, and a whole wire form."""
    wire = _key_document()
    return _written(wire["document"], wire)


def rotations() -> list[bytes]:
    """A proof file with rows and without."""
    old, new = (3).to_bytes(32, "little"), (5).to_bytes(32, "little")
    about = rotation.Rotation("postal", 1, 2, group.base(old), group.base(new))
    one = (1).to_bytes(32, "little")
    rows = [group.mul(old, voprf.blind(b"%d" % n, r=one)[1]) for n in range(2)]
    moved = rotation.move(about, rotation.factor(old, new), 1, rows)
    return [
        "\n".join(rotation.written(about, [(moved.statement, each)])).encode()
        for each in (None, moved)
    ]


def envelopes() -> list[bytes]:
    """The envelope of the known answers."""
    return [bytes.fromhex(_json("sealed-vectors.json")["envelope"])]


def contents() -> list[bytes]:
    """What is sealed: values, notes, attachments and messages."""
    known = _json("sealed-content-vectors.json")
    return [
        bytes.fromhex(each["plaintext"])
        for name in ("values", "notes", "attachments", "messages")
        for each in known[name]
    ]


def policies() -> list[bytes]:
    """Cedar of owners, of the platform, and texts with faults."""
    faults = (DATA / "policy-faults.txt").read_text(encoding="utf-8").split("\n\n")
    return [
        *_files("policies/demo/*.cedar", "policies/*.cedar"),
        *(each.encode() for each in faults),
    ]


def patterns() -> list[bytes]:
    """The shipped shipping patterns."""
    return _files("policies/patterns/*.yml")


def barrier_models() -> list[bytes]:
    """The shipped barrier model."""
    return _files("policies/barriers/postal-seven-steps.yml")


def import_mappings() -> list[bytes]:
    """The shipped mappings of seizures."""
    return _files("postern/imports/*.yml")


def stix_patterns() -> list[bytes]:
    """Patterns of STIX, easy ones and those that need its grammar."""
    return [
        b"[email-addr:value = 'a@example.org']",
        b"[email-addr:value = 'a\\'b'] OR [user-account:account_login IN ('a', 'b')]",
        b"([x-a:b = 1] AND [x-a:c != 2.5]) FOLLOWEDBY [url:value LIKE 'a%'] WITHIN 5 SECONDS",
        b"[file:hashes.'SHA-256' MATCHES '^a+$' AND file:size > 10] REPEATS 3 TIMES",
        b"[artifact:payload_bin = b'AAAA'] START t'2026-01-01T00:00:00Z' STOP "
        b"t'2026-02-01T00:00:00Z'",
        b"[network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24' AND EXISTS x-a:b[*].c]",
    ]


def bundles() -> list[bytes]:
    """Bundles, envelopes and JSON Lines with an object of each kind that is read."""
    at = "2026-11-20T10:00:00.000Z"
    about = {"spec_version": "2.1", "created": at, "modified": at}
    objects: list[dict[str, Any]] = [
        {
            "type": "indicator",
            "id": f"indicator--{_UUID}1",
            **about,
            "pattern": stix_patterns()[0].decode(),
            "pattern_type": "stix",
            "valid_from": at,
            "valid_until": "2027-11-20T10:00:00Z",
            "confidence": 50,
            "labels": ["a"],
            "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
            "extensions": {
                f"extension-definition--{_UUID}9": {"extension_type": "property-extension"}
            },
        },
        {
            "type": "identity",
            "id": f"identity--{_UUID}2",
            **about,
            "name": "N",
            "contact_information": "+32 2 555 01 02",
        },
        {
            "type": "location",
            "id": f"location--{_UUID}3",
            **about,
            "country": "BE",
            "street_address": "Rue de la Loi 16",
            "postal_code": "1040",
            "city": "Bruxelles",
        },
        {
            "type": "relationship",
            "id": f"relationship--{_UUID}4",
            **about,
            "relationship_type": "located-at",
            "source_ref": f"identity--{_UUID}2",
            "target_ref": f"location--{_UUID}3",
        },
        {
            "type": "observed-data",
            "id": f"observed-data--{_UUID}5",
            **about,
            "first_observed": at,
            "last_observed": at,
            "number_observed": 1,
            "object_refs": [f"email-addr--{_UUID}6"],
        },
        {
            "type": "email-addr",
            "id": f"email-addr--{_UUID}6",
            "spec_version": "2.1",
            "value": "a@example.org",
        },
        {
            "type": "sighting",
            "id": f"sighting--{_UUID}7",
            **about,
            "sighting_of_ref": f"indicator--{_UUID}1",
            "count": 2,
            "first_seen": at,
        },
        {
            "type": "user-account",
            "id": f"user-account--{_UUID}8",
            "account_login": "snow",
            "account_type": "market",
        },
    ]
    bundle = {"type": "bundle", "id": f"bundle--{_UUID}0", "objects": objects}
    return [*_written(bundle, {"objects": objects}, objects), b"\n".join(_written(*objects))]


def misp_events() -> list[bytes]:
    """An event as MISP exports it, and the answer of a search."""
    attribute = {
        "uuid": f"{_UUID}1",
        "type": "email-src",
        "category": "Network activity",
        "value": "a@example.org",
        "to_ids": True,
        "timestamp": "1763632800",
        "comment": "",
        "deleted": False,
        "Tag": [{"name": "tlp:amber"}],
    }
    thing = {
        "uuid": f"{_UUID}2",
        "name": "postal-parcel",
        "template_uuid": f"{_UUID}3",
        "Attribute": [
            {**attribute, "object_relation": "sender-name", "type": "text", "value": "N"}
        ],
    }
    event = {
        "Event": {
            "uuid": f"{_UUID}4",
            "info": "x",
            "date": "2026-11-20",
            "published": True,
            "Attribute": [attribute],
            "Object": [thing],
            "Tag": [{"name": 'admiralty-scale:source-reliability="b"'}],
            "Orgc": {"name": "o"},
        }
    }
    return _written(event, [event], {"response": [event]}, {f"{_UUID}4": event["Event"]})


def vkeys() -> list[str]:
    """Keys of logs and witnesses that sign what `notes` gives."""
    known = _json("tlog-vectors.json")
    cosigned = [key for case in known["cosignature_v1"]["cases"] for key in case["vkeys"]]
    return list(dict.fromkeys([known["tiled_log"]["vkey"], *cosigned]))


def notes() -> list[bytes]:
    """Signed notes, checkpoints, cosigned ones and keys in writing."""
    known = _json("tlog-vectors.json")
    cases = [*known["signed_notes"]["cases"], *known["cosignature_v1"]["cases"]]
    texts = [case["note"] for case in cases]
    texts += known["tiled_log"]["checkpoints_by_size"].values()
    texts += [case["body"] for case in known["witness_add_checkpoint"]["cases"]]
    return [each.encode("utf-8", "surrogatepass") for each in [*texts, *vkeys()]]


def log_files() -> list[bytes]:
    """Policies of witnesses, proof files and bundles of entries."""
    known = _json("tlog-vectors.json")
    log, *witnesses = vkeys()[0], *known["cosignature_v1"]["cases"][0]["vkeys"][1:]
    lines = [
        f"log {log} https://log.example",
        *(f"witness w{n} {key}" for n, key in enumerate(witnesses)),
    ]
    lines += [f"group g 1 {' '.join(f'w{n}' for n in range(len(witnesses)))}", "quorum g", ""]
    proofs = [case["text"].encode() for case in known["tlog_proof_format"]["good"]]
    tiles = [
        base64.b64decode(content)
        for name, content in sorted(known["tiled_log"]["files_base64"].items())
        if "entries" in name
    ]
    return ["\n".join(lines).encode(), *proofs, *tiles[:3], b"\0\1a\0\1b\0\0"]


def log_entries() -> list[bytes]:
    """One line of an organisation's own entries, without fault."""
    opening = disclosure("case", "PV-2026-17")
    record = canonical(
        {
            "v": 1,
            "id": f"{_UUID}1",
            "t": 1763632800000,
            "act": "lookup.ask",
            "org": "post-be",
            "aud": ["post-be"],
            "f": {"case": disclosure_digest(opening)},
        }
    )
    leaf = leaf_of(record, [bytes(32)])
    beside = {"disclosures": [opening], "leaf": to_base64url(leaf), "place": 3}
    assert commitment(record) in leaf.decode()
    line = '{"record":' + record.decode() + "," + json.dumps(beside)[1:]
    return [line.encode(), line.replace(": ", ":").encode()]
