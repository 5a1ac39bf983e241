"""What an import leaves out, counted: each unknown word, each dropped column, once."""

from collections import Counter
from dataclasses import dataclass, field

MOST_WORDS = 500  # different unknown words of one column that are kept apart
LONGEST_SHOWN = 60  # characters of an unknown word; longer cells are no words


@dataclass(slots=True)
class Tally:
    """Counts of one reading of a file, which grow with what is different, not with the rows.

    `unknown`: (heading, field, text) -> cells; `beyond`: (heading, field) -> cells whose words are
    too many or too long to be told one by one; `several`: field -> cells that say more than the
    word that is sent; `dropped`: heading -> cells; `sealed`: heading -> cells that become part of
    the sealed note; `left_out`: (field, why) -> cells.
    """

    unknown: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    beyond: Counter[tuple[str, str]] = field(default_factory=Counter)
    several: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    sealed: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    _kept: Counter[tuple[str, str]] = field(default_factory=Counter)

    def unknown_word(self, heading: str, name: str, text: str) -> None:
        """Count a word that no list has."""
        key = (heading, name, " ".join(text.split()))
        if key in self.unknown:
            self.unknown[key] += 1
        elif len(key[2]) > LONGEST_SHOWN or self._kept[heading, name] >= MOST_WORDS:
            self.beyond[heading, name] += 1
        else:
            self._kept[heading, name] += 1
            self.unknown[key] = 1

    def clear(self) -> None:
        """Forget everything that was counted."""
        for counts in (
            *(self.unknown, self.beyond, self.several, self.dropped, self.sealed, self.left_out),
            self._kept,
        ):
            counts.clear()
