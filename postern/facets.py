"""From a canonical form to its facets: the few strings whose equality means "probably the same".

A facet of a party or an address is always a pair or a triple of atoms, each of which tolerates
some error; no facet of a single field is ever made, because a field alone can be guessed
(specification of matching, 3.2, 3.3 and 6.1).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from postern.explanation import describe, explain
from postern.facet_kinds import FACETS, MAX_POSTAL_FACETS, NUMBERS, POSTAL_FACETS
from postern.normalise import (
    NORMALISER_VERSION,
    HandleForm,
    Normalised,
    PostalForm,
    SchemeForm,
    TextForm,
    Value,
    normalise,
)
from postern.normalise.folding import skeleton, sounded_initial
from postern.vocabulary import EvaluationKind, Kind

__all__ = ["FACETS", "Facet", "describe", "evaluation_input", "explain", "facets", "postal_atoms"]


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet. `number` is stored, `kind` is for people, `text` is evaluated."""

    number: int
    kind: str
    text: str


def facets(value: Value | Normalised) -> tuple[Facet, ...]:
    """The facets of a value, in order of emission; at most 16 for a party or an address.

    Equal texts mean that the two values agree in this facet. May be empty when a value can be
    normalised but holds too little to compare. Raises NormalisationError as `normalise` does.
    """
    normalised = value if isinstance(value, Normalised) else normalise(value)
    return tuple(_FACETS_OF[type(normalised.form)](normalised.kind, normalised.form))


def evaluation_input(facet: Facet, evaluation_kind: EvaluationKind) -> bytes:
    """The bytes that are blinded: lp(kind "/norm" version) || text, lp = 2-byte length prefix.

    The prefix keeps inputs of different kinds and different rules apart (specification of
    pseudonyms, section 6: domain separation).
    """
    domain = f"{evaluation_kind}/norm{NORMALISER_VERSION}".encode("ascii")
    return len(domain).to_bytes(2, "big") + domain + facet.text.encode("utf-8")


def postal_atoms(form: PostalForm) -> dict[str, tuple[str, ...]]:
    """The atoms of a party or an address: name -> its values, none when it is missing.

    Names: EK sound, E4 beginning of each of the two longest words; NI initials, NS their sound, NK
    sound of all words; TI end of one of the two with the initial of the other, BT ends of both.
    Streets: SK sound, S4 its beginning; R3, T3 beginning and end as written. House number: H,
    HS with its suffix, HT its digits in order. Postcode: P, P3 its beginning. City: CK sound, C3
    and CT beginning and end. After the specification of matching, 3.2; see docs/matching.md.
    """
    words = form.name_words
    longest = sorted(words, key=lambda word: (-len(word), word))[:_LONGEST]
    sounds = [skeleton(street) for street in form.streets]
    number, town = form.number, form.city
    return {
        "EK": _distinct(skeleton(word) for word in longest),
        "E4": _distinct(word[:4] for word in longest),
        "NI": _distinct(["".join(sorted(word[0] for word in words))]),
        "NS": _distinct(["".join(sorted(sounded_initial(word) for word in words))]),
        "NK": _distinct([".".join(sorted(skeleton(word) for word in words))]),
        "TI": _ends_with_initial(longest),
        "BT": _distinct([_both_ends(longest)]),
        "SK": _distinct(sounds),
        "S4": _distinct(sound[:4] for sound in sounds),
        "R3": _distinct(street[:3] for street in form.streets),
        "T3": _distinct(street[-3:] for street in form.streets),
        "H": _distinct([number]),
        "HS": _distinct([number and number + form.suffix]),
        "HT": _distinct(["".join(sorted(number))]),
        "P": _distinct([form.postcode]),
        "P3": _distinct([form.postcode[:3]]),
        "CK": _distinct([skeleton(town)]),
        "C3": _distinct([town[:3]]),
        "CT": _distinct([town[-3:]]),
    }


def _ends_with_initial(longest: Sequence[str]) -> tuple[str, ...]:
    if len(longest) < _LONGEST:
        return _distinct(word[-4:] for word in longest)
    one, other = longest
    return _distinct(
        (f"{one[-3:]}.{sounded_initial(other)}", f"{other[-3:]}.{sounded_initial(one)}")
    )


def _both_ends(longest: Sequence[str]) -> str:
    return ".".join(sorted(word[-3:] for word in longest)) if len(longest) == _LONGEST else ""


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _postal_facets(_kind: Kind, form: PostalForm) -> Iterator[Facet]:
    atoms = postal_atoms(form)
    texts = (
        (number, kind, combination)
        for number, kind in POSTAL_FACETS.items()
        for combination in product(*(atoms[atom] for atom in kind.split("*")))
    )
    for number, kind, combination in islice(texts, MAX_POSTAL_FACETS):
        yield _facet(number, kind, *combination)


def _handle_facets(_kind: Kind, form: HandleForm) -> Iterator[Facet]:
    if form.market:
        yield _named("VENDOR*MARKET", form.market, form.folded)
    yield _named("VENDOR", form.folded)
    if form.stripped:
        yield _named("VENDOR*STRIPPED", form.stripped)
    if form.skeleton:
        yield _named("VENDOR*SOUND", form.skeleton)


def _scheme_facets(kind: Kind, form: SchemeForm) -> Iterator[Facet]:
    yield _named("ITEM" if kind is Kind.ITEM else "PAYMENT", form.scheme, form.text)
    if kind is Kind.ITEM and form.scheme == "s10":
        service, batch, country = form.text[:2], form.text[2:7], form.text[-2:]
        yield _named("ITEM*BATCH", form.scheme, service + batch + country)


def _text_facets(kind: Kind, form: TextForm) -> Iterator[Facet]:
    yield _named(_TEXT_KINDS[kind], form.text)


def _named(kind: str, *atoms: str) -> Facet:
    return _facet(NUMBERS[kind], kind, *atoms)


def _facet(number: int, kind: str, *atoms: str) -> Facet:
    return Facet(number, kind, f"{kind}={'|'.join(atoms)}")


_LONGEST = 2  # words of a name that are looked at one by one

_TEXT_KINDS: Mapping[Kind, str] = {
    Kind.PHONE: "PHONE",
    Kind.PGP: "PGP",
    Kind.EMAIL: "EMAIL",
    Kind.INDUCTION_POINT: "POINT",
}

_FACETS_OF: Mapping[type[Any], Callable[[Kind, Any], Iterator[Facet]]] = {
    PostalForm: _postal_facets,
    HandleForm: _handle_facets,
    SchemeForm: _scheme_facets,
    TextForm: _text_facets,
}
