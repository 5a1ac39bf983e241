"""The shipping-pattern language `parcel-pattern/1`: rules about parcels, never about persons."""

from postern.patterns.errors import PatternError, PatternFault
from postern.patterns.fields import FIELDS, Field, FieldType
from postern.patterns.formatting import formatted
from postern.patterns.model import Filter, Rule
from postern.patterns.reading import read_filters, read_rules

__all__ = [
    "FIELDS",
    "Field",
    "FieldType",
    "Filter",
    "PatternError",
    "PatternFault",
    "Rule",
    "formatted",
    "read_filters",
    "read_rules",
]
