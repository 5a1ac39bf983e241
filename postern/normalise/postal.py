"""Names and addresses in canonical form.

Source: specification of matching, 3.1 (2) to (6). The words are data (`tables/*.json`); this file
is the order in which they are applied.
"""

import re
from collections.abc import Sequence

from postern.normalise.countries import country_code
from postern.normalise.errors import NormalisationError
from postern.normalise.folding import alphanumeric, digraphs, fold, heal_digits
from postern.normalise.lines import AddressLine, read_line
from postern.normalise.streets import in_one_language
from postern.normalise.tables import table
from postern.normalise.values import (
    MAX_FIELD_LENGTH,
    MAX_LINES,
    Address,
    Flag,
    Normalised,
    Party,
    PostalForm,
)
from postern.vocabulary import Kind

_CITIES = table("cities")
_NAMES = table("names")
_POSTCODES = table("postcodes")

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_HYPHENED = re.compile(r"([a-z]+)-([a-z]+)", re.ASCII)
_LETTERS = re.compile(r"[a-z]+", re.ASCII)
_PREFIXED_POSTCODE = re.compile(_POSTCODES["prefixed"], re.ASCII)
_POSTCODE_IN_CITY = re.compile(_POSTCODES["in_city"], re.ASCII)

MAX_STREETS = 2


def normalise_party(party: Party) -> Normalised:
    """The canonical form of a person or firm at an address, with what is doubtful about it.

    Raises NormalisationError when neither a name nor a street nor a postcode with a house number
    can be read, or when a field is too long.
    """
    _check_lengths(
        [("name", party.name), ("postcode", party.postcode), ("city", party.city)], party.lines
    )
    words = name_words(party.name)
    form, flags = _postal_form(words, party.lines, party.postcode, party.city, party.country)
    if not words:
        flags.insert(0, Flag.NO_NAME)
    if not words and not form.streets and not (form.number and form.postcode):
        raise NormalisationError(
            "party",
            "It holds neither a name nor an address that can be read.",
            "Give a name, or a street with a house number.",
        )
    return Normalised(Kind.PARTY, form, tuple(flags))


def normalise_address(address: Address) -> Normalised:
    """The canonical form of an address, with what is doubtful about it.

    Raises NormalisationError when neither a street nor a postcode with a house number can be read,
    or when a field is too long.
    """
    _check_lengths([("postcode", address.postcode), ("city", address.city)], address.lines)
    form, flags = _postal_form((), address.lines, address.postcode, address.city, address.country)
    if not form.streets and not (form.number and form.postcode):
        raise NormalisationError(
            "address",
            "It holds no street and no house number that can be read.",
            "Give a street with a house number, or a house number with a postcode.",
        )
    return Normalised(Kind.ADDRESS, form, tuple(flags))


def name_words(name: str) -> tuple[str, ...]:
    """The words that make a name, sorted, without titles, particles and legal forms.

    The second half of a double name (Hans-Peter, Anne Sophie, Peeters-Claes) is left out where two
    words remain, because labels leave it out so often.
    """
    folded = heal_digits(fold(name).replace("'", ""))
    words = [word for word in _WORD.findall(folded) if _LETTERS.fullmatch(word)]
    full = [word for word in words if word not in _DROPPED]
    if len(full) < _WORDS_OF_A_FULL_NAME:
        full += _initials(words)
    kept = _without_compound_tails(full or words, _hyphened_tails(folded))
    return tuple(sorted(digraphs(_without_particle(word)) for word in kept))


def postcode(text: str) -> str:
    """A postcode in [a-z0-9], without the country prefix that people write before it."""
    plain = alphanumeric(text)
    prefixed = _PREFIXED_POSTCODE.fullmatch(plain)
    return prefixed.group(1) if prefixed else plain


def city(text: str) -> str:
    """A city as one word: saint forms and exonyms unified, numbers and CEDEX dropped."""
    words = [
        "st" if word in _SAINTS else word
        for word in _LETTERS.findall(heal_digits(fold(text)))
        if word not in _CITY_DROP
    ]
    joined = digraphs("".join(words))
    alias: str = _CITIES["alias"].get(joined, joined)
    return alias


def _check_lengths(fields: Sequence[tuple[str, str]], lines: Sequence[str]) -> None:
    for field, text in [*fields, *(("lines", line) for line in lines)]:
        if len(text) > MAX_FIELD_LENGTH:
            raise NormalisationError(
                field,
                f"It is longer than {MAX_FIELD_LENGTH} characters.",
                "Give what stands on the label only.",
            )
    if len(lines) > MAX_LINES:
        raise NormalisationError(
            "lines", f"There are more than {MAX_LINES} of them.", "Give the address lines only."
        )


def _postal_form(
    words: tuple[str, ...], lines: Sequence[str], code: str, town: str, country: str
) -> tuple[PostalForm, list[Flag]]:
    iso, flags = country_code(country)
    code = postcode(code)
    if not code:
        found = _POSTCODE_IN_CITY.search(alphanumeric_words(town))
        code = postcode(found.group(0)) if found else ""
    read = [
        line for line in (read_line(heal_digits(fold(text))) for text in lines) if line is not None
    ]
    numbered = next((line for line in read if line.number), None)
    ordered = sorted(read, key=lambda line: line is not numbered)
    streets = [in_one_language(line.street, iso, code) for line in ordered if line.street]
    main = numbered or AddressLine()
    form = PostalForm(
        name_words=words,
        streets=tuple(dict.fromkeys(streets))[:MAX_STREETS],
        number=main.number,
        suffix=main.suffix,
        box=main.box,
        postcode=code,
        city=city(town),
        country=iso,
    )
    flags.extend(_doubts(form, read))
    return form, flags


def _doubts(form: PostalForm, lines: Sequence[AddressLine]) -> list[Flag]:
    flags = []
    if not form.streets:
        flags.append(Flag.NO_STREET)
    if not form.number:
        flags.append(Flag.NO_HOUSE_NUMBER)
    if not form.postcode:
        flags.append(Flag.NO_POSTCODE)
    elif not _has_the_form_of(form.country, form.postcode):
        flags.append(Flag.POSTCODE_FORM)
    if not form.city:
        flags.append(Flag.NO_CITY)
    if any(line.several for line in lines):
        flags.append(Flag.SEVERAL_HOUSE_NUMBERS)
    if any(line.poste_restante for line in lines):
        flags.append(Flag.POSTE_RESTANTE)
    return flags


def _has_the_form_of(iso: str, code: str) -> bool:
    pattern: str | None = _POSTCODES["forms"].get(iso)
    return pattern is None or re.fullmatch(pattern, code, re.ASCII) is not None


def alphanumeric_words(text: str) -> str:
    """Folded `text` with single spaces between its words of [a-z0-9]."""
    return " ".join(_WORD.findall(fold(text)))


def _initials(words: Sequence[str]) -> list[str]:
    # "M." may be a title or an initial: a name of one other word cannot spare it.
    letters = [word for word in words if word in _TITLE_OR_INITIAL]
    if len(letters) > 1 and words[0] == "m":
        letters.remove("m")
    return letters


def _hyphened_tails(folded: str) -> list[str]:
    return [tail for head, tail in _HYPHENED.findall(folded) if head not in _DROPPED]


def _without_compound_tails(words: list[str], hyphened: Sequence[str]) -> list[str]:
    kept = list(words)
    for tail in [*sorted(hyphened), *sorted(_TAILS.intersection(words))]:
        if (
            len(kept) > _WORDS_OF_A_FULL_NAME
            and tail in kept
            and (tail in hyphened or any(word in _HEADS and word != tail for word in kept))
        ):
            kept.remove(tail)
    return kept


def _without_particle(word: str) -> str:
    whole: str | None = _NAMES["glued_names"].get(word)
    if whole is not None:
        return whole
    for particle in _NAMES["glued_particles"]:
        rest = word.removeprefix(particle)
        if rest != word and len(rest) >= _NAMES["glued_particle_min_rest"]:
            return rest
    return word


_WORDS_OF_A_FULL_NAME = 2
_DROPPED = frozenset(_NAMES["drop"]) | frozenset(_NAMES["legal_forms"])
_HEADS = frozenset(_NAMES["compound_heads"])
_TAILS = frozenset(_NAMES["compound_tails"])
_TITLE_OR_INITIAL = frozenset(_NAMES["title_or_initial"])
_SAINTS = frozenset(_CITIES["saint_words"])
_CITY_DROP = frozenset(_CITIES["drop"])
