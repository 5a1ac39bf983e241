"""What the room of jobs asks: who an organisation is, and what a notification says."""

from flask_babel import force_locale, format_datetime
from sqlalchemy.orm import Session

from app.config import PlatformSettings
from app.jobs.notifications import Notice
from app.jobs.telling import Message, Recipient, Telling
from app.organisations.service import directory
from app.runtime import runtime
from app.web.languages import gettext, locale_of
from app.web.notices import notice_words


def telling() -> Telling:
    """Both answers."""
    return Telling(_recipient, _message)


def _recipient(session: Session, organisation_id: int) -> Recipient:
    member = directory(session)[organisation_id]
    return Recipient(member.code, member.name, member.is_active)


def _message(session: Session, notice: Notice, recipient: Recipient, language: str) -> Message:
    names = {member.code: member.name for member in directory(session).values()}
    settings = runtime().settings.platform
    with force_locale(locale_of(language)):
        said = notice_words(notice, names)
        lines = (
            said,
            f"{settings.origin}{notice.address}",
            gettext(
                "Told on %(moment)s UTC, for %(organisation)s.",
                moment=format_datetime(notice.made_at, "medium"),
                organisation=recipient.name,
            ),
            _why(settings) if notice.roles else _why_you(settings),
        )
    one_line = " ".join(said.split())
    return Message(f"{settings.name}: {one_line}", "\n\n".join(lines) + "\n")


def _why(settings: PlatformSettings) -> str:
    said = gettext(
        "This message comes by itself from %(platform)s and carries no data of any"
        " indicator; what it is about is shown after sign-in. An administrator or"
        " compliance officer of your organisation set it up and can end it:",
        platform=settings.name,
    )
    return f"{said}\n{settings.origin}/channels"


def _why_you(settings: PlatformSettings) -> str:
    return gettext(
        "This message comes by itself from %(platform)s, to whoever signs in with this address. If"
        " you know nothing of it, tell an administrator or compliance officer of your organisation"
        " at once, by telephone.",
        platform=settings.name,
    )
