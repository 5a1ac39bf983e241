"""A person is told themselves when something about how they sign in was changed.

On their page of notifications; and by mail, where the settings say that sign-in names are mailboxes
(`mail.people`). A mail says what kind of change it was and names nobody.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller, Means
from app.accounts.models import AccountStatus, PersonAccount
from app.accounts.profiles import profiles
from app.audit.entry import Outcome
from app.audit.service import append
from app.clock import now
from app.jobs import mail
from app.jobs.models import Notification
from app.jobs.notifications import Notice, notify_person
from app.jobs.outbox import Ending, Errand, Payload, put
from app.jobs.telling import Recipient, Telling
from app.runtime import runtime
from app.secret_files import read_mail_password

KIND = "account.own"
TOPIC = "account.mail"
"""Topic of the outbox: the mail to one person about their own account."""

_SECURITY, _ACCOUNT = "/account/security", "/account"


def tell_own(session: Session, caller: Caller, person: PersonAccount, change: str) -> None:
    """Tell the person of a change of how they sign in, in the transaction of the change."""
    facts: dict[str, object] = {"change": change}
    is_nobody = caller.person is None and caller.means is Means.SESSION  # on the way in
    if caller.person != person.public_id and not is_nobody:
        facts["by_others"] = True
    address = _SECURITY if change.startswith("factor.") else _ACCOUNT
    told = notify_person(session, person.organisation_id, person.public_id, KIND, facts, address)
    if runtime().settings.mail.host and runtime().settings.mail.people:
        put(session, TOPIC, {"notification": str(told)}, key=str(told))


def tell_caller(session: Session, caller: Caller, change: str) -> None:
    """The same, of a change that the caller made themselves."""
    tell_own(session, caller, session.get_one(PersonAccount, caller.member[1]), change)


def prepare(session: Session, payload: Payload, number: int) -> Callable[[], None] | None:
    """Log the try and return what sends the mail; None when it may not leave any more."""
    found = _found(session, payload)
    if found is None:
        return None
    notice, person = found
    settings = runtime().settings
    telling = runtime().part(Telling)
    recipient = telling.recipient(session, person.organisation_id)
    may_leave = person.status is not AccountStatus.CLOSED and recipient.is_active
    if not (may_leave and settings.mail.host and settings.mail.people):
        _log(session, notice, recipient, "notification.sent", Outcome.OK, ending="withheld")
        return None
    language = person.language or "en"
    said = Notice(
        id=notice.public_id,
        roles=(),
        kind=notice.kind,
        facts=notice.facts,
        address=notice.address,
        made_at=notice.made_at,
        seen_at=notice.seen_at,
    )
    message = telling.message(session, said, recipient, language)
    letter = mail.Letter(
        to=profiles().open(person.sealed_profile, person.public_id).login,
        language=language,
        subject=message.subject,
        text=message.text,
        message=notice.public_id,
        host=urlsplit(settings.platform.origin).hostname or "localhost",
        sender_name=settings.platform.name,
        at=now(),
    )
    _log(session, notice, recipient, "notification.try", Outcome.OK, number=number)
    secrets = Path(settings.secrets.directory)

    def send() -> None:
        password = read_mail_password(secrets) if settings.mail.user else ""
        mail.send(settings.mail, password, letter)

    return send


def conclude(session: Session, payload: Payload, ending: Ending, _error: str) -> None:
    """Note in the log how the try ended."""
    found = _found(session, payload)
    if found is None:
        return
    notice, person = found
    recipient = runtime().part(Telling).recipient(session, person.organisation_id)
    outcome = Outcome.OK if ending is Ending.DONE else Outcome.ERROR
    _log(session, notice, recipient, "notification.sent", outcome, ending=_ENDINGS[ending])


ERRAND = Errand(prepare, conclude)

_ENDINGS = {Ending.DONE: "sent", Ending.AGAIN: "failed", Ending.DEAD: "given_up"}


def _found(session: Session, payload: Payload) -> tuple[Notification, PersonAccount] | None:
    row = session.execute(
        select(Notification, PersonAccount)
        .join(PersonAccount, PersonAccount.public_id == Notification.person)
        .where(Notification.public_id == UUID(str(payload["notification"])))
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _log(
    session: Session,
    notice: Notification,
    recipient: Recipient,
    act: str,
    outcome: Outcome,
    **details: object,
) -> None:
    append(
        session,
        CONSOLE,
        act,
        audience=[recipient.code],
        outcome=outcome,
        object_type="notification",
        objects=[str(notice.public_id)],
        details={"channel_kind": "mail", "kind": notice.kind, **details},
    )
