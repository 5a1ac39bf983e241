"""How the log is told in words: the room of pages knows them, and the rooms below ask here.

Without that room, as at the console, codes stand for themselves.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from flask import Flask, current_app
from sqlalchemy.orm import Session

from app.audit.catalogue import CATALOGUE

_EXTENSION = "audit-wording"


class Wording(Protocol):
    """Words of the log in the language of the request in progress."""

    def act_name(self, act: str) -> str:
        """The short name of an act."""

    def act_meaning(self, act: str) -> str:
        """The catalogue's sentence on an act."""

    def words(self, value: str, kind: str) -> str:
        """The words of a value of the closed list `kind`."""

    def sentence(
        self, record: Mapping[str, Any], details: Mapping[str, Any], names: Mapping[str, str]
    ) -> str:
        """Who did what, of one entry; `names` gives the names of organisations by their codes."""

    def refusals(self) -> Mapping[str, str]:
        """The code of every refusal, and its words."""

    def organisations(self, session: Session) -> Mapping[str, str]:
        """The code of every organisation, and its name."""


class _Codes:
    """Codes that stand for themselves."""

    def act_name(self, act: str) -> str:
        return act

    def act_meaning(self, act: str) -> str:
        return CATALOGUE[act].meaning

    def words(self, value: str, kind: str) -> str:
        return value

    def sentence(
        self,
        record: Mapping[str, Any],
        details: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> str:
        return f"{names.get(record['org'], record['org'])}: {record['act']}"

    def refusals(self) -> Mapping[str, str]:
        return {}

    def organisations(self, session: Session) -> Mapping[str, str]:
        return {}


def install_wording(app: Flask, wording: Wording) -> None:
    """Let `wording` tell the log of this application; called once, by the room of pages."""
    app.extensions[_EXTENSION] = wording


def wording() -> Wording:
    """The words of this application."""
    found: Wording = current_app.extensions.get(_EXTENSION) or _Codes()
    return found
