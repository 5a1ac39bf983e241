"""Collections for programs, and servers of others."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "exchange.add": KnownAct(
        Operation.COLLECTION,
        "Objects came by TAXII: indicators were submitted, amended or withdrawn, sightings stored.",
    ),
    "exchange.close": KnownAct(
        Operation.ADMINISTRATION, "A collection for standard clients was ended before its day."
    ),
    "exchange.compare": KnownAct(
        Operation.ADMINISTRATION, "A collection was put in line to be compared as a whole."
    ),
    "exchange.delete": KnownAct(
        Operation.ERASURE, "An object was deleted by TAXII: its indicator was withdrawn."
    ),
    "exchange.discover": KnownAct(
        Operation.ADMINISTRATION, "The addresses of the platform's TAXII service were read."
    ),
    "exchange.expire": KnownAct(
        Operation.ADMINISTRATION, "A collection for standard clients ended with its last day."
    ),
    "exchange.fed": KnownAct(
        Operation.ADMINISTRATION, "It was read which organisations fetch one's indicators by feed."
    ),
    "exchange.key": KnownAct(
        Operation.CONSULTATION,
        "The key was fetched by which an organisation recognises what its exchange tokens mean.",
    ),
    "exchange.list": KnownAct(
        Operation.ADMINISTRATION, "An organisation's collections for standard clients were listed."
    ),
    "exchange.manifest": KnownAct(
        Operation.CONSULTATION, "It was listed which objects a collection holds."
    ),
    "exchange.news-add": KnownAct(
        Operation.ADMINISTRATION, "An address was named that is told when a collection changed."
    ),
    "exchange.news-again": KnownAct(
        Operation.ADMINISTRATION, "It was asked that an address be told of a collection anew."
    ),
    "exchange.news-list": KnownAct(
        Operation.ADMINISTRATION, "The addresses that are told of a collection were listed."
    ),
    "exchange.news-remove": KnownAct(
        Operation.ADMINISTRATION, "An address is told of a collection no more, and was forgotten."
    ),
    "exchange.news-rotate": KnownAct(
        Operation.ADMINISTRATION,
        "The secret of an address that is told of changes was replaced; both sign for a while.",
    ),
    "exchange.news-sent": KnownAct(
        Operation.ADMINISTRATION,
        "A message that a collection changed was sent, failed, was given up or was withheld.",
    ),
    "exchange.news-try": KnownAct(
        Operation.ADMINISTRATION,
        "A message that a collection changed is about to be sent; it holds no content.",
    ),
    "exchange.open": KnownAct(
        Operation.ADMINISTRATION,
        "A collection was opened, from which standard clients take what others share, "
        "or their own.",
    ),
    "exchange.read": KnownAct(
        Operation.ADMINISTRATION, "How a collection for standard clients stands was read."
    ),
    "exchange.serve": KnownAct(
        Operation.CONSULTATION, "Objects of a collection were taken by a standard client."
    ),
    "exchange.sighted": KnownAct(
        Operation.DISCLOSURE, "Another organisation saw again what your indicator is about."
    ),
    "exchange.status": KnownAct(
        Operation.ADMINISTRATION, "It was read what became of objects that came by TAXII."
    ),
    "exchange.sweep": KnownAct(
        Operation.ERASURE, "Sightings and statuses of TAXII whose time was over were erased."
    ),
    "exchange.versions": KnownAct(
        Operation.CONSULTATION, "The versions of an object of a collection were listed."
    ),
    "server.add": KnownAct(
        Operation.ADMINISTRATION, "A subscription to a collection of another server was set up."
    ),
    "server.ask": KnownAct(
        Operation.ADMINISTRATION, "It was asked for that a server be asked before its time."
    ),
    "server.asked": KnownAct(
        Operation.COLLECTION, "A server that an organisation polls answered, or failed."
    ),
    "server.erase": KnownAct(
        Operation.ERASURE, "What was received from other servers was erased at the end of its time."
    ),
    "server.list": KnownAct(
        Operation.ADMINISTRATION, "The subscriptions to other servers were listed."
    ),
    "server.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how a subscription to another server fares."
    ),
    "server.received": KnownAct(Operation.CONSULTATION, "It was read what another server sent."),
    "server.remove": KnownAct(
        Operation.ERASURE, "A subscription was removed, with all that was received by it."
    ),
    "server.try": KnownAct(
        Operation.ADMINISTRATION, "A server that an organisation polls was about to be asked."
    ),
}
