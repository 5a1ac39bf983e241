"""What the frame of every page shows: who is signed in, for whom, and where they may go."""

from dataclasses import dataclass

import structlog
from flask import g, request
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy.exc import SQLAlchemyError

from app.access import Caller, current_caller
from app.accounts.break_glass import Glass, warning
from app.jobs.notifications import unseen_count
from app.organisations.service import directory
from app.runtime import runtime
from app.web.languages import LANGUAGES, language, words
from app.web.ways import Job, jobs_of
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
class Menu:
    """Links under one word; a single one stands for itself and has no word of its own."""

    words: LazyString
    links: tuple[Link, ...]

    @property
    def is_here(self) -> bool:
        """Whether the page in progress is one of its links', or one below."""
        return any(link.is_here for link in self.links)


@dataclass(frozen=True)
class Frame:
    """`here` is the path to return to after the language was switched.

    `jobs` are what the palette offers; `other_ways` are links of the menus that no job leads to.

    `menus` hold only what the person may open, and only those that hold something. `notices` counts
    the notifications that nobody of the person's roles has seen.
    """

    platform: str
    language: str
    languages: tuple[Language, ...]
    here: str
    is_signed_in: bool
    organisation: str
    roles: tuple[str, ...]
    menus: tuple[Menu, ...]
    jobs: tuple[Job, ...]
    notices: int
    glass: Glass | None  # the emergency account, after it was used

    @property
    def other_ways(self) -> tuple[Link, ...]:
        """In the order of the menus."""
        paths = {job.path for job in self.jobs}
        links = (link for menu in self.menus for link in menu.links)
        return tuple(link for link in links if link.address not in paths)


_ANALYST = frozenset({Role.ANALYST})
_POLICY_READERS = frozenset({Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE})
_DISCLOSERS = frozenset({Role.ANALYST, Role.APPROVER, Role.COMPLIANCE})
_SUBMITTER = frozenset({Role.SUBMITTER})
_REPORT_READERS = frozenset({Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE})
_TOLD = frozenset({Role.SUBMITTER, Role.ANALYST, Role.COMPLIANCE})
_WATCHERS = frozenset({Role.ANALYST, Role.COMPLIANCE})
_PATTERN_READERS = frozenset(Role) - {Role.ADMINISTRATOR}
_TAGGERS = frozenset({Role.SUBMITTER, Role.ANALYST})
_LEDGER_READERS = frozenset({Role.SUBMITTER, Role.COMPLIANCE})
_FEED_READERS = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST, Role.SUBMITTER})
_POLLERS = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST})
_COMPLIANCE = frozenset({Role.COMPLIANCE})
_KEEPERS = frozenset({Role.COMPLIANCE, Role.ADMINISTRATOR})
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_POLICY_OWNER = frozenset({Role.POLICY_OWNER})

_MENUS: tuple[tuple[LazyString, tuple[tuple[str, LazyString, frozenset[Role]], ...]], ...] = (
    (_("Overview"), (("/", _("Overview"), frozenset()),)),
    (
        _("Reports"),
        (
            ("/reports", _("Our reports"), _REPORT_READERS),
            ("/reports/new", _("Report a shipment"), _SUBMITTER),
            ("/reports/upload", _("Upload a file"), _SUBMITTER),
        ),
    ),
    (
        _("Exchange"),
        (
            ("/search", _("Search"), _ANALYST),
            ("/shared", _("What others share"), _ANALYST),
            ("/disclosures", _("Disclosures"), _DISCLOSERS),
            ("/watches", _("Watches"), _WATCHERS),
            ("/outcomes", _("Outcomes"), _TOLD),
            ("/recalls", _("Recalls"), _TOLD),
            ("/patterns", _("Patterns"), _PATTERN_READERS),
            ("/filters", _("Screening filters"), _WATCHERS),
            ("/ledger", _("Who got what"), _LEDGER_READERS),
            ("/exchange", _("Feeds and collections"), _FEED_READERS),
            ("/exchange/own", _("Our own by feed"), _LEDGER_READERS),
            ("/exchange/servers", _("Other servers"), _POLLERS),
        ),
    ),
    (
        _("Barriers"),
        (
            ("/barriers/board", _("The board"), _PATTERN_READERS),
            ("/barriers", _("Registered barriers"), _PATTERN_READERS),
            ("/barriers/gaps", _("Where nothing holds"), _PATTERN_READERS),
            ("/barriers/models", _("Barrier models"), _PATTERN_READERS),
            ("/barriers/tagging", _("Reports without a step"), _TAGGERS),
        ),
    ),
    (
        _("Oversight"),
        (
            ("/access-log", _("Access log"), _COMPLIANCE),
            ("/log", _("State of the log"), _KEEPERS),
            ("/reviews", _("Reviews"), _COMPLIANCE),
            ("/signals", _("Signals"), _COMPLIANCE),
            ("/subjects", _("Subject requests"), _COMPLIANCE),
            ("/holds", _("Legal holds"), _COMPLIANCE),
            ("/breaches", _("Breaches"), _COMPLIANCE),
            ("/privacy", _("Record of processing"), _COMPLIANCE),
        ),
    ),
    (
        _("Organisation"),
        (
            ("/policy", _("Sharing policy"), _POLICY_READERS),
            ("/disclosures/rules", _("How we decide requests"), _POLICY_OWNER),
            ("/keys", _("Keys and contacts"), frozenset()),
            ("/channels", _("Channels"), _KEEPERS),
        ),
    ),
    (
        _("Administration"),
        (
            ("/people", _("People"), _KEEPERS),
            ("/tokens", _("API tokens"), _KEEPERS),
            ("/sign-on", _("Single sign-on"), _KEEPERS),
            ("/break-glass", _("Emergency account"), _KEEPERS),
            ("/organisations", _("Organisations"), _KEEPERS),
            ("/quotas", _("Quotas"), _KEEPERS),
            ("/platform/epochs", _("Evaluation keys"), _KEEPERS),
            ("/jobs", _("Background work"), _ADMINISTRATOR),
            ("/platform/size", _("Size and growth"), _ADMINISTRATOR),
            ("/platform/health", _("State of the platform"), _ADMINISTRATOR),
        ),
    ),
    (_("Account"), (("/account", _("Account"), frozenset()),)),
)


def page_frame() -> Frame:
    """The frame of the page in progress; never fails, for pages that tell of errors need it too."""
    caller = current_caller()
    organisation, notices, glass = _of_caller(caller) if caller else ("", 0, None)
    return Frame(
        platform=runtime().settings.platform.name,
        language=language(),
        languages=tuple(Language(code, name) for code, name in LANGUAGES.items()),
        here=request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/",
        is_signed_in=caller is not None,
        organisation=organisation,
        roles=tuple(words(role) for role in Role if role in caller.roles) if caller else (),
        menus=_menus(caller) if caller else (),
        jobs=jobs_of(caller) if caller else (),
        notices=notices,
        glass=glass,
    )


def _menus(caller: Caller) -> tuple[Menu, ...]:
    here = _address_here()
    menus = (
        Menu(
            said,
            tuple(
                Link(address, name, is_here=address == here)
                for address, name, roles in links
                if caller.may(roles, None)
            ),
        )
        for said, links in _MENUS
    )
    return tuple(menu for menu in menus if menu.links)


def _address_here() -> str | None:
    """The address of the one link that is that of the page in progress, or nearest above it."""
    above = (
        address
        for _said, links in _MENUS
        for address, _name, _roles in links
        if request.path == address or (address != "/" and request.path.startswith(f"{address}/"))
    )
    return max(above, key=len, default=None)


def _of_caller(caller: Caller) -> tuple[str, int, Glass | None]:
    """The name of the caller's organisation, the notifications that wait, a broken glass.

    The code and none when the database does not answer.
    """
    if g.get("database_failed"):  # else the page that says so would wait for it once more
        return caller.organisation, 0, None
    try:
        with runtime().database.reading() as session:
            name = directory(session)[caller.member[0]].name
            return name, unseen_count(session, caller), warning(session, caller)
    except SQLAlchemyError as error:
        log.warning("no organisation name for the page", exc_info=error)
        return caller.organisation, 0, None
