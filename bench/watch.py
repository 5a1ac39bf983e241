"""Where the time of a service's verb goes: its steps, timed while it runs unchanged."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

Steps = Mapping[str, tuple[Any, str]]
"""Name of a step -> the module that calls the function, and the function's name there."""


@dataclass
class Watch:
    """Seconds per step, summed until `take`."""

    steps: Steps
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time the functions of `steps` while the block runs."""
        originals = {
            name: getattr(owner, attribute) for name, (owner, attribute) in self.steps.items()
        }
        for name, (owner, attribute) in self.steps.items():
            setattr(owner, attribute, self._timed(name, originals[name]))
        try:
            yield
        finally:
            for name, (owner, attribute) in self.steps.items():
                setattr(owner, attribute, originals[name])

    def take(self) -> dict[str, float]:
        """What was spent in each step since the last time, 0 included."""
        taken = {name: self.spent[name] for name in self.steps}
        self.spent.clear()
        return taken

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[name] += perf_counter() - start

        return timed
