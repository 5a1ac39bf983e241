"""Verifying without a network: an export package, or a copy of the log that was made before.

Both are of a past moment, which the cosignatures date; how old that may be is for the reader of the
report to judge.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from postern.audit import log_checks, receipts
from postern.audit.entry_checks import EntryExamination, Proven, SeenAt
from postern.audit.findings import (
    Check,
    Finding,
    Status,
    cannot_tell,
    failed,
    not_asked,
    ok,
    reported,
)
from postern.audit.log_checks import Opened
from postern.audit.mirror import Mirror
from postern.audit.own_entries import EntryMalformedError, OwnEntry, parse_entry
from postern.audit.package import Package
from postern.audit.receipts import ReceiptFile
from postern.audit.scanning import Sought, scan
from postern.audit.tree_files import MissingFileError, TreeFiles
from postern.audit.trust import AuditError, Trust
from postern.audit.verification import Progress, Silent, Verification
from postern.tlog.notes import NoteError
from postern.tlog.tiles import root
from postern.tlog.tree import ProofError, verify_inclusion

_NOT_IN_PACKAGE = "Not looked at: a package holds only this organisation's entries."


def verify_package(
    package: Package,
    trust: Trust,
    mirror: Mirror | None = None,
    *,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Verification:
    """What an export package proves by itself, and beside `mirror` of the same log if there is one.

    Raises AuditError when it cannot be read.
    """
    moment = now or datetime.now(UTC)
    finding, opened = log_checks.signature(package.checkpoint(), trust)
    findings = [finding]
    examination = EntryExamination(0, lambda *_: False, (), now=0)
    if opened is not None:
        findings.append(_vouched(opened, opened, trust))
        findings.append(_like_the_copy(opened, mirror))
        history = _history(opened, trust, mirror)
        # Whether an entry waits too long cannot be told from a package: it is of a past moment.
        examination = EntryExamination(
            opened.checkpoint.size, _by_proof(package, opened), history, now=0
        )
        _take(examination, package.entry_lines(), progress or Silent())
        findings += [
            examination.record(),
            examination.inclusion(),
            not_asked(Check.COMPLETE, _NOT_IN_PACKAGE),
            examination.time(),
            _partial_erasure(examination.erasure()),
        ]
    findings.append(not_asked(Check.FSCK, _NOT_IN_PACKAGE))
    findings.append(not_asked(Check.RECEIPT, _NOT_IN_PACKAGE))
    return Verification(
        subject=f"the export package {package.name}",
        at=moment,
        trust=trust,
        opened=opened,
        organisation=package.organisation(),
        period=examination.period,
        findings=reported(findings),
        remarks=_dated(opened, trust),
    )


def verify_mirror(
    mirror: Mirror,
    trust: Trust,
    *,
    memory: Mirror | None = None,
    kept: ReceiptFile | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Verification:
    """A copy of a log as it lies on the disk, every leaf of it. Raises AuditError, OSError.

    `memory` is another state to which the copy is compared.
    """
    told = progress or Silent()
    note = mirror.tree_note()
    if note is None:
        raise AuditError("There is no copy of a log. Make one with `postern audit mirror`.")
    finding, opened = log_checks.signature(note, trust)
    findings = [finding]
    examination = EntryExamination(0, lambda *_: False, (), now=0)
    if opened is not None:
        files = TreeFiles(mirror.directory, opened.checkpoint.size)
        findings.append(_vouched(opened, _cosigned(mirror, opened, trust), trust))
        findings.append(_like_the_copy(opened, memory or mirror, files))
        promised, unknown = receipts.opened(kept.texts() if kept else [], trust.receipt_keys)
        sought = Sought(mirror.state.tag_keys, frozenset(receipt.leaf_hash for receipt in promised))
        step = told.begin("Recomputing", opened.checkpoint.size)
        found = scan(files, opened.checkpoint.root, sought, told=step)
        wrong = None if found.wrong is None else (found.wrong, found.reason)
        findings.append(log_checks.fsck(found.leaves, wrong))
        examination = EntryExamination(
            opened.checkpoint.size, _in_files(files), mirror.history(), now=0
        )
        _take(examination, mirror.entry_lines(), told)
        findings += [
            examination.record(),
            examination.inclusion(),
            examination.complete(found.tagged if mirror.state.tag_keys else None),
            examination.time(),
            examination.erasure(),
            receipts.finding(
                promised,
                unknown,
                found.found,
                covered_until=mirror.state.last.at if mirror.state.last else 0,
            ),
        ]
    return Verification(
        subject=f"the copy of the log in {mirror.directory.name}",
        at=now or datetime.now(UTC),
        trust=trust,
        opened=opened,
        organisation=mirror.state.organisation,
        period=examination.period,
        findings=reported(findings),
        remarks=_dated(opened, trust),
    )


def _vouched(opened: Opened, cosigned: Opened, trust: Trust) -> Finding:
    """QUORUM for a past moment: what nobody vouched for then may have been vouched for since."""
    finding = log_checks.quorum(cosigned, trust, size=opened.checkpoint.size)
    if finding.status is not Status.FAILED:
        return finding
    return cannot_tell(
        Check.QUORUM,
        f"{finding.counts['cosignatures']} of {finding.counts['witnesses']} witnesses vouch for "
        "this checkpoint, fewer than agreed. Fetch it again when they did.",
        **finding.counts,
    )


def _like_the_copy(
    opened: Opened, mirror: Mirror | None, files: TreeFiles | None = None
) -> Finding:
    """CONSIST by what was seen before: the tree of a copy, or two checkpoints of one size."""
    last = mirror.state.last if mirror else None
    if mirror is None or last is None:
        return not_asked(Check.CONSIST, "No earlier checkpoint was given to compare it with.")
    seen, now = last.checkpoint, opened.checkpoint
    counts = {"before": seen.size, "now": now.size}
    found = _root_at(mirror.tree, now.size)
    if found is not None:
        fits = found == now.root
    elif now.size == seen.size:
        fits = now.root == seen.root
    else:
        earlier = _root_at(files, seen.size) if files else None
        if earlier is None:
            return cannot_tell(
                Check.CONSIST,
                f"It has {now.size:,} entries, and {seen.size:,} were seen last: without a copy of "
                "the log the two cannot be compared. Bring the copy up to date (`postern audit "
                "mirror`), then verify again.",
                **counts,
            )
        fits = earlier == seen.root
    if fits:
        return ok(Check.CONSIST, "It is the log that was seen before.", **counts)
    return failed(
        Check.CONSIST,
        "This is not the log that was seen before: two different logs are signed. Keep the file; "
        "show it and the checkpoint of your copy to the other members.",
        **counts,
    )


def _root_at(files: TreeFiles | None, size: int) -> bytes | None:
    if files is None or not 0 < size <= files.size:
        return None
    try:
        return root(files.tile, size)
    except MissingFileError:
        return None


def _cosigned(mirror: Mirror, opened: Opened, trust: Trust) -> Opened:
    """The newest checkpoint of the copy that was cosigned; its own where none is known."""
    if mirror.state.cosigned is None:
        return opened
    try:
        cosigned = log_checks.open_signed(mirror.state.cosigned, trust)
    except NoteError:
        return opened
    found = _root_at(TreeFiles(mirror.directory, opened.checkpoint.size), cosigned.checkpoint.size)
    return cosigned if found == cosigned.checkpoint.root else opened


def _history(opened: Opened, trust: Trust, mirror: Mirror | None) -> list[SeenAt]:
    times = [each.time for each in opened.signed if each.time is not None]
    own = (
        [SeenAt(opened.checkpoint.size, min(times), trust.vouched_since(opened.signed))]
        if times
        else []
    )
    return [*(mirror.history() if mirror else []), *own]


def _by_proof(package: Package, opened: Opened) -> Proven:
    def is_proven(entry: OwnEntry, place: int) -> bool:
        file = package.proof(place)
        if file is None or file.index != place:
            return False
        try:
            # The checkpoint of each proof must be the one that was verified, signatures aside.
            text = opened.note.partition(b"\n\n")[0]
            if file.checkpoint.partition(b"\n\n")[0] != text:
                return False
            size, signed_root = opened.checkpoint.size, opened.checkpoint.root
            verify_inclusion(place, size, entry.leaf_hash, file.proof, signed_root)
        except ProofError:
            return False
        return True

    return is_proven


def _in_files(files: TreeFiles) -> Proven:
    def is_proven(entry: OwnEntry, place: int) -> bool:
        try:
            return files.leaf_hash(place) == entry.leaf_hash
        except MissingFileError:
            return False

    return is_proven


def _take(examination: EntryExamination, lines: Iterable[bytes], progress: Progress) -> None:
    told = progress.begin("Own entries", None)
    for line in lines:
        try:
            examination.take(parse_entry(line))
        except EntryMalformedError as error:
            examination.take_malformed(str(error))
        told(1)


def _partial_erasure(finding: Finding) -> Finding:
    """ERASURE in a selection of entries, which need not hold the one that says so."""
    if finding.status is not Status.FAILED:
        return finding
    return cannot_tell(
        Check.ERASURE,
        f"Details of {finding.counts['unexplained']:,} entries are missing, and no erasure in this "
        "package covers them. Export the whole period up to today, or verify live.",
        **finding.counts,
    )


def _dated(opened: Opened | None, trust: Trust) -> tuple[str, ...]:
    until = trust.vouched_until(opened.signed) if opened else None
    if until is None:
        return ()
    moment = datetime.fromtimestamp(until, UTC)
    return (
        f"It shows the log as others last saw it on {moment:%Y-%m-%d at %H:%M} UTC; what happened "
        "since, it cannot show.",
    )
