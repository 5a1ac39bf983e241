"""What reviews and signals say when they refuse stands in the list that is translated."""

import inspect
import re
from pathlib import Path

from app.compliance import refusal_words, reviews, rounds, sealing, signals
from app.errors import PosternError

ROOM = Path(inspect.getfile(refusal_words)).parent
SAID = {str(sentence) for sentence in refusal_words.REFUSALS}


def test_every_error_of_the_room_is_in_the_list() -> None:
    for module in (reviews, rounds, signals):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, PosternError) and kind.__module__ == module.__name__:
                assert {kind.title, kind.remedy} <= SAID, kind


def test_every_reason_of_a_field_is_in_the_list() -> None:
    bounds = {
        "LONGEST_TITLE": str(sealing.LONGEST_TITLE),
        "LONGEST_NOTE": str(sealing.LONGEST_NOTE),
        "LARGEST_SAMPLE": str(reviews.LARGEST_SAMPLE),
    }
    reasons = set()
    for name in ("reviews", "rounds", "sealing", "signals", "review_pages"):
        code = (ROOM / f"{name}.py").read_text()
        told = re.findall(r'(?:wrong|_missing)\(\s*"\w+", f?"([^"]+)"', code)
        told += re.findall(r'_optional\(\w+, "\w+", "([^"]+)"\)', code)
        for reason in told:
            reasons.add(re.sub(r"\{(\w+)\}", lambda found: bounds[found[1]], reason))
    assert len(reasons) >= 9
    assert reasons <= SAID
