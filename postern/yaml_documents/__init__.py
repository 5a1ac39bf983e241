"""Documents that people write in YAML: read as text with places, and judged without running."""

from postern.yaml_documents.faults import Fault
from postern.yaml_documents.headings import read_format, read_identity
from postern.yaml_documents.notes import Notes, one_of
from postern.yaml_documents.source import (
    Comment,
    Entries,
    Items,
    Limits,
    Node,
    Refusal,
    Scalar,
    SourceError,
    comments,
    documents,
)

__all__ = [
    "Comment",
    "Entries",
    "Fault",
    "Items",
    "Limits",
    "Node",
    "Notes",
    "Refusal",
    "Scalar",
    "SourceError",
    "comments",
    "documents",
    "one_of",
    "read_format",
    "read_identity",
]
