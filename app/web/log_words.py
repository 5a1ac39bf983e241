"""The words of the log for the rooms below the pages: searches and files in a reader's language."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.organisations.service import directory
from app.web import act_names, sentences
from app.web.languages import WORDS, translated, words
from app.web.reference import error_kinds


class LogWords:
    """What `app.audit.wording.Wording` asks for, in the language of the request in progress."""

    def act_name(self, act: str) -> str:
        """The short name of an act."""
        return act_names.act_name(act)

    def act_meaning(self, act: str) -> str:
        """The catalogue's sentence on an act."""
        return act_names.act_meaning(act)

    def words(self, value: str, kind: str) -> str:
        """The words of a value of the closed list `kind`."""
        return words(value, kind)

    def sentence(
        self, record: Mapping[str, Any], details: Mapping[str, Any], names: Mapping[str, str]
    ) -> str:
        """Who did what, of one entry."""
        return sentences.sentence(record, details, names)

    def refusals(self) -> Mapping[str, str]:
        """The code of every error and of every reason to refuse a sign-in, and its words."""
        errors = {kind.code: translated(kind.title) for kind in error_kinds()}
        return errors | {code: str(told) for code, told in WORDS["Refusal"].items()}

    def organisations(self, session: Session) -> Mapping[str, str]:
        """The code of every organisation, and its name."""
        return {member.code: member.name for member in directory(session).values()}
