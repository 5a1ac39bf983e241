"""What can be wrong with a rule, told with its line and column."""

from collections.abc import Sequence
from typing import TypeAlias

from postern.client_errors import ClientError
from postern.yaml_documents.faults import Fault, told_faults

PatternFault: TypeAlias = Fault


class PatternError(ClientError):
    """A file of rules or filters cannot be used; `faults` has everything that was found."""

    def __init__(self, name: str, faults: Sequence[PatternFault]) -> None:
        super().__init__(told_faults(name, faults))
        self.name = name
        self.faults = tuple(faults)
