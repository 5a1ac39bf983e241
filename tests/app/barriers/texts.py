"""A small model in one language, as somebody would write it, and changes of it."""

from app.barriers.documents import read_model
from app.barriers.errors import ModelError
from app.barriers.model import BarrierModel

TEXT = """\
format: barrier-model/1
id: 11111111-2222-4333-8444-555555555555
version: 1
languages: [nl]
title: {nl: Ons eigen model}
status: own
statement: {nl: Het werkmodel van een korps.}
sources:
  report: {title: Jaarverslag, publisher: Voorbeeldpolitie, date: 2024-05, read: primary}
partners:
  police: {title: {nl: Politie}, sectors: [police]}
  shops: {title: {nl: Winkels}}
steps:
  - number: 1
    key: buy
    title: {nl: Inkopen}
    summary: {nl: Er wordt ingekocht.}
    basis: judgement
    opportunities:
      - {key: open-shop, text: {nl: De winkel vraagt niets.}, basis: judgement}
    signals:
      - key: norway-gifts
        text: {nl: Geschenken naar Noorwegen.}
        basis: stated
        sources: [report]
        suggest:
          gift: {declared_category: gift}
          north: {destination_country: [NO, SE]}
          seen: {'learned|exists': yes}
          condition: gift and (north or seen)
    facilitators:
      - {key: seller, text: {nl: De verkoper.}, basis: judgement}
    partners:
      - {key: police, text: {nl: Ziet wie koopt.}, basis: judgement}
    barriers:
      - key: ask-why
        text: {nl: De winkel vraagt waarom.}
        basis: derived
        sources: [report]
        type: agreement
        set_by: [police]
        cost: low
        cost_basis: estimate
        legal_basis: not_known
        evidence: {strength: press, finding: supports, text: {nl: Het hielp.}, sources: [report]}
  - number: 2
    key: send
    title: {nl: Versturen}
    summary: {nl: Er wordt verstuurd.}
    basis: stated
    sources: [report]
"""


def changed(old: str, new: str, text: str = TEXT) -> str:
    """The text with one part replaced, which it must have."""
    assert old in text, old
    return text.replace(old, new, 1)


def model(text: str = TEXT) -> BarrierModel:
    """The model in a text."""
    return read_model(text)


def faults(text: str) -> list[tuple[int, int, str]]:
    """The places of what is wrong with a text, and what is told of each."""
    try:
        read_model(text)
    except ModelError as error:
        return [(each.line, each.column, f"{each.reason} {each.remedy}") for each in error.faults]
    return []
