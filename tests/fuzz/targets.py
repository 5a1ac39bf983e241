"""What reads what others wrote: each parser with its seeds and the errors that it documents.

An allowed outcome is a value or one of those errors; anything else is a crash. Where a signature
stands before what is to be fuzzed, the harness signs what came out, as a sealer or a platform that
means harm would.
"""

import functools
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from app.barriers import documents as barrier_documents
from app.barriers.errors import ModelError
from app.errors import PosternError
from app.exchange import sent
from app.exchange.taxii_bodies import read_envelope
from app.patterns import documents as pattern_documents
from app.sharing import engine, policy_text
from postern import key_document, key_file_form, rotation
from postern.audit.own_entries import EntryMalformedError, fault_of, parse_entry
from postern.columns import ColumnsError, load_overrides, read_header
from postern.csv_file import CsvError, examine, read_rows
from postern.duckdb_engine import Engine
from postern.envelope import Context, Envelope, signature
from postern.hpke import SecretKey
from postern.imports.errors import MappingError
from postern.imports.reading import read_mapping
from postern.key_errors import KeyDocumentError
from postern.key_file_errors import KeyFileError
from postern.key_sharing import CeremonyFileError, read_ceremony
from postern.manifest import prepare
from postern.manifest_errors import ManifestError
from postern.manifest_lines import sift
from postern.manifest_mapping import ManifestMapping, load_mapping, manifest_columns
from postern.manifest_xml import xml_as_csv
from postern.misp.reading import MispMalformedError, map_misp
from postern.organisation_entry import EntryRefusedError, check_chain, read_chain
from postern.passphrase import CostRefusedError
from postern.patterns.errors import PatternError
from postern.patterns.reading import read_filters, read_rules
from postern.rotation import RotationProofError
from postern.rows import Reading, read_row
from postern.seal import open_envelope, seal
from postern.seal_errors import SealError
from postern.sealed_content import SealedContentError, opened, tokens_again
from postern.signing_identity import SIGNATURE_SIZE, SigningIdentity
from postern.stix.form import check_object, check_pattern
from postern.stix.parsing import StixMalformedError
from postern.stix.patterns import things_of
from postern.stix.reading import map_objects, read_bundle
from postern.strict_json import MalformedError as JsonMalformedError
from postern.strict_json import parse_object
from postern.terms import FaultError
from postern.tlog.bundles import parse_bundle
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.notes import Note, NoteError, VerifierKey, parse_signatures
from postern.tlog.policy import Policy
from postern.tlog.proof_file import ProofFile
from postern.tlog.strict import MalformedError
from tests.fuzz import answering, entering, premises, seeds
from tests.fuzz.target import Target, file_of, folder, text_of

TODAY = date(2026, 11, 27)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
_SMALL = ManifestMapping(weight_unit="g", currency="EUR")
_CONTEXT = Context("post-be", "address", 3, bytes(16), "record-1", "value")


def _csv(case: bytes) -> None:
    found = examine(file_of(case, "reports.csv"))
    columns = read_header(found.header, {})
    reading = Reading(TODAY, operator="bpost", country="BE", seals=True)
    for row in read_rows(found):
        if row.fault is None:
            try:
                read_row(columns.read(row.cells), reading)
            except FaultError:
                continue


def _manifest_lines(case: bytes) -> None:
    for encoding in (None, "utf-16", "windows-1252"):
        sifted = sift(
            file_of(case, "manifest.csv"), folder() / "sifted.csv", encoding, lambda _: None
        )
        manifest_columns(sifted.header, _SMALL)


@functools.cache
def _engine() -> tuple[Engine, Path]:
    work = folder() / "work"
    work.mkdir()
    return Engine(work, memory_mib=256, threads=1), work


def _manifest(case: bytes) -> None:
    engine_, work = _engine()
    prepare(file_of(case, "manifest.csv"), work, _SMALL, engine_, lambda *_: None)


def _manifest_xml(case: bytes) -> None:
    xml_as_csv(file_of(case, "manifest.xml"), folder() / "items.csv", "mailItem")


def _chain(case: bytes) -> None:
    try:
        found = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    check_chain(read_chain(found))


@functools.cache
def _sealer() -> tuple[SigningIdentity, SecretKey]:
    return SigningIdentity.new(), SecretKey.new()


def sealed() -> list[bytes]:
    """Envelopes that open, by the sealer of this process."""
    identity, key = _sealer()
    return [
        seal(each, _CONTEXT, (key.public,), identity) for each in (b"", b"Example 12", b"x" * 999)
    ]


def _envelope(case: bytes) -> None:
    Envelope.parse(case)


def _envelope_signed(case: bytes) -> None:
    identity, key = _sealer()
    body = case[:-SIGNATURE_SIZE]
    known = (identity.public,)
    open_envelope(body + signature(body, identity), _CONTEXT, (key,), known)


def _content(case: bytes) -> None:
    for part in ("value", "note", "attachment/1"):
        try:
            found = opened(part, case)
        except SealedContentError:
            continue
        if part == "value":
            tokens_again(found)  # type: ignore[arg-type]


def _policy(case: bytes) -> None:
    engine.OwnerPolicies(policy_text.read(text_of(case)))


def _pattern(case: bytes) -> None:
    text = text_of(case)
    pattern_documents.check(text, TODAY)
    for read in (read_rules, read_filters):
        try:
            read(text)
        except PatternError:
            continue


def _stix(case: bytes) -> None:
    objects = list(read_bundle(io.BytesIO(case)))
    for each in objects:
        check_object(each)
    map_objects(objects)


def _taxii(case: bytes) -> None:
    for place, each in enumerate(read_envelope(case)):
        sent.read(place, each, NOON)


def _stix_pattern(case: bytes) -> None:
    text = text_of(case)
    check_pattern(text)
    things_of(text)


def _key_document(case: bytes) -> None:
    try:
        wire = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    try:
        again = seeds.signed_anyway(wire)
    except (ValueError, TypeError, RecursionError, OverflowError):
        again = {"document": wire, "key": "", "signature": ""}
    key_document.read(again, None, NOON)
    if isinstance(wire, dict):
        key_document.read(wire, None, NOON)


def _note(case: bytes) -> None:
    attempts: tuple[Callable[[], object], ...] = (
        lambda: Note.parse(case),
        lambda: Note.parse(text_of(case)),
        lambda: Checkpoint.parse(text_of(case)),
        lambda: parse_signatures(case),
        lambda: VerifierKey.parse(text_of(case)),
        lambda: open_checkpoint(case, [VerifierKey.parse(each) for each in seeds.vkeys()]),
    )
    for each in attempts:
        try:
            each()
        except NoteError:
            continue


def _log_files(case: bytes) -> None:
    attempts: tuple[Callable[[], object], ...] = (
        lambda: Policy.parse(case),
        lambda: ProofFile.parse(case),
        lambda: parse_bundle(case, 3),
    )
    for each in attempts:
        try:
            each()
        except MalformedError:
            continue


def _entry(case: bytes) -> None:
    fault_of(parse_entry(case))


def _rotation(case: bytes) -> None:
    rotation.verify_file(text_of(case).splitlines())


_CSV_ERRORS = (CsvError, ColumnsError)

TARGETS: dict[str, Target] = {
    each.name: each
    for each in (
        Target("csv-reports", _csv, _CSV_ERRORS, seeds.csv_reports, 4),
        Target(
            "column-file",
            lambda case: load_overrides(file_of(case, "columns.toml")),
            _CSV_ERRORS,
            seeds.column_files,
        ),
        Target("manifest-lines", _manifest_lines, (ManifestError,), seeds.manifests),
        Target("manifest-whole", _manifest, (ManifestError,), seeds.manifests, 40),
        Target("manifest-xml", _manifest_xml, (ManifestError,), seeds.manifests_xml),
        Target(
            "manifest-mapping",
            lambda case: load_mapping(file_of(case, "mapping.toml")),
            (ManifestError,),
            seeds.manifest_mappings,
        ),
        Target("key-file", key_file_form.parse, (KeyFileError, CostRefusedError), seeds.key_files),
        Target("key-entries", _chain, (EntryRefusedError,), seeds.key_entries),
        Target("key-ceremony", read_ceremony, (CeremonyFileError,), seeds.ceremonies),
        Target("key-document", _key_document, (KeyDocumentError,), seeds.key_documents),
        Target("key-rotation", _rotation, (RotationProofError,), seeds.rotations, 4),
        Target("envelope", _envelope, (SealError,), seeds.envelopes),
        Target("envelope-signed", _envelope_signed, (SealError,), sealed, 2),
        Target("sealed-content", _content, (SealedContentError,), seeds.contents),
        Target("strict-json", parse_object, (JsonMalformedError,), seeds.contents),
        Target("policy", _policy, (policy_text.PolicyRefusedError,), seeds.policies, 4),
        Target("pattern", _pattern, (PatternError,), seeds.patterns, 40),
        Target(
            "barrier-model",
            lambda case: barrier_documents.read_model(text_of(case)),
            (ModelError,),
            seeds.barrier_models,
            40,
        ),
        Target(
            "import-mapping",
            lambda case: read_mapping(text_of(case)),
            (MappingError,),
            seeds.import_mappings,
            20,
        ),
        Target("stix", _stix, (StixMalformedError,), seeds.bundles),
        Target("stix-sent", _taxii, (PosternError,), seeds.bundles),
        Target("stix-patterning", _stix_pattern, (), seeds.stix_patterns, 4),
        Target(
            "misp",
            lambda case: map_misp(io.BytesIO(case)),
            (MispMalformedError,),
            seeds.misp_events,
        ),
        Target("note", _note, (NoteError,), seeds.notes),
        Target("log-files", _log_files, (MalformedError,), seeds.log_files),
        Target("log-entry", _entry, (EntryMalformedError,), seeds.log_entries),
        *answering.TARGETS,
        *entering.TARGETS,
        *premises.TARGETS,
    )
}


def kept(where: Path) -> Iterator[tuple[Target, Path]]:
    """Every case that once crashed, kept in a folder for each target."""
    for path in sorted(where.glob("*/*")):
        if path.parent.name in TARGETS:
            yield TARGETS[path.parent.name], path
