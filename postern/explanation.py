"""Plain words for what a lookup learned, so that a person sees why a hit is a hit."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from postern.facet_kinds import FACET_WORDS, FACETS, NAME_FACETS, POSTAL_FACETS
from postern.vocabulary import FacetAnswer, Kind

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


# The first whose atoms are all the same is said; a whole name is said elsewhere.
_NAME_CLAUSES: Sequence[tuple[AbstractSet[str], str]] = (
    ({"NK"}, ""),
    ({"TI"}, "name differs by spelling"),
    ({"BT"}, "name differs by spelling"),
    ({"EK", "NI"}, "name differs by spelling"),
    ({"EK", "NS"}, "name differs by spelling"),
    ({"E4", "NI"}, "name differs by spelling"),
    ({"E4", "NS"}, "name differs by spelling"),
    ({"EK"}, "one word of the name is the same"),
    ({"NI"}, "same initials"),
    ({"NS"}, "same initials"),
    ({"E4"}, "a word of the name begins the same"),
)
_PARTS_OF_A_STREET = frozenset({"S4", "R3", "T3"})


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
        elif different & {"SK", *_PARTS_OF_A_STREET}:
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
    if different & {"EK", "NI", "NS", "NK"}:
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
