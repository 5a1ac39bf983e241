"""Faulty policy texts with all that their author is told: reason and remedy, word for word.

`python -m tests.app.sharing.faulty_texts > tests/data/policy-faults.txt` writes it anew, for the
reviewer of a change to read as an author would.
"""

import sys
from collections.abc import Iterator

from app.sharing.policy_text import (
    DEEPEST_NESTING,
    LONGEST_POLICY,
    LONGEST_TEXT,
    MOST_OPERATORS,
    MOST_POLICIES,
    PolicyRefusedError,
    read,
)

NAMED = '@id("a/b") @label("A sentence") '
PERMIT = NAMED + "permit (principal, action, resource);"

CONDITIONS = (
    # Words that are none, with and without one that is near.
    'resource.tlp == Tlp::"AMBRE"',
    'resource.tlp == Tlp::"zzzz"',
    'context.purpose == Purpose::"Criminal_Investigation"',
    'principal.sector == Sector::"customs office"',
    'principal in Sektor::"post"',
    'principal in Kingdom::"post"',
    'principal in Community::"a" && resource.kind == Communty::"b"',
    # Attributes.
    "resource.colour == 1",
    'resource.knd == Kind::"pgp"',
    "principal.informationgrade == 1",
    'principal.kind == Kind::"pgp"',
    'context.tlp == Tlp::"RED"',
    'resource.purpose == Purpose::"risk_analysis"',
    "context.mood == 1",
    'context.to in Sector::"post"',
    'resource.to in Sector::"post"',
    'principal.to in Sector::"post"',
    # What Cedar lets pass, and cannot be meant.
    "resource.ageBand <= 30",
    "5 > resource.ageBand",
    "-1 < resource.ageBand",
    "[0, 8].contains(resource.barrierStep)",
    "resource.informationGrade == 0",
    "resource.ageBand == 7 || resource.ageBand == 7",
    'resource.kind == PartyRole::"vendor"',
    'principal.sector != Country::"BE"',
    'Sector::"post" == principal.country',
    # Countries.
    'principal in Country::"UK"',
    'principal in Country::"be"',
    'principal.country == Country::"Belgium"',
    # Types, syntax.
    'resource.ageBand < "1"',
    "1 = 2",
    "resource.ageBand",
    'principal.country like "B*"',
    "resource.nothing.more == 1",
    'action == Action::"reed"',
)
TEXTS = (
    "permit (principal, action, resource);",
    '@id("a/b") permit (principal, action, resource);',
    '@label("A sentence") permit (principal, action, resource);',
    '@id("A b") @label("x") permit (principal, action, resource);',
    '@id("a/b") @label("") permit (principal, action, resource);',
    f'@id("a/b") @label("{"x" * 201}") permit (principal, action, resource);',
    '@id("platform/x") @label("x") permit (principal, action, resource);',
    f"{PERMIT}\n{PERMIT}",
    f"{PERMIT}\n{NAMED}permit (principal",
    f"{PERMIT}\npermit (principal, action, resource",
    NAMED + "permit (principal == ?principal, action, resource);",
    NAMED + "permit (principal, action, resource in ?resource);",
    NAMED + '/* no */ permit (principal, action, resource) when { "a" };',
    NAMED + "permit (principal, action, resource) when { ? };",
    NAMED + 'permit (principal, action == Action::"read", resource);',
    NAMED + 'permit (principal, action == Action::"presense", resource);',
    NAMED + 'permit (principal, action, resource in Organisation::"post-be");',
    NAMED + 'permit (principal == Organisation::"post-be", action, resource);',
    NAMED + 'permit (principal, action, resource == ShareClass::"1");',
    NAMED + 'permit (principal == Seat::"reader", action, resource);',
    NAMED + 'permit (principal in Country::"XX", action, resource) when { resource.colour == 1 };',
    *(f"{NAMED}permit (principal, action, resource) when {{ {each} }};" for each in CONDITIONS),
)
TOO_MUCH = (
    "/" * (LONGEST_TEXT + 1),
    "\n".join(f'@id("a/{n}") @label("A") forbid (principal, action, resource);'
              for n in range(MOST_POLICIES + 1)),
    PERMIT.replace(", action", "," + " " * LONGEST_POLICY + "action"),
    f"{PERMIT[:-1]} when {{ {'(' * DEEPEST_NESTING}true{')' * DEEPEST_NESTING} }};",
    f"{PERMIT[:-1]} when {{ true{' || true' * (MOST_OPERATORS + 1)} }};",
)  # fmt: skip


def told() -> str:
    """Every text (in short), and below it what its author is told."""
    return "\n".join(line for text in (*TEXTS, *TOO_MUCH) for line in _of(text))


def _of(text: str) -> Iterator[str]:
    yield from (line if len(line) < 300 else f"{line[:60]} ..." for line in text.split("\n")[:2])
    try:
        read(text)
    except PolicyRefusedError as refusal:
        for fault in refusal.faults:
            yield f"    {fault.policy}, line {fault.line}: {fault.reason}"
            yield f"        {fault.remedy}"
    else:
        yield "    nothing"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(told())
