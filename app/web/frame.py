"""What the frame of every page shows: who is signed in, for whom, and where they may go."""

from dataclasses import dataclass

import structlog
from flask import request
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy.exc import SQLAlchemyError

from app.access import Caller, current_caller
from app.jobs.notifications import unseen_count
from app.organisations.service import directory
from app.runtime import runtime
from app.web.languages import LANGUAGES, language, words
from postern.vocabulary import Role

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Language:
    code: str
    name: str


@dataclass(frozen=True)
class Link:
    address: str
    words: LazyString
    is_here: bool


@dataclass(frozen=True)
class Frame:
    """`here` is the path to return to after the language was switched.

    `notices` counts the notifications that nobody of the person's roles has seen.
    """

    platform: str
    language: str
    languages: tuple[Language, ...]
    here: str
    is_signed_in: bool
    organisation: str
    roles: tuple[str, ...]
    links: tuple[Link, ...]
    notices: int


_POLICY_READERS = frozenset({Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE})

_LINKS: tuple[tuple[str, LazyString, frozenset[Role]], ...] = (
    ("/", _("Overview"), frozenset()),
    ("/policy", _("Sharing policy"), _POLICY_READERS),
    ("/access-log", _("Access log"), frozenset({Role.COMPLIANCE})),
    ("/log", _("State of the log"), frozenset({Role.COMPLIANCE, Role.ADMINISTRATOR})),
    ("/reviews", _("Reviews"), frozenset({Role.COMPLIANCE})),
    ("/signals", _("Signals"), frozenset({Role.COMPLIANCE})),
    ("/account", _("Account"), frozenset()),
)


def page_frame() -> Frame:
    """The frame of the page in progress; never fails, for pages that tell of errors need it too."""
    caller = current_caller()
    organisation, notices = _of_caller(caller) if caller else ("", 0)
    return Frame(
        platform=runtime().settings.platform.name,
        language=language(),
        languages=tuple(Language(code, name) for code, name in LANGUAGES.items()),
        here=request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/",
        is_signed_in=caller is not None,
        organisation=organisation,
        roles=tuple(words(role) for role in Role if role in caller.roles) if caller else (),
        links=tuple(
            Link(address, said, is_here=_is_here(address))
            for address, said, roles in _LINKS
            if caller is not None and caller.may(roles, None)
        ),
        notices=notices,
    )


def _is_here(address: str) -> bool:
    """Whether the page in progress is that of the link, or one below it."""
    return request.path == address or (address != "/" and request.path.startswith(f"{address}/"))


def _of_caller(caller: Caller) -> tuple[str, int]:
    """The name of the caller's organisation and the notifications that wait.

    The code and none when the database does not answer.
    """
    try:
        with runtime().database.reading() as session:
            return directory(session)[caller.member[0]].name, unseen_count(session, caller)
    except SQLAlchemyError as error:
        log.warning("no organisation name for the page", exc_info=error)
        return caller.organisation, 0
