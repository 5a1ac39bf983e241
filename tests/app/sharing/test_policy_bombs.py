"""Policy texts that stand for very much: each is read or refused with little memory and time."""

import pytest

from app.sharing.policy_text import PolicyRefusedError, read, schema, schema_attributes
from tests.bounded import MIB, bounded

_HEAD = '@id("post-be/x")\n@label("A rule.")\n'
_ROLE = 'principal.role == Role::"analyst"'


def _rule(condition: str) -> str:
    return f"{_HEAD}permit(principal, action, resource) when {{ {condition} }};"


def _nested(times: int) -> str:
    text = "true"
    for _ in range(times):
        text = f"if {_ROLE} then ({text}) else false"
    return text


def _doubled(times: int) -> str:
    text = "true"
    for _ in range(times):
        text = f"(if ({text}) then ({text}) else false)"
    return text


def _many(count: int, condition: str) -> str:
    return "".join(
        f'@id("x/{number}")@label("x") permit(principal, action, resource) when {{ {condition} }};'
        for number in range(count)
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_rule(_nested(18)), id="conditions in conditions"),
        pytest.param(_rule(_doubled(4)), id="conditions twice in conditions"),
        pytest.param(_rule(" && ".join(["principal is Seat"] * 90)), id="chain"),
        pytest.param(
            _rule("[" + ", ".join(['Role::"analyst"'] * 900) + "].contains(principal.role)"),
            id="long list",
        ),
        pytest.param(_many(200, " || ".join([_ROLE] * 12)), id="as many as there may be"),
        pytest.param("/" * 131_072, id="comment"),
        pytest.param("\n" * 131_072, id="nothing"),
    ],
)
def test_an_intricate_text_is_read(text: str) -> None:
    assert isinstance(_bounded(text), int)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "permit(principal == ?principal, action, resource);" * 200, "a slot", id="templates"
        ),
        pytest.param("permit(principal, action, resource);" * 3_600, "more than 200", id="many"),
        pytest.param(_HEAD.replace("be/x", "x" * 130_000), "longer than 16384", id="long id"),
        pytest.param(_rule("x" * 16_000), "invalid variable", id="long name"),
        pytest.param(_rule(" || ".join([_ROLE] * 300)), "more than 200 operators", id="ors"),
        pytest.param(_rule("!" * 190 + "true"), "too many occurrences", id="nots"),
        pytest.param(_rule(_doubled(11)[:16_000]), "deep|operators", id="doubled deeper"),
        pytest.param(_rule(_nested(60)), "more than 20 deep", id="nested deeper"),
        pytest.param(_rule("{a:" * 19 + "1" + "}" * 19 + " == {a:1}"), "types", id="records"),
        pytest.param(_rule("1 == " + "9" * 16_000), "too large", id="digits"),
        pytest.param("(" * 131_072, "longer than 16384", id="brackets"),
        pytest.param('"' + "\\" * 131_000, "longer than 16384", id="backslashes"),
        pytest.param("@id(" * 32_000, "longer than 16384", id="annotations"),
        pytest.param(";" * 131_072, "more than 200 policies", id="semicolons"),
        pytest.param(" " * 131_073, "longer than 131072", id="longer than a text"),
    ],
)
def test_a_text_of_too_much_is_refused_with_its_remedy(text: str, told: str) -> None:
    found = _bounded(text)
    assert not isinstance(found, int)
    reason, remedy = found
    assert any(each in reason for each in told.split("|")), reason
    assert remedy


def _bounded(text: str) -> int | tuple[str, str]:
    """How many policies a text has, or reason and remedy of its first fault."""
    schema()
    schema_attributes()

    def reading() -> int | tuple[str, str]:
        try:
            return len(read(text))
        except PolicyRefusedError as refused:
            return refused.faults[0].reason, refused.faults[0].remedy

    found = bounded(reading, memory=256 * MIB, seconds=20)
    assert isinstance(found, int | tuple), found
    return found
