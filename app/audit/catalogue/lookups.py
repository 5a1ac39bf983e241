"""Lookups, watches and deconfliction."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "deconfliction.list": KnownAct(
        Operation.CONSULTATION, "It was read who else works on what one's own watches wait for."
    ),
    "deconfliction.match": KnownAct(
        Operation.COMBINATION,
        "Two organisations that watch for the same were told of each other, as both policies say.",
    ),
    "lookup.ask": KnownAct(
        Operation.CONSULTATION, "Identifiers were looked up, with or without a hit."
    ),
    "lookup.expire": KnownAct(
        Operation.ERASURE, "Records of lookups past their retention were erased."
    ),
    "lookup.list": KnownAct(Operation.CONSULTATION, "The organisation's own lookups were listed."),
    "watch.erase": KnownAct(
        Operation.ERASURE, "Records of watches past their retention were erased."
    ),
    "watch.expire": KnownAct(
        Operation.ERASURE,
        "Watches ended on their last day, or with the right of who set them; their tokens went.",
    ),
    "watch.list": KnownAct(Operation.CONSULTATION, "The organisation's own watches were listed."),
    "watch.match": KnownAct(
        Operation.COMBINATION, "A watch matched an indicator; it names whoever may know of it."
    ),
    "watch.read": KnownAct(Operation.CONSULTATION, "A watch was read, with what it found."),
    "watch.set": KnownAct(
        Operation.CONSULTATION,
        "A watch was set: its organisation is told when an indicator of a value is submitted.",
        follows_up=True,
    ),
    "watch.stop": KnownAct(Operation.ERASURE, "A watch was stopped and its tokens were erased."),
}
