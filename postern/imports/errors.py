"""What can be wrong with an import mapping, told with its line and column."""

from collections.abc import Sequence

from postern.client_errors import ClientError
from postern.yaml_documents.faults import Fault, told_faults


class MappingError(ClientError):
    """A mapping cannot be used; `faults` has everything that was found."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        super().__init__(told_faults(name, faults))
        self.name = name
        self.faults = tuple(faults)


class UnknownMappingError(ClientError):
    """No shipped mapping and no file has the name that was given."""

    def __init__(self, name: str, shipped: Sequence[str]) -> None:
        super().__init__(
            f"There is no mapping {name!r}. Give one of {', '.join(shipped)}, or the path of a "
            "file of your own."
        )
