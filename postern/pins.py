"""What a client remembers of the platform's keys, and what a new key document may change in it."""

from postern.key_document import KeyDocument, KeyEpoch
from postern.key_errors import KeyChangedError


def compare_with_pins(pinned: KeyDocument, new: KeyDocument) -> tuple[KeyEpoch, ...]:
    """The epochs that the new document adds to the one accepted last, which may be used.

    Raises KeyChangedError when a pinned epoch has another public key or another norm, vanished
    before its end, or when an epoch appears that should have come before the newest pinned one.
    """
    offered = {(each.kind, each.epoch): each for each in new.epochs}
    for each in pinned.epochs:
        match offered.pop((each.kind, each.epoch), None):
            case None if new.issued_at < each.valid_to:
                raise KeyChangedError(each.kind, each.epoch, "it vanished before its end")
            case KeyEpoch(public_key=public_key) if public_key != each.public_key:
                raise KeyChangedError(each.kind, each.epoch, "its public key changed")
            case KeyEpoch(norm=norm) if norm != each.norm:
                raise KeyChangedError(each.kind, each.epoch, "its normaliser version changed")
    newest = {each.kind: each.epoch for each in pinned.epochs}  # in order, so the last one stays
    for kind, epoch in offered:
        if epoch < newest.get(kind, 0):
            raise KeyChangedError(kind, epoch, "it appeared after a later epoch")
    return tuple(offered.values())
