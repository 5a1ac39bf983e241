"""What a process remembers is made once, and what was asked for last stays."""

from app.barriers.remembered import Remembered


def test_a_value_is_made_once_and_the_least_asked_for_is_forgotten() -> None:
    made: list[str] = []
    remembered: Remembered[str, str] = Remembered(2)

    def asked(key: str) -> str:
        return remembered.get(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [asked(key) for key in "abacab"] == list("ABACAB")
    assert made == list("abcb")
    remembered.forget()
    assert asked("a") == "A"
    assert made == list("abcba")
