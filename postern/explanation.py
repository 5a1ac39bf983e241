"""Plain words for what a lookup learned, so that a person sees why a hit is a hit."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

from postern.facet_kinds import FACET_WORDS, FACETS, NAME_FACETS, NUMBERS, POSTAL_FACETS
from postern.vocabulary import FacetAnswer, Kind


class ComparedPart(StrEnum):
    """A part of a value, as a person names it."""

    NAME = "name"
    STREET = "street"
    HOUSE_NUMBER = "house_number"
    POSTCODE = "postcode"
    CITY = "city"
    HANDLE = "handle"
    MARKET = "market"
    VALUE = "value"  # of kinds that have no parts


class Agreement(StrEnum):
    """How far a part of a hit agrees, as far as the facets prove it."""

    SAME = "same"
    SPELLING = "spelling"  # the same but for its spelling
    PARTLY = "partly"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


ANSWER_WORDS: Mapping[FacetAnswer, str] = {
    FacetAnswer.AGREES: "agrees",
    FacetAnswer.DIFFERS: "does not agree",
    FacetAnswer.COMMON: "too common to tell",
    FacetAnswer.ABSENT: "not known on both sides",
}

_SAME_OTHER: Mapping[str, str] = {
    "PHONE": "same telephone number",
    "PGP": "same key fingerprint",
    "EMAIL": "same e-mail address",
    "PAYMENT": "same wallet or account",
    "ITEM": "same item",
    "ITEM*BATCH": "another item of the same batch of identifiers",
    "VENDOR*MARKET": "same handle on the same market",
    "VENDOR": "same handle, market unknown or another",
    "VENDOR*STRIPPED": "same handle but for digits, additions or look-alike characters",
    "VENDOR*SOUND": "handle sounds the same",
    "POINT": "same induction point",
}


_BY_SPELLING = "name differs by spelling"

# The first whose atoms are all the same is said; a whole name is said elsewhere.
_NAME_CLAUSES: Sequence[tuple[AbstractSet[str], str]] = (
    ({"NK"}, ""),
    ({"TI"}, _BY_SPELLING),
    ({"BT"}, _BY_SPELLING),
    ({"EK", "NI"}, _BY_SPELLING),
    ({"EK", "NS"}, _BY_SPELLING),
    ({"E4", "NI"}, _BY_SPELLING),
    ({"E4", "NS"}, _BY_SPELLING),
    ({"EK"}, "one word of the name is the same"),
    ({"NI"}, "same initials"),
    ({"NS"}, "same initials"),
    ({"E4"}, "a word of the name begins the same"),
)
_PARTS_OF_A_STREET = frozenset({"S4", "R3", "T3"})
_STREET_ATOMS = frozenset({"SK"}) | _PARTS_OF_A_STREET
_NAME_WHOLES = frozenset({"EK", "NI", "NS", "NK"})


def describe(facet_number: int, answer: FacetAnswer) -> str:
    """One answer in plain words: "the postcode and the house number: agrees".

    Raises KeyError for a number that no facet has.
    """
    return f"{FACET_WORDS[FACETS[facet_number]]}: {ANSWER_WORDS[answer]}"


def explain(answers: Mapping[int, FacetAnswer], kind: Kind) -> str:
    """One sentence for the whole hit: "Same house number and postcode; street differs by spelling."

    It says only what the answers prove: a fact is "different" only when every other part of a
    facet that differs is known to be the same.
    """
    if kind in {Kind.PARTY, Kind.ADDRESS}:
        clauses = _postal_clauses(answers)
    else:
        clauses = [
            words
            for facet_kind, words in _SAME_OTHER.items()
            if any(
                answer is FacetAnswer.AGREES and FACETS[number] == facet_kind
                for number, answer in answers.items()
            )
        ][:1]
    if not clauses:
        clauses = ["nothing agrees"]
    if FacetAnswer.COMMON in answers.values():
        clauses.append("some of it is too common to tell")
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}."


def parts(
    answers: Mapping[int, FacetAnswer], kind: Kind
) -> tuple[tuple[ComparedPart, Agreement], ...]:
    """How far each part of a hit agrees: the same as `explain` says, for a table.

    It claims no more than the answers prove: what they leave open is UNKNOWN.
    """
    if kind in {Kind.PARTY, Kind.ADDRESS}:
        return tuple(_postal_parts(answers))
    agreeing = {
        FACETS[number] for number, answer in answers.items() if answer is FacetAnswer.AGREES
    }
    if kind is Kind.VENDOR:
        return tuple(_handle_parts(answers, agreeing))
    if kind is Kind.ITEM and agreeing == {"ITEM*BATCH"}:
        return ((ComparedPart.VALUE, Agreement.PARTLY),)
    return ((ComparedPart.VALUE, Agreement.SAME if agreeing else Agreement.UNKNOWN),)


def _postal_parts(
    answers: Mapping[int, FacetAnswer],
) -> Iterator[tuple[ComparedPart, Agreement]]:
    same, different = _known_atoms(answers)
    if not NAME_FACETS.isdisjoint(answers):
        yield ComparedPart.NAME, _name_agreement(same, different)
    yield (
        ComparedPart.STREET,
        _agreement(same, different, "SK", spelling=_PARTS_OF_A_STREET, differing=_STREET_ATOMS),
    )
    yield ComparedPart.HOUSE_NUMBER, _number_agreement(same, different)
    yield ComparedPart.POSTCODE, _agreement(same, different, "P", partly={"P3"})
    # An end of the city alone says "same" unless the whole is known to differ, as `explain` does.
    whole = "CK" if "CK" in different else next(iter(same & {"CK", "C3", "CT"}), "CK")
    yield ComparedPart.CITY, _agreement(same, different, whole, spelling={"C3", "CT"})


def _agreement(
    same: AbstractSet[str],
    different: AbstractSet[str],
    whole: str,
    *,
    spelling: AbstractSet[str] = frozenset(),
    partly: AbstractSet[str] = frozenset(),
    differing: AbstractSet[str] = frozenset(),
) -> Agreement:
    if whole in same:
        return Agreement.SAME
    if spelling & same:
        return Agreement.SPELLING
    if partly & same:
        return Agreement.PARTLY
    return Agreement.DIFFERS if ({whole} | differing) & different else Agreement.UNKNOWN


def _name_agreement(same: AbstractSet[str], different: AbstractSet[str]) -> Agreement:
    for needed, clause in _NAME_CLAUSES:
        if needed <= same:
            if not clause:
                return Agreement.SAME
            return Agreement.SPELLING if clause == _BY_SPELLING else Agreement.PARTLY
    return Agreement.DIFFERS if different & _NAME_WHOLES else Agreement.UNKNOWN


def _number_agreement(same: AbstractSet[str], different: AbstractSet[str]) -> Agreement:
    if "H" in same:
        return Agreement.PARTLY if "HS" in different else Agreement.SAME
    if "HT" in same:
        return Agreement.PARTLY
    return Agreement.DIFFERS if different & {"H", "HT"} else Agreement.UNKNOWN


def _handle_parts(
    answers: Mapping[int, FacetAnswer], agreeing: AbstractSet[str]
) -> Iterator[tuple[ComparedPart, Agreement]]:
    if agreeing & {"VENDOR", "VENDOR*MARKET"}:
        yield ComparedPart.HANDLE, Agreement.SAME
    elif agreeing:
        yield ComparedPart.HANDLE, Agreement.SPELLING
    else:
        yield ComparedPart.HANDLE, Agreement.UNKNOWN
    if "VENDOR*MARKET" in agreeing:
        yield ComparedPart.MARKET, Agreement.SAME
    elif "VENDOR" in agreeing and answers.get(NUMBERS["VENDOR*MARKET"]) is FacetAnswer.DIFFERS:
        yield ComparedPart.MARKET, Agreement.DIFFERS
    else:
        yield ComparedPart.MARKET, Agreement.UNKNOWN


def _postal_clauses(answers: Mapping[int, FacetAnswer]) -> list[str]:
    same, different = _known_atoms(answers)
    if not same:
        return []
    agreeing = [
        words
        for words, atoms in (
            ("name", {"NK"}),
            ("street", {"SK"}),
            ("house number", {"H", "HS"}),
            ("postcode", {"P"}),
            ("city", {"CK"} if "CK" in different else {"CK", "C3", "CT"}),
        )
        if atoms & same
    ]
    clauses = [f"same {_listed(agreeing)}"] if agreeing else []
    clauses += _name_clause(answers, same, different)
    if "SK" not in same:
        if same & _PARTS_OF_A_STREET:
            clauses.append("street differs by spelling")
        elif different & _STREET_ATOMS:
            clauses.append("street differs")
    clauses += _number_clause(same, different)
    if "P" in different:
        clauses.append("postcode differs")
    if "CK" in different:
        clauses.append("city differs by spelling" if same & {"C3", "CT"} else "city differs")
    return clauses


def _number_clause(same: AbstractSet[str], different: AbstractSet[str]) -> list[str]:
    if "H" in same:
        return ["suffix of the house number differs"] if "HS" in different else []
    if "HT" in same:
        return ["house number has the same digits"]
    return ["house number differs"] if different & {"H", "HT"} else []


def _name_clause(
    answers: Mapping[int, FacetAnswer], same: AbstractSet[str], different: AbstractSet[str]
) -> list[str]:
    for needed, clause in _NAME_CLAUSES:
        if needed <= same:
            return [clause] if clause else []
    if different & _NAME_WHOLES:
        return ["name differs"]
    known = {answers[number] for number in NAME_FACETS if number in answers}
    return ["no name to compare"] if known == {FacetAnswer.ABSENT} else []


_IMPLIED: Sequence[tuple[str, AbstractSet[str]]] = (
    ("SK", {"S4"}),
    ("HS", {"H"}),
    ("H", {"HT"}),
    ("P", {"P3"}),
    ("NK", {"EK", "NI", "NS"}),
)


def _known_atoms(answers: Mapping[int, FacetAnswer]) -> tuple[set[str], set[str]]:
    """The atoms proven the same, and those proven different."""
    kinds = {POSTAL_FACETS[number]: answer for number, answer in answers.items()}
    same: set[str] = set()
    for kind, answer in kinds.items():
        if answer is FacetAnswer.AGREES:
            same.update(kind.split("*"))
    for atom, implied in _IMPLIED:
        if atom in same:
            same.update(implied)
    different: set[str] = set()
    for kind, answer in kinds.items():
        unproven = set(kind.split("*")) - same
        if answer is FacetAnswer.DIFFERS and len(unproven) == 1:
            different |= unproven
    return same, different


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
