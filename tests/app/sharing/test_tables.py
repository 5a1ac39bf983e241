"""The room's tables are what they were: a width, a key or a word changes on purpose only."""

from pathlib import Path

from tests.app.sharing.tables import described

DECLARED = Path(__file__).parent.parent.parent / "data" / "sharing-tables.txt"


def test_the_tables_are_declared_as_before_unless_on_purpose() -> None:
    # After a change on purpose: python -m tests.app.sharing.tables > tests/data/sharing-tables.txt
    assert described() == DECLARED.read_text("utf-8")
