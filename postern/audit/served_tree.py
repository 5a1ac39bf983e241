"""The tree of a log as it is served now: copied, recomputed, compared with what others cosigned."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from postern.audit import log_checks, receipts
from postern.audit.copying import Mismatch, copy_log
from postern.audit.entry_checks import Period, SeenAt
from postern.audit.findings import Check, Finding, failed
from postern.audit.log_checks import Contradiction, Opened
from postern.audit.mirror import Mirror
from postern.audit.receipts import Receipt, ReceiptFile
from postern.audit.scanning import Scan, Sought, scan
from postern.audit.sources import EntrySource, LogSource
from postern.audit.state import State
from postern.audit.tree_files import TreeFiles
from postern.audit.trust import AuditError, Trust
from postern.audit.verification import Progress
from postern.tlog.notes import NoteError
from postern.tlog.tiles import root


@dataclass(slots=True)
class Run:
    """One verification in progress: what it has to work with, and what it found so far."""

    source: LogSource
    entries: EntrySource | None
    mirror: Mirror
    trust: Trust
    kept: ReceiptFile | None
    full: bool
    now: datetime
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    opened: Opened | None = None
    period: Period = field(default_factory=Period)
    _promised: tuple[list[Receipt], int] | None = None

    @property
    def second(self) -> int:
        """Now, in seconds since 1970."""
        return int(self.now.timestamp())

    def promised(self) -> tuple[list[Receipt], int]:
        """The receipts that were kept when this was first asked, and how many of unknown keys."""
        if self._promised is None:
            texts = self.kept.texts() if self.kept else []
            self._promised = receipts.opened(texts, self.trust.receipt_keys)
        return self._promised

    def keep(self, found: Contradiction) -> None:
        """Keep two notes that contradict one another."""
        self.evidence.append(str(self.mirror.keep_evidence(found, self.second)))


@dataclass(slots=True)
class ServedTree:
    """The tree under the checkpoint `opened`, as files, and what its leaves said.

    `wrong` says where it is not what was signed. Tags were looked for from the leaf `first` on.
    `history` is of cosigned checkpoints of this tree, `fresh` what is new of it.
    """

    opened: Opened
    files: TreeFiles
    wrong: Mismatch | None
    scan: Scan | None
    first: int
    is_foreign: bool = False  # others cosigned another tree
    cosigned: Opened | None = None
    history: list[SeenAt] = field(default_factory=list)
    fresh: list[SeenAt] = field(default_factory=list)


def examine_tree(
    run: Run, opened: Opened, cosigned: bytes | None, stack: ExitStack, *, contradicts: bool
) -> ServedTree:
    """The served tree, with its QUORUM and FSCK among the findings of `run`.

    A tree that `contradicts` what was seen before is looked at in a directory that `stack` removes.
    """
    sought = _sought(run)
    files = _scratch(stack) if contradicts else run.mirror.tree
    tree = _copied(run, opened, files, sought)
    if tree.wrong and not contradicts:
        # The copy on this machine may be at fault: fetch the whole log into another place.
        tree = _copied(run, opened, _scratch(stack), sought)
        if tree.wrong is None:
            run.remarks.append(
                "The copy of the log on this machine was damaged. It was thrown away, and the next "
                "verification fetches the log again."
            )
            files.clear()
    if tree.wrong is None and tree.files.size:
        _take_history(run, tree)
    run.findings.append(_quorum(run, tree, cosigned))
    run.findings.append(_fsck(tree))
    return tree


def _scratch(stack: ExitStack) -> TreeFiles:
    return TreeFiles(Path(stack.enter_context(tempfile.TemporaryDirectory())))


def _sought(run: Run) -> Sought:
    promised, _ = run.promised()
    state = run.mirror.state
    if run.entries is not None:
        organisation, keys = run.entries.organisation(), run.entries.tag_keys()
        _demand_same(state, organisation, keys)
        if (organisation, keys) != (state.organisation, state.tag_keys):
            run.mirror.save(replace(state, organisation=organisation, tag_keys=keys))
    return Sought(run.mirror.state.tag_keys, frozenset(each.leaf_hash for each in promised))


def _demand_same(state: State, organisation: str, keys: Sequence[bytes]) -> None:
    """Tag keys are only ever added: one that goes missing would hide what it marks."""
    if state.organisation not in (None, organisation):
        raise AuditError(
            "This copy belongs to another organisation. Name another directory with --directory."
        )
    if set(state.tag_keys) - set(keys):
        raise AuditError(
            "The platform no longer names a key by which this organisation recognised entries. "
            "Tell your compliance officer: entries could be hidden so."
        )


def _copied(run: Run, opened: Opened, files: TreeFiles, sought: Sought) -> ServedTree:
    is_own = files is run.mirror.tree
    size = opened.checkpoint.size
    first = 0 if run.full or not is_own else min(run.mirror.state.scanned, size)
    told = run.progress.begin("Fetching the log", size - files.size)
    wrong = copy_log(
        run.source, files, opened.checkpoint, opened.note, anyway=not is_own, told=told
    )
    if not files.size or (wrong and is_own):
        return ServedTree(opened, files, wrong, None, first)
    made = opened.checkpoint.root if wrong is None else root(files.tile, files.size)
    told = run.progress.begin("Recomputing", files.size - first)
    found = scan(files, made, sought, first=first, told=told)
    if found.wrong is not None:
        wrong = Mismatch(found.wrong, found.reason)
    return ServedTree(opened, files, wrong, found, first)


def _take_history(run: Run, tree: ServedTree) -> None:
    """Cosigned checkpoints since the last time: each must be one of this tree."""
    held = run.mirror.history() if tree.files is run.mirror.tree else []
    for note in run.source.cosigned_after(held[-1].size if held else 0):
        try:
            cosigned = log_checks.open_signed(note, run.trust)
        except NoteError:
            continue  # under a key that was retired, or of nobody known: it bounds no time
        if cosigned.checkpoint.size > tree.files.size or _is_foreign(run, tree, cosigned):
            break
        times = [each.time for each in cosigned.signed if each.time is not None]
        if times:
            quorum = run.trust.vouched_since(cosigned.signed)
            tree.fresh.append(SeenAt(cosigned.checkpoint.size, min(times), quorum))
    tree.history = [*held, *tree.fresh]


def _is_foreign(run: Run, tree: ServedTree, cosigned: Opened) -> bool:
    found = log_checks.same_log(
        cosigned, tree.files.size, lambda at: root(tree.files.tile, at), tree.opened
    )
    if found:
        tree.is_foreign = True
        run.keep(found)
    return found is not None


def _quorum(run: Run, tree: ServedTree, note: bytes | None) -> Finding:
    """QUORUM over the newest cosigned checkpoint, which must be one of the same tree."""
    size = tree.opened.checkpoint.size
    if note is None:
        return log_checks.quorum(tree.opened, run.trust, size=size, now=run.second)
    try:
        tree.cosigned = log_checks.open_signed(note, run.trust)
    except NoteError as error:
        return failed(
            Check.QUORUM,
            f"What the witnesses are said to have cosigned is no such thing: {error.reason}.",
        )
    return log_checks.quorum(tree.cosigned, run.trust, size=size, now=run.second)


def _fsck(tree: ServedTree) -> Finding:
    wrong = (tree.wrong.place, tree.wrong.reason) if tree.wrong else None
    return log_checks.fsck(tree.scan.leaves if tree.scan else 0, wrong, first=tree.first)
