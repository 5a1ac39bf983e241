"""The weights of the risk analysis are data that an organisation can write itself."""

from pathlib import Path

import pytest

from app.barriers.risk_weights import WeightsError, read_weights
from postern.vocabulary import Substance

SHIPPED = Path(__file__).parents[3] / "policies" / "barriers" / "risk-weights.yml"
GOOD = "format: risk-weights/1\nlikelihood: [1, 2.5, 10, 40]\nseverity: {mdma: 3}\n"


def test_the_weights_that_are_shipped_weigh_every_substance_that_says_something() -> None:
    weights = read_weights(SHIPPED.read_text(encoding="utf-8"))
    assert set(Substance) - set(weights.severity) == {Substance.UNKNOWN, Substance.OTHER}
    assert weights.likelihood == (1, 4, 16, 64)


def test_own_weights_are_read() -> None:
    weights = read_weights(GOOD)
    assert weights.likelihood == (1, 2.5, 10, 40)
    assert weights.severity == {Substance.MDMA: 3}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "empty"),
        ("- a\n", 1, "not a map"),
        ("a: &x b\n", 1, ""),
        (GOOD.replace("risk-weights/1", "risk-weights/9"), 1, "format"),
        (GOOD.replace("[1, 2.5, 10, 40]", "[1, 10, 10, 40]"), 2, "rising"),
        (GOOD.replace("[1, 2.5, 10, 40]", "[0, 1, 10, 40]"), 2, "above 0"),
        (GOOD.replace("[1, 2.5, 10, 40]", "[1, 10, 40]"), 2, "rising"),
        (GOOD.replace("[1, 2.5, 10, 40]", "[1, 10, x, 40]"), 2, "rising"),
        (GOOD.replace("mdma: 3", "mdma: 6"), 3, "1 to 5"),
        (GOOD.replace("mdma: 3", "mdna: 3"), 3, "mdma"),
        (GOOD.replace("mdma: 3", "unknown: 3"), 3, "no severity"),
        (GOOD + "extra: 1\n", 4, "not known"),
        ("format: risk-weights/1\nseverity: {}\n", 1, "likelihood"),
        ("x" * 20_000, 1, "longer than 16 KiB"),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, line: int, said: str) -> None:
    with pytest.raises(WeightsError, match="cannot be used") as refused:
        read_weights(text)
    told = [str(each) for each in refused.value.faults if each.line == line]
    assert any(said in each for each in told)
