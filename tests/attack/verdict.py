"""What an attack is, what it brings back, and the table of all of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.attack.ground import Ground


@dataclass
class Tried:
    """One attack, carried out: `won` says what got through, `control` what the unguarded copy
    gives."""

    tries: int = 0
    won: list[str] = field(default_factory=list)
    control: int = 0

    def attempt(self, what: str, *, wins: bool) -> None:
        self.tries += 1
        if wins:
            self.won.append(what)


@dataclass(frozen=True)
class Attack:
    """`name` as the table shows it; `stopped_by` names the guard; `is_long` ones are not in CI."""

    name: str
    stopped_by: str
    run: Callable[[Ground], Tried]
    is_long: bool


@dataclass(frozen=True)
class Row:
    attack: Attack
    tried: Tried

    @property
    def holds(self) -> bool:
        """Whether nothing was won, by an attack that can win."""
        return not self.tried.won and self.tried.tries > 0 and self.tried.control > 0


ATTACKS: list[Attack] = []
"""In the order in which they run: what breaks something comes last."""


def attack(
    name: str, *, stopped_by: str, is_long: bool = False
) -> Callable[[Callable[[Ground], Tried]], Callable[[Ground], Tried]]:
    """Enter a function in the table."""

    def entered(run: Callable[[Ground], Tried]) -> Callable[[Ground], Tried]:
        ATTACKS.append(Attack(name, stopped_by, run, is_long))
        return run

    return entered


def table(rows: Iterable[Row]) -> str:
    """One line for each attack, in columns."""
    lines = [("attack", "tries", "successes", "control", "what stopped it")]
    for row in rows:
        tried = row.tried
        figures = (str(tried.tries), str(len(tried.won)), str(tried.control))
        lines.append((row.attack.name, *figures, row.attack.stopped_by))
    widths = [max(len(line[place]) for line in lines) for place in range(4)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  {line[1]:>{widths[1]}}  {line[2]:>{widths[2]}}  "
        f"{line[3]:>{widths[3]}}  {line[4]}"
        for line in lines
    )
