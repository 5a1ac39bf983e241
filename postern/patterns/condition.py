"""The condition of a rule: names of selections with and, or, not and parentheses."""

import re

from postern.patterns.model import AllOf, AnyOf, Condition, Named, Negated

MOST_WORDS = 60
_DEEPEST = 10
_WORD = re.compile(r"\s*(\(|\)|[A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_KEYWORDS = frozenset({"and", "or", "not"})


class ConditionError(ValueError):
    """The condition cannot be read; `place` is the character, from 0, `remedy` what to do."""

    def __init__(self, place: int, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason
        self.remedy = remedy


def read_condition(text: str) -> Condition:
    """The condition in `text`: `not` binds first, then `and`, then `or`. Raises ConditionError."""
    reader = _Reader(text)
    found = reader.either(0)
    reader.end()
    return found


class _Reader:
    """Recursive descent over the words; as deep as `_DEEPEST`, as long as `MOST_WORDS`."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, int]] = []
        self._next = 0
        self._length = len(text)
        place = 0
        text = text.rstrip()
        while place < len(text):
            found = _WORD.match(text, place)
            if found is None:
                at = place + len(text[place:]) - len(text[place:].lstrip())
                raise ConditionError(
                    at,
                    "A character cannot stand in a condition.",
                    "Write names of selections with and, or, not and parentheses.",
                )
            self._words.append((found[1], found.start(1)))
            place = found.end()
        if len(self._words) > MOST_WORDS:
            raise ConditionError(
                0,
                f"The condition has more than {MOST_WORDS} words.",
                "Put alternatives into one selection as a list.",
            )

    def either(self, depth: int) -> Condition:
        """Parts joined by or."""
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def end(self) -> None:
        """Return when nothing is left."""
        if self._next < len(self._words):
            word, place = self._words[self._next]
            raise ConditionError(
                place, f"The condition goes on with {word!r}.", "Join parts with and or or."
            )

    def _both(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self, depth: int) -> Condition:
        word, place = self._peek()
        if depth >= _DEEPEST:
            raise ConditionError(
                place, f"It is nested deeper than {_DEEPEST}.", "Use fewer parentheses and nots."
            )
        if self._take("not"):
            return Negated(self._one(depth + 1))
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise ConditionError(
                    self._place(), "A parenthesis is not closed.", "Add the missing )."
                )
            return inner
        if not word or word.lower() in _KEYWORDS or word == ")":
            raise ConditionError(
                place, "The name of a selection is missing.", "Name a selection here."
            )
        self._next += 1
        return Named(word)

    def _take(self, word: str) -> bool:
        if self._peek()[0].lower() != word:
            return False
        self._next += 1
        return True

    def _peek(self) -> tuple[str, int]:
        at = self._next
        return self._words[at] if at < len(self._words) else ("", self._length)

    def _place(self) -> int:
        return self._peek()[1]
