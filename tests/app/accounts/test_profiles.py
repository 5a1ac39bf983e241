"""Sign-in names and display names: one form, sealed, found without opening."""

from uuid import uuid4

import pytest

from app.accounts.profiles import Profile, Profiles, check_name, fold_login, normalise_login
from app.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("analyst@post.example", "analyst@post.example"),
        ("  Analyst@Post.Example\n", "analyst@post.example"),
        ("ana.lyst+night-2_b@customs-nl", "ana.lyst+night-2_b@customs-nl"),
    ],
)
def test_spellings_of_a_sign_in_name_have_one_form(typed: str, form: str) -> None:
    assert normalise_login(typed) == form
    assert fold_login(typed) == form


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "analyst",
        "@post.example",
        "analyst@",
        "ana lyst@post.example",
        "analyst@post@example",
        "аnalyst@post.example",  # noqa: RUF001 - the first letter is Cyrillic on purpose
        "analyst@post.example-",
        f"{'a' * 65}@post.example",
    ],
)
def test_a_name_that_breaks_the_rule_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        normalise_login(typed)
    assert refused.value.extensions["errors"][0]["field"] == "login"
    assert not typed or typed not in str(refused.value.as_problem("reference"))


@pytest.mark.parametrize("typed", ["", "  ", "x" * 201, "two\nlines", "bell\a"])
def test_a_display_name_that_cannot_be_shown_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequestError):
        check_name(typed)


def test_a_sealed_profile_opens_for_its_own_account_alone() -> None:
    profiles, own = Profiles(b"k" * 32), uuid4()
    profile = Profile("analyst@post.example", "Analyst, Post of Example")
    sealed = profiles.seal(profile, own)
    assert profiles.open(sealed, own) == profile
    with pytest.raises(ValueError, match="do not open"):
        profiles.open(sealed, uuid4())
    with pytest.raises(ValueError, match="do not open"):
        Profiles(b"j" * 32).open(sealed, own)


def test_the_index_finds_equal_names_and_depends_on_the_key() -> None:
    one, other = Profiles(b"k" * 32), Profiles(b"j" * 32)
    assert one.index("analyst@post.example") == one.index("analyst@post.example")
    assert one.index("analyst@post.example") != one.index("analyst@post.exampl")
    assert one.index("analyst@post.example") != other.index("analyst@post.example")


def test_a_profile_cannot_reach_a_log_line_by_its_repr() -> None:
    shown = repr(Profile("analyst@post.example", "Analyst, Post of Example"))
    assert "analyst" not in shown
    assert "Example" not in shown
