"""A person at a page, counted: clicks, keystrokes, words read, and the seconds that they take.

The seconds of doing are those of the keystroke-level model (S. K. Card, T. P. Moran, A. Newell,
Communications of the ACM 23(7), 1980) with its values for an average typist who is no secretary;
those of reading count each word of a heading, label or button once, and of what a person came for,
at the average of silent reading (M. Brysbaert, Journal of Memory and Language 109, 2019). The
seconds of waiting are measured. The model is of one who makes no mistake; reading is what a
first-time user adds to it.
"""

import mimetypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

from playwright.sync_api import Locator, Page, expect

KEY = 0.28  # seconds, K
POINT = 1.10  # seconds, P: move the pointer to a place
PRESS = 0.20  # seconds, BB: press and release its button
HAND = 0.40  # seconds, H: from keyboard to mouse, or back
THINK = 1.35  # seconds, M: before each act that was not decided with the one before
WORDS_A_MINUTE = 238

_TO_READ = (
    "main :is(h1, h2, h3, legend, label, button, summary, .lead-in, .form-text, .note):visible"
)


@dataclass
class Hand:
    """What one job took so far; `page` is where it is done."""

    page: Page
    clicks: int = 0
    keystrokes: int = 0
    words: int = 0
    doing: float = 0.0  # seconds by the model
    waiting: float = 0.0  # seconds, measured
    _is_on_keys: bool = False
    _read: set[str] = field(default_factory=set)

    @property
    def reading(self) -> float:
        """Seconds."""
        return self.words / WORDS_A_MINUTE * 60

    @property
    def seconds(self) -> float:
        return self.doing + self.waiting + self.reading

    def read(self) -> None:
        """The words that have come on the page."""
        self._count(self.page.locator(_TO_READ).all_inner_texts())

    def study(self, what: Locator) -> None:
        """All that it says: what a person came for, or answers for with the next act."""
        lines = [line for told in what.all_inner_texts() for line in told.splitlines()]
        assert lines, what
        self._count(lines)

    def click(self, what: Locator) -> None:
        self._point()
        what.click()

    def choose(self, what: Locator, value: str) -> None:
        """One of a closed list: open it, and point at the entry."""
        self._point()
        self.clicks += 1
        self.doing += POINT + PRESS
        what.select_option(value)

    def give_file(self, what: Locator, name: str, content: str) -> None:
        """Press the field, then a file and the button in the window of the system."""
        self._point()
        self.clicks += 2
        self.doing += THINK + 2 * (POINT + PRESS)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        what.set_input_files({"name": name, "mimeType": kind, "buffer": content.encode()})

    def type(self, what: Locator, text: str) -> None:
        """Into a field that is pointed at first."""
        self._point()
        what.click()
        self._to_keys()
        self.keystrokes += len(text)
        self.doing += KEY * len(text)
        what.fill(text)

    def paste(self, what: Locator, text: str) -> None:
        """Into a field that is pointed at first, what was copied elsewhere."""
        self._point()
        what.click()
        self._to_keys()
        self.keystrokes += 2
        self.doing += KEY * 2
        what.fill(text)

    def press(self, key: str, keys: int = 1) -> None:
        """A key, or several at once."""
        self._to_keys()
        self.keystrokes += keys
        self.doing += THINK + KEY * keys
        self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Where the keyboard is already."""
        self._to_keys()
        self.keystrokes += len(text)
        self.doing += KEY * len(text)
        self.page.keyboard.type(text)

    def await_(self, what: Locator | Callable[[], None]) -> None:
        """Wait for what is shown, or until the call returns, and then read what has come."""
        begun = perf_counter()
        if isinstance(what, Locator):
            expect(what).to_be_visible(timeout=120_000)
        else:
            what()
        self.waiting += perf_counter() - begun
        self.read()

    def _count(self, texts: Iterable[str]) -> None:
        for told in texts:
            text = " ".join(told.split())
            if text and text not in self._read:
                self._read.add(text)
                self.words += len(text.split())

    def _point(self) -> None:
        self.doing += THINK + POINT + PRESS + (HAND if self._is_on_keys else 0)
        self.clicks += 1
        self._is_on_keys = False

    def _to_keys(self) -> None:
        self.doing += 0 if self._is_on_keys else HAND
        self._is_on_keys = True
