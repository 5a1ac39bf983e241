"""From YAML to the weights of the risk analysis: checked whole, every fault has its place."""

import re
from itertools import pairwise

from app.barriers.methods.risk import WORST, Weights
from postern.vocabulary import Substance
from postern.yaml_documents import (
    Entries,
    Fault,
    Items,
    Limits,
    Notes,
    Refusal,
    Scalar,
    SourceError,
    documents,
    one_of,
    read_format,
)
from postern.yaml_documents.faults import told_faults

FORMAT = "risk-weights/1"
THRESHOLDS = 4

_KEYS = ("format", "likelihood", "severity")
_LARGEST = 16_384  # characters
_LONG = Refusal("The weights are longer than 16 KiB.", "Shorten the file.")
_LIMITS = Limits(
    file=_LARGEST,
    document=_LARGEST,
    documents=1,
    nodes=500,
    long_file=_LONG,
    long_document=_LONG,
    many_documents=Refusal("It holds several documents.", "Write one set of weights into a file."),
    many_nodes=Refusal("It has too many entries.", "Remove what is not a weight."),
)


class WeightsError(ValueError):
    """Weights cannot be used; `faults` says what is wrong, where, and what to do."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(told_faults("The weights", faults))


def read_weights(text: str) -> Weights:
    """The weights that a text in YAML says. Raises WeightsError with every fault."""
    try:
        nodes = documents(text, _LIMITS)
    except SourceError as error:
        raise WeightsError([error.fault]) from None
    notes = Notes()
    weights = None
    if not nodes:
        notes.faults.append(Fault(1, 1, "It is empty.", "Write weights into it."))
    elif not isinstance(nodes[0], Entries):
        notes.fault(nodes[0], "The weights are not a map.", f"Begin with format: {FORMAT}.")
    else:
        weights = _weights(nodes[0], notes)
    if weights is None or notes.faults:
        raise WeightsError(sorted(notes.faults, key=lambda each: (each.line, each.column)))
    return weights


def _weights(node: Entries, notes: Notes) -> Weights | None:
    notes.only(node, _KEYS)
    read_format(node, notes, FORMAT)
    likelihood = _likelihood(node, notes)
    severity = _severity(node, notes)
    return None if likelihood is None else Weights(likelihood, severity)


def _likelihood(node: Entries, notes: Notes) -> tuple[float, float, float, float] | None:
    found = node.get("likelihood")
    items = found.items if isinstance(found, Items) else ()
    texts = [item.text if isinstance(item, Scalar) else "" for item in items]
    rates = [float(text) for text in texts if _RATE.fullmatch(text)]
    rising = all(low < high for low, high in pairwise(rates))
    if len(rates) != len(texts) or len(rates) != THRESHOLDS or not rising or not rates[0]:
        notes.fault(
            found or node,
            f"likelihood is not {THRESHOLDS} rising numbers above 0.",
            "Write the reports in four weeks from which likelihood is 2, 3, 4 and 5.",
        )
        return None
    second, third, fourth, fifth = rates
    return second, third, fourth, fifth


def _severity(node: Entries, notes: Notes) -> dict[Substance, int]:
    read = {}
    entries = notes.entries(node, "severity")
    for key, value in entries.pairs if entries is not None else ():
        number = notes.number(value, f"The severity of {key.text}", least=1, most=WORST)
        if key.text not in _WEIGHED:
            notes.fault(key, f"{key.text!r} has no severity.", one_of(key.text, _WEIGHED))
        elif number is not None:
            read[Substance(key.text)] = number
    return read


_RATE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_WEIGHED = frozenset(Substance) - {Substance.UNKNOWN}
