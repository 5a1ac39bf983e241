"""Rules for tests: a whole document, and ways to change it."""

from postern.patterns.model import Rule
from postern.patterns.reading import read_rules

DOCUMENT = """\
format: parcel-pattern/1
id: 5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01
title: Documents from one area
status: experimental
author: Post of Example
description: Documents that no account pays for.
references: [A typology of Example]
barrier_step: 5
level: high
false_positives: [A club]
tlp: GREEN
expires: 2027-11-30
detection:
  docs: {declared_category: documents, 'net_weight_g|between': [100, 500]}
  known: {payment: account}
  condition: docs and not known
aggregate:
  by: [origin_country, sender_postcode_area]
  within: 7d
  having: {'count|gte': 3, 'addressee|distinct|gte': 3}
tests:
  hit:
    - - {declared_category: documents, net_weight_g: 200, origin_country: NO, sender_postcode_area: '01', addressee: each, times: 3}
  miss:
    - {declared_category: documents, net_weight_g: 200, origin_country: NO, sender_postcode_area: '01'}
"""  # noqa: E501 - one example a line

DETECTION = """\
  docs: {declared_category: documents, 'net_weight_g|between': [100, 500]}
  known: {payment: account}
  condition: docs and not known
"""
AGGREGATE = DOCUMENT[DOCUMENT.index("aggregate:") : DOCUMENT.index("tests:")]


def changed(old: str, new: str) -> str:
    """The document with a part of it changed."""
    assert old in DOCUMENT
    return DOCUMENT.replace(old, new, 1)


def row_rule(selections: str, condition: str, *, number: int = 1, level: str = "high") -> str:
    """A document without an aggregate, with these selections (lines of YAML)."""
    lines = "".join(f"  {line}\n" for line in selections.splitlines())
    text = DOCUMENT.replace(AGGREGATE, "").replace(DETECTION, f"{lines}  condition: {condition}\n")
    text = text.replace("0a01", f"{number:04x}").replace("level: high", f"level: {level}")
    tests = text.index("tests:")
    return text[:tests] + "tests:\n  hit: [{pieces: 1}]\n  miss: [{pieces: 1}]\n"


def group_rule(selections: str, condition: str, aggregate: str, *, number: int = 1) -> str:
    """A document with these selections and this aggregate (lines of YAML)."""
    lines = "".join(f"  {line}\n" for line in aggregate.splitlines())
    text = row_rule(selections, condition, number=number)
    return text.replace("tests:", f"aggregate:\n{lines}tests:")


def rule(text: str = DOCUMENT) -> Rule:
    """The one rule of a text."""
    (found,) = read_rules(text)
    return found
