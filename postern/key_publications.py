"""Publications of keys as the log tells them, beside those that the directory shows.

Each publication is an entry of the log that every active member may read. Its details are fixed by
a leaf of the tree, so that a platform that shows another directory later, or to another member,
contradicts what it signed. That the leaves stand in the one tree that all see is proven by
`postern audit verify`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from postern.audit.own_entries import EntryMalformedError, OwnEntry, fault_of, opened, parse_entry
from postern.base64url import to_base64url
from postern.client_errors import AnswerMalformedError, ClientError
from postern.organisation_entry import SignedEntry

ACT = "key.publish"


class PublicationFaultyError(ClientError):
    """An entry of the log does not fit its own leaf."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"An entry of the log about keys is not whole: {fault}. Run `postern audit verify` and "
            "tell your compliance officer."
        )


@dataclass(frozen=True, slots=True)
class Publication:
    """That an organisation published an entry; `digest` is that of the entry, base64url."""

    organisation: str
    number: int
    digest: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the log says of the directory: sentences, and how many entries it confirms.

    `untold` are entries of which the own log does not tell: published before one joined, or kept
    from it.
    """

    contradictions: tuple[str, ...]
    confirmed: int
    untold: tuple[tuple[str, int], ...]


def read_publications(lines: Iterable[bytes]) -> list[Publication]:
    """The publications in exported entries; what was refused is none.

    Raises PublicationFaultyError, AnswerMalformedError.
    """
    found = []
    for line in lines:
        try:
            entry = parse_entry(line)
        except EntryMalformedError:
            raise AnswerMalformedError("an entry of the log") from None
        if entry.fields["act"] != ACT or entry.fields.get("out") != "ok":
            continue
        fault = fault_of(entry)
        if fault is not None:
            raise PublicationFaultyError(fault)
        found.append(_publication(entry))
    return found


def compare(
    directory: Mapping[str, Sequence[SignedEntry]], publications: Iterable[Publication]
) -> Comparison:
    """The directory's chains beside what the log tells of their publication."""
    told: dict[tuple[str, int], Publication] = {}
    contradictions = []
    for each in publications:
        first = told.setdefault((each.organisation, each.number), each)
        if first.digest != each.digest:
            contradictions.append(
                f"{each.organisation}: the log tells of two different entries {each.number}, "
                f"{first.fingerprint} and {each.fingerprint}"
            )
    shown = {
        (code, signed.entry.number): signed.entry
        for code, chain in directory.items()
        for signed in chain
    }
    for key, publication in told.items():
        entry = shown.get(key)
        if entry is None:
            contradictions.append(
                f"{key[0]}: the log tells of entry {key[1]}, {publication.fingerprint}, which the "
                "directory withholds"
            )
        elif to_base64url(entry.digest()) != publication.digest:
            contradictions.append(
                f"{key[0]}: entry {key[1]} is {publication.fingerprint} in the log, but "
                f"{entry.fingerprint} in the directory"
            )
    untold = tuple(sorted(shown.keys() - told.keys()))
    return Comparison(tuple(contradictions), len(shown) - len(untold), untold)


def _publication(entry: OwnEntry) -> Publication:
    details = opened(entry)
    number, digest = details.get("number"), details.get("digest")
    fingerprint = details.get("fingerprint")
    if type(number) is not int or type(digest) is not str or type(fingerprint) is not str:
        raise PublicationFaultyError("a detail of it was left out or erased")
    return Publication(str(entry.fields["org"]), number, digest, fingerprint)
