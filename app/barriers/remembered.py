"""What this process worked out last, so that it need not do so again: values of what never changes.

Whoever looks something up has a key of all that decides it, so that what is remembered is never
out of date; what is not looked up for long is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """Up to `most` values by their keys. Nobody may change a value that is remembered."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key, made: Callable[[], Value]) -> Value:
        """The value of the key, which is made at the first time."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        value = made()  # two may make the same one at once: better than one waiting for another
        with self._lock:
            self._found[key] = value
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return value

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._found.clear()
