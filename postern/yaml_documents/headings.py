"""What every document says first: its format, and the id that its versions share."""

from uuid import UUID

from postern.yaml_documents.notes import Notes
from postern.yaml_documents.source import Entries, Scalar


def read_format(node: Entries, notes: Notes, expected: str) -> None:
    """Note a fault unless the document says that it is of the expected format."""
    found = node.get("format")
    if not isinstance(found, Scalar) or found.text != expected:
        notes.fault(found or node, f"The format is not {expected}.", f"Write format: {expected}.")


def read_identity(node: Entries, notes: Notes, remedy: str) -> str | None:
    """The id of a document in small letters; None, and a fault with this remedy, if it is none."""
    found = node.get("id")
    try:
        return str(UUID(found.text if isinstance(found, Scalar) else ""))
    except ValueError:
        notes.fault(found or node, "The id is not a UUID.", remedy)
        return None
