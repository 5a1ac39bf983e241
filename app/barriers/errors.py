"""What can be wrong with the text of a model, told with its line and column."""

from collections.abc import Sequence

from postern.yaml_documents.faults import Fault, told_faults


class ModelError(ValueError):
    """A text is no model; `faults` has everything that was found, in the order of the text."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        super().__init__(told_faults(name, faults))
        self.faults = tuple(faults)
