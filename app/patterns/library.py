"""The starter library, as a beginning for rules of one's own."""

import re
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import yaml

from app.sharing.policy_text import DIRECTORY
from postern.patterns import Rule, read_rules

_SOURCE = DIRECTORY / "patterns"


@dataclass(frozen=True)
class Starter:
    """A rule of the library; `name` is that of its file without the suffix."""

    name: str
    rule: Rule
    text: str


@cache
def starters() -> tuple[Starter, ...]:
    """Every rule of the library, by its title. PatternError names a damaged file."""
    found = []
    for path in _SOURCE.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        (rule,) = read_rules(text, path.name)
        found.append(Starter(path.stem, rule, text))
    return tuple(sorted(found, key=lambda each: each.rule.title))


def begun(starter: Starter, author: str) -> str:
    """A copy to go on with: an id of its own, written by `author`."""
    text = re.sub(r"^id: .*$", f"id: {uuid4()}", starter.text, count=1, flags=re.MULTILINE)
    return re.sub(
        r"^author: .*$", lambda _: f"author: {_quoted(author)}", text, count=1, flags=re.MULTILINE
    )


def empty(author: str, expires: str) -> str:
    """The frame of a rule with all its keys, for somebody who begins from nothing.

    `expires` is a day in ISO 8601. What is to be written stands there as text, so that the
    faults of the page lead from one to the next.
    """
    return _FRAME.format(id=uuid4(), author=_quoted(author), expires=expires)


def _quoted(text: str) -> str:
    """A text on one line of YAML, whatever stands in it."""
    return yaml.safe_dump(text, default_style="'", allow_unicode=True, width=10_000).strip()


_FRAME = """\
format: parcel-pattern/1
id: {id}
title: ''
status: experimental
author: {author}
description: ''
references: ['']
barrier_step: 5
level: medium
false_positives: ['']
tlp: GREEN
expires: {expires}
detection:
  parcel: {{declared_category: documents, 'net_weight_g|between': [100, 500]}}
  condition: parcel
tests:
  hit:
    - {{declared_category: documents, net_weight_g: 200}}
  miss:
    - {{declared_category: gift, net_weight_g: 200}}
"""
