"""Which checkpoints witnesses cosigned, as verifiers list them to bound the times of entries."""

from app.audit.tree import cosigned_after
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note
from tests.app.audit.logkeeping import Keeper


def listed(keeper: Keeper, after: int = 0, limit: int = 100) -> list[int]:
    """The sizes of the notes that are listed, and that each bears the cosignatures it has."""
    with keeper.database.reading() as session:
        found = cosigned_after(session, after, limit)
    for each in found:
        note = Note.parse(each.note)
        assert Checkpoint.parse(note.text).size == each.size
        assert len(note.signatures) > 1
    return [each.size for each in found]


def test_only_cosigned_checkpoints_are_listed_smallest_first(keeper: Keeper) -> None:
    for organisation in ("police-de", "customs-nl"):
        keeper.witness(organisation)
    assert listed(keeper) == []
    sizes = []
    for number in range(6):
        sizes.append(keeper.grow(3))
        if number % 2:
            keeper.cosign("police-de", *(["customs-nl"] if number > 2 else []))
    assert listed(keeper) == sizes[1::2]


def test_a_page_goes_on_after_the_size_that_is_named(keeper: Keeper) -> None:
    keeper.witness("police-de")
    sizes = []
    for _ in range(4):
        sizes.append(keeper.grow(1))
        keeper.cosign("police-de")
    assert listed(keeper, limit=2) == sizes[:2]
    assert listed(keeper, after=sizes[1], limit=2) == sizes[2:]
    assert listed(keeper, after=sizes[-1]) == []
