"""Files of other systems, such as national seizure records: mapped to Postern's own fields."""

from postern.imports.errors import MappingError, UnknownMappingError
from postern.imports.mapped_columns import MappedColumns
from postern.imports.model import ImportMapping
from postern.imports.reading import SHIPPED, find_mapping, read_mapping, shipped_text

__all__ = [
    "SHIPPED",
    "ImportMapping",
    "MappedColumns",
    "MappingError",
    "UnknownMappingError",
    "find_mapping",
    "read_mapping",
    "shipped_text",
]
