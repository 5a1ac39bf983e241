"""What docs/barrier-model.md says of models is so."""

import re
from pathlib import Path

from app.barriers.documents import read_model
from app.barriers.facts import FACT_FIELDS
from app.barriers.model import BarrierType, Basis, CostBasis, Finding, Reading, Strength
from app.barriers.suggesting import suggestions

PAGE = (Path(__file__).parents[3] / "docs" / "barrier-model.md").read_text("utf-8")


def test_the_smallest_model_is_one_and_its_rule_suggests_as_the_page_says() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    model = read_model(text)
    facts = {"declared_category": frozenset({"gift"}), "substance": frozenset({"medicine"})}
    (found,) = suggestions(model, facts)
    assert f"*{found.reason('en')}*" in " ".join(PAGE.split())
    assert suggestions(model, {"declared_category": frozenset({"gift"})}) == ()


def test_every_field_and_every_word_is_told() -> None:
    for name in FACT_FIELDS:
        assert f"`{name}`" in PAGE, name
    for words in (BarrierType, Basis, CostBasis, Finding, Reading, Strength):
        for word in words:
            assert re.search(rf"\b{word}\b", PAGE), word
