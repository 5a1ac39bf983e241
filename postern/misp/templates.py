"""The object templates of MISP that the exchange publishes, as its instances import them.

Form: `definition.json` of the MISP project's object templates. `docs/misp.md` says which object is
made of what.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from postern.vocabulary import Kind

_PACKAGE = resources.files("postern.misp")

TEMPLATE_NAMES = (
    "postal-address-token",
    "postal-identifier-token",
    "postal-induction-point",
    "postal-parcel",
    "postal-consignment",
    "postal-shipping-pattern",
    "postal-seizure",
)

TEMPLATE_OF: Mapping[Kind, str] = {
    Kind.PARTY: "postal-address-token",
    Kind.ADDRESS: "postal-address-token",
    Kind.INDUCTION_POINT: "postal-induction-point",
    Kind.VENDOR: "postal-identifier-token",
    Kind.PGP: "postal-identifier-token",
    Kind.PHONE: "postal-identifier-token",
    Kind.EMAIL: "postal-identifier-token",
    Kind.PAYMENT: "postal-identifier-token",
    Kind.ITEM: "postal-parcel",
    Kind.PATTERN: "postal-shipping-pattern",
}
"""Kind of an indicator -> the template of its object."""


@dataclass(frozen=True, slots=True)
class Relation:
    """One attribute that an object may have: its type of MISP and what becomes of it there."""

    name: str
    type: str
    correlates: bool
    to_ids: bool
    is_multiple: bool


@dataclass(frozen=True, slots=True)
class Template:
    """What every object of a template says of it; `relations` by name, in their order."""

    name: str
    meta_category: str
    description: str
    uuid: str
    version: int
    relations: Mapping[str, Relation]


@cache
def template_text(name: str) -> str:
    """The definition of a template, as it is published. Raises KeyError."""
    if name not in TEMPLATE_NAMES:
        raise KeyError(name)
    return (_PACKAGE / "templates" / name / "definition.json").read_text("utf-8")


@cache
def template(name: str) -> Template:
    """A template. Raises KeyError."""
    found = json.loads(template_text(name))
    return Template(
        name=found["name"],
        meta_category=found["meta-category"],
        description=found["description"],
        uuid=found["uuid"],
        version=found["version"],
        relations={
            relation: Relation(
                name=relation,
                type=said["misp-attribute"],
                correlates=not said.get("disable_correlation", False),
                to_ids=said.get("to_ids", False),
                is_multiple=said.get("multiple", False),
            )
            for relation, said in found["attributes"].items()
        },
    )


@cache
def taxonomy_text() -> str:
    """The taxonomy of the tags `postern:...`, as it is published (`machinetag.json`)."""
    return (_PACKAGE / "taxonomies" / "postern" / "machinetag.json").read_text("utf-8")


def index() -> dict[str, list[dict[str, object]]]:
    """What there is to fetch: each template with its uuid and version."""
    listed: list[dict[str, object]] = [
        {"name": each.name, "uuid": each.uuid, "version": each.version}
        for each in map(template, TEMPLATE_NAMES)
    ]
    return {"templates": listed}
