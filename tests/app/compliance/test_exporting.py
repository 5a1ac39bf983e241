"""Taking the log away: files that verify without the platform, and that are themselves logged."""

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.access import CONSOLE
from app.accounts import tokens
from app.audit import export as written
from app.audit.entry import Outcome
from app.audit.running import LogKeeper, sequencer
from app.audit.service import append
from app.compliance import exporting
from app.paper import shown
from postern.audit.record import commitment, disclosure_digest
from postern.cli import cli
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import VerifierKey
from postern.tlog.proof_file import ProofFile
from postern.tlog.tree import verify_inclusion
from postern.vocabulary import Role, Scope
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, SOPHIE_TYPED, Exchange, report
from tests.app.people import make_person, runtime_of, sign_in

ADDRESS = "/api/v1/audit/export"
HOSTILE = '=HYPERLINK("http://x","y")'


@pytest.fixture
def officer(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    """police-de asked twice and found something of post-be's; its officer is signed in."""
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    exchange.ask("police-de", JAN)
    sign_in(client, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    return client


def sequence(app: Flask) -> None:
    """Give a place to all that waits, as the process that keeps the log does."""
    with app.app_context():
        keeper = LogKeeper(runtime_of(app), sequencer(runtime_of(app)))
        keeper.begin()
        keeper.sequencer.step()


def taken(client: FlaskClient, query: str) -> TestResponse:
    answer = client.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer


def lines(answer: TestResponse) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.get_data().splitlines()]


def package(client: FlaskClient, query: str = "") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(taken(client, f"format=zip&{query}").get_data())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_json_lines_hold_each_entry_as_the_interface_gives_it_oldest_first(
    exchange: Exchange, officer: FlaskClient
) -> None:
    sequence(exchange.app)
    read = officer.get("/api/v1/audit?act=lookup.ask").get_json()["entries"]
    answer = taken(officer, "act=lookup.ask")
    assert lines(answer) == read[::-1]
    assert [entry["place"] is not None for entry in lines(answer)] == [True, True]
    assert answer.headers["Postern-Count"] == "2"
    assert "Postern-Next" not in answer.headers
    assert answer.content_type == "application/jsonl; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="access-log-police-de-\d{8}T\d{6}Z\.jsonl"',
        answer.headers["Content-Disposition"],
    )


def test_an_export_goes_on_where_the_last_file_ended(
    officer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lines(taken(officer, "to=2099-01-01"))
    monkeypatch.setattr(exporting, "MOST_EXPORTED", 2)
    pieces, cursor = [], ""
    while True:
        answer = taken(officer, f"to=2099-01-01{cursor}")
        assert len(lines(answer)) == int(answer.headers["Postern-Count"]) <= 2
        pieces += lines(answer)
        if "Postern-Next" not in answer.headers:
            break
        cursor = f"&cursor={answer.headers['Postern-Next']}"
        if len(pieces) >= len(whole):
            break  # each file adds its own entry to the log
    assert pieces[: len(whole)] == whole
    assert len(whole) > 4


def test_the_log_keeps_what_was_taken_away_with_the_digest_of_the_file(
    exchange: Exchange, officer: FlaskClient
) -> None:
    answer = taken(officer, "act=lookup.ask&format=csv&q=investigation")
    (entry,) = exchange.entries("audit.export")
    assert entry.details["filters"] == {"act": "lookup.ask", "words": "investigation"}
    assert entry.details["format"] == "csv"
    assert entry.details["sha256"] == hashlib.sha256(answer.get_data()).hexdigest()
    assert json.loads(entry.record)["n"] == 2
    assert entry.audience == ["police-de"]


def test_a_table_has_the_same_columns_for_every_entry_and_words_as_codes(
    officer: FlaskClient,
) -> None:
    answer = officer.get(f"{ADDRESS}?act=lookup.ask&format=csv", headers={"Accept-Language": "fr"})
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert list(rows[0]) == list(written.COLUMNS)
    assert [row["act"] for row in rows] == ["lookup.ask", "lookup.ask"]
    assert {row["purpose"] for row in rows} == {"criminal_investigation"}
    assert {row["case"] for row in rows} == {"PV-2024-17"}
    assert json.loads(rows[0]["other_details"])["hits"] == 1
    assert rows[0]["place"] == ""
    assert rows[0]["intact"] == "yes"


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", HOSTILE],  # noqa: RUF001
)
def test_no_cell_of_a_table_is_computed_by_a_spreadsheet(
    exchange: Exchange, officer: FlaskClient, cell: str
) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        append(session, exchange.caller("police-de"), "report.read", case=cell, count=1)
    content = taken(officer, "act=report.read&format=csv").get_data().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content))
    assert row["case"] == f"'{cell}"


@pytest.mark.parametrize("language", ["en", "fr", "nl", "de"])
def test_a_document_is_a_pdf_in_every_language(officer: FlaskClient, language: str) -> None:
    answer = officer.get(f"{ADDRESS}?format=pdf", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.get_data().startswith(b"%PDF-")
    assert answer.content_type == "application/pdf"
    assert f"/Lang ({language}".encode() in answer.get_data()


def test_a_document_leaves_out_no_character_in_silence() -> None:
    assert shown("Łódź €") == "Łód[U+017A] €" or shown("Łódź €") == "Łódź €"
    assert shown("Жук") == "[U+0416][U+0443][U+043A]"


def test_a_document_takes_hostile_text_as_text(exchange: Exchange, officer: FlaskClient) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for case in ("</b><font size=99>", "a & b", "&lt;", "x" * 128):
            append(session, exchange.caller("police-de"), "lookup.ask", case=case, count=1)
    assert taken(officer, "act=lookup.ask&format=pdf").get_data().startswith(b"%PDF-")


def test_a_package_proves_each_entry_against_the_signed_head(
    exchange: Exchange, officer: FlaskClient
) -> None:
    sequence(exchange.app)
    files = package(officer, "to=2099-01-01")
    assert files.keys() >= {
        *("README.txt", "entries.jsonl", "entries.csv", "entries.pdf", "checkpoint"),
        *("keys.json", "tag-keys.json"),
    }
    keys = json.loads(files["keys.json"])
    log_keys = [VerifierKey.parse(key) for key in keys["log"]]
    head, _ = open_checkpoint(files["checkpoint"], log_keys)
    placed = 0
    for line in files["entries.jsonl"].splitlines():
        entry = json.loads(line)
        if entry["place"] is None:
            continue
        leaf = base64.urlsafe_b64decode(entry["leaf"] + "==")
        proof = ProofFile.parse(files[f"proofs/{entry['place']}.tlog-proof"])
        assert proof.checkpoint == files["checkpoint"]
        verify_inclusion(proof.index, head.size, leaf_hash(leaf), proof.proof, head.root)
        record = re.match(rb'\{"record":(.*"v":1\}),"details"', line)
        assert record
        assert json.loads(leaf)["c"] == commitment(record[1])
        assert {disclosure_digest(one) for one in entry["disclosures"]} == set(
            entry["record"]["f"].values()
        )
        placed += 1
    assert placed >= 4
    assert placed == sum(name.startswith("proofs/") for name in files)


def test_a_package_before_the_first_checkpoint_has_no_proofs(officer: FlaskClient) -> None:
    files = package(officer)
    assert "checkpoint" not in files
    assert not any(name.startswith("proofs/") for name in files)
    assert all(json.loads(line)["place"] is None for line in files["entries.jsonl"].splitlines())


@pytest.fixture
def unpacked(exchange: Exchange, officer: FlaskClient, tmp_path: Path) -> Path:
    """A package of placed entries, one of them with an erased detail, and one still waiting."""
    sequence(exchange.app)
    exchange.ask("police-de", JAN)
    for name, content in package(officer, "to=2099-01-01").items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def verify(directory: Path) -> tuple[int, str]:
    """What the README says, done with the tools that it names."""
    readme = (directory / "README.txt").read_text()
    (extraction,) = re.findall(r"^  (sed -n .* > verify\.sh)$", readme, re.MULTILINE)
    subprocess.run(["bash", "-c", extraction], cwd=directory, check=True)
    ended = subprocess.run(
        ["bash", "verify.sh"], cwd=directory, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_package_verifies_with_openssl_and_coreutils_as_its_readme_says(unpacked: Path) -> None:
    code, told = verify(unpacked)
    assert code == 0, told
    assert told.endswith("ALL IN ORDER\n")
    assert re.search(r"^\d+ entries proven, \d without a place yet$", told, re.MULTILINE)
    assert "\n0 entries proven" not in told


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (("entries.jsonl", '"out":"ok"', '"out":"no"'), "the record of the leaf"),
        (("checkpoint", "\n\n", "\n\n\n"), "no key of the log signed"),
        (("proofs", "index ", "index 9"), "names another place"),
    ],
)
def test_a_damaged_package_is_not_in_order(
    unpacked: Path, damage: tuple[str, str, str], said: str
) -> None:
    name, old, new = damage
    path = next((unpacked / name).iterdir()) if name == "proofs" else unpacked / name
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))
    if name == "checkpoint":  # the signed text, and not only the white space around it
        path.write_text(content.replace("\n", "\n1", 1))
    code, told = verify(unpacked)
    assert code == 1, told
    assert "NOT IN ORDER" in told
    assert said in told


def test_a_swapped_detail_and_a_swapped_proof_are_not_in_order(unpacked: Path) -> None:
    entries = (unpacked / "entries.jsonl").read_text()
    shown_details = re.findall(r'"disclosures": \["([^"]+)"', entries)
    (unpacked / "entries.jsonl").write_text(entries.replace(shown_details[0], shown_details[-1]))
    assert "a detail of" in verify(unpacked)[1]
    (unpacked / "entries.jsonl").write_text(entries)
    first, second = sorted((unpacked / "proofs").iterdir())[:2]
    hashes = first.read_text().partition("\n\n")[0].splitlines()[2:]
    others = second.read_text().partition("\n\n")[0].splitlines()[2:]
    assert hashes != others
    first.write_text(first.read_text().replace("\n".join(hashes), "\n".join(others[::-1]), 1))
    assert "is not under the root" in verify(unpacked)[1]


def test_a_proof_of_one_entry_can_be_fetched_alone(
    exchange: Exchange, officer: FlaskClient
) -> None:
    sequence(exchange.app)
    entry = officer.get("/api/v1/audit?act=lookup.ask").get_json()["entries"][0]
    answer = officer.get(f"/api/v1/audit/proofs/{entry['place']}")
    assert answer.content_type == "text/plain; charset=utf-8"
    proof = ProofFile.parse(answer.get_data())
    keys = officer.get("/audit/log/keys").get_json()["log"]
    head, _ = open_checkpoint(proof.checkpoint, [VerifierKey.parse(key) for key in keys])
    leaf = base64.urlsafe_b64decode(entry["leaf"] + "==")
    verify_inclusion(entry["place"], head.size, leaf_hash(leaf), proof.proof, head.root)
    (logged,) = exchange.entries("audit.prove")
    assert logged.details["objects"] == [entry["record"]["id"]]
    assert logged.details["place"] == entry["place"]


def test_what_is_not_ones_own_has_no_proof(exchange: Exchange, officer: FlaskClient) -> None:
    sequence(exchange.app)
    own = {
        entry["place"]
        for entry in officer.get("/api/v1/audit?limit=200").get_json()["entries"]
        if entry["place"] is not None
    }
    other = next(place for place in range(len(own) + 9) if place not in own)
    answers = [officer.get(f"/api/v1/audit/proofs/{place}") for place in (other, 10**9)]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [{**answer.get_json(), "instance": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert officer.get(f"/api/v1/audit/proofs/{10**30}").status_code == 404


def test_tag_keys_are_given_to_their_own_officer_and_logged(
    exchange: Exchange, officer: FlaskClient
) -> None:
    answer = officer.get("/api/v1/audit/tag-keys").get_json()
    with exchange.database.reading() as session:
        stored = session.scalar(text("SELECT key FROM audit_org_key WHERE org = 'police-de'"))
    assert answer["organisation"] == "police-de"
    assert [each["epoch"] for each in answer["keys"]] == [1]
    assert base64.urlsafe_b64decode(answer["keys"][0]["key"] + "=") == bytes(stored)
    (logged,) = exchange.entries("audit.tag-keys")
    assert "key" not in logged.details


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=doc", "query.format"),
        ("cursor=x", "query.cursor"),
        ("limit=5", "query.limit"),
        ("object=two%20words", "query.object"),
    ],
)
def test_a_wrong_question_is_refused_by_name_and_logged(
    exchange: Exchange, officer: FlaskClient, query: str, field: str
) -> None:
    answer = officer.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    (logged,) = exchange.entries("audit.export")
    assert json.loads(logged.record)["out"] == Outcome.ERROR.value


def test_a_program_needs_the_scope_of_the_log(exchange: Exchange, client: FlaskClient) -> None:
    officer = make_person(exchange.app, "police-de", [Role.COMPLIANCE, Role.ANALYST])
    statuses = []
    for scope in (Scope.AUDIT_READ, Scope.LOOKUPS_WRITE):
        with exchange.app.app_context(), exchange.database.transaction() as session:
            made = tokens.create_token(session, CONSOLE, officer.login, scopes=[scope], days=1)
        headers = {"Authorization": f"Bearer {made.text}"}
        statuses += [
            client.get(address, headers=headers).status_code
            for address in (ADDRESS, "/api/v1/audit/tag-keys", "/api/v1/audit/timeline?case=x")
        ]
    assert statuses == [200, 200, 200, 403, 403, 403]


def test_the_page_gives_the_same_file_and_a_wrong_address_the_form_again(
    exchange: Exchange, officer: FlaskClient
) -> None:
    page = officer.get("/access-log?act=lookup.ask").get_data(as_text=True)
    assert 'action="/access-log/export"' in page
    assert '<input type="hidden" name="act" value="lookup.ask">' in page
    given = officer.get("/access-log/export?act=lookup.ask&format=jsonl")
    assert lines(given) == lines(taken(officer, "act=lookup.ask"))
    assert given.headers["Content-Disposition"].startswith("attachment")
    refused = officer.get("/access-log/export?act=lookup.ask&format=exe")
    assert refused.status_code == 422
    assert "Begin again with the filters below." in refused.get_data(as_text=True)
    assert [json.loads(each.record)["out"] for each in exchange.entries("audit.export")] == [
        "ok",
        "ok",
        "error",
    ]


def test_a_package_verifies_with_the_command_of_members(
    exchange: Exchange, officer: FlaskClient, tmp_path: Path
) -> None:
    sequence(exchange.app)
    key = officer.get("/audit/log/keys").get_json()["log"][0]
    content = taken(officer, "format=zip&to=2099-01-01").get_data()
    told = _verified(content, tmp_path, key)
    assert told == {"signature": "ok", "record": "ok", "inclusion": "ok", "erasure": "ok"}
    changed = _with_entries(content, lambda lines: lines.replace(b'"out":"ok"', b'"out":"no"', 1))
    assert _verified(changed, tmp_path, key)["record"] == "failed"


def _verified(content: bytes, directory: Path, key: str) -> dict[str, str]:
    """The findings of `postern audit verify` that a package alone decides."""
    path = directory / "package.zip"
    path.write_bytes(content)
    state = str(directory / "state.json")
    given = ["audit", "verify", "--json", "--package", str(path), "--log-key", key]
    ended = CliRunner().invoke(cli, [*given, "--state", state])
    checks = json.loads(ended.stdout)["checks"]
    decided = ("signature", "record", "inclusion", "erasure")
    return {one["check"]: one["status"] for one in checks if one["check"] in decided}


def _with_entries(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            inside = old.read(name)
            new.writestr(name, change(inside) if name == "entries.jsonl" else inside)
    return made.getvalue()
