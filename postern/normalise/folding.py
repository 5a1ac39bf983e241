"""From any script and case to lower-case ASCII, by table; and from spelling to sound."""

import re

from postern.normalise.tables import table

_FOLD = table("fold")
_SOUND = table("sound")

_SPACES = re.compile(r" +", re.ASCII)
_NOT_ALNUM = re.compile(r"[^a-z0-9]", re.ASCII)
_DIGIT_IN_WORD: re.Pattern[str] = re.compile(_SOUND["digit_in_word"], re.ASCII)
_DIGRAPHS: list[list[str]] = _SOUND["digraphs"]
_SKELETON: list[list[str]] = _SOUND["skeleton"]
_INITIALS: dict[str, str] = _SOUND["initials"]
_LOOKS_LIKE: dict[str, str] = _SOUND["looks_like"]


def fold(text: str) -> str:
    """`text` in [a-z0-9'-/,. ], single spaces, no space at the ends.

    Source: specification of matching, 3.1 (1). Neither the language's own case folding nor a
    Unicode normal form is used: they differ between Python and JavaScript.
    """
    return _SPACES.sub(" ", text.translate(_TRANSLATION)).strip(" ")


def alphanumeric(text: str) -> str:
    """Folded `text` without anything but [a-z0-9]."""
    return _NOT_ALNUM.sub("", fold(text))


def heal_digits(folded: str) -> str:
    """Folded text with a digit between two letters read as the letter it looks like: th0mas."""
    return _DIGIT_IN_WORD.sub(lambda match: _LOOKS_LIKE[match.group(0)], folded)


def digraphs(word: str) -> str:
    """`word` (folded) with ae, oe, ue and ij written as one letter, as umlauts fold to one."""
    while True:
        before = word
        for written, short in _DIGRAPHS:
            word = word.replace(written, short)
        if word == before:
            return word


def skeleton(word: str) -> str:
    """The sound of `word` ([a-z0-9] only): consonants in order, the first letter kept.

    Source: specification of matching, 3.1 (7). Empty only when `word` is empty.
    """
    if not word:
        return ""
    for written, sound in _SKELETON:
        word = word.replace(written, sound)
    first = "a" if word[0] in _VOWELS else word[0]
    kept = [first]
    for letter in word[1:]:
        if letter not in _SILENT and letter != kept[-1]:
            kept.append(letter)
    return "".join(kept)


def sounded_initial(word: str) -> str:
    """The first letter of `word` as it sounds; unlike in a skeleton, vowels stay apart."""
    return _INITIALS.get(word[0], word[0])


def one_edit_apart(left: str, right: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours makes them equal."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    left, right = left[start:], right[start:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


class _Translation(dict[int, str]):
    """Code point -> folded text; what the table does not list is decided by its ranges."""

    def __missing__(self, code: int) -> str:
        if any(low <= code <= high for low, high in _FOLD["mark_ranges"]):
            folded = ""
        elif code < _FIRST_NON_ASCII or any(
            low <= code <= high for low, high in _FOLD["symbol_ranges"]
        ):
            folded = " "
        else:
            digits = "".join(_FOLD["code_letters"][int(digit)] for digit in str(code))
            folded = f" u{digits} "
        self[code] = folded
        return folded


def _translation() -> _Translation:
    codes = _Translation({ord(letter): folded for letter, folded in _FOLD["letters"].items()})
    for letter in "abcdefghijklmnopqrstuvwxyz":
        codes[ord(letter)] = letter
        codes[ord(letter) - 32] = letter
    for kept in "0123456789" + _FOLD["kept"]:
        codes[ord(kept)] = kept
    return codes


_FIRST_NON_ASCII = 128
_VOWELS = frozenset(_SOUND["vowels"])
_SILENT = frozenset(_SOUND["silent"])
_TRANSLATION = _translation()
