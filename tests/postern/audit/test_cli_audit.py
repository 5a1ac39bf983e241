"""`postern audit`, from the command line to a served log and back."""

import json
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from postern.audit.live import verify_live
from postern.audit.mirror import Mirror
from postern.audit.own_entries import parse_entry
from postern.audit.receipts import ReceiptFile
from postern.audit.record import canonical
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note
from tests.postern.audit.conftest import Premises, packed
from tests.postern.audit.log_builder import OTHER_LOG, LogBuilder
from tests.postern.audit.log_platform import LogPlatform

IN_ORDER, TAMPERED, CANNOT_TELL = 0, 1, 2


@pytest.fixture
def settled(premises: Premises, log: LogBuilder) -> Premises:
    """Premises on which the keys of the log were confirmed."""
    premises.confirm(log)
    return premises


def statuses(report: dict) -> dict[str, str]:
    return {check["check"]: check["status"] for check in report["checks"]}


def alter(log: LogBuilder, place: int) -> None:
    row = log.rows[place]
    row.record = canonical({**row.fields, "act": "report.read"})


def test_nothing_is_verified_before_a_person_confirmed_the_keys(premises: Premises) -> None:
    result = premises.run("verify")
    assert result.exit_code == CANNOT_TELL
    assert "postern audit keys --accept" in result.stderr
    assert not premises.mirror.exists()


def test_the_keys_are_shown_and_asked_about(premises: Premises, log: LogBuilder) -> None:
    shown = premises.run("keys")
    assert str(log.key.verifier) in shown.stdout
    assert "confirmed by nobody" in shown.stdout
    refused = premises.run("keys", "--accept")
    assert refused.exit_code == 1
    assert premises.run("verify").exit_code == CANNOT_TELL


def test_another_key_than_the_one_that_was_told_is_not_confirmed(premises: Premises) -> None:
    result = premises.run("keys", "--accept", "--log-key", str(OTHER_LOG.verifier))
    assert result.exit_code == CANNOT_TELL
    assert "another key of its log than the one that you were told" in result.stderr


def test_an_honest_log_is_in_order(settled: Premises) -> None:
    result = settled.run("verify")
    assert result.exit_code == IN_ORDER, result.output
    assert "IN ORDER. Everything that was checked" in result.stdout
    report = settled.report()
    assert set(statuses(report).values()) == {"ok"}
    assert report["organisation"] == "post-be"
    assert report["entries"]["number"] == 60
    assert {each["organisation"] for each in report["checkpoint"]["witnesses"]} == {
        "member-0",
        "member-1",
        "member-2",
    }


def test_what_was_tampered_with_ends_with_one(settled: Premises, log: LogBuilder) -> None:
    alter(log, 30)
    result = settled.run("verify")
    assert result.exit_code == TAMPERED
    assert "NOT IN ORDER" in result.stdout
    assert "the record is not the one that its leaf fixes" in result.stdout


def test_a_platform_that_is_away_is_no_tampering(settled: Premises, served: LogPlatform) -> None:
    served.fails_after = 3
    result = settled.run("verify")
    assert result.exit_code == CANNOT_TELL
    assert "Run the same command again later" in result.stderr


@pytest.mark.parametrize("answers", range(1, 9))
def test_a_verification_that_was_cut_off_goes_on(
    settled: Premises, served: LogPlatform, answers: int
) -> None:
    served.served.clear()
    served.fails_after = answers
    assert settled.run("verify").exit_code == CANNOT_TELL
    fetched = {path for path in served.served if "/tile/" in path}
    served.fails_after = None
    served.served.clear()
    assert settled.run("verify").exit_code == IN_ORDER
    assert fetched.isdisjoint(served.served)
    assert len(list(Mirror(settled.mirror).entry_lines())) == 60


def test_what_is_there_is_not_fetched_again(settled: Premises, served: LogPlatform) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    served.served.clear()
    assert settled.run("mirror").exit_code == IN_ORDER
    assert not [path for path in served.served if "/tile/" in path]


def test_a_mirror_grows_with_the_log(
    settled: Premises, served: LogPlatform, log: LogBuilder
) -> None:
    assert settled.run("mirror").exit_code == IN_ORDER
    for _ in range(300):
        log.act()
    log.sequence()
    log.cosign()
    served.served.clear()
    result = settled.run("mirror")
    assert result.exit_code == IN_ORDER, result.output
    assert served.served.count("/audit/log/tile/entries/000") == 1
    paths = {
        path.relative_to(settled.mirror).as_posix()
        for path in settled.mirror.rglob("tile/**/*")
        if path.is_file()
    }
    assert paths == {
        "tile/entries/000",
        "tile/entries/001.p/134",
        "tile/0/000",
        "tile/0/001.p/134",
        "tile/1/000.p/1",
    }
    lines = [parse_entry(line) for line in Mirror(settled.mirror).entry_lines()]
    assert [entry.place for entry in lines] == sorted(
        place for place, row in enumerate(log.rows) if "post-be" in row.fields["aud"]
    )


def test_every_cosigned_checkpoint_is_remembered_once(settled: Premises, log: LogBuilder) -> None:
    for _ in range(2):
        assert settled.run("verify").exit_code == IN_ORDER
        assert [seen.size for seen in Mirror(settled.mirror).history()] == [30, 60, 90]
    log.act()
    log.sequence()
    log.cosign()
    assert settled.run("mirror").exit_code == IN_ORDER
    assert [seen.size for seen in Mirror(settled.mirror).history()] == [30, 60, 90, 91]


def test_only_the_owner_may_read_the_mirror(settled: Premises) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    assert stat.S_IMODE(settled.mirror.stat().st_mode) == 0o700
    for name in ("state.json", "entries.jsonl", "history.jsonl"):
        assert stat.S_IMODE((settled.mirror / name).stat().st_mode) == 0o600


def test_without_the_right_to_read_entries_the_log_itself_is_verified(
    settled: Premises, served: LogPlatform
) -> None:
    served.scopes = ["lookups:write"]
    result = settled.run("verify")
    assert result.exit_code == IN_ORDER, result.output
    assert "only the log itself is verified" in result.stderr
    assert statuses(settled.report())["fsck"] == "ok"
    assert statuses(settled.report())["record"] == "not-asked"


def test_a_damaged_copy_is_no_tampering_and_is_fetched_again(
    settled: Premises, log: LogBuilder
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    bundle = settled.mirror / "tile/entries/000.p/90"
    content = bytearray(bundle.read_bytes())
    content[100] ^= 1
    bundle.write_bytes(content)
    offline = settled.run("verify", "--mirror", settled.mirror)
    assert offline.exit_code == TAMPERED
    result = settled.run("verify")
    assert result.exit_code == IN_ORDER, result.output
    assert "copy of the log on this machine was damaged" in result.stdout
    assert settled.run("verify").exit_code == IN_ORDER
    assert settled.run("verify", "--mirror", settled.mirror).exit_code == IN_ORDER


def test_a_new_key_of_the_log_is_told_and_confirmed_by_a_person(
    settled: Premises, log: LogBuilder
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    log.key = OTHER_LOG
    log.act()
    log.sequence()
    log.cosign()
    result = settled.run("verify")
    assert result.exit_code == TAMPERED
    assert "not signed by a key of the log that is trusted" in result.stdout
    assert f"a new key of the log: {OTHER_LOG.verifier}" in result.stdout
    settled.confirm(log)
    assert settled.run("verify").exit_code == IN_ORDER


def test_the_answers_receipts_are_kept_and_go_when_they_are_proven(
    settled: Premises, log: LogBuilder
) -> None:
    promised = len(log.receipts)
    assert settled.run("verify").exit_code == IN_ORDER
    kept = ReceiptFile(settled.receipts).texts()
    assert len(kept) + len(log.receipts) == promised
    assert len(kept) == 2  # of the pages of the export
    assert stat.S_IMODE(settled.receipts.stat().st_mode) == 0o600
    told = settled.run("receipts")
    assert "2 receipts, 2 of them in the copy of the log." in told.stdout
    assert statuses(settled.report())["receipt"] == "ok"
    assert not set(kept) & set(ReceiptFile(settled.receipts).texts())


def test_a_receipt_of_an_entry_that_was_dropped_is_evidence(
    settled: Premises, log: LogBuilder
) -> None:
    log.act()
    log.queue.clear()
    kept = ReceiptFile(settled.receipts)
    kept.keep(log.receipts.pop())
    log.act()
    log.sequence()
    log.cosign()
    result = settled.run("verify")
    assert result.exit_code == TAMPERED, result.output
    assert "an entry was dropped or altered" in result.stdout
    assert len(kept.texts()) >= 1


@pytest.mark.parametrize("suffix", ["pdf", "json", "txt"])
def test_a_report_is_written_and_written_again(settled: Premises, suffix: str) -> None:
    first = settled.home / f"first.{suffix}"
    officer = "Compliance officer, Post of Example"
    result = settled.run("verify", "--report", first, "--by", officer)
    assert result.exit_code == IN_ORDER, result.output
    again = settled.home / f"again.{suffix}"
    assert settled.run("report", again, "--by", officer).exit_code == IN_ORDER
    if suffix == "pdf":
        assert first.read_bytes().startswith(b"%PDF-")
        assert first.read_bytes().count(b"/Type /Page\n") == 1
    elif suffix == "json":
        assert json.loads(first.read_text())["by"] == officer
        assert json.loads(again.read_text()) == json.loads(first.read_text())
    else:
        assert first.read_text() == again.read_text()
        assert officer in first.read_text()
        assert "Article 25" in first.read_text()
        assert max(map(len, first.read_text().splitlines())) <= 110


def test_an_export_package_is_verified_without_a_network(
    settled: Premises, served: LogPlatform, log: LogBuilder, tmp_path: Path
) -> None:
    package = packed(log, tmp_path / "export.zip")
    assert settled.run("verify").exit_code == IN_ORDER
    served.fails_after = 0
    result = settled.run("verify", "--package", package)
    assert result.exit_code == IN_ORDER, result.output
    found = statuses(settled.report("--package", package))
    assert {name for name, status in found.items() if status == "not-asked"} == {
        "fsck",
        "complete",
        "receipt",
    }
    assert found["consist"] == "ok"


def test_an_authority_verifies_a_package_with_nothing_but_a_policy(
    premises: Premises, served: LogPlatform, log: LogBuilder, tmp_path: Path
) -> None:
    package = packed(log, tmp_path / "export.zip")
    premises.config.unlink()
    unconfirmed = premises.run("verify", "--package", package)
    assert unconfirmed.exit_code == CANNOT_TELL
    assert "nobody compared that key" in unconfirmed.stdout
    policy = tmp_path / "policy"
    policy.write_text(log.keys()["policy"])
    result = premises.run("verify", "--package", package, "--policy", policy)
    assert result.exit_code == IN_ORDER, result.output
    assert "as others last saw it on" in result.stdout
    alone = premises.run("verify", "--package", package, "--log-key", log.key.verifier)
    assert alone.exit_code == CANNOT_TELL
    assert "No other organisation vouches" in alone.stdout


def repacked(package: Path, name: str, content: bytes | None) -> Path:
    """The package with one part replaced, or left out."""
    changed = package.with_name("changed.zip")
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        if content is not None:
            new.writestr(name, content)
    return changed


def test_a_package_that_was_altered_is_caught(
    settled: Premises, log: LogBuilder, tmp_path: Path
) -> None:
    package = packed(log, tmp_path / "export.zip")
    with zipfile.ZipFile(package) as archive:
        entries, proof = archive.read("entries.jsonl"), archive.read("proofs/3.tlog-proof")
    altered = entries.replace(b'"act":"lookup.ask"', b'"act":"report.read"', 1)
    for check, (name, content) in {
        "record": ("entries.jsonl", altered),
        "inclusion": ("proofs/4.tlog-proof", proof.replace(b"index 3\n", b"index 4\n")),
        "signature": ("checkpoint", log.newest().replace(b"\n90\n", b"\n91\n")),
    }.items():
        changed = repacked(package, name, content)
        assert settled.run("verify", "--package", changed).exit_code == TAMPERED, check
        assert statuses(settled.report("--package", changed))[check] == "failed"


def test_what_is_no_package_is_refused(settled: Premises, log: LogBuilder, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.zip"
    nothing.write_bytes(b"PK\x03\x04 nothing")
    package = packed(log, tmp_path / "export.zip")
    for path in (
        nothing,
        repacked(package, "checkpoint", None),
        repacked(package, "keys.json", b"{"),
    ):
        result = settled.run("verify", "--package", path)
        assert result.exit_code == CANNOT_TELL
        assert "The package cannot be read" in result.stderr


def test_a_file_that_is_not_there_is_no_tampering(settled: Premises, tmp_path: Path) -> None:
    result = settled.run("verify", "--package", tmp_path / "none.zip")
    assert result.exit_code == CANNOT_TELL
    assert "A file could not be used" in result.stderr


def test_there_is_no_report_before_anything_was_verified(settled: Premises) -> None:
    result = settled.run("report", settled.home / "report.txt")
    assert result.exit_code == CANNOT_TELL
    assert "Nothing was verified here yet" in result.stderr


def test_a_package_of_another_log_than_the_copy_is_caught(
    settled: Premises, log: LogBuilder, tmp_path: Path
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    row = log.rows[0]
    row.record = canonical({**row.fields, "act": "report.read"})
    log.fit_leaf(row)
    log.resign()
    for witness in log.witnesses:
        witness.size = 0
    log.cosign()
    package = packed(log, tmp_path / "export.zip")
    assert statuses(settled.report("--package", package))["consist"] == "failed"


def test_a_copy_is_verified_where_it_lies(settled: Premises, served: LogPlatform) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    served.fails_after = 0
    result = settled.run("verify", "--mirror", settled.mirror)
    assert result.exit_code == IN_ORDER, result.output


def test_a_copy_is_compared_with_a_state_that_was_kept_elsewhere(
    settled: Premises, log: LogBuilder, tmp_path: Path
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    kept = shutil.copy(settled.mirror / "state.json", tmp_path / "kept.json")
    same = settled.run("verify", "--mirror", settled.mirror, "--state", kept)
    assert same.exit_code == IN_ORDER, same.output
    shutil.rmtree(settled.mirror)
    alter(log, 5)
    log.fit_leaf(log.rows[5])
    log.resign()
    for witness in log.witnesses:
        witness.size = 0
    log.cosign()
    settled.confirm(log)
    assert settled.run("verify").exit_code == IN_ORDER
    forked = settled.run("verify", "--mirror", settled.mirror, "--state", kept)
    assert forked.exit_code == TAMPERED
    assert "two different logs are signed" in forked.stdout


def test_a_place_is_proven_from_the_copy_and_checked_without_the_log(
    settled: Premises, served: LogPlatform, log: LogBuilder, tmp_path: Path
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    served.fails_after = 0
    file = tmp_path / "30.tlog-proof"
    assert settled.run("prove", 30, "--to", file).exit_code == IN_ORDER
    good = settled.run("check-proof", file)
    assert good.exit_code == IN_ORDER, good.output
    assert "Proven: the entry at the place 30 is one of 90" in good.stdout
    entry = tmp_path / "entry.json"
    entry.write_bytes(log.line(log.rows[30], 30))
    assert settled.run("check-proof", file, "--entry", entry).exit_code == IN_ORDER
    entry.write_bytes(log.line(log.rows[31], 31))
    other = settled.run("check-proof", file, "--entry", entry)
    assert other.exit_code == TAMPERED
    assert "NOT PROVEN" in other.stdout
    alter(log, 30)
    entry.write_bytes(log.line(log.rows[30], 30))
    assert settled.run("check-proof", file, "--entry", entry).exit_code == TAMPERED


def test_a_place_beyond_the_copy_is_proven_by_the_platform(
    settled: Premises, log: LogBuilder, tmp_path: Path
) -> None:
    file = tmp_path / "3.tlog-proof"
    assert settled.run("prove", 3, "--to", file).exit_code == IN_ORDER
    entry = tmp_path / "entry.json"
    entry.write_bytes(log.line(log.rows[3], 3))
    result = settled.run("check-proof", file, "--entry", entry)
    assert result.exit_code == IN_ORDER, result.output


def test_gossip_of_the_same_log_agrees(settled: Premises, log: LogBuilder, tmp_path: Path) -> None:
    note = tmp_path / "note"
    for size in (30, 60, 90):
        assert settled.run("mirror").exit_code == IN_ORDER
        note.write_bytes(log.notes[size])
        result = settled.run("gossip", note)
        assert result.exit_code == IN_ORDER, result.output
    for _ in range(5):
        log.act()
    log.sequence()
    note.write_bytes(log.newest())
    newer = settled.run("gossip", note)
    assert newer.exit_code == IN_ORDER, newer.output


@pytest.mark.parametrize("size", [60, 90, 95])
def test_gossip_of_another_log_is_the_proof_of_a_fork(
    settled: Premises, log: LogBuilder, tmp_path: Path, size: int
) -> None:
    assert settled.run("mirror").exit_code == IN_ORDER
    text = Checkpoint(log.key.verifier.name, size, b"x" * 32).text
    note = tmp_path / "note"
    note.write_bytes(Note(text, (log.key.sign(text),)).encode())
    for _ in range(5):
        log.act()
    log.sequence()
    result = settled.run("gossip", note)
    assert result.exit_code == TAMPERED, result.output
    place = Path(re.search(r"notes are in (.*)\. Show", result.stdout)[1])
    assert (place / "served").read_bytes() == note.read_bytes()
    assert (place / "held").read_bytes() == Mirror(settled.mirror).state.last.note


def test_gossip_that_the_log_did_not_sign_proves_nothing(
    settled: Premises, log: LogBuilder, tmp_path: Path
) -> None:
    assert settled.run("mirror").exit_code == IN_ORDER
    note = tmp_path / "note"
    note.write_bytes(log.newest().replace(b"\n90\n", b"\n91\n"))
    result = settled.run("gossip", note)
    assert result.exit_code == CANNOT_TELL
    assert "does not fit the text" in result.stderr


def test_a_state_that_is_damaged_is_never_begun_anew_unasked(settled: Premises) -> None:
    (settled.mirror / "state.json").write_text("{")
    result = settled.run("verify")
    assert result.exit_code == CANNOT_TELL
    assert "is damaged or of another version" in result.stderr


def test_a_tag_key_that_goes_missing_is_told(
    settled: Premises, log: LogBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settled.run("verify").exit_code == IN_ORDER
    monkeypatch.setattr(log, "tag_keys", lambda: (b"n" * 32,))
    result = settled.run("verify")
    assert result.exit_code == CANNOT_TELL
    assert "no longer names a key by which" in result.stderr


def test_many_leaves_are_looked_through_by_several_processes(
    log: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.audit.scanning._WORTH_PROCESSES", 1)
    monkeypatch.setattr("postern.audit.scanning._BUNDLES", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for _ in range(600):
        log.act()
    log.sequence()
    found = verify_live(log, log, Mirror(tmp_path / "mirror"), log.trust())
    (fsck,) = (each for each in found.findings if each.check == "fsck")
    assert fsck.counts == {"entries": 690}
    (complete,) = (each for each in found.findings if each.check == "complete")
    assert complete.counts == {"concerning this organisation": 660, "kept back": 0}
