"""The password rule and the hash."""

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.low_level import Type
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from app.accounts.passwords import PasswordRefusedError, Passwords, check, generate

LOGIN = "twelve-letters@post.example"


def test_the_hash_is_argon2id_with_the_second_choice_of_rfc_9106() -> None:
    passwords = Passwords()
    made = passwords.hash("correct horse battery")
    assert extract_parameters(made) == Parameters(
        type=Type.ID,
        version=19,
        salt_len=16,
        hash_len=32,
        time_cost=3,
        memory_cost=65536,  # KiB
        parallelism=4,
    )
    assert passwords.is_right(made, "correct horse battery")
    assert not passwords.is_right(made, "correct horse batterz")


def test_comparing_with_nobody_costs_what_comparing_with_somebody_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passwords, compared = Passwords(CHEAPEST), []
    somebody = passwords.hash("correct horse battery")
    verify = PasswordHasher.verify

    def spy(hasher: PasswordHasher, secret_hash: str, password: str) -> bool:
        compared.append(extract_parameters(secret_hash))
        return verify(hasher, secret_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    assert not passwords.is_right(None, "correct horse battery")
    assert passwords.is_right(somebody, "correct horse battery")
    assert compared == [extract_parameters(somebody)] * 2


def test_a_damaged_hash_is_a_wrong_password() -> None:
    assert not Passwords(CHEAPEST).is_right("$argon2id$damaged", "correct horse battery")


def test_a_hash_of_other_parameters_is_outdated() -> None:
    old = Passwords(CHEAPEST).hash("correct horse battery")
    assert Passwords(RFC_9106_LOW_MEMORY).is_outdated(old)
    assert not Passwords(CHEAPEST).is_outdated(old)


@pytest.mark.parametrize(
    "password", ["", "elevenchars", "x" * 1025, LOGIN, LOGIN.upper(), "twelve-letters", f" {LOGIN}"]
)
def test_a_short_or_endless_password_or_the_sign_in_name_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError):
        check(password, LOGIN)


def test_a_password_of_twelve_characters_is_accepted() -> None:
    check("twelve chars", LOGIN)


def test_generated_passwords_meet_the_rule_and_differ() -> None:
    made = {generate() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        check(password, LOGIN)
