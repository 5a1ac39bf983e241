"""One address line, read: the house number with its suffix and box, and the core of the street.

Source: specification of matching, 3.1 (2) to (4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from postern.normalise.folding import digraphs, one_edit_apart
from postern.normalise.tables import table

_POSTAL = table("postal")

_TOKEN = re.compile(r"[a-z]+|[0-9]+|[/\-.,']", re.ASCII)
_GLUE = "~"  # stands between a number and a letter that touch: 12bis, 43a
_SEPARATORS = frozenset("/-.,'~")


@dataclass(frozen=True, slots=True)
class AddressLine:
    """What one line holds; `poste_restante` is also said of a post-office box and a locker."""

    street: str = ""
    number: str = ""
    suffix: str = ""
    box: str = ""
    several: bool = False  # a range of numbers, of which `number` is the first
    poste_restante: bool = False


def read_line(folded: str) -> AddressLine | None:
    """What a folded line holds; None for a line that names whom the post is in care of."""
    if folded.startswith(_CARE_OF):
        return None
    tokens = _without_number_words(_tokens(folded))
    place, leading = _house_number(tokens)
    if place is None:
        words = _words(tokens)
        poste = _poste_restante(words)
        return AddressLine(street=poste or street_core(words), poste_restante=bool(poste))
    tail = _after_number(tokens, place, leading=leading)
    words = _words(tokens[tail.end :]) if leading else _words(tokens[:place])
    poste = _poste_restante(words)
    return AddressLine(
        street=poste or street_core(words),
        number=_without_zeros(tokens[place]),
        suffix=tail.suffix,
        box=tail.box,
        several=tail.several,
        poste_restante=bool(poste),
    )


def street_core(words: Sequence[str]) -> str:
    """The words of a street without its type, stop words and final s, written as one word."""
    core = _without_type(list(words))
    kept = [word for word in core if word not in _STOP] or core
    joined = "".join(_street_word(word) for word in kept)
    return _without_glued_suffix(joined)


@dataclass(slots=True)
class _Tail:
    """What stands after the house number; `end` is the place of the first token not read."""

    end: int
    suffix: str = ""
    box: str = ""
    several: bool = False


def _tokens(folded: str) -> list[str]:
    tokens: list[str] = []
    end = -1
    for match in _TOKEN.finditer(folded):
        token = match.group(0)
        if match.start() == end and token[0] not in _SEPARATORS and tokens[-1] not in _SEPARATORS:
            tokens.append(_GLUE)
        tokens.append(token)
        end = match.end()
    return tokens


def _words(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token not in _SEPARATORS]


def _without_number_words(tokens: list[str]) -> list[str]:
    kept: list[str] = []
    for place, token in enumerate(tokens):
        if token in _NUMBER_WORDS:
            ahead = place + 1
            while ahead < len(tokens) and tokens[ahead] in {".", _GLUE}:
                ahead += 1
            if ahead < len(tokens) and tokens[ahead].isdigit():
                continue
        kept.append(token)
    return kept


def _house_number(tokens: Sequence[str]) -> tuple[int | None, bool]:
    """The place of the house number, and whether it leads the line."""
    numbers = [place for place, token in enumerate(tokens) if token.isdigit()]
    if not numbers:
        return None, False
    leading = next(place for place, token in enumerate(tokens) if token not in _SEPARATORS)
    group = _trailing_group(tokens)
    if numbers[0] == leading and not (_is_ordinal(tokens, leading) and len(numbers) > 1):
        return leading, True
    if group:
        for place in group[:-1]:
            if not _is_year(tokens[place]) and not _names_the_street(tokens, place):
                return place, False
        return group[-1], False
    return numbers[-1], False


def _trailing_group(tokens: Sequence[str]) -> list[int]:
    """The places of the numbers that end the line, with what may stand between and after them."""
    start = len(tokens)
    while start > 0 and (
        tokens[start - 1] in _SEPARATORS
        or tokens[start - 1].isdigit()
        or len(tokens[start - 1]) == 1
        or tokens[start - 1] in _BOX_WORDS
        or tokens[start - 1] in _SUFFIXES
    ):
        start -= 1
    return [place for place in range(start, len(tokens)) if tokens[place].isdigit()]


def _is_ordinal(tokens: Sequence[str], place: int) -> bool:
    """Whether a leading number belongs to the street: "3. Foo 12", "2e straat 5", "1 maja 12"."""
    after = [*tokens[place + 1 : place + 3], "", ""]
    if after[0] == "." and after[1].isalpha():
        return True
    if after[0] == _GLUE and after[1] in _ORDINALS and after[1] not in _SUFFIXES:
        return True
    word = after[1] if after[0] in _SEPARATORS else after[0]
    return any(word.startswith(month) for month in _MONTHS)


def _is_year(token: str) -> bool:
    return len(token) == _YEAR_DIGITS and token[:2] in {"18", "19", "20"}


def _names_the_street(tokens: Sequence[str], place: int) -> bool:
    """Whether a number follows a type and is followed by another number: "Straße 614 5"."""
    words = _words(tokens[:place])
    after = [piece for piece in tokens[place + 1 : place + 3] if piece != ","]
    return "".join(after[:1]).isdigit() and all(
        word in _STREET_PRE or word in _STREET_POST for word in words
    )


def _after_number(tokens: Sequence[str], place: int, *, leading: bool) -> _Tail:
    tail = _Tail(end=place + 1)
    number = int(tokens[place])
    while tail.end < len(tokens):
        ahead = [*tokens[tail.end : tail.end + 4], "", "", ""]
        if ahead[0] == "," and leading and not _starts_box(*ahead[1:4]):
            break
        read = _read_after_number(ahead, tail, number, leading=leading)
        if read == 0:
            break
        tail.end += read
    return tail


def _read_after_number(ahead: Sequence[str], tail: _Tail, number: int, *, leading: bool) -> int:
    """Reads the next thing after the number into `tail`; how many tokens it took, 0 for none."""
    first, second, third = ahead[0], ahead[1], ahead[2]
    taken = 0
    if first in {"-", "/"} and second.isdigit():
        if first == "-" and int(second) > number:
            tail.several = True
        else:
            tail.box = tail.box or _without_zeros(second)
        taken = 2
    elif first == _GLUE and _is_suffix(second):
        tail.suffix = tail.suffix or _SUFFIXES.get(second, second)
        taken = 2
    elif first in _SEPARATORS:
        taken = 1
    elif _starts_box(first, second, third):
        taken = 1 + _read_box(ahead[1:4], tail)
    elif _is_suffix(first):
        if not (leading and _belongs_to_street(first, second, tail)):
            tail.suffix = tail.suffix or _SUFFIXES.get(first, first)
            taken = 1
    elif first.isdigit() and not leading:
        tail.box = tail.box or _without_zeros(first)
        taken = 1
    return taken


def _is_suffix(word: str) -> bool:
    return word in _SUFFIXES or (len(word) == 1 and word.isalpha())


def _starts_box(word: str, second: str, third: str) -> bool:
    return word in _BOX_WORDS or (
        word in _LETTER_BOX_WORDS and (second.isdigit() or (second == _GLUE and third.isdigit()))
    )


def _read_box(ahead: Sequence[str], tail: _Tail) -> int:
    """Reads the value of a box, such as 3, b2 or b/2; how many tokens it took, 0 for none."""
    value, count = "", 0
    for token in ahead:
        if token.isdigit() or (len(token) == 1 and token.isalpha()):
            value += _without_zeros(token)
        elif token not in {".", _GLUE, "/", "-"}:
            break
        count += 1
    if not value:
        return 0
    tail.box = tail.box or value
    return count


def _belongs_to_street(letter: str, following: str, tail: _Tail) -> bool:
    """Whether a letter that stands alone after a leading number begins the street.

    It does as a type ("4 r de la Paix"), an article ("12 a la Croix", "12 d'Artagnan"), an initial
    ("4 J. Dupont"), and after a box; else it is the suffix of the number.
    """
    if following in {"", ",", "-"} or following in _BOX_WORDS:
        return False
    if following in {"'", "."} or tail.box:
        return True
    return letter in _STREET_PRE or (letter in _STOP and following not in _STREET_PRE)


def _without_zeros(number: str) -> str:
    return number.lstrip("0") or number[:1]


def _poste_restante(words: Sequence[str]) -> str:
    for count in (1, 2, 3):
        name: str | None = _POSTAL["poste_restante"].get("".join(words[:count]))
        if name is not None:
            return name
    return ""


def _without_type(words: list[str]) -> list[str]:
    if len(words) > 1 and words[0] in _STREET_PRE:
        return words[1:]
    if len(words) > 1 and words[-1] in _STREET_POST:
        return words[:-1]
    if len(words) > 1 and _misspelt_type(words[0]):
        return words[1:]
    if len(words) > 1 and _misspelt_type(words[-1]):
        return words[:-1]
    if words:
        last = words[-1]
        rest = _without_glued_suffix(last)
        return [*words[:-1], _without_misspelt_suffix(last) if rest == last else rest]
    return words


def _misspelt_type(word: str) -> bool:
    return any(one_edit_apart(word, written) for written in _POSTAL["misspelt_type"])


def _without_misspelt_suffix(word: str) -> str:
    for suffix in _POSTAL["misspelt_suffix"]:
        for length in (len(suffix), len(suffix) + 1, len(suffix) - 1):
            rest, tail = word[:-length], word[-length:]
            if len(rest) >= _POSTAL["misspelt_min_rest"] and one_edit_apart(tail, suffix):
                return rest
    return word


def _street_word(word: str) -> str:
    title: str | None = _POSTAL["titles"].get(word)
    if title is not None:
        return title
    if len(word) >= _POSTAL["final_s_min"] and word.endswith("s"):
        word = word[:-1]
    return digraphs(word)


def _without_glued_suffix(word: str) -> str:
    for suffix in _POSTAL["glued_suffix"]:
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) >= _POSTAL["glued_min_rest"]:
            return rest
    return word


_YEAR_DIGITS = 4
_CARE_OF: tuple[str, ...] = tuple(_POSTAL["care_of"])
_NUMBER_WORDS = frozenset(_POSTAL["number_words"])
_ORDINALS = frozenset(_POSTAL["ordinal_words"])
_MONTHS: tuple[str, ...] = tuple(_POSTAL["months"])
_BOX_WORDS = frozenset(_POSTAL["box_words"])
_LETTER_BOX_WORDS = frozenset(_POSTAL["letter_box_words"])
_SUFFIXES: dict[str, str] = _POSTAL["number_suffix"]
_STREET_PRE = frozenset(_POSTAL["street_pre"])
_STREET_POST = frozenset(_POSTAL["street_post"])
_STOP = frozenset(_POSTAL["street_stop"])
