"""Two versions of a policy side by side: line against line, and rule against rule in words."""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.sharing.policy_text import Policy

_AROUND = 3  # unchanged lines told before and after each change


class RowKind(StrEnum):
    """What became of a line or of a rule."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"
    SKIPPED = "skipped"  # stands for unchanged lines that are left out


@dataclass(frozen=True)
class Row:
    """A line of each text; None where a text has none there. Numbers are from 1."""

    kind: RowKind
    before: str | None = None
    after: str | None = None
    number_before: int | None = None
    number_after: int | None = None


@dataclass(frozen=True)
class RuleChange:
    """A rule of either version, by its id, and what became of it."""

    kind: RowKind
    id: str
    before: Policy | None
    after: Policy | None

    @property
    def label(self) -> str:
        """What its author says that it does, in the newer version if it is there."""
        rule = self.after or self.before
        return rule.label if rule else ""

    @property
    def permits(self) -> bool:
        """Whether it permits; else it holds back."""
        rule = self.after or self.before
        return bool(rule and rule.permits)


def rows(before: str, after: str) -> list[Row]:
    """The lines of both texts, aligned, far unchanged ones left out; empty when nothing differs."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[Row] = []
    end = 0
    for group in matcher.get_grouped_opcodes(_AROUND):
        if group[0][1] > end:
            found.append(Row(RowKind.SKIPPED))
        for code, old_from, old_to, new_from, new_to in group:
            found += _block(code, old, new, range(old_from, old_to), range(new_from, new_to))
            end = old_to
    if end < len(old):
        found.append(Row(RowKind.SKIPPED))
    return found


def rules(before: Sequence[Policy], after: Sequence[Policy]) -> list[RuleChange]:
    """Each rule once: in the order of the newer version, then those that are gone."""
    old = {each.id: each for each in before}
    new = {each.id: each for each in after}
    return [
        *(
            RuleChange(_kind(old.get(id_), rule), id_, old.get(id_), rule)
            for id_, rule in new.items()
        ),
        *(
            RuleChange(RowKind.REMOVED, id_, rule, None)
            for id_, rule in old.items()
            if id_ not in new
        ),
    ]


def _block(
    code: str, old: Sequence[str], new: Sequence[str], before: range, after: range
) -> Iterator[Row]:
    """Rows of one stretch; lines that were replaced stand beside those that replace them."""
    for at in range(max(len(before), len(after))):
        left = before[at] if at < len(before) else None
        right = after[at] if at < len(after) else None
        if code == "equal":
            kind = RowKind.SAME
        elif left is not None and right is not None:
            kind = RowKind.CHANGED
        else:
            kind = RowKind.ADDED if left is None else RowKind.REMOVED
        yield Row(
            kind,
            before=None if left is None else old[left],
            after=None if right is None else new[right],
            number_before=None if left is None else left + 1,
            number_after=None if right is None else right + 1,
        )


def _kind(before: Policy | None, after: Policy) -> RowKind:
    if before is None:
        return RowKind.ADDED
    return RowKind.SAME if _said(before) == _said(after) else RowKind.CHANGED


def _said(rule: Policy) -> str:
    return json.dumps(rule.tree, sort_keys=True)
