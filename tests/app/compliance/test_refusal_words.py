"""What the pages of compliance say when they refuse stands in the list that is translated."""

import inspect
import re
from pathlib import Path

from app.compliance import (
    breaches,
    refusal_words,
    reviews,
    rounds,
    sealing,
    signals,
    subject_requests,
)
from app.errors import PosternError
from app.indicators import holds

ROOM = Path(inspect.getfile(refusal_words)).parent
SAID = {str(sentence) for sentence in refusal_words.REFUSALS}


def test_every_error_of_the_room_is_in_the_list() -> None:
    for module in (breaches, reviews, rounds, signals, subject_requests, holds):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, PosternError) and kind.__module__ == module.__name__:
                assert {kind.title, kind.remedy} <= SAID, kind


def test_every_reason_of_a_field_is_in_the_list() -> None:
    bounds = {
        "LONGEST_TITLE": str(sealing.LONGEST_TITLE),
        "LONGEST_NOTE": str(sealing.LONGEST_NOTE),
        "LARGEST_SAMPLE": str(reviews.LARGEST_SAMPLE),
        "MOST_NOTES": str(breaches.MOST_NOTES),
    }
    reasons = set()
    rooms = ("reviews", "rounds", "sealing", "signals", "review_pages")
    pages = ("subject_requests", "subject_pages", "hold_pages", "breaches", "breach_pages")
    for name in (*rooms, *pages):
        code = (ROOM / f"{name}.py").read_text()
        told = re.findall(r'(?:wrong|_missing)\(\s*"\w+", f?"([^"]+)"', code)
        told += re.findall(r'_optional\(\w+, "\w+", "([^"]+)"\)', code)
        for reason in told:
            reasons.add(re.sub(r"\{(\w+)\}", lambda found: bounds[found[1]], reason))
    reasons.add(f"Choose a day from today to at most {holds.LONGEST_YEARS} years away.")
    assert len(reasons) >= 17
    assert reasons <= SAID
