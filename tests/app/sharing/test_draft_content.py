"""What a draft may hold, at the edges of what is accepted."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from app import clock
from app.errors import InvalidRequestError
from app.sharing import draft_content
from app.sharing.draft_content import (
    LONGEST_WAIT,
    clean_reason,
    clean_text,
    clean_time,
    clean_title,
    content,
)
from app.sharing.policy_text import LONGEST_TEXT
from app.sharing.rules import cedar
from tests.app.bare import NOON, Clock

FORM = [{"name": "customs", "label": "Customs", "sectors": ["customs"], "level": "presence"}]
SURROGATE = "\ud800"


@pytest.fixture(autouse=True)
def _at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", Clock())


def refused(verb: Any, *args: Any) -> tuple[str, str]:
    """The field that is refused, and why."""
    with pytest.raises(InvalidRequestError) as refusal:
        verb(*args)
    (error,) = refusal.value.extensions["errors"]
    return error["field"], error["reason"]


def test_a_draft_is_a_text_or_a_form_and_not_both() -> None:
    assert content("post-be", "// mine\r\n", None) == ("// mine\n", None)
    assert content("post-be", "", None) == ("", None)
    for both_or_none in ((None, None), ("", FORM)):
        field, reason = refused(content, "post-be", *both_or_none)
        assert (field, reason) == ("text", "Give either a text or the rules of a form.")


def test_a_form_makes_the_text_of_its_organisation() -> None:
    text, form = content("post-be", None, FORM)
    rules = draft_content.from_form(FORM)
    assert text == cedar(rules, "post-be")
    assert '"post-be/customs"' in text
    assert form == draft_content.to_form(rules)
    assert content("customs-nl", None, FORM)[0] == cedar(rules, "customs-nl") != text


@pytest.mark.parametrize(
    ("verb", "field", "longest"),
    [
        (clean_text, "text", LONGEST_TEXT),
        (clean_title, "title", 200),  # as the interface promises and the columns hold
        (clean_reason, "reason", 500),
    ],
)
def test_as_much_is_kept_as_is_said_and_no_more(verb: Any, field: str, longest: int) -> None:
    assert verb("x" * longest) == "x" * longest
    told, reason = refused(verb, "x" * (longest + 1))
    assert told == field
    assert str(longest) in reason


@pytest.mark.parametrize("broken", ["\0", "\x1b", "\x7f", SURROGATE])
@pytest.mark.parametrize(
    ("verb", "field"), [(clean_text, "text"), (clean_title, "title"), (clean_reason, "reason")]
)
def test_control_characters_and_broken_ones_are_refused(verb: Any, field: str, broken: str) -> None:
    assert refused(verb, f"a{broken}b")[0] == field


def test_lines_end_as_in_the_database() -> None:
    assert clean_text("a\r\nb\rc\n\td") == "a\nb\nc\n\td"
    assert clean_reason(" a\r\nb \n") == "a\nb"


def test_space_around_a_title_or_a_reason_is_left_out() -> None:
    assert clean_title("  Customs \n") == "Customs"
    for nothing in (None, "", " \r\n "):
        assert clean_reason(nothing) is None
    for nothing in ("", "  "):
        assert refused(clean_title, nothing)[0] == "title"
    assert refused(clean_title, "two\nlines")[0] == "title"
    assert refused(clean_reason, "a\tb")[0] == "reason"


def test_without_a_moment_it_takes_effect_with_the_approval() -> None:
    assert clean_time(None) is None


def test_a_moment_is_kept_in_whole_seconds() -> None:
    soon = NOON + timedelta(seconds=2, microseconds=999_999)
    assert clean_time(soon) == NOON + timedelta(seconds=2)
    local = (NOON + timedelta(hours=1)).astimezone(timezone(timedelta(hours=2)))
    assert clean_time(local) == NOON + timedelta(hours=1)


def test_a_moment_lies_ahead_and_within_a_year() -> None:
    assert clean_time(NOON + timedelta(seconds=1)) == NOON + timedelta(seconds=1)
    assert clean_time(NOON + LONGEST_WAIT) == NOON + timedelta(days=365)
    for passed in (NOON, NOON + timedelta(microseconds=1), NOON - timedelta(days=1)):
        field, reason = refused(clean_time, passed)
        assert field == "activate_at"
        assert "passed" in reason
    field, reason = refused(clean_time, NOON + LONGEST_WAIT + timedelta(seconds=1))
    assert field == "activate_at"
    assert "year" in reason


def test_a_moment_without_its_time_zone_is_refused_whenever_it_is() -> None:
    for naive in (datetime(2026, 3, 2), datetime(2020, 1, 1)):  # noqa: DTZ001 - that is the point
        field, reason = refused(clean_time, naive)
        assert field == "activate_at"
        assert "time zone" in reason
