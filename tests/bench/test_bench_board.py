"""The benchmark of the board: its ratios are what they say."""

from bench.board import LIMIT, ratios


def test_ratios_are_of_medians_and_every_kept_answer_must_be_in_the_limit() -> None:
    times = {
        "one_table_naively_ms": [100.0, 200.0, 900.0],
        "anew_ms": [1000.0],
        "kept_ms": [50.0, 100.0, LIMIT - 1],
        "again_ms": [10.0],
    }
    found = ratios(times)
    assert (found["kept_of_limit"], found["anew_of_limit"]) == (0.2, 2.0)
    assert (found["kept_of_naive"], found["anew_of_naive"]) == (0.5, 5.0)
    assert found["within_limit"]
    assert not ratios({**times, "again_ms": [LIMIT]})["within_limit"]
