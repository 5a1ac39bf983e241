"""Every way to tamper with the log that docs/verify.md lists, and the check that catches it.

A verifier has seen the honest log before; then somebody with the database, and with the log's key
where the case says so, changes it. Each case names every check that must fail, and no other may.
"""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postern.audit.findings import Check, Status, Verdict
from postern.audit.live import verify_live
from postern.audit.mirror import Mirror
from postern.audit.receipts import ReceiptFile
from postern.audit.record import canonical, disclosure
from postern.audit.trust import only_log_keys
from postern.audit.verification import Verification
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import Note
from tests.postern.audit.log_builder import MINE, OTHER, OTHER_LOG, LogBuilder, Row, built

SIGNATURE, QUORUM, CONSIST, FSCK = Check.SIGNATURE, Check.QUORUM, Check.CONSIST, Check.FSCK
RECORD, INCLUSION, COMPLETE = Check.RECORD, Check.INCLUSION, Check.COMPLETE
TIME, ERASURE, RECEIPT = Check.TIME, Check.ERASURE, Check.RECEIPT

CONFIRMED = LogBuilder().trust()
VICTIM = 300  # a place of an own entry in the middle of the log


@dataclass
class Verifier:
    """One organisation's verifier, with its copy of the log and the receipts that it kept."""

    home: Path

    def verify(self, log: LogBuilder, *, full: bool = True) -> Verification:
        kept = ReceiptFile(self.home / "receipts.jsonl")
        for text in log.receipts:
            kept.keep(text)
        log.receipts = []
        now = datetime.fromtimestamp(log.clock, UTC)
        mirror = Mirror(self.home / "mirror")
        return verify_live(log, log, mirror, CONFIRMED, kept=kept, full=full, now=now)

    def lose_copy(self) -> None:
        """Keep the state file, and nothing else."""
        mirror = Mirror(self.home / "mirror")
        mirror.tree.clear()
        (mirror.directory / "history.jsonl").unlink()


def failed(found: Verification) -> set[Check]:
    return of_status(found, Status.FAILED)


def change(row: Row, **fields: object) -> None:
    row.record = canonical({**row.fields, **fields})


def edit_record(log: LogBuilder) -> None:
    change(log.rows[VICTIM], act="report.read")


def edit_record_and_leaf(log: LogBuilder) -> None:
    edit_record(log)
    log.fit_leaf(log.rows[VICTIM])


def edit_and_rebuild(log: LogBuilder) -> None:
    edit_record_and_leaf(log)
    log.rebuild()


def edit_and_resign(log: LogBuilder) -> None:
    edit_record_and_leaf(log)
    log.resign()
    log.cosign()


def edit_and_log_on(log: LogBuilder) -> None:
    edit_and_resign(log)
    go_on(log)


def delete(log: LogBuilder) -> None:
    del log.rows[VICTIM]


def delete_renumber_and_resign(log: LogBuilder) -> None:
    delete(log)
    log.resign()
    go_on(log)


def reorder(log: LogBuilder) -> None:
    rows = log.rows
    rows[VICTIM], rows[VICTIM + 150] = rows[VICTIM + 150], rows[VICTIM]


def truncate(log: LogBuilder) -> None:
    """The genuine checkpoint of an earlier day is served again."""
    size = sorted(log.notes)[9]
    del log.rows[size:]
    log.rebuild()
    log.notes = {at: note for at, note in log.notes.items() if at <= size}


def truncate_and_regrow(log: LogBuilder) -> None:
    truncate(log)
    while len(log.rows) + len(log.queue) < 620:
        log.act()
    log.sequence()
    log.cosign()


def fork(log: LogBuilder) -> None:
    """Others see the honest log and cosign it; this verifier is shown another one."""
    edit_and_resign(log)
    for _ in range(20):
        log.act()
    log.sequence()


def backdate(log: LogBuilder) -> None:
    log.act(at=log.clock - 5000)
    go_on(log)


def post_date(log: LogBuilder) -> None:
    log.act(at=log.clock + 5000)
    go_on(log)


def hide_from_export(log: LogBuilder) -> None:
    log.hidden.add(log.rows[VICTIM].fields["id"])


def alter_disclosed_value(log: LogBuilder) -> None:
    log.rows[VICTIM].disclosures[0] = disclosure("actor", "person-2")


def blank_a_field(log: LogBuilder) -> None:
    del log.rows[VICTIM].disclosures[0]


def drop_before_sequencing(log: LogBuilder) -> None:
    log.act()
    log.queue.clear()
    log.clock += 120
    go_on(log)


def replace_the_key(log: LogBuilder) -> None:
    log.key = OTHER_LOG
    go_on(log)


def steal_the_key(log: LogBuilder) -> None:
    """A thief signs a log of their own with the log's key; no witness cosigns it."""
    edit_and_resign(log)
    log.notes = {size: note.split(b"\n\xe2\x80\x94 witness")[0] for size, note in log.notes.items()}
    log.notes = {size: note.rstrip(b"\n") + b"\n" for size, note in log.notes.items()}


def go_on(log: LogBuilder) -> None:
    log.act()
    log.sequence()
    log.clock += 30
    log.cosign()
    log.clock += 60


@dataclass(frozen=True)
class Case:
    """What somebody does, and what fails then for whom.

    `copy` is what a verifier with a copy of the log finds, `memory` one that has the state file
    only, `newcomer` one that sees the log for the first time and kept its receipts. `untold` is
    what the newcomer cannot tell.
    """

    attack: Callable[[LogBuilder], None]
    copy: set[Check]
    memory: set[Check]
    newcomer: set[Check]
    untold: set[Check] = field(default_factory=set)


CASES = [
    Case(edit_record, {RECORD}, {RECORD}, {RECORD}),
    Case(edit_record_and_leaf, {INCLUSION}, {FSCK}, {FSCK, RECEIPT}, {INCLUSION, TIME}),
    Case(edit_and_rebuild, {INCLUSION}, {FSCK}, {FSCK, RECEIPT}, {INCLUSION, TIME}),
    Case(edit_and_resign, {CONSIST}, {CONSIST}, {RECEIPT}, {QUORUM}),
    Case(edit_and_log_on, {CONSIST}, {CONSIST}, {RECEIPT}, {QUORUM}),
    Case(delete, {INCLUSION, COMPLETE, TIME}, {FSCK}, {FSCK}, {INCLUSION, RECEIPT, TIME}),
    Case(delete_renumber_and_resign, {CONSIST}, {CONSIST}, {RECEIPT}, {QUORUM}),
    Case(reorder, {INCLUSION, TIME}, {FSCK}, {FSCK}, {INCLUSION, TIME}),
    Case(truncate, {CONSIST}, {CONSIST}, {RECEIPT}),
    Case(truncate_and_regrow, {CONSIST}, {CONSIST}, {RECEIPT}, {QUORUM}),
    Case(fork, {CONSIST}, {CONSIST}, {RECEIPT}, {QUORUM}),
    Case(backdate, {TIME}, {TIME}, {TIME}),
    Case(post_date, {TIME}, {TIME}, {TIME}),
    Case(hide_from_export, {COMPLETE}, {COMPLETE}, {COMPLETE}),
    Case(alter_disclosed_value, {RECORD}, {RECORD}, {RECORD}),
    Case(blank_a_field, {ERASURE}, {ERASURE}, {ERASURE}),
    Case(drop_before_sequencing, {RECEIPT}, {RECEIPT}, {RECEIPT}),
    Case(replace_the_key, {SIGNATURE}, {SIGNATURE}, {SIGNATURE}),
    Case(steal_the_key, {CONSIST, QUORUM}, {CONSIST, QUORUM}, {QUORUM, RECEIPT}, {TIME}),
]


@pytest.fixture(scope="module")
def honest() -> LogBuilder:
    return built()


@pytest.fixture(scope="module")
def acquainted(honest: LogBuilder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a verifier that verified the honest log."""
    home = tmp_path_factory.mktemp("acquainted")
    found = Verifier(home).verify(copy.deepcopy(honest))
    assert found.verdict is Verdict.IN_ORDER, told(found)
    return home


def named(case: Case) -> str:
    return case.attack.__name__


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_verifier_with_a_copy_of_the_log_catches(
    honest: LogBuilder, acquainted: Path, tmp_path: Path, case: Case
) -> None:
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    found = attacked(verifier, proven(honest), case)
    assert failed(found) == case.copy, told(found)
    assert found.verdict is Verdict.NOT_IN_ORDER


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_verifier_that_remembers_the_last_checkpoint_catches(
    honest: LogBuilder, acquainted: Path, tmp_path: Path, case: Case
) -> None:
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    verifier.lose_copy()
    found = attacked(verifier, proven(honest), case)
    assert failed(found) == case.memory, told(found)
    assert found.verdict is Verdict.NOT_IN_ORDER


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_newcomer_that_kept_its_receipts_catches(
    honest: LogBuilder, tmp_path: Path, case: Case
) -> None:
    found = attacked(Verifier(tmp_path), honest, case)
    assert failed(found) == case.newcomer, told(found)
    assert of_status(found, Status.CANNOT_TELL) == case.untold, told(found)
    assert found.verdict is Verdict.NOT_IN_ORDER


@pytest.mark.parametrize("full", [True, False])
def test_the_honest_log_passes_and_goes_on_passing(
    honest: LogBuilder, acquainted: Path, tmp_path: Path, full: bool
) -> None:
    log = copy.deepcopy(honest)
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    for _ in range(3):
        for number in range(40):
            log.act(audience=(MINE, OTHER) if number % 2 else (OTHER,))
            log.clock += 30
        go_on(log)
        found = verifier.verify(log, full=full)
        assert of_status(found, Status.OK) == set(Check), told(found)


@pytest.mark.parametrize("full", [True, False])
def test_a_lawful_erasure_passes(
    honest: LogBuilder, acquainted: Path, tmp_path: Path, full: bool
) -> None:
    log = copy.deepcopy(honest)
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    log.erase(log.rows[VICTIM], "actor", "case")
    go_on(log)
    found = verifier.verify(log, full=full)
    assert found.verdict is Verdict.IN_ORDER, told(found)
    (erasure,) = (finding for finding in found.findings if finding.check is ERASURE)
    assert erasure.counts == {"entries with erased details": 1, "unexplained": 0}
    kept = list(Mirror(verifier.home / "mirror").entry_lines())
    (line,) = (line for line in kept if log.rows[VICTIM].record in line)
    assert json.loads(line)["disclosures"] == []


def test_an_erasure_does_not_cover_what_it_does_not_name(
    honest: LogBuilder, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    log.erase(log.rows[VICTIM], "actor")
    log.rows[VICTIM].disclosures.clear()
    go_on(log)
    found = Verifier(tmp_path).verify(log)
    assert failed(found) == {ERASURE}, told(found)


def test_an_erasure_by_age_covers_older_entries_of_its_organisation_alone(
    honest: LogBuilder, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    of_others = log.rows[VICTIM + 1]  # ours to read, of another organisation
    assert of_others.fields["org"] == OTHER
    before = of_others.fields["t"] + 1
    log.rows[VICTIM].disclosures.clear()
    log.act("audit.erase", details={"erased": {"before": before, "fields": ["actor", "case"]}})
    go_on(log)
    assert Verifier(tmp_path / "one").verify(log).verdict is Verdict.IN_ORDER
    of_others.disclosures.clear()
    assert failed(Verifier(tmp_path / "two").verify(log)) == {ERASURE}


def test_an_erasure_whose_entry_still_waits_for_its_place_is_lawful(
    honest: LogBuilder, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    log.erase(log.rows[VICTIM], "actor")
    assert Verifier(tmp_path).verify(log).verdict is Verdict.IN_ORDER


def test_an_erasure_covers_nothing_that_was_logged_after_it(
    honest: LogBuilder, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    later = log.make()
    erased = {"records": [later.fields["id"]], "fields": ["actor", "case"]}
    log.act("audit.erase", details={"erased": erased})
    log.queue.append(later)
    later.disclosures.clear()
    go_on(log)
    assert failed(Verifier(tmp_path).verify(log)) == {ERASURE}


def test_both_notes_of_a_fork_are_kept_and_each_is_signed_by_the_log(
    honest: LogBuilder, acquainted: Path, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    seen = log.newest()
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    fork(log)
    found = verifier.verify(log)
    (place,) = map(Path, found.evidence)
    held, served = (place / "held").read_bytes(), (place / "served").read_bytes()
    assert (held, served) == (seen, log.newest())
    for note in (held, served):
        open_checkpoint(note, CONFIRMED.log_keys)
    assert "do not begin with" in (place / "reason.txt").read_text()


def test_a_newcomer_sees_a_fork_by_what_the_witnesses_cosigned(
    honest: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = proven(honest)
    cosigned = log.newest()
    fork(log)
    log.receipts = []
    monkeypatch.setattr(log, "newest_cosigned", lambda: cosigned)
    found = Verifier(tmp_path).verify(log)
    assert failed(found) == {CONSIST}, told(found)
    (place,) = map(Path, found.evidence)
    assert (place / "held").read_bytes() == cosigned
    assert (place / "served").read_bytes() == log.newest()
    assert not (tmp_path / "mirror" / "history.jsonl").exists()
    assert not (tmp_path / "mirror" / "checkpoint").exists()
    assert Mirror(tmp_path / "mirror").state.last is None


def test_a_log_that_is_smaller_than_what_the_witnesses_cosigned_is_caught(
    honest: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = proven(honest)
    cosigned = log.newest()
    truncate(log)
    monkeypatch.setattr(log, "newest_cosigned", lambda: cosigned)
    found = Verifier(tmp_path).verify(log)
    assert failed(found) == {CONSIST}, told(found)


def test_cosignatures_that_are_forged_vouch_for_nothing(
    honest: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = proven(honest)
    note = Note.parse(log.newest())
    forged = [
        replace(one, blob=one.blob[:-1] + bytes([one.blob[-1] ^ 1])) for one in note.signatures[1:]
    ]
    made = Note(note.text, (note.signatures[0], *forged)).encode()
    monkeypatch.setattr(log, "newest_cosigned", lambda: made)
    assert failed(Verifier(tmp_path).verify(log)) == {QUORUM}


def test_a_log_that_contradicts_leaves_copy_and_memory_as_they_were(
    honest: LogBuilder, acquainted: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(acquainted, tmp_path / "home")
    before = contents(home / "mirror")
    log = proven(honest)
    edit_and_log_on(log)
    log.receipts = []
    Verifier(home).verify(log)
    after = {
        name: content
        for name, content in contents(home / "mirror").items()
        if not name.startswith("evidence/")
    }
    assert after == before
    again = proven(honest)
    go_on(again)
    assert Verifier(home).verify(again).verdict is Verdict.IN_ORDER


def test_without_witnesses_nobody_can_tell(honest: LogBuilder, tmp_path: Path) -> None:
    log = copy.deepcopy(honest)
    alone = only_log_keys([str(log.key.verifier)])
    now = datetime.fromtimestamp(log.clock, UTC)
    found = verify_live(log, log, Mirror(tmp_path / "mirror"), alone, now=now)
    assert of_status(found, Status.CANNOT_TELL) == {QUORUM, TIME}, told(found)
    assert found.verdict is Verdict.CANNOT_TELL


def test_witnesses_that_are_silent_for_a_day_vouch_for_nothing(
    honest: LogBuilder, acquainted: Path, tmp_path: Path
) -> None:
    log = copy.deepcopy(honest)
    verifier = Verifier(shutil.copytree(acquainted, tmp_path / "home"))
    log.clock += 25 * 3600
    found = verifier.verify(log)
    assert failed(found) == {QUORUM}, told(found)


def test_a_key_that_nobody_confirmed_proves_nothing(honest: LogBuilder, tmp_path: Path) -> None:
    log = copy.deepcopy(honest)
    now = datetime.fromtimestamp(log.clock, UTC)
    unconfirmed = log.trust(confirmed=False)
    found = verify_live(log, log, Mirror(tmp_path / "mirror"), unconfirmed, now=now)
    assert of_status(found, Status.CANNOT_TELL) == {SIGNATURE}
    assert found.verdict is Verdict.CANNOT_TELL


def attacked(verifier: Verifier, honest: LogBuilder, case: Case) -> Verification:
    log = copy.deepcopy(honest)
    case.attack(log)
    return verifier.verify(log)


def proven(honest: LogBuilder) -> LogBuilder:
    """The log after the receipts for it were found in it and thrown away."""
    log = copy.deepcopy(honest)
    log.receipts = []
    return log


def of_status(found: Verification, status: Status) -> set[Check]:
    return {finding.check for finding in found.findings if finding.status is status}


def told(found: Verification) -> list[str]:
    return [f"{finding.check} {finding.status} {finding.sentence}" for finding in found.findings]


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
