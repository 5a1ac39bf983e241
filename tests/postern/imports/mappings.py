"""A small mapping for tests, and what a file of one row becomes under it."""

from collections.abc import Mapping

from postern.imports import MappedColumns, read_mapping

SMALL = """\
format: import-mapping/1
title: Seizures of an example office
statement: Nobody else writes them so.
sources:
  law:
    title: A regulation
    url: https://example.org/regulation
    read: whole
  news:
    title: A newspaper
    url: https://example.org/news
    read: excerpt
constants:
  learned: customs_control
columns:
  - field: observed_from
    headings: [Seized, Day]
    item: day
    verified: annex_text
    source: law
    days: [month_first, iso, serial]
  - field: substance
    headings: Drug
    item: drug
    verified: press
    source: news
    words:
      cocaine: [snow, white lady]
      nothing: [to be analysed]
    ignoring: [powder]
  - field: gross_weight
    headings: [Weight]
    unit: lb
    item: weight
    verified: assumed
  - field: tlp
    headings: Marking
    item: marking
    verified: assumed
    words: {RED: secret, AMBER: restricted}
  - field: person_involvement
    headings: Part
    item: part
    verified: assumed
    words: {sender: from, addressee: to, other: driver}
  - {field: person_name, part: 1, headings: First, item: name, verified: assumed}
  - {field: person_name, part: 2, headings: Last, item: name, verified: assumed}
  - {field: person_street, headings: Road, item: street, verified: assumed}
  - {field: person_city, headings: Town, item: town, verified: assumed}
  - {field: person_email, headings: Wire, item: e-mail or fax, verified: assumed}
  - field: business_involvement
    headings: Company part
    item: part
    verified: assumed
    words: {sender: from, addressee: to}
  - {field: business_name, headings: Company, item: company, verified: assumed}
  - field: scope
    headings: By
    item: transport
    verified: assumed
    words: {within: parcel, outside: [ship, lorry], nothing: plane}
  - {field: note, headings: Story, item: story, verified: assumed}
  - {field: drop, headings: Officer, item: officer, verified: assumed, why: Of a colleague.}
"""


def columns_of(*header: str, mapping: str = SMALL) -> MappedColumns:
    """The columns of a header under a mapping."""
    return MappedColumns(header, read_mapping(mapping))


def row_of(cells: Mapping[str, str], mapping: str = SMALL) -> dict[str, str]:
    """What a row of headings and cells becomes, without the constants."""
    columns = MappedColumns(tuple(cells), read_mapping(mapping), without=frozenset({"learned"}))
    return columns.read(tuple(cells.values()))
