"""Shipping patterns, token filters and screening."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "filter.build": KnownAct(
        Operation.DISCLOSURE, "A large screening filter that was asked for was built, or not."
    ),
    "filter.call-back": KnownAct(
        Operation.ADMINISTRATION,
        "A screening filter was stopped: an indicator in it was withdrawn.",
    ),
    "filter.changes": KnownAct(
        Operation.DISCLOSURE, "What changed since an older screening filter was fetched."
    ),
    "filter.expire": KnownAct(
        Operation.ERASURE, "The content of screening filters that were over was erased."
    ),
    "filter.fetch": KnownAct(Operation.DISCLOSURE, "A part of a screening filter was fetched."),
    "filter.list": KnownAct(Operation.ADMINISTRATION, "Screening filters were listed."),
    "filter.make": KnownAct(
        Operation.DISCLOSURE,
        "A screening filter was made of what an organisation may screen its parcels for.",
    ),
    "filter.read": KnownAct(Operation.ADMINISTRATION, "A screening filter was read about."),
    "filter.shared": KnownAct(
        Operation.DISCLOSURE,
        "Indicators of yours went into another organisation's screening filter, as your policy "
        "says.",
    ),
    "pattern.check": KnownAct(
        Operation.ADMINISTRATION, "A document of a shipping pattern was checked and tried."
    ),
    "pattern.count": KnownAct(
        Operation.ADMINISTRATION, "It was read how a shipping pattern turned out."
    ),
    "pattern.deprecate": KnownAct(
        Operation.ADMINISTRATION, "It was said that a shipping pattern is used no longer."
    ),
    "pattern.draft": KnownAct(
        Operation.ADMINISTRATION,
        "A version of a shipping pattern was written, proposed, withdrawn, refused or discarded.",
    ),
    "pattern.erase": KnownAct(
        Operation.ADMINISTRATION, "Shipping patterns that were over long ago were erased."
    ),
    "pattern.fetch": KnownAct(
        Operation.ADMINISTRATION, "The shipping patterns to screen with were fetched."
    ),
    "pattern.list": KnownAct(Operation.ADMINISTRATION, "Shipping patterns were listed."),
    "pattern.outcome": KnownAct(
        Operation.ADMINISTRATION, "It was told what examining the hits of a pattern showed."
    ),
    "pattern.publish": KnownAct(
        Operation.ADMINISTRATION,
        "A second person published a version of a shipping pattern.",
    ),
    "pattern.read": KnownAct(Operation.ADMINISTRATION, "A shipping pattern was read."),
    "pattern.run": KnownAct(
        Operation.ADMINISTRATION, "It was told how many parcels a pattern was run over, and hit."
    ),
    "pattern.shared": KnownAct(
        Operation.ADMINISTRATION,
        "Another organisation got the rule of your shipping pattern, as your policy says.",
    ),
    "pattern.subscribe": KnownAct(
        Operation.ADMINISTRATION, "An organisation subscribed to a shipping pattern."
    ),
    "pattern.unsubscribe": KnownAct(
        Operation.ADMINISTRATION, "A subscription to a shipping pattern was ended."
    ),
    "screening.allow": KnownAct(
        Operation.ADMINISTRATION, "Evaluations for screening were agreed with an organisation."
    ),
    "screening.end": KnownAct(Operation.ADMINISTRATION, "What was agreed for screening ended."),
    "screening.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how many evaluations are agreed for screening."
    ),
}
