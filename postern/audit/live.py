"""Verifying a log where it runs: bring the copy up to date, then look at everything.

Nothing that does not verify enters the copy or the state: a log that shrank or forked is looked at
in a copy of its own, so that the report can say what else is wrong with it.
"""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from postern.audit import entry_reading, log_checks, receipts
from postern.audit.entry_checks import EntryExamination
from postern.audit.findings import (
    OF_ENTRIES,
    Check,
    Finding,
    Status,
    cannot_tell,
    failed,
    not_asked,
    reported,
)
from postern.audit.log_checks import Opened
from postern.audit.mirror import Mirror
from postern.audit.own_entries import OwnEntry
from postern.audit.receipts import ReceiptFile
from postern.audit.served_tree import Run, ServedTree, examine_tree
from postern.audit.sources import EntrySource, LogSource, NotThereError
from postern.audit.state import Seen
from postern.audit.tree_files import MissingFileError
from postern.audit.trust import Trust
from postern.audit.verification import Progress, Silent, Verification
from postern.tlog.notes import NoteError


def verify_live(
    source: LogSource,
    entries: EntrySource | None,
    mirror: Mirror,
    trust: Trust,
    *,
    kept: ReceiptFile | None = None,
    full: bool = True,
    now: datetime | None = None,
    progress: Progress | None = None,
    subject: str = "the log of a platform, as it is served now",
) -> Verification:
    """Everything that can be found out about the log of `source`, and the copy brought up to date.

    `entries` None leaves out what needs the organisation's own entries. Without `full`, only what
    is new since the last verification is read. Raises ClientError, OSError.
    """
    moment = now or datetime.now(UTC)
    run = Run(source, entries, mirror, trust, kept, full, moment, progress or Silent())
    _look(run)
    return Verification(
        subject=subject,
        at=run.now,
        trust=trust,
        opened=run.opened,
        organisation=mirror.state.organisation,
        period=run.period,
        findings=reported(run.findings),
        remarks=tuple(run.remarks),
        evidence=tuple(run.evidence),
    )


def _look(run: Run) -> None:
    run.remarks += [
        f"The platform publishes {what}. Compare it with the operator, then confirm it with "
        "`postern audit keys --accept`."
        for what in run.trust.differences(run.source.published_trust())
    ]
    cosigned = run.source.newest_cosigned()  # first, so that the newest is never smaller
    try:
        note = run.source.newest()
    except NotThereError:
        run.findings.append(failed(Check.SIGNATURE, "The platform has no checkpoint of its log."))
        return
    finding, run.opened = log_checks.signature(note, run.trust)
    run.findings.append(finding)
    if run.opened is None:
        return
    finding, contradiction = log_checks.consistency(_seen(run), run.opened, run.source.tile)
    if contradiction:
        run.keep(contradiction)
    is_foreign = _is_foreign(run, run.opened, cosigned)
    with ExitStack() as stack:
        contradicts = contradiction is not None or is_foreign
        tree = examine_tree(run, run.opened, cosigned, stack, contradicts=contradicts)
        tree.is_foreign = tree.is_foreign or is_foreign
        run.findings.append(_consist(finding, tree))
        is_sound = not contradicts and not tree.is_foreign and tree.wrong is None
        _examine_entries(run, tree, is_sound=is_sound)
        run.findings.append(_receipts(run, tree))
        if is_sound:
            _remember(run, tree)


def _seen(run: Run) -> Opened | None:
    last = run.mirror.state.last
    return Opened(last.checkpoint, last.note, ()) if last else None


def _is_foreign(run: Run, opened: Opened, note: bytes | None) -> bool:
    """Whether the witnesses cosigned another log, by a proof: before any of it is copied."""
    try:
        cosigned = log_checks.open_signed(note, run.trust) if note is not None else None
    except NoteError:
        return False  # QUORUM tells of it
    if cosigned is None:
        return False
    _, contradiction = log_checks.consistency(cosigned, opened, run.source.tile)
    if contradiction:
        run.keep(contradiction)
    return contradiction is not None


def _consist(finding: Finding, tree: ServedTree) -> Finding:
    if not tree.is_foreign or finding.status is Status.FAILED:
        return finding
    return failed(
        Check.CONSIST,
        "The witnesses cosigned another log than the one that is shown here: both are signed by "
        "the log. The notes are kept as evidence; show them to the other members.",
    )


def _examine_entries(run: Run, tree: ServedTree, *, is_sound: bool) -> None:
    if run.entries is None:
        reason = "Not looked at: the token may not read the organisation's own entries."
        run.findings += [not_asked(check, reason) for check in OF_ENTRIES]
        return
    tagged = tree.scan.tagged if tree.scan and run.mirror.state.tag_keys else None
    is_whole = run.full or not is_sound or run.mirror.state.entries_from is None
    examination = _examined(run, run.entries, tree, full=is_whole, keep=is_sound)
    complete = examination.complete(tagged, first=tree.first)
    if not is_whole and (examination.needs_whole or complete.status is Status.FAILED):
        # Something was erased, so copies of older entries must go; or an entry became visible
        # later than any should: look at all before anything is said.
        examination = _examined(run, run.entries, tree, full=True, keep=is_sound)
        complete = examination.complete(tagged, first=tree.first)
    run.period = examination.period
    run.findings += [
        examination.record(),
        _inclusion(examination, tree),
        complete,
        examination.time(),
        examination.erasure(),
    ]


def _examined(
    run: Run, entries: EntrySource, tree: ServedTree, *, full: bool, keep: bool
) -> EntryExamination:
    def is_proven(entry: OwnEntry, place: int) -> bool:
        try:
            return tree.files.leaf_hash(place) == entry.leaf_hash
        except MissingFileError:
            return False

    size = tree.opened.checkpoint.size
    examination = EntryExamination(size, is_proven, tree.history, now=run.second * 1000)
    told = run.progress.begin("Own entries", None)
    entry_reading.read(
        entries, run.mirror, examination, full=full, keep=keep, now=run.second, told=told
    )
    return examination


def _inclusion(examination: EntryExamination, tree: ServedTree) -> Finding:
    if tree.wrong is None:
        return examination.inclusion()
    return cannot_tell(
        Check.INCLUSION,
        "Where the entries stand in the signed log cannot be told: what is served is not that log.",
    )


def _receipts(run: Run, tree: ServedTree) -> Finding:
    promised, unknown = run.promised()
    if tree.scan is None:
        if not promised:
            return receipts.finding(promised, unknown, frozenset(), covered_until=run.second)
        return cannot_tell(Check.RECEIPT, "Not to be told, since the log is not served as a whole.")
    found = tree.scan.found
    if tree.first and promised:
        wanted = frozenset(each.leaf_hash for each in promised)
        found |= tree.files.leaf_hashes_among(wanted, until=tree.first)
    return receipts.finding(promised, unknown, found, covered_until=run.second)


def _remember(run: Run, tree: ServedTree) -> None:
    run.mirror.add_history(tree.fresh)
    cosigned = tree.cosigned.note if tree.cosigned else run.mirror.state.cosigned
    run.mirror.save(
        replace(
            run.mirror.state,
            last=Seen(tree.opened.note, run.second),
            cosigned=cosigned,
            scanned=tree.opened.checkpoint.size,
        )
    )
    if run.kept is not None and tree.scan:
        promised, _ = run.promised()
        run.kept.prune({each.text for each in promised if each.leaf_hash in tree.scan.found})
