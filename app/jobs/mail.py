"""Notifications by mail: plain text over SMTP, with a verified certificate unless told otherwise.

Repeats of one message carry one Message-ID (RFC 5322, 3.6.4), and each says that no person wrote
it (RFC 3834), so that no absence note comes back.
"""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from app.config import MailSettings
from app.jobs import deadline
from app.jobs.draining import HopelessError

_PERMANENT = range(500, 600)  # RFC 5321, 4.2.1: repeating it unchanged is of no use
_LONGEST_SUBJECT = 200  # characters


class MailNotSetUpError(Exception):
    """There is no mail server in the settings any more."""


class RefusedForGoodError(HopelessError):
    """The mail server refuses this recipient or this message, and says that it will again."""


@dataclass(frozen=True)
class Letter:
    """One message; `message` is the same at each try."""

    to: str
    language: str
    subject: str
    text: str
    message: UUID
    host: str  # of the platform, for the Message-ID
    sender_name: str
    at: datetime


def send(settings: MailSettings, password: str, letter: Letter) -> None:
    """Hand the letter to the mail server.

    OSError or smtplib.SMTPException when it could not be handed over now; RefusedForGoodError.
    """
    if not settings.host:
        raise MailNotSetUpError
    context = ssl.create_default_context()
    with (
        _connected(settings, context) as server,
        deadline.limited(lambda: server.sock, deadline.WHOLE),
    ):
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, password)
        try:
            server.send_message(written(settings, letter))
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = [code for code, _ in refusal.recipients.values()]
            if all(code in _PERMANENT for code in codes):
                raise RefusedForGoodError from None
            raise
        except smtplib.SMTPDataError as refusal:
            if refusal.smtp_code in _PERMANENT:
                raise RefusedForGoodError from None
            raise


def written(settings: MailSettings, letter: Letter) -> EmailMessage:
    """The letter with its headers."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = letter.subject[:_LONGEST_SUBJECT]
    made["From"] = Address(letter.sender_name, addr_spec=settings.sender)
    made["To"] = letter.to
    made["Date"] = format_datetime(letter.at)
    made["Message-ID"] = f"<{letter.message}@{letter.host}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(letter.text)
    made["Content-Language"] = letter.language  # after the content, which clears such headers
    return made


def _connected(settings: MailSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=deadline.ANSWER, context=context
        )
    return smtplib.SMTP(settings.host, settings.port, timeout=deadline.ANSWER)
