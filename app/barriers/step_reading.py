"""Steps of a document and their cells: keys are different, sources and partners exist."""

from collections.abc import Iterator

from app.barriers.model import (
    MOST_STEPS,
    Barrier,
    BarrierType,
    Basis,
    Cell,
    Cost,
    CostBasis,
    Evidence,
    Finding,
    LegalBasis,
    Signal,
    Step,
    Strength,
)
from app.barriers.parts import LONGEST_TEXT, LONGEST_TITLE, Parts
from app.barriers.suggestion_reading import read_rule
from postern.yaml_documents import Entries, Items, Node, Scalar

STEP_KEYS = (
    *("number", "key", "title", "summary", "basis", "sources"),
    *("opportunities", "signals", "facilitators", "partners", "barriers"),
)
CELL_KEYS = ("key", "text", "basis", "sources")
SIGNAL_KEYS = (*CELL_KEYS, "suggest")
BARRIER_KEYS = (*CELL_KEYS, "type", "set_by", "cost", "cost_basis", "legal_basis", "evidence")
LEGAL_KEYS = ("text", "sources")
EVIDENCE_KEYS = ("strength", "finding", "text", "sources")
MOST_CELLS = 40  # of one column of one step
NOT_KNOWN = "not_known"


class StepReader:
    """Reads the steps of one document, whose sources and partners have these keys."""

    def __init__(self, parts: Parts, sources: tuple[str, ...], partners: tuple[str, ...]) -> None:
        self._parts = parts
        self._notes = parts.notes
        self._sources = sources
        self._partners = partners
        self._keys: set[str] = set()

    def step(self, node: Entries) -> Step | None:
        """One step; None when something is wrong with it itself."""
        parts = self._parts
        self._notes.only(node, STEP_KEYS)
        number = parts.number(node, "number", most=MOST_STEPS)
        key = self._own_key(node)
        title = parts.wording(node, "title", most=LONGEST_TITLE)
        summary = parts.wording(node, "summary", most=LONGEST_TEXT)
        basis, sources = self._rests_on(node)
        opportunities = tuple(self._cells(node, "opportunities"))
        signals = tuple(self._signals(node))
        facilitators = tuple(self._cells(node, "facilitators"))
        partners = tuple(self._partner_cells(node))
        barriers = tuple(self._barriers(node, self._written_partners(node)))
        if number is None or key is None or title is None or summary is None or basis is None:
            return None
        return Step(
            number,
            key,
            title,
            summary,
            basis,
            sources,
            opportunities,
            signals,
            facilitators,
            partners,
            barriers,
        )

    def _cells(self, step: Entries, column: str) -> Iterator[Cell]:
        for node in self._parts.listed(step, column, most=MOST_CELLS):
            self._notes.only(node, CELL_KEYS)
            if (cell := self._cell(node, self._own_key(node))) is not None:
                yield cell

    def _signals(self, step: Entries) -> Iterator[Signal]:
        for node in self._parts.listed(step, "signals", most=MOST_CELLS):
            self._notes.only(node, SIGNAL_KEYS)
            cell = self._cell(node, self._own_key(node))
            rule = read_rule(node, self._notes)
            if cell is not None:
                yield Signal(cell.key, cell.text, cell.basis, cell.sources, rule)

    def _partner_cells(self, step: Entries) -> Iterator[Cell]:
        """Cells that have the key of a partner of the document, each once in a step."""
        seen: set[str] = set()
        for node in self._parts.listed(step, "partners", most=MOST_CELLS):
            self._notes.only(node, CELL_KEYS)
            found = self._parts.known(node, "key", self._partners)
            if node.get("key") is None:
                self._notes.fault(node, "The key 'key' is missing.", "Add key: ...")
            if found and found[0] in seen:
                self._notes.fault(node, "The partner stands in this step twice.", "Remove one.")
            seen.update(found)
            if (cell := self._cell(node, found[0] if found else None)) is not None:
                yield cell

    def _written_partners(self, step: Entries) -> tuple[str, ...]:
        """Partners of a step as written, also where their cells have faults: told once only."""
        found = step.get("partners")
        items = found.items if isinstance(found, Items) else ()
        keys = [item.get("key") for item in items if isinstance(item, Entries)]
        written = dict.fromkeys(key.text for key in keys if isinstance(key, Scalar))
        return tuple(each for each in written if each in self._partners)

    def _barriers(self, step: Entries, partners: tuple[str, ...]) -> Iterator[Barrier]:
        parts, notes = self._parts, self._notes
        for node in parts.listed(step, "barriers", most=MOST_CELLS):
            notes.only(node, BARRIER_KEYS)
            cell = self._cell(node, self._own_key(node))
            type_ = notes.word(node, "type", BarrierType)
            set_by = parts.known(node, "set_by", partners)
            if _is_empty(node.get("set_by")):
                notes.fault(
                    node.get("set_by") or node,
                    "Nobody is said to set the barrier.",
                    "Add set_by: with keys of the step's partners.",
                )
            cost = notes.word(node, "cost", Cost)
            cost_basis = self._cost_basis(node, cost)
            legal_basis = self._legal_basis(node)
            evidence = self._evidence(node)
            if cell is None or type_ is None or cost is None or evidence is None:
                continue
            yield Barrier(
                cell.key,
                cell.text,
                cell.basis,
                cell.sources,
                type_,
                set_by,
                cost,
                cost_basis,
                legal_basis,
                evidence,
            )

    def _own_key(self, node: Entries) -> str | None:
        """The key of a step or cell: another than that of every other of the document."""
        found = node.get("key")
        if found is None:
            self._notes.fault(node, "The key 'key' is missing.", "Add key: ...")
            return None
        key = self._parts.key(found)
        if key in self._keys:
            self._notes.fault(
                found,
                f"Another part of the model has the key {key!r}.",
                "Give this one a key of its own, and keep it in later versions.",
            )
        if key is not None:
            self._keys.add(key)
        return key

    def _cell(self, node: Entries, key: str | None) -> Cell | None:
        text = self._parts.wording(node, "text", most=LONGEST_TEXT)
        basis, sources = self._rests_on(node)
        if key is None or text is None or basis is None:
            return None
        return Cell(key, text, basis, sources)

    def _rests_on(self, node: Entries) -> tuple[Basis | None, tuple[str, ...]]:
        """What a cell rests on, and its sources: none for a judgement, else at least one."""
        basis = self._notes.word(node, "basis", Basis)
        sources = self._parts.known(node, "sources", self._sources)
        found = node.get("sources")
        place = found or node.get("basis") or node
        if basis is Basis.JUDGEMENT and not _is_empty(found):
            self._notes.fault(
                place, "A judgement names sources.", "Write basis: derived, or remove them."
            )
        elif basis not in {None, Basis.JUDGEMENT} and _is_empty(found):
            self._notes.fault(
                place, "No source is named.", "Add sources: [...], or write basis: judgement."
            )
        return basis, sources

    def _cost_basis(self, node: Entries, cost: Cost | None) -> CostBasis | None:
        """What the cost rests on, which a cost that is not known does not have."""
        if cost is not Cost.NOT_KNOWN:
            return self._notes.word(node, "cost_basis", CostBasis)
        if (found := node.get("cost_basis")) is not None:
            self._notes.fault(found, "A cost that is not known has no basis.", "Remove it.")
        return None

    def _legal_basis(self, node: Entries) -> LegalBasis | None:
        found = node.get("legal_basis")
        if isinstance(found, Scalar) and found.text == NOT_KNOWN:
            return None
        if not isinstance(found, Entries):
            self._notes.fault(
                found or node,
                "The legal basis is not told.",
                f"Write legal_basis: {NOT_KNOWN}, or text: and sources: below it.",
            )
            return None
        self._notes.only(found, LEGAL_KEYS)
        text = self._parts.wording(found, "text", most=LONGEST_TEXT)
        sources = self._cited(found)
        return None if text is None else LegalBasis(text, sources)

    def _evidence(self, node: Entries) -> Evidence | None:
        found = self._notes.entries(node, "evidence")
        if found is None:
            return None
        strength = self._notes.word(found, "strength", Strength)
        if strength is Strength.NONE:
            self._notes.only(found, EVIDENCE_KEYS[:1])
            return Evidence(strength, None, None, ())
        self._notes.only(found, EVIDENCE_KEYS)
        finding = self._notes.word(found, "finding", Finding)
        text = self._parts.wording(found, "text", most=LONGEST_TEXT)
        sources = self._cited(found)
        return None if strength is None else Evidence(strength, finding, text, sources)

    def _cited(self, node: Entries) -> tuple[str, ...]:
        found = node.get("sources")
        if _is_empty(found):
            self._notes.fault(found or node, "No source is named.", "Add sources: [...].")
        return self._parts.known(node, "sources", self._sources)


def _is_empty(node: Node | None) -> bool:
    """Whether nothing is listed."""
    return node is None or (isinstance(node, Items) and not node.items)
